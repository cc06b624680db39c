-- Transactions from a playbook's side: their commands, and that all or none are carried out.
local f5 = require "f5"
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"
local transactions = require "transactions"

local fails <const> = lab.fails

local LINE <const> = "tests/spec/client/transaction_spec%.lua:%d+"

local device, bip

local function open() bip = f5.connect(device:options "admin") end
local function pending() return transactions.pending(device) end
local function snapshot() return transactions.snapshot(device) end

local function setup()
  device = sim.start {}
  open()
end

local function teardown() transactions.stop(bip, device) end

describe("G19 a transaction's commands", function()
  before_each(setup)
  after_each(teardown)

  it("are queued, listed, read, moved and removed", function()
    local tx <close> = bip:begin()
    assert.equal("integer", math.type(tx:id()))
    assert.equal("STARTED", tx:state())
    assert.matches("^transaction %d+ with ", tostring(tx))
    local first = tx(bip.ltm.node):create { name = "n1", address = "192.0.2.1" }
    assert.same(
      { 1, 1, "POST", "n1" },
      { first.commandId, first.evalOrder, first.method, first.body.name }
    )
    local second = tx(bip.ltm.node["/Common/n2"]):create { address = "192.0.2.2" }
    tx(bip.ltm.node["/Common/n1"]):modify { description = "first" }
    tx(bip.ltm.node["/Common/n1"]):delete()
    local list = tx:commands()
    assert.same(
      { "POST", "POST", "PATCH", "DELETE" },
      { list[1].method, list[2].method, list[3].method, list[4].method }
    )
    for _, command in ipairs(list) do
      assert.matches("^" .. LINE .. "$", command.where)
    end
    assert.equal(1, tx:move(second, 1).evalOrder)
    tx:remove(4)
    list = tx:commands()
    assert.same({ 2, 1, 3 }, { list[1].commandId, list[2].commandId, list[3].commandId })
    assert.is_false(bip.ltm.node.n1:exists())
    assert.is_false(tx(bip.ltm.node.n1):exists())
    tx:commit()
    assert.equal("first", bip.ltm.node.n1:load().description)
    assert.is_true(bip.ltm.node.n2:exists())
  end)

  it("may touch what the same transaction makes", function()
    local web <const> = bip.ltm.pool["/Common/web"]
    bip.net["route-domain"]:create { name = "1", id = 1 }
    bip:transaction(function(tx)
      tx(web):create { monitor = "/Common/http" }
      tx(web.members):create { name = "/Common/192.0.2.1%1:80", address = "192.0.2.1%1" }
      tx(web).members["/Common/192.0.2.1%1:80"]:modify { session = "user-disabled" }
      tx(web):at("members"):create { name = "192.0.2.2:80", address = "192.0.2.2" }
    end)
    assert.equal(2, #web.members:list())
    assert.equal("user-disabled", web.members["/Common/192.0.2.1%1:80"]:load().session)
  end)

  it("come of ensure, run and replace too", function()
    bip.ltm.pool:create { name = "web" }
    bip:transaction(function(tx)
      assert.equal(
        "unchanged",
        (tx(bip.ltm.pool["/Common/web"]):ensure { loadBalancingMode = "round-robin" })
      )
      assert.equal("changed", (tx(bip.ltm.pool["/Common/web"]):ensure { description = "x" }))
      assert.equal("created", (tx(bip.ltm.pool["/Common/new"]):ensure { description = "y" }))
      tx(bip.ltm.pool["/Common/web"]):replace { description = "z" }
      tx(bip.ltm.pool):run("cp", { name = "web", target = "copy" })
    end)
    assert.equal("z", bip.ltm.pool.web:load().description)
    assert.equal("y", bip.ltm.pool.new:load().description)
    assert.is_true(bip.ltm.pool.copy:exists())
  end)

  it("are only what can be a part of one", function()
    local tx <close> = bip:begin()
    local other <close> = f5.connect(device:options "admin")
    assert.matches(
      "ASM does not support transactions",
      fails("usage", function() tx(bip.asm.policies):create { name = "x" } end).message
    )
    assert.matches(
      "cannot be part of a transaction",
      fails("usage", function() tx(bip:at "/mgmt/shared/echo"):modify { a = 1 } end).message
    )
    assert.matches(
      "cannot be part of a transaction",
      fails("usage", function() tx(bip:at "task/sys/config"):run("save") end).message
    )
    assert.matches("another session", fails("usage", function() tx(other.ltm.pool) end).message)
    assert.matches(
      "expected a reference, got a string",
      fails("usage", function() tx "ltm/pool" end).message
    )
    assert.matches(LINE, fails("usage", function() bip:begin { keepalive = 3 } end).message)
    assert.matches(
      "did you mean 'keep_alive'",
      fails("usage", function() bip:begin { keepalive = 3 } end).message
    )
    assert.matches(
      "unknown option 'asynch'",
      fails("usage", function() tx:commit { asynch = true } end).message
    )
    tx:rollback()
    tx:rollback()
    assert.matches("has ended", fails("usage", function() tx(bip.ltm.pool) end).message)
    assert.matches("has ended", fails("usage", function() tx:commit() end).message)
  end)
end)

describe("G20 a transaction is carried out as a whole or not at all", function()
  before_each(setup)
  after_each(teardown)

  it("commits at the end of the function and returns what that returns", function()
    local a, b = bip:transaction(function(tx)
      tx(bip.ltm.node):create { name = "n1", address = "192.0.2.1" }
      return "a", nil
    end)
    assert.same({ "a", nil }, { a, b })
    assert.is_true(bip.ltm.node.n1:exists())
    bip:transaction(function() end) -- nothing to commit is nothing wrong
  end)

  it("is looked at as a whole: a rule may come before the profile that it wants", function()
    bip.ltm.rule:create { name = "hr", apiAnonymous = "when HTTP_REQUEST { }" }
    local function make(with_profile)
      bip:transaction(function(tx)
        tx(bip.ltm.virtual["/Common/hv"]):create {
          destination = "/Common/192.0.2.7:80",
          profiles = { "/Common/tcp" },
          rules = { "/Common/hr" },
        }
        if with_profile then
          tx(bip.ltm.virtual["/Common/hv"].profiles):create { name = "/Common/http" }
        end
      end)
    end
    local ok, err = f5.try(make, false)
    assert.same({ false, "transaction" }, { ok, err.kind })
    assert.matches("01071912:3: HTTP_REQUEST event in rule %(/Common/hr%)", err.message)
    assert.is_false(bip.ltm.virtual["/Common/hv"]:exists())
    make(true)
    assert.equal(2, #bip.ltm.virtual["/Common/hv"].profiles:list())
  end)

  it("validates without a change", function()
    local before <const> = snapshot()
    local tx <close> = bip:begin()
    tx(bip.ltm.node):create { name = "n1", address = "192.0.2.1" }
    assert.is_true(tx:validate())
    assert.equal(before, snapshot())
    tx(bip.ltm.pool.nope):modify { description = "x" }
    local err <const> = fails("transaction", tx.validate, tx)
    assert.equal("PATCH", err.command.method)
    assert.equal(before, snapshot())
  end)

  it("abandons on an error, with break, and when the session closes", function()
    local before <const> = snapshot()
    local ok, err = pcall(bip.transaction, bip, function(tx)
      tx(bip.ltm.node):create { name = "n1", address = "192.0.2.1" }
      error("no", 0)
    end)
    assert.same({ false, "no" }, { ok, err })
    for i = 1, 2 do
      local tx <close> = bip:begin()
      tx(bip.ltm.node):create { name = "n" .. i, address = "192.0.2.1" }
      if i == 1 then break end
    end
    assert.equal(0, pending())
    assert.equal(0, bip:usage().writes)
    local kept = bip:begin()
    kept(bip.ltm.node):create { name = "n1", address = "192.0.2.1" }
    bip:close()
    assert.equal(0, pending())
    assert.equal(before, snapshot())
    open()
  end)

  it("does not keep the session from closing, whatever is on its way", function()
    local idle <const> = bip:begin() -- the token is gone: the device ends the transaction by itself
    local state <const> = device:state()
    state.tokens.items = {}
    device:restore(state)
    bip:close()
    assert.equal(1, pending())
    assert.matches("ended", tostring(idle))
    open()
    device:fault {
      match = { method = "POST", path = "/mgmt/tm/transaction$" },
      after = 1,
      delay_ms = 300,
    }
    device:clear_log()
    local tx = bip:begin { keep_alive = 0.02 } -- its own call is on its way
    lab.arrived(device, "POST", "/mgmt/tm/transaction$", 2)
    assert.matches("^transaction %d+ ", tostring(tx))
    bip:close()
    open()
    tx = bip:begin() -- a command is
    device:fault {
      match = { method = "POST", path = "/mgmt/tm/ltm/node" },
      times = 1,
      delay_ms = 300,
    }
    local fiber <const> = f5.spawn(function()
      return pcall(function() tx(bip.ltm.node):create { name = "n1", address = "192.0.2.1" } end)
    end)
    lab.arrived(device, "POST", "/ltm/node$")
    bip:close()
    local _, err = fiber:join()
    assert.equal("cancelled", err.kind)
    open()
    tx = bip:begin() -- its end is
    device:fault {
      match = { method = "DELETE", path = "/mgmt/tm/transaction/" },
      times = 1,
      delay_ms = 300,
    }
    device:clear_log()
    local rollback <const> = f5.spawn(function() tx:rollback() end)
    lab.arrived(device, "DELETE", "/mgmt/tm/transaction/")
    bip:close()
    rollback:join()
    open()
    device:advance(300)
    bip:begin():rollback()
    assert.equal(0, bip:usage().writes)
  end)

  it("counts its commands as writes when it is committed, and none when it is refused", function()
    local function queue(tx, pool)
      tx(bip.ltm.node):create { name = "w1", address = "192.0.2.11" }
      tx(bip.ltm.node):create { name = "w2", address = "192.0.2.12", monitor = pool }
    end
    -- its blame looks for the guilty one, too
    assert.is_false(f5.try(bip.transaction, bip, function(tx) queue(tx, "/Common/none-such") end))
    assert.equal(0, bip:usage().writes)
    local tx = bip:begin()
    queue(tx)
    assert.is_true(tx:validate())
    assert.equal(0, bip:usage().writes)
    tx:remove(2)
    tx:commit()
    assert.equal(1, bip:usage().writes)
    -- what came of it is looked up
    device:fault {
      match = { method = "PATCH", path = "/mgmt/tm/transaction/" },
      reset = true,
      act = true,
    }
    bip:transaction({ interval = 0.01 }, function(cut)
      cut(bip.ltm.node):create { name = "w3", address = "192.0.2.13" }
      cut(bip.ltm.node):create { name = "w4", address = "192.0.2.14" }
    end)
    assert.equal(3, bip:usage().writes)
    assert.equal(3, #bip.ltm.node:list())
  end)

  it("abandons one that the script forgot", function()
    (function() bip:begin()(bip.ltm.node):create { name = "n1", address = "192.0.2.1" } end)()
    collectgarbage()
    collectgarbage()
    for _ = 1, 100 do
      if pending() == 0 then break end
      f5.sleep(0.01)
    end
    assert.equal(0, pending())
  end)

  it("abandons when its fiber is cancelled", function()
    local before <const> = snapshot()
    local started
    local fiber = f5.spawn(function()
      bip:transaction(function(tx)
        tx(bip.ltm.node):create { name = "n1", address = "192.0.2.1" }
        started = true
        f5.sleep(60)
      end)
    end)
    while not started do f5.sleep(0.01) end
    fiber:cancel()
    local _, err = pcall(fiber.join, fiber)
    assert.equal("cancelled", err.kind)
    assert.equal(0, pending())
    assert.equal(before, snapshot())
  end)

  it("changes nothing at all when a command fails, whichever it is, and names it", function()
    local before <const> = snapshot()
    local function fail_at(position, size)
      local line
      local err = fails("transaction", bip.transaction, bip, function(tx)
        for i = 1, size do
          if i == position then
            line = debug.getinfo(1, "l").currentline + 1
            tx(bip.ltm.pool["/Common/nope"]):modify { description = "x" }
          elseif i % 2 == 0 then
            tx(bip.auth.user.operator):modify { description = "changed " .. i }
          else
            tx(bip.ltm.pool):create {
              name = "p" .. i,
              members = { { name = "192.0.2.1:" .. i, address = "192.0.2.1" } },
            }
          end
        end
      end)
      assert.equal(before, snapshot())
      assert.same(
        {
          "PATCH",
          "/mgmt/tm/ltm/pool/~Common~nope",
          "tests/spec/client/transaction_spec.lua:" .. line,
          position,
        },
        { err.command.method, err.command.path, err.command.where, err.command.id }
      )
      assert.matches(
        "the command was PATCH /mgmt/tm/ltm/pool/~Common~nope, queued at "
          .. "tests/spec/client/transaction_spec.lua:"
          .. line,
        err.message,
        1,
        true
      )
      assert.same({ 400, 2 }, { err.status, err.api_error })
      assert.is_nil(err.outcome)
    end
    local slow <const> = lab.slow
    for size = 1, slow and 20 or 8 do
      for position = 1, size do fail_at(position, size) end
    end
    for size = 21, slow and 199 or 0 do fail_at(size, size) end
    for position = 1, 200, slow and 1 or 99 do fail_at(position, 200) end
  end)

  it("says what the device has instead of a misspelt path", function()
    local ok, err = f5.try(bip.transaction, bip, function(tx)
      tx(bip.ltm.pool["/Common/first"]):create {}
      tx(bip.ltm.poool["/Common/second"]):create {}
    end)
    assert.same({ false, "transaction" }, { ok, err.kind })
    assert.matches("has no 'poool'; did you mean 'pool'%?%); the command was POST", err.message)
  end)

  it("asks the device who is guilty when several commands have to do with it", function()
    local before <const> = snapshot()
    local line
    local err = fails("transaction", bip.transaction, bip, function(tx)
      tx(bip.ltm.pool["/Common/twice"]):create()
      tx(bip.ltm.pool["/Common/twice"]):modify { description = "x" }
      line = debug.getinfo(1, "l").currentline + 1
      tx(bip.ltm.pool):create { name = "twice" }
      tx(bip.ltm.pool["/Common/twice"]):modify { description = "y" }
      tx(bip.ltm.node):create { name = "n1", address = "192.0.2.1" }
    end)
    assert.same(
      { 3, "tests/spec/client/transaction_spec.lua:" .. line },
      { err.command.id, err.command.where }
    )
    assert.equal(before, snapshot())
  end)

  it("names all candidates when the device cannot be asked", function()
    device:fault {
      match = { method = "PATCH", path = "/mgmt/tm/transaction/" },
      after = 1, -- the commit itself
      times = 9,
      status = 403,
      body = { code = 403, message = "not now", errorStack = {} },
    }
    local err <const> = fails("transaction", bip.transaction, bip, function(tx)
      tx(bip.ltm.pool["/Common/twice"]):create()
      tx(bip.ltm.pool["/Common/twice"]):modify { description = "x" }
      tx(bip.ltm.pool):create { name = "twice" }
      tx(bip.ltm.node):create { name = "n1", address = "192.0.2.1" }
    end)
    device:clear_faults()
    assert.is_nil(err.command)
    assert.equal(3, #err.candidates)
    assert.matches("it was one of 3 commands: POST /mgmt/tm/ltm/pool, queued at ", err.message)
  end)

  it("finds the guilty command in the device's words", function()
    local function blamed(message)
      device:fault {
        match = { method = "PATCH", path = "/mgmt/tm/transaction/" },
        times = 1,
        status = 400,
        body = {
          code = 400, message = "transaction failed:" .. message, errorStack = {}, apiError = 2,
        },
      }
      -- Nobody can be asked: the words must do.
      device:fault {
        match = { method = "POST", path = "/mgmt/tm/transaction$" },
        times = 1,
        after = 1,
        kind = "validation",
      }
      local err <const> = fails("transaction", bip.transaction, bip, function(tx)
        tx(bip.ltm.rule):create { name = "r1", apiAnonymous = "when HTTP_REQUEST { pool other }" }
        tx(bip.ltm.pool["/Common/p1"].members):create {
          name = "192.0.2.1:80", address = "192.0.2.1",
        }
        tx(bip.ltm.virtual["/Common/app/vs"]):create {
          destination = "/Common/192.0.2.9%1:443",
          profiles = { { name = "/Common/tcp" } },
        }
        tx(bip.ltm.node["/Part/n%1 x"]):delete()
        tx(bip.ltm.virtual["/Common/vs2"]):modify { pool = "p3", rules = { "/Common/r2" } }
        tx(bip.ltm.pool["/Common/p4"]):modify { monitor = "min 1 of { /Common/m1 /Common/m2 }" }
      end)
      device:clear_faults()
      return err.command and err.command.id or #err.candidates .. " candidates"
    end
    assert.equal(
      1,
      blamed(
        "01070151:3: Rule [/Common/r1] error: /Common/r1:1: error: [undefined procedure: other]"
      )
    )
    assert.equal(
      2,
      blamed(
        "01020036:3: The requested Pool Member (/Common/p1 /Common/192.0.2.1 80) was not found."
      )
    )
    assert.equal(2, blamed "01070333:3: something about '192.0.2.1:80'")
    assert.equal(
      3,
      blamed(
        "01070734:3: Configuration error: in Virtual Server (/Common/app/vs) http needs "
          .. "/Common/http"
      )
    )
    assert.equal(3, blamed "01070333:3: Virtual Address /Common/192.0.2.9%1:443 is wrong")
    assert.equal(4, blamed '0107:3: node "/Part/n%1 x" is referenced')
    assert.equal(5, blamed "01020036:3: The requested pool (/Common/p3) was not found.")
    assert.equal(5, blamed "01070151:3: Rule /Common/r2, not found.")
    assert.equal(6, blamed "01070277:3: The requested monitor rule (/Common/m2) was not found.")
    assert.equal("6 candidates", blamed "01070000:3: Common and partition and nothing else")
    assert.equal("2 candidates", blamed "01070000:3: /Common/r1 and /Common/r2")
  end)

  it("lists all that may be guilty when the device cannot be asked", function()
    device:fault {
      match = { method = "PATCH", path = "/mgmt/tm/transaction/" },
      times = 1,
      status = 400,
      body = {
        code = 400,
        message = "transaction failed:01070000:3: something",
        errorStack = {},
        apiError = 2,
      },
    }
    device:fault {
      match = { method = "POST", path = "/mgmt/tm/transaction$" },
      times = 1,
      after = 1,
      status = 400,
      body = { code = 400, message = "no", errorStack = {}, apiError = 1 },
    }
    local err = fails("transaction", bip.transaction, bip, function(tx)
      for i = 1, 11 do tx(bip.ltm.node):create { name = "n" .. i, address = "192.0.2." .. i } end
    end)
    assert.is_nil(err.command)
    assert.equal(11, #err.candidates)
    assert.matches(
      "one of 11 commands: POST /mgmt/tm/ltm/node, queued at " .. LINE .. "; POST", err.message
    )
    assert.equal(10, select(2, err.message:gsub("/ltm/node, queued", "")))
    assert.matches("; 1 more$", err.message)
  end)

  it("says that an empty one cannot be committed", function()
    local tx <close> = bip:begin()
    assert.matches("no command to commit", fails("transaction", tx.commit, tx).message)
  end)

  it("looks what came of a commit whose answer was lost", function()
    device:fault {
      match = { method = "PATCH", path = "/mgmt/tm/transaction/" },
      times = 1,
      act = true,
      reset = true,
    }
    bip:transaction(function(tx) tx(bip.ltm.node):create { name = "n1", address = "192.0.2.1" } end)
    assert.is_true(bip.ltm.node.n1:exists())
    device:fault {
      match = { method = "PATCH", path = "/mgmt/tm/transaction/" },
      times = 1,
      act = false,
      reset = true,
    }
    local err <const> = fails(
      "transport",
      bip.transaction,
      bip,
      function(tx) tx(bip.ltm.node):create { name = "n2", address = "192.0.2.2" } end
    )
    assert.matches("did not reach the device; the transaction has changed nothing", err.message)
    assert.is_false(bip.ltm.node.n2:exists())
  end)

  it("says when a validation was cut off", function()
    local tx <close> = bip:begin()
    tx(bip.ltm.node):create { name = "n1", address = "192.0.2.1" }
    device:fault {
      match = { method = "PATCH", path = "/mgmt/tm/transaction/" },
      times = 1,
      act = true,
      reset = true,
    }
    local err <const> = fails("transport", tx.validate, tx)
    assert.matches("nothing was committed", err.message)
    assert.is_nil(err.outcome)
    tx:commit()
  end)

  it("says when a commit is interrupted", function()
    local directory <close> = program.directory()
    local file <const> = directory:file("tx.lua", [[
      local f5 = require "f5"
      local bip <close> = f5.connect()
      bip:transaction(function(tx) tx(bip.ltm.node):create { name = "n1", address = "192.0.2.1" } end)]]
    )
    device:fault {
      match = { method = "PATCH", path = "/mgmt/tm/transaction/" },
      times = 1,
      delay_ms = 3000,
    }
    device:clear_log()
    local process <close> = program.start(
      { "-v", file },
      { env = lab.environment(device) }
    )
    lab.arrived(device, "PATCH", "/mgmt/tm/transaction/")
    process:kill "INT"
    local ended <const> = process:wait()
    assert.equal(130, ended.status)
    assert.matches(
      "interrupted during the commit of transaction %d+; it is unknown whether it was carried out",
      ended.err
    )
  end)

  it("takes out a command that was queued though its answer was lost", function()
    for _, act in ipairs { "validate", "commit" } do
      local tx <close> = bip:begin()
      local function queue() tx(bip.ltm.node):create { name = "n1", address = "192.0.2.1" } end
      device:fault {
        match = { method = "POST", path = "/mgmt/tm/ltm/node" }, act = true, reset = true,
      }
      assert.is_nil(fails("transport", queue).outcome)
      queue()
      assert.equal(2, #tx:commands())
      tx[act](tx)
    end
    assert.is_true(bip.ltm.node.n1:exists())
  end)

  it("works on when the token is renewed in between", function()
    bip:transaction(function(tx)
      tx(bip.ltm.node):create { name = "n1", address = "192.0.2.1" }
      local state = device:state()
      for _, token in pairs(state.tokens.items) do token.expirationMicros = device:now() - 1 end
      device:restore(state)
      tx(bip.ltm.node):create { name = "n2", address = "192.0.2.2" }
    end)
    assert.is_true(bip.ltm.node.n1:exists() and bip.ltm.node.n2:exists())
  end)
end)
