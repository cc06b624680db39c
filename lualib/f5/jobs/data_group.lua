-- bip:data_group(name): a data group, its records one by one. Internal groups have their records in
-- the configuration. Those of an external one are in a file (sys/file/data-group), which a device
-- does not show: they are given as a whole, and compared by the checksum of the file.

local compare = require "f5.ensure.compare"
local core = require "f5.core"
local receiver = require "f5.receiver"
local uploads = require "f5.jobs.uploads"

local M = {}

local Group <const> = { __name = "f5.data_group" }
Group.__index = Group

local OPTIONS <const> = { type = "string", external = "boolean" }
local TYPES <const> = { ip = true, integer = true, string = true }
local SEPARATOR <const> = ":="

local function usage(format, ...) core.usage_error(format:format(...)) end

local function load(ref)
  local ok, object = pcall(ref.load, ref)
  if ok then return object end
  if type(object) == "table" and object.kind == "not_found" then return nil end
  return error(object, 0)
end

local function fail(self, kind, format, ...)
  error(core.error_new {
    kind = kind, device = self.session:label(), message = format:format(...),
  }, 0)
end

local function check_options(options)
  if options == nil then return {} end
  if type(options) ~= "table" then
    usage("data_group: expected a table of options, got a %s", type(options))
  end
  local out = {}
  for key, value in next, options do
    if not OPTIONS[key] then usage("data_group: unknown option '%s'", tostring(key)) end
    if type(value) ~= OPTIONS[key] then
      usage("data_group: '%s' must be a %s, not a %s", key, OPTIONS[key], type(value))
    end
    out[key] = value
  end
  if out.type and not TYPES[out.type] then
    usage("data_group: 'type' must be ip, integer or string, not '%s'", out.type)
  end
  return out
end

--- session:data_group(name[, options]): a handle; no traffic.
function M.data_group(bip, name, options)
  if type(name) ~= "string" or name == "" then
    usage("data_group: expected the name of a data group, got a %s",
      name == "" and "empty string" or type(name))
  end
  local full = name:sub(1, 1) == "/" and name or "/Common/" .. name
  if not full:find "^/.+/[^/]+$" then usage("data_group: this is no full path: %q", name) end
  options = check_options(options)
  local kinds = bip.ltm["data-group"]
  return setmetatable({
    session = bip, name = full, type = options.type, external = options.external,
    internal_reference = kinds.internal[full], external_reference = kinds.external[full],
  }, Group)
end

function Group:__tostring() return "data group " .. self.name end

-- The records that were given, as tables with names.
local function records_of(what, given, ...)
  local list = type(given) == "table" and (compare.is_list(given) or not next(given)) and given
    or { given }
  local records = {}
  for i, item in ipairs(list) do records[i] = compare.as_item(item) end
  if given == nil or select("#", ...) > 0 or #records ~= #list then
    usage("%s: expected a record or a list of records: names, or { name =, data = }", what)
  end
  return records
end

-- Whether the group is external. Finds out which of the two the device has, unless it was given.
local function is_external(self)
  if self.external == nil and not self.internal_reference:exists() then
    self.external = self.external_reference:exists()
  end
  return self.external == true
end

-- -- internal ones --------------------------------------------------------------------------------

-- A group without the records that are missing is not created for `remove`.
local function change_internal(self, what, records)
  local ref = self.internal_reference
  if not ref:exists() then
    if what == "remove" then return "unchanged" end
    ref:create { type = self.type or "string", records = compare.for_create(records) }
    return "created"
  end
  return ref.records[what](ref.records, records)
end

-- -- external ones --------------------------------------------------------------------------------

-- A name or a value as the file has it.
local function quoted(self, text)
  if text:find '[%c"\\]' then
    fail(self, "invalid", "a record of an external data group cannot contain %q",
      text:match '[%c"\\]')
  end
  return '"' .. text .. '"'
end

local function line_of(self, record, kind)
  local name = tostring(record.name)
  local data = record.data ~= nil and record.data ~= "" and tostring(record.data) or nil
  local key
  if kind == "ip" then
    local address, length = name:match "^([^/]+)/(%d+)$"
    local is_host = not length or length == (name:find(":", 1, true) and "128" or "32")
    key = is_host and "host " .. (address or name)
      or ("network %s prefixlen %s"):format(address, length)
    if not key:find "^%l+ [%x.:%%]+" or key:find '[,"%c]' then
      fail(self, "invalid", "the record %q is no address", name)
    end
  elseif kind == "integer" then
    if not name:find "^%-?%d+$" then fail(self, "invalid", "the record %q is no integer", name) end
    key = name
  else
    key = quoted(self, name)
  end
  if not data and kind ~= "string" then return key end
  return ("%s %s %s"):format(key, SEPARATOR, quoted(self, data or ""))
end

-- The file for records, sorted: it does not depend on the order in which they were given.
local function text_of(self, records, kind)
  local lines, seen = {}, {}
  for _, record in ipairs(records) do
    local line = line_of(self, record, kind)
    if not seen[line] then lines[#lines + 1], seen[line] = line, true end
  end
  table.sort(lines)
  return #lines > 0 and table.concat(lines, ",\n") .. ",\n" or ""
end

local function set_external(self, records)
  local group = load(self.external_reference)
  local file_name = group and group.externalFileName or self.name
  local file = self.session.sys.file["data-group"][file_name]
  local old = load(file)
  local kind = self.type or old and old.type or "string"
  if old and old.type ~= kind then
    fail(self, "invalid", "the data group %s has records of type %s, not %s", self.name,
      tostring(old.type), kind)
  end
  local text = text_of(self, records, kind)
  if group and old and old.checksum == uploads.checksum(text) then return "unchanged" end
  local upload = { name = file_name, text = text, suffix = "class" }
  uploads.use(self.session, { upload }, function()
    self.session:transaction(function(tx)
      if old then
        tx(file):modify { sourcePath = upload.source }
      else
        tx(file):create { sourcePath = upload.source, type = kind, separator = SEPARATOR }
      end
      if not group then tx(self.external_reference):create { externalFileName = file_name } end
    end)
  end)
  return group and "changed" or "created"
end

-- -- methods --------------------------------------------------------------------------------------

local function change(what)
  return function(self, given, ...)
    local records = records_of(what, given, ...)
    if not is_external(self) then return change_internal(self, what, records) end
    if what == "set" then return set_external(self, records) end
    return fail(
      self, "unsupported",
      "the device does not show the records of the external data group %s: give all of them with "
        .. "set", self.name
    )
  end
end

--- Adds records, or changes their data. @return "created", "changed" or "unchanged"
Group.add = change "add"
--- Removes records. @return "changed" or "unchanged"
Group.remove = change "remove"
--- Gives the group these records and no others. @return "created", "changed" or "unchanged"
Group.set = change "set"

receiver.guard(Group, "a data group")

return M
