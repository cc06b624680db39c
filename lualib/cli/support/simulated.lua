-- --sim: a simulated device that is started for a subcommand, which f5.connect then goes to.
local seed = require "cli.support.seed"

local M = {}

function M.add_options(parser, help)
  parser:flag("--sim", help)
  parser
    :option("--provision", "modules of the simulated device (default: those of the seed, else ltm)")
    :argname "MODULE,…"
  parser
    :option("--seed", "start the simulated device with what is in FILE.json")
    :argname "FILE.json"
end

-- It runs until the program ends, not only the playbook: tokens of sessions that the playbook
-- forgot are deleted after that.
function M.start(options, program)
  local sim = require "f5.sim"
  local users = { table.unpack(sim.default_users) }
  users[#users + 1] = { name = "manager", password = "manager", role = "manager" }
  local device = sim.start {
    users = users,
    provision = options.provision and seed.words(options.provision) or nil,
    seed = options.seed and seed.read(options.seed, program) or nil,
  }
  require("f5.core").preset(device:options "admin")
  sim.running = device
end

return M
