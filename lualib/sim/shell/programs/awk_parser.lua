-- Parses programs of awk.
--
-- parse(text) -> { { kind = "begin" | "end" | nil, pattern =, to =, body = { statement, … } }, … }
-- Statements and expressions are nodes with `what`, see sim/shell/programs/awk.lua.
local M = {}

local MAX_DEPTH <const> = 60

local Parser <const> = {}
Parser.__index = Parser

local function fail(text)
  error({ awk = text }, 0)
end

local OPERATORS <const> = {
  "&&", "||", "==", "!=", "<=", ">=", "++", "--", "+=", "-=", "*=", "/=", "%=", "^=", ">>", "!~",
}

local ESCAPES <const> = { n = "\n", t = "\t", r = "\r", ["\\"] = "\\", ['"'] = '"', ["/"] = "/" }

-- The next token: kind ("number", "text", "name", "regex", "newline", "end" or an operator), value.
-- `operand`: whether a slash begins a regular expression.
function Parser:scan(operand)
  while true do
    local at = self.text:match("^[ \t\r]*()", self.at)
    if self.text:sub(at, at + 1) == "\\\n" then at = at + 2 end
    if self.text:sub(at, at) == "#" then
      at = self.text:find("\n", at, true) or #self.text + 1
    end
    if at == self.at then break end
    self.at = at
  end
  local text, at = self.text, self.at
  if at > #text then return "end", nil, at end
  if text:sub(at, at) == "\n" then return "newline", nil, at + 1 end
  local number, after = text:match("^(%d+%.?%d*)()", at)
  if not number then number, after = text:match("^(%.%d+)()", at) end
  if number then return "number", tonumber(number), after end
  local name, past = text:match("^([%a_][%w_]*)()", at)
  if name then return "name", name, past end
  local char = text:sub(at, at)
  if char == '"' or char == "/" and operand then
    local parts, i = {}, at + 1
    while true do
      local plain, stop = text:match(char == '"' and '^([^"\\\n]*)()' or "^([^/\\\n]*)()", i)
      parts[#parts + 1] = plain
      local mark = text:sub(stop, stop)
      if mark == char then
        return char == '"' and "text" or "regex", table.concat(parts), stop + 1
      end
      if mark ~= "\\" then fail(char == '"' and "unterminated string" or "unterminated regexp") end
      local escaped = text:sub(stop + 1, stop + 1)
      if char == '"' then
        parts[#parts + 1] = ESCAPES[escaped] or "\\" .. escaped
      else
        parts[#parts + 1] = escaped == "/" and "/" or "\\" .. escaped
      end
      i = stop + 2
    end
  end
  local two = text:sub(at, at + 1)
  for _, operator in ipairs(OPERATORS) do
    if two == operator then return operator, nil, at + 2 end
  end
  return char, nil, at + 1
end

function Parser:deeper()
  self.depth = self.depth + 1
  if self.depth > MAX_DEPTH then fail "too many levels" end
end

function Parser:peek(operand)
  local kind, value = self:scan(operand)
  return kind, value
end

function Parser:take(kind, value)
  local own, found, after = self:scan()
  if own ~= kind or value and found ~= value then return false end
  self.at = after
  return true
end

function Parser:expect(kind)
  if not self:take(kind) then
    fail(("syntax error near %s"):format(self.text:sub(self.at, self.at + 10)))
  end
end

function Parser:newlines()
  while self:take "newline" do end
end

function Parser:list(closing)
  local list = {}
  if self:take(closing) then return list end
  repeat
    self:newlines()
    list[#list + 1] = self:expression()
  until not self:take ","
  self:expect(closing)
  return list
end

function Parser:named(name)
  if M.functions[name] then
    if self:take "(" then return { what = "call", name = name, arguments = self:list ")" } end
    if name == "length" then return { what = "call", name = name, arguments = {} } end
    fail(("%s() needs arguments"):format(name))
  end
  if self:take "[" then return { what = "element", name = name, keys = self:list "]" } end
  if self.text:sub(self.at, self.at) == "(" then fail(("function %s is not simulated"):format(name))
  end
  return { what = "variable", name = name }
end

function Parser:primary()
  self:deeper()
  local kind, value, after = self:scan(true)
  self.at = after
  local node
  if kind == "number" or kind == "text" then
    node = { what = "constant", value = value }
  elseif kind == "regex" then
    node = { what = "regex", text = value }
  elseif kind == "name" then
    node = self:named(value)
  elseif kind == "$" then
    local inner = self:primary()
    node = { what = "field", number = inner }
  elseif kind == "(" then
    node = self:expression()
    if self:take "," then
      local keys = { node }
      repeat keys[#keys + 1] = self:expression() until not self:take ","
      self:expect ")"
      if not self:take("name", "in") then fail "syntax error near )" end
      local _, name, past = self:scan()
      self.at = past
      node = { what = "contains", name = name, keys = keys }
    else
      self:expect ")"
      node = { what = "choice", condition = { what = "constant", value = 1 }, yes = node }
    end
  elseif kind == "!" then
    node = { what = "not", inner = self:unary() }
  elseif kind == "-" or kind == "+" then
    node = { what = "negative", inner = self:unary() }
    if kind == "+" then node = { what = "negative", inner = node } end
  elseif kind == "++" or kind == "--" then
    node = { what = "step", target = self:primary(), by = kind == "++" and 1 or -1, before = true }
  else
    fail(("syntax error near %s"):format(self.text:sub(after - 1, after + 10)))
  end
  self.depth = self.depth - 1
  return node
end

local TARGETS <const> = { variable = true, field = true, element = true }

function Parser:unary()
  local node = self:primary()
  if TARGETS[node.what] then
    if self:take "++" then return { what = "step", target = node, by = 1 } end
    if self:take "--" then return { what = "step", target = node, by = -1 } end
  end
  if self:take "^" then
    self:deeper()
    node = { what = "binary", operator = "^", left = node, right = self:unary() }
    self.depth = self.depth - 1
  end
  return node
end

local function set(words)
  local found = {}
  for word in words:gmatch "%S+" do found[word] = true end
  return found
end

-- What can begin an operand: two of them side by side are joined.
local OPERAND <const> = set "number text name $ ( ! -"
local LEVELS <const> = {
  set "||", set "&&", set "~ !~", set "== != < <= > >=", { [" "] = true }, set "+ -", set "* / %",
}

function Parser:binary(level)
  local operators = LEVELS[level]
  if not operators then return self:unary() end
  local node = self:binary(level + 1)
  while true do
    local kind, value = self:peek()
    if operators[" "] then
      local joins = OPERAND[kind] and kind ~= "-" and kind ~= "!"
      if not joins or kind == "name" and value == "in" then return node end
      node = { what = "binary", operator = " ", left = node, right = self:binary(level + 1) }
    elseif kind == "name" and value == "in" and level == 2 then
      self:take "name"
      local _, name, after = self:scan()
      self.at = after
      node = { what = "contains", name = name, keys = { node } }
    elseif operators[kind] and not (kind == ">" and self.printing) then
      self:take(kind)
      self:newlines()
      node = { what = "binary", operator = kind, left = node, right = self:binary(level + 1) }
    else
      return node
    end
  end
end

local ASSIGNMENTS <const> = set "= += -= *= /= %= ^="

function Parser:expression()
  self:deeper()
  local node = self:binary(1)
  local kind = self:peek()
  if ASSIGNMENTS[kind] and TARGETS[node.what] then
    self:take(kind)
    node = {
      what = "assign", target = node, operator = kind:sub(1, -2), value = self:expression(),
    }
  elseif kind == "?" then
    self:take "?"
    local yes = self:expression()
    self:expect ":"
    node = { what = "choice", condition = node, yes = yes, no = self:expression() }
  end
  self.depth = self.depth - 1
  return node
end

-- -- statements --

function Parser:print(name)
  local node = { what = name, arguments = {} }
  self.printing = true
  local kind = self:peek(true)
  local ends = set "newline ; } end > >>"
  if not ends[kind] then
    repeat
      self:newlines()
      node.arguments[#node.arguments + 1] = self:expression()
    until not self:take ","
  end
  self.printing = false
  if self:take ">>" then node.append = true elseif not self:take ">" then return node end
  node.target = self:primary()
  return node
end

function Parser:for_loop()
  self:expect "("
  local name, array = self.text:match("^%s*([%a_][%w_]*)%s+in%s+([%a_][%w_]*)%s*%)", self.at)
  if name then
    self.at = self.text:match("^%s*[%a_][%w_]*%s+in%s+[%a_][%w_]*%s*%)()", self.at)
    return { what = "in", name = name, array = array, body = self:inner() }
  end
  local node = { what = "for" }
  if not self:take ";" then
    node.first = { what = "expression", value = self:expression() }
    self:expect ";"
  end
  if not self:take ";" then
    node.condition = self:expression()
    self:expect ";"
  end
  if not self:take ")" then
    node.step = { what = "expression", value = self:expression() }
    self:expect ")"
  end
  node.body = self:inner()
  return node
end

function Parser:inner()
  self:newlines()
  if self:take ";" then return { what = "block", body = {} } end
  return self:statement()
end

local KEYWORDS <const> = {}

KEYWORDS["if"] = function(self)
  self:expect "("
  local node = { what = "if", condition = self:expression() }
  self:expect ")"
  node.yes = self:inner()
  local before = self.at
  while self:take ";" or self:take "newline" do end
  if self:take("name", "else") then node.no = self:inner() else self.at = before end
  return node
end

KEYWORDS["while"] = function(self)
  self:expect "("
  local node = { what = "while", condition = self:expression() }
  self:expect ")"
  node.body = self:inner()
  return node
end

KEYWORDS["do"] = function(self)
  local node = { what = "do", body = self:inner() }
  while self:take ";" or self:take "newline" do end
  if not self:take("name", "while") then fail "syntax error near do" end
  self:expect "("
  node.condition = self:expression()
  self:expect ")"
  return node
end

KEYWORDS["for"] = Parser.for_loop
KEYWORDS.print = function(self) return self:print "print" end
KEYWORDS.printf = function(self) return self:print "printf" end

for _, how in ipairs { "next", "exit", "break", "continue" } do
  KEYWORDS[how] = function(self)
    local node = { what = "leave", how = how }
    local kind = self:peek(true)
    if how == "exit" and (OPERAND[kind]) then node.value = self:expression() end
    return node
  end
end

KEYWORDS.delete = function(self)
  local _, name, after = self:scan()
  self.at = after
  return { what = "delete", name = name, keys = self:take "[" and self:list "]" or nil }
end

function Parser:statement()
  if self:take "{" then return { what = "block", body = self:block() } end
  local kind, value, after = self:scan(true)
  local read = kind == "name" and KEYWORDS[value]
  if read then
    self.at = after
    self:deeper()
    local node = read(self)
    self.depth = self.depth - 1
    return node
  end
  return { what = "expression", value = self:expression() }
end

function Parser:block()
  self:deeper()
  local list = {}
  while true do
    while self:take ";" or self:take "newline" do end
    if self:take "}" then break end
    if self:peek(true) == "end" then fail "syntax error: expected }" end
    list[#list + 1] = self:statement()
    local kind = self:peek()
    local previous = list[#list].what
    local closed = previous == "block" or previous == "if" or previous == "while"
      or previous == "for" or previous == "in"
    if kind ~= ";" and kind ~= "newline" and kind ~= "}" and not closed then
      fail(("syntax error near %s"):format(self.text:sub(self.at, self.at + 10)))
    end
  end
  self.depth = self.depth - 1
  return list
end

function M.parse(text)
  local parser = setmetatable({ text = text, at = 1, depth = 0 }, Parser)
  local rules = {}
  while true do
    while parser:take ";" or parser:take "newline" do end
    local kind, value, after = parser:scan(true)
    if kind == "end" then return rules end
    local rule = {}
    if kind == "name" and (value == "BEGIN" or value == "END") then
      rule.kind = value:lower()
      parser.at = after
    elseif kind ~= "{" then
      rule.pattern = parser:expression()
      if parser:take "," then rule.to = parser:expression() end
    end
    if parser:take "{" then rule.body = parser:block() elseif rule.kind then fail "missing {" end
    rules[#rules + 1] = rule
  end
end

return M
