-- Schemas in several files that refer to each other, as scripts/facts writes them: JSON of { file =
-- schema }, where the members of `properties` are a list of pairs.
local json = require "f5.json"

local M = {}

--- The member of a part of a schema that has a name; nil if there is none.
function M.member(schema, name)
  for _, pair in ipairs(schema) do
    if type(pair) == "table" and pair[1] == name then return pair[2] end
  end
  local index = tonumber(name)
  if index then return schema[index + 1] end
  return schema[name]
end

--- Returns function(ref, base) -> schema, file: what a reference in the file `base` means.
-- @param module the name of the module with the facts; it is loaded at the first use
function M.resolver(module)
  local files, resolved = nil, {}
  return function(ref, base)
    files = files or json.decode(require(module))
    local file, pointer = ref:match "^([^#]*)#?(.*)$"
    if file == "" then file = base end
    local key = file .. "#" .. pointer
    if not resolved[key] then
      local schema = files[file]
      for name in pointer:gmatch "[^/]+" do schema = M.member(schema, name) end
      resolved[key] = schema
    end
    return resolved[key], file
  end
end

return M
