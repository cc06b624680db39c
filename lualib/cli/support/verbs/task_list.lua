-- The tasks that a device has.
local core = require "f5.core"

local M = {}

-- Tasks beside those of /mgmt/tm/task.
local OTHERS <const> = {
  "/mgmt/tm/shared/sys/backup", "/mgmt/cm/autodeploy/qkview",
  "/mgmt/shared/iapp/package-management-tasks",
}
local ALL <const> = "/mgmt/tm/task"

local function is_missing(err)
  return type(err) == "table" and (err.status == 404 or err.kind == "unsupported")
end

-- The path as a user writes it.
local function short(path) return (path:gsub("^/mgmt/tm/task/", ""):gsub("^/mgmt/tm/", "")) end

-- The ids of tasks are integers or texts.
local function row(path, task, family)
  return {
    path = short(path), id = core.device_id(task[family.id]), state = task[family.state],
    started = task.startTime, command = task.command, name = task.name,
  }
end

--- The path of the tasks for a path of a command, and their family; nil if there are none.
function M.family(path)
  if not path:find "^/mgmt" then path = "/mgmt/tm/" .. path end
  local family = core.task.family(path)
  if family then return path, family end
  path = path:gsub("^/mgmt/tm/", ALL .. "/", 1)
  return path, core.task.family(path)
end

local function list(bip, path, rows)
  local family <const> = core.task.family(path)
  for task in bip:at(path):each() do
    if family.id and task[family.id] ~= nil then rows[#rows + 1] = row(path, task, family) end
  end
end

-- The paths of all kinds of tasks that the device names.
local function all_paths(bip)
  local paths = table.move(OTHERS, 1, #OTHERS, 1, {})
  local ok, body = pcall(function() return bip:at(ALL):load() end)
  if not ok and not is_missing(body) then error(body, 0) end
  for _, item in ipairs(ok and type(body) == "table" and body.items or {}) do
    local link = type(item.reference) == "table" and item.reference.link
    local path = type(link) == "string" and link:match "^https?://[^/]+(/mgmt/tm/task/[^?]+)"
    if path then paths[#paths + 1] = path end
  end
  return paths
end

--- Lists tasks, in any state.
-- @param path string|nil: only those of this path
-- @return array of { path, id, state, started, command, name }
function M.list(bip, path)
  local rows = {}
  if path then
    list(bip, path, rows)
    return rows
  end
  local f5, jobs = require "f5", {}
  for i, one in ipairs(all_paths(bip)) do
    jobs[i] = function()
      local ok, err = pcall(list, bip, one, rows)
      -- a kind whose module is not provisioned has no tasks
      if not ok and not is_missing(err) then error(err, 0) end
    end
  end
  f5.all(jobs)
  return rows
end

function M.order(a, b)
  if a.device ~= b.device then return tostring(a.device) < tostring(b.device) end
  if a.path ~= b.path then return a.path < b.path end
  local one, other = math.tointeger(a.id), math.tointeger(b.id)
  if one and other then return one < other end
  return tostring(a.id) < tostring(b.id)
end

return M
