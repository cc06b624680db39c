-- Declarations in check mode. The twin has no extensions: AS3 and DO of the device itself say in a
-- dry run what they would do. What they accept, the device may still refuse.

local core = require "f5.core"
local json = require "f5.json"
local kinds = require "f5.declare.kinds"
local results = require "f5.declare.results"

local M = {}

--- The names of the methods that a check replaces.
M.NAMES = { "declare", "declared", "undeclare", "extensions" }

-- What stands behind the step in the report of a check.
local function said(label, found)
  local parts = {}
  for i, one in ipairs(found) do
    local changes <const> = results.changes(one)
    parts[i] = results.line(one)
      .. (#changes > 0 and " [" .. table.concat(changes, "; ") .. "]" or "")
  end
  return ("accepted by %s's dry run, not by the device: %s"):format(
    label, table.concat(parts, "; "))
end

local function add_step(device, line, step, validation)
  step.n, step.line, step.ok, step.status = #device.steps + 1, line, true, 200
  step.validation, step.dry_run = validation, true
  if device.uncertain_from then step.uncertain = "a step before it was not simulated" end
  device.steps[step.n] = step
end

local WHY <const> = {
  ts = "TS has no dry run", fast = "FAST has no dry run",
  none = "there is no device that could make a dry run",
}

-- A declaration is sent as a dry run, and becomes a step.
local function declare(check, device, line, call, declaration, options)
  local body, text = kinds.read(declaration)
  local name <const> = kinds.of(body)
  local extension <const> = kinds.find(name)
  local step <const> = {
    method = "POST", path = extension.root .. (name == "as3" and "/declare" or ""),
    body = text or json.encode(body), where = line,
  }
  local why <const> = not device.real and WHY.none or WHY[name]
  if why then
    check:stop_at(device, step, why)
    return results.of {}
  end
  local given = {}
  for key, value in pairs(type(options) == "table" and options or {}) do given[key] = value end
  given.dry_run = true
  local found <const> = call(device.real, declaration, given)
  if type(options) ~= "table" or not options.dry_run then
    add_step(device, line, step, {
      state = "not_validated", message = said(extension.label, found),
    })
  end
  return found
end

--- Makes the methods of a check.
-- @param check f5.plan.check: with of_session and stop_at
-- @param before table: the methods as they were
-- @param line function(): the line of the script
-- @return table: name -> method
function M.methods(check, before, line)
  local out = {}
  function out.declare(bip, declaration, options)
    local device <const> = check.of_session[bip]
    if not device then return before.declare(bip, declaration, options) end
    return declare(check, device, line(), before.declare, declaration, options)
  end
  function out.undeclare(bip, ...)
    local device <const> = check.of_session[bip]
    if not device then return before.undeclare(bip, ...) end
    local names = {}
    for _, name in ipairs { ... } do
      if type(name) ~= "string" then break end
      names[#names + 1] = name
    end
    if #names == 0 then return before.undeclare(bip, ...) end -- raises
    check:stop_at(device, {
      method = "DELETE", path = "/mgmt/shared/appsvcs/declare/" .. table.concat(names, ","),
      where = line(),
    }, "AS3 has no dry run of a removal")
    return results.of {}
  end
  for _, name in ipairs { "declared", "extensions" } do
    out[name] = function(bip, ...)
      local device <const> = check.of_session[bip]
      if device and not device.real then
        core.usage_error(name .. ": there is no device that could answer")
      end
      return before[name](device and device.real or bip, ...)
    end
  end
  return out
end

return M
