-- The binding to PostgreSQL (lualib/f5/postgres, runtime/postgres) against a real server.
local core = require "f5.core"
local f5 = require "f5"
local lab = require "lab"
local program = require "program"
local server_of = require "postgres.server"

local connect <const> = require("f5.postgres").connect
local array <const> = require("f5.postgres").array
local it = server_of.missing and function(name) pending(name .. ": " .. server_of.missing) end
  or it

describe("a connection to PostgreSQL", function()
  local server, db

  setup(function() server = not server_of.missing and server_of.start() end)
  teardown(function() if server then server:stop() end end)
  before_each(function() db = server and connect(server:address()) end)
  after_each(function() if db then db:close() end end)

  local function fails(sqlstate, fn, ...)
    local ok, err = f5.try(fn, ...)
    assert.is_false(ok)
    assert.equal("database", err.kind, tostring(err))
    assert.equal(sqlstate, err.sqlstate, tostring(err))
    return err
  end

  it("takes and returns values of Lua", function()
    local row = db:row([[select $1::int2 as small, $2::bigint as big, $3::boolean as yes,
      $4::text as words, $5::bytea as bytes, $6::jsonb as json, $7::float8 as number,
      $8::text as nothing, 10000000000000::numeric as round, 2.5::numeric as half,
      'NaN'::float8 as nan, '-Infinity'::float8 as low, timestamptz '2026-11-28 21:00+02' as at,
      ($9::text[])[2] as second]],
      -7, math.maxinteger, true, "Grüße\n", { bytes = "\0\255'" }, '{"a": [1]}', 0.1, nil,
      array { "a", 'b"\\,', "c" })
    assert.is_true(row.nan ~= row.nan)
    row.nan = nil
    assert.same({
      small = -7, big = math.maxinteger, yes = true, words = "Grüße\n", bytes = "\0\255'",
      json = '{"a": [1]}', number = 0.1, round = 10000000000000, half = 2.5, low = -math.huge,
      at = "2026-11-28 19:00:00+00", second = 'b"\\,',
    }, row)
    assert.equal("integer", math.type(row.round))
    assert.same({ n = 2.0, i = math.huge, f = false, null = nil },
      db:row("select $1::float8 as n, $2::float8 as i, $3::bool as f, $4::int as null",
        2.0, math.huge, false, f5.null))
    assert.same({ affected = 0 }, db:query "select 1 where false")
    assert.is_nil(db:row "select 1 where false")
    assert.is_true(db:version() >= 120000)
  end)

  it("says what the server refuses", function()
    db:script [[create table fruit (name text primary key, n int check (n > 0));
      insert into fruit values ('apple', 1)]]
    local err = fails("23505", db.query, db, "insert into fruit values ('apple', 2)")
    assert.equal("fruit_pkey", err.constraint)
    assert.equal("fruit", err.table)
    assert.equal(
      'database: duplicate key value violates unique constraint "fruit_pkey" '
      .. "(Key (name)=(apple) already exists.)", tostring(err)
    )
    assert.is_nil(err.lost)
    fails("23514", db.query, db, "insert into fruit values ('pear', -1)")
    fails("42601", db.query, db, "selec")
    fails("22P02", db.query, db, "select $1::int", "seven")
    fails("22021", db.query, db, "select $1::text", "\xff")
    fails("42601", db.query, db, "select 1; select 2")
    local script = fails("22012", db.script, db,
      "insert into fruit values ('plum', 3); select 1/0; select 2")
    assert.equal("division by zero", script.message)
    assert.same({ { n = 1 }, affected = 1 }, db:query "select count(*) as n from fruit")
    assert.same({}, db:query "")
    db:query "drop table fruit"
  end)

  it("refuses what cannot be a parameter", function()
    assert.has_error(function() db:query("select $1", {}) end, "parameter 1 is a table")
    assert.has_error(function() db:query("select $1, $2", 1, print) end,
      "parameter 2 is a function")
    assert.has_error(function() db:query("select $1::text", "a\0b") end,
      "parameter 1 has the byte 0 in it; a database takes it as { bytes = … } only")
    fails("42P18", db.query, db, "select $1::int", 1, 2)
    assert.same({ { n = 1 }, affected = 1 }, db:query "select 1 as n")
  end)

  it("serves many fibers, one after the other, and blocks none", function()
    local turns, fibers = 0, {}
    local ticker = f5.spawn(function()
      while true do
        turns = turns + 1
        f5.sleep(0.01)
      end
    end)
    for i = 1, 5 do
      fibers[i] = f5.spawn(function()
        return db:row("select pg_sleep(0.05), $1::int as n", i).n
      end)
    end
    for i = 1, 5 do assert.equal(i, fibers[i]:join()) end
    ticker:cancel()
    assert.is_true(turns >= 10, turns)
  end)

  it("commits what ends well, and rolls back what does not", function()
    db:query "create table t (n int)"
    assert.same({ 1, nil, 3 }, { db:transaction(function(tx)
      tx:query "insert into t values (1)"
      return 1, nil, 3
    end) })
    local ok, err = f5.try(db.transaction, db, function(tx)
      tx:query "insert into t values (2)"
      f5.fail "no"
    end)
    assert.same({ false, "no" }, { ok, tostring(err) })
    fails("22012", db.transaction, db, function(tx)
      tx:query "insert into t values (3)"
      tx:query "select 1/0"
    end)
    local inside
    db:transaction(function(tx)
      inside = tx
      err = select(2, f5.try(db.query, db, "select 1"))
    end)
    assert.equal("usage", err.kind)
    assert.is_false((f5.try(inside.query, inside, "select 1")))
    assert.same({ { n = 1 }, affected = 1 }, db:query "select n from t")
    db:query "drop table t"
  end)

  it("keeps other fibers out of a transaction", function()
    db:query "create table t (n int)"
    local other
    db:transaction(function(tx)
      tx:query "insert into t values (1)"
      other = f5.spawn(function() return db:row "select count(*) as n from t".n end)
      f5.sleep(0.05)
      tx:query "insert into t values (2)"
    end)
    assert.equal(2, other:join())
    db:query "drop table t"
  end)

  it("is of use to the others when a fiber is cancelled that waits for its turn", function()
    local running = f5.spawn(function() db:query "select pg_sleep(0.2)" end)
    local waiting = f5.spawn(function() db:query "create table never (n int)" end)
    local holds = f5.spawn(function() db:transaction(function() error "never" end) end)
    f5.sleep(0.02)
    waiting:cancel()
    holds:cancel()
    running:cancel()
    for _, fiber in ipairs { waiting, holds, running } do
      local ok, err = pcall(fiber.join, fiber)
      assert.same({ false, "cancelled" }, { ok, err.kind })
      assert.equal(fiber == running or nil, err.sent)
    end
    assert.equal(7, db:row "select 7 as n".n)
    assert.is_nil(db:row "select to_regclass('never') as t".t)
    db:transaction(function(tx) tx:query "select 1" end)
  end)

  it("rolls back when a fiber is cancelled inside of its transaction", function()
    db:query "create table t (n int)"
    local idle = f5.spawn(function()
      db:transaction(function(tx)
        tx:query "insert into t values (1)"
        f5.sleep(60)
      end)
    end)
    f5.sleep(0.05)
    idle:cancel()
    pcall(idle.join, idle)
    assert.equal(0, db:row "select count(*) as n from t".n)

    -- While a statement is under way, a rollback would wait for it: the connection is given up.
    local busy = f5.spawn(function()
      db:transaction(function(tx) tx:query "insert into t select 1 from pg_sleep(30)" end)
    end)
    f5.sleep(0.05)
    local before = core.now()
    busy:cancel()
    pcall(busy.join, busy)
    assert.is_true(core.now() - before < 5)
    assert.is_false(db:is_open())
    db = connect(server:address())
    -- The server notices, and lets go of the locks.
    lab.wait("the server ends the statement", function()
      return db:row [[select count(*) as n from pg_stat_activity
        where query like 'insert into t select 1%']].n == 0
    end)
    db:query "drop table t"
  end)

  it("ends a statement that takes too long", function()
    local hasty <close> = connect(server:address(), { timeout = 0.2 })
    fails("57014", hasty.query, hasty, "select pg_sleep(30)")
    assert.equal(1, hasty:row "select 1 as n".n)
  end)

  it("hears notifications while others use it", function()
    local other <close> = connect(server:address())
    db:listen "some Channel"
    assert.is_nil(db:wait(0))
    local waiting = f5.spawn(function() return db:wait(10) end)
    assert.equal(3, db:row "select 3 as n".n)
    other:query("select pg_notify('some Channel', $1)", "one")
    local news = waiting:join()
    assert.same({ channel = "some Channel", payload = "one", pid = other:pid() }, news)
    other:query "select pg_notify('some Channel', 'two'), pg_notify('other', 'no')"
    other:query "select pg_notify('some Channel', 'three')"
    assert.equal("two", db:wait(10).payload)
    assert.equal("three", db:wait(10).payload)
    assert.is_nil(db:wait(0.01))
    local cancelled = f5.spawn(function() db:wait(60) end)
    f5.sleep(0.01)
    cancelled:cancel()
    assert.is_false((pcall(cancelled.join, cancelled)))
    assert.equal(4, db:row "select 4 as n".n)
  end)

  it("notices that the server ends it, and that the server dies", function()
    local other <close> = connect(server:address())
    local statement = f5.spawn(function() db:query "select pg_sleep(30)" end)
    local behind = f5.spawn(function() db:query "select 1" end)
    f5.sleep(0.05)
    other:query("select pg_terminate_backend($1)", db:pid())
    local err = fails("57P01", statement.join, statement)
    assert.is_true(err.sent)
    err = fails(nil, behind.join, behind)
    assert.is_true(err.lost)
    assert.is_false(err.sent)
    assert.is_false(db:is_open())
    assert.is_true(fails(nil, db.query, db, "select 1").lost)

    db = connect(server:address())
    local waiting = f5.spawn(function() db:wait(60) end)
    statement = f5.spawn(function() other:query "select pg_sleep(30)" end)
    f5.sleep(0.05)
    server:down "immediate"
    assert.is_true(fails(nil, waiting.join, waiting).lost)
    assert.is_false((f5.try(statement.join, statement)))
    assert.is_true(fails(nil, connect, server:address()).lost)
    server:up()
    db = connect(server:address())
    assert.equal(1, db:row "select 1 as n".n)
  end)

  it("fails for all when it is closed", function()
    local statement = f5.spawn(function() db:query "select pg_sleep(30)" end)
    local waiting = f5.spawn(function() db:wait(60) end)
    f5.sleep(0.05)
    db:close()
    local err = fails(nil, statement.join, statement)
    assert.equal(
      "database: the connection was closed; it is not known whether the statement was carried out",
      tostring(err)
    )
    fails(nil, waiting.join, waiting)
    db:close()
    collectgarbage()
  end)

  it("ends with the garbage, whatever is under way", function()
    for _ = 1, 20 do
      local lost = connect(server:address())
      f5.spawn(function() f5.try(lost.query, lost, "select pg_sleep(30)") end):cancel()
    end
    f5.sleep(0.01)
    collectgarbage()
    collectgarbage()
    lab.wait("all connections are closed", function()
      return db:row [[select count(*) as n from pg_stat_activity
        where backend_type = 'client backend']].n == 1
    end)
  end)
end)

describe("the address of a database", function()
  local server, place

  setup(function()
    place = lab.scratch()
    server = not server_of.missing and server_of.start()
    if not server then return end
    os.execute(("cp %s/server.pem %s/ca.pem && chmod 644 %s/ca.pem"):format(
      server.path, place.path, place.path
    ))
    local pass = place:file("pass", ("*:*:*:*:%s\n"):format(server.password))
    os.execute("chmod 600 " .. pass)
  end)
  teardown(function()
    if server then server:stop() end
    lab.stop(place)
  end)

  local function refused(address, pattern, kind)
    local ok, err = f5.try(connect, address)
    assert.is_false(ok)
    assert.matches(pattern, tostring(err))
    assert.equal(kind or "database", err.kind)
    return tostring(err)
  end

  -- What a program prints that connects and says who it is.
  local function who(address, env)
    local script = place:file("who.lua", [[
      local db = require("f5.postgres").connect(...)
      local row = db:row("select current_user as u, ssl from pg_stat_ssl where pid = $1", db:pid())
      print(row.u, row.ssl)
    ]])
    local result = program.run({ script, address }, { env = env })
    return result.out .. result.err, result.status
  end

  it("is refused with a password in it, which is never shown", function()
    for _, address in ipairs {
      "postgresql://admin:hunter2@db/runs", "host=db password=hunter2",
      "postgresql://db/runs?password=hunter2", "host=db sslpassword=hunter2",
    } do
      local message = refused(address, "has a password in it.*~/%.pgpass", "usage")
      assert.is_nil(message:find("hunter2", 1, true))
    end
    for _, address in ipairs { "postgresql://a:hunter2@db/%zz", "host = password 'hunter2" } do
      local message = refused(address, "invalid address of the database", "usage")
      assert.is_nil(message:find("hunter2", 1, true))
    end
    refused("runs", 'invalid address of the database: missing "=" after "runs"', "usage")
    refused("service=nosuch", "nosuch")
    refused("host=a,b port=1,2,3", "could not match 3 port numbers to 2 hosts")
    refused("host=nosuch.invalid", "cannot find the host 'nosuch.invalid' of the database")
    refused("host=127.0.0.1 port=1", "Connection refused; Is the server running")
    refused("host=/nonexistent", "No such file or directory")
  end)

  it("follows the rules of libpq: variables, service files, password files", function()
    local port, home = tostring(server.port), place.path
    place:file("services", ("[runs]\nhost=localhost\nport=%s\nuser=secret\n"):format(port)
      .. "dbname=postgres\nsslmode=require\n")
    local pass = { PGPASSFILE = home .. "/pass", PGSERVICEFILE = home .. "/services" }
    assert.equal("secret\ttrue\n", who("service=runs", pass))
    pass.PGSERVICE = "runs"
    assert.equal("secret\ttrue\n", who("", pass))
    local env = { PGHOST = server.path, PGPORT = port, PGUSER = "admin", PGDATABASE = "postgres" }
    assert.equal("admin\tfalse\n", who("", env))
    assert.equal("admin\tfalse\n", who("postgresql:///postgres", env))
    local words, status = who(server:address { host = "localhost", user = "secret" })
    assert.equal(3, status)
    assert.matches("no password supplied", words)
    words = who(server:address { host = "localhost", user = "secret" }, { PGPASSWORD = "wrong" })
    assert.matches('password authentication failed for user "secret"', words)
  end)

  it("checks the server's certificate with sslmode=verify-full", function()
    local pass = { PGPASSFILE = place.path .. "/pass" }
    local wanted = {
      host = "localhost", user = "secret", sslmode = "verify-full",
      sslrootcert = place.path .. "/ca.pem",
    }
    assert.equal("secret\ttrue\n", who(server:address(wanted), pass))
    wanted.host = "127.0.0.1" -- not a name of the certificate
    assert.matches("does not match host name", (who(server:address(wanted), pass)))
    wanted.host, wanted.sslrootcert = "localhost", "/etc/ssl/certs/ca-certificates.crt"
    assert.matches("certificate verify failed", (who(server:address(wanted), pass)))
  end)

  it("may name several hosts, and goes on from one that is dead", function()
    local peer <close> = program.start({ "tests/support/postgres/peer.py" }, {
      program = "/usr/bin/python3",
    })
    local dead = peer:expect "port (%d+)"
    local address = server:address {
      host = "127.0.0.1,nosuch.invalid,localhost", user = "open", sslmode = "disable",
      port = ("%s,1,%d"):format(dead, server.port), dbname = "startstall", connect_timeout = 1,
    }
    server:sql "create database startstall"
    local db <close> = connect(address)
    assert.equal("open", db:row "select current_user as u".u)
    refused(("host=127.0.0.1 port=%s dbname=startstall connect_timeout=1"):format(dead),
      "no answer from the database at 127%.0%.0%.1, port %d+, within 1 s")
    local standby = server:address {
      host = "localhost", user = "open", sslmode = "disable", target_session_attrs = "standby",
    }
    refused(standby, "server is not in hot standby mode")
  end)

  it("does not block other fibers while a connection is made, and can be given up", function()
    local peer <close> = program.start({ "tests/support/postgres/peer.py" }, {
      program = "/usr/bin/python3",
    })
    local address = ("host=127.0.0.1 dbname=startstall port=%s"):format(peer:expect "port (%d+)")
    local fibers, before = {}, core.now()
    for i = 1, 10 do fibers[i] = f5.spawn(function() connect(address) end) end
    local lookup = f5.spawn(function() connect "host=nosuch.invalid" end)
    f5.sleep(0)
    lookup:cancel()
    f5.sleep(0.05)
    for _, fiber in ipairs(fibers) do fiber:cancel() end
    for _, fiber in ipairs(fibers) do assert.is_false((pcall(fiber.join, fiber))) end
    assert.is_true(core.now() - before < 5)
  end)

  it("never writes to standard error what the server says besides", function()
    local script = place:file("notices.lua", [[
      local db = require("f5.postgres").connect(...)
      db:script "do $$ begin raise notice 'psst'; raise warning 'hey'; end $$"
      io.write(db:notices(), "|", db:notices(), "\n")
    ]])
    local result = program.run { script, server:address() }
    assert.equal("", result.err)
    assert.matches("psst.*hey.*|\n$", result.out)
  end)

  it("ends at once on Ctrl-C", function()
    local script = place:file("sleeps.lua", [[
      local db = require("f5.postgres").connect(...)
      db:transaction(function(tx)
        print "now"
        io.stdout:flush()
        tx:query "select pg_sleep(25)"
      end)
    ]])
    local process <close> = program.start { script, server:address() }
    process:expect "now"
    local before = core.now()
    process:kill "INT"
    assert.equal(130, process:wait().status)
    assert.is_true(core.now() - before < 5)
  end)

  it("loads libpq only when it is used, and says which package it is in", function()
    if program.is_static() then return pending "libpq is linked in" end
    local script = place:file("maps.lua", [[
      local function loaded()
        return io.open "/proc/self/maps":read "a":find("libpq.so", 1, true) ~= nil
      end
      local before = loaded()
      require "f5.postgres"
      local db = require("f5.postgres").connect(...)
      print(before, loaded())
    ]])
    assert.equal("false\ttrue\n", program.run({ script, server:address() }).out)
    for _, wrong in ipairs {
      { "printf x >%s/libpq.so.5", "cannot load the PostgreSQL client library: .*libpq5" },
      { "cc -shared -o %s/libpq.so.5 -x c /dev/null", "too old: it has no PQ" },
    } do
      assert(os.execute(wrong[1]:format(place.path)))
      local result = program.run({ script, "" }, { env = { LD_LIBRARY_PATH = place.path } })
      assert.equal(3, result.status)
      assert.matches(wrong[2], result.err)
    end
    os.remove(place.path .. "/libpq.so.5")
  end)
end)
