-- Files that the program writes: complete or not at all, readable only for their owner, never
-- through a link, and never over a file that is something else.
local f5 = require "f5"
local lab = require "lab"
local lfs = require "lfs"
local program = require "program"
local sim = require "f5.sim"

local device, directory, environment

local function run(words, input)
  return program.run(words, { env = environment, directory = directory.path, input = input })
end

local function fleet(...)
  local words = { "run", "--inventory", "sites.lua", ... }
  words[#words + 1] = "one.lua"
  return run(words)
end

local function mode(name)
  return lfs.symlinkattributes(directory.path .. "/" .. name, "permissions")
end
local function link(target, name) assert(lfs.link(target, directory.path .. "/" .. name, true)) end

setup(function()
  device = sim.start()
  environment = lab.environment(device)
end)
teardown(function() device:stop() end)
before_each(function()
  device:clear_faults()
  device:clear_log()
  directory = program.directory()
  directory:file(
    "sites.lua",
    ("return { devices = { { name = 'd1', host = '127.0.0.1', port = %d } } }"):format(device.port)
  )
  directory:file("one.lua", "return bip.sys.version:load().kind")
end)
after_each(function() lab.stop(directory) end)

describe("a report", function()
  it("is for its owner alone, and replaces the one of an earlier run", function()
    for _, name in ipairs { "r.json", "r.csv" } do
      for _ = 1, 2 do
        local result = fleet("--report", name)
        assert.same({ 0, "" }, { result.status, result.err:match "cannot.*" or "" })
        assert.equal("rw-------", mode(name))
        assert.matches("d1", directory:read(name))
      end
    end
    assert.equal(2, #f5.files(directory.path, "r.*"))
  end)

  it("does not replace a file that is no report, and the run does not begin", function()
    for name, text in pairs { ["r.json"] = '{"devices":["a"]}', ["r.csv"] = "a,b\n1,2\n" } do
      directory:file(name, text)
      local result = fleet("--report", name)
      assert.equal(2, result.status)
      assert.matches(name .. " exists and is no report of a run", result.err)
      assert.equal(text, directory:read(name))
    end
    assert.equal(0, #device:log())
  end)

  it("that can not be written is refused before the run begins", function()
    assert(lfs.mkdir(directory.path .. "/d.csv"))
    for name, why in pairs {
      ["nowhere/r.json"] = "nowhere/r.json: No such file or directory",
      ["d.csv"] = "d.csv: Is a directory",
    } do
      local result = fleet("--report", name)
      assert.equal(2, result.status)
      assert.matches("cannot write the report: " .. why, result.err)
    end
    local result = fleet("--report", "r.json", "--journal", "r.json")
    assert.equal(2, result.status)
    assert.matches("%-%-report and %-%-journal name the same file", result.err)
    assert.equal(0, #device:log())
    assert.equal(0, #f5.files(directory.path, "r.*"))
  end)

  it("replaces a link and leaves alone what it leads to", function()
    directory:file("other", "")
    link(directory.path .. "/other", "r.json")
    assert.equal(0, fleet("--report", "r.json").status)
    assert.equal("", directory:read "other")
    assert.equal("rw-------", mode "r.json")
  end)
end)

describe("a journal", function()
  it("is not written through a link", function()
    directory:file("other", "")
    link(directory.path .. "/other", "run.journal")
    local result = fleet("--journal", "run.journal")
    assert.equal(1, result.status)
    assert.matches("cannot use 'run.journal': it is a link", result.err)
    assert.equal("", directory:read "other")
    assert.equal(0, #device:log())
  end)
end)

describe("a state of the simulated device", function()
  it("is for its owner alone, and replaces a link", function()
    directory:file("other", '{"kept":true}')
    link(directory.path .. "/other", "state.json")
    local process <close> = program.start(
      { "sim", "--port", "0", "--save", directory.path .. "/state.json" }
    )
    process:expect "simulated BIG%-IP at"
    process:kill "TERM"
    assert.equal(0, process:wait(10).status)
    assert.equal('{"kept":true}', directory:read "other")
    assert.equal("rw-------", mode "state.json")
  end)
end)

describe("a download", function()
  it("leaves nothing behind if the program is killed", function()
    device:control(
      "write_file",
      { path = "/var/config/rest/downloads/big", text = ("x"):rep(3000000) }
    )
    device:fault { match = { path = "/downloads/big" }, after = 1, delay_ms = 20000 }
    directory:file("copy", "old")
    local text <const> = [[
      local f5 = require "f5"
      local bip <close> = f5.connect {}
      io.stdout:setvbuf "line"
      bip:download("big", arg[1], { progress = function(done) print("got " .. done) end })
    ]]
    local words = { directory:file("big.lua", text), directory.path .. "/copy" }
    local process <close> = program.start(words, { env = environment })
    process:expect "got 1048576"
    process:kill "KILL"
    process:wait(10)
    assert.same(1, #f5.files(directory.path, "copy*"))
    assert.equal("old", directory:read "copy")
  end)

  it("does not take the place of a device or a pipe", function()
    assert(os.execute("mkfifo " .. directory.path .. "/pipe"))
    local result = run {
      "-e", "local bip <close> = require('f5').connect {} bip:download('big', 'pipe')",
    }
    assert.equal(3, result.status)
    assert.matches("cannot write pipe: not a regular file", result.err)
    assert.equal("named pipe", lfs.attributes(directory.path .. "/pipe", "mode"))
  end)
end)

describe("f5lua download", function()
  before_each(function()
    device:control("write_file", { path = "/var/config/rest/downloads/big", text = "new" })
  end)

  it("finds a missing directory before it calls the device", function()
    local result = run { "download", "big", "nowhere/x" }
    assert.same({ 2, "" }, { result.status, result.out })
    assert.matches("cannot write nowhere/x: No such file or directory", result.err)
    assert.equal(0, #device:log())
  end)

  it("replaces a link that leads nowhere only with --force", function()
    link(directory.path .. "/gone", "x")
    local result = run { "download", "big", "x" }
    assert.equal(2, result.status)
    assert.matches("x exists; %-%-force replaces it", result.err)
    assert.equal(0, #device:log())
    assert.equal("link", lfs.symlinkattributes(directory.path .. "/x", "mode"))
    assert.equal(0, run({ "download", "big", "x", "--force" }).status)
    assert.equal("new", directory:read "x")
    assert.is_nil(lfs.attributes(directory.path .. "/gone"))
  end)

  it("does not replace a file that appears meanwhile", function()
    device:fault { match = { path = "/downloads/big" }, delay_ms = 1000 }
    local process <close> = program.start({ "download", "big", directory.path .. "/x" },
      { env = environment })
    lab.arrived(device, "GET", "/downloads/big")
    directory:file("x", "of another program")
    local ended <const> = process:wait()
    assert.equal(3, ended.status)
    assert.matches("x exists now, and was not replaced", ended.err)
    assert.equal("of another program", directory:read "x")
    assert.equal(1, #f5.files(directory.path, "x*"))
  end)

  it("is as careful in a fleet and in a playbook", function()
    assert(lfs.mkdir(directory.path .. "/d1"))
    link(directory.path .. "/gone", "d1/big")
    local result = run { "download", "big", "--inventory", "sites.lua" }
    assert.equal(1, result.status)
    assert.matches("d1/big exists; %-%-force replaces it", result.out .. result.err)
    directory:file("old", "old")
    result = run { "-e", "local bip <close> = require('f5').connect {} "
      .. "bip:download('big', 'old', { replace = false })" }
    assert.equal(1, result.status)
    assert.matches("download: old exists", result.err)
    assert.equal("old", directory:read "old")
  end)
end)

describe("what f5lua writes by itself", function()
  it("takes only the place of its own files", function()
    directory:file("note", "my notes")
    directory:file("p.lua", "local bip <close> = require('f5').connect {}")
    assert(os.execute("mkfifo " .. directory.path .. "/pipe.json"))
    link(directory.path .. "/gone", "dangling.json")
    for _, case in ipairs {
      { "snapshot", "-o", "note", "ltm/pool", says = "note exists and is no snapshot" },
      { "plan", "-o", "note", "p.lua", says = "note exists and is no plan" },
      { "run", "--record", "note", "p.lua", says = "note exists, and is no recording" },
      { "snapshot", "-o", "dangling.json", "ltm/pool", says = "is a link that leads nowhere" },
      { "plan", "-o", "dangling.json", "p.lua", says = "is a link that leads nowhere" },
      { "run", "--report", "dangling.json", "p.lua", says = "is a link that leads nowhere" },
      { "run", "--record", "dangling.json", "p.lua", says = "it is a link" },
      { "run", "--report", "pipe.json", "p.lua", says = "pipe.json: not a regular file" },
      { "snapshot", "-o", "pipe.json", "ltm/pool", says = "pipe.json: not a regular file" },
      { "run", "--record", "pipe.json", "p.lua", says = "not a regular file" },
    } do
      local result = run(case)
      assert.not_equal(0, result.status)
      assert.truthy(result.err:find(case.says, 1, true), result.err)
    end
    assert.equal("my notes", directory:read "note")
    assert.is_nil(lfs.attributes(directory.path .. "/gone"))
    assert.equal("link", lfs.symlinkattributes(directory.path .. "/dangling.json", "mode"))
    -- and again over what it has written
    for _ = 1, 2 do
      assert.equal(0, run({ "snapshot", "-o", "a.json", "ltm/pool" }).status)
      assert.equal(0, run({ "plan", "-o", "a.plan", "p.lua" }).status)
    end
  end)
end)

describe("what the simulated device is to write", function()
  local function sim_with(...) return run { "sim", "--port", "0", ... } end

  it("does not replace another file, and the device does not start", function()
    directory:file("note", "hosts: a")
    for option, what in pairs {
      ["--save"] = "state of a simulated device", ["--ca-file"] = "certificate",
      ["--inventory"] = "inventory of a simulated fleet",
    } do
      local result = sim_with(option, "note", table.unpack(
        option == "--inventory" and { "--fleet", "2" } or {}
      ))
      assert.same({ 2, "" }, { result.status, result.out })
      assert.matches("cannot write note exists and is no " .. what, result.err)
      assert.equal("hosts: a", directory:read "note")
    end
    for _, option in ipairs { "--save", "--ca-file", "--log" } do
      local result = sim_with(option, "nowhere/x")
      assert.same({ 2, "" }, { result.status, result.out })
      assert.matches("^f5lua: cannot write nowhere/x: No such file or directory\n", result.err)
    end
  end)
end)

describe("a path with the byte 0", function()
  it("is wrong usage everywhere", function()
    directory:file("out", "kept")
    local result = run { "-e", [[
      local f5 = require "f5"
      local bip <close> = f5.connect {}
      local path = "out\0.json"
      local inventory = f5.inventory { { host = "h" } }
      local calls = {
        function() bip:download("big", path) end,
        function() bip:upload(path, { name = "x" }) end,
        function() f5.inventory(path) end,
        function() f5.asset(path) end,
        function() f5.files(path, "*") end,
        function() f5.certificate(path) end,
        function() f5.certificate("out", { key = path }) end,
        function() f5.connect { host = "h", ca = path } end,
        function() f5.connect { host = "h", cert = path } end,
        function() f5.connect { host = "h", key = path } end,
        function() f5.each(inventory, { journal = path }, print) end,
        function() f5.each(f5.inventory {}, function() end):write(path) end,
      }
      for i, call in ipairs(calls) do
        local ok, err = pcall(call)
        print(i, ok, type(err) == "table" and err.kind, (tostring(err):gsub("\n.*", "")))
      end
    ]] }
    assert.equal("", result.err)
    local count = 0
    for line in result.out:gmatch "[^\n]+" do
      count = count + 1
      assert.matches("^%d+\tfalse\tusage\t", line)
      assert.truthy(line:find("byte 0", 1, true) or line:find("control character", 1, true), line)
    end
    assert.equal(12, count)
    assert.equal("kept", directory:read "out")
  end)
end)

describe("an inventory", function()
  local PRINTS <const> = '#!/bin/sh\necho \'{"all":{"hosts":["%s"]}}\'\n'
  local LIST <const> =
    "for _, d in ipairs(require('f5').inventory(arg[1]).devices) do print(d.name) end"

  it("with a bare name is the file here, not a command of PATH", function()
    assert(lfs.mkdir(directory.path .. "/bin"))
    local here, there = directory:file("devices", PRINTS:format "here"),
      directory:file("bin/devices", PRINTS:format "elsewhere")
    assert(os.execute(("chmod +x %s %s"):format(here, there)))
    for _, name in ipairs { "devices", "./devices" } do
      local result = program.run(
        { directory:file("list.lua", LIST), name },
        { directory = directory.path, env = { PATH = directory.path .. "/bin:/usr/bin:/bin" } }
      )
      assert.same({ 0, "here\n" }, { result.status, result.out }, result.err)
    end
  end)

  it("that is packed into a program is found in it", function()
    local place <close> = program.directory()
    place:file("devices.json", '{"devices":["packed-json"]}')
    place:file("sites.lua", 'return { "packed-lua" }')
    place:file("main.lua", LIST)
    local built = program.run(
      {
        "build", "main.lua", "-o", "tool", "--include", "devices.json", "--include", "sites.lua",
      },
      { directory = place.path }
    )
    assert.same({ 0, "" }, { built.status, built.err })
    for name, expected in pairs {
      ["devices.json"] = "packed-json\n", ["sites.lua"] = "packed-lua\n",
      ["./sites.lua"] = "packed-lua\n",
    } do
      local result =
        program.run({ name }, { program = place.path .. "/tool", directory = directory.path })
      assert.same({ 0, expected }, { result.status, result.out }, result.err)
    end
  end)
end)
