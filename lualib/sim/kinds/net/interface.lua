-- Interfaces, trunks, and ARP entries.
local addresses = require "sim.kinds.common.addresses"
local property = require "sim.kinds.common.property"
local validate = require "sim.config.validate"

local s <const>, flag <const> = property.text, property.flag
local ENABLED_DISABLED <const> = property.ENABLED_DISABLED
local ROOT <const> = "/mgmt/tm/"

local trunk <const> = {
  prepare = function(store, object, properties, old)
    if properties.interfaces and object.interfaces then
      for _, name in ipairs(object.interfaces) do
        if not store:get(ROOT .. "net/interface/" .. tostring(name)) then
          validate.refuse_mcpd(
            ("01020036:3: The requested interface (%s) was not found."):format(tostring(name))
          )
        end
      end
      object.cfgMbrCount = #object.interfaces
    end
    if not old then object.macAddress = object.macAddress or "00:94:a1:00:00:41" end
  end,
}

local arp <const> = {
  prepare = function(store, object, _, old, ctx)
    if not old then
      object.ipAddress = object.ipAddress or object.name
      if not validate.is_address(object.ipAddress) then
        validate.invalid("ipAddress", object.ipAddress)
      end
      addresses.check_domain(store, object.ipAddress, ctx)
      if not object.macAddress then validate.refuse '"macAddress" must be specified' end
    end
  end,
}

local function interface_values(_, _, object)
  return {
    tmName = object.name,
    macAddress = object.macAddress,
    status = object.disabled and "disabled" or "up",
    mediaActive = object.mediaActive or "none",
  }
end

local interfaces <const> = {}
for n, name in ipairs { "1.1", "1.2", "1.3", "mgmt" } do
  interfaces[n] = {
    name = name, macAddress = ("00:94:a1:00:00:4%d"):format(n), mediaActive = "10000T-FD",
    ifIndex = 16 * (n + 1), mediaFixed = "auto", mediaMax = "auto", flowControl = "tx-rx",
  }
end
-- Three devices of 15.1 and 16.0 agree about the port for the management.
interfaces[4].mediaActive, interfaces[4].mtu, interfaces[4].mediaMax = "100TX-FD", 1500, nil

return {
  ["net/interface"] = {
    facts = {
      noun = "interface",
      flat = true,
      no_create = true,
      no_delete = true,
      pairs = ENABLED_DISABLED,
      props = {
        bundleSpeed = s("not-supported"), forwardErrorCorrection = s("not-supported"),
        portFwdMode = s("l3"), qinqEthertype = s("0x8100"),
        disabled = flag(), mediaActive = { t = "s", r = true },
        mediaMax = { t = "s", r = true },
        ifIndex = { r = true }, macAddress = { t = "s", r = true },
        flowControl = { keeps_none = true },
      },
    },
    stats = {
      entries = {
        { "counters.bitsIn", "v" }, { "counters.bitsOut", "v" }, { "counters.dropsAll", "v" },
        { "counters.errorsAll", "v" }, { "counters.pktsIn", "v" }, { "counters.pktsOut", "v" },
        { "mediaActive", "d" }, { "status", "d" }, { "tmName", "d" },
      },
      values = interface_values,
    },
    factory = { objects = interfaces },
  },
  ["net/trunk"] = {
    facts = { noun = "trunk", flat = true, props = {
      media = s("none"), lacp = { d = "disabled" }, linkSelectPolicy = { d = "auto" },
      bandwidth = { d = 0 }, cfgMbrCount = { d = 0 }, workingMbrCount = { d = 0 },
    } },
    checks = trunk,
    stats = {
      entries = {
        { "counters.bitsIn", "v" }, { "counters.bitsOut", "v" }, { "counters.collisions", "v" },
        { "counters.dropsIn", "v" }, { "counters.dropsOut", "v" }, { "counters.errorsIn", "v" },
        { "counters.errorsOut", "v" }, { "operBw", "v" }, { "status", "d" }, { "tmName", "d" },
      },
      -- "uninit" was recorded for a trunk without working members
      values = function(_, _, object)
        local works = (object.workingMbrCount or 0) > 0
        return {
          tmName = object.name, operBw = object.bandwidth, status = works and "up" or "uninit",
        }
      end,
    },
  },
  ["net/arp"] = {
    facts = { noun = "ARP entry" },
    checks = arp,
  },
  ["net/interface-cos/mgmt"] = { facts = { type = "show", hidden = true } },
  ["net/interface-ddm"] = { facts = { type = "show" } },
}
