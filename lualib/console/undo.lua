--- `.undo on`: keeps a change record of what is typed; `.undo` takes it back.

local core = require "f5.core"
local files = require "f5.safe.files"
local Record = require "f5.safe.record"
local recorders = require "f5.safe.recorders"
local safe = require "f5.safe"
local words = require "f5.safe.words"

local M = {}

local function begin(console)
  local session = console.device.session
  local record = Record.new { what = "console" }
  record:attach(session)
  console.undo = { record = record, session = session }
end

function M.on(console)
  if console.undo then return console.output:note "a change record is kept already" end
  if not console.device then
    return console.output:problem "error: there is no device; .connect HOST logs in to one"
  end
  if recorders.is_simulated(console.device.session) then
    return console.output:note "in check mode nothing is written, so there is nothing to undo"
  end
  begin(console)
  console.output:note(("what is written to %s can be taken back from here on: .undo"):format(
    console.device.name))
end

--- Ends the record without a word: the console ends.
function M.drop(console)
  local of = console.undo
  if not of then return nil end
  console.undo = nil
  of.record:finish "done"
  return of
end

function M.off(console)
  local of = M.drop(console)
  if not of then return console.output:note "no change record is kept" end
  console.output:note(of.record.id
    and ("the change record is %s: f5lua undo %s"):format(of.record.id, of.record.id)
    or "nothing was written")
end

--- Takes back what was typed since `.undo on`.
function M.run(console)
  local of = console.undo
  if not of then
    return console.output:note "no change record is kept; .undo on begins to keep one"
  end
  M.drop(console)
  if not of.record.id then
    begin(console)
    return console.output:note "nothing was written"
  end
  local contents = files.read(of.record.path)
  local result, id = safe.take_back(of.session, contents, of.record.devices[of.session], {})
  begin(console)
  for _, op in ipairs(result.done) do console.output:note(core.mask(words.operation(op))) end
  for _, one in ipairs(result.left) do
    console.output:problem("error: not as before: " .. words.left(one))
  end
  for _, one in ipairs(result.lost) do
    console.output:problem("error: cannot be taken back: " .. words.lost(one))
  end
  if #result.done == 0 and result.complete then console.output:note "everything is as before" end
  if id then console.output:note(("the undo has the change record %s"):format(id)) end
end

return M
