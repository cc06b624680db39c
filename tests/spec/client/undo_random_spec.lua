-- The property of undo: after random writes on a random state, and also if the process was killed
-- at any of them, the device is as before.
local f5 = require "f5"
local files = require "f5.safe.files"
local lab = require "lab"
local program = require "program"
local random = require "walk.random_changes"
local Record = require "f5.safe.record"
local recorders = require "f5.safe.recorders"
local safe = require "f5.safe"
local seeds = require "walk.seeds"

local PLAYBOOK <const> = "tests/support/walk/undo_run.lua"

describe("S6 undo of random writes", function()
  local device, bip, place

  setup(function()
    device, bip = lab.start({ provision = { "ltm", "gtm", "afm" } }, { auth = "basic" })
    place = lab.scratch()
    random.base(device, bip)
  end)
  teardown(function() lab.stop(bip, device, place) end)

  -- Takes back what a record says. Returns the record of that.
  local function take_back(contents)
    local record <const> = Record.new { memory = true, quiet = true }
    local result <const>, left = safe.take_back(bip, contents, 1, { record = record }), {}
    for i, one in ipairs(result.left) do left[i] = one.path .. ": " .. one.reason end
    assert.equal("", table.concat(left, "\n"))
    return record
  end

  it("restores the state, and undo of undo makes it again", function()
    seeds.each(200, 5000, function(seed)
      random.begin(device, bip, seed + 500000)
      local record <const> = Record.new { quiet = true, what = "test" }
      local detach <const> = record:attach(bip)
      random.new(seed):run(bip)
      detach()
      record:finish "done"
      if not record.path then return end
      device:control("keep", "after")
      local undone <const> = take_back(files.read(record.path))
      os.remove(record.path)
      assert.equal("", random.since(device, "before"))
      if undone.count > 0 then
        take_back(undone:contents())
        assert.equal("", random.since(device, "after"), "undo of undo")
      end
    end)
  end)

  local function size_of(path)
    local file <close> = assert(io.open(path, "rb"))
    return file:seek "end"
  end

  local function text_of(path)
    local file <close> = assert(io.open(path, "rb"))
    return file:read "a"
  end

  -- Runs the writes of a seed. Returns the text of the change record, and the points at which the
  -- process could be killed. The device keeps its state of each under the point's number.
  local function points_of(seed)
    local record <const>, points = Record.new { quiet = true, what = "test" }, {}
    local function point(where)
      return function(write)
        if write.harmless or not record.path then return end
        points[#points + 1] = { where = where, size = size_of(record.path) }
        device:control("keep", tostring(#points))
      end
    end
    local detach <const> = record:attach(bip)
    -- It is after the change record before a write, and before it afterwards. So the record has
    -- the write, and the device has not; or the device has done it, and its outcome is not there.
    local remove <const> = recorders.record(bip, { before = point "before", after = point "after" })
    local ok <const>, err = pcall(function() random.new(seed):run(bip) end)
    remove()
    detach()
    record:finish "done"
    local text <const> = record.path and text_of(record.path)
    if record.path then os.remove(record.path) end
    assert(ok, err)
    return text, points
  end

  -- With --slow every point, else one of them.
  it("restores the state if the process is killed at any write", function()
    local kills, cut = 0, place.path .. "/killed"
    local cases <const> = seeds.each(200, 5000, function(seed)
      random.begin(device, bip, seed + 500000)
      local text <const>, points <const> = points_of(seed)
      local bad <const> = {}
      local chosen <const> = random.new(seed):number(1, math.max(1, #points))
      for n, point in ipairs(points) do
        if lab.slow or n == chosen then
          device:control("go_back", tostring(n))
          -- a crash may cut off the line of a write that was not sent
          local torn <const> = point.where == "before" and (seed + n) % 4 == 0 and 20 or 0
          place:file("killed", text:sub(1, point.size - torn))
          local ok <const>, err = pcall(function()
            take_back(files.read(cut))
            assert.equal("", random.since(device, "before"))
          end)
          if not ok then
            bad[#bad + 1] = ("%s write %d: %s"):format(point.where, n, tostring(err))
          end
          kills = kills + 1
        end
      end
      for n in ipairs(points) do device:control("forget", tostring(n)) end
      assert.equal(0, #bad, table.concat(bad, "\n"))
    end)
    assert.is_true(seeds.are_given() or kills > 0.9 * cases, "only " .. kills)
  end)

  -- An error instead of a kill: the undo gets no further, and its transaction is given up.
  it("restores the state if the undo itself is cut off, and runs again", function()
    local cut = 0
    seeds.each(100, 2000, function(seed)
      random.begin(device, bip, seed + 500000)
      local record <const> = Record.new { quiet = true, what = "test" }
      local detach <const> = record:attach(bip)
      random.new(seed):run(bip)
      detach()
      record:finish "done"
      if not record.path then return end
      local contents <const>, count = files.read(record.path), 0
      os.remove(record.path)
      local at <const> = random.new(seed):number(1, 12)
      local function look(write)
        count = count + (write.harmless and 0 or 1)
        if count == at then
          error(require("f5.core").error_new { kind = "cancelled", message = "cut off" }, 0)
        end
      end
      local function nothing() end
      local after <const> = seed % 2 == 0
      local remove <const> = recorders.record(bip, {
        before = after and nothing or look, after = after and look or nothing,
      })
      local ok <const>, err = pcall(take_back, contents)
      remove()
      if ok then return assert.equal("", random.since(device, "before")) end
      assert.equal("cancelled", err.kind, tostring(err))
      cut = cut + 1
      take_back(contents)
      assert.equal("", random.since(device, "before"))
    end)
    assert.is_true(seeds.are_given() or cut > 30, "only " .. cut .. " were cut off")
  end)

  local function newest()
    local directory <const> = place.path .. "/state/f5lua/changes"
    local names <const> = f5.files(directory, "*")
    return names[#names]
  end

  it("restores the state after kill -9 of a process", function()
    local kills = 0
    local cases <const> = seeds.each(30, 500, function(seed)
      random.begin(device, bip, seed + 500000)
      os.execute("rm -rf '" .. place.path .. "/state'")
      local env <const> = lab.environment(device, {
        XDG_STATE_HOME = place.path .. "/state", F5LUA_UNDOABLE = "1",
      })
      local point <const> = seed % 2 == 0 and "before" or "after"
      local words <const> = { PLAYBOOK, tostring(seed), point, tostring(1 + seed % 13) }
      local ran <const> = program.run(words, { env = env })
      local killed <const> = ran.status == 137
      assert.is_true(killed or ran.status == 0, ran.err)
      local file <const> = newest()
      if file then
        take_back(files.read(file))
        assert.equal("", random.since(device, "before"))
      end
      kills = kills + (killed and 1 or 0)
    end)
    assert.is_true(seeds.are_given() or kills > cases // 3, "only " .. kills .. " were killed")
  end)
end)
