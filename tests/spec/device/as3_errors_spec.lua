-- Declarations with mistakes: the simulated device answers as AS3 does. The facts are those of the
-- shared test data; without it these tests are skipped.
local curl = require "curl"
local json = require "f5.json"
local lab = require "lab"
local sim = require "f5.sim"

local FACTS <const> = "../shared/data/as3-mapping-facts.json"

local function read_facts()
  local file = io.open(FACTS, "rb")
  if not file then return nil end
  local text = file:read "a"
  file:close()
  return json.decode(text)
end

describe("AS3 on the simulated device: mistakes", function()
  local device
  after_each(function() lab.stop(device) end)

  it("answers the 30 faulty requests as listed", function()
    device = sim.start { extensions = { "as3" } }
    local facts = read_facts()
    if not facts then
      pending "are not here (../shared/data)"
      return
    end
    curl(device, "POST", "/mgmt/tm/auth/partition", { name = "Other" })
    curl(device, "POST", "/mgmt/tm/ltm/node",
      { name = "192.0.2.21", partition = "Other", address = "192.0.2.21" })
    local wrong, count = {}, 0
    for name, entry in pairs(facts.errors) do
      local answer = curl(device, "POST", "/mgmt/shared/appsvcs/declare",
        json.encode(entry.declaration))
      count = count + 1
      local seen = {}
      for key in pairs(entry.answer) do seen[key] = (answer.json or {})[key] end
      if answer.status ~= entry.answer.code or json.encode(seen, { sort = true })
        ~= json.encode(entry.answer, { sort = true })
      then
        wrong[#wrong + 1] = ("%s:\n  wanted %s\n  got    %s"):format(name,
          json.encode(entry.answer, { sort = true }), tostring(answer.body))
      end
    end
    assert.equal(30, count)
    table.sort(wrong)
    assert.equal("", table.concat(wrong, "\n"))
    -- nothing was done
    assert.equal(204, curl(device, "GET", "/mgmt/shared/appsvcs/declare").status)
  end)
end)
