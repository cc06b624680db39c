-- Data groups and files for iRules.
local errors = require "sim.http.errors"
local json = require "f5.json"
local names = require "sim.config.names"
local property = require "sim.kinds.common.property"
local sorting = require "sim.sorting"
local turns = require "sim.turns"
local validate = require "sim.config.validate"

local s <const> = property.text

local function ten_digits(digits) return ("%010d"):format(tonumber(digits)) end

-- The sort key of records by type. Texts stay in the order they come in.
local ORDER <const> = {
  ip = function(name) return (name:gsub("%d+", ten_digits)) end,
  integer = tonumber,
}

-- Sorts records by the keys of their names.
local function sort(records, key)
  local keys, is_sorted, last = {}, true, nil
  for _, record in ipairs(records) do
    turns.pause()
    local own = key(record.name)
    keys[record] = own
    is_sorted = is_sorted and (last == nil or last <= own)
    last = own
  end
  if not is_sorted then sorting.sort(records, function(a, b) return keys[a] < keys[b] end) end
end

local function refuse_twice(object, name)
  local text = ("01020066:3: The requested class %s item (%s %s) already exists in partition %s.")
    :format(object.type or "string", object.fullPath, name, object.partition or "Common")
  error(errors.tm(409, text, 3), 0)
end

local data_group <const> = {
  prepare = function(_, object, properties, _, ctx)
    if object.records and properties.records then
      local seen, list = {}, {}
      for _, record in ipairs(object.records) do
        turns.pause()
        local entry = type(record) == "table" and record or { name = record }
        local name = tostring(entry.name or "")
        if name == "" then validate.nothing_to_do() end
        local bare = name:find("%", 1, true) and name:gsub("%%%d+", "") or name
        if object.type == "ip" and not validate.is_address(bare, true) then
          validate.invalid("name", name)
        end
        if object.type == "integer" and not name:find "^%-?%d+$" then
          validate.invalid("name", name)
        end
        local shown = object.type == "ip" and validate.short_address(name) or name
        if object.type == "ip" and not name:find "/" then
          shown = shown .. (name:find ":" and "/128" or "/32")
        end
        if not seen[shown] then
          list[#list + 1] =
            { name = shown, data = entry.data ~= nil and tostring(entry.data) or "" }
        elseif not ctx.seed then
          refuse_twice(object, shown)
        end
        seen[shown] = true
      end
      local key = ORDER[object.type]
      if key then sort(list, key) end
      object.records = #list > 0 and json.array(list) or nil
    end
  end,
}

-- The type of the records is that of the file.
local external <const> = {
  prepare = function(store, object, properties)
    local name = object.externalFileName
    if properties.type ~= nil or type(name) ~= "string" then return end
    local file = store:get("/mgmt/tm/sys/file/data-group/" .. names.segment(name))
    if file and file.type then object.type = file.type end
  end,
}

-- The proxies of an Internet provider, which the persistence of new devices knows.
local aol <const> = {}
for network in ([[
  64.12.96.0/19 195.93.16.0/20 195.93.48.0/22 195.93.64.0/19 195.93.96.0/19
  198.81.0.0/22 198.81.8.0/23 198.81.16.0/20 202.67.65.128/25 205.188.112.0/20
  205.188.146.144/30 205.188.192.0/20 205.188.208.0/23 207.200.112.0/21
]]):gmatch "%S+" do
  aol[#aol + 1] = { name = network, data = "" }
end

-- How the iRule of APM for Office clients recognizes them, and what it does.
local office <const> = {
  { name = "ie_sp_session_sharing_enabled", data = "0" },
  { name = "ie_sp_session_sharing_inactivity_timeout", data = "60" },
  { name = "ofba_auth_dialog_size", data = "800x600" },
  { name = "useragent1", data = "microsoft data access internet publishing provider" },
  { name = "useragent2", data = "office protocol discovery" },
  { name = "useragent3", data = "microsoft office" },
  { name = "useragent4", data = "non-browser" },
  { name = "useragent5", data = "msoffice 12" },
  { name = "useragent6", data = "microsoft-webdav-miniredir" },
  { name = "useragent7", data = "webdav-miniredir" },
  { name = "useragent9", data = "ms frontpage 1[23456789]" },
  { name = "useragent10", data = "onenote" },
}

return {
  ["ltm/data-group/internal"] = {
    facts = { exact = true,
      noun = "value list", known = true, mandatory = { "type" }, create_only = { "type" },
      props = {
        records = { t = "a" }, type = s(nil, { c = "integer|ip|string" }), description = s(),
      },
    },
    checks = data_group,
    factory = {
      protected = true,
      objects = {
        {
          name = "aol",
          type = "ip",
          records = aol,
        },
        {
          name = "images",
          type = "string",
          records = {
            { name = ".bmp", data = "" },
            { name = ".gif", data = "" },
            { name = ".jpg", data = "" },
          },
        },
        {
          name = "private_net",
          type = "ip",
          records = {
            { name = "10.0.0.0/8", data = "" }, { name = "172.16.0.0/12", data = "" },
            { name = "192.168.0.0/16", data = "" },
          },
        },
        { name = "sys_APM_MS_Office_OFBA_DG", type = "string", records = office },
      },
    },
  },
  ["ltm/data-group/external"] = {
    facts = {
      noun = "value list",
      props = { externalFileName = s(), type = s(), description = s() },
      refs = { externalFileNameReference = "sys/file/data-group" },
    },
    checks = external,
    relations = { { property = "externalFileName", to = { "sys/file/data-group" } } },
  },
  ["ltm/ifile"] = {
    facts = {
      noun = "iFile",
      props = { fileName = s() },
      refs = { fileNameReference = "sys/file/ifile" },
    },
    relations = { { property = "fileName", to = { "sys/file/ifile" } } },
  },
}
