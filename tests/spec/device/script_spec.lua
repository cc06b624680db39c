-- Scripts of tmsh (cli script) on the simulated device: they run, and a task says how they ended.
local curl = require "curl"
local lab = require "lab"
local sim = require "f5.sim"

describe("Scripts of tmsh", function()
  local device
  setup(function() device = sim.start {} end)
  teardown(function() lab.stop(device) end)

  local function made(name, text)
    local body = { name = name, apiAnonymous = text }
    assert.equal(200, curl(device, "POST", "/mgmt/tm/cli/script", body).status)
  end

  local function run(name, arguments)
    return curl(device, "POST", "/mgmt/tm/cli/script", {
      command = "run", name = name, utilCmdArgs = arguments,
    })
  end

  local function bash(text)
    return curl(device, "POST", "/mgmt/tm/util/bash", {
      command = "run", utilCmdArgs = "-c '" .. text .. "'",
    }).json.commandResult
  end

  it("change the configuration, print, and get their arguments", function()
    made("walk", [[
      proc script::run {} {
        puts "$tmsh::argc [lindex $tmsh::argv 0] [lindex $tmsh::argv 2]"
        tmsh::create ltm pool made members add \{ 192.0.2.1:80 \}
      }]])
    local answer = run("walk", "one two").json
    assert.same({
      kind = "tm:cli:script:runstate", command = "run", name = "walk", utilCmdArgs = "one two",
      commandResult = "3 walk two\n",
    }, answer)
    assert.equal(1, #curl(device, "GET", "/mgmt/tm/ltm/pool/~Common~made/members").json.items)
    curl(device, "DELETE", "/mgmt/tm/ltm/pool/~Common~made")
    assert.equal("2 walk \n", bash "tmsh run cli script walk one")
  end)

  it("commit a transaction as a whole, and report what it refuses", function()
    made("whole", [[
      proc script::run {} {
        if { [catch {
          tmsh::create auth partition walk
          tmsh::create sys folder /walk/app/
          tmsh::begin_transaction
          tmsh::create ltm pool /walk/app/first
          tmsh::create ltm virtual /walk/app/v destination 192.0.2.9:80 pool /walk/app/none
          tmsh::commit_transaction
        } err] } {
          catch { tmsh::cancel_transaction } e
          tmsh::create ltm data-group internal report type string
          tmsh::modify ltm data-group internal report records add \{ error \{ data \"$err\" \} \}
        }
      }]])
    assert.is_nil(run("whole").json.commandResult)
    local report = curl(device, "GET", "/mgmt/tm/ltm/data-group/internal/~Common~report").json
    assert.equal(
      "01020036:3: The requested Pool (/walk/app/none) was not found.", report.records[1].data
    )
    assert.equal(404, curl(device, "GET", "/mgmt/tm/ltm/pool/~walk~app~first").status)
    assert.equal(200, curl(device, "GET", "/mgmt/tm/sys/folder/~walk~app").status)
  end)

  it("that fail are a 400, and what they did before stays", function()
    made("half", [[
      proc script::run {} {
        tmsh::create ltm pool kept
        tmsh::create ltm virtual v destination 192.0.2.9:80 pool missing
      }]])
    local answer = run "half"
    assert.equal(400, answer.status)
    assert.equal([[
half: script failed to complete:
can't eval proc: "script::run"
01020036:3: The requested Pool (/Common/missing) was not found.
    while executing
"tmsh::create ltm virtual v destination 192.0.2.9:80 pool missing"
    invoked from within
"script::run" line:1
script did not successfully complete, status:1]], answer.json.message)
    assert.equal(200, curl(device, "GET", "/mgmt/tm/ltm/pool/~Common~kept").status)
    made("empty", "")
    assert.matches('invalid command name "script::run"', run("empty").json.message, 1, true)
    assert.equal(404, run("nobody").status)
    assert.equal(400, curl(device, "POST", "/mgmt/tm/cli/script", { command = "run" }).status)
  end)

  it("run programs of the device's shell, with the user's rights", function()
    made("shell", 'proc script::run {} { puts [eval "exec [lrange $tmsh::argv 1 end]"] }')
    assert.equal("a b\n", run("shell", "echo a b").json.commandResult)
    assert.equal("1\n", run("shell", "echo one | wc -l").json.commandResult)
    assert.equal("$HOME;x\n", run("shell", "echo $HOME;x").json.commandResult)
    local failed = run("shell", "ls /nowhere 2> /dev/null")
    assert.matches("\nchild process exited abnormally\n", failed.json.message, 1, true)
    run("shell", "/usr/bin/qkview -s 0 -f /var/tmp/walk.qkview")
    assert.equal("/var/tmp/walk.qkview\n", bash "ls /var/tmp/walk.qkview")
    local host = run("shell", "cat /etc/hostname /proc/self/cmdline")
    assert.equal(400, host.status)
  end)

  it("that never end, or run each other, are stopped", function()
    made("endless", "proc script::run {} { while {1} { set a b } }")
    made("spiral", [[
      proc script::run {} { while {1} { catch { exec tmsh run cli script spiral } } }]])
    for _, name in ipairs { "endless", "spiral" } do
      local started = os.clock()
      local answer = run(name)
      assert.is_true(os.clock() - started < 3)
      assert.is_true(answer.status == 400 or answer.status == 501, answer.status)
      assert.matches("f5lua: not simulated: ", answer.json.message, 1, true)
    end
  end)

  it("end as their task says", function()
    made("good", 'proc script::run {} { puts done }')
    made("bad", 'proc script::run {} { error "no luck" }')
    for name, wanted in pairs { good = "COMPLETED", bad = "FAILED" } do
      local path = "/mgmt/tm/task/cli/script"
      local id = curl(device, "POST", path, { command = "run", name = name }).json._taskId
      path = path .. "/" .. id
      curl(device, "PUT", path, { _taskState = "VALIDATING" })
      device:advance(5)
      assert.equal(wanted, curl(device, "GET", path).json._taskState)
      local result = curl(device, "GET", path .. "/result").json
      if name == "good" then assert.equal("done\n", result.commandResult) end
      if name == "bad" then assert.matches("no luck", result.message, 1, true) end
      curl(device, "DELETE", path)
    end
  end)
end)

describe("Commands of modules", function()
  local device
  setup(function() device = sim.start { provision = { "ltm", "afm", "asm", "ilx" } } end)
  teardown(function() lab.stop(device) end)

  local function command(path, body)
    local answer = curl(device, "POST", "/mgmt/tm/" .. path, body)
    return answer.status, answer.json.message
  end

  it("claim no success for feeds that cannot be downloaded", function()
    local path = "security/ip-intelligence/feed-list"
    assert.equal(200, (command(path, { command = "load" })))
    local made = curl(device, "POST", "/mgmt/tm/" .. path, { name = "walk" })
    assert.equal(200, made.status)
    local status, message = command(path, { command = "load", name = "walk" })
    assert.equal(400, status)
    assert.matches("feed list (/Common/walk) cannot be downloaded", message, 1, true)
    assert.equal(404, (command(path, { command = "load", name = "none" })))
    assert.equal(400, (command("ltm/classification/update-signatures", { command = "load" })))
  end)

  it("need their object", function()
    for _, action in ipairs { "start", "stop", "restart" } do
      assert.equal(404, (command("ilx/plugin", { command = action, name = "none" })))
    end
    curl(device, "POST", "/mgmt/tm/ilx/plugin", { name = "walk" })
    assert.equal(200, (command("ilx/plugin", { command = "restart", name = "walk" })))
  end)

  it("of utilities that are not simulated are refused", function()
    for _, name in ipairs { "tcpdump", "traceroute", "sys-icheck", "test-monitor", "ccmode" } do
      local status, message = command("util/" .. name, { command = "run" })
      assert.equal(501, status)
      assert.matches("is not supported by the component /util/" .. name, message, 1, true)
    end
  end)
end)
