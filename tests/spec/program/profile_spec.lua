-- Profiles, and how the console connects to devices.
local lab = require "lab"
local lfs = require "lfs"
local program = require "program"
local sim = require "f5.sim"

local READ <const> = [[
local f5 = require "f5"
local bip <close> = f5.connect(load("return " .. (arg[1] or "nil"))())
print(bip:label(), f5.flat(bip.sys.version:load())[1].Product)
]]

describe("E1 profiles", function()
  local device, place, number = nil, nil, 0

  setup(function()
    device = sim.start {}
    place = program.directory()
    place:file("p.lua", READ)
  end)
  teardown(function() lab.stop(device, place) end)
  before_each(function() number = number + 1 end)

  local function config() return ("%s/config%d"):format(place.path, number) end

  local function f5lua(words, env, input)
    local variables = { XDG_CONFIG_HOME = config() }
    for name, value in pairs(env or {}) do variables[name] = value end
    return program.run(words, { env = variables, input = input })
  end

  local function ok(words, env, input)
    local result = f5lua(words, env, input)
    assert.equal(0, result.status, result.err)
    return result.out
  end

  local function add(...)
    return ok {
      "profile", "add", "lab", "--host", device.host, "--port", tostring(device.port),
      "--user", "admin", ...,
    }
  end

  local function wrong(words, status, message, env)
    local result = f5lua(words, env)
    assert.equal(status, result.status, result.err)
    assert.matches(message, result.err)
  end

  it("are used wherever a device is named", function()
    add("--ca", device.ca, "--password-command", "echo admin")
    local file <const> = place.path .. "/p.lua"
    local expected <const> = "lab\tBIG-IP\n"
    assert.equal(expected, ok { file, '{ profile = "lab" }' })
    assert.equal(expected, ok { "run", "-p", "lab", file })
    assert.equal(expected, ok({ file }, { F5LUA_PROFILE = "lab", F5_SERVER = "127.0.0.1:1" }))
    assert.matches("Common", ok { "list", "auth/partition", "-p", "lab", "--output", "json" })
    assert.equal(
      "15\n", ok({ "console", "-p", "lab" }, nil, "#bip.ltm.pool:list() + 15\n")
    )
    -- a host that is named is another device
    wrong({ file, '{ host = "127.0.0.1:1" }' }, 1, "no user name for", { F5LUA_PROFILE = "lab" })
    wrong({ file, '{ host = "x", profile = "lab" }' }, 1, "the device is given twice")
    assert.equal("lab\tBIG-IP\n", ok { "run", "--check", "-p", "lab", file }:match "^lab[^\n]*\n")
  end)

  it("are devices of inventories", function()
    add("--ca", device.ca, "--password-command", "echo admin")
    local function run(text, status)
      local inventory <const> = place:file("i.lua", text)
      local result <const> = f5lua {
        "--inventory", inventory, "-e", "return function(bip, one) return bip:label() end",
      }
      assert.equal(status, result.status, result.out .. result.err)
      return result.out .. result.err
    end
    assert.matches("lab .*done.* lab\n", run([[return { devices = { { profile = "lab" } } }]], 0))
    assert.matches("edge .*done.* edge\n", run([[return {
      defaults = { username = "nobody", password = "wrong", ca = "/nowhere" },
      groups = { g = { password_env = "UNSET_VARIABLE" } },
      devices = { { name = "edge", profile = "lab", groups = { "g" } } },
    }]], 0))
    -- the password of the profile is for its user only
    assert.matches("no password for", run([[return {
      devices = { { profile = "lab", username = "operator" } },
    }]], 1))
    assert.matches("i.lua:2: device 'x' is given twice", run([[return { devices = {
      { host = "x", profile = "lab" } } }]], 2))
    assert.matches("there is no profile 'lob' %(did you mean 'lab'", run([[return {
      devices = { { profile = "lob" } } }]], 2))
    for _, text in ipairs {
      [[return { defaults = { profile = "lab" }, devices = { "a" } }]],
      [[return { groups = { g = { profile = "lab" } }, devices = { "a" } }]],
    } do
      assert.matches("a profile is one device", run(text, 2))
    end
  end)

  it("are named where a host can be named", function()
    add("--ca", device.ca, "--password-command", "echo admin")
    local snapshot <const> = place.path .. "/lab.json"
    ok { "snapshot", "profile:lab", "ltm/pool", "-o", snapshot }
    ok { "diff", "profile:lab", snapshot, "ltm/pool" }
    local plan <const> = place.path .. "/p.plan"
    ok { "plan", "--host", "profile:lab", "--to", snapshot, "-o", plan, "ltm/pool" }
    local list <const> = { "list", "auth/partition", "-H", "profile:lab", "--output", "json" }
    assert.matches("Common", ok(list))
    assert.equal("15\n", ok({ "console", "profile:lab" }, nil, "#bip.ltm.pool:list() + 15\n"))
    assert.matches("127.0.0.1:", ok { "trust", "profile:lab", "--show" })
    wrong({ "diff", "profile:lab", "profile:lob" }, 2, "there is no profile 'lob'")
    wrong({ "list", "ltm/pool", "-H", "profile:lab", "-p", "lab" }, 2, "the device is given twice")
    wrong({ "list", "ltm/pool", "-H", "profile:" }, 2, "'' cannot be the name of a profile")
  end)

  it("are devices of twins", function()
    add("--ca", device.ca, "--password-command", "echo admin")
    for _, words in ipairs { { "--twin", "-p", "lab" }, { "--twin", "profile:lab" } } do
      local process <close> = program.start(
        { "sim", "--port", "0", table.unpack(words) }, { env = { XDG_CONFIG_HOME = config() } }
      )
      process:expect "twin of lab at https://127"
    end
    wrong({ "sim", "-p", "lab" }, 2, "%-%-profile needs %-%-twin")
    wrong({ "sim", "--twin", "x", "-p", "lab" }, 2, "the device is given twice")
    wrong({ "sim", "--twin", "-p", "lob" }, 2, "did you mean 'lab'%?%); there is lab\n")
    wrong({ "sim", "--twin" }, 2, "%-%-twin: no device given")
  end)

  it("that do not exist are wrong usage, with those that do", function()
    wrong({ "list", "ltm/pool", "-p", "lab" }, 2,
      "no profile 'lab'; there are none, 'f5lua profile add NAME %-%-host HOST' adds one")
    add()
    ok { "profile", "add", "prod", "--host", "10.0.0.1" }
    for _, words in ipairs {
      { "sim", "--twin", "-p", "x" }, { "trust", "-p", "x" }, { "snapshot", "-p", "x", "-o", "y" },
      { "diff", "profile:x", "a.json" }, { "-p", "x", "p.lua" },
      { "upload", place.path .. "/p.lua", "-p", "x" }, { "list", "ltm/pool", "-p", "x" },
      { "declare", "--show", "-p", "x" }, { "task", "list", "-p", "x" },
    } do
      wrong(words, 2, "there is no profile 'x'; there are lab, prod")
    end
    wrong({ "trust", "h", "-p", "lab" }, 2, "the device is given twice: as h and by %-%-profile")
    wrong({ "list", "x", "-p", "lab", "-p", "prod" }, 2, "%-p is given twice; give it once")
    wrong({ "trust", "--list", "-p", "lab" }, 2, "%-%-list needs no host")
    assert.matches("fingerprint", ok { "trust", "--show", "-p", "lab" })
  end)

  it("without more open the console on a terminal", function()
    add("--ca", device.ca, "--password-command", "echo admin")
    wrong({ "-p", "lab" }, 2, "or %- for standard input; 'f5lua console %-p lab' opens")
    local screen <close> = require("terminal").start({ "-p", "lab" }, {
      columns = 80, env = { XDG_CONFIG_HOME = config() },
    })
    screen:expect "%(active%)>"
    screen:enter("#bip.ltm.pool:list() + 41", "\n41\n")
    wrong({ "-p", "lab", "--check" }, 2, "no playbook given")
  end)

  it("are listed in columns", function()
    add()
    ok { "profile", "add", "a-much-longer-name", "--host", "10.0.0.1", "--port", "8443", "--pin",
      "sha256//" .. ("A"):rep(43) .. "=", "--password-env", "LAB_PASSWORD" }
    local head, one, other = ok({ "profile", "list" }):match "^(.-)\n(.-)\n(.-)\n$"
    assert.matches("^name +host +user +certificate +login$", head)
    assert.matches("^a%-much%-longer%-name +10.0.0.1:8443 +pin +$LAB_PASSWORD$", one)
    assert.matches("^lab +127.0.0.1:%d+ +admin", other)
    assert.equal(one:find("10.0.0.1", 1, true), other:find("127.0.0.1", 1, true))
  end)

  it("are completed by name", function()
    add()
    assert.equal("lab\n", ok { "profile", "list", "--output", "names" })
    wrong({ "profile", "show", "lab", "--output", "names" }, 2, "%-%-output names is for list")
    for shell, text in pairs {
      bash = "%-W \"%$%(f5lua profile list", zsh = "%-%-profile}[^\n]*:_f5lua_profiles",
      fish = "%-l profile %-xa '%(f5lua profile list",
    } do
      assert.matches(text, ok { "completions", shell })
    end
  end)

  it("hold no password, and are for their user only", function()
    add("--ca", device.ca, "--password-env", "LAB_PASSWORD")
    local path <const> = config() .. "/f5lua/profiles/lab.json"
    assert.equal("rw-------", lfs.attributes(path, "permissions"))
    assert.equal("rwx------", lfs.attributes(config() .. "/f5lua/profiles", "permissions"))
    local words <const> = { "list", "auth/partition", "-p", "lab" }
    ok(words, { LAB_PASSWORD = "admin" })
    wrong(words, 2, "the variable LAB_PASSWORD, which the profile 'lab' names, is not set")
    -- another user does not get the profile's password
    local other <const> = { "list", "auth/partition", "-p", "lab", "-u", "operator" }
    wrong(other, 2, "no password for", { LAB_PASSWORD = "admin" })
    assert(os.execute("chmod o+w " .. path))
    local env <const> = { LAB_PASSWORD = "admin" }
    wrong(words, 2, "the profile 'lab' cannot be used: others can write", env)
  end)

  it("check the certificate as they say", function()
    local words <const> = { "list", "auth/partition", "-p", "lab" }
    local env <const> = { F5_PASSWORD = "admin" }
    local pin <const> =
      ok({ "trust", device.host .. ":" .. device.port, "--show" }):match "pin +(sha256//%S+)"
    add()
    wrong(words, 3, "hint: 'f5lua trust", env)
    add("--force", "--pin", pin)
    ok(words, env)
    add("--force", "--pin", "sha256//" .. ("A"):rep(43) .. "=")
    wrong(words, 3, "the device has sha256//", env)
    add("--force", "--no-verify")
    ok(words, env)
    -- a command that fails, or prints nothing
    add("--force", "--no-verify", "--password-command", "exit 3")
    wrong(words, 2, "the password command failed with status 3")
    add("--force", "--no-verify", "--password-command", "true")
    wrong(words, 2, "the password command printed nothing")
    -- it is not run for a simulated device
    local marker <const> = place.path .. "/ran"
    add("--force", "--password-command", "touch " .. marker .. "; echo x")
    assert.equal("lab\tBIG-IP\n", ok {
      "run", "--sim", place.path .. "/p.lua", '{ profile = "lab" }',
    })
    assert.is_nil(lfs.attributes(marker))
  end)

  it("take the first line of a command, whatever else it does", function()
    local words <const> = { "list", "auth/partition", "-p", "lab", "--output", "json" }
    local function set(command)
      add("--force", "--ca", device.ca, "--password-command", command)
    end
    for _, command in ipairs {
      [[printf 'admin\nsecond line\n']], [[printf 'admin\r\n']], "yes admin", "read x; echo admin",
      "printf admin; exec >&-", "echo admin; sleep 30 2>/dev/null </dev/null &",
    } do
      set(command)
      ok(words)
    end
    for command, message in pairs {
      ["kill -9 $$"] = "failed with status 137", ["no-such-command"] = "failed with status 127",
      ["echo >&2 why; exit 4"] = "why\n.*failed with status 4",
      ["echo; echo admin"] = "printed nothing", [ [[printf 'ad\0min']] ] = "printed a zero byte",
      ["yes | tr -d '\\n' | head -c 2000"] = "has more than 1023 bytes",
    } do
      set(command)
      wrong(words, 2, message)
    end
  end)

  it("are checked when they are made", function()
    local function refused(message, ...)
      wrong({ "profile", "add", "new", "--host", "h", ... }, 2, message)
    end
    refused("%-%-pin must be sha256//DIGEST", "--pin", "AB:CD")
    refused("%-%-pin must be sha256//DIGEST", "--pin", "sha256//" .. ("A"):rep(43) .. "=;x")
    refused("cannot read /nowhere: ", "--ca", "/nowhere")
    refused("%-%-user is empty", "--user", " ")
    refused("%-%-password%-command is empty", "--password-command", "")
    refused("must be the name of a variable, not 'A=B'", "--password-env", "A=B")
    for _, name in ipairs { "a b", "..", ".x", "é", "a\nb", "a*", "", ("x"):rep(65) } do
      wrong({ "profile", "add", name, "--host", "h" }, 2, "cannot be the name of a profile")
    end
  end)

  it("are listed, shown and removed; wrong words are named", function()
    assert.matches("no profiles", ok { "profile", "list" })
    add()
    assert.matches(("\nlab +127.0.0.1:%d +admin\n$"):format(device.port), ok { "profile", "list" })
    assert.matches("host +127.0.0.1\n", ok { "profile", "show", "lab" })
    wrong({ "profile", "add", "lab", "--host", "x" }, 2, "there is a profile 'lab' already")
    wrong({ "profile", "add", "new" }, 2, "no device given: %-%-host HOST")
    wrong({ "profile", "add", "../x", "--host", "x" }, 2, "cannot be the name of a profile")
    wrong({ "profile", "add", "n", "--host", "x", "--ca", "a.pem" }, 2, "an absolute path")
    wrong({ "list", "ltm/pool", "-p", "lob" }, 2, "no profile 'lob' %(did you mean 'lab'%?%)")
    ok { "profile", "remove", "lab" }
    wrong({ "profile", "remove", "lab" }, 1, "there is no profile 'lab'")
  end)

  it("and devices are named in the console", function()
    local env <const> = { F5_USER = "admin", F5_PASSWORD = "admin" }
    local where <const> = device.host .. ":" .. device.port
    local function console(line)
      return f5lua({ "console" }, env, line .. "\n#bip.ltm.pool:list()\n")
    end
    for _, words in ipairs { "--no-verify", "--ca " .. device.ca } do
      local result = console((".connect %s %s"):format(where, words))
      assert.equal(0, result.status, result.err .. result.out)
      assert.matches("bip is 127.0.0.1", result.out)
    end
    assert.matches("it is .connect HOST", console(".connect x --nope y").out)
    local result = f5lua(
      { "console" }, env,
      ("bip = f5.connect { host = %q, ca = %q }\n.devices\n.save %s/saved%d.lua\n"):format(
        where, device.ca, place.path, number
      )
    )
    assert.equal(0, result.status, result.err .. result.out)
    assert.matches("%*.*127.0.0.1", result.out) -- the current one
  end)
end)
