-- REST from the shell: the one-line subcommands against a simulated device.
local json = require "f5.json"
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"
local terminal = require "terminal"

local device, environment

local function run(words, input)
  return program.run(words, { env = environment, input = input })
end

-- Command lines -> what the message about each says.
local function refuses(cases)
  for words, message in pairs(cases) do
    local split = {}
    for word in words:gmatch "%S+" do split[#split + 1] = word end
    local refused <const> = run(split)
    assert.equal(2, refused.status, refused.err)
    assert.matches(message, refused.err)
  end
end

local function lines(text)
  local out = {}
  for line in text:gmatch "[^\n]+" do out[#out + 1] = line end
  return out
end

describe("REST from the shell", function()
  before_each(function()
    device = sim.start()
    environment = lab.environment(device)
  end)
  after_each(function() device:stop() end)

  it("creates, reads, lists, changes and deletes", function()
    local made =
      run { "create", "ltm/pool", "name=web", "minActiveMembers:=1", 'members:=["10.0.0.1:80"]' }
    assert.same({ 0, "" }, { made.status, made.err })
    assert.equal("/Common/web", json.decode(made.out).fullPath)
    assert.equal(1, json.decode(run({ "get", "ltm/pool", "/Common/web" }).out).minActiveMembers)
    assert.equal(
      "/Common/10.0.0.1:80",
      json.decode(run({ "list", "ltm/pool/~Common~web/members" }).out).fullPath
    )
    local changed = run { "modify", "ltm/node", "/Common/10.0.0.1", "session=user-disabled" }
    assert.equal("user-disabled", json.decode(changed.out).session)
    assert.equal(
      0,
      json.decode(run({ "stats", "ltm/pool", "/Common/web" }).out)["serverside.curConns"]
    )
    assert.same({ 0, "", "" }, { run({ "delete", "ltm/pool", "/Common/web" }).status, "", "" })
    assert.equal(3, run({ "get", "ltm/pool", "/Common/web" }).status)
  end)

  it("ensures that an object is there, or is not, and says what it did", function()
    local function result(...)
      device:clear_log()
      local done <const> = run { ... }
      assert.same({ 0, "" }, { done.status, done.err })
      local out <const>, writes = json.decode(done.out), {}
      for _, write in ipairs(lab.writes(device)) do
        if not write:find "^[A-Z]+ /mgmt/shared/auth" then writes[#writes + 1] = write end
      end
      return { out.result, out.name, out.path, table.unpack(writes) }
    end
    local pool <const> = { "ensure", "ltm/pool", "/Common/web", 'members:=["10.0.0.1:80"]' }
    local made <const> = { "created", "/Common/web", "ltm/pool", "POST ltm/pool" }
    assert.same(made, result(table.unpack(pool)))
    assert.same({ "unchanged", "/Common/web", "ltm/pool" }, result(table.unpack(pool)))
    pool[5] = "description=blue"
    assert.same(
      { "changed", "/Common/web", "ltm/pool", "PATCH ltm/pool/~Common~web" },
      result(table.unpack(pool))
    )
    assert.same(
      { "unchanged", "web", "ltm/pool" }, result("ensure", "ltm/pool", "web", "description=blue")
    )
    assert.same(
      { "unchanged", "10.0.0.1:80", "ltm/pool/~Common~web/members" },
      result("ensure", "ltm/pool", "/Common/web", "members", "10.0.0.1:80", "ratio:=1")
    )
    assert.equal("changed", result("ensure", "sys/ntp", "timezone=Europe/Berlin")[1])
    assert.equal("unchanged", result("ensure", "sys/ntp", "timezone=Europe/Berlin")[1])
    assert.same({ "unchanged", "web", "ltm/pool" }, result("ensure", "ltm/pool", "web",
      "partition=Common", "description=blue"))
    -- a name is never a pattern
    assert.same(
      { "unchanged", "/Common/w*", "ltm/pool" }, result("absent", "ltm/pool", "/Common/w*")
    )
    assert.same(
      { "deleted", "/Common/web", "ltm/pool", "DELETE ltm/pool/~Common~web" },
      result("absent", "ltm/pool", "/Common/web")
    )
    assert.same(
      { "unchanged", "/Common/web", "ltm/pool" }, result("absent", "ltm/pool", "/Common/web")
    )
    refuses {
      ["ensure ltm/pool"] = "no properties given",
      ["absent ltm/pool"] = "needs the NAME of an object",
      ["absent ltm/pool /Common/web a=b"] = "takes no properties",
      ["ensure ltm/pool a=b"] = "ltm/pool is a collection: ensure needs the NAME",
    }
    assert.equal(3, run({ "ensure", "ltm/pool", "/Common/x", "monitor=nope" }).status)
  end)

  it("reads bodies from files, standard input and dotted keys", function()
    local directory <close> = program.directory()
    local file = directory:file(
      "body.json",
      '{"name": "a", "address": "10.0.0.9", "description": "from a file"}'
    )
    assert.equal(
      "from a file",
      json.decode(run({ "create", "ltm/node", "@" .. file }).out).description
    )
    local piped = run(
      { "create", "ltm/node", "@-", "description=mine" },
      '{"name": "b", "address": "10.0.0.8"}'
    )
    assert.equal("mine", json.decode(piped.out).description)
    local dotted =
      run { "create", "ltm/node", "name=c", "fqdn.name=example.net", "fqdn.interval=60" }
    assert.equal("60", json.decode(dotted.out).fqdn.interval)
    for _, word in ipairs {
      "@" .. directory.path,
      "description=@" .. directory.path,
      "description:=@" .. directory.path,
    } do
      local refused = run { "create", "ltm/node", "name=d", "address=10.0.0.7", word }
      assert.same({ 2, "" }, { refused.status, refused.out })
      assert.matches("cannot read " .. directory.path .. ": Is a directory", refused.err, 1, true)
    end
  end)

  it("shows control characters, and does not send them to the terminal", function()
    run(
      { "create", "ltm/node", "@-" },
      '{"name":"n","address":"10.0.0.1","description":"a\\u001b[2J\\u009b2J\\u0007\\nb \195\169"}'
    )
    local shown = run { "list", "ltm/node", "--select", "description", "--output", "table" }
    assert.equal("description\na\\x1b[2J\\x9b2J\\x07\\nb \195\169\n", shown.out)
    run { "modify", "ltm/node", "/Common/n", "description=a\27[2J\u{9b}2J\127b\u{80} \u{e9}\u{a0}" }
    for _, format in ipairs { "table", "json", "jsonl", "csv", "lua" } do
      local result =
        run { "list", "ltm/node", "--select", "description", "--output", format, "-vv" }
      assert.equal(0, result.status, result.err)
      assert.not_matches("[\0-\8\11-\31\127]", result.out .. result.err)
      assert.not_matches("\xC2[\x80-\x9F]", result.out .. result.err)
      assert.matches("2J.*b.* \u{e9}\u{a0}", result.out)
    end
    assert.equal(
      "a\27[2J\u{9b}2J\127b\u{80} \u{e9}\u{a0}",
      json.decode(
        run({ "list", "ltm/node", "--select", "description", "--output", "json" }).out
      )[1].description
    )
    assert.equal(
      "a\27[2J\u{9b}2J\127b\u{80} \u{e9}\u{a0}",
      load(
        run({ "list", "ltm/node", "--select", "description", "--output", "lua" }).out
      )()[1].description
    )
  end)

  it("writes tables, JSON, JSON lines, CSV and Lua", function()
    for i = 1, 3 do run { "create", "ltm/node", "name=n" .. i, "address=10.0.0." .. i } end
    local words = { "list", "ltm/node", "--select", "name,address", "--output" }
    local function as(format)
      return run(table.move({ format }, 1, 1, #words + 1, table.move(words, 1, #words, 1, {}))).out
    end
    assert.equal("name  address\nn1    10.0.0.1\nn2    10.0.0.2\nn3    10.0.0.3\n", as "table")
    local narrow <close> = terminal.start(
      { "list", "ltm/node" },
      { env = environment, columns = 40 }
    )
    narrow:expect "3 items; %-o wide shows more columns"
    assert.equal(3, #json.decode(as "json"))
    assert.same({ name = "n2", address = "10.0.0.2" }, json.decode(lines(as "jsonl")[2]))
    assert.equal("name,address\nn1,10.0.0.1\nn2,10.0.0.2\nn3,10.0.0.3\n", as "csv")
    assert.equal("10.0.0.3", load(as "lua")()[3].address)
    assert.equal(2, #lines(run({ "list", "ltm/node", "--top", "2" }).out))
  end)

  it("runs commands", function()
    local saved = run { "call", "sys/config", "save" }
    assert.same({ 0, "save" }, { saved.status, json.decode(saved.out).command })
    assert.matches("no command given", run({ "call", "sys/config" }).err)
  end)

  it("takes paths as people copy them, and names without a partition", function()
    run { "create", "ltm/pool", "name=web" }
    run { "create", "ltm/pool", "name=old-1" }
    for _, path in ipairs {
      "ltm/pool", "/ltm/pool", "tm/ltm/pool", "/tm/ltm/pool", "mgmt/tm/ltm/pool",
      "/mgmt/tm/ltm/pool", "https://x/mgmt/tm/ltm/pool",
    } do
      assert.equal(
        '{"name":"old-1"}\n{"name":"web"}\n',
        run({ "list", path, "--select", "name" }).out,
        path
      )
    end
    assert.equal("web", json.decode(run({ "get", "ltm/pool", "web" }).out).name)
    assert.equal(
      "x",
      json.decode(run({ "modify", "ltm/pool", "web", "description=x" }).out).description
    )
    assert.equal("admin", json.decode(run({ "get", "auth/user", "admin" }).out).name)
    assert.matches(
      "^f5lua: 'Common/web' is neither a name %(/Common/web%) nor key=value\n",
      run({ "get", "ltm/pool", "Common/web" }).err
    )
    assert.matches("^f5lua: 'b' is neither a name", run({ "modify", "ltm/pool", "web", "b" }).err)
    assert.equal("/Common/web2", json.decode(run({ "create", "ltm/pool", "web2" }).out).fullPath)
    assert.equal(0, run({ "delete", "ltm/pool", "web2" }).status)
    assert.equal(2, run({ "create", "ltm/pool", "web2", "name=web3" }).status)
    assert.equal(0, run({ "delete", "ltm/pool", "old-*", "--yes" }).status)
    assert.equal(1, #lines(run({ "list", "ltm/pool" }).out))
  end)

  it("takes sub-collections and the names in them as words", function()
    run { "create", "ltm/pool", "web", 'members:=["10.0.0.1:80","10.0.0.2:80"]' }
    for _, pool in ipairs { "web", "/Common/web" } do
      local found = run { "list", "ltm/pool", pool, "members", "--select", "name" }
      assert.equal('{"name":"10.0.0.1:80"}\n{"name":"10.0.0.2:80"}\n', found.out)
      for _, member in ipairs { "10.0.0.1:80", "/Common/10.0.0.1:80" } do
        local one = run { "get", "ltm/pool", pool, "members", member }
        assert.equal("10.0.0.1:80", json.decode(one.out).name)
      end
    end
    local made = run { "create", "ltm/pool", "/Common/web", "members", "10.0.0.3:80", "ratio:=3" }
    assert.equal(3, json.decode(made.out).ratio)
    assert.equal(0, run({ "delete", "ltm/pool", "web", "members", "*.2:80", "--yes" }).status)
    local changed = run {
      "modify", "ltm/pool", "web", "members", "/Common/10.0.0.1:80", "ratio:=7",
    }
    assert.equal(7, json.decode(changed.out).ratio)
    local left = run { "list", "ltm/pool", "web", "members", "--select", "name" }
    assert.equal('{"name":"10.0.0.1:80"}\n{"name":"10.0.0.3:80"}\n', left.out)
    for _, words in ipairs {
      { "delete", "ltm/pool", "web", "members", "--yes" },
      { "modify", "ltm/pool", "web", "members", "ratio:=1" },
      { "get", "ltm/pool", "web", "members/x" },
    } do
      local refused = run(words)
      assert.equal(2, refused.status)
      assert.matches("' is neither a name", refused.err)
    end
    assert.equal(2, #lines(run({ "list", "ltm/pool", "web", "members" }).out))
  end)

  it("creates, reads and deletes users, whose names have no partition", function()
    for _, name in ipairs { "bob", "/Common/bob" } do
      local made = run { "create", "auth/user", name, "description=Bob" }
      assert.equal("bob", json.decode(made.out).name)
      assert.equal("Bob", json.decode(run({ "get", "auth/user", name }).out).description)
      assert.equal(0, run({ "delete", "auth/user", name }).status)
    end
  end)

  it("finds objects of ASM by their names", function()
    device:stop()
    device = sim.start {
      seed = {
        provision = { "ltm", "asm" },
        asm = { policies = { { name = "web" }, { name = "old" } } },
      },
    }
    environment.F5_SERVER_PORT, environment.SSL_CERT_FILE = tostring(device.port), device.ca
    assert.equal(
      "hi",
      json.decode(
        run({ "modify", "asm/policies", "/Common/web", "description=hi" }).out
      ).description
    )
    local policy = json.decode(run({ "get", "asm/policies", "web" }).out)
    assert.equal("/Common/web", policy.fullPath)
    assert.equal("web", json.decode(run({ "get", "asm/policies", policy.id }).out).name)
    assert.equal(3, run({ "get", "asm/policies", "/Common/nope" }).status)
    assert.equal(
      0,
      run({ "create", "asm/policies/" .. policy.id .. "/urls", "name=/login" }).status
    )
    assert.equal(
      "/login",
      json.decode(run({ "get", "asm/policies/" .. policy.id .. "/urls", "/login" }).out).name
    )
    for _, name in ipairs { "new", "/Common/full" } do
      for _, result in ipairs { "created", "unchanged" } do
        assert.equal(
          result,
          json.decode(run({ "ensure", "asm/policies", name, "description=d" }).out).result
        )
      end
    end
    local parameter <const> = { "ensure", "asm/policies", "new", "parameters", "a b%*" }
    assert.equal("created", json.decode(run(parameter).out).result)
    assert.equal("unchanged", json.decode(run(parameter).out).result)
    assert.equal(0, run({ "delete", "asm/policies", "/Common/o*", "--yes" }).status)
    assert.equal(3, #lines(run({ "list", "asm/policies" }).out))
  end)

  it("advises in the words of the shell", function()
    assert.matches(
      "\n  hint: f5lua list ltm/pool %-%-select fullPath lists the objects\n$",
      run({ "get", "ltm/pool", "/Common/nope" }).err
    )
    assert.matches(
      "\n  hint: f5lua list ltm/pool/~Common~nope/members %-%-select fullPath lists the objects\n$",
      run({ "get", "ltm/pool/~Common~nope/members", "/Common/10.0.0.1:80" }).err
    )
    assert.not_matches(
      "hint",
      run({ "create", "ltm/pool", "name=web", "monitor=/Common/nope" }).err
    )
    run { "create", "ltm/pool", "name=web" }
    assert.matches(
      "\n  hint: it exists already; change it with f5lua modify\n$",
      run({ "create", "ltm/pool", "name=web" }).err
    )
    for _, words in ipairs {
      { "list", "ltm/pool", "nope", "members" }, { "get", "ltm/pool", "/Common/nope", "members" },
      { "list", "/mgmt/tm/ltm/pool", "nope", "members" },
      { "list", "ltm/pool/~Common~nope/members" },
    } do
      assert.matches(
        "\n  hint: f5lua list ltm/pool %-%-select fullPath lists the objects\n$",
        run(words).err
      )
    end
    local misspelt = run { "list", "ltm/poool" }
    assert.equal(3, misspelt.status)
    assert.matches("%(/mgmt/tm/ltm has no 'poool'; did you mean 'pool'%?%)", misspelt.err)
    assert.not_matches("hint", misspelt.err)
    environment.F5_PASSWORD = "wrong"
    assert.matches(
      "\n  hint: check the user %(%-%-user or F5_USER%) and the password %(F5_PASSWORD%)\n$",
      run({ "list", "ltm/pool" }).err
    )
    environment.SSL_CERT_FILE = nil
    assert.matches(
      "\n  hint: 'f5lua trust [^']+' shows the certificate and stores it as trusted; or name the "
        .. "CA with %-%-ca FILE%.pem; %-%-no%-verify, or F5_VALIDATE_CERTS=no, turns the check "
        .. "off\n$",
      run({ "list", "ltm/pool" }).err
    )
  end)

  it("shows no token, and lets one be deleted by its beginning", function()
    local bip <close> = require("f5").connect(device:options "admin")
    bip:at("/mgmt/shared/authz/tokens"):list() -- its token, which is none of the program's own
    local token = next(device:state().tokens.items)
    local short <const> = token:sub(1, 4) .. "********"
    for _, words in ipairs {
      { "list", "-o", "table" },
      { "list", "-o", "json" },
      { "list", "-o", "jsonl" },
      { "list", "-o", "csv" },
      { "list", "-o", "lua" },
      { "get" },
      { "list", "--select", "name", "-o", "csv" },
      { "list", "--select", "selfLink" },
      { "get", token },
      { "get", "-vv", "-o", "table", token },
    } do
      table.insert(words, 2, "/mgmt/shared/authz/tokens")
      local result = run(words)
      assert.equal(0, result.status, result.err)
      assert.not_matches(token, result.out .. result.err)
      assert.truthy(result.out:find(short, 1, true), result.out)
    end
    local nothing = run { "get", "/mgmt/shared/authz/tokens", (token:gsub("^....", "ZZZZ")) }
    assert.equal(3, nothing.status)
    assert.not_matches(token:sub(5), nothing.out .. nothing.err)
    assert.equal(
      0,
      run({ "delete", "/mgmt/shared/authz/tokens", token:sub(1, 4) .. "*", "--yes" }).status
    )
    assert.is_nil(device:state().tokens.items[token])
  end)

  it("names the option whose value is wrong, and the subcommand that helps", function()
    assert.same(
      { 2, "f5lua: --timeout must be seconds, not 'soon'\nTry 'f5lua list --help'.\n" },
      {
        run({ "list", "ltm/pool", "--timeout", "soon" }).status,
        run({ "list", "ltm/pool", "--timeout", "soon" }).err,
      }
    )
    assert.equal(
      "f5lua: --top must be a whole number, not '1.5'\nTry 'f5lua list --help'.\n",
      run({ "list", "ltm/pool", "--top", "1.5" }).err
    )
    assert.matches(
      "^f5lua: the value of members is not JSON: .*\nTry 'f5lua create %-%-help'%.\n$",
      run({ "create", "ltm/pool", "members:=[" }).err
    )
  end)

  it("says how far it got when one of several is refused", function()
    for i = 1, 3 do run { "create", "ltm/pool", "name=p" .. i } end
    run { "create", "ltm/virtual", "name=v", "destination=203.0.113.1:80", "pool=p2" }
    local result = run { "delete", "ltm/pool", "/Common/p*", "--yes" }
    assert.equal(3, result.status)
    assert.matches(
      "^f5lua: Delete: 1 of 3 done, then a failure at /mgmt/tm/ltm/pool/~Common~p2\nf5lua: "
        .. "01070265:3: .*in use",
      result.err
    )
    assert.equal(2, #lines(run({ "list", "ltm/pool" }).out))
    assert.matches(
      "^f5lua: Delete 1 object of ltm/pool%?",
      run({ "delete", "ltm/pool", "/Common/p3*" }).err
    )
  end)

  it("asks before it acts on several objects", function()
    for i = 1, 3 do run { "create", "ltm/node", "name=n" .. i, "address=10.0.0." .. i } end
    local refused = run { "delete", "ltm/node", "/Common/n*" }
    assert.equal(2, refused.status)
    assert.matches("Delete 3 objects of ltm/node%? Say %-%-yes", refused.err)
    assert.equal(3, #lines(run({ "list", "ltm/node" }).out))
    assert.equal(2, run({ "delete", "ltm/node" }).status)
    local changed = run { "modify", "ltm/node", "/Common/n[1]", "session=user-disabled", "--yes" }
    assert.equal(3, changed.status) -- no pattern: a name that is not there
    assert.equal(
      2,
      #lines(run({ "modify", "ltm/node", "/Common/n?", "session=user-disabled", "--yes" }).out) - 1
    )
    assert.equal(0, run({ "delete", "ltm/node", "/Common/n*", "--yes" }).status)
    assert.equal("", run({ "list", "ltm/node" }).out)
  end)

  it("takes links, also with a version and names behind them", function()
    run { "create", "ltm/pool", "/Common/a b%41", 'members:=["10.0.0.1:80"]' }
    for path, version in pairs {
      ["https://localhost/mgmt/tm/ltm/pool?ver=15.1.0"] = "15.1.0",
      ["/mgmt/tm/ltm/pool?ver=16.1.0"] = "16.1.0", ["/mgmt/tm/ltm/pool/"] = "17.1.3",
      ["mgmt/tm/ltm/pool"] = "17.1.3", ["ltm/pool/"] = "17.1.3",
    } do
      for _, words in ipairs {
        { "get", path, "/Common/a b%41" }, { "list", path, "/Common/a b%41", "members" },
        { "get", path, "/Common/a b%41", "members", "10.0.0.1:80" },
      } do
        local read <const> = run(words)
        assert.equal(0, read.status, read.err)
        assert.matches("%?ver=" .. version, json.decode(read.out).selfLink)
      end
    end
  end)

  it("makes sure that an object is there, without properties, too", function()
    for _, words in ipairs { { "auth/partition", "T1" }, { "ltm/pool", "/Common/web" } } do
      for _, result in ipairs { "created", "unchanged" } do
        local done <const> = run { "ensure", table.unpack(words) }
        assert.equal(result, json.decode(done.out).result, done.err)
      end
    end
  end)

  it("says what is wrong with a command line", function()
    run { "create", "ltm/pool", "web" }
    refuses {
      ["get ltm/pool name=web"] = "get takes no properties",
      ["list ltm/pool name=web"] = "list takes no properties",
      ["stats ltm/pool web a:=1"] = "stats takes no properties",
      ["example ltm/pool name=web"] = "example takes no properties",
      ["delete ltm/pool web a=b"] = "delete takes no properties",
      ["delete ltm --yes"] = "ltm is no collection of objects with names",
      ["get ltm/pool /Common/a~b"] = "it has no path for a name with '~'",
      ["list ltm/pool --timeout 0"] = "option 'timeout' must be between",
      ["list ltm/pool --host a:99999"] = "invalid port '99999'",
    }
    assert.matches("'sesion' is neither", run({ "modify", "ltm/node", "/Common/n", "sesion" }).err)
    assert.matches("no properties given", run({ "modify", "ltm/node", "/Common/n" }).err)
    assert.matches(
      "the value of ratio is not JSON",
      run({ "modify", "ltm/node", "/Common/n", "ratio:=x" }).err
    )
    assert.equal(2, run({ "list" }).status)
    assert.equal(2, run({ "list", "ltm/node", "--output", "xml" }).status)
  end)

  it("leaves no token behind and never shows the password", function()
    environment.F5_PASSWORD = "wrong-p4ssword"
    local failed = run { "-vv", "list", "ltm/node" }
    assert.equal(3, failed.status)
    assert.is_nil((failed.out .. failed.err):find("wrong%-p4ssword"))
    environment.F5_PASSWORD = "admin"
    run { "list", "ltm/node" }
    local log = device:log()
    assert.equal("DELETE", log[#log].method)
  end)

  it("says what is missing when no device is named", function()
    local ran = program.run { "list", "ltm/pool" }
    assert.equal(2, ran.status)
    assert.matches("no device given; use %-%-host HOST or %-p PROFILE, or set F5_SERVER", ran.err)
  end)

  it("shows tables and asks on a terminal", function()
    for i = 1, 2 do run { "create", "ltm/node", "name=n" .. i, "address=10.0.0." .. i } end
    do
      local screen <close> = terminal.start(
        { "list", "ltm/node", "--select", "name,address" },
        { env = environment }
      )
      screen:expect "name +address\nn1 +10.0.0.1\nn2 +10.0.0.2$"
    end
    local doubt <close> = terminal.start(
      { "delete", "ltm/node", "/Common/n*" },
      { env = environment, errors_too = true }
    )
    doubt:expect "/Common/n2"
    doubt:enter "n"
    assert.equal(0, doubt:status())
    assert.equal(2, #lines(run({ "list", "ltm/node" }).out))
    local sure <close> = terminal.start(
      { "delete", "ltm/node", "/Common/n*" },
      { env = environment, errors_too = true }
    )
    sure:expect "/Common/n2"
    sure:enter "y"
    assert.equal(0, sure:status())
    assert.equal("", run({ "list", "ltm/node" }).out)
  end)
end)
