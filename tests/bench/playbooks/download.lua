-- download.lua NAME FILE
local f5 = require "f5"
local bip <close> = f5.connect {}
assert(#bip:download(arg[1], arg[2]).sha256 == 64)
