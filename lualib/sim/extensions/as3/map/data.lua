-- Data groups and iRules.
local references = require "sim.extensions.as3.map.references"

local M = {}

local function internal(at, item, name)
  local records = {}
  for _, record in ipairs(item.records or {}) do
    local key = record.key
    if item.keyDataType == "ip" and not key:find("/", 1, true) then
      key = key .. (key:find(":", 1, true) and "/128" or "/32")
    end
    local value = record.value
    if value == "" then value = nil end
    records[#records + 1] = { name = key, value = value }
  end
  item.records = records
  at:add("ltm data-group internal", at:path(name), at:properties("ltm data-group internal", item))
end

M.Data_Group = function(at, item, name)
  item.remark = item.remark or ""
  if item.storageType == "internal" then return internal(at, item, name) end
  local path = at:path(name)
  item.records = nil
  local source = item.externalFilePath
  if source then
    if type(source) == "table" then
      if source.authentication then
        references.fail(path .. "/externalFilePath",
          "files that need a login are not simulated")
      end
      source = source.url
    end
    item.externalFilePath, item.dataGroupName = source, path
    at:add("sys file data-group", path, at:properties("sys file data-group", item))
    return
  end
  at:add("ltm data-group external", path, at:properties("ltm data-group external", item))
end

M.iRule = function(at, item, name)
  at:add("ltm rule", at:path(name), { ["api-anonymous"] = references.script(at, item, name) })
end

return M
