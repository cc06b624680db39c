-- Which objects refer to which: what must exist when an object is made, and what cannot go while it
-- is in use.
local catalogue = require "sim.config.catalogue"
local errors = require "sim.http.errors"
local validate = require "sim.config.validate"

local M = {}

local ROOT <const> = "/mgmt/tm/"

-- "/mgmt/tm/ltm/pool/~Common~web/members/~Common~a:80" -> "ltm/pool/*/members", and the path of the
-- collection.
local flat_collections <const> = {}  -- path of a collection that no object owns -> its template

function M.template(path)
  local above <const>, name <const> = path:match "^(.*)/([^/]+)$"
  local known <const> = flat_collections[above]
  -- 126: "~"
  if known and (name:byte() == 126 or not catalogue.find(known .. "/" .. name)) then
    return known, above
  end
  local template
  local resource = false
  local collection, last = nil, ROOT:sub(1, -2)
  for segment in path:sub(#ROOT):gmatch "[^/]+" do
    local child <const> = template and template .. "/" .. segment or segment
    collection = last
    last = last .. "/" .. segment
    if not resource and template and not catalogue.find(child) then
      template, resource = template .. "/*", true
    else
      template, resource = child, false
    end
  end
  if resource then
    local own <const> = template:sub(1, -3)
    if not collection:find("~", 1, true) and not own:find("*", 1, true) then
      flat_collections[collection] = own
    end
    return own, collection
  end
  return template, nil
end

-- Relations: template -> list of { property (dotted; nil: the object's own name), targets, how to
-- take the value apart }. `noun` names the target where messages want another word than the
-- target's own.
local MONITORS <const> = { "ltm/monitor" }
local PROFILES <const> = {
  "ltm/profile", "apm/profile", "wom/profile", "security/bot-defense/profile",
  "security/dos/profile",
}
local relations <const> = {
  ["ltm/virtual"] = {
    { "pool", { "=ltm/pool" } },
    { "rules", { "=ltm/rule" } },
    { "vlans", { "=net/vlan", "=net/tunnels/tunnel", "=net/vlan-group" } },
    { "persist", { "ltm/persistence" } },
    { "fallbackPersistence", { "ltm/persistence" } },
    { "sourceAddressTranslation.pool", { "=ltm/snatpool", "=ltm/lsn-pool" } },
    { "lastHopPool", { "=ltm/pool" } },
    { "clonePools", { "=ltm/pool" } },
  },
  ["ltm/virtual/*/profiles"] = { { nil, PROFILES } },
  ["ltm/virtual/*/policies"] = { { nil, { "=ltm/policy" } } },
  ["ltm/pool"] = { { "monitor", MONITORS, "monitors" } },
  ["ltm/pool/*/members"] = {
    { "monitor", MONITORS, "monitors" },
    { nil, { "=ltm/node" }, "member" },
  },
  ["ltm/node"] = { { "monitor", MONITORS, "monitors" } },
  ["ltm/default-node-monitor"] = { { "rule", MONITORS, "monitors" } },
  ["ltm/snatpool"] = { { "members", { "=ltm/snat-translation" } } },
  ["ltm/snat"] = {
    { "snatpool", { "=ltm/snatpool" } },
    { "vlans", { "=net/vlan", "=net/tunnels/tunnel" } },
  },
  ["ltm/policy/*/rules/*/actions"] = {
    { "pool", { "=ltm/pool" } },
    { "virtual", { "=ltm/virtual" } },
  },
  ["ltm/ifile"] = { { "fileName", { "=sys/file/ifile" } } },
  ["ltm/data-group/external"] = { { "externalFileName", { "=sys/file/data-group" } } },
  ["net/self"] = {
    { "vlan", { "=net/vlan", "=net/tunnels/tunnel", "=net/vlan-group" } },
    { "trafficGroup", { "=cm/traffic-group" } },
  },
  ["net/route"] = {
    { "pool", { "=ltm/pool" } },
    { "tmInterface", { "=net/vlan", "=net/tunnels/tunnel" } },
  },
  ["net/route-domain"] = { { "parent", { "=net/route-domain" } } },
  ["cm/trust-domain"] = { { "caDevices", { "=cm/device" } } },
  ["sys/log-config/publisher"] = { { "destinations", { "sys/log-config/destination" } } },
  ["sys/log-config/filter"] = { { "publisher", { "=sys/log-config/publisher" } } },
  ["sys/log-config/destination/splunk"] = { { "forwardTo", { "sys/log-config/destination" } } },
  ["sys/log-config/destination/arcsight"] = { { "forwardTo", { "sys/log-config/destination" } } },
  ["sys/log-config/destination/remote-syslog"] = {
    { "remoteHighSpeedLog", { "sys/log-config/destination" } },
  },
  ["sys/log-config/destination/remote-high-speed-log"] = { { "poolName", { "=ltm/pool" } } },
  ["sys/icall/handler/periodic"] = { { "script", { "=sys/icall/script" } } },
  ["sys/icall/handler/perpetual"] = { { "script", { "=sys/icall/script" } } },
  ["sys/icall/handler/triggered"] = { { "script", { "=sys/icall/script" } } },
  ["gtm/server"] = {
    { "datacenter", { "=gtm/datacenter" } },
    { "monitor", { "gtm/monitor" }, "monitors" },
  },
  ["gtm/link"] = { { "datacenter", { "=gtm/datacenter" } } },
  ["security/firewall/policy/*/rules"] = { { "ruleList", { "=security/firewall/rule-list" } } },
}
for _, kind in ipairs { "a", "aaaa", "cname", "mx", "naptr", "srv" } do
  relations["gtm/wideip/" .. kind] = { { "pools", { "=gtm/pool/" .. kind } } }
  relations["gtm/pool/" .. kind] = { { "monitor", { "gtm/monitor" }, "monitors" } }
end

local DEFAULTS <const> = { "defaultsFrom", nil }
for _, template in ipairs { "client-ssl", "server-ssl" } do
  relations["ltm/profile/" .. template] = {
    { "cert", { "=sys/file/ssl-cert" } },
    { "key", { "=sys/file/ssl-key" } },
    { "chain", { "=sys/file/ssl-cert" } },
    { "certKeyChain", { "=sys/file/ssl-cert" }, { "cert", "chain" } },
    { "certKeyChain", { "=sys/file/ssl-key" }, { "key" } },
  }
end

local function relations_of(template)
  local list <const> = relations[template]
  if list and list.done then return list end
  if
    template:find "^ltm/profile/[^/]+$" or template:find "^%w+/monitor/[^/]+$"
    or template:find "^ltm/persistence/[^/]+$"
  then
    local full <const> = { done = true }
    for _, relation in ipairs(list or {}) do full[#full + 1] = relation end
    full[#full + 1] = { DEFAULTS[1], { "=" .. template } }
    relations[template] = full
    return full
  end
  return list
end

-- Monitor expressions: "/Common/http and /Common/tcp", "min 1 of { /Common/a /Common/b }",
-- "default".
local function monitor_names(text)
  local list <const> = {}
  for word in text:gmatch "[^%s{}]+" do
    if
      word ~= "and" and word ~= "min" and word ~= "of" and word ~= "default" and word ~= "none"
      and not word:find "^%d+$"
    then
      list[#list + 1] = word
    end
  end
  return list
end
M.monitor_names = monitor_names

local function at(object, property)
  local value = object
  for part in property:gmatch "[^.]+" do
    if type(value) ~= "table" then return nil end
    value = value[part]
  end
  return value
end

local function values(object, relation)
  local property <const>, how <const> = relation[1], relation[3]
  if not property then
    if how == "member" then return { (object.fullPath:gsub("[:.][^:./]*$", "")) } end
    return { object.fullPath }
  end
  local value <const> = at(object, property)
  if value == nil then return {} end
  if how == "monitors" then return type(value) == "string" and monitor_names(value) or {} end
  if type(value) == "string" then return { value } end
  local list <const> = {}
  if type(value) == "table" then
    for _, item in ipairs(value) do
      if type(item) == "string" then
        list[#list + 1] = item
      elseif type(how) == "table" then
        if type(item) ~= "table" then validate.invalid(property, item) end
        for _, field in ipairs(how) do
          if type(item[field]) == "string" then list[#list + 1] = item[field] end
        end
      elseif type(item) == "table" and type(item.name) == "string" then
        list[#list + 1] = item.name:sub(1, 1) == "/" and item.name
          or ("/%s/%s%s"):format(
            item.partition or "Common",
            item.subPath and item.subPath .. "/" or "",
            item.name
          )
      end
    end
  end
  return list
end

-- Where an object of that full name is, among the collections a relation allows; nil if nowhere.
-- "=ltm/pool" is this collection alone, "ltm/monitor" all that are directly below.
local function locate(store, targets, full)
  local segment <const> = full:gsub("/", "~")
  for _, target in ipairs(targets) do
    if target:sub(1, 1) == "=" then
      local path <const> = ROOT .. target:sub(2) .. "/" .. segment
      if store.items[path] then return path end
    else
      for _, child in ipairs(catalogue.children(target)) do
        local path <const> = ROOT .. target .. "/" .. child .. "/" .. segment
        if store.items[path] then return path end
      end
    end
  end
  return nil
end

-- The path of the object of this full name in the collections ("=ltm/pool" or "ltm/monitor"); nil
-- if there is none.
function M.locate(store, targets, full)
  return locate(store, targets, full)
end

-- The paths that the object at `path` refers to. What does not exist is not among them. Nil if
-- there are none.
function M.targets(store, path, object)
  local list <const> = relations_of(M.template(path))
  if not list then return nil end
  local found
  for _, relation in ipairs(list) do
    for _, full in ipairs(values(object, relation)) do
      local target <const> = locate(store, relation[2], full)
      if target then
        found = found or {}
        found[#found + 1] = target
      end
    end
  end
  return found
end

local WORDS <const> = {
  ["ltm/monitor"] = "monitor",
  ["gtm/monitor"] = "monitor",
  ["ltm/persistence"] = "Persistence Profile",
  ["ltm/profile"] = "profile",
  ["sys/log-config/destination"] = "log destination",
}

-- The word for an object of this template in messages.
function M.noun(template)
  local node <const> = catalogue.find(template)
  if node and node.noun then return node.noun end
  for prefix, word in pairs(WORDS) do
    if template:sub(1, #prefix + 1) == prefix .. "/" or template == prefix then return word end
  end
  return (template:match "[^/*]+$" or template):gsub("%-", " ")
end

local function partition(full)
  return full:match "^/([^/]+)/"
end

-- Raises if the object refers to something that does not exist, or that is in a foreign partition.
-- `old` is what was there before: what has not changed is not checked again.
function M.check(store, path, object, old)
  local template <const> = M.template(path)
  local own <const> = partition(object.fullPath or "")
  for _, relation in ipairs(relations_of(template) or {}) do
    local before <const> = {}
    if old then
      for _, full in ipairs(values(old, relation)) do before[full] = true end
    end
    for _, full in ipairs(values(object, relation)) do
      if not before[full] and full:sub(1, 1) == "/" then
        local noun <const> = M.noun((relation[2][1]:gsub("^=", "")))
        if not locate(store, relation[2], full) then
          error(
            errors.tm(
              404,
              ("01020036:3: The requested %s (%s) was not found."):format(noun, full),
              3
            ),
            0
          )
        end
        local other <const> = partition(full)
        if own and other and other ~= "Common" and other ~= own then
          error(
            errors.tm(
              400,
              ("01070726:3: %s %s in partition %s cannot reference %s %s in partition %s"):format(
                M.noun(template), object.fullPath, own, noun, full, other
              ),
              3
            ),
            0
          )
        end
      end
    end
  end
end

-- Raises if something else refers to the object at `path`, which is about to go.
-- What goes with it (its own sub-collections) does not count.
function M.check_unused(store, path, object)
  local template <const> = M.template(path)
  local noun <const> = M.noun(template)
  for _, user in ipairs(store:users(path)) do
    if user ~= path and user:sub(1, #path + 1) ~= path .. "/" then
      local from = M.template(user)
      local owner = store:get(user)
      if from == "ltm/pool/*/members" and template == "ltm/node" then
        local pool <const> = store:get(user:match "^(.*)/members/")
        error(
          errors.tm(
            400,
            ("01070110:3: Node address '%s' is referenced by a member of pool '%s'."):format(
              object.fullPath,
              pool.fullPath
            ),
            3
          ),
          0
        )
      end
      if noun == "monitor" then
        error(errors.tm(400, ("01070083:3: Monitor %s is in use."):format(object.fullPath), 3), 0)
      end
      if from:find "/%*/" then
        user = user:match "^(.*)/[^/]+/[^/]+$"
        from = M.template(user)
        owner = store:get(user)
      end
      error(
        errors.tm(
          400,
          ("01070265:3: The %s (%s) cannot be deleted because it is in use by a %s (%s)."):format(
            noun, object.fullPath or object.name, M.noun(from),
            owner and (owner.fullPath or owner.name) or user
          ),
          3
        ),
        0
      )
    end
  end
end

return M
