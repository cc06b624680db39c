-- Reads the configuration of a device by discovery: what /mgmt/tm links to, and what that links to.
--
-- Collections are read in small pages with their sub-collections. A device needs long for such
-- pages: after a timeout the page is read in halves, at last object by object, and then each
-- sub-collection by itself. A few requests run at a time, but their answers are used in the order
-- of the device, so only a few pages are in memory, and the result has the same order each time.
--
-- Nothing is left out silently: see `left_out` in f5.state.file.

local clean = require "f5.state.clean"
local core = require "f5.core"
local json = require "f5.json"
local kinds = require "f5.state.kinds"
local pages = require "f5.state.pages"
local State = require "f5.state.state"

local M = {}

local ROOT <const> = "/mgmt/tm"
local MAX_DEPTH <const> = 10 -- of organizing collections
local PARALLEL <const> = 4 -- requests at a time
local AHEAD <const> = 3 -- answers that wait for their turn, for each of these requests

local Reader = {}
Reader.__index = Reader

-- -- the list of what is to be read ---------------------------------------------------------------

-- A step is { run = function() -> result, take = function(result) }. `run` asks the device, in a
-- fiber of its own; `take` uses the answer, in order, and may insert steps behind its own. A step
-- without `run` only waits for its turn.
local function insert(after, step)
  step.next = after.next
  after.next = step
  return step
end

-- Runs a step, and starts others in its place. Its result is { fatal = } if the device failed, so
-- no fiber fails before its turn.
local function attempt(self, step)
  local ok, result = pcall(step.run)
  step.result = ok and result or { fatal = result }
  self.running = self.running - 1
  if ok and not self.stopped then self:start() end
end

-- Starts the steps from the current one on, a few at a time. Only so many answers wait for their
-- turn.
function Reader:start()
  local step, waiting = self.current, 0
  local most = self.parallel > 1 and AHEAD * self.parallel or 1
  while step and self.running < self.parallel and waiting < most do
    if step.run then
      waiting = waiting + 1
      if not step.fiber then
        self.running = self.running + 1
        step.fiber = core.spawn(attempt, self, step)
      end
    end
    step = step.next
  end
end

-- The result of the current step. It may have to wait until another request has ended.
function Reader:wait()
  local step = self.current
  while step.run and not step.result do
    self:start()
    local running = step
    while running and not (running.fiber and not running.result) do running = running.next end
    if running then running.fiber:join() end
  end
  return step.result
end

-- Runs the steps from the current one on. Nothing else holds one that is done: its answer is large.
function Reader:work()
  local _stop <close> = setmetatable({}, {
    __close = function()
      self.stopped = true
      local step = self.current
      while step do -- an error or Ctrl-C
        if step.fiber then step.fiber:cancel() end
        step = step.next
      end
    end,
  })
  while self.current do
    local step = self.current
    local result = self:wait()
    if result and result.fatal then error(result.fatal, 0) end
    if step.take then step.take(result) end
    if self.progress then self.progress(self.count, step.path) end
    step.result = nil
    self.current = step.next
  end
end

-- -- what is left out -----------------------------------------------------------------------------

function Reader:unread(path, err)
  local message = type(err) == "table" and err.message or tostring(err)
  local list = self.left_out.unread
  list[#list + 1] = { path = path, reason = message, kind = type(err) == "table" and err.kind }
  if list[#list].kind == false then list[#list].kind = nil end
end

-- A failure of the whole device ends the snapshot. Any other concerns one path.
local FATAL <const> = {
  auth = true, transport = true, tls = true, cancelled = true, not_ready = true, busy = true,
  usage = true,
}
local MAX_FAILURES <const> = 3 -- timeouts, one after the other, until the device counts as dead

-- Whether a device that seems to be starting answers elsewhere: it lists a path that it has not.
function Reader:answers()
  local ok = pcall(function() return self.bip:at(ROOT .. "/sys/provision"):load { top = 1 } end)
  return ok
end

-- Returns a failure that concerns one path; raises any other.
function Reader:accept(err)
  if type(err) ~= "table" then error(err, 0) end
  if FATAL[err.kind] and not (err.kind == "not_ready" and err.status == 404 and self:answers()) then
    error(err, 0)
  end
  if err.kind == "timeout" then
    self.timeouts = self.timeouts + 1
    if self.timeouts >= MAX_FAILURES then error(err, 0) end
  else
    self.timeouts = 0
  end
  return err
end

-- -- objects --------------------------------------------------------------------------------------

function Reader:is_wanted(path, body)
  local partition = self.partition
  if not partition then return true end
  if body.partition == partition then return true end
  if path == ROOT .. "/auth/partition" then return body.name == partition end
  local full = body.fullPath
  if path == ROOT .. "/sys/folder" and type(full) == "string" then
    return full == "/" .. partition or full:sub(1, #partition + 2) == "/" .. partition .. "/"
  end
  return false
end

function Reader:note_secrets(path, key, notes)
  if #notes.secrets > 0 then
    local at = key and State.path_of({ path = path }, key) or path
    self.left_out.secrets[at] = json.array(notes.secrets)
  end
  self.left_out.ephemeral = self.left_out.ephemeral + notes.ephemeral
end

local function encode(body)
  local ok, text = pcall(json.encode, body, State.STYLE)
  if ok then return text end
  return nil, text
end

-- Gives one object of a collection to the sink.
function Reader:add(place, entry)
  local text, why = encode(entry.body)
  local key = clean.name_of(entry.body)
  if type(key) ~= "string" then
    return self:unread(place.path, "an object without a name")
  elseif not text then
    return self:unread(place.path, ("'%s': %s"):format(key, tostring(why)))
  end
  if place.seen[key] then return end
  place.seen[key] = true
  place.count = place.count + 1
  self:note_secrets(place.path, key, entry.notes)
  self.sink:add(key, text)
  self.count = self.count + 1
end

-- Notes that objects came or went while a collection was read.
function Reader:unsteady(place)
  if place.unsteady then return end
  place.unsteady = true
  table.insert(self.left_out.unsteady, place.path)
end

function Reader:add_all(place, page)
  for _, entry in ipairs(page.entries) do self:add(place, entry) end
  for _, failure in ipairs(page.failures) do
    self:unread(failure.path or place.path, failure.err)
  end
  self.left_out.ephemeral = self.left_out.ephemeral + page.ephemeral
  place.passed = place.passed + page.passed
  if page.gone then self:unsteady(place) end
  self.sink:flush()
end

-- -- kinds of answers -----------------------------------------------------------------------------

local function path_of_link(link)
  local path = type(link) == "string" and link:gsub("^https?://[^/]*", ""):gsub("[?#].*$", "")
  return path and State.canonical((path:gsub("/+$", ""))) or nil
end

-- The paths that an organizing collection links to. Only what is below it counts: a device may
-- link to itself.
function Reader:children(path, items)
  local found = {}
  for _, item in ipairs(items) do
    local link = type(item) == "table" and type(item.reference) == "table" and item.reference.link
    local at = path_of_link(link)
    if at and at:sub(1, #path + 1) == path .. "/" and not at:find("/..", 1, true) then
      if not self.known[at] then
        self.known[at] = true
        found[#found + 1] = at
      end
    else
      self:unread(path, ("an invalid link: %s"):format(tostring(link)))
    end
  end
  return found
end

function Reader:take_organizing(step, answer)
  local last = step
  for _, path in ipairs(self:children(step.path, answer.items)) do
    local reason, is_configuration = kinds.not_configuration(path:sub(#ROOT + 2))
    if reason then
      local list = self.left_out.excluded
      list[#list + 1] =
        { path = path, reason = reason, configuration = is_configuration or nil }
    elseif step.depth >= MAX_DEPTH then
      self:unread(path, "too many levels of collections")
    else
      last = self:visit(last, path, step.depth + 1)
    end
  end
end

-- Objects that appeared or disappeared while the pages were read moved the others. What was missed
-- is read by its name.
function Reader:complete(step, place)
  local names, why = pages.names(self, place.path)
  if not names then return self:unread(place.path, why) end
  local missing, there = {}, 0
  for _, name in ipairs(names) do
    if place.seen[name] then there = there + 1 else missing[#missing + 1] = name end
  end
  if #missing == 0 and there == place.count then return end
  self:unsteady(place)
  for _, name in ipairs(missing) do
    local entry, err = pages.object(self, place.path, name)
    if entry then
      self:add(place, entry)
    elseif err and err.kind ~= "not_found" then
      self:unread(State.path_of({ path = place.path }, name), err)
    end
  end
  step.path = place.path
end

function Reader:take_collection(step, answer)
  local place = { path = step.path, seen = {}, count = 0, passed = 0 }
  self.sink:open(place.path)
  self:add_all(place, answer)
  local last, total = step, answer.total
  local function part(after, from)
    local this = { path = place.path }
    this.run = function() return pages.range(self, place.path, from, self.page) end
    this.take = function(page)
      self:add_all(place, page)
      -- a device that does not say how many there are
      if page.more and not total then part(this, from + self.page) end
    end
    return insert(after, this)
  end
  for from = answer.size, (total or 0) - 1, self.page do last = part(last, from) end
  if answer.more then last = part(last, answer.size) end
  local tail = { path = place.path }
  tail.take = function()
    if total and place.passed ~= total then self:complete(tail, place) end
    self.sink:shut()
  end
  insert(last, tail)
end

-- An object: a singleton, or the one that was asked for.
function Reader:take_object(step, answer)
  local entry = answer.entry
  local above, segment = step.path:match "^(.*)/([^/]+)$"
  if answer.kind and segment and entry.body.name ~= nil and step.depth == 0
    and State.kind_of(above) == answer.kind
  then
    self.chosen[#self.chosen + 1] = { path = above, entry = entry }
    return
  end
  if self.partition then return end -- a singleton has no partition
  local text, why = encode(entry.body)
  if not text then return self:unread(step.path, tostring(why)) end
  self:note_secrets(step.path, nil, entry.notes)
  self.sink:single(step.path, text)
  self.count = self.count + 1
end

-- Gives the objects that were asked for by name to the sink, one collection after the other.
function Reader:add_chosen()
  local places, by_path = {}, {}
  for _, one in ipairs(self.chosen) do
    local place = by_path[one.path]
    if not place then
      place = { path = one.path, seen = {}, count = 0, passed = 0, entries = {} }
      by_path[one.path] = place
      places[#places + 1] = place
    end
    table.insert(place.entries, one.entry)
  end
  for _, place in ipairs(places) do
    self.sink:open(place.path)
    for _, entry in ipairs(place.entries) do self:add(place, entry) end
    self.sink:shut()
  end
end

local TAKE <const> = { collection = "take_collection", object = "take_object" }

function Reader:visit(after, path, depth)
  local step = { path = path, depth = depth }
  step.run = function()
    local answer = pages.first(self, path)
    -- what it links to is known before its turn, so that the requests never run out
    if answer.what == "organizing" then self:take_organizing(step, answer) end
    return answer
  end
  step.take = function(answer)
    if answer.err then
      local list = self.missing
      if depth == 0 and answer.err.kind == "not_found" then list[#list + 1] = answer.err end
      return self:unread(path, answer.err)
    end
    local take = TAKE[answer.what]
    if take then self[take](self, step, answer) end -- statistics are not configuration
    for _, failure in ipairs(answer.what ~= "collection" and answer.failures or {}) do
      self:unread(failure.path or path, failure.err)
    end
  end
  return insert(after, step)
end

-- -- the device -----------------------------------------------------------------------------------

-- The device itself; what the user may not read is left out.
local function identity(self)
  local device = { label = self.bip:label() }
  local list = self:try(function() return self.bip:at(ROOT .. "/cm/device"):list() end) or {}
  for _, one in ipairs(list) do
    if one.selfDevice == "true" or one.selfDevice == true or #list == 1 then
      device.hostname, device.version = one.hostname, one.version
      device.serial, device.build, device.product = one.chassisId, one.build, one.product
    end
  end
  return device
end

local function provisioned(self)
  local list = self:try(function() return self.bip:at(ROOT .. "/sys/provision"):list() end)
  if not list then return nil end
  local modules = json.array {}
  for _, one in ipairs(list) do
    if type(one.name) == "string" and type(one.level) == "string" and one.level ~= "none" then
      modules[#modules + 1] = one.name
    end
  end
  table.sort(modules)
  return #modules > 0 and modules or nil
end

-- Calls a function; nil if what it reads cannot be read.
function Reader:try(fn)
  local ok, result = pcall(fn)
  if ok then
    self.timeouts = 0
    return result
  end
  self:accept(result)
  return nil
end

--- "ltm/pool", "/tm/ltm/pool", "/mgmt/tm/ltm/pool/" -> "/mgmt/tm/ltm/pool". Nil and the reason: a
--- snapshot has no such path.
function M.path(text)
  local below = text:gsub("^/*mgmt/", "/"):gsub("^/*tm/", "/"):gsub("^/+", ""):gsub("/+$", "")
  if text:find "^/*mgmt/+[^t]" or text:find "^/*mgmt/t[^m]" or below == "mgmt" then
    return nil, "not a path below /mgmt/tm"
  end
  if below == "" or below == "tm" then return ROOT end
  local reason = kinds.not_configuration(below)
  if reason then return nil, reason end
  return ROOT .. "/" .. State.canonical(below)
end

function Reader:first_steps(paths)
  local first = { path = ROOT }
  local last = first
  for _, path in ipairs(paths) do
    self.known[path] = true
    last = self:visit(last, path, 0)
  end
  return first
end

local function by_path(a, b)
  if a.path ~= b.path then return a.path < b.path end
  return tostring(a.reason) < tostring(b.reason)
end

-- The paths without those that others contain.
local function distinct(paths)
  local out, seen = {}, {}
  for _, path in ipairs(paths) do seen[path] = true end
  for _, path in ipairs(paths) do
    local above = path:match "^(.*)/[^/]+$"
    while above and #above >= #ROOT and not seen[above] do above = above:match "^(.*)/[^/]+$" end
    if not (above and seen[above]) and seen[path] ~= "taken" then
      out[#out + 1] = path
      seen[path] = "taken"
    end
  end
  return out
end

--- Reads the configuration of a device into a sink.
-- @param bip session
-- @param sink of f5.state.file: a writer, or a state in memory
-- @param options table|nil: paths (array of "/mgmt/tm/…"; default: all), partition, page (objects a
--   request, 50), parallel (4), progress (function(objects so far, path))
-- @return table left_out: see f5.state.file; `complete` is true if all could be read
-- @return integer number of objects
function M.read(bip, sink, options)
  options = options or {}
  local paths = distinct(options.paths and #options.paths > 0 and options.paths or { ROOT })
  local self = setmetatable({
    bip = bip, sink = sink, partition = options.partition, progress = options.progress,
    page = options.page or pages.PAGE, parallel = options.parallel or PARALLEL, known = {},
    chosen = {}, running = 0, count = 0, timeouts = 0, limits = {}, expands = {}, probes = {},
    lies = {}, trusted = {}, missing = {},
    left_out = {
      unread = json.array {}, excluded = json.array {}, unsteady = json.array {}, secrets = {},
      ephemeral = 0,
    },
  }, Reader)
  sink:begin({
    format = 1, time = os.date "!%Y-%m-%dT%H:%M:%SZ", device = identity(self),
    asked = { paths = json.array(paths), partition = self.partition },
    program = "f5lua " .. core.version,
  }, provisioned(self))
  self.current = self:first_steps(paths)
  self:work()
  if #self.missing == #paths then error(self.missing[1], 0) end -- nothing to make a snapshot of
  self:add_chosen()
  local left_out = self.left_out
  for kind in pairs(self.lies) do
    if self.trusted[kind] then
      left_out.unread[#left_out.unread + 1] = {
        path = ROOT .. "/" .. kind,
        reason = "some elements may be missing: the device does not show them with their owners",
      }
    end
  end
  table.sort(left_out.excluded, by_path)
  table.sort(left_out.unread, by_path)
  left_out.complete = #left_out.unread == 0
  sink:finish(left_out)
  return left_out, self.count
end

return M
