-- What a run of a queue looks like.
local calls = require "f5.queue.calls"
local json = require "f5.json"
local merged = require "f5.queue.merged"
local output = require "cli.support.output"
local terminal = require "f5.terminal"
local watch = require "f5.queue.watch"

local M = {}

local DEVICES <const> = [[
  select j.device, j.state, j.changed, j.calls, round(j.duration::numeric, 2) as seconds,
    j.attempt as attempts, coalesce(j.error ->> 'message', j.reason,
      case when r.kind <> 'run' then j.result ->> 'text' end, j.result #>> '{}',
      (select a.note from attempts a where a.run = j.run and a.position = j.position
        and a.note is not null order by a.attempt desc limit 1)) as result,
    case when r.kind <> 'run' then j.result end as details
  from jobs j join runs r on r.id = j.run where j.run = $1 order by j.position]]

local PRINTED <const> = [[
  select j.device, o.line from output o join jobs j using (run, position)
  where o.run = $1 order by o.position, o.attempt, o.n]]

local UNDONE <const> = "select id, state from runs where undo_of = $1 order by id"

local RECORDED <const> = [[
  select j.device, count(distinct c.attempt) as attempts, count(*) as lines
  from change_records c join jobs j using (run, position)
  where c.run = $1 group by j.device, c.position order by c.position]]

-- Devices of a check on which the same was found, the largest group first.
local FOUND <const> = [[
  select count(*) as n, j.result ->> 'changes' as changes,
    string_agg(j.device, ', ' order by j.position) as devices, j.result ->> 'findings' as findings
  from jobs j where j.run = $1 and j.state = 'done' group by j.result ->> 'changes',
    j.result ->> 'findings' order by 1 desc, min(j.position)]]

local DAMAGED <const> = "damaged"

local PLANNED <const> = [[
  select j.device, j.result ->> 'steps' as steps, j.result ->> 'changes' as changes,
    j.result ->> 'final' as final
  from plans p join jobs j using (run, position) where p.run = $1 order by p.position]]

local MAX_NAMES <const> = 200 -- bytes

local UNCHECKED <const> = [[
  select device, coalesce(error ->> 'message', reason, state) as why
  from jobs where run = $1 and state <> 'done' order by position]]

local OF_DEVICES <const> = { "device", "state", "changed", "calls", "seconds", "attempts",
  "result" }

local function plain(rows)
  local list = json.array {}
  for i, row in ipairs(rows) do list[i] = row end
  return list
end

--- Prints rows as a table or as JSON.
-- @param none string: what is printed if there are none
function M.rows(rows, columns, format, none)
  local list = plain(rows)
  if format == "json" then return output(json.encode(list, { sort = true }), "\n") end
  if #list == 0 then return output(none, "\n") end
  output(require("f5").table(list, columns), "\n")
end

--- Prints one line about a run, and who took it back.
-- @param state table: of f5.queue.watch
function M.head(db, state)
  output(("run %d, %s of %s: %s%s: %s\n"):format(
    state.id, state.kind, state.undo_of and "run " .. state.undo_of
      or terminal.line(state.playbook), state.state,
    state.reason and " (" .. terminal.line(state.reason) .. ")" or "", watch.line(state)
  ))
  for _, row in ipairs(db:query(UNDONE, state.id)) do
    output(("run %d takes it back: %s\n"):format(row.id, row.state))
  end
end

--- Prints the devices of a run.
function M.devices(db, id) M.rows(db:query(DEVICES, id), OF_DEVICES, "table", "no devices") end

-- What a group of devices has; a result may be of anybody with the rights of a worker.
local function found(group)
  local changes <const> = calls.count(group.changes)
  if not changes or not group.findings then
    return "their stored result is damaged: submit the check again"
  end
  if group.findings == "" then return "no changes" end
  return changes == 1 and "this change" or ("these %d changes"):format(changes)
end

--- Prints what a check found, in groups of devices.
function M.findings(db, id)
  for _, group in ipairs(db:query(FOUND, id)) do
    local names <const> = #group.devices > MAX_NAMES
      and group.devices:sub(1, MAX_NAMES):gsub(",[^,]*$", ", …") or group.devices
    output(("%d device%s: %s (%s)\n"):format(
      group.n, group.n == 1 and "" or "s", found(group), terminal.line(names)
    ))
    for line in (group.findings or ""):gmatch "[^\n]+" do output(terminal.line(line), "\n") end
  end
  for _, row in ipairs(db:query(UNCHECKED, id)) do
    output(terminal.line(("%s: nothing is known: %s"):format(row.device, row.why)), "\n")
  end
end

--- The devices of a check with a plan: device, steps, changes, final.
function M.planned(db, id)
  local rows <const> = db:query(PLANNED, id)
  for _, row in ipairs(rows) do
    for _, name in ipairs { "steps", "changes", "final" } do
      row[name] = row[name] and (calls.count(row[name]) or DAMAGED)
    end
  end
  return rows
end

--- The plan of a device; nil: there is none.
function M.plan(db, id, device)
  local job = db:row("select position from jobs where run = $1 and device = $2", id, device)
  return job and calls.plan(db, id, job.position)
end

--- Prints what playbooks printed.
function M.printed(db, id)
  for _, row in ipairs(db:query(PRINTED, id)) do
    output(terminal.line(row.device), ": ", terminal.line(row.line), "\n")
  end
end

-- The result in `details`. One that f5lua cannot read (PostgreSQL has larger numbers, and more
-- levels) stays a text in `result`. Three levels of JSON are around it.
local function decode_details(device)
  if type(device.details) ~= "string" then return end
  local ok, value = pcall(json.decode, "[[[" .. device.details .. "]]]")
  if ok then
    device.details = value[1][1][1]
  else
    device.details, device.damaged = nil, tostring(value)
  end
end

--- Prints a run as one JSON object.
-- @param with_printed boolean|nil
function M.json(db, state, with_printed)
  state.devices = plain(db:query(DEVICES, state.id))
  for _, device in ipairs(state.devices) do decode_details(device) end
  state.undone_by = plain(db:query(UNDONE, state.id))
  if with_printed then state.printed = plain(db:query(PRINTED, state.id)) end
  output(json.encode(state, { sort = true }), "\n")
end

--- The devices of a run with a change record: device, attempts, lines.
function M.recorded(db, id) return db:query(RECORDED, id) end

--- The change record of a device; nil: there is none.
-- @param device string: its name
function M.record(db, id, device)
  local job = db:row("select position from jobs where run = $1 and device = $2", id, device)
  return job and merged.text(calls.records(db, id, job.position))
end

return M
