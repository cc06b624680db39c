-- No user of the simulated device raises its own rights, by whatever way it reaches its account.
local curl = require "curl"
local lab = require "lab"
local sim = require "f5.sim"

local USERS <const> = "/mgmt/tm/auth/user"
local ADMIN <const> = { { name = "all-partitions", role = "admin" } }

describe("simulated device: rights", function()
  local device, tokens

  before_each(function()
    device = sim.start {
      users = {
        { name = "admin", password = "admin", role = "admin" },
        { name = "guest", password = "guest", role = "guest" },
        { name = "umgr", password = "umgr", role = "user-manager" },
        { name = "maker", password = "maker", role = "manager" },
        { name = "res", password = "res", role = "resource-admin" },
      },
      providers = {
        {
          name = "Radius",
          type = "radius",
          users = {
            { name = "admin", password = "other", role = "guest" },
            { name = "maker", password = "other", role = "user-manager" },
          },
        },
      },
      seed = { objects = { ["/mgmt/tm/auth/partition"] = { { name = "P" } } } },
    }
    tokens = {}
  end)
  after_each(function() lab.stop(device) end)

  local function token_of(name, password, provider)
    local body <const> = {
      username = name, password = password or name, loginProviderName = provider or "tmos",
    }
    return curl {
      device, "POST", "/mgmt/shared/authn/login", anonymous = true, body = body,
    }.json.token.token
  end

  local function as(name, method, path, body, headers)
    tokens[name] = tokens[name] or token_of(name)
    return curl { device, method, path, token = tokens[name], body = body, headers = headers }
  end

  local function access_of(name)
    local answer <const> = curl(device, "GET", USERS .. "/" .. name)
    if answer.status ~= 200 then return answer.status end
    local list <const> = {}
    for i, entry in ipairs(answer.json.partitionAccess or {}) do
      list[i] = entry.name .. "=" .. entry.role
    end
    return table.concat(list, " ")
  end

  -- Every body that could give rights.
  local BODIES <const> = {
    { partitionAccess = ADMIN },
    { ["partition-access"] = ADMIN },
    { ["partition-access"] = { ["all-partitions"] = { role = "admin" } } },
    { partitionAccess = { ["all-partitions"] = { role = "admin" } } },
    { ["partition-access"] = "all-partitions", role = "admin" },
    { partitionAccess = "none", role = "admin" },
    { role = "admin" },
    { partitionAccess = { { name = "all", role = "resource-admin" } } },
    {
      partitionAccess = { { name = "P", role = "manager" }, { name = "Common", role = "manager" } },
    },
    { password = "new-Pass-1", partitionAccess = ADMIN },
    { name = "maker", partitionAccess = ADMIN },
    { shell = "tmsh" },
  }

  it("no account changes its own, on any path, by any method, in any spelling", function()
    for _, name in ipairs { "guest", "umgr" } do
      local before <const> = access_of(name)
      for i, body in ipairs(BODIES) do
        for _, way in ipairs {
          { "PATCH", USERS, 403 }, { "PATCH", USERS .. "/" .. name, 403 },
          { "PUT", USERS .. "/" .. name, 403 }, { "POST", USERS .. "/" .. name, 403 },
          { "PATCH", "/mgmt/tm//auth/%75ser/" .. name .. "/", 403 },
          { "PATCH", "/mgmt/tm/auth/user/~Common~" .. name },
          { "PATCH", "/mgmt/shared/authz/users/" .. name },
        } do
          local answer <const> = as(name, way[1], way[2], body)
          local what <const> = ("%s: body %d by %s of %s"):format(name, i, way[1], way[2])
          if way[3] then assert.equal(way[3], answer.status, what) end
        end
        assert.equal(before, access_of(name), ("%s: body %d"):format(name, i))
      end
    end
    for _, name in ipairs { "maker", "res" } do
      local before <const> = access_of(name)
      for _, path in ipairs { USERS, USERS .. "/" .. name } do
        for i = 1, 2 do assert.equal(403, as(name, "PATCH", path, BODIES[i]).status) end
      end
      assert.equal(before, access_of(name))
    end
  end)

  it("its own password it changes, on each of these paths", function()
    for i, path in ipairs { USERS, USERS .. "/guest", "/mgmt/shared/authz/users/guest" } do
      local password <const> = "guest-" .. i
      assert.equal(200, as("guest", "PATCH", path, { password = password }).status)
      tokens.guest = token_of("guest", password)
    end
  end)

  it("a user manager manages accounts, except administrators'", function()
    local made <const> = as("umgr", "POST", USERS, {
      name = "new", password = "new-Pass-1",
      ["partition-access"] = { { name = "P", role = "manager" } },
    })
    assert.equal(200, made.status)
    assert.equal("P=manager", access_of "new")
    assert.equal(
      200,
      as("umgr", "PATCH", USERS .. "/new", {
        partitionAccess = { { name = "all-partitions", role = "guest" } },
      }).status
    )
    for _, body in ipairs(BODIES) do
      if body.partitionAccess == ADMIN or body["partition-access"] == ADMIN or body.role then
        local answer <const> = as("umgr", "PATCH", USERS .. "/new", body)
        assert.equal(403, answer.status)
        assert.matches("^01070822:3: Access Denied: User %(umgr%)", answer.json.message)
        local more <const> = { name = "another", password = "new-Pass-1" }
        for key, value in pairs(body) do more[key] = more[key] or value end
        assert.equal(403, as("umgr", "POST", USERS, more).status)
      end
    end
    assert.equal("all-partitions=guest", access_of "new")
    assert.equal(404, access_of "another")
    -- not even the password, which would be a way in
    assert.equal(403, as("umgr", "PATCH", USERS .. "/admin", { password = "x-Pass-12" }).status)
    assert.equal(403, as("umgr", "PUT", USERS .. "/admin", { password = "x-Pass-12" }).status)
    assert.equal(401, as("umgr", "POST", "/mgmt/shared/authz/users", {
      name = "third", password = "new-Pass-1",
    }).status)
    assert.equal(401, as("umgr", "PATCH", "/mgmt/shared/authz/users/admin", {
      password = "x-Pass-12",
    }).status)
    assert.equal(200, as("umgr", "DELETE", USERS .. "/new").status)
    assert.equal(400, as("umgr", "DELETE", USERS .. "/umgr").status)
    assert.equal("all-partitions=user-manager", access_of "umgr")
    assert.equal("all-partitions=admin", access_of "admin")
  end)

  it("a user manager of one partition gives rights in that partition only", function()
    curl(device, "POST", USERS, {
      name = "local", password = "Local-55x", partitionAccess = {
        { name = "P", role = "user-manager" },
      },
    })
    tokens["local"] = token_of("local", "Local-55x")
    local function make(access, partition)
      return as("local", "POST", USERS, {
        name = "x", password = "x-Pass-12", partition = partition, partitionAccess = access,
      }).status
    end
    assert.equal(403, make { { name = "Common", role = "manager" } })
    assert.equal(403, make({ { name = "Common", role = "manager" } }, "P"))
    assert.equal(403, make { { name = "all-partitions", role = "manager" } })
    assert.equal(200, make { { name = "P", role = "manager" } })
    assert.equal("P=manager", access_of "x")
    assert.equal(
      403,
      as("local", "PATCH", USERS .. "/guest", {
        partitionAccess = { { name = "P", role = "manager" } },
      }).status
    )
  end)

  it("a transaction gives no more than its commands would", function()
    for _, name in ipairs { "guest", "umgr", "maker", "res" } do
      local before <const> = access_of(name)
      local id <const> = as(name, "POST", "/mgmt/tm/transaction", {}).json.transId
      local header <const> = { ["X-F5-REST-Coordination-Id"] = tostring(id or 0) }
      local queued = 0
      for _, command in ipairs {
        { "PATCH", USERS, { ["partition-access"] = ADMIN } },
        { "PATCH", USERS .. "/" .. name, { partitionAccess = ADMIN } },
        { "DELETE", USERS .. "/" .. name },
        { "POST", USERS, { name = name, password = "x-Pass-12", partitionAccess = ADMIN } },
      } do
        local answer <const> = as(name, command[1], command[2], command[3], header)
        if answer.status == 200 then queued = queued + 1 end
      end
      local answer <const> =
        as(name, "PATCH", "/mgmt/tm/transaction/" .. tostring(id), { state = "VALIDATING" })
      if queued > 0 then assert.equal(400, answer.status, name) end
      assert.equal(before, access_of(name))
    end
  end)

  it("a transaction runs with the rights that its owner has at the end", function()
    local id <const> = as("res", "POST", "/mgmt/tm/transaction", {}).json.transId
    local header <const> = { ["X-F5-REST-Coordination-Id"] = tostring(id) }
    assert.equal(200, as("res", "POST", "/mgmt/tm/ltm/pool", { name = "late" }, header).status)
    curl(device, "PATCH", USERS .. "/res", {
      partitionAccess = { { name = "all-partitions", role = "operator" } },
    })
    local answer <const> =
      as("res", "PATCH", "/mgmt/tm/transaction/" .. id, { state = "VALIDATING" })
    assert.matches("^transaction failed:01070822:3: Access Denied", answer.json.message)
    assert.equal(404, curl(device, "GET", "/mgmt/tm/ltm/pool/late").status)
  end)

  it("commands neither copy nor rename accounts", function()
    for _, name in ipairs { "umgr", "res", "guest" } do
      for _, command in ipairs { "cp", "mv" } do
        local answer <const> =
          as(name, "POST", USERS, { command = command, name = "admin", target = "mine" })
        assert.equal(403, answer.status)
        local shell <const> = as(name, "POST", "/mgmt/tm/util/bash", {
          command = "run",
          utilCmdArgs = ("-c 'tmsh %s auth user admin mine'"):format(command),
        })
        if name ~= "res" then assert.equal(401, shell.status) end
      end
    end
    assert.equal("all-partitions=admin", access_of "admin")
    assert.equal(404, access_of "mine")
  end)

  it("scripts of the shell run with the rights of who sends them", function()
    for _, script in ipairs {
      "tmsh modify auth user res partition-access add { all-partitions { role admin } }",
      "tmsh modify auth user res partition-access modify { all-partitions { role admin } }",
      "tmsh modify auth user res role admin",
      "tmsh create auth user mine password x-Pass-12 partition-access add { all-partitions { role "
        .. "admin } }",
      'eval "tmsh modify auth user res role admin"',
      'echo $(bash -c "tmsh modify auth user res role admin")',
    } do
      as("res", "POST", "/mgmt/tm/util/bash", {
        command = "run", utilCmdArgs = ("-c '%s'"):format(script),
      })
      assert.equal("all-partitions=resource-admin", access_of "res", script)
      assert.equal(404, access_of "mine", script)
    end
  end)

  it("a saved configuration does not bring rights back, nor does an archive", function()
    local function save_and_load(path, name)
      curl(device, "PATCH", USERS .. "/res", { partitionAccess = ADMIN })
      assert.equal(200, curl(device, "POST", path, { command = "save", name = name }).status)
      curl(device, "PATCH", USERS .. "/res", {
        partitionAccess = { { name = "all-partitions", role = "resource-admin" } },
      })
      local answer <const> = as("res", "POST", path, { command = "load", name = name })
      assert.equal(200, answer.status)
      assert.equal("all-partitions=resource-admin", access_of "res", path)
    end
    save_and_load "/mgmt/tm/sys/config"
    save_and_load("/mgmt/tm/sys/ucs", "mine.ucs")
    as("res", "POST", "/mgmt/tm/util/bash", {
      command = "run", utilCmdArgs = "-c 'tmsh load sys ucs mine.ucs; tmsh load sys config'",
    })
    assert.equal("all-partitions=resource-admin", access_of "res")
    local task <const> =
      as("res", "POST", "/mgmt/tm/task/sys/ucs", { command = "load", name = "mine.ucs" })
    as("res", "PUT", "/mgmt/tm/task/sys/ucs/" .. task.json._taskId, { _taskState = "VALIDATING" })
    device:advance(10)
    assert.equal("all-partitions=resource-admin", access_of "res")
    -- who may do everything anyway gets everything
    curl(device, "POST", "/mgmt/tm/sys/ucs", { command = "load", name = "mine.ucs" })
    assert.equal("all-partitions=admin", access_of "res")
  end)

  it("an archive that somebody uploaded holds objects or is refused", function()
    for _, text in ipairs {
      '{"format":"f5lua-sim-ucs"}', '{"format":"f5lua-sim-ucs","objects":7}',
      '{"format":"f5lua-sim-ucs","objects":{"/mgmt/tm/ltm/pool/~Common~a":7}}',
      '{"format":"f5lua-sim-ucs","objects":{"/etc/passwd":{}}}', "PK", "7",
    } do
      device:control("write_file", { path = "/var/local/ucs/odd.ucs", text = text })
      local answer <const> =
        curl(device, "POST", "/mgmt/tm/sys/ucs", { command = "load", name = "odd.ucs" })
      assert.equal(400, answer.status, text)
      assert.equal(
        "UCS archive /var/local/ucs/odd.ucs is not valid", answer.json.message, text
      )
    end
    assert.equal("all-partitions=admin", access_of "admin")
  end)

  it("what gives rights to users of other servers is the administrators'", function()
    for _, path in ipairs { "/mgmt/tm/auth/remote-user", "/mgmt/tm/auth/remote-role" } do
      local body <const> = { defaultRole = "admin", description = "x" }
      assert.equal(403, as("res", "PATCH", path, body).status, path)
    end
    assert.equal(
      403,
      as("res", "POST", "/mgmt/tm/auth/remote-role/role-info", {
        name = "g", attribute = "a", role = "admin", lineOrder = 1,
      }).status
    )
  end)

  it("a user of another provider is not the local one of its name", function()
    tokens.far = token_of("admin", "other", "Radius")
    local mine <const> = token_of "admin"
    assert.equal(403, as("far", "PATCH", USERS, { password = "x-Pass-12" }).status)
    assert.equal(403, as("far", "PATCH", USERS .. "/admin", { password = "x-Pass-12" }).status)
    assert.equal(401, as("far", "PATCH", "/mgmt/shared/authz/users/admin", {
      password = "x-Pass-12",
    }).status)
    assert.equal(401, as("far", "GET", "/mgmt/shared/authz/tokens/" .. mine).status)
    assert.not_matches(mine, as("far", "GET", "/mgmt/shared/authz/tokens").body)
    assert.equal(
      400, as("far", "PATCH", "/mgmt/shared/authz/tokens/" .. mine, { timeout = 60 }).status
    )
  end)

  it("a body does not move an object of a path into another partition", function()
    curl(device, "POST", USERS, {
      name = "pm", password = "Part-55x", partitionAccess = { { name = "P", role = "manager" } },
    })
    tokens.pm = token_of("pm", "Part-55x")
    curl(device, "POST", "/mgmt/tm/ltm/pool", { name = "web" })
    curl(device, "POST", "/mgmt/tm/ltm/pool", { name = "/P/own" })
    local function denied(answer)
      assert.equal(403, answer.status)
      assert.matches("in partition %(Common%)$", answer.json.message)
    end
    local body <const> = { partition = "P", description = "mine" }
    denied(as("pm", "PATCH", "/mgmt/tm/ltm/pool/web", body))
    denied(as("pm", "PUT", "/mgmt/tm/ltm/pool/web", body))
    denied(as("pm", "POST", "/mgmt/tm/ltm/pool/web", body))
    denied(
      as("pm", "POST", "/mgmt/tm/ltm/pool/web/members", { name = "/P/1.1.1.1:80", partition = "P" })
    )
    denied(as("pm", "POST", "/mgmt/tm/ltm/pool", { name = "/Common/x", partition = "P" }))
    denied(as("pm", "POST", "/mgmt/tm/ltm/pool", {
      command = "cp", name = "/P/own", target = "/Common/x",
    }))
    assert.equal(200, as("pm", "PATCH", "/mgmt/tm/ltm/pool/~P~own", { description = "x" }).status)
    assert.equal(
      200, as("pm", "POST", "/mgmt/tm/ltm/pool", { name = "y", partition = "/P" }).status
    )
  end)
end)
