-- Following a run of a queue, on a terminal or in a log.
local host = require "f5.host"
local terminal = require "f5.terminal"
local watch = require "f5.queue.watch"

local M = {}

local function note(program, ...) terminal.err(program, ": ", string.format(...), "\n") end

--- Shows how far a run is until it ends. Returns its state.
function M.follow(program, address, schema, id)
  local is_terminal <const> = host.is_terminal(2)
  local last
  local ok, state = pcall(
    watch.follow,
    function() return require("f5.queue").open(address, schema) end, id, schema,
    function(state)
      local line = watch.line(state)
      if line ~= last and is_terminal then terminal.redraw(line) end
      if line ~= last and not is_terminal then note(program, "run %d: %s", id, line) end
      last = line
    end,
    function(err) note(program, "%s; trying again", err.message) end
  )
  if is_terminal and last then terminal.clear() end
  if not ok then error(state, 0) end
  return state
end

--- Says which jobs of a run wait for a worker that is not there.
function M.tell_missing(program, db, id)
  for _, group in ipairs(require("f5.queue.submit").without_worker(db, id)) do
    note(
      program, "%d device%s: no worker %s", group.jobs, group.jobs == 1 and "" or "s",
      group.tags == "" and "is running" or "with the tags " .. group.tags .. " is running"
    )
  end
end

return M
