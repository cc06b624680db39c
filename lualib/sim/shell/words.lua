-- Words of a shell script: quotes, variables, $(…), $((…)). The functions are methods of the parser
-- in sim/shell/parser.lua.
--
-- A word is a list of parts, each with quoted = bool:
--   { text = }
--   { variable =, operator =, word = }   ${name}, ${name:-word}, ${name%word}, ${#name} …
--   { substitute = list }                $(…), `…`
--   { arithmetic = word }                $((…))
local M = {}

local Parser <const> = {}
M.methods = Parser

-- The text up to the bracket that closes the one before `at`; the position after it.
local function balanced(text, at, open, close)
  local depth, i = 1, at
  while i <= #text do
    i = text:find("[\\'" .. '"%' .. open .. "%" .. close .. "]", i)
    if not i then return nil end
    local char = text:sub(i, i)
    if char == "\\" then
      i = i + 1
    elseif char == "'" then
      i = text:find("'", i + 1, true)
      if not i then return nil end
    elseif char == open then
      depth = depth + 1
    elseif char == close then
      depth = depth - 1
      if depth == 0 then return text:sub(at, i - 1), i + 1 end
    end
    i = i + 1
  end
end

local OPERATORS <const> = { ":-", ":=", ":+", ":?", "##", "%%", "//", "-", "=", "+", "#", "%", "/" }

-- ${…}: a variable with an operator.
function Parser:braced(quoted)
  local inner, after = balanced(self.text, self.at + 2, "{", "}")
  if not inner then self:fail "unexpected EOF while looking for matching `}'" end
  self.at = after
  local counted = inner:match "^#([%w_@*]+)$"
  if counted then return { variable = counted, operator = "length", quoted = quoted } end
  local name, rest = inner:match "^([%a_][%w_]*)(.*)$"
  if not name then name, rest = inner:match "^([%d?$#@*!])(.*)$" end
  if not name then self:fail(("${%s}: bad substitution"):format(inner)) end
  if rest == "" then return { variable = name, quoted = quoted } end
  local offset, length = rest:match "^:%s*(%-?%d+):?(%d*)$"
  if offset and not rest:find "^:%-" then
    return {
      variable = name, operator = "cut", from = tonumber(offset), count = tonumber(length),
      quoted = quoted,
    }
  end
  for _, operator in ipairs(OPERATORS) do
    if rest:sub(1, #operator) == operator then
      return {
        variable = name, operator = operator, quoted = quoted,
        word = self:inner_word(rest:sub(#operator + 1)),
      }
    end
  end
  self:fail(("${%s}: bad substitution"):format(inner))
end

-- $name, ${name}, $?, $(…), $((…)); nil if it is a plain dollar.
function Parser:dollar(quoted)
  local name, after = self.text:match("^%$([%a_][%w_]*)()", self.at)
  if not name then name, after = self.text:match("^%$([%?%$#@*!%d])()", self.at) end
  if name then
    self.at = after
    return { variable = name, quoted = quoted }
  end
  if self.text:find("^%${", self.at) then return self:braced(quoted) end
  if self.text:find("^%$%(%(", self.at) then
    local inner, past = balanced(self.text, self.at + 3, "(", ")")
    if inner and self.text:sub(past, past) == ")" then
      self.at = past + 1
      return { arithmetic = self:inner_word(inner), quoted = quoted }
    end
  end
  if self:take "$(" then
    local list = self:list { [")"] = true }
    if not self:take ")" then self:fail "unexpected EOF while looking for matching `)'" end
    return { substitute = list, quoted = quoted }
  end
  return nil
end

function Parser:backquote(quoted)
  local at, parts = self.at + 1, {}
  while true do
    local plain, stop = self.text:match("^([^`\\]*)()", at)
    parts[#parts + 1] = plain
    local char = stop and self.text:sub(stop, stop) or ""
    if char == "" then self:fail "unexpected EOF while looking for matching ``'" end
    if char == "`" then
      self.at = stop + 1
      break
    end
    local escaped = self.text:sub(stop + 1, stop + 1)
    parts[#parts + 1] = escaped:find "[`\\$]" and escaped or "\\" .. escaped
    at = stop + 2
  end
  return { substitute = self:parse_inner(table.concat(parts)), quoted = quoted }
end

-- The parts of a text in double quotes, from `at` on. It ends at a quote, or, with `whole`, at the
-- end of the text (a here-document, the inside of ${…}).
function Parser:double_quoted(parts, whole)
  parts[#parts + 1] = { text = "", quoted = true }
  while true do
    local text, at = self.text:match('^([^"$`\\]*)()', self.at)
    if text ~= "" then parts[#parts + 1] = { text = text, quoted = true } end
    self.at = at
    local char = self.text:sub(at, at)
    if char == "" then
      if whole then return end
      self:fail 'unexpected EOF while looking for matching `"\''
    end
    if char == '"' and not whole then
      self.at = at + 1
      return
    elseif char == '"' then
      parts[#parts + 1] = { text = '"', quoted = true }
      self.at = at + 1
    elseif char == "\\" then
      local next_char = self.text:sub(at + 1, at + 1)
      local plain = whole == "document" and '[$`\\\n]' or '[$`"\\\n]'
      local kept = next_char:find(plain) and (next_char == "\n" and "" or next_char)
        or "\\" .. next_char
      parts[#parts + 1] = { text = kept, quoted = true }
      self.at = math.min(at + 2, #self.text + 1)
    elseif char == "`" then
      parts[#parts + 1] = self:backquote(true)
    else
      local part = self:dollar(true)
      if not part then self.at = self.at + 1 end
      parts[#parts + 1] = part or { text = "$", quoted = true }
    end
  end
end

local ANSI <const> = {
  n = "\n", t = "\t", r = "\r", a = "\a", b = "\b", e = "\27", ["\\"] = "\\", ["'"] = "'",
  ['"'] = '"',
}

-- $'…'
function Parser:ansi()
  local at, parts = self.at + 2, {}
  while true do
    local plain, stop = self.text:match("^([^'\\]*)()", at)
    parts[#parts + 1] = plain
    local char = self.text:sub(stop, stop)
    if char == "" then self:fail "unexpected EOF while looking for matching `''" end
    if char == "'" then
      self.at = stop + 1
      return { text = table.concat(parts), quoted = true }
    end
    local escaped = self.text:sub(stop + 1, stop + 1)
    parts[#parts + 1] = ANSI[escaped] or "\\" .. escaped
    at = stop + 2
  end
end

--- The next word; nil if there is none here. `stops`: the characters that end it.
function Parser:word(stops)
  local parts = {}
  local pattern = "^([^%s'\"\\$`" .. (stops or ";&|()<>") .. "]*)()"
  while true do
    local text, at = self.text:match(pattern, self.at)
    if text ~= "" then parts[#parts + 1] = { text = text, quoted = false } end
    self.at = at
    local char = self.text:sub(at, at)
    if char == "'" then
      local inner, after = self.text:match("^'([^']*)'()", at)
      if not inner then self:fail "unexpected EOF while looking for matching `''" end
      parts[#parts + 1] = { text = inner, quoted = true }
      self.at = after
    elseif char == '"' then
      self.at = at + 1
      self:double_quoted(parts)
    elseif char == "\\" then
      local escaped = self.text:sub(at + 1, at + 1)
      if escaped ~= "\n" then parts[#parts + 1] = { text = escaped, quoted = true } end
      self.at = math.min(at + 2, #self.text + 1)
    elseif char == "$" and self.text:sub(at + 1, at + 1) == "'" then
      parts[#parts + 1] = self:ansi()
    elseif char == "$" then
      local part = self:dollar(false)
      if not part then self.at = self.at + 1 end
      parts[#parts + 1] = part or { text = "$", quoted = false }
    elseif char == "`" then
      parts[#parts + 1] = self:backquote(false)
    else
      return #parts > 0 and parts or nil
    end
  end
end

return M
