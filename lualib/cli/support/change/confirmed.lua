-- apply --confirm and --verify: the device takes the change back unless somebody confirms it.
local confirm = require "f5.confirm"
local duration = require "cli.support.change.duration"
local host = require "f5.host"
local output = require "cli.support.output"
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

local function line(...)
  for i = 1, select("#", ...) do output((select(i, ...))) end
  output "\n"
end

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
  line("the device takes the change back by itself in ", duration.text(self.pending:left()),
    ": nothing more is needed")
end

-- Lets the device take the change back now.
local function take_back(self, why, is_sent)
  line(why, ": the device takes the change back")
  local ok, now = pcall(confirm.take_back, self.session, self.pending.id, {
    sent = is_sent, seconds = MAX_SECONDS,
  })
  if ok and now.state == "taken back" then
    line "the change is taken back"
    self.over = true
    return true
  end
  line("it is not certain that the change is taken back: ", terminal.line(ok and now.state
    .. (now.detail and ", " .. now.detail or "") or tostring(now)))
  by_itself(self)
  return false
end

--- The change stopped with an error.
function Change:failed(err)
  if type(err) == "table" and err.kind == "cancelled" then return by_itself(self) end
  local unknown = type(err) ~= "table" or err.outcome == "unknown"
  take_back(self, "the change is not complete", not unknown)
end

local function verify(self)
  local chunk, message = host.load(self.options.verify)
  if not chunk then error(message, 0) end
  host.set_script(self.options.verify, {})
  return pcall(chunk)
end

--- After the last write: the time for the confirmation begins.
function Change:sent() self.due = self.pending:start() end

--- After the look at the result. Raises if the verification fails.
function Change:finish()
  local due = self.due
  if self.options.verify then
    local ok, err = verify(self)
    if not ok then
      take_back(self, "the verification failed", true)
      error(err, 0)
    end
    line "the verification passed"
    if not self.options.confirm then
      local one = confirm.confirm(self.session, self.pending.id, { user = self.user })
      line "the change is confirmed"
      self.over = true
      if one.save then
        self.session.sys.config:run "save"
        line "the configuration is saved"
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
    session = session, pending = pending, options = options, user = user,
  }, Change)
  line(("armed: %s takes the change %s back unless it is confirmed"):format(
    terminal.line(session:label()), pending.id))
  for _, text in ipairs(confirm.savers(session)) do
    line("  note: ", terminal.line(text), "; a restart then does not take the change back")
  end
  return self
end

return M
