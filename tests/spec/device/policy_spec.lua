-- LTM policies: drafts and published ones, the order of rules, what conditions and actions need.
local lab = require "lab"
local sim = require "f5.sim"

local refused <const> = lab.refused

describe("an LTM policy", function()
  local device

  before_each(function() device = sim.start {} end)
  after_each(function() lab.stop(device) end)

  local get, post, patch, put, delete = lab.calls(function() return device end)
  local POLICIES <const> = "/mgmt/tm/ltm/policy"
  local DRAFT <const> = POLICIES .. "/~Common~Drafts~p1"
  local PUBLISHED <const> = POLICIES .. "/~Common~p1"

  local function make(body)
    body = body or {}
    body.name, body.subPath = body.name or "p1", body.subPath or "Drafts"
    body.partition = body.partition or "Common"
    local made <const> = post(POLICIES, body)
    assert.equal(200, made.status, made.body)
    return made.json
  end

  local function publish(name)
    local done <const> = post(POLICIES, { command = "publish", name = name or "/Common/Drafts/p1" })
    assert.equal(200, done.status, done.body)
  end

  it("is made as a draft, and not directly", function()
    refused(
      post(POLICIES, { name = "p1", partition = "Common" }), 400,
      "01071abb:3: Cannot create/modify published policy '/Common/p1' directly, try specifying a "
        .. "draft folder like '/Common/Drafts/p1'.", 3
    )
    assert.equal("draft", make().status)
    publish()
    assert.equal("published", get(PUBLISHED).json.status)
    assert.equal(404, get(DRAFT).status)
    assert.equal(200, post(POLICIES, { name = "old", legacy = true }).status)
  end)

  it("is not changed while it is published, nor are its rules", function()
    make { rules = { { name = "r1", actions = { { name = "0", forward = true, reset = true } } } } }
    publish()
    local message <const> = "01071abb:3: Cannot create/modify published policy '/Common/p1' "
      .. "directly, try specifying a draft folder like '/Common/Drafts/p1'."
    refused(patch(PUBLISHED, { description = "x" }), 400, message, 3)
    refused(put(PUBLISHED, { description = "x" }), 400, message, 3)
    refused(patch(PUBLISHED, { rules = {} }), 400, message, 3)
    refused(post(PUBLISHED .. "/rules", { name = "r2" }), 400, message, 3)
    refused(patch(PUBLISHED .. "/rules/r1", { ordinal = 3 }), 400, message, 3)
    refused(delete(PUBLISHED .. "/rules/r1"), 400, message, 3)
    refused(
      post(PUBLISHED .. "/rules/r1/actions", { name = "1", forward = true, reset = true }), 400,
      message, 3
    )
    refused(delete(PUBLISHED .. "/rules/r1/actions/0"), 400, message, 3)
    assert.equal(1, #get(PUBLISHED .. "/rules").json.items)
    assert.equal(200, delete(PUBLISHED).status)
  end)

  it("becomes a draft by create-draft, and only so", function()
    make()
    publish()
    refused(
      post(POLICIES, { name = "p1", subPath = "Drafts", partition = "Common" }), 400,
      '01070734:3: Configuration error: Published policy "/Common/p1" exists, use create-draft to '
        .. "create a draft copy .", 3
    )
    local drafted <const> = patch(PUBLISHED .. "?options=create-draft", {})
    assert.equal(200, drafted.status, drafted.body)
    assert.equal("draft", get(DRAFT).json.status)
    assert.equal(200, patch(DRAFT, { description = "new" }).status)
    publish()
    assert.equal("new", get(PUBLISHED).json.description)
  end)

  it("has drafts in each partition and folder", function()
    assert.equal(200, post("/mgmt/tm/auth/partition", { name = "T" }).status)
    assert.equal(200, post("/mgmt/tm/sys/folder", { name = "app", partition = "T" }).status)
    make { partition = "T" }
    publish "/T/Drafts/p1"
    assert.equal("published", get(POLICIES .. "/~T~p1").json.status)
    make { partition = "T", subPath = "app/Drafts" }
    publish "/T/app/Drafts/p1"
    assert.equal("published", get(POLICIES .. "/~T~app~p1").json.status)
    assert.equal(
      400, post(POLICIES, { name = "x", partition = "T", subPath = "nope/Drafts" }).status
    )
  end)

  it("has a strategy of the device in every partition", function()
    post("/mgmt/tm/auth/partition", { name = "P" })
    local made <const> = make { partition = "P", strategy = "first-match" }
    assert.equal("/Common/first-match", made.strategy)
  end)

  it("has its rules in the order that was asked for", function()
    make {
      rules = {
        { name = "a", ordinal = 0 }, { name = "b", ordinal = 1 }, { name = "c", ordinal = 2 },
      },
    }
    local function order()
      local rules <const> = get(DRAFT .. "/rules").json.items
      table.sort(rules, function(x, y) return x.ordinal < y.ordinal end)
      local names <const> = {}
      for i, rule in ipairs(rules) do
        names[i] = rule.name
        assert.equal(i - 1, rule.ordinal)
        assert.is_nil(rule.placeBefore or rule.placeAfter)
      end
      return table.concat(names, " ")
    end
    assert.equal(200, post(DRAFT .. "/rules", { name = "d", placeBefore = "b" }).status)
    assert.equal("a d b c", order())
    assert.equal(200, patch(DRAFT .. "/rules/a", { placeAfter = "b" }).status)
    assert.equal("d b a c", order())
    assert.equal(200, patch(DRAFT .. "/rules/c", { placeBefore = "first" }).status)
    assert.equal(200, patch(DRAFT .. "/rules/d", { ["place-after"] = "last" }).status)
    assert.equal("c b a d", order())
    local wrong <const> = patch(DRAFT .. "/rules/a", { placeAfter = "nope" })
    assert.equal(400, wrong.status)
    assert.matches("nope", wrong.json.message)
    assert.equal("c b a d", order())
  end)

  it("needs an operand for a condition and one target for an action", function()
    make { rules = { { name = "r 1" } } }
    local rule <const> = DRAFT .. "/rules/r%201"
    local function condition(body)
      body.name = "0"
      return post(rule .. "/conditions", body)
    end
    local function action(body)
      body.name = "0"
      return post(rule .. "/actions", body)
    end
    local operand <const> =
      "01071706:3: Policy '/Common/Drafts/p1', rule 'r 1'; missing operand."
    refused(condition { startsWith = true, values = { "/a" } }, 400, operand, 3)
    refused(condition { httpCookie = true, all = true, values = { "x" } }, 400, operand, 3)
    refused(
      condition { httpUri = true, httpHost = true, values = { "x" } }, 400,
      '"httpHost" may not be specified with "httpUri"', 26214401
    )
    refused(
      action { redirect = true, location = "https://x/" }, 400,
      "0107186c:3: Policy '/Common/Drafts/p1', rule 'r 1'; missing or invalid target.", 3
    )
    refused(
      action { forward = true, shutdown = true }, 400,
      '"forward" may not be specified with "shutdown"', 26214401
    )
    refused(
      action { httpHeader = true, replace = true, select = true, tmName = "x", value = "y" }, 400,
      '"replace" may not be specified with "select"', 26214401
    )
    assert.equal(400, action({ fowrad = true, forward = true }).status)
    assert.equal(400, condition({ httpUrl = true, httpUri = true }).status)
    assert.equal(200, condition({ httpUri = true, path = true, values = { "/a" } }).status)
    assert.equal(
      200, action({ httpReply = true, redirect = true, location = "https://x/" }).status
    )
    assert.equal(
      200, post(rule .. "/actions", {
        name = "9", httpConnect = true, replace = true, value = "10.0.0.1",
      }).status
    )
  end)
end)
