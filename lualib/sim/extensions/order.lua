-- The order of the members of JSON objects, which tables of Lua do not keep. Extensions handle
-- tenants in the order of the declaration.
local M = {}

local NOTHING <const> = { keys = {} }

-- The position behind the text that begins at the quote at `at`.
local function behind_text(text, at)
  local i = at + 1
  while true do
    local found = text:find('["\\]', i)
    if not found then return #text + 1 end
    if text:byte(found) == 34 then return found + 1 end
    i = found + 2
  end
end

-- The position behind the value that begins at `at`, without looking inside.
local function behind_value(text, at)
  local depth, i = 0, at
  repeat
    local found = text:find('["{}%[%],]', i)
    if not found then return #text + 1 end
    local char = text:sub(found, found)
    if char == '"' then
      i = behind_text(text, found)
    elseif char == "{" or char == "[" then
      depth, i = depth + 1, found + 1
    elseif char == "," then
      if depth == 0 then return found end
      i = found + 1
    else
      if depth == 0 then return found end
      depth, i = depth - 1, found + 1
    end
  until depth == 0 and text:find("^%s*[,}%]]", i) or i > #text
  return i
end

local function read(text, at, depth)
  at = text:find("%S", at) or #text + 1
  local opening = text:sub(at, at)
  if depth == 0 or opening ~= "{" and opening ~= "[" then return NOTHING, behind_value(text, at) end
  local node, i, n = { keys = {} }, at + 1, 0
  while i <= #text do
    i = text:find("[^%s,]", i) or #text + 1
    local char = text:sub(i, i)
    if char == "}" or char == "]" or char == "" then return node, i + 1 end
    n = n + 1
    local key = n
    if opening == "{" then
      local ending = behind_text(text, i)
      key = text:sub(i + 1, ending - 2)
      i = (text:find(":", ending, true) or #text) + 1
      node.keys[#node.keys + 1] = key
    end
    node[key == "keys" and "keys " or key], i = read(text, i, depth - 1)
  end
  return node, i
end

--- Reads a JSON text that is valid. The result has the keys of its outermost object in `keys`, and
--- the same of the objects inside below their keys and indexes, to a depth.
function M.read(text, depth)
  return (read(text, 1, depth))
end

--- The keys of a table, in the order of a list as far as it has them, then sorted.
function M.keys(value, known)
  local list, seen, rest = {}, {}, {}
  for _, key in ipairs(known or {}) do
    if value[key] ~= nil and not seen[key] then
      seen[key] = true
      list[#list + 1] = key
    end
  end
  for key in pairs(value) do
    if not seen[key] then rest[#rest + 1] = key end
  end
  table.sort(rest)
  return table.move(rest, 1, #rest, #list + 1, list)
end

return M
