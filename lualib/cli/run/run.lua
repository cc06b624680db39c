-- f5lua run: runs a playbook, with --sim on a simulated device.
local host = require "f5.host"
local fleet = require "cli.support.fleet"
local simulated = require "cli.support.simulated"
local usage = require "cli.support.usage"

local M =
  { summary = "run a playbook, with --sim on a simulated device", rest = true, logs = true }

local PROGRAM <const> = "f5lua run"

function M.setup(parser)
  parser:usage(
    "Usage: f5lua run [-v] [--log-format FORMAT] [-e CHUNK] FILE [ARG…]\n"
      .. "       f5lua run [-v] --sim [--provision MODULE,…] [--seed FILE.json] FILE [ARG…]\n"
      .. "       f5lua run [-v] --inventory FILE [--limit PATTERN] [--workers N] [--canary N]\n"
      .. "                 [--batch N] [--max-failures N|P%] [--per-device N] [--on active]\n"
      .. "                 [--journal FILE [--force]] [--report FILE] FILE [ARG…]"
  )
  simulated.add_options(
    parser,
    "start a simulated device; f5.connect uses it, whatever host the playbook names"
  )
  parser:option("-e", "run CHUNK before FILE, or alone"):argname "CHUNK":count "*"
  fleet.add_options(parser)
  parser:epilog(
    "FILE is a playbook, or - for standard input. All words after it are its arguments.\n"
      .. "The simulated device has the users admin, manager and operator; their names are their\n"
      .. "passwords and roles. The playbook is admin unless it gives a username. To move the\n"
      .. 'clock or to plant faults, it uses `require "f5.sim".running`.'
  )
end

local function refuse(message, is_usage)
  if is_usage then usage(message, PROGRAM) end
  error(message, 0)
end

-- Compiles everything before anything runs.
local function load_all(options)
  local chunks = {}
  for _, text in ipairs(options.e) do
    local chunk, message = load(text, "=(command line)")
    chunks[#chunks + 1] = chunk or refuse(message, false)
  end
  local words = options.rest
  local file = table.remove(words, 1)
  if file then
    local chunk, message, unreadable = host.load(file ~= "-" and file or nil)
    chunks[#chunks + 1] = chunk or refuse(message, unreadable)
    host.set_script(file, words)
  elseif not chunks[1] then
    usage("no playbook given", PROGRAM)
  end
  return chunks, words
end

function M.run(options)
  if options.inventory then
    local words = options.rest
    local file = table.remove(words, 1)
    if not file then usage("no playbook given", PROGRAM) end
    if options.sim or options.e[1] then
      usage("--inventory needs a file, and works neither with --sim nor with -e", PROGRAM)
    end
    host.set_script(file, words)
    return fleet.run(options, file, words)
  end
  fleet.refuse_without_inventory(options)
  local chunks, words = load_all(options)
  if options.sim then simulated.start(options, PROGRAM) end
  for i = 1, #chunks - 1 do chunks[i]() end
  chunks[#chunks](table.unpack(words))
end

return M
