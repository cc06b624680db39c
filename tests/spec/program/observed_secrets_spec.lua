-- No secret is in what a run leaves behind: a recording, a report, the log of -vv.
local core = require "f5.core"
local f5 = require "f5"
local lab = require "lab"
local program = require "program"

-- The bodies have MARK where a secret stands.
local BODIES <const> = {
  ["a form"] = "username=joe&password=MARK&x=y",
  ["a form that begins with it"] = "client_secret=MARK",
  ["JSON"] = '{"a":{"adminPassword":"MARK"},"pass":"MARK","psk":"MARK"}',
  ["JSON in a string"] = f5.json.encode { a = f5.json.encode { secret = "MARK" } },
  ["lists and objects"] = '{"passwords":["MARK",{"x":"MARK"}],"credentials":[{"user":"MARK"}]}',
  ["AS3"] = f5.json.encode {
    class = "Certificate", privateKey = { base64 = "MARK" },
    passphrase = { ciphertext = "MARK", protected = "MARK" },
  },
  ["a list of names and values"] = '[{"name":"bind_password","encrypted":"yes","value":"MARK"}]',
  ["addresses"] = '{"a":"https://joe:MARK@h/x","b":"https://h/x?a=b&access_token=MARK"}',
  ["a private key"] = f5.json.encode {
    k = "-----BEGIN EC PRIVATE KEY-----\nMARK\n-----END EC PRIVATE KEY-----",
  },
  ["a UCS"] = '{"command":"save","name":"a.ucs","options":[{"passphrase":"MARK"}]}',
  ["command lines"] = f5.json.encode {
    command = "run", utilCmdArgs = "-c 'tmsh modify auth user x password MARK'",
  },
  ["what a command printed"] = '{"commandResult":"curl -u joe:MARK https://h\\n password MARK\\n"}',
  ["an iRule"] = f5.json.encode {
    kind = "tm:ltm:rule:rulestate",
    apiAnonymous = 'when RULE_INIT {\nset static::token MARK\n}\nwhen HTTP_REQUEST {\n'
      .. 'HTTP::header insert Authorization "Basic MARK"\n set password "MARK" }',
  },
  ["scripts"] = f5.json.encode {
    definition = "exec curl -u joe:MARK https://h",
    iRule = 'HTTP::header insert "X-Api-Key" "MARK"',
  },
  ["what a monitor sends"] = f5.json.encode {
    send = "GET / HTTP/1.1\\r\\nAuthorization: Basic MARK\\r\\nCookie: a=MARK\\r\\n\\r\\n",
  },
  ["XML"] = '<user name="x" password="MARK"><password>MARK</password></user>',
  ["a redirect"] = '{"a":"https://h/x#access_token=MARK","b":"/x?next=%2Fy%3Ftoken%3DMARK"}',
  ["a multipart body"] = '--b\r\nContent-Disposition: form-data; name="password"\r\n\r\n'
    .. "MARK\r\n--b--",
  ["a web token"] = '{"x":"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.MARK"}',
  ["the token of somebody else"] = '{"name":"ABCDMARKMARKMARKMARKMARKXX"}',
}

local PLAYBOOK <const> = [[
  local f5 = require "f5"
  local bip <close> = f5.connect {}
  local body <const> = f5.json.decode(io.open(arg[1]):read "a")
  bip:request("POST", "/mgmt/shared/echo?password=" .. body.mark, {
    body = body.text, raw = true,
    headers = { ["X-Vault-Token"] = body.mark, Cookie = "a=" .. body.mark },
  })
]]

describe("E4 recordings, reports and logs", function()
  local device, place
  lab.block(setup, teardown, before_each, function(given_device, given_place)
    device, place = given_device, given_place
  end)

  local function left_behind(text, mark)
    local file <const> = place:file("body.json", f5.json.encode { text = text, mark = mark })
    local done <const> = program.run({
      "run", "-vv", "--record", "a.har", "--report", "a.html", place:file("p.lua", PLAYBOOK), file,
    }, { env = lab.environment(device), directory = place.path })
    assert.equal(0, done.status, done.err)
    return { har = place:read "a.har", page = place:read "a.html", log = done.err }
  end

  for name, text in pairs(BODIES) do
    it("have no secret of " .. name, function()
      local mark <const> = name:find "somebody" and "9KLE" or "Q7KLEAK9Z"
      local all <const> = left_behind((text:gsub("MARK", mark)), "Q7KLEAK9Z")
      for where, found in pairs(all) do
        assert.truthy(#found > 100)
        assert.is_nil(found:find("Q7KLEAK9Z", 1, true), where)
        assert.is_nil(found:find("9KLE9KLE", 1, true), where)
      end
      assert.truthy(all.har:find("********", 1, true))
    end)
  end

  it("have no private key in base64", function()
    local key <const> = core.base64("-----BEGIN PRIVATE KEY-----\n" .. ("MIIE"):rep(40)
      .. "\n-----END PRIVATE KEY-----\n")
    local all <const> = left_behind(f5.json.encode { file = key }, "Q7KLEAK9Z")
    for where, found in pairs(all) do assert.is_nil(found:find(key:sub(30, 60), 1, true), where) end
  end)

  it("keep what is no secret", function()
    local text <const> = '{"sslForwardProxyBypass":"enabled","passwordPolicy":{"a":"kept"}}'
    local all <const> = left_behind(text, "Q7KLEAK9Z")
    assert.truthy(all.har:find('passwordPolicy\\":{\\"a\\":\\"kept', 1, true))
    assert.truthy(all.har:find('Bypass\\":\\"enabled', 1, true))
  end)
end)
