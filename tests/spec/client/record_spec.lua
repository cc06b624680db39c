-- Check mode, plans and change records see every write through core.record.
local core = require "f5.core"
local f5 = require "f5"
local lab = require "lab"
local program = require "program"

describe("a recorder", function()
  local device, bip, place, seen, before

  before_each(function()
    device, bip = lab.start()
    place = program.directory()
    seen, before = {}, function() end
    core.record(bip, {
      before = function(write) before(write) end,
      after = function(write) seen[#seen + 1] = write end,
    })
  end)
  after_each(function() lab.stop(bip, device, place) end)

  it("sees every write that the device sees", function()
    local pool = bip.ltm.pool["/Common/p"]
    device:clear_log()
    pool:ensure { members = { "10.0.0.1:80" } }
    pool:modify { description = "x" }
    pool.members:add "10.0.0.2:80"
    pool:replace { description = "y" }
    bip:transaction(function(tx)
      tx(bip.ltm.pool["/Common/a"]):create {}
      tx(pool):modify { description = "z" }
    end)
    bip:bash "true"
    bip.sys.config:run "save"
    bip:upload(place:file("up", "hello"))
    bip:task("sys/config", { command = "save" })
    bip:request("PATCH", "ltm/pool/~Common~p", { body = { description = "w" } })
    table.sort({ 2, 1 }, function(a, b)
      pool:modify { description = "in a comparison" }
      return a < b
    end)
    pool:absent()
    local sent, recorded = {}, {}
    for _, call in ipairs(device:log()) do
      local begins = call.method == "POST" and call.path:find "/mgmt/tm/transaction$"
      if call.method ~= "GET" and not begins then
        sent[#sent + 1] = ("%s %s %d"):format(call.method, call.path, call.status)
      end
    end
    for i, write in ipairs(seen) do
      recorded[i] = ("%s %s %d"):format(write.method, write.path, write.status)
    end
    assert.same(sent, recorded)
    assert.is_true(#recorded >= 15)
  end)

  it("knows the line, the transaction, the answer and the failure", function()
    local line <const> = debug.getinfo(1, "l").currentline
    pcall(function() bip.ltm.pool["/Common/q"]:modify { description = "x" } end)
    bip:transaction(function(tx) tx(bip.ltm.pool["/Common/a"]):create {} end)
    bip:bash("true", { changes = false })
    local failed, queued, committed, command = table.unpack(seen)
    assert.matches("record_spec.lua:" .. line + 1 .. ":", failed.where)
    assert.same({ false, 404 }, { failed.ok, failed.status })
    assert.matches("was not found", failed.message)
    assert.equal('{"description":"x"}', failed.body)
    assert.equal(committed.path:match "%d+$", queued.transaction)
    assert.matches('"commandId"', queued.answer)
    assert.is_nil(committed.transaction)
    assert.same({ true, false }, { command.harmless, queued.harmless })
  end)

  it("may read the device before the write, and can prevent it", function()
    local was = {}
    before = function(write)
      if write.method == "PATCH" then
        was[#was + 1] = bip:request("GET", write.path).description
      elseif write.method == "DELETE" then
        error "not recorded"
      end
    end
    local pool = bip.ltm.pool["/Common/p"]
    pool:create { description = "1" }
    f5.all(
      function() pool:modify { description = "2" } end,
      function() bip.ltm.pool["/Common/r"]:create {} end
    )
    table.sort({ 2, 1 }, function(a, b)
      pool:modify { description = "3" }
      return a < b
    end)
    assert.same({ "1", "2" }, { was[1], was[2] })
    local ok, err = pcall(function() pool:delete() end)
    assert.same({ false, true }, { ok, tostring(err):find "not recorded" ~= nil })
    assert.is_true(pool:exists())
  end)

  it("is told when the outcome is unknown", function()
    local pool = bip.ltm.pool["/Common/p"]
    pool:create {}
    device:fault { match = { method = "PATCH" }, kind = "timeout_exception" }
    pcall(function() pool:modify { description = "x" } end)
    assert.same({ false, "unknown" }, { seen[2].ok, seen[2].outcome })
  end)

  it("is let go with its session", function()
    for _, ended in ipairs { "closed", "forgotten" } do
      local weak <const> = setmetatable({}, { __mode = "v" })
      do
        local session <const> = lab.connect(device)
        weak[1] = { before = function() end, after = function() end }
        core.record(session, weak[1])
        if ended == "closed" then session:close() end
      end
      for _ = 1, 3 do collectgarbage() end
      assert.is_nil(weak[1], ended)
    end
  end)

  it("ends", function()
    core.record(bip, nil)
    bip.ltm.pool["/Common/p"]:create {}
    assert.same({}, seen)
  end)
end)
