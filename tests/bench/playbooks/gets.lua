-- gets.lua N: N reads of one object over one session; 1 is the cold run. Device and user are in the
-- environment.
local f5 = require "f5"
local bip <close> = f5.connect {}
local web <const> = bip.ltm.virtual["/Common/vs_04711"]
for _ = 1, tonumber(arg[1]) do assert(web:load().destination) end
