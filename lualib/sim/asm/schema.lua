-- The schema of /mgmt/tm/asm: its collections and settings, their methods and properties.
--
-- methods: default GET, POST, PATCH and DELETE. many: PATCH and DELETE of many entities by a filter
-- are supported.
local array = require("f5.json").array
local policy_schema = require "sim.asm.policy.schema"

local M = {}

local READ_ONLY <const> = "GET"

local FILTER <const> = {
  riskFilter = "all",
  accuracyFilter = "all",
  userDefinedFilter = "all",
  lastUpdatedFilter = "all",
  accuracyValue = "all",
  riskValue = "all",
  signatureType = "all",
  hasCve = "all",
  tagFilter = "all",
  attackTypeReference = nil,
}

-- All collections of a policy support PATCH and DELETE of many.
local function take_many(specs)
  for _, spec in ipairs(specs) do
    if spec.type == "collection" then spec.many = true end
    take_many(spec.children or {})
  end
end
take_many(policy_schema.list)

M.policies = {
  type = "collection",
  path = "policies",
  kind = "policy",
  key = { "fullPath" },
  is_policy = true,
  many = false,
  defaults = {
    description = "",
    partition = "Common",
    type = "security",
    enforcementMode = "blocking",
    applicationLanguage = "utf-8",
    caseInsensitive = false,
    protocolIndependent = false,
    enablePassiveMode = false,
    virtualServers = array {},
    manualVirtualServers = array {},
    hasParent = false,
    active = false,
    isModified = false,
    managedByBewaf = false,
  },
  optional = {
    name = "",
    fullPath = "",
    subPath = "",
    createdDatetime = "",
    creatorName = "",
    modifierName = "",
    versionDatetime = "",
    versionDeviceName = "",
    versionLastChange = "",
    versionPolicyName = "",
    templateReference = {},
    parentPolicyReference = {},
    policyTemplateReference = {},
  },
  readonly = {
    subPath = true,
    createdDatetime = true,
    creatorName = true,
    modifierName = true,
    versionDatetime = true,
    versionDeviceName = true,
    versionLastChange = true,
    versionPolicyName = true,
    hasParent = true,
    active = true,
    isModified = true,
    managedByBewaf = true,
  },
  -- set by the POST only
  fixed = {
    name = true,
    fullPath = true,
    partition = true,
    type = true,
    templateReference = true,
    policyTemplateReference = true,
    caseInsensitive = true,
    applicationLanguage = true,
    protocolIndependent = true,
    parentPolicyReference = true,
  },
  enums = { enforcementMode = { "blocking", "transparent" }, type = { "security", "parent" } },
  children = policy_schema.list,
}

M.signatures = {
  type = "collection", path = "signatures", kind = "signature", key = { "name" }, many = false,
  defaults = {
    signatureType = "request",
    accuracy = "medium",
    risk = "medium",
    isUserDefined = true,
    description = "",
    revision = 1,
    hasCve = false,
    systems = array {},
    references = array {},
    tag = "",
  },
  optional = { name = "", rule = "", attackTypeReference = {}, signatureId = 0 },
  readonly = { isUserDefined = true, signatureId = true, revision = true },
  required = { "name", "rule", "attackTypeReference" },
  enums = {
    signatureType = { "request", "response" },
    accuracy = { "low", "medium", "high" },
    risk = { "low", "medium", "high" },
  },
}

M.signature_sets = {
  type = "collection",
  path = "signature-sets",
  kind = "signature-set",
  key = { "name" },
  many = false,
  defaults = {
    type = "filter-based",
    isUserDefined = true,
    category = "User-defined",
    assignToPolicyByDefault = false,
    defaultAlarm = true,
    defaultBlock = true,
    defaultLearn = true,
    filter = FILTER,
    systems = array {},
  },
  optional = { name = "", signatureReferences = array {} }, readonly = { isUserDefined = true },
  enums = { type = { "filter-based", "manual" } },
}

-- The guide calls it signatures-update. Devices since 11.6 call it signature-update.
local function update_settings(path)
  return {
    type = "singleton",
    path = path,
    kind = "sigfile-update-settings",
    defaults = {
      updateMode = "manual", updateInterval = "none", autoApplyNewSignaturesConfiguration = false,
      useProxy = false,
    },
    enums = {
      updateMode = { "manual", "scheduled" },
      updateInterval = { "none", "daily", "weekly", "monthly" },
    },
  }
end

M.root = {
  type = "organizer", path = "", kind = "asm",
  children = {
    {
      type = "collection",
      path = "attack-types",
      kind = "attack-type",
      key = { "name" },
      methods = READ_ONLY,
      defaults = {},
      optional = { name = "", description = "" },
    },
    M.signatures,
    {
      type = "collection",
      path = "signature-statuses",
      kind = "signature-status",
      key = { "timestamp", "isUserDefined" },
      methods = READ_ONLY,
      defaults = {},
      optional = {
        sigsAdded = 0,
        sigsUpdated = 0,
        sigsUpdatedMinor = 0,
        sigsUpdatedMajor = 0,
        sigsDeleted = 0,
        sigsTotal = 0,
        isUserDefined = false,
        readme = "",
        modifiedSignatures = array {},
        loadTime = "",
        timestamp = "",
      },
    },
    M.signature_sets,
    update_settings "signatures-update",
    update_settings "signature-update",
    {
      type = "collection",
      path = "signature-systems",
      kind = "signature-system",
      key = { "name" },
      methods = READ_ONLY,
      defaults = {},
      optional = { name = "" },
    },
    {
      type = "collection",
      path = "policy-templates",
      kind = "policy-template",
      key = { "title" },
      methods = READ_ONLY,
      defaults = {},
      optional = {
        name = "", title = "", description = "", fileName = "", userDefined = false,
        templateType = "", policyType = "",
      },
    },
    M.policies,
    {
      type = "collection",
      path = "server-technologies",
      kind = "server-technology",
      key = { "serverTechnologyName" },
      methods = READ_ONLY,
      defaults = {},
      optional = {
        serverTechnologyName = "",
        serverTechnologyDisplayName = "",
        description = "",
        logoFileName = "",
        isLearnable = true,
        hasDeceptionResponses = false,
        serverTechnologyReferences = array {},
      },
    },
    {
      type = "collection",
      path = "advanced-settings",
      kind = "advanced-setting",
      key = { "name" },
      methods = "GET,PATCH",
      defaults = {},
      optional = {
        name = "",
        value = 0,
        defaultValue = 0,
        minValue = 0,
        maxValue = 0,
        format = "",
        units = "",
        isUserDefined = false,
      },
      writable = { value = true },
    },
    {
      type = "collection",
      path = "violations",
      kind = "violation",
      key = { "name" },
      methods = READ_ONLY,
      defaults = {},
      optional = { name = "", title = "", description = "", isUserDefined = false },
    },
    {
      type = "collection",
      path = "policy-diffs",
      kind = "policy-diff",
      key = { "_serial" },
      methods = "GET,DELETE",
      many = true,
      defaults = {},
      optional = { firstPolicyReference = {}, secondPolicyReference = {}, createDatetime = "" },
      children = {
        {
          type = "collection",
          path = "differences",
          kind = "difference",
          ref = "differenceReference",
          methods = READ_ONLY,
          key = { "entityKind", "entityName" },
          defaults = {},
          optional = {
            entityKind = "",
            entityType = "",
            entityName = "",
            diffType = "",
            details = array {},
            firstEntityReference = {},
            secondEntityReference = {},
            firstLastUpdateMicros = 0,
            secondLastUpdateMicros = 0,
            canMergeFirstToSecond = true,
            canMergeSecondToFirst = true,
          },
        },
      },
    },
    {
      type = "collection",
      path = "certificates",
      kind = "certificate",
      key = { "certificateName" },
      methods = "GET,DELETE",
      many = true,
      defaults = {},
      optional = {
        certificateName = "", certificateType = "", expirationDatetime = "", isExpired = false,
        isTrusted = false,
      },
    },
    {
      type = "singleton",
      path = "data-protection",
      kind = "data-protection",
      methods = READ_ONLY,
      defaults = { isShared = false },
      optional = { lastImportDatetime = "", acceptingUntilDatetime = "", signingFromDatetime = "" },
    },
    {
      type = "organizer", path = "events", kind = "events",
      children = {
        {
          type = "collection",
          path = "requests",
          kind = "request",
          key = { "supportId" },
          methods = "GET,DELETE",
          many = true,
          defaults = { isIllegal = true, isBlocked = false },
          optional = {
            supportId = "",
            requestDatetime = "",
            method = "",
            uri = "",
            clientIp = "",
            clientPort = 0,
            protocol = "",
            responseCode = 0,
            violationRating = 0,
            requestPolicyReference = {},
            violations = array {},
            rawRequest = "",
            geolocation = "",
            username = "",
          },
        },
      },
    },
    {
      type = "organizer", path = "tasks", kind = "tasks", children = require "sim.asm.tasks.schema",
    },
  },
}

return M
