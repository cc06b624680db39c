-- f5lua diff: compares two devices, snapshots or saved configurations.
local output = require "cli.support.output"
local place = require "cli.support.change.place"
local read = require "f5.state.read"
local show = require "f5.state.show"
local terminal = require "f5.terminal"
local usage = require "cli.support.usage"

local M = { summary = "compare two devices, snapshots or saved configurations", logs = true }

local PROGRAM <const> = "f5lua diff"
local EQUAL <const>, DIFFERENT <const>, FAILED <const> = 0, 1, 3

function M.setup(parser)
  parser:argument("a", "HOST[:PORT], a name of the inventory, or a file")
  parser:argument("b", "the same")
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

local function paths_of(words)
  local paths = {}
  for i, word in ipairs(words) do
    paths[i] = read.path(word)
      or usage(("'%s' is not a path below /mgmt/tm"):format(word), PROGRAM)
  end
  return #paths > 0 and paths or nil
end

-- A file, or an open session.
local function side(word, options, inventory, secrets)
  if place.is_file(word) and not place.find(inventory, word) then return word end
  return place.connect(word, options, inventory, PROGRAM, secrets)
end

local function compare(options)
  local inventory, secrets = place.inventory(options), {}
  local paths = paths_of(options.paths)
  local a = side(options.a, options, inventory, secrets)
  local _a <close> = type(a) == "userdata" and a or nil
  local b = side(options.b, options, inventory, secrets)
  local _b <close> = type(b) == "userdata" and b or nil
  return require("f5.state.diff").diff(
    a, b, { paths = paths, partition = options.partition, ignore = options.ignore }
  )
end

-- Any failure but wrong usage is status 3: 1 says that the two differ.
local function status_of(err)
  if type(err) == "table" and (err.usage or err.kind == "cancelled") then return nil end
  return FAILED
end

function M.run(options)
  local ok, report = xpcall(compare, function(err)
    return type(err) == "table" and err or debug.traceback(tostring(err), 2)
  end, options)
  if not ok then
    local status = status_of(report)
    if not status then error(report, 0) end
    local is_error = type(report) == "table" and getmetatable(report) ~= nil and report.kind
    local text = is_error
        and require "cli.support.report"(report, {}, require("f5.host").is_terminal(2), false)
      or "f5lua: " .. terminal.text(tostring(report)) .. "\n"
    terminal.err(text)
    return status
  end
  local colour = options.output == "text" and require("f5.host").is_terminal(1)
    and (os.getenv "NO_COLOR" or "") == ""
  show.write(report, options.output, output, { colour = colour })
  output.flush()
  if #report.differences > 0 then return DIFFERENT end
  if report.incomplete then
    terminal.err "f5lua: what could be read is equal, but not all could be read\n"
    return FAILED
  end
  return EQUAL
end

return M
