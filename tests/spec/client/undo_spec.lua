-- Change records, undo and guards of the f5 module.
local f5 = require "f5"
local lab = require "lab"
local random = require "walk.random_changes"

local device, bip

local function same(before, text)
  assert.equal("", random.difference(before, random.objects(device)), text)
end

describe("S8 guard and undo", function()
  before_each(function()
    device, bip = lab.start()
    bip.ltm.pool["/Common/web"]:create {
      description = "old", members = { { name = "10.0.0.1:80", connectionLimit = 5 } },
    }
    bip.ltm.virtual["/Common/vs"]:create { destination = "10.9.0.1:80", pool = "web" }
  end)
  after_each(function() lab.stop(bip, device) end)

  it("guard takes back what an error leaves behind", function()
    local before <const> = random.objects(device)
    local err = lab.failure(function()
      bip:guard(function()
        bip.auth.partition.shop:create {}
        bip.ltm.pool["/shop/a"]:create { members = { { name = "/Common/10.0.0.1:80" } } }
        bip.ltm.pool["/Common/web"].members:remove "10.0.0.1:80"
        bip.ltm.virtual["/Common/vs"]:modify { pool = "none", description = "x" }
        bip.ltm.pool["/Common/nope"]:modify { description = "fails" }
      end)
    end)
    assert.equal("not_found", err.kind)
    assert.is_true(err.reverted)
    same(before)
  end)

  it("guard reads an object once that ensure creates or changes", function()
    local function reads_of(path, fn)
      device:clear_log()
      bip:guard(fn)
      local found = 0
      for _, call in ipairs(device:log()) do
        if call.method == "GET" and call.path == path then found = found + 1 end
      end
      return found
    end
    local new <const>, web <const> = bip.ltm.pool["/Common/new"], bip.ltm.pool["/Common/web"]
    assert.equal(1, reads_of("/mgmt/tm/ltm/pool/~Common~new", function()
      assert.equal("created", (new:ensure { description = "x" }))
    end))
    assert.equal(1, reads_of("/mgmt/tm/ltm/pool/~Common~web", function()
      assert.equal("changed", (web:ensure { description = "x" }))
    end))
    -- what another write may have changed meanwhile is read again
    assert.equal(1, reads_of("/mgmt/tm/ltm/pool/~Common~web", function()
      web:modify { description = "y" }
    end))
  end)

  it("guard returns the results of its function, and takes nothing back then", function()
    assert.same({ 1, nil, 3, n = 3 }, table.pack(bip:guard(function()
      bip.ltm.pool["/Common/a"]:create {}
      return 1, nil, 3
    end)))
    assert.is_true(bip.ltm.pool["/Common/a"]:exists())
    lab.fails("usage", bip.guard, bip, "no function")
  end)

  it("guard inside of a guard takes back its own part", function()
    local a <const>, b <const> = bip.ltm.pool["/Common/a"], bip.ltm.pool["/Common/b"]
    bip:guard(function()
      a:create {}
      assert.is_false((pcall(bip.guard, bip, function()
        a:modify { description = "inner" }
        b:create {}
        error "inner"
      end)))
      assert.is_nil(a:load().description)
      assert.is_false(b:exists())
    end)
    local before <const> = random.objects(device)
    assert.is_false((pcall(bip.guard, bip, function()
      b:create {}
      pcall(bip.guard, bip, function()
        b:modify { description = "inner" }
        error "inner"
      end)
      error "outer"
    end)))
    same(before)
  end)

  it("takes no result of monitoring for a change of somebody else", function()
    bip.ltm.pool["/Common/web"]:modify { monitor = "/Common/http" }
    local monitored <const> = random.objects(device)
    local path <const> = "/mgmt/tm/ltm/pool/~Common~%s/members/~Common~10.0.0.%d:80"
    local err = lab.failure(function()
      bip:guard(function()
        bip.ltm.pool["/Common/new"]:create { monitor = "/Common/http", members = { "10.0.0.2:80" } }
        bip.ltm.pool["/Common/new"].members:add "10.0.0.3:80"
        bip.ltm.pool["/Common/web"].members["/Common/10.0.0.1:80"]:modify { ratio = 3 }
        device:plant { traffic = {
          { path = path:format("new", 2), health = "up" },
          { path = path:format("new", 3), health = "down" },
          { path = path:format("web", 1), health = "down" },
        } }
        device:advance(60)
        local member <const> = bip.ltm.pool["/Common/web"].members["/Common/10.0.0.1:80"]
        assert.equal("down", member:load().state)
        bip.ltm.pool["/Common/nope"]:load()
      end)
    end)
    assert.is_true(err.reverted)
    same(monitored)
  end)

  it("says what is left, and what cannot be taken back", function()
    local err = lab.failure(function()
      bip:guard(function()
        bip.ltm.pool["/Common/web"]:modify { description = "new" }
        bip.sys.config:run "save"
        bip.ltm.pool["/Common/nope"]:load()
      end)
    end)
    assert.is_false(err.reverted)
    assert.equal("old", bip.ltm.pool["/Common/web"]:load().description)
  end)
end)

describe("S6 f5.undo", function()
  before_each(function() device, bip = lab.start() end)
  after_each(function() lab.stop(bip, device) end)

  it("refuses what it does not understand", function()
    lab.fails("usage", f5.undo, "nope", { session = bip })
    lab.fails("usage", f5.undo, "nope", {})
    lab.fails("usage", f5.undo, "nope", { session = bip, forced = true })
    lab.fails("usage", f5.undo, 1, { session = bip })
  end)
end)
