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
