-- Simulated devices for specs and for `f5lua run --sim`: starts them, moves their clock, plants
-- faults, reads their state.
--
--   local sim = require "f5.sim"
--   local device <close> = sim.start { provision = { "ltm", "asm" } }
--   local bip <close> = f5.connect(device:options "admin")
--
-- The device itself (lualib/sim) runs in its own Lua state and thread. It is reached over HTTPS
-- only.
local extensions = require "f5.sim.extensions"
local json = require "f5.json"
local server = require "f5.sim.server"

local M = {}

local Device <const> = {}
Device.__index = Device

-- Options of the server. All others are for the device.
local SERVER_OPTIONS <const> = {
  bind = true, port = true, hostname = true, cert = true, key = true, body_limit = true,
  fleet = true, source = true,
}
local DEVICE_OPTIONS <const> = {
  users = true, provision = true, seed = true, latency_ms = true, hostname = true, log = true,
  origins = true, providers = true, contrary = true, version = true, address = true,
  management = true, fleet = true, failing = true, slow = true, restarting = true, twin = true,
  twins = true, extensions = true,
}

-- The users of a device that is started without `users`, and that is no twin.
M.default_users = {
  { name = "admin", password = "admin", role = "admin" },
  { name = "operator", password = "operator", role = "operator" },
}

--- The device that `f5lua run --sim` started; nil in all other runs.
M.running = nil

local function is_bytes(entry)
  return type(entry) == "table" and type(entry.text) == "string" and not utf8.len(entry.text)
end

-- A seed as JSON can hold it: of a configuration that is not UTF-8 each byte goes as a character.
-- The device refuses the statements that are not UTF-8, by line.
local function encodable(seed)
  if type(seed) ~= "table" or type(seed.conf) ~= "table" then return seed end
  local conf = table.move(seed.conf, 1, #seed.conf, 1, json.array {})
  local copy
  for i, entry in ipairs(conf) do
    if is_bytes(entry) then
      copy = copy or {}
      local text = entry.text:gsub("[\x80-\xFF]", function(byte) return utf8.char(byte:byte()) end)
      conf[i] = { name = entry.name, text = text, bytes = true }
    end
  end
  if not copy then return seed end
  for key, value in pairs(seed) do copy[key] = value end
  copy.conf = conf
  return copy
end

--- Starts a device. With fleet = N it starts N devices, at 127.0.0.1, 127.0.0.2 …
-- @param options table|nil: users (array of { name, password, role }), provision (array of
--   modules), seed (see docs/simulator.md), latency_ms, hostname, log (file name), origins,
--   providers, contrary, version, extensions, management (ADDRESS or ADDRESS:PORT, where other
--   devices reach it); bind, port, cert, key, body_limit of the server; fleet, and failing, slow,
--   restarting as shares of it (0 to 1)
function M.start(options)
  options = options or {}
  local for_server, for_device = {}, {}
  for name, value in pairs(options) do
    if not SERVER_OPTIONS[name] and not DEVICE_OPTIONS[name] then
      error(("sim.start: unknown option '%s'"):format(tostring(name)), 2)
    end
    if SERVER_OPTIONS[name] then for_server[name] = value end
    if DEVICE_OPTIONS[name] then for_device[name] = value end
  end
  local wrong = type(options.provision) == "table"
    and require "f5.sim.modules"(options.provision)
  if wrong then error("sim.start: " .. wrong, 2) end
  for_device.extensions = options.extensions and extensions(options.extensions)
  -- The users of a twin are those of its device.
  for_device.users = for_device.users
    or (options.twin or options.twins) and json.array {} or M.default_users
  for_device.seed = encodable(for_device.seed)
  local bind = options.bind
  if not for_device.address and bind and bind:find "^[%x.:]+$" and not bind:find "^[0.:]+$" then
    for_device.address = bind
  end
  for_server.device = json.encode(for_device)
  local started = server.start(for_server)
  local host = options.bind or "127.0.0.1"
  if host == "0.0.0.0" or host == "::" then host = "localhost" end
  return setmetatable({
    server = started,
    users = for_device.users,
    host = host,
    port = started:port(),
    ca = started:ca(),
    url = ("https://%s:%d"):format(
      host:find(":", 1, true) and "[" .. host .. "]" or host,
      started:port()
    ),
  }, Device)
end

local function call(self, name, argument)
  return json.decode(self.server:call(name, argument ~= nil and json.encode(argument) or ""))
end

-- JSON's null becomes nil.
local function optional(value)
  if value == json.null then return nil end
  return value
end

-- Methods that only pass on one argument to a function of lualib/sim/control.lua. Their description
-- is in lualib/meta/f5/sim.lua.
local ANSWERED <const> = {
  "advance", "configuration", "connections", "fault", "log", "now", "problems", "refused",
  "remarks", "state",
}
local UNANSWERED <const> = {
  "clear_faults", "clear_log", "plant", "reboot", "restart", "restore",
}
for _, name in ipairs(ANSWERED) do
  Device[name] = function(self, argument) return call(self, name, argument) end
end
for _, name in ipairs(UNANSWERED) do
  Device[name] = function(self, argument) call(self, name, argument) end
end

--- Calls a function of lualib/sim/control.lua.
function Device:control(name, argument)
  return optional(call(self, name, argument))
end

--- Returns the n-th device of a fleet. It has all methods but stop.
function Device:member(n)
  local host = ("127.%d.%d.%d"):format(n >> 16, n >> 8 & 255, n & 255)
  local through =
    { call = function(_, name, text) return self.server:call(host .. "/" .. name, text) end }
  return setmetatable({
    server = through,
    users = self.users,
    host = host,
    port = self.port,
    ca = self.ca,
    url = ("https://%s:%d"):format(host, self.port),
  }, Device)
end

--- Waits for SIGINT or SIGTERM. The device runs meanwhile.
function Device.wait()
  repeat until server.pause(60)
end

--- Returns options for f5.connect: the device, its CA, and one of its users (default: the first).
function Device:options(name)
  for _, user in ipairs(self.users) do
    if name == nil or user.name == name then
      return {
        host = self.host, port = self.port, ca = self.ca, username = user.name,
        password = user.password,
      }
    end
  end
  error(("the simulated device has no user '%s'"):format(tostring(name)), 2)
end

--- Stops the server and removes its CA file. A second call does nothing.
function Device:stop()
  self.server:stop()
end

Device.__close = Device.stop
Device.__name = "f5.sim.device"

function Device:__tostring()
  return "simulated device " .. self.url
end

return M
