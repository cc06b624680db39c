-- Sixty writes with reads between them: what a check is compared with. Each run changes something.
-- With the word "read" it also reads what a change record needs beyond that.
local f5 = require "f5"
local bip <close> = f5.connect()
local text <const> = ("%d %d"):format(os.time(), math.random(1 << 30))
local reads <const> = ... == "read"
if reads then bip.cm.device:list() end
for i = 1, 20 do
  local pool = bip.ltm.pool["/Common/check_" .. i]
  pool:ensure { monitor = "/Common/http", description = text }
  assert(pool:load().description == text)
  local name <const> = ("10.99.0.%d:80"):format(i)
  pool.members["/Common/" .. name]:ensure { description = text }
  if reads then pool:load() end
  pool:modify { minActiveMembers = i % 2 }
end
