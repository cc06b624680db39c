-- Readiness, failover state and synchronisation state: what clients ask after a reboot, or to find
-- the active device of a pair.
--
-- state.failover = "active", "standby", "offline" or "forced-offline".
local clock = require "sim.clock"
local cluster_status = require "sim.cluster.status"
local errors = require "sim.http.errors"
local licensing = require "sim.status.licensing"
local restart = require "sim.http.restart"

local M = {}

-- Statistics with one line: name -> description, below <path>/0. `details` are texts that devices
-- show as reasons.
local function one_line(device, request, kind, values, details)
  if request.method ~= "GET" and request.method ~= "HEAD" then return device:pass(request) end
  local link = "https://localhost" .. request.path
  local entries = {}
  for name, value in pairs(values) do entries[name] = { description = value } end
  if details and #details > 0 then
    -- devices write this link in camel case, unlike the path of the request
    local place = link:gsub("%-(%l)", string.upper) .. "/0/details"
    local lines = {}
    for i, text in ipairs(details) do
      lines[("%s/%d"):format(place, i - 1)] =
        { nestedStats = { entries = { details = { description = text } } } }
    end
    entries[place] = { nestedStats = { entries = lines } }
  end
  return {
    status = 200,
    body = {
      kind = kind,
      selfLink = link
        .. "?"
        .. (request.raw_query ~= "" and request.raw_query or "ver=" .. device.version.version),
      entries = { [link .. "/0"] = { nestedStats = { entries = entries } } },
    },
  }
end

local function install_status(device)
  device:route("/mgmt/tm/sys/ready", function(self, request)
    local yes = restart.is_ready(self) and "yes" or "no"
    return one_line(
      self,
      request,
      "tm:sys:ready:readystats",
      {
        configReady = yes, provisionReady = yes,
        licenseReady = licensing.license(self).key and "yes" or "no",
      }
    )
  end)
  device:route("/mgmt/tm/sys/mcp-state", function(self, request)
    local ready = restart.is_ready(self)
    return one_line(self, request, "tm:sys:mcp-state:mcp-statestats", {
      endPlatformIdReceived = "true", phase = ready and "running" or "initializing",
      lastLoad = ready and "full-config-load-succeed" or "no-config-load",
    })
  end)
  device:route("/mgmt/tm/cm/failover-status", function(self, request)
    local values, details = cluster_status.failover(self)
    return one_line(self, request, "tm:cm:failover-status:failover-statusstats", values, details)
  end)
  device:route("/mgmt/tm/cm/sync-status", function(self, request)
    local values, details = cluster_status.sync(self)
    return one_line(self, request, "tm:cm:sync-status:sync-statusstats", values, details)
  end)
end

function M.install(device)
  device.state.failover = device.state.failover or "active"
  install_status(device)

  device:route(
    "/mgmt/tm/shared/bigip-failover-state",
    function(self, request)
      return {
        status = 200,
        body = {
          pollCycleMillis = 5000,
          nextPollTime = clock.iso(self:now() + 5000000),
          failoverState = self.state.failover,
          generation = 0,
          lastUpdateMicros = self:now(),
          kind = "tm:shared:bigip-failover-state:bigipfailoverstate",
          selfLink = "https://localhost" .. request.path,
        },
      }
    end
  )
end

-- Answers URI/available: whether the worker of the URI is up.
function M.filter(device, request)
  local segments = request.segments
  if segments[#segments] ~= "available" or request.method ~= "GET" or #segments < 3 then
    return nil
  end
  local base = table.move(segments, 1, #segments - 1, 1, {})
  local handler, depth = device.router:find(base)
  local listing = depth and depth < 3 and (#base < 3 or base[2] == "shared") -- no worker of its own
  if not handler or listing then return errors.not_registered(request) end
  return { status = 200, body = "{}" }
end

return M
