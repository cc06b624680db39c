-- report.lua COUNT FILE: writes the report of a run on so many devices, each with 8 calls and a
-- change, and prints how many seconds that took. The run itself is made up.
local Report = require "f5.fleet.report"
local core = require "f5.core"

local count <const>, path <const> = tonumber(arg[1]), arg[2]
local PATHS <const> = {
  "POST /mgmt/shared/authn/login", "GET /mgmt/tm/sys/version", "GET /mgmt/tm/ltm/pool",
  "GET /mgmt/tm/ltm/pool/~Common~web/members", "GET /mgmt/tm/ltm/virtual",
  "PATCH /mgmt/tm/ltm/pool/~Common~web", "POST /mgmt/tm/sys/config",
  "DELETE /mgmt/shared/authz/tokens/ABCD********",
}

local devices, watch = {}, { calls = {}, labels = {}, changes = {}, texts = {} }
function watch.take() end
table.move(PATHS, 1, #PATHS, 1, watch.texts)
watch.texts[#PATHS + 1] = "change.lua:12"
for i = 1, count do devices[i] = { name = ("bigip%d.example.net"):format(i) } end
local report <const> = Report.new(devices)
for i, entry in ipairs(report.devices) do
  local failed <const> = i % 50 == 0
  entry.state, entry.calls, entry.duration = failed and "failed" or "done", #PATHS, i / 1000
  entry.changed = not failed
  entry.error = failed and "change.lua:12: the device did not answer within 30 seconds" or nil
  local list <const> = {}
  for n = 1, #PATHS do
    local call <const> = { 10 ^ 15 // 1 + i * 100000 + n * 60000, 50000 + n, 0, n, 200, 1,
      #PATHS + 1, 0, 0, 0, 220, 3000 }
    table.move(call, 1, #call, #list + 1, list)
  end
  watch.calls[entry.name], watch.labels[i] = list, entry.name
  watch.changes[entry.name] = { {
    verb = "changed", name = "ltm/pool /Common/web", state = "done", known = true,
    properties = { { "description", "as it was", "new text" } }, line = "change.lua:12",
  } }
end
report.watch, report.duration, report.playbook, report.ok = watch, 30, "change.lua", false

local began <const> = core.now()
report:write(path)
print(("%.6f"):format(core.now() - began))
