-- Visits the nodes of a tree, and finds what a text says about global variables.
local M = {}

local CHILDREN <const> = { "object", "key", "called", "value", "left", "right", "condition" }
local LISTS <const> = { "args", "values", "targets", "body", "otherwise" }

local function visit(node, visitors)
  local before = visitors[node.tag]
  if before then before(node) end
  for _, name in ipairs(CHILDREN) do
    local child = node[name]
    if type(child) == "table" then visit(child, visitors) end
  end
  for _, item in ipairs(node.items or {}) do
    if item.key then visit(item.key, visitors) end
    visit(item.value, visitors)
  end
  for _, arm in ipairs(node.arms or {}) do
    visit(arm.condition, visitors)
    for _, statement in ipairs(arm.body) do visit(statement, visitors) end
  end
  for _, name in ipairs(LISTS) do
    for _, child in ipairs(node[name] or {}) do visit(child, visitors) end
  end
end

--- Visits every node, the outer one first.
-- @param visitors tag -> function(node)
function M.each(node, visitors) visit(node, visitors) end

local function entry_of(globals, name)
  globals[name] = globals[name] or { reads = {} }
  return globals[name]
end

--- The globals of a tree: name -> { reads = { { node, used } }, sets, value }. `used` is "called",
-- "indexed" or "read"; `sets` is the first name that is assigned; `value` its value, if there is
-- only one.
function M.globals(main)
  local globals, targets, uses = {}, {}, {}
  M.each(main, {
    Assign = function(node)
      for i, target in ipairs(node.targets) do
        if target.tag == "Name" and not target.var then
          local entry = entry_of(globals, target.name)
          targets[target] = true
          entry.value = not entry.sets and node.values[i] or nil
          entry.sets = entry.sets or target
        end
      end
    end,
    Call = function(node) uses[node.called] = "called" end,
    Index = function(node) uses[node.object] = "indexed" end,
    Method = function(node) uses[node.object] = "indexed" end,
    Name = function(node)
      if node.var or targets[node] then return end
      local reads = entry_of(globals, node.name).reads
      reads[#reads + 1] = { node = node, used = uses[node] or "read" }
    end,
  })
  return globals
end

--- The libraries of Lua to which a playbook adds functions: name -> true.
function M.changed_libraries(main)
  local changed = {}
  M.each(main, {
    Assign = function(node)
      for _, target in ipairs(node.targets) do
        local object = target.tag == "Index" and target.object
        if object and object.tag == "Name" then changed[object.name] = true end
      end
    end,
  })
  return changed
end

return M
