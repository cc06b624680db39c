-- f5lua submit --check, and f5lua apply of a check: plans of many devices through a queue.
local core = require "f5.core"
local json = require "f5.json"
local lab = require "lab"
local program = require "program"
local queue = require "postgres.queue"
local server_of = require "postgres.server"
local sim = require "f5.sim"

local it = server_of.missing and function(name) pending(name .. ": " .. server_of.missing) end
  or it

local FLEET <const> = 6

local CHANGES <const> = [[
  bip.ltm.pool["/Common/old"]:modify { description = "changed" }
  bip.ltm.pool:create { name = "new", partition = "Common", monitor = "/Common/tcp" }
  f5.sleep(5)
  print("saw", #bip.ltm.pool:list(), "pools")
  return "playbook"
]]

describe("Q1 checks and plans in a queue", function()
  local server, fleet, q, place

  local ENV <const> = { DEVICE_PASSWORD = "admin", F5LUA_PASSPHRASE = "" }

  setup(function() if not server_of.missing then server = server_of.start() end end)
  teardown(function() if server then server:stop() end end)

  local function session(n) return core.connect(fleet:member(n):options "admin") end

  before_each(function()
    if not server then return end
    q, fleet, place = queue.new(server), sim.start { fleet = FLEET }, lab.scratch()
    for n = 1, FLEET do
      local bip <close> = session(n)
      bip.ltm.pool:create { name = "old", partition = "Common", description = "as it was" }
      fleet:member(n):control "clear_log"
    end
  end)
  after_each(function()
    if not q then return end
    q:close()
    fleet:stop()
  end)

  local function inventory(count)
    local list <const> = queue.devices(fleet, 1, count, { timeout = 5 })
    return place:file("inventory.json", json.encode { devices = list })
  end

  local function f5lua(...)
    local ended <const> = program.run({ ..., }, { env = { F5LUA_QUEUE = q.address } })
    return ended
  end

  -- Submits, and returns the number of the run.
  local function submit(text, count, ...)
    local words = { "submit", "--inventory", inventory(count), ... }
    words[#words + 1] = place:file("playbook.lua", text)
    local ended <const> = f5lua(table.unpack(words))
    assert.equal(0, ended.status, ended.err)
    return math.tointeger(tonumber(ended.out))
  end

  local function work(count) q:work(count or 1, { "--lease", "30" }, ENV) end

  local function all_done(run, count) q:all_done(run, count) end

  -- Writes that a device carried out: not the transactions in which a check asks it.
  local function writes(n)
    local list = {}
    for _, call in ipairs(fleet:member(n):log()) do
      local is_write <const> = call.method ~= "GET" and call.path:find "^/mgmt/tm/"
        and not call.path:find "/tm/transaction"
      if is_write and not call.coordination then list[#list + 1] = call end
    end
    return list
  end

  local function pools(n)
    local bip <close> = session(n)
    local list = {}
    for _, pool in ipairs(bip.ltm.pool:list()) do list[pool.name] = pool.description or "none" end
    return list
  end

  local BEFORE <const> = { old = "as it was" }
  local AFTER <const> = { old = "changed", new = "none" }

  it("changes nothing, says what would change, and is applied exactly", function()
    local began <const> = core.now()
    local check = submit(CHANGES, FLEET, "--check")
    work(2)
    all_done(check, FLEET)
    assert.is_true(core.now() - began < 60)
    for n = 1, FLEET do assert.same(BEFORE, pools(n)) end
    local shown <const> = f5lua("runs", "show", tostring(check), "--print")
    assert.matches(("%d devices: these 2 changes (127.0.0.1, 127.0.0.2"):format(FLEET), shown.out,
      1, true)
    assert.matches("would make 2 changes with 2 steps", f5lua("runs", "show", tostring(check), "-o",
      "json").out, 1, true)
    assert.matches("~ /Common/old", (shown.out:gsub("ltm/pool ", "")), 1, true)
    assert.matches("as it was → changed", shown.out, 1, true)
    assert.matches("127.0.0.1: saw\\t2\\tpools", shown.out, 1, true)

    local file <const> = place:file("one.plan", f5lua("runs", "plan", tostring(check),
      "127.0.0.2").out)
    local plan <const> = f5lua("show", file)
    assert.equal(0, plan.status, plan.err)
    assert.matches("PATCH /mgmt/tm/ltm/pool/~Common~old", plan.out, 1, true)

    for n = 1, FLEET do fleet:member(n):control "clear_log" end
    local applied = f5lua("apply", "run:" .. check, "--canary", "1")
    assert.equal(0, applied.status, applied.err)
    local run <const> = math.tointeger(tonumber(applied.out))
    work(2)
    all_done(run, FLEET)
    for n = 1, FLEET do assert.same(AFTER, pools(n)) end

    -- what was applied can be taken back
    local undone <const> = f5lua("undo", "run:" .. run)
    assert.equal(0, undone.status, undone.err)
    work(2)
    all_done(math.tointeger(tonumber(undone.out)), FLEET)
    for n = 1, FLEET do assert.same(BEFORE, pools(n)) end
  end)

  it("sends no write while it checks", function()
    local check = submit('bip.ltm.pool["/Common/old"]:modify { description = "x" }', 1, "--check")
    work()
    all_done(check, 1)
    assert.same({}, writes(1))
    local none = submit("return #bip.ltm.pool:list()", 1, "--check")
    work()
    assert.matches("1 device: no changes (127.0.0.1)",
      f5lua("runs", "show", tostring(none)).out, 1, true)
    local ended <const> = f5lua("apply", "run:" .. none)
    assert.equal(("run %d: no device has a plan with steps\n"):format(none), ended.out)
  end)

  it("refuses a device that has changed since the check", function()
    local check = submit(CHANGES, 2, "--check")
    work()
    all_done(check, 2)
    do
      local bip <close> = session(1)
      bip.ltm.pool["/Common/old"]:modify { description = "by somebody else" }
    end
    fleet:member(1):control "clear_log"
    local run <const> = math.tointeger(tonumber(f5lua("apply", "run:" .. check, "--max-failures",
      "5").out))
    work()
    assert.same({ done = 1, failed = 1 }, q:states(run))
    assert.matches("nothing was sent: the device has changed since the plan was made "
      .. "(ltm/pool /Common/old", q.db:row([[select error ->> 'message' as m from jobs
      where run = $1 and position = 1]], run).m, 1, true)
    assert.same({}, writes(1))
    assert.same(AFTER, pools(2))
  end)

  it("applies a plan of a file to the devices of an inventory", function()
    local list <const>, file <const> = inventory(3), place.path .. "/all.plan"
    local planned <const> = program.run({
      "plan", "-o", file, "--inventory", list, place:file("playbook.lua", CHANGES),
    }, { env = ENV })
    assert.equal(0, planned.status, planned.err)
    local function apply(...)
      return f5lua("apply", file, "--queue", q.address, ...)
    end
    assert.matches("name the devices with --inventory", apply().err, 1, true)
    local some <const> = apply("--inventory", list, "--limit", "127.0.0.2")
    assert.equal(0, some.status, some.err)
    work()
    all_done(math.tointeger(tonumber(some.out)), 1)
    assert.same({ BEFORE, AFTER, BEFORE }, { pools(1), pools(2), pools(3) })
    local all <const> = apply("--inventory", list, "--max-failures", "1")
    work()
    -- 127.0.0.2 is not as the plan saw it any more.
    local run <const> = math.tointeger(tonumber(all.out))
    assert.same({ done = 2, failed = 1 }, q:states(run))
    for n = 1, 3 do assert.same(AFTER, pools(n)) end
    local undone <const> = f5lua("undo", "run:" .. run)
    work()
    all_done(math.tointeger(tonumber(undone.out)), 2)
    assert.same({ BEFORE, AFTER, BEFORE }, { pools(1), pools(2), pools(3) })
    place:file("all.plan", (place:read "all.plan":gsub("changed", "forged")))
    local forged <const> = apply("--inventory", list)
    assert.matches("was changed after it was made", forged.err)
    assert.is_true(forged.status ~= 0)
  end)

  it("refuses a plan that was changed after the submission, and other runs", function()
    local check = submit(CHANGES, 1, "--check")
    work()
    local run <const> = math.tointeger(tonumber(f5lua("apply", "run:" .. check).out))
    q.db:query "update plans set plan = replace(plan, 'changed', 'forged')"
    fleet:member(1):control "clear_log"
    work()
    assert.matches("has changed since the run was submitted",
      q.db:row("select error from jobs where run = $1", run).error)
    assert.same({}, writes(1))
    for _, case in ipairs {
      { "run:" .. run, 2, "is no check: submit one with f5lua submit --check" },
      { "run:99", 3, "there is no run 99" },
      { "run:x", 2, "'run:x' is not the number of a run: say run:1" },
    } do
      local ended <const> = f5lua("apply", case[1])
      assert.equal(case[2], ended.status, ended.err)
      assert.matches(case[3], ended.err, 1, true)
    end
  end)

  it("says what it could not check, and what the device rejects", function()
    local gap = submit('bip:bash "rm -rf /var/tmp/x"', 1, "--check")
    local broken = submit('error "the playbook failed"', 1, "--check")
    local endless = submit("while true do end", 1, "--check")
    local odd = submit(
      "error(setmetatable({}, { __tostring = error, __index = error }))", 1, "--check"
    )
    local rejected = submit(
      'bip.ltm.pool["/Common/old"]:modify { monitor = "/Common/absent" }', 1, "--check"
    )
    work()
    local function message(run)
      return q.db:row("select error ->> 'message' as m from jobs where run = $1", run).m
    end
    assert.matches("not checked to its end: .*not simulated: a command can do anything",
      message(gap))
    assert.matches("not checked to its end: playbook.lua:1: the playbook failed", message(broken))
    assert.matches("not checked to its end: .*/Common/absent", message(rejected))
    assert.matches("not checked to its end: playbook.lua:1: computed for %d[%d.]* s without",
      message(endless))
    assert.equal("not checked to its end: (a table without a text)", message(odd))
    -- What only the device itself refuses.
    fleet:member(1):fault {
      match = { method = "POST", path = "^/mgmt/tm/ltm/pool$" }, status = 400, times = 9,
    }
    rejected = submit('bip.ltm.pool:create { name = "n", partition = "Common" }', 1, "--check")
    work()
    assert.matches("the device rejects POST /mgmt/tm/ltm/pool (playbook.lua:1): ",
      message(rejected), 1, true)
    local shown <const> = f5lua("runs", "show", tostring(gap)).out
    assert.matches("127.0.0.1: nothing is known: not checked to its end", shown, 1, true)
    for _, run in ipairs { gap, broken, rejected } do
      assert.equal(("run %d: no device has a plan with steps\n"):format(run),
        f5lua("apply", "run:" .. run).out)
    end
  end)

  it("checks beside runs that write, and ends its process", function()
    local check = submit(CHANGES, 3, "--check")
    local run = submit('bip.ltm.pool["/Common/old"]:modify { description = "run" }', 3)
    work()
    all_done(check, 3)
    all_done(run, 3)
    for n = 1, 3 do assert.same({ old = "run" }, pools(n)) end
  end)
end)
