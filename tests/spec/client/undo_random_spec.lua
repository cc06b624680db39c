-- The property of undo: after random writes on a random state, and also if the process was killed
-- at any of them, the device is as before.
local files = require "f5.safe.files"
local lab = require "lab"
local program = require "program"
local random = require "walk.random_changes"
local Record = require "f5.safe.record"
local safe = require "f5.safe"

local PLAYBOOK <const> = "tests/support/walk/undo_run.lua"

describe("S6 undo of random writes", function()
  local device, bip, place, base

  setup(function()
    device, bip = lab.start { provision = { "ltm", "gtm", "afm" } }
    place = lab.scratch()
    base = device:state()
  end)
  teardown(function() lab.stop(bip, device, place) end)

  local function newest()
    local directory <const> = place.path .. "/state/f5lua/changes"
    local names = require("f5").files(directory, "*")
    return names[#names]
  end

  -- The record's contents after random writes; nil if nothing was written.
  local function wrote(seed, ...)
    os.execute("rm -rf '" .. place.path .. "/state'")
    local env <const> = lab.environment(device, {
      XDG_STATE_HOME = place.path .. "/state", F5LUA_UNDOABLE = "1",
    })
    local ran <const> = program.run({ PLAYBOOK, tostring(seed), ... }, { env = env })
    local killed <const> = ran.status == 137
    assert.is_true(killed or ran.status == 0, seed .. ": " .. ran.err)
    return newest(), killed
  end

  local function take_back(contents)
    local options <const> = { record = Record.new { memory = true, quiet = true } }
    local result = safe.take_back(bip, contents, 1, options)
    local left = {}
    for i, one in ipairs(result.left) do left[i] = one.path .. ": " .. one.reason end
    return table.concat(left, "\n"), options.record
  end

  -- A random state, and its objects.
  local function begin(seed)
    device:restore(base)
    random.new(seed + 500000):prepare(bip)
    return random.objects(device)
  end

  local function check(seed, before, file)
    local left <const> = take_back(files.read(file))
    assert.equal("", left, "seed " .. seed)
    assert.equal("", random.difference(before, random.objects(device)), "seed " .. seed)
  end

  it("restores the state, and undo of undo makes it again", function()
    for seed = 1, lab.slow and 2000 or 16 do
      local before <const> = begin(seed)
      local file <const> = wrote(seed)
      if file then
        local after <const> = random.objects(device)
        local left, undone = take_back(files.read(file))
        assert.equal("", left, "seed " .. seed)
        assert.equal("", random.difference(before, random.objects(device)), "seed " .. seed)
        if undone.count > 0 and seed % 4 == 0 then
          assert.equal("", take_back(undone:contents()), "redo of seed " .. seed)
          assert.equal("", random.difference(after, random.objects(device)), "redo " .. seed)
        end
      end
    end
  end)

  it("restores the state after kill -9 at any write", function()
    local kills = 0
    for seed = 1, lab.slow and 2000 or 16 do
      local before <const> = begin(seed)
      local point <const> = seed % 2 == 0 and "before" or "after"
      local file <const>, killed = wrote(seed, point, tostring(1 + seed % 13))
      kills = kills + (killed and 1 or 0)
      if file and killed and seed % 4 == 0 then
        -- the crash cuts off the line of a write that was not sent
        local text <const> = place:read(file:sub(#place.path + 2))
        place:file(file:sub(#place.path + 2), text:sub(1, -20))
      end
      if file then check(seed, before, file) end
    end
    assert.is_true(kills > 7, "only " .. kills .. " were killed")
  end)
end)
