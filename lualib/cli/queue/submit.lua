-- f5lua submit: stores a run in a queue, for workers to carry out.
local archive = require "build.archive"
local budget_of = require "f5.fleet.budget"
local bundle = require "f5.bundle"
local core = require "f5.core"
local fleet = require "cli.support.fleet"
local following = require "cli.support.queue.following"
local lint = require "cli.support.lint.before"
local output = require "cli.support.output"
local packing = require "cli.support.packing.entries"
local queue_options = require "cli.support.queue.options"
local terminal = require "f5.terminal"
local usage = require "cli.support.usage"

local M = { summary = "submit a playbook to the workers of a queue", rest = true }

local PROGRAM <const> = "f5lua submit"

-- More than this is no playbook with its modules, but a mistake of --include.
local MOST_BYTES <const> = 64 << 20

function M.setup(parser)
  parser:usage(
    "Usage: f5lua submit [--queue URL] [--schema NAME] --inventory FILE [--limit PATTERN]\n"
      .. "                    [--tags TAG,…] [--canary N] [--batch N] [--max-failures N|P%]\n"
      .. "                    [--per-device N] [--on active] [--wait] [--sign KEY.pem]\n"
      .. "                    [--include GLOB] [--no-lint] [--force] PLAYBOOK.lua [ARG…]"
  )
  queue_options.add(parser)
  fleet.add_choice(parser)
  parser
    :option("--tags", "only workers that have these tags, too: of all devices; separated by commas")
    :argname "TAG,…"
  fleet.add_rules(parser)
  parser:flag("--wait", "follow the run until it ends")
  parser
    :option("--sign", "sign the run with this private key (Ed25519, PEM)")
    :argname "KEY.pem"
  packing.add_include(parser)
  lint.add_option(parser, "do not look for mistakes first, see f5lua lint")
  parser:flag("--force", "submit what seems to hold a secret, too")
  parser:epilog "Prints the number of the run. See docs/queue.md."
end

local function note(...) terminal.err(PROGRAM, ": ", string.format(...), "\n") end

local function at_least(options, name, least)
  local value = options[name]
  if value and value < least then
    usage(("--%s must be at least %d"):format(name:gsub("_", "-"), least), PROGRAM)
  end
  return value
end

local function devices_of(options)
  if not options.inventory then
    usage("name the devices with --inventory FILE", PROGRAM)
  end
  return fleet.devices(options, PROGRAM):limit(options.limit).devices
end

local function packed(options)
  local entries = packing.find(options, PROGRAM)
  packing.refuse_credentials(entries, options.force, "everybody who may see the queue", PROGRAM)
  packing.add_facts(entries, "source")
  local bytes = archive.write(entries)
  if #bytes > MOST_BYTES then
    usage(
      ("the playbook with its modules and files has %d MB, more than %d MB; include less"):format(
        #bytes >> 20, MOST_BYTES >> 20
      ), PROGRAM
    )
  end
  return bytes
end

-- The run, with everything that does not need the database.
local function run_of(options, devices, words)
  local manifest <const> = require "f5.queue.manifest"
  local most = budget_of(options.max_failures, #devices)
  if not most then
    usage(
      ("--max-failures must be a number of devices or a share such as 10%%, not '%s'"):format(
        options.max_failures
      ), PROGRAM
    )
  end
  local given <const> = {
    kind = "run", playbook = options.playbook:match "[^/]*$",
    arguments = words, tags = queue_options.tags(options.tags, PROGRAM),
    canary = at_least(options, "canary", 0),
    batch = at_least(options, "batch", 1), per_device = at_least(options, "per_device", 1),
    max_failures = most ~= math.huge and most or nil, on = options.on, force = options.force,
  }
  local bytes <const> = packed(options)
  given.archive = core.sha256(bytes)
  local made <const> = manifest.make(devices, given)
  local text <const> = manifest.text(made)
  local signature
  if options.sign then
    local reason
    -- C code reads the key: a Lua string would stay in memory
    signature, reason = bundle.sign(options.sign, manifest.signed_text(text))
    if not signature then error(reason, 0) end
  end
  return {
    manifest = made, text = text, archive = bytes, signature = signature,
    from = queue_options.this_machine(),
  }
end

-- Exit status of a run that has ended.
local function conclude(state, watch)
  output(("run %d: %s%s: %s\n"):format(
    state.id, state.state, state.reason and " (" .. terminal.line(state.reason) .. ")" or "",
    watch.line(state)
  ))
  return state.state == "done" and 0 or 1
end

local function wait_for(id, address, schema)
  local ok, state = pcall(following.follow, PROGRAM, address, schema, id)
  if ok then return conclude(state, require "f5.queue.watch") end
  if type(state) == "table" and state.kind == "cancelled" then note("run %d goes on", id) end
  error(state, 0)
end

local function submit(options)
  local words <const> = options.rest
  options.playbook = table.remove(words, 1)
  if not options.playbook then usage("no playbook given", PROGRAM) end
  if options.playbook == "-" then
    usage("a run needs a file: standard input has no modules", PROGRAM)
  end
  local address <const>, schema <const> = require("f5.queue").address(options)
  local run <const> = run_of(options, devices_of(options), words)
  local id
  do
    local db <close> = require("f5.queue").open(address, schema)
    id = require("f5.queue.submit").store(db, run)
    output(("%d\n"):format(id))
    following.tell_missing(PROGRAM, db, id)
  end
  if options.wait then return wait_for(id, address, schema) end
end

function M.run(options) return queue_options.guarded(PROGRAM, submit, options) end

return M
