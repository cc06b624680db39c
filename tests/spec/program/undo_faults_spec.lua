-- Undo when something goes wrong: lost connections, signals, restarts, wrong passwords; and on
-- fleets, with difficult names, and in programs.
local json = require "f5.json"
local lab = require "lab"
local lfs = require "lfs"
local program = require "program"
local random = require "walk.random_changes"
local sim = require "f5.sim"

local device, bip, place, env

local function run(words, more)
  local environment = {}
  for name, value in pairs(env) do environment[name] = value end
  for name, value in pairs(more or {}) do environment[name] = value end
  return program.run(words, { env = environment, timeout = 30 })
end

local function ok(status, ...)
  local ran <const> = run(...)
  assert.equal(status, ran.status, ran.out .. ran.err)
  return ran.out, ran.err
end

local function records()
  local list, directory = {}, place.path .. "/state/f5lua/changes"
  if not lfs.attributes(directory) then return list end
  for name in lfs.dir(directory) do
    if name:sub(1, 1) ~= "." then list[#list + 1] = name end
  end
  table.sort(list)
  return list
end

local function same(before, other)
  assert.equal("", random.difference(before, random.objects(other or device)))
end

local function playbook(text)
  return place:file("p.lua", 'local f5 = require "f5"\nlocal bip <close> = f5.connect {}\n' .. text)
end

describe("S6 undo", function()
  before_each(function()
    device, bip = lab.start { provision = { "ltm", "gtm" } }
    place = lab.scratch()
    env = lab.environment(device, { XDG_STATE_HOME = place.path .. "/state", F5LUA_UNDOABLE = "1" })
    bip.ltm.pool["/Common/web"]:create { description = "old", members = { "10.0.0.1:80" } }
  end)
  after_each(function() lab.stop(bip, device, place) end)

  it("looks up what came of a write whose answer was lost", function()
    local before <const> = random.objects(device)
    for _, act in ipairs { true, false } do
      device:fault {
        match = { method = "POST", path = "ltm/pool$" }, reset = true, act = act or nil,
      }
      local _, err = ok(3, { playbook [[
bip.ltm.pool["/Common/web"]:modify { description = "new" }
bip.ltm.pool["/Common/lost"]:create { description = "lost" }
]] })
      assert.matches("change record", err)
      assert.equal(act, bip.ltm.pool["/Common/lost"]:exists())
      local shown <const> = ok(0, { "changes", "show", "last" })
      assert.matches("/Common/lost  created  %S+  it is not known whether the device did it", shown)
      ok(0, { "undo", "last" })
      same(before)
    end
  end)

  it("takes back what the device chose for an object that may have been made again", function()
    bip.ltm.pool["/Common/web"].members["/Common/10.0.0.1:80"]:modify { connectionLimit = 3 }
    local before <const> = random.objects(device)
    for _, act in ipairs { true, false } do
      device:fault {
        match = { method = "POST", path = "members$" }, reset = true, act = act or nil,
      }
      ok(3, { playbook [[
local members = bip.ltm.pool["/Common/web"].members
members["/Common/10.0.0.1:80"]:delete()
members:create { name = "/Common/10.0.0.1:80", description = "again" }
]] })
      ok(0, { "undo", "last" })
      same(before)
    end
  end)

  it("does not take for its own what only may be of the run", function()
    device:fault { match = { method = "POST", path = "ltm/pool$" }, reset = true }
    ok(3, { playbook 'bip.ltm.pool["/Common/lost"]:create { description = "lost" }\n' })
    bip.ltm.pool["/Common/lost"]:create { description = "somebody else" }
    local out = ok(1, { "undo", "last" })
    assert.matches("it is not certain that this run made it", out)
    assert.is_true(bip.ltm.pool["/Common/lost"]:exists())
  end)

  it("looks up what came of a transaction whose answer was lost", function()
    local before <const> = random.objects(device)
    for _, act in ipairs { true, false } do
      device:fault {
        match = { method = "PATCH", path = "/transaction/" }, reset = true, act = act or nil,
      }
      -- f5lua itself finds out that a transaction was committed
      ok(act and 0 or 3, { playbook [[
bip:transaction(function(tx)
  tx(bip.ltm.pool["/Common/web"]):modify { description = "new" }
  tx(bip.ltm.pool["/Common/lost"]):create { description = "lost" }
end)
]] })
      ok(0, { "undo", "last" })
      same(before)
    end
  end)

  it("writes nothing with a wrong password, and can run afterwards", function()
    local before <const> = random.objects(device)
    ok(0, { playbook 'bip.ltm.pool["/Common/web"]:modify { description = "new" }\n' })
    device:clear_log()
    local _, err = ok(3, { "undo", "last" }, { F5_PASSWORD = "wrong" })
    assert.matches("kind +auth", err)
    for _, write in ipairs(lab.writes(device)) do assert.matches("authn/login", write) end
    assert.equal(1, #records())
    ok(0, { "undo", "last" })
    same(before)
  end)

  it("takes back what a restart of the device cut off", function()
    local before <const> = random.objects(device)
    device:fault { match = { method = "DELETE", path = "ltm/pool" }, kind = "busy", times = 50 }
    local done <const> = run({ playbook [[
bip.ltm.pool["/Common/one"]:create {}
bip.ltm.pool["/Common/web"]:delete()
]] })
    assert.is_true(done.status ~= 0, done.out)
    device:clear_faults()
    device:reboot { seconds = 1 }
    bip:close()
    device:advance(600)
    bip = lab.connect(device, { wait = 30 })
    ok(0, { "undo", "last" })
    same(before)
  end)

  it("is about the device of the record only", function()
    ok(0, { playbook 'bip.ltm.pool["/Common/web"]:modify { description = "new" }\n' })
    local other <close> = sim.start { hostname = "other.example.net" }
    local host <const> = ("127.0.0.1:%d"):format(other.port)
    local _, err = ok(2, { "undo", "last", "--host", host }, { SSL_CERT_FILE = other.ca })
    assert.matches("is not the device of the change record", err)
    assert.matches("is not a change record", select(2, ok(2, { "undo", place.path .. "/p.lua" })))
    ok(2, { "undo", "last", "--exit-code" })
    ok(4, { "undo", "last", "--check", "--exit-code" })
    ok(0, { "undo", "last" })
    ok(0, { "undo", records()[1], "--check", "--exit-code" })
  end)

  it("restores objects with every kind of name", function()
    bip.sys.folder["/Common/app x"]:create {}
    bip.net["route-domain"]["/Common/1"]:create { id = 1 }
    local names <const> = { "/Common/a b", "/Common/100%", "/Common/app x/p.q-1" }
    for _, name in ipairs(names) do
      bip.ltm.pool[name]:create {
        description = "old", members = { { name = "10.0.0.7%1:80", description = "m" } },
      }
    end
    bip.gtm.wideip.a["/Common/*.example.net"]:create { description = "old" }
    local before <const> = random.objects(device)
    ok(0, { playbook([[
for i, name in ipairs { "/Common/a b", "/Common/100%", "/Common/app x/p.q-1" } do
  local pool = bip.ltm.pool[name]
  pool.members:add { name = "10.0.0.8%1:443" }
  pool.members["/Common/10.0.0.7%1:80"]:modify { description = "changed" }
  if i % 2 == 0 then pool:delete() else pool:modify { description = "new" } end
end
bip.ltm.pool["/Common/n w%"]:create { members = { "10.0.0.9%1:80" } }
bip.gtm.wideip.a["/Common/*.example.net"]:delete()
bip.gtm.wideip.a["/Common/*.b.example.net"]:create {}
]]) })
    assert.matches("ltm/pool /Common/a b members /Common/10.0.0.8%%1:443",
      ok(0, { "changes", "show", "last" }))
    ok(0, { "undo", "last" })
    same(before)
  end)

  it("runs again after it was killed", function()
    for i = 1, 6 do bip.ltm.pool["/Common/p" .. i]:create { description = "old" } end
    local before <const> = random.objects(device)
    ok(0, { playbook [[
for i = 1, 3 do bip.ltm.pool["/Common/p" .. i]:modify { description = "new" } end
for i = 4, 6 do bip.ltm.pool["/Common/p" .. i]:delete() end
bip.auth.partition.shop:create {}
]] })
    for _, method in ipairs { "PATCH", "DELETE" } do
      device:fault { match = { method = method, path = "/mgmt/tm" }, delay_ms = 3000 }
      device:clear_log()
      local process <close> = program.start({ "undo", records()[1] }, { env = env })
      lab.arrived(device, "DELETE", "/mgmt/tm/auth/partition", method == "DELETE" and 1 or 0)
      require("f5").sleep(0.8)
      process:kill "KILL"
      process:wait()
      device:clear_faults()
    end
    ok(0, { "undo", records()[1] })
    same(before)
  end)

  it("takes back a plan that was killed in the middle of 40 writes", function()
    for i = 1, 20 do bip.ltm.pool["/Common/p" .. i]:create { description = "old" } end
    local before <const> = random.objects(device)
    local file <const> = playbook [[
for i = 1, 20 do
  bip.ltm.pool["/Common/p" .. i]:modify { description = "new" }
  bip.auth.partition["t" .. i]:create {} -- does not fit into a transaction
end
]]
    local plan <const> = place.path .. "/change.plan"
    ok(0, { "plan", "-o", plan, file }, { F5LUA_UNDOABLE = "" })
    for _, act in ipairs { true, false } do
      -- The 23rd write is the 12th PATCH.
      device:fault {
        match = { method = "PATCH", path = "ltm/pool/" }, after = 11, act = act or nil,
        delay_ms = 20000, status = act and 200 or nil,
      }
      device:clear_log()
      local process <close> = program.start({ "apply", plan }, { env = env })
      lab.arrived(device, "POST", "auth/partition", 11)
      require("f5").sleep(0.5)
      process:kill "KILL"
      process:wait()
      device:clear_faults()
      assert.equal("new", bip.ltm.pool["/Common/p11"]:load().description)
      assert.is_true(bip.auth.partition.t11:exists())
      assert.is_false(bip.auth.partition.t12:exists())
      local list <const> = json.decode(ok(0, { "changes", "--output", "json" }))
      assert.same({ "apply", "broken off", 23 }, {
        list[#list].what, list[#list].state, list[#list].writes,
      })
      ok(0, { "undo", "last" })
      same(before)
    end
  end)

  it("is refused while the run is going on", function()
    local process <close> = program.start({ playbook [[
bip.ltm.pool["/Common/web"]:modify { description = "new" }
print "written"
io.stdout:flush()
f5.sleep(30)
]] }, { env = env })
    process:expect "written"
    assert.matches("running", ok(0, { "changes" }))
    assert.matches("is still going on", select(2, ok(2, { "undo", "last" })))
    process:kill "KILL"
    process:wait()
    assert.matches("broken off", ok(0, { "changes" }))
    ok(0, { "undo", "last" })
    assert.equal("old", bip.ltm.pool["/Common/web"]:load().description)
  end)

  it("of a guard happens on Ctrl-C, too", function()
    local before <const> = random.objects(device)
    local process <close> = program.start({ playbook [[
bip:guard(function()
  bip.ltm.pool["/Common/web"]:modify { description = "new" }
  bip.ltm.pool["/Common/one"]:create {}
  print "written"
  io.stdout:flush()
  f5.sleep(30)
end)
]] }, { env = env })
    process:expect "written"
    process:kill "INT"
    local ended <const> = process:wait()
    assert.equal(130, ended.status, ended.err)
    assert.matches("2 changes were taken back", ended.err)
    same(before)
    local list <const> = json.decode(ok(0, { "changes", "--output", "json" }))
    assert.equal("interrupted", list[1].state)
    assert.matches("everything is as before", ok(0, { "undo", "last" }))
  end)

  it("works for programs that f5lua build made", function()
    local before <const> = random.objects(device)
    local file <const> = playbook 'bip.ltm.pool["/Common/web"]:modify { description = ... }\n'
    ok(0, { "build", "-o", place.path .. "/prog", file })
    local ran <const> = program.run({ "packed" }, { program = place.path .. "/prog", env = env })
    assert.equal(0, ran.status, ran.err)
    assert.equal("packed", bip.ltm.pool["/Common/web"]:load().description)
    ok(0, { "undo", "last" })
    same(before)
  end)
end)

describe("undo of a fleet", function()
  local devices, before

  local function inventory()
    local parts = {}
    for i, one in ipairs(devices) do
      parts[i] = ('{ name = "d%d", host = "127.0.0.1", port = %d, ca = %q }'):format(
        i, one.port, one.ca)
    end
    return place:file("sites.lua", ([[return {
      defaults = { username = "admin", password = "admin", retries = 0 },
      devices = { %s } }]]):format(table.concat(parts, ",\n")))
  end

  before_each(function()
    devices, before = {}, {}
    for i = 1, 3 do
      devices[i] = sim.start { hostname = ("d%d.example.net"):format(i) }
      before[i] = random.objects(devices[i])
    end
    place = lab.scratch()
    env = { XDG_STATE_HOME = place.path .. "/state" }
    place:file("p.lua", "bip.ltm.pool['/Common/new']:create { description = device.name }")
    ok(0, { "run", "--undoable", "--inventory", inventory(), place.path .. "/p.lua" })
  end)
  after_each(function() lab.stop(place, table.unpack(devices)) end)

  it("has one record for all devices", function()
    local list <const> = json.decode(ok(0, { "changes", "--output", "json" }))
    assert.equal(1, #list)
    table.sort(list[1].devices)
    assert.same({ "d1", "d2", "d3" }, list[1].devices)
    ok(0, { "undo", "last", "--inventory", inventory() })
    for i = 1, 3 do same(before[i], devices[i]) end
    assert.equal(2, #records())
    ok(0, { "undo", records()[2], "--inventory", inventory() })
    for i = 1, 3 do
      assert.is_truthy(random.objects(devices[i])["/mgmt/tm/ltm/pool/~Common~new"])
    end
  end)

  it("can be limited, and one device does not stop the others", function()
    ok(0, { "undo", "last", "--inventory", inventory(), "--limit", "d2" })
    same(before[2], devices[2])
    assert.is_truthy(random.objects(devices[1])["/mgmt/tm/ltm/pool/~Common~new"])
    devices[1]:fault { match = { path = "/login$" }, status = 401, times = 9 }
    local out = ok(3, { "undo", records()[1], "--inventory", inventory() })
    assert.matches("d1: ", out)
    same(before[3], devices[3])
    devices[1]:clear_faults()
    ok(0, { "undo", records()[1], "--inventory", inventory() })
    same(before[1], devices[1])
    ok(2, { "undo", records()[1], "--limit", "d2" })
  end)

  it("shows devices with the same result together, and what each of them did with -v", function()
    for i = 4, 5 do
      devices[i] = sim.start { hostname = ("d%d.example.net"):format(i) }
      before[i] = random.objects(devices[i])
    end
    ok(0, { "run", "--undoable", "--inventory", inventory(), "--limit", "d4,d5",
      place.path .. "/p.lua" })
    place:file("q.lua", "bip.ltm.pool.new:modify { description = 'same' }")
    ok(0, { "run", "--undoable", "--inventory", inventory(), place.path .. "/q.lua" })
    local id <const> = records()[3]
    local function undo(status, ...)
      return (ok(status, { "undo", id, "--inventory", inventory(), ... }))
    end
    local check <const> = undo(0, "--check")
    assert.matches("\n1 device: d2\n  ~ ltm/pool /Common/new  would be changed back\n"
      .. "      description: same → d2\n", check, 1, true)
    assert.matches("\n5 devices: 5 to change back\n$", check)
    devices[3]:fault { match = { path = "/login$" }, status = 401, times = 9 }
    local out <const> = undo(3)
    assert.matches("\n1 device: d3\n  [^\n]+\n", out)
    assert.matches("\n5 devices: 4 as before, 1 failed\nchange record of this undo: ", out)
    devices[3]:clear_faults()
    local rest <const> = undo(0)
    assert.matches("\n4 devices: d1, d2, d4, d5\n  everything is as before\n", rest, 1, true)
    local whole <const> = undo(0, "-v", "--check")
    assert.matches("\nd1:\n", whole)
    assert.is_nil(whole:find "devices: ")
  end)
end)
