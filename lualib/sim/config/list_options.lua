-- "?options=records add { k { data v } }" of a PATCH: adds, modifies, deletes or replaces elements
-- of a list property, in the words of tmsh.
local errors = require "sim.http.errors"
local json = require "f5.json"
local values = require "sim.config.values"

local M = {}

local VERBS <const> =
  { add = true, delete = true, modify = true, ["replace-all-with"] = true }

local function refuse(status, message, number)
  error(errors.tm(status, message, number), 0)
end

local function camel(name)
  return (name:gsub("%-(%l)", string.upper))
end

-- The words, braces and quoted texts of tmsh text.
local function tokens_of(text)
  local tokens, at = {}, 1
  while true do
    at = text:match("^%s*()", at)
    if at > #text then return tokens end
    local quoted, after = text:match('^"([^"]*)"()', at)
    local brace, past = text:match("^([{}])()", at)
    local word, beyond = text:match("^([^%s{}\"]+)()", at)
    if quoted then tokens[#tokens + 1] = { word = quoted }
    elseif brace then tokens[#tokens + 1] = { brace = brace }
    elseif word then tokens[#tokens + 1] = { word = word }
    else refuse(400, ("Syntax Error: unbalanced quotes in %s"):format(text), 26214401) end
    at = after or past or beyond
  end
end

-- "k { data v } l" from a position -> { { name = "k", data = "v" }, { name = "l" } }, position
local function elements_of(tokens, at, text)
  local function fail()
    refuse(400, ("Syntax Error: unbalanced braces in %s"):format(text), 26214401)
  end
  local list = {}
  while true do
    local token = tokens[at]
    if not token then fail() end
    if token.brace == "}" then return list, at + 1 end
    if not token.word then fail() end
    local element = { name = token.word }
    at = at + 1
    if tokens[at] and tokens[at].brace == "{" then
      at = at + 1
      while tokens[at] and tokens[at].word do
        local value = tokens[at + 1]
        if not value or not value.word then fail() end
        element[camel(tokens[at].word)], at = value.word, at + 2
      end
      if not tokens[at] or tokens[at].brace ~= "}" then fail() end
      at = at + 1
    end
    list[#list + 1] = element
  end
end

local function name_of(item)
  return type(item) == "table" and item.name or item
end

local function place_of(list, name)
  for i, item in ipairs(list) do
    if name_of(item) == name then return i end
  end
end

-- "01020066:3: The requested class string item (/Common/dg k) …"
local function item_noun(object, property, name)
  local kind = property == "records" and ("class %s item"):format(object.type or "string")
    or property .. " item"
  return ("%s (%s %s)"):format(kind, object.fullPath, name)
end

-- The list after an operation on `old`.
local function changed(object, property, old, verb, elements)
  local list = verb == "replace-all-with" and {} or table.move(old, 1, #old, 1, {})
  local plain = property ~= "records" and type(old[1]) ~= "table"
  for _, element in ipairs(elements) do
    local at = place_of(list, element.name)
    local noun = item_noun(object, property, element.name)
    if verb == "delete" or verb == "modify" then
      if not at then
        refuse(404, ("01020036:3: The requested %s was not found."):format(noun), 3)
      end
    elseif at then
      refuse(409, ("01020066:3: The requested %s already exists in partition %s."):format(
        noun, object.partition or "Common"), 3)
    end
    if verb == "delete" then
      table.remove(list, at)
    elseif verb == "modify" then
      local fresh = type(list[at]) == "table" and values.shallow(list[at]) or element.name
      if type(fresh) == "table" then
        for key, value in pairs(element) do fresh[key] = value end
      end
      list[at] = fresh
    else
      list[#list + 1] = plain and element.name or element
    end
  end
  return json.array(list)
end

--- The body of a PATCH with what `options` says about a list of the object; the body itself if the
--- options say nothing of the kind.
function M.apply(options, node, object, body)
  local tokens = tokens_of(options)
  local dashed, verb = tokens[1] and tokens[1].word, tokens[2] and tokens[2].word
  if not dashed or not VERBS[verb] or not tokens[3] or tokens[3].brace ~= "{" then return body end
  local property = camel(dashed)
  local spec = node.props[property]
  local old = object[property]
  if old == nil and not spec or old ~= nil and type(old) ~= "table" then
    refuse(400, ('"%s" unknown property'):format(dashed), 26214401)
  end
  local elements, last = elements_of(tokens, 4, options)
  if tokens[last] then
    refuse(400, ("Syntax Error: unexpected text after the list in %s"):format(options), 26214401)
  end
  local whole = values.shallow(body)
  whole[property] = changed(object, property, old or {}, verb, elements)
  return whole
end

return M
