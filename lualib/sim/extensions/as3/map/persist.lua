-- Persistence profiles.
local address = require "sim.extensions.as3.map.address"
local properties = require "sim.extensions.as3.map.properties"
local references = require "sim.extensions.as3.map.references"

local M = {}

local words = properties.words

local any = words("description match-across-pools match-across-services match-across-virtuals "
  .. "mirror override-connection-limit timeout")
local addresses = words("hash-algorithm mask", any)
local cookie = words("always-send cookie-name method expiration httponly secure", any)
local TYPES <const> = {
  cookie = cookie,
  hash = words("hash-algorithm hash-length hash-buffer-limit hash-offset hash-start-pattern "
    .. "hash-end-pattern rule", any),
  msrdp = words("has-session-dir", any),
  sip = words("sip-info", any),
  ssl = any,
  universal = words("rule", any),
  ["dest-addr"] = addresses,
  ["source-addr"] = addresses,
}
-- Properties of cookies that depend on the method.
local METHODS <const> = {
  hash = words("hash-length hash-offset", cookie),
  insert = words("cookie-encryption cookie-encryption-passphrase", cookie),
}

-- Seconds as days, hours, minutes and seconds, without what is zero in front: "1:0", "0".
local function duration(seconds)
  if not math.type(seconds) then return seconds or "0" end
  local parts = { seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60, seconds % 60 }
  while #parts > 1 and parts[1] == 0 do table.remove(parts, 1) end
  for i, part in ipairs(parts) do parts[i] = ("%d"):format(part) end
  return table.concat(parts, ":")
end

M.Persist = function(at, item, name)
  item.ttl = duration(item.ttl)
  if item.duration == 0 then item.duration = "indefinite" end
  item.remark = item.remark or ""
  item.addressMask = address.short(item.addressMask or "")
  if type(item.iRule) == "string" and item.iRule ~= "" then
    item.iRule = references.resolve(at, item.iRule, at:path(name) .. "/iRule")
  end
  item.iRule = item.iRule or ""
  item.passphrase = references.secret(item.passphrase)
  local kind = item.persistenceMethod:gsub("destination", "dest"):gsub("address", "addr")
    :gsub("tls%-session%-id", "ssl"):gsub("%-info", "")
  local props = at:properties("ltm persistence", item)
  local known = kind == "cookie" and METHODS[props.method] or TYPES[kind]
  if not known then
    references.fail(at:path(name), ('persistenceMethod "%s" is not simulated'):format(kind))
  end
  if kind == "cookie" and props.method == "hash" and item.hashCount then
    props["hash-length"] = item.hashCount
  end
  for property in pairs(props) do
    if not known[property] then props[property] = nil end
  end
  at:add("ltm persistence " .. kind, at:path(name), props)
end

return M
