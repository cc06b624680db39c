-- Bash, readiness, failover state, passwords, the life cycle of the API: from a playbook's side.
local f5 = require "f5"
local lab = require "lab"
local program = require "program"

local fails <const> = lab.fails

local device, bip

local function setup() device, bip = lab.start() end

local function teardown() lab.stop(bip, device) end

local function environment(user, password)
  return lab.environment(device, { F5_USER = user or "admin", F5_PASSWORD = password or "admin" })
end

describe("G25 bash", function()
  before_each(setup)
  after_each(teardown)

  it("returns the output and the exit status", function()
    assert.same({ "hello world\n", 0 }, { bip:bash "echo hello world" })
    assert.same({ "", 0 }, { bip:bash "true" })
    assert.same({ "a b'c\n", 0 }, { bip:bash [[x="a b'c"; echo "$x"]] })
    assert.same({ "no newline", 0 }, { bip:bash [[printf "no newline"]] })
    assert.same({ "one\ntwo\n", 0 }, { bip:bash "echo one\necho two" })
    assert.matches("^Product: BIG%-IP\n", (bip:bash "cat /VERSION"))
  end)

  it("raises what fails, unless told not to", function()
    local err <const> = fails("task", bip.bash, bip, "cat /nope")
    assert.same({ 1, "cat: /nope: No such file or directory\n" }, { err.exit_status, err.output })
    assert.matches("ended with status 1: cat /nope\ncat: /nope: No such file", err.message)
    assert.same({ "early\n", 4 }, { bip:bash("echo early; exit 4; echo late", { check = false }) })
    local output, status = bip:bash("frob", { check = false })
    assert.matches("command not found", output)
    assert.equal(127, status)
    output, status = bip:bash("echo (", { check = false })
    assert.matches("syntax error", output)
    assert.is_true(status > 0)
    assert.matches(
      "unknown option 'chek'",
      fails("usage", bip.bash, bip, "true", { chek = false }).message
    )
    assert.matches("expected a command line", fails("usage", bip.bash, bip, 3).message)
  end)

  it("that was cut has an unknown outcome", function()
    device:fault { match = { path = "/util/bash" }, times = 1, kind = "timeout_exception" }
    assert.equal("unknown", fails("timeout", bip.bash, bip, "sleep 100").outcome)
  end)
end)

describe("a device that starts", function()
  before_each(setup)
  after_each(teardown)

  it("is ready or says why not", function()
    assert.is_true(bip:ready())
    device:restart { seconds = 30 }
    local ready, why = bip:ready()
    assert.is_false(ready)
    assert.matches("answers 503", why)
    device:advance(16)
    ready, why = bip:ready()
    assert.is_false(ready)
    assert.matches("answers 404", why)
    device:advance(16)
    assert.is_true(bip:ready())
  end)

  it("is waited for, through a reboot", function()
    bip.sys:run("reboot")
    local reasons = {}
    local seconds <const> = bip:wait_ready { interval = 0.06, progress = function(reason)
      reasons[#reasons + 1] = reason
      device:advance(4)
    end }
    assert.equal("float", math.type(seconds))
    local all <const> = table.concat(reasons, "\n")
    assert.matches("cannot connect", all)
    assert.matches("503", all)
    assert.matches("mcpd is initializing", all)
    assert.is_true(bip:ready())
    assert.is_true(#bip.ltm.pool:list() == 0)
  end)

  it("is waited for until an extension has registered its path", function()
    local path <const> = "/mgmt/shared/appsvcs/info"
    local function answer(status)
      device:clear_faults()
      device:fault {
        match = { path = path }, times = 99, status = status,
        body = { code = status, message = "Public URI path not registered: " .. path },
      }
    end
    answer(404)
    local reasons <const> = {}
    local function progress(reason)
      reasons[#reasons + 1] = reason
      answer(#reasons == 1 and 503 or 200)
    end
    bip:wait_ready { path = path, interval = 0.01, progress = progress }
    assert.same({ path .. " answers 404", path .. " answers 503" }, reasons)
    bip:wait_ready { path = { "/mgmt/shared/echo", path }, timeout = 0 }
    answer(404)
    local err = fails("timeout", bip.wait_ready, bip, { path = path, timeout = 0 })
    assert.matches(path .. " answers 404$", err.message)
    answer(403)
    fails("forbidden", bip.wait_ready, bip, { path = path, timeout = 5 })
    for _, wrong in ipairs { 5, { 5 }, "", { "" } } do
      err = fails("usage", function() return (bip:wait_ready { path = wrong }) end)
      assert.matches("operate_spec.lua:%d+: wait_ready: ", err.message)
    end
  end)

  it("is waited for until it goes away first", function()
    local looks = 0
    local fiber <const> = f5.spawn(function()
      return bip:wait_ready { down = 30, interval = 0.02, progress = function()
        looks = looks + 1
        device:advance(5)
      end }
    end)
    f5.sleep(0.2)
    assert.equal("running", fiber:status())
    device:restart { seconds = 20 }
    fiber:join()
    assert.is_true(looks > 0)
    bip:wait_ready { down = 0.05, interval = 0.02 } -- it does not go: it is ready
  end)

  it("is waited for no longer than was said", function()
    device:restart { seconds = 1000 }
    local err <const> = fails("timeout", bip.wait_ready, bip, { timeout = 0.1, interval = 0.02 })
    assert.matches("not ready after 0.1 s: .*answers 503", err.message)
    device:advance(1001)
  end)

  it("is not asked until it locks the user out", function()
    bip:at("auth/user/admin"):modify { password = "Other-1" }
    local state <const> = device:state()
    state.tokens.items = {}
    device:restore(state)
    device:clear_log()
    fails("auth", bip.wait_ready, bip, { timeout = 30, interval = 0.01 })
    local logins = 0
    for _, call in ipairs(device:log()) do logins = logins + (call.path:find "login" and 1 or 0) end
    assert.equal(5, logins)
    bip:close()
  end)

  it("says whether it is the active one", function()
    assert.equal("active", bip:failover_state())
    local state <const> = device:state()
    state.failover = "standby"
    device:restore(state)
    assert.equal("standby", bip:failover_state())
    device:fault {
      match = { path = "/bigip%-failover%-state" },
      times = 1,
      status = 404,
      body = { code = 404, message = "Object not found" },
    }
    assert.equal("standby", bip:failover_state())
  end)
end)

describe("G5 a password", function()
  before_each(setup)
  after_each(teardown)

  it("that has expired blocks everything but its change", function()
    local options <const> = device:options "operator"
    local operator <close> = f5.connect(options)
    assert.equal("operator", operator:username())
    device:control("expire_password", "operator")
    device:clear_log()
    local err <const> = fails("auth", function() operator.ltm.pool:list() end)
    assert.equal(401, err.status)
    assert.matches("Password expired", err.message)
    assert.matches("bip:change_password{ new = … }", err.message, 1, true)
    assert.equal(1, #device:log()) -- a new token would not help
    operator:change_password { new = "another-one" }
    assert.equal(0, #operator.ltm.pool:list())
  end)

  it("is what the session goes on with", function()
    bip:change_password { new = "another-one", old = "admin" }
    local state <const> = device:state()
    state.tokens.items = {}
    device:restore(state)
    assert.equal(0, #bip.ltm.pool:list())
    fails("auth", f5.connect, device:options "admin")
    local basic <close> = f5.connect {
      host = device.host, port = device.port, ca = device.ca, username = "admin",
      password = "another-one", auth = "basic",
    }
    basic:change_password { new = "a-third" }
    assert.equal(0, #basic.ltm.pool:list())
    bip:change_password { new = "a-fourth", user = "operator" }
    assert.matches("give the new password", fails("usage", bip.change_password, bip, {}).message)
    assert.matches(
      "unknown option 'password'",
      fails("usage", bip.change_password, bip, { new = "x", password = "y" }).message
    )
  end)

  it("that the policy refuses stays as it was", function()
    bip.auth["password-policy"]:modify {
      policyEnforcement = "enabled",
      minimumLength = 8,
      requiredNumeric = 1,
    }
    local err <const> = fails("invalid", bip.change_password, bip, { new = "short1" })
    assert.matches("Bad password", err.message)
    local state <const> = device:state()
    state.tokens.items = {}
    device:restore(state)
    assert.equal(0, #bip.ltm.pool:list())
  end)

  it("does not show when it is changed", function()
    local directory <close> = program.directory()
    local file <const> = directory:file("p.lua", [[
      local bip <close> = require("f5").connect()
      bip:change_password { new = "Secr3t-New" }
      print(pcall(bip.request, bip, "GET", "/mgmt/tm/Secr3t-New"))]])
    local result <const> = program.run({ "-vv", file }, { env = environment() })
    assert.equal(0, result.status)
    assert.is_nil((result.out .. result.err):find("Secr3t-New", 1, true))
    bip:close()
    bip = f5.connect {
      host = device.host, port = device.port, ca = device.ca, username = "admin",
      password = "Secr3t-New",
    }
  end)
end)

describe("G41 the life cycle of the API", function()
  before_each(setup)
  after_each(teardown)

  it("is told to the script, once a resource and status", function()
    local old <const> = bip.ltm.profile["ocsp-stapling-params"]
    bip.ltm.pool:list()
    assert.same({}, bip:api_status())
    old:list()
    old:list()
    bip.ltm.profile.fastl4:create { name = "f1", softwareSynCookie = "enabled" }
    assert.same({
      {
        status = "DEPRECATED_RESOURCE",
        path = "/mgmt/tm/ltm/profile/ocsp-stapling-params",
        method = "GET",
        count = 2,
      },
      {
        status = "DEPRECATED_PROPERTY", path = "/mgmt/tm/ltm/profile/fastl4", method = "POST",
        count = 1,
      },
    }, bip:api_status())
  end)

  it("is a warning of -v, once a resource and status", function()
    local chunk <const> =
      'local b <close> = require("f5").connect() for _ = 1, 3 do '
        .. 'b.ltm.profile["ocsp-stapling-params"]:list() end'
    local result <const> = program.run({ "-v", "-e", chunk }, { env = environment() })
    local _, count = result.err:gsub(
      "warning: the API status of /mgmt/tm/ltm/profile/ocsp%-stapling%-params is "
        .. "DEPRECATED_RESOURCE\n",
      ""
    )
    assert.equal(1, count)
    assert.equal("", program.run({ "-e", chunk }, { env = environment() }).err)
  end)

  it("has settings, and what is switched off is not there", function()
    local settings <const> = bip:at "/mgmt/shared/settings/api-status/availability"
    assert.equal("true", settings:load().deprecatedApiAllowed)
    settings:modify { deprecatedApiAllowed = "false" }
    local err <const> = fails(
      "not_found",
      function() bip.ltm.profile["ocsp-stapling-params"]:list() end
    )
    assert.equal(404, err.status)
    settings:modify { deprecatedApiAllowed = "true" }
    assert.equal(0, #bip.ltm.profile["ocsp-stapling-params"]:list())
    for _, page in ipairs { "log/resource", "log/resource-property" } do
      local log <const> = bip:at("/mgmt/shared/settings/api-status/" .. page)
      log:modify { deprecatedApiAllowed = "false" }
      assert.equal("false", log:load().deprecatedApiAllowed)
    end
  end)
end)

describe("G42 what a resource looks like", function()
  before_each(setup)
  after_each(teardown)

  it("is in its example", function()
    local pool <const> = bip.ltm.pool:example().items[1]
    assert.same({ "name", "partition", "subPath" }, pool.naturalKeyPropertyNames)
    assert.same({ "no", "yes" }, pool.allowNatEnums)
    assert.equal("round-robin", pool.loadBalancingMode)
    assert.equal("", pool.description)
  end)

  it("can be sent back to make one", function()
    local node <const> = bip.ltm.node:example().items[1]
    local copy <const> = { name = "made", address = "192.0.2.7" }
    for _, key in ipairs { "session", "ratio", "dynamicRatio", "connectionLimit" } do
      copy[key] = node[key]
    end
    bip.ltm.node:create(copy)
    assert.is_true(bip.ltm.node.made:exists())
  end)
end)

describe("G46 the calls", function()
  before_each(setup)
  after_each(teardown)

  it("are the same in -v and in the device's log, in the same order", function()
    device:clear_log()
    local result <const> = program.run({ "-v", "-e", [[
      local b <close> = require("f5").connect()
      b.ltm.pool:create { name = "a b" }
      b.ltm.pool["/Common/a b"]:modify { description = "x" }
      pcall(function() b.ltm.pool.nope:load() end)
      b:transaction(function(tx) tx(b.ltm.pool["/Common/a b"]):delete() end)
      b:bash "true"]] }, { env = environment() })
    assert.equal(0, result.status)
    local ours, theirs = {}, {}
    for method, path, status in result.err:gmatch "[%w%.:]+ (%u+) (%S+) (%d+) %d+ bytes" do
      ours[#ours + 1] = ("%s %s %s"):format(
        method,
        path:gsub("%%20", " "):gsub("tokens/.*", "tokens/"),
        status
      )
    end
    for _, call in ipairs(device:log()) do
      theirs[#theirs + 1] = ("%s %s %d"):format(
        call.method,
        call.path:gsub("%%20", " "):gsub("tokens/.*", "tokens/"),
        call.status
      )
    end
    assert.equal(9, #theirs)
    assert.same(theirs, ours)
  end)
end)
