-- Statistics: /stats at the three levels (a resource, a sub-collection, a collection), and the
-- parts of the tree that only show.
--
-- Nothing passes through a simulated device, so counters stand still but for those that its owner
-- gave it (sim.traffic); states come from what monitors find (sim.monitoring), sums and names from
-- the objects.
local catalogue = require "sim.config.catalogue"
local errors = require "sim.http.errors"
local monitoring = require "sim.status.monitoring"
local names = require "sim.config.names"
local objects = require "sim.config.objects"
local shown = require "sim.status.device_facts"
local traffic = require "sim.status.traffic"
local uri = require "sim.config.uri"

local M = {}

local entry_names  -- kind of the statistics -> list of { name, "v" or "d" }

local function names_of(kind)
  if not entry_names then
    entry_names = {}
    for full_kind, fact in pairs(require "sim.catalogue.stats") do
      entry_names[full_kind] = fact.entries
    end
  end
  return entry_names[kind] or entry_names[(kind:gsub("stats$", "collectionstats"))]
end

-- What traffic objects without recorded statistics have at least.
local USUAL <const> = {
  { "serverside.bitsIn", "v" },
  { "serverside.bitsOut", "v" },
  { "serverside.curConns", "v" },
  { "serverside.maxConns", "v" },
  { "serverside.pktsIn", "v" },
  { "serverside.pktsOut", "v" },
  { "serverside.totConns", "v" },
}
local STATUS <const> = {
  { "status.availabilityState", "d" },
  { "status.enabledState", "d" },
  { "status.statusReason", "d" },
}

-- Pool members have no statistics of their own in the facts; these are what a pool's answer shows
-- of them.
local MEMBER <const> = {
  { "addr", "d" },
  { "connq.ageEdm", "v" },
  { "connq.ageEma", "v" },
  { "connq.ageHead", "v" },
  { "connq.ageMax", "v" },
  { "connq.depth", "v" },
  { "connq.serviced", "v" },
  { "curSessions", "v" },
  { "monitorRule", "d" },
  { "monitorStatus", "d" },
  { "nodeName", "d" },
  { "poolName", "d" },
  { "port", "v" },
  { "sessionStatus", "d" },
  { "totRequests", "v" },
  USUAL[1],
  USUAL[2],
  USUAL[3],
  USUAL[4],
  USUAL[5],
  USUAL[6],
  USUAL[7],
  STATUS[1],
  STATUS[2],
  STATUS[3],
}

-- Known of a kind that nobody recorded statistics of.
local LSN_POOL <const> = {
  { "tmName", "d" },
  { "common.activeTranslations", "v" },
  { "common.backupPoolTranslations", "v" },
}

local NOT_CHECKED <const> =
  "The children pool member(s) either don't have service checking enabled, or service check results are not available yet"

-- What monitors said of an object that they found down: as recorded, a sentence for each of them.
local function down_reason(store, path)
  local since <const> = store.device.state.monitoring.since[path] or store.device:now()
  local text = ""
  for _, name in ipairs(monitoring.monitors_of(store, path)) do
    text = text
      .. ("%s: No successful responses received before deadline. @%s. "):format(
        name,
        os.date("!%Y/%m/%d %H:%M:%S", since // 1000000)
      )
  end
  return text
end

-- availability, enabled, reason of a node or a member.
local function state_of(store, path, object, what)
  local enabled <const> = object.session == "user-disabled" and "disabled" or "enabled"
  if object.state == "user-down" then return "offline", "disabled", "Forced down" end
  if object.state == "up" or object.state == "fqdn-up" then
    return "available",
      enabled,
      what .. " is available" .. (enabled == "disabled" and ", user disabled" or "")
  end
  if object.state == "down" or object.state == "fqdn-down" then
    return "offline", enabled, down_reason(store, path)
  end
  if object.state == "checking" or object.state == "fqdn-checking" then
    return "unknown", enabled, what .. " has not been checked yet"
  end
  return "unknown",
    enabled,
    (what == "Pool member" and what or "Node address") .. " does not have service checking enabled"
end

-- The same of a member, which goes with its node.
local function member_state(store, path, member)
  local availability, enabled, reason = state_of(store, path, member, "Pool member")
  local node <const> = store:get(monitoring.node_of(member))
  if not node then return availability, enabled, reason end
  if
    member.state ~= "user-down"
    and (node.state == "user-down" or node.state == "down" or node.state == "fqdn-down")
  then
    availability, reason = "offline", "Parent down"
  end
  if enabled == "enabled" and (node.state == "user-down" or node.session == "user-disabled") then
    enabled = "disabled-by-parent"
  end
  return availability, enabled, reason
end

-- Counts and status of a pool: { count =, available =, active =, availability =, enabled =, reason
-- = }.
local function pool_state(store, path)
  local found <const> = {
    count = store:count(path .. "/members"),
    available = 0,
    active = 0,
    availability = "unknown",
    enabled = "enabled",
    reason = NOT_CHECKED,
  }
  local online = 0
  for _, segment in ipairs(store:segments(path .. "/members")) do
    local at <const> = path .. "/members/" .. segment
    local availability <const>, enabled <const> = member_state(store, at, store:get(at))
    if availability ~= "offline" then
      online = online + 1
      if enabled == "enabled" then found.available = found.available + 1 end
    end
    if availability == "available" and enabled == "enabled" then found.active = found.active + 1 end
  end
  if found.active > 0 then
    found.availability, found.reason = "available", "The pool is available"
  elseif found.count > 0 and online == 0 then
    found.availability, found.reason = "offline", "The children pool member(s) are down"
  elseif online > 0 and found.available == 0 then
    found.availability, found.enabled, found.reason =
      "offline", "disabled", "The children pool member(s) might be disabled"
  end
  return found
end

-- Status and reason of a virtual server: that of its pool.
local function virtual_state(store, object)
  if not object.pool then return "unknown", NOT_CHECKED end
  local pool <const> = pool_state(store, "/mgmt/tm/ltm/pool/" .. names.segment(object.pool))
  if pool.availability == "available" then return "available", "The virtual server is available" end
  return pool.availability, pool.reason
end

local function endpoint(text)
  return (text or ""):match "[^/]+$"
end

-- Values that come from the objects: template -> function(store, path, object) -> { name = value }.
local from_objects <const> = {
  ["ltm/pool"] = function(store, path, object)
    local pool <const> = pool_state(store, path)
    local connections = 0
    for _, segment in ipairs(store:segments(path .. "/members")) do
      connections = connections + traffic.connections(store.device, path .. "/members/" .. segment)
    end
    return {
      ["serverside.curConns"] = connections,
      activeMemberCnt = pool.active,
      availableMemberCnt = pool.available,
      memberCnt = pool.count,
      minActiveMembers = object.minActiveMembers,
      monitorRule = object.monitor or "none",
      ["status.availabilityState"] = pool.availability,
      ["status.enabledState"] = pool.enabled,
      ["status.statusReason"] = pool.reason,
    }
  end,
  ["ltm/pool/*/members"] = function(store, path, object)
    local availability <const>, enabled <const>, reason <const> = member_state(store, path, object)
    local pool <const> = store:get(path:match "^(.*)/members/")
    local host <const>, port = object.fullPath:match "^(.*)[:.]([^:.]*)$"
    return {
      ["serverside.curConns"] = traffic.connections(store.device, path),
      addr = object.address,
      port = math.tointeger(tonumber(port)) or 0,
      nodeName = host,
      poolName = pool.fullPath,
      monitorRule = object.monitor == "default"
          and (pool.monitor and pool.monitor .. " (pool monitor)" or "none")
        or object.monitor or "none",
      monitorStatus = object.state,
      sessionStatus = object.session == "user-disabled" and "disabled" or "enabled",
      ["status.availabilityState"] = availability,
      ["status.enabledState"] = enabled,
      ["status.statusReason"] = reason,
    }
  end,
  ["ltm/node"] = function(store, path, object)
    local availability <const>, enabled <const>, reason <const> =
      state_of(store, path, object, "Node address")
    return {
      addr = object.address,
      monitorRule = object.monitor == "default" and "none" or object.monitor or "none",
      monitorStatus = object.state,
      sessionStatus = object.session == "user-disabled" and "disabled" or "enabled",
      ["status.availabilityState"] = availability,
      ["status.enabledState"] = enabled,
      ["status.statusReason"] = reason,
    }
  end,
  ["ltm/virtual"] = function(store, _, object)
    local availability <const>, reason <const> = virtual_state(store, object)
    return {
      destination = endpoint(object.destination),
      cmpEnabled = object.cmpEnabled == "no" and "disabled" or "enabled",
      cmpEnableMode = "all-cpus",
      syncookieStatus = object.synCookieStatus,
      ["status.availabilityState"] = availability,
      ["status.statusReason"] = reason,
      ["status.enabledState"] = object.disabled and "disabled" or "enabled",
    }
  end,
  ["ltm/virtual-address"] = function(store, _, object)
    local availability, reason = "unknown", "Virtual Server does not have service checking enabled"
    local virtuals <const> = store.virtuals_by_address[object.fullPath] or {}
    local offline = 0
    for _, virtual in ipairs(virtuals) do
      local state <const> = virtual_state(store, store:get(virtual))
      if state == "offline" then offline = offline + 1 end
      if state == "available" then
        availability, reason = "available", "The virtual address is available"
      end
    end
    if #virtuals > 0 and offline == #virtuals then
      availability, reason = "offline", "The children virtual server(s) are down"
    end
    return {
      addr = object.address,
      ["status.enabledState"] = object.enabled == "no" and "disabled" or "enabled",
      ["status.availabilityState"] = availability,
      ["status.statusReason"] = reason,
    }
  end,
  ["cm/traffic-group"] = function(store, _, object)
    local device <const> = store:list("/mgmt/tm/cm/device")[1]
    return {
      activeReason = "-",
      deviceName = device and device.fullPath or "none",
      failoverState = store.device.state.failover or "active",
      nextActive = "false",
      previousActive = "false",
      trafficGroup = object.fullPath,
    }
  end,
  ["net/interface"] = function(_, _, object)
    return {
      tmName = object.name,
      macAddress = object.macAddress,
      ["status"] = object.disabled and "disabled" or "up",
      mediaActive = object.mediaActive or "none",
    }
  end,
}

local WORD_DEFAULTS <const> = {
  ["status.availabilityState"] = "unknown",
  ["status.enabledState"] = "enabled",
  ["status.statusReason"] = NOT_CHECKED,
}

local function entries_of(store, target, path, object)
  local kind <const> = target.node.kind .. "stats"
  local list = names_of(kind)
  if not list then
    if target.template == "ltm/pool/*/members" then
      list = MEMBER
    elseif target.template == "ltm/lsn-pool" then
      list = LSN_POOL
    else
      list = {
        { "tmName", "d" }, USUAL[1], USUAL[2], USUAL[3], USUAL[4], USUAL[5], USUAL[6], USUAL[7],
        STATUS[1], STATUS[2], STATUS[3],
      }
    end
  end
  local make <const> = from_objects[target.template]
  local own <const> = make and make(store, path, object) or {}
  for name, value in pairs(traffic.counters(store.device, path)) do own[name] = value end
  local entries <const> = {}
  for _, entry in ipairs(list) do
    local name <const>, field <const> = entry[1], entry[2]
    local value = own[name]
    if field == "v" then
      entries[name] = { value = math.type(value) and value or 0 }
    else
      if value == nil and name == "tmName" then value = object.fullPath or object.name end
      entries[name] = { description = tostring(value or WORD_DEFAULTS[name] or "none") }
    end
  end
  return entries
end

-- The statistics of one object, inside of an answer.
local function nested(store, target, path, object, version, with_kind)
  local link <const> = names.link(path .. "/stats")
  return link, { nestedStats = {
    kind = with_kind and target.node.kind .. "stats" or nil,
    selfLink = with_kind and link .. "?ver=" .. version or nil,
    entries = entries_of(store, target, path, object),
  } }
end

-- A rule has one line for each event that it handles.
local function events_of(object)
  local list <const>, seen <const> = {}, {}
  for event in ("\n" .. (object.apiAnonymous or "")):gmatch "[\n;}]%s*when%s+([%u_%d]+)" do
    if not seen[event] then list[#list + 1] = event end
    seen[event] = true
  end
  return list
end

local function add_rule(store, target, path, object, version, entries)
  for _, event in ipairs(events_of(object)) do
    local link <const>, body <const> =
      nested(store, target, path .. ":" .. event, object, version, true)
    local inner <const> = body.nestedStats.entries
    if inner.eventType then inner.eventType = { description = event } end
    entries[link] = body
  end
end

local function collect(store, target, version, segments)
  local entries <const> = {}
  for _, segment in ipairs(segments) do
    local path <const> = target.path .. "/" .. segment
    if target.template == "ltm/rule" then
      add_rule(store, target, path, store:get(path), version, entries)
    else
      local link <const>, body <const> = nested(store, target, path, store:get(path), version, true)
      entries[link] = body
    end
  end
  return next(entries) and entries or nil
end

-- GET …/stats
function M.get(device, request, target)
  local store <const> = device.store
  local version <const> = names.version(device, request)
  local query <const> = names.query(request, version)
  local body <const> = { selfLink = names.link(target.shown .. "/stats", query) }
  if target.what == "collection" then
    if target.parent and not store:get(target.parent) then
      objects.not_found(uri.parse(target.parent))
    end
    -- A sub-collection answers with the kind of its objects, a collection of its own with that of
    -- the collection.
    body.kind = target.node.kind .. (target.parent and "stats" or "collectionstats")
    body.entries = collect(store, target, version, store:segments(target.path))
  elseif target.what == "resource" then
    local object <const> = store:get(target.path)
    if target.public and not object then
      -- The statistics of a sub-component of all objects, as the guide shows them for
      -- pool/members/stats.
      local inner <const> = catalogue.find(target.public.template)
      body.kind = inner.kind .. "stats"
      local entries <const> = {}
      for _, segment in ipairs(store:segments(target.public.collection)) do
        local path <const> = target.public.collection .. "/" .. segment
        local link <const>, part <const> =
          nested(store, target, path, store:get(path), version, true)
        entries[link] = part
        local sub <const> = {
          node = inner,
          template = target.public.template,
          path = path .. "/" .. target.public.sub,
        }
        for name, value in pairs(collect(store, sub, version, store:segments(sub.path)) or {}) do
          entries[name] = value
        end
      end
      body.entries = next(entries) and entries or nil
      return { status = 200, body = body }
    end
    if not object then objects.not_found(target) end
    body.kind = target.node.kind .. "stats"
    body.generation = object.generation
    local link <const>, part <const> = nested(
      store,
      { node = target.node, template = target.template },
      target.shown, object, version, true
    )
    part.nestedStats.entries = entries_of(store, target, target.path, object)
    body.entries = { [link] = part }
    if target.template == "ltm/rule" then
      body.entries = {}
      add_rule(
        store,
        { node = target.node, template = target.template },
        target.shown, object, version, body.entries
      )
    end
  elseif target.what == "show" then
    return M.show(device, request, target)
  else
    error(errors.not_public(request), 0)
  end
  return { status = 200, body = body }
end

-- GET of what only shows.
function M.show(device, request, target)
  local version <const> = names.version(device, request)
  local body <const> = shown.body(device, target, version) or {}
  body.kind = body.kind or target.node.kind .. "stats"
  body.selfLink = names.link(target.shown, names.query(request, version))
  return { status = 200, body = body }
end

return M
