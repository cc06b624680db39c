-- bip:install_certificate{…}: what it checks before it sends anything, what it sends, and that the
-- second run sends nothing.
local f5 = require "f5"
local lab = require "lab"
local program = require "program"

-- A CA with an intermediate one, a certificate of it with its key, also behind a passphrase; one
-- that is over, one that is not yet valid, and a pair of another type.
local FILES <const> = [[
  key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out $1.key; }
  key root && key inter && key www && key other
  ca='basicConstraints=critical,CA:TRUE'
  openssl req -x509 -key root.key -days 30 -subj /CN=Root -addext $ca -out root.crt
  printf "$ca\n" >ca.ext
  printf 'subjectAltName=DNS:www.example.net,IP:192.0.2.7\n' >www.ext
  signed() { openssl req -new -key $1.key -subj /CN=$2 -out $1.csr &&
    openssl x509 -req -in $1.csr -CA $3.crt -CAkey $3.key -days 10 -extfile $4.ext -out $1.crt; }
  signed inter Inter root ca && signed www www.example.net inter www
  openssl x509 -req -in www.csr -CA inter.crt -CAkey inter.key -days 9 -out renewed.crt
  cat root.crt www.crt inter.crt >full.pem
  cat www.crt www.key >both.pem
  openssl pkey -in www.key -aes128 -passout pass:hunter2 -out locked.key
  openssl req -x509 -newkey rsa:2048 -nodes -keyout rsa.key -out rsa.crt -subj /CN=rsa.example.net
  : >index
  echo 01 >serial
  { printf '[ca]\ndefault_ca=c\n[c]\ndatabase=index\nserial=serial\nnew_certs_dir=.\n'
    printf 'default_md=sha256\nunique_subject=no\npolicy=p\n[p]\ncommonName=supplied\n'; } >ca.conf
  dated() { openssl ca -batch -config ca.conf -selfsign -keyfile www.key -in www.csr -notext \
    -startdate $2 -enddate $3 -out $1.crt; }
  dated over 20200101000000Z 20200201000000Z && dated early 20490101000000Z 20490201000000Z
]]

local device, bip, made

local function file(name) return made.path .. "/" .. name end

local function options_of(more)
  local options = { name = "www", cert = file "full.pem", key = file "www.key" }
  for name, value in pairs(more) do options[name] = value end
  return options
end

local function install(more) return bip:install_certificate(options_of(more)) end

-- What was sent that is not a read, without uploads and their removal.
local function writes()
  local out = {}
  for _, write in ipairs(lab.writes(device)) do
    if not write:find "transaction" and not write:find "file%-transfer"
      and not write:find "unix%-rm"
    then
      out[#out + 1] = write
    end
  end
  return out
end

local function left_behind()
  local found = {}
  for path in pairs(device:state().disk) do
    if path:find "^/var/config/rest/downloads/" then found[#found + 1] = path end
  end
  return found
end

local function refused(message, more)
  lab.writes(device)
  local ok, err = f5.try(install, more)
  assert.is_false(ok)
  assert.equal("failed", err.kind)
  assert.equal("install_certificate: " .. message:gsub("@", made.path .. "/"), err.message)
  assert.same({}, lab.writes(device))
end

describe("E6 bip:install_certificate", function()
  setup(function()
    made = program.directory()
    assert(os.execute(("cd %s && { %s } >log 2>&1"):format(made.path, FILES)), made:read "log")
  end)
  teardown(function() lab.stop(made) end)
  before_each(function()
    device, bip = lab.start()
    bip.sys.clock:stats() -- logs in
    lab.writes(device)
  end)
  after_each(function()
    assert.same({}, left_behind())
    lab.stop(bip, device)
  end)

  it("makes certificate, key and chain, and sends nothing the second time", function()
    local what, installed = install {}
    assert.equal("created", what)
    assert.same({
      "POST sys/file/ssl-key", "POST sys/file/ssl-cert", "POST sys/file/ssl-cert",
    }, writes())
    assert.equal("CN=www.example.net", installed.subject)
    assert.equal("CN=Inter", installed.issuer)
    assert.same({ "www.example.net", "192.0.2.7" }, installed.names)
    assert.same({
      { what = "created", kind = "sys/file/ssl-key", name = "/Common/www.key" },
      { what = "created", kind = "sys/file/ssl-cert", name = "/Common/www.crt" },
      { what = "created", kind = "sys/file/ssl-cert", name = "/Common/www-chain.crt" },
    }, installed.steps)
    assert.same({}, installed.left)
    local cert = bip.sys.file["ssl-cert"][installed.cert]:load()
    assert.equal("SHA256/" .. installed.fingerprint, cert.fingerprint)
    assert.equal(installed.ends, cert.expirationDate)
    assert.equal("CN=Inter", bip.sys.file["ssl-cert"][installed.chain]:load().subject)
    assert.equal("unchanged", (install {}))
    assert.same({}, lab.writes(device))
    -- The same as texts, and in another order.
    assert.equal("unchanged", (install {
      cert = made:read "www.crt", key = made:read "www.key",
      chain = made:read "root.crt" .. made:read "inter.crt",
    }))
    assert.equal("unchanged", (install { cert = file "both.pem", key = nil, name = "www.crt" }))
    assert.same({}, lab.writes(device))
  end)

  it("is one transaction with the profiles, which changes all or nothing", function()
    bip.ltm.profile["client-ssl"]["/Common/a"]:create {}
    bip.ltm.profile["client-ssl"]["/Common/b"]:create {}
    writes()
    local both <const> = { profile = { "a", "/Common/b", "/Common/a" } }
    device:fault {
      match = { method = "PATCH", path = "^/mgmt/tm/transaction/" }, kind = "validation", times = 1,
    }
    lab.fails("invalid", install, both)
    assert.is_false(bip.sys.file["ssl-key"]["/Common/www.key"]:exists())
    assert.equal("true", bip.ltm.profile["client-ssl"]["/Common/a"]:load().inheritCertkeychain)
    assert.same({}, left_behind())
    lab.writes(device)
    assert.equal("created", (install(both)))
    assert.same({
      "POST sys/file/ssl-key", "POST sys/file/ssl-cert", "POST sys/file/ssl-cert",
      "PATCH ltm/profile/client-ssl/~Common~a", "PATCH ltm/profile/client-ssl/~Common~b",
    }, writes())
    local chain = bip.ltm.profile["client-ssl"]["/Common/b"]:load().certKeyChain
    assert.equal(1, #chain)
    assert.same(
      { "/Common/www.crt", "/Common/www.key", "/Common/www-chain.crt" },
      { chain[1].cert, chain[1].key, chain[1].chain }
    )
    assert.equal("unchanged", (install(both)))
    -- A renewed certificate of the same key: one write, and the profiles are left alone.
    local what, installed = install { cert = file "renewed.crt", profile = both.profile }
    assert.equal("changed", what)
    assert.same({ "PATCH sys/file/ssl-cert/~Common~www.crt" }, writes())
    assert.equal("unchanged", installed.steps[3].what)
    assert.equal("/Common/www-chain.crt", bip.ltm.profile["client-ssl"]["/Common/a"]:load().chain)
  end)

  it("refuses a profile that does not exist, or makes it", function()
    for _, kind in ipairs { "client-ssl", "server-ssl" } do
      local name = "new-" .. kind
      local more = { profile = name, kind = kind }
      lab.writes(device)
      local err = lab.fails("not_found", install, more)
      local message = ("there is no %s profile /Common/%s"):format(kind, name)
      assert.matches(message, err.message, 1, true)
      assert.same({}, lab.writes(device))
      more.create_profile = true
      install(more)
      local profile = bip.ltm.profile[kind]["/Common/" .. name]:load()
      assert.equal("/Common/" .. kind:gsub("%-", ""), profile.defaultsFrom)
      assert.equal("/Common/www.crt", profile.cert)
      lab.writes(device)
      assert.equal("unchanged", (install(more)))
      assert.same({}, lab.writes(device))
    end
  end)

  it("replaces the pair of the same type in a profile with several", function()
    install { name = "ec", cert = file "www.crt" }
    install { name = "rsa", cert = file "rsa.crt", key = file "rsa.key" }
    local profile = bip.ltm.profile["client-ssl"]["/Common/two"]
    profile:create {
      certKeyChain = {
        { name = "rsa", cert = "/Common/rsa.crt", key = "/Common/rsa.key" },
        { name = "ec", cert = "/Common/ec.crt", key = "/Common/ec.key" },
      },
    }
    assert.equal("created", (install { profile = "two" }))
    local names = {}
    for i, entry in ipairs(profile:load().certKeyChain) do names[i] = entry.name .. entry.cert end
    assert.same({ "rsa/Common/rsa.crt", "ec/Common/www.crt" }, names)
    assert.equal("unchanged", (install { profile = "two" }))
  end)

  it("takes a key with a passphrase, and gives it to the profile", function()
    local more = { key = file "locked.key" }
    refused("@locked.key has a passphrase, and none was given", more)
    more.passphrase = "wrong"
    refused("@locked.key cannot be decrypted with the given passphrase", more)
    more.passphrase, more.profile, more.create_profile = "hunter2", "locked", true
    assert.equal("created", (install(more)))
    assert.equal("unchanged", (install(more)))
  end)

  it("checks the files before it talks to the device", function()
    made:file("empty", "")
    made:file("torn.crt", made:read "www.crt":sub(1, 200))
    made:file("damaged.crt", (made:read "www.crt":gsub("\n.-\n", "\n", 1)))
    refused("@other.key contains the key of another certificate", { key = file "other.key" })
    refused("@www.crt contains no private key in PEM", { key = file "www.crt" })
    refused("@empty contains no certificate in PEM", { cert = file "empty" })
    refused("@torn.crt contains a truncated certificate", { cert = file "torn.crt" })
    refused("@damaged.crt contains a damaged certificate", { cert = file "damaged.crt" })
    refused("cannot read @nope: No such file or directory", { cert = file "nope" })
    refused("cannot read @: Is a directory", { cert = file "" })
    refused(
      "@over.crt: CN=www.example.net has expired on 2020-02-01 00:00:00 UTC; force = true "
        .. "overrides this",
      { cert = file "over.crt" }
    )
    refused(
      "@early.crt: CN=www.example.net is not valid before 2049-01-01 00:00:00 UTC; force = true "
        .. "overrides this",
      { cert = file "early.crt" }
    )
    refused(
      "no certificate of @root.crt has signed CN=www.example.net; its issuer is CN=Inter; "
        .. "force = true overrides this",
      { cert = file "www.crt", chain = file "root.crt" }
    )
    assert.equal("created", (install { cert = file "over.crt", force = true }))
    assert.equal("changed", (install {
      cert = file "www.crt", chain = file "root.crt", force = true,
    }))
  end)

  it("refuses wrong options", function()
    for words, options in pairs {
      ["expected a table of options, got a string"] = "www",
      ["option 'cert' is missing"] = { name = "www" },
      ["option 'name' is missing"] = { cert = "www.crt" },
      ["unknown option 'certt'"] = { certt = "x" },
      ["'profile' must be a string, not a boolean"] = options_of { profile = true },
      ["'kind' must be client-ssl or server-ssl, not 'tcp'"] = options_of { kind = "tcp" },
      ["'name' is no full path: /www"] = options_of { name = "/www" },
      ["'profile' is not a name: \"a//b\""] = options_of { profile = "a//b" },
    } do
      local err = lab.fails("usage", bip.install_certificate, bip, options)
      assert.matches(words, err.message, 1, true)
    end
  end)

  it("works in a partition, and with names that need encoding", function()
    bip.auth.partition["a.b"]:create {}
    local what, installed = install { name = "w w", partition = "a.b" }
    assert.same({ "created", "/a.b/w w.crt" }, { what, installed.cert })
    assert.equal("unchanged", (install { name = "/a.b/w w" }))
  end)

  it("leaves nothing behind when it is interrupted", function()
    device:fault { match = { path = "uploads/.*crt$" }, delay_ms = 3000, times = 1 }
    local fiber = f5.spawn(function() install {} end)
    repeat f5.sleep(0.01) until #left_behind() > 0
    fiber:cancel()
    local ok, err = pcall(fiber.join, fiber)
    assert.is_false(ok)
    assert.equal("cancelled", type(err) == "table" and err.kind or err)
    assert.same({}, left_behind())
  end)

  it("can be taken back if the names are new", function()
    bip.ltm.profile["client-ssl"]["/Common/site"]:create {}
    local id = bip:undoable(function() install { profile = "site" } end)
    assert.is_true(bip.sys.file["ssl-key"]["/Common/www.key"]:exists())
    assert.is_true(f5.undo(id, { session = bip }).complete)
    assert.is_false(bip.sys.file["ssl-key"]["/Common/www.key"]:exists())
    assert.is_false(bip.sys.file["ssl-cert"]["/Common/www-chain.crt"]:exists())
    local profile = bip.ltm.profile["client-ssl"]["/Common/site"]:load()
    assert.same({ "true", "/Common/default.crt" }, { profile.inheritCertkeychain, profile.cert })
  end)

  it("can be replayed, applied as a plan, and taken back by the device", function()
    local script <const> = made:file("install.lua", [[
      local bip <close> = require "f5".connect {}
      print((bip:install_certificate { name = arg[1], cert = arg[2] }))
    ]])
    local env <const> = lab.environment(device, {
      XDG_STATE_HOME = made.path, F5LUA_PASSPHRASE = "a passphrase",
    })
    local function run(...)
      local result = program.run({ ... }, { env = env })
      assert.equal(0, result.status, result.err)
      assert.is_nil(result.out:find "PRIVATE KEY")
      return result.out
    end
    local both <const>, har <const> = file "both.pem", file "install.har"
    assert.equal("created\n", run("run", "--record", har, script, "one", both))
    assert.is_nil(made:read("install.har"):find "PRIVATE KEY")
    assert.equal("created\n", run("run", "--replay", har, script, "one", both))
    run("plan", "-o", file "two.plan", script, "two", both)
    assert.is_nil(made:read("two.plan"):find "PRIVATE KEY")
    run("apply", "--yes", file "two.plan")
    assert.equal("unchanged\n", run(script, "two", both))
    run("run", "--confirm", "60", script, "three", both)
    assert.is_true(bip.sys.file["ssl-key"]["/Common/three.key"]:exists())
    run("confirm", "--take-back")
    assert.is_false(bip.sys.file["ssl-key"]["/Common/three.key"]:exists())
    os.remove(file "two.plan")
  end)

  it("says what it could not remove", function()
    device:fault { match = { path = "^/mgmt/tm/util/unix%-rm" }, status = 403, times = 1 }
    local script = made:file("script.lua", [[
      local f5 = require "f5"
      local bip <close> = f5.connect {}
      local _, installed = bip:install_certificate { name = "www", cert = arg[1] }
      for _, path in ipairs(installed.left) do print(path) end
      bip.util["unix-rm"]:run("run", { utilCmdArgs = table.concat(installed.left, " ") })
    ]])
    local result = program.run({ script, file "both.pem" }, { env = lab.environment(device) })
    assert.equal(0, result.status, result.err)
    assert.matches("^/var/config/rest/downloads/f5lua%-%x+.key\n/var/con%S+.crt\n$", result.out)
    assert.matches("warning: remove /var/config/rest/downloads/f5lua%-%x+.key, ", result.err)
    assert.not_matches("PRIVATE KEY", result.err)
  end)
end)
