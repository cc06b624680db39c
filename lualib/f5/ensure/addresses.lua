-- Addresses and ports in a canonical form: two spellings of the same address become equal.

local M = {}

-- Names of ports that devices accept, as IANA assigns them.
local SERVICES <const> = {
  any = 0, ["*"] = 0, ["ftp-data"] = 20, ftp = 21, ssh = 22, telnet = 23, smtp = 25, tacacs = 49,
  domain = 53, bootps = 67, bootpc = 68, tftp = 69, gopher = 70, finger = 79, http = 80,
  kerberos = 88, pop3 = 110, sunrpc = 111, ident = 113, nntp = 119, ntp = 123, epmap = 135,
  ["netbios-ns"] = 137, ["netbios-dgm"] = 138, ["netbios-ssn"] = 139, imap = 143, snmp = 161,
  snmptrap = 162, bgp = 179, irc = 194, ldap = 389, https = 443, ["microsoft-ds"] = 445,
  kpasswd = 464, isakmp = 500, syslog = 514, printer = 515, router = 520, nntps = 563, rtsp = 554,
  submission = 587, ldaps = 636, ["domain-s"] = 853, ftps = 990, ["ftps-data"] = 989, telnets = 992,
  imaps = 993, pop3s = 995, ["ms-sql-s"] = 1433, ["ms-sql-m"] = 1434, l2tp = 1701, pptp = 1723,
  radius = 1812, ["radius-acct"] = 1813, nfs = 2049, iscsi = 3260, ["globalcatldap"] = 3268,
  ["msft-gc"] = 3268, ["msft-gc-ssl"] = 3269, mysql = 3306, ["ms-wbt-server"] = 3389,
  diameter = 3868, ["f5-iquery"] = 4353, sip = 5060, sips = 5061, ["xmpp-client"] = 5222,
  postgresql = 5432, amqp = 5672, ["http-alt"] = 8080, webcache = 8080, ["pcsync-https"] = 8443,
}

--- Returns a port as a number: 80, "80", "http", "any"; nil if it is not a port.
function M.port(value)
  local number = math.tointeger(tonumber(value))
  if number then return number >= 0 and number <= 65535 and number or nil end
  return type(value) == "string" and SERVICES[value:lower()] or nil
end

local function ipv4(text)
  local parts = { text:match "^(%d+)%.(%d+)%.(%d+)%.(%d+)$" }
  if not parts[1] then return nil end
  for i, part in ipairs(parts) do
    parts[i] = tonumber(part)
    if #part > 3 or parts[i] > 255 then return nil end
  end
  return parts
end

local function groups_of(text)
  local groups = {}
  for group in text:gmatch "[^:]+" do
    if not group:find "^%x%x?%x?%x?$" then return nil end
    groups[#groups + 1] = tonumber(group, 16)
  end
  return groups
end

-- "2001:DB8::1" -> "2001:db8:0:0:0:0:0:1"
local function ipv6(text)
  if not text:find ":" or text:find ":::" then return nil end
  local head, last = text:match "^(.*:)(%d+%.%d+%.%d+%.%d+)$"
  local four = last and ipv4(last)
  if last and not four then return nil end
  if four then
    text = ("%s%x:%x"):format(head, four[1] << 8 | four[2], four[3] << 8 | four[4])
  end
  local before, after = text:match "^(.-)::(.*)$"
  local front = groups_of(before or text)
  local back = after and groups_of(after) or {}
  if not front or not back then return nil end
  if after and after:find "::" or not after and #front ~= 8 then return nil end
  if #front + #back > 8 then return nil end
  for _ = #front + #back + 1, 8 do front[#front + 1] = 0 end
  for _, group in ipairs(back) do front[#front + 1] = group end
  for i, group in ipairs(front) do front[i] = ("%x"):format(group) end
  return table.concat(front, ":")
end

local ANY <const> = {
  any = "0.0.0.0", any6 = "0:0:0:0:0:0:0:0", default = "0.0.0.0/0",
  ["default-inet6"] = "0:0:0:0:0:0:0:0/0",
}

-- 255.255.255.0 -> 24; nil if it is not a netmask
local function bits_of(mask)
  local parts = ipv4(mask)
  if not parts then return nil end
  local number = parts[1] << 24 | parts[2] << 16 | parts[3] << 8 | parts[4]
  local bits = 0
  while bits < 32 and number & (1 << (31 - bits)) ~= 0 do bits = bits + 1 end
  return number & ((1 << (32 - bits)) - 1) == 0 and bits or nil
end

--- Returns an address, with route domain and prefix, in canonical form; nil if the text is not an
-- address.
function M.address(text)
  if ANY[text] then return ANY[text] end
  local host, domain, prefix = text:match "^([%x:.]+)(%%?%d*)/?(.*)$"
  if not host then
    host, domain = text:match "^(any6?)(%%%d+)$"
    prefix = ""
    if not host then return nil end
  end
  local four = ipv4(host)
  local form = ANY[host] or four and table.concat(four, ".") or ipv6(host)
  if not form then return nil end
  if domain == "%0" or domain == "%" then domain = "" end
  if prefix == "" then return form .. domain end
  local bits = prefix:match "^%d+$" and prefix or bits_of(prefix)
  return bits and ("%s%s/%s"):format(form, domain, bits) or nil
end

--- Parses "10.0.0.1:http", "2001:db8::1.80", "name:80", also after "/Common/". Returns the folder
-- (or false), and host and port in canonical form; nothing if the text is invalid.
function M.endpoint(text)
  local folder, rest = text:match "^(/.*)/([^/]+)$"
  rest = rest or text
  if rest:find "/" then return nil end
  local host, port = rest:match "^([^:]+):([^:]+)$"
  if not host then host, port = rest:match "^(.*:.*)%.([^.:]+)$" end
  local number = port and M.port(port)
  if not number then return nil end
  return folder or false, (M.address(host) or host) .. " " .. number
end

return M
