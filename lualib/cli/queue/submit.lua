-- f5lua submit: stores a run in a queue, for workers to carry out.
local archive = require "build.archive"
local core = require "f5.core"
local fleet = require "cli.support.fleet"
local lint = require "cli.support.lint.before"
local packing = require "cli.support.packing.entries"
local queue_options = require "cli.support.queue.options"
local showing = require "cli.support.queue.show"
local submitting = require "cli.support.queue.submitting"
local usage = require "cli.support.usage"

local M = { summary = "submit a playbook to the workers of a queue", rest = true }

local PROGRAM <const> = "f5lua submit"

-- More than this is no playbook with its modules, but a mistake of --include.
local MOST_BYTES <const> = 64 << 20

function M.setup(parser)
  parser:usage(
    "Usage: f5lua submit [--queue URL] [--schema NAME] --inventory FILE [--limit PATTERN]\n"
      .. "                    [--tags TAG,…] [--canary N] [--batch N] [--max-failures N|P%]\n"
      .. "                    [--per-device N] [--on active] [--check] [--wait] [--sign KEY.pem]\n"
      .. "                    [--include GLOB] [--no-lint] [--force] PLAYBOOK.lua [ARG…]"
  )
  queue_options.add(parser)
  fleet.add_choice(parser)
  parser
    :option("--tags", "only workers that have these tags, too: of all devices; separated by commas")
    :argname "TAG,…"
  fleet.add_rules(parser)
  parser:flag("--check", "write nothing: workers say what the playbook would do; see f5lua apply")
  submitting.add_wait(parser)
  submitting.add_sign(parser)
  packing.add_include(parser)
  lint.add_option(parser, "do not look for mistakes first, see f5lua lint")
  parser:flag("--force", "submit what seems to hold a secret, too")
  parser:epilog "Prints the number of the run. See docs/queue.md."
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
  local given <const> = {
    kind = options.check and "check" or "run", playbook = options.playbook:match "[^/]*$",
    arguments = words, tags = queue_options.tags(options.tags, PROGRAM),
    per_device = submitting.per_device(options, PROGRAM), on = options.on,
    force = options.force,
  }
  submitting.add_waves(given, options, #devices, PROGRAM)
  local bytes <const> = packed(options)
  given.archive = core.sha256(bytes)
  local made <const> = manifest.make(devices, given)
  local text <const> = manifest.text(made)
  return {
    manifest = made, text = text, archive = bytes,
    signature = submitting.sign(options.sign, text), from = queue_options.this_machine(),
  }
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
  local id <const> = submitting.store(PROGRAM, address, schema, run)
  if not options.wait then return end
  local state <const> = submitting.wait(PROGRAM, address, schema, id)
  if options.check then
    local db <close> = require("f5.queue").open(address, schema)
    showing.findings(db, id)
  end
  return state.state == "done" and 0 or 1
end

function M.run(options) return queue_options.guarded(PROGRAM, submit, options) end

return M
