#!/usr/bin/env f5lua
-- Switches virtual servers to another pool in one transaction, watches that pool, and switches back
-- if it is not healthy.
--
--   f5lua blue-green.lua --to /Common/green /Common/vs_http /Common/vs_https --watch 120
--
-- The device and the user come from the environment (F5_SERVER, F5_USER, F5_PASSWORD); the playbook
-- asks for what is missing.

local argparse = require "argparse"
local f5 = require "f5"

local parser = argparse(
  "blue-green.lua",
  "Switch virtual servers to another pool, and back if it is not healthy."
)
parser:argument("virtual", "full path of a virtual server, or its name in Common"):args "+"
parser:option("-t --to", "the new pool"):argname("POOL"):count(1)
parser
  :option("-w --watch", "seconds to watch the pool")
  :argname("SECONDS")
  :convert(tonumber)
  :default "60"
parser
  :option("-i --interval", "seconds between two checks")
  :argname("SECONDS")
  :convert(tonumber)
  :default "2"
parser
  :option("-m --members", "minimum number of available members")
  :argname("N")
  :convert(tonumber)
  :default "1"
parser:flag("-u --unmonitored", "count members without a monitor as available")
parser:flag("-n --dry-run", "print what would be switched, and whether the pool is healthy")
parser:epilog(
  "Exit status: 0 switched, 1 the pool was not healthy: nothing was switched, or it was switched "
    .. "back. The playbook also switches back after Ctrl-C or if the device fails."
)
local args = parser:parse()

local function full(name) return name:find "^/" and name or "/Common/" .. name end

local bip <close> = f5.connect {}
local target <const> = full(args.to)
local pool = bip.ltm.pool[target]

-- How many members would take traffic.
local function available()
  local count, all = 0, pool.members:stats()
  for _, member in ipairs(all) do
    local state = member["status.availabilityState"]
    if
      member["status.enabledState"] == "enabled"
      and (state == "available" or args.unmonitored and state == "unknown")
    then
      count = count + 1
    end
  end
  return count, #all
end

-- name of the virtual server -> the pool it has; those that have the target already are left out.
local before, order = {}, {}
for _, name in ipairs(args.virtual) do
  local virtual = bip.ltm.virtual[full(name)]:load { select = { "fullPath", "pool" } }
  if virtual.pool == target then
    print(("%s has %s already"):format(virtual.fullPath, target))
  elseif not before[virtual.fullPath] then
    order[#order + 1] = virtual.fullPath
    before[virtual.fullPath] = virtual.pool or "none"
    print(("%s: %s -> %s"):format(virtual.fullPath, virtual.pool or "no pool", target))
  end
end

local count <const>, all <const> = available()
print(("%s: %d of %d members available"):format(target, count, all))
if count < args.members then
  f5.fail(
    "%s needs %d available member%s; nothing was changed",
    target,
    args.members,
    args.members == 1 and "" or "s"
  )
end
if args.dry_run or #order == 0 then return print "nothing was changed" end

local function switch(names, pool_of)
  bip:transaction(function(tx)
    for _, name in ipairs(names) do tx(bip.ltm.virtual[name]):modify { pool = pool_of(name) } end
  end)
end

-- Only what has the new pool: what somebody else gave yet another one meanwhile is theirs.
local function switch_back()
  local names = {}
  for _, name in ipairs(order) do
    if bip.ltm.virtual[name]:load({ select = "pool" }).pool == target then
      names[#names + 1] = name
    end
  end
  if #names == 0 then return "nothing was changed" end
  switch(names, function(name) return before[name] end)
  return "switched back: " .. table.concat(names, ", ")
end

-- From here on whatever goes wrong ends in switching back.
local healthy = false
local _back <close> = setmetatable({}, {
  __close = function()
    if healthy then return end
    local ok, outcome = pcall(switch_back)
    io.stderr:write(
      ok and outcome .. "\n"
        or ("NOT SWITCHED BACK, check %s yourself: %s\n"):format(
          table.concat(order, ", "),
          tostring(outcome)
        )
    )
  end,
})

switch(order, function() return target end)
print(("%d switched; watching for %g s"):format(#order, args.watch))

local function watch()
  local line <close> = f5.live()
  local started = os.time()
  while true do
    local now, of = available()
    local passed = os.time() - started
    line(
      ("%s: %d of %d members available, %d connections, %d of %g s"):format(
        target, now, of, pool:stats()["serverside.curConns"], math.min(passed, args.watch),
        args.watch
      )
    )
    if now < args.members then f5.fail("%s: only %d of %d members available", target, now, of) end
    if passed >= args.watch then return end
    f5.sleep(args.interval)
  end
end
watch()
healthy = true
print "done"
