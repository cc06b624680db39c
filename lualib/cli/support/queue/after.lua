-- Runs of a queue that follow another one: f5lua undo takes back what a run wrote, f5lua apply
-- sends the plans of a check.
local calls = require "f5.queue.calls"
local core = require "f5.core"
local fleet = require "cli.support.fleet"
local inventory = require "f5.inventory"
local manifest = require "f5.queue.manifest"
local output = require "cli.support.output"
local queue_options = require "cli.support.queue.options"
local queues = require "f5.queue"
local show = require "cli.support.queue.show"
local submitting = require "cli.support.queue.submitting"
local usage = require "cli.support.usage"

local M = {}

---@class cli.queue.after
---@field kind "undo"|"apply"
---@field program string
---@field refused string[] options that it has without a queue only
---@field wanted fun(db, id, run, options): table[] devices, as of f5.queue.calls.recorded
---@field none string what is printed, with the number of the run, if there are no devices

-- Options that only a queue has.
local ONLY_QUEUES <const> = { "schema", "canary", "batch", "max_failures", "sign", "wait" }

--- Adds the options that only a queue has.
function M.add_options(parser)
  queue_options.add(parser)
  fleet.add_waves(parser)
  submitting.add_wait(parser)
  submitting.add_sign(parser)
end

local function is_file(path)
  local file <close> = io.open(path, "rb")
  return file ~= nil
end

--- The number of the run that a word means; nil: it means a file or a change record.
-- @param or_file boolean|nil: with --queue, a word that is not a number is a file
function M.run_of(word, options, program, or_file)
  local named <const> = word:match "^run:(%d+)$"
  local number <const> = math.tointeger(tonumber(named or word:match "^%d+$"))
  if not number and word:find "^run:" and not is_file(word) then
    usage(("'%s' is not the number of a run: say run:1, for example"):format(word), program)
  end
  if or_file and options.queue and not number then return nil end
  if named or options.queue then
    return number or usage(("'%s' is not the number of a run"):format(word), program)
  end
  if number and #word < 8 and os.getenv "F5LUA_QUEUE" then
    usage(("say run:%s for a run of the queue in F5LUA_QUEUE, or the whole %s"):format(word,
      or_file and "path of a plan, such as ./" .. word or "id of a change record"), program)
  end
  for _, name in ipairs(ONLY_QUEUES) do
    if options[name] then
      usage(("--%s needs --queue: it is about a run of a queue"):format((name:gsub("_", "-"))),
        program)
    end
  end
  return nil
end

-- The run, if it has ended.
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
  local content, why = manifest.read(row.manifest)
  if not content then core.usage_error(("run %d: %s"):format(id, why)) end
  row.content = content
  return row
end

-- The devices of a run must be in its manifest.
local function known(content, wanted, id)
  for _, one in ipairs(wanted) do
    if not content.devices[one.position] then
      core.usage_error(("run %d: its manifest has no device %d"):format(id, one.position))
    end
  end
  return wanted
end

-- Of the devices of a run, those of --limit.
local function limited(content, wanted, limit)
  if not limit then return wanted end
  local devices, positions = {}, {}
  for _, one in ipairs(wanted) do
    local entry <const> = content.devices[one.position]
    local groups = {}
    for _, name in ipairs(entry.groups or {}) do groups[name] = true end
    devices[#devices + 1] = { name = entry.name, groups = groups }
    positions[entry.name] = one
  end
  local chosen = {}
  local all <const> = inventory.of(devices, "the run")
  for _, device in ipairs(all:limit(limit).devices) do
    chosen[#chosen + 1] = positions[device.name]
  end
  return chosen
end

-- Submits it. Returns its number.
local function store(what, options, id, run, wanted, address, schema)
  local given <const> = {
    run = id, check = options.check or nil, force = options.force or nil,
    save = options.save or nil,
  }
  submitting.add_waves(given, options, #wanted, what.program)
  local made <const> = manifest.after(what.kind, run.content, wanted, given)
  local text <const> = manifest.text(made)
  return submitting.store(what.program, address, schema, {
    manifest = made, text = text, archive = run.contents,
    signature = submitting.sign(options.sign, text), from = queue_options.this_machine(),
  }, options.quiet)
end

local function submit(what, options, id)
  submitting.refuse(options, what.refused, what.program)
  local address <const>, schema <const> = queues.address(options)
  local run, wanted
  do
    local db <close> = queues.open(address, schema)
    run = find(db, id)
    wanted = known(run.content, what.wanted(db, id, run, options), id)
    wanted = limited(run.content, wanted, options.limit)
  end
  if #wanted == 0 then
    output(("run %d: %s\n"):format(id, what.none))
    return 0
  end
  local wait <const>, is_json <const> = options.wait or options.check, options.output == "json"
  options.quiet = wait and is_json
  local new <const> = store(what, options, id, run, wanted, address, schema)
  if not wait then return 0 end
  local state <const> = submitting.wait(what.program, address, schema, new, is_json)
  local db <close> = queues.open(address, schema)
  if is_json then show.json(db, state) else show.devices(db, new) end
  return state.state == "done" and 0 or 1
end

--- Submits the run that follows. Returns the exit status.
-- @param what cli.queue.after
-- @param id integer: the number of the other run
function M.run(what, options, id)
  return queue_options.guarded(what.program, submit, what, options, id)
end

return M
