-- f5lua declare: what it prints, its exit statuses, and the lines of docs/declarations.md. The
-- server answers what AS3 does.
local json = require "f5.json"
local markdown = require "markdown"
local program = require "program"
local wire = require "wire"

local AS3 <const> = "/mgmt/shared/appsvcs"
local APP <const> = [[{
  "class": "ADC", "schemaVersion": "3.50.0", "id": "ours",
  "Blue": { "class": "Tenant", "note": { "passphrase": "hunter2" } }, "Red": { "class": "Tenant" }
}]]

local server, place
local started <const> = wire.for_file(setup, teardown)
setup(function()
  server, place = started()
  place:file("app.json", APP)
end)

local function answer(method, path, status, body, times)
  return {
    method = method, path = path, times = times,
    bytes = wire.answer(status, type(body) == "table" and json.encode(body) or body),
  }
end

local function submitted(method, path)
  return answer(method, path, "202 Accepted", {
    id = "t1", results = { { message = "Declaration successfully submitted", code = 0 } },
  })
end

-- What AS3 answers: version, results of the task, further rules before these.
local function as3(version, results, ...)
  local rules = { ... }
  for _, rule in ipairs {
    answer("POST", "/mgmt/shared/authn/login", "200 OK", {
      token = { token = "WIRETOKEN", timeout = 1200, expirationMicros = 1900000000000000 },
      username = "admin",
    }),
    answer("DELETE", "/mgmt/shared/authz/tokens/", "200 OK", "{}"),
    answer("GET", AS3 .. "/info", "200 OK", { version = version, release = "1" }),
    answer("GET", AS3 .. "/task/t1", "200 OK", {
      id = "t1", results = results, declaration = { id = "ours" },
    }),
    answer("GET", AS3 .. "/task", "200 OK", '{"items":[]}'),
    answer("GET", AS3 .. "/declare", "200 OK", APP),
    submitted("POST", AS3 .. "/declare"), submitted("DELETE", AS3 .. "/declare"),
  } do
    rules[#rules + 1] = rule
  end
  server:rules(rules)
end

local function f5lua(words, input)
  return program.run(words, {
    directory = place.path, input = input, timeout = 60,
    env = {
      F5_SERVER = "127.0.0.1", F5_SERVER_PORT = server.port, F5_USER = "admin",
      F5_PASSWORD = "admin", F5_VALIDATE_CERTS = "no",
    },
  })
end

local function ok(words, input)
  local result <const> = f5lua(words, input)
  assert.equal(0, result.status, result.err .. result.out)
  return result.out, result.err
end

local function fails(status, message, words, input)
  local result <const> = f5lua(words, input)
  assert.equal(status, result.status, result.err .. result.out)
  assert.matches(message, result.err)
  return result.err
end

local GOOD <const> = {
  { tenant = "Blue", code = 200, message = "success", runTime = 1000 },
  { tenant = "Red", code = 200, message = "no change" },
}

local function writes()
  local list = {}
  for _, line in ipairs(server:seen()) do
    if line:find "appsvcs" and not line:find "^GET" then list[#list + 1] = line end
  end
  return list
end

describe("D1 f5lua declare", function()
  it("prints one line for each tenant, from a file and from standard input", function()
    as3("3.56.0", GOOD)
    assert.equal("Blue: success\nRed: no change\n", ok { "declare", "app.json", "-o", "text" })
    assert.matches('"tenant":"Blue".*"changed":true', ok({ "declare", "-" }, APP))
    local post <const> = "POST " .. AS3 .. "/declare?async=true"
    assert.same({ post, post }, writes())
  end)

  it("ends with 3 and names every tenant if one fails", function()
    as3("3.56.0", {
      { tenant = "Blue", code = 422, message = "declaration failed",
        response = "0107176c:3: Invalid Node, the IP address 192.0.2.1 already exists." },
      GOOD[2],
    })
    local err <const> = fails(3, "^f5lua: AS3: 1 of 2 results failed\n", { "declare", "app.json" })
    assert.matches("\n  | Blue: declaration failed %(422%): 0107176c:3: Invalid Node", err)
    assert.matches("\n  | Red: no change\n", err)
    assert.matches("shareNodes", err)
    assert.matches("\n  kind      declaration\n", err)
  end)

  it("says where the schema finds a mistake", function()
    as3("3.56.0", { {
      code = 422, message = "declaration is invalid", tenant = { "Blue" },
      errors = { "/Blue/A/web/virtualPort: should be integer" },
    } })
    fails(3, "AS3 refused the declaration and changed nothing\n  | Blue: declaration is invalid "
      .. "%(422%): /Blue/A/web/virtualPort: should be integer", { "declare", "app.json" })
  end)

  it("ends with 3 if the task is lost, and says that the outcome is unknown", function()
    as3("3.56.0", {}, answer("GET", AS3 .. "/task/t1", "404 Not Found", {
      code = 404, message = "No record found with ID of t1",
    }))
    fails(3, "AS3 no longer knows this task.*it is unknown which tenants were changed",
      { "declare", "app.json" })
  end)

  it("ends with 3 if AS3 stays busy until the time is over", function()
    as3("3.56.0", { {
      code = 503,
      message = "Error: Configuration operation in progress on device localhost, please try again "
        .. "in 2 minutes",
    } })
    fails(3, "Configuration operation in progress on device localhost",
      { "declare", "app.json", "--timeout", "0.3" })
  end)

  it("ends with 3 where AS3 is not installed, or has no dry run", function()
    as3("3.28.0", GOOD)
    fails(3, "AS3 3%.28%.0 has no dry run that f5lua can rely on",
      { "declare", "app.json", "--dry-run" })
    assert.same({}, writes())
    as3("", GOOD, answer("GET", AS3 .. "/info", "404 Not Found", {
      code = 404, message = "URI path " .. AS3 .. "/info not registered.  Please verify",
    }), answer("GET", "/mgmt/shared/iapp/global-installed-packages", "200 OK", '{"items":[]}'))
    fails(3, "AS3 is not installed on this device %(packages: none%)", { "declare", "app.json" })
  end)

  it("keeps secrets out of its log", function()
    as3("3.56.0", GOOD)
    local _, log <const> = ok { "declare", "app.json", "-vv" }
    assert.matches("/mgmt/shared/appsvcs/declare", log)
    assert.matches('"passphrase": ?"%*+"', log)
    assert.not_matches("hunter2", log)
    assert.not_matches("hunter2", (ok { "declare", "--show" }))
  end)

  it("shows the differences of a dry run, and does not call it accepted", function()
    as3("3.56.0", { {
      tenant = "Blue", code = 200, message = "success", dryRun = true,
      changes = {
        { kind = "N", path = { "/Blue/A/web" }, command = "ltm virtual" },
        { kind = "E", path = { "/Blue/A/p", "properties", "monitor" }, lhs = "a", rhs = "b" },
        {
          kind = "E", path = { "/Blue/A/c", "properties", "passphrase" }, lhs = "old",
          rhs = "new",
        },
      },
    } })
    assert.equal(
      "Blue: success (dry run: the device was not asked)\n  + /Blue/A/web (ltm virtual)\n"
        .. "  ~ /Blue/A/p properties.monitor: a -> b\n  ~ /Blue/A/c properties.passphrase\n",
      (ok { "declare", "app.json", "--dry-run", "-o", "text" }))
  end)

  it("refuses wrong words before it calls a device", function()
    as3("3.56.0", GOOD)
    place:file("bad.json", "{")
    place:file("pool.json", '{"class":"Pool"}')
    fails(2, "no declaration given", { "declare" })
    fails(2, "cannot read nope.json", { "declare", "nope.json" })
    fails(2, "bad.json: .*not JSON", { "declare", "bad.json" })
    fails(2, "pool.json: unknown class 'Pool'", { "declare", "pool.json" })
    fails(2, "give one of FILE, %-%-remove and %-%-show",
      { "declare", "app.json", "--remove", "Blue" })
    fails(2, "%-%-dry%-run needs a FILE", { "declare", "--remove", "Blue", "--dry-run" })
    assert.same({}, server:seen())
  end)
end)

describe("docs/declarations.md", function()
  it("has lines that do what the page says", function()
    local expected <const> = {
      { "app.json$", '"tenant":"Blue"' }, { "%-%-dry%-run$", '"dry_run":true' },
      { "%-%-show Blue$", '"class": "Tenant"' }, { "%-%-remove Blue$", '"message":"success"' },
    }
    local count = 0
    for _, block in ipairs(markdown.blocks("docs/declarations.md", "sh")) do
      for line in block.text:gmatch "[^\n]+" do
        count = count + 1
        local results = {}
        for i, one in ipairs(GOOD) do
          results[i] = {
            tenant = one.tenant, code = one.code, message = one.message,
            dryRun = line:find "dry" and true or nil,
          }
        end
        as3("3.56.0", results)
        local words = {}
        for word in line:gmatch "%S+" do words[#words + 1] = word end
        assert.equal("f5lua", table.remove(words, 1))
        assert.matches(expected[count][1], line)
        assert.matches(expected[count][2], (ok(words)))
      end
    end
    assert.equal(#expected, count)
  end)

  it("has a playbook that runs", function()
    as3("3.56.0", GOOD)
    local block <const> = markdown.blocks("docs/declarations.md", "lua")[1]
    place:file("declare.lua", 'local f5 = require "f5"\nlocal bip <close> = f5.connect()\n'
      .. block.text)
    assert.equal("Blue: success\nRed: no change\nBlue was changed\n", (ok { "declare.lua" }))
  end)
end)
