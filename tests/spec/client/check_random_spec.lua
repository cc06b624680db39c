-- The properties of a check: it leaves the device as it is, and what it predicts is what a real run
-- then does, object by object. Random writes on a random state; the seed is printed on failure.
local check = require "f5.plan.check"
local clean = require "f5.state.clean"
local compare = require "f5.state.compare"
local drift = require "f5.plan.drift"
local f5 = require "f5"
local findings = require "f5.plan.findings"
local json = require "f5.json"
local lab = require "lab"
local random = require "walk.random_changes"
local State = require "f5.state.state"

local CASES <const> = { 40, 5000 } -- usually, and with --slow

describe("S4 a check of random writes", function()
  local device, bip, base

  setup(function()
    device, bip = lab.start { provision = { "ltm", "gtm", "afm" } }
    base = device:state()
  end)
  teardown(function() lab.stop(bip, device) end)

  -- What a check of the seed's writes finds.
  local function predicted(seed)
    local result <close> = check.run(function()
      local twin <close> = f5.connect(device:options "admin")
      random.new(seed):run(twin)
    end)
    assert(result.ok, result.error)
    local checked <const> = result.devices[1]
    assert.same({}, checked.not_simulated, "seed " .. seed)
    return findings.of(checked).differences
  end

  local function object_of(kind, text) return (clean.object(kind, json.decode(text))) end

  -- Whether two objects mean the same: what monitoring finds is no change.
  local function is_same(path, one, other)
    if one == other then return true end
    if not one or not other then return false end
    local kind <const> = State.kind_of(path)
    return #compare.objects(kind, object_of(kind, one), object_of(kind, other)) == 0
  end

  -- Paths of objects that are not the same, as the device writes them in its links.
  local function changed(before, after)
    local paths = {}
    for path, text in pairs(before) do paths[path] = not is_same(path, text, after[path]) or nil end
    for path in pairs(after) do paths[path] = not before[path] or paths[path] end
    return paths
  end

  local function problems_of(differences, before, after)
    local list, known, deleted = {}, {}, {}
    -- What is inside of a deleted object is deleted with it.
    local function gone(uri)
      for _, path in ipairs(deleted) do
        if uri:sub(1, #path + 1) == path .. "/" then return true end
      end
      return false
    end
    for _, entry in ipairs(differences) do
      known[entry.path] = true
      if entry.what == "removed" then deleted[#deleted + 1] = entry.path end
      local now = drift.load(bip, entry.path, entry.kind)
      if (now ~= nil) ~= (entry.after ~= nil) then
        list[#list + 1] = ("%s: predicted %s, and it %s"):format(
          entry.path, entry.what, now and "exists" or "does not exist"
        )
      elseif now then
        for _, change in ipairs(compare.objects(entry.kind, entry.after, now)) do
          list[#list + 1] = ("%s: %s: predicted %s, is %s"):format(
            entry.path, change.property, tostring(change.old), tostring(change.new)
          )
        end
      end
    end
    for path in pairs(changed(before, after)) do
      local uri = "/mgmt/tm/" .. path:gsub("^/?mgmt/tm/", ""):gsub("^/", "")
      local inside <const> = after[path] == nil and gone(uri)
      if not known[uri] and not inside then
        list[#list + 1] = uri .. ": changed, and not predicted"
      end
    end
    table.sort(list)
    return table.concat(list, "\n")
  end

  it("writes nothing, and predicts what the run does", function()
    local count, all = lab.slow and CASES[2] or CASES[1], 0
    for seed = 1, count do
      device:restore(base)
      random.new(seed + 700000):prepare(bip)
      local before <const> = random.objects(device)
      local differences <const> = predicted(seed)
      assert.equal("", random.difference(before, random.objects(device)), "seed " .. seed)
      random.new(seed):run(bip)
      local after <const> = random.objects(device)
      assert.equal("", problems_of(differences, before, after), "seed " .. seed)
      all = all + #differences
    end
    assert.is_true(all > 3 * count, "too few changes: " .. all)
  end)
end)
