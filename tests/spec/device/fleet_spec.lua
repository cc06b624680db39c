-- Many simulated devices behind one port.
local curl = require "curl"
local f5 = require "f5"
local sim = require "f5.sim"

local function names(count, work)
  local out = {}
  for n = 1, count do out[n] = work(n) end
  return out
end

describe("a simulated fleet", function()
  it("has its own name, address, objects, users and certificate for each device", function()
    local fleet <close> = sim.start { fleet = 300 }
    for _, n in ipairs { 1, 2, 300 } do
      local member = fleet:member(n)
      -- verified against the member's address
      local bip <close> = f5.connect(member:options "admin")
      local devices = bip.cm.device:list()
      assert.same(
        { 1, ("bigip%d.example.net"):format(n), member.host },
        { #devices, devices[1].hostname, devices[1].managementIp }
      )
      bip.ltm.node["/Common/n" .. n]:create { address = "10.0.0.1" }
      assert.same(
        { "n" .. n },
        names(#bip.ltm.node:list(), function(i) return bip.ltm.node:list()[i].name end)
      )
    end
    assert.equal("127.0.1.44", fleet:member(300).host)
    local other = fleet:member(2):options "admin"
    local bip <close> = f5.connect(other)
    bip:at("auth/user", "operator"):delete()
    assert.is_false(bip:at("auth/user", "operator"):exists())
    local third <close> = f5.connect(fleet:member(3):options "operator")
    assert.equal(0, #third.ltm.node:list())
  end)

  it("starts every device as one that left the factory alone", function()
    local fleet <close> = sim.start { fleet = 2 }
    local alone <close> = sim.start { hostname = "bigip2.example.net", address = "127.0.0.2" }
    local copied, built = fleet:member(2):state().objects.items, alone:state().objects.items
    local function paths(items)
      local list = {}
      for path in pairs(items) do list[#list + 1] = path end
      table.sort(list)
      return list
    end
    assert.same(paths(built), paths(copied))
  end)

  it("undoes what a transaction did on one device, and nothing on another", function()
    local fleet <close> = sim.start { fleet = 2 }
    local function post(member, path, body) return curl(member, "POST", path, body) end
    post(fleet:member(1), "/mgmt/tm/ltm/pool", { name = "a" })
    local member = fleet:member(2)
    assert.equal(404, curl(member, "GET", "/mgmt/tm/ltm/pool/a").status)
    assert.equal(
      404,
      post(
        member,
        "/mgmt/tm/ltm/virtual",
        { name = "v", destination = "10.0.0.1:80", pool = "/Common/a" }
      ).status
    )
    assert.equal(200, post(member, "/mgmt/tm/ltm/pool", { name = "a" }).status)
    assert.equal(409, post(member, "/mgmt/tm/ltm/pool", { name = "a" }).status)
    assert.equal(200, curl(fleet:member(1), "DELETE", "/mgmt/tm/ltm/pool/a").status)
    assert.equal(200, curl(member, "GET", "/mgmt/tm/ltm/pool/a").status)
  end)

  it("keeps references, files, tasks and sessions of each device apart", function()
    local fleet <close> = sim.start { fleet = 3 }
    local first, second = fleet:member(1), fleet:member(2)
    local function call(member, method, path, body)
      return curl(member, method, "/mgmt/" .. path, body).status
    end
    -- /Common/http is used in the factory state, too, and `mine` on the first device only
    for _, member in ipairs { first, second } do
      assert.equal(200, call(member, "POST", "tm/ltm/monitor/http", { name = "mine" }))
    end
    assert.equal(200, call(first, "POST", "tm/ltm/pool", { name = "p", monitor = "mine" }))
    assert.equal(400, call(first, "DELETE", "tm/ltm/monitor/http/~Common~mine"))
    assert.equal(200, call(second, "DELETE", "tm/ltm/monitor/http/~Common~mine"))
    local write <const> = { command = "run", utilCmdArgs = "-c 'echo > /tmp/a'" }
    assert.equal(200, call(first, "POST", "tm/util/bash", write))
    local script <const> = { command = "run", utilCmdArgs = "-c 'ls /tmp/a'" }
    local list <const> = function(member)
      return curl(member, "POST", "/mgmt/tm/util/bash", script).json.commandResult
    end
    assert.equal("/tmp/a\n", list(first))
    assert.matches("No such file", list(second))
    assert.equal(200, call(first, "POST", "tm/transaction", {}))
    assert.equal(1, #curl(first, "GET", "/mgmt/tm/transaction").json.items)
    assert.same({}, curl(second, "GET", "/mgmt/tm/transaction").json.items)
    assert.same({}, curl(fleet:member(3), "GET", "/mgmt/tm/ltm/pool").json.items)
  end)

  it("has its share of bad devices, and ends where it ends", function()
    local fleet <close> = sim.start { fleet = 20, failing = 0.1 }
    local failed = 0
    for n = 1, 20 do
      if curl(fleet:member(n), "GET", "/mgmt/tm/ltm/node").status == 500 then
        failed = failed + 1
      end
    end
    assert.equal(2, failed)
    assert.not_equal(0, curl(fleet:member(21), "GET", "/mgmt/tm/ltm/node").exit)
  end)
end)
