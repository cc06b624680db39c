-- How sim/kinds describes kinds of objects: typing mistakes are errors, and what a kind refers to
-- exists.
local catalogue = require "sim.config.catalogue"
local kinds = require "sim.kinds"
local every_kind = require "walk.every_kind"
local lab = require "lab"

local CHECKS <const> = {
  "read", "identify", "prepare", "before", "made", "changed", "settled", "removing", "in_use",
  "removed", "label",
}

-- Calls `visit(template, kind)` for everything that is described.
local function each_kind(visit)
  for _, module in ipairs(kinds.modules()) do
    local exact, patterns = kinds.described(module)
    for template, kind in pairs(exact) do visit(template, kind) end
    for _, entry in ipairs(patterns) do visit(entry[1], entry[2]) end
  end
end

-- What a loader of its own says about a file sim/kinds/ltm/wrong.lua that returns these kinds.
local function refusal(described)
  local index = require "sim.kinds.index"
  local own_index = {}
  for module, files in pairs(index) do own_index[module] = table.move(files, 1, #files, 1, {}) end
  table.insert(own_index.ltm, "sim.kinds.ltm.wrong")
  package.loaded["sim.kinds.index"], package.loaded["sim.kinds"] = own_index, nil
  package.preload["sim.kinds.ltm.wrong"] = function() return described end
  local ok, message = pcall(function() require("sim.kinds").of "ltm/wrong" end)
  package.loaded["sim.kinds.index"], package.loaded["sim.kinds"] = index, kinds
  package.preload["sim.kinds.ltm.wrong"], package.loaded["sim.kinds.ltm.wrong"] = nil, nil
  assert.falsy(ok)
  return message
end

describe("The kinds of the simulated device", function()
  it("have no keys that nobody reads", function()
    for message, kind in pairs {
      ["unknown key 'check' in a kind"] = { check = {} },
      ["unknown key 'nuon' in facts"] = { facts = { nuon = "x" } },
      ["unknown key 'default' in the property p"] = { facts = { props = { p = { default = 1 } } } },
      ["unknown type 'string' of the property p"] = {
        facts = { props = { p = { t = "string" } } },
      },
      ["unknown key 'prepared' in checks"] = { checks = { prepared = print } },
      ["unknown key 'target' in a relation"] = { relations = { { target = {} } } },
      ["unknown key 'value' in stats"] = { stats = { value = print } },
      ["unknown key 'object' in factory"] = { factory = { object = {} } },
      ["unknown key 'keys' in an index"] = { indexes = { x = { keys = print } } },
    } do
      assert.equal(
        "sim.kinds.ltm.wrong: ltm/wrong: " .. message, refusal { ["ltm/wrong"] = kind }
      )
    end
  end)

  it("are in the folder of their module, and described once", function()
    assert.equal(
      "sim.kinds.ltm.wrong: net/wrong: does not belong in sim/kinds/ltm",
      refusal { ["net/wrong"] = {} }
    )
    -- whichever of the two files is read first
    assert.matches(
      "ltm/pool: is also described in sim%.kinds%.ltm%.%l+$", refusal { ["ltm/pool"] = {} }
    )
  end)

  it("refer to kinds that exist, with functions as checks", function()
    local found, relations, checks = {}, 0, 0
    each_kind(function(template, kind)
      for _, relation in ipairs(kind.relations or {}) do
        relations = relations + 1
        for _, target in ipairs(relation.to) do
          if target ~= "." and not catalogue.find((target:gsub("/%*$", ""))) then
            found[#found + 1] = ("%s refers to %s"):format(template, target)
          end
        end
      end
      for _, name in ipairs(CHECKS) do
        local check = kind.checks and kind.checks[name]
        if check then checks = checks + 1 end
        if check and type(check) ~= "function" then
          found[#found + 1] = ("%s: %s is a %s"):format(template, name, type(check))
        end
      end
    end)
    assert.same({}, found)
    assert.truthy(relations >= 60, relations)
    assert.truthy(checks >= 70, checks)
  end)

  it("call only functions that exist", function()
    local found, calls = {}, 0
    for module, files in pairs(require "sim.kinds.index") do
      for _, file in ipairs(files) do
        local path = "lualib/" .. file:gsub("%.", "/") .. ".lua"
        local source = assert(io.open(path)):read "a"
        for name, required in source:gmatch 'local (%w+) = require "([%w._]+)"' do
          local functions = require(required)
          source = source:gsub("%-%-[^\n]*", "")
          for field in source:gmatch("%f[%w_.]" .. name .. "%.([%w_]+)") do
            calls = calls + 1
            if type(functions) == "table" and functions[field] == nil then
              found[#found + 1] = ("%s (%s): %s.%s"):format(path, module, name, field)
            end
          end
        end
      end
    end
    assert.same({}, found)
    assert.truthy(calls >= 300, calls)
  end)

  it("have statistics where they say so", function()
    local device, bip = lab.start { provision = { "ltm", "gtm", "afm" } }
    bip.ltm.node:create { name = "n", address = "192.0.2.1", monitor = "/Common/icmp" }
    bip.ltm.pool:create { name = "p", monitor = "/Common/http", members = { "/Common/n:80" } }
    bip.ltm.rule:create { name = "r", apiAnonymous = "when CLIENT_ACCEPTED { }" }
    bip.ltm.virtual:create { name = "v", destination = "192.0.2.2:80", pool = "p", rules = { "r" } }
    bip.ltm["lsn-pool"]:create { name = "l" }
    local read = 0
    each_kind(function(template, kind)
      local stats = kind.stats
      if not stats then return end
      local path = "/mgmt/tm/" .. template:gsub("pool/%*", "pool/~Common~p")
      if not stats.body then path = path .. "/stats" end
      local body = bip:request("GET", path)
      if not next(body.entries or body.apiRawValues or {}) then
        -- no object yet: one with the least that it needs
        local wanted = every_kind.body(template)
        wanted.name = every_kind.name(template)
        bip:at(template):create(wanted)
        body = bip:request("GET", path)
      end
      assert.truthy(next(body.entries or body.apiRawValues or {}), path)
      read = read + 1
    end)
    assert.truthy(read >= 25, read)
    lab.stop(bip, device)
  end)
end)
