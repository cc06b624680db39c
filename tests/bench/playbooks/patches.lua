-- patches.lua N
local f5 = require "f5"
local bip <close> = f5.connect {}
local web <const> = bip.ltm.virtual["/Common/vs_04711"]
for _ = 1, tonumber(arg[1]) do web:modify { description = "changed by the bench" } end
