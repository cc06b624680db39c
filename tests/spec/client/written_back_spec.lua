-- What was read is written back: without what a device does not take. Misspelt properties.
local f5 = require "f5"
local lab = require "lab"

local device, bip
local fails = lab.fails

local function start() device, bip = lab.start { provision = { "ltm", "gtm" } } end
local function stop() lab.stop(bip, device) end

local function count(method)
  local calls = 0
  for _, call in ipairs(device:log()) do calls = calls + (call.method == method and 1 or 0) end
  return calls
end

describe("An object that was read", function()
  before_each(start)
  after_each(stop)

  it("is written back as a whole, though monitoring answers in it", function()
    local node = bip.ltm.node["/Common/n"]
    node:create { address = "10.0.0.1", monitor = "/Common/icmp" }
    local read = node:load()
    assert.same({ "checking", "monitor-enabled" }, { read.state, read.session })
    device:clear_log()
    node:modify(read)
    assert.same({ 1, 1 }, { count "GET", count "PATCH" }) -- whether the address is the same
    read.description = "mine"
    assert.equal("mine", node:modify(read).description)
    assert.equal("mine", node:replace(node:load()).description)
    assert.same({ "checking", "/mgmt/tm/ltm/node/~Common~n" }, {
      read.state, read.selfLink:match "^https://localhost([^?]+)",
    }, "the script's own table stays as it is")
  end)

  it("keeps the session and the state that somebody has set", function()
    local pool = bip.ltm.pool["/Common/p"]
    pool:create { monitor = "/Common/http", members = { "10.0.0.1:80" } }
    local member = pool.members["/Common/10.0.0.1:80"]
    local read = member:load()
    read.session, read.state = "user-disabled", "user-down"
    member:modify(read)
    local now = member:load()
    assert.same({ "user-disabled", "user-down" }, { now.session, now.state })
    now.description = "drained"
    now = member:modify(now)
    assert.same(
      { "user-disabled", "user-down", "drained" },
      { now.session, now.state, now.description }
    )
    -- read while it was in service, written after somebody has disabled it: it stays disabled
    read.session, read.state, read.ratio = "monitor-enabled", "checking", 5
    read.description = "drained"
    now = member:modify(read)
    assert.same({ "user-disabled", "user-down", 5 }, { now.session, now.state, now.ratio })
    assert.equal("drained", member:replace(member:load()).description)
  end)

  it("is the model of another one", function()
    local pool = bip.ltm.pool["/Common/p"]
    pool:create {
      monitor = "/Common/http", description = "d",
      members = { "10.0.0.1:80", { name = "10.0.0.2:80", session = "user-disabled" } },
    }
    assert.equal("d", bip.ltm.pool["/Common/q"]:create(pool:load()).description)
    assert.equal(0, #bip.ltm.pool["/Common/q"].members:list())
    assert.equal("/Common/r", bip.ltm.pool.r:create(pool:load { expand = true }).fullPath)
    local sessions = {}
    for _, member in ipairs(bip.ltm.pool["/Common/r"].members:list()) do
      sessions[member.name] = member.session
    end
    assert.same(
      { ["10.0.0.1:80"] = "monitor-enabled", ["10.0.0.2:80"] = "user-disabled" },
      sessions
    )
    bip.ltm.pool["/Common/q"]:modify { members = pool.members:list() }
    assert.equal(2, #bip.ltm.pool["/Common/q"].members:list())
    assert.equal("created", (bip.ltm.pool["/Common/s"]:ensure(pool:load { expand = true })))
    assert.equal("changed", (bip.ltm.pool["/Common/p"]:ensure { description = "e" }))
    local wanted = pool:load { expand = true }
    assert.equal("changed", (bip.ltm.pool["/Common/s"]:ensure(wanted)))
    assert.equal("e", bip.ltm.pool["/Common/s"]:load().description)
    assert.equal("unchanged", (bip.ltm.pool["/Common/s"]:ensure(wanted)))
  end)

  it("has its own name in a collection, and that of the path elsewhere", function()
    local node = bip.ltm.node["/Common/node"]
    node:create { address = "10.0.0.1" }
    local read = node:load()
    fails("conflict", function() bip.ltm.node:create(read) end)
    node:delete()
    assert.equal("/Common/node", bip.ltm.node:create(read).fullPath)
    node:delete()
    assert.equal("/Common/other", bip.ltm.node.other:create(read).fullPath)
    bip.ltm.node.other:delete()
    assert.equal("/Common/node", bip.ltm.node.node:create(read).fullPath)
    node:delete()
    bip.auth.partition:create { name = "east" }
    read.partition, read.fullPath = "east", "/east/node"
    assert.equal("/east/node", bip.ltm.node:create(read).fullPath)
    bip.sys.folder["/west"]:create { description = "w" }
    local west = bip.sys.folder["/west"]:load()
    bip.sys.folder["/west"]:delete()
    assert.equal("/west", bip.sys.folder:create(west).fullPath)
    bip.auth.user.bob:create { description = "Bob" }
    local bob = bip.auth.user.bob:load()
    assert.equal("Bob", bip.auth.user.ann:create(bob).description)
  end)

  it("is not changed in secret: what only a creation sets is refused if it differs", function()
    local node = bip.ltm.node["/Common/n"]
    node:create { address = "10.0.0.1" }
    local read = node:load()
    read.address = "10.0.0.2"
    assert.matches(
      '^"address" may not be specified in the context of the "modify" command',
      fails("invalid", function() node:modify(read) end).message
    )
    fails("invalid", function() node:modify { address = "10.0.0.1", description = "x" } end)
    local group = bip.ltm["data-group"].internal["/Common/g"]
    group:create { type = "string", records = { { name = "a", data = "1" } } }
    read = group:load()
    read.records[1].data = "2"
    assert.equal("2", group:modify(read).records[1].data)
  end)

  it("leaves out links and times of virtual servers", function()
    local virtual = bip.ltm.virtual["/Common/v"]
    virtual:create { destination = "10.0.0.9:80", ipProtocol = "tcp", profiles = { "tcp" } }
    device:clear_log()
    virtual:modify(virtual:load())
    local seen
    device:clear_log()
    virtual:modify(virtual:load { expand = true })
    assert.equal(1, count "PATCH")
    seen = virtual:load()
    assert.equal("/Common/10.0.0.9:80", seen.destination)
    assert.equal(1, #virtual.profiles:list())
    assert.equal("created", (bip.ltm.virtual["/Common/w"]:ensure {
      destination = "10.0.0.8:80", ipProtocol = "tcp", profiles = virtual.profiles:list(),
    }))
    seen.destination = "/Common/10.0.0.8:80"
    assert.equal("unchanged", (bip.ltm.virtual["/Common/w"]:ensure(seen)))
  end)

  it("is queued in a transaction without what is refused", function()
    bip.ltm.pool["/Common/p"]:create { monitor = "/Common/http", members = { "10.0.0.1:80" } }
    local member = bip.ltm.pool["/Common/p"].members["/Common/10.0.0.1:80"]
    local read = member:load()
    read.description = "queued"
    bip:transaction(function(tx) tx(member):modify(read) end)
    assert.equal("queued", member:load().description)
  end)

  it("is written again without a property that the device refuses as it is", function()
    local pool = bip.ltm.pool["/Common/p"]
    pool:create {}
    local read = pool:load()
    read.description = "new"
    device:fault {
      match = { method = "PATCH" }, status = 400, times = 1, body = {
        code = 400,
        message = '"slow-ramp-time" may not be specified in the context of the "modify" command. '
          .. '"slow-ramp-time" may be specified using the following commands: create',
      },
    }
    assert.equal("new", pool:modify(read).description)
    device:clear_faults()
    read.slowRampTime = 77
    device:fault {
      match = { method = "PATCH" }, status = 400, times = 1, body = {
        code = 400,
        message = '"slow-ramp-time" may not be specified in the context of the "modify" command.',
      },
    }
    fails("invalid", function() pool:modify(read) end)
  end)
end)

describe("A misspelt property", function()
  before_each(start)
  after_each(stop)

  local function message(fn) return fails("invalid", fn).message end

  it("is reported with the one that was meant, after one more call", function()
    local pool = bip.ltm.pool["/Common/p"]
    device:clear_log()
    assert.equal(
      "\"monitr\" unknown property (did you mean 'monitor'?)",
      message(function() pool:create { monitr = "/Common/http" } end)
    )
    assert.equal(1, count "GET")
    pool:create { members = { "10.0.0.1:80" } }
    device:clear_log()
    assert.equal(
      "\"monitr\" unknown property (did you mean 'monitor'?)",
      message(function() pool:modify { monitr = "/Common/http" } end)
    )
    assert.same({ 1, 1 }, { count "GET", count "PATCH" })
    for _, call in ipairs(device:log()) do -- every device has the example of a collection
      if call.method == "GET" then assert.equal("/mgmt/tm/ltm/pool/example", call.path) end
    end
    for _, case in ipairs {
      { "descripton", "description", function() pool:ensure { descripton = "x" } end },
      { "loadBalancingModeEnum", "loadBalancingMode", function()
        pool:modify { loadBalancingModeEnum = "x" }
      end },
      { "propertyDescription", nil, function() pool:modify { propertyDescription = "x" } end },
      { "membrs", "members", function() pool:modify { membrs = {} } end },
      { "slowRampTim", "slowRampTime", function() pool:modify { ["slow-ramp-tim"] = 1 } end },
      { "ratoi", "ratio", function()
        pool:modify { members = { { name = "x:1", ratoi = 1 } } }
      end },
      { "ratoi", "ratio", function() pool.members["/Common/10.0.0.1:80"]:modify { ratoi = 1 } end },
      { "ratoi", "ratio", function() pool.members:create { name = "10.0.0.2:80", ratoi = 1 } end },
      { "serves", "servers", function() bip.sys.ntp:modify { serves = {} } end },
      { "descripton", "description", function() bip.auth.user.b:create { descripton = "x" } end },
      { "destinatoin", "destination", function()
        bip.ltm.virtual["/Common/v"]:create { destinatoin = "10.0.0.9:80" }
      end },
    } do
      local said = message(case[3])
      local near = case[2] and (" (did you mean '%s'?)"):format(case[2]) or ""
      assert.equal(('"%s" unknown property%s'):format(case[1], near), said)
    end
  end)

  it("is reported in the device's words if nothing is like it", function()
    local pool = bip.ltm.pool["/Common/p"]
    assert.equal('"zzz" unknown property', message(function() pool:create { zzz = 1 } end))
    pool:create {}
    device:fault {
      match = { path = "example" }, status = 400, body = { code = 400, message = "no" },
    }
    assert.equal('"monitr" unknown property', message(function() pool:modify { monitr = 1 } end))
    device:clear_faults()
    -- another refusal is not asked about
    device:clear_log()
    assert.equal(
      'invalid property value "slowRampTime":"x"',
      message(function() pool:modify { slowRampTime = "x" } end)
    )
    assert.equal(0, count "GET")
  end)
end)

describe("f5.change.body", function()
  local bodies = require "f5.change.body"

  it("does not copy what has nothing to leave out", function()
    for _, body in ipairs {
      {}, { kind = "x" }, { kind = "tm:asm:policies:policystate", name = "x" },
      { members = { { name = "a:80" } } }, { name = "p", kind = 7 },
    } do
      assert.equal(body, bodies.of_write(body, true))
    end
    assert.equal(7, bodies.of_write(7))
  end)

  it("reads no metamethods", function()
    local body = setmetatable({ kind = "tm:ltm:pool:poolstate", description = "x" }, {
      __pairs = function() error "called" end, __index = function() error "called" end,
    })
    assert.same({ description = "x" }, bodies.of_write(body))
    assert.same(f5.array {}, bodies.of_write({ records = f5.array {} }).records)
  end)
end)
