-- Wide IPs.
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
    relations = { { property = "pools", to = { "gtm/pool/" .. record } } },
    checks = wide_ip,
  }
end

return kinds
