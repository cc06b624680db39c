-- Joins the trust domain of another device: as the real DO, it asks the other one, over its REST
-- interface, to add this device. Then this device joins the device groups of the declaration.
local calls = require "sim.extensions.onboarding.calls"
local digest = require "sim.digest"
local members = require "sim.cluster.members"
local order = require "sim.extensions.order"
local outside = require "sim.cluster.calls"

local M = {}

local ADD_MS <const> = 15000

-- Whether an address or a name is that of a device.
local function is_device(one, host)
  return one.hostname == host or one.name == host or one.managementIp == host
    or one.configsyncIp == host
end

--- Whether the device that a declaration names is this one.
function M.is_own(device, host)
  if is_device(calls.own_device(device), host) or members.endpoint(device).host == host then
    return true
  end
  for _, self in ipairs(calls.call(device, "GET", "/tm/net/self").items) do
    if self.address:match "^[^/%%]*" == host then return true end
  end
  return false
end

-- Whether this device trusts the other one already.
local function is_trusted(device, host)
  for _, endpoint in pairs(members.trust(device).peers) do
    if endpoint.host == host then return true end
  end
  for _, one in ipairs(calls.call(device, "GET", "/tm/cm/device").items) do
    if one.selfDevice ~= "true" and is_device(one, host) then return true end
  end
  return false
end

--- What has to be done; nil if this device need not join.
function M.needed(device, trust)
  if not trust or M.is_own(device, trust.remoteHost) or is_trusted(device, trust.remoteHost) then
    return nil
  end
  return trust
end

local function endpoint_text(endpoint)
  local host = endpoint.host:find(":", 1, true) and "[" .. endpoint.host .. "]" or endpoint.host
  return ("%s:%d"):format(host, endpoint.port)
end

--- Asks the other device. `done(problem)` gets nil, or { code =, reason = }.
function M.ask(device, trust, done)
  local host, port = members.split_endpoint(trust.remoteHost, device.port)
  if not host or not outside.is_address(host) then
    return done { code = 500, reason = "Unable to resolve host " .. trust.remoteHost }
  end
  local body = {
    command = "run", name = "Root", caDevice = true,
    device = endpoint_text(members.endpoint(device)), deviceName = calls.own_device(device).name,
    username = trust.localUsername, password = trust.localPassword,
  }
  local headers = {
    Authorization = "Basic "
      .. digest.base64(trust.remoteUsername .. ":" .. trust.remotePassword),
    ["Content-Type"] = "application/json",
  }
  outside.post(device, { host = host, port = port }, "/mgmt/tm/cm/add-to-trust", body, headers,
    ADD_MS, function(answer, reason)
      if answer then return done(nil) end
      local known = type(reason) == "table" and reason or {}
      local text = known.message or ("no answer of " .. trust.remoteHost)
      return done { code = known.status == 400 and 422 or known.status or 500, reason = text }
    end)
end

--- Makes this device a member of device groups: a list of names. Raises a refusal.
function M.groups(device, names)
  local own = calls.own_device(device)
  for _, name in ipairs(order.keys(names)) do
    local place = calls.place("/tm/cm/device-group", name, "Common")
    if not calls.get(device, place) then
      error({ onboarding = ("Device group %s does not exist on this device."):format(name) }, 0)
    end
    if not calls.get(device, ("%s/devices/~Common~%s"):format(place, own.name)) then
      calls.call(device, "POST", place .. "/devices", { name = own.name })
    end
  end
end

return M
