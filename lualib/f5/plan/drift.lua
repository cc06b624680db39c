-- Drift: what a plan saw is not what the device has now.

local clean = require "f5.state.clean"
local compare = require "f5.state.compare"
local core = require "f5.core"
local reads = require "f5.plan.reads"

local M = {}

---@class f5.plan.drift
---@field path string
---@field what "changed"|"created"|"deleted"|"read"|"command"
---@field changes f5.state.change[]? of "changed": old is what the plan saw
---@field line string? of the command
---@field about string[]? of "read": only what mentions these words counts
---@field exists boolean? of "read": only whether it exists counts; whether it did

--- Reads an object as a plan holds it; nil if it does not exist.
function M.load(session, path, kind)
  local ok, answer = pcall(session.request, session, "GET", path)
  if ok then return (clean.object(kind, answer)) end
  if type(answer) == "table" and answer.kind == "not_found" then return nil end
  error(answer, 0)
end

-- Parents come first: an object inside of one that does not exist need not be asked for.
local function sorted(objects)
  local paths = {}
  for path in pairs(objects) do paths[#paths + 1] = path end
  table.sort(paths)
  return paths
end

local function object_drift(session, path, object)
  local now = M.load(session, path, object.kind)
  if not object.before then
    return now and { path = path, what = "created", kind = object.kind } or nil
  end
  if not now then return { path = path, what = "deleted", kind = object.kind } end
  local changes = compare.objects(object.kind, object.before, now)
  if #changes == 0 then return nil end
  return { path = path, what = "changed", changes = changes, kind = object.kind }
end

local function read_drift(session, read)
  if read.command or reads.holds(session, read) then return nil end
  return {
    path = read.path, what = "read", about = read.about, exists = read.exists, line = read.line,
  }
end

--- Compares a device with what a plan saw.
-- @return array of f5.plan.drift; empty: nothing has changed
-- @return array of commands that ran on the device during the check and are not repeated
function M.find(session, device)
  local found, commands = {}, {}
  local jobs, paths = {}, sorted(device.objects)
  for _, path in ipairs(paths) do
    jobs[#jobs + 1] = function() return object_drift(session, path, device.objects[path]) end
  end
  for _, read in ipairs(device.reads) do
    if read.command then commands[#commands + 1] = read end
    jobs[#jobs + 1] = function() return read_drift(session, read) end
  end
  local next_job, results = 0, {}
  local function worker()
    while next_job < #jobs do
      next_job = next_job + 1
      local at = next_job
      results[at] = jobs[at]() or false
    end
  end
  core.all { worker, worker, worker, worker }
  for at = 1, #jobs do
    if results[at] then found[#found + 1] = results[at] end
  end
  return found, commands
end

local NAMES <const> = { serial = "serial number", hostname = "host name" }

--- Whether the device is the one that the plan was made for.
-- @return boolean; nil: unknown, because the plan or the device does not say
-- @return string: what differs
function M.same_device(identity, now)
  local known = false
  for _, name in ipairs { "serial", "hostname" } do
    if identity[name] and now[name] then
      known = true
      if identity[name] ~= now[name] then
        return false, ("its %s is %s instead of %s"):format(NAMES[name], now[name], identity[name])
      end
    end
  end
  if known then return true end
  return nil, "neither its serial number nor its host name is known"
end

return M
