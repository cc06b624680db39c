--- A device of the console: its session, its name in the prompt, and its schema cache.

local f5 = require "f5"
local SchemaCache = require "console.schema_cache"
local terminal = require "f5.terminal"

local Device = {}
Device.__index = Device

-- Maximum age of the state in the prompt, in seconds.
local FRESH <const> = 10

--- Returns the device of a session.
-- @param mark string|nil: what the prompt says behind its name
function Device.of(session, options, mark)
  return setmetatable({
    session = session, options = options, schema = SchemaCache.new(session), asked = -math.huge,
    name = session:label(), mark = mark or "",
  }, Device)
end

--- Logs in.
-- @param options as of f5.connect
function Device.connect(options) return Device.of(f5.connect(options), options) end

-- Failures that mean that the device cannot be reached.
local AWAY <const> = { transport = true, timeout = true, tls = true }

-- Reads one property. Returns nil and the kind of error after any failure: the prompt must not
-- disturb the user.
local function read(session, path, name)
  local ok, body = pcall(session.request, session, "GET", path, { quiet = true, timeout = 20 })
  if not ok then return nil, type(body) == "table" and body.kind or nil end
  local value = type(body) == "table" and body[name]
  return type(value) == "string" and value ~= "" and value or nil
end

--- Asks the device for its name and state, if the last answer is old.
-- @return boolean: whether something has changed
function Device:refresh()
  if self.asking or os.time() - self.asked < FRESH then return false end
  self.asking, self.asked = true, os.time()
  local before = self:title()
  if not self.hostname then
    local hostname =
      read(self.session, "/mgmt/shared/identified-devices/config/device-info", "hostname")
    self.hostname = hostname and hostname:match "^[^.]+"
  end
  local state, kind = read(self.session, "/mgmt/tm/shared/bigip-failover-state", "failoverState")
  self.state = state
    or (AWAY[kind] and "unreachable") or (kind == "usage" and "closed") or self.state
  self.asking = false
  return self:title() ~= before
end

--- Returns the calls and writes of the session; nothing if it is closed.
function Device:usage()
  local ok, usage = pcall(self.session.usage, self.session)
  return ok and usage or { calls = 0, writes = 0 }
end

--- Returns "bigip1 (active)", or the known part of it.
function Device:title()
  return terminal.line(
    (self.hostname or self.name) .. (self.state and " (" .. self.state .. ")" or "") .. self.mark
  )
end

return Device
