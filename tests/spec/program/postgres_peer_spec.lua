-- What a bad PostgreSQL server can do to a client: tests/support/postgres/peer.py.
local core = require "f5.core"
local f5 = require "f5"
local lab = require "lab"
local pq = require "f5.postgres.core"
local program = require "program"

describe("a bad PostgreSQL server", function()
  local peer, port

  setup(function()
    peer = program.start({ "tests/support/postgres/peer.py" }, { program = "/usr/bin/python3" })
    port = peer:expect "port (%d+)"
  end)
  teardown(function() lab.stop(peer) end)

  -- The rows; or nil and what failed: a statement, or the connection. It never takes long.
  local function ask(scene, limit)
    local before = core.now()
    local address = ("host=127.0.0.1 port=%s user=u dbname=%s sslmode=disable"):format(port, scene)
    address = address .. " connect_timeout=2"
    local db, problem = pq.connect(address, limit or 30)
    local rows
    if db then
      rows, problem = db:query(nil, "select 1 as n")
      if rows then
        rows, problem = db:query(nil, "select 1 as n")
      end
      db:query(nil, "select 1 as n")
      db:close()
    end
    assert.is_true(core.now() - before < 20, scene)
    return rows, problem
  end

  it("that ends the connection in any way is noticed", function()
    for _, scene in ipairs {
      "close", "reset", "half", "rubbish", "huge", "negative", "wide", "copy", "copyin",
    } do
      local rows, problem = ask(scene)
      assert.is_nil(rows, scene)
      assert.is_true(problem.lost, scene)
      assert.is_true(problem.sent, scene)
      assert.is_true(#problem.message > 5, scene)
    end
    for _, scene in ipairs { "startclose", "startrubbish", "startauth" } do
      local rows, problem = ask(scene)
      assert.is_nil(rows, scene)
      assert.matches("connection to server at", problem.message)
    end
  end)

  it("that does not answer is dead", function()
    local rows, problem = ask("stall", 0.3)
    assert.is_nil(rows)
    assert.equal("the database does not answer", problem.message)
    local _, at_start = ask "startstall"
    assert.matches("no answer from the database at 127.0.0.1, port %d+, within 2 s",
      at_start.message)
  end)

  it("may say why it ends the connection", function()
    local _, problem = ask "fatal"
    assert.equal("57P01", problem.sqlstate)
    assert.matches("^the administrator", problem.message)
    _, problem = ask "startfatal"
    assert.matches("too many", problem.message)
  end)

  it("that answers oddly is taken at its word", function()
    local rows, problem = ask "errors"
    assert.is_nil(rows)
    assert.equal("XX000", problem.sqlstate)
    assert.is_nil((ask "mute"))
    assert.equal("1", ask("flood")[1].n)
    assert.equal("1", ask("startnotices") and "1" or "0")
    ask "early"
  end)

  it("that sends random bytes neither crashes nor stops the program", function()
    local answers, failures = 0, 0
    local function walk(name, from, to)
      for seed = from, to do
        local rows, problem = ask(name .. seed, 0.5)
        if rows then answers = answers + 1 else failures = failures + 1 end
        assert.is_true(rows ~= nil or type(problem.message) == "string", name .. seed)
      end
    end
    local fibers = {}
    local last <const> = lab.slow and 3000 or 240
    for part = 0, 7 do
      local first = part * last // 8
      fibers[#fibers + 1] = function()
        walk("random", first + 1, first + last // 8)
        walk("startrandom", first + 1, first + last // 24)
      end
    end
    f5.all(fibers)
    assert.is_true(failures > answers and answers > 0, answers .. " " .. failures)
  end)

  it("writes nothing to the terminal", function()
    local script <const> = [[
      local pq = require "f5.postgres.core"
      for _, scene in ipairs { "flood", "startnotices", "fatal", "rubbish", "early" } do
        local db = pq.connect(("host=127.0.0.1 port=%s user=u dbname=%s"):format(arg[1], scene), 5)
        for _ = 1, 3 do db:query(nil, "select 1") end
      end
    ]]
    local place <close> = lab.scratch()
    local result = program.run { place:file("peer.lua", script), port }
    assert.equal("", result.err)
    assert.equal("", result.out)
  end)
end)
