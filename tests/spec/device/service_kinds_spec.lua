-- What virtual servers, addresses, nodes, policies and files of the simulated device accept: things
-- that AS3 writes, and that other clients may write, too.
local curl = require "curl"
local lab = require "lab"
local sim = require "f5.sim"

describe("kinds that services use", function()
  local device

  setup(function() device = sim.start { provision = { "ltm", "asm", "afm", "apm" } } end)
  teardown(function() lab.stop(device) end)

  local function call(method, path, body)
    return curl { device, method, "/mgmt/tm/" .. path, body = body }
  end

  local function made(path, body)
    local answer = call("POST", path, body)
    assert.equal(200, answer.status, answer.body)
    return answer.json
  end

  local function refused(text, path, body)
    local answer = call("POST", path, body)
    assert.is_true(answer.status >= 400, answer.body)
    assert.equal(text, answer.json.message)
  end

  it("take any6 as a destination", function()
    local virtual = made("ltm/virtual", { name = "v6", destination = "/Common/any6.80" })
    assert.equal("/Common/any6.80", virtual.destination)
    assert.equal("any6", virtual.mask)
    assert.equal("::/0", virtual.source)
    refused('invalid property value "address":"any6x"', "ltm/virtual-address",
      { name = "any6x", address = "any6x" })
  end)

  it("take the traffic group of the folder as the default", function()
    for _, name in ipairs { "192.0.2.1", "192.0.2.2" } do
      local wanted = name == "192.0.2.1" and "default" or "/Common/traffic-group-1"
      local address = made("ltm/virtual-address", { name = name, trafficGroup = wanted })
      assert.equal("/Common/traffic-group-1", address.trafficGroup)
      assert.equal(wanted == "default" and "true" or "false", address.inheritedTrafficGroup)
    end
    made("auth/partition", { name = "P" })
    call("PATCH", "sys/folder/~P", { trafficGroup = "/Common/traffic-group-local-only" })
    local own = made("ltm/virtual-address", {
      name = "192.0.2.9", partition = "P", trafficGroup = "default",
    })
    assert.equal("/Common/traffic-group-local-only", own.trafficGroup)
    assert.equal("disabled", own.floating)
    local snat = made("ltm/snat-translation", { name = "192.0.2.8", trafficGroup = "default" })
    assert.equal("true", snat.inheritedTrafficGroup)
  end)

  it("refuse an address that another partition has", function()
    made("auth/partition", { name = "Q" })
    made("ltm/node", { name = "n", address = "192.0.2.50" })
    refused("0107176c:3: Invalid Node, the IP address 192.0.2.50 already exists.", "ltm/node",
      { name = "other", address = "192.0.2.50", partition = "Q" })
    made("ltm/virtual-address", { name = "192.0.2.60" })
    refused("0107176c:3: Invalid Virtual Address, the IP address 192.0.2.60 already exists.",
      "ltm/virtual-address", { name = "192.0.2.60", partition = "Q" })
    -- another route domain has addresses of its own
    made("net/route-domain", { name = "7", id = 7 })
    made("ltm/node", { name = "seven", address = "192.0.2.50%7", partition = "Q" })
  end)

  it("take members on nodes of Common, not on those of another tenant", function()
    made("auth/partition", { name = "R1" })
    made("auth/partition", { name = "R2" })
    made("ltm/pool", { name = "p", partition = "R1", members = { "/R1/192.0.2.70:80" } })
    refused("0107176c:3: Invalid Node, the IP address 192.0.2.70 already exists.", "ltm/pool",
      { name = "p", partition = "R2", members = { "/R2/192.0.2.70:80" } })
    assert.equal(404, call("GET", "ltm/pool/~R2~p").status)
  end)

  it("take data groups in conditions of policies, and guard them", function()
    made("ltm/data-group/internal", { name = "hosts", type = "string" })
    local function policy(group)
      return {
        name = "by_group", subPath = "Drafts", strategy = "first-match", requires = { "http" },
        rules = { { name = "r", conditions = {
          { name = "0", httpHost = true, host = true, request = true, datagroup = group },
        } } },
      }
    end
    refused("01020036:3: The requested value list (/Common/nothing) was not found.", "ltm/policy",
      policy "/Common/nothing")
    made("ltm/policy", policy "/Common/hosts")
    local condition = call("GET",
      "ltm/policy/~Common~Drafts~by_group/rules/r/conditions/0").json
    assert.equal("/Common/hosts", condition.datagroup)
    assert.is_true(call("DELETE", "ltm/data-group/internal/hosts").status >= 400)
  end)

  it("take persistence by carp and universal persistence as actions", function()
    made("ltm/policy", {
      name = "by_hash", subPath = "Drafts", strategy = "first-match", controls = { "persistence" },
      rules = { { name = "r", actions = {
        { name = "0", persist = true, carp = true, key = "x", request = true, timeout = 60 },
      } } },
    })
    local action = call("GET", "ltm/policy/~Common~Drafts~by_hash/rules/r/actions/0").json
    assert.is_true(action.carp)
    assert.equal("x", action.key)
  end)

  it("make the data group of a file", function()
    made("sys/file/data-group", {
      name = "file", type = "string", sourcePath = "file:/etc/hosts", dataGroupName = "by_file",
    })
    local group = call("GET", "ltm/data-group/external/~Common~by_file").json
    assert.equal("/Common/file", group.externalFileName)
    assert.equal("string", group.type)
  end)

  it("take FastL4 profiles whose acceleration is dedicated", function()
    assert.equal("dedicated",
      made("ltm/profile/fastl4", { name = "l4", pvaAcceleration = "dedicated" }).pvaAcceleration)
    refused('invalid property value "pvaAcceleration":"much"', "ltm/profile/fastl4",
      { name = "l5", pvaAcceleration = "much" })
  end)

  it("take profiles of security and of tunnels for virtual servers", function()
    made("security/dos/profile", { name = "flood" })
    made("api-protection/profile/apiprotection", { name = "api" })
    made("ltm/virtual", { name = "guarded", destination = "192.0.2.90:80", profiles = {
      "/Common/http", "/Common/tcp", "/Common/bot-defense", "/Common/flood", "/Common/api",
    } })
    assert.equal(200,
      call("GET", "ltm/virtual/~Common~guarded/profiles/~Common~bot-defense").status)
    assert.is_true(call("DELETE", "security/dos/profile/flood").status >= 400)
  end)
end)
