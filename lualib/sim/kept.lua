-- States of a device that its owner puts aside, and to which it can go back. A spec with many cases
-- begins each of them with the same state. To send the whole state to the device as text, and to
-- ask for it, takes several times as long.
local json = require "f5.json"
local tables = require "sim.tables"

local M = {}

-- A copy of all parts but the objects.
local function copy(state)
  local out = {}
  for name, part in pairs(state) do
    if name ~= "objects" then out[name] = tables.copy(part) end
  end
  return out
end

local function find(device, name)
  local state = device.kept and device.kept[name]
  return state or error(("there is no kept state '%s'"):format(tostring(name)), 0)
end

--- Keeps the state under a name; a state of the same name is forgotten.
function M.keep(device, name)
  local items, state = {}, copy(device.state)
  -- objects are never changed, only replaced (see sim/config/store.lua), so they are shared
  for path, object in pairs(device.state.objects.items) do items[path] = object end
  state.objects = { generation = device.state.objects.generation, items = items }
  device.kept = device.kept or {}
  device.kept[name] = state
end

--- Forgets a kept state.
function M.forget(device, name)
  find(device, name)
  device.kept[name] = nil
end

--- Goes back to a kept state. The state stays kept.
function M.go_back(device, name)
  local kept = find(device, name)
  local state = copy(kept)
  device.store:become(kept.objects.items, kept.objects.generation)
  state.objects = device.state.objects
  device:go_back(state)
end

--- The objects that are not as in a kept state: an array of { path =, before =, after = }. What did
-- not exist, or does not exist any more, is left out.
function M.changed(device, name)
  local before, now = find(device, name).objects.items, device.state.objects.items
  local out = json.array {}
  for path, object in pairs(now) do
    if object ~= before[path] and not tables.same(object, before[path]) then
      out[#out + 1] = { path = path, before = before[path], after = object }
    end
  end
  for path, object in pairs(before) do
    if now[path] == nil then out[#out + 1] = { path = path, before = object } end
  end
  return out
end

return M
