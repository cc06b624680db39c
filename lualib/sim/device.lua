-- The simulated BIG-IP. It takes requests, finds their handlers and makes responses. Requests and
-- responses are plain tables; sockets are the business of runtime/sim.
--
--   local admin = { name = "admin", password = "admin", role = "admin" }
--   local device = Device.new { users = { admin } }
--   local response = device:handle {
--     method = "GET", target = "/mgmt/shared/echo", headers = {}, body = "", remote = "127.0.0.1",
--   }
--
-- Features (sim/features.lua) install routes and event handlers. Everything that must survive a
-- save is in `device.state`, one plain value. The steps of every request are in
-- sim/http/pipeline.lua.
local json = require "f5.json"
local members = require "sim.cluster.members"
local native = require "sim.native"
local Router = require "sim.http.router"
local clock = require "sim.clock"
local cluster = require "sim.cluster"
local errors = require "sim.http.errors"
local extensions = require("sim.lazy") "sim.extensions"
local icall = require "sim.icall"
local miss = require "sim.twin.miss"
local pipeline = require "sim.http.pipeline"
local seeds = require "sim.seed"
local style = require "sim.http.style"
local sync = require "sim.cluster.sync"
local turns = require "sim.turns"
local version = require "sim.version"

local Device = {}
Device.__index = Device

-- The clock, see sim/clock.lua.
Device.now, Device.advance, Device.run_due = clock.now, clock.advance, clock.run_due
Device.schedule, Device.unschedule, Device.on = clock.schedule, clock.unschedule, clock.on

local JSON_TYPE <const> = "application/json; charset=UTF-8"

-- options: users (array of { name, password, role }), provision (array of module names), seed (a
-- saved state, or { objects = … }), hostname, address, management (where other devices reach it:
-- "ADDRESS" or "ADDRESS:PORT"), version (overrides fields of sim/version.lua), origins (allowed for
-- CORS), providers, latency_ms, log (a file's name), twin (the device is a twin, see
-- sim/twin/init.lua).
function Device.new(options)
  options = options or {}
  local self = setmetatable({
    options = options,
    router = options.template and options.template.router or Router.new(),
    event_handlers = {},
    planters = {},
    closers = {},
    real_clock = options.clock or native.micros,
    version = setmetatable(options.version or {}, { __index = version }),
    hostname = options.hostname or seeds.hostname(options.seed) or "bigip1.example.net",
    address = options.address
      or options.management and members.split_endpoint(options.management, 443)
      or "127.0.0.1",
    state = {
      clock = { offset = 0, last_event = 0, events = {} },
      operations = 1000,
      provision = {},
    },
  }, Device)
  local seed = options.seed
  if seed ~= nil and (type(seed) ~= "table" or not seed.clock) then
    seeds.check(seed)
  elseif seed then
    require("sim.state").check(seed)
  end
  for _, module in ipairs(options.provision or seed and seed.provision or { "ltm" }) do
    self.state.provision[module] = "nominal"
  end
  if seed and seed.clock then
    for key, value in pairs(seed) do self.state[key] = value end
  end
  if options.twin then self.twin = require("sim.twin").new(self, options.twin) end
  for _, name in ipairs(require "sim.features") do require(name).install(self) end
  if self.twin then
    require("sim.twin.report").install(self)
    self.twin:start()
  end
  if seed and not seed.clock then self:plant(seed) end
  return self
end

-- Registers `handler(device, request) -> response` for a prefix of whole segments. The longest
-- prefix counts. The devices of a fleet share the handlers of their template, so a handler must
-- not keep the device that it is registered for.
function Device:route(prefix, handler)
  if not self.options.template then self.router:add(prefix, handler) end
end

-- Registers `plant(device, seed)`, which adds the objects of a seed to the device.
function Device:on_plant(plant)
  self.planters[#self.planters + 1] = plant
end

function Device:plant(seed)
  seeds.check(seed)
  for _, plant in ipairs(self.planters) do plant(self, seed) end
end

-- Registers what to do when the device ends.
function Device:on_close(close)
  self.closers[#self.closers + 1] = close
end

function Device:close()
  for _, close in ipairs(self.closers) do close(self) end
end

function Device:is_provisioned(module)
  if self.twin then return self.twin:is_provisioned(module) end
  local level = self.state.provision[module]
  return level ~= nil and level ~= "none"
end

local function dispatch(self, request, below)
  local elsewhere = self.twin and not below and self:dispatch_twin(request)
  if elsewhere then return elsewhere end
  local handler, depth = self.router:find(request.segments, below)
  if not handler then return errors.not_registered(request) end
  request.depth = depth
  local ok, response = xpcall(handler, function(problem)
    if type(problem) == "table" and problem.status then return problem end
    return { status = 500, problem = debug.traceback(tostring(problem), 2) }
  end, self, request)
  if not ok and response.problem and self.twin and self.twin.missing then return miss end
  if not ok and response.problem then
    self:complain(response.problem)
    return errors.tm(500, "There was an internal server error", 1337)
  end
  return response
end

-- Calls the handler of a request, without filters. A refusal that the handler raises is returned as
-- a response. With `below`, only prefixes with fewer segments count.
function Device:dispatch(request, below)
  local twin = self.twin
  if not twin then return dispatch(self, request, below) end
  local before = twin.touched
  local is_login = request.segments[3] == "authn"
  twin.touched = before or not is_login and twin.record or nil -- see sim/twin/depends.lua
  local response = dispatch(self, request, below)
  twin.touched = before
  return response
end

-- The response of a twin to what it does not carry out itself; nil for all other requests.
function Device:dispatch_twin(request)
  local ok, response = pcall(self.twin.route, self.twin, request)
  if ok or type(response) == "table" and response.status then return response end
  error(response, 0)
end

-- Reports an error of the simulator itself, because the client gets only a 500.
function Device:complain(text)
  self.problems = (self.problems or 0) + 1
  io.stderr:write("sim: ", text, "\n")
end

-- Passes the request on to the handler of the next shorter prefix.
function Device:pass(request)
  return self:dispatch(request, request.depth)
end

-- Runs one request, a table as sim/http/request.lua makes it.
function Device:handle(request)
  self.state.operations = self.state.operations + 1
  request.operation = self.state.operations
  request.started = self:now()
  if self.twin then return pipeline.handle(self, request) end -- it runs events, and has no peers
  if not turns.is_changing(self) then self:run_due() end
  local response = self:message_of_device(request) or pipeline.handle(self, request)
  self:settle(response)
  return response
end

-- What follows from a request: work of the cluster, and new times of handlers.
function Device:settle(response)
  if turns.is_changing(self) then return end -- its end settles this, too
  if icall.settle(self) then response.wish = true end
  sync.settle(self)
end

-- The response to a message of another device; nil for any other request.
function Device:message_of_device(request)
  local ok, response = pcall(cluster.door, self, request)
  if ok then return response end
  if type(response) == "table" and response.status then return response end
  return { status = 400, body = { message = tostring(response) } }
end

-- Completes the response of a request that was answered with `later`.
function Device:complete(request, response)
  pipeline.observe(self, request, response)
  if not self.twin then self:settle(response) end
  return self:finish(request, response)
end

-- The whole state, as one plain value (not a copy), and its replacement. So features must not keep
-- a reference to a part of it: they read `device.state` each time.
function Device:snapshot()
  return self.state
end

function Device:restore(state)
  self.state = state
  self.disk.forget_foreign()
  self.store:rebuild()
  cluster.restored(self)
  extensions.restored(self)
end

-- The same if the store has the objects of the new state already.
function Device:go_back(state)
  self.state = state
  self.disk.forget_foreign()
  self.store:reset_watchers(true)
  cluster.restored(self)
  extensions.restored(self)
end

-- A copy of a value in which bytes that are not UTF-8 are replaced by U+FFFD.
local function readable(value)
  if type(value) == "string" then
    if utf8.len(value) then return value end
    local parts, at = {}, 1
    while at <= #value do
      local _, bad = utf8.len(value, at)
      parts[#parts + 1] = value:sub(at, (bad or #value + 1) - 1)
      if bad then parts[#parts + 1] = "\u{FFFD}" end
      at = (bad or #value) + 1
    end
    return table.concat(parts)
  end
  if type(value) ~= "table" then return value end
  local copy = setmetatable({}, getmetatable(value))
  for key, item in pairs(value) do copy[readable(key)] = readable(item) end
  return copy
end

-- The JSON text of a body. Programs of the device can print anything; JSON is UTF-8.
local function encode(body, how)
  local ok, text = pcall(json.encode, body, how)
  return ok and text or json.encode(readable(body), how)
end

-- Encodes the body of a response and adds its reason and content type.
function Device.finish(_, request, response)
  local headers = response.headers or {}
  response.headers = headers
  local body = response.body
  if type(body) == "table" then
    body = encode(body, response.status >= 400 and style.ERROR or style.OBJECT)
    headers["Content-Type"] = headers["Content-Type"] or JSON_TYPE
  elseif body == nil then
    body = ""
  end
  if not headers["Content-Type"] and body ~= "" then headers["Content-Type"] = JSON_TYPE end
  response.body = body
  response.reason = response.reason or errors.reasons[response.status]
  if request.method == "HEAD" then response.head = true end
  return response
end

return Device
