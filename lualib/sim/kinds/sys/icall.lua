-- Scripts and handlers of iCall. When handlers run is in sim/icall.
local rights = require "sim.auth.rights"
local schedule = require "sim.icall.schedule"
local validate = require "sim.config.validate"

local STATUS <const> = "active|inactive"

-- Times are resolved when they are written: "now" becomes the device's time.
local function resolve(object, name, now)
  local word = object[name]
  if type(word) ~= "string" then return end
  local ok, result = pcall(schedule.time, word, now)
  if not ok then
    if result == "invalid date" then validate.invalid(name, word) end
    validate.refuse(result)
  end
  if result then object[name] = schedule.text(result) end
end

local function prepare(_, object, properties, _, ctx)
  for _, name in ipairs { "firstOccurrence", "lastOccurrence" } do
    if properties[name] ~= nil then resolve(object, name, ctx.now or 0) end
  end
end

-- A script runs with the rights of the user who wrote it, so that nobody gains any.
local function prepare_script(_, object, properties, old, ctx)
  if old and properties.definition == nil then return end
  local user = ctx.user
  object._author = not rights.is_administrator(user)
      and { name = user.name, provider = user.provider, access = user.access } or nil
end

local kinds <const> = {
  ["sys/icall/event"] = { facts = { type = "show" } },
  ["sys/icall/publisher/failover"] = { facts = { type = "show", hidden = true } },
  -- The catalogue lacks that these are in partitions.
  ["sys/icall/istats-trigger"] = { facts = { flat = false } },
  ["sys/icall/script"] = {
    facts = {
      flat = false, noun = "iCall script", props = { definition = { keeps_empty = true } },
    },
    checks = { prepare = prepare_script },
  },
}

for _, name in ipairs { "periodic", "perpetual", "triggered" } do
  kinds["sys/icall/handler/" .. name] = {
    facts = {
      flat = false, noun = ("iCall %s handler"):format(name), mandatory = { "script" },
      props = { status = { c = name == "perpetual" and STATUS .. "|suspend" or STATUS } },
    },
    relations = { { property = "script", to = { "sys/icall/script" } } },
  }
end

local periodic <const> = kinds["sys/icall/handler/periodic"]
periodic.checks = { prepare = prepare }
periodic.facts.props.interval = { t = "i", range = { 1, 2147483647 } }
periodic.facts.props.arguments = { t = "a" }
periodic.facts.props.firstOccurrence = { t = "s", d = "0" }

return kinds
