-- What `f5lua undo` prints.
local compare = require "f5.state.compare"
local host = require "f5.host"
local json = require "f5.json"
local output = require "cli.support.output"
local shown_json = require "cli.support.shown_json"
local secrets = require "f5.safe.secrets"
local show = require "f5.table.show"
local show_text = require "f5.state.show_text"
local terminal = require "f5.terminal"
local words = require "f5.safe.words"

local M = {}

local WHAT <const> = { create = "added", modify = "changed", delete = "removed",
  policy = "changed", declare = "changed" }
local WOULD <const> = { added = "would be created again", removed = "would be deleted",
  changed = "would be changed back" }
local WILL <const> = { added = "create again", removed = "delete", changed = "change back" }

local function put(out, ...) out(terminal.line(table.concat { ... }), "\n") end

local function line(...) put(output, ...) end

local told = {} -- what is left alone, as `begin` has said, by device

local function changes_of(op)
  if op.op ~= "modify" then return nil end
  return secrets.hide_changes(op.kind, compare.objects(op.kind, op.now or {}, op.body))
end

-- "20261128-181432-01, 2026-11-28T18:14:32Z: pool.lua"
local function title(contents)
  local head = contents.head
  local run = { head.playbook or head.what, table.unpack(head.arguments or {}) }
  return ("%s, %s: %s"):format(head.id, head.time,
    head.undo_of and "undo of " .. head.undo_of or table.concat(run, " "))
end

--- Prints which run is taken back: "last" may be another one than the reader thinks.
function M.title(contents) line("change record ", title(contents)) end

--- Prints that a run wrote nothing. No older run is taken back instead: the user has to name it.
-- @param before f5.safe.contents|nil: the newest record of a run that did write
function M.nothing(contents, before)
  line("change record ", title(contents))
  line("nothing to take back: the run wrote nothing")
  if before then
    line("the last run that wrote something is ", title(before))
    line(("'f5lua undo %s' takes it back"):format(before.head.id))
  end
end

--- Prints what is going to be done, before anything is sent.
-- @param out function|nil: gets the text, without the name of the device; default: standard output
function M.begin(name, check, ops, left, lost, out)
  local to_terminal <const> = not out
  out = out or output
  if to_terminal then line(name, ":") end
  local colour = host.is_terminal(1) and not os.getenv "NO_COLOR"
  for _, one in ipairs(lost) do put(out, "  cannot be taken back: ", words.lost(one)) end
  told[name] = {}
  for _, one in ipairs(left) do
    told[name][words.left(one)] = true
    put(out, "  left alone: ", words.left(one))
  end
  for _, op in ipairs(ops) do
    local notes = {}
    if op.note then notes[1] = op.note end
    if op.traffic then notes[#notes + 1] = "traffic-affecting" end
    show_text.entry(out, {
      what = WHAT[op.op], name = words.name(op.path), kind = op.kind, notes = notes,
      changes = changes_of(op),
    }, { colour = colour, verbs = check and WOULD or WILL })
  end
  if #ops == 0 then
    local all = #left == 0 and #lost == 0
    put(out, all and "  everything is as before" or "  there is nothing else to take back")
  end
  if to_terminal then output.flush() end
end

--- Prints what came of it.
-- @param id string: of the record that is taken back
-- @param out function|nil: as of M.begin
function M.result(device, check, result, id, out)
  local function say(...)
    if out then return put(out, "  ", ...) end
    line(device.name, ": ", ...)
  end
  if result.error then return say(tostring(result.error)) end
  if check then return end
  local untried = 0
  for _, one in ipairs(result.left) do
    if one.untried then
      untried = untried + 1
    elseif not (told[device.name] or {})[words.left(one)] then
      say("not as before: ", words.left(one))
    end
  end
  if untried > 0 then
    say(("not as before: %d %s, which %s not tried after this error"):format(
      untried, untried == 1 and "more object" or "more objects", untried == 1 and "was" or "were"
    ))
  end
  if result.unrecorded then
    say("stopped, because this undo cannot be recorded: ",
      #result.done == 0 and "nothing was taken back"
        or ("%d %s done"):format(#result.done, #result.done == 1 and "operation was"
          or "operations were"),
      ("; make room, then 'f5lua undo %s' does the rest"):format(id))
  end
  if #result.done == 0 then return end
  say(("%s; %s"):format(
    result.complete and "everything is as before"
      or #result.left == 0 and "everything that can be taken back is as before"
      or "not everything is as before",
    result.saved and "the configuration is saved"
      or "the configuration is not saved (--save saves it)"
  ))
end

-- What the last line calls a device, in the order of that line.
local function outcome(one, check)
  local result <const> = one.result
  if result.error then return "failed" end
  if check and #result.done > 0 then return "to change back" end
  return result.complete and "as before" or "not as before"
end

--- Prints how many devices had which result.
function M.counts(results, check)
  local counts, parts = {}, {}
  for _, one in ipairs(results) do
    local name <const> = outcome(one, check)
    counts[name] = (counts[name] or 0) + 1
  end
  for _, name in ipairs { "to change back", "as before", "not as before", "failed" } do
    if counts[name] then parts[#parts + 1] = ("%d %s"):format(counts[name], name) end
  end
  line(("%d devices: "):format(#results), table.concat(parts, ", "))
end

local function plain(list, fn)
  local out = json.array {}
  for i, one in ipairs(list) do out[i] = fn(one) end
  return out
end

--- Prints the results of all devices as one JSON object.
function M.json(contents, results, record)
  local devices = plain(results, function(one)
    local result = one.result
    return {
      name = one.device.name, error = result.error and tostring(result.error) or nil,
       address = one.device.address, complete = result.complete,
      saved = result.saved,
      operations = plain(result.done, function(op)
        return {
          operation = op.op, path = op.path, kind = op.kind, line = op.line,
          body = op.body and secrets.hidden(op.kind, op.body),
          note = op.note, traffic_affecting = op.traffic,
        }
      end),
      left = plain(result.left, function(left)
        return { path = left.path, kind = left.kind, line = left.line, reason = left.reason }
      end),
      not_reversible = plain(result.lost, function(lost)
        return {
          method = lost.step.method, path = lost.step.path, line = lost.step.line,
          reason = lost.reason,
        }
      end),
    }
  end)
  local whole = { undo_of = contents.head.id, record = record and record.id, devices = devices }
  output(shown_json(show.masked(whole), { sort = true, indent = 2 }), "\n")
end

return M
