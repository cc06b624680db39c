-- What a device says in the body of an error is kept as err.body, and told in the message.
local json = require "f5.json"
local lab = require "lab"
local program = require "program"

describe("an error of the device", function()
  local device, bip

  before_each(function()
    device, bip = lab.start(nil, { retries = 0 })
  end)
  after_each(function() lab.stop(bip, device) end)

  -- The error of a POST that is answered with this body.
  local function answered(status, body)
    device:fault { match = { method = "POST" }, times = 1, status = status, body = body }
    return lab.failure(bip.request, bip, "POST", "/mgmt/shared/appsvcs/declare", { body = {} })
  end

  it("has the decoded body", function()
    local pool <const> = bip.ltm.pool["/Common/nope"]
    local err <const> = lab.fails("not_found", pool.load, pool)
    assert.equal(404, err.body.code)
    assert.equal(err.message, err.body.message)
    assert.same(err.error_stack or {}, err.body.errorStack)
  end)

  it("tells the errors of a declaration", function()
    local err <const> = answered(422, {
      code = 422, message = "declaration is invalid",
      errors = { "/T/A/web: should have required property 'virtualAddresses'" },
    })
    assert.equal(
      "declaration is invalid: /T/A/web: should have required property 'virtualAddresses'",
      err.message
    )
    assert.equal(422, err.body.code)
  end)

  it("tells the results of the tenants that failed, and not of the others", function()
    local err <const> = answered(422, {
      results = {
        {
          code = 422, message = "declaration failed", tenant = "blue", host = "localhost",
          response = "01070734:3: Configuration error: x",
        },
        { code = 200, message = "success", tenant = "green" },
        { code = 422, message = "Cannot read property 'forEach' of undefined", tenant = "red" },
      },
      declaration = { class = "ADC" },
    })
    assert.equal(
      "the device answered 422 without a message: blue: declaration failed; "
        .. "blue: 01070734:3: Configuration error: x; "
        .. "red: Cannot read property 'forEach' of undefined",
      err.message
    )
    assert.equal("blue", err.body.results[1].tenant)
  end)

  it("tells the result of an onboarding", function()
    local err <const> = answered(422, {
      id = 0,
      result = {
        class = "Result", code = 422, status = "ERROR", message = "invalid config - rolled back",
        errors = { "01070734:3: one", "two" },
      },
    })
    assert.equal(
      "the device answered 422 without a message: invalid config - rolled back; "
        .. "01070734:3: one; two",
      err.message
    )
  end)

  it("shows a body that has nothing known, and keeps a text", function()
    local err = answered(422, { strange = { 1, 2 } })
    assert.equal('the device answered 422 without a message: {"strange":[1,2]}', err.message)
    assert.same({ strange = { 1, 2 } }, err.body)
    err = answered(422, {})
    assert.equal("the device answered 422 without a message", err.message)
    device:fault {
      match = { method = "POST" }, times = 1, status = 502,
      body = "<html><b>Bad</b> Gateway</html>",
    }
    err = lab.failure(bip.request, bip, "POST", "/mgmt/shared/appsvcs/declare", { body = {} })
    assert.equal("<html><b>Bad</b> Gateway</html>", err.body)
  end)

  it("has a bounded message", function()
    local errors <const> = {}
    for i = 1, 50 do errors[i] = ("%d %s"):format(i, ("é"):rep(2000)) end
    local err <const> = answered(422, { message = "no", errors = errors })
    assert.matches("; and 40 more$", err.message)
    assert.is_true(#err.message < 6000)
    assert.truthy(utf8.len(err.message))
    assert.equal(50, #err.body.errors)
    local function below(levels)
      local deep = { message = "bottom" }
      for _ = 1, levels do deep = { results = { deep } } end
      return deep
    end
    assert.equal("bottom", answered(422, below(6)).message:match "bottom$")
    assert.falsy(answered(422, below(7)).message:find "^bottom")
    local deep = below(100)
    assert.falsy(answered(422, deep).message:find "^bottom")
  end)

  it("masks secrets in the body", function()
    local err <const> = answered(422, {
      message = "no", errors = { "x" }, declaration = { passphrase = "hunter2", n = 1 },
    })
    assert.equal("********", err.body.declaration.passphrase)
    assert.equal(1, err.body.declaration.n)
  end)

  it("is told by the program, too", function()
    device:fault {
      match = { method = "POST" }, times = 1, status = 422,
      body = { code = 422, message = "declaration is invalid", errors = { "/T: bad" } },
    }
    local result <const> = program.run(
      { "create", "/mgmt/tm/ltm/pool", "name=x" }, { env = lab.environment(device) }
    )
    assert.equal(3, result.status)
    assert.matches("^f5lua: declaration is invalid: /T: bad\n", result.err)
  end)

  it("of a task has its answer as body, and no address of a table", function()
    local path <const> = "/mgmt/tm/asm/tasks/import-policy"
    for _, result in ipairs {
      { message = "The policy is invalid", errors = { "line 3" } },
      { reasons = { { text = "why" } } },
    } do
      device:fault {
        match = { method = "GET", path = "import%-policy" }, times = 20, status = 200,
        body = { id = "abc", status = "FAILURE", result = result },
      }
      local task <const> = bip:task { path = path, id = "abc" }
      local err <const> = lab.fails("task", task.wait, task, { keep = true, timeout = 5 })
      device:clear_faults()
      assert.falsy(tostring(err):find "table: ", tostring(err))
      if result.errors then assert.matches("The policy is invalid: line 3", err.message) end
      assert.same(result, err.body.result)
    end
  end)

  it("of a transaction is a text, whatever the device says", function()
    local tx <close> = bip:begin()
    tx(bip.ltm.pool):create { name = "p" }
    device:fault {
      match = { method = "PATCH", path = "/mgmt/tm/transaction/" }, times = 1, status = 200,
      body = {
        transId = tx:id(), state = "FAILED", failureReason = { why = json.array { "x" } },
      },
    }
    local err <const> = lab.failure(tx.commit, tx)
    assert.matches('transaction failed:{"why":%["x"%]}', err.message)
  end)
end)
