-- The properties of each kind of task of ASM. Everything else is the same for all, see
-- sim/asm/tasks/init.lua.
local array = require("f5.json").array

local function task(path, spec)
  spec.type, spec.path, spec.kind = "collection", path, path .. "-task"
  spec.key, spec.methods, spec.task = { "_serial" }, "GET,POST,DELETE", path
  spec.defaults = spec.defaults or {}
  spec.optional = spec.optional or {}
  spec.required = spec.required or {}
  return spec
end

local POLICY <const> = { "policyReference" }

return {
  task("apply-policy", { optional = { policyReference = {} }, required = POLICY }),
  task("export-policy", {
    defaults = {
      isBase64 = false, inline = false, minimal = false, format = "xml", exportSuggestions = false,
      includeVulnerabilityAssessmentConfigurationAndData = true,
    },
    optional = { policyReference = {}, filename = "" }, required = POLICY,
    enums = { format = { "xml", "json", "compact", "binary" } },
  }),
  task("import-policy", {
    defaults = {
      isBase64 = false,
      getPolicyAttributesOnly = false,
      retainInheritanceSettings = false,
    },
    optional = {
      name = "",
      fullPath = "",
      partition = "",
      file = "",
      filename = "",
      policyReference = {},
      policyTemplateReference = {},
      policyHistoryReference = {},
      applicationLanguage = "",
      caseInsensitive = false,
      protocolIndependent = false,
    },
  }),
  task("policy-diff", {
    optional = { firstPolicyReference = {}, secondPolicyReference = {} },
    required = { "firstPolicyReference", "secondPolicyReference" },
  }),
  task("policy-merge", {
    defaults = {
      addMissingEntitiesToFirst = false,
      addMissingEntitiesToSecond = false,
      handleCommonEntities = "ignore",
      handleMissingEntities = "ignore",
      itemFilter = "",
    },
    optional = { policyDiffReference = {} }, required = { "policyDiffReference" },
    enums = {
      handleCommonEntities = { "ignore", "accept-from-first", "accept-from-second" },
      handleMissingEntities = {
        "ignore", "accept-from-first", "accept-from-second", "accept-from-both",
      },
    },
  }),
  task("check-signatures", {}),
  task(
    "update-signatures",
    {
      defaults = { isUserDefined = false, isBase64 = false },
      optional = { file = "", filename = "" },
    }
  ),
  task(
    "export-signatures",
    {
      defaults = { inline = false, isBase64 = false },
      optional = { filename = "" },
      required = { "filename" },
    }
  ),
  task("import-vulnerabilities", {
    defaults = {
      isBase64 = false, onlyGetDomainNames = false, importAllDomainNames = false,
      domainNames = array {},
    },
    optional = { policyReference = {}, file = "", filename = "", scanId = "", subscriptionId = "" },
    required = POLICY,
  }),
  task(
    "get-vulnerability-assessment-subscriptions",
    { optional = { policyReference = {} }, required = POLICY }
  ),
  task("initiate-vulnerability-assessment", {
    optional = { policyReference = {}, subscriptionId = "" },
    required = { "policyReference", "subscriptionId" },
  }),
  task(
    "terminate-vulnerability-assessment",
    { optional = { policyReference = {} }, required = POLICY }
  ),
  task("resolve-vulnerabilities", {
    defaults = { getPreResolveMessages = false, stageVulnerabilities = false },
    optional = { vulnerabilities = array {} },
    required = { "vulnerabilities" },
  }),
  task("export-data-protection", { defaults = { inline = false }, optional = { filename = "" } }),
  task("import-data-protection", {
    defaults = { graceAcceptingIntervalInMinutes = 2880, graceSigningIntervalInMinutes = 30 },
    optional = { filename = "", file = "" },
  }),
  task("import-certificate", {
    defaults = { certificateType = "client", saveExpiredOrUntrustedCertificate = false },
    optional = { certificateName = "", file = "", filename = "" }, required = { "certificateName" },
    enums = { certificateType = { "client", "server" } },
  }),
}
