-- run --confirm and --verify: checks a playbook with twins, leaves on each device what takes the
-- change back, and runs the playbook. It may send only what the check saw.
local apply = require "f5.plan.apply"
local check = require "f5.plan.check"
local confirm = require "f5.confirm"
local confirmed = require "cli.support.change.confirmed"
local core = require "f5.core"
local drift = require "f5.plan.drift"
local duration = require "cli.support.change.duration"
local environment = require "cli.support.change.environment"
local exits = require "f5.safe.exits"
local follow = require "f5.confirm.follow"
local make = require "f5.plan.make"
local opened = require "f5.safe.opened"
local output = require "cli.support.output"
local read_back = require "cli.support.change.read_back"
local show_check = require "cli.support.change.check"
local terminal = require "f5.terminal"
local undoable = require "cli.support.change.undoable"
local usage = require "cli.support.usage"

local M = {}

local WORKERS <const> = 20 -- devices at a time
local TICK <const> = 15 -- s between two looks at the timers, while the playbook runs

local line <const>, value_of <const> = output.line, environment.value_of

--- Adds what F5LUA_CONFIRM and F5LUA_VERIFY say to the options.
function M.from_environment(options, program)
  local time = value_of "F5LUA_CONFIRM"
  if time and not options.confirm then
    local seconds, why = duration.minutes "F5LUA_CONFIRM"(time)
    options.confirm = seconds or usage(why, program)
  end
  options.verify = options.verify or value_of "F5LUA_VERIFY"
end

--- Whether the change must be confirmed.
function M.is_wanted(options) return (options.confirm or options.verify) ~= nil end

-- What works otherwise than --confirm says.
local AGAINST <const> = { "check", "sim", "journal", "on", "canary", "batch", "max_failures" }

function M.check_options(options, program)
  for _, name in ipairs(AGAINST) do
    if options[name] then
      usage(("--confirm and --verify work without --%s"):format((name:gsub("_", "-"))), program)
    end
  end
  confirmed.check_options(options, program)
end

-- -- the check ------------------------------------------------------------------------------------

-- The modules and globals that the check left behind: the run starts as if there had been none.
local KEPT <const> = { "^f5$", "^f5%.", "^cli%.", "^console%.", "^sim%.", "^build%." }

local function is_kept(name)
  for _, pattern in ipairs(KEPT) do
    if tostring(name):find(pattern) then return true end
  end
  return false
end

local function copy_of(list)
  local copy = {}
  for key, value in next, list do copy[key] = value end
  return copy
end

local function restore(list, saved, leave)
  for key in next, copy_of(list) do
    if saved[key] == nil and not (leave and leave(key)) then rawset(list, key, nil) end
  end
  for key, value in next, saved do
    if rawget(list, key) ~= value then rawset(list, key, value) end
  end
end

-- Returns a function that makes the world of a playbook as it is now.
local function remember()
  local f5 = require "f5"
  local worlds = {
    { package.loaded, is_kept }, { _G }, { coroutine }, { f5, function() return true end },
  }
  for _, world in ipairs(worlds) do world.saved = copy_of(world[1]) end
  return function()
    for _, world in ipairs(worlds) do restore(world[1], world.saved, world[2]) end
  end
end

local function refused_of(checked)
  local list = {}
  for _, step in ipairs(checked.steps) do
    if not step.ok and not step.harmless then
      list[#list + 1] = {
        class = "rest", method = step.method, path = step.path, body = step.body,
      }
    end
  end
  return list
end

-- Runs the playbook with twins. Returns the devices on which something is to be done, or nil and
-- the exit status.
local function checked(fn)
  local back = remember()
  local ended
  local result <close> = check.run(function(self) ended = fn(self) end, {})
  back()
  local status = show_check.print(result, {})
  if not result.ok then error(result.error, 0) end
  if status == 0 then status = result.exit_status or math.tointeger(ended) or 0 end
  if status ~= 0 then
    line "nothing was sent, because of what the check found"
    return nil, status
  end
  local list = {}
  for _, one in ipairs(result.devices) do
    local device = make.device(one)
    if #device.steps > 0 then
      list[#list + 1] = {
        label = one.label, access = copy_of(one.options), refused = refused_of(one), plan = device,
      }
    end
  end
  return list
end

-- -- before the run -------------------------------------------------------------------------------

local function for_all(list, fn)
  local at, workers = 0, {}
  for i = 1, math.min(WORKERS, #list) do
    workers[i] = function()
      while at < #list do
        at = at + 1
        fn(list[at])
      end
    end
  end
  if #workers > 0 then core.all(workers) end
end

local function connect(entry)
  local access = copy_of(entry.access)
  access.label = entry.label
  return core.connect_given(access)
end

-- Leaves the scripts and timers on all devices. If one refuses, they are removed again.
local function arm(options, list)
  for _, entry in ipairs(list) do
    confirm.check_plan(entry.label, (confirm.without_saves(entry.plan)))
  end
  for_all(list, function(entry)
    local session <close> = connect(entry)
    entry.address = core.address(session)
    local found = drift.find(session, entry.plan)
    if #found == 0 then return end
    error(core.error_new {
      kind = "conflict", device = entry.label,
      message = ("nothing was sent: %s has changed since the check; run it again"):format(
        found[1].path),
    }, 0)
  end)
  local ok, err = pcall(for_all, list, function(entry)
    local plan, saves = confirm.without_saves(entry.plan)
    entry.plan = plan
    entry.change = confirmed.arm({
      confirm = options.confirm, verify = options.verify, save = saves, several = #list > 1,
      user = entry.access.username,
    }, plan, function() return connect(entry) end)
    entry.pending = entry.change.pending
  end)
  if ok then return end
  for _, entry in ipairs(list) do
    if entry.pending then pcall(confirm.forget, entry.change.session, entry.pending.id) end
  end
  error(err, 0)
end

-- -- the run --------------------------------------------------------------------------------------

-- Follows all sessions that are opened from now on. Returns a function that ends it.
local function watch(followed)
  local no_more <const> = opened.each(function(session) followed:attach(session) end)
  local run_before <const> = core.reference_methods.run
  core.reference_methods.run = function(ref, command, parameters, ...)
    if confirm.is_save(tostring(ref), command, parameters) then
      return { kind = "tm:sys:config:savestate", command = "save" } -- it waits, too
    end
    return run_before(ref, command, parameters, ...)
  end
  local ticker = core.spawn(function()
    while true do
      core.real_sleep(TICK)
      followed:tick()
    end
  end)
  return function()
    ticker:cancel()
    no_more()
    core.reference_methods.run = run_before
  end
end

-- Runs the playbook. Returns whether it ended well, its error, and what the end of the follower
-- says.
local function run(followed, about, fn)
  local stop_exits <const> = exits.start()
  local stop <const> = watch(followed)
  local ok, result = pcall(undoable.run, about, fn)
  stop()
  stop_exits()
  if not ok and exits.is_exit(result) then ok, result = true, exits.status_of(result) end
  local problem, missing, settled = followed:finish()
  if problem then ok, result = false, problem end
  local status = math.tointeger(result) or 0
  if ok and status ~= 0 then
    ok, result = false, ("the playbook ended with status %d"):format(status)
  end
  return ok, result, missing, settled, status
end

local function all_failed(list, err, settled)
  for _, entry in ipairs(list) do entry.change:failed(err, settled) end
end

-- What the playbook did not send although the check saw it. Returns whether there is any.
local function tell_missing(missing)
  for i, one in ipairs(missing) do
    if i > 10 then
      line(("  and %d more"):format(#missing - 10))
      break
    end
    line(terminal.line(("%s: not sent, although the check saw it: %s  %s %s"):format(
      one.label, one.step.line, one.step.method, one.step.path)))
  end
  return #missing > 0
end

-- The time for the confirmation begins. Then everything is read back.
local function settle(list)
  local wrong = false
  for_all(list, function(entry) entry.change:sent() end)
  for _, entry in ipairs(list) do
    local session <close> = connect(entry)
    local found = apply.read_back(session, entry.plan)
    wrong = read_back.put(found) or wrong
  end
  return wrong
end

local function finish(options, list)
  local verdict
  if options.verify then verdict = confirmed.verify(options) end
  for _, entry in ipairs(list) do entry.change:finish(verdict) end
  if verdict and not verdict.ok then error(verdict.error, 0) end
end

--- Runs a playbook under confirmation.
-- @param about table: of the change record
-- @param fn function(check): runs the playbook. It is called twice: with the check, then with nil.
--   It may return an exit status.
-- @return exit status
function M.run(options, about, fn)
  local list, status = checked(fn)
  if not list then return status end
  if #list == 0 then
    line "the playbook would write nothing: there is nothing to confirm"
    return 0
  end
  local _ <close> = setmetatable({}, { __close = function()
    for _, entry in ipairs(list) do
      if entry.change then getmetatable(entry.change).__close(entry.change) end
    end
  end })
  arm(options, list)
  line "run"
  output.flush()
  local followed = follow.new(list)
  local ok, err, missing, settled, exit_status = run(followed, about, fn)
  local wrong
  if ok then ok, wrong = pcall(settle, list) end
  if not ok then
    if wrong ~= nil then err = wrong end
    all_failed(list, err, settled)
    if exit_status and exit_status ~= 0 then return exit_status end
    error(err, 0)
  end
  wrong = tell_missing(missing) or wrong
  finish(options, list)
  return wrong and 1 or 0
end

return M
