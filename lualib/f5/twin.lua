-- Twins of devices: simulated devices that read what they have from real ones, and keep every
-- change to themselves. They run in a process of their own.
--
--   local twins <close> = require("f5.twin").start { devices = { { host = "bigip1", … } } }
--   local bip <close> = f5.connect(twins:options(1))
--   …
--   print(#twins:report(1).changes)
local core = require "f5.core"
local f5 = require "f5"
local json = require "f5.json"

local M = {}

local Twins <const> = {}
Twins.__index = Twins

-- This program, if it is f5lua; else what the environment says.
local function program_of(options)
  return options.program or package.preload["f5.host"] and "/proc/self/exe"
    or os.getenv "F5LUA_PROGRAM" or "f5lua"
end

-- Strings, numbers and flags of the options of f5.connect. A password that was read from a terminal
-- or a command is passed on as text, through the pipe only.
local function plain(options)
  local copy = {}
  for name, value in pairs(options) do
    if (name == "password" or name == "token") and type(value) ~= "string" then
      value = core.secret_text(value)
    end
    copy[name] = value
  end
  return copy
end

local function read_line(child)
  local text = ""
  while not text:find("\n", 1, true) do
    local piece = child:read()
    if not piece then return nil end
    text = text .. piece
  end
  return text:match "^[^\n]*"
end

--- Starts a process with the twins of one or more devices.
-- @param options devices (array of the options of f5.connect, one for each device), program (path
--   of f5lua; default: this program, in a stock Lua F5LUA_PROGRAM or `f5lua` in PATH)
-- @return twins; the twin of device i is at 127.0.0.i
function M.start(options)
  if type(options) ~= "table" or type(options.devices) ~= "table" or #options.devices == 0 then
    core.usage_error "f5.twin.start: expected { devices = { OPTIONS_OF_CONNECT, … } }"
  end
  local devices = json.array {}
  for i, one in ipairs(options.devices) do devices[i] = plain(one) end
  local program = program_of(options)
  local ok, child = pcall(core.child, { program, "sim", "--twin", "-", "--port", "0" })
  if not ok then
    core.usage_error(
      ("f5.twin.start: %s; set F5LUA_PROGRAM to the path of f5lua"):format(tostring(child))
    )
  end
  local self = setmetatable({ child = child, sessions = {} }, Twins)
  child:write(json.encode { devices = devices } .. "\n")
  local line = read_line(child)
  local known = line and json.decode(line)
  if not known then
    child:close()
    error("f5.twin.start: the twin ended before it was ready", 0)
  end
  self.port, self.ca, self.devices = known.port, known.ca, known.devices
  return self
end

--- The options of f5.connect for the twin of device n. Its user has the role and the partitions of
--- the user on the device.
function Twins:options(n)
  local one = self.devices[n]
  if not one then core.usage_error(("there is no twin of a device %s"):format(tostring(n))) end
  return {
    host = one.host, port = self.port, ca = self.ca, username = one.username,
    password = one.password,
  }
end

local function session_of(self, n)
  if not self.sessions[n] then self.sessions[n] = f5.connect(self:options(n)) end
  return self.sessions[n]
end

-- A path that devices do not have.
local function own(self, n, method, path, body)
  local options = { body = body, quiet = true }
  if method ~= "GET" then options.changes = false end
  return session_of(self, n):request(method, "/mgmt/f5lua-sim" .. path, options)
end

--- What the twin of device n says about itself: { device, reads, changes, assumed, not_simulated }.
function Twins:report(n) return own(self, n, "GET", "/twin") end

--- Moves the clock of the twin of device n forward.
-- @return integer: its time, microseconds since 1970
function Twins:advance(n, seconds)
  return own(self, n, "POST", "/clock", { seconds = seconds }).now
end

--- Ends the process. A second call does nothing.
function Twins:stop()
  for n, session in pairs(self.sessions) do
    self.sessions[n] = nil
    pcall(session.close, session)
  end
  self.child:close()
end

Twins.__close = Twins.stop
Twins.__name = "f5.twin"

return M
