-- f5lua worker: jobs of a queue in a real PostgreSQL on simulated devices, and what happens when
-- workers or the database die.
local core = require "f5.core"
local lab = require "lab"
local program = require "program"
local queue = require "postgres.queue"
local server_of = require "postgres.server"

local it = server_of.missing and function(name) pending(name .. ": " .. server_of.missing) end
  or it

local FLEET <const> = 24

-- Changes a pool at the start and at the end of its work; its name says which attempt it was.
local TWO_WRITES <const> = [[
  local name = "p" .. os.getenv "WORKER" .. math.random(1 << 30)
  bip.ltm.pool:create { name = name, partition = "Common" }
  bip.ltm.pool["/Common/" .. name]:modify { description = "begin" }
  f5.sleep(tonumber(arg[1] or "0.2"))
  bip.ltm.pool["/Common/" .. name]:modify { description = "end" }
  print("done by", os.getenv "WORKER")
  return device.name
]]

describe("Q2 f5lua worker", function()
  local server, fleet, q

  queue.block(setup, teardown, before_each, after_each, FLEET, function(a_server, a_fleet, a_queue)
    server, fleet, q = a_server, a_fleet, a_queue
  end)

  local ENV <const> = queue.ENV

  local function device(n, more) return queue.device(fleet, n, more) end

  local function devices(from, to)
    for n = from, to do fleet:member(n):control "clear_log" end
    return queue.devices(fleet, from, to)
  end

  local function worker(name, ...)
    return q:worker(name, { "--lease", "10", ... }, ENV)
  end

  -- The attempts that wrote to a device: { name, complete }, in order. Fails if one wrote after the
  -- next one had begun.
  local function attempts(n)
    local list, known = {}, {}
    for _, call in ipairs(fleet:member(n):log()) do
      local name = call.method == "PATCH" and call.path:match "~Common~p(%w+)$"
      if name and not known[name] then
        known[name] = true
        list[#list + 1] = { name = name, complete = false }
      elseif name then
        assert.equal(list[#list].name, name, "a lost attempt wrote after the next one had begun")
        list[#list].complete = true
      end
    end
    return list
  end

  it("carries out each device once, with others", function()
    local run = q:submit(TWO_WRITES, devices(1, FLEET), { arguments = { "0.05" } })
    local a <close> = worker("a", "--workers", "5")
    local b <close> = worker("b", "--workers", "5")
    local c <close> = worker("c", "--workers", "5")
    q:ended(run)
    assert.same({ done = FLEET }, q:states(run))
    for n = 1, FLEET do
      local list = attempts(n)
      assert.equal(1, #list)
      assert.is_true(list[1].complete)
    end
    local row = q.db:row("select * from jobs where run = $1 and position = 3", run)
    assert.same({ "done", true, '"127.0.0.3"' }, { row.state, row.changed, row.result })
    assert.is_true(row.calls >= 2 and row.bytes > 0 and row.duration > 0)
    local line = q.db:row("select line from output where run = $1 and position = 3", run).line
    assert.matches("^done by\\t[abc]$", line)
    for _, one in ipairs { a, b, c } do
      one:kill "TERM"
      assert.equal(0, one:wait().status)
    end
    assert.equal(0, q.db:row "select count(*) as n from devices".n)
    assert.equal(3, q.db:row "select count(*) as n from workers where ended_at is not null".n)
  end)

  it("works on as many devices at a time as it has places", function()
    local run = q:submit([[
      local known = package.loaded.at_work or { now = 0, most = 0 }
      package.loaded.at_work = known
      known.now = known.now + 1
      known.most = math.max(known.most, known.now)
      bip.ltm.pool:list()
      require("f5").sleep(0.2)
      known.now = known.now - 1
      return known.most
    ]], devices(1, 12))
    local a <close> = worker("a", "--workers", "3")
    assert.equal("done", q:ended(run).state)
    local most = "select max((result #>> '{}')::integer) as n from jobs where run = $1"
    assert.equal(3, q.db:row(most, run).n)
    a:kill "TERM"
    assert.equal(0, a:wait().status)
  end)

  it("stores failures with their reasons, and stops after a canary", function()
    local run = q:submit('bip.ltm.pool["/Common/none"]:load()', devices(1, 3), { canary = 1 })
    local a <close> = worker("a", "--once")
    assert.equal(0, a:wait().status)
    local row = q:run(run)
    assert.same({ "stopped", "a canary failed" }, { row.state, row.reason })
    local job = q.db:row("select * from jobs where run = $1 and position = 1", run)
    assert.equal("failed", job.state)
    assert.matches('"kind": "not_found"', job.error)
    assert.same({ failed = 1, unreached = 2 }, q:states(run))
  end)

  it("gives runs environments of their own", function()
    local first = q:submit('leaked = device.name; local m = require "part"; '
      .. "m.n = m.n + 1; local mine = m.n; f5.sleep(0.1); return mine", devices(1, 2), {
        entries = { { kind = "module", name = "part", contents = "return { n = 0 }" } },
      })
    local second = q:submit("return tostring(leaked) .. tostring(_G.leaked)", devices(3, 3))
    local a <close> = worker("a", "--once")
    a:wait()
    local results = {}
    for i, row in
      ipairs(q.db:query("select result from jobs where run = $1 order by result", first))
    do
      results[i] = row.result
    end
    assert.same({ "1", "2" }, results)
    assert.equal('"nilnil"', q.db:row("select result from jobs where run = $1", second).result)
  end)

  it("keeps playbooks from ending it, and has their files and sessions", function()
    local ended = q:submit("os.exit(3)", devices(1, 1))
    local by_module = q:submit('require("os").exit(3)', devices(1, 1))
    local file = q:submit('return f5.asset "words.txt"', devices(2, 2), {
      entries = { { kind = "asset", name = "words.txt", contents = "from the archive" } },
    })
    local list = devices(3, 3)
    local session = q:submit([[
      local again <close> = f5.connect {
        host = device.connect.host, port = device.connect.port, ca = device.connect.ca,
        username = "admin", password = "admin", timeout = 100,
      }
      again.ltm.pool:create { name = "late", partition = "Common" }
    ]], list)
    local a <close> = worker("a", "--once")
    assert.equal(0, a:wait().status)
    local function job(run) return q.db:row("select * from jobs where run = $1", run) end
    for _, run in ipairs { ended, by_module } do
      assert.matches("os.exit would end the worker", job(run).error)
    end
    assert.equal('"from the archive"', job(file).result)
    -- a write that could take 100 s does not fit into a lease of 10 s
    assert.equal("failed", job(session).state)
    assert.matches("the lease of this job ends too soon for another write", job(session).error)
  end)

  -- How many pools were created on a device.
  local function created(n)
    local count = 0
    for _, call in ipairs(fleet:member(n):log()) do
      if call.method == "POST" and call.path == "/mgmt/tm/ltm/pool" then count = count + 1 end
    end
    return count
  end

  -- A fiber that a playbook leaves behind writes five times.
  local BEHIND <const> = [[
    f5.spawn(function()
      f5.sleep(tonumber(arg[1]))
      for n = 1, 5 do
        bip.ltm.pool:create { name = "behind" .. n .. os.getenv "WORKER", partition = "Common" }
        f5.sleep(0.1)
      end
      if arg[2] == "fail" then error "as asked" end
    end)
    if arg[2] == "raise" then
      f5.sleep(0.25)
      error "raised"
    end
    if arg[2] == "wait" then f5.sleep(30) end
    f5.spawn(function() end):cancel() -- before it has begun
    return "end"
  ]]

  it("ends a job when the fibers of its playbook have ended", function()
    local list = devices(1, 3)
    local late = q:submit(BEHIND, { list[1] }, { arguments = { "0" } })
    local fails = q:submit(BEHIND, { list[2] }, { arguments = { "0", "fail" } })
    local raises = q:submit(BEHIND, { list[3] }, { arguments = { "0", "raise" } })
    local a <close> = worker("a", "--once")
    assert.equal(0, a:wait().status)
    local function job(run)
      local row = q.db:row("select *, coalesce(error ->> 'message', result #>> '{}') as text "
        .. "from jobs where run = $1", run)
      return row.state, row.text
    end
    assert.same({ "done", "end" }, { job(late) })
    assert.equal(5, created(1))
    local state, text = job(fails)
    assert.equal("failed", state)
    assert.matches("as asked", text)
    state, text = job(raises)
    assert.equal("failed", state)
    assert.matches("raised", text)
    assert.is_true(created(3) < 5)
  end)

  it("reports a failed fiber, unless the playbook has seen the failure", function()
    local run = q:submit([[
      local fiber = f5.spawn(setmetatable({}, { __call = function() error "early" end }))
      f5.sleep(0.1)
      if arg[1] == device.name then f5.try(fiber.join, fiber) end
      return fiber:status()
    ]], devices(1, 2), { arguments = { "127.0.0.1" } })
    local a <close> = worker("a", "--once")
    assert.equal(0, a:wait().status)
    local rows = q.db:query([[select state, coalesce(error ->> 'message', result #>> '{}') as text
      from jobs where run = $1 order by position]], run)
    assert.same({ "done", "failed" }, { rows[1].state, rows[1].text })
    assert.equal("failed", rows[2].state)
    assert.matches("early", rows[2].text)
  end)

  it("hands back a job whose fibers were still to write", function()
    local run = q:submit(BEHIND, devices(4, 4), { arguments = { "1.5", "wait" } })
    local a <close> = worker "a"
    lab.wait("the job", function() return q:states(run).running == 1 end)
    local b <close> = worker "b"
    a:kill "TERM"
    assert.equal(0, a:wait().status)
    lab.wait("the other worker", function() return created(4) == 5 end)
    local bip <close> = core.connect(fleet:member(4):options "admin")
    assert.is_true(bip.ltm.pool["/Common/behind1b"]:exists())
    assert.is_false(bip.ltm.pool["/Common/behind1a"]:exists())
    b:kill "KILL"
  end)

  it("lets no session write after the end of its job", function()
    local run = q:submit([[
      local kept = require "kept"
      if device.name == "127.0.0.2" then
        return kept.session.ltm.pool:create { name = "after", partition = "Common" }
      end
      local c = device.connect
      kept.session = f5.connect {
        host = c.host, port = c.port, ca = c.ca, username = "admin", password = "admin",
        timeout = 1,
      }
      kept.session.ltm.pool:create { name = "before", partition = "Common" }
    ]], devices(1, 2), {
      entries = { { kind = "module", name = "kept", contents = "return {}" } }, canary = 1,
    })
    local a <close> = worker("a", "--once")
    assert.equal(0, a:wait().status)
    assert.same({ done = 1, failed = 1 }, q:states(run))
    assert.matches("the lease of this job ends too soon", q.db:row([[select error from jobs
      where run = $1 and position = 2]], run).error)
    assert.equal(1, created(1))
  end)

  it("goes on with a session that its playbook has closed", function()
    local run = q:submit([[
      local c = device.connect
      kept = f5.connect {
        host = c.host, port = c.port, ca = c.ca, username = "admin", password = "admin",
        timeout = 1,
      }
      kept:close()
      f5.sleep(5)
      return "end"
    ]], devices(1, 1))
    local a <close> = worker("a", "--once")
    local ended = a:wait(30)
    assert.equal(0, ended.status, ended.err)
    assert.same({ done = 1 }, q:states(run))
  end)

  it("takes only jobs whose tags it has", function()
    local list = devices(1, 2)
    local eu = q:submit("return 1", { list[1] }, { tags = { "eu" } })
    local any = q:submit("return 1", { list[2] })
    do
      local a <close> = worker("a", "--once", "--tags", "us")
      a:wait()
    end
    assert.same({ "waiting", "done" }, { q:run(eu).state, q:run(any).state })
    local b <close> = worker("b", "--once", "--tags", "us,eu")
    b:wait()
    assert.equal("done", q:run(eu).state)
  end)

  -- One that is killed, and one that is stopped for longer than its lease.
  it("loses its jobs to another one, which writes alone", function()
    local killed = q:submit(TWO_WRITES, devices(1, 6), { arguments = { "0.6" }, tags = { "k" } })
    local stopped = q:submit(TWO_WRITES, devices(7, 7), { arguments = { "1" }, tags = { "s" } })
    local a <close> = worker("a", "--tags", "k")
    local b <close> = worker("b", "--tags", "s")
    lab.wait("the first writes", function()
      for n = 1, 7 do if #attempts(n) == 0 then return false end end
      return true
    end)
    a:kill "KILL"
    b:kill "STOP"
    local c <close> = worker("c", "--tags", "k,s")
    assert.equal("done", q:ended(killed).state)
    assert.equal("done", q:ended(stopped).state)
    b:kill "CONT"
    b:expect "abandoned"
    for _, one in ipairs { b, c } do
      one:kill "TERM"
      assert.equal(0, one:wait().status)
    end
    local lost = 0
    for n = 1, 7 do
      local list = attempts(n)
      assert.is_true(list[#list].complete)
      if not list[1].complete then lost = lost + 1 end
    end
    assert.is_true(lost > 1)
    assert.equal(lost, q.db:row "select count(*) as n from attempts where outcome = 'lease lost'".n)
    assert.matches("it had sent writes", q.db:row(
      "select note from attempts where attempt = 1 and run = $1", stopped).note)
    assert.equal(0, q.db:row "select count(*) as n from jobs where state = 'failed'".n)
  end)

  it("hands back what it has not changed, and ends the rest, when it is stopped", function()
    local run = q:submit([[
      if device.name == "127.0.0.1" then
        bip.ltm.pool:create { name = "changed", partition = "Common" }
      end
      f5.sleep(2)
    ]], devices(1, 3))
    local a <close> = worker("a")
    lab.wait("the write", function()
      for _, call in ipairs(fleet:member(1):log()) do
        if call.method == "POST" and call.path:find "ltm/pool$" then return true end
      end
    end)
    a:kill "TERM"
    assert.equal(0, a:wait().status)
    assert.same({ done = 1, waiting = 2 }, q:states(run))
    assert.equal(2, q.db:row "select count(*) as n from attempts where outcome = 'handed back'".n)
  end)

  it("outlives a restart of the database: nothing is lost, nothing done twice", function()
    local run = q:submit(TWO_WRITES, devices(1, FLEET), { arguments = { "0.3" } })
    local a <close> = worker("a", "--workers", "4")
    local b <close> = worker("b", "--workers", "4")
    lab.wait("a result", function() return (q:states(run).done or 0) > 0 end)
    q.db:close()
    server:down "immediate"
    core.real_sleep(0.5)
    server:up()
    q.db = require("f5.queue").open(q.address)
    assert.equal("done", q:ended(run).state)
    for n = 1, FLEET do
      local list = attempts(n)
      assert.is_true(list[#list].complete)
      assert.equal(1, #list, n)
    end
    a:kill "TERM"
    b:kill "TERM"
  end)

  it("hands back what needs a longer lease, for another worker", function()
    local run = q:submit("return 1", { device(1), device(2, { timeout = 2 }) })
    do
      local a <close> = worker("a", "--once")
      assert.matches("handed back: the timeout of 127.0.0.2 is 2 s, too long for a lease of 10 s",
        a:wait().err, 1, true)
    end
    assert.same({ waiting = 2 }, q:states(run))
    q:work(1, { "--lease", "11" }, ENV)
    q:all_done(run, 2)
  end)

  it("hands back what does not unpack, and says why", function()
    local run = q:submit("", devices(1, 1), { archive = "rubbish" })
    local a <close> = worker("a", "--once")
    assert.matches("handed back: the playbook does not unpack: the archive has no valid header",
      a:wait().err)
    assert.same({ waiting = 1 }, q:states(run))
  end)

  -- Whoever may submit runs may store any text as a manifest.
  it("hands back what its manifest does not say as it should, and says why", function()
    local run = q:submit("return 1", devices(1, 1))
    local text <const> = q:run(run).manifest
    local function noted(manifest, position)
      q.db:query "delete from attempts"
      q.db:query("update runs set manifest = $1", manifest)
      q.db:query("update jobs set position = $1::integer", position or 1)
      local a <close> = worker("a", "--once")
      local ended <const> = a:wait()
      assert.equal(0, ended.status, ended.err)
      assert.same({ waiting = 1 }, q:states(run))
      return q.db:row "select note from attempts".note
    end
    assert.matches("its manifest is not JSON", noted "x")
    assert.equal("its manifest has no device 7", noted(text, 7))
    for _, case in ipairs {
      { '"arguments":%[%]', '"arguments":5', "its arguments are no list" },
      { '"timeout":1', '"timeout":"x"', "device 1: its timeout has a wrong type" },
    } do
      local damaged <const>, n <const> = text:gsub(case[1], case[2])
      assert.equal(1, n, text)
      assert.equal("its manifest is damaged: " .. case[3], noted(damaged))
    end
    local shape <const> = require "f5.queue.shape"
    local json <const> = require "f5.json"
    local function fault(change)
      local content <const> = json.decode(text)
      change(content, content.devices[1])
      return shape.fault(content)
    end
    assert.is_nil(fault(function() end))
    for _, value in ipairs { json.null, 5, "x", json.array { 5 } } do
      for name, where in pairs {
        archive = 1, arguments = 1, devices = 1, options = 1, playbook = 1, connect = 2,
        groups = 2, name = 2, pair = 2, plan = 2, tags = 2, undo = 2, vars = 2,
      } do
        local is_text <const> = value == "x"
          and (name == "archive" or name == "playbook" or name == "name" or name == "pair")
        local why <const> = fault(function(...) select(where, ...)[name] = value end)
        assert.equal(not is_text, type(why) == "string", name .. " " .. tostring(value))
      end
      for _, name in ipairs { "host", "timeout", "password_env", "password_command" } do
        local is_text <const> = value == "x" and name ~= "timeout"
        local is_time <const> = value == 5 and name == "timeout"
        local why <const> = fault(function(_, one) one.connect[name] = value end)
        assert.equal(not (is_text or is_time), type(why) == "string", name .. tostring(value))
      end
    end
    assert.matches("per_device is 1001", fault(function(all) all.options.per_device = 1001 end))
  end)

  it("ends a job that computes without a pause, and keeps the leases of the others", function()
    local computing = q:submit([[
      while not package.loaded.begun do f5.sleep(0.01) end
      local function forever() while true do end end
      if device.name == "127.0.0.1" then forever() end
      while true do pcall(forever) end
    ]], { device(1, { timeout = 10 }), device(2, { timeout = 10 }) })
    local odd = q:submit([[
      while not package.loaded.begun do f5.sleep(0.01) end
      error(setmetatable({}, { __tostring = function() while true do end end }))
    ]], { device(4, { timeout = 10 }) })
    local other = q:submit("package.loaded.begun = true " .. TWO_WRITES,
      { device(3, { timeout = 10 }) })
    local a <close> = q:worker("a", { "--lease", "24", "--once" }, ENV)
    local ended = a:wait(60)
    assert.equal(0, ended.status, ended.err)
    q:all_done(other, 1)
    assert.equal(1, q.db:row("select attempt from jobs where run = $1", other).attempt)
    assert.same({ failed = 2 }, q:states(computing))
    local jobs = q.db:query("select attempt, error from jobs where run = $1 order by 2", computing)
    for _, job in ipairs(jobs) do
      assert.equal(1, job.attempt)
      assert.matches('"playbook%.lua:%d: computed for %d[%d.]* s without a pause; the limit '
        .. "is 2 s, a twelfth of %-%-lease, because the worker can renew no lease meanwhile: call "
        .. 'f5%.sleep%(0%) in long loops"', job.error)
    end
    assert.same({ failed = 1 }, q:states(odd))
    assert.equal(1, q.db:row("select attempt from jobs where run = $1", odd).attempt)
    assert.not_matches("lost", ended.err)
  end)

  it("says what is wrong with its options", function()
    local function refused(pattern, ...)
      local result = program.run { "worker", ... }
      assert.matches(pattern, result.err)
      assert.equal(2, result.status, result.err)
    end
    refused("name the database with %-%-queue URL, or in F5LUA_QUEUE")
    refused("%-%-lease must be from 10 to 86400 seconds", "--queue", "", "--lease", "5")
    refused("%-%-workers must be at least 1", "--queue", "", "--workers", "0")
    refused("%-%-tags names no tag", "--queue", "", "--tags", ",")
    refused("cannot read /none", "--queue", "", "--trust", "/none")
    refused("is not an Ed25519 public key", "--queue", "", "--trust", "VERSION")
    local result = program.run { "worker", "--queue", "host=127.0.0.1 port=1" }
    assert.matches("Connection refused", result.err)
    assert.equal(3, result.status)
  end)
end)

describe("a session with a lease", function()
  it("sends no write that could end after it", function()
    local device, bip = lab.start()
    local ended <close> = setmetatable({}, { __close = function() lab.stop(bip, device) end })
    core.lease(bip, core.boot_time() + 66)
    bip.ltm.pool:create { name = "a", partition = "Common" }
    core.lease(bip, core.boot_time() + 64)
    local err = lab.fails("cancelled", function()
      bip.ltm.pool:create { name = "b", partition = "Common" }
    end)
    assert.matches("the lease of this job ends too soon for another write: POST", err.message)
    assert.is_false(bip.ltm.pool["/Common/b"]:exists()) -- reads go on
    core.lease(bip, nil)
    bip.ltm.pool:create { name = "b", partition = "Common" }
    assert.is_not_nil(ended)
  end)
end)
