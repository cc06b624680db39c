--- What a worker asks of the database: the functions of the schema, with values of Lua.

local core = require "f5.core"
local json = require "f5.json"
local postgres = require "f5.postgres"

local M = {}

-- How often a statement is repeated that stood in the way of another one.
local ATTEMPTS <const> = 5
local AGAIN <const> = { ["40001"] = true, ["40P01"] = true }

local function query(db, statement, ...)
  for attempt = 1, ATTEMPTS do
    local ok, rows = pcall(db.query, db, statement, ...)
    if ok then return rows end
    local again = type(rows) == "table" and AGAIN[rows.sqlstate] and attempt < ATTEMPTS
    if not again then error(rows, 0) end
    core.real_sleep(0.02 * attempt)
  end
end

-- Runs that are removed in one transaction: who submits waits for it.
local AT_ONCE <const> = 5
-- Of the number of steps of a plan, and the like.
local MOST_DIGITS <const> = 6

-- Text that PostgreSQL keeps: UTF-8 without NUL. Other bytes become \xHH.
local function plain_text(text)
  text = text:gsub("%z", "")
  if utf8.len(text) then return text end
  local parts, from = {}, 1
  while from <= #text do
    local _, bad = utf8.len(text, from)
    parts[#parts + 1] = text:sub(from, (bad or #text + 1) - 1)
    if bad then parts[#parts + 1] = ("\\x%02x"):format(text:byte(bad)) end
    from = (bad or #text) + 1
  end
  return table.concat(parts)
end

-- The same for all texts of a value. What a playbook made may have metamethods.
local function plain(value)
  if type(value) == "string" then return plain_text(value) end
  if type(value) ~= "table" then return value end
  local copy = json.is_array(value) and json.array {} or {}
  for key, item in next, value do copy[plain(key)] = plain(item) end
  return copy
end

local function text_of(value) return json.encode(plain(value)) end

-- Jobs as the functions want them.
local function named(jobs)
  local list = json.array {}
  for i, job in ipairs(jobs) do
    list[i] = { run = job.run, position = job.position, attempt = job.attempt }
  end
  return json.encode(list)
end

--- The server that the connection is with: cluster and timeline, or "unknown".
function M.server(db) return query(db, "select this_server() as name")[1].name end

--- @param jobs array: those that the worker has
function M.hello(db, worker, jobs)
  query(db, "select hello($1::uuid, $2, $3::integer, $4::text[], $5::integer, $6, $7::jsonb)",
    worker.id, worker.host, worker.pid, postgres.array(worker.tags), worker.capacity,
    core.version, named(jobs))
end

function M.bye(db, worker) query(db, "select bye($1::uuid)", worker.id) end

--- Takes at most `many` jobs. `ends` of each: when its lease ends, by core.boot_time().
-- @param without array of runs
-- @param behind table: of each lot (text) the position up to which the worker has taken jobs
function M.take(db, worker, many, without, behind)
  local asked <const> = core.boot_time()
  local jobs = query(db, [[select run, position, attempt, device, device_key, lot from
    take($1::uuid, $2::text[], $3::integer, make_interval(secs => $4), $5::bigint[], $6::jsonb)]],
    worker.id, postgres.array(worker.tags), many, worker.lease, postgres.array(without),
    json.encode(behind))
  for _, job in ipairs(jobs) do job.ends = asked + worker.lease end
  return jobs
end

--- Makes the leases of these jobs longer. Returns those that the worker still has:
-- run .. ":" .. position -> attempt, and when they end.
function M.renew(db, worker, jobs)
  local asked <const> = core.boot_time()
  local held = {}
  local rows = query(db, "select * from renew($1::uuid, make_interval(secs => $2), $3::jsonb)",
    worker.id, worker.lease, named(jobs))
  for _, row in ipairs(rows) do
    held[row.held_run .. ":" .. row.held_position] = row.held_attempt
  end
  return held, asked + worker.lease
end

--- Stores results of one run. Returns position -> true for those that counted.
function M.finish(db, worker, run, results)
  local counted = {}
  local rows = query(db, "select finish as position from finish($1::uuid, $2::bigint, $3::jsonb)",
    worker.id, run, text_of(json.array(results)))
  for _, row in ipairs(rows) do counted[row.position] = true end
  return counted
end

--- Gives jobs of one run back that changed nothing. Returns how many.
function M.hand_back(db, worker, run, jobs)
  return query(db, "select hand_back($1::uuid, $2::bigint, $3::jsonb) as n", worker.id, run,
    named(jobs))[1].n
end

--- Takes back what dead workers had. Returns how many jobs.
function M.reap(db)
  local total = 0
  repeat
    local n = query(db, "select reap() as n")[1].n
    total = total + n
  until n == 0
  return total
end

--- Keeps lines that a job printed, from number `first` on.
function M.say(db, worker, job, first, lines)
  local clean = {}
  for i, line in ipairs(lines) do clean[i] = plain(line) end
  query(db, "select say($1::uuid, $2::bigint, $3::integer, $4::integer, $5::integer, $6::text[])",
    worker.id, job.run, job.position, job.attempt, first, postgres.array(clean))
end

--- Keeps lines of change records.
-- @param entries array of { job, first (number of the first line), lines }
-- @return array of booleans: whether the worker still has the lease of each job
function M.add_records(db, worker, entries)
  local list, held = json.array {}, {}
  for i, entry in ipairs(entries) do
    local job = entry.job
    list[i] = {
      run = job.run, position = job.position, attempt = job.attempt, first = entry.first,
      lines = json.array(entry.lines),
    }
  end
  local rows = query(db, "select add_records as held from add_records($1::uuid, $2::jsonb)",
    worker.id, text_of(list))
  for i, row in ipairs(rows) do held[i] = row.held end
  return held
end

--- The change records of a device in a run: array of { attempt, line }, in their order.
-- @param position integer: of the device in the run
function M.records(db, run, position)
  return query(db, [[select attempt, line from change_records
    where run = $1::bigint and position = $2::integer order by attempt, n]], run, position)
end

--- The positions of the devices of a run that have a change record, each with the SHA-256 of its
--- lines.
function M.recorded(db, run)
  return query(db, [[select position, encode(sha256(convert_to(
      string_agg(line || E'\n', '' order by attempt, n), 'UTF8')), 'hex') as sha256
    from change_records where run = $1::bigint group by position order by position]], run)
end

--- Keeps the plan of a device. Returns false if the lease was lost.
-- @param text string: as of f5.plan.file
function M.save_plan(db, worker, job, text)
  return query(db, [[select save_plan($1::uuid, $2::bigint, $3::integer, $4::integer, $5) as ok]],
    worker.id, job.run, job.position, job.attempt, text)[1].ok
end

--- The text of a plan; nil: there is none.
function M.plan(db, run, position)
  local row = query(db, "select plan from plans where run = $1::bigint and position = $2::integer",
    run, position)[1]
  return row and row.plan
end

--- A number of a stored result, which whoever has the rights of a worker may have written.
-- @param text string|nil
-- @return integer; nil: it is damaged
function M.count(text)
  local digits <const> = text and #text <= MOST_DIGITS and text:match "^%d+$"
  return digits and math.tointeger(tonumber(digits)) or nil
end

--- The positions of the devices of a check that are done and have a plan with steps, each with the
--- SHA-256 of the plan, and `final`: how many of its steps nothing can take back. Raises if a
--- result is damaged.
function M.planned(db, run)
  local rows <const> = query(db, [[select p.position, j.device, j.result ->> 'steps' as steps,
      encode(sha256(convert_to(p.plan, 'UTF8')), 'hex') as sha256,
      coalesce(j.result ->> 'final', '0') as final
    from plans p join jobs j using (run, position)
    where run = $1::bigint and j.state = 'done' order by position]], run)
  local list = {}
  for _, row in ipairs(rows) do
    row.steps, row.final = M.count(row.steps), M.count(row.final)
    if not row.steps or not row.final then
      core.usage_error(("run %d: the stored result of the device %s is damaged: submit the check "
        .. "again"):format(run, row.device))
    end
    if row.steps > 0 then list[#list + 1] = row end
  end
  return list
end

--- Says what became of an attempt whose lease was lost.
function M.note(db, worker, job, text)
  query(db, "select note_attempt($1::uuid, $2::bigint, $3::integer, $4::integer, $5)", worker.id,
    job.run, job.position, job.attempt, plain(text))
end

--- Stores a run. Returns its number.
-- @param facts table: see the function submit of the schema
-- @param run table: archive, text, signature
function M.submit(db, facts, run, jobs)
  return query(db, "select submit($1::jsonb, $2::bytea, $3, $4::bytea, $5::jsonb) as id",
    text_of(facts), { bytes = run.archive }, run.text,
    run.signature and { bytes = run.signature }, text_of(jobs))[1].id
end

--- No device of the run starts any more. Returns its state; nil: there is no such run.
function M.cancel(db, id) return query(db, "select cancel($1::bigint) as state", id)[1].state end

--- Submits a run again, for those devices that are not done. Returns its number; nil: there is
-- nothing to repeat.
function M.retry(db, id, from)
  return query(db, "select retry($1::bigint, $2) as id", id, from)[1].id
end

--- The time of the database that many days ago, as text.
function M.days_ago(db, days)
  return query(db, "select (now() - make_interval(days => $1::integer))::text as t", days)[1].t
end

--- Removes runs that ended before a time, and that no open run needs. Each time it removes some, in
--- a transaction. Returns how many.
function M.prune(db, before)
  local total = 0
  repeat
    local n = query(db, "select prune($1::timestamptz, $2::integer) as n", before, AT_ONCE)[1].n
    total = total + n
  until n == 0
  return total
end

--- How many runs ended before a time, but are needed by an open one.
function M.still_needed(db, before)
  return query(db, [[select count(*) as n from runs where ended_at < $1::timestamptz
    and id not in (select * from prunable($1::timestamptz))]], before)[1].n
end

--- What a worker needs of a run: manifest, archive, signature, and what is stored beside them; nil:
-- there is no such run.
function M.run(db, id)
  local row <const> = query(db, [[select r.id, r.kind, r.manifest, r.signature, a.sha256,
      a.contents, r.playbook, r.arguments, r.options, r.undo_of, r.retry_of, r.allowed, r.canaries,
      extract(epoch from r.grace)::double precision as grace
    from runs r join archives a on a.sha256 = r.archive where r.id = $1]], id)[1]
  if not row then return nil end
  row.arguments, row.options = json.decode(row.arguments), json.decode(row.options)
  return row
end

--- The jobs of a run as they are stored, by position.
function M.jobs(db, id)
  local rows <const> = query(db, [[select j.position, j.device, j.device_key as key, j.wave,
      array_to_json(l.tags)::text as tags
    from jobs j join lots l on l.id = j.lot where j.run = $1 order by j.position]], id)
  for _, row in ipairs(rows) do
    row.tags = json.decode(row.tags)
    table.sort(row.tags) -- the database has another order of letters
  end
  return rows
end

return M
