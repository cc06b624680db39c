-- The syntax tree of a playbook, with its local variables resolved. The text is known to compile:
-- Lua's own compiler has accepted it, so this parser reports nothing.
--
--   local main = parser.parse(text)     -- a Function
--
-- A body is an array of statements. Each node has a `tag`, and `from` and `to`, its bytes in the
-- text. Expressions:
--   Nil True False Vararg · Number, String { value } · Name { name, var } · Paren { value }
--   Index { object, key, dotted } · Call { called, args }
--   Method { object, name, name_from, name_to, args }
--   Function { params, is_vararg, body, returns } · Table { items = { { key, named, value } } }
--   Unary { op, value } · Binary { op, left, right }
-- Statements:
--   Local { vars, values } · Assign { targets, values } · Do { body } · While { condition, body }
--   Repeat { body, condition } · If { arms = { { condition, body } }, otherwise }
--   For { vars, values, body } (numbers) · ForIn { vars, values, body } · Return { values }
--   Expression { value } (a call) · Break Goto Label
--
-- A local variable is { name, from, to, kind, value, sets, uses, calls }: `value` is the expression
-- that it starts with, `sets` counts later assignments, `later` is the first of them, `uses` counts
-- where it is read, `calls` are the calls of it; `shadows` is the variable that a loop's variable
-- hides. A name without `var` is global.
local lexer = require "build.lexer"

local Parser <const> = {}
Parser.__index = Parser

-- -- tokens --

function Parser:is(value)
  local token = self.tokens[self.at]
  return token and token.kind ~= "string" and token.value == value
end

function Parser:take()
  self.at = self.at + 1
  return self.tokens[self.at - 1]
end

function Parser:accept(value)
  if self:is(value) then return self:take() end
end

-- The text compiles, so a surprise is a bug of this parser: say where.
function Parser:expect(value)
  local token = self:accept(value)
  if token then return token end
  token = self.tokens[self.at] or {}
  error(("lint: line %s: expected '%s', got '%s'"):format(token.line, value, token.value))
end

function Parser:name()
  local token = self:take()
  return token.value, token
end

function Parser:last() return self.tokens[self.at - 1].to end

-- -- variables --

function Parser:open() self.scope = { above = self.scope, vars = {} } end

function Parser:close() self.scope = self.scope.above end

function Parser:declare(name, token, kind)
  local var = {
    name = name, from = token.from, to = token.to, kind = kind, sets = 0, uses = 0, calls = {},
  }
  var.shadows = kind == "for" and self:find(name) or nil
  self.scope.vars[name] = var
  return var
end

function Parser:find(name)
  local scope = self.scope
  while scope do
    if scope.vars[name] then return scope.vars[name] end
    scope = scope.above
  end
end

-- -- expressions --

local function node(tag, from, fields)
  fields.tag, fields.from = tag, from
  return fields
end

local CONSTANTS <const> =
  { ["nil"] = "Nil", ["true"] = "True", ["false"] = "False", ["..."] = "Vararg" }

function Parser:list_until(close)
  local list = {}
  while not self:is(close) do
    list[#list + 1] = self:expression()
    if not self:accept "," then break end
  end
  self:expect(close)
  return list
end

function Parser:expressions()
  local list = { self:expression() }
  while self:accept "," do list[#list + 1] = self:expression() end
  return list
end

function Parser:table()
  local from, items = self:expect("{").from, {}
  while not self:is "}" do
    local item = {}
    local token, following = self.tokens[self.at], self.tokens[self.at + 1]
    if self:accept "[" then
      item.key = self:expression()
      self:expect "]"
      self:expect "="
    elseif
      token.kind == "name" and following and following.kind == "symbol" and following.value == "="
    then
      self.at = self.at + 2
      item.named = true
      item.key = node("String", token.from, { value = token.value, to = token.to })
    end
    item.value = self:expression()
    items[#items + 1] = item
    if not (self:accept "," or self:accept ";") then break end
  end
  return node("Table", from, { items = items, to = self:expect("}").to })
end

function Parser:arguments()
  local token = self.tokens[self.at]
  if token.kind == "string" then
    self:take()
    return { node("String", token.from, { value = token.value, to = token.to }) }
  end
  if self:is "{" then return { self:table() } end
  self:expect "("
  return self:list_until ")"
end

function Parser:primary()
  local token = self.tokens[self.at]
  if self:accept "(" then
    local value = self:expression()
    return node("Paren", token.from, { value = value, to = self:expect(")").to })
  end
  self:take()
  local var = self:find(token.value)
  if var then var.uses = var.uses + 1 end
  return node("Name", token.from, { name = token.value, var = var, to = token.to })
end

function Parser:starts_arguments()
  local token = self.tokens[self.at]
  return token and (token.kind == "string" or self:is "(" or self:is "{")
end

-- A chain of calls is as deep as it is long. What looks at its value needs Lua's stack.
local MAX_LINKS <const> = 10000

function Parser:suffixed()
  local value = self:primary()
  for _ = 1, MAX_LINKS do
    if self:accept "." then
      local name, token = self:name()
      local key = node("String", token.from, { value = name, to = token.to })
      value = node("Index", value.from,
        { object = value, key = key, dotted = true, to = token.to })
    elseif self:accept "[" then
      local key = self:expression()
      value = node("Index", value.from, { object = value, key = key, to = self:expect("]").to })
    elseif self:accept ":" then
      local name, token = self:name()
      value = node("Method", value.from, {
        object = value, name = name, name_from = token.from, name_to = token.to,
        args = self:arguments(), to = self:last(),
      })
    elseif self:starts_arguments() then
      local call = node("Call", value.from, { called = value, args = self:arguments() })
      call.to = self:last()
      if value.var then table.insert(value.var.calls, call) end
      value = call
    else
      return value
    end
  end
  error({ too_deep = value.from }, 0)
end

-- The parameters and the body; `method` adds self.
function Parser:body(from, method)
  self:open()
  local params, is_vararg = {}, false
  if method then params[1] = self:declare("self", self.tokens[self.at], "self") end
  self:expect "("
  while not self:is ")" do
    if self:accept "..." then
      is_vararg = true
    else
      local name, token = self:name()
      params[#params + 1] = self:declare(name, token, "parameter")
    end
    if not self:accept "," then break end
  end
  self:expect ")"
  local made = node("Function", from, { params = params, is_vararg = is_vararg, returns = {} })
  local outer = self.current
  self.current = made
  made.body = self:block()
  self.current = outer
  made.to = self:expect("end").to
  self:close()
  return made
end

function Parser:simple()
  local token = self.tokens[self.at]
  if token.kind == "string" or token.kind == "number" then
    self:take()
    local tag = token.kind == "string" and "String" or "Number"
    return node(tag, token.from, { value = token.value, to = token.to })
  end
  local constant = CONSTANTS[token.value]
  if constant then
    self:take()
    return node(constant, token.from, { to = token.to })
  end
  if self:is "{" then return self:table() end
  if self:accept "function" then return self:body(token.from) end
  return self:suffixed()
end

local UNARY <const> = { ["not"] = true, ["-"] = true, ["#"] = true, ["~"] = true }
local UNARY_PRIORITY <const> = 12
-- Left and right priority, as in Lua's own parser.
local BINARY <const> = {
  ["or"] = { 1, 1 }, ["and"] = { 2, 2 },
  ["<"] = { 3, 3 }, [">"] = { 3, 3 }, ["<="] = { 3, 3 }, [">="] = { 3, 3 }, ["~="] = { 3, 3 },
  ["=="] = { 3, 3 },
  ["|"] = { 4, 4 }, ["~"] = { 5, 5 }, ["&"] = { 6, 6 }, ["<<"] = { 7, 7 }, [">>"] = { 7, 7 },
  [".."] = { 9, 8 }, ["+"] = { 10, 10 }, ["-"] = { 10, 10 },
  ["*"] = { 11, 11 }, ["/"] = { 11, 11 }, ["//"] = { 11, 11 }, ["%"] = { 11, 11 },
  ["^"] = { 14, 13 },
}

local function operator(token, set)
  return token and (token.kind == "symbol" or token.kind == "keyword") and set[token.value]
end

function Parser:expression(limit)
  limit = limit or 0
  local token, value = self.tokens[self.at]
  if operator(token, UNARY) then
    self:take()
    local operand = self:expression(UNARY_PRIORITY)
    value = node("Unary", token.from, { op = token.value, value = operand, to = operand.to })
  else
    value = self:simple()
  end
  while true do
    token = self.tokens[self.at]
    local priority = operator(token, BINARY)
    if not priority or priority[1] <= limit then return value end
    self:take()
    local right = self:expression(priority[2])
    value = node("Binary", value.from,
      { op = token.value, left = value, right = right, to = right.to })
  end
end

-- -- statements --

local statements <const> = {}

function statements:local_(from)
  if self:accept "function" then
    local name, token = self:name()
    local var = self:declare(name, token, "function")
    var.value = self:body(from)
    for i, param in ipairs(var.value.params) do param.callers, param.position = var, i end
    return node("Local", from, { vars = { var }, values = { var.value } })
  end
  local names = {}
  repeat
    local name, token = self:name()
    names[#names + 1] = { name, token }
    if self:accept "<" then
      names[#names][3] = self:name()
      self:expect ">"
    end
  until not self:accept ","
  local values = self:accept "=" and self:expressions() or {}
  local vars = {}
  for i, entry in ipairs(names) do
    local var = self:declare(entry[1], entry[2], "local")
    var.value, var.attribute = values[i], entry[3]
    vars[i] = var
  end
  return node("Local", from, { vars = vars, values = values })
end

function statements:function_(from)
  local _, token = self:name()
  local target =
    node("Name", token.from, { name = token.value, var = self:find(token.value), to = token.to })
  local method, owner = false, target.var
  if owner and (self:is "." or self:is ":") then owner.uses = owner.uses + 1 end
  while self:is "." or self:is ":" do
    method = self:take().value == ":"
    local name, key = self:name()
    target = node("Index", target.from, {
      object = target, dotted = true, to = key.to,
      key = node("String", key.from, { value = name, to = key.to }),
    })
  end
  if target.var then target.var.sets = target.var.sets + 1 end
  local value = self:body(from, method)
  return node("Assign", from, { targets = { target }, values = { value }, is_function = true })
end

statements["if"] = function(self, from)
  local arms, otherwise = {}, nil
  repeat
    local condition = self:expression()
    self:expect "then"
    arms[#arms + 1] = { condition = condition, body = self:scoped() }
  until not self:accept "elseif"
  if self:accept "else" then otherwise = self:scoped() end
  self:expect "end"
  return node("If", from, { arms = arms, otherwise = otherwise })
end

statements["while"] = function(self, from)
  local condition = self:expression()
  self:expect "do"
  local body = self:scoped()
  self:expect "end"
  return node("While", from, { condition = condition, body = body })
end

statements["do"] = function(self, from)
  local body = self:scoped()
  self:expect "end"
  return node("Do", from, { body = body })
end

statements["repeat"] = function(self, from)
  self:open()
  local body = self:block()
  self:expect "until"
  local condition = self:expression() -- it sees the variables of the body
  self:close()
  return node("Repeat", from, { body = body, condition = condition })
end

statements["for"] = function(self, from)
  local names = {}
  repeat names[#names + 1] = table.pack(self:name()) until not self:accept ","
  local tag = self:accept "=" and "For" or "ForIn"
  if tag == "ForIn" then self:expect "in" end
  local values = self:expressions()
  self:expect "do"
  self:open()
  local vars = {}
  for i, entry in ipairs(names) do vars[i] = self:declare(entry[1], entry[2], "for") end
  local body = self:block()
  self:close()
  self:expect "end"
  return node(tag, from, { vars = vars, values = values, body = body })
end

statements["return"] = function(self, from)
  local values = {}
  if self.tokens[self.at] and not (self:ends() or self:is ";") then values = self:expressions() end
  self:accept ";"
  local made = node("Return", from, { values = values })
  table.insert(self.current.returns, made)
  return made
end

statements["break"] = function(_, from) return node("Break", from, {}) end

statements["goto"] = function(self, from)
  self:name()
  return node("Goto", from, {})
end

statements["::"] = function(self, from)
  self:name()
  self:expect "::"
  return node("Label", from, {})
end

statements["local"], statements["function"] = statements.local_, statements.function_

-- An assignment or a call.
function Parser:plain(from)
  local first = self:suffixed()
  if not (self:is "=" or self:is ",") then return node("Expression", from, { value = first }) end
  local targets = { first }
  while self:accept "," do targets[#targets + 1] = self:suffixed() end
  self:expect "="
  local values = self:expressions()
  for i, target in ipairs(targets) do
    if target.var then
      target.var.sets = target.var.sets + 1
      target.var.uses = target.var.uses - 1 -- an assignment reads nothing
      target.var.later = target.var.later or values[i]
    end
  end
  return node("Assign", from, { targets = targets, values = values })
end

local ENDS <const> = { ["end"] = true, ["else"] = true, ["elseif"] = true, ["until"] = true }

function Parser:ends()
  local token = self.tokens[self.at]
  return not token or token.kind == "keyword" and ENDS[token.value]
end

function Parser:block()
  local block = {}
  while not self:ends() do
    local token = self.tokens[self.at]
    if not self:accept ";" then
      local kind = token.kind ~= "name" and token.kind ~= "string" and statements[token.value]
      if kind then self:take() end
      local made = kind and kind(self, token.from) or self:plain(token.from)
      made.to = self:last()
      block[#block + 1] = made
    end
  end
  return block
end

function Parser:scoped()
  self:open()
  local block = self:block()
  self:close()
  return block
end

local M = {}

--- Returns the tree of a text that compiles, as a function without parameters; and its tokens.
-- Raises { too_deep = byte } if it is too deep to be looked at.
function M.parse(text)
  local main = node("Function", 1, { params = {}, is_vararg = true, returns = {}, to = #text })
  local self = setmetatable({ tokens = lexer.list(text), at = 1, current = main }, Parser)
  main.body = self:scoped()
  return main, self.tokens
end

return M
