-- Defaults by analogy: how often the rule is right about known kinds, and what it says about those
-- without a known default.
local analogy = require "walk.analogy"
local catalogue = require "sim.config.catalogue"
local lab = require "lab"

local LEAST_RIGHT <const> = 0.95

describe("Defaults by analogy", function()
  it("are right for 95 % of the properties of known kinds, each left out in turn", function()
    for what, figure in pairs(analogy.measure()) do
      local total = figure.right + figure.wrong
      print(("analogy: %s: %d of %d right, %.1f %%"):format(
        what, figure.right, total, 100 * figure.right / total
      ))
      assert.is_true(total > 500, what)
      assert.is_true(figure.right >= LEAST_RIGHT * total, what)
    end
  end)

  it("are those in the catalogue", function()
    assert.same(analogy.assumed(), require "sim.catalogue.tables.assumed")
  end)

  it("leave most kinds without a default", function()
    local _, bare = analogy.kinds()
    local assumed, stay, unknown = require "sim.catalogue.tables.assumed", 0, 0
    for _, template in ipairs(bare) do
      if not assumed[template] then stay = stay + 1 end
      if not next(catalogue.find(template).props) then unknown = unknown + 1 end
    end
    print(("analogy: %d of %d kinds stay without a default, %d have no known property"):format(
      stay, #bare, unknown
    ))
    assert.is_true(stay <= 147, stay)
    assert.is_true(unknown <= 76, unknown)
  end)

  it("are shown by the device", function()
    local device, bip = lab.start { provision = { "ltm", "afm" } }
    local made = bip:request("POST", "/mgmt/tm/security/protocol-inspection/signature", {
      body = { name = "walk" },
    })
    assert.equal("no", made.log)
    lab.stop(bip, device)
  end)
end)
