-- f5.filter: what is built means what it says, whatever the values hold; and what a device would
-- refuse is not sent.
local f5 = require "f5"
local lab = require "lab"
local odata = require "sim.asm.odata"
local sim = require "f5.sim"

local failure <const> = lab.failure

describe("G28 f5.filter", function()
  it("quotes, and joins conditions with 'and' in the order of their names", function()
    assert.equal(
      "contains(name,'log''in') and staging eq true",
      tostring(f5.filter { staging = true, name = { contains = "log'in" } })
    )
    assert.equal(
      "score ge 50 and score lt 90.5",
      tostring(f5.filter { score = { ge = 50, lt = 90.5 } })
    )
    assert.equal("description eq null", tostring(f5.filter { description = f5.null }))
    assert.equal(
      "signatureOverrides/id eq 'x'",
      tostring(f5.filter { ["signatureOverrides/id"] = "x" })
    )
    assert.equal(
      "(status eq 'ignored' or status eq 'pending')",
      tostring(f5.filter { status = f5.filter.any { "ignored", "pending" } })
    )
    assert.equal(
      "(name eq 'a' or startswith(name,'b'))",
      tostring(f5.filter { name = f5.filter.any { "a", { startswith = "b" } } })
    )
    assert.equal("not (type eq 'explicit')", tostring(f5.filter.no { type = "explicit" }))
    assert.equal(
      "name eq 'a' and not (type eq 'explicit')",
      tostring(f5.filter { name = "a", f5.filter.no { type = "explicit" } })
    )
  end)

  it("has the same text however many names and choices there are", function()
    local conditions, expected, numbers, choices = {}, {}, {}, {}
    for i = 1, 40 do
      local name <const> = ("p%02d"):format(i)
      conditions[name], expected[i] = i, name .. " eq " .. i
      numbers[i], choices[i] = i, "name eq " .. i
    end
    assert.equal(table.concat(expected, " and "), tostring(f5.filter(conditions)))
    assert.equal(
      "(" .. table.concat(choices, " or ") .. ")",
      tostring(f5.filter { name = f5.filter.any(numbers) })
    )
    assert.equal(
      "n eq 1 and n ge 2 and n gt 3 and n le 4 and n lt 5 and n ne 6",
      tostring(f5.filter { n = { ne = 6, lt = 5, le = 4, gt = 3, ge = 2, eq = 1 } })
    )
  end)

  it("survives the worst of names: the device understands exactly them", function()
    local names <const> = {
      "", "'", "''", "a'b", "x) or (1 eq 1", "not", "a,b", "50", "true", "ü", "tab\there", "and",
      " padded ",
    }
    for _, name in ipairs(names) do
      for _, other in ipairs(names) do
        local holds <const> =
          odata.predicate(odata.parse_filter(tostring(f5.filter { name = name })))
        assert.equal(name == other, holds { name = other }, ("%q against %q"):format(name, other))
      end
    end
  end)

  it("refuses what is no filter, at the script's line", function()
    local function message(fn, ...) return failure(fn, ...).message end
    assert.matches(
      "filter_spec%.lua:%d+: the filter is empty and would select everything",
      message(function() return (f5.filter {}) end)
    )
    assert.matches("unknown condition 'like'", message(f5.filter, { name = { like = "x" } }))
    assert.matches("contains: expected a string", message(f5.filter, { name = { contains = 5 } }))
    assert.matches("not with a function", message(f5.filter, { name = print }))
    assert.matches("invalid name of a property: 'a b'", message(f5.filter, { ["a b"] = 1 }))
    assert.matches("cannot contain the number", message(f5.filter, { score = 0 / 0 }))
    assert.matches(
      "which ASM does not support; write name = any",
      message(f5.filter.any, { name = "a", type = "b" })
    )
    assert.equal("usage", failure(f5.filter, {}).kind)
  end)
end)

describe("G11 f5.filter below /tm", function()
  it("knows the partition and nothing else", function()
    assert.equal(
      "partition eq Common",
      f5.filter.text({ partition = "Common" }, "/mgmt/tm/ltm/pool")
    )
    assert.equal("partition eq Common", f5.filter.text("partition eq Common", "/mgmt/tm/ltm/pool"))
    for _, wrong in ipairs {
      { name = "x" }, { partition = { ne = "x" } }, { partition = "a", name = "b" },
      { partition = { contains = "a" } },
    } do
      assert.matches(
        "only by partition",
        failure(f5.filter.text, wrong, "/mgmt/tm/ltm/pool").message
      )
    end
    assert.equal("name eq 'x'", f5.filter.text({ name = "x" }, "/mgmt/tm/asm/policies"))
  end)

  it("refuses before anything is sent", function()
    local device <close> = sim.start { provision = { "ltm" } }
    local bip <close> = f5.connect(device:options "admin")
    bip.ltm.pool:create { name = "a" }
    assert.equal("a", bip.ltm.pool:list({ filter = f5.filter { partition = "Common" } })[1].name)
    local before <const> = #device:log()
    assert.matches(
      "only by partition",
      failure(function() bip.ltm.pool:list { filter = f5.filter { name = "a" } } end).message
    )
    assert.matches(
      "only by partition",
      failure(function() bip.ltm.pool:list { filter = { name = "a" } } end).message
    )
    assert.equal(before, #device:log())
  end)
end)
