-- The keywords of JSON schemas, in the order in which the validator of F5's extensions (Ajv 6)
-- looks at them. Each is { kind, name, run }: run(given, value, at, check, schema) returns nil, or
-- a list of mistakes. `final` in it: the function of the validator that found them ends with them.
local formats = require "sim.extensions.check.formats"
local json = require "f5.json"
local pattern_of = require "sim.extensions.check.pattern"
local place = require "sim.extensions.check.place"
local tables = require "sim.tables"

local M = {}

local fail, inside, same_place = place.fail, place.inside, place.same_place

--- The keywords in their order.
M.LIST = {}

local function keyword(kind, name, run) M.LIST[#M.LIST + 1] = { kind, name, run } end

-- -- numbers, texts --

local function limit_keyword(kind, name, comparison, is_wrong)
  keyword(kind, name, function(limit, value, at)
    if not is_wrong(value, limit) then return nil end
    return fail(at, name, { comparison = comparison, limit = limit, exclusive = false },
      "should be " .. comparison .. " " .. place.number(limit))
  end)
end

limit_keyword("number", "maximum", "<=", function(value, limit) return value > limit end)
limit_keyword("number", "minimum", ">=", function(value, limit) return value < limit end)
keyword("number", "multipleOf", function(factor, value, at)
  if value / factor == math.floor(value / factor) then return nil end
  return fail(at, "multipleOf", { multipleOf = factor },
    "should be multiple of " .. place.number(factor))
end)

local function length(text) return utf8.len(text) or #text end

local function count_keyword(kind, name, count, is_wrong, words)
  keyword(kind, name, function(limit, value, at)
    if not is_wrong(count(value), limit) then return nil end
    return fail(at, name, { limit = limit }, words:format(limit))
  end)
end

local function more(count, limit) return count > limit end
local function fewer(count, limit) return count < limit end
local function items(value) return #value end

count_keyword("string", "maxLength", length, more, "should NOT be longer than %d characters")
count_keyword("string", "minLength", length, fewer, "should NOT be shorter than %d characters")
keyword("string", "pattern", function(pattern, value, at)
  if pattern_of.matches(pattern, value) then return nil end
  return fail(at, "pattern", { pattern = pattern },
    ('should match pattern "%s"'):format(pattern))
end)
keyword("string", "format", function(format, value, at)
  local good = (at.options.formats or formats.formats)[format]
  if not good or good(value) then return nil end
  return fail(at, "format", { format = format }, ('should match format "%s"'):format(format))
end)

-- -- arrays --

count_keyword("array", "maxItems", items, more, "should NOT have more than %d items")
count_keyword("array", "minItems", items, fewer, "should NOT have fewer than %d items")
keyword("array", "items", function(list, value, at, check)
  local is_tuple = place.is_array(list)
  for i = 1, is_tuple and math.min(#list, #value) or #value do
    local step = is_tuple and "items/" .. (i - 1) or "items"
    local wrong = check(is_tuple and list[i] or list, value[i], inside(at, i, step, i - 1))
    if wrong then return wrong end
  end
end)

-- Whether all items are simple values: then the validator notes them while it goes backwards.
local function are_simple(schema)
  local kind = type(schema.items) == "table" and schema.items.type
  for _, name in ipairs(type(kind) == "table" and kind or { kind or "object" }) do
    if name == "object" or name == "array" then return false end
  end
  return true
end

-- The positions of two items that are the same, counted from 0; nil: there are none.
local function same_items(list, is_simple)
  local seen = {}
  for i = #list, 1, -1 do
    if is_simple then
      if seen[list[i]] then return i - 1, seen[list[i]] - 1 end
      seen[list[i]] = i
    else
      for j = i - 1, 1, -1 do
        if tables.same(list[i], list[j]) then return i - 1, j - 1 end
      end
    end
  end
  return nil
end

keyword("array", "uniqueItems", function(unique, value, at, _, schema)
  local i, j
  if unique then i, j = same_items(value, are_simple(schema)) end
  if i then
    return fail(at, "uniqueItems", { i = i, j = j },
      ("should NOT have duplicate items (items ## %d and %d are identical)"):format(j, i))
  end
end)
keyword("array", "uniqueItemProperties", function(names, value, at)
  for _, name in ipairs(names) do
    for i = 2, #value do
      for j = 1, i - 1 do
        local one, other = value[i], value[j]
        local both = type(one) == "table" and type(other) == "table" and one[name] ~= nil
        if both and tables.same(one[name], other[name]) then
          return fail(at, "uniqueItemProperties", { keyword = "uniqueItemProperties" },
            'should pass "uniqueItemProperties" keyword validation')
        end
      end
    end
  end
end)

-- -- objects --

local function count(value)
  local n = 0
  for _ in pairs(value) do n = n + 1 end
  return n
end

count_keyword("object", "maxProperties", count, more, "should NOT have more than %d properties")
count_keyword("object", "minProperties", count, fewer, "should NOT have fewer than %d properties")

-- Whether a schema says anything but a default.
local function says_something(schema)
  for key in pairs(schema) do
    if key ~= "default" then return true end
  end
  return false
end

local required_later = setmetatable({}, { __mode = "k" })

-- Names that are required and have a schema of their own: `properties` looks at them.
local function later_of(schema)
  local later = required_later[schema]
  if later then return later end
  later = {}
  for _, name in ipairs(schema.required or {}) do later[name] = true end
  local own = {}
  for _, pair in ipairs(schema.properties or {}) do
    if later[pair[1]] and says_something(pair[2]) then own[pair[1]] = true end
  end
  required_later[schema] = own
  return own
end

local function missing(at, name)
  return fail(at, "required", { missingProperty = name },
    ("should have required property '%s'"):format(name))
end

keyword("object", "required", function(names, value, at, _, schema)
  local later = later_of(schema)
  for _, name in ipairs(names) do
    if value[name] == nil and not later[name] then return missing(at, place.name(at, name)) end
  end
end)

-- What must be there too: the mistake, or nil.
local function missing_with(needed, name, value, at)
  for _, other in ipairs(needed) do
    if value[other] == nil then
      local deps = table.concat(needed, ", ")
      return fail(at, "dependencies",
        {
          property = name, missingProperty = place.name(at, other), depsCount = #needed,
          deps = deps,
        },
        ("should have %s %s when property %s is present"):format(
          #needed == 1 and "property" or "properties", deps, name))
    end
  end
  return nil
end

keyword("object", "dependencies", function(list, value, at, check)
  local names = place.sorted(list)
  for _, name in ipairs(names) do
    if value[name] ~= nil and place.is_array(list[name]) then
      local wrong = missing_with(list[name], name, value, at)
      if wrong then return wrong end
    end
  end
  for _, name in ipairs(names) do
    if value[name] ~= nil and not place.is_array(list[name]) then
      local wrong = check(list[name], value, same_place(at, "dependencies/" .. name, name))
      if wrong then return wrong end
    end
  end
end)
keyword("object", "propertyNames", function(schema, value, at, check)
  for _, name in ipairs(place.keys(value, at)) do
    local here = same_place(at, "propertyNames", "propertyNames", true)
    here.property_name, here.parent = name, nil
    local wrong = check(schema, name, here)
    if wrong then
      for _, one in ipairs(wrong) do one.propertyName = name end
      return place.add(wrong, at, "propertyNames", { propertyName = name },
        ("property name '%s' is invalid"):format(name))
    end
  end
end)

-- What is said about properties that are not named.
local function check_others(schema, value, at, check)
  local known, extra = {}, schema.additionalProperties
  for _, pair in ipairs(schema.properties or {}) do known[pair[1]] = true end
  for _, name in ipairs(place.keys(value, at)) do
    local by_pattern = false
    for pattern in pairs(schema.patternProperties or {}) do
      by_pattern = by_pattern or pattern_of.matches(pattern, name)
    end
    if not known[name] and not by_pattern then
      if extra == false then
        return fail(at, "additionalProperties", { additionalProperty = name },
          "should NOT have additional properties")
      end
      local wrong = check(extra, value[name], inside(at, name, "additionalProperties"))
      if wrong then return wrong end
    end
  end
  return nil
end

keyword("object", "properties", function(properties, value, at, check, schema)
  local extra = schema.additionalProperties
  if extra ~= nil and extra ~= true then
    local wrong = check_others(schema, value, at, check)
    if wrong then return wrong end
  end
  local later = later_of(schema)
  for _, pair in ipairs(properties) do
    local name = pair[1]
    if value[name] ~= nil then
      local wrong = check(pair[2], value[name], inside(at, name, "properties/" .. name))
      if wrong then return wrong end
    elseif later[name] then
      return missing(at, name)
    end
  end
end)

-- -- all values --

keyword("any", "const", function(wanted, value, at)
  if tables.same(wanted, value) then return nil end
  return fail(at, "const", { allowedValue = wanted }, "should be equal to constant")
end)
keyword("any", "enum", function(list, value, at)
  for _, item in ipairs(list) do
    if tables.same(item, value) then return nil end
  end
  return fail(at, "enum", { allowedValues = list },
    "should be equal to one of the allowed values")
end)
keyword("any", "not", function(schema, value, at, check)
  if place.fits(check, schema, value, same_place(at, "not", "not", true)) then return nil end
  return fail(at, "not", {}, "should NOT be valid")
end)

-- The mistakes of all branches of a list; nil if one fits (`only_one`: if exactly one fits).
local function branches(name, list, value, at, check, only_one)
  local all, good = {}, nil
  for i, schema in ipairs(list) do
    local wrong = place.fits(check, schema, place.now(at, value),
      same_place(at, at.schema_path and ("%s/%d"):format(name, i - 1), tostring(i - 1), true))
    if wrong then
      table.move(wrong, 1, #wrong, #all + 1, all)
    elseif not only_one then
      return nil
    elseif good then
      return all, json.array { good, i - 1 }
    else
      good = i - 1
    end
  end
  if good then return nil end
  return all, json.null
end

keyword("any", "anyOf", function(list, value, at, check)
  local all = branches("anyOf", list, value, at, check, false)
  if not all then return nil end
  return place.add(all, at, "anyOf", {}, "should match some schema in anyOf")
end)
keyword("any", "oneOf", function(list, value, at, check)
  local all, passing = branches("oneOf", list, value, at, check, true)
  if not all then return nil end
  return place.add(all, at, "oneOf", { passingSchemas = passing },
    "should match exactly one schema in oneOf")
end)
-- -- conditions on constants --

local CONDITIONAL <const> = { ["if"] = true, ["then"] = true }
local COMPARING <const> = { properties = true, required = true, type = true }
local PLAIN <const> = { const = true, enum = true, type = true }

local function has_only(schema, known)
  for key in pairs(schema) do
    if not known[key] then return false end
  end
  return true
end

-- The members that a condition compares with texts: a list of { name, text }. Nil if it does more.
local function compared(condition)
  if type(condition) ~= "table" or not has_only(condition, COMPARING) then return nil end
  local list = {}
  for _, pair in ipairs(condition.properties or list) do
    if type(pair[2]) ~= "table" or not has_only(pair[2], PLAIN) then return nil end
    if type(pair[2].const) == "string" then list[#list + 1] = { pair[1], pair[2].const } end
  end
  return list
end

local NOTHING <const> = {}
local conditions <const> = setmetatable({}, { __mode = "k" })  -- schema -> what it compares

-- Whether a schema says something about other objects only: it has a condition that an object
-- cannot meet. Declarations have a hundred classes, and what counts for each of them is such a
-- schema.
local function is_for_others(schema, object)
  local list = conditions[schema]
  if not list then
    list = type(schema) == "table" and has_only(schema, CONDITIONAL) and compared(schema["if"])
      or NOTHING
    conditions[schema] = list
  end
  for _, pair in ipairs(list) do
    local own = object[pair[1]]
    if type(own) == "string" and own ~= pair[2] then return true end
  end
  return false
end

keyword("any", "allOf", function(list, value, at, check)
  local object = not at.options.coerce and place.is_object(value) and value
  for i, schema in ipairs(list) do
    if not (object and is_for_others(schema, object)) then
      local wrong = check(schema, place.now(at, value),
        same_place(at, at.schema_path and ("allOf/%d"):format(i - 1), tostring(i - 1)))
      if wrong then return wrong end
    end
  end
end)
keyword("any", "if", function(condition, value, at, check, schema)
  local wrong = place.fits(check, condition, value, same_place(at, "if", "if", true))
  local branch = wrong and "else" or "then"
  wrong = schema[branch] and check(schema[branch], place.now(at, value),
    same_place(at, branch, branch))
  if not wrong or wrong.final then return wrong end
  return place.add(wrong, at, "if", { failingKeyword = branch },
    ('should match "%s" schema'):format(branch))
end)

return M
