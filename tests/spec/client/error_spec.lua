-- What a playbook sees when something fails, what is tried again, and what never is. Against the
-- simulated device.
local core = require "f5.core"
local f5 = require "f5"
local lab = require "lab"
local sim = require "f5.sim"

local failure <const> = lab.failure

local device, bip, pool

local function connect(more)
  local options = device:options "admin"
  options.retries = { count = 3, delay = 0.01 }
  for name, value in pairs(more or {}) do options[name] = value end
  return f5.connect(options)
end

local function tries(method)
  local count = 0
  for _, call in ipairs(device:log()) do
    if call.method == method then count = count + 1 end
  end
  return count
end

local function start()
  device = sim.start {}
  bip = connect()
  pool = bip.ltm.pool["/Common/p"]
  pool:create {}
  device:clear_log()
end

local function stop()
  device:clear_faults()
  lab.stop(bip, device)
end

describe("attempts", function()
  before_each(start)
  after_each(stop)

  local safe = { "busy", "restarting", "not_registered", "not_public", "worker_down" }
  local only_reads = { "mcpd_lost", "internal", "bad_gateway", "gateway_timeout" }

  for _, kind in ipairs(safe) do
    it("are made again after " .. kind .. ", for reads and writes", function()
      device:fault { match = { path = "pool" }, kind = kind, times = 2 }
      assert.equal("p", pool:load().name)
      -- once it is asked whether the path exists at all
      assert.equal(kind:find "^not_" and 4 or 3, tries "GET")
      device:fault { match = { path = "pool" }, kind = kind, times = 2 }
      assert.equal("d", pool:modify({ description = "d" }).description)
      assert.equal(3, tries "PATCH")
    end)
  end

  for _, kind in ipairs(only_reads) do
    it("are made again after " .. kind .. ", for reads alone", function()
      device:fault { match = { path = "pool" }, kind = kind, times = 2 }
      assert.equal("p", pool:load().name)
      assert.equal(3, tries "GET")
      device:fault { match = { path = "pool" }, kind = kind, times = 2 }
      local err = failure(function() pool:modify { description = "d" } end)
      assert.equal(1, tries "PATCH")
      assert.equal(1, err.attempts)
      if kind ~= "internal" then
        assert.equal("unknown", err.outcome)
        assert.matches("; outcome unknown: the device may have carried it out$", err.message)
      end
    end)
  end

  it("are made again when mcpd cannot count its objects for a moment", function()
    device:fault {
      match = { path = "pool" },
      times = 2,
      status = 400,
      body = { code = 400, message = "Can't get object count from mcpd", errorStack = {} },
    }
    assert.equal("p", pool:load().name)
    assert.equal(3, tries "GET")
  end)

  it("are not retried when the connection was lost after a write was sent", function()
    device:fault { match = { path = "pool" }, reset = true, act = true, times = 1 }
    local err = failure(function() pool:modify { description = "d" } end)
    assert.equal("transport", err.kind)
    assert.equal("unknown", err.outcome)
    assert.equal(1, tries "PATCH")
    assert.equal("d", pool:load().description) -- so it was right not to
    device:fault { match = { path = "pool" }, reset = true, times = 2 }
    assert.equal("p", pool:load().name)
  end)

  it("survive an answer that is cut off, for reads", function()
    device:fault { match = { path = "pool" }, truncate = 20, times = 1 }
    assert.equal("p", pool:load().name)
  end)

  it("end after their number, and are counted in the error", function()
    device:fault { match = { path = "pool" }, kind = "busy", times = 99 }
    local err = failure(function() pool:load() end)
    assert.equal("busy", err.kind)
    assert.equal(4, err.attempts)
    assert.equal(4, tries "GET")
    assert.equal(32964609, err.api_error)
    assert.matches("%(after 4 attempts%)$", tostring(err))
    local once <close> = connect { retries = 0 }
    device:clear_log()
    assert.equal(1, failure(function() once.ltm.pool:list() end).attempts)
  end)

  it("end with their budget", function()
    local short <close> = connect { retries = { count = 1000, delay = 0.05, budget = 0.4 } }
    device:fault { match = { path = "pool" }, kind = "restarting", times = 9999 }
    local began = core.now()
    local err = failure(function() short.ltm.pool:list() end)
    assert.is_true(core.now() - began < 10)
    assert.equal("not_ready", err.kind)
    assert.is_true(err.attempts > 2)
  end)

  it("wait as long as the device says", function()
    device:fault {
      match = { path = "pool" }, kind = "restarting", headers = { ["Retry-After"] = "1" },
      times = 1,
    }
    local began = core.now()
    pool:load()
    assert.is_true(core.now() - began >= 0.95)
  end)

  it("are not made when the budget ends before the device says", function()
    local short <close> = connect { retries = { count = 5, delay = 0.01, budget = 2 } }
    device:fault {
      match = { path = "pool" }, kind = "restarting", headers = { ["Retry-After"] = "30" },
      times = 1,
    }
    local began = core.now()
    assert.equal(1, failure(function() short.ltm.pool:list() end).attempts)
    assert.is_true(core.now() - began < 10)
  end)

  it("leave other fibers running", function()
    device:fault { match = { path = "pool" }, kind = "busy", times = 2 }
    local slow <close> = connect { retries = { count = 3, delay = 0.2 } }
    local order = {}
    f5.all {
      function() slow.ltm.pool:list() order[#order + 1] = "slow" end,
      function() bip.sys.version:load() order[#order + 1] = "quick" end,
    }
    assert.same({ "quick", "slow" }, order)
  end)
end)

describe("errors", function()
  before_each(start)
  after_each(stop)

  it("are objects with everything a script may ask", function()
    local err = failure(function() bip.ltm.pool["/Common/nope"]:load() end)
    assert.equal("not_found", err.kind)
    assert.equal(404, err.status)
    assert.equal(404, err.code)
    assert.equal(3, err.api_error)
    assert.equal("GET", err.method)
    assert.equal("/mgmt/tm/ltm/pool/~Common~nope", err.path)
    assert.equal("127.0.0.1:" .. device.port, err.device)
    assert.equal(1, err.attempts)
    assert.equal(
      ("127.0.0.1:%d: GET /mgmt/tm/ltm/pool/~Common~nope: 404 not_found: %s"):format(
        device.port,
        err.message
      ),
      tostring(err)
    )
  end)

  it("of a call that the device cut off say that its outcome is unknown", function()
    device:fault { match = { path = "pool" }, kind = "timeout_exception" }
    local err = failure(function() pool:modify { description = "d" } end)
    assert.equal("timeout", err.kind)
    assert.equal("unknown", err.outcome)
    assert.matches(
      "^the device ended the call because it took too long .*; outcome unknown",
      err.message
    )
    assert.is_table(err.error_stack)
  end)

  it("report an answer that is not JSON", function()
    device:fault { match = { path = "pool" }, kind = "html_page", times = 9 }
    local err = failure(function() pool:load() end)
    assert.equal("protocol", err.kind)
    assert.matches("^the answer is not JSON: it starts with '<html>", err.message)
    device:clear_faults()
    device:fault { match = { path = "pool" }, kind = "not_json", times = 9 }
    err = failure(function() pool:load() end)
    assert.equal("protocol", err.kind)
    assert.matches("^the answer is incomplete JSON: it ends after 42 bytes", err.message)
  end)

  it("report a redirect and do not follow it", function()
    local elsewhere <close> = sim.start {}
    local here, there = device.host .. ":" .. device.port, elsewhere.host .. ":" .. elsewhere.port
    local ending <const> = {
      other = '. If the device is there, use host = "NAME:PORT"',
      same = ". The answer does not come from the REST service: "
        .. "check that host and port are those of a BIG-IP's management",
      open = ", unencrypted. iControl REST uses HTTPS only: "
        .. "check that this host is the management address of a BIG-IP",
    }
    for _, case in ipairs {
      { 301, "https://" .. there .. "/mgmt/tm/ltm/pool", "other" },
      { 307, "https://" .. there, "other" },
      { 308, "//" .. there .. "/", "other" },
      { 302, "/tmui/login.jsp", "same" },
      { 302, "HTTPS://" .. here .. "/xui/", "same" },
      { 303, "https://" .. here .. "0/", "other" },
      { 302, "http://" .. here .. "/mgmt", "open" },
    } do
      local status, location, kind = table.unpack(case)
      for _, call in ipairs {
        function() pool:load() end,
        function() pool:modify { description = "d" } end,
        function() connect():close() end,
      } do
        device:fault {
          match = { path = "pool" }, status = status, headers = { Location = location },
        }
        device:fault {
          match = { path = "login" },
          status = status,
          headers = { Location = location },
        }
        local err = failure(call)
        device:clear_faults()
        assert.same({ "protocol", status, 1 }, { err.kind, err.status, err.attempts })
        assert.equal(
          ("%s redirects to %s, which f5lua does not follow: "):format(here, location)
            .. "it would send the password or token there"
            .. ending[kind],
          err.message
        )
      end
    end
    device:fault { match = { path = "pool" }, status = 302 }
    assert.equal(
      here .. " redirects without naming a location" .. ending.same,
      failure(function() pool:load() end).message
    )
    assert.equal(0, elsewhere:connections())
  end)

  it("tell an answer over the limit", function()
    local small <close> = connect { body_limit = 2000 }
    local err = failure(function() small.sys:load() end)
    assert.equal("protocol", err.kind)
    assert.matches("^the answer exceeds the option body_limit", err.message)
    assert.equal(1, err.attempts)
  end)

  it("tell a device that does not answer in time", function()
    local hasty <close> = connect { timeout = 0.2, retries = 0 }
    device:fault { match = { path = "pool" }, delay_ms = 1500 }
    local err = failure(function() hasty.ltm.pool:list() end)
    assert.equal("timeout", err.kind)
    assert.matches("^no answer from 127.0.0.1:%d+ in time", err.message)
    assert.is_nil(err.outcome)
  end)

  it("tell a device that is gone", function()
    device:stop()
    local err = failure(function() bip.ltm.pool:list() end)
    assert.equal("transport", err.kind)
    assert.equal(4, err.attempts)
    assert.matches("^cannot connect to 127.0.0.1:%d+", err.message)
    device = sim.start {}
  end)

  it("make exists false only when the device says that there is none", function()
    assert.is_true(pool:exists())
    assert.is_false(bip.ltm.pool["/Common/nope"]:exists())
    device:fault { match = { path = "pool" }, kind = "internal", times = 9 }
    assert.equal("protocol", failure(function() return pool:exists() end).kind)
    device:clear_faults()
    device:fault { match = { path = "pool" }, kind = "not_registered", times = 9 }
    assert.equal("not_ready", failure(function() return pool:exists() end).kind)
  end)

  it("are returned by f5.try", function()
    local ok, err = f5.try(function() return bip.ltm.pool["/Common/nope"]:load() end)
    assert.is_false(ok)
    assert.equal("not_found", err.kind)
    assert.same({ true, 1, 2 }, { f5.try(function(...) return ... end, 1, 2) })
    ok, err = f5.try(error, "text", 0)
    assert.is_false(ok)
    assert.equal("text", err)
    assert.equal("usage", failure(f5.try, 5).kind)
  end)

  it("of a cancelled fiber are not held back by f5.try", function()
    local went_on = false
    local fiber = f5.spawn(function()
      f5.try(f5.sleep, 10)
      went_on = true
    end)
    f5.sleep(0.05)
    fiber:cancel()
    local err = failure(fiber.join, fiber)
    assert.equal("cancelled", err.kind)
    assert.is_false(went_on)
  end)

  it("can be made by Lua parts, of known kinds only", function()
    local err = core.error_new { kind = "task", message = "m", device = "d" }
    assert.equal("d: task: m", tostring(err))
    assert.has_error(function() core.error_new { kind = "odd" } end)
  end)
end)

describe("blocking calls", function()
  before_each(start)
  after_each(stop)

  it("work where a yield is impossible", function()
    local list = { 3, 1, 2 }
    table.sort(list, function(a, b)
      pool:exists()
      return a < b
    end)
    assert.same({ 1, 2, 3 }, list)
    local text = ("abc"):gsub(".", function(c) return pool:load().name .. c end)
    assert.equal("papbpc", text)
    local names = {}
    ;("x"):gsub("x", function()
      for one in bip.ltm.pool:each { page = 1 } do names[#names + 1] = one.name end
      names[#names + 1] = #bip.ltm.pool:list { page = 1 }
    end)
    assert.same({ "p", 1 }, names)
    local object = setmetatable(
      {},
      { __index = function() return pool:load() end, __close = function() pool:load() end }
    )
    assert.equal("p", object.x.name)
    local walk = coroutine.wrap(function()
      for one in bip.ltm.pool:each() do coroutine.yield(one.name) end
    end)
    assert.equal("p", walk())
  end)

  it("of a cancelled fiber say that a write may have been carried out", function()
    local session <close> = connect {}
    device:fault { match = { path = "/ltm/pool" }, delay_ms = 2000, times = 9 }
    for method, act in pairs {
      POST = function() session.ltm.pool:create { name = "late" } end,
      GET = function() session.ltm.pool:list() end,
    } do
      device:clear_log()
      local fiber = f5.spawn(act)
      lab.arrived(device, method, "/ltm/pool")
      fiber:cancel()
      local err = failure(fiber.join, fiber)
      local unknown <const> = method == "POST"
      assert.same({ "cancelled", unknown and "unknown" or nil }, { err.kind, err.outcome })
      assert.equal(
        "cancelled" .. (unknown and "; outcome unknown: the device may have carried it out" or ""),
        err.message
      )
    end
    device:clear_faults()
  end)

  it("of a cancelled fiber leave the session usable", function()
    device:fault { match = { path = "pool" }, delay_ms = 2000 }
    device:clear_log()
    local fiber = f5.spawn(function() pool:load() end)
    lab.arrived(device, "GET", "/pool/")
    fiber:cancel()
    assert.equal("cancelled", failure(fiber.join, fiber).kind)
    assert.equal("p", pool:load().name)
  end)
end)

describe("request", function()
  before_each(start)
  after_each(stop)

  it("sends many parameters of a query, sorted by name", function()
    local query, expected = {}, {}
    for i = 1, 60 do
      query[("p%02d"):format(i)] = i
      expected[i] = ("p%02d=%d"):format(i, i)
    end
    device:clear_log()
    assert.equal("p", bip:request("GET", "ltm/pool/~Common~p", { query = query }).name)
    local log <const> = device:log()
    assert.equal(table.concat(expected, "&"), log[#log].query)
  end)

  it("makes any call", function()
    assert.equal("p", bip:request("GET", "ltm/pool/~Common~p").name)
    assert.equal(
      "p",
      bip:request("get", "/mgmt/tm/ltm/pool", { query = { ["$select"] = "name" } }).items[1].name
    )
    assert.equal(
      "x",
      bip:request("PATCH", tostring(pool), { body = { description = "x" } }).description
    )
    assert.equal("y", bip:request("PATCH", pool, { body = '{"description":"y"}' }).description)
    assert.is_nil(bip:request("DELETE", pool))
    assert.equal("not_found", failure(function() bip:request("GET", pool) end).kind)
  end)

  it("gives the bare answer with raw, whatever it is", function()
    local answer = bip:request("GET", "/mgmt/tm/ltm/pool/nope", { raw = true })
    assert.equal(404, answer.status)
    assert.matches("^application/json", answer.headers["content-type"])
    assert.matches('"code":404', answer.body)
    device:fault { match = { path = "pool" }, kind = "restarting", times = 1 }
    assert.equal(503, bip:request("GET", pool, { raw = true }).status)
    device:advance(1300)
    assert.equal(200, bip:request("GET", pool, { raw = true }).status)
  end)

  it("sends further headers, but not those of the session", function()
    device:clear_log()
    local answer = bip:request(
      "OPTIONS",
      "/mgmt/tm/ltm/pool",
      { headers = { Origin = "https://x.example" }, raw = true }
    )
    assert.is_number(answer.status)
    assert.matches(
      "header X%-F5%-Auth%-Token is set by the session",
      failure(
        function() bip:request("GET", pool, { headers = { ["X-F5-Auth-Token"] = "x" } }) end
      ).message
    )
    assert.matches(
      "line break",
      failure(function() bip:request("GET", pool, { headers = { A = "b\r\nC: d" } }) end).message
    )
  end)

  it("checks its arguments", function()
    assert.matches(
      "unknown method 'FETCH'",
      failure(function() bip:request("FETCH", "ltm/pool") end).message
    )
    assert.matches(
      "unknown option 'bdy'; did you mean 'body'",
      failure(function() bip:request("POST", "ltm/pool", { bdy = {} }) end).message
    )
    assert.matches(
      "a GET has no body",
      failure(function() bip:request("GET", "ltm/pool", { body = {} }) end).message
    )
  end)
end)

describe("the list of kinds", function()
  it("has one entry for each kind that scripts can raise", function()
    local seen = {}
    for _, kind in ipairs(core.error_kinds()) do
      assert.is_nil(seen[kind.name])
      seen[kind.name] = true
      assert.is_true(kind.exit_status == 1 or kind.exit_status == 3, kind.name)
      assert.is_boolean(kind.transient)
      assert.matches("^%u.*%.$", kind.meaning)
      assert.equal(kind.name, core.error_new({ kind = kind.name, message = "m" }).kind)
    end
    assert.is_true(seen.not_found and seen.usage)
    assert.has_error(
      function() core.error_new { kind = "none", message = "m" } end,
      "error_new: invalid kind 'none'"
    )
  end)
end)
