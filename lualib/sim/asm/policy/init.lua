-- Security policies: the contents of a new one, and the records that changes leave in it.
local array = require("f5.json").array
local blocking = require "sim.asm.blocking"
local content = require "sim.asm.content"
local entity = require "sim.asm.entity"
local odata = require "sim.asm.odata"
local requests = require "sim.http.request"
local tables = require "sim.tables"
local tree = require "sim.asm.tree"

local M = {}

-- -- traces of changes --

-- "maximumCookieHeaderLength" -> "Maximum Cookie Header Length"
local function title(name)
  return (
    name
      :gsub("-", " ")
      :gsub("(%l)(%u)", "%1 %2")
      :gsub("(%a)(%w*)", function(first, rest) return first:upper() .. rest end)
  )
end

local function shown(value)
  if type(value) == "table" then return value.name or value.link or "changed" end
  return tostring(value)
end

--- Records a change of a policy. event: "add", "update" or "delete"; changes: name -> value, or
--- nil.
function M.touch(context, event, changes, user)
  local policy = context.policy
  if not policy then return end
  local device, data = context.device, policy.record.data
  local now = device:now()
  local names, parts = {}, {}
  for name in pairs(changes or {}) do names[#names + 1] = name end
  table.sort(names)
  for index, name in ipairs(names) do
    parts[index] = ("%s was set to %s."):format(title(name), shown(changes[name]))
  end
  local who, from =
    user and user.name or "admin", user and user.address or "127.0.0.1"
  local object = context.record.data or {}
  local element = title(context.spec.kind)
  local label = object.name or object.url or object.description or object.fileName or ""
  local text = ("%s %s [%s]: %s { audit: policy = %s, username = %s, client IP = %s }"):format(
    element, label, event, table.concat(parts, "\n"), data.fullPath, who, from)
  data.isModified = true
  data.versionDatetime, data.versionLastChange, data.modifierName = entity.iso(now), text, who
  data.versionDeviceName, data.versionPolicyName = device.hostname, data.fullPath
  data.lastUpdateMicros = entity.micros(now)
  local logs = policy:child("audit-logs")
  local serial = (policy.record._audits or 0) + 1
  policy.record._audits = serial
  logs:insert({
    serial = serial,
    eventType = event,
    elementType = element,
    elementName = label,
    description = table.concat(parts, "\n"),
    userName = who,
    userIp = from,
    timestamp = entity.iso(now),
    component = "REST API",
  })
end

-- -- contents of a new policy --

local function put(policy, path, body)
  local collection = policy:child(path)
  local item = collection:insert(entity.create(collection.spec, body))
  return item
end

-- Adds a read-only entity, which `create` would refuse.
local function put_raw(collection, object)
  return collection:insert(object)
end

local RESPONSE_PAGES <const> = {
  "default",
  "xml",
  "ajax",
  "ajax-login",
  "hijack",
  "persistent-flow",
  "mobile",
  "captcha",
  "captcha-fail",
  "failed-login-honeypot",
  "failed-login-honeypot-ajax",
  "leaked-credentials",
  "leaked-credentials-ajax",
  "graphql",
}
local PAGE_ACTION <const> = { xml = "soap-fault", hijack = "erase-cookies" }

local CHARACTER_SETS <const> = {
  "gwt-content",
  "header",
  "json-content",
  "parameter-name",
  "parameter-value",
  "plain-text-content",
  "url",
  "xml-content",
}

local function fill_enforcement(policy, rapid)
  local settings = policy:child("blocking-settings")
  local violations = settings:child("violations")
  for _, row in ipairs(blocking.violations) do
    put_raw(violations, {
      name = row[1], description = row[2], alarm = row[3], block = row[4], learn = row[5],
      violationReference = content.reference("violations", row[1]),
    })
  end
  local is_on = { ["web-services-securities"] = rapid }
  for path, rows in pairs {
    evasions = blocking.evasions, ["http-protocols"] = blocking.http_protocols,
    ["web-services-securities"] = blocking.web_services_securities,
  } do
    local collection = settings:child(path)
    for _, row in ipairs(rows) do
      put_raw(collection, {
        description = row[1],
        enabled = row[2] and is_on[path] ~= false,
        learn = row[3],
        maxDecodingPasses = row.maxDecodingPasses,
        maxParams = row.maxParams,
        maxHeaders = row.maxHeaders,
      })
    end
  end
  for _, type in ipairs(RESPONSE_PAGES) do
    local ajax = type:find("ajax", 1, true) ~= nil
    put_raw(policy:child("response-pages"), {
      responsePageType = type,
      responseActionType = not ajax and (PAGE_ACTION[type] or "default") or nil,
      ajaxActionType = ajax and "alert-popup" or nil,
      ajaxEnabled = type == "ajax" and false or nil,
      ajaxPopupMessage = ajax
          and "The requested URL was rejected. Your support ID is: <%TS.request.ID()%>"
        or nil,
    })
  end
  for _, type in ipairs(CHARACTER_SETS) do
    local set = array {}
    for code = 0, 127 do
      local control = code < 32 and code ~= 9 and code ~= 10 and code ~= 13 or code == 127
      set[code + 1] = { metachar = ("0x%x"):format(code), isAllowed = not control }
    end
    put_raw(policy:child("character-sets"), { characterSetType = type, characterSet = set })
  end
end

local PROFILES <const> =
  { gwt = "GWT", json = "JSON", xml = "XML", ["plain-text"] = "Plain Text", graphql = "GraphQL" }

local function fill_entities(policy, rapid)
  for kind, label in pairs(PROFILES) do
    put(
      policy,
      kind .. "-profiles",
      { name = "Default", description = ("Default %s Profile"):format(label) }
    )
  end
  put(policy, "parameters", {
    name = "*",
    type = "wildcard",
    valueType = "auto-detect",
    allowRepeatedParameterName = true,
    performStaging = not rapid,
    metacharsOnParameterValueCheck = false,
  })
  put(policy, "parameters", {
    name = "__VIEWSTATE",
    valueType = "ignore",
    performStaging = false,
    attackSignaturesCheck = false,
  })
  for _, protocol in ipairs { "http", "https" } do
    put(policy, "urls", {
      name = "*",
      protocol = protocol,
      type = "wildcard",
      performStaging = not rapid,
      metacharsOnUrlCheck = false,
      wildcardIncludesSlash = true,
      wildcardOrder = 2,
    })
  end
  for _, protocol in ipairs { "ws", "wss" } do
    put(policy, "websocket-urls", {
      name = "*",
      protocol = protocol,
      type = "wildcard",
      performStaging = not rapid,
      wildcardIncludesSlash = true,
      wildcardOrder = 1,
    })
  end
  put(policy, "filetypes", { name = "*", type = "wildcard", performStaging = not rapid })
  put(policy, "cookies", { name = "*", type = "wildcard" })
  put(policy, "headers", { name = "*", type = "wildcard", allowRepeatedOccurrences = true })
  for _, name in ipairs { "authorization", "cookie", "referer", "transfer-encoding" } do
    put(
      policy,
      "headers",
      { name = name, maskValueInLogs = name == "authorization", checkSignatures = name ~= "cookie" }
    )
  end
  for _, name in ipairs { "GET", "POST", "HEAD" } do
    put(policy, "methods", { name = name, actAsMethod = name == "POST" and "POST" or "GET" })
  end
  put(policy, "csrf-urls", { url = "*", wildcardOrder = 1 })
  put(policy, "redirection-protection-domains", { domainName = "*", type = "wildcard" })
  put(policy, "sensitive-parameters", { name = "password" })
  put_raw(
    policy:child("brute-force-attack-preventions"),
    (function()
      local default =
        tables.copy(policy:child("brute-force-attack-preventions").spec.defaults)
      default.bruteForceProtectionForAllLoginPages = false
      return default
    end)()
  )
  if rapid then
    for _, name in ipairs(blocking.file_types) do
      put(policy, "filetypes", { name = name, allowed = false })
    end
  end
end

--- Updates the signatures of a policy from its sets. Signatures that stay keep their settings.
function M.sync_signatures(policy)
  local device = policy.device
  local wanted = {}
  for _, assigned in ipairs(policy:child("signature-sets"):items()) do
    local set = tree.follow(device, assigned.record.data.signatureSetReference)
    for _, signature in ipairs(set and content.signatures_of(device, set.record.data) or {}) do
      wanted[#wanted + 1] = signature
    end
  end
  local collection = policy:child("signatures")
  local staging = policy:child("signature-settings").record.data.placeSignaturesInStaging
  local keep = {}
  for _, signature in ipairs(wanted) do
    local data = signature.record.data
    local object = {
      enabled = true,
      performStaging = staging,
      signatureReference = {
        link = signature:link(),
        name = data.name,
        signatureId = data.signatureId,
      },
    }
    local _, id = collection:insert(object)
    keep[id or object.id] = true
  end
  for _, item in ipairs(collection:items()) do
    if not keep[item.id] then item:remove() end
  end
end

--- Fills an empty policy by its template.
function M.fill(policy, template)
  local rapid = template.name == "POLICY_TEMPLATE_RAPID_DEPLOYMENT"
  fill_enforcement(policy, rapid)
  fill_entities(policy, rapid)
  if rapid then
    policy:child("redirection-protection").record.data.redirectionProtectionEnabled = false
  end
  for _, set in ipairs(tree.top(policy.device):child("signature-sets"):items()) do
    if set.record.data.assignToPolicyByDefault then
      put(
        policy,
        "signature-sets",
        { signatureSetReference = { link = set:link(), name = set.record.data.name } }
      )
    end
  end
  M.sync_signatures(policy)
end

-- -- making one --

--- Partition, sub-path and name of a full path. A name alone is in `partition`.
function M.split_name(body)
  local full = body.fullPath
  if not full then
    if type(body.name) ~= "string" or body.name == "" then
      entity.refuse("Failed Required Fields: Must have at least 1(one) of (name, fullPath)")
    end
    local partition = tostring(body.partition or "Common"):gsub("^/", "")
    full = body.name:find("^/") and body.name or ("/%s/%s"):format(partition, body.name)
  end
  local sub_path, name
  if type(full) == "string" then
    sub_path, name = full:match("^(/.+)/([^/]+)$")
  end
  if not sub_path then
    entity.refuse(("'%s' is not the full path of a policy."):format(tostring(full)))
  end
  return {
    fullPath = full, subPath = sub_path, name = name, partition = sub_path:match("^/([^/]+)"),
  }
end

-- The template that a link with a query selects: policy-templates?$filter=name eq NAME
local function selected(templates, link)
  local query = type(link) == "string" and link:match "%?(.*)$"
  local filter = query and requests.query(query)["$filter"]
  if not filter then return nil end
  local ok, holds = pcall(function() return odata.predicate(odata.parse_filter(filter)) end)
  if not ok then entity.refuse("Could not find the policy template.") end
  for _, item in ipairs(templates:items()) do
    if holds(item.record.data) then return item end
  end
  return nil
end

--- The template that a reference names: by its link, by a link with a filter, or by `name`.
function M.template(device, reference)
  local templates = tree.top(device):child("policy-templates")
  if type(reference) ~= "table" then return templates:find("title", "Fundamental") end
  local link = reference.link
  local found = tree.follow(device, link)
  if found and found.path == templates.path then found = selected(templates, link) end
  found = found or reference.name and templates:find("name", reference.name)
  if not found or found.spec ~= templates.spec or not found.element then
    entity.refuse("Could not find the policy template.")
  end
  return found
end

local function partition_exists(device, name)
  local objects = device.store
  if name == "Common" or not objects then return true end
  return (pcall(function() return assert(objects:get("/mgmt/tm/auth/partition/" .. name)) end))
end

local function has_virtual(device, full)
  return type(full) == "string"
    and device.store:get("/mgmt/tm/ltm/virtual/" .. full:gsub("/", "~")) ~= nil
end

--- Assigns a policy to virtual servers (full paths). Each has at most one policy. Nil or null: no
--- change.
function M.put_on(device, full_path, servers)
  if type(servers) ~= "table" then return end
  local wanted = {}
  for _, name in ipairs(servers) do
    if not has_virtual(device, name) then
      entity.refuse(
        ("Could not update the Policy '%s'. The Virtual Server '%s' was not found."):format(
          full_path,
          tostring(name)
        )
      )
    end
    wanted[name] = true
  end
  for _, policy in ipairs(tree.top(device):child("policies"):items()) do
    local data = policy.record.data
    if data.fullPath ~= full_path then
      local left = array {}
      for _, name in ipairs(data.virtualServers) do
        if not wanted[name] then left[#left + 1] = name end
      end
      data.virtualServers = left
    end
  end
end

--- The virtual servers of a policy that still exist.
function M.servers(device, data)
  local list = array {}
  for _, name in ipairs(data.virtualServers or {}) do
    if has_virtual(device, name) then list[#list + 1] = name end
  end
  return list
end

--- Makes a policy from its template and returns its context. `empty`: without the template's
--- contents.
function M.create(device, body, user, empty)
  local policies = tree.top(device):child("policies")
  local named = M.split_name(body)
  if policies:find("fullPath", named.fullPath) then
    entity.refuse(
      ("Could not add the Policy '%s'. The policy already exists."):format(named.fullPath)
    )
  end
  if not partition_exists(device, named.partition) then
    entity.refuse(
      ("Could not add the Policy '%s'. The partition '%s' does not exist."):format(
        named.fullPath,
        named.partition
      )
    )
  end
  local template =
    M.template(device, body.templateReference or body.policyTemplateReference)
  local accepted = entity.accept(policies.spec, body, true)
  M.put_on(device, named.fullPath, accepted.virtualServers)
  local object = tables.copy(policies.spec.defaults)
  object.description = template.record.data.description
  object.enforcementMode = template.record.data._enforcementMode
  entity.merge(policies.spec, object, accepted)
  for name, value in pairs(named) do object[name] = value end
  local now, who = device:now(), user and user.name or "admin"
  object.policyTemplateReference = nil
  object.templateReference = { link = template:link(), title = template.record.data.title }
  object.createdDatetime, object.versionDatetime = entity.iso(now), entity.iso(now)
  object.creatorName, object.modifierName = who, who
  object.versionDeviceName, object.versionPolicyName = device.hostname, named.fullPath
  if object.parentPolicyReference then object.hasParent = true end
  local asm = device.state.asm
  asm.policies_made = (asm.policies_made or 0) + 1
  local policy = policies:insert(object, device.hostname .. asm.policies_made)
  if not empty then
    M.fill(policy, template.record.data)
    -- since 13.0 some properties of a policy are settings of their own, but a POST still accepts
    -- them
    for name, value in pairs(body) do
      local general = policy:child("general")
      if entity.known(general.spec, name) ~= nil and entity.known(policies.spec, name) == nil then
        entity.merge(
          general.spec,
          general.record.data,
          entity.accept(general.spec, { [name] = value })
        )
      end
    end
  end
  M.touch(
    policy,
    "add",
    { policyName = named.fullPath, enforcementMode = object.enforcementMode },
    user
  )
  object.isModified = true
  return policy
end

-- -- history --

--- Applies a policy: it is enforced from now on, and its history gets a revision.
function M.apply(policy, user, document)
  local data = policy.record.data
  local revision = (policy.record._revisions or 0) + 1
  policy.record._revisions = revision
  local history = policy:child("history-revisions")
  history:insert {
    revision = revision,
    historyDatetime = entity.iso(policy.device:now()),
    deviceName = policy.device.hostname,
    policyName = data.fullPath,
    userName = user and user.name or "admin",
    lastChange = data.versionLastChange,
    description = ("Revision %d of %s"):format(revision, data.fullPath),
    _document = document,
  }
  data.active, data.isModified = true, false
end

return M
