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

local templates <const> = {}
for n, name in ipairs {
  "bea_weblogic", "cifs", "citrix_presentation_server", "citrix_xen_app", "diameter", "dns", "ftp",
  "http", "ip_forwarding", "ldap", "microsoft_exchange_2010", "microsoft_exchange_owa_2007",
  "microsoft_iis", "microsoft_lync_server_2010", "microsoft_ocs_2007_r2",
  "microsoft_sharepoint_2007", "microsoft_sharepoint_2010", "npath", "oracle_as_10g", "oracle_ebs",
  "peoplesoft_9", "radius", "replication", "sap_enterprise_portal", "sap_erp", "vmware_view",
  "vmware_vmotion",
} do
  templates[n] = { name = "f5." .. name }
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
    facts = { noun = "Application Template" },
    factory = { protected = true, objects = templates },
  },
  ["sys/application/template/*/actions"] = {
    facts = { type = "collection", flat = true, open = true },
  },
}
