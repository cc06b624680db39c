-- Settings of the policy builder: how a policy learns.
local array = require("f5.json").array
local specs = require "sim.asm.policy.schema.specs"

local list <const>, _, singleton <const> = specs.new()

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

return list
