-- Local traffic: nodes, pools and their members, virtual servers and addresses, monitors, profiles, policies.
local json = require "f5.json"
local errors = require "sim.errors"
local names = require "sim.names"
local references = require "sim.references"
local validate = require "sim.validate"

local ROOT <const> = "/mgmt/tm/"

local function bad_address(property, value)
  validate.refuse(('invalid property value "%s":"%s"'):format(property, tostring(value)))
end

-- Monitors in an expression are written with their partition.
local function full_monitors(text, partition)
  if type(text) ~= "string" then return text end
  if text == "default" or text == "none" then return text end
  text = text:gsub("\\([{}])", "%1")  -- tmsh's way to write a brace
  local full <const> = text:gsub("[^%s{}]+", function(word)
    if word == "and" or word == "min" or word == "of" or word == "default" or word:find "^%d+$" then return word end
    return names.absolute(word, partition ~= "Common" and partition or nil)
  end)
  local count <const>, rest <const> = full:match "^%s*min%s+(%d+)%s+of%s+(.*)$"
  if count then
    -- The device writes the names in braces, whether they came so or not.
    local list <const> = {}
    for name in rest:gmatch "[^%s{}]+" do
      if name ~= "and" then list[#list + 1] = name end
    end
    return ("min %s of { %s }"):format(count, table.concat(list, " "))
  end
  return (full:gsub("^%s+", ""):gsub("%s+$", ""))
end

-- A monitor of the object's own partition, or else of Common.
local function settle_monitor(store, object)
  local text <const> = object.monitor
  if not text then return end
  local own <const> = full_monitors(text, object.partition)
  for _, name in ipairs(references.monitor_names(own)) do
    if not references.locate(store, { "ltm/monitor", "gtm/monitor" }, name) then
      object.monitor = full_monitors(text, nil)
      return
    end
  end
  object.monitor = own
end

local SESSIONS <const> = { ["user-enabled"] = true, ["user-disabled"] = true }
local STATES <const> = { ["user-up"] = true, ["user-down"] = true, up = true, down = true, checking = true, unchecked = true,
  ["fqdn-up"] = true, ["fqdn-down"] = true, ["fqdn-checking"] = true, ["fqdn-unchecked"] = true, ["fqdn-up-no-addr"] = true, unavailable = true }

-- What a node or a member says about itself: `session` and `state` are set as user-… and read as what monitoring made of it.
-- `monitored` tells whether anything checks it.
local function settle_state(object, properties, old, monitored)
  local session <const>, state <const> = properties.session, properties.state
  if session and not SESSIONS[session] and not (old and old.session == session) and session ~= "monitor-enabled" then
    validate.invalid("session", session)
  end
  if state and state ~= validate.NONE and not STATES[state] then validate.invalid("state", state) end
  local down = old and old.state == "user-down"
  if state == "user-down" then down = true elseif state == "user-up" then down = false end
  local disabled = old and old.session == "user-disabled"
  if session == "user-disabled" then disabled = true elseif session then disabled = false end
  local fqdn <const> = type(object.fqdn) == "table" and object.fqdn.tmName ~= nil and object.ephemeral ~= "true"
  if down then
    object.state = "user-down"
  elseif fqdn then
    object.state = monitored and "fqdn-checking" or "fqdn-up"
  else
    object.state = monitored and "checking" or "unchecked"
  end
  if disabled then
    object.session = "user-disabled"
  elseif monitored and not fqdn then
    object.session = "monitor-enabled"
  else
    object.session = "user-enabled"
  end
end

local function is_monitored(store, object)
  if object.monitor == nil or object.monitor == "none" then return false end
  if object.monitor ~= "default" then return true end
  local default <const> = store:one(ROOT .. "ltm/default-node-monitor")
  return default.rule ~= nil and default.rule ~= "none" and default.rule ~= ""
end

-- "www.example.net" under fqdn.name: what the guide calls a reserved name comes back as tmName.
local function settle_fqdn(object, properties)
  local given <const> = properties.fqdn
  if type(given) == "string" then
    object.fqdn = { tmName = given, addressFamily = "ipv4", autopopulate = "disabled", downInterval = 5, interval = "3600" }
  elseif type(given) == "table" and given.name then
    local fresh <const> = {}
    for key, value in pairs(object.fqdn) do fresh[key] = value end
    fresh.tmName, fresh.name = given.name, nil
    object.fqdn = fresh
  end
  if type(object.fqdn) == "table" then
    local fresh <const> = {}
    for key, value in pairs(object.fqdn) do
      if key == "interval" then value = tostring(value) end
      if key == "downInterval" then value = math.tointeger(tonumber(value)) or value end
      fresh[key] = value
    end
    object.fqdn = fresh
  end
end

local function by_address(store, address, own_path)
  for _, segment in ipairs(store:segments(ROOT .. "ltm/node")) do
    local path <const> = ROOT .. "ltm/node/" .. segment
    if path ~= own_path and store:get(path).address == address then return store:get(path) end
  end
  return nil
end

local node <const> = {
  prepare = function(store, object, properties, old, ctx, target)
    settle_fqdn(object, properties)
    local named <const> = type(object.fqdn) == "table" and object.fqdn.tmName
    if not old then
      if not object.address and not named then
        if validate.is_address(object.name) then
          object.address = object.name
        else
          validate.refuse_mcpd("01070734:3: Configuration error: Node (" .. object.fullPath .. ") must have either an IP address or an FQDN.")
        end
      end
      if named then object.address = object.address or "any6" end
      if object.address ~= "any6" then
        if not validate.is_address(object.address) then bad_address("address", object.address) end
        local index <const> = store.nodes_by_address
        local path <const> = target.path .. "/" .. names.segment(object.fullPath)
        local other <const> = index and index[object.address] and store:get(index[object.address])
          or (not index and by_address(store, object.address, path)) or nil
        if other and other.partition == object.partition and not ctx.automatic then
          validate.refuse_mcpd(("0107176c:3: Invalid Node, the IP address %s already exists."):format(object.address))
        end
      end
    end
    settle_monitor(store, object)
    settle_state(object, properties, old, is_monitored(store, object))
  end,
}

-- "/Common/10.0.0.1:80" -> what stands before the port, and the port.
local function member_parts(name)
  local address <const>, port <const> = name:match "^(.*):([^:/]+)$"
  if address and not address:find ":" then return address, port end
  local six <const>, service <const> = name:match "^(.*)%.([^.:/]+)$"
  if six and six:find ":" then return six, service end
  if address then return address, port end
  return nil
end

local function member_address(host)
  local bare <const> = host:match "[^/]+$"
  if validate.is_address(bare) then return bare end
  return nil
end

local pool_member <const> = {
  identify = function(_, body, target, store)
    local name = body.name
    if type(name) ~= "string" or name == "" then validate.nothing_to_do() end
    local pool <const> = store:get(target.parent)
    local partition, sub_path = body.partition, body.subPath
    if name:sub(1, 1) == "/" then
      partition, sub_path, name = names.split(name)
    elseif type(partition) == "string" then
      local folder
      partition, folder = names.partition(partition)
      sub_path = sub_path or folder
    else
      partition = pool.partition
    end
    local host, port = member_parts(name)
    if not host and body.port then host, port = name, tostring(body.port) end
    if not host then validate.refuse_mcpd(("01070712:3: The pool member name (%s) must have the form address:port."):format(name)) end
    local number <const> = validate.port(port)
    if not number then validate.refuse(('invalid property value "name":"%s"'):format(name)) end
    local separator <const> = host:find ":" and "." or ":"
    name = host .. separator .. number
    local full <const> = names.full(partition, sub_path, name)
    local folder <const> = "/" .. partition .. (sub_path and "/" .. sub_path or "")
    if not store:get(ROOT .. "sys/folder/" .. names.segment(folder)) then
      validate.refuse_mcpd(("01070734:3: Configuration error: Can't associate Pool Member (%s %s %s) folder does not exist"):format(
        pool.fullPath, names.full(partition, sub_path, host), number))
    end
    return { name = name, partition = partition, subPath = sub_path, fullPath = full }
  end,
  label = function(target, full)
    local pool <const> = (target.parent or target.collection or target.path):match("/ltm/pool/([^/]+)") or ""
    local host, port = member_parts(full)
    return ("%s %s %s"):format((pool:gsub("~", "/")), host or full, port or "")
  end,
  prepare = function(store, object, properties, old, _, target)
    settle_fqdn(object, properties)
    object.port = nil
    local host <const> = member_parts(object.fullPath)
    local known <const> = store:get(ROOT .. "ltm/node/" .. names.segment(host))
    if not old then
      local address <const> = object.address or known and known.address or member_address(host)
      local named <const> = type(object.fqdn) == "table" and object.fqdn.tmName or known and known.fqdn and known.fqdn.tmName
      if not address and not named then
        error(errors.tm(404, ("01020036:3: The requested Node (%s) was not found."):format(host), 3), 0)
      end
      if known and known.fqdn and known.fqdn.tmName then
        local fresh <const> = {}
        for key, value in pairs(object.fqdn) do fresh[key] = value end
        fresh.tmName = known.fqdn.tmName
        object.fqdn = fresh
      end
      object.address = address or "any6"
      if object.address ~= "any6" and not validate.is_address(object.address) then bad_address("address", object.address) end
      if known and properties.address and known.address ~= properties.address then
        validate.refuse_mcpd(("0107003c:3: The address of pool member (%s) does not match that of its node (%s)."):format(
          object.fullPath, known.fullPath))
      end
    end
    settle_monitor(store, object)
    local pool <const> = store:get(target.parent)
    local monitored = object.monitor ~= nil and object.monitor ~= "default" and object.monitor ~= "none"
    if object.monitor == "default" then
      monitored = pool.monitor ~= nil or known ~= nil and is_monitored(store, known)
    end
    settle_state(object, properties, old, monitored)
    if known and not properties.session and known.session == "user-disabled" and not old then object.session = "user-enabled" end
  end,
  before = function(store, _, object, ctx)
    local host <const> = member_parts(object.fullPath)
    if store:get(ROOT .. "ltm/node/" .. names.segment(host)) then return end
    local body <const> = { name = host, address = object.address ~= "any6" and object.address or nil }
    if object.fqdn and object.fqdn.tmName then body.fqdn = { tmName = object.fqdn.tmName, autopopulate = object.fqdn.autopopulate } end
    store:create(ROOT .. "ltm/node", body, setmetatable({ automatic = true }, { __index = ctx }))
  end,
}

-- Members follow their pool's monitor.
local function members_again(store, path)
  for _, segment in ipairs(store:segments(path .. "/members")) do
    local member_path <const> = path .. "/members/" .. segment
    local member <const> = store:get(member_path)
    if member.monitor == "default" then
      local fresh <const> = {}
      for key, value in pairs(member) do fresh[key] = value end
      local host <const> = member_parts(member.fullPath)
      local known <const> = store:get(ROOT .. "ltm/node/" .. names.segment(host))
      local monitored <const> = store:get(path).monitor ~= nil or known ~= nil and is_monitored(store, known)
      settle_state(fresh, {}, member, monitored)
      store:put(member_path, fresh)
    end
  end
end

local pool <const> = {
  prepare = function(store, object, properties)
    if properties.monitor then settle_monitor(store, object) end
    if object.monitor == "none" then object.monitor = nil end
  end,
  changed = function(store, path, object, old)
    if object.monitor ~= old.monitor then members_again(store, path) end
  end,
}

-- "10.0.0.1:80", "/Common/10.0.0.1:80", "/Common/name:80" -> partition path, address or name, port; nil if it is none.
local function destination_parts(text)
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
    if type(item) == "string" then
      local own <const> = names.absolute(item, partition)
      fresh[i] = references.locate(store, targets, own) and own or names.absolute(item)
    else
      fresh[i] = item
    end
  end
  return json.array(fresh)
end

local function persist_list(store, value, partition)
  local fresh <const> = {}
  for i, item in ipairs(value) do
    local entry <const> = type(item) == "table" and item or { name = item }
    local given <const>, below, name = names.split(names.absolute(tostring(entry.name), entry.partition or partition))
    local full = names.full(given, entry.subPath or below, name)
    if not references.locate(store, { "ltm/persistence" }, full) and not entry.partition and tostring(entry.name):sub(1, 1) ~= "/" then
      full = "/Common/" .. entry.name
    end
    local p <const>, s <const>, n <const> = names.split(full)
    fresh[i] = { name = n, partition = p, subPath = s, tmDefault = entry.tmDefault or entry.default or "yes" }
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

local TYPE_FLAGS <const> = { "ipForward", "l2Forward", "reject", "dhcpRelay", "internal", "stateless" }

local function now_text(ctx)
  local micros <const> = ctx.now or 0
  return os.date("!%Y-%m-%dT%H:%M:%SZ", micros // 1000000)
end

-- The protocol that a virtual server's profiles imply.
local function protocol_of(store, profiles)
  for _, item in ipairs(type(profiles) == "table" and (profiles.items or profiles) or {}) do
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
        if validate.is_address(text) then host, port = text, "any" else validate.invalid("destination", text) end
      end
      local number <const> = validate.port(port)
      if not number then validate.invalid("destination", text) end
      local six = host:find ":" ~= nil
      local known <const> = store:get(ROOT .. "ltm/virtual-address/" .. names.segment((folder or "/" .. object.partition) .. "/" .. host))
      if not known and not validate.is_address(host) and not ANY[(host:gsub("%%%d+$", ""))] then validate.invalid("destination", text) end
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
    if properties.mask and not old and not validate.is_address(object.mask) and not ANY[object.mask] then validate.invalid("mask", object.mask) end
    if properties.rules and object.rules then object.rules = full_list(store, object.rules, { "=ltm/rule" }, object.partition) end
    if properties.vlans and object.vlans then
      object.vlans = full_list(store, object.vlans, { "=net/vlan", "=net/tunnels/tunnel" }, object.partition)
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
      if fresh.type ~= "none" and fresh.type ~= "automap" and fresh.type ~= "snat" and fresh.type ~= "lsn" then
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
    for _, other in ipairs((ctx.seed or old and not properties.destination) and {} or store.virtuals_by_destination and
      store.virtuals_by_destination[object.destination] or {}) do
      local twin <const> = store:get(other)
      if twin and twin.fullPath ~= object.fullPath and twin.source == object.source and twin.ipProtocol == object.ipProtocol
        and twin.mask == object.mask and not object.vlansEnabled and not twin.vlansEnabled then
        validate.refuse_mcpd(("01070333:3: Virtual Server %s illegally shares destination address, source address, service port, and "
          .. "ip-protocol with Virtual Server %s."):format(object.fullPath, twin.fullPath))
      end
    end
    if not old then
      object.creationTime = now_text(ctx)
      object.vsIndex = store.state.virtuals or 1
      store.state.virtuals = object.vsIndex + 1
    end
    object.lastModifiedTime = now_text(ctx)
  end,
  before = function(store, _, object, ctx)
    local path <const>, full <const>, host <const> = virtual_address(store, object, ctx)
    if store:get(path) then return end
    local plain <const> = host:gsub("%%%d+$", "")
    local partition <const>, sub_path <const>, name <const> = names.split(full)
    local any <const> = plain == "0.0.0.0" or plain == "::"
    store:create(ROOT .. "ltm/virtual-address", {
      name = name, partition = partition, subPath = sub_path, address = any and (plain == "::" and "any6" or "any") or host, mask = object.mask,
      arp = any and "disabled" or "enabled", icmpEcho = any and "disabled" or "enabled",
    }, setmetatable({ automatic = true }, { __index = ctx }))
  end,
  made = function(store, path, _, ctx)
    if store:count(path .. "/profiles") == 0 and store:get(ROOT .. "ltm/profile/fastl4/~Common~fastL4") then
      store:create(path .. "/profiles", { name = "/Common/fastL4", context = "all" }, ctx)
    end
  end,
  changed = function(store, path, object, old, ctx)
    if object.destination ~= old.destination then
      local address <const> = virtual_address(store, object, ctx)
      if not store:get(address) then
        local _, full <const>, host <const> = virtual_address(store, object, ctx)
        local partition <const>, sub_path <const>, name <const> = names.split(full)
        store:create(ROOT .. "ltm/virtual-address", { name = name, partition = partition, subPath = sub_path, address = host, mask = object.mask },
          setmetatable({ automatic = true }, { __index = ctx }))
      end
    end
    return path
  end,
  removed = function(store, _, object, ctx)
    -- The address goes with its last virtual server.
    local path <const> = virtual_address(store, object, ctx)
    local address <const> = store:get(path)
    if not address or address.autoDelete ~= "true" then return end
    for _, others in pairs(store.virtuals_by_destination or {}) do
      for _, other in ipairs(others) do
        local twin <const> = store:get(other)
        if twin and virtual_address(store, twin, ctx) == path then return end
      end
    end
    store:put(path, nil)
  end,
  show = function(store, _, object, shown, context)
    local translation <const> = object.sourceAddressTranslation
    if translation and translation.pool then
      local template <const> = translation.type == "lsn" and "ltm/lsn-pool" or "ltm/snatpool"
      shown.sourceAddressTranslation = {
        type = translation.type, pool = translation.pool,
        poolReference = { link = names.link(ROOT .. template .. "/" .. names.segment(translation.pool), "ver=" .. context.version) },
      }
    end
    if object.persist then
      local list <const> = {}
      for i, item in ipairs(object.persist) do
        local full <const> = names.full(item.partition or "Common", item.subPath, item.name)
        local path <const> = references.locate(store, { "ltm/persistence" }, full)
        list[i] = { name = item.name, partition = item.partition, subPath = item.subPath, tmDefault = item.tmDefault,
          nameReference = path and { link = names.link(path, "ver=" .. context.version) } or nil }
      end
      shown.persist = json.array(list)
    end
  end,
}

local virtual_profile <const> = {
  read = function(store, target, body)
    -- A profile that is named without a partition is looked for in the virtual server's own, then in Common.
    local name <const> = body.name
    if type(name) ~= "string" or name:sub(1, 1) == "/" then return body end
    local owner <const> = store:get(target.parent)
    local fresh <const> = {}
    for key, value in pairs(body) do fresh[key] = value end
    local own <const> = names.full(names.partition(body.partition or owner.partition), body.subPath, name)
    if not references.locate(store, { "ltm/profile", "apm/profile", "wom/profile" }, own) then fresh.partition = "Common" end
    return fresh
  end,
  made = function(store, path, object)
    -- A transport profile takes the place of the default one.
    local collection <const> = path:match "^(.*)/[^/]+$"
    local default <const> = collection .. "/~Common~fastL4"
    local has <const> = references.locate(store, { "=ltm/profile/tcp", "=ltm/profile/udp", "=ltm/profile/sctp", "=ltm/profile/fasthttp" }, object.fullPath)
    if has and store:get(default) and path ~= default then store:put(default, nil) end
  end,
  show = function(store, _, object, shown, context)
    local path <const> = references.locate(store, { "ltm/profile", "apm/profile", "wom/profile", "security/dos/profile" }, object.fullPath)
    shown.nameReference = path and { link = names.link(path, "ver=" .. context.version) } or nil
  end,
}

local virtual_policy <const> = {
  show = function(_, _, object, shown, context)
    shown.nameReference = { link = names.link(ROOT .. "ltm/policy/" .. names.segment(object.fullPath), "ver=" .. context.version) }
  end,
}

local address <const> = {
  prepare = function(_, object, properties, old)
    if not old then
      object.address = object.address or validate.is_address(object.name) and object.name or "any6"
      if not validate.is_address(object.address) and not ANY[(object.address:gsub("%%%d+$", ""))] then bad_address("address", object.address) end
      if object.address == "any6" and not properties.mask then object.mask = "any6" end
      if object.address:find ":" and not properties.mask then object.mask = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" end
    elseif properties.address and properties.address ~= old.address then
      validate.refuse_mcpd(("01070734:3: Configuration error: The address of virtual address (%s) cannot be changed."):format(object.fullPath))
    end
    if properties.trafficGroup then object.inheritedTrafficGroup = properties.inheritedTrafficGroup or "false" end
    object.floating = object.trafficGroup == "/Common/traffic-group-local-only" and "disabled" or "enabled"
  end,
  removing = function(store, _, object)
    for destination, others in pairs(store.virtuals_by_destination or {}) do
      local folder <const>, host <const> = destination_parts(destination)
      if host and (folder or "") .. "/" .. host == object.fullPath and store:get(others[1]) then
        validate.refuse_mcpd(("01070265:3: The Virtual Address (%s) cannot be deleted because it is in use by a Virtual Server (%s)."):format(
          object.fullPath, store:get(others[1]).fullPath))
      end
    end
  end,
}

local monitor <const> = {
  prepare = function(_, object, properties, old, ctx)
    if properties.destination and object.destination and object.destination ~= "*:*" then
      local text <const> = object.destination
      if not text:find "^%*" and not validate.endpoint(text) then
        if not (validate.is_address(text)) then validate.invalid("destination", text) end
      end
    end
    local interval <const>, timeout <const> = object.interval, object.timeout
    if math.type(interval) == "integer" and math.type(timeout) == "integer" and not ctx.factory and timeout > 0
      and (properties.interval or properties.timeout) and interval >= timeout and timeout ~= 0 and not old then
      object.timeout = timeout
    end
  end,
}

local rule <const> = {
  prepare = function(_, object, properties)
    local text <const> = object.apiAnonymous
    if properties.apiAnonymous and text then
      local depth = 0
      local plain <const> = text:gsub("\\.", ""):gsub("\n%s*#[^\n]*", "\n"):gsub("^%s*#[^\n]*", "")
      for brace in plain:gmatch "[{}]" do
        depth = depth + (brace == "{" and 1 or -1)
        if depth < 0 then break end
      end
      local first <const> = plain:match "^%s*(%S+)"
      if depth ~= 0 then
        validate.refuse_mcpd(("01070151:3: Rule [%s] error: %s:1: error: [missing a script after \"when\"][%s]"):format(
          object.fullPath, object.fullPath, (text:match "[^\n]*")))
      elseif first and first ~= "when" and first ~= "proc" and first ~= "timing" and first ~= "priority" and first ~= "nodelete"
        and first ~= "nowrite" and first ~= "definition-signature" and first ~= "rule" then
        validate.refuse_mcpd(("01070151:3: Rule [%s] error: %s:1: error: [undefined procedure: %s][%s]"):format(
          object.fullPath, object.fullPath, first, (text:match "[^\n]*")))
      end
      -- As on a device, the text is kept without the line feeds around it.
      object.apiAnonymous = text:gsub("^%s+", ""):gsub("%s+$", "")
    end
  end,
}

-- By what records are sorted: addresses and numbers by their value; texts stay as they come.
local ORDER <const> = {
  ip = function(name)
    return (name:gsub("%d+", function(digits) return ("%010d"):format(tonumber(digits)) end))
  end,
  integer = tonumber,
}

local data_group <const> = {
  prepare = function(_, object, properties)
    if object.records and properties.records then
      local seen <const>, list <const> = {}, {}
      for _, record in ipairs(object.records) do
        local entry <const> = type(record) == "table" and record or { name = record }
        local name <const> = tostring(entry.name or "")
        if name == "" then validate.nothing_to_do() end
        if object.type == "ip" and not validate.is_address((name:gsub("%%%d+", "")), true) then validate.invalid("name", name) end
        if object.type == "integer" and not name:find "^%-?%d+$" then validate.invalid("name", name) end
        local shown = name
        if object.type == "ip" and not name:find "/" then shown = name .. (name:find ":" and "/128" or "/32") end
        if not seen[shown] then list[#list + 1] = { name = shown, data = entry.data ~= nil and tostring(entry.data) or "" } end
        seen[shown] = true
      end
      local key <const> = ORDER[object.type]
      if key then table.sort(list, function(a, b) return key(a.name) < key(b.name) end) end
      object.records = #list > 0 and json.array(list) or nil
    end
  end,
}

-- Policies are published or drafts; a new one below /Common/Drafts is a draft.
local policy <const> = {
  prepare = function(_, object, properties, old, ctx)
    if not old then
      object.status = object.subPath and object.subPath:find "Drafts$" and "draft" or ((object.legacy or properties.status == "legacy") and "legacy" or "published")
    elseif properties.createDraft and properties.createDraft ~= validate.NONE then
      ctx.draft_of = old
    end
    object.legacy, object.createDraft = nil, nil
    object.lastModified = now_text(ctx)
    if object.strategy then object.strategy = names.absolute(object.strategy) end
  end,
  changed = function(store, path, object, _, ctx)
    if not ctx.draft_of then return end
    -- A draft is a copy below Drafts, rules and all.
    ctx.draft_of = nil
    local draft <const> = {}
    for key, value in pairs(object) do draft[key] = value end
    draft.subPath = object.subPath and object.subPath .. "/Drafts" or "Drafts"
    draft.fullPath = names.full(object.partition, draft.subPath, object.name)
    draft.status, draft.generation = "draft", store:next_generation()
    store:copy_tree( path, ROOT .. "ltm/policy/" .. names.segment(draft.fullPath), draft)
  end,
}

local snatpool <const> = {
  prepare = function(_, object, properties)
    if properties.members and object.members then
      local list <const> = {}
      for i, item in ipairs(object.members) do
        local name <const> = type(item) == "table" and item.name or item
        list[i] = names.absolute(tostring(name), object.partition)
      end
      object.members = json.array(list)
    end
  end,
  before = function(store, _, object, ctx)
    for _, full in ipairs(object.members or {}) do
      if not store:get(ROOT .. "ltm/snat-translation/" .. names.segment(full)) then
        local partition <const>, sub_path <const>, name <const> = names.split(full)
        if not validate.is_address(name) then bad_address("members", full) end
        store:create(ROOT .. "ltm/snat-translation", { name = name, partition = partition, subPath = sub_path, address = name }, ctx)
      end
    end
  end,
}
local snatpool_prepare <const> = snatpool.prepare
snatpool.prepare = function(store, object, properties, old, ctx)
  snatpool_prepare(store, object, properties)
  if old then snatpool.before(store, nil, object, ctx) end
end

local snat_translation <const> = {
  prepare = function(_, object, properties, old)
    if not old then
      object.address = object.address or object.name
      if not validate.is_address(object.address) then bad_address("address", object.address) end
    end
    if properties.trafficGroup then object.inheritedTrafficGroup = properties.inheritedTrafficGroup or "false" end
  end,
}

-- Origins are networks: "1.1.1.1" is "1.1.1.1/32".
local snat <const> = {
  prepare = function(_, object, properties)
    if properties.origins and object.origins then
      local list <const> = {}
      for i, item in ipairs(object.origins) do
        local name = tostring(type(item) == "table" and item.name or item)
        if not validate.is_address(name, true) then validate.invalid("origins", name) end
        if not name:find "/" then name = name .. (name:find ":" and "/128" or "/32") end
        list[i] = { name = name }
      end
      table.sort(list, function(a, b) return a.name < b.name end)
      object.origins = json.array(list)
    end
    if properties.translation and object.translation then object.translation = names.absolute(object.translation, object.partition) end
  end,
}

local nat <const> = {
  prepare = function(_, object, properties, old)
    for _, name in ipairs { "originatingAddress", "translationAddress" } do
      if not old and not object[name] then validate.refuse(('"%s" must be specified'):format(name)) end
      if properties[name] and not validate.is_address(object[name]) then validate.invalid(name, object[name]) end
    end
    object.unit = object.unit or 1
    if properties.trafficGroup then object.inheritedTrafficGroup = properties.inheritedTrafficGroup or "false" end
  end,
}

local lsn_pool <const> = {
  prepare = function(_, object)
    if object.logProfile and not object.logPublisher then
      validate.refuse_mcpd(("01071a8a:3: Configuration of LSN Pool (%s) is incomplete, you cannot use a log profile without a log publisher.")
        :format(object.fullPath))
    end
  end,
}

return {
  ["ltm/default-node-monitor"] = {
    prepare = function(_, object)
      if object.rule then object.rule = full_monitors(object.rule) end
    end,
  },
  ["ltm/snat"] = snat,
  ["ltm/nat"] = nat,
  ["ltm/lsn-pool"] = lsn_pool,
  ["ltm/node"] = node,
  ["ltm/pool"] = pool,
  ["ltm/pool/*/members"] = pool_member,
  ["ltm/virtual"] = virtual,
  ["ltm/virtual/*/profiles"] = virtual_profile,
  ["ltm/virtual/*/policies"] = virtual_policy,
  ["ltm/virtual-address"] = address,
  ["^%w+/monitor/[^/]+$"] = monitor,
  ["ltm/rule"] = rule,
  ["ltm/data-group/internal"] = data_group,
  ["ltm/policy"] = policy,
  ["ltm/snatpool"] = snatpool,
  ["ltm/snat-translation"] = snat_translation,
}
