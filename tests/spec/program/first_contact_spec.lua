-- The certificate of a device that no CA has signed: it is looked at before a password is asked
-- for, `f5lua trust` stores it, and another one is refused.
local lab = require "lab"
local lfs = require "lfs"
local markdown = require "markdown"
local program = require "program"
local sim = require "f5.sim"
local terminal = require "terminal"

local PAGE <const> = "docs/connecting.md"

local READ <const> = [[
local f5 = require "f5"
local bip <close> = f5.connect(load("return " .. (arg[1] or "{}"))())
print(f5.flat(bip.sys.version:load())[1].Product)
]]

describe("E1 first contact", function()
  local device, other

  setup(function()
    device = sim.start {}
    other = sim.start {}
  end)
  teardown(function() lab.stop(device, other) end)

  local function address(of) return ("%s:%d"):format((of or device).host, (of or device).port) end

  -- A user of her own, with her configuration.
  local function user()
    local place = program.directory()
    local self = { place = place, config = place.path .. "/config" }
    function self.env(more)
      local env = {
        XDG_CONFIG_HOME = self.config, F5_USER = "admin", F5_PASSWORD = "admin",
      }
      for name, value in pairs(more or {}) do env[name] = value or nil end
      return env
    end
    function self.f5lua(words, options)
      options = options or {}
      options.env = self.env(options.env)
      return program.run(words, options)
    end
    function self.read(given, options)
      return self.f5lua({ place:file("p.lua", READ), given }, options)
    end
    self.stored = ("%s/f5lua/trust/%s.pem"):format(self.config, address())
    return setmetatable(self, { __close = getmetatable(place).__close and function()
      getmetatable(place).__close()
    end })
  end

  -- The certificate as openssl sees it.
  local function openssl(of, what)
    local pipe <close> = assert(io.popen((
      "openssl s_client -connect %s </dev/null 2>/dev/null | openssl x509 -noout %s"
    ):format(address(of), what)))
    return pipe:read "a"
  end

  local function fingerprint_of(of)
    return openssl(of, "-fingerprint -sha256"):match "=(%S+)"
  end

  it("shows the certificate, and refuses without a terminal", function()
    local her <close> = user()
    device:clear_log()
    local result = her.f5lua { "trust", address() }
    assert.equal(2, result.status)
    assert.matches("Certificate of " .. address():gsub("%p", "%%%0") .. ":\n", result.out)
    assert.matches("subject +CN=localhost,O=f5lua simulated device\n", result.out)
    assert.matches("issuer +CN=f5lua simulated device CA", result.out)
    assert.matches("names +localhost, 127.0.0.1", result.out)
    assert.matches("valid +%d%d%d%d%-%d%d%-%d%d [%d:]+ UTC to %d", result.out)
    assert.is_truthy(result.out:find(fingerprint_of(), 1, true))
    assert.matches("No CA of this system vouches for it: unable to get local issuer", result.out)
    assert.matches("there is no terminal to ask on: .*%-%-fingerprint or %-%-yes", result.err)
    assert.is_nil(lfs.attributes(her.stored))
    assert.same({}, device:log()) -- nothing was sent
  end)

  it("stores it for this host and port, for its user only", function()
    local her <close> = user()
    local before = her.read(("{ host = %q }"):format(address()))
    assert.equal(3, before.status)
    assert.matches(
      "hint: 'f5lua trust " .. address():gsub("%p", "%%%0") .. "' shows the certificate", before.err
    )
    assert.matches("F5_VALIDATE_CERTS=no", before.err)

    local result = her.f5lua { "trust", address(), "--yes" }
    assert.equal(0, result.status, result.err)
    assert.matches("trusted for " .. address():gsub("%p", "%%%0") .. "\n$", result.out)
    assert.equal("rw-------", lfs.attributes(her.stored, "permissions"))
    assert.equal("rwx------", lfs.attributes(her.config .. "/f5lua/trust", "permissions"))
    assert.equal("rwx------", lfs.attributes(her.config .. "/f5lua", "permissions"))

    local after = her.read(("{ host = %q }"):format(address()))
    assert.equal(0, after.status, after.err)
    assert.equal("BIG-IP\n", after.out)
    local one_line = her.f5lua { "list", "ltm/pool", "-H", address(), "--output", "json" }
    assert.equal(0, one_line.status, one_line.err)
    -- another name, and another port, is another device
    local named = her.read(("{ host = \"localhost:%d\" }"):format(device.port))
    assert.equal(3, named.status)
    assert.equal(3, her.read(("{ host = %q }"):format(address(other))).status)
    assert.equal(0, her.f5lua({ "trust", address() }).status) -- nothing to ask
  end)

  it("refuses a changed certificate with both fingerprints", function()
    local her <close> = user()
    assert.equal(0, her.f5lua({ "trust", address(), "--yes" }).status)
    local old, new = fingerprint_of(device), fingerprint_of(other)
    -- the same host and port, and another key
    local stored = her.stored:gsub(":%d+%.pem$", (":%d.pem"):format(other.port))
    assert(os.rename(her.stored, stored))
    other:clear_log()
    local result = her.read(("{ host = %q }"):format(address(other)))
    assert.equal(3, result.status)
    assert.is_truthy(
      result.err:find(
        ("the certificate has changed: SHA-256 %s, but trusted is %s"):format(new, old), 1, true
      ),
      result.err
    )
    assert.matches("hint: somebody may pose as the device: send no password", result.err)
    assert.same({}, other:log())
    -- its own CA does not help, unless the script names it
    assert.equal(0, her.read(("{ host = %q, ca = %q }"):format(address(other), other.ca)).status)

    local shown = her.f5lua { "trust", address(other), "--yes" }
    assert.equal(1, shown.status)
    assert.matches("WARNING: THE CERTIFICATE HAS CHANGED", shown.out)
    assert.is_truthy(shown.out:find(old, 1, true) and shown.out:find(new, 1, true))
    assert.matches("%-%-yes is not enough", shown.err)
    assert.equal(3, her.read(("{ host = %q }"):format(address(other))).status)
    local wrong = her.f5lua { "trust", address(other), "--fingerprint", old }
    assert.equal(1, wrong.status)
    assert.matches("this is not the certificate with the given fingerprint", wrong.err)
    local digits <const> = new:lower():gsub(":", "")
    local right = her.f5lua { "trust", address(other), "--fingerprint", digits }
    assert.equal(0, right.status, right.err)
    assert.equal(0, her.read(("{ host = %q }"):format(address(other))).status)
  end)

  it("refuses a device that came back with another key", function()
    local her <close> = user()
    local host
    -- The second time on the port that the first one was given.
    local function with_device(fn)
      local port <const> = host and host:match ":(%d+)$" or "0"
      local process <close> = program.start({ "sim", "--port", port }, {})
      host = process:expect "simulated BIG%-IP at https://([%d.:]+)"
      fn()
      process:kill "TERM"
      process:wait()
    end
    with_device(function()
      assert.equal(0, her.f5lua({ "trust", host, "--yes" }).status)
      assert.equal(0, her.read(("{ host = %q }"):format(host)).status)
    end)
    with_device(function()
      local result = her.read(("{ host = %q }"):format(host))
      assert.equal(3, result.status)
      assert.matches("the certificate has changed", result.err)
    end)
  end)

  it("lists and removes", function()
    local her <close> = user()
    assert.matches("no certificates are trusted", her.f5lua({ "trust", "--list" }).out)
    her.f5lua { "trust", address(), "--yes" }
    her.f5lua { "trust", address(other), "--yes", "--output", "json" }
    local list = her.f5lua { "trust", "--list" }
    assert.equal(0, list.status, list.err)
    assert.is_truthy(list.out:find(fingerprint_of(device), 1, true))
    assert.is_truthy(list.out:find(fingerprint_of(other), 1, true))
    local head, one, another = list.out:match "^(.-)\n(.-)\n(.-)\n$"
    assert.matches("^address +subject +ends +fingerprint$", head)
    assert.equal(one:find "CN=", head:find "subject")
    assert.equal(another:find "CN=", head:find "subject")
    local json = her.f5lua { "trust", "--list", "--output", "json" }
    assert.equal(2, #require("f5.json").decode(json.out))
    assert.equal(0, her.f5lua({ "trust", "--remove", address() }).status)
    local again = her.f5lua { "trust", "--remove", address() }
    assert.equal(1, again.status)
    assert.matches("no certificate of .* is trusted", again.err)
    assert.equal(3, her.read(("{ host = %q }"):format(address())).status)
  end)

  it("does not use what others may have written", function()
    local her <close> = user()
    her.f5lua { "trust", address(), "--yes" }
    local function refused(why)
      local result = her.read(("{ host = %q }"):format(address()))
      assert.equal(1, result.status)
      assert.matches("the trusted certificate of .* cannot be used: .*" .. why, result.err)
    end
    assert(os.execute("chmod g+w " .. her.stored))
    refused "others can write .*%.pem: chmod go%-w it"
    assert(os.execute("chmod g-w " .. her.stored))
    assert(os.execute(("chmod o+w %s/f5lua/trust"):format(her.config)))
    refused "others can write .*/trust: chmod"
    assert(os.execute(("chmod o-w %s/f5lua/trust"):format(her.config)))
    assert(os.execute(("mv %s %s.real && ln -s %s.real %s"):format(
      her.stored, her.stored, her.stored, her.stored
    )))
    refused "is a link"
    -- and `f5lua trust` repairs that
    local repaired = her.f5lua { "trust", address(), "--yes" }
    assert.equal(0, repaired.status, repaired.err)
    assert.matches("The certificate stored before cannot be used", repaired.out)
    assert.equal(0, her.read(("{ host = %q }"):format(address())).status)
    her.place:file("junk", "no certificate")
    assert(os.execute(("cp %s/junk %s"):format(her.place.path, her.stored)))
    refused "contains no certificate"
  end)

  it("is as the page says", function()
    local her <close> = user()
    local lines = 0
    for _, block in ipairs(markdown.blocks(PAGE, "sh")) do
      for line in block.text:gmatch "[^\n]+" do
        lines = lines + 1
        local words = {}
        for word in line:gsub("bigip1%.example%.net", address()):gmatch "%S+" do
          words[#words + 1] = word
        end
        assert.equal("f5lua", table.remove(words, 1))
        local result = her.f5lua(words)
        assert.equal(lines == 1 and 2 or 0, result.status, line .. "\n" .. result.err)
      end
    end
    assert.is_true(lines >= 5)
  end)

  it("says what is wrong", function()
    local her <close> = user()
    local function wrong(words, status, message)
      local result = her.f5lua(words)
      assert.equal(status, result.status, result.err)
      assert.matches(message, result.err)
    end
    wrong({ "trust" }, 2, "no device given; name one, or set F5_SERVER")
    wrong({ "trust", "--list", "--remove" }, 2, "give one of %-%-list and %-%-remove")
    wrong({ "trust", "a b" }, 2, "invalid host 'a b'")
    wrong({ "trust", "bigip1:0" }, 2, "invalid port")
    wrong({ "trust", address(), "--fingerprint", "AB:CD" }, 2, "64 hexadecimal digits")
    wrong({ "trust", "127.0.0.1:1", "--yes" }, 3, "cannot connect to 127.0.0.1:1")
    local no_home = program.run({ "trust", address(), "--yes" }, { env = { HOME = "" } })
    assert.equal(1, no_home.status)
    assert.matches("neither XDG_CONFIG_HOME nor HOME is set", no_home.err)
    local full = program.run(
      { "trust", address(), "--yes" }, { env = { XDG_CONFIG_HOME = "/dev/null/x" } }
    )
    assert.equal(1, full.status)
    assert.matches("cannot store the certificate: .*Not a directory", full.err)
  end)

  it("names the right pin", function()
    local her <close> = user()
    local pin = her.f5lua({ "trust", address(), "--show" }).out:match "pin +(sha256//%S+)"
    local function connect(given)
      return her.read(
        ("{ host = %q, verify = false, pin = %q }"):format(address(), given)
      )
    end
    assert.equal(0, connect(pin).status)
    local wrong = connect("sha256//" .. ("A"):rep(43) .. "=")
    assert.equal(3, wrong.status)
    assert.is_truthy(wrong.err:find("; the device has " .. pin, 1, true), wrong.err)
  end)

  it("is before the password", function()
    local her <close> = user()
    device:clear_log()
    local words = { "get", "-H", address(), "-u", "admin", "sys/version" }
    local env = { XDG_CONFIG_HOME = her.config }
    do
      local screen <close> = terminal.start(words, { env = env, errors_too = true, columns = 200 })
      local _, shown = screen:expect("hint: 'f5lua trust", 30)
      assert.equal(3, screen:status())
      assert.is_nil(shown:find "Password")
      assert.same({}, device:log())
    end
    do -- a user who types
      local screen <close> = terminal.start(
        { "trust", address() }, { env = env, errors_too = true, columns = 200 }
      )
      screen:expect("Trust this certificate for this device%? %(yes/no%) *$", 30)
      screen:enter "what?"
      screen:expect("what%?\nTrust this certificate for this device%? %(yes/no%) *$")
      screen:enter "yes"
      screen:expect "trusted for "
      assert.equal(0, screen:status())
    end
    do
      local screen <close> = terminal.start(words, { env = env, errors_too = true })
      screen:expect("Password for admin on 127.0.0.1: *$", 30)
      screen:enter "admin"
      assert.equal(0, screen:status())
    end
    her.f5lua { "trust", "--remove", address() }
    do
      local screen <close> = terminal.start(
        { "trust", address() }, { env = env, errors_too = true, columns = 200 }
      )
      screen:expect("%(yes/no%) *$", 30)
      screen:enter "no"
      screen:expect "not trusted"
      assert.equal(1, screen:status())
      assert.is_nil(lfs.attributes(her.stored))
    end
  end)
end)
