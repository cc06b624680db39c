-- f5lua run: a playbook, if wished against a simulated device.
local host = require "f5.host"
local usage = require "cli.support.usage"

local M = { summary = "run a playbook, with --sim against a simulated device", rest = true }

function M.setup(parser)
  parser:usage "Usage: f5lua run [--sim] FILE [ARG…]"
  parser:epilog "FILE is a playbook, or - for standard input; everything behind it is given to the playbook."
end

function M.run(options)
  local words = options.rest
  local file = table.remove(words, 1)
  if not file then usage("which playbook?", "f5lua run") end
  local chunk, message, unreadable = host.load(file ~= "-" and file or nil)
  if not chunk then
    if unreadable then usage(message, "f5lua run") end
    error(message, 0)
  end
  host.set_script(file, words)
  chunk(table.unpack(words))
end

return M
