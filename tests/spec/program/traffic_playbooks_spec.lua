-- The playbooks about virtual servers, pools and members against simulated devices, run as an
-- operator runs them.
local f5 = require "f5"
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"

local function pool(name, ...)
  local members = {}
  for i, address in ipairs { ... } do
    members[i] = { name = address .. ":80", address = address }
  end
  return { name = name, monitor = "/Common/http", members = members }
end

local function member(of, address)
  return ("/mgmt/tm/ltm/pool/~Common~%s/members/~Common~%s:80"):format(of, address)
end

local SEED <const> = {
  objects = {
    ["/mgmt/tm/ltm/pool"] = {
      pool("blue", "10.0.0.1", "10.0.0.2"),
      pool("green", "10.0.1.1", "10.0.1.2"),
    },
    ["/mgmt/tm/ltm/virtual"] = {
      {
        name = "vs_http", destination = "/Common/203.0.113.10:80", ipProtocol = "tcp",
        pool = "/Common/blue",
      },
      {
        name = "vs_https", destination = "/Common/203.0.113.10:443", ipProtocol = "tcp",
        pool = "/Common/blue",
      },
    },
  },
  traffic = {
    { path = member("blue", "10.0.0.1"), health = "up", connections = 30, ending = 10 },
    { path = member("blue", "10.0.0.2"), health = "up" },
    { path = member("green", "10.0.1.1"), health = "up" },
    { path = member("green", "10.0.1.2"), health = "down" },
  },
}

local device
local function words_of(words)
  local all = { "scripts/playbooks/" .. words[1] }
  for i = 2, #words do all[i] = words[i] end
  return all
end

local function options(user)
  user = user or "admin"
  return { env = lab.environment(device, { F5_USER = user, F5_PASSWORD = user }) }
end

local function run(words, user) return program.run(words_of(words), options(user)) end
local function start(words) return program.start(words_of(words), options()) end

local function with_device(fn)
  local bip <close> = f5.connect(device:options "admin")
  return fn(bip)
end

local function writes()
  local count = 0
  for _, call in ipairs(device:log()) do
    if call.method ~= "GET" and not call.path:find "authn" and not call.path:find "authz" then
      count = count + 1
    end
  end
  return count
end

-- Whatever happened: no mistake of the simulator, no token left behind.
local function assert_clean()
  assert.equal(0, device:problems())
  assert.is_nil(next(device:state().tokens.items))
end

before_each(function() device = sim.start { seed = SEED } end)
after_each(function()
  device:stop()
end)

describe("inventory-report.lua", function()
  it("shows every member of every virtual server, and pools that none names", function()
    local result <const> = run { "inventory-report.lua" }
    assert.same({ 0, "" }, { result.status, result.err })
    local lines = {}
    for line in result.out:gmatch "[^\n]+" do
      lines[#lines + 1] = line:gsub("127%.0%.0%.1:%d+", "D"):gsub(" +", " ")
    end
    assert.same({
      "DEVICE VIRTUAL DESTINATION STATUS POOL MEMBER ADDRESS STATE CONNECTIONS",
      "D /Common/vs_http 203.0.113.10:80 available /Common/blue 10.0.0.1:80 10.0.0.1 up 30",
      "D /Common/vs_http 203.0.113.10:80 available /Common/blue 10.0.0.2:80 10.0.0.2 up 0",
      "D /Common/vs_https 203.0.113.10:443 available /Common/blue 10.0.0.1:80 10.0.0.1 up 30",
      "D /Common/vs_https 203.0.113.10:443 available /Common/blue 10.0.0.2:80 10.0.0.2 up 0",
      "D - - available /Common/green 10.0.1.1:80 10.0.1.1 up 0",
      "D - - available /Common/green 10.0.1.2:80 10.0.1.2 down 0",
      "6 rows",
    }, lines)
    assert.equal(0, writes())
    assert_clean()
  end)

  it("writes CSV and JSON, and only problems", function()
    with_device(function(bip)
      bip.ltm.virtual:create {
        name = "vs_none",
        destination = "/Common/203.0.113.11:80",
        ipProtocol = "tcp",
      }
      bip.ltm.pool["/Common/blue"].members["/Common/10.0.0.2:80"]:modify {
        session = "user-disabled",
      }
    end)
    local csv <const> = run { "inventory-report.lua", "--format", "csv", "--problems" }
    assert.same({ 0, "" }, { csv.status, csv.err })
    local expected = { "device,virtual,destination,status,pool,member,address,state,connections",
      "D,/Common/vs_http,203.0.113.10:80,available,/Common/blue,10.0.0.2:80,10.0.0.2,disabled,0",
      "D,/Common/vs_https,203.0.113.10:443,available,/Common/blue,10.0.0.2:80,10.0.0.2,disabled,0",
      "D,/Common/vs_none,203.0.113.11:80,unknown,,,,,",
      "D,,,available,/Common/green,10.0.1.2:80,10.0.1.2,down,0", "" }
    assert.equal(table.concat(expected, "\n"), (csv.out:gsub("127%.0%.0%.1:%d+", "D")))

    local rows <const> = f5.json.decode(run({ "inventory-report.lua", "--format", "json" }).out)
    assert.equal(7, #rows)
    local one
    for _, row in ipairs(rows) do
      if row.virtual == "/Common/vs_http" and row.member == "10.0.0.1:80" then one = row end
    end
    assert.equal(30, one.connections)
    assert.equal("up", one.state)
  end)

  it("knows partitions", function()
    with_device(function(bip)
      bip.auth.partition:create { name = "Other" }
      bip.ltm.virtual:create {
        name = "mine", partition = "Other", destination = "/Other/203.0.113.12:80",
        pool = "/Common/green", ipProtocol = "tcp",
      }
    end)
    local result <const> = run { "inventory-report.lua", "--format", "csv", "--partition", "Other" }
    assert.equal(3, select(2, result.out:gsub("\n", "")))
    assert.matches(
      "/Other/mine,203.0.113.12:80,available,/Common/green,10.0.1.2:80",
      result.out,
      1,
      true
    )
  end)

  it("replaces its file only when all is well", function()
    local directory <close> = program.directory()
    local file <const> = directory:file("report.csv", "old")
    device:fault { match = { path = "virtual/stats" }, status = 403, times = 9 }
    local result = run { "inventory-report.lua", "--format", "csv", "--output", file }
    assert.equal(3, result.status)
    assert.equal("old", directory:read "report.csv")
    device:clear_faults()
    result = run { "inventory-report.lua", "--format", "csv", "--output", file }
    assert.same({ status = 0, out = "", err = "" }, result)
    assert.matches("^device,virtual", directory:read "report.csv")
    assert.is_nil(directory:read "report.csv.part")
    result = run { "inventory-report.lua", "--output", directory.path .. "/none/x" }
    assert.same(
      {
        status = 1,
        out = "",
        err = ("f5lua: cannot write %s/none/x.part: No such file or directory\n"):format(
          directory.path
        ),
      },
      result
    )
  end)

  it("reports the devices of an inventory, and names those that fail", function()
    local directory <close> = program.directory()
    local inventory <const> = directory:file(
      "sites.json",
      f5.json.encode {
        defaults = {
          username = "admin", password_env = "F5_PASSWORD", ca = device.ca, retries = 0,
        },
        devices = {
          { name = "good", host = device.host, port = device.port },
          { name = "bad", host = "127.0.0.1", port = 1 },
        },
      }
    )
    local result = run { "inventory-report.lua", "--devices", inventory }
    assert.equal(1, result.status)
    assert.matches("\ngood +/Common/vs_http ", result.out)
    assert.matches("^bad: failed: .*\nf5lua: 1 device failed\n$", result.err)
    result = run { "inventory-report.lua", "--devices", inventory, "--limit", "good" }
    assert.same({ 0, "" }, { result.status, result.err })
    local odd <const> = directory:file("odd.json", f5.json.encode {
      devices = { { name = 'a,"b"', host = device.host, port = device.port, ca = device.ca } },
    })
    result = run { "inventory-report.lua", "--devices", odd, "--format", "csv" }
    assert.matches('\n"a,""b""",/Common/vs_http,', result.out)
  end)
end)

describe("drain-member.lua", function()
  local function state()
    return with_device(function(bip)
      local found <const> = bip.ltm.pool["/Common/blue"].members["/Common/10.0.0.1:80"]:load()
      return found.session .. " " .. found.state
    end)
  end

  it(
    "waits for the end of the connections, then forces the member offline; an operator may",
    function()
      local process <close> =
        start { "drain-member.lua", "blue", "10.0.0.1:80", "--interval", "0.1" }
      process:expect "30 connections left"
      assert.equal("user-disabled up", state())
      device:advance(2)
      process:expect "\n%d connections? left"
      device:advance(2)
      local result <const> = process:wait()
      assert.equal(0, result.status, result.err)
      assert.matches(
        "^10.0.0.1:80 of blue is disabled, with 30 connections; 1 other member is in service\n",
        result.out
      )
      assert.matches("\n10.0.0.1:80 is drained and forced offline\n$", result.out)
      assert.matches("\n0 connections left, %d s\n$", result.err)
      assert.equal("user-disabled user-down", state())
      assert.equal(
        0,
        run({ "drain-member.lua", "blue", "10.0.0.1:80", "--enable" }, "operator").status
      )
      assert.equal("monitor-enabled checking", state())
      assert_clean()
    end
  )

  it("forces it offline at the deadline, and says that connections were left", function()
    local result <const> =
      run { "drain-member.lua", "/Common/blue", "/Common/10.0.0.1:80", "--timeout", "0" }
    assert.equal(1, result.status)
    assert.matches("f5lua: %d+ connections still open after 0 s\n$", result.err)
    assert.matches(
      "To put it back: drain-member.lua /Common/blue /Common/10.0.0.1:80 --enable\n",
      result.err,
      1,
      true
    )
    assert.equal("user-disabled user-down", state())
    assert_clean()
  end)

  it("leaves it disabled with --keep-disabled, and takes so many connections for none", function()
    local result <const> =
      run { "drain-member.lua", "blue", "10.0.0.1:80", "--keep-disabled", "--connections", "30" }
    assert.same({ 0, "30 connections left, 0 s\n" }, { result.status, result.err })
    assert.equal("user-disabled up", state())
  end)

  it("refuses what would be an outage, and changes nothing then", function()
    for words, message in pairs {
      [{ "drain-member.lua", "green", "10.0.1.1:80" }] = "f5lua: no other member of green is in "
        .. "service; --force overrides this\n",
      [{ "drain-member.lua", "green", "10.0.1.9:80" }] = "f5lua: green has no member 10.0.1.9:80\n",
    } do
      assert.same({ status = 1, out = "", err = message }, run(words))
    end
    assert.equal(3, run({ "drain-member.lua", "nope", "10.0.1.9:80" }).status)
    assert.equal(0, writes())
    assert.equal(0, run({ "drain-member.lua", "green", "10.0.1.1:80", "--force" }).status)
  end)

  it("says how it left the member when the device fails, and when it is interrupted", function()
    device:fault {
      match = { method = "GET", path = "10%.0%.0%.1:80/stats$" },
      after = 1,
      times = 9,
      status = 403,
    }
    local result = run { "drain-member.lua", "blue", "10.0.0.1:80" }
    assert.equal(3, result.status)
    assert.matches("10.0.0.1:80 is disabled. To put it back: ", result.err, 1, true)
    device:clear_faults()
    local process <close> = start { "drain-member.lua", "blue", "10.0.0.1:80", "--interval", "30" }
    process:expect "connections? left"
    process:kill "INT"
    result = process:wait()
    assert.equal(130, result.status)
    assert.matches("10.0.0.1:80 is disabled. To put it back: ", result.err, 1, true)
    assert_clean()
  end)
end)

describe("blue-green.lua", function()
  it("is taken back by its change record", function()
    local random <const> = require "walk.random_changes"
    local place <const> = lab.scratch()
    local env <const> = lab.environment(device, { XDG_STATE_HOME = place.path })
    local before <const> = random.objects(device)
    local words <const> = words_of { "blue-green.lua", "--to", "green", "vs_http", "vs_https",
      "--members", "1", "--watch", "0" }
    local ran = program.run({ "run", "--undoable", table.unpack(words) }, { env = env })
    assert.equal(0, ran.status, ran.err)
    assert.equal("/Common/green", device:state().objects.items[
      "/mgmt/tm/ltm/virtual/~Common~vs_http"].pool)
    ran = program.run({ "undo", "last" }, { env = env })
    assert.matches("pool: /Common/green → /Common/blue", ran.out)
    assert.equal("", random.difference(before, random.objects(device)))
    lab.stop(place)
  end)

  local function pools()
    return with_device(function(bip)
      local found = {}
      for virtual in bip.ltm.virtual:each() do found[#found + 1] = virtual.pool end
      return table.concat(found, " ")
    end)
  end

  local BLUE <const>, GREEN <const> = "/Common/blue /Common/blue", "/Common/green /Common/green"

  local function health(state)
    device:plant { traffic = { { path = member("green", "10.0.1.1"), health = state } } }
  end

  it("switches all virtual servers in one transaction", function()
    local result <const> = run {
      "blue-green.lua",
      "--to",
      "green",
      "vs_http",
      "/Common/vs_https",
      "vs_http",
      "--watch",
      "0",
    }
    assert.equal(0, result.status, result.err)
    assert.matches(
      "^/Common/vs_http: /Common/blue %-> /Common/green\n/Common/vs_https: /Common/blue %-> "
        .. "/Common/green\n"
        .. "/Common/green: 1 of 2 members available\n2 switched; watching for 0 s\ndone\n$",
      result.out
    )
    assert.equal(GREEN, pools())
    local posts = 0
    for _, call in ipairs(device:log()) do
      if call.path == "/mgmt/tm/transaction" then posts = posts + 1 end
    end
    assert.equal(1, posts)
    local again <const> = run { "blue-green.lua", "--to", "green", "vs_http", "vs_https" }
    assert.equal(0, again.status)
    assert.matches("/Common/vs_http has /Common/green already\n.*nothing was changed\n$", again.out)
    assert_clean()
  end)

  it(
    "changes nothing when the pool is not healthy before, in a dry run, or when one virtual server "
      .. "is not there",
    function()
      local result = run { "blue-green.lua", "--to", "green", "vs_http", "--members", "2" }
      assert.same(
        { 1, "f5lua: /Common/green needs 2 available members; nothing was changed\n" },
        { result.status, result.err }
      )
      result = run { "blue-green.lua", "--to", "green", "vs_http", "--dry-run" }
      assert.equal(0, result.status)
      assert.equal(3, run({ "blue-green.lua", "--to", "green", "vs_http", "vs_nope" }).status)
      assert.equal(3, run({ "blue-green.lua", "--to", "nope", "vs_http" }).status)
      assert.equal(0, writes())
      assert.equal(BLUE, pools())
    end
  )

  it("switches back when the pool gets ill", function()
    local process <close> =
      start { "blue-green.lua", "--to", "green", "vs_http", "vs_https", "--interval", "0.1" }
    process:expect "1 of 2 members available, 0 connections"
    assert.equal(GREEN, pools())
    health "down"
    local result <const> = process:wait()
    assert.equal(1, result.status)
    assert.matches(
      "\nswitched back: /Common/vs_http, /Common/vs_https\nf5lua: /Common/green: only 0 of 2 "
        .. "members available\n$",
      result.err
    )
    assert.equal(BLUE, pools())
    assert_clean()
  end)

  it("switches back what still has the new pool when it is interrupted", function()
    local process <close> =
      start { "blue-green.lua", "--to", "green", "vs_http", "vs_https", "--interval", "30" }
    process:expect "1 of 2 members available, 0 connections"
    with_device(function(bip)
      bip.ltm.pool:create { name = "red" }
      bip.ltm.virtual["/Common/vs_https"]:modify { pool = "/Common/red" }
    end)
    process:kill "INT"
    local result <const> = process:wait()
    assert.equal(130, result.status)
    assert.matches("switched back: /Common/vs_http\n", result.err)
    assert.equal("/Common/blue /Common/red", pools())
    assert_clean()
  end)

  it("switches back when the device fails, and says so when that fails, too", function()
    device:fault { match = { path = "green/members/stats$" }, after = 1, times = 1, status = 403 }
    local result = run { "blue-green.lua", "--to", "green", "vs_http", "--interval", "0.1" }
    assert.equal(3, result.status)
    assert.matches("switched back: /Common/vs_http\n", result.err)
    assert.equal(BLUE, pools())
    device:fault { match = { path = "green/members/stats$" }, after = 1, times = 1, status = 403 }
    device:fault {
      match = { method = "POST", path = "^/mgmt/tm/transaction$" },
      after = 1,
      times = 9,
      status = 403,
    }
    result = run { "blue-green.lua", "--to", "green", "vs_http", "--interval", "0.1" }
    assert.equal(3, result.status)
    assert.matches("NOT SWITCHED BACK, check /Common/vs_http yourself: ", result.err, 1, true)
  end)

  it("leaves all as it was when the transaction fails, or did not say how it ended", function()
    device:fault {
      match = { method = "PATCH", path = "^/mgmt/tm/transaction/" },
      times = 1,
      status = 403,
    }
    local result = run { "blue-green.lua", "--to", "green", "vs_http" }
    assert.equal(3, result.status)
    assert.matches("nothing was changed\n", result.err)
    assert.equal(BLUE, pools())
    device:fault {
      match = { method = "PATCH", path = "^/mgmt/tm/transaction/" },
      times = 1,
      act = true,
      reset = true,
    }
    result = run { "blue-green.lua", "--to", "green", "vs_http", "--watch", "0" }
    assert.equal(BLUE == pools(), result.status ~= 0, result.err)
  end)

  it("takes members without a monitor only when told to", function()
    with_device(
      function(bip)
        bip.ltm.pool:create {
          name = "plain",
          members = { { name = "10.0.2.1:80", address = "10.0.2.1" } },
        }
      end
    )
    assert.equal(1, run({ "blue-green.lua", "--to", "plain", "vs_http" }).status)
    assert.equal(
      0,
      run({ "blue-green.lua", "--to", "plain", "vs_http", "--unmonitored", "--watch", "0" }).status
    )
  end)
end)
