-- Twins of devices: simulated devices that read what they have from real ones, and keep every
-- change to themselves. They run in a process of their own.
--
--   local twins <close> = require("f5.twin").start { devices = { { host = "bigip1", … } } }
--   local bip <close> = f5.connect(twins:options(1))
--   …
--   print(#twins:report(1).changes)
local core = require "f5.core"
local handed = require "f5.work.handed"
local json = require "f5.json"

local M = {}

-- The real one: check mode (f5/plan/check.lua) replaces it while a playbook runs.
local connect <const> = core.connect_given

local Twins <const> = {}
Twins.__index = Twins

-- Raises a usage error unless the method was called with a colon.
local function check_self(self, name)
  if getmetatable(self) ~= Twins then
    core.usage_error(3, ("%s: call it with a colon: twins:%s()"):format(name, name))
  end
end

-- By this name f5lua knows that it serves twins, also if a playbook is packed into it.
local NAME <const> = "f5lua: twins"

-- This program, if it is f5lua; else what the environment says.
local function program_of(options)
  return options.program or package.preload["f5.host"] and "/proc/self/exe"
    or os.getenv "F5LUA_PROGRAM" or "f5lua"
end

-- Writes a line of JSON to the process and returns the line that it answers, as a value; nil if the
-- process has ended, or is another program.
local function exchange(child, value)
  local ok, line = pcall(json.encode, value)
  if not ok then core.usage_error("f5.twin: " .. tostring(line)) end
  if not pcall(child.write, child, line .. "\n") then return nil end
  local text = ""
  while not text:find("\n", 1, true) do
    local piece = child:read()
    if not piece then return nil end
    text = text .. piece
  end
  local whole, answer = pcall(json.decode, (text:match "^[^\n]*"))
  return whole and type(answer) == "table" and answer or nil
end

--- Starts a process with the twins of devices.
-- @param options devices (array of the options of f5.connect, one for each device; may be empty),
--   program (path of f5lua; default: this program, in a stock Lua F5LUA_PROGRAM or `f5lua` in PATH)
-- @return twins; the twin of device i is at 127.0.0.i
function M.start(options)
  if type(options) ~= "table" or type(options.devices) ~= "table" then
    core.usage_error "f5.twin.start: expected { devices = { OPTIONS_OF_CONNECT, … } }"
  end
  local devices = json.array {}
  for i, one in ipairs(options.devices) do
    if type(one) ~= "table" then
      core.usage_error(("f5.twin.start: expected the options of f5.connect for device %d, got a %s")
        :format(i, type(one)))
    end
    devices[i] = handed(one)
  end
  local program = program_of(options)
  local ok, child = pcall(core.child, { program, "sim", "--twin", "-", "--port", "0" }, NAME)
  if not ok then
    core.usage_error(
      ("f5.twin.start: %s; set F5LUA_PROGRAM to the path of f5lua"):format(tostring(child))
    )
  end
  local self = setmetatable({ child = child, sessions = {} }, Twins)
  local known = exchange(child, { devices = devices })
  if not known then
    child:close()
    error(("f5.twin.start: the twin ended before it was ready (%s sim --twin)"):format(program), 0)
  end
  self.port, self.ca, self.devices = known.port, known.ca, known.devices
  return self
end

local function add(self, options, before)
  if before then pcall(before.join, before) end
  local known = exchange(self.child, options)
  if not known then core.usage_error "twins:add: the process of the twins has ended" end
  if known.problem then core.usage_error("twins:add: " .. known.problem) end
  self.devices[#self.devices + 1] = known
  return #self.devices
end

--- Adds the twin of one more device to the process. It connects to the device when it first needs
--- it, so a device that cannot be reached does no harm to the others.
-- @param options those of f5.connect
-- @return integer: the number of the device
function Twins:add(options)
  check_self(self, "add")
  if type(options) ~= "table" then
    core.usage_error "twins:add: expected the options of f5.connect"
  end
  -- One after the other: several fibers may add devices at the same time.
  self.adding = core.spawn(add, self, handed(options), self.adding)
  return self.adding:join()
end

--- The options of f5.connect for the twin of device n. Its user has the role and the partitions of
--- the user on the device.
function Twins:options(n)
  check_self(self, "options")
  local one = self.devices[n]
  if not one then core.usage_error(("there is no twin of a device %s"):format(tostring(n))) end
  return {
    host = one.host, port = self.port, ca = self.ca, username = one.username,
    password = one.password,
  }
end

-- Basic authentication also works while the twin simulates a restart.
local function session_of(self, n)
  if not self.sessions[n] then
    local options = self:options(n)
    options.auth = "basic"
    self.sessions[n] = connect(options)
  end
  return self.sessions[n]
end

-- A path that devices do not have.
local function own(self, n, method, path, body)
  local options = { body = body, quiet = true }
  if method ~= "GET" then options.changes = false end
  return session_of(self, n):request(method, "/mgmt/f5lua-sim" .. path, options)
end

--- What the twin of device n says about itself: { device, reads, changes, assumed, not_simulated }.
function Twins:report(n)
  check_self(self, "report")
  return own(self, n, "GET", "/twin")
end

--- What the answers of the twin of device n, and its checks of writes, depend on, as the device
--- gave it: array of { path, body (nil: the device does not have it), … }; the fields are described
--- in docs/simulator-twin.md.
function Twins:reads(n)
  check_self(self, "reads")
  local list, from, open = {}, 1, nil
  repeat
    local page = own(self, n, "GET", "/twin/reads?from=" .. from)
    for _, read in ipairs(page.reads) do
      if read.body == json.null then read.body = nil end
      local more = read.continued
      read.continued = nil
      if open then
        table.move(read.body.items, 1, #read.body.items, #open.body.items + 1, open.body.items)
      else
        list[#list + 1] = read
      end
      open = more and (open or read) or nil
    end
    from = page.next
  until not from or from == json.null
  return list
end

--- Moves the clock of the twin of device n forward.
-- @return integer: its time, microseconds since 1970
function Twins:advance(n, seconds)
  check_self(self, "advance")
  return own(self, n, "POST", "/clock", { seconds = seconds }).now
end

--- Ends the process. A second call does nothing.
function Twins:stop()
  check_self(self, "stop")
  for n, session in pairs(self.sessions) do
    self.sessions[n] = nil
    pcall(session.close, session)
  end
  self.child:close()
end

Twins.__close = Twins.stop
Twins.__name = "f5.twin"

return M
