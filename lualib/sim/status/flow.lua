-- Counts traffic. What a member of a pool counts, its node, its pool, the virtual server, the
-- address of the virtual server and the device count, too, so that their statistics agree.
--
-- The fields of an entry of state.traffic (see sim/status/traffic.lua) that belong to this file:
--   counters   values of /stats
--   fixed      { [name] = true }: the owner gave this value; traffic below does not change it
--   rate       { [what] = per second }: traffic of a virtual server or of a member
--   takers     the members that it goes to
--   counted    until when it is counted; rest: what is less than one, in millionths
--   rate_since since when it is like this
local availability = require "sim.kinds.common.availability"
local monitoring = require "sim.status.monitoring"
local names = require "sim.config.names"

local M = {}

local POOLS <const>, VIRTUALS <const> = "/mgmt/tm/ltm/pool/", "/mgmt/tm/ltm/virtual/"
local ADDRESSES <const> = "/mgmt/tm/ltm/virtual-address/"
local SECOND <const> = 1000000

--- Where the device's own counters are.
M.DEVICE = "/mgmt/tm/sys/traffic"

--- What a rate may contain, with its counter.
M.RATES = {
  connections = "serverside.totConns", requests = "totRequests", bitsIn = "serverside.bitsIn",
  bitsOut = "serverside.bitsOut", pktsIn = "serverside.pktsIn", pktsOut = "serverside.pktsOut",
}
local MAX_RATE <const> = 100000000000

local COUNTED <const> = {}
for _, name in pairs(M.RATES) do COUNTED[name] = true end

function M.is_member(path)
  return path:find "^/mgmt/tm/ltm/pool/[^/]+/members/[^/]+$" ~= nil
end

local function is_virtual(path)
  return path:find "^/mgmt/tm/ltm/virtual/[^/]+$" ~= nil
end

local function entry_of(device, path)
  local known = device.state.traffic[path]
  if not known then
    known = {}
    device.state.traffic[path] = known
  end
  known.counters = known.counters or {}
  return known
end

local function add(device, path, name, amount)
  local known = entry_of(device, path)
  if known.fixed and known.fixed[name] then return end
  local before = known.counters[name]
  before = math.type(before) == "integer" and before or 0
  local after = before + amount
  if amount > 0 and after < before then after = math.maxinteger end
  known.counters[name] = math.max(0, after)
end

--- The path of the virtual server that the traffic of a pool comes through: the first one that is
--- not disabled; nil if there is none.
function M.virtual_of(store, pool_path)
  local pool = store:get(pool_path)
  local first
  for _, user in ipairs(pool and store:users(pool_path, "ltm/virtual") or {}) do
    local virtual = is_virtual(user) and store:get(user)
    if
      virtual and virtual.pool == pool.fullPath and not virtual.disabled
      and (not first or user < first)
    then
      first = user
    end
  end
  return first
end

local function address_of(store, virtual)
  local full = (virtual.destination or ""):match "^(.*)[:.][^:.]*$"
  local path = full and ADDRESSES .. names.segment(full)
  return path and store:get(path) and path or nil
end

--- Counts `amount` more of what `name` says of a member, for all that it goes through. `virtual`:
--- the path of the virtual server, if it is known.
function M.count(device, path, name, amount, virtual)
  local store = device.store
  local member = store:get(path)
  if not member or amount == 0 then return end
  local pool_path = path:match "^(.*)/members/"
  virtual = virtual or M.virtual_of(store, pool_path)
  local object = virtual and store:get(virtual)
  add(device, path, name, amount)
  add(device, pool_path, name, amount)
  local node = monitoring.node_of(member)
  if store:get(node) then add(device, node, name, amount) end
  add(device, M.DEVICE, name, amount)
  if not object then return end
  local front = name:gsub("^serverside", "clientside")
  add(device, virtual, front, amount)
  local address = front ~= name and address_of(store, object)
  if address then add(device, address, front, amount) end
  if front ~= name then add(device, M.DEVICE, front, amount) end
end

--- Sets counters that the owner gives. Those of a member change the counters of its pool …, too.
function M.set_counters(device, path, given)
  local known = entry_of(device, path)
  for name, value in pairs(given) do
    local before = known.counters[name] or 0
    if
      M.is_member(path) and COUNTED[name] and math.type(value) == "integer"
      and math.type(before) == "integer" and not (known.fixed and known.fixed[name])
    then
      M.count(device, path, name, value - before)
    else
      known.counters[name] = value
      known.fixed = known.fixed or {}
      known.fixed[name] = true
    end
  end
end

local function takes(store, path)
  local member = store:get(path)
  if not member then return false end
  local state, enabled = availability.of_member(store, path, member)
  return state ~= "offline" and enabled == "enabled"
end

-- The members that the traffic given for a path goes to now.
local function takers_of(store, path)
  if M.is_member(path) then return takes(store, path) and { path } or {} end
  local virtual = store:get(path)
  if not virtual or virtual.disabled or type(virtual.pool) ~= "string" then return {} end
  local collection = POOLS .. names.segment(virtual.pool) .. "/members"
  local list = {}
  for _, segment in ipairs(store:segments(collection)) do
    if takes(store, collection .. "/" .. segment) then
      list[#list + 1] = collection .. "/" .. segment
    end
  end
  return list
end

-- How much came in `passed` microseconds, and what is less than one.
local function amount_of(rate, passed, rest)
  local seconds = passed // SECOND
  if rate > 0 and seconds > math.maxinteger // 2 // rate then return math.maxinteger // 2, 0 end
  local part = rate * (passed % SECOND) + rest
  return rate * seconds + part // SECOND, part % SECOND
end

local function advance(device, path, known, now)
  local passed = now - known.counted
  if passed <= 0 then return end
  known.counted = now
  local virtual = is_virtual(path) and path or nil
  for what, rate in pairs(known.rate) do
    local amount
    amount, known.rest[what] = amount_of(rate, passed, known.rest[what] or 0)
    local count = #known.takers
    for n, taker in ipairs(known.takers) do
      local share = amount // count + (n <= amount % count and 1 or 0)
      M.count(device, taker, M.RATES[what], share, virtual)
    end
  end
end

local function rated(device)
  local list = {}
  for path, known in pairs(device.state.traffic) do
    if known.rate then list[#list + 1] = path end
  end
  table.sort(list)
  return list
end

--- Counts what came until now.
function M.advance(device)
  if not device.has_rates then return end
  local now = device:now()
  for _, path in ipairs(rated(device)) do
    advance(device, path, device.state.traffic[path], now)
  end
end

-- Something changed that decides where the traffic goes.
local function redirect(device)
  if not device.has_rates then return end
  M.advance(device)
  for _, path in ipairs(rated(device)) do
    device.state.traffic[path].takers = takers_of(device.store, path)
  end
end

--- Sets the traffic each second of a virtual server or a member: { connections = 20, requests =
--- 100, bitsIn = 80000 … }.
function M.set_rate(device, path, rate)
  if not M.is_member(path) and not is_virtual(path) then
    error(("traffic: a rate is for virtual servers and members, not for '%s'"):format(path), 0)
  end
  for what, value in pairs(rate) do
    if not M.RATES[what] then error(("traffic: unknown rate '%s'"):format(tostring(what)), 0) end
    if math.type(value) ~= "integer" or value < 0 or value > MAX_RATE then
      error(
        ("traffic: expected a whole number of up to %d for %s, got '%s'"):format(
          MAX_RATE, what, tostring(value)
        ),
        0
      )
    end
  end
  M.advance(device)
  local known = entry_of(device, path)
  device.has_rates = true
  known.rate, known.rest, known.counted = {}, {}, device:now()
  for what, value in pairs(rate) do known.rate[what] = value end
  known.rate_since, known.takers = device:now(), takers_of(device.store, path)
end

--- What comes each second now: { [what] = number }, the same of what comes through virtual servers,
--- and since when (microseconds).
function M.rates(device)
  local all, front, since = {}, {}, device:now()
  for what in pairs(M.RATES) do all[what], front[what] = 0, 0 end
  for _, path in ipairs(device.has_rates and rated(device) or {}) do
    local known = device.state.traffic[path]
    local pool_path = path:match "^(.*)/members/"
    local through = is_virtual(path) or M.virtual_of(device.store, pool_path)
    for what, rate in pairs(#known.takers > 0 and known.rate or {}) do
      all[what] = all[what] + rate
      if through then front[what] = front[what] + rate end
    end
    since = math.min(since, known.rate_since)
  end
  return all, front, since
end

-- The types of the fields of an entry.
local FIELDS <const> = {
  connections = "integer", ending = "integer", since = "integer", most = "integer",
  counters = "table", fixed = "table", rate = "table", rest = "table", counted = "integer",
  rate_since = "integer", takers = "table",
}

local function refuse(path, name)
  error(("seed: traffic: %s: invalid %s"):format(tostring(path), tostring(name)), 0)
end

-- Refuses an entry of a saved state that cannot be one.
local function check_entry(path, known)
  if type(path) ~= "string" or type(known) ~= "table" then refuse(path, "entry") end
  for name, value in pairs(known) do
    local wanted = FIELDS[name]
    if not wanted or (math.type(value) or type(value)) ~= wanted then refuse(path, name) end
  end
  if (known.connections or 0) < 0 or (known.ending or 0) < 0 then refuse(path, "connections") end
  for name in pairs(known.counters or {}) do
    if type(name) ~= "string" then refuse(path, "counters") end
  end
  if not known.rate then return end
  if not (known.rest and known.takers and known.counted and known.rate_since) then
    refuse(path, "rate")
  end
  for what, rate in pairs(known.rate) do
    local rest = known.rest[what] or 0
    if
      not M.RATES[what] or math.type(rate) ~= "integer" or rate < 0 or rate > MAX_RATE
      or math.type(rest) ~= "integer" or rest < 0 or rest >= SECOND
    then
      refuse(path, "rate")
    end
  end
  for _, taker in ipairs(known.takers) do
    if type(taker) ~= "string" or not M.is_member(taker) then refuse(path, "takers") end
  end
end

function M.install(device)
  for path, known in pairs(device.state.traffic) do check_entry(path, known) end
  device.has_rates = #rated(device) > 0
  for _, prefix in ipairs { POOLS, VIRTUALS, "/mgmt/tm/ltm/node/" } do
    device.store:watch(prefix, function() redirect(device) end)
  end
end

return M
