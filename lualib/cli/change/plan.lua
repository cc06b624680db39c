-- f5lua plan: checks a playbook, or what makes a device like another, and writes what it would do
-- into a file, for f5lua apply.
local check = require "cli.support.change.check"
local hints = require "cli.support.hints"
local host = require "f5.host"
local place = require "cli.support.change.place"
local playbook = require "cli.support.playbook"
local simulated = require "cli.support.simulated"
local usage = require "cli.support.usage"

local M = {
  summary = "write what a playbook would do into a file", rest = true, logs = true,
  records = "a plan asks twins, so there is nothing to record: give --record to 'f5lua apply'",
}

local PROGRAM <const> = "f5lua plan"

function M.setup(parser)
  parser:usage(
    "Usage: f5lua plan [-v] -o FILE [--sign KEY.pem] [--no-validate] [--exit-code]\n"
      .. "                  [--against FILE] [-e CHUNK] PLAYBOOK [ARG…]\n"
      .. "       f5lua plan [-v] -o FILE --inventory FILE [--limit PATTERN] PLAYBOOK [ARG…]\n"
      .. "       f5lua plan [-v] -o FILE [--sign KEY.pem] [--no-validate] [--exit-code]\n"
      .. "                  --to FILE|HOST [--host HOST] [--partition NAME]\n"
      .. "                  [--ignore PATTERN] [PATH…]"
  )
  parser:option("-o", "the file of the plan"):argname "FILE":count(1):target "file"
  parser
    :option("--to", "make the device like a snapshot, a saved configuration or another device")
    :argname "FILE|HOST"
  parser:option("--host", "with --to: the device (default: F5_SERVER)"):argname "HOST"
  parser:option("--partition", "with --to: only objects of this partition"):argname "NAME"
  parser
    :option("--ignore", "with --to: leave out properties or objects, as f5lua diff does")
    :argname "PATTERN"
    :count "*"
  parser
    :option("--against", "no device, but what is in FILE: a snapshot or a saved configuration")
    :argname "FILE"
  parser:option("--limit", "with --inventory and a playbook: only these devices"):argname "PATTERN"
  parser
    :option("--workers", "with --inventory and a playbook: devices at the same time")
    :argname "N"
    :convert(tonumber)
  parser:option("--sign", "sign the plan with this private key (Ed25519, PEM)"):argname "KEY.pem"
  parser:option("-e", "run CHUNK before PLAYBOOK, or alone"):argname "CHUNK":count "*"
  parser:flag("--no-validate", "do not ask the device whether it accepts the changes")
    :target "no_validate"
  parser:flag("--no-lint", "with --inventory: do not look for mistakes first"):target "no_lint"
  parser:flag("--exit-code", "exit with 4 if there are changes"):target "exit_code"
  place.add_options(parser)
  simulated.add_options(parser, "start a simulated device, and plan for that")
  parser:epilog(
    "Nothing is written to the device. 'f5lua show FILE' prints the plan, 'f5lua apply FILE'\n"
      .. "sends exactly its steps, if the device is still as the plan saw it. Passwords and keys\n"
      .. "are encrypted with the passphrase in F5LUA_PASSPHRASE, or with one that is asked for.\n"
      .. "Exit status: 0 the plan is written (4 with --exit-code, if there are changes), 1 the\n"
      .. "playbook failed, or the device rejects a step, 3 the device or the network failed."
  )
end

-- A playbook says itself where it connects to.
local ONLY_TO <const> = {
  "host", "partition", "user", "provider", "ca", "no_verify", "timeout", "ver",
}

-- -- plan --to ------------------------------------------------------------------------------------

local function plan_to(options)
  hints.for_command()
  for _, name in ipairs { "against", "sim" } do
    if options[name] then usage(("--to works without --%s"):format(name), PROGRAM) end
  end
  if #options.e > 0 then usage("--to takes no playbook, so -e has no use", PROGRAM) end
  local paths = place.paths(options.rest, PROGRAM)
  local inventory, secrets = place.inventory(options), {}
  local wanted = options.to
  if not place.is_file(wanted) or place.find(inventory, wanted) then
    wanted = place.connect(wanted, options, inventory, PROGRAM, secrets)
  end
  local _wanted <close> = type(wanted) == "userdata" and wanted or nil
  local real <close> = place.connect(options.host, options, inventory, PROGRAM, secrets)
  local make_so = require("f5.plan.toward").playbook(real, wanted, {
    paths = paths, partition = options.partition,
    ignore = #options.ignore > 0 and options.ignore or nil,
  })
  return check.run(options, make_so, function(result)
    check.write_plan(result, options, { to = options.to })
  end)
end

-- The plan of a playbook for all devices of an inventory.
local function plan_fleet(options)
  for _, name in ipairs { "against", "sim" } do
    if options[name] then usage(("--inventory works without --%s"):format(name), PROGRAM) end
  end
  local words = options.rest
  local file = table.remove(words, 1)
  if not file or #options.e > 0 then usage("--inventory needs a playbook, and no -e", PROGRAM) end
  host.set_script(file, words)
  return check.fleet(options, file, words, PROGRAM, function(result)
    check.write_plan(result, options, { playbook = file, arguments = words })
  end)
end

function M.run(options)
  if options.to then return plan_to(options) end
  for _, name in ipairs(ONLY_TO) do
    if options[name] then
      usage(("--%s works with --to only"):format((name:gsub("_", "-"))), PROGRAM)
    end
  end
  if #options.ignore > 0 then usage("--ignore works with --to only", PROGRAM) end
  if options.against and options.sim then
    usage("--against is a simulated device already: leave out --sim", PROGRAM)
  end
  if options.inventory then return plan_fleet(options) end
  for _, name in ipairs { "limit", "workers" } do
    if options[name] then usage(("--%s needs --inventory"):format(name), PROGRAM) end
  end
  local chunks, words = playbook.load(options, PROGRAM)
  if options.sim then simulated.start(options, PROGRAM) end
  return check.run(options, playbook.function_of(chunks, words), function(result)
    check.write_plan(result, options, {
      playbook = arg and arg[0] or "-e", arguments = words, against = options.against,
    })
  end)
end

return M
