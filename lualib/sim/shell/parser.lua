-- Parses the part of bash that scripts for devices use: quotes, variables, $(…), lists, pipes,
-- groups, redirections, if.
--
-- parse(text) -> list or nil, message
--   list     = { { join = ";" | "&&" | "||", pipeline = { command, … }, negated = bool }, … }
--   command  = { words = { word, … }, assignments = { { name, word }, … }, redirects }
--            | { group = list, subshell = bool, redirects }
--            | { clauses = { { condition, body }, … }, otherwise = list, redirects }
--   redirects = { { fd, how, word }, … }
--   word     = { { text = } | { variable = } | { substitute = list }, each with quoted = bool, … }
local M = {}

local MAX_DEPTH <const> = 50

local Parser <const> = {}
Parser.__index = Parser

local parse_at  -- parses a text at a depth

function Parser.fail(_, message)
  error({ syntax = message }, 0)
end

function Parser:skip_blank()
  while true do
    local at = self.text:match("^[ \t]*()", self.at)
    if self.text:sub(at, at + 1) == "\\\n" then
      at = at + 2
    elseif self.text:sub(at, at) == "#" then
      at = self.text:find("\n", at, true) or #self.text + 1
    end
    if at == self.at then return end
    self.at = at
  end
end

function Parser:skip_lines()
  repeat
    local before = self.at
    self:skip_blank()
    if self.text:sub(self.at, self.at) == "\n" then self.at = self.at + 1 end
  until self.at == before
end

function Parser:take(text)
  if self.text:sub(self.at, self.at + #text - 1) ~= text then return false end
  self.at = self.at + #text
  return true
end

-- $name, ${name}, $?, $(…); nil if it is a plain dollar.
function Parser:dollar(quoted)
  local name, after = self.text:match("^%$([%a_][%w_]*)()", self.at)
  if name then
    self.at = after
    return { variable = name, quoted = quoted }
  end
  local special = self.text:match("^%$([%?%$#%d])", self.at)
  if special then
    self.at = self.at + 2
    return { variable = special, quoted = quoted }
  end
  local braced, past = self.text:match("^%${([%w_%?]+)}()", self.at)
  if braced then
    self.at = past
    return { variable = braced, quoted = quoted }
  end
  if self:take "$(" then
    local list = self:list { [")"] = true }
    if not self:take ")" then self:fail "unexpected EOF while looking for matching `)'" end
    return { substitute = list, quoted = quoted }
  end
  return nil
end

function Parser:backquote(quoted)
  local inner, after = self.text:match("^`([^`]*)`()", self.at)
  if not inner then self:fail "unexpected EOF while looking for matching ``'" end
  self.at = after
  return { substitute = parse_at(inner, self.depth), quoted = quoted }
end

function Parser:double_quoted(parts)
  parts[#parts + 1] = { text = "", quoted = true }
  while true do
    local text, at = self.text:match('^([^"$`\\]*)()', self.at)
    if text ~= "" then parts[#parts + 1] = { text = text, quoted = true } end
    self.at = at
    local char = self.text:sub(at, at)
    if char == "" then self:fail 'unexpected EOF while looking for matching `"\'' end
    if char == '"' then
      self.at = at + 1
      return
    elseif char == "\\" then
      local next_char = self.text:sub(at + 1, at + 1)
      local kept = next_char:find '[$`"\\\n]' and (next_char == "\n" and "" or next_char)
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

-- The next word; nil if there is none here.
function Parser:word()
  local parts = {}
  while true do
    local text, at = self.text:match("^([^%s'\"\\$`;&|()<>]*)()", self.at)
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
      parts[#parts + 1] = { text = self.text:sub(at + 1, at + 1), quoted = true }
      self.at = math.min(at + 2, #self.text + 1)
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

function Parser:redirect(redirects)
  local fd, how, at = self.text:match("^(%d?)([<>]>?&?)()", self.at)
  if not how then
    local both = self.text:match("^&>>?()", self.at)
    if not both then return false end
    self.at = both
    self:skip_blank()
    redirects[#redirects + 1] =
      { fd = "1", how = ">", word = self:word() or self:fail "syntax error near redirection" }
    redirects[#redirects + 1] = { fd = "2", how = ">&", word = { { text = "1" } } }
    return true
  end
  self.at = at
  self:skip_blank()
  local word = self:word() or self:fail "syntax error near unexpected token `newline'"
  redirects[#redirects + 1] =
    { fd = fd ~= "" and fd or (how:sub(1, 1) == "<" and "0" or "1"), how = how, word = word }
  return true
end

-- The bare word that comes next; nil if the next word is none. It looks at the text only: parsing
-- the word twice would take time that doubles with each level of $(…).
function Parser:peek_bare()
  local word, after = self.text:match("^([^%s'\"\\$`;&|()<>]+)()", self.at)
  if not word or self.text:find("^['\"\\$`]", after) then return nil end
  return word
end

local CLOSING <const> = {
  ["}"] = true, ["fi"] = true, ["then"] = true, ["else"] = true, ["elif"] = true, ["done"] = true,
  ["do"] = true,
}

function Parser:expect(word)
  self:skip_lines()
  if self:peek_bare() ~= word then self:fail(("syntax error: expected `%s'"):format(word)) end
  self:word()
end

function Parser:conditional()
  local clauses, otherwise = {}, nil
  repeat
    self:word()  -- if, elif
    local condition = self:list(CLOSING)
    self:expect "then"
    clauses[#clauses + 1] = { condition = condition, body = self:list(CLOSING) }
    self:skip_lines()
    local word = self:peek_bare()
  until word ~= "elif"
  if self:peek_bare() == "else" then
    self:word()
    otherwise = self:list(CLOSING)
  end
  self:expect "fi"
  return { clauses = clauses, otherwise = otherwise }
end

function Parser:command()
  self:skip_blank()
  local redirects = {}
  local command
  if self:take "(" then
    command = { group = self:list { [")"] = true }, subshell = true, redirects = redirects }
    if not self:take ")" then self:fail "syntax error: expected `)'" end
  elseif self:peek_bare() == "{" then
    self:word()
    command = { group = self:list(CLOSING), redirects = redirects }
    self:expect "}"
  elseif self:peek_bare() == "if" then
    command = self:conditional()
    command.redirects = redirects
  end
  if command then
    repeat self:skip_blank() until not self:redirect(redirects)
    return command
  end
  command = { words = {}, assignments = {}, redirects = redirects }
  while true do
    self:skip_blank()
    if not self:redirect(redirects) then
      local name, at = self.text:match("^([%a_][%w_]*)=()", self.at)
      if name and #command.words == 0 then
        self.at = at
        command.assignments[#command.assignments + 1] = { name = name, word = self:word() or {} }
      else
        local word = self:word()
        if not word then break end
        command.words[#command.words + 1] = word
      end
    end
  end
  if #command.words == 0 and #command.assignments == 0 and #redirects == 0 then return nil end
  return command
end

function Parser:list(closing)
  self.depth = self.depth + 1
  if self.depth > MAX_DEPTH then self:fail "maximum nesting level exceeded" end
  local list = self:entries(closing)
  self.depth = self.depth - 1
  return list
end

function Parser:entries(closing)
  local list = {}
  local join = ";"
  while true do
    self:skip_lines()
    if closing[self.text:sub(self.at, self.at)] or closing[self:peek_bare() or false] then break end
    local negated = self:peek_bare() == "!"
    if negated then self:word() end
    local pipeline = {}
    repeat
      local command = self:command()
      if not command then
        if #pipeline > 0 or self.at <= #self.text then
          self:fail(
            ("syntax error near unexpected token `%s'"):format(self.text:sub(self.at, self.at))
          )
        end
        return list
      end
      pipeline[#pipeline + 1] = command
      self:skip_blank()
    until self.text:sub(self.at, self.at + 1) == "||" or not self:take "|"
    list[#list + 1] = { join = join, pipeline = pipeline, negated = negated }
    if self:take "&&" then
      join = "&&"
    elseif self:take "||" then
      join = "||"
    elseif self:take ";" or self:take "\n" or self:take "&" then
      join = ";"
    elseif self.at > #self.text or closing[self.text:sub(self.at, self.at)] then
      break
    end
  end
  return list
end

function parse_at(text, depth)
  local parser = setmetatable({ text = text, at = 1, depth = depth }, Parser)
  local list = parser:list {}
  if parser.at <= #text then
    parser:fail(("syntax error near unexpected token `%s'"):format(text:sub(parser.at, parser.at)))
  end
  return list
end

function M.parse(text)
  local ok, result = pcall(parse_at, text, 0)
  if ok then return result end
  if type(result) == "table" and result.syntax then return nil, result.syntax end
  error(result, 0)
end

return M
