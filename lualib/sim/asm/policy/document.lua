-- Policies as documents: for export and import as XML or JSON, revisions and comparisons.
--
-- A document is one object: the properties of the policy, its settings by name, its collections as
-- arrays. Links inside the policy are relative ("urls/ID"). Ids are made from names, so they are
-- valid on every device. `minimal` tells what the document has: false: everything; true: the
-- differences from the template ($action = "delete" for missing entities); absent: written by hand,
-- to be added to the template.
local json = require "f5.json"
local content = require "sim.asm.content"
local digest = require "sim.digest"
local entity = require "sim.asm.entity"
local policies = require "sim.asm.policy"
local policy_schema = require "sim.asm.policy.schema"
local tables = require "sim.tables"
local tree = require "sim.asm.tree"
local xml = require "sim.asm.xml"

local M = {}

-- Properties of the policy itself in a document.
local OWN <const> = {
  "name",
  "fullPath",
  "description",
  "type",
  "enforcementMode",
  "applicationLanguage",
  "caseInsensitive",
  "protocolIndependent",
  "enablePassiveMode",
}
local NOT_COPIED <const> = { id = true, lastUpdateMicros = true }

-- -- export --

local function is_left_out(name)
  return type(name) == "string" and (NOT_COPIED[name] or name:sub(1, 1) == "_")
end

local function strip(value, prefix)
  return tree.relative(value, prefix, is_left_out)
end

-- A document has the definitions of its signature sets, because another device may not have them.
local function with_definition(device, item)
  local set = tree.follow(device, item.signatureSetReference)
  if set then
    local data = set.record.data
    item.name = data.name
    item.signatureSet =
      { type = data.type, filter = tables.copy(data.filter), systems = tables.copy(data.systems) }
    item.signatureSetReference = nil
  end
  return item
end

local function export_children(context, specs, prefix, into)
  for _, spec in ipairs(specs) do
    if not policy_schema.not_configuration[spec.path] then
      local child = context:child(spec.path)
      if spec.type == "singleton" then
        into[spec.path] = strip(child.record.data, prefix)
      elseif spec.type == "organizer" then
        into[spec.path] = export_children(child, spec.children, prefix, {})
      else
        local list = json.array {}
        for index, item in ipairs(child:items()) do
          local object = strip(item.record.data, prefix)
          if spec.children then export_children(item, spec.children, prefix, object) end
          list[index] = spec.path == "signature-sets" and with_definition(context.device, object)
            or object
        end
        into[spec.path] = list
      end
    end
  end
  return into
end

local function full(policy)
  local data = policy.record.data
  local document = { minimal = false }
  for _, name in ipairs(OWN) do document[name] = data[name] end
  local template = tree.follow(policy.device, data.templateReference)
  document.template =
    { name = template and template.record.data.name, title = data.templateReference.title }
  return export_children(policy, policy_schema.list, policy:link() .. "/", document)
end

local function specs_by_path(specs)
  local by_path = {}
  for _, spec in ipairs(specs) do by_path[spec.path] = spec end
  return by_path
end

local function key_of(spec, item)
  if spec.path == "signature-sets" and item.name then return item.name end
  return entity.natural_key(spec, item)
end

-- Keeps the differences from the base. Entities that only the base has are marked as deleted.
local function reduce(document, base, specs)
  local by_path = specs_by_path(specs)
  for name, value in pairs(document) do
    local spec = by_path[name]
    if spec and spec.type == "organizer" then
      reduce(value, base[name] or {}, spec.children)
      if next(value) == nil then document[name] = nil end
    elseif spec and spec.type == "collection" then
      local there, kept = {}, json.array {}
      for _, item in ipairs(base[name] or {}) do there[key_of(spec, item)] = item end
      for _, item in ipairs(value) do
        local key = key_of(spec, item)
        if not (there[key] and tables.same(there[key], item)) then kept[#kept + 1] = item end
        there[key] = nil
      end
      local gone = {}
      for key in pairs(there) do gone[#gone + 1] = key end
      table.sort(gone)
      for _, key in ipairs(gone) do
        local item = { ["$action"] = "delete", name = there[key].name }
        for _, part in ipairs(spec.key) do item[part] = there[key][part] end
        kept[#kept + 1] = item
      end
      document[name] = #kept > 0 and kept or nil
    elseif spec and tables.same(value, base[name]) then
      document[name] = nil
    end
  end
end

-- The contents of a new policy of the same template. It makes one, reads it and removes it.
local function baseline(policy)
  local root = tree.top(policy.device):child("policies")
  local data = tables.copy(policy.record.data)
  local scratch = setmetatable(
    { record = { data = data, children = {} } },
    { __index = policy }
  )
  scratch.policy, scratch.parent = scratch, root
  policies.fill(scratch, tree.follow(policy.device, data.templateReference).record.data)
  return full(scratch)
end

--- The document of a policy.
function M.export(policy, minimal)
  local document = full(policy)
  if minimal then
    reduce(document, baseline(policy), policy_schema.list)
    document.minimal = true
  end
  return document
end

--- The text of a document. format: "xml" or "json".
function M.encode(document, format, version)
  if format == "json" then
    document.softwareVersion = version
    return json.encode({ policy = document }, { sort = true, indent = 2 })
  end
  local text = json.encode(document, { sort = true })
  return xml.encode(
    "policy",
    (' bigip_version="%s" integrity_check="%s" name="%s"'):format(
      version,
      (digest.md5(text):gsub(".", function(char) return ("%02x"):format(char:byte()) end)),
      xml.escape(document.fullPath)
    ),
    document
  )
end

-- -- reading --

-- Element names of real devices that an import understands.
local DEVICE_NAMES <const> = { encoding = "applicationLanguage", description = "description" }
local DEVICE_FLAGS <const> =
  { case_insensitive = "caseInsensitive", protocol_free = "protocolIndependent" }

local function from_device(root)
  local document = { fullPath = root.attributes.name }
  for _, child in ipairs(root.children) do
    if DEVICE_NAMES[child.name] then document[DEVICE_NAMES[child.name]] = child.text end
    if DEVICE_FLAGS[child.name] then document[DEVICE_FLAGS[child.name]] = child.text == "true" end
  end
  return document
end

--- The document in a text, XML or JSON. Refuses other texts.
function M.decode(text)
  if text:find("^%s*{") then
    local ok, value = pcall(json.decode, text)
    if not ok then entity.refuse("The policy file is not valid JSON: " .. tostring(value)) end
    if type(value.policy) ~= "table" then entity.refuse("The policy file has no policy.") end
    return value.policy
  end
  local ok, root = pcall(xml.parse, text)
  if not ok then
    if type(root) ~= "table" then error(root, 0) end
    entity.refuse("The policy file is not valid XML: " .. root.xml)
  end
  if root.name ~= "policy" then
    entity.refuse(
      "[fatal] The security policy file does not conform to the schema and cannot be imported."
    )
  end
  if xml.child(root, "minimal") then return xml.members(root) end
  return from_device(root)
end

-- -- import --

local function absolute(value, prefix)
  if type(value) ~= "table" then return value end
  for name, member in pairs(value) do
    if
      name == "link" and type(member) == "string" and not member:find("^/")
      and not member:find("^https?:")
    then
      value[name] = prefix .. member
    else
      absolute(member, prefix)
    end
  end
  return value
end

-- Properties by which hand-written documents refer to objects of the device.
local function resolve_names(device, spec, item)
  local top = tree.top(device)
  if spec.path == "signature-sets" and not item.signatureSetReference then
    local sets = top:child("signature-sets")
    local set = sets:find("name", item.name)
    if not set then
      if not item.signatureSet then
        entity.refuse(("Could not find the signature set '%s'."):format(tostring(item.name)))
      end
      local definition = tables.copy(item.signatureSet)
      definition.name = item.name
      for _, system in ipairs(definition.systems or {}) do
        if system.name and not system.systemReference then
          system.systemReference, system.name =
            content.reference("signature-systems", system.name), nil
        end
      end
      set = sets:insert(entity.create(sets.spec, definition))
    end
    item.signatureSetReference = { link = set:link(), name = set.record.data.name }
    item.name, item.signatureSet = nil, nil
  elseif spec.path == "server-technologies" and not item.serverTechnologyReference then
    local technology =
      top:child("server-technologies"):find("serverTechnologyName", item.serverTechnologyName)
    if not technology then
      entity.refuse(
        ("Could not find the server technology '%s'."):format(tostring(item.serverTechnologyName))
      )
    end
    item.serverTechnologyReference =
      { link = technology:link(), serverTechnologyName = item.serverTechnologyName }
    item.serverTechnologyName = nil
  end
  return item
end

-- Adds an entity. A document that was exported is taken as it is. One that was written by hand is
-- checked and completed like a POST.
local function put_item(collection, item, trusted)
  local spec = collection.spec
  local children = {}
  for _, child in ipairs(spec.children or {}) do
    local list = item[child.path]
    for _, element in ipairs(type(list) == "table" and list or {}) do
      if not entity.is_object(element) then
        entity.refuse(("Invalid item of '%s'."):format(child.path))
      end
      entity.check_types(child, element)
    end
    if list ~= nil and type(list) ~= "table" then
      entity.refuse(("Invalid value of '%s'."):format(child.path))
    end
    children[child], item[child.path] = list, nil
  end
  if
    not trusted and item.name and item.type == nil and entity.known(spec, "type")
    and item.name:find("*", 1, true)
  then
    item.type = "wildcard"
  end
  local existing = collection.record.items[entity.hash(entity.natural_key(spec, item))]
  local context
  if existing then
    context = collection:item(existing.data.id)
    if trusted then
      for name in pairs(existing.data) do
        if not NOT_COPIED[name] then existing.data[name] = nil end
      end
      for name, value in pairs(item) do existing.data[name] = value end
    else
      entity.merge(
        spec,
        existing.data,
        entity.accept(setmetatable({ readonly = false }, { __index = spec }), item, true)
      )
    end
  elseif trusted then
    context = collection:insert(item)
  else
    context = collection:insert(entity.create(spec, item))
  end
  for child_spec, list in pairs(children) do
    local child = context:child(child_spec.path)
    child.record.items, child.record.order = {}, json.array {}
    for _, element in ipairs(list) do put_item(child, element, trusted) end
  end
end

local function import_children(context, specs, document, prefix)
  local trusted = document.minimal ~= nil or context.parent_trusted
  for _, spec in ipairs(specs) do
    local value = document[spec.path]
    if value ~= nil and not policy_schema.not_configuration[spec.path] then
      local is_one = spec.type == "singleton" or spec.type == "organizer"
      if type(value) ~= "table" or is_one and not entity.is_object(value) then
        entity.refuse(("Invalid value of '%s'."):format(spec.path))
      end
      local child = context:child(spec.path)
      if spec.type == "organizer" then
        child.parent_trusted, child.parent_minimal = trusted, document.minimal
        import_children(child, spec.children, value, prefix)
      elseif spec.type == "singleton" then
        value.kind, value.selfLink = nil, nil
        entity.check_types(spec, value)
        if trusted then child.record.data = absolute(value, prefix)
        else entity.merge(spec, child.record.data, entity.accept(spec, absolute(value, prefix))) end
      else
        local minimal = document.minimal
        if minimal == nil then minimal = context.parent_minimal end
        if minimal == false then child.record.items, child.record.order = {}, json.array {} end
        for _, item in ipairs(value) do
          if not entity.is_object(item) then
            entity.refuse(("Invalid item of '%s'."):format(spec.path))
          end
          entity.check_types(child.spec, item)
          local resolved = resolve_names(context.device, spec, absolute(item, prefix))
          if resolved["$action"] == "delete" then
            local found = child:item(entity.hash(entity.natural_key(spec, resolved)))
            if found then found:remove() end
          else
            put_item(child, resolved, trusted)
          end
        end
      end
    end
  end
end

-- Refuses a document whose own properties cannot be right.
local function check_heading(document)
  local template = document.template
  if template == json.null then document.template = nil end
  if document.template ~= nil and type(template) ~= "table" then
    entity.refuse "Invalid value of 'template'."
  end
  for _, name in ipairs { "name", "title" } do
    local text = document.template and template[name]
    if text ~= nil and type(text) ~= "string" then entity.refuse "Invalid value of 'template'." end
  end
  for _, name in ipairs { "name", "fullPath", "partition", "description" } do
    if document[name] == json.null then document[name] = nil end
    if document[name] ~= nil and type(document[name]) ~= "string" then
      entity.refuse(("Invalid value of '%s'."):format(name))
    end
  end
end

--- Imports a document into a new policy, named by `target`, or into `target.policy`. Returns the
--- context of the policy.
function M.import(device, document, target, user)
  document = tables.copy(document)
  check_heading(document)
  local policy = target.policy
  if not policy then
    policy = policies.create(device, {
      fullPath = target.fullPath,
      name = target.name,
      partition = target.partition,
      templateReference = document.template
          and (document.template.name or document.template.title) and {
            link = document.template.title
              and content.reference("policy-templates", document.template.title).link,
            name = document.template.name,
          }
        or nil,
    }, user)
  elseif not policy.record.data.fullPath then
    entity.refuse("Could not find the policy to replace.")
  else
    -- history, logs and suggestions are kept
    for _, spec in ipairs(policy_schema.list) do
      if not policy_schema.not_configuration[spec.path] then
        policy.record.children[spec.path] = nil
      end
    end
    policies.fill(
      policy,
      policies.template(device, policy.record.data.templateReference).record.data
    )
  end
  local data = policy.record.data
  local own = {}
  for _, name in ipairs(OWN) do
    if name ~= "name" and name ~= "fullPath" then own[name] = document[name] end
  end
  for name, value in pairs(entity.accept(policy.spec, own, true)) do data[name] = value end
  import_children(policy, policy_schema.list, document, policy:link() .. "/")
  local settings = document.signatures
  policies.sync_signatures(policy)
  if settings and document.minimal == nil then
    import_children(policy, { policy:child("signatures").spec }, document, policy:link() .. "/")
  end
  policies.touch(policy, "update", { policyName = data.fullPath }, user)
  return policy
end

return M
