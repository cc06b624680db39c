-- Where f5.connect takes its host, user and password from, in the whole program: environment,
-- prompt, simulated run.
local lab = require "lab"
local program = require "program"
local sim = require "f5.sim"
local terminal = require "terminal"

local device

local SHOW <const> = [[
local f5 = require "f5"
local bip <close> = f5.connect(load("return " .. (arg[1] or "{}"))())
print(bip, f5.flat(bip.sys.version:load())[1].Product)
]]

local function run(options, env, words)
  local directory <close> = program.directory()
  local file = directory:file("p.lua", SHOW)
  words = words or {}
  words[#words + 1] = file
  words[#words + 1] = options
  return program.run(words, { env = env })
end

describe("f5.connect in the program", function()
  setup(
    function()
      device = sim.start {
        users = {
          { name = "admin", password = "admin-pw", role = "admin" },
          { name = "operator", password = "operator-pw", role = "operator" },
        },
      }
    end
  )
  teardown(function() lab.stop(device) end)
  before_each(function() device:clear_log() end)

  local function env(more)
    local variables = {
      F5_SERVER = device.host, F5_SERVER_PORT = device.port, F5_USER = "operator",
      F5_PASSWORD = "operator-pw", F5_VALIDATE_CERTS = "no",
    }
    for name, value in pairs(more or {}) do
      variables[name] = value or nil
    end
    return variables
  end

  it("takes everything from the environment", function()
    local result = run("{}", env())
    assert.equal(0, result.status, result.err)
    assert.equal(("session with 127.0.0.1:%d\tBIG-IP\n"):format(device.port), result.out)
    result = run("{}", env { F5_SERVER = device.host .. ":" .. device.port, F5_SERVER_PORT = "1" })
    assert.equal(0, result.status, result.err)
    assert.equal("operator", device:log()[1].user or "operator")
  end)

  it("prefers what the script says", function()
    local result =
      run(('{ username = "admin", password = "admin-pw", ca = %q }'):format(device.ca), env())
    assert.equal(0, result.status, result.err)
    -- the script's verify = true is not undone by the environment
    result = run("{ verify = true }", env())
    assert.equal(3, result.status)
    assert.matches("cannot make a secure connection", result.err)
  end)

  it("explains a bad environment", function()
    local result = run("{}", env { F5_VALIDATE_CERTS = "maybe" })
    assert.equal(1, result.status)
    assert.matches("invalid F5_VALIDATE_CERTS 'maybe': must be 'yes' or 'no'", result.err)
    result = run("{}", env { F5_SERVER_PORT = "https" })
    assert.matches("invalid port 'https' %(F5_SERVER_PORT%)", result.err)
    result = run("{}", env { F5_PASSWORD = "" })
    assert.matches(
      'no password for 127.0.0.1: give password = "…" to f5.connect, or set F5_PASSWORD %(there is '
        .. 'no terminal to ask on%)',
      result.err
    )
    result = run("{}", env { F5_USER = "" })
    assert.matches("no user name for 127.0.0.1", result.err)
    result = run("{}", {})
    assert.matches("no host: give host = \"…\" to f5.connect, or set F5_SERVER", result.err)
    assert.equal(0, #device:log())
  end)

  it("asks on the terminal, without echo", function()
    local directory <close> = program.directory()
    local screen <close> = terminal.start({ directory:file("p.lua", SHOW) }, {
      env = { F5_SERVER = device.host, F5_SERVER_PORT = device.port, F5_VALIDATE_CERTS = "no" },
      errors_too = true,
    })
    screen:expect("User name for 127.0.0.1: *$", 30)
    screen:enter "operator"
    screen:expect("Password for operator on 127.0.0.1: *$", 30)
    screen:enter "operator-pw"
    local _, shown = screen:expect("BIG%-IP", 30)
    assert.equal(0, screen:status())
    assert.matches("User name for 127.0.0.1: operator\n", shown)
    assert.is_nil(shown:match "operator%-pw")
  end)

  it("goes to the simulated device in a simulated run, whatever host the script names", function()
    local result = run(
      '{ host = "bigip1.example.net", verify = false }',
      { F5_USER = "nobody" },
      { "run", "--sim" }
    )
    assert.equal(0, result.status, result.err)
    assert.equal("session with bigip1.example.net\tBIG-IP\n", result.out)
  end)
end)
