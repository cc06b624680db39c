-- Commands that bring files to the device and take them away.
local curl = require "curl"
local f5 = require "f5"
local lab = require "lab"
local sim = require "f5.sim"

describe("simulated device: commands with files", function()
  local device, bip

  before_each(function()
    device = sim.start { provision = { "ltm" } }
    bip = f5.connect(device:options("admin"))
  end)
  after_each(function() lab.stop(bip, device) end)

  local function post(path, body)
    return curl { device, "POST", "/mgmt/tm/" .. path, options = "-u admin:admin", body = body }
  end

  it("install a certificate and a key from uploaded files, and replace them", function()
    local folder <const> = "/var/config/rest/downloads/"
    for _, kind in ipairs { "cert", "key" } do
      local name = "/Common/a." .. kind
      device:control("write_file", { path = folder .. "a", text = "first" })
      local missing = post("sys/crypto/" .. kind, {
        command = "install", name = name, ["from-local-file"] = folder .. "nothing",
      })
      assert.equal(400, missing.status)
      local file <const> = "/mgmt/tm/sys/file/ssl-" .. kind .. "/~Common~a." .. kind
      assert.equal(404, curl(device, "GET", file).status)
      for i, text in ipairs { "first", "second and longer" } do
        device:control("write_file", { path = folder .. "a", text = text })
        local answer = post("sys/crypto/" .. kind, {
          command = "install", name = name,
          [i == 1 and "from-local-file" or "fromLocalFile"] = folder .. "a",
        })
        assert.equal(200, answer.status, answer.body)
        local object = bip:request("GET", file)
        assert.equal(#text, object.size)
        assert.match("^SHA1:" .. #text .. ":%x+$", object.checksum)
        assert.equal(200, curl(device, "GET", (file:gsub("file/ssl%-", "crypto/"))).status)
      end
      assert.equal(400, post("sys/crypto/" .. kind, { command = "install", name = name }).status)
      assert.equal(501, post("sys/crypto/" .. kind, {
        command = "install", name = name, ["from-url"] = "https://192.0.2.1/a",
      }).status)
    end
    -- SHA-1 of "abc", as FIPS 180 has it
    device:control("write_file", { path = folder .. "a", text = "abc" })
    post("sys/crypto/cert", {
      command = "install", name = "b", ["from-local-file"] = folder .. "a",
    })
    assert.equal(
      "SHA1:3:a9993e364706816aba3e25717850c26c9cd0d89d",
      bip:request("GET", "/mgmt/tm/sys/file/ssl-cert/~Common~b").checksum
    )
  end)

  it("take booleans for texts that are true or false", function()
    for _, name in ipairs { "fullLoadOnSync", "saveOnAutoSync" } do
      for _, value in ipairs { true, false } do
        local answer = post("cm/device-group", { name = "g", [name] = value })
        assert.equal(200, answer.status, answer.body)
        assert.equal(tostring(value), answer.json[name], name)
        bip:request("DELETE", "/mgmt/tm/cm/device-group/~Common~g")
      end
    end
    -- others take them for enabled and disabled
    assert.equal("enabled", post("cm/device-group", { name = "g", autoSync = true }).json.autoSync)
  end)

  it("save an archive where the command says", function()
    assert.equal(200, post("sys/ucs", { command = "save", name = "/var/tmp/x.ucs" }).status)
    assert.is_not_nil(device:control("read_file", "/var/tmp/x.ucs"))
    assert.is_nil(device:control("read_file", "/var/local/ucs/x.ucs"))
    post("ltm/pool", { name = "late" })
    assert.equal(400, post("sys/ucs", { command = "load", name = "x.ucs" }).status)
    assert.equal(200, post("sys/ucs", { command = "load", name = "/var/tmp/x.ucs" }).status)
    assert.equal(404, curl(device, "GET", "/mgmt/tm/ltm/pool/late").status)
    assert.equal(200, post("sys/ucs", { command = "save", name = "y" }).status)
    assert.is_not_nil(device:control("read_file", "/var/local/ucs/y.ucs"))
  end)

  it("merge a configuration", function()
    local function load(file)
      return post("sys/config", {
        command = "load", options = { { file = file, merge = true } },
      })
    end
    local missing = load "/var/config/rest/downloads/none.conf"
    assert.equal(400, missing.status)
    assert.match("not found", missing.json.message)
    device:control("write_file", {
      path = "/var/config/rest/downloads/p.conf", text = "ltm pool merged { }\n",
    })
    assert.equal(200, load("/var/config/rest/downloads/p.conf").status)
    assert.equal(200, curl(device, "GET", "/mgmt/tm/ltm/pool/merged").status)
  end)

  it("run bash through tmsh, and compute SHA-1", function()
    local function bash(script)
      return post("util/bash", { command = "run", utilCmdArgs = "-c '" .. script .. "'" })
        .json.commandResult
    end
    assert.equal("hello\n", bash "tmsh run /util bash -c \"echo hello\"")
    assert.equal("hello\n", bash "tmsh -q run util bash -c \"echo hello\"")
    assert.match(
      "^a9993e364706816aba3e25717850c26c9cd0d89d ",
      bash "cd /tmp; printf abc > a; sha1sum a"
    )
  end)

  it("write certificate signing requests to a file", function()
    local body <const> = {
      name = "web", key = "/Common/default.key", commonName = "www.example.net", country = "US",
      organization = "Example, Inc", subjectAlternativeName = "DNS:a.example.net, IP:192.0.2.1",
    }
    assert.equal(200, post("sys/crypto/csr", body).status)
    bip:bash("cp /config/ssl/ssl.csr/web /var/config/rest/downloads/web")
    local answer <const> = curl {
      device, "GET", "/mgmt/shared/file-transfer/uploads/web", options = "-u admin:admin",
    }
    local path <const> = os.tmpname()
    local file <const> = assert(io.open(path, "w"))
    file:write(answer.body)
    file:close()
    local openssl <const> = assert(io.popen("openssl req -in " .. path
      .. " -noout -verify -subject -text 2>&1"))
    local text <const> = openssl:read "a"
    openssl:close()
    os.remove(path)
    assert.match("OK", text)
    assert.match("C = US, O = \"Example, Inc\", CN = www.example.net", text, 1, true)
    assert.match("DNS:a.example.net, IP Address:192.0.2.1", text, 1, true)
    for _, names in ipairs { "dirName:x", "@x", "DNS", "x:y" } do
      body.name, body.subjectAlternativeName = "bad", names
      assert.equal(400, post("sys/crypto/csr", body).status, names)
    end
    assert.equal(200, curl(device, "DELETE", "/mgmt/tm/sys/crypto/csr/web").status)
    assert.match("No such file", bip:bash("cat /config/ssl/ssl.csr/*", { check = false }))
  end)

  it("save an archive where its path says", function()
    assert.equal(200, post("sys/ucs", { command = "save", name = "/var/tmp/x.ucs" }).status)
    assert.equal("/var/tmp/x.ucs\n", bip:bash "ls /var/tmp/x.ucs; ls /var/local/ucs")
    bip.ltm.pool:create { name = "gone" }
    assert.equal(200, post("sys/ucs", { command = "load", name = "/var/tmp/x.ucs" }).status)
    assert.is_false(bip.ltm.pool.gone:exists())
  end)
end)
