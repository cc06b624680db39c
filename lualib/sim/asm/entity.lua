-- Entities of ASM as plain tables: defaults, checks, merging, and the hash ids.
local json = require "f5.json"
local digest = require "sim.digest"
local tables = require "sim.tables"
local texts = require "sim.text"

local M = {}

--- Refuses the request, see rest.lua. status: default 400.
function M.refuse(message, status)
  error({ refused = message, code = status or 400 }, 0)
end
local refuse <const> = M.refuse

local function is_array(value) return type(value) == "table" and json.is_array(value) end
local function is_object(value)
  return type(value) == "table" and not json.is_array(value) and value[1] == nil
end

--- Whether a value is a JSON object.
M.is_object = is_object

--- The hash id of a text: 22 characters, URL-safe Base64 of its MD5. Devices make ids from the name
--- alone: "General Database" is EStDgGiP9nSPgKBhSlDyvQ on all of them.
function M.hash(text)
  return digest.base64url(digest.md5(text))
end

--- Whole seconds as the float that ASM sends.
function M.micros(now)
  return (now // 1000000) * 1e6
end

--- The same as the integer that tasks of newer versions send.
function M.task_micros(now)
  return now // 1000000 * 1000000
end

M.iso = require("sim.clock").utc

-- A link without host and query: "/mgmt/tm/asm/policies/x". Other texts are returned unchanged.
function M.bare_link(link)
  local path = link:match("^https?://[^/]+(/[^?]*)") or link:match("^(/[^?]*)")
  return path and texts.without_slashes((path:gsub("^/tm/", "/mgmt/tm/"))) or link
end

local function json_type(value)
  if value == json.null then return "null" end
  if is_array(value) then return "array" end
  if type(value) == "table" then return "object" end
  return type(value)
end

local function known(spec, name)
  local sample = spec.defaults[name]
  if sample == nil and spec.optional then sample = spec.optional[name] end
  return sample
end
M.known = known

-- Removes host and query of all links, so that they can be compared, and sent with the version of a
-- request.
local function normalize(value)
  if type(value) ~= "table" then return value end
  for name, member in pairs(value) do
    if name == "link" and type(member) == "string" then
      value[name] = M.bare_link(member)
    else
      normalize(member)
    end
  end
  return value
end

-- Checks the values of enumerations, also inside of groups and lists: "group.name" names them.
local function check_enum(spec, name, value)
  if not spec.enums then return end
  if type(value) == "table" then
    for inner, item in pairs(value) do
      check_enum(spec, type(inner) == "string" and name .. "." .. inner or name, item)
    end
    return
  end
  local choices = spec.enums[name]
  if not choices or value == json.null then return end
  for _, choice in ipairs(choices) do
    if choice == value then return end
  end
  refuse(
    ("Invalid value '%s' for '%s'. Valid values are: %s."):format(
      tostring(value),
      name:match "[^.]+$",
      table.concat(choices, ", ")
    )
  )
end

-- Checks the elements of an array and adds their defaults. An array inside of a group is named
-- "group.array".
local complete_elements
function complete_elements(spec, name, value)
  for inner, list in pairs(is_object(value) and value or {}) do
    complete_elements(spec, name .. "." .. inner, list)
  end
  local required = spec.element_required and spec.element_required[name]
  local defaults = spec.element_defaults and spec.element_defaults[name]
  for _, element in ipairs(is_array(value) and value or {}) do
    if type(element) == "table" then
      if required and element[required] == nil then
        refuse(("'%s' needs '%s' in every element."):format(name, required))
      end
      for key, default in pairs(defaults or {}) do
        if element[key] == nil then element[key] = default end
      end
    end
  end
end

-- Refuses a value of another type than the sample. Returns whether it is a number for a text.
local function check_type(name, sample, value)
  local wanted, have = json_type(sample), json_type(value)
  local numeric_text = wanted == "string" and have == "number"
  if wanted ~= have and have ~= "null" and not numeric_text then
    refuse(("Invalid value for '%s': a value of type %s is expected."):format(name, wanted))
  end
  if wanted == "object" and value.link ~= nil and type(value.link) ~= "string" then
    refuse(("Invalid value for '%s': the link must be a text."):format(name))
  end
  return numeric_text
end

--- Refuses properties of the wrong type, also of those that a client cannot set: what a document
--- says of an entity. Null means that there is none.
function M.check_types(spec, object)
  for name, value in pairs(object) do
    local sample = known(spec, name)
    if value == json.null then
      object[name] = nil
    elseif sample ~= nil then
      check_type(name, sample, value)
    end
  end
  for _, name in ipairs(spec.key or {}) do
    local value = object[name]
    local named = type(value) == "table" and (value.link or value.name)
    if
      type(value) == "table" and (type(named) ~= "string" and named)
      or type(value) == "table" and named == nil and next(value)
    then
      refuse(("Invalid value for '%s'."):format(name))
    end
  end
end

--- The properties of a body that can be set. Others are ignored, wrong values are refused.
function M.accept(spec, body, creating)
  local accepted = {}
  for name, value in pairs(body) do
    local sample = known(spec, name)
    local writable = sample ~= nil
    if spec.writable then writable = writable and spec.writable[name] end
    if spec.readonly and spec.readonly[name] then writable = false end
    if writable and not creating and spec.fixed and spec.fixed[name] then writable = false end
    if writable then
      local numeric_text = check_type(name, sample, value)
      accepted[name] = normalize(tables.copy(numeric_text and tostring(value) or value))
      if value ~= json.null then check_enum(spec, name, accepted[name]) end
      complete_elements(spec, name, accepted[name])
    end
  end
  return accepted
end

local function merge_list(into, changes, key)
  for _, change in ipairs(changes) do
    local found
    for _, element in ipairs(into) do
      if element[key] == change[key] then found = element break end
    end
    if found then
      for name, value in pairs(change) do found[name] = value end
    else
      into[#into + 1] = change
    end
  end
end

--- Writes changes into an object: objects are merged, other values are replaced, null removes.
function M.merge(spec, object, changes)
  for name, value in pairs(changes) do
    local key = spec.merge_by and spec.merge_by[name]
    if value == json.null then
      object[name] = nil
    elseif key and is_array(object[name]) then
      merge_list(object[name], value, key)
    elseif is_object(value) and is_object(object[name]) and value.link == nil then
      for inner, member in pairs(value) do object[name][inner] = member end
    else
      object[name] = value
    end
  end
  -- settings that exist only while another one is enabled
  for switch, more in pairs(spec.when or {}) do
    for name, default in pairs(more) do
      if object[switch] ~= true then object[name] = nil
      elseif object[name] == nil then object[name] = tables.copy(default) end
    end
  end
  return object
end

--- A new object of this kind with its defaults. Refuses wrong values.
function M.create(spec, body)
  local accepted = M.accept(spec, body, true)
  local object = tables.copy(spec.defaults)
  M.merge(spec, object, accepted)
  if
    spec.leading_slash and object.type ~= "wildcard" and type(object.name) == "string"
    and not object.name:find("^/")
  then
    object.name = "/" .. object.name
  end
  if spec.lower_case_name and type(object.name) == "string" then
    object.name = object.name:lower()
  end
  for _, name in ipairs(spec.required or { spec.key and spec.key[1] }) do
    local value = object[name]
    if value == nil or value == "" then
      refuse(("Failed Required Fields: Must have at least 1(one) of (%s)"):format(name))
    end
  end
  if object.type == "wildcard" then
    for name, value in pairs { wildcardOrder = 1, wildcardIncludesSlash = true } do
      if object[name] == nil and known(spec, name) ~= nil then object[name] = value end
    end
  end
  return object
end

--- The key of an object in its collection, as one text.
function M.natural_key(spec, object)
  local parts = {}
  for _, name in ipairs(spec.key) do
    local value = object[name]
    -- an entity has the same id in every policy, so the key has no policy
    if type(value) == "table" then
      value = (value.link or value.name or ""):gsub("^/mgmt/tm/asm/policies/[^/]+/", "")
    end
    parts[#parts + 1] = tostring(value == nil and "" or value)
  end
  return table.concat(parts, " ")
end

local TASK_STATES <const> = { "NEW", "STARTED", "COMPLETED", "FAILURE" }

--- The sample of /example: defaults, else an empty value of the type, and the choices of
--- enumerations.
function M.example(spec)
  local example = tables.copy(spec.defaults)
  for name, value in pairs(spec.optional or {}) do
    if type(value) == "string" then example[name] = ""
    elseif type(value) == "number" then example[name] = 0
    elseif type(value) == "boolean" then example[name] = false
    else example[name] = tables.copy(value) end
  end
  if spec.task then
    example.status, example.statusEnums = "NEW", json.array(tables.copy(TASK_STATES))
    example.startTime, example.executionStartTime, example.endTime = "", "", ""
    example.result = {}
  end
  for name, choices in pairs(spec.enums or {}) do
    local group, inner = name:match "^(.+)%.([^.]+)$"
    local into = example
    for part in (group or ""):gmatch "[^.]+" do
      into = type(into) == "table" and (into[part] or into[1] and into[1][part])
    end
    if type(into) == "table" then
      if into[1] then into = into[1] end
      into[(inner or name) .. "Enums"] = json.array(tables.copy(choices))
    end
  end
  example.id, example.lastUpdateMicros = "", 0
  return example
end

return M
