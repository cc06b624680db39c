-- The arithmetic of computed parameters: numbers, names, + - * / and parentheses.
local M = {}

-- The result if an operand is not a number.
local NOTHING <const> = 0 / 0

local Parser <const> = {}
Parser.__index = Parser

local function fail(text)
  error({ template = ("mathExpression: %s is not simulated"):format(text) }, 0)
end

function Parser:take(pattern)
  local found, behind = self.text:match("^%s*(" .. pattern .. ")()", self.at)
  if found then self.at = behind end
  return found
end

function Parser:operand()
  local number = self:take "%d+%.?%d*"
  if number then return tonumber(number) end
  local name = self:take "[%a_][%w_]*"
  if name then return tonumber(self.values[name]) or NOTHING end
  if self:take "%-" then return -self:operand() end
  if not self:take "%(" then fail(self.text:sub(self.at)) end
  local value = self:sum()
  if not self:take "%)" then fail(self.text) end
  return value
end

function Parser:product()
  local value = self:operand()
  while true do
    local sign = self:take "[*/]"
    if not sign then return value end
    local other = self:operand()
    value = sign == "*" and value * other or value / other
  end
end

function Parser:sum()
  local value = self:product()
  while true do
    local sign = self:take "[+-]"
    if not sign then return value end
    local other = self:product()
    value = sign == "+" and value + other or value - other
  end
end

--- The value of an expression.
-- @param values table: name -> number
function M.value(text, values)
  local parser = setmetatable({ text = text, at = 1, values = values }, Parser)
  local value = parser:sum()
  if not text:find("^%s*$", parser.at) then fail(text:sub(parser.at)) end
  return math.tointeger(value) or value
end

return M
