-- VLANs, their interfaces, and the forwarding databases of VLANs and tunnels.
local interfaces = require "sim.kinds.common.interfaces"
local names = require "sim.config.names"
local numbers = require "sim.kinds.common.numbers"
local property = require "sim.kinds.common.property"
local response = require "sim.kinds.common.response"
local validate = require "sim.config.validate"

local s <const>, i <const>, flag <const> = property.text, property.number, property.flag
local ROOT <const> = "/mgmt/tm/"

local vlan <const> = {
  prepare = function(store, object, properties, old, ctx, target)
    local collection = ROOT .. "net/vlan"
    if not object.tag then object.tag = numbers.free(store, "tag", collection, 4094, -1) end
    if object.tag < 1 or object.tag > 4094 then validate.invalid("tag", object.tag) end
    if properties.tag and not ctx.seed then
      local path = old and target.path or nil
      local other = numbers.taken(store, "tag", object.tag, collection, path)
      if other and other.partition == object.partition then
        validate.refuse_mcpd(
          ("01071a40:3: VLAN tag %d for VLAN %s is already used by VLAN %s."):format(
            object.tag,
            object.fullPath,
            other.fullPath
          )
        )
      end
    end
    if not old then object.ifIndex = numbers.free(store, "ifIndex", collection, 64, 16) end
  end,
  made = function(store, _, object)
    local path = ROOT .. "net/fdb/vlan/" .. names.segment(object.fullPath)
    store:put(
      path,
      {
        name = object.name, partition = object.partition, subPath = object.subPath,
        fullPath = object.fullPath, generation = object.generation,
      }
    )
  end,
  removed = function(store, _, object)
    interfaces.leave(store, object)
    store:put(ROOT .. "net/fdb/vlan/" .. names.segment(object.fullPath), nil)
  end,
}

local vlan_interface <const> = {
  prepare = function(store, object, properties, old, ctx)
    local known = ctx.seed
      or store:get(ROOT .. "net/interface/" .. object.name)
      or store:get(ROOT .. "net/trunk/" .. object.name)
    if not known then
      validate.refuse_mcpd(
        (
          "01070256:3: Requested VLAN member (%s) is currently a trunk member or does "
            .. "not exist"
        ):format(
          object.name
        )
      )
    end
    if not old and not properties.tagged and not properties.untagged then object.untagged = true end
  end,
}

local function show_vlan_interface(_, _, object, shown, context)
  shown.nameReference =
    { link = names.link(ROOT .. "net/interface/" .. object.name, "ver=" .. context.version) }
end

-- -- statistics, as recorded on devices of 15.1 and 16.0 --

local COUNTERS <const> = {
  "hcInBroadcastPkts", "hcInMulticastPkts", "hcInOctets", "hcInUcastPkts", "hcOutBroadcastPkts",
  "hcOutMulticastPkts", "hcOutOctets", "hcOutUcastPkts", "inDiscards", "inErrors",
  "inUnknownProtos", "outDiscards", "outErrors", "pvaInOctets", "pvaInPkts", "pvaOutOctets",
  "pvaOutPkts",
}
local PORT_COUNTERS <const> = {
  "counters.bitsIn", "counters.bitsOut", "counters.dropsAll", "counters.errorsAll",
  "counters.pktsIn", "counters.pktsOut",
}

local function zeros(list)
  local entries = {}
  for _, name in ipairs(list) do entries[name] = response.number(0) end
  return entries
end

local function vlan_values(store, path, object)
  local first = store:segments(path .. "/interfaces")[1]
  local port = first and store:get(ROOT .. "net/interface/" .. first)
  return {
    cVid = (object.customerTag or "none") == "none" and " " or object.customerTag, id = object.tag,
    ifname = object.name, macTrue = port and port.macAddress or "00:94:a1:00:00:40",
    mtu = object.mtu, tmName = object.fullPath,
  }
end

-- Packets of the VLAN, and the ports with theirs.
local function vlan_counters(store, object, link)
  local path = ROOT .. "net/vlan/" .. names.segment(object.fullPath) .. "/interfaces"
  local members = {}
  for _, segment in ipairs(store:segments(path)) do
    local member = store:get(path .. "/" .. segment)
    local port = store:get(ROOT .. "net/interface/" .. segment) or {}
    local below = ("%s/members/%s"):format(link, segment)
    local counters = zeros(PORT_COUNTERS)
    counters.mediaActive = response.text(port.mediaActive or "none")
    counters.tmName, counters.status = response.text(segment), response.text "up"
    members[below .. "/stats"] = response.nest {
      tmName = response.text(segment), tagMode = response.text(member.tagMode or "none"),
      tagged = response.text(member.tagged and "yes" or "no"),
      [below .. "/interfaces/stats"] = response.nest {
        [("%s/interfaces/%s/stats"):format(below, segment)] = response.nest(counters),
      },
    }
  end
  local entries = {
    [link .. "/ifc_stat/stats"] = response.nest {
      [link .. "/ifc_stat/0/stats"] = response.nest(zeros(COUNTERS)),
    },
  }
  if next(members) then entries[link .. "/members/stats"] = response.nest(members) end
  return entries
end

return {
  ["net/vlan"] = {
    facts = { exact = true, known = true,
      noun = "VLAN",
      props = {
        tag = i(),
        ifIndex = { t = "i", r = true },
        dagTunnel = s("outer"),
        fwdMode = s("l3"),
        hardwareSyncookie = s("disabled"),
        synFloodRateLimit = i(1000),
        syncacheThreshold = i(6000),
        description = { d = false },
        customerTag = s(),
        dagAdjustment = s(),
        mtu = { t = "i", d = 1500, range = { 576, 65535 } },
      },
    },
    checks = vlan,
    stats = {
      entries = {
        { "cVid", "d" }, { "id", "v" }, { "ifname", "d" }, { "macTrue", "d" }, { "mtu", "v" },
        { "tmName", "d" },
      },
      values = vlan_values,
      inner = vlan_counters,
    },
  },
  ["net/vlan/*/interfaces"] = {
    facts = {
      noun = "interface", flat = true, free_names = true, pairs = { { "tagged", "untagged" } },
      props = { tagged = flag(), untagged = flag(), tagMode = s("none", { keeps_none = true }) },
    },
    relations = { { to = { "net/interface", "net/trunk" }, later = true } },
    checks = vlan_interface,
    show = show_vlan_interface,
  },
  ["net/fdb/vlan"] = {
    facts = {
      type = "collection", no_create = true, no_delete = true,
      subs = { recordsReference = "records" },
    },
  },
  ["net/fdb/vlan/*/records"] = {
    facts = {
      type = "collection", flat = true, free_names = true, noun = "FDB record",
    },
  },
}
