-- f5lua console: a device at the other end of a prompt.
local device = require "cli.support.device"
local host = require "f5.host"

local M = { summary = "talk to a device at a prompt (what f5lua does on a terminal)", logs = true }

function M.setup(parser)
  parser:argument("host", "the device (default: F5_SERVER, else a prompt)"):args "?":argname "HOST[:PORT]"
  parser:flag("--sim", "start a simulated device and connect to it")
  device.add_options(parser)
  parser:epilog "Type .help there. See docs/console.md."
end

local function start_device()
  local sim <const> = require "f5.sim"
  local users <const> = { table.unpack(sim.default_users) }
  users[#users + 1] = { name = "manager", password = "manager", role = "manager" }
  sim.running = sim.start { users = users }
  require("f5.core").preset(sim.running:options "admin")
end

local function ask_host()
  io.stdout:write "Device (name or address; nothing: connect later): "
  io.stdout:flush()
  local answer = io.read "l"
  return answer and answer:match "%S+"
end

function M.run(options)
  local interactive <const> = host.is_terminal(0) and host.is_terminal(1)
  if options.sim then start_device() end
  local console <close> = require("console").new { interactive = interactive }
  if interactive then
    console.output:note(("f5lua %s. Tab completes, .help helps, Ctrl-D leaves."):format(host.version))
    if not options.sim and not device.is_known(options) then options.host = ask_host() end
  end
  if options.sim or device.is_known(options) then
    local given <const> = device.options(options)
    local connected <const>, status <const> = console:connect(given)
    if not connected and not interactive then return status end
  end
  return console:loop()
end

return M
