-- A simulated device, the process of its twin, and a session with each.
--
--   device, twins, direct, twin = twinned.start()
--   …
--   twinned.stop(device, twins, direct, twin)
local f5 = require "f5"
local json = require "f5.json"
local lab = require "lab"
local sim = require "f5.sim"
local twins_of = require "f5.twin"

local M = {}

M.TM = "/mgmt/tm/"

--- What the device has.
M.SEED = {
  objects = {
    ["/mgmt/tm/auth/partition"] = { { name = "tenant" } },
    ["/mgmt/tm/ltm/node"] = {
      { name = "n1", address = "10.0.0.1" }, { name = "n2", address = "10.0.0.2" },
    },
    ["/mgmt/tm/ltm/monitor/http"] = {
      { name = "parent", interval = 7 },
      { name = "child", defaultsFrom = "/Common/parent", timeout = 44 },
    },
    ["/mgmt/tm/ltm/pool"] = {
      { name = "blue", monitor = "/Common/http",
        members = { { name = "n1:80" }, { name = "n2:80" } } },
      { name = "green", members = { { name = "n1:8080" } } },
      { name = "other", partition = "tenant", description = "of a tenant" },
    },
    ["/mgmt/tm/ltm/rule"] = { { name = "hello", apiAnonymous = "when HTTP_REQUEST { }" } },
    ["/mgmt/tm/ltm/data-group/internal"] = {
      { name = "dg", type = "string", records = { { name = "a", data = "1" } } },
    },
    ["/mgmt/tm/ltm/virtual"] = {
      { name = "vs", destination = "/Common/10.1.0.1:80", ipProtocol = "tcp", pool = "/Common/blue",
        profiles = { "/Common/http", "/Common/tcp" }, rules = { "/Common/hello" } },
    },
    ["/mgmt/tm/net/vlan"] = { { name = "v1", tag = 77 } },
    ["/mgmt/tm/sys/ntp"] = { servers = { "192.0.2.123" } },
  },
}

-- The device, the process of its twin, and a session with each.

--- What a device sees of a spec and of its twin but GET, see `writes`.
M.LOGINS = { ["POST /mgmt/shared/authn/login"] = 2 }

--- Starts all. options: those of f5.sim.start.
function M.start(options)
  options = options or {}
  options.seed = options.seed or M.SEED
  local device = sim.start(options)
  device:advance(60) -- all monitors have a result, so nothing changes by itself
  local twins = twins_of.start { devices = { device:options "admin" } }
  return device, twins, lab.connect(device), f5.connect(twins:options(1))
end

function M.stop(device, twins, direct, twin)
  twin:close()
  twins:stop()
  lab.stop(direct, device)
end

-- What each request changes on every device.
local ALWAYS <const> = { tokens = true, operations = true, clock = true }

--- The state of a device, as text, without what every request changes.
function M.state(device)
  local all = device:state()
  for name in pairs(ALWAYS) do all[name] = nil end
  return json.encode(all, { sort = true })
end

--- Where two states begin to differ; "" if they do not.
function M.difference(before, after)
  if before == after then return "" end
  local at = 1
  while before:byte(at) == after:byte(at) do at = at + 1 end
  local from <const> = math.max(1, at - 100)
  return before:sub(from, at + 60) .. "\n" .. after:sub(from, at + 60)
end

--- What a device has seen but GET: { ["POST /mgmt/…"] = 2 }.
function M.writes(device)
  local seen = {}
  for _, call in ipairs(device:log()) do
    if call.method ~= "GET" then
      local what = call.method .. " " .. call.path:gsub("/tokens/.*", "/tokens/…")
      seen[what] = (seen[what] or 0) + 1
    end
  end
  return seen
end

--- The answer to a request: { status =, body = }.
function M.answer(bip, method, path, body)
  local got = bip:request(method, path, { body = body, raw = true })
  local ok, value = pcall(json.decode, got.body)
  value = ok and value or got.body
  if type(value) == "table" then value.restOperationId = nil end
  return { status = got.status, body = value }
end

--- What the first twin reports as changed: { "modify ltm/pool/~Common~web" }.
function M.changes(twins)
  local list = {}
  for i, change in ipairs(twins:report(1).changes) do
    list[i] = change.verb .. " " .. change.path:gsub("^/mgmt/tm/", "")
  end
  return list
end

return M
