-- Who may do what on the simulated device: login, tokens, basic authentication, providers, roles,
-- expired passwords, CORS.
local curl = require "curl"
local lab = require "lab"
local sim = require "f5.sim"

local LOGIN <const> = "/mgmt/shared/authn/login"
local TOKENS <const> = "/mgmt/shared/authz/tokens"

local function login(device, name, password, more)
  local body = { username = name, password = password or name, loginProviderName = "tmos" }
  for key, value in pairs(more or {}) do body[key] = value end
  return curl { device, "POST", LOGIN, anonymous = true, body = body }
end

local function token_of(device, name, password)
  return login(device, name, password).json.token.token
end

describe("simulated device: authentication", function()
  local device

  before_each(
    function()
      device = sim.start {
        users = {
          { name = "admin", password = "admin", role = "admin" },
          { name = "operator", password = "operator", role = "operator" },
          { name = "maker", password = "maker", role = "manager" },
          { name = "old", password = "old", role = "guest", expired = true },
        },
        providers = {
          {
            name = "RadiusServer",
            type = "radius",
            users = { { name = "remo", password = "remo", role = "manager" } },
          },
        },
        origins = { "https://console.example.net" },
      }
    end
  )
  after_each(function() lab.stop(device) end)

  it("P1 logs in with a token whose lifetime is known", function()
    local answer = login(device, "operator")
    assert.equal(200, answer.status)
    local body = answer.json
    assert.equal("operator", body.username)
    assert.equal("tmos", body.loginProviderName)
    assert.equal(
      "https://localhost/mgmt/cm/system/authn/providers/tmos/1f44a60e-11a7-3c51-a49f-82983026b41b/"
        .. "login",
      body.loginReference.link
    )
    assert.equal(0, body.generation)
    assert.equal(0, body.lastUpdateMicros)
    local token = body.token
    assert.matches("^[A-Z2-7]+$", token.token)
    assert.equal(26, #token.token)
    assert.equal(token.token, token.name)
    assert.equal(1200, token.timeout)
    assert.equal("[All]", token.partition)
    assert.equal("127.0.0.1", token.address)
    assert.equal("integer", math.type(token.expirationMicros))
    local lifetime = token.expirationMicros - token.lastUpdateMicros
    assert.is_true(lifetime >= 1200000000 and lifetime < 1200002000)
    assert.matches("^%d+%-%d%d%-%d%dT%d%d:%d%d:%d%d%.%d%d%d%+0000$", token.startTime)
    assert.equal("https://localhost" .. TOKENS .. "/" .. token.token, token.selfLink)
    assert.equal("shared:authz:tokens:authtokenitemstate", token.kind)
    local again = login(device, "operator").json.token
    assert.equal(token.user.link, again.user.link)
    assert.not_equal(token.token, again.token)
  end)

  it("P5 P8 ends tokens by time and by deletion, and a stale one spoils the login", function()
    local token = token_of(device, "operator")
    assert.equal(200, curl { device, "GET", "/mgmt/shared/echo", token = token }.status)
    device:advance(1201)
    local late = curl { device, "GET", "/mgmt/shared/echo", token = token }
    assert.equal(401, late.status)
    assert.equal("X-F5-Auth-Token has expired.", late.json.message)
    assert.matches("401 F5 Authorization Required", late.headers.status_line, 1, true)
    assert.equal(":resterrorresponse", late.json.kind)
    assert.equal("127.0.0.1", late.json.referer)
    local stale = curl {
      device,
      "POST",
      LOGIN,
      token = token,
      body = { username = "operator", password = "operator" },
    }
    assert.equal(401, stale.status)
    assert.equal("X-F5-Auth-Token has expired.", stale.json.message)
    local fresh = token_of(device, "operator")
    local deleted = curl { device, "DELETE", TOKENS .. "/" .. fresh, token = fresh }
    assert.equal(200, deleted.status)
    assert.equal(fresh, deleted.json.token)
    local after = curl { device, "GET", TOKENS, token = fresh }
    assert.equal(401, after.status)
    assert.equal("X-F5-Auth-Token does not exist.", after.json.message)
  end)

  it("P1 extends a token up to ten hours, and only by its owner", function()
    local token = token_of(device, "operator")
    local path = TOKENS .. "/" .. token
    local longer = curl { device, "PATCH", path, token = token, body = { timeout = 36000 } }
    assert.equal(200, longer.status)
    assert.equal(36000, longer.json.timeout)
    local text = curl { device, "PATCH", path, token = token, body = { timeout = "35000" } }
    assert.same({ 200, 35000 }, { text.status, text.json.timeout })
    for _, wrong in ipairs { "", "soon", "1e9", "-5", "99999999999999999999" } do
      local refused = curl { device, "PATCH", path, token = token, body = { timeout = wrong } }
      assert.equal(400, refused.status, wrong)
    end
    device:advance(30000)
    assert.equal(200, curl { device, "GET", path, token = token }.status)
    local too_long = curl { device, "PATCH", path, token = token, body = { timeout = 36001 } }
    assert.equal(406, too_long.status)
    assert.equal("Auth-token absolute timeout (36000 seconds) exceeded", too_long.json.message)
    assert.equal(400, curl { device, "PATCH", path, body = { timeout = 2000 } }.status)
    assert.equal(401, curl { device, "DELETE", path, token = token_of(device, "maker") }.status)
    assert.equal(200, curl { device, "DELETE", path }.status)
  end)

  it("P1 refuses the 101st live token of a user", function()
    local tokens = {}
    for i = 1, 100 do tokens[i] = token_of(device, "maker") end
    local refused = login(device, "maker")
    assert.equal(400, refused.status)
    assert.matches(
      "^user %x+%-%x+%-3%x+%-%x+%-%x+ has reached maximum active login tokens$",
      refused.json.message
    )
    assert.equal(200, login(device, "operator").status)
    assert.equal(
      200,
      curl { device, "DELETE", TOKENS .. "/" .. tokens[7], token = tokens[7] }.status
    )
    assert.equal(200, login(device, "maker").status)
    assert.equal(400, login(device, "maker").status)
    device:advance(1201)
    assert.equal(200, login(device, "maker").status)
  end)

  it("P1 says why a login failed, without the password", function()
    local refused = login(device, "operator", "wrong")
    assert.equal(401, refused.status)
    assert.equal("Authentication failed.", refused.json.message)
    assert.equal(
      '{"username":"operator","loginProviderName":"tmos","generation":0,"lastUpdateMicros":0}',
      refused.json.originalRequestBody
    )
    assert.equal(401, login(device, "nobody").status)
    assert.equal(
      400,
      curl { device, "POST", LOGIN, anonymous = true, body = { username = "operator" } }.status
    )
    assert.equal(400, curl { device, "POST", LOGIN, anonymous = true, body = "{" }.status)
    assert.equal(405, curl { device, "GET", LOGIN, anonymous = true }.status)
  end)

  it("G6 takes basic authentication from administrators only", function()
    assert.equal(200, curl(device, "GET", "/mgmt/shared/echo").status)
    local operator = curl { device, "GET", "/mgmt/shared/echo", user = "operator:operator" }
    assert.equal(401, operator.status)
    assert.matches(
      "^Authorization failed: user=https://localhost/mgmt/shared/authz/users/operator "
        .. "resource=/mgmt/shared/echo verb=GET",
      operator.json.message
    )
    assert.equal(
      "Authentication failed.",
      curl { device, "GET", "/mgmt/shared/echo", user = "admin:wrong" }.json.message
    )
    local nobody = curl { device, "GET", "/mgmt/shared/echo", anonymous = true }
    assert.equal(401, nobody.status)
    assert.equal(
      "Authorization failed: no user authentication header or token detected. "
        .. "Uri:http://localhost:8100/mgmt/shared/echo Referrer:127.0.0.1 Sender:127.0.0.1",
      nobody.json.message
    )
    assert.matches("^Basic ", nobody.headers["www-authenticate"])
  end)

  it("G8 knows external providers by name and by reference", function()
    local by_name = login(device, "remo", "remo", { loginProviderName = "RadiusServer" })
    assert.equal(200, by_name.status)
    assert.equal("RadiusServer", by_name.json.token.authProviderName)
    local link = by_name.json.loginReference.link
    assert.matches(
      "^https://localhost/mgmt/cm/system/authn/providers/radius/%x+%-%x+%-3%x+%-%x+%-%x+/login$",
      link
    )
    local by_reference = curl {
      device,
      "POST",
      LOGIN,
      anonymous = true,
      body = { username = "remo", password = "remo", loginReference = { link = link } },
    }
    assert.equal(200, by_reference.status)
    assert.equal("RadiusServer", by_reference.json.loginProviderName)
    assert.equal(401, login(device, "remo").status)
    local wrong = login(device, "remo", "remo", { loginProviderName = "NoSuch" })
    assert.equal(400, wrong.status)
    assert.equal("loginProviderName is invalid.", wrong.json.message)
    assert.equal(
      400,
      curl {
        device,
        "POST",
        LOGIN,
        anonymous = true,
        body = {
          username = "remo",
          password = "remo",
          loginReference = { link = "https://localhost/mgmt/nowhere" },
        },
      }.status
    )
    local listed = curl(device, "GET", "/mgmt/cm/system/authn/providers/radius")
    assert.equal(link, listed.json.items[1].loginReference.link)
  end)

  it("G43 lets roles do what is theirs", function()
    local body = { name = "n1", address = "192.0.2.1" }
    local refused = curl {
      device, "POST", "/mgmt/tm/ltm/node", token = token_of(device, "operator"), body = body,
    }
    assert.equal(403, refused.status)
    assert.matches("^01070822:3: Access Denied", refused.json.message)
    assert.equal(3, refused.json.apiError)
    local util = curl {
      device, "POST", "/mgmt/tm/util/bash", token = token_of(device, "maker"),
      body = { command = "run" },
    }
    assert.equal(401, util.status)
  end)

  describe("G5 an expired password", function()
    it("blocks a user whose password has expired, until it is changed", function()
      local token = token_of(device, "old")
      local blocked = curl { device, "GET", "/mgmt/shared/echo", token = token }
      assert.equal(401, blocked.status)
      assert.matches("^Password expired", blocked.json.message)
      local wrong = curl { device, "PATCH", "/mgmt/shared/authz/users/old", token = token,
        body = { password = "new-Password-1", oldPassword = "guess" } }
      assert.equal(400, wrong.status)
      local changed = curl { device, "PATCH", "/mgmt/shared/authz/users/old", token = token,
        body = { password = "new-Password-1", oldPassword = "old" } }
      assert.equal(200, changed.status)
      assert.equal(200, curl { device, "GET", "/mgmt/shared/echo", token = token }.status)
      assert.equal(401, login(device, "old").status)
      assert.equal(200, login(device, "old", "new-Password-1").status)
      assert.equal(
        401,
        curl { device, "GET", "/mgmt/shared/authz/users/admin", token = token }.status
      )
    end)
  end)

  describe("G7 CORS", function()
    it("answers cross-origin requests for allowed origins only", function()
      local function preflight(origin)
        return curl {
          device,
          "OPTIONS",
          "/mgmt/tm/ltm/pool",
          anonymous = true,
          headers = {
            Origin = origin,
            ["Access-Control-Request-Method"] = "PATCH",
            ["Access-Control-Request-Headers"] = "X-F5-Auth-Token",
          },
        }
      end
      local allowed = preflight "https://console.example.net"
      assert.equal(200, allowed.status)
      assert.equal("https://console.example.net", allowed.headers["access-control-allow-origin"])
      assert.matches("PATCH", allowed.headers["access-control-allow-methods"])
      assert.matches("X-F5-Auth-Token", allowed.headers["access-control-allow-headers"], 1, true)
      assert.equal("1200", allowed.headers["access-control-max-age"])
      assert.equal("true", allowed.headers["access-control-allow-credentials"])
      local refused = preflight "https://evil.example.net"
      assert.equal(403, refused.status)
      assert.is_nil(refused.headers["access-control-allow-origin"])
      local simple = curl {
        device,
        "GET",
        "/mgmt/shared/echo",
        headers = { Origin = "https://console.example.net" },
      }
      assert.equal(200, simple.status)
      assert.equal("https://console.example.net", simple.headers["access-control-allow-origin"])
      assert.matches("X-F5-Api-Status", simple.headers["access-control-expose-headers"], 1, true)
      local other = curl {
        device,
        "GET",
        "/mgmt/shared/echo",
        headers = { Origin = "https://evil.example.net" },
      }
      assert.is_nil(other.headers["access-control-allow-origin"])
      assert.is_nil(curl(device, "GET", "/mgmt/shared/echo").headers["access-control-allow-origin"])
    end)
  end)

  describe("G46 the log of calls", function()
    it("writes one line a call, in order, as restjavad-audit does", function()
      local path = os.tmpname()
      local logged <close> = sim.start { log = path }
      curl(logged, "GET", "/mgmt/shared/echo")
      login(logged, "operator", "wrong")
      curl(logged, "GET", '/mgmt/shared/echo?x="y"')
      logged:stop()
      local lines = {}
      for line in io.lines(path) do lines[#lines + 1] = line end
      os.remove(path)
      assert.equal(3, #lines)
      assert.matches(
        "^%[I%]%[%d+%]%[%d%d %u%l%l %d%d%d%d %d%d:%d%d:%d%d UTC%]%[ForwarderPassThroughWorker%] "
          .. "%[run%] "
          .. '{"user":"local/admin","method":"GET","uri":"http://localhost:8100/mgmt/shared/echo",'
          .. '"status":200,"from":"127%.0%.0%.1"}$',
        lines[1]
      )
      assert.matches(
        '"user":"local/null","method":"POST","uri":"http://localhost:8100/mgmt/shared/authn/login",'
          .. '"status":401',
        lines[2],
        1,
        true
      )
      assert.matches('x=\\"y\\"', lines[3], 1, true)
    end)
  end)

  it("G43 says that it is ready, and active", function()
    for _, path in ipairs {
      "/mgmt/shared/echo/available",
      "/mgmt/shared/identified-devices/config/device-info/available",
    } do
      assert.equal(200, curl(device, "GET", path).status, path)
    end
    assert.equal(404, curl(device, "GET", "/mgmt/shared/nothing/available").status)
    local info = curl(device, "GET", "/mgmt/shared/identified-devices/config/device-info").json
    assert.equal("shared:resolver:device-groups:deviceinfostate", info.kind)
    assert.equal("17.1.3", info.version)
    local function read(path)
      local link <const> = "https://localhost" .. path .. "/0"
      return curl(device, "GET", path).json.entries[link].nestedStats.entries
    end
    local entries = read "/mgmt/tm/sys/ready"
    assert.same(
      {
        configReady = { description = "yes" },
        licenseReady = { description = "yes" },
        provisionReady = { description = "yes" },
      },
      entries
    )
    assert.equal(
      "active",
      curl(device, "GET", "/mgmt/tm/shared/bigip-failover-state").json.failoverState
    )
    device:reboot { seconds = 100 }
    device:advance(90)
    entries = read "/mgmt/tm/sys/ready"
    assert.equal("no", entries.configReady.description)
    device:advance(11)
    entries = read "/mgmt/tm/sys/mcp-state"
    assert.equal("running", entries.phase.description)
  end)
end)
