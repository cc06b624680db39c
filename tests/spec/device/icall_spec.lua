-- iCall on the simulated device: handlers run scripts on the clock of the device.
local curl = require "curl"
local f5 = require "f5"
local lab = require "lab"
local sim = require "f5.sim"

local OUTPUT <const> = "/var/tmp/scriptd.out"

describe("S7 simulated device: iCall", function()
  local device, bip
  before_each(function() device, bip = lab.start { provision = { "ltm" } } end)
  after_each(function() lab.stop(bip, device) end)

  local bash <const> = lab.shell(function() return bip end)

  local function script(text, name)
    bip.sys.icall.script:create { name = name or "s", definition = text }
  end

  local function handler(more, kind)
    local body = { name = "h", script = "/Common/s" }
    for name, value in pairs(more) do body[name] = value end
    return bip.sys.icall.handler[kind or "periodic"]:create(body)
  end

  -- What scripts printed since the last call.
  local function printed()
    local text = bash(("cat %s; rm -f %s"):format(OUTPUT, OUTPUT))
    return text and not text:find "No such file" and text or ""
  end

  local function stamp(seconds)
    return os.date("!%Y-%m-%d:%H:%M:%S", device:now() // 1000000 + seconds)
  end

  describe("periodic handlers", function()
    it("run each interval", function()
      script "puts tick"
      handler { interval = 10 }
      device:advance(9)
      assert.equal("", printed())
      device:advance(1)
      assert.equal("tick\n", printed())
      device:advance(30)
      assert.equal("tick\ntick\ntick\n", printed())
    end)

    it("run by themselves, without a request", function()
      script "puts tick"
      handler { interval = 1 }
      lab.wait("a run", function() return device:control("read_file", OUTPUT) end)
      assert.matches("^tick\n", device:control("read_file", OUTPUT))
    end)

    it("begin and end at the times that they are given", function()
      script "puts tick"
      handler { interval = 60, firstOccurrence = stamp(100), lastOccurrence = stamp(200) }
      device:advance(98)
      assert.equal("", printed())
      device:advance(4)
      assert.equal("tick\n", printed())
      device:advance(1000)
      assert.equal("tick\n", printed())
    end)

    it("take times as F5's own programs write them", function()
      script "puts tick"
      local made <const> =
        handler { interval = 3000, firstOccurrence = "now", lastOccurrence = "now+10m" }
      assert.matches("^%d%d%d%d%-%d%d%-%d%d:%d%d:%d%d:%d%d$", made.firstOccurrence)
      device:advance(1)
      assert.equal("tick\n", printed())
      device:advance(9000)
      assert.equal("", printed())
      for _, word in ipairs { "now+2s", "tomorrow", "2026-02-30:10:00:00" } do
        local err <const> = lab.fails("invalid", handler,
          { name = "other", interval = 10, firstOccurrence = word })
        assert.equal(400, err.status)
      end
    end)

    it("stop when they are inactive or deleted", function()
      script "puts tick"
      handler { interval = 10 }
      local ref <const> = bip.sys.icall.handler.periodic["/Common/h"]
      ref:modify { status = "inactive" }
      device:advance(100)
      assert.equal("", printed())
      bip.sys.icall.handler.periodic:run("start", { name = "h" })
      device:advance(10)
      assert.equal("tick\n", printed())
      bash "tmsh stop sys icall handler periodic h"
      device:advance(10)
      assert.equal("", printed())
      ref:modify { status = "active", interval = 5 }
      device:advance(5)
      assert.equal("tick\n", printed())
      ref:delete()
      device:advance(100)
      assert.equal("", printed())
    end)

    it("need a script that exists, and keep it", function()
      local err <const> = lab.fails("not_found", handler, { interval = 10 })
      assert.equal("01020036:3: The requested iCall script (/Common/s) was not found.", err.message)
      script "puts tick"
      handler { interval = 10 }
      assert.matches("is in use by", lab.fails("invalid", bip.sys.icall.script.s.delete,
        bip.sys.icall.script.s).message)
    end)

    it("outlive restarts of services, reboots and a saved state", function()
      script "puts tick"
      handler { interval = 300 }
      device:restart { seconds = 20 }
      device:advance(301)
      assert.equal("tick\n", printed())
      device:reboot { seconds = 60 }
      device:advance(599)
      assert.equal("tick\n", device:control("read_file", OUTPUT):sub(-5))
      local state <const> = device:state()
      local copy <close> = sim.start { seed = state }
      copy:advance(298)
      assert.is_nil(copy:control("read_file", OUTPUT))
      copy:advance(2)
      assert.equal("tick\n", copy:control("read_file", OUTPUT))
      assert.equal(0, copy:problems())
    end)

    it("do not run while the device boots", function()
      script "puts [clock seconds]"
      handler { interval = 10 }
      device:reboot { seconds = 60 }
      local before <const> = device:now() // 1000000
      device:advance(100)
      local first <const> = tonumber(device:control("read_file", OUTPUT):match "^%d+")
      assert.is_true(first >= before + 60, "ran while it booted")
    end)

    it("are part of the configuration: saved, loaded, undone", function()
      script "puts {a { b} \\{}"
      handler { interval = 10 }
      local text <const> = bash "tmsh list sys icall script s definition"
      bash "tmsh save sys config file /var/tmp/x.scf"
      bip.sys.icall.handler.periodic.h:delete()
      bip.sys.icall.script.s:delete()
      bash "tmsh load sys config file /var/tmp/x.scf"
      assert.equal(text, (bash "tmsh list sys icall script s definition"))
      device:advance(10)
      assert.equal("a { b} \\{\n", printed())
      lab.fails("transaction", bip.transaction, bip, function(tx)
        tx(bip.sys.icall.handler.periodic.h):delete()
        tx(bip.ltm.pool.p):create { monitor = "/Common/none_such" }
      end)
      device:advance(10)
      assert.equal("a { b} \\{\n", printed())
    end)

    it("run a script that removes its own handler once", function()
      script "puts once\ntmsh::delete sys icall handler periodic h\ntmsh::delete sys icall script s"
      handler { interval = 5 }
      device:advance(60)
      assert.equal("once\n", printed())
      assert.is_false(bip.sys.icall.script.s:exists())
    end)

    it("of a fleet run on the clock of their own device", function()
      local fleet <close> = sim.start { fleet = 2 }
      local second <close> = lab.connect(fleet, { host = "127.0.0.2" })
      second.sys.icall.script:create { name = "s", definition = "tmsh::create ltm pool made" }
      second.sys.icall.handler.periodic:create { name = "h", script = "/Common/s", interval = 1 }
      lab.wait("a run", function() return second.ltm.pool.made:exists() end)
      local first <close> = lab.connect(fleet)
      assert.is_false(first.ltm.pool.made:exists())
    end)
  end)

  describe("triggered handlers", function()
    it("run for the events that they subscribed to", function()
      script "puts \"$EVENT::context(pool) [array size EVENT::context]\""
      handler({ subscriptions = { {
        name = "sub", eventName = "POOL_DOWN",
        filters = { { name = "pool", value = "/Common/w*", matchAlgorithm = "glob" } },
      } } }, "triggered")
      local function happen(name, pool)
        bash(("tmsh generate sys icall event %s context { { name pool value %s } }"):format(
          name, pool))
        device:advance(0)
      end
      happen("POOL_DOWN", "/Common/web")
      happen("POOL_DOWN", "/Common/other")
      happen("POOL_UP", "/Common/web")
      assert.equal("/Common/web 1\n", printed())
    end)
  end)

  describe("perpetual handlers", function()
    it("run all the time, and start again when they end", function()
      script "set n 0\nwhile {$n < 3} {\n  incr n\n  puts $n\n  after 10000\n}"
      handler({}, "perpetual")
      device:advance(0)
      assert.equal("1\n", printed())
      device:advance(25)
      assert.equal("2\n3\n", printed())
      device:advance(10)
      assert.equal("1\n", printed())
      device:reboot { seconds = 60 }
      device:advance(75) -- between two lines, which come at full tens
      device:control("write_file", { path = OUTPUT, text = "" })
      device:advance(10)
      assert.matches("^[123]\n$", printed())
      bip.sys.icall.handler.perpetual.h:modify { status = "inactive" }
      device:advance(100)
      assert.equal("", printed())
    end)
  end)

  it("runs tmsh as an administrator, and logs it", function()
    bip.ltm.pool:create { name = "web", members = { { name = "10.0.0.1:80", ratio = 3 } } }
    script [[
set pool [lindex [tmsh::get_config ltm pool web] 0]
puts "[tmsh::get_name $pool], [tmsh::get_type $pool]"
foreach member [tmsh::get_field_value $pool members] {
  puts "[tmsh::get_name $member] [tmsh::get_field_value $member ratio]"
}
puts [tmsh::get_field_value [lindex [tmsh::get_config sys global-settings hostname] 0] hostname]
tmsh::modify ltm pool web description "\"two words\""
puts [catch { tmsh::modify ltm pool none_such description x } problem]:$problem
tmsh::stateless enabled
tmsh::delete ltm pool none_such
tmsh::create ltm pool web description again
tmsh::stateless disabled
tmsh::begin_transaction
tmsh::create ltm node n1 address 10.9.9.9
tmsh::create ltm pool p2 members add \{ n1:80 \{ ratio 2 \} \}
tmsh::commit_transaction
tmsh::log warning "all done"]]
    handler { interval = 10 }
    device:advance(10)
    assert.equal("web, ltm pool\n10.0.0.1:http 3\nbigip1.example.net\n"
      .. "1:01020036:3: The requested Pool (/Common/none_such) was not found.\n", printed())
    assert.equal("again", bip.ltm.pool.web:load().description)
    assert.equal(2, bip.ltm.pool.p2.members["n1:80"]:load().ratio)
    assert.matches("warning scriptd%[%d+%]: all done", bash "cat /var/log/ltm")
    assert.matches("user=root .*cmd_data=modify ltm pool web", bash "cat /var/log/audit")
  end)

  it("logs errors of scripts, and goes on", function()
    script "puts before\nif {1} {\n  none_such a b\n}\nputs after"
    handler { interval = 10 }
    device:advance(20)
    assert.equal(2, select(2, printed():gsub("before\n", "")))
    local log <const> = bash "grep 014f0013 /var/log/ltm"
    assert.matches('Script %(/Common/s%) generated this Tcl error:  %(script did not '
      .. 'successfully complete: %(invalid command name "none_such"', log)
    assert.matches('line:2', log)
  end)

  it("stops scripts that take too much, and says what it does not simulate", function()
    for text, word in pairs {
      ["while 1 {}"] = "more than %d+ commands",
      ["catch {while 1 {}}\nputs no"] = "more than %d+ commands",
      ["proc r {} {r}\nr"] = "more than %d+ levels",
      ["set x aaaaaaaa\nwhile 1 {append x $x}"] = "more than %d+ bytes",
      ["exec ls"] = "not simulated: the command exec",
      ["catch {exec ls}\nputs no"] = "not simulated: the command exec",
    } do
      script(text)
      handler { interval = 10 }
      device:advance(10)
      bip.sys.icall.handler.periodic.h:delete()
      bip.sys.icall.script.s:delete()
      local output <const> = printed()
      assert.matches(word, output, text)
      assert.is_nil(output:find("\nno\n", 1, true))
    end
  end)

  it("is for those who may", function()
    for role, status in pairs { guest = 403, operator = 403, manager = 200 } do
      bip.auth.user:create {
        name = role .. "1", password = "S3cret-" .. role,
        ["partition-access"] = { { name = "all-partitions", role = role } },
      }
      local options <const> = device:options "admin"
      options.username, options.password = role .. "1", "S3cret-" .. role
      local user <close> = f5.connect(options)
      local ok, err = pcall(function()
        user.sys.icall.script:create { name = role, definition = "puts x" }
      end)
      assert.equal(status, ok and 200 or err.status, role)
    end
  end)

  it("runs a script with the rights of the user who wrote it", function()
    bip.auth.user:create {
      name = "mona", password = "S3cret-mona",
      ["partition-access"] = { { name = "all-partitions", role = "manager" } },
    }
    local options <const> = device:options "admin"
    options.username, options.password = "mona", "S3cret-mona"
    local mona <close> = f5.connect(options)
    local text <const> = "tmsh::create ltm pool hers\n"
      .. "puts [catch {tmsh::modify auth user admin description x} problem]:$problem"
    mona.sys.icall.script:create { name = "s", definition = text }
    mona.sys.icall.handler.periodic:create { name = "h", script = "/Common/s", interval = 10 }
    device:advance(10)
    assert.matches("^1:01070822:3: Access Denied", printed())
    device:control("write_file", {
      path = "/var/tmp/x.scf", text = "sys icall script s {\n    definition {" .. text .. "}\n}\n",
    })
    lab.fails("invalid", mona.sys.config.run, mona.sys.config, "load",
      { options = { { file = "/var/tmp/x.scf" }, { merge = true } } })
    assert.is_true(bip.ltm.pool.hers:exists())
    bip.sys.icall.script.s:modify { definition = text }
    bip.ltm.pool.hers:delete()
    device:advance(10)
    assert.equal("0:\n", printed())
    assert.is_nil(bip.sys.icall.script.s:load()._author)
  end)

  it("has a clock that clients can move", function()
    script "tmsh::create ltm pool made"
    handler { interval = 3600 }
    local now <const> = curl(device, "GET", "/f5lua-sim/clock").json.now
    local moved <const> = curl(device, "POST", "/f5lua-sim/clock", { seconds = 3600 })
    assert.equal(200, moved.status, moved.body)
    assert.is_true(moved.json.now >= now + 3600 * 1000000)
    assert.is_true(bip.ltm.pool.made:exists())
    assert.equal(400, curl(device, "POST", "/f5lua-sim/clock", { seconds = -1 }).status)
    assert.equal(405, curl(device, "DELETE", "/f5lua-sim/clock").status)
    assert.equal(401, curl { device, "GET", "/f5lua-sim/clock", anonymous = true }.status)
  end)
end)
