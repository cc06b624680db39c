-- f5.each over several simulated devices: what happens on one does not touch another, and the
-- report says what happened.
local f5 = require "f5"
local json = require "f5.json"
local lab = require "lab"
local pair = require "f5.jobs.ha"
local program = require "program"
local sim = require "f5.sim"

local function start(count)
  local devices, list = {}, {}
  for i = 1, count do
    devices[i] = sim.start()
    list[i] = devices[i]:options "admin"
    list[i].name, list[i].label, list[i].retries = "d" .. i, nil, 0
  end
  return setmetatable({ devices = devices, list = list }, {
    __close = function() for _, device in ipairs(devices) do device:stop() end end,
  })
end

local function states(report)
  local out = {}
  for i, entry in ipairs(report.devices) do out[i] = entry.state end
  return table.concat(out, " ")
end

describe("f5.each", function()
  it("runs a function on each device and keeps its result", function()
    local fleet <close> = start(3)
    local report = f5.each(fleet.list, function(bip, device)
      if device.name == "d2" then bip.ltm.node["/Common/n"]:create { address = "10.0.0.1" } end
      return #bip.ltm.node:list()
    end)
    assert.is_true(report.ok)
    assert.equal("done done done", states(report))
    assert.same(
      { 0, 1, 0 },
      { report.devices[1].result, report.devices[2].result, report.devices[3].result }
    )
    assert.same(
      { false, true, false },
      { report.devices[1].changed, report.devices[2].changed, report.devices[3].changed }
    )
    assert.matches("3 devices: 3 done %(1 changed%), in", tostring(report))
    for _, device in ipairs(fleet.devices) do
      local log = device:log()
      assert.same({ "DELETE", 200 }, { log[#log].method, log[#log].status })
      assert.matches("^/mgmt/shared/authz/tokens/", log[#log].path)
    end
  end)

  it("keeps one device's failure from the others", function()
    local fleet <close> = start(3)
    fleet.devices[2]:fault { match = { method = "GET" }, times = 100, kind = "mcpd_lost" }
    local report = f5.each(fleet.list, function(bip) return bip.sys.version:load().kind end)
    assert.is_false(report.ok)
    assert.equal("done failed done", states(report))
    assert.equal(
      "The connection to mcpd has been lost, try again.",
      report.devices[2].error.message
    )
  end)

  it("stops when a canary fails, and when the budget of failures is used up", function()
    local fleet <close> = start(4)
    local function fails_on(name)
      return function(_, device) if device.name == name then error "no" end end
    end
    local report = f5.each(fleet.list, { canary = 1 }, fails_on "d1")
    assert.equal("failed unreached unreached unreached", states(report))
    assert.equal("a canary failed", report.stopped)
    report = f5.each(fleet.list, { workers = 1, max_failures = 0 }, fails_on "d2")
    assert.equal("done failed unreached unreached", states(report))
    assert.equal("1 failed, 0 allowed", report.stopped)
    report = f5.each(fleet.list, { workers = 1, max_failures = "25%" }, fails_on "d2")
    assert.equal("done failed done done", states(report))
    assert.is_false(report.ok)
  end)

  it("never visits more devices at a time than there are workers", function()
    local fleet <close> = start(5)
    local now, most = 0, 0
    f5.each(fleet.list, { workers = 2 }, function()
      now = now + 1
      most = math.max(most, now)
      for _ = 1, 100 do -- until another one is there, however slow this machine is
        f5.sleep(0.02)
        if most > 1 then break end
      end
      f5.sleep(0.02)
      now = now - 1
    end)
    assert.equal(2, most)
  end)

  it("resumes by its journal, failed devices included, and refuses a journal in use", function()
    local fleet <close> = start(3)
    local directory <close> = program.directory()
    local journal = directory.path .. "/run.journal"
    local visited, broken = {}, true
    local function work(_, device)
      visited[#visited + 1] = device.name
      if broken and device.name == "d2" then error "not yet" end
      if #visited == 1 then
        local ok, problem = pcall(f5.each, fleet.list, { journal = journal }, function() end)
        assert.is_false(ok)
        assert.matches("is in use by another run", tostring(problem))
      end
      return { seen = device.name }
    end
    f5.each(fleet.list, { workers = 1, journal = journal }, work)
    broken, visited = false, { "" }
    local report = f5.each(fleet.list, { workers = 1, journal = journal }, work)
    assert.same({ "", "d2" }, visited)
    assert.equal("earlier done earlier", states(report))
    assert.same({ seen = "d1" }, report.devices[1].result)
    assert.is_true(report.ok)
    -- a line cut off by a crash is done again; a file that is something else is not taken
    local file = io.open(journal, "ab")
    file:write '{"device":"d9","sta'
    file:close()
    f5.each(fleet.list, { journal = journal }, work)
    assert.same({ "", "d2" }, visited)
    local ok, problem =
      pcall(f5.each, fleet.list, { journal = directory:file("other", "hello\n") }, work)
    assert.is_false(ok)
    assert.matches("other:1: this is not a line of a journal", tostring(problem))
  end)

  it("writes the report as JSON and CSV", function()
    local fleet <close> = start(2)
    local directory <close> = program.directory()
    local report = f5.each(fleet.list, function(_, device)
      if device.name == "d2" then error 'a "bad", bad day' end
      return 7
    end)
    report:write(directory.path .. "/r.json")
    local read = json.decode(directory:read "r.json")
    assert.same(
      { false, 2, "done", 7 },
      { read.ok, #read.devices, read.devices[1].state, read.devices[1].result }
    )
    report:write(directory.path .. "/r.csv")
    local lines = {}
    for line in directory:read("r.csv"):gmatch "[^\r\n]+" do lines[#lines + 1] = line end
    assert.equal("device,state,changed,calls,bytes,seconds,result", lines[1])
    assert.matches("^d1,done,no,0,%d+,[%d.]+,7$", lines[2])
    assert.matches('^d2,failed,no,0,%d+,[%d.]+,".*a ""bad"", bad day"$', lines[3])
    assert.has_error(function() report:write "r.txt" end)
  end)

  it("measures calls, bytes and time of each device, and shows them in every form", function()
    local fleet <close> = start(2)
    local directory <close> = program.directory()
    local journal <const> = directory.path .. "/journal"
    local report = f5.each(fleet.list, { journal = journal, workers = 1 }, function(bip, device)
      for _ = 1, device.name == "d2" and 3 or 1 do bip.sys.version:load() end
      if device.name == "d2" then f5.sleep(0.3) end
    end)
    local quick <const>, slow <const> = report.devices[1], report.devices[2]
    assert.equal(2, slow.calls - quick.calls)
    assert.is_true(slow.bytes > quick.bytes + 500)
    assert.is_true(quick.duration > 0 and slow.duration >= 0.3 and slow.duration < 60)
    assert.is_true(report.duration >= quick.duration + slow.duration)

    -- the table
    local cells <const> = {}
    for cell in tostring(report):match("\nd2 [^\n]*"):gmatch "%S+" do cells[#cells + 1] = cell end
    assert.same({
      tostring(slow.calls), ("%.1f"):format(slow.bytes / 1024), ("%.2f"):format(slow.duration),
    }, { cells[4], cells[5], cells[6] })
    assert.matches((", in %.1f s"):format(report.duration), report:summary(), 1, true)
    -- the files
    report:write(directory.path .. "/r.json")
    local written <const> = json.decode(directory:read "r.json")
    assert.same(
      { report.duration, slow.calls, slow.bytes, slow.duration },
      {
        written.duration, written.devices[2].calls, written.devices[2].bytes,
        written.devices[2].duration,
      }
    )
    report:write(directory.path .. "/r.csv")
    assert.matches(
      ("d2,done,no,%d,%d,%.3f,"):format(slow.calls, slow.bytes, slow.duration),
      directory:read "r.csv", 1, true
    )
    -- the journal
    local line <const> = directory:read("journal"):match '[^\n]*"device":"d2"[^\n]*'
    assert.equal(slow.duration, json.decode(line).duration)
  end)

  it("takes a password itself, then a variable, then a command", function()
    local fleet <close> = start(1)
    local device <const> = fleet.list[1]
    local function message()
      local report <const> = f5.each(fleet.list, function() end)
      return report.devices[1].error and report.devices[1].error.message
    end
    local password <const> = device.password
    device.password_env, device.password_command = "F5LUA_NO_SUCH_VARIABLE", "echo wrong"
    assert.is_nil(message())
    device.password = nil
    assert.matches("the variable F5LUA_NO_SUCH_VARIABLE", message())
    device.password_env = nil
    assert.matches("Authentication failed", message())
    device.password_command = "echo " .. password
    assert.is_nil(message())
    device.password_env = "PATH"
    assert.matches("Authentication failed", message())
  end)

  it("refuses options it does not know", function()
    local ok, problem = pcall(f5.each, {}, { wokers = 3 }, function() end)
    assert.is_false(ok)
    assert.matches("f5.each: unknown option 'wokers'", tostring(problem))
    assert.is_false((pcall(f5.each, {}, { workers = 0 }, function() end)))
    assert.is_false((pcall(f5.each, {}, { max_failures = "many" }, function() end)))
  end)

  it("changes only the active unit of a pair, synchronises its group and waits until it is in "
    .. "sync", function()
    local fleet <close> = start(2)
    for n = 1, 2 do
      local bip <close> = f5.connect(fleet.devices[n]:options "admin")
      bip.cm["device-group"]:create {
        name = "pair", type = "sync-failover", devices = { bip.cm.device:list()[1].fullPath },
      }
      bip.cm:run("run", { utilCmdArgs = "config-sync to-group pair" })
      if n == 2 then bip.sys.failover:run("run", { standby = f5.null }) end
    end
    local during
    local report = f5.each(fleet.list, { on = "active" }, function(bip)
      bip.ltm.node["/Common/n"]:create { address = "10.0.0.1" }
      during = f5.flat(bip.cm["sync-status"]:load())[1].status
      return during
    end)
    assert.equal("done skipped", states(report))
    assert.equal("the unit is standby", report.devices[2].reason)
    assert.equal("Changes Pending", during)
    local bip <close> = f5.connect(fleet.devices[1]:options "admin")
    assert.equal("In Sync", f5.flat(bip.cm["sync-status"]:load())[1].status)
    local standby <close> = f5.connect(fleet.devices[2]:options "admin")
    assert.is_false(standby.ltm.node["/Common/n"]:exists())
  end)

  local function make_group(device, name)
    local bip <close> = f5.connect(device:options "admin")
    bip.cm["device-group"]:create {
      name = name,
      type = "sync-failover",
      devices = { bip.cm.device:list()[1].fullPath },
    }
  end

  -- An answer of cm/sync-status.
  local function shows(device, times, status)
    local entries = { status = { description = status }, summary = { description = "a reason" } }
    device:fault {
      match = { method = "GET", path = "^/mgmt/tm/cm/sync%-status" },
      times = times,
      status = 200,
      body = {
        kind = "tm:cm:sync-status:sync-statusstats",
        entries = {
          ["https://localhost/mgmt/tm/cm/sync-status/0"] = { nestedStats = { entries = entries } },
        },
      },
    }
  end

  local function looks(device)
    local count = 0
    for _, call in ipairs(device:log()) do
      if call.path:find "sync%-status" then count = count + 1 end
    end
    return count
  end

  it("looks at the group until it is in sync, and not for ever", function()
    local fleet <close> = start(1)
    local device <const> = fleet.devices[1]
    make_group(device, "pair")
    local bip <close> = f5.connect(device:options "admin")
    shows(device, 1, "Syncing")
    device:clear_log()
    assert.equal("In Sync", pair.synchronise(bip))
    assert.equal(2, looks(device))
    shows(device, 9, "Disconnected")
    device:clear_log()
    local err <const> = lab.fails("timeout", pair.synchronise, bip, 1)
    assert.matches("group pair is not in sync after 1 s: Disconnected %(a reason%)", err.message)
    assert.equal(2, looks(device))
    make_group(device, "another")
    assert.matches(
      "more than one sync%-failover device group %(another, pair%)",
      lab.fails("invalid", pair.synchronise, bip).message
    )
  end)

  it("says so when a group does not come into sync", function()
    local fleet <close> = start(1)
    make_group(fleet.devices[1], "pair")
    fleet.devices[1]:fault {
      match = { method = "POST", path = "^/mgmt/tm/cm$" },
      kind = "validation",
    }
    local report = f5.each(
      fleet.list,
      { on = "active" },
      function(bip) bip.ltm.node["/Common/n"]:create { address = "10.0.0.1" } end
    )
    assert.equal("failed", states(report))
    assert.matches("planted by a test", report.devices[1].error.message)
    assert.is_true(report.devices[1].changed)
  end)

  it("takes the device's word for which unit is active", function()
    local fleet <close> = start(2)
    fleet.devices[2]:fault {
      match = { method = "GET", path = "bigip%-failover%-state" },
      times = 100,
      status = 200,
      body = { failoverState = "standby" },
    }
    local report = f5.each(fleet.list, { on = "active" }, function(bip)
      bip.ltm.node["/Common/n"]:create { address = "10.0.0.1" }
    end)
    assert.equal("done skipped", states(report))
    assert.equal("the unit is standby", report.devices[2].reason)
  end)
end)
