-- What comes from outside of a simulated device: found health and connections.
local f5 = require "f5"
local lab = require "lab"
local sim = require "f5.sim"

local MEMBER <const> = "/mgmt/tm/ltm/pool/~Common~web/members/~Common~10.0.0.1:80"

describe("The traffic of a simulated device", function()
  local device, bip, web, member
  before_each(function()
    device, bip = lab.start {
      seed = {
        objects = {
          ["/mgmt/tm/ltm/pool"] = {
            {
              name = "web",
              monitor = "/Common/http",
              members = {
                { name = "10.0.0.1:80", address = "10.0.0.1" },
                { name = "10.0.0.2:80", address = "10.0.0.2" },
              },
            },
          },
        },
        traffic = { { path = MEMBER, health = "up", connections = 20, ending = 4 } },
      },
    }
    web = bip.ltm.pool["/Common/web"]
    member = web.members["/Common/10.0.0.1:80"]
  end)
  after_each(function() lab.stop(bip, device) end)

  local function connections()
    return member:stats()["serverside.curConns"], web:stats()["serverside.curConns"]
  end

  it("stands while the member takes part, and ends when it does not", function()
    device:advance(60)
    assert.same({ 20, 20 }, { connections() })
    for _, out in ipairs { { session = "user-disabled" }, { state = "user-down" } } do
      member:modify(out)
      device:advance(2)
      local one <const>, all <const> = connections()
      assert.truthy(one <= 12 and one >= 8, one)
      assert.equal(one, all)
      device:advance(60)
      assert.same({ 0, 0 }, { connections() })
      member:modify { session = "user-enabled", state = "user-up" }
      assert.same({ 20, 20 }, { connections() })
    end
  end)

  it(
    "keeps the health that was found while the member changes, until nothing monitors it",
    function()
      assert.equal("up", member:load().state)
      assert.equal("available", web:stats()["status.availabilityState"])
      assert.equal("up", member:modify({ session = "user-disabled" }).state)
      assert.equal("up", member:modify({ session = "user-enabled", description = "x" }).state)
      device:plant { traffic = { { path = MEMBER, health = "down" } } }
      assert.equal("down", member:load().state)
      assert.equal("offline", member:stats()["status.availabilityState"])
      assert.equal("user-down", member:modify({ state = "user-down" }).state)
      device:plant { traffic = { { path = MEMBER, health = "up" } } }
      assert.equal("user-down", member:load().state)
      assert.equal("checking", member:modify({ state = "user-up" }).state)
    end
  )

  it("refuses what is not there", function()
    assert.has_error(
      function() device:plant { traffic = { { path = MEMBER .. "0", health = "up" } } } end
    )
    assert.has_error(
      function() device:plant { traffic = { { path = MEMBER, health = "fine" } } } end
    )
  end)

  it("counts what it is told, until the counters are reset", function()
    device:control(
      "traffic",
      { [MEMBER] = { ["serverside.totConns"] = 400, ["serverside.bitsIn"] = 1 << 40 } }
    )
    device:control("traffic", { { path = MEMBER, counters = { totRequests = 7 } } })
    local before <const> = member:stats()
    assert.same(
      { 400, 1 << 40, 7, 20 },
      {
        before["serverside.totConns"], before["serverside.bitsIn"], before.totRequests,
        before["serverside.curConns"],
      }
    )
    bip.ltm.pool:run("reset-stats", { name = "/Common/web" })
    local after <const> = member:stats()
    assert.same(
      { 0, 0, 0, 20 },
      {
        after["serverside.totConns"], after["serverside.bitsIn"], after.totRequests,
        after["serverside.curConns"],
      }
    )
  end)
end)

describe("The statistics of a simulated device", function()
  local device, bip, web
  local VIRTUAL <const> = "/mgmt/tm/ltm/virtual/~Common~vs"
  local SECOND <const> = "/mgmt/tm/ltm/pool/~Common~web/members/~Common~10.0.0.2:80"

  before_each(function()
    device, bip = lab.start {
      seed = {
        objects = {
          ["/mgmt/tm/ltm/pool"] = {
            {
              name = "web",
              members = {
                { name = "10.0.0.1:80", address = "10.0.0.1" },
                { name = "10.0.0.2:80", address = "10.0.0.2" },
              },
            },
            { name = "other", members = { { name = "10.0.0.1:81", address = "10.0.0.1" } } },
          },
          ["/mgmt/tm/ltm/virtual"] = {
            { name = "vs", destination = "/Common/192.0.2.1:80", pool = "/Common/web" },
          },
        },
      },
    }
    web = bip.ltm.pool["/Common/web"]
  end)
  after_each(function() lab.stop(bip, device) end)

  -- What all count of one counter.
  local function counts(name)
    local front = name:gsub("^serverside", "clientside")
    local found = { members = {}, nodes = {} }
    for n = 1, 2 do
      found.members[n] = web.members[("/Common/10.0.0.%d:80"):format(n)]:stats()[name]
      found.nodes[n] = bip.ltm.node["/Common/10.0.0." .. n]:stats()[name]
    end
    found.pool = web:stats()[name]
    found.virtual = bip.ltm.virtual["/Common/vs"]:stats()[front]
    found.address = bip.ltm["virtual-address"]["/Common/192.0.2.1"]:stats()[front]
    return found
  end

  local function agree(name)
    local found = counts(name)
    local sum = found.members[1] + found.members[2]
    assert.same({ sum, sum }, { found.pool, found.virtual }, name)
    assert.same(found.members, found.nodes, name)
    assert.equal(name:find "^serverside" and sum or nil, found.address)
    return sum, found.members
  end

  local function device_counts(path, field)
    for _, line in pairs(bip:request("GET", "/mgmt/tm/sys/" .. path).entries) do
      local entry = line.nestedStats.entries[field]
      if entry then return entry.value or entry.description end
    end
  end

  it("agree on what members count", function()
    device:plant {
      traffic = {
        { path = MEMBER, counters = { ["serverside.totConns"] = 400, totRequests = 900 } },
        { path = SECOND, counters = { ["serverside.totConns"] = 7 }, connections = 3 },
      },
    }
    assert.equal(407, (agree "serverside.totConns"))
    assert.equal(900, (agree "totRequests"))
    assert.equal(3, (agree "serverside.curConns"))
    assert.equal(407, device_counts("traffic", "clientSideTraffic.totConns"))
    assert.equal(407, device_counts("tmm-traffic", "serverSideTraffic.totConns"))
    assert.equal(900, device_counts("traffic", "httpRequests"))
    -- a lower value counts, too
    device:control("traffic", { [MEMBER] = { ["serverside.totConns"] = 100 } })
    assert.equal(107, (agree "serverside.totConns"))
    -- resetting one leaves the others alone
    bip.ltm.virtual:run("reset-stats", { name = "/Common/vs" })
    assert.equal(0, counts("serverside.totConns").virtual)
    assert.equal(107, counts("serverside.totConns").pool)
  end)

  it("move with the traffic of a virtual server and the clock", function()
    device:plant {
      traffic = { {
        path = VIRTUAL,
        rate = { connections = 10, requests = 25, bitsIn = 8000, bitsOut = 80000, pktsIn = 3 },
      } },
    }
    -- Compares while nothing moves.
    local virtual <const> = bip.ltm.virtual["/Common/vs"]
    local function still(check)
      virtual:modify { disabled = true }
      check()
      virtual:modify { enabled = true }
    end
    device:advance(60)
    local rows = bip:request("GET", "/mgmt/tm/sys/performance/connections").entries
    local row = rows["https://localhost/mgmt/tm/sys/performance/connections/HTTP%20Requests"]
    assert.equal("25", row.nestedStats.entries.Current.description)
    assert.equal(10, device_counts("traffic", "fiveSecAvgClientSideTraffic.totConns"))
    local before
    still(function()
      local sum, members = agree "serverside.totConns"
      assert.is_true(sum >= 600 and sum < 700, sum)
      assert.is_true(math.abs(members[1] - members[2]) <= 1)
      assert.is_true(agree "totRequests" >= 1500)
      assert.is_true(agree "serverside.bitsOut" >= 4800000)
      assert.is_true(agree "serverside.pktsIn" >= 180)
      assert.equal(0, device_counts("traffic", "fiveSecAvgClientSideTraffic.totConns"))
      device:advance(60)
      assert.equal(sum, (agree "serverside.totConns"))
      -- from now on, one member takes no connections
      web.members["/Common/10.0.0.2:80"]:modify { session = "user-disabled" }
      before = members
    end)
    device:advance(60)
    still(function()
      local _, members = agree "serverside.totConns"
      assert.equal(before[2], members[2])
      assert.is_true(members[1] >= before[1] + 600)
    end)
  end)

  it("count the traffic of a member of a pool without a virtual server", function()
    local path <const> = "/mgmt/tm/ltm/pool/~Common~other/members/~Common~10.0.0.1:81"
    device:plant { traffic = { { path = path, rate = { connections = 2 } } } }
    device:advance(10)
    local own = bip.ltm.pool["/Common/other"]:stats()["serverside.totConns"]
    assert.is_true(own >= 20 and own < 40, own)
    assert.equal(0, counts("serverside.totConns").virtual)
    assert.is_true(bip.ltm.node["/Common/10.0.0.1"]:stats()["serverside.totConns"] >= 20)
    assert.is_true(device_counts("traffic", "serverSideTraffic.totConns") >= 20)
    assert.equal(0, device_counts("traffic", "clientSideTraffic.totConns"))
  end)

  it("go on in a saved device, and for as long as numbers last", function()
    device:plant { traffic = { { path = VIRTUAL, rate = { bitsIn = 100000000000 } } } }
    device:advance(1)
    local copy <const> = sim.start { seed = device:state() }
    copy:advance(1)
    local other <close> = f5.connect(copy:options "admin")
    local stats = other.ltm.virtual["/Common/vs"]:stats()
    assert.is_true(stats["clientside.bitsIn"] >= 200000000000)
    copy:advance(200000000)
    stats = other.ltm.virtual["/Common/vs"]:stats()
    assert.is_true(stats["clientside.bitsIn"] > 1 << 61)
    lab.stop(other, copy)
  end)

  it("refuse a rate that cannot be one", function()
    for _, given in ipairs {
      { path = VIRTUAL, rate = { speed = 5 } }, { path = VIRTUAL, rate = { connections = -1 } },
      { path = VIRTUAL, rate = { connections = 1.5 } },
      { path = VIRTUAL, rate = { connections = 1 << 62 } },
      { path = "/mgmt/tm/ltm/pool/~Common~web", rate = { connections = 1 } },
      { path = MEMBER, connections = -5 }, { path = MEMBER, connections = "many" },
    } do
      assert.has_error(function() device:plant { traffic = { given } } end)
    end
    local state = device:state()
    for _, wrong in ipairs {
      { rate = { connections = "x" } }, { rate = { connections = 1 } }, { counters = 5 }, 7,
      { connections = -1 }, { speed = 1 },
    } do
      state.traffic[VIRTUAL] = wrong
      assert.has_error(function() sim.start { seed = state } end)
    end
  end)
end)

describe("The monitors of a simulated device", function()
  local device, bip, web
  before_each(function()
    device, bip = lab.start { seed = {
      objects = {
        ["/mgmt/tm/ltm/default-node-monitor"] = { rule = "/Common/icmp" },
        ["/mgmt/tm/ltm/monitor/tcp"] = { { name = "slow", interval = 30, timeout = 91 } },
        ["/mgmt/tm/ltm/pool"] = {
          { name = "web", monitor = "/Common/http", members = {
            { name = "10.0.0.1:80", address = "10.0.0.1" }, {
              name = "fd00::2.80", address = "fd00::2",
            },
          } },
          {
            name = "slow",
            monitor = "/Common/slow",
            members = { { name = "10.0.0.3:80", address = "10.0.0.3" } },
          },
          { name = "alone", members = { { name = "10.0.0.1:81", address = "10.0.0.1" } } },
        },
        ["/mgmt/tm/ltm/virtual"] = {
          { name = "vs", destination = "/Common/192.0.2.1:80", pool = "/Common/web" },
        },
      },
      health = { ["/Common/fd00::2.80"] = "down" },
    } }
    web = bip.ltm.pool["/Common/web"]
  end)
  after_each(function() lab.stop(bip, device) end)

  local function status(reference)
    local stats <const> = reference:stats()
    return stats["status.availabilityState"],
      stats["status.enabledState"],
      stats["status.statusReason"]
  end
  local function state(pool, member) return bip.ltm.pool[pool].members[member]:load().state end

  it("find what is monitored up after one interval, and down what is said to be", function()
    assert.equal("checking", state("/Common/web", "/Common/10.0.0.1:80"))
    assert.equal("unknown", (status(web)))
    device:advance(5.2)
    assert.equal("up", state("/Common/web", "/Common/10.0.0.1:80"))
    assert.equal("down", state("/Common/web", "/Common/fd00::2.80"))
    assert.equal("up", bip.ltm.node["/Common/10.0.0.1"]:load().state)
    assert.equal("checking", state("/Common/slow", "/Common/10.0.0.3:80"))
    device:advance(26)
    assert.equal("up", state("/Common/slow", "/Common/10.0.0.3:80"))
    local stats <const> = web:stats()
    assert.same(
      { 2, 1, 1, "available" },
      {
        stats.memberCnt, stats.availableMemberCnt, stats.activeMemberCnt,
        stats["status.availabilityState"],
      }
    )
    local _, _, reason <const> = status(web.members["/Common/fd00::2.80"])
    assert.truthy(
      reason:find "^/Common/http: No successful responses received before deadline. @20%d%d/"
    )
  end)

  it("carry what they find from members to the virtual server and its address", function()
    local virtual <const>, address <const> =
      bip.ltm.virtual["/Common/vs"], bip.ltm["virtual-address"]["/Common/192.0.2.1"]
    device:advance(6)
    assert.same({ "available", "enabled", "The virtual server is available" }, { status(virtual) })
    assert.equal("available", (status(address)))
    local generation <const> = web:load().generation
    device:control("health", { ["/Common/10.0.0.1:80"] = "down" })
    assert.equal("down", state("/Common/web", "/Common/10.0.0.1:80"))
    assert.same(
      { "offline", "enabled", "The children pool member(s) are down" },
      { status(virtual) }
    )
    assert.equal("offline", (status(address)))
    device:control("health", { ["/Common/10.0.0.1:80"] = "up" })
    assert.equal("available", (status(virtual)))
    assert.equal(generation, web:load().generation) -- the configuration did not change
    web.members["/Common/10.0.0.1:80"]:modify { session = "user-disabled" }
    assert.same(
      { "available", "disabled", "Pool member is available, user disabled" },
      { status(web.members["/Common/10.0.0.1:80"]) }
    )
    assert.same(
      { "offline", "disabled", "The children pool member(s) might be disabled" },
      { status(web) }
    )
    virtual:modify { disabled = true }
    assert.equal("disabled", (select(2, status(virtual))))
  end)

  it("take members down with their node", function()
    device:advance(6)
    local node <const>, member <const> =
      bip.ltm.node["/Common/10.0.0.1"], web.members["/Common/10.0.0.1:80"]
    device:control("health", { ["/Common/10.0.0.1"] = "down" })
    assert.same(
      { "down", "down", "down" },
      { node:load().state, member:load().state, state("/Common/alone", "/Common/10.0.0.1:81") }
    )
    device:control("health", { ["/Common/10.0.0.1"] = "up" })
    assert.same({ "up", "up" }, { node:load().state, member:load().state })
    node:modify { session = "user-disabled" }
    assert.same(
      { "available", "disabled-by-parent", "Pool member is available" },
      { status(member) }
    )
    node:modify { state = "user-down" }
    assert.same({ "offline", "disabled-by-parent", "Parent down" }, { status(member) })
  end)

  it("look again at what was forced down", function()
    device:advance(6)
    local member <const> = web.members["/Common/10.0.0.1:80"]
    member:modify { state = "user-down" }
    device:advance(6)
    assert.equal("user-down", member:load().state)
    member:modify { state = "user-up" }
    assert.equal("checking", member:load().state)
    device:advance(6)
    assert.equal("up", member:load().state)
  end)

  it("go on in a saved device", function()
    local copy <const> = sim.start { seed = device:state() }
    copy:advance(6)
    local other <close> = f5.connect(copy:options "admin")
    assert.equal("up", other.ltm.pool["/Common/web"].members["/Common/10.0.0.1:80"]:load().state)
    lab.stop(other, copy)
  end)

  it("refuse to find what is not there", function()
    assert.has_error(function() device:control("health", { ["/Common/10.9.9.9:80"] = "down" }) end)
    assert.has_error(
      function() device:control("health", { ["/mgmt/tm/ltm/virtual/~Common~vs"] = "down" }) end
    )
    assert.has_error(function() device:control("health", { ["/Common/10.0.0.1:80"] = "sick" }) end)
  end)
end)
