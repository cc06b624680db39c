-- What a template needs of the device: modules, versions. Templates inside that lack something are
-- left out, or the template cannot be loaded.
local extensions = require("sim.lazy") "sim.extensions"
local json = require "f5.json"
local ordered = require "sim.extensions.templates.ordered"

local M = {}

local MINIMUM_AS3 <const> = "3.16"

local function fail(format, ...) error({ template = format:format(...) }, 0) end

-- "17.1.3" -> 171.3.0, as FAST compares versions of BIG-IP; nil: "3.16" -> 3.16.0.
local function numbers(version, of_device)
  local parts = {}
  for part in tostring(version):gmatch "%d+" do parts[#parts + 1] = part end
  if of_device then
    parts[2] = parts[2] or "0"
    parts = { parts[1] .. parts[2], table.unpack(parts, 3) }
  end
  local list = {}
  for i = 1, 3 do list[i] = tonumber(parts[i] or 0) end
  return list
end

local function is_less(a, b)
  for i = 1, 3 do
    if a[i] ~= b[i] then return a[i] < b[i] end
  end
  return false
end

local function check_own(device, template, title)
  local data, missing = template.data, {}
  for _, module in ipairs(data.bigipDependencies or {}) do
    local is_there = module == "ts" and extensions.version(device, "ts") ~= nil
      or module ~= "ts" and device:is_provisioned(module)
    if not is_there then missing[#missing + 1] = module end
  end
  if #missing > 0 then
    fail("could not load template (%s) due to missing modules: %s", title,
      table.concat(missing, ","))
  end
  local installed = extensions.version(device, "as3") or "0.0"
  local wanted = numbers(data.bigipMinimumAS3 or MINIMUM_AS3)
  if is_less(numbers(installed), wanted) then
    fail("could not load template (%s) since it requires AS3 >= %s (found %s)", title,
      table.concat(wanted, "."), table.concat(numbers(installed), "."))
  end
  local own = device.version.version
  if is_less(numbers(own, true), numbers(data.bigipMinimumVersion or "13.1", true)) then
    fail("could not load template (%s) since it requires BIG-IP >= %s (found %s)", title,
      tostring(data.bigipMinimumVersion), own)
  end
  if is_less(numbers(data.bigipMaximumVersion or "999.999", true), numbers(own, true)) then
    fail("could not load template (%s) since it requires BIG-IP maximum version of %s (found %s)",
      title, tostring(data.bigipMaximumVersion), own)
  end
end

local check

-- The templates of a group that lack nothing, and what the others lack.
local function usable(device, template, group)
  local list, problems, count = {}, {}, 0
  for _, inner in ipairs(template.inner) do
    if inner.group == group then
      count = count + 1
      local ok, result = pcall(check, device, inner.template, inner.template.title)
      if ok then
        list[#list + 1] = { group = group, template = result }
      elseif type(result) ~= "table" or not result.template then
        error(result, 0)
      elseif group == "allOf" then
        fail("%s", result.template)
      else
        problems[#problems + 1] = result.template
      end
    end
  end
  return list, table.concat(problems, "; "), count
end

-- A copy of a template with those inside that can be used. Raises { template = why }.
function check(device, template, title)
  check_own(device, template, title)
  local copy = setmetatable({}, getmetatable(template))
  for key, value in pairs(template) do copy[key] = value end
  copy.inner, copy.whole = {}, template
  for _, group in ipairs { "allOf", "oneOf", "anyOf" } do
    local list, problems, count = usable(device, template, group)
    if group == "oneOf" and count > 0 and #list ~= 1 then
      fail("could not load template since no single oneOf had valid dependencies: Value must "
        .. "validate against exactly one of the provided schemas. %s", problems)
    end
    if group == "anyOf" and count > 0 and #list == 0 then
      fail("could not load template since no anyOf had valid dependencies: %s", problems)
    end
    table.move(list, 1, #list, #copy.inner + 1, copy.inner)
  end
  return copy
end

-- Puts the names of objects of the device into properties that ask for them.
local function hydrate(device, template)
  for _, definition in ordered.pairs(template.schema.properties) do
    for _, place in ipairs { definition, definition.items } do
      local asked = ordered.is_object(place) and place.enumFromBigip
      if asked then
        local paths = ordered.is_object(asked) and asked.path or asked
        local names = json.array {}
        for _, path in ipairs(ordered.is_array(paths) and paths or { paths }) do
          for _, object in ipairs(device.store:list("/mgmt/tm/" .. tostring(path))) do
            names[#names + 1] = object.fullPath
          end
        end
        ordered.set(place, "enum", #names > 0 and names or json.array { json.null })
      end
    end
  end
  for _, inner in ipairs(template.inner) do hydrate(device, inner.template) end
end

-- Without IPAM, the templates of F5 do not ask for its providers.
local function remove_ipam(template)
  local schema = template.schema
  for _, name in ipairs(ordered.keys(schema.properties)) do
    if name:find "_ipam$" then schema.properties[name] = nil end
  end
  for name, list in pairs(schema.dependencies or {}) do
    local kept = json.array {}
    for _, on in ipairs(list) do
      if not tostring(on):find "use_ipam$" then kept[#kept + 1] = on end
    end
    schema.dependencies[name] = #kept > 0 and kept or nil
  end
  for _, inner in ipairs(template.inner) do remove_ipam(inner.template) end
end

local function copy_schemas(template)
  template.schema = ordered.copy(template.schema)
  for _, inner in ipairs(template.inner) do copy_schemas(inner.template) end
end

--- A template as FAST uses it on this device. Raises { template = why }.
function M.prepared(device, template, full)
  local title = template.title ~= "" and template.title or full
  local copy = check(device, template, title)
  copy.title, copy.content_type = title, "application/json"
  copy_schemas(copy)
  hydrate(device, copy)
  if full:find "^bigip%-fast%-templates/" then remove_ipam(copy) end
  return copy
end

return M
