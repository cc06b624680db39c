-- Names that contain `*` and `?`: a NAME means the object that has it, and is a pattern only if no
-- object has it.
local f5 = require "f5"
local json = require "f5.json"
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"
local terminal = require "terminal"

local device, environment, bip

local function run(words) return program.run(words, { env = environment }) end

local function names(path)
  local out = {}
  for i, object in ipairs(bip:at(path):list()) do out[i] = object.fullPath or object.name end
  table.sort(out)
  return table.concat(out, " ")
end

local function writes()
  local count = 0
  for _, call in ipairs(device:log()) do
    if call.method ~= "GET" and call.path:find "^/mgmt/tm/" then count = count + 1 end
  end
  device:clear_log()
  return count
end

local WIDE <const> = "/Common/*.example.com"
local ALL <const> = WIDE .. " /Common/mail.example.com /Common/www.example.com"

local function start(seed)
  device = sim.start { seed = seed }
  environment = lab.environment(device)
  bip = f5.connect(device:options "admin")
end

describe("A wide IP with * in its name", function()
  before_each(function()
    start { provision = { "ltm", "gtm" } }
    for _, name in ipairs { "*.example.com", "www.example.com", "mail.example.com" } do
      bip.gtm.wideip.a["/Common/" .. name]:create {}
    end
    device:clear_log()
  end)
  after_each(function() lab.stop(bip, device) end)

  it("is the only one that delete deletes, also without --yes", function()
    for _, words in ipairs {
      { WIDE, "--yes" }, { WIDE }, { "*.example.com" }, { WIDE, "--exact" },
    } do
      local done = run { "delete", "gtm/wideip/a", table.unpack(words) }
      assert.equal(0, done.status, done.err)
      assert.equal(1, writes())
      assert.equal("/Common/mail.example.com /Common/www.example.com", names "gtm/wideip/a")
      local noted = done.err:find("is the name of one object, so it is not read as a pattern")
      assert.equal(words[2] ~= "--exact", noted ~= nil, done.err)
      bip.gtm.wideip.a[WIDE]:create {}
      device:clear_log()
    end
  end)

  it("is the only one that modify and replace change", function()
    for _, verb in ipairs { "modify", "replace" } do
      local done = run { verb, "gtm/wideip/a", WIDE, "description=" .. verb, "--yes" }
      assert.equal(0, done.status, done.err)
      assert.equal(1, writes())
      for _, object in ipairs(bip.gtm.wideip.a:list()) do
        assert.equal(object.fullPath == WIDE and verb or nil, object.description)
      end
    end
  end)

  it("is what get, list and stats read", function()
    assert.equal(WIDE, json.decode(run({ "get", "gtm/wideip/a", WIDE }).out).fullPath)
    local short = run { "get", "gtm/wideip/a", "*.example.com" }
    assert.equal("*.example.com", json.decode(short.out).name)
    assert.equal(0, run({ "stats", "gtm/wideip/a", WIDE }).status)
    assert.equal(0, writes())
    assert.is_true(bip.gtm.wideip.a[WIDE]:exists())
    assert.is_false(bip.gtm.wideip.a["/Common/*.com"]:exists())
  end)

  it("is one of all that a pattern matches with --pattern", function()
    local refused = run { "delete", "gtm/wideip/a", WIDE, "--pattern" }
    assert.same({ 2, 0 }, { refused.status, writes() })
    assert.matches("Delete 3 objects of gtm/wideip/a%? Say %-%-yes", refused.err)
    assert.equal(0, run({ "delete", "gtm/wideip/a", WIDE, "--pattern", "--yes" }).status)
    assert.equal("", names "gtm/wideip/a")
  end)

  it("does not make a pattern of its name when it is gone", function()
    assert.equal(0, run({ "delete", "gtm/wideip/a", WIDE, "--yes" }).status)
    writes()
    local again = run { "delete", "gtm/wideip/a", WIDE, "--yes" }
    assert.same({ 2, 0 }, { again.status, writes() })
    assert.matches(
      "^f5lua: no object has the name '/Common/%*.example.com'. As a pattern it matches 2 objects; "
        .. "nothing was changed",
      again.err
    )
    assert.equal(3, run({ "delete", "gtm/wideip/a", WIDE, "--exact" }).status)
    assert.equal("/Common/mail.example.com /Common/www.example.com", names "gtm/wideip/a")
    assert.equal(0, run({ "delete", "gtm/wideip/a", "/Common/m*", "--yes" }).status)
    assert.equal("/Common/www.example.com", names "gtm/wideip/a")
  end)

  it("is asked about on a terminal when only a pattern can be meant", function()
    bip.gtm.wideip.a[WIDE]:delete()
    local screen <close> = terminal.start(
      { "delete", "gtm/wideip/a", WIDE },
      { env = environment, errors_too = true }
    )
    screen:expect "these 2 objects of gtm/wideip/a"
    screen:enter "n"
    assert.equal(0, screen:status())
    assert.equal("/Common/mail.example.com /Common/www.example.com", names "gtm/wideip/a")
  end)

  it("must be named in full when it is in another partition", function()
    bip.gtm.wideip.a[WIDE]:delete()
    bip.auth.partition:create { name = "east" }
    bip.gtm.wideip.a["/east/*.example.com"]:create {}
    writes()
    local refused = run { "delete", "gtm/wideip/a", "*.example.com", "--yes" }
    assert.same({ 2, 0 }, { refused.status, writes() })
    assert.matches(
      "is the name of /east/%*.example.com and also a pattern that matches 3 objects; "
        .. "nothing was changed",
      refused.err
    )
    bip.gtm.wideip.a[WIDE]:create {}
    writes()
    refused = run { "modify", "gtm/wideip/a", "*.example.com", "description=x", "--yes" }
    assert.same({ 2, 0 }, { refused.status, writes() })
    assert.matches("2 objects have the name '%*.example.com'; give the full name", refused.err)
    assert.equal(0, run({ "delete", "gtm/wideip/a", "/east/*.example.com" }).status)
    assert.equal(ALL, names "gtm/wideip/a")
  end)

  it("refuses a choice that makes no sense", function()
    for words, message in pairs {
      [{ WIDE, "--exact", "--pattern" }] = "%-%-exact or %-%-pattern, not both",
      [{ "--exact" }] = "%-%-exact needs a NAME",
      [{ "--pattern", "--yes" }] = "%-%-pattern needs a NAME",
    } do
      local refused = run { "delete", "gtm/wideip/a", table.unpack(words) }
      assert.same({ 2, 0 }, { refused.status, writes() })
      assert.matches(message, refused.err)
    end
  end)

  it("is what the console means", function()
    local screen <close> = terminal.start({}, { env = environment, columns = 120 })
    screen:expect "%(active%)>"
    screen:enter 'bip.gtm.wideip.a["/Common/*.example.com"]:modify { description = "one" }'
    screen:expect "description"
    screen:enter ".quit"
    assert.equal(0, screen:status())
    for _, object in ipairs(bip.gtm.wideip.a:list()) do
      assert.equal(object.fullPath == WIDE and "one" or nil, object.description)
    end
  end)
end)

describe("Entities of ASM with * in their names", function()
  local urls

  before_each(function()
    start { provision = { "ltm", "asm" }, asm = { policies = { { name = "web" } } } }
    local policy = bip.asm.policies:list()[1].id
    urls = "asm/policies/" .. policy .. "/urls"
    for _, url in ipairs(bip:at(urls):list()) do bip:at(urls, url.id):delete() end
    for _, name in ipairs { "/*", "/a", "/b" } do
      local type = name == "/*" and "wildcard" or "explicit"
      bip:at(urls):create { name = name, protocol = "http", type = type }
    end
    device:clear_log()
  end)
  after_each(function() lab.stop(bip, device) end)

  it("are deleted alone, by name", function()
    local done = run { "delete", urls, "/*", "--yes" }
    assert.equal(0, done.status, done.err)
    assert.equal("/a /b", names(urls))
    writes()
    assert.same({ 2, 0 }, { run({ "delete", urls, "/*", "--yes" }).status, writes() })
    assert.equal(0, run({ "delete", urls, "/*", "--yes", "--pattern" }).status)
    assert.equal("", names(urls))
  end)

  it("are not taken by chance when several have the name", function()
    bip:at(urls):create { name = "/*", protocol = "https", type = "wildcard" }
    writes()
    for _, words in ipairs {
      { "delete", urls, "/*", "--yes" },
      { "delete", urls, "/*", "--exact" },
      { "modify", urls, "/*", "description=x", "--yes" },
      { "get", urls, "/*" },
    } do
      local refused = run(words)
      assert.same({ 2, 0 }, { refused.status, writes() }, words[1])
      assert.matches(
        "2 objects have the name '/%*'; give the id of one of them:\n  %S+\n  %S+\n",
        refused.err
      )
    end
    assert.equal(0, run({ "delete", urls, bip:at(urls):list()[1].id }).status)
    assert.equal(3, #bip:at(urls):list())
  end)

  it("are compared by modify_all and delete_all, not matched", function()
    local changed =
      bip:at(urls):modify_all { filter = { name = "/*" }, set = { description = "x" } }
    assert.equal(1, #changed)
    assert.equal(1, #bip:at(urls):delete_all { filter = { name = "/*" } })
    assert.equal("/a /b", names(urls))
  end)
end)

describe("The limit of an inventory", function()
  local inventory <const> = f5.inventory.from_table {
    groups = { ["eu*"] = {}, eu1 = {} },
    devices = {
      { host = "lab*", groups = { "eu*" } }, { host = "lab1", groups = { "eu1" } }, { host = "x?" },
    },
  }

  local function limited(limit)
    local out = {}
    for i, each in ipairs(inventory:limit(limit).devices) do out[i] = each.name end
    return table.concat(out, " ")
  end

  it("refuses a name that is also a pattern for others, unless it is written as one", function()
    for limit, pattern in pairs {
      ["lab*"] = "the limit 'lab%*' can be read in two ways: 'lab%*' is a name and also a pattern "
        .. "that matches 'lab1'",
      ["!lab*"] = "the limit '!lab%*' can be read in two ways",
      ["group:eu*"] = "write '=eu%*' for the name alone, 'eu%*%*' for all that match",
    } do
      local ok, err = pcall(limited, limit)
      assert.is_false(ok)
      assert.matches(pattern, tostring(err))
    end
    assert.equal("lab*", limited "=lab*")
    assert.equal("lab* lab1", limited "lab**")
    assert.equal("lab1 x?", limited "!=lab*")
    assert.equal("lab*", limited "group:=eu*")
    assert.equal("lab* lab1", limited "group:eu**")
    assert.equal("x?", limited "x?")
    assert.equal("lab1", limited "lab1")
    assert.is_false((pcall(limited, "=nothing")))
  end)
end)

describe("f5.files", function()
  it("takes a file of exactly that name before a pattern with brackets", function()
    local directory <close> = program.directory()
    directory:file("a[1].ucs", "")
    assert.same({ directory.path .. "/a[1].ucs" }, f5.files(directory.path, "a[1].ucs"))
    directory:file("a1.ucs", "")
    local ok, err = f5.try(function() return f5.files(directory.path, "a[1].ucs") end)
    assert.same({ false, "usage" }, { ok, err.kind })
    assert.matches(
      "'a%[1%].ucs' is the name of a file and also a pattern that matches 'a1.ucs'",
      err.message
    )
    assert.same({ directory.path .. "/a[1].ucs" }, f5.files(directory.path, "a[[]1].ucs"))
    assert.same({ directory.path .. "/a1.ucs" }, f5.files(directory.path, "a[1]*.ucs"))
  end)
end)
