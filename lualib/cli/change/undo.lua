-- f5lua undo: takes back what a change record says.
local device_options = require "cli.support.device"
local f5 = require "f5"
local files = require "f5.safe.files"
local groups = require "cli.support.verbs.groups"
local hints = require "cli.support.hints"
local output = require "cli.support.output"
local reported = require "cli.support.reports.single"
local after = require "cli.support.queue.after"
local safe = require "f5.safe"
local show = require "cli.support.change.undo"
local show_record = require "cli.support.change.record"
local targets = require "cli.support.change.targets"
local usage = require "cli.support.usage"

local M = { summary = "take back what a change record says", logs = true }

local PROGRAM <const> = "f5lua undo"
local NOTHING_TO_DO <const>, LEFT <const>, FAILED <const>, TO_DO <const> = 0, 1, 3, 4

local WORKERS <const> = 20 -- devices at the same time
local FEW <const> = 3 -- devices of which each is shown by itself

local IN_QUEUE <const> = {
  kind = "undo", program = PROGRAM,
  refused = { "host", "inventory", "user", "report", "exit_code" },
  none = "nothing to take back: it wrote nothing",
  wanted = function(db, id) return require("f5.queue.calls").recorded(db, id) end,
}

function M.setup(parser)
  parser
    :argument("record", "id of a change record, the beginning of one, 'last', or a file; or a run")
    :argname "RECORD"
  parser:flag("--check", "only show what would be done")
  parser:flag("--exit-code", "with --check: 4 if there is something to do")
  parser:flag("--force", "also take back what somebody else has changed since")
  parser:flag("--save", "save the configuration afterwards")
  parser
    :option("-H --host", "the device, if its address is another one now")
    :argname "HOST[:PORT]"
  parser
    :option("--inventory", "where the devices of the record, and their credentials, are")
    :argname "FILE"
  parser:option("--limit", "only these devices of the record"):argname "PATTERN"
  parser:option("--output", "text (default) or json"):argname "FORMAT":choices { "text", "json" }
  reported.add_option(parser)
  after.add_options(parser)
  device_options.add_options(parser)
  parser:epilog(
    "What somebody else has changed since is left alone and reported. The undo has a change\n"
      .. "record of its own: to undo it is to redo.\n"
      .. "Exit status: 0 everything is as before, 1 something is left, 2 wrong usage, 3 the\n"
      .. "device or the network failed.\n"
      .. "--queue, or RECORD = run:12: a run of a queue is taken back by its workers, see\n"
      .. "docs/queue.md."
  )
end

-- @param out function|nil: see show.begin
local function undo_one(bip, contents, number, options, record, out)
  local function begin(ops, left, lost)
    if options.output == "json" then return end
    show.begin(bip:label(), options.check, ops, left, lost, out)
  end
  local result = safe.take_back(bip, contents, number, {
    check = options.check, force = options.force, record = record, begin = begin,
  })
  if options.save and not options.check and #result.done > 0 then
    bip.sys.config:run "save"
    result.saved = true
  end
  return result
end

-- Returns the exit status.
local function status_of(results, options)
  local status = NOTHING_TO_DO
  for _, one in ipairs(results) do
    if one.result.error then return FAILED end
    if not one.result.complete then status = LEFT end
  end
  if status == NOTHING_TO_DO and options.check and options.exit_code then
    for _, one in ipairs(results) do if #one.result.done > 0 then return TO_DO end end
  end
  return status
end

local function check_device(bip, contents, number)
  local found = safe.find_device(contents, bip)
  if found == number then return end
  usage(("%s is not the device of the change record %s: %s"):format(
    bip:label(), contents.head.id, contents.devices[number].name), PROGRAM)
end

-- A function that collects texts, and what it has collected.
local function collector()
  local parts = {}
  return function(...) parts[#parts + 1] = table.concat { ... } end, parts
end

local function run(options, contents, record)
  local results, list = {}, targets.of(options, contents, PROGRAM)
  local is_text <const> = options.output ~= "json"
  local together <const> = is_text and #list > FEW and options.verbosity == 0 and groups.new()
  local function one(i)
    local out, parts
    if together then out, parts = collector() end
    local target = list[i]
    local device = contents.devices[target.number]
    local ok, result = pcall(function()
      local bip <close> = f5.connect(target.connect)
      check_device(bip, contents, target.number)
      return undo_one(bip, contents, target.number, options, record, out)
    end)
    if not ok then
      -- one device of several does not stop the others
      if #list == 1 or result.kind == nil or result.kind == "cancelled" then error(result, 0) end
      result = { error = result, done = {}, left = {}, lost = {} }
    end
    results[i] = { device = device, result = result }
    if is_text then show.result(device, options.check, result, contents.head.id, out) end
    if together then together:add(device.name, table.concat(parts)) end
  end
  local at, workers = 0, {}
  for i = 1, math.min(WORKERS, #list) do
    workers[i] = function()
      while at < #list do
        at = at + 1
        one(at)
      end
    end
  end
  f5.all(workers)
  if together then
    together:write()
    output "\n"
    show.counts(results, options.check)
  end
  return results
end

local function undo(options)
  hints.for_command()
  if options.exit_code and not options.check then usage("--exit-code needs --check", PROGRAM) end
  local contents, before = files.to_undo(options.record)
  if contents.running then
    usage(("the run of the change record %s is still going on"):format(contents.head.id), PROGRAM)
  end
  if files.wrote_nothing(contents) then
    if options.output == "json" then
      show.json(contents, {})
    else
      show.nothing(contents, before)
    end
    return NOTHING_TO_DO
  end
  if options.output ~= "json" then show.title(contents) end
  local record = not options.check and safe.undo_record(contents) or nil
  local failure
  local _ <close> = setmetatable({}, {
    __close = function(_, err)
      if record then safe.finish(record, err == nil and not failure, err or failure) end
    end,
  })
  local results = run(options, contents, record)
  for _, one in ipairs(results) do failure = failure or one.result.error or one.result.failure end
  if options.output == "json" then show.json(contents, results, record) end
  if record and record.id and options.output ~= "json" then
    output(("change record of this undo: %s\n"):format(record.id))
  end
  return status_of(results, options)
end

function M.run(options)
  local id <const> = after.run_of(options.record, options, PROGRAM)
  if id then return after.run(IN_QUEUE, options, id) end
  if options.check and options.report then
    usage("--check prints what it found: leave out --report", PROGRAM)
  end
  return reported.run(options, PROGRAM, function()
    return show_record.or_usage(PROGRAM, undo, options)
  end)
end

return M
