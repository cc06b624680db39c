-- What a security policy consists of: its settings (one each) and its collections, with properties
-- and defaults.
--
-- `defaults` are filled in when an entity is made; `optional` properties exist but have no default
-- (the value shows the type); `key` names what must be unique, and what the hash id is made of.
-- `ref` is the name under which the policy links to it.
local array = require("f5.json").array

local M = {}

local list = {}
local function add(type, path, kind, ref, spec)
  spec = spec or {}
  spec.type, spec.path, spec.kind, spec.ref = type, path, kind, ref
  list[#list + 1] = spec
end
local function collection(...) add("collection", ...) end
local function singleton(...) add("singleton", ...) end

local READ_ONLY <const> = "GET"
local NO_CREATE <const> = "GET,PATCH"

local function content_profiles()
  return array {
    {
      headerName = "*", headerOrder = "default", headerValue = "*",
      type = "apply-value-and-content-signatures",
    },
    { headerName = "Content-Type", headerOrder = "1", headerValue = "*form*", type = "form-data" },
    { headerName = "Content-Type", headerOrder = "2", headerValue = "*json*", type = "json" },
    { headerName = "Content-Type", headerOrder = "3", headerValue = "*xml*", type = "xml" },
  }
end

-- -- entities that traffic is compared with --

local parameters <const> = {
  key = { "name" },
  defaults = {
    type = "explicit",
    level = "global",
    valueType = "user-input",
    dataType = "alpha-numeric",
    parameterLocation = "any",
    isBase64 = false,
    isCookie = false,
    isHeader = false,
    performStaging = true,
    mandatory = false,
    allowEmptyValue = true,
    allowRepeatedParameterName = false,
    sensitiveParameter = false,
    checkMinValueLength = false,
    checkMaxValueLength = false,
    attackSignaturesCheck = true,
    metacharsOnParameterValueCheck = true,
    disallowFileUploadOfExecutables = false,
    signatureOverrides = array {},
    valueMetacharOverrides = array {},
  },
  optional = {
    name = "",
    wildcardOrder = 1,
    checkMetachars = false,
    minimumLength = 0,
    maximumLength = 0,
    minimumValue = 0,
    maximumValue = 0,
    checkMinValue = false,
    checkMaxValue = false,
    regularExpression = "",
    enableRegularExpression = false,
    staticValues = array {},
    urlReference = {},
    contentProfileReference = {},
    nameMetacharOverrides = array {},
    decodeValueAsBase64 = "",
    description = "",
    explodeObject = false,
    objectSerializationStyle = "",
    hostNameRepresentation = "",
    inClassification = false,
  },
  enums = {
    type = { "explicit", "wildcard" }, level = { "global", "url", "flow" },
    valueType = {
      "array",
      "auto-detect",
      "binary",
      "dynamic-content",
      "dynamic-parameter-name",
      "ignore",
      "json",
      "object",
      "openapi-array",
      "static-content",
      "user-input",
      "xml",
    },
    parameterLocation = { "any", "query", "form-data", "cookie", "path", "header", "global" },
    dataType = {
      "none", "alpha-numeric", "binary", "phone", "email", "boolean", "integer", "decimal",
      "file-upload", "uri",
    },
  },
}

local function url_parameters()
  local spec <const> = {}
  for name, value in pairs(parameters) do spec[name] = value end
  spec.defaults = {}
  for name, value in pairs(parameters.defaults) do spec.defaults[name] = value end
  spec.defaults.level = "url"
  spec.type, spec.path, spec.kind, spec.ref =
    "collection", "parameters", "parameter", "parameterReference"
  return spec
end

collection("parameters", "parameter", "parameterReference", parameters)

collection("urls", "url", "urlReference", {
  key = { "name", "protocol", "method" },
  defaults = {
    type = "explicit",
    protocol = "http",
    method = "*",
    isAllowed = true,
    performStaging = true,
    description = "",
    attackSignaturesCheck = true,
    metacharsOnUrlCheck = true,
    clickjackingProtection = false,
    methodsOverrideOnUrlCheck = false,
    flowsToThisUrlCheck = false,
    inClassification = false,
    mandatoryBody = false,
    disallowFileUploadOfExecutables = false,
    html5CrossOriginRequestsEnforcement = { enforcementMode = "disabled" },
    signatureOverrides = array {},
    dynamicFlows = array {},
    metacharOverrides = array {},
    urlContentProfiles = content_profiles(),
  },
  optional = {
    name = "",
    wildcardOrder = 1,
    wildcardIncludesSlash = true,
    methodOverrides = array {},
    allowRenderingInFrames = "",
    allowRenderingInFramesOnlyFrom = "",
    positionalParameters = array {},
    urlIsolatedFlows = array {},
    createdBy = "",
  },
  enums = {
    type = { "explicit", "wildcard" },
    protocol = { "http", "https" },
    method = {
      "*", "ACL", "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT",
    },
  },
  element_defaults = { methodOverrides = { allowed = true } },
  element_required = { methodOverrides = "method" },
  leading_slash = true,
  children = { url_parameters() },
})

collection("websocket-urls", "websocket-url", "websocketUrlReference", {
  key = { "name", "protocol" },
  defaults = {
    type = "explicit",
    protocol = "ws",
    isAllowed = true,
    performStaging = true,
    description = "",
    nameBase64Encoded = false,
    learnNewEntities = "never",
    metacharsOnWebsocketUrlCheck = false,
    metacharOverrides = array {},
    html5CrossOriginRequestsEnforcement = { enforcementMode = "disabled" },
    unsupportedExtensions = "remove",
    checkPayload = true,
    allowTextMessage = true,
    allowJsonMessage = false,
    allowBinaryMessage = true,
    binaryMessageMaxSize = 10000,
    messageFrameMaxSize = 10000,
    messageFrameMaxCount = 100,
    checkMessageFrameMaxSize = true,
    checkMessageFrameMaxCount = true,
    checkBinaryMessageMaxSize = true,
  },
  optional = {
    name = "",
    wildcardOrder = 0,
    wildcardIncludesSlash = true,
    plainTextProfileReference = {},
    jsonProfileReference = {},
    createdBy = "",
  },
  enums = {
    type = { "explicit", "wildcard" },
    protocol = { "ws", "wss" },
    learnNewEntities = { "always", "never" },
    unsupportedExtensions = { "ignore", "block", "remove" },
  },
  element_defaults = { metacharOverrides = { isAllowed = true, metachar = "0x0" } },
})

collection("filetypes", "filetype", "filetypeReference", {
  key = { "name" },
  defaults = {
    type = "explicit",
    allowed = true,
    performStaging = true,
    responseCheck = false,
    checkUrlLength = true,
    urlLength = 100,
    checkRequestLength = true,
    requestLength = 5000,
    checkQueryStringLength = true,
    queryStringLength = 1000,
    checkPostDataLength = true,
    postDataLength = 1000,
    description = "",
  },
  optional = { name = "", wildcardOrder = 1, responseCheckLength = 0, createdBy = "" },
  enums = { type = { "explicit", "wildcard", "no-ext" } },
})

collection("cookies", "cookie", "cookieReference", {
  key = { "name" },
  defaults = {
    type = "explicit",
    enforcementType = "allow",
    performStaging = true,
    attackSignaturesCheck = true,
    isBase64 = false,
    insertSameSiteAttribute = "none",
    maskValueInLogs = false,
    securedOverHttpsConnection = false,
    accessibleOnlyThroughTheHttpProtocol = false,
    signatureOverrides = array {},
  },
  optional = { name = "", wildcardOrder = 1, decodeValueAsBase64 = "", createdBy = "" },
  enums = {
    type = { "explicit", "wildcard" }, enforcementType = { "allow", "enforce" },
    insertSameSiteAttribute = { "lax", "none", "none-value", "strict" },
  },
})

collection("headers", "header", "headerReference", {
  key = { "name" }, lower_case_name = true,
  defaults = {
    type = "explicit",
    mandatory = false,
    checkSignatures = true,
    allowRepeatedOccurrences = false,
    base64Decoding = false,
    htmlNormalization = false,
    maskValueInLogs = false,
    normalizationViolations = false,
    percentDecoding = true,
    urlNormalization = false,
    signatureOverrides = array {},
  },
  optional = { name = "", wildcardOrder = 1, decodeValueAsBase64 = "" },
  enums = { type = { "explicit", "wildcard" } },
})

collection("methods", "method", "methodReference", {
  key = { "name" },
  defaults = { actAsMethod = "GET" }, optional = { name = "" },
  enums = { actAsMethod = { "GET", "POST" } },
})

collection("host-names", "host-name", "hostNameReference", {
  key = { "name" },
  defaults = { includeSubdomains = false, createdBy = "GUI" }, optional = { name = "" },
})

collection("whitelist-ips", "whitelist-ip", "whitelistIpReference", {
  key = { "ipAddress", "ipMask" },
  defaults = {
    ipMask = "255.255.255.255",
    description = "",
    trustedByPolicyBuilder = false,
    ignoreAnomalies = false,
    neverLogRequests = false,
    blockRequests = "policy-default",
    ignoreIpReputation = false,
    neverLearnRequests = false,
  },
  optional = { ipAddress = "" },
  enums = { blockRequests = { "always", "never", "policy-default" } },
})

collection("sensitive-parameters", "sensitive-parameter", "sensitiveParameterReference", {
  key = { "name" }, defaults = {}, optional = { name = "" }, methods = "GET,POST,DELETE",
})
collection("navigation-parameters", "navigation-parameter", "navigationParameterReference", {
  key = { "name", "urlName" },
  defaults = { urlName = "" },
  optional = { name = "" },
  methods = "GET,POST,DELETE",
})
collection("extractions", "extraction", "extractionReference", {
  key = { "name" },
  defaults = {
    extractFromAllItems = false,
    searchInXml = false,
    searchInLinks = false,
    searchInEntireForm = false,
    searchInResponseBody = false,
    searchInForms = array {},
    checkLengthToExtract = false,
    extractUrlReferences = array {},
    extractFiletypeReferences = array {},
    extractFromRegularExpression = "",
  },
  optional = { name = "", parameterName = "", parameterLevel = "" },
})
collection(
  "redirection-protection-domains",
  "redirection-protection-domain",
  "redirectionProtectionDomainReference",
  {
    key = { "domainName" },
    defaults = { type = "explicit", includeSubdomains = false },
    optional = { domainName = "", wildcardOrder = 1 },
    enums = { type = { "explicit", "wildcard" } },
  }
)
collection("disallowed-geolocations", "disallowed-geolocation", "disallowedGeolocationReference", {
  key = { "countryName" }, defaults = {}, optional = { countryName = "", countryCode = "" },
})
collection("ssrf-hosts", "ssrf-host", "ssrfHostReference", {
  key = { "name" },
  defaults = { hostType = "explicit", type = "disallowed" },
  optional = { name = "" },
})
collection("csrf-urls", "csrf-url", "csrfUrlReference", {
  key = { "url", "method" },
  defaults = {
    method = "POST",
    enforcementAction = "verify-csrf-token",
    requiredParameters = "ignore",
  },
  optional = { url = "", wildcardOrder = 1, parametersList = array {} },
  enums = { enforcementAction = { "none", "verify-csrf-token", "verify-origin" } },
})
collection("flows", "flow", "flowReference", {
  key = { "toUrlReference" },
  defaults = { checkRequestMethod = true, allowAccess = true },
  optional = { toUrlReference = {} },
})
collection("microservices", "microservice", "microserviceReference", {
  key = { "hostName", "url" },
  defaults = { enforcementMode = "transparent", type = "explicit" },
  optional = { hostName = "", url = "" },
})
collection("webhooks", "webhook", "webhookReference", {
  key = { "name" }, defaults = { enabled = true }, optional = { name = "", url = "" },
})
collection("server-technologies", "server-technology", "serverTechnologyReference", {
  key = { "serverTechnologyReference" },
  defaults = {},
  optional = { serverTechnologyReference = {} },
  methods = "GET,POST,DELETE",
})
collection("open-api-files", "open-api-file", "openApiFileReference", {
  key = { "link" }, defaults = {}, optional = { link = "" },
})

-- -- profiles of content --

local function profile(defense, more)
  local spec <const> = {
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
collection("brute-force-attack-preventions", "brute-force-attack-prevention", "bruteForceAttackPreventionReference", {
  key = { "urlReference" },
  defaults = {
    alarm = true, block = true, useDeviceId = false, loginAttemptsFromTheSameClient = 5, preventionDuration = "unlimited",
    measurementPeriod = 1, reEnableLoginAfter = 600, sourceBasedProtectionDetectionPeriod = 3600,
    detectionCriteria = {
      failedLoginAttemptsIncreasePercent = 500, failedLoginAttemptsRateReached = 100, minimumFailedLoginAttempts = 20,
      action = "alarm-and-captcha", credentialsStuffingMatchesReached = 100, detectCredentialsStuffingAttack = true,
      detectDistributedBruteForceAttack = true,
    },
    preventionPolicy = {
      sourceIpBasedClientSideIntegrityDefense = false, urlBasedClientSideIntegrityDefense = true, sourceIpBasedRateLimiting = false,
      urlBasedRateLimiting = true,
    },
    suspiciousCriteria = { failedLoginAttemptsIncreasePercent = 500, failedLoginAttemptsRateReached = 20 },
    captchaBypassCriteria = { action = "alarm-and-drop", enabled = true, threshold = 5 },
    clientSideIntegrityBypassCriteria = { action = "alarm-and-captcha", enabled = true, threshold = 3 },
    leakedCredentialsCriteria = { action = "alarm-and-blocking-page", enabled = false },
    loginAttemptsFromTheSameDeviceId = { action = "alarm-and-captcha", enabled = false, threshold = 3 },
    loginAttemptsFromTheSameIp = { action = "alarm-and-captcha", enabled = true, threshold = 20 },
    loginAttemptsFromTheSameUser = { action = "alarm-and-captcha", enabled = true, threshold = 3 },
  },
  optional = { urlReference = {}, bruteForceProtectionForAllLoginPages = false },
  required = { "urlReference" },
})
local function thresholds(names)
  local scope <const> = {}
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

-- -- settings --

singleton("general", "general", "generalReference", {
  defaults = {
    enableEventCorrelation = true,
    maskCreditCardNumbersInRequest = true,
    enforcementReadinessPeriod = 7,
    allowedResponseCodes = array { 400, 401, 404, 407, 417, 503 },
    customXffHeaders = array {},
    pathParameterHandling = "as-parameters",
    triggerAsmIruleEvent = "disabled",
    trustXff = false,
    useDynamicSessionIdInUrl = false,
  },
  enums = { pathParameterHandling = { "as-parameters", "as-url", "ignore" } },
})
singleton(
  "antivirus", "policy-antivirus", "policyAntivirusReference",
  { defaults = { inspectHttpUploads = false } }
)
singleton("behavioral-enforcement", "behavioral-enforcement", "behavioralEnforcementReference", {
  defaults = {
    enableBehavioralEnforcement = false,
    enableBlockingCveSignatures = true,
    enableBlockingHighAccuracySignatures = true,
    enableBlockingLikelyMaliciousTransactions = true,
    enableBlockingSuspiciousTransactions = false,
    enableBlockingViolations = true,
    behavioralEnforcementViolations = array {},
  },
})
singleton(
  "cookie-settings",
  "cookie-settings",
  "cookieSettingsReference",
  { defaults = { maximumCookieHeaderLength = "any" } }
)
singleton(
  "header-settings",
  "header-settings",
  "headerSettingsReference",
  { defaults = { maximumHttpHeaderLength = "any" } }
)
singleton("csrf-protection", "csrf-protection", "csrfProtectionReference", {
  defaults = { enabled = false },
  optional = { sslOnly = false, expirationTimeInSeconds = "600", urls = array {} },
  when = { enabled = { sslOnly = false, expirationTimeInSeconds = "disabled" } },
})
singleton("data-guard", "data-guard", "dataGuardReference", {
  defaults = { enabled = false, enforcementMode = "ignore-urls-in-list" },
  optional = {
    creditCardNumbers = false,
    usSocialSecurityNumbers = false,
    customPatterns = false,
    customPatternsList = array {},
    exceptionPatterns = false,
    exceptionPatternsList = array {},
    fileContentDetection = false,
    maskData = false,
    enforcementUrls = array {},
    lastCcnDigitsToExpose = 4,
    lastSsnDigitsToExpose = 4,
    firstCustomCharactersToExpose = 4,
    lastCustomCharactersToExpose = 4,
    fileContentDetectionFormats = array {},
  },
  when = {
    enabled = {
      creditCardNumbers = true,
      usSocialSecurityNumbers = true,
      customPatterns = false,
      customPatternsList = array {},
      exceptionPatterns = false,
      exceptionPatternsList = array {},
      fileContentDetection = false,
      maskData = true,
      enforcementUrls = array {},
    },
  },
})
singleton("database-protection", "database-protection", "databaseProtectionReference", {
  defaults = { databaseProtectionEnabled = false, userSource = "apm" },
})
singleton("deception-settings", "deception-settings", "deceptionSettingsReference", {
  defaults = {
    enableCustomResponses = false,
    enableResponsePageByAttackType = true,
    serverTechnologyName = "Nginx",
  },
})
singleton("geolocation-enforcement", "geolocation-enforcement", "geolocationEnforcementReference", {
  defaults = { disallowedLocations = array {} },
})
singleton("ip-intelligence", "ip-intelligence", "ipIntelligenceReference", {
  defaults = { enabled = false }, optional = { ipIntelligenceCategories = array {} },
  when = { enabled = { ipIntelligenceCategories = array {} } },
})
singleton("redirection-protection", "redirection-protection", "redirectionProtectionReference", {
  defaults = { redirectionProtectionEnabled = true },
})
singleton("signature-settings", "signature-setting", "signatureSettingReference", {
  defaults = {
    signatureStaging = true,
    placeSignaturesInStaging = true,
    attackSignatureFalsePositiveMode = "disabled",
    minimumAccuracyForAutoAddedSignatures = "medium",
  },
  enums = { minimumAccuracyForAutoAddedSignatures = { "low", "medium", "high" } },
})
singleton("threat-campaign-settings", "threat-campaign-setting", "threatCampaignSettingReference", {
  defaults = { threatCampaignEnforcementReadinessPeriod = 1, threatCampaignStaging = false },
})
singleton("vulnerability-assessment", "vulnerability-assessment", "vulnerabilityAssessmentReference", {
  defaults = { scannerType = "none", automaticallyMitigate = false },
  enums = {
    scannerType = {
      "none", "generic", "cenzic-hailstorm", "ibm-appscan", "qualys", "quotium-seeker", "hp-webinspect", "trustwave", "whitehat-sentinel",
      "imperva-scuba", "nstalker", "rapid7", "acunetix",
    },
  },
})
singleton("web-scraping", "web-scraping", "webScrapingReference", {
  defaults = {
    enableFingerprinting = true,
    webScrapingConfiguration = {
      sessionTransactionAnomalyBlock = false,
      sessionTransactionAnomalyAlarm = false,
      sessionOpeningAnomalyBlock = false,
      sessionOpeningAnomalyAlarm = false,
      suspiciousClientsBlock = false,
      suspiciousClientsAlarm = false,
      botDetectionBlock = false,
      botDetectionAlarm = false,
      usePersistentStorage = false,
      useFingerprint = false,
    },
    sessionTransactionsAnomaly = {
      maximumSessionTransactionsPerSecond = 400,
      minimumSessionsTransactionsPerSecond = 200,
      preventionDuration = 1800,
      sessionTransactionsPerSecondIncreaseRate = 500,
    },
    botDetection = {
      rapidSurfingMaximumDistinctPages = 5,
      rapidSurfingMaximumChangedPages = 50,
      rapidSurfingMaximumTimeDuration = 30,
      checkEventsSequenceEnforcement = true,
      blockingPeriod = 500,
      graceThreshold = 100,
      safeIntervalThreshold = 2000,
    },
    sessionOpeningAnomaly = {
      minimumSessionsOpenedPerSecond = 25,
      maximumSessionsOpenedPerSecond = 50,
      checkSessionOpeningAnomaly = false,
      clientSideIntegrityDefense = false,
      rateLimiting = false,
      dropIpAddressesWithBadReputation = false,
      sessionsOpenedPerSecondIncreaseRate = 500,
      preventionDuration = 1800,
    },
    sessionOpeningThresholds = {
      checkFingerprintResets = false,
      checkStorageInconsistency = false,
      checkStorageResets = false,
      openingPersistentStorageResetsDuration = 600,
      openingPersistentStorageResetsMaximum = 10,
      openingPersistentStorageInconsistencyEventsMaximum = 3,
      openingPersistentStorageInconsistencyEventsDuration = 600,
      fingerprintResetsTimeWindow = 600,
      fingerprintResetsThreshold = 10,
      preventionDuration = 1800,
    },
    suspiciousClients = {
      detectBrowsersWithScrapingExtensions = false,
      scrapingExtensions = array {},
      preventionDuration = 300,
    },
  },
})

-- -- policy builder --

singleton("policy-builder", "policy-builder", "policyBuilderReference", {
  defaults = {
    learningMode = "manual",
    enablePolicyBuilder = false,
    trustAllIps = false,
    enableFullPolicyInspection = true,
    learnInactiveEntities = true,
    inactiveEntityInactivityDurationInDays = 90,
    learnFromResponses = false,
    learnOnlyFromNonBotTraffic = true,
    responseStatusCodes = array { "1xx", "3xx", "2xx" },
    enableTrustedTrafficSiteChangeTracking = true,
    enableUntrustedTrafficSiteChangeTracking = true,
    trafficTighten = {
      maxModificationSuggestionScore = 50,
      minDaysBetweenSamples = 1,
      totalRequests = 15000,
    },
    trustedTrafficLoosen = {
      differentSources = 1,
      maxDaysBetweenSamples = 7,
      minHoursBetweenSamples = 0,
    },
    trustedTrafficSiteChangeTracking = {
      differentSources = 1,
      maxDaysBetweenSamples = 7,
      minMinutesBetweenSamples = 0,
    },
    untrustedTrafficLoosen = {
      differentSources = 20,
      maxDaysBetweenSamples = 7,
      minHoursBetweenSamples = 1,
    },
    untrustedTrafficSiteChangeTracking = {
      differentSources = 10,
      maxDaysBetweenSamples = 7,
      minMinutesBetweenSamples = 20,
    },
  },
  enums = { learningMode = { "automatic", "manual", "disabled" } },
})
local LEARN <const> = { "always", "compact", "never", "selective" }
singleton(
  "policy-builder-central-configuration",
  "policy-builder-central-configuration",
  "policyBuilderCentralConfigurationReference",
  {
    defaults = { buildingMode = "local", eventCorrelationMode = "local" },
  }
)
singleton("policy-builder-cookie", "policy-builder-cookie", "policyBuilderCookieReference", {
  defaults = {
    collapseCookieOccurrences = 10,
    collapseCookiesIntoOneEntity = true,
    enforceUnmodifiedCookies = true,
    learnExplicitCookies = "selective",
    maximumCookies = 100,
  },
  enums = { learnExplicitCookies = LEARN },
})
singleton("policy-builder-filetype", "policy-builder-filetype", "policyBuilderFiletypeReference", {
  defaults = { learnExplicitFiletypes = "never", maximumFileTypes = 100 },
  enums = { learnExplicitFiletypes = LEARN },
})
singleton("policy-builder-header", "policy-builder-header", "policyBuilderHeaderReference", {
  defaults = { maximumHosts = 10000, validHostNames = false },
})
singleton(
  "policy-builder-parameter",
  "policy-builder-parameter",
  "policyBuilderParameterReference",
  {
    defaults = {
      classifyParameters = false,
      collapseParametersIntoOneEntity = false,
      learnExplicitParameters = "never",
      maximumParameters = 10000,
      parameterLearningLevel = "global",
      parametersIntegerValue = false,
      dynamicParameters = {
        allHiddenFields = false, formParameters = false, linkParameters = false,
        uniqueValueSets = 10,
      },
    },
    enums = { learnExplicitParameters = LEARN },
  }
)
singleton(
  "policy-builder-redirection-protection",
  "policy-builder-redirection-protection",
  "policyBuilderRedirectionProtectionReference",
  {
    defaults = { learnExplicitRedirectionDomains = "never", maximumRedirectionDomains = 100 },
  }
)
singleton(
  "policy-builder-server-technologies",
  "policy-builder-server-technologies",
  "policyBuilderServerTechnologiesReference",
  {
    defaults = { enableServerTechnologiesDetection = false },
  }
)
singleton(
  "policy-builder-sessions-and-logins",
  "policy-builder-sessions-and-logins",
  "policyBuilderSessionsAndLoginsReference",
  {
    defaults = { learnLoginPage = false },
  }
)
singleton("policy-builder-url", "policy-builder-url", "policyBuilderUrlReference", {
  defaults = {
    classifyUrls = false,
    classifyWebsocketUrls = false,
    collapseUrlDepth = 2,
    collapseUrlOccurrences = 500,
    collapseUrlsIntoOneEntity = true,
    learnExplicitUrls = "never",
    learnExplicitWebsocketUrls = "never",
    learnMethodsOnUrls = false,
    maximumUrls = 10000,
    maximumWebsocketUrls = 100,
    wildcardUrlFiletypes = array {
      "bmp", "gif", "ico", "jpeg", "jpg", "pcx", "pdf", "png", "swf", "wav",
    },
  },
  enums = { learnExplicitUrls = LEARN },
})

-- -- enforcement --

add("organizer", "blocking-settings", "blocking-setting", "blockingSettingReference", {
  children = {
    {
      type = "collection",
      path = "violations",
      ref = "violationReference",
      kind = "violation",
      key = { "name" },
      methods = NO_CREATE,
      defaults = {},
      optional = {
        name = "", alarm = false, block = false, learn = false, description = "",
        violationReference = {},
      },
      readonly = { name = true, description = true, violationReference = true },
    },
    {
      type = "collection",
      path = "evasions",
      ref = "evasionReference",
      kind = "evasion",
      key = { "description" },
      methods = NO_CREATE,
      defaults = {},
      optional = { description = "", enabled = false, learn = false, maxDecodingPasses = 0 },
      readonly = { description = true },
    },
    {
      type = "collection",
      path = "http-protocols",
      ref = "httpProtocolReference",
      kind = "http-protocol",
      key = { "description" },
      methods = NO_CREATE,
      defaults = {},
      optional = { description = "", enabled = false, learn = false, maxParams = 0, maxHeaders = 0 },
      readonly = { description = true },
    },
    {
      type = "collection",
      path = "web-services-securities",
      ref = "webServicesSecurityReference",
      kind = "web-services-security",
      key = { "description" },
      methods = NO_CREATE,
      defaults = {},
      optional = { description = "", enabled = false, learn = false },
      readonly = { description = true },
    },
  },
})
collection("signature-sets", "signature-set", "signatureSetReference", {
  key = { "signatureSetReference" },
  defaults = { alarm = true, block = true, learn = true },
  optional = { signatureSetReference = {} },
  required = { "signatureSetReference" },
})
collection("signatures", "signature", "signatureReference", {
  key = { "signatureReference" }, methods = NO_CREATE,
  defaults = { enabled = true, performStaging = true }, optional = { signatureReference = {} },
  readonly = { signatureReference = true, alarm = true, block = true, learn = true },
})
collection("signature-requirements", "signature-requirement", "signatureRequirementReference", {
  key = { "tag" },
  defaults = {},
  optional = { tag = "", minRevisionDatetime = "", maxRevisionDatetime = "" },
})
collection("threat-campaigns", "threat-campaign", "threatCampaignReference", {
  key = { "threatCampaignReference" },
  methods = NO_CREATE,
  defaults = { isEnabled = true, inStaging = false },
  optional = { threatCampaignReference = {} },
})
collection("character-sets", "character-set", "characterSetReference", {
  key = { "characterSetType" },
  methods = NO_CREATE,
  defaults = {},
  optional = { characterSetType = "", characterSet = array {} },
  readonly = { characterSetType = true },
  merge_by = { characterSet = "metachar" },
})
collection("response-pages", "response-page", "responsePageReference", {
  key = { "responsePageType" },
  methods = NO_CREATE,
  defaults = {},
  readonly = { responsePageType = true },
  optional = {
    responsePageType = "",
    responseActionType = "",
    responseHeader = "",
    responseContent = "",
    responseRedirectUrl = "",
    ajaxActionType = "",
    ajaxPopupMessage = "",
    ajaxEnabled = false,
    ajaxCustomContent = "",
    ajaxRedirectUrl = "",
    grpcStatusCode = "",
    grpcStatusMessage = "",
  },
  enums = {
    responseActionType = { "default", "custom", "redirect", "erase-cookies", "soap-fault" },
  },
})
collection(
  "deception-response-pages",
  "deception-response-page",
  "deceptionResponsePageReference",
  {
    key = { "responsePageType" }, methods = NO_CREATE, defaults = {},
    optional = { responsePageType = "" },
  }
)
collection(
  "sections",
  "section",
  "sectionReference",
  { key = { "name" }, methods = READ_ONLY, defaults = {}, optional = { name = "" } }
)

-- -- what the device keeps about a policy --

collection("vulnerabilities", "vulnerability", "vulnerabilityReference", {
  key = { "vulnerabilityId" },
  methods = "GET,PATCH,DELETE",
  many = true,
  defaults = {
    state = "pending", mitigationStatus = "not-mitigated", isIgnored = false, occurrences = 1,
  },
  optional = {
    vulnerabilityId = "",
    vulnerabilityName = "",
    attackType = "",
    severity = "",
    url = "",
    parameter = "",
    domainName = "",
    scannerType = "",
    canBeResolved = true,
    openDatetime = "",
  },
  readonly = {
    vulnerabilityId = true,
    vulnerabilityName = true,
    attackType = true,
    severity = true,
    url = true,
    parameter = true,
    domainName = true,
    scannerType = true,
    canBeResolved = true,
    openDatetime = true,
    mitigationStatus = true,
    occurrences = true,
  },
})
collection("suggestions", "suggestion", "suggestionReference", {
  key = { "serial" },
  methods = "GET,PATCH,DELETE",
  defaults = {
    status = "pending", alwaysManual = false, comment = "", isRead = false, score = 0,
    triggerType = "violation-mitigation",
  },
  optional = {
    serial = 0,
    creationDatetime = "",
    lastOccurrenceDatetime = "",
    violationReference = {},
    entityChanges = {},
    entityKind = "",
    entityName = "",
    action = "",
    entity = {},
    entityReference = {},
    parentEntityReference = {},
    occurrenceCount = 0,
    trustedIpCount = 0,
    untrustedIpCount = 0,
    trustedSessionCount = 0,
    untrustedSessionCount = 0,
    sampleRequests = array {},
    description = "",
    refinement = {},
    refinementReference = {},
    signatureReference = {},
    metachar = "",
    averageViolationRating = 0,
    violationRatingCounts = array {},
  },
  writable = { status = true, comment = true, isRead = true },
  enums = { status = { "pending", "ignored", "accept", "accept-and-stage" } },
})
collection("history-revisions", "history-revision", "historyRevisionReference", {
  key = { "revision" }, methods = "GET,DELETE", defaults = {},
  optional = {
    revision = 0,
    historyDatetime = "",
    deviceName = "",
    policyName = "",
    userName = "",
    lastChange = "",
    description = "",
  },
})
collection("audit-logs", "audit-log", "auditLogReference", {
  key = { "serial" }, methods = READ_ONLY, defaults = {},
  optional = {
    serial = 0,
    eventType = "",
    elementType = "",
    elementName = "",
    description = "",
    userName = "",
    userIp = "",
    timestamp = "",
    component = "",
    scopeReference = {},
  },
})
collection(
  "action-items",
  "action-item",
  "actionItemReference",
  { key = { "name" }, methods = READ_ONLY, defaults = {} }
)
collection(
  "disabled-action-items", "disabled-action-item", "disabledActionItemReference",
  { key = { "name" }, defaults = {} }
)

M.list = list

-- Made by the device, not configured: neither exported nor compared.
M.not_configuration = {
  ["vulnerabilities"] = true,
  ["suggestions"] = true,
  ["history-revisions"] = true,
  ["audit-logs"] = true,
  ["action-items"] = true,
  ["disabled-action-items"] = true,
  ["sections"] = true,
  ["session-tracking-statuses"] = true,
}

return M
