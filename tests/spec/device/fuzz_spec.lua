-- Thousands of senseless requests: the simulated device refuses them, and never makes a mistake of
-- its own.
local f5 = require "f5"
local sim = require "f5.sim"
local json = require "f5.json"

local PATHS <const> = {
  "/mgmt",
  "/mgmt/tm",
  "/mgmt/tm/ltm",
  "/mgmt/tm/ltm/pool",
  "/mgmt/tm/ltm/virtual",
  "/mgmt/tm/ltm/node",
  "/mgmt/tm/sys/folder",
  "/mgmt/tm/auth/user",
  "/mgmt/tm/auth/partition",
  "/mgmt/tm/transaction",
  "/mgmt/tm/transaction/1",
  "/mgmt/tm/task/sys/ucs",
  "/mgmt/tm/task/sys/ucs/1/result",
  "/mgmt/tm/util/bash",
  "/mgmt/tm/sys/ucs",
  "/mgmt/tm/sys/config",
  "/mgmt/tm/sys/software/image",
  "/mgmt/tm/shared/sys/backup",
  "/mgmt/cm/autodeploy/qkview",
  "/mgmt/shared/iapp/package-management-tasks",
  "/mgmt/tm/cm",
  "/mgmt/shared/file-transfer/uploads/x",
  "/mgmt/shared/settings/api-status/availability",
  "/mgmt/shared/authz/users",
  "/mgmt/shared/authz/tokens",
  "/mgmt/shared/authn/login",
  "/mgmt/shared/authn/root",
  "/mgmt/tm/sys/crypto/key",
  "/mgmt/shared/echo",
  "/mgmt/tm/ltm/policy",
  "/mgmt/tm/ltm/rule",
  "/mgmt/tm/net/self",
  "/mgmt/tm/asm/policies",
  "/mgmt/tm/cli/script",
  "/mgmt/tm/sys/db",
}
local TAILS <const> = {
  "", "", "", "/~Common~a", "/a", "/stats", "/example", "/available", "/x/y", "/%00", "/~", "/..",
  "/%FF", "/1",
}
local QUERIES <const> = {
  "", "", "?$select=name", "?$top=2", "?$skip=x", "?$top=-1", "?$filter=partition%20eq%20Common",
  "?$filter=a", "?ver=11.0.0", "?ver=99", "?expandSubcollections=true", "?options=*", "?=",
  "?%FF=%zz", "?&&",
}
local KEYS <const> = {
  "name", "command", "utilCmdArgs", "state", "partition", "members", "target", "options",
  "_taskState", "timeout", "token", "user", "username", "password", "loginReference",
  "loginProviderName", "operation", "packageFilePath", "action", "file", "address", "pool",
  "destination", "subPath", "volume", "partitionAccess", "role", "monitor", "fullPath", "rules",
  "profiles", "asyncExecution", "session",
}
local TEXTS <const> = {
  "", "a", "/Common/a", "/Common/x/y", "none", "192.0.2.1:80", "VALIDATING", "save", "load", "run",
  "mv", "cp", "admin", "-c 'echo $(cat `ls`) | wc; exit 3'", '-c "', "all-partitions", "~", "%",
  "enabled", ("x"):rep(300), "é",
}
local METHODS <const> = { "GET", "GET", "POST", "POST", "PUT", "PATCH", "DELETE" }

-- Numbers of its own, so that a failure comes again.
local seed = 20240601
local function random(n)
  seed = (seed * 6364136223846793005 + 1442695040888963407)
  return (seed >> 33) % n + 1
end

local function any(list)
  return list[random(#list)]
end

local function value(depth)
  local dice <const> = random(10)
  if dice == 1 then return json.null end
  if dice == 2 then return any { 0, -1, 1, 1 << 62, 1.5, 1e300 } end
  if dice == 3 then return random(2) == 1 end
  if dice == 4 and depth < 3 then
    local list <const> = json.array {}
    for i = 1, random(4) - 1 do list[i] = value(depth + 1) end
    return list
  end
  if dice == 5 and depth < 3 then
    return { [any(KEYS)] = value(depth + 1), [any(KEYS)] = value(depth + 1) }
  end
  return any(TEXTS)
end

describe("simulated device: senseless requests", function()
  it("G43 are refused without a mistake", function()
    local device <close> = sim.start { provision = { "ltm", "asm", "gtm", "apm" } }
    local options = device:options "admin"
    options.auth, options.retries = "basic", 0
    local bip <close> = f5.connect(options)
    local statuses = {}
    for _ = 1, 3000 do
      local method, path = any(METHODS), any(PATHS) .. any(TAILS) .. any(QUERIES)
      local body
      if method ~= "GET" and method ~= "DELETE" then
        body = { [any(KEYS)] = value(0), [any(KEYS)] = value(0), [any(KEYS)] = value(0) }
      end
      local ok, err = f5.try(bip.request, bip, method, path, { body = body })
      local status = ok and 200 or err.status or err.kind
      statuses[status] = (statuses[status] or 0) + 1
      assert.not_equal(
        500,
        status,
        method .. " " .. path .. " " .. (body and json.encode(body) or "")
      )
      if device:control "problems" > 0 then error("a mistake at " .. method .. " " .. path) end
    end
    assert.is_true(statuses[200] > 100)
    assert.is_true(statuses[404] > 100)
    assert.equal(0, device:problems())
  end)

  it("give no property a value that breaks the device, now or when it is read", function()
    local device <close> = sim.start { provision = { "ltm", "gtm", "afm" } }
    local options = device:options "admin"
    options.auth, options.retries = "basic", 0
    local bip <close> = f5.connect(options)
    local VALUES <const> = {
      5,
      1.5,
      true,
      json.null,
      "",
      "/",
      "none",
      "and",
      json.array { 5 },
      json.array { json.array { 1 } },
      json.array { json.null },
      json.array { true },
      json.array { {} },
      json.array { "/" },
      { name = "x" },
      { link = "x" },
      { items = 5 },
      { items = json.array { 5 } },
    }
    local calls = 0
    local function check(template)
      local collection <const> = "/mgmt/tm/" .. template
      for property in pairs(bip:request("GET", collection .. "/example").items[1]) do
        for i, one in ipairs(VALUES) do
          local body = { name = "fz" }
          if template == "ltm/virtual" then
            body.destination = "10.0.0.1:80"
          elseif template == "ltm/node" then
            body.address = "10.0.0.1"
          end
          body[property] = one
          local made, answer = f5.try(bip.request, bip, "POST", collection, { body = body })
          assert.not_equal(
            500,
            not made and answer.status,
            ("%s: %s, value %d"):format(template, property, i)
          )
          if made then
            bip:request("GET", collection)
            f5.try(
              bip.request,
              bip,
              "DELETE",
              (answer.selfLink:gsub("^https://localhost", ""):gsub("%?.*", ""))
            )
          end
          calls = calls + 1
        end
      end
      assert.equal(0, device:problems(), template)
    end
    for _, template in ipairs {
      "ltm/virtual",
      "ltm/pool",
      "ltm/node",
      "ltm/monitor/http",
      "ltm/nat",
      "ltm/rule",
      "ltm/policy",
      "ltm/eviction-policy",
      "ltm/lsn-pool",
      "gtm/monitor/tcp",
      "gtm/pool/cname",
      "sys/file/ssl-cert",
      "sys/crypto/key",
      "auth/partition",
      "sys/folder",
      "ltm/profile/client-ssl",
      "security/firewall/policy",
    } do
      check(template)
    end
    assert.is_true(calls > 4000)
    for _, one in ipairs(VALUES) do
      local ok, err = f5.try(
        bip.request, bip, "PATCH", "/mgmt/tm/sys/global-settings", { body = { hostname = one } }
      )
      assert.not_equal(500, not ok and err.status)
    end
    assert.equal(0, device:problems())
  end)

  it("are refused as well outside of the configuration", function()
    local device <close> = sim.start {
      seed = { provision = { "ltm", "asm" }, asm = { policies = { { name = "web" } } } },
    }
    local options = device:options "admin"
    options.auth, options.retries = "basic", 0
    local bip <close> = f5.connect(options)
    local policy <const> = bip.asm.policies:list()[1].id
    for _, call in ipairs {
      {
        "PATCH",
        "/mgmt/shared/authz/users/admin",
        { oldPassword = true, password = "Zk39fk!ladk3" },
      },
      {
        "PATCH",
        "/mgmt/shared/authz/users/admin",
        { oldPassword = json.array {}, password = "Zk39fk!ladk3" },
      },
      { "POST", "/mgmt/tm/sys/ucs", { command = "save", name = "/" } },
      { "POST", "/mgmt/tm/sys/crypto/cert", { name = "x", partition = { link = "x" } } },
      {
        "POST", "/mgmt/tm/live-update/asm-attack-signatures/update-files", { filename = true },
      },
    } do
      local ok, err = f5.try(bip.request, bip, call[1], call[2], { body = call[3] })
      assert.is_false(ok)
      assert.is_true(err.status >= 400 and err.status < 500, tostring(err))
    end
    bip:request(
      "PATCH",
      "/mgmt/tm/asm/policies/" .. policy,
      { body = { virtualServers = json.null } }
    )
    assert.equal(0, device:problems())
  end)
end)
