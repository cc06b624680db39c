--- Completion: the candidates at the cursor.

local annotations = require "console.annotations"
local context = require "console.context"
local core = require "f5.core"
local terminal = require "f5.terminal"

-- Words that can be where a name is.
local KEYWORDS <const> = {
  "and",
  "break",
  "do",
  "else",
  "elseif",
  "end",
  "false",
  "for",
  "function",
  "goto",
  "if",
  "in",
  "local",
  "nil",
  "not",
  "or",
  "repeat",
  "return",
  "then",
  "true",
  "until",
  "while",
}
-- Classes of the annotations for types of C code, or types that hide their metatable.
local CLASSES <const> = { fiber = "f5.fiber" }

local Completion = {}
Completion.__index = Completion

-- A name with control characters cannot be shown, nor typed.
function Completion:add(text, note, close)
  if terminal.line(text) ~= text then return end
  self.items[#self.items + 1] = { text = text, note = note, close = close }
end

-- Names of objects. A name without its partition stands for all whose last part begins so.
function Completion:add_names(names, at, close)
  if at.text == "" or at.text:sub(1, 1) == "/" then
    for _, name in ipairs(names) do self:add(name, nil, close) end
    return
  end
  for _, name in ipairs(names) do
    local last = name:match "[^/]+$"
    if last and last ~= name and last:sub(1, #at.text) == at.text then
      self:add(last, name, close)
      local item = self.items[#self.items]
      if item and item.text == last then item.instead, item.erased = name .. close, 0 end
    end
  end
end

-- Takes a list; remembers if it is still pending.
function Completion:take(list, pending)
  self.pending = self.pending or pending
  return list
end

-- -- values --

local function type_name(value)
  local metatable = debug.getmetatable(value)
  return type(metatable) == "table"
      and (rawget(metatable, "__name") or rawget(metatable, "__metatable"))
    or nil
end

local function is_reference(value) return type_name(value) == "f5.reference" end
local function is_session(value) return type_name(value) == "f5.session" end
local function is_path(value) return is_reference(value) or is_session(value) end

local function path_of(value) return is_session(value) and "/mgmt/tm" or tostring(value) end

local function class_of(value)
  local name = type_name(value)
  return name and annotations.class(CLASSES[name] or name)
end

local function take(value, name)
  if is_path(value) then
    local ok, found = pcall(function() return value:at(name) end)
    return ok and found or nil
  end
  if type(value) ~= "table" then return nil end
  local found = rawget(value, name)
  if found == nil and value == package.loaded.f5 then
    local ok, part = pcall(function() return value[name] end)
    return ok and part or nil
  end
  local metatable = debug.getmetatable(value)
  local index = found == nil and type(metatable) == "table" and rawget(metatable, "__index")
  if type(index) == "table" then return take(index, name) end
  return found
end

-- The value of a chain of the context, without calling anything.
function Completion:value(chain)
  if not chain then return nil end
  local value = self.env[chain.root]
  for _, step in ipairs(chain.steps) do
    if value == nil then return nil end
    if step.at then
      local ok, found = pcall(
        function() return is_path(value) and value:at(table.unpack(step.at)) end
      )
      value = ok and found or nil
    else
      value = take(value, step.index)
    end
  end
  return value
end

-- The schema cache of the device of a session or reference.
function Completion:schema(value)
  for _, device in ipairs(self.console.devices) do
    if value == device.session then return device.schema end
    local ok, other = pcall(
      function() return is_reference(value) and device.session:at(tostring(value)) end
    )
    if ok and other == value then return device.schema end
  end
end

-- -- after a dot, a colon, a bracket --

local function sorted_keys(table_, pattern)
  local keys = {}
  for key in pairs(table_) do
    if type(key) == "string" and key:find(pattern) then keys[#keys + 1] = key end
  end
  table.sort(keys)
  return keys
end

function Completion:member(at)
  local value = self:value(at.of)
  if is_path(value) then
    local schema = self:schema(value)
    if not schema then return end
    for _, name in ipairs(self:take(schema:children(path_of(value), self.ready))) do
      self:add(name)
      -- A Lua name has no hyphen: such a segment becomes an index without the dot.
      if not name:find "^[%a_][%w_]*$" then
        self.items[#self.items].instead, self.items[#self.items].erased = ("[%q]"):format(name), 1
      end
    end
    return
  end
  if type(value) ~= "table" then return end
  for _, key in ipairs(sorted_keys(value, "^[%a_][%w_]*$")) do self:add(key) end
  local class = value == package.loaded.f5 and annotations.class "f5"
  for _, item in ipairs(class and class.functions or {}) do
    if rawget(value, item.name) == nil then self:add(item.name) end
  end
  for _, item in ipairs(class and class.fields or {}) do
    if rawget(value, item.name) == nil and item.name:find "^[%a_]" then self:add(item.name) end
  end
end

function Completion:method(at)
  local value = self:value(at.of)
  local class = class_of(value)
  local methods
  if is_reference(value) then
    methods = core.reference_methods
  elseif is_session(value) then
    methods = core.session_methods
  else
    local metatable = debug.getmetatable(value)
    methods = type(metatable) == "table" and rawget(metatable, "__index") or value
  end
  local names = {}
  for _, name in ipairs(type(methods) == "table" and sorted_keys(methods, "^%a") or {}) do
    names[name] = true
  end
  for _, fn in ipairs(class and class.functions or {}) do
    names[fn.name] = true
  end
  local in_asm = not is_reference(value) or tostring(value):find "^/mgmt/tm/asm%f[/\0]"
  for _, name in ipairs(sorted_keys(names, "")) do
    local fn = class and class.functions[name]
    local summary = fn and annotations.summary(fn)
    if in_asm or not (summary and summary:find "^ASM only") then self:add(name, summary) end
  end
end

function Completion:index(at)
  local value = self:value(at.of)
  local open = at.string and "" or '"' -- pool[ without a quote
  local close = (at.string or '"') .. "]"
  if is_path(value) then
    local schema = self:schema(value)
    if not schema then return end
    local path = path_of(value)
    local names = self:take(schema:names(path, self.ready))
    if open == "" then
      self:add_names(names, at, close)
    else
      for _, name in ipairs(names) do self:add(open .. name, nil, close) end
    end
    if at.text:sub(1, 1) ~= "/" then
      for _, name in ipairs(self:take(schema:children(path, self.ready))) do
        self:add(open .. name, nil, close)
      end
    end
  elseif type(value) == "table" then
    for _, key in ipairs(sorted_keys(value, "")) do self:add(open .. key, nil, close) end
  end
end

-- -- arguments --

-- The annotated parameter of an argument, and the value whose method is called.
function Completion:parameter(call)
  if call.method then
    local value = self:value(call.on)
    local class = class_of(value)
    local fn = class and class.functions[call.method]
    local last = fn and fn.params[#fn.params]
    return fn and (fn.params[call.argument] or (last and last.name == "..." and last)), value
  end
  local steps = call.call.steps
  local last = steps[#steps]
  if #steps ~= 1 or not last.index or self.env[call.call.root] ~= package.loaded.f5 then
    return nil
  end
  local class = annotations.class "f5"
  local fn = class and class.functions[last.index]
  return fn and fn.params[call.argument]
end

local function shown(value)
  if type(value) == "string" then return value == "" and "" or "default " .. value end
  if type(value) == "number" or type(value) == "boolean" then
    return "default " .. tostring(value)
  end
  return ""
end

-- The possible fields of a table: array of { name, note, choices (as Lua text), values (a function
-- that adds them) }.
function Completion:fields(braces)
  if braces.element then
    local outer = self:fields(braces.within.within)
    local field = outer and outer[braces.within.key]
    if field and field.schema then return self.element_properties(field) end
    return field and self.typed_fields(annotations.fields(field.type)) or nil
  end
  if braces.within then
    local outer = self:fields(braces.within)
    local field = outer and outer[braces.key]
    return field and field.type and self.typed_fields(annotations.fields(field.type)) or nil
  end
  local parameter, value = self:parameter(braces.call)
  if not parameter then return nil end
  if parameter.name == "properties" and is_reference(value) then return self:properties(value) end
  return self.typed_fields(annotations.fields(parameter.type)), value
end

function Completion.typed_fields(fields)
  local found = {}
  for _, field in ipairs(fields) do
    if field.name:find "^[%a_]" then
      local item = {
        name = field.name, note = field.doc ~= "" and field.doc or nil,
        choices = annotations.choices(field.type), type = field.type,
      }
      found[#found + 1], found[field.name] = item, item
    end
  end
  return found
end

-- The properties of an element of a list of objects: members = { { na…
function Completion.element_properties(field)
  local found = {}
  for _, property in ipairs(field.schema.elements(field.path, field.name)) do
    local item = { name = property.name, choices = {} }
    item.note = property.choices and table.concat(property.choices, " ") or shown(property.default)
    for i, choice in ipairs(property.choices or {}) do item.choices[i] = ("%q"):format(choice) end
    found[#found + 1], found[property.name] = item, item
  end
  return found
end

function Completion:properties(reference)
  local schema = self:schema(reference)
  if not schema then return nil end
  local found, path = {}, tostring(reference)
  for _, property in ipairs(self:take(schema:properties(path, self.ready))) do
    local item = {
      name = property.name,
      note = property.choices and table.concat(property.choices, " ") or shown(property.default),
      choices = {},
    }
    for i, choice in ipairs(property.choices or {}) do
      item.choices[i] = ("%q"):format(choice)
    end
    item.target = schema.target(path, property.name)
    item.schema, item.path = schema, path
    found[#found + 1], found[property.name] = item, item
  end
  return found
end

function Completion:key(at)
  for _, field in ipairs(self:fields(at.braces) or {}) do
    if not at.given[field.name] then self:add(field.name, field.note, " = ") end
  end
end

local function unquote(text) return text:match '^"(.*)"$' end

function Completion:field_value(at)
  local fields = self:fields(at.braces)
  local field = fields and fields[at.key]
  if not field then
    if at.string then
      self:element { braces = { key = at.key, within = at.braces }, string = at.string }
    end
    return
  end
  for _, choice in ipairs(field.choices) do
    local word = unquote(choice)
    if at.string and word then
      self:add(word, nil, at.string)
    elseif not at.string then
      self:add(choice)
    end
  end
  if field.target and at.string then
    self:add_names(self:take(field.schema:targets(field.target, self.ready)), at, at.string)
  end
  if at.string and at.key == "select" then
    self:element { braces = { key = "select", within = at.braces }, string = at.string }
  end
end

-- select = { "na…: names of properties.
function Completion:element(at)
  if at.braces.key ~= "select" or not at.braces.within or not at.braces.within.call then return end
  local parameter, value = self:parameter(at.braces.within.call)
  if not parameter or not is_reference(value) then return end
  for _, name in ipairs { "name", "fullPath", "partition" } do self:add(name, nil, at.string) end
  local schema = self:schema(value)
  for _, property in
    ipairs(schema and self:take(schema:properties(tostring(value), self.ready)) or {})
  do
    if property.name ~= "name" and property.name ~= "partition" then
      self:add(property.name, nil, at.string)
    end
  end
end

-- bip:at "ltm/po…, with names in it: each segment is completed by itself. bip:at("ltm/pool",
-- "/Common/…
function Completion:argument(at)
  local parameter, value = self:parameter(at.call)
  if not parameter then return end
  local method = at.call.method
  if
    not is_path(value) or not (method == "at" or (method == "request" and at.call.argument == 2))
  then
    for _, choice in ipairs(annotations.choices(parameter.type)) do
      self:add(unquote(choice) or choice, nil, at.string)
    end
    return
  end
  local is_name = at.text:sub(1, 1) == "/"
  local above = not is_name and at.text:match "^(.*)/[^/]*$" or nil
  local ok, base = pcall(function()
    local reached = value
    if method == "at" then
      for _, part in ipairs(at.before) do reached = reached:at(part) end
    end
    return above and reached:at(above) or reached
  end)
  local schema = ok and self:schema(base)
  if not schema then return end
  if is_name or #at.before > 0 and not above then
    local names = is_reference(base) and self:take(schema:names(path_of(base), self.ready)) or {}
    self:add_names(names, at, at.string)
  end
  if not is_name then
    for _, name in ipairs(self:take(schema:children(path_of(base), self.ready))) do
      self:add(above and above .. "/" .. name or name)
    end
  end
end

function Completion:name(at)
  if at.text == "" then return end
  local names = {}
  for key in pairs(self.env) do
    if type(key) == "string" and key:find "^[%a_]" then names[key] = true end
  end
  for _, word in ipairs(KEYWORDS) do names[word] = true end
  for _, name in ipairs(sorted_keys(names, "")) do self:add(name) end
end

-- For Lua `bip.ltm.data-gr` is a subtraction. For the user it is a path.
function Completion:hyphened(text)
  local from, word = text:match "%.()(%a[%w_]*%-[%w_-]*)$"
  local at = from and context.of(text:sub(1, from - 1))
  if not at or at.what ~= "member" or not is_path(self:value(at.of)) then return nil end
  at.text, at.from = word, from
  return at
end

-- -- everything --

local BY_KIND <const> = {
  member = Completion.member,
  method = Completion.method,
  index = Completion.index,
  key = Completion.key,
  value = Completion.field_value,
  element = Completion.element,
  argument = Completion.argument,
  name = Completion.name,
}

local function starting_with(items, prefix)
  local kept, seen = {}, {}
  for _, item in ipairs(items) do
    local key = item.instead or item.text
    if item.text:sub(1, #prefix) == prefix and not seen[key] then
      kept[#kept + 1], seen[key] = item, true
    end
  end
  return kept
end

--- Completes the end of a text.
-- @param console the console: env, devices
-- @param ready function: called when pending candidates have arrived
-- @return { items = array of { text, note, close, instead, erased }, from = first byte of the
--   completed word, pending }; `instead` replaces the word and `erased` characters before it
return function(text, console, ready)
  local self =
    setmetatable({ env = console.env, console = console, ready = ready, items = {} }, Completion)
  local commands = require "console.commands"
  local from, word = text:match "^%s*()(%.%a*)$"
  if word then
    for _, command in ipairs(commands.list) do self:add("." .. command.name, command.summary) end
    return { items = starting_with(self.items, word), from = from }
  end
  local command, start = text:match "^%s*%.(%a+)%s+()"
  if command then
    local words = commands.words(command)
    if words then
      for _, each in ipairs(words) do self:add(each) end
      return { items = starting_with(self.items, text:sub(start)), from = start }
    end
    text = (" "):rep(start - 1) .. text:sub(start)
  end
  local at = context.of(text)
  local hyphened = self:hyphened(text)
  if hyphened then at = hyphened end
  if not at then return { items = {}, from = #text + 1 } end
  BY_KIND[at.what](self, at)
  return { items = starting_with(self.items, at.text), from = at.from, pending = self.pending }
end
