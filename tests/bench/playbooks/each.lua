-- each.lua N: every object of a collection of N, page by page
local f5 = require "f5"
local bip <close> = f5.connect {}
local count = 0
for object in bip.ltm.virtual:each { page = 500 } do
  assert(object.destination)
  count = count + 1
end
assert(count == tonumber(arg[1]))
