-- rotate-certificate.lua against simulated devices, run as an operator runs it.
local f5 = require "f5"
local program = require "program"
local sim = require "f5.sim"

local PAIR <const> = [[-----BEGIN CERTIFICATE-----
MIIB
-----END CERTIFICATE-----
]]
local KEY <const> = PAIR:gsub("CERTIFICATE", "PRIVATE KEY")

describe("rotate-certificate.lua", function()
  local device, directory, cert, key
  before_each(function()
    device = sim.start { seed = { objects = {
      ["/mgmt/tm/sys/file/ssl-cert"] = { { name = "www.crt" } }, ["/mgmt/tm/sys/file/ssl-key"] = { { name = "www.key" } },
      ["/mgmt/tm/ltm/profile/client-ssl"] = { { name = "www", certKeyChain = { { name = "www", cert = "/Common/www.crt", key = "/Common/www.key" } } } },
    } } }
    directory = program.directory()
    cert, key = directory:file("new.crt", PAIR), directory:file("new.key", KEY)
  end)
  after_each(function()
    assert.equal(0, device:problems())
    assert.is_nil(next(device:state().tokens.items))
    device:stop()
    getmetatable(directory).__close()
  end)

  local function rotate(words, environment)
    local env = { F5_SERVER = device.host, F5_SERVER_PORT = device.port, F5_USER = "admin", F5_PASSWORD = "admin", SSL_CERT_FILE = device.ca }
    for name, value in pairs(environment or {}) do env[name] = value end
    return program.run({ "scripts/playbooks/rotate-certificate.lua", table.unpack(words) }, { env = env })
  end

  local function revisions()
    local bip <close> = f5.connect(device:options "admin")
    local files <const> = bip.sys.file
    return files["ssl-cert"]["/Common/www.crt"]:load().revision, files["ssl-key"]["/Common/www.key"]:load().revision
  end

  -- What is left of uploads on the device's disk.
  local function left_behind()
    local found = {}
    for path in pairs(device:state().disk) do
      if path:find "^/var/config/rest/downloads/" then found[#found + 1] = path end
    end
    return found
  end

  local function calls(method, pattern)
    local count = 0
    for _, call in ipairs(device:log()) do
      if call.method == method and call.path:find(pattern) then count = count + 1 end
    end
    return count
  end

  it("replaces both in one transaction, saves, and leaves no key behind", function()
    assert.same({ 1, 1 }, { revisions() })
    local result <const> = rotate { "www", "--cert", cert, "--key", key }
    assert.same({ 0, "" }, { result.status, result.err })
    assert.matches("^/Common/www: CN=.*\nused by /Common/www\nnow: CN=.*\nsaved\n$", result.out)
    assert.same({ 2, 2 }, { revisions() })
    assert.same({}, left_behind())
    assert.equal(1, calls("POST", "^/mgmt/tm/transaction$"))
    assert.equal(1, calls("POST", "^/mgmt/tm/sys/config$"))
  end)

  it("makes a pair that is new", function()
    local result <const> = rotate { "/Common/fresh", "--cert", cert, "--key", key, "--no-save" }
    assert.equal(0, result.status, result.err)
    assert.matches("^/Common/fresh: new on the device\nnow: ", result.out)
    assert.equal(0, calls("POST", "^/mgmt/tm/sys/config$"))
  end)

  it("leaves both as they were when either is refused, and removes what it uploaded", function()
    device:fault { match = { method = "PATCH", path = "^/mgmt/tm/transaction/" }, kind = "validation", times = 1 }
    local result = rotate { "www", "--cert", cert, "--key", key }
    assert.equal(3, result.status)
    assert.same({ 1, 1 }, { revisions() })
    assert.same({}, left_behind())
    device:fault { match = { path = "uploads/.*key$" }, status = 403, times = 1 }
    result = rotate { "www", "--cert", cert, "--key", key }
    assert.equal(3, result.status)
    assert.same({ 1, 1 }, { revisions() })
    assert.same({}, left_behind())
  end)

  it("swaps real pairs under a profile, and leaves the old one when the new one does not match", function()
    for _, name in ipairs { "a", "b" } do
      assert(os.execute(("openssl req -x509 -newkey rsa:2048 -nodes -keyout %s/%s.key -out %s/%s.crt -subj /CN=%s.example.net 2>/dev/null"):format(
        directory.path, name, directory.path, name, name)))
    end
    local function file(name) return directory.path .. "/" .. name end
    assert.matches("now: CN=a.example.net, valid until ", rotate({ "www", "--cert", file "a.crt", "--key", file "a.key" }).out, 1, true)
    local result <const> = rotate { "www", "--cert", file "b.crt", "--key", file "a.key" }
    assert.equal(3, result.status)
    assert.matches("profile /Common/www's key (/Common/www.key) and certificate (/Common/www.crt) do not match", result.err, 1, true)
    assert.same({ 2, 2 }, { revisions() })
    assert.same({}, left_behind())
    assert.matches("/Common/www: CN=a.example.net, valid .*now: CN=b.example.net, valid ",
      rotate({ "www", "--cert", file "b.crt", "--key", file "b.key" }).out)
  end)

  it("says what it could not remove", function()
    device:fault { match = { path = "^/mgmt/tm/util/unix%-rm" }, status = 403, times = 2 }
    local result <const> = rotate { "www", "--cert", cert, "--key", key }
    assert.equal(0, result.status)
    assert.matches("^/var/config/rest/downloads/f5lua%S+.crt is still on the device, remove it: [^\n]+\n/var/config/rest/downloads/f5lua%S+.key is still",
      result.err)
  end)

  it("looks at the files before it talks to the device", function()
    device:clear_log()
    local locked <const> = directory:file("locked.key", (KEY:gsub("PRIVATE", "ENCRYPTED PRIVATE")))
    for words, message in pairs {
      [{ "--cert", key, "--key", key }] = key .. " holds no PEM block 'CERTIFICATE'",
      [{ "--cert", cert, "--key", cert }] = cert .. " holds no PEM block 'PRIVATE KEY'",
      [{ "--cert", cert .. "x", "--key", key }] = ("cannot read %sx: No such file or directory"):format(cert),
      [{ "--cert", cert, "--key", locked }] = locked .. " is encrypted: --passphrase-env says where its passphrase is",
      [{ "--cert", cert, "--key", locked, "--passphrase-env", "NOT_THERE" }] = "NOT_THERE is not set",
    } do
      assert.same({ status = 1, out = "", err = "f5lua: " .. message .. "\n" }, rotate { "www", table.unpack(words) })
    end
    assert.same({}, device:log())
    local result <const> = rotate({ "www", "--cert", cert, "--key", locked, "--passphrase-env", "PHRASE" }, { PHRASE = "hunter2" })
    assert.equal(0, result.status, result.err)
  end)

  it("changes nothing in a dry run", function()
    assert.matches("nothing was changed\n$", rotate({ "www", "--cert", cert, "--key", key, "--dry-run" }).out)
    assert.same({ 1, 1 }, { revisions() })
    assert.equal(0, calls("POST", "uploads"))
  end)
end)
