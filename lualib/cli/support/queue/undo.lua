-- f5lua undo of a run of a queue: submits a run that takes back what the other one wrote.
local calls = require "f5.queue.calls"
local core = require "f5.core"
local inventory = require "f5.inventory"
local json = require "f5.json"
local manifest = require "f5.queue.manifest"
local output = require "cli.support.output"
local queue_options = require "cli.support.queue.options"
local queues = require "f5.queue"
local show = require "cli.support.queue.show"
local submitting = require "cli.support.queue.submitting"
local usage = require "cli.support.usage"

local M = {}

-- Options of an undo without a queue.
local ONLY_RECORDS <const> = { "host", "inventory", "user", "port", "report" }
-- Options of an undo with a queue.
local ONLY_QUEUES <const> = { "schema", "canary", "batch", "max_failures", "sign", "wait" }

--- The number of the run that is meant; nil: a change record of this machine is meant.
function M.run_of(options, program)
  local named <const> = options.record:match "^run:(%d+)$"
  local number <const> = math.tointeger(tonumber(named or options.record:match "^%d+$"))
  if named or options.queue then
    return number or usage(
      ("'%s' is not the number of a run"):format(options.record), program
    )
  end
  for _, name in ipairs(ONLY_QUEUES) do
    if options[name] then
      usage(("--%s needs --queue: it is about a run of a queue"):format((name:gsub("_", "-"))),
        program)
    end
  end
  return nil
end

-- The run, if it can be taken back.
local function find(db, id)
  local row = calls.run(db, id)
  if not row then
    error(core.error_new { kind = "database", message = ("there is no run %d"):format(id) }, 0)
  end
  local state <const> = require("f5.queue.watch").state(db, id)
  if not state.ended_at then
    core.usage_error(
      ("run %d is still going on; 'f5lua runs cancel %d' ends it"):format(id, id)
    )
  end
  local ok, content = pcall(json.decode, row.manifest)
  if not ok or content.format ~= manifest.FORMAT then
    core.usage_error(("the manifest of run %d is not one of this f5lua"):format(id))
  end
  return row, content
end

-- Of the devices with a change record, those of --limit.
local function limited(content, recorded, limit)
  if not limit then return recorded end
  local devices, positions = {}, {}
  for _, one in ipairs(recorded) do
    local entry <const> = content.devices[one.position]
    local groups = {}
    for _, name in ipairs(entry.groups or {}) do groups[name] = true end
    devices[#devices + 1] = { name = entry.name, groups = groups }
    positions[entry.name] = one
  end
  local chosen = {}
  local all <const> = inventory.of(devices, "the devices that the run changed")
  for _, device in ipairs(all:limit(limit).devices) do
    chosen[#chosen + 1] = positions[device.name]
  end
  return chosen
end

-- Words that make no sense for a run of a queue.
local function check_options(options, program)
  for _, name in ipairs(ONLY_RECORDS) do
    if options[name] then
      usage(("--%s is not for runs of a queue: workers know the devices"):format(name), program)
    end
  end
  if options.exit_code then usage("--exit-code is not for runs of a queue", program) end
end

--- Submits the undo of a run. Returns the exit status.
function M.run(options, id, program)
  check_options(options, program)
  local address <const>, schema <const> = queues.address(options)
  local row, content, recorded
  do
    local db <close> = queues.open(address, schema)
    row, content = find(db, id)
    recorded = limited(content, calls.recorded(db, id), options.limit)
  end
  if #recorded == 0 then
    output(("run %d: nothing to take back: it wrote nothing\n"):format(id))
    return 0
  end
  local given <const> = {
    run = id, check = options.check or nil, force = options.force or nil,
    save = options.save or nil,
  }
  submitting.add_waves(given, options, #recorded, program)
  local made <const> = manifest.undo(content, recorded, given)
  local text <const> = manifest.text(made)
  local wait <const> = options.wait or options.check
  local is_json <const> = options.output == "json"
  local new = submitting.store(program, address, schema, {
    manifest = made, text = text, archive = row.contents,
    signature = submitting.sign(options.sign, text), from = queue_options.this_machine(),
  }, wait and is_json)
  if not wait then return 0 end
  local state <const> = submitting.wait(program, address, schema, new, is_json)
  local db <close> = queues.open(address, schema)
  if is_json then show.json(db, state) else show.devices(db, new) end
  return state.state == "done" and 0 or 1
end

return M
