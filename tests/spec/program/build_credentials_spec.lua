local credentials = require "build.credentials"

describe("Files that look like credentials", function()
  local function suspicious(name, contents) return credentials(name, contents or "x") end

  it("by their names", function()
    for _, name in ipairs {
      "id_rsa", "a/.netrc", ".env", ".env.local", "client.p12", "store.jks", "credentials.ini",
      "secrets.lua",
    } do
      assert.equal("its name is that of a file with credentials", suspicious(name), name)
    end
    for _, name in ipairs {
      "main.lua", "environment.txt", "id_rsa.lua.txt", "monkey.txt", "a/keys/list.csv",
    } do
      assert.is_nil(suspicious(name), name)
    end
  end)

  it("by keys in them", function()
    assert.equal(
      "it contains a private key",
      suspicious("cert.pem", "-----BEGIN EC PRIVATE KEY-----\nabc")
    )
    assert.equal(
      "it contains a private key",
      suspicious("bundle", "x\n-----BEGIN PRIVATE KEY-----\nabc")
    )
    assert.is_nil(suspicious("cert.pem", "-----BEGIN CERTIFICATE-----\nabc"))
    assert.is_nil(suspicious("pub.pem", "-----BEGIN PUBLIC KEY-----\nabc"))
  end)

  it("inventories in Lua, by a literal only", function()
    assert.equal(
      "line 2 gives 'password' a value",
      suspicious("sites.lua", 'return { devices = {\n{ host = "a", password = "x" } } }')
    )
    assert.equal(
      "line 1 gives 'client_secret' a value",
      suspicious("sites.lua", 'return { ["client_secret"] = [[x]] }')
    )
    for _, text in ipairs {
      'return { password_env = "BIGIP" }',
      "return { password = read() }",
      'return { password = "" }',
      '-- password = "x"',
      'if password == "x" then end',
      "print \"password = 'x'\"",
      'return { passwords_seen = "3" }',
    } do
      assert.is_nil(suspicious("sites.lua", text), text)
    end
  end)

  it("inventories in JSON and plain text", function()
    assert.equal(
      "it gives 'ansible_password' a value",
      suspicious("hosts.json", '{"eu":{"hosts":["a"],"vars":{"ansible_password":"x"}}}')
    )
    assert.is_nil(suspicious("hosts.json", '{"password":null,"password_env":"X"}'))
    assert.equal(
      "line 2 gives 'password' a value",
      suspicious("hosts.ini", "[all]\npassword = x\n")
    )
    assert.equal("line 1 gives 'api-key' a value", suspicious("hosts.yaml", "api-key: 'abc'\n"))
    assert.is_nil(suspicious("hosts.yaml", "# password below\nhost: a\npassword:\n"))
  end)
end)
