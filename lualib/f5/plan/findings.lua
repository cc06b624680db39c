-- What a check found on one device, as a report of f5.state.show: each object that would be
-- created, changed or deleted, with the lines that do it and what the device says of it.

local clean = require "f5.state.clean"
local compare = require "f5.state.compare"
local kinds = require "f5.state.kinds"
local segment = require "f5.state.segment"
local steps = require "f5.plan.steps"
local State = require "f5.state.state"

local M = {}

M.VERBS = { added = "created", removed = "deleted", changed = "changed" }

local WHAT <const> = { create = "added", delete = "removed", modify = "changed" }
local STATES <const> = {
  accepted = "accepted by the device", rejected = "rejected", not_validated = "not validated",
}

local function kind_of(change)
  local body = change.after or change.before
  if change.kind then return change.kind end
  if type(body.kind) == "string" then return kinds.of_body(body) end
  -- A name without a partition looks like a part of the kind.
  local owner, last = change.path:match "^(.*)/([^/]+)$"
  return State.kind_of(last == body.name and owner or change.path)
end

-- "10.0.0.1:80 of pool /Common/web": what is inside of an object is named with it.
local function name_of(kind, path, body)
  local name = body and clean.name_of(body) or ""
  local owner = kind:find "/.*/.*/" and path:match "/(~[^/]+)/[^~][^/]*/[^/]+$"
    or path:match "/(~[^/]+)/[%w%-]+/~?[^/]+$"
  if not owner or name == "" then return name end
  return ("%s of %s"):format(name, segment.name(owner))
end

-- The steps behind a change, in their order.
local function steps_of(by_operation, change)
  local list, known = {}, {}
  for _, operation in ipairs(change.operations or {}) do
    local step = by_operation[operation]
    if step and not known[step] then
      known[step] = true
      list[#list + 1] = step
    end
  end
  return list
end

-- A commit is one step for the device, but the lines are those of the queued commands.
local function queued_by(device, step)
  local id = steps.class_of(step.path) == "transaction" and step.path:match "/(%d+)$"
  local list = {}
  if id then
    for _, one in ipairs(device.steps) do
      if one.transaction == id then list[#list + 1] = one end
    end
  end
  return list
end

local function targets(step, path)
  local target = steps.target_of(step)
  return path == target or path:sub(1, #target + 1) == target .. "/"
end

-- The queued commands that concern an object; all of them if none does by its name.
local function expanded(device, list, path)
  local out = {}
  for _, step in ipairs(list) do
    local queued = queued_by(device, step)
    local own = {}
    for _, one in ipairs(queued) do
      if targets(one, path) then own[#own + 1] = one end
    end
    if #own == 0 then own = queued end
    if #own == 0 then own = { step } end
    table.move(own, 1, #own, #out + 1, out)
  end
  return out
end

-- What the device says about the steps of a change: the worst first.
local function verdict(list)
  for _, state in ipairs { "rejected", "not_validated", "accepted" } do
    for _, step in ipairs(list) do
      local validation = step.validation
      if validation and validation.state == state then
        return STATES[state] .. (validation.message and ": " .. validation.message or ""), state
      end
    end
  end
  return nil
end

local function notes_of(list, assumed)
  local notes, lines = {}, {}
  for _, step in ipairs(list) do
    if step.line ~= "" and not lines[step.line] then
      lines[step.line] = true
      notes[#notes + 1] = step.line
    end
  end
  local words, state = verdict(list)
  if words then notes[#notes + 1] = words end
  for _, step in ipairs(list) do
    if step.uncertain then
      notes[#notes + 1] = "uncertain: " .. step.uncertain
      break
    end
  end
  if assumed then notes[#notes + 1] = "assumed: " .. assumed end
  return notes, state
end

-- The reasons why an object is assumed to look like this.
local function assumptions(report)
  local by_path = {}
  for _, one in ipairs(report.assumed or {}) do
    if one.path and not one.property then by_path[one.path] = by_path[one.path] or one.reason end
  end
  return by_path
end

-- sys/crypto/key is sys/file/ssl-key in another form: one change is shown once.
local function is_other_form(path)
  local why = kinds.not_configuration((path:gsub("^/mgmt/tm/", "")))
  return why ~= nil and why:find "in another form" ~= nil
end

--- Returns what a check found on a device.
-- @param device f5.plan.checked_device, with the report of its twin
-- @return f5.state.report; each difference has in addition `steps` and `state` (of the validation)
function M.of(device)
  local report = { differences = {}, not_compared = {} }
  local by_operation = {}
  for _, step in ipairs(device.steps) do
    if step.operation then by_operation[step.operation] = step end
  end
  local assumed = assumptions(device.report)
  for _, change in ipairs(device.report.changes) do
    local kind = kind_of(change)
    if is_other_form(change.path) then goto next end
    local list = expanded(device, steps_of(by_operation, change), change.path)
    local notes, state = notes_of(list, assumed[change.path])
    local entry = {
      what = WHAT[change.verb], path = change.path, kind = kind, notes = notes, steps = list,
      state = state, name = name_of(kind, change.path, change.after or change.before),
    }
    local before = change.before and clean.object(kind, change.before)
    local after = change.after and clean.object(kind, change.after)
    entry.before, entry.after = before, after
    if change.verb == "modify" then
      entry.changes = compare.objects(kind, before, after)
    else
      entry.object = after or before
    end
    if not entry.changes or #entry.changes > 0 then table.insert(report.differences, entry) end
    ::next::
  end
  return report
end

return M
