-- Where logs go: destinations, publishers, filters; and the log settings of daemons.
local json = require "f5.json"
local names = require "sim.config.names"
local property = require "sim.kinds.common.property"
local references = require "sim.config.references"
local validate = require "sim.config.validate"

local s <const> = property.text
local DESTINATIONS <const> = { "sys/log-config/destination/*" }

-- A PATCH replaces the whole list. Texts in it become { name }.
local publisher <const> = {
  prepare = function(_, object, properties)
    if properties.destinations and object.destinations then
      local list = {}
      for i, item in ipairs(object.destinations) do
        local entry = type(item) == "table" and item or { name = item }
        local partition, sub_path, name =
          names.split(names.absolute(tostring(entry.name), entry.partition))
        if entry.partition and tostring(entry.name):sub(1, 1) ~= "/" then
          partition, sub_path, name = entry.partition, entry.subPath, entry.name
        end
        list[i] = { name = name, partition = partition, subPath = sub_path }
      end
      object.destinations = json.array(list)
    end
  end,
}

-- The servers of a list have full names and numbers of ports.
local syslog <const> = {
  prepare = function(_, object, properties)
    if type(properties.remoteServers) ~= "table" or not object.remoteServers then return end
    local list = {}
    for i, item in ipairs(object.remoteServers) do
      local server = {}
      for name, value in pairs(type(item) == "table" and item or { name = item }) do
        server[name] = value
      end
      server.name = names.absolute(server.name)
      if server.remotePort ~= nil then
        local port = validate.port(server.remotePort)
        if not port then validate.invalid("remotePort", server.remotePort) end
        server.remotePort = port
      end
      list[i] = server
    end
    object.remoteServers = json.array(list)
  end,
}

-- What a server does not say has a default.
local function show_syslog(_, _, object, shown)
  if type(object.remoteServers) ~= "table" then return end
  local list = {}
  for i, server in ipairs(object.remoteServers) do
    list[i] = { localIp = "none", remotePort = 514 }
    for name, value in pairs(server) do list[i][name] = value end
  end
  shown.remoteServers = json.array(list)
end

local function show_publisher(store, _, object, shown, context)
  if not object.destinations then return end
  local list = {}
  for i, item in ipairs(object.destinations) do
    local path = references.locate(
      store, DESTINATIONS, names.full(item.partition, item.subPath, item.name)
    )
    list[i] = {
      name = item.name,
      partition = item.partition,
      subPath = item.subPath,
      nameReference = path and { link = names.link(path, "ver=" .. context.version) } or nil,
    }
  end
  shown.destinations = json.array(list)
end

-- name, destinations
local publishers <const> = {}
for n, entry in ipairs {
  { "default-ipsec-log-publisher", "local-syslog" },
  { "default-mgmt-acl-log-publisher" },
  { "local-db-publisher", "local-db" },
  { "sys-db-access-publisher", "local-db", "local-syslog" },
  { "sys-sslo-publisher", "local-syslog" },
  { "sys-sso-access-publisher", "local-syslog" },
} do
  local destinations = json.array {}
  for i = 2, #entry do destinations[i - 1] = { name = entry[i], partition = "Common" } end
  publishers[n] = { name = entry[1], destinations = #destinations > 0 and destinations or nil }
end

-- The catalogue lacks that filters and destinations are in partitions.
local function forwards(property_name)
  return {
    facts = { flat = false }, relations = { { property = property_name, to = DESTINATIONS } },
  }
end

return {
  ["sys/log-config/destination"] = { facts = { noun = "log destination" } },
  ["sys/log-config/publisher"] = {
    relations = { { property = "destinations", to = DESTINATIONS } },
    checks = publisher,
    show = show_publisher,
    factory = { objects = publishers },
  },
  ["sys/log-config/filter"] = {
    facts = { flat = false },
    relations = { { property = "publisher", to = { "sys/log-config/publisher" } } },
  },
  ["sys/log-config/destination/splunk"] = forwards "forwardTo",
  ["sys/log-config/destination/arcsight"] = forwards "forwardTo",
  ["sys/log-config/destination/remote-syslog"] = forwards "remoteHighSpeedLog",
  ["sys/log-config/destination/remote-high-speed-log"] = {
    facts = { flat = false },
    relations = { { property = "poolName", to = { "ltm/pool" } } },
  },
  ["sys/log-config/destination/ipfix"] = { facts = { flat = false } },
  ["sys/log-config/destination/management-port"] = { facts = { flat = false } },
  ["sys/log-config/destination/local-syslog"] = {
    factory = {
      objects = {
        { name = "local-syslog", defaultFacility = "local0", defaultSeverity = "info" },
      },
    },
  },
  ["sys/log-config/destination/local-database"] = {
    factory = { objects = { { name = "local-db" } } },
  },
  ["sys/log-config/destination/alertd"] = { factory = { objects = { { name = "alertd" } } } },
  ["sys/daemon-log-settings/clusterd"] = { facts = { props = { logLevel = s("notice") } } },
  ["sys/daemon-log-settings/csyncd"] = { facts = { props = { logLevel = s("notice") } } },
  ["sys/daemon-log-settings/lind"] = { facts = { props = { logLevel = s("notice") } } },
  ["sys/daemon-log-settings/icrd"] = {
    facts = {
      props = { audit = s("modifications"), logLevel = s() },
    },
  },
  ["sys/daemon-log-settings/icr-eventd"] = {
    facts = {
      type = "singleton",
      props = { logLevel = s("notice") },
    },
  },
  ["sys/daemon-log-settings/mcpd"] = {
    facts = { props = { audit = s("enabled"), logLevel = s("notice") } },
  },
  ["sys/log"] = { facts = { type = "organizing" } },
  ["sys/syslog"] = {
    facts = { open = true, props = { remoteServers = { t = "a" } } },
    checks = syslog,
    show = show_syslog,
  },
}
