-- Wide IPs.
local names = require "sim.config.names"
local property = require "sim.kinds.common.property"
local validate = require "sim.config.validate"

local s <const>, flag <const> = property.text, property.flag

local wide_ip <const> = {
  prepare = function(_, object, _, old)
    if not old and not object.name:find "%." then
      validate.refuse_mcpd(
        ("01020056:3: Error in wide IP name (%s): a domain name is expected."):format(object.name)
      )
    end
  end,
}

-- The pool in "a /Common/p", the type of its records and its name. One of the same type may stand
-- without it.
local function last_resort(text)
  local name = text:match "(%S+)%s*$"
  if not name or name == "none" then return {} end
  return { names.absolute(name) }
end

local kinds <const> = { ["gtm/wideip"] = { facts = { type = "organizing" } } }

for _, record in ipairs { "a", "aaaa", "cname", "mx", "naptr", "srv" } do
  kinds["gtm/wideip/" .. record] = {
    facts = {
      noun = "Wide IP",
      pairs = property.ENABLED_DISABLED,
      open = true,
      free_names = true,
      lists = { pools = "gtm/pool/" .. record },
      props = {
        enabled = flag(true),
        disabled = flag(),
        lastResortPool = s("", { keeps_empty = true }),
        poolLbMode = { d = "round-robin" },
      },
    },
    relations = {
      { property = "pools", to = { "gtm/pool/" .. record } },
      { property = "lastResortPool", to = { "gtm/pool/*" }, names = last_resort },
    },
    checks = wide_ip,
  }
end

return kinds
