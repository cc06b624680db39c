-- What goes wrong around a queue: a full disk of the database, rights, limits, devices that refuse.
local bundle = require "f5.bundle"
local core = require "f5.core"
local json = require "f5.json"
local lab = require "lab"
local postgres = require "f5.postgres"
local program = require "program"
local queue = require "postgres.queue"
local server_of = require "postgres.server"

local it = server_of.missing and function(name) pending(name .. ": " .. server_of.missing) end
  or it

local FLEET <const> = 20

describe("Q2 what goes wrong around a queue", function()
  local server, fleet, q, place

  local ENV <const> = queue.ENV

  queue.block(setup, teardown, before_each, after_each, FLEET, function(a_server, a_fleet, a_queue)
    server, fleet, q = a_server, a_fleet, a_queue
  end)
  setup(function() place = lab.scratch() end)

  local function device(n, more)
    fleet:member(n):control "clear_log"
    return queue.device(fleet, n, more)
  end

  local function devices(from, to)
    local list = {}
    for n = from, to do list[#list + 1] = device(n) end
    return list
  end

  local function inventory(list)
    return place:file("inventory.json", json.encode { devices = list })
  end

  local function message(run, position)
    return q.db:row([[select coalesce(error ->> 'message', reason) as m from jobs
      where run = $1 and position = $2]], run, position or 1).m
  end

  local function work(...)
    local one <close> = q:worker("w", { "--lease", "10", "--once", ... }, ENV)
    local ended <const> = one:wait(60)
    assert.equal(0, ended.status, ended.err)
    return ended
  end

  -- -- a full disk ------------------------------------------------------------------------------

  -- A database on a disk of a few megabytes. Returns functions that fill it and make room.
  local function small_disk(name)
    local path <const> = server.path .. "/" .. name
    local made <const> = os.execute(
      ("mkdir %s && mount -t tmpfs -o size=24m,mode=700,uid=$(stat -c %%u %s/data),"
        .. "gid=$(stat -c %%g %s/data) tmpfs %s 2>/dev/null"):format(path, server.path, server.path,
        path)
    )
    if not made then return nil end
    server:sql(("create tablespace %s location '%s'"):format(name, path))
    server:sql(("create database %s tablespace %s"):format(name, name))
    local address <const> = server:address { dbname = name }
    assert.equal(0, program.run({ "queue", "init", "--queue", address }).status)
    return address, function()
      os.execute(("dd if=/dev/zero of=%s/filler bs=64k 2>/dev/null"):format(path))
    end, function() os.remove(path .. "/filler") end, function()
      server:sql(("drop database %s with (force)"):format(name))
      server:sql(("drop tablespace %s"):format(name))
      os.execute("umount " .. path)
    end
  end

  it("waits for room on the disk of the database, and loses nothing", function()
    local address, fill, make_room, remove = small_disk "smalldisk"
    if not address then return pending "a file system of its own cannot be made here" end
    local small <close> = setmetatable({
      address = address, db = require("f5.queue").open(address),
    }, getmetatable(q))
    local _ <close> = setmetatable({}, { __close = function() make_room() end })
    local playbook <const> = place:file("playbook.lua", [[
      bip.ltm.pool:create { name = "disk", partition = "Common" }
      f5.sleep(2)
      bip.ltm.pool["/Common/disk"]:modify { description = "second" }
      return ("x"):rep(20000)
    ]])
    local list <const> = inventory(devices(1, 4))
    local function submit()
      return program.run { "submit", "--queue", address, "--inventory", list, playbook }
    end
    local run = math.tointeger(tonumber(submit().out))
    local w <close> = small:worker("w", { "--lease", "60" }, ENV)
    lab.wait("the first writes", function() return #lab.writes(fleet:member(4)) >= 1 end)
    fill()
    local refused
    lab.wait("the disk is full", function()
      refused = submit()
      return refused.status ~= 0
    end, 20)
    assert.equal(3, refused.status)
    assert.matches("No space left on device", refused.err)
    core.real_sleep(4)
    make_room()
    local ended <const> = small:ended(run)
    assert.equal("done", ended.state)
    local _, err = w:output()
    assert.matches("no database: .*No space left on device", err)
    for n = 1, 4 do
      local bip <close> = core.connect(fleet:member(n):options "admin")
      assert.equal("second", bip.ltm.pool["/Common/disk"]:load().description)
      bip.ltm.pool["/Common/disk"]:delete()
    end
    w:kill "TERM"
    w:wait()
    small.db:close()
    remove()
  end)

  it("works with a full disk of its own, and says what a playbook could not write", function()
    local small <const> = place.path .. "/small"
    if not os.execute(("mkdir %s && mount -t tmpfs -o size=64k tmpfs %s 2>/dev/null"):format(small,
        small))
    then
      return pending "a file system of its own cannot be made here"
    end
    local _ <close> = setmetatable({}, { __close = function() os.execute("umount " .. small) end })
    os.execute(("cat /dev/zero >%s/filler 2>/dev/null"):format(small))
    local playbook <const> = place:file("disk.lua", [[
      bip.ltm.pool["/Common/full"]:ensure { monitor = "/Common/http" }
      local file <close> = assert(io.open(os.getenv "TMPDIR" .. "/x", "w"))
      file:setvbuf "no"
      if device.name == "127.0.0.2" then assert(file:write("text")) end
    ]])
    for _, words in ipairs { { "--check" }, {} } do
      words[#words + 1] = playbook
      local run <const> = math.tointeger(tonumber(program.run({
        "submit", "--queue", q.address, "--inventory", inventory(devices(1, 2)),
        table.unpack(words),
      }, { env = ENV }).out))
      local one <close> = q:worker("w", { "--lease", "10", "--once" }, {
        DEVICE_PASSWORD = "admin", TMPDIR = small, HOME = small,
      })
      local ended <const> = one:wait(60)
      assert.equal(0, ended.status, ended.err)
      assert.same({ done = 1, failed = 1 }, q:states(run))
      assert.matches("No space left on device", message(run, 2))
    end
  end)

  it("waits while the database accepts no writes, and while somebody locks a table", function()
    local PLAYBOOK <const> = [[
      local pool = "n" .. arg[1]
      bip.ltm.pool:create { name = pool, partition = "Common" }
      f5.sleep(1.5)
      bip.ltm.pool["/Common/" .. pool]:modify { description = "second" }
    ]]
    local function set(what)
      q.db:query("alter system " .. what)
      q.db:query "select pg_reload_conf()"
    end
    local _ <close> = setmetatable({}, { __close = function()
      set "reset default_transaction_read_only"
      set "reset lock_timeout"
    end })
    set "set lock_timeout = '100ms'"
    local w <close> = q:worker("w", { "--lease", "60" }, ENV)
    local holder <close> = postgres.connect(q.address)
    local CASES <const> = {
      { function() set "set default_transaction_read_only = on" end,
        function() set "reset default_transaction_read_only" end,
        "read%-only transaction" },
      { function()
        holder:query "begin"
        holder:query "lock table f5lua.jobs"
      end, function() holder:query "rollback" end, "lock timeout" },
    }
    for n, case in ipairs(CASES) do
      local run = q:submit(PLAYBOOK, devices(1, 4), { arguments = { tostring(n) } })
      lab.wait("the jobs", function() return q:states(run).running == 4 end)
      case[1]()
      core.real_sleep(3)
      case[2]()
      assert.equal("done", q:ended(run).state)
      local _, err = w:output()
      assert.matches("no database: .*" .. case[3], err)
    end
    assert.equal(0, q.db:row("select count(*) as n from attempts where attempt > 1").n)
    w:kill "TERM"
    assert.equal(0, w:wait().status)
  end)

  -- -- rights -----------------------------------------------------------------------------------

  it("tells each role what it lacks, in all subcommands", function()
    local run = q:submit("bip.ltm.pool:create { name = 'r', partition = 'Common' }", devices(1, 1))
    work()
    local name <const> = q.address:match "dbname='([^']*)'"
    server:sql(program.run({ "queue", "grants", "--queue", q.address }).out,
      q.address)
    for _, role in ipairs { "viewer", "submitter", "worker" } do
      server:sql(("create role just_%s login; grant f5lua_%s to just_%s"):format(role, role, role))
    end
    local list <const> = inventory(devices(1, 1))
    local playbook <const> = place:file("one.lua", "return 1")
    for _, case in ipairs {
      { "viewer", { "worker", "--once" } },
      { "viewer", { "submit", "--inventory", list, playbook } },
      { "viewer", { "undo", tostring(run) } },
      { "viewer", { "runs", "record", tostring(run) } },
      { "viewer", { "runs", "cancel", tostring(run) } },
      { "viewer", { "runs", "retry", tostring(run), "--failed" } },
      { "submitter", { "worker", "--once" } },
      { "worker", { "submit", "--inventory", list, playbook } },
      { "worker", { "undo", tostring(run) } },
      { "worker", { "runs", "cancel", tostring(run) } },
    } do
      local words <const> = { table.unpack(case[2]) }
      table.insert(words, 2, "--queue")
      table.insert(words, 3, server:address { dbname = name, user = "just_" .. case[1] })
      local ended <const> = program.run(words, { env = ENV })
      local what <const> = case[1] .. ": " .. table.concat(case[2], " ")
      assert.equal(3, ended.status, what .. ended.err)
      assert.matches("permission denied", ended.err, 1, true)
      assert.matches("f5lua queue grants", ended.err, 1, true)
    end
    local seen <const> = program.run {
      "runs", "show", tostring(run), "--queue", server:address { dbname = name,
        user = "just_viewer" },
    }
    assert.equal(0, seen.status, seen.err)
  end)

  it("takes back a signed run only with a signature that the workers trust", function()
    local pem, pub = place.path .. "/key.pem", place.path .. "/pub.pem"
    assert(os.execute(("openssl genpkey -algorithm ed25519 -out %s && "
      .. "openssl pkey -in %s -pubout -out %s"):format(pem, pem, pub)))
    local run = q:submit("bip.ltm.pool:create { name = 's', partition = 'Common' }", devices(1, 1),
      { sign = function(text) return (assert(bundle.sign(pem, text))) end })
    work("--trust", pub)
    assert.same({ done = 1 }, q:states(run))
    local plain <const> = program.run { "undo", tostring(run), "--queue", q.address }
    assert.equal(0, plain.status, plain.err)
    assert.matches("handed back: it is not signed", work("--trust", pub).err)
    assert.same({ waiting = 1 }, q:states(math.tointeger(tonumber(plain.out))))
    local signed <const> = program.run {
      "undo", tostring(run), "--queue", q.address, "--sign", pem,
    }
    work("--trust", pub)
    assert.same({ done = 1 }, q:states(math.tointeger(tonumber(signed.out))))
    local bip <close> = core.connect(fleet:member(1):options "admin")
    assert.is_false(bip.ltm.pool["/Common/s"]:exists())
  end)

  it("is backed up and restored, as docs/queue.md says", function()
    local run = q:submit("bip.ltm.pool:create { name = 'b', partition = 'Common' }", devices(1, 1))
    work()
    server:sql("create database restored")
    local function address_of(name)
      return ("-h %s -p %d -U admin %s"):format(server.path, server.port, name)
    end
    assert(os.execute(("pg_dump -n f5lua %s | psql -q -v ON_ERROR_STOP=1 %s >%s 2>&1"):format(
      address_of(q.address:match "dbname='([^']*)'"), address_of "restored",
      place.path .. "/restore.log")))
    local address <const> = server:address { dbname = "restored" }
    local restored <close> = setmetatable({
      address = address, db = require("f5.queue").open(address),
    }, getmetatable(q))
    local undone <const> = program.run { "undo", tostring(run), "--queue", address }
    assert.equal(0, undone.status, undone.err)
    local one <close> = restored:worker("w", { "--lease", "10", "--once" }, ENV)
    assert.equal(0, one:wait(60).status)
    assert.same({ done = 1 }, restored:states(math.tointeger(tonumber(undone.out))))
    local bip <close> = core.connect(fleet:member(1):options "admin")
    assert.is_false(bip.ltm.pool["/Common/b"]:exists())
  end)

  -- -- limits -----------------------------------------------------------------------------------

  it("keeps no large results, and no endless output", function()
    local run = q:submit([[
      if device.name == "127.0.0.1" then return ("x"):rep(50 << 20) end
      if device.name == "127.0.0.2" then
        local list = {}
        for n = 1, 300000 do list[n] = "element" end
        return list
      end
      for n = 1, 100000 do print(n) end
      print(("y"):rep(1 << 20))
      return ("z"):rep(1000)
    ]], devices(1, 3))
    work()
    assert.same({ done = 3 }, q:states(run))
    local rows = q.db:query(
      "select result #>> '{}' as r from jobs where run = $1 order by position", run)
    assert.equal("(a result of 50.0 MB: more than 1 MB is not stored)", rows[1].r)
    assert.matches("^%(a result of [%d.]+ MB: more than 1 MB is not stored%)$", rows[2].r)
    assert.equal(1000, #rows[3].r)
    local kept = q.db:row("select count(*) as n, max(length(line)) as longest from output")
    assert.equal(10001, kept.n)
    assert.is_true(kept.longest < 10100)
    run = q:submit('print(("é"):rep(20000))', devices(1, 1))
    work()
    local line <const> = q.db:row("select line from output where run = $1", run).line
    assert.equal(("é"):rep(5000) .. "… (40000 bytes)", line)
  end)

  it("stores whatever a playbook returns or raises, and goes on", function()
    local CASES <const> = {
      { [[return "\xff\xfeé"]], "done", "\\xff\\xfeé" },
      { [[return "\xed\xa0\x80"]], "done", "\\xed\\xa0\\x80" },
      { [[return { a = "\xff" }]], "done", "(a table that is not JSON: cannot encode a string" },
      { [[return { 0/0 }]], "done", "(a table that is not JSON: cannot encode nan" },
      { [[return setmetatable({ 7 }, { __pairs = error, __tostring = error })]], "done", "[7]" },
      { [[return setmetatable({ 0/0 }, { __tostring = error })]], "done", "(a table without a" },
      { [[return ("é"):rep(9):sub(2)]], "done", "\\xa9éé" },
      { [[error "\xff"]], "failed", ": \\xff" },
      { [[error { message = "x", kind = print, status = 0/0 }]], "failed", "x" },
      { [[error { message = { 1 }, kind = "\xff" }]], "failed", "table: 0x" },
      { [[error(setmetatable({}, { __tostring = error, __index = error }))]], "failed", "" },
      { [[error(("x"):rep(5 << 20))]], "failed", "… (5242896 bytes)" },
    }
    local texts, list = {}, {}
    for n, case in ipairs(CASES) do
      texts[n] = ("function() %s end"):format(case[1])
      list[n] = device(n, { name = tostring(n) })
    end
    local run = q:submit(("return ({ %s })[tonumber(device.name)]()"):format(
      table.concat(texts, ", ")), list)
    work()
    for n, case in ipairs(CASES) do
      local row = q.db:row([[select state, attempt, coalesce(error ->> 'message', result #>> '{}')
        as text from jobs where run = $1 and position = $2]], run, n)
      assert.same({ case[2], 1 }, { row.state, row.attempt }, case[1])
      assert.matches(case[3], row.text, 1, true)
      assert.is_true(#row.text < 10100)
    end
  end)

  it("names devices and shows what they print without harm", function()
    local name <const> = "a/b %* \"name\" 'x' é"
    local run = q:submit('print "\27]0;title\7" error("bad \27[2J device")',
      { device(1, { name = name }) })
    work()
    local shown <const> = program.run { "runs", "show", tostring(run), "--print", "--queue",
      q.address }
    assert.equal(0, shown.status, shown.err)
    assert.is_nil(shown.out:find "[\27\7]")
    assert.matches(name, shown.out, 1, true)
    assert.matches("bad \\x1b[2J device", shown.out, 1, true)
  end)

  -- -- devices ----------------------------------------------------------------------------------

  it("stores the reasons of devices that cannot be worked on", function()
    local list <const> = {
      device(1, { password_env = "NO_SUCH_VARIABLE" }),
      device(2, { username = "nobody" }),
      { name = "gone", host = "127.0.0.3", port = 1, username = "admin",
        password_env = "DEVICE_PASSWORD", timeout = 1 },
      device(4),
    }
    local run = q:submit("return 1", list)
    work()
    assert.same({ done = 1, failed = 3 }, q:states(run))
    assert.matches("the variable NO_SUCH_VARIABLE (password_env in the inventory) is not set",
      message(run, 1), 1, true)
    assert.matches("401", message(run, 2))
    assert.matches("127.0.0.3:1", message(run, 3))
  end)

  it("asks for the database with growing pauses, however many jobs wait for it", function()
    local run = q:submit([[
      f5.sleep(1)
      bip.ltm.pool:create { name = "outage", partition = "Common" }
    ]], devices(1, FLEET))
    local w <close> = q:worker("w", { "--lease", "60" }, ENV)
    lab.wait("all jobs", function() return q:states(run).running == FLEET end)
    q.db:close()
    server:down "immediate"
    core.real_sleep(5)
    server:up()
    q.db = require("f5.queue").open(q.address)
    assert.equal("done", q:ended(run).state)
    w:kill "TERM"
    local ended <const> = w:wait()
    assert.equal(0, ended.status)
    local _, reports = ended.err:gsub("no database", "")
    assert.is_true(reports >= 1 and reports <= 4, ended.err)
    assert.matches("the database is back", ended.err)
  end)

  it("goes on when the server ends its connections, or has none left", function()
    local run = q:submit("f5.sleep(0.3) return 1", devices(1, FLEET))
    local w <close> = q:worker("w", { "--lease", "30", "--workers", "2" }, ENV)
    lab.wait("a result", function() return (q:states(run).done or 0) > 0 end)
    local others = {}
    for n = 1, 4 do
      core.real_sleep(0.2)
      q.db:query [[select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()]]
      if n == 2 then
        for i = 1, 60 do
          local ok, db = pcall(postgres.connect, q.address)
          if not ok then break end
          others[i] = db
        end
      end
    end
    core.real_sleep(1)
    for _, db in ipairs(others) do db:close() end
    assert.equal("done", q:ended(run).state)
    assert.equal(0, q.db:row("select count(*) as n from attempts where attempt > 1").n)
    w:kill "TERM"
    assert.equal(0, w:wait().status)
  end)
end)
