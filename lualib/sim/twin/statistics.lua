-- Statistics of a twin. Those of objects that did not change here are what the device says now.
-- Those of changed ones begin with what the device says, and go on by the clock of the twin:
-- connections of a member that takes no new ones end.
local json = require "f5.json"
local names = require "sim.config.names"
local traffic = require "sim.status.traffic"

local M = {}

local POOLS <const>, NODES <const> = "/mgmt/tm/ltm/pool/", "/mgmt/tm/ltm/node/"
local VIRTUALS <const> = "/mgmt/tm/ltm/virtual/"

-- A member that takes no new connections has lost its last one after this time: nobody knows how
-- long the connections of a device last.
local DRAIN_SECONDS <const> = 60

local methods = {}
M.methods = methods

-- The nodes, pools and virtual servers that a change of the object at a path concerns: { [path] =
-- true }. Only known objects can be concerned.
local function add_concerned(self, set, path)
  local store = self.device.store
  set[path] = true
  local pool, member = path:match("^(" .. POOLS .. "[^/]+)/members/([^/]+)$")
  pool = pool or path:match("^" .. POOLS .. "[^/]+$") and path
  if member then
    set[pool] = true
    local object = store.items[path] or self:state().before[path]
    if object and object.fullPath then
      set[NODES .. object.fullPath:gsub("[:.][^:.]*$", ""):gsub("/", "~")] = true
    end
  elseif path:sub(1, #NODES) == NODES then
    local suffix = path:sub(#NODES + 1)
    for other in pairs(store.items) do
      local own = other:match("^" .. POOLS .. "[^/]+/members/([^/]+)$")
      if own and own:match "^(.*)[:.]" == suffix then
        set[other] = true
        set[other:match "^(.*)/members/"] = true
      end
    end
  end
  return set
end

-- What all changes concern. It is made anew when there are more changes.
local function concerned(self)
  local order = self:state().order
  if self.concerned_by == #order and self.concerned then return self.concerned end
  local set, store = {}, self.device.store
  for _, path in ipairs(order) do add_concerned(self, set, path) end
  for path, object in pairs(store.items) do
    if path:sub(1, #VIRTUALS) == VIRTUALS and type(object.pool) == "string" then
      if set[POOLS .. names.segment(object.pool)] then set[path] = true end
    end
  end
  self.concerned, self.concerned_by = set, #order
  return set
end

--- Whether a change of this twin concerns the statistics of the object at a path.
function methods:is_concerned(path)
  return #self:state().order > 0 and concerned(self)[path] == true
end

--- Whether a change of this twin concerns the statistics of an object of a collection.
function methods:concerns_collection(collection)
  if #self:state().order == 0 then return false end
  local prefix = collection .. "/"
  for path in pairs(concerned(self)) do
    if path:sub(1, #prefix) == prefix then return true end
  end
  return false
end

-- The values of the one object in an answer of /stats: { ["serverside.curConns"] = 12 }.
local function counters_of(body)
  local ok, answer = pcall(json.decode, body)
  if not ok or type(answer) ~= "table" or type(answer.entries) ~= "table" then return {} end
  local _, line = next(answer.entries)
  local entries = type(line) == "table" and line.nestedStats and line.nestedStats.entries
    or answer.entries
  local counters = {}
  for name, entry in pairs(type(entries) == "table" and entries or {}) do
    local value = type(entry) == "table" and math.tointeger(entry.value)
    if value then counters[name] = value end
  end
  return counters
end

-- Values that follow from others.
local DERIVED <const> = {
  activeMemberCnt = true, availableMemberCnt = true, memberCnt = true, minActiveMembers = true,
  port = true, ["serverside.curConns"] = true, ["serverside.maxConns"] = true,
  ["clientside.curConns"] = true, ["clientside.maxConns"] = true,
}

local function begin_with_device(self, path)
  local state, store = self:state(), self.device.store
  if state.before[path] == false or self.begun[path] or not store.items[path] then return end
  local target = names.encoded(path) .. "/stats"
  local answer = self:fetch(target)
  if answer.status ~= 200 then return end
  local counters = counters_of(answer.body)
  local device = self.device
  if path:find("/members/", 1, true) then
    local current = counters["serverside.curConns"] or 0
    traffic.set(device, {
      path = path, connections = current,
      ending = math.max(1, (current + DRAIN_SECONDS - 1) // DRAIN_SECONDS),
    })
    local known = device.state.traffic[path]
    known.most = math.max(known.most or 0, counters["serverside.maxConns"] or 0)
  end
  local known = device.state.traffic[path] or {}
  device.state.traffic[path] = known
  known.counters = known.counters or {}
  for name, value in pairs(counters) do
    if not DERIVED[name] then known.counters[name] = value end
  end
  state.begun[path] = true
end

--- Makes the statistics of the object at a path those of the device, once, before they go on here.
function methods:begin_statistics(path)
  self.begun = self:state().begun or {}
  self:state().begun = self.begun
  local store = self.device.store
  local object = store:get(path)
  if not object then return end
  self:assume(names.encoded(path), "stats", "statistics of a changed object are simulated")
  begin_with_device(self, path)
  local pool = path:match("^" .. POOLS .. "[^/]+$") and path
    or path:sub(1, #VIRTUALS) == VIRTUALS and type(object.pool) == "string"
      and POOLS .. names.segment(object.pool)
  if pool and store:get(pool) then
    for _, segment in ipairs(store:segments(pool .. "/members")) do
      begin_with_device(self, pool .. "/members/" .. segment)
    end
  end
end

return M
