-- f5lua changes: lists the change records, and shows one.
local files = require "f5.safe.files"
local host = require "f5.host"
local json = require "f5.json"
local output = require "cli.support.output"
local shown_json = require "cli.support.shown_json"
local show = require "console.show"
local show_record = require "cli.support.change.record"
local usage = require "cli.support.usage"

local M = { summary = "list the change records, and show one" }

local PROGRAM <const> = "f5lua changes"

function M.setup(parser)
  parser:argument("action", "show"):args "?"
  parser:argument("record", "id of a record, the beginning of one, 'last', or a file"):args "?"
  parser:option("--output", "text (default) or json"):argname "FORMAT":choices { "text", "json" }
  parser:epilog(
    "'f5lua changes' lists the records, the newest last. 'f5lua changes show ID' shows what a run\n"
      .. "wrote. 'f5lua undo ID' takes it back.\n"
      .. "The records are in $XDG_STATE_HOME/f5lua/changes, by default in ~/.local/state."
  )
end

local FIRST <const> = { "id", "time", "state", "what" }

local function list(format)
  local rows = json.array {}
  for i, contents in ipairs(files.all()) do rows[i] = files.summary(contents) end
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
  output(show.table(rows, {
    width = host.columns(), paint = show.painter(host.is_terminal(1) and not os.getenv "NO_COLOR"),
    columns = { "id", "state", "writes", "devices", "run" },
  }), "\n")
end

function M.run(options)
  local action, name = options.action, options.record
  if action == nil then return list(options.output) end
  if action ~= "show" then
    usage(("unknown action '%s': the only one is show"):format(action), PROGRAM)
  end
  if not name then usage("show needs the id of a record", PROGRAM) end
  local contents = show_record.or_usage(PROGRAM, function() return files.read(files.find(name)) end)
  if options.output == "json" then return show_record.json(contents) end
  show_record.text(contents)
end

return M
