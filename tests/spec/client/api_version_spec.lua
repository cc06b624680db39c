-- The version of the API that a call asks for: of the call, of the link, of the session.
local f5 = require "f5"
local lab = require "lab"

local device, bip

-- "GET /mgmt/tm/ltm/pool?ver=16.1.0" of each call since the last look.
local function calls()
  local list = {}
  for i, call in ipairs(device:log()) do
    list[i] = call.method .. " " .. call.path:gsub("^/mgmt/tm/", "")
      .. (call.query and call.query ~= "" and "?" .. call.query or "")
  end
  device:clear_log()
  return list
end

describe("The version of a link", function()
  before_each(function()
    device, bip = lab.start()
    for i = 1, 3 do bip.ltm.pool["/Common/p" .. i]:create {} end
    device:clear_log()
  end)
  after_each(function() lab.stop(bip, device) end)

  local LINK <const> = "https://localhost/mgmt/tm/ltm/pool/~Common~p1?ver=15.1.0"

  it("is asked for, and stays out of the path", function()
    local ref = bip:at(LINK)
    assert.matches("%?ver=15.1.0$", ref:load().selfLink)
    assert.is_true(ref:exists())
    assert.equal("/mgmt/tm/ltm/pool/~Common~p1", tostring(ref))
    assert.is_true(ref == bip.ltm.pool["/Common/p1"])
    ref:modify { description = "d" }
    assert.equal(0, #ref.members:list())
    assert.equal(0, #ref:at("members"):list())
    ref:delete()
    bip:at("/mgmt/tm/ltm/pool?ver=15.1.0"):create { name = "p4" }
    for i, call in ipairs(calls()) do assert.matches("[?&]ver=15.1.0", call, i) end
  end)

  it("gives way to that of a call, and goes before that of the session", function()
    bip:at(LINK):load { ver = "16.1.0" }
    local options = device:options "admin"
    options.ver = "14.1.0"
    local older <close> = f5.connect(options)
    older:at(LINK):load()
    older.ltm.pool["/Common/p1"]:load()
    local seen = table.concat(calls(), "\n")
    assert.matches("GET ltm/pool/~Common~p1%?ver=16.1.0\n", seen)
    assert.matches("GET ltm/pool/~Common~p1%?ver=15.1.0\n", seen)
    assert.matches("GET ltm/pool/~Common~p1%?ver=14.1.0$", seen)
  end)

  it("of an object is that in which it was read", function()
    local object = bip.ltm.pool["/Common/p1"]:load { ver = "14.1.0" }
    assert.matches("%?ver=14.1.0$", bip:at(object.selfLink):load().selfLink)
    local members = bip:at(object.membersReference.link)
    calls()
    members:list()
    assert.same({ "GET ltm/pool/~Common~p1/members?ver=14.1.0" }, calls())
  end)

  it("goes with a reference into a transaction", function()
    local ref = bip:at(LINK)
    bip:transaction(function(tx) tx(ref):modify { description = "t" } end)
    assert.matches("PATCH ltm/pool/~Common~p1%?ver=15.1.0", table.concat(calls(), "\n"))
  end)

  it("is asked for by request, once", function()
    bip:request("GET", "/mgmt/tm/ltm/pool/~Common~p1?ver=15.1.0")
    bip:request("GET", bip:at(LINK))
    bip:request("GET", LINK, { query = { ver = "16.1.0" } })
    local options = device:options "admin"
    options.ver = "14.1.0"
    local older <close> = f5.connect(options)
    calls()
    older:request("GET", "/mgmt/tm/ltm/pool?options=server")
    older:request("GET", "/mgmt/tm/ltm/pool?ver=15.1.0")
    assert.same({ "GET ltm/pool?options=server&ver=14.1.0", "GET ltm/pool?ver=15.1.0" }, calls())
  end)

  it("is the same for all pages", function()
    calls()
    assert.equal(3, #bip.ltm.pool:list { page = 1, ver = "15.1.0", select = "name" })
    local seen = calls()
    assert.equal(3, #seen)
    for _, call in ipairs(seen) do assert.matches("ver=15.1.0", call) end
    local count = 0
    for _ in bip.ltm.pool:each { page = 2, ver = "14.1.0" } do count = count + 1 end
    assert.equal(3, count)
    for _, call in ipairs(calls()) do assert.matches("ver=14.1.0", call) end
  end)

  it("that is invalid is refused, and an empty one is left out", function()
    for _, version in ipairs { "latest", "1%2e2", "1234567890.123456", "16.1.0'" } do
      local ok, err = f5.try(bip.at, bip, "/mgmt/tm/ltm/pool/~Common~p1?ver=" .. version)
      assert.same({ false, "usage" }, { ok, err.kind })
      assert.matches("at: 'ver' must be a version such as 16.1.0", err.message)
    end
    bip:at("/mgmt/tm/ltm/pool/~Common~p1?ver="):load()
    assert.same({ "GET ltm/pool/~Common~p1" }, calls())
  end)
end)
