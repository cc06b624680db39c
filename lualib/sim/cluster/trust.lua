-- The trust domain: devices join it and leave it.
--
-- The device that is asked (`run cm add-to-trust`) calls the new one with a user name and a
-- password. The new one takes over the trust domain: its devices, its groups, its traffic groups. A
-- secret that the two agree on replaces the password in all later calls.
local digest = require "sim.digest"
local json = require "f5.json"
local native = require "sim.native"
local calls = require "sim.cluster.calls"
local errors = require "sim.http.errors"
local members = require "sim.cluster.members"
local names = require "sim.config.names"
local scope = require "sim.cluster.scope"
local state = require "sim.state"
local sync = require "sim.cluster.sync"
local tables = require "sim.tables"
local users = require "sim.auth.users"
local values = require "sim.config.values"

local M = {}

local CM <const> = "/mgmt/tm/cm/"
local DOMAIN <const> = CM .. "trust-domain/~Common~Root"
local GROUPS <const> = CM .. "device-group/"
local JOIN_MS <const> = 8000

local function refuse(message, status)
  error(errors.tm(status or 400, message, 1), 0)
end

local function new_guid()
  local hex = native.random(16):gsub(".", function(byte) return ("%02x"):format(byte:byte()) end)
  return ("%s-%s-%s-%s"):format(hex:sub(1, 8), hex:sub(9, 12), hex:sub(13, 16), hex:sub(17))
end

local function device_path(full) return CM .. "device/" .. names.segment(full) end

-- Puts an object with changes and a new generation.
local function change(device, path, changes)
  local copy = values.shallow(device.store:get(path) or {})
  for key, value in pairs(changes) do copy[key] = value end
  copy.generation = device.store:next_generation()
  device.store:put(path, copy)
end

-- -- names --

-- Replaces the name of a device in everything below cm.
local function replaced(value, old, new)
  if value == old then return new end
  if type(value) ~= "table" then return value end
  local copy = {}
  for key, item in pairs(value) do copy[key] = replaced(item, old, new) end
  return setmetatable(copy, getmetatable(value))
end

--- Gives this device, or a peer, another name: in cm/device and in everything that names it.
function M.rename(device, old, new)
  if old == new then return end
  local store = device.store
  if store:get(device_path(new)) then
    error(
      errors.tm(
        409,
        ("01020066:3: The requested device (%s) already exists in partition Common."):format(new), 3
      ),
      0
    )
  end
  local found = {}
  for path in pairs(store.items) do
    if path:sub(1, #CM) == CM then found[#found + 1] = path end
  end
  table.sort(found)
  local old_segment, new_segment = names.segment(old), names.segment(new)
  for _, path in ipairs(found) do
    local object = store:get(path)
    local fresh = replaced(object, old, new)
    local place = path
    if path:match "[^/]+$" == old_segment then
      place = path:match "^(.*/)" .. new_segment
      fresh.name, fresh.fullPath = new:match "[^/]+$", new
      store:put(path, nil)
    end
    if place ~= path or not tables.same(object, fresh) then store:put(place, fresh) end
  end
end

local function full_name(name)
  return name:sub(1, 1) == "/" and name or "/Common/" .. name
end

-- -- a new device --

local function add_member(device, full, is_ca)
  local domain = device.store:get(DOMAIN)
  local property = is_ca and "caDevices" or "nonCaDevices"
  local list = json.array(table.move(domain[property] or {}, 1, #(domain[property] or {}), 1, {}))
  local known = false
  for _, name in ipairs(list) do known = known or name == full end
  if not known then list[#list + 1] = full end
  change(device, DOMAIN, { [property] = list })
  local member = { name = full:match "[^/]+$", partition = "Common", fullPath = full }
  for _, group in ipairs(members.COMMON_GROUPS) do
    local path = GROUPS .. names.segment(group)
    if device.store:get(path) then
      change(device, path .. "/devices/" .. names.segment(full), member)
    end
  end
end

-- What the new device answered: adds it, and tells all others.
local function admit(device, endpoint, answer, is_ca)
  local trust = members.trust(device)
  local object = answer.device
  object.selfDevice = "false"
  change(device, device_path(object.fullPath), object)
  add_member(device, object.fullPath, is_ca)
  trust.peers[object.fullPath] = endpoint
  local link = members.link(device, object.fullPath)
  link.seen, link.hello = device.real_clock(), answer
  sync.mark(device, members.TRUST_GROUP)
  local record = sync.record(device, members.TRUST_GROUP)
  record.synced = true
  device.cluster.dirty = {}
  device.cluster.start(device)
  sync.push(device, members.TRUST_GROUP, { auto = true })
end

-- Whether what another device sent about itself can be an object of cm/device.
local function is_device(object)
  return type(object) == "table" and type(object.fullPath) == "string"
    and (pcall(state.check_objects, { [device_path(object.fullPath)] = object }))
end

local REFUSALS <const> = {
  unreachable = "The device %s could not be reached.",
  [401] = "Authentication failed for device %s.",
}

-- `"pass \"word\""` -> `pass "word"`: clients quote it as for tmsh.
local function unquoted(text)
  local inner = text:match '^"(.*)"$'
  return inner and (inner:gsub("\\(.)", "%1")) or text
end

local function checked(device, body)
  for _, name in ipairs { "device", "username", "password" } do
    if type(body[name]) ~= "string" or body[name] == "" then
      refuse(('"%s" must be specified'):format(name))
    end
  end
  local host, port = members.split_endpoint(body.device, device.port)
  if not host or not calls.is_address(host) then
    refuse(('invalid property value "device":"%s"'):format(body.device))
  end
  local own = members.endpoint(device)
  if host == own.host and port == own.port then
    refuse "The specified IP address is an address on this device."
  end
  for peer, endpoint in pairs(members.trust(device).peers) do
    if endpoint.host == host and endpoint.port == port then
      refuse(("The device %s is already in the trust domain."):format(peer:match "[^/]+$"))
    end
  end
  local wanted = type(body.deviceName) == "string" and body.deviceName ~= "" and body.deviceName
    or nil
  if wanted and device.store:get(device_path(full_name(wanted))) then
    error(
      errors.tm(
        409,
        ("01020066:3: The requested device (%s) already exists in partition Common."):format(
          full_name(wanted)
        ),
        3
      ),
      0
    )
  end
  return { host = host, port = port }, wanted
end

-- The words of a command line as properties: "device 10.0.0.1 device-name b".
local function from_words(body)
  if type(body.utilCmdArgs) ~= "string" then return body end
  local copy, words = values.shallow(body), {}
  for word in body.utilCmdArgs:gmatch "%S+" do words[#words + 1] = word end
  for i, word in ipairs(words) do
    local property = word:gsub("%-(%l)", string.upper)
    if property == "device" or property == "deviceName" or property == "username"
      or property == "password"
    then
      copy[property] = copy[property] or words[i + 1]
    elseif property == "nonCaDevice" then
      copy.caDevice = false
    end
  end
  return copy
end

--- `run cm add-to-trust`. The answer comes when the other device has answered.
function M.add(device, request, target, body)
  body = from_words(body)
  local endpoint, wanted = checked(device, body)
  local trust = members.trust(device)
  trust.secret = trust.secret or digest.base64(native.random(24))
  sync.settle(device)
  local message = {
    username = body.username, password = unquoted(body.password), name = wanted,
    secret = trust.secret, version = device.version.version,
    record = sync.record(device, members.TRUST_GROUP), endpoints = sync.endpoints(device),
    objects = scope.objects(device, members.TRUST_GROUP), from = members.own_name(device),
    hello = device.cluster.hello(device),
    ca = body.caDevice ~= false and body.caDevice ~= "false",
  }
  local function response_to(answer, reason)
    local device_of = answer and answer.device
    if device_of and is_device(device_of) then
      admit(device, endpoint, answer, message.ca)
      local shown = { kind = ("tm:%s:runstate"):format(target.template:gsub("/", ":")) }
      for key, value in pairs(body) do shown[key] = key ~= "password" and value or nil end
      return { status = 200, body = shown }
    end
    local known = type(reason) == "table" and reason or {}
    local text = REFUSALS[reason] or REFUSALS[known.status]
    local reason_text = text and text:format(body.device) or known.message
    return errors.tm(400, type(reason_text) == "string" and reason_text or "The device refused.", 1)
  end
  local at_once, is_sent
  calls.send(device, endpoint, "join", message, {}, JOIN_MS, function(answer, reason)
    local response = response_to(answer, reason)
    if not is_sent then
      at_once = response
      return
    end
    if request.ticket then return request.ticket, device:complete(request, response) end
    if request.finish then request.finish(response) end
  end)
  is_sent = true
  return at_once or { status = 200, later = true }
end

local take_over

--- Answers the message "join": another device adds this one.
function M.on_join(device, message)
  local user = users.authenticate(device, message.username, message.password)
  if not user or users.access(user)["all-partitions"] ~= "admin" then
    return { status = 401, body = { message = "Authentication failed." } }
  end
  local own = members.own(device)
  if members.has_peers(device) then
    return { status = 409, body = {
      message = ("The device %s is already in a trust domain."):format(own.name),
    } }
  end
  if message.version ~= device.version.version then
    return { status = 409, body = {
      message = ("The device %s runs version %s, this device runs version %s."):format(
        own.name, device.version.version, message.version),
    } }
  end
  local name = message.name and full_name(message.name) or own.fullPath
  if message.endpoints[name] then
    return { status = 409, body = {
      message = (
        "01020066:3: The requested device (%s) already exists in partition Common."
      ):format(name),
    } }
  end
  state.check_objects(message.objects)
  return device.store:atomically(take_over, device, message, own.fullPath, name)
end

-- Takes over the trust domain of the device that sent the message.
function take_over(device, message, old_name, name)
  M.rename(device, old_name, name)
  local objects = message.objects
  objects[device_path(name)] = members.own(device)
  for _, group in ipairs(members.groups(device, true)) do
    -- its own device groups end with its old trust domain
    device.store:remove_tree(CM .. "device-group/" .. names.segment(group.fullPath))
  end
  local ok, refused = sync.take(device, members.TRUST_GROUP, objects)
  if not ok then error({ status = 409, body = { message = refused } }, 0) end
  add_member(device, name, message.ca)
  local trust = members.trust(device)
  trust.secret, trust.groups = message.secret, { [members.TRUST_GROUP] = message.record }
  message.record.synced = true
  sync.set_endpoints(device, message.endpoints)
  local link = members.link(device, message.from)
  link.seen, link.hello = device.real_clock(), message.hello
  device.cluster.dirty = {}
  device.cluster.start(device)
  local answer = device.cluster.hello(device)
  answer.device = members.own(device)
  return { status = 200, body = answer }
end

-- -- leaving --

local function without(list, full)
  local kept = json.array {}
  for _, name in ipairs(list or {}) do
    if name ~= full then kept[#kept + 1] = name end
  end
  return #kept > 0 and kept or nil
end

-- Removes everything that names a device.
local function forget(device, full)
  local store = device.store
  local domain = values.shallow(store:get(DOMAIN))
  domain.caDevices = without(domain.caDevices, full)
  domain.nonCaDevices = without(domain.nonCaDevices, full)
  domain.generation = store:next_generation()
  store:put(DOMAIN, domain)
  for _, group in ipairs(store:list(CM .. "device-group")) do
    local path = CM .. "device-group/" .. names.segment(group.fullPath) .. "/devices/"
      .. names.segment(full)
    if store:get(path) then store:put(path, nil) end
  end
  if store:get(device_path(full)) then store:put(device_path(full), nil) end
  members.trust(device).peers[full] = nil
  device.cluster.links[full] = nil
end

--- Makes the device stand alone, in a new trust domain of its own.
function M.reset(device)
  for _, peer in ipairs(members.peers(device)) do forget(device, peer) end
  local own = members.own_name(device)
  for _, object in ipairs(device.store:list(CM .. "device")) do
    if object.fullPath ~= own then forget(device, object.fullPath) end
  end
  for _, group in ipairs(members.groups(device, true)) do
    device.store:remove_tree(CM .. "device-group/" .. names.segment(group.fullPath))
  end
  change(device, DOMAIN, { caDevices = json.array { own }, guid = new_guid() })
  local trust = members.trust(device)
  trust.peers, trust.groups, trust.secret = {}, {}, nil
  device.cluster.dirty, device.cluster.links = {}, {}
  device.cluster.start(device)
end

--- `run cm remove-from-trust`.
function M.remove(device, _, _, body)
  local name = from_words(body).deviceName
  if type(name) ~= "string" or name == "" then refuse '"deviceName" must be specified' end
  local full = full_name(name)
  local endpoint = members.trust(device).peers[full]
  if not endpoint and full ~= members.own_name(device) and not device.store:get(device_path(full))
  then
    error(
      errors.tm(404, ("01020036:3: The requested device (%s) was not found."):format(full), 3), 0
    )
  end
  if full == members.own_name(device) then
    M.reset(device)
    return
  end
  if endpoint then
    calls.send(
      device, endpoint, "leave", {}, device.cluster.headers(device), JOIN_MS, function() end
    )
  end
  forget(device, full)
  if not members.has_peers(device) then
    device.cluster.start(device)
  else
    sync.settle(device)
  end
end

--- `mv cm device OLD NEW`.
function M.move(device, _, _, body)
  if type(body.name) ~= "string" or type(body.target) ~= "string" or body.target == "" then
    refuse "one or more properties must be specified"
  end
  local old = full_name(body.name)
  if not device.store:get(device_path(old)) then
    error(
      errors.tm(404, ("01020036:3: The requested device (%s) was not found."):format(old), 3), 0
    )
  end
  device.store:atomically(M.rename, device, old, full_name(body.target))
end

--- DELETE of cm/trust-domain.
function M.delete(device)
  M.reset(device)
  return { status = 200 }
end

return M
