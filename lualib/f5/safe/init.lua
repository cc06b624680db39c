-- Change records and undo, for scripts: bip:undoable(fn), bip:guard(fn), f5.changes(), f5.undo(id).

local core = require "f5.core"
local everywhere = require "f5.safe.everywhere"
local files = require "f5.safe.files"
local json = require "f5.json"
local Record = require "f5.safe.record"
local recorders = require "f5.safe.recorders"
local terminal = require "f5.terminal"
local undo = require "f5.safe.undo"
local words = require "f5.safe.words"

local M = {}

local function check_function(name, fn)
  if type(fn) ~= "function" then
    core.usage_error(3, ("%s: expected a function, got a %s"):format(name, type(fn)))
  end
end

--- Ends a record with the error of a `pcall`.
function M.finish(record, ok, err)
  if ok then return record:finish "done" end
  record:finish(everywhere.state_of(err), core.mask(tostring(err)))
end

--- session:undoable(fn): calls fn() and keeps a change record of all writes of the session
-- meanwhile.
-- @return id of the record, for f5.undo and `f5lua undo`; nil if nothing was written. Then the
--   results of fn.
function M.undoable(bip, fn)
  check_function("undoable", fn)
  if recorders.is_simulated(bip) then return nil, fn() end -- check mode: nothing is written
  local script = _G.arg and _G.arg[0]
  local record = Record.new {
    what = "undoable", playbook = script, arguments = _G.arg and table.pack(table.unpack(_G.arg)),
  }
  local detach = record:attach(bip)
  local is_done = false
  -- Not pcall: the traceback of the error begins at the line that raised it.
  local _ <close> = setmetatable({}, { __close = function(_, err)
    detach()
    M.finish(record, is_done, err)
  end })
  local results = table.pack(fn())
  is_done = true
  return record.id, table.unpack(results, 1, results.n)
end

-- What a guard says about what it did.
local function tell(bip, result, failure)
  local name = terminal.line(bip:label())
  if failure then
    terminal.err(("f5lua: %s: the guard could not take the changes back: %s\n"):format(
      name, terminal.line(tostring(failure))))
    return
  end
  terminal.err(("f5lua: %s: an error ended the guarded function; %s\n"):format(
    name, #result.done == 0 and (#result.left > 0 and "no change was taken back"
        or "there was nothing to take back")
      or #result.done == 1 and "1 change was taken back"
      or ("%d changes were taken back"):format(#result.done)))
  for _, one in ipairs(result.left) do
    terminal.err("f5lua: not taken back: ", terminal.line(words.left(one)), "\n")
  end
  for _, one in ipairs(result.lost) do
    terminal.err("f5lua: cannot be taken back: ", terminal.line(words.lost(one)), "\n")
  end
end

-- Takes back what a guarded function wrote.
local function take_back(bip, record, err)
  local number = record.devices[bip]
  if not number then return end -- nothing was written
  local ok, result = pcall(undo.device, bip, record:contents(), number, {})
  tell(bip, ok and result, not ok and result)
  if type(err) == "table" and err.kind ~= nil then
    err.reverted = ok and result.complete
  end
end

--- session:guard(fn): calls fn(). If it raises an error, or is interrupted, what it wrote is taken
-- back; then the error goes on.
-- @return the results of fn
function M.guard(bip, fn)
  check_function("guard", fn)
  local record = Record.new { memory = true, what = "guard" }
  record:attach(bip)
  local is_done = false
  -- Not pcall: the traceback of the error begins at the line that raised it.
  local _ <close> = setmetatable({}, { __close = function(_, err)
    record:finish()
    if not is_done then take_back(bip, record, err) end
  end })
  local results = table.pack(fn())
  is_done = true
  return table.unpack(results, 1, results.n)
end

--- f5.changes(): the change records of this user, oldest first.
-- @return array of { id, path, time, what, playbook, arguments, undo_of, state ("done", "failed",
--   "interrupted", "ended", "running", "broken off"), devices (their names), writes }
function M.changes()
  local out = json.array {}
  for _, contents in ipairs(files.all()) do out[#out + 1] = files.summary(contents) end
  return out
end

local OPTIONS <const> = { session = true, check = "boolean", force = "boolean" }

-- The number of the device of a session in a record.
function M.find_device(contents, bip, who)
  who = who or Record.identity(bip)
  local by_address
  for number, device in pairs(contents.devices) do
    if device.address == core.address(bip) then by_address = number end
  end
  for number, device in pairs(contents.devices) do
    local known = device.hostname ~= nil and who.hostname ~= nil
    local same = known and device.hostname == who.hostname and device.serial == who.serial
    if same and (by_address == nil or by_address == number) then return number end
  end
  if not by_address then return nil end
  local device = contents.devices[by_address]
  if device.serial ~= nil and who.serial ~= nil and device.serial ~= who.serial then return nil end
  return by_address
end

--- f5.undo(id, { session = bip, check = true, force = true }): takes back what a change record says
-- about the device of a session.
-- @param id string: id of a record, or a file
-- @return table: { complete, done (array of texts), left, not_reversible, record (its own id) }
function M.undo(id, options)
  if type(id) ~= "string" then
    core.usage_error(2, ("f5.undo: expected the id of a change record, got a %s"):format(type(id)))
  end
  local session = type(options) == "table" and options.session
  if type(session) ~= "userdata" or getmetatable(session) ~= "session" then
    core.usage_error(2, "f5.undo: give the session: f5.undo(id, { session = bip })")
  end
  for key, value in next, options do
    local wanted = OPTIONS[key]
    if not wanted then
      core.usage_error(2, ("f5.undo: unknown option '%s'"):format(tostring(key)))
    end
    if wanted ~= true and type(value) ~= wanted then
      core.usage_error(2, ("f5.undo: '%s' must be a %s, not a %s"):format(key, wanted, type(value)))
    end
  end
  local contents = files.to_undo(id)
  local bip = options.session
  local number = M.find_device(contents, bip)
  if not number then
    core.usage_error(2, ("f5.undo: the change record %s is not about %s"):format(
      contents.head.id, bip:label()))
  end
  if contents.running then
    core.usage_error(2, ("f5.undo: the run of the change record %s is still going on"):format(
      contents.head.id))
  end
  local result, record = M.take_back(bip, contents, number, options)
  local done, left, lost = json.array {}, json.array {}, json.array {}
  for i, op in ipairs(result.done) do done[i] = words.operation(op) end
  for i, one in ipairs(result.left) do left[i] = words.left(one) end
  for i, one in ipairs(result.lost) do lost[i] = words.lost(one) end
  return {
    complete = result.complete, done = done, left = left, not_reversible = lost, record = record,
  }
end

--- Takes back what a record says about one device, and keeps a record of that.
-- @param options table: check, force, begin, record (of a fleet's undo), recorded (true: the
--   session has a record already)
-- @return f5.safe.result, and the id of the new record (nil if nothing was written)
function M.take_back(bip, contents, number, options)
  local record, detach
  if not options.check and not options.recorded then
    record = options.record or M.undo_record(contents)
    detach = record:attach(bip)
  end
  local ok, result = pcall(undo.device, bip, contents, number, options)
  if detach then detach() end
  local failure = not ok and result or ok and result.failure
  if record and not options.record then M.finish(record, not failure, failure) end
  if not ok then error(result, 0) end
  return result, record and record.id
end

--- The record of an undo, which may be undone as any other.
function M.undo_record(contents)
  return Record.new {
    what = "undo", undo_of = contents.head.id, quiet = true, playbook = contents.head.playbook,
    arguments = contents.head.arguments,
  }
end

return M
