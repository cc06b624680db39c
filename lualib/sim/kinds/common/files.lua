-- File objects: the properties that a device computes from the file.
local clock = require "sim.clock"
local digest = require "sim.digest"
local property = require "sim.kinds.common.property"
local validate = require "sim.config.validate"

local M = {}

--- The facts about properties that a body cannot set.
M.READ_ONLY = {}
for _, name in ipairs {
  "checksum", "createTime", "createdBy", "lastUpdateTime", "mode", "revision", "size", "updatedBy",
  "certificateKeyCurveName", "certificateKeySize", "email", "expirationDate", "expirationString",
  "fingerprint", "isBundle", "issuer", "keySize", "keyType", "serialNumber", "subject",
  "subjectAlternativeName", "version",
} do
  M.READ_ONLY[name] = property.READ_ONLY
end

--- The checksum of a file, as its property has it.
function M.checksum(text)
  local hex = digest
    .sha1(text)
    :gsub(".", function(byte) return ("%02x"):format(byte:byte()) end)
  return ("SHA1:%d:%s"):format(#text, hex)
end

-- The content of a file on the device; nil if it is not there.
local function content(store, path)
  local text = store.device.disk.read((path:gsub("^file:", ""):gsub("^//+", "/")))
  local twin = not text and store.device.twin
  if twin then
    twin:assume(
      twin:current_path(), "sourcePath", "the content of the file is known only to the device"
    )
  end
  return text
end

--- Sets the properties that a device computes from a file. `read(object, text, passphrase)` adds
--- those of its content.
function M.settle(store, object, properties, old, ctx, read)
  if properties.sourcePath and properties.sourcePath ~= validate.NONE then
    local text = content(store, validate.text("sourcePath", object.sourcePath))
    object.size = text and #text or object.size or 1229
    object.checksum = M.checksum(text or object.sourcePath)
    if text and read then read(object, text, properties.passphrase) end
  elseif not old then
    object.size = object.size or 1229
    object.checksum = object.checksum or M.checksum(object.fullPath)
  end
  -- a seed knows the content of a file that is not there
  local given = ctx.seed and properties.checksum
  if type(given) == "string" then object.checksum = given end
  object.createTime = old and old.createTime or clock.utc(ctx.now or 0)
  object.createdBy = old and old.createdBy or ctx.user and ctx.user.name or "root"
  object.lastUpdateTime = clock.utc(ctx.now or 0)
  object.updatedBy = ctx.user and ctx.user.name or "root"
  object.revision = (old and old.revision or 0) + 1
  object.mode = object.mode or 33188
end

--- The refusal to delete a file object that another object uses.
function M.in_use(object)
  return ("01071349:3: File object by name (%s) is in use."):format(object.fullPath)
end

--- Refuses a new file object without a source. A factory and a seed may leave it out.
function M.need_source(object, old, ctx)
  if ctx.factory or ctx.seed then return end
  if not old and not object.sourcePath and not object.systemPath and not object.content then
    validate.refuse_mcpd(
      ("01070712:3: The source-path of the file object (%s) must be specified."):format(
        object.fullPath
      )
    )
  end
end

--- A kind of file objects: the facts, and the check that computes the properties.
function M.kind()
  local props = { mode = { t = "i", d = 33188, r = true }, revision = { t = "i", r = true } }
  for _, name in ipairs { "checksum", "createTime", "createdBy", "lastUpdateTime", "updatedBy" } do
    props[name] = { t = "s", r = true }
  end
  props.size, props.sourcePath = { t = "i", r = true }, property.text()
  return {
    facts = { type = "collection", props = props },
    checks = {
      prepare = function(store, object, properties, old, ctx)
        M.settle(store, object, properties, old, ctx)
      end,
    },
  }
end

return M
