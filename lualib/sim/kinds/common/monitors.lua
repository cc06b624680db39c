-- Monitor expressions ("http", "/Common/a and /Common/b", "min 1 of { /Common/a /Common/b }"), and
-- what all kinds of monitors have in common.
local names = require "sim.config.names"
local property = require "sim.kinds.common.property"
local references = require "sim.config.references"
local validate = require "sim.config.validate"
local texts = require "sim.text"

local M = {}

local s <const> = property.text

-- Words of expressions that are no names.
local WORDS <const> =
  { ["and"] = true, min = true, of = true, default = true, require = true, from = true }

-- Monitor expressions: "/Common/http and /Common/tcp", "min 1 of { /Common/a /Common/b }",
-- "require 1 from 2 { /Common/a }" (of gtm), "default".
function M.names(text)
  local list = {}
  for word in text:gmatch "[^%s{}]+" do
    if
      not WORDS[word] and word ~= "none" and word ~= "/Common/none" and not word:find "^%d+$"
    then
      list[#list + 1] = word
    end
  end
  return list
end

--- The relation of a kind whose property `monitor` names monitors of ltm.
M.RELATION = { property = "monitor", to = { "ltm/monitor/*" }, names = M.names }

M.GTM_RELATION = { property = "monitor", to = { "gtm/monitor/*" }, names = M.names }

--- Writes the names in a monitor expression with their partition.
function M.full(text, partition)
  if type(text) ~= "string" then return text end
  if text == "default" or text == "none" then return text end
  text = text:gsub("\\([{}])", "%1")  -- tmsh's way to write a brace
  local full = text:gsub("[^%s{}]+", function(word)
    if WORDS[word] or word:find "^%d+$" then return word end
    return names.absolute(word, partition ~= "Common" and partition or nil)
  end)
  local start, rest = full:match "^%s*(min%s+%d+%s+of)%s+(.*)$"
  if not start then start, rest = full:match "^%s*(require%s+%d+%s+from%s+%d+)%s+(.*)$" end
  if start then
    -- The device always writes these names in braces.
    local list = {}
    for name in rest:gmatch "[^%s{}]+" do
      if name ~= "and" then list[#list + 1] = name end
    end
    return ("%s { %s }"):format(start:gsub("%s+", " "), table.concat(list, " "))
  end
  return texts.trim(full)
end

--- Writes the monitor expression of an object as the device does, with the monitors of its own
--- partition or of Common.
function M.settle(store, object)
  local text = object.monitor
  if not text or text == "default" or text == "none" then return end
  validate.text("monitor", text)
  local plain = text:gsub("[{}]", " ")
  if plain:find "^%s*%d+%s*$" or plain:find "%f[%w]and%s*$" or plain:find "^%s*and%f[%W]" then
    validate.invalid("monitor", text)
  end
  local own = M.full(text, object.partition)
  for _, name in ipairs(M.names(own)) do
    if not references.locate(store, { "ltm/monitor/*", "gtm/monitor/*" }, name) then
      object.monitor = M.full(text, nil)
      return
    end
  end
  object.monitor = own
end

local monitor <const> = {
  prepare = function(_, object, properties, old, ctx)
    if properties.destination and object.destination and object.destination ~= "*:*" then
      local text = validate.text("destination", object.destination)
      local address, port = validate.endpoint(text)
      if address and address:find ":" and text:sub(#address + 1, #address + 1) == ":" then
        object.destination = ("%s.%d"):format(address, port)
      elseif not text:find "^%*" and not address and not validate.is_address(text) then
        validate.invalid("destination", text)
      end
    end
    local interval, timeout = object.interval, object.timeout
    if
      math.type(interval) == "integer" and math.type(timeout) == "integer" and not ctx.factory
      and timeout > 0 and (properties.interval or properties.timeout) and interval >= timeout
      and timeout ~= 0 and not old
    then
      object.timeout = timeout
    end
  end,
}

function monitor.orphan(object)
  return ("01070043:3: Monitor %s parent not found."):format(object.fullPath)
end

function monitor.in_use(object)
  return ("01070083:3: Monitor %s is in use."):format(object.fullPath)
end

--- The kind that a pattern for all monitors of a module describes.
M.KIND = {
  facts = {
    only = "collection", noun = "monitor",
    props = { defaultsFrom = s(), description = s(), password = s() },
  },
  relations = { { property = "defaultsFrom", to = { "." } } },
  checks = monitor,
}

--- Fills `kinds` with the monitors that a new device has: for each kind one of its name, and one
--- each for http and https that asks with HEAD. `changed`: kind -> name or table of properties.
function M.add_factory(kinds, module, list, changed)
  for _, kind in ipairs(list) do
    local body = { name = kind:gsub("%-", "_") }
    for name, value in pairs(changed[kind] or {}) do body[name] = value end
    kinds[module .. "/monitor/" .. kind] = { factory = { protected = true, objects = { body } } }
  end
  for _, kind in ipairs { "http", "https" } do
    table.insert(kinds[module .. "/monitor/" .. kind].factory.objects, {
      name = kind .. "_head_f5", defaultsFrom = "/Common/" .. kind,
      send = "HEAD / HTTP/1.0\\r\\n\\r\\n", recv = "Server\\:",
    })
  end
end

return M
