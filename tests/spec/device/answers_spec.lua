-- Answers that clients of others wait for, as devices were seen to give them.
local f5 = require "f5"
local json = require "f5.json"
local lab = require "lab"

describe("A simulated device answers as devices do:", function()
  local device, bip
  setup(function()
    device, bip = lab.start { provision = { "ltm", "gtm", "asm", "apm" } }
  end)
  teardown(function() lab.stop(bip, device) end)

  local function names(path)
    local list <const> = {}
    for object in bip:at(path):each() do list[#list + 1] = object.name end
    return table.concat(list, " ")
  end

  it("the profiles of message routing that it ships", function()
    for path, expected in pairs {
      ["sip/profile/session"] = "sipsession sipsession-alg",
      ["sip/profile/router"] = "siprouter siprouter-alg",
      ["diameter/profile/session"] = "diametersession",
      ["diameter/profile/router"] = "diameterrouter",
      ["generic/router"] = "messagerouter",
      ["generic/protocol"] = "genericmsg",
      ["mqtt/profile/session"] = "mqttsession",
    } do
      assert.equal(expected, names("ltm/message-routing/" .. path), path)
    end
  end)

  it("`none` as one of several values stays, as nothing it is left out", function()
    local address <const> = bip.ltm["virtual-address"]:create {
      name = "va", address = "192.0.2.40", serverScope = "none", description = "none",
    }
    assert.same({ "none" }, { address.serverScope, address.description })
    local server <const> =
      bip.sys["smtp-server"]:create { name = "s", encryptedConnection = "none" }
    assert.equal("none", server.encryptedConnection)
    bip.net.interface["1.1"]:modify { flowControl = "none" }
    assert.equal("none", bip.net.interface["1.1"]:load().flowControl)
    local pool <const> =
      bip:at("gtm/pool/a"):create { name = "g", fallbackMode = "none", alternateMode = "none" }
    assert.same({ "none", "none" }, { pool.fallbackMode, pool.alternateMode })
  end)

  it("a POST to a component that there is not", function()
    local function status(path)
      return bip:request("POST", path, { body = { name = "x" }, raw = true, quiet = true }).status
    end
    assert.same({ 501, 404 }, { status "/mgmt/tm/ltm/bogus", status "/mgmt/tm/bogus/x" })
  end)

  it("a partition without a description", function()
    local answer <const> =
      bip:request("POST", "/mgmt/tm/auth/partition", { body = { name = "P" }, raw = true }).body
    assert.is_nil(answer:find('"description"', 1, true))
    assert.equal(0, json.decode(answer).defaultRouteDomain)
  end)

  it("a network access with a SNAT pool, which must exist", function()
    local access <const> = bip.apm.resource["network-access"]
    bip.ltm.snatpool:create { name = "sp", members = { "192.0.2.9" } }
    assert.equal("snatpool", access:create({ name = "n", snatpool = "sp" }).snat)
    local ok <const>, err <const> = f5.try(access.create, access, { name = "m", snatpool = "no" })
    assert.same({ false, "not_found" }, { ok, err.kind })
  end)

  local function import(body)
    local tasks <const> = bip.asm.tasks["import-policy"]
    local made <const> = tasks:create(body)
    local state
    lab.wait("the import", function()
      state = bip:at("asm/tasks/import-policy/" .. made.id):load()
      return state.status == "COMPLETED" or state.status == "FAILURE"
    end)
    return state
  end

  it("imports of policies", function()
    local failed <const> = import { file = "<no><policy/></no>", name = "no" }
    assert.same(
      {
        "FAILURE",
        "[fatal] The security policy file does not conform to the schema and cannot be imported.",
      },
      { failed.status, failed.result.message }
    )
    bip.asm.policies:create { name = "web" }
    local task <const> = bip.asm.tasks["export-policy"]:create {
      inline = true, policyReference = { link = bip.asm.policies:list()[1].selfLink },
    }
    local exported
    lab.wait("the export", function()
      exported = bip:at("asm/tasks/export-policy/" .. task.id):load()
      return exported.status == "COMPLETED"
    end)
    assert.equal("COMPLETED", import({ file = exported.result.file, name = "web" }).status)
    assert.equal("web web_1", names "asm/policies")
  end)
end)
