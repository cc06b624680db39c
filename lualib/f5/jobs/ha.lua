-- Several devices that belong together: bip:add_to_trust{…}, bip:sync(…), bip:fail_over(…).

local core = require "f5.core"
local json = require "f5.json"

local M = {}

local PAUSE <const> = 1 -- s between two looks

local function raise(bip, kind, format, ...)
  error(core.error_new { kind = kind, device = bip:label(), message = format:format(...) }, 0)
end

local function check(what, options, known)
  if options == nil then return {} end
  if type(options) ~= "table" then
    core.usage_error(("%s: expected a table of options, got a %s"):format(what, type(options)))
  end
  local out = {}
  for key, value in next, options do
    local wanted = known[key]
    if not wanted then
      core.usage_error(("%s: unknown option '%s'"):format(what, tostring(key)))
    end
    if wanted ~= type(value) and not (wanted == "secret" and type(value) == "userdata") then
      if wanted ~= "secret" or type(value) ~= "string" then
        core.usage_error(("%s: '%s' must be a %s, not a %s"):format(
          what, key, wanted == "secret" and "string" or wanted, type(value)
        ))
      end
    end
    if type(value) == "number" and (value ~= value or value < 0) then
      core.usage_error(
        ("%s: '%s' must be a number of seconds, not %s"):format(what, key, value)
      )
    end
    out[key] = value
  end
  return out
end

local function need(what, options, ...)
  for _, key in ipairs { ... } do
    if options[key] == nil or options[key] == "" then
      core.usage_error(("%s: option '%s' is missing"):format(what, key))
    end
  end
end

-- Looks again and again until `look` returns a value that is not nil, or the time is over.
local function wait(seconds, look)
  local deadline = core.now() + seconds
  while true do
    local found = look()
    if found ~= nil then return found end
    if core.now() >= deadline then return nil end
    core.sleep(math.min(PAUSE, math.max(deadline - core.now(), 0) + 0.005))
  end
end

local function full(name) return name:sub(1, 1) == "/" and name or "/Common/" .. name end

-- All devices of the trust domain, this one first.
local function devices_of(bip)
  local own, others = nil, {}
  for _, device in ipairs(bip:at("cm/device"):list()) do
    local is_own = device.selfDevice == "true" or device.selfDevice == true
    if is_own then own = device else others[#others + 1] = device end
  end
  return own, others
end

-- -- the trust domain -----------------------------------------------------------------------------

local TRUST <const> = {
  device = "string", name = "string", username = "string", password = "secret", ca = "boolean",
  timeout = "number",
}
local TRUST_TIMEOUT <const> = 60

-- Whether a device of the list is the one that is to be added.
local function is_member(device, options)
  return device.managementIp == options.device
    or options.name ~= nil and device.fullPath == full(options.name)
end

local function find_member(bip, options)
  local _, others = devices_of(bip)
  for _, device in ipairs(others) do
    if is_member(device, options) then return device.fullPath or device.name end
  end
  return nil
end

--- session:add_to_trust{…}: see lualib/meta/f5/jobs.lua.
function M.add_to_trust(bip, given)
  if given == nil then core.usage_error "add_to_trust: expected a table of options" end
  local options = check("add_to_trust", given, TRUST)
  need("add_to_trust", options, "device", "username", "password")
  local member = find_member(bip, options)
  if member then return "unchanged", member end
  local password = options.password
  if type(password) == "userdata" then password = core.secret_text(password) end
  bip:at("cm/add-to-trust"):run("run", {
    name = "Root", caDevice = options.ca ~= false, device = options.device,
    deviceName = options.name, username = options.username, password = password,
  })
  -- A device was seen to answer 200 and to do nothing: the other one was in a trust domain already.
  local timeout = options.timeout or TRUST_TIMEOUT
  member = wait(timeout, function() return find_member(bip, options) end)
  if not member then
    raise(
      bip, "timeout",
      "the device accepted the command, but %s is not in the trust domain after %g s; "
        .. "is it in another trust domain?", options.device, timeout
    )
  end
  return "changed", member
end

-- -- synchronisation ------------------------------------------------------------------------------

local SYNC <const> = { group = "string", from = "boolean", force = "boolean", timeout = "number" }
local SYNC_TIMEOUT <const> = 60
local IN_SYNC <const> = "In Sync"

-- The only sync-failover group of the device; nil if it has none.
local function group_of(bip)
  local found = {}
  for group in bip:at("cm/device-group"):each() do
    if group.type == "sync-failover" then found[#found + 1] = group.name end
  end
  if #found > 1 then
    table.sort(found)
    raise(
      bip, "invalid",
      "more than one sync-failover device group (%s): name one, bip:sync \"%s\"; with f5.each use "
        .. "sync = false and synchronise yourself",
      table.concat(found, ", "), found[1]
    )
  end
  return found[1]
end

--- What a device says about the synchronisation of its groups.
-- @return { status, summary, details (array of texts) }
local function status_of(bip)
  local entry = core.flat(bip:at("cm/sync-status"):load())[1] or {}
  local numbered, details = {}, json.array {}
  for key, lines in pairs(entry) do
    for place, line in pairs(key:find "/details$" and type(lines) == "table" and lines or {}) do
      local number = math.tointeger(tonumber(place:match "(%d+)$"))
      if number and type(line) == "table" and type(line.details) == "string" then
        numbered[#numbered + 1] = { number, line.details }
      end
    end
  end
  table.sort(numbered, function(a, b) return a[1] < b[1] end)
  for i, line in ipairs(numbered) do details[i] = line[2] end
  return { status = entry.status or "unknown", summary = entry.summary, details = details }
end

-- The status of one group: the device's line about it, else the status of all groups.
local function status_in(state, group)
  local name = group:match "[^/]+$"
  for _, line in ipairs(state.details) do
    local of, status = line:match "^%s*(%S+) %(([^()]*)%)"
    if of and of:match "[^/]+$" == name then return status end
  end
  return state.status
end

local written = setmetatable({}, { __mode = "k" }) -- session -> its writes when it was in sync

-- A device hears of changes of the others only some seconds later, so one look at its status says
-- nothing about them.
local HEARS_WITHIN <const> = 3 -- s

-- Returns a function that says whether a group is in sync, and has been so for this time.
local function in_sync_for(seconds, group)
  local since
  return function(state)
    if status_in(state, group) ~= IN_SYNC then
      since = nil
      return false
    end
    since = since or core.now()
    return core.now() - since >= seconds
  end
end

-- Synchronises a group and waits until it is in sync.
local function synchronise(bip, group, options)
  local words = options.from and "from-group" or "to-group"
  local force = options.force and "force-full-load-push " or ""
  bip:at("cm"):run("run", { utilCmdArgs = ("config-sync %s%s %s"):format(force, words, group) })
  local timeout, state = options.timeout or SYNC_TIMEOUT, nil
  local is_in_sync <const> = in_sync_for(options.from and HEARS_WITHIN or 0, group)
  local done = wait(timeout, function()
    state = status_of(bip)
    return is_in_sync(state) or nil
  end)
  if not done then
    raise(
      bip, "timeout", "the device group %s is not in sync after %g s: %s (%s)", group, timeout,
      status_in(state, group),
      state.details[1] and table.concat(state.details, "; ") or state.summary or "no summary"
    )
  end
  written[bip] = bip:usage().writes
  return state
end

--- Synchronises the only sync-failover group. For f5.each.
-- @param timeout number|nil: seconds
-- @return "In Sync"; nil if the device is in no such group
function M.synchronise(bip, timeout)
  local group = group_of(bip)
  return group and synchronise(bip, group, { timeout = timeout }).status or nil
end

--- session:sync(group or options): see lualib/meta/f5/jobs.lua.
function M.sync(bip, given)
  local options = check("sync", type(given) == "string" and { group = given } or given, SYNC)
  if options.from and options.force then
    core.usage_error "sync: 'from' or 'force', not both"
  end
  local group = options.group
  if group and (group == "" or group:find "[%s;{}\"]") then
    core.usage_error(("sync: 'group' is not the name of a device group: %q"):format(group))
  end
  group = group or group_of(bip)
  if not group then
    raise(bip, "invalid", "the device is in no sync-failover device group")
  end
  local state = status_of(bip)
  -- A device notices a change a moment later: after writes of this session its word does not count.
  -- Nobody knows what was written on the others, so `from` always synchronises.
  local is_settled = bip:usage().writes == (written[bip] or 0) and not options.from
  if is_settled and not options.force and status_in(state, group) == IN_SYNC then
    return "unchanged", state
  end
  return "changed", synchronise(bip, group, options)
end

-- -- fail-over ------------------------------------------------------------------------------------

local FAIL_OVER <const> = { traffic_group = "string", force = "boolean", timeout = "number" }
local FAIL_OVER_TIMEOUT <const> = 60

-- The devices that can take over, and why the others cannot.
local function partners_of(bip)
  local _, others = devices_of(bip)
  local able, unable = {}, {}
  for _, device in ipairs(others) do
    local state = tostring(device.failoverState)
    if state == "standby" or state == "active" then
      able[#able + 1] = device.name
    else
      unable[#unable + 1] = ("%s is %s"):format(device.name, state)
    end
  end
  return able, unable
end

-- The lines of a traffic group: device -> its state in it.
local function states_in(bip, group)
  local states = {}
  for _, line in ipairs(core.flat(bip:at("cm/traffic-group", group):at("stats"):load())) do
    if type(line.deviceName) == "string" then states[line.deviceName] = line.failoverState end
  end
  return states
end

-- The device that is active now, if this one is not: its name.
local function successor(bip, group, own)
  if group then
    for name, state in pairs(states_in(bip, group)) do
      if state == "active" and name ~= own.fullPath then return name:match "[^/]+$" end
    end
    return nil
  end
  if bip:failover_state() == "active" then return nil end
  local _, others = devices_of(bip)
  for _, device in ipairs(others) do
    if device.failoverState == "active" then return device.name end
  end
  return nil
end

-- Whether the device is active, for the traffic group or at all; raises if it is neither active nor
-- standby.
local function is_active(bip, group, own)
  if group then return states_in(bip, group)[own.fullPath] == "active" end
  local state = bip:failover_state()
  if state ~= "active" and state ~= "standby" then
    raise(bip, "invalid", "the device is %s: it has nothing to hand over", state)
  end
  return state == "active"
end

-- What does not pass by itself. All other states do: after a fail-over or a synchronisation a
-- device may not have heard of the others yet.
local LASTING <const> = {
  [IN_SYNC] = true, ["Changes Pending"] = true, ["Awaiting Initial Sync"] = true,
  ["Standalone"] = true, ["Sync Failure"] = true,
}
local SETTLES_WITHIN <const> = 10 -- s

-- Why no other device can take over, or would not have the newest configuration; nil if nothing is
-- wrong. The second result: whether this may pass.
local function obstacle(bip)
  local able, unable = partners_of(bip)
  if #able == 0 then
    local states = table.concat(unable, ", ")
    local reason = #unable > 0 and states or "there is none"
    return "no other device can take over: " .. reason, states:find " is unknown" ~= nil
  end
  local status = status_of(bip).status
  if status == IN_SYNC then return nil end
  return ("the devices are not in sync (%s): call bip:sync() first"):format(status),
    not LASTING[status]
end

-- Raises if it is not safe to hand over.
local function check_partners(bip)
  local reason, passes
  wait(SETTLES_WITHIN, function()
    reason, passes = obstacle(bip)
    return not passes or nil
  end)
  if reason then raise(bip, "invalid", "%s; force = true overrides this", reason) end
end

--- session:fail_over(options): see lualib/meta/f5/jobs.lua.
function M.fail_over(bip, given)
  local options = check("fail_over", given, FAIL_OVER)
  local group = options.traffic_group and full(options.traffic_group)
  local own = devices_of(bip)
  if not own then raise(bip, "protocol", "cm/device does not show this device") end
  if not is_active(bip, group, own) then return "unchanged", successor(bip, group, own) end
  if not options.force then check_partners(bip) end
  bip.sys.failover:run("run", { standby = json.null, trafficGroup = group })
  local timeout = options.timeout or FAIL_OVER_TIMEOUT
  local active = wait(timeout, function() return successor(bip, group, own) end)
  if not active then
    raise(
      bip, "timeout", "no other device is active after %g s; this one is %s", timeout,
      bip:failover_state()
    )
  end
  return "changed", active
end

return M
