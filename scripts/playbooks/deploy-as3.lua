#!/usr/bin/env f5lua
-- Deploys a declaration of AS3: shows what would change, asks, applies it, waits, and verifies.
--
--   f5lua deploy-as3.lua app.json
--
-- The device and the user come from the environment (F5_SERVER, F5_USER, F5_PASSWORD); the playbook
-- asks for what is missing. What was declared before is written to a file first, if you name one.

local argparse = require "argparse"
local f5 = require "f5"

local parser = argparse(
  "deploy-as3.lua",
  "Show what a declaration of AS3 changes, ask, apply it, wait and verify."
)
parser:argument("file", "the declaration, JSON"):argname "FILE"
parser:option("-b --backup", "write the declaration of these tenants as it is now"):argname "FILE"
parser
  :option("-w --wait", "seconds to wait for AS3, and for the declaration")
  :argname("SECONDS")
  :convert(tonumber)
  :default "900"
parser:flag("-y --yes", "do not ask")
parser:flag("-n --dry-run", "only show what would change")
parser:epilog(
  "Exit status: 0 applied, or there was nothing to change; 1 you said no, or the check afterwards "
    .. "found a difference; 3 AS3 or the device refused: all tenants are named with their reasons."
)
local args = parser:parse()

-- Mistakes in the file are found before anything is sent.
local function read(path)
  local file, message = io.open(path, "rb")
  if not file then f5.fail("cannot read %s", message) end
  local text = file:read "a"
  file:close()
  if not text then f5.fail("cannot read %s", path) end
  local ok, body = pcall(f5.json.decode, text)
  if not ok or type(body) ~= "table" then f5.fail("%s is not JSON", path) end
  return text, body
end

local text <const>, body <const> = read(args.file)
local adc <const> = body.class == "AS3" and body.declaration or body
if type(adc) ~= "table" or adc.class ~= "ADC" then
  f5.fail("%s is no declaration of AS3: it has no class ADC", args.file)
end

local tenants = {}
for name, value in pairs(adc) do
  if type(value) == "table" and value.class == "Tenant" then tenants[#tenants + 1] = name end
end
table.sort(tenants)
if #tenants == 0 then f5.fail("%s has no tenant", args.file) end

local bip <close> = f5.connect {}

-- Sends the declaration, with a line about the state on a terminal.
local function send(what, dry_run)
  local line <close> = f5.live { quiet = true }
  return bip:declare(text, {
    dry_run = dry_run, timeout = args.wait,
    progress = function(state, seconds)
      line(("%s: %s, %d s"):format(what, state, seconds // 1))
    end,
  })
end

-- What AS3 would do. It does not ask the device, which may still refuse.
local function preview() return send("dry run", true) end

local plan <const> = preview()
print(plan)
local to_do = 0
for _, one in ipairs(plan) do
  if one.message ~= "no change" then to_do = to_do + 1 end
end
if to_do == 0 then return print "nothing to change" end
if args.dry_run then return print "dry run: nothing was changed" end

if args.backup then
  local before = { class = "ADC", schemaVersion = adc.schemaVersion }
  local now <const> = bip:declared() or {}
  for _, name in ipairs(tenants) do before[name] = now[name] end
  local file, message = io.open(args.backup, "w")
  if not file then f5.fail("cannot write %s", message) end
  file:write(f5.json.encode(before, { indent = 2, sort = true }), "\n")
  if not file:close() then f5.fail("cannot write %s", args.backup) end
  print("what is declared now is in " .. args.backup)
end

if not args.yes then
  io.stdout:write(("Apply this to %s? (y/N) "):format(bip:label()))
  io.stdout:flush()
  local answer = io.read "l"
  if not answer or not answer:lower():find "^y" then f5.fail "nothing was changed" end
end

-- A tenant that fails ends the playbook with the reasons of all tenants.
local done <const> = send "apply"
print(done)
if done[1] and done[1].dry_run then return print "this was a check: nothing was changed" end

-- AS3 compares the device with the declaration: after the deployment nothing may differ.
local wrong = 0
for _, one in ipairs(preview()) do
  if one.message ~= "no change" then
    wrong = wrong + 1
    print(("%s still differs"):format(one.tenant or "the declaration"))
  end
end
if wrong > 0 then f5.fail "the device is not as declared" end
print "verified: the device is as declared"
