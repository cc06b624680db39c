-- What depends on the version of AS3 that is installed.
local extensions = require("sim.lazy") "sim.extensions"

local M = {}

--- The minor number of the installed version: 50 of 3.50.2.
function M.minor(device)
  local version = extensions.version(device, "as3") or ""
  return tonumber(version:match "^3%.(%d+)") or 0
end

-- The pattern of schemaVersion of a version.
local function pattern(minor)
  if minor < 10 then return ("^3[.][0-%d]($|[.][0-9]+$)"):format(minor) end
  local tens, ones = minor // 10, minor % 10
  local last = ones == 0 and "0" or "0-" .. ones
  local full = ("1234567"):sub(1, tens - 1)
  return ("^3[.]([0-9]|%s%d[%s])($|[.][0-9]+$)"):format(
    full ~= "" and ("[%s][0-9]|"):format(full) or "", tens, last
  )
end

--- What a declaration has that the installed version does not know: { path =, message = } or nil.
function M.newer(device, declaration)
  local minor = M.minor(device)
  local wanted = declaration.schemaVersion
  local number = type(wanted) == "string" and tonumber(wanted:match "^3%.(%d+)")
  if number and number > minor then
    return {
      path = "/schemaVersion",
      message = ('data "%s" should match pattern "%s"'):format(wanted, pattern(minor)),
    }
  end
  local controls = declaration.controls
  if minor < 30 and type(controls) == "table" and controls.dryRun ~= nil then
    return { path = "/controls", message = "should NOT have additional properties" }
  end
  return nil
end

--- Whether the query may set controls.
function M.has_query_controls(device) return M.minor(device) >= 30 end

--- Whether single applications can be deployed; before 3.50 only if the settings say so.
function M.per_app(device)
  local minor = M.minor(device)
  if minor < 47 then return nil end
  local allowed = device.state.extensions.as3.settings.perAppDeploymentAllowed
  if allowed == nil then return minor >= 50 end
  return allowed
end

--- Whether the answer to a mistake names host, tenants and the declaration.
function M.names_declaration(device) return M.minor(device) >= 51 end

return M
