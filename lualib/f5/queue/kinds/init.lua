--- The kinds of runs that a worker can carry out. Each is a module:
--
--   open(content, row)     what the jobs of a run share, made once for each run and worker: a table
--                          of fields of the run. Raises what is wrong with it; the worker hands the
--                          jobs back.
--                          content: the manifest; row: id, manifest, contents (of the archive)
--   reads_only             true: it needs no session of the worker, and keeps no change record
--   work(job, run, device, bip, options)   the work on one device. Returns { result = … }, or
--                          { skipped = reason }, or { result = …, problem = error } if it failed
--                          with a result; raises why it failed.
--                          job: f5.queue.job; run: f5.queue.runs; device: of the manifest;
--                          bip: a session that is under the job's lease, and recorded; options:
--                          those of f5.connect

local M = {}

local MODULES <const> = {
  run = "f5.queue.kinds.run", check = "f5.queue.kinds.check", apply = "f5.queue.kinds.apply",
  undo = "f5.queue.kinds.undo",
}

--- The module of a kind; nil: this f5lua does not know it.
function M.find(name)
  local module <const> = MODULES[name]
  return module and require(module)
end

return M
