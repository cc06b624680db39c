-- A queue of a spec: a database with its schema, runs and workers.
--
--   local q = queue.new(server)                  -- of postgres.server
--   local id = q:submit(text, devices, options)  -- a playbook; devices as in an inventory
--   local worker <close> = q:worker("a", { "--once" })
local core = require "f5.core"
local json = require "f5.json"
local manifest = require "f5.queue.manifest"
local program = require "program"
local queues = require "f5.queue"
local servers = require "postgres.server"
local sim = require "f5.sim"
local stored = require "f5.queue.stored"

local M = {}

local Queue <const> = {}
Queue.__index = Queue

local count = 0

function M.new(server)
  count = count + 1
  local address = server:database("queue" .. count)
  assert(program.run({ "queue", "init", "--queue", address }).status == 0)
  return setmetatable({ address = address, db = queues.open(address) }, Queue)
end

--- The environment of workers with the password of M.device.
M.ENV = { DEVICE_PASSWORD = "admin" }

--- A device of a fleet as it stands in an inventory.
-- @param more table|nil: other options
function M.device(fleet, n, more)
  local options <const> = fleet:member(n):options "admin"
  options.password, options.password_env, options.timeout = nil, "DEVICE_PASSWORD", 1
  for name, value in pairs(more or {}) do options[name] = value end
  return options
end

--- Several of them.
function M.devices(fleet, from, to, more)
  local list <const> = {}
  for n = from, to do list[#list + 1] = M.device(fleet, n, more) end
  return list
end

--- For a block of specs with one server, one fleet of `many` devices, and a queue for each test:
-- `give(server, fleet, queue)` gets them.
function M.block(setup, teardown, before_each, after_each, many, give)
  local server, fleet, q
  setup(function()
    if servers.missing then return end
    server, fleet = servers.start(), sim.start { fleet = many }
  end)
  teardown(function()
    if not server then return end
    server:stop()
    fleet:stop()
  end)
  before_each(function()
    if not server then return end
    q = M.new(server)
    give(server, fleet, q)
  end)
  after_each(function() if q then q:close() end end)
end

function Queue:close() self.db:close() end
Queue.__close = Queue.close

--- Stores a run. `options`: grace, canary, batch, max_failures, tags (of all devices), archive
-- (bytes instead of the playbook's), sign (function(text) -> signature), forge (function(facts,
-- jobs): changes what is stored beside the manifest).
function Queue:submit(text, devices, options)
  options = options or {}
  local bytes = options.archive or require("build.archive").write {
    { kind = "main", name = "playbook.lua", contents = text },
    table.unpack(options.entries or {}),
  }
  local list = require("f5.inventory").read { devices = devices }
  local made = manifest.make(list.devices, {
    kind = "run", archive = core.sha256(bytes), playbook = "playbook.lua",
    arguments = options.arguments or {}, canary = options.canary, batch = options.batch,
    max_failures = options.max_failures, per_device = options.per_device, on = options.on,
    tags = options.tags,
  })
  local manifest_text = manifest.text(made)
  local facts <const>, jobs <const> = stored.of(made)
  facts.f5lua, facts.from = core.version, "here"
  if not options.sign then facts.grace = options.grace or 1 end
  if options.forge then options.forge(facts, jobs) end
  return self.db:row(
    "select submit($1::jsonb, $2::bytea, $3, $4::bytea, $5::jsonb) as id",
    json.encode(facts), { bytes = bytes }, manifest_text,
    options.sign and { bytes = options.sign(manifest.signed_text(manifest_text)) },
    json.encode(jobs)
  ).id
end

--- Starts `f5lua worker` with a name, which its playbooks have in the variable WORKER.
function Queue:worker(name, words, env)
  local all = { "worker", "--queue", self.address, table.unpack(words or {}) }
  local variables = { WORKER = name }
  for key, value in pairs(env or {}) do variables[key] = value end
  return program.start(all, { env = variables })
end

--- Carries out what is there, with `many` workers of these words; fails unless all end well.
function Queue:work(many, words, env)
  local workers = {}
  for n = 1, many do
    workers[n] = self:worker("w" .. n, { "--once", table.unpack(words or {}) }, env)
  end
  for _, one in ipairs(workers) do
    local ended <const> = one:wait(60)
    assert(ended.status == 0, ended.err)
  end
end

--- Fails unless all jobs of a run are done, with the errors of the others.
function Queue:all_done(id, wanted)
  local states <const> = self:states(id)
  if states.done == wanted and next(states, (next(states))) == nil then return end
  error(("run %d: %s"):format(id, json.encode(states)) .. tostring(self.db:row(
    "select string_agg(error ->> 'message', ' ') as t from jobs where run = $1", id).t), 2)
end

--- The row of a run.
function Queue:run(id) return self.db:row("select * from runs where id = $1", id) end

--- How many jobs are in which state.
function Queue:states(id)
  local states = {}
  for _, row in
    ipairs(self.db:query("select state, count(*) as n from jobs where run = $1 group by 1", id))
  do
    states[row.state] = row.n
  end
  return states
end

--- Waits until a run has ended, and returns it.
function Queue:ended(id, seconds)
  local run
  require("lab").wait("the end of run " .. id, function()
    run = self:run(id)
    return run.ended_at ~= nil
  end, seconds or 60)
  return run
end

return M
