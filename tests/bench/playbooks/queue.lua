-- Measures a queue: f5lua run tests/bench/playbooks/queue.lua WORK PORT COUNT ROUNDS PROGRAM PATH.
-- It starts a PostgreSQL of its own. Prints lines of a name and figures:
--   run SECONDS MB        `f5lua run --inventory` with 50 workers; peak of its memory
--   worker1 SECONDS MB    the same through a queue with one worker of 50, from submitting on
--   worker2 SECONDS, worker4 SECONDS   with two and four of them
--   few MS, many MS       to take 20 jobs of 100 queued, and of 100,000
package.path = "tests/support/?.lua;" .. package.path
local core = require "f5.core"
local json = require "f5.json"

local work <const>, port <const>, count <const>, rounds <const>, program <const>, object <const> =
  arg[1], tonumber(arg[2]), tonumber(arg[3]), tonumber(arg[4]), arg[5], arg[6]

local server_of = require "postgres.server"
if server_of.missing then
  print("missing", server_of.missing)
  return
end
local server <close> = server_of.start()
local address <const> = server:database "bench"

local function command(format, ...)
  local line <const> = format:format(...)
  assert(os.execute(line .. (" >%s/queue.log 2>&1"):format(work)), line)
end

local function write(name, text)
  local file <close> = assert(io.open(work .. "/" .. name, "w"))
  file:write(text)
  return work .. "/" .. name
end

local devices <const> = {}
for n = 1, count do
  devices[n] = {
    host = ("d%d.fleet.localhost"):format(n), port = port, username = "operator",
    password_env = "F5_PASSWORD",
  }
end
local inventory <const> = write("queue.json", json.encode { devices = devices })
local playbook <const> = write("queue_job.lua", ([[
  for _ = 1, 2 do bip:at(%q):load() end
]]):format(object))
command("%s queue init --queue '%s'", program, address)
local db <close> = require("f5.queue").open(address)

-- The greatest memory of a process so far, in MB.
local function peak(pid)
  local file <close> = assert(io.open(("/proc/%d/status"):format(pid)))
  return tonumber(file:read "a":match "VmHWM:%s*(%d+)") / 1024
end

local function run_fleet()
  local began <const> = core.now()
  command("%s run --workers 50 --inventory %s %s", program, inventory, playbook)
  return core.now() - began
end

-- Memory of the same run: GNU time is not always there.
local function memory_of_fleet()
  command("build/bench/measure %s/memory %s run --workers 50 --inventory %s %s", work, program,
    inventory, playbook)
  local file <close> = assert(io.open(work .. "/memory"))
  return tonumber(file:read "l":match "^%S+ %S+ (%S+)") / 1024
end

local function start_worker()
  local pid <const> = work .. "/worker.pid"
  os.execute(("%s worker --queue '%s' --workers 50 >/dev/null 2>&1 & echo $! >%s"):format(program,
    address, pid))
  local file <close> = assert(io.open(pid))
  return math.tointeger(tonumber(file:read "l"))
end

local function run_queue(workers)
  local pids <const> = {}
  for n = 1, workers do pids[n] = start_worker() end
  local ready <const> = "select count(*) as n from workers where ended_at is null"
  while db:row(ready).n < workers do core.sleep(0.05) end
  core.sleep(0.2)
  local began <const> = core.now()
  command("%s submit --queue '%s' --inventory %s %s", program, address, inventory, playbook)
  local state
  repeat
    core.sleep(0.01)
    state = db:row "select state, ended_at from runs order by id desc limit 1"
  until state.ended_at
  local took <const> = core.now() - began
  assert(state.state == "done", state.state)
  local memory <const> = peak(pids[1])
  for _, pid in ipairs(pids) do os.execute("kill " .. pid) end
  while db:row(ready).n > 0 do core.sleep(0.05) end
  return took, memory
end

for _ = 1, rounds do
  print("run", run_fleet(), memory_of_fleet())
  print("worker1", run_queue(1))
  print("worker2", (run_queue(2)))
  print("worker4", (run_queue(4)))
end

-- -- taking from short and long queues ------------------------------------------------------------

local ME <const> = "00000000-0000-4000-8000-00000000000%d"

local function queue_of(n)
  db:query "truncate runs, workers, devices cascade"
  db:query([[select submit('{"kind": "run", "playbook": "p", "arguments": [], "options": {},
    "grace": 1, "f5lua": "0"}', 'archive'::bytea, '{}', null, (select jsonb_agg(jsonb_build_object(
    'position', i, 'device', 'd' || i, 'key', 'd' || i || ':443', 'wave', 0, 'tags', '[]'::jsonb))
    from generate_series(1, $1::integer) i))]], n)
  db:query "analyze"
end

local function take(n)
  queue_of(n)
  local times <const> = {}
  for i = 1, 5 do
    local began <const> = core.now()
    local rows <const> = db:query("select position from take($1::uuid, '{}', 20, '60 s')",
      ME:format(i))
    times[i] = (core.now() - began) * 1000
    assert(#rows == 20)
  end
  table.sort(times)
  return times[3]
end

take(100) -- to warm up
for _ = 1, rounds do
  print("few", take(100))
  print("many", take(100000))
end
