-- A change record of the whole program: each session is recorded from its connection on.

local core = require "f5.core"
local Record = require "f5.safe.record"

local M = {}

--- How a run ended, from the error that ended it.
function M.state_of(err)
  if err == nil then return "done" end
  return type(err) == "table" and err.kind == "cancelled" and "interrupted" or "failed"
end

--- Records all sessions that are opened from now on.
-- @param options table: as of Record.new
-- @return function(err, state): ends it; err: what ended the run, nil if nothing did
function M.start(options)
  local f5 = require "f5"
  local record = Record.new(options)
  local connect <const>, of_core <const>, exit <const> = f5.connect, core.connect, os.exit
  local function recorded(...)
    local session = of_core(...)
    record:attach(session)
    return session
  end
  core.connect, f5.connect = recorded, recorded
  local stopped = false
  local function stop(err, state)
    if stopped then return end
    stopped = true
    core.connect, f5.connect = of_core, connect
    rawset(os, "exit", exit)
    record:finish(state or M.state_of(err), err ~= nil and core.mask(tostring(err)) or nil)
    if options.on_end then options.on_end(record) end
  end
  rawset(os, "exit", function(...)
    stop(nil, "ended")
    return exit(...)
  end)
  return stop
end

return M
