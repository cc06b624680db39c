-- f5lua confirm: keeps a change that was applied with --confirm.
local confirm = require "f5.confirm"
local device_options = require "cli.support.device"
local hints = require "cli.support.hints"
local json = require "f5.json"
local output = require "cli.support.output"
local shown_json = require "cli.support.shown_json"
local terminal = require "f5.terminal"
local usage = require "cli.support.usage"

local M = { summary = "keep a change that was applied with --confirm", logs = true }

local PROGRAM <const> = "f5lua confirm"

function M.setup(parser)
  parser:argument("id", "the change (default: the one that waits)"):argname("ID"):args "?"
  parser
    :option("-H --host", "the device (default: F5_SERVER)")
    :argname "HOST[:PORT]"
  parser:flag("--list", "only list the changes that wait, and those that the device took back")
  parser:flag("--take-back", "let the device take the change back now"):target "take_back"
  parser:flag("--forget", "remove what is left of a change; it is neither kept nor taken back")
  parser:flag("--save", "save the configuration afterwards")
  parser:option("--output", "with --list: text (default) or json")
    :argname "FORMAT"
    :choices { "text", "json" }
  device_options.add_options(parser)
  parser:epilog(
    "Exit status: 0 the change is kept (or taken back, with --take-back), 3 it is too late, or\n"
      .. "no change waits, or the device or the network failed."
  )
end

local line <const> = output.line

local FIRST <const> = { "id", "state", "due", "about", "detail" }

local function list(session, format)
  local found = confirm.list(session)
  if format == "json" then
    return output(shown_json(json.array(found), { sort = true, first = FIRST, indent = 2 }), "\n")
  end
  if #found == 0 then return line "no change waits for a confirmation" end
  for _, one in ipairs(found) do
    local words = { one.id, one.state }
    if one.state == "pending" and one.due then words[2] = "waits until " .. one.due end
    if one.detail then words[#words + 1] = one.detail end
    if one.about then words[#words + 1] = ("(%s)"):format(one.about) end
    line(terminal.line(table.concat(words, "  ")))
  end
end

local function take_back(session, options)
  local one = confirm.take_back(session, options.id)
  line(terminal.line(("the change %s: %s%s"):format(
    one.id, one.state, one.detail and ", " .. one.detail or "")))
  return one.state == "taken back" and 0 or 1
end

function M.run(options)
  hints.for_command()
  local given = 0
  for _, name in ipairs { "list", "take_back", "forget" } do
    if options[name] then given = given + 1 end
  end
  if given > 1 then usage("give one of --list, --take-back and --forget", PROGRAM) end
  if options.forget and not options.id then usage("--forget needs the id of a change", PROGRAM) end
  if options.save and given > 0 then usage("--save goes with a confirmation", PROGRAM) end
  if options.output and not options.list then usage("--output needs --list", PROGRAM) end
  local session <close> = device_options.connect(options, PROGRAM)
  if options.list then return list(session, options.output) end
  if options.take_back then return take_back(session, options) end
  if options.forget then
    local one = confirm.forget(session, options.id)
    line("removed what was left of the change ", terminal.line(one.id))
    return
  end
  local one = confirm.confirm(session, options.id, { user = options.user or os.getenv "F5_USER" })
  line("the change ", terminal.line(one.id), " is confirmed: the device keeps it")
  if options.save or one.save then
    session.sys.config:run "save"
    line "the configuration is saved"
  else
    line "the configuration is not saved: a restart loses the change (f5lua confirm --save)"
  end
end

return M
