-- A run that follows a plan. Before the run the device got a script that takes the plan back. So
-- the run may send only what the plan has: any other write is refused, and so is all that would
-- come after it.
--
--   local follow = Follow.new({ { address = "192.0.2.1:443", plan = device, pending = pending } })
--   follow:attach(session)          -- each session of the run
--   …
--   local problem, open = follow:finish()

local core = require "f5.core"
local json = require "f5.json"
local steps = require "f5.plan.steps"

local M = {}

---@class f5.confirm.followed
---@field address string as core.address says it
---@field label string
---@field plan table device of a plan
---@field refused table[] writes that the twin refused in the check; the device must do so, too
---@field pending f5.confirm.pending? nil: nothing of the plan must be taken back

local Follow = {}
Follow.__index = Follow

-- Texts that mean nothing to a device. Playbooks write the time into them.
local FREE <const> = { description = true, comment = true, caption = true }

local function is_empty(value) return value == nil or value == "" or value == json.null end

local function equal(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  for key, value in next, a do
    if not equal(value, b[key]) then return false end
  end
  for key in next, b do
    if a[key] == nil then return false end
  end
  return true
end

local function same_body(planned, sent)
  if planned == sent then return true end
  local one, other = steps.body_of { body = planned }, steps.body_of { body = sent }
  if not one or not other then return false end
  for key, value in next, one do
    local free = FREE[key] and type(value) == "string" and type(other[key]) == "string"
      and not is_empty(value)
    if not free and not equal(value, other[key]) then return false end
  end
  for key in next, other do
    if one[key] == nil then return false end
  end
  return true
end

-- Whether a text is the planned one. Ids that only the device gives are "${3.id}" in a plan.
local function same_path(planned, sent)
  if planned == sent then return true end
  if not planned:find("${", 1, true) then return false end
  local pattern = planned:gsub("%p", "%%%0"):gsub("%%%$%%{%d+%%%.[%w_%%]+%%}", "[^/?]+")
  return sent:find("^" .. pattern .. "$") ~= nil
end

local function is_planned(step, write, class)
  if step.class == "upload" or class == "upload" then
    return step.class == class and same_path(step.path:gsub("%?.*", ""),
      (write.path:gsub("%?.*", "")))
  end
  return step.method == write.method and same_path(step.path, write.path)
    and same_body(step.body, write.body)
end

-- The free texts that were sent are what the plan means from now on.
local function take_texts(plan, step, write)
  local object = plan.objects[steps.target_of(step)]
  local body = object and object.after and steps.body_of(write) or {}
  for key, value in next, body do
    if FREE[key] and object.after[key] ~= nil then object.after[key] = value end
  end
end

local function find(list, used, write, class)
  for i, step in ipairs(list) do
    if not used[step] and is_planned(step, write, class) then return list[i] end
  end
  return nil
end

local function line_of(write) return (tostring(write.where):gsub(": ?$", "")) end

function Follow:stop(write, label, why)
  self.problem = self.problem or core.error_new {
    kind = "conflict", device = label, method = write.method, path = write.path,
    message = ("%s: %s"):format(line_of(write), why),
  }
  error(self.problem, 0)
end

local NOT_PLANNED <const> = "not sent: the check did not see this write, so the device could not "
  .. "take it back"

-- Moves the timer. An error means that the device does not wait any more, or cannot be asked.
function Follow:keep(entry, write)
  if not entry.pending then return end
  local ok, err = pcall(entry.pending.keep, entry.pending)
  if ok then return end
  if type(err) == "table" and err.kind == "cancelled" then error(err, 0) end
  self:stop(write, entry.label, "not sent: " .. tostring(err))
end

function Follow:before(entry, write)
  if write.harmless then return end
  local label = entry and entry.label or ""
  if self.problem then error(self.problem, 0) end
  if self.closed then self:stop(write, label, "not sent: the playbook has ended already") end
  if not entry then self:stop(write, label, NOT_PLANNED .. " (the check saw no such device)") end
  local class = steps.class_of(write.path)
  if class ~= "transaction" then
    if class == "rest" and steps.is_command(write) then class = "commands" end
    local step = find(entry.plan.steps, entry.used, write, class)
    local refused = not step and find(entry.refused, {}, write, class)
    if not step and not refused then self:stop(write, label, NOT_PLANNED) end
    if step and step.class ~= "upload" then entry.used[step] = true end
    if step then entry.seen[step] = true end
    entry.running[write] = step or refused
  end
  self.in_flight = self.in_flight + 1
  local ok, err = pcall(self.keep, self, entry, write)
  if ok then return end
  self.in_flight = self.in_flight - 1
  error(err, 0)
end

function Follow:after(entry, write)
  if write.harmless or not entry then return end
  self.in_flight = self.in_flight - 1
  self.sent = self.sent + 1
  if write.outcome == "unknown" then self.unknown = true end
  local step = entry.running[write]
  entry.running[write] = nil
  if not step then return end
  if not write.ok then
    entry.used[step] = nil -- it may be sent again
  elseif entry.seen[step] then
    take_texts(entry.plan, step, write)
  elseif not self.problem then
    self.problem = core.error_new {
      kind = "conflict", device = entry.label, method = write.method, path = write.path,
      message = ("%s: the device accepted what was refused in the check, and does not take it back "
        .. "by itself"):format(line_of(write)),
    }
  end
end

-- It was not sent: the change record cannot be written.
function Follow:withdrawn(entry, write)
  if write.harmless or not entry then return end
  self.in_flight = self.in_flight - 1
  local step = entry.running[write]
  entry.running[write] = nil
  if step then entry.used[step], entry.seen[step] = nil, nil end
end

--- Follows a session from now on.
function Follow:attach(session)
  local entry = self.entries[core.address(session)]
  core.record(session, {
    before = function(write) self:before(entry, write) end,
    after = function(write) self:after(entry, write) end,
    withdrawn = function(write) self:withdrawn(entry, write) end,
  })
end

--- Moves the timers, while the playbook waits. Does not raise.
function Follow:tick()
  for _, entry in ipairs(self.list) do
    if entry.pending and not self.closed then pcall(entry.pending.keep, entry.pending) end
  end
end

--- Ends the run: whatever still runs cannot write any more.
-- @return error object|nil: what the run did besides the plan
-- @return array of the steps of the plan that were not sent: { label, step }
-- @return boolean: no write is on its way, and the outcome of each is known
function Follow:finish()
  self.closed = true
  local missing = {}
  for _, entry in ipairs(self.list) do
    for _, step in ipairs(entry.plan.steps) do
      if not entry.seen[step] then missing[#missing + 1] = { label = entry.label, step = step } end
    end
  end
  return self.problem, missing, self.in_flight == 0 and not self.unknown
end

--- Returns what follows the plan of these devices.
-- @param list f5.confirm.followed[]
function M.new(list)
  local self = setmetatable({ list = list, entries = {}, in_flight = 0, sent = 0 }, Follow)
  for _, entry in ipairs(list) do
    entry.used, entry.seen, entry.running = {}, {}, {}
    self.entries[entry.address] = entry
  end
  return self
end

return M
