--- The annotations of lualib/meta as data, for `.help`, for completion and for docs/api.md.
--
--   annotations.class "f5.reference" -> { name, parent, doc, fields = { … }, functions = { … } }
--   a field:     { name, type, doc, optional }
--   a function:  { name, doc, raises, source, owner (class), method (called with a colon),
--                  params = { field … }, returns = { { name, type, doc } … } }
--
-- Fields and functions are listed in order and can be indexed by name.

local host = require "f5.host"

local Annotations = {}

--- The files of lualib/meta, in the order of docs/api.md.
Annotations.MODULES = {
  "f5", "f5.session", "f5.reference", "f5.work", "f5.fleet", "f5.state", "f5.plan", "f5.safe",
  "f5.jobs", "f5.declare", "f5.har", "f5.filter", "f5.asm", "f5.apm", "f5.sim", "f5.twin",
}

local classes, order, aliases

local function class_of(name)
  if not classes[name] then
    classes[name] = { name = name, doc = {}, fields = {}, functions = {} }
    order[#order + 1] = name
  end
  return classes[name]
end

-- "string|integer the address" -> type, rest. A type may contain braces, brackets and quotes with
-- spaces in them.
local function split_type(text)
  local at, depth = 1, 0
  while at <= #text do
    local char = text:sub(at, at)
    if char:find "[{(<]" then depth = depth + 1 end
    if char:find "[})>]" then depth = depth - 1 end
    if char == '"' then at = text:find('"', at + 1, true) or #text end
    if char == " " and depth == 0 then
      -- "fun(): table" and "fun(a): b" continue after the colon
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

-- One block: comment lines, then a line of code or an empty line.
local Block <const> = {}
Block.__index = Block

function Block.new() return setmetatable({ doc = {}, params = {}, returns = {} }, Block) end

local function parse_param(rest)
  local name, more = rest:match "^(%.%.%.)%s*(.*)$"
  if not name then return parse_field(rest) end
  local type, doc = split_type(more)
  return { name = name, type = type, doc = doc, optional = false }
end

-- "boolean ok true if it worked" -> type, name, description; "any ... the results"
local function parse_return(rest)
  local type, more = split_type(rest)
  local name, doc = more:match "^(%S+)%s*(.*)$"
  if name == "..." then
    type, name = type .. " …", nil
  end
  return { type = type, name = name, doc = doc or "" }
end

function Block:tag(tag, rest)
  if tag == "class" then
    local name, parent = rest:match "^([%w_.]+)%s*:?%s*([%w_.]*)"
    self.class = class_of(name)
    if parent ~= "" then self.class.parent = parent end
  elseif tag == "alias" then
    self.alias = {}
    aliases[rest:match "^([%w_.]+)"] = self.alias
  elseif tag == "field" then
    local field = self.class and parse_field(rest)
    if field then add(self.class.fields, field) end
  elseif tag == "param" then
    self.params[#self.params + 1] = parse_param(rest)
  elseif tag == "return" then
    self.returns[#self.returns + 1] = parse_return(rest)
  elseif tag == "overload" then
    self.overload = rest
  end
end

-- A line of an alias: | "busy" # The device is busy.
function Block:choice(text)
  local value, doc = text:match '^%s*"([^"]*)"%s*#?%s*(.*)$'
  if self.alias and value then self.alias[#self.alias + 1] = { name = value, doc = doc } end
end

-- Takes a paragraph that starts with the word (*Raises*) out of the lines and returns it in one.
local function paragraph(lines, word)
  for first, line in ipairs(lines) do
    local text = line:match("^%*" .. word .. "%*%s+(.*)$")
    if text then
      local words = { text }
      table.remove(lines, first)
      while lines[first] and lines[first] ~= "" do
        words[#words + 1] = table.remove(lines, first)
      end
      while lines[first] == "" do table.remove(lines, first) end
      return table.concat(words, " ")
    end
  end
end

local function without_end(lines)
  while lines[#lines] == "" do lines[#lines] = nil end
  return lines
end

-- The code after it: `local x = {}` or `a.b = {}` for a class, `function a.b:c(…)`.
function Block:finish(line, variables)
  if self.class then
    if #self.class.doc == 0 then self.class.doc = self.doc end
    self.class.overload = self.class.overload or self.overload
    local variable = line:match "^local ([%w_]+) = {}" or line:match "^([%w_.]+) = {}"
    if variable then variables[variable] = self.class end
    return
  end
  local owner, colon, name = line:match "^function ([%w_.]+)([.:])([%w_]+)%("
  if not owner or not variables[owner] then return end
  local raises, source = paragraph(self.doc, "Raises"), paragraph(self.doc, "Source")
  add(variables[owner].functions, {
    name = name,
    doc = without_end(self.doc),
    raises = raises,
    source = source,
    owner = variables[owner].name,
    method = colon == ":",
    params = self.params,
    returns = self.returns,
  })
end

local function parse(text)
  local variables, current = {}, Block.new()
  for line in (text .. "\n"):gmatch "(.-)\n" do
    local tag, rest = line:match "^%-%-%-@(%w+)%s*(.*)$"
    local words = not tag and line:match "^%-%-%-(.*)$"
    if tag then
      current:tag(tag, rest)
    elseif words and words:sub(1, 1) == "|" then
      current:choice(words:sub(2))
    elseif words then
      current.doc[#current.doc + 1] = words
    else
      current:finish(line, variables)
      current = Block.new()
    end
  end
end

local function ready()
  if classes then return end
  classes, order, aliases = {}, {}, {}
  for _, name in ipairs(Annotations.MODULES) do parse(host.source("meta." .. name) or "") end
end

--- A class by its name, or nil.
function Annotations.class(name)
  ready()
  return classes[name]
end

--- The names of all classes, in order.
function Annotations.classes()
  ready()
  return order
end

--- The values of an alias: array of { name, doc }; nil if there is no such alias.
function Annotations.alias(name)
  ready()
  return aliases[name]
end

-- The name that people use for an object of this class: "f5.asm" for a module, "reference" for
-- f5.reference.
local MODULES <const> =
  { f5 = true, ["f5.filter"] = true, ["f5.json"] = true, ["f5.sim"] = true, ["f5.twin"] = true }

local function variable_of(class)
  return MODULES[class] and class or class:match "[%w_]+$"
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

--- The first line of a description.
function Annotations.summary(item)
  for _, line in ipairs(item.doc) do
    if line:find "%S" then return line end
  end
end

-- The fields of a class and of its parents.
local function all_fields(class)
  local parent = class.parent and classes[class.parent]
  if not parent then return class.fields end
  local fields = {}
  for _, field in ipairs(class.fields) do add(fields, field) end
  for _, field in ipairs(all_fields(parent)) do
    if not fields[field.name] then add(fields, field) end
  end
  return fields
end

--- The fields that a table of this type may have: of a class, or written out in braces.
-- @param type string: "f5.query", "{ timeout?: number }|nil" …
-- @return array of fields, empty if the type is not a table
function Annotations.fields(type)
  ready()
  for word in type:gmatch "[%w_.]+" do
    if classes[word] and #classes[word].functions == 0 then return all_fields(classes[word]) end
  end
  local fields = {}
  local inside = type:match "{(.-)}"
  for name, optional, of in (inside or ""):gmatch "([%w_]+)(%??):%s*([^,}]+)" do
    add(fields, { name = name, type = of:match "^(.-)%s*$", doc = "", optional = optional == "?" })
  end
  return fields
end

--- The words that a type allows ("a"|"b"), as Lua writes them; empty for any other type.
function Annotations.choices(type)
  local choices = {}
  if type == "boolean" then return { "true", "false" } end
  for word in type:gmatch '"[^"]*"' do choices[#choices + 1] = word end
  return choices
end

return Annotations
