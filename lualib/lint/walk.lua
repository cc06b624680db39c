-- Visits the nodes of a tree, and finds what a text says about global variables.
local M = {}

local CHILDREN <const> = { "object", "key", "called", "value", "left", "right", "condition" }
local LISTS <const> = { "args", "values", "targets", "body", "otherwise" }

local function add_all(list, more)
  for _, one in ipairs(more or {}) do list[#list + 1] = one end
end

-- The nodes directly below a node, in their order.
local function children_of(node)
  local list = {}
  for _, name in ipairs(CHILDREN) do
    if type(node[name]) == "table" then list[#list + 1] = node[name] end
  end
  for _, item in ipairs(node.items or {}) do
    list[#list + 1] = item.key
    list[#list + 1] = item.value
  end
  for _, arm in ipairs(node.arms or {}) do
    list[#list + 1] = arm.condition
    add_all(list, arm.body)
  end
  for _, name in ipairs(LISTS) do add_all(list, node[name]) end
  return list
end

--- Visits every node, the outer one first, in the order of the text. A stack of its own: a text can
-- be nested more deeply than Lua's stack.
-- @param visitors tag -> function(node)
function M.each(node, visitors)
  local stack = { node }
  while #stack > 0 do
    local top = table.remove(stack)
    local visit = visitors[top.tag]
    if visit then visit(top) end
    local children = children_of(top)
    for i = #children, 1, -1 do stack[#stack + 1] = children[i] end
  end
end

local function entry_of(globals, name)
  globals[name] = globals[name] or { reads = {} }
  return globals[name]
end

--- The globals of a tree: name -> { reads = { { node, used } }, sets, value, tested }. `used` is
-- "called", "indexed" or "read"; `sets` is the first name that is assigned; `value` its value, if
-- there is only one; `tested`: it is also read as a value, so it may well be nil.
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
      local entry = entry_of(globals, node.name)
      entry.reads[#entry.reads + 1] = { node = node, used = uses[node] or "read" }
      entry.tested = entry.tested or not uses[node]
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
