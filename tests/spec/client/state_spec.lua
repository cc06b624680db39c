-- The parts below snapshot and diff: cleaning an object, comparing two, showing the difference.
local clean = require "f5.state.clean"
local compare = require "f5.state.compare"
local json = require "f5.json"
local kinds = require "f5.state.kinds"
local lines = require "f5.state.lines"
local show = require "f5.state.show"

-- The changes of two objects as one text.
local function changes(kind, a, b, options)
  local parts = {}
  for _, change in ipairs((compare.objects(kind, a, b, options))) do
    local function text(value)
      if value == nil then return "-" end
      return type(value) == "table" and json.encode(value, { sort = true }) or tostring(value)
    end
    parts[#parts + 1] = ("%s %s>%s%s"):format(
      change.property, text(change.old), text(change.new),
      change.what and " " .. change.what or ""
    )
  end
  return table.concat(parts, "; ")
end

describe("S2 comparing two objects", function()
  it("names properties with their old and new values", function()
    assert.equal(
      "description a>b; monitor ->/Common/http",
      changes("ltm/pool", { name = "p", description = "a" },
        { name = "p", description = "b", monitor = "/Common/http" })
    )
  end)

  it("knows other spellings of the same value", function()
    local a = {
      name = "v", partition = "Common", destination = "/Common/10.0.0.1:http", pool = "web",
      connectionLimit = 0, mask = "any", description = "", source = "0.0.0.0/0",
    }
    local b = {
      name = "v", partition = "Common", destination = "10.0.0.1:80", pool = "/Common/web",
      connectionLimit = "0", mask = "any", source = "0.0.0.0/0", ipForward = json.null and nil,
    }
    assert.equal("", changes("ltm/virtual", a, b))
    assert.equal("", changes("ltm/virtual", b, a))
    assert.equal(
      "address 2001:db8::1>2001:db8::2",
      changes("net/self", { address = "2001:db8::1" }, { address = "2001:db8::2" })
    )
    assert.equal(
      "", changes("net/self", { address = "2001:db8::1/64" }, { address = "2001:DB8:0::1/64" })
    )
  end)

  it("compares elements of a list by name", function()
    local a = { members = { { name = "10.0.0.1:80", partition = "Common", ratio = 1 },
      { name = "10.0.0.2:80", partition = "Common", ratio = 1 } } }
    local b = { members = { { name = "10.0.0.3:80", partition = "Common", ratio = 1 },
      { name = "10.0.0.1:http", partition = "Common", ratio = 2 } } }
    local found = compare.objects("ltm/pool", a, b)
    assert.equal(3, #found)
    assert.equal("members[/Common/10.0.0.1:80].ratio", found[1].property)
    assert.same({ "members", "/Common/10.0.0.1:80", "ratio" }, found[1].keys)
    assert.equal("ratio", found[1].name)
    assert.equal("removed", found[2].what)
    assert.equal("added", found[3].what)
  end)

  it("ignores the order of sets only", function()
    local function list(...) return json.array { ... } end
    assert.equal("", changes("net/route-domain", { vlans = list("/Common/a", "/Common/b") },
      { vlans = list("b", "/Common/a") }))
    assert.equal("rules [\"/Common/a\",\"/Common/b\"]>[\"/Common/b\",\"/Common/a\"]",
      changes("ltm/virtual", { rules = list("/Common/a", "/Common/b") },
        { rules = list("/Common/b", "/Common/a") }))
    local found = compare.objects("ltm/virtual", { vlans = list("/Common/a") },
      { vlans = list("/Common/b") })
    assert.is_true(found[1].set)
    assert.equal("rules [\"a\",\"b\"]>[\"b\",\"a\"] order",
      changes("security/firewall/policy", { rules = { { name = "a" }, { name = "b" } } },
        { rules = { { name = "b" }, { name = "a" } } }))
    assert.equal("", changes("ltm/policy", { rules = { { name = "a" }, { name = "b" } } },
      { rules = { { name = "b" }, { name = "a" } } }))
  end)

  it("takes two flags for one setting", function()
    assert.equal("enabled true>false", changes("ltm/virtual", { enabled = true },
      { disabled = true }))
    assert.equal("enabled false>true", changes("ltm/virtual", { disabled = true },
      { enabled = true }))
    assert.equal("vlansEnabled false>true", changes("ltm/virtual", { vlansDisabled = true },
      { vlansEnabled = true }))
  end)

  it("shows data groups and iRules as texts", function()
    local found = compare.objects("ltm/data-group/internal",
      { records = { { name = "b", data = "2" }, { name = "a" } } },
      { records = { { name = "a" }, { name = "b", data = "3" } } })
    assert.same({ "a\nb := 2", "a\nb := 3", true }, { found[1].old, found[1].new, found[1].text })
    assert.equal("", changes("ltm/data-group/internal",
      { records = { { name = "10.0.0.1/32", data = "" } } },
      { records = { { name = "10.0.0.1" } } }))
    found = compare.objects("ltm/rule", { apiAnonymous = "x" }, { apiAnonymous = "y" })
    assert.is_true(found[1].text)
  end)

  it("leaves out what is ignored, and reports what one side does not have", function()
    local function ignore(property) return property == "description" end
    assert.equal("", changes("ltm/pool", { description = "a" }, { description = "b" },
      { ignore = ignore }))
    local found, hidden = compare.objects("ltm/monitor/http", { password = "x" }, {},
      { left = { password = "secret" } })
    assert.equal(0, #found)
    assert.same({ { property = "password", reason = "secret" } }, hidden)
  end)
end)

describe("S2 cleaning an object", function()
  it("keeps configuration only, with sub-collections inside", function()
    local body, notes = clean.object("ltm/pool", {
      kind = "tm:ltm:pool:poolstate", name = "web", partition = "Common", fullPath = "/Common/web",
      generation = 7, selfLink = "https://localhost/x", monitor = "/Common/http",
      monitorReference = { link = "https://localhost/y" },
      membersReference = {
        isSubcollection = true, link = "https://localhost/mgmt/tm/ltm/pool/~Common~web/members",
        items = json.array {
          { kind = "x", name = "10.0.0.1:80", partition = "Common", generation = 1,
            state = "down", session = "monitor-enabled", ephemeral = "false" },
          { name = "_auto_10.0.0.9:80", partition = "Common", ephemeral = "true" },
        },
      },
    })
    assert.same({
      name = "web", partition = "Common", monitor = "/Common/http",
      members = { { name = "10.0.0.1:80", partition = "Common", state = "user-up",
        session = "user-enabled" } },
    }, body)
    assert.equal(1, notes.ephemeral)
    assert.is_true(notes.expanded["ltm/pool/members"])
  end)

  it("drops links in the parts of an object, too", function()
    local function link(at) return { link = "https://localhost/mgmt/tm/" .. at } end
    assert.same(
      { name = "u", partitionAccess = { { name = "all", role = "guest" } } },
      (clean.object("auth/user", {
        name = "u",
        partitionAccess = json.array {
          { name = "all", role = "guest", nameReference = link "auth/partition/all" },
        },
      }))
    )
    assert.same(
      { inner = { preference = "p", trustReference = { mode = "x" }, parts = { { name = "a" } } } },
      (clean.object("ltm/future", {
        inner = {
          preference = "p", selfLink = "https://localhost/x", trustReference = { mode = "x" },
          poolsReference = json.array { link "ltm/pool/a" },
          parts = {
            { name = "a", poolReference = link "ltm/pool/a", noneReference = json.array {} },
          },
        },
      }))
    )
  end)

  it("leaves out secrets wherever they are, and says where they were", function()
    local raw = {
      name = "x", password = "open", send = "GET /\\r\\nAuthorization: Basic Zm9vOmJhcg==\\r\\n",
      variables = json.array { { name = "a", value = "$M$aa$c2VjcmV0" },
        { name = "b", value = "1" } },
      encryptedPassword = "$6$abc$def", passwordPrompt = "Password:", recv = "$M$",
      usersReference = { isSubcollection = true, link = "https://localhost/m/users", items = {
        { name = "u", authPasswordEncrypted = "$M$bb$eA==" },
      } },
      apiRawValues = { password = "open" },
    }
    local body, notes = clean.object("ltm/monitor/http", raw)
    assert.same({
      name = "x", send = "GET /\\r\\nAuthorization: Basic ********\\r\\n",
      variables = { { name = "a" }, { name = "b", value = "1" } }, passwordPrompt = "Password:",
      users = { { name = "u" } },
    }, body)
    assert.same({ "encryptedPassword", "password", "recv", "send",
      "users[u].authPasswordEncrypted", "variables[a].value" }, notes.secrets)
    assert.equal("open", raw.password, "the object itself did not change")
    local pem <const> = "# -----BEGIN RSA PRIVATE KEY-----\nMIIC\n-----END RSA PRIVATE KEY-----\n"
    assert.equal("# -----BEGIN RSA PRIVATE KEY-----********-----END RSA PRIVATE KEY-----\n",
      (clean.object("ltm/rule", { name = "r", apiAnonymous = pem })).apiAnonymous)
  end)

  it("is by kind, not by name", function()
    assert.equal("x", (clean.object("sys/icall/handler/periodic", { status = "x" })).status)
    assert.equal("enabled", (clean.object("net/ipsec/ike-peer", { state = "enabled" })).state)
    assert.is_nil((clean.object("ltm/virtual", { vsIndex = 4 })).vsIndex)
    assert.equal(4, (clean.object("ltm/pool", { vsIndex = 4 })).vsIndex)
    assert.is_true(kinds.is_secret("sys/db", "value", "x", { name = "proxy.password" }))
    assert.is_false(kinds.is_secret("sys/db", "value", "x", { name = "password.minlen" }))
    for _, name in ipairs {
      "password", "bindPw", "communityName", "presharedKeyEncrypted", "encryptKey", "masterKey",
      "secret", "sharedSecret", "passphrase", "clientSecret", "accessKey", "awsSecretKey",
    } do
      assert.is_true(kinds.is_secret("ltm/x", name, "text"), name)
    end
    for _, name in ipairs {
      "passwordPrompt", "credentialSource", "reuseAccessToken", "generateRefreshToken", "keySize",
      "sendAuthorization", "sharedSecretEncFormat", "promptForPassword", "siteKey", "key",
    } do
      assert.is_false(kinds.is_secret("ltm/x", name, "text"), name)
    end
    assert.is_truthy(kinds.not_configuration "sys/log")
    assert.is_nil(kinds.not_configuration "sys/log-config")
    assert.is_nil(kinds.not_configuration "sys/log-config/filter")
  end)
end)

describe("S2 lines of texts", function()
  local function edits(a, b)
    local parts = {}
    for _, edit in ipairs(lines.edits(a, b)) do parts[#parts + 1] = edit[1] .. edit[2] end
    return table.concat(parts, " ")
  end

  it("finds the shortest edit", function()
    assert.equal(" a -b +x  c", edits({ "a", "b", "c" }, { "a", "x", "c" }))
    assert.equal("-a -b  c +b  a  b -b  a +c",
      edits({ "a", "b", "c", "a", "b", "b", "a" }, { "c", "b", "a", "b", "a", "c" }))
    assert.equal("+a", edits({}, { "a" }))
    assert.equal("-a", edits({ "a" }, {}))
    assert.equal(" a", edits({ "a" }, { "a" }))
  end)

  it("always leads from one text to the other", function()
    math.randomseed(7)
    for _ = 1, 200 do
      local a, b = {}, {}
      for i = 1, math.random(0, 30) do a[i] = tostring(math.random(1, 4)) end
      for i = 1, math.random(0, 30) do b[i] = tostring(math.random(1, 4)) end
      local from, to = {}, {}
      for _, edit in ipairs(lines.edits(a, b)) do
        if edit[1] ~= "+" then from[#from + 1] = edit[2] end
        if edit[1] ~= "-" then to[#to + 1] = edit[2] end
      end
      assert.same(a, from)
      assert.same(b, to)
      local hunks = lines.hunks(lines.edits(a, b), 1)
      for _, hunk in ipairs(hunks) do assert.is_true(#hunk > 0) end
    end
  end)

  it("shows what is around a change", function()
    local a, b = {}, {}
    for i = 1, 40 do a[i], b[i] = tostring(i), tostring(i) end
    b[20], b[26], b[40] = "x", "y", "z"
    local hunks = lines.hunks(lines.edits(a, b))
    assert.equal(2, #hunks)
    assert.equal(17, hunks[1].a)
    assert.equal(3 + 2 + 5 + 2 + 3, #hunks[1])
    assert.equal(37, hunks[2].b)
  end)
end)

describe("S2 showing a difference", function()
  local function report(entry)
    return { a = { label = "one" }, b = { label = "two" }, differences = { entry }, equal = 2,
      not_compared = { { kind = "auth/user", path = "/mgmt/tm/auth/user/admin",
        property = "encryptedPassword", reason = "secret", side = "both" } } }
  end

  it("prints a line for each change", function()
    local changed = compare.objects("ltm/virtual",
      { pool = "/Common/a", vlans = json.array { "/Common/x" }, apiAnonymous = "a\nb" },
      { pool = "/Common/b", vlans = json.array { "/Common/y" }, apiAnonymous = "a\nc" })
    assert.equal([[
--- A: one
+++ B: two
ltm/virtual
  ~ /Common/vs  vs.lua:3
      apiAnonymous:
        @@ line 1 @@
          a
        - b
        + c
      pool: /Common/a → /Common/b
      vlans: -/Common/x +/Common/y
not compared
  encryptedPassword of auth/user: secret
1 difference: 1 changed; 2 objects are equal
]], show.text(report { what = "changed", kind = "ltm/virtual", name = "/Common/vs",
      path = "/mgmt/tm/ltm/virtual/~Common~vs", changes = changed, notes = { "vs.lua:3" } }))
  end)

  it("names a list that became empty", function()
    local changed = compare.objects("sys/ntp",
      { servers = json.array { "192.0.2.1" } }, { servers = json.array {} })
    assert.matches("servers: 192%.0%.2%.1 → %(empty%)\n", show.text(report {
      what = "changed", kind = "sys/ntp", name = "", path = "/mgmt/tm/sys/ntp", changes = changed,
    }))
  end)

  it("shows objects that changed in the same way together", function()
    local differences = {}
    for i = 1, 30 do
      local new = i == 7 and "other" or "/Common/https"
      differences[i] = { what = "changed", kind = "ltm/pool", name = ("/Common/pool%02d"):format(i),
        path = "/mgmt/tm/ltm/pool/x" .. i,
        changes = compare.objects("ltm/pool", { monitor = "/Common/http" }, { monitor = new }) }
    end
    local text = show.text { differences = differences }
    assert.matches("^ltm/pool\n  ~ 29 objects\n    /Common/pool01, /Common/pool02, ", text)
    assert.matches(",\n    /Common/pool%d%d,", text)
    assert.matches(" /Common/pool30\n      monitor: /Common/http → /Common/https\n", text)
    assert.matches("\n  ~ /Common/pool07\n      monitor: /Common/http → other\n", text)
    assert.equal(1, select(2, text:gsub("→ /Common/https", "")))
    for line in text:gmatch "[^\n]+" do assert.is_true(#line <= 100, line) end
    differences[1].notes = { "a.lua:1" }
    assert.matches("\n  ~ /Common/pool01  a.lua:1\n", show.text { differences = differences })
  end)

  it("lets no text of a device reach the terminal or the page as it is", function()
    local evil = "\27[31m<script>\u{202E}'\"&"
    local entry = { what = "changed", kind = "ltm/pool", name = "/Common/" .. evil,
      path = "/mgmt/tm/ltm/pool/x",
      changes = { { property = "description", old = evil, new = evil .. "\n" .. evil } } }
    for _, format in ipairs { "text", "json", "html" } do
      local text = show.text(report(entry), format)
      assert.is_nil(text:find("\27", 1, true), format)
      assert.is_nil(text:find("\u{202E}", 1, true), format)
      if format == "html" then assert.is_nil(text:find("<script", 1, true)) end
      if format == "json" then
        assert.equal(evil, json.decode(text).differences[1].changes[1].old)
      end
    end
  end)
end)
