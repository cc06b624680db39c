-- The devices of a trust domain, their certificates and keys.
local files = require "sim.kinds.common.files"
local json = require "f5.json"
local property = require "sim.kinds.common.property"
local validate = require "sim.config.validate"

local s <const>, READ_ONLY <const> = property.text, property.READ_ONLY
local ROOT <const> = "/mgmt/tm/"

local function shallow(value)
  local copy = {}
  for key, item in pairs(value) do copy[key] = item end
  return copy
end

local device <const> = {
  removing = function(_, _, object)
    if object.selfDevice == "true" then
      validate.refuse_mcpd(
        (
          "01070734:3: Configuration error: The device (%s) is this device and cannot "
            .. "be deleted."
        ):format(
          object.fullPath
        )
      )
    end
  end,
  prepare = function(store, object, properties, old, ctx)
    if not old then
      object.selfDevice, object.failoverState = "false", "unknown"
      return
    end
    if ctx.seed then return end
    if properties.hostname then
      local settings = shallow(store:one(ROOT .. "sys/global-settings"))
      settings.hostname = object.hostname
      store:put(ROOT .. "sys/global-settings", settings)
    end
  end,
}

-- Properties that a device reports about itself. The guide names timeZone as read-only.
local facts <const> = { noun = "device", open = true, props = { configsyncIp = s("none") } }
for _, name in ipairs {
  "timeZone", "version", "build", "edition", "platformId", "product", "selfDevice", "managementIp",
  "failoverState", "chassisId", "chassisType", "baseMac", "marketingName", "activeModules",
  "optionalModules",
} do
  facts.props[name] = READ_ONLY
end

local function own_device(owner)
  local version = owner.version
  return {
    {
      name = "bigip1",
      hostname = owner.hostname,
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
      managementIp = owner.address,
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
    },
  }
end

-- The files that a device makes for itself, in a trust domain of its own.
local TRUST <const> = "CN=00000000-0000-0000-000000000000"

local function own_file(name)
  return { name = name, createdBy = "root", updatedBy = "root", revision = 1, size = 1704 }
end

local function own_certificate(name, subject)
  local body = own_file(name)
  body.size, body.subject, body.issuer = 1289, subject, TRUST
  body.serialNumber = name == "dtdi.crt" and "100002" or "100001"
  body.expirationDate = 2051222400
  body.expirationString = os.date("!%b %d %H:%M:%S %Y GMT", body.expirationDate)
  return body
end

return {
  ["cm/device"] = {
    facts = facts,
    checks = device,
    factory = { device_objects = own_device },
  },
  ["cm/cert"] = {
    facts = { noun = "certificate", props = files.READ_ONLY },
    factory = {
      objects = {
        own_certificate("dtca.crt", TRUST), own_certificate("dtca-bundle.crt", TRUST),
        own_certificate("dtdi.crt", "CN=bigip1"),
      },
    },
  },
  ["cm/key"] = {
    facts = { noun = "key", props = files.READ_ONLY },
    factory = { objects = { own_file "dtca.key", own_file "dtdi.key" } },
  },
}
