-- Signals end a playbook in order: `<close>` variables run, tokens are deleted, the status tells
-- the signal.
local lab = require "lab"
local program = require "program"

local HEAD <const> = [[
local f5 = require "f5"
local bip = f5.connect {}
local guard <close> = setmetatable({}, { __close = function() print "closed" end })
io.stdout:setvbuf "line"
print "ready"
]]

describe("a signal", function()
  local device, place
  lab.block(setup, teardown, before_each, function(...) device, place = ... end)

  local function start(text, words)
    return program.start(
      words or { place:file("playbook.lua", HEAD .. text) },
      { env = lab.environment(device) }
    )
  end

  local function last_call()
    local calls = device:log()
    local call = calls[#calls]
    return call.method, call.path:match "^/mgmt/shared/authz/tokens/", call.status
  end

  local function check_deleted()
    assert.equal(nil, next(device:state().tokens.items))
    local method, path, status = last_call()
    assert.same({ "DELETE", "/mgmt/shared/authz/tokens/", 200 }, { method, path, status })
  end

  local WAYS <const> = {
    ["while it sleeps"] = "f5.sleep(100)",
    ["while it computes"] = "while true do end",
    ["while it waits for the device"] = "bip.ltm.node:list()",
    ["while it sorts"] = "table.sort({ 3, 2, 1 }, function(a, b) f5.sleep(100) return a < b end)",
    ["in a coroutine of its own"] = "coroutine.wrap(function() f5.sleep(100) end)()",
    ["while a fiber works"] = "f5.all(function() f5.sleep(100) end, function() while true do "
      .. "f5.sleep(0.001) end end)",
  }
  for way, text in pairs(WAYS) do
    it("SIGINT " .. way, function()
      if way:find "device" then
        device:fault { match = { path = "/mgmt/tm/ltm/node" }, delay_ms = 20000 }
      end
      local process <close> = start(text)
      process:expect "ready"
      if way:find "device" then lab.arrived(device, "GET", "/ltm/node$") end
      process:kill "INT"
      local result = process:wait(10)
      assert.same(
        { 130, "ready\nclosed\n", "f5lua: interrupted\n" },
        { result.status, result.out, result.err }
      )
      check_deleted()
    end)
  end

  it("SIGTERM ends it too, with its own status", function()
    local process <close> = start "f5.sleep(100)"
    process:expect "ready"
    process:kill "TERM"
    local result = process:wait(10)
    assert.same(
      { 143, "ready\nclosed\n", "f5lua: terminated\n" },
      { result.status, result.out, result.err }
    )
    check_deleted()
  end)

  it("is told as JSON where the log is", function()
    local json <const> = require "f5.json"
    local file <const> = place:file("playbook.lua", HEAD .. "f5.sleep(100)")
    for signal, expected in pairs { INT = { "interrupted", 130 }, TERM = { "terminated", 143 } } do
      local process <close> = start(nil, { "--log-format", "json", file })
      process:expect "ready"
      process:kill(signal)
      local result = process:wait(10)
      local told <const> = json.decode(result.err)
      assert.same(
        { expected[2], "failure", expected[1], expected[2] },
        { result.status, told.event, told.message, told.exit_status }
      )
      assert.matches("^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ$", told.time)
    end
  end)

  it("SIGHUP ends it too: its terminal is gone", function()
    local process <close> = start "f5.sleep(100)"
    process:expect "ready"
    process:kill "HUP"
    assert.equal(129, process:wait(10).status)
    check_deleted()
  end)

  it("of every other kind that would end it silently deletes the tokens and is named", function()
    for name, number in pairs { QUIT = 3, USR1 = 10, USR2 = 12, ALRM = 14, XCPU = 24, PWR = 30 } do
      local process <close> = start "f5.sleep(100)"
      process:expect "ready"
      process:kill(name)
      local result = process:wait(10)
      assert.same(
        { 128 + number, "ready\nclosed\n", ("f5lua: ended by SIG%s\n"):format(name) },
        { result.status, result.out, result.err }
      )
      check_deleted()
    end
  end)

  it("while a transaction begins leaves none open on the device", function()
    for _, name in ipairs { "HUP", "INT", "TERM" } do
      device:fault { match = { path = "/mgmt/tm/transaction", method = "POST" }, delay_ms = 700 }
      device:clear_log()
      local process <close> = start "local tx <close> = bip:begin()"
      lab.arrived(device, "POST", "/mgmt/tm/transaction$")
      process:kill(name)
      process:wait(10)
      check_deleted()
      device:clear_faults()
      local bip <close> = lab.connect(device)
      local open = {}
      for _, tx in ipairs(bip:at("/mgmt/tm/transaction"):list()) do open[#open + 1] = tx.transId end
      assert.same({}, open, name)
    end
  end)

  it("cannot be caught by pcall for good", function()
    -- A signal before the `pcall` would end the playbook at once, so it waits for "inside".
    local process <close> =
      start "pcall(function() print 'inside' f5.sleep(100) end) print 'cleaning up'"
    process:expect "inside"
    process:kill "INT"
    local result = process:wait(10)
    assert.same({ 130, "ready\ninside\ncleaning up\nclosed\n" }, { result.status, result.out })
    check_deleted()
  end)

  it("shows an error that the end itself brings", function()
    local process <close> =
      start(
        "local bad <close> = setmetatable({}, { __close = function() error('no', 0) end }) "
          .. "print 'inside' f5.sleep(100)"
      )
    process:expect "inside"
    process:kill "INT"
    local result = process:wait(10)
    assert.equal(130, result.status)
    assert.matches("^f5lua: no\n.*f5lua: interrupted\n$", result.err)
    check_deleted()
  end)

  it("twice leaves at once", function()
    device:fault { match = { method = "DELETE" }, delay_ms = 20000 }
    local process <close> = start "f5.sleep(100)"
    process:expect "ready"
    process:kill "INT"
    lab.arrived(device, "DELETE", "/authz/tokens/")
    process:kill "INT"
    local result = process:wait(10)
    assert.same(
      {
        130,
        "f5lua: warning: exited at once: the tokens of open sessions stay on their devices until "
          .. "they expire; it is not known whether a write that was on its way was carried out\n",
      },
      { result.status, result.err }
    )
  end)

  it("twice says so in JSON, too, and nothing where there is no session", function()
    device:fault { match = { method = "DELETE" }, delay_ms = 20000 }
    local file <const> = place:file("playbook.lua", HEAD .. "f5.sleep(100)")
    local busy <const> = "local g <close> = setmetatable({}, { __close = function() print 'closed' "
      .. "while true do end end }) "
      .. "print 'ready' while true do end"
    local told <const> =
      "exited at once: the tokens of open sessions stay on their devices until they expire; "
        .. "it is not known whether a write that was on its way was carried out"
    for words, expected in pairs {
      [{ "--log-format", "json", file }] = ('{"event":"warning","message":"%s"}\n'):format(told),
      [{ "-e", busy }] = "",
    } do
      local process <close> = start(nil, words)
      process:expect "ready"
      process:kill "INT"
      process:expect "closed"
      if expected ~= "" then lab.arrived(device, "DELETE", "/authz/tokens/") end
      process:kill "INT"
      local result = process:wait(10)
      assert.same({ 130, expected }, { result.status, result.err })
    end
  end)

  it("during the login leaves no token", function()
    device:fault { match = { path = "/login" }, delay_ms = 500 }
    local process <close> = start(nil, { "-e", "require('f5').connect {}" })
    lab.arrived(device, "POST", "/login$")
    process:kill "INT"
    assert.equal(130, process:wait(10).status)
    assert.equal(nil, next(device:state().tokens.items))
  end)

  it("ends f5lua sim well, and it saves", function()
    local save = place.path .. "/state.json"
    for _, signal in ipairs { "INT", "TERM" } do
      os.remove(save)
      local process <close> = program.start { "sim", "--port", "0", "--save", save }
      process:expect "simulated BIG%-IP at"
      process:kill(signal)
      local result = process:wait(10)
      assert.same({ 0, "" }, { result.status, result.err })
      assert.truthy(require("f5.json").decode(place:read "state.json").objects)
    end
  end)

  it("of a broken pipe deletes the tokens as well", function()
    local file = place:file("playbook.lua", HEAD .. "for i = 1, math.huge do print(i) end")
    local env = (
      "F5_SERVER=127.0.0.1 F5_SERVER_PORT=%d F5_USER=admin F5_PASSWORD=admin SSL_CERT_FILE=%s"
    ):format(
      device.port,
      device.ca
    )
    local pipe = io.popen(
      ("timeout 20 env %s bash -c '%s %s | head -1; echo ${PIPESTATUS[0]}' 2>&1"):format(
        env,
        program.path,
        file
      )
    )
    assert.equal("ready\n141\n", pipe:read "a")
    pipe:close()
    check_deleted()
  end)
end)
