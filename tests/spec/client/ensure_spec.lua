-- ref:ensure{…}: creates or changes what differs, and sends nothing when nothing does.
local f5 = require "f5"
local lab = require "lab"

local device, bip

local function writes()
  local count = 0
  for _, call in ipairs(device:log()) do
    if call.method ~= "GET" then count = count + 1 end
  end
  device:clear_log()
  return count
end

describe("ensure", function()
  before_each(function()
    device, bip = lab.start()
    device:clear_log()
  end)
  after_each(function() lab.stop(bip, device) end)

  local function twice(ref, properties, count)
    local first, object = ref:ensure(properties)
    assert.equal(count or 1, writes())
    assert.is_table(object)
    assert.equal("unchanged", (ref:ensure(properties)))
    assert.equal(0, writes())
    return first
  end

  it("creates what is not there, once", function()
    assert.equal(
      "created",
      twice(bip.ltm.pool["/Common/p"], { monitor = "/Common/http", description = "d" })
    )
    assert.equal("created", twice(bip.ltm.node["/Common/n"], { address = "10.0.0.1" }))
    assert.equal(
      "created",
      twice(bip.ltm.pool["/Common/q"], { members = { { name = "/Common/n:80" } } })
    )
  end)

  it("changes only what differs", function()
    local pool = bip.ltm.pool["/Common/p"]
    pool:create { description = "d", slowRampTime = 5 }
    writes()
    assert.equal("changed", twice(pool, { description = "e", slowRampTime = 5 }))
    assert.equal("unchanged", (pool:ensure { description = "e" }))
    assert.equal("unchanged", (pool:ensure {}))
    device:fault { match = { method = "PATCH" }, status = 400, body = "no change was expected" }
    assert.equal("unchanged", (pool:ensure { slowRampTime = 5, loadBalancingMode = "round-robin" }))
    device:clear_faults()
    assert.equal(5, pool:load().slowRampTime)
  end)

  it("knows the forms in which a device writes what it was given", function()
    local pool = bip.ltm.pool["/Common/p"]
    pool:create { monitor = "/Common/http" }
    writes()
    assert.equal(
      "unchanged",
      (pool:ensure { monitor = "http", slowRampTime = "10", description = "none" })
    )
    assert.equal("unchanged", (pool:ensure { monitor = "/Common/http ", description = f5.null }))
    bip.ltm.node["/Common/n"]:create { address = "10.0.0.1" }
    assert.equal(
      "created",
      (bip.ltm.virtual["/Common/v"]:ensure { destination = "/Common/10.0.0.9:80", enabled = true })
    )
    writes()
    assert.equal(
      "unchanged",
      (bip.ltm.virtual["/Common/v"]:ensure { destination = "/Common/10.0.0.9:80", enabled = true })
    )
    assert.equal("changed", twice(bip.ltm.virtual["/Common/v"], { disabled = true }))
    assert.equal("changed", twice(bip.ltm.virtual["/Common/v"], { enabled = true }))
  end)

  it("knows the partition of an object that is read by its short name", function()
    bip.ltm.pool["/Common/p"]:create {}
    writes()
    local short <const> = bip.ltm.pool.p
    assert.is_nil(short:load().partition)
    assert.equal("unchanged", (short:ensure { name = "p", partition = "Common" }))
    assert.equal(0, writes())
    lab.fails("invalid", short.ensure, short, { partition = "Other" }) -- the device says no
    assert.equal(1, writes())
  end)

  it("takes members as a set of names", function()
    local pool = bip.ltm.pool["/Common/p"]
    for i = 1, 3 do bip.ltm.node["/Common/n" .. i]:create { address = "10.0.0." .. i } end
    pool:create { members = { { name = "/Common/n1:80" }, { name = "/Common/n2:80" } } }
    writes()
    assert.equal(
      "unchanged",
      (pool:ensure { members = { { name = "/Common/n2:80" }, { name = "/Common/n1:80" } } })
    )
    assert.equal(
      "unchanged",
      (
        pool:ensure {
          members = { { name = "n2:80", partition = "Common" }, { name = "n1:80", ratio = 1 } },
        }
      )
    )
    assert.equal(0, writes())
    assert.equal(
      "changed",
      twice(pool, { members = { { name = "/Common/n1:80" }, { name = "/Common/n3:80" } } }, 2)
    )
    assert.equal(2, #pool.members:list())
    assert.equal("changed", twice(pool, { members = f5.array {} }))
    assert.equal(0, #pool.members:list())
  end)

  it("does not take any other failure for absence", function()
    device:fault { match = { path = "pool" }, status = 403, body = { code = 403, message = "no" } }
    local ok, err = pcall(function() return bip.ltm.pool["/Common/p"]:ensure {} end)
    assert.is_false(ok)
    assert.equal("forbidden", err.kind)
    assert.equal(0, writes())
    ok, err = pcall(function() return bip.ltm.pool["/Common/p"]:ensure "x" end)
    assert.is_false(ok)
    assert.matches("ensure_spec.lua:%d+: ensure: expected one table of properties", err.message)
  end)

  it("is not for a collection, and says so before anything is written", function()
    local ok, err = f5.try(function() return bip.ltm.pool:ensure { name = "p" } end)
    assert.same({ false, "usage" }, { ok, err.kind })
    assert.matches(
      '^%S*ensure_spec.lua:%d+: ensure works on one object, but /mgmt/tm/ltm/pool is a collection: '
        .. 'collection%["/Common/NAME"%]:ensure { … }$',
      err.message
    )
    assert.equal(0, writes())
  end)

  it("leaves the device's words alone when what is missing is another object", function()
    local ok, err = f5.try(
      function() return bip.ltm.pool["/Common/p"]:ensure { monitor = "/Common/nope" } end
    )
    assert.same(
      { false, "01020036:3: The requested monitor (/Common/nope) was not found." },
      { ok, err.message }
    )
    assert.equal("/Common/p", bip.ltm.pool.p:create({ monitor = "/Common/http" }).fullPath)
  end)

  it("knows a host of a data group with and without the length of its prefix", function()
    local group <const> = bip.ltm["data-group"].internal["/Common/hosts"]
    local records <const> = {
      { name = "10.0.0.0/8" }, { name = "10.1.1.1" }, { name = "2001:DB8::1" },
      { name = "10.1.1.2/255.255.255.255" },
    }
    assert.equal("created", (group:ensure { type = "ip", records = records }))
    assert.equal("unchanged", (group:ensure { type = "ip", records = records }))
    records[2].data = "x"
    assert.equal("changed", (group:ensure { records = records }))
    group:delete()
  end)
end)
