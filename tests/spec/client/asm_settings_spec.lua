-- ASM settings over HTTPS: web scraping, learning suggestions, device ids, methods, sessions,
-- WebSockets, logins.
local f5 = require "f5"
local lab = require "lab"

local failure <const> = lab.failure

local URL <const> = "tm:asm:policies:urls:urlstate"
local SUGGESTIONS <const> = {
  {
    score = 90, entityKind = URL, entityName = "/new", action = "add-or-update",
    entity = { name = "/new" }, entityChanges = { description = "learned" },
  },
  {
    score = 80, entityKind = URL, entityName = "/gone", action = "delete",
    entity = { name = "/gone" },
  },
  {
    score = 70,
    entityKind = URL,
    entityName = "/more",
    action = "update-append",
    entity = { name = "/more" },
    entityChanges = { methodOverrides = { { method = "PUT", allowed = true } } },
  },
  {
    score = 60,
    entityKind = URL,
    entityName = "/more",
    action = "update-remove",
    entity = { name = "/more" },
    entityChanges = { methodOverrides = { { method = "GET" } } },
  },
  {
    score = 10,
    entityKind = URL,
    entityName = "/low",
    action = "add-or-update",
    entity = { name = "/low", performStaging = false },
  },
}

local device, bip, asm, policy

local function start()
  device, bip = lab.start {
    provision = { "ltm", "asm", "afm" },
    seed = {
      asm = {
        policies = {
          {
            name = "web",
            suggestions = SUGGESTIONS,
            urls = {
              { name = "/gone" },
              { name = "/more", methodOverrides = { { method = "GET", allowed = true } } },
            },
          },
        },
      },
    },
  }
  asm = f5.asm(bip)
  policy = asm:policy "web"
end

local function stop() lab.stop(bip, device) end

describe("G37 ASM web scraping and suggestions", function()
  before_each(start)
  after_each(stop)

  it("has the settings of web scraping in one place, with the defaults of the guide", function()
    local settings <const> = policy["web-scraping"]:load()
    assert.equal("tm:asm:policies:web-scraping:web-scrapingstate", settings.kind)
    assert.equal(400, settings.sessionTransactionsAnomaly.maximumSessionTransactionsPerSecond)
    assert.equal(1800, settings.sessionTransactionsAnomaly.preventionDuration)
    assert.equal(500, settings.sessionTransactionsAnomaly.sessionTransactionsPerSecondIncreaseRate)
    assert.equal(30, settings.botDetection.rapidSurfingMaximumTimeDuration)
    assert.equal(500, settings.botDetection.blockingPeriod)
    assert.equal(100, settings.botDetection.graceThreshold)
    assert.equal(25, settings.sessionOpeningAnomaly.minimumSessionsOpenedPerSecond)
    assert.equal(50, settings.sessionOpeningAnomaly.maximumSessionsOpenedPerSecond)
    assert.is_false(settings.sessionOpeningAnomaly.rateLimiting)
    assert.equal(600, settings.sessionOpeningThresholds.fingerprintResetsTimeWindow)
    assert.equal(300, settings.suspiciousClients.preventionDuration)
    assert.is_false(settings.webScrapingConfiguration.botDetectionBlock)
  end)

  it("changes only what is named, and cannot be made or deleted", function()
    policy["web-scraping"]:modify { sessionTransactionsAnomaly = { preventionDuration = 2400 } }
    local settings <const> = policy["web-scraping"]:load()
    assert.equal(2400, settings.sessionTransactionsAnomaly.preventionDuration)
    assert.equal(400, settings.sessionTransactionsAnomaly.maximumSessionTransactionsPerSecond)
    assert.equal(300, settings.suspiciousClients.preventionDuration)
    assert.equal("unsupported", failure(function() policy["web-scraping"]:delete() end).kind)
    assert.equal("unsupported", failure(function() policy["web-scraping"]:create {} end).kind)
  end)

  local function collect(options)
    local list = {}
    for one in asm:suggestions("web", options) do list[#list + 1] = one end
    return list
  end

  it("lists suggestions from the strongest on, and above a score", function()
    local list <const> = collect()
    assert.equal(5, #list)
    assert.equal(90, list[1].score)
    assert.equal(10, list[5].score)
    assert.equal(3, #collect { score = 65 })
    assert.equal(1, #collect { score = 65, filter = { action = "delete" } })
    assert.equal("pending", list[1].status)
    assert.is_truthy(list[1].creationDatetime)
  end)

  it("lets status, comment and isRead be changed, and ignores all else", function()
    local one <const> = collect()[1]
    asm:comment(one, "looks right")
    asm:read(one)
    asm:ignore(one)
    asm
      :follow(one)
      :modify { score = 1, entityName = "/other", action = "delete", alwaysManual = true }
    local after <const> = asm:follow(one):load()
    assert.equal("looks right", after.comment)
    assert.is_true(after.isRead)
    assert.equal("ignored", after.status)
    assert.equal(90, after.score)
    assert.equal("/new", after.entityName)
    assert.equal("add-or-update", after.action)
    assert.is_false(after.alwaysManual)
    assert.is_false(asm:read(one, false).isRead)
    assert.equal(
      "invalid",
      failure(function() asm:follow(one):modify { status = "maybe" } end).kind
    )
    assert.equal(
      "unsupported",
      failure(function() policy.suggestions:create { score = 1 } end).kind
    )
    asm:follow(one):delete()
    assert.equal(4, #collect())
  end)

  it("does to the policy what an accepted suggestion says", function()
    local list <const> = collect()
    local function urls(name) return policy.urls:list { filter = { name = name } } end
    assert.equal("accept", asm:accept(list[1]).status)
    assert.equal("learned", urls("/new")[1].description)
    assert.equal(1, #urls "/gone")
    asm:accept(list[2])
    assert.equal(0, #urls "/gone")
    asm:accept(list[3])
    assert.equal(2, #urls("/more")[1].methodOverrides)
    asm:accept(list[4])
    assert.same({ { method = "PUT", allowed = true } }, urls("/more")[1].methodOverrides)
    asm:stage(list[5])
    assert.is_true(urls("/low")[1].performStaging)
    assert.matches("accepted already", failure(function() asm:accept(list[1]) end).message)
    assert.is_true(policy:load().isModified)
  end)

  it("takes many at once by a filter", function()
    local changed <const> = policy.suggestions:modify_all {
      filter = { score = { lt = 65 } },
      set = { status = "ignored" },
    }
    assert.equal(2, #changed)
    assert.equal(3, #policy.suggestions:list { filter = { status = "pending" } })
  end)
end)

describe("G38 ASM settings of clients, URLs and logins", function()
  before_each(start)
  after_each(stop)

  it("has device ids in brute force protection, with the defaults of the guide", function()
    local url <const> = policy.urls:create { name = "/login" }
    local pages <const> = policy["login-pages"]
    local protections <const> = policy["brute-force-attack-preventions"]
    assert.matches(
      "needs a login page",
      failure(function() protections:create { urlReference = { link = url.selfLink } } end).message
    )
    pages:create {
      urlReference = { link = url.selfLink },
      accessValidation = { responseContains = "Welcome" },
    }
    local made <const> = protections:create { urlReference = { link = url.selfLink } }
    assert.is_true(made.alarm)
    assert.is_true(made.block)
    assert.is_false(made.useDeviceId)
    assert.equal(5, made.loginAttemptsFromTheSameClient)
    assert.equal(1, made.measurementPeriod)
    assert.equal(600, made.reEnableLoginAfter)
    assert.equal(500, made.detectionCriteria.failedLoginAttemptsIncreasePercent)
    assert.equal(100, made.detectionCriteria.failedLoginAttemptsRateReached)
    assert.equal(20, made.detectionCriteria.minimumFailedLoginAttempts)
    assert.is_true(asm:follow(made):modify({ useDeviceId = true }).useDeviceId)
    -- Only the default item protects all login pages.
    assert.equal(1, #protections:list { filter = { bruteForceProtectionForAllLoginPages = false } })
  end)

  it("overrides methods per URL", function()
    local url <const> = policy.urls:create { name = "/api" }
    assert.is_false(url.methodsOverrideOnUrlCheck)
    local changed <const> = asm:follow(url):modify {
      methodsOverrideOnUrlCheck = true,
      methodOverrides = { { method = "PUT" }, { method = "GET", allowed = false } },
    }
    assert.is_true(changed.methodsOverrideOnUrlCheck)
    assert.is_true(changed.methodOverrides[1].allowed)
    assert.is_false(changed.methodOverrides[2].allowed)
    assert.matches(
      "'methodOverrides' needs 'method'",
      failure(
        function() asm:follow(url):modify { methodOverrides = { { allowed = true } } } end
      ).message
    )
  end)

  it("tracks sessions and device ids, and prevents hijacking", function()
    local tracking <const> = policy["session-tracking"]
    assert.equal(
      "tm:asm:policies:session-tracking:session-awareness-settingsstate",
      tracking:load().kind
    )
    local after <const> = tracking:modify {
      sessionTrackingConfiguration = {
        enableSessionAwareness = true,
        enableTrackingSessionHijackingByDeviceId = true,
      },
      delayBlocking = { checkDeviceIdThreshold = true, deviceIdThreshold = 7 },
    }
    assert.is_true(after.sessionTrackingConfiguration.enableTrackingSessionHijackingByDeviceId)
    assert.equal(7, after.delayBlocking.deviceIdThreshold)
    assert.is_false(after.blockAll.checkDeviceIdThreshold)
    local statuses <const> = policy["session-tracking-statuses"]
    local entry <const> = { action = "block-all", scope = "user", value = "mallory" }
    assert.matches(
      "inactive security policy",
      failure(function() statuses:create(entry) end).message
    )
    asm:apply_policy("web"):wait { interval = 0.05 }
    local made <const> = statuses:create(entry)
    assert.equal("mallory", made.value)
    asm:follow(made):delete()
    assert.equal(0, #statuses:list())
  end)

  it("knows WebSocket URLs, with the defaults of the guide", function()
    local made <const> = policy["websocket-urls"]:create { name = "/chat", allowJsonMessage = true }
    assert.equal("explicit", made.type)
    assert.equal("ws", made.protocol)
    assert.equal(10000, made.binaryMessageMaxSize)
    assert.equal(100, made.messageFrameMaxCount)
    assert.is_true(made.allowTextMessage)
    assert.is_false(made.metacharsOnWebsocketUrlCheck)
    assert.equal("remove", made.unsupportedExtensions)
    assert.equal("Default", made.jsonProfileReference.name)
    assert.equal("Default", made.plainTextProfileReference.name)
    assert.equal(
      "tm:asm:policies:json-profiles:json-profilestate",
      asm:follow(made.jsonProfileReference):load().kind
    )
    -- What messages may contain exists only while the payload is checked.
    local unchecked <const> = asm:follow(made):modify { checkPayload = false }
    assert.is_nil(unchecked.allowTextMessage)
    assert.is_nil(unchecked.jsonProfileReference)
    assert.equal(
      "enforce",
      asm:follow(made):modify({
        html5CrossOriginRequestsEnforcement = { enforcementMode = "enforce" },
      }).html5CrossOriginRequestsEnforcement.enforcementMode
    )
    assert.equal(
      3,
      #policy["websocket-urls"]:list {
        filter = { type = f5.filter.any { "explicit", "wildcard" } },
      }
    )
  end)

  it("has login pages of every kind, AJAX/JSON among them, and logout pages", function()
    local url <const> = policy.urls:create { name = "/login" }
    local pages <const> = policy["login-pages"]
    local made <const> = pages:create {
      urlReference = { link = url.selfLink },
      authenticationType = "ajax-or-json-request",
      usernameParameterName = "user",
      passwordParameterName = "pass",
      accessValidation = { responseHttpStatus = "200", responseOmits = "error" },
    }
    assert.equal("ajax-or-json-request", made.authenticationType)
    assert.equal("200", made.accessValidation.responseHttpStatus)
    assert.is_false(made.usernameParameterNameBase64Encoded)
    assert.is_false(made.isReferenced)
    for _, type in ipairs { "none", "http-basic", "ntlm", "form", "http-digest" } do
      assert.equal(type, asm:follow(made):modify({ authenticationType = type }).authenticationType)
    end
    assert.equal(
      "invalid",
      failure(function() asm:follow(made):modify { authenticationType = "magic" } end).kind
    )
    local other <const> = policy.urls:create { name = "/other" }
    assert.matches("At least one condition", failure(function()
      pages:create { urlReference = { link = other.selfLink }, accessValidation = {} }
    end).message)
    assert.equal("disabled", policy["login-enforcement"]:load().expirationTimePeriod)
    local after <const> = policy["login-enforcement"]:modify {
      expirationTimePeriod = 600,
      authenticatedUrls = { "/account" },
    }
    assert.equal("600", after.expirationTimePeriod)
    assert.same({ "/account" }, after.authenticatedUrls)
  end)

  it("has device ids in DoS profiles, which are objects like all others", function()
    local profiles <const> = bip:at("security/dos/profile")
    profiles:create { name = "dos1" }
    local applications <const> = profiles:at("/Common/dos1", "application")
    assert.matches("^tm:security:dos:profile:application", applications:load().kind)
    local made <const> = applications:create { name = "app1" }
    for _, detection in ipairs { "tpsBased", "stressBased" } do
      for _, name in ipairs {
        "deviceIdClientSideDefense",
        "deviceIdCaptchaChallenge",
        "deviceIdRateLimiting",
        "deviceIdRequestBlockingMode",
        "deviceIdMaximumTps",
        "deviceIdMinimumTps",
        "deviceIdTpsIncreaseRate",
      } do
        assert.is_truthy(made[detection][name], detection .. "." .. name)
      end
    end
    local changed <const> = applications:at("app1"):modify {
      stressBased = { deviceIdRateLimiting = "enabled", deviceIdRequestBlockingMode = "block-all" },
    }
    assert.equal("block-all", changed.stressBased.deviceIdRequestBlockingMode)
  end)
end)
