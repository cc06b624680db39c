-- Profiles that say what the modules for security log, and where.
local M = {}

-- Takes the members whose names begin with a word out of a table.
local function taken(source, prefix, more)
  local found = {}
  for key in pairs(source) do
    if key:sub(1, #prefix) == prefix or key == more then found[key] = source[key] end
  end
  for key in pairs(found) do source[key] = nil end
  return found
end

-- A text is a format of the user, a table a list of fields.
local function format_of(value)
  if type(value) == "string" then return { type = "user-defined", userDefined = value } end
  if type(value) ~= "table" then return { type = "none" } end
  local fields = {}
  for i, field in ipairs(value.fields or {}) do fields[i] = field:gsub("-", "_") end
  return { type = "field-list", fieldList = fields, fieldListDelimiter = value.delimiter }
end

-- -- application security --

local FILTERS <const> = {
  protocols = "protocol", responseCodes = "response-code", httpMethods = "http-method",
  loginResults = "login-result",
}

local function filters(wanted)
  local list = { { name = "request-type", values = { wanted.requestType } } }
  for key, value in pairs(wanted) do
    if key == "requestContains" then
      list[#list + 1] = { name = value.searchIn, values = { value.value } }
    elseif FILTERS[key] then
      local values = {}
      for i, one in ipairs(type(value) == "table" and value or { value }) do
        values[i] = math.type(one) and ("%d"):format(one) or one
      end
      list[#list + 1] = { name = FILTERS[key], values = values }
    end
  end
  return list
end

local function application_format(wanted)
  if type(wanted) == "string" and wanted ~= "" then
    return { type = "user-defined", userString = wanted }
  end
  if type(wanted) ~= "table" then return { type = "predefined", fieldDelimiter = "," } end
  return { type = "predefined", fieldDelimiter = wanted.delimiter, fields = wanted.fields }
end

local function size(value) return value and ("%d"):format(value) or "any" end

local function application(item)
  local storage = item.storageFilter or {}
  item["logic-operation"] = storage.logicalOperation
  item.filter, item.format = filters(storage), application_format(item.storageFormat)
  item.maxHeaderSize, item.maxQuerySize = size(item.maxHeaderSize), size(item.maxQuerySize)
  item.maxRequestSize = size(item.maxRequestSize)
  item.localStorage = not item.remoteStorage
  item.loggerType = item.remoteStorage and "remote" or "local"
  item.remoteStorage = item.remoteStorage or "none"
  for i, server in ipairs(item.servers or {}) do
    local colon = server.address:find(":", 1, true) and "." or ":"
    item.servers[i] = { name = ("%s%s%d"):format(server.address, colon, server.port) }
  end
end

-- -- the others --

local function session(nat, name)
  local action = nat[name]
  nat[name] = { action = action }
  if action == true and nat[name .. "Destination"] == true then
    nat[name].elements = { "destination" }
  end
end

local function translation(nat)
  nat.rateLimit = taken(nat, "rateLimit")
  nat.format = taken(nat, "format")
  for key, value in pairs(nat.format) do nat.format[key] = format_of(value) end
  session(nat, "logStartOutboundSession")
  session(nat, "logEndOutboundSession")
end

local function network(item)
  item.format, item.storageFormat = format_of(item.storageFormat), nil
  item.filter = taken(item, "log", "alwaysLogRegion")
  item.rateLimit = taken(item, "rateLimit")
end

local function protocol(item)
  item.filter = taken(item, "log")
  item.format, item.storageFormat = format_of(item.storageFormat), nil
end

-- AS3 gives what it puts into the profile the name "undefined".
local NAME <const> = "undefined"

local PARTS <const> = {
  application = application,
  botDefense = function(item) item.filter = taken(item, "log") end,
  dosApplication = function() end,
  network = network,
  protocolDns = protocol,
  protocolSip = protocol,
  protocolTransfer = function() end,
  sshProxy = function(item) item.logPublisher, item.publisher = item.publisher, nil end,
}

local PUBLISHERS <const> = { "dosNetwork", "protocolDnsDos", "protocolSipDos" }

M.Security_Log_Profile = function(at, item, name)
  for key, change in pairs(PARTS) do
    local part = item[key]
    if type(part) == "table" then
      change(part)
      part.name = NAME
      item[key] = { part }
    end
  end
  if type(item.nat) == "table" then translation(item.nat) end
  for _, key in ipairs(PUBLISHERS) do
    if type(item[key]) == "table" then item[key .. "Publisher"] = item[key].publisher end
  end
  local props = at:properties("security log profile", item)
  local format = (props.network or {})[NAME] and props.network[NAME].format
  if format and format.type == "user-defined" then format["field-list-delimiter"] = nil end
  at:add("security log profile", at:path(name), props)
end

return M
