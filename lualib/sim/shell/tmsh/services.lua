-- Names of ports, as tmsh lists addresses: "10.0.0.1:http".
local M = {}

local NAMES <const> = {
  ["0"] = "any", ["21"] = "ftp", ["22"] = "ssh", ["23"] = "telnet", ["25"] = "smtp",
  ["53"] = "domain", ["69"] = "tftp", ["80"] = "http", ["110"] = "pop3", ["119"] = "nntp",
  ["123"] = "ntp", ["143"] = "imap", ["161"] = "snmp", ["389"] = "ldap", ["443"] = "https",
  ["554"] = "rtsp", ["636"] = "ldaps", ["993"] = "imaps", ["995"] = "pop3s",
  ["1433"] = "ms-sql-s", ["1812"] = "radius", ["3306"] = "mysql", ["5060"] = "sip",
  ["6443"] = "sun-sr-https", ["30002"] = "pago-services2",
  ["8080"] = "webcache", ["8443"] = "pcsync-https",
}

--- A text with the port at its end by its name.
function M.named(text)
  local host, separator, port = text:match "^(.*[^:])([:.])(%d+)$"
  if not host or not NAMES[port] then return text end
  if separator == "." and not host:find(":", 1, true) then return text end
  if separator == ":" and host:find ":.*:" then return text end
  return host .. separator .. NAMES[port]
end

return M
