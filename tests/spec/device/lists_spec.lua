-- What all lists and writes have in common: paging, versions, unknown commands, seeds.
local f5 = require "f5"
local sim = require "f5.sim"
local json = require "f5.json"
local curl = require "curl"

describe("simulated device: lists and commands", function()
  local device, bip

  before_each(function()
    device = sim.start { provision = { "ltm", "asm", "apm" } }
    local options = device:options "admin"
    options.auth, options.retries = "basic", 0
    bip = f5.connect(options)
  end)
  after_each(function()
    bip:close()
    device:stop()
  end)

  local function status_of(method, path, body)
    local ok, err = f5.try(bip.request, bip, method, path, { body = body })
    return ok and 200 or err.status, ok and err or err.message
  end

  it("do not create an object for an unknown command", function()
    for _, collection in ipairs {
      "ltm/pool", "ltm/node", "ltm/monitor/http", "net/vlan", "auth/partition", "sys/folder",
      "gtm/rule", "ltm/rule", "security/firewall/policy", "cli/script",
    } do
      local path = "/mgmt/tm/" .. collection
      local before = status_of("GET", path)
      if before == 200 then
        local status = status_of("POST", path, { command = "fly", name = "x",
          address = "10.0.0.9" })
        assert.equal(501, status, collection)
        for _, item in ipairs(bip:request("GET", path).items or {}) do
          assert.not_equal("x", item.name, collection)
        end
        assert.equal(501, (status_of("POST", path, { command = 5, name = "x" })), collection)
      end
    end
    assert.has_error(function() bip.ltm.pool:run("fly", { name = "x" }) end)
    -- commands that are known stay commands
    bip:request("POST", "/mgmt/tm/ltm/pool", { body = { name = "web" } })
    assert.equal(200, (status_of("POST", "/mgmt/tm/ltm/pool", { command = "reset-stats",
      name = "web" })))
  end)

  it("answer 501 for an unknown component below a module", function()
    assert.equal(501, (status_of("POST", "/mgmt/tm/ltm/nothing", { name = "x" })))
    assert.equal(404, (status_of("GET", "/mgmt/tm/ltm/nothing")))
    assert.equal(404, (status_of("POST", "/mgmt/tm/nothing/pool", { name = "x" })))
  end)

  it("take $select and expandSubcollections for reading only", function()
    local path <const> = "/mgmt/tm/ltm/pool"
    local body = { name = "web", members = json.array { { name = "192.0.2.1:80" } } }
    local plain = bip:request("POST", path, { body = body })
    bip:request("DELETE", path .. "/~Common~web")
    local made =
      bip:request("POST", path .. "?$select=name&expandSubcollections=true", { body = body })
    assert.equal(plain.loadBalancingMode, made.loadBalancingMode)
    assert.is_nil(made.membersReference.items)
    for _, method in ipairs { "PATCH", "PUT" } do
      local answer = bip:request(
        method, path .. "/~Common~web?$select=name&expandSubcollections=true",
        { body = { description = "d" } }
      )
      assert.equal("d", answer.description, method)
      assert.is_nil(answer.membersReference.items, method)
    end
    local shown = bip:request("GET", path .. "/~Common~web?expandSubcollections=true")
    assert.is_not_nil(shown.membersReference)
    assert.is_nil(bip:request("GET", path .. "/~Common~web?$select=name").description)
  end)

  it("refuse an unknown version everywhere, and keep a known one in links", function()
    bip:request("POST", "/mgmt/tm/sys/ucs", { body = { command = "save", name = "a" } })
    for _, path in ipairs {
      "/mgmt/tm/sys/ucs", "/mgmt/tm/apm/session", "/mgmt/tm/apm/oauth/token-details",
      "/mgmt/tm/ltm/pool", "/mgmt/tm/task/sys/ucs", "/mgmt/tm/util", "/mgmt/tm/transaction",
      "/mgmt/tm/asm/policies",
    } do
      -- through curl, because the client removes `ver` from paths
      local answer = curl { device, "GET", path .. "?ver=99.0.0", options = "-u admin:admin" }
      assert.equal(400, answer.status, path)
      assert.match("99.0.0", answer.body)
    end
    for _, path in ipairs { "/mgmt/tm/sys/ucs", "/mgmt/tm/util", "/mgmt/tm/task",
      "/mgmt/tm/ltm" } do
      local text = curl { device, "GET", path .. "?ver=16.1.0", options = "-u admin:admin" }.body
      assert.match("ver=16%.1%.0", text, path)
      assert.not_match("ver=17", text, path)
    end
  end)

  it("are whole and the same, also if they are long", function()
    local pools = {}
    for i = 1, 150 do
      pools[i] = { name = ("p%03d"):format(i), members = { { name = "10.0.0.1:" .. i } } }
    end
    local other <close> = sim.start { seed = { objects = { ["/mgmt/tm/ltm/pool"] = pools } } }
    local session <close> = f5.connect(other:options "admin")
    for _, query in ipairs { "", "$select=name,monitor", "expandSubcollections=true" } do
      local path = "/mgmt/tm/ltm/pool?" .. query
      local whole = session:request("GET", path)
      local items = {}
      for skip = 0, 149, 50 do -- these are short
        local page = session:request("GET", ("%s&$top=50&$skip=%d"):format(path, skip))
        table.move(page.items, 1, #page.items, #items + 1, items)
      end
      assert.equal(150, #items)
      assert.same(items, whole.items)
      assert.equal("tm:ltm:pool:poolcollectionstate", whole.kind)
      other:fault { match = { method = "GET", path = "/ltm/pool$" }, truncate = 100 }
      assert.is_false(pcall(session.request, session, "GET", path, { retries = 0 }))
      other:clear_faults()
    end
    local length = #session:request("GET", "/mgmt/tm/ltm/pool", { raw = true }).body
    local head = session:request("HEAD", "/mgmt/tm/ltm/pool", { raw = true })
    assert.equal(tostring(length), head.headers["content-length"])
  end)

  it("page every list", function()
    for i = 1, 3 do
      bip:request("POST", "/mgmt/tm/sys/ucs", { body = { command = "save", name = "a" .. i } })
      bip:request("POST", "/mgmt/tm/transaction", { body = {} })
      bip:request("POST", "/mgmt/tm/task/sys/ucs", { body = { command = "save", name = "t" .. i } })
      curl {
        device, "POST", "/mgmt/shared/authn/login",
        options = "-H 'Content-Type: application/json' -d "
          .. "'{\"username\":\"admin\",\"password\":\"admin\",\"loginProviderName\":\"tmos\"}'",
      }
      device:control("write_file", { path = "/var/config/rest/downloads/f" .. i, text = "x" })
    end
    for _, path in ipairs {
      "/mgmt/tm/sys/ucs", "/mgmt/tm/transaction", "/mgmt/tm/task/sys/ucs", "/mgmt/tm/task",
      "/mgmt/tm/util", "/mgmt/tm/ltm", "/mgmt/tm/ltm/monitor/http", "/mgmt/shared/authz/tokens",
      "/mgmt/shared/authz/users", "/mgmt/shared/file-transfer/uploads",
    } do
      local all = bip:request("GET", path).items
      assert.is_true(#all >= 2, path)
      local first = bip:request("GET", path .. "?$top=1")
      assert.equal(1, #first.items, path)
      assert.equal(#all, first.totalItems, path)
      -- a client that follows the links sees each item once, and ends
      local seen, page, pages = 0, bip:request("GET", path .. "?$top=2&$skip=0"), 0
      while page do
        seen, pages = seen + #(page.items or {}), pages + 1
        assert.is_true(pages <= #all, path)
        local next_path = page.nextLink and page.nextLink:gsub("^https://localhost", "")
        page = next_path and bip:request("GET", next_path)
      end
      assert.equal(#all, seen, path)
      local beyond = bip:request("GET", path .. "?$top=10&$skip=1000")
      assert.equal(0, #(beyond.items or {}), path)
      assert.equal(400, (status_of("GET", path .. "?$top=x")), path)
    end
  end)

  it("change elements of a list by ?options= of a PATCH", function()
    bip:request("POST", "/mgmt/tm/ltm/data-group/internal", {
      body = { name = "dg", type = "string", records = json.array { { name = "a", data = "1" } } },
    })
    local path <const> = "/mgmt/tm/ltm/data-group/internal/~Common~dg"
    local function change(options)
      local status, answer = status_of("PATCH", path .. "?options=" .. options:gsub(" ", "%%20"),
      {})
      if status ~= 200 then return status, answer end
      local list = {}
      for i, record in ipairs(answer.records or {}) do
        list[i] = record.name .. "=" .. (record.data or "")
      end
      return table.concat(list, " ")
    end
    assert.equal("a=1 k=v w=", change "records add { k { data v } w }")
    local status, message = change "records add { k { data x } }"
    assert.equal(409, status)
    assert.match(
      "01020066:3: The requested class string item %(/Common/dg k%) already exists",
      message
    )
    status, message = change "records delete { none }"
    assert.equal(404, status)
    assert.match("01020036:3: The requested class string item %(/Common/dg none%) was not", message)
    assert.equal("a=1 k=2 w=", change "records modify { k { data 2 } }")
    assert.equal("k=2", change "records delete { a w }")
    assert.equal("z=9", change "records replace-all-with { z { data 9 } }")
    for _, bad in ipairs {
      "records add { k", "records add { k { data } }", "records add { } }", "records add { { } }",
      'records add { "k }', "nothing add { k }",
    } do
      assert.equal(400, (change(bad)), bad)
    end
    assert.equal("z=9 b=", change "records add { b }")
  end)

  -- PATCH of a path with these options: status and answer.
  local function edit(path, options, body)
    return status_of(
      "PATCH", ("/mgmt/tm/%s?options=%s"):format(path, options:gsub(" ", "%%20")), body or {}
    )
  end

  it("change elements of all kinds of lists by ?options=", function()
    for _, name in ipairs { "one", "two", "three" } do
      bip:request("POST", "/mgmt/tm/ltm/rule", {
        body = { name = name, apiAnonymous = "when CLIENT_ACCEPTED { }" },
      })
    end
    bip:request("POST", "/mgmt/tm/ltm/virtual", {
      body = { name = "edited", destination = "192.0.2.9:80", rules = { "/Common/one" } },
    })
    bip:request("POST", "/mgmt/tm/ltm/snatpool", {
      body = { name = "edited", members = { "192.0.2.31" } },
    })
    for _, case in ipairs {
      -- path, property, options, names afterwards
      { "ltm/virtual/~Common~edited", "rules", "rules add { two }", "/Common/one /Common/two" },
      { "ltm/virtual/~Common~edited", "rules", "rules delete { one }", "/Common/two" },
      {
        "ltm/virtual/~Common~edited", "rules", "rules replace-all-with { /Common/three one }",
        "/Common/three /Common/one",
      },
      { "ltm/snatpool/edited", "members", "members add { 192.0.2.32 }",
        "/Common/192.0.2.31 /Common/192.0.2.32" },
      { "sys/ntp", "servers", "servers add { 192.0.2.1 192.0.2.2 }", "192.0.2.1 192.0.2.2" },
      { "sys/ntp", "servers", "servers delete { 192.0.2.1 }", "192.0.2.2" },
      { "sys/ntp", "servers", "servers delete { all }", "" },
      { "sys/dns", "nameServers", "name-servers replace-all-with { 192.0.2.3 }", "192.0.2.3" },
      { "sys/httpd", "allow", "allow replace-all-with { 127.0.0.0/8 }", "127.0.0.0/8" },
      { "cli/preference", "prompt", "prompt replace-all-with { host }", "host" },
      {
        "sys/management-dhcp/sys-mgmt-dhcp-config", "requestOptions",
        "request-options replace-all-with { routers }", "routers",
      },
      {
        "sys/syslog", "remoteServers",
        "remote-servers add { a { host 192.0.2.4 remote-port 514 } }", "/Common/a",
      },
      {
        "sys/syslog", "remoteServers", "remote-servers add { b { host 192.0.2.5 } }",
        "/Common/a /Common/b",
      },
      {
        "auth/user/operator", "partitionAccess",
        "partition-access replace-all-with { Common { role guest } }", "Common",
      },
    } do
      local path, property, options, wanted = table.unpack(case)
      local status, answer = edit(path, options)
      assert.equal(200, status, options .. ": " .. tostring(answer.message))
      local list = {}
      for n, item in ipairs(answer[property] or {}) do
        list[n] = type(item) == "table" and item.name or item
      end
      assert.equal(wanted, table.concat(list, " "), path .. " " .. options)
      assert.same(answer[property], bip:request("GET", "/mgmt/tm/" .. path)[property])
    end
    local server = bip:request("GET", "/mgmt/tm/sys/syslog").remoteServers[1]
    assert.equal("192.0.2.4", server.host)
    assert.equal("514", tostring(server.remotePort))
    assert.equal(404, (edit("ltm/virtual/edited", "rules add { missing }")))
    assert.equal(409, (edit("ltm/virtual/edited", "rules add { one }")))
    assert.equal(404, (edit("ltm/virtual/edited", "rules delete { two }")))
    for _, scalar in ipairs {
      "destination add { a }", "pool add { a }", "enabled add { a }", "nothing add { a }",
    } do
      assert.equal(400, (edit("ltm/virtual/edited", scalar)), scalar)
    end
    assert.equal(404, (edit("ltm/virtual/nobody", "rules add { one }")))
  end)

  it("change elements of sub-collections by ?options=", function()
    bip:request("POST", "/mgmt/tm/ltm/pool", {
      body = { name = "edited", members = { { name = "192.0.2.41:80" } } },
    })
    local pool <const> = "ltm/pool/~Common~edited"
    local function members()
      local list = {}
      for n, member in ipairs(bip:request("GET", "/mgmt/tm/" .. pool .. "/members").items or {}) do
        list[n] = ("%s %s %d"):format(member.fullPath, member.session, member.ratio)
      end
      return table.concat(list, ", ")
    end
    local status, answer = edit(
      pool, "members add { 192.0.2.42:80 { ratio 3 session user-disabled } }",
      { description = "both" }
    )
    assert.equal(200, status)
    assert.equal("both", answer.description)
    assert.equal(
      "/Common/192.0.2.41:80 user-enabled 1, /Common/192.0.2.42:80 user-disabled 3", members()
    )
    assert.equal(200, (edit(pool, "members modify { all { session user-enabled } }")))
    assert.equal(200, (edit(pool, "members modify { /Common/192.0.2.41:80 { ratio 7 } }")))
    assert.equal(
      "/Common/192.0.2.41:80 user-enabled 7, /Common/192.0.2.42:80 user-enabled 3", members()
    )
    -- all of it or nothing
    assert.equal(409, (edit(pool, "members add { 192.0.2.43:80 192.0.2.42:80 }")))
    assert.equal(404, (edit(pool, "members modify { 192.0.2.41:80 { ratio 2 } x:1 { ratio 2 } }")))
    assert.equal(400, (edit(pool, "members add { 192.0.2.43:80 { ratio many } }")))
    assert.equal(
      "/Common/192.0.2.41:80 user-enabled 7, /Common/192.0.2.42:80 user-enabled 3", members()
    )
    assert.equal(200, (edit(pool, "members delete { 192.0.2.41:80 }")))
    assert.equal("/Common/192.0.2.42:80 user-enabled 3", members())
    assert.equal(200, (edit(pool, "members replace-all-with { 192.0.2.44:80 { ratio 2 } }")))
    assert.equal("/Common/192.0.2.44:80 user-enabled 2", members())
    -- profiles of a virtual server, rules of a draft, communities of a setting
    bip:request("POST", "/mgmt/tm/ltm/virtual", {
      body = { name = "edited", destination = "192.0.2.9:80", profiles = { "tcp" } },
    })
    assert.equal(200, (edit("ltm/virtual/edited", "profiles add { http { context all } }")))
    assert.equal(
      "all", bip:request("GET", "/mgmt/tm/ltm/virtual/edited/profiles/http").context
    )
    assert.equal(200, (edit("ltm/virtual/edited", "profiles delete { http }")))
    bip:request("POST", "/mgmt/tm/ltm/policy", {
      body = { name = "/Common/Drafts/edited", strategy = "first-match" },
    })
    local draft <const> = "ltm/policy/~Common~Drafts~edited"
    assert.equal(200, (edit(draft, "rules add { r { ordinal 1 } s { ordinal 2 } }")))
    assert.equal(2, #bip:request("GET", "/mgmt/tm/" .. draft .. "/rules").items)
    assert.equal(200, (edit(draft, "rules delete { all }")))
    assert.equal(0, #(bip:request("GET", "/mgmt/tm/" .. draft .. "/rules").items or {}))
    assert.equal(200, (edit(
      "sys/snmp", "communities add { c { community-name secret source 10.0.0.0/8 } }"
    )))
    assert.equal(
      "secret", bip:request("GET", "/mgmt/tm/sys/snmp/communities/c").communityName
    )
  end)

  it("give nobody more rights by ?options=", function()
    local device_of_its_own <close> = sim.start {
      users = {
        { name = "admin", password = "admin", role = "admin" },
        { name = "op", password = "op", role = "operator" },
      },
      seed = { objects = {
        ["/mgmt/tm/ltm/virtual"] = { { name = "vs", destination = "192.0.2.9:80" } },
        ["/mgmt/tm/ltm/rule"] = { { name = "one", apiAnonymous = "when CLIENT_ACCEPTED { }" } },
      } },
    }
    local op <close> = f5.connect(device_of_its_own:options "op")
    op:request("PATCH", "/mgmt/tm/ltm/virtual/vs", { body = { enabled = true } })
    for path, options in pairs {
      ["ltm/virtual/vs"] = "rules%20add%20{%20one%20}",
      ["auth/user/op"] = "partition-access%20replace-all-with%20{%20all-partitions%20{%20role%20"
        .. "admin%20}%20}",
    } do
      local ok, err = f5.try(
        op.request, op, "PATCH", ("/mgmt/tm/%s?options=%s"):format(path, options),
        { body = path:find "virtual" and { enabled = true } or {} }
      )
      assert.is_false(ok, path)
      assert.equal(403, err.status, path)
    end
    local admin <close> = f5.connect(device_of_its_own:options "admin")
    assert.is_nil(admin:request("GET", "/mgmt/tm/ltm/virtual/vs").rules)
  end)

  it("start a transaction only with an empty object", function()
    assert.equal(400, curl { device, "POST", "/mgmt/tm/transaction",
      options = "-u admin:admin" }.status)
    assert.equal(200, (status_of("POST", "/mgmt/tm/transaction", json.object and {} or {})))
  end)

  it("take large chunks", function()
    local bytes = ("x"):rep(7340032)
    bip:request("POST", "/mgmt/shared/file-transfer/uploads/large", {
      body = bytes,
      headers = {
        ["Content-Type"] = "application/octet-stream",
        ["Content-Range"] = ("0-%d/%d"):format(#bytes - 1, #bytes),
      },
    })
    assert.equal(#bytes, #device:control("read_file", "/var/config/rest/downloads/large"))
  end)
end)

describe("simulated device: seeds", function()
  it("take what a device answered for folders, with the root", function()
    local source <close> = sim.start {}
    local bip <close> = f5.connect(source:options "admin")
    local objects = {}
    for _, collection in ipairs {
      "/mgmt/tm/sys/folder", "/mgmt/tm/auth/partition", "/mgmt/tm/net/route-domain",
      "/mgmt/tm/sys/db", "/mgmt/tm/ltm/monitor/http", "/mgmt/tm/sys/provision",
    } do
      objects[collection] = json.array(bip:request("GET", collection).items)
    end
    local copy <close> = sim.start { seed = { objects = objects } }
    local other <close> = f5.connect(copy:options "admin")
    assert.equal("/", other:request("GET", "/mgmt/tm/sys/folder/~").fullPath)
    local ok, err = f5.try(
      other.request, other, "POST", "/mgmt/tm/sys/folder", { body = { name = "/" } }
    )
    assert.is_false(ok)
    assert.equal(409, err.status)
  end)

  it("and states that cannot be right are refused at the start", function()
    local saved = (function()
      local device <close> = sim.start {}
      return device:state()
    end)()
    local function refused(change)
      local state = json.decode(json.encode(saved))
      state = change(state) or state
      local ok, message = pcall(function() sim.start({ seed = state }):stop() end)
      assert.is_false(ok)
      assert.match("seed: ", message)
      assert.not_match("sim/[%w_/]+%.lua:%d+: attempt", message)
    end
    refused(function() return 5 end)
    refused(function(state) state.clock = { offset = "x" } end)
    refused(function(state) state.objects = 5 end)
    refused(function(state) state.objects.items = "x" end)
    refused(function(state) state.objects.items["/etc/passwd"] = {} end)
    refused(function(state) state.objects.items["/mgmt/tm/ltm/pool/~Common~a"] = 5 end)
    refused(function(state)
      state.objects.items["/mgmt/tm/ltm/pool/~Common~a"] = { name = 5, fullPath = "/Common/a" }
    end)
    refused(function(state) state.tokens.items = 5 end)
    refused(function(state) state.tasks = { last = 0 } end)
    refused(function(state) state.provision = { ltm = 5 } end)
    -- each part of it: either it is refused, or the device works without it
    for part in pairs(saved) do
      for _, value in ipairs { 5, "x", {} } do
        local state = {}
        for name, other in pairs(saved) do state[name] = other end
        state[part] = value
        local ok, started = pcall(sim.start, { seed = state })
        if ok then
          local device <close> = started
          for _, path in ipairs {
            "/mgmt/tm/ltm/pool", "/mgmt/tm/transaction", "/mgmt/tm/task/sys/ucs",
            "/mgmt/tm/sys/ready", "/mgmt/shared/authz/tokens", "/mgmt/tm/sys/ucs",
            "/mgmt/tm/cm/sync-status",
            "/mgmt/shared/iapp/package-management-tasks", "/mgmt/shared/file-transfer/uploads",
          } do
            assert.not_equal(500, curl(device, "GET", path).status, part)
          end
          assert.equal(0, device:problems(), part .. " = " .. tostring(value))
        else
          assert.match("seed: ", started, part)
        end
      end
    end
    local fine <close> = sim.start { seed = saved }
    assert.equal(0, fine:problems())
  end)
end)
