#!/usr/bin/env f5lua
-- Lists the learning suggestions of a security policy, and accepts, stages or ignores those above a
-- score.
--
--   f5lua waf-suggestions.lua /Common/web  lists the pending suggestions
--   f5lua waf-suggestions.lua /Common/web --score 90 --accept --apply
--
-- The device and the user come from the environment (F5_SERVER, F5_USER, F5_PASSWORD); the playbook
-- asks for what is missing.

local argparse = require "argparse"
local f5 = require "f5"

local parser = argparse(
  "waf-suggestions.lua",
  "Review the learning suggestions of a security policy and act on those above a score."
)
parser:argument("policy", "name or full path of the policy")
parser:option("-s --score", "least score"):argname("N"):convert(tonumber):default "0"
parser:option("--kind", "only for entities of this kind, such as url or parameter"):argname "KIND"
parser
  :option("--status", "pending (the default), ignored, accept, accept-and-stage")
  :argname("STATUS")
  :default "pending"
parser
  :option("--comment", "add this comment to accepted, staged and ignored suggestions")
  :argname "TEXT"
parser:mutex(
  parser:flag("--accept", "accept the suggestions"),
  parser:flag("--stage", "accept the suggestions and put the entities into staging"),
  parser:flag("--ignore", "ignore the suggestions"))
parser:flag("--apply", "apply the policy at the end")
parser:flag("-y --yes", "do not ask")
local args = parser:parse()

local ACTIONS = { accept = "accepted", stage = "staged", ignore = "ignored" }

local bip <close> = f5.connect {}
local asm = f5.asm(bip)
local policy = asm:policy(args.policy)

local filter = { status = args.status }
if args.kind then filter.entityKind = { contains = ":" .. args.kind .. "state" } end
local found = {}
for one in asm:suggestions(policy, { score = args.score, filter = filter }) do
  found[#found + 1] = one
end

-- "tm:asm:policies:urls:urlstate" -> "url"
local function kind_of(one) return (one.entityKind or ""):match ":([^:]+)state$" or "policy" end

local function changes_of(one)
  local parts = {}
  for name, value in pairs(one.entityChanges or {}) do
    parts[#parts + 1] = name
      .. "="
      .. (type(value) == "table" and f5.json.encode(value, { sort = true }) or tostring(value))
  end
  table.sort(parts)
  return table.concat(parts, " ")
end

for _, one in ipairs(found) do
  print(
    ("%5.1f  %-13s %-10s %s  %s%s"):format(
      one.score,
      one.action or "-",
      kind_of(one),
      one.entityName or "-",
      changes_of(one),
      one.comment ~= "" and one.comment and "  # " .. one.comment or ""
    )
  )
end
print(("%d suggestion%s"):format(#found, #found == 1 and "" or "s"))

local action
for name in pairs(ACTIONS) do action = args[name] and name or action end
if not action or #found == 0 then return end

if not args.yes then
  io.write(("%s all of them? [y/N] "):format(action))
  io.flush()
  if not (io.read "l" or ""):lower():find "^%s*y" then return print "nothing changed" end
end

local failed = 0
for _, one in ipairs(found) do
  local ok, err = f5.try(function()
    if args.comment then asm:comment(one, args.comment) end
    asm[action](asm, one)
  end)
  if not ok then
    failed = failed + 1
    io.stderr:write(("%s: %s\n"):format(one.entityName or one.id, tostring(err)))
  end
end
print(("%d %s"):format(#found - failed, ACTIONS[action]))
if args.apply and failed < #found then
  asm:apply_policy(policy):wait()
  print "the policy is applied"
end
if failed > 0 then error(("%d suggestions could not be %s"):format(failed, ACTIONS[action]), 0) end
