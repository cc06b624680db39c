-- The extensions that take declarations, and which of them a declaration is for.

local core = require "f5.core"
local json = require "f5.json"

local M = {}

---@class f5.declare.extension
---@field name string "as3", "do", "ts" or "fast"
---@field label string how messages call it
---@field root string its path
---@field package string name of its package, without the version
---@field dry_run? string the first version with a dry run; nil: it has none

--- All extensions, in the order in which they are listed.
M.EXTENSIONS = {
  {
    name = "as3", label = "AS3", root = "/mgmt/shared/appsvcs", package = "f5-appsvcs",
    dry_run = "3.30.0",
  },
  {
    name = "do", label = "DO", root = "/mgmt/shared/declarative-onboarding",
    package = "f5-declarative-onboarding", dry_run = "1.23.0",
  },
  { name = "ts", label = "TS", root = "/mgmt/shared/telemetry", package = "f5-telemetry" },
  { name = "fast", label = "FAST", root = "/mgmt/shared/fast", package = "f5-appsvcs-templates" },
}

--- The extension with a name; nil: there is none.
function M.find(name)
  for _, one in ipairs(M.EXTENSIONS) do
    if one.name == name then return one end
  end
  return nil
end

--- The extension that a path belongs to; nil: none. AS3 refuses what it does not know in a query,
-- such as $top and $select.
-- @param path string: such as "/mgmt/shared/appsvcs/task"; or a reference
function M.of_path(path)
  path = tostring(path)
  for _, one in ipairs(M.EXTENSIONS) do
    if path:sub(1, #one.root) == one.root and path:find("^[/?]", #one.root + 1)
      or path == one.root then return one end
  end
  return nil
end

--- The names of all extensions, for messages.
function M.names()
  local names = {}
  for i, one in ipairs(M.EXTENSIONS) do names[i] = one.name end
  return table.concat(names, ", ")
end

--- The extension of a package: "f5-appsvcs-3.50.2-3.noarch"; nil: another one.
function M.of_package(name)
  local found
  for _, one in ipairs(M.EXTENSIONS) do
    local fits = name:sub(1, #one.package) == one.package
      and name:sub(#one.package + 1):find "^%-?%d" or name == one.package
    if fits then found = one end
  end
  return found
end

--- Whether a version is at least another one: "3.50.2" and "3.30.0".
function M.at_least(version, wanted)
  local is, want = tostring(version):gmatch "%d+", wanted:gmatch "%d+"
  for _ = 1, 3 do
    local a, b = tonumber(is() or 0), tonumber(want() or 0)
    if a ~= b then return a > b end
  end
  return true
end

-- -- declarations ---------------------------------------------------------------------------------

local CLASSES <const> = {
  AS3 = "as3", ADC = "as3", Device = "do", DO = "do", Telemetry = "ts",
}

local function is_patch(list)
  for _, one in ipairs(list) do
    if type(one) ~= "table" or type(one.op) ~= "string" or type(one.path) ~= "string" then
      return false
    end
  end
  return true
end

-- An array: declarations of AS3, or a JSON patch.
local function of_list(list)
  if is_patch(list) then return "as3", "patch" end
  for i, one in ipairs(list) do
    if type(one) ~= "table" or CLASSES[one.class] ~= "as3" then
      core.usage_error(("declare: item %d of the array is neither a declaration of AS3 (class AS3 "
        .. "or ADC) nor an operation of a JSON patch (op and path)"):format(i))
    end
  end
  return "as3", "list"
end

local function has_applications(body)
  for _, value in next, body do
    if type(value) == "table" and value.class == "Application" then return true end
  end
  return false
end

--- What a declaration is.
-- @return string: name of the extension
-- @return string: "one", "list", "patch" or "applications" (of one tenant)
function M.of(body)
  if rawlen(body) > 0 then return of_list(body) end
  local name = CLASSES[body.class]
  if name then return name, "one" end
  if body.class == nil and type(body.name) == "string" and type(body.parameters) == "table" then
    return "fast", "one"
  end
  if body.class == nil and has_applications(body) then return "as3", "applications" end
  return core.usage_error(body.class == nil
    and "declare: the declaration has no class; f5lua knows AS3, ADC, Device, DO and Telemetry, "
      .. "and for FAST a table with name and parameters"
    or ("declare: unknown class '%s' of the declaration; expected AS3, ADC, Device, DO or "
      .. "Telemetry"):format(core.mask(tostring(body.class))))
end

--- Reads what a script gives as a declaration.
-- @return table, and the JSON text if the script gave one: it is sent as it is, in its own order
function M.read(given)
  if type(given) == "table" then
    if next(given) == nil then core.usage_error "declare: the declaration is empty" end
    return given
  end
  if type(given) ~= "string" then
    core.usage_error(("declare: expected a declaration as a table or JSON text, got a %s"):format(
      type(given)))
  end
  local ok, body = pcall(json.decode, given)
  if not ok then
    local why = type(body) == "table" and body.message or body
    core.usage_error(("declare: the declaration is not JSON: %s%s"):format(
      core.mask(tostring(why)):gsub("^[^%s]+:%d+: ", ""),
      given:find "^[%w%._/~-]+$" and "; f5.asset(FILE) reads a file" or ""))
  end
  if type(body) ~= "table" or next(body) == nil then
    core.usage_error "declare: the declaration must be an object or an array that is not empty"
  end
  return body, given
end

-- -- what is in it --------------------------------------------------------------------------------

local function adc_of(body)
  if body.class == "AS3" and type(body.declaration) == "table" then return body.declaration end
  return body
end

--- The names of the tenants of a declaration of AS3, sorted.
function M.tenants(body)
  local found, seen = {}, {}
  local list = rawlen(body) > 0 and body or { body }
  for _, one in ipairs(list) do
    for name, value in next, type(one) == "table" and adc_of(one) or {} do
      local is_tenant = type(name) == "string" and type(value) == "table"
        and value.class == "Tenant"
      if is_tenant and not seen[name] then
        seen[name] = true
        found[#found + 1] = name
      end
    end
  end
  table.sort(found)
  return found
end

--- The id of a declaration of AS3; nil if it has none.
function M.id_of(body)
  if rawlen(body) > 0 then return nil end
  local id = adc_of(body).id
  return type(id) == "string" and id or nil
end

return M
