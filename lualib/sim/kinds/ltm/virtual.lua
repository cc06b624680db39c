-- Virtual servers with their profiles and policies.
local json = require "f5.json"
local addresses = require "sim.kinds.common.addresses"
local availability = require "sim.kinds.common.availability"
local clock = require "sim.clock"
local modules = require "sim.kinds.common.modules"
local names = require "sim.config.names"
local profiles = require "sim.kinds.common.profiles"
local property = require "sim.kinds.common.property"
local references = require "sim.config.references"
local rule_names = require "sim.kinds.common.rule_names"
local traffic = require "sim.status.traffic"
local validate = require "sim.config.validate"

local s <const>, flag <const>, COUNT <const> = property.text, property.flag, property.COUNT
local ROOT <const> = "/mgmt/tm/"
local PROFILES <const> = {
  "ltm/profile/*", "apm/profile/*", "wom/profile/*", "pem/profile/*", "api-protection/profile/*",
  "security/bot-defense/profile", "security/dos/profile", "security/protocol-inspection/profile",
  "security/anti-fraud/profile", "security/dns/profile", "security/http/profile",
  "net/tunnels/ppp",
}

-- -- checks of virtual servers --

-- "10.0.0.1:80", "/Common/10.0.0.1:80", "/Common/name:80" -> folder, address or name, port; nil if
-- the text is not a destination.
local function destination_parts(text)
  if type(text) ~= "string" then return nil end
  local folder, last = text:match "^(/.*)/([^/]+)$"
  local rest = last or text
  local host, port = rest:match "^([^:]+):([^:]+)$"
  if not host then host, port = rest:match "^(.*)%.([^.:]+)$" end
  local any6 = host and host:gsub("%%%d+$", "") == "any6"
  if not host or not any6 and not rest:find(":", 1, true) then return nil end
  return folder, host, port
end

local ANY <const> = { any = true, any6 = true, ["0.0.0.0"] = true, ["::"] = true }

local function full_list(store, list, targets, partition)
  local fresh = {}
  for i, item in ipairs(list) do
    if type(item) == "number" then item = tostring(item) end
    if type(item) == "table" then item = item.fullPath or item.name end
    local own = names.absolute(validate.text("name", item), partition)
    fresh[i] = references.locate(store, targets, own) and own or names.absolute(item)
  end
  return json.array(fresh)
end

local function persist_list(store, value, partition)
  local fresh = {}
  for i, item in ipairs(value) do
    local entry = type(item) == "table" and item or { name = item }
    if type(entry.name) ~= "string" then validate.invalid("persist", entry.name) end
    local given, below, name =
      names.split(names.absolute(tostring(entry.name), entry.partition or partition))
    local full = names.full(given, entry.subPath or below, name)
    if
      not references.locate(store, { "ltm/persistence/*" }, full) and not entry.partition
      and tostring(entry.name):sub(1, 1) ~= "/"
    then
      full = "/Common/" .. entry.name
    end
    local own_partition, own_path, own_name = names.split(full)
    fresh[i] = {
      name = own_name,
      partition = own_partition,
      subPath = own_path,
      tmDefault = entry.tmDefault or entry.default or "yes",
    }
  end
  return json.array(fresh)
end

-- The path and the names of the virtual address of a destination.
local function virtual_address(_, virtual, ctx)
  local folder, host = destination_parts(virtual.destination)
  local full = (folder or "/" .. virtual.partition) .. "/" .. host
  local path = ROOT .. "ltm/virtual-address/" .. names.segment(full)
  return path, full, host, ctx
end

local TYPE_FLAGS <const> =
  { "ipForward", "l2Forward", "reject", "dhcpRelay", "internal", "stateless" }

-- The protocol that a virtual server's profiles imply.
local function protocol_of(store, given)
  local list = type(given) == "table" and (given.items or given) or {}
  if type(list) ~= "table" then validate.invalid("profiles", list) end
  for _, item in ipairs(list) do
    local name = type(item) == "table" and (item.fullPath or item.name) or item
    if type(name) == "string" then
      for _, kind in ipairs { "udp", "sctp", "tcp", "fasthttp" } do
        if references.locate(store, { "ltm/profile/" .. kind }, names.absolute(name)) then
          return kind == "fasthttp" and "tcp" or kind
        end
      end
    end
  end
  return nil
end

local function has_http(store, virtual_path)
  for _, profile in ipairs(store:list(virtual_path .. "/profiles")) do
    if
      references.locate(store, { "ltm/profile/http", "ltm/profile/fasthttp" }, profile.fullPath)
    then
      return true
    end
  end
  return false
end

-- The first event of an iRule that needs HTTP.
local function http_event(rule)
  local text = ("\n" .. (rule.apiAnonymous or "")):gsub("\n[^%S\n]*#[^\n]*", "\n")
  return text:match "%f[%w]when%s+(HTTP_[%u_]+)"
end

-- HTTP events in rules and cookie persistence need an HTTP profile.
local function check_http(store, virtual_path)
  local virtual = store:get(virtual_path)
  if not virtual or has_http(store, virtual_path) then return end
  for _, name in ipairs(virtual.rules or {}) do
    local rule = store:get(ROOT .. "ltm/rule/" .. names.segment(name))
    local event = rule and http_event(rule)
    if event then
      validate.refuse_mcpd(
        (
          "01071912:3: %s event in rule (%s) requires an associated HTTP or FASTHTTP "
            .. "profile on the virtual-server (%s)."
        ):format(
          event,
          name,
          virtual.fullPath
        )
      )
    end
  end
  for _, item in ipairs(virtual.persist or {}) do
    if
      references.locate(
        store,
        { "ltm/persistence/cookie" },
        names.full(item.partition or "Common", item.subPath, item.name)
      )
    then
      validate.refuse_mcpd(
        "01070309:3: Cookie persistence requires an HTTP or FastHTTP profile to be "
          .. "associated with the virtual server."
      )
    end
  end
end

local virtual <const> = {
  in_use = function(object, user)
    local kind = user.template:match "^ltm/profile/(.*%-adapt)$"
    return kind and ("0107160c:3: Virtual server '%s' is referenced by %s profile '%s'."):format(
      object.fullPath, kind, user.object.fullPath
    ) or nil
  end,
  read = function(store, _, body, _, old)
    if old or body.ipProtocol or body["ip-protocol"] then return body end
    local fresh = {}
    for key, value in pairs(body) do fresh[key] = value end
    fresh.ipProtocol = protocol_of(store, body.profiles or body.profilesReference)
    return fresh
  end,
  prepare = function(store, object, properties, old, ctx, target)
    modules.need(store, target, properties, ctx, "afm", "fwEnforcedPolicy", "fwStagedPolicy")
    if properties.source and not validate.is_address(object.source, true) then
      validate.invalid("source", object.source)
    end
    if properties.destination or not old then
      local text = object.destination
      local folder, host, port = destination_parts(text)
      if not host then
        if validate.is_address(text) then
          host, port = text, "any"
        else
          validate.invalid("destination", text or "none")
        end
      end
      local number = validate.port(port)
      if not number then validate.invalid("destination", text) end
      local six = host:find ":" ~= nil or host:find "^any6" ~= nil
      local known = store:get(
        ROOT
          .. "ltm/virtual-address/"
          .. names.segment((folder or "/" .. object.partition) .. "/" .. host)
      )
      if not known and not validate.is_address(host) and not ANY[(host:gsub("%%%d+$", ""))] then
        validate.invalid("destination", text)
      end
      if not known then
        addresses.check_domain(store, host, ctx)
        host = validate.short_address(host)
      end
      if known and known.address then six = known.address:find ":" ~= nil end
      if not folder then
        folder = "/" .. object.partition .. (object.subPath and "/" .. object.subPath or "")
      end
      local colon = (host:find ":" or host:find "^any6") and "." or ":"
      object.destination = folder .. "/" .. host .. colon .. number
      if not properties.mask then
        local all = ANY[(host:gsub("%%%d+$", ""))]
        if known and known.mask then
          object.mask = known.mask
        elseif six then
          object.mask = all and "any6" or "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
        else
          object.mask = all and "any" or "255.255.255.255"
        end
      end
      if six and (object.source == "0.0.0.0/0" or not object.source) then object.source = "::/0" end
    end
    if
      properties.mask and not old and not validate.is_address(object.mask) and not ANY[object.mask]
    then
      validate.invalid("mask", object.mask)
    end
    if properties.rules and object.rules then
      object.rules = full_list(store, object.rules, { "ltm/rule" }, object.partition)
    end
    if properties.vlans and object.vlans then
      object.vlans =
        full_list(store, object.vlans, { "net/vlan", "net/tunnels/tunnel" }, object.partition)
    end
    if object.rules and #object.rules == 0 then object.rules = nil end
    if object.vlans and #object.vlans == 0 then object.vlans = nil end
    if properties.persist and object.persist then
      object.persist = persist_list(store, object.persist, object.partition)
      if #object.persist == 0 then object.persist = nil end
    end
    if properties.pool and object.pool then
      local own = names.absolute(properties.pool, object.partition)
      object.pool = own
    end
    local translation = object.sourceAddressTranslation
    if type(translation) == "table" then
      local fresh = { type = translation.type or "none", pool = translation.pool }
      if fresh.type == "none" or fresh.type == "automap" then fresh.pool = nil end
      if fresh.pool then fresh.pool = names.absolute(fresh.pool, object.partition) end
      if
        fresh.type ~= "none" and fresh.type ~= "automap" and fresh.type ~= "snat"
        and fresh.type ~= "lsn"
      then
        validate.invalid("type", fresh.type)
      end
      if fresh.type == "snat" and not fresh.pool and not (ctx.seed or ctx.factory) then
        validate.refuse_mcpd(
          ("01071811:3: Virtual Server %s references non-existent snatpool <no name>."):format(
            object.fullPath
          )
        )
      end
      object.sourceAddressTranslation = fresh
    end
    for _, chosen in ipairs(TYPE_FLAGS) do
      if properties[chosen] == true then
        for _, other in ipairs(TYPE_FLAGS) do
          if other ~= chosen then object[other] = nil end
        end
      end
    end
    for _, other in
      ipairs(
        (ctx.seed or old and not properties.destination) and {}
          or store.virtuals_by_destination and store.virtuals_by_destination[object.destination]
          or {}
      )
    do
      local twin = store:get(other)
      if
        twin and twin.fullPath ~= object.fullPath and twin.source == object.source
        and twin.ipProtocol == object.ipProtocol and twin.mask == object.mask
        and not object.vlansEnabled and not twin.vlansEnabled
      then
        validate.refuse_mcpd(
          (
            "01070333:3: Virtual Server %s illegally shares destination address, "
            .. "source address, service port, and ip-protocol with Virtual Server %s."
          ):format(object.fullPath, twin.fullPath)
        )
      end
    end
    if not old then
      object.creationTime = clock.utc(ctx.now or 0)
      object.vsIndex = store.state.virtuals or 1
      store.state.virtuals = object.vsIndex + 1
    end
    object.lastModifiedTime = clock.utc(ctx.now or 0)
  end,
  before = function(store, _, object, ctx)
    local path, full, host = virtual_address(store, object, ctx)
    if store:get(path) then return end
    local plain, domain = host:match "^([^%%]*)(.*)$"
    local partition, sub_path, name = names.split(full)
    local any = plain == "0.0.0.0" or plain == "::"
    store:create(ROOT .. "ltm/virtual-address", {
      name = name,
      partition = partition,
      subPath = sub_path,
      address = any and (plain == "::" and "any6" or "any") .. domain or host,
      mask = object.mask,
      arp = any and "disabled" or "enabled",
      icmpEcho = any and "disabled" or "enabled",
    }, setmetatable({ automatic = true }, { __index = ctx }))
  end,
  made = function(store, path, _, ctx)
    if
      store:count(path .. "/profiles") == 0
      and store:get(ROOT .. "ltm/profile/fastl4/~Common~fastL4")
    then
      store:create(
        path .. "/profiles",
        { name = "/Common/fastL4", context = "all" },
        setmetatable({ partition = "Common" }, { __index = ctx })
      )
    end
  end,
  changed = function(store, _, object, old, ctx)
    if object.destination ~= old.destination then
      local address = virtual_address(store, object, ctx)
      if not store:get(address) then
        local _, full, host = virtual_address(store, object, ctx)
        local partition, sub_path, name = names.split(full)
        store:create(
          ROOT .. "ltm/virtual-address",
          {
            name = name, partition = partition, subPath = sub_path, address = host,
            mask = object.mask,
          },
          setmetatable({ automatic = true }, { __index = ctx })
        )
      end
    end
  end,
  settled = function(store, path)
    check_http(store, path)
    profiles.check(store, path)
    local object = store:get(path)
    if object then rule_names.check(store, object.rules or {}) end
  end,
  removed = function(store, _, object, ctx)
    -- A virtual address is deleted with its last virtual server.
    local path = virtual_address(store, object, ctx)
    local address = store:get(path)
    if not address or address.autoDelete ~= "true" then return end
    if not store.virtuals_by_address[names.absolute((object.destination:match "^(.*)[:.]"))] then
      store:put(path, nil)
    end
  end,
}

local function show_virtual(store, _, object, shown, context)
  -- An internal virtual server shows no folder.
  if object.internal and object.destination:find "/0%.0%.0%.0:0$" then
    shown.destination = "0.0.0.0:0"
  end
  local translation = object.sourceAddressTranslation
  if translation and translation.pool then
    local template = translation.type == "lsn" and "ltm/lsn-pool" or "ltm/snatpool"
    shown.sourceAddressTranslation = {
      type = translation.type,
      pool = translation.pool,
      poolReference = {
        link = names.link(
          ROOT .. template .. "/" .. names.segment(translation.pool),
          "ver=" .. context.version
        ),
      },
    }
  end
  if object.persist then
    local list = {}
    for i, item in ipairs(object.persist) do
      local full = names.full(item.partition or "Common", item.subPath, item.name)
      local path = references.locate(store, { "ltm/persistence/*" }, full)
      list[i] = {
        name = item.name,
        partition = item.partition,
        subPath = item.subPath,
        tmDefault = item.tmDefault,
        nameReference = path and { link = names.link(path, "ver=" .. context.version) } or nil,
      }
    end
    shown.persist = json.array(list)
  end
end

-- -- checks of their profiles and policies --

local virtual_profile <const> = {
  read = function(store, target, body, ctx)
    -- A profile that is named without a partition is looked for in the virtual server's own, then
    -- in Common. A seed may have profiles that are not simulated.
    local name = body.name
    if type(name) ~= "string" or name:sub(1, 1) == "/" or body.subPath then return body end
    local owner = store:get(target.parent)
    local fresh = {}
    for key, value in pairs(body) do
      fresh[key] = value
    end
    local own = names.full(names.partition(body.partition or owner.partition), nil, name)
    if not references.locate(store, PROFILES, own)
      and not (ctx.seed and not references.locate(store, PROFILES, "/Common/" .. name))
    then
      fresh.partition = "Common"
    end
    return fresh
  end,
  made = function(store, path, object)
    -- A transport profile replaces the default one.
    local collection = path:match "^(.*)/[^/]+$"
    local default = collection .. "/~Common~fastL4"
    local has = references.locate(
      store,
      { "ltm/profile/tcp", "ltm/profile/udp", "ltm/profile/sctp", "ltm/profile/fasthttp" },
      object.fullPath
    )
    if has and store:get(default) and path ~= default then store:put(default, nil) end
  end,
}

local function show_virtual_profile(store, _, object, shown, context)
  local path = references.locate(
    store,
    { "ltm/profile/*", "apm/profile/*", "wom/profile/*", "security/dos/profile/*" },
    object.fullPath
  )
  shown.nameReference = path and { link = names.link(path, "ver=" .. context.version) } or nil
end

local function show_virtual_policy(_, _, object, shown, context)
  shown.nameReference = {
    link = names.link(
      ROOT .. "ltm/policy/" .. names.segment(object.fullPath),
      "ver=" .. context.version
    ),
  }
end

-- -- statistics --

local function virtual_values(store, path, object)
  local state, reason = availability.of_virtual(store, object)
  local current, most = traffic.of_virtual(store.device, path, object)
  return {
    ["clientside.curConns"] = current,
    ["clientside.maxConns"] = most,
    destination = (object.destination or ""):match "[^/]+$",
    cmpEnabled = object.cmpEnabled == "no" and "disabled" or "enabled",
    cmpEnableMode = "all-cpus",
    syncookieStatus = object.synCookieStatus,
    ["status.availabilityState"] = state,
    ["status.statusReason"] = reason,
    ["status.enabledState"] = object.disabled and "disabled" or "enabled",
  }
end

return {
  ["ltm/virtual"] = {
    facts = { exact = true, known = true,
      noun = "Virtual Server", kept = { "destination" }, lists = { clonePools = "ltm/pool" },
      pairs = {
        { "enabled", "disabled" }, { "vlansDisabled", "vlansEnabled" },
      },
      props = {
        enabled = flag(true),
        vlansDisabled = flag(true),
        disabled = flag(),
        vlansEnabled = flag(),
        mirror = s("disabled", { c = "disabled|enabled" }),
        creationTime = { t = "s", r = true },
        lastModifiedTime = { t = "s", r = true },
        vsIndex = { t = "i", r = true },
        evictionProtected = s("disabled", { c = "disabled|enabled" }),
        clonePools = { t = "a" },
        auth = { t = "a" },
        httpMrfRoutingEnabled = flag(),
        serversslUseSni = s("disabled", { c = "disabled|enabled" }),
        sourceAddressTranslation = { t = "o", d = { type = "none" } },
        ipProtocol = s("any"),
        source = { t = "s", d = "0.0.0.0/0" },
        mask = { d = "255.255.255.255" },
        synCookieStatus = { r = true },
        relatedRules = { t = "a" },
        securityLogProfiles = { t = "a" },
        trafficClasses = { t = "a" },
        persist = { t = "a" },
        rules = { t = "a" },
        vlans = { t = "a" },
        metadata = { t = "a" },
        trafficMatchingCriteria = s(),
        perFlowRequestAccessPolicy = s(),
        bwcPolicy = s(),
        lastHopPool = s(),
        destination = { t = "s", d = "0.0.0.0:0" },
        transparentNexthop = s(),
        l2ForwardVirtual = s(),
        securityNatPolicy = { t = "o" },
        addressRef = false,
        tmTelemetry = s(),
        throughputCapacity = s(),
        internal = flag(),
        ipForward = flag(),
        l2Forward = flag(),
        reject = flag(),
        stateless = flag(),
        dhcpRelay = flag(),
        dnsExpressEnabled = false,
        connectionLimit = COUNT,
      },
      refs = {
        fallbackPersistenceReference = "ltm/persistence",
        lastHopPoolReference = "ltm/pool",
        rulesReference = "ltm/rule",
        vlansReference = "net/vlan",
      },
    },
    relations = {
      { property = "pool", to = { "ltm/pool" } },
      { property = "rules", to = { "ltm/rule" } },
      { property = "vlans", to = { "net/vlan", "net/tunnels/tunnel", "net/vlan-group" } },
      { property = "persist", to = { "ltm/persistence/*" } },
      { property = "fallbackPersistence", to = { "ltm/persistence/*" } },
      { property = "sourceAddressTranslation.pool", to = { "ltm/snatpool", "ltm/lsn-pool" } },
      { property = "lastHopPool", to = { "ltm/pool" } },
      { property = "clonePools", to = { "ltm/pool" } },
    },
    checks = virtual,
    show = show_virtual,
    stats = { values = virtual_values },
    indexes = {
      virtuals_by_destination = {
        key = function(object) return object.destination end, many = true,
      },
      virtuals_by_address = {
        key = function(object) return (object.destination or ""):match "^(.*)[:.][^:.]*$" end,
        many = true,
      },
    },
  },
  ["ltm/virtual/*/profiles"] = {
    facts = {
      noun = "profile",
      props = { context = s("all", { c = "all|clientside|serverside" }) },
    },
    relations = { { to = PROFILES } },
    checks = virtual_profile,
    show = show_virtual_profile,
  },
  ["ltm/virtual/*/policies"] = {
    facts = { noun = "policy" },
    relations = { { to = { "ltm/policy" } } },
    show = show_virtual_policy,
  },
}
