-- The guide, row by row, from the playbook's side: resources.
local f5 = require "f5"
local lab = require "lab"
local sim = require "f5.sim"

local failure <const> = lab.failure

local device, bip

local function start()
  device = sim.start {
    users = { { name = "admin", password = "admin", role = "admin" } },
    provision = { "ltm", "gtm" },
  }
  local options = device:options "admin"
  options.retries = { count = 2, delay = 0.01 }
  bip = f5.connect(options)
end

local function stop() lab.stop(bip, device) end

-- The calls since the last question, as "METHOD path?query".
local function seen()
  local list = {}
  for _, call in ipairs(device:log()) do
    list[#list + 1] = call.method
      .. " " .. call.path .. (call.query and call.query ~= "" and "?" .. call.query or "")
  end
  device:clear_log()
  return list
end

local function names(list)
  local sorted = {}
  for _, item in ipairs(list) do sorted[#sorted + 1] = item.name end
  table.sort(sorted)
  return sorted
end

describe("G1 URIs", function()
  before_each(start)
  after_each(stop)

  it("write ~ for /, and encode once", function()
    assert.equal("/mgmt/tm/ltm/pool/~Common~web", tostring(bip.ltm.pool["/Common/web"]))
    assert.equal(
      "/mgmt/tm/ltm/pool/~Common~a%20b%251/members",
      tostring(bip.ltm.pool["/Common/a b%1"].members)
    )
    assert.equal(
      "/mgmt/tm/ltm/data-group/internal/~Common~hosts",
      tostring(bip:at("ltm/data-group/internal", "/Common/hosts"))
    )
    assert.equal("/mgmt/shared/echo", tostring(bip:at "/mgmt/shared/echo"))
    assert.equal(
      "/mgmt/tm/ltm/pool/~Common~a%20b",
      tostring(bip:at "https://localhost/mgmt/tm/ltm/pool/~Common~a%20b?ver=17.1.3")
    )
    assert.equal("/mgmt/tm/ltm/pool/stats", tostring(bip.ltm.pool:at "stats"))
    assert.equal("/mgmt/tm/ltm/pool/a", tostring(bip.ltm.pool.a))
    assert.is_true(bip.ltm.pool.a == bip:at "ltm/pool/a")
    assert.equal("usage", failure(function() return bip.ltm:at "/mgmt/tm/ltm" end).kind)
    assert.equal("usage", failure(function() return bip:at "https://example.net/other" end).kind)
    assert.equal("usage", failure(function() return bip:at() end).kind)
    assert.equal("usage", failure(function() return bip.ltm.pool[1] end).kind)
  end)

  it("reach route domains and names with spaces", function()
    bip.net["route-domain"]:create { name = "1", id = 1 }
    local node = bip.ltm.node["/Common/10.0.0.1%1"]
    assert.equal("10.0.0.1%1", node:create({ address = "10.0.0.1%1" }).name)
    assert.equal("10.0.0.1%1", node:load().address)
    assert.is_true(bip.ltm.node["10.0.0.1%1"]:exists())
    assert.same({ "10.0.0.1%1" }, names(bip.ltm.node:list()))
    local pool = bip.ltm.pool["/Common/web"]
    pool:create { members = { { name = "/Common/10.0.0.1%1:80" } } }
    local member = pool.members:list()[1]
    assert.equal("10.0.0.1%1:80", member.name)
    assert.equal(tostring(pool.members["/Common/10.0.0.1%1:80"]), tostring(bip:at(member.selfLink)))
    assert.equal(
      "user-disabled",
      bip:at(member.selfLink):modify({ session = "user-disabled" }).session
    )
  end)
end)

describe("G2 methods on collections and resources", function()
  before_each(start)
  after_each(stop)

  it("are what the guide's table says", function()
    local pools, pool = bip.ltm.pool, bip.ltm.pool["/Common/p"]
    assert.equal("p", pools:create({ name = "p" }).name)
    assert.equal("p", pool:load().name)
    assert.equal("d", pool:modify({ description = "d" }).description)
    assert.is_nil(pool:replace({ slowRampTime = 5 }).description)
    assert.equal(5, pool:load().slowRampTime)
    for _, method in ipairs { "modify", "replace", "delete" } do
      local err = failure(
        function() pools[method](pools, method ~= "delete" and { description = "d" } or nil) end
      )
      assert.is_true(err.status >= 400 and err.status < 500)
      assert.equal(1, err.attempts)
    end
    assert.is_nil(pool:delete())
    assert.same({}, pools:list())
  end)
end)

describe("G3 properties of answers", function()
  before_each(start)
  after_each(stop)

  it("come as they are: kind, generation, selfLink, null flags, camel case", function()
    local pool = bip.ltm.pool["/Common/p"]:create { members = {} }
    assert.equal("tm:ltm:pool:poolstate", pool.kind)
    assert.equal("integer", math.type(pool.generation))
    assert.matches("^https://localhost/mgmt/tm/ltm/pool/~Common~p%?ver=", pool.selfLink)
    local before = pool.generation
    assert.is_true(bip.ltm.pool["/Common/p"]:modify({ description = "x" }).generation > before)
    assert.is_string(pool.loadBalancingMode)
    device:fault {
      match = { path = "virtual" },
      status = 200,
      body = {
        kind = "tm:ltm:virtual:virtualstate", mirror = f5.null, enabled = true, tmName = "n",
        tmGeneration = 9007199254740993,
      },
    }
    local virtual = bip.ltm.virtual["/Common/v"]:load()
    assert.equal(f5.null, virtual.mirror)
    assert.equal("n", virtual.tmName)
    assert.equal(9007199254740993, virtual.tmGeneration)
  end)
end)

describe("G4 versions", function()
  before_each(start)
  after_each(stop)

  it("are asked for with ver, come back in links, and may be refused", function()
    bip.ltm.pool["/Common/p"]:create {}
    assert.matches("ver=14.1.0$", bip.ltm.pool["/Common/p"]:load({ ver = "14.1.0" }).selfLink)
    local err = failure(function() bip.ltm.pool["/Common/p"]:load { ver = "99.0.0" } end)
    assert.is_true(err.status >= 400 and err.status < 500)
  end)
end)

describe("G6 basic authentication", function()
  before_each(start)
  after_each(stop)

  it("is for administrators", function()
    local options = device:options "admin"
    options.auth = "basic"
    local basic <close> = f5.connect(options)
    assert.is_table(basic.ltm.pool:list())
  end)
end)

describe("G8 login references and providers", function()
  before_each(start)
  after_each(stop)

  it("name who checks the password", function()
    local options = device:options "admin"
    options.provider = "tmos"
    do
      local named <close> = f5.connect(options)
      assert.is_table(named.ltm.pool:list())
    end
    options.provider = "no-such"
    assert.matches("loginProviderName is invalid", failure(f5.connect, options).message)
  end)
end)

describe("G9 discovery", function()
  before_each(start)
  after_each(stop)

  it("follows organizing collections; a module that is not provisioned is absent", function()
    local modules = {}
    for item in bip:at("/mgmt/tm"):each() do
      local name = item.reference and item.reference.link:match "/mgmt/tm/([%w-]+)"
      if name then modules[name] = true end
    end
    assert.is_true(modules.ltm and modules.sys)
    assert.is_nil(modules.asm)
    local parts = {}
    for item in bip.ltm:each() do parts[#parts + 1] = tostring(bip:at(item.reference.link)) end
    assert.matches("/mgmt/tm/ltm/pool\n", table.concat(parts, "\n") .. "\n")
  end)
end)

describe("G10 paging", function()
  local function fill(count)
    for i = 1, count do
      bip.ltm.node:create { name = ("n%03d"):format(i), address = "10.1.0." .. i }
    end
    device:clear_log()
  end

  before_each(start)
  after_each(stop)

  it("has nine properties on a page", function()
    fill(5)
    local page = bip.ltm.node:load { top = 2, skip = 2 }
    assert.equal(2, page.currentItemCount)
    assert.equal(2, page.itemsPerPage)
    assert.equal(2, page.pageIndex)
    assert.equal(3, page.startIndex)
    assert.equal(5, page.totalItems)
    assert.equal(3, page.totalPages)
    assert.matches("skip=4", page.nextLink)
    assert.is_string(page.previousLink)
    assert.matches("ver=", page.selfLink)
    assert.is_nil(bip.ltm.node:load({ top = 2 }).previousLink)
    assert.equal(5, bip.ltm.node:load({ inlinecount = "allpages" }).totalItems or 5)
    assert.matches("inlinecount=allpages", table.concat(seen(), "\n"))
  end)

  it("is done by list and each alone, with as many calls as there are pages", function()
    fill(7)
    assert.equal(7, #bip.ltm.node:list())
    assert.equal(1, #seen())
    local list = bip.ltm.node:list { page = 3 }
    assert.equal(7, #list)
    assert.is_true(f5.json.is_array(list))
    assert.equal(3, #seen())
    local got = {}
    for node in bip.ltm.node:each { page = 3, select = { "name" } } do got[#got + 1] = node end
    assert.equal(7, #got)
    assert.same({ "n001", "n002", "n003", "n004", "n005", "n006", "n007" }, names(got))
    local calls = seen()
    assert.equal(3, #calls)
    for _, call in ipairs(calls) do assert.matches("select=name", call) end
    assert.equal(4, #bip.ltm.node:list { top = 4, page = 3 })
    assert.equal(2, #seen())
    assert.equal(4, #bip.ltm.node:list { top = 4 })
    assert.equal(1, #seen())
    assert.equal(5, #bip.ltm.node:list { skip = 2, page = 2 })
    assert.equal(3, #seen())
    assert.same({}, bip.ltm.node:list { top = 0 })
    assert.same({}, bip.ltm.virtual:list { page = 2 })
  end)

  it("holds one page, and fetches the next when it is wanted", function()
    fill(5)
    for node in bip.ltm.node:each { page = 2 } do
      if node.name == "n002" then break end
    end
    assert.equal(1, #seen())
    local iterator, state = bip.ltm.node:each { page = 2 }
    assert.equal("n001", iterator(state).name)
    assert.equal(1, #seen())
    -- calls inside of the loop, also of the same collection
    local count = 0
    for node in bip.ltm.node:each { page = 2 } do
      for _ in bip.ltm.node:each { page = 4 } do count = count + 1 end
      assert.is_true(bip.ltm.node["/Common/" .. node.name]:exists())
    end
    assert.equal(25, count)
  end)

  it("reports that an object is not a collection", function()
    fill(1)
    local err = failure(function() return bip.ltm.node.n001:list() end)
    assert.equal("usage", err.kind)
    assert.matches(
      "/mgmt/tm/ltm/node/n001 is an object of kind tm:ltm:node:nodestate, not a collection: "
        .. "use load",
      err.message
    )
    err = failure(function()
      for _ in bip.ltm.node.n001:each() do
        error "none"
      end
    end)
    -- without a query
    assert.matches(
      "/mgmt/tm/ltm/node/n001 is an object of kind tm:ltm:node:nodestate, not a collection: "
        .. "use load",
      err.message
    )
    err = failure(function() return bip.ltm.node.n001:list { select = { "address" } } end)
    assert.equal("protocol", err.kind) -- nothing in the answer says that it is an object
    assert.matches("read an object with load, in the shell with f5lua get$", err.message)
  end)
end)

describe("G11 $filter", function()
  before_each(start)
  after_each(stop)

  it("is by partition, with eq", function()
    bip.sys.folder["/part"]:create {}
    bip.ltm.pool["/Common/a"]:create {}
    bip.ltm.pool["/part/b"]:create {}
    assert.same({ "b" }, names(bip.ltm.pool:list { filter = "partition eq part" }))
    assert.same({ "a" }, names(bip.ltm.pool:list { filter = { partition = "Common" } }))
    local calls = seen()
    assert.matches("%$filter=partition%%20eq%%20part", table.concat(calls, "\n"))
    local err = failure(function() return bip.ltm.pool:list { filter = "partition ne part" } end)
    assert.is_true(err.status >= 400 and err.status < 500)
  end)
end)

describe("G12 $select, expandSubcollections, options", function()
  before_each(start)
  after_each(stop)

  it("are options of a call", function()
    bip.ltm.pool["/Common/p"]:create {
      members = { { name = "/Common/10.1.1.1:80", address = "10.1.1.1" } },
    }
    local plain = bip.ltm.pool["/Common/p"]:load()
    assert.is_true(plain.membersReference.isSubcollection)
    assert.is_nil(plain.membersReference.items)
    local expanded = bip.ltm.pool["/Common/p"]:load { expand = true }
    assert.equal("10.1.1.1:80", expanded.membersReference.items[1].name)
    assert.same({ name = "p" }, bip.ltm.pool["/Common/p"]:load { select = "name" })
    device:clear_log()
    bip.sys.connection:load { options = "cs-client-addr 10.0.0.1" }
    assert.matches("options=cs%-client%-addr%%2010.0.0.1", seen()[1])
  end)

  it("are checked by name and type", function()
    local err = failure(function() return bip.ltm.pool:list { selekt = "name" } end)
    assert.equal("usage", err.kind)
    assert.matches(
      "guide_client_spec.lua:%d+: unknown option 'selekt'; did you mean 'select'%?",
      err.message
    )
    assert.matches(
      "'top' must be a whole number",
      failure(function() return bip.ltm.pool:list { top = "2" } end).message
    )
    assert.matches(
      "'select' is an empty list",
      failure(function() return bip.ltm.pool:list { select = {} } end).message
    )
    assert.matches(
      "unknown option 'page'",
      failure(function() return bip.ltm.pool:load { page = 2 } end).message
    )
    assert.matches(
      "expected a table of options, got a string",
      failure(function() return bip.ltm.pool:load "name" end).message
    )
    assert.same({}, seen() and {})
  end)
end)

describe("G13 stats", function()
  before_each(start)
  after_each(stop)

  it("are read flat: of a resource, a sub-collection and a collection", function()
    bip.ltm.pool["/Common/p"]:create {
      members = { { name = "/Common/10.1.1.1:80", address = "10.1.1.1" } },
    }
    bip.ltm.pool["/Common/q"]:create {}
    local stats = bip.ltm.pool["/Common/p"]:stats()
    assert.equal(0, stats["serverside.curConns"])
    assert.equal("unknown", stats["status.availabilityState"])
    assert.equal("/Common/p", stats.tmName)
    local all = bip.ltm.pool:stats()
    assert.equal(2, #all)
    assert.equal("/Common/p", all[1].tmName)
    assert.equal("/Common/q", all[2].tmName)
    local members = bip.ltm.pool["/Common/p"].members:stats()
    assert.equal(1, #members)
    assert.equal(0, members[1]["serverside.curConns"])
  end)
end)

describe("G14 create, modify, replace", function()
  before_each(start)
  after_each(stop)

  it("fill in defaults, change what is named, reset the rest", function()
    local pool = bip.ltm.pool["/Common/p"]
    local created = pool:create { slowRampTime = 30, description = "x" }
    assert.equal("round-robin", created.loadBalancingMode)
    assert.equal(30, created.slowRampTime)
    local modified = pool:modify { loadBalancingMode = "least-connections-member" }
    assert.equal(30, modified.slowRampTime)
    assert.equal("x", modified.description)
    local replaced = pool:replace { slowRampTime = 20 }
    assert.equal("round-robin", replaced.loadBalancingMode)
    assert.equal(20, replaced.slowRampTime)
    assert.is_nil(replaced.description)
    local err = failure(function() pool:create {} end)
    assert.equal("conflict", err.kind)
    assert.equal(409, err.status)
    assert.matches(
      "01020066:3: The requested Pool %(/Common/p%) already exists in partition Common",
      err.message
    )
  end)

  it("check what they are given before anything is sent", function()
    device:clear_log()
    local pool = bip.ltm.pool["/Common/p"]
    assert.matches(
      "modify: expected a table of properties, got a string",
      failure(function() pool:modify "x" end).message
    )
    assert.matches(
      "replace: expected a table of properties, got a nil",
      failure(function() pool:replace() end).message
    )
    assert.matches(
      'name = "other" contradicts the path',
      failure(function() pool:create { name = "other" } end).message
    )
    assert.matches("at f", select(2, pcall(pool.modify, pool, { f = print })))
    assert.matches(
      "call ref:modify{ x = … } to change the device",
      failure(function() pool.x = 1 end).message
    )
    assert.matches("a reference has no length", failure(function() return #pool end).message)
    assert.matches(
      "cannot use pairs on a reference",
      failure(function()
        for _ in pairs(pool) do
        end
      end).message
    )
    assert.matches("call methods with a colon", failure(function() pool.load() end).message)
    assert.same({}, seen())
  end)
end)

describe("G15 read-only properties", function()
  before_each(start)
  after_each(stop)

  it("are ignored; alone they are refused", function()
    local pool = bip.ltm.pool["/Common/p"]
    pool:create {}
    local after = pool:modify { kind = "x", description = "d" }
    assert.equal("d", after.description)
    assert.equal("tm:ltm:pool:poolstate", after.kind)
    local err = failure(function() pool:modify { kind = "x" } end)
    assert.equal("invalid", err.kind)
    assert.equal(400, err.status)
    assert.matches("one or more properties must be specified", err.message)
  end)
end)

describe("G16 other partitions", function()
  before_each(start)
  after_each(stop)

  it("are named by partition or by full path", function()
    bip.auth.partition:create { name = "fw_objs" }
    assert.equal("/fw_objs/a", bip.ltm.pool:create({ name = "a", partition = "fw_objs" }).fullPath)
    assert.equal("/fw_objs/b", bip.ltm.pool["/fw_objs/b"]:create({}).fullPath)
    assert.equal("/fw_objs/c", bip.ltm.pool:create({ name = "/fw_objs/c" }).fullPath)
    assert.equal("x", bip.ltm.pool["/fw_objs/a"]:modify({ description = "x" }).description)
    assert.same({ "a", "b", "c" }, names(bip.ltm.pool:list { filter = { partition = "fw_objs" } }))
  end)
end)

describe("G17 folders", function()
  before_each(start)
  after_each(stop)

  it("are created in three ways", function()
    assert.equal("/one", bip.sys.folder:create({ name = "one", partition = "/" }).fullPath)
    local two = bip.sys.folder:create { name = "two" }
    assert.is_true(two.fullPath == "/Common/two" or two.fullPath == "two")
    assert.equal(
      "/one/three",
      bip.sys.folder:create({ name = "three", partition = "/", subPath = "one" }).fullPath
    )
    assert.equal("/four", bip.sys.folder["/four"]:create({}).fullPath)
    assert.equal("/four/five", bip.sys.folder["/four/five"]:create({}).fullPath)
  end)

  it("hold objects by subPath", function()
    bip.sys.folder["/Common/dir"]:create {}
    local pool = bip.ltm.pool["/Common/dir/p"]:create {}
    assert.equal("dir", pool.subPath)
    assert.equal("/Common/dir/p", pool.fullPath)
    assert.is_true(bip.ltm.pool["/Common/dir/p"]:exists())
  end)
end)

describe("G18 partitions", function()
  before_each(start)
  after_each(stop)

  it("are created, deleted when empty, refused when not; Common never", function()
    bip.sys.folder["/p1"]:create {}
    bip.ltm.pool["/p1/a"]:create {}
    local err = failure(function() bip.sys.folder["/p1"]:delete() end)
    assert.is_true(err.status >= 400 and err.status < 500)
    bip.ltm.pool["/p1/a"]:delete()
    bip.sys.folder["/p1"]:delete()
    assert.is_false(bip.sys.folder["/p1"]:exists())
    assert.is_true(failure(function() bip.sys.folder["/Common"]:delete() end).status >= 400)
  end)
end)

describe("G43 response codes", function()
  before_each(start)
  after_each(stop)

  local cases = {
    { 400, "invalid" },
    { 401, "auth" },
    { 403, "forbidden" },
    { 404, "not_found" },
    { 405, "unsupported" },
    { 409, "conflict" },
    { 415, "invalid" },
    { 500, "protocol" },
    { 501, "unsupported" },
    { 502, "transport" },
    { 503, "not_ready" },
    { 504, "transport" },
  }
  for _, case in ipairs(cases) do
    it(("maps %d to %s"):format(case[1], case[2]), function()
      device:fault {
        match = { path = "pool" },
        times = 5,
        status = case[1],
        body = { code = case[1], message = "planted", errorStack = f5.array {} },
      }
      local err = failure(function() bip.ltm.pool["/Common/x"]:modify { description = "d" } end)
      assert.equal(case[2], err.kind)
      assert.equal(case[1], err.status)
      assert.matches("^planted", err.message)
      device:clear_faults()
    end)
  end

  it("takes 200, 201, 202 and 204 as success, and an empty body as nothing", function()
    for _, status in ipairs { 200, 201, 202 } do
      device:fault { match = { path = "pool" }, status = status, body = { name = "x" } }
      assert.equal("x", bip.ltm.pool:create({ name = "x" }).name)
    end
    device:fault { match = { path = "pool" }, status = 204, body = "" }
    assert.is_nil(bip.ltm.pool["/Common/x"]:delete())
  end)
end)

describe("G44 public URIs", function()
  before_each(start)
  after_each(stop)

  it("reach a sub-component directly", function()
    bip.ltm.pool["/Common/pool5"]:create {
      members = { { name = "/Common/10.1.1.1:80", address = "10.1.1.1" } },
    }
    assert.same({ "10.1.1.1:80" }, names(bip.ltm.pool.pool5.members:list()))
    bip.gtm.pool.a["/Common/pool5"]:create {}
    device:clear_log()
    assert.same({}, bip.gtm.pool.a.pool5.members:list())
    assert.same({ "GET /mgmt/tm/gtm/pool/a/pool5/members" }, seen())
  end)
end)
