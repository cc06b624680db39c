-- Long work and tmsh's commands from a playbook's side.
local core = require "f5.core"
local f5 = require "f5"
local guide_tasks = require "guide_tasks"
local lab = require "lab"
local program = require "program"

local fails <const> = lab.fails

local device, bip

local function setup()
  device, bip = lab.start { provision = { "ltm", "apm", "vcmp", "wam", "pem", "ilx", "asm" } }
end

local function teardown() lab.stop(bip, device) end

-- Options of wait that let the device's clock run faster.
local function fast(options)
  options = options or {}
  options.interval = options.interval or 0.001
  options.progress = options.progress or function() device:advance(2) end
  return options
end

local function tasks_left()
  local count = 0
  for _ in pairs(device:state().tasks.items) do count = count + 1 end
  return count
end

describe("G23 a task", function()
  before_each(setup)
  after_each(teardown)

  it("is waited for as long as is said, also for ever; what is no time is refused", function()
    assert.equal(
      "nightly",
      bip
        :task("sys/ucs", { command = "save", name = "nightly" })
        :wait(fast { timeout = math.huge }).name
    )
    local task <const> = bip:task("sys/ucs", { command = "save", name = "weekly" })
    core.spawn(function()
      core.sleep(0.1)
      device:advance(60)
    end)
    assert.equal("weekly", task:wait { timeout = math.huge, interval = 0.05 }.name)
    for _, options in ipairs { { timeout = -1 }, { timeout = 0 / 0 }, { interval = -1 } } do
      assert.matches(
        "must be a number of seconds",
        fails("usage", task.wait, task, options).message
      )
    end
    assert.is_table(bip:request("GET", "/mgmt/tm/sys/version", { timeout = math.huge }))
    device:fault { match = { path = "version$" }, delay_ms = 500, times = 100 }
    fails("timeout", bip.request, bip, "GET", "/mgmt/tm/sys/version", { timeout = 1e-9 })
  end)

  it("is created, started, waited for, and cleaned up in the guide's order", function()
    local task <const> = bip:task("sys/ucs", { command = "save", name = "nightly" })
    assert.equal("integer", math.type(task.id))
    assert.equal("VALIDATING", task:state())
    assert.matches("^task /mgmt/tm/task/sys/ucs/%d+$", tostring(task))
    assert.matches(
      "no result yet; its state is VALIDATING", fails("usage", task.result, task).message
    )
    device:clear_log()
    local states = {}
    local result <const> = task:wait { interval = 0.001, progress = function(state, seconds)
      states[#states + 1] = state
      assert.equal("float", math.type(seconds))
      device:advance(2)
    end }
    assert.equal("nightly", result.name)
    assert.same({ "VALIDATING", "VALIDATING", "COMPLETED" }, states)
    local log <const> = device:log()
    local last = {}
    for i = #log - 2, #log do
      last[#last + 1] = log[i].method .. " " .. log[i].path:gsub("%d+", "N")
    end
    assert.same(
      {
        "GET /mgmt/tm/task/sys/ucs/N/result",
        "DELETE /mgmt/tm/task/sys/ucs/N/result",
        "DELETE /mgmt/tm/task/sys/ucs/N",
      },
      last
    )
    assert.equal(0, tasks_left())
  end)

  it("is taken up again by its id", function()
    local task <const> = bip:task(bip.sys.config, { command = "save" })
    local other <const> = bip:task { path = "sys/config", id = task.id }
    assert.equal(tostring(task), tostring(other))
    other:wait(fast { keep = true })
    assert.equal("COMPLETED", task:state())
    assert.equal("table", type(task:result()))
    lab.writes(device)
    task:delete()
    assert.equal(2, #lab.writes(device)) -- the result, and the task
    task:delete()
    assert.same({}, lab.writes(device))
    assert.equal(0, tasks_left())
  end)

  it("that fails is an error of kind task", function()
    device:control(
      "plan_task",
      {
        template = "sys/config", outcome = "FAILED", seconds = 30,
        message = "01070734:3: disk full",
      }
    )
    local task <const> = bip:task("sys/config", { command = "save" })
    local err <const> = fails("task", task.wait, task, fast())
    assert.equal("01070734:3: disk full", err.message)
    assert.matches("/mgmt/tm/task/sys/config/%d+$", err.path)
    assert.equal(0, tasks_left())
  end)

  it("that fails has a reason, whatever the device can say of it", function()
    local function failed(result)
      device:control("plan_task", {
        template = "sys/config", outcome = "FAILED", seconds = 30, message = "01070734:3: disk "
          .. "full",
      })
      result.match = { method = "GET", path = "^/mgmt/tm/task/sys/config/%d+/result$" }
      device:fault(result)
      local task <const> = bip:task("sys/config", { command = "save" })
      return fails("task", task.wait, task, fast())
    end
    local err = failed { times = 1, status = 400, body = { code = 400, message = "no result" } }
    assert.same({ "no result", nil }, { err.message, err.cause })
    err = failed { times = 1, status = 200, body = { code = 17, message = "" } }
    assert.same({ "the device reports FAILED", 17 }, { err.message, err.code })
    err = failed { times = 1, status = 200, body = { message = "its words", code = 18 } }
    assert.same({ "its words", 18, nil }, { err.message, err.code, err.cause })
  end)

  it("that vanishes says so, and that its outcome is unknown", function()
    device:control("plan_task", { template = "sys/config", vanish = true })
    local task <const> = bip:task("sys/config", { command = "save" })
    local err <const> = fails("task", task.wait, task, fast())
    assert.same({ 404, "unknown" }, { err.status, err.outcome })
    assert.matches("no longer knows this task", err.message)
    assert.matches("no longer knows this task", fails("task", task.state, task).message)
  end)

  it("is waited for no longer than was said, and goes on", function()
    local task <const> = bip:task("sys/config", { command = "save" })
    local err <const> = fails("timeout", task.wait, task, { timeout = 0.05 })
    assert.equal("unknown", err.outcome)
    assert.matches(
      ('get its handle again with bip:task{ path = "/mgmt/tm/task/sys/config", id = %d }'):format(
        task.id
      ),
      err.message,
      1,
      true
    )
    device:advance(10)
    bip:task({ path = "/mgmt/tm/task/sys/config", id = task.id }):wait()
    assert.equal(0, tasks_left())
  end)

  it("survives what a restarting device says", function()
    local task <const> = bip:task("sys/config", { command = "save" })
    local path <const> = "/mgmt/tm/task/sys/config/%d+$"
    device:fault { match = { path = path }, times = 2, kind = "bad_gateway" }
    device:fault { match = { path = path }, times = 2, kind = "restarting" }
    device:fault { match = { path = path }, times = 2, reset = true }
    device:fault { match = { path = path }, times = 2, kind = "not_public" }
    device:fault { match = { path = path }, times = 2, kind = "mcpd_lost" }
    device:fault { match = { path = path }, times = 2, kind = "html_page" }
    device:advance(10)
    local looks = 0
    task:wait { interval = 0.001, progress = function() looks = looks + 1 end }
    assert.is_true(looks >= 11) -- libcurl may repeat a reset exchange by itself
  end)

  it("survives a restart of the daemons", function()
    local task <const> = bip:task("sys/config", { command = "save" })
    device:restart { seconds = 0.4 }
    assert.equal(
      "table",
      type(task:wait { interval = 0.05, progress = function() device:advance(0.3) end })
    )
  end)

  it("waits until the device has ended another one", function()
    local first <const> = bip:task("sys/config", { command = "save" })
    local second
    local fiber <const> = f5.spawn(
      function() second = bip:task("sys/ucs", { command = "save", name = "a" }) end
    )
    f5.sleep(0.1)
    assert.is_nil(second)
    device:advance(10)
    fiber:join()
    first:wait()
    second:wait(fast())
  end)

  it("is started once, whatever was cut", function()
    device:fault {
      match = { method = "POST", path = "/mgmt/tm/task/" },
      times = 1,
      act = true,
      reset = true,
    }
    device:fault {
      match = { method = "PUT", path = "/mgmt/tm/task/" },
      times = 1,
      act = true,
      reset = true,
    }
    bip:task("sys/ucs", { command = "save", name = "one" }):wait(fast())
    device:fault { match = { method = "PUT", path = "/mgmt/tm/task/" }, times = 1, reset = true }
    bip:task("sys/ucs", { command = "save", name = "two" }):wait(fast())
    assert.equal(2, #bip.sys.ucs:list())
    assert.equal(1, tasks_left()) -- the one whose id nobody learned
    device:advance(700)
    bip.sys:list()
    assert.equal(0, tasks_left())
  end)

  it("leaves nothing when it cannot be started", function()
    device:fault {
      match = { method = "PUT", path = "/mgmt/tm/task/" },
      times = 1,
      kind = "validation",
    }
    fails("invalid", bip.task, bip, "sys/config", { command = "save" })
    assert.equal(0, tasks_left())
  end)

  it("takes no wrong arguments", function()
    assert.matches(
      "expected a table as body, got a nil", fails("usage", bip.task, bip, "sys/ucs").message
    )
    assert.matches(
      "has no tasks",
      fails("usage", bip.task, bip, "/mgmt/shared/echo", {}).message
    )
    assert.matches(
      "needs the task's id",
      fails("usage", bip.task, bip, { path = "sys/ucs" }).message
    )
    local task <const> = bip:task("sys/config", { command = "save" })
    assert.matches("unknown option 'time'", fails("usage", task.wait, task, { time = 3 }).message)
    assert.matches(
      "'timeout' must be a number",
      fails("usage", task.wait, task, { timeout = "3" }).message
    )
    task:wait(fast())
  end)

  it("names the line of the script for wrong arguments", function()
    local function where(pattern, act)
      assert.matches("^%S*task_spec%.lua:%d+: task: " .. pattern, fails("usage", act).message)
    end
    where("expected a path, got a number$", function() return (bip:task(5, {})) end)
    where("expected a table as body, got a nil$", function() return (bip:task "sys/ucs") end)
    where(
      "/mgmt/shared/echo has no tasks$", function() return (bip:task("/mgmt/shared/echo", {})) end
    )
    where("the body lacks the volume$", function()
      return (bip:task("sys/software/image", { command = "install", name = "x.iso" }))
    end)
    where(".*needs the path", function() return (bip:task { id = 5 }) end)
    where(".*needs the task's id$", function() return (bip:task { path = "sys/ucs" }) end)
    where("unknown field 'di'", function() return (bip:task { path = "sys/ucs", di = 5 }) end)
  end)

  it("that Ctrl-C breaks off says how to look at it again", function()
    local directory <close> = program.directory()
    local file <const> = directory:file("wait.lua", [[
      local bip <close> = require("f5").connect()
      local task = bip:task("sys/config", { command = "save" })
      print "waits"
      io.stdout:flush()
      task:wait()]])
    device:control("plan_task", { template = "sys/config", seconds = 600 })
    local process <close> = program.start(
      { file },
      { env = lab.environment(device) }
    )
    process:expect "waits"
    process:kill "INT"
    local ended <const> = process:wait()
    assert.equal(130, ended.status)
    assert.matches(
      'task /mgmt/tm/task/sys/config/%d+ continues; get its handle again with bip:task{ path = '
        .. '"/mgmt/tm/task/sys/config", id = %d+ }',
      ended.err
    )
    device:advance(700)
  end)

  it("of another family has the same handle", function()
    local qkview <const> = bip:task("/mgmt/cm/autodeploy/qkview", { name = "case.qkview" })
    assert.matches("^%x+%-", qkview.id)
    assert.matches("case.qkview$", qkview:wait(fast()).qkviewUri)
    assert.equal(0, #bip:at("/mgmt/cm/autodeploy/qkview"):list())
    assert.equal(
      "nightly",
      bip:task("shared/sys/backup", { action = "BACKUP", file = "nightly" }):wait(fast()).file
    )
    local package <const> = bip:task(
      "/mgmt/shared/iapp/package-management-tasks",
      { operation = "INSTALL", packageFilePath = "/nope.rpm" }
    )
    assert.matches(
      "Package file does not exist: /nope.rpm",
      fails("task", package.wait, package, fast()).message
    )
    local query <const> =
      bip:task("/mgmt/shared/iapp/package-management-tasks", { operation = "QUERY" }):wait(fast())
    assert.equal("table", type(query.queryResponse))
  end)

  it("of a volume is the volume's status", function()
    bip:request(
      "POST",
      "/mgmt/cm/autodeploy/software-image-uploads/BIGIP-17.5.0-0.0.15.iso",
      {
        body = "iso",
        headers = { ["Content-Type"] = "application/octet-stream", ["Content-Range"] = "0-2/3" },
      }
    )
    local task <const> = bip:task(
      "sys/software/image",
      {
        command = "install", name = "BIGIP-17.5.0-0.0.15.iso", volume = "HD1.2",
        options = { { ["create-volume"] = true } },
      }
    )
    local states = {}
    local volume <const> = task:wait { interval = 0.001, progress = function(state)
      states[#states + 1] = state
      device:advance(10)
    end }
    assert.matches("^installing %d+%.000 pct$", states[2])
    assert.same({ "complete", "17.5.0" }, { volume.status, volume.version })
    assert.equal("complete", bip:task({ path = "sys/software/image", id = "HD1.2" }):state())
  end)
end)

describe("G24 the tasks of the guide's table", function()
  before_each(setup)
  after_each(teardown)

  local bodies <const> = { ["vcmp/guest"] = { name = "g", initialImage = "x.iso" } }
  for path, body in pairs(guide_tasks.bodies) do bodies[path] = body end

  for path, body in pairs(bodies) do
    it("runs " .. path, function()
      bip.cli.script:create { name = "s", apiAnonymous = "proc script::run {} {}" }
      bip.cm["device-group"]:create { name = "g1", type = "sync-failover" }
      if path == "ilx/plugin" then bip.ilx.plugin:create { name = body.name } end
      local refusal <const> = guide_tasks.refusals[path]
      if refusal then
        local task <const> = bip:task(path, body)
        local ok, err = pcall(task.wait, task, fast())
        assert.is_false(ok)
        assert.matches(refusal, err.message, 1, true)
      else
        assert.equal("table", type(bip:task(path, body):wait(fast())))
        assert.equal(0, tasks_left())
      end
    end)
  end
end)

describe("G25 the commands of tmsh", function()
  before_each(setup)
  after_each(teardown)

  it("run on references", function()
    local pools <const> = bip.ltm.pool
    pools:create { name = "p1" }
    pools:run("cp", { name = "p1", target = "p2" })
    pools:run("mv", { name = "p2", target = "p3" })
    assert.same({ true, false, true }, { pools.p1:exists(), pools.p2:exists(), pools.p3:exists() })
    bip.ltm.rule:create { name = "r1", apiAnonymous = "when HTTP_REQUEST { }" }
    bip.ltm.rule:run(
      "generate",
      { name = "r1", options = { { signature = true } }, ["signing-key"] = "k" }
    )
    bip.sys.config:run("save")
    bip.sys.config:run("load")
    bip.ltm.virtual:create { name = "v1", destination = "192.0.2.9:80" }
    bip.ltm.virtual:run("reset-stats", { name = "v1" })
    for _, action in ipairs { "start", "stop", "restart" } do
      bip.sys.service:run(action, { name = "ntpd" })
    end
    local report <const>, mail <const> =
      bip.analytics["application-security"].report, { ["email-addresses"] = { "a@example.net" } }
    assert.equal("invalid", fails("invalid", report.run, report, "send-mail", mail).kind)
    bip.sys["smtp-server"]:create { name = "m", smtpServerHostName = "mail.example.net" }
    report:run("send-mail", mail)
    f5.asm(bip).policies:create { name = "p" }
    bip.asm.policy:run("publish", { name = "/Common/p" })
    assert.matches(
      "192.0.2.7",
      bip.util.ping:run("run", { utilCmdArgs = "-c 1 192.0.2.7" }).commandResult,
      1,
      true
    )
    assert.equal("unsupported", fails("unsupported", pools.run, pools, "reboot").kind)
    bip.sys:run("reboot")
  end)

  it("that take too long may have been carried out", function()
    device:fault {
      match = { path = "/mgmt/tm/sys/ucs" }, times = 1, kind = "timeout_exception", act = true,
    }
    local err <const> = fails("timeout", function() bip.sys.ucs:run("save", { name = "long" }) end)
    assert.same({ "unknown", 400 }, { err.outcome, err.status })
    assert.matches("outcome unknown: the device may have carried it out", err.message)
    assert.matches("bip:task", err.message)
    assert.equal(1, #bip.sys.ucs:list())
  end)
end)
