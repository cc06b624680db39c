-- Local variables that nothing reads, loops over what is no iterator, variables of loops that hide
-- others.

local M = {}

-- What a statement gives to several variables belongs together: `local ok, err = …` reads one of
-- them.
local function is_any_used(vars)
  for _, var in ipairs(vars) do
    -- a variable that is closed has done its work
    if var.uses > 0 or var.attribute == "close" or var.name:find "^_" then return true end
  end
  return false
end

--- Reports local variables that nothing reads.
-- @param node a statement Local
function M.check_unused(node, report)
  if is_any_used(node.vars) then return end
  local names = {}
  for i, var in ipairs(node.vars) do names[i] = ("'%s'"):format(var.name) end
  local first <const> = node.vars[1]
  report("warning", "unused-local", first, ("the local %s %s %s never used"):format(
    #names > 1 and "variables" or first.kind == "function" and "function" or "variable",
    table.concat(names, ", "), #names > 1 and "are" or "is"
  ))
end

-- What stands behind `in` instead of an iterator; nil: it may be one.
local function misfit(types, value)
  if value.tag == "Table" then return "a table is not an iterator; use ipairs(…) or pairs(…)" end
  local type <const> = types:of(value)
  if not type then return nil end
  if type.objects and not type.each then
    return "an array is not an iterator; use 'for i, item in ipairs(array)', or "
      .. "'for item in ref:each()'", type
  end
  if type.class == "f5.reference" then
    return "a reference is not an iterator; use 'for item in ref:each()'", type
  end
  return nil
end

--- Reports a loop over something that cannot be called.
-- @param node a statement ForIn
function M.check_iterator(types, node, report)
  local value <const> = node.values[1]
  local message, type = misfit(types, value)
  if not message then return end
  report(type and type.guessed and "warning" or "error", "not-an-iterator", value, message)
end

--- Reports a variable of a loop that hides that of another loop around it.
-- @param node a statement For or ForIn
function M.check_shadows(node, report)
  for _, var in ipairs(node.vars) do
    local hidden <const> = var.shadows
    if hidden and hidden.kind == "for" and not var.name:find "^_" then
      report("warning", "shadowed-variable", var,
        ("'%s' hides the variable of the loop around it"):format(var.name))
    end
  end
end

return M
