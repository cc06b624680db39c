-- Numbers that are unique in a collection: tags, indexes, IDs.
local M = {}

function M.taken(store, property, value, collection, path)
  for _, segment in ipairs(store:segments(collection)) do
    local other = collection .. "/" .. segment
    if other ~= path and store:get(other)[property] == value then return store:get(other) end
  end
  return nil
end

function M.free(store, property, collection, from, step)
  local value = from
  while M.taken(store, property, value, collection) do value = value + step end
  return value
end

return M
