-- The life of transactions from a playbook's side: time limits, several at once, keys and
-- certificates, interruption.
local core = require "f5.core"
local f5 = require "f5"
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"
local transactions = require "transactions"

local fails <const> = lab.fails

local device, bip

local function open() bip = f5.connect(device:options "admin") end
local function pending() return transactions.pending(device) end

local function setup()
  device = sim.start {}
  open()
end

-- A commit that takes the device 60 seconds, and what the client sees of it.
local function commits_in_the_background(tx)
  local states = {}
  tx:commit { async = true, interval = 0.01, progress = function(state)
    states[#states + 1] = state
    device:advance(31)
  end }
  assert.same({ "VALIDATING", "VALIDATING", "COMPLETED" }, states)
  assert.is_true(bip.ltm.node.n1:exists())
end

local function teardown() transactions.stop(bip, device) end

describe("G21 a transaction's time", function()
  before_each(setup)
  after_each(teardown)

  it("is the device's when it commits in the background", function()
    local tx <close> = bip:begin()
    tx(bip.ltm.node):create { name = "n1", address = "192.0.2.1" }
    device:control("next_transaction", { seconds = 60 })
    commits_in_the_background(tx)
  end)

  it("is not read from what another transaction is", function()
    local tx <close> = bip:begin()
    tx(bip.ltm.node):create { name = "n1", address = "192.0.2.1" }
    device:control("next_transaction", { seconds = 60 })
    device:fault {
      match = { method = "GET", path = "^/mgmt/tm/transaction/%d+$" },
      times = 1,
      status = 200,
      body = { transId = tx:id() + 1, state = "COMPLETED" },
    }
    commits_in_the_background(tx)
  end)

  it("ends when the wait for the device is interrupted, which is said", function()
    local directory <close> = program.directory()
    local file <const> = directory:file("tx.lua", [[
      local f5 = require "f5"
      local bip <close> = f5.connect()
      local function change(tx) tx(bip.ltm.node):create { name = "n1", address = "192.0.2.1" } end
      bip:transaction({ async = true, progress = function() print "waits" end }, change)
    ]])
    device:control("next_transaction", { seconds = 600 })
    local process <close> = program.start({ file }, { env = lab.environment(device) })
    process:expect "waits"
    process:kill "INT"
    local ended <const> = process:wait()
    assert.equal(130, ended.status)
    assert.matches(
      "interrupted during the commit of transaction %d+; it is unknown whether it was carried out",
      ended.err
    )
  end)

  it("of execution ends, which is an error that says so", function()
    device:control("next_transaction", { seconds = 400 })
    local err <const> = fails(
      "transaction",
      bip.transaction,
      bip,
      { async = true, interval = 0.01, progress = function() device:advance(301) end },
      function(tx) tx(bip.ltm.node):create { name = "n1", address = "192.0.2.1" } end
    )
    assert.matches("exceeded 300 seconds", err.message)
    assert.is_false(bip.ltm.node.n1:exists())
  end)

  it("of ours may end before the device's", function()
    device:control("next_transaction", { seconds = 60 })
    local err <const> = fails(
      "timeout",
      bip.transaction,
      bip,
      { async = true, timeout = 0.05, interval = 0.01 },
      function(tx) tx(bip.ltm.node):create { name = "n1", address = "192.0.2.1" } end
    )
    assert.equal("unknown", err.outcome)
    device:advance(61)
    assert.is_true(bip.ltm.node.n1:exists())
    device:advance(200)
    bip:begin():rollback() -- the device forgets old ones when it begins one
  end)

  it("names the guilty command in the background too", function()
    local err <const> = fails(
      "transaction",
      bip.transaction,
      bip,
      { async = true, interval = 0.01, progress = function() device:advance(5) end },
      function(tx)
        tx(bip.ltm.node):create { name = "n1", address = "192.0.2.1" }
        tx(bip.ltm.pool.nope):modify { description = "x" }
      end
    )
    assert.equal("/mgmt/tm/ltm/pool/nope", err.command.path)
  end)

  it("without a command ends the transaction, which is an error that says so", function()
    local tx <close> = bip:begin()
    tx(bip.ltm.node):create { name = "n1", address = "192.0.2.1" }
    device:advance(121)
    local err <const> = fails(
      "transaction",
      function() tx(bip.ltm.node):create { name = "n2", address = "192.0.2.2" } end
    )
    assert.matches(
      "and changed nothing: it drops a transaction that gets no command for 120 s",
      err.message
    )
    assert.matches(
      "the device dropped the transaction", fails("transaction", tx.commands, tx).message
    )
    assert.matches(
      "the device dropped the transaction", fails("transaction", tx.commit, tx).message
    )
  end)

  it("does not end while the script has it", function()
    local tx <close> = bip:begin { keep_alive = 0.05 }
    local function keep_alive()
      device:clear_log()
      lab.arrived(device, "DELETE", "/mgmt/tm/transaction/")
    end
    for i = 1, 4 do -- first without a command, then with some
      device:advance(100)
      keep_alive()
      if i > 1 then tx(bip.ltm.node):create { name = "n" .. i, address = "192.0.2." .. i } end
    end
    assert.equal(3, #tx:commands())
    device:advance(100)
    keep_alive()
    tx:commit()
    assert.equal(3, #bip.ltm.node:list())
    assert.equal(3, bip:usage().writes)
  end)

  it("is kept up for three quarters of the device's limit, unless that is switched off", function()
    local function begin(...)
      local id <const> = bip:request("POST", "/mgmt/tm/transaction", { body = {} }).transId
      device:fault {
        match = { method = "POST", path = "^/mgmt/tm/transaction$" },
        times = 1,
        status = 200,
        body = { transId = id, state = "STARTED", timeoutSeconds = 1 },
      }
      local tx <const> = bip:begin(...)
      device:clear_log()
      return tx
    end
    for _, options in ipairs { {}, { {} } } do
      local began <const> = core.now()
      local tx <close> = begin(table.unpack(options))
      lab.arrived(device, "DELETE", "/mgmt/tm/transaction/")
      assert.is_true(core.now() - began > 0.7 and core.now() - began < 10)
      assert.equal("STARTED", tx:state())
    end
    local tx <close> = begin { keep_alive = false }
    f5.sleep(1.2)
    assert.same({}, device:log())
    assert.equal("STARTED", tx:state())
    for _, wrong in ipairs { true, 0, 86401, "5", {}, 0 / 0 } do
      local err <const> = fails("usage", bip.begin, bip, { keep_alive = wrong })
      assert.matches("begin: keep_alive must be a number of seconds, or false", err.message)
    end
  end)

  it("keeps the commands that are left when one was removed", function()
    local tx <close> = bip:begin { keep_alive = 0.05 }
    local first <const> = tx(bip.ltm.node):create { name = "n1", address = "192.0.2.1" }
    tx(bip.ltm.node):create { name = "n2", address = "192.0.2.2" }
    tx:remove(first)
    device:clear_log()
    lab.arrived(device, "DELETE", "/mgmt/tm/transaction/") -- by the keep-alive
    tx:commit()
    assert.same({ false, true }, { bip.ltm.node.n1:exists(), bip.ltm.node.n2:exists() })
  end)

  it("is kept up without a command that was removed", function()
    local tx <close> = bip:begin { keep_alive = 0.05 }
    tx:remove(tx(bip.ltm.node):create { name = "n1", address = "192.0.2.1" })
    device:clear_log()
    lab.arrived(device, "DELETE", "/mgmt/tm/transaction/")
    for _, call in ipairs(device:log()) do assert.not_equal("/mgmt/tm/ltm/node", call.path) end
    assert.same({}, tx:commands())
  end)

  it("is kept up while slow commands are on their way", function()
    local tx <close> = bip:begin { keep_alive = 0.05 }
    device:fault {
      match = { method = "POST", path = "/mgmt/tm/ltm/node" },
      times = 6,
      delay_ms = 130,
    }
    local fibers = {}
    for i = 1, 3 do
      fibers[i] = function()
        f5.sleep(0.03 * i)
        tx(bip.ltm.node):create { name = "n" .. i, address = "192.0.2." .. i }
      end
    end
    f5.all(fibers)
    f5.sleep(0.3)
    tx:commit()
    assert.equal(3, #bip.ltm.node:list())
  end)

  it("is kept up by calls that a cut leaves no trace of", function()
    local tx <close> = bip:begin { keep_alive = 0.05 }
    tx(bip.ltm.node):create { name = "n1", address = "192.0.2.1" }
    device:fault {
      match = { method = "DELETE", path = "/commands/" },
      times = 1,
      status = 500,
      body = { code = 500, message = "x" },
    }
    f5.sleep(0.3)
    tx:commit()
    assert.equal(1, #bip.ltm.node:list())
  end)
end)

describe("G19 a transaction that is looked at", function()
  before_each(setup)
  after_each(teardown)

  it("takes commands meanwhile, while it is committed none", function()
    local tx <close> = bip:begin()
    local one <const> = tx(bip.ltm.node):create { name = "n1", address = "192.0.2.1" }
    local number = 1
    local function meanwhile(method, act)
      device:fault {
        match = { method = method, path = "^/mgmt/tm/transaction/%d+" },
        delay_ms = 300,
        times = 1,
      }
      device:clear_log()
      local fiber <const> = f5.spawn(act)
      lab.arrived(device, method, "^/mgmt/tm/transaction/%d+")
      number = number + 1
      local ok <const>, err <const> = pcall(function()
        tx(bip.ltm.node):create { name = "n" .. number, address = "192.0.2." .. number }
      end)
      fiber:join()
      return ok, err
    end
    assert.is_true(meanwhile("GET", function() tx:commands() end))
    assert.is_true(meanwhile("PATCH", function() tx:move(one, 2) end))
    assert.is_true(meanwhile("DELETE", function() tx:remove(one) end))
    assert.is_false((meanwhile("PATCH", function() tx:validate() end)))
    assert.is_false((meanwhile("PATCH", function() tx:commit() end)))
    local names <const> = {}
    for i, node in ipairs(bip.ltm.node:list()) do names[i] = node.name end
    assert.same({ "n2", "n3", "n4" }, names)
  end)

  it("needs a function", function()
    for _, given in ipairs { {}, { {} }, { nil, 5 }, { { keep_alive = 5 }, "x" } } do
      local err <const> = fails("usage", bip.transaction, bip, given[1], given[2])
      assert.matches("transaction: expected a function, got a ", err.message)
    end
    local function result() return 1, nil, 3 end
    assert.same({ 1, nil, 3 }, { bip:transaction(result) })
    assert.same({ 1, nil, 3 }, { bip:transaction(nil, result) })
    assert.same({ 1, nil, 3 }, { bip:transaction({ timeout = 9 }, result) })
    assert.same({ 1, nil, 3 }, { bip:transaction(result, { timeout = 9 }) })
  end)
end)

describe("G22 several transactions at once", function()
  before_each(setup)
  after_each(teardown)

  it("do not know of each other", function()
    local a <close> = bip:begin()
    local b <close> = bip:begin()
    a(bip.ltm.node):create { name = "a", address = "192.0.2.1" }
    b(bip.ltm.node):create { name = "b", address = "192.0.2.2" }
    bip.ltm.node:create { name = "c", address = "192.0.2.3" }
    b:commit()
    assert.same(
      { false, true, true },
      { bip.ltm.node.a:exists(), bip.ltm.node.b:exists(), bip.ltm.node.c:exists() }
    )
    a:commit()
    assert.is_true(bip.ltm.node.a:exists())
  end)

  it("run in fibers of their own", function()
    local fibers = {}
    for i = 1, 20 do
      fibers[i] = function()
        return f5.try(bip.transaction, bip, function(tx)
          tx(bip.ltm.node):create { name = "n" .. i, address = "192.0.2." .. i }
          f5.sleep(0.01)
          if i % 2 == 0 then tx(bip.ltm.pool.nope):delete() end
        end)
      end
    end
    local done <const> = f5.all(fibers)
    for i = 1, 20 do assert.equal(i % 2 == 1, done[i]) end
    assert.equal(10, #bip.ltm.node:list())
  end)
end)

describe("G26 keys and certificates", function()
  before_each(setup)
  after_each(teardown)

  it("are made by the device", function()
    local key <const> = bip.sys.crypto.key:create { name = "site.key", keySize = "2048" }
    assert.equal("/Common/site.key", key.fullPath)
    bip.sys.crypto.cert:create {
      name = "site.crt", key = "site.key", commonName = "www.example.net",
    }
    assert.is_true(bip.sys.file["ssl-key"]["/Common/site.key"]:exists())
    assert.is_true(bip.sys.file["ssl-cert"]["/Common/site.crt"]:exists())
  end)

  it("are replaced together or not at all", function()
    local directory <close> = program.directory()
    local function send(name, text)
      return "file:" .. bip:upload(directory:file(name, text)).path
    end
    local certs <const>, keys <const> = bip.sys.file["ssl-cert"], bip.sys.file["ssl-key"]
    certs:create { name = "site.crt", sourcePath = send("1.crt", "certificate 1") }
    keys:create { name = "site.key", sourcePath = send("1.key", "key 1") }
    bip.ltm.profile["client-ssl"]:create {
      name = "site",
      cert = "/Common/site.crt",
      key = "/Common/site.key",
    }
    local certificate <const>, key <const> = send("2.crt", "certificate 2"), send("2.key", "key 2")
    local function revisions()
      return { certs["/Common/site.crt"]:load().revision, keys["/Common/site.key"]:load().revision }
    end
    local before <const> = revisions()
    fails("transaction", bip.transaction, bip, function(tx)
      tx(certs["/Common/site.crt"]):modify { sourcePath = certificate }
      tx(keys["/Common/missing.key"]):modify { sourcePath = key }
    end)
    assert.same(before, revisions())
    bip:transaction(function(tx)
      tx(certs["/Common/site.crt"]):modify { sourcePath = certificate }
      tx(keys["/Common/site.key"]):modify { sourcePath = key }
    end)
    assert.same({ before[1] + 1, before[2] + 1 }, revisions())
  end)
end)

describe("a transaction of a program that is interrupted", function()
  before_each(setup)
  after_each(teardown)

  for _, auth in ipairs { "token", "basic" } do
    it("is abandoned, with auth = " .. auth, function()
      local directory <close> = program.directory()
      local file <const> = directory:file("tx.lua", ([[
        local f5 = require "f5"
        bip = f5.connect { auth = %q }
        kept = bip:begin()
        kept(bip.ltm.node):create { name = "n0", address = "192.0.2.1" }
        bip:transaction(function(tx)
          tx(bip.ltm.node):create { name = "n1", address = "192.0.2.1" }
          print "waits"
          io.stdout:flush()
          f5.sleep(60)
        end)]]):format(auth)
      )
      local process <close> = program.start(
        { file },
        { env = lab.environment(device) }
      )
      process:expect "waits"
      assert.equal(2, pending())
      process:kill "INT"
      assert.equal(130, process:wait().status)
      assert.equal(0, pending())
    end)
  end
end)
