-- What counts as a change of the device, and how a script says that a call changes nothing.
local f5 = require "f5"
local lab = require "lab"

describe("a change", function()
  local device, bip

  setup(function() device, bip = lab.start {} end)
  teardown(function() lab.stop(bip, device) end)

  local last = 0
  -- How many changes were counted since the last call.
  local function counted()
    local before <const> = last
    last = bip:usage().writes
    return last - before
  end

  local function wait(task)
    return task:wait { interval = 0.001, progress = function() device:advance(2) end }
  end

  it("is what the shell, a command, a task and a request do", function()
    counted()
    bip:bash "uptime"
    assert.equal(1, counted())
    bip.sys.config:run "save"
    assert.equal(1, counted())
    bip:request("POST", "/mgmt/tm/util/bash", { body = { command = "run", utilCmdArgs = "-c id" } })
    assert.equal(1, counted())
    wait(bip:task("sys/config", { command = "save" }))
    assert.equal(1, counted()) -- neither its start nor its deletion
    bip:bash("uptime", { changes = true })
    assert.equal(1, counted())
    lab.fails("task", bip.bash, bip, "false")
    assert.equal(1, counted())
  end)

  it("is none if the script says so", function()
    counted()
    local harmless <const> = { changes = false }
    assert.matches("load average", (bip:bash("uptime", harmless)))
    local answer <const> = bip.util.bash:run("run", { utilCmdArgs = "-c id" }, harmless)
    assert.matches("uid=", answer.commandResult)
    wait(bip:task("sys/config", { command = "save" }, harmless))
    bip:request(
      "POST",
      "/mgmt/tm/util/bash",
      { body = { command = "run", utilCmdArgs = "-c id" }, changes = false }
    )
    assert.equal(0, counted())
    lab.fails("task", bip.bash, bip, "false", harmless)
    assert.equal(0, counted())
  end)

  it("does not mark a device of a fleet as changed if there was none", function()
    local fleet <const> = { device:options() }
    for _, row in ipairs { { true, nil }, { false, { changes = false } } } do
      local report <const> = f5.each(fleet, function(each) each:bash("uptime", row[2]) end)
      assert.equal("done", report.devices[1].state, tostring(report.devices[1].error))
      assert.equal(row[1], report.devices[1].changed)
    end
  end)

  it("is declared as true or false", function()
    counted()
    local wrong <const> = { changes = "no" }
    for _, act in ipairs {
      function() bip:bash("uptime", wrong) end,
      function() bip.sys.config:run("save", {}, wrong) end,
      function() bip:request("POST", "sys/config", { body = {}, changes = "no" }) end,
      function() bip:task("sys/config", { command = "save" }, wrong) end,
    } do
      assert.matches("changes'? must be a? ?[tb]", lab.fails("usage", act).message)
    end
    for _, act in ipairs {
      function() bip:bash("uptime", { change = false }) end,
      function() bip.sys.config:run("save", {}, { change = false }) end,
      function() bip:request("POST", "sys/config", { change = false }) end,
      function() bip:task("sys/config", { command = "save" }, { change = false }) end,
    } do
      assert.matches("unknown option 'change'", lab.fails("usage", act).message)
    end
    for _, act in ipairs {
      function() bip.sys.config:run("save", {}, 5) end,
      function() bip:task("sys/config", { command = "save" }, 5) end,
    } do
      assert.matches("expected a table of options", lab.fails("usage", act).message)
    end
    assert.equal(0, counted())
  end)

  it("is each command of a transaction", function()
    local err <const> = lab.fails("usage", function()
      bip:transaction(function(tx)
        tx(bip.sys.config):run("save", {}, { changes = false })
      end)
    end)
    assert.matches("every command of a transaction counts as a change", err.message)
  end)
end)
