-- A day with the API, row by row, from the playbook's side.
local f5 = require "f5"
local lab = require "lab"
local sim = require "f5.sim"

local failure <const> = lab.failure

local LOGIN <const> = "/mgmt/shared/authn/login"

local function paths(device, method)
  local seen = {}
  for _, call in ipairs(device:log()) do
    if call.method == method then
      seen[#seen + 1] = call.path .. (call.query and call.query ~= "" and "?" .. call.query or "")
    end
  end
  return seen
end

local device

local function start(options)
  device = sim.start(options or {})
  return device
end

local function stop() lab.stop(device) end

describe("P1 log in with a non-administrator account", function()
  before_each(start)
  after_each(stop)

  it("keeps the token and knows its end", function()
    local bip <close> = f5.connect(device:options "operator")
    assert.is_true(bip:expires_in() > 1190 and bip:expires_in() <= 1200)
    assert.equal("17.1.3", f5.flat(bip.sys.version:load())[1].Version)
    bip.ltm.pool:list()
    assert.same({ LOGIN }, paths(device, "POST"))
  end)
end)

describe("P2 one connection, verified", function()
  before_each(start)
  after_each(stop)

  it("is reused by 100 calls", function()
    local bip <close> = f5.connect(device:options "operator")
    for _ = 1, 100 do bip.sys.version:load() end
    assert.equal(1, device:connections())
  end)

  it("verifies by default, and switches it off without a word", function()
    local options = device:options "operator"
    options.ca = nil
    assert.equal("tls", failure(f5.connect, options).kind)
    options.verify = false
    local bip <close> = f5.connect(options)
    assert.is_table(bip.sys.version:load())
  end)
end)

describe("P3 sys/version", function()
  before_each(start)
  after_each(stop)

  it("reads nested statistics as plain values", function()
    local bip <close> = f5.connect(device:options "operator")
    local version = f5.flat(bip.sys.version:load())[1]
    assert.equal("BIG-IP", version.Product)
    assert.equal("17.1.3", version.Version)
    assert.equal("0.20.11", version.Build)
  end)
end)

describe("P4 an organizing collection", function()
  before_each(start)
  after_each(stop)

  it("is listed to see what is below it", function()
    local bip <close> = f5.connect(device:options "admin")
    local links = {}
    for item in bip:at("/mgmt/tm/sys"):each() do links[#links + 1] = item.reference.link end
    assert.is_true(#links > 20)
    local found
    for _, link in ipairs(links) do
      if link:find("/mgmt/tm/sys/application", 1, true) then found = bip:at(link) end
    end
    assert.equal("/mgmt/tm/sys/application", tostring(found))
  end)
end)

describe("P5 the token expires in mid-run", function()
  before_each(start)
  after_each(stop)

  it("is replaced without the stale header, and the call is made again, once", function()
    local bip <close> = f5.connect(device:options "operator")
    bip.ltm.node:list()
    device:advance(1300)
    assert.equal(0, #bip.ltm.node:list())
    assert.same({ LOGIN, LOGIN }, paths(device, "POST"))
    local statuses = {}
    for _, call in ipairs(device:log()) do
      if call.method == "GET" then statuses[#statuses + 1] = call.status end
    end
    assert.same({ 200, 401, 200 }, statuses)
  end)
end)

describe("P6 nodes", function()
  before_each(start)
  after_each(stop)

  it("are created, read by short name and full path, modified and deleted", function()
    local bip <close> = f5.connect(device:options "admin")
    assert.same({}, bip.ltm.node:list())
    local created = bip.ltm.node:create { name = "Test", address = "10.10.10.31" }
    assert.equal("/Common/Test", created.fullPath)
    assert.equal("user-enabled", created.session)
    local test2 = bip.ltm.node["/Common/Test2"]
    assert.equal("/Common/Test2", test2:create({ address = "10.10.10.32" }).fullPath)
    assert.equal("10.10.10.31", bip.ltm.node.Test:load().address)
    assert.equal("10.10.10.31", bip.ltm.node["/Common/Test"]:load().address)
    assert.equal("user-disabled", bip.ltm.node.Test:modify({ session = "user-disabled" }).session)
    assert.equal("user-disabled", bip.ltm.node.Test:load().session)
    local names = {}
    for _, node in ipairs(bip.ltm.node:list()) do names[#names + 1] = node.name end
    table.sort(names)
    assert.same({ "Test", "Test2" }, names)
    assert.is_nil(test2:delete())
    assert.is_false(test2:exists())
    assert.is_true(bip.ltm.node.Test:exists())
    local err = failure(test2.load, test2)
    assert.equal("not_found", err.kind)
    assert.matches("01020036:3: The requested Node %(/Common/Test2%) was not found", err.message)
    assert.equal("/mgmt/tm/ltm/node/~Common~Test2", err.path)
  end)
end)

describe("P7 $select and ver", function()
  before_each(start)
  after_each(stop)

  it("limits the properties, and asks for a version on any call", function()
    local bip <close> = f5.connect(device:options "admin")
    bip.ltm.node:create { name = "Test", address = "10.10.10.31" }
    assert.same(
      { { name = "Test", address = "10.10.10.31" } },
      bip.ltm.node:list { select = { "name", "address" } }
    )
    assert.equal("10.10.10.31", bip.ltm.node.Test:load({ ver = "14.1.0" }).address)
    bip.ltm.node.Test:modify({ description = "x" }, { ver = "14.1.0" })
    local seen = table.concat(paths(device, "GET"), "\n")
    assert.matches("/mgmt/tm/ltm/node%?$select=name,address", seen)
    assert.matches("/mgmt/tm/ltm/node/Test%?ver=14.1.0", seen)
    local options = device:options "admin"
    options.ver = "15.1.0"
    local fixed <close> = f5.connect(options)
    fixed.ltm.node:list { top = 1 }
    fixed.ltm.pool["/Common/p"]:create {}
    assert.matches("/mgmt/tm/ltm/node%?$top=1&ver=15.1.0", table.concat(paths(device, "GET"), "\n"))
    assert.matches("/mgmt/tm/ltm/pool%?ver=15.1.0", table.concat(paths(device, "POST"), "\n"))
  end)
end)

describe("P8 the token is deleted at the end", function()
  before_each(start)
  after_each(stop)

  it("and the next call with it is a 401", function()
    local admin <close> = f5.connect(device:options "admin")
    local bip = f5.connect(device:options "operator")
    local token
    for _, item in ipairs(admin:at("/mgmt/shared/authz/tokens"):list()) do
      if item.userName == "operator" then token = item.token end
    end
    assert.is_string(token)
    bip:close()
    assert.same({ "/mgmt/shared/authz/tokens/" .. token }, paths(device, "DELETE"))
    local stale <close> =
      f5.connect { host = device.host, port = device.port, ca = device.ca, token = token }
    local err = failure(function() stale.sys.version:load() end)
    assert.equal(401, err.status)
    assert.equal("auth", err.kind)
  end)
end)
