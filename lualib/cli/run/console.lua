-- f5lua console: opens a prompt for a device.
local device = require "cli.support.device"
local hints = require "cli.support.hints"
local host = require "f5.host"
local output = require "cli.support.output"
local simulated = require "cli.support.simulated"

local M = { summary = "open a prompt for a device (the default on a terminal)", logs = true }

function M.setup(parser)
  parser
    :argument("host", "the device (default: F5_SERVER, else a prompt)")
    :args "?"
    :argname "HOST[:PORT]"
  simulated.add_options(parser, "start a simulated device and connect to it")
  device.add_options(parser)
  parser:epilog "Type .help there. See docs/console.md."
end

local function ask_host()
  output "Device (name or address; empty: connect later): "
  output.flush()
  local answer = io.read "l"
  return answer and answer:match "%S+"
end

function M.run(options)
  hints.for_console()
  local interactive = host.is_terminal(0) and host.is_terminal(1)
  if options.sim then simulated.start(options, "f5lua console") end
  local console <close> = require("console").new { interactive = interactive }
  if interactive then
    console.output:note(
      ("f5lua %s. Tab completes, .help helps, Ctrl-D leaves."):format(host.version)
    )
    if not options.sim and not device.is_known(options) then options.host = ask_host() end
  end
  if options.sim or device.is_known(options) then
    local given = device.options(options)
    local connected, status = console:connect(given)
    if not connected and not interactive then return status end
  end
  return console:loop()
end

return M
