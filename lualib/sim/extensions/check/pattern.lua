-- Patterns of JSON schemas: regular expressions of JavaScript, translated into those of POSIX that
-- the simulated shell has. Both look at bytes; a character that is not ASCII stands for all bytes
-- of such characters.
local regex = require "sim.shell.regex"

local M = {}

local ESCAPED_SETS <const> = { d = "0-9", w = "A-Za-z0-9_", s = " \t\n\r\v\f" }
local CONTROL <const> = { n = "\n", t = "\t", r = "\r", v = "\v", f = "\f", ["0"] = "\0" }

local function fail(pattern)
  error("extensions: the pattern is not simulated: " .. pattern, 0)
end

-- The character of an escape at a position, and the position behind it.
local function escaped(pattern, at)
  local hex = pattern:match("^x(%x%x)", at)
  if hex then return string.char(tonumber(hex, 16)), at + 3 end
  local char = pattern:sub(at, at)
  if CONTROL[char] then return CONTROL[char], at + 1 end
  if char == "" or char:find "%w" then fail(pattern) end
  return char, at + 1
end

-- Adds all bytes from one to another one to a set.
local function add_range(set, from, to)
  for byte = from:byte(), to:byte() do set[byte] = true end
end

-- Adds the members of a set such as \w.
local function add_known(set, members)
  for byte = 0, 255 do
    if string.char(byte):find("[" .. members .. "]") then set[byte] = true end
  end
end

-- The next character of a set: its text, or nil and the members it stands for.
local function member(pattern, at)
  local char = pattern:sub(at, at)
  if char ~= "\\" then return char, nil, at + 1 end
  local known = ESCAPED_SETS[pattern:sub(at + 1, at + 1)]
  if known then return nil, known, at + 2 end
  local text, behind = escaped(pattern, at + 1)
  return text, nil, behind
end

-- A set of POSIX for bytes: "]" first, "-" and "^" last.
local function posix_set(set)
  local first, middle, last = "", {}, ""
  for byte = 0, 255 do
    local char = string.char(byte)
    if set[byte] then
      if char == "]" then
        first = char
      elseif char == "-" or char == "^" then
        last = char == "^" and char .. last or last .. char
      else
        middle[#middle + 1] = char
      end
    end
  end
  local inner = first .. table.concat(middle)
  if inner == "" and last:sub(1, 1) == "^" then
    return #last == 1 and "\\^" or "[-^]"
  end
  return "[" .. inner .. last .. "]"
end

-- The set that begins behind "[": its text, and the position behind it.
local function read_set(pattern, at)
  local set, is_negated = {}, pattern:sub(at, at) == "^"
  if is_negated then at = at + 1 end
  while pattern:sub(at, at) ~= "]" do
    if at > #pattern then fail(pattern) end
    local char, known, behind = member(pattern, at)
    if known then
      add_known(set, known)
    else
      local to, to_known, after
      if pattern:find("^%-[^%]]", behind) then to, to_known, after = member(pattern, behind + 1) end
      if to_known then fail(pattern) end
      if char:byte() > 127 or to and to:byte() > 127 then
        add_range(set, "\128", "\255")
      else
        add_range(set, char, to or char)
      end
      behind = after or behind
    end
    at = behind
  end
  if is_negated then
    for byte = 0, 255 do set[byte] = not set[byte] or nil end
  end
  return posix_set(set), at + 1
end

-- One element of a pattern in the form of POSIX, and the position behind it.
local function element(pattern, at)
  local char = pattern:sub(at, at)
  if char == "[" then return read_set(pattern, at + 1) end
  if char == "(" and pattern:sub(at + 1, at + 1) == "?" then
    if pattern:sub(at + 2, at + 2) ~= ":" then fail(pattern) end
    return "(", at + 3
  end
  if char ~= "\\" then return char, at + 1 end
  local name = pattern:sub(at + 1, at + 1)
  local known = ESCAPED_SETS[name:lower()]
  if known then return ("[%s%s]"):format(name:find "%u" and "^" or "", known), at + 2 end
  local text, behind = escaped(pattern, at + 1)
  return text:find "[%^%$%.%[%]%(%)%*%+%?{}|\\]" and "\\" .. text or text, behind
end

local compiled = {}

--- Whether a text matches a pattern. One that is not simulated is an error of the simulator.
function M.matches(pattern, text)
  local matches = compiled[pattern]
  if not matches then
    local parts, at = {}, 1
    while at <= #pattern do parts[#parts + 1], at = element(pattern, at) end
    matches = regex.compile(table.concat(parts), { extended = true }) or fail(pattern)
    compiled[pattern] = matches
  end
  return matches(text)
end

return M
