--- What the database keeps of a run beside its manifest, which alone is signed: facts of the run,
-- and its jobs. submit makes them of the manifest; a worker that demands signatures compares.

local json = require "f5.json"
local manifests = require "f5.queue.manifest"

local M = {}

-- As long as this, a write of a worker that was lost may be under way, in seconds.
local function grace_of(manifest)
  local longest = 0
  for _, device in ipairs(manifest.devices) do
    longest = math.max(longest, device.connect.timeout or manifests.TIMEOUT)
  end
  return longest
end

-- The jobs of a manifest, and how many of them are canaries. Waves are counted from 0, whether
-- there are canaries or not.
local function jobs_of(manifest)
  local jobs, canaries, first = json.array {}, 0, manifest.devices[1].wave
  for position, device in ipairs(manifest.devices) do
    jobs[position] = {
      position = position, device = device.name, key = device.address, tags = device.tags,
      wave = device.wave - first,
    }
    if device.wave == 0 then canaries = canaries + 1 end
  end
  return jobs, canaries
end

--- What a manifest determines: the facts of its run, and the jobs.
function M.of(manifest)
  local jobs, canaries = jobs_of(manifest)
  local facts <const> = {
    kind = manifest.kind, playbook = manifest.playbook, arguments = manifest.arguments,
    undo_of = manifest.undo_of, options = manifest.options, grace = grace_of(manifest),
    allowed = manifest.options.max_failures, canaries = canaries,
  }
  return facts, jobs
end

-- A run that repeats another one has some of its devices, with the waves counted again.
local function repeated(jobs, canaries, stored)
  local kept, order, ranks <const> = {}, {}, {}
  for _, row in ipairs(stored) do
    local job <const> = jobs[row.position]
    if not job then return {}, 0 end
    kept[#kept + 1] = job
    if not ranks[job.wave] then
      ranks[job.wave] = 0
      order[#order + 1] = job.wave
    end
  end
  table.sort(order)
  for rank, wave in ipairs(order) do ranks[wave] = rank - 1 end
  local first = 0
  for i, job in ipairs(kept) do
    if canaries > 0 and job.wave == 0 then first = first + 1 end
    kept[i] = {
      position = job.position, device = job.device, key = job.key, tags = job.tags,
      wave = ranks[job.wave],
    }
  end
  return kept, first
end

local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b end
  return json.encode(a, { sort = true }) == json.encode(b, { sort = true })
end

local FACTS <const> = {
  "kind", "playbook", "arguments", "undo_of", "options", "grace", "allowed", "canaries",
}

--- What of a run is not as its manifest says; nil: nothing.
-- @param manifest table
-- @param row table: the facts as they are stored, and retry_of
-- @param stored list of { position, device, key, wave, tags }, by position
function M.difference(manifest, row, stored)
  local facts, jobs = M.of(manifest)
  if row.retry_of then jobs, facts.canaries = repeated(jobs, facts.canaries, stored) end
  for _, name in ipairs(FACTS) do
    if not same(facts[name], row[name]) then return name end
  end
  if #jobs ~= #stored then return "the number of devices" end
  for i, job in ipairs(jobs) do
    for name, value in pairs(job) do
      if not same(value, stored[i][name]) then
        return ("%s of device %d"):format(name, job.position)
      end
    end
  end
  return nil
end

return M
