-- Conditions on rows, as Lua expressions: monitor == "/Common/http" and minActiveMembers > 1.
--
-- The properties of the object are the names of the expression. A part of a property is
-- fqdn.interval, a statistic serverside.curConns; `object` is the whole object, for names that are
-- none of Lua. Nothing else is there but functions that have no effect outside.

local columns_of = require "f5.table.columns"
local json = require "f5.json"
local lexer = require "build.lexer"
local tokens = require "f5.table.tokens"

local M = {}

local function copy(library, leave_out)
  local out = {}
  for name, item in pairs(library) do
    if name ~= leave_out then out[name] = item end
  end
  return out
end

-- A copy for each condition: an expression cannot change what others use.
local function library()
  return {
    string = copy(string, "dump"), math = copy(math), table = copy(table), utf8 = copy(utf8),
    tonumber = tonumber, tostring = tostring, type = type, ipairs = ipairs, pairs = pairs,
    next = next, select = select, time = os.time,
  }
end

local LIBRARY <const> = library()

-- The global names of an expression: they are properties. nil if this cannot be told, because the
-- expression has functions of its own, or looks into `object`.
local function names_in(text)
  local names, seen, before = {}, {}, ""
  for token in lexer.tokens(text) do
    if token.value == "function" or token.value == "object" and before ~= "." then return nil end
    local is_global = token.kind == "name" and before ~= "." and before ~= ":"
    if is_global and not LIBRARY[token.value] and not seen[token.value] then
      seen[token.value], names[#names + 1] = true, token.value
    end
    before = token.kind == "symbol" and token.value or ""
  end
  return names
end

local function reason_of(message)
  return (tostring(message):gsub("^%[string.-%]:%d+: ", ""):gsub("^%-%-where:%d+: ", ""))
end

-- "serverside" of { ["serverside.curConns"] = 1 } as a table.
local function group(row, name)
  local out
  for key, item in next, row do
    if type(key) == "string" and key:sub(1, #name + 1) == name .. "." then
      out = out or {}
      out[key:sub(#name + 2)] = item
    end
  end
  return out
end

local Condition <const> = {}
Condition.__index = Condition

local function environment(self)
  local functions <const> = library()
  return setmetatable({}, {
    __index = function(_, name)
      if name == "object" then return self.row end
      local item = columns_of.value(self.row, name, self.kind)
      if item == nil then item = functions[name] end
      if item == nil and type(name) == "string" then item = group(self.row, name) end
      if item == nil or item == json.null then
        self.missing = true
        return nil
      end
      return item
    end,
    __newindex = function(_, name)
      error(("a condition cannot set '%s'"):format(tostring(name)), 0)
    end,
  })
end

--- Whether an object meets the condition. A comparison with a property that the object does not
-- have is not met. Raises if the expression fails otherwise.
---@param row table
---@return boolean
function Condition:test(row)
  self.row, self.missing = row, false
  local ok, result = pcall(self.expression)
  if ok then return result and true or false end
  if type(result) == "table" then error(result, 0) end -- cancelled
  if self.missing then return false end
  local name = columns_of.name(tokens.hidden(row)) -- names of tokens are secrets
  error({ condition = true, message = ("'%s'%s: %s"):format(
    self.text, type(name) == "string" and (" of %s"):format(name) or "", reason_of(result)
  ) }, 0)
end

--- Compiles a condition.
---@param text string a Lua expression
---@param kind? string of the rows
---@return table|nil condition with the method test, and `names`: the properties in it, as far as
---that can be told; nil if the text is no expression
---@return string|nil why
function M.compile(text, kind)
  local self = setmetatable({ text = text, kind = kind, row = {} }, Condition)
  if not text:find "%S" then return nil, "no expression is given" end
  local chunk, message = load("return " .. text .. "\n", "=--where", "t", environment(self))
  -- one value: neither `a, b` nor `a; b`
  if chunk and not load("return (" .. text .. "\n)") then
    chunk, message = nil, "it is more than one value"
  end
  if not chunk then
    local why = reason_of(message)
    local hint = why:find("near '='", 1, true) and " (== compares)" or ""
    return nil, ("'%s' is no Lua expression: %s%s"):format(text, why, hint)
  end
  self.expression, self.names = chunk, names_in(text)
  return self
end

return M
