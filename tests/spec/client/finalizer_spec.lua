-- Finalizers are scripts, and the collector runs them inside of almost every call. Whatever they
-- do, a call that was begun keeps what it has, and every value that it was given.
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"

-- `plant(fn)`: from here on fn runs at each cycle of the collector, which comes every few
-- allocations. `ran()` tells how often it did.
local HEAD <const> = [[
local f5 = require "f5"
local json = require "f5.json"
local count, planted = 0, true
local function again(fn)
  setmetatable({}, { __gc = function()
    if not planted then return end
    count = count + 1
    fn(count)
    again(fn)
  end })
end
local function plant(fn)
  collectgarbage("incremental", 1, 1000, 1)
  again(fn)
end
local function stop()
  planted = false
  collectgarbage("incremental", 200, 100, 13)
  assert(count > 20, "the finalizer ran only " .. count .. " times")
end
]]
local OFFLINE <const> = HEAD
  .. 'local bip = f5.connect { host = "127.0.0.1", port = 1, token = "wire-token", retries = 0 }\n'

local function run(text, environment)
  local directory <close> = program.directory()
  return program.run(
    { directory:file("playbook.lua", text) },
    { env = environment, timeout = 120 }
  )
end

local function good(text, environment)
  assert.same({ status = 0, out = "good\n", err = "" }, run(text, environment))
end

describe("a finalizer", function()
  it("that builds references does not change those that are being built", function()
    good(OFFLINE .. [[
      local long = ("x"):rep(3000)
      plant(function(n)
        local _ = bip.sys.ntp, bip.ltm.pool["/Common/" .. long:sub(1, n % 3000)]
        _ = bip:at("https://localhost/mgmt/shared/x?a=" .. long:sub(1, n % 100))
      end)
      local function same(expected, ref)
        if tostring(ref) ~= expected then error(expected .. " became " .. tostring(ref)) end
      end
      for _ = 1, 3000 do
        same("/mgmt/tm/ltm", bip.ltm)
        same("/mgmt/tm/ltm/pool/~Common~a%20b%251", bip.ltm.pool["/Common/a b%1"])
        same("/mgmt/tm/ltm/pool/~Common~web/members/7", bip.ltm.pool:at("/Common/web", "members", 7))
        same("/mgmt/tm/ltm/pool/%7Ex/12/y%2525?$top=1", bip:at("/mgmt/tm/ltm/pool/%7Ex?$top=1", 12, "y%25"))
        same("/mgmt/shared/echo/z", bip:at("https://localhost/mgmt/shared/echo/?ver=1#x", "z"))
      end
      stop()
      print "good"
    ]])
  end)

  it("that changes a query does not change how much room there is for it", function()
    good(OFFLINE .. [[
      -- By turns few names and many, so that some of the times there are few when the room is
      -- measured and many when it is filled.
      local query
      plant(function(n)
        if not query then return end
        for name in pairs(query) do query[name] = nil end
        for i = 1, n % 2 == 0 and 1 or 200 do query["added" .. n .. "-" .. i] = i end
        query.last = {}
      end)
      for i = 1, 300 do
        query = { last = {} } -- cannot be sent
        for k = 1, i % 9 do query["name" .. i .. "-" .. k] = k end
        local ok, err = pcall(function() bip.ltm.pool:load { query = query } end)
        assert(not ok and (err.kind == "usage" or err:find "invalid key to 'next'"), tostring(err))
      end
      stop()
      print "good"
    ]])
  end)

  it("that changes the names that come first in a JSON text is too late", function()
    good(HEAD .. [[
      local first
      local value = {}
      for i = 1, 200 do value["field" .. i] = { "some text", i } end
      plant(function(n)
        if not first then return end
        for i = 1, 40 do first[i] = "other" .. n .. "-" .. i end
      end)
      for i = 1, 100 do
        first = {}
        for k = 1, 40 do first[k] = "field" .. 200 - k end
        local text = json.encode(value, { first = first })
        assert(text:find('^{"field199":', 1) or first[1] ~= "field199", text:sub(1, 40))
        assert(#json.decode(text).field7 == 2)
      end
      stop()
      print "good"
    ]])
  end)

  it("that waits does not hide the end of a fiber from the one that joins it", function()
    good(HEAD .. [[
      local child
      plant(function()
        if child then pcall(f5.all, { function() f5.sleep(0.001) end }) end
      end)
      for i = 1, 300 do
        child = f5.spawn(function() return i end)
        assert(child:join() == i)
        child = nil
      end
      stop()
      print "good"
    ]])
  end)

  it("that loads a module does not hide it from the one that waits for it", function()
    good(HEAD .. [[
      plant(function() pcall(f5.all, { function() f5.sleep(0.001) end }) end)
      for i = 1, 200 do
        local name = "spec.module" .. i
        package.preload[name] = function()
          f5.sleep(0)
          return { i }
        end
        local modules = f5.all { function() return require(name) end, function() return require(name) end }
        assert(modules[1][1] == i and modules[2][1] == i)
      end
      stop()
      print "good"
    ]])
  end)

  it("that waits does not hide the end of a session, or of a transaction's own call", function()
    local device <close> = sim.start()
    good(HEAD .. [[
      plant(function() f5.sleep(0.03) end)
      for _ = 1, 15 do
        local bip <close> = f5.connect {}
        local tx = bip:begin()
        tx(bip.ltm.pool):create { name = "x" }
        tx:rollback()
        bip:close()
      end
      stop()
      print "good"
    ]], lab.environment(device))
    assert.equal(nil, next(device:state().tokens.items))
  end)
end)

describe("finalizers that run after those of a session and a transaction, at the end,", function()
  it("are told that these are closed", function()
    local device <close> = sim.start()
    local result = run([[
      last = {}
      kept = setmetatable({}, { __gc = function()
        for i, fn in ipairs(last) do
          local ok, why = pcall(fn)
          print(i, ok, why)
        end
      end })
      local f5 = require "f5"
      bip = f5.connect {}
      tx = bip:begin()
      local pool, queued = bip.ltm.pool, tx(bip.ltm.pool)
      last = {
        function() return pool:load() end,
        function() return queued:create { name = "x" } end,
        function() return tx:id() end,
        function() return bip:usage() end,
        function() return bip:close() end,
        function() return tostring(pool.x) end,
      }
    ]], lab.environment(device))
    assert.same({ 0, "" }, { result.status, result.err })
    local said = {}
    for line in result.out:gmatch "[^\n]+" do said[#said + 1] = line end
    assert.equal(6, #said)
    for i = 1, 5 do
      assert.matches(i == 3 and "^3\tfalse\t.*has ended$" or "^%d\tfalse\t.*is closed$", said[i])
    end
    assert.equal("6\ttrue\t/mgmt/tm/ltm/pool/x", said[6])
  end)
end)

describe("values that only one call ever had", function()
  it("are kept until it ends: options of f5.certificate that a function makes", function()
    local directory <close> = program.directory()
    local device <close> = sim.start()
    local result = run(([[
      local f5 = require "f5"
      local made = setmetatable({}, { __index = function(_, name)
        collectgarbage()
        if name == "key" then return %q .. ("k"):rep(200) .. os.time() end
        for _ = 1, 50 do local _ = ("p"):rep(210) .. os.time() end
        return "phrase" .. os.time()
      end })
      local certificate, why = f5.certificate(%q, made)
      print(certificate, why and why:find("kkkk", 1, true) and "key" or why)
    ]]):format(directory.path .. "/", device.ca))
    assert.same({ status = 0, out = "nil\tkey\n", err = "" }, result)
  end)
end)

describe("a count that a script gives", function()
  it("is no negative number of functions", function()
    local result =
      run 'require("f5").all(setmetatable({}, { __len = function() return -1 end }))'
    assert.equal(1, result.status)
    assert.matches("too many functions", result.err)
  end)
end)

describe("failed fibers that nobody can join", function()
  it("are reported once each, also when the report of one waits", function()
    local result = run [[
      local f5 = require "f5"
      for i = 1, 3 do
        f5.spawn(function()
          error(setmetatable({}, { __tostring = function()
            f5.all { function() f5.sleep(0.001) end }
            return "failure " .. i
          end }))
        end)
      end
      f5.sleep(0)
      collectgarbage()
      f5.sleep(0.01)
    ]]
    for i = 1, 3 do
      local _, times = result.err:gsub("failure " .. i, "")
      assert.equal(1, times, result.err)
    end
    assert.not_matches("f5lua: nil", result.err)
  end)
end)
