-- --sim: starts a simulated device for a subcommand. f5.connect then connects to it.
local core = require "f5.core"
local seed = require "cli.support.seed"

local M = {}

function M.add_options(parser, help)
  parser:flag("--sim", help)
  parser
    :option(
      "--provision",
      "modules of the simulated device (default: those of the seed, otherwise ltm)"
    )
    :argname "MODULE,…"
  parser
    :option("--extensions", "extensions of the simulated device, such as as3=3.50.2")
    :argname "NAME[=VERSION],…"
  parser
    :option("--seed", "start the simulated device with a seed or a saved configuration")
    :argname "FILE"
    :count "*"
end

-- The device runs until the program ends: sessions that the playbook forgot delete their tokens
-- after the playbook's end.
function M.start(options, program)
  local sim = require "f5.sim"
  local users = { table.unpack(sim.default_users) }
  users[#users + 1] = { name = "manager", password = "manager", role = "manager" }
  local device = sim.start {
    users = users,
    provision = seed.modules(options, program),
    extensions = seed.extensions(options, program),
    seed = seed.read_all(options.seed or {}, program),
  }
  seed.report_refused(device)
  seed.report_remarks(device)
  local access = device:options "admin"
  access.label = options.label
  core.preset(access)
  core.is_simulated = true -- profiles give no users and passwords of real devices
  sim.running = device
end

return M
