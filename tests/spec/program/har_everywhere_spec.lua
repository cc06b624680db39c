-- --record, --replay and --report of all that makes calls, and by variables.
local f5 = require "f5"
local har_rules = require "observed.har_rules"
local lab = require "lab"
local program = require "program"

local PLAYBOOK <const> = [[
local bip <close> = require("f5").connect {}
bip.ltm.pool["/Common/p"]:ensure { description = "text " .. (arg[1] or "") }
]]

describe("E4 recordings of everything", function()
  local device, place
  lab.block(setup, teardown, before_each, function(given_device, given_place)
    device, place = given_device, given_place
  end)
  before_each(function()
    place:file("p.lua", PLAYBOOK)
    local bip <close> = lab.connect(device)
    bip.ltm.pool["/Common/p"]:absent()
  end)

  local function f5lua(words, env, other)
    local variables <const> = lab.environment(device)
    variables.XDG_STATE_HOME = place.path .. "/state"
    for name, value in pairs(env or {}) do variables[name] = value end
    return program.run(words, { env = variables, directory = place.path, program = other })
  end

  local function ok(words, env, other)
    local done <const> = f5lua(words, env, other)
    assert.equal(0, done.status, done.err)
    return done.out
  end

  local function wrong(words, message, env)
    local done <const> = f5lua(words, env)
    assert.equal(2, done.status, done.err)
    assert.matches(message, done.err)
  end

  -- The methods of a recording, without logins and tokens.
  local function methods(name)
    local har <const> = f5.json.decode(place:read(name))
    assert.same({}, har_rules.problems(har))
    local list = {}
    for _, entry in ipairs(har.log.entries) do
      if not entry._internal then list[#list + 1] = entry.request.method end
    end
    os.remove(place.path .. "/" .. name)
    return table.concat(list, " ")
  end

  it("are made without a subcommand", function()
    local chunk <const> = 'local b <close> = require "f5".connect {} b.ltm.pool:list()'
    ok { "--record", "a.har", "-e", chunk }
    assert.equal("GET", methods "a.har")
    ok { "-e", chunk, "--record=a.har", "--report", "a.xml" }
    assert.matches("<testsuites name=\"f5lua\" tests=\"1\"", place:read "a.xml")
    ok { "-v", "--replay", "a.har", "-e", chunk }
    assert.equal("GET", methods "a.har")
  end)

  it("are made by subcommands", function()
    ok { "create", "ltm/pool", "p", "--record", "a.har" }
    assert.equal("POST", methods "a.har")
    ok { "bash", "--record", "a.har", "echo", "x" }
    assert.equal("POST", methods "a.har")
    ok { "snapshot", "ltm/pool", "-o", "s.json", "--record", "a.har" }
    assert.matches("GET", methods "a.har")
    wrong({ "delete", "ltm/pool", "p", "--check", "--record", "a.har" }, "%-%-check asks twins")
    wrong({ "plan", "-o", "p.plan", "--record", "a.har", "p.lua" }, "to 'f5lua apply'")
    wrong({ "trust", "--list", "--record", "a.har" }, "unknown option '%-%-record'")
    local existing <const> = place:file("mine.har", "mine")
    wrong({ "list", "ltm/pool", "--record", existing }, "exists, and is no recording")
    assert.equal("mine", place:read "mine.har")
  end)

  it("are made of what plans and undos send, with a report", function()
    ok { "create", "ltm/pool", "p", "description=before" }
    ok { "plan", "-o", "p.plan", "p.lua" }
    ok { "apply", "p.plan", "--record", "a.har", "--report", "a.html" }
    assert.matches("PATCH", methods "a.har")
    assert.truthy(place:read("a.html"):find("text", 1, true))
    ok { "undo", "last", "--record", "a.har", "--report", "a.xml" }
    assert.matches("PATCH", methods "a.har")
    assert.matches("failures=\"0\"", place:read "a.xml")
    wrong({ "undo", "last", "--check", "--report", "a.xml" }, "leave out %-%-report")
    wrong({ "apply", "p.plan", "--report", "a.doc" }, "must end with .html")
    -- what ends with a status of its own has failed
    local done <const> = f5lua { "apply", "p.plan", "--host", "127.0.0.1:1", "--report", "a.xml" }
    assert.equal(3, done.status)
    assert.matches("failures=\"1\"", place:read "a.xml")
  end)

  it("are made as variables say, also by packed programs", function()
    local record <const> = { F5LUA_RECORD = "a.har", F5LUA_REPORT = "a.json" }
    local replay <const> = { F5LUA_REPLAY = "a.har", F5_SERVER = "127.0.0.1:1" }
    local run <const> = { { "p.lua", "1" }, { "run", "p.lua", "5" } }
    for _, words in ipairs(run) do
      ok(words, record)
      assert.matches('"done"', place:read "a.json")
      ok(words, replay)
      words[#words] = "2"
      local done <const> = f5lua(words, replay)
      assert.equal(1, done.status)
      assert.matches("differs from the recording a.har", done.err)
    end
    ok { "build", "-o", "packed", "p.lua" }
    local packed <const> = place.path .. "/packed"
    ok({ "3" }, record, packed)
    ok({ "3" }, replay, packed)
    wrong({ "p.lua" }, "%-%-check asks twins", { F5LUA_RECORD = "b.har", F5LUA_CHECK = "1" })
    wrong({ "p.lua" }, "leave out F5LUA_REPORT", { F5LUA_REPORT = "b.xml", F5LUA_CHECK = "1" })
    wrong({ "p.lua" }, "leave out %-%-check", { F5LUA_REPLAY = "a.har", F5LUA_CHECK = "1" })
  end)
end)
