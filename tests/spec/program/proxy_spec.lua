-- A device behind a proxy: by the option, by the environment, with a password, and what the proxy
-- refuses.
local lab = require "lab"
local program = require "program"

local WORK <const> = [[
local f5 = require "f5"
local bip <close> = f5.connect(load("return " .. (arg[1] or "{}"))())
for _ = 1, 3 do bip.ltm.pool:list() end
print "done"
]]

describe("a proxy", function()
  local device, place, playbook
  lab.block(setup, teardown, before_each, function(...)
    device, place = ...
    playbook = place:file("playbook.lua", WORK)
  end)

  -- A proxy in a <close> variable; its port, and the lines that it has written: target and how the
  -- password was.
  local function start(...)
    local process = program.start(
      { "tests/support/proxy.py", "proxy", ... },
      { program = "/usr/bin/python3" }
    )
    return process, process:expect "port (%d+)"
  end

  local function seen(process)
    local lines = {}
    for target, password in process:output():gmatch "CONNECT (%S+) (%a+)\n" do
      lines[#lines + 1] = target .. " " .. password
    end
    return lines
  end

  local function run(options, more, words)
    local env = lab.environment(device, more)
    words = words or {}
    words[#words + 1] = playbook
    words[#words + 1] = options
    return program.run(words, { env = env })
  end

  local function check_done(result)
    assert.same({ 0, "done\n", "" }, { result.status, result.out, result.err })
  end

  local function target() return device.host .. ":" .. device.port end

  it("is gone through, by one tunnel for all calls", function()
    local process <close>, port = start()
    check_done(run(("{ proxy = 'http://127.0.0.1:%s' }"):format(port)))
    assert.same({ target() .. " none" }, seen(process))
    assert.equal(5, #device:log())
  end)

  it("comes from the environment, and not for what no_proxy names", function()
    local process <close>, port = start()
    check_done(run(nil, { https_proxy = "http://127.0.0.1:" .. port }))
    check_done(run(nil, { HTTPS_PROXY = "127.0.0.1:" .. port }))
    check_done(run(nil, { ALL_PROXY = "http://127.0.0.1:" .. port }))
    assert.equal(3, #seen(process))
    check_done(run(nil, { https_proxy = "http://127.0.0.1:" .. port, no_proxy = "127.0.0.1" }))
    check_done(run("{ proxy = 'direct://' }", { https_proxy = "http://127.0.0.1:" .. port }))
    assert.equal(3, #seen(process))
  end)

  it("gets its user and password, which are not shown", function()
    local process <close>, port = start("--password", "jane:Hunter 2")
    local result =
      run(("{ proxy = 'http://jane:Hunter%%202@127.0.0.1:%s' }"):format(port), nil, { "-vv" })
    assert.same({ 0, "done\n" }, { result.status, result.out })
    assert.falsy(result.err:find "Hunter")
    assert.same({ target() .. " right" }, seen(process))
  end)

  it("that is not told a password, or a wrong one, is asked once", function()
    local process <close>, port = start("--password", "jane:Hunter2")
    for _, who in ipairs { "", "jane:wrong@" } do
      local result = run(("{ proxy = 'http://%s127.0.0.1:%s' }"):format(who, port))
      assert.equal(3, result.status)
      assert.equal(
        (
          "f5lua: the proxy for %s rejected the user and password, or requires them: "
          .. 'proxy = "http://USER:PASSWORD@HOST:PORT" (CONNECT tunnel failed, response 407)'
        ):format(target()),
        result.err:match "^[^\n]+"
      )
      assert.matches("\n  kind      transport\n  attempts  1\n", result.err)
    end
    assert.same({ target() .. " none", target() .. " wrong" }, seen(process))
    assert.same({}, device:log())
  end)

  it("that refuses is named as the one who refuses", function()
    for _, status in ipairs { "403 Forbidden", "502 Bad Gateway" } do
      local process <close>, port = start("--refuse", status)
      local result = run(("{ proxy = 'http://127.0.0.1:%s' }"):format(port))
      assert.equal(3, result.status)
      assert.equal(
        ("f5lua: the proxy cannot connect to %s (CONNECT tunnel failed, response %s)"):format(
          target(),
          status:match "%d+"
        ),
        result.err:match "^[^\n]+"
      )
      assert.equal(1, #seen(process))
    end
    assert.same({}, device:log())
  end)

  it("that is not there, or is none, is named", function()
    for proxy, words in pairs {
      ["http://127.0.0.1:1"] = "Failed to connect to 127%.0%.0%.1 port 1 ",
      ["http://nowhere.invalid:3128"] = "Could not resolve proxy: nowhere%.invalid",
      ["ftp://127.0.0.1"] = "Unsupported proxy scheme for 'ftp://127%.0%.0%.1'",
    } do
      local result = run(("{ proxy = %q }"):format(proxy))
      assert.equal(3, result.status)
      assert.matches(
        "^f5lua: cannot connect to the proxy %(from the option proxy%), which leads to "
          .. target():gsub("%p", "%%%0") .. " %([^\n]*" .. words,
        result.err
      )
      assert.matches("\n  hint: check the option proxy of f5.connect\n", result.err)
    end
  end)

  it("that is dead and comes from the environment is named with its variable", function()
    local _ <close>, port = start("--silent")
    for _, variable in ipairs { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" } do
      local result = run(nil, { [variable] = "http://127.0.0.1:1" })
      assert.equal(3, result.status)
      assert.matches(
        "^f5lua: cannot connect to the proxy %(from " .. variable .. "%), which leads to ",
        result.err
      )
      assert.matches(
        "\n  hint: check the variable " .. variable .. "; for hosts without a proxy, add them to "
          .. "no_proxy\n",
        result.err
      )
    end
    -- a device that is not there is not the proxy's fault
    local result = run(
      "{ host = '127.0.0.1:1' }", { https_proxy = "http://127.0.0.1:1", no_proxy = "127.0.0.1" }
    )
    assert.matches("^f5lua: cannot connect to 127%.0%.0%.1:1 ", result.err)
    -- a proxy that accepts the connection and says nothing
    result = run("{ timeout = 1, connect_timeout = 1 }", {
      https_proxy = "http://127.0.0.1:" .. port, ALL_PROXY = "http://127.0.0.1:1",
    })
    assert.equal(3, result.status)
    assert.matches("in time, perhaps because of the proxy %(from https_proxy%)", result.err)
  end)
end)
