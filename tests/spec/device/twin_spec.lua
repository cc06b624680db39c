-- Twins: simulated devices that read what they have from another device, which plays the real one
-- here, and keep every change to themselves.
local core = require "f5.core"
local f5 = require "f5"
local json = require "f5.json"
local lab = require "lab"
local sim = require "f5.sim"
local twinned = require "devices.twinned"
local twins_of = require "f5.twin"

local TM <const>, SEED <const> = twinned.TM, twinned.SEED
local answer <const> = twinned.answer

local device, twins, direct, twin

local function start(options) device, twins, direct, twin = twinned.start(options) end
local function stop() twinned.stop(device, twins, direct, twin) end
local function get(bip, path) return answer(bip, "GET", path) end
local function changes() return twinned.changes(twins) end

local MEMBER <const> = TM .. "ltm/pool/~Common~blue/members/~Common~n1:80"
local GADGET <const> = TM .. "ltm/gadget/~Common~g"

-- Expects the same answer of the device and of its twin.
local function same(path) assert.same(get(direct, path), get(twin, path), path) end

describe("S3 a twin, reading,", function()
  setup(start)
  teardown(stop)

  it("answers as the device does: objects, collections, singletons, what is not there", function()
    for _, path in ipairs {
      "ltm/pool/~Common~blue", "ltm/pool/green", "ltm/pool/~tenant~other", "ltm/pool/~Common~nope",
      "ltm/pool/~Common~blue/members", "ltm/pool/~Common~blue/members/~Common~n1:80",
      "ltm/pool/~Common~nope/members", "ltm/pool/members", "ltm/nope", "nope", "gtm/pool/a",
      "ltm/virtual", "ltm/virtual/vs", "ltm/virtual/vs/profiles", "ltm/node", "ltm/rule/hello",
      "ltm/data-group/internal/dg", "ltm/monitor/http/child", "ltm/monitor", "ltm", "net/vlan/v1",
      "sys/ntp", "sys/dns", "sys/db/ui.advisory.enabled", "auth/partition",
      "auth/user/admin?$select=name,description",
      "sys/version", "sys/hardware", "ltm/pool/example", "ltm/profile/tcp/tcp", "sys/ready",
      "cm/device", "sys/folder", "sys/provision/ltm", "ltm/pool?ver=14.1.0", "ltm/pool?ver=99.0",
    } do
      same(TM .. path)
    end
    for _, path in ipairs {
      "/mgmt", "/mgmt/shared", "/mgmt/shared/nope", "/mgmt/tm",
      "/mgmt/shared/resolver/device-groups",
    } do
      same(path)
    end
  end)

  it("answers lists with all options as the device does, before and after it knows them", function()
    for _ = 1, 2 do
      for _, query in ipairs {
        "", "?$top=1", "?$top=2&$skip=1", "?$skip=2", "?$select=name,monitor",
        "?expandSubcollections=true", "?expandSubcollections=true&$top=1&$skip=1",
        "?$filter=partition%20eq%20tenant", "?$filter=name%20eq%20x", "?$inlinecount=allpages",
        "?options=b*", "?$top=x",
      } do
        same(TM .. "ltm/pool" .. query)
        same(TM .. "ltm/virtual" .. query)
        same(TM .. "ltm/monitor/http" .. query)
      end
    end
  end)

  it("reads an object once, a collection once, and what is missing once", function()
    for _, path in ipairs { "ltm/node/n2", "ltm/snatpool", "ltm/snat/nope" } do
      get(twin, TM .. path)
      local before = #device:log()
      for _ = 1, 3 do get(twin, TM .. path) end
      assert.equal(before, #device:log(), path)
    end
  end)

  it("passes statistics on, each time", function()
    same(TM .. "ltm/pool/~Common~blue/stats")
    same(TM .. "ltm/pool/stats")
    device:control("traffic", {
      { path = MEMBER, connections = 7 },
    })
    same(TM .. "ltm/pool/~Common~blue/members/stats")
    assert.equal(7, twin.ltm.pool.blue:stats()["serverside.curConns"])
  end)

  it("never reads declarations, because a GET there writes", function()
    local before = #device:log()
    local got = get(twin, "/mgmt/shared/appsvcs/declare")
    assert.equal(501, got.status)
    assert.matches("^not simulated by the twin: ", got.body.message)
    assert.equal(before, #device:log())
  end)

  it("has told the device nothing but its login", function()
    assert.same(twinned.LOGINS, twinned.writes(device))
  end)
end)

describe("S3 a twin and its device:", function()
  after_each(stop)

  it("a device that is gone is a 502 that names it; what is known is still answered", function()
    start()
    twin.ltm.pool.blue:load()
    local place = ("%s:%d"):format(device.host, device.port)
    device:fault { match = { path = "^/mgmt/tm/ltm/rule" }, times = 99, reset = true }
    local got = get(twin, TM .. "ltm/rule/hello")
    assert.equal(502, got.status)
    local start_of = ("the twin cannot read from %s: "):format(place)
    assert.equal(start_of, got.body.message:sub(1, #start_of))
    assert.equal("blue", twin.ltm.pool.blue:load().name)
    local failed = answer(twin, "PATCH", TM .. "ltm/virtual/vs", { rules = { "/Common/hello" } })
    assert.equal(502, failed.status)
    assert.same({}, changes())
    device:clear_faults()
    assert.equal("hello", twin.ltm.rule.hello:load().name)
  end)

  it("while the device takes its time, the twin answers what it knows", function()
    start()
    twin.ltm.pool.blue:load()
    device:fault { match = { path = "^/mgmt/tm/ltm/rule" }, delay_ms = 700 }
    local began, slow, quick = core.now(), nil, nil
    f5.all {
      function()
        twin.ltm.rule.hello:load()
        slow = core.now() - began
      end,
      function()
        f5.sleep(0.1)
        twin.ltm.pool.blue:load()
        twin.ltm.pool.blue:modify { description = "meanwhile" }
        quick = core.now() - began
      end,
    }
    assert.is_true(quick < 0.6 and slow >= 0.7, ("%g %g"):format(quick, slow))
  end)

  it("two requests that wait for the same thing read it once", function()
    start()
    device:fault { match = { path = "^/mgmt/tm/ltm/rule" }, delay_ms = 100 }
    local before = #device:log()
    f5.all {
      function() twin.ltm.rule.hello:load() end, function() twin.ltm.rule.hello:load() end,
    }
    assert.equal(before + 1, #device:log())
  end)

  it("unknown kinds and properties are kept, can be written, and are marked", function()
    start()
    local thing = {
      kind = "tm:ltm:gadget:gadgetstate", name = "g", partition = "Common", fullPath = "/Common/g",
      generation = 3, selfLink = "https://localhost/mgmt/tm/ltm/gadget/~Common~g?ver=17.1.3",
      shiny = "yes", deep = { list = { 1, 2 } },
    }
    local function plant(path, body)
      device:fault {
        match = { method = "GET", path = path }, times = 9, status = 200, body = json.encode(body),
        headers = { ["Content-Type"] = "application/json; charset=UTF-8" },
      }
    end
    plant("^/mgmt/tm/ltm/gadget/~Common~g$", thing)
    plant("^/mgmt/tm/ltm/gadget$", {
      kind = "tm:ltm:gadget:gadgetcollectionstate",
      selfLink = "https://localhost/mgmt/tm/ltm/gadget?ver=17.1.3", items = { thing },
    })
    assert.same(thing, get(twin, GADGET).body)
    assert.equal("no", answer(twin, "PATCH", GADGET, { shiny = "no" }).body.shiny)
    assert.equal("no", get(twin, TM .. "ltm/gadget").body.items[1].shiny)
    assert.equal(200, answer(twin, "POST", TM .. "ltm/gadget", { name = "h", shiny = "x" }).status)
    assert.same({ "modify ltm/gadget/~Common~g", "create ltm/gadget/~Common~h" }, changes())
    local assumed = twins:report(1).assumed
    assert.equal(GADGET, assumed[1].path)
    local node = get(direct, TM .. "ltm/node/~Common~n1").body
    node.brandNew = "of 18.0"
    plant("^/mgmt/tm/ltm/node/~Common~n1$", node)
    assert.equal("of 18.0", get(twin, TM .. "ltm/node/~Common~n1").body.brandNew)
    local got = answer(twin, "PATCH", TM .. "ltm/node/~Common~n1", { brandNew = "other" })
    assert.same({ 200, "other" }, { got.status, got.body.brandNew })
    assumed = twins:report(1).assumed
    assert.equal("brandNew", assumed[#assumed].property)
  end)

  it("answers that are no JSON, or not what was asked for, do no harm", function()
    start()
    for _, body in ipairs {
      "no JSON", "[1,2]", '{"items":[1,{"name":5},{"fullPath":"a/../b"}]}', "",
    } do
      device:fault {
        match = { method = "GET", path = "^/mgmt/tm/ltm/snatpool" }, status = 200, body = body,
      }
      assert.is_true(get(twin, TM .. "ltm/snatpool").status >= 200)
    end
    assert.equal("blue", twin.ltm.pool.blue:load().name)
  end)

  it("the user of the twin has the rights of the user on the device", function()
    start {
      users = {
        { name = "admin", password = "admin", role = "admin" },
        { name = "ops", password = "secret1", role = "operator" },
      },
    }
    local options = device:options "ops"
    local more <close> = twins_of.start { devices = { options } }
    local own = more:options(1)
    assert.equal("ops", own.username)
    local bip <close> = f5.connect(own)
    bip.ltm.pool.blue.members["/Common/n1:80"]:modify { session = "user-disabled" }
    lab.fails("forbidden", function() bip.ltm.pool:create { name = "x" } end)
    assert.equal(1, #more:report(1).changes)
  end)

  it("has no users but those of the device", function()
    start {
      users = {
        { name = "admin", password = "other1", role = "admin" },
        { name = "boss", password = "secret1", role = "admin" },
      },
    }
    local more <close> = twins_of.start { devices = { device:options "boss" } }
    local own = more:options(1)
    local bip <close> = f5.connect(own)
    assert.is_false(bip.auth.user.operator:exists())
    bip.auth.user.boss:modify { description = "changed" }
    assert.equal("boss", more:report(1).changes[1].before.description)
    own.username, own.password = "admin", "admin"
    lab.fails("auth", function() f5.connect(own) end)
  end)

  it("tells what it has read, as the device gave it", function()
    start()
    local pool = twin.ltm.pool["/Common/blue"]:load()
    twin.ltm.node:list()
    twin.ltm.pool["/Common/blue"]:stats()
    assert.is_false(twin.ltm.pool.nope:exists())
    local by_path = {}
    for _, read in ipairs(twins:reads(1)) do by_path[read.path] = read end
    assert.same(pool, by_path["/mgmt/tm/ltm/pool/~Common~blue"].body)
    local nodes = by_path["/mgmt/tm/ltm/node"]
    assert.is_true(nodes.collection)
    assert.same({ "n1", "n2" }, { nodes.body.items[1].name, nodes.body.items[2].name })
    assert.same(
      { path = "/mgmt/tm/ltm/pool/~Common~nope", select = { "name" } },
      by_path["/mgmt/tm/ltm/pool/~Common~nope"]
    )
    assert.is_true(by_path["/mgmt/tm/ltm/pool/~Common~blue/stats"].volatile)
    assert.equal(400, get(twin, "/mgmt/f5lua-sim/twin/reads?from=x").status)
    assert.equal(404, get(twin, "/mgmt/f5lua-sim/twin/other").status)
  end)

  it("tells all of what it has read, in pages", function()
    local pools = {}
    for i = 1, 1200 do
      pools[i] = { name = "p" .. i, description = ("x"):rep(1000) }
    end
    start { seed = { objects = { ["/mgmt/tm/ltm/pool"] = pools } } }
    assert.equal(1200, #twin.ltm.pool:list())
    local count = 0
    for _, read in ipairs(twins:reads(1)) do
      if read.path == "/mgmt/tm/ltm/pool" then count = count + #read.body.items end
    end
    assert.equal(1200, count)
  end)

  it("reads smaller pages of a list if the device takes too long", function()
    local pools = {}
    for i = 1, 620 do pools[i] = { name = "p" .. i } end
    device = sim.start { seed = { objects = { ["/mgmt/tm/ltm/pool"] = pools } } }
    local slow <const> = device:options "admin"
    slow.timeout, slow.retries = 0.4, 0
    twins = twins_of.start { devices = { slow } }
    direct, twin = lab.connect(device), f5.connect(twins:options(1))
    for _, top in ipairs { 500, 250 } do
      device:fault {
        match = { path = "^/mgmt/tm/ltm/pool$", query = "top=" .. top }, times = 99,
        delay_ms = 2000,
      }
    end
    assert.equal(620, #twin.ltm.pool:list())
    device:fault { match = { path = "^/mgmt/tm/ltm/rule" }, times = 99, delay_ms = 2000 }
    local got = get(twin, TM .. "ltm/rule/x")
    assert.equal(502, got.status)
    assert.matches("the twin cannot read from ", got.body.message)
  end)

  it("answers for itself while it simulates a restart and a reboot", function()
    start()
    twin.ltm.pool.blue:modify { description = "x" }
    for _, command in ipairs { "bigstart restart restjavad httpd", "reboot" } do
      twin:bash(command)
      assert.equal("blue", twins:report(1).changes[1].after.name)
      assert.equal("ltm/pool", twins:report(1).changes[1].kind)
      assert.is_false(pcall(function() twin:request("GET", TM .. "ltm/pool", { retries = 0 }) end))
      twins:advance(1, 300)
    end
    twin:wait_ready()
    assert.equal("x", twin.ltm.pool.blue:load().description)
  end)

  it("one process gets the twin of one more device, also of one that cannot be reached", function()
    start()
    local more <close> = twins_of.start { devices = {} }
    local gone = device:options "admin"
    gone.port, gone.retries = 1, 0
    local numbers = f5.all {
      function() return more:add(gone) end,
      function() return more:add(device:options "admin") end,
      function() return more:add(device:options "admin") end,
    }
    assert.same({ 1, 2, 3 }, { table.unpack(numbers) })
    local options = more:options(1)
    options.auth = "basic"
    local lost <close> = f5.connect(options)
    local first <close> = f5.connect(more:options(2))
    local second <close> = f5.connect(more:options(3))
    f5.all {
      function()
        for _ = 1, 3 do
          local got = get(lost, TM .. "ltm/pool")
          assert.equal(502, got.status)
          assert.matches("the twin cannot read from 127.0.0.1:1: ", got.body.message)
        end
      end,
      function() first.ltm.pool.blue:modify { description = "first" } end,
      function() second.ltm.pool.blue:modify { description = "second" } end,
    }
    assert.equal("first", more:report(2).changes[1].after.description)
    assert.equal("second", more:report(3).changes[1].after.description)
    assert.same({}, more:report(1).changes)
    lab.fails("usage", function() more:add { port = 1 } end)
    lab.fails("usage", function() more:add "host" end)
  end)

  it("one process has the twins of several devices", function()
    start()
    local second <close> = sim.start { seed = SEED }
    local more <close> = twins_of.start {
      devices = { device:options "admin", second:options "admin" },
    }
    for i = 1, 2 do
      local bip <close> = f5.connect(more:options(i))
      bip.ltm.pool.blue:modify { description = "of " .. i }
    end
    for i = 1, 2 do
      assert.equal("of " .. i, more:report(i).changes[1].after.description)
      assert.equal(1, #more:report(i).changes)
    end
  end)
end)
