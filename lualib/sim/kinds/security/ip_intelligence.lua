-- IP intelligence: feeds of addresses, and the blacklist publisher.
local json = require "f5.json"
local names = require "sim.config.names"
local property = require "sim.kinds.common.property"
local validate = require "sim.config.validate"

local s <const> = property.text
local ROOT <const> = "/mgmt/tm/"

-- The built-in categories of IP intelligence.
local CATEGORIES <const> = {
  botnets = true,
  denial_of_service = true,
  infected_sources = true,
  mobile_threats = true,
  phishing = true,
  proxy = true,
  scanners = true,
  spam_sources = true,
  tor_proxies = true,
  web_attacks = true,
  windows_exploits = true,
}

-- A feed as the device keeps it. Its URL and its category are mandatory.
local function feed_of(given)
  local feed = { defaultListType = "blacklist" }
  for name, value in pairs(given) do feed[name:gsub("%-(%l)", string.upper)] = value end
  local poll = { interval = "default" }
  for name, value in pairs(type(feed.poll) == "table" and feed.poll or {}) do poll[name] = value end
  if poll.url == nil then validate.refuse '"url" must be specified' end
  if feed.defaultBlacklistCategory == nil then
    validate.refuse '"default-blacklist-category" must be specified'
  end
  feed.poll = poll
  return feed
end

local feed_list <const> = {
  prepare = function(_, object, properties, _, ctx)
    if not properties.feeds or ctx.seed or type(object.feeds) ~= "table" then return end
    local feeds = json.array {}
    for i, feed in ipairs(object.feeds) do
      if type(feed) ~= "table" then validate.invalid("feeds", feed) end
      feeds[i] = feed_of(feed)
    end
    object.feeds = feeds
  end,
}

-- Routes to blacklisted addresses need a next hop.
local publisher <const> = {
  prepare = function(_, object, _, _, ctx)
    if ctx.seed then return end
    if object.routeAdvertisementNexthop == nil and object.routeAdvertisementNexthopV6 == nil then
      validate.refuse '"route-advertisement-nexthop" must be specified'
    end
  end,
}

-- Only categories of IP intelligence can be published.
local category <const> = {
  prepare = function(store, object, _, old, ctx)
    if old or ctx.seed or CATEGORIES[object.name] then return end
    if
      not store:get(
        ROOT .. "security/ip-intelligence/blacklist-category/" .. names.segment(object.fullPath)
      )
    then
      validate.refuse_mcpd(
        ("01020036:3: The requested blacklist category (%s) was not found."):format(object.fullPath)
      )
    end
  end,
}

return {
  ["security/ip-intelligence/feed-list"] = { checks = feed_list },
  ["security/ip-intelligence/policy"] = {
    facts = {
      props = {
        defaultLogBlacklistHitOnly = s("no", { c = "limited|no|yes" }),
        defaultLogBlacklistWhitelistHit = s("no", { c = "no|yes" }),
      },
    },
    factory = { protected = true, objects = { { name = "ip-intelligence" } } },
  },
  ["security/blacklist-publisher/profile"] = { checks = publisher },
  ["security/blacklist-publisher/category"] = { checks = category },
  ["security/ip-intelligence/global-policy"] = {
    facts = {
      type = "singleton",
      refs = { ipIntelligencePolicyReference = "security/ip-intelligence/policy" },
      props = { ipIntelligencePolicy = s(), description = s() },
    },
  },
}
