-- A server that is not a device, or attacks; unexpected scripts and names. Nothing crashes, hangs,
-- or shows a secret.
local json = require "f5.json"
local lab = require "lab"
local program = require "program"

local PASSWORD <const> = "Pässwört-&<HunterTwo>/22"
local CONNECT <const> = 'local f5 = require "f5"\nlocal bip <close> = f5.connect { retries = 0 }\n'

describe("what nobody expects:", function()
  local device, place
  lab.block(setup, teardown, before_each, function(...) device, place = ... end, {
    users = { { name = "keeper", password = PASSWORD, role = "admin" } },
  })

  local function run(text, words, environment)
    local env = lab.environment(device, { F5_USER = "keeper", F5_PASSWORD = PASSWORD })
    for name, value in pairs(environment or {}) do env[name] = value end
    local line = { place:file("playbook.lua", text) }
    for i, word in ipairs(words or {}) do table.insert(line, i, word) end
    return program.run(line, { env = env })
  end

  local function check_hidden(result)
    for _, part in ipairs { "HunterTwo", "Pässw", "P\\u00e4ssw" } do
      assert.is_nil((result.out .. result.err):find(part, 1, true), result.err)
    end
  end

  describe("half a secret is still one,", function()
    local function escaped(text)
      return (
        text:gsub(utf8.charpattern, function(c) return ("\\u%04x"):format(utf8.codepoint(c)) end)
      )
    end
    local ECHOES <const> = {
      ["at the end of a page"] = {
        status = 403,
        body = "<html>" .. ("a"):rep(185) .. " " .. PASSWORD .. "</html>",
      },
      ["at the end of what is shown"] = { status = 200, body = ("b"):rep(70) .. PASSWORD },
      ["at the end of a long body"] = {
        status = 403, body = json.encode { privateKey = ("k"):rep(32735), x = PASSWORD },
      },
      ["escaped as others do"] = {
        status = 403,
        body = '{"code":403,"message":"no ' .. escaped(PASSWORD) .. '"}',
      },
    }
    for where, answer in pairs(ECHOES) do
      it(where, function()
        for _, path in ipairs { "/login$", "/node$" } do
          device:fault { match = { path = path }, status = answer.status, body = answer.body }
          local result = run(CONNECT .. "print(f5.json.encode(bip.ltm.node:load()))", { "-vv" })
          assert.equal(3, result.status)
          check_hidden(result)
        end
      end)
    end
  end)

  it("a password in a line of the playbook is not shown with the line", function()
    for _, text in ipairs {
      ('local bip = f5.connect { port = 1, username = "x", password = "%s", retries = 0 }'):format(
        PASSWORD
      ),
      ('local bip = f5.connect { port = 1, username = "x", passwrd = "%s" }'):format(PASSWORD),
      ("local PASSWORD = [[%s]] .. nil"):format(PASSWORD),
    } do
      local result = run('local f5 = require "f5"\n' .. text .. "\n")
      assert.matches(
        "\n  [^\n]+playbook.lua:2: in main chunk\n      local [^\n]+%*%*%*%*%*%*%*%*",
        result.err
      )
      check_hidden(result)
    end
  end)

  it(
    "a password in the playbook's own words is masked",
    function()
      check_hidden(
        run(CONNECT .. "bip = bip error('cannot log in with ' .. os.getenv 'F5_PASSWORD')")
      )
    end
  )

  it("the password of a proxy is masked", function()
    check_hidden(
      run(
        'local f5 = require "f5"\nf5.connect { proxy = "http://us er:HunterTwo@127.0.0.1:1", '
          .. 'retries = 0 }\n',
        { "-vv" }
      )
    )
    check_hidden(run(CONNECT, { "-vv" }, { HTTPS_PROXY = "http://us er:HunterTwo@127.0.0.1:1" }))
  end)

  describe("a token", function()
    local function login(fields)
      device:fault {
        match = { path = "/login$" },
        times = 50,
        body = '{"token":{"token":"TOKENTOKENTOKEN",' .. fields .. "}}",
      }
    end

    it("whose times are no times is used for a while", function()
      for _, fields in ipairs {
        '"expirationMicros":9223372036854775807,"lastUpdateMicros":-9223372036854775808',
        '"timeout":4611686018427387904',
        '"timeout":1e300',
        '"expirationMicros":-9e18,"lastUpdateMicros":9e18',
      } do
        device:clear_faults()
        login(fields)
        local result = run(CONNECT .. "print(bip:expires_in() > 1000)")
        assert.same({ 0, "true\n", "" }, { result.status, result.out, result.err })
      end
    end)

    it(
      "that lives shorter than the login takes is used, and not fetched again and again",
      function()
        login '"expirationMicros":1000,"lastUpdateMicros":0'
        device:fault { match = { path = "/node$" }, body = '{"kind":"x"}' }
        assert.same({ 0, "" }, { run(CONNECT .. "bip.ltm.node:load()").status, "" })
        assert.equal("GET", device:log()[2].method)
      end
    )
  end)

  it("escape sequences in a device's words do not reach the terminal", function()
    device:fault {
      match = { path = "/node$" },
      status = 400,
      body = '{"code":400,"message":"\\u001b]0;mine\\u0007\\u001b[2J \\u009b2J\\u0085 é no"}',
    }
    assert.matches(
      "^f5lua: \\x1b%]0;mine\\x07\\x1b%[2J \\x9b2J\\x85 é no\n",
      run(CONNECT .. "bip.ltm.node:list()").err
    )
  end)

  it("nor by way of the log, plain or as JSON", function()
    local body <const> = '{"kind":"\27[2J\u{9b}2J\127 é"}'
    for words, shown in pairs {
      [{ "-vv" }] = "\\x1b[2J\\x9b2J\\x7f é",
      [{ "-vv", "--log-format", "json" }] = "\\u001b[2J\\u009b2J\\u007f é",
    } do
      device:fault { match = { path = "/node$" }, body = body }
      local result = run(CONNECT .. "bip.ltm.node:load()", words)
      assert.truthy(result.err:find(shown, 1, true), result.err)
      assert.not_matches("[\0-\8\11-\31\127]", result.err)
      assert.not_matches("\xC2[\x80-\x9F]", result.err)
    end
  end)

  it("a page that links to itself ends the list", function()
    device:fault { match = { path = "/node$" }, times = 5, body =
      '{"items":[{"name":"a"}],"nextLink":"https://localhost/mgmt/tm/ltm/node"}' }
    local result = run(CONNECT .. "bip.ltm.node:list()")
    assert.equal(3, result.status)
    assert.matches("^f5lua: invalid nextLink: it points to the same page\n", result.err)
    assert.matches("\n  kind      protocol\n", result.err)
  end)

  it("a full name that ends in a slash is not taken for its folder", function()
    local result = run(CONNECT .. 'local name = ""\nbip.ltm.pool["/Common/" .. name]:delete()\n')
    assert.equal(1, result.status)
    assert.matches(
      "playbook.lua:4: invalid name '/Common/': nothing follows the last slash\n",
      result.err
    )
  end)

  it("a NUL in the name of a host, a password that is no UTF-8", function()
    assert.matches(
      "option 'host' contains a control character",
      run('require "f5".connect { host = "a\\0b" }').err
    )
    local result = run('require "f5".connect { password = "p\\xff" }')
    assert.equal(1, result.status)
    assert.matches("the password is not valid UTF%-8", result.err)
  end)

  it("options that are made when they are asked for", function()
    local result = run [[
      local f5 = require "f5"
      local made = { host = "127.0.0.", username = "keep", ca = os.getenv "SSL_CERT_FILE":sub(1, -2), provider = "tm" }
      local last = { host = "1", username = "er", ca = os.getenv "SSL_CERT_FILE":sub(-1), provider = "os" }
      local bip <close> = f5.connect(setmetatable({ verify = true }, { __index = function(_, name)
        collectgarbage()
        return made[name] and made[name] .. last[name]
      end }))
      print(#bip.sys:list() > 1)
    ]]
    assert.same({ 0, "true\n", "" }, { result.status, result.out, result.err })
  end)

  it("finalizers that go on when everything has ended", function()
    local result = run(CONNECT .. [[
      local node = bip.ltm.node
      other = f5.connect {}
      setmetatable({}, { __gc = function()
        print(pcall(function() return other.ltm.node:list() end))
        print(pcall(function() return other.ltm.node.x end))
        print(pcall(f5.connect, {}))
      end })]])
    assert.same({ 0, "" }, { result.status, result.err })
    assert.matches("is closed\n.*\n.*the program is ending", result.out)
    assert.equal(nil, next(device:state().tokens.items))
  end)

  it("error values of every sort", function()
    local said = {
      ["error(setmetatable({}, { __metatable = 1 }))"] = "f5lua: the error value is a table\n",
      ["error()"] = "f5lua: nil\n",
      ["error('a\\0b', 0)"] = "f5lua: a\\x00b\n",
      ["error(setmetatable({}, { __tostring = error }))"] = "f5lua: (table value)\n",
    }
    for text, expected in pairs(said) do
      local result = run(text)
      assert.same({ 1, expected }, { result.status, result.err:sub(1, #expected) })
    end
  end)
end)
