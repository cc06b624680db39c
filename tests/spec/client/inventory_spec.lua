-- Inventories: three forms of a file, one list of devices; every mistake with its file and line.
local inventory = require "f5.inventory"
local program = require "program"

local function failure(fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  return tostring(err)
end

local function names(list)
  local out = {}
  for i, device in ipairs(list.devices) do out[i] = device.name end
  return out
end

describe("an inventory in Lua", function()
  it("lays defaults, groups, parents and devices over each other", function()
    local read = inventory.from_table {
      defaults = { username = "all", retries = 1, vars = { site = "?", ntp = "a" } },
      groups = {
        eu = { username = "eu", children = { "fra" }, vars = { ntp = "b" } },
        fra = { port = 8443, vars = { site = "fra" } },
      },
      devices = {
        "plain",
        { host = "10.0.0.1", name = "x", groups = { "fra" }, retries = 5, vars = { rack = 4 } },
      },
    }
    local plain, x = read.devices[1], read.devices[2]
    assert.same({ host = "plain", label = "plain", username = "all", retries = 1 }, plain.connect)
    assert.same({ site = "?", ntp = "a" }, plain.vars)
    assert.same(
      { host = "10.0.0.1", label = "x", username = "eu", port = 8443, retries = 5 },
      x.connect
    )
    assert.same({ site = "fra", ntp = "b", rack = 4 }, x.vars)
    assert.same({ eu = true, fra = true }, x.groups)
  end)

  it("refuses a value that no vars have, instead of giving nil", function()
    local read = inventory.from_table({
      groups = { eu = { vars = { site = { ntp = "a" }, list = { "x" } } } },
      devices = {
        { host = "d1", groups = { "eu" }, vars = { rack = 4, off = false } }, "d2",
        { host = "d3", groups = { "eu" } },
      },
    }, "sites.lua")
    local vars = read.devices[1].vars
    local function refused(pattern, act)
      local ok, err = pcall(act)
      assert.is_false(ok)
      assert.equal("usage", err.kind)
      assert.matches(pattern, err.message)
    end
    refused(
      "^%S*inventory_spec.lua:%d+: sites.lua: device 'd1': there is no device.vars.ntp "
        .. "%(known: list, off, rack, site%); device.vars%(\"ntp\", DEFAULT%)",
      function() return { vars.ntp } end
    )
    refused("there is no device.vars.site.ntpp %(known: ntp%)", function()
      return vars.site.ntpp
    end)
    refused("device 'd2': there is no device.vars.rack %(known: none%)", function()
      return read.devices[2].vars.rack
    end)
    refused("device 'd3': there is no device.vars.site.ntpp", function()
      return read.devices[3].vars.site.ntpp
    end)
    refused("device 'd1' has no field 'ntp' %(known: .*%); values of your own are in device.vars",
      function() return { read.devices[1].ntp } end)
    assert.is_nil(read.devices[1].pair)
    vars.site.more, vars.list[1] = "d1 only", "y"
    assert.equal("none", read.devices[3].vars.site("more", "none"))
    assert.equal("x", read.devices[3].vars.list[1])
    vars.site.more, vars.list[1] = nil, "x"
    assert.same({ 4, "b", nil, false }, { vars "rack", vars("ntp", "b"), vars "nope", vars "off" })
    assert.equal("c", vars.site("ntpp", "c"))
    local items = {}
    for i, item in ipairs(vars.list) do items[i] = item end
    assert.same({ "x" }, items)
    assert.is_nil(vars.list[2])
    assert.equal(
      '{"list":["x"],"off":false,"rack":4,"site":{"ntp":"a"}}',
      require("f5.json").encode(vars, { sort = true })
    )
  end)

  it("may be a bare list", function()
    assert.same({ "a", "b" }, names(inventory.from_table { "a", { host = "b" } }))
  end)
end)

describe("an inventory file", function()
  it("may be JSON, or a program that prints Ansible's form", function()
    local directory <close> = program.directory()
    local plain = directory:file(
      "i.json",
      '{"devices": ["a", {"host": "b", "vars": {"n": 12345678901234567}}]}'
    )
    assert.equal(12345678901234567, require("f5").inventory(plain).devices[2].vars.n)
    local dynamic = directory:file("i", [[#!/bin/sh
test "$1" = --list || exit 9
echo '{"web": {"hosts": ["b1", "b2"], "vars": {"ansible_user": "ops", "tier": 1}}, "all": {"children": ["web"], "vars": {"tier": 0}},'
echo ' "_meta": {"hostvars": {"b2": {"ansible_host": "10.0.0.2", "ansible_port": "8443", "rack": 7}}}}'
]])
    os.execute("chmod +x " .. dynamic)
    local read = inventory.read(dynamic)
    assert.same({ "b1", "b2" }, names(read))
    assert.same(
      { host = "10.0.0.2", port = 8443, username = "ops", label = "b2" },
      read.devices[2].connect
    )
    assert.same({ rack = 7, tier = 1 }, read.devices[2].vars)
    assert.same({ web = true, all = true }, read.devices[1].groups)
  end)

  it("names file and line of what is wrong", function()
    local directory <close> = program.directory()
    local function wrong(text, name)
      local path = directory:file(name or "i.lua", text)
      return (failure(inventory.read, path):gsub(directory.path .. "/", ""))
    end
    assert.equal(
      "i.lua:3: device 'b' is listed twice (first as device 1); give one of them another name",
      wrong 'return { devices = {\n  "b",\n  { host = "b" } } }'
    )
    assert.equal(
      "i.lua:2: device 'b' is in the group 'eu', which is not defined under groups",
      wrong 'return { devices = {\n { host = "b", groups = { "eu" } } } }'
    )
    assert.equal(
      "i.lua:1: group 'g' names the child 'h', which is not a group",
      (wrong('return { groups = { g = { children = { "h" } } }, devices = { "x" } }'))
    )
    assert.equal(
      "i.lua:1: group 'g' is its own descendant",
      (wrong('return { groups = { g = { children = { "g" } } }, devices = { "x" } }'))
    )
    assert.matches(
      "^i.lua:1: unknown option 'prot'; known here are",
      wrong 'return { devices = { { host = "b", prot = 1 } } }'
    )
    assert.equal(
      "i.lua:1: 'port' must be an integer, not string",
      wrong 'return { devices = { { host = "b", port = "1" } } }'
    )
    assert.matches("^i.lua:2:.*: the inventory is not valid Lua$", wrong "return {\n= }")
    assert.matches("^i.lua:1: boom: the inventory failed$", wrong "error 'boom'")
    assert.matches("^i.json: invalid JSON: line 1, column 2", wrong("[}", "i.json"))
    assert.equal(
      "nowhere.lua: cannot read the inventory: No such file or directory",
      failure(inventory.read, "nowhere.lua")
    )
    local program_file = directory:file("failing", "#!/bin/sh\nexit 3\n")
    os.execute("chmod +x " .. program_file)
    assert.matches(
      "failing: the inventory program ended with status 3$",
      failure(inventory.read, program_file)
    )
  end)
end)

describe("a limit", function()
  local read = inventory.from_table {
    groups = { eu = {}, us = {} },
    devices = {
      { host = "lab1", groups = { "eu" } },
      { host = "web1", groups = { "eu" } },
      { host = "web2", groups = { "us" } },
    },
  }

  it("takes and leaves names and groups, in the inventory's order", function()
    assert.same({ "web1" }, names(read:limit "group:eu,!lab*"))
    assert.same({ "web1", "web2" }, names(read:limit "web?"))
    assert.same({ "lab1", "web1" }, names(read:limit "!group:us"))
    assert.same({ "lab1", "web2" }, names(read:limit "web2, lab1"))
    assert.equal(3, #read:limit(nil))
  end)

  it("that selects nothing is a mistake", function()
    assert.equal(
      "inventory: the limit 'wbe*' matches no device of this inventory",
      failure(read.limit, read, "wbe*")
    )
    assert.equal(
      "inventory: the limit '!lab1x' matches no device of this inventory",
      failure(read.limit, read, "web*,!lab1x")
    )
    for _, empty in ipairs { "", " ", "," } do
      assert.equal(
        "inventory: the limit is empty; leave it out to select all devices",
        failure(read.limit, read, empty)
      )
    end
    assert.equal(
      "inventory: the limit 'group:asia' matches no group of this inventory",
      failure(read.limit, read, "group:asia")
    )
  end)
end)
