-- Traffic policies and --confirm: a device takes changes of policies and of their drafts back.
local configuration = require "devices.configuration"
local lab = require "lab"
local program = require "program"

local HEAD <const> = [[
local f5 = require "f5"
local bip <close> = f5.connect {}
local policies = bip.ltm.policy
local function publish(name) policies:run("publish", { name = "/Common/Drafts/" .. name }) end
]]

local function action(pool) return { name = "0", forward = true, select = true, pool = pool } end

local function rules(first, second)
  return {
    { name = "r1", ordinal = 0, description = 'a {b} "c" $d', actions = { action(first) },
      conditions = { { name = "0", httpHost = true, host = true,
        values = { "a.example.com", "b b" } } } },
    { name = "r2", ordinal = 1, actions = { action(second) } },
    { name = "r3", ordinal = 2, actions = { { name = "0", redirect = true, httpReply = true,
      location = "tcl:https://[getfield [HTTP::host] \":\" 1]/", code = 301 } },
      conditions = { { name = "0", httpUri = true, path = true, startsWith = true,
        caseSensitive = true, values = { "/x" } }, { name = "1", tcp = true, address = true,
        matches = true, values = { "10.0.0.0/8" } } } },
  }
end

local function plant(bip)
  for _, name in ipairs { "a", "b" } do bip.ltm.pool["/Common/" .. name]:create {} end
  for name, drafted in pairs { one = false, two = true, three = false } do
    bip.ltm.policy:create {
      name = name, partition = "Common", subPath = "Drafts", strategy = "/Common/first-match",
      controls = { "forwarding" }, requires = { "http", "tcp" },
      rules = rules("/Common/a", "/Common/b"),
    }
    bip.ltm.policy:run("publish", { name = "/Common/Drafts/" .. name })
    if drafted then
      bip.ltm.policy["/Common/" .. name]:modify { createDraft = "yes" }
      bip.ltm.policy["/Common/Drafts/" .. name]:modify { description = "in work" }
    end
  end
  bip.ltm.policy:create { name = "four", partition = "Common", subPath = "Drafts",
    strategy = "/Common/all-match", rules = rules("/Common/b", "/Common/a") }
  bip.ltm.virtual["/Common/vs"]:create {
    destination = "192.0.2.10:80", ipProtocol = "tcp",
    profiles = { { name = "http" }, { name = "tcp" } }, policies = { { name = "one" } },
  }
end

local CHANGES <const> = {
  ["a published policy is changed"] = [[
policies["/Common/one"]:modify { createDraft = "yes" }
policies["/Common/Drafts/one"].rules.r2:delete()
policies["/Common/Drafts/one"].rules.r1.actions["0"]:modify { pool = "/Common/b" }
policies["/Common/Drafts/one"]:modify { description = "new", strategy = "/Common/all-match" }
publish "one"
]],
  ["a published policy is emptied"] = [[
policies["/Common/one"]:modify { createDraft = "yes" }
policies["/Common/Drafts/one"]:modify { rules = {}, controls = {}, requires = {} }
publish "one"
]],
  ["a policy is deleted, and its pool with it"] = [[
policies["/Common/three"]:delete()
policies["/Common/one"]:modify { createDraft = "yes" }
policies["/Common/Drafts/one"]:modify { rules = {} }
publish "one"
policies["/Common/two"]:delete()
policies["/Common/Drafts/two"]:delete()
policies["/Common/Drafts/four"]:delete()
bip.ltm.pool["/Common/a"]:delete()
]],
  ["a draft is made"] = 'policies["/Common/one"]:modify { createDraft = "yes" }\n',
  ["a draft is changed"] = [[
policies["/Common/Drafts/two"].rules.r1.conditions["0"]:modify { values = { "z" } }
policies["/Common/Drafts/four"]:modify { description = "new" }
]],
  ["a draft is published"] = 'publish "two"\npublish "four"\n',
  ["a policy is made and used"] = [[
policies:create { name = "new", partition = "Common", subPath = "Drafts", rules = {
  { name = "r", ordinal = 0, actions = { { name = "0", forward = true, select = true,
    pool = "/Common/a" } } } } }
publish "new"
bip.ltm.virtual["/Common/vs"]:modify { policies = { { name = "new" } } }
]],
}

-- Kills f5lua in the second run.
local KILL <const> = [[

local file = io.open("%s/runs", "a+")
file:seek "set"
if file:read "a" ~= "" then os.execute "kill -9 $PPID" end
file:write "x"
file:close()
]]

describe("S7 traffic policies under --confirm", function()
  local device, bip, place

  before_each(function()
    device, bip = lab.start()
    place = program.directory()
    plant(bip)
  end)
  after_each(function() lab.stop(bip, device, place) end)

  local function environment()
    return lab.environment(device, { XDG_STATE_HOME = place.path })
  end

  local function run(words)
    return program.run(words, { env = environment(), directory = place.path })
  end

  local function objects() return configuration.objects(device) end
  local function differences(before) return configuration.differences(device, before) end

  -- Lets the device take the change back, however often its timer runs.
  local function take_back()
    local timer <const> = bip.sys.icall.handler.periodic["/Common/f5lua_confirm"]
    for _ = 1, 20 do
      device:advance(65)
      if not timer:exists() then return end
    end
  end

  local function log() return lab.shell(function() return bip end) "tail -20 /var/log/ltm" end

  for what, change in pairs(CHANGES) do
    it("are as before, after " .. what, function()
      local before <const> = objects()
      place:file("playbook.lua", HEAD .. change)
      local made <const> = run { "plan", "-o", "change.plan", "playbook.lua" }
      assert.equal(0, made.status, made.err .. made.out)
      local done <const> = run { "apply", "change.plan", "--confirm", "1m" }
      assert.equal(0, done.status, done.err .. done.out)
      assert.not_equal("", differences(before))
      take_back()
      assert.equal("", differences(before), log())
    end)

    it("are as before, if f5lua is killed while " .. what, function()
      local before <const> = objects()
      local lines = {}
      for line in change:gmatch "[^\n]+" do
        if line:find "^ " then lines[#lines] = lines[#lines] .. "\n" .. line
        else lines[#lines + 1] = line end
      end
      for at = lab.slow and 1 or (#lines + 1) // 2, lab.slow and #lines or (#lines + 1) // 2 do
        os.remove(place.path .. "/runs")
        -- the first run is the check
        local killing <const> = KILL:format(place.path)
        place:file("playbook.lua", HEAD .. table.concat(lines, "\n", 1, at) .. killing
          .. table.concat(lines, "\n", at + 1))
        local done <const> = run { "run", "--confirm", "1m", "playbook.lua" }
        assert.equal(137, done.status, done.err .. done.out)
        assert.not_equal("", differences(before))
        take_back()
        assert.equal("", differences(before), log())
      end
    end)
  end

  it("are refused if they have no drafts", function()
    bip.ltm.policy["/Common/old"]:create { legacy = true, rules = rules("/Common/a", "/Common/b") }
    place:file("playbook.lua", HEAD .. 'policies["/Common/old"]:modify { description = "x" }\n')
    assert.equal(0, run({ "plan", "-o", "change.plan", "playbook.lua" }).status)
    local done <const> = run { "apply", "change.plan", "--confirm", "1m" }
    assert.equal(3, done.status, done.out)
    assert.matches("a policy without drafts %(legacy%)", done.err)
  end)
end)
