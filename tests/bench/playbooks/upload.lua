-- upload.lua FILE
local f5 = require "f5"
local bip <close> = f5.connect {}
assert(#bip:upload(arg[1]).sha256 == 64)
