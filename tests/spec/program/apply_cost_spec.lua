-- How many calls apply and undo need: for twice as many steps twice as many, whatever the steps
-- write. Nothing here depends on time.
local json = require "f5.json"
local lab = require "lab"
local program = require "program"

local HEAD <const> = 'local f5 = require "f5"\nlocal bip <close> = f5.connect {}\n'

-- What a playbook does in its N-th step, the object before it, and the reads after the last write
-- for each step.
local CASES <const> = {
  ["objects of their own"] = {
    step = 'bip.ltm.pool["/Common/p%d"]:create { members = { "10.0.%d.1:80", "10.0.%d.2:80" } }',
    reads = 5, -- the pool, its two members and their nodes
  },
  ["partitions, each a step by itself"] = {
    step = 'bip.auth.partition["/T%d"]:create {}', reads = 2, -- and the folder of the same name
  },
  ["elements of one object"] = {
    step = 'bip.ltm.pool["/Common/old"].members:create { name = "/Common/10.1.%d.1:80" }',
    reads = 2,
  },
  ["one object again and again"] = {
    step = 'bip.ltm.pool["/Common/old"]:modify { description = "is %d" }', reads = 0,
  },
}

local COUNTS <const> = { 4, 8, 16 }

describe("S5 apply", function()
  local device, place, bip

  setup(function()
    device, bip = lab.start()
    place = program.directory()
  end)
  teardown(function() lab.stop(bip, device, place) end)

  local function run(words)
    local env <const> = lab.environment(device, { XDG_STATE_HOME = place.path })
    local done <const> = program.run(words, { env = env, directory = place.path })
    assert.equal(0, done.status, done.err .. done.out)
    return done
  end

  -- The calls since the log was cleared, and the reads after the last write.
  local function counts()
    local calls, reads = 0, 0
    for _, call in ipairs(device:log()) do
      if call.path:find "^/mgmt/tm/" then
        calls = calls + 1
        reads = call.method == "GET" and reads + 1 or 0
      end
    end
    return calls, reads
  end

  -- Makes a plan of so many steps, applies it, and takes it back.
  local function cost(step, count)
    local lines = { HEAD }
    for i = 1, count do lines[#lines + 1] = step:gsub("%%d", tostring(i)) end
    place:file("change.lua", table.concat(lines, "\n"))
    run { "plan", "-o", "change.plan", "change.lua" }
    device:clear_log()
    run { "apply", "change.plan" }
    local applied <const>, read_back <const> = counts()
    device:clear_log()
    run { "undo", "last" }
    return applied, read_back, (counts())
  end

  for what, case in pairs(CASES) do
    it("and undo need calls in proportion to the steps: " .. what, function()
      bip.ltm.pool["/Common/old"]:absent()
      bip.ltm.pool["/Common/old"]:create { description = "was" }
      local applied, read_back, undone = {}, {}, {}
      for i, count in ipairs(COUNTS) do
        applied[i], read_back[i], undone[i] = cost(case.step, count)
      end
      local shown <const> = json.encode { json.array(applied), json.array(read_back),
        json.array(undone) }
      for _, list in ipairs { applied, read_back, undone } do
        assert.equal(2 * (list[2] - list[1]), list[3] - list[2], shown)
      end
      assert.equal(case.reads * (COUNTS[2] - COUNTS[1]), read_back[2] - read_back[1], shown)
    end)
  end
end)
