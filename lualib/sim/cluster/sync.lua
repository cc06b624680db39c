-- Synchronisation of the configuration: what changed where, and how it gets to the other members of
-- a device group.
--
-- Each device keeps a record for each group it is a member of:
--   trust.groups[group] = {
--     n, by            the last change it has: a number that grows, and the device that made it
--     base, base_by    the last change that all had after a synchronisation
--     synced           whether there was a synchronisation at all
--     failure          { device =, message = }: what the last one failed with
--   }
-- A device whose n is larger than its base has changes that the others lack. Of two records the one
-- with the larger n is newer.
local asm = require "sim.cluster.asm"
local calls = require "sim.cluster.calls"
local commands = require "sim.commands"
local errors = require "sim.http.errors"
local members = require "sim.cluster.members"
local names = require "sim.config.names"
local references = require "sim.config.references"
local scope = require "sim.cluster.scope"
local tables = require "sim.tables"
local turns = require "sim.turns"

local M = {}

local GROUPS <const> = "/mgmt/tm/cm/device-group/"
local DEVICES <const> = "/mgmt/tm/cm/device/"
local PUSH_MS <const> = 20000

--- The record of a group, made when it is first needed.
function M.record(device, group)
  local groups = members.trust(device).groups
  groups[group] = groups[group] or { n = 0, by = members.own_name(device), base = 0 }
  return groups[group]
end

-- The records of the members that can be reached, with this device: { [name] = record }.
local function records(device, group)
  local own = members.own_name(device)
  local found = { [own] = M.record(device, group) }
  for _, peer in ipairs(members.peers_in(device, group)) do
    local hello = members.hello_of(device, peer)
    if hello then found[peer] = (hello.groups or {})[group] or { n = 0, by = peer, base = 0 } end
  end
  return found
end
M.records = records

local function newest_number(device, group)
  local newest = 0
  for _, record in pairs(records(device, group)) do newest = math.max(newest, record.n) end
  return newest
end

--- Notes a change of this device in a group.
function M.mark(device, group)
  local record = M.record(device, group)
  record.n, record.by = newest_number(device, group) + 1, members.own_name(device)
end

-- -- which objects changed --

-- Properties that differ between devices although the configuration is the same.
local VOLATILE <const> = { generation = true, failoverState = true, selfDevice = true }

-- Whether changes are noted at all: not for a device on its own without device groups.
local function is_tracked(device)
  return members.has_peers(device) or #members.groups(device, true) > 0
end

--- Remembers what changed, for `settle`.
function M.watch(device)
  if device.twin then return end -- it has no peers
  device.store:watch("/mgmt/tm/", function(path, object, old)
    local dirty = device.cluster.dirty
    if not device.cluster.quiet and dirty[path] == nil then dirty[path] = old or false end
    local group = not object and path:match "^/mgmt/tm/cm/device%-group/([^/]+)$"
    if group then members.trust(device).groups[group:gsub("~", "/")] = nil end
  end, function() device.cluster.dirty = {} end)
end

-- The groups in which something changed: { [group] = true }.
local function changed_groups(device, dirty)
  local groups = {}
  for path, old in pairs(dirty) do
    turns.pause()
    local object = device.store:get(path)
    if not tables.same(object or false, old, VOLATILE) then
      local group = scope.group_of(device, path, object or old)
      if group then groups[group] = true end
    end
  end
  return groups
end

-- Whether a group synchronises itself.
local function is_auto(device, group)
  if group == members.TRUST_GROUP then return true end
  local object = device.store:get(GROUPS .. names.segment(group))
  return object ~= nil and object.autoSync == "enabled" and M.record(device, group).synced == true
end

--- Notes the changes of a request, and starts automatic synchronisation.
function M.settle(device)
  local dirty, of_asm = device.cluster.dirty, asm.changed_group(device)
  if not next(dirty) and not of_asm then return end
  device.cluster.dirty = {}
  if not is_tracked(device) then return end
  local groups = changed_groups(device, dirty)
  if of_asm then groups[of_asm] = true end
  for group in pairs(groups) do
    M.mark(device, group)
    if is_auto(device, group) and members.has_peers(device) then
      device.cluster.auto[group] = true
    end
  end
  if members.has_peers(device) then calls.soon() end
end

-- -- taking what another device sent --

-- A device knows itself and the others by `selfDevice`, and keeps its own state.
local function localised(device, path, object)
  if path:sub(1, #DEVICES) ~= DEVICES then return object end
  local known = device.store:get(path)
  object.selfDevice = object.fullPath == members.own_name(device) and "true" or "false"
  object.failoverState = known and known.failoverState or "unknown"
  return object
end

-- Makes the objects of a group equal to those that were sent. All changed objects must refer to
-- what exists here.
local function replace(device, group, sent)
  local store, put = device.store, {}
  local present = scope.objects(device, group)
  for path in pairs(present) do
    if not sent[path] then store:put(path, nil) end
  end
  for path, object in pairs(sent) do
    local known = store:get(path)
    if not known or not tables.same(known, object, VOLATILE) then
      local fresh = localised(device, path, object)
      fresh.generation = store:next_generation()
      store:put(path, fresh)
      put[#put + 1] = path
    end
  end
  for _, path in ipairs(put) do references.check(store, path, store:get(path)) end
end

local function message_of(problem)
  return type(problem) == "table" and problem.body and problem.body.message or tostring(problem)
end

--- Takes the objects of a group, and what it has of ASM. Returns whether it worked, and the refusal
--- otherwise: then nothing has changed.
function M.take(device, group, objects, of_asm)
  device.cluster.quiet = true
  local ok, problem = pcall(device.store.atomically, device.store, replace, device, group, objects)
  device.cluster.quiet = false
  if ok then asm.take(device, of_asm) end
  return ok, not ok and message_of(problem) or nil
end

local function save(device)
  local run = commands.find("save", "sys/config")
  run(device, { user = { name = "admin" } }, { template = "sys/config" }, {})
end

--- The places of all devices of the trust domain: { [full name] = { host =, port = } }.
function M.endpoints(device)
  local all = { [members.own_name(device)] = members.endpoint(device) }
  for name, endpoint in pairs(members.trust(device).peers) do all[name] = endpoint end
  return all
end

--- Sets the peers from a result of `endpoints`.
function M.set_endpoints(device, all)
  local own, peers = members.own_name(device), {}
  for name, endpoint in pairs(all) do
    if name ~= own then peers[name] = { host = endpoint.host, port = endpoint.port } end
  end
  members.trust(device).peers = peers
end

-- Whether this device keeps what it has. In the trust domain, which synchronises itself, one of two
-- changes at the same time must win.
local function is_newer(own, given, group)
  if own.n ~= given.n then return own.n > given.n end
  if own.by == given.by then return false end
  return group ~= members.TRUST_GROUP or own.by > given.by
end

--- Answers the message "sync" of a peer.
function M.on_push(device, message)
  local group, given = message.group, message.record
  local own = M.record(device, group)
  local object = device.store:get(GROUPS .. names.segment(group))
  if not object then return { error = "the device group does not exist" } end
  if message.endpoints and not message.endpoints[members.own_name(device)] then
    device.cluster.leave(device)
    return { done = true }
  end
  if not message.force and is_newer(own, given, group) then
    if group == members.TRUST_GROUP then device.cluster.auto[group] = true end
    return { newer = true }
  end
  local ok, refused = M.take(device, group, message.objects, message.asm)
  if not ok then return { error = refused } end
  if message.endpoints then M.set_endpoints(device, message.endpoints) end
  own.n, own.by, own.base, own.base_by = given.n, given.by, given.n, given.by
  own.synced, own.failure = true, nil
  if group ~= members.TRUST_GROUP and (not message.auto or object.saveOnAutoSync == "true") then
    save(device)
  end
  return { done = true }
end

--- Answers the message "fetch" of a peer, which pulls.
function M.on_fetch(device, message)
  local record = M.record(device, message.group)
  record.base, record.base_by, record.synced = record.n, record.by, true
  return {
    record = record, objects = scope.objects(device, message.group),
    asm = asm.sent(device, message.group),
  }
end

-- -- push and pull --

local function push_to(device, peer, message, done)
  local endpoint = members.trust(device).peers[peer]
  calls.send(
    device, endpoint, "sync", message, device.cluster.headers(device), PUSH_MS,
    function(answer, reason) done(answer or { unreachable = reason }) end
  )
end

-- What is left to do after the last answer of a push.
local function finish_push(device, group, sent, all_done)
  local record = M.record(device, group)
  device.cluster.pushing[group] = nil
  if all_done then
    record.base, record.base_by, record.synced = sent.n, sent.by, true
    if record.failure then record.failure = nil end
  end
  if record.n ~= sent.n and device.cluster.again[group] then device.cluster.auto[group] = true end
  device.cluster.again[group] = nil
  if group == members.TRUST_GROUP then
    local deferred = device.cluster.deferred
    device.cluster.deferred = {}
    for other, options in pairs(deferred) do M.push(device, other, options) end
  end
  calls.soon()
end

-- Whether no other member has a change that this device lacks.
local function is_newest(device, group)
  local own = M.record(device, group)
  for _, record in pairs(records(device, group)) do
    if record.n > own.n or record.n == own.n and record.by ~= own.by then return false end
  end
  return true
end

-- Whether the trust domain must be synchronised first: the others may not know the group yet.
local function is_trust_due(device)
  local cluster = device.cluster
  return cluster.auto[members.TRUST_GROUP] or cluster.pushing[members.TRUST_GROUP]
end

--- Sends the configuration of a group to its other members.
-- @param options { auto = true, force = true }
function M.push(device, group, options)
  local record = M.record(device, group)
  if device.cluster.pushing[group] then
    device.cluster.again[group] = true
    return
  end
  if group ~= members.TRUST_GROUP and is_trust_due(device) then
    device.cluster.deferred[group] = options
    M.run_auto(device)
    return
  end
  local own_changes = record.n > record.base
  if options.force or own_changes and not options.auto then
    if options.force or not is_newest(device, group) then M.mark(device, group) end
  end
  if record.n == 0 then M.mark(device, group) end
  local peers = members.peers_in(device, group)
  local sent = { n = record.n, by = record.by }
  if #peers == 0 then return finish_push(device, group, sent, true) end
  device.cluster.pushing[group] = true
  local waiting, all_done, failure = #peers, true, nil
  local message = {
    group = group, record = sent, auto = options.auto or nil, force = options.force or nil,
    objects = scope.objects(device, group), asm = asm.sent(device, group),
    endpoints = group == members.TRUST_GROUP and M.endpoints(device) or nil,
  }
  for _, peer in ipairs(peers) do
    push_to(device, peer, message, function(answer)
      waiting = waiting - 1
      all_done = all_done and answer.done == true
      if answer.error then failure = { device = peer, message = answer.error } end
      if waiting > 0 then return end
      record.failure = failure
      device.cluster.refused[group] = failure and sent.n or nil
      finish_push(device, group, sent, all_done)
    end)
  end
end

--- Fetches the configuration of a group from the member that has the newest.
function M.pull(device, group)
  local newest, source
  for name, record in pairs(records(device, group)) do
    if name ~= members.own_name(device) and (not newest or record.n > newest) then
      newest, source = record.n, name
    end
  end
  if not source then return end
  calls.send(
    device, members.trust(device).peers[source], "fetch", { group = group },
    device.cluster.headers(device), PUSH_MS,
    function(answer)
      local given = answer and answer.record
      if not given then return end
      local ok, refused = M.take(device, group, answer.objects, answer.asm)
      local own = M.record(device, group)
      if ok then
        own.n, own.by, own.base, own.base_by = given.n, given.by, given.n, given.by
        own.synced, own.failure = true, nil
        save(device)
      else
        own.failure = { device = members.own_name(device), message = refused }
      end
      calls.soon()
    end
  )
end

--- Finds connected members that missed a change of this device: they were away.
function M.find_behind(device)
  local trust = members.trust(device)
  for group, own in pairs(trust.groups) do
    if is_auto(device, group) and device.cluster.refused[group] ~= own.n then
      for name, record in pairs(records(device, group)) do
        local has_own = record.n > record.base and group ~= members.TRUST_GROUP
        if name ~= members.own_name(device) and record.n < own.n and not has_own then
          device.cluster.auto[group] = true
        end
      end
    end
  end
end

--- Starts the automatic synchronisation that is due.
function M.run_auto(device)
  local due = device.cluster.auto
  if not next(due) then return end
  device.cluster.auto = {}
  if due[members.TRUST_GROUP] then
    due[members.TRUST_GROUP] = nil
    M.push(device, members.TRUST_GROUP, { auto = true })
  end
  for group in pairs(due) do M.push(device, group, { auto = true }) end
end

-- -- commands --

local function refuse(message)
  error(errors.tm(400, message, 3), 0)
end

-- The words of config-sync, from utilCmdArgs, options or properties.
local function words_of(body)
  local words = {}
  local function add(name, value)
    words[#words + 1] = name
    if type(value) == "string" and value ~= "" then words[#words + 1] = value end
  end
  for word in (type(body.utilCmdArgs) == "string" and body.utilCmdArgs or ""):gmatch "%S+" do
    add(word)
  end
  for _, option in ipairs(type(body.options) == "table" and body.options or {}) do
    for name, value in pairs(type(option) == "table" and option or { [option] = "" }) do
      add(name, value)
    end
  end
  for property, word in pairs { toGroup = "to-group", fromGroup = "from-group",
    forceFullLoadPush = "force-full-load-push" } do
    for _, name in ipairs { property, word } do
      if body[name] ~= nil and body[name] ~= false then add(word, body[name]) end
    end
  end
  return words
end

local function checked_group(device, given)
  local full = given:sub(1, 1) == "/" and given or "/Common/" .. given
  if not device.store:get(GROUPS .. names.segment(full)) then
    refuse(
      ("01070734:3: Configuration error: Device group (%s) not found in device group sync"):format(
        given
      )
    )
  end
  return full
end

local function from_group(device, given)
  local full = given:sub(1, 1) == "/" and given or "/Common/" .. given
  local synced = false
  if device.store:get(GROUPS .. names.segment(full)) then
    for _, record in pairs(records(device, full)) do synced = synced or record.synced == true end
  end
  if not synced then
    refuse(
      (
        "01070734:3: Configuration error: A sync from the group (%s) is not allowed until a push "
          .. "has been done first"
      ):format(
        given
      )
    )
  end
  M.pull(device, full)
end

--- `run cm config-sync to-group G`, `from-group G`, `force-full-load-push to-group G`.
function M.config_sync(device, _, target, body)
  local words = words_of(body)
  if target.template == "cm" and words[1] and words[1] ~= "config-sync" then
    error(
      errors.tm(400, ('Syntax Error: unexpected argument "%s"'):format(words[1]), 26214401),
      0
    )
  end
  M.settle(device)
  local force = false
  for i, word in ipairs(words) do
    local value = words[i + 1]
    if word == "force-full-load-push" then force = true end
    if word == "to-group" and value then
      M.push(device, checked_group(device, value), { force = force })
    elseif word == "from-group" and value then
      from_group(device, value)
    end
  end
end

--- A copy of the records, for other devices.
function M.told(device)
  local copy = {}
  for group, record in pairs(members.trust(device).groups) do
    copy[group] = {
      n = record.n, by = record.by, base = record.base, base_by = record.base_by,
      synced = record.synced,
    }
  end
  return copy
end

return M
