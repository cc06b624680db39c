--- Tokens of a device as objects (/mgmt/shared/authz/tokens). Their names and addresses are
-- secrets: only the first characters are shown. That is enough to distinguish them, and to delete
-- one by a pattern.

local core = require "f5.core"
local json = require "f5.json"

local MASK <const> = core.MASK
local SHOWN <const> = 4
local MIN_LENGTH <const> = 16 -- of shorter tokens nothing is shown
local ADDRESS <const> = "/authz/tokens/([^/?]+)"

local Tokens = {}

-- The token that an object is about, or nil. With $select only its name may be there: devices make
-- tokens of 26 capitals and digits.
local function token_of(object)
  -- an inventory raises for a name that it does not have
  local kind, name = rawget(object, "kind"), rawget(object, "name")
  local link = rawget(object, "selfLink")
  local is_token = type(kind) == "string" and kind:find "^shared:authz:tokens:authtokenitem"
  local linked = type(link) == "string" and link:match(ADDRESS)
  if is_token or linked then
    local text = rawget(object, "token")
    return type(text) == "string" and text
      or type(name) == "string" and name or linked or nil
  end
  return type(name) == "string" and #name == 26 and name:find "^[A-Z0-9]+$" and name or nil
end

local function replace(value, token, short)
  if type(value) == "string" then
    local from, to = value:find(token, 1, true)
    return from and value:sub(1, from - 1) .. short .. value:sub(to + 1) or value
  end
  if type(value) ~= "table" then return value end
  local out = json.is_array(value) and json.array {} or {}
  for key, item in pairs(value) do out[key] = replace(item, token, short) end
  return out
end

--- The same value if no token is in it; else a copy in which the beginning of each stands for it.
-- @param value any: what a device answered: an object, an array of them, or a collection with items
-- @param seen table|nil: tables that are looked at already; a table can contain itself
function Tokens.hidden(value, seen)
  if type(value) ~= "table" or seen and seen[value] then return value end
  seen = seen or {}
  seen[value] = true
  local token = token_of(value)
  if token then
    return replace(value, token, #token >= MIN_LENGTH and token:sub(1, SHOWN) .. MASK or MASK)
  end
  local out
  local function put(key, item)
    local hidden = Tokens.hidden(item, seen)
    if hidden == item then return end
    if not out then
      out = json.is_array(value) and json.array {} or {}
      for name, other in pairs(value) do out[name] = other end
    end
    out[key] = hidden
  end
  for i, item in ipairs(value) do put(i, item) end
  -- of a collection as it came, and of the answer to a login
  for _, key in ipairs { "items", "token" } do
    local item = rawget(value, key)
    if type(item) == "table" then put(key, item) end
  end
  return out or value
end

return Tokens
