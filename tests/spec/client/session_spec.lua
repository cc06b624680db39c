-- Sessions: options, login, tokens and their end, attempts. Against the simulated device.
local core = require "f5.core"
local f5 = require "f5"
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"

local failure <const> = lab.failure

local LOGIN <const> = "/mgmt/shared/authn/login"
local TOKENS <const> = "/mgmt/shared/authz/tokens"
local ECHO <const> = "/mgmt/shared/echo"

-- Quick attempts, so that a spec does not wait.
local QUICK <const> = { count = 3, delay = 0.01 }

local function with(base, more)
  local options = {}
  for name, value in pairs(base) do options[name] = value end
  for name, value in pairs(more or {}) do options[name] = value end
  return options
end

local function calls(device, method, path)
  local count = 0
  for _, call in ipairs(device:log()) do
    if call.method == method and call.path:find(path) then count = count + 1 end
  end
  return count
end

local function live_tokens(device)
  local count, now = 0, device:now()
  for _, token in pairs(device:state().tokens.items) do
    if token.expirationMicros > now then count = count + 1 end
  end
  return count
end

describe("f5.connect: options", function()
  local function usage(options)
    return failure(function() return (f5.connect(options)) end)
  end

  it("names an unknown option and the nearest known one, at the script's line", function()
    local err = usage { hostt = "x" }
    assert.equal("usage", err.kind)
    assert.matches(
      "session_spec%.lua:%d+: unknown option 'hostt'; did you mean 'host'%?$",
      err.message
    )
    assert.equal(err.message, tostring(err))
    assert.matches("did you mean 'password'", usage({ pass = "x" }).message)
    assert.matches("did you mean 'username'", usage({ user = "x" }).message)
    assert.matches("unknown option 'zzzzzzz'$", usage({ zzzzzzz = 1 }).message)
    assert.matches(
      "expected the name of an option, got a number: f5.connect", usage({ "host" }).message
    )
  end)

  it("checks every type and range", function()
    local base = { host = "127.0.0.1", username = "u", password = "p" }
    local wrong = {
      { { host = 1 }, "option 'host' must be a string, not a number" },
      { { host = "" }, "option 'host' is an empty string" },
      { { host = "a b" }, "invalid host 'a b': not a name or an address" },
      { { host = "http://x" }, "invalid host 'http://x': iControl REST uses HTTPS only" },
      { { host = "https://x/mgmt" }, "expected a name or an address without a path" },
      { { host = "x:99999" }, "invalid port '99999' %(x:99999%)" },
      { { host = "x:1", port = 2 }, "the port is given twice" },
      { { port = 70000 }, "option 'port' must be between 0 and 65535" },
      { { port = "443" }, "option 'port' must be a number, not a string" },
      { { verify = "no" }, "option 'verify' must be true or false, not a string" },
      { { timeout = 0 }, "option 'timeout' must be between" },
      { { retries = 1.5 }, "option 'retries' must be a whole number" },
      { { retries = "x" }, "option 'retries' must be a number or a table" },
      { { retries = { cuont = 1 } }, "unknown option of retries 'cuont'; did you mean 'count'%?" },
      { { auth = "digest" }, 'option \'auth\' must be "token" or "basic"' },
      { { provider = "a", login_reference = "b" }, "give one" },
      {
        { token = "T", auth = "token" },
        "option 'token' cannot be combined with 'password' or 'auth'",
      },
      { { username = "a\nb" }, "contains a control character" },
      { { password = 5 }, "option 'password' must be a string, not a number" },
      { { password = "" }, "option 'password' is an empty string" },
      { { key = "/etc/hostname" }, "option 'key' requires 'cert'" },
      {
        { ca = "/no/such.pem" },
        "option 'ca': /no/such.pem cannot be read: No such file or directory",
      },
    }
    for _, case in ipairs(wrong) do
      local err = usage(with(base, case[1]))
      assert.equal("usage", err.kind)
      assert.matches(case[2], err.message)
      assert.matches("session_spec%.lua:%d+: ", err.message)
    end
    assert.matches("expected a table of options, got a boolean", usage(true).message)
  end)
end)

describe("sessions", function()
  local device, options

  before_each(function()
    device = sim.start {
      users = {
        { name = "admin", password = "admin", role = "admin" },
        { name = "operator", password = "op-Secret1", role = "operator" },
      },
      providers = {
        {
          name = "RadiusServer",
          type = "radius",
          users = { { name = "remo", password = "remo-pw", role = "manager" } },
        },
      },
    }
    options = with(device:options "admin", { retries = QUICK })
  end)
  after_each(function()
    collectgarbage()
    lab.stop(device)
  end)

  it("P1 logs in with any role; the token's end is known by the device's clock", function()
    device:advance(86400 * 400) -- a clock that is far off ours
    local bip <close> = f5.connect(with(device:options "operator"))
    assert.is_true(bip:expires_in() > 1195 and bip:expires_in() <= 1200)
    assert.equal(1, calls(device, "POST", LOGIN))
  end)

  it("takes the port with the host, and the host as the only argument's form", function()
    local bip <close> =
      f5.connect(with(options, { host = device.host .. ":" .. device.port, port = false or nil }))
    assert.equal("session with 127.0.0.1:" .. device.port, tostring(bip))
    local url <close> =
      f5.connect(with(options, { host = "https://127.0.0.1:" .. device.port .. "/" }))
    assert.equal(device.host .. ":" .. device.port, url:label())
    local labelled <close> = f5.connect(with(options, { label = "east" }))
    assert.equal("east", labelled:label())
  end)

  it("P2 uses one connection for 100 calls, and verifies certificates", function()
    local bip <close> = f5.connect(options)
    for _ = 1, 100 do bip:at(ECHO):load() end
    assert.equal(1, device:connections())
    local err = failure(f5.connect, with(options, { ca = "/etc/ssl/certs/ca-certificates.crt" }))
    assert.equal("tls", err.kind)
    assert.matches("cannot make a secure connection to 127.0.0.1:%d+ %(", err.message)
    local loose <close> =
      f5.connect(with(options, { ca = "/etc/ssl/certs/ca-certificates.crt", verify = false }))
    assert.is_table(loose:at(ECHO):load())
  end)

  it("says at connect what is wrong", function()
    local err = failure(f5.connect, with(options, { password = "wrong-one" }))
    assert.equal("auth", err.kind)
    assert.equal(401, err.status)
    assert.equal("Authentication failed.", err.message)
    assert.equal("POST", err.method)
    assert.equal(LOGIN, err.path)
    assert.equal("127.0.0.1:" .. device.port, err.device)
    assert.equal(1, err.attempts)
    assert.equal(
      ("127.0.0.1:%d: POST %s: 401 auth: Authentication failed."):format(device.port, LOGIN),
      tostring(err)
    )

    local started = os.time()
    err = failure(f5.connect, with(options, { port = 1 }))
    assert.equal("transport", err.kind)
    assert.matches("^cannot connect to 127.0.0.1:1 ", err.message)
    err = failure(f5.connect, with(options, { host = "no-such-host.invalid" }))
    assert.equal("transport", err.kind)
    assert.matches("^cannot resolve the name of no%-such%-host.invalid:%d+", err.message)
    assert.is_true(os.time() - started < 5) -- mistakes are not repeated

    err = failure(f5.connect, with(options, { provider = "nobody" }))
    assert.equal("auth", err.kind)
    assert.equal(0, live_tokens(device))
  end)

  it("G6 uses basic authentication for administrators", function()
    local bip <close> = f5.connect(with(options, { auth = "basic" }))
    assert.is_table(bip:at(ECHO):load())
    assert.equal(0, calls(device, "POST", LOGIN))
    assert.is_nil(bip:expires_in())
    local other <close> = f5.connect(with(device:options "operator", { auth = "basic" }))
    local err = failure(function() other:at(TOKENS):load() end)
    assert.equal(401, err.status)
    assert.is_true(err.kind == "auth" or err.kind == "forbidden")
    assert.equal(1, err.attempts)
  end)

  it("G8 logs in with an external provider, by name and by reference", function()
    do
      local bip <close> = f5.connect(
        with(options, { username = "remo", password = "remo-pw", provider = "RadiusServer" })
      )
      assert.is_table(bip:at(ECHO):load())
    end
    local link
    do
      local admin <close> = f5.connect(options)
      for _, provider in ipairs(admin:at("/mgmt/cm/system/authn/providers/radius"):list()) do
        link = provider.loginReference.link
      end
    end
    local bip <close> =
      f5.connect(with(options, { username = "remo", password = "remo-pw", login_reference = link }))
    assert.is_table(bip:at(ECHO):load())
  end)

  it("uses a given token and leaves it alone", function()
    local owner <close> = f5.connect(options)
    local answer = owner:request(
      "POST",
      LOGIN,
      { body = { username = "admin", password = "admin", loginProviderName = "tmos" } }
    )
    local token = answer.token.token
    do
      local bip <close> =
        f5.connect { host = device.host, port = device.port, ca = device.ca, token = token }
      assert.is_table(bip:at(ECHO):load())
    end
    assert.is_true(owner:at(TOKENS, token):exists())
    owner:at(TOKENS, token):delete()
    local bip <close> =
      f5.connect { host = device.host, port = device.port, ca = device.ca, token = token }
    local err = failure(function()
      bip:at(ECHO, "x"):load()
      bip:at(TOKENS):load()
    end)
    assert.equal(401, err.status)
    assert.equal(1, err.attempts)
  end)

  it("extends the token's life, and passes on what the device refuses", function()
    local bip <close> = f5.connect(with(options, { token_lifetime = 36000 }))
    assert.near(36000, bip:expires_in(), 10) -- the device counts from a moment of its own
    local err = failure(f5.connect, with(options, { token_lifetime = 40000 }))
    assert.equal(406, err.status)
    assert.equal("PATCH", err.method)
    assert.matches("^/mgmt/shared/authz/tokens/%*+$", err.path)
    assert.matches("absolute timeout", err.message)
    bip:close()
    lab.wait("no token", function() return live_tokens(device) == 0 end)
  end)

  describe("P5", function()
    it("logs in again when the token has expired, without the stale header, and repeats the call "
      .. "once", function()
      local bip <close> = f5.connect(options)
      bip:at(ECHO):load()
      device:advance(1201)
      assert.is_table(bip:at(TOKENS):load())
      assert.equal(2, calls(device, "POST", LOGIN))
      local log = device:log()
      local statuses = {}
      for _, call in ipairs(log) do
        if call.path == TOKENS then statuses[#statuses + 1] = call.status end
      end
      assert.same({ 401, 200 }, statuses)
    end)

    it("gives up after one renewal", function()
      local bip <close> = f5.connect(options)
      device:fault { match = { path = "echo" }, times = 5, kind = "token_expired" }
      local err = failure(function() bip:at(ECHO):load() end)
      assert.equal("auth", err.kind)
      assert.equal(2, err.attempts)
      assert.equal("X-F5-Auth-Token has expired.", err.message)
      device:clear_faults()
      assert.equal(2, calls(device, "POST", LOGIN))
    end)

    it("logs in once for all fibers", function()
      local bip <close> = f5.connect(with(options, { parallel = 20 }))
      device:advance(1201)
      device:clear_log()
      local work = {}
      for i = 1, 20 do work[i] = function() return bip:at(TOKENS):load().kind end end
      local kinds = { f5.all(work) }
      if #kinds == 1 and type(kinds[1]) == "table" then kinds = kinds[1] end
      assert.equal(20, #kinds)
      assert.equal(1, calls(device, "POST", LOGIN))
    end)

    it("says so when the renewal fails, with its reason", function()
      local bip <close> = f5.connect(options)
      device:advance(1201)
      device:fault { match = { path = "login" }, times = 9, kind = "authentication_failed" }
      local err = failure(function() bip:at(TOKENS):load() end)
      assert.equal("auth", err.kind)
      assert.equal("the session could not log in again", err.message)
      assert.equal("Authentication failed.", err.cause.message)
      assert.same({ 401, 401 }, { err.status, err.cause.status })
      assert.equal(LOGIN, err.cause.path)
      assert.equal(TOKENS, err.path)
      device:clear_faults()
    end)

    it("renews ahead of time, by the device's own clock, and deletes the old token", function()
      device:fault {
        match = { path = "login" },
        times = 1,
        status = 200,
        body = {
          username = "admin",
          loginProviderName = "tmos",
          generation = 0,
          lastUpdateMicros = 0,
          token = {
            token = "SHORTLIVEDTOKEN0000000001", name = "SHORTLIVEDTOKEN0000000001", timeout = 1200,
            lastUpdateMicros = 1765703135900413, expirationMicros = 1765703136100413,
          },
        },
      }
      local bip <close> = f5.connect(options)
      assert.is_true(bip:expires_in() <= 0.2)
      core.sleep(0.25)
      assert.is_table(bip:at(TOKENS):load())
      local seen = {}
      for _, call in ipairs(device:log()) do
        seen[#seen + 1] = call.method .. " " .. call.path .. " " .. call.status
      end
      assert.same({ "POST " .. LOGIN .. " 200", "POST " .. LOGIN .. " 200" }, { seen[1], seen[2] })
      assert.equal(200, device:log()[#device:log()].status or 200)
      lab.arrived(device, "DELETE", "SHORTLIVEDTOKEN0000000001")
      assert.equal(1, calls(device, "DELETE", "SHORTLIVEDTOKEN0000000001"))
    end)

    it("believes the timeout of a token if its times say nothing", function()
      device:fault {
        match = { path = "login" },
        times = 1,
        status = 200,
        body = {
          token = {
            token = "TIMELESSTOKEN00000000000001", timeout = 900,
            lastUpdateMicros = 1765703135900413, expirationMicros = 1765703135900413,
          },
        },
      }
      local bip <close> = f5.connect(options)
      assert.is_true(bip:expires_in() > 800 and bip:expires_in() <= 900)
    end)
  end)

  describe("P8", function()
    it("deletes its own token at the end, and no other", function()
      local other <close> = f5.connect(options)
      local bip = f5.connect(options)
      assert.equal(2, live_tokens(device))
      bip:close()
      assert.equal(1, live_tokens(device))
      assert.is_table(other:at(ECHO):load())
      bip:close() -- a second time is nothing
      assert.equal("session with 127.0.0.1:" .. device.port .. " (closed)", tostring(bip))
      local err = failure(function() bip:at(ECHO):load() end)
      assert.equal("usage", err.kind)
      assert.matches("the session with .* is closed$", err.message)
      assert.matches("session_spec%.lua:%d+: ", err.message)
    end)

    it("deletes it when a block is left, also by an error", function()
      do
        local bip <close> = f5.connect(options)
        bip:at(ECHO):load()
      end
      assert.equal(0, live_tokens(device))
      pcall(function()
        local bip <close> = f5.connect(options)
        error(bip)
      end)
      assert.equal(0, live_tokens(device))
    end)

    it("deletes it for a session that the script forgot", function()
      f5.connect(options)
      collectgarbage()
      collectgarbage()
      lab.wait("no session", function() return core.sessions() == 0 end)
      assert.equal(0, live_tokens(device))
    end)

    it("does not fail over a token that cannot be deleted", function()
      local bip = f5.connect(options)
      device:fault { match = { method = "DELETE" }, times = 9, kind = "internal" }
      core.log(-1) -- the warning is looked at in program/token_cleanup_spec.lua
      bip:close()
      core.log(0)
      device:clear_faults()
      assert.equal(0, core.sessions())
    end)

    it("ends the calls of other fibers with the session", function()
      local bip = f5.connect(options)
      device:fault { match = { path = "echo" }, delay_ms = 3000 }
      local fiber = f5.spawn(function() return bip:at(ECHO):load() end)
      lab.arrived(device, "GET", "echo")
      bip:close()
      local err = failure(function() fiber:join() end)
      assert.equal("cancelled", err.kind)
      assert.equal("the session was closed", err.message)
      assert.equal(0, live_tokens(device))
    end)

    it("does not know what came of their writes, if these were sent", function()
      options.parallel = 2
      local bip = f5.connect(options)
      options.parallel = nil
      device:fault { match = { method = "POST", path = "ltm/pool$" }, delay_ms = 3000, times = 9 }
      local fibers = {}
      for i = 1, 3 do
        fibers[i] = f5.spawn(function() bip.ltm.pool["/Common/closed" .. i]:create {} end)
      end
      lab.arrived(device, "POST", "ltm/pool$", 2)
      bip:close()
      local unknown = {}
      for i = 1, 3 do
        local err = failure(function() fibers[i]:join() end)
        assert.equal("cancelled", err.kind)
        unknown[i] = err.outcome or "none"
      end
      assert.same({ "unknown", "unknown", "none" }, unknown)
      device:clear_faults()
    end)
  end)

  it("leaves no token behind, whatever is cancelled when", function()
    device:fault { match = { path = "echo" }, kind = "busy", times = 40 }
    math.randomseed(17)
    local fibers = {}
    for i = 1, 60 do
      fibers[i] = f5.spawn(function()
        f5.sleep(math.random() / 20)
        if i % 3 == 0 then -- forgotten
          local bip = f5.connect(options)
          bip:at(ECHO):load()
          return
        end
        local bip <close> = f5.connect(options)
        for _ = 1, 5 do bip:at(ECHO):load() end
        if i % 7 == 0 then error "of its own" end
      end)
    end
    local ended = { done = 0, cancelled = 0, failed = 0 }
    for i = 1, 60, 2 do
      f5.sleep(math.random() / 100)
      fibers[i]:cancel()
    end
    for _, fiber in ipairs(fibers) do
      local ok, err = pcall(fiber.join, fiber)
      local how = ok and "done"
        or type(err) == "table" and err.kind == "cancelled" and "cancelled" or "failed"
      ended[how] = ended[how] + 1
    end
    assert.equal(60, ended.done + ended.cancelled + ended.failed)
    -- how many of each is chance
    assert.is_true(ended.done > 0 and ended.cancelled > 0 and ended.failed > 0)
    for _ = 1, 100 do
      collectgarbage()
      if core.sessions() == 0 then break end
      f5.sleep(0.05)
    end
    assert.equal(0, core.sessions())
    assert.equal(0, live_tokens(device))
  end)

  it("counts what it did", function()
    local bip <close> = f5.connect(options)
    bip:at(ECHO):load()
    local usage = bip:usage()
    assert.equal(1, usage.calls)
    assert.equal(0, usage.writes)
    assert.is_true(usage.bytes_received > 100 and usage.bytes_sent > 100)
  end)

  it("counts as writes what the device changed, or may have", function()
    local bip <close> = f5.connect(options)
    local pools, seen = bip.ltm.pool, 0
    local function writes()
      local before = seen
      seen = bip:usage().writes
      return seen - before
    end
    local web = pools["/Common/counted"]
    web:create {}
    web:modify { description = "x" }
    assert.equal(2, writes())
    for _, refused in ipairs {
      function() web:create {} end,
      function() web:modify { description = "y", monitor = "/Common/no-such" } end,
      function() pools["/Common/nope"]:delete() end,
      function() bip.ltm.node:create { name = "n" } end,
    } do
      assert.is_false(f5.try(refused))
    end
    assert.equal(0, writes())
    assert.equal(
      409,
      bip:request("POST", "/mgmt/tm/ltm/pool", { raw = true, body = { name = "counted" } }).status
    )
    assert.equal(0, writes())
    bip:request("PATCH", tostring(web), { raw = true, body = { description = "z" } })
    assert.equal(1, writes())
    -- it was done, and nobody knows
    device:fault { match = { method = "PATCH" }, reset = true, act = true }
    local ok, err = f5.try(web.modify, web, { description = "w" })
    assert.same({ false, "unknown", 1 }, { ok, err.outcome, writes() })
    device:fault { match = { method = "PATCH" }, delay_ms = 3000 }
    device:clear_log()
    local fiber = f5.spawn(function() web:modify { description = "v" } end)
    lab.arrived(device, "PATCH", "/pool/")
    fiber:cancel()
    pcall(fiber.join, fiber)
    assert.equal(1, writes())
    bip.sys.version:load()
    assert.equal(0, writes())
    web:delete()
    assert.equal(1, writes())
  end)

  it("names the user who has too many tokens", function()
    device:fault { match = { path = "login" }, kind = "token_limit" }
    local err = failure(f5.connect, options)
    assert.equal("auth", err.kind)
    assert.matches("^the user 'admin' has too many tokens: user .* maximum active", err.message)
    device:fault { match = { path = "login" }, kind = "token_limit" }
    local result <const> = program.run(
      { "list", "ltm/pool" }, { env = lab.environment(device) }
    )
    assert.equal(3, result.status)
    assert.matches("\n  hint: a token ends by itself after 20 minutes", result.err)
    assert.matches("f5lua tokens clear %-%-basic, and those of another user", result.err)
    assert.equal(1, err.attempts)
  end)

  it("refuses a login that gives no token, or one that would be more than a header", function()
    device:fault {
      match = { path = "login" },
      status = 200,
      body = { token = { token = "abc\r\nX-Other: y", timeout = 5 } },
    }
    local err = failure(f5.connect, options)
    assert.equal("protocol", err.kind)
    assert.matches("the login answer contains no token", err.message)
    device:fault { match = { path = "login" }, status = 200, body = "<html>router</html>" }
    assert.equal("protocol", failure(f5.connect, options).kind)
  end)

  it("waits for a device that is busy while logging in", function()
    device:fault { match = { path = "login" }, times = 2, kind = "restarting" }
    local bip <close> = f5.connect(options)
    assert.is_table(bip:at(ECHO):load())
    assert.equal(3, calls(device, "POST", LOGIN))
  end)

  it("has no fields to set and no arithmetic of its own", function()
    local bip <close> = f5.connect(options)
    assert.equal("usage", failure(function() bip.x = 1 end).kind)
    assert.equal("usage", failure(function() return bip[1] end).kind)
    assert.equal("usage", failure(function() return bip[""] end).kind)
    assert.equal("usage", failure(function() bip.close() end).kind)
    assert.equal("usage", failure(function() bip:nothing() end).kind)
    assert.matches(
      "session_spec.lua:%d+: cannot iterate over a reference: use for item in ref:each%(%) do … "
        .. "%(/mgmt/tm/ltm/pool%)$",
      failure(function()
        for _ in bip.ltm.pool do
          error "never"
        end
      end).message
    )
    assert.matches(
      "session_spec.lua:%d+: an array is not an iterator; use 'for i, item in ipairs%(array%)', or "
        .. "'for item in ref:each%(%)'$",
      failure(function()
        for _ in bip.ltm.pool:list() do
          error "never"
        end
      end).message
    )
    assert.matches(
      "a session has no method 'nothing'; its path is /mgmt/tm/nothing",
      failure(function() bip:nothing() end).message
    )
    for text, argument in pairs { web = "web", NAME = {} } do
      local words = 'a reference cannot be called: :at("%s") leads to what is below it (%s)'
      local expected = words:format(text, "/mgmt/tm/ltm/pool")
      local message = failure(function() bip.ltm.pool(argument) end).message
      assert.equal(expected, (message:match "a ref.*"))
    end
  end)
end)
