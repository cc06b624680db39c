-- bip:policy(name): traffic policies and their drafts. After an error no draft is left.
local f5 = require "f5"
local lab = require "lab"

local device, bip, policy

local function draft_exists(name)
  return bip.ltm.policy["/Common/Drafts/" .. (name or "web")]:exists()
end

local function writes() return lab.writes(device) end

local function rule(name, ordinal, pool)
  return {
    name = name, ordinal = ordinal,
    conditions = { { name = "0", httpHost = true, host = true, values = { name .. ".test" } } },
    actions = { { name = "0", forward = true, select = true, pool = pool or "/Common/a" } },
  }
end

local function wanted(...)
  return { controls = { "forwarding" }, requires = { "http" }, rules = { ... } }
end

-- The names of the published rules.
local function rules(name)
  local names = {}
  for i, item in ipairs(bip.ltm.policy["/Common/" .. (name or "web")].rules:list()) do
    names[i] = item.name
  end
  return table.concat(names, " ")
end

local PUBLISH <const> = "POST ltm/policy"

describe("E6 bip:policy", function()
  before_each(function()
    device, bip = lab.start()
    for _, name in ipairs { "a", "b" } do bip.ltm.pool["/Common/" .. name]:create {} end
    policy = bip:policy "web"
    writes()
  end)
  after_each(function() lab.stop(bip, device) end)

  it("brings a policy to the wanted state, and sends nothing the second time", function()
    assert.equal("created", policy:ensure(wanted(rule("one", 0), rule("two", 1))))
    assert.same({ PUBLISH, PUBLISH }, writes())
    assert.equal("published", policy.reference:load().status)
    assert.equal("unchanged", policy:ensure(wanted(rule("one", 0), rule("two", 1))))
    assert.same({}, writes())
    assert.equal("changed", policy:ensure(wanted(rule("one", 0, "/Common/b"))))
    assert.equal("one", rules())
    assert.equal(
      "/Common/b", policy.reference.rules.one.actions["0"]:load().pool:gsub("^/?", "/", 1)
    )
    writes()
    assert.equal("unchanged", policy:ensure(wanted(rule("one", 0, "/Common/b"))))
    assert.same({}, writes())
    assert.is_false(draft_exists())
  end)

  it("edits a draft and publishes it", function()
    assert.equal("created", policy:edit(function(draft)
      assert.equal(tostring(policy.draft_reference), tostring(draft))
      draft.rules:create(rule("one", 0))
    end))
    assert.equal("changed", policy:edit(function(draft) draft.rules:create(rule("two", 1)) end))
    assert.equal("one two", rules())
    assert.equal("discarded", policy:edit(function() end))
    assert.equal("discarded", policy:edit(function(draft)
      draft.rules.two:modify { description = "x" }
      draft.rules.two:modify { description = "none" }
    end))
    assert.equal("changed", policy:edit(function(draft)
      draft.rules.two.actions["0"]:modify { pool = "/Common/b" } -- only inside of a rule
    end))
    assert.is_false(draft_exists())
  end)

  it("leaves no draft and the policy as it was after an error", function()
    policy:ensure(wanted(rule("one", 0)))
    local function unharmed()
      assert.is_false(draft_exists())
      assert.equal("one", rules())
    end
    local function change(draft) draft.rules:create(rule("two", 1)) end
    local ok, err = pcall(policy.edit, policy, function(draft) change(draft) error("oops", 0) end)
    assert.same({ false, "oops" }, { ok, err })
    unharmed()
    lab.fails("not_found", policy.edit, policy, function(draft)
      change(draft)
      draft.rules.two.actions["0"]:modify { pool = "/Common/nope" }
    end)
    unharmed()
    lab.fails("not_found", policy.ensure, policy, wanted(rule("one", 0, "/Common/nope")))
    unharmed()
    local publish <const> = { method = "POST", path = "/ltm/policy$" }
    device:fault { match = publish, kind = "validation", times = 1 }
    lab.fails("invalid", policy.edit, policy, change)
    unharmed()
    local fiber = f5.spawn(function()
      policy:edit(function(draft) change(draft) f5.sleep(60) end)
    end)
    repeat f5.sleep(0.01) until draft_exists()
    fiber:cancel()
    pcall(fiber.join, fiber)
    unharmed()
    local new = bip:policy "/Common/new"
    lab.fails("not_found", new.ensure, new, wanted(rule("one", 0, "/Common/nope")))
    assert.is_false(draft_exists "new")
    assert.is_false(new.reference:exists())
  end)

  it("has the single steps, and keeps its hands off a draft that is there", function()
    local draft, what = policy:draft { description = "new", strategy = "/Common/all-match" }
    assert.equal("created", what)
    draft.rules:create(rule("one", 0))
    for _, change in ipairs {
      function() policy:edit(function() end) end,
      function() policy:ensure { description = "x" } end,
    } do
      local err = lab.fails("conflict", change)
      assert.equal(
        "there is a draft of the policy /Common/web already: publish or discard it first",
        err.message
      )
    end
    assert.same("unchanged", select(2, policy:draft()))
    policy:publish()
    assert.equal("/Common/all-match", policy.reference:load().strategy)
    assert.is_false(draft_exists())
    lab.fails("not_found", policy.publish, policy)
    assert.equal("unchanged", policy:discard())
    policy:draft()
    assert.is_true(draft_exists())
    assert.equal("deleted", policy:discard())
    assert.equal("one", rules())
  end)

  it("leaves policies without drafts to the caller", function()
    bip.ltm.policy["/Common/web"]:create { legacy = true, strategy = "/Common/first-match" }
    for _, step in ipairs { "edit", "draft" } do
      local err = lab.fails("unsupported", policy[step], policy, step == "edit" and print or nil)
      assert.matches("has no drafts", err.message)
    end
    assert.equal("changed", policy:ensure { description = "x" })
    assert.equal("unchanged", policy:ensure { description = "x" })
  end)

  it("works in folders and partitions, with names that need encoding", function()
    bip.auth.partition.shop:create {}
    bip.sys.folder["/shop/app"]:create {}
    local other = bip:policy "/shop/app/w eb%1"
    assert.equal("created", other:ensure { rules = { rule("one", 0) } })
    assert.equal("unchanged", other:ensure { rules = { rule("one", 0) } })
    assert.equal("policy /shop/app/w eb%1", tostring(other))
  end)

  it("can be taken back", function()
    policy:ensure(wanted(rule("one", 0)))
    local id = bip:undoable(function()
      policy:ensure(wanted(rule("one", 0, "/Common/b"), rule("two", 1)))
      bip:policy("new"):ensure(wanted(rule("one", 0)))
    end)
    assert.equal("one two", rules())
    assert.is_true(f5.undo(id, { session = bip }).complete)
    assert.equal("one", rules())
    assert.is_false(bip.ltm.policy["/Common/new"]:exists())
    assert.equal("unchanged", policy:ensure(wanted(rule("one", 0))))
  end)

  it("can be checked", function()
    local plan = bip:plan(function(twin)
      assert.equal("created", twin:policy("web"):ensure(wanted(rule("one", 0))))
    end)
    assert.is_false(policy.reference:exists())
    plan:apply()
    assert.equal("unchanged", policy:ensure(wanted(rule("one", 0))))
  end)

  it("refuses wrong arguments", function()
    for _, name in ipairs { "", "/web", "/Common/", 1, "/Common/Drafts/web" } do
      lab.fails("usage", bip.policy, bip, name)
    end
    lab.fails("usage", policy.edit, policy)
    lab.fails("usage", policy.edit, policy, print, 1)
    lab.fails("usage", policy.ensure, policy, "x")
    lab.fails("usage", policy.draft, policy, "x")
    lab.fails("usage", policy.publish)
  end)
end)
