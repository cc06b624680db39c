-- The property of apply --confirm: a device takes back every plan of random writes that f5lua
-- accepts, also if f5lua is killed at any of them.
local compare = require "f5.state.compare"
local core = require "f5.core"
local json = require "f5.json"
local lab = require "lab"
local program = require "program"
local random = require "walk.random_changes"
local seeds = require "walk.seeds"
local State = require "f5.state.state"

local PLAYBOOK <const> = "tests/support/walk/undo_run.lua"

local METHODS <const> = { "POST", "PATCH", "DELETE" }

describe("S7 a change of random writes that nobody confirms", function()
  local device, bip, place

  setup(function()
    device, bip = lab.start({ provision = { "ltm", "gtm", "afm" } }, { auth = "basic" })
    place = lab.scratch()
    random.base(device, bip)
  end)
  teardown(function() lab.stop(bip, device, place) end)

  local function run(words)
    local env <const> = lab.environment(device, { XDG_STATE_HOME = place.path })
    return program.run(words, { env = env })
  end

  -- A random state in which all monitors have their results.
  local function begin(seed)
    random.begin(device, bip, seed + 500000)
    device:advance(60)
    device:control("keep", "before")
  end

  -- What differs by its meaning, as lines. Objects of iCall do not count.
  local function differences()
    local lines, before <const>, now <const> = {}, random.changed(device, "before")
    for path, text in pairs(before) do
      if path:find "/sys/icall/" then
        goto next
      elseif not now[path] then
        lines[#lines + 1] = path .. ": missing"
      elseif now[path] ~= text then
        local kind <const> = State.kind_of(path)
        for _, change in ipairs(compare.objects(kind, json.decode(text), json.decode(now[path]))) do
          lines[#lines + 1] = ("%s: %s: %s -> %s"):format(
            path, change.property, json.encode(change.old), json.encode(change.new))
        end
      end
      ::next::
    end
    for path in pairs(now) do
      if not before[path] and not path:find "/sys/icall/" then
        lines[#lines + 1] = path .. ": new"
      end
    end
    table.sort(lines)
    return table.concat(lines, "\n")
  end

  it("is taken back, or refused before the first write", function()
    local accepted = 0
    seeds.each(20, 1000, function(seed)
      begin(seed)
      local file <const> = place.path .. "/change.plan"
      local made <const> = run { "plan", "-o", file, PLAYBOOK, tostring(seed) }
      -- 1: some of the random writes are refused
      assert.is_true(made.status <= 1, made.err .. made.out)
      local done <const> = run { "apply", file, "--yes", "--confirm", "1m" }
      local refused <const> = done.status == 3
        and done.err:find("nothing was sent: the device could not take back", 1, true) ~= nil
      assert.is_true(refused or done.status <= 1, done.err)
      accepted = accepted + (refused and 0 or 1)
      device:advance(150)
      assert.equal("", differences(), lab.shell(function() return bip end) "tail -3 /var/log/ltm")
    end)
    assert.is_true(seeds.are_given() or accepted > 0)
  end)

  -- Waits until the program ends (false), or waits for an answer (true).
  local function stands_still(running)
    local calls, since = -1, core.now()
    while core.now() - since < 0.7 do
      if pcall(running.wait, running, 0.02) then return false end
      local count <const> = #device:log()
      if count ~= calls or count == 0 then calls, since = count, core.now() end
    end
    return true
  end

  it("is taken back after kill -9 at any write", function()
    local kills = 0
    seeds.each(9, 500, function(seed)
      begin(seed)
      local file <const> = place.path .. "/change.plan"
      run { "plan", "-o", file, PLAYBOOK, tostring(seed) }
      -- the N-th write of a method is never answered; an even seed: it is not carried out either
      device:fault {
        match = { method = METHODS[seed % 3 + 1], path = "^/mgmt/tm/[^s]" }, after = seed // 3 % 4,
        delay_ms = 600000, status = 503, act = seed % 2 == 1,
      }
      device:clear_log()
      local running <close> = program.start({ "apply", file, "--yes", "--confirm", "1m" }, {
        env = lab.environment(device, { XDG_STATE_HOME = place.path }),
      })
      if stands_still(running) then
        running:kill "KILL"
        kills = kills + 1
      end
      device:clear_faults()
      device:advance(700)
      assert.equal("", differences())
    end)
    assert.is_true(seeds.are_given() or kills > 0)
  end)
end)
