-- f5lua changes: lists the change records, and shows one.
local files = require "f5.safe.files"
local json = require "f5.json"
local output = require "cli.support.output"
local shown_json = require "cli.support.shown_json"
local show = require "f5.table.show"
local show_record = require "cli.support.change.record"
local terminal = require "f5.terminal"
local usage = require "cli.support.usage"
local writing = require "cli.support.rows.write"

local M = { summary = "list the change records, show or delete one" }

local PROGRAM <const> = "f5lua changes"

function M.setup(parser)
  parser:argument("action", "show, or delete"):args "?"
  parser:argument("records", "ids of records, the beginning of one, 'last', or a file"):args "*"
  parser:option("--output", "text (default) or json"):argname "FORMAT":choices { "text", "json" }
  parser:epilog(
    "'f5lua changes' lists the records, the newest last. 'f5lua changes show ID' shows what a run\n"
      .. "wrote. 'f5lua undo ID' takes it back. 'f5lua changes delete ID …' forgets it.\n"
      .. "The records are in $XDG_STATE_HOME/f5lua/changes, by default in ~/.local/state."
  )
end

local FIRST <const> = { "id", "time", "state", "what" }

local function list(format)
  local rows, all, problems = json.array {}, files.all()
  for _, why in ipairs(problems) do terminal.err("f5lua: ", terminal.line(why), "\n") end
  for i, contents in ipairs(all) do rows[i] = files.summary(contents) end
  if format == "json" then
    return output(shown_json(show.masked(rows), { sort = true, first = FIRST, indent = 2 }), "\n")
  end
  if #rows == 0 then return output "there are no change records\n" end
  for i, row in ipairs(rows) do
    local words = { row.playbook or row.what, table.unpack(row.arguments or {}) }
    rows[i] = {
      id = row.id, state = row.state, writes = row.writes,
      devices = #row.devices > 3 and #row.devices .. " devices" or table.concat(row.devices, ", "),
      run = row.undo_of and "undo of " .. row.undo_of or table.concat(words, " "),
    }
  end
  writing.table(rows, { "id", "state", "writes", "devices", "run" })
end

local actions = {}

function actions.show(contents, options)
  if options.output == "json" then return show_record.json(contents) end
  show_record.text(contents)
end

function actions.delete(contents)
  if contents.running then
    usage(("the run of the change record %s is still going on"):format(contents.head.id), PROGRAM)
  end
  assert(os.remove(contents.path))
end

function M.run(options)
  local action = options.action
  if action == nil then return list(options.output) end
  if not actions[action] then
    usage(("unknown action '%s'; there are show and delete"):format(action), PROGRAM)
  end
  local names, found = options.records, {}
  if #names == 0 then usage(action .. " needs the id of a record", PROGRAM) end
  show_record.or_usage(PROGRAM, function()
    for i, name in ipairs(names) do found[i] = files.read(files.find(name)) end
  end)
  for _, contents in ipairs(found) do actions[action](contents, options) end
end

return M
