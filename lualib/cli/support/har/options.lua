-- run --record FILE.
local usage = require "cli.support.usage"

local M = {}

function M.add_options(parser)
  parser
    :option("--record", "write each exchange with the devices to a HAR file, without secrets")
    :argname "FILE.har"
end

local function start(path, program)
  local ok, recording = pcall(require("f5.har").record, path)
  if ok then return recording end
  return usage(tostring(recording):gsub("^[^:]*:%d+: ", ""), program)
end

-- os.exit ends the program at once.
local function flush_at_exit(recording)
  local exit <const> = os.exit
  rawset(os, "exit", function(...)
    recording:pause()
    return exit(...)
  end)
  return function() rawset(os, "exit", exit) end
end

-- Nothing is left of a run that could not start.
local function is_usage(err) return type(err) == "table" and rawget(err, "usage") ~= nil end

local function record(options, program, run)
  local recording <const> = start(options.record, program)
  local undo <const> = flush_at_exit(recording)
  -- not pcall: the trace of an error ends where it is raised
  local _ <close> = setmetatable({}, { __close = function(_, err)
    undo()
    recording:pause()
    if is_usage(err) and recording.count == 0 then os.remove(options.record) end
  end })
  local status <const> = run(options)
  recording:pause()
  if recording.problem and (status or 0) == 0 then return 1 end
  return status
end

--- Calls run(options), and records or replays it as the options say.
-- @return the exit status of run; 1 if the recording could not be written
function M.run(options, program, run)
  if options.record and options.check then
    usage("--record records what the devices answer, and --check asks twins: leave out one",
      program)
  end
  if options.record then return record(options, program, run) end
  return run(options)
end

return M
