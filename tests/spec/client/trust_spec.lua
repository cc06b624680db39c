-- ca, cert, key and pin of f5.connect: what cannot be right is a usage error, before the device is
-- talked to.
local f5 = require "f5"
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"

describe("f5.connect looks at", function()
  local device, place, files

  local function shell(line)
    assert(os.execute(("cd %s && {\n%s\n} >/dev/null 2>&1"):format(place.path, line)))
  end

  setup(function()
    device = sim.start {}
    place = program.directory()
    shell [[
      for name in one two; do
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=$name -keyout $name.key -out $name.pem
      done
      cat one.pem two.pem one.key >bundle.pem
      openssl x509 -in one.pem -outform DER -out one.der
      openssl x509 -in one.pem -noout -pubkey >one.pub
      openssl pkey -pubin -in one.pub -outform DER -out one.pub.der
      openssl pkey -in one.key -aes128 -passout pass:secret -out locked.key
      sed '5,$d' one.pem >cut.pem
      { cat two.pem; sed '4s/......../AAAAAAAA/;5s/^..//' one.pem; } >damaged.pem
      echo hello >text
      : >empty
      mkfifo pipe
    ]]
    files = setmetatable({}, { __index = function(_, name) return place.path .. "/" .. name end })
  end)
  teardown(function() lab.stop(device, place) end)

  local function connect(given)
    local options = device:options "admin"
    for name, value in pairs(given) do options[name] = value end
    return f5.connect(options)
  end

  local function check(given, expected)
    device:clear_log()
    local ok, err = f5.try(connect, given)
    assert.is_false(ok)
    assert.equal("usage", err.kind)
    local message = err.message:gsub("^[^ ]+ ", ""):gsub(place.path:gsub("%p", "%%%0") .. "/", "")
    assert.equal(expected, message)
    assert.same({}, device:log())
  end

  it("ca", function()
    check({ ca = files.nothing }, "option 'ca': nothing cannot be read: No such file or directory")
    check({ ca = place.path }, ("option 'ca': %s is a directory"):format(place.path))
    check(
      { ca = files.pipe },
      "option 'ca': pipe is not a regular file; it must be readable for each connection"
    )
    check({ ca = files.text }, "option 'ca': text contains no certificate in PEM")
    check({ ca = files.empty }, "option 'ca': empty contains no certificate in PEM")
    check({ ca = files["one.key"] }, "option 'ca': one.key contains no certificate in PEM")
    check(
      { ca = files["one.der"] },
      "option 'ca': one.der is DER, expected PEM: openssl x509 -inform DER -in FILE -out "
        .. "FILE.pem"
    )
    check(
      { ca = files["cut.pem"] },
      "option 'ca': cut.pem contains a truncated or damaged certificate"
    )
    check(
      { ca = files["damaged.pem"] },
      "option 'ca': damaged.pem contains a truncated or damaged certificate"
    )
  end)

  it("cert and key", function()
    local one, key = files["one.pem"], files["one.key"]
    check(
      { cert = files.nothing, key = key },
      "option 'cert': nothing cannot be read: No such file or directory"
    )
    check({ cert = key, key = key }, "option 'cert': one.key contains no certificate in PEM")
    check(
      { cert = files["cut.pem"], key = key },
      "option 'cert': cut.pem contains a truncated or damaged certificate"
    )
    check(
      { cert = one, key = files.nothing },
      "option 'key': nothing cannot be read: No such file or directory"
    )
    check({ cert = one, key = one }, "option 'key': one.pem contains no private key in PEM")
    check(
      { cert = one, key = files["two.key"] },
      "option 'key': two.key contains the key of another certificate"
    )
    check(
      { cert = one },
      "option 'cert': one.pem contains no private key; give its file as option 'key'"
    )
    check(
      { cert = one, key = files["locked.key"] },
      "option 'key': locked.key has a passphrase; remove it: openssl pkey -in "
        .. "FILE -out FILE.plain"
    )
  end)

  it("pin", function()
    local digest = "sha256//" .. ("A"):rep(43) .. "="
    check(
      { pin = "sha256//AAAA" },
      "option 'pin': sha256//AAAA is not sha256//DIGEST (32 bytes in base64; separate several "
        .. "with ';')"
    )
    check(
      { pin = digest .. ";" .. digest:sub(9) },
      ("option 'pin': %s;%s is not sha256//DIGEST "):format(digest, digest:sub(9))
        .. "(32 bytes in base64; separate several with ';')"
    )
    check(
      { pin = digest .. "," .. digest },
      ("option 'pin': %s,%s has text after its last digest; separate several with ';'"):format(
        digest,
        digest
      )
    )
    check(
      { pin = "AB:CD:EF" },
      "option 'pin': AB:CD:EF is neither sha256//DIGEST nor a file: No such file or directory"
    )
    check({ pin = files.text }, "option 'pin': text contains no public key")
    check(
      { pin = files["one.pem"] },
      "option 'pin': one.pem is a certificate; give its public key: openssl x509 -in FILE -noout "
        .. "-pubkey"
    )
  end)

  it("and takes what is right", function()
    -- a bundle with the device's own CA in the midst; libcurl agrees with what was looked at
    shell(("cat one.pem %s two.pem >all.pem"):format(device.ca))
    connect({ ca = files["all.pem"], cert = files["one.pem"], key = files["one.key"] }):close()
    connect({ cert = files["bundle.pem"] }):close()
    for _, pin in ipairs {
      files["one.pub"],
      files["one.pub.der"],
      "sha256//" .. ("A"):rep(43) .. "=;sha256//" .. ("B"):rep(43) .. "=",
    } do
      local ok, err = f5.try(connect, { pin = pin }) -- a pin, and not the device's
      assert.is_false(ok)
      assert.equal("tls", err.kind)
      assert.matches("public key does not match pinned public key", err.message)
    end
    local pipe <close> = assert(
      io.popen(
        (
          "openssl s_client -connect %s:%d </dev/null 2>/dev/null | openssl x509 -noout -pubkey "
            .. ">%s/own.pub"
        ):format(
          device.host,
          device.port,
          place.path
        )
      )
    )
    pipe:read "a"
    connect({ pin = files["own.pub"] }):close()
  end)
end)

describe("f5.certificate", function()
  local place
  setup(function()
    place = program.directory()
    assert(
      os.execute(
        (
          "cd %s && for name in one two; do openssl req -x509 -newkey ec -pkeyopt "
            .. "ec_paramgen_curve:P-256 -nodes -days 2 "
          .. "-subj /O=Example/CN=$name -keyout $name.key -out $name.crt 2>/dev/null; done; cat "
          .. "two.crt >>one.crt"
        ):format(place.path)
      )
    )
  end)
  teardown(function() getmetatable(place).__close() end)

  local function file(name) return place.path .. "/" .. name end

  it("tells whose it is and when it is valid, of the first in the file", function()
    local found <const> = assert(f5.certificate(file "one.crt"))
    assert.equal("CN=one,O=Example", found.subject)
    assert.equal(2 * 24 * 3600, found.ends - found.starts)
    assert.is_true(math.abs(os.time() - found.starts) < 60)
    assert.same(found, f5.certificate(file "one.crt", { key = file "one.key" }))
  end)

  it("says what is wrong with a file", function()
    assert.same(
      { n = 2, nil, file "two.key" .. " contains the key of another certificate" },
      table.pack(f5.certificate(file "one.crt", { key = file "two.key" }))
    )
    assert.equal(
      file "none.crt" .. " cannot be read: No such file or directory",
      select(2, f5.certificate(file "none.crt"))
    )
    assert.equal(
      file "one.key" .. " contains no certificate in PEM",
      select(2, f5.certificate(file "one.key"))
    )
    assert.equal(
      file "two.crt" .. " contains no private key in PEM",
      select(2, f5.certificate(file "two.crt", { key = file "two.crt" }))
    )
  end)

  it("takes names of files and nothing else", function()
    for _, wrong in ipairs {
      table.pack(), table.pack({}), table.pack(file "one.crt", "key"),
      table.pack(file "one.crt", { key = 1 }),
    } do
      local ok <const>, err = pcall(f5.certificate, table.unpack(wrong, 1, wrong.n))
      assert.same({ false, "usage" }, { ok, err.kind })
    end
  end)
end)
