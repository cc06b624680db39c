-- Fail-over of two simulated devices.
local core = require "f5.core"
local curl = require "curl"
local f5 = require "f5"
local lab = require "lab"
local paired = require "paired"

local post <const>, wait <const>, shown <const> = paired.post, paired.wait, paired.shown
local status <const>, sync <const>, details <const> = paired.status, paired.sync, paired.details

-- Two devices and the session of each.
local a, b, x, y

local function start(options) a, b, x, y = paired.start(options) end
local function join() paired.join(a, b) end
local function make_group(more) paired.make_group(x, more) end
local function in_sync() paired.in_sync(x, y) end
local function states() return paired.states(x, y) end

describe("fail-over of a pair of simulated devices", function()
  after_each(function() lab.stop(x, y, a, b) end)

  -- A pair in which a is active.
  local function active_pair()
    start()
    join()
    make_group()
    sync(x)
    in_sync()
    wait("one is active", function() return states():find "standby" ~= nil end)
    if x:failover_state() ~= "active" then y.sys.failover:run("run", { standby = f5.null }) end
    wait("a is active", function() return states() == "active standby" end)
  end

  it("has one active device, which can be changed", function()
    active_pair()
    local function failover(bip) return shown(bip, "failover-status") end
    assert.equal("ACTIVE", failover(x).status)
    assert.equal("1/1 active", failover(x).summary)
    assert.equal("STANDBY", failover(y).status)
    assert.equal("1/1 standby", failover(y).summary)
    assert.equal("gray", failover(y).color)
    x.sys.failover:run("run", { standby = f5.null })
    wait("b is active", function() return states() == "standby active" end)
    local function lines(bip)
      local found = {}
      local stats = bip:at("cm/traffic-group/~Common~traffic-group-1/stats"):load()
      for _, line in ipairs(f5.flat(stats)) do
        found[#found + 1] = ("%s %s %s"):format(
          line.deviceName, line.failoverState, line.nextActive
        )
      end
      table.sort(found)
      return table.concat(found, ", ")
    end
    for _, bip in ipairs { x, y } do
      wait("both know it", function()
        return lines(bip) == "/Common/b.example.net active false, /Common/bigip1 standby true"
      end)
    end
    wait("a shows it", function()
      return x:at("cm/device", "/Common/b.example.net"):load().failoverState == "active"
    end)
    post(b, "util/bash", { command = "run", utilCmdArgs = "-c 'tmsh run sys failover standby'" })
    wait("a is active again", function() return states() == "active standby" end)
  end)

  it("gives nothing to a device by a late message", function()
    active_pair()
    local group <const> = "/Common/traffic-group-1"
    local early <const> = os.time() * 1000000 -- when a gave the group to b, as the message says
    x.sys.failover:run("run", { standby = f5.null })
    wait("b is active", function() return states() == "standby active" end)
    y.sys.failover:run("run", { standby = f5.null })
    wait("a is active", function() return states() == "active standby" end)
    local answer <const> = curl {
      b, "POST", "/f5lua-sim/take",
      headers = {
        ["X-F5lua-Device"] = "/Common/bigip1", ["X-F5lua-Secret"] = a:state().trust.secret,
      },
      body = { state = "standby", active = {}, at = early, groups = { [group] = true } },
    }
    assert.equal(200, answer.status)
    assert.equal("standby", answer.json.state)
    assert.equal("active standby", states())
  end)

  it("gives traffic groups away one by one", function()
    active_pair()
    x:at("cm/traffic-group"):create { name = "tg2" }
    wait("the other knows it", function()
      return y:at("cm/traffic-group", "/Common/tg2"):exists()
    end)
    core.sleep(0.3)
    x.sys.failover:run("run", { standby = f5.null, trafficGroup = "tg2" })
    wait("both are active", function() return states() == "active active" end)
    local lines = f5.flat(x:at("cm/traffic-group/~Common~tg2/stats"):load())
    assert.same(
      { "active", "standby" },
      { lines[1].failoverState, lines[2].failoverState }
    )
  end)

  it("makes the other device active when one is offline", function()
    active_pair()
    x.sys.failover:run("run", { offline = f5.null })
    wait("b is active", function() return y:failover_state() == "active" end, 2)
    assert.equal("forced-offline", x:failover_state())
    y.sys.failover:run("run", { standby = f5.null })
    wait("b stays active: there is nobody else", function()
      return y:failover_state() == "active"
    end)
    x.sys.failover:run("run", { online = f5.null })
    wait("a is standby", function() return states() == "standby active" end)
    y.sys.service:run("stop", { name = "tmm" })
    wait("a is active", function() return states() == "active offline" end, 2)
    y.sys.service:run("start", { name = "tmm" })
    wait("b is back", function() return states() == "active standby" end)
  end)

  it("makes the other device active when one is gone", function()
    active_pair()
    x:close()
    a:stop()
    a, x = nil, nil
    wait("b is active", function() return y:failover_state() == "active" end, 6)
    assert.equal("Disconnected", status(y))
    assert.equal("red", shown(y, "sync-status").color)
    assert.equal("bigip1: disconnected", details(b)[1])
    assert.equal("unknown", y:at("cm/device", "/Common/bigip1"):load().failoverState)
    local before <const> = core.now()
    y.ltm.pool:create { name = "still-works" }
    sync(y)
    assert.is_true(core.now() - before < 5)
  end)

  it("lets a device that reboots come back as the standby one", function()
    active_pair()
    x:close()
    x = nil
    a:reboot { seconds = 4.5 }
    wait("b is active", function() return y:failover_state() == "active" end, 6)
    wait("a answers", function()
      local ok, session = pcall(lab.connect, a)
      x = ok and session or nil
      return ok
    end)
    x:wait_ready { timeout = 10 }
    wait("a is standby", function() return states() == "standby active" end)
    in_sync()
  end)
end)
