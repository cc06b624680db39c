-- Data centers, servers and their virtual servers, links.
local monitors = require "sim.kinds.common.monitors"
local names = require "sim.config.names"
local property = require "sim.kinds.common.property"

local s <const>, flag <const> = property.text, property.flag
local ENABLED_DISABLED <const> = property.ENABLED_DISABLED
local ROOT <const> = "/mgmt/tm/"
local DATACENTER <const> = { property = "datacenter", to = { "gtm/datacenter" } }

local function watched(store, object, properties)
  if properties.monitor then monitors.settle(store, object) end
end

-- The members of pools that stand for the virtual servers of a server whose names begin with the
-- text go with them. F5's own suite deletes servers that pools use.
local function leave_pools(store, beginning, whole)
  for _, record in ipairs { "a", "aaaa" } do
    local pools <const> = ROOT .. "gtm/pool/" .. record
    for _, pool in ipairs(store:list(pools)) do
      local members = ("%s/%s/members"):format(pools, names.segment(pool.fullPath))
      for _, member in ipairs(store:list(members)) do
        local full = member.fullPath
        if full == beginning or (not whole and full:sub(1, #beginning) == beginning) then
          store:remove_tree(members .. "/" .. names.segment(full))
        end
      end
    end
  end
end

local server <const> = {
  removed = function(store, _, object) leave_pools(store, object.fullPath .. ":", false) end,
  prepare = function(store, object, properties)
    watched(store, object, properties)
    if object.datacenter then object.datacenter = names.absolute(object.datacenter) end
  end,
}

return {
  ["gtm/datacenter"] = {
    facts = {
      noun = "Data Center",
      pairs = ENABLED_DISABLED,
      props = {
        enabled = flag(true), disabled = flag(), contact = s(), location = s(), proberPool = s(),
        metadata = { t = "a" }, description = s(), proberFallback = s("any-available"),
        proberPreference = s("inside-datacenter"),
      },
    },
  },
  ["gtm/server"] = {
    facts = {
      noun = "Server",
      pairs = ENABLED_DISABLED,
      mandatory = { "datacenter" },
      subs = { virtualServersReference = "virtual-servers", devicesReference = "devices" },
      open = true,
      props = {
        enabled = flag(true), disabled = flag(), addresses = { t = "a" }, datacenter = s(),
        product = s("bigip"), description = s(),
      },
    },
    relations = { DATACENTER, monitors.GTM_RELATION },
    checks = server,
  },
  ["gtm/server/*/virtual-servers"] = {
    facts = {
      type = "collection",
      flat = true,
      free_names = true,
      noun = "virtual server",
      pairs = ENABLED_DISABLED,
      open = true,
      props = { enabled = flag(true), disabled = flag(), destination = s() },
    },
    relations = { monitors.GTM_RELATION },
    checks = {
      prepare = watched,
      removed = function(store, path, object)
        local owner = store:get(path:match "^(.*)/virtual%-servers/")
        if owner then leave_pools(store, owner.fullPath .. ":" .. object.name, true) end
      end,
    },
  },
  ["gtm/server/*/devices"] = {
    facts = {
      type = "collection", flat = true, free_names = true, noun = "device", open = true,
      props = { configsyncIp = s("none") },
    },
  },
  ["gtm/link"] = {
    relations = { DATACENTER, monitors.GTM_RELATION }, checks = { prepare = watched },
  },
  ["gtm/prober-pool"] = {
    facts = {
      type = "collection",
      pairs = ENABLED_DISABLED,
      props = { enabled = flag(true), disabled = flag() },
      subs = { membersReference = "members" },
      open = true,
    },
  },
  ["gtm/prober-pool/*/members"] = {
    facts = {
      type = "collection", open = true, pairs = ENABLED_DISABLED,
      props = { enabled = flag(true), disabled = flag(), order = { t = "i", d = 0 } },
    },
    relations = { { to = { "gtm/server" } } },
  },
}
