-- Carries out a declaration: reads the device, compares, writes.
local classes = require "sim.extensions.onboarding.classes"
local current = require "sim.extensions.onboarding.current"
local difference = require "sim.extensions.onboarding.difference"
local fixes = require "sim.extensions.onboarding.fixes"
local join = require "sim.extensions.onboarding.join"
local json = require "f5.json"
local login = require "sim.auth.login"
local parse = require "sim.extensions.onboarding.parse"
local secrets = require "sim.extensions.onboarding.secrets"
local tables = require "sim.tables"
local transaction = require "sim.tasks.transaction"
local write = require "sim.extensions.onboarding.write"

local M = {}

local ACTION <const> = "/mgmt/tm/sys/db/provision.action"

-- The variables that the declaration or an earlier one sets.
local function db_names(wanted, state)
  local names = { ["config.auditing"] = true }
  for name in pairs(wanted.DbVariables or {}) do names[name] = true end
  for name in pairs(state.original and state.original.DbVariables or {}) do names[name] = true end
  return names
end

-- Keeps what the device had before DO changed anything.
local function keep_original(state, config)
  if not state.original then
    state.original = tables.copy(config)
    return
  end
  local first = state.original
  first.DbVariables = first.DbVariables or {}
  for name, value in pairs(config.DbVariables or {}) do
    if first.DbVariables[name] == nil then first.DbVariables[name] = value end
  end
  for class, value in pairs(config) do
    if first[class] == nil then first[class] = tables.copy(value) end
  end
end

-- Whether DHCP sets addresses and routes for management follows from several classes.
local function management(wanted, original)
  local system = wanted.System
  local kept = system and system.preserveOrigDhcpRoutes
  local declared = wanted.ManagementIp or wanted.ManagementRoute
  if system then system.preserveOrigDhcpRoutes = nil end
  if declared and not (system and system.mgmtDhcp) then
    wanted.System = system or {}
    wanted.System.mgmtDhcp = kept and "enabled" or "disabled"
  end
  if not kept or not wanted.ManagementRoute then return end
  for name, route in pairs(original.ManagementRoute or {}) do
    if route.description == "configured-by-dhcp" and not wanted.ManagementRoute[name] then
      wanted.ManagementRoute[name] = tables.copy(route)
    end
  end
end

-- What is wanted and what is there, ready to be compared.
local function prepare(device, state, declaration)
  local wanted = parse.wanted(declaration)
  local there = current.read(device, db_names(wanted, state))
  fixes.current(there)
  -- what needs a module that comes with this declaration
  for class in pairs(wanted) do
    if classes.is_truth(class) then there[class] = there[class] or {} end
  end
  keep_original(state, there)
  management(wanted, state.original)
  local files = fixes.wanted(wanted, there)
  difference.complete(wanted, state.original, there)
  return wanted, there, files
end

local function reason_of(problem)
  if type(problem) ~= "table" then error(problem, 0) end
  if problem.onboarding then return 500, problem.onboarding end
  if not problem.status then error(problem, 0) end
  local body = problem.body
  local message = type(body) == "table" and body.message or tostring(body)
  return problem.status == 400 and 422 or problem.status, message
end

--- Carries out a declaration. Returns { code = 200, warnings =, traces =, reboot = }, or after a
--- refusal of the device, which undoes everything, { code =, reason = }.
function M.run(device, state, declaration)
  local controls = declaration.controls or {}
  local wanted, there, files = prepare(device, state, declaration)
  local found = difference.find(wanted, there, function(path, plain, shown)
    return secrets.same(state, path, plain, shown)
  end)
  local result = { code = 200, warnings = json.array {}, current = there }
  if controls.trace or controls.traceResponse then
    result.traces = {
      desired = { parsed = true, Common = wanted }, current = { parsed = true, Common = there },
      diff = found.list,
    }
  end
  if controls.dryRun then return result end
  local job = { warnings = result.warnings, files = files, kept_files = tables.copy(state.files),
    new_passwords = {}, groups = {} }
  local ok, problem = pcall(transaction.together, device, function()
    write.run(device, found, there, job)
  end)
  if not ok then
    result.code, result.reason = reason_of(problem)
    return result
  end
  state.files = job.kept_files
  for _, name in ipairs(job.new_passwords) do login.end_tokens(device, name) end
  secrets.remember(device, state, found.update)
  if job.trust then result.join = { trust = job.trust, groups = job.groups } end
  result.reboot = job.reboot or (device.store:get(ACTION) or {}).value == "reboot"
  return result
end

--- What follows when this device has joined a trust domain. Returns nil, or { code =, reason = }.
function M.joined(device, plan)
  local ok, problem = pcall(device.store.atomically, device.store, join.groups, device, plan.groups)
  if ok then return nil end
  local code, reason = reason_of(problem)
  return { code = code, reason = reason }
end

--- Gives the device the configuration that it had, without users. Returns nil, or the reason why
--- that is impossible.
function M.undo(device, state, before)
  local there = current.read(device, db_names(before, state))
  fixes.current(there)
  local found = difference.find(before, there, function(path, plain, shown)
    return plain == shown or secrets.same(state, path, plain, shown)
  end)
  local job = {
    warnings = {}, files = {}, kept_files = state.files, new_passwords = {}, groups = {},
  }
  found.update.DeviceGroup, found.update.SyslogRemoteServer = nil, nil
  found.update.MAC_Masquerade = nil
  local ok, problem = pcall(transaction.together, device, write.run, device, found, there, job)
  if ok then return nil end
  return select(2, reason_of(problem))
end

--- After a boot the device has nothing left that needs one.
function M.booted(device)
  local object = device.store:get(ACTION)
  if not object or object.value ~= "reboot" then return end
  device.store:modify(ACTION, { value = "none" }, { now = device:now() })
end

return M
