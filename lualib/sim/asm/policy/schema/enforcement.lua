-- Settings of a policy about enforcement.
local array = require("f5.json").array
local specs = require "sim.asm.policy.schema.specs"

local list <const>, collection <const>, _, organizer <const> = specs.new()
local READ_ONLY <const> = "GET"
local NO_CREATE <const> = "GET,PATCH"

organizer("blocking-settings", "blocking-setting", "blockingSettingReference", {
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
      optional = {
        description = "", enabled = false, learn = false, maxParams = 0, maxHeaders = 0,
      },
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

return list
