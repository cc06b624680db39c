-- What goes wrong with declarations of AS3 on the simulated device: the error object, what the
-- program prints, and its exit status.
local json = require "f5.json"
local lab = require "lab"
local program = require "program"
local terminal = require "terminal"

local AS3 <const> = "/mgmt/shared/appsvcs"
local DECLARE <const> = AS3 .. "/declare"

local device, place, bip

local function start(extensions)
  device, bip = lab.start({ extensions = extensions }, { retries = lab.RETRIES })
  place = lab.scratch()
end
after_each(function() lab.stop(bip, device, place) end)

local function tenant(address, more)
  local pool = {
    class = "Pool", members = { { servicePort = 80, serverAddresses = { address } } },
  }
  for name, value in pairs(more or {}) do pool[name] = value end
  return { class = "Tenant", A = { class = "Application", p = pool } }
end

local function adc(tenants)
  local body = { class = "ADC", schemaVersion = "3.50.0", id = "ours" }
  for name, value in pairs(tenants) do body[name] = value end
  return json.encode(body, { sort = true })
end

local GOOD <const> = adc { Blue = tenant "192.0.2.1" }
-- One of three fails, with the words of the device.
local PARTIAL <const> = adc {
  Blue = tenant "192.0.2.1",
  Green = tenant("192.0.2.2", { monitors = { { bigip = "/Common/x" } } }),
  Red = tenant "192.0.2.3",
}
local SCHEMA <const> = adc { Blue = tenant("192.0.2.1", { loadBalancingMode = "fast" }) }

local function options()
  return {
    directory = place.path, timeout = 60,
    env = lab.environment(device, { XDG_STATE_HOME = place.path .. "/state" }),
  }
end

local function fails(status, pattern, words)
  local result <const> = program.run(words, options())
  assert.equal(status, result.status, result.err .. result.out)
  assert.matches(pattern, result.err)
  return result
end

local function declare_fails(text, given)
  return lab.fails("declaration", bip.declare, bip, text, given)
end

-- The requests that the device got, by method and path.
local function count(method, path)
  local found = 0
  for _, call in ipairs(device:log()) do
    if call.method == method and call.path:find(path) then found = found + 1 end
  end
  return found
end

local function has(name) return bip:at("/mgmt/tm/ltm/pool/~" .. name .. "~A~p"):exists() end

describe("D1 a declaration that fails on the device", function()
  before_each(function() start { "as3" } end)

  it("says which tenants failed, why, and which ones did not", function()
    local err <const> = declare_fails(PARTIAL)
    local WHY <const> = "01020036:3: The requested monitor (/Common/x) was not found."
    assert.equal("AS3: 1 of 3 results failed\nBlue: success\nGreen: declaration failed (422): "
      .. WHY .. "\nRed: success", err.message)
    assert.same({ "Blue", "Green", "Red" },
      { err.results[1].tenant, err.results[2].tenant, err.results[3].tenant })
    assert.same({ 200, 422, 200 }, { err.results[1].code, err.results[2].code,
      err.results[3].code })
    assert.equal(WHY, err.results[2].response)
    assert.is_nil(err.outcome)
    assert.same({ true, false, true }, { has "Blue", has "Green", has "Red" })
    place:file("app.json", PARTIAL)
    local result <const> = fails(3, "^f5lua: AS3: 1 of 3 results failed\n  | Blue: no change\n"
      .. "  | Green: declaration failed %(422%): 01020036:3: .-\n  | Red: no change\n",
      { "declare", "app.json", "-o", "jsonl" })
    local rows = {}
    for line in result.out:gmatch "[^\n]+" do rows[#rows + 1] = json.decode(line) end
    assert.same({ true, false, true }, { rows[1].ok, rows[2].ok, rows[3].ok })
    assert.same({ "Green", 422, WHY }, { rows[2].tenant, rows[2].code, rows[2].response })
    assert.equal("", fails(3, "1 of 3", { "declare", "app.json", "-o", "text" }).out)
    local yaml <const> = fails(3, "1 of 3", { "declare", "app.json", "-o", "yaml" }).out
    assert.matches("tenant: Green\n.*ok: false", yaml)
  end)

  it("names the path of a mistake that the schema finds, and nothing was touched", function()
    local err <const> = declare_fails(SCHEMA)
    assert.matches("^AS3 refused the declaration and changed nothing\nBlue: declaration is invalid "
      .. "%(422%): /Blue/A/p/loadBalancingMode: should be equal to one of the allowed values",
      err.message)
    assert.matches("^/Blue/A/p/loadBalancingMode: ", err.results[1].errors[1])
    assert.is_false(has "Blue")
    place:file("app.json", SCHEMA)
    local result <const> = fails(3, "changed nothing\n  | Blue: declaration is invalid %(422%): "
      .. "/Blue/A/p/loadBalancingMode", { "declare", "app.json" })
    assert.matches("/Blue/A/p/loadBalancingMode", json.decode(result.out).errors[1])
  end)

  it("counts as a change only what changed something", function()
    lab.inventory(place, device, { "one" })
    local function declare(name, text)
      place:file(name, text)
      return program.run({ "declare", name, "--inventory", "sites.lua", "--report", "r.json" },
        options())
    end
    local result = declare("bad.json", SCHEMA)
    assert.equal(1, result.status)
    assert.matches("one: failed: AS3 refused the declaration and changed nothing", result.err)
    assert.matches("1 device: 0 done, 1 failed, in", result.err)
    assert.is_false(json.decode(place:read "r.json").devices[1].changed)
    result = declare("app.json", GOOD)
    assert.matches("1 done %(1 changed%)", result.err)
    assert.matches('"device":"one".*"tenant":"Blue"', result.out)
    result = declare("app.json", GOOD)
    assert.matches("1 device: 1 done, in", result.err)
    result = declare("part.json", PARTIAL)
    assert.matches("1 failed %(1 after a change%)", result.err)
    assert.matches('"device":"one".-"tenant":"Green","code":422', result.out)
    assert.matches("Green: declaration failed", place:read "r.json")
    result = program.run(
      { "declare", "part.json", "--inventory", "sites.lua", "-o", "text" }, options())
    assert.matches("one: Green: declaration failed %(422%): 01020036:3: ", result.out)
  end)

  it("says of several files which one failed and which ones were not sent", function()
    place:file("a.json", GOOD)
    place:file("b.json", SCHEMA)
    place:file("c.json", GOOD)
    local result <const> = fails(3, "^f5lua: b.json failed; not sent: c.json\nf5lua: AS3 refused",
      { "declare", "a.json", "b.json", "c.json", "-o", "text" })
    assert.equal("Blue: success\n", result.out)
  end)

  it("says of an array which declaration failed", function()
    place:file("twice.json", "[" .. GOOD .. "," .. GOOD .. "]")
    fails(3, "changed nothing\n  | Error%(s%): 'Invalid/Duplicate'", { "declare", "twice.json" })
    local other <const> = SCHEMA:gsub("Blue", "Other")
    place:file("both.json", "[" .. GOOD .. "," .. other .. "]")
    fails(3, "AS3: 1 of 2 results failed\n  | Blue: success\n  | Other: declaration is invalid",
      { "declare", "both.json" })
    assert.is_true(has "Blue")
  end)

  it("of 200 tenants shows on a terminal what is awaited, and for how long", function()
    local tenants = {}
    for i = 1, 200 do tenants["T" .. i] = tenant("192.0.2." .. i) end
    place:file("many.json", adc(tenants))
    device:control("next_declaration", { seconds = 3600 })
    local screen <close> = terminal.start(
      { "declare", place.path .. "/many.json" },
      { env = options().env, columns = 100, errors_too = true }
    )
    screen:expect "many.json %(200 tenants%): in progress, [1-9]%d* s"
    device:advance(3600)
    screen:expect "T99: success" -- the last one in the order of the text
    assert.is_true(has "T200")
  end)

  it("waits while another one runs, and says so", function()
    device:control("next_declaration", { seconds = 3600 })
    bip:request("POST", DECLARE, {
      body = adc { Red = tenant "192.0.2.3" }, query = { async = true },
    })
    place:file("app.json", GOOD)
    local process <close> =
      program.start({ "declare", place.path .. "/app.json", "-o", "text" }, options())
    -- a log gets a line after 2 seconds
    process:expect "f5lua: /%S+/app.json %(1 tenant%): AS3 is busy, %d+ s\n"
    assert.is_false(has "Blue")
    device:advance(3600)
    local result <const> = process:wait()
    assert.equal(0, result.status, result.err)
    assert.equal("Blue: success\n", result.out)
    assert.is_true(has "Red")
  end)

  it("has an unknown outcome when a restart cancels its task", function()
    local function cancelled(act)
      device:control("next_declaration", { seconds = 3600 })
      act()
    end
    place:file("app.json", GOOD)
    cancelled(function()
      local process <close> = program.start({ "declare", place.path .. "/app.json" }, options())
      lab.arrived(device, "GET", AS3 .. "/task/%x+")
      device:restart { seconds = 0 }
      local result <const> = process:wait()
      assert.equal(3, result.status, result.err)
      assert.matches("a restart of the device's services cancelled the task; it is unknown which "
        .. "tenants were changed before", result.err)
    end)
    bip:request("POST", AS3 .. "/settings", { body = { asyncTaskStorage = "memory" } })
    cancelled(function() -- the record itself is gone
      device:clear_log()
      local restarted
      local err <const> = declare_fails(GOOD, { progress = function()
        if not restarted then device:restart { seconds = 0 } end
        restarted = true
      end })
      assert.equal("unknown", err.outcome)
      assert.equal(404, err.status)
      assert.matches("^AS3 no longer knows this task", err.message)
      assert.equal("string", type(err.task))
    end)
  end)

  it("finds its task again when the connection was cut before the answer", function()
    device:fault { match = { method = "POST", path = DECLARE }, reset = true, act = true }
    local states = {}
    assert.equal("Blue: success", tostring(bip:declare(GOOD, {
      progress = function(state) states[#states + 1] = state end,
    })))
    assert.equal(1, count("POST", DECLARE))
    -- the device never got it: whether it did cannot be known
    device:clear_log()
    device:fault { match = { method = "POST", path = DECLARE }, reset = true }
    place:file("app.json", GOOD)
    fails(3, "looking for the task.*it is unknown whether the declaration was applied",
      { "declare", "app.json", "--timeout", "3" })
    assert.equal(1, count("POST", DECLARE))
  end)

  it("goes on when the connection is cut after the task was named", function()
    device:fault { match = { method = "GET", path = AS3 .. "/task/" }, reset = true, times = 3 }
    local states = {}
    assert.equal("Blue: success", tostring(bip:declare(GOOD, {
      progress = function(state) states[#states + 1] = state end,
    })))
    assert.equal("no answer", states[1])
    assert.equal(1, count("POST", DECLARE))
  end)
end)

describe("D1 a device without what a declaration needs", function()
  it("is not asked twice for an extension that is not installed", function()
    start()
    local err <const> = lab.fails("unsupported", bip.declare, bip, GOOD)
    assert.equal("AS3 is not installed on this device (packages: none); bip:install_package(FILE) "
      .. "installs it", err.message)
    place:file("app.json", GOOD)
    fails(3, "AS3 is not installed on this device", { "declare", "app.json" })
    fails(3, "AS3 is not installed on this device", { "declare", "--show" })
    fails(3, "AS3 is not installed on this device", { "declare", "--remove", "Blue" })
    assert.equal(0, count("POST", AS3))
  end)

  it("gets no dry run that its version would apply", function()
    start { "as3=3.28.0" }
    local text <const> = GOOD:gsub("3%.50%.0", "3.28.0")
    local err <const> = lab.fails("unsupported", bip.declare, bip, text, { dry_run = true })
    assert.matches("^AS3 3%.28%.0 has no dry run that f5lua can rely on", err.message)
    place:file("app.json", text)
    fails(3, "AS3 3%.28%.0 has no dry run.*nothing was sent",
      { "declare", "app.json", "--dry-run" })
    assert.equal(0, count("POST", AS3))
    assert.equal("Blue: success", tostring(bip:declare(text)))
  end)
end)
