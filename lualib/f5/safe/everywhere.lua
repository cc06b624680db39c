-- A change record of the whole program: each session is recorded from its connection on.

local core = require "f5.core"
local exits = require "f5.safe.exits"
local opened = require "f5.safe.opened"
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
  local record = Record.new(options)
  local no_more <const> = opened.each(function(session) record:attach(session) end)
  local stopped, exits_as_before = false, nil
  local function stop(err, state)
    if stopped then return end
    stopped = true
    no_more()
    exits_as_before()
    record:finish(state or M.state_of(err), err ~= nil and core.mask(tostring(err)) or nil)
    if options.on_end then options.on_end(record) end
  end
  exits_as_before = exits.before(function() stop(nil, "ended") end)
  return stop
end

return M
