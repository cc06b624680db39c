-- The tokens of a Lua 5.4 text. `f5lua build` reads them to find the modules that a playbook needs.
-- A search for patterns would also find `require "x"` in comments and long strings.
--
--   for token in lexer.tokens(text) do … end
--
-- A token is { kind, value, line, from, to }. The kind is "name", "keyword", "string" (value
-- decoded), "number" (as written) or "symbol"; from..to are its bytes in the text.
local M = {}

local KEYWORDS <const> = {}
for word in
  ([[and break do else elseif end false for function goto if in local nil not or repeat return then
  true until while]]):gmatch "%a+"
do
  KEYWORDS[word] = true
end

-- Longest first.
local SYMBOLS <const> = { { "..." }, { "<<", ">>", "//", "==", "~=", "<=", ">=", "::", ".." } }
local SINGLE <const> = "[%+%-%*/%%%^#&~|<>=%(%){}%[%];:,%.]"

local ESCAPES <const> = { a = "\a", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", v = "\v",
  ["\\"] = "\\", ['"'] = '"', ["'"] = "'" }

local function fail(state, message) error({ line = state.line, message = message }, 0) end

local function count_lines(state, from, to)
  -- A line ends with \n, \r, \r\n or \n\r.
  local at = from
  while true do
    at = state.text:find("[\r\n]", at)
    if not at or at > to then return end
    local pair = state.text:sub(at, at + 1)
    state.line = state.line + 1
    at = at + ((pair == "\r\n" or pair == "\n\r") and 2 or 1)
  end
end

-- A long bracket that opens at `at`: its contents and the position after it; nil if there is none.
local function long_bracket(state, at, what)
  local text = state.text
  local level = text:match("^%[(=*)%[", at)
  if not level then return nil end
  local start = at + #level + 2
  local close, last = text:find("]" .. level .. "]", start, true)
  if not close then fail(state, "unfinished long " .. what) end
  local contents = text:sub(start, close - 1)
  count_lines(state, at, last)
  if what == "string" then
    contents = contents:gsub("\r\n", "\n"):gsub("\n\r", "\n"):gsub("\r", "\n"):gsub("^\n", "")
  end
  return contents, last + 1
end

local function escape(state, at)
  local text = state.text
  local char = text:sub(at, at)
  if ESCAPES[char] then return ESCAPES[char], at + 1 end
  if char == "x" then
    local hex = text:match("^%x%x", at + 1) or fail(state, "hexadecimal digit expected")
    return string.char(tonumber(hex, 16)), at + 3
  elseif char == "z" then
    local stop = text:match("^%s*()", at + 1)
    count_lines(state, at + 1, stop - 1)
    return "", stop
  elseif char == "u" then
    local hex, stop = text:match("^{(%x+)}()", at + 1)
    local code = hex and #hex <= 8 and tonumber(hex, 16)
    if not code or code > 0x7FFFFFFF then fail(state, "wrong \\u{...} escape") end
    return utf8.char(code), stop
  elseif char:find "%d" then
    local digits = text:match("^%d%d?%d?", at)
    if tonumber(digits) > 255 then fail(state, "decimal escape too large") end
    return string.char(tonumber(digits)), at + #digits
  elseif char == "\n" or char == "\r" then
    local pair = text:sub(at, at + 1)
    state.line = state.line + 1
    return "\n", at + ((pair == "\r\n" or pair == "\n\r") and 2 or 1)
  end
  return fail(state, "invalid escape sequence '\\" .. char .. "'")
end

local function quoted(state, at)
  local text = state.text
  local quote = text:sub(at, at)
  local plain = "^[^\\\r\n" .. quote .. "]+()"
  local parts = {}
  at = at + 1
  while true do
    local stop = text:match(plain, at)
    if stop then
      parts[#parts + 1] = text:sub(at, stop - 1)
      at = stop
    end
    local char = text:sub(at, at)
    if char == quote then return table.concat(parts), at + 1 end
    if char ~= "\\" then fail(state, "unfinished string") end
    parts[#parts + 1], at = escape(state, at + 1)
  end
end

local function number(state, at)
  local text = state.text
  local exponent = text:find("^0[xX]", at) and "[pP]" or "[eE]"
  local stop = at
  while true do
    local sign_behind = text:match("^" .. exponent .. "[%+%-]()", stop)
    local next_stop = sign_behind or text:match("^[%w_%.]()", stop)
    if not next_stop then break end
    stop = next_stop
  end
  local word = text:sub(at, stop - 1)
  if not tonumber(word) then fail(state, "malformed number near '" .. word .. "'") end
  return word, stop
end

-- The next token, or nil at the end.
local function advance(state)
  local text = state.text
  while true do
    local at = text:match("^[ \t\v\f]*()", state.at)
    local char = text:sub(at, at)
    if char == "" then
      state.at = at
      return nil
    elseif char == "\n" or char == "\r" then
      local stop = text:match("^[\r\n]+()", at)
      count_lines(state, at, stop - 1)
      state.at = stop
    elseif text:find("^%-%-", at) then
      local _, stop = long_bracket(state, at + 2, "comment")
      state.at = stop or text:match("^[^\r\n]*()", at)
    else
      local token = { line = state.line, from = at }
      if char:find "[%a_]" then
        token.value, state.at = text:match("^([%w_]+)()", at)
        token.kind = KEYWORDS[token.value] and "keyword" or "name"
      elseif char == '"' or char == "'" then
        token.kind = "string"
        token.value, state.at = quoted(state, at)
      elseif text:find("^%[=*%[", at) then
        token.kind = "string"
        token.value, state.at = long_bracket(state, at, "string")
      elseif text:find("^%.?%d", at) then
        token.kind = "number"
        token.value, state.at = number(state, at)
      else
        token.kind = "symbol"
        for i, group in ipairs(SYMBOLS) do
          local candidate = text:sub(at, at + 3 - i)
          for _, symbol in ipairs(group) do
            if candidate == symbol then token.value = symbol end
          end
          if token.value then break end
        end
        token.value = token.value
          or text:match("^" .. SINGLE, at) or fail(state, "unexpected symbol near '" .. char .. "'")
        state.at = at + #token.value
      end
      token.to = state.at - 1
      return token
    end
  end
end

---Iterates over the tokens of a Lua text. It skips a first line that starts with `#`, as Lua's
---loader does. For a text that is not Lua it raises { line, message }.
function M.tokens(text)
  local state = { text = text, at = 1, line = 1 }
  if text:sub(1, 3) == "\xEF\xBB\xBF" then state.at = 4 end
  if text:sub(state.at, state.at) == "#" then state.at = text:match("^[^\r\n]*()", state.at) end
  return function() return advance(state) end
end

---All tokens as an array.
function M.list(text)
  local tokens = {}
  for token in M.tokens(text) do tokens[#tokens + 1] = token end
  return tokens
end

return M
