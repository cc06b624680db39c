-- f5lua certificates: when they end, who uses them; a pair installed, and rotated.
local f5 = require "f5"
local lab = require "lab"
local program = require "program"

local FILES <const> = [[
  pair() { openssl req -x509 -newkey rsa:2048 -nodes -keyout $1.key -out $1.crt -days $2 \
    -subj /CN=$1.example.net; }
  pair old 5 && pair new 90
  openssl ecparam -genkey -name prime256v1 -out ec.key
  openssl req -x509 -key ec.key -out ec.crt -days 9 -subj /CN=ec.example.net
  openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 30 -subj /CN=CA
  openssl req -newkey rsa:2048 -nodes -keyout leaf.key -out leaf.csr -subj /CN=leaf.example.net
  openssl x509 -req -in leaf.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 9 -out leaf.crt
  openssl pkey -in new.key -aes128 -passout pass:hunter2 -out locked.key
]]

local device, place

local function f5lua(words, more)
  local env = lab.environment(device)
  for name, value in pairs(more and more.env or {}) do env[name] = value end
  return program.run(words, { env = env, directory = place.path })
end

local function ok(words, more)
  local result = f5lua(words, more)
  assert.equal(0, result.status, result.err .. result.out)
  return result.out, result.err
end

local function wrong(status, message, words, more)
  local result = f5lua(words, more)
  assert.equal(status, result.status, result.err .. result.out)
  assert.matches(message, result.err)
end

local function rows(words)
  local found, order = {}, {}
  for line in ok(words):gmatch "[^\n]+" do
    local row <const> = f5.json.decode(line)
    found[row.name], order[#order + 1] = row, row.name
  end
  return found, order
end

local function install(name, ...)
  return f5.json.decode(ok {
    "certificates", "install", "--name", name, "--cert", name:match "[^/]+$" .. ".crt", "--key",
    name:match "[^/]+$" .. ".key", ...,
  })
end

local function rotate(...)
  return { "certificates", "rotate", "old", "--name", "new", "--cert", "new.crt", "--key",
    "new.key", ... }
end

local function writes()
  local count = 0
  for _, call in ipairs(device:log()) do
    if call.method ~= "GET" and not call.path:find "^/mgmt/shared/auth" then count = count + 1 end
  end
  return count
end

describe("E2 certificates", function()
  local bip
  setup(function()
    place = program.directory()
    assert(os.execute(("cd %s && { %s } >log 2>&1"):format(place.path, FILES)), place:read "log")
  end)
  teardown(function() lab.stop(place) end)
  before_each(function() device, bip = lab.start() end)
  after_each(function() lab.stop(bip, device) end)

  local function profile(name, more)
    more = more or {}
    more.defaultsFrom = more.defaultsFrom or "/Common/clientssl"
    bip.ltm.profile["client-ssl"][name]:create(more)
  end

  local function pair_of(name)
    return bip.ltm.profile["client-ssl"][name]:load().certKeyChain[1].cert
  end

  it("are listed with their ends and users, what ends first comes first", function()
    profile "www"
    install("old", "--ssl-profile", "www")
    local found, order = rows { "certificates" }
    assert.equal("/Common/old.crt", order[1])
    local old <const> = found["/Common/old.crt"]
    assert.is_true(old.days == 4 or old.days == 5) -- 5 within the second in which it was made
    assert.equal("CN=old.example.net", old.subject)
    assert.same({ "/Common/www" }, old.profiles)
    assert.equal(os.date("!%Y-%m-%d", old.ends), old.expires)
    assert.is_true(#found["/Common/default.crt"].profiles > 1)
    local out <const> = ok { "certificates", "list", "-o", "table" }
    assert.matches("^name +expires +days +subject +profiles\n", out)
    assert.matches("\nold.crt +%d+%-%d%d%-%d%d +[45] +old.example.net +www\n", out)
  end)

  it("are looked for by their ends", function()
    install "old"
    local words <const> = { "certificates", "--expiring", "30d", "-o", "csv" }
    assert.matches("^name,expires,days,subject,profiles\n/Common/old.crt,[^\n]*\n$", ok(words))
    table.insert(words, "--exit-code")
    assert.equal(4, f5lua(words).status)
    words[3] = "1d"
    assert.equal("name,expires,days,subject,profiles\n", ok(words))
    assert.equal("no certificates\n", ok { "certificates", "--expiring", "1h", "-o", "table" })
    words[3] = "soon"
    wrong(2, "%-%-expiring must be a time such as 30d, 12h or 90m, not 'soon'", words)
    wrong(2, "%-%-exit%-code needs %-%-expiring", { "certificates", "--exit-code" })
  end)

  it("are sorted, filtered and selected as other lists are", function()
    install "old"
    install "new"
    local function lines(...) return ok { "certificates", ... } end
    assert.equal("name\n/Common/new.crt\n/Common/old.crt\n", lines("--where",
      'subject:find "^CN=[no]" and days < 1000', "--sort", "days:desc", "--select", "name",
      "-o", "csv"))
    assert.matches("^name +days\nold.crt +[45]\n$",
      lines("--top", "1", "--select", "name,days", "-o", "table"))
    local one <const> = rows { "certificates", "--sort", "days", "--top", "1", "--select", "name" }
    assert.same({ ["/Common/old.crt"] = { name = "/Common/old.crt" } }, one)
    -- columns that are empty have no heads; those that were named have them
    local unused <const> = { "--where", "#profiles == 0", "-o", "table" }
    assert.matches("^name +expires +days +subject\n", lines(table.unpack(unused)))
    assert.matches("^name +profiles\n", lines("--select", "name,profiles", table.unpack(unused)))
    assert.equal("no row meets --where\n", lines("--where", "days < 0", "-o", "table"))
    assert.equal(0, f5lua({
      "certificates", "--expiring", "30d", "--where", "days < 0", "--exit-code",
    }).status)
    device:clear_log()
    wrong(2, "%-%-select: there is no column 'nmae'; did you mean 'name'%?",
      { "certificates", "--select", "nmae" })
    wrong(2, "%-%-sort: there is no column 'size'; there are name, expires, days,",
      { "certificates", "--sort", "size" })
    wrong(2, "%-%-where: there is no column 'dais'", { "certificates", "--where", "dais < 3" })
    wrong(2, "%-%-sort is for lists", {
      "certificates", "install", "--name", "x", "--cert", "old.crt", "--key", "old.key", "--sort",
      "name",
    })
    assert.same({}, device:log())
  end)

  it("are installed once", function()
    profile "www"
    local row = install("new", "--ssl-profile", "www")
    assert.equal("created", row.result)
    assert.same({ "/Common/www" }, row.profiles)
    assert.equal("/Common/new.crt", pair_of "www")
    device:clear_log()
    assert.equal("unchanged", install("new", "--ssl-profile", "www").result)
    assert.equal(0, writes())
    assert.equal(
      "created /Common/T.crt (CN=new.example.net, expires " .. row.expires
        .. "); no profile changed\n",
      ok({
        "certificates", "install", "--name", "T", "--cert", "new.crt", "--key", "locked.key",
        "--passphrase-env", "PHRASE", "-o", "text",
      }, { env = { PHRASE = "hunter2" } })
    )
  end)

  it("are checked before a device is called", function()
    device:clear_log()
    local head <const> = { "certificates", "install", "--name", "x", "--cert", "new.crt" }
    local function with(...)
      local words = table.move(head, 1, #head, 1, {})
      for _, word in ipairs { ... } do words[#words + 1] = word end
      return words
    end
    wrong(1, "key", with("--key", "old.key"))
    wrong(2, "cannot read none.key: No such file", with("--key", "none.key"))
    wrong(1, "passphrase", with("--key", "locked.key"))
    wrong(2, "PHRASE is not set", with("--key", "locked.key", "--passphrase-env", "PHRASE"))
    wrong(2, "no name given", { "certificates", "install", "--cert", "new.crt" })
    wrong(2, "no certificate given", { "certificates", "install", "--name", "x" })
    wrong(2, "install has no %-%-expiring", with("--expiring", "3d"))
    wrong(2, "install has no %-%-delete%-old", with "--delete-old")
    wrong(2, "list has no %-%-cert", { "certificates", "--cert", "new.crt" })
    wrong(2, "no old certificate given", { "certificates", "rotate", "--name", "x" })
    wrong(2, "takes no further word, but 'x' is there", { "certificates", "list", "x" })
    assert.equal(0, #device:log())
    wrong(3, "no client%-ssl profile /Common/nope", with(
      "--key", "new.key", "--ssl-profile", "nope"
    ))
  end)

  it("are rotated: the profiles of both kinds move in one transaction", function()
    profile "www"
    install("old", "--ssl-profile", "www")
    profile("child", { defaultsFrom = "/Common/www" })
    bip.ltm.profile["server-ssl"].back:create {
      cert = "/Common/old.crt", key = "/Common/old.key",
    }
    device:clear_log()
    local row <const> = f5.json.decode(ok(rotate()))
    assert.equal("created", row.result)
    assert.same({ "/Common/www", "/Common/back" }, row.profiles)
    assert.same({ "/Common/old.crt", "kept" }, { row.old, row.old_result })
    assert.equal("/Common/new.crt", pair_of "www")
    assert.equal("/Common/new.crt", pair_of "child")
    assert.equal("true", bip.ltm.profile["client-ssl"].child:load().inheritCertkeychain)
    assert.equal("/Common/new.crt", bip.ltm.profile["server-ssl"].back:load().cert)
    local commits = 0
    for _, call in ipairs(device:log()) do
      local is_commit = call.method == "PATCH" and call.path:find "/tm/transaction/"
      if is_commit then commits = commits + 1 end
    end
    assert.equal(1, commits)
    device:clear_log()
    assert.equal("unchanged", f5.json.decode(ok(rotate())).result)
    assert.equal(0, writes())
    local last <const> = f5.json.decode(ok(rotate "--delete-old"))
    assert.same({ "changed", "deleted" }, { last.result, last.old_result })
    assert.is_false(bip.sys.file["ssl-cert"]["/Common/old.crt"]:exists())
    assert.is_false(bip.sys.file["ssl-key"]["/Common/old.key"]:exists())
    local again <const> = f5.json.decode(ok(rotate "--delete-old"))
    assert.same({ "unchanged", "absent" }, { again.result, again.old_result })
  end)

  it("of several in a profile, rotate replaces the right one", function()
    install "old"
    install "ec"
    profile("two", { certKeyChain = f5.array {
      { name = "ec", cert = "/Common/ec.crt", key = "/Common/ec.key" },
      { name = "rsa", cert = "/Common/old.crt", key = "/Common/old.key" },
    } })
    ok(rotate "--delete-old")
    local certs = {}
    for _, entry in ipairs(bip.ltm.profile["client-ssl"].two:load().certKeyChain) do
      certs[entry.name] = entry.cert
    end
    assert.same({ ec = "/Common/ec.crt", rsa = "/Common/new.crt" }, certs)
  end)

  it("are rotated whatever the files of the old pair are called", function()
    local function import(kind, name, file)
      bip:upload(place.path .. "/" .. file, { to = "downloads", name = file })
      bip.sys.file[kind]:create {
        name = name, sourcePath = "file:/var/config/rest/downloads/" .. file,
      }
    end
    import("ssl-cert", "www.example.net", "leaf.crt")
    import("ssl-key", "secret-of-www", "leaf.key")
    import("ssl-cert", "corporate", "ca.crt")
    profile("www", { certKeyChain = f5.array { {
      name = "a", cert = "/Common/www.example.net", key = "/Common/secret-of-www",
      chain = "/Common/corporate",
    } } })
    local out <const> = ok {
      "certificates", "rotate", "www.example.net", "--name", "new", "--cert", "new.crt", "--key",
      "new.key", "--delete-old", "-o", "text",
    }
    assert.matches("deleted /Common/www.example.net\nkept /Common/corporate, which others may use",
      out, 1, true)
    assert.equal("/Common/new.crt", pair_of "www")
    local files <const> = bip.sys.file
    assert.same({ false, false, true }, {
      files["ssl-cert"]["www.example.net"]:exists(), files["ssl-key"]["secret-of-www"]:exists(),
      files["ssl-cert"].corporate:exists(),
    })
  end)

  it("are rotated in the folder of the old one, with their chain", function()
    bip.auth.partition.T:create {}
    local row = f5.json.decode(ok {
      "certificates", "install", "--name", "/T/old", "--cert", "leaf.crt", "--key", "leaf.key",
      "--chain", "ca.crt",
    })
    assert.equal("/T/old-chain.crt", row.chain)
    profile("/T/www", { certKeyChain = f5.array {
      { name = "a", cert = "/T/old.crt", key = "/T/old.key", chain = "/T/old-chain.crt" },
    } })
    profile("/T/mutual", { caFile = "/T/old-chain.crt" })
    local words <const> = {
      "certificates", "rotate", "/T/old", "--name", "new", "--cert", "new.crt", "--key", "new.key",
      "--delete-old",
    }
    row = f5.json.decode(ok(words))
    assert.same({ "/T/new.crt", "deleted" }, { row.name, row.old_result })
    assert.equal("/T/old-chain.crt", row.left)
    bip.ltm.profile["client-ssl"]["/T/mutual"]:delete()
    row = f5.json.decode(ok(words))
    assert.same({ "changed", "absent" }, { row.result, row.old_result })
    local certs <const> = bip.sys.file["ssl-cert"]
    assert.is_false(certs["/T/old.crt"]:exists())
    assert.is_false(certs["/T/old-chain.crt"]:exists())
    assert.equal("unchanged", f5.json.decode(ok(words)).result)
    local entry <const> = bip.ltm.profile["client-ssl"]["/T/www"]:load().certKeyChain[1]
    assert.equal("none", entry.chain or "none")
  end)

  it("that are still used stay, and the message says so", function()
    profile "www"
    install("old", "--ssl-profile", "www")
    -- a use that is no profile
    bip.ltm.profile["client-ssl"].mutual:create {
      defaultsFrom = "/Common/clientssl", caFile = "/Common/old.crt",
    }
    wrong(1, "the new pair /Common/new.crt is in use, but the old one /Common/old.crt could not",
      rotate "--delete-old")
    assert.is_true(bip.sys.file["ssl-key"]["/Common/old.key"]:exists())
    assert.equal("/Common/new.crt", pair_of "www")
  end)

  it("need an old one, and another name", function()
    wrong(3, "there is no certificate /Common/old.crt", rotate())
    install "old"
    wrong(1, "the new pair needs another name", { "certificates", "rotate", "old.crt", "--name",
      "/Common/old", "--cert", "new.crt", "--key", "new.key" })
  end)

  it("are only shown with --check, and taken back after --undoable", function()
    profile "www"
    install("old", "--ssl-profile", "www")
    device:clear_log()
    assert.matches("/Common/new.crt", ok(rotate "--check"))
    assert.equal(0, writes())
    local state <const> = place.path .. "/state"
    local _, err = ok(rotate "--undoable", { env = { XDG_STATE_HOME = state } })
    local id <const> = err:match "'f5lua undo (%S+)'"
    assert(id, err)
    assert.equal("/Common/new.crt", pair_of "www")
    ok({ "undo", id }, { env = { XDG_STATE_HOME = state } })
    assert.equal("/Common/old.crt", pair_of "www")
  end)

  it("are handled on an inventory", function()
    local second <close> = require("f5.sim").start {}
    place:file("sites.lua", ([[return { devices = {
      { name = "a", host = "127.0.0.1", port = %d, ca = %q },
      { name = "b", host = "127.0.0.1", port = %d, ca = %q } } }]]):format(
      device.port, device.ca, second.port, second.ca))
    local inventory <const> = "--inventory=sites.lua"
    local out = ok { "certificates", "install", "--name", "old", "--cert", "old.crt", "--key",
      "old.key", inventory, "-o", "text" }
    assert.matches("a: created /Common/old.crt", out)
    assert.matches("b: created /Common/old.crt", out)
    out = ok { "certificates", "--expiring", "30d", inventory, "-o", "csv" }
    assert.matches("^device,name,expires,days,subject,profiles\na,/Common/old.crt,[^\n]*\n"
      .. "b,/Common/old.crt,[^\n]*\n$", out)
    local words <const> = { "certificates", "--expiring", "30d", inventory, "--exit-code" }
    assert.equal(4, f5lua(words).status)
    wrong(2, "list has no %-%-journal", { "certificates", inventory, "--journal", "j" })
  end)
end)
