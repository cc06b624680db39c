-- Arithmetic of the shell: $(( … )), (( … )) and let.
--
-- evaluate(text, shell) -> integer; raises { syntax = message } for a wrong expression.
local texts = require "sim.text"
local M = {}

local MAX_DEPTH <const> = 50

local Reader <const> = {}
Reader.__index = Reader

local function fail(message)
  error({ syntax = message }, 0)
end

local function truth(condition) return condition and 1 or 0 end

local function divided(a, b, remainder)
  if b == 0 then fail "division by 0" end
  local quotient = a // b
  if quotient < 0 and quotient * b ~= a then quotient = quotient + 1 end  -- C rounds towards 0
  return remainder and a - quotient * b or quotient
end

-- Binary operators by precedence, lowest first.
local LEVELS <const> = {
  { ["||"] = function(a, b) return truth(a ~= 0 or b ~= 0) end },
  { ["&&"] = function(a, b) return truth(a ~= 0 and b ~= 0) end },
  { ["|"] = function(a, b) return a | b end },
  { ["^"] = function(a, b) return a ~ b end },
  { ["&"] = function(a, b) return a & b end },
  {
    ["=="] = function(a, b) return truth(a == b) end,
    ["!="] = function(a, b) return truth(a ~= b) end,
  },
  {
    ["<="] = function(a, b) return truth(a <= b) end,
    [">="] = function(a, b) return truth(a >= b) end,
    ["<"] = function(a, b) return truth(a < b) end,
    [">"] = function(a, b) return truth(a > b) end,
  },
  {
    ["<<"] = function(a, b) return a << (b & 63) end,
    [">>"] = function(a, b) return a >> (b & 63) end,
  },
  { ["+"] = function(a, b) return a + b end, ["-"] = function(a, b) return a - b end },
  {
    ["*"] = function(a, b) return a * b end,
    ["/"] = divided,
    ["%"] = function(a, b) return divided(a, b, true) end,
  },
}

local DOUBLE <const> = { "||", "&&", "==", "!=", "<=", ">=", "<<", ">>", "**", "++", "--" }

function Reader:peek()
  self.at = self.text:match("^%s*()", self.at)
  local two = self.text:sub(self.at, self.at + 1)
  for _, operator in ipairs(DOUBLE) do
    if two == operator then return operator end
  end
  return self.text:sub(self.at, self.at)
end

function Reader:take(operator)
  if self:peek() ~= operator then return false end
  self.at = self.at + #operator
  return true
end

local function number_of(text)
  if text == "" then return 0 end
  if text:find "^%-?0[0-7]+$" then return math.tointeger(tonumber((text:gsub("^(%-?)0+", "%1")), 8))
    or 0 end
  return math.tointeger(tonumber(text)) or nil
end

-- The value of a variable, which may itself be an expression.
function Reader:variable(name)
  local text = self.shell:value(name)
  local number = number_of(texts.trim(text))
  if number then return number end
  return M.evaluate(text, self.shell, self.depth + 1)
end

local ASSIGN <const> = { ["+"] = true, ["-"] = true, ["*"] = true, ["/"] = true, ["%"] = true }

function Reader:assigned(name, value)
  self.shell:assign(name, tostring(value))
  return value
end

function Reader:named(name)
  local operator = self:peek()
  if operator == "++" or operator == "--" then
    self.at = self.at + 2
    local old = self:variable(name)
    self:assigned(name, operator == "++" and old + 1 or old - 1)
    return old
  end
  if operator == "=" then
    self.at = self.at + 1
    return self:assigned(name, self:expression())
  end
  if ASSIGN[operator] and self.text:sub(self.at + 1, self.at + 1) == "=" then
    self.at = self.at + 2
    local right, old = self:expression(), self:variable(name)
    for _, level in ipairs(LEVELS) do
      if level[operator] then return self:assigned(name, level[operator](old, right)) end
    end
  end
  return self:variable(name)
end

function Reader:primary()
  self.depth = self.depth + 1
  if self.depth > MAX_DEPTH then fail "expression recursion level exceeded" end
  local value
  local operator = self:peek()
  local digits, after = self.text:match("^(%d[%w]*)()", self.at)
  local name, past = self.text:match("^%$?{?([%a_][%w_]*)}?()", self.at)
  if digits then
    self.at = after
    value = number_of(digits) or fail(("value too great for base (error token is \"%s\")"):format(
      digits))
  elseif name then
    self.at = past
    value = self:named(name)
  elseif operator == "(" then
    self.at = self.at + 1
    value = self:expression()
    if not self:take ")" then fail "missing `)'" end
  elseif operator == "!" or operator == "-" or operator == "+" or operator == "~" then
    self.at = self.at + 1
    local inner = self:primary()
    value = operator == "!" and truth(inner == 0) or operator == "-" and -inner
      or operator == "~" and ~inner or inner
  elseif operator == "++" or operator == "--" then
    self.at = self.at + 2
    local variable, stop = self.text:match("^%s*([%a_][%w_]*)()", self.at)
    if not variable then fail "syntax error: operand expected" end
    self.at = stop
    local step = operator == "++" and 1 or -1
    value = self:assigned(variable, self:variable(variable) + step)
  else
    fail(("syntax error: operand expected (error token is \"%s\")"):format(self.text:sub(self.at)))
  end
  self.depth = self.depth - 1
  if self:take "**" then
    local power = self:primary()
    if power < 0 then fail "exponent less than 0" end
    local result, base = 1, value
    while power > 0 do
      if power & 1 == 1 then result = result * base end
      base, power = base * base, power >> 1
    end
    return result
  end
  return value
end

function Reader:binary(level)
  local operators = LEVELS[level]
  if not operators then return self:primary() end
  local value = self:binary(level + 1)
  while true do
    local operator = self:peek()
    local apply = operators[operator]
    -- "+=" belongs to an assignment, which is read with its name
    if not apply or #operator == 1 and self.text:sub(self.at + 1, self.at + 1) == "=" then
      return value
    end
    self.at = self.at + #operator
    value = apply(value, self:binary(level + 1))
  end
end

function Reader:expression()
  self.depth = self.depth + 1
  if self.depth > MAX_DEPTH then fail "expression recursion level exceeded" end
  local value = self:binary(1)
  if self:take "?" then
    local yes = self:expression()
    if not self:take ":" then fail "`:' expected for conditional expression" end
    local no = self:expression()
    value = value ~= 0 and yes or no
  end
  self.depth = self.depth - 1
  return value
end

function M.evaluate(text, shell, depth)
  if text:find "^%s*$" then return 0 end
  if (depth or 0) > MAX_DEPTH then fail "expression recursion level exceeded" end
  shell.budget:tick()
  shell.budget:spend(#text)
  local reader = setmetatable({ text = text, at = 1, shell = shell, depth = depth or 0 }, Reader)
  local value = reader:expression()
  while reader:take "," do value = reader:expression() end
  reader:peek()
  if reader.at <= #text then
    fail(("syntax error in expression (error token is \"%s\")"):format(text:sub(reader.at)))
  end
  return value
end

return M
