-- f5lua run --confirm and --verify: an unmodified playbook, and a device that takes its changes
-- back by itself.
local lab = require "lab"
local program = require "program"

local HEAD <const> = 'local f5 = require "f5"\nlocal bip <close> = f5.connect {}\n'

local CHANGE <const> = [[
local pool = bip.ltm.pool["/Common/web"]
pool:modify {
  description = "changed at " .. os.clock(), members = { { name = "10.0.0.1:80", ratio = 2 } },
}
bip.auth.partition["/T"]:ensure {}
bip.ltm.pool["/T/new"]:ensure { members = f5.array { "10.0.0.9:80" } }
print(bip.ltm.pool["/T/new"]:exists(), pool:load().description ~= nil)
]]

local CHANGING <const> = { generation = true, _own = true, vsIndex = true }

-- Writes another pool each time that it runs.
local OTHER <const> = [[
local path = "%s/count"
local file = io.open(path, "a")
file:write "x"
file:close()
local text = io.open(path):read "a"
]]

describe("S7 a playbook whose changes must be confirmed", function()
  local device, bip, place

  before_each(function()
    device, bip = lab.start()
    place = program.directory()
    bip.ltm.pool["/Common/web"]:create { members = { { name = "10.0.0.1:80" } } }
  end)
  after_each(function() lab.stop(bip, device, place) end)

  local function environment(more)
    local env = lab.environment(device, more)
    env.XDG_STATE_HOME = env.XDG_STATE_HOME or place.path
    return env
  end

  local function run(words, more)
    return program.run(words, {
      env = environment(more), directory = place.path, timeout = 150,
    })
  end

  local function playbook(text) return place:file("playbook.lua", HEAD .. text) end

  -- All objects but those of iCall, as one text.
  local function objects()
    local json <const> = require "f5.json"
    local lines = {}
    for path, object in pairs(device:state().objects.items) do
      if not path:find "/sys/icall/" and not path:find "/cm/" then
        local copy = {}
        for key, value in pairs(object) do
          if not CHANGING[key] and not key:find "Time$" then copy[key] = value end
        end
        lines[#lines + 1] = path .. " " .. json.encode(copy, { sort = true })
      end
    end
    table.sort(lines)
    return table.concat(lines, "\n")
  end

  local function left_on_device()
    local names = {}
    for one in bip.sys.icall.script:each() do names[#names + 1] = one.fullPath end
    for one in bip.sys.icall.handler.periodic:each() do names[#names + 1] = one.fullPath end
    return table.concat(names, " ")
  end

  local function id_of(out) return out:match "armed: %S+ takes the change (%S+) back", out end

  it("is checked, runs, and is taken back by the device unless it is confirmed", function()
    local before <const> = objects()
    playbook(CHANGE)
    local done = run { "run", "--confirm", "1m", "playbook.lua" }
    assert.equal(0, done.status, done.err .. done.out)
    local _, runs <const> = done.out:gsub("true\ttrue\n", "")
    assert.equal(2, runs)
    assert.matches("nothing was written.*armed: .*\nrun\n.*confirm within 1 minute: ", done.out)
    assert.is_nil(done.out:find("not as planned", 1, true))
    assert.is_true(bip.ltm.pool["/T/new"]:exists())
    device:advance(70)
    assert.equal(before, objects())
    done = run { "run", "--confirm", "1m", "playbook.lua" }
    assert.equal(0, done.status, done.err .. done.out)
    assert.equal(0, run({ "confirm", (id_of(done.out)) }).status)
    device:advance(3600)
    assert.is_true(bip.ltm.pool["/T/new"]:exists())
    assert.equal(0, run({ "undo", "last" }).status) -- it has a change record
    assert.is_false(bip.ltm.pool["/T/new"]:exists())
  end)

  it("is verified: taken back at once, or confirmed and saved as the playbook wants", function()
    place:file("good.lua", HEAD .. 'assert(bip.ltm.pool["/T/new"]:exists())\n')
    place:file("bad.lua", HEAD .. 'error("the shop is closed", 0)\n')
    playbook(CHANGE .. 'assert(bip.sys.config:run("save").command == "save")\n')
    local before <const> = objects()
    local function saves()
      local count = 0
      for _, call in ipairs(device:log()) do
        if call.path == "/mgmt/tm/sys/config" then count = count + 1 end
      end
      return count
    end
    device:clear_log()
    local bad <const> = run { "run", "--verify", "bad.lua", "playbook.lua" }
    assert.equal(1, bad.status, bad.out)
    assert.matches("the verification failed: the device takes the change back\n"
      .. "the change is taken back\n%d objects were read: all is as before\n$", bad.out)
    assert.matches("the shop is closed", bad.err)
    assert.same({ before, 0 }, { objects(), saves() })
    local good <const> = run { "run", "--verify", "good.lua", "playbook.lua" }
    assert.equal(0, good.status, good.out .. good.err)
    assert.matches("the verification passed\nthe change is confirmed\n"
      .. "the configuration is saved\n$", good.out)
    assert.same({ "", 1 }, { (left_on_device():gsub("%S+_answer", "")), saves() })
    assert.equal(2, run({ "run", "--verify", "none.lua", "playbook.lua" }).status)
  end)

  it("sends no write that the check did not see, also if the playbook goes on", function()
    local before <const> = objects()
    for what, text in pairs {
      ["another name"] = 'bip.ltm.pool["/Common/n" .. #text]:create {}',
      ["another value"] = "web:modify { minActiveMembers = #text }",
      ["another property"] =
        'web:modify { [#text == 1 and "queueDepthLimit" or "queueTimeLimit"] = 5 }',
      ["more writes"] = "for n = 1, #text do web:modify { minActiveMembers = n } end",
      ["a command"] = 'if #text > 1 then bip:bash "touch /tmp/x" end',
      ["another device"] =
        "if #text > 1 then f5.connect { host = 'localhost' }.ltm.pool['/Common/q']:create {} end",
    } do
      os.remove(place.path .. "/count")
      playbook(OTHER:format(place.path)
        .. 'local web = bip.ltm.pool["/Common/web"]\nbip.ltm.pool["/Common/a"]:create {}\n'
        .. "pcall(function() " .. text .. " end)\n"
        .. 'pcall(function() bip.ltm.pool["/Common/web"]:delete() end)\n')
      local done <const> = run { "run", "--confirm", "5m", "playbook.lua" }
      assert.equal(3, done.status, what .. done.out .. done.err)
      assert.matches("playbook.lua:%d+: not sent: the check did not see this write", done.err)
      assert.matches("the change is not complete: the device takes the change back\n"
        .. "the change is taken back", done.out)
      assert.equal(before, objects(), what)
    end
  end)

  it("may try what the device refuses, and use transactions and fibers", function()
    playbook [[
pcall(function() bip.ltm.pool["/Common/web"]:create {} end)
bip:transaction(function(tx)
  tx(bip.ltm.pool["/Common/one"]):create {}
  tx(bip.ltm.pool["/Common/web"]):modify { minActiveMembers = 1 }
end)
f5.all { function() bip.ltm.node["/Common/n1"]:create { address = "10.1.1.1" } end,
  function() bip.ltm.node["/Common/n2"]:create { address = "10.1.1.2" } end }
]]
    local before <const> = objects()
    local done <const> = run { "run", "--confirm", "1m", "playbook.lua" }
    assert.equal(0, done.status, done.err .. done.out)
    assert.is_true(bip.ltm.node["/Common/n2"]:exists())
    device:advance(70)
    assert.equal(before, objects())
  end)

  it("starts again after the check, with fresh modules and globals", function()
    place:file("shared.lua", 'count = (count or 0) + 1\nreturn { bip = require "f5".connect {} }\n')
    place:file("playbook.lua", 'local shared = require "shared"\nprint("count", count)\n'
      .. 'shared.bip.ltm.pool["/Common/web"]:modify { minActiveMembers = 1 }\n')
    local done <const> = run { "run", "--confirm", "1m", "playbook.lua" }
    assert.equal(0, done.status, done.err .. done.out)
    assert.matches("count\t1\n.*count\t1\n", done.out)
    assert.equal(1, bip.ltm.pool["/Common/web"]:load().minActiveMembers)
  end)

  it("is refused before the first write if the device could not take it back", function()
    local before <const> = objects()
    for text, reason in pairs {
      ['bip.sys.provision.gtm:modify { level = "nominal" }\n'] = "provisioning",
      ['bip.ltm.pool["/Common/web"]:modify { minActiveMembers = 1 }\nbip:bash "reboot"\n'] =
        "not simulated",
      ['bip.ltm.pool["/Common/web"]:modify { nonsense = 1 }\n'] = "unknown property",
      ['bip.ltm.pool["/Common/web"]:modify { minActiveMembers = 1 }\nerror "no"\n'] = "no",
    } do
      playbook(text)
      local done <const> = run { "run", "--confirm", "1m", "playbook.lua" }
      assert.not_equal(0, done.status)
      assert.matches(reason, done.err)
      assert.same({ before, "" }, { objects(), left_on_device() })
    end
  end)

  it("is refused if somebody changes the device between the check and the run", function()
    playbook 'bip.ltm.pool["/Common/web"]:modify { minActiveMembers = 1 }\n'
    device:fault { match = { method = "PATCH", path = "^/mgmt/tm/transaction" }, delay_ms = 1500 }
    device:clear_log()
    local running <close> = program.start(
      { "run", "--confirm", "1m", place.path .. "/playbook.lua" }, { env = environment() }
    )
    lab.arrived(device, "PATCH", "^/mgmt/tm/transaction")
    bip.ltm.pool["/Common/web"]:modify { minActiveMembers = 7 }
    local done <const> = running:wait()
    assert.equal(3, done.status, done.out .. done.err)
    assert.matches("nothing was sent: /mgmt/tm/ltm/pool/~Common~web has changed since the check",
      done.err)
    assert.equal("", left_on_device())
    assert.equal(7, bip.ltm.pool["/Common/web"]:load().minActiveMembers)
  end)

  it("is taken back at once if the playbook fails, or ends with os.exit and a status", function()
    local before <const> = objects()
    playbook(OTHER:format(place.path) .. CHANGE .. "if #text == 2 then os.exit(4) end\n")
    local done = run { "run", "--confirm", "5m", "playbook.lua" }
    assert.equal(4, done.status, done.err .. done.out)
    assert.matches("the change is taken back\n%d objects were read: all is as before\n$", done.out)
    assert.equal(before, objects())
    playbook(CHANGE .. "os.exit(0)\n")
    done = run { "run", "--confirm", "5m", "playbook.lua" }
    assert.equal(0, done.status, done.err .. done.out)
    assert.matches("confirm within 5 minutes", done.out)
    assert.equal(0, run({ "confirm", "--take-back" }).status)
    assert.equal(before, objects())
    playbook(CHANGE)
    device:fault { match = { method = "POST", path = "ltm/pool$" }, kind = "validation" }
    done = run { "run", "--confirm", "5m", "playbook.lua" }
    assert.equal(3, done.status, done.err .. done.out)
    assert.matches("the change is taken back\n%d objects were read: all is as before\n$", done.out)
    assert.equal(before, objects())
  end)

  it("is taken back when f5lua is killed at any of its writes", function()
    local before <const> = objects()
    playbook(CHANGE)
    for _, where in ipairs {
      -- the validation of the check has sent the first one before
      { "PATCH", "pool/~Common~web$", true, 1 }, { "POST", "auth/partition$", false, 0 },
      { "POST", "auth/partition$", true, 0 }, { "POST", "ltm/pool$", true, 0 },
      { "PATCH", "handler/periodic", true, 0 },
    } do
      device:clear_faults()
      device:fault { match = { method = where[1], path = where[2] }, delay_ms = 600000,
        act = where[3] or nil, status = not where[3] and 503 or nil, after = where[4] }
      device:clear_log()
      local running <const> = program.start(
        { "run", "--confirm", "1m", place.path .. "/playbook.lua" }, { env = environment() }
      )
      lab.arrived(device, where[1], where[2], where[4] + 1)
      running:kill(9)
      running:wait()
      device:clear_faults()
      for _ = 1, 20 do
        if not bip.sys.icall.handler.periodic["/Common/f5lua_confirm"]:exists() then break end
        device:advance(65)
      end
      assert.equal(before, objects(), where[2])
    end
  end)

  it("says that nothing was sent if the device does not accept the script or the timer", function()
    local before <const> = objects()
    playbook(CHANGE)
    for _, path in ipairs { "icall/script$", "handler/periodic$" } do
      device:fault { match = { method = "POST", path = path }, kind = "validation" }
      local done <const> = run { "run", "--confirm", "1m", "playbook.lua" }
      assert.equal(3, done.status, done.out)
      assert.matches("nothing was sent: the device does not accept what takes the change back",
        done.err)
      assert.same({ before, "" }, { objects(), left_on_device() })
    end
  end)

  it("is taken back if the change record cannot be written", function()
    local before <const> = objects()
    playbook(CHANGE)
    place:file("no_folder", "")
    local done <const> = run({ "run", "--confirm", "5m", "playbook.lua" },
      { XDG_STATE_HOME = place.path .. "/no_folder" })
    assert.equal(1, done.status, done.err .. done.out)
    assert.matches("the change is taken back\n%d objects were read: all is as before\n$", done.out)
    assert.equal(before, objects())
  end)

  -- What happens between the first write and the second one, 3 s later.
  local function meanwhile(what)
    playbook [[
bip.ltm.pool["/Common/web"]:modify { minActiveMembers = 1 }
f5.sleep(3)
bip.ltm.pool["/Common/web"]:modify { minActiveMembers = 2 }
]]
    device:clear_log()
    local running <close> = program.start(
      { "run", "--confirm", "1m", place.path .. "/playbook.lua" }, { env = environment() }
    )
    running:expect "\nrun\n"
    lab.wait("the first write", function()
      return bip.ltm.pool["/Common/web"]:load().minActiveMembers == 1
    end)
    what()
    return running:wait()
  end

  it("sends nothing more when the clock of the device has jumped over the time", function()
    local before <const> = objects()
    local done <const> = meanwhile(function() device:advance(600) end)
    assert.equal(3, done.status, done.err .. done.out)
    assert.matches("not sent: ", done.err)
    for _ = 1, 10 do device:advance(65) end
    assert.equal(before, objects())
  end)

  it("goes on when the services of the device restart meanwhile", function()
    local done <const> = meanwhile(function() device:restart { seconds = 1 } end)
    assert.equal(0, done.status, done.err .. done.out)
    assert.equal(2, bip.ltm.pool["/Common/web"]:load().minActiveMembers)
    device:advance(70)
    assert.equal(0, bip.ltm.pool["/Common/web"]:load().minActiveMembers)
  end)

  it("works for playbooks without a subcommand, and for packed programs", function()
    local before <const> = objects()
    playbook(CHANGE)
    local done = run({ "playbook.lua" }, { F5LUA_CONFIRM = "1m" })
    assert.equal(0, done.status, done.err .. done.out)
    assert.equal(0, run({ "confirm", "--take-back", (id_of(done.out)) }).status)
    assert.equal(before, objects())
    assert.equal(0, run({ "build", "playbook.lua", "-o", "packed" }).status)
    done = program.run({}, {
      env = environment { F5LUA_CONFIRM = "1m" }, directory = place.path,
      program = place.path .. "/packed",
    })
    assert.equal(0, done.status, done.err .. done.out)
    device:advance(70)
    assert.equal(before, objects())
    place:file("bad.lua", 'error("closed", 0)\n')
    done = program.run({}, {
      env = environment { F5LUA_VERIFY = "bad.lua" }, directory = place.path,
      program = place.path .. "/packed",
    })
    assert.equal(1, done.status, done.err .. done.out)
    assert.equal(before, objects())
    for _, more in ipairs {
      { F5LUA_CONFIRM = "10s" }, { F5LUA_CONFIRM = "1m", F5LUA_CHECK = "1" },
    } do
      assert.equal(2, run({ "playbook.lua" }, more).status)
    end
  end)

  it("runs on the devices of an inventory: all of them, or none", function()
    local second <const>, other <const> = lab.start()
    local devices = {}
    for name, one in pairs { a = device, b = second } do
      local options <const> = one:options "admin"
      devices[#devices + 1] = ("{ name = %q, host = %q, port = %d, username = 'admin', "
        .. "password = 'admin', verify = false }"):format(name, options.host, options.port)
    end
    place:file("inventory.lua", "return { devices = { " .. table.concat(devices, ", ") .. " } }")
    place:file("playbook.lua", [[
bip.ltm.node["/Common/n"]:create { address = "10.7.7.7" }
bip.ltm.pool["/Common/fleet"]:create {}
]])
    local words <const> = {
      "run", "--inventory", "inventory.lua", "--confirm", "5m", "--report", "report.json",
      "playbook.lua",
    }
    local function pools()
      return { bip.ltm.pool["/Common/fleet"]:exists(), other.ltm.pool["/Common/fleet"]:exists(),
        bip.ltm.node["/Common/n"]:exists(), other.ltm.node["/Common/n"]:exists() }
    end
    local done = run(words)
    assert.equal(0, done.status, done.err .. done.out)
    assert.same({ true, true, true, true }, pools())
    assert.matches('"ok": *true', place:read "report.json")
    for _, one in ipairs { device, second } do one:advance(310) end
    assert.same({ false, false, false, false }, pools())
    -- the first one only asks for a validation
    second:fault { match = { method = "POST", path = "ltm/pool$" }, kind = "validation", after = 1 }
    done = run(words)
    assert.equal(1, done.status, done.err .. done.out)
    local _, times <const> = done.out:gsub("%a: the change is taken back\n", "")
    assert.equal(2, times, done.out)
    assert.same({ false, false, false, false }, pools())
    -- one device cannot take it back: nothing is armed on the other
    place:file("playbook.lua", [[
if device.name == "b" then bip.sys.provision.gtm:modify { level = "nominal" } end
if device.name == "a" then bip.ltm.pool["/Common/fleet"]:create {} end
]])
    done = run(words)
    assert.equal(3, done.status, done.out)
    assert.matches("provisioning", done.err)
    assert.same({ false, false, false, false }, pools())
    lab.stop(other, second)
  end)

  it("may wait, with --slow longer than the time for the confirmation", function()
    playbook(([[
bip.ltm.pool["/Common/web"]:modify { minActiveMembers = 1 }
f5.sleep(%d)
bip.ltm.pool["/Common/web"]:modify { minActiveMembers = 2 }
]]):format(lab.slow and 80 or 1))
    local done <const> = run { "run", "--confirm", "1m", "playbook.lua" }
    assert.equal(0, done.status, done.err .. done.out)
    assert.equal(2, bip.ltm.pool["/Common/web"]:load().minActiveMembers)
  end)

  it("needs good options", function()
    playbook(CHANGE)
    for _, words in ipairs {
      { "--confirm", "5s" }, { "--confirm", "1m", "--check" }, { "--confirm", "1m", "--sim" },
      { "--verify", "none.lua" }, { "--confirm", "1m", "--canary", "1" },
    } do
      assert.equal(2, run({ "run", table.unpack(words), "playbook.lua" }).status)
    end
  end)
end)
