-- The rules of the queue that the database keeps (lualib/f5/queue/versions/v1), in a real server.
local f5 = require "f5"
local json = require "f5.json"
local lab = require "lab"
local postgres = require "f5.postgres"
local queue = require "f5.queue"
local migrate = require "f5.queue.migrate"
local grants = require "f5.queue.grants"
local server_of = require "postgres.server"

local it = server_of.missing and function(name) pending(name .. ": " .. server_of.missing) end
  or it

-- Each row that is wrong, by the rules that must hold between any two statements.
local WRONG <const> = [[
  SELECT 'jobs that are left in the wave', id FROM f5lua.runs r WHERE left_in_wave <>
    (SELECT count(*) FROM f5lua.jobs j WHERE j.run = r.id AND CASE WHEN r.state = 'stopping'
      THEN j.state = 'running' ELSE j.wave = r.wave AND j.state IN ('waiting', 'running') END)
  UNION ALL SELECT 'an ended run with open jobs', id FROM f5lua.runs r
    WHERE ended_at IS NOT NULL AND EXISTS (SELECT FROM f5lua.jobs j
      WHERE j.run = r.id AND j.state IN ('waiting', 'running'))
  UNION ALL SELECT 'failures', id FROM f5lua.runs r WHERE failures <>
    (SELECT count(*) FROM f5lua.jobs j WHERE j.run = r.id AND j.state = 'failed')
  UNION ALL SELECT 'jobs set aside', id FROM f5lua.runs r WHERE aside <>
    (SELECT count(*) FROM f5lua.jobs j WHERE j.run = r.id AND j.state = 'set_aside')
  UNION ALL SELECT 'two jobs of a device', min(run) FROM f5lua.jobs
    WHERE state = 'running' AND lease_until > clock_timestamp()
    GROUP BY device_key HAVING count(*) > 1
  UNION ALL SELECT 'a lock without a job', run FROM f5lua.devices d
    WHERE held_until > clock_timestamp() AND NOT EXISTS (SELECT FROM f5lua.jobs j
      WHERE j.run = d.run AND j.position = d.position AND j.state = 'running'
        AND j.worker = d.worker)
  UNION ALL SELECT 'a later wave before an earlier one', j.run FROM f5lua.jobs j
    JOIN f5lua.runs r ON r.id = j.run WHERE j.wave > r.wave AND j.attempt > 0
]]

describe("Q2 the rules of a queue", function()
  local server, db

  setup(function()
    if server_of.missing then return end
    server = server_of.start()
    local admin <close> = postgres.connect(server:address())
    migrate.migrate(admin, "f5lua")
    admin:script(grants.text "f5lua")
    for _, role in ipairs { "submitter", "worker", "viewer" } do
      admin:script(("create role the_%s login; grant f5lua_%s to the_%s"):format(role, role, role))
    end
  end)
  teardown(function() if server then server:stop() end end)

  before_each(function()
    if not server then return end
    db = queue.open(server:address())
    db:script "truncate runs, archives, devices, workers restart identity cascade"
  end)
  after_each(function() if db then db:close() end end)

  local function id(n) return ("00000000-0000-0000-0000-%012d"):format(n) end

  local function submit(jobs, run)
    local facts = {
      kind = "run", playbook = "a.lua", arguments = json.array {}, options = {},
      grace = 30, f5lua = "0.2.0", from = "here",
    }
    for name, value in pairs(run or {}) do facts[name] = value end
    local list = json.array {}
    for i, job in ipairs(jobs) do
      list[i] = {
        position = i, device = job.device or "d" .. i, key = job.key or ("d%d:443"):format(i),
        wave = job.wave or 0, tags = json.array(job.tags or {}),
      }
    end
    return db:row(
      "select submit($1::jsonb, $2::bytea, '{}', null, $3::jsonb) as id",
      json.encode(facts), { bytes = "archive" }, json.encode(list)
    ).id
  end

  local function take(worker, many, tags, lease, on)
    return (on or db):query(
      "select * from f5lua.take($1::uuid, $2::text[], $3::int, make_interval(secs => $4))",
      id(worker), postgres.array(tags or {}), many or 10, lease or 30
    )
  end

  local function finish(worker, jobs, state, on)
    local list, run = json.array {}, nil
    for i, job in ipairs(jobs) do
      run = job.run
      list[i] = {
        position = job.position, attempt = job.attempt, state = state or "done",
        error = state == "failed" and { message = "no" } or nil,
      }
    end
    if not run then return 0 end
    return #(on or db):query(
      "select * from f5lua.finish($1::uuid, $2::bigint, $3::jsonb)",
      id(worker), run, json.encode(list)
    )
  end

  local function named(jobs)
    local list = json.array {}
    for i, job in ipairs(jobs) do
      list[i] = { run = job.run, position = job.position, attempt = job.attempt }
    end
    return json.encode(list)
  end

  local function hand_back(worker, jobs, on)
    if #jobs == 0 then return 0 end
    return (on or db):row(
      "select f5lua.hand_back($1::uuid, $2::bigint, $3::jsonb) as n",
      id(worker), jobs[1].run, named(jobs)
    ).n
  end

  local function renew(worker, jobs, on)
    return (on or db):query("select * from f5lua.renew($1::uuid, '60 s', $2::jsonb)", id(worker),
      named(jobs))
  end

  local function end_leases()
    db:query "update f5lua.jobs set lease_until = clock_timestamp() where state = 'running'"
  end

  local function hello(worker, jobs)
    db:query("select f5lua.hello($1::uuid, 'h', 1, '{}', 1, '0', $2::jsonb)", id(worker),
      named(jobs))
  end

  local function state_of(run)
    local row = db:row("select * from f5lua.runs where id = $1", run)
    return row.state, row.reason
  end

  local function states(run)
    local list = {}
    for i, row in
      ipairs(db:query("select state from f5lua.jobs where run = $1 order by position", run))
    do
      list[i] = row.state
    end
    return list
  end

  it("gives each job to one worker, and counts its result once", function()
    local run = submit { {}, {}, {} }
    local mine, theirs = take(1, 2), take(2, 5)
    assert.equal(2, #mine)
    assert.equal(1, #theirs)
    assert.equal(0, #take(3))
    assert.equal(0, finish(2, mine))
    assert.equal(2, finish(1, mine))
    assert.equal(2, finish(1, mine, "failed")) -- the first one counts
    assert.same({ "done", "done", "running" }, states(run))
    assert.equal(1, finish(2, theirs))
    assert.equal("done", (state_of(run)))
  end)

  it("opens waves, and stops after a canary that failed", function()
    local waves = { { wave = 0 }, { wave = 1 }, { wave = 1 }, { wave = 2 } }
    local run = submit(waves, { canaries = 1 })
    local canary = take(1)
    assert.equal(1, #canary)
    assert.equal(0, #take(1))
    finish(1, canary)
    local second = take(1)
    assert.equal(2, #second)
    finish(1, { second[1] })
    assert.equal(0, #take(1))
    finish(1, { second[2] }, "failed")
    finish(1, take(1))
    assert.equal("failed", (state_of(run)))

    run = submit(waves, { canaries = 1 })
    finish(1, take(1), "failed")
    assert.same({ "stopped", "a canary failed" }, { state_of(run) })
    assert.same({ "failed", "unreached", "unreached", "unreached" }, states(run))
  end)

  it("keeps the failure budget", function()
    local run = submit({ {}, {}, {}, {}, {}, {} },
      { allowed = 1, options = { max_failures = "20%" } })
    local jobs = take(1, 4)
    finish(1, { jobs[1], jobs[2] }, "failed")
    assert.equal("stopping", (state_of(run)))
    assert.equal(0, #take(2))
    finish(1, { jobs[3] })
    assert.equal(1, hand_back(1, { jobs[4] }))
    assert.same({ "stopped", "2 failed, 20% allowed" }, { state_of(run) })
    assert.same({ "failed", "failed", "done", "unreached", "unreached", "unreached" }, states(run))
  end)

  it("has one job of a device at a time, over all runs and names", function()
    submit { { key = "a:443" }, { key = "a:443" }, { key = "b:443" } }
    submit { { key = "b:443" }, { key = "c:443" } }
    local first = take(1)
    assert.equal(2, #first)
    local second = take(2)
    assert.same({ "c:443" }, { second[1].device_key, second[2] })
    finish(1, first)
    assert.equal("a:443", take(1)[1].device_key)
    assert.equal("b:443", take(1)[1].device_key)
  end)

  it("gives a worker what all its tags allow", function()
    submit { { tags = { "eu" } }, { tags = { "us" } }, { tags = { "eu", "dmz" } }, {} }
    local function positions(tags)
      local found = {}
      repeat
        local jobs = take(1, 10, tags)
        for _, job in ipairs(jobs) do found[#found + 1] = job.position end
      until #jobs == 0
      table.sort(found)
      return found
    end
    assert.same({ 4 }, positions { "asia" })
    assert.same({ 1 }, positions { "eu" })
    assert.same({ 2, 3 }, positions { "eu", "us", "dmz" })
  end)

  it("takes back what dead workers had, three times, after the time of a request", function()
    local run = submit({ {}, {} }, { grace = 60 })
    for attempt = 1, 3 do
      local jobs = take(attempt, 1)
      assert.equal(1, #jobs, attempt)
      assert.equal(attempt, jobs[1].attempt)
      assert.equal(0, db:row("select f5lua.reap() as n").n)
      end_leases() -- a request may be under way
      assert.equal(0, db:row("select f5lua.reap() as n").n)
      assert.equal(0, #renew(attempt, jobs))
      db:query [[update f5lua.jobs set lease_until = lease_until - interval '60 s'
        where state = 'running']]
      assert.equal(1, db:row("select f5lua.reap() as n").n)
      assert.equal(0, finish(attempt, jobs))
    end
    assert.same({ "set_aside", "waiting" }, states(run))
    finish(4, take(4))
    assert.equal("failed", (state_of(run)))
    assert.equal(0, db:row("select failures from f5lua.runs").failures)
    assert.matches("three workers were lost", db:row("select reason from f5lua.jobs").reason)
  end)

  it("ends leases that their worker does not know", function()
    local run = submit({ {}, {}, {} }, { grace = 0 })
    local mine = take(1)
    -- A worker that has lost its connection, and with it the answer of `take` about the third one.
    hello(1, { mine[1], mine[2] })
    assert.equal(1, db:row("select f5lua.reap() as n").n)
    assert.same({ "running", "running", "waiting" }, states(run))
    assert.equal(1, #renew(1, { mine[1] }))
    assert.equal(2, #renew(1, mine))
    assert.equal(2, finish(1, mine))
    assert.equal(2, finish(1, mine)) -- asked again: the answer was lost
    assert.equal(1, finish(2, take(2)))
    assert.equal("done", (state_of(run)))
  end)

  it("starts nothing on a new primary while a request may be under way", function()
    local run = submit({ {} }, { grace = 0.3 })
    submit({ {} }, { grace = 60 })
    db:query "update f5lua.server set identity = '1/00000001'"
    assert.equal(0, #take(1))
    lab.wait("the time of a request", function() return #take(1) == 1 end)
    assert.same({ "running" }, states(run))
    assert.equal(0, #take(1))
    assert.equal(db:row "select f5lua.this_server() as s".s,
      db:row "select identity from f5lua.server".identity)
    db:query "update f5lua.server set since = '-infinity'"
  end)

  it("does not say of a lost job that it was not reached", function()
    local run = submit({ {}, {}, {} }, { grace = 0, allowed = 0 })
    local mine = take(1, 1)
    take(2, 1, nil, 0.01)
    f5.sleep(0.05)
    assert.equal(1, db:row("select f5lua.reap() as n").n)
    finish(1, mine, "failed")
    assert.same({ "failed", "set_aside", "unreached" }, states(run))
    assert.equal("stopped", (state_of(run)))
  end)

  it("is cancelled: what runs ends, nothing else starts", function()
    local run = submit { {}, {}, {} }
    local mine = take(1, 1)
    assert.equal("stopping", db:row("select f5lua.cancel($1) as s", run).s)
    assert.is_true(renew(1, mine)[1].is_stopping)
    assert.equal(0, #take(2))
    finish(1, mine)
    assert.same({ "cancelled", "cancelled by admin" }, { state_of(run) })
    assert.equal("cancelled", db:row("select f5lua.cancel($1) as s", run).s)
    assert.is_nil(db:row("select f5lua.cancel(99) as s").s)
    run = submit { {} }
    assert.equal("cancelled", db:row("select f5lua.cancel($1) as s", run).s)
  end)

  it("keeps output and change records of those who have the job", function()
    submit({ {} }, { grace = 0 })
    local job = take(1, 1)[1]
    local function say(worker, first, ...)
      db:query("select f5lua.say($1::uuid, 1, 1, $2::int, $3::int, $4::text[])", id(worker),
        job.attempt, first, postgres.array { ... })
    end
    local function record(worker, first, lines, attempt)
      return db:row("select f5lua.add_records($1::uuid, $2::jsonb) as ok", id(worker),
        json.encode {
          { run = 1, position = 1, attempt = attempt or job.attempt, first = first, lines = lines },
        }).ok
    end
    say(1, 1, "a", "b")
    say(2, 3, "from somebody else")
    assert.is_true(record(1, 1, { "one", "two" }))
    assert.is_true(record(1, 1, { "one", "two" })) -- again: the answer was lost
    assert.is_false(record(2, 3, { "from somebody else" }))
    assert.is_false(record(1, 3, { "of no attempt" }, 7))
    end_leases()
    assert.is_false(record(1, 3, { "three" })) -- the lease has ended: no write, but what is known
    say(1, 3, "c")
    assert.same({ lines = "a b c", records = "one two three" }, db:row [[select
      (select string_agg(line, ' ' order by n) from f5lua.output) as lines,
      (select string_agg(line, ' ' order by n) from f5lua.change_records) as records]])
  end)

  -- A run with all that can belong to it, which has ended.
  local function full_run(run)
    local number = submit({ { tags = { "eu" } }, { wave = 1 } }, run)
    local job = take(1, 1, { "eu" })[1]
    db:query("select say($1::uuid, $2::bigint, 1, 1, 1, '{hello}')", id(1), number)
    db:query([[select add_records($1::uuid, jsonb_build_array(jsonb_build_object('run',
      $2::bigint, 'position', 1, 'attempt', 1, 'first', 1, 'lines', '["{}"]'::jsonb)))]], id(1),
      number)
    db:query("select save_plan($1::uuid, $2::bigint, 1, 1, '{}')", id(1), number)
    finish(1, { job })
    finish(1, take(1, 1))
    assert.equal("done", (state_of(number)))
    return number
  end

  local function prune(on, before)
    return (on or db):row(("select f5lua.prune(%s, 100) as n"):format(before or
      "clock_timestamp()")).n
  end

  it("lets no worker act for one with another role", function()
    db:script [[
      do $$ begin create role other_worker login; grant f5lua_worker to other_worker;
      exception when duplicate_object then null; end $$]]
    local run = submit { {} }
    local mine <close> = postgres.connect(server:address { user = "the_worker" })
    mine:query("select f5lua.hello($1::uuid, 'h', 1, '{}', 1, '0', '[]')", id(1))
    mine:query("select * from f5lua.take($1::uuid, '{}', 1, '60 s')", id(1))
    local other <close> = postgres.connect(server:address { user = "other_worker" })
    local job <const> = ('"position": 1, "attempt": 1, "run": %d'):format(run)
    for _, statement in ipairs {
      "hello($1::uuid, 'h', 1, '{}', 1, '0', '[]')", "bye($1::uuid)",
      "take($1::uuid, '{}', 1, '60 s')", "renew($1::uuid, '60 s', '[]')",
      ("finish($1::uuid, %d, '[{%s, \"state\": \"done\"}]')"):format(run, job),
      ("hand_back($1::uuid, %d, '[{%s}]')"):format(run, job),
      ("say($1::uuid, %d, 1, 1, 1, '{line}')"):format(run),
      ("add_records($1::uuid, '[{%s, \"first\": 1, \"lines\": [\"x\"]}]')"):format(job),
      ("save_plan($1::uuid, %d, 1, 1, '{}')"):format(run),
      ("note_attempt($1::uuid, %d, 1, 1, 'note')"):format(run),
    } do
      local ok, err = f5.try(other.query, other, "select f5lua." .. statement, id(1))
      assert.is_false(ok, statement)
      assert.equal("42501", err.sqlstate)
    end
    assert.equal("running", db:row "select state from jobs".state)
    mine:query(
      ("select f5lua.finish($1::uuid, %d, '[{%s, \"state\": \"done\"}]')"):format(run, job), id(1)
    )
    assert.equal("done", db:row "select state from jobs".state)
  end)

  it("removes old runs with all that belongs to them, and nothing else", function()
    local first = full_run()
    db:query("update f5lua.runs set ended_at = now() - interval '2 days' where id = $1", first)
    local second = full_run()
    local open = submit { {} }
    db:query("update f5lua.runs set submitted_at = now() - interval '9 days' where id = $1", open)
    local TABLES <const> = { "runs", "lots", "jobs", "attempts", "output", "change_records",
      "plans" }
    local before = {}
    for _, name in ipairs(TABLES) do
      before[name] = db:row(("select count(*) as n from f5lua.%s where %s = $1"):format(
        name, name == "runs" and "id" or "run"), second).n
      assert.is_true(before[name] > 0, name)
    end
    assert.equal(1, prune(nil, "now() - interval '1 day'"))
    for _, name in ipairs(TABLES) do
      local column = name == "runs" and "id" or "run"
      local function count(of)
        return db:row(("select count(*) as n from f5lua.%s where %s = $1"):format(name, column),
          of).n
      end
      assert.equal(0, count(first), name)
      assert.equal(before[name], count(second), name)
    end
    assert.equal("waiting", (state_of(open)))
    assert.equal(1, db:row "select count(*) as n from archives".n)
    assert.equal(1, prune())
    assert.equal(1, db:row "select count(*) as n from archives".n) -- of the open run
    db:query("select cancel($1)", open)
    assert.equal(1, prune())
    assert.equal(0, db:row "select count(*) as n from archives".n)
  end)

  it("keeps a run while an open one takes it back or applies its plans", function()
    local undone, checked = full_run(), full_run { kind = "check" }
    local undo = submit({ {} }, { kind = "undo", undo_of = undone })
    local apply = submit({ { key = "d9:443" } }, {
      kind = "apply", options = { apply_of = checked },
    })
    submit({ { key = "d8:443" } }, { options = { apply_of = "no run" } })
    assert.equal(0, prune())
    db:query("select cancel($1)", undo)
    assert.equal(2, prune()) -- the undo and what it was about
    assert.same({ nil, "done" }, { (db:row("select state from runs where id = $1", undone) or {})
      .state, (state_of(checked)) })
    db:query("select cancel($1)", apply)
    assert.equal(2, prune())
  end)

  it("removes neither the playbook nor the subject of a run that is being submitted", function()
    local old = full_run()
    local submitting = queue.open(server:address())
    local other <close> = queue.open(server:address())
    submitting:query "begin"
    local own = db
    db = submitting
    local new = submit({ {} }, { kind = "undo", undo_of = old })
    db = own
    local removed
    local fiber = f5.spawn(function() removed = prune(other) end)
    f5.sleep(0.3)
    assert.is_nil(removed)
    submitting:query "commit"
    submitting:close()
    fiber:join()
    assert.equal(0, removed)
    assert.equal(old, db:row("select undo_of from runs where id = $1", new).undo_of)
    assert.equal(1, db:row "select count(*) as n from archives".n)
  end)

  it("refuses a run without devices, and waves with a gap", function()
    for _, jobs in ipairs { {}, { { wave = 1 } }, { { wave = 0 }, { wave = 2 } } } do
      local ok, err = f5.try(submit, jobs)
      assert.is_false(ok)
      assert.equal("22023", err.sqlstate)
    end
  end)

  it("keeps workers that are there, and bounds times", function()
    db:query("select hello($1::uuid, 'h', 1, '{}', 1, '0', '[]')", id(1))
    prune(nil, "now() + interval '1 day'")
    assert.equal(1, db:row "select count(*) as n from workers".n)
    db:query "update workers set seen_at = now() - interval '2 days'"
    prune()
    assert.equal(0, db:row "select count(*) as n from workers".n)
    for _, grace in ipairs { -1, 1e30, 86401 } do
      local ok, err = f5.try(submit, { {} }, { grace = grace })
      assert.same({ false, "22023" }, { ok, err.sqlstate }, grace)
    end
    for _, lease in ipairs { -60, 0, 86401 } do
      for _, statement in ipairs {
        "select * from f5lua.take($1::uuid, '{}', 1, make_interval(secs => $2::integer))",
        "select * from f5lua.renew($1::uuid, make_interval(secs => $2::integer), '[]')",
      } do
        local ok, err = f5.try(db.query, db, statement, id(1), lease)
        assert.same({ false, "22023" }, { ok, err.sqlstate }, statement)
      end
    end
  end)

  it("lets each role do its part, and nothing else", function()
    local run = submit { {}, {} }
    local function try(role, statement, ...)
      local own <close> = postgres.connect(server:address { user = "the_" .. role })
      local ok, err = f5.try(own.query, own, statement, ...)
      if ok then return "done" end
      return err.sqlstate == "42501" and "refused" or tostring(err)
    end
    local TAKE <const> = ("select * from f5lua.take('%s', '{}', 1, '30 s')"):format(id(1))
    for statement, may in pairs {
      ["select reason from f5lua.runs"] = "viewer submitter worker",
      ["select * from f5lua.archives"] = "submitter worker",
      ["select manifest from f5lua.runs"] = "submitter worker",
      ["select f5lua.cancel(99)"] = "submitter",
      [TAKE] = "worker",
      ["update f5lua.jobs set state = 'done'"] = "",
      ["delete from f5lua.runs"] = "",
      ["insert into f5lua.schema_version values (9, 'x')"] = "",
      ["select f5lua.settle(1)"] = "",
      ["select f5lua.stop_run(1, 'unreached', 'x')"] = "",
      ["select f5lua.prune(now(), 1)"] = "",
    } do
      for _, role in ipairs { "viewer", "submitter", "worker" } do
        local expected = may:find(role, 1, true) and "done" or "refused"
        assert.equal(expected, try(role, statement), role .. ": " .. statement)
      end
    end
    assert.equal("running", (state_of(run)))
  end)

  it("holds for any order of calls", function()
    local seed = tonumber(os.getenv "F5LUA_SEED") or os.time()
    math.randomseed(seed)
    local ended = false
    local holder = {} -- device -> worker, for those whose lease cannot have ended
    local function worker(n)
      local own <close> = queue.open(server:address())
      while not ended do
        local short = math.random() < 0.1
        local tags = math.random(2) == 1 and { "eu" } or {}
        local jobs = take(n, math.random(5), tags, short and 0.01 or 60, own)
        for _, job in ipairs(jobs) do
          local other = holder[job.device_key]
          assert(not other, ("%s of %s and %d, seed %d"):format(
            job.device_key, tostring(other), n, seed
          ))
          if not short then holder[job.device_key] = n end
        end
        f5.sleep(math.random() * 0.02)
        local what = math.random(10)
        if what == 1 then
          renew(n, jobs, own)
        elseif what == 2 then
          own:query "select f5lua.reap()"
        elseif what == 3 then
          own:query "select f5lua.cancel((select max(id) from f5lua.runs))"
        end
        for _, job in ipairs(jobs) do
          if not short then holder[job.device_key] = nil end
        end
        if not (short and math.random() < 0.5) then
          local how = math.random(5)
          if how == 1 then
            hand_back(n, jobs, own)
          else
            finish(n, jobs, how == 2 and "failed" or "done", own)
          end
        end
      end
    end
    local fibers = {}
    for n = 1, 6 do fibers[n] = function() worker(n) end end
    local MOST <const> = 5000 -- of runs, so that a queue that does nothing ends the spec
    local function enough(runs)
      return runs >= MOST or runs >= 60
        and db:row("select count(*) as n from f5lua.jobs where state = 'done'").n > 100
    end
    fibers[7] = function()
      local runs = 0
      while not enough(runs) do
        runs = runs + 1
        local jobs = {}
        for i = 1, math.random(15) do
          jobs[i] = {
            key = ("d%d:443"):format(i * math.random(3)), wave = math.min(i - 1, 2),
            tags = math.random(2) == 1 and { "eu" } or {},
          }
        end
        submit(jobs, { grace = 0, canaries = math.random(2) - 1, allowed = math.random(6) })
        f5.sleep(0.01)
        local wrong = db:query(WRONG)
        assert.equal(0, #wrong, ("%s, seed %d"):format(json.encode(wrong), seed))
      end
      ended = true
    end
    f5.all(fibers)
    local wrong = db:query(WRONG)
    assert.equal(0, #wrong, ("%s, seed %d"):format(json.encode(wrong), seed))
    assert.is_true(db:row("select count(*) as n from f5lua.jobs where state = 'done'").n > 100,
      "seed " .. seed)
  end)
end)
