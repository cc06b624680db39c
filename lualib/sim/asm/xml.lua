-- A small XML parser, and an encoding of JSON values as XML without loss.
--
-- A node is { name = "url", attributes = { type = "object" }, children = { node, … }, text = "…" }.
-- Errors are raised as tables { xml = "message" }.
local json = require "f5.json"
local digest = require "sim.digest"

local M = {}

local function fail(format, ...) error({ xml = string.format(format, ...) }, 0) end

-- -- parser --

local ENTITIES <const> = { lt = "<", gt = ">", amp = "&", quot = '"', apos = "'" }

-- The character with a number; nil if there is none.
local function character(number)
  if not number or number < 1 or number > 0x10FFFF then return nil end
  if number >= 0xD800 and number < 0xE000 then return nil end
  return utf8.char(number)
end

local function unescape(text)
  return (
    text:gsub("&(#?x?)(%w+);", function(mark, name)
      if mark == "#x" or mark == "#X" then
        return character(tonumber(name, 16)) or fail("unknown character &#x%s;", name)
      end
      if mark == "#" then
        return character(math.tointeger(tonumber(name))) or fail("unknown character &#%s;", name)
      end
      return ENTITIES[name] or fail("unknown entity &%s;", name)
    end)
  )
end

local function attributes_of(text, tag)
  local attributes, at = {}, 1
  while true do
    at = text:find("%S", at)
    if not at then return attributes end
    local name, quote, after =
      text:match("^([%w_:.-]+)%s*=%s*([\"'])()", at)
    if not name then fail("malformed attribute in <%s>", tag) end
    local ending = text:find(quote, after, true)
    if not ending then fail("unterminated attribute in <%s>", tag) end
    attributes[name] = unescape(text:sub(after, ending - 1))
    at = ending + 1
  end
end

-- The end of a tag. A ">" inside quotes does not count.
local function tag_end(text, at)
  while true do
    local found = text:find("[>\"']", at)
    if not found then fail("unterminated tag") end
    local char = text:sub(found, found)
    if char == ">" then return found end
    local closing = text:find(char, found + 1, true)
    if not closing then fail("unterminated attribute") end
    at = closing + 1
  end
end

local function skip_doctype(text, at)
  local depth = 0
  for position = at, #text do
    local char = text:sub(position, position)
    if char == "[" then depth = depth + 1
    elseif char == "]" then depth = depth - 1
    elseif char == ">" and depth == 0 then return position + 1 end
  end
  fail("unterminated DOCTYPE")
end

--- Parses a document and returns its root node.
function M.parse(text)
  local at, stack, root = 1, {}, nil
  local function top() return stack[#stack] end
  local function add_text(part)
    if part == "" then return end
    local node = top()
    if node then
      node.parts[#node.parts + 1] = part
    elseif part:find("%S") and part ~= "\239\187\191" then
      fail("text outside of the document")
    end
  end
  while true do
    local open = text:find("<", at, true)
    add_text(unescape(text:sub(at, (open or #text + 1) - 1)))
    if not open then break end
    if text:sub(open, open + 3) == "<!--" then
      local _, ending = text:find("-->", open + 4, true)
      at = (ending or fail("unterminated comment")) + 1
    elseif text:sub(open, open + 8) == "<![CDATA[" then
      local from, ending = text:find("]]>", open + 9, true)
      if not from then fail("unterminated CDATA section") end
      add_text(text:sub(open + 9, from - 1))
      at = ending + 1
    elseif text:sub(open, open + 1) == "<?" then
      local _, ending = text:find("?>", open, true)
      at = (ending or fail("unterminated processing instruction")) + 1
    elseif text:sub(open, open + 1) == "<!" then
      at = skip_doctype(text, open)
    else
      local close = tag_end(text, open + 1)
      local tag = text:sub(open + 1, close - 1)
      if tag:sub(1, 1) == "/" then
        local name = tag:match("^/([%w_:.-]+)%s*$")
        local node = table.remove(stack)
        if not node or node.name ~= name then fail("</%s> closes nothing", tostring(name)) end
        node.text, node.parts = table.concat(node.parts), nil
      else
        local name, rest = tag:match("^([%w_:.-]+)(.*)$")
        if not name then fail("malformed tag <%s>", tag) end
        local empty = rest:sub(-1) == "/"
        local node = {
          name = name,
          attributes = attributes_of(empty and rest:sub(1, -2) or rest, name),
          children = {},
          parts = {},
        }
        local parent = top()
        if parent then parent.children[#parent.children + 1] = node
        elseif root then fail("more than one root element")
        else root = node end
        if empty then node.text, node.parts = "", nil else stack[#stack + 1] = node end
      end
      at = close + 1
    end
  end
  if #stack > 0 then fail("<%s> is not closed", top().name) end
  return root or fail("no element in the document")
end

--- The first child with this name.
function M.child(node, name)
  for _, child in ipairs(node.children) do
    if child.name == name then return child end
  end
end

-- -- JSON values as XML --

local function escape(text)
  return (
    text:gsub(
      '[&<>"\r]',
      { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["\r"] = "&#13;" }
    )
  )
end
M.escape = escape

local write

local function write_members(out, value, indent)
  local names = {}
  for name in pairs(value) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    -- not every name is valid in XML
    if name:find("^[%a_][%w_.-]*$") then write(out, name, "", value[name], indent)
    else write(out, "member", (' name="%s"'):format(escape(name)), value[name], indent) end
  end
end

write = function(out, tag, more, value, indent)
  local function leaf(type, text)
    out[#out + 1] = ("%s<%s%s%s>%s</%s>\n"):format(
      indent, tag, more, type and (' type="%s"'):format(type) or "", text, tag
    )
  end
  if value == json.null then return leaf("null", "") end
  if type(value) == "string" then
    -- XML cannot represent most control characters
    if value:find("[\0-\8\11\12\14-\31]") or not utf8.len(value) then
      return leaf("base64", digest.base64(value))
    end
    return leaf(nil, escape(value))
  end
  if type(value) == "boolean" then return leaf("boolean", tostring(value)) end
  if type(value) == "number" then
    return leaf(
      math.type(value),
      math.type(value) == "integer" and tostring(value) or ("%.17g"):format(value)
    )
  end
  local is_list = json.is_array(value) or value[1] ~= nil
  if is_list and #value == 0 or not is_list and next(value) == nil then
    return leaf(is_list and "array" or "object", "")
  end
  out[#out + 1] = ('%s<%s%s type="%s">\n'):format(
    indent, tag, more, is_list and "array" or "object"
  )
  if is_list then
    for _, element in ipairs(value) do write(out, "item", "", element, indent .. "  ") end
  else
    write_members(out, value, indent .. "  ")
  end
  out[#out + 1] = ("%s</%s>\n"):format(indent, tag)
end

--- Encodes an object as a document with this root element and attributes (a text).
function M.encode(root, attributes, object)
  local out = { '<?xml version="1.0" encoding="utf-8"?>\n', ("<%s%s>\n"):format(root, attributes) }
  write_members(out, object, "  ")
  out[#out + 1] = ("</%s>\n"):format(root)
  return table.concat(out)
end

--- Decodes a node that `encode` wrote.
function M.value(node)
  local type = node.attributes.type
  if type == nil then return node.text end
  if type == "null" then return json.null end
  if type == "boolean" then return node.text == "true" end
  if type == "integer" then return math.tointeger(tonumber(node.text)) end
  if type == "float" then return tonumber(node.text) + 0.0 end
  if type == "base64" then return digest.unbase64(node.text) end
  if type == "array" then
    local list = json.array {}
    for index, child in ipairs(node.children) do list[index] = M.value(child) end
    return list
  end
  return M.members(node)
end

--- The children of a node as an object.
function M.members(node)
  local object = {}
  for _, child in ipairs(node.children) do
    object[child.attributes.name or child.name] = M.value(child)
  end
  return object
end

return M
