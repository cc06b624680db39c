-- YAML 1.1 and 1.2 of values. Every text that YAML would read as something else is in quotes.

local json = require "f5.json"
local terminal = require "f5.terminal"

local MAX_DEPTH <const> = 100 -- a table can contain itself

-- Words that some version of YAML reads as true, false, null or a number.
local RESERVED <const> = {}
for word in ("y n yes no on off true false null inf nan"):gmatch "%a+" do
  RESERVED[word] = true
end

local ESCAPES <const> = {
  ["\0"] = "\\0", ["\a"] = "\\a", ["\b"] = "\\b", ["\t"] = "\\t", ["\n"] = "\\n", ["\v"] = "\\v",
  ["\f"] = "\\f", ["\r"] = "\\r", ["\27"] = "\\e", ['"'] = '\\"', ["\\"] = "\\\\",
}

-- Printable characters stay. Others, and those that a terminal would act on, become escapes.
local function quoted(text)
  text = text:gsub('[%c"\\]', function(c)
    return ESCAPES[c] or ("\\x%02X"):format(c:byte())
  end)
  if text:find "[\128-\255]" then
    text = text:gsub("[\128-\255][\128-\191]*", function(c)
      if utf8.len(c) ~= 1 then
        return (c:gsub(".", function(byte) return ("\\x%02X"):format(byte:byte()) end))
      end
      if terminal.line(c) == c and c ~= "\u{85}" and c ~= "\u{FEFF}" then return c end
      local code = utf8.codepoint(c)
      return code < 0x10000 and ("\\u%04X"):format(code) or ("\\U%08X"):format(code)
    end)
  end
  return '"' .. text .. '"'
end

-- "/Common/web", "round-robin", "10G is enough". A text that begins with a digit or a sign may be a
-- number, a time or an address in base 60.
local function is_plain(text)
  return text:find "^[%a/][%w_./:%%@+*(), -]*$"
    and not (text:find ": " or text:find ":$" or text:find " $" or text:find "  ")
    and not RESERVED[text:lower()]
end

-- A text with lines as a block: only if nothing in it needs an escape, and the first line has no
-- indentation, which YAML would take for that of the block.
local function block(text, indent)
  local plain = text:gsub("[\n\t]", " ")
  if plain:find "%c" or terminal.line(plain) ~= plain or text:find "^[\n\t ]" then return nil end
  local body = text:gsub("\n+$", "")
  if body == "" or body:find "\u{85}" or body:find "\u{FEFF}" then return nil end
  local ends = #text - #body
  local mark = ends == 0 and "|-" or ends == 1 and "|" or "|+"
  local lines = {}
  for line in (body .. ("\n"):rep(math.max(1, ends))):gmatch "([^\n]*)\n" do
    lines[#lines + 1] = line == "" and "" or indent .. line
  end
  return mark .. "\n" .. table.concat(lines, "\n")
end

local function number(item)
  if math.type(item) == "integer" then return tostring(item) end
  if item ~= item then return ".nan" end
  if item == math.huge or item == -math.huge then return item > 0 and ".inf" or "-.inf" end
  local text = ("%.17g"):format(item)
  if tonumber(("%.15g"):format(item)) == item then text = ("%.15g"):format(item) end
  -- YAML 1.1 reads 1e+20 as a text
  local digits, exponent = text:match "^(-?%d+)(e.*)$"
  if digits then return digits .. ".0" .. exponent end
  return text:find "[.e]" and text or text .. ".0"
end

local function scalar(item, indent)
  if item == nil or item == json.null then return "null" end
  if type(item) == "number" then return number(item) end
  if type(item) ~= "string" then return tostring(item) end
  if is_plain(item) then return item end
  return indent and item:find "\n" and block(item, indent) or quoted(item)
end

local function is_array(item)
  return json.is_array(item) or (#item > 0 and next(item) ~= nil)
end

local function keys_of(object, first)
  local keys, done = {}, {}
  for _, key in ipairs(first or {}) do
    if object[key] ~= nil then
      keys[#keys + 1], done[key] = key, true
    end
  end
  local rest = {}
  for key in next, object do
    if not done[key] then rest[#rest + 1] = key end
  end
  table.sort(rest, function(a, b) return tostring(a) < tostring(b) end)
  return table.move(rest, 1, #rest, #keys + 1, keys)
end

local write_lines

-- What follows "key:" or "-".
local function put(out, head, item, indent, style, depth)
  if type(item) ~= "table" then
    out[#out + 1] = head .. " " .. scalar(item, indent .. "  ")
  elseif next(item) == nil then
    out[#out + 1] = head .. (json.is_array(item) and " []" or " {}")
  else
    out[#out + 1] = head
    write_lines(out, item, indent .. "  ", style, depth + 1)
  end
end

function write_lines(out, item, indent, style, depth)
  if depth > MAX_DEPTH then error("a value that contains itself cannot be YAML", 0) end
  if is_array(item) then
    for _, each in ipairs(item) do
      local from = #out + 1
      if type(each) == "table" and next(each) ~= nil then
        write_lines(out, each, indent .. "  ", style, depth + 1)
        out[from] = indent .. "- " .. out[from]:sub(#indent + 3)
      else
        put(out, indent .. "-", each, indent, style, depth)
      end
    end
    return
  end
  for _, key in ipairs(keys_of(item, style.first)) do
    put(out, indent .. scalar(tostring(key)) .. ":", item[key], indent, style, depth)
  end
end

---@param value any
---@param style? table first: keys that come first
---@return string text without a final line break
return function(value, style)
  if type(value) ~= "table" then return scalar(value, "  ") end
  if next(value) == nil then return json.is_array(value) and "[]" or "{}" end
  local out = {}
  write_lines(out, value, "", style or {}, 0)
  return table.concat(out, "\n")
end
