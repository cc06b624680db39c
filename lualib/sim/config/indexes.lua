-- Indexes of the store, such as nodes by address: the `indexes` of sim/kinds. They are derived from
-- the objects, not part of the state.
local kinds = require "sim.kinds"

local M = {}

local function keep(store, prefix, key_of, field, many)
  local index, known
  local function note(path, object)
    if path:find("/", #prefix + 1, true) then return end  -- an object of a sub-collection
    local before = known[path]
    local key = object and key_of(object) or nil
    if before == key then return end
    if before and many then
      local list = index[before]
      for i, other in ipairs(list) do
        if other == path then
          table.remove(list, i)
          break
        end
      end
      if #list == 0 then index[before] = nil end
    elseif before and index[before] == path then
      index[before] = nil
    end
    known[path] = key
    if not key then return end
    if many then
      index[key] = index[key] or {}
      table.insert(index[key], path)
    else
      index[key] = path
    end
  end
  local function fill()
    index, known = {}, {}
    store[field] = store.guarded and store:guarded(prefix, index) or index
    for path, object in pairs(store.items) do
      if path:sub(1, #prefix) == prefix then note(path, object) end
    end
  end
  fill()
  store:watch(prefix, note, function(told)
    if not told then fill() end
  end)
end

-- Adds the indexes of sim/kinds to a store.
function M.install(store)
  for _, module in ipairs(kinds.modules()) do
    for template, kind in pairs((kinds.described(module))) do
      for name, index in pairs(kind.indexes or {}) do
        keep(store, "/mgmt/tm/" .. template .. "/", index.key, name, index.many)
      end
    end
  end
end

return M
