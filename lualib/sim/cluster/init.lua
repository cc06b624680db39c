-- Devices that belong together: the trust domain, synchronisation of the configuration, fail-over.
--
-- Devices meet over HTTPS only, at paths below /f5lua-sim that real devices do not have (a real one
-- uses a protocol of its own). A call without the secret of the trust domain is answered like any
-- unknown path.
local json = require "f5.json"
local calls = require "sim.cluster.calls"
local failover = require "sim.cluster.failover"
local members = require "sim.cluster.members"
local restart = require "sim.http.restart"
local sync = require "sim.cluster.sync"
local trust = require "sim.cluster.trust"

local M = {}

-- What this device tells about itself with every "hello".
local function hello(device)
  local told = failover.told(device)
  told.groups = sync.told(device)
  return told
end

local function headers(device)
  return {
    ["X-F5lua-Device"] = members.own_name(device),
    ["X-F5lua-Secret"] = members.trust(device).secret or "",
  }
end

local function tick(device)
  sync.settle(device)
  sync.find_behind(device)
  sync.run_auto(device)
  failover.decide(device)
  failover.greet(device)
end

-- Starts or ends what a device with peers does once a second.
local function start(device)
  device.cluster.started = device.real_clock()
  calls.keep_awake(device, members.has_peers(device) and tick or nil)
  if not members.has_peers(device) then failover.decide(device) end
end

-- -- messages of other devices --

-- verb -> function(device, message, peer) -> body
local MESSAGES <const> = {
  hello = function(device, message, peer)
    failover.heard(device, peer, message)
    return hello(device)
  end,
  take = function(device, message, peer)
    failover.heard(device, peer, message)
    failover.on_take(device, peer, message)
    return hello(device)
  end,
  sync = function(device, message)
    local answer = sync.on_push(device, message)
    failover.decide(device)
    return answer
  end,
  fetch = function(device, message) return sync.on_fetch(device, message) end,
  leave = function(device)
    trust.reset(device)
    return { done = true }
  end,
}

-- Whether a message has what a "join" needs.
local function is_join(message)
  for _, part in ipairs { "endpoints", "objects", "record", "hello" } do
    if type(message[part]) ~= "table" then return false end
  end
  for name, endpoint in pairs(message.endpoints) do
    local known = type(endpoint) == "table" and endpoint or {}
    if
      type(name) ~= "string" or type(known.host) ~= "string" or not calls.is_address(known.host)
      or math.type(known.port) ~= "integer"
    then
      return false
    end
  end
  local record = message.record
  return type(message.from) == "string" and math.type(record.n) == "integer"
    and math.type(record.base) == "integer" and type(record.by) == "string"
end

local UNAVAILABLE <const> = { status = 503, body = { message = "not available" } }

--- Answers a message of another device. Returns nil for a request that is none.
function M.door(device, request)
  local segments = request.segments
  if segments[1] ~= calls.PREFIX or #segments ~= 2 or request.method ~= "POST" then return nil end
  local verb = segments[2]
  local ok, message = pcall(json.decode, request.body)
  if not ok or type(message) ~= "table" then return nil end
  if verb == "join" then
    if not is_join(message) then return nil end
    if not restart.is_ready(device) then return UNAVAILABLE end
    return trust.on_join(device, message)
  end
  local handler = MESSAGES[verb]
  local peer = request.headers["x-f5lua-device"]
  local known = members.trust(device)
  if
    not handler or not known.secret or request.headers["x-f5lua-secret"] ~= known.secret
    or not known.peers[peer]
  then
    return nil
  end
  if restart.is_booting(device) then return UNAVAILABLE end
  sync.settle(device)
  return { status = 200, body = handler(device, message, peer) }
end

-- What a device knows of others and does not save.
local function fresh(device)
  return {
    links = {}, dirty = {}, auto = {}, again = {}, pushing = {}, deferred = {}, handed = {},
    gave = {}, refused = {}, asm_seen = device.state.asm and device.state.asm.changes or 0,
    up_since = 0, started = device.real_clock(), headers = headers, hello = hello, start = start,
    leave = trust.reset,
  }
end

--- Called when the state of the device was replaced.
function M.restored(device)
  device.cluster = fresh(device)
  members.trust(device)
  start(device)
end

function M.install(device)
  device.cluster = fresh(device)
  device.port = device.options.port or calls.port()
  members.trust(device)
  sync.watch(device)
  device.door = M.door
  device:route("/mgmt/tm/cm/trust-domain", function(self, request)
    local segments = request.segments
    local name = segments[5]
    if request.method == "DELETE" and (not name or name:match "[^~]+$" == "Root") then
      return trust.delete(self)
    end
    return self:pass(request)
  end)
  if members.has_peers(device) then start(device) end
  device:on_close(function() calls.keep_awake(device, nil) end)
end

return M
