-- Pointers in declarations of TS: `=path`, `+path` and `>path` between backquotes. A path begins
-- with / (in Shared), with @ (in the nearest object that has a class), or in what holds it.
local digest = require "sim.digest"
local json = require "f5.json"

local M = {}

local function fail(format, ...) error({ pointer = "Error: " .. format:format(...) }, 0) end

local function fail_to_read(name)
  error({ pointer = ("TypeError: Cannot read property '%s' of undefined"):format(name) }, 0)
end

local function split(path)
  local parts = {}
  for part in path:gmatch "[^/]+" do
    if part ~= "@" then parts[#parts + 1] = part end
  end
  return parts
end

local function is_namespace(value)
  return type(value) == "table" and value ~= json.null and value.class == "Telemetry_Namespace"
end

--- TS looks at the classes of all objects before each check of its own, and breaks down if one of
--- them is null.
function M.look(at)
  local root = at.options.root
  if is_namespace(root[at.path:match "^/([^/]*)"]) then return end
  for _, value in pairs(root) do
    if value == json.null then error({ telemetry_breaks = true }, 0) end
  end
end

--- The objects that the value at a place may refer to, and its path among them.
function M.scope(at)
  local root = at.options.root
  local first, rest = at.path:match "^/([^/]*)(.*)$"
  if is_namespace(root[first]) then return { objects = root[first], path = rest } end
  local objects = {}
  for name, value in pairs(root) do
    if not is_namespace(value) then objects[name] = value end
  end
  return { objects = objects, path = at.path }
end

local function step(value, name)
  if type(value) ~= "table" then return nil end
  local index = tonumber(name)
  if index and #value > 0 then return value[index + 1] end
  return value[name]
end

local function follow(value, parts)
  for i, name in ipairs(parts) do
    if value == nil then fail_to_read(parts[i]) end
    value = step(value, name)
  end
  return value
end

-- The innermost object with a class on a path.
local function nearest(objects, parts)
  local value = objects
  for _, name in ipairs(parts) do
    local inner = step(value, name)
    if type(inner) ~= "table" or inner.class == nil then return value end
    value = inner
  end
  return value
end

--- The object of the declaration that a place is in.
function M.holder(at)
  local scope = M.scope(at)
  return nearest(scope.objects, split(scope.path))
end

local function meaning(pointer, at)
  local scope, parts = M.scope(at), split(pointer)
  local from = split(scope.path)
  local first = pointer:sub(1, 1)
  if first == "@" then return follow(nearest(scope.objects, from), parts) end
  if first == "/" then
    if parts[1] and parts[1]:lower() ~= "shared" then
      fail("absolute pointer: %s requires pointers root to be 'Shared'", pointer)
    end
    return follow(scope.objects, parts)
  end
  local path = table.move(from, 1, #from - 1, 1, {})
  table.move(parts, 1, #parts, #path + 1, path)
  return follow(scope.objects, path)
end

local function as_text(value)
  if value == nil then return "undefined" end
  if type(value) == "table" then return json.encode(value) end
  return tostring(value)
end

-- One pointer of a text that begins at `at_byte`: what it becomes, and the position behind it.
local function one_pointer(text, from, at)
  local kind = text:sub(from + 1, from + 1)
  if kind == "`" then return "`", from + 2 end
  if not kind:find "[=+>]" then
    fail("%s unrecognized pointer syntax '%s' at %d", text, kind, from)
  end
  local closing = text:find("`", from + 2, true)
  if not closing then
    fail("%s '%s' at %d missing second backquote", text, kind, from - 1)
  end
  if kind == ">" and (from ~= 1 or closing ~= #text) then
    fail("%s '%s' syntax requires single pointer as the value", text, kind)
  end
  local value = meaning(text:sub(from + 2, closing - 1), at)
  if kind == ">" then return value, closing + 1 end
  value = as_text(value)
  return kind == "+" and (digest.unbase64(value) or "") or value, closing + 1
end

--- What a text with pointers becomes. Raises { pointer = what is wrong }.
function M.expand(text, at)
  local parts, position = {}, 1
  while true do
    local from = text:find("`", position, true)
    if not from or from == #text then
      local rest = text:sub(position, from and from - 1 or #text)
      if #parts == 1 and rest == "" then return parts[1] end
      parts[#parts + 1] = rest
      return table.concat(parts)
    end
    if from > position then parts[#parts + 1] = text:sub(position, from - 1) end
    parts[#parts + 1], position = one_pointer(text, from, at)
  end
end

return M
