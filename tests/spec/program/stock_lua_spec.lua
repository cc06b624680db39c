-- f5.so in a stock lua5.4. The specs of the f5 module run through it as well: tests/stock.lua.
local lab = require "lab"
local lfs = require "lfs"
local program = require "program"
local sim = require "f5.sim"

local own = lfs.symlinkattributes("/proc/self/exe", "target"):match "^(.*)/" .. "/lua"

local function lua(script, device, more)
  local env = device and lab.environment(device, more) or {}
  env.LUA_CPATH = own .. "/?.so"
  return program.run({ "-e", script }, { program = "/usr/bin/lua5.4", env = env })
end

describe("The f5 module in a stock lua5.4", function()
  if not lfs.attributes(own .. "/f5.so") then
    pending "is built beside the release program only"
    return
  end

  it("works without f5.run, one thing at a time", function()
    local device <close> = sim.start {}
    local result = lua([[
      local f5 = require "f5"
      local bip <close> = f5.connect {}
      bip.ltm.pool:create { name = "web" }
      for pool in bip.ltm.pool:each() do print(pool.fullPath) end
      local sorted = { 2, 1 }
      table.sort(sorted, function(a, b) bip.ltm.pool:list() return a < b end)
      print(table.unpack(sorted))]], device)
    assert.same({ status = 0, out = "/Common/web\n1\t2\n", err = "" }, result)
  end)

  it("runs fibers in f5.run, which returns what its function returns", function()
    local result = lua [[
      local f5 = require "f5"
      local function nap(n) return function() f5.sleep(0.05) return n end end
      print(f5.run(function(...) return select("#", ...), f5.all(nap(1), nap(2), nap(3)) end, "a", "b"))
      print(pcall(f5.run, function() error({ "as it is" }, 0) end))
      print(f5.run(function() f5.spawn(function() f5.sleep(0.01) end) return "first" end))]]
    assert.equal("", result.err)
    assert.truthy(result.out:find "^2\t1\t2\t3\nfalse\ttable: 0x%x+\nfirst\n$")
  end)

  it("deletes the tokens that are left when the state closes", function()
    local device <close> = sim.start {}
    local result = lua([[
      local f5 = require "f5"
      bip = f5.connect {}
      print(#bip.ltm.pool:list())]], device)
    assert.same({ status = 0, out = "0\n", err = "" }, result)
    local last
    for _, call in ipairs(device:log()) do last = call end
    assert.truthy(last.method == "DELETE" and last.path:find "^/mgmt/shared/authz/tokens/")
  end)

  it("says what only the program has", function()
    local result = lua [[
      local f5 = require "f5"
      print(f5.try(f5.fail, "no"), select(2, pcall(f5.files, ".", "*")))
      f5.live()"on the way"]]
    assert.equal("on the way\n", result.err)
    assert.truthy(result.out:find "^false\t.*f5.files works only in f5lua")
  end)

  it("plans with the twin that F5LUA_PROGRAM starts, and says so if there is none", function()
    local device <close> = sim.start {}
    local script <const> = [[
      local f5 = require "f5"
      local bip <close> = f5.connect {}
      print(f5.try(function()
        local plan = bip:plan(function(bip) bip.ltm.pool["/Common/a"]:create {} end)
        return #plan.steps, #plan:apply(), bip.ltm.pool["/Common/a"]:exists()
      end))]]
    local place <close> = program.directory()
    local more = { F5LUA_PROGRAM = program.path, XDG_STATE_HOME = place.path }
    assert.same({ status = 0, out = "true\t1\t0\ttrue\n", err = "" }, lua(script, device, more))
    more.F5LUA_PROGRAM = place.path .. "/none"
    assert.matches("^false\t.*cannot start .*set F5LUA_PROGRAM", lua(script, device, more).out)
  end)

  it("raises the same error objects", function()
    local device <close> = sim.start {}
    local result = lua([[
      local f5 = require "f5"
      local bip <close> = f5.connect {}
      local ok, err = f5.try(function() return bip.ltm.pool["/Common/nope"]:load() end)
      print(ok, err.kind, err.status)
      print(select(2, pcall(f5.connect, { hots = "x" })))]], device)
    assert.equal("", result.err)
    assert.truthy(result.out:find "^false\tnot_found\t404\n.*hots")
  end)
end)
