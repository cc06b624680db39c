-- Bodies that get has printed, and misspelt names of properties, also after --select.
local json = require "f5.json"
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"

local device, environment

local function start()
  device = sim.start()
  environment = lab.environment(device)
end

local function stop() device:stop() end

local function run(...) return program.run({ ... }, { env = environment }) end

-- Expects an exit status and what is on standard output; returns standard error.
local function answers(status, out, ...)
  local result = run(...)
  assert.same({ status, out }, { result.status, result.out }, result.err)
  return result.err
end

describe("An object that get has printed", function()
  before_each(start)
  after_each(stop)

  it("is taken back by modify, ensure and create", function()
    local made = run("create", "ltm/node", "n", "address=10.0.0.1", "monitor=/Common/icmp")
    assert.equal(0, made.status, made.err)
    local directory <close> = program.directory()
    local file = directory:file("n.json", run("get", "ltm/node", "n", "-o", "json").out)
    assert.equal("checking", json.decode(run("get", "ltm/node", "n").out).state)
    assert.equal(
      "unchanged", json.decode(run("ensure", "ltm/node", "n", "@" .. file).out).result
    )
    local changed = run("modify", "ltm/node", "n", "@" .. file, "description=x")
    assert.same({ 0, "x" }, { changed.status, json.decode(changed.out).description }, changed.err)
    run("delete", "ltm/node", "n")
    assert.equal("created", json.decode(run("ensure", "ltm/node", "m", "@" .. file).out).result)
  end)

  it("is refused with the property that was meant", function()
    local result = run("ensure", "ltm/pool", "/Common/web", "monitr=/Common/http")
    assert.equal(3, result.status)
    assert.matches(
      "f5lua: \"monitr\" unknown property (did you mean 'monitor'?)", result.err, 1, true
    )
  end)
end)

describe("A misspelt name after --select", function()
  before_each(function()
    start()
    run("ensure", "ltm/pool", "web", "description=x")
    run("create", "ltm/pool", "web2")
  end)
  after_each(stop)

  local NAME <const> = "f5lua: --select: there is no property 'nme'; did you mean 'name'?\n"

  it("is wrong usage if nothing else is selected", function()
    for _, words in ipairs {
      { "get", "ltm/pool", "web" }, { "get", "ltm/pool" }, { "list", "ltm/pool" },
      { "list", "ltm/pool", "-o", "csv" }, { "list", "ltm/pool", "-o", "table" },
      { "list", "ltm/pool", "--top", "1" },
    } do
      table.move({ "--select", "nme" }, 1, 2, #words + 1, words)
      local err = answers(2, "", table.unpack(words))
      assert.equal(NAME .. ("Try 'f5lua %s --help'.\n"):format(words[1]), err)
    end
    assert.matches(
      "there is no property 'serves'; did you mean 'servers'?",
      answers(2, "", "get", "sys/ntp", "--select", "serves"), 1, true
    )
    assert.matches(
      "there is no property 'zzz'\n", answers(2, "", "list", "ltm/pool", "--select", "zzz")
    )
  end)

  it("is a warning beside others", function()
    assert.equal(
      NAME, answers(0, '{"description":"x"}\n', "get", "ltm/pool", "web", "--select",
        "description,nme")
    )
    assert.equal(
      NAME,
      answers(0, '{"name":"web"}\n{"name":"web2"}\n', "list", "ltm/pool", "--select", "name,nme")
    )
  end)

  it("is not what an object only lacks", function()
    assert.equal("", answers(0, "{}\n", "get", "ltm/pool", "web", "--select", "monitor"))
    assert.equal(
      "",
      answers(0, '{"description":"x"}\n{}\n', "list", "ltm/pool", "--select", "description,monitor")
    )
    assert.equal("", answers(0, "", "list", "ltm/virtual", "--select", "nme"))
    local fully = run("list", "ltm/pool", "--select", "fullPath,kind,selfLink,membersReference")
    assert.same({ 0, "" }, { fully.status, fully.err })
  end)

  it("costs one call, and only if something is missing", function()
    local function reads()
      local count = 0
      for _, call in ipairs(device:log()) do
        if call.path:find "^/mgmt/tm/" then count = count + 1 end
      end
      device:clear_log()
      return count
    end
    reads()
    run("list", "ltm/pool", "--select", "name")
    assert.equal(1, reads())
    run("list", "ltm/pool", "--select", "nme")
    assert.equal(2, reads())
    run("list", "ltm/pool", "--select", "name,monitor")
    assert.equal(2, reads())
  end)
end)
