-- How the parts of the schema of a policy are written: a list of specs, and functions that add
-- a collection, a settings resource or an organizing collection to it.
local M = {}

-- list, collection(path, kind, ref, spec), singleton(…), organizer(…); see
-- sim/asm/policy/schema/init.lua.
function M.new()
  local list = {}
  local function adder(kind_of_spec)
    return function(path, kind, ref, spec)
      spec = spec or {}
      spec.type, spec.path, spec.kind, spec.ref = kind_of_spec, path, kind, ref
      list[#list + 1] = spec
    end
  end
  return list, adder "collection", adder "singleton", adder "organizer"
end

return M
