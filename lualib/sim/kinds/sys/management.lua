-- The management address, its routes, and the name of the device.
local errors = require "sim.http.errors"
local property = require "sim.kinds.common.property"
local validate = require "sim.config.validate"

local s <const> = property.text
local ROOT <const> = "/mgmt/tm/"

local function shallow(value)
  local copy = {}
  for key, item in pairs(value) do copy[key] = item end
  return copy
end

-- What the REST interface must not touch.
local PRIVATE <const> = ("{/%s}"):format(table.concat({
  "shared/3dns/", "shared/bin/", "shared/core/", "appdata/core/", "shared/datasync/", "shared/em/",
  "shared/GeoIP/", "shared/images/", "shared/lib/", "shared/lib64/", "shared/log/",
  "shared/lost+found/", "shared/mgmt/", "shared/nfb/", "shared/ssh/", "shared/statsd/",
  "shared/tmstat/", "shared/vadc/", "config/aaa/", "config/big3d/", "config/bigip/",
  "config/filestore/", "config/gtm/", "config/httpd/", "config/ntp.conf", "config/rndc.key",
  "config/ssh/", "config/ssl/",
}, "} {/"))

local settings <const> = {
  prepare = function(store, object, properties, _, ctx)
    if not properties.hostname then return end
    if ctx.seed then
      store.device.hostname = object.hostname
      return
    end
    if
      not object.hostname or not validate.text("hostname", object.hostname):find "%."
      or object.hostname:find "[^%w.-]"
    then
      validate.refuse_mcpd(
        (
          "01070903:3: Constraint 'hostname must be a fully qualified DNS name' failed "
            .. "for 'Hostname' (%s)"
        ):format(
          tostring(object.hostname)
        )
      )
    end
    store.device.hostname = object.hostname
    for _, segment in ipairs(store:segments(ROOT .. "cm/device")) do
      local path = ROOT .. "cm/device/" .. segment
      local one = store:get(path)
      if one.selfDevice == "true" then
        local fresh = shallow(one)
        fresh.hostname = object.hostname
        store:put(path, fresh)
      end
    end
  end,
}

local management_ip <const> = {
  read = function(store, target, body, ctx, old)
    if old or ctx.seed or type(body.name) ~= "string" then return body end
    local address, mask = body.name:match "^([^/]*)/?(.*)$"
    if not validate.is_address(address) then
      validate.refuse_mcpd(("01070000:3: invalid address (%s)"):format(address))
    end
    for _, segment in ipairs(store:segments(target.path)) do
      if segment:match "^[^~]+" == address then
        error(
          errors.tm(
            409,
            ("01020066:3: The requested management IP (%s) already exists."):format(address),
            3
          ),
          0
        )
      end
    end
    if mask == "" then
      validate.refuse_mcpd(
        ("01070000:3: a netmask must be specified for the management IP (%s)"):format(address)
      )
    end
    return body
  end,
  label = function(_, full) return (full:gsub("/.*", "")) end,
  prepare = function(_, object, _, old)
    if not old and (not object.name:find "/" or not validate.is_address(object.name, true)) then
      validate.invalid("name", object.name)
    end
  end,
}

local ROUTES <const> = ROOT .. "sys/management-route"

-- "198.51.100.0/24" -> "198.51.100.0/255.255.255.0", "default" -> "0.0.0.0/0.0.0.0"
local function with_mask(network)
  if network == "default" then return "0.0.0.0/0.0.0.0" end
  if network == "default-inet6" then return "::/::" end
  local address, length = network:match "^([%d.]+)/?(%d*)$"
  if not address then return network end
  length = math.min(tonumber(length) or 32, 32)
  local mask = 0xFFFFFFFF << (32 - length) & 0xFFFFFFFF
  return ("%s/%d.%d.%d.%d"):format(
    address, mask >> 24, mask >> 16 & 255, mask >> 8 & 255, mask & 255
  )
end

local function refuse_same_network(store, object)
  local network = with_mask(object.network)
  for _, other in ipairs(store:list(ROUTES)) do
    if other.fullPath ~= object.fullPath and with_mask(other.network) == network then
      validate.refuse_mcpd(
        ("01070734:3: Configuration error: invalid Management Route, the dest/netmask pair %s "
          .. "already exists for %s"):format(network, other.fullPath)
      )
    end
  end
end

local management_route <const> = {
  prepare = function(store, object, properties, old, ctx)
    if not old and not object.network then
      object.network = object.name == "default" and "default"
        or validate.is_address(object.name, true) and object.name or nil
      if not object.network then validate.refuse '"network" must be specified' end
    end
    if properties.gateway and object.gateway and not validate.is_address(object.gateway) then
      validate.invalid("gateway", object.gateway)
    end
    if not old and not object.gateway and object.type ~= "interface" then
      validate.refuse '"gateway" must be specified'
    end
    if not ctx.seed and not ctx.factory then refuse_same_network(store, object) end
  end,
}

return {
  ["sys/management-dhcp"] = {
    facts = { type = "collection", flat = false },
    factory = {
      protected = true,
      objects = {
        {
          name = "sys-mgmt-dhcp-config",
          requestOptions = {
            "subnet-mask", "broadcast-address", "routers", "domain-name", "domain-name-servers",
            "host-name", "ntp-servers", "interface-mtu",
          },
        },
      },
    },
  },
  ["sys/global-settings"] = {
    facts = {
      open = true,
      props = {
        hostname = s("bigip1.example.net"),
        mgmtDhcp = { c = "disabled|enabled|dhcpv4|dhcpv6" },
        guiSetup = s("disabled"),
        usernamePrompt = s("Username"),
        passwordPrompt = s("Password"),
        description = s(),
        fileBlacklistPathPrefix = s(PRIVATE),
        guiAudit = s("disabled"),
        guiExpiredCertAlert = s("enabled"),
        guiSecurityBannerText = s(),
      },
    },
    checks = settings,
    factory = {
      device_objects = function(device) return { { hostname = device.hostname } } end,
    },
  },
  ["sys/management-ip"] = {
    facts = { noun = "management IP", flat = true, free_names = true },
    checks = management_ip,
    factory = {
      device_objects = function(device)
        return { { name = device.address .. "/24", description = "configured-statically" } }
      end,
    },
  },
  ["sys/management-route"] = {
    facts = { noun = "management route" },
    checks = management_route,
    factory = {
      objects = {
        {
          name = "default", gateway = "192.0.2.1", network = "default", mtu = 0,
          description = "configured-statically",
        },
      },
    },
  },
}
