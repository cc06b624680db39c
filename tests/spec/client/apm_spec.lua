-- APM over HTTPS: its endpoints, LDAP servers, URL categories and filters, sessions, OAuth tokens.
local f5 = require "f5"
local lab = require "lab"
local sim = require "f5.sim"

local failure <const> = lab.failure

local ENDPOINTS <const> = {
  "aaa",
  "acl",
  "apm-avr-config",
  "application",
  "application-family",
  "application-filter",
  "configuration",
  "epsec",
  "log-setting",
  "ntlm",
  "policy",
  "profile",
  "report",
  "resource",
  "risk-class",
  "saml",
  "session",
  "sso",
  "swg-scheme",
  "url-filter",
}

local SEED <const> = {
  apm = {
    sessions = {
      { id = "914c727f", user = "user1", client = "10.1.1.1" },
      { id = "914c7280", user = "user2", client = "10.1.1.2" },
      { id = "914c7281", user = "user1", client = "10.1.1.2" },
    },
    tokens = {
      { app = "Web mail", user = "user1" },
      { app = "Web mail", user = "user2" },
      { app = "Wiki", user = "user1" },
    },
  },
}

local device, bip, apm

local function start()
  device, bip = lab.start { provision = { "ltm", "apm" }, seed = SEED }
  apm = f5.apm(bip)
end

local function stop() lab.stop(bip, device) end

describe("G39 APM", function()
  before_each(start)
  after_each(stop)

  it("answers at every endpoint of the table", function()
    local linked = {}
    for _, item in ipairs(bip.apm:load().items) do
      linked[item.reference.link:match("/tm/apm/([^?]+)")] = true
    end
    for _, name in ipairs(ENDPOINTS) do
      assert.matches("^tm:apm:" .. name:gsub("%-", "%%-") .. ":", bip.apm[name]:load().kind)
      assert.is_true(linked[name], name)
    end
  end)

  it("is absent where APM is not provisioned", function()
    local plain <const> = sim.start { provision = { "ltm" } }
    local answer <const> = plain:options "admin"
    answer.retries = 0
    local other <const> = f5.connect(answer)
    local statuses = {}
    for _, path in ipairs {
      "/mgmt/tm/apm", "/mgmt/tm/apm/access-info", "/mgmt/tm/apm/session", "/mgmt/tm/apm/aaa/ldap",
      "/mgmt/tm/apm/oauth/token-details",
    } do
      statuses[#statuses + 1] = other:request("GET", path, { raw = true }).status
    end
    lab.stop(other, plain)
    assert.same({ 404, 404, 404, 404, 404 }, statuses)
  end)

  it("makes and deletes an LDAP server, after a look at the example", function()
    local example <const> = bip.apm.aaa.ldap:example()
    assert.is_truthy(f5.json.encode(example):find("naturalKeyPropertyNames", 1, true))
    local made <const> = bip.apm.aaa.ldap:create {
      name = "test_aaa_ldap",
      address = "10.0.0.9",
      adminDn = '"CN=administrator, CN=users, DC=mydomain, DC=com"',
      adminEncryptedPassword = "p4s8w07d",
      usePool = "disabled",
    }
    assert.equal("/Common/test_aaa_ldap", made.fullPath)
    assert.equal('"CN=administrator, CN=users, DC=mydomain, DC=com"', made.adminDn)
    assert.equal("disabled", made.usePool)
    assert.equal("389", made.port)
    local ldap <const> = bip.apm.aaa.ldap["/Common/test_aaa_ldap"]
    assert.equal("636", ldap:modify({ port = "636" }).port)
    ldap:delete()
    assert.is_false(ldap:exists())
  end)

  it("makes a URL category and a filter with it; the filters it came with stay", function()
    local categories <const> = bip:at("sys/url-db/url-category")
    assert.equal(
      "Sites with information about entertainment.",
      categories:at("/Common/Entertainment"):load().description
    )
    assert.is_false(categories:at("/Common/my-custom-category"):exists())
    local made <const> = categories:create {
      name = "my-custom-category", displayName = "my-custom-category", defaultAction = "block",
      urls = f5.array {},
    }
    assert.equal("block", made.defaultAction)
    local filters <const> = bip.apm["url-filter"]
    local filter <const> =
      filters:create { name = "my-url-filter", allowedCategories = { "my-custom-category" } }
    assert.same({ "my-custom-category" }, filter.allowedCategories)
    filters["/Common/my-url-filter"]:delete()
    assert.is_false(filters["/Common/my-url-filter"]:exists())
    categories:at("/Common/my-custom-category"):delete()
    assert.matches(
      "default URL filter",
      failure(function() filters["/Common/block-all"]:delete() end).message
    )
    assert.is_true(filters["/Common/block-all"]:exists())
  end)
end)

describe("G40 APM sessions and OAuth tokens", function()
  before_each(start)
  after_each(stop)

  it("lists sessions, all and those of a user or a client", function()
    assert.equal(3, #apm:sessions())
    assert.same(
      {
        { id = "914c727f", user = "user1", client = "10.1.1.1" },
        { id = "914c7281", user = "user1", client = "10.1.1.2" },
      },
      apm:sessions { user = "user1" }
    )
    assert.equal(2, #apm:sessions { client = "10.1.1.2" })
    assert.equal(0, #apm:sessions { user = "nobody" })
    assert.equal("usage", failure(function() apm:sessions { name = "x" } end).kind)
    local body <const> = bip.apm["access-info"]:load()
    assert.equal("tm:apm:access-info:access-infostats", body.kind)
    assert.matches("apm::access%-info", body.apiRawValues.apiAnonymous)
    assert.equal(
      "invalid",
      failure(function() bip.apm["access-info"]:load { options = "color,red" } end).kind
    )
  end)

  it("ends one session, or all of a user", function()
    apm:end_session "914c7280"
    assert.equal(2, #apm:sessions())
    assert.equal("not_found", failure(function() apm:end_session "914c7280" end).kind)
    assert.equal(2, #apm:end_sessions { user = "user1" })
    assert.equal(0, #apm:sessions())
    assert.equal("usage", failure(function() apm:end_sessions {} end).kind)
  end)

  it("lists, counts and revokes tokens", function()
    assert.equal(3, #apm:tokens())
    assert.equal(2, #apm:tokens "Web mail")
    assert.equal(3, apm:token_count())
    assert.equal(2, apm:token_count "Web mail")
    assert.equal(0, apm:token_count "Nothing")
    local token <const> = apm:tokens("Wiki")[1]
    apm:revoke(token)
    assert.equal("revoked", apm:tokens("Wiki")[1].status)
    assert.equal(0, apm:token_count "Wiki")
    assert.equal(2, apm:token_count())
    assert.equal(
      "not_found",
      failure(function() apm:revoke { oauthId = "x", clientId = "y" } end).kind
    )
    assert.equal("usage", failure(function() apm:revoke {} end).kind)
    local body <const> = bip:request("GET", "/mgmt/tm/apm/oauth/token-details/stats")
    assert.equal("tm:apm:oauth:token-details:token-detailscollectionstats", body.kind)
    assert.equal("Total tokens : 2\n", body.apiRawValues.apiAnonymous)
  end)
end)
