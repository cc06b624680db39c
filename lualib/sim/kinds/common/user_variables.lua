-- Variables of external monitors: `user-defined NAME VALUE` in tmsh, `apiRawValues` with the names
-- "userDefined NAME" in answers. An object keeps them in `userDefined`.
local monitors = require "sim.kinds.common.monitors"

local M = {}

local checks <const> = {}
for name, check in pairs(monitors.KIND.checks) do checks[name] = check end

-- What was read from a device has them in `apiRawValues`.
function checks.read(_, _, body, ctx)
  if not ctx.seed or type(body.apiRawValues) ~= "table" then return body end
  local fresh, raw, found = {}, {}, {}
  for name, value in pairs(body) do fresh[name] = value end
  for name, value in pairs(body.apiRawValues) do
    local variable = name:match "^userDefined (.+)$"
    if variable then found[variable] = value else raw[name] = value end
  end
  fresh.apiRawValues = next(raw) and raw or nil
  fresh.userDefined = next(found) and found or fresh.userDefined
  return fresh
end

function checks.prepare(store, object, properties, old, ctx)
  monitors.KIND.checks.prepare(store, object, properties, old, ctx)
  local given = properties.userDefined
  if type(given) == "string" then
    local name, value = given:match "^(%S+)%s+(.*)$"
    if name then given = { [name] = value } end
  end
  if type(given) ~= "table" then return end
  local kept = {}
  for name, value in pairs(old and type(old.userDefined) == "table" and old.userDefined or {}) do
    kept[name] = value
  end
  for name, value in pairs(given) do kept[name] = value ~= "none" and tostring(value) or nil end
  object.userDefined = next(kept) and kept or nil
end

local function show(_, _, object, shown)
  if type(object.userDefined) ~= "table" then return end
  shown.userDefined = nil
  shown.apiRawValues = shown.apiRawValues or {}
  for name, value in pairs(object.userDefined) do
    shown.apiRawValues["userDefined " .. name] = value
  end
end

--- Adds them to a kind of monitors.
function M.add_to(kind)
  kind.facts = { props = { userDefined = { t = "o", variables = true } } }
  kind.checks, kind.show = checks, show
end

return M
