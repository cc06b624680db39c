-- The simulated device's side of the guide's rows on writes: exact bodies, seen by curl.
local json = require "f5.json"
local lab = require "lab"

local refused <const> = lab.refused

local device
local start <const>, stop <const> = lab.device_of(function(started) device = started end)

local get, post, patch, put, delete = lab.calls(function() return device end)

describe("G14 device: create", function()
  before_each(start())
  after_each(stop)

  it("fills in the defaults of the kind", function()
    local pool = post("/mgmt/tm/ltm/pool", { name = "tcb-pool-0" })
    assert.same({
      kind = "tm:ltm:pool:poolstate",
      name = "tcb-pool-0",
      partition = "Common",
      fullPath = "/Common/tcb-pool-0",
      generation = pool.json.generation,
      selfLink = "https://localhost/mgmt/tm/ltm/pool/~Common~tcb-pool-0?ver=17.1.3",
      allowNat = "yes",
      allowSnat = "yes",
      ignorePersistedWeight = "disabled",
      ipTosToClient = "pass-through",
      ipTosToServer = "pass-through",
      linkQosToClient = "pass-through",
      linkQosToServer = "pass-through",
      loadBalancingMode = "round-robin",
      minActiveMembers = 0,
      minUpMembers = 0,
      minUpMembersAction = "failover",
      minUpMembersChecking = "disabled",
      queueDepthLimit = 0,
      queueOnConnectionLimit = "disabled",
      queueTimeLimit = 0,
      reselectTries = 0,
      serviceDownAction = "none",
      slowRampTime = 10,
      membersReference = {
        link = "https://localhost/mgmt/tm/ltm/pool/~Common~tcb-pool-0/members?ver=17.1.3",
        isSubcollection = true,
      },
    }, pool.json)
    refused(post("/mgmt/tm/ltm/pool", { name = "tcb-pool-0" }), 409,
      "01020066:3: The requested Pool (/Common/tcb-pool-0) already exists in partition Common.", 3)
  end)

  it("refuses unknown properties, wrong values and empty bodies", function()
    refused(
      post("/mgmt/tm/ltm/pool", { name = "p", nonsense = 1 }),
      400,
      '"nonsense" unknown property',
      26214401
    )
    refused(
      post("/mgmt/tm/ltm/pool", { name = "p", loadBalancingMode = "any" }),
      400,
      'invalid property value "loadBalancingMode":"any"',
      26214401
    )
    refused(
      post("/mgmt/tm/ltm/pool", { name = "p", slowRampTime = "soon" }),
      400,
      'invalid property value "slowRampTime":"soon"',
      26214401
    )
    refused(
      post("/mgmt/tm/ltm/pool", json.decode "{}"), 400, "one or more properties must be specified",
      1
    )
    assert.equal(404, get("/mgmt/tm/ltm/pool/p").status)
  end)

  it("replaces a list of members as a whole", function()
    post(
      "/mgmt/tm/ltm/pool",
      { name = "p", members = { "10.0.0.1:80", { name = "10.0.0.2:80", ratio = 3 } } }
    )
    local changed = patch("/mgmt/tm/ltm/pool/p", { members = { "10.0.0.2:80", "10.0.0.3:8080" } })
    assert.equal(200, changed.status, changed.body)
    local list = get("/mgmt/tm/ltm/pool/p/members").json.items
    assert.same({ "10.0.0.2:80", "10.0.0.3:8080" }, { list[1].name, list[2].name })
    patch("/mgmt/tm/ltm/pool/p", { members = json.array {} })
    assert.same({}, get("/mgmt/tm/ltm/pool/p/members").json.items)
  end)
end)

describe("G15 device: read-only properties", function()
  before_each(start())
  after_each(stop)

  it("are ignored beside others, and refused alone", function()
    post("/mgmt/tm/ltm/virtual", { name = "v", destination = "10.0.0.1:80" })
    refused(
      patch("/mgmt/tm/ltm/virtual/v", { vsIndex = 7 }), 400,
      "one or more properties must be specified", 1
    )
    local changed = patch("/mgmt/tm/ltm/virtual/v", { vsIndex = 7, description = "d" })
    assert.equal("d", changed.json.description)
    assert.are_not.equal(7, changed.json.vsIndex)
    local one = get("/mgmt/tm/cm/device").json.items[1]
    for _, name in ipairs { "time-zone", "timeZone" } do
      refused(
        put("/mgmt/tm/cm/device/" .. one.name, { [name] = "EDT" }),
        400,
        "one or more properties must be specified",
        1
      )
    end
    assert.equal(
      one.timeZone,
      put("/mgmt/tm/cm/device/" .. one.name, { timeZone = "EDT", location = "x" }).json.timeZone
    )
    refused(
      put("/mgmt/tm/ltm/pool/none", { description = "x" }),
      404,
      "01020036:3: The requested Pool (/Common/none) was not found.",
      3
    )
  end)
end)

describe("G16 device: other partitions", function()
  before_each(start())
  after_each(stop)

  it("are named in the body or by the full path", function()
    post("/mgmt/tm/auth/partition", { name = "fw_objs" })
    assert.equal(
      "/fw_objs/a",
      post("/mgmt/tm/ltm/pool", { name = "a", partition = "fw_objs" }).json.fullPath
    )
    assert.equal(
      "/fw_objs/b",
      post("/mgmt/tm/ltm/pool", { name = "b", partition = "~fw_objs" }).json.fullPath
    )
    assert.equal("/fw_objs/c", post("/mgmt/tm/ltm/pool", { name = "/fw_objs/c" }).json.fullPath)
    assert.equal("fw_objs", get("/mgmt/tm/ltm/pool/~fw_objs~c").json.partition)
    refused(
      post("/mgmt/tm/ltm/pool", { name = "d", partition = "nope" }),
      400,
      "The requested folder (/nope) was not found.",
      26214401
    )
  end)
end)

describe("G17 device: folders", function()
  before_each(start())
  after_each(stop)

  it("are created in three ways", function()
    local root = post("/mgmt/tm/sys/folder", { name = "fw_objs", partition = "/" })
    assert.equal(200, root.status, root.body)
    assert.same(
      { "/fw_objs", "/", "none", "true" },
      {
        root.json.fullPath, root.json.subPath, root.json.deviceGroup,
        root.json.inheritedTrafficGroup,
      }
    )
    assert.is_table(root.json.trafficGroupReference)
    assert.equal("/Common/fw_objs", post("/mgmt/tm/sys/folder", { name = "fw_objs" }).json.fullPath)
    local deep =
      post("/mgmt/tm/sys/folder", { name = "fw_objs", partition = "/", subPath = "fw_objs" })
    assert.same({ "/fw_objs/fw_objs", "fw_objs" }, { deep.json.fullPath, deep.json.partition })
    local pool =
      post("/mgmt/tm/ltm/pool", { name = "p", partition = "fw_objs", subPath = "fw_objs" })
    assert.same({ "/fw_objs/fw_objs/p", "fw_objs" }, { pool.json.fullPath, pool.json.subPath })
    assert.equal("p", get("/mgmt/tm/ltm/pool/~fw_objs~fw_objs~p").json.name)
  end)
end)

describe("G18 device: partitions", function()
  before_each(start())
  after_each(stop)

  it("go when they are empty, and Common never", function()
    post("/mgmt/tm/auth/partition", { name = "eu", description = "Europe" })
    assert.equal(200, get("/mgmt/tm/sys/folder/~eu").status)
    post("/mgmt/tm/ltm/pool", { name = "p", partition = "eu" })
    local full =
      "0107082a:3: All objects must be removed from a partition (eu) before the partition may be "
        .. "removed, type ID (973)"
    refused(delete "/mgmt/tm/auth/partition/eu", 400, full, 3)
    refused(delete "/mgmt/tm/sys/folder/~eu", 400, full, 3)
    assert.equal(200, delete("/mgmt/tm/ltm/pool/~eu~p").status)
    assert.equal(200, delete("/mgmt/tm/sys/folder/~eu").status)
    assert.equal(404, get("/mgmt/tm/auth/partition/eu").status)
    assert.equal(400, delete("/mgmt/tm/auth/partition/Common").status)
    assert.equal(400, delete("/mgmt/tm/sys/folder/~Common").status)
  end)
end)
