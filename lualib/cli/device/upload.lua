-- f5lua upload: sends a file to devices.
local frame = require "cli.support.verbs.frame"
local places = require "cli.support.verbs.places"
local spool = require "cli.support.verbs.spool"
local transfer = require "f5.work.transfer"
local usage = require "cli.support.usage"

local M = { summary = "send a file to a device, or to many", logs = true }

local PROGRAM <const> = "f5lua upload"

function M.setup(parser)
  parser:argument("file", "the file, or - for standard input"):argname "FILE"
  parser
    :argument("target", "where it goes on the device: NAME, PLACE/ or PLACE/NAME")
    :argname("TARGET")
    :args "?"
  parser
    :option("--sha256", "fail if the file that was sent has another digest")
    :argname "DIGEST"
  frame.add_options(parser, { writes = true, text = true })
  parser:epilog(places.epilog "to")
end

local function text(row)
  return ("uploaded %s (%s) to %s\n"):format(row.file, transfer.amount(row.size), row.target)
end

-- Where the file goes: the place and the name.
local function target(options)
  local own <const> = options.file ~= "-" and options.file:match "[^/]*$" or ""
  local word <const> = options.target or own
  local place, name = places.find("to", word)
  if not place then usage(name, PROGRAM) end
  if name == "" then name = own end
  if name == "" then
    usage("standard input needs a name on the device: f5lua upload - PLACE/NAME", PROGRAM)
  end
  return place, name
end

local function check_digest(digest)
  if digest and (#digest ~= 64 or digest:find "%X") then
    usage("--sha256 must be 64 hexadecimal digits", PROGRAM)
  end
end

-- Ends with wrong usage if the file cannot be read, before a device is called.
local function check_readable(file)
  local opened <close>, why = io.open(file, "rb")
  if not opened then usage("cannot read " .. why, PROGRAM) end
  local _, problem = opened:read(0)
  if problem then usage(("cannot read %s: %s"):format(file, problem), PROGRAM) end
  return opened:seek "end"
end

function M.run(options)
  local place <const>, name <const> = target(options)
  check_digest(options.sha256)
  local file <close> = spool.input(options.file, PROGRAM)
  local size <const> = check_readable(file.path)
  return frame.run(options, {
    program = PROGRAM,
    writes = true,
    style = { text = text, columns = { "file", "target", "size", "sha256" } },
    identity = { options.file, place, name, tostring(size) },
    work = function(bip)
      local sent = bip:upload(file.path, {
        to = place, name = name, sha256 = options.sha256 or true,
      })
      return { {
        file = options.file, target = sent.path or place .. "/" .. name, size = sent.size,
        sha256 = sent.sha256,
      } }
    end,
    result = function(rows) return rows[1].target end,
  })
end

return M
