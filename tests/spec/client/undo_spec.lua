-- Change records, undo and guards of the f5 module.
local core = require "f5.core"
local f5 = require "f5"
local files = require "f5.safe.files"
local lab = require "lab"
local random = require "walk.random_changes"
local tree = require "f5.safe.tree"

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

  it("guard takes back a policy that was published, with its rules", function()
    local function rule(name)
      return { { name = name, actions = { { name = "0", forward = true, reset = true } } } }
    end
    local policy <const> = bip.ltm.policy["/Common/pub"]
    local draft <const> = bip.ltm.policy["/Common/Drafts/pub"]
    draft:create { strategy = "/Common/first-match", requires = { "http" },
      controls = { "forwarding" }, rules = rule "was" }
    bip.ltm.policy:run("publish", { name = "/Common/Drafts/pub" })
    local before <const> = random.objects(device)
    local err = lab.failure(function()
      bip:guard(function()
        policy:modify { createDraft = "yes" }
        draft:modify { rules = rule "is" }
        bip.ltm.policy:run("publish", { name = "/Common/Drafts/pub" })
        bip.ltm.pool["/Common/nope"]:modify { description = "fails" }
      end)
    end)
    assert.is_true(err.reverted)
    assert.equal("was", policy.rules:list()[1].name)
    same(before)
  end)

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

  it("guard notes nothing of what comes after it", function()
    bip:guard(function() bip.ltm.pool["/Common/web"]:modify { description = "new" } end)
    device:clear_log()
    bip.ltm.pool["/Common/web"]:modify { description = "newer" }
    assert.equal(1, #device:log())
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

-- Writes before one whose answer never comes, and that one.
local UNKNOWN <const> = {
  ["a change of an object that the run made"] = {
    "PATCH", function() bip.ltm.pool["/Common/new"]:create { description = "a" } end,
    function() bip.ltm.pool["/Common/new"]:modify { description = "b" } end,
  },
  ["a change in an object that the run changed"] = {
    "PATCH", function() bip.ltm.pool["/Common/web"]:modify { description = "a" } end,
    function() bip.ltm.pool["/Common/web"]:modify { description = "b", loadBalancingMode =
      "least-connections-member" } end,
  },
  ["a replacement"] = {
    "PUT", function() bip.ltm.pool["/Common/web"]:modify { monitor = "/Common/http" } end,
    function() bip.ltm.pool["/Common/web"]:replace { description = "put" } end,
  },
  ["a replacement of an object that the run made"] = {
    "PUT", function()
      bip.ltm.pool["/Common/new"]:create { loadBalancingMode = "least-connections-member" }
    end,
    function() bip.ltm.pool["/Common/new"]:replace { description = "put" } end,
  },
  ["a replacement of an object that the run made again"] = {
    "PUT", function()
      bip.ltm.pool["/Common/web"]:modify { description = "a" }
      bip.ltm.virtual["/Common/vs"]:delete()
      bip.ltm.pool["/Common/web"]:delete()
      bip.ltm.pool["/Common/web"]:create { monitor = "/Common/http", members = { "10.0.0.4:80" } }
    end,
    function() bip.ltm.pool["/Common/web"]:replace { description = "put" } end,
  },
  ["the deletion of an object that the run made"] = {
    "DELETE", function() bip.ltm.pool["/Common/new"]:create { members = { "10.0.0.4:80" } } end,
    function() bip.ltm.pool["/Common/new"]:delete() end,
  },
  ["the deletion of an object that the run changed"] = {
    "DELETE", function()
      bip.ltm.virtual["/Common/vs"]:delete()
      bip.ltm.pool["/Common/web"]:modify { description = "a" }
    end,
    function() bip.ltm.pool["/Common/web"]:delete() end,
  },
  ["the deletion of an object whose list the run replaced"] = {
    "DELETE", function()
      bip.ltm.virtual["/Common/vs"]:delete()
      bip.ltm.pool["/Common/web"]:modify { members = { { name = "10.0.0.4:80" } } }
    end,
    function() bip.ltm.pool["/Common/web"]:delete() end,
  },
  ["a draft that the device makes again"] = {
    "PATCH", function()
      local draft <const> = bip.ltm.policy["/Common/Drafts/y"]
      draft:create { strategy = "/Common/first-match", requires = { "http" } }
      bip.ltm.policy:run("publish", { name = "/Common/Drafts/y" })
      bip.ltm.policy["/Common/y"]:modify { createDraft = "yes" }
      bip.ltm.policy:run("publish", { name = "/Common/Drafts/y" })
    end,
    function() bip.ltm.policy["/Common/y"]:modify { createDraft = "yes" } end,
  },
  ["the deletion of an object in which the run made another one"] = {
    "DELETE", function()
      bip.ltm.virtual["/Common/vs"]:delete()
      bip.ltm.pool["/Common/web"].members:add "10.0.0.4:80"
    end,
    function() bip.ltm.pool["/Common/web"]:delete() end,
  },
  ["one more replacement of a list"] = {
    "PATCH", function()
      bip.ltm.pool["/Common/web"]:modify { members = { { name = "10.0.0.4:80" } } }
    end,
    function()
      bip.ltm.pool["/Common/web"]:modify { members = { { name = "10.0.0.1:80" } } }
    end,
  },
}

describe("S8 a write whose outcome is unknown", function()
  before_each(function()
    device, bip = lab.start()
    bip.ltm.pool["/Common/web"]:create {
      description = "old", loadBalancingMode = "ratio-member", members = {
        { name = "10.0.0.1:80", connectionLimit = 5 }, { name = "10.0.0.2:80" },
      },
    }
    bip.ltm.virtual["/Common/vs"]:create { destination = "10.9.0.1:80", pool = "web" }
  end)
  after_each(function() lab.stop(bip, device) end)

  -- Takes back the writes of a case. The device has carried out the last one, or not.
  local function fails(case, act, meanwhile)
    local err <const> = lab.failure(function()
      bip:guard(function()
        case[2]()
        device:fault {
          match = { method = case[1], path = "^/mgmt/tm/ltm" }, times = 1, reset = true, act = act,
        }
        local ok <const>, problem = pcall(case[3])
        assert.is_false(ok)
        if meanwhile then meanwhile() end
        error(problem, 0)
      end)
    end)
    assert.equal("unknown", err.outcome, tostring(err))
    return err
  end

  for what, case in pairs(UNKNOWN) do
    for _, act in ipairs { true, false } do
      it(("is taken back: %s, %s"):format(what, act and "carried out" or "not"), function()
        local before <const> = random.objects(device)
        assert.is_true(fails(case, act).reverted)
        same(before)
      end)
    end
  end

  it("does not hide what somebody else has changed", function()
    for _, act in ipairs { true, false } do
      local web <const> = bip.ltm.pool["/Common/web"]
      local other <close> = lab.connect(device)
      local err <const> = fails({ "PATCH", function() end, function()
        web:modify { description = "new" }
      end }, act, function()
        other.ltm.pool["/Common/web"]:modify { description = "of somebody" }
      end)
      assert.is_false(err.reverted)
      assert.equal("of somebody", web:load().description)
      web:modify { description = "old" }
    end
  end)

  it("is taken back: what was inside of an object that the run made again and deleted", function()
    local before <const> = random.objects(device)
    local err <const> = lab.failure(function()
      bip:guard(function()
        bip.ltm.virtual["/Common/vs"]:delete()
        bip.ltm.pool["/Common/web"]:delete()
        bip.ltm.pool["/Common/web"]:create { members = { "10.0.0.4:80" } }
        bip.ltm.pool["/Common/web"]:delete()
        bip.ltm.pool["/Common/nope"]:load()
      end)
    end)
    assert.is_true(err.reverted)
    same(before)
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

  it("says what it did: of a change which properties, of others only the object", function()
    bip.ltm.pool["/Common/a"]:create { description = "was" }
    bip.ltm.pool["/Common/b"]:create { description = "kept" }
    local id = bip:undoable(function()
      bip.ltm.pool["/Common/a"]:modify { description = "is", monitor = "/Common/http" }
      bip.ltm.pool["/Common/b"]:delete()
      bip.ltm.pool["/Common/c"]:create { description = "new" }
    end)
    local expected <const> = {
      "change back ltm/pool /Common/a (description, monitor)", "create again ltm/pool /Common/b",
      "delete ltm/pool /Common/c",
    }
    for _, check in ipairs { true, false } do
      local done <const> = f5.undo(id, { session = bip, check = check }).done
      table.sort(done)
      assert.same(expected, done)
    end
  end)
end)

describe("S6 a change record", function()
  before_each(function() device, bip = lab.start() end)
  after_each(function() lab.stop(bip, device) end)

  it("knows that a write was not sent, because another recorder refused it", function()
    bip.ltm.pool["/Common/a"]:create { description = "was" }
    device:clear_log()
    local id = bip:undoable(function()
      local remove <const> = core.record(bip, {
        before = function() error("not this one", 0) end, after = function() end,
      })
      assert.is_false(pcall(function()
        bip.ltm.pool["/Common/a"]:modify { description = "is" }
      end))
      remove()
    end)
    assert.same({}, lab.writes(device))
    local steps <const> = files.read(files.find(id)).steps
    assert.same({ 1, "failed", true }, { #steps, steps[1].state, steps[1].unsent })
    -- so it is not taken for a write of this run that somebody else makes
    bip.ltm.pool["/Common/a"]:modify { description = "is" }
    local result <const> = f5.undo(id, { session = bip })
    assert.same({ true, 0 }, { result.complete, #result.done })
    assert.equal("is", bip.ltm.pool["/Common/a"]:load().description)
  end)
end)

describe("the path of an element", function()
  local COLLECTION <const> = "/mgmt/tm/ltm/pool/~Common~p/members"

  it("is that of its link, or follows from its name", function()
    for path, item in pairs {
      ["~Common~10.0.0.1:80"] = { name = "10.0.0.1:80", fullPath = "/Common/10.0.0.1:80" },
      ["10.0.0.2:80"] = { name = "10.0.0.2:80" },
      ["~Common~a b%25"] = { fullPath = "/Common/a b%" },
      ["~T~linked"] = { name = "x", fullPath = "/Common/x",
        selfLink = "https://localhost" .. COLLECTION .. "/~T~linked?ver=17.1.0" },
      ["~Common~full"] = { name = "full", fullPath = "/Common/full",
        selfLink = "https://localhost" .. COLLECTION .. "/full?ver=17.1.0" },
      ["bare"] = { name = "bare", fullPath = "bare",
        selfLink = "https://localhost" .. COLLECTION .. "/bare?ver=17.1.0" },
    } do
      assert.equal(COLLECTION .. "/" .. path, (tree.child_path(COLLECTION, item)))
    end
  end)
end)
