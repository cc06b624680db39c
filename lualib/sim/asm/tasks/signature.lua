-- Tasks for attack signatures: check for an update, update, import and export user-defined ones.
local json = require "f5.json"
local live_update = require "sim.asm.live_update"
local content = require "sim.asm.content"
local digest = require "sim.digest"
local entity = require "sim.asm.entity"
local files = require "sim.asm.tasks.files"
local tree = require "sim.asm.tree"
local hooks = require "sim.asm.hooks"
local xml = require "sim.asm.xml"

local M = { run = {}, check = {} }

local TYPE <const> = "asm-attack-signatures"

-- What the update server offers; nil if nothing. A simulated device has no network: a seed says
-- what it finds (see sim/asm/live_update.lua).
local function offer_of(device, only_look)
  if not live_update.is_served(device, TYPE) then
    entity.refuse "The update server cannot be reached."
  end
  return live_update.take_offer(device, TYPE, only_look)
end

M.run["check-signatures"] = function(device)
  local statuses = tree.top(device):child("signature-statuses"):items()
  local offer = offer_of(device, true)
  return {
    isUpdateAvailable = offer ~= nil,
    latestVersionDatetime = offer and (offer.createDateTime or entity.iso(device:now()))
      or statuses[1].record.data.timestamp,
  }
end

local function record_status(device, object, counts)
  local now = entity.iso(device:now())
  local top = tree.top(device)
  local status = top:child("signature-statuses"):insert({
    sigsAdded = counts.added,
    sigsUpdated = counts.updated,
    sigsUpdatedMinor = 0,
    sigsUpdatedMajor = counts.updated,
    sigsDeleted = 0,
    sigsTotal = #top:child("signatures").record.order,
    isUserDefined = object.isUserDefined,
    readme = counts.readme,
    modifiedSignatures = counts.modified,
    loadTime = now,
    timestamp = now,
  }, tostring(object._serial))
  return { signatureStatusReference = { link = status:link() } }
end

local COPIED <const> = { "signatureType", "accuracy", "risk", "rule", "description" }

local function import_one(device, node, user_defined, counts)
  local value = xml.members(node)
  local top = tree.top(device)
  local attack = top:child("attack-types"):find("name", value.attackType)
  if not value.name or not value.rule or not attack then
    entity.refuse(
      ("The signature '%s' needs a name, a rule and a known attack type."):format(
        tostring(value.name)
      )
    )
  end
  local signatures = top:child("signatures")
  local existing = signatures:find("name", value.name)
  if existing then
    if existing.record.data.isUserDefined ~= user_defined then
      entity.refuse(("The name '%s' is used by a signature of the system."):format(value.name))
    end
    for _, name in ipairs(COPIED) do
      if value[name] ~= nil then existing.record.data[name] = value[name] end
    end
    existing.record.data.revision = existing.record.data.revision + 1
    counts.updated = counts.updated + 1
    counts.modified[#counts.modified + 1] =
      { signatureReference = { link = existing:link(), name = value.name } }
    return
  end
  local spec = signatures.spec
  local body =
    { name = value.name, attackTypeReference = { link = attack:link(), name = value.attackType } }
  for _, name in ipairs(COPIED) do
    body[name] = value[name]
  end
  body.systems = content.systems(value.systems or {})
  local object = entity.create(spec, body)
  hooks.of(spec).before_create(signatures, object)
  object.isUserDefined = user_defined
  counts.added = counts.added + 1
  counts.modified[#counts.modified + 1] =
    { signatureReference = { link = signatures:insert(object):link(), name = value.name } }
end

M.run["update-signatures"] = function(device, object)
  local counts = { added = 0, updated = 0, modified = json.array {}, readme = "" }
  if (object.file or "") ~= "" or (object.filename or "") ~= "" then
    local ok, root = pcall(xml.parse, files.input(device, object))
    if not ok then
      if type(root) ~= "table" then error(root, 0) end
      entity.refuse("The signature file is not valid XML: " .. root.xml)
    end
    if root.name ~= "signatures" then
      entity.refuse(("The file holds <%s>, not signatures."):format(root.name))
    end
    for _, node in ipairs(root.children) do
      import_one(device, node, object.isUserDefined, counts)
    end
  else
    local offer = offer_of(device)
    counts.readme = offer
        and ("The update of %s has no signatures that the simulated device lacks."):format(
          offer.createDateTime
        )
      or "The signatures of the system are up to date."
  end
  return record_status(device, object, counts)
end

M.run["export-signatures"] = function(device, object)
  local list = json.array {}
  for _, signature in ipairs(tree.top(device):child("signatures"):items()) do
    local data = signature.record.data
    if data.isUserDefined then
      local one =
        { name = data.name, attackType = data.attackTypeReference.name, systems = json.array {} }
      local attack = tree.follow(device, data.attackTypeReference)
      one.attackType = attack and attack.record.data.name
      for _, name in ipairs(COPIED) do one[name] = data[name] end
      for index, system in ipairs(data.systems) do
        local known = tree.follow(device, system.systemReference)
        one.systems[index] = known and known.record.data.name
      end
      list[#list + 1] = one
    end
  end
  local parts = { '<?xml version="1.0" encoding="utf-8"?>\n<signatures>\n' }
  for _, one in ipairs(list) do
    parts[#parts + 1] = xml.encode("signature", "", one):gsub("^<%?xml.-%?>\n", "")
  end
  parts[#parts + 1] = "</signatures>\n"
  local text = table.concat(parts)
  -- inline they are always Base64
  if object.inline then return { file = digest.base64(text), fileSize = #text } end
  files.write(device, object.filename, object.isBase64 and digest.base64(text) or text)
  return { filename = object.filename, fileSize = #text }
end

return M
