-- Reports for machines: JUnit XML of a fleet and of a single run. What other programs read is
-- checked with a parser that is not f5lua's.
local f5 = require "f5"
local json = require "f5.json"
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"

local device, directory, environment

local function run(words, options)
  options = options or {}
  options.env, options.directory = environment, directory.path
  return program.run(words, options)
end

-- The XML as { name =, attributes =, text =, children = }, read by Python.
local READER <const> = [[
import json, sys, xml.etree.ElementTree as tree
def plain(e):
    return dict(name=e.tag, attributes=dict(e.attrib), text=e.text or "", children=[plain(c) for c in e])
print(json.dumps(plain(tree.parse(sys.argv[1]).getroot())))
]]

local function parsed(name)
  local done = program.run(
    { "-c", READER, directory.path .. "/" .. name }, { program = "/usr/bin/python3" }
  )
  assert.equal("", done.err)
  return json.decode(done.out)
end

-- What JUnit's readers (Jenkins, GitLab) rely on: the elements, and counts that are right.
local function suite_of(name)
  local root = parsed(name)
  assert.equal("testsuites", root.name)
  assert.equal(1, #root.children)
  local suite = root.children[1]
  assert.equal("testsuite", suite.name)
  local counts = { failure = 0, error = 0, skipped = 0, ["system-out"] = 0 }
  for _, case in ipairs(suite.children) do
    assert.equal("testcase", case.name)
    assert.equal(suite.attributes.name, case.attributes.classname)
    assert.truthy(tonumber(case.attributes.time))
    for _, child in ipairs(case.children) do counts[child.name] = counts[child.name] + 1 end
  end
  for _, one in ipairs { root, suite } do
    assert.equal(#suite.children, tonumber(one.attributes.tests))
    assert.equal(counts.failure, tonumber(one.attributes.failures))
    assert.equal(counts.error, tonumber(one.attributes.errors))
    assert.equal(counts.skipped, tonumber(one.attributes.skipped))
  end
  assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d$", suite.attributes.timestamp)
  return suite
end

local function inventory(names) lab.inventory(directory, device, names) end

describe("E5 reports as JUnit XML", function()
  setup(function()
    device = sim.start()
    environment = lab.environment(device)
  end)
  teardown(function() device:stop() end)
  before_each(function()
    device:clear_faults()
    directory = program.directory()
  end)
  after_each(function() getmetatable(directory).__close() end)

  it("have a test case for each device, with what failed", function()
    inventory { "d1", "d2", "d3" }
    directory:file("p.lua", [[
      return function(bip, device)
        if device.vars.n == 2 then bip.ltm.pool["/Common/none"]:load() end
        if device.vars.n == 1 then bip.ltm.node["/Common/r1"]:ensure { address = "10.0.0.1" } end
        return "n " .. device.vars.n
      end]])
    local done = run { "run", "--inventory", "sites.lua", "--report", "run.xml", "p.lua" }
    assert.equal(1, done.status)
    local suite = suite_of "run.xml"
    assert.equal("p.lua", suite.attributes.name)
    local first, second, third = table.unpack(suite.children)
    assert.equal("d1", first.attributes.name)
    assert.matches("^changed: yes, calls: %d+\nn 1\n$", first.children[1].text)
    assert.matches("^changed: no, calls: 0\nn 3\n$", third.children[1].text)
    local failure = second.children[1]
    assert.equal("failure", failure.name)
    assert.equal("not_found", failure.attributes.type)
    assert.matches("/Common/none", failure.attributes.message)
    assert.matches("/Common/none", failure.text)
  end)

  it("count devices that were not reached as errors, others as skipped", function()
    inventory { "d1", "d2", "d3" }
    directory:file("p.lua", [[
      return function(_, device) if device.vars.n == 2 then error("no" .. "thing") end end]])
    local words = {
      "run", "--inventory", "sites.lua", "--workers", "1", "--max-failures", "0", "--journal",
      "run.journal", "--report", "run.xml", "p.lua",
    }
    assert.equal(1, run(words).status)
    local cases = suite_of("run.xml").children
    assert.equal("system-out", cases[1].children[1].name)
    assert.matches("p.lua:1: nothing", cases[2].children[1].attributes.message)
    assert.same(
      { type = "unreached", message = "not reached: the run stopped: 1 failed, 0 allowed" },
      cases[3].children[1].attributes
    )
    -- it replaces the report; the first device is done
    assert.equal(1, run(words).status)
    cases = suite_of("run.xml").children
    assert.same({ message = "done by an earlier run" }, cases[1].children[1].attributes)
  end)

  it("are XML whatever devices and errors are called", function()
    local name <const> = "<b>&\"'|]]> \u{202E}\u{FFFE}\u{FFFF} %s é"
    inventory { name }
    directory:file("p.lua", [[
      return function()
        error("</failure><x>\0\1\27[31m\xff ]] .. "]]" .. [[> &amp; \u{FFFF}\nnext", 0)
      end]])
    local done = run { "run", "--inventory", "sites.lua", "--report", "run.xml", "p.lua" }
    assert.equal(1, done.status)
    local case = suite_of("run.xml").children[1]
    assert.equal("<b>&\"'|]]> \\u{202e}\u{FFFD}\u{FFFD} %s é", case.attributes.name)
    local failure = case.children[1]
    local first <const> = "</failure><x>\\x00\\x01\\x1b[31m\\xff ]]> &amp; \u{FFFD}"
    assert.equal(first .. "\nnext", failure.text)
    assert.equal(first, failure.attributes.message)
  end)

  it("hold no secrets", function()
    inventory { "d1" }
    directory:file("p.lua", [[
      return function(bip)
        bip.auth.user.ann:create { password = "Sesame-9-open", encryptedPassword = 7 }
      end]])
    run { "run", "--inventory", "sites.lua", "--report", "run.xml", "p.lua" }
    directory:file("q.lua", [[
      error('{"password":"Sesame-9-open"} https://ann:Sesame-9-open@h/', 0)]])
    run { "run", "--report", "q.xml", "q.lua" }
    for _, file in ipairs { "run.xml", "q.xml" } do
      assert.is_nil(directory:read(file):find("Sesame", 1, true))
    end
  end)

  describe("of a single run", function()
    it("have one test case, for the device", function()
      directory:file("p.lua", [[
        local bip <close> = require("f5").connect { label = "edge" }
        bip.sys.version:load()
        bip.ltm.node["/Common/r2"]:ensure { address = "10.0.0.2" } ]])
      local done = run { "run", "--report", "run.xml", "p.lua" }
      assert.same({ 0, "", "" }, { done.status, done.out, done.err })
      local suite = suite_of "run.xml"
      assert.matches("p.lua$", suite.attributes.name)
      assert.equal("edge", suite.children[1].attributes.name)
      assert.matches("changed: yes, calls: [1-9]", suite.children[1].children[1].text)
      done = run { "run", "--report", "run.json", "p.lua" }
      assert.equal(0, done.status)
      local report = json.decode(directory:read "run.json")
      assert.same({ "edge", "done", false, true },
        { report.devices[1].name, report.devices[1].state, report.devices[1].changed, report.ok })
    end)

    it("say how it failed, also after os.exit and without a network", function()
      directory:file("p.lua", [[local bip = require("f5").connect {} bip.ltm.pool.none:load()]])
      local done = run { "run", "--report", "run.xml", "p.lua" }
      assert.equal(3, done.status)
      assert.matches("^f5lua: .*\n  p.lua:1: in ", done.err) -- the trace stays
      local failure = suite_of("run.xml").children[1].children[1]
      assert.equal("not_found", failure.attributes.type)

      directory:file("p.lua", "os.exit(7)")
      assert.equal(7, run({ "run", "--report", "run.xml", "p.lua" }).status)
      failure = suite_of("run.xml").children[1].children[1]
      assert.equal("the playbook called os.exit(7)", failure.attributes.message)
      directory:file("p.lua", "os.exit(true, true)")
      assert.equal(0, run({ "run", "--report", "run.xml", "p.lua" }).status)
      assert.equal("0", suite_of("run.xml").attributes.failures)

      directory:file("p.lua", [[require("f5").connect { host = "127.0.0.1", port = 1, retries = 0 }
        .sys.version:load()]])
      assert.equal(3, run({ "run", "--report", "run.xml", "p.lua" }).status)
      failure = suite_of("run.xml").children[1].children[1]
      assert.equal("transport", failure.attributes.type)
    end)

    it("are written after Ctrl-C", function()
      directory:file("p.lua", [[print "begun" io.stdout:flush() require("f5").sleep(60)]])
      local process <close> = program.start {
        "run", "--report", directory.path .. "/run.xml", directory.path .. "/p.lua",
      }
      process:expect "begun"
      process:kill "INT"
      assert.equal(130, process:wait().status)
      assert.equal("cancelled", suite_of("run.xml").children[1].children[1].attributes.type)
    end)

    it("are written for --sim, -e and --undoable, and not for a check", function()
      local done = run {
        "run", "--undoable", "--report", "run.xml", "-e",
        [[local bip <close> = require("f5").connect {}
          bip.ltm.node["/Common/r3"]:create { address = "10.0.0.3" }]],
      }
      assert.equal(0, done.status)
      assert.matches("1 write in the change record", done.err)
      assert.equal("(command line)", suite_of("run.xml").attributes.name)
      directory:file("p.lua", [[local bip = require("f5").connect {} bip.sys.version:load()]])
      assert.equal(0, run({ "run", "--sim", "--report", "run.xml", "p.lua" }).status)
      assert.equal("0", suite_of("run.xml").attributes.failures)
      done = run { "run", "--check", "--report", "run.xml", "p.lua" }
      assert.same({ 2, "" }, { done.status, done.out })
      assert.matches("leave out %-%-report", done.err)
    end)

    it("replace no other file, and name a file that cannot be written", function()
      directory:file("p.lua", "io.stdout:write 'ran'")
      directory:file("mine.xml", "<mine/>")
      local done = run { "run", "--report", "mine.xml", "p.lua" }
      assert.same({ 2, "" }, { done.status, done.out })
      assert.matches("mine.xml exists and is no report", done.err)
      assert.equal("<mine/>", directory:read "mine.xml")
      done = run { "run", "--report", "none/run.xml", "p.lua" }
      assert.same({ 2, "" }, { done.status, done.out })
      done = run { "run", "--report", "run.txt", "p.lua" }
      assert.matches("must end with", done.err)
      assert.equal(2, done.status)
      assert.equal(0, run({ "run", "--report", "run.xml", "p.lua" }).status)
      assert.equal(0, run({ "run", "--report", "run.xml", "p.lua" }).status)
      assert.equal(1, #f5.files(directory.path, "run*"))
    end)
  end)
end)
