-- Records of the device about a policy: suggestions, revisions, the audit log …
local array = require("f5.json").array
local specs = require "sim.asm.policy.schema.specs"

local list <const>, collection <const> = specs.new()
local READ_ONLY <const> = "GET"

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

return list
