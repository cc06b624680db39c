-- Listeners, rules and other kinds of DNS.
local property = require "sim.kinds.common.property"
local validate = require "sim.config.validate"

local s <const>, i <const>, flag <const> = property.text, property.number, property.flag

-- `check` is not a property: it becomes the first line of the text.
local gtm_rule <const> = {
  read = function(_, _, body)
    if body.check == nil then return body end
    if body.check ~= "syntax" then validate.invalid("check", body.check) end
    local fresh = {}
    for name, value in pairs(body) do fresh[name] = value end
    fresh.check = nil
    if fresh.apiAnonymous ~= nil then
      fresh.apiAnonymous = "check syntax\n" .. validate.text("apiAnonymous", fresh.apiAnonymous)
    end
    return fresh
  end,
}

-- A listener without profiles gets these.
local listener <const> = {
  made = function(store, path, object, ctx)
    if ctx.seed or store:count(path .. "/profiles") > 0 then return end
    local inner = setmetatable({ partition = object.partition }, { __index = ctx })
    for _, name in ipairs { "/Common/dns", "/Common/udp_gtm_dns" } do
      store:create(path .. "/profiles", { name = name }, inner)
    end
  end,
}

-- The members of a region in one text: "not country DE", "region /Common/r".
local function members_of(object)
  local parts = {}
  for index, member in ipairs(object.regionMembers or {}) do
    parts[index] = type(member) == "table" and tostring(member.name) or tostring(member)
  end
  return table.concat(parts, " ")
end

-- The relations of a kind whose text names regions, data centers and pools.
local function named_in(text_of)
  local list = {}
  for word, kind in pairs {
    region = "gtm/region", datacenter = "gtm/datacenter", pool = "gtm/pool/*",
  } do
    list[#list + 1] = {
      to = { kind },
      names = function(object)
        local names = {}
        for name in text_of(object):gmatch("%f[%a]" .. word .. "%s+(/%S+)") do
          names[#names + 1] = name
        end
        return names
      end,
    }
  end
  return list
end

local kinds <const> = {
  ["gtm/listener"] = {
    facts = {
      type = "collection", noun = "Listener", open = true, pairs = {
        { "enabled", "disabled" }, { "vlansDisabled", "vlansEnabled" },
      },
      subs = { profilesReference = "profiles" },
      props = {
        address = s(), advertise = s "no",
        autoLasthop = s "default", description = s(), disabled = flag(), enabled = flag(true),
        ipProtocol = s "udp", lastHopPool = s(), mask = s "255.255.255.255", pool = s(),
        port = i(53), sourcePort = s "preserve",
        sourceAddressTranslation = { t = "o", d = { type = "none" } },
        translateAddress = s("disabled", { c = "disabled|enabled" }),
        translatePort = s("disabled", { c = "disabled|enabled" }),
        vlansDisabled = flag(true), vlansEnabled = flag(), vlans = { t = "a" },
      },
    },
    checks = listener,
  },
  ["gtm/listener/*/profiles"] = {
    facts = {
      type = "collection", open = true,
      props = { context = s("all", { c = "all|clientside|serverside" }) },
    },
  },
  ["gtm/rule"] = {
    facts = { noun = "rule", open = true },
    checks = gtm_rule,
  },
  ["gtm/region"] = {
    facts = { open = true, props = { regionMembers = { t = "a", phrases = true } } },
    relations = named_in(members_of),
  },
  ["gtm/topology"] = {
    facts = { flat = true, free_names = true, open = true },
    relations = named_in(function(object) return object.name end),
  },
  ["gtm/global-settings/metrics-exclusions"] = { facts = { type = "singleton" } },
}

-- Commands: nothing is stored there.
for _, name in ipairs { "big3d_install", "bigip_add", "gtm_add", "gtm_appliance_add" } do
  kinds["gtm/" .. name] = { facts = { no_create = true } }
end

return kinds
