#!/usr/bin/env f5lua
-- Copies a security policy to other devices: exports it, compares it with the policy there, imports
-- and applies it.
--
--   f5lua waf-policy-promote.lua --from lab.example.net \
--     --to prod1.example.net --to prod2.example.net /Common/web
--
-- It asks before it changes something, unless --yes is given; --dry-run only shows the differences.
-- User and password come from the environment (F5_USER, F5_PASSWORD) and are the same on all
-- devices. A device is HOST or HOST:PORT.

local argparse = require "argparse"
local f5 = require "f5"

local parser = argparse(
  "waf-policy-promote.lua",
  "Copy a security policy to other devices; show the differences first."
)
parser:argument("policy", "name or full path of the policy")
parser:option("--from", "device that has the policy (default: F5_SERVER)"):argname "HOST"
parser:option("--to", "device to copy it to; may be repeated"):argname("HOST"):count "+"
parser:option("--as", "full path on the other devices (default: the same)"):argname "PATH"
parser:flag("--no-apply", "only import: the old policy stays enforced until you apply the new one")
parser:flag("-n --dry-run", "show the differences and change nothing")
parser:flag("-y --yes", "do not ask")
local args = parser:parse()

local INCOMING = "_incoming"

local function connect(place)
  if not place then return f5.connect {} end
  local host, port = place:match "^%[?(.-)%]?:(%d+)$"
  return f5.connect { host = host or place, port = math.tointeger(tonumber(port)) }
end

local function shown(value)
  if value == nil then return "nothing" end
  if type(value) == "string" then return ("%q"):format(value) end
  return f5.json.encode(value, { sort = true })
end

local SIGNS = { ["only-in-first"] = "-", ["only-in-second"] = "+", conflict = "~" }

-- Prints what would change on the device, a line an entity and one a property; returns how many
-- entities.
local function print_differences(differences)
  for _, one in ipairs(differences) do
    print(("    %s %s %s"):format(SIGNS[one.diffType], one.entityType, one.entityName))
    for _, detail in ipairs(one.details or {}) do
      print(
        ("        %s: %s -> %s"):format(
          detail.field,
          shown(detail.firstValue),
          shown(detail.secondValue)
        )
      )
    end
  end
  return #differences
end

local function ask(place)
  if args.yes then return true end
  io.write(("Promote to %s? [y/N] "):format(place))
  io.flush()
  local answer = io.read "l"
  return answer ~= nil and answer:lower():match "^%s*y" ~= nil
end

local function find(asm, path)
  local ok, policy = f5.try(asm.policy, asm, path)
  if ok then return policy end
  if policy.kind ~= "not_found" then error(policy, 0) end
end

-- What differs between the policy of the device and the document, found by the device itself: the
-- document is imported beside it.
local function compare(asm, path, document)
  local incoming = path .. INCOMING
  local stale = find(asm, incoming)
  if stale then stale:delete() end
  asm:import_policy({ file = document, full_path = incoming }):wait()
  local ok, list = f5.try(function()
    local result = asm:diff_policies(path, incoming):wait()
    local found = asm:follow(result.differenceReference):list { orderby = "entityType, entityName" }
    asm:follow(result.policyDiffReference):delete()
    return found
  end)
  asm:policy(incoming):delete()
  if not ok then error(list, 0) end
  return list
end

local function promote(place, path, document)
  local bip <close> = connect(place)
  local asm = f5.asm(bip)
  local present = find(asm, path)
  if present then
    if print_differences(compare(asm, path, document)) == 0 then return "has the policy already" end
  else
    print "    the policy is new there"
  end
  if args.dry_run then return "not changed" end
  if not ask(place) then return "left alone" end
  asm
    :import_policy(
      present and { file = document, policy = present } or { file = document, full_path = path }
    )
    :wait()
  if args.no_apply then return "imported, not applied" end
  asm:apply_policy(path):wait()
  return "imported and applied"
end

local source <close> = connect(args.from)
local from = f5.asm(source)
local policy = from:policy(args.policy):load()
local document = from:export_policy(policy):wait().file
print(
  ("%s: %s, last changed %s by %s"):format(
    args.from or source:label(), policy.fullPath, policy.versionDatetime, policy.modifierName
  )
)

local failed = 0
for _, place in ipairs(args.to) do
  print(("%s:"):format(place))
  local ok, outcome = f5.try(promote, place, args.as or policy.fullPath, document)
  if not ok then failed = failed + 1 end
  print(("    %s"):format(ok and outcome or "FAILED: " .. tostring(outcome)))
end
if failed > 0 then error(("%d of %d devices failed"):format(failed, #args.to), 0) end
