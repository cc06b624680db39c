-- Application services and their templates.
local errors = require "sim.http.errors"
local names = require "sim.config.names"
local property = require "sim.kinds.common.property"
local validate = require "sim.config.validate"

local s <const> = property.text
local ROOT <const> = "/mgmt/tm/"

-- An application service has its own folder, NAME.app.
local application <const> = {
  own_folder = true,
  identify = function(_, body)
    local name = body.name
    if type(name) ~= "string" or name == "" then validate.nothing_to_do() end
    local partition, last = "Common", name
    if name:sub(1, 1) == "/" then
      local p, _, n = names.split(name)
      partition, last = p, n
    elseif type(body.partition) == "string" then
      partition = names.partition(body.partition)
    end
    return {
      name = last,
      partition = partition,
      subPath = last .. ".app",
      fullPath = names.full(partition, last .. ".app", last),
    }
  end,
  before = function(store, _, object, ctx)
    if not store:get(ROOT .. "sys/folder/~" .. object.partition) then
      error(
        errors.tm(
          400,
          ("The requested folder (/%s) was not found."):format(object.partition),
          26214401
        ),
        0
      )
    end
    if
      not store:get(
        ROOT .. "sys/folder/" .. names.segment(("/%s/%s"):format(object.partition, object.subPath))
      )
    then
      store:create(
        ROOT .. "sys/folder",
        { name = ("/%s/%s"):format(object.partition, object.subPath) },
        ctx
      )
    end
  end,
  prepare = function(store, object, properties, old, ctx)
    if ctx.seed then return end
    if not old and properties.template == nil then
      validate.refuse '"template" must be specified'
    end
    if properties.template and object.template then
      object.template = names.absolute(object.template, nil)
      if not store:get(ROOT .. "sys/application/template/" .. names.segment(object.template)) then
        error(
          errors.tm(
            404,
            ("01020036:3: The requested Application Template (%s) was not found."):format(
              object.template
            ),
            3
          ),
          0
        )
      end
    end
  end,
  removed = function(store, _, object)
    store:put(
      ROOT .. "sys/folder/" .. names.segment(("/%s/%s"):format(object.partition, object.subPath)),
      nil
    )
  end,
}

-- name, the lowest and the highest version it works with, the module that it needs
local templates <const> = {}
for n, entry in ipairs {
  { "bea_weblogic", "11.5.0", "13.1.0" },
  { "cifs", "11.4.0", "13.1.0", "am" },
  { "citrix_presentation_server", "11.4.0", "12.1.0", "ltm" },
  { "citrix_xen_app", "11.4.0", "12.1.0", "ltm" },
  { "diameter", "11.4.0", nil, "ltm" },
  { "dns", "11.4.0", nil, "ltm" },
  { "ftp", "11.4.0", "13.1.0", "am" },
  { "http", "11.5.0" },
  { "ip_forwarding", "11.4.0", nil, "ltm" },
  { "ldap", "11.4.0", nil, "ltm" },
  { "microsoft_exchange_2010", "11.4.0", "12.1.0", "ltm" },
  { "microsoft_exchange_owa_2007", "11.4.0", "12.1.0" },
  { "microsoft_iis", "11.5.0" },
  { "microsoft_lync_server_2010", "11.4.0", "12.1.0", "ltm" },
  { "microsoft_ocs_2007_r2", "11.4.0", "12.1.0", "ltm" },
  { "microsoft_sharepoint_2007", "11.4.0", "12.1.0" },
  { "microsoft_sharepoint_2010", "11.5.0" },
  { "npath", "11.4.0", nil, "ltm" },
  { "oracle_as_10g", "11.4.0", "13.1.0" },
  { "oracle_ebs", "11.5.0", "13.1.0" },
  { "peoplesoft_9", "11.5.0", "13.1.0" },
  { "radius", "11.4.0", nil, "ltm" },
  { "replication", "11.4.0", "13.1.0", "am" },
  { "sap_enterprise_portal", "11.5.0", "13.1.0" },
  { "sap_erp", "11.5.0", "13.1.0" },
  { "vmware_view", "11.4.0", "12.1.0", "ltm" },
  { "vmware_vmotion", "11.4.0", "13.1.0", "am" },
} do
  templates[n] = {
    name = "f5." .. entry[1], requiresBigipVersionMin = entry[2],
    requiresBigipVersionMax = entry[3], requiresModules = entry[4] and { entry[4] } or nil,
    signingKey = "/Common/f5-irule", totalSigningStatus = "one-cert-signed",
    verificationStatus = "signature-verified",
  }
end

return {
  ["sys/application/service"] = {
    facts = {
      noun = "Application Service",
      props = { deviceGroup = s("none") },
    },
    checks = application,
  },
  ["sys/application/template"] = {
    facts = {
      noun = "Application Template",
      props = {
        requiresBigipVersionMin = { d = false }, signingKey = { d = false },
        totalSigningStatus = { d = "not-all-signed" }, verificationStatus = { d = false },
      },
    },
    factory = { protected = true, objects = templates },
  },
  ["sys/application/template/*/actions"] = {
    facts = { type = "collection", flat = true, open = true },
  },
}
