-- f5lua apply --confirm and --verify, f5lua confirm: the device itself takes a change back.
local configuration = require "devices.configuration"
local json = require "f5.json"
local lab = require "lab"
local paired = require "paired"
local program = require "program"

local HEAD <const> = 'local f5 = require "f5"\nlocal bip <close> = f5.connect {}\n'

local RULE <const> = 'when HTTP_REQUEST {\n  # "quoted" $x [y] {}\n  pool old\n  log "a;b \\$c"\n}'

local function plant(bip)
  bip.ltm.pool["/Common/old"]:create {
    description = 'was "it"; {a} [b] $c', monitor = "/Common/http and /Common/tcp",
    members = { { name = "10.0.0.1:80", ratio = 3 }, { name = "10.0.0.2:80" } },
  }
  bip.ltm.pool["/Common/gone"]:create {
    members = { { name = "10.0.0.9:80", session = "user-disabled", description = "a b" } },
  }
  bip.ltm.rule["/Common/r1"]:create { apiAnonymous = RULE }
  bip.ltm.virtual["/Common/vs"]:create {
    destination = "192.0.2.10:80", ipProtocol = "tcp", pool = "old",
    profiles = { { name = "http" }, { name = "tcp" } }, rules = { "r1" },
    sourceAddressTranslation = { type = "automap" },
  }
  bip.ltm["data-group"].internal["/Common/dg"]:create {
    type = "string", records = { { name = "a", data = "x  y" }, { name = "b c" } },
  }
end

-- Changes of many kinds, which a device must be able to take back.
local CHANGES <const> = {
  [[
bip.ltm.pool["/Common/new"]:create { monitor = "/Common/http", members = { { name = "10.0.0.3:80" } } }
bip.ltm.virtual["/Common/vs"]:modify { pool = "/Common/new" }
]],
  [[
bip.ltm.pool["/Common/old"]:modify { description = "is", monitor = "/Common/http", minActiveMembers = 1 }
bip.ltm.pool["/Common/old"].members["/Common/10.0.0.1:80"]:modify { ratio = 5, session = "user-disabled" }
bip.ltm.pool["/Common/old"].members["/Common/10.0.0.2:80"]:delete()
bip.ltm.pool["/Common/old"].members:create { name = "/Common/10.0.0.4:80" }
bip.ltm.pool["/Common/gone"]:delete()
bip.ltm.node["/Common/10.0.0.9"]:delete()
]],
  [[
bip.ltm.virtual["/Common/vs"]:modify {
  rules = {}, profiles = { { name = "tcp" } }, vlansEnabled = true, vlans = { "/Common/http-tunnel" },
  disabled = true, description = "new", sourceAddressTranslation = { type = "none" },
}
bip.ltm.rule["/Common/r1"]:delete()
bip.ltm["data-group"].internal["/Common/dg"]:modify { records = { { name = "c", data = "z" } } }
]],
  [[
bip.ltm.rule["/Common/r1"]:modify { apiAnonymous = "when HTTP_REQUEST { drop }" }
bip.ltm.virtual["/Common/vs"]:delete()
bip.ltm["data-group"].internal["/Common/dg"]:delete()
bip.ltm.profile.http["/Common/mine"]:create { insertXforwardedFor = "enabled" }
]],
  [[
bip.sys.ntp:modify { servers = { "192.0.2.1" }, timezone = "Europe/Berlin" }
bip.sys["global-settings"]:modify { hostname = "other.example.net", guiSecurityBanner = "disabled" }
bip.sys.db["ui.system.preferences.recordsperscreen"]:modify { value = "50" }
bip.net.vlan["/Common/v1"]:create { tag = 100 }
bip.net.self["/Common/s1"]:create { address = "198.51.100.1/24", vlan = "/Common/v1" }
bip.auth.partition["/T"]:create {}
bip.ltm.pool["/T/p"]:create {}
]],
}

describe("S7 a change that must be confirmed", function()
  local device, place, bip

  before_each(function()
    device, bip = lab.start()
    place = program.directory()
    plant(bip)
    device:advance(10) -- the monitors have their results
  end)
  after_each(function() lab.stop(bip, device, place) end)

  local function environment(more)
    local env = lab.environment(device, more)
    env.XDG_STATE_HOME = env.XDG_STATE_HOME or place.path
    return env
  end

  local function run(words, more)
    return program.run(words, { env = environment(more), directory = place.path })
  end

  local function plan(text)
    place:file("playbook.lua", HEAD .. text)
    local made = run { "plan", "-o", "change.plan", "playbook.lua" }
    assert.equal(0, made.status, made.err .. made.out)
  end

  -- Applies the plan; returns the id of the change.
  local function apply(...)
    local done = run { "apply", "change.plan", ... }
    assert.equal(0, done.status, done.err .. done.out)
    return done.out:match "armed: %S+ takes the change (%S+) back", done.out
  end

  local function objects() return configuration.objects(device) end
  local function differences(before) return configuration.differences(device, before) end

  local function log() return lab.shell(function() return bip end) "cat /var/log/ltm" end

  local function left_on_device()
    local names = {}
    for one in bip.sys.icall.script:each() do names[#names + 1] = one.fullPath end
    for one in bip.sys.icall.handler.periodic:each() do names[#names + 1] = one.fullPath end
    table.sort(names)
    return table.concat(names, " ")
  end

  for number, change in ipairs(CHANGES) do
    it("is taken back by the device: " .. number, function()
      local before <const> = objects()
      plan(change)
      local id, out <const> = apply("--confirm", "1m")
      assert.is_string(id, out)
      device:advance(10)
      local after <const> = objects()
      assert.not_equal("", differences(before))
      device:advance(40)
      assert.equal("", differences(after))
      device:advance(25)
      assert.equal("", differences(before), log())
      local late <const> = run { "confirm", id }
      assert.equal(3, late.status, late.out)
      assert.matches("too late: the device has taken the change back", late.err)
      assert.equal("", left_on_device())
      assert.matches("no change with the id", run({ "confirm", id }).err)
    end)
  end

  it("stays when it is confirmed, also twice", function()
    plan(CHANGES[1])
    local id <const> = apply("--confirm", "2")
    local listed <const> = run { "confirm", "--list" }
    assert.matches("^" .. id:gsub("%-", "%%-") .. "  waits until %d%d%d%d%-", listed.out)
    local done <const> = run { "confirm" }
    assert.equal(0, done.status, done.err)
    assert.matches("is confirmed: the device keeps it", done.out)
    device:advance(10)
    local after <const> = objects()
    device:advance(3600)
    assert.equal("", differences(after))
    assert.equal("", left_on_device())
    local again <const> = run { "confirm", id }
    assert.equal(3, again.status)
    assert.matches("no change with the id", again.err)
  end)

  it("is one at a time", function()
    plan(CHANGES[1])
    local id <const> = apply("--confirm", "5m")
    plan 'bip.ltm.pool["/Common/third"]:create {}\n'
    local second <const> = run { "apply", "change.plan", "--confirm", "5m" }
    assert.equal(3, second.status)
    assert.matches("nothing was sent: the change " .. id:gsub("%-", "%%-"), second.err)
    assert.is_false(bip.ltm.pool["/Common/third"]:exists())
    assert.equal(("/Common/f5lua_confirm /Common/f5lua_confirm_%s"):format(id), left_on_device())
  end)

  it("is one at a time, also if two begin at once", function()
    plan(CHANGES[1])
    local words <const> = { "apply", place.path .. "/change.plan", "--confirm", "5m" }
    -- both have seen that nobody waits before one of them makes the timer
    device:fault {
      match = { method = "POST", path = "handler/periodic" }, delay_ms = 1000, times = 2,
      act = false,
    }
    local first <close> = program.start(words, { env = environment() })
    local second <close> = program.start(words, { env = environment() })
    local results <const> = { first:wait(), second:wait() }
    table.sort(results, function(a, b) return a.status < b.status end)
    assert.equal(0, results[1].status, results[1].err)
    assert.equal(3, results[2].status, results[2].out)
    assert.matches("nothing was sent: ", results[2].err)
    local id <const> = results[1].out:match "armed: %S+ takes the change (%S+) back"
    assert.equal(("/Common/f5lua_confirm /Common/f5lua_confirm_%s"):format(id), left_on_device())
    assert.equal(0, run({ "confirm", id }).status)
    assert.is_true(bip.ltm.pool["/Common/new"]:exists())
  end)

  it("counts what the steps do on the way", function()
    plan [[
bip.ltm.pool:create { name = "short" }
bip.auth.partition["/T"]:create {}
bip.ltm.pool["/Common/short"]:delete()
bip.ltm.pool["/Common/old"]:modify { description = "on the way", minActiveMembers = 1 }
bip.auth.partition["/U"]:create {}
bip.ltm.pool["/Common/old"]:modify { description = 'was "it"; {a} [b] $c' }
]]
    local before <const> = objects()
    for _, name in ipairs { "T", "U" } do
      device:clear_faults()
      device:fault { match = { method = "POST", path = "auth/partition" }, delay_ms = 600000,
        after = name == "U" and 1 or 0, status = 503 }
      device:clear_log()
      local running <const> = program.start(
        { "apply", place.path .. "/change.plan", "--confirm", "1m" }, { env = environment() }
      )
      lab.arrived(device, "POST", "auth/partition", name == "U" and 2 or 1)
      running:kill(9)
      running:wait()
      device:clear_faults()
      assert.not_equal("", differences(before))
      device:advance(500)
      assert.equal("", differences(before), name .. log())
    end
    -- elements that one step adds and another one takes out with the whole list
    plan [[
bip.ltm.pool["/Common/old"].members:create { name = "/Common/10.0.0.3:80" }
bip.ltm.pool["/Common/gone"]:modify { members = { "10.0.0.9:80", "10.0.0.4:80", "10.0.0.5:80" } }
bip.ltm.pool["/Common/gone"]:modify { description = "is" }
bip.auth.partition["/T"]:create {}
bip.ltm.pool["/Common/old"]:modify {
  members = { { name = "10.0.0.1:80", ratio = 3 }, { name = "10.0.0.2:80" } },
}
bip.ltm.pool["/Common/gone"]:modify { members = {
  { name = "10.0.0.9:80", session = "user-disabled", description = "a b" }, "10.0.0.5:80",
} }
]]
    device:fault { match = { method = "POST", path = "auth/partition" }, delay_ms = 600000,
      status = 503 }
    device:clear_log()
    local running <close> = program.start(
      { "apply", place.path .. "/change.plan", "--confirm", "1m" }, { env = environment() }
    )
    lab.arrived(device, "POST", "auth/partition")
    running:kill(9)
    running:wait()
    device:clear_faults()
    assert.is_true(bip.ltm.pool["/Common/gone"].members["/Common/10.0.0.4:80"]:exists())
    device:advance(500)
    assert.equal("", differences(before), log())
    plan [[
bip.ltm.pool["/Common/gone"]:delete()
bip.ltm.pool["/Common/gone"]:create { description = "again" }
]]
    local done <const> = run { "apply", "change.plan", "--confirm", "1m" }
    assert.equal(3, done.status, done.out)
    assert.matches("it is deleted and made again", done.err)
    assert.equal("", differences(before))
  end)

  it("needs no undo after the device took it back", function()
    local before <const> = objects()
    plan(CHANGES[1])
    apply("--confirm", "1m")
    device:advance(70)
    local undone <const> = run { "undo", "last" }
    assert.equal(0, undone.status, undone.err .. undone.out)
    assert.equal("", differences(before))
  end)

  it("is refused before the first write if the device could not take it back", function()
    for text, reason in pairs {
      ['bip.sys.provision.gtm:modify { level = "nominal" }\n'] = "provisioning",
      ['bip.auth.user["bob"]:create { password = "Sekret-9x17" }\n'
        .. 'bip.auth.user["admin"]:modify { description = "x" }\n'] = nil,
      ['bip.ltm.profile["client-ssl"]["/Common/clientssl"]:modify { passphrase = "x" }\n'] =
        "a secret",
    } do
      place:file("playbook.lua", HEAD .. text)
      local made <const> = run({ "plan", "-o", "change.plan", "playbook.lua" },
        { F5LUA_PASSPHRASE = "open" })
      assert.equal(0, made.status, made.err .. made.out)
      local before <const> = objects()
      local done <const> = run({ "apply", "change.plan", "--confirm", "1m" },
        { F5LUA_PASSPHRASE = "open" })
      assert.equal(3, done.status, done.out)
      assert.matches("nothing was sent: the device could not take back", done.err)
      assert.matches(reason, done.err)
      assert.equal("", differences(before))
      assert.equal("", left_on_device())
    end
  end)

  it("needs a user who may make handlers", function()
    bip.auth.user:create {
      name = "ida", password = "S3cret-ida",
      ["partition-access"] = { { name = "all-partitions", role = "irule-manager" } },
    }
    plan 'bip.ltm.rule["/Common/r1"]:modify { apiAnonymous = "when HTTP_REQUEST { drop }" }\n'
    local done <const> = run({ "apply", "change.plan", "--confirm", "1m" },
      { F5_USER = "ida", F5_PASSWORD = "S3cret-ida" })
    assert.equal(3, done.status, done.out)
    assert.matches("nothing was sent: the user may not make handlers of iCall", done.err)
    assert.equal(RULE, bip.ltm.rule["/Common/r1"]:load().apiAnonymous)
  end)

  it("is taken back when f5lua is killed, before or after the last write", function()
    local before <const> = objects()
    plan [[
bip.ltm.pool["/Common/old"]:modify { description = "is" }
bip.sys.provision.ltm:load()
bip.ltm.node["/Common/10.0.0.1"]:modify { description = "one" }
bip.auth.partition["/T"]:create {}
bip.ltm.node["/Common/10.0.0.2"]:modify { description = "two" }
]]
    for _, after in ipairs { 0, 1, 2 } do
      device:clear_faults()
      device:fault { match = { method = "POST", path = "^/mgmt/tm/auth/partition" },
        delay_ms = 600000 }
      if after == 1 then
        device:clear_faults()
        device:fault { match = { method = "PATCH", path = "10.0.0.2" }, delay_ms = 600000,
          act = true }
      elseif after == 2 then
        device:clear_faults()
        device:fault { match = { method = "PATCH", path = "handler/periodic" }, delay_ms = 600000,
          act = true }
      end
      device:clear_log()
      local running <const> = program.start(
        { "apply", place.path .. "/change.plan", "--confirm", "1m" }, { env = environment() }
      )
      lab.wait("the write", function()
        for _, call in ipairs(device:log()) do
          if call.path:find "auth/partition" and call.method == "POST" and after == 0
            or call.path:find "10.0.0.2" and call.method == "PATCH" and after == 1
            or call.path:find "handler/periodic" and call.method == "PATCH" then return true end
        end
      end)
      running:kill(9)
      running:wait()
      assert.not_equal("", differences(before))
      device:advance(500)
      assert.equal("", differences(before), log())
      local listed <const> = json.decode(run({ "confirm", "--list", "--output", "json" }).out)
      assert.equal("taken back", listed[1].state)
    end
  end)

  it("outlives a restart of the services, and is taken back after a reboot", function()
    local before <const> = objects()
    plan(CHANGES[1])
    apply("--confirm", "2m")
    device:restart { seconds = 20 }
    device:advance(100)
    assert.not_equal("", differences(before))
    device:reboot { seconds = 60 }
    device:advance(59)
    assert.not_equal("", differences(before))
    device:advance(62)
    assert.equal("", differences(before))
  end)

  it("is made on a pair only if it is in sync, and on the active unit", function()
    local a, b, x, y <const> = paired.start()
    paired.join(a, b)
    paired.make_group(x)
    x.ltm.pool["/Common/old"]:create {}
    place:file("playbook.lua", HEAD .. 'bip.ltm.pool["/Common/old"]:modify { description = "is" }')
    local function on(one, words)
      return program.run(words, { env = lab.environment(one), directory = place.path })
    end
    paired.sync(x)
    paired.in_sync(x, y)
    local active, standby = a, b
    if x:failover_state() ~= "active" then active, standby = b, a end
    assert.equal(0, on(standby, { "plan", "-o", "pair.plan", "playbook.lua" }).status)
    local refused = on(standby, { "apply", "pair.plan", "--confirm", "1m" })
    assert.equal(3, refused.status, refused.out)
    assert.matches("nothing was sent: the device is standby", refused.err)
    lab.connect(active).ltm.pool["/Common/other"]:create {}
    assert.equal(0, on(active, { "plan", "-o", "pair.plan", "playbook.lua" }).status)
    refused = on(active, { "apply", "pair.plan", "--confirm", "1m" })
    assert.matches("nothing was sent: the device is not in sync with its group", refused.err)
    lab.stop(x, y, a, b)
  end)

  it("is verified by a playbook, and taken back at once if that fails", function()
    local before <const> = objects()
    place:file("good.lua", HEAD .. 'assert(bip.ltm.pool["/Common/new"]:exists())\n')
    place:file("bad.lua", HEAD .. 'error("the shop is closed", 0)\n')
    plan(CHANGES[1])
    local bad <const> = run { "apply", "change.plan", "--verify", "bad.lua" }
    assert.equal(1, bad.status, bad.out)
    assert.matches("the verification failed: the device takes the change back\n"
      .. "the change is taken back", bad.out)
    assert.matches("the shop is closed", bad.err)
    assert.equal("", differences(before))
    local _, out <const> = apply("--verify", "good.lua")
    assert.matches("the verification passed\nthe change is confirmed\n", out)
    assert.equal("", left_on_device())
    assert.not_equal("", differences(before))
    local missing <const> = run { "apply", "change.plan", "--verify", "none.lua" }
    assert.equal(2, missing.status)
  end)

  it("is taken back at once when a step fails", function()
    local before <const> = objects()
    plan [[
bip.ltm.pool["/Common/old"]:modify { description = "is" }
bip.auth.partition["/T"]:create {}
bip.ltm.node["/Common/10.0.0.2"]:modify { description = "two" }
]]
    device:fault { match = { method = "PATCH", path = "10.0.0.2" }, kind = "validation" }
    local done <const> = run { "apply", "change.plan", "--confirm", "5m" }
    assert.equal(3, done.status, done.out)
    assert.matches("the change is not complete: the device takes the change back\n"
      .. "the change is taken back", done.out)
    assert.equal("", differences(before))
  end)

  it("goes back when the network is lost, and says what is not known", function()
    local before <const> = objects()
    plan [[
bip.ltm.pool["/Common/old"]:modify { description = "is" }
bip.auth.partition["/T"]:create {}
bip.ltm.node["/Common/10.0.0.2"]:modify { description = "two" }
]]
    device:fault { match = { method = "PATCH", path = "10.0.0.2" }, reset = true, times = 50 }
    device:fault { match = { path = "icall" }, reset = true, times = 500, after = 8 }
    local done <const> = run { "apply", "change.plan", "--confirm", "1m" }
    assert.equal(3, done.status, done.out)
    assert.matches("it is not certain that the change is taken back", done.out)
    assert.matches("takes the change back by itself in %d+ %a+:", done.out)
    device:clear_faults()
    device:advance(500)
    assert.equal("", differences(before))
  end)

  it("goes back although it cut off the management access", function()
    plan [[
bip.sys.httpd:modify { allow = { "192.0.2.0/24", "198.51.100.7" } }
bip.auth.partition["/T"]:create {}
]]
    local done <const> = run { "apply", "change.plan", "--confirm", "1m" }
    assert.equal(3, done.status, done.out)
    assert.matches("takes the change back by itself in %d+ %a+:", done.out)
    assert.equal("forbidden", lab.failure(bip.sys.httpd.load, bip.sys.httpd).kind)
    device:advance(60)
    assert.same({ "All" }, bip.sys.httpd:load().allow)
    assert.is_false(bip.auth.partition["/T"]:exists())
  end)

  it("is decided once, by whoever is first", function()
    plan(CHANGES[1])
    local id <const> = apply("--confirm", "1m")
    device:fault {
      match = { method = "GET", path = "handler/periodic/" }, delay_ms = 1500, after = 1,
    }
    device:clear_log()
    local words <const> = { "confirm", id }
    local first <const> = program.start(words, { env = environment() })
    lab.arrived(device, "POST", "icall/script")
    device:advance(61) -- the timer runs between the answer and its removal
    local done <const> = first:wait()
    assert.equal(0, done.status, done.err)
    assert.is_true(bip.ltm.pool["/Common/new"]:exists())
    device:advance(600)
    assert.is_true(bip.ltm.pool["/Common/new"]:exists())
    assert.equal("", left_on_device())
  end)

  it("is not confirmed if the device does not take the answer", function()
    local before <const> = objects()
    plan(CHANGES[1])
    local id <const> = apply("--confirm", "1m")
    device:fault {
      match = { method = "POST", path = "icall/script$" }, status = 403, times = 9,
      body = { code = 403, message = "no answers today" },
    }
    local refused <const> = run { "confirm", id }
    assert.same({ 3, "" }, { refused.status, refused.out })
    assert.matches("no answers today", refused.err)
    device:clear_faults()
    device:advance(70)
    assert.equal("", differences(before))
  end)

  it("is taken back by hand, or forgotten", function()
    local before <const> = objects()
    plan(CHANGES[1])
    local id <const> = apply("--confirm", "1h")
    local done <const> = run { "confirm", "--take-back" }
    assert.equal(0, done.status, done.err)
    assert.matches("^the change " .. id:gsub("%-", "%%-") .. ": taken back", done.out)
    assert.equal("", differences(before))
    apply("--confirm", "1h")
    local listed <const> = json.decode(run({ "confirm", "--list", "--output", "json" }).out)
    assert.equal(0, run({ "confirm", "--forget", listed[#listed].id }).status)
    device:advance(7200)
    assert.not_equal("", differences(before))
  end)

  it("saves the configuration only when it is confirmed", function()
    plan(CHANGES[1])
    device:clear_log()
    local _, out <const> = apply("--confirm", "5m", "--save")
    assert.matches("the configuration is saved when the change is confirmed", out)
    local function saves()
      local count = 0
      for _, call in ipairs(device:log()) do
        if call.path == "/mgmt/tm/sys/config" then count = count + 1 end
      end
      return count
    end
    assert.equal(0, saves())
    assert.matches("the configuration is saved", run({ "confirm" }).out)
    assert.equal(1, saves())
  end)

  it("needs good options", function()
    plan(CHANGES[1])
    for _, words in ipairs {
      { "apply", "change.plan", "--confirm", "10s" }, { "apply", "change.plan", "--confirm", "0" },
      { "confirm", "--list", "--take-back" }, { "confirm", "--forget" },
      { "confirm", "--output", "json" },
    } do
      assert.equal(2, run(words).status, table.concat(words, " "))
    end
    assert.equal("", left_on_device())
    local none <const> = run { "confirm" }
    assert.equal(3, none.status)
    assert.matches("no change waits for a confirmation", none.err)
    assert.matches("^no change waits", run({ "confirm", "--list" }).out)
  end)
end)
