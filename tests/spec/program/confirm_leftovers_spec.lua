-- What f5lua leaves on a device for a change that must be confirmed is gone when the change is
-- over, however it ended.
local configuration = require "devices.configuration"
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"
local transactions = require "transactions"

local HEAD <const> = 'local f5 = require "f5"\nlocal bip <close> = f5.connect {}\n'
local HANDLERS <const> = "sys/icall/handler/periodic"
local SCRIPTS <const> = "sys/icall/script"
local PARTITIONS <const> = "^/mgmt/tm/auth/partition"

describe("S7 a change that must be confirmed leaves nothing behind", function()
  local device, place, bip, before, files

  -- The files of the device, without its logs.
  local function disk()
    local list = {}
    for path, file in pairs(device:state().disk) do
      if not path:find "^/var/log/" then list[path] = file.text or file.size or true end
    end
    return list
  end

  local made

  setup(function()
    device, bip = lab.start()
    place = program.directory()
    bip.ltm.pool["/Common/old"]:create { description = "was" }
    bip.auth.user:create {
      name = "ida", password = "S3cret-ida",
      ["partition-access"] = { { name = "all-partitions", role = "irule-manager" } },
    }
    before, files = configuration.objects(device), disk()
  end)
  teardown(function() lab.stop(bip, device, place) end)
  after_each(function() device:clear_faults() end)

  local function environment(more)
    local env = lab.environment(device, more)
    env.XDG_STATE_HOME = place.path
    return env
  end

  local function run(words, more)
    return program.run(words, { env = environment(more), directory = place.path })
  end

  local CHANGE <const> = [[
bip.ltm.pool["/Common/old"]:modify { description = "is" }
bip.auth.partition["/T"]:create {}
]]

  -- Each test leaves the device as it was, so the same plan serves again.
  local function plan(text)
    text = text or CHANGE
    if made == text then return end
    place:file("playbook.lua", HEAD .. text)
    local done <const> = run { "plan", "-o", place.path .. "/change.plan", "playbook.lua" }
    assert.equal(0, done.status, done.err .. done.out)
    made = text
  end

  local function apply(...)
    return { "apply", place.path .. "/change.plan", "--confirm", "1m", ... }
  end

  local KINDS <const> = { "script", "handler/periodic", "handler/perpetual", "handler/triggered" }

  -- Objects of iCall, also of other kinds than f5lua makes.
  local function icall()
    local names = {}
    for _, kind in ipairs(KINDS) do
      for one in bip:at("sys/icall/" .. kind):each() do names[#names + 1] = one.name end
    end
    table.sort(names)
    return table.concat(names, " ")
  end

  -- Nothing is left, and the device is as it was.
  local function is_clean()
    assert.equal("", icall())
    assert.same(files, disk())
    assert.equal(0, transactions.pending(device))
    assert.equal("", configuration.differences(device, before))
  end

  -- Starts apply, and stops it by a signal when this call has arrived, which is never answered.
  local function stopped(signal, method, path, act)
    device:fault {
      match = { method = method, path = path }, delay_ms = 600000, act = act or nil, status = 503,
    }
    device:clear_log()
    local running <close> = program.start(apply "--yes", { env = environment() })
    lab.arrived(device, method, path)
    running:kill(signal)
    running:wait(20)
    device:clear_faults()
  end

  it("after it is confirmed", function()
    plan()
    assert.equal(0, run(apply()).status)
    assert.not_equal("", icall())
    assert.equal(0, run({ "confirm", "--save" }).status)
    assert.equal("", icall())
    assert.equal("is", bip.ltm.pool["/Common/old"]:load().description)
    bip.ltm.pool["/Common/old"]:modify { description = "was" }
    bip.auth.partition["/T"]:delete()
    device:advance(600)
    is_clean()
  end)

  it("after the device took it back, once somebody has asked", function()
    plan()
    assert.equal(0, run(apply()).status)
    device:advance(120)
    -- what says that it was taken back; it does nothing
    assert.matches("^f5lua_confirm_%d+%-%d+%-%x+_answer$", icall())
    assert.matches("  taken back  ", run({ "confirm", "--list" }).out)
    local late <const> = run { "confirm" }
    assert.equal(3, late.status)
    assert.matches("too late: the device has taken the change back", late.err)
    is_clean()
    assert.matches("no change waits", run({ "confirm" }).err)
  end)

  it("after the next change that must be confirmed", function()
    plan()
    assert.equal(0, run(apply()).status)
    device:advance(120)
    assert.equal(0, run(apply()).status)
    assert.is_nil(icall():find "_answer")
    assert.equal(0, run({ "confirm", "--take-back" }).status)
    is_clean()
  end)

  it("after a verification or a step failed", function()
    plan()
    place:file("bad.lua", 'error("closed", 0)')
    assert.equal(1, run(apply("--verify", "bad.lua")).status)
    is_clean()
    device:fault { match = { method = "POST", path = PARTITIONS }, kind = "validation" }
    assert.equal(3, run(apply()).status)
    device:clear_faults()
    is_clean()
  end)

  for what, fault in pairs {
    ["the timer"] = { method = "POST", path = HANDLERS },
    ["the script"] = { method = "POST", path = SCRIPTS },
    ["a look at what it keeps"] = { method = "GET", path = HANDLERS .. "/", after = 1 },
  } do
    it("after the device refused " .. what, function()
      plan()
      local after <const> = fault.after
      device:fault {
        match = { method = fault.method, path = fault.path }, after = after, status = 400,
        body = { code = 400, message = "01070000:3: no" },
      }
      local done <const> = run(apply())
      assert.equal(3, done.status, done.out)
      assert.matches("nothing was sent", done.err)
      device:clear_faults()
      is_clean()
    end)
  end

  it("after it could not be seen who else saves the configuration", function()
    plan()
    device:fault {
      match = { method = "GET", path = "cm/device%-group" }, status = 400, times = 9,
      body = { code = 400, message = "01070000:3: no" },
    }
    local done <const> = run(apply())
    assert.equal(3, done.status, done.out)
    device:clear_faults()
    is_clean()
  end)

  it("on a fleet of which one device refuses it", function()
    local other <close> = sim.start { hostname = "other.example.net" }
    local lines = {}
    for i, one in ipairs { device, other } do
      lines[i] = ("{ name = 'd%d', host = '127.0.0.1', port = %d, ca = %q, username = 'admin', "
        .. "password = 'admin' }"):format(i, one.port, one.ca)
    end
    place:file("sites.lua", "return { devices = { " .. table.concat(lines, ", ") .. " } }")
    place:file("fleet.lua", 'bip.ltm.pool["/Common/new"]:create {}\n')
    other:fault {
      match = { method = "POST", path = HANDLERS }, status = 400, times = 9,
      body = { code = 400, message = "01070000:3: no" },
    }
    local done <const> = run { "run", "--inventory", "sites.lua", "--confirm", "1m", "fleet.lua" }
    assert.equal(3, done.status, done.err .. done.out)
    assert.matches("nothing was sent", done.err)
    is_clean()
  end)

  it("after the user might not arm it", function()
    plan 'bip.ltm.pool["/Common/old"]:modify { description = "is" }\n'
    local done <const> = run(apply(), { F5_USER = "ida", F5_PASSWORD = "S3cret-ida" })
    assert.equal(3, done.status, done.out)
    is_clean()
  end)

  it("after another change was refused, which leaves the first one alone", function()
    plan()
    assert.equal(0, run(apply()).status)
    local waiting <const> = icall()
    plan 'bip.ltm.pool["/Common/new"]:create {}\n'
    assert.equal(3, run(apply()).status)
    assert.equal(waiting, icall())
    assert.equal(0, run({ "confirm", "--take-back" }).status)
    is_clean()
  end)

  for _, signal in ipairs { "INT", "KILL" } do
    for where, call in pairs {
      ["the script, which was made"] = { "POST", SCRIPTS .. "$", true },
      ["the script, which was not made"] = { "POST", SCRIPTS .. "$", false },
      ["the timer, which was made"] = { "POST", HANDLERS .. "$", true },
      ["the timer, which was not made"] = { "POST", HANDLERS .. "$", false },
      ["a write, which was made"] = { "POST", PARTITIONS, true },
      ["a write, which was not made"] = { "POST", PARTITIONS, false },
      ["the last move of the timer"] = { "PATCH", HANDLERS .. "/", true },
    } do
      it(("after SIG%s at %s"):format(signal, where), function()
        plan()
        stopped(signal, table.unpack(call))
        if icall() ~= "" then -- somebody looks, before or after the device's own revert
          if call[1] == "POST" and call[2] == PARTITIONS then device:advance(600) end
          if call[1] == "PATCH" then device:advance(600) end
          local asked <const> = run { "confirm" }
          assert.is_true(asked.status == 0 or asked.status == 3, asked.err)
        end
        is_clean()
      end)
    end
  end
end)
