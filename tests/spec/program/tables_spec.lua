-- Tables of the one-line subcommands: the columns of a kind, wide tables, --select, --sort, --where
-- and YAML.
local catalogue = require "sim.config.catalogue"
local columns_of = require "f5.table.columns"
local f5 = require "f5"
local json = require "f5.json"
local kinds = require "f5.table.kinds"
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"
local terminal = require "terminal"

local device, environment

local function run(...)
  local result = program.run({ ... }, { env = environment })
  assert.same({ 0, "" }, { result.status, result.err })
  return result.out
end

local function refused(status, ...)
  local result <const> = program.run({ ... }, { env = environment })
  assert.same({ status, "" }, { result.status, result.out })
  return result.err
end

-- The lines of a table without the number of items.
local function table_of(...)
  local lines = {}
  for line in run(...):gmatch "[^\n]+" do lines[#lines + 1] = line:gsub(" +", " ") end
  assert.matches("^%d+ items?$", table.remove(lines))
  return lines
end

local function count_calls(pattern)
  local count = 0
  for _, call in ipairs(device:log()) do
    if call.path:find(pattern) then count = count + 1 end
  end
  device:clear_log()
  return count
end

local RULE <const> = 'when HTTP_REQUEST {\n\tif { [HTTP::uri] eq "/" } {\n  }\n}\n'
  .. "when CLIENT_DATA {\n}\n"

describe("E8 tables", function()
  setup(function()
    device = sim.start { provision = { "ltm", "gtm" } }
    environment = lab.environment(device)
    local bip <close> = lab.connect(device)
    bip.ltm.pool:create {
      name = "web", monitor = "/Common/http and /Common/tcp", description = "shop",
      members = { "10.0.0.10:80", "10.0.0.2:80", "10.0.0.9:80" },
    }
    bip.ltm.pool["/Common/web"].members["/Common/10.0.0.2:80"]:modify { session = "user-disabled" }
    bip.ltm.pool:create { name = "api", minActiveMembers = 2 }
    bip.auth.partition.Tenant:create {}
    bip.ltm.pool["/Tenant/web"]:create {}
    bip.ltm.virtual:create {
      name = "vs", destination = "/Common/203.0.113.10:443", pool = "/Common/web",
      ipProtocol = "tcp",
    }
    bip.ltm.rule:create { name = "redirect", apiAnonymous = RULE }
    device:advance(30) -- the monitors have looked
  end)
  teardown(function() device:stop() end)
  before_each(function() device:clear_log() end)

  it("show the monitor, the members and the state of a pool", function()
    assert.same({
      "name monitor members state loadBalancingMode description",
      "/Tenant/web 0/0 unknown round-robin",
      "web http and tcp 2/3 available round-robin shop",
      "api 0/0 unknown round-robin",
    }, table_of("list", "ltm/pool", "-o", "table", "--sort", "fullPath:desc,name"))
    assert.equal(1, count_calls "/ltm/pool/stats")
    assert.same({
      "name address state session ratio priorityGroup",
      "10.0.0.2:80 10.0.0.2 up user-disabled 1 0",
      "10.0.0.9:80 10.0.0.9 up monitor-enabled 1 0",
      "10.0.0.10:80 10.0.0.10 up monitor-enabled 1 0",
    }, table_of("list", "ltm/pool", "web", "members", "-o", "table", "--sort", "address"))
    assert.equal(0, count_calls "/stats")
  end)

  it("show what people look for in other kinds", function()
    assert.same(
      { "name destination pool state ipProtocol", "vs 203.0.113.10:443 web available tcp" },
      table_of("list", "ltm/virtual", "-o", "table")
    )
    local certificates <const> = table_of("get", "sys/file/ssl-cert", "-o", "table")
    assert.equal("name subjectName expires days issuer", certificates[1])
    assert.matches("^default.crt localhost.localdomain 20%d%d%-%d%d%-%d%d %d+ ", certificates[3])
    assert.matches(
      "\nredirect +HTTP_REQUEST CLIENT_DATA +6\n", run("list", "ltm/rule", "-o", "table")
    )
    assert.equal("name roles description", table_of("list", "auth/user", "-o", "table")[1])
    -- nothing is known about these kinds: what differs comes first
    assert.matches("^ltm/pool$", table.concat(table_of("get", "ltm", "-o", "table"), "\n"):match
      "\n(ltm/pool)\n")
    assert.matches("^name +value +defaultValue", run("list", "sys/db", "-o", "table"))
  end)

  it("have only columns that their kinds have", function()
    local count, unknown = 0, {}
    for kind, entry in pairs(kinds) do
      local names = {}
      local template <const> = kind:gsub("^gtm/server/", "gtm/server/*/")
        :gsub("/members$", "/*/members"):gsub("^ltm/policy/rules", "ltm/policy/*/rules")
        :gsub("^net/vlan/interfaces", "net/vlan/*/interfaces")
      local prefix <const> = kind:match "^(.*)/%*$"
      for _, module in ipairs { kind:match "^[^/]+" } do
        for _, path in ipairs(catalogue.templates(module)) do
          if path == template or prefix and path:match "^(.*)/[^/*]+$" == prefix then
            for name in pairs(catalogue.find(path).props) do names[name] = true end
          end
        end
      end
      if next(names) then
        for column in (entry.columns .. " " .. entry.wide):gmatch "%S+" do
          local is_known = names[column:match "^[^.]+"] or columns_of.computed(kind)[column]
          if not is_known then unknown[#unknown + 1] = kind .. " has no " .. column end
          count = count + 1
        end
      end
    end
    assert.same({}, unknown)
    assert.is_true(count > 150, tostring(count))
  end)

  it("are the same in the console, whichever device the list came from", function()
    local function console(entry, other)
      local result <const> = program.run({ "console" }, {
        env = other or environment, input = entry .. "\n",
      })
      assert.same({ 0, "" }, { result.status, result.err })
      return (result.out:gsub("; .json _ shows all properties", ""))
    end
    for _, kind in ipairs { "pool", "virtual" } do
      assert.equal(run("list", "ltm/" .. kind, "-o", "table"), console("bip.ltm." .. kind
        .. ":list()"))
    end
    device:clear_log()
    local selected <const> = console 'bip.ltm.pool:list { select = { "name" } }'
    assert.matches("^name\napi\nweb\nweb\n3 items\n$", selected)
    assert.equal(0, count_calls "/stats")
    -- the object itself has no more properties than the device answered
    assert.equal("nil\nnil\n", console "x = bip.ltm.pool:list(); print(x[1].state)\nx[1].state")
    -- the current device is another one
    local other <close> = sim.start {}
    local there <const> = ('bip = f5.connect { host = "%s", port = %d, ca = %q }'):format(
      "127.0.0.1", other.port, other.ca
    )
    assert.matches("\nweb +[^\n]+ +2/3 +available", console(
      "x = bip.ltm.pool:list()\n" .. there .. "\nx"
    ))
  end)

  it("are wide, or have the columns that are selected", function()
    local wide <const> = table_of("list", "ltm/pool", "-o", "wide")[1]
    assert.matches("^name monitor members state .* minActiveMembers ", wide)
    assert.equal(
      "name  state\nweb   available\n",
      run("list", "ltm/pool", "--select", "name,state", "-o", "table", "--where", "description")
    )
    assert.equal("2/3,web\n", run("list", "ltm/pool", "--select", "members,name", "-o", "csv",
      "--where", "monitor"):match "\n(.*)")
    assert.same({ name = "vs", state = "available" },
      json.decode(run("get", "ltm/virtual", "vs", "--select", "name,state")))
    -- an object that can be written back has no columns of f5lua
    local object <const> = json.decode(run("list", "ltm/pool", "--where", 'state ~= "unknown"'))
    assert.same({ "/Common/web", nil, nil }, { object.fullPath, object.state, object.members })
    assert.matches("\nkind +tm:ltm:pool:poolstate\n", run("get", "ltm/pool", "web", "-o", "wide"))
  end)

  it("end where the terminal ends, and are whole elsewhere", function()
    local narrow <close> =
      terminal.start({ "list", "ltm/pool" }, { env = environment, columns = 40 })
    narrow:expect "name +members +state\napi +0/0 +unknown\n"
    narrow:expect "%d items; %-o wide shows more columns"
    narrow:expect "no room for monitor, loadBalancingMode,\ndescription"
    local long <const> = ("long"):rep(50)
    local bip <close> = lab.connect(device)
    bip.ltm.pool.web:modify { description = long }
    assert.matches(long, run("list", "ltm/pool", "-o", "table"), 1, true)
    bip.ltm.pool.web:modify { description = "shop" }
  end)

  it("leave out columns in a narrow terminal, and never make two names one", function()
    local rows = {}
    for i = 1, 3 do
      rows[i] = {
        kind = "tm:ltm:virtual:virtualstate", name = ("shop_production_%d_https_virtual"):format(i),
        fullPath = ("/Common/shop_production_%d_https_virtual"):format(i),
        destination = ("/Common/203.0.113.%d:443"):format(i),
        pool = ("/Common/shop_production_%d_https_pool"):format(i), ipProtocol = "tcp",
        description = "the shop of the western region, whose owner is team retail",
      }
    end
    local wide <const> = f5.table(rows)
    assert.matches("_3_https_virtual +203.0.113.3:443 +shop_production_3_https_pool +tcp +the",
      wide)
    for width = 40, 140, 5 do
      local text <const>, seen = f5.table(rows, nil, { width = width }), {}
      for line in (text .. "\n"):gmatch "(.-)\n" do
        assert.is_true(utf8.len(line) <= width, line)
        assert.is_nil(seen[line], line)
        seen[line] = true
      end
      for i = 1, 3 do
        -- an address is whole or not there
        assert.equal(text:find("203", 1, true) ~= nil, text:find(rows[i].destination:sub(9), 1,
          true) ~= nil)
        assert.matches(("shop_production_%d_https_virtual"):format(i), text, 1, true)
      end
    end
    local head <const> = f5.table(rows, nil, { width = 60 }):match "^[^\n]+"
    assert.equal("name destination ipProtocol", (head:gsub(" +", " ")))
    local cut <const> = f5.table(rows, { "pool" }, { width = 24 })
    assert.matches("\n/Common/shop…1_https_pool\n/Common/shop…2_https_pool\n", cut)
    -- texts for people are cut at their end, lists behind an item
    local texts <const> = f5.table(
      { { n = 1, description = "a long text for people", list = { "first", "second", "third" } } },
      { "n", "description", "list" }, { width = 40 }
    )
    assert.equal("n  description          list\n1  a long text for pe…  first, second, …", texts)
  end)

  it("of statistics leave out /Common/, too", function()
    local out <const> = run("stats", "ltm/pool", "-o", "table")
    assert.matches("\nweb +available", out)
    assert.not_matches("/Common/", out, 1, true)
    assert.matches('"/Common/web"', run("stats", "ltm/pool", "-o", "json"), 1, true)
  end)

  it("show the text of an iRule as lines", function()
    local out <const> = run("get", "ltm/rule", "redirect", "-o", "table")
    assert.matches('\napiAnonymous\n  when HTTP_REQUEST {\n  \tif { [HTTP::uri] eq "/" } {\n    }\n'
      .. "  }\n  when CLIENT_DATA {\n  }\n", out, 1, true)
  end)

  it("flatten nested entries", function()
    local out <const> = run("get", "sys/version", "-o", "table")
    assert.matches("\nProduct +BIG%-IP\n", out)
    assert.not_matches("nestedStats", out)
    assert.not_matches("https://", run("get", "sys/hardware", "-o", "table"))
    assert.matches(
      "^name +status.availabilityState +activeMemberCnt +memberCnt +serverside.curConns ",
      run("stats", "ltm/pool", "-o", "wide")
    )
  end)

  it("say that get reads one page only", function()
    local result <const> =
      program.run({ "get", "ltm/pool", "--top", "1", "-o", "table" }, { env = environment })
    assert.same(
      { 0, "f5lua: this is one page of several: f5lua list reads all\n" },
      { result.status, result.err }
    )
    assert.matches("\n1 item\n$", result.out)
    run("get", "ltm/pool", "--top", "1", "-o", "json")
  end)

  it("come without what the statistics would say, if there are none", function()
    device:fault {
      match = { path = "/ltm/pool/stats" }, status = 403, times = 2,
      body = { code = 403, message = "no statistics" },
    }
    local result <const> =
      program.run({ "list", "ltm/pool", "-o", "table" }, { env = environment })
    assert.same(
      { 0, "f5lua: the device has no statistics for members, state: no statistics\n" },
      { result.status, result.err }
    )
    assert.matches("^name +monitor +loadBalancingMode", result.out)
    assert.matches("no statistics", refused(3, "list", "ltm/pool", "--where", "state == 'up'"))
    device:clear_faults()
  end)
end)

describe("E8 rows", function()
  local function names(...)
    local out = {}
    for line in run(...):gmatch "[^\n]+" do out[#out + 1] = json.decode(line).name end
    return out
  end

  setup(function()
    device = sim.start {}
    environment = lab.environment(device)
    local bip <close> = lab.connect(device)
    local addresses <const> = { "10.0.0.10", "10.0.0.9", "2001:db8::10", "2001:db8::9", "9.9.9.9" }
    for i, address in ipairs(addresses) do
      bip.ltm.node:create { name = "n" .. i + 5, address = address, ratio = 12 - i }
    end
    bip.ltm.node.n6:modify { description = "it's \27[31mred" }
  end)
  teardown(function() device:stop() end)

  local function sorted(by, ...) return names("list", "ltm/node", "--sort", by, ...) end

  it("are sorted: numbers, addresses and texts", function()
    assert.same({ "n6", "n7", "n8", "n9", "n10" }, sorted "name")
    assert.same({ "n10", "n7", "n6", "n9", "n8" }, sorted "address")
    assert.same({ "n8", "n9", "n6", "n7", "n10" }, sorted "address:desc")
    assert.same({ "n10", "n9", "n8", "n7", "n6" }, sorted "ratio")
    -- what has no description is last, in both directions
    assert.equal("n6", sorted("description")[1])
    assert.same({ "n6", "n10", "n9" }, sorted("description:desc,ratio", "--top", "3"))
    assert.same({ "n8", "n7" }, sorted("ratio:asc", "--skip", "2", "--top", "2"))
  end)

  it("meet a condition in Lua", function()
    local function where(condition, ...)
      return names("list", "ltm/node", "--where", condition, ...)
    end
    assert.same({ "n6", "n7" }, where("ratio > 9", "--sort", "name"))
    assert.same({ "n6" }, where 'description:find "red"')
    assert.same({ "n6" }, where 'description > ""')
    assert.equal(4, #where "not description")
    assert.same({ "n7" }, where "object.ratio == math.max(10, 3) and type(name) == 'string'")
    assert.equal(5, #where 'fqdn.addressFamily == "ipv4"')
    assert.same({ "n10" }, where("ratio < 10", "--top", "1", "--sort", "ratio"))
    assert.same({ "n8" }, where("address:find ':' and ratio == 9", "--select", "name"))
    assert.equal("name,address\nn10,9.9.9.9\n", run("list", "ltm/node", "--where",
      "ratio < 8", "--select", "name,address", "-o", "csv"))
    assert.equal("[]\n", run("list", "ltm/node", "--where", "false", "-o", "yaml"))
  end)

  it("of statistics are sorted and selected, too", function()
    local function stats(...) return run("stats", "ltm/node", ...) end
    assert.equal(
      "name,addr\n/Common/n10,9.9.9.9\n/Common/n7,10.0.0.9\n",
      stats("--sort", "addr", "--top", "2", "--select", "name,addr", "-o", "csv")
    )
    assert.equal(
      '{"name":"/Common/n7"}\n',
      stats("--where", 'serverside.curConns == 0 and addr == "10.0.0.9"', "--select", "name")
    )
    assert.matches(
      "%-%-sort: there is no statistic 'adr'; did you mean 'addr'?",
      refused(2, "stats", "ltm/node", "--sort", "adr")
    )
  end)

  it("refuse what is no condition or no column, and name it", function()
    for condition, words in pairs {
      ["name = 'x'"] = "--where: 'name = 'x'' is no Lua expression: <eof> expected near '=' (== co",
      ["ratio >"] = "--where: 'ratio >' is no Lua expression: unexpected symbol near <eof>",
      ["name > 1"] = "--where 'name > 1' of n10: attempt to compare number with string",
      ["ratoi > 1"] = "--where: there is no property 'ratoi'; did you mean 'ratio'?",
      ["os.exit(9)"] = "--where: there is no property 'os'",
      ["io"] = "--where: there is no property 'io'",
      ["(function() os.exit(9) end)()"] = false,
      ["(function() ratio = 1 end)()"] = "a condition cannot set 'ratio'",
      ["name:rep(-1) == nil.x"] = "is no Lua expression",
      [" "] = "--where: no expression is given",
      ["name, ratio"] = "--where: 'name, ratio' is no Lua expression: it is more than one value",
    } do
      local words_of <const> = { "list", "ltm/node", "--where", condition, "--sort", "name" }
      if words then
        assert.matches(words, refused(2, table.unpack(words_of)), 1, true)
      else
        assert.equal("", run(table.unpack(words_of)))
      end
    end
    for sort, words in pairs {
      nme = "--sort: there is no property 'nme'; did you mean 'name'?",
      ["name:up"] = "--sort: 'name:up' is not COLUMN, COLUMN:asc or COLUMN:desc",
      [","] = "--sort: no column is given",
    } do
      assert.matches(words, refused(2, "list", "ltm/node", "--sort", sort), 1, true)
    end
    assert.not_matches("\27", refused(2, "list", "ltm/node", "--where", "\27[31m"))
    local path <const> = "/mgmt/shared/authz/tokens"
    assert.matches(
      "^f5lua: %-%-where 'name > 1' of %w%w%w%w%*+: attempt",
      refused(2, "list", path, "--where", "name > 1")
    )
    assert.not_matches(("%w"):rep(20), run("list", path, "--where", "name", "-o", "yaml",
      "--select", "name,token"))
    assert.matches(
      "%-%-select: no property is given", refused(2, "list", "ltm/node", "--select", ",")
    )
  end)

  it("are written as YAML that says the same as JSON", function()
    local python <const> = program.run(
      { "-c", "import yaml" }, { program = "/usr/bin/python3" }
    ).status == 0
    local texts <const> = {
      "yes", "No", "null", "~", "1e3", "0x1F", "012", "1:30", "12:30:45", ": x", "a: b", "a #b",
      "#", "- a", "-", "?", "[", "{a", "&a", "*", "!t", "| x", "> x", "%", "@", "`", "'", '"', "",
      " a", "a ", "a\nb", "a\n", "a\n\n", "\na", " a\nb", "a\n b\n\n\tc\n", "\t", "a\tb", "\127",
      "\u{80}", "\u{85}x", "\u{feff}", "ü €", "😀", "1.5", ".5", ".inf", "2026-11-28", "=", "<<",
      "a:b", "http://x/#y", "on", "Y", "a, b", "/Common/web", "1_000", "---", "... x", "x\r\ny",
      "\27[31m", "a:", "0b1", "+1", "key=value", "null\n",
    }
    local value <const> = {
      texts = json.array(texts), empty = json.array {}, nothing = json.null, object = {},
      numbers = json.array { 1, -2, 0.5, 1e20, 1e300, 9007199254740993, 0.1 },
      flags = json.array { true, false }, lists = json.array {
        json.array { "a", json.array { "b" } }, { k = "v", ["yes"] = { n = 1 } }, {},
      },
      ["a: b"] = "c", ["12"] = "d",
    }
    local text <const> = require("f5.table.yaml")(value) .. "\n"
    assert.not_matches("\27", text)
    assert.matches("  - /Common/web\n", text, 1, true)
    assert.matches('  - "yes"\n  - "No"\n', text, 1, true)
    assert.matches("  - |-\n    a\n    b\n", text, 1, true)
    if python then
      local directory <close> = program.directory()
      local result <const> = program.run({
        "-c", "import sys, json, yaml\nprint(json.dumps(yaml.safe_load(open(sys.argv[1], "
          .. "encoding='utf-8'))))", directory:file("v.yaml", text),
      }, { program = "/usr/bin/python3" })
      assert.equal(0, result.status, result.err)
      assert.same(value, json.decode(result.out))
    end
    local out <const> = run("list", "ltm/node", "--where", "ratio == 11", "-o", "yaml")
    assert.matches("^- kind: tm:ltm:node:nodestate\n  name: n6\n", out)
    assert.matches('\n  description: "it\'s \\e[31mred"\n', out, 1, true)
    assert.equal(
      "name: n10\naddress: \"9.9.9.9\"\n",
      run("get", "ltm/node", "n10", "--select", "name,address", "-o", "yaml")
    )
  end)

  it("need one call for each page, and none is kept", function()
    local bip <close> = f5.connect(device:options "admin")
    assert.equal(5, #bip.ltm.node:list())
    device:clear_log()
    assert.equal(1, #names("list", "ltm/node", "--where", "ratio == 7", "--select", "name"))
    local queries = {}
    for _, call in ipairs(device:log()) do
      if call.path:find "ltm/node" then queries[#queries + 1] = call.query or call.path end
    end
    assert.equal(1, #queries)
  end)
end)

describe("E8 print", function()
  setup(function()
    device = sim.start { seed = { objects = { ["/mgmt/tm/ltm/pool"] = {
      { name = "a", description = "one" }, { name = "b", description = "two" },
    } } } }
    environment = lab.environment(device)
  end)
  teardown(function() device:stop() end)

  local function lua(chunk) return run("-e", 'local f5 = require "f5" ' .. chunk) end

  it("shows objects and lists, and other values as in any Lua", function()
    local out <const> = lua [[
      local bip <close> = f5.connect()
      local a = bip.ltm.pool["/Common/a"]
      print("pool", a:load { select = { "name", "description" } })
      print(bip.ltm.pool:list())
      print(bip.sys.ntp:load().timezone, a, f5.null, nil, true, 1, 2.0, { 1, "x" }, {}, f5.array {})
      print({ password = "s3cret", text = "\27[31m" })
      print(setmetatable({}, { __tostring = function() return "mine" end }))]]
    assert.equal(
      "pool\nname         a\ndescription  one\n"
        .. "name  loadBalancingMode  description\n"
        .. "a     round-robin        one\nb     round-robin        two\n"
        .. "UTC\t/mgmt/tm/ltm/pool/~Common~a\tnull\tnil\ttrue\t1\t2.0\t1, x\t{}\t[]\n"
        .. "password  ********\ntext      \\x1b[31m\nmine\n",
      out
    )
    assert.matches("^table: 0x%x+\n$", lua "print(setmetatable({}, { __index = {} }))")
    assert.matches("^t\n +t\n", lua "local t = {} t.t = t print(t)")
  end)

  it("begins each line with the name of the device in a fleet", function()
    local place <close> = program.directory()
    local options <const> = device:options "admin"
    local file <const> = place:file("i.lua", ("return { devices = { { name = 'd1', host = %q, "
      .. "port = %d, ca = %q, username = 'admin', password = 'admin' } } }"):format(
      options.host, options.port, options.ca
    ))
    local playbook <const> = place:file("p.lua", "print(bip.ltm.pool:list())")
    local result <const> = program.run({ "run", "--inventory", file, playbook })
    assert.equal(0, result.status, result.err)
    assert.matches("d1: name +loadB[^\n]*\nd1: a +round[^\n]*\nd1: b +round", result.out)
  end)

  it("is what f5.show returns; f5.table and f5.csv have the columns that are named", function()
    local rows <const> = {
      { name = "a", n = 10, list = { "x", "y" } }, { name = "b", n = 9, text = 'q"\nr' },
    }
    assert.equal("name   n\na     10\nb      9", f5.table(rows, { "name", "n" }))
    assert.equal(
      "name   n  list  text\na     10  x, y\nb      9        q\"\\nr",
      f5.table { rows[1], rows[2] }
    )
    assert.equal('name,text\na,\nb,"q""\nr"\n', f5.csv(rows, { "name", "text" }))
    assert.equal("name,list,n,text\n", f5.csv(rows):match "^[^\n]*\n")
    assert.equal("name\n", f5.csv({}, { "name" }))
    -- `print` would show a second result
    assert.same({ 1, 1, 1 }, {
      select("#", f5.table(rows)), select("#", f5.show(rows)), select("#", f5.show(rows[1])),
    })
    assert.equal("x\na long te…", f5.table({ { x = "a long text" } }, { "x" }, { width = 10 }))
    assert.same({ "x", "1", "null" }, { f5.show "x", f5.show(1), f5.show(json.null) })
    assert.equal("a  1\nb\n  c  2", f5.show { a = 1, b = { c = 2 } })
    for _, call in ipairs {
      function() f5.table(1) end, function() f5.table { x = 1 } end, function() f5.csv { 1 } end,
      function() f5.table({}, {}) end, function() f5.table({}, { 1 }) end,
      function() f5.table({}, nil, { widht = 1 }) end, function() f5.csv({}, "name") end,
      function() f5.table({}, nil, { width = 0 }) end,
    } do
      lab.fails("usage", call)
    end
  end)

  it("has the same columns in the console", function()
    local result <const> = program.run({ "console" }, {
      env = environment, input = "bip.ltm.pool:list()\nprint(bip.ltm.pool.a:load())\n",
    })
    assert.equal(0, result.status, result.err)
    assert.matches("^name +members +state +loadBalancingMode +description\n", result.out)
    assert.matches("\na +0/0 +unknown +round%-robin +one\n", result.out)
    assert.matches("\nname +a\n", result.out)
    assert.equal("fullPath   n\n/Common/a  1", f5.table { { fullPath = "/Common/a", n = 1 } })
  end)
end)
