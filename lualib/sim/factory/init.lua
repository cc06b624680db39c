-- What a device has before anybody configures it: Common, default monitors and profiles, users,
-- certificates, settings.
local json = require "f5.json"
local catalogue = require "sim.config.catalogue"
local names = require "sim.config.names"
local objects = require "sim.config.objects"
local roots = require "sim.factory.names"
local services = require "sim.factory.services"
local seeds = require "sim.seed"
local uri = require "sim.config.uri"

local M = {}

local ROOT <const> = "/mgmt/tm/"

-- Puts an object as it is, with the defaults of its kind around it.
local function put(store, template, properties)
  local node <const> = assert(catalogue.find(template), template)
  local object <const> = objects.defaults(node)
  for name, value in pairs(properties) do object[name] = value end
  if not object.fullPath then
    object.fullPath = node.flat and object.name
      or names.full(object.partition or "Common", object.subPath, object.name)
    if not node.flat then object.partition = object.partition or "Common" end
  end
  object.generation = 1
  store:put(ROOT .. template .. "/" .. names.segment(object.fullPath), object)
  return object
end

-- A root object or one that is derived from another.
local function put_root(store, template, name, changes, fields)
  local node <const> = catalogue.find(template)
  local object <const> = objects.defaults(node)
  local parent <const> = changes and changes.defaultsFrom
  local own
  if parent then
    for field, value in pairs(store:get(ROOT .. template .. "/" .. names.segment(parent)) or {}) do
      if field ~= "name" and field ~= "fullPath" and field:sub(1, 1) ~= "_" then
        object[field] = value
      end
    end
    own = { defaultsFrom = true }
  elseif template:find "^ltm/profile/" or template:find "^ltm/persistence/" then
    object.defaultsFrom = "none"
  else
    object.defaultsFrom = nil
  end
  for field, value in pairs(changes or {}) do
    object[field] = type(value) == "table" and #value > 0 and json.array(value) or value
    if own then own[field] = true end
  end
  for field, inner in pairs(fields or {}) do
    local fresh <const> = objects.shallow(object[field] or {})
    for key, value in pairs(inner) do fresh[key] = value end
    object[field] = fresh
  end
  object.name, object.partition, object.fullPath, object.generation =
    name, "Common", "/Common/" .. name, 1
  object._factory, object._own = true, own
  store:put(ROOT .. template .. "/~Common~" .. name, object)
end

local function singleton(store, template, properties)
  local object <const> = objects.defaults(catalogue.find(template))
  for name, value in pairs(properties) do object[name] = value end
  object.generation = 1
  store:put(ROOT .. template, object)
end

local function tenants(store)
  put(
    store,
    "sys/folder",
    {
      name = "/", fullPath = "/", trafficGroup = "/Common/traffic-group-1",
      inheritedTrafficGroup = "false", inheritedDevicegroup = "false",
    }
  )
  put(store, "sys/folder", { name = "Common", fullPath = "/Common", subPath = "/" })
  put(store, "sys/folder", { name = "Drafts", fullPath = "/Common/Drafts", partition = "Common" })
  put(
    store,
    "auth/partition",
    { name = "Common", description = "Repository for system objects and shared objects." }
  )
end

local function provisioning(device, store)
  for _, module in ipairs(roots.modules) do
    local level <const> = device.state.provision[module] or "none"
    put(
      store,
      "sys/provision",
      { name = module, level = level, cpuRatio = 0, diskRatio = 0, memoryRatio = 0 }
    )
    if level ~= "none" then device.state.provision[module] = level end
  end
end

local function cluster(device, store)
  local version <const> = device.version
  for _, name in ipairs { "dtca", "dtdi" } do
    put(store, "cm/cert", { name = name .. ".crt" })
    put(store, "cm/key", { name = name .. ".key" })
  end
  put(store, "cm/cert", { name = "dtca-bundle.crt" })
  put(store, "cm/device", {
    name = "bigip1",
    hostname = device.hostname,
    activeModules = json.array { "BIG-IP, VE, LAB|AAAAAAA-AAAAAAA" },
    baseMac = "00:94:a1:00:00:40",
    build = version.build,
    cert = "/Common/dtdi.crt",
    chassisId = "00000000-0000-0000-000000000000",
    chassisType = "individual",
    configsyncIp = "none",
    edition = version.edition,
    failoverState = "active",
    haCapacity = 0,
    key = "/Common/dtdi.key",
    managementIp = device.address,
    marketingName = version.platform_name,
    mirrorIp = "any6",
    mirrorSecondaryIp = "any6",
    multicastIp = "any6",
    multicastPort = 0,
    optionalModules = json.array { "APM, Base, VE", "App Mode" },
    platformId = version.platform,
    product = version.product,
    selfDevice = "true",
    timeLimitedModules = json.array {},
    timeZone = "UTC",
    version = version.version,
    unicastAddress = json.array {
      { effectiveIp = "management-ip", effectivePort = 1026, ip = "management-ip", port = 1026 },
    },
  })
  put(store, "cm/traffic-group", { name = "traffic-group-1", unitId = 1, mac = "none" })
  put(
    store,
    "cm/traffic-group",
    { name = "traffic-group-local-only", isFloating = "false", mac = "none", unitId = 0 }
  )
  put(
    store,
    "cm/device-group",
    {
      name = "device_trust_group", type = "sync-only", autoSync = "enabled",
      fullLoadOnSync = "false", hidden = "true",
    }
  )
  store:put(ROOT .. "cm/device-group/~Common~device_trust_group/devices/~Common~bigip1", {
    name = "bigip1", partition = "Common", fullPath = "/Common/bigip1", generation = 1,
  })
  put(store, "cm/trust-domain", {
    name = "Root",
    caCert = "/Common/dtca.crt",
    caCertBundle = "/Common/dtca-bundle.crt",
    caDevices = json.array { "/Common/bigip1" },
    caKey = "/Common/dtca.key",
    guid = "00000000-0000-0000-000000000000",
    status = "standalone",
    trustGroup = "/Common/device_trust_group",
  })
end

-- What has the device's name and address in it.
local function identity(device, store)
  cluster(device, store)
  singleton(store, "sys/global-settings", { hostname = device.hostname })
  put(
    store,
    "sys/management-ip",
    { name = device.address .. "/24", description = "configured-statically" }
  )
end

-- Makes a copy of another device (which is as it left the factory) a device of its own name and
-- address.
function M.rename(device, template)
  local store <const> = device.store
  for _, path in ipairs {
    "cm/device/~Common~" .. template.hostname,
    "cm/device-group/~Common~device_trust_group/devices/~Common~" .. template.hostname,
    "sys/management-ip/" .. names.segment(template.address .. "/24"),
  } do store:put(ROOT .. path, nil) end
  for module, level in pairs(template.state.provision) do device.state.provision[module] = level end
  identity(device, store)
end

local function network(store)
  put(
    store,
    "net/route-domain",
    {
      name = "0",
      id = 0,
      strict = "enabled",
      vlans = json.array { "/Common/http-tunnel", "/Common/socks-tunnel" },
    }
  )
  for i, name in ipairs { "1.1", "1.2", "1.3", "mgmt" } do
    put(
      store,
      "net/interface",
      {
        name = name, macAddress = ("00:94:a1:00:00:4%d"):format(i), mediaActive = "10000T-FD",
        ifIndex = 16 * (i + 1), mediaFixed = "auto", mediaMax = "auto", flowControl = "tx-rx",
      }
    )
  end
  for i, name in ipairs { "http-tunnel", "socks-tunnel" } do
    put(
      store,
      "net/tunnels/tunnel",
      {
        name = name,
        profile = "/Common/tcp-forward",
        description = "Tunnel for " .. name:match "^%a+" .. "-explicit profile",
        ifIndex = 96 + 16 * i, mtu = 0, usePmtu = "enabled", tos = "preserve",
        transparent = "disabled", autoLasthop = "default",
      }
    )
    put(store, "net/fdb/tunnel", { name = name })
  end
  put(store, "net/stp", { name = "cist" })
end

local function system(device, store)
  singleton(
    store,
    "sys/dns",
    {
      description = "configured-by-dhcp",
      nameServers = json.array { "192.0.2.53" },
      search = json.array { "example.net" },
    }
  )
  singleton(store, "sys/ntp", { timezone = "UTC" })
  singleton(store, "auth/source", { fallback = "false", type = "local" })
  for _, entry in ipairs(require "sim.catalogue.variables") do
    -- a device without a licence would serve nobody
    local value <const> = entry[1] == "license.operational" and "true" or entry[2]
    store:put(
      ROOT .. "sys/db/" .. entry[1],
      {
        name = entry[1], fullPath = entry[1], generation = 1, value = value,
        defaultValue = entry[2], valueRange = entry[3], scfConfig = "true",
      }
    )
  end
  put(
    store,
    "sys/management-route",
    {
      name = "default", gateway = "192.0.2.1", network = "default", mtu = 0,
      description = "configured-statically",
    }
  )
  put(
    store,
    "sys/disk/logical-disk",
    { name = "HD1", mode = "mixed", size = 83968, vgFree = 30000, vgInUse = 53968, vgReserved = 30 }
  )
  put(
    store,
    "sys/software/volume",
    {
      name = "HD1.1",
      active = true,
      basebuild = device.version.build,
      build = device.version.build,
      product = "BIG-IP",
      status = "complete",
      version = device.version.version,
      media = json.array {
        { name = "HD1.1", media = "hd", size = "default", defaultBootLocation = json.null },
      },
    }
  )
  local ctx <const> = { factory = true, now = device:now() }
  for _, name in ipairs { "default", "f5-irule", "ca-bundle", "f5-ca-bundle" } do
    store:create(
      ROOT .. "sys/file/ssl-cert",
      {
        name = "/Common/" .. name .. ".crt",
        systemPath = "/config/ssl/ssl.crt/" .. name .. ".crt",
        isBundle = name:find "bundle" and "true" or "false",
      },
      ctx
    )
  end
  store:create(
    ROOT .. "sys/file/ssl-key",
    { name = "/Common/default.key", systemPath = "/config/ssl/ssl.key/default.key" },
    ctx
  )
  put(
    store,
    "sys/log-config/destination/local-syslog",
    { name = "local-syslog", defaultFacility = "local0", defaultSeverity = "info" }
  )
  put(store, "sys/log-config/destination/local-database", { name = "local-db" })
  put(store, "sys/log-config/destination/alertd", { name = "alertd" })
  for _, publisher in ipairs(roots.publishers) do
    local destinations <const> = json.array {}
    for i = 2, #publisher do
      destinations[i - 1] = { name = publisher[i], partition = "Common" }
    end
    put(
      store,
      "sys/log-config/publisher",
      { name = publisher[1], destinations = #destinations > 0 and destinations or nil }
    )
  end
  put(store, "sys/feature-module", { name = "cgnat" })
  for _, service in ipairs(services) do put(store, "sys/service", service) end
end

local function traffic(store)
  for _, entry in ipairs(roots.objects) do
    if catalogue.find(entry[1]) then put_root(store, entry[1], entry[2], entry[3], entry[4]) end
  end
end

-- Everything a fresh device has.
function M.build(device)
  local store <const> = device.store
  tenants(store)
  provisioning(device, store)
  identity(device, store)
  network(store)
  system(device, store)
  traffic(store) -- its profiles refer to the system's certificate and key
end

-- Adds objects: collection path -> array of bodies, or path of a singleton or a resource -> body.
-- What is there already is changed.
function M.plant(device, seed)
  local store <const> = device.store
  local paths <const> = {}
  for path in pairs(seed) do paths[#paths + 1] = path end
  -- What others refer to comes first; what still lacks something is tried again when the rest is
  -- there.
  table.sort(paths, function(a, b)
    local x <const>, y <const> = roots.order(a), roots.order(b)
    if x ~= y then return x < y end
    return a < b
  end)
  local waiting = {}
  for _, path in ipairs(paths) do
    local target <const> = uri.parse(path)
    if not target then error(("seed: unknown URI '%s'"):format(path), 0) end
    seeds.check_bodies(path, target.what, seed[path])
    local list <const> = target.what == "collection" and seed[path] or { seed[path] }
    for _, body in ipairs(list) do
      waiting[#waiting + 1] = { path = path, target = target, body = body }
    end
  end
  local ctx <const> = { seed = true, now = device:now() }
  while #waiting > 0 do
    local again <const> = {}
    local problem
    for _, item in ipairs(waiting) do
      local what <const> = item.target.what
      local ok <const>, refused = pcall(function()
        if what ~= "collection" then
          store:modify(item.path, item.body, ctx)
          return
        end
        store:create(item.path, item.body, ctx)
      end)
      if not ok then
        again[#again + 1] = item
        problem = refused
      end
    end
    if #again == #waiting then
      local text <const> = type(problem) == "table" and problem.body and problem.body.message
        or tostring(problem)
      error(("seed: %s: %s"):format(again[#again].path, text), 0)
    end
    waiting = again
  end
end

return M
