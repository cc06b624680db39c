-- Carries out one declaration: which tenants, in which order, what each becomes, what is kept.
local apply = require "sim.extensions.as3.apply"
local check = require "sim.extensions.as3.check"
local json = require "f5.json"
local map = require "sim.extensions.as3.map"
local patch = require "sim.extensions.as3.patch"
local reading = require "sim.extensions.as3.reading"
local records = require "sim.extensions.records"
local stored = require "sim.extensions.as3.stored"
local tables = require "sim.tables"
local version = require "sim.extensions.as3.version"

local M = {}

local CONFIGURED_ID <const> = { [""] = true, generate = true }

local function state_of(device) return device.state.extensions.as3 end

local function refuse(status, body)
  body.code = status
  error({ status = status, body = body }, 0)
end
M.refuse = refuse

--- Refuses a declaration before anything is done.
function M.invalid(device, declaration, path, message)
  local errors = json.array { path .. ": " .. message }
  local body = { message = "declaration is invalid", errors = errors }
  if version.names_declaration(device) then
    body.declarationId, body.host = declaration.id, "localhost"
    body.tenant = json.array(stored.tenants(declaration))
  else
    body.declarationFullId = ""
  end
  refuse(422, body)
end

-- Whether a declaration points at items of Common.
local function needs_common(value)
  if type(value) == "string" then return value:find("/Common/Shared", 1, true) == 1 end
  if type(value) ~= "table" then return false end
  for _, item in pairs(value) do
    if needs_common(item) then return true end
  end
  return false
end

-- The order in which tenants are handled: Common first and last.
local function passes(names)
  local list, common = {}, false
  for _, name in ipairs(names) do
    if name == "Common" then common = true else list[#list + 1] = { name = name } end
  end
  if common then
    table.insert(list, 1, { name = "Common", part = "create" })
    list[#list + 1] = { name = "Common", part = "delete" }
  end
  return list
end

-- An application or a tenant without content is as if it were not there.
local function is_empty(tenant)
  for _, item in pairs(tenant) do
    if type(item) == "table" and item.class ~= nil and item.class ~= "Controls" then
      return false
    end
  end
  return true
end

-- What the mapping makes of all tenants: name -> objects. `full`: the declaration with defaults.
local function map_all(device, declaration, full, names)
  local mapped = {}
  local context = {
    version = device.version.version, device = device, tenants = full,
    provisioned = function(module) return device:is_provisioned(module) end,
    exists = function(kind, path)
      local place = ("/mgmt/tm/%s/%s"):format(kind:gsub(" ", "/"), (path:gsub("/", "~")))
      return device.store:get(place) ~= nil
    end,
    get = function(kind, path)
      local place = ("/mgmt/tm/%s/%s"):format(kind:gsub(" ", "/"), (path:gsub("/", "~")))
      return device.store:get(place)
    end,
  }
  for _, name in ipairs(names) do
    context.original = declaration[name]
    local ok, objects, uploads = pcall(map, name, full[name], context)
    if not ok then
      local problem = objects
      if type(problem) ~= "table" or not problem.message then error(problem, 0) end
      if not problem.path then refuse(422, { message = problem.message }) end
      M.invalid(device, declaration, problem.path, problem.message)
    end
    mapped[name] = apply.objects(objects, uploads)
  end
  return mapped
end

-- The declaration that is kept after this one.
local function merged(device, declaration, base, results)
  local previous = stored.get(device) or {}
  local _, order = stored.get(device)
  local next_one, failed = {}, {}
  for _, result in ipairs(results) do
    if result.code ~= 200 then failed[result.tenant] = true end
  end
  for key, value in pairs(previous) do
    if stored.is_tenant(value) then next_one[key] = value end
  end
  for key, value in pairs(base) do
    if not stored.is_tenant(value) then next_one[key] = tables.copy(value) end
  end
  local new_order = table.move(order or {}, 1, #(order or {}), 1, {})
  for _, key in ipairs(stored.tenants(declaration)) do
    if not failed[key] then
      local empty = is_empty(declaration[key])
      next_one[key] = not empty and tables.copy(base[key] or declaration[key]) or nil
      if next_one[key] then next_one[key].optimisticLockKey = nil end
      if next_one[key] then new_order[#new_order + 1] = key end
    end
  end
  next_one.controls = type(next_one.controls) == "table" and next_one.controls or {}
  next_one.controls.archiveTimestamp = stored.iso(device:now())
  return next_one, new_order
end

local STALE <const> = "The hash you submitted does not match the hash on the current Tenant. This "
  .. "usually indicates there was a change to the Tenant since you pulled this hash. You will want "
  .. "to do a GET and see what the changes are."

-- Whether a tenant was changed since its sender read it.
local function is_stale(declaration, previous, name)
  local key = declaration[name].optimisticLockKey
  if key == nil or key == "" or not previous or not previous[name] then return false end
  return reading.hash(previous[name]) ~= key
end

local function run_passes(device, declaration, mapped, task, names)
  local state, results = state_of(device), json.array {}
  local ctx = {
    now = device:now(), device = device,
    user = { name = "admin", provider = "local", access = { ["all-partitions"] = "admin" } },
  }
  local job = {
    ctx = ctx, deployed = state.deployed, index = apply.index(device), dry = task.dry_run,
    wants_changes = task.wants_changes,
  }
  local previous, traces = stored.get(device), {}
  for _, pass in ipairs(passes(names)) do
    local name = pass.name
    if pass.part == "delete" then job.index = apply.index(device) end
    local started = device:now()
    local result = { code = 422, message = STALE }
    if not is_stale(declaration, previous, name) then
      job.traces = (task.traces or (task.traced or {})[name]) and traces or nil
      result = apply.tenant(device, name, mapped[name], job, pass.part)
    end
    result.host, result.tenant = "localhost", name
    result.runTime = (device:now() - started) // 1000
    result.declarationId = declaration.id
    result.dryRun = task.dry_run or nil
    if task.warnings and task.warnings[name] then result.warnings = task.warnings[name] end
    results[#results + 1] = result
  end
  return results, traces
end

local function status_of(results)
  local good, bad = 0, 0
  for _, result in ipairs(results) do
    if result.code == 200 then good = good + 1 else bad = bad + 1 end
  end
  return good == 0 and bad > 0 and 422 or bad > 0 and 207 or 200
end

-- The part of the kept declaration that the answer has: tenants of this request.
local function shown_declaration(kept, results)
  local shown, asked = {}, {}
  for _, result in ipairs(results) do asked[result.tenant] = true end
  for key, value in pairs(kept) do
    if not stored.is_tenant(value) or asked[key] then shown[key] = value end
  end
  return shown
end

-- Tenants that a declaration in the mode "complete" does not name are removed.
local function add_unnamed(device, declaration)
  if declaration.updateMode ~= "complete" then return end
  local previous = stored.get(device) or {}
  for key, value in pairs(previous) do
    if stored.is_tenant(value) and declaration[key] == nil then
      declaration[key] = { class = "Tenant" }
    end
  end
end

local function save(device)
  require("sim.commands").run(
    device,
    { user = { name = "admin", provider = "local", access = { ["all-partitions"] = "admin" } },
      query = {}, headers = {}, segments = { "mgmt", "tm", "sys", "config" },
      path = "/mgmt/tm/sys/config" },
    { template = "sys/config", path = "/mgmt/tm/sys/config" }, { command = "save" }
  )
end

-- Warnings of the check belong to the results of their tenants.
local function add_warnings(task, warnings)
  task.warnings = task.warnings or {}
  for _, warning in ipairs(warnings) do
    local list = task.warnings[warning.tenant] or json.array {}
    list[#list + 1] = warning
    task.warnings[warning.tenant] = list
  end
end

--- Deploys a declaration. Returns the status and the body of the answer; raises a response.
-- @param task { declaration =, order =, dry_run =, wants_changes =, traces =, persist =,
--   history_limit =, warnings = }
function M.deploy(device, task)
  local declaration = tables.copy(task.declaration)
  if declaration.id == nil or CONFIGURED_ID[declaration.id] then
    declaration.id = "autogen_" .. records.id()
  end
  declaration.updateMode = declaration.updateMode or "selective"
  local base = tables.copy(declaration)
  add_unnamed(device, declaration)
  local names = stored.tenants(declaration, task.order)
  if declaration.Common == nil and needs_common(declaration) then
    local previous = stored.get(device)
    declaration.Common = previous and previous.Common
    base.Common = tables.copy(declaration.Common)
    names = stored.tenants(declaration, task.order)
  end
  local full = tables.copy(declaration)
  local wrong, warnings = version.newer(device, declaration), nil
  if not wrong then wrong, warnings = check.check(device, full, declaration) end
  if wrong and wrong.path then M.invalid(device, declaration, wrong.path, wrong.message) end
  if wrong then refuse(422, { message = wrong.message }) end
  if #names == 0 then
    local body = { results = json.array { { message = "no change", host = "localhost" } } }
    body.results[1].code, body.declaration = 200, declaration
    body.dryRun = task.dry_run or nil
    return 200, body
  end
  add_warnings(task, warnings)
  local mapped = map_all(device, declaration, full, names)
  local results, traces = run_passes(device, declaration, mapped, task, names)
  local kept, order = merged(device, declaration, base, results)
  if not task.dry_run then stored.put(device, kept, order, task.history_limit) end
  local body = { results = results, declaration = shown_declaration(kept, results) }
  if next(traces) then body.traces = traces end
  body.dryRun = task.dry_run or nil
  if not task.dry_run and task.persist ~= false then save(device) end
  local status = status_of(results)
  if status ~= 200 then body.code = status end
  return status, body
end

--- The declaration that a patch makes of the kept one.
function M.patched(device, operations)
  local declaration, order = stored.get(device)
  if not declaration then refuse(404, { message = "no declaration was found to patch" }) end
  local ok, problem = pcall(patch.apply, declaration, operations)
  if ok then return problem, order end
  if type(problem) ~= "table" or not problem.patch then error(problem, 0) end
  refuse(422, { message = problem.patch })
end

return M
