-- A device that demands a client certificate: a TLS server before the simulated one does.
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"

describe("a device that demands a client certificate", function()
  local device, place, front, playbook

  setup(function()
    device = sim.start {}
    place = program.directory()
    assert(os.execute(([[cd %s && {
      for name in server stranger; do
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=$name -addext subjectAltName=IP:127.0.0.1 \
          -keyout $name.key -out $name.pem
      done
      openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=automation -keyout client.key -out client.csr
      openssl x509 -req -in client.csr -CA server.pem -CAkey server.key -CAcreateserial -days 2 -out client.pem
      cat client.key client.pem >both.pem
    } 2>/dev/null]]):format(place.path)))
    playbook = place:file(
      "playbook.lua",
      "local bip <close> = require('f5').connect(load('return ' .. arg[1])()) bip.ltm.pool:list() "
        .. "print 'done'"
    )
    local function path(name) return place.path .. "/" .. name end
    front = program.start(
      {
        "tests/support/proxy.py",
        "front",
        "--cert",
        path "server.pem",
        "--key",
        path "server.key",
        "--ca",
        path "server.pem",
        "--to",
        device.port,
      },
      { program = "/usr/bin/python3" }
    )
  end)
  teardown(function() lab.stop(front, device, place) end)

  local function run(options)
    device:clear_log()
    local env = {
      F5_SERVER = "127.0.0.1:" .. front:expect "port (%d+)",
      F5_USER = "admin",
      F5_PASSWORD = "admin",
      SSL_CERT_FILE = place.path .. "/server.pem",
    }
    return program.run({ playbook, (options:gsub("%$", place.path .. "/")) }, { env = env })
  end

  it("gets it, from two files or from one", function()
    for _, options in ipairs {
      "{ cert = '$client.pem', key = '$client.key' }",
      "{ cert = '$both.pem' }",
    } do
      local result = run(options)
      assert.same({ 0, "done\n", "" }, { result.status, result.out, result.err })
    end
    front:expect "certificate automation\ncertificate automation\n"
  end)

  it("is told apart from one that breaks off, and is not asked again", function()
    for options, words in pairs {
      ["{}"] = "certificate required",
      ["{ cert = '$stranger.pem', key = '$stranger.key' }"] = "unknown ca",
    } do
      local result = run(options)
      assert.equal(3, result.status)
      assert.matches(
        "^f5lua: cannot make a secure connection to 127%.0%.0%.1:%d+ %([^\n]* alert " .. words
          .. "[^\n]*%)\n",
        result.err
      )
      assert.matches("\n  kind      tls\n  attempts  1\n", result.err)
      assert.matches(
        "hint: the device requires a client certificate of a CA that it trusts: give `cert` and "
          .. "`key` to f5.connect\n$",
        result.err
      )
      assert.same({}, device:log())
    end
  end)
end)
