--- f5.each: runs one function on many devices.
--
--   local options = { workers = 50, canary = 1, max_failures = "10%" }
--   local report = f5.each(f5.inventory "sites.lua", options, function(bip, device)
--     return #bip.ltm.virtual:list()
--   end)
--   print(report)
--
-- Every device has its own session and its own fiber. A failure on one device is written to the
-- report and does not affect the others. The canaries run first and must all succeed. Then the rest
-- runs, at most `workers` devices at a time. If more devices fail than the budget allows, no new
-- device starts; the report names those that were not reached.

local budget_of = require "f5.fleet.budget"
local core = require "f5.core"
local credentials = require "f5.fleet.credentials"
local defer = require "f5.jobs.defer"
local inventory = require "f5.inventory"
local report_module = require "f5.fleet.report"
local pairing = require "f5.fleet.pair"

local OPTIONS <const> = {
  workers = "integer",
  canary = "integer",
  batch = "integer",
  max_failures = true,
  per_device = "integer",
  on = "string",
  limit = "string",
  journal = true,
  force = "boolean",
  run = true, -- of the program: which run a journal belongs to
  progress = "function",
  sync = "boolean",
}

local function usage(...) core.usage_error(string.format(...)) end

local function check(opts)
  for key, value in pairs(opts) do
    local want = OPTIONS[key]
    if not want then usage("f5.each: unknown option '%s'", tostring(key)) end
    local is = math.type(value) == "integer" and "integer" or type(value)
    if want ~= true and is ~= want then
      usage("f5.each: '%s' must be of type %s, not %s", key, want, is)
    end
    local least = key == "canary" and 0 or 1
    if want == "integer" and value < least then
      usage("f5.each: '%s' must be at least %d", key, least)
    end
  end
  if opts.journal ~= nil and type(opts.journal) ~= "string" then
    usage("f5.each: 'journal' must be of type string, not %s", type(opts.journal))
  end
  if opts.run ~= nil and not require("f5.fleet.journal").is_run(opts.run) then
    usage "f5.each has no option 'run'"
  end
  if opts.on and opts.on ~= "active" then
    usage('f5.each: \'on\' must be "active", not "%s"', opts.on)
  end
end

-- How many may fail.
local function budget(given, total)
  return budget_of(given, total) or usage(
    "f5.each: 'max_failures' must be a number of devices or a share such as \"10%%\", not '%s'",
    tostring(given)
  )
end

local Run = {}
Run.__index = Run

function Run:notify(event, entry)
  if self.progress then self.progress(event, entry, self.report) end
end

--- One device from login to logout. Raises only if the fiber is cancelled.
function Run:visit(device)
  local entry = self.report.by_name[device.name]
  entry.state = "running"
  self:notify("start", entry)
  local began = core.now()
  local ok, result = pcall(function()
    local options = credentials(device, self.secrets)
    options.parallel = self.per_device
    local bip <close> = core.connect(options)
    local outcome
    local done, problem = pcall(function()
      if self.on == "active" then
        outcome = pairing.on_active(bip, device, self.fn, self.sync)
      else
        outcome = { result = self.fn(bip, device) }
      end
    end)
    local usage_of = bip:usage()
    entry.calls, entry.bytes = usage_of.calls, usage_of.bytes_sent + usage_of.bytes_received
    entry.changed = usage_of.writes > 0
    if not done then error(problem, 0) end
    return outcome
  end)
  entry.duration = core.now() - began
  if ok and result.skipped then
    entry.state, entry.reason = "skipped", result.skipped
  elseif ok then
    entry.state, entry.result = "done", result.result
  else
    entry.state, entry.error = "failed", result
    if type(result) == "table" and result.kind == "cancelled" then error(result, 0) end
    self.failures = self.failures + 1
    if self.failures > self.budget and not self.report.stopped then
      self.report.stopped = ("%d failed, %s allowed"):format(self.failures, tostring(self.allowed))
    end
  end
  if self.journal and entry.state ~= "failed" then self.journal:record(entry) end
  self:notify("finish", entry)
end

--- Runs devices, at most `workers` at a time, until all are done or the run is stopped.
function Run:wave(devices)
  local next_device, fibers = 0, {}
  for _ = 1, math.min(self.workers, #devices) do
    fibers[#fibers + 1] = function()
      while not self.report.stopped do
        next_device = next_device + 1
        local device = devices[next_device]
        if not device then return end
        self:visit(device)
      end
    end
  end
  core.all(fibers)
end

--- The canaries first, then the rest in batches.
function Run:visit_all(devices, opts)
  local report = self.report
  local canaries = math.min(opts.canary or 0, #devices)
  if canaries > 0 then
    self:wave(table.move(devices, 1, canaries, 1, {}))
    if self.failures > 0 and not report.stopped then report.stopped = "a canary failed" end
  end
  local batch = math.max(opts.batch or #devices, 1)
  for first = canaries + 1, #devices, batch do
    if report.stopped then return end
    self:wave(table.move(devices, first, math.min(first + batch - 1, #devices), 1, {}))
  end
end

local function open_journal(opts, fn, all)
  local journal = require "f5.fleet.journal"
  return journal.open(opts.journal, opts.run or journal.run_of(fn), all, opts.force)
end

--- Runs fn for each device.
-- @param devices inventory, or a list of host names and tables of f5.connect's options
-- @param opts table|nil: workers (50), canary (0), batch (all), max_failures (no limit), per_device
--   (4), on ("active"), sync (true), limit, journal (file), force (accept the journal of another
--   run), progress (function(event, entry, report))
-- @param fn function(bip, device): the report keeps its first result
-- @return report; see f5.fleet.report
return function(devices, opts, fn)
  if fn == nil then
    opts, fn = {}, opts
  end
  if type(opts) ~= "table" then
    usage("f5.each: expected a table of options, got a %s", type(opts))
  end
  if type(fn) ~= "function" then
    usage("f5.each: expected a function as last argument, got a %s", type(fn))
  end
  check(opts)
  local all = inventory.read(devices)
  local list = all:limit(opts.limit).devices
  local report = report_module.new(list)
  local run = setmetatable({
    fn = function(bip, device) return defer.call(fn, bip, device) end,
    report = report,
    workers = opts.workers or 50,
    per_device = opts.per_device or 4,
    on = opts.on,
    sync = opts.sync ~= false,
    secrets = {},
    failures = 0,
    budget = budget(opts.max_failures, #list),
    allowed = opts.max_failures,
    progress = opts.progress,
  }, Run)
  core.raise_open_files(run.workers * run.per_device + 64)
  local began = core.now()
  local journal <close> = opts.journal and open_journal(opts, fn, all) or nil
  run.journal = journal
  local left = {}
  for _, device in ipairs(list) do
    local before = journal and journal.finished[device.name]
    if before then
      local entry = report.by_name[device.name]
      entry.state, entry.result, entry.changed = "earlier", before.result, before.changed or false
    else
      left[#left + 1] = device
    end
  end
  run:notify("begin", nil)
  local ok, problem = pcall(run.visit_all, run, left, opts)
  report.duration = core.now() - began
  -- The run was cancelled, the disk is full, or the progress function failed: report what was done.
  if not ok then
    local cancelled = type(problem) == "table" and problem.kind == "cancelled"
    report.ok, report.cut_off, report.stopped =
      false, true, cancelled and "interrupted" or tostring(problem)
    run:notify("end", nil)
    error(problem, 0)
  end
  local counts = report:counts()
  report.ok = counts.failed == 0 and counts.unreached == 0
  run:notify("end", nil)
  return report
end
