-- Walks through all kinds of the catalogue of a simulated device, and makes an object of each.
--
--   local device, bip = every_kind.start()
--   every_kind.walk(function(template, node, path)
--     if every_kind.can_be_made(template, node) then … return path_of_the_new_object end
--   end)
local catalogue = require "sim.config.catalogue"
local f5 = require "f5"
local sim = require "f5.sim"

local M = {}

local A_FILE <const> = { sourcePath = "file:/shared/walk" }

-- What these kinds want beside a name.
local BODIES <const> = {
  ["gtm/server"] = { datacenter = "/Common/walk" },
  ["ltm/data-group/internal"] = { type = "string" },
  ["ltm/nat"] = { originatingAddress = "192.0.2.7", translationAddress = "192.0.2.8" },
  ["ltm/node"] = { address = "192.0.2.9" },
  ["ltm/policy"] = { legacy = true },
  ["ltm/policy/*/rules/*/actions"] = { forward = true, reset = true },
  ["ltm/policy/*/rules/*/conditions"] = { httpUri = true, values = { "/" } },
  ["ltm/snatpool"] = { members = { "192.0.2.12" } },
  ["ltm/snat-translation"] = { address = "192.0.2.10" },
  ["net/arp"] = { ipAddress = "192.0.2.11", macAddress = "00:11:22:33:44:55" },
  ["net/route"] = { network = "198.51.100.0/24", blackhole = true },
  ["net/self"] = { address = "192.0.2.13/24", vlan = "/Common/walk" },
  ["security/blacklist-publisher/profile"] = { routeAdvertisementNexthop = "192.0.2.1" },
  ["security/nat/destination-translation"] = { addresses = { { name = "192.0.2.14" } } },
  ["security/nat/source-translation"] = { addresses = { { name = "192.0.2.15" } } },
  ["sys/application/service"] = { template = "/Common/walk" },
  ["sys/management-route"] = { network = "198.51.100.0/24", gateway = "192.0.2.1" },
  ["sys/snmp/traps"] = { version = "2c", host = "192.0.2.16", community = "walk", port = 162 },
}
for _, kind in ipairs { "periodic", "perpetual", "triggered" } do
  BODIES["sys/icall/handler/" .. kind] = { script = "/Common/walk" }
end
for _, kind in ipairs {
  "apache-ssl-cert", "browser-capabilities-db", "dashboard-viewset", "data-group",
  "device-capabilities-db", "external-monitor", "ifile", "lwtunneltbl", "ssl-cert", "ssl-key",
  "ssl-crl", "ssl-csr", "system-ssl-cert", "system-ssl-key",
} do
  BODIES["sys/file/" .. kind] = A_FILE
end

-- Names that say more than "walk".
local NAMES <const> = {
  ["gtm/pool/a/*/members"] = "/Common/walk:walk",
  ["gtm/pool/aaaa/*/members"] = "/Common/walk:walk",
  ["ltm/pool/*/members"] = "192.0.2.20:80",
  ["security/blacklist-publisher/category"] = "proxy",
  ["sys/crypto/key"] = "crypto.key",
  ["sys/file/ssl-cert"] = "walk.crt",
  ["sys/file/ssl-key"] = "walk.key",
  ["sys/management-ip"] = "192.0.2.21/24",
}
for _, kind in ipairs { "a", "aaaa", "cname", "mx", "naptr", "srv" } do
  NAMES["gtm/wideip/" .. kind] = "walk.example.net"
end

-- Kinds that nobody makes by a POST like this, and why.
local NOT_MADE <const> = {
  ["apm/oauth/token-details"] = "tokens come from log-ins; its POST revokes",
  ["apm/session"] = "sessions come from log-ins",
  ["sys/ucs"] = "an archive is made by a command",
}
-- There is another way to the same: the kind of the members of each type of pools.
local OTHER_WAY <const> = { ["gtm/pool/*/members"] = true }  -- before 12.0
-- An existing object whose sub-collections are walked, where nobody can make another.
local THERE <const> =
  { ["net/fdb/tunnel"] = "~Common~http-tunnel", ["net/fdb/vlan"] = "~Common~walk" }
-- Walked after what they refer to.
local LATE <const> = {
  ["net/fdb/vlan"] = true, ["net/self"] = true, ["sys/application/service"] = true,
  ["gtm/pool/a/*/members"] = true, ["gtm/pool/aaaa/*/members"] = true,
  ["gtm/prober-pool/*/members"] = true,
  ["sys/icall/handler/periodic"] = true, ["sys/icall/handler/perpetual"] = true,
  ["sys/icall/handler/triggered"] = true,
}

-- The kinds in the order of the walk.
local function in_order()
  local order <const>, late <const> = {}, {}
  for _, module in ipairs(catalogue.modules()) do
    for _, template in ipairs(catalogue.templates(module)) do
      local list <const> = (LATE[template] or LATE[template:match "^(.*)/%*/[^/]+$"]) and late
        or order
      list[#list + 1] = template
    end
  end
  return table.move(late, 1, #late, #order + 1, order)
end

--- A device with all modules, and a session with it.
function M.start()
  local device <const> = sim.start {
    provision = {
      "ltm", "gtm", "asm", "apm", "afm", "avr", "pem", "am", "ilx", "swg", "vcmp", "cgnat", "fps",
      "lc", "sslo", "urldb",
    },
  }
  device:control("write_file", { path = "/shared/walk", text = "walk" })
  return device, f5.connect(device:options("admin", { auth = "basic", retries = 0 }))
end

--- Whether a POST of a body makes an object of the kind.
function M.can_be_made(template, node)
  return node.type == "collection" and not node.no_create and not NOT_MADE[template]
end

--- The name of the object that stands for a kind. No two profiles have the same name.
function M.name(template)
  local profile <const> = template:match "^ltm/profile/([^/]+)$"
  return NAMES[template] or profile and "walk_" .. profile or "walk"
end

--- Whether a name of this kind says more than a name.
function M.has_special_names(template) return NAMES[template] ~= nil end

--- The properties that a new object of the kind needs beside its name.
function M.body(template)
  local body <const> = {}
  for name, value in pairs(BODIES[template] or {}) do body[name] = value end
  return body
end

--- The path of a reference as the store has it.
function M.path_of(ref)
  local path <const> = tostring(ref):gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end)
  return path
end

--- Calls visit(template, node, path) for each collection, singleton and table of statistics. What
--- it returns is the path of the object below which the sub-collections are visited. `missed` is
--- told the kinds that could not be visited.
function M.walk(visit, missed)
  local made <const> = {} -- template -> path of what was made
  local function path_of(template)
    local above <const>, last <const> = template:match "^(.*)/([^/]+)$"
    if not above then return "/mgmt/tm/" .. template end
    if last == "*" then return made[above] end
    local base <const> = path_of(above)
    return base and base .. "/" .. last
  end
  for _, template in ipairs(in_order()) do
    local path <const> = path_of(template)
    if not path then
      if not OTHER_WAY[template] and missed then missed(template) end
    -- only with a licence for it
    elseif not template:find "^apiprotection" and not template:find "/%*$" then
      made[template] = THERE[template] and path .. "/" .. THERE[template]
      made[template] = visit(template, catalogue.find(template), path) or made[template]
    end
  end
end

return M
