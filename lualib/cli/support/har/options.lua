-- run --record FILE and run --replay FILE.
local exits = require "f5.safe.exits"
local terminal = require "f5.terminal"
local usage = require "cli.support.usage"

local M = {}

local NO_TWINS <const> =
  "--record records what the devices answer, and --check asks twins: leave out one"

function M.add_options(parser)
  parser
    :option("--record", "write each exchange with the devices to a HAR file, without secrets")
    :argname "FILE.har"
  parser
    :option("--replay", "take all answers from a recording, without a network")
    :argname "FILE.har"
end

local function start(name, path, program)
  local ok, started = pcall(require("f5.har")[name], path)
  if ok then return started end
  return usage(tostring(started):gsub("^[^:]*:%d+: ", ""), program)
end

-- Nothing is left of a run that could not start.
local function is_usage(err) return type(err) == "table" and rawget(err, "usage") ~= nil end

local function record(path, options, program, run)
  local recording <const> = start("record", path, program)
  local undo <const> = exits.before(function() recording:pause() end)
  -- not pcall: the trace of an error ends where it is raised
  local _ <close> = setmetatable({}, { __close = function(_, err)
    undo()
    recording:pause()
    if is_usage(err) and recording.count == 0 then os.remove(path) end
  end })
  local status <const> = run(options)
  recording:pause()
  if recording.problem and (status or 0) == 0 then return 1 end
  return status
end

-- -- replay ---------------------------------------------------------------------------------------

-- Says what differs, once.
local function tell(replay)
  if replay.told then return true end
  local difference <const> = replay:difference()
  if not difference then return false end
  replay.told = true
  terminal.err("f5lua: ", terminal.text(difference), "\n")
  return true
end

-- A replay that differs is no success.
local function tell_at_exit(replay)
  return exits.before(function(code)
    return tell(replay) and exits.status(code) == 0 and 1 or nil
  end)
end

local function run_replay(options, program, run)
  local replay <const> = start("replay", options.replay, program)
  local undo <const> = tell_at_exit(replay)
  local _ <close> = setmetatable({}, { __close = function(_, err)
    undo()
    replay:close()
    if err ~= nil and not is_usage(err) then tell(replay) end
  end })
  local status <const> = run(options)
  if tell(replay) and (status or 0) == 0 then return 1 end
  return status
end

local function check_replay(options, program)
  for _, name in ipairs { "record", "sim", "check", "confirm", "undoable" } do
    if options[name] then
      usage(("--replay takes its answers from a file: leave out --%s"):format(name), program)
    end
  end
end

--- Calls run(options), and records or replays it as the options say.
-- @return the exit status of run; 1 if the recording could not be written, or a replay differs
function M.run(options, program, run)
  if options.record and options.check then
    usage(NO_TWINS, program)
  end
  if options.replay then
    check_replay(options, program)
    return run_replay(options, program, run)
  end
  if options.record then return record(options.record, options, program, run) end
  return run(options)
end

--- Runs a subcommand whose option --record is given.
-- @param command table: see cli/support/main.lua
-- @return the exit status
function M.record_command(options, program, command, name)
  if type(command.records) == "string" then usage(command.records, program) end
  if options.check and name ~= "undo" then usage(NO_TWINS, program) end
  return record(options.record_to, options, program, command.run)
end

--- Returns the function of a playbook, or one that records or replays it.
-- @param is_check boolean: the function asks twins
function M.wrapped(files, fn, is_check)
  if not files.record and not files.replay then return fn end
  return function(...)
    local words <const> = table.pack(...)
    local options <const> = { record = files.record, replay = files.replay, check = is_check }
    local status <const> = M.run(options, "f5lua", function()
      fn(table.unpack(words, 1, words.n))
    end)
    if (status or 0) ~= 0 then os.exit(status, true) end
  end
end

return M
