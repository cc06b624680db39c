-- What a user reads when something is wrong, the exit status, and that no token is left on the
-- device.
local lab = require "lab"
local program = require "program"

local CONNECT <const> = 'local f5 = require "f5"\nlocal bip = f5.connect { retries = 0 }\n'
local LIST <const> = CONNECT .. "print(#bip.ltm.node:list())\n"

describe("bad input:", function()
  local device, place
  lab.block(setup, teardown, before_each, function(...) device, place = ... end)

  local function tokens()
    local count = 0
    for _ in pairs(device:state().tokens.items) do count = count + 1 end
    return count
  end

  -- Runs the playbook against the device; the environment may say otherwise.
  local function run(text, environment)
    local env = lab.environment(device)
    for name, value in pairs(environment or {}) do env[name] = value ~= "" and value or nil end
    return program.run({ place:file("playbook.lua", text) }, { env = env })
  end

  -- `expected` may hold FILE, DEVICE and PORT.
  local function check(status, expected, text, environment)
    local result = run(text, environment)
    expected = expected
      :gsub("FILE:", place.path .. "/playbook.lua:")
      :gsub("DEVICE", "127.0.0.1:" .. device.port)
      :gsub("PORT", device.port)
    assert.same({ status, expected }, { result.status, result.err })
    assert.equal(0, tokens())
  end

  it("nothing is wrong", function()
    check(0, "", LIST)
    assert.equal(3, #device:log())
  end)

  it("a wrong password", function()
    check(3, [[
f5lua: Authentication failed.
  device    DEVICE
  method    POST
  path      /mgmt/shared/authn/login
  status    401
  kind      auth
  attempts  1
  FILE:2: in main chunk
      local bip = f5.connect { retries = 0 }
  hint: check F5_USER and F5_PASSWORD, or username and password in f5.connect
]], LIST, { F5_PASSWORD = "wrong-one" })
  end)

  it(
    "no password, and no terminal to ask on",
    function()
      check(
        1,
        'f5lua: FILE:2: no password for 127.0.0.1: give password = "…" to f5.connect, or set '
          .. 'F5_PASSWORD'
          .. " (there is no terminal to ask on)\n  FILE:2: in main chunk\n      local bip = "
          .. "f5.connect { retries = 0 }\n",
        LIST,
        { F5_PASSWORD = "" }
      )
    end
  )

  it(
    "no host",
    function()
      check(
        1,
        'f5lua: FILE:2: no host: give host = "…" to f5.connect, or set F5_SERVER\n'
          .. "  FILE:2: in main chunk\n      local bip = f5.connect { retries = 0 }\n",
        LIST,
        { F5_SERVER = "" }
      )
    end
  )

  it("an unknown host", function()
    check(3, [[
f5lua: cannot resolve the name of no-such-host.invalid:PORT (Could not resolve host: no-such-host.invalid)
  device    no-such-host.invalid:PORT
  method    POST
  path      /mgmt/shared/authn/login
  kind      transport
  attempts  1
  FILE:2: in main chunk
      local bip = f5.connect { retries = 0 }
]], LIST, { F5_SERVER = "no-such-host.invalid" })
  end)

  it(
    "an unknown host, twice in one session: the second call meets what the first one met",
    function()
      local result = run [[
local f5 = require "f5"
local bip = f5.connect { host = "nowhere.invalid", auth = "basic", retries = 0 }
for _ = 1, 2 do
  local _, err = f5.try(function() return bip.ltm.pool:list() end)
  print(err.kind, err.message:match "^[%a ]+")
end
]]
    assert.equal(("transport\tcannot resolve the name of nowhere\n"):rep(2), result.out)
  end)

  it("a refused connection", function()
    local result = run(LIST, { F5_SERVER_PORT = 1 })
    assert.equal(3, result.status)
    assert.matches(
      "^f5lua: cannot connect to 127%.0%.0%.1:1 %(Failed to connect to 127%.0%.0%.1 port 1 after "
        .. "%d+ ms: "
        .. "Couldn't connect to server%)\n  device    127%.0%.0%.1:1\n  method    POST\n  path     "
        .. " /mgmt/shared/authn/login\n"
        .. "  kind      transport\n",
      result.err
    )
    assert.matches(
      "\n  hint: check the address and the port; otherwise the device may be starting: "
        .. "f5%.connect { wait = 300 } retries the login for 300 seconds\n$",
      result.err
    )
  end)

  it("a device that restarts: the advice is to wait, at the login and behind it", function()
    device:fault { match = { path = "/mgmt/tm/ltm/node" }, kind = "not_registered", times = 9 }
    local behind <const> =
      "bip:wait_ready%(%) waits until the device is up; call it before this line, and after each "
        .. "restart\n$"
    assert.matches(
      "\n  status    404\n  kind      not_ready\n.*\n  hint: check the spelling of the path[^\n]* "
        .. "otherwise the device is starting: "
        .. behind,
      run(LIST).err
    )
    device:clear_faults()
    device:fault { match = { path = "/mgmt/tm/ltm/node" }, status = 503, times = 9 }
    assert.matches(
      "\n  hint: the device or one of its services is starting or down: " .. behind,
      run(LIST).err
    )
    device:clear_faults()
    device:fault { match = { path = "/mgmt/shared/authn/login" }, status = 503, times = 9 }
    assert.matches(
      "\n  hint: the device or one of its services is starting or down: "
        .. "f5%.connect { wait = 300 } retries",
      run(LIST).err
    )
  end)

  it("an untrusted certificate", function()
    check(3, [[
f5lua: cannot make a secure connection to DEVICE (SSL certificate problem: unable to get local issuer certificate)
  device    DEVICE
  method    POST
  path      /mgmt/shared/authn/login
  kind      tls
  attempts  1
  FILE:2: in main chunk
      local bip = f5.connect { retries = 0 }
  hint: ]] .. "'f5lua trust DEVICE' shows the certificate and stores it "
      .. 'as trusted; or give the CA to f5.connect: `ca = "FILE.pem"`; `verify = false`, or '
      .. "F5_VALIDATE_CERTS=no, turns the check off\n", LIST, { SSL_CERT_FILE = "" })
  end)

  it("a port that does not speak TLS", function()
    local server <close> = program.start(
      { "-u", "-m", "http.server", "0", "--bind", "127.0.0.1" },
      { program = "/usr/bin/python3" }
    )
    local result = run(LIST, { F5_SERVER_PORT = server:expect "port (%d+)" })
    assert.equal(3, result.status)
    assert.matches(
      "^f5lua: cannot make a secure connection to 127%.0%.0%.1:%d+ %(.*wrong version number%)\n",
      result.err
    )
    assert.matches(
      "hint: the server on this port does not use TLS; the HTTPS port of a device is usually 443 "
        .. "or 8443\n$",
      result.err
    )
  end)

  it("a device that closes in mid-answer", function()
    device:fault { match = { path = "/mgmt/tm/ltm/node" }, truncate = 20, times = 2 }
    local result = run(LIST)
    assert.equal(3, result.status)
    assert.matches(
      "^f5lua: the connection to 127%.0%.0%.1:%d+ was lost %(transfer closed with %d+ "
        .. "bytes remaining to read%)\n",
      result.err
    )
    assert.matches(
      "\n  kind      transport\n  attempts  1\n.*playbook.lua:3: in main chunk\n      "
        .. "print%(#bip.ltm.node:list%(%)%)\n$",
      result.err
    )
    assert.equal(0, tokens())
  end)

  it("an answer that is not JSON", function()
    device:fault { match = { path = "/mgmt/tm/ltm/node" }, body = "<html>hello</html>" }
    check(3, [[
f5lua: the answer is not JSON: it starts with '<html>hello</html>'
  device    DEVICE
  method    GET
  path      /mgmt/tm/ltm/node
  status    200
  kind      protocol
  attempts  1
  FILE:3: in main chunk
      print(#bip.ltm.node:list())
]], LIST)
  end)

  it("an answer over the limit", function()
    check(3, [[
f5lua: the answer exceeds the option body_limit (the answer is larger than the limit of 2000 bytes)
  device    DEVICE
  method    GET
  path      /mgmt/tm/sys
  kind      protocol
  attempts  1
  FILE:3: in main chunk
      bip.sys:list()
]], 'local f5 = require "f5"\nlocal bip = f5.connect { body_limit = 2000 }\nbip.sys:list()\n')
  end)

  it("an unknown option of f5.connect", function()
    check(1, [[
f5lua: FILE:2: unknown option 'hostname'; did you mean 'host'?
  FILE:2: in main chunk
      local bip = f5.connect { hostname = "x" }
]], 'local f5 = require "f5"\nlocal bip = f5.connect { hostname = "x" }\n')
    assert.equal(0, #device:log())
  end)

  it("wrong types of arguments", function()
    check(1, [[
f5lua: FILE:2: option 'port' must be a number, not a string
  FILE:2: in main chunk
      local bip = f5.connect { port = "x" }
]], 'local f5 = require "f5"\nlocal bip = f5.connect { port = "x" }\n')
    check(1, [[
f5lua: FILE:3: create: expected a table of properties, got a string
  FILE:3: in main chunk
      bip.ltm.pool:create "x"
]], CONNECT .. 'bip.ltm.pool:create "x"\n')
  end)

  it(
    "an unknown part of f5",
    function()
      check(
        1,
        "f5lua: FILE:1: f5 has no 'conect'\n  FILE:1: in main chunk\n      require('f5').conect "
          .. "{}\n",
        "require('f5').conect {}\n"
      )
    end
  )

  it("an error of the device that nobody handles", function()
    check(3, [[
f5lua: 01020036:3: The requested Pool (/Common/nope) was not found.
  device    DEVICE
  method    GET
  path      /mgmt/tm/ltm/pool/~Common~nope
  status    404
  apiError  3
  kind      not_found
  attempts  1
  FILE:4: in function 'read'
      bip.ltm.pool["/Common/nope"]:load()
  FILE:6: in main chunk
  hint: check with ref:exists() first, or catch it: local ok, err = f5.try(function() … end)
]], CONNECT .. [[
local function read()
  bip.ltm.pool["/Common/nope"]:load()
end
read()
]])
  end)

  it("no advice about the path where the body named what is missing, or a file is", function()
    check(3, [[
f5lua: 01020036:3: The requested monitor (/Common/nope) was not found.
  device    DEVICE
  method    POST
  path      /mgmt/tm/ltm/pool
  status    404
  apiError  3
  kind      not_found
  attempts  1
  FILE:3: in main chunk
      bip.ltm.pool["/Common/p"]:create { monitor = "nope" }
]], CONNECT .. 'bip.ltm.pool["/Common/p"]:create { monitor = "nope" }\n')
    check(3, [[
f5lua: java.io.FileNotFoundException: /var/config/rest/downloads/nope (No such file or directory)
  device    DEVICE
  method    GET
  path      /mgmt/shared/file-transfer/downloads/nope
  status    404
  kind      not_found
  attempts  1
  FILE:3: in main chunk
      bip:download("nope", "/tmp/nope")
]], CONNECT .. 'bip:download("nope", "/tmp/nope")\n')
  end)

  it(
    "an error of its own, after the login",
    function()
      check(
        1,
        "f5lua: FILE:3: enough\n  FILE:3: in main chunk\n      error 'enough'\n",
        CONNECT .. "error 'enough'\n"
      )
    end
  )

  it("a fiber that fails and is never joined", function()
    local result = run(
      CONNECT
        .. "local one = f5.spawn(function() bip.ltm.pool['/Common/nope']:load() end)\n"
        .. "while one:status() == 'running' do f5.sleep(0.01) end\nprint 'the end'\n"
    )
    assert.same({ 3, "the end\n" }, { result.status, result.out })
    assert.matches(
      "^f5lua: a fiber failed, and nothing joined it:\nf5lua: 01020036:3: The requested Pool",
      result.err
    )
    assert.equal(0, tokens())
  end)

  it("os.exit without closing anything", function()
    local result = run(CONNECT .. "os.exit(9)\n")
    assert.same({ 9, "" }, { result.status, result.err })
    assert.equal(0, tokens())
    assert.equal("DELETE", device:log()[2].method)
  end)

  it("a session that the playbook forgot", function()
    check(0, "", CONNECT .. "bip = nil\ncollectgarbage()\n")
    assert.equal(2, #device:log())
  end)
end)
