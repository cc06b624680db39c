-- f5lua apply: users who may not begin a transaction, and devices that only the plan names.
local configuration = require "devices.configuration"
local f5 = require "f5"
local json = require "f5.json"
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"
local terminal = require "terminal"

local HEAD <const> = 'local f5 = require "f5"\nlocal bip <close> = f5.connect {}\n'
local CHANGE <const> = [[
bip.auth.partition["/T"]:create {}
bip.ltm.pool["/Common/a"]:create { monitor = "/Common/http" }
bip.ltm.pool["/Common/b"]:create {}
]]

describe("S5 apply without transactions", function()
  local device, place, bip, before

  before_each(function()
    device, bip = lab.start()
    place = program.directory()
    before = configuration.objects(device)
  end)
  after_each(function() lab.stop(bip, device, place) end)

  local function run(words, more)
    local env <const> = lab.environment(device, { XDG_STATE_HOME = place.path })
    for name, value in pairs(more or {}) do env[name] = value end
    return program.run(words, { env = env, directory = place.path })
  end

  local function plan(text)
    place:file("change.lua", HEAD .. (text or CHANGE))
    local made <const> = run { "plan", "-o", "change.plan", "change.lua" }
    assert.equal(0, made.status, made.err .. made.out)
  end

  local function refuse(status, message, of)
    (of or device):fault {
      match = { method = "POST", path = "^/mgmt/tm/transaction$" }, status = status, times = 99,
      body = { code = status, message = message },
    }
  end

  -- The writes but those of logins and tokens.
  local function writes(of)
    local list = {}
    for _, write in ipairs(lab.writes(of or device)) do
      if not write:find "/mgmt/shared/" then list[#list + 1] = write end
    end
    return list
  end

  for status, message in pairs {
    [401] = "Authorization failed: user=https://localhost/mgmt/shared/authz/users/ida "
      .. "resource=/mgmt/tm/transaction verb=POST uri:http://localhost:8100/mgmt/tm/transaction",
    [403] = "Operation is not supported for this user.",
    [404] = "Public URI path not registered",
    [501] = "no transactions",
  } do
    it("says that the device begins none, and sends nothing: " .. status, function()
      plan()
      refuse(status, message)
      device:clear_log()
      local done <const> = run { "apply", "change.plan" }
      assert.equal(3, done.status, done.out)
      assert.equal("", configuration.differences(device, before))
      for _, write in ipairs(writes()) do assert.equal("POST transaction", write) end
      assert.equal("[]\n", run({ "changes", "--output", "json" }).out)
      if status == 404 then return end -- the services of the device are not up: another message
      assert.matches("nothing was sent: the device does not begin a transaction for this user, "
        .. "and 2 of the 3 steps belong into one %(", done.err)
      assert.matches("--step-by-step sends each step by itself", done.err, 1, true)
    end)
  end

  it("sends each step by itself if it is told to", function()
    plan()
    refuse(403, "no")
    device:clear_log()
    local done <const> = run { "apply", "change.plan", "--step-by-step" }
    assert.equal(0, done.status, done.err .. done.out)
    assert.matches("3 steps sent", done.out)
    assert.same({ "POST auth/partition", "POST ltm/pool", "POST ltm/pool" }, writes())
    local undone <const> = run { "undo", "last" }
    assert.equal(0, undone.status, undone.err .. undone.out)
    assert.equal("", configuration.differences(device, before))
  end)

  it("keeps a record of what was sent before a step failed", function()
    plan()
    refuse(403, "no")
    device:fault { match = { method = "POST", path = "ltm/pool$" }, after = 1, kind = "validation" }
    local done <const> = run { "apply", "change.plan", "--step-by-step" }
    assert.equal(3, done.status, done.out)
    assert.matches("2 of 3 steps were sent and carried out; then:", done.out)
    assert.matches("2 writes in the change record", done.err)
    assert.equal(0, run({ "undo", "last" }).status)
    assert.equal("", configuration.differences(device, before))
  end)

  it("leaves nothing on the device for --confirm", function()
    plan()
    refuse(403, "no")
    device:clear_log()
    local done <const> = run { "apply", "change.plan", "--confirm", "1m" }
    assert.equal(3, done.status, done.out)
    assert.same({ "POST transaction" }, writes())
    assert.equal(0, run({ "apply", "change.plan", "--confirm", "1m", "--step-by-step" }).status)
    assert.is_true(bip.ltm.pool["/Common/b"]:exists())
    device:advance(120)
    assert.is_false(bip.ltm.pool["/Common/b"]:exists())
  end)

  it("asks a device only if there is a transaction in the plan", function()
    plan 'bip.ltm.pool["/Common/a"]:create {}\n'
    refuse(403, "no")
    assert.equal(0, run({ "apply", "change.plan" }).status)
  end)

  it("does not take a device that is busy for one that refuses", function()
    plan()
    refuse(503, "busy")
    local done <const> = run { "apply", "change.plan" }
    assert.equal(3, done.status)
    assert.is_nil(done.err:find "does not begin a transaction for this user")
    assert.equal("", configuration.differences(device, before))
  end)

  it("sends nothing to a fleet if one device refuses", function()
    local other <close> = sim.start { hostname = "other.example.net" }
    local lines = {}
    for i, one in ipairs { device, other } do
      lines[i] = ("{ name = 'd%d', host = '127.0.0.1', port = %d, ca = %q, username = 'admin', "
        .. "password = 'admin' }"):format(i, one.port, one.ca)
    end
    place:file("sites.lua", "return { devices = { " .. table.concat(lines, ", ") .. " } }")
    place:file("fleet.lua", CHANGE)
    assert.equal(0, run({
      "plan", "-o", "change.plan", "--inventory", "sites.lua", "fleet.lua",
    }).status)
    refuse(403, "no", other)
    device:clear_log()
    local done <const> = run { "apply", "change.plan", "--inventory", "sites.lua" }
    assert.equal(3, done.status, done.out)
    assert.matches("d2: forbidden: nothing was sent: the device does not begin", done.out)
    assert.equal("", configuration.differences(device, before))
    for _, write in ipairs(writes()) do assert.matches("transaction", write) end
  end)

  it("is an option of plan:apply", function()
    local made = bip:plan(function(twin)
      twin.ltm.pool["/Common/a"]:create {}
      twin.ltm.pool["/Common/b"]:create {}
    end)
    refuse(403, "no")
    local err <const> = lab.fails("forbidden", made.apply, made)
    assert.matches("nothing was sent: .*step_by_step = true sends each step by itself", err.message)
    assert.equal("", configuration.differences(device, before))
    local wrong, id = made:apply { step_by_step = true }
    assert.same({}, wrong)
    assert.is_true(f5.undo(id, { session = bip }).complete)
  end)
end)

describe("S5 apply, and a device that only the plan names", function()
  local device, place, bip, where

  setup(function()
    device, bip = lab.start()
    place = program.directory()
    where = ("%s:%d"):format(device.host, device.port)
    place:file("change.lua", ([[
local f5 = require "f5"
local bip <close> = f5.connect { host = %q, port = %d, label = "web" }
bip.ltm.pool["/Common/a"]:create {}
]]):format(device.host, device.port))
  end)
  teardown(function() lab.stop(bip, device, place) end)

  local function environment(more)
    local env <const> = lab.environment(device, {
      XDG_STATE_HOME = place.path .. "/state", XDG_CONFIG_HOME = place.path .. "/config",
    })
    env.F5_SERVER, env.F5_SERVER_PORT = nil, nil
    for name, value in pairs(more or {}) do env[name] = value end
    return env
  end

  local function run(words, more)
    return program.run(words, { env = environment(more), directory = place.path })
  end

  before_each(function()
    bip.ltm.pool["/Common/a"]:absent()
    os.remove(place.path .. "/change.plan")
    local made <const> = run { "plan", "-o", "change.plan", "change.lua" }
    assert.equal(0, made.status, made.err .. made.out)
    device:clear_log()
  end)

  local function is_refused(done)
    assert.equal(2, done.status, done.err .. done.out)
    assert.matches("the plan is not signed, .*and only the plan names "
      .. where:gsub("%p", "%%%0") .. ": nothing was sent there", done.err)
    assert.equal(0, #device:log())
  end

  it("sends no password there", function()
    is_refused(run { "apply", "change.plan" })
    is_refused(run({ "apply", "change.plan" }, { F5_SERVER = "bigip1.example.net" }))
    is_refused(run({ "apply", "change.plan" }, { F5_SERVER = device.host })) -- another port
    is_refused(run { "apply", "change.plan", "--yes" })
  end)

  for what, case in pairs {
    ["--host"] = { { "--host", "HOST" } },
    ["F5_SERVER"] = { {}, { "F5_SERVER" } },
    ["--inventory"] = { { "--inventory", "sites.lua" } },
    ["-p"] = { { "-p", "shop" } },
    ["--plan-hosts"] = { { "--plan-hosts" } },
  } do
    it("works with " .. what, function()
      place:file("sites.lua", ("return { devices = { { name = 'web', host = %q, port = %d, "
        .. "username = 'admin', password = 'admin', ca = %q } } }"):format(
          device.host, device.port, device.ca))
      assert.equal(0, run({ "profile", "add", "shop", "--host", where, "--force" }).status)
      local words, more = { "apply", "change.plan" }, {}
      for i, word in ipairs(case[1]) do words[i + 2] = word == "HOST" and where or word end
      if case[2] then
        more.F5_SERVER, more.F5_SERVER_PORT = device.host:upper(), tostring(device.port)
      end
      local done <const> = run(words, more)
      assert.equal(0, done.status, done.err .. done.out)
      assert.is_true(bip.ltm.pool["/Common/a"]:exists())
    end)
  end

  it("logs in to the device of a profile, not to that of the plan", function()
    local other <close> = sim.start { hostname = "other.example.net" }
    assert.equal(0, run({
      "profile", "add", "other", "--force", "--host", "127.0.0.1:" .. other.port, "--ca", other.ca,
    }).status)
    for _, words in ipairs { { "-p", "other" }, {} } do
      local done <const> = run({ "apply", "change.plan", table.unpack(words) }, {
        F5LUA_PROFILE = not words[1] and "other" or nil,
      })
      assert.equal(3, done.status, done.out)
      assert.matches("is not the device of the plan", done.err)
      assert.equal(0, #device:log())
    end
  end)

  it("works if the signature is checked", function()
    for _, command in ipairs {
      "openssl genpkey -algorithm ed25519 -out key.pem",
      "openssl pkey -in key.pem -pubout -out pub.pem",
    } do
      os.execute(("cd '%s' && %s 2>/dev/null"):format(place.path, command))
    end
    assert.equal(0, run({ "plan", "-o", "change.plan", "--sign", "key.pem", "change.lua" }).status)
    device:clear_log()
    is_refused(run { "apply", "change.plan" })
    assert.equal(0, run({ "apply", "change.plan", "--key", "pub.pem" }).status)
  end)

  it("is shown with its address, and asked for on a terminal", function()
    assert.matches("web at " .. where:gsub("%p", "%%%0"), run({ "show", "change.plan" }).out)
    for answer, sent in pairs { n = false, y = true } do
      local screen <close> = terminal.start({ "apply", place.path .. "/change.plan" }, {
        env = environment(), errors_too = true, columns = 160,
      })
      screen:expect("only the plan names " .. where, 20)
      assert.equal(0, #device:log())
      screen:enter(answer)
      screen:expect(sent and "1 step sent" or "nothing was sent", 20)
      assert.equal(sent and 0 or 1, screen.status())
      assert.equal(sent, bip.ltm.pool["/Common/a"]:exists())
      bip.ltm.pool["/Common/a"]:absent()
      device:clear_log()
    end
  end)

  it("is that of a change record of somebody else", function()
    assert.equal(0, run({ "apply", "change.plan", "--plan-hosts" }).status)
    local id <const> = json.decode(run({ "changes", "--output", "json" }).out)[1].id
    local own <const> = place.path .. "/state/f5lua/changes/" .. id
    os.execute(("cp '%s' '%s/theirs'"):format(own, place.path))
    device:clear_log()
    local done <const> = run { "undo", "./theirs" }
    assert.equal(2, done.status, done.out)
    assert.matches("only the file names " .. where:gsub("%p", "%%%0"), done.err)
    assert.equal(0, #device:log())
    assert.equal(0, run({ "undo", "./theirs", "--host", where, "--check" }).status)
    assert.equal(0, run({ "undo", own }).status)
    assert.is_false(bip.ltm.pool["/Common/a"]:exists())
  end)
end)
