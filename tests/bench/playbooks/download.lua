-- download.lua NAME FILE [digest]
local f5 = require "f5"
local bip <close> = f5.connect {}
local got <const> = bip:download(arg[1], arg[2], { sha256 = arg[3] == "digest" or nil })
assert(got.size > 0 and (arg[3] == nil or #got.sha256 == 64))
