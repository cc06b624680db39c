-- What an extension says about a declaration: one result for each tenant, as a script sees it, as
-- text, and as an error.

local core = require "f5.core"
local json = require "f5.json"
local terminal = require "f5.terminal"

local M = {}

---@class f5.declare.result
---@field tenant? string
---@field code integer
---@field message string
---@field response? string the device's own words
---@field errors? string[]
---@field warnings? table[]
---@field changes? table[] of a dry run
---@field run_time? number seconds
---@field dry_run? boolean
---@field ok boolean
---@field changed boolean whether the device was changed

local Results <const> = { __name = "f5.declare.results" }

local function text(value)
  if value == nil or value == json.null or value == "" then return nil end
  if type(value) == "string" then return value end
  local ok, encoded = pcall(json.encode, value, { sort = true })
  return ok and encoded or tostring(value)
end

local function texts(list)
  if type(list) == "string" then return { list } end
  if type(list) ~= "table" or next(list) == nil then return nil end
  local out = json.array {}
  if rawlen(list) == 0 then
    out[1] = text(list)
    return out
  end
  for i, one in ipairs(list) do
    if type(one) == "table" and type(one.message) == "string" then
      local where = one.dataPath or one.instancePath
      one = (type(where) == "string" and where ~= "" and where .. " " or "") .. one.message
    end
    out[i] = text(one)
  end
  return out
end

local function tenant_of(raw)
  local tenant = raw.tenant
  if type(tenant) == "table" then tenant = table.concat(texts(tenant) or {}, ", ") end
  return type(tenant) == "string" and tenant ~= "" and tenant or nil
end

local GOOD <const> = { success = true, ["no change"] = true }

--- One result as scripts see it.
function M.one(raw)
  local code = math.tointeger(tonumber(raw.code))
  local message = text(raw.message) or "(no message)"
  local good = GOOD[message] or false
  if not code or code == 0 and good then code = good and 200 or code end
  local seconds = tonumber(raw.runTime)
  return {
    tenant = tenant_of(raw), code = code, message = message, response = text(raw.response),
    errors = texts(raw.errors or raw.error), warnings = texts(raw.warnings),
    changes = type(raw.changes) == "table" and raw.changes or nil,
    run_time = seconds and seconds > 0 and seconds / 1000 or nil,
    line_count = math.tointeger(tonumber(raw.lineCount)),
    dry_run = raw.dryRun == true or nil, declaration_id = text(raw.declarationId),
    ok = code ~= nil and code >= 200 and code < 300,
    changed = code ~= nil and code >= 200 and code < 300 and message ~= "no change"
      and raw.dryRun ~= true,
  }
end

--- Results as scripts see them, in the device's order. tostring(results) prints them.
function M.of(list)
  local out = {}
  for i, raw in ipairs(list) do
    out[i] = M.one(type(raw) == "table" and raw or { message = raw })
  end
  return setmetatable(out, Results)
end

local MAX_DETAILS <const> = 20 -- errors of one tenant that are printed

local function add_detail(parts, what)
  if what == nil then return end
  for _, known in ipairs(parts) do
    if known:find(what, 1, true) then return end
  end
  parts[#parts + 1] = what
end

--- One result in one line: "Blue: declaration failed (422): 01070734:3: …".
function M.line(result)
  local parts = { result.message }
  if not result.ok and result.code and result.code ~= 0 then
    parts[1] = ("%s (%d)"):format(result.message, result.code)
  end
  add_detail(parts, result.response)
  for i, one in ipairs(result.errors or {}) do
    if i > MAX_DETAILS then
      parts[#parts + 1] = ("and %d more"):format(#result.errors - MAX_DETAILS)
      break
    end
    add_detail(parts, one)
  end
  for _, one in ipairs(result.warnings or {}) do add_detail(parts, "warning: " .. one) end
  local said = terminal.line(core.mask(table.concat(parts, ": ")))
  return result.tenant and terminal.line(result.tenant) .. ": " .. said or said
end

--- The lines of all results.
function M.lines(results)
  local lines = {}
  for i, one in ipairs(results) do lines[i] = M.line(one) end
  return table.concat(lines, "\n")
end

local SIGNS <const> = { N = "+", D = "-", E = "~" }
local MAX_CHANGES <const> = 200 -- of one tenant that are printed

local function without_secrets(value) return json.decode(core.mask(json.encode(value))) end

-- A copy of a difference. The last word of its path is the name of its two values.
local function masked_change(change)
  if type(change) ~= "table" then return core.mask(tostring(change)) end
  local path <const> = type(change.path) == "table" and change.path or { change.path }
  local name <const> = text(path[#path]) or "value"
  local copy = {}
  for key, value in next, change do
    local is_value <const> = key == "lhs" or key == "rhs" or key == "item"
    copy[key] = is_value and without_secrets({ [name] = value })[name] or value
  end
  return copy
end

local function side(value) return value == nil and "(nothing)" or text(value) or '""' end

-- One difference that a dry run found: "~ /Blue/A/web properties.pool: /Blue/A/p -> /Blue/A/q".
local function change_line(change)
  change = masked_change(change)
  local path = type(change.path) == "table" and change.path or { change.path }
  local where, rest = text(path[1]) or "?", {}
  for i = 2, #path do rest[#rest + 1] = text(path[i]) end
  local said = ("%s %s%s"):format(SIGNS[change.kind] or "*", where,
    #rest > 0 and " " .. table.concat(rest, ".") or "")
  if change.kind == "E" then
    local secret = #rest > 0 and core.is_secret_name(rest[#rest])
    said = secret and said
      or ("%s: %s -> %s"):format(said, side(change.lhs), side(change.rhs))
  elseif type(change.command) == "string" then
    said = ("%s (%s)"):format(said, change.command)
  end
  return terminal.line(core.mask(said))
end

--- The differences that a dry run found, one in a line.
function M.changes(result)
  local lines = {}
  for i, change in ipairs(result.changes or {}) do
    if i > MAX_CHANGES then
      lines[i] = ("and %d more"):format(#result.changes - MAX_CHANGES)
      break
    end
    lines[i] = type(change) == "table" and change_line(change) or tostring(change)
  end
  return lines
end

function Results:__tostring()
  local lines = {}
  for _, one in ipairs(self) do
    lines[#lines + 1] = M.line(one)
    for _, change in ipairs(M.changes(one)) do lines[#lines + 1] = "  " .. change end
  end
  return table.concat(lines, "\n")
end

--- The number of results that failed.
function M.failed(results)
  local count = 0
  for _, one in ipairs(results) do
    if not one.ok then count = count + 1 end
  end
  return count
end

-- -- errors ---------------------------------------------------------------------------------------

--- A copy without secrets, for error objects and for what is printed.
function M.masked(results)
  local out = json.array {}
  for i, one in ipairs(results) do
    local copy, changes = {}, nil
    for key, value in next, one do copy[key] = value end
    if type(one.changes) == "table" then changes = one.changes end
    copy.changes = nil
    out[i] = without_secrets(copy)
    if changes then
      out[i].changes = json.array {}
      for n, change in ipairs(changes) do out[i].changes[n] = masked_change(change) end
    end
  end
  return out
end

local HINTS <const> = {
  {
    "0107176c", "another tenant, or the device, has a node with this address: shareNodes in the "
      .. "pool member, or shareAddresses in the service, makes them use the same",
  },
  { "checking cli script status timed out", "AS3 did not learn how it ended" },
  { "Task not found", "AS3 did not learn how it ended" },
  { "failed to save BIG%-IP config", "the declaration is deployed, but not saved" },
  { "HTML Tag%-like Content", "send iRules as base64" },
}

local function hint_of(said)
  for _, one in ipairs(HINTS) do
    if said:find(one[1]) then return one[2] end
  end
  return nil
end

local UNKNOWN <const> = { "checking cli script status timed out", "Task not found" }

-- Whether the extension itself does not know how a tenant ended.
local function is_unknown(result)
  for _, words in ipairs(UNKNOWN) do
    if (result.response or ""):find(words, 1, true) then return true end
  end
  return false
end

--- An error of the kind "declaration".
-- @param fields table: device, method, path, message; results, status, outcome, cause, task
function M.error(fields)
  fields.kind = "declaration"
  if fields.results then
    for _, one in ipairs(fields.results) do
      if is_unknown(one) then fields.outcome = "unknown" end
    end
    fields.results = M.masked(fields.results)
  end
  return core.error_new(fields)
end

--- What is said about results of which some failed.
-- @param label string: "AS3"
-- @param refused boolean: the whole declaration was refused, before anything was touched
function M.message(label, results, refused)
  local said = M.lines(results)
  local hint = hint_of(said)
  local tail = hint and ("\n%s"):format(hint) or ""
  if refused then
    return ("%s refused the declaration and changed nothing\n%s%s"):format(label, said, tail)
  end
  local failed <const> = M.failed(results)
  if #results == 1 then return ("%s: %s%s"):format(label, M.line(results[1]), tail) end
  return ("%s: %d of %d results failed\n%s%s"):format(label, failed, #results, said, tail)
end

return M
