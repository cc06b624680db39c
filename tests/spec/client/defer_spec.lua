-- f5.defer(fn): what is called when a scope ends, in which order, and what becomes of errors.
local f5 = require "f5"
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"

local log

local function note(word) return function(err) log[#log + 1] = word .. ":" .. tostring(err) end end

-- Runs a function in a fiber of its own, and returns its outcome and what was noted.
local function run(fn)
  log = {}
  local results = table.pack(pcall(function() return f5.spawn(fn):join() end))
  return results, log
end

describe("f5.defer", function()
  it("calls the last one first, when the fiber ends", function()
    local results, noted = run(function()
      f5.defer(note "a")
      f5.defer(function() f5.sleep(0.001) note "b"() end)
      coroutine.wrap(function() f5.defer(note "c") end)()
      note "body"()
      return 1, nil, 3
    end)
    assert.same({ true, 1, nil, 3, n = 4 }, results)
    assert.same({ "body:nil", "c:nil", "b:nil", "a:nil" }, noted)
  end)

  it("calls them after an error, which stays", function()
    local results, noted = run(function()
      f5.defer(note "a")
      f5.defer(note "b")
      error("oops", 0)
    end)
    assert.same({ false, "oops", n = 2 }, results)
    assert.same({ "b:oops", "a:oops" }, noted)
  end)

  it("calls all of them if one fails, and raises the first error", function()
    local results, noted = run(function()
      f5.defer(note "a")
      f5.defer(function() error("first", 0) end)
    end)
    assert.same({ false, "first", n = 2 }, results)
    assert.same({ "a:first" }, noted)
  end)

  it("calls what a deferred function defers", function()
    local _, noted = run(function()
      f5.defer(function() f5.defer(note "inner") note "outer"() end)
    end)
    assert.same({ "outer:nil", "inner:nil" }, noted)
  end)

  it("calls them when the fiber is cancelled, and they may wait", function()
    log = {}
    local fiber = f5.spawn(function()
      f5.defer(function(err) f5.sleep(0.001) note(err.kind)() end)
      f5.sleep(60)
    end)
    f5.sleep(0)
    fiber:cancel()
    pcall(fiber.join, fiber)
    assert.equal("cancelled", fiber:status())
    assert.same({ "cancelled:nil" }, log)
  end)

  it("is over before the fiber is", function()
    local fiber = f5.spawn(function() f5.defer(function() f5.sleep(0.05) end) end)
    f5.sleep(0.01)
    assert.equal("running", fiber:status())
    fiber:join()
    assert.equal("done", fiber:status())
  end)

  it("returns a value for a <close> variable, which can be cancelled", function()
    local results, noted = run(function()
      f5.defer(note "fiber")
      do
        local _ <close> = f5.defer(note "block")
        note "in"()
      end
      local never = f5.defer(note "never")
      assert.equal("deferred function", tostring(never))
      local first, second = never:cancel(), never:cancel()
      assert.equal("deferred function (done)", tostring(never))
      local _ <close> = f5.defer(note "failed")
      return first, second
    end)
    assert.same({ true, true, false, n = 3 }, results)
    assert.same({ "in:nil", "block:nil", "failed:nil", "fiber:nil" }, noted)
  end)

  it("refuses what is no function", function()
    for _, given in ipairs { 1, "x", {} } do
      assert.matches(
        "defer_spec.lua:%d+: f5.defer: expected one function, got a " .. type(given),
        lab.fails("usage", function() f5.defer(given) end).message
      )
    end
    lab.fails("usage", f5.defer)
    lab.fails("usage", f5.defer, print, 1)
  end)

  it("can use a session that was open before, also in f5.each", function()
    local device <close> = sim.start()
    local second <close> = sim.start()
    local function use(bip, word)
      f5.defer(function(err) note(word .. tostring(bip.ltm.pool:exists()))(err) end)
    end
    local _, noted = run(function()
      f5.defer(note "older")
      do
        local bip <close> = f5.connect(device:options "admin")
        use(bip, "inner")
        note "end of block"()
      end
      note "after"()
    end)
    assert.same({ "end of block:nil", "innertrue:nil", "after:nil", "older:nil" }, noted)
    local report
    _, noted = run(function()
      f5.defer(note "all")
      local devices = { device:options "admin", second:options "admin" }
      for i, options in ipairs(devices) do options.label = "bigip" .. i end
      report = f5.each(devices, { workers = 1 }, function(bip)
        use(bip, "device")
        note "body"()
      end)
    end)
    assert.is_true(report.ok)
    assert.same({
      "body:nil", "devicetrue:nil", "body:nil", "devicetrue:nil", "all:nil",
    }, noted)
  end)

  it("counts what a device defers as its own: its error, and its writes", function()
    local device <close> = sim.start()
    local report = f5.each({ device:options "admin" }, function(bip)
      f5.defer(function() bip.ltm.pool["/Common/p"]:create {} end)
    end)
    assert.is_true(report.devices[1].changed)
    report = f5.each({ device:options "admin" }, function()
      f5.defer(function() error("left over", 0) end)
    end)
    assert.equal("failed", report.devices[1].state)
    assert.equal("left over", report.devices[1].error)
  end)

  it("closes a session whose deferred function fails, and raises the error", function()
    local device <close> = sim.start()
    local results = run(function()
      local bip <close> = f5.connect(device:options "admin")
      bip.ltm.pool:exists()
      f5.defer(function() error("left over", 0) end)
    end)
    assert.same({ false, "left over", n = 2 }, results)
    assert.is_nil(next(device:state().tokens.items))
  end)
end)

describe("f5.defer in a playbook", function()
  local place
  setup(function()
    place = program.directory()
    place:file("p.lua", [[
      local f5 = require "f5"
      f5.defer(function(err) print("last", err) end)
      local bip <close> = f5.connect {}
      local pool = bip.ltm.pool["/Common/p"]
      f5.defer(function(err)
        pool:create {}
        print("first", type(err) == "table" and err.kind or err)
      end)
      if arg[1] == "fail" then error "oops" end
      if arg[1] == "bad" then f5.defer(function() error "later" end) error "oops" end
      if arg[1] == "wait" then
        io.stdout:write "waits\n"
        io.stdout:flush()
        f5.sleep(60)
      end
    ]])
  end)
  teardown(function() lab.stop(place) end)

  it("is called at the end, after an error, and in check mode", function()
    local file <const> = place.path .. "/p.lua"
    local device <close> = sim.start()
    local env <const> = lab.environment(device)
    local plain <const> = program.run({ file }, { env = env })
    assert.same({ status = 0, out = "first\tnil\nlast\tnil\n", err = "" }, plain)
    local failed = program.run({ "run", "--sim", file, "fail" })
    assert.equal(1, failed.status)
    assert.matches("^first\t%S+p.lua:9: oops\nlast\t%S+p.lua:9: oops\n$", failed.out)
    assert.matches("^f5lua: %S+p.lua:9: oops\n", failed.err)
    failed = program.run({ "run", "--sim", file, "bad" })
    assert.matches("warning: a deferred function failed: %S+p.lua:10: later\n", failed.err)
    assert.matches("f5lua: %S+p.lua:10: oops\n", failed.err)
    local checked = program.run({ "run", "--sim", "--check", file })
    assert.equal(0, checked.status, checked.err)
    assert.matches("^first\tnil\nlast\tnil\n.*%+ /Common/p  created", checked.out)
  end)

  it("is called after Ctrl-C", function()
    local process <close> = program.start { "run", "--sim", place.path .. "/p.lua", "wait" }
    process:expect "waits"
    process:kill "INT"
    local result <const> = process:wait(10)
    assert.equal(130, result.status)
    assert.matches("^waits\nfirst\tcancelled\nlast\tcancelled", result.out)
    assert.equal("f5lua: interrupted\n", result.err)
  end)
end)
