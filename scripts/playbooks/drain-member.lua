#!/usr/bin/env f5lua
-- Takes a pool member out of service without breaking connections: disables it, watches its
-- connections, and forces it offline when none is left, or after a time limit.
--
--   f5lua drain-member.lua /Common/web 10.0.0.1:80 --timeout 300
--   f5lua drain-member.lua /Common/web 10.0.0.1:80 --enable       puts it back into service
--
-- The device and the user come from the environment (F5_SERVER, F5_USER, F5_PASSWORD); the playbook
-- asks for what is missing. The role operator is sufficient.

local argparse = require "argparse"
local f5 = require "f5"

local parser =
  argparse("drain-member.lua", "Take a pool member out of service when its connections have ended.")
parser:argument("pool", "full path of the pool, or its name in Common")
parser:argument("member", "the member: 10.0.0.1:80, or its full path")
parser
  :option(
    "-t --timeout",
    "seconds after which it is forced offline, even with connections"
  )
  :argname "SECONDS"
  :convert(tonumber)
  :default "300"
parser
  :option("-i --interval", "seconds between two checks")
  :argname "SECONDS"
  :convert(tonumber)
  :default "2"
parser
  :option("-c --connections", "this number of connections counts as none")
  :argname "N"
  :convert(tonumber)
  :default "0"
parser:flag(
  "-k --keep-disabled",
  "leave it disabled and do not force it offline: persistent clients may come back"
)
parser:flag("--enable", "put it back into service")
parser:flag("-f --force", "even if no other member of the pool is in service")
parser:epilog(
  "Exit status: 0 all connections have ended, 1 the time was over or the member must stay, 3 the "
    .. "device failed. After an interruption the member keeps its state, which is printed."
)
local args = parser:parse()

local function full(name) return name:find "^/" and name or "/Common/" .. name end

local bip <close> = f5.connect {}
local pool = bip.ltm.pool[full(args.pool)]
local member = pool.members[full(args.member)]

if args.enable then
  member:modify { state = "user-up", session = "user-enabled" }
  return print(("%s is in service"):format(args.member))
end

-- A pool without any member left is an outage.
local function others_in_service()
  local count, found = 0, false
  for _, other in ipairs(pool.members:list()) do
    if other.fullPath == full(args.member) then
      found = true
    elseif other.session ~= "user-disabled" and not other.state:find "down$" then
      count = count + 1
    end
  end
  if not found then f5.fail("%s has no member %s", args.pool, args.member) end
  return count
end

local others <const> = others_in_service()
if others == 0 and not args.force then
  f5.fail("no other member of %s is in service; --force overrides this", args.pool)
end

-- Said on every way out but the good one: what state the member was left in.
local left = "in service"
local finished = false
local _say_how_it_is <close> = setmetatable({}, {
  __close = function()
    if not finished and left ~= "in service" then
      io.stderr:write(
        ("%s is %s. To put it back: drain-member.lua %s %s --enable\n"):format(
          args.member, left, args.pool, args.member
        )
      )
    end
  end,
})

local function connections() return member:stats()["serverside.curConns"] end

local before <const> = connections()
left = "disabled, unless the device refused that"
member:modify { session = "user-disabled" }
left = "disabled"
print(
  ("%s of %s is disabled, with %d connection%s; %d other member%s in service"):format(
    args.member, args.pool, before, before == 1 and "" or "s", others,
    others == 1 and " is" or "s are"
  )
)

local function wait()
  local line <close> = f5.live()
  local started = os.time()
  while true do
    local now = connections()
    local waited = os.time() - started
    line(("%d connection%s left, %d s"):format(now, now == 1 and "" or "s", waited))
    if now <= args.connections or waited >= args.timeout then return now end
    f5.sleep(math.min(args.interval, math.max(0.1, args.timeout - waited)))
  end
end

local rest <const> = wait()
if not args.keep_disabled then
  member:modify { state = "user-down" }
  left = "forced offline"
end
if rest > args.connections then
  f5.fail("%d connection%s still open after %g s", rest, rest == 1 and "" or "s", args.timeout)
end
finished = true
print(("%s is drained and %s"):format(args.member, left))
