-- Certificates and keys on the simulated device: what is read from them, and that a pair belongs
-- together.
local f5 = require "f5"
local lab = require "lab"
local program = require "program"

-- Two pairs, made once: NAME.crt and NAME.key, and one key with a passphrase.
local directory = program.directory()
local function openssl(line)
  assert(os.execute(("cd %s && openssl %s 2>/dev/null"):format(directory.path, line)))
end
for _, name in ipairs { "one", "two" } do
  openssl(
    (
      "req -x509 -newkey rsa:2048 -nodes -keyout %s.key -out %s.crt -days 90 -set_serial 4711 "
        .. "-subj '/O=Example/CN=%s.example.net'"
    ):format(
      name,
      name,
      name
    )
  )
end
openssl(
  "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=ec -days 9 "
    .. "-keyout ec.key -out ec.crt"
)
openssl "rsa -in one.key -aes256 -passout pass:hunter2 -out locked.key"

describe("Certificates and keys on the simulated device", function()
  local device, bip, certs, keys
  before_each(function()
    device, bip = lab.start()
    certs, keys = bip.sys.file["ssl-cert"], bip.sys.file["ssl-key"]
    for _, name in ipairs {
      "one.crt", "one.key", "two.crt", "two.key", "locked.key", "ec.crt", "ec.key",
    } do
      device:control("write_file", { path = "/var/tmp/" .. name, text = directory:read(name) })
    end
  end)
  after_each(function() lab.stop(bip, device) end)
  teardown(function() getmetatable(directory).__close() end)

  local function from(name) return { sourcePath = "file:/var/tmp/" .. name } end

  local function use()
    certs["/Common/www.crt"]:create(from "one.crt")
    keys["/Common/www.key"]:create(from "one.key")
    bip.ltm.profile["client-ssl"]["/Common/www"]:create {
      certKeyChain = f5.array {
        { name = "www", cert = "/Common/www.crt", key = "/Common/www.key" },
      },
    }
  end

  it("says what is in a certificate", function()
    local made <const> = certs["/Common/www.crt"]:create(from "one.crt")
    assert.equal("CN=one.example.net,O=Example", made.subject)
    assert.equal(made.subject, made.issuer)
    assert.equal("4711", made.serialNumber)
    assert.equal(2048, made.certificateKeySize)
    assert.equal("rsa-public", made.keyType)
    assert.truthy(math.abs(made.expirationDate - os.time() - 90 * 24 * 3600) < 3600)
    assert.matches("^%u%l%l %d%d %d%d:%d%d:%d%d %d%d%d%d GMT$", made.expirationString)
    local output <close> =
      io.popen(("openssl x509 -in %s/one.crt -noout -fingerprint -sha256"):format(directory.path))
    assert.equal("SHA256/" .. output:read("a"):match "=([%x:]+)", made.fingerprint)
    for name in pairs(made) do
      assert.is_nil(name:find "^_", name)
    end
    assert.equal(
      "CN=two.example.net,O=Example",
      certs["/Common/www.crt"]:modify(from "two.crt").subject
    )
  end)

  it("refuses one without the other, and takes both in a transaction", function()
    use()
    for reference, file in pairs {
      [certs["/Common/www.crt"]] = "two.crt",
      [keys["/Common/www.key"]] = "two.key",
    } do
      local ok <const>, err <const> = f5.try(function() reference:modify(from(file)) end)
      assert.is_false(ok)
      assert.equal("invalid", err.kind)
      assert.matches(
        "01070317:3: profile /Common/www's key and certificate do not match",
        err.message,
        1,
        true
      )
    end
    assert.equal("CN=one.example.net,O=Example", certs["/Common/www.crt"]:load().subject)
    bip:transaction(function(tx)
      tx(certs["/Common/www.crt"]):modify(from "two.crt")
      tx(keys["/Common/www.key"]):modify(from "two.key")
    end)
    assert.equal("CN=two.example.net,O=Example", certs["/Common/www.crt"]:load().subject)
  end)

  it("refuses a transaction that ends with a pair that does not belong together, and changes "
    .. "nothing", function()
    use()
    local before <const> = device:state().objects
    local ok <const>, err <const> = f5.try(function()
      bip:transaction(function(tx)
        tx(keys["/Common/www.key"]):modify(from "two.key")
        tx(bip.ltm.pool):create { name = "beside" }
      end)
    end)
    assert.is_false(ok)
    assert.equal("transaction", err.kind)
    assert.matches("do not match", err.message)
    assert.same(before, device:state().objects)
    keys["/Common/other.key"]:create(from "two.key") -- no check is left over
  end)

  it("takes for a profile only what is there, and what belongs together", function()
    use()
    certs["/Common/two.crt"]:create(from "two.crt")
    keys["/Common/two.key"]:create(from "two.key")
    local client <const>, server <const> =
      bip.ltm.profile["client-ssl"], bip.ltm.profile["server-ssl"]
    local function refused(expected, kind, fn, ...)
      local ok <const>, err <const> = f5.try(fn, ...)
      assert.is_false(ok)
      assert.same({ kind, expected, 3 }, { err.kind, err.message, err.api_error })
    end
    local function chain(cert, key)
      return { name = "x", certKeyChain = f5.array { { name = "x", cert = cert, key = key } } }
    end
    local function missing(name)
      return ("0107134a:3: File object by name (%s) is missing."):format(name)
    end
    refused(
      missing "/Common/no.crt", "invalid", client.create, client,
      chain("/Common/no.crt", "/Common/two.key")
    )
    refused(
      missing "/Common/no.crt", "invalid", client.create, client,
      chain("no.crt", "two.key")
    )
    refused(
      "01070277:3: The requested key (/Common/no.key) was not found.",
      "invalid", client.create, client, chain("/Common/no.crt", "/Common/no.key")
    )
    refused(
      missing "/Common/two.key", "invalid", client.create, client,
      chain("/Common/two.key", "/Common/two.key")
    )
    refused(
      "01070315:3: profile /Common/x requires a key", "invalid", client.create, client,
      chain "/Common/two.crt"
    )
    refused(
      "01070315:3: profile /Common/x requires a key", "invalid", server.create, server,
      { name = "x", cert = "/Common/two.crt" }
    )
    refused(
      "01070315:3: profile /Common/x requires a certificate",
      "invalid", server.create, server, { name = "x", key = "/Common/two.key" }
    )
    local function mismatch(name)
      return ("01070317:3: profile /Common/%s's key and certificate do not match"):format(name)
    end
    local www <const> = client["/Common/www"]
    refused(
      mismatch("x"), "invalid", client.create, client,
      chain("/Common/www.crt", "two.key")
    )
    refused(
      mismatch("x"),
      "invalid",
      server.create,
      server,
      { name = "x", cert = "/Common/two.crt", key = "/Common/www.key" }
    )
    refused(
      mismatch("x"), "invalid", client.create, client,
      { name = "x", cert = "/Common/two.crt" }
    )
    refused(
      mismatch("www"), "invalid", www.modify, www,
      chain("/Common/two.crt", "/Common/www.key")
    )
    assert.is_false(client["/Common/x"]:exists() or server["/Common/x"]:exists())
    assert.equal("/Common/www.crt", www:load().certKeyChain[1].cert)
    bip:transaction(function(tx) -- in the end it is right
      tx(www):modify(chain("/Common/www.crt", "/Common/two.key"))
      tx(certs["/Common/www.crt"]):modify(from "two.crt")
    end)
    www:modify { description = "used" }
    server:create { name = "plain-server" }
    server:create { name = "both", cert = "/Common/two.crt", key = "/Common/two.key" }
  end)

  it("shows the certificate and the key that a profile has from its parent, until it has its "
    .. "own", function()
    use()
    local profiles <const> = bip.ltm.profile["client-ssl"]
    local function link(kind, name) return {
      link = ("https://localhost/mgmt/tm/sys/file/ssl-%s/~Common~%s?ver=17.1.3"):format(kind, name),
    } end
    local function chain(name, cert, key)
      return { {
        name = name, appService = "none", usage = "SERVER", chain = "none",
        cert = "/Common/" .. cert, certReference = link(
          "cert", cert
        ), key = "/Common/" .. key, keyReference = link("key", key),
      } }
    end
    local function has(profile, inherits, name, cert, key)
      local body <const> = profiles["/Common/" .. profile]:load()
      assert.same(
        { inherits, "/Common/" .. cert, "/Common/" .. key, "none" },
        { body.inheritCertkeychain, body.cert, body.key, body.chain }
      )
      assert.same(
        { link("cert", cert), link("key", key) }, { body.certReference, body.keyReference }
      )
      assert.same(chain(name, cert, key), body.certKeyChain)
    end
    has("clientssl", "false", "default", "default.crt", "default.key")
    has("clientssl-secure", "true", "default", "default.crt", "default.key")
    has("www", "false", "www", "www.crt", "www.key")
    profiles:create { name = "plain" }
    profiles:create { name = "child", defaultsFrom = "/Common/www" }
    profiles:create { name = "beside", cert = "/Common/www.crt", key = "/Common/www.key" }
    has("plain", "true", "default", "default.crt", "default.key")
    has("child", "true", "www", "www.crt", "www.key")
    has("beside", "false", "default", "www.crt", "www.key")
    profiles["/Common/www"]:modify {
      description = "changed", cert = "/Common/default.crt", key = "/Common/default.key",
    }
    has("www", "false", "default", "default.crt", "default.key")
    has("child", "true", "default", "default.crt", "default.key")
    has("beside", "false", "default", "www.crt", "www.key")
    local whole <const> = profiles["/Common/plain"]:load() -- read, changed and put back
    whole.certKeyChain[1].cert, whole.certKeyChain[1].key = "/Common/www.crt", "/Common/www.key"
    profiles["/Common/plain"]:replace(whole)
    has("plain", "false", "default", "www.crt", "www.key")
    profiles["/Common/plain"]:modify { inheritCertkeychain = "true", certKeyChain = f5.array {} }
    has("plain", "true", "default", "default.crt", "default.key")
    local server <const> = bip.ltm.profile["server-ssl"]
    local none <const> = server:create { name = "plain-server" }
    assert.same({ "none", "none", "none" }, { none.cert, none.key, none.chain })
    assert.equal(
      "/Common/default.crt", server["/Common/splitsession-default-serverssl"]:load().cert
    )
    local ok <const>, err <const> = f5.try(function() certs["/Common/default.crt"]:delete() end)
    assert.is_false(ok)
    assert.matches("File object by name .* is in use", err.message)
  end)

  it("takes a key that is not one of RSA in a chain only", function()
    certs["/Common/ec.crt"]:create(from "ec.crt")
    keys["/Common/ec.key"]:create(from "ec.key")
    local client <const> = bip.ltm.profile["client-ssl"]
    local ok <const>, err <const> = f5.try(client.create, client, {
      name = "x", cert = "/Common/ec.crt", key = "/Common/ec.key",
    })
    assert.is_false(ok)
    assert.same({ "invalid", "01b40029:3: Client SSL profile (/Common/x): /Common/ec.key is not "
      .. "RSA key. To add non-RSA cert/key, please use [cert-key-chain add]." },
      { err.kind, err.message })
    client:create {
      name = "x", certKeyChain = f5.array {
        { name = "ec", cert = "/Common/ec.crt", key = "/Common/ec.key" },
      },
    }
  end)

  it("opens a key with its passphrase, and knows nothing of one without", function()
    use()
    local body = from "locked.key"
    body.passphrase = "hunter2"
    -- the same key as before
    assert.equal("/Common/www.key", keys["/Common/www.key"]:modify(body).fullPath)
    keys["/Common/unknown.key"]:create(from "locked.key")
  end)

  it("takes what is no PEM, and what is not there, as it always did", function()
    device:control("write_file", { path = "/var/tmp/odd", text = "odd" })
    assert.matches("^CN=localhost", certs["/Common/a.crt"]:create(from "odd").subject)
    assert.matches("^CN=localhost", certs["/Common/b.crt"]:create(from "none").subject)
  end)
end)
