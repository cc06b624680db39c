-- Calls of the f5 module: functions and methods that do not exist, `.` for `:`, unknown options.
local annotations = require "console.annotations"
local facts = require "lint.facts"
local host = require "f5.host"
local paths = require "lint.paths"
local spelling = require "lint.spelling"

local M = {}

local INTERNAL <const> = {}
for _, name in ipairs(host.modules()) do INTERNAL[name] = true end

local NAMES <const> = {
  ["f5.session"] = "a session", ["f5.reference"] = "a reference",
  ["f5.transaction"] = "a transaction",
}

local function noun(type)
  return NAMES[type.class] or "'" .. type.class .. "'"
end

local function severity(type) return type.guessed and "warning" or "error" end

local function names_of(class, methods)
  local names = {}
  for _, fn in ipairs(class.functions) do
    if not methods or fn.method then names[#names + 1] = fn.name end
  end
  for _, field in ipairs(methods and {} or class.fields) do
    if field.name:find "^[%a_]" then names[#names + 1] = field.name end
  end
  return names
end

-- -- names ----------------------------------------------------------------------------------------

local function is_reference_method(name)
  return annotations.class("f5.reference").functions[name] ~= nil
end

-- object:modify{…} on what load returned
local function check_object_method(type, node, report)
  if not is_reference_method(node.name) then return end
  local kind = type.place and facts.property(type.place, node.name)
  if kind == "known" then return end
  report(severity(type), "not-a-reference", { from = node.name_from, to = node.name_to },
    ("%s is a method of references, not of the table that %s"):format(
      node.name, type.objects and "list returned" or "load and others return"
    ))
end

--- Checks object:name(…).
function M.check_method(types, node, report)
  local type = types:of(node.object)
  if not type then return end
  local at = { from = node.name_from, to = node.name_to }
  if type.object or type.objects then return check_object_method(type, node, report) end
  local class = type.class and annotations.class(type.class)
  if not class then return end
  local fn = class.functions[node.name]
  if not fn then
    if class.fields[node.name] or #class.functions == 0 then return end
    local near = spelling.near(node.name, names_of(class, true))
    return report(severity(type), "unknown-method", at,
      ("%s has no method '%s'%s"):format(noun(type), node.name, spelling.asked(near)), near)
  end
  if not fn.method then
    report(severity(type), "colon", at,
      ("%s.%s is a function: call it with a dot"):format(type.class, fn.name), "." .. fn.name)
  end
end

--- Checks the index `object.name` of a class, also without a call.
function M.check_index(types, node, report)
  local type = types:of(node.object)
  local key = node.key.tag == "String" and node.key.value
  if not type or not key or not type.class or node.is_target then return end
  if type.class == "f5.session" or type.class == "f5.reference" then return end -- a path
  local class = annotations.class(type.class)
  if class.functions[key] or class.fields[key] or class.fields["[string]"] then return end
  if type.class == "f5" and INTERNAL["f5." .. key] then return end
  local names = names_of(class)
  if #names == 0 then return end
  local near, is_slip = spelling.near(key, names)
  if type.class == "f5.transaction" then
    return report(severity(type), "transaction-path", node.key,
      ("a transaction has no paths; write tx(bip.%s…)"):format(key))
  end
  if type.class ~= "f5" and not is_slip then return end -- it may have what is not documented
  report(severity(type), "unknown-function", node.key,
    ("%s has no '%s'%s"):format(noun(type):gsub("'", ""), key, spelling.asked(near)), near)
end

-- ref.load() instead of ref:load(). ref.load(ref) is the same as ref:load().
local function check_dot(types, node, type, report)
  local called = node.called
  if not (type.fn.method and called.tag == "Index") then return false end
  local first = node.args[1]
  local given = first and types:of(first)
  local is_self = first and (given and given.class == type.of.class
    or not given and (first.tag == "Name" or first.tag == "Call" or first.tag == "Vararg"
      or first.tag == "Index" or first.tag == "Method"))
  if is_self then return true end
  report(severity(type.of), "colon", called.key,
    ("'%s' is a method: call it with a colon"):format(type.fn.name), ":" .. type.fn.name)
  return true
end

-- -- options --------------------------------------------------------------------------------------

-- The alternatives of a type: "string|f5.query?" -> "string", "f5.query".
local function alternatives(text)
  local list, depth, from = {}, 0, 1
  for i = 1, #text do
    local char = text:sub(i, i)
    if char:find "[{(<]" then depth = depth + 1 elseif char:find "[})>]" then depth = depth - 1 end
    if char == "|" and depth == 0 then
      list[#list + 1] = text:sub(from, i - 1)
      from = i + 1
    end
  end
  list[#list + 1] = text:sub(from)
  return list
end

-- The fields of the only table that a type allows, or nil. A table of devices or of properties can
-- have any.
local function fields_of(text)
  local found
  for _, one in ipairs(alternatives(text)) do
    one = one:gsub("%?$", "")
    if one == "table" or one:find "^table<" or one:find "%[%]$" or one == "any" then return nil end
    local class = annotations.class(one)
    if class and #class.functions == 0 then
      if found then return nil end
      found = annotations.fields(one)
    elseif class then
      return nil
    end
  end
  return found and not found["[string]"] and found or nil
end

-- The words that a type allows; nil if it allows other texts.
local function words_of(text)
  local words = {}
  for _, one in ipairs(alternatives(text)) do
    local word = one:match '^"(.*)"$'
    if word then
      words[#words + 1] = word
    elseif one == "string" or one == "any" or one:find "^f5%." then
      return nil
    end
  end
  return words[1] and words
end

local check_options

-- A text where only other types are allowed. A text can be a number for Lua, but not for f5lua.
local OTHER <const> = { number = true, integer = true, boolean = true }

local function is_other(text)
  for _, one in ipairs(alternatives(text)) do
    if not OTHER[one] then return false end
  end
  return true
end

local function check_value(field, value, report)
  if value.tag == "String" then
    local words = words_of(field.type)
    local is_known = not words
    for _, word in ipairs(words or {}) do is_known = is_known or word == value.value end
    if not is_known then
      local near = spelling.near(value.value, words)
      return report("error", "option-value", value,
        ("option '%s' cannot be '%s'; expected %s%s"):format(
          field.name, value.value, table.concat(words, ", "), spelling.asked(near)
        ), near)
    end
    if is_other(field.type) then
      report("error", "option-value", value,
        ("option '%s' must be of the type %s, not a string"):format(
          field.name, (field.type:gsub("|", " or "))
        ))
    end
  elseif value.tag == "Table" then
    check_options(fields_of(field.type), value, report)
  end
end

function check_options(fields, node, report)
  if not fields or #fields == 0 then return end
  for _, item in ipairs(node.items) do
    local name = item.key and item.key.tag == "String" and item.key.value
    local field = name and fields[name]
    if field then
      check_value(field, item.value, report)
    elseif name then
      local names = {}
      for i, one in ipairs(fields) do names[i] = one.name end
      local near = spelling.near(name, names)
      report("error", "unknown-option", item.key,
        ("unknown option '%s'%s"):format(name, spelling.asked(near)), near)
    end
  end
end

-- -- arguments ------------------------------------------------------------------------------------

-- What an argument can surely not be, by what it is in the text. A string can be a number for Lua.
local REFUSES <const> = {
  String = { table = true, boolean = true, ["true"] = true, ["function"] = true },
  Table = {
    string = true, number = true, integer = true, boolean = true, ["true"] = true,
    ["function"] = true,
  },
}

local function is_refused(tag, text)
  for _, one in ipairs(alternatives(text)) do
    local class = annotations.class(one)
    local is_options = class and #class.functions == 0 and #class.fields > 0
    local refused = REFUSES[tag][one]
      or tag == "String" and (one:find "%[%]$" or one:find "^table<" or is_options)
      or tag == "Table" and one:find '^".*"$'
    if not refused then return false end
  end
  return true
end

local OPEN_ENDED <const> = { Call = true, Method = true, Vararg = true }

local function check_count(node, fn, args, report)
  local last = args[#args]
  if last and OPEN_ENDED[last.tag] then return end
  local required = {}
  for _, param in ipairs(fn.params) do
    if not param.optional and param.name ~= "..." and not param.type:find "^any" then
      required[#required + 1] = param.name
    end
  end
  if #args >= #required then return end
  local dot = fn.method and ":" or "."
  report("missing-argument", node, ("%s%s%s needs the argument '%s'"):format(
    fn.owner == "f5" and "f5" or "", fn.owner == "f5" and dot or "", fn.name,
    required[#args + 1]
  ))
end

local function check_kinds(fn, args, report)
  for i, argument in ipairs(args) do
    local param = fn.params[i]
    if param and REFUSES[argument.tag] and is_refused(argument.tag, param.type) then
      report("argument-type", argument, ("%s: '%s' must be of the type %s, not a %s"):format(
        fn.name, param.name, (param.type:gsub("|", " or ")), argument.tag:lower()
      ))
    end
  end
end

local function check_arguments(types, type, node, report)
  local fn, args = type.fn, node.args
  types:give_callbacks(fn, args)
  local function tell(code, at, words)
    report(severity(type.of), code, at, words)
  end
  check_count(node, fn, args, tell)
  check_kinds(fn, args, tell)
  if fn.owner == "f5.session" and fn.name == "request" and args[2] then
    paths.text(types, type.of, args[2])
  end
  for i, argument in ipairs(args) do
    local param = fn.params[i]
    if param and argument.tag == "Table" then
      check_options(fields_of(param.type), argument, report)
    end
  end
end

-- -- calls ----------------------------------------------------------------------------------------

--- Checks a Call or a Method.
function M.check(types, node, report)
  if node.tag == "Method" then
    M.check_method(types, node, report)
    local of = types:of(node.object)
    local class = of and of.class and annotations.class(of.class)
    local fn = class and class.functions[node.name]
    if fn then check_arguments(types, { fn = fn, of = of }, node, report) end
    return
  end
  local type = types:of(node.called)
  if not type then return end
  if type.fn then
    if check_dot(types, node, type, report) then return end
    return check_arguments(types, type, node, report)
  end
  if (type.class == "f5.reference" or type.class == "f5.session") and not type.computed then
    report(severity(type), "not-a-function", node.called,
      ("%s cannot be called; its methods can: reference:load()"):format(noun(type)))
  elseif type.object or type.objects then
    report(severity(type), "not-a-function", node.called,
      "the table that a call returned cannot be called")
  end
end

return M
