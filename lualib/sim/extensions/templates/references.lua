-- References between the files of a template set: `$ref: "_pool.yaml#/tcp"`.
local ordered = require "sim.extensions.templates.ordered"
local json = require "f5.json"
local yaml = require "sim.extensions.templates.yaml"

local M = {}

local MAX_DEPTH <const> = 30
local MAX_NODES <const> = 500000

local function fail(format, ...)
  error({ template = "Parsing references failed:\n" .. format:format(...) }, 0)
end

local function unescape(name)
  return (name:gsub("~1", "/"):gsub("~0", "~"))
end

-- What a pointer means in a document.
local function follow(document, pointer, ref)
  local value = document
  for name in pointer:gmatch "[^/]+" do
    name = unescape(name)
    local index = ordered.is_array(value) and tonumber(name)
    value = type(value) == "table" and value ~= json.null and value[index and index + 1 or name]
    if value == nil or value == false then fail('Token "%s" does not exist. (%s)', name, ref) end
  end
  return value
end

local resolve

-- The value of a reference in a file. `file`: the name of the file; nil: the template itself, whose
-- references to itself stay as they are.
local function target(set, ref, file, depth)
  local name, pointer = ref:match "^([^#]*)#?(.*)$"
  if name == "" then name = file end
  local short = name:match "^(.*)%.ya?ml$"
  if name:find "^%a+://" or name:find("..", 1, true) then
    fail("Found ref to path outside of the template set: %s", ref)
  end
  local text = short and set.texts[short]
  if not text then fail('Error opening file "%s"', name) end
  set.documents = set.documents or {}
  if not set.documents[name] then set.documents[name] = yaml.read(text) end
  return resolve(set, follow(set.documents[name], pointer, ref), name, depth + 1)
end

function resolve(set, value, file, depth)
  if type(value) ~= "table" or value == json.null then return value end
  set.nodes = (set.nodes or 0) + 1
  if depth > MAX_DEPTH or set.nodes > MAX_NODES then fail "the references have no end" end
  if ordered.is_array(value) then
    local list = json.array {}
    for i, item in ipairs(value) do list[i] = resolve(set, item, file, depth) end
    return list
  end
  local ref = value["$ref"]
  if type(ref) == "string" and (file or ref:sub(1, 1) ~= "#") then
    local found = target(set, ref, file, depth)
    if not ordered.is_object(found) then return found end
    local merged = ordered.copy(found)
    for key, item in ordered.pairs(value) do
      if key ~= "$ref" then ordered.set(merged, key, resolve(set, item, file, depth)) end
    end
    return merged
  end
  local object = ordered.new()
  for key, item in ordered.pairs(value) do
    ordered.set(object, key, resolve(set, item, file, depth))
  end
  return object
end

--- The data of a template with its references replaced by what they mean.
function M.resolved(set, data)
  set.nodes = 0
  return resolve(set, data, nil, 0)
end

return M
