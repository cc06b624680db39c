-- f5lua submit and f5lua runs, with workers and a real PostgreSQL.
local json = require "f5.json"
local lab = require "lab"
local program = require "program"
local queue = require "postgres.queue"
local server_of = require "postgres.server"
local sim = require "f5.sim"

local it = server_of.missing and function(name) pending(name .. ": " .. server_of.missing) end
  or it

describe("Q1 f5lua submit", function()
  local server, device, q, place

  setup(function()
    if server_of.missing then return end
    server, device = server_of.start(), sim.start { fleet = 4 }
  end)
  teardown(function()
    if not server then return end
    server:stop()
    device:stop()
  end)
  before_each(function()
    if not server then return end
    q, place = queue.new(server), program.directory()
    local list = {}
    for n = 1, 4 do
      list[n] = ('{ host = "127.0.0.%d", name = "b%d", tags = { %s } }'):format(
        n, n, n > 2 and '"eu"' or ""
      )
    end
    place:file("sites.lua", ('return { defaults = { port = %d, ca = "%s", username = "admin", '
      .. 'password_env = "DEVICE_PASSWORD" }, devices = { %s } }'):format(
        device.port, device.ca, table.concat(list, ", ")
      ))
    place:file("work.lua", [[
      local m = require "part"
      print("on", device.name, ...)
      if arg[1] == device.name then error "as asked" end
      return m.answer
    ]])
    place:file("part.lua", "return { answer = 42 }")
  end)
  after_each(function()
    if not q then return end
    q:close()
    lab.stop(place)
  end)

  local function f5lua(words, env)
    local variables = { F5LUA_QUEUE = q.address, DEVICE_PASSWORD = "admin" }
    for name, value in pairs(env or {}) do variables[name] = value end
    return program.run(words, { env = variables, directory = place.path })
  end

  local function done(words)
    local result = f5lua(words)
    assert.equal(0, result.status, result.err)
    return result.out, result.err
  end

  local function refused(status, pattern, ...)
    local result = f5lua { ... }
    assert.matches(pattern, result.err)
    assert.equal(status, result.status, result.err)
    assert.equal("", result.out)
  end

  it("stores a run, which workers carry out, with modules and arguments", function()
    local out, err = done { "submit", "--inventory", "sites.lua", "work.lua", "x", "y" }
    local id = out:match "^(%d+)\n$"
    assert.matches("2 devices: no worker is running", err)
    assert.matches("2 devices: no worker with the tags eu is running", err)
    done { "worker", "--once", "--tags", "eu" }
    out = done { "runs", "show", id, "--print" }
    assert.matches("^run %d+, run of work.lua: done: 4 of 4 done\n", out)
    assert.matches("\nb3 +done .* 42\n", out)
    assert.matches("\nb2: on\\tb2\\tx\\ty\n", out)
    local listed = json.decode((done { "runs", "-o", "json" }))
    assert.equal(1, #listed)
    assert.same({ tonumber(id), "done", 4, 4, 0 }, {
      listed[1].run, listed[1].state, listed[1].devices, listed[1].done, listed[1].failed,
    })
    assert.matches("work.lua", (done { "runs" }))
  end)

  it("waits for the end with --wait, and says how it was", function()
    local worker <close> = q:worker("a", { "--tags", "eu" }, { DEVICE_PASSWORD = "admin" })
    local result = f5lua { "submit", "--wait", "--inventory", "sites.lua", "work.lua", "b2" }
    assert.equal(1, result.status, result.err)
    assert.matches("\nrun %d+: failed: 3 of 4 done, 1 failed\n$", result.out)
    local shown = json.decode((done { "runs", "show", "1", "-o", "json" }))
    assert.matches("as asked", shown.devices[2].result)
    assert.equal("failed", shown.devices[2].state)
    worker:kill "TERM"
  end)

  it("repeats what is not done, as often as it takes", function()
    done { "submit", "--inventory", "sites.lua", "--canary", "1", "work.lua", "b1" }
    refused(3, "run 1 has not ended", "runs", "retry", "1", "--failed")
    done { "worker", "--once", "--tags", "eu" }
    assert.same({ failed = 1, unreached = 3 }, q:states(1))
    assert.equal("2\n", (done { "runs", "retry", "1", "--failed" }))
    local again = q:run(2)
    assert.same({ 1, 4, 2, 1 }, { again.retry_of, again.jobs, again.waves, again.canaries })
    done { "worker", "--once", "--tags", "eu" }
    assert.equal("stopped", q:run(2).state)
    done { "submit", "--inventory", "sites.lua", "work.lua" }
    done { "worker", "--once", "--tags", "eu" }
    local result = f5lua { "runs", "retry", "3", "--failed" }
    assert.equal(1, result.status)
    assert.matches("all devices are done, there is nothing to repeat", result.err)
  end)

  it("is cancelled", function()
    done { "submit", "--inventory", "sites.lua", "work.lua" }
    assert.equal("run 1: cancelled\n", (done { "runs", "cancel", "1" }))
    assert.equal("run 1: cancelled\n", (done { "runs", "cancel", "1" }))
    local out = done { "runs", "show", "1", "--watch" }
    assert.matches("run 1, run of work.lua: cancelled %(cancelled by admin%)", out)
  end)

  it("are removed when they are old, unless another run needs them", function()
    place:file("write.lua", "bip.ltm.pool:create { name = device.name, partition = 'Common' }")
    done { "submit", "--inventory", "sites.lua", "write.lua" }
    done { "submit", "--inventory", "sites.lua", "work.lua" }
    done { "worker", "--once", "--tags", "eu" }
    done { "submit", "--inventory", "sites.lua", "work.lua" }
    done { "undo", "run:1" }
    q.db:query "update runs set ended_at = ended_at - interval '10 days'"
    assert.equal("0 runs removed\n", (done { "runs", "prune", "--older", "20" }))
    -- Run 1 is needed by its undo, and run 3 has not ended.
    local out, err = done { "runs", "prune", "--older", "5d", "--check" }
    assert.matches("\n *2 +run +done +work.lua +4 +admin +20", out)
    assert.is_nil(out:match "\n *[134] ")
    assert.matches("1 run kept: a run that has not ended needs it", err)
    assert.equal(4, q.db:row("select count(*) as n from runs").n)
    assert.equal("1 run removed\n", (done { "runs", "prune", "--older", "5d" }))
    assert.equal(0, q.db:row("select count(*) as n from jobs where run = 2").n)
    done { "worker", "--once", "--tags", "eu" }
    assert.same({ done = 4 }, q:states(4))
    assert.equal("1 run removed\n", (done { "runs", "prune", "--older", "5" }))
    refused(2, "say which runs: %-%-older DAYS", "runs", "prune")
    refused(2, "say which runs", "runs", "prune", "--older", "1.5")
    refused(2, "prune takes no run", "runs", "prune", "1", "--older", "1")
    refused(2, "%-%-older is for prune", "runs", "list", "--older", "1")
    refused(2, "%-%-check is for prune", "runs", "show", "1", "--check")
  end)

  it("are removed by the owner of the queue only", function()
    done { "submit", "--inventory", "sites.lua", "work.lua" }
    server:sql(program.run({ "queue", "grants" }).out, q.address)
    server:sql("create role remover login; grant f5lua_submitter to remover", q.address)
    local address <const> = q.address:gsub("user='admin'", "user='remover'")
    refused(3, "permission denied for function prune.*f5lua queue grants", "runs", "prune",
      "--older", "1", "--queue", address)
    assert.equal(1, q.db:row "select count(*) as n from runs".n)
  end)

  it("keeps secrets out of the database", function()
    place:file("secret.lua", 'return { devices = { { host = "b1", password = "x" } } }')
    refused(2, "device 'b1' has a password in the inventory, and nothing secret enters",
      "submit", "--inventory", "secret.lua", "work.lua")
    place:file("vars.lua", 'return { devices = { { host = "b1", vars = { password = "x" } } } }')
    refused(2, "vars.password seems to be a secret", "submit", "--inventory", "vars.lua",
      "work.lua")
    place:file("ca.lua", 'return { devices = { { host = "b1", ca = "ca.pem" } } }')
    refused(2, "ca = 'ca.pem' is not an absolute path", "submit", "--inventory", "ca.lua",
      "work.lua")
    assert.equal(0, q.db:row "select count(*) as n from runs".n)
  end)

  -- Whoever has the rights of a worker may store any result, plan and record.
  it("shows what somebody has forged, or calls it damaged", function()
    done { "submit", "--check", "--inventory", "sites.lua", "work.lua" }
    q.db:query "insert into plans select run, position, e'{\"a\":\"\\x1b[31m\"}' from jobs"
    for _, result in ipairs {
      "null", "1", "[]", '{"changes":"abc","steps":"x","findings":5}', "1e400", "{}",
      '{"changes":1.5,"steps":1e300,"findings":"f"}', ("["):rep(600) .. ("]"):rep(600),
      '{"changes":99999999999,"steps":99999999999,"final":[],"findings":null}',
    } do
      q.db:query("update jobs set state = 'done', ended_at = now(), result = $1::jsonb", result)
      q.db:query "update runs set state = 'done', ended_at = now(), started_at = now()"
      assert.matches("4 devices: their stored result is damaged: submit the check again (b1, b2,",
        (done { "runs", "show", "1" }), 1, true)
      assert.equal(4, #json.decode((done { "runs", "show", "1", "-o", "json" })).devices)
      assert.matches("b1", (done { "runs", "plan", "1" }))
      refused(2, "run 1: the stored result of the device b1 is damaged", "apply", "run:1")
    end
    assert.matches("damaged +damaged +damaged", (done { "runs", "plan", "1" }))
    assert.equal('{"a":"\\u001b[31m"}', (done { "runs", "plan", "1", "b1" }))
    local head <const> = '{"record":"f5lua","format":1,"id":"1.1.1"}'
    for _, case in ipairs {
      { "x", "line 1 of the change record is damaged: invalid JSON" },
      { "5", "line 1 of the change record is damaged: it is no JSON object" },
      { "{}", "line 1 of the change record is damaged: it does not begin a record" },
      { head, '{"step":"x"}', "line 2 of the change record is damaged: its step is not a number" },
      { head, '{"step":1}', "its step has no device" },
      { head, '{"step":1,"device":1}', "its step has no request" },
      { head, '{"step":1,"device":1,"method":"PUT","path":"/x"}', "no line before it tells" },
      { head, '{"outcome":"x"}', "its outcome has no number" },
      { head, '{"device":{}}', "its device is not a number" },
    } do
      q.db:query "delete from change_records"
      for n = 1, #case - 1 do
        q.db:query("insert into change_records (run, position, attempt, n, line) "
          .. "values (1, 1, 1, $1::integer, $2)", n, case[n])
      end
      refused(2, case[#case], "runs", "record", "1", "b1")
    end
  end)

  it("says what is wrong with the command line", function()
    local FLEET <const> = { "--inventory", "sites.lua" }
    refused(2, "name the devices with %-%-inventory FILE", "submit", "work.lua")
    refused(2, "no playbook given", "submit", table.unpack(FLEET))
    refused(2, "cannot read 'none.lua'", "submit", "--inventory", "sites.lua", "none.lua")
    refused(2, "%-%-max%-failures must be a number of devices or a share", "submit",
      "--inventory", "sites.lua", "--max-failures", "many", "work.lua")
    refused(2, "matches no device of this inventory", "submit", "--inventory",
      "sites.lua", "--limit", "none*", "work.lua")
    refused(2, "%-%-batch must be at least 1", "submit", "--inventory", "sites.lua", "--batch",
      "0", "work.lua")
    refused(2, "name the run: f5lua runs show ID", "runs", "show")
    refused(2, "'x' is not the number of a run", "runs", "cancel", "x")
    refused(2, "say which devices: %-%-failed", "runs", "retry", "1")
    refused(3, "there is no run 7", "runs", "show", "7")
    refused(3, "there is no run 7", "runs", "cancel", "7")
    refused(3, "there is no run 7", "runs", "retry", "7", "--failed")
    refused(2, "argument 1 of the playbook is not UTF%-8", "submit", "--inventory", "sites.lua",
      "work.lua", "\xff")
    place:file("odd.lua", 'return { devices = { { host = "b1", name = "a\\27b" } } }')
    refused(2, "of a device has a control character", "submit", "--inventory", "odd.lua",
      "work.lua")
    refused(2, "'run:abc' is not the number of a run: say run:1", "undo", "run:abc")
    refused(2, "the whole path of a plan, such as %./1", "apply", "1")
    refused(2, "cannot read '': the path is empty", "worker", "--trust", "")
    -- what has no end
    for _, case in ipairs {
      { "worker", "--trust", "/dev/zero" },
      { "submit", "--inventory", "/dev/zero", "work.lua" },
    } do
      local ended <const> = f5lua(case)
      assert.matches("larger than 256 MB", ended.err)
      assert.is_true(ended.status ~= 0)
    end
    refused(2, "%-%-max%-failures must be at most 2147483647, not 99999999999", "submit",
      "--inventory", "sites.lua", "--max-failures", "99999999999", "work.lua")
    refused(2, "%-%-per%-device must be at most 1000", "submit", "--inventory", "sites.lua",
      "--per-device", "1001", "work.lua")
    refused(2, "argument 2 of the playbook seems to hold a secret", "submit", "--inventory",
      "sites.lua", "work.lua", "--password", "topsecret")
    refused(2, "%-%-watch is not for list", "runs", "list", "--watch")
    refused(2, "cancel prints no JSON", "runs", "cancel", "1", "-o", "json")
    refused(2, "%-%-failed is not for cancel", "runs", "cancel", "1", "--failed")
    assert.equal("no runs\n", (done { "runs" }))
    local _, _, status = os.execute(program.command_line(
      { "submit", "--queue", q.address, "--inventory", place.path .. "/sites.lua",
        place.path .. "/work.lua" }, {}) .. " >/dev/full 2>" .. place.path .. "/err")
    assert.is_true(status ~= 0)
    assert.matches("run 1 is stored, but standard output cannot be written", place:read "err")
  end)
end)
