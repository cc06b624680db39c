-- Lists of names. A client may write texts ("p", "/Common/p"); a device keeps and shows objects:
-- { name = "p", partition = "Common" }, with a link to the object of that name. The `lists` of a
-- kind (sim/kinds) say which properties these are.
local json = require "f5.json"
local names = require "sim.config.names"
local references = require "sim.config.references"
local turns = require "sim.turns"
local validate = require "sim.config.validate"

local M = {}

-- One item as it is kept. `target`: the kinds that it names, or true for a plain text.
local function item_of(property, value, target, partition)
  local item = {}
  local is_list = type(value) == "table" and (json.is_array(value) or #value > 0)
  if is_list or value == json.null then validate.invalid(property, value) end
  if type(value) ~= "table" then
    item.name = tostring(value)
  else
    for key, field in pairs(value) do item[key] = field end
    if type(item.name) ~= "string" then validate.invalid(property, value) end
  end
  item.nameReference = nil
  if target == true then return item end
  if item.name:sub(1, 1) == "/" then
    item.partition, item.subPath, item.name = names.split(item.name)
  elseif type(item.partition) == "string" then
    item.partition = names.partition(item.partition)
  else
    item.partition = partition
  end
  return item
end

--- Converts the lists of an object, which must be a new table.
function M.settle(node, object)
  for property, target in pairs(node.lists or {}) do
    local value = object[property]
    if type(value) == "string" and value ~= "" and value ~= "none" then value = { value } end
    if type(value) == "table" and #value > 0 then
      local list, partition = {}, object.partition or "Common"
      for i, one in ipairs(value) do list[i] = item_of(property, one, target, partition) end
      object[property] = json.array(list)
    end
  end
end

--- Adds the links to the lists of an object as it is shown.
function M.show(store, node, shown, version)
  for property, target in pairs(node.lists or {}) do
    local value = target ~= true and shown[property]
    if type(value) == "table" then
      local list = {}
      for i, one in ipairs(value) do
        turns.pause()
        local item = {}
        for key, field in pairs(one) do item[key] = field end
        local full = names.full(item.partition or "Common", item.subPath, tostring(item.name))
        -- only for one of several kinds the object must exist
        local path = target:find "[|*]"
          and references.locate(store, references.alternatives(target), full)
          or not target:find "[|*]" and ("/mgmt/tm/%s/%s"):format(target, names.segment(full))
        item.nameReference = path and { link = names.link(path, "ver=" .. version) } or nil
        list[i] = item
      end
      shown[property] = json.array(list)
    end
  end
end

return M
