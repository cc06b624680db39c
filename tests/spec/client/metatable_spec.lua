-- Metatables of the values that scripts hold. Their functions free memory, so a script does not get
-- them; and with the debug library it gets an error at worst.
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"

local HEAD <const> = [[
local f5 = require "f5"
local core = require "f5.core"
local bip = f5.connect {}
local tx = bip:begin()
local _, pages = bip.ltm.node:each()
local moved = core.transfer.download(bip, "/mgmt/x", arg[1] .. "/moved")
local file = core.append_open(arg[1] .. "/file")
local things = {
  session = bip, reference = bip.ltm.pool, transaction = tx, pages = pages, transfer = moved,
  file = file, fiber = f5.spawn(function() end), bound = tx(bip.ltm.pool),
}
]]

describe("the metatable of a value", function()
  local device, environment
  setup(function()
    device = sim.start()
    environment = lab.environment(device)
  end)
  teardown(function() device:stop() end)

  local function good(text)
    local place <close> = program.directory()
    local words = { place:file("playbook.lua", HEAD .. text), place.path }
    local result = program.run(words, { env = environment })
    assert.same({ status = 0, out = "good\n", err = "" }, result)
  end

  it("is not given to a script", function()
    good [[
      for name, thing in pairs(things) do
        local shown = getmetatable(thing)
        assert(shown == (name == "bound" and "reference" or name), name .. ": " .. tostring(shown))
        assert(not pcall(setmetatable, thing, {}))
      end
      print "good"
    ]]
  end)

  it("has functions that take no other values", function()
    good [[
      local values = { io.stdout, {}, 42, "text", print, coroutine.create(print), true }
      for _, thing in pairs(things) do values[#values + 1] = thing end
      local calls, refused = 0, 0
      for name, thing in pairs(things) do
        for event, fn in pairs(debug.getmetatable(thing)) do
          for _, value in ipairs(values) do
            local same = debug.getmetatable(value) == debug.getmetatable(thing)
            if type(fn) == "function" and not same and event ~= "__eq" then
              calls = calls + 1
              local ok, why = pcall(fn, value, "name", "value")
              assert(not ok, name .. event .. tostring(value))
              refused = refused + 1
            end
          end
          -- nor none at all
          if type(fn) == "function" and event ~= "__eq" then assert(not pcall(fn), name .. event) end
        end
      end
      assert(calls > 300 and refused == calls)
      tx:rollback()
      bip:close()
      print "good"
    ]]
  end)

  it("frees what is used afterwards only once", function()
    good [[
      for name, thing in pairs(things) do
        local events = debug.getmetatable(thing)
        for _ = 1, 2 do
          if events.__gc then events.__gc(thing) end
        end
      end
      local calls = {
        function() return bip.ltm.pool:list() end, function() return bip:usage() end,
        function() return tostring(bip) end, function() return bip:at("ltm/node"):exists() end,
        function() return tx(bip.ltm.node) end, function() return tx:rollback() end,
        function() return tx:id() end, function() return tostring(tx) end,
        function() return things.bound:create { name = "x" } end,
        function() return things.reference:load() end,
        function() return core.transfer.step(moved) end, function() return file:read() end,
        function() return bip:begin() end, function() return bip:close() end,
      }
      for i, fn in ipairs(calls) do
        local ok, why = pcall(fn)
        assert(not ok, "call " .. i .. " succeeded")
        why = tostring(why)
        assert(why:find "closed" or why:find "ended", "call " .. i .. ": " .. why)
      end
      print "good"
    ]]
  end)
end)
