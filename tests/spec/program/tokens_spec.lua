-- f5lua tokens: one's tokens on a device, and how stale ones are deleted.
local f5 = require "f5"
local lab = require "lab"
local program = require "program"

local device, place

local function f5lua(words, more)
  local env = lab.environment(device)
  for name, value in pairs(more or {}) do env[name] = value end
  return program.run(words, { env = env, directory = place.path })
end

local function ok(words, more)
  local result = f5lua(words, more)
  assert.equal(0, result.status, result.err .. result.out)
  return result.out, result.err
end

local function rows(words, more)
  local list = {}
  for line in ok(words, more):gmatch "[^\n]+" do list[#list + 1] = f5.json.decode(line) end
  return list
end

local function live()
  local names = {}
  for name in pairs(device:state().tokens.items) do names[#names + 1] = name end
  table.sort(names)
  return names
end

describe("E2 tokens", function()
  before_each(function()
    device = require("f5.sim").start {}
    place = program.directory()
  end)
  after_each(function() lab.stop(place, device) end)

  -- Tokens that programs have left behind.
  local function leave(count, user)
    for _ = 1, count do
      local curl <const> = require "curl"
      curl(device, "POST", "/mgmt/shared/authn/login", {
        username = user or "admin", password = user or "admin", loginProviderName = "tmos",
      })
    end
  end

  it("are those of the user, with their age; their names stay secret", function()
    leave(2)
    leave(1, "operator")
    device:advance(600)
    local found <const> = rows { "tokens" }
    assert.equal(3, #found)
    assert.is_false(found[1].own)
    assert.is_true(found[1].age >= 600 and found[1].age < 660, found[1].age) -- the clock goes on
    assert.is_true(found[1].left < 601)
    assert.same({ 0, true }, { found[3].age, found[3].own })
    assert.equal("127.0.0.1", found[1].address)
    local out <const> = ok { "tokens", "list", "-o", "table" }
    assert.matches("10 min +9 min", out)
    assert.matches("this run\n", out)
    for _, format in ipairs { "table", "json", "jsonl", "csv", "lua" } do
      local text <const> = ok { "tokens", "-o", format }
      for _, name in ipairs(live()) do assert.is_nil(text:find(name, 1, true)) end
    end
    assert.equal(1, #rows { "tokens", "--of", "operator" })
    assert.equal(1, #rows { "tokens", "--where", "own" })
    assert.matches("^address,age\n127.0.0.1,%d\n$",
      ok { "tokens", "--sort", "age", "--top", "1", "--select", "address,age", "-o", "csv" })
    assert.matches("%-%-where is for lists", f5lua({ "tokens", "clear", "--where", "own" }).err)
    assert.equal(2, #rows({ "tokens" }, { F5_USER = "operator", F5_PASSWORD = "operator" }))
  end)

  it("are deleted if they are stale, and nothing else is", function()
    leave(2)
    leave(1, "operator")
    device:advance(600)
    leave(1)
    local left <const> = #live() -- the expired ones are not yet forgotten
    local found <const> = rows { "tokens", "clear", "--yes" }
    assert.equal(2, #found)
    assert.equal(left - 2, #live())
    assert.same({}, rows { "tokens", "clear", "--yes" })
    assert.equal(1, #rows { "tokens", "clear", "--yes", "--older-than", "0s" })
    assert.equal(1, #rows { "tokens", "clear", "--of", "operator", "--yes" })
    assert.equal("no stale tokens\n", ok { "tokens", "clear", "--yes", "-o", "table" })
    assert.same({}, live())
  end)

  it("need --yes where nobody can be asked", function()
    leave(1)
    device:advance(600)
    local result <const> = f5lua { "tokens", "clear" }
    assert.equal(2, result.status)
    assert.matches("Delete 1 token%? Say %-%-yes when this is meant", result.err)
    assert.equal(1, #live())
    assert.matches("%-%-yes needs clear", f5lua({ "tokens", "--yes" }).err)
  end)

  it("are asked about on a terminal", function()
    leave(1)
    device:advance(600)
    local cases <const> =
      { { "n", "nothing was deleted", 1 }, { "y", "deleted ....%*+, 10", 0 } }
    for _, case in ipairs(cases) do
      local screen <close> = require("terminal").start({ "tokens", "clear" }, {
        env = lab.environment(device), errors_too = true, columns = 100,
      })
      screen:expect("10 min old from 127.0.0.1\nDelete 1 token%? %[y/N%]", 20)
      screen:type(case[1])
      screen:key "Enter"
      screen:expect(case[2], 20)
      assert.equal(0, screen.status())
      assert.equal(case[3], #live())
    end
  end)

  it("that are too many leave administrators a way", function()
    leave(100)
    device:advance(600)
    local result = f5lua { "tokens", "clear", "--yes" }
    assert.equal(3, result.status)
    assert.matches("too many tokens.*f5lua tokens clear %-%-basic", result.err)
    assert.equal(100, #rows {
      "tokens", "clear", "--basic", "--yes", "--older-than", "0s",
    })
    assert.same({}, live())
    result = f5lua({ "tokens", "--basic" }, { F5_USER = "operator", F5_PASSWORD = "operator" })
    assert.equal(3, result.status)
  end)

  it("are handled on an inventory", function()
    leave(2)
    device:advance(600)
    lab.inventory(place, device, { "a" })
    local words <const> = { "tokens", "clear", "--inventory", "sites.lua" }
    assert.matches("clear on an inventory needs %-%-yes", f5lua(words).err)
    table.insert(words, "--yes")
    local found <const> = rows(words)
    assert.same({ "a", 2 }, { found[1].device, #found })
    assert.same({}, live())
    -- devices in the order of their numbers, whoever answers first
    lab.inventory(place, device, { "d10", "d9", "d2" })
    local out, err = ok { "tokens", "--inventory", "sites.lua", "-o", "csv" }
    assert.matches("^device,name[^\n]*\nd2,[^\n]*\n.*d9,.*d10,", out)
    assert.matches("3 devices: 3 done, in", err)
  end)
end)
