-- --undoable and F5LUA_UNDOABLE=1: keeps a change record, with which `f5lua undo` takes back what
-- a playbook or a subcommand writes.
local environment = require "cli.support.change.environment"
local terminal = require "f5.terminal"

local M = {}

function M.add_option(parser)
  parser:flag("--undoable", "keep a change record, with which 'f5lua undo' takes the changes back")
end

local function is_set() return environment.value_of "F5LUA_UNDOABLE" ~= nil end

--- Whether a change record is wanted.
function M.wanted(options) return options.undoable or is_set() end

local function tell(record)
  local count = record:carried_out()
  if not record.id or count == 0 then return end
  terminal.err(("f5lua: %s in the change record %s; 'f5lua undo %s' takes %s back\n"):format(
    count == 1 and "1 write" or count .. " writes", record.id, record.id,
    record:is_limited() and "what it can" or count == 1 and "it" or "them"))
end

--- A change record for a <close> variable.
-- @param options table: as of Record.new
function M.record(options)
  local record = require("f5.safe.record").new(options)
  return setmetatable({ attach = function(_, session) record:attach(session) end }, {
    __close = function(_, err)
      require("f5.safe").finish(record, err == nil, err)
      tell(record)
    end,
  })
end

--- Calls fn(...) and keeps a change record meanwhile.
-- @param about table: what ("run", "create", …), playbook, arguments
function M.run(about, fn, ...)
  local stop = require("f5.safe.everywhere").start {
    what = about.what, playbook = about.playbook, arguments = about.arguments, on_end = tell,
  }
  -- not pcall: the trace of an error ends where it is raised
  local _ <close> = setmetatable({}, { __close = function(_, err) stop(err) end })
  return fn(...)
end

--- The file of the playbook, or the program that it is packed into; nil: there is none (-e).
function M.script()
  local words = arg or {}
  return (words[-1] ~= nil or require("f5.bundle").packed()) and words[0] or nil
end

--- Returns fn, or with F5LUA_UNDOABLE=1 a function that keeps a change record of what fn writes.
-- The program calls it with each playbook that it runs without a subcommand.
function M.wrapped(fn)
  if not is_set() then return fn end
  return function(...)
    return M.run({ what = "run", playbook = M.script(), arguments = table.pack(...) }, fn, ...)
  end
end

return M
