-- Transactions on the simulated device, as any client meets them.
local curl = require "curl"
local json = require "f5.json"
local lab = require "lab"
local sim = require "f5.sim"

local TRANSACTION <const> = "/mgmt/tm/transaction"

describe("simulated device: transactions", function()
  local device

  before_each(
    function()
      device = sim.start {
        users = {
          { name = "admin", password = "admin", role = "admin" },
          { name = "second", password = "second", role = "admin" },
        },
      }
    end
  )
  after_each(function() lab.stop(device) end)

  local function begin()
    local answer = curl(device, "POST", TRANSACTION, {})
    assert.equal(200, answer.status)
    return answer.json.transId
  end

  local function queue(id, method, path, body)
    return curl {
      device,
      method,
      path,
      body = body,
      headers = { ["X-F5-REST-Coordination-Id"] = tostring(id) },
    }
  end

  local function commit(id, more)
    local body = { state = "VALIDATING" }
    for key, value in pairs(more or {}) do body[key] = value end
    return curl(device, "PATCH", TRANSACTION .. "/" .. id, body)
  end

  it("G19 creates, fills, lists, reads, removes and reorders", function()
    local created = curl(device, "POST", TRANSACTION, {}).json
    local id = created.transId
    assert.equal(16, #tostring(id))
    created.transId, created.selfLink = nil, nil
    assert.same(
      {
        state = "STARTED", timeoutSeconds = 120, asyncExecution = false, validateOnly = false,
        executionTimeout = 300, executionTime = 0, failureReason = "", kind = "tm:transactionstate",
      },
      created
    )
    local first = queue(id, "POST", "/mgmt/tm/ltm/node", { name = "n1", address = "192.0.2.1" })
    assert.equal(200, first.status)
    assert.same({
      method = "POST",
      uri = "https://localhost/mgmt/tm/ltm/node",
      body = { name = "n1", address = "192.0.2.1" },
      evalOrder = 1,
      commandId = 1,
      kind = "tm:transaction:commandsstate",
      selfLink = ("https://localhost/mgmt/tm/transaction/%d/commands/1?ver=17.1.3"):format(id),
    }, first.json)
    queue(id, "POST", "/mgmt/tm/ltm/node", { name = "n2", address = "192.0.2.2" })
    queue(id, "DELETE", "/mgmt/tm/ltm/node/~Common~n1")
    local commands = TRANSACTION .. "/" .. id .. "/commands"
    local listed = curl(device, "GET", commands).json
    assert.equal("tm:transaction:commandscollectionstate", listed.kind)
    assert.equal(3, #listed.items)
    assert.equal("DELETE", curl(device, "GET", commands .. "/3").json.method)
    assert.equal(1, curl(device, "PATCH", commands .. "/3", { evalOrder = 1 }).json.evalOrder)
    assert.equal(3, curl(device, "GET", commands).json.items[1].commandId)
    assert.equal(200, curl(device, "DELETE", commands .. "/1").status)
    listed = curl(device, "GET", commands).json.items
    assert.equal(2, #listed)
    assert.same(
      { 3, 1, 2, 2 },
      { listed[1].commandId, listed[1].evalOrder, listed[2].commandId, listed[2].evalOrder }
    )
    local bad = curl(device, "GET", commands .. "/3/members/")
    assert.equal(400, bad.status)
    assert.same(
      { "Found invalid command id 3/members/", 1 },
      { bad.json.message, bad.json.apiError }
    )
    assert.equal("Found invalid command id 99", curl(device, "GET", commands .. "/99").json.message)
    assert.equal(404, curl(device, "GET", "/mgmt/tm/ltm/node/~Common~n2").status)
  end)

  it("G19 reads what is committed, and queues no control", function()
    local id = begin()
    queue(id, "POST", "/mgmt/tm/ltm/node", { name = "n1", address = "192.0.2.1" })
    assert.equal(404, queue(id, "GET", "/mgmt/tm/ltm/node/~Common~n1").status)
    assert.equal(1, #curl(device, "GET", TRANSACTION .. "/" .. id .. "/commands").json.items)
    local refused = queue(id, "PATCH", TRANSACTION .. "/" .. id, { state = "VALIDATING" })
    assert.equal(400, refused.status)
    assert.matches(
      "^Transaction " .. id .. " operation .* is not allowed to be added to transaction%.$",
      refused.json.message
    )
    assert.equal(400, queue(id, "POST", "/mgmt/tm/asm/policies", { name = "p" }).status)
    assert.equal(
      404,
      queue(4711, "POST", "/mgmt/tm/ltm/node", { name = "n1", address = "192.0.2.1" }).status
    )
  end)

  it("G20 validates without a change, commits, and refuses an empty one", function()
    local id = begin()
    local empty = commit(id)
    assert.equal(404, empty.status)
    assert.same(
      { "there is no command to commit in the transaction.", 1 },
      { empty.json.message, empty.json.apiError }
    )
    queue(
      id,
      "POST",
      "/mgmt/tm/ltm/pool",
      { name = "p1", members = { { name = "192.0.2.1:80", address = "192.0.2.1" } } }
    )
    queue(
      id,
      "PATCH",
      "/mgmt/tm/ltm/pool/~Common~p1/members/~Common~192.0.2.1:80",
      { session = "user-disabled" }
    )
    local before = device:state().objects
    local valid = commit(id, { validateOnly = true })
    assert.equal(200, valid.status)
    assert.is_true(valid.json.validateOnly)
    assert.same(before, device:state().objects)
    local done = commit(id)
    assert.equal(200, done.status)
    assert.equal("COMPLETED", done.json.state)
    assert.equal(
      "user-disabled",
      curl(device, "GET", "/mgmt/tm/ltm/pool/~Common~p1/members/~Common~192.0.2.1:80").json.session
    )
    assert.equal(400, commit(id).status)
    local abandoned = begin()
    queue(abandoned, "DELETE", "/mgmt/tm/ltm/pool/~Common~p1")
    assert.equal(200, curl(device, "DELETE", TRANSACTION .. "/" .. abandoned).status)
    assert.equal(404, curl(device, "GET", TRANSACTION .. "/" .. abandoned).status)
    assert.equal(200, curl(device, "GET", "/mgmt/tm/ltm/pool/~Common~p1").status)
  end)

  it("G20 changes nothing at all when a command fails, whichever it is", function()
    local function fails_at(position, size)
      local id = begin()
      for i = 1, size do
        if i == position then
          queue(id, "PATCH", "/mgmt/tm/ltm/pool/~Common~nope", { description = "x" })
        elseif i % 3 == 0 then
          queue(id, "PATCH", "/mgmt/tm/auth/user/second", { description = "changed " .. i })
        elseif i % 3 == 1 then
          queue(
            id,
            "POST",
            "/mgmt/tm/ltm/pool",
            { name = "p" .. i, members = { { name = "192.0.2.1:" .. i, address = "192.0.2.1" } } }
          )
        else
          queue(id, "PATCH", "/mgmt/tm/auth/user/second", { password = "other" .. i })
        end
      end
      local function kept()
        local state = device:state()
        return json.encode(
          { state.objects, state.accounts, state.provision, state.disk },
          { sort = true }
        )
      end
      local before = kept()
      local refused = commit(id)
      assert.equal(400, refused.status)
      assert.matches(
        "^transaction failed:01020036:3: The requested Pool %(/Common/nope%) was not found%.$",
        refused.json.message
      )
      assert.equal(2, refused.json.apiError)
      assert.equal(before, kept(), ("command %d of %d"):format(position, size))
      local failed = curl(device, "GET", TRANSACTION .. "/" .. id).json
      assert.equal("FAILED", failed.state)
      assert.matches("/Common/nope", failed.failureReason, 1, true)
    end
    for size = 1, 5 do
      for position = 1, size do fails_at(position, size) end
    end
    fails_at(200, 200)
  end)

  it("G21 commits in the background, and runs out of time", function()
    local id = begin()
    queue(id, "POST", "/mgmt/tm/ltm/node", { name = "n1", address = "192.0.2.1" })
    device:control("next_transaction", { seconds = 60 })
    local accepted = commit(id, { asyncExecution = true })
    assert.equal(202, accepted.status)
    assert.equal("VALIDATING", accepted.json.state)
    assert.equal(404, curl(device, "GET", "/mgmt/tm/ltm/node/~Common~n1").status)
    device:advance(61)
    local done = curl(device, "GET", TRANSACTION .. "/" .. id).json
    assert.same({ "COMPLETED", 60 }, { done.state, done.executionTime })
    assert.equal(200, curl(device, "GET", "/mgmt/tm/ltm/node/~Common~n1").status)

    local late = begin()
    queue(late, "POST", "/mgmt/tm/ltm/node", { name = "n2", address = "192.0.2.2" })
    device:control("next_transaction", { seconds = 400 })
    assert.equal(202, commit(late, { asyncExecution = true }).status)
    device:advance(301)
    assert.equal("FAILED", curl(device, "GET", TRANSACTION .. "/" .. late).json.state)
    assert.equal(404, curl(device, "GET", "/mgmt/tm/ltm/node/~Common~n2").status)

    local idle = begin()
    device:advance(100)
    queue(idle, "POST", "/mgmt/tm/ltm/node", { name = "n3", address = "192.0.2.3" })
    device:advance(100)
    assert.equal(200, curl(device, "GET", TRANSACTION .. "/" .. idle).status)
    device:advance(21)
    assert.equal(404, curl(device, "GET", TRANSACTION .. "/" .. idle).status)
    assert.equal(404, commit(idle).status)
  end)

  it("G22 keeps several transactions of a user apart, and those of others away", function()
    local one, two = begin(), begin()
    queue(one, "POST", "/mgmt/tm/ltm/node", { name = "n1", address = "192.0.2.1" })
    queue(two, "POST", "/mgmt/tm/ltm/node", { name = "n2", address = "192.0.2.2" })
    assert.equal(2, #curl(device, "GET", TRANSACTION).json.items)
    assert.equal(
      404,
      curl { device, "GET", TRANSACTION .. "/" .. one, user = "second:second" }.status
    )
    assert.equal(200, commit(two).status)
    assert.equal(404, curl(device, "GET", "/mgmt/tm/ltm/node/~Common~n1").status)
    assert.equal(200, curl(device, "GET", "/mgmt/tm/ltm/node/~Common~n2").status)
    assert.equal(200, commit(one).status)
    assert.equal(200, curl(device, "GET", "/mgmt/tm/ltm/node/~Common~n1").status)
  end)
end)
