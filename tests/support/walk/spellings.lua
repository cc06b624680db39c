-- Other words for the value of a property, as a device accepts them: the spellings that `ensure`
-- takes for the same value. Each belongs to types of properties (see lualib/sim/kinds/init.lua).
--
--   spellings.list[i].title                               "numbers as text"
--   spellings.list[i].of(name, value, spec) -> value, whether there is one
local f5 = require "f5"

local M = {}

-- Texts whose every letter counts.
local FREE_TEXT <const> = {
  description = true, comment = true, data = true, send = true, recv = true, apiAnonymous = true,
  text = true, value = true, caption = true, location = true, contact = true, recvDisable = true,
}

-- Lists without an order.
local SETS <const> = {
  members = true, vlans = true, interfaces = true, allowService = true, allowedAddresses = true,
  options = true, addresses = true, devices = true,
}

local SERVICES <const> =
  { [0] = "any", [21] = "ftp", [22] = "ssh", [53] = "domain", [80] = "http", [443] = "https" }

local YES <const> = { enabled = true, yes = true, ["true"] = true }
local NO <const> = { disabled = true, no = true, ["false"] = true }

local function is_list(value)
  return type(value) == "table" and (f5.json.is_array(value) or #value > 0)
end

-- A spelling of single values; lists and groups of values are spelled item by item.
local function of_values(fn)
  local function spell(name, value, spec)
    if type(value) == "table" and value ~= f5.null then
      local copy, any = {}, false
      for key, item in pairs(value) do
        local word, found = spell(type(key) == "string" and key or name, item, spec)
        copy[key] = found and word or item
        any = any or found
      end
      if f5.json.is_array(value) then f5.json.array(copy) end
      return copy, any
    end
    local word = fn(name, value, spec)
    return word, word ~= nil and word ~= value
  end
  return spell
end

local function text_only(fn)
  return of_values(function(name, value, spec)
    if type(value) ~= "string" or FREE_TEXT[name] then return nil end
    return fn(value, name, spec)
  end)
end

-- A spelling of nothing, for properties that the object does not have.
local function of_nothing(types, word)
  return function(_, value, spec)
    return word, value == nil and spec ~= nil and types:find(spec.t, 1, true) ~= nil
  end
end

M.list = {
  { title = "numbers as text", of = of_values(function(_, value)
    return math.type(value) == "integer" and tostring(value) or nil
  end) },
  { title = "numbers with a fraction of 0", of = function(_, value)
    return math.type(value) == "integer" and value + 0.0, math.type(value) == "integer"
  end },
  { title = "text as numbers", of = text_only(function(value)
    return value:find "^[1-9]%d*$" and #value < 10 and math.tointeger(tonumber(value)) or nil
  end) },
  { title = "names in Common without their partition", of = text_only(function(value)
    return value:match "^/Common/([^/]+)$"
  end) },
  { title = "spaces around a text", of = function(name, value)
    local is_text = type(value) == "string" and not FREE_TEXT[name]
    return is_text and " " .. value .. " ", is_text
  end },
  { title = "flags as booleans", of = text_only(function(value)
    if YES[value] then return true end
    if NO[value] then return false end
    return nil
  end) },
  { title = "flags as words", of = function(_, value, spec)
    return value and "yes" or "no", type(value) == "boolean" and spec ~= nil and spec.t == "b"
  end },
  { title = "a flag as null", of = function(_, value, spec)
    return f5.null, value == true and spec ~= nil and spec.t == "b"
  end },
  { title = "no flag as false", of = function(_, value, spec)
    return false, value == nil and spec ~= nil and spec.t == "b"
  end },
  { title = "nothing as an empty text", of = of_nothing("sa", "") },
  { title = "nothing as none", of = of_nothing("sao", "none") },
  { title = "nothing as null", of = of_nothing("saimno", f5.null) },
  { title = "nothing as an empty table", of = of_nothing("ao", {}) },
  { title = "nothing as an empty array", of = of_nothing("a", f5.array {}) },
  { title = "sets in another order", of = function(name, value)
    local copy = {}
    if not SETS[name] or not is_list(value) then return nil, false end
    for i, item in ipairs(value) do copy[#value + 1 - i] = item end
    return copy, #value > 1
  end },
  { title = "lists as plain tables", of = function(_, value)
    return is_list(value) and table.move(value, 1, #value, 1, {}), is_list(value)
  end },
  { title = "lists of one text as that text", of = function(_, value)
    local one = is_list(value) and #value == 1 and type(value[1]) == "string"
    return one and value[1], one
  end },
  { title = "ports as services", of = of_values(function(name, value)
    local is_port = type(name) == "string" and name:find "[pP]ort$"
    return is_port and SERVICES[math.tointeger(tonumber(value))] or nil
  end) },
  { title = "ports of endpoints as services", of = text_only(function(value)
    local host, port = value:match "^(.*[%d%]]):(%d+)$"
    local service = SERVICES[math.tointeger(tonumber(port))]
    return host and service and host .. ":" .. service or nil
  end) },
  { title = "addresses with route domain 0", of = text_only(function(value)
    return value:find "^%d+%.%d+%.%d+%.%d+$" and value .. "%0" or nil
  end) },
  { title = "prefixes as netmasks", of = text_only(function(value)
    return value:find "^%d+%.%d+%.%d+%.%d+/24$" and value:gsub("24$", "255.255.255.0") or nil
  end) },
  { title = "addresses of IPv6 in capitals, without abbreviation", of = text_only(function(value)
    if value == "::" then return "0:0:0:0:0:0:0:0" end
    local head, tail = value:match "^(%x+:%x+)::(%x+)$"
    return head and ("%s:0:0:0:0:0:%s"):format(head, tail):upper() or nil
  end) },
}

-- Not spelled: what the device answers by itself, or what a client names by other means.
local NOT_SPELLED <const> = {
  kind = true, selfLink = true, generation = true, fullPath = true, name = true, partition = true,
  subPath = true,
}

--- Whether a property is the script's to spell.
function M.is_spelled(name) return not NOT_SPELLED[name] and not name:find "Reference$" end

--- Returns the properties of an object that have this spelling, in it; nil if there are none.
-- @param count function(title)|nil: called for each of them
function M.spell(spelling, node, object, count)
  local wanted, any = {}, false
  local function offer(name, value, spec)
    local word, found = spelling.of(name, value, spec)
    if not found then return end
    wanted[name], any = word, true
    if count then count(spelling.title) end
  end
  for name, value in pairs(object) do
    if M.is_spelled(name) then offer(name, value, node.props[name]) end
  end
  local has_pairs = node.pairs and #node.pairs > 0
  for name, spec in pairs(node.props) do
    if object[name] == nil and not spec.r and not (spec.t == "b" and has_pairs) then
      offer(name, nil, spec)
    end
  end
  return any and wanted or nil
end

return M
