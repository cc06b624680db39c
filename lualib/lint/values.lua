-- Values: properties that are written, and references that are used as values.
local annotations = require "console.annotations"
local facts = require "lint.facts"
local spelling = require "lint.spelling"
local walk = require "lint.walk"

local M = {}

-- -- properties -----------------------------------------------------------------------------------

-- Methods that write properties; the properties are the first argument.
local WRITES <const> = { create = true, modify = true, replace = true, ensure = true }

local check_properties

local function check_word(property, item, place, guessed, report)
  local choices = facts.choices(property)
  local word = item.value.tag == "String" and item.value.value
  if not choices or not word or word == "" or word == "none" then return end
  for _, choice in ipairs(choices) do
    if choice == word then return end
  end
  local near, is_slip = spelling.near(word, choices)
  report(is_slip and not guessed and "error" or "warning", "property-value", item.value,
    (is_slip and "%s: '%s' cannot be '%s'%s" or "%s: of '%s' f5lua knows no value '%s'%s"):format(
      place.template, item.key.value, word, spelling.asked(near)
    ), near)
end

local function check_list(place, value, guessed, report)
  for _, item in ipairs(value.tag == "Table" and value.items or {}) do
    if not item.key and item.value.tag == "Table" then
      check_properties(place, item.value, guessed, report)
    end
  end
end

function check_properties(place, node, guessed, report)
  for _, item in ipairs(node.items) do
    local name = item.key and item.key.tag == "String" and item.key.value
    local what, about
    if name then what, about = facts.property(place, name) end
    if what == "known" then
      check_word(about, item, place, guessed, report)
    elseif what == "list" then
      check_list(about, item.value, guessed, report)
    elseif what == "unknown" then
      local near, is_slip = spelling.near(name, about)
      report(is_slip and not guessed and "error" or "warning", "unknown-property", item.key,
        (is_slip and "%s has no property '%s'%s" or "of %s f5lua knows no property '%s'%s"):format(
          place.template, name, spelling.asked(near)
        ), near)
    end
  end
end

--- Checks the properties of ref:create{…} and other writes.
function M.check_write(types, node, report)
  if not WRITES[node.name] then return end
  local of = types:of(node.object)
  local given = node.args[1]
  if not of or of.class ~= "f5.reference" or not of.place or not given then return end
  if given.tag ~= "Table" then return end
  check_properties(of.place, given, of.guessed, report)
end

-- -- writes in a transaction ----------------------------------------------------------------------

local IN_TRANSACTION <const> = {
  create = true, modify = true, replace = true, ensure = true, delete = true, absent = true,
  add = true, remove = true, set = true,
}

local function check_body(types, body, report)
  walk.each(body, {
    Method = function(node)
      local of = IN_TRANSACTION[node.name] and types:of(node.object)
      if not of or of.class ~= "f5.reference" or of.bound then return end
      report("warning", "outside-transaction", { from = node.name_from, to = node.name_to },
        ("is sent at once, not in the transaction; write tx(reference):%s"):format(node.name))
    end,
  })
end

--- Reports the writes in the function of a transaction that do not belong to it.
function M.check_transaction(types, node, report)
  if node.name ~= "transaction" then return end
  local of = types:of(node.object)
  if not of or of.class ~= "f5.session" then return end
  for _, argument in ipairs(node.args) do
    if argument.tag == "Function" then check_body(types, argument, report) end
  end
end

-- -- references as values -------------------------------------------------------------------------

local COMPARES <const> =
  { ["=="] = true, ["~="] = true, ["<"] = true, [">"] = true, ["<="] = true, [">="] = true }
local LITERAL <const> = { String = true, Number = true, True = true, False = true, Nil = true }

local function is_reference(types, node)
  local type = types:of(node)
  return type and type.class == "f5.reference" and type
end

--- web.description == "x" on a reference compares the path, not the value on the device.
function M.check_comparison(types, node, report)
  if not COMPARES[node.op] then return end
  for _, pair in ipairs { { node.left, node.right }, { node.right, node.left } } do
    local type = is_reference(types, pair[1])
    if type and LITERAL[pair[2].tag] then
      local example = pair[2].tag == "Nil" and "use reference:exists()"
        or "read the object first: local object = reference:load()"
      return report(type.guessed and "warning" or "error", "reference-compared", pair[1],
        "this compares a path, not the value on the device; " .. example)
    end
  end
end

local function error_kinds()
  local names = {}
  for i, kind in ipairs(annotations.alias "f5.error.kind") do names[i] = kind.name end
  return names
end

--- err.kind == "notfound": nearly the name of a kind of error.
function M.check_kind(node, report)
  if node.op ~= "==" and node.op ~= "~=" then return end
  for _, pair in ipairs { { node.left, node.right }, { node.right, node.left } } do
    local word = pair[2].tag == "String" and pair[2].value
    if word and pair[1].tag == "Index" and pair[1].key.value == "kind" then
      local names = error_kinds()
      local near, is_slip = spelling.near(word, names)
      for _, name in ipairs(names) do is_slip = is_slip and name ~= word end
      if is_slip then
        report("warning", "error-kind", pair[2],
          ("no error has the kind '%s'%s"):format(word, spelling.asked(near)), near)
      end
    end
  end
end

--- `if bip.ltm.pool["/Common/web"] then` is always true.
function M.check_condition(types, node, report)
  local value = node.tag == "Unary" and node.op == "not" and node.value or node
  local type = is_reference(types, value)
  if type and (value.tag == "Index" or value.tag == "Method") then
    report(type.guessed and "warning" or "error", "reference-condition", value,
      "a reference is always true, whether or not the object exists; use reference:exists()")
  end
end

return M
