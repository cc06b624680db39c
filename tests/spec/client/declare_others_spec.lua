-- Declarations of DO, TS and FAST, and which extensions a device has: what the client makes of the
-- answers. The server answers exact bytes, as wire-facts has them.
local extension_wire = require "extension_wire"
local f5 = require "f5"
local lab = require "lab"
local wire = require "wire"

local DO <const>, NOT_REGISTERED <const> = extension_wire.DO, extension_wire.NOT_REGISTERED
local ONCE <const> = extension_wire.ONCE
local info <const>, rule <const> = extension_wire.info, extension_wire.rule

local server, bip
local started <const> = wire.for_file(setup, teardown)
setup(function() server = started() end)
before_each(function() bip = f5.connect(server:options()) end)
after_each(function() bip:close() end)

local function sent(method) return extension_wire.sent(server, method) end

describe("D2 a declaration of DO", function()
  local DEVICE <const> = {
    class = "Device", schemaVersion = "1.45.0", Common = {
      class = "Tenant", dns = { class = "DNS", nameServers = { "192.0.2.1" } },
    },
  }
  local function do_info()
    return rule("GET", DO .. "/info", "200 OK", { {
      id = 0, version = "1.45.0", release = "3",
      result = { class = "Result", code = 200, status = "OK", message = "" },
    } })
  end
  local function state(method, path, http, code, status, message, more, fields)
    local body = {
      id = "d1", selfLink = "https://localhost" .. DO .. "/task/d1", declaration = {},
      result = { class = "Result", code = code, status = status, message = message },
    }
    for key, value in pairs(fields or {}) do body.result[key] = value end
    return rule(method, path, http, body, more)
  end
  local TASK <const> = DO .. "/task/d1"
  local function started_task()
    return state("POST", DO, "202 Accepted", 202, "RUNNING", "processing")
  end

  it("is followed through a reboot", function()
    server:rules {
      do_info(), started_task(),
      state("GET", TASK, "202 Accepted", 202, "RUNNING", "processing", ONCE),
      state("GET", TASK, "202 Accepted", 202, "REBOOTING", "reboot required", ONCE),
      { method = "GET", path = TASK, bytes = "", cut = 0, times = 2 },
      rule("GET", TASK, "502 Bad Gateway", "<html></html>", ONCE),
      rule("GET", TASK, "404 Not Found", '{"code":404,"message":""}', ONCE),
      rule("GET", TASK, "400 Bad Request", '{"code":400,"message":"roleEval may not be null."}',
        ONCE),
      state("GET", TASK, "200 OK", 200, "OK", "success"),
    }
    local states = {}
    local found <const> = bip:declare(DEVICE, {
      progress = function(what) states[#states + 1] = what end,
    })
    assert.equal("success", tostring(found))
    assert.equal("OK", found[1].status)
    assert.equal("processing", states[1])
    assert.equal("the device reboots", states[2])
    assert.equal(1, #sent "POST")
  end)

  -- A device whose administrator has another password since the declaration.
  local function password_rules()
    local LOGIN <const> = "/mgmt/shared/authn/login"
    local token <const> = {
      token = { token = "WIRETOKEN", timeout = 1200, expirationMicros = 1900000000000000 },
    }
    local refused <const> = { code = 401, message = "Authentication failed." }
    return {
      rule("POST", LOGIN, "200 OK", token, { times = 1, holds = '"before"' }), do_info(),
      started_task(), rule("GET", TASK, "401 Unauthorized", refused, ONCE),
      rule("POST", LOGIN, "200 OK", token, { holds = '"after-that"' }),
      rule("POST", LOGIN, "401 Unauthorized", refused),
      rule("DELETE", "/mgmt/shared/authz/tokens/", "200 OK", "{}"),
      state("GET", TASK, "200 OK", 200, "OK", "success"),
    }
  end

  it("that changes the password of the session's user is followed with the new one", function()
    server:rules(password_rules())
    local options <const> = server:options { username = "admin", password = "before" }
    options.token = nil
    local user <close> = f5.connect(options)
    local found <const> = user:declare {
      class = "Device", schemaVersion = "1.45.0",
      Common = { class = "Tenant", admin = { class = "User", password = "after-that" } },
    }
    assert.equal("success", tostring(found))
    server:rules(password_rules())
    local other <close> = f5.connect(options)
    lab.fails("auth", other.declare, other, DEVICE) -- it names no password
  end)

  it("that is rolled back says why", function()
    server:rules {
      do_info(), started_task(),
      state("GET", TASK, "202 Accepted", 202, "ROLLING_BACK", "invalid config - rolling back",
        ONCE),
      state("GET", TASK, "422 Unprocessable Entity", 422, "ERROR", "invalid config - rolled back",
        nil, { errors = { "01070734:3: no such vlan" } }),
    }
    local err <const> = lab.fails("declaration", bip.declare, bip, DEVICE)
    assert.equal("DO: invalid config - rolled back (422): 01070734:3: no such vlan", err.message)
    assert.is_nil(err.outcome)
  end)

  it("that is bad is refused by the answer", function()
    server:rules {
      do_info(), state("POST", DO, "400 Bad Request", 400, "ERROR", "bad declaration", nil, {
        errors = { "should have required property 'schemaVersion'" },
      }),
    }
    local err <const> = lab.fails("declaration", bip.declare, bip, { class = "Device" })
    assert.matches("bad declaration %(400%): should have required property 'schemaVersion'",
      err.message)
  end)

  it("whose task is gone has an unknown outcome", function()
    server:rules {
      do_info(), started_task(),
      state("GET", TASK, "404 Not Found", 404, "ERROR", "item does not exist"),
    }
    local err <const> = lab.fails("declaration", bip.declare, bip, DEVICE)
    assert.equal("unknown", err.outcome)
    assert.matches("DO no longer knows this task", err.message)
  end)
end)

describe("D3 TS and FAST", function()
  local TS <const>, FAST <const> = "/mgmt/shared/telemetry", "/mgmt/shared/fast"
  local function info_of(root)
    return rule("GET", root .. "/info", "200 OK", { version = "1.39.0", release = "2" })
  end

  it("TS answers at once, waits while it is busy, and says what is wrong", function()
    server:rules {
      info_of(TS),
      rule("POST", TS .. "/declare", "503 Service Unavailable", {
        code = 503,
        message = "Can't process new declaration while previous one is still in progress",
      }, ONCE),
      rule("POST", TS .. "/declare", "200 OK", { message = "success", declaration = {} }, ONCE),
      rule("POST", TS .. "/declare", "422 Unprocessable Entity", {
        code = 422, message = "Unprocessable entity",
        error = { { dataPath = "/My_System", message = "should be object" } },
      }),
    }
    assert.equal("success", tostring(bip:declare { class = "Telemetry" }))
    local err <const> = lab.fails("declaration", bip.declare, bip, { class = "Telemetry", x = 1 })
    assert.matches("TS refused the declaration and changed nothing\nUnprocessable entity %(422%): "
      .. "/My_System should be object", err.message)
    lab.fails("usage", bip.declare, bip, { class = "Telemetry" }, { dry_run = true })
  end)

  it("FAST is followed by its task", function()
    local function task(code, message, more)
      return rule("GET", FAST .. "/tasks/f1", "200 OK", {
        id = "f1", code = code, message = message, tenant = "Blue", application = "web",
      }, more)
    end
    local posted <const> = rule("POST", FAST .. "/applications", "202 Accepted", {
      code = 202, requestId = 1, message = { { id = "f1", name = "x/y", parameters = {} } },
    })
    server:rules {
      info_of(FAST), posted, task(202, "pending", ONCE), task(0, "in progress", ONCE),
      task(200, "success"),
    }
    local app <const> = { name = "x/y", parameters = { tenant_name = "Blue" } }
    local found <const> = bip:declare(app)
    assert.equal("Blue: success", tostring(found))
    assert.equal("web", found[1].application)
    server:rules { info_of(FAST), posted, task(422, "declaration is invalid\n/Blue/web: no") }
    local err <const> = lab.fails("declaration", bip.declare, bip, app)
    assert.matches("^FAST: Blue: declaration is invalid", err.message)
    server:rules { info_of(FAST), posted, task(0, "task cancelled") }
    local lost <const> = lab.fails("declaration", bip.declare, bip, app, { timeout = 20 })
    assert.equal("unknown", lost.outcome)
    assert.matches("a restart of the device's services cancelled the task", lost.message)
  end)
end)

describe("D4 the extensions of a device", function()
  it("are listed with what answers and what is only installed", function()
    server:rules {
      info "3.50.2", rule("GET", DO .. "/info", "404 Not Found", NOT_REGISTERED),
      rule("GET", "/mgmt/shared/telemetry/info", "404 Not Found", NOT_REGISTERED),
      rule("GET", "/mgmt/shared/fast/info", "404 Not Found", NOT_REGISTERED),
      rule("GET", "/mgmt/shared/iapp/global-installed-packages", "200 OK", {
        items = {
          { appName = "f5-appsvcs", version = "3.50.2", release = "3" },
          { packageName = "f5-declarative-onboarding-1.44.0-5.noarch", version = "1.44.0" },
        },
      }),
    }
    local found <const> = bip:extensions()
    assert.equal(2, #found)
    assert.same({ "as3", "3.50.2", true }, { found[1].name, found[1].version, found[1].ready })
    assert.same({ "do", "1.44.0", false }, { found[2].name, found[2].version, found[2].ready })
  end)

  it("wait_ready waits for one of them, and knows their names", function()
    local err <const> = lab.fails("usage", bip.wait_ready, bip, { extension = "as4" })
    assert.matches("unknown extension 'as4'; expected one of as3, do, ts, fast", err.message)
  end)
end)
