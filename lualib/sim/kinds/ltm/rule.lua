-- iRules.
local irule = require "sim.kinds.common.irule"
local objects = require "sim.config.objects"
local property = require "sim.kinds.common.property"
local rule_names = require "sim.kinds.common.rule_names"
local validate = require "sim.config.validate"
local texts = require "sim.text"

local s <const> = property.text

local rule <const> = {
  in_use = function(object, user)
    if not user.template:find "^security/firewall/.*rules$" then return nil end
    return (
      "01070830:3: The iRule (%s) cannot be deleted because it is in use by a fw_rule (%s) in "
        .. "Policy (%s)."
    ):format(object.fullPath, user.object.name, user.owner.fullPath or user.owner.name)
  end,
  prepare = function(_, object, properties)
    local text = object.apiAnonymous
    if properties.apiAnonymous and text then
      validate.text_length(validate.text("apiAnonymous", text))
      local mistake = irule.mistake(text)
      if mistake then
        validate.refuse_mcpd(
          ("01070151:3: Rule [%s] error: %s:%s"):format(object.fullPath, object.fullPath, mistake)
        )
      end
      -- A device drops white space around the text.
      object.apiAnonymous = texts.trim(text)
    end
  end,
  changed = function(store, path, object, old, ctx)
    if object.apiAnonymous == old.apiAnonymous then return end
    for _, user in ipairs(store:users(path)) do
      if user:find "^/mgmt/tm/ltm/virtual/[^/]+$" then objects.settle(store, user, ctx) end
    end
  end,
}

-- The events that a rule handles, in order.
-- A rule has one line for each event that it handles.
local function events_of(object)
  local list, seen = {}, {}
  local text = "\n" .. (object.apiAnonymous or "")
  for place, event in text:gmatch "()%f[%w]when%s+([%u_%d]+)" do
    local at = place - 1  -- only spaces separate it from the end of a command
    while at > 1 and text:find("^[^%S\n]", at) do at = at - 1 end
    if not seen[event] and text:find("^[\n;}]", at) then
      list[#list + 1] = event
      seen[event] = true
    end
  end
  return list
end

-- Statistics have one line for each event that a rule handles.
local function lines(object)
  local list = {}
  for i, event in ipairs(events_of(object)) do
    list[i] = { suffix = ":" .. event, values = { eventType = event } }
  end
  return list
end

-- The iRules of a new device, with their events. Their texts, which F5 wrote, are not simulated.
local SYSTEM <const> = {
  _sys_APM_ExchangeSupport_OA_BasicAuth =
    "RULE_INIT ACCESS_ACL_ALLOWED HTTP_REQUEST ACCESS_SESSION_STARTED ACCESS_POLICY_COMPLETED",
  _sys_APM_ExchangeSupport_OA_NtlmAuth = "RULE_INIT HTTP_REQUEST ECA_REQUEST_ALLOWED"
    .. " ECA_REQUEST_DENIED HTTP_RESPONSE_RELEASE ACCESS_SESSION_STARTED ACCESS_ACL_ALLOWED"
    .. " ACCESS_POLICY_COMPLETED",
  _sys_APM_ExchangeSupport_helper = "HTTP_REQUEST HTTP_REQUEST_DATA",
  _sys_APM_ExchangeSupport_main = "RULE_INIT ACCESS_ACL_ALLOWED HTTP_REQUEST"
    .. " ACCESS_SESSION_STARTED HTTP_RESPONSE HTTP_RESPONSE_DATA ACCESS_POLICY_COMPLETED",
  _sys_APM_MS_Office_OFBA_Support = "RULE_INIT CLIENT_ACCEPTED HTTP_REQUEST HTTP_RESPONSE"
    .. " ACCESS_SESSION_STARTED ACCESS_ACL_ALLOWED",
  _sys_APM_Office365_SAML_BasicAuth =
    "RULE_INIT HTTP_REQUEST ACCESS_SESSION_STARTED HTTP_RESPONSE",
  _sys_APM_activesync = "RULE_INIT HTTP_REQUEST ACCESS_SESSION_STARTED ACCESS_POLICY_COMPLETED",
  _sys_auth_krbdelegate = "HTTP_REQUEST AUTH_RESULT HTTP_RESPONSE",
  _sys_auth_ldap = "HTTP_REQUEST AUTH_RESULT",
  _sys_auth_radius = "HTTP_REQUEST AUTH_RESULT",
  _sys_auth_ssl_cc_ldap = "CLIENT_ACCEPTED CLIENTSSL_CLIENTCERT CLIENTSSL_HANDSHAKE AUTH_RESULT",
  _sys_auth_ssl_crldp = "CLIENT_ACCEPTED CLIENTSSL_CLIENTCERT CLIENTSSL_HANDSHAKE AUTH_RESULT",
  _sys_auth_ssl_ocsp = "CLIENT_ACCEPTED CLIENTSSL_CLIENTCERT CLIENTSSL_HANDSHAKE AUTH_RESULT",
  _sys_auth_tacacs = "HTTP_REQUEST AUTH_RESULT",
}

local function system_rules()
  local list = {
    {
      name = "_sys_https_redirect",
      apiAnonymous = "nodelete nowrite\nwhen HTTP_REQUEST {\n"
        .. '    HTTP::redirect https://[getfield [HTTP::host] ":" 1][HTTP::uri]\n}',
    },
  }
  for name, events in pairs(SYSTEM) do
    local text = events:gsub("[%u_]+ ?", function(event)
      return ("when %s {\n}\n"):format((event:gsub(" ", "")))
    end)
    list[#list + 1] = { name = name, apiAnonymous = "nodelete nowrite\n" .. text:sub(1, -2) }
  end
  for _, rule_of in ipairs(list) do
    rule_of.apiRawValues = { verificationStatus = "signature-verified" }
  end
  return list
end

return {
  ["ltm/rule"] = {
    facts = {
      noun = "iRule",
      props = {
        apiAnonymous = s(),
        ignoreVerification = s(),
        verificationStatus = s(nil, { r = true }),
      },
    },
    checks = rule,
    relations = rule_names.RELATIONS,
    stats = { lines = lines },
    factory = {
      protected = true,
      objects = system_rules,
    },
  },
  ["ltm/global-settings/rule"] = {
    facts = {
      type = "singleton", open = true, props = { ruleAbortedLogRatio = { t = "i", d = 1 } },
    },
  },
}
