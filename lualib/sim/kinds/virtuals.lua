-- Where traffic comes in: virtual servers with their profiles and policies, and virtual addresses.
local json = require "f5.json"
local addresses = require "sim.kinds.common.addresses"
local clock = require "sim.clock"
local compatible = require "sim.kinds.common.compatible"
local names = require "sim.config.names"
local references = require "sim.config.references"
local validate = require "sim.config.validate"

local ROOT <const> = "/mgmt/tm/"

-- "10.0.0.1:80", "/Common/10.0.0.1:80", "/Common/name:80" -> partition path, address or name, port;
-- nil if it is none.
local function destination_parts(text)
  if type(text) ~= "string" then return nil end
  local folder <const>, last <const> = text:match "^(/.*)/([^/]+)$"
  local rest <const> = last or text
  local host, port = rest:match "^([^:]+):([^:]+)$"
  if not host then host, port = rest:match "^(.*:.*)%.([^.:]+)$" end
  if not host then return nil end
  return folder, host, port
end

local ANY <const> = { any = true, any6 = true, ["0.0.0.0"] = true, ["::"] = true }

local function full_list(store, list, targets, partition)
  local fresh <const> = {}
  for i, item in ipairs(list) do
    if type(item) == "number" then item = tostring(item) end
    if type(item) == "table" then item = item.fullPath or item.name end
    local own <const> = names.absolute(validate.text("name", item), partition)
    fresh[i] = references.locate(store, targets, own) and own or names.absolute(item)
  end
  return json.array(fresh)
end

local function persist_list(store, value, partition)
  local fresh <const> = {}
  for i, item in ipairs(value) do
    local entry <const> = type(item) == "table" and item or { name = item }
    if type(entry.name) ~= "string" then validate.invalid("persist", entry.name) end
    local given <const>, below, name =
      names.split(names.absolute(tostring(entry.name), entry.partition or partition))
    local full = names.full(given, entry.subPath or below, name)
    if
      not references.locate(store, { "ltm/persistence" }, full) and not entry.partition
      and tostring(entry.name):sub(1, 1) ~= "/"
    then
      full = "/Common/" .. entry.name
    end
    local p <const>, s <const>, n <const> = names.split(full)
    fresh[i] = {
      name = n,
      partition = p,
      subPath = s,
      tmDefault = entry.tmDefault or entry.default or "yes",
    }
  end
  return json.array(fresh)
end

-- The addresses of a destination become a virtual address of their own.
local function virtual_address(_, virtual, ctx)
  local folder <const>, host <const> = destination_parts(virtual.destination)
  local full <const> = (folder or "/" .. virtual.partition) .. "/" .. host
  local path <const> = ROOT .. "ltm/virtual-address/" .. names.segment(full)
  return path, full, host, ctx
end

local TYPE_FLAGS <const> =
  { "ipForward", "l2Forward", "reject", "dhcpRelay", "internal", "stateless" }

-- The protocol that a virtual server's profiles imply.
local function protocol_of(store, profiles)
  local list = type(profiles) == "table" and (profiles.items or profiles) or {}
  if type(list) ~= "table" then validate.invalid("profiles", list) end
  for _, item in ipairs(list) do
    local name <const> = type(item) == "table" and (item.fullPath or item.name) or item
    if type(name) == "string" then
      for _, kind in ipairs { "udp", "sctp", "tcp", "fasthttp" } do
        if references.locate(store, { "=ltm/profile/" .. kind }, names.absolute(name)) then
          return kind == "fasthttp" and "tcp" or kind
        end
      end
    end
  end
  return nil
end

local virtual <const> = {
  read = function(store, _, body, _, old)
    if old or body.ipProtocol or body["ip-protocol"] then return body end
    local fresh <const> = {}
    for key, value in pairs(body) do fresh[key] = value end
    fresh.ipProtocol = protocol_of(store, body.profiles or body.profilesReference)
    return fresh
  end,
  prepare = function(store, object, properties, old, ctx)
    if properties.destination or not old then
      local text <const> = object.destination
      local folder, host, port = destination_parts(text)
      if not host then
        if validate.is_address(text) then
          host, port = text, "any"
        else
          validate.invalid("destination", text or "none")
        end
      end
      local number <const> = validate.port(port)
      if not number then validate.invalid("destination", text) end
      local six = host:find ":" ~= nil
      local known <const> = store:get(
        ROOT
          .. "ltm/virtual-address/"
          .. names.segment((folder or "/" .. object.partition) .. "/" .. host)
      )
      if not known and not validate.is_address(host) and not ANY[(host:gsub("%%%d+$", ""))] then
        validate.invalid("destination", text)
      end
      if not known then addresses.check_domain(store, host, ctx) end
      if known and known.address then six = known.address:find ":" ~= nil end
      if not folder then
        folder = "/" .. object.partition .. (object.subPath and "/" .. object.subPath or "")
      end
      object.destination = folder .. "/" .. host .. (host:find ":" and "." or ":") .. number
      if not properties.mask then
        local all <const> = ANY[(host:gsub("%%%d+$", ""))]
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
      object.rules = full_list(store, object.rules, { "=ltm/rule" }, object.partition)
    end
    if properties.vlans and object.vlans then
      object.vlans =
        full_list(store, object.vlans, { "=net/vlan", "=net/tunnels/tunnel" }, object.partition)
    end
    if object.rules and #object.rules == 0 then object.rules = nil end
    if object.vlans and #object.vlans == 0 then object.vlans = nil end
    if properties.persist and object.persist then
      object.persist = persist_list(store, object.persist, object.partition)
      if #object.persist == 0 then object.persist = nil end
    end
    if properties.pool and object.pool then
      local own <const> = names.absolute(properties.pool, object.partition)
      object.pool = own
    end
    local translation <const> = object.sourceAddressTranslation
    if type(translation) == "table" then
      local fresh <const> = { type = translation.type or "none", pool = translation.pool }
      if fresh.type == "none" or fresh.type == "automap" then fresh.pool = nil end
      if fresh.pool then fresh.pool = names.absolute(fresh.pool, object.partition) end
      if
        fresh.type ~= "none" and fresh.type ~= "automap" and fresh.type ~= "snat"
        and fresh.type ~= "lsn"
      then
        validate.invalid("type", fresh.type)
      end
      object.sourceAddressTranslation = fresh
    end
    for _, flag in ipairs(TYPE_FLAGS) do
      if properties[flag] == true then
        for _, other in ipairs(TYPE_FLAGS) do
          if other ~= flag then object[other] = nil end
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
      local twin <const> = store:get(other)
      if
        twin and twin.fullPath ~= object.fullPath and twin.source == object.source
        and twin.ipProtocol == object.ipProtocol and twin.mask == object.mask
        and not object.vlansEnabled and not twin.vlansEnabled
      then
        validate.refuse_mcpd(
          (
            "01070333:3: Virtual Server %s illegally shares destination address, source address, service port, and "
            .. "ip-protocol with Virtual Server %s."
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
    local path <const>, full <const>, host <const> = virtual_address(store, object, ctx)
    if store:get(path) then return end
    local plain <const> = host:gsub("%%%d+$", "")
    local partition <const>, sub_path <const>, name <const> = names.split(full)
    local any <const> = plain == "0.0.0.0" or plain == "::"
    store:create(ROOT .. "ltm/virtual-address", {
      name = name,
      partition = partition,
      subPath = sub_path,
      address = any and (plain == "::" and "any6" or "any") or host,
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
    compatible.check(store, path, ctx)
  end,
  changed = function(store, path, object, old, ctx)
    if object.destination ~= old.destination then
      local address <const> = virtual_address(store, object, ctx)
      if not store:get(address) then
        local _, full <const>, host <const> = virtual_address(store, object, ctx)
        local partition <const>, sub_path <const>, name <const> = names.split(full)
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
    compatible.check(store, path, ctx)
    return path
  end,
  removed = function(store, _, object, ctx)
    -- The address goes with its last virtual server.
    local path <const> = virtual_address(store, object, ctx)
    local address <const> = store:get(path)
    if not address or address.autoDelete ~= "true" then return end
    if not store.virtuals_by_address[names.absolute((object.destination:match "^(.*)[:.]"))] then
      store:put(path, nil)
    end
  end,
  show = function(store, _, object, shown, context)
    -- An internal virtual server is nowhere, also in no folder.
    if object.internal and object.destination:find "/0%.0%.0%.0:0$" then
      shown.destination = "0.0.0.0:0"
    end
    local translation <const> = object.sourceAddressTranslation
    if translation and translation.pool then
      local template <const> = translation.type == "lsn" and "ltm/lsn-pool" or "ltm/snatpool"
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
      local list <const> = {}
      for i, item in ipairs(object.persist) do
        local full <const> = names.full(item.partition or "Common", item.subPath, item.name)
        local path <const> = references.locate(store, { "ltm/persistence" }, full)
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
  end,
}

local virtual_profile <const> = {
  read = function(store, target, body)
    -- A profile that is named without a partition is looked for in the virtual server's own, then
    -- in Common.
    local name <const> = body.name
    if type(name) ~= "string" or name:sub(1, 1) == "/" then return body end
    local owner <const> = store:get(target.parent)
    local fresh <const> = {}
    for key, value in pairs(body) do
      fresh[key] = value
    end
    local own <const> =
      names.full(names.partition(body.partition or owner.partition), body.subPath, name)
    if not references.locate(store, { "ltm/profile", "apm/profile", "wom/profile" }, own) then
      fresh.partition = "Common"
    end
    return fresh
  end,
  made = function(store, path, object, ctx, target)
    -- A transport profile takes the place of the default one.
    local collection <const> = path:match "^(.*)/[^/]+$"
    local default <const> = collection .. "/~Common~fastL4"
    local has <const> = references.locate(
      store,
      { "=ltm/profile/tcp", "=ltm/profile/udp", "=ltm/profile/sctp", "=ltm/profile/fasthttp" },
      object.fullPath
    )
    if has and store:get(default) and path ~= default then store:put(default, nil) end
    -- Where the virtual server itself is written (and gives its partition) all of its profiles are
    -- looked at together.
    if not ctx.partition then compatible.check(store, target.parent, ctx) end
  end,
  removed = function(store, _, _, ctx, target)
    if not ctx.partition then compatible.check(store, target.parent, ctx) end
  end,
  show = function(store, _, object, shown, context)
    local path <const> = references.locate(
      store,
      { "ltm/profile", "apm/profile", "wom/profile", "security/dos/profile" },
      object.fullPath
    )
    shown.nameReference = path and { link = names.link(path, "ver=" .. context.version) } or nil
  end,
}

local virtual_policy <const> = {
  show = function(_, _, object, shown, context)
    shown.nameReference = {
      link = names.link(
        ROOT .. "ltm/policy/" .. names.segment(object.fullPath),
        "ver=" .. context.version
      ),
    }
  end,
}

local address <const> = {
  prepare = function(store, object, properties, old, ctx)
    if not old then
      object.address = object.address or validate.is_address(object.name) and object.name or "any6"
      if
        not validate.is_address(object.address) and not ANY[(object.address:gsub("%%%d+$", ""))]
      then
        validate.invalid("address", object.address)
      end
      addresses.check_domain(store, object.address, ctx)
      if object.address == "any6" and not properties.mask then object.mask = "any6" end
      if object.address:find ":" and not properties.mask then
        object.mask = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
      end
    elseif properties.address and properties.address ~= old.address then
      validate.refuse_mcpd(
        ("01070734:3: Configuration error: The address of virtual address (%s) cannot be changed."):format(
          object.fullPath
        )
      )
    end
    if properties.trafficGroup then
      object.inheritedTrafficGroup = properties.inheritedTrafficGroup or "false"
    end
    object.floating = object.trafficGroup == "/Common/traffic-group-local-only" and "disabled"
      or "enabled"
  end,
  removing = function(store, _, object)
    local users <const> = store.virtuals_by_address[object.fullPath]
    if users then
      validate.refuse_mcpd(
        ("01070265:3: The Virtual Address (%s) cannot be deleted because it is in use by a Virtual Server (%s)."):format(
          object.fullPath,
          store:get(users[1]).fullPath
        )
      )
    end
  end,
}

return {
  ["ltm/virtual"] = virtual,
  ["ltm/virtual/*/profiles"] = virtual_profile,
  ["ltm/virtual/*/policies"] = virtual_policy,
  ["ltm/virtual-address"] = address,
}
