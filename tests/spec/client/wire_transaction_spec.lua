-- Answers to transactions that are lost, cut or say something else. A transaction is committed when
-- the device says so of it, and not before.
local f5 = require "f5"
local wire = require "wire"

local POOL <const> = "/mgmt/tm/ltm/pool/~Common~web"
local OBJECT <const> = '{"kind":"tm:ltm:pool:poolstate","name":"web","description":"d"}'
local COMMAND <const> = '{"commandId":1,"evalOrder":1}'
local MISSING <const> = '{"code":404,"message":"01020036:3: was not found.","apiError":3}'
local TX <const> = "/mgmt/tm/transaction"

local function transaction(state) return ('{"transId":17,"state":"%s"}'):format(state) end

local server, bip

setup(function() server = wire.start() end)
teardown(function() getmetatable(server).__close() end)

local function pool() return bip.ltm.pool["/Common/web"] end

describe("a transaction", function()
  before_each(function() bip = f5.connect(server:options()) end)
  after_each(function() bip:close() end)

  local QUEUE <const> = {
    { method = "POST", path = TX, bytes = wire.answer("200 OK", transaction "STARTED"), times = 1 },
    { method = "PATCH", path = POOL, bytes = wire.answer("200 OK", COMMAND) },
    { method = "DELETE", path = POOL, bytes = wire.answer("200 OK", COMMAND) },
  }

  local function rules(...)
    local list = { ... }
    for _, rule in ipairs(QUEUE) do list[#list + 1] = rule end
    server:rules(list)
  end

  local function state(of, fields)
    local rule =
      { method = "GET", path = TX .. "/17", bytes = wire.answer("200 OK", transaction(of)) }
    for name, value in pairs(fields or {}) do rule[name] = value end
    return rule
  end

  local GONE <const> = { method = "DELETE", path = TX .. "/17", bytes = wire.answer "200 OK" }

  -- SHORT for those that are waited for until the time is up.
  local SHORT <const> = { interval = 0.01, timeout = 0.25 }

  local function carry_out(options)
    return pcall(bip.transaction, bip, options or { interval = 0.01, timeout = 20 }, function(tx)
      tx(pool()):modify { description = "d" }
    end)
  end

  local function commit(bytes, fields)
    local rule = { method = "PATCH", path = TX .. "/17", bytes = bytes }
    for name, value in pairs(fields or {}) do rule[name] = value end
    return rule
  end

  it("whose commit is cut at any byte was carried out when the device says so", function()
    local bytes = wire.answer("200 OK", transaction "COMPLETED")
    for cut = 0, #bytes do
      rules(commit(bytes, { cut = cut }), state "COMPLETED")
      local ok, err = carry_out()
      assert.is_true(ok, cut .. ": " .. tostring(err))
      if cut < #bytes and cut % 7 == 0 then
        rules(commit(bytes, { cut = cut }), GONE, state "STARTED")
        ok, err = carry_out()
        assert.same({ false, nil }, { ok, err.outcome }, cut .. ": " .. tostring(err))
        assert.matches("did not reach the device; the transaction has changed nothing$",
          err.message)
        rules(commit(bytes, { cut = cut }))
        ok, err = carry_out(SHORT)
        assert.same({ false, "unknown" }, { ok, err.outcome }, cut .. ": " .. tostring(err))
      end
    end
  end)

  it("is not carried out because of an answer that does not say so", function()
    for _, body in ipairs {
      "", "<html></html>", "{}", transaction "VALIDATING", transaction "STARTED",
      '{"transId":18,"state":"COMPLETED"}', '{"state":"COMPLETED"}', '{"transId":17}',
      '{"transId":17,"state":"completed"}', "[]",
    } do
      for _, status in ipairs { "200 OK", "202 Accepted" } do
        local answer = wire.answer(status, body)
        local running = { times = 2 }
        rules(commit(answer), state("VALIDATING", running), state "COMPLETED")
        local ok, err = carry_out()
        assert.is_true(ok, body .. tostring(err))
        assert.equal(3, select(2, table.concat(server:seen(), " "):gsub("GET", "")))

        rules(commit(answer), state("VALIDATING", running), state "FAILED", GONE)
        ok, err = carry_out()
        assert.same({ false, "transaction" }, { ok, err.kind, err.outcome }, body .. tostring(err))

        rules(commit(answer), state "VALIDATING")
        ok, err = carry_out(SHORT)
        assert.same({ false, "unknown" }, { ok, err.outcome }, body .. tostring(err))

        rules(commit(answer), state("", { bytes = wire.answer("404 Not Found", MISSING) }))
        ok, err = carry_out()
        assert.same({ false, "unknown" }, { ok, err.outcome }, body .. tostring(err))

        rules(commit(answer), state("", { bytes = wire.answer("403 Forbidden", "{}") }))
        ok, err = carry_out { async = true, interval = 0.01, timeout = 20 }
        assert.same({ false, "unknown" }, { ok, err.outcome }, body .. tostring(err))
      end
    end
  end)

  it("counts its commands as changes only when they may be some", function()
    rules(commit(wire.answer("200 OK", transaction "FAILED")), GONE)
    assert.is_false(carry_out())
    assert.equal(0, bip:usage().writes)
    rules(commit(wire.answer("200 OK", "{}")), GONE, state "STARTED")
    assert.is_false(carry_out())
    assert.equal(0, bip:usage().writes)
    rules(commit(wire.answer("200 OK", "{}")), state "VALIDATING")
    assert.is_false(carry_out(SHORT))
    assert.equal(1, bip:usage().writes)
  end)

  it("that cannot be taken back after a commit that got lost may still be carried out", function()
    rules(
      commit("", { cut = 0 }), state "STARTED",
      { method = "DELETE", path = TX, bytes = wire.answer("500 X", "{}") }
    )
    local ok, err = carry_out()
    assert.same({ false, "unknown" }, { ok, err.outcome }, tostring(err))
  end)

  it("has no command that the device does not confirm", function()
    for _, body in ipairs {
      "", "{}", OBJECT, "<html></html>", '{"commandId":1', '{"commandId":"x"}',
    } do
      for _, method in ipairs { "PATCH", "DELETE" } do
        rules({ method = method, path = POOL, bytes = wire.answer("200 OK", body) }, GONE)
        local ok, err = pcall(bip.transaction, bip, function(tx)
          if method == "DELETE" then return tx(pool()):delete() end
          return tx(pool()):modify { description = "d" }
        end)
        assert.same({ false, "protocol" }, { ok, err.kind }, body .. tostring(err))
        assert.is_nil(table.concat(server:seen(), "\n"):find("PATCH " .. TX, 1, true))
      end
    end
  end)

  it("removes a command of which it does not know whether it is there before it commits", function()
    local COMMANDS <const> = '{"kind":"x","items":[{"commandId":1},{"commandId":2}]}'
    server:rules {
      QUEUE[1],
      { method = "PATCH", path = POOL, bytes = wire.answer("200 OK", COMMAND), times = 1 },
      { method = "PATCH", path = POOL, bytes = wire.answer("200 OK", '{"commandId":2') },
      { method = "GET", path = TX .. "/17/commands", bytes = wire.answer("200 OK", COMMANDS) },
      { method = "DELETE", path = TX .. "/17/commands/2", bytes = wire.answer "200 OK" },
      commit(wire.answer("200 OK", transaction "COMPLETED")),
    }
    local tx <close> = bip:begin()
    tx(pool()):modify { description = "d" }
    assert.is_false(pcall(function() tx(pool()):modify { description = "e" } end))
    assert.is_true(tx:commit())
    local seen = server:seen()
    assert.equal("DELETE " .. TX .. "/17/commands/2", seen[#seen - 1])
  end)

  it("is validated by an answer that shows it", function()
    for body, good in pairs {
      [transaction "STARTED"] = true, [transaction "COMPLETED"] = true,
      [transaction "FAILED"] = false, [""] = false, ["{}"] = false,
      ['{"transId":18,"state":"STARTED"}'] = false,
    } do
      rules(commit(wire.answer("200 OK", body)), GONE)
      local tx <close> = bip:begin()
      tx(pool()):modify { description = "d" }
      local ok, err = pcall(tx.validate, tx)
      assert.equal(good, ok, body .. tostring(err))
      if not ok then assert.is_nil(err.outcome, body .. tostring(err)) end
    end
  end)

  it("tells its state, or that it cannot be seen", function()
    local strange = state("", { bytes = wire.answer("200 OK", "{}") })
    rules(state("STARTED", { times = 1 }), strange, GONE)
    local tx <close> = bip:begin()
    assert.equal("STARTED", tx:state())
    local ok, err = pcall(tx.state, tx)
    assert.same({ false, "protocol" }, { ok, err.kind })
  end)
end)
