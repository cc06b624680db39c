-- Declarations and options that bip:declare refuses before it sends anything.
local f5 = require "f5"
local lab = require "lab"
local wire = require "wire"

local ADC <const> = {
  class = "ADC", schemaVersion = "3.50.0", id = "ours",
  Blue = { class = "Tenant" }, Green = { class = "Tenant" }, Red = { class = "Tenant" },
}

local server, bip
local started <const> = wire.for_file(setup, teardown)
setup(function() server = started() end)
before_each(function() bip = f5.connect(server:options()) end)
after_each(function() bip:close() end)

describe("D1 what is no declaration", function()
  for what, case in pairs {
    ["a number"] = { 1, "expected a declaration as a table or JSON text, got a number" },
    ["an empty table"] = { {}, "the declaration is empty" },
    ["no JSON"] = { "app.json", "is not JSON: .*f5%.asset%(FILE%) reads a file" },
    ["an unknown class"] = { { class = "Pool" }, "unknown class 'Pool'" },
    ["no class"] = { { a = 1 }, "the declaration has no class" },
    ["a list of something"] = { { { class = "Device" } }, "item 1 of the array" },
    ["applications without a tenant"] = {
      { App = { class = "Application" } }, "has applications and no tenant",
    },
  } do
    it(what .. " is refused before anything is sent", function()
      server:rules {}
      local err <const> = lab.fails("usage", bip.declare, bip, case[1])
      assert.matches(case[2], err.message)
      assert.same({}, server:seen())
    end)
  end

  it("options are checked", function()
    lab.fails("usage", bip.declare, bip, ADC, { dryrun = true })
    lab.fails("usage", bip.declare, bip, ADC, { timeout = "5" })
    lab.fails("usage", bip.declare, bip, ADC, { show = "all" })
    lab.fails("usage", bip.declare, bip, { class = "Telemetry" }, { tenant = "Blue" })
    lab.fails("usage", bip.declared, bip, { extension = "fast" })
    lab.fails("usage", bip.install_package, bip, "as3.zip")
  end)
end)
