-- A token that could not be deleted is told to the user, on every way out, without being asked for:
-- it counts against the device's hundred of that user until it expires.
local json = require "f5.json"
local lab = require "lab"
local program = require "program"

local TOKENS <const> = "/mgmt/shared/authz/tokens/"
local OPEN <const> = [[
local f5 = require "f5"
local bip = f5.connect {}
io.stdout:setvbuf "line"
print "ready"
]]

describe("a token that cannot be deleted", function()
  local device, place
  lab.block(setup, teardown, before_each, function(...) device, place = ... end)

  local function words(text, options)
    local all = { table.unpack(options or {}) }
    all[#all + 1] = place:file("playbook.lua", OPEN .. text)
    return all,
      { env = lab.environment(device) }
  end

  local function run(text, options) return program.run(words(text, options)) end

  local function refuse()
    device:fault { match = { method = "DELETE", path = TOKENS }, times = 9, kind = "internal" }
  end

  -- One line that says which device, why, how long and what to do, and nothing of the token.
  local function check_warning(err, why)
    local seconds, rest = err:match(
      (
        "^f5lua: warning: 127%%.0%%.0%%.1:%d: the token of admin could not be deleted %%(%s%%) "
        .. "and may be valid for up to (%%d+) s more%%. It expires by itself; an administrator can "
        .. "end it sooner at %s\n(.*)$"
      ):format(device.port, why, (TOKENS:gsub("%p", "%%%0")))
    )
    assert.truthy(seconds, err)
    assert.truthy(tonumber(seconds) > 1100 and tonumber(seconds) <= 1200)
    local tokens <const> = device:state().tokens.items
    assert.truthy(next(tokens))
    for token in pairs(tokens) do assert.falsy(err:find(token, 1, true)) end
    return rest
  end

  it("is told when the session is closed", function()
    refuse()
    local result = run "bip:close() print 'after'"
    assert.same({ 0, "ready\nafter\n" }, { result.status, result.out })
    assert.equal("", check_warning(result.err, "There was an internal server error"))
  end)

  it("is told at the end of a playbook, of a failed one, and after os.exit", function()
    for text, status in pairs { [""] = 0, ["f5.fail 'no'"] = 1, ["os.exit(7)"] = 7 } do
      device:clear_faults()
      refuse()
      local result = run(text)
      assert.equal(status, result.status)
      local rest =
        check_warning(result.err:gsub("^f5lua: no\n", ""), "There was an internal server error")
      assert.equal("", rest)
    end
  end)

  it("is told after a signal", function()
    refuse()
    local process <close> = program.start(words "f5.sleep(100)")
    process:expect "ready"
    process:kill "INT"
    local result = process:wait(10)
    assert.equal(130, result.status)
    assert.equal(
      "f5lua: interrupted\n",
      check_warning(result.err, "There was an internal server error")
    )
  end)

  it("is told when the device does not answer in the time there is", function()
    device:fault { match = { method = "DELETE", path = TOKENS }, delay_ms = 30000 }
    local result = run ""
    assert.equal(0, result.status)
    check_warning(result.err, "no answer from 127%.0%.0%.1:%d+ in time %(.*%)")
  end)

  it("is one JSON object with --log-format json", function()
    refuse()
    local result = run("", { "--log-format", "json" })
    local line = json.decode(result.err:match "^[^\n]*\n$")
    assert.same({ "warning", "127.0.0.1:" .. device.port }, { line.event, line.device })
    assert.matches(
      "^the token of admin could not be deleted %(There was an internal server error%) and may be "
        .. "valid",
      line.message
    )
  end)

  it("is no matter when the device knows it no more", function()
    for _, kind in ipairs { "token_unknown", "token_expired" } do
      device:fault { match = { method = "DELETE", path = TOKENS }, kind = kind }
      assert.same({ 0, "ready\n", "" }, { (function(r) return r.status, r.out, r.err end)(run "") })
    end
    device:fault {
      match = { method = "DELETE", path = TOKENS },
      status = 404,
      body = { code = 404, message = "no such token" },
    }
    assert.equal("", run("").err)
  end)

  it("is told when a login was cut off by the end", function()
    device:fault { match = { path = "/login" }, delay_ms = 30000 }
    local process <close> = program.start(words "")
    lab.arrived(device, "POST", "/login$")
    process:kill "INT"
    local result = process:wait(20)
    assert.equal(130, result.status)
    assert.matches(
      "^f5lua: warning: 127%.0%.0%.1:%d+: a login of admin was still in progress: it may have left "
        .. "a "
        .. "token, which expires by itself\n",
      result.err
    )
  end)
end)
