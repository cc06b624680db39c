-- rotate-certificate.lua against simulated devices, run as an operator runs it.
local f5 = require "f5"
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"

-- A pair, another key, the first key behind a passphrase, and certificates of it that are over or
-- not yet good.
local FILES <const> = [[
  key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out $1.key; }
  key new && key other
  openssl req -x509 -key new.key -days 2 -subj /CN=new.example.net -out new.crt
  openssl pkey -in new.key -aes128 -passout pass:hunter2 -out locked.key
  : >index
  echo 01 >serial
  { printf '[ca]\ndefault_ca=c\n[c]\ndatabase=index\nserial=serial\nnew_certs_dir=.\ndefault_md=sha256\nunique_subject=no\n'
    printf 'policy=p\n[p]\ncommonName=supplied\n'; } >ca.conf
  openssl req -new -key new.key -subj /CN=new.example.net -out new.csr
  dated() { openssl ca -batch -config ca.conf -selfsign -keyfile new.key -in new.csr -notext -startdate $2 -enddate $3 -out $1.crt; }
  dated over 20200101000000Z 20200201000000Z && dated early 20490101000000Z 20490201000000Z
]]

describe("rotate-certificate.lua", function()
  local device, directory, made, cert, key

  setup(function()
    made = program.directory()
    assert(os.execute(("cd %s && { %s } >log 2>&1"):format(made.path, FILES)), made:read "log")
    cert, key = made.path .. "/new.crt", made.path .. "/new.key"
  end)
  teardown(function() getmetatable(made).__close() end)
  before_each(function()
    device = sim.start {
      seed = {
        objects = {
          ["/mgmt/tm/sys/file/ssl-cert"] = { { name = "www.crt" } },
          ["/mgmt/tm/sys/file/ssl-key"] = { { name = "www.key" } },
          ["/mgmt/tm/ltm/profile/client-ssl"] = {
            {
              name = "www",
              certKeyChain = {
                { name = "www", cert = "/Common/www.crt", key = "/Common/www.key" },
              },
            },
          },
        },
      },
    }
    directory = program.directory()
  end)
  after_each(function()
    assert.equal(0, device:problems())
    assert.is_nil(next(device:state().tokens.items))
    lab.stop(device, directory)
  end)

  local function rotate(words, environment)
    local env = lab.environment(device, environment)
    return program.run(
      { "scripts/playbooks/rotate-certificate.lua", table.unpack(words) },
      { env = env }
    )
  end

  local function revisions()
    local bip <close> = f5.connect(device:options "admin")
    local files <const> = bip.sys.file
    return files["ssl-cert"]["/Common/www.crt"]:load().revision,
      files["ssl-key"]["/Common/www.key"]:load().revision
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

  it("can be taken back but for the contents of keys and certificates", function()
    local env <const> = { XDG_STATE_HOME = directory.path, F5LUA_UNDOABLE = "1" }
    local words <const> = { "/Common/fresh", "--cert", cert, "--key", key, "--no-save" }
    local fresh <const> = rotate(words, env)
    assert.equal(0, fresh.status, fresh.err)
    -- the uploads are gone, so there is nothing about them that cannot be undone
    assert.matches("^f5lua: 2 writes in the change record [^\n]+ takes them back\n$", fresh.err)
    local text <const> = directory:read("f5lua/changes/"
      .. f5.files(directory.path .. "/f5lua/changes", "*")[1]:match "[^/]*$")
    assert.is_nil(text:find("PRIVATE KEY", 1, true))
    local undone = program.run({ "undo", "last" }, { env = lab.environment(device, env) })
    assert.equal(0, undone.status, undone.out)
    assert.matches("%- sys/file/ssl%-key /Common/fresh.key  delete", undone.out)
    assert.is_nil(device:state().objects.items["/mgmt/tm/sys/file/ssl-key/~Common~fresh.key"])
    local ran <const> = rotate({ "www", "--cert", cert, "--key", key, "--no-save" }, env)
    assert.equal(0, ran.status, ran.err)
    assert.matches("the content of the file cannot be read, so it cannot be restored", ran.err)
    undone = program.run({ "undo", "last" }, { env = lab.environment(device, env) })
    assert.equal(1, undone.status)
    assert.matches("cannot be taken back: PATCH sys/file/ssl%-key /Common/www.key", undone.out)
    assert.same({ 2, 2 }, { revisions() })
  end)

  it("sends nothing if the device has the pair already", function()
    local words <const> = { "www", "--cert", cert, "--key", key, "--no-save" }
    rotate(words)
    device:clear_log()
    local again <const> = rotate(words)
    assert.equal(0, again.status, again.err)
    assert.matches("the device had this pair already\n$", again.out)
    assert.equal(0, calls("POST", "uploads") + calls("POST", "^/mgmt/tm/transaction$"))
  end)

  it("makes a pair that is new", function()
    local result <const> = rotate { "/Common/fresh", "--cert", cert, "--key", key, "--no-save" }
    assert.equal(0, result.status, result.err)
    assert.matches("^/Common/fresh: new on the device\nnow: ", result.out)
    assert.equal(0, calls("POST", "^/mgmt/tm/sys/config$"))
  end)

  it("leaves both as they were when either is refused, and removes what it uploaded", function()
    device:fault {
      match = { method = "PATCH", path = "^/mgmt/tm/transaction/" },
      kind = "validation",
      times = 1,
    }
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

  it(
    "swaps real pairs under a profile, and leaves the old one when the new one does not match",
    function()
      for _, name in ipairs { "a", "b" } do
        assert(
          os.execute(
            (
              "openssl req -x509 -newkey rsa:2048 -nodes -keyout %s/%s.key -out %s/%s.crt -subj "
                .. "/CN=%s.example.net 2>/dev/null"
            ):format(
              directory.path, name, directory.path, name, name
            )
          )
        )
      end
      local function file(name) return directory.path .. "/" .. name end
      assert.matches(
        "now: CN=a.example.net, valid until ",
        rotate({ "www", "--cert", file "a.crt", "--key", file "a.key" }).out,
        1,
        true
      )
      device:clear_log()
      local refused <const> = {
        status = 1,
        out = "",
        err = ("f5lua: %s contains the key of another certificate\n"):format(file "a.key"),
      }
      assert.same(refused, rotate { "www", "--cert", file "b.crt", "--key", file "a.key" })
      assert.same(
        refused,
        rotate { "www", "--cert", file "b.crt", "--key", file "a.key", "--force" }
      )
      assert.same({}, device:log())
      assert.same({ 2, 2 }, { revisions() })
      assert.same({}, left_behind())
      assert.matches(
        "/Common/www: CN=a.example.net, valid .*now: CN=b.example.net, valid ",
        rotate({ "www", "--cert", file "b.crt", "--key", file "b.key" }).out
      )
    end
  )

  it("says what it could not remove", function()
    device:fault { match = { path = "^/mgmt/tm/util/unix%-rm" }, status = 403, times = 2 }
    local result <const> = rotate { "www", "--cert", cert, "--key", key }
    assert.equal(0, result.status)
    assert.matches(
      "warning: remove /var/config/rest/downloads/f5lua%S+.key, "
        .. "/var/config/rest/downloads/f5lua%S+.crt from the device, f5lua could not: ",
      result.err
    )
  end)

  it("looks at the files before it talks to the device", function()
    device:clear_log()
    local locked <const> = made.path .. "/locked.key"
    local damaged <const> =
      directory:file("damaged.crt", (made:read "new.crt":gsub("\n.-\n", "\n", 1)))
    for words, message in pairs {
      [{ "--cert", key, "--key", key }] = key .. " contains no PEM block 'CERTIFICATE'",
      [{ "--cert", cert, "--key", cert }] = cert .. " contains no PEM block 'PRIVATE KEY'",
      [{ "--cert", cert .. "x", "--key", key }] = (
        "cannot read %sx: No such file or directory"
      ):format(
        cert
      ),
      [{ "--cert", cert, "--key", made.path .. "/other.key" }] = made.path
        .. "/other.key contains the key of another certificate",
      [{ "--cert", damaged, "--key", key }] = damaged
        .. " contains a truncated or damaged certificate",
      [{ "--cert", made.path .. "/over.crt", "--key", key }] = made.path
        .. "/over.crt has expired on 2020-02-01 00:00:00 UTC; --force overrides this",
      [{ "--cert", made.path .. "/early.crt", "--key", key }] = made.path
        .. "/early.crt is not valid before 2049-01-01 00:00:00 UTC; --force overrides this",
      [{ "--cert", cert, "--key", locked }] = locked
        .. " is encrypted: name the variable with its passphrase with --passphrase-env",
      [{
        "--cert", cert, "--key", locked, "--passphrase-env", "NOT_THERE",
      }] = "NOT_THERE is not set",
    } do
      assert.same(
        { status = 1, out = "", err = "f5lua: " .. message .. "\n" },
        rotate { "www", table.unpack(words) }
      )
    end
    local words <const> = { "www", "--cert", cert, "--key", locked, "--passphrase-env", "PHRASE" }
    assert.same(
      {
        status = 1,
        out = "",
        err = ("f5lua: %s cannot be decrypted with the given passphrase\n"):format(locked),
      },
      rotate(words, { PHRASE = "hunter3" })
    )
    assert.same({}, device:log())
    local result <const> = rotate(words, { PHRASE = "hunter2" })
    assert.equal(0, result.status, result.err)
  end)

  it("takes a certificate that is not valid now when it must, and warns", function()
    local result <const> =
      rotate { "www", "--cert", made.path .. "/over.crt", "--key", key, "--force" }
    assert.same(
      { 0, ("warning: %s/over.crt has expired on 2020-02-01 00:00:00 UTC\n"):format(made.path) },
      { result.status, result.err }
    )
    assert.same({ 2, 2 }, { revisions() })
  end)

  it("changes nothing in a dry run", function()
    assert.matches(
      "nothing was changed\n$",
      rotate({ "www", "--cert", cert, "--key", key, "--dry-run" }).out
    )
    assert.same({ 1, 1 }, { revisions() })
    assert.equal(0, calls("POST", "uploads"))
  end)
end)
