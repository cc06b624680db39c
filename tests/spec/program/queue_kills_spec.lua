-- Workers that are killed with -9 at random times, and a database that is restarted in mid-run: the
-- logs of the devices say who wrote what. The long variant (--slow) has 1,000 devices and 24 kills.
local core = require "f5.core"
local lab = require "lab"
local queue = require "postgres.queue"
local server_of = require "postgres.server"
local sim = require "f5.sim"
local terminal = require "f5.terminal"

local it = server_of.missing and function(name) pending(name .. ": " .. server_of.missing) end
  or it

local FLEET <const> = lab.slow and 1000 or 48
local KILLS <const> = lab.slow and 24 or 5
local WORKERS <const> = 4
local CAPACITY <const> = lab.slow and 20 or 5
-- Seconds.
local LEASE <const>, GRACE <const> = 10, 1
local LOOK <const> = 5 -- a worker looks for lost leases
local BETWEEN <const> = lab.slow and 3 or 1.2

-- The first write creates, the last one says that it has come to its end.
local TWO_WRITES <const> = [[
  local name = "p" .. os.getenv "WORKER" .. "x" .. math.random(1 << 40)
  bip.ltm.pool:create { name = name, partition = "Common" }
  bip.ltm.pool["/Common/" .. name]:modify { description = "begin" }
  f5.sleep(tonumber(arg[1]))
  bip.ltm.pool["/Common/" .. name]:modify { description = "end" }
  return name
]]

describe("Q2 a run whose workers are killed", function()
  local server, fleet, q

  setup(function()
    if server_of.missing then return end
    server, fleet = server_of.start(), sim.start { fleet = FLEET }
    q = queue.new(server)
  end)
  teardown(function()
    if not server then return end
    q:close()
    server:stop()
    fleet:stop()
  end)

  local function devices() return queue.devices(fleet, 1, FLEET, { timeout = GRACE }) end

  local started = 0

  -- A worker, and the number of its process in the table of workers.
  local function start()
    started = started + 1
    return q:worker("w" .. started, {
      "--lease", tostring(LEASE), "--workers", tostring(CAPACITY),
    }, { DEVICE_PASSWORD = "admin" })
  end

  local function now()
    return q.db:row("select extract(epoch from clock_timestamp())::float8 as t").t
  end

  -- Kills one after another, and starts another in its place. In the middle the database goes away
  -- and comes back. Returns the times of the kills: worker -> seconds.
  local function storm(workers, run)
    local times = {}
    for n = 1, KILLS do
      core.real_sleep(BETWEEN * (0.5 + math.random()))
      if n == KILLS // 2 then
        q.db:close()
        server:down "immediate"
        core.real_sleep(0.5)
        server:up()
        q.db = require("f5.queue").open(q.address)
      end
      local at <const> = math.random(#workers)
      local victim <const> = q.db:row([[select id from workers where pid = $1
        order by started_at desc limit 1]], workers[at].pid)
      workers[at]:kill "KILL"
      if victim then times[victim.id] = now() end
      workers[at]:wait()
      workers[at] = start()
      if q:run(run).ended_at then return times, n end
    end
    return times, KILLS
  end

  -- The attempts that wrote to a device, in order: { name, complete }. Fails if one wrote after the
  -- next one had begun.
  local function attempts(n)
    local list, known = {}, {}
    for _, call in ipairs(fleet:member(n):log()) do
      local name = call.method == "PATCH" and call.path:match "~Common~(p%w+)$"
      if name and not known[name] then
        known[name] = true
        list[#list + 1] = { name = name, complete = false }
      elseif name then
        assert.equal(list[#list].name, name, "two workers wrote to a device at the same time")
        list[#list].complete = true
      end
    end
    return list
  end

  -- Seconds from a kill until a job of this worker began again, of all kills.
  local function recoveries(run, times)
    local list = {}
    for worker, killed in pairs(times) do
      local row = q.db:row([[select min(extract(epoch from b.started_at))::float8 as t
        from attempts a join attempts b on b.run = a.run and b.position = a.position
          and b.attempt = a.attempt + 1
        where a.run = $1 and a.worker = $2::uuid and a.outcome = 'lease lost']], run, worker)
      if row.t then list[#list + 1] = row.t - killed end
    end
    table.sort(list)
    return list
  end

  -- Jobs that lost three workers were set aside: the same run again, for these.
  local function finish(run)
    local row = q:ended(run, 600)
    local aside = q.db:row([[select count(*) as n, min(lost_leases) as least from jobs
      where run = $1 and state = 'set_aside']], run)
    assert.equal(FLEET, (q:states(run).done or 0) + aside.n)
    assert.same({ aside.n > 0 and "failed" or "done", aside.n > 0 and 3 or nil },
      { row.state, aside.least })
    if aside.n > 0 then
      local again = q.db:row("select retry($1, 'here') as id", run).id
      row = q:ended(again, 600)
    end
    assert.equal("done", row.state)
    return aside.n
  end

  it("is done on each device, once, and never by two at the same time", function()
    local workers <close> = setmetatable({}, { __close = function(list)
      for _, one in ipairs(list) do one:kill "KILL" end
    end })
    local began <const> = core.now()
    local run = q:submit(TWO_WRITES, devices(), {
      arguments = { lab.slow and "4" or "1" }, grace = GRACE,
    })
    for n = 1, WORKERS do workers[n] = start() end
    lab.wait("jobs", function() return (q:states(run).running or 0) > 0 end)
    local times <const>, kills <const> = storm(workers, run)
    local aside <const> = finish(run)
    local took <const> = core.now() - began
    local results = {}
    for _, row in ipairs(q.db:query [[select position, result #>> '{}' as name from jobs
      where state = 'done']]) do
      assert.is_nil(results[row.position], "a result was stored twice")
      results[row.position] = row.name
    end
    local twice = 0
    for n = 1, FLEET do
      local list <const> = attempts(n)
      local last <const> = list[#list]
      assert.is_true(last.complete)
      -- The result that is stored is that of the last attempt: nothing was done after it.
      assert.equal(last.name, results[n])
      if #list > 1 then twice = twice + 1 end
    end
    assert.equal(0, q.db:row "select count(*) as n from devices".n)
    local lost <const> = q.db:row(
      "select count(*) as n from attempts where outcome = 'lease lost'").n
    local back <const> = recoveries(run, times)
    assert.is_true(#back > 0, "no kill hit a job")
    terminal.err(("%d devices, %d workers, %d kills, 1 restart of the database: %.1f s, "
      .. "%.1f jobs/s; %d leases lost, %d devices begun again, %d set aside; from a kill until its "
      .. "first job began again: %.1f to %.1f s (lease %d s, request %d s, look %d s)\n"):format(
      FLEET, WORKERS, kills, took, FLEET / took, lost, twice, aside, back[1], back[#back], LEASE,
      GRACE, LOOK
    ))
  end)
end)
