-- Lists of Tcl: texts whose elements are separated by white space.
local M = {}

local ESCAPES <const> =
  { n = "\n", t = "\t", r = "\r", b = "\b", f = "\f", v = "\v", a = "\a", ["\n"] = " " }

local function fail(text)
  error({ tcl = text }, 0)
end

--- The character of an escape sequence whose backslash is at `at`, and the position after it.
function M.escape(text, at)
  local char = text:sub(at + 1, at + 1)
  if char == "" then return "\\", at + 1 end
  if char == "\n" then return " ", text:match("^[ \t]*()", at + 2) end
  local hex = char == "x" and text:match("^%x+", at + 2)
  if hex then return string.char(tonumber(hex:sub(-2), 16)), at + 2 + #hex end
  local code = char == "u" and text:match("^%x%x?%x?%x?", at + 2)
  if code then return utf8.char(tonumber(code, 16)), at + 2 + #code end
  local octal = text:match("^[0-7][0-7]?[0-7]?", at + 1)
  if octal then return string.char(tonumber(octal, 8) & 255), at + 1 + #octal end
  return ESCAPES[char] or char, at + 2
end

--- The position of the brace that closes the one at `at`; nil without one.
function M.closing_brace(text, at)
  local depth = 1
  while true do
    at = text:find("[{}\\]", at + 1)
    if not at then return nil end
    local char = text:sub(at, at)
    if char == "\\" then
      at = at + 1
    else
      depth = depth + (char == "{" and 1 or -1)
      if depth == 0 then return at end
    end
  end
end

-- The element in double quotes that begins at `at`, and the position after it.
local function quoted(text, at)
  local parts = {}
  at = at + 1
  while true do
    local plain, stop = text:match('^([^"\\]*)()', at)
    parts[#parts + 1] = plain
    local char = text:sub(stop, stop)
    if char == "" then fail "unmatched open quote in list" end
    if char == '"' then return table.concat(parts), stop + 1 end
    parts[#parts + 1], at = M.escape(text, stop)
  end
end

local function bare(text, at)
  local parts = {}
  while true do
    local plain, stop = text:match("^([^%s\\]*)()", at)
    parts[#parts + 1] = plain
    if text:sub(stop, stop) ~= "\\" then return table.concat(parts), stop end
    parts[#parts + 1], at = M.escape(text, stop)
  end
end

--- The elements of a list.
function M.split(text)
  local list, at = {}, 1
  while true do
    at = text:match("^%s*()", at)
    local char = text:sub(at, at)
    if char == "" then return list end
    local element, after
    if char == "{" then
      local stop = M.closing_brace(text, at)
      if not stop then fail "unmatched open brace in list" end
      element, after = text:sub(at + 1, stop - 1), stop + 1
    elseif char == '"' then
      element, after = quoted(text, at)
    else
      element, after = bare(text, at)
    end
    if after <= #text and not text:find("^%s", after) then
      fail(("list element in %s followed by \"%s\" instead of space"):format(
        char == "{" and "braces" or "quotes", text:match("^%S*", after)
      ))
    end
    list[#list + 1], at = element, after
  end
end

local function is_balanced(text)
  local depth, at = 0, 0
  while true do
    at = text:find("[{}\\]", at + 1)
    if not at then return depth == 0 end
    local char = text:sub(at, at)
    if char == "\\" then
      if at == #text then return false end
      at = at + 1
    else
      depth = depth + (char == "{" and 1 or -1)
      if depth < 0 then return false end
    end
  end
end

--- One element as it stands in a list.
function M.element(text)
  if text == "" then return "{}" end
  if not text:find '[%s{}"\\;$%[%]]' and text:sub(1, 1) ~= "#" then return text end
  if is_balanced(text) then return "{" .. text .. "}" end
  return (text:gsub('[ {}"\\;$%[%]]', "\\%0"):gsub("\n", "\\n"):gsub("\t", "\\t"))
end

--- The text of a list.
function M.join(elements)
  local parts = {}
  for i, element in ipairs(elements) do parts[i] = M.element(element) end
  return table.concat(parts, " ")
end

return M
