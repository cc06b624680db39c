-- The lists of ports that a self IP allows by default. Three kinds show the same lists.
local M = {}

local function list(name, text)
  local ports = {}
  for port in text:gmatch "%S+" do ports[#ports + 1] = { name = port } end
  return { name = name, ports = ports }
end

M.DEFAULTS = {
  list("_sys_self_allow_tcp_defaults", "22 53 161 443 1029-1043 4353"),
  list("_sys_self_allow_udp_defaults", "53 161 520 1026 4353"),
}

return M
