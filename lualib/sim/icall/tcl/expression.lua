-- Expressions of Tcl: `expr`, and the conditions of `if` and `while`.
--
-- A text is parsed once: expression.parse(text) -> tree; expression.value(interp, tree) -> value.
-- Values are texts, integers and floats of Lua. The operators are those of Tcl, and the words that
-- F5 adds: contains, starts_with, ends_with, equals, and, or, not.
local glob = require "sim.shell.glob"
local lists = require "sim.icall.tcl.list"
local parser = require "sim.icall.tcl.parser"

local M = {}

local MAX_DEPTH <const> = 40

local function fail(format, ...)
  error({ tcl = format:format(...) }, 0)
end

--- The number that a text is; nil if it is none.
function M.number(text)
  if type(text) == "number" then return text end
  if type(text) == "boolean" then return text and 1 or 0 end
  local word = text:match "^%s*(%S+)%s*$"
  if not word then return nil end
  if word:find "^[+-]?%d+$" then return math.tointeger(tonumber(word)) or tonumber(word) end
  if word:find "^[+-]?0[xX]%x+$" then
    local digits = tonumber((word:gsub("^[+-]", "")))
    return word:sub(1, 1) == "-" and -digits or digits
  end
  if word:find "^[+-]?%d*%.?%d*[eE]?[+-]?%d*$" and word:find "%d" then return tonumber(word) end
  return nil
end

--- The text of a value.
function M.text(value)
  if type(value) == "string" then return value end
  if type(value) == "boolean" then return value and "1" or "0" end
  if math.type(value) == "integer" then return tostring(value) end
  if value ~= value then return "NaN" end
  if value == math.huge or value == -math.huge then return value > 0 and "Inf" or "-Inf" end
  local text = ("%.12g"):format(value)
  return text:find "[.e]" and text or text .. ".0"
end

local TRUTH <const> = {
  ["true"] = true, yes = true, on = true, ["false"] = false, no = false, off = false,
}

--- Whether a value is true.
function M.truth(value)
  local number = M.number(value)
  if number then return number ~= 0 end
  local known = TRUTH[tostring(value):lower()]
  if known == nil then fail('expected boolean value but got "%s"', tostring(value)) end
  return known
end

-- -- parsing --

local Reader <const> = {}
Reader.__index = Reader

function Reader:skip() self.at = self.text:match("^%s*()", self.at) end

-- Operators by how tightly they bind, from loose to tight.
local LEVELS <const> = {
  { "||", "or" }, { "&&", "and" }, { "|" }, { "^" }, { "&" },
  { "==", "!=", "eq", "ne", "in", "ni", "equals", "contains", "starts_with", "ends_with",
    "matches_glob" },
  { "<=", ">=", "<", ">" }, { "<<", ">>" }, { "+", "-" }, { "*", "/", "%" },
}
-- Signs that begin a longer operator.
local LONGER <const> = {
  ["|"] = "^||", ["&"] = "^&&", ["<"] = "^<[<=]", [">"] = "^>[>=]", ["*"] = "^%*%*",
}

-- The operator of a level at this position.
function Reader:operator(level)
  self:skip()
  for _, sign in ipairs(LEVELS[level]) do
    local is_word = sign:find "^%a" ~= nil
    if self.text:sub(self.at, self.at + #sign - 1) == sign
      and not (is_word and self.text:find("^[%w_]", self.at + #sign))
      and not (LONGER[sign] and self.text:find(LONGER[sign], self.at))
    then
      self.at = self.at + #sign
      return sign
    end
  end
  return nil
end

function Reader:syntax()
  fail('syntax error in expression "%s"', #self.text > 60 and self.text:sub(1, 60) .. "..."
    or self.text)
end

function Reader:deeper()
  self.depth = self.depth + 1
  if self.depth > MAX_DEPTH then fail "expression nests too deep" end
end

-- An operand in quotes, with substitutions.
function Reader:quoted()
  local at = self.at + 1
  while true do
    at = self.text:find('["\\%[]', at)
    if not at then fail 'missing "' end
    local char = self.text:sub(at, at)
    if char == '"' then break end
    if char == "[" then
      local _, after = parser.substitution(self.text, at)
      at = after
    else
      at = at + 2
    end
  end
  local text = self.text:sub(self.at + 1, at - 1)
  self.at = at + 1
  return { word = parser.word(text) }
end

function Reader:arguments()
  local list = {}
  self.at = self.at + 1
  self:skip()
  if self.text:sub(self.at, self.at) == ")" then
    self.at = self.at + 1
    return list
  end
  while true do
    list[#list + 1] = self:ternary()
    self:skip()
    local char = self.text:sub(self.at, self.at)
    self.at = self.at + 1
    if char == ")" then return list end
    if char ~= "," then self:syntax() end
  end
end

function Reader:name()
  local word, after = self.text:match("^([%a_][%w_:]*)()", self.at)
  if not word then self:syntax() end
  self.at = after
  if word == "not" then return { unary = "!", self:operand() } end
  self:skip()
  if self.text:sub(self.at, self.at) == "(" then
    return { call = word, table.unpack(self:arguments()) }
  end
  if TRUTH[word:lower()] == nil then
    fail('syntax error in expression "%s": variable references require preceding $', self.text)
  end
  return { value = word }
end

function Reader:operand()
  self:deeper()
  self:skip()
  local char = self.text:sub(self.at, self.at)
  local node
  if char == "$" or char == "[" then
    node = { word = nil }
    local part
    part, self.at = parser.substitution(self.text, self.at)
    node.word = { part }
  elseif char == '"' then
    node = self:quoted()
  elseif char == "{" then
    local stop = lists.closing_brace(self.text, self.at)
    if not stop then fail "missing close-brace" end
    node = { value = self.text:sub(self.at + 1, stop - 1) }
    self.at = stop + 1
  elseif char == "(" then
    self.at = self.at + 1
    node = self:ternary()
    self:skip()
    if self.text:sub(self.at, self.at) ~= ")" then fail "missing )" end
    self.at = self.at + 1
  elseif char ~= "" and ("-+!~"):find(char, 1, true) then
    self.at = self.at + 1
    node = { unary = char, self:operand() }
  else
    local digits, after = self.text:match("^(0[xX]%x+)()", self.at)
    if not digits then digits, after = self.text:match("^(%d*%.?%d+[eE][+-]?%d+)()", self.at) end
    if not digits then digits, after = self.text:match("^(%d+%.?%d*)()", self.at) end
    if not digits then digits, after = self.text:match("^(%.%d+)()", self.at) end
    if digits then
      node, self.at = { value = M.number(digits) }, after
    else
      node = self:name()
    end
  end
  self.depth = self.depth - 1
  return node
end

function Reader:binary(level)
  if level > #LEVELS then return self:operand() end
  local left = self:binary(level + 1)
  while true do
    local sign = self:operator(level)
    if not sign then return left end
    left = { binary = sign, left, self:binary(level + 1) }
  end
end

function Reader:ternary()
  self:deeper()
  local condition = self:binary(1)
  self:skip()
  if self.text:sub(self.at, self.at) == "?" then
    self.at = self.at + 1
    local yes = self:ternary()
    self:skip()
    if self.text:sub(self.at, self.at) ~= ":" then self:syntax() end
    self.at = self.at + 1
    condition = { choose = condition, yes, self:ternary() }
  end
  self.depth = self.depth - 1
  return condition
end

--- The tree of an expression.
function M.parse(text)
  local reader = setmetatable({ text = text, at = 1, depth = 0 }, Reader)
  local tree = reader:ternary()
  reader:skip()
  if reader.at <= #text then reader:syntax() end
  return tree
end

-- -- values --

local function need_number(value, sign)
  local number = M.number(value)
  if not number then fail("can't use non-numeric string as operand of \"%s\"", sign) end
  return number
end

local function need_integer(value, sign)
  local number = math.tointeger(need_number(value, sign))
  if not number then fail("can't use floating-point value as operand of \"%s\"", sign) end
  return number
end

local function compare(a, b)
  local x, y = M.number(a), M.number(b)
  if not x or not y then x, y = M.text(a), M.text(b) end
  return x < y and -1 or x > y and 1 or 0
end

local function contains(list, item)
  for _, element in ipairs(lists.split(M.text(list))) do
    if element == item then return true end
  end
  return false
end

local function divided(a, b, sign)
  local x, y = need_number(a, sign), need_number(b, sign)
  if y == 0 then fail "divide by zero" end
  if math.type(x) == "integer" and math.type(y) == "integer" then return x // y end
  return x / y
end

local BINARY <const> = {
  ["+"] = function(a, b) return need_number(a, "+") + need_number(b, "+") end,
  ["-"] = function(a, b) return need_number(a, "-") - need_number(b, "-") end,
  ["*"] = function(a, b) return need_number(a, "*") * need_number(b, "*") end,
  ["/"] = function(a, b) return divided(a, b, "/") end,
  ["%"] = function(a, b)
    local y = need_integer(b, "%")
    if y == 0 then fail "divide by zero" end
    return need_integer(a, "%") % y
  end,
  ["<<"] = function(a, b) return need_integer(a, "<<") << need_integer(b, "<<") end,
  [">>"] = function(a, b) return need_integer(a, ">>") >> need_integer(b, ">>") end,
  ["&"] = function(a, b) return need_integer(a, "&") & need_integer(b, "&") end,
  ["|"] = function(a, b) return need_integer(a, "|") | need_integer(b, "|") end,
  ["^"] = function(a, b) return need_integer(a, "^") ~ need_integer(b, "^") end,
  ["<"] = function(a, b) return compare(a, b) < 0 end,
  [">"] = function(a, b) return compare(a, b) > 0 end,
  ["<="] = function(a, b) return compare(a, b) <= 0 end,
  [">="] = function(a, b) return compare(a, b) >= 0 end,
  ["=="] = function(a, b) return compare(a, b) == 0 end,
  ["!="] = function(a, b) return compare(a, b) ~= 0 end,
  eq = function(a, b) return M.text(a) == M.text(b) end,
  ne = function(a, b) return M.text(a) ~= M.text(b) end,
  ["in"] = function(a, b) return contains(b, M.text(a)) end,
  ni = function(a, b) return not contains(b, M.text(a)) end,
  contains = function(a, b) return M.text(a):find(M.text(b), 1, true) ~= nil end,
  starts_with = function(a, b) return M.text(a):sub(1, #M.text(b)) == M.text(b) end,
  ends_with = function(a, b)
    local x, y = M.text(a), M.text(b)
    return y == "" or #x >= #y and x:sub(-#y) == y
  end,
}
BINARY.equals = BINARY.eq

local UNARY <const> = {
  ["-"] = function(a) return -need_number(a, "-") end,
  ["+"] = function(a) return need_number(a, "+") end,
  ["!"] = function(a) return not M.truth(a) end,
  ["~"] = function(a) return ~need_integer(a, "~") end,
}

local function whole(number)
  return math.tointeger(number) or fail "integer value too large to represent"
end

local CALLS <const> = {
  abs = function(a) return math.abs(need_number(a, "abs")) end,
  int = function(a)
    local number = need_number(a, "int")
    return whole(number < 0 and math.ceil(number) or math.floor(number))
  end,
  round = function(a)
    local number = need_number(a, "round")
    return whole(number < 0 and math.ceil(number - 0.5) or math.floor(number + 0.5))
  end,
  double = function(a) return need_number(a, "double") + 0.0 end,
  floor = function(a) return math.floor(need_number(a, "floor")) + 0.0 end,
  ceil = function(a) return math.ceil(need_number(a, "ceil")) + 0.0 end,
  min = function(a, b)
    return math.min(need_number(a, "min"), need_number(b or a, "min"))
  end,
  max = function(a, b)
    return math.max(need_number(a, "max"), need_number(b or a, "max"))
  end,
}

--- The value of a tree.
function M.value(interp, tree)
  if tree.value ~= nil then return tree.value end
  if tree.word then return interp:substitute(tree.word) end
  interp.budget:tick()
  if tree.unary then return UNARY[tree.unary](M.value(interp, tree[1])) end
  if tree.choose then
    return M.value(interp, M.truth(M.value(interp, tree.choose)) and tree[1] or tree[2])
  end
  local sign = tree.binary
  if sign then
    local left = M.value(interp, tree[1])
    if sign == "&&" or sign == "and" then
      return M.truth(left) and M.truth(M.value(interp, tree[2]))
    elseif sign == "||" or sign == "or" then
      return M.truth(left) or M.truth(M.value(interp, tree[2]))
    elseif sign == "matches_glob" then
      return glob.matches(M.text(left), M.text(M.value(interp, tree[2])),
        function() interp.budget:tick() end)
    end
    return BINARY[sign](left, M.value(interp, tree[2]))
  end
  local call = CALLS[tree.call]
  if not call then fail("not simulated: the function %s of expr", tree.call) end
  if not tree[1] then fail("too few arguments for math function") end
  return call(M.value(interp, tree[1]), tree[2] and M.value(interp, tree[2]))
end

return M
