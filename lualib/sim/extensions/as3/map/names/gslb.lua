-- GSLB: data centers, servers, pools, wide IPs.
local address = require "sim.extensions.as3.map.address"
local monitors = require "sim.extensions.as3.map.names.gslb_monitor"
local properties = require "sim.extensions.as3.map.properties"
local references = require "sim.extensions.as3.map.references"

local M = { GSLB_Monitor = monitors.GSLB_Monitor }

local words = properties.words

local MANAGED <const> = "This object is managed by appsvcs, do not modify this description"

-- What lives in /Common, though the declaration has it in /Common/Shared.
local function in_common(path) return (path:gsub("/Shared", "", 1)) end

-- The path in a member that names something with `use` or `bigip`.
local function path_of(at, name, value, property)
  local path = references.plain(value)
  if type(path) == "string" then return path end
  references.fail(at:path(name) .. "/members", ("%s names nothing"):format(property))
end

local function marked(item) item.metadata = { { name = "as3", persist = "true" } } end

M.GSLB_Data_Center = function(at, item, name)
  marked(item)
  at:add("gtm datacenter", at:root_only(name), at:properties("gtm datacenter", item))
end

-- The monitor rule of a list; without one a BIG-IP is watched by its own monitor.
local function rule(source)
  local paths = {}
  for i, monitor in ipairs(source.monitors or {}) do paths[i] = references.plain(monitor) end
  if #paths == 0 and source.serverType == "bigip" then paths[1] = "/Common/bigip" end
  if #paths == 0 then return end
  local minimum = source.minimumMonitors
  source.monitors = minimum and ("min %d of { %s }"):format(minimum, table.concat(paths, " "))
    or table.concat(paths, " and ")
end

local function virtual_servers(item)
  local seen = {}
  for i, virtual in ipairs(item.virtualServers or {}) do
    local ip = address.short(virtual.address)
    virtual.destination = ("%s%s%d"):format(ip, address.colon(ip), virtual.port)
    seen[i] = virtual.destination
    virtual.name = virtual.name or ("%d"):format(i - 1)
    virtual.addressTranslation = virtual.addressTranslation or "none"
    virtual.addressTranslationPort = virtual.addressTranslationPort or 0
    if virtual.monitors then rule(virtual) end
  end
  if #seen > 0 then
    table.insert(item.metadata, {
      name = "as3-virtuals", value = table.concat(seen, "_"), persist = "true",
    })
  end
end

M.GSLB_Server = function(at, item, name)
  item.remark = item.remark or ""
  marked(item)
  for i, device in ipairs(item.devices) do
    item.devices[i] = {
      name = device.label or ("%d"):format(i - 1), remark = device.remark,
      addresses = {
        { name = device.address, translation = device.addressTranslation or "none" },
      },
    }
  end
  local has_virtuals = item.virtualServers ~= nil
  virtual_servers(item)
  rule(item)
  item.serverType = item.serverType or "bigip"
  item.proberPool = item.proberPool or "none"
  local props = at:properties("gtm server", item)
  for _, virtual in pairs(props["virtual-servers"] or {}) do
    if type(virtual) == "table" and type(virtual.monitor) == "table" then virtual.monitor = nil end
  end
  if type(props.monitor) == "table" then props.monitor = nil end
  if not has_virtuals then props["virtual-servers"] = nil end
  at:add("gtm server", at:root_only(name), props)
end

M.GSLB_Prober_Pool = function(at, item, name)
  item.remark = MANAGED
  for i, member in ipairs(item.members or {}) do
    local path = in_common(path_of(at, name, member.server, "server"))
    member.order = i - 1
    member.name = path:find("/", 1, true) and path or "/Common/" .. path
  end
  at:add("gtm prober-pool", at:root_only(name), at:properties("gtm prober-pool", item))
end

M.GSLB_iRule = function(at, item, name)
  at:add("gtm rule", at:path(name), { ["api-anonymous"] = references.script(at, item, name) })
end

M.GSLB_Domain = function(at, item, name)
  local kind = "gtm wideip " .. item.resourceRecordType:lower()
  item.remark = item.remark or name
  for i, pool in ipairs(item.pools or {}) do
    item.pools[i] = { name = pool.use, order = i - 1, ratio = pool.ratio }
  end
  local props = at:properties(kind, item)
  local last = props["last-resort-pool"]
  if last ~= "none" then
    props["last-resort-pool"] = ("%s %s"):format(item.lastResortPoolType:lower(), last)
  end
  at:add(kind, at:path(item.domainName), props)
end

-- -- pools --

local any = words("dynamic-ratio enabled alternate-mode description ratio fallback-mode "
  .. "load-balancing-mode manual-resume members metadata qos-hit-ratio qos-hops "
  .. "qos-kilobytes-second qos-lcs qos-packet-rate qos-rtt qos-topology qos-vs-capacity "
  .. "qos-vs-score ttl verify-member-availability")
local addresses = words("fallback-ip limit-max-bps limit-max-bps-status limit-max-connections "
  .. "limit-max-connections-status limit-max-pps limit-max-pps-status max-answers-returned monitor",
  any)
local answers = words("max-answers-returned", any)
local TYPES <const> = {
  A = addresses, AAAA = addresses, CNAME = any, MX = answers, NAPTR = answers,
}

local QOS <const> = {
  qosHitRatio = 5, qosHops = 0, qosKbps = 3, qosLinkCapacity = 30, qosPacketRate = 1,
  qosRoundTripTime = 50, qosTopology = 0, qosVirtualServerCapacity = 0, qosVirtualServerScore = 0,
}
local LIMITS <const> = {
  fallbackIP = "any", bpsLimit = 0, bpsLimitEnabled = false, ppsLimit = 0, ppsLimitEnabled = false,
  connectionsLimit = 0, connectionsLimitEnabled = false,
}

local function fill_in(item, defaults)
  for name, value in pairs(defaults) do
    if item[name] == nil then item[name] = value end
  end
end

-- Members of pools of addresses are virtual servers of a GSLB_Server.
local function of_servers(at, item, name)
  for _, member in ipairs(item.members or {}) do
    local virtual = references.plain(member.virtualServer)
    if math.type(virtual) then virtual = ("%d"):format(virtual) end
    member.name = ("%s:%s"):format(in_common(path_of(at, name, member.server, "server")), virtual)
    if type(member.dependsOn) == "table" then
      for i, other in ipairs(member.dependsOn) do member.dependsOn[i] = in_common(other) end
    end
  end
end

-- Members of the other pools are wide IPs.
local function of_domains(at, item, name)
  for _, member in ipairs(item.members or {}) do
    local wanted = member.domainName
    local path = in_common(path_of(at, name, wanted, "domainName"))
    if wanted.use then
      local declared = references.item(at, wanted.use) or {}
      path = in_common(wanted.use):match "^.*/" .. (declared.domainName or "")
    end
    member.name = path
    if item.resourceRecordType == "NAPTR" then member.flags = "a" end
  end
end

local function members(item)
  local list, kind = item.members or {}, item.resourceRecordType
  local both = kind == "A" and list[1] and list[2]
  local unordered = both and list[1].memberOrder == 0 and list[2].memberOrder == 0
  for i, member in ipairs(list) do
    if kind ~= "A" or unordered then member.memberOrder = i - 1 end
    if kind ~= "CNAME" then member.isDomainNameStatic = nil end
    if kind ~= "MX" then member.priority = nil end
  end
end

M.GSLB_Pool = function(at, item, name)
  local kind = item.resourceRecordType
  local has_addresses = kind == "A" or kind == "AAAA"
  if has_addresses then
    local paths = {}
    for i, monitor in ipairs(item.monitors or {}) do paths[i] = references.plain(monitor) end
    item.monitors = #paths > 0 and table.concat(paths, " and ") or "default"
    fill_in(item, LIMITS)
    of_servers(at, item, name)
  else
    of_domains(at, item, name)
  end
  fill_in(item, QOS)
  members(item)
  local props = at:properties("gtm pool", item)
  for _, member in pairs(type(props.members) == "table" and props.members or {}) do
    local depends = type(member) == "table" and member["depends-on"]
    if type(depends) == "table" and next(depends) == nil then
      member["depends-on"] = has_addresses and "none" or nil
    end
  end
  for property in pairs(props) do
    if not TYPES[kind][property] then props[property] = nil end
  end
  at:add("gtm pool " .. kind:lower(), at:path(name), props)
end

return M
