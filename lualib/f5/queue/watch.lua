-- Follows a run until it ends.

local core = require "f5.core"
local postgres = require "f5.postgres"

local M = {}

-- Seconds between two looks, unless a notification comes first; and between attempts to connect.
local PAUSE <const> = 1
local FIRST_PAUSE <const>, LAST_PAUSE <const> = 0.5, 30

local STATE <const> = [[
  select r.id, r.state, r.kind, r.reason, r.failures, r.playbook, r.ended_at, r.undo_of,
    count(*) as total,
    count(*) filter (where j.state = 'waiting') as waiting,
    count(*) filter (where j.state = 'running') as running,
    count(*) filter (where j.state = 'done') as done,
    count(*) filter (where j.state = 'done' and j.changed) as changed,
    count(*) filter (where j.state = 'failed') as failed,
    count(*) filter (where j.state = 'skipped') as skipped,
    count(*) filter (where j.state in ('unreached', 'cancelled')) as unreached,
    count(*) filter (where j.state = 'set_aside') as set_aside
  from runs r join jobs j on j.run = r.id where r.id = $1 group by r.id]]

--- The state of a run and how many of its jobs are in which state; nil: there is no such run.
function M.state(db, id) return db:row(STATE, id) end

--- One line: "12 of 200 done (3 changed), 4 running, 1 failed".
function M.line(state)
  local parts = { ("%d of %d done"):format(state.done + state.skipped, state.total) }
  if state.changed > 0 then parts[1] = ("%s (%d changed)"):format(parts[1], state.changed) end
  for _, name in ipairs { "running", "failed", "set_aside", "unreached" } do
    if state[name] > 0 then
      parts[#parts + 1] = ("%d %s"):format(state[name], (name:gsub("_", " ")))
    end
  end
  return table.concat(parts, ", ")
end

-- One connection, as long as it lasts.
local function follow(db, id, schema, told)
  db:listen(schema)
  while true do
    local state = M.state(db, id)
    if not state then
      error(core.error_new { kind = "database", message = ("there is no run %d"):format(id) }, 0)
    end
    told(state)
    if state.ended_at then return state end
    db:wait(PAUSE)
  end
end

--- Waits until the run ends. A connection that is lost is made again, with growing pauses.
-- @param connect function(): a connection to the queue
-- @param told function(state): called at each look
-- @param lost function(err): called when the connection is lost
-- @return state
function M.follow(connect, id, schema, told, lost)
  local pause = FIRST_PAUSE
  while true do
    local ok, result = pcall(function()
      local db <close> = connect()
      return follow(db, id, schema, function(state)
        pause = FIRST_PAUSE
        told(state)
      end)
    end)
    if ok then return result end
    if not postgres.is_transient(result) then error(result, 0) end
    lost(result)
    core.real_sleep(pause)
    pause = math.min(pause * 2, LAST_PAUSE)
  end
end

return M
