-- upload.lua FILE [digest]
local f5 = require "f5"
local bip <close> = f5.connect {}
local sent <const> = bip:upload(arg[1], { sha256 = arg[2] == "digest" or nil })
assert(sent.size > 0 and (arg[2] == nil or #sent.sha256 == 64))
