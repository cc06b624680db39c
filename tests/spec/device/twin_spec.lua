-- Twins: simulated devices that read what they have from another device, which plays the real one
-- here, and keep every change to themselves.
local core = require "f5.core"
local curl = require "curl"
local f5 = require "f5"
local json = require "f5.json"
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"
local twins_of = require "f5.twin"

local TM <const> = "/mgmt/tm/"
local MEMBER <const> = TM .. "ltm/pool/~Common~blue/members/~Common~n1:80"
local GADGET <const> = TM .. "ltm/gadget/~Common~g"

local SEED <const> = {
  objects = {
    ["/mgmt/tm/auth/partition"] = { { name = "tenant" } },
    ["/mgmt/tm/ltm/node"] = {
      { name = "n1", address = "10.0.0.1" }, { name = "n2", address = "10.0.0.2" },
    },
    ["/mgmt/tm/ltm/monitor/http"] = {
      { name = "parent", interval = 7 },
      { name = "child", defaultsFrom = "/Common/parent", timeout = 44 },
    },
    ["/mgmt/tm/ltm/pool"] = {
      { name = "blue", monitor = "/Common/http",
        members = { { name = "n1:80" }, { name = "n2:80" } } },
      { name = "green", members = { { name = "n1:8080" } } },
      { name = "other", partition = "tenant", description = "of a tenant" },
    },
    ["/mgmt/tm/ltm/rule"] = { { name = "hello", apiAnonymous = "when HTTP_REQUEST { }" } },
    ["/mgmt/tm/ltm/data-group/internal"] = {
      { name = "dg", type = "string", records = { { name = "a", data = "1" } } },
    },
    ["/mgmt/tm/ltm/virtual"] = {
      { name = "vs", destination = "/Common/10.1.0.1:80", ipProtocol = "tcp", pool = "/Common/blue",
        profiles = { "/Common/http", "/Common/tcp" }, rules = { "/Common/hello" } },
    },
    ["/mgmt/tm/net/vlan"] = { { name = "v1", tag = 77 } },
    ["/mgmt/tm/sys/ntp"] = { servers = { "192.0.2.123" } },
  },
}

-- The device, the process of its twin, and a session with each.
local device, twins, direct, twin

local function start(options)
  options = options or {}
  options.seed = options.seed or SEED
  device = sim.start(options)
  twins = twins_of.start { devices = { device:options "admin" } }
  direct, twin = lab.connect(device), f5.connect(twins:options(1))
end

local function stop()
  twin:close()
  twins:stop()
  lab.stop(direct, device)
end

-- What each request changes on every device.
local ALWAYS <const> = { tokens = true, operations = true, clock = true }

-- The state of the device, as text, without what every request changes.
local function state()
  local all = device:state()
  for name in pairs(ALWAYS) do all[name] = nil end
  return json.encode(all, { sort = true })
end

-- What the device has seen but GET: { ["POST /mgmt/…"] = 2 }.
local function writes()
  local seen = {}
  for _, call in ipairs(device:log()) do
    if call.method ~= "GET" then
      local what = call.method .. " " .. call.path:gsub("/tokens/.*", "/tokens/…")
      seen[what] = (seen[what] or 0) + 1
    end
  end
  return seen
end

-- The spec itself has logged in once.
local LOGINS <const> = { ["POST /mgmt/shared/authn/login"] = 2 }

local function answer(bip, method, path, body)
  local got = bip:request(method, path, { body = body, raw = true })
  local ok, value = pcall(json.decode, got.body)
  value = ok and value or got.body
  if type(value) == "table" then value.restOperationId = nil end
  return { status = got.status, body = value }
end

local function get(bip, path) return answer(bip, "GET", path) end

-- Expects the same answer of the device and of its twin.
local function same(path) assert.same(get(direct, path), get(twin, path), path) end

local function changes()
  local list = {}
  for i, change in ipairs(twins:report(1).changes) do
    list[i] = change.verb .. " " .. change.path:gsub("^/mgmt/tm/", "")
  end
  return list
end

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
    assert.same(LOGINS, writes())
  end)
end)

describe("S3 a twin, writing,", function()
  local before

  before_each(function()
    start()
    before = state()
  end)

  after_each(function()
    assert.equal(before, state())
    assert.same(LOGINS, writes())
    stop()
  end)

  it("keeps changes to itself, and shows them to all later reads", function()
    twin.ltm.pool.blue:modify { description = "changed" }
    twin.ltm.pool:create { name = "new", members = { { name = "10.9.9.9:80" } } }
    twin.ltm.virtual.vs:delete()
    assert.equal("changed", twin.ltm.pool.blue:load().description)
    assert.equal("10.9.9.9", twin.ltm.node["10.9.9.9"]:load().address)
    assert.is_false(twin.ltm.virtual.vs:exists())
    local names = {}
    for pool in twin.ltm.pool:each() do names[#names + 1] = pool.fullPath end
    assert.same(
      { "/Common/blue", "/Common/green", "/Common/new", "/tenant/other" }, names
    )
    assert.same({
      "modify ltm/pool/~Common~blue", "create ltm/pool/~Common~new",
      "create ltm/node/~Common~10.9.9.9", "create ltm/pool/~Common~new/members/~Common~10.9.9.9:80",
      "delete ltm/virtual/~Common~vs/profiles/~Common~http",
      "delete ltm/virtual/~Common~vs/profiles/~Common~tcp", "delete ltm/virtual/~Common~vs",
      "delete ltm/virtual-address/~Common~10.1.0.1",
    }, changes())
  end)

  it("reports what changed, with both values and the requests", function()
    local got = twin:request("PATCH", TM .. "ltm/pool/green", {
      body = { description = "x" }, raw = true,
    })
    local report = twins:report(1)
    local change = report.changes[1]
    assert.equal("modify", change.verb)
    assert.equal(TM .. "ltm/pool/~Common~green", change.path)
    assert.is_nil(change.before.description)
    assert.equal("x", change.after.description)
    assert.same({ math.tointeger(tonumber(got.headers["x-f5lua-operation"])) }, change.operations)
    assert.is_true(report.reads.count > 0 and report.reads.from <= report.reads.to)
    twin.ltm.pool.green:modify { description = "" }
    assert.same({}, changes())
  end)

  it("finds conflicts and references that are missing or in use", function()
    for _, case in ipairs {
      { "POST", "ltm/pool", { name = "blue" }, 409, "already exists in partition Common" },
      { "POST", "ltm/pool", { name = "p", monitor = "/Common/nope" }, 404, "nope" },
      { "POST", "ltm/virtual", { name = "v", destination = "10.1.0.1:80", ipProtocol = "tcp" }, 400,
        "vs" },
      { "POST", "ltm/virtual",
        { name = "v", destination = "10.1.0.2:80", profiles = { "/Common/unknown" } }, 404,
        "unknown" },
      { "DELETE", "ltm/pool/blue", nil, 400, "is in use by a Virtual Server %(/Common/vs%)" },
      { "DELETE", "ltm/rule/hello", nil, 400, "/Common/vs" },
      { "DELETE", "ltm/node/n1", nil, 400, "n1" },
      { "DELETE", "ltm/monitor/http/parent", nil, 400, "Monitor /Common/parent is in use" },
      { "DELETE", "ltm/profile/ftp/ftp", nil, 400, "cannot be deleted" },
      { "POST", "ltm/node", { name = "again", address = "10.0.0.1" }, 400,
        "the IP address 10.0.0.1 already exists" },
      { "PATCH", "ltm/pool/blue", { monitr = "x" }, 400, '"monitr" unknown property' },
      { "PATCH", "ltm/pool/nope", { description = "x" }, 404, "nope" },
      { "POST", "ltm/pool", { name = "p", partition = "void" }, 400, "/void" },
    } do
      local method, path, body, status, message = table.unpack(case, 1, 5)
      local got = answer(twin, method, TM .. path, body)
      assert.equal(status, got.status, path .. json.encode(got.body))
      assert.matches(message, got.body.message)
    end
    assert.same({}, changes())
  end)

  it("passes a change of a parent on to what inherits it on the device", function()
    twin.ltm.monitor.http.parent:modify { interval = 9, timeout = 99 }
    local child = twin.ltm.monitor.http.child:load()
    assert.same({ 9, 44 }, { child.interval, child.timeout })
  end)

  it("commits transactions, undoes failed ones, and validates only", function()
    twin:transaction(function(tx)
      tx(twin.ltm.pool):create { name = "t1", monitor = "/Common/http" }
      tx(twin.ltm.virtual.vs):modify { pool = "/Common/t1" }
      tx(twin.ltm.pool.blue):delete()
    end)
    assert.equal("/Common/t1", twin.ltm.virtual.vs:load().pool)
    assert.is_false(twin.ltm.pool.blue:exists())
    local count = #changes()
    lab.fails("transaction", function()
      twin:transaction(function(tx)
        tx(twin.ltm.pool.green):modify { description = "lost" }
        tx(twin.ltm.pool.t1):delete()
      end)
    end)
    assert.is_nil(twin.ltm.pool.green:load().description)
    assert.equal(count, #changes())
  end)

  it("downloads files of the device, and keeps uploads to itself", function()
    local text <const> = ("0123456789abcdef"):rep(150000) -- more than one part
    device:control("write_file", { path = "/var/config/rest/downloads/own.bin", text = text })
    before = state()
    local directory <close> = program.directory()
    local file <const> = directory.path .. "/own.bin"
    twin:download("own.bin", file)
    assert.equal(text, directory:read "own.bin")
    directory:file("up.txt", "of the twin")
    twin:upload(directory.path .. "/up.txt")
    twin:download("up.txt", file)
    assert.equal("of the twin", directory:read "own.bin")
    lab.fails("not_found", function() twin:download("nope", file) end)
    local got = answer(twin, "DELETE", "/mgmt/shared/file-transfer/uploads/own.bin")
    assert.equal(501, got.status)
  end)

  it("creates objects from files: what only the device has is assumed", function()
    device:control("write_file", { path = "/shared/on_device", text = "unknown" })
    before = state()
    local directory <close> = program.directory()
    twin:upload(directory:file("page.html", "hello"))
    twin.sys.file.ifile:create {
      name = "page", sourcePath = "file:/var/config/rest/downloads/page.html",
    }
    assert.equal(5, twin.sys.file.ifile.page:load().size)
    assert.same({}, twins:report(1).assumed)
    twin.sys.file.ifile:create { name = "other", sourcePath = "file:/shared/on_device" }
    local assumed <const> = twins:report(1).assumed
    assert.equal("sourcePath", assumed[1].property)
    assert.matches("known only to the device", assumed[1].reason)
  end)

  it("moves, copies and publishes objects with all that is in them", function()
    twin.ltm.pool:run("mv", { name = "/Common/blue", target = "/Common/navy" })
    assert.equal(2, #twin.ltm.pool.navy.members:list())
    assert.equal("/Common/navy", twin.ltm.virtual.vs:load().pool)
    twin.ltm.pool:run("cp", { name = "/Common/green", target = "/Common/lime" })
    assert.equal(1, #twin.ltm.pool.lime.members:list())
    assert.is_false(twin.ltm.pool.blue:exists())
    local verbs <const> = {}
    for _, change in ipairs(twins:report(1).changes) do
      verbs[change.path:gsub("^/mgmt/tm/", "")] = change.verb
    end
    assert.equal("delete", verbs["ltm/pool/~Common~blue/members/~Common~n1:80"])
    assert.equal("create", verbs["ltm/pool/~Common~navy/members/~Common~n1:80"])
    assert.equal("modify", verbs["ltm/virtual/~Common~vs"])
  end)

  it("deletes folders only when nothing of the device is in them", function()
    lab.fails("invalid", function() twin.auth.partition.tenant:delete() end)
    twin.ltm.pool["/tenant/other"]:delete()
    twin.auth.partition.tenant:delete()
    assert.is_false(twin.sys.folder["/tenant"]:exists())
    assert.is_true(twin.sys.folder["/Common"]:exists())
  end)

  it("finds objects that an iRule names without their folder", function()
    twin.ltm.rule:create { name = "r", apiAnonymous = "when HTTP_REQUEST { pool green }" }
    assert.same({ "create ltm/rule/~Common~r" }, changes())
    lab.fails("invalid", function() twin.ltm.pool.green:delete() end)
    twin.ltm.rule.r:delete()
    twin.ltm.pool.green:delete()
  end)

  it("saves its own changes, and a load takes back what came later", function()
    twin.ltm.pool.blue:modify { description = "kept" }
    twin.ltm.rule:create { name = "kept", apiAnonymous = "" }
    twin.sys.config:run "save"
    twin.ltm.node.n2:load() -- read after it was saved
    twin.ltm.pool.blue:modify { description = "lost" }
    twin.ltm.pool.green:delete()
    twin.ltm.pool:create { name = "lost" }
    twin.sys.config:run "load"
    assert.equal("kept", twin.ltm.pool.blue:load().description)
    assert.equal("n2", twin.ltm.node.n2:load().name)
    assert.same({ "modify ltm/pool/~Common~blue", "create ltm/rule/~Common~kept" }, changes())
    assert.same({}, twins:report(1).assumed)
  end)

  it("a load without a save takes back all changes, and says what that assumes", function()
    twin.ltm.pool.blue:modify { description = "lost" }
    twin.sys.config:run "load"
    assert.is_nil(twin.ltm.pool.blue:load().description)
    assert.same({}, changes())
    assert.equal(TM .. "sys/config", twins:report(1).assumed[1].path)
    assert.equal(501, answer(twin, "POST", TM .. "sys/config", {
      command = "load", name = "default",
    }).status)
  end)

  it("refuses tasks that it does not simulate when they are created, and runs others", function()
    for path, body in pairs {
      ["task/sys/ucs"] = { command = "save", name = "x" },
      ["task/cm/config-sync"] = { command = "run", utilCmdArgs = "to-group dg" },
    } do
      local got = answer(twin, "POST", TM .. path, body)
      assert.equal(501, got.status, path)
      assert.matches("^not simulated by the twin: ", got.body.message)
    end
    local task = twin:request("POST", TM .. "task/sys/config", { body = { command = "save" } })
    twin:request("PUT", TM .. "task/sys/config/" .. task._taskId, {
      body = { _taskState = "VALIDATING" },
    })
    twins:advance(1, 60)
    local done = twin:request("GET", TM .. "task/sys/config/" .. task._taskId)
    assert.equal("COMPLETED", done._taskState)
  end)

  it("says what it does not simulate, and changes nothing then", function()
    local got = answer(twin, "POST", TM .. "sys/ucs", { command = "save", name = "x" })
    assert.equal(501, got.status)
    assert.matches("^not simulated by the twin: ", got.body.message)
    assert.equal(501, answer(twin, "POST", TM .. "asm/policies", { name = "x" }).status)
    assert.equal(501, answer(twin, "POST", "/mgmt/shared/iapp/package-management-tasks", {}).status)
    local list = twins:report(1).not_simulated
    assert.equal(3, #list)
    assert.equal(TM .. "asm/policies", list[2].path)
    assert.equal("POST", list[2].method)
  end)

  it("moves its own clock, and connections end by it", function()
    device:control("traffic", {
      { path = MEMBER, health = "up", connections = 40 },
    })
    before = state()
    local member = twin.ltm.pool.blue.members["/Common/n1:80"]
    member:modify { session = "user-disabled" }
    local function connections() return member:stats()["serverside.curConns"] end
    assert.equal(40, connections())
    local now = twins:advance(1, 30)
    assert.is_true(connections() < 40 and connections() > 0)
    assert.is_true(twins:advance(1, 90) - now >= 90000000)
    assert.equal(0, connections())
    assert.equal("stats", twins:report(1).assumed[1].property)
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

  it("tells what it has read, as the device gave it", function()
    start()
    local pool = twin.ltm.pool["/Common/blue"]:load()
    twin.ltm.node:list()
    twin.ltm.pool["/Common/blue"]:stats()
    assert.is_false(twin.ltm.pool.nope:exists())
    local by_path = {}
    for _, read in ipairs(twins:reads(1)) do by_path[read.path] = read end
    assert.same(pool, by_path["/mgmt/tm/ltm/pool/~Common~blue"].body)
    local nodes = by_path["/mgmt/tm/ltm/node?$top=500&$skip=0"]
    assert.is_true(nodes.collection)
    assert.same({ "n1", "n2" }, { nodes.body.items[1].name, nodes.body.items[2].name })
    assert.same(
      { path = "/mgmt/tm/ltm/pool/~Common~nope" }, by_path["/mgmt/tm/ltm/pool/~Common~nope"]
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
      if read.path:find "^/mgmt/tm/ltm/pool%?" then count = count + #read.body.items end
    end
    assert.equal(1200, count)
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

-- A playbook that changes something in a twin of a device, and prints what.
local PLAYBOOK <const> = [[
  local f5 = require "f5"
  local twins <close> = require("f5.twin").start { devices = { {
    host = "127.0.0.1", port = %d, ca = "%s", username = "admin", password = "admin",
  } } }
  local bip <close> = f5.connect(twins:options(1))
  bip.ltm.pool.blue:modify { description = "x" }
  local change = twins:report(1).changes[1]
  print(change.verb, change.kind)
]]

describe("S3 twins are started", function()
  before_each(function() device = sim.start { seed = SEED } end)
  after_each(function() lab.stop(device) end)

  it("by a packed program, from itself", function()
    local directory <close> = program.directory()
    local deploy <const> = directory.path .. "/deploy"
    directory:file("main.lua", PLAYBOOK:format(device.port, device.ca))
    local built <const> = program.run { "build", directory.path .. "/main.lua", "-o", deploy }
    assert.equal(0, built.status, built.err)
    local result = program.run({}, { program = deploy })
    assert.same({ status = 0, out = "modify\tltm/pool\n", err = "" }, result)
    -- its arguments are the playbook's all the same
    result = program.run({ "sim", "--twin", "-" }, { program = deploy, input = "" })
    assert.same({ status = 0, out = "modify\tltm/pool\n", err = "" }, result)
  end)

  it("in a stock Lua, by F5LUA_PROGRAM, or not at all", function()
    local beside <const> = program.path:match "^(.*)/"
    if not io.open(beside .. "/lua/f5.so") then
      pending "f5.so is built beside the release program only"
      return
    end
    local function lua(env)
      env.LUA_CPATH = beside .. "/lua/?.so"
      return program.run(
        { "-e", PLAYBOOK:format(device.port, device.ca) }, { program = "/usr/bin/lua5.4", env = env }
      )
    end
    local result = lua { F5LUA_PROGRAM = program.path }
    assert.same({ status = 0, out = "modify\tltm/pool\n", err = "" }, result)
    result = lua { F5LUA_PROGRAM = "/nowhere/f5lua" }
    assert.equal(1, result.status)
    assert.matches("cannot start /nowhere/f5lua: .*set F5LUA_PROGRAM to the path of f5lua", result.err)
  end)
end)

describe("f5lua sim --twin", function()
  before_each(function() device = sim.start { seed = SEED } end)
  after_each(function() lab.stop(device) end)

  local function begin(more)
    local words = {
      "sim", "--twin", ("%s:%d"):format(device.host, device.port), "--user", "admin",
      "--ca", device.ca,
      "--port", "0",
    }
    for _, word in ipairs(more or {}) do words[#words + 1] = word end
    return program.start(words, { env = { F5_PASSWORD = "admin" } })
  end

  it("serves any client, and a signal ends it, also while the device does not answer", function()
    local process <close> = begin()
    process:expect "twin of 127.0.0.1:%d+ at https://127.0.0.1:%d+"
    local port, ca = process:output():match ":(%d+), CA certificate in (%S+)"
    local at = { host = "127.0.0.1", port = tonumber(port), ca = ca }
    assert.equal("blue", curl(at, "GET", TM .. "ltm/pool/blue").json.name)
    device:fault { match = { path = "^/mgmt/tm/ltm/rule" }, delay_ms = 20000 }
    local url = ("https://127.0.0.1:%s%sltm/rule"):format(port, TM)
    local waiting = io.popen("curl -sk -u admin:admin " .. url)
    f5.sleep(0.3)
    process:kill "INT"
    local result = process:wait()
    waiting:close()
    assert.same({ 0, "" }, { result.status, result.err })
  end)

  it("refuses a wrong password and options that do not go together, before it serves", function()
    local place = ("%s:%d"):format(device.host, device.port)
    local result = program.run(
      { "sim", "--twin", place, "--user", "admin", "--ca", device.ca },
      { env = { F5_PASSWORD = "wrong" } }
    )
    assert.equal(3, result.status)
    assert.matches("^f5lua: Authentication failed", result.err)
    for words, message in pairs {
      [{ "--twin", place, "--fleet", "3" }] = "%-%-twin does not work with %-%-fleet",
      [{ "--ca", "x" }] = "%-%-ca needs %-%-twin",
      [{ "--twin", place, "--user", "a:b:admin" }] = "the name of the user on the real device",
    } do
      result = program.run({ "sim", table.unpack(words) }, {})
      assert.equal(2, result.status)
      assert.matches(message, result.err)
    end
    result = program.run({ "sim", "--twin", "-" }, { input = "[]\n" })
    assert.equal(2, result.status)
    assert.matches("expected { \"devices\"", result.err)
  end)
end)
