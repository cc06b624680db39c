-- Entities of a policy that traffic is compared with: parameters, URLs, file types, cookies …
local array = require("f5.json").array
local specs = require "sim.asm.policy.schema.specs"

local list <const>, collection <const> = specs.new()

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
  local spec = {}
  for name, value in pairs(parameters) do spec[name] = value end
  spec.defaults = {}
  for name, value in pairs(parameters.defaults) do spec.defaults[name] = value end
  spec.defaults.level = "url"
  spec.type, spec.path, spec.kind, spec.ref =
    "collection", "parameters", "parameter", "parameterReference"
  return spec
end

collection("parameters", "parameter", "parameterReference", parameters)

-- An origin that may send requests from another domain.
local ALLOWED_ORIGIN <const> =
  { includeSubDomains = false, originPort = "all", originProtocol = "http/https" }

local ORIGIN_MODES <const> = { "disabled", "enforce", "remove-all-headers", "replace-headers" }
local ORIGINS <const> = { "http", "http/https", "https" }

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
    ["html5CrossOriginRequestsEnforcement.enforcementMode"] = ORIGIN_MODES,
    ["html5CrossOriginRequestsEnforcement.crossDomainAllowedOrigin.originProtocol"] = ORIGINS,
    protocol = { "http", "https" },
    method = {
      "*", "ACL", "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT",
    },
  },
  element_defaults = {
    methodOverrides = { allowed = true },
    ["html5CrossOriginRequestsEnforcement.crossDomainAllowedOrigin"] = ALLOWED_ORIGIN,
  },
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
    ["html5CrossOriginRequestsEnforcement.enforcementMode"] = ORIGIN_MODES,
    ["html5CrossOriginRequestsEnforcement.crossDomainAllowedOrigin.originProtocol"] = ORIGINS,
    protocol = { "ws", "wss" },
    learnNewEntities = { "always", "never" },
    unsupportedExtensions = { "ignore", "block", "remove" },
  },
  element_defaults = {
    metacharOverrides = { isAllowed = true, metachar = "0x0" },
    ["html5CrossOriginRequestsEnforcement.crossDomainAllowedOrigin"] = ALLOWED_ORIGIN,
  },
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

return list
