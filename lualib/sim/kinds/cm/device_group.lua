-- Device groups and their devices, and the trust domain.
local asm = require "sim.cluster.asm"
local errors = require "sim.http.errors"
local json = require "f5.json"
local members = require "sim.cluster.members"
local names = require "sim.config.names"
local property = require "sim.kinds.common.property"
local validate = require "sim.config.validate"

local s <const>, i <const>, flag <const> = property.text, property.number, property.flag
local ROOT <const> = "/mgmt/tm/"

-- It needs kinds, so it is loaded at the first use.
local function sync() return require "sim.cluster.sync" end

local group_member <const> = {
  identify = function(_, body)
    local name = body.name
    if type(name) ~= "string" or name == "" then validate.nothing_to_do() end
    local partition, sub_path, last = names.split(
      names.absolute(name, body.partition and (names.partition(body.partition)) or "Common")
    )
    return {
      name = last, partition = partition, subPath = sub_path,
      fullPath = names.full(partition, sub_path, last),
    }
  end,
  prepare = function(store, object, _, _, ctx)
    if not ctx.seed and not store:get(ROOT .. "cm/device/" .. names.segment(object.fullPath)) then
      error(
        errors.tm(
          404,
          ("01020036:3: The requested device (%s) was not found."):format(object.fullPath),
          3
        ),
        0
      )
    end
  end,
}

-- `set-sync-leader`: the configuration of this device counts from now on.
local function lead(store, path, object)
  if object.setSyncLeader ~= true then return end
  local group = path:match "/device%-group/([^/]+)/":gsub("~", "/")
  if object.fullPath == members.own_name(store.device) then sync().mark(store.device, group) end
  local plain = {}
  for key, value in pairs(object) do
    if key ~= "setSyncLeader" then plain[key] = value end
  end
  store:put(path, plain)
end
group_member.made, group_member.changed = lead, lead

local function show_group_member(_, _, object, shown, context)
  shown.nameReference = {
    link = names.link(
      ROOT .. "cm/device/" .. names.segment(object.fullPath),
      "ver=" .. context.version
    ),
  }
end

-- A sync-failover group fails over by the network unless it is told otherwise.
local device_group <const> = {
  prepare = function(_, object, properties, old)
    if not old and properties.networkFailover == nil then
      object.networkFailover = object.type == "sync-failover" and "enabled" or "disabled"
    end
  end,
  settled = asm.check_group,
}

local trust_domain <const> = {
  prepare = function(_, object, properties)
    if properties.caDevices and object.caDevices and #object.caDevices == 0 then
      object.caDevices = nil
    end
  end,
}

-- The groups that devices keep for themselves. Those of ASM synchronise what its modules learn.
local function own_groups(device)
  local list = {
    {
      name = "device_trust_group", type = "sync-only", autoSync = "enabled",
      fullLoadOnSync = "false",
    },
    { name = "gtm" },
  }
  if (device.state.provision.asm or "none") ~= "none" then
    for _, name in ipairs { "datasync-global-dg", "dos-global-dg" } do
      list[#list + 1] = { name = name, type = "sync-only", fullLoadOnSync = "true" }
    end
  end
  return list
end

local function own_members(device)
  local list = {}
  for n, group in ipairs(own_groups(device)) do
    list[n] = { owner = "/Common/" .. group.name, name = "bigip1" }
  end
  return list
end

return {
  ["cm/device-group"] = {
    facts = {
      noun = "device group", known = true,
      props = {
        type = s("sync-only", { c = "sync-failover|sync-only" }),
        autoSync = s("disabled", { c = "disabled|enabled" }),
        fullLoadOnSync = s("false", { c = "false|true" }),
        networkFailover = s("disabled", { c = "disabled|enabled" }),
        asmSync = s("disabled"),
        incrementalConfigSyncSizeMax = i(1024),
        saveOnAutoSync = s("false"),
        hidden = s(),
        description = s(),
      },
      subs = { devicesReference = "devices" },
    },
    checks = device_group,
    factory = { device_objects = own_groups },
  },
  ["cm/device-group/*/devices"] = {
    facts = { noun = "device", props = { setSyncLeader = flag() } },
    checks = group_member,
    show = show_group_member,
    factory = { device_objects = own_members },
  },
  ["cm/trust-domain"] = {
    facts = {
      type = "collection", noun = "trust domain", no_delete = true, no_create = true,
      props = {
        caCert = s(),
        caCertBundle = s(),
        caDevices = { t = "a" },
        caKey = s(),
        guid = s(),
        status = s(),
        trustGroup = s(),
        nonCaDevices = { t = "a" },
      },
    },
    relations = { { property = "caDevices", to = { "cm/device" } } },
    checks = trust_domain,
    factory = {
      objects = {
        {
          name = "Root",
          caCert = "/Common/dtca.crt",
          caCertBundle = "/Common/dtca-bundle.crt",
          caDevices = json.array { "/Common/bigip1" },
          caKey = "/Common/dtca.key",
          guid = "00000000-0000-0000-000000000000",
          status = "standalone",
          trustGroup = "/Common/device_trust_group",
        },
      },
    },
  },
  ["cm/config-sync"] = { facts = { type = "show" } },
  ["cm/add-to-trust"] = { facts = { type = "show" } },
  ["cm/remove-from-trust"] = { facts = { type = "show" } },
  ["cm/sniff-updates"] = { facts = { type = "show" } },
  ["cm/watch-devicegroup-device"] = { facts = { type = "show" } },
  ["cm/watch-sys-device"] = { facts = { type = "show" } },
  ["cm/watch-trafficgroup-device"] = { facts = { type = "show" } },
}
