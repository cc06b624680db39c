-- Measures a queue: f5lua run tests/bench/playbooks/queue.lua WORK PORT COUNT ROUNDS PROGRAM PATH.
-- It starts a PostgreSQL of its own, which waits for the disk. Prints lines of a name and figures:
--   run1 SECONDS MB       `f5lua run --inventory` with 50 workers; peak of its memory
--   worker1 SECONDS MB    the same through a queue with one worker of 50, from submitting on
--   run2, run4 SECONDS, worker2, worker4 SECONDS   with 100 and 200, with two and four of them
--   few MS, many MS       to take 20 jobs of 100 queued, and of 100,000
--   killed SECONDS        until another worker has what a killed one had; lease 10 s, timeout 1 s
-- With PATH `writes` the devices are simulated, at 127.0.0.1, 127.0.0.2 …, trusted by WORK/sim.pem:
--   run SECONDS           `f5lua run --undoable --inventory` with 20 workers
--   worker SECONDS        the same through a queue with one worker of 20
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
local writes <const> = object == "writes"
local server <close> = server_of.start { durable = true }
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

local function address_of(n)
  if not writes then
    return {
      host = ("d%d.fleet.localhost"):format(n), port = port, username = "operator",
      password_env = "F5_PASSWORD",
    }
  end
  return {
    name = "n" .. n, host = "127.0.0." .. n, port = port, username = "boss",
    password_env = "F5_PASSWORD", ca = work .. "/sim.pem",
  }
end

local function write_inventory(name, n, timeout)
  local devices <const> = {}
  for i = 1, n do
    devices[i] = address_of(i)
    devices[i].timeout = timeout
  end
  return write(name, json.encode { devices = devices })
end

local inventory <const> = write_inventory("queue.json", count)
local playbook <const> = write("queue_job.lua", writes and [[
  local text = tostring(math.random(1 << 50))
  for i = 1, 5 do bip.ltm.pool["/Common/bench_" .. i]:ensure { description = text } end
]] or ([[
  for _ = 1, 2 do bip:at(%q):load() end
]]):format(object))
command("%s queue init --queue '%s'", program, address)
local db <close> = require("f5.queue").open(address)

-- The greatest memory of a process so far, in MB.
local function peak(pid)
  local file <close> = assert(io.open(("/proc/%d/status"):format(pid)))
  return tonumber(file:read "a":match "VmHWM:%s*(%d+)") / 1024
end

local function run_fleet(places, options)
  local began <const> = core.now()
  command("%s run %s --workers %d --inventory %s %s", program, options or "", places, inventory,
    playbook)
  return core.now() - began
end

-- Memory of the same run: GNU time is not always there.
local function memory_of_fleet()
  command("build/bench/measure %s/memory %s run --workers 50 --inventory %s %s", work, program,
    inventory, playbook)
  local file <close> = assert(io.open(work .. "/memory"))
  return tonumber(file:read "l":match "^%S+ %S+ (%S+)") / 1024
end

local function start_worker(options)
  local pid <const> = work .. "/worker.pid"
  os.execute(("%s worker --queue '%s' %s >/dev/null 2>&1 & echo $! >%s"):format(program, address,
    options, pid))
  local file <close> = assert(io.open(pid))
  return math.tointeger(tonumber(file:read "l"))
end

local READY <const> = "select count(*) as n from workers where ended_at is null"

local function start_workers(n, options)
  local pids <const> = {}
  for i = 1, n do pids[i] = start_worker(options) end
  while db:row(READY).n < n do core.sleep(0.05) end
  core.sleep(0.2)
  return pids
end

local function stop_workers(pids)
  for _, pid in ipairs(pids) do os.execute("kill " .. pid) end
  while db:row(READY).n > 0 do core.sleep(0.05) end
end

local function run_queue(workers, places)
  local pids <const> = start_workers(workers, "--workers " .. places)
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
  stop_workers(pids)
  return took, memory
end

if writes then
  run_fleet(20) -- makes the pools
  for _ = 1, rounds do
    print("run", run_fleet(20, "--undoable"))
    print("worker", (run_queue(1, 20)))
  end
  return
end

for _ = 1, rounds do
  print("run1", run_fleet(50), memory_of_fleet())
  print("worker1", run_queue(1, 50))
  for _, workers in ipairs { 2, 4 } do
    print("run" .. workers, run_fleet(50 * workers))
    print("worker" .. workers, (run_queue(workers, 50)))
  end
end

-- A worker is killed in the middle of its devices.
local function kill_worker()
  local options <const> = "--workers 50 --lease 10"
  local few <const> = write_inventory("queue_few.json", 50, 1)
  local sleeps <const> = write("queue_sleep.lua", 'require("f5").sleep(4)')
  local victim <const> = start_workers(1, options)[1]
  command("%s submit --queue '%s' --inventory %s %s", program, address, few, sleeps)
  local taken <const> = "select count(*) as n from jobs where state = 'running' and attempt = $1"
  while db:row(taken, 1).n < 50 do core.sleep(0.05) end
  os.execute("kill -KILL " .. victim)
  local killed <const> = core.now()
  db:query "update workers set ended_at = now()"
  local heirs <const> = start_workers(1, options)
  while db:row(taken, 2).n < 50 do core.sleep(0.05) end
  local took <const> = core.now() - killed
  while not db:row "select ended_at from runs order by id desc limit 1".ended_at do
    core.sleep(0.1)
  end
  stop_workers(heirs)
  return took
end

print("killed", kill_worker())

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
