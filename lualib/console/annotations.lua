--- The annotations of lualib/meta/f5.lua as data: what `.help` says, what completion offers, what docs/api.md is made of.
--
--   annotations.class "f5.reference" -> { name, doc, fields = { … }, functions = { … } }, both by name and in order
--   a field:     { name, type, doc, optional }
--   a function:  { name, doc, owner (class), method (called with a colon), params = { field … }, returns = { { type, doc } … } }

local host = require "f5.host"

local Annotations = {}

local classes, order

local function class_of(name)
  if not classes[name] then
    classes[name] = { name = name, doc = {}, fields = {}, functions = {} }
    order[#order + 1] = name
  end
  return classes[name]
end

-- "string|integer what it is" -> type, rest. A type may hold braces, brackets and quotes with
-- spaces in them.
local function split_type(text)
  local at, depth = 1, 0
  while at <= #text do
    local char = text:sub(at, at)
    if char:find "[{(<]" then depth = depth + 1 end
    if char:find "[})>]" then depth = depth - 1 end
    if char == '"' then at = text:find('"', at + 1, true) or #text end
    if char == " " and depth == 0 then
      -- "fun(): table" and "fun(a): b" go on behind the colon
      if text:sub(at - 1, at - 1) ~= ":" then break end
    end
    at = at + 1
  end
  return text:sub(1, at - 1), text:sub(at + 1)
end

local function parse_field(text)
  local name, optional, rest = text:match "^([%w_.]+)(%??)%s+(.*)$"
  if not name then
    rest = text:match "^%[string%]%s+(.*)$"
    if not rest then return nil end
    name = "[string]"
  end
  local type, doc = split_type(rest)
  return { name = name, type = type, doc = doc, optional = optional == "?" }
end

local function add(list, item)
  list[#list + 1] = item
  list[item.name] = list[item.name] or item
end

-- One block: comment lines with a line of code behind them, or an empty one.
local Block <const> = {}
Block.__index = Block

function Block.new() return setmetatable({ doc = {}, params = {}, returns = {} }, Block) end

local function parse_param(rest)
  local name, more = rest:match "^(%.%.%.)%s*(.*)$"
  if not name then return parse_field(rest) end
  local type, doc = split_type(more)
  return { name = name, type = type, doc = doc, optional = false }
end

function Block:tag(tag, rest)
  if tag == "class" then
    self.class = class_of(rest:match "^([%w_.]+)")
  elseif tag == "field" then
    local field = self.class and parse_field(rest)
    if field then add(self.class.fields, field) end
  elseif tag == "param" then
    self.params[#self.params + 1] = parse_param(rest)
  elseif tag == "return" then
    local type, note = split_type(rest)
    if note:find "^%.%.%." then type, note = type .. " …", note:match "^%.%.%.%s*(.*)$" end
    self.returns[#self.returns + 1] = { type = type, doc = note }
  elseif tag == "overload" then
    self.overload = rest
  end
end

-- The code behind it: `local x = {}` or `a.b = {}` for a class, `function a.b:c(…)`.
function Block:finish(line, variables)
  if self.class then
    if #self.class.doc == 0 then self.class.doc = self.doc end
    self.class.overload = self.overload
    local variable = line:match "^local ([%w_]+) = {}" or line:match "^([%w_.]+) = {}"
    if variable then variables[variable] = self.class end
    return
  end
  local owner, colon, name = line:match "^function ([%w_.]+)([.:])([%w_]+)%("
  if not owner or not variables[owner] then return end
  add(variables[owner].functions, {
    name = name,
    doc = self.doc,
    owner = variables[owner].name,
    method = colon == ":",
    params = self.params,
    returns = self.returns,
  })
end

local function parse(text)
  classes, order = {}, {}
  local variables <const>, current = {}, Block.new()
  for line in (text .. "\n"):gmatch "(.-)\n" do
    local tag, rest = line:match "^%-%-%-@(%w+)%s*(.*)$"
    local words = not tag and line:match "^%-%-%-(.*)$"
    if tag then
      current:tag(tag, rest)
    elseif words then
      current.doc[#current.doc + 1] = words
    else
      current:finish(line, variables)
      current = Block.new()
    end
  end
end

local function ready()
  if not classes then parse(host.source "meta.f5" or "") end
end

--- A class by its name, or nil.
function Annotations.class(name)
  ready()
  return classes[name]
end

--- The names of all classes, in the order of the file.
function Annotations.classes()
  ready()
  return order
end

-- What a person calls a thing of this class: f5.asm is itself, f5.reference a reference.
local function variable_of(class)
  if class == "f5" or class == "f5.filter" or class == "f5.json" or class == "f5.sim" then
    return class
  end
  return class:match "[%w_]+$"
end

--- `f5.connect(options?)`, `reference:load(options?)`.
function Annotations.signature(fn)
  local params = {}
  for i, param in ipairs(fn.params) do
    params[i] = param.name .. (param.optional and "?" or "")
  end
  return variable_of(fn.owner)
    .. (fn.method and ":" or ".") .. fn.name .. "(" .. table.concat(params, ", ") .. ")"
end

--- The first line of what is said about something.
function Annotations.summary(item)
  for _, line in ipairs(item.doc) do
    if line:find "%S" then return line end
  end
end

--- The fields that a table of this type may have: of a class, or written out in braces.
-- @param type string: "f5.query", "{ timeout?: number }|nil" …
-- @return array of fields, empty if the type is no table
function Annotations.fields(type)
  ready()
  for word in type:gmatch "[%w_.]+" do
    if classes[word] and #classes[word].functions == 0 then return classes[word].fields end
  end
  local fields = {}
  local inside = type:match "{(.-)}"
  for name, optional, of in (inside or ""):gmatch "([%w_]+)(%??):%s*([^,}]+)" do
    add(fields, { name = name, type = of:match "^(.-)%s*$", doc = "", optional = optional == "?" })
  end
  return fields
end

--- The words that a type allows ("a"|"b"), as Lua writes them; empty if it is more than that.
function Annotations.choices(type)
  local choices = {}
  if type == "boolean" then return { "true", "false" } end
  for word in type:gmatch '"[^"]*"' do choices[#choices + 1] = word end
  return choices
end

return Annotations
