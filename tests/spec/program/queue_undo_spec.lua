-- Change records of runs in a queue, and f5lua undo of a run.
local core = require "f5.core"
local json = require "f5.json"
local lab = require "lab"
local program = require "program"
local queue = require "postgres.queue"
local server_of = require "postgres.server"
local sim = require "f5.sim"

local it = server_of.missing and function(name) pending(name .. ": " .. server_of.missing) end
  or it

local FLEET <const> = 8

-- Creates, changes and deletes.
local THREE_WRITES <const> = [[
  bip.ltm.pool:create { name = "new", partition = "Common", monitor = "/Common/tcp" }
  bip.ltm.pool["/Common/old"]:modify { description = "changed" }
  bip.ltm.pool["/Common/gone"]:delete()
  return "written"
]]

describe("Q1 undo of a run", function()
  local server, fleet, q

  local ENV <const> = { DEVICE_PASSWORD = "admin", F5LUA_PASSPHRASE = "" }

  setup(function()
    if server_of.missing then return end
    server = server_of.start()
  end)
  teardown(function() if server then server:stop() end end)

  local function devices(from, to) return queue.devices(fleet, from, to, { timeout = 2 }) end

  local function session(n) return core.connect(fleet:member(n):options "admin") end

  before_each(function()
    if not server then return end
    q, fleet = queue.new(server), sim.start { fleet = FLEET }
    for n = 1, FLEET do
      local bip <close> = session(n)
      bip.ltm.pool:create { name = "old", partition = "Common", description = "as it was" }
      bip.ltm.pool:create {
        name = "gone", partition = "Common", members = { { name = "10.0.0.1:80" } },
      }
      fleet:member(n):control "clear_log"
    end
  end)
  after_each(function()
    if not q then return end
    q:close()
    fleet:stop()
  end)

  local function worker(name, more, ...)
    local env = {}
    for _, list in ipairs { ENV, more or {} } do
      for key, value in pairs(list) do env[key] = value end
    end
    return q:worker(name, { "--lease", "12", ... }, env)
  end

  local function work(count, more)
    local env = {}
    for _, list in ipairs { ENV, more or {} } do
      for key, value in pairs(list) do env[key] = value end
    end
    q:work(count or 1, { "--lease", "12" }, env)
  end

  local function all_done(run, count) q:all_done(run, count) end

  -- What the pools of a device are: name -> description and number of members. One request: a
  -- worker may remove a pool meanwhile.
  local function pools(n)
    local bip <close> = session(n)
    local list = {}
    local found <const> = bip:request("GET", "/mgmt/tm/ltm/pool?expandSubcollections=true")
    for _, pool in ipairs(found.items) do
      local members <const> = pool.membersReference.items or {}
      list[pool.name] = ("%s, %d"):format(pool.description or "none", #members)
    end
    return list
  end

  local BEFORE <const> = { old = "as it was, 0", gone = "none, 1" }
  local AFTER <const> = { old = "changed, 0", new = "none, 0" }

  local function undo(words, env)
    return program.run({ "undo", "--queue", q.address, table.unpack(words) }, { env = env })
  end

  -- The number of the undo that was submitted.
  local function undone(...)
    local ended = undo { ... }
    assert.equal(0, ended.status, ended.err)
    return math.tointeger(tonumber(ended.out))
  end

  local function writes(n)
    local list = {}
    for _, call in ipairs(fleet:member(n):log()) do
      if call.method ~= "GET" and call.path:find "/tm/" then list[#list + 1] = call end
    end
    return list
  end

  it("takes back what all devices got, and the undo can be undone", function()
    local run = q:submit(THREE_WRITES, devices(1, FLEET))
    work(2)
    all_done(run, FLEET)
    for n = 1, FLEET do assert.same(AFTER, pools(n)) end

    local back = undone(tostring(run))
    work(2)
    all_done(back, FLEET)
    for n = 1, FLEET do assert.same(BEFORE, pools(n)) end
    local row = q.db:row("select changed, result ->> 'text' as text from jobs where run = $1",
      back)
    assert.same({ true, "took back 3 changes" }, { row.changed, row.text })
    local shown <const> = program.run { "runs", "show", tostring(run), "--queue", q.address }
    assert.matches(("run %d takes it back: done"):format(back), shown.out)

    local again = undone("run:" .. back, "--canary", "1")
    work()
    all_done(again, FLEET)
    for n = 1, FLEET do assert.same(AFTER, pools(n)) end
  end)

  it("--check writes nothing and says what it would do; --limit takes some", function()
    local run = q:submit(THREE_WRITES, devices(1, 3))
    work()
    for n = 1, 3 do fleet:member(n):control "clear_log" end
    local _ <close> = worker "w"
    local ended = undo { tostring(run), "--check" }
    assert.equal(0, ended.status, ended.err)
    assert.matches("would take back 3 changes", ended.out)
    for n = 1, 3 do
      assert.same({}, writes(n))
      assert.same(AFTER, pools(n))
    end
    ended = undo { tostring(run), "--limit", "*.2", "--wait", "--output", "json" }
    assert.equal(0, ended.status, ended.err)
    local shown <const> = json.decode(ended.out)
    assert.equal(1, #shown.devices)
    assert.is_true(shown.devices[1].details.complete)
    assert.same({ AFTER, BEFORE, AFTER }, { pools(1), pools(2), pools(3) })
  end)

  it("leaves alone what somebody else has changed since, and says so", function()
    local run = q:submit(THREE_WRITES, devices(1, 1))
    work()
    do
      local bip <close> = session(1)
      bip.ltm.pool["/Common/old"]:modify { description = "by somebody else" }
    end
    local _ <close> = worker "w"
    local looked <const> = undo { tostring(run), "--check" }
    assert.matches("would take back 2 changes", looked.out)
    local ended = undo { tostring(run), "--wait" }
    assert.equal(1, ended.status)
    assert.matches("not everything is as before: ltm/pool /Common/old", ended.out)
    assert.same({ old = "by somebody else, 0", gone = "none, 1" }, pools(1))
    local again <const> = undo { tostring(run), "--check" }
    assert.matches("not as before\n", again.out)
    assert.is_nil(again.out:find("everything was as before", 1, true))
    ended = undo { tostring(run), "--wait", "--force" }
    assert.equal(0, ended.status, ended.out)
    assert.same(BEFORE, pools(1))
  end)

  it("knows the write during which a worker was killed, and the attempt after it", function()
    fleet:member(1):fault {
      match = { method = "PATCH", path = "/pool/~Common~old$" }, delay_ms = 1500, times = 1,
    }
    local run = q:submit([[
      bip.ltm.pool["/Common/old"]:modify { description = os.getenv "WORKER" }
      bip.ltm.pool["/Common/new"]:ensure {}
    ]], devices(1, 1))
    local first <close> = worker "first"
    lab.wait("the record of the write", function()
      return q.db:row("select count(*) as n from change_records where run = $1 and line like $2",
        run, '%"PATCH"%').n == 1
    end)
    first:kill "KILL"
    local _ <close> = worker "second"
    q:ended(run, 60)
    all_done(run, 1)
    assert.equal("second, 0", pools(1).old)
    local kept <const> = program.run {
      "runs", "record", tostring(run), "127.0.0.1", "--queue", q.address,
    }
    assert.equal(0, kept.status, kept.err)
    local _, patches <const> = kept.out:gsub('"method":"PATCH"', "")
    assert.equal(2, patches, kept.out)
    local place <const> = lab.scratch()
    local shown <const> = program.run {
      "changes", "show", place:file("kept", kept.out), "--output", "json",
    }
    assert.equal(0, shown.status, shown.err)
    local contents <const>, states <const> = json.decode(shown.out), {}
    for i, step in ipairs(contents.steps) do states[i] = step.state end
    assert.same({ "unknown", "done", "done" }, states)
    assert.equal(1, #contents.devices)
    undone(tostring(run))
    lab.wait("the undo", function() return pools(1).old == BEFORE.old end)
    assert.same(BEFORE, pools(1))
  end)

  it("sends no write without its record in the database", function()
    local run = q:submit([[
      bip.ltm.pool["/Common/old"]:modify { description = "one" }
      print "one"
      f5.sleep(3)
      bip.ltm.pool["/Common/old"]:modify { description = "two" }
    ]], devices(1, 1))
    local _ <close> = q:worker("w", { "--lease", "30" }, ENV)
    lab.wait("the first write", function() return #writes(1) == 1 end)
    server:down "immediate"
    core.real_sleep(5)
    assert.equal(1, #writes(1), "a write was sent without a record")
    server:up()
    q.db:close()
    q.db = require("f5.queue").open(q.address)
    q:ended(run)
    all_done(run, 1)
    assert.equal(2, #writes(1))
    undone(tostring(run))
    lab.wait("the undo", function() return pools(1).old == BEFORE.old end)
  end)

  it("seals secrets with the passphrase of the workers, or leaves them out", function()
    local CHANGE <const> = [[
      bip.ltm.monitor.http["/Common/m"]:modify { password = "NEW-SECRET" }
    ]]
    for n = 1, 2 do
      local bip <close> = session(n)
      bip.ltm.monitor.http:create {
        name = "m", partition = "Common", username = "u", password = "OLD-SECRET",
      }
    end
    local sealed = q:submit(CHANGE, devices(1, 1))
    work(1, { F5LUA_PASSPHRASE = "of the workers" })
    local open = q:submit(CHANGE, devices(2, 2))
    work()
    for _, run in ipairs { sealed, open } do
      all_done(run, 1)
      local text = q.db:row("select string_agg(line, ' ') as t from change_records where run = $1",
        run).t
      assert.is_nil(text:find "SECRET")
    end
    assert.matches("cannot be undone: .*set F5LUA_PASSPHRASE", q.db:row(
      "select string_agg(line, ' ') as t from output where run = $1", open).t)
    local back = undone(tostring(sealed))
    work()
    assert.matches("set F5LUA_PASSPHRASE", q.db:row("select error from jobs where run = $1",
      back).error)
    back = undone(tostring(sealed))
    work(1, { F5LUA_PASSPHRASE = "of the workers" })
    all_done(back, 1)
    back = undone(tostring(open))
    work()
    assert.same({ failed = 1 }, q:states(back))
  end)

  it("refuses what cannot be taken back", function()
    local reads = q:submit("return #bip.ltm.pool:list()", devices(1, 1))
    local waiting = q:submit(THREE_WRITES, devices(1, 1), { tags = { "nowhere" } })
    work()
    local ended = undo { tostring(reads) }
    assert.equal(0, ended.status, ended.err)
    assert.equal(("run %d: nothing to take back: it wrote nothing\n"):format(reads), ended.out)
    for _, case in ipairs {
      { { tostring(waiting) }, 2, "still going on; 'f5lua runs cancel" },
      { { "99" }, 3, "there is no run 99" },
      { { "last" }, 2, "'last' is not the number of a run" },
      { { "1", "--host", "h" }, 2, "--host is not for runs of a queue" },
      { { "1", "--exit-code", "--check" }, 2, "--exit-code is not for runs of a queue" },
      { { tostring(reads), "--limit", "nobody" }, 2, "matches no device" },
    } do
      ended = undo(case[1])
      assert.equal(case[2], ended.status, ended.err)
      assert.matches(case[3], ended.err, 1, true)
    end
    ended = program.run { "undo", "last", "--canary", "1" }
    assert.equal(2, ended.status)
    assert.matches("--canary needs --queue", ended.err, 1, true)
  end)

  it("does not take back by a record that was changed after the submission", function()
    local run = q:submit(THREE_WRITES, devices(1, 1))
    work()
    local back = undone(tostring(run))
    q.db:query("update change_records set line = replace(line, 'as it was', 'forged')")
    fleet:member(1):control "clear_log"
    work()
    assert.matches("has changed since the undo was submitted",
      q.db:row("select error from jobs where run = $1", back).error)
    assert.same({}, writes(1))
  end)
end)
