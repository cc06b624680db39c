-- Profiles that are little more than a table of properties.
local properties = require "sim.extensions.as3.map.properties"
local references = require "sim.extensions.as3.map.references"

local M = {}

local INDEFINITE <const> = 4294967295

-- Replaces words of a property: replace(item, "idleTimeout", { [0] = "immediate" }).
local function replace(item, name, words)
  if item[name] ~= nil and words[item[name]] ~= nil then item[name] = words[item[name]] end
end

local IDLE <const> = { [0] = "immediate", [-1] = "indefinite" }

local simple = properties.handler

M.TCP_Profile = simple("ltm profile tcp", { remark = "" }, function(item)
  for _, name in ipairs { "nagle", "mptcp" } do
    local word = item[name]
    if word == "enable" or word == "disable" then item[name] = word .. "d" end
  end
  item.md5SignaturePassphrase = references.secret(item.md5SignaturePassphrase)
  for _, name in ipairs { "closeWaitTimeout", "finWaitTimeout", "finWait2Timeout", "idleTimeout",
    "zeroWindowTimeout" } do
    replace(item, name, { [-1] = INDEFINITE })
  end
  replace(item, "timeWaitTimeout", { [-1] = "indefinite" })
  local list = {}
  for i, option in ipairs(item.tcpOptions or {}) do
    list[i] = ("{%s %s}"):format(option.option, option.when)
  end
  item.tcpOptions = #list > 0 and table.concat(list, " ") or "none"
end)

M.UDP_Profile = simple("ltm profile udp", { remark = "" }, function(item)
  replace(item, "idleTimeout", IDLE)
end)

M.IP_Other_Profile = simple("ltm profile ipother", { remark = "" }, function(item)
  replace(item, "idleTimeout", { [0] = "immediate", [-1] = "indefinite",
    [INDEFINITE] = "indefinite" })
end)

M.L4_Profile = simple("ltm profile fastl4", { remark = "none", pvaAcceleration = "full" },
  function(item)
    replace(item, "clientTimeout", { [-1] = 86400 })
    replace(item, "maxSegmentSize", { [-1] = 9162 })
    for _, name in ipairs { "idleTimeout", "tcpCloseTimeout", "tcpHandshakeTimeout" } do
      replace(item, name, IDLE)
    end
  end)

M.Multiplex_Profile = simple("ltm profile one-connect", { remark = "" }, function(item)
  if not item.sourceMask or item.sourceMask == "" then item.sourceMask = "any" end
end)

-- A power of two that is at least a number.
local function power(number)
  local result = 1
  while result < number do result = result * 2 end
  return result
end

M.HTTP_Compress = simple("ltm profile http-compression", { remark = "" }, function(item)
  for _, name in ipairs {
    "contentTypeExclude", "contentTypeInclude", "uriExclude", "uriInclude",
  } do
    item[name] = item[name .. "s"] or ""
  end
  for _, name in ipairs { "gzipMemory", "gzipWindowSize" } do
    if math.type(item[name]) then item[name] = power(item[name]) end
  end
end)

M.HTTP2_Profile = simple("ltm profile http2", { remark = "" })
M.WebSocket_Profile = simple("ltm profile websocket", { remark = "" })
M.HTTP_Acceleration_Profile = simple "ltm profile web-acceleration"
M.RTSP_Profile = simple "ltm profile rtsp"
M.TFTP_Profile = simple "ltm profile tftp"

M.Stream_Profile = simple("ltm profile stream", {
  remark = "none", source = "none", target = "none",
})

M.FTP_Profile = simple("ltm profile ftp", nil, function(item)
  item.allowFtps = item.ftpsMode ~= "disallow"
end)

M.DNS_Profile = simple("ltm profile dns", {
  cache = "none", securityProfile = "none", remark = "",
}, function(item)
  if not item.loggingProfile then item.loggingEnabled, item.loggingProfile = false, "none" end
end)

M.Statistics_Profile = simple("ltm profile statistics", { remark = "" }, function(item)
  for i = 1, 32 do
    local field = ("field%d"):format(i)
    item[field] = item[field] or "none"
  end
end)

return M
