-- Long work and commands on the simulated device: asynchronous tasks, tmsh's commands, UCS
-- archives, images, reboots, bash.
local curl = require "curl"
local guide_tasks = require "guide_tasks"
local lab = require "lab"
local sim = require "f5.sim"

local TASK <const> = "/mgmt/tm/task/"

describe("simulated device: tasks and commands", function()
  local device

  before_each(
    function()
      device = sim.start { provision = { "ltm", "apm", "vcmp", "wam", "pem", "ilx", "asm" } }
    end
  )
  after_each(function() lab.stop(device) end)

  local function bash(script)
    local answer = curl(
      device,
      "POST",
      "/mgmt/tm/util/bash",
      { command = "run", utilCmdArgs = "-c '" .. script:gsub("'", "'\\''") .. "'" }
    )
    assert.equal(200, answer.status)
    assert.equal("tm:util:bash:runstate", answer.json.kind)
    return answer.json.commandResult
  end

  it("G23 takes a task through its whole life", function()
    local created = curl(device, "POST", TASK .. "sys/ucs", { command = "save", name = "nightly" })
    assert.equal(200, created.status)
    local id = created.json._taskId
    assert.equal("STARTED", created.json._taskState)
    assert.equal(
      ("https://localhost/mgmt/tm/task/sys/ucs/%d/result?ver=17.1.3"):format(id),
      created.json._taskResultLink
    )
    local path = TASK .. "sys/ucs/" .. id
    device:advance(60)
    assert.equal("STARTED", curl(device, "GET", path).json._taskState)
    local started = curl(device, "PUT", path, { _taskState = "VALIDATING" })
    assert.equal(202, started.status)
    assert.equal("Task will execute asynchronously.", started.json.message)
    assert.equal("VALIDATING", curl(device, "GET", path).json._taskState)
    assert.equal("VALIDATING", curl(device, "GET", path .. "/result").json._taskState)
    local other = curl(device, "POST", TASK .. "sys/config", { command = "save" }).json._taskId
    local busy = curl(device, "PUT", TASK .. "sys/config/" .. other, { _taskState = "VALIDATING" })
    assert.equal(503, busy.status)
    assert.same(
      { "There is an active asynchronous task executing.", 32964609 },
      { busy.json.message, busy.json.apiError }
    )
    device:advance(10)
    assert.equal("COMPLETED", curl(device, "GET", path).json._taskState)
    local result = curl(device, "GET", path .. "/result")
    assert.equal(200, result.status)
    assert.equal("nightly", result.json.name)
    assert.equal(200, curl(device, "DELETE", path .. "/result").status)
    assert.equal(404, curl(device, "GET", path .. "/result").status)
    assert.equal(200, curl(device, "DELETE", path).status)
    local gone = curl(device, "GET", path)
    assert.equal(404, gone.status)
    assert.equal(("Task not found - ID: %d user: admin"):format(id), gone.json.message)
    assert.equal(
      "/var/local/ucs/nightly.ucs",
      curl(device, "GET", "/mgmt/tm/sys/ucs").json.items[1].apiRawValues.filename
    )
  end)

  it("G23 fails, vanishes and forgets as planned", function()
    local function task(plan)
      if plan then device:control("plan_task", plan) end
      local id = curl(device, "POST", TASK .. "sys/config", { command = "save" }).json._taskId
      curl(device, "PUT", TASK .. "sys/config/" .. id, { _taskState = "VALIDATING" })
      return TASK .. "sys/config/" .. id
    end
    local failing = task {
      template = "sys/config", outcome = "FAILED", seconds = 30, message = "01070734:3: disk full",
    }
    device:advance(20)
    assert.equal("VALIDATING", curl(device, "GET", failing).json._taskState)
    device:advance(11)
    assert.equal("FAILED", curl(device, "GET", failing).json._taskState)
    assert.equal("01070734:3: disk full", curl(device, "GET", failing .. "/result").json.message)
    local vanishing = task { vanish = true, seconds = 1 }
    device:advance(2)
    assert.equal(404, curl(device, "GET", vanishing).status)
    local unstarted = curl(device, "POST", TASK .. "sys/config", { command = "save" }).json._taskId
    device:advance(601)
    assert.equal(404, curl(device, "GET", TASK .. "sys/config/" .. unstarted).status)
    local missing =
      curl(device, "POST", TASK .. "sys/ucs", { command = "load", name = "nope" }).json._taskId
    curl(device, "PUT", TASK .. "sys/ucs/" .. missing, { _taskState = "VALIDATING" })
    device:advance(10)
    assert.equal("FAILED", curl(device, "GET", TASK .. "sys/ucs/" .. missing).json._taskState)
  end)

  it("G24 has every endpoint of the guide's table, in both ways", function()
    assert.equal(
      200,
      curl(
        device,
        "POST",
        "/mgmt/tm/cli/script",
        { name = "s", apiAnonymous = "proc script::run {} {}" }
      ).status
    )
    assert.equal(
      200,
      curl(
        device, "POST", "/mgmt/tm/cm/device-group", { name = "g1", type = "sync-failover" }
      ).status
    )
    assert.equal(200, curl(device, "POST", "/mgmt/tm/ilx/plugin", { name = "p" }).status)
    for template, body in pairs(guide_tasks.bodies) do
      local created = curl(device, "POST", TASK .. template, body)
      assert.equal(200, created.status, template)
      local path = TASK .. template .. "/" .. created.json._taskId
      assert.equal(202, curl(device, "PUT", path, { _taskState = "VALIDATING" }).status, template)
      device:advance(5)
      local refusal = guide_tasks.refusals[template]
      local state = curl(device, "GET", path).json._taskState
      local direct = curl(device, "POST", "/mgmt/tm/" .. template, body)
      assert.equal(refusal and "FAILED" or "COMPLETED", state, template)
      if refusal then
        assert.matches(refusal, curl(device, "GET", path .. "/result").json.message, 1, true)
        assert.matches(refusal, direct.json.message, 1, true)
      else
        assert.equal(200, direct.status, template)
      end
    end
    local guest = curl(
      device, "POST", TASK .. "vcmp/guest", { name = "g1", initialImage = "x.iso" }
    ).json._taskId
    assert.equal(
      202,
      curl(device, "PUT", TASK .. "vcmp/guest/" .. guest, { _taskState = "VALIDATING" }).status
    )
    device:advance(5)
    assert.equal("COMPLETED", curl(device, "GET", TASK .. "vcmp/guest/" .. guest).json._taskState)
    assert.equal(200, curl(device, "GET", "/mgmt/tm/vcmp/guest/g1").status)
    assert.equal(
      "standby",
      curl(device, "GET", "/mgmt/tm/shared/bigip-failover-state").json.failoverState
    )
    assert.equal(501, curl(device, "POST", TASK .. "sys/config", { command = "frobnicate" }).status)
    assert.equal(404, curl(device, "POST", TASK .. "ltm/pool", { command = "save" }).status)
  end)

  it("G25 saves and loads the configuration, and UCS archives", function()
    curl(device, "POST", "/mgmt/tm/ltm/node", { name = "n1", address = "192.0.2.1" })
    local saved = curl(device, "POST", "/mgmt/tm/sys/config", { command = "save" }).json
    assert.same({ kind = "tm:sys:config:savestate", command = "save" }, saved)
    assert.equal(
      200,
      curl(device, "POST", "/mgmt/tm/sys/ucs", { command = "save", name = "one.ucs" }).status
    )
    curl(device, "DELETE", "/mgmt/tm/ltm/node/~Common~n1")
    assert.equal(200, curl(device, "POST", "/mgmt/tm/sys/config", { command = "load" }).status)
    assert.equal(200, curl(device, "GET", "/mgmt/tm/ltm/node/~Common~n1").status)
    assert.equal(
      200,
      curl(device, "POST", "/mgmt/tm/sys/config", { command = "load", name = "default" }).status
    )
    assert.equal(404, curl(device, "GET", "/mgmt/tm/ltm/node/~Common~n1").status)
    assert.equal(
      200,
      curl(device, "POST", "/mgmt/tm/sys/ucs", { command = "load", name = "one" }).status
    )
    assert.equal(200, curl(device, "GET", "/mgmt/tm/ltm/node/~Common~n1").status)
    assert.equal(
      400,
      curl(device, "POST", "/mgmt/tm/sys/ucs", { command = "load", name = "two" }).status
    )
    assert.equal(200, curl(device, "DELETE", "/mgmt/tm/sys/ucs/one.ucs").status)
    assert.same({}, curl(device, "GET", "/mgmt/tm/sys/ucs").json.items)
  end)

  it("G25 queues mail for a mail server, which it cannot reach", function()
    local report = "/mgmt/tm/analytics/application-security/report"
    local function mail(more)
      local body = { command = "send-mail", ["email-addresses"] = { "a@example.net" } }
      for name, value in pairs(more or {}) do body[name] = value end
      return curl(device, "POST", report, body)
    end
    local function server(name)
      local body = { name = name, smtpServerHostName = name .. ".example.net" }
      assert.equal(200, curl(device, "POST", "/mgmt/tm/sys/smtp-server", body).status)
    end
    local refused = mail()
    assert.equal(400, refused.status)
    assert.matches("no SMTP configuration", refused.json.message, 1, true)
    server "one"
    assert.equal(200, mail().status)
    server "two"
    assert.equal(400, mail().status)
    assert.equal(404, mail({ ["smtp-config-override"] = "/Common/three" }).status)
    assert.equal(200, mail({ ["smtp-config-override"] = "two" }).status)
    assert.equal(400, mail({ ["email-addresses"] = {} }).status)
    local log = curl(device, "POST", "/mgmt/tm/util/bash", {
      command = "run", utilCmdArgs = "-c 'cat /var/log/maillog'",
    }).json.commandResult
    assert.equal(2, select(2, log:gsub("to=<a@example.net>, relay=none, status=deferred", "")))
    assert.matches("two.example.net:25", log, 1, true)
  end)

  it("G25 pings the hosts that its configuration names", function()
    local node = { name = "web", address = "192.0.2.7" }
    assert.equal(200, curl(device, "POST", "/mgmt/tm/ltm/node", node).status)
    local function ping(arguments)
      return curl(device, "POST", "/mgmt/tm/util/ping", {
        command = "run", utilCmdArgs = arguments,
      }).json.commandResult
    end
    local both = ping "-c 2 192.0.2.7"
    assert.matches("2 packets transmitted, 2 received, 0% packet loss", both, 1, true)
    assert.matches("1 received", ping "-c 1 127.0.0.1", 1, true)
    assert.matches(
      "1 packets transmitted, 0 received, 100% packet loss", ping "-c 1 192.0.2.8", 1, true
    )
    assert.equal("ping: unknown host nowhere.example\n", ping "-c 1 nowhere.example")
    device:plant { health = { ["/Common/web"] = "down" } }
    assert.matches("0 received", ping "-c 1 192.0.2.7", 1, true)
    local printed = curl(device, "POST", "/mgmt/tm/util/bash", {
      command = "run", utilCmdArgs = "-c 'ping -c 1 192.0.2.9'",
    }).json.commandResult
    assert.matches("100% packet loss", printed, 1, true)
  end)

  it("G25 moves, copies, generates, publishes, resets, starts, stops", function()
    curl(
      device,
      "POST",
      "/mgmt/tm/ltm/pool",
      { name = "p1", members = { { name = "192.0.2.1:80", address = "192.0.2.1" } } }
    )
    curl(
      device,
      "POST",
      "/mgmt/tm/ltm/virtual",
      { name = "v1", destination = "192.0.2.9:80", pool = "p1" }
    )
    assert.equal(
      200,
      curl(
        device, "POST", "/mgmt/tm/ltm/pool", { command = "mv", name = "p1", target = "p2" }
      ).status
    )
    assert.equal(404, curl(device, "GET", "/mgmt/tm/ltm/pool/~Common~p1").status)
    assert.equal(1, #curl(device, "GET", "/mgmt/tm/ltm/pool/~Common~p2/members").json.items)
    assert.equal("/Common/p2", curl(device, "GET", "/mgmt/tm/ltm/virtual/~Common~v1").json.pool)
    assert.equal(
      200,
      curl(
        device, "POST", "/mgmt/tm/ltm/pool", { command = "cp", name = "p2", target = "p3" }
      ).status
    )
    assert.equal(
      409,
      curl(
        device, "POST", "/mgmt/tm/ltm/pool", { command = "cp", name = "p2", target = "p3" }
      ).status
    )
    assert.equal(
      404,
      curl(
        device, "POST", "/mgmt/tm/ltm/pool", { command = "mv", name = "nope", target = "p4" }
      ).status
    )
    curl(
      device,
      "POST",
      "/mgmt/tm/ltm/rule",
      { name = "r1", apiAnonymous = "when HTTP_REQUEST { }" }
    )
    local body = {
      command = "generate", name = "r1", options = { { signature = true } }, ["signing-key"] = "k",
    }
    assert.equal(200, curl(device, "POST", "/mgmt/tm/ltm/rule", body).status)
    assert.equal(
      200,
      curl(device, "POST", "/mgmt/tm/ltm/virtual", { command = "reset-stats", name = "v1" }).status
    )
    for _, action in ipairs { "start", "stop", "restart" } do
      assert.equal(
        200,
        curl(device, "POST", "/mgmt/tm/sys/service", { command = action, name = "ntpd" }).status
      )
    end
    assert.equal("run", device:state().services.ntpd)
    assert.equal(
      404,
      curl(
        device, "POST", "/mgmt/tm/sys/icall/handler/perpetual", { command = "start", name = "h" }
      ).status
    )
    local publish = { command = "publish", name = "/Common/p" }
    assert.equal(404, curl(device, "POST", "/mgmt/tm/asm/policy", publish).status)
    local policy = curl(device, "POST", "/mgmt/tm/asm/policies", { name = "p" }).json
    assert.equal(200, curl(device, "POST", "/mgmt/tm/asm/policy", publish).status)
    assert.is_true(curl(device, "GET", "/mgmt/tm/asm/policies/" .. policy.id).json.active)
    local unknown = curl(device, "POST", "/mgmt/tm/ltm/pool", { command = "reboot" })
    assert.equal(501, unknown.status)
  end)

  it("G25 installs an image over time, and reboots into it", function()
    local put = curl {
      device,
      "POST",
      "/mgmt/cm/autodeploy/software-image-uploads/BIGIP-17.5.0-0.0.15.iso",
      body = "iso",
      headers = { ["Content-Type"] = "application/octet-stream", ["Content-Range"] = "0-2/3" },
    }
    assert.equal(200, put.status)
    local image = curl(device, "GET", "/mgmt/tm/sys/software/image/BIGIP-17.5.0-0.0.15.iso").json
    assert.same({ "17.5.0", "0.0.15", "yes" }, { image.version, image.build, image.verified })
    local body = { command = "install", name = "BIGIP-17.5.0-0.0.15.iso", volume = "HD1.2" }
    assert.equal(404, curl(device, "POST", "/mgmt/tm/sys/software/image", body).status)
    body.options = { { ["create-volume"] = true }, { reboot = true } }
    assert.equal(200, curl(device, "POST", "/mgmt/tm/sys/software/image", body).status)
    device:advance(31)
    assert.matches(
      "^installing %d+%.000 pct$",
      curl(device, "GET", "/mgmt/tm/sys/software/volume/HD1.2").json.status
    )
    device:advance(30)
    assert.equal(7, curl(device, "GET", "/mgmt/tm/sys/software/volume/HD1.2").exit)
    device:advance(121)
    local volume = curl(device, "GET", "/mgmt/tm/sys/software/volume/HD1.2").json
    assert.same({ "complete", true, "17.5.0" }, { volume.status, volume.active, volume.version })
    -- the device is the version that it has started
    local function reported()
      local entries = curl(device, "GET", "/mgmt/tm/sys/version").json.entries
      local own = entries["https://localhost/mgmt/tm/sys/version/0"].nestedStats.entries
      local member = curl(device, "GET", "/mgmt/tm/cm/device").json.items[1]
      local info = curl(device, "GET", "/mgmt/shared/identified-devices/config/device-info").json
      local active = {}
      for _, slot in ipairs(info.slots) do if slot.isActive then active = slot end end
      return {
        own.Version.description, own.Build.description, own.Edition.description, member.version,
        member.build, info.version, info.restFrameworkVersion, active.volume, active.version,
        curl(device, "GET", "/mgmt/tm/ltm/pool").json.selfLink:match "ver=(.*)",
      }
    end
    local new <const> = {
      "17.5.0", "0.0.15", "Final", "17.5.0", "0.0.15", "17.5.0", "17.5.0-0.0.15", "HD1.2",
      "17.5.0", "17.5.0",
    }
    assert.same(new, reported())
    assert.equal(200, curl(device, "GET", "/mgmt/tm/ltm/pool?ver=17.5.0").status)
    do
      local saved <close> = sim.start { seed = device:state() }
      local one <const> = curl(saved, "GET", "/mgmt/tm/cm/device").json.items[1]
      assert.equal("17.5.0", one.version)
      assert.matches("ver=17.5.0", curl(saved, "GET", "/mgmt/tm/ltm/pool").json.selfLink)
    end
    curl(device, "POST", "/mgmt/tm/sys", { command = "reboot", volume = "HD1.1" })
    device:advance(121)
    assert.same({
      "17.1.3", "0.20.11", "Engineering Hotfix", "17.1.3", "0.20.11", "17.1.3", "17.1.3-0.20.11",
      "HD1.1", "17.1.3", "17.1.3",
    }, reported())
  end)

  it("G25 reboots and restarts, and is ready again later", function()
    assert.equal(
      200,
      curl(
        device, "POST", "/mgmt/tm/sys/service", { command = "restart", name = "restjavad" }
      ).status
    )
    assert.equal(503, curl(device, "GET", "/mgmt/tm/sys").status)
    device:advance(21)
    assert.equal(200, curl(device, "GET", "/mgmt/tm/sys").status)
    assert.equal(200, curl(device, "POST", "/mgmt/tm/sys", { command = "reboot" }).status)
    os.execute "sleep 0.1"
    assert.equal(7, curl(device, "GET", "/mgmt/tm/sys").exit)
    device:advance(121)
    assert.equal(200, curl(device, "GET", "/mgmt/tm/sys").status)
  end)

  it("G25 runs bash, with output only when there is some", function()
    assert.is_nil(bash "true")
    assert.equal("hello world\n", bash "echo hello world")
    assert.equal("1\n0\n3\n", bash "false; echo $?; true; echo $?; (exit 3); echo $?")
    assert.equal("a\n", bash "echo a && true || echo b")
    assert.equal("b\n", bash "false && echo a || echo b")
    assert.equal("x=1 y='2'\n", bash [[x=1; y="'2'"; echo "x=$x y=$y"]])
    assert.equal("2\n", bash [[printf "a\nb\n" | wc -l]])
    assert.equal("cat: /nope: No such file or directory\n1\n", bash "cat /nope; echo $?")
    assert.equal("1\n", bash "cat /nope 2>/dev/null; echo $?")
    assert.equal(
      "one\ntwo\n",
      bash "{ echo one; echo two; } > /var/tmp/f; cat /var/tmp/f; rm /var/tmp/f"
    )
    assert.equal("/bin/bash: frob: command not found\n127\n", bash "frob; echo $?")
    assert.equal("yes\n", bash "if [ -e /VERSION ]; then echo yes; else echo no; fi")
    assert.equal("in out\n", bash [[echo "$(echo in) out"]])
    assert.equal("early\n", bash "echo early; exit 4; echo late")
    assert.matches("Version     17.1.3", bash "tmsh show sys version", 1, true)
    assert.matches("syntax error", bash "echo (", 1, true)
    assert.matches("^Product: BIG%-IP\nVersion: 17%.1%.3\n", bash "cat /VERSION")
    assert.matches(
      "\nBuilt: 251012124302\nChangelist: %d+\nJobID: %d+\n$",
      bash "cat /VERSION"
    )
  end)

  it("G23 backs up, collects and installs packages as jobs", function()
    local function job(uri, body, seconds)
      local created = curl(device, "POST", uri, body)
      assert.equal(200, created.status)
      device:advance(1)
      local running = curl(device, "GET", uri .. "/" .. created.json.id).json.status
      device:advance(seconds)
      return created.json, running, curl(device, "GET", uri .. "/" .. created.json.id).json
    end
    local made, running, done, _
    made, running, done =
      job("/mgmt/tm/shared/sys/backup", { action = "BACKUP", file = "b1.ucs" }, 10)
    assert.same({ "CREATED", "STARTED", "FINISHED" }, { made.status, running, done.status })
    assert.equal(
      "/var/local/ucs/b1.ucs",
      curl(device, "GET", "/mgmt/tm/sys/ucs").json.items[1].apiRawValues.filename
    )
    made, running, done = job("/mgmt/cm/autodeploy/qkview", { name = "q.qkview" }, 20)
    assert.same(
      { "IN_PROGRESS", "IN_PROGRESS", "SUCCEEDED" },
      { made.status, running, done.status }
    )
    assert.equal(200, curl(device, "GET", done.qkviewUri:gsub("^https://localhost", "")).status)
    local packages = "/mgmt/shared/iapp/package-management-tasks"
    local rpm = "/var/config/rest/downloads/f5-appsvcs-3.50.0-1.noarch.rpm"
    _, _, done = job(packages, { operation = "INSTALL", packageFilePath = rpm }, 3)
    assert.equal("FAILED", done.status)
    device:control("write_file", { path = rpm, text = "no package" })
    _, _, done = job(packages, { operation = "INSTALL", packageFilePath = rpm }, 3)
    assert.equal(("Failed to analyze %s - java.lang.Exception: Failed to read %s"):format(rpm, rpm),
      done.errorMessage)
    device:control("write_file", { path = rpm, hex = "edabeedb" })
    made, _, done = job(packages, { operation = "INSTALL", packageFilePath = rpm }, 3)
    assert.same(
      { "CREATED", "FINISHED", "f5-appsvcs-3.50.0-1.noarch" },
      { made.status, done.status, done.packageName }
    )
    assert.equal("shared:iapp:package-management-tasks:iapppackagemanagementtaskstate", done.kind)
    _, _, done = job(packages, { operation = "QUERY" }, 3)
    assert.equal("f5-appsvcs", done.queryResponse[1].name)
    assert.equal(200, curl(device, "DELETE", packages .. "/" .. done.id).status)
    assert.equal(404, curl(device, "GET", packages .. "/" .. done.id).status)
    assert.equal(400, curl(device, "POST", packages, { operation = "EXPLODE" }).status)
  end)

  it("G26 makes keys", function()
    local made = curl(device, "POST", "/mgmt/tm/sys/crypto/key", { name = "mine.key" })
    assert.equal(200, made.status)
    assert.equal(200, curl(device, "GET", "/mgmt/tm/sys/crypto/key/~Common~mine.key").status)
  end)

  it("G41 marks what is deprecated, and hides it when told", function()
    local deprecated = "/mgmt/tm/ltm/profile/ocsp-stapling-params"
    local settings = "/mgmt/shared/settings/api-status/availability"
    assert.equal("DEPRECATED_RESOURCE", curl(device, "GET", deprecated).headers["x-f5-api-status"])
    assert.is_nil(curl(device, "GET", "/mgmt/tm/ltm/pool").headers["x-f5-api-status"])
    local before = curl(device, "GET", settings).json
    assert.same(
      { "true", "true", "false" },
      { before.deprecatedApiAllowed, before.earlyAccessApiAllowed, before.testOnlyApiAllowed }
    )
    local property = curl(
      device, "POST", "/mgmt/tm/ltm/profile/fastl4", { name = "f1", softwareSynCookie = "enabled" }
    )
    assert.equal("DEPRECATED_PROPERTY", property.headers["x-f5-api-status"])
    assert.equal(200, curl(device, "PATCH", settings, { deprecatedApiAllowed = "false" }).status)
    assert.equal(404, curl(device, "GET", deprecated).status)
    assert.equal(
      404,
      curl(
        device, "POST", "/mgmt/tm/ltm/profile/fastl4",
        { name = "f2", softwareSynCookie = "enabled" }
      ).status
    )
    assert.equal(200, curl(device, "POST", "/mgmt/tm/ltm/profile/fastl4", { name = "f3" }).status)
    assert.equal(200, curl(device, "PATCH", settings, { deprecatedApiAllowed = "true" }).status)
    assert.equal(200, curl(device, "GET", deprecated).status)
    assert.equal(400, curl(device, "PATCH", settings, { colour = "red" }).status)
    assert.equal(200, curl(device, "GET", "/mgmt/shared/settings/api-status/log/resource").status)
    assert.equal(
      200,
      curl(device, "GET", "/mgmt/shared/settings/api-status/log/resource-property").status
    )
  end)

  it("G5 refuses passwords that are too simple from the start", function()
    assert.equal(
      "enabled",
      curl(device, "GET", "/mgmt/tm/auth/password-policy").json.policyEnforcement
    )
    local function answer(password)
      return curl(device, "POST", "/mgmt/tm/auth/user", {
        name = "simple", password = password, role = "guest",
      })
    end
    for password, reason in pairs {
      ab1 = "it is WAY too short", abx91 = "it is too short",
      aaaabbbb = "it does not contain enough DIFFERENT characters",
      efghijk = "it is too simplistic/systematic", ["xKa7bQb7akx"] = "is a palindrome",
    } do
      local refused = answer(password)
      assert.equal(400, refused.status, password)
      assert.equal(
        "01070366:3: Bad password (simple): BAD PASSWORD: " .. reason, refused.json.message
      )
    end
    assert.equal(200, answer("Tk8-tt0q").status)
    curl(device, "PATCH", "/mgmt/tm/auth/password-policy", { policyEnforcement = "disabled" })
    assert.equal(
      200, curl(device, "PATCH", "/mgmt/tm/auth/user/simple", { password = "ab1" }).status
    )
    curl(device, "PATCH", "/mgmt/tm/auth/password-policy", { policyEnforcement = "enabled" })
    assert.equal(
      200, curl(device, "DELETE", "/mgmt/tm/auth/user/simple").status
    )
  end)

  it("G5 refuses a bad password by policy", function()
    curl(
      device,
      "PATCH",
      "/mgmt/tm/auth/password-policy",
      { policyEnforcement = "enabled", minimumLength = 8, requiredNumeric = 1 }
    )
    local short = curl(device, "PATCH", "/mgmt/tm/auth/user/operator", { password = "short1" })
    assert.equal(400, short.status)
    assert.matches("^01070366:3: Bad password %(operator%)", short.json.message)
    assert.equal(
      400,
      curl(device, "PATCH", "/mgmt/tm/auth/user/operator", { password = "longenough" }).status
    )
    local good = curl(device, "PATCH", "/mgmt/tm/auth/user/operator", { password = "longenough1" })
    assert.equal(200, good.status)
    assert.is_nil(good.json.password)
    assert.matches("^%$6%$", good.json.encryptedPassword)
    assert.equal(200, curl { device, "POST", "/mgmt/shared/authn/login", anonymous = true,
      body = { username = "operator", password = "longenough1" } }.status)
    device:control("expire_password", "operator")
    local token = curl { device, "POST", "/mgmt/shared/authn/login", anonymous = true,
      body = { username = "operator", password = "longenough1" } }.json.token.token
    assert.equal(401, curl { device, "GET", "/mgmt/tm/ltm/pool", token = token }.status)
    assert.equal(
      200,
      curl {
        device, "PATCH", "/mgmt/tm/auth/user/operator", token = token,
        body = { password = "another-good-1" },
      }.status
    )
    assert.equal(200, curl { device, "GET", "/mgmt/tm/ltm/pool", token = token }.status)
    local made = curl(
      device,
      "POST",
      "/mgmt/tm/auth/user",
      {
        name = "fresh",
        password = "fresh-pass-1",
        ["partition-access"] = { { name = "all-partitions", role = "guest" } },
      }
    )
    assert.equal(200, made.status)
    assert.equal(200, curl { device, "POST", "/mgmt/shared/authn/login", anonymous = true,
      body = { username = "fresh", password = "fresh-pass-1" } }.status)
  end)
end)
