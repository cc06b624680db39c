-- Shows a change record.
local compare = require "f5.state.compare"
local files = require "f5.safe.files"
local host = require "f5.host"
local json = require "f5.json"
local net_module = require "f5.safe.net"
local output = require "cli.support.output"
local shown_json = require "cli.support.shown_json"
local secrets = require "f5.safe.secrets"
local show = require "f5.table.show"
local show_text = require "f5.state.show_text"
local terminal = require "f5.terminal"
local usage = require "cli.support.usage"
local words = require "f5.safe.words"

local M = {}

local STEP <const> = {
  "step", "device", "time", "method", "path", "body", "line", "transaction", "what", "object",
  "kind", "before", "side", "reason", "left_out", "state", "answer", "message", "unsent",
}

--- Prints a record as one JSON object.
function M.json(contents)
  local steps, summary = json.array {}, files.summary(contents)
  for i, step in ipairs(contents.steps) do
    local one = {}
    for _, name in ipairs(STEP) do
      local value = step[name]
      one[name] = type(value) == "table" and secrets.hidden(step.kind or "", value) or value
    end
    one.state = step.state or "unknown"
    steps[i] = one
  end
  summary.devices, summary.steps = contents.devices, steps
  local options = { sort = true, first = { "id", "time", "step" }, indent = 2 }
  output(shown_json(show.masked(summary), options), "\n")
end

--- Calls fn(...). An error of kind "usage", such as that of a record that does not exist, is one of
--- the command line.
function M.or_usage(program, fn, ...)
  local results = table.pack(pcall(fn, ...))
  if results[1] then return table.unpack(results, 2, results.n) end
  local err = results[2]
  if type(err) == "table" and err.kind == "usage" then usage(err.message, program) end
  return error(err, 0)
end

-- -- text -----------------------------------------------------------------------------------------

local function what_of(rec)
  if not rec.existed then return rec.after ~= false and "added" or nil end
  return rec.after == false and "removed" or "changed"
end

local VERBS <const> = { added = "created", removed = "deleted", changed = "changed" }

local function changes_of(rec)
  local old, new = {}, {}
  for name, change in pairs(rec.changed) do
    old[name], new[name] = change.old, change.ours[#change.ours]
  end
  local out = compare.objects(rec.kind, old, new)
  for _, sub in pairs(rec.subs) do
    for _, one in ipairs(compare.objects(rec.kind, { [sub.key] = sub.before },
      { [sub.key] = sub.last }))
    do
      out[#out + 1] = one
    end
  end
  return secrets.hide_changes(rec.kind, out)
end

local function put_object(rec, colour)
  local what = what_of(rec)
  if not what or rec.side and rec.after == nil then return end
  local notes = { rec.line }
  if rec.unknown then notes[#notes + 1] = "it is not known whether the device did it" end
  show_text.entry(output, {
    what = what, name = words.name(rec.path), kind = rec.kind, notes = notes,
    changes = what == "changed" and changes_of(rec) or nil,
  }, { colour = colour, verbs = VERBS })
end

local function line(...) output(terminal.line(table.concat { ... }), "\n") end

--- Prints a record for people: object by object.
function M.text(contents)
  local head, summary = contents.head, files.summary(contents)
  local colour = host.is_terminal(1) and not os.getenv "NO_COLOR"
  line("change record ", head.id, ", ", head.time, ", ", summary.state)
  if head.undo_of then line("undo of ", head.undo_of) end
  if head.playbook then
    line("playbook ", table.concat({ head.playbook, table.unpack(head.arguments or {}) }, " "))
  end
  if contents.ended and contents.ended.message then line("ended by: ", contents.ended.message) end
  for number, device in ipairs(contents.devices) do
    local net, lost = net_module.of(contents, number)
    output "\n"
    line(device.name, " (", device.address, device.user and ", user " .. device.user or "", ")")
    for _, rec in ipairs(net.list) do put_object(rec, colour) end
    for _, one in ipairs(lost) do line("  cannot be taken back: ", words.lost(one)) end
    for _, step in ipairs(contents.steps) do
      if step.unsent and step.device == number then line("  not sent: ", words.write(step)) end
    end
  end
end

return M
