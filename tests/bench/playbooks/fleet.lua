-- fleet.lua N PORT [WORKERS]: N devices, so many at once (default: all); each login, two reads,
-- logout
local f5 = require "f5"
local devices <const> = {}
for i = 1, tonumber(arg[1]) do
  devices[i] = { host = ("d%d.fleet.localhost"):format(i - 1), port = tonumber(arg[2]) }
end
local report = f5.each(devices, { workers = tonumber(arg[3]) or #devices }, function(bip)
  local web <const> = bip.ltm.virtual["/Common/vs_04711"]
  assert(web:load().destination)
  assert(web:load().destination)
end)
if not report.ok then
  print(report)
  os.exit(1)
end
