-- f5.connect { wait = SECONDS }: a device that restarts is tried until it lets us in; what will not
-- pass is not waited out.
local core = require "f5.core"
local f5 = require "f5"
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"

describe("f5.connect with wait", function()
  local device, options

  before_each(function()
    device = sim.start {}
    options = device:options "admin"
    options.retries = 0
    options.wait = 20
  end)
  after_each(function() device:stop() end)

  local function with(more)
    local all = {}
    for _, from in ipairs { options, more or {} } do
      for name, value in pairs(from) do all[name] = value end
    end
    return all
  end

  local function fails(kind, given)
    local began = core.now()
    local ok, err = f5.try(f5.connect, given)
    assert.is_false(ok)
    assert.equal(kind, err.kind, tostring(err))
    return err, core.now() - began
  end

  local function logins()
    local count = 0
    for _, call in ipairs(device:log()) do count = count + (call.path:find "/login$" and 1 or 0) end
    return count
  end

  it("goes through a reboot", function()
    device:reboot { seconds = 2.4 }
    fails("transport", with { wait = 0 })
    local bip <close> = f5.connect(with())
    assert.is_number(bip:expires_in())
  end)

  it("tries as often as it must, and calls after it as often as they may", function()
    for _, kind in ipairs {
      "restarting", "bad_gateway", "worker_down", "not_registered", "busy", "internal", "mcpd_lost",
    } do
      device:fault { match = { path = "/login$" }, times = 2, kind = kind }
      f5.connect(with { retries = { count = 0, delay = 0.01 } }):close()
    end
    device:fault { match = { path = "/login$" }, times = 2, reset = true }
    local bip <close> = f5.connect(with { retries = { count = 0, delay = 0.01 } })
    device:fault { match = { path = "/ltm/pool" }, times = 2, kind = "restarting" }
    local ok, err = f5.try(function() bip.ltm.pool:list() end)
    assert.same({ false, "not_ready", 1 }, { ok, err.kind, err.attempts })
  end)

  it("ends when the time is over, also in the midst of an answer", function()
    device:fault { match = { path = "/login$" }, times = 99, kind = "restarting" }
    local err, seconds =
      fails("not_ready", with { wait = 0.5, retries = { count = 0, delay = 0.05 } })
    assert.matches("^not up after 0%.5 s: Configuration Utility restarting", err.message)
    assert.is_true(err.attempts > 2)
    assert.is_true(seconds < 10, seconds)
    device:clear_faults()
    device:fault { match = { path = "/login$" }, delay_ms = 10000 }
    err, seconds = fails("timeout", with { wait = 1.2 })
    assert.matches("^not up after 1%.2 s: no answer from .* in time", err.message)
    assert.is_true(seconds < 8, seconds)
  end)

  it("does not wait for a password, a certificate or a name to become right", function()
    local refused = {
      auth = with { password = "wrong" },
      tls = with { ca = "/etc/ssl/certs/ca-certificates.crt" },
      transport = with { host = "nowhere.invalid" },
    }
    for kind, given in pairs(refused) do
      device:clear_log()
      local err, seconds = fails(kind, given)
      assert.equal(1, err.attempts)
      assert.is_true(seconds < 5)
      assert.is_true(logins() <= 1)
      assert.falsy(err.message:find "not up")
    end
    device:fault { match = { path = "/login$" }, status = 302, headers = { Location = "/tmui/" } }
    fails("protocol", with())
    for _, given in ipairs {
      { auth = "basic" }, { token = "T", username = false, password = false },
    } do
      local wrong = with(given)
      if given.token then
        wrong.username, wrong.password = nil, nil
      end
      assert.matches(
        "option 'wait' waits for the login, but .* does not log in: use bip:wait_ready%(%)$",
        fails("usage", wrong).message
      )
    end
  end)

  it("shows each attempt with -v, and ends at once with a signal", function()
    device:fault { match = { path = "/login$" }, times = 99, kind = "restarting" }
    local place <close> = program.directory()
    local env = lab.environment(device)
    local process <close> = program.start(
      {
        "-v", place:file("p.lua", "require('f5').connect { wait = 300, retries = { delay = 60 } }"),
      },
      { env = env }
    )
    process:expect "is not up; retrying for 300 s"
    process:expect "POST /mgmt/shared/authn/login 503 %d+ bytes %d+ ms\n"
    local before = core.now()
    process:kill "INT"
    assert.equal(130, process:wait(10).status)
    assert.is_true(core.now() - before < 10)
    assert.equal(1, logins())
  end)
end)
