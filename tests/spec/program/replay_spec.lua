-- run --replay: the same run from its recording, without a device, and what it says if something
-- differs.
local core = require "f5.core"
local f5 = require "f5"
local lab = require "lab"
local program = require "program"

local CHANGE <const> = [[
local f5 = require "f5"
local bip <close> = f5.connect()
local pool = bip.ltm.pool["/Common/web"]
pool:ensure { monitor = "/Common/http", members = { "10.0.0.1:80" } }
bip.auth.user["joe"]:create { password = "Secr3t-of-joe", role = "guest" }
for _, one in ipairs(bip.ltm.pool:list()) do print(one.name, one.monitor) end
print(bip:bash "echo hello")
bip:transaction(function(tx)
  tx(bip.ltm.pool["/Common/a"]):create {}
  tx(pool):modify { description = "in a transaction" }
end)
]]

describe("E4 run --replay", function()
  local device, place
  lab.block(setup, teardown, before_each, function(given_device, given_place)
    device, place = given_device, given_place
  end)

  local function clean()
    local bip = lab.connect(device)
    for _, name in ipairs { "web", "a" } do bip.ltm.pool["/Common/" .. name]:absent() end
    bip.auth.user["joe"]:absent()
    bip:close()
    device:clear_log()
  end

  local function record(text, words)
    clean()
    place:file("playbook.lua", text)
    local all = { "run", "--record", "a.har" }
    table.move(words or {}, 1, #(words or {}), #all + 1, all)
    all[#all + 1] = "playbook.lua"
    local done <const> = program.run(all,
      { env = lab.environment(device), directory = place.path })
    device:clear_log()
    return done
  end

  -- Without an address, a user or a password in the environment.
  local function replay(text, words)
    place:file("playbook.lua", text)
    words = type(words) == "table" and words or {} -- not the second result of gsub
    local all = { "run", "--replay", "a.har" }
    table.move(words, 1, #words, #all + 1, all)
    all[#all + 1] = "playbook.lua"
    local done <const> = program.run(all, { directory = place.path })
    assert.same({}, device:log())
    return done
  end

  local function rejects(text, ...)
    local done <const> = replay(text)
    assert.equal(1, done.status, done.err)
    for _, words in ipairs { ... } do
      assert.is_truthy(done.err:find(words, 1, true), words .. "\n" .. done.err)
    end
    return done
  end

  it("runs a playbook as it was recorded, without a device", function()
    local recorded <const> = record(CHANGE)
    assert.equal(0, recorded.status, recorded.err)
    local done <const> = replay(CHANGE)
    assert.equal(0, done.status, done.err)
    assert.equal("", done.err)
    assert.equal(recorded.out, done.out)
    assert.matches("hello", done.out)
  end)

  it("needs no network at all", function()
    record(CHANGE)
    local traced <const> = program.run({ "-c",
      ("strace -f -e trace=socket,connect -o trace %s run --replay a.har playbook.lua"):format(
        program.path) }, {
      program = "/bin/sh", directory = place.path,
      env = { ASAN_OPTIONS = "detect_leaks=0" }, -- leaks cannot be looked for under strace
    })
    assert.equal(0, traced.status, traced.err)
    assert.is_nil(place:read("trace"):find "AF_INET")
  end)

  it("names the first call that differs, with both lines", function()
    record(CHANGE)
    rejects(CHANGE:gsub('description = "in', 'description = "not in'),
      "call ", " differs from the recording a.har",
      "  recorded  PATCH /mgmt/tm/ltm/pool/~Common~web  (playbook.lua:10)",
      "  now       PATCH /mgmt/tm/ltm/pool/~Common~web  (playbook.lua:10)",
      '  body.description: recorded "in a transaction", now "not in a transaction"')
    rejects(CHANGE:gsub("%.pool:list%(%)", ".node:list()"),
      "recorded  GET /mgmt/tm/ltm/pool  (playbook.lua:6)",
      "now       GET /mgmt/tm/ltm/node  (playbook.lua:6)")
    rejects(CHANGE:gsub("joe", "jim"), 'body.name: recorded "joe", now "jim"')
    rejects(CHANGE:gsub(', role = "guest"', ""), 'body.role: recorded "guest", now nothing')
    rejects('\n\n' .. CHANGE:gsub('pool:ensure', 'pool:delete() pool:ensure'),
      "recorded  GET ", "now       DELETE ", "(playbook.lua:4)", "(playbook.lua:6)")
  end)

  it("does not compare what is masked", function()
    record(CHANGE)
    assert.equal(0, replay(CHANGE:gsub("Secr3t%-of%-joe", "another one")).status)
    local done <const> = rejects(CHANGE:gsub("Secr3t%-of%-joe", "another one")
      :gsub('"guest"', '"admin"'), 'body.role')
    assert.is_nil(done.err:find("another one", 1, true))
  end)

  it("does not let a playbook catch the difference", function()
    record "local bip <close> = require 'f5'.connect() bip.ltm.pool:list()"
    local done <const> = replay [[
      local f5 = require "f5"
      local bip <close> = f5.connect()
      local ok, err = f5.try(function() bip.ltm.node:list() end)
      print(ok, err.kind)
      print(f5.try(function() bip.ltm.pool:list() end))
    ]]
    assert.equal(1, done.status)
    assert.matches("^false\tnot_recorded\nfalse\t", done.out)
    assert.matches("^f5lua: call 1 of .- differs from the recording a.har\n", done.err)
    assert.is_nil(done.err:find "warning")
  end)

  it("says which calls are left, and when there are no more", function()
    record "local bip <close> = require 'f5'.connect() bip.ltm.pool:list() bip.ltm.node:list()"
    local done = replay "local bip <close> = require 'f5'.connect() bip.ltm.pool:list()"
    assert.equal(1, done.status)
    assert.matches("^f5lua: 1 recorded call was not made: a.har; the first is GET "
      .. "/mgmt/tm/ltm/node of 127.0.0.1:%d+  %(playbook.lua:1%)\n$", done.err)
    rejects("local bip <close> = require 'f5'.connect() bip.ltm.pool:list() bip.ltm.node:list()\n"
      .. "bip.ltm.rule:list()", "the recording a.har has no more calls of 127.0.0.1:",
      "GET /mgmt/tm/ltm/rule  (playbook.lua:2)")
    done = replay "os.exit(0)"
    assert.equal(1, done.status)
    assert.matches("2 recorded calls were not made", done.err)
    assert.equal(7, replay("os.exit(7)").status)
  end)

  it("repeats failures and retries, and waits for nothing", function()
    local text <const> = [[
      local f5 = require "f5"
      local bip <close> = f5.connect { retries = { count = 3, delay = DELAY } }
      print(#bip.ltm.pool:list())
      f5.sleep(SLEEP)
      local ok, err = f5.try(function() bip.ltm.node:list() end)
      print(ok, err.kind, err.attempts)
      ok, err = f5.try(function() bip.ltm.pool["/Common/no"]:load() end)
      print(ok, err.kind, err.message)
      ok, err = f5.try(function() bip.ltm.rule["/Common/r"]:create { apiAnonymous = "x" } end)
      print(ok, err.kind, err.outcome)
    ]]
    device:fault { match = { path = "pool$" }, kind = "busy", times = 2 }
    device:fault { match = { path = "node" }, reset = true, times = 30 }
    device:fault { match = { path = "rule" }, reset = true, times = 30 }
    local recorded <const> = record((text:gsub("DELAY", "0.01"):gsub("SLEEP", "0.01")))
    assert.equal(0, recorded.status, recorded.err)
    device:clear_faults()
    local began <const> = core.now()
    local done <const> = replay((text:gsub("DELAY", "5"):gsub("SLEEP", "3600")))
    assert.equal(0, done.status, done.err)
    assert.equal(recorded.out, done.out)
    assert.matches("transport\t4", done.out)
    assert.is_true(core.now() - began < 10)
  end)

  it("takes calls that ran side by side in any order", function()
    local text <const> = [[
      local f5 = require "f5"
      local bip <close> = f5.connect { parallel = 8 }
      local calls = {}
      for i = 1, 8 do
        calls[i] = function()
          return f5.try(function() bip.ltm.pool["/Common/p" .. ORDER]:load() end)
        end
      end
      f5.all(calls)
      bip.ltm.node:list()
    ]]
    device:fault { match = { path = "/p%d" }, delay_ms = 100, times = 8 }
    assert.equal(0, record((text:gsub("ORDER", "i"))).status)
    local done <const> = replay((text:gsub("ORDER", "(9 - i)")))
    assert.equal(0, done.status, done.err)
    -- but a call that began when they had ended comes after them
    local turned <const> = text:gsub("f5.all%(calls%)%s*bip.ltm.node:list%(%)",
      "bip.ltm.node:list() f5.all(calls)")
    assert.equal(1, replay((turned:gsub("ORDER", "i"))).status)
  end)

  it("replays a run on many devices", function()
    place:file("fleet.lua", ([[return { devices = {
      { name = "one", host = "127.0.0.1", port = %d },
      { name = "two", host = "localhost", port = %d },
    } }]]):format(device.port, device.port))
    local text <const> = "print(device.name, #bip.ltm.pool:list())"
    local recorded <const> = record(text, { "--inventory", "fleet.lua" })
    assert.equal(0, recorded.status, recorded.err .. recorded.out)
    local done <const> = replay(text, { "--inventory", "fleet.lua" })
    assert.equal(0, done.status, done.err .. done.out)
    assert.matches("one: one\t0\n", done.out)
    assert.matches("two: two\t0\n", done.out)
  end)

  it("needs no profile, no variable and no command for passwords", function()
    local config <const>, marker <const> = place.path .. "/config", place.path .. "/ran"
    local env <const> = { XDG_CONFIG_HOME = config, LAB_PASSWORD = "admin" }
    local function f5lua(variables, ...)
      local done <const> = program.run({ ... }, { env = variables, directory = place.path })
      assert.equal(0, done.status, done.err .. done.out)
      return done.out
    end
    f5lua(env, "profile", "add", "lab", "--host", device.host, "--port", tostring(device.port),
      "--user", "admin", "--ca", device.ca, "--password-command",
      "touch " .. marker .. "; echo admin")
    place:file("i.lua", ([[return { devices = {
      { profile = "lab" },
      { name = "edge", host = "127.0.0.1", port = %d, ca = %q, username = "admin",
        password_env = "LAB_PASSWORD" },
    } }]]):format(device.port, device.ca))
    place:file("p.lua", "local bip <close> = require('f5').connect(load('return ' .. arg[1])()) "
      .. "print(bip:label(), #bip.ltm.pool:list())")
    local chunk <const> = "return function(bip) return bip:label() .. #bip.ltm.pool:list() end"
    for _, words in ipairs {
      { "-p", "lab", "p.lua", "nil" }, { "p.lua", "{ profile = 'lab' }" },
      { "--inventory", "i.lua", "-e", chunk },
    } do
      local recorded <const> = f5lua(env, "run", "--record", "a.har", table.unpack(words))
      assert(os.remove(marker))
      local replayed <const> = f5lua({}, "run", "--replay", "a.har", table.unpack(words))
      -- without the bytes and seconds of a table
      local function plain(text) return (text:gsub("%d+%.%d+", "N"):gsub(" +", " ")) end
      assert.equal(plain(recorded), plain(replayed))
      assert.is_nil(place:read "ran")
    end
  end)

  it("compares files that are uploaded, and has small files that are downloaded", function()
    local text <const> = [[
      local f5 = require "f5"
      local bip <close> = f5.connect {}
      bip:upload "up"
      bip:download("small", "down")
    ]]
    local bip <close> = lab.connect(device)
    bip:upload(place:file("small", "one line\n"))
    place:file("up", ("\0\1binary"):rep(1000))
    assert.equal(0, record(text).status)
    os.remove(place.path .. "/down")
    assert.equal(0, replay(text).status)
    assert.equal("one line\n", place:read "down")
    place:file("up", ("\0\1binarY"):rep(1000))
    rejects(text, "body: recorded \"8000 bytes with the SHA-256 ", "now \"8000 bytes")
    place:file("small", "\0" .. ("x"):rep(70000))
    bip:upload(place.path .. "/small")
    place:file("up", ("\0\1binary"):rep(1000))
    assert.equal(0, record(text).status)
    rejects(text, "cannot answer GET ", "its body of 70001 bytes is not recorded")
  end)

  it("shows the time of the recording", function()
    local text <const> = "local bip <close> = require 'f5'.connect() bip.ltm.pool:list() "
      .. "print(os.time())"
    local began <const> = tonumber(record(text).out)
    local changed <const> = place:read("a.har"):gsub('"20%d%d%-', '"2001-')
    place:file("a.har", changed)
    local done <const> = replay(text)
    local then_ <const> = os.date("!*t", tonumber(done.out))
    assert.equal(2001, then_.year)
    assert.equal(os.date("!*t", began).month, then_.month)
  end)

  it("accepts files of other programs that have what is needed", function()
    place:file("a.har", f5.json.encode {
      log = { entries = {
        {
          startedDateTime = "2026-01-01T10:00:00.000+01:00",
          request = { method = "GET", url = "https://bigip1.example.net/mgmt/tm/ltm/pool" },
          response = { status = 200, content = { text = '{"items":[{"name":"p"}]}' } },
        },
        {
          request = { method = "GET", url = "https://bigip1.example.net/mgmt/tm/ltm/node" },
          response = { status = 200, content = { text = "eyJpdGVtcyI6W119", encoding = "base64" } },
        },
      } },
    })
    local done <const> = replay("local bip <close> = require 'f5'.connect() print(bip:label()) "
      .. "print(bip.ltm.pool:list()[1].name, #bip.ltm.node:list())")
    assert.equal(0, done.status, done.err)
    assert.equal("bigip1.example.net\np\t0\n", done.out)
  end)

  it("takes null for nothing", function()
    place:file("a.har", [[{"log":{"entries":[{"startedDateTime":null,"time":null,"comment":null,
      "request":{"method":"GET","url":"https://a/mgmt/tm/ltm/pool","headers":null,"postData":null},
      "response":{"status":200,"headers":null,"content":{"text":"{\"items\":[]}","size":null,
      "encoding":null}}}]}}]])
    local text <const> = "local b <close> = require('f5').connect() print(#b.ltm.pool:list())"
    local done <const> = replay(text)
    assert.same({ 0, "0\n", "" }, { done.status, done.out, done.err })
  end)

  it("reads a recording that was cut off", function()
    record "local bip <close> = require 'f5'.connect() bip.ltm.pool:list() bip.ltm.node:list()"
    local text <const> = place:read "a.har"
    place:file("a.har", text:sub(1, text:find("/ltm/node", 1, true)))
    local done <const> = replay "local bip <close> = require 'f5'.connect() bip.ltm.pool:list()"
    assert.equal(0, done.status, done.err)
  end)

  it("says what is wrong with a file", function()
    local function refused(text, words)
      place:file("a.har", text)
      local done <const> = replay "print 'runs'"
      assert.equal(2, done.status, text)
      assert.equal("", done.out)
      assert.is_truthy(done.err:find(words, 1, true), done.err)
    end
    refused("no JSON", "a.har: this is no HAR file: ")
    refused("", "a.har: this is no HAR file: ")
    refused("[]", "a.har: this is no HAR file: it has no log with entries")
    refused('{"log":{}}', "it has no log with entries")
    refused('{"log":{"entries":[{}]}}', "entry 1 cannot be used: it has no request")
    refused('{"log":{"entries":[{"request":{"method":"GET"},"response":{"status":1}}]}}',
      "its request has no url")
    for words, parts in pairs {
      ["its content is no object"] = { "{}", '{"content":5}' },
      ["the text of its content is no string"] = { "{}", '{"content":{"text":5}}' },
      ["the size of its content is not a number"] = { "{}", '{"content":{"size":"5"}}' },
      ["its postData is no object"] = { '{"postData":"x"}', "{}" },
      ["its headers are no list of objects"] = { "{}", '{"headers":["x"]}' },
      ["its headers are no list"] = { '{"headers":{"a":"b"}}', "{}" },
    } do
      local request = f5.json.decode(parts[1])
      request.method, request.url = "GET", "https://a/mgmt/tm/ltm/pool"
      local response = f5.json.decode(parts[2])
      response.status = 200
      local entries <const> = f5.array { { request = request, response = response } }
      refused(f5.json.encode { log = { entries = entries } }, "entry 1 cannot be used: " .. words)
    end
    os.remove(place.path .. "/a.har")
    local done <const> = replay "print 'runs'"
    assert.equal(2, done.status)
    assert.matches("cannot read a.har: No such file", done.err)
    for _, option in ipairs { "--sim", "--check", "--undoable" } do
      assert.equal(2, replay("print 'runs'", { option }).status)
    end
  end)

  it("can be used by specs of playbooks", function()
    local text <const> = "local bip <close> = require 'f5'.connect() bip.ltm.pool:list()"
    record(text)
    local path <const> = place.path .. "/a.har"
    do
      local replayed <close> = f5.har.replay(path)
      dofile(place.path .. "/playbook.lua")
      assert.is_nil(replayed:difference())
      replayed:check()
    end
    do
      local replayed <close> = f5.har.replay(path)
      lab.fails("not_recorded", function() replayed:check() end)
      assert.equal("/mgmt/tm/ltm/pool", replayed:left()[1].path)
    end
    local bip <close> = lab.connect(device) -- devices are reached again
    assert.equal(0, #bip.ltm.pool:list())
  end)
end)
