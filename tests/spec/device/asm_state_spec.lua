-- The state of ASM is one plain value: a device that is started with another's state goes on where
-- that one was.
local f5 = require "f5"
local sim = require "f5.sim"

describe("G30 ASM state", function()
  it("is changed by create and delete of tmsh", function()
    local device <close> = sim.start { provision = { "asm" } }
    local bip <close> = f5.connect(device:options "admin")
    local asm <const> = f5.asm(bip)
    local function tmsh(command)
      local body <const> = { command = "run", utilCmdArgs = "-c 'tmsh " .. command .. "'" }
      return bip:request("POST", "/mgmt/tm/util/bash", { body = body }).commandResult or ""
    end
    assert.equal("", tmsh "create asm policy p policy-template POLICY_TEMPLATE_FUNDAMENTAL")
    assert.equal("/Common/p", asm:policy("p"):load().fullPath)
    assert.matches("already exists", tmsh "create asm policy /Common/p encoding utf-8")
    assert.matches("%(NONE%) was not found", tmsh "create asm policy q policy-template NONE")
    assert.matches("^not simulated: ", tmsh "create asm policy q active")
    assert.equal("", tmsh "delete asm policy /Common/p")
    assert.matches("%(/Common/p%) was not found", tmsh "delete asm policy p")
    assert.same({}, asm.policies:list())
  end)

  it("is saved and loaded with policies, tasks that run, files and suggestions", function()
    local first <close> = sim.start { provision = { "asm" } }
    local bip <close> = f5.connect(first:options "admin")
    local asm <const> = f5.asm(bip)
    local policy <const> = asm:policy(asm.policies:create { name = "web" })
    policy.urls:create { name = "/a", urlContentProfiles = f5.array {} }
    policy.urls:delete_all { filter = { type = "wildcard" } }
    asm:apply_policy("web"):wait { interval = 0.05 }
    local running <const> = asm:export_policy("web")
    assert.equal("NEW", running.body.status)
    local second <close> = sim.start { seed = first:state() }
    local there <close> = f5.connect(second:options "admin")
    local other <const> = f5.asm(there)
    local copy <const> = other:policy "web"
    assert.equal(policy:load().id, copy:load().id)
    assert.same({ "/a" }, { copy.urls:list()[1].name, copy.urls:list()[2] })
    assert.is_true(f5.json.is_array(copy.urls:list()[1].urlContentProfiles))
    assert.equal("float", math.type(copy:load().lastUpdateMicros))
    assert.is_true(copy:load().active)
    second:advance(1)
    local task <const> = other:follow(running.body):load()
    assert.equal("COMPLETED", task.status)
    other:import_policy({ file = task.result.file, name = "again" }):wait { interval = 0.05 }
    other
      :restore_revision(copy["history-revisions"]:list()[1], { policy = "web" })
      :wait { interval = 0.05 }
    assert.equal(1, #copy.urls:list())
  end)
end)
