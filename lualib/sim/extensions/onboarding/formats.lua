-- Formats of texts that the schemas of DO name.
local common = require "sim.extensions.check.formats"
local telemetry = require "sim.extensions.telemetry.formats"

local M = {}

-- An address with a mask that may or must be there, without a route domain.
local function with_prefix(is_required)
  return function(text)
    if text == "" then return true end
    if text:find("%", 1, true) or is_required and not text:find("/", 1, true) then return false end
    return common.formats.f5ip(text:lower()) and not text:find "^any"
  end
end

-- At most 64 characters, none of a set.
local function label(refused)
  return function(text) return (utf8.len(text) or #text) <= 64 and not text:find(refused) end
end

M.ipWithOptionalPrefix, M.ipWithRequiredPrefix = with_prefix(false), with_prefix(true)
M.f5label, M.f5remark = label '[%c"#&*<>?%[\\%]`]', label '[%c"\\]'

function M.f5ip(text) return common.formats.f5ip(text:lower()) and not text:find "^any" end

function M.f5base64(text) return text:find "^[%w/+_-]*=?=?$" ~= nil end

M["json-pointer"] = function(text)
  return text == "" or text:find "^/" ~= nil and not text:gsub("~[01]", ""):find("~", 1, true)
end

M.ipv4, M.ipv6, M.hostname = telemetry.ipv4, telemetry.ipv6, telemetry.hostname
M.uri = common.formats.uri

return M
