-- The simulated device's side of the guide's rows on resources: exact bodies, seen by curl.
local curl = require "curl"
local json = require "f5.json"
local lab = require "lab"

local refused <const> = lab.refused

local device
local start <const>, stop <const> = lab.device_of(function(started) device = started end)

local get, post, patch, put, delete = lab.calls(function() return device end)

describe("G1 device: URIs", function()
  before_each(start())
  after_each(stop)

  it("read ~ as /, route domains, spaces and slashes in names", function()
    assert.equal(200, post("/mgmt/tm/ltm/pool", { name = "a b" }).status)
    local spaced = get "/mgmt/tm/ltm/pool/~Common~a%20b"
    assert.equal("/Common/a b", spaced.json.fullPath)
    assert.equal(
      "https://localhost/mgmt/tm/ltm/pool/~Common~a%20b?ver=17.1.3",
      spaced.json.selfLink
    )
    assert.equal(200, post("/mgmt/tm/net/route-domain", { name = "1", id = 1 }).status)
    local member =
      post("/mgmt/tm/ltm/pool/~Common~a%20b/members", { name = "/Common/10.1.1.1%1:80" })
    assert.equal(200, member.status, member.body)
    assert.equal(
      "https://localhost/mgmt/tm/ltm/pool/~Common~a%20b/members/~Common~10.1.1.1%251:80?ver=17.1.3",
      member.json.selfLink
    )
    assert.equal(
      "10.1.1.1%1",
      get("/mgmt/tm/ltm/pool/~Common~a%20b/members/~Common~10.1.1.1%251:80").json.address
    )
    assert.equal("10.1.1.1%1", get("/mgmt/tm/ltm/node/~Common~10.1.1.1%251").json.address)
  end)

  it("are unknown as on a device", function()
    local unknown = get "/mgmt/tm/ltm/nonsense"
    assert.equal(404, unknown.status)
    assert.equal("Public URI path not registered: /tm/ltm/nonsense", unknown.json.message)
    assert.equal(":resterrorresponse", unknown.json.kind)
    refused(
      get "/mgmt/tm/ltm/pool/~Common~nope",
      404,
      "01020036:3: The requested Pool (/Common/nope) was not found.",
      3
    )
    refused(
      get "/mgmt/tm/ltm/pool/nope/members",
      404,
      "01020036:3: The requested Pool (/Common/nope) was not found.",
      3
    )
    post("/mgmt/tm/ltm/pool", { name = "p" })
    refused(get "/mgmt/tm/ltm/pool/p/members/~Common~1.1.1.1:80", 404,
      "01020036:3: The requested Pool Member (/Common/p /Common/1.1.1.1 80) was not found.", 3)
  end)
end)

describe("G2 device: methods", function()
  before_each(start())
  after_each(stop)

  it("are refused where the guide's table has none", function()
    for _, method in ipairs { "PUT", "PATCH", "DELETE" } do
      assert.equal(
        405,
        curl(
          device,
          method,
          "/mgmt/tm/ltm/pool",
          method ~= "DELETE" and { description = "x" } or nil
        ).status
      )
      assert.equal(
        405,
        curl(
          device, method, "/mgmt/tm/ltm", method ~= "DELETE" and { description = "x" } or nil
        ).status
      )
    end
    assert.equal(405, delete("/mgmt/tm/sys/ntp").status)
    assert.equal(200, patch("/mgmt/tm/sys/ntp", { timezone = "UTC" }).status)
    assert.equal(501, post("/mgmt/tm/ltm", { name = "x" }).status)
  end)

  it("DELETE a collection by a glob, and nothing else", function()
    for _, name in ipairs { "a1", "a2", "b1" } do post("/mgmt/tm/ltm/pool", { name = name }) end
    assert.equal(200, delete("/mgmt/tm/ltm/pool?options=a*").status)
    local left = get "/mgmt/tm/ltm/pool"
    assert.equal(1, #left.json.items)
    assert.equal("b1", left.json.items[1].name)
  end)

  it("PATCH changes what is named, PUT resets the rest", function()
    post(
      "/mgmt/tm/ltm/pool",
      {
        name = "p", description = "one", slowRampTime = 20,
        loadBalancingMode = "least-connections-member",
      }
    )
    local patched = patch("/mgmt/tm/ltm/pool/~Common~p", { slowRampTime = 30 })
    assert.same({ "one", 30, "least-connections-member" },
      { patched.json.description, patched.json.slowRampTime, patched.json.loadBalancingMode })
    local replaced = put("/mgmt/tm/ltm/pool/~Common~p", { description = "two" })
    assert.same(
      { "two", 10, "round-robin" },
      { replaced.json.description, replaced.json.slowRampTime, replaced.json.loadBalancingMode }
    )
  end)
end)

describe("G3 device: what every answer has", function()
  before_each(start())
  after_each(stop)

  it("is kind, generation, selfLink, and a short name without its partition", function()
    local made = post("/mgmt/tm/ltm/node", { name = "Test", address = "10.10.10.31" })
    local expected = {
      kind = "tm:ltm:node:nodestate",
      name = "Test",
      partition = "Common",
      fullPath = "/Common/Test",
      selfLink = "https://localhost/mgmt/tm/ltm/node/~Common~Test?ver=17.1.3",
      address = "10.10.10.31",
      connectionLimit = 0,
      dynamicRatio = 1,
      ephemeral = "false",
      fqdn = {
        addressFamily = "ipv4", autopopulate = "disabled", downInterval = 5, interval = "3600",
      },
      logging = "disabled",
      monitor = "default",
      rateLimit = "disabled",
      ratio = 1,
      session = "user-enabled",
      state = "unchecked",
      generation = made.json.generation,
    }
    assert.same(expected, made.json)
    local short = get "/mgmt/tm/ltm/node/Test"
    expected.partition, expected.fullPath, expected.selfLink =
      nil, "Test", "https://localhost/mgmt/tm/ltm/node/Test?ver=17.1.3"
    assert.same(expected, short.json)
    local changed = patch("/mgmt/tm/ltm/node/Test", { session = "user-disabled" })
    assert.equal("Test", changed.json.fullPath)
    assert.is_true(changed.json.generation > short.json.generation)
  end)

  it("takes flags as null, and flags exclude each other", function()
    local virtual = post(
      "/mgmt/tm/ltm/virtual",
      { name = "v", destination = "10.0.0.1:80", disabled = json.null }
    )
    assert.equal(200, virtual.status, virtual.body)
    assert.is_true(virtual.json.disabled)
    assert.is_nil(virtual.json.enabled)
    local enabled = patch("/mgmt/tm/ltm/virtual/v", { enabled = true })
    assert.is_true(enabled.json.enabled)
    assert.is_nil(enabled.json.disabled)
    refused(patch("/mgmt/tm/ltm/virtual/v", { enabled = true, disabled = true }), 400,
      '"enabled" may not be specified with "disabled"', 26214401)
  end)

  it("says tmName where the name is reserved, and reads tmsh's hyphens", function()
    local node = post("/mgmt/tm/ltm/node", { name = "www", fqdn = { name = "www.example.net" } })
    assert.equal("www.example.net", node.json.fqdn.tmName)
    assert.is_nil(node.json.fqdn.name)
    local pool = post("/mgmt/tm/ltm/pool", { name = "p", ["load-balancing-mode"] = "ratio-member" })
    assert.equal("ratio-member", pool.json.loadBalancingMode)
  end)

  it("moves the generation of the parent with that of the child", function()
    local pool = post("/mgmt/tm/ltm/pool", { name = "p" })
    post("/mgmt/tm/ltm/pool/p/members", { name = "10.0.0.1:80" })
    assert.is_true(get("/mgmt/tm/ltm/pool/p").json.generation > pool.json.generation)
  end)
end)

describe("G4 device: versions", function()
  before_each(start())
  after_each(stop)

  it("go into every link, and others are refused", function()
    local old = get "/mgmt/tm/ltm/pool?ver=12.1.0"
    assert.equal("https://localhost/mgmt/tm/ltm/pool?ver=12.1.0", old.json.selfLink)
    post("/mgmt/tm/ltm/pool", { name = "p" })
    assert.equal("https://localhost/mgmt/tm/ltm/pool/~Common~p/members?ver=13.0.0",
      get("/mgmt/tm/ltm/pool/~Common~p?ver=13.0.0").json.membersReference.link)
    for _, version in ipairs { "99.0.0", "10.0.0", "soon" } do
      assert.equal(400, get("/mgmt/tm/ltm/pool?ver=" .. version).status)
    end
  end)
end)

describe("G9 device: discovery", function()
  before_each(start())
  after_each(stop)

  it("lists what is below, and hides what is not provisioned", function()
    local sys = get "/mgmt/tm/sys"
    assert.equal("tm:sys:syscollectionstate", sys.json.kind)
    assert.truthy(sys.body:find("https://localhost/mgmt/tm/sys/application?ver=17.1.3", 1, true))
    assert.equal(404, get("/mgmt/tm/vcmp").status)
    local links = get("/mgmt/tm").body
    assert.truthy(links:find("/mgmt/tm/gtm?", 1, true))
    assert.falsy(links:find("/mgmt/tm/vcmp?", 1, true))
    assert.equal(404, get("/mgmt/tm/pem").status)
    assert.equal(200, patch("/mgmt/tm/sys/provision/pem", { level = "nominal" }).status)
    assert.equal("tm:pem:pemcollectionstate", get("/mgmt/tm/pem").json.kind)
  end)

  it("leads to collections that can all be read", function()
    local failed = {}
    local function walk(path, depth)
      local answer = get(path)
      if answer.status ~= 200 or not (answer.json.kind or ""):find "^tm:" then
        failed[#failed + 1] = path .. " " .. answer.status
      end
      for _, item in ipairs(answer.json and answer.json.items or {}) do
        if item.reference and depth > 0 then
          walk(item.reference.link:match "localhost(/[^?]*)", depth - 1)
        end
      end
    end
    walk("/mgmt/tm/ltm", 1)
    walk("/mgmt/tm/cm", 1)
    walk("/mgmt/tm/auth", 1)
    assert.same({}, failed)
  end)
end)

describe("G10 device: paging", function()
  before_each(start())
  after_each(stop)

  it("has all nine properties, and no previousLink on the first page", function()
    for i = 1, 5 do post("/mgmt/tm/ltm/pool", { name = "p" .. i }) end
    local first = get "/mgmt/tm/ltm/pool?$top=2"
    assert.same(
      { 2, 2, 1, 1, 5, 3 },
      {
        first.json.currentItemCount, first.json.itemsPerPage, first.json.pageIndex,
        first.json.startIndex, first.json.totalItems, first.json.totalPages,
      }
    )
    assert.equal("https://localhost/mgmt/tm/ltm/pool?$top=2&ver=17.1.3", first.json.selfLink)
    assert.equal(
      "https://localhost/mgmt/tm/ltm/pool?$top=2&$skip=2&ver=17.1.3",
      first.json.nextLink
    )
    assert.is_nil(first.json.previousLink)
    local second = get "/mgmt/tm/ltm/pool?$top=2&$skip=2"
    assert.equal("https://localhost/mgmt/tm/ltm/pool?$top=2&ver=17.1.3", second.json.previousLink)
    assert.equal(
      "https://localhost/mgmt/tm/ltm/pool?$top=2&$skip=4&ver=17.1.3",
      second.json.nextLink
    )
    local last = get "/mgmt/tm/ltm/pool?$top=2&$skip=4"
    assert.same(
      { 1, 3, 5 },
      { last.json.currentItemCount, last.json.pageIndex, last.json.startIndex }
    )
    assert.is_nil(last.json.nextLink)
    assert.equal(5, get("/mgmt/tm/ltm/pool?$inlinecount=allpages").json.totalItems)
    assert.equal(400, get("/mgmt/tm/ltm/pool?$top=0").status)
    assert.equal(400, get("/mgmt/tm/ltm/pool?$skip=x").status)
    assert.same({}, get("/mgmt/tm/ltm/pool?$top=2&$skip=9").json.items)
  end)
end)

describe("G11 device: $filter", function()
  before_each(start())
  after_each(stop)

  it("chooses a partition or a folder, with eq only", function()
    post("/mgmt/tm/auth/partition", { name = "eu" })
    post("/mgmt/tm/sys/folder", { name = "/eu/france" })
    post("/mgmt/tm/ltm/pool", { name = "a" })
    post("/mgmt/tm/ltm/pool", { name = "b", partition = "eu" })
    post("/mgmt/tm/ltm/pool", { name = "c", partition = "/eu/france" })
    local function filtered(text)
      local list = {}
      for _, item in ipairs(get("/mgmt/tm/ltm/pool?$filter=" .. text).json.items or {}) do
        list[#list + 1] = item.name
      end
      return list
    end
    assert.same({ "a" }, filtered "partition%20eq%20Common")
    assert.same({ "b", "c" }, filtered "partition+eq+eu")
    assert.same({ "c" }, filtered "partition%20eq%20/eu/france")
    assert.same({}, filtered "partition%20eq%20none")
    assert.equal(400, get("/mgmt/tm/ltm/pool?$filter=partition%20ne%20eu").status)
    assert.equal(400, get("/mgmt/tm/ltm/pool?$filter=name%20eq%20a").status)
  end)
end)

describe("G12 device: $select and expandSubcollections", function()
  before_each(start())
  after_each(stop)

  it("leave out and put in", function()
    post("/mgmt/tm/ltm/pool", { name = "p", members = { "10.0.0.1:80" } })
    local nodes = get "/mgmt/tm/ltm/node?$select=name,address"
    assert.same({ { name = "10.0.0.1", address = "10.0.0.1" } }, nodes.json.items)
    assert.equal(
      "https://localhost/mgmt/tm/ltm/node?$select=name%2Caddress&ver=17.1.3",
      nodes.json.selfLink
    )
    local plain, expanded =
      get "/mgmt/tm/ltm/pool/p", get "/mgmt/tm/ltm/pool/p?expandSubcollections=true"
    assert.same(
      { link = "https://localhost/mgmt/tm/ltm/pool/p/members?ver=17.1.3", isSubcollection = true },
      plain.json.membersReference
    )
    assert.equal("/Common/10.0.0.1:80", expanded.json.membersReference.items[1].fullPath)
    assert.equal(
      "https://localhost/mgmt/tm/ltm/pool/p?expandSubcollections=true&ver=17.1.3",
      expanded.json.selfLink
    )
  end)
end)

describe("G13 device: stats", function()
  before_each(start())
  after_each(stop)

  it("are nested at each of the three levels", function()
    post("/mgmt/tm/ltm/pool", { name = "p", members = { "10.0.0.1:80" } })
    local one = get "/mgmt/tm/ltm/pool/~Common~p/stats"
    local link = "https://localhost/mgmt/tm/ltm/pool/~Common~p/stats"
    assert.equal("tm:ltm:pool:poolstats", one.json.kind)
    assert.equal(link .. "?ver=17.1.3", one.json.selfLink)
    local entries = one.json.entries[link].nestedStats.entries
    assert.same({ value = 1 }, entries.memberCnt)
    assert.same({ description = "/Common/p" }, entries.tmName)
    assert.same({ description = "unknown" }, entries["status.availabilityState"])
    local members = get "/mgmt/tm/ltm/pool/~Common~p/members/stats"
    assert.equal("tm:ltm:pool:members:membersstats", members.json.kind)
    local member_link <const> = "https://localhost/mgmt/tm/ltm/pool/~Common~p/members/"
      .. "~Common~10.0.0.1:80/stats"
    local member = members.json.entries[member_link].nestedStats
    assert.same({ value = 80 }, member.entries.port)
    assert.same({ description = "/Common/p" }, member.entries.poolName)
    local all = get "/mgmt/tm/ltm/pool/stats"
    assert.equal("tm:ltm:pool:poolcollectionstats", all.json.kind)
    assert.is_table(all.json.entries[link].nestedStats)
  end)

  it("follow the state of what they count", function()
    post("/mgmt/tm/ltm/pool", { name = "p", members = { "10.0.0.1:80", "10.0.0.2:80" } })
    patch(
      "/mgmt/tm/ltm/pool/p/members/~Common~10.0.0.1:80",
      { state = "user-down", session = "user-disabled" }
    )
    local link = "https://localhost/mgmt/tm/ltm/pool/~Common~p/stats"
    local entries = get("/mgmt/tm/ltm/pool/~Common~p/stats").json.entries[link].nestedStats.entries
    assert.same({ value = 1 }, entries.availableMemberCnt)
    assert.same({ value = 2 }, entries.memberCnt)
  end)
end)

describe("G42 device: /example", function()
  before_each(start())
  after_each(stop)

  it("has defaults, choices, descriptions and natural keys", function()
    local answer = get "/mgmt/tm/ltm/pool/example"
    local item = answer.json.items[1]
    assert.equal("tm:ltm:pool:poolcollectionstate", answer.json.kind)
    assert.equal("round-robin", item.loadBalancingMode)
    assert.equal("", item.description)
    assert.same({ "drop", "none", "reselect", "reset" }, item.serviceDownActionEnums)
    assert.same({ "name", "partition", "subPath" }, item.naturalKeyPropertyNames)
    assert.is_string(item.propertyDescriptions.slowRampTime)
    local single = get("/mgmt/tm/sys/ntp/example").json.items[1]
    assert.same({}, single.naturalKeyPropertyNames)
    assert.equal(404, get("/mgmt/tm/sys/version/example").status)
  end)
end)

describe("G44 device: public URIs", function()
  before_each(start())
  after_each(stop)

  it("reach a sub-component when the object is named", function()
    post("/mgmt/tm/gtm/pool/a", { name = "pool5" })
    assert.equal(
      "tm:gtm:pool:a:members:memberscollectionstate",
      get("/mgmt/tm/gtm/pool/a/pool5/members").json.kind
    )
    assert.equal(400, get("/mgmt/tm/gtm/pool/a/members").status)
  end)
end)
