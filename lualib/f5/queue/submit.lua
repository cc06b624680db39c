-- Stores a run and its jobs, all at once.

local calls = require "f5.queue.calls"
local core = require "f5.core"
local stored = require "f5.queue.stored"

local M = {}

--- Stores a run.
-- @param db connection to a queue
-- @param run table: manifest, text (of the manifest), archive (bytes), signature (or nil), from
--   (the name of this machine)
-- @return integer: the number of the run
function M.store(db, run)
  local facts <const>, jobs <const> = stored.of(run.manifest)
  facts.f5lua, facts.from = core.version, run.from
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
