-- "?options=records add { k { data v } }" of a PATCH: adds, modifies, deletes or replaces elements
-- of a list property or of a sub-collection, in the words of tmsh.
local errors = require "sim.http.errors"
local json = require "f5.json"
local names = require "sim.config.names"
local uri = require "sim.config.uri"
local values = require "sim.config.values"

local M = {}

local VERBS <const> =
  { add = true, delete = true, modify = true, ["replace-all-with"] = true }
local MAX_DEPTH <const> = 20

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

local Reader <const> = {}
Reader.__index = Reader

function Reader:fail()
  refuse(400, ("Syntax Error: unbalanced braces in %s"):format(self.text), 26214401)
end

function Reader:is(brace)
  local token = self.tokens[self.at]
  return token ~= nil and token.brace == brace
end

function Reader:word()
  local token = self.tokens[self.at]
  if not token or not token.word then self:fail() end
  self.at = self.at + 1
  return token.word
end

-- Whether the block that begins here holds words only.
function Reader:has_words_only()
  for at = self.at, #self.tokens do
    local token = self.tokens[at]
    if token.brace then return token.brace == "}" end
  end
  return false
end

-- "a b }": words, up to the end of the block.
function Reader:words()
  local list = {}
  while not self:is "}" do list[#list + 1] = self:word() end
  self.at = self.at + 1
  return json.array(list)
end

-- The value of a property: a word, a list or a group. `spec`: of the property, or nil.
function Reader:value(name, spec, depth)
  if depth > MAX_DEPTH then self:fail() end
  local token, after = self.tokens[self.at], self.tokens[self.at + 1]
  local verb = token and token.word and VERBS[token.word] and after and after.brace == "{"
  if verb then self.at = self.at + 1 end
  if not self:is "{" then return self:word() end
  self.at = self.at + 1
  local is_list = verb or spec and spec.t == "a" or not spec and name:sub(-1) == "s"
  if is_list and self:has_words_only() then return self:words() end
  if is_list then return json.array(self:elements(nil, depth + 1)) end
  return self:properties(nil, {}, depth + 1)
end

-- "data v ratio 3 }": properties, up to the end of the block. `node`: what has them, or nil.
function Reader:properties(node, found, depth)
  while not self:is "}" do
    local word = self:word()
    local name = camel(word)
    local spec = node and node.props[name]
    local is_flag = spec and spec.t == "b" or not spec and (name == "enabled" or name == "disabled")
    if is_flag and not (self.tokens[self.at] and VERBS[self.tokens[self.at].word]) then
      found[name] = true
    else
      found[name] = self:value(name, spec, depth)
    end
  end
  self.at = self.at + 1
  return found
end

-- "k { data v } l }" -> { { name = "k", data = "v" }, { name = "l" } }, up to the end of the block
function Reader:elements(node, depth)
  local list = {}
  while not self:is "}" do
    local element = { name = self:word() }
    if self:is "{" then
      self.at = self.at + 1
      self:properties(node, element, depth)
    end
    list[#list + 1] = element
  end
  self.at = self.at + 1
  return list
end

local function name_of(item)
  return type(item) == "table" and item.name or item
end

-- Whether two names of a list mean the same: "a" and "/Common/a".
local function same_name(one, other, partition)
  if one == other then return true end
  if type(one) ~= "string" or type(other) ~= "string" then return tostring(one) == other end
  return one:sub(1, 1) == "/" and names.absolute(other, partition) == one
end

local function place_of(list, name, partition)
  for i, item in ipairs(list) do
    local own = name_of(item)
    if
      same_name(own, name, partition)
      or type(item) == "table" and type(item.partition) == "string"
        and names.full(item.partition, item.subPath, tostring(own))
          == names.absolute(name, partition)
    then
      return i
    end
  end
end

-- "01020066:3: The requested class string item (/Common/dg k) …"
local function item_noun(object, property, name)
  local kind = property == "records" and ("class %s item"):format(object.type or "string")
    or property .. " item"
  return ("%s (%s %s)"):format(kind, object.fullPath or object.name or property, name)
end

-- An element of a list as it is kept: a text if the list has texts.
local function as_item(element, plain)
  return plain and next(element, next(element)) == nil and element.name or element
end

local function modify_item(list, at, element)
  local fresh = type(list[at]) == "table" and values.shallow(list[at]) or { name = list[at] }
  for key, value in pairs(element) do
    if key ~= "name" then fresh[key] = value end
  end
  list[at] = type(list[at]) == "table" and fresh or as_item(fresh, true)
end

-- The list after an operation on `old`.
local function changed(object, change, old)
  local verb, property, partition = change.verb, change.property, object.partition
  local list = verb == "replace-all-with" and {} or table.move(old, 1, #old, 1, {})
  local plain = property ~= "records" and not change.has_fields and type(old[1]) ~= "table"
  for _, element in ipairs(change.elements) do
    local is_all = element.name == "all" and (verb == "delete" or verb == "modify")
    local at = place_of(list, element.name, partition)
    local noun = item_noun(object, property, element.name)
    if is_all and not at then
      if verb == "delete" then return json.array {} end
      for i in ipairs(list) do modify_item(list, i, element) end
    elseif verb == "delete" or verb == "modify" then
      if not at then
        refuse(404, ("01020036:3: The requested %s was not found."):format(noun), 3)
      end
      if verb == "delete" then table.remove(list, at) else modify_item(list, at, element) end
    elseif at then
      refuse(409, ("01020066:3: The requested %s already exists in partition %s."):format(
        noun, partition or "Common"), 3)
    else
      list[#list + 1] = as_item(element, plain)
    end
  end
  return json.array(list)
end

--- What `options` says about a list: { property =, verb =, elements =, sub = name of the
--- sub-collection or nil }; nil if it says nothing of the kind. `node`: of the object.
local function read(options, node, path)
  local tokens = tokens_of(options)
  local dashed, verb = tokens[1] and tokens[1].word, tokens[2] and tokens[2].word
  if not dashed or not VERBS[verb] or not tokens[3] or tokens[3].brace ~= "{" then return nil end
  local property = camel(dashed)
  local sub = node.subs and node.subs[property .. "Reference"]
  local inner = sub and uri.parse(path .. "/" .. sub)
  local reader = setmetatable({ tokens = tokens, at = 4, text = options }, Reader)
  local elements = reader:elements(inner and inner.node, 1)
  if tokens[reader.at] then
    refuse(400, ("Syntax Error: unexpected text after the list in %s"):format(options), 26214401)
  end
  local change = { dashed = dashed, property = property, verb = verb, elements = elements }
  change.sub, change.has_fields = sub, false
  for _, element in ipairs(elements) do
    change.has_fields = change.has_fields or next(element, next(element)) ~= nil
  end
  return change
end

-- The path of an element of a sub-collection.
local function path_of(collection, node, name, object)
  local full = node.flat and name or names.absolute(name, object.partition)
  return collection .. "/" .. names.segment(full)
end

local function change_element(store, collection, verb, element, object, ctx)
  local node = uri.parse(collection).node
  local body = values.shallow(element)
  if type(body.name) ~= "string" then
    refuse(400, "one or more properties must be specified", 1)
  end
  if verb == "add" then
    if not node.flat and body.name:sub(1, 1) ~= "/" then body.partition = object.partition end
    store:create(collection, body, ctx)
    return
  end
  local path = path_of(collection, node, element.name, object)
  body.name = nil
  if not uri.parse(path) then refuse(404, "Object not found - " .. element.name, 1) end
  if verb == "delete" then
    store:delete(path, ctx)
  else
    store:modify(path, body, ctx)
  end
end

-- Changes elements of a sub-collection.
local function change_sub(store, path, change, object, ctx)
  local collection = path .. "/" .. change.sub
  for _, element in ipairs(change.elements) do
    if element.name == "all" and (change.verb == "delete" or change.verb == "modify") then
      local segments = store:segments(collection)
      for _, segment in ipairs(table.move(segments, 1, #segments, 1, {})) do
        local one = values.shallow(element)
        one.name = store:get(collection .. "/" .. segment).fullPath
        change_element(store, collection, change.verb, one, object, ctx)
      end
    else
      change_element(store, collection, change.verb, element, object, ctx)
    end
  end
end

--- Changes elements of a list of the object at `target`, together with the properties in `body`.
--- `change`: { dashed = "the-name", property =, verb =, elements =, sub =, has_fields = }. Returns
--- the path and the object like store:modify.
function M.apply(store, change, target, body, ctx)
  local object = store:get(target.path)
  if not object and target.what == "singleton" then object = store:one(target.path) end
  local node = target.node
  local property, whole = change.property, values.shallow(body)
  if change.sub and change.verb ~= "replace-all-with" then
    return store:atomically(function()
      change_sub(store, target.path, change, object, ctx)
      if next(whole) == nil then return target.path, store:get(target.path) or object end
      return store:modify(target, whole, ctx)
    end)
  end
  local spec, old = node.props[property], object[property]
  local is_list = change.sub or type(old) == "table" and (json.is_array(old) or #old > 0)
    or old == nil and spec and (spec.t == "a" or spec.t == "x" or spec.t == "s" and not spec.exact)
    or node.lists and node.lists[property]
  if not is_list then refuse(400, ('"%s" unknown property'):format(change.dashed), 26214401) end
  whole[property] = change.sub and json.array(change.elements)
    or changed(object, change, type(old) == "table" and old or {})
  return store:modify(target, whole, ctx)
end

--- Does what `options` of a PATCH says about a list of the object at `target`, together with the
--- body. Returns the path and the object like store:modify; nil if the options say nothing about a
--- list.
function M.modify(store, options, target, body, ctx)
  local object = store:get(target.path)
  if not object and target.what == "singleton" then object = store:one(target.path) end
  local change = object and read(options, target.node, target.path)
  if not change then return nil end
  return M.apply(store, change, target, body, ctx)
end

return M
