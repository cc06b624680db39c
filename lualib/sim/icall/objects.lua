-- The objects that tmsh::get_config and tmsh::get_status return: lists of Tcl.
--
--   ltm pool web { monitor http members { {10.0.0.1:80 {address 10.0.0.1}} } }
--
-- is a list of the words of the component, the name, and the fields. A field is a name and a value.
-- A value in braces is a list of objects if each of them has braces of its own, a list of fields if
-- they come in pairs, and a plain list otherwise.
local lists = require "sim.icall.tcl.list"
local parser = require "sim.tmsh.parser"

local M = {}

local function is_block(item) return type(item) == "table" end

-- Whether all lines of a block are a name and a block.
local function holds_objects(block)
  for _, line in ipairs(block) do
    if not is_block(line[#line]) then return false end
  end
  return #block > 0
end

local function holds_words(block)
  for _, line in ipairs(block) do
    for _, item in ipairs(line) do
      if is_block(item) then return false end
    end
  end
  return block.inline or #block > 0 and #block[1] == 1
end

local fields_of

local function value_of(block)
  local elements = {}
  if holds_words(block) then
    for _, line in ipairs(block) do table.move(line, 1, #line, #elements + 1, elements) end
    return lists.join(elements)
  end
  if not holds_objects(block) then return fields_of(block) end
  for i, line in ipairs(block) do
    local parts = table.move(line, 1, #line - 1, 1, {})
    parts[#parts + 1] = fields_of(line[#line])
    elements[i] = lists.join(parts)
  end
  return lists.join(elements)
end

-- The names and values of the lines of a block.
function fields_of(block)
  local elements = {}
  for _, line in ipairs(block) do
    local words = table.move(line, 2, #line, 1, {})
    for i, item in ipairs(words) do
      if is_block(item) then words[i] = value_of(item) end
    end
    elements[#elements + 1] = line[1]
    elements[#elements + 1] = #words == 1 and words[1] or table.concat(words, " ")
  end
  return lists.join(elements)
end

--- The objects in a text of tmsh, as a list of lists.
function M.read(text)
  local objects = {}
  local ok, statements = pcall(parser.read, text)
  if not ok then
    if type(statements) ~= "table" then error(statements, 0) end
    error({ tcl = statements.message }, 0)
  end
  for i, statement in ipairs(statements) do
    local parts = table.move(statement.words, 1, #statement.words, 1, {})
    parts[#parts + 1] = statement.raw or fields_of(statement.block or {})
    objects[i] = lists.join(parts)
  end
  return lists.join(objects)
end

--- The fields of an object: a list of { name, value }.
function M.fields(object)
  local parts = lists.split(object)
  local flat = lists.split(parts[#parts] or "")
  local found = {}
  for i = 1, #flat, 2 do found[#found + 1] = { flat[i], flat[i + 1] or "" } end
  return found
end

--- The value of a field; nil without it. "a.b" is the field b of the value of a, or one that is
--- called so.
function M.field(object, name)
  for _, field in ipairs(M.fields(object)) do
    if field[1] == name then return field[2] end
  end
  local outer, inner = name:match "^([^.]+)%.(.+)$"
  local value = outer and M.field(object, outer)
  return value and M.field(lists.join { outer, value }, inner) or nil
end

--- The name and the component of an object.
function M.identity(object)
  local parts = lists.split(object)
  return parts[#parts - 1] or "", table.concat(parts, " ", 1, math.max(#parts - 2, 0))
end

return M
