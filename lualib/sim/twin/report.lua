-- What a twin says about itself, at paths that devices do not have (also below /mgmt, for clients
-- that know nothing else):
--
--   GET  /f5lua-sim/twin    what changed, what was assumed, what is not simulated, what was read
--   GET  /f5lua-sim/twin/reads?from=N   what the answers depend on, see sim/twin/depends.lua, from
--        the N-th entry on: { reads = array of { path, body, … }, next = N of the next page }
local errors = require "sim.http.errors"
local json = require "f5.json"
local names = require "sim.config.names"
local references = require "sim.config.references"
local tables = require "sim.tables"

local M = {}

local methods = {}
M.methods = methods

local function key_of(entry)
  return table.concat({ entry.method or "", entry.path, entry.property or "", entry.reason }, " ")
end

-- Records an entry once; later requests are added to its operations.
local function record(self, list, entry)
  self.recorded = self.recorded or {}
  local index = self.recorded[list]
  if not index then
    index = {}
    for _, known in ipairs(list) do
      index[key_of(known)] = known
    end
    self.recorded[list] = index
  end
  local key = key_of(entry)
  local known = index[key]
  if not known then
    known = entry
    entry.operations = json.array {}
    index[key] = entry
    list[#list + 1] = entry
  end
  local operation = self.request and self.request.operation
  if operation and known.operations[#known.operations] ~= operation then
    table.insert(known.operations, operation)
  end
end

--- The path of the request that is carried out.
function methods:current_path() return self.request and self.request.path or "/" end

--- Notes that something is not known for certain.
function methods:assume(path, property, reason)
  record(self, self:state().assumed, { path = path, property = property, reason = reason })
end

--- Notes a request that nothing here simulates, and returns its refusal.
function methods:not_simulated(request, reason)
  record(self, self:state().not_simulated, {
    method = request.method, path = request.path, reason = reason,
  })
  return { status = 501, body = {
    code = 501, message = "not simulated by the twin: " .. reason, errorStack = json.array {},
  } }
end

-- Properties of all kinds.
local OF_ALL <const> = {
  name = true, partition = true, subPath = true, fullPath = true, kind = true, selfLink = true,
  generation = true,
}

--- Notes what a write to an object of the configuration could not check.
function methods:written(target, body)
  local node, path = target.node, names.encoded(target.path)
  if node.learned then
    self:assume(
      path, nil, "f5lua does not know this kind of object: the write was not checked"
    )
    return
  end
  for name in pairs(body) do
    local spec = node.props[name]
    if spec and spec.learned and not OF_ALL[name] then
      self:assume(path, name, "f5lua does not know this property: its value was not checked")
    end
  end
end

-- What a write changes even if it changes nothing else.
local STAMPS <const> = {
  lastModified = true, lastModifiedTime = true, lastUpdateTime = true, revision = true,
}

-- An object as it is reported: without what f5lua keeps for itself, and the generation.
local function shown(object)
  if not object then return nil end
  local copy = {}
  for name, value in pairs(object) do
    if name:sub(1, 1) ~= "_" and name ~= "generation" then copy[name] = value end
  end
  return copy
end

local function changes(self)
  local state, list = self:state(), json.array {}
  for _, path in ipairs(state.order) do
    local before, after = shown(state.before[path]), shown(self.device.store.items[path])
    local same = before and after and tables.same(before, after, STAMPS)
    if not same and (before or after) then
      list[#list + 1] = {
        path = names.encoded(path), kind = references.template(path):gsub("/%*", ""),
        verb = not before and "create" or not after and "delete" or "modify",
        before = before or json.null, after = after or json.null,
        operations = state.operations[path],
      }
    end
  end
  return list
end

local function report(device)
  local twin = device.twin
  local state = twin:state()
  return {
    device = twin.name, reads = state.reads, changes = changes(twin), assumed = state.assumed,
    not_simulated = state.not_simulated,
  }
end

-- A page of what was read has about so many bytes.
local PAGE_BYTES <const> = 1 << 20

local function entry_as_text(entry)
  return ('%s,"body":%s}'):format(
    json.encode(entry.head):sub(1, -2), entry.text or entry.make()
  )
end

-- Bodies that are kept as text are shown as the device gave them.
local function reads(device, request)
  local twin, at = device.twin, math.tointeger(tonumber(request.query.from or 1)) or 0
  if at < 1 then return errors.rest(request, 400, "from must be a number from 1 on") end
  if at == 1 or not twin.dependency_list then twin.dependency_list = twin:dependencies() end
  local list, texts, length = twin.dependency_list, {}, 0
  while list[at] and length < PAGE_BYTES do
    local text = entry_as_text(list[at])
    texts[#texts + 1], length, at = text, length + #text, at + 1
  end
  if not list[at] then twin.dependency_list = nil end
  return { status = 200, body = ('{"reads":[%s]%s}'):format(
    table.concat(texts, ","), list[at] and (',"next":%d'):format(at) or ""
  ) }
end

local function twin_path(device, request)
  if request.method ~= "GET" then
    return errors.rest(request, 405, "Method not allowed: " .. request.method)
  end
  local last = request.segments[#request.segments]
  if last == "reads" then return reads(device, request) end
  if last ~= "twin" then return errors.not_registered(request) end
  return { status = 200, body = report(device) }
end

function M.install(device)
  for _, root in ipairs { "/f5lua-sim", "/mgmt/f5lua-sim" } do
    device:route(root .. "/twin", twin_path)
  end
end

return M
