-- AS3 on the simulated device: requests, answers, tasks, and how declarations are applied.
local curl = require "curl"
local json = require "f5.json"
local lab = require "lab"
local sim = require "f5.sim"

local APPSVCS <const> = "/mgmt/shared/appsvcs/"
local DECLARE <const> = APPSVCS .. "declare"

local function pool(address)
  return {
    class = "Pool", members = { { servicePort = 80, serverAddresses = { address } } },
  }
end

local function tenant(address)
  return { class = "Tenant", A = { class = "Application", p = pool(address) } }
end

local function adc(tenants)
  local declaration = { class = "ADC", schemaVersion = "3.50.0", id = "x" }
  for name, value in pairs(tenants) do declaration[name] = value end
  return declaration
end

describe("AS3 on the simulated device", function()
  local device

  local function call(method, path, body, options)
    local request = { device, method, path, body = body }
    for key, value in pairs(options or {}) do request[key] = value end
    return curl(request)
  end

  local function declare(tenants, query)
    return call("POST", DECLARE .. (query or ""), adc(tenants))
  end

  local function exists(path) return call("GET", "/mgmt/tm/" .. path).status == 200 end

  local function writes()
    local state = device:state()
    return state.objects.generation
  end

  before_each(function() device = sim.start { extensions = { "as3" } } end)
  after_each(function() lab.stop(device) end)

  it("makes objects, changes nothing the second time, and removes them", function()
    local answer = declare { T = tenant "192.0.2.1" }
    assert.equal(200, answer.status)
    local result = answer.json.results[1]
    assert.equal("success", result.message)
    assert.equal(22, result.lineCount) -- partition, folder, node, pool
    assert.equal("T", result.tenant)
    assert.equal("localhost", result.host)
    assert.equal("x", result.declarationId)
    assert.is_nil(answer.json.code)
    assert.is_true(exists "ltm/pool/~T~A~p/members/~T~192.0.2.1:80")
    local partition = call("GET", "/mgmt/tm/auth/partition/T").json
    assert.matches("^Updated by AS3 at %a%a%a, %d%d %a%a%a %d+ ", partition.description)
    local before = call("GET", "/mgmt/tm/ltm/pool/~T~A~p").json.generation
    local again = declare { T = tenant "192.0.2.1" }
    assert.equal("no change", again.json.results[1].message)
    assert.is_nil(again.json.results[1].lineCount)
    assert.equal(before, call("GET", "/mgmt/tm/ltm/pool/~T~A~p").json.generation)
    local gone = call("DELETE", DECLARE .. "/T")
    assert.equal(200, gone.status)
    assert.equal("success", gone.json.results[1].message)
    for _, path in ipairs { "auth/partition/T", "sys/folder/~T", "ltm/pool/~T~A~p" } do
      assert.is_false(exists(path), path)
    end
    assert.equal(204, call("GET", DECLARE).status)
    assert.equal("no change", call("DELETE", DECLARE .. "/T").json.results[1].message)
  end)

  it("updates a tenant to what a fresh deployment makes", function()
    declare { T = tenant "192.0.2.1" }
    declare { T = tenant "192.0.2.2" }
    assert.is_false(exists "ltm/node/~T~192.0.2.1")
    local members = call("GET", "/mgmt/tm/ltm/pool/~T~A~p/members").json.items
    assert.equal(1, #members)
    assert.equal("/T/192.0.2.2:80", members[1].fullPath)
  end)

  it("gives the members of a pool other nodes with the same addresses", function()
    local named = tenant "192.0.2.1"
    local server = { name = "n1", address = "192.0.2.1" }
    named.A.p.members = { { servicePort = 80, servers = { server } } }
    declare { T = tenant "192.0.2.1" }
    assert.equal("success", declare({ T = named }).json.results[1].message)
    assert.is_true(exists "ltm/node/~T~n1")
    assert.is_false(exists "ltm/node/~T~192.0.2.1")
    assert.equal("success", declare({ T = tenant "192.0.2.1" }).json.results[1].message)
    assert.is_true(exists "ltm/node/~T~192.0.2.1")
    assert.is_false(exists "ltm/node/~T~n1")
    assert.is_true(exists "ltm/pool/~T~A~p/members/~T~192.0.2.1:80")
  end)

  it("refuses values of a wrong type before it touches a tenant", function()
    for _, value in ipairs { "eighty", true, {}, { 1 }, 1.5, json.null } do
      local wrong = tenant "192.0.2.1"
      wrong.A.p.members[1].servicePort = value
      local answer = declare { T = wrong }
      assert.equal(422, answer.status)
      assert.equal("/T/A/p/members/0/servicePort: should be integer",
        (answer.json.errors or { answer.json.message })[1])
    end
    assert.is_false(exists "auth/partition/T")
  end)

  it("makes what is in Common first and removes it last", function()
    local common = { class = "Tenant", Shared = {
      class = "Application", template = "shared", p = pool "192.0.2.8",
    } }
    local answer = declare { T = tenant "192.0.2.1", Common = common }
    local names = {}
    for i, result in ipairs(answer.json.results) do
      names[i] = result.tenant .. " " .. result.message
    end
    assert.equal("Common success, T success, Common no change", table.concat(names, ", "))
    assert.is_true(exists "ltm/pool/~Common~Shared~p")
    assert.equal(200, call("DELETE", DECLARE).status)
    for _, path in ipairs { "ltm/pool/~Common~Shared~p", "sys/folder/~Common~Shared" } do
      assert.is_false(exists(path), path)
    end
  end)

  it("takes back what somebody changed by hand", function()
    declare { T = tenant "192.0.2.1" }
    call("PATCH", "/mgmt/tm/ltm/pool/~T~A~p", { loadBalancingMode = "ratio-member" })
    call("POST", "/mgmt/tm/ltm/pool", { name = "other", partition = "T" })
    assert.equal("success", declare({ T = tenant "192.0.2.1" }).json.results[1].message)
    assert.equal("round-robin", call("GET", "/mgmt/tm/ltm/pool/~T~A~p").json.loadBalancingMode)
    assert.is_false(exists "ltm/pool/~T~other")
    assert.equal("no change", declare({ T = tenant "192.0.2.1" }).json.results[1].message)
  end)

  it("leaves nothing of a tenant that the device refuses, and goes on", function()
    declare { B = tenant "192.0.2.9" }
    local bad = "192.0.2.1%99" -- there is no such route domain
    local before = call("GET", "/mgmt/tm/ltm/pool/~B~A~p/members").json.items[1].fullPath
    local answer = declare { B = tenant(bad), C = tenant "192.0.2.3" }
    assert.equal(207, answer.status)
    assert.equal(207, answer.json.code)
    local by_tenant = {}
    for _, result in ipairs(answer.json.results) do by_tenant[result.tenant] = result end
    assert.equal(422, by_tenant.B.code)
    assert.equal("declaration failed", by_tenant.B.message)
    assert.matches("99", by_tenant.B.response)
    assert.equal("success", by_tenant.C.message)
    assert.equal(before, call("GET", "/mgmt/tm/ltm/pool/~B~A~p/members").json.items[1].fullPath)
    local kept = call("GET", DECLARE).json
    assert.same({ "192.0.2.9" }, kept.B.A.p.members[1].serverAddresses)
    assert.is_table(kept.C)
    local all_bad = declare { N = tenant(bad) }
    assert.equal(422, all_bad.status)
    assert.is_false(exists "auth/partition/N")
  end)

  it("handles tenants in the order of the text", function()
    local text = ('{"class":"ADC","schemaVersion":"3.50.0","Z":%s,"A":%s,"M":%s}'):format(
      json.encode(tenant "192.0.2.1"), json.encode(tenant "192.0.2.2"),
      json.encode(tenant "192.0.2.3")
    )
    local names = {}
    for i, result in ipairs(call("POST", DECLARE, text).json.results) do
      names[i] = result.tenant
    end
    assert.equal("Z A M", table.concat(names, " "))
  end)

  it("removes unnamed tenants in the mode complete only", function()
    declare { T = tenant "192.0.2.1" }
    declare { U = tenant "192.0.2.2" }
    assert.is_true(exists "auth/partition/T")
    local answer = declare { U = tenant "192.0.2.2", updateMode = "complete" }
    assert.equal(2, #answer.json.results)
    assert.is_false(exists "auth/partition/T")
    assert.is_true(exists "auth/partition/U")
  end)

  it("takes only the tenants of the path", function()
    call("POST", DECLARE .. "/T", adc { T = tenant "192.0.2.1", U = tenant "192.0.2.2" })
    assert.is_true(exists "auth/partition/T")
    assert.is_false(exists "auth/partition/U")
    local answer = call("POST", DECLARE .. "/V", adc { T = tenant "192.0.2.1" })
    assert.equal("no change", answer.json.results[1].message)
    local missing = call("GET", DECLARE .. "/T,V")
    assert.equal(404, missing.status)
    assert.equal("specified Tenant(s) 'V' not found in declaration", missing.json.message)
  end)

  it("checks only in a dry run, and shows differences on request", function()
    local before = writes()
    local answer = declare({ T = tenant "192.0.2.1" }, "?controls.dryRun=true")
    assert.equal(200, answer.status)
    assert.is_true(answer.json.dryRun)
    assert.is_true(answer.json.results[1].dryRun)
    assert.equal("success", answer.json.results[1].message)
    assert.is_nil(answer.json.results[1].changes)
    assert.equal(before, writes())
    local wrapped = {
      class = "AS3", action = "dry-run", declaration = adc { T = tenant "192.0.2.1" },
    }
    assert.is_true(call("POST", DECLARE, wrapped).json.dryRun)
    declare { T = tenant "192.0.2.1" }
    local traced = declare({ T = tenant "192.0.2.2" },
      "?controls.dryRun=true&controls.traceResponse=true")
    local kinds = {}
    for _, change in ipairs(traced.json.traces.TDiff) do
      kinds[#kinds + 1] = change.kind .. " " .. table.concat(change.path, " ")
    end
    table.sort(kinds)
    assert.same({ "D /T/192.0.2.1", "E /T/A/p properties members", "N /T/192.0.2.2" }, kinds)
    local traces = traced.json.traces
    assert.equal("192.0.2.2", traces.TDesired["/T/192.0.2.2"].properties.address)
    assert.equal("sys folder", traces.TDesired["/T/A/"].command)
    assert.equal("ltm node", traces.TCurrent["/T/192.0.2.1"].command)
    assert.is_nil(traces.TCurrent["/T/192.0.2.2"])
    assert.matches("\ntmsh::begin_transaction\n.*\ntmsh::create ltm node /T/192%.0%.2%.2 ",
      traces.TScript)
    local same = declare({ T = tenant "192.0.2.1" }, "?controls.traceResponse=true").json.traces
    assert.same({}, same.TDiff)
    assert.is_nil(same.TScript)
    local debugged = declare({ T = tenant "192.0.2.2" },
      "?controls.dryRun=true&controls.logLevel=debug")
    assert.equal(3, #debugged.json.results[1].changes)
    assert.is_true(exists "ltm/node/~T~192.0.2.1")
    local by_tenant = tenant "192.0.2.7"
    by_tenant.controls = { class = "Controls", dryRun = true }
    local warned = declare { T = by_tenant }
    assert.is_true(warned.json.dryRun)
    assert.equal("dryRun true found in Tenant controls",
      warned.json.results[1].warnings[1].message)
  end)

  it("works in the background, one declaration after the other", function()
    device:control("next_declaration", { seconds = 30 })
    local first = declare({ T = tenant "192.0.2.1" }, "?async=true")
    assert.equal(202, first.status)
    assert.equal("Declaration successfully submitted", first.json.results[1].message)
    assert.equal(0, first.json.results[1].code)
    assert.equal("https://localhost" .. APPSVCS .. "task/" .. first.json.id, first.json.selfLink)
    local task = APPSVCS .. "task/" .. first.json.id
    assert.equal("in progress", call("GET", task).json.results[1].message)
    local busy = declare { U = tenant "192.0.2.2" }
    assert.equal(503, busy.status)
    assert.same({ code = 503, message = "Error: Configuration operation in progress on device "
      .. "localhost, please try again in 2 minutes" }, busy.json)
    assert.equal(204, call("GET", DECLARE).status)
    device:advance(31)
    local done = call("GET", task)
    assert.equal(200, done.status)
    assert.equal("success", done.json.results[1].message)
    assert.is_table(done.json.declaration.T)
    assert.equal(200, declare({ U = tenant "192.0.2.2" }).status)
    local unknown = call("GET", APPSVCS .. "task/12")
    assert.equal(404, unknown.status)
    assert.same({ message = "No record found with ID of 12" }, unknown.json)
    assert.equal(3, #call("GET", APPSVCS .. "task").json.items)
  end)

  it("answers 202 after 45 seconds, and shows the refusal in the task", function()
    device:control("next_declaration", { seconds = 60 })
    local late = declare { T = tenant "192.0.2.1" }
    assert.equal(202, late.status)
    device:advance(20)
    assert.equal("success", call("GET", APPSVCS .. "task/" .. late.json.id).json.results[1].message)
    device:control("next_declaration", { seconds = 5 })
    assert.equal("success", declare({ U = tenant "192.0.2.2" }).json.results[1].message)
    local bad = tenant "192.0.2.4"
    bad.A.x = { class = "Nonsense" }
    local refused = declare({ V = bad }, "?async=true")
    assert.equal(202, refused.status)
    device:advance(1)
    local shown = call("GET", APPSVCS .. "task/" .. refused.json.id)
    assert.equal(200, shown.status)
    assert.equal(422, shown.json.results[1].code)
    assert.same({}, shown.json.declaration)
  end)

  it("loses what runs in a restart", function()
    device:control("next_declaration", { seconds = 30 })
    local first = declare({ T = tenant "192.0.2.1" }, "?async=true")
    device:restart { seconds = 2 }
    device:advance(60)
    local shown = call("GET", APPSVCS .. "task/" .. first.json.id).json
    assert.equal("task cancelled", shown.results[1].message)
    assert.equal(0, shown.results[1].code)
    assert.is_false(exists "auth/partition/T")
    assert.equal(200, declare({ T = tenant "192.0.2.1" }).status)
  end)

  it("keeps 25 finished records, and for seven days", function()
    for _ = 1, 27 do call("DELETE", DECLARE .. "/T") end
    assert.equal(25, #call("GET", APPSVCS .. "task").json.items)
    device:advance(8 * 86400)
    assert.equal(0, #call("GET", APPSVCS .. "task").json.items)
  end)

  it("keeps declarations of the past", function()
    for i = 1, 6 do declare { T = tenant("192.0.2." .. i) } end
    local list = call("GET", DECLARE .. "?age=list").json
    assert.equal(4, #list)
    assert.equal(0, list[1].age)
    assert.is_true(exists("ltm/data-group/internal/~Common~" .. list[4].name))
    local old = call("GET", DECLARE .. "?age=1").json
    assert.same({ "192.0.2.5" }, old.T.A.p.members[1].serverAddresses)
    local back = call("POST", DECLARE, { class = "AS3", action = "redeploy", redeployAge = 2 })
    assert.equal(200, back.status)
    assert.is_true(exists "ltm/node/~T~192.0.2.4")
  end)

  it("patches the kept declaration", function()
    declare { T = tenant "192.0.2.1" }
    local answer = call("PATCH", DECLARE, {
      { op = "replace", path = "/T/A/p/members/0/serverAddresses/0", value = "192.0.2.5" },
      { op = "copy", from = "/T/A/p", path = "/T/A/q" },
    })
    assert.equal(200, answer.status)
    assert.is_true(exists "ltm/pool/~T~A~q/members/~T~192.0.2.5:80")
    local test = call("PATCH", DECLARE, { { op = "test", path = "/T", value = 1 } })
    assert.equal(422, test.status)
    assert.equal("invalid patch - op 'test' is not supported", test.json.message)
    local lost = call("PATCH", DECLARE, { { op = "remove", path = "/X/y" } })
    assert.equal(422, lost.status)
    assert.matches("^InvalidPatchOperationError: ", lost.json.message)
  end)

  it("deploys and removes single applications", function()
    local path = DECLARE .. "/T/applications"
    local answer = call("POST", path, {
      schemaVersion = "3.50.0", id = "x", A = { class = "Application", p = pool "192.0.2.1" },
    })
    assert.equal(200, answer.status)
    assert.equal("Application", answer.json.declaration.A.class)
    call("POST", path, {
      schemaVersion = "3.50.0", B = { class = "Application", p = pool "192.0.2.2" },
    })
    assert.is_true(exists "ltm/pool/~T~A~p")
    assert.is_true(exists "ltm/pool/~T~B~p")
    assert.equal("Application", call("GET", path .. "/B").json.B.class)
    assert.equal(404, call("GET", path .. "/C").status)
    assert.equal(200, call("DELETE", path .. "/A").status)
    assert.is_false(exists "ltm/pool/~T~A~p")
    assert.is_true(exists "ltm/pool/~T~B~p")
    assert.equal(400, call("DELETE", path).status)
    local none = call("POST", path, { schemaVersion = "3.50.0" })
    assert.equal(422, none.status)
    assert.equal("Invalid data property: Per-app declaration must contain at least one application",
      none.json.message)
  end)

  it("takes several requests in one array", function()
    local function both(a, b) return { adc(a), adc(b) } end
    local answer =
      call("POST", DECLARE, both({ T = tenant "192.0.2.1" }, { U = tenant "192.0.2.2" }))
    assert.equal(200, answer.status)
    assert.equal(2, #answer.json.items)
    assert.is_true(exists "auth/partition/U")
    local twice =
      call("POST", DECLARE, both({ T = tenant "192.0.2.3" }, { T = tenant "192.0.2.4" }))
    assert.equal(422, twice.status)
    assert.matches("Invalid/Duplicate", twice.json.items[1].message)
    assert.is_true(exists "ltm/node/~T~192.0.2.1")
  end)

  it("refuses what it does not know", function()
    local function refused(status, message, method, path, body)
      local answer = call(method, path, body)
      assert.equal(status, answer.status, path)
      assert.equal(message, answer.json.message)
      assert.equal(status, answer.json.code)
    end
    refused(400, 'unrecognized URL query parameter "statusOnly"', "GET",
      DECLARE .. "?statusOnly=true")
    refused(400, 'query param "async" is not allowed for method=GET or action=retrieve.', "GET",
      DECLARE .. "?async=true")
    refused(400, "Bad Request: Invalid path", "GET", APPSVCS .. "nothing")
    refused(400, 'invalid age value "16" - must be between 0-15 or "list"', "GET",
      DECLARE .. "?age=16")
    refused(422, 'Invalid request: /class: should be equal to constant "AS3"', "POST", DECLARE,
      { class = "Device" })
    refused(422, "Invalid request: /: should be object", "POST", DECLARE, json.array {})
    refused(422, "Invalid request: /declaration: should have required property 'class'", "POST",
      DECLARE, { T = { class = "Tenant" } })
    refused(408, "Request exceeded iControl LX timeout", "POST", DECLARE)
    refused(405, "Method not allowed: PUT", "PUT", DECLARE, { class = "ADC" })
  end)

  it("refuses a mistake in one tenant before it touches any", function()
    local bad = tenant "192.0.2.2"
    bad.A.p.members[1].servicePort = 70000
    local answer = declare { T = tenant "192.0.2.1", U = bad }
    assert.equal(422, answer.status)
    assert.equal("declaration is invalid", answer.json.message)
    assert.same({ "/U/A/p/members/0/servicePort: should be <= 65535" }, answer.json.errors)
    assert.same({ "T", "U" }, answer.json.tenant)
    assert.equal("x", answer.json.declarationId)
    assert.is_false(exists "auth/partition/T")
    bad.A.p = { class = "Pool", loadBalancingMod = "round-robin" }
    local unknown = declare { T = tenant "192.0.2.1", U = bad }
    assert.same({ code = 422, message = "Invalid data property: loadBalancingMod" }, unknown.json)
  end)

  it("fills in defaults on request", function()
    declare { T = tenant "192.0.2.1" }
    assert.is_nil(call("GET", DECLARE).json.T.enable)
    local full = call("GET", DECLARE .. "?show=full").json
    assert.is_true(full.T.enable)
    assert.equal("round-robin", full.T.A.p.loadBalancingMode)
    assert.equal(1, full.T.A.p.members[1].ratio)
  end)

  it("refuses a tenant that has changed since it was read", function()
    local first = declare({ T = tenant "192.0.2.1" }, "?showHash=true").json.declaration.T
    local key = first.optimisticLockKey
    assert.is_string(key)
    assert.equal(key, call("GET", DECLARE .. "?showHash=true").json.T.optimisticLockKey)
    local mine = tenant "192.0.2.2"
    mine.optimisticLockKey = key
    assert.equal("success", declare({ T = mine }).json.results[1].message)
    mine.A = tenant("192.0.2.3").A
    local stale = declare { T = mine }
    assert.equal(422, stale.status)
    assert.matches("^The hash you submitted does not match", stale.json.results[1].message)
    assert.is_nil(stale.json.results[1].response)
    assert.is_true(exists "ltm/node/~T~192.0.2.2")
    assert.is_nil(call("GET", DECLARE).json.T.optimisticLockKey)
  end)

  it("saves the configuration unless it is told not to", function()
    local function saved(persist, address)
      local body = { class = "AS3", persist = persist, declaration = adc { T = tenant(address) } }
      call("POST", DECLARE, body)
      for _, objects in pairs(device:state().saved) do
        if objects["/mgmt/tm/ltm/node/~T~" .. address] then return true end
      end
      return false
    end
    assert.is_false(saved(false, "192.0.2.1"))
    assert.is_true(saved(true, "192.0.2.2"))
  end)

  it("withstands patches and bodies of any form", function()
    declare { T = tenant "192.0.2.1" }
    local before = call("GET", DECLARE).json.T
    local texts = {
      "[]", "[1]", "[[]]", '{"a":1}', '[{"op":1}]', '[{"op":"add","path":"/"}]',
      '[{"op":"replace","path":"","value":{}}]', '[{"op":"remove","path":""}]',
      '[{"op":"add","path":"/T/A/p/members/9","value":1}]', '[{"op":"remove","path":"/class"}]',
      '[{"op":"move","from":"/T","path":"/T/A"}]', '[{"op":"replace","path":"/T","value":5}]',
    }
    for _, text in ipairs(texts) do
      local answer = call("PATCH", DECLARE, text)
      assert.is_true(answer.status >= 400 and answer.status < 500, text .. tostring(answer.status))
      assert.is_string(answer.json.message)
    end
    for _, text in ipairs {
      "{", "null", "[[[[]]]]", '{"class":"ADC","T":[]}', '{"class":"AS3","declaration":[]}',
      '{"class":"ADC","schemaVersion":{},"id":7}', '{"class":"ADC","class":"AS3"}',
      '{"class":"ADC","schemaVersion":"3.50.0","T":' .. ('{"A":'):rep(200) .. "1" .. ("}"):rep(201),
    } do
      local answer = call("POST", DECLARE, text)
      assert.is_true(answer.status >= 400 and answer.status < 500, text .. tostring(answer.status))
    end
    assert.same(before, call("GET", DECLARE).json.T)
    assert.equal(0, device:problems())
  end)

  it("is for administrators only", function()
    local answer = call("GET", DECLARE, nil, { user = "operator:operator" })
    assert.equal(401, answer.status)
    assert.matches("^Authorization failed: user=", answer.json.message)
  end)

  it("keeps its state in a saved device", function()
    declare { T = tenant "192.0.2.1" }
    local state = device:state()
    local other <close> = sim.start { seed = state }
    local answer = curl(other, "POST", DECLARE, adc { T = tenant "192.0.2.1" })
    assert.equal("no change", answer.json.results[1].message)
  end)

  it("leaves behind what AS3 leaves: its last script, and declarations in data groups", function()
    declare { T = tenant "192.0.2.1" }
    local folder = call("GET", "/mgmt/tm/sys/folder/~Common~appsvcs")
    assert.equal(200, folder.status)
    local update = call("GET", "/mgmt/tm/ltm/data-group/internal/~Common~__appsvcs_update")
    assert.equal(200, update.status)
    assert.is_nil(update.json.records)
    declare { U = tenant "192.0.2.1%99" }
    local failed = call("GET", "/mgmt/tm/ltm/data-group/internal/~Common~__appsvcs_update").json
    assert.equal("error", failed.records[1].name)
    assert.matches("99", failed.records[1].data)
    local name = call("GET", DECLARE .. "?age=list").json[1].name
    local group = "/mgmt/tm/ltm/data-group/internal/~Common~" .. name
    local kept = call("GET", group).json
    assert.equal("f5 AS3 declaration (see info in record 0)", kept.description)
    assert.matches("^date^%d%d%d%d%-.*Z|id^x|tenants^T|blocks^1$", kept.records[1].data)
    assert.matches("^eNo", kept.records[2].data) -- zlib, in base64
    -- without its data group a declaration is gone
    call("DELETE", group)
    assert.not_equal(name, call("GET", DECLARE .. "?age=list").json[1].name)
  end)

  it("has a lock while it works, and heeds the lock of another one", function()
    local lock = "/mgmt/tm/ltm/data-group/internal/~Common~appsvcs~____appsvcs_lock"
    device:control("next_declaration", { seconds = 30 })
    declare({ T = tenant "192.0.2.1" }, "?async=true")
    assert.equal(200, call("GET", lock).status)
    device:advance(31)
    assert.equal(404, call("GET", lock).status)
    local now = device:now() // 1000
    for age, status in pairs { [60] = 503, [150] = 200 } do
      call("POST", "/mgmt/tm/ltm/data-group/internal", {
        name = "/Common/appsvcs/____appsvcs_lock", type = "string",
        description = ("%d"):format(now - age * 1000),
      })
      assert.equal(status, declare({ T = tenant "192.0.2.1" }).status)
      call("DELETE", lock)
    end
  end)
end)

describe("extensions of the simulated device", function()
  local device
  before_each(function() device = sim.start {} end)
  after_each(function() lab.stop(device) end)

  local function package_task(body)
    local path = "/mgmt/shared/iapp/package-management-tasks"
    local id = curl(device, "POST", path, body).json.id
    device:advance(5)
    return curl(device, "GET", path .. "/" .. id).json
  end

  it("answer as unregistered until they are installed, and for a while after that", function()
    local info = APPSVCS .. "info"
    local answer = curl(device, "GET", info)
    assert.equal(404, answer.status)
    assert.matches("^URI path /mgmt/shared/appsvcs/info not registered", answer.json.message)
    local name = "f5-appsvcs-3.50.2-3.noarch"
    device:control("write_file",
      { path = "/var/config/rest/downloads/" .. name .. ".rpm", hex = "edabeedb" })
    local done = package_task {
      operation = "INSTALL", packageFilePath = "/var/config/rest/downloads/" .. name .. ".rpm",
    }
    assert.equal("FINISHED", done.status)
    assert.equal(404, curl(device, "GET", info).status)
    device:advance(20)
    local there = curl(device, "GET", info)
    assert.equal(200, there.status)
    assert.same({ version = "3.50.2", release = "3", schemaCurrent = "3.50.0",
      schemaMinimum = "3.0.0" }, there.json)
    package_task { operation = "UNINSTALL", packageName = name }
    device:advance(20)
    assert.equal(404, curl(device, "GET", info).status)
  end)

  it("of an old version know less", function()
    lab.stop(device)
    device = sim.start { extensions = { "as3=3.29.0" } }
    local declaration = adc { T = tenant "192.0.2.1" }
    declaration.schemaVersion = "3.30.0"
    local newer = curl(device, "POST", DECLARE, declaration)
    assert.equal(422, newer.status)
    assert.same({
      '/schemaVersion: data "3.30.0" should match pattern '
        .. '"^3[.]([0-9]|[1][0-9]|2[0-9])($|[.][0-9]+$)"',
    }, newer.json.errors)
    assert.equal("", newer.json.declarationFullId)
    assert.is_nil(newer.json.tenant)
    declaration.schemaVersion = "3.29.0"
    local query = curl(device, "POST", DECLARE .. "?controls.dryRun=true", declaration)
    assert.equal(400, query.status)
    assert.equal('unrecognized URL query parameter "controls.dryRun"', query.json.message)
    declaration.controls = { class = "Controls", dryRun = true }
    local controls = curl(device, "POST", DECLARE, declaration)
    assert.same({ "/controls: should NOT have additional properties" }, controls.json.errors)
    assert.equal(400, curl(device, "GET", DECLARE .. "/T/applications").status)
    declaration.controls = nil
    assert.equal(200, curl(device, "POST", DECLARE, declaration).status)
  end)

  it("refuse unknown names and versions", function()
    local ok, problem = pcall(sim.start, { extensions = { "as4" } })
    assert.is_false(ok)
    assert.matches("there is no extension 'as4'", problem)
    ok, problem = pcall(sim.start, { extensions = { "as3=new" } })
    assert.is_false(ok)
    assert.matches("invalid version 'new' of as3", problem)
  end)
end)
