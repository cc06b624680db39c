-- What is known about the value of an expression before it is computed. Only what follows from the
-- text is known: a variable that is assigned twice has no type.
--
-- A type is a table:
--   { class = "f5.session" }        a class of the annotations
--   { class = "f5.reference", place = …, bound = true }   place: see facts.lua; bound: by tx(…)
--   { object = true, place = … }    a table that load, create … returned
--   { objects = true, place = … }   an array of such tables
--   { fn = …, of = type }           a function of the annotations, and the value it belongs to
--   { std = "string" }              a library of Lua
--   { text = true }                 a string
-- `guessed` means that the type follows from a name, such as that of a parameter `bip`.
local annotations = require "console.annotations"
local facts = require "lint.facts"

local M = {}

-- Parameters and globals that have the same meaning in all playbooks.
local BY_NAME <const> = { bip = "f5.session", tx = "f5.transaction" }
local GLOBALS <const> = { bip = "f5.session", device = "f5.inventory.device" }

local LIBRARIES <const> = {
  string = string, table = table, math = math, os = os, io = io, coroutine = coroutine,
  utf8 = utf8, debug = debug,
}

--- The library of Lua with this name, or nil.
function M.library(name) return LIBRARIES[name] end

local function of_class(class, guessed)
  if class == "f5.session" then
    return { class = class, place = facts.ROOT, guessed = guessed }
  end
  return { class = class, guessed = guessed }
end

-- The type of a value that the annotations describe: "f5.task", "f5.report?".
local function annotated(text)
  local name = text and text:match "^([%w_.]+)%??$"
  if name == "string" then return { text = true } end
  if not (name and annotations.class(name)) then return nil end
  return of_class(name)
end

M.annotated = annotated

-- "fun(bip: f5.session, device: f5.inventory.device): any" -> the types of its parameters.
local function callback(text)
  local types = {}
  for inner in (text:match "^fun%((.-)%)" or ""):gmatch "[^,]+" do
    types[#types + 1] = annotated(inner:match ":%s*(.-)%s*$" or "") or false
  end
  return types
end

-- The type of the results of a class that is called: f5.asm(bip), tx(reference).
local function called_class(types, type, call)
  if type.class == "f5.transaction" then
    local given = call.args[1] and types:of(call.args[1])
    if not given or given.class ~= "f5.reference" then
      return { class = "f5.reference", bound = true }
    end
    return { class = given.class, place = given.place, bound = true, guessed = given.guessed }
  end
  local class = annotations.class(type.class)
  return annotated(class and class.overload and class.overload:match "%): (.*)$")
end

-- Modules whose functions the annotations describe as a class with the same name.
local MODULES <const> = {
  f5 = true, ["f5.apm"] = true, ["f5.asm"] = true, ["f5.filter"] = true, ["f5.json"] = true,
  ["f5.sim"] = true,
}

local OBJECT <const> = { load = true, create = true, modify = true, replace = true }

-- The type of the result of a function of the annotations.
local function result(types, fn, of, args)
  if fn.name == "at" then return types.paths.at(types, of, args) end
  if fn.owner == "f5.reference" then
    if of.bound and not (fn.name == "load" or fn.name == "list") then return nil end
    if OBJECT[fn.name] then return { object = true, place = of.place, guessed = of.guessed } end
    if fn.name == "list" then return { objects = true, place = of.place, guessed = of.guessed } end
    if fn.name == "each" then return { each = true, place = of.place, guessed = of.guessed } end
  end
  local first = fn.returns[1]
  return first and annotated(first.type)
end

-- The common type of what a function of the playbook returns.
local function returned(types, fn)
  local found
  for _, statement in ipairs(fn.returns) do
    local one = statement.values[1] and types:of(statement.values[1])
    if not one or found and found.class ~= one.class or one.place and not one.class then
      return nil
    end
    found = found or one
  end
  return found
end

local Types <const> = {}
Types.__index = Types

local by_tag <const> = {}

function by_tag.String() return { text = true } end

function by_tag.Paren(types, node) return types:of(node.value) end

function by_tag.Function(_, node) return { lua = node } end

function by_tag.Name(types, node)
  if node.var then return types:variable(node.var) end
  if types.globals[node.name] then return types.globals[node.name].type end
  if LIBRARIES[node.name] then return { std = node.name } end
  if node.name == "f5" then return { class = "f5" } end
  return GLOBALS[node.name] and of_class(GLOBALS[node.name])
end

function by_tag.Index(types, node)
  local of = types:of(node.object)
  local key = node.key.tag == "String" and node.key.value
  if not of then return nil end
  if of.class == "f5.session" or of.class == "f5.reference" then
    return types.paths.index(types, of, node, key)
  end
  if of.objects then return { object = true, place = of.place, guessed = of.guessed } end
  local class = key and of.class and annotations.class(of.class)
  if not class then return nil end
  local fn, field = class.functions[key], class.fields[key]
  if fn then return { fn = fn, of = of } end
  return field and annotated(field.type)
end

function by_tag.Method(types, node)
  local of = types:of(node.object)
  local class = of and of.class and annotations.class(of.class)
  local fn = class and class.functions[node.name]
  return fn and result(types, fn, of, node.args)
end

local function required(node)
  local name = node.called.tag == "Name" and node.called.name == "require" and not node.called.var
    and node.args[1] and node.args[1].tag == "String" and node.args[1].value
  return name and MODULES[name] and { class = name }
end

function by_tag.Call(types, node)
  local module = required(node)
  if module then return module end
  local of = types:of(node.called)
  if not of then return nil end
  if of.fn then
    -- bip.close(bip): the first argument is the object
    if of.fn.method then return nil end
    return result(types, of.fn, of.of, node.args)
  end
  if of.lua then return returned(types, of.lua) end
  return of.class and called_class(types, of, node)
end

--- The type of an expression, or nil. It is worked out once; problems of paths are reported then.
function Types:of(node)
  if node.type == nil then
    node.type = false -- while it is worked out: a function may call itself
    local work = by_tag[node.tag]
    node.type = work and work(self, node) or false
  end
  return node.type or nil
end

-- The type that all calls of a function of the playbook give to a parameter.
local function from_calls(types, var)
  local found
  local callers = var.callers
  if callers.sets > 0 or callers.uses > #callers.calls then return nil end
  for _, call in ipairs(callers.calls) do
    local given = call.args[var.position]
    local type = given and types:of(given)
    if not type or type.class ~= (found or type).class or not type.class then return nil end
    found = type
  end
  return found
end

--- The type of a local variable.
function Types:variable(var)
  if var.type == nil then
    var.type = false
    local value = var.value
    if var.sets == 1 and not value and var.kind == "local" then value = var.later end
    if var.given then
      var.type = var.given
    elseif value and (var.sets == 0 or value == var.later) then
      var.type = self:of(value) or false
    elseif var.kind == "parameter" and var.sets == 0 then
      local callers = var.callers and from_calls(self, var)
      local by_name = BY_NAME[var.name]
      var.type = callers and callers.class ~= "f5.reference" and callers
        or by_name and of_class(by_name, true) or false
    end
  end
  return var.type or nil
end

--- Gives types to the parameters of functions that a call gets as arguments.
function Types.give_callbacks(_, fn, args)
  local wanted
  for _, param in ipairs(fn.params) do
    if param.type:find "^fun%(" then wanted = callback(param.type) end
  end
  for _, argument in ipairs(wanted and args or {}) do
    for i, var in ipairs(argument.tag == "Function" and argument.params or {}) do
      if wanted[i] then var.given = wanted[i] end
    end
  end
end

-- ipairs(list), list:each()
local function element(types, value)
  local type = types:of(value)
  if type and type.each then return 1, type end
  if
    value.tag == "Call" and value.called.tag == "Name" and value.called.name == "ipairs"
    and not value.called.var and value.args[1]
  then
    type = types:of(value.args[1])
    if type and type.objects then return 2, type end
  end
end

--- Gives types to the variables of a loop.
function Types:give_loop(loop)
  local position, type = element(self, loop.values[1])
  local var = position and loop.vars[position]
  if var and var.sets == 0 then
    var.given = { object = true, place = type.place, guessed = type.guessed }
  end
end

--- @param paths the module lint.paths
function M.new(paths, report)
  return setmetatable({ paths = paths, report = report, globals = {} }, Types)
end

return M
