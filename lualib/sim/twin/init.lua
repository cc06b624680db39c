-- A twin: a simulated device that reads what it has from a real device, when it is first needed,
-- and keeps every change to itself.
--
-- A request that needs something unknown raises sim/twin/miss.lua. Then everything that it did is
-- undone (the store has an undo log, the other parts of the state are copied before), what it needs
-- is asked for, and it runs again from its start when the answers are there. So a request never
-- holds half of its changes while it waits, and all others go on meanwhile. A plain GET of an
-- object need not run again: it gets the answer of the device as it came (sim/twin/wants.lua).
--
-- Who reads from the device is not known here: require("sim.source").ask(text) gets
-- "ADDRESS RANGE PATH?QUERY", and sim/boot.lua hands the answer to `found`.
--
-- device.state.twin is what the twin knows:
--   absent         { [path of an object] = true, or { status =, body = } }: the device does not
--                have it
--   whole          { [path of a collection] = true }: all its objects are known
--   expanded       { [path of a collection] = true }: with all that is inside of its objects
--   names          { [path of a collection] = { [segment] = true } }: at least the names are known
--   before         { [path] = the object on the device, or false }: what changed here
--   order          the paths of `before`, in the order of their first change
--   operations     { [path] = { number of a request, … } }: which requests changed it
--   assumed, not_simulated   what the report says, see sim/twin/report.lua
--   reads          { count =, from =, to = }: how much was read, and when
--   logins         { [name] = { encrypted passwords } }: the users of the twin itself
--   learned        { [template] = node }: kinds that only the device knows
--   device         what sys/version of the device says
local json = require "f5.json"
local bodies = require "sim.http.body"
local errors = require "sim.http.errors"
local miss = require "sim.twin.miss"
local pipeline = require "sim.http.pipeline"
local wants = require "sim.twin.wants"

local Twin = {}
Twin.__index = Twin

-- So often a request runs again because it needs something else.
local MAX_TRIES <const> = 2000

-- Parts of the state that a request changes only at its end, or that are undone otherwise.
local LASTING <const> = { objects = true, operations = true, transactions = true, twin = true }

local M = {}

--- options: name (of the real device, for messages), address (which device of a fleet), logins
--- (array of { name =, password = }).
function M.new(device, options)
  local state = device.state.twin or {
    absent = {}, whole = {}, expanded = {}, names = {}, before = {}, order = json.array {},
    operations = {}, assumed = json.array {}, not_simulated = json.array {}, reads = { count = 0 },
    logins = {}, learned = {},
  }
  device.state.twin = state
  return setmetatable({
    device = device, name = options.name or "the device", address = options.address or "-",
    options = options, created = {}, singles = {}, depends = {},
  }, Twin)
end

-- device.state is replaced by a restore.
function Twin:state()
  return self.device.state.twin
end

--- Called when the features are installed.
function Twin:start()
  local users = require "sim.auth.users"
  local logins = {}
  self:state().logins = logins
  for _, login in ipairs(self.options.logins or {}) do
    logins[login.name] = logins[login.name] or json.array {}
    table.insert(logins[login.name], users.encrypt(login.password))
  end
  require("sim.twin.kinds").restore(self)
  self:adopt_version()
end

-- -- what is undone --

local function copy(value)
  if type(value) ~= "table" then return value end
  local result = {}
  for key, item in pairs(value) do result[key] = copy(item) end
  return setmetatable(result, getmetatable(value))
end

local function shallow(value)
  local result = {}
  for key, item in pairs(value) do result[key] = item end
  return setmetatable(result, getmetatable(value))
end

-- Events and tokens are never changed, only added and removed.
local function copy_part(name, value)
  if name == "clock" then
    local clock = shallow(value)
    clock.events = table.move(value.events, 1, #value.events, 1, {})
    return clock
  elseif name == "tokens" then
    local tokens = shallow(value)
    tokens.items = shallow(value.items)
    return tokens
  elseif name == "saved" or name == "asm" then
    return shallow(value)
  end
  return copy(value)
end

-- The state before a request. Reading changes only what the traffic counts.
local function keep(device, method)
  local kept = {}
  if method == "GET" or method == "HEAD" then
    kept.traffic = next(device.state.traffic) and copy(device.state.traffic) or nil
    return kept, false
  end
  for name, value in pairs(device.state) do
    if not LASTING[name] then kept[name] = copy_part(name, value) end
  end
  return kept, true
end

local function put_back(device, kept, all)
  for name in pairs(all and device.state or kept) do
    if not LASTING[name] then device.state[name] = kept[name] end
  end
end

-- Runs something that may need what is unknown. Returns what it returns; nil if something is
-- missing: then nothing has happened, and self.missing lists it.
function Twin:attempt(method, run, ...)
  local device, store = self.device, self.device.store
  local kept, all = keep(device, method)
  local operations = device.state.operations
  self.missing, self.created, self.online = nil, {}, true
  self.record, self.touched = {}, nil
  store:begin()
  local results = table.pack(pcall(run, ...))
  self.online = false
  if self.missing or not results[1] then
    store.hydrating = true -- nothing new happens
    while #store.log.marks > 1 do store:rollback() end
    store:rollback()
    store.hydrating = false
    put_back(device, kept, all)
    device.state.operations = operations
    if not self.missing then error(results[2], 0) end
    return nil
  end
  self:note(store.log)
  self:keep_touched(self.record)
  store:commit()
  return table.unpack(results, 2, results.n)
end

-- Notes which objects changed, from the undo log of a request that is complete.
function Twin:note(log)
  if #log == 0 then return end
  local state, items, seen = self:state(), self.device.store.items, {}
  local operation = self.request and self.request.operation
  for i = 1, #log do
    local path, old = log[i][1], log[i][2]
    if not seen[path] then
      seen[path] = true
      if (items[path] or false) ~= old then
        if state.before[path] == nil then
          state.before[path] = old
          state.order[#state.order + 1] = path
        end
        local list = state.operations[path] or json.array {}
        state.operations[path] = list
        if operation and list[#list] ~= operation then list[#list + 1] = operation end
      end
    end
  end
end

-- -- requests --

--- Handles a request. make(): a new table of the request, each time. Returns its complete response;
--- { later = true } if it comes with `found`.
function Twin:receive(make, ticket)
  local job = { make = make, ticket = ticket, fetched = {}, tries = 0, twin = self }
  return self:run(job) or { later = true }
end

local function refusal(status, message)
  return { status = status, body = {
    code = status, message = message, errorStack = json.array {},
  } }
end

-- The response of a request that is answered without being carried out.
function Twin:give_up(job, response)
  local request = job.request or job.make()
  self.device.state.operations = self.device.state.operations + 1
  request.operation, request.started = self.device.state.operations, self.device:now()
  return self:complete(request, self.device:complete(request, response))
end

function Twin.complete(_, request, response)
  response.headers["X-F5lua-Operation"] = tostring(request.operation)
  return response
end

--- Runs a request. Returns its complete response; nil if it waits for the device.
function Twin:run(job)
  local device = self.device
  if job.answer then return self:give_up(job, job.answer) end
  wants.catch_up()
  if job.failure then
    return self:give_up(job, refusal(502, ("the twin cannot read from %s: %s"):format(
      self.name, job.failure
    )))
  end
  job.tries = job.tries + 1
  if job.tries > MAX_TRIES then
    return self:give_up(job, errors.tm(500, "There was an internal server error", 1337))
  end
  local request = job.make()
  job.request = request
  local handle = self:is_for_owner(request) and self.answer_owner or device.handle
  if handle == device.handle and not self:state().device then
    wants.ask(self, job, { { kind = "version", path = "/mgmt/tm/sys/version" } })
    return nil
  end
  self:run_events()
  self.job, self.request = job, request
  local response = self:attempt(request.method, handle, device, request)
  self.job, self.request = nil, nil
  if not response then
    wants.ask(self, job, self.missing)
    return nil
  end
  return self:complete(request, device:finish(request, response))
end

--- Runs the events that are due, such as the end of a task. They wait for the device like requests,
--- all together. If it cannot be read, they run with what is known.
function Twin:run_events()
  local device = self.device
  local first = device.state.clock.events[1]
  if self.stalled or not first or first.due > device:now() then return end
  local job = { tries = 0, twin = self, fetched = {} }
  job.resume = function()
    self.stalled = false
    if job.failure or job.answer then
      device:run_due()
    else
      self:run_events()
    end
  end
  self.job = job
  self:attempt("POST", self.run_due, self)
  self.job = nil
  if self.missing then
    self.stalled = true
    wants.ask(self, job, self.missing)
  end
end

function Twin:run_due()
  self.touched = self.record
  self.device:run_due()
end

--- Ends the request until what is listed in `list` was read (see sim/twin/wants.lua).
function Twin:miss(list)
  self.missing = self.missing or list
  error(miss, 0)
end

local ready = {}  -- jobs that have all that they asked for

--- Takes the answer of the device to a question: see sim/boot.lua. Returns the ticket and the
--- response of a request that this completed; nothing if there is none. With the number 0 it only
--- goes on.
function M.found(number, status, body)
  wants.catch_up()
  if number ~= 0 then
    for _, job in ipairs(wants.take(number, status, body)) do ready[#ready + 1] = job end
  end
  while ready[1] do
    local job = table.remove(ready, 1)
    local device = job.twin.device
    local ok, response = xpcall(job.resume or job.twin.run, debug.traceback, job.twin, job)
    if not ok then
      device:complain(tostring(response))
      response = not job.resume and device:finish(
        job.make(), errors.tm(500, "There was an internal server error", 1337)
      )
    end
    if response and not job.resume then return job.ticket, response end
  end
end

-- -- the device itself --

--- Makes the version of the device the one of this twin.
function Twin:adopt_version()
  local known = self:state().device
  if not known then return end
  for name, value in pairs(known) do self.device.version[name] = value end
end

--- A user of the twin itself, whom the device does not list: a remote user, or one whom the user
--- who reads may not see. Nil for others.
function Twin:account(name)
  if not self:state().logins[name] then return nil end
  local path = "/mgmt/tm/auth/user/" .. name
  self:assume(
    path, "partitionAccess", "the device does not show this user: taken for an administrator"
  )
  return {
    name = name, fullPath = name,
    partitionAccess = json.array { { name = "all-partitions", role = "admin" } },
  }
end

--- Whether the user of the twin itself asks for its report or its clock with basic authentication.
--- That needs nothing from the device, and works during a restart.
function Twin:is_for_owner(request)
  local segments = request.segments
  if segments[1] ~= "f5lua-sim" and segments[2] ~= "f5lua-sim" then return false end
  local encoded = (request.headers.authorization or ""):match "^[Bb]asic%s+(%S+)"
  local plain = encoded and require("sim.digest").unbase64(encoded) or ""
  local name, password = plain:match "^([^:]*):(.*)$"
  return name ~= nil and self:knows(name, password)
end

function Twin.answer_owner(device, request)
  device.state.operations = device.state.operations + 1
  request.operation, request.started = device.state.operations, device:now()
  local response = bodies.filter(device, request) or device:dispatch(request)
  if not response.later then pipeline.observe(device, request, response) end
  return response
end

--- Whether this is a user of the twin itself, with this password.
function Twin:knows(name, password)
  local users = require "sim.auth.users"
  for _, encrypted in ipairs(self:state().logins[name] or {}) do
    if users.matches(encrypted, password) then return true end
  end
  return false
end

for _, part in ipairs {
  "sim.twin.depends", "sim.twin.report", "sim.twin.routes", "sim.twin.saved",
  "sim.twin.statistics",
} do
  for name, method in pairs(require(part).methods) do Twin[name] = method end
end

return M
