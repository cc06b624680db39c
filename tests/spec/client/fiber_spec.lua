-- Fibers: blocking calls to a simulated device from everywhere Lua code can be. The unit tests
-- (test_fiber.c) check the scheduler alone.
local f5 = require "f5"
local lab = require "lab"
local sim = require "f5.sim"

local ECHO <const> = "/mgmt/shared/echo"

local function collect()
  collectgarbage()
  collectgarbage()
end

local function options(device, more)
  local all = {
    host = device.host, port = device.port, ca = device.ca, username = "admin", password = "admin",
  }
  for name, value in pairs(more or {}) do
    all[name] = value
  end
  return all
end

describe("fibers", function()
  local device, bip

  setup(function()
    device = sim.start()
    bip = f5.connect(options(device))
  end)

  teardown(function() lab.stop(bip, device) end)

  --- A blocking call; its answer shows that it took place.
  local function echo()
    local answer = bip:at(ECHO):load()
    assert.equal("table", type(answer))
    return answer
  end

  local function requests()
    local count = 0
    for _, call in ipairs(device:log()) do
      if call.path == ECHO then count = count + 1 end
    end
    return count
  end

  it("waits inside of user coroutines, nested, and hides it from them", function()
    local inner = coroutine.wrap(function()
      for i = 1, 3 do
        echo()
        coroutine.yield(i)
      end
    end)
    local outer = coroutine.create(function()
      for i in inner do
        collect()
        echo()
        coroutine.yield(i * 10)
      end
      return "end"
    end)
    local seen = {}
    while coroutine.status(outer) ~= "dead" do
      seen[#seen + 1] = select(2, coroutine.resume(outer))
    end
    assert.same({ 10, 20, 30, "end" }, seen)
  end)

  it("waits inside of metamethods, iterators and pcall", function()
    local t = setmetatable({}, {
      __index = function(_, key)
        echo()
        return key .. "!"
      end,
      __add = function(_, n)
        echo()
        return n + 1
      end,
      __call = function()
        echo()
        return "called"
      end,
      __eq = function()
        echo()
        return true
      end,
      __pairs = function()
        return function(_, key)
          echo()
          if not key then return 1, "one" end
        end
      end,
    })
    assert.equal("name!", t.name)
    assert.equal(3, t + 2)
    assert.equal("called", t())
    assert.is_true(t == setmetatable({}, getmetatable(t)))
    for key, value in pairs(t) do assert.same({ 1, "one" }, { key, value }) end
    assert.is_true(pcall(pcall, echo))
    local _, message = xpcall(function()
      echo()
      error("words", 0)
    end, function(words)
      echo()
      return words .. ", handled"
    end)
    assert.equal("words, handled", message)
  end)

  it("waits where Lua cannot yield: sort, gsub, load", function()
    local before = requests()
    local list = { 3, 1, 2 }
    table.sort(list, function(a, b)
      echo()
      return a < b
    end)
    assert.same({ 1, 2, 3 }, list)
    local upper = ("abc"):gsub(".", function(letter)
      echo()
      collect()
      return letter:upper()
    end)
    assert.equal("ABC", upper)
    local parts = { "return ", "42" }
    assert.equal(42, load(function()
      echo()
      return table.remove(parts, 1)
    end)())
    assert.is_true(requests() >= before + 8)
  end)

  it("waits inside of require and dofile", function()
    package.preload["spec.module"] = function(name)
      echo()
      collect()
      return { name = name }
    end
    finally(function()
      package.preload["spec.module"], package.loaded["spec.module"] = nil, nil
    end)
    local a, b = f5.all(
      function() return require "spec.module" end,
      function() return require "spec.module" end
    )
    assert.equal("spec.module", a.name)
    assert.equal(a, b)

    local name = os.tmpname()
    local file <close> = assert(io.open(name, "w"))
    file:write "local echo = ...; return spec_echo()"
    file:flush()
    rawset(_G, "spec_echo", echo)
    finally(function()
      rawset(_G, "spec_echo", nil)
      package.preload["spec.module"], package.loaded["spec.module"] = nil, nil
      os.remove(name)
    end)
    assert.equal("table", type(dofile(name)))
  end)

  it("waits inside of <close>, also after an error", function()
    local closed = {}
    local function guard(name)
      return setmetatable({}, { __close = function(_, err)
        echo()
        closed[#closed + 1] = name .. ":" .. tostring(err)
      end })
    end
    do
      local _ <close> = guard "block"
      echo()
    end
    pcall(function()
      local _ <close> = guard "error"
      echo()
      error("E", 0)
    end)
    assert.same({ "block:nil", "error:E" }, closed)
  end)

  it("runs calls of several fibers at the same time", function()
    local slow <close> = sim.start { latency_ms = 150 }
    local session <close> = f5.connect(options(slow))
    session:at(ECHO):load()
    local began = os.time()
    local tasks = {}
    for i = 1, 40 do
      tasks[i] = function()
        session:at(ECHO):load()
        return i
      end
    end
    local results = f5.all(tasks)
    assert.equal(40, results.n)
    for i = 1, 40 do assert.equal(i, results[i]) end
    assert.is_true(os.time() - began <= 4, "forty calls of 150 ms, four at a time, take 1.5 s")
  end)

  it("rethrows the error object itself from join and all", function()
    local fiber = f5.spawn(function() bip.ltm.pool["/Common/none"]:load() end)
    local ok, err = pcall(fiber.join, fiber)
    assert.is_false(ok)
    assert.equal("not_found", err.kind)
    local _, again = pcall(fiber.join, fiber)
    assert.equal(err, again)
    assert.equal("failed", fiber:status())
    local _, first = pcall(
      f5.all,
      { function() bip.ltm.pool["/Common/none"]:load() end, function() f5.sleep(1000) end }
    )
    assert.equal("not_found", first.kind)
  end)

  it("cancels at the wait, and lets <close> talk to the device", function()
    device:fault { match = { path = ECHO }, times = 1, delay_ms = 1500 }
    device:clear_log()
    local seen
    local fiber = f5.spawn(function()
      local _ <close> = setmetatable({}, { __close = function(_, err) seen = { err, echo() } end })
      echo()
    end)
    lab.arrived(device, "GET", ECHO)
    fiber:cancel()
    assert.equal("running", fiber:status())
    local ok, err = pcall(fiber.join, fiber)
    assert.is_false(ok)
    assert.equal("cancelled", err.kind)
    assert.equal("cancelled", fiber:status())
    assert.equal(err, seen[1])
    assert.equal("table", type(seen[2]))
  end)

  it("never runs what was cancelled before it started", function()
    local ran
    local fiber = f5.spawn(function() ran = true end)
    fiber:cancel()
    assert.is_false(pcall(fiber.join, fiber))
    assert.is_nil(ran)
  end)

  it("collects garbage at every turn and loses nothing", function()
    local before = requests()
    local count = 0
    local tasks = {}
    for i = 1, 20 do
      tasks[i] = function()
        collect()
        for letter in coroutine.wrap(function()
          for letter in ("abc"):gmatch "." do
            echo()
            collect()
            coroutine.yield(letter)
          end
        end) do
          assert(#letter == 1)
          count = count + 1
        end
        collect()
        return i
      end
    end
    local results = f5.all(tasks)
    assert.equal(60, count)
    assert.equal(60, requests() - before)
    for i = 1, 20 do assert.equal(i, results[i]) end
  end)

  it("gives its memory back", function()
    collect()
    local before = collectgarbage "count"
    for _ = 1, 20 do
      local fibers = {}
      for i = 1, 200 do fibers[i] = f5.spawn(function()
        f5.sleep(0)
        return i
      end) end
      for i = 1, 200 do assert.equal(i, fibers[i]:join()) end
    end
    collect()
    assert.is_true(collectgarbage "count" - before < 200)
  end)
end)

describe("Fiber handles", function()
  it("have a name, a status and words", function()
    local fiber = f5.spawn(function() f5.sleep(0.01) end)
    assert.match("^fiber %d+$", fiber.name)
    fiber.name = "backup of bigip1"
    assert.equal("backup of bigip1 (running)", tostring(fiber))
    fiber:join()
    assert.equal("backup of bigip1 (done)", tostring(fiber))
    assert.has_error(
      function() fiber.other = 1 end,
      "cannot set field 'other' of a fiber; only 'name' can be set"
    )
  end)

  it("can be closed: cancelled and waited for", function()
    local ended
    do
      local _ <close> = f5.spawn(function()
        pcall(f5.sleep, 1000)
        f5.sleep(0.01)
        ended = true
      end)
      f5.sleep(0.01)
    end
    assert.is_true(ended)
  end)

  it("know a deadlock", function()
    local a, b
    a = f5.spawn(function() return b:join() end)
    b = f5.spawn(function() return a:join() end)
    local ok, err = pcall(f5.all, function() a:join() end)
    assert.is_false(ok)
    assert.match("deadlock: all fibers wait for each other", tostring(err))
    a:cancel()
    b:cancel()
    pcall(a.join, a)
    pcall(b.join, b)
  end)

  it("check their arguments", function()
    for _, bad in ipairs { -1, 0 / 0, math.huge, "x" } do
      local ok, err = pcall(f5.sleep, bad)
      assert.is_false(ok)
      assert.match("bad argument #1", tostring(err))
    end
    assert.is_false(pcall(f5.spawn, 5))
    assert.is_false(pcall(f5.all, { print, 5 }))
  end)
end)
