-- Stores a run and its jobs, all at once.

local calls = require "f5.queue.calls"
local core = require "f5.core"
local json = require "f5.json"
local manifests = require "f5.queue.manifest"

local M = {}

-- As long as this, a write of a worker that was lost may be under way.
local function grace_of(manifest)
  local longest = 0
  for _, device in ipairs(manifest.devices) do
    longest = math.max(longest, device.connect.timeout or manifests.TIMEOUT)
  end
  return longest
end

-- Waves are counted from 0, whether there are canaries or not.
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

--- Stores a run.
-- @param db connection to a queue
-- @param run table: manifest, text (of the manifest), archive (bytes), signature (or nil), from
--   (the name of this machine)
-- @return integer: the number of the run
function M.store(db, run)
  local manifest <const> = run.manifest
  local jobs, canaries = jobs_of(manifest)
  local facts <const> = {
    kind = manifest.kind, playbook = manifest.playbook, arguments = manifest.arguments,
    undo_of = manifest.undo_of, options = manifest.options, grace = grace_of(manifest),
    allowed = manifest.options.max_failures, canaries = canaries, f5lua = core.version,
    from = run.from,
  }
  return calls.submit(db, facts, run, jobs)
end

--- The tags that no running worker has all of, each with the number of its jobs:
-- { { tags = "eu, fra", jobs = 3 } }.
function M.without_worker(db, id)
  return db:query([[
    select array_to_string(l.tags, ', ') as tags, sum(l.jobs) as jobs from lots l
    where l.run = $1 and not exists (select from workers w
      where w.ended_at is null and w.seen_at > now() - interval '2 minutes' and l.tags <@ w.tags)
    group by l.tags order by l.tags]], id)
end

return M
