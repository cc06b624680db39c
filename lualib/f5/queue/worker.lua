--- A worker: takes jobs of a queue, runs each in a fiber, stores the results.
--
-- A job is leased. The worker renews its leases; it counts their end from before it asked, on a
-- clock that goes on while the machine sleeps. A session sends no write that could still be under
-- way when the lease ends (runtime/f5/session/call.c). A lease that could not be renewed ends the
-- work on its device; the database gives the job to another worker.

local calls = require "f5.queue.calls"
local core = require "f5.core"
local Job = require "f5.queue.job"
local limit = require "f5.queue.limit"
local passphrase = require "f5.safe.passphrase"
local playbook = require "f5.queue.playbook"
local postgres = require "f5.postgres"
local queue = require "f5.queue"
local records = require "f5.queue.records"
local runs = require "f5.queue.runs"

local Worker = {}
Worker.__index = Worker

-- Seconds: a look for work without a notification, for leases that ended; the pauses between two
-- attempts to reach the database.
local LOOK <const> = 5
local FIRST_PAUSE <const>, LAST_PAUSE <const> = 0.5, 5
local TELL_AGAIN <const> = 30
-- How long results are collected before they are stored together, lines that are printed, and
-- places before new jobs are taken for them.
local MOST_LOTS <const> = 100 -- that are remembered
local COLLECT <const>, SAY <const>, GATHER <const> = 0.01, 1, 0.002

-- A random UUID.
local function new_id()
  local source <close> = assert(io.open("/dev/urandom", "rb"))
  local hex = source:read(16):gsub(".", function(c) return ("%02x"):format(c:byte()) end)
  return table.concat({
    hex:sub(1, 8), hex:sub(9, 12), hex:sub(13, 16), hex:sub(17, 20), hex:sub(21),
  }, "-")
end

--- Makes a worker.
-- @param given table: address, schema, tags (array), capacity (devices at a time), lease (seconds),
--   trust (public key in PEM, or nil), verify (function(pem, text, signature)), host, pid, tell
--   (function(event, job or nil, text)), is_asked_to_stop (function)
function Worker.new(given)
  local self = setmetatable({
    id = new_id(),
    jobs = {}, count = 0, working = 0, begun = 0, results = {}, refused = {}, behind = {}, lots = 0,
  }, Worker)
  for name, value in pairs(given) do self[name] = value end
  self.runs, self.records = runs.new(self), records.new(self)
  return self
end

-- -- the database ---------------------------------------------------------------------------------

-- "7713439782164318131/00000002" -> the cluster, the timeline.
local function parts_of(server)
  local cluster, timeline = server:match "^(.*)/(%x+)$"
  return cluster, timeline and tonumber(timeline, 16)
end

-- Why a server is not that of the queue any more: another one has taken its place. nil: it is.
function Worker:outdated(server)
  local cluster, timeline = parts_of(server)
  local known, newest = parts_of(self.server or server)
  if not timeline or cluster ~= known or timeline >= newest then return nil end
  return ("this server was the primary before another one was (timeline %d, the newer one %d): "
    .. "stop it, or make it a standby"):format(timeline, newest)
end

-- A connection to a server of the address, and its name. One that came back as a second primary is
-- left out.
function Worker:connect()
  local after, why
  while true do
    local ok, db = pcall(queue.open, self.address, self.schema, { after = after })
    if not ok then
      if why and postgres.is_transient(db) then db = core.error_new {
        kind = "database", lost = true, message = ("%s; %s"):format(why, db.message),
      } end
      error(db, 0)
    end
    local server <const> = calls.server(db)
    why = self:outdated(server)
    if not why then return db, server end
    after = db:place()
    db:close()
  end
end

-- The worker says what it has; a server that was a standby may know less.
function Worker:introduce(db, server)
  if self.server and self.server ~= server then
    -- The number of a run that was lost may be that of another one.
    self.runs:forget()
    self.refused = {}
    self.tell("moved")
  end
  calls.hello(db, self, self:held())
  db:listen(self.schema)
  self.server = server
end

function Worker:open()
  local db, server = self:connect()
  local ok, err = pcall(self.introduce, self, db, server)
  if ok then return db end
  db:close()
  error(err, 0)
end

-- The jobs of this worker, as a list.
function Worker:held()
  local list = {}
  for _, job in pairs(self.jobs) do list[#list + 1] = job end
  return list
end

-- Many fibers may wait for the database: each reason is reported once in a while.
function Worker:tell_lost(reason)
  local now <const> = core.now()
  if self.reason == reason and now < self.tell_again then return end
  self.reason, self.tell_again = reason, now + TELL_AGAIN
  self.tell("lost", nil, reason)
end

-- Opens the connection. If there is no database for now, the next attempt is later.
function Worker:try_to_open()
  self.opening = true
  local ok, db = pcall(self.open, self)
  self.opening = false
  if ok then
    if self.db then self.tell("back") end
    self.db, self.pause, self.reason = db, nil, nil
    self.next_renewal = core.boot_time() -- the server may know less of them
    return
  end
  if type(db) ~= "table" or db.kind ~= "database" or not self.db then error(db, 0) end
  self:tell_lost(db.message)
  self.pause = math.min((self.pause or FIRST_PAUSE / 2) * 2, LAST_PAUSE)
  self.open_again = core.now() + self.pause
end

--- The connection; if it is lost, waits until there is one again.
function Worker:database()
  while not (self.db and self.db:is_open()) do
    if self.opening or self.pause and core.now() < self.open_again then -- another fiber tried
      core.real_sleep(0.05)
    else
      self:try_to_open()
    end
  end
  return self.db
end

-- Calls fn(db) until the database has answered. A statement that was cut off may have been carried
-- out: all of them may be repeated.
function Worker:ask(fn)
  while true do
    local db = self:database()
    local ok, result, more = pcall(fn, db)
    if ok then return result, more end
    if not postgres.is_transient(result) then error(result, 0) end
    self:tell_lost(result.message)
    -- Another server of the address may accept writes.
    if result.sqlstate == postgres.READ_ONLY then db:close() end
    core.real_sleep(FIRST_PAUSE)
  end
end

-- -- one job -------------------------------------------------------------------------------------

function Worker:work(job)
  local run, refused = self.runs:find(job.run)
  if run and not run.devices[job.position] then
    run, refused = nil, ("its manifest has no device %d"):format(job.position)
  end
  if run then
    job:work(run)
  else
    self.refused[job.run] = refused
    job.how, job.why = "returned", refused
  end
  job.ended = true
end

-- What becomes of a job whose fiber has ended.
function Worker:ended(job)
  if job.result then
    self.results[#self.results + 1] = job
    self:flush_soon()
    return
  end
  if job.how == "returned" and not job.wrote then
    self:ask(function(db)
      calls.hand_back(db, self, job.run, { job })
      if job.why then calls.note(db, self, job, job.why) end
    end)
    self.tell("returned", job, job.why)
  else
    local why = ("%s; %s"):format(job.why or "the worker was stopped", job.wrote
      and "it had sent writes, the last of which may or may not have arrived"
      or "it had sent no write")
    self.tell("abandoned", job, why)
    self.records:flush()
    self:ask(function(db) calls.note(db, self, job, why) end)
  end
  self:forget(job)
end

-- There may be a place for another job.
function Worker:wake()
  if self.resting then self.resting:cancel() end
end

function Worker:forget(job)
  self.jobs[job:key()] = nil
  self.count = self.count - 1
  self:wake()
end

function Worker:start(row)
  local job = Job.new(row, self)
  self.jobs[job:key()] = job
  self.count, self.working, self.begun = self.count + 1, self.working + 1, self.begun + 1
  self.tell("start", job)
  core.spawn(function()
    job.fiber = core.spawn(function() self:work(job) end)
    if job.how then job.fiber:cancel() end
    local ok, err = pcall(job.fiber.join, job.fiber)
    if not ok and not job.how then job:conclude(false, err) end
    job.ended = true
    self.working = self.working - 1
    self:wake()
    ok, err = pcall(self.ended, self, job)
    if not ok then self.failure = self.failure or err end
  end)
end

-- -- results and output ---------------------------------------------------------------------------

function Worker:say(job)
  local lines = job.lines
  if #lines == 0 then return end
  local first = job.said + 1
  job.lines, job.said = {}, job.said + #lines
  self:ask(function(db) calls.say(db, self, job, first, lines) end)
end

-- Stores the results that have come together, those of a run at once.
function Worker:flush()
  while #self.results > 0 do
    local list, of = self.results, {}
    self.results = {}
    self.records:flush()
    for _, job in ipairs(list) do
      self:say(job)
      of[job.run] = of[job.run] or {}
      table.insert(of[job.run], job)
    end
    for run, jobs in pairs(of) do
      local results = {}
      for i, job in ipairs(jobs) do results[i] = job.result end
      local counted = self:ask(function(db) return calls.finish(db, self, run, results) end)
      for _, job in ipairs(jobs) do
        self.tell(counted[job.position] and "finish" or "not counted", job)
        self:forget(job)
      end
    end
  end
end

function Worker:flush_soon()
  if self.flushing then return end
  self.flushing = true
  core.spawn(function()
    core.real_sleep(COLLECT)
    local ok, err = pcall(self.flush, self)
    self.flushing = false
    if not ok then self.failure = self.failure or err end
    if ok and #self.results > 0 then self:flush_soon() end
  end)
end

-- -- the three loops ------------------------------------------------------------------------------

local function list_of(refused)
  local list = {}
  for run in pairs(refused) do list[#list + 1] = tostring(run) end
  return list
end

-- The worker looks behind the last job of a lot that it got first.
function Worker:remember(lot, position)
  local key <const> = tostring(lot)
  if not self.behind[key] then
    if self.lots == MOST_LOTS then self.behind, self.lots = {}, 0 end
    self.lots = self.lots + 1
  end
  self.behind[key] = position
end

-- How many jobs may start. A place is free when the work on its device has ended; the results that
-- are not stored yet are bounded, too.
function Worker:places()
  if self.stopping then return 0 end
  return math.min(self.capacity - self.working, 2 * self.capacity - self.count)
end

-- Takes jobs while there are places. Returns false if there are none to take.
function Worker:look()
  if core.now() >= self.next_reap then
    self.next_reap = core.now() + LOOK
    self:ask(calls.reap)
  end
  while self:places() > 0 do
    local jobs = self:ask(function(db)
      return calls.take(db, self, self:places(), list_of(self.refused), self.behind)
    end)
    for _, job in ipairs(jobs) do
      self:remember(job.lot, job.position)
      self:start(job)
    end
    if #jobs == 0 and self:ask(calls.reap) == 0 then return false end
  end
  return true
end

-- Waits until there is a place again.
function Worker:rest()
  while self:places() <= 0 and not self.stopping do
    self.resting = core.spawn(function() core.real_sleep(LOOK) end)
    pcall(self.resting.join, self.resting) -- the end of a job cancels it
    self.resting = nil
  end
  core.real_sleep(GATHER)
end

function Worker:take_jobs()
  self.next_reap = core.now()
  while not self.stopping do
    -- With a job, a device may become free while it looks.
    local was_idle <const>, begun <const> = self.count == 0, self.begun
    if self:look() then
      self:rest()
    elseif self.once and was_idle and self.begun == begun then
      return
    else
      self:ask(function(db) return db:wait(self.once and 0.05 or LOOK) end)
    end
  end
end

function Worker:renew()
  local jobs <const> = self:held()
  local held, ends = self:ask(function(db) return calls.renew(db, self, jobs) end)
  for _, job in ipairs(jobs) do
    if held[job:key()] == job.attempt then
      job:renewed(ends)
    else
      job:stop("lost", "its lease was lost")
    end
  end
end

-- Calls fn(self) in a fiber of its own, unless the one before still runs.
function Worker:aside(name, fn)
  if self[name] then return end
  self[name] = core.spawn(function()
    local ok, err = pcall(fn, self)
    self[name] = nil
    if not ok then self.failure = self.failure or err end
  end)
end

-- Playbooks have kept the worker from coming round. The others wait until the leases are renewed:
-- each of them may compute for as long.
function Worker:renew_when_late()
  if not core.held() then return end
  self:aside("renewing", self.renew)
  self:aside("releasing", function()
    if self.renewing then pcall(self.renewing.join, self.renewing) end
    core.release()
  end)
end

-- Renews the leases, stores records and what was printed, and cuts off what could not be renewed
-- in time.
function Worker:keep_leases()
  local next_lines = core.now() + SAY
  while not self.over do
    core.real_sleep(math.min(0.2, self.lease / 20))
    local now = core.boot_time()
    if (self.is_asked_to_stop() or self.failure) and not self.stopping then
      self.stopping = true
      self.taker:cancel()
    end
    for _, job in pairs(self.jobs) do
      if not job.ended and now > job.ends - limit.MARGIN then
        job:stop("lost", "its lease could not be renewed in time")
      end
    end
    if now >= self.next_renewal then
      self.next_renewal = now + self.lease / 3
      self:aside("renewing", self.renew)
    end
    self:renew_when_late()
    if self.records:has_lines() then
      self:aside("recording", function() self.records:flush() end)
    end
    if core.now() >= next_lines then
      next_lines = core.now() + SAY
      self:aside("saying", function()
        for _, job in ipairs(self:held()) do self:say(job) end -- others may come meanwhile
      end)
    end
  end
end

-- Ends what is under way: what has changed nothing goes back, the rest comes to its end.
function Worker:drain()
  self.stopping = true
  if self.count > 0 then self.tell "draining" end
  for _, job in pairs(self.jobs) do
    if not job.wrote then job:stop("returned") end
  end
  while self.count > 0 and not self.failure do core.real_sleep(COLLECT) end
end

--- Works until it is asked to stop, then hands back or finishes what is under way.
function Worker:run()
  passphrase.never_ask()
  playbook.keep_process()
  limit.worker(self.lease)
  self:database()
  self.tell("ready")
  self.taker = core.spawn(function() self:take_jobs() end)
  core.spawn(function()
    local ok, err = pcall(self.keep_leases, self)
    if not ok then self.failure = self.failure or err end
  end)
  local ok, err = pcall(self.taker.join, self.taker)
  self:drain()
  if self.db:is_open() then pcall(calls.bye, self.db, self) end
  self.over = true
  self.db:close()
  if self.failure then error(self.failure, 0) end
  if not ok and not (type(err) == "table" and err.kind == "cancelled") then error(err, 0) end
end

return Worker
