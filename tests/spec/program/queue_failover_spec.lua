-- A queue on two PostgreSQL servers: the primary is killed in the middle of a run, and its standby
-- takes its place. The long variant (--slow) has 200 devices.
local lab = require "lab"
local queue = require "postgres.queue"
local server_of = require "postgres.server"
local sim = require "f5.sim"

local it = server_of.missing and function(name) pending(name .. ": " .. server_of.missing) end
  or it

local FLEET <const> = lab.slow and 200 or 24

-- The first write creates, the last one says that it has come to its end.
local TWO_WRITES <const> = [[
  local name = "p" .. os.getenv "WORKER" .. "x" .. math.random(1 << 40)
  bip.ltm.pool:create { name = name, partition = "Common" }
  bip.ltm.pool["/Common/" .. name]:modify { description = "begin" }
  f5.sleep(tonumber(arg[1]))
  bip.ltm.pool["/Common/" .. name]:modify { description = "end" }
  return name
]]

describe("Q2 a queue on two servers", function()
  local fleet, primary, standby, q

  setup(function() if not server_of.missing then fleet = sim.start { fleet = FLEET } end end)
  teardown(function() if fleet then fleet:stop() end end)

  before_each(function()
    if server_of.missing then return end
    primary = server_of.start()
    q = queue.new(primary)
    standby = primary:standby()
    q.address = ("postgresql://admin@%s:%d,%s:%d/%s?target_session_attrs=read-write"):format(
      primary.path:gsub("/", "%%2F"), primary.port, standby.path:gsub("/", "%%2F"), standby.port,
      q.address:match "dbname='([^']*)'")
    for n = 1, FLEET do fleet:member(n):control "clear_log" end
  end)
  after_each(function()
    if not q then return end
    q:close()
    standby:stop()
    primary:stop()
    q = nil
  end)

  local function devices() return queue.devices(fleet, 1, FLEET) end

  local function worker(name, lease)
    return q:worker(name, { "--lease", lease, "--workers", "10" }, { DEVICE_PASSWORD = "admin" })
  end

  -- Commits wait for the standby from now on.
  local function synchronous()
    primary:sql "alter system set synchronous_standby_names = '*'"
    primary:sql "select pg_reload_conf()"
    lab.wait("the standby", function()
      return primary:sql "select sync_state from pg_stat_replication" == "sync"
    end)
  end

  local function fail_over()
    q.db:close()
    primary:kill()
    standby:promote()
    q.db = require("f5.queue").open(q.address)
  end

  -- Waits until so many jobs are done.
  local function done(run, many)
    lab.wait(many .. " results", function() return (q:states(run).done or 0) >= many end, 60)
  end

  -- The names of the attempts that wrote to a device, in order. Fails if one wrote after the next
  -- one had begun, or if the last one has not come to its end.
  local function attempts(n)
    local list, known, complete = {}, {}, {}
    for _, call in ipairs(fleet:member(n):log()) do
      local name = call.method == "PATCH" and call.path:match "~Common~(p%w+)$"
      if name and not known[name] then
        known[name] = true
        list[#list + 1] = name
      elseif name then
        assert.equal(list[#list], name, "two workers wrote to a device at the same time")
        complete[name] = true
      end
    end
    assert.is_true(complete[list[#list]])
    return list
  end

  -- The names that the jobs of a run returned.
  local function results(run)
    local list = {}
    for _, row in ipairs(q.db:query([[select position, result #>> '{}' as name from jobs
      where run = $1 and state = 'done']], run))
    do
      list[row.position] = row.name
    end
    return list
  end

  it("goes on with the standby, and loses nothing with synchronous replication", function()
    synchronous()
    local run <const> = q:submit(TWO_WRITES, devices(), { arguments = { "1" }, grace = 1 })
    local first <close> = worker("a", "60")
    local second <close> = worker("b", "60")
    done(run, 1)
    local before <const> = results(run)
    fail_over()
    for position, name in pairs(before) do assert.equal(name, results(run)[position]) end
    assert.equal("done", q:ended(run).state)
    for _, one in ipairs { first, second } do
      lab.wait("a message", function() -- the other one may have done the rest
        local _, err = one:output()
        return err:find("another server is the primary now", 1, true)
      end, 60)
      one:kill "TERM"
      local ended <const> = one:wait(30)
      assert.equal(0, ended.status, ended.err)
      -- Statements that were repeated have no other outcome.
      assert.is_nil(ended.err:find "another worker meanwhile")
    end
    assert.equal(0, q.db:row("select count(*) as n from attempts where attempt > 1").n)
    for n = 1, FLEET do assert.same({ results(run)[n] }, attempts(n)) end
  end)

  it("begins again what a standby has lost, and leaves out the old primary", function()
    local run = q:submit(TWO_WRITES, devices(), { arguments = { "1" }, grace = 1 })
    local first <close> = worker("a", "10")
    local second <close> = worker("b", "10")
    done(run, 1)
    os.execute("kill -STOP " .. primary:sql "select pid from pg_stat_replication")
    done(run, q:states(run).done + 1)
    local before <const> = results(run)
    fail_over()
    local lost = 0
    for position in pairs(before) do if not results(run)[position] then lost = lost + 1 end end
    assert.is_true(lost > 0)
    assert.equal("done", q:ended(run).state)
    local again = 0
    for n = 1, FLEET do
      local list <const> = attempts(n)
      assert.equal(list[#list], results(run)[n])
      if #list > 1 then again = again + 1 end
    end
    assert.is_true(again >= lost)

    second:kill "TERM"
    assert.equal(0, second:wait(30).status)
    primary:up() -- as a second primary, before the new one in the address
    q.db:query [[select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()]]
    run = q:submit("return 1", devices(), { grace = 1 })
    assert.equal("done", q:ended(run).state)
    standby:down "immediate"
    lab.wait("a message", function()
      local _, err = first:output()
      return err:find("this server was the primary before another one was (timeline 1, the newer "
        .. "one 2): stop it, or make it a standby", 1, true)
    end, 60)
  end)
end)
