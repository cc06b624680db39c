-- f5lua diff: compares two devices, snapshots or saved configurations.
local hints = require "cli.support.hints"
local live = require "f5.live"
local output = require "cli.support.output"
local place = require "cli.support.change.place"
local show = require "f5.state.show"
local terminal = require "f5.terminal"
local usage = require "cli.support.usage"

local M = { summary = "compare two devices, snapshots or saved configurations", logs = true }

local PROGRAM <const> = "f5lua diff"
local EQUAL <const>, DIFFERENT <const>, FAILED <const> = 0, 1, 3

function M.setup(parser)
  parser
    :argument("a", "HOST[:PORT], profile:NAME, a name of the inventory, or a file")
    :argname "A"
  parser
    :argument("b", "what A is compared with: also a device or a file")
    :argname "B"
  parser:argument("paths", "compare only what is below these paths: ltm/pool"):args "*"
  parser
    :option("--output", "text (default), json or html")
    :argname "FORMAT"
    :choices { "text", "json", "html" }
    :default "text"
  parser
    :option("--ignore", "leave out properties (description) or objects (sys/db/*); * and ?")
    :argname "PATTERN"
    :count "*"
  parser:option("--partition", "only objects of this partition"):argname "NAME"
  place.add_options(parser)
  parser:epilog(
    "A word that contains '/' or ends in .json, .conf or .scf is a file: a snapshot, a seed, or a\n"
      .. "saved configuration of a device. A PATTERN with '/' names objects, and behind ':' their\n"
      .. "properties: 'ltm/virtual/*:description'.\n"
      .. "Exit status: 0 equal, 1 different, 2 wrong usage, 3 something could not be read."
  )
end

-- Whether there is a file of this name.
local function is_there(name)
  local file <close> = io.open(name, "rb")
  return file ~= nil and select(2, file:read(0)) == nil -- not a directory
end

-- A file, or an open session.
local function side(word, options, inventory, secrets)
  if not place.find(inventory, word) then
    if place.is_file(word) then return word end
    if is_there(word) then
      usage(
        ("'%s' can be a file or a device; write ./%s or %s:443"):format(word, word, word), PROGRAM
      )
    end
  end
  return place.connect(word, options, inventory, PROGRAM, secrets)
end

local function compare(options)
  local inventory, secrets = place.inventory(options), {}
  local paths = place.paths(options.paths, PROGRAM)
  local a = side(options.a, options, inventory, secrets)
  local _a <close> = type(a) == "userdata" and a or nil
  local b = side(options.b, options, inventory, secrets)
  local _b <close> = type(b) == "userdata" and b or nil
  local line <close> = live { quiet = true }
  return require("f5.state.diff").diff(a, b, {
    paths = paths, partition = options.partition, ignore = options.ignore,
    progress = place.progress(line),
  })
end

function M.run(options)
  hints.for_command()
  local report = place.attempt(compare, options)
  if not report then return FAILED end
  local colour = options.output == "text" and require("f5.host").is_terminal(1)
    and (os.getenv "NO_COLOR" or "") == ""
  show.write(report, options.output, output, { colour = colour })
  output.flush()
  if #report.differences > 0 then return DIFFERENT end
  if report.incomplete then
    terminal.err(
      report.equal > 0 and "f5lua: what could be compared is equal, but not all could be\n"
        or "f5lua: nothing could be compared\n"
    )
    return FAILED
  end
  return EQUAL
end

return M
