-- An object as a device answers it -> the object as a snapshot has it: only configuration. Links,
-- generations, statistics, computed values and secrets are left out; sub-collections stand inside
-- as lists ("members"), as a seed of the simulated device has them.

local core = require "f5.core"
local ensure = require "f5.ensure.compare"
local json = require "f5.json"
local kinds = require "f5.state.kinds"

local M = {}

local MAX_DEPTH <const> = 40 -- of tables in an object
local NOTHING <const> = {}
local LONG <const> = 24 -- bytes; a shorter text does not contain an encrypted value and more
local MASK <const> = core.MASK

---@class f5.state.notes
---What `clean` found beside the configuration.
---@field secrets string[] properties that were left out because they are secret
---@field subs f5.state.sub[] sub-collections whose elements the body does not have
---@field expanded table<string, true> kinds of sub-collections whose elements it does have
---@field ephemeral integer number of elements that the device makes itself
---
---@class f5.state.sub
---@field holder table where the elements belong
---@field key string under which name
---@field kind string kind of the elements
---@field link string as the device gave it
---@field place string property of the object: "members", "rules[a].actions"

-- -- values ---------------------------------------------------------------------------------------

local MONITOR <const> = "^[lg]tm/monitor/"

-- A text without the secrets inside of it; the second result: whether there was one.
local function without_inner(kind, value)
  local masked = value
  if value:find("$M$", 1, true) then
    masked = masked:gsub("%$M%$[%w+/]*%$[%w+/=]*", "$M$" .. MASK)
  end
  if value:find("PRIVATE KEY-----", 1, true) then
    masked = masked:gsub("(BEGIN [%u ]*PRIVATE KEY%-+).-(%-%-%-%-%-END)", "%1" .. MASK .. "%2")
  end
  if kind:find(MONITOR) and value:lower():find("authorization:", 1, true) then
    masked = masked:gsub("([Aa][Uu][Tt][Hh][Oo][Rr][Ii][Zz][Aa][Tt][Ii][Oo][Nn]:%s*%a+%s+)[^%s\\]+",
      "%1" .. MASK)
  end
  return masked, masked ~= value
end

local scrub

-- Whether a value is a link, or a list of links.
local function is_link(value)
  if type(value) ~= "table" then return false end
  if value.link ~= nil then return true end
  return type(value[1]) == "table" and value[1].link ~= nil or json.is_array(value) and #value == 0
end

-- Names of links; they repeat in every object.
local refers <const> = setmetatable({}, {
  __index = function(self, key)
    local does = type(key) == "string" and (key == "selfLink" or key:find "Reference$" ~= nil)
    self[key] = does
    return does
  end,
})

-- A copy of a table without secrets and links; the same table if it has none.
local function scrub_table(kind, value, place, notes, depth)
  if depth > MAX_DEPTH then return value end
  local copy
  for key, item in next, value do
    local new = item
    if refers[key] and (key == "selfLink" or is_link(item)) then
      new = nil
    elseif type(item) == "string" or type(item) == "table" then
      local at
      if math.type(key) == "integer" then
        local name = ensure.name(item)
        at = ("%s[%s]"):format(place, name or key)
      else
        at = ("%s.%s"):format(place, key)
      end
      new = scrub(kind, key, item, at, value, notes, depth)
    end
    if new ~= item then
      if not copy then
        copy = setmetatable({}, getmetatable(value))
        for k, v in next, value do copy[k] = v end
      end
      copy[key] = new
    end
  end
  return copy or value
end

-- A value without secrets and links; nil: it is a secret.
function scrub(kind, key, value, place, body, notes, depth)
  if type(value) == "table" then return scrub_table(kind, value, place, notes, depth + 1) end
  if type(value) ~= "string" then return value end
  if kinds.is_secret(kind, key, value, body) then
    notes.secrets[#notes.secrets + 1] = place
    if math.type(key) == "integer" then return MASK end -- a list keeps its length
    return nil
  end
  if #value > LONG then
    local masked, found = without_inner(kind, value)
    if found then notes.secrets[#notes.secrets + 1] = place end
    return masked
  end
  return value
end

-- -- references -----------------------------------------------------------------------------------

-- "virtualServers" -> "virtual-servers"
local function kebab(key) return (key:gsub("%u", function(c) return "-" .. c:lower() end)) end

local function segment_of(link) return link:match "([^/?]+)/?%f[?\0]" end

-- -- objects --------------------------------------------------------------------------------------

local OPERATION <const> = { session = true, state = true }
local MONITORED <const> = { ["ltm/node"] = true, ["ltm/pool/members"] = true }

-- The full name that follows from name, partition and folder.
local function derived_name(body)
  local name, partition = body.name, body.partition
  if type(name) ~= "string" or partition == nil then return name end
  local below = body.subPath and body.subPath ~= "" and body.subPath .. "/" or ""
  return ("/%s/%s%s"):format(tostring(partition), below, name)
end

local clean_object

-- The elements of a sub-collection, cleaned.
local function clean_items(kind, items, place, notes, own)
  local out = json.array {}
  for _, item in ipairs(items) do
    if type(item) == "table" then
      if kinds.is_own(kind, item) then
        notes.ephemeral = notes.ephemeral + 1
      else
        local secrets, subs = #notes.secrets, #notes.subs
        out[#out + 1] = clean_object(kind, item, "", notes, own)
        if #notes.secrets > secrets or #notes.subs > subs then
          local at = ("%s[%s]."):format(place, ensure.name(item) or #out)
          for i = secrets + 1, #notes.secrets do notes.secrets[i] = at .. notes.secrets[i] end
          for i = subs + 1, #notes.subs do notes.subs[i].place = at .. notes.subs[i].place end
        end
      end
    end
  end
  return out
end

M.items = clean_items

local function take_reference(kind, out, key, value, prefix, notes, own)
  local property = key:match "^(.+)Reference$"
  local link = type(value.link) == "string" and value.link or ""
  local segment = segment_of(link) or kebab(property)
  local holder, at = out, property
  if out[property] ~= nil or kebab(property) ~= segment then
    -- the name is taken, or does not say the path
    holder = { isSubcollection = true }
    out[key], at = holder, "items"
    if kebab(property) ~= segment then holder.link = link:gsub("%?.*$", "") end
  end
  local place = prefix .. (holder == out and property or key .. ".items")
  local inner = kind .. "/" .. segment
  if type(value.items) == "table" then
    notes.expanded[inner] = true
    holder[at] = clean_items(inner, value.items, place, notes, own)
  else
    notes.subs[#notes.subs + 1] =
      { holder = holder, key = at, kind = inner, link = link, place = place }
  end
end

-- What happens to a property: by kind and name, because names repeat in each object.
local DROP <const>, KEEP <const>, LOOK <const>, OPERATE <const>, REFER <const> = 1, 2, 3, 4, 5

local function action_of(kind, key)
  if type(key) ~= "string" or kinds.is_volatile(kind, key) then return DROP end
  if MONITORED[kind] and OPERATION[key] then return OPERATE end
  if key:find "Reference$" then return REFER end
  if kinds.may_be_secret(kind, key) then return LOOK end
  return KEEP
end

-- kind -> key -> action
local actions <const> = setmetatable({}, {
  __index = function(self, kind)
    local of = setmetatable({}, {
      __index = function(known, key)
        local action = action_of(kind, key)
        known[key] = action
        return action
      end,
    })
    self[kind] = of
    return of
  end,
})

local byte <const> = string.byte
local DOLLAR <const>, DASH <const> = 36, 45 -- how encrypted values and keys begin

-- The objects of a device are many, so this function avoids work for the usual property.
function clean_object(kind, raw, prefix, notes, own)
  local out = raw
  if not own then
    out = {}
    for key, value in next, raw do out[key] = value end
  end
  local action, references = actions[kind], nil
  for key, value in next, out do
    local act, is = action[key], type(value)
    if act == DROP then
      out[key] = nil
    elseif act == REFER and is == "table" and (value.isSubcollection or is_link(value)) then
      if value.isSubcollection then
        references = references or {}
        references[key] = value
      end
      out[key] = nil
    elseif is == "string" then
      if act == OPERATE then
        out[key] = ensure.for_write(key, value)
      else
        local first = act == KEEP and #value <= LONG and byte(value)
        if first == false or first == DOLLAR or first == DASH then
          out[key] = scrub(kind, key, value, prefix .. key, out, notes, 0)
        end
      end
    elseif is == "table" then
      out[key] = scrub(kind, key, value, prefix .. key, out, notes, 0)
    end
  end
  for key, value in next, references or NOTHING do
    take_reference(kind, out, key, value, prefix, notes, own)
  end
  if out.fullPath and out.fullPath == derived_name(out) then out.fullPath = nil end
  return out
end

--- Returns an object as a snapshot has it.
-- @param kind string: "ltm/pool"; see f5.state.kinds
-- @param raw table: the object, as a device answers it or as a snapshot has it
-- @param own boolean|nil: true: the object is changed; otherwise it stays as it is
-- @return table body, f5.state.notes notes
function M.object(kind, raw, own)
  local notes = { secrets = {}, subs = {}, expanded = {}, ephemeral = 0 }
  local body = clean_object(kind, raw, "", notes, own)
  if notes.secrets[2] then table.sort(notes.secrets) end
  return body, notes
end

--- The full name of an object of a snapshot: "/Common/web"; nil for a singleton.
function M.name_of(body) return body.fullPath or derived_name(body) end

return M
