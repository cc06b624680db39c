-- Mustache: texts with {{name}}, {{#section}}, {{^inverted}}, {{> partial}}, {{! comment }}. No
-- character is escaped, as FAST wants it.
local json = require "f5.json"
local ordered = require "sim.extensions.templates.ordered"

local M = {}

local MAX_DEPTH <const> = 100 -- of partials inside partials

local function fail(format, ...) error({ mustache = format:format(...) }, 0) end

-- -- parser --

-- The tag that begins at a position: kind, name, and the position behind it.
local function read_tag(text, at)
  local kind, inside, behind
  if text:sub(at + 2, at + 2) == "{" then
    inside, behind = text:match("^(.-)}}}()", at + 3)
    kind = "&"
  else
    inside, behind = text:match("^(.-)}}()", at + 2)
    kind = "name"
  end
  if not inside then fail("Unclosed tag at %d", #text) end
  local mark, rest = inside:match "^%s*([#^/>!&=])(.*)$"
  if mark == "=" then fail "other delimiters than {{ and }} are not simulated" end
  if mark then kind = mark end
  return kind, (rest or inside):match "^%s*(.-)%s*$", behind
end

-- The position of the first of the blanks before a position, on the same line.
local function blanks_before(text, from)
  local at = from
  while at > 1 and text:find("^[^\n%S]", at - 1) do at = at - 1 end
  return at
end

-- Whether a tag of a section, a comment or a partial stands alone on its line: then the line goes.
local function stands_alone(text, from, behind)
  local start = blanks_before(text, from)
  local is_first = start == 1 or text:sub(start - 1, start - 1) == "\n"
  return is_first and text:find("^[^\n%S]*\n", behind) ~= nil
    or is_first and text:find("^[^\n%S]*$", behind) ~= nil
end

--- The tokens of a text: { kind, value } with the kinds "text", "name", "&" (without escaping),
--- "#", "^", ">", "!"; sections have the tokens inside them as third member.
function M.parse(text)
  local root = {}
  local stack, list, at = {}, root, 1
  while true do
    local from = text:find("{{", at, true)
    local before = text:sub(at, from and from - 1 or #text)
    local kind, name, behind
    if from then
      kind, name, behind = read_tag(text, from)
      if kind ~= "name" and kind ~= "&" and stands_alone(text, from, behind) then
        before = text:sub(at, math.max(at, blanks_before(text, from)) - 1)
        behind = text:match("^[^\n]*\n?()", behind)
      end
    end
    if before ~= "" then list[#list + 1] = { "text", before } end
    if not from then break end
    at = behind
    if kind == "/" then
      local open = table.remove(stack)
      if not open then fail('Unopened section "%s" at %d', name, from - 1) end
      if open.token[2] ~= name then
        fail('Unclosed section "%s" at %d', open.token[2], from - 1)
      end
      list = open.list
    else
      local token = { kind, name }
      list[#list + 1] = token
      if kind == "#" or kind == "^" then
        token[3] = {}
        stack[#stack + 1] = { token = token, list = list }
        list = token[3]
      end
    end
  end
  if #stack > 0 then fail('Unclosed section "%s" at %d', stack[#stack].token[2], #text) end
  return root
end

-- -- rendering --

local function member(view, name)
  if type(view) ~= "table" or view == json.null then return nil end
  return view[name]
end

-- What a name means: in the innermost view that has it.
local function lookup(views, name)
  if name == "." then return views[#views] end
  for i = #views, 1, -1 do
    local value = views[i]
    for part in name:gmatch "[^.]+" do value = member(value, part) end
    if value ~= nil then return value end
  end
  return nil
end

local function is_false(value)
  return value == nil or value == json.null or value == false or value == "" or value == 0
end

-- A value as JavaScript puts it into a text.
local function as_text(value)
  if value == nil or value == json.null then return "" end
  if math.type(value) == "float" and value == math.floor(value) and math.abs(value) < 1e15 then
    return ("%d"):format(value)
  end
  if ordered.is_array(value) then
    local parts = {}
    for i, item in ipairs(value) do parts[i] = as_text(item) end
    return table.concat(parts, ",")
  end
  if type(value) == "table" then return "[object Object]" end
  return tostring(value)
end

local render

local function render_section(token, views, partials, parts)
  local value = lookup(views, token[2])
  if is_false(value) then return end
  if value == true then return render(token[3], views, partials, parts) end
  local list = ordered.is_array(value) and value or { value }
  for _, item in ipairs(list) do
    views[#views + 1] = item
    render(token[3], views, partials, parts)
    views[#views] = nil
  end
end

function render(tokens, views, partials, parts)
  for _, token in ipairs(tokens) do
    local kind, name = token[1], token[2]
    if kind == "text" then
      parts[#parts + 1] = name
    elseif kind == "name" or kind == "&" then
      parts[#parts + 1] = as_text(lookup(views, name))
    elseif kind == "#" then
      render_section(token, views, partials, parts)
    elseif kind == "^" then
      local value = lookup(views, name)
      local is_empty = ordered.is_array(value) and #value == 0
      if is_false(value) or is_empty then render(token[3], views, partials, parts) end
    elseif kind == ">" and partials[name] then
      parts.depth = (parts.depth or 0) + 1
      if parts.depth > MAX_DEPTH then fail "the partials have no end" end
      render(M.parse(partials[name]), views, partials, parts)
      parts.depth = parts.depth - 1
    end
  end
end

--- Renders a text.
-- @param view table of values
-- @param partials table: name -> text
function M.render(text, view, partials)
  local parts = {}
  render(M.parse(text), { view }, partials or {}, parts)
  return table.concat(parts)
end

return M
