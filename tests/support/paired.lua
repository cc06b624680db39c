-- Two simulated devices that become a pair, and what specs ask them.
local curl = require "curl"
local f5 = require "f5"
local lab = require "lab"
local assert = require "luassert"

local M = {}

--- Two devices and a session with each: a, b, x, y. `of_second`, `of_first`: options.
function M.start(of_second, of_first)
  local first, second = { hostname = "a.example.net" }, { hostname = "b.example.net" }
  for name, value in pairs(of_first or {}) do first[name] = value end
  for name, value in pairs(of_second or {}) do second[name] = value end
  local a, x = lab.start(first)
  local b, y = lab.start(second)
  return a, b, x, y
end

function M.post(device, path, body) return curl(device, "POST", "/mgmt/tm/" .. path, body) end

--- The body of add-to-trust for a device.
function M.trust_body(device, more)
  local body = {
    command = "run", name = "Root", caDevice = true, device = "127.0.0.1:" .. device.port,
    deviceName = "b.example.net", username = "admin", password = "admin",
  }
  for name, value in pairs(more or {}) do body[name] = value end
  return body
end

function M.join(a, b)
  assert.equal(200, M.post(a, "cm/add-to-trust", M.trust_body(b)).status)
end

--- Makes the device group "dg" of both devices. `bip`: the session of the first one.
function M.make_group(bip, more)
  local body = { name = "dg", type = "sync-failover", devices = { "bigip1", "b.example.net" } }
  for name, value in pairs(more or {}) do body[name] = value end
  bip:at("cm/device-group"):create(body)
end

--- A device needs a moment to hear of the other.
M.wait = lab.wait

--- Statistics below cm, as plain values.
function M.shown(bip, path) return f5.flat(bip:at("cm/" .. path):load())[1] end

function M.status(bip) return M.shown(bip, "sync-status").status end

function M.wait_status(bip, wanted)
  M.wait(wanted, function() return M.status(bip) == wanted end)
end

function M.sync(bip, words)
  bip.cm:run("run", { utilCmdArgs = "config-sync " .. (words or "to-group dg") })
end

function M.in_sync(x, y)
  M.wait_status(x, "In Sync")
  M.wait_status(y, "In Sync")
end

--- The details of cm/sync-status.
function M.details(device)
  local text = curl(device, "GET", "/mgmt/tm/cm/sync-status").json
  local place = "https://localhost/mgmt/tm/cm/syncStatus/0/details"
  local line_0 = text.entries["https://localhost/mgmt/tm/cm/sync-status/0"]
  local lines = line_0.nestedStats.entries[place]
  local list = {}
  for i = 0, 20 do
    local line = lines.nestedStats.entries[place .. "/" .. i]
    list[#list + 1] = line and line.nestedStats.entries.details.description
  end
  return list
end

--- The fail-over states of both devices: "active standby".
function M.states(x, y) return x:failover_state() .. " " .. y:failover_state() end

return M
