-- f5lua run --inventory: one playbook, many devices, from outside.
local f5 = require "f5"
local json = require "f5.json"
local lab = require "lab"
local program = require "program"
local terminal = require "terminal"
local sim = require "f5.sim"

local devices, directory

local function inventory(extra)
  local parts = {}
  for i, device in ipairs(devices) do
    parts[i] = (
      '{ name = "d%d", host = "127.0.0.1", port = %d, ca = %q, groups = { %q }, vars = { n = %d } }'
    ):format(
      i, device.port, device.ca, i % 2 == 0 and "even" or "odd", i)
  end
  parts[#parts + 1] = extra
  return directory:file("sites.lua", ([[return {
    defaults = { username = "admin", password_command = "echo x >> %s/asked; echo admin", retries = 0 },
    groups = { even = {}, odd = {} },
    devices = { %s } }]]):format(directory.path, table.concat(parts, ",\n")))
end

local function run(words, options)
  return program.run(words, options)
end

describe("run --inventory", function()
  before_each(function()
    devices = { sim.start(), sim.start(), sim.start() }
    directory = program.directory()
  end)
  after_each(function()
    for _, device in ipairs(devices) do device:stop() end
    getmetatable(directory).__close()
  end)

  it("calls the function that a playbook returns, which is started once", function()
    local playbook = directory:file("p.lua", [[
      io.stdout:write("once ", ..., "\n")
      return function(bip, device) return #bip.ltm.node:list() + device.vars.n end]]
    )
    local done = run {
      "run",
      "--inventory",
      inventory(),
      "--report",
      directory.path .. "/r.json",
      playbook,
      "word",
    }
    assert.equal(0, done.status)
    assert.matches("^once word\ndevice +state", done.out)
    assert.matches("3 devices: 3 done, in", done.out)
    local report = json.decode(directory:read "r.json")
    assert.same(
      { 1, 2, 3 },
      { report.devices[1].result, report.devices[2].result, report.devices[3].result }
    )
    assert.equal("x\n", directory:read "asked") -- the command is run once for all devices
    assert.is_nil(done.err:find "admin")
  end)

  it("runs a playbook that uses bip once a device, and says whose output it is", function()
    local playbook = directory:file("p.lua", [[
      local name = ...
      bip.ltm.node["/Common/" .. name]:create { address = "10.0.0." .. device.vars.n }
      print("made", bip.ltm.node["/Common/" .. name]:load().address)]])
    local done = run { "run", "--inventory", inventory(), playbook, "n" }
    assert.equal(0, done.status)
    for i = 1, 3 do assert.matches(("\nd%d: made\t10.0.0.%d\n"):format(i, i), "\n" .. done.out) end
    assert.matches("3 done %(3 changed%)", done.out)
  end)

  it("says whose output it is when a playbook returns a function, too", function()
    local playbook = directory:file("p.lua", [[
      print "once"
      local f5 = require "f5"
      return function(bip, device)
        print("begins", device.vars.n)
        f5.sleep(0.05)
        print("ends", #bip.ltm.node:list())
      end]]
    )
    local done = run { "run", "--inventory", inventory(), playbook }
    assert.equal(0, done.status, done.err)
    assert.matches("^once\n", done.out)
    for i = 1, 3 do
      assert.matches(("\nd%d: begins\t%d\n"):format(i, i), done.out)
      assert.matches(("\nd%d: ends\t0\n"):format(i), done.out)
    end
  end)

  it("says whose output it is in fibers, coroutines and modules, too", function()
    directory:file("printer.lua", "return function(text) print(text) end")
    local lines <const> = [[
      local printer = require "printer"
      print "begins"
      local function work(bip)
        f5.all { function() print "all" end, function() f5.sleep(0.01) print "late" end }
        f5.spawn(function() coroutine.wrap(print)("spawned") end):join()
        printer(#bip.ltm.node:list() .. " nodes")
      end
    ]]
    for begins, last in pairs { ["d%d: "] = "work(bip)", [""] = "return work" } do
      local playbook = directory:file("p.lua", lines .. last)
      local done = run { "run", "--inventory", inventory(), playbook }
      assert.equal(0, done.status, done.err)
      assert.matches("\n" .. begins:format(1) .. "begins\n", "\n" .. done.out)
      for i = 1, 3 do
        for _, text in ipairs { "all", "late", "spawned", "0 nodes" } do
          assert.matches(("\nd%d: %s\n"):format(i, text), "\n" .. done.out)
        end
      end
      local _, count = done.out:gsub("[^\n]*%f[%l]begins\n", "")
      assert.equal(begins == "" and 1 or 3, count)
    end
  end)

  it("runs a playbook whose first use of a device is in a fiber", function()
    local playbook = directory:file("p.lua", [[
      f5.all { function() print(#bip.ltm.node:list() .. " nodes") end }
      f5.spawn(function() print(device.name) end):join()
    ]])
    local done = run { "run", "--inventory", inventory(), playbook }
    assert.equal(0, done.status, done.err)
    for i = 1, 3 do
      assert.matches(("\nd%d: 0 nodes\n"):format(i), "\n" .. done.out)
      assert.matches(("\nd%d: d%d\n"):format(i, i), "\n" .. done.out)
    end
    playbook = directory:file("p.lua", "coroutine.wrap(function() return bip end)()")
    done = run { "run", "--inventory", inventory(), playbook }
    assert.matches("use `bip` outside of coroutines first", done.err)
  end)

  it("fails on a device whose vars miss a value, and leaves its lists alone", function()
    local keeper <close> = f5.connect(devices[1]:options "admin")
    keeper.sys.ntp:modify { servers = { "10.0.0.1" } }
    local playbook = directory:file("p.lua", [[
      local ntp = bip.sys.ntp
      return ntp:ensure { servers = f5.array { device.vars.ntp } }
    ]])
    local done = run { "run", "--inventory", inventory(), playbook }
    assert.equal(1, done.status)
    assert.matches(
      "d1: failed: .*p.lua:2: [^\n]*sites.lua: device 'd1': "
        .. "there is no device.vars.ntp %(known: n%)",
      done.err
    )
    assert.same({ "10.0.0.1" }, keeper.sys.ntp:load().servers)
    directory:file("p.lua", "return device.vars('ntp', '10.0.0.9') .. device.vars('n')")
    done = run { "run", "--inventory", inventory(), playbook }
    assert.equal(0, done.status, done.err)
    assert.matches("10.0.0.92", done.out)
  end)

  it("shows on a terminal that it runs, also while no device ends", function()
    local playbook =
      directory:file("p.lua", "local f5 = require 'f5' return function() f5.sleep(60) end")
    local screen <close> = terminal.start(
      { "run", "--inventory", inventory(), playbook },
      { errors_too = true }
    )
    screen:expect "0 of 3 done, 3 running, 0 changed, 0 failed, [01] s"
    screen:expect "0 of 3 done, 3 running, 0 changed, 0 failed, [2-9] s"
    screen:key "C-c"
    assert.equal(130, screen:status())
    assert.not_matches("running", screen:screen())
  end)

  it("shows each device in one line of a terminal, whatever the playbook returns", function()
    local words <const> = {
      "run", "--inventory", inventory(), "-e", "return bip and ('long '):rep(99) .. 'end'",
    }
    local screen <close> = terminal.start(words, { columns = 70 })
    local line <const> = " +done[^\n]+long[^\n]*…\n"
    screen:expect("\nd1" .. line .. "d2" .. line .. "d3" .. line .. "3 devices: 3 done")
    assert.matches("d1 +done[^\n]+long end\n", run(words).out)
  end)

  it("takes a limit, and ends with 1 when a device failed", function()
    local playbook = directory:file(
      "p.lua",
      "return function(bip, device) if device.name == 'd3' then error 'no' end end"
    )
    local done = run { "run", "--inventory", inventory(), "--limit", "group:odd", playbook }
    assert.equal(1, done.status)
    assert.matches("2 devices: 1 done, 1 failed", done.out)
    assert.matches("\nd3: failed: .*p.lua:1: no", "\n" .. done.err)
    assert.equal(0, run({ "run", "--inventory", inventory(), "--limit", "!d3", playbook }).status)
  end)

  it("refuses what cannot work before it touches a device", function()
    local playbook = directory:file("p.lua", "print 'nothing'")
    local function refused(words, pattern)
      local done = run(words)
      assert.equal(2, done.status)
      assert.matches(pattern, done.err)
    end
    refused({ "run", "--workers", "3", playbook }, "%-%-workers needs %-%-inventory")
    refused(
      { "run", "--inventory", directory.path .. "/none.lua", playbook },
      "none.lua: cannot read the inventory"
    )
    refused(
      { "run", "--inventory", inventory(), "--limit", "dd*", playbook },
      "the limit 'dd%*' matches no device"
    )
    refused({ "run", "--inventory", inventory(), "--report", "x.txt", playbook }, "%.json or %.csv")
    refused(
      { "run", "--inventory", inventory '{ host = "d1" }', playbook },
      "sites.lua:%d+: device 'd1' is listed twice"
    )
    local neither = run { "run", "--inventory", inventory(), playbook }
    assert.equal(1, neither.status)
    assert.matches("neither uses `bip` nor returns a function", neither.err)
    for _, device in ipairs(devices) do assert.equal(0, #device:log()) end
  end)

  it("says how far it came when it is interrupted", function()
    local playbook = directory:file("p.lua", [[
      return function(bip, device)
        bip.ltm.node["/Common/n"]:create { address = "10.0.0.1" }
        print "made"
        io.stdout:flush()
        if device.vars.n == 2 then require "f5".sleep(60) end
      end]]
    )
    local process <close> = program.start {
      "run",
      "--inventory",
      inventory(),
      "--workers",
      "1",
      "--report",
      directory.path .. "/r.json",
      playbook,
    }
    process:expect "d2: made"
    process:kill "INT"
    local ended = process:wait()
    assert.equal(130, ended.status)
    assert.matches(
      "3 devices: 1 done %(1 changed%), 1 failed %(1 after a change%), 1 not reached, .*stopped: "
        .. "interrupted",
      ended.err
    )
    local states = {}
    for i, one in ipairs(json.decode(directory:read "r.json").devices) do states[i] = one.state end
    assert.same({ "done", "failed", "unreached" }, states)
    local log = devices[2]:log()
    assert.equal("DELETE", log[#log].method)
  end)

  it("does the rest after it was killed in the middle", function()
    local playbook = directory:file("p.lua", [[
      return function(bip, device)
        bip.ltm.node["/Common/n" .. device.vars.n]:create { address = "10.0.0.1" }
        if device.vars.n == 2 and os.getenv "HANG" then require "f5".sleep(60) end
      end]]
    )
    local words = {
      "run",
      "--inventory",
      inventory(),
      "--workers",
      "1",
      "--journal",
      directory.path .. "/journal",
      playbook,
    }
    do
      local process <close> = program.start(words, { env = { HANG = "1" } })
      lab.arrived(devices[2], "POST", "/ltm/node$")
      process:kill "KILL"
    end
    devices[2]:restore(devices[3]:state())
    local done = run(words)
    assert.equal(0, done.status)
    assert.matches("d1 +earlier", done.out)
    assert.matches("3 devices: 2 done %(2 changed%), 1 done by an earlier run", done.out)
  end)

  describe("refuses a journal before it touches a device:", function()
    local sites, journal, playbook

    local function words(extra, ...)
      return { "run", "--inventory", sites, "--journal", journal, playbook, extra, ... }
    end

    local function refused(pattern, given)
      local result = run(given)
      assert.equal(1, result.status)
      assert.equal("", result.out)
      assert.matches(pattern, result.err)
      for _, one in ipairs(devices) do assert.equal(0, #one:log()) end
    end

    before_each(function()
      playbook = directory:file(
        "p.lua",
        "return bip.ltm.node['/Common/n']:create { address = '10.0.0.1' }.name"
      )
      sites, journal = inventory(), directory.path .. "/journal"
    end)

    it("that of another run, unless it is forced", function()
      assert.equal(0, run(words "a").status)
      for _, one in ipairs(devices) do one:clear_log() end
      refused("the journal of another run: its arguments are 'a', now they are 'b'", words "b")
      directory:file("p.lua", "return bip.sys.version:load().kind")
      refused("the playbook p.lua has changed", words "a")
      local forced = words "a"
      table.insert(forced, 2, "--force")
      local done = run(forced)
      assert.equal(0, done.status, done.err)
      assert.matches("3 devices: 0 done, 3 done by an earlier run", done.out)
      local alone = run { "run", "--inventory", sites, "--force", playbook }
      assert.same({ 2, "" }, { alone.status, alone.out })
      assert.matches("%-%-force needs %-%-journal", alone.err)
    end)

    it("any other file, which stays as it is", function()
      local notes <const> = { "return {}", "a note", "{", "1,2\n3,4", directory:read "sites.lua" }
      for _, text in ipairs(notes) do
        journal = directory:file("other", text)
        local result = run(words "a")
        assert.equal(text, directory:read "other")
        assert.same({ 1, "" }, { result.status, result.out })
        assert.matches(
          "other:%d+: this is not a line of a journal; the file was not changed", result.err
        )
      end
      for _, one in ipairs(devices) do assert.equal(0, #one:log()) end
    end)
  end)
end)
