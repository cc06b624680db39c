-- The simulated TS: what it takes, what it refuses and with which words. The lists of mistakes are
-- those of the validator that TS uses. Examples of F5 are read from a git directory of
-- F5Networks/f5-telemetry-streaming: F5LUA_TS=DIRECTORY.
local curl = require "curl"
local json = require "f5.json"
local lab = require "lab"
local sim = require "f5.sim"

local ROOT <const> = "/mgmt/shared/telemetry"
local EXAMPLES <const> = "examples/declarations"

describe("D3 TS on the simulated device", function()
  local device

  before_each(function() device = sim.start { extensions = { "ts=1.39.0" } } end)
  after_each(function() lab.stop(device) end)

  local function post(body, path)
    return curl {
      device, "POST", ROOT .. (path or "/declare"), body = body,
      headers = type(body) == "string" and { ["Content-Type"] = "application/json" } or nil,
    }
  end

  local function get(path) return curl { device, "GET", ROOT .. path } end

  -- Expects that a declaration is refused with these mistakes.
  local function refused(body, mistakes, path)
    local answer = post(body, path)
    assert.equal(422, answer.status, answer.body)
    assert.equal("Unprocessable entity", answer.json.message)
    assert.same(mistakes, answer.json.error)
  end

  it("says its version, and what is declared at first", function()
    local info = get "/info".json
    assert.equal("1.39.0 1 1.39.0-1 1.39.0 0.9.0", table.concat({
      info.version, info.release, info.fullVersion, info.schemaCurrent, info.schemaMinimum,
    }, " "))
    assert.same({
      message = "success", declaration = { class = "Telemetry", schemaVersion = "1.39.0" },
    }, get "/declare".json)
  end)

  it("fills in defaults, converts values, and keeps the declaration", function()
    local answer = post {
      class = "Telemetry",
      Poller = { class = "Telemetry_System_Poller" },
      Listener = { class = "Telemetry_Listener", port = "6515", trace = false },
      Events = { class = "Telemetry_Consumer", type = "Statsd", host = "192.0.2.7" },
    }
    assert.equal(200, answer.status, answer.body)
    local actions = { { enable = true, setTag = { application = "`A`", tenant = "`T`" } } }
    assert.same({
      class = "Telemetry", schemaVersion = "1.39.0",
      Poller = {
        class = "Telemetry_System_Poller", enable = true, interval = 300, workers = 5,
        chunkSize = 30, host = "localhost", port = 8100, protocol = "http", actions = actions,
        allowSelfSignedCert = false,
      },
      Listener = {
        class = "Telemetry_Listener", port = 6515, trace = false, enable = true, match = "",
        actions = actions,
      },
      Events = {
        class = "Telemetry_Consumer", type = "Statsd", host = "192.0.2.7", enable = true,
        trace = false, allowSelfSignedCert = false, protocol = "udp", port = 8125,
        convertBooleansToMetrics = false,
      },
    }, answer.json.declaration)
    assert.same(answer.json, get "/declare".json)
    assert.same(answer.json, post(answer.json.declaration).json)
    local empty = { class = "Telemetry", schemaVersion = "1.39.0" }
    assert.same(empty, post({ class = "Telemetry" }).json.declaration)
    assert.same(empty, get "/declare".json.declaration)
  end)

  it("encrypts secrets, and leaves encrypted ones as they are", function()
    local declaration = { class = "Telemetry", Splunk = {
      class = "Telemetry_Consumer", type = "Splunk", host = "192.0.2.8",
      passphrase = { cipherText = "canary-7f" },
    } }
    local first = post(declaration).json.declaration
    local secret = first.Splunk.passphrase
    assert.equal("Secret SecureVault", secret.class .. " " .. secret.protected)
    assert.equal("$M$", secret.cipherText:sub(1, 3))
    assert.falsy(get "/declare".body:find("canary-7f", 1, true))
    assert.same(first, post(first).json.declaration)
    declaration.Splunk.passphrase = { environmentVar = "TOKEN" }
    local named = post(declaration).json.declaration.Splunk.passphrase
    assert.equal("TOKEN", named.environmentVar)
    assert.equal(nil, named.cipherText)
  end)

  it("refuses a missing property, an unknown class and an unknown property", function()
    local function splunk(more)
      local consumer = { class = "Telemetry_Consumer", type = "Splunk" }
      for key, value in pairs(more) do consumer[key] = value end
      return { class = "Telemetry", A = consumer }
    end
    refused(splunk {}, { {
      keyword = "required", dataPath = "/A", params = { missingProperty = "host" },
      schemaPath = "#/allOf/0/then/allOf/3/then/required",
      message = "should have required property 'host'",
    } })
    refused(splunk { hots = "192.0.2.1" }, { {
      keyword = "additionalProperties", dataPath = "/A", params = { additionalProperty = "hots" },
      schemaPath = "#/allOf/0/then/allOf/0/additionalProperties",
      message = "should NOT have additional properties",
    } })
    local unknown = post { class = "Telemetry", A = { class = "Telemetry_Konsumer" } }
    assert.equal("/A/class", unknown.json.error[1].dataPath)
    assert.equal("Telemetry_System", unknown.json.error[1].params.allowedValues[1])
    refused({}, { {
      keyword = "required", dataPath = "", params = { missingProperty = "class" },
      schemaPath = "#/required", message = "should have required property 'class'",
    } })
    refused("[]", { {
      keyword = "type", dataPath = "", params = { type = "object" }, schemaPath = "#/type",
      message = "should be object",
    } })
    -- nothing of it is kept
    assert.equal(nil, get "/declare".json.declaration.A)
  end)

  it("names the mistakes of all branches, and of the keywords around them", function()
    refused({ class = "Telemetry", A = { class = "Telemetry_System_Poller", interval = 5 } }, {
      {
        keyword = "minimum", dataPath = "/A/interval", message = "should be >= 60",
        params = { comparison = ">=", limit = 60, exclusive = false },
        schemaPath = "#/oneOf/0/allOf/0/else/properties/interval/minimum",
      },
      {
        keyword = "if", dataPath = "/A", params = { failingKeyword = "else" },
        schemaPath = "#/oneOf/0/allOf/0/if", message = 'should match "else" schema',
      },
      {
        keyword = "enum", dataPath = "/A/interval", params = { allowedValues = { 0 } },
        schemaPath = "#/oneOf/1/allOf/0/properties/interval/enum",
        message = "should be equal to one of the allowed values",
      },
      {
        keyword = "oneOf", dataPath = "/A", params = { passingSchemas = json.null },
        schemaPath = "#/oneOf", message = "should match exactly one schema in oneOf",
      },
      {
        keyword = "if", dataPath = "/A", params = { failingKeyword = "then" },
        schemaPath = "#/allOf/0/if", message = 'should match "then" schema',
      },
    })
    refused({ class = "Telemetry", A = { class = "Telemetry_System", systemPoller = "P" } }, {
      {
        keyword = "declarationClass", propertyName = "systemPoller", params = {},
        dataPath = "/A/systemPoller",
        message = 'declaration with name "P" and class "Telemetry_System_Poller" doesn\'t exist',
      },
      {
        keyword = "type", dataPath = "/A/systemPoller", params = { type = "object" },
        schemaPath = "#/type", message = "should be object",
      },
      {
        keyword = "type", dataPath = "/A/systemPoller", params = { type = "array" },
        schemaPath = "#/allOf/0/then/properties/systemPoller/oneOf/2/type",
        message = "should be array",
      },
      {
        keyword = "oneOf", dataPath = "/A/systemPoller", params = { passingSchemas = json.null },
        schemaPath = "#/allOf/0/then/properties/systemPoller/oneOf",
        message = "should match exactly one schema in oneOf",
      },
    })
  end)

  it("finds the first mistake in the order of the text", function()
    local bad = '{"class":"Telemetry","Z":{"class":"Nope"},"A":{"class":"Nope"}}'
    assert.equal("/Z/class", post(bad).json.error[1].dataPath)
  end)

  it("follows pointers, and refuses those that mean nothing", function()
    local function with(path)
      return {
        class = "Telemetry",
        Shared = { class = "Shared", where = { class = "Constants", path = "/in" } },
        A = {
          class = "Telemetry_Consumer", type = "Generic_HTTP", host = "192.0.2.9", path = path,
        },
      }
    end
    local good = post(with "`=/Shared/where/path`")
    assert.equal(200, good.status, good.body)
    assert.equal("`=/Shared/where/path`", good.json.declaration.A.path) -- it stays as it is
    local function message(path)
      local answer = post(with(path))
      assert.equal(422, answer.status)
      return answer.json.error[1].message
    end
    assert.equal("Unable to expand JSON-pointer '`=/A/host`': Error: absolute pointer: /A/host "
      .. "requires pointers root to be 'Shared'", message "`=/A/host`")
    assert.equal("Unable to expand JSON-pointer '`=/Shared/no/path`': TypeError: Cannot read "
      .. "property 'path' of undefined", message "`=/Shared/no/path`")
    assert.equal("Unable to expand JSON-pointer '`=/Shared': Error: `=/Shared '=' at 0 missing "
      .. "second backquote", message "`=/Shared")
  end)

  it("has namespaces", function()
    post { class = "Telemetry", L = { class = "Telemetry_Listener" } }
    local answer = post({
      class = "Telemetry_Namespace", L = { class = "Telemetry_Listener", port = 6601 },
    }, "/namespace/Blue/declare")
    assert.equal(200, answer.status, answer.body)
    assert.equal(6601, answer.json.declaration.L.port)
    assert.same(answer.json, get "/namespace/Blue/declare".json)
    local all = get "/declare".json.declaration
    assert.equal(6514, all.L.port)
    assert.equal(6601, all.Blue.L.port)
    assert.equal("Bad URL: /shared/telemetry/namespace/Red/declare",
      get "/namespace/Red/declare".json.error)
    local taken = post({ class = "Telemetry_Namespace" }, "/namespace/L/declare")
    assert.equal(500, taken.status)
    assert.matches('Unable to override existing object with name "L"', taken.json.error)
    local bad = post({ class = "Telemetry_Namespace", C = { class = "Controls" } },
      "/namespace/Blue/declare")
    assert.equal("/C/class", bad.json.error[1].dataPath)
    assert.same(all, get "/declare".json.declaration)
  end)

  it("refuses paths, methods and bodies of another type", function()
    assert.same({
      code = 404, message = "Not Found", error = "Bad URL: /shared/telemetry/declare/x",
    }, get "/declare/x".json)
    local answer = curl { device, "DELETE", ROOT .. "/declare" }
    assert.same({
      code = 405, message = "Method Not Allowed", error = "Allowed methods: GET, POST",
    }, answer.json)
    local text = curl {
      device, "POST", ROOT .. "/declare", body = '{"class":"Telemetry"}',
      headers = { ["Content-Type"] = "text/plain" },
    }
    assert.same({
      code = 415, message = "Unsupported Media Type",
      error = "Accepted Content-Type: application/json",
    }, text.json)
  end)

  it("says that it collects no data", function()
    assert.equal(404, get "/pullconsumer/Pull".status)
    post {
      class = "Telemetry", P = { class = "Telemetry_System_Poller", interval = 0 },
      Pull = { class = "Telemetry_Pull_Consumer", type = "default", systemPoller = "P" },
      L = { class = "Telemetry_Listener" },
    }
    local answer = get "/pullconsumer/Pull"
    assert.equal(501, answer.status)
    assert.matches("not simulated", answer.json.error)
    assert.equal(404, post({ a = 1 }, "/eventListener/L").status)
    local unreachable = post {
      class = "Telemetry",
      A = {
        class = "Telemetry_Consumer", type = "Graphite", host = "192.0.2.1",
        enableHostConnectivityCheck = true,
      },
    }
    assert.equal(422, unreachable.status)
    assert.equal("enableHostConnectivityCheck is not simulated",
      unreachable.json.error[1].reason.errors[1].message)
  end)

  it("knows the numbers of its version and of those before", function()
    lab.stop(device)
    device = sim.start { extensions = { "ts=1.30.0" } }
    local function try(number)
      return post({ class = "Telemetry", schemaVersion = number }).status
    end
    assert.equal("200 200 422", table.concat({ try "1.30.0", try "1.4.0", try "1.31.0" }, " "))
  end)

  -- The examples of F5: name -> declaration.
  local function examples()
    local folder = os.getenv "F5LUA_TS"
    if not folder then return nil end
    local found = {}
    local list <close> = assert(io.popen(("git --git-dir=%s ls-tree -r --name-only HEAD %s"):format(
      folder, EXAMPLES)))
    for name in list:lines() do
      local git <close> = assert(io.popen(("git --git-dir=%s show HEAD:%s"):format(folder, name)))
      if name:find "%.json$" then found[name] = json.decode(git:read "a") end
    end
    return found
  end

  -- Whether all that was declared is in the answer, maybe converted; secrets are encrypted.
  local function is_in(declared, answered)
    if type(declared) ~= "table" or declared == json.null then
      return tostring(declared) == tostring(answered)
    end
    if declared.cipherText then return answered.protected == "SecureVault" end
    for key, value in pairs(declared) do
      if type(answered) ~= "table" or not is_in(value, answered[key]) then return false end
    end
    return true
  end

  -- Puts a property that nobody knows into each object of a declaration, one after another. Counts
  -- the tries, and the refusals that name the object.
  local function break_objects(declaration, sum)
    for key, object in pairs(declaration) do
      if type(object) == "table" and object.class ~= "Shared" then
        object.bogus = "x"
        local mistake = ((post(declaration).json or {}).error or {})[1]
        sum.broken = sum.broken + 1
        if mistake and tostring(mistake.dataPath):find("/" .. key, 1, true) == 1 then
          sum.named = sum.named + 1
        end
        object.bogus = nil
      end
    end
  end

  it("takes the examples of F5, and refuses them with a mistake", function()
    local all = examples()
    if not all then return pending "F5LUA_TS is not set" end
    local words = "mkdir /example_download_folder; echo > /example_download_folder/x"
    curl(device, "POST", "/mgmt/tm/util/bash",
      { command = "run", utilCmdArgs = ("-c '%s'"):format(words) })
    local sum, lost = { count = 0, whole = 0, broken = 0, named = 0 }, {}
    for name, declaration in pairs(all) do
      local answer = post(declaration)
      sum.count = sum.count + 1
      if answer.status == 200 and is_in(declaration, answer.json.declaration) then
        sum.whole = sum.whole + 1
      else
        lost[#lost + 1] = name .. ": " .. answer.body
      end
      break_objects(declaration, sum)
    end
    local figures = ("%d of %d examples; %d of %d mistakes named with their path\n%s"):format(
      sum.whole, sum.count, sum.named, sum.broken, table.concat(lost, "\n"))
    assert.is_true(sum.count >= 50, figures)
    assert.equal(sum.count, sum.whole, figures)
    assert.equal(sum.broken, sum.named, figures)
  end)
end)
