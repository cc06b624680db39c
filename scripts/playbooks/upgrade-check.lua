#!/usr/bin/env f5lua
-- Checks a device before and after an upgrade.
--
--   f5lua upgrade-check.lua --image 17.5.0 --save before.json
--     before: checks the device and saves its state
--   f5lua upgrade-check.lua --wait 900 --compare before.json
--     after: waits until the device is up, checks it, and compares its state
--
-- The device and the user come from the environment (F5_SERVER, F5_USER, F5_PASSWORD); the playbook
-- asks for what is missing. It only reads.

local argparse = require "argparse"
local f5 = require "f5"

local parser = argparse(
  "upgrade-check.lua",
  "Check a device before and after an upgrade."
)
parser
  :option("-i --image", "check that a verified image of this version is there")
  :argname "VERSION"
parser
  :option(
    "-l --license-check-date",
    "license check date of the new version: the license must not be older"
  )
  :argname "YYYY-MM-DD"
parser
  :option("--free-gb", "GB that must be free on the disk for another volume")
  :argname("N")
  :convert(tonumber)
  :default "20"
parser
  :option("--archive-days", "maximum age of the newest UCS archive, in days")
  :argname("N")
  :convert(tonumber)
  :default "1"
parser
  :option("--certificate-days", "warn about certificates that expire within this number of days")
  :argname("N")
  :convert(tonumber)
  :default "30"
parser:option("-s --save", "save the state of virtual servers and pools"):argname "FILE"
parser
  :option("-c --compare", "compare the state with a saved one; every difference is a failure")
  :argname "FILE"
parser
  :option("-w --wait", "seconds to wait until the device is ready, for example after a reboot")
  :argname("SECONDS")
  :convert(tonumber)
  :default "0"
parser:flag("--strict", "count warnings as failures")
parser:epilog "Exit status: 0 nothing failed, 1 a check failed, 3 the device does not answer."
local args = parser:parse()

-- Both before any traffic: a mistyped option should not cost a minute.
local earlier
if args.compare then
  local file, message = io.open(args.compare, "r")
  if not file then f5.fail("cannot read %s", message) end
  local ok, content = pcall(f5.json.decode, file:read "a")
  file:close()
  if not ok or type(content) ~= "table" or not content.virtuals then
    f5.fail("%s was not written by --save", args.compare)
  end
  earlier = content
end
local needed_date = args.license_check_date
if needed_date and not needed_date:find "^%d%d%d%d%-%d%d%-%d%d$" then
  parser:error "--license-check-date must be YYYY-MM-DD"
end

-- What a device that is coming up does; a password that it refuses is not waited for.
local COMING_UP <const> =
  { transport = true, timeout = true, not_ready = true, busy = true, protocol = true }

local function connect()
  local line <close> = f5.live()
  local deadline = os.time() + args.wait
  while true do
    local connected, bip = f5.try(f5.connect, {})
    if not connected and (not COMING_UP[bip.kind] or os.time() >= deadline) then error(bip, 0) end
    if connected and args.wait > 0 then
      bip:wait_ready {
        timeout = math.max(1, deadline - os.time()),
        progress = function(why_not) line(why_not or "ready") end,
      }
    end
    if connected then return bip end
    line(bip.message)
    f5.sleep(1)
  end
end

local bip <close> = connect()
local failures, warnings = 0, 0

local function say(word, what, text, ...)
  print(("%-5s %-14s %s"):format(word, what, text:format(...)))
end
local function ok(...) say("OK", ...) end
local function fail(...)
  failures = failures + 1
  say("FAIL", ...)
end
local function warn(...)
  warnings = warnings + 1
  say("WARN", ...)
end

-- A check that cannot be made is a failed one; the others are made nevertheless.
local function check(what, fn)
  local done, err = f5.try(fn)
  if not done then
    if err.kind == "auth" or err.kind == "transport" or err.kind == "tls" then error(err, 0) end
    fail(what, "cannot be checked: %s", tostring(err))
  end
end

-- The device writes UTC.
local function seconds_of(text)
  local year, month, day, hour, minute, second = text:match "^(%d+)-(%d+)-(%d+)T(%d+):(%d+):(%d+)"
  if not year then return nil end
  local here = os.time {
    year = year, month = month, day = day, hour = hour, min = minute, sec = second, isdst = false,
  }
  local utc = os.date("!*t", here)
  utc.isdst = false
  return here + os.difftime(here, os.time(utc))
end

local DAY <const> = 24 * 60 * 60

check("ready", function()
  local is_ready, why_not = bip:ready()
  if is_ready then
    ok("ready", "services, configuration, license")
  else
    fail("ready", "%s", why_not)
  end
end)

local version
check("version", function()
  version = f5.flat(bip.sys.version:load())[1]
  ok("version", "%s %s, build %s", version.Product, version.Version, version.Build)
end)

check("failover", function()
  local state = bip:failover_state()
  local devices = #bip.cm.device:list { select = "name" }
  if devices > 1 and state == "active" then
    warn("failover", "this unit is the active one of %d: upgrade a standby unit first", devices)
  else
    ok("failover", "%s, %d device%s", state, devices, devices == 1 and "" or "s")
  end
end)

check("sync", function()
  local status = f5.flat(bip.cm["sync-status"]:load())[1].status
  local is_fine = status == "In Sync" or status == "Standalone"
  local tell = is_fine and ok or fail
  tell("sync", "%s", status)
end)

check("license", function()
  local date = f5.flat(bip.sys.license:load())[1].serviceCheckDate:gsub("/", "-")
  if needed_date and date < needed_date then
    fail(
      "license",
      "the service check date is %s, the new version needs %s: reactivate the license first",
      date,
      needed_date
    )
  else
    ok("license", "service check date %s", date)
  end
end)

check("volumes", function()
  local list = bip.sys.software.volume:list()
  for _, volume in ipairs(list) do
    if volume.status ~= "complete" then
      return fail("volumes", "%s: %s", volume.name, volume.status)
    end
  end
  ok("volumes", "%d, all complete", #list)
end)

check("image", function()
  if not args.image then return end
  for _, image in ipairs(bip.sys.software.image:list()) do
    if image.version == args.image then
      if image.verified ~= "yes" then return fail("image", "%s is not verified", image.name) end
      return ok("image", "%s", image.name)
    end
  end
  fail("image", "no image of version %s", args.image)
end)

check("disk", function()
  for _, disk in ipairs(bip.sys.disk["logical-disk"]:list()) do
    local free = disk.vgFree / 1024
    local tell = free < args.free_gb and fail or ok
    tell("disk", "%s: %.0f GB free", disk.name, free)
  end
end)

check("archive", function()
  local newest, name
  for _, archive in ipairs(bip.sys.ucs:list()) do
    local values = archive.apiRawValues or {}
    local created = seconds_of(values.file_created_date or "")
    if created and created > (newest or 0) then
      newest, name = created, values.filename:match "[^/]+$"
    end
  end
  if not newest then return warn("archive", "there is no UCS archive") end
  local days = (os.time() - newest) / DAY
  local tell = days > args.archive_days and warn or ok
  tell("archive", "%s, %.1f days old", name, math.max(0, days))
end)

check("certificates", function()
  local late, all = {}, bip.sys.file["ssl-cert"]:list { select = { "fullPath", "expirationDate" } }
  for _, certificate in ipairs(all) do
    local left = math.type(certificate.expirationDate)
      and (certificate.expirationDate - os.time()) / DAY
    if left and left < args.certificate_days then
      late[#late + 1] = left < 0 and certificate.fullPath .. " has expired"
        or ("%s expires in %.0f days"):format(certificate.fullPath, left)
    end
  end
  if #late > 0 then
    warn("certificates", "%s", table.concat(late, "; "))
  else
    ok("certificates", "%d", #all)
  end
end)

-- name -> state, of virtual servers and of pools with their members.
local function present()
  local state =
    { device = bip:label(), version = version and version.Version, virtuals = {}, pools = {} }
  for _, values in ipairs(bip.ltm.virtual:stats()) do
    state.virtuals[values.tmName] = values["status.availabilityState"]
      .. " " .. values["status.enabledState"]
  end
  for _, values in ipairs(bip.ltm.pool:stats()) do
    state.pools[values.tmName] = ("%s, %d of %d members active"):format(
      values["status.availabilityState"],
      values.activeMemberCnt,
      values.memberCnt
    )
  end
  return state
end

local function compare(what, before, now)
  local names, different = {}, 0
  for name in pairs(before) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    if now[name] ~= before[name] then
      different = different + 1
      fail(what, "%s: was %s, is %s", name, before[name], now[name] or "missing")
    end
  end
  for name, state in pairs(now) do
    if not before[name] then warn(what, "%s is new: %s", name, state) end
  end
  if different == 0 then ok(what, "%d as before", #names) end
end

check("state", function()
  if not args.save and not earlier then return end
  local now = present()
  if earlier then
    compare("virtuals", earlier.virtuals, now.virtuals)
    compare("pools", earlier.pools, now.pools)
  end
  if not args.save then return end
  local file, message = io.open(args.save, "w")
  if file then
    file:write(f5.json.encode(now, { sort = true, indent = 2 }), "\n")
    file, message = file:close()
  end
  if not file then return fail("state", "cannot write %s", message) end
  ok("state", "written to %s", args.save)
end)

print(("%d failed, %d warning%s"):format(failures, warnings, warnings == 1 and "" or "s"))
if failures > 0 or args.strict and warnings > 0 then
  f5.fail "the device is not ready for an upgrade"
end
