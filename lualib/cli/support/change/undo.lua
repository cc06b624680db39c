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

local function line(...) output(terminal.line(table.concat { ... }), "\n") end

local told = {} -- what is left alone, as `begin` has said, by device

local function changes_of(op)
  if op.op ~= "modify" then return nil end
  return secrets.hide_changes(op.kind, compare.objects(op.kind, op.now or {}, op.body))
end

--- Prints which run is taken back: "last" may be another one than the reader thinks.
function M.title(contents)
  local head = contents.head
  local run = { head.playbook or head.what, table.unpack(head.arguments or {}) }
  line("change record ", head.id, ", ", head.time, ": ",
    head.undo_of and "undo of " .. head.undo_of or table.concat(run, " "))
end

--- Prints what is going to be done, before anything is sent.
function M.begin(name, check, ops, left, lost)
  line(name, ":")
  local colour = host.is_terminal(1) and not os.getenv "NO_COLOR"
  for _, one in ipairs(lost) do line("  cannot be taken back: ", words.lost(one)) end
  told[name] = {}
  for _, one in ipairs(left) do
    told[name][words.left(one)] = true
    line("  left alone: ", words.left(one))
  end
  for _, op in ipairs(ops) do
    local notes = {}
    if op.note then notes[1] = op.note end
    if op.traffic then notes[#notes + 1] = "traffic-affecting" end
    show_text.entry(output, {
      what = WHAT[op.op], name = words.name(op.path), kind = op.kind, notes = notes,
      changes = changes_of(op),
    }, { colour = colour, verbs = check and WOULD or WILL })
  end
  if #ops == 0 then
    local all = #left == 0 and #lost == 0
    line(all and "  everything is as before" or "  there is nothing else to take back")
  end
  output.flush()
end

--- Prints what came of it.
-- @param id string: of the record that is taken back
function M.result(device, check, result, id)
  if result.error then return line(device.name, ": ", tostring(result.error)) end
  if check then return end
  local untried = 0
  for _, one in ipairs(result.left) do
    if one.untried then
      untried = untried + 1
    elseif not (told[device.name] or {})[words.left(one)] then
      line(device.name, ": not as before: ", words.left(one))
    end
  end
  if untried > 0 then
    line(("%s: not as before: %d %s, which %s not tried after this error"):format(device.name,
      untried, untried == 1 and "more object" or "more objects", untried == 1 and "was" or "were"))
  end
  if result.unrecorded then
    line(device.name, ": stopped, because this undo cannot be recorded: ",
      #result.done == 0 and "nothing was taken back"
        or ("%d %s done"):format(#result.done, #result.done == 1 and "operation was"
          or "operations were"),
      ("; make room, then 'f5lua undo %s' does the rest"):format(id))
  end
  if #result.done == 0 then return end
  line(("%s: %s; %s"):format(
    device.name,
    result.complete and "everything is as before"
      or #result.left == 0 and "everything that can be taken back is as before"
      or "not everything is as before",
    result.saved and "the configuration is saved"
      or "the configuration is not saved (--save saves it)"
  ))
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
