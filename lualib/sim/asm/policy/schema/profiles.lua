-- Content profiles of a policy, and its settings about logins and sessions.
local array = require("f5.json").array
local specs = require "sim.asm.policy.schema.specs"

local list <const>, collection <const>, singleton <const> = specs.new()

-- -- profiles of content --

local function profile(defense, more)
  local spec = {
    key = { "name" },
    defaults = {
      description = "",
      attackSignaturesCheck = true,
      metacharElementCheck = true,
      metacharOverrides = array {},
      signatureOverrides = array {},
      defenseAttributes = defense,
    },
    optional = { name = "" }, readonly = { isReferenced = true }, referenced = true,
  }
  for name, value in pairs(more or {}) do spec.defaults[name] = value end
  return spec
end

collection(
  "json-profiles",
  "json-profile",
  "jsonProfileReference",
  profile(
    {
      maximumTotalLengthOfJSONData = "10000", maximumValueLength = "100",
      maximumStructureDepth = "30", maximumArrayLength = "1000",
      tolerateJSONParsingWarnings = false,
    },
    {
      handleJsonValuesAsParameters = true, hasValidationFiles = false, validationFiles = array {},
      sensitiveData = array {},
    }
  )
)
collection(
  "xml-profiles",
  "xml-profile",
  "xmlProfileReference",
  profile({
    allowCDATA = false, allowDTDs = false, allowExternalReferences = false,
    allowProcessingInstructions = false, maximumAttributeValueLength = "1024",
    maximumAttributesPerElement = "16", maximumChildrenPerElement = "1024",
    maximumDocumentDepth = "32", maximumDocumentSize = "1024000", maximumElements = "65536",
    maximumNSDeclarations = "64", maximumNameLength = "256", maximumNamespaceLength = "256",
    tolerateCloseTagShorthand = false, tolerateLeadingWhiteSpace = false,
    tolerateNumericNames = false,
  }, {
    attachmentsInSoapMessages = false, inspectSoapAttachments = false, enableWss = false,
    followSchemaLinks = false, metacharAttributeCheck = true, useXmlResponsePage = false,
    validationFiles = array {}, validationSoapActionHeader = false, sensitiveData = array {},
  })
)
collection(
  "gwt-profiles",
  "gwt-profile",
  "gwtProfileReference",
  profile {
    maximumTotalLengthOfGWTData = "10000",
    maximumValueLength = "100",
    tolerateGWTParsingWarnings = true,
  }
)
collection(
  "plain-text-profiles",
  "plain-text-profile",
  "plainTextProfileReference",
  profile {
    maximumTotalLength = "10000",
    maximumLineLength = "100",
    performPercentDecoding = false,
  }
)
collection(
  "graphql-profiles",
  "graphql-profile",
  "graphqlProfileReference",
  profile({
    allowIntrospectionQueries = false, maximumBatchedQueries = "10", maximumStructureDepth = "10",
    maximumTotalLength = "100000", maximumValueLength = "10000", tolerateParsingWarnings = false,
  }, { sensitiveData = array {} })
)
for _, format in ipairs { "xml", "json" } do
  collection(
    format .. "-validation-files",
    format .. "-validation-file",
    format .. "ValidationFileReference",
    {
      key = { "fileName" }, defaults = { contents = "" }, optional = { fileName = "" },
      methods = "GET,POST,DELETE", readonly = { isReferenced = true }, referenced = true,
    }
  )
end

-- -- logins and sessions --

collection("login-pages", "login-page", "loginPageReference", {
  key = { "urlReference" },
  defaults = {
    authenticationType = "none",
    usernameParameterName = "",
    usernameParameterNameBase64Encoded = false,
    passwordParameterName = "",
    passwordParameterNameBase64Encoded = false,
    accessValidation = {},
  },
  optional = { urlReference = {}, createdBy = "" },
  required = { "urlReference", "accessValidation" },
  enums = {
    authenticationType = {
      "none", "http-basic", "ntlm", "form", "ajax-or-json-request", "http-digest",
    },
  },
  nested = {
    accessValidation = {
      cookieContains = "",
      headerContains = "",
      headerOmits = "",
      parameterContains = "",
      responseContains = "",
      responseOmits = "",
      responseHttpStatus = "",
      responseHttpStatusOmits = "",
      parameterContainsBase64Encoded = false,
      responseContainsBase64Encoded = false,
      responseOmitsBase64Encoded = false,
    },
  },
  readonly = { isReferenced = true }, referenced = true,
})
singleton("login-enforcement", "login-enforcement", "loginEnforcementReference", {
  defaults = {
    expirationTimePeriod = "disabled",
    authenticatedUrls = array {},
    logoutUrls = array {},
  },
})
local PREVENTION <const> = "brute-force-attack-prevention"
collection(PREVENTION .. "s", PREVENTION, "bruteForceAttackPreventionReference", {
  key = { "urlReference" },
  defaults = {
    alarm = true, block = true, useDeviceId = false, loginAttemptsFromTheSameClient = 5,
    preventionDuration = "unlimited",
    measurementPeriod = 1, reEnableLoginAfter = 600, sourceBasedProtectionDetectionPeriod = 3600,
    detectionCriteria = {
      failedLoginAttemptsIncreasePercent = 500, failedLoginAttemptsRateReached = 100,
      minimumFailedLoginAttempts = 20, action = "alarm-and-captcha",
      credentialsStuffingMatchesReached = 100, detectCredentialsStuffingAttack = true,
      detectDistributedBruteForceAttack = true,
    },
    preventionPolicy = {
      sourceIpBasedClientSideIntegrityDefense = false, urlBasedClientSideIntegrityDefense = true,
      sourceIpBasedRateLimiting = false, urlBasedRateLimiting = true,
    },
    suspiciousCriteria = {
      failedLoginAttemptsIncreasePercent = 500, failedLoginAttemptsRateReached = 20,
    },
    captchaBypassCriteria = { action = "alarm-and-drop", enabled = true, threshold = 5 },
    clientSideIntegrityBypassCriteria = {
      action = "alarm-and-captcha", enabled = true, threshold = 3,
    },
    leakedCredentialsCriteria = { action = "alarm-and-blocking-page", enabled = false },
    loginAttemptsFromTheSameDeviceId = {
      action = "alarm-and-captcha", enabled = false, threshold = 3,
    },
    loginAttemptsFromTheSameIp = { action = "alarm-and-captcha", enabled = true, threshold = 20 },
    loginAttemptsFromTheSameUser = { action = "alarm-and-captcha", enabled = true, threshold = 3 },
  },
  optional = { urlReference = {}, bruteForceProtectionForAllLoginPages = false },
  required = { "urlReference" },
})
local function thresholds(names)
  local scope = {}
  for name, limit in pairs(names) do
    scope["check" .. name:sub(1, 1):upper() .. name:sub(2) .. "Threshold"] = false
    scope[name .. "Threshold"] = limit
  end
  return scope
end
singleton("session-tracking", "session-awareness-settings", "sessionAwarenessSettingsReference", {
  defaults = {
    sessionTrackingConfiguration = {
      enableSessionAwareness = false,
      enableTrackingSessionHijackingByDeviceId = false,
    },
    violationDetectionActions = {
      trackViolationsAndPerformActions = false,
      violationDetectionPeriod = 900,
    },
    delayBlocking = thresholds { username = 3, session = 3, ipAddress = 10, deviceId = 3 },
    blockAll = thresholds { username = 10, session = 10, ipAddress = 20, deviceId = 10 },
    logAllRequests = thresholds { username = 3, session = 3, ipAddress = 10, deviceId = 3 },
    usernameSource = "none",
  },
})
collection(
  "session-tracking-statuses",
  "session-tracking-status",
  "sessionTrackingStatusReference",
  {
    key = { "scope", "value", "action" },
    defaults = {},
    optional = { action = "", scope = "", value = "", createdDatetime = "" },
    readonly = { createdDatetime = true },
    required = { "action", "scope", "value" },
    methods = "GET,POST,DELETE",
    enums = {
      action = { "log-all-requests", "delay-blocking", "block-all" },
      scope = { "user", "session", "ip-address", "device-id" },
    },
  }
)

return list
