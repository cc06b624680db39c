-- Each role on each kind of the catalogue: it writes what its row allows, and nothing else, however
-- the object is named.
local catalogue = require "sim.config.catalogue"
local curl = require "curl"
local f5 = require "f5"
local lab = require "lab"
local sim = require "f5.sim"

-- What F5 documents for each role: patterns of the kinds that it may create, see docs/simulator.md.
local MAKES <const> = {
  ["resource-admin"] = { "^" },
  manager = {
    "^ltm/", "^gtm/", "^pem/", "^apm/", "^sys/application/", "^sys/file/", "^sys/icall/",
    "^sys/crypto/", "^sys/config$", "^sys/folder$", "^security/", "^net/ipsec/",
  },
  ["certificate-manager"] = {
    "^ltm/profile/client%-ssl", "^ltm/profile/server%-ssl", "^sys/file/ssl%-", "^sys/crypto/",
  },
  ["irule-manager"] = { "^ltm/rule" },
  ["firewall-manager"] = { "^security/" },
  ["fraud-protection-manager"] = { "^security/anti%-fraud/" },
  ["web-application-security-administrator"] = { "^security/" },
  ["web-application-security-editor"] = {},
  ["acceleration-policy-editor"] = { "^wam/" },
  ["user-manager"] = { "^auth/user$" },
  ["application-editor"] = {},
  operator = {},
  guest = {},
  auditor = {},
}
-- Only administrators give rights.
local GRANTS <const> = { "^auth/user", "^auth/remote%-role", "^auth/remote%-user" }

local function matches(patterns, template)
  for _, pattern in ipairs(patterns) do
    if template:find(pattern) then return true end
  end
  return false
end

local function may_make(role, template)
  if role == "resource-admin" and matches(GRANTS, template) then return false end
  return matches(MAKES[role], template)
end

describe("simulated device: roles", function()
  local device, sessions

  before_each(function()
    local users = { { name = "admin", password = "admin", role = "admin" } }
    for role in pairs(MAKES) do
      users[#users + 1] = { name = role, password = role, role = role }
    end
    device = sim.start {
      users = users, provision = { "ltm", "gtm", "asm", "apm", "afm", "pem", "am" },
      seed = { objects = { ["/mgmt/tm/auth/partition"] = { { name = "P" }, { name = "Q" } } } },
    }
    sessions = {}
  end)
  after_each(function()
    for _, session in pairs(sessions) do session:close() end
    lab.stop(device)
  end)

  local function status_of(user, method, path, body)
    if not sessions[user] then
      local options = device:options(user)
      options.retries = 0
      sessions[user] = f5.connect(options)
    end
    return sessions[user]:request(method, path, { body = body, raw = true, quiet = true }).status
  end

  it("write the kinds of their row only", function()
    local tried, problems = 0, {}
    for _, module in ipairs(catalogue.modules()) do
      for _, template in ipairs(catalogue.templates(module)) do
        local node = catalogue.find(template)
        local path = "/mgmt/tm/" .. template:gsub("%*", "~Common~none")
        if node.type == "collection" or node.type == "singleton" then
          for role in pairs(MAKES) do
            -- an empty body is refused by the device after the rights are checked
            local method = node.type == "collection" and "POST" or "PATCH"
            local status = status_of(role, method, path, {})
            local refused = status == 403 or status == 401
            tried = tried + 1
            if refused == may_make(role, template) then
              problems[#problems + 1] = ("%s %s as %s: %d"):format(method, path, role, status)
            end
          end
        end
      end
    end
    assert.same({}, { table.unpack(problems, 1, 20) })
    assert.is_true(tried > 10000)
    assert.equal(0, device:problems())
  end)

  it("of one partition write in that partition only, in each spelling of its name", function()
    local admin <const> = "/mgmt/tm/ltm/"
    assert.equal(200, status_of("admin", "POST", "/mgmt/tm/auth/user", {
      name = "maker", password = "Maker-12", partitionAccess = { { name = "P", role = "manager" } },
    }))
    local options = device:options "admin"
    options.username, options.password, options.retries = "maker", "Maker-12", 0
    sessions.maker = f5.connect(options)
    local KINDS <const> = { "pool", "rule", "monitor/http", "profile/http", "data-group/internal" }
    for _, kind in ipairs(KINDS) do
      local path = admin .. kind
      for _, body in ipairs {
        { name = "x" }, { name = "x", partition = "Common" }, { name = "x", partition = "Q" },
        { name = "/Common/x" }, { name = "/Q/x", partition = "P" },
        { name = "~Q~x", partition = "P" },
        { name = "x", partition = "~Q" }, { name = "x", partition = "/Q" }, { name = "/Q/f/x" },
      } do
        body.type = kind:find "data" and "string" or nil
        local given = kind .. " " .. body.name .. " " .. tostring(body.partition)
        assert.equal(403, status_of("maker", "POST", path, body), given)
      end
      for _, partition in ipairs { "Common", "Q" } do
        local body = {
          name = "y", partition = partition, type = kind:find "data" and "string" or nil,
        }
        assert.equal(200, status_of("admin", "POST", path, body))
        local object = ("%s/~%s~y"):format(path, partition)
        for _, method in ipairs { "PATCH", "PUT", "DELETE", "POST" } do
          assert.equal(403, status_of("maker", method, object, {
            description = "d", name = "/P/y", partition = "P",
          }), method)
        end
        for _, command in ipairs { "mv", "cp" } do
          assert.equal(403, status_of("maker", "POST", path, {
            command = command, name = ("/%s/y"):format(partition), target = "/P/z",
          }))
        end
      end
      -- a pattern deletes from all partitions
      assert.equal(403, status_of("maker", "DELETE", path .. "?options=y*"))
      assert.equal(403, status_of("maker", "DELETE", path .. "?options=y*&$filter=partition eq Q"))
      assert.equal(200, status_of("admin", "GET", path .. "/~Q~y"))
      local own = { name = "x", partition = "P", type = kind:find "data" and "string" or nil }
      assert.equal(200, status_of("maker", "POST", path, own), kind)
      assert.equal(200, status_of("maker", "DELETE", path .. "/~P~x"), kind)
    end
    -- the folder of a partition belongs to the partition
    assert.equal(403, status_of("maker", "DELETE", "/mgmt/tm/sys/folder/~Q"))
    assert.equal(403, status_of("maker", "POST", "/mgmt/tm/sys/folder", { name = "/R" }))
    local body <const> = curl {
      device, "POST", admin .. "pool", options = "-u maker:Maker-12", anonymous = true,
      body = { name = "x" },
    }
    assert.is_true(body.status == 401 or body.status == 403)
  end)

  it("write nothing outside of the configuration but their own", function()
    for role in pairs(MAKES) do
      for _, call in ipairs {
        { "PATCH", "/mgmt/shared/settings/api-status/availability" },
        { "POST", "/mgmt/shared/iapp/package-management-tasks" },
        { "POST", "/mgmt/shared/authn/root" }, { "POST", "/mgmt/cm/autodeploy/qkview" },
        { "PUT", "/mgmt/shared/licensing/registration" },
        { "POST", "/mgmt/shared/diagnostics" },
        { "POST", "/mgmt/cm/system/authn/providers/radius" },
      } do
        local status = status_of(role, call[1], call[2], { a = "b" })
        assert.is_true(status >= 400, ("%s %s as %s: %d"):format(call[1], call[2], role, status))
      end
    end
  end)
end)
