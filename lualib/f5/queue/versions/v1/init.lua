-- Version 1 of the queue's schema. What has been delivered never changes: a change is a new
-- version.

-- Functions have the rights of the schema's owner and find nothing of the caller's. They go by the
-- indexes, whatever the statistics of a young table say: the first jobs count, not all. Compiling a
-- plan takes longer than any of them; a scan that is off looks expensive enough for it.
local OWNER <const> = "SECURITY DEFINER SET search_path FROM CURRENT"
  .. " SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off"
  .. " SET enable_bitmapscan = off SET jit = off"

local text = table.concat({
  (require "f5.queue.versions.v1.tables"),
  (require "f5.queue.versions.v1.work"),
  (require "f5.queue.versions.v1.runs"),
  [[DO $f$ BEGIN
    EXECUTE format('REVOKE ALL ON ALL FUNCTIONS IN SCHEMA %I FROM PUBLIC', current_schema());
  END $f$;]],
}, "\n"):gsub("@owner", OWNER)

return text
