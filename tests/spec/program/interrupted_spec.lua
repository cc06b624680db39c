-- Ctrl-C while a write is on its way: whether the device carried it out is not known, and f5lua
-- says so, whatever sent it.
local json = require "f5.json"
local lab = require "lab"
local program = require "program"

local HEAD <const> = 'local f5 = require "f5"\nlocal bip <close> = f5.connect {}\n'
local POOL <const> = "/mgmt/tm/ltm/pool/~Common~p"

describe("S7 a write that is interrupted", function()
  local device, bip, place, env

  setup(function()
    device, bip = lab.start()
    place = program.directory()
    env = lab.environment(device)
    env.XDG_STATE_HOME = place.path
    place:file("one.lua", HEAD .. 'bip.ltm.pool["/Common/p"]:modify { description = "a" }')
    place:file("bare.lua", 'bip.ltm.pool["/Common/p"]:modify { description = "a" }')
    place:file("bash.lua", HEAD .. 'bip:bash "touch /tmp/x"')
    place:file("many.lua", HEAD .. [[
      local jobs = {}
      for n = 1, 13 do
        jobs[n] = function() bip.ltm.pool["/Common/p"]:modify { description = tostring(n) } end
      end
      f5.all(jobs)
    ]])
    place:file("queued.lua", HEAD .. [[
      bip:transaction(function(tx) tx(bip.ltm.pool["/Common/p"]):modify { description = "a" } end)
    ]])
    local options <const> = device:options "admin"
    place:file("inventory.lua", ("return { devices = { { name = 'a', host = %q, port = %d, "
      .. "username = 'admin', password = 'admin', verify = false } } }"):format(
      options.host, options.port))
  end)
  teardown(function() lab.stop(bip, device, place) end)

  before_each(function()
    device:clear_faults()
    for _, name in ipairs { "p", "new" } do bip.ltm.pool["/Common/" .. name]:absent() end
    bip.ltm.pool["/Common/p"]:create {}
  end)

  local function run(...)
    local done <const> = program.run({ ... }, { env = env, directory = place.path })
    assert.equal(0, done.status, done.err .. done.out)
  end

  -- Starts it, and interrupts it when `count` writes with this path have arrived.
  local function interrupted(words, method, path, count, more)
    device:fault { match = { method = method, path = path }, delay_ms = 30000, times = 50,
      after = more and more.after }
    device:clear_log()
    local started <close> = program.start(words, { env = env })
    lab.arrived(device, method, path, (count or 1) + (more and more.after or 0))
    started:kill "INT"
    local ended <const> = started:wait(15)
    assert.equal(130, ended.status, ended.err)
    return ended.err, ended.out
  end

  local function told(method, path, look, label)
    local write <const> = ("%s %s (%s)"):format(method, path, label or bip:label())
    return "f5lua: interrupted\n  it is not known whether this was carried out: " .. write .. "\n"
      .. (look and "  to see it: f5lua " .. look .. "\n" or "")
  end

  local COLLECTION <const> = "/mgmt/tm/ltm/pool"
  for what, case in pairs {
    create = { { "create", "ltm/pool", "/Common/new" }, "POST", COLLECTION, "list ltm/pool" },
    modify = { { "modify", "ltm/pool", "/Common/p", "description=x" }, "PATCH", POOL },
    replace = { { "replace", "ltm/pool", "/Common/p", "description=x" }, "PUT", POOL },
    ensure = { { "ensure", "ltm/pool", "/Common/p", "description=x" }, "PATCH", POOL },
    ["ensure, which creates"] = {
      { "ensure", "ltm/pool", "/Common/new" }, "POST", COLLECTION, "list ltm/pool",
    },
    delete = { { "delete", "ltm/pool", "/Common/p" }, "DELETE", POOL },
    absent = { { "absent", "ltm/pool", "/Common/p" }, "DELETE", POOL },
    call = { { "call", "sys/config", "save" }, "POST", "/mgmt/tm/sys/config", "list sys/config" },
    run = { { "run", "/one.lua" }, "PATCH", POOL },
    ["a playbook"] = { { "/one.lua" }, "PATCH", POOL },
    ["a playbook that runs a command"] = { { "/bash.lua" }, "POST", "/mgmt/tm/util/bash", false },
    ["run --undoable"] = { { "run", "--undoable", "/one.lua" }, "PATCH", POOL },
    ["run --inventory"] = {
      { "run", "--inventory", "/inventory.lua", "/bare.lua" }, "PATCH", POOL,
      nil, "a",
    },
  } do
    it("of " .. what .. " is named, and how to look at it", function()
      local words = {}
      for i, word in ipairs(case[1]) do
        words[i] = word:find "%.lua$" and place.path .. word or word
      end
      local look = case[4]
      if look == nil then look = "get ltm/pool/~Common~p" end
      local err <const> = interrupted(words, case[2], case[3] .. "$")
      local expected <const> = told(case[2], case[3], look, case[5])
      assert.equal(expected, err:sub(-#expected))
      device:clear_faults()
      if look and look:find "^get" and case[2] ~= "DELETE" then
        local words_of_look = {}
        for word in look:gmatch "%S+" do words_of_look[#words_of_look + 1] = word end
        run(table.unpack(words_of_look))
      end
    end)
  end

  it("of apply is named, with and without --confirm", function()
    run("plan", "-o", "change.plan", "one.lua")
    for _, more in ipairs { "--yes", "--confirm=5m" } do
      local err <const>, out <const> = interrupted(
        { "apply", place.path .. "/change.plan", more }, "PATCH", POOL .. "$"
      )
      local expected <const> = told("PATCH", POOL, "get ltm/pool/~Common~p")
      assert.equal(expected, err:sub(-#expected))
      assert.matches("0 of 1 steps were sent and carried out; then:", out)
      assert.matches("it is not known whether the device carried it out", out)
      device:clear_faults()
      bip.ltm.pool["/Common/p"]:modify { description = "" }
    end
  end)

  it("of undo is named", function()
    run("run", "--undoable", "one.lua")
    local err <const> = interrupted({ "undo", "last" }, "PATCH", POOL .. "$")
    local expected <const> = told("PATCH", POOL, "get ltm/pool/~Common~p")
    assert.equal(expected, err:sub(-#expected))
  end)

  it("is one of many: ten are named", function()
    local err <const> = interrupted({ place.path .. "/many.lua" }, "PATCH", POOL .. "$", 4)
    local _, count <const> = err:gsub("it is not known whether this was carried out: PATCH ", "")
    assert.is_true(count >= 4 and count <= 10, err)
    assert.matches("^f5lua: interrupted\n", err)
  end)

  -- Of seven writes a session sends four; the others wait for their turn. None is sent before the
  -- change record has all of them: its reads would wait for their turn, too.
  local QUEUED <const> = [[
    local recorded, passed = 0, 0
    require("f5.core").record(bip, { after = function() end, before = function()
      recorded = recorded + 1
      while recorded < 7 do require("f5.core").real_sleep(0.005) end
      passed = passed + 1
      if passed == 7 then print "all are queued" io.stdout:flush() end
    end })
    local jobs = {}
    for n = 1, 7 do
      jobs[n] = function()
        local ok, err = pcall(function() %s end)
        if not ok then print(err.message, err.outcome) end
        error(err, 0)
      end
    end
    f5.all(jobs)
  ]]

  -- Starts it, and interrupts it when four writes have arrived and three are queued. Returns what
  -- it printed.
  local function interrupted_queue(words, method, path)
    device:fault { match = { method = method, path = path }, delay_ms = 30000, times = 50 }
    device:clear_log()
    local started <close> = program.start(words, { env = env })
    started:expect "all are queued"
    lab.arrived(device, method, path, 4)
    started:kill "INT"
    local ended <const> = started:wait(15)
    assert.equal(130, ended.status, ended.err)
    device:clear_faults()
    local _, named <const> =
      ended.err:gsub("it is not known whether this was carried out: " .. method, "")
    assert.equal(4, named, ended.err)
    assert.matches("4 writes in the change record", ended.err)
    return ended.out
  end

  local function steps()
    local done <const> = program.run({ "changes", "show", "last", "--output", "json" }, {
      env = env,
    })
    local states = {}
    for _, step in ipairs(json.decode(done.out).steps) do
      states[#states + 1] = step.state .. (step.unsent and ", unsent" or "")
    end
    table.sort(states)
    return states
  end

  local STATES <const> = { "failed, unsent", "failed, unsent", "failed, unsent", "unknown",
    "unknown", "unknown", "unknown" }

  for method, write in pairs {
    POST = 'bip.ltm.pool["/Common/new" .. n]:create {}',
    PATCH = 'bip.ltm.pool["/Common/p"]:modify { description = tostring(n) }',
    PUT = 'bip.ltm.pool["/Common/p"]:replace { description = tostring(n) }',
    DELETE = 'bip.ltm.pool["/Common/p"]:delete()',
  } do
    it("is none if it was not sent yet: " .. method, function()
      local file <const> = place:file("waiting.lua", HEAD .. QUEUED:format(write))
      local path <const> = method == "POST" and COLLECTION or POOL
      local out <const> = interrupted_queue({ "run", "--undoable", file }, method, path .. "$")
      local _, unsent <const> = out:gsub("; the write was not sent\tnil\n", "")
      local _, unknown <const> = out:gsub("the device may have carried it out\tunknown\n", "")
      assert.same({ 3, 4 }, { unsent, unknown }, out)
      assert.same(STATES, steps())
      local shown <const> = program.run({ "changes", "show", "last" }, { env = env }).out
      local _, listed <const> = shown:gsub("\n  not sent: " .. method .. " ltm/pool", "")
      assert.equal(3, listed, shown)
    end)
  end

  it("is none of a device of a fleet that did not send it", function()
    local file <const> = place:file("fleet.lua",
      QUEUED:format 'bip.ltm.pool["/Common/p" .. n]:ensure {}')
    interrupted_queue(
      { "run", "--undoable", "--inventory", place.path .. "/inventory.lua", file },
      "POST", COLLECTION .. "$")
    assert.same(STATES, steps())
  end)

  it("is none while there is no connection", function()
    -- it takes the connection, and never answers the handshake
    local server <close> = program.start({ "-c", [[
import socket
server = socket.create_server(("127.0.0.1", 0))
print("port %d." % server.getsockname()[1], flush=True)
client = server.accept()[0]
print("connected", flush=True)
while client.recv(65536):
    pass
]] }, { program = "python3" })
    server:expect "port %d+%."
    local port <const> = math.tointeger(tonumber(server:output():match "port (%d+)"))
    local file <const> = place:file("silent.lua", 'local f5 = require "f5"\n'
      .. ('local bip <close> = f5.connect { host = "127.0.0.1", port = %d, auth = "basic", '
        .. 'username = "a", password = "b", verify = false }\n'):format(port)
      .. 'bip.ltm.pool["/Common/p"]:delete()\n')
    local started <close> = program.start({ file }, { env = env })
    server:expect "connected"
    started:kill "INT"
    local ended <const> = started:wait(15)
    assert.equal(130, ended.status, ended.err)
    assert.equal("f5lua: interrupted\n", ended.err)
  end)

  it("is none of a transaction whose commit was not sent", function()
    local file <const> = place:file("commit.lua", HEAD:gsub("{}", "{ parallel = 1 }") .. [[
      local tx <close> = bip:begin()
      tx(bip.ltm.pool["/Common/p"]):modify { description = "queued" }
      f5.all {
        function() bip.ltm.node["/Common/n1"]:create { address = "192.0.2.1" } end,
        function() tx:commit() end,
      }
    ]])
    local err <const> = interrupted({ file }, "POST", "/mgmt/tm/ltm/node$")
    assert.matches("interrupted before the commit of transaction %d+ was sent; it changes "
      .. "nothing\n", err)
    assert.is_nil(err:find "unknown whether")
    device:clear_faults()
    assert.is_nil(bip.ltm.pool["/Common/p"]:load().description)
    bip.ltm.node["/Common/n1"]:absent()
  end)

  it("is a member of the last line of a log in JSON", function()
    local err <const> = interrupted(
      { "--log-format", "json", place.path .. "/one.lua" }, "PATCH", POOL .. "$"
    )
    local last <const> = json.decode(err:match "([^\n]+)\n$")
    assert.same(
      { "interrupted", "unknown", { ("PATCH %s (%s)"):format(POOL, bip:label()) }, 130 },
      { last.message, last.outcome, last.writes, last.exit_status }
    )
  end)

  it("is no write if it was only queued in a transaction; a commit says it itself", function()
    local err = interrupted({ place.path .. "/queued.lua" }, "PATCH", POOL .. "$")
    assert.equal("f5lua: interrupted\n", err)
    device:clear_faults()
    err = interrupted({ place.path .. "/queued.lua" }, "PATCH", "^/mgmt/tm/transaction/%d+$")
    assert.matches("it is unknown whether it was carried out\nf5lua: interrupted\n$", err)
  end)
end)
