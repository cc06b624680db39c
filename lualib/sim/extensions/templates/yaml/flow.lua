-- Flow collections of YAML: [a, b] and {a: b}, and so all of JSON.
local json = require "f5.json"
local ordered = require "sim.extensions.templates.ordered"
local scalar = require "sim.extensions.templates.yaml.scalar"

local M = {}

local MAX_DEPTH <const> = 200

local node

-- The position of the next character that counts: blanks and comments are left out.
local function skip(text, at)
  while true do
    at = text:match("^%s*()", at)
    local before = at == 1 and "\n" or text:sub(at - 1, at - 1)
    if text:sub(at, at) ~= "#" or not before:find "%s" then return at end
    at = text:find("\n", at, true) or #text + 1
  end
end
M.skip = skip

-- A plain word in a flow collection, and the position behind it.
local function plain(text, at)
  local stop = at
  while stop <= #text do
    local char, after = text:sub(stop, stop), text:sub(stop + 1, stop + 1)
    if char:find "[,%[%]{}]" then break end
    if char == ":" and (after == "" or after:find "[%s,%[%]{}]") then break end
    if char == "#" and text:sub(stop - 1, stop - 1):find "%s" then break end
    stop = stop + 1
  end
  return scalar.plain(scalar.fold(text:sub(at, stop - 1):match "^(.-)%s*$")), stop
end

local function sequence(state, at, depth)
  local text, list = state.text, json.array {}
  at = skip(text, at)
  while text:sub(at, at) ~= "]" do
    if at > #text then state.fail "unexpected end of the stream within a flow collection" end
    local value
    value, at = node(state, at, depth)
    at = skip(text, at)
    if text:sub(at, at) == ":" then
      local single = ordered.new()
      local inner
      inner, at = node(state, at + 1, depth)
      ordered.set(single, tostring(value), inner)
      value, at = single, skip(text, at)
    end
    list[#list + 1] = value
    if text:sub(at, at) == "," then
      at = skip(text, at + 1)
    elseif text:sub(at, at) ~= "]" then
      state.fail "missed comma between flow collection entries"
    end
  end
  return list, at + 1
end

local function key_of(value)
  if value == json.null then return "null" end
  if math.type(value) == "float" then return json.encode(value) end
  return tostring(value)
end
M.key_of = key_of

local function mapping(state, at, depth)
  local text, object = state.text, ordered.new()
  at = skip(text, at)
  while text:sub(at, at) ~= "}" do
    if at > #text then state.fail "unexpected end of the stream within a flow collection" end
    local key, value
    if text:sub(at, at) == "," then state.fail "expected the node content, but found ','" end
    local from = at
    key, at = node(state, at, depth)
    if text:sub(from, at - 1):find "\n" then
      state.fail "missed comma between flow collection entries"
    end
    if type(key) == "table" and key ~= json.null then state.fail "a key is no text" end
    key, at = key_of(key), skip(text, at)
    if text:sub(at, at) == ":" then
      value, at = node(state, at + 1, depth)
      at = skip(text, at)
    else
      value = json.null
    end
    if object[key] ~= nil then state.fail "duplicated mapping key" end
    ordered.set(object, key, value)
    if text:sub(at, at) == "," then
      at = skip(text, at + 1)
    elseif text:sub(at, at) ~= "}" then
      state.fail "missed comma between flow collection entries"
    end
  end
  return object, at + 1
end

--- The value that begins at a position, and the position behind it.
-- @param state table: text, fail = function(message), alias = function(name) -> its value
function node(state, at, depth)
  local text = state.text
  if depth > MAX_DEPTH then state.fail "nested too deeply" end
  at = skip(text, at)
  local char = text:sub(at, at)
  if char == "[" then return sequence(state, at + 1, depth + 1) end
  if char == "{" then return mapping(state, at + 1, depth + 1) end
  if char == '"' then return scalar.double(text, at + 1, state.fail) end
  if char == "'" then return scalar.single(text, at + 1, state.fail) end
  if char:find "[,%]}]" then return json.null, at end
  local alias, behind = text:match("^%*([^%s,%[%]{}]+)()", at)
  if alias then return state.alias(alias), behind end
  return plain(text, at)
end

function M.node(state, at) return node(state, at, 0) end

return M
