-- Makes a device like a state: creates what it lacks, changes what differs, deletes what is too
-- much. It runs in check mode, so the twin says which order works: what is refused is tried again
-- after the rest, until nothing more succeeds. A plan is made of what succeeded.

local compare = require "f5.state.compare"
local core = require "f5.core"
local json = require "f5.json"
local kinds = require "f5.state.kinds"
local State = require "f5.state.state"

local M = {}

---@class f5.plan.left_out
---@field path string?
---@field kind string?
---@field reason string

-- Kinds that others refer to come first: pattern, rank. Everything else is in the middle.
local RANKS <const> = {
  { "^auth/partition$", 1 }, { "^sys/folder$", 2 }, { "^net/route%-domain$", 3 },
  { "^sys/file/", 3 }, { "^[lg]tm/monitor/", 4 }, { "^gtm/datacenter$", 4 }, { "^ltm/node$", 4 },
  { "^ltm/data%-group/", 4 }, { "^ltm/virtual%-address$", 6 }, { "^ltm/pool$", 6 },
  { "^ltm/rule$", 7 }, { "^ltm/policy$", 7 }, { "^gtm/server$", 7 }, { "^ltm/virtual$", 8 },
  { "^gtm/pool/", 8 }, { "^gtm/wideip/", 9 },
}
local MIDDLE <const> = 5

local VERBS <const> = { added = "created", removed = "deleted", changed = "changed" }

local function rank_of(kind)
  for _, one in ipairs(RANKS) do
    if kind:find(one[1]) then return one[2] end
  end
  return MIDDLE
end

local function reference(bip, entry)
  local below <const> = entry.collection:gsub("^/mgmt/tm/", "")
  if entry.single then return bip:at(below) end
  return bip:at(below)[entry.name]
end

-- What stands for "no value" in a write.
local function nothing(old)
  if type(old) == "boolean" then return not old end
  if type(old) == "table" then return json.array {} end
  if type(old) == "string" then return "none" end
  return nil
end

-- The properties that a change is about, as they are to be.
local function wanted_body(entry, wanted, left)
  local body = {}
  for _, change in ipairs(entry.changes) do
    local name = change.keys[1]
    local value = wanted[name]
    if value == nil then value = nothing(change.old) end
    if value == nil then
      left[#left + 1] = {
        path = entry.path, kind = entry.kind,
        reason = ("%s has no value there, and a number cannot be unset"):format(name),
      }
    end
    body[name] = value
  end
  return body
end

-- A published policy is made and changed by way of a draft, which publishing consumes.
local function with_draft(bip, entry, body)
  local folder <const>, name <const> = entry.name:match "^(.*/)([^/]+)$"
  local draft <const> = ("%sDrafts/%s"):format(folder, name)
  if entry.what == "changed" then
    bip.ltm.policy[entry.name]:modify { createDraft = "yes" }
  end
  local given = {}
  for key, value in pairs(body) do given[key] = value end
  given.name, given.partition, given.subPath, given.fullPath = nil, nil, nil, nil
  given.status = nil
  local ok, err = pcall(function()
    bip.ltm.policy[draft]:ensure(given)
    bip.ltm.policy:run("publish", { name = draft })
  end)
  if ok then return end
  pcall(function() bip.ltm.policy[draft]:delete() end) -- it would block every later change
  error(err, 0)
end

local function write(bip, entry, body, wanted)
  if entry.kind == "ltm/policy" and wanted.status == "published" then
    return with_draft(bip, entry, body)
  end
  return reference(bip, entry):ensure(body)
end

-- -- the jobs -------------------------------------------------------------------------------------

-- The collection of an object; a singleton is one of its own.
local function place_of(state, entry)
  local place = state.by_path[entry.path] or state.by_path[entry.path:match "^(.*)/"]
  return place and place.texts[entry.name] and place or nil
end

local function job_of(entry, now, wanted, left)
  local place = place_of(entry.what == "removed" and now or wanted, entry) or place_of(now, entry)
  entry.collection, entry.single = place.path, place.single
  local job = { entry = entry, rank = rank_of(entry.kind) }
  if entry.what == "removed" then
    job.run = function(bip) reference(bip, entry):delete() end
    return job, true
  end
  local key = wanted.by_path[place.path] and wanted.by_path[place.path].texts[entry.name]
    and entry.name or entry.name:gsub("^/Common/", "")
  job.wanted = wanted:body(wanted.by_path[place.path], key)
  local body = entry.what == "added" and job.wanted or wanted_body(entry, job.wanted, left)
  job.run = function(bip) write(bip, entry, body, job.wanted) end
  return job, false
end

local function sorted(jobs, last_first)
  for i, job in ipairs(jobs) do job.order = i end
  table.sort(jobs, function(a, b)
    if a.rank ~= b.rank then
      if last_first then return a.rank > b.rank end
      return a.rank < b.rank
    end
    return a.order < b.order
  end)
  return jobs
end

-- Runs what can be run. Returns the jobs that still fail.
local function attempt(bip, jobs, says)
  local left, progress = {}, false
  for _, job in ipairs(jobs) do
    says(("%s %s"):format(job.entry.kind, job.entry.name))
    local ok, err = pcall(job.run, bip)
    if ok then
      progress = true
    else
      if type(err) ~= "table" or err.kind == "cancelled" then error(err, 0) end
      job.err = err
      left[#left + 1] = job
    end
  end
  return left, progress
end

local function run_all(bip, jobs, deletions, says)
  local progress
  repeat
    jobs, progress = attempt(bip, jobs, says)
    if not progress or #jobs == 0 then
      local deleted
      deletions, deleted = attempt(bip, deletions, says)
      progress = progress or deleted
    end
  until not progress or #jobs + #deletions == 0
  return table.move(deletions, 1, #deletions, #jobs + 1, jobs)
end

-- What is still not as it should be, although no write was refused.
local function compare_again(bip, jobs, failed, left)
  for _, job in ipairs(failed) do failed[job] = true end
  local paths, by_path = {}, {}
  for _, job in ipairs(jobs) do
    if not failed[job] and job.wanted then
      paths[#paths + 1], by_path[job.entry.path] = job.entry.path, job
    end
  end
  if #paths == 0 then return end
  local state = bip:snapshot { paths = paths }
  for _, collection in ipairs(state.collections) do
    for _, key in ipairs(collection.keys) do
      local job = by_path[State.path_of(collection, key)]
      local names = {}
      local changes = job
        and compare.objects(collection.kind, state:body(collection, key), job.wanted) or {}
      for i, change in ipairs(changes) do names[i] = change.property end
      if #names > 0 then
        left[#left + 1] = {
          path = job.entry.path, kind = job.entry.kind,
          reason = "stays different: " .. table.concat(names, ", "),
        }
      end
    end
  end
end

--- Makes the device like a state.
-- @param bip f5.session with the twin of the device
-- @param report f5.state.report of f5.diff(now, wanted)
-- @param now f5.state: of the device
-- @param wanted f5.state
-- @param says function(what)|nil: called before each object
-- @return array of f5.plan.left_out: what will still differ, and why
function M.run(bip, report, now, wanted, says)
  local left, other, jobs, deletions, all = {}, {}, {}, {}, {}
  local function leave(list, path, kind, reason)
    list[#list + 1] = { path = path, kind = kind, reason = reason }
  end
  for _, entry in ipairs(report.differences) do
    if kinds.is_local(entry.kind) then
      leave(other, entry.path, entry.kind, "belongs to each device of a pair")
    else
      local job, is_deletion = job_of(entry, now, wanted, left)
      table.insert(is_deletion and deletions or jobs, job)
      all[#all + 1] = job
    end
    for _, name in ipairs(entry.what == "added" and entry.left or {}) do
      leave(left, entry.path, entry.kind, name .. " is a secret, which no snapshot has")
    end
  end
  local failed = run_all(bip, sorted(jobs), sorted(deletions, true), says or function() end)
  for _, job in ipairs(failed) do
    local entry = job.entry
    leave(left, entry.path, entry.kind, ("cannot be %s: %s"):format(VERBS[entry.what],
      job.err.message or tostring(job.err)))
  end
  compare_again(bip, all, failed, left)
  table.move(other, 1, #other, #left + 1, left)
  for _, one in ipairs(report.not_compared) do
    leave(left, one.path, one.kind, (one.property and one.property .. ": " or "") .. one.reason)
  end
  return left
end

--- Compares a device with what it is to be like, and returns the function that makes it so.
-- @param real f5.session with the device
-- @param wanted f5.state|f5.session|string: see f5.diff
-- @param options table: paths, partition, ignore
-- @return function(check) for f5.plan.check; it sets `left_out` of its checked device
function M.playbook(real, wanted, options)
  local source, diff = require "f5.state.source", require "f5.state.diff"
  local asked = { paths = options.paths, partition = options.partition }
  local now, target = core.all(
    function() return source.state(real, asked) end,
    function() return source.state(wanted, asked) end
  )
  for _, path in ipairs(options.paths or {}) do
    for _, state in ipairs { now, target } do
      local why = state:unread_at(path)
      if why then
        error(core.error_new {
          kind = "not_found", path = path,
          message = ("%s: %s could not be read: %s"):format(state.label, path, why),
        }, 0)
      end
    end
  end
  local report = diff.diff(now, target, options)
  if report.incomplete and report.equal == 0 and #report.differences == 0 then
    local why = report.not_compared[#report.not_compared]
    error(core.error_new {
      kind = "not_found",
      message = ("nothing could be compared: %s: %s"):format(why.path or why.kind, why.reason),
    }, 0)
  end
  return function(check)
    local bip <close> = check:twin_session(real)
    local device = check.of_session[bip]
    device.left_out = M.run(bip, report, now, target, function(what)
      check.line = what
    end)
    -- What was refused is in the list: it is no step of a plan.
    for i = #device.steps, 1, -1 do
      if not device.steps[i].ok then table.remove(device.steps, i) end
    end
    for i, step in ipairs(device.steps) do step.n = i end
    device.not_simulated = {}
  end
end

return M
