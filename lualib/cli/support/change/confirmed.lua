-- apply --confirm and --verify: the device takes the change back unless somebody confirms it.
local confirm = require "f5.confirm"
local drift = require "f5.plan.drift"
local duration = require "cli.support.change.duration"
local host = require "f5.host"
local output = require "cli.support.output"
local read_back = require "cli.support.change.read_back"
local terminal = require "f5.terminal"
local usage = require "cli.support.usage"

local M = {}

local DEFAULT_SECONDS <const> = 600 -- of --verify without --confirm
local MAX_SECONDS <const> = 30 -- to wait until the device has taken a change back

function M.add_options(parser)
  parser
    :option("--confirm", "the device takes the change back after this time, unless 'f5lua confirm' "
      .. "keeps it: minutes, 90m, 2h")
    :argname "TIME"
    :convert(duration.minutes "--confirm")
  parser
    :option("--verify", "a playbook that runs after the change; if it fails, the device takes the "
      .. "change back at once")
    :argname "FILE.lua"
end

function M.check_options(options, program)
  if not options.verify then return end
  local chunk, message, unreadable = host.load(options.verify)
  if chunk then return end
  if unreadable then usage(message, program) end
  error(message, 0)
end

local line <const> = output.line

-- -- without a confirmation -----------------------------------------------------------------------

local NONE <const> = setmetatable({
  keep = function() end, failed = function() end, sent = function() end,
  finish = function() return false end,
}, { __close = function() end })

-- -- with one -------------------------------------------------------------------------------------

local Change = {}
Change.__index = Change

function Change:keep() self.pending:keep() end

local function by_itself(self)
  line(self.name, "the device takes the change back by itself in ",
    duration.text(self.pending:left()), ": nothing more is needed")
end

-- Reads everything that the plan writes, and says whether it is as it was before.
local function prove(self)
  local count = 0
  for _ in pairs(self.plan.objects) do count = count + 1 end
  local ok, found = pcall(drift.find, self.session, { objects = self.plan.objects, reads = {} })
  if not ok then
    line(self.name, "whether all is as before could not be read: ", terminal.line(tostring(found)))
    return
  end
  if #found == 0 then
    line(self.name, ("%d %s read: all is as before"):format(
      count, count == 1 and "object was" or "objects were"))
    return
  end
  line(self.name, ("%d of %d objects are not as before (A: before, B: now):"):format(#found, count))
  read_back.put_drift(found)
  line(self.name, "'f5lua undo' with the change record of this run takes the rest back")
end

-- Whether the device still waits to take the change back, or is about to.
local function still_waits(self)
  local ok, list = pcall(confirm.list, self.session)
  for _, one in ipairs(ok and list or {}) do
    if one.id == self.pending.id then return one.due ~= nil end
  end
  return not ok -- it cannot be asked: the timer that was seen last counts
end

-- Lets the device take the change back now.
local function take_back(self, why, is_sent)
  line(self.name, why, ": the device takes the change back")
  local ok, now = pcall(confirm.take_back, self.session, self.pending.id, {
    sent = is_sent, seconds = MAX_SECONDS,
  })
  if ok and now.state == "taken back" then
    line(self.name, "the change is taken back")
    prove(self)
    self.over = true
    return true
  end
  line(self.name, "it is not certain that the change is taken back: ", terminal.line(
    ok and now.state .. (now.detail and ", " .. now.detail or "") or tostring(now)))
  if still_waits(self) then
    by_itself(self)
  else
    line(self.name, "its timer is gone from the device: somebody else has decided")
    prove(self)
  end
  return false
end

--- The change stopped with an error.
-- @param settled boolean|nil: no write is on its way; nil: the error says it
function Change:failed(err, settled)
  if self.over then return end
  if type(err) == "table" and err.kind == "cancelled" then return by_itself(self) end
  if settled == nil then settled = type(err) == "table" and err.outcome ~= "unknown" end
  take_back(self, "the change is not complete", settled)
end

--- Runs the playbook of --verify.
-- @return table: ok, error
function M.verify(options)
  local chunk, message = host.load(options.verify)
  if not chunk then error(message, 0) end
  host.set_script(options.verify, {})
  local ok, err = pcall(chunk)
  if ok then line "the verification passed" end
  return { ok = ok, error = err }
end

--- After the last write: the time for the confirmation begins.
function Change:sent() self.due = self.pending:start() end

--- After the look at the result.
-- @param verdict table|nil: of M.verify. If it failed, the device takes the change back.
function Change:finish(verdict)
  local due = self.due
  if verdict then
    if not verdict.ok then
      take_back(self, "the verification failed", true)
      return true
    end
    if not self.options.confirm then
      local one = confirm.confirm(self.session, self.pending.id, { user = self.user })
      line(self.name, "the change is confirmed")
      self.over = true
      if one.save then
        self.session.sys.config:run "save"
        line(self.name, "the configuration is saved")
      end
      return true
    end
  end
  line(("confirm within %s: f5lua confirm --host %s %s"):format(
    duration.text(self.pending.seconds), terminal.line(self.session:label()), self.pending.id))
  line(("otherwise the device takes the change back, at %s on its clock"):format(
    terminal.line(due)))
  if self.options.save then line "the configuration is saved when the change is confirmed" end
  return true
end

Change.__close = function(self) self.session:close() end

--- Arms the device, if it was asked for. Returns what follows the change.
-- @param options table: confirm, verify, save, user, several (true: name the device in each line)
-- @param connect function() -> a session of its own, so that the timer is not a part of the record
function M.arm(options, device, connect)
  if not options.confirm and not options.verify then return NONE end
  local session = connect()
  local user = options.user or os.getenv "F5_USER"
  local ok, pending = pcall(confirm.arm, session, device, {
    seconds = options.confirm or DEFAULT_SECONDS, save = options.save, user = user,
  })
  if not ok then
    session:close()
    error(pending, 0)
  end
  if not pending then
    session:close()
    return NONE
  end
  local self = setmetatable({
    session = session, pending = pending, options = options, user = user, plan = device,
    name = options.several and terminal.line(session:label()) .. ": " or "",
  }, Change)
  local savers
  ok, savers = pcall(confirm.savers, session)
  if not ok then -- or the run was interrupted; nothing of the change is sent
    pcall(confirm.forget, session, pending.id)
    session:close()
    error(savers, 0)
  end
  line(("armed: %s takes the change %s back unless it is confirmed"):format(
    terminal.line(session:label()), pending.id))
  for _, text in ipairs(savers) do
    line("  note: ", terminal.line(text), "; a restart then does not take the change back")
  end
  output.flush() -- f5lua may be killed
  return self
end

return M
