-- REST from the shell over an inventory.
local f5 = require "f5"
local lab = require "lab"
local lfs = require "lfs"
local program = require "program"
local sim = require "f5.sim"

describe("E2 REST over an inventory", function()
  local first, second, place

  before_each(function()
    place = program.directory()
    local function seed(monitor)
      return { seed = { objects = { ["/mgmt/tm/ltm/pool"] = {
        { name = "web", monitor = monitor }, { name = "old-1" }, { name = "old-2" },
      } } } }
    end
    first, second = sim.start(seed "/Common/http"), sim.start(seed "/Common/https")
    place:file("sites.lua", ([[return { devices = {
      { name = "a", host = "127.0.0.1", port = %d, ca = %q },
      { name = "b", host = "127.0.0.1", port = %d, ca = %q } } }]]):format(
      first.port, first.ca, second.port, second.ca))
  end)
  after_each(function() lab.stop(place, first, second) end)

  local function f5lua(words)
    local all = table.move(words, 1, #words, 1, {})
    all[#all + 1] = "--inventory=sites.lua"
    return program.run(all, { env = lab.environment(first, { F5_SERVER = "" }),
      directory = place.path })
  end

  local function rows(words)
    local result, list = f5lua(words), {}
    assert.equal(0, result.status, result.err)
    for line in result.out:gmatch "[^\n]+" do
      local row <const> = f5.json.decode(line)
      list[row.device] = list[row.device] or {}
      table.insert(list[row.device], row)
    end
    return list, result.err
  end

  local function wrong(status, message, words)
    local result = f5lua(words)
    assert.equal(status, result.status, result.err .. result.out)
    assert.matches(message, result.err)
  end

  it("reads objects of all devices", function()
    local found = rows { "get", "ltm/pool", "web" }
    assert.equal("/Common/http", found.a[1].monitor)
    assert.equal("/Common/https", found.b[1].monitor)
    found = rows { "list", "ltm/pool" }
    assert.same({ 3, 3 }, { #found.a, #found.b })
    assert.equal(0, rows({ "stats", "ltm/pool", "web" }).a[1]["serverside.curConns"])
    local list <const> = {
      "list", "ltm/pool", "--where", "name == 'web'", "--workers", "1", "--output", "table",
    }
    assert.matches("^device +name +monitor.*\na +web +http.*\nb +web +https", f5lua(list).out)
    list[#list] = "csv"
    table.insert(list, "--select=name,monitor")
    assert.equal(
      "device,name,monitor\na,web,/Common/http\nb,web,/Common/https\n", f5lua(list).out
    )
  end)

  it("shows nested entries as plain values in tables", function()
    local words <const> = { "get", "sys/version", "-o", "csv", "--workers=1" }
    assert.matches("^device,[^\n]*Product.*\na,.*\nb,", f5lua(words).out)
    words[4] = "table"
    local out <const> = f5lua(words).out
    assert.matches("^device +%u", out)
    assert.matches("\na +%S.*\nb +%S", out)
  end)

  it("makes what is missing, and says where", function()
    local words <const> = { "ensure", "ltm/pool", "web", "monitor=/Common/http" }
    local found, err = rows(words)
    assert.equal("unchanged", found.a[1].result)
    assert.equal("changed", found.b[1].result)
    assert.matches("2 devices: 2 done %(1 changed%)", err)
    assert.equal("unchanged", rows(words).b[1].result)
    found = rows { "absent", "ltm/pool", "old-1" }
    assert.same({ "deleted", "deleted" }, { found.a[1].result, found.b[1].result })
    found = rows { "create", "ltm/node", "n1", "address=10.0.0.1" }
    assert.equal("10.0.0.1", found.b[1].address)
    assert.equal("disabled", rows({
      "modify", "ltm/node", "n1", "session=user-disabled", "description=disabled",
    }).a[1].description)
    wrong(1, "a: failed: .*already exists", { "create", "ltm/node", "n1", "address=10.0.0.1" })
  end)

  it("asks nobody: several objects need --yes", function()
    first:clear_log()
    local message <const> = "on several objects of many devices it needs %-%-yes"
    wrong(2, message, { "delete", "ltm/pool", "old*" })
    wrong(2, "needs %-%-yes", { "modify", "ltm/pool", "description=x" })
    wrong(2, "needs %-%-yes", { "delete", "ltm/pool", "web", "--pattern" })
    assert.equal(0, #first:log())
    rows { "delete", "ltm/pool", "old*", "--yes" }
    assert.same({ 1, 1 }, { #rows({ "list", "ltm/pool" }).a, #rows({ "list", "ltm/pool" }).b })
    rows { "delete", "ltm/pool", "web" }
  end)

  it("checks, keeps change records, and stops after a canary", function()
    local check = f5lua { "ensure", "ltm/pool", "web", "monitor=/Common/http", "--check" }
    assert.equal(0, check.status, check.err)
    assert.matches("1 device: no changes %(a%)", check.out)
    assert.matches("1 device: this change %(b%)", check.out)
    assert.equal("/Common/https", rows({ "get", "ltm/pool", "web" }).b[1].monitor)
    second:fault { match = { path = "/mgmt/tm/ltm/node" }, status = 500, times = 1000 }
    local result = f5lua { "create", "ltm/node", "n2", "address=10.0.0.2", "--canary", "1",
      "--report", "r.xml" }
    assert.equal(1, result.status)
    assert.matches("a", result.out)
    assert(lfs.attributes(place.path .. "/r.xml"))
    second:clear_faults()
    local state <const> = place.path .. "/state"
    local undoable = program.run({
      "modify", "ltm/pool", "web", "description=x", "--undoable", "--inventory=sites.lua",
    }, { env = lab.environment(first, { F5_SERVER = "", XDG_STATE_HOME = state }),
      directory = place.path })
    assert.equal(0, undoable.status, undoable.err)
    assert.matches("2 writes in the change record", undoable.err)
  end)

  it("keeps no secret in a journal", function()
    rows { "create", "auth/user", "bob", "password=Very-Secret-1", "--journal", "journal" }
    local text <const> = place:read "journal"
    assert.is_nil(text:find("Very-Secret", 1, true), text)
    local _, err = rows { "create", "auth/user", "bob", "password=Very-Secret-1", "--journal",
      "journal" }
    assert.matches("2 done by an earlier run", err)
  end)

  it("names wrong words once for each device, or before any", function()
    wrong(1, "a: failed: \"monitr\" unknown property %(did you mean 'monitor'", {
      "modify", "ltm/pool", "web", "monitr=x",
    })
    wrong(2, "%-%-host or %-%-inventory, not both", { "list", "ltm/pool", "-H", "x" })
    wrong(2, "list takes no properties", { "list", "ltm/pool", "a=b" })
    local single = program.run({ "list", "ltm/pool", "--limit", "a" }, {
      env = lab.environment(first),
    })
    assert.equal(2, single.status)
    assert.matches("%-%-limit needs %-%-inventory", single.err)
  end)
end)
