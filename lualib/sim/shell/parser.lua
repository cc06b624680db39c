-- Parses the part of bash that scripts for devices use: lists, pipes, groups, redirections,
-- here-documents, if, for, while, case, functions. Words are in sim/shell/words.lua.
--
-- parse(text) -> list or nil, message
--   list     = { { join = ";" | "&&" | "||", pipeline = { command, … }, negated = bool }, … }
--   command  = { words = { word, … }, assignments = { { name, word }, … }, redirects }
--            | { group = list, subshell = bool, redirects }
--            | { clauses = { { condition, body }, … }, otherwise = list, redirects }
--            | { loop = variable, items = { word, … } or nil, body, redirects }
--            | { condition = list, until_true = bool, body, redirects }
--            | { initial, check, step = words, body, redirects }     for ((…;…;…))
--            | { case = word, branches = { { patterns = { word, … }, body }, … }, redirects }
--            | { define = name, body = command }
--            | { test = { word, … }, redirects }                     [[ … ]]
--            | { arithmetic = word, redirects }                      (( … ))
--   redirects = { { fd, how, word }, … }; how "<<" has the text of a here-document in `word`
local words = require "sim.shell.words"

local M = {}

local MAX_DEPTH <const> = 50

local Parser <const> = {}
Parser.__index = Parser
for name, method in pairs(words.methods) do Parser[name] = method end

local parse_at  -- parses a text at a depth

function Parser.fail(_, message)
  error({ syntax = message }, 0)
end

-- The text of $(…) in backquotes, at the depth of this text.
function Parser:parse_inner(text)
  return parse_at(text, self.depth)
end

-- A text in which only variables and substitutions mean something.
function Parser:inner_word(text, how)
  local parser = setmetatable({ text = text, at = 1, depth = self.depth + 1, waiting = {} }, Parser)
  if parser.depth > MAX_DEPTH then self:fail "maximum nesting level exceeded" end
  local parts = {}
  parser:double_quoted(parts, how or "inner")
  return parts
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

-- Reads the here-documents that begin after this line.
function Parser:documents()
  for _, redirect in ipairs(self.waiting) do
    local lines = {}
    while true do
      if self.at > #self.text then break end
      local line, after = self.text:match("^([^\n]*)\n?()", self.at)
      self.at = after
      if redirect.tabs then line = line:gsub("^\t+", "") end
      if line == redirect.delimiter then break end
      lines[#lines + 1] = line .. "\n"
    end
    local text = table.concat(lines)
    redirect.word = redirect.plain and { { text = text, quoted = true } }
      or self:inner_word(text, "document")
  end
  self.waiting = {}
end

function Parser:new_line()
  if self.text:sub(self.at, self.at) ~= "\n" then return false end
  self.at = self.at + 1
  self:documents()
  return true
end

function Parser:skip_lines()
  repeat
    local before = self.at
    self:skip_blank()
    self:new_line()
  until self.at == before
end

function Parser:take(text)
  if self.text:sub(self.at, self.at + #text - 1) ~= text then return false end
  self.at = self.at + #text
  return true
end

-- "<<WORD", "<<-WORD": the text comes after the line.
function Parser:here_document(redirects, fd, tabs)
  self:skip_blank()
  local word = self:word() or self:fail "syntax error near unexpected token `newline'"
  local parts, plain = {}, false
  for _, part in ipairs(word) do
    parts[#parts + 1] = part.text or "$" .. tostring(part.variable)
    plain = plain or part.quoted
  end
  local redirect = {
    fd = fd, how = "<<", delimiter = table.concat(parts), plain = plain, tabs = tabs,
    word = { { text = "", quoted = true } },  -- if the script ends with this line
  }
  redirects[#redirects + 1] = redirect
  self.waiting[#self.waiting + 1] = redirect
end

function Parser:redirect(redirects)
  local document_fd, dash, past = self.text:match("^(%d?)<<(%-?)()", self.at)
  if document_fd and self.text:sub(past, past) ~= "<" then
    self.at = past
    self:here_document(redirects, "0", dash == "-")
    return true
  end
  local string_at = self.text:match("^<<<()", self.at)
  if string_at then
    self.at = string_at
    self:skip_blank()
    local word = self:word() or self:fail "syntax error near unexpected token `newline'"
    word[#word + 1] = { text = "\n", quoted = true }
    redirects[#redirects + 1] = { fd = "0", how = "<<", word = word }
    return true
  end
  local fd, how, at = self.text:match("^(%d?)([<>]>?&?)()", self.at)
  if not how then
    local operator, both = self.text:match("^&(>>?)()", self.at)
    if not both then return false end
    self.at = both
    self:skip_blank()
    redirects[#redirects + 1] =
      { fd = "1", how = operator, word = self:word() or self:fail "syntax error near redirection" }
    redirects[#redirects + 1] = { fd = "2", how = ">&", word = { { text = "1" } } }
    return true
  end
  self.at = at
  self:take "|"  -- >|
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
  ["do"] = true, ["esac"] = true, [";;"] = true,
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

function Parser:body()
  self:skip_lines()
  if self:take ";" then self:skip_lines() end
  self:expect "do"
  local body = self:list(CLOSING)
  self:expect "done"
  return body
end

-- for NAME in WORDS; do …; done, and for ((…;…;…)); do …; done
function Parser:for_loop()
  self:word()
  self:skip_blank()
  local initial, check, step, after =
    self.text:match("^%(%(([^;\n]*);([^;\n]*);([^;\n]-)%)%)()", self.at)
  if initial then
    self.at = after
    return {
      initial = self:inner_word(initial), check = self:inner_word(check),
      step = self:inner_word(step), body = self:body(),
    }
  end
  local name, past = self.text:match("^([%a_][%w_]*)()", self.at)
  if not name then self:fail "syntax error near unexpected token `for'" end
  self.at = past
  self:skip_lines()
  local items
  if self:peek_bare() == "in" then
    self:word()
    items = {}
    while true do
      self:skip_blank()
      local word = self:word()
      if not word then break end
      items[#items + 1] = word
    end
  end
  return { loop = name, items = items, body = self:body() }
end

function Parser:while_loop()
  local until_true = self:peek_bare() == "until"
  self:word()
  local condition = self:list(CLOSING)
  return { condition = condition, until_true = until_true, body = self:body() }
end

function Parser:case()
  self:word()
  self:skip_blank()
  local subject = self:word() or self:fail "syntax error near unexpected token `case'"
  self:expect "in"
  local branches = {}
  while true do
    self:skip_lines()
    if self:peek_bare() == "esac" then break end
    self:take "("
    local patterns = {}
    repeat
      self:skip_blank()
      patterns[#patterns + 1] = self:word() or self:fail "syntax error near unexpected token `)'"
      self:skip_blank()
    until not self:take "|"
    if not self:take ")" then self:fail "syntax error: expected `)'" end
    branches[#branches + 1] = { patterns = patterns, body = self:list(CLOSING) }
    self:skip_lines()
    if not self:take ";;" then break end
  end
  self:expect "esac"
  return { case = subject, branches = branches }
end

-- [[ … ]]: its words; operators are words, too.
function Parser:test()
  self:word()
  local list = {}
  while true do
    self:skip_lines()
    local operator, after = self.text:match("^([&|][&|])()", self.at)
    if not operator then operator, after = self.text:match("^([()<>])()", self.at) end
    if operator then
      list[#list + 1] = { { text = operator, quoted = false } }
      self.at = after
    else
      local bare = self:peek_bare()
      local before = list[#list] and list[#list][1].text
      local word = self:word(before == "=~" and ";&" or nil)
      if not word then self:fail "syntax error in conditional expression" end
      if bare == "]]" then return { test = list } end
      list[#list + 1] = word
    end
  end
end

local COMPOUNDS <const> = {
  ["if"] = Parser.conditional, ["for"] = Parser.for_loop, ["while"] = Parser.while_loop,
  ["until"] = Parser.while_loop, ["case"] = Parser.case, ["[["] = Parser.test,
}

function Parser:compound()
  local arithmetic, past = self.text:match("^%(%((.-)%)%)()", self.at)
  -- two words side by side are no expression but a command in ( ( … ) )
  if arithmetic and not arithmetic:find "\n" and not arithmetic:find "[%w_]%s+[%a_-]" then
    self.at = past
    return { arithmetic = self:inner_word(arithmetic) }
  end
  if self:take "(" then
    local command = { group = self:list { [")"] = true }, subshell = true }
    if not self:take ")" then self:fail "syntax error: expected `)'" end
    return command
  end
  local word = self:peek_bare()
  if word == "{" then
    self:word()
    local command = { group = self:list(CLOSING) }
    self:expect "}"
    return command
  end
  local read = COMPOUNDS[word]
  return read and read(self)
end

-- name() { … }, function name { … }
function Parser:definition()
  local name, after = self.text:match("^([%a_][%w_%-]*)[ \t]*%([ \t]*%)%s*()", self.at)
  if not name then name, after = self.text:match("^function[ \t]+([%a_][%w_%-]*)%s*()", self.at) end
  if not name then return nil end
  self.at = self.text:match("^%(%s*%)%s*()", after) or after
  return { define = name, body = self:compound() or self:fail "syntax error near `('" }
end

function Parser:simple(redirects)
  local command = { words = {}, assignments = {}, redirects = redirects }
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

function Parser:command()
  self:skip_blank()
  local redirects = {}
  local command = self:definition() or self:compound()
  if not command then return self:simple(redirects) end
  command.redirects = redirects
  repeat self:skip_blank() until not self:redirect(redirects)
  return command
end

function Parser:list(closing)
  self.depth = self.depth + 1
  if self.depth > MAX_DEPTH then self:fail "maximum nesting level exceeded" end
  local list = self:entries(closing)
  self.depth = self.depth - 1
  return list
end

function Parser:at_end(closing)
  return closing[self.text:sub(self.at, self.at)] or closing[self:peek_bare() or false]
    or closing[";;"] and self.text:sub(self.at, self.at + 1) == ";;"
end

function Parser:pipeline()
  local pipeline = {}
  repeat
    if #pipeline > 0 then self:skip_lines() end
    local command = self:command()
    if not command then
      if #pipeline > 0 or self.at <= #self.text then
        self:fail(
          ("syntax error near unexpected token `%s'"):format(self.text:sub(self.at, self.at))
        )
      end
      return nil
    end
    pipeline[#pipeline + 1] = command
    self:skip_blank()
  until self.text:sub(self.at, self.at + 1) == "||" or not self:take "|"
  return pipeline
end

function Parser:entries(closing)
  local list = {}
  local join = ";"
  while true do
    self:skip_lines()
    if self:at_end(closing) then break end
    local negated = self:peek_bare() == "!"
    if negated then self:word() end
    local pipeline = self:pipeline()
    if not pipeline then break end
    list[#list + 1] = { join = join, pipeline = pipeline, negated = negated }
    if self:take "&&" then
      join = "&&"
    elseif self:take "||" then
      join = "||"
    elseif self.text:sub(self.at, self.at + 1) ~= ";;" and (self:take ";" or self:new_line()
      or self:take "&")
    then
      join = ";"
    elseif self.at > #self.text or self:at_end(closing) then
      break
    end
  end
  return list
end

function parse_at(text, depth)
  local parser = setmetatable({ text = text, at = 1, depth = depth, waiting = {} }, Parser)
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
