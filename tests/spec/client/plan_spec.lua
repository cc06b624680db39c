-- bip:plan: what a function would do to a device, to look at, to validate and to apply.
local f5 = require "f5"
local lab = require "lab"

describe("bip:plan", function()
  local device, bip, place

  before_each(function()
    device, bip = lab.start()
    place = lab.scratch()
    bip.ltm.pool["/Common/old"]:create { description = "was" }
    device:clear_log()
  end)
  after_each(function() lab.stop(bip, device, place) end)

  local function change(session)
    session.ltm.pool["/Common/new"]:create { monitor = "/Common/http" }
    session.ltm.pool["/Common/old"]:modify { description = "is" }
  end

  -- Writes to the configuration of the device.
  local function writes()
    local list = {}
    for _, line in ipairs(lab.writes(device)) do
      if line:find " ltm/" then list[#list + 1] = line end
    end
    return list
  end

  it("shows what a function would do, and nothing is written", function()
    local plan = bip:plan(function(twin)
      change(twin)
      assert.is_true(twin.ltm.pool["/Common/new"]:exists())
    end)
    assert.matches("%+ /Common/new  created  %S*plan_spec.lua:%d+  accepted by the device",
      tostring(plan))
    assert.matches("description: was → is", tostring(plan))
    assert.equal(2, #plan.steps)
    assert.equal("PATCH", plan.steps[2].method)
    assert.equal(2, #plan.differences)
    assert.is_false(bip.ltm.pool["/Common/new"]:exists())
    assert.equal("was", bip.ltm.pool["/Common/old"]:load().description)
  end)

  it("applies exactly that, once, and it can be undone", function()
    local plan = bip:plan(change)
    lab.writes(device)
    local wrong, id = plan:apply()
    assert.same({}, wrong)
    assert.same({ "POST ltm/pool", "PATCH ltm/pool/~Common~old" }, writes())
    assert.equal("/Common/http", bip.ltm.pool["/Common/new"]:load().monitor)
    assert.matches("applied already", lab.fails("usage", plan.apply, plan).message)
    assert.is_true(f5.undo(id, { session = bip }).complete)
    assert.is_false(bip.ltm.pool["/Common/new"]:exists())
    assert.equal("was", bip.ltm.pool["/Common/old"]:load().description)
  end)

  it("is not applied when the device has changed", function()
    local plan = bip:plan(change)
    bip.ltm.pool["/Common/old"]:modify { description = "somebody else's" }
    lab.writes(device)
    local err = lab.fails("conflict", plan.apply, plan)
    assert.matches("nothing was sent.*~Common~old", err.message)
    assert.same({}, writes())
  end)

  it("names what has changed in a fixed order", function()
    local names = { "f", "b", "e", "a", "d", "c" }
    for _, name in ipairs(names) do bip.ltm.pool["/Common/" .. name]:create {} end
    local plan = bip:plan(function(twin)
      for _, name in ipairs(names) do
        twin.ltm.pool["/Common/" .. name]:modify { description = "is" }
      end
    end)
    for _, name in ipairs(names) do
      bip.ltm.pool["/Common/" .. name]:modify { description = "other" }
    end
    local found = {}
    for name in lab.fails("conflict", plan.apply, plan).message:gmatch "pool/~Common~(%w+)" do
      found[#found + 1] = name
    end
    assert.equal("a b c d e f", table.concat(found, " "))
  end)

  it("has the commands of a transaction that is committed, and of no other", function()
    local plan = bip:plan(function(twin)
      twin:transaction(function(tx)
        tx(twin.ltm.pool):create { name = "kept" }
        tx(twin.ltm.pool["/Common/old"]):modify { description = "kept" }
      end)
      pcall(twin.transaction, twin, function(tx)
        tx(twin.ltm.pool):create { name = "dropped" }
        error "never mind"
      end)
    end)
    local bodies = {}
    for i, step in ipairs(plan.steps) do bodies[i] = step.method .. " " .. step.body end
    assert.same({ 'POST {"name":"kept"}', 'PATCH {"description":"kept"}' }, bodies)
    assert.same({}, (plan:apply()))
    assert.equal("kept", bip.ltm.pool["/Common/old"]:load().description)
    assert.is_true(bip.ltm.pool["/Common/kept"]:exists())
    assert.is_false(bip.ltm.pool["/Common/dropped"]:exists())
  end)

  it("says what it assumes about a kind that only the device knows", function()
    local gadget = {
      kind = "tm:ltm:gadget:gadgetstate", name = "g", partition = "Common",
      fullPath = "/Common/g", size = "1",
    }
    device:fault {
      match = { method = "GET", path = "ltm/gadget" }, times = 99, status = 200, body = gadget,
    }
    local plan = bip:plan(function(twin)
      twin.ltm.gadget["/Common/g"]:modify { size = "2" }
    end)
    assert.matches(
      "assumed: f5lua does not know this kind of object: the write was not checked",
      tostring(plan)
    )
    assert.matches("size: 1 → 2", tostring(plan))
  end)

  it("asks the device again", function()
    local plan = bip:plan(change)
    assert.is_true((plan:validate()))
    bip.ltm.pool["/Common/new"]:create {}
    local fine, problems = plan:validate()
    assert.is_false(fine)
    assert.equal("rejected", problems[1].state)
    assert.matches("already exists", problems[1].message)
    assert.matches("plan_spec.lua:%d+", problems[1].line)
  end)

  it("writes a file that f5lua apply takes", function()
    local program = require "program"
    bip:plan(change):write(place.path .. "/p.plan")
    local env = lab.environment(device)
    local done = program.run({ "apply", place.path .. "/p.plan" }, { env = env })
    assert.equal(0, done.status, done.err)
    assert.is_true(bip.ltm.pool["/Common/new"]:exists())
  end)

  it("gives the function's error, and refuses writes to the device itself", function()
    local err = lab.fails("not_found", bip.plan, bip, function(twin)
      twin.ltm.pool["/Common/nope"]:load()
    end)
    assert.equal(404, err.status)
    err = lab.fails("usage", bip.plan, bip, function()
      bip.ltm.pool["/Common/x"]:create {}
    end)
    assert.matches("the session that the function gets", err.message)
    assert.is_false(bip.ltm.pool["/Common/x"]:exists())
    bip.ltm.pool["/Common/x"]:create {} -- afterwards it writes again
    assert.matches("expected a function", lab.fails("usage", bip.plan, bip, 1).message)
    assert.matches("unknown option 'valid'", lab.fails("usage", bip.plan, bip, change, {
      valid = true,
    }).message)
  end)

  it("can be applied so that the device takes it back unless it is confirmed", function()
    local function planned(name)
      return bip:plan(function(twin) twin.ltm.pool[name]:create {} end)
    end
    local wrong, id, made = planned("/Common/c1"):apply { confirm = 60 }
    assert.same({}, wrong)
    assert.is_string(id)
    assert.matches("^%d+%-%d+%-%x+$", made.id)
    device:advance(61)
    assert.is_false(bip.ltm.pool["/Common/c1"]:exists())
    assert.matches("too late", lab.fails("conflict", made.confirm, made).message)
    made = select(3, planned("/Common/c2"):apply { confirm = 60 })
    made:confirm()
    assert.matches("is confirmed", lab.fails("usage", made.confirm, made).message)
    device:advance(3600)
    assert.is_true(bip.ltm.pool["/Common/c2"]:exists())
    made = select(3, planned("/Common/c3"):apply { confirm = 60 })
    assert.equal("taken back", (made:take_back()))
    assert.is_false(bip.ltm.pool["/Common/c3"]:exists())
    for _, seconds in ipairs { 0, 59, 61, 60.5, 8 * 86400 } do
      lab.fails("usage", function() planned("/Common/c4"):apply { confirm = seconds } end)
    end
    device:fault { match = { method = "POST", path = "ltm/pool" }, kind = "validation" }
    local plan = planned "/Common/c5"
    device:fault { match = { method = "POST", path = "ltm/pool" }, kind = "validation" }
    lab.fails("invalid", plan.apply, plan, { confirm = 60 })
    assert.equal(0, #bip.sys.icall.handler.periodic:list())
  end)
end)
