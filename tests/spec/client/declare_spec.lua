-- Declarations: what bip:declare makes of the answers of AS3, also of those that a simulated device
-- cannot give. The server answers exact bytes, as wire-facts has them.
local extension_wire = require "extension_wire"
local f5 = require "f5"
local json = require "f5.json"
local lab = require "lab"
local wire = require "wire"

local AS3 <const>, NOT_REGISTERED <const> = extension_wire.AS3, extension_wire.NOT_REGISTERED
local ONCE <const> = extension_wire.ONCE
local info <const>, rule <const> = extension_wire.info, extension_wire.rule
local BUSY <const> = "Error: Configuration operation in progress on device localhost, please try "
  .. "again in 2 minutes"
local ADC <const> = {
  class = "ADC", schemaVersion = "3.50.0", id = "ours",
  Blue = { class = "Tenant" }, Green = { class = "Tenant" }, Red = { class = "Tenant" },
}

local server, bip
local started <const> = wire.for_file(setup, teardown)
setup(function() server = started() end)
before_each(function() bip = f5.connect(server:options()) end)
after_each(function() bip:close() end)

local function no_tasks() return rule("GET", AS3 .. "/task", "200 OK", '{"items":[]}') end

local function accepted(id, more)
  return rule("POST", AS3 .. "/declare", "202 Accepted", {
    id = id, results = { {
      message = "Declaration successfully submitted", tenant = "", host = "", runTime = 0, code = 0,
    } }, declaration = json.array {}, selfLink = "https://localhost" .. AS3 .. "/task/" .. id,
  }, more)
end

local function running(id, more)
  return rule("GET", AS3 .. "/task/" .. id, "200 OK", {
    id = id, declaration = json.null,
    results = { { message = "in progress", code = 0, tenant = "", host = "", runTime = 0 } },
  }, more)
end

local function done(id, results, more, fields)
  local record = { id = id, results = results, declaration = { id = "ours" } }
  for key, value in pairs(fields or {}) do record[key] = value end
  return rule("GET", AS3 .. "/task/" .. id, "200 OK", record, more)
end

local function result(tenant, code, message, more)
  local one = {
    tenant = tenant, code = code, message = message, host = "localhost", runTime = 1500,
    declarationId = "ours",
  }
  for key, value in pairs(more or {}) do one[key] = value end
  return one
end

local function sent(method) return extension_wire.sent(server, method) end

describe("D1 a declaration of AS3", function()
  it("is sent as a task, followed, and answered with one result for each tenant", function()
    server:rules {
      info(), accepted "t1", running("t1", { times = 2 }),
      done("t1", {
        result("Blue", 200, "success", { lineCount = 20 }), result("Green", 200, "no change"),
        result("Red", 200, "success"),
      }), no_tasks(),
    }
    local states = {}
    local found <const> = bip:declare(ADC, {
      timeout = 60, progress = function(state) states[#states + 1] = state end,
    })
    assert.equal("Blue: success\nGreen: no change\nRed: success", tostring(found))
    assert.equal(3, #found)
    assert.equal("Blue", found[1].tenant)
    assert.equal(20, found[1].line_count)
    assert.equal(1.5, found[1].run_time)
    assert.is_true(found[1].changed)
    assert.is_false(found[2].changed)
    assert.same({ "in progress", "in progress" }, states)
    assert.same({ AS3 .. "/declare?async=true" }, sent "POST")
  end)

  it("names every tenant with its reason when one fails", function()
    server:rules {
      info(), accepted "t1",
      done("t1", {
        result("Blue", 422, "declaration failed", {
          response = "01070734:3: Configuration error: password=hunter2 \"password\":\"hunter2\"",
        }),
        result("Green", 200, "success"), result("Red", 200, "no change"),
      }), no_tasks(),
    }
    local err <const> = lab.fails("declaration", bip.declare, bip, ADC)
    assert.matches("AS3: 1 of 3 results failed\nBlue: declaration failed %(422%): 01070734:3: "
      .. "Configuration error", err.message)
    assert.matches("\nGreen: success\nRed: no change$", err.message)
    assert.not_matches('"hunter2"', err.message)
    assert.equal(3, #err.results)
    assert.equal("Blue", err.results[1].tenant)
    assert.equal(422, err.results[1].code)
    assert.is_false(err.results[1].ok)
    assert.is_true(err.results[2].ok)
    assert.is_nil(err.outcome)
    assert.equal("t1", err.task)
    assert.not_matches('"hunter2"', json.encode(err.results))
  end)

  it("shows both results of Common", function()
    server:rules {
      info(), accepted "t1", done("t1", {
        result("Common", 200, "success"), result("Blue", 200, "success"),
        result("Common", 422, "declaration failed", { response = "01070265:3: in use" }),
      }), no_tasks(),
    }
    local err <const> = lab.fails("declaration", bip.declare, bip, ADC)
    assert.matches("1 of 3 results failed\nCommon: success\nBlue: success\nCommon: declaration "
      .. "failed %(422%): 01070265:3: in use", err.message)
  end)

  it("that the schema refuses changed nothing, and the path of the mistake is said", function()
    server:rules {
      info(), accepted "t1",
      done("t1", { {
        code = 422, errors = { "/Blue/A/web: should have required property 'virtualAddresses'" },
        message = "declaration is invalid", host = "localhost", tenant = { "Blue" },
        declarationId = "ours",
      } }), no_tasks(),
    }
    local err <const> = lab.fails("declaration", bip.declare, bip, ADC)
    assert.equal(
      "AS3 refused the declaration and changed nothing\nBlue: declaration is invalid (422): "
        .. "/Blue/A/web: should have required property 'virtualAddresses'", err.message)
    assert.is_nil(err.outcome)
  end)

  it("that is refused by the answer itself is reported as well", function()
    server:rules {
      info(), no_tasks(),
      rule("POST", AS3 .. "/declare", "422 Unprocessable Entity", {
        code = 422, message = "Invalid data property: bogus",
      }),
    }
    local err <const> = lab.fails("declaration", bip.declare, bip, ADC)
    assert.equal("AS3 refused the declaration and changed nothing\nInvalid data property: bogus "
      .. "(422)", err.message)
    assert.equal(422, err.status)
  end)

  it("waits while another declaration runs, in the answer and in the task", function()
    server:rules {
      info(),
      rule("POST", AS3 .. "/declare", "503 Service Unavailable", { code = 503, message = BUSY },
        ONCE),
      accepted("t1", ONCE), done("t1", { { code = 503, message = BUSY } }), accepted "t2",
      done("t2", { result("Blue", 200, "success") }), no_tasks(),
    }
    local states = {}
    local found <const> = bip:declare(ADC, {
      progress = function(state) states[#states + 1] = state end,
    })
    assert.equal("Blue: success", tostring(found))
    assert.same({ "AS3 is busy", "AS3 is busy" }, states)
    assert.equal(3, #sent "POST")
  end)

  it("gives up on a busy AS3 when the time is over", function()
    server:rules {
      info(), accepted "t1", done("t1", { { code = 503, message = BUSY } }), no_tasks(),
    }
    local err <const> = lab.fails("declaration", bip.declare, bip, ADC, { timeout = 0.3 })
    assert.matches("Configuration operation in progress", err.message)
    assert.is_nil(err.outcome)
  end)

  it("whose task is lost has an unknown outcome", function()
    server:rules {
      info(), accepted "t1", running("t1", ONCE),
      rule("GET", AS3 .. "/task/t1", "404 Not Found", {
        code = 404, message = "No record found with ID of t1",
      }), no_tasks(),
    }
    local err <const> = lab.fails("declaration", bip.declare, bip, ADC)
    assert.equal("unknown", err.outcome)
    assert.equal(404, err.status)
    assert.matches("AS3 no longer knows this task", err.message)
    assert.matches("unknown which tenants were changed", err.message)
  end)

  it("whose task a restart cancelled ends, although the code stays 0", function()
    server:rules {
      info(), accepted "t1", running("t1", ONCE),
      done("t1", { { message = "task cancelled", code = 0, tenant = "" } }), no_tasks(),
    }
    local err <const> = lab.fails("declaration", bip.declare, bip, ADC)
    assert.equal("unknown", err.outcome)
    assert.matches("a restart of the device's services cancelled the task", err.message)
  end)

  it("is followed through a restart of the services", function()
    server:rules {
      info(), accepted "t1",
      rule("GET", AS3 .. "/task/t1", "404 Not Found", NOT_REGISTERED, ONCE),
      rule("GET", AS3 .. "/task/t1", "503 Service Unavailable", "<html>down</html>", ONCE),
      { method = "GET", path = AS3 .. "/task/t1", bytes = "", cut = 0, times = 1 },
      done("t1", { result("Blue", 200, "success") }), no_tasks(),
    }
    assert.equal("Blue: success", tostring(bip:declare(ADC)))
    assert.equal(1, #sent "POST")
  end)

  it("ends at its own time limit and says how to see the result", function()
    server:rules { info(), accepted "t1", running "t1", no_tasks() }
    local err <const> = lab.fails("timeout", bip.declare, bip, ADC, { timeout = 0.3 })
    assert.equal("unknown", err.outcome)
    assert.equal("t1", err.task)
    assert.matches("not done after 0.3 s %(in progress%); AS3 continues: GET /mgmt/shared/appsvcs/"
      .. "task/t1", err.message)
  end)

  it("whose connection was cut is found in the list of tasks, and not sent again", function()
    server:rules {
      info(),
      rule("GET", AS3 .. "/task", "200 OK", {
        items = { { id = "old", results = { result("Blue", 200, "success") },
          declaration = { id = "ours" } } },
      }, ONCE),
      { method = "POST", path = AS3 .. "/declare", bytes = "", cut = 0 },
      done("new", { result("Blue", 200, "success"), result("Red", 200, "no change") }),
      rule("GET", AS3 .. "/task", "200 OK", {
        items = {
          { id = "old", results = { result("Blue", 200, "success") },
            declaration = { id = "ours" } },
          { id = "other", results = { result("X", 200, "success", { declarationId = "x" }) },
            declaration = { id = "x" } },
          { id = "new", results = { { message = "in progress", code = 0 } }, declaration = {} },
        },
      }),
    }
    assert.equal("Blue: success\nRed: no change", tostring(bip:declare(ADC)))
    assert.equal(1, #sent "POST")
  end)

  it("whose connection was cut, and which several new tasks may be, is unknown", function()
    local one <const> = { results = { { message = "in progress", code = 0 } }, declaration = {} }
    server:rules {
      info(), rule("GET", AS3 .. "/task", "200 OK", '{"items":[]}', ONCE),
      { method = "POST", path = AS3 .. "/declare", bytes = "", cut = 0 },
      rule("GET", AS3 .. "/task", "200 OK", {
        items = {
          { id = "a", results = one.results, declaration = {} },
          { id = "b", results = one.results, declaration = {} },
        },
      }),
    }
    local err <const> = lab.fails("declaration", bip.declare, bip, ADC)
    assert.equal("unknown", err.outcome)
    assert.matches("it is unknown whether the declaration was applied", err.message)
    assert.equal("transport", err.cause.kind)
    assert.equal(1, #sent "POST")
  end)

  it("as a dry run asks for the differences and says what AS3 found", function()
    server:rules {
      info(), accepted "t1",
      done("t1", { result("Blue", 200, "success", {
        dryRun = true,
        changes = { { kind = "N", path = { "/Blue/A/web" }, command = "ltm virtual" } },
      }) }, nil, { dryRun = true }), no_tasks(),
    }
    local found <const> = bip:declare(ADC, { dry_run = true })
    assert.is_true(found[1].dry_run)
    assert.is_false(found[1].changed)
    assert.same({ "/Blue/A/web" }, found[1].changes[1].path)
    local query <const> = sent("POST")[1]:match "%?(.*)"
    assert.matches("controls%.dryRun=true", query)
    assert.matches("controls%.logLevel=debug", query)
  end)

  it("is not sent as a dry run to a version that has none", function()
    server:rules { info "3.28.0", accepted "t1", no_tasks() }
    local err <const> = lab.fails("unsupported", bip.declare, bip, ADC, { dry_run = true })
    assert.equal("AS3 3.28.0 has no dry run that f5lua can rely on (it needs 3.30.0); nothing was "
      .. "sent", err.message)
    assert.same({}, sent "POST")
  end)

  it("that AS3 applied instead of a dry run is an error", function()
    server:rules {
      info(), accepted "t1", done("t1", { result("Blue", 200, "success") }), no_tasks(),
    }
    local err <const> = lab.fails("declaration", bip.declare, bip, ADC, { dry_run = true })
    assert.equal("unknown", err.outcome)
    assert.matches("the declaration may have been applied", err.message)
  end)

  it("as JSON text is sent as it is; a list and a patch have their own forms", function()
    local items <const> = {
      { id = "a", results = { { message = "Declaration successfully submitted", code = 0 } } },
      { id = "b", results = { { message = "Declaration successfully submitted", code = 0 } } },
    }
    server:rules {
      info(), done("a", { result("Blue", 200, "success") }),
      done("b", { result("Red", 200, "no change") }), no_tasks(),
      rule("POST", AS3 .. "/declare", "202 Accepted", { items = items }),
      rule("PATCH", AS3 .. "/declare", "202 Accepted", items[1]),
    }
    assert.equal("Blue: success\nRed: no change",
      tostring(bip:declare '[{"class":"ADC"},{"class":"AS3","declaration":{}}]'))
    assert.equal("Blue: success",
      tostring(bip:declare '[{"op":"remove","path":"/Blue/A"}]'))
    assert.equal(AS3 .. "/declare?async=true", sent("PATCH")[1])
  end)

  it("waits for an AS3 that still starts", function()
    server:rules {
      rule("GET", AS3 .. "/info", "404 Not Found", NOT_REGISTERED, { times = 2 }),
      rule("GET", "/mgmt/shared/iapp/global-installed-packages", "200 OK", {
        items = { { appName = "f5-appsvcs", version = "3.56.0" } },
      }),
      info(), accepted "t1", done("t1", { result("Blue", 200, "success") }), no_tasks(),
    }
    assert.equal("Blue: success", tostring(bip:declare(ADC)))
  end)

  it("tells each wait to the script: the session repeats no call by itself", function()
    server:rules {
      rule("GET", AS3 .. "/info", "503 Service Unavailable", "<html>down</html>", ONCE),
      info(), accepted "t1",
      rule("GET", AS3 .. "/task/t1", "503 Service Unavailable", "<html>down</html>", ONCE),
      done("t1", { result("Blue", 200, "success") }), no_tasks(),
    }
    local options <const>, states = server:options(), {}
    options.retries = lab.RETRIES
    local other <close> = f5.connect(options)
    assert.equal("Blue: success", tostring(other:declare(ADC, {
      progress = function(state) states[#states + 1] = state end,
    })))
    assert.same({ "AS3 does not answer yet", "no answer" }, states)
  end)

  it("does not wait for an AS3 that is not installed", function()
    server:rules {
      rule("GET", AS3 .. "/info", "404 Not Found", NOT_REGISTERED),
      rule("GET", "/mgmt/shared/iapp/global-installed-packages", "200 OK", {
        items = { { appName = "f5-telemetry", version = "1.39.0" } },
      }),
    }
    local err <const> = lab.fails("unsupported", bip.declare, bip, ADC)
    assert.equal("AS3 is not installed on this device (packages: f5-telemetry 1.39.0); "
      .. "bip:install_package(FILE) installs it", err.message)
    assert.same({}, sent "POST")
  end)

  it("names the causes when AS3 does not come up in time", function()
    server:rules {
      rule("GET", AS3 .. "/info", "404 Not Found", NOT_REGISTERED),
      rule("GET", "/mgmt/shared/iapp/", "404 Not Found", NOT_REGISTERED),
    }
    local err <const> = lab.fails("timeout", bip.declare, bip, ADC, { timeout = 0.3 })
    assert.matches("AS3 does not answer after 0.3 s: it still starts", err.message)
    assert.is_nil(err.outcome)
  end)
end)

describe("D1 what AS3 has", function()
  it("is read with bip:declared; nothing is nil", function()
    server:rules {
      info(), rule("GET", AS3 .. "/declare/Blue", "404 Not Found", {
        code = 404, message = "specified Tenant(s) 'Blue' not found in declaration",
      }),
      rule("GET", AS3 .. "/declare", "204 No Content", "", ONCE),
      rule("GET", AS3 .. "/declare", "200 OK", ADC),
    }
    assert.is_nil(bip:declared { tenant = "Blue" })
    assert.is_nil(bip:declared())
    assert.equal("Tenant", bip:declared().Red.class)
  end)

  it("is removed tenant by tenant, and never all at once", function()
    local err <const> = lab.fails("usage", bip.undeclare, bip)
    assert.matches("name the tenants; without a name AS3 would remove all of them", err.message)
    lab.fails("usage", bip.undeclare, bip, { timeout = 3 })
    lab.fails("usage", bip.undeclare, bip, "")
    lab.fails("usage", bip.undeclare, bip, "Blue,Red")
    server:rules {
      info(), rule("DELETE", AS3 .. "/declare/Blue,Red", "202 Accepted", {
        id = "t1", results = { { message = "Declaration successfully submitted", code = 0 } },
      }),
      done("t1", { result("Blue", 200, "success"), result("Red", 200, "no change") }), no_tasks(),
    }
    assert.equal("Blue: success\nRed: no change", tostring(bip:undeclare("Blue", "Red")))
    assert.same({ AS3 .. "/declare/Blue,Red?async=true" }, sent "DELETE")
  end)
end)
