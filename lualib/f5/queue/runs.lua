--- What a worker knows of the runs whose jobs it has: manifest, devices, what its kind
-- needs.

local calls = require "f5.queue.calls"
local core = require "f5.core"
local json = require "f5.json"
local kinds = require "f5.queue.kinds"
local limit = require "f5.queue.limit"
local manifest = require "f5.queue.manifest"
local problem = require "f5.queue.problem"
local stored = require "f5.queue.stored"

local Runs = {}
Runs.__index = Runs

-- Runs that are kept unpacked.
local MOST <const> = 20

function Runs.new(worker)
  return setmetatable({ worker = worker, known = {}, order = {} }, Runs)
end

local function device_of(entry)
  local groups = {}
  for _, name in ipairs(entry.groups or {}) do groups[name] = true end
  return {
    name = entry.name, connect = entry.connect, vars = entry.vars or {}, groups = groups,
    pair = entry.pair, tags = entry.tags or {}, undo = entry.undo, plan = entry.plan,
  }
end

-- Why a run is not for this worker; nil: it is.
function Runs:objection(row)
  local trust <const> = self.worker.trust
  if trust then
    if not row.signature then return "it is not signed" end
    local ok, holds = pcall(self.worker.verify, trust, manifest.signed_text(row.manifest),
      row.signature)
    if not ok or not holds then return "its signature is not of a key that this worker trusts" end
  end
  return nil
end

-- Whether the waves, the limits and the devices that the database keeps are those that were signed.
function Runs:forged(row, content)
  if not self.worker.trust then return nil end
  local jobs <const> = self.worker:ask(function(db) return calls.jobs(db, row.id) end)
  local ok, what = pcall(stored.difference, content, row, jobs)
  if not ok then return "its manifest is damaged" end
  return what and ("it is not what was signed: %s differs"):format(what)
end

function Runs:unpack(row)
  local objection = self:objection(row)
  if objection then return nil, objection end
  local content, why = manifest.read(row.manifest)
  if not content then return nil, why end
  objection = self:forged(row, content)
  if objection then return nil, objection end
  local kind = kinds.find(content.kind)
  if not kind then
    return nil, ("this f5lua cannot carry out runs of the kind %s"):format(tostring(content.kind))
  end
  local opened, run = pcall(kind.open, content, row)
  if not opened then return nil, tostring(type(run) == "table" and run.message or run) end
  local devices = {}
  for i, entry in ipairs(content.devices) do
    -- A worker with a longer lease may carry it out.
    local too_long <const> = limit.too_long(entry.name, entry.connect.timeout or manifest.TIMEOUT,
      self.worker.lease)
    if too_long then return nil, too_long end
    devices[i] = device_of(entry)
  end
  run.kind, run.devices, run.options = kind, devices, content.options or {}
  run.what, run.name, run.arguments = content.kind, content.playbook, content.arguments
  run.undo_of = content.undo_of
  run.secrets = {} -- what password commands printed: each runs once for a run
  return run
end

--- Reads all runs again.
function Runs:forget()
  for _, id in ipairs(self.order) do self.known[id] = nil end
  self.order = {}
end

--- The run with this number; or nil and why this worker does not carry it out.
function Runs:find(id)
  while self.known[id] == "pending" do core.real_sleep(0.01) end
  local known = self.known[id]
  if not known then
    self.known[id] = "pending"
    local ok, run, objection = pcall(function()
      return self:unpack(self.worker:ask(function(db) return calls.run(db, id) end))
    end)
    self.known[id] = nil
    if not ok then error(run, 0) end
    known = { run = run, objection = objection }
    self.known[id] = known
    self.order[#self.order + 1] = id
    if #self.order > MOST then self.known[table.remove(self.order, 1)] = nil end
  end
  return known.run, known.objection
end

-- A result is for people and for scripts that look at many devices, not a file.
local MOST_RESULT <const> = 1 << 20

local function too_large(bytes)
  return ("(a result of %.1f MB: more than 1 MB is not stored)"):format(bytes / (1 << 20))
end

local function is_finite(value)
  return value == value and value ~= math.huge and value ~= -math.huge
end

-- A copy: a fiber that the playbook left behind may still change the table.
local function of_table(result)
  local ok, text = pcall(json.encode, result)
  if ok then return #text > MOST_RESULT and too_large(#text) or json.decode(text) end
  local own <const> = problem.text(result)
  if not own:find "^table: 0x" then return own end
  return ("(a table that is not JSON: %s)"):format(problem.text(text))
end

--- A result as it can be stored: JSON, else text. Instead of one that is too large, a text says so.
function Runs.storable(result)
  local kind <const> = type(result)
  if kind == "nil" or kind == "boolean" then return result end
  if kind == "number" then return is_finite(result) and result or tostring(result) end
  if kind == "table" then result = of_table(result) end
  if kind ~= "table" and kind ~= "string" then result = core.mask(problem.text(result)) end
  if type(result) ~= "string" then return result end
  return #result > MOST_RESULT and too_large(#result) or result
end

return Runs
