--- The change records of a worker's jobs, in the database. A line about a write is there before the
--- write is sent.
--
-- While a statement is under way the lines of all jobs come together, and go with the next one.
-- What nobody waits for, such as an outcome, goes with it, or with `flush`.

local calls = require "f5.queue.calls"
local core = require "f5.core"
local files = require "f5.safe.files"
local Record = require "f5.safe.record"

local Records = {}
Records.__index = Records

--- @param worker f5.queue.worker
function Records.new(worker)
  return setmetatable({ worker = worker, waiting = {} }, Records)
end

-- -- lines to the database ------------------------------------------------------------------------

-- What could not be stored stays in front of what has come meanwhile.
function Records:put_back(entries)
  for _, entry in ipairs(entries) do
    local later <const> = self.waiting[entry.job]
    if later then table.move(later.lines, 1, #later.lines, #entry.lines + 1, entry.lines) end
    self.waiting[entry.job] = entry
  end
end

-- Takes what has come together and stores it. Returns job -> whether it has its lease.
function Records:store()
  local entries, held = {}, {}
  for _, entry in pairs(self.waiting) do entries[#entries + 1] = entry end
  self.waiting = {}
  if #entries == 0 then return held end
  local ok, answers = pcall(self.worker.ask, self.worker, function(db)
    return calls.add_records(db, self.worker, entries)
  end)
  if not ok then
    self:put_back(entries)
    error(answers, 0)
  end
  for i, entry in ipairs(entries) do held[entry.job] = answers[i] end
  return held
end

-- The fiber that stores what comes together from now on, when the statement before has ended.
function Records:next_batch()
  if self.open then return self.open end
  local before <const> = self.last
  local batch
  batch = core.spawn(function()
    if before then pcall(before.join, before) end
    self.open = nil
    return self:store()
  end)
  self.open, self.last = batch, batch
  return batch
end

--- Whether there are lines that are not stored yet.
function Records:has_lines() return next(self.waiting) ~= nil end

--- Stores all lines.
function Records:flush()
  local batch <const> = self:has_lines() and self:next_batch() or self.last
  if batch then batch:join() end
end

function Records:add(job, text)
  local entry = self.waiting[job]
  if not entry then
    entry = { job = job, first = job.record_lines + 1, lines = {} }
    self.waiting[job] = entry
  end
  table.insert(entry.lines, text)
  job.record_lines = job.record_lines + 1
end

-- -- a record -------------------------------------------------------------------------------------

-- What takes the place of a file.
local Sink <const> = {}
Sink.__index = Sink

function Sink:append(line, durable)
  local job <const> = self.job
  self.records:add(job, (files.line(line):gsub("\n$", "")))
  if not durable or line["end"] then return end -- the end is stored before the result
  local batch <const> = self.records:next_batch()
  local held <const> = batch:join()
  if held[job] then return end
  job:stop("lost", "its lease was lost")
  core.usage_error "the lease of the job was lost"
end

function Sink.close() end

function Sink.remove() end

--- The name of the record of an attempt: run, position of the device, attempt.
function Records.name(job) return ("%d.%d.%d"):format(job.run, job.position, job.attempt) end

--- Begins the change record of a job.
-- @param run f5.queue.run
-- @return f5.safe.record
function Records:begin(job, run)
  job.record_lines = 0
  return Record.new {
    what = run.what, playbook = run.name, arguments = run.arguments, undo_of = run.undo_of,
    create = function()
      return setmetatable({ records = self, job = job, id = Records.name(job) }, Sink)
    end,
    announce = function(text, is_certain)
      job:print((is_certain and "cannot be undone: " or "may not be undone: ") .. text)
    end,
  }
end

return Records
