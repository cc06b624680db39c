-- list.lua N: a whole collection of N objects as Lua tables
local f5 = require "f5"
local bip <close> = f5.connect {}
assert(#bip.ltm.virtual:list() == tonumber(arg[1]))
