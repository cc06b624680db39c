-- f5lua queue init: the schema of a queue in a real PostgreSQL, its rights, what is refused.
local f5 = require "f5"
local program = require "program"
local schema = require "f5.queue.migrate"
local server_of = require "postgres.server"

local open <const> = require("f5.queue").open
local connect <const> = require("f5.postgres").connect
local it = server_of.missing and function(name) pending(name .. ": " .. server_of.missing) end
  or it

local V1 <const> = "f5.queue.versions.v1"

describe("Q3 f5lua queue", function()
  local server, databases = nil, 0

  setup(function() server = not server_of.missing and server_of.start() end)
  teardown(function() if server then server:stop() end end)

  -- The address of a new, empty database.
  local function new_database()
    databases = databases + 1
    return server:database("q" .. databases)
  end

  local function queue(words, env) return program.run({ "queue", table.unpack(words) }, {
    env = env,
  }) end

  local function init(address, ...)
    local result = queue { "init", "--queue", address, ... }
    assert.equal("", result.err)
    assert.equal(0, result.status)
    return result.out
  end

  local function refused(status, pattern, words, env)
    local result = queue(words, env)
    assert.matches(pattern, result.err)
    assert.equal(status, result.status, result.err)
    assert.equal("", result.out)
  end

  local function fails(pattern, fn, ...)
    local ok, err = f5.try(fn, ...)
    assert.is_false(ok)
    assert.matches(pattern, tostring(err))
    assert.equal("database", err.kind)
    return err
  end

  -- A run with one device.
  local function add_run(db)
    return db:row [[select submit('{ "kind": "run", "playbook": "drain.lua", "arguments": [],
      "options": {}, "grace": 30, "f5lua": "0", "from": "here" }', 'archive', '{}', null,
      '[{ "position": 1, "device": "bigip1", "key": "bigip1:443", "wave": 0, "tags": [] }]') as id]].id
  end

  local WORKER <const> = "00000000-0000-0000-0000-000000000001"

  it("makes a queue once, and says which rights its roles need", function()
    local address = new_database()
    local out = init(address)
    assert.matches("^%-%- made the queue in the schema f5lua, version 1\n", out)
    assert.matches("\ngrant usage on schema \"f5lua\" to f5lua_worker;\n", out)
    assert.matches("^%-%- the queue in the schema f5lua has version 1: nothing to do\n",
      init(address))
    local db <close> = open(address)
    assert.same({ { version = 1, f5lua = f5.version }, affected = 1 },
      db:query "select version, f5lua from schema_version")
    add_run(db)
    local grants = queue { "grants" }
    assert.equal(0, grants.status)
    assert.equal(grants.out, out:gsub("^.-\n\n", "", 1))
  end)

  it("takes the address from F5LUA_QUEUE, and libpq's variables", function()
    local address = new_database()
    local env = { F5LUA_QUEUE = address }
    assert.equal(0, queue({ "init" }, env).status)
    env = {
      F5LUA_QUEUE = "", F5LUA_QUEUE_SCHEMA = "second", PGHOST = server.path,
      PGPORT = tostring(server.port), PGUSER = "admin", PGDATABASE = "q" .. databases,
    }
    assert.matches("made the queue in the schema second", queue({ "init" }, env).out)
    open(address, "second"):close()
  end)

  it("keeps several queues in one database apart", function()
    local address = new_database()
    init(address)
    init(address, "--schema", "lab")
    local first <close> = open(address)
    local second <close> = open(address, "lab")
    add_run(first)
    assert.equal(1, first:row "select count(*) as n from jobs".n)
    assert.equal(0, second:row "select count(*) as n from jobs".n)
  end)

  it("may be started by many at the same time", function()
    local address, made = new_database(), 0
    local tasks = {}
    for i = 1, 6 do
      tasks[i] = function()
        local db <close> = connect(address)
        if schema.migrate(db, "f5lua") == 0 then made = made + 1 end
      end
    end
    f5.all(tasks)
    assert.equal(1, made)
  end)

  it("makes all of a version, or nothing", function()
    local address = new_database()
    local real = require(V1)
    package.loaded[V1] = "create table half (n int); select 1/0"
    local db <close> = connect(address)
    local ok = f5.try(schema.migrate, db, "f5lua")
    package.loaded[V1] = real
    assert.is_false(ok)
    assert.equal(0, db:row "select count(*) as n from pg_namespace where nspname = 'f5lua'".n)
    assert.equal(0, schema.migrate(db, "f5lua"))
  end)

  it("refuses a schema that it does not know", function()
    local address = new_database()
    fails("there is no queue in the schema f5lua of this database; 'f5lua queue init' makes one",
      open, address)
    local db <close> = connect(address)
    db:script "create schema other; create table other.things (n int); create schema empty"
    local words = { "init", "--queue", address, "--schema", "other" }
    refused(3, "the schema other holds something else than a queue; .*%-%-schema", words)
    fails("holds something else", open, address, "other")
    init(address, "--schema", "empty")
    init(address)
    db:query("insert into f5lua.schema_version values ($1, '9.9.9')", schema.VERSION + 1)
    local newer = ("has version %d, and this f5lua %s knows versions up to %d; use a newer f5lua")
      :format(schema.VERSION + 1, f5.version:gsub("%.", "%%."), schema.VERSION)
    refused(3, newer, { "init", "--queue", address })
    fails(newer, open, address)
    local version <const> = schema.VERSION
    schema.VERSION = version + 2
    local ok, err = f5.try(open, address)
    schema.VERSION = version
    assert.is_false(ok)
    assert.matches("has version 2, and this f5lua .* needs version 3; 'f5lua queue init' migrates",
      tostring(err))
  end)

  it("says what is wrong with the address, the server or the role", function()
    refused(2, "name the database with %-%-queue URL, or in F5LUA_QUEUE", { "init" })
    refused(2, "has a password in it", { "init", "--queue", "postgresql://a:b@db/runs" })
    refused(2, "invalid address of the database", { "init", "--queue", "runs" })
    refused(2, "invalid name of a schema 'No'", { "grants", "--schema", "No" })
    refused(2, "invalid name of a schema 'pg_x'", { "init", "--queue", "", "--schema", "pg_x" })
    refused(2, "at most 53", { "init", "--queue", "", "--schema", ("a"):rep(54) })
    for _, name in ipairs { "public", "information_schema" } do
      refused(2, "a queue needs a schema of its own, not '" .. name .. "'",
        { "init", "--queue", "", "--schema", name })
    end
    refused(3, "Connection refused", { "init", "--queue", "host=127.0.0.1 port=1" })
    refused(3, 'database "nosuch" does not exist',
      { "init", "--queue", server:address { dbname = "nosuch" } })
    local address = new_database()
    refused(3, "the role secret may not use the queue in the schema f5lua: permission denied",
      { "init", "--queue", server:address { dbname = "q" .. databases, user = "secret" } })
    refused(3, "the database is read%-only, such as a standby",
      { "init", "--queue", address }, { PGOPTIONS = "-c default_transaction_read_only=on" })
    init(address)
    fails("the role secret may not use the queue .* 'f5lua queue grants' prints", open,
      server:address { dbname = "q" .. databases, user = "secret" })
    local peer <close> = program.start({ "tests/support/postgres/peer.py" }, {
      program = "/usr/bin/python3",
    })
    local old = ("host=127.0.0.1 port=%s sslmode=disable dbname=startold"):format(
      peer:expect "port (%d+)"
    )
    refused(3, "the database is PostgreSQL 11; a queue needs version 12 or later",
      { "init", "--queue", old })
  end)

  it("gives each role what it needs, and no more", function()
    local address = new_database()
    server:sql(init(address), address)
    local owner <close> = open(address)
    for _, role in ipairs { "viewer", "submitter", "worker" } do
      owner:script(("create role a_%s login; grant f5lua_%s to a_%s"):format(role, role, role))
    end
    local function as(role)
      return open(server:address { dbname = "q" .. databases, user = "a_" .. role })
    end
    local viewer <close> = as "viewer"
    local submitter <close> = as "submitter"
    local worker <close> = as "worker"
    local run = add_run(submitter)
    assert.equal("a_submitter", viewer:row("select submitted_by as s from runs").s)
    local DENIED <const> = {
      { viewer, "select manifest from runs" },
      { viewer, "select 1 from archives" },
      { viewer, "select 1 from change_records" },
      { viewer, "select 1 from plans" },
      { viewer, "update runs set state = 'done'" },
      { viewer, "delete from jobs" },
      { viewer, "select cancel(1)" },
      { submitter, "select hello(gen_random_uuid(), 'h', 1, '{}', 1, '0', '[]')" },
      { submitter, "update jobs set result = '1'" },
      { submitter, "update runs set manifest = ''" },
      { submitter, "update runs set submitted_by = 'boss'" },
      { submitter, "delete from runs" },
      { submitter, "select settle(1)" },
      { worker, "insert into archives values (repeat('b', 64), '')" },
      { worker, "select submit('{}', '', '', null, '[]')" },
      { worker, "select cancel(1)" },
      { worker, "update runs set manifest = ''" },
      { worker, "update archives set contents = ''" },
      { worker, "delete from attempts" },
      { worker, "update jobs set device_key = 'other:443'" },
      { worker, "create table mine (n int)" },
    }
    for _, denied in ipairs(DENIED) do
      local err = fails("permission denied", denied[1].query, table.unpack(denied))
      assert.equal("42501", err.sqlstate)
    end
    -- What a worker does for a job.
    worker:query("select hello($1::uuid, 'h', 1, '{}', 1, '0', '[]')", WORKER)
    local job = worker:row("select * from take($1::uuid, '{}', 1, '60 s')", WORKER)
    assert.equal(run, job.run)
    worker:query("select say($1::uuid, $2, 1, 1, 1, '{hello}')", WORKER, run)
    assert.is_true(worker:row([[select add_records($1::uuid, jsonb_build_array(jsonb_build_object(
      'run', $2::bigint, 'position', 1, 'attempt', 1, 'first', 1, 'lines', '["{}"]'::jsonb)))
      as ok]], WORKER, run).ok)
    assert.equal("running", viewer:row "select state from jobs".state)
    assert.equal("hello", viewer:row "select line from output".line)
    assert.equal("stopping", submitter:row("select cancel($1) as state", run).state)
    assert.equal("a_submitter", viewer:row "select cancelled_by as who from runs".who)
  end)

  it("accepts no state that cannot be", function()
    local address = new_database()
    init(address)
    local db <close> = open(address)
    local run = add_run(db)
    for _, statement in ipairs {
      "update runs set state = 'odd'",
      "update runs set state = 'done'", -- without its end
      "update runs set ended_at = now()",
      "update runs set state = 'stopped', ended_at = now()", -- without a reason
      "update runs set failures = -1",
      "update runs set signature = 'short'",
      "update runs set arguments = '{}'",
      "update jobs set state = 'running'", -- without a lease
      "update jobs set lease_until = now(), worker = gen_random_uuid()",
      "update jobs set state = 'done'",
      "update jobs set state = 'failed', ended_at = now()", -- without an error
      "update jobs set state = 'set_aside', ended_at = now()",
      "update jobs set lost_leases = 1", -- of no attempt
      "update jobs set device_key = 'BigIP1:443'",
      "update jobs set device_key = 'bigip1'",
      "update lots set tags = '{null}'",
      "insert into archives values ('abc', '')",
    } do
      local err = fails("violates check constraint", db.query, db, statement)
      assert.equal("23514", err.sqlstate, statement)
    end
    local function violates(constraint, statement, ...)
      assert.equal(constraint, fails("violates", db.query, db, statement, ...).constraint)
    end
    violates("jobs_run_device_key", [[insert into jobs (run, position, lot, wave, device,
      device_key) select run, 2, lot, wave, device, device_key from jobs]])
    violates("runs_archive_fkey", "delete from archives")
    -- A run that is deleted takes everything of it along.
    db:query("select from take($1::uuid, '{}', 1, '60 s')", WORKER)
    db:query("delete from runs where id = $1", run)
    assert.same({ { jobs = 0, attempts = 0 }, affected = 1 }, db:query
      "select (select count(*) from jobs) as jobs, (select count(*) from attempts) as attempts")
  end)

  it("keeps clear of what others put into the database", function()
    local address <const> = new_database()
    server:sql("create role evil login; grant create on schema public to public", address)
    local name <const> = address:match "dbname='([^']*)'"
    -- It fits better than the server's own function, which takes a bigint.
    server:sql([[create function hashtextextended(text, integer) returns bigint language plpgsql as
      $f$ begin raise exception 'carried out by %', current_user; end $f$]],
      server:address { dbname = name, user = "evil" })
    init(address)
    server:sql("create schema open; grant create on schema open to public", address)
    refused(3, "everybody may create objects in the schema open", {
      "init", "--queue", address, "--schema", "open",
    })
    server:sql("alter database " .. name .. " set default_transaction_isolation = serializable")
    local db <close> = open(address)
    assert.equal("read committed", db:row "show transaction_isolation".transaction_isolation)
  end)

  it("has grants for schemas that are words of SQL, and for long names", function()
    local address <const> = new_database()
    for _, name in ipairs { "select", "s" .. ("a"):rep(52) } do
      init(address, "--schema", name)
      server:sql(queue { "grants", "--schema", name }.out, address)
      local yes <const> = server:sql(([[select has_function_privilege('%s_submitter',
        '"%s".cancel(bigint)', 'execute')]]):format(name, name), address)
      assert.matches("t", yes)
    end
  end)

  it("refuses databases that cannot hold all texts", function()
    for _, encoding in ipairs { "SQL_ASCII", "LATIN1" } do
      local name <const> = "q_" .. encoding:lower()
      server:sql(("create database %s template template0 locale 'C' encoding '%s'"):format(name,
        encoding))
      refused(3, ("has the encoding %s; a queue needs UTF8"):format(encoding), {
        "init", "--queue", server:address { dbname = name },
      })
    end
  end)

  it("refuses a pooler that shares connections between transactions", function()
    local address <const> = new_database()
    init(address)
    local postgres <const> = require "f5.postgres"
    local shared <close> = connect(address)
    local _ <close> = setmetatable({}, { __close = function() postgres.connect = connect end })
    -- Two connections that have the same process; the pooler tells another one.
    function postgres.connect()
      return setmetatable({ pid = function() return 1 end, close = function() end }, {
        __index = function(_, name)
          return function(_, ...) return shared[name](shared, ...) end
        end,
        __close = function() end,
      })
    end
    local ok, err = f5.try(open, address)
    assert.is_false(ok)
    assert.matches("pool_mode = session", err.message, 1, true)
  end)

  it("is set up as docs/queue.md says", function()
    local place <close> = program.directory()
    -- Not a function of the shell: what runs in the background is to be the program itself.
    local script = {
      "set -e", 'mkdir bin; ln -s "$F5LUA" bin/f5lua; PATH=$PWD/bin:$PATH',
      "trap 'jobs -p > pids; kill $(cat pids); wait' EXIT",
    }
    for _, block in ipairs(require("markdown").blocks("docs/queue.md", "sh")) do
      script[#script + 1] = block.text
    end
    local result = program.run({ "-ec", table.concat(script, "\n") }, {
      program = "/bin/sh", directory = place.path, env = {
        F5LUA = program.path, PGHOST = server.path, PGPORT = tostring(server.port),
        PGUSER = "admin", PGOPTIONS = "-c client_min_messages=warning",
      },
    })
    assert.equal("", (result.err:gsub("f5lua %l+: [^\n]*\n", "")))
    assert.equal(0, result.status)
    assert.matches("3 devices: this change %(bigip1, bigip2, bigip3%)", result.out)
    assert.matches("run 2: done: 3 of 3 done %(3 changed%)", result.out)
    assert.matches("took back 1 change", result.out)
    local worker <close> = open(server:address { dbname = "runs", user = "worker1" })
    assert.equal(4, worker:row "select count(*) as n from runs where state = 'done'".n)
  end)

  it("tells who listens that a run is new, or has changed", function()
    local address = new_database()
    init(address)
    init(address, "--schema", "lab")
    local db <close> = open(address)
    local other <close> = open(address, "lab")
    db:listen "f5lua"
    local run = add_run(db)
    add_run(other)
    assert.equal(tostring(run), db:wait(10).payload)
    db:query "update runs set failures = 1"
    assert.is_nil(db:wait(0.05))
    db:query "update runs set wave = 1"
    assert.same({ channel = "f5lua", payload = tostring(run), pid = db:pid() }, db:wait(10))
    db:query "update runs set state = 'done', ended_at = now()"
    assert.equal(tostring(run), db:wait(10).payload)
  end)
end)
