-- Twins: what a client writes stays in the twin, and is checked as the device would.
local json = require "f5.json"
local lab = require "lab"
local program = require "program"
local twinned = require "devices.twinned"

local TM <const> = twinned.TM
local answer <const> = twinned.answer

local device, twins, direct, twin

local function start(options) device, twins, direct, twin = twinned.start(options) end
local function stop() twinned.stop(device, twins, direct, twin) end
local function changes() return twinned.changes(twins) end

local MEMBER <const> = TM .. "ltm/pool/~Common~blue/members/~Common~n1:80"

describe("S3 a twin, writing,", function()
  local before

  before_each(function()
    start()
    before = twinned.state(device)
  end)

  after_each(function()
    assert.equal("", twinned.difference(before, twinned.state(device)))
    assert.same(twinned.LOGINS, twinned.writes(device))
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

  it("keeps when the device looks for updates, which is configuration", function()
    twin.sys.software.update:modify { autoCheck = "disabled" }
    assert.equal("disabled", twin.sys.software.update:load().autoCheck)
    assert.equal("enabled", direct.sys.software.update:load().autoCheck)
    assert.same({ "modify sys/software/update" }, changes())
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
    before = twinned.state(device)
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
    before = twinned.state(device)
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
    before = twinned.state(device)
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
