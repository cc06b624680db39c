-- Other settings of a policy.
local array = require("f5.json").array
local specs = require "sim.asm.policy.schema.specs"

local list <const>, _, singleton <const> = specs.new()

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
local ASSESSMENT <const> = "vulnerability-assessment"
singleton(ASSESSMENT, ASSESSMENT, "vulnerabilityAssessmentReference", {
  defaults = { scannerType = "none", automaticallyMitigate = false },
  enums = {
    scannerType = {
      "none", "generic", "cenzic-hailstorm", "ibm-appscan", "qualys", "quotium-seeker",
      "hp-webinspect", "trustwave", "whitehat-sentinel", "imperva-scuba", "nstalker", "rapid7",
      "acunetix",
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

return list
