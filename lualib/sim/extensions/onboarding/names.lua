-- Names of objects in /Common: declarations mostly have the short ones, the device the full ones.
local M = {}

--- "/Common/web" -> "web"; other values stay.
function M.short(name)
  return type(name) == "string" and name:match "^/Common/([^/]+)$" or name
end

--- "web" -> "/Common/web"; "none" and other values stay.
function M.full(name)
  local is_short = type(name) == "string" and name ~= "" and name ~= "none"
  if not is_short or name:sub(1, 1) == "/" then return name end
  return "/Common/" .. name
end

return M
