-- Scalars of YAML 1.2: what a plain word means, texts in quotes.
local json = require "f5.json"

local M = {}

local WORDS <const> = {
  [""] = json.null, ["~"] = json.null, null = json.null, Null = json.null, NULL = json.null,
  ["true"] = true, True = true, TRUE = true, ["false"] = false, False = false, FALSE = false,
}

--- The value of a plain word.
function M.plain(word)
  if WORDS[word] ~= nil then return WORDS[word] end
  local digits = word
  if digits:find "^[+-]?%d+$" then
    return math.tointeger(tonumber((digits:gsub("^%+", "")))) or tonumber(digits)
  end
  local hex = digits:match "^[+-]?0x%x+$"
  if hex then return math.tointeger(tonumber(hex)) end
  local octal = digits:match "^0o([0-7]+)$"
  if octal then return tonumber(octal, 8) end
  local is_float = digits:find "^[+-]?%d+%.%d*$" or digits:find "^%.%d+$"
    or digits:find "^[+-]?%d+%.?%d*[eE][+-]?%d+$" or digits:find "^%.%d+[eE][+-]?%d+$"
  if not is_float then return word end
  local number = tonumber((digits:gsub("^%+", "")))
  return math.tointeger(number) or number
end

local ESCAPES <const> = {
  ["0"] = "\0", a = "\a", b = "\b", t = "\t", n = "\n", v = "\v", f = "\f", r = "\r", e = "\27",
  [" "] = " ", ['"'] = '"', ["/"] = "/", ["\\"] = "\\", N = "\u{85}", _ = "\u{A0}",
  L = "\u{2028}", P = "\u{2029}", ["\t"] = "\t",
}
local HEX <const> = { x = 2, u = 4, U = 8 }

-- Line breaks in quotes: one is a space, more are one less.
local function fold(text)
  return (text:gsub("[ \t]*\n%s*", function(breaks)
    local _, count = breaks:gsub("\n", "")
    return count == 1 and " " or ("\n"):rep(count - 1)
  end))
end

local function escape(text, at, fail)
  local char = text:sub(at, at)
  if HEX[char] then
    local digits = text:match("^%x+", at + 1) or ""
    digits = digits:sub(1, HEX[char])
    if #digits < HEX[char] then fail "expected hexadecimal character" end
    local code, behind = tonumber(digits, 16), at + 1 + HEX[char]
    local low = char == "u" and code >= 0xD800 and code < 0xDC00
      and text:match("^\\u([dD][c-fC-F]%x%x)", behind)
    if low then
      code = 0x10000 + ((code - 0xD800) << 10) + (tonumber(low, 16) - 0xDC00)
      behind = behind + 6
    end
    return utf8.char(code), behind
  end
  if char == "\n" then return "", text:match("^%s*()", at + 1) end
  return ESCAPES[char] or fail "unknown escape sequence", at + 1
end

--- The text in double quotes that begins behind the quote, and the position behind it.
function M.double(text, at, fail)
  local parts = {}
  while true do
    local stop = text:find('["\\]', at)
    if not stop then fail "unexpected end of the stream within a double quoted scalar" end
    parts[#parts + 1] = fold(text:sub(at, stop - 1))
    if text:sub(stop, stop) == '"' then return table.concat(parts), stop + 1 end
    if text:sub(stop + 1, stop + 1) == "\n" then
      parts[#parts] = text:sub(at, stop - 1)
    end
    parts[#parts + 1], at = escape(text, stop + 1, fail)
  end
end

--- The text in single quotes that begins behind the quote, and the position behind it.
function M.single(text, at, fail)
  local parts = {}
  while true do
    local stop = text:find("'", at, true)
    if not stop then fail "unexpected end of the stream within a single quoted scalar" end
    parts[#parts + 1] = fold(text:sub(at, stop - 1))
    if text:sub(stop + 1, stop + 1) ~= "'" then return table.concat(parts), stop + 1 end
    parts[#parts + 1], at = "'", stop + 2
  end
end

--- Joins the lines of a plain text.
M.fold = fold

return M
