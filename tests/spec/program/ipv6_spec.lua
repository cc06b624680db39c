-- Devices with an address of IPv6, in every way that it is written.
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"

local function has_ipv6()
  local file <close> = io.open "/proc/net/if_inet6"
  return file ~= nil and ("\n" .. file:read "a"):find("\n" .. ("0"):rep(31) .. "1 ") ~= nil
end

describe("a device at ::1", function()
  local device, place, playbook

  setup(function()
    if not has_ipv6() then return end
    device = sim.start { bind = "::1" }
    place = program.directory()
    playbook = place:file(
      "playbook.lua",
      "local bip <close> = require('f5').connect(load('return ' .. arg[1])()) bip.ltm.pool:list() "
        .. "print(bip)"
    )
  end)
  teardown(function()
    if not device then return end
    lab.stop(device, place)
  end)

  local function test(name, body)
    it(name, function()
      if not has_ipv6() then return pending "this machine has no ::1" end
      body()
    end)
  end

  local function run(options, more)
    local env = { F5_USER = "admin", F5_PASSWORD = "admin", SSL_CERT_FILE = device.ca }
    for key, value in pairs(more or {}) do env[key] = value end
    return program.run({ playbook, options }, { env = env })
  end

  local function check(label, options, more)
    local result = run(options, more)
    assert.same(
      { 0, ("session with %s\n"):format(label), "" },
      { result.status, result.out, result.err }
    )
  end

  test("is reached by every way to write its address, its certificate checked", function()
    local port <const> = device.port
    local label <const> = "[::1]:" .. port
    assert.equal("https://" .. label, device.url)
    check(label, ("{ host = '::1', port = %d }"):format(port))
    check(label, ("{ host = '[::1]', port = %d }"):format(port))
    check(label, ("{ host = '[::1]:%d' }"):format(port))
    check(label, ("{ host = 'https://[::1]:%d' }"):format(port))
    check(label, ("{ host = 'https://[::1]:%d/' }"):format(port))
    check("[0:0:0:0:0:0:0:1]:" .. port, ("{ host = '0:0:0:0:0:0:0:1', port = %d }"):format(port))
    -- 127.0.0.1 refuses it
    check("localhost:" .. port, ("{ host = 'localhost', port = %d }"):format(port))
    check(label, "{}", { F5_SERVER = "::1", F5_SERVER_PORT = port })
    check(label, "{}", { F5_SERVER = "[::1]:" .. port })
    local listed = program.run({ "list", "ltm/pool", "--host", "[::1]:" .. port },
      { env = { F5_USER = "admin", F5_PASSWORD = "admin", SSL_CERT_FILE = device.ca } })
    assert.same({ 0, "" }, { listed.status, listed.err })
  end)

  test("is reached through a proxy", function()
    local proxy <close> = program.start(
      { "tests/support/proxy.py", "proxy" },
      { program = "/usr/bin/python3" }
    )
    check(
      "[::1]:" .. device.port,
      ("{ host = '[::1]:%d', proxy = 'http://127.0.0.1:%s' }"):format(
        device.port,
        proxy:expect "port (%d+)"
      )
    )
    assert.matches(("CONNECT %%[::1%%]:%d none"):format(device.port), (proxy:output()))
  end)

  test("is simulated by f5lua sim --bind", function()
    for _, address in ipairs { "::1", "[::1]" } do
      local process <close> = program.start {
        "sim",
        "--port",
        "0",
        "--bind",
        address,
        "--ca-file",
        place.path .. "/ca.pem",
      }
      local url = process:expect "simulated BIG%-IP at (https://%[::1%]:%d+),"
      check(url:match "//(.*)", ("{ host = %q, ca = %q }"):format(url, place.path .. "/ca.pem"))
    end
  end)

  test("is not confused with what is no address", function()
    for _, host in ipairs {
      "[::1", "::1]", "[]", "[::g]", "[::1]443", "[127.0.0.1]", "::1:99999", "1::2::3", "[::1%]",
      "a%b", "a[b]",
    } do
      local result = run(("{ host = %q }"):format(host))
      assert.equal(1, result.status)
      assert.matches(
        "invalid host '" .. host:gsub("%p", "%%%0") .. "': not a name or an address\n",
        result.err
      )
    end
  end)
end)
