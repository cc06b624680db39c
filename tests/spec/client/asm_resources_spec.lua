-- ASM over HTTPS: ids, namespaces and links; OData; many entities at once; what ASM does not do.
local f5 = require "f5"
local lab = require "lab"
local sim = require "f5.sim"

local failure <const> = lab.failure

local function names(list, property)
  local values = {}
  for index, one in ipairs(list) do values[index] = one[property or "name"] end
  table.sort(values)
  return values
end

local HASH <const> = ("[%w_-]"):rep(22)

describe("G27 ASM", function()
  local device, bip, asm
  before_each(function()
    device, bip = lab.start { provision = { "ltm", "asm" } }
    asm = f5.asm(bip)
  end)
  after_each(function() lab.stop(bip, device) end)

  it("names everything by hashes, as real devices make them", function()
    local policy <const> = asm.policies:create { name = "web" }
    assert.matches("^" .. HASH .. "$", policy.id)
    assert.equal("/Common/web", policy.fullPath)
    assert.equal("tm:asm:policies:policystate", policy.kind)
    -- Recorded from devices of several versions.
    assert.equal(
      "EStDgGiP9nSPgKBhSlDyvQ",
      bip:at("asm/signature-systems"):list({ filter = { name = "General Database" } })[1].id
    )
    assert.equal(
      "9yL3q5_pO0E3pK1Uz9x2cw",
      bip:at("asm/attack-types"):list({ filter = { name = "Remote File Include" } })[1].id
    )
    assert.equal(
      "pBeUaadz6x-Z55_GkLxfsg",
      bip
        :at("asm/signature-sets")
        :list({ filter = { name = "Generic Detection Signatures" } })[1].id
    )
    assert.equal("jmHjN-Fpm-SGwYQsrZp57A", asm:template("SharePoint 2007 (http)").id)
  end)

  it("has every namespace of the table, and each can be read", function()
    local found = {}
    for _, item in ipairs(bip.asm:load().items) do
      found[item.reference.link:match("/tm/asm/([^?]+)")] = true
    end
    for _, name in ipairs {
      "attack-types",
      "signatures",
      "signature-statuses",
      "signature-sets",
      "signatures-update",
      "signature-systems",
      "policy-templates",
      "policies",
      "tasks",
      "server-technologies",
      "advanced-settings",
      "policy-diffs",
      "data-protection",
      "events",
    } do
      assert.is_true(found[name], name)
      assert.matches("^tm:asm:" .. name:gsub("%-", "%%-"), bip:at("asm", name):load().kind)
    end
    assert.is_true(#bip:at("asm/tasks"):load().items >= 16)
  end)

  it("links to every part of a policy, and every link can be followed", function()
    local policy <const> = asm.policies:create { name = "web" }
    local followed, collections = 0, 0
    for name, value in pairs(policy) do
      if name:find("Reference$") and value.link then
        local body <const> = asm:follow(value):load()
        assert.matches("^tm:asm:", body.kind, name)
        if value.isSubCollection then
          collections = collections + 1
          assert.matches("collectionstate$", body.kind, name)
        end
        followed = followed + 1
      end
    end
    assert.is_true(followed > 70, tostring(followed))
    assert.is_true(collections > 40, tostring(collections))
    assert.equal("tm:asm:policies:urls:parameters:parametercollectionstate",
      asm:follow(asm:policy("web").urls:list()[1].parameterReference):load().kind)
  end)

  it("finds a policy by name and by full path", function()
    asm.policies:create { name = "web" }
    local made <const> = asm.policies:create { fullPath = "/Common/other" }
    assert.equal(made.id, asm:policy("other"):load().id)
    assert.equal(made.id, asm:policy("/Common/other"):load().id)
    assert.equal(made.id, asm:policy(made):load().id)
    assert.equal("not_found", failure(asm.policy, asm, "nope").kind)
    assert.equal("not_found", failure(function() asm.policies:at("Lx3553-321"):load() end).kind)
  end)

  it("is absent where ASM is not provisioned", function()
    local plain <const> = sim.start { provision = { "ltm" } }
    local options <const> = plain:options "admin"
    options.retries = 0
    local other <const> = f5.connect(options)
    local ok <const>, err <const> = pcall(function() return other.asm:load() end)
    local found = false
    for _, item in ipairs(other:request("GET", "/mgmt/tm").items or {}) do
      found = found or item.reference.link:find("/tm/asm", 1, true) ~= nil
    end
    lab.stop(other, plain)
    assert.is_false(ok)
    assert.equal(404, err.status)
    assert.matches("Public URI path not registered", err.message)
    assert.is_false(found)
  end)

  it("sends micros as the floats that real devices send", function()
    local policy <const> = asm.policies:create { name = "web" }
    assert.equal("float", math.type(policy.lastUpdateMicros))
    assert.equal(math.floor(device:now() / 6e7), math.floor(policy.lastUpdateMicros / 6e7))
  end)

  it("shows an example of each kind, with defaults and choices", function()
    local policy <const> = asm.policies:create { name = "web" }
    local example <const> = asm:policy(policy).urls:example()
    assert.equal("explicit", example.type)
    assert.same({ "explicit", "wildcard" }, example.typeEnums)
    assert.equal("", example.name)
    assert.is_nil(example.propertyDescriptions)
  end)
end)

describe("G28 ASM OData", function()
  local device, bip, asm, policy, urls
  before_each(function()
    device, bip = lab.start { provision = { "asm" } }
    asm = f5.asm(bip)
    policy = asm:policy(asm.policies:create { name = "web" })
    urls = policy.urls
    for _, one in ipairs {
      { name = "/login.php", description = "log'in" },
      { name = "/admin", protocol = "https", performStaging = false },
      { name = "/api/v1", method = "GET" },
      {
        name = "/api/v2",
        method = "POST",
        methodOverrides = { { method = "PUT", allowed = false }, { method = "GET" } },
      },
    } do
      urls:create(one)
    end
  end)
  after_each(function() lab.stop(bip, device) end)

  it("has the functions", function()
    assert.same({ "/api/v1", "/api/v2" }, names(urls:list { filter = "contains(name, 'api')" }))
    assert.same({ "/api/v1", "/api/v2" }, names(urls:list { filter = "startswith(name,'/api')" }))
    assert.same({ "/login.php" }, names(urls:list { filter = "endswith(name,'.php')" }))
    assert.same({ "/admin" }, names(urls:list { filter = "substringof('adm', name)" }))
    assert.same(
      { "/login.php" },
      names(urls:list { filter = f5.filter { description = { contains = "log'in" } } })
    )
  end)

  it("has the operators and groups", function()
    assert.same(
      { "/admin" },
      names(urls:list { filter = "type eq explicit and performStaging eq false" })
    )
    assert.same(
      { "/admin", "/login.php" },
      names(
        urls:list { filter = "(name eq '/admin' OR name eq '/login.php') AND type eq explicit" }
      )
    )
    assert.same({ "*", "*" }, names(urls:list { filter = "not (type eq explicit)" }))
    assert.same(
      { "/api/v2" },
      names(
        urls:list {
          filter = "methodOverrides/method eq 'PUT' and methodOverrides/allowed eq false",
        }
      )
    )
    assert.same(
      {},
      names(
        urls:list {
          filter = "methodOverrides/method eq 'GET' and methodOverrides/allowed eq false",
        }
      )
    )
    assert.same(
      { "/api/v2" },
      names(urls:list { filter = { method = { ne = "GET" }, name = { startswith = "/api" } } })
    )
    local sets <const> = bip:at("asm/signature-sets")
    assert.equal(
      #sets:list(),
      #sets:list { filter = "lastUpdateMicros lt 1" }
        + #sets:list { filter = "lastUpdateMicros ge 1" }
    )
    assert.equal(
      400,
      failure(function() urls:list { filter = "name eq a or type eq b" } end).status
    )
    assert.matches(
      "one property only",
      failure(function() urls:list { filter = "name eq a or type eq b" } end).message
    )
    assert.matches(
      "'nmae' is not a property",
      failure(function() urls:list { filter = "nmae eq a" } end).message
    )
  end)

  it("orders, selects and counts", function()
    local list <const> =
      urls:list { filter = "type eq explicit", orderby = "name desc", select = { "name" } }
    assert.equal("/login.php", list[1].name)
    assert.equal("/admin", list[4].name)
    assert.is_nil(list[1].protocol)
    assert.matches("urls/", list[1].selfLink)
    local body <const> = urls:load { top = 2, skip = 1 }
    assert.equal(2, #body.items)
    assert.equal(6, body.totalItems)
    assert.equal(400, failure(function() urls:list { orderby = "name sideways" } end).status)
  end)

  it("expands what is linked", function()
    local signature <const> = policy.signatures:list({ expand = "signatureReference", top = 1 })[1]
    assert.equal("tm:asm:signatures:signaturestate", signature.signatureReference.kind)
    assert.is_truthy(signature.signatureReference.rule)
    -- By the path of a part it stands under that name, as recorded.
    local whole <const> = asm.policies:list({ expand = { "general", "csrf-urls" } })[1]
    assert.equal(7, whole.general.enforcementReadinessPeriod)
    assert.equal("*", whole["csrf-urls"][1].url)
    assert.is_nil(whole.csrfUrlReference)
    assert.equal(400, failure(function() asm.policies:list { expand = "nothing" } end).status)
    local err <const> = failure(
      function()
        policy.signatures:list {
          expand = "signatureReference", orderby = "signatureReference/name",
        }
      end
    )
    assert.matches("subfield of an expanded field", err.message)
  end)

  it("aggregates", function()
    local settings <const> = bip:at("asm/advanced-settings")
    local total, greatest, count = 0, 0, 0
    for one in settings:each() do
      total, greatest, count = total + one.value, math.max(greatest, one.value), count + 1
    end
    local body <const> = settings:load {
      query = {
        ["$apply"] = "aggregate(value with sum as total,value with max as most,value with average "
          .. "as mean)",
      },
    }
    assert.equal(total, body.items[1].total)
    assert.equal(greatest, body.items[1].most)
    assert.near(total / count, body.items[1].mean, 1e-6)
    assert.equal(greatest, settings:load({ select = "MAX(value)" }).items[1]["MAX(value)"])
    assert.equal(400, failure(function() settings:load { select = "SUM(name)" } end).status)
  end)

  it("is paged through by `each`, 500 at a time", function()
    for index = 1, 505 do policy.parameters:create { name = ("p%03d"):format(index) } end
    local count, seen = 0, {}
    for one in policy.parameters:each {
      filter = { name = { startswith = "p" } }, orderby = "name",
    } do
      count = count + 1
      seen[one.name] = (seen[one.name] or 0) + 1
    end
    assert.equal(505, count)
    for name, times in pairs(seen) do assert.equal(1, times, name) end
    assert.equal(507, #policy.parameters:list())
    assert.equal(7, #policy.parameters:list { top = 7, page = 3 })
    assert.equal(500, #policy.parameters:load().items)
  end)
end)

describe("G29 ASM: many at once, and what it refuses", function()
  local device, bip, asm, policy
  before_each(function()
    device, bip = lab.start { provision = { "asm" } }
    asm = f5.asm(bip)
    policy = asm:policy(asm.policies:create { name = "web" })
    for index = 1, 5 do policy.urls:create { name = "/u" .. index } end
  end)
  after_each(function() lab.stop(bip, device) end)

  it("modifies all that match, in one call", function()
    local before <const> = #device:log()
    local changed <const> =
      policy.urls:modify_all { filter = { type = "explicit" }, set = { performStaging = false } }
    assert.equal(before + 1, #device:log())
    assert.same({ "/u1", "/u2", "/u3", "/u4", "/u5" }, names(changed))
    assert.equal(5, #policy.urls:list { filter = { performStaging = false } })
    assert.equal(2, #policy.urls:list { filter = { performStaging = true } })
    assert.equal(7, #policy.urls:modify_all { all = true, set = { performStaging = false } })
  end)

  it("deletes all that match, in one call", function()
    local gone <const> = policy.urls:delete_all { filter = f5.filter { name = { endswith = "2" } } }
    assert.same({ "/u2" }, names(gone))
    assert.equal(6, #policy.urls:list())
    policy.urls:delete_all { all = true }
    assert.equal(0, #policy.urls:list())
  end)

  it("says what is wrong with a call, before anything is sent", function()
    local urls <const>, explicit <const> = policy.urls, { type = "explicit" }
    local vulnerability <const> = "/mgmt/tm/asm/policies/x/vulnerabilities/y"
    local before <const> = #device:log()
    for _, case in ipairs {
      { urls.delete_all, urls, {}, "delete_all: no filter; use all = true to select every" },
      { urls.delete_all, urls, "x", "delete_all: expected { filter = … }" },
      { urls.delete_all, urls, { filter = explicit, all = true },
        "delete_all: give either a filter or all = true" },
      { urls.delete_all, urls, { all = true, set = {} }, "delete_all: unknown option 'set'" },
      { urls.modify_all, urls, { set = { performStaging = false } }, "modify_all: no filter" },
      { urls.modify_all, urls, { filter = explicit }, "modify_all: 'set' is empty" },
      { urls.modify_all, urls, { all = true, set = {} }, "modify_all: 'set' is empty" },
      { urls.modify_all, urls, { all = true, set = true }, "modify_all: 'set' is empty" },
      { urls.modify_all, urls, { all = true, sett = {} }, "modify_all: unknown option 'sett'" },
      { bip.ltm.pool.delete_all, bip.ltm.pool, { filter = { partition = "Common" } },
        "delete_all works on collections of ASM only" },
      { asm.follow, asm, "x", "follow: expected a link of the device, got x" },
      { asm.policy, asm, "", "expected the name of a policy, got a string" },
      { asm.policy, asm, 7, "expected the name of a policy, got a number" },
      { asm.task, asm, nil, "task: expected the name of a task, got a nil" },
      { asm.resolve_vulnerabilities, asm, {}, "resolve_vulnerabilities: the list is empty" },
      { asm.resolve_vulnerabilities, asm, "x", "resolve_vulnerabilities: expected a list, got a " },
      { asm.resolve_vulnerabilities, asm, { "x" },
        "expected a vulnerability: its link or the object, got x" },
      { function() asm:resolve_vulnerabilities({ vulnerability }, { stages = true }) end, nil, nil,
        "resolve_vulnerabilities: unknown option 'stages'" },
      { function() asm:resolve_vulnerabilities({ vulnerability }, 1) end, nil, nil,
        "resolve_vulnerabilities: expected a table of options, got a number" },
      { function() asm:suggestions(policy, "x") end, nil, nil,
        "suggestions: expected a table of options, got a string" },
      { function() asm.live:install "asm-attack-signatures" end, nil, nil,
        "expected the id of an installation or one of installations(), got a nil" },
    } do
      local ok, err = pcall(case[1], case[2], case[3])
      assert.same({ false, "usage" }, { ok, not ok and err.kind or nil }, case[4])
      assert.matches(case[4], err.message, 1, true)
    end
    assert.equal(before, #device:log())
  end)

  it("wants a filter, or the word that all are meant", function()
    local before <const> = #device:log()
    for _, call in ipairs {
      function() policy.urls:delete_all {} end,
      function() policy.urls:modify_all { set = { performStaging = false } } end,
      function() policy.urls:modify_all { filter = { type = "explicit" } } end,
      function() policy.urls:delete_all { filter = { type = "explicit" }, all = true } end,
      function() bip.ltm.pool:delete_all { filter = { partition = "Common" } } end,
    } do
      assert.equal("usage", failure(call).kind)
    end
    assert.equal(before, #device:log())
    -- The device itself: a PATCH of a collection names the entities.
    assert.equal(400, failure(function() policy.urls:modify { performStaging = false } end).status)
  end)

  it("does not do it where the table says so", function()
    for _, name in ipairs { "policies", "signatures", "signature-sets" } do
      local err <const> = failure(
        function() bip:at("asm", name):delete_all { filter = "name eq web" } end
      )
      assert.equal("unsupported", err.kind, name)
    end
    assert.equal(
      "unsupported",
      failure(function() bip:at("asm/attack-types"):create { name = "x" } end).kind
    )
    assert.equal("web", policy:load().name)
  end)

  it("refuses PUT", function()
    assert.equal("unsupported", failure(function() policy:replace { description = "x" } end).kind)
    assert.equal(
      "unsupported",
      failure(function() policy.urls:replace { description = "x" } end).kind
    )
  end)

  it("has no statistics, no expandSubcollections and no transactions", function()
    assert.equal(
      404,
      failure(function() bip:request("GET", "/mgmt/tm/asm/policies/stats") end).status
    )
    assert.equal(400, failure(function() asm.policies:load { expand = true } end).status)
    local id <const> = bip:request("POST", "/mgmt/tm/transaction", { body = {} }).transId
    local err <const> = failure(
      function()
        bip:request(
          "POST",
          tostring(policy.urls),
          { body = { name = "/x" }, headers = { ["X-F5-REST-Coordination-Id"] = tostring(id) } }
        )
      end
    )
    assert.equal(400, err.status)
    assert.equal(7, #policy.urls:list())
  end)

  it("refuses what the same name, a wrong type or a wrong choice would make", function()
    assert.matches(
      "already exists",
      failure(function() policy.urls:create { name = "/u1" } end).message
    )
    assert.matches(
      "type boolean is expected",
      failure(function() policy.urls:create { name = "/x", isAllowed = "yes" } end).message
    )
    assert.matches(
      "Valid values are: http, https",
      failure(function() policy.urls:create { name = "/x", protocol = "ftp" } end).message
    )
    assert.matches(
      "Required Fields",
      failure(function() policy.filetypes:create { allowed = false } end).message
    )
    assert.matches(
      "Could not find what 'urlReference' refers to",
      failure(
        function()
          policy["login-pages"]:create {
            urlReference = { link = "https://localhost/mgmt/tm/asm/policies/x/urls/y" },
            accessValidation = { responseContains = "a" },
          }
        end
      ).message
    )
  end)
end)
