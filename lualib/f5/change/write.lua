-- ref:create, ref:modify and ref:replace: what a device does not take back is left out of the
-- body, and a misspelt property is reported with the one that was probably meant.

local bodies = require "f5.change.body"
local core = require "f5.core"

local M = {}

local REFUSED <const> = '^"([^"]+)" may not be specified in the context of the "modify" command'
local UNKNOWN <const> = '"([^"]+)" unknown property'

-- Loaded when it is needed: most writes are taken as they are.
local function compare() return require "f5.ensure.compare" end

local function segments(path) return path:match "^(.*)/([^/]+)$" end

-- Whether a path is that of an object of this kind, not that of its collection.
local function is_object(ref, kind)
  local parent, last = segments(tostring(ref))
  local collection = kind:match "([^:]+):[^:]+$"
  return last ~= collection or parent:match "[^/]+$" == collection
end

-- -- misspelt properties --------------------------------------------------------------------------

-- The path whose example has the property: that of the collection, or of a collection in the body.
local function place_of(method, ref, body, name)
  for key in next, body do
    if compare().camel(key) == name then
      local parent, last = segments(tostring(ref))
      return parent and last:sub(1, 1) == "~" and core.parent(ref) or ref
    end
  end
  for key, value in next, method == "modify" and body or {} do
    if type(key) == "string" and compare().is_list(value) then
      for _, item in ipairs(value) do
        for inner in next, type(item) == "table" and item or {} do
          if compare().camel(inner) == name then return ref:at(key) end
        end
      end
    end
  end
  return nil
end

-- What an example says about its properties.
local ABOUT <const> = { propertyDescriptions = true, naturalKeyPropertyNames = true }

-- The device's example of a resource; nil if it has none.
local function example_of(ref)
  local ok, answer = pcall(function() return ref:example() end)
  if not ok and type(answer) == "table" and answer.kind == "cancelled" then error(answer, 0) end
  local example = ok and type(answer) == "table" and answer.items and answer.items[1]
  return type(example) == "table" and example or nil
end

local examples = setmetatable({}, { __mode = "k" }) -- session -> path -> example, or false

--- Returns the device's example of an object that was read; nil if it has none. A device is asked
-- once.
function M.example(ref, object)
  local named = type(object.kind) == "string" and is_object(ref, object.kind)
  local place = named and core.parent(ref) or ref
  local session, path = core.session_of(ref), tostring(place)
  examples[session] = examples[session] or {}
  local known = examples[session]
  if known[path] == nil then known[path] = example_of(place) or false end
  return known[path] or nil
end

--- Returns the names of the properties in the device's example of a resource; nil if it has none.
function M.properties(ref)
  local example = example_of(ref)
  if not example then return nil end
  local names = {}
  for name in pairs(example) do
    local words = name:match "^(.+)Enums$"
    if not ABOUT[name] and not (words and example[words] ~= nil) then names[#names + 1] = name end
    local list = name:match "^(.+)Reference$"
    if list and example[list] == nil then names[#names + 1] = list end
  end
  table.sort(names)
  return names
end

-- Completes the message about a misspelt property. The device is asked once for its properties.
local function suggest(err, method, ref, body)
  local name = tostring(err.message):match(UNKNOWN)
  local place = name and place_of(method, ref, body, name)
  local names = place and M.properties(place)
  local near = names and core.nearest(name, names)
  if near then err.message = ("%s (did you mean '%s'?)"):format(err.message, near) end
end

-- -- properties that only a creation sets ---------------------------------------------------------

-- A device refuses them in a PATCH, even if they stay the same.
local FIXED <const> = {
  ["tm:cm:device-group:device-groupstate"] = "type",
  ["tm:ltm:data-group:internal:internalstate"] = "type",
  ["tm:ltm:node:nodestate"] = "address",
  ["tm:ltm:pool:members:membersstate"] = "address",
  ["tm:ltm:snat-translation:snat-translationstate"] = "address",
  ["tm:ltm:virtual-address:virtual-addressstate"] = "address",
  ["tm:net:route-domain:route-domainstate"] = "id",
  ["tm:net:route:routestate"] = "network",
  ["tm:net:self:selfstate"] = "address",
}

-- The same body without a property, if the object has the same value; nil if it has another. The
-- script may have changed it on purpose: then the device says no.
local function without(key, ref, body)
  if body[key] == nil then return nil end
  local object = ref:load()
  if type(object) ~= "table" or not compare().same(body[key], object[key], key) then return nil end
  local out = {}
  for other, value in next, body do
    if other ~= key then out[other] = value end
  end
  return next(out) and out or nil
end

-- For the kinds that are not listed: what the device has just refused.
local function without_refused(err, ref, body)
  local name = tostring(err.message):match(REFUSED)
  return name and without(compare().camel(name), ref, body)
end

local function is_refusal(err) return type(err) == "table" and err.status == 400 end

local function finish(method, call, ref, body, read, options, ok, ...)
  if ok then return ... end
  local err = ...
  if is_refusal(err) then
    local rest = read and method ~= "create" and without_refused(err, ref, body)
    if rest then
      return finish(method, call, ref, rest, read, options, pcall(call, ref, rest, options))
    end
    suggest(err, method, ref, body or {})
  end
  error(err, 0)
end

--- Makes a write.
-- @param method string: "create", "modify" or "replace"
-- @param call function: the method in C
function M.write(method, call, ref, given, options)
  local kind = bodies.kind_of(given)
  local body = given
  if type(given) == "table" then
    local named = kind and method == "create" and not is_object(ref, kind)
    body = bodies.of_write(given, named)
    local fixed = method == "modify" and FIXED[kind]
    body = fixed and without(fixed, ref, body) or body
  end
  return finish(method, call, ref, body, kind ~= nil, options, pcall(call, ref, body, options))
end

return M
