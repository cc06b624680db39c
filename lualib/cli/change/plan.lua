-- f5lua plan: checks a playbook and writes what it would do into a file, for f5lua apply.
local check = require "cli.support.change.check"
local output = require "cli.support.output"
local playbook = require "cli.support.playbook"
local simulated = require "cli.support.simulated"
local terminal = require "f5.terminal"

local M = { summary = "write what a playbook would do into a file", rest = true, logs = true }

local PROGRAM <const> = "f5lua plan"

function M.setup(parser)
  parser:usage(
    "Usage: f5lua plan [-v] -o FILE [--sign KEY.pem] [--no-validate] [--exit-code]\n"
      .. "                  [-e CHUNK] PLAYBOOK [ARG…]"
  )
  parser:option("-o", "the file of the plan"):argname "FILE":count(1):target "file"
  parser:option("--sign", "sign the plan with this private key (Ed25519, PEM)"):argname "KEY.pem"
  parser:option("-e", "run CHUNK before PLAYBOOK, or alone"):argname "CHUNK":count "*"
  parser:flag("--no-validate", "do not ask the device whether it accepts the changes")
    :target "no_validate"
  parser:flag("--exit-code", "exit with 4 if there are changes"):target "exit_code"
  simulated.add_options(parser, "start a simulated device, and plan for that")
  parser:epilog(
    "Nothing is written to the device. 'f5lua show FILE' prints the plan, 'f5lua apply FILE'\n"
      .. "sends exactly its steps, if the device is still as the plan saw it. Passwords and keys\n"
      .. "are encrypted with the passphrase in F5LUA_PASSPHRASE, or with one that is asked for."
  )
end

function M.run(options)
  local chunks, words = playbook.load(options, PROGRAM)
  if options.sim then simulated.start(options, PROGRAM) end
  local name = arg and arg[0]
  return check.run(options, playbook.function_of(chunks, words), function(result)
    local plan = require("f5.plan.make").plan(result, { playbook = name, arguments = words })
    require("f5.plan.file").write(options.file, plan, options.sign)
    local count = 0
    for _, device in ipairs(plan.devices) do count = count + #device.steps end
    output(("plan with %d steps: %s\n"):format(count, terminal.line(options.file)))
  end)
end

return M
