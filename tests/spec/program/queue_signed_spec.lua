-- Signed runs of a queue: a worker carries out only what was signed with a key that it trusts, and
-- only as it was signed.
local bundle = require "f5.bundle"
local json = require "f5.json"
local program = require "program"
local queue = require "postgres.queue"
local server_of = require "postgres.server"

local it = server_of.missing and function(name) pending(name .. ": " .. server_of.missing) end
  or it

describe("Q3 signed runs", function()
  local fleet, q

  queue.block(setup, teardown, before_each, after_each, 4, function(_, a_fleet, a_queue)
    fleet, q = a_fleet, a_queue
  end)

  local ENV <const> = queue.ENV

  -- Makes a key pair; returns the name of the private key's file.
  local function new_key(place, name)
    local pem <const> = place.path .. "/" .. name
    assert(os.execute(("openssl genpkey -algorithm ed25519 -out %s && "
      .. "openssl pkey -in %s -pubout -out %s.pub"):format(pem, pem, pem)))
    return pem
  end

  local function signed_with(key)
    return function(text) return (assert(bundle.sign(key, text))) end
  end

  it("carries out nothing that is stored otherwise than it was signed", function()
    local place <close> = program.directory()
    local pem <const> = new_key(place, "key.pem")
    local FORGED <const> = {
      kind = function(facts) facts.kind = "check" end,
      playbook = function(facts) facts.playbook = "other.lua" end,
      arguments = function(facts) facts.arguments = { "x" } end,
      options = function(facts) facts.options = { on = "active" } end,
      grace = function(facts) facts.grace = 0 end,
      allowed = function(facts) facts.allowed = 99 end,
      canaries = function(facts) facts.canaries = 0 end,
      ["wave of device 1"] = function(_, jobs) jobs[1].wave, jobs[2].wave = 1, 0 end,
      ["key of device 1"] = function(_, jobs) jobs[1].key = "127.0.0.9:443" end,
      ["device of device 2"] = function(_, jobs) jobs[2].device = "other" end,
      ["tags of device 2"] = function(_, jobs) jobs[2].tags = json.array {} end,
      ["the number of devices"] = function(_, jobs) table.remove(jobs) end,
    }
    local names = {}
    local list <const> = queue.devices(fleet, 1, 2, { timeout = 10 })
    for what, forge in pairs(FORGED) do
      names[q:submit("return 1", list, {
        sign = signed_with(pem), canary = 1, max_failures = 1, tags = { "eu" }, forge = forge,
      })] = what
    end
    local a <close> = q:worker("a", {
      "--once", "--tags", "eu", "--trust", pem .. ".pub", "--lease", "30",
    }, ENV)
    local ended <const> = a:wait(60)
    assert.equal(0, ended.status, ended.err)
    for run, what in pairs(names) do
      assert.equal("it is not what was signed: " .. what .. " differs",
        q.db:row("select note from attempts where run = $1", run).note)
      assert.is_nil(q:states(run).done, what)
    end
  end)

  it("repeats a signed run with the waves that are left", function()
    local place <close> = program.directory()
    local pem <const> = new_key(place, "key.pem")
    local list <const> = queue.devices(fleet, 1, 4, { timeout = 10 })
    local words <const> = { "--once", "--trust", pem .. ".pub", "--lease", "30" }
    for fails, states in pairs {
      ["127.0.0.2"] = { failed = 1, unreached = 2 }, -- a canary
      ["127.0.0.[34]"] = { failed = 2 },
    } do
      local run = q:submit(("if device.name:find '^%s$' then error 'no' end"):format(fails), list, {
        sign = signed_with(pem), canary = 2, batch = 1, max_failures = 9,
      })
      for _ = 1, 3 do
        local a <close> = q:worker("a", words, ENV)
        local ended <const> = a:wait(60)
        assert.equal(0, ended.status, ended.err)
        local found <const> = q:states(run)
        found.done = nil
        assert.same(states, found, ended.err)
        run = q.db:row("select retry($1::bigint, 'here') as id", run).id
      end
      q.db:query("select cancel($1::bigint)", run)
    end
  end)

  it("carries out only what is signed with a key that it trusts", function()
    local place <close> = program.directory()
    local pem, wrong = new_key(place, "key.pem"), new_key(place, "wrong.pem")
    local pub <const> = pem .. ".pub"
    local list <const> = queue.devices(fleet, 1, 3)
    local unsigned = q:submit("return 1", { list[1] })
    local foreign = q:submit("return 1", { list[2] }, { sign = signed_with(wrong) })
    local good = q:submit("return 1", { list[3] }, { sign = signed_with(pem) })
    local a <close> = q:worker("a", { "--lease", "10", "--once", "--trust", pub }, ENV)
    local result = a:wait()
    assert.equal(0, result.status)
    assert.matches("run " .. unsigned .. ", 127.0.0.1: handed back: it is not signed", result.err)
    assert.matches("run " .. foreign .. ", 127.0.0.2: handed back: its signature is not of a key",
      result.err)
    assert.equal("done", q:run(good).state)
    assert.same({ waiting = 1 }, q:states(unsigned))
    assert.same({ waiting = 1 }, q:states(foreign))
    assert.equal("it is not signed",
      q.db:row("select note from attempts where run = $1", unsigned).note)
  end)
end)
