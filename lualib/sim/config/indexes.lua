-- What objects are looked up by beside their names: nodes by address, virtual servers by
-- destination with and without port. Derived from the objects, not part of the state.
local M = {}

local function keep(store, prefix, key_of, field, many)
  local index, known
  local function note(path, object)
    if path:find("/", #prefix + 1, true) then return end  -- an object of a sub-collection
    local before <const> = known[path]
    local key <const> = object and key_of(object) or nil
    if before == key then return end
    if before and many then
      local list <const> = index[before]
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
    store[field] = index
    for path, object in pairs(store.items) do
      if path:sub(1, #prefix) == prefix then note(path, object) end
    end
  end
  fill()
  store:watch(prefix, note, fill)
end

function M.install(store)
  keep(
    store,
    "/mgmt/tm/ltm/node/",
    function(node) return node.address end,
    "nodes_by_address",
    false
  )
  keep(
    store,
    "/mgmt/tm/ltm/virtual/",
    function(virtual) return virtual.destination end,
    "virtuals_by_destination",
    true
  )
  keep(
    store,
    "/mgmt/tm/ltm/virtual/",
    function(virtual) return (virtual.destination or ""):match "^(.*)[:.][^:.]*$" end,
    "virtuals_by_address",
    true
  )
end

return M
