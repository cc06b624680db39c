-- f5lua snapshot: writes the configuration of a device to a file.
local hints = require "cli.support.hints"
local live = require "f5.live"
local output = require "cli.support.output"
local place = require "cli.support.change.place"
local terminal = require "f5.terminal"
local usage = require "cli.support.usage"

local M = { summary = "write the configuration of a device to a file", logs = true }

local PROGRAM <const> = "f5lua snapshot"
local COMPLETE <const>, INCOMPLETE <const>, NOT_WRITTEN <const> = 0, 1, 3 -- exit statuses
local MAX_SHOWN <const> = 20 -- paths that could not be read

function M.setup(parser)
  parser:argument(
    "words", "HOST[:PORT], profile:NAME or a name of the inventory, then paths such as ltm/pool"
  )
    :args "*"
  parser:option("-o --output", "the file, which only you can read; -: standard output")
    :argname "FILE"
  parser:option("--partition", "only objects of this partition"):argname "NAME"
  place.add_options(parser)
  parser:epilog(
    "Without a HOST the device is F5_SERVER. A first word with a '/' is a path. Secrets are never\n"
      .. "written. The file is a seed: 'f5lua sim --seed FILE' simulates the device.\n"
      .. "Exit status: 0 all was read, 1 the file lacks what could not be read, 3 no file was "
      .. "written."
  )
end

-- Whether the first word is a path, not a device.
local function is_path(word, inventory)
  if place.find(inventory, word) then return false end
  if word:find "^https?://" then return false end
  if word:find "/" then return true end
  return (os.getenv "F5_SERVER" or "") ~= "" and not word:find "[.:]"
end

local function report(written)
  local left = written.left_out
  local say = written.file and output or terminal.err
  say(
    ("%s: %d object%s"):format(
      terminal.line(written.file or "standard output"), written.objects,
      written.objects == 1 and "" or "s"
    )
  )
  local secrets = 0
  for _, properties in pairs(left.secrets) do secrets = secrets + #properties end
  if secrets > 0 then
    say((", %d secret%s left out"):format(secrets, secrets == 1 and "" or "s"))
  end
  say "\n"
  for _, one in ipairs(left.excluded) do
    if one.configuration then
      terminal.err(("%s: not read: %s\n"):format(terminal.line(one.path), one.reason))
    end
  end
  for _, path in ipairs(left.unsteady) do
    terminal.err(
      ("%s: objects came or went while it was read\n"):format(terminal.line(path))
    )
  end
  for i, one in ipairs(left.unread) do
    if i > MAX_SHOWN then
      terminal.err(("  … and %d more\n"):format(#left.unread - MAX_SHOWN))
      break
    end
    terminal.err(
      ("%s: could not be read: %s\n"):format(terminal.line(one.path), terminal.line(one.reason))
    )
  end
end

local function take(options, host, paths, inventory)
  collectgarbage("incremental", 400) -- most of what an answer leaves is garbage; memory is small
  local bip <close> = place.connect(host, options, inventory, PROGRAM)
  local line <close> = live { quiet = true }
  local wanted = { paths = paths, partition = options.partition, progress = place.progress(line) }
  if options.output == "-" then
    local written = require("f5.state.snapshot").stream(bip, output, wanted)
    output.flush()
    return written
  end
  wanted.file = options.output
  return bip:snapshot(wanted)
end

function M.run(options)
  hints.for_command()
  if not options.output then usage("give the file: -o FILE", PROGRAM) end
  local words = options.words
  local inventory = place.inventory(options)
  local host
  if words[1] and not is_path(words[1], inventory) then host = table.remove(words, 1) end
  local written = place.attempt(take, options, host, place.paths(words, PROGRAM), inventory)
  if not written then return NOT_WRITTEN end
  report(written)
  return written.complete and COMPLETE or INCOMPLETE
end

return M
