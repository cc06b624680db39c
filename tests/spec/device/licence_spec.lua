-- Backups, the licence, secrets, and other things that devices show about themselves.
local curl = require "curl"
local lab = require "lab"

describe("a simulated device", function()
  local device, bip
  before_each(function() device, bip = lab.start { provision = { "ltm", "asm", "apm" } } end)
  after_each(function() lab.stop(bip, device) end)

  local get <const>, post <const>, patch <const>, put <const>, delete <const> =
    lab.calls(function() return device end)

  -- Runs a backup job to its end.
  local function backup(body)
    local made = post("/mgmt/tm/shared/sys/backup", body)
    if made.status ~= 200 then return made.json end
    device:advance(10)
    return get("/mgmt/tm/shared/sys/backup/" .. made.json.id).json
  end

  local function archives()
    local list = {}
    for i, item in ipairs(get("/mgmt/tm/sys/ucs").json.items or {}) do
      list[i] = item.apiRawValues.filename:match "[^/]+$" .. " " .. item.apiRawValues.encrypted
    end
    return list
  end

  it("knows the nine actions of a backup", function()
    bip.ltm.pool:create { name = "p" }
    device:control("write_file", { path = "/var/tmp/k", text = "key" })
    bip:at("sys/file/ssl-key"):create { name = "k.key", sourcePath = "file:/var/tmp/k" }
    local done = backup { action = "BACKUP", file = "a" }
    assert.equal("FINISHED", done.status)
    assert.equal("tm:shared:sys:backup:ucsbackuptaskitemstate", done.kind)
    local secret <const> =
      { action = "BACKUP_WITH_ENCRYPTION", file = "b.ucs", passphrase = "of-b" }
    assert.is_nil(post("/mgmt/tm/shared/sys/backup", secret).body:find("of-b", 1, true))
    device:advance(10)
    assert.equal("FINISHED", backup({ action = "BACKUP_WITH_NO_PRIVATE_KEYS", file = "c" }).status)
    assert.equal("FINISHED", backup({
      action = "BACKUP_WITH_NO_PRIVATE_KEYS_WITH_ENCRYPTION", file = "d", passphrase = "y",
    }).status)
    assert.same({ "a.ucs no", "b.ucs yes", "c.ucs no", "d.ucs yes" }, archives())
    bip.ltm.pool["/Common/p"]:delete()
    local key <const> = bip:at("sys/file/ssl-key", "/Common/k.key")
    assert.equal("FAILED", backup({ action = "RESTORE", file = "b" }).status)
    assert.matches("passphrase", backup({ action = "RESTORE", file = "b" }).errorMessage)
    assert.equal(
      "FAILED",
      backup({ action = "RESTORE_WITH_ENCRYPTION", file = "b", passphrase = "wrong" }).status
    )
    assert.is_false(bip.ltm.pool["/Common/p"]:exists())
    assert.equal(
      "FINISHED",
      backup({ action = "RESTORE_WITH_ENCRYPTION", file = "b", passphrase = "of-b" }).status
    )
    assert.is_true(bip.ltm.pool["/Common/p"]:exists())
    assert.is_true(key:exists())
    assert.equal("FINISHED", backup({ action = "RESTORE_WITH_NO_LICENSE", file = "c" }).status)
    assert.is_false(key:exists())
    assert.equal("FINISHED", backup({
      action = "RESTORE_WITH_NO_LICENSE_WITH_ENCRYPTION", file = "d", passphrase = "y",
    }).status)
    assert.equal("FINISHED", backup({ action = "RESTORE", file = "a" }).status)
    assert.is_true(key:exists())
    assert.equal("FINISHED", backup({ action = "CLEANUP", file = "a" }).status)
    assert.same({ "b.ucs yes", "c.ucs no", "d.ucs yes" }, archives())
    assert.equal("FAILED", backup({ action = "CLEANUP", file = "a" }).status)
    assert.matches("action must be one of", backup({ action = "FLY", file = "a" }).message)
    assert.matches(
      "needs a passphrase", backup({ action = "BACKUP_WITH_ENCRYPTION", file = "a" }).message
    )
  end)

  it("has a licence that can be installed, replaced and revoked", function()
    local path <const> = "/mgmt/tm/shared/licensing/registration"
    local first = get(path).json
    assert.equal("AAAAA-BBBBB-CCCCC-DDDDD-EEEEEEE", first.registrationKey)
    assert.equal("F5 Networks, Inc.", first.vendor)
    assert.matches("^BIG%-IP, VE, LAB|", first.activeModules[1])
    assert.equal("2026-01-01T00:00:00.000+0000", first.licensedDateTime)
    local key <const> = "ABCDE-FGHIJ-KLMNO-PQRST-UVWXYZA"
    local body = { command = "install", registrationKey = key, addOnKeys = { "AAAAAAA-BBBBBBB" } }
    local installed = post("/mgmt/tm/sys/license", body).json
    assert.equal("New license installed\n", installed.commandResult)
    assert.equal("tm:sys:license:installstate", installed.kind)
    assert.equal(key, get(path).json.registrationKey)
    assert.same({ "AAAAAAA-BBBBBBB" }, get(path).json.addOnKeys)
    local function shown()
      local entries = get("/mgmt/tm/sys/license").json.entries
      return entries and entries["https://localhost/mgmt/tm/sys/license/0"].nestedStats.entries
    end
    assert.equal(key, shown().registrationKey.description)
    assert.equal(400, post("/mgmt/tm/sys/license", { command = "install" }).status)
    assert.equal(
      400, post("/mgmt/tm/sys/license", { command = "install", registrationKey = "x" }).status
    )
    local text <const> = "#\nRegistration Key : ZZZZZ-FGHIJ-KLMNO-PQRST-UVWXYZA\n"
    assert.equal(200, put(path, { licenseText = text }).status)
    assert.equal("ZZZZZ-FGHIJ-KLMNO-PQRST-UVWXYZA", get(path).json.registrationKey)
    assert.equal(400, put(path, { licenseText = "nothing" }).status)
    assert.equal(405, patch(path, {}).status)
    assert.equal(200, delete(path).status)
    assert.equal(404, get(path).status)
    assert.is_nil(shown())
    assert.equal(
      "Can't load license, may not be operational\n",
      get("/mgmt/tm/sys/license").json.apiRawValues.apiAnonymous
    )
    local ready = get("/mgmt/tm/sys/ready").json.entries["https://localhost/mgmt/tm/sys/ready/0"]
    assert.equal("no", ready.nestedStats.entries.licenseReady.description)
    local operator = { device, "DELETE", path, user = "operator:operator" }
    assert.equal(401, curl(operator).status)
  end)

  it("shows secrets encrypted, and takes them back as they are shown", function()
    for path, name in pairs {
      ["ltm/monitor/http"] = "password", ["ltm/monitor/radius"] = "secret",
      ["ltm/monitor/https"] = "password", ["apm/aaa/ldap"] = "adminEncryptedPassword",
      ["ltm/monitor/mysql"] = "password",
    } do
      local made = post("/mgmt/tm/" .. path, { name = "m", [name] = "Secret-1" })
      assert.equal(200, made.status, made.body)
      local shown <const> = made.json[name]
      assert.matches("^%$M%$..%$[%w+/]+=*$", shown, 1, false)
      assert.is_nil(made.body:find("Secret-1", 1, true))
      local again = patch("/mgmt/tm/" .. path .. "/~Common~m", { [name] = shown })
      assert.equal(shown, again.json[name])
      local other = patch("/mgmt/tm/" .. path .. "/~Common~m", { [name] = "Secret-2" })
      assert.is_true(other.json[name] ~= shown)
      assert.equal(200, patch("/mgmt/tm/" .. path .. "/~Common~m", { [name] = "none" }).status)
    end
  end)

  it("lists the defects that a hotfix repairs", function()
    local entries = get("/mgmt/tm/sys/version").json.entries
    local fixed = entries["https://localhost/mgmt/tm/sys/version/1"].nestedStats.entries
    assert.equal("ID1009161-3", fixed.ID1009161_3.description)
    local plain <close> = require("f5.sim").start { version = { edition = "Point Release 3" } }
    local answer = curl(plain, "GET", "/mgmt/tm/sys/version").json.entries
    assert.is_nil(answer["https://localhost/mgmt/tm/sys/version/1"])
  end)

  it("shows the subject of a certificate in sys/crypto/cert", function()
    local directory <close> = require("program").directory()
    local function install(subject)
      local place <const> = directory.path
      assert(os.execute(
        (
          "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout %s/k -out %s/c -subj '%s' "
          .. "2>%s/e"
        ):format(place, place, subject, place)
      ))
      device:control("write_file", { path = "/var/tmp/c", text = directory:read "c" })
      local answer = post("/mgmt/tm/sys/crypto/cert", {
        command = "install", name = "own", ["from-local-file"] = "/var/tmp/c",
      })
      assert.equal(200, answer.status, answer.body)
      return get("/mgmt/tm/sys/crypto/cert/~Common~own").json
    end
    local one = install "/C=DE/ST=Berlin/L=Mitte/O=Example, Inc./OU=Lab/CN=own.example.net"
    assert.same(
      { "own.example.net", "DE", "Berlin", "Mitte", "Example, Inc.", "Lab" },
      { one.commonName, one.country, one.state, one.city, one.organization, one.ou }
    )
    local two = install "/CN=other.example.net"
    assert.equal("other.example.net", two.commonName)
    assert.is_nil(two.country)
  end)

  it("shows when an image was built, with spaces", function()
    local sent = curl {
      device, "POST", "/mgmt/cm/autodeploy/software-image-uploads/BIGIP-17.5.0-0.0.15.iso",
      body = "iso",
      headers = { ["Content-Type"] = "application/octet-stream", ["Content-Range"] = "0-2/3" },
    }
    assert.equal(200, sent.status)
    local image <const> = bip:at("sys/software/image"):list()[1]
    assert.matches("^%a+ %a+ +%d+ %d%d %d%d %d%d %u+ %d+$", image.buildDate)
  end)

  it("lets a SNAT pool take the place of automap", function()
    bip.ltm.snatpool:create { name = "s", members = { "10.0.0.9" } }
    local made = post("/mgmt/tm/apm/resource/network-access", { name = "n", snatpool = "s" })
    assert.equal(200, made.status, made.body)
    assert.equal("snatpool", made.json.snat)
    assert.equal(
      "automap",
      post("/mgmt/tm/apm/resource/network-access", { name = "o" }).json.snat
    )
  end)

  it("shows the times of ASM tasks as integers, and all of a task in an example", function()
    local policy = bip:at("asm/policies"):create { name = "web" }
    local task = post("/mgmt/tm/asm/tasks/apply-policy", {
      policyReference = { link = policy.selfLink },
    })
    assert.matches('"lastUpdateMicros":%d+[,}]', task.body)
    local example = get("/mgmt/tm/asm/tasks/export-data-protection/example").json
    assert.equal("NEW", example.status)
    assert.same({ "NEW", "STARTED", "COMPLETED", "FAILURE" }, example.statusEnums)
    assert.equal("", example.startTime)
    local urls <const> = "/mgmt/tm/asm/policies/" .. policy.id .. "/urls"
    local url = post(urls, {
      name = "/a*", type = "wildcard",
      html5CrossOriginRequestsEnforcement = {
        enforcementMode = "enforce", crossDomainAllowedOrigin = { { originName = "a.example" } },
      },
    }).json
    assert.is_true(url.wildcardIncludesSlash)
    assert.same(
      { { originName = "a.example", originPort = "all", originProtocol = "http/https",
        includeSubDomains = false } },
      url.html5CrossOriginRequestsEnforcement.crossDomainAllowedOrigin
    )
    assert.is_nil(post(urls, { name = "/b" }).json.wildcardIncludesSlash)
  end)
end)
