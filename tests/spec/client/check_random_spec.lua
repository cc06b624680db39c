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
local seeds = require "walk.seeds"
local State = require "f5.state.state"
local twin = require "f5.twin"

local PROCESS <const> = 50 -- checks whose twins are in one process

describe("S4 a check of random writes", function()
  local device, bip, twins

  setup(function()
    device, bip = lab.start({ provision = { "ltm", "gtm", "afm" } }, { auth = "basic" })
    random.base(device, bip)
  end)
  teardown(function()
    if twins then twins:stop() end
    lab.stop(bip, device)
  end)

  -- Stands in for f5.twin: the twins of many checks are in one process, which takes longer to start
  -- than most checks. The seed chooses which checks start one.
  local function shared(seed)
    return { start = function(options)
      if not twins or seed % PROCESS == 0 then
        if twins then twins:stop() end
        twins = twin.start(options)
      end
      local process <const> = twins
      return setmetatable({}, { __index = function(_, name)
        return function(_, ...)
          if name ~= "stop" then return process[name](process, ...) end
        end
      end })
    end }
  end

  -- What a check of the seed's writes finds.
  local function predicted(seed)
    local result <close> = check.run(function()
      local session <close> = f5.connect(device:options "admin")
      random.new(seed):run(session)
    end, { twin = shared(seed) })
    assert(result.ok, result.error)
    local checked <const> = result.devices[1]
    assert.same({}, checked.not_simulated)
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

  -- Paths of objects that are not as before, as the device writes them in its links, and those
  -- objects as texts.
  local function changed()
    local paths, before <const>, after <const> = {}, random.changed(device, "before")
    for path, text in pairs(before) do paths[path] = not is_same(path, text, after[path]) or nil end
    for path in pairs(after) do paths[path] = not before[path] or paths[path] end
    return paths, after
  end

  local function problems_of(differences)
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
    local paths <const>, after <const> = changed()
    for path in pairs(paths) do
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
    local all = 0
    local cases <const> = seeds.each(200, 5000, function(seed)
      random.begin(device, bip, seed + 700000)
      local differences <const> = predicted(seed)
      assert.same({}, device:control("changed", "before"))
      random.new(seed):run(bip)
      assert.equal("", problems_of(differences))
      all = all + #differences
    end)
    assert.is_true(seeds.are_given() or all > 3 * cases, "too few changes: " .. all)
  end)
end)
