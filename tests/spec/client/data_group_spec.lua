-- bip:data_group(name): records of internal data groups one by one, those of external ones as a
-- whole.
local core = require "f5.core"
local f5 = require "f5"
local lab = require "lab"

local device, bip

-- What was sent that changes the configuration.
local function writes()
  local out = {}
  for _, write in ipairs(lab.writes(device)) do
    if not write:find "transaction" and not write:find "unix%-rm" and not write:find "transfer" then
      out[#out + 1] = write
    end
  end
  return out
end

-- Runs it twice: the second time it sends nothing.
local function does(what, group, method, records, ...)
  lab.writes(device)
  assert.equal(what, group[method](group, records))
  assert.same({ ... }, writes())
  assert.equal("unchanged", group[method](group, records))
  assert.same({}, lab.writes(device))
end

-- "a=1 b=": the records of an internal group, sorted.
local function shown(group)
  local list = {}
  for i, record in ipairs(group.internal_reference:load().records or {}) do
    list[i] = ("%s=%s"):format(record.name, record.data or "")
  end
  table.sort(list)
  return table.concat(list, " ")
end

-- What the device got as the file of an external group.
local uploaded
local function watch()
  uploaded = nil
  core.record(bip, {
    before = function(write)
      if write.path:find "file%-transfer" then uploaded = write.body end
    end,
    after = function() end,
  })
end

describe("E6 bip:data_group", function()
  before_each(function()
    device, bip = lab.start()
    bip.ltm.pool:exists() -- logs in
  end)
  after_each(function()
    local left = {}
    for path in pairs(device:state().disk) do
      if path:find "^/var/config/rest/downloads/" then left[#left + 1] = path end
    end
    assert.same({}, left)
    lab.stop(bip, device)
  end)

  it("adds, removes and sets records of an internal group", function()
    local group = bip:data_group "hosts"
    assert.equal("data group /Common/hosts", tostring(group))
    assert.equal("unchanged", group:remove "x")
    does("created", group, "add", { name = "a", data = "1" }, "POST ltm/data-group/internal")
    local patch <const> = "PATCH ltm/data-group/internal/~Common~hosts"
    does("changed", group, "add", { "b", { name = "a", data = "2" } }, patch)
    assert.equal("a=2 b=", shown(group))
    does("changed", group, "remove", { "a", "nope" }, patch)
    does("changed", group, "set", { { name = "c", data = "3" }, "d" }, patch)
    assert.equal("c=3 d=", shown(group))
    does("changed", group, "set", {}, patch)
    assert.equal("", shown(group))
    does("changed", group, "add", "e", patch)
  end)

  it("knows other spellings of addresses and numbers", function()
    local nets = bip:data_group("/Common/nets", { type = "ip" })
    does("created", nets, "add", { "10.0.0.0/8", "192.0.2.1" }, "POST ltm/data-group/internal")
    assert.equal("unchanged", nets:add { "192.0.2.1/32" })
    assert.equal("changed", nets:remove "192.0.2.1/32")
    assert.equal("10.0.0.0/8=", shown(nets))
    local numbers = bip:data_group("numbers", { type = "integer" })
    does("created", numbers, "set", { 1, { name = 2, data = "two" } },
      "POST ltm/data-group/internal")
    assert.equal("1= 2=two", shown(numbers))
    lab.fails("invalid", nets.add, nets, "no address")
  end)

  it("adds 1,000 records to 10,000 in a moment", function()
    local group, many, more = bip:data_group "big", {}, {}
    for i = 1, 10000 do many[i] = { name = "k" .. i, data = tostring(i) } end
    for i = 1, 1000 do more[i] = { name = "n" .. i } end
    assert.equal("created", group:set(many))
    local began = core.now()
    assert.equal("changed", group:add(more))
    assert.equal("changed", group:remove(more))
    assert.is_true(core.now() - began < 20) -- it took 150 s
    assert.equal(10000, #group.internal_reference:load().records)
  end)

  it("sets the records of an external group, in any order", function()
    watch()
    local group = bip:data_group("bots", { external = true })
    local records <const> = { { name = "a b", data = "1, 2" }, "c", "c" }
    does("created", group, "set", records,
      "POST sys/file/data-group", "POST ltm/data-group/external")
    assert.equal('"a b" := "1, 2",\n"c" := "",\n', uploaded)
    assert.equal("unchanged", group:set { "c", records[1] })
    local same = bip:data_group "bots" -- finds out what it is
    does("changed", same, "set", { "c" }, "PATCH sys/file/data-group/~Common~bots")
    does("changed", same, "set", {}, "PATCH sys/file/data-group/~Common~bots")
    for _, method in ipairs { "add", "remove" } do
      local err = lab.fails("unsupported", same[method], same, "x")
      assert.matches("does not show the records of the external data group /Common/bots: give all",
        err.message, 1, true)
    end
  end)

  it("writes addresses as hosts and networks", function()
    watch()
    local nets = bip:data_group("nets", { external = true, type = "ip" })
    assert.equal("created", nets:set {
      "10.0.0.0/8", "2001:db8::/32", { name = "192.0.2.1", data = "one" }, "2001:db8::1/128",
      "10.1.0.0%7/16",
    })
    assert.equal("host 192.0.2.1 := \"one\",\nhost 2001:db8::1,\nnetwork 10.0.0.0 prefixlen 8,\n"
      .. "network 10.1.0.0%7 prefixlen 16,\nnetwork 2001:db8:: prefixlen 32,\n", uploaded)
    assert.equal("ip", nets.external_reference:load().type)
    local numbers = bip:data_group("numbers", { external = true, type = "integer" })
    numbers:set { 2, { name = 1, data = "one" } }
    assert.equal('1 := "one",\n2,\n', uploaded)
  end)

  it("refuses records that its file cannot have, before it sends anything", function()
    local text = bip:data_group("text", { external = true })
    local nets = bip:data_group("nets", { external = true, type = "ip" })
    local numbers = bip:data_group("numbers", { external = true, type = "integer" })
    lab.writes(device)
    for _, given in ipairs {
      { text, 'a"b' }, { text, { name = "a", data = "1\n2" } }, { text, "a\\b" }, { nets, "nope" },
      { nets, "10.0.0.0/8,host" }, { numbers, "1.5" },
    } do
      lab.fails("invalid", given[1].set, given[1], given[2])
    end
    assert.same({}, lab.writes(device))
    text:set "x"
    local other = bip:data_group("text", { external = true, type = "ip" })
    assert.equal("the data group /Common/text has records of type string, not ip",
      lab.fails("invalid", other.set, other, "10.0.0.1").message)
  end)

  it("uses the file that the group has", function()
    bip:data_group("one", { external = true }):set "a"
    bip.ltm["data-group"].external["/Common/two"]:create { externalFileName = "/Common/one" }
    does("changed", bip:data_group "two", "set", "b", "PATCH sys/file/data-group/~Common~one")
  end)

  it("leaves everything as it was if the device refuses", function()
    device:fault {
      match = { method = "PATCH", path = "^/mgmt/tm/transaction/" }, kind = "validation", times = 1,
    }
    local group = bip:data_group("new", { external = true })
    lab.fails("invalid", group.set, group, "a")
    assert.is_false(group.external_reference:exists())
    assert.is_false(bip.sys.file["data-group"]["/Common/new"]:exists())
  end)

  it("can be taken back", function()
    local group = bip:data_group "hosts"
    group:set { { name = "a", data = "1" } }
    local id = bip:undoable(function()
      group:add { "b", { name = "a", data = "2" } }
      bip:data_group("new", { external = true }):set "x"
    end)
    assert.is_true(f5.undo(id, { session = bip }).complete)
    assert.equal("a=1", shown(group))
    assert.is_false(bip.sys.file["data-group"]["/Common/new"]:exists())
  end)

  it("refuses wrong arguments", function()
    for _, given in ipairs { { "" }, { 1 }, { "/x" }, { "x", { typ = "ip" } },
      { "x", { type = "address" } }, { "x", { external = "yes" } }, { "x", "ip" } } do
      lab.fails("usage", bip.data_group, bip, table.unpack(given))
    end
    local group = bip:data_group "x"
    for _, method in ipairs { "add", "remove", "set" } do
      for _, given in ipairs { true, 1.5, { { data = "x" } }, { true } } do
        local err = lab.fails("usage", group[method], group, given)
        assert.matches(method .. ": expected a record or a list of records", err.message, 1, true)
      end
      lab.fails("usage", group[method], group)
      lab.fails("usage", group[method], group, "a", "b")
      lab.fails("usage", group[method])
    end
  end)
end)
