-- f5lua download: fetches a file from devices.
local bundle = require "f5.bundle"
local core = require "f5.core"
local fail = require "f5.fail"
local frame = require "cli.support.verbs.frame"
local number = require "cli.support.number"
local places = require "cli.support.verbs.places"
local spool = require "cli.support.verbs.spool"
local transfer = require "f5.work.transfer"
local usage = require "cli.support.usage"

local M = { summary = "fetch a file from a device, or from many", logs = true }

local PROGRAM <const> = "f5lua download"

function M.setup(parser)
  parser
    :argument("remote", "the file on the device: NAME, PLACE/NAME or its path")
    :argname "REMOTE"
  parser
    :argument(
      "file",
      "a file, a directory, or - for standard output (default: the name on the device)"
    )
    :argname("FILE")
    :args "?"
  parser:option("--sha256", "keep no file with another digest"):argname "DIGEST"
  parser
    :option("--size", "bytes of the file, for devices that do not report it")
    :argname("BYTES")
    :convert(number.whole("--size"))
  parser:flag("--force", "replace a file that exists")
  frame.add_options(parser, { text = true })
  parser:epilog(
    places.epilog "from" .. "\n\n"
      .. "With --inventory FILE is a directory: the files are FILE/DEVICE/NAME. It is the current\n"
      .. "directory by default."
  )
end

local function text(row)
  if row.file == "-" then return "" end
  return ("downloaded %s (%s) to %s\n"):format(row.remote, transfer.amount(row.size), row.file)
end

local function remote(options)
  local place, name = places.find("from", options.remote)
  if not place then usage(name, PROGRAM) end
  if name == "" then usage(("%s names no file"):format(options.remote), PROGRAM) end
  return place, name
end

-- The name of a device as that of a directory. Two devices never have the same.
local function directory_of(name)
  local shown = name:gsub("[/%%%c]", function(char) return ("%%%02X"):format(char:byte()) end)
  return (shown:gsub("^%.", "%%2E"))
end

local function join(directory, name)
  return directory:sub(-1) == "/" and directory .. name or directory .. "/" .. name
end

local function exists_message(path)
  return ("%s exists; --force replaces it"):format(path)
end

-- The local file for one device.
local function place_for(file, name)
  if not file or file == "" then return name end
  if bundle.file_type(file) == "directory" or file:sub(-1) == "/" then return join(file, name) end
  return file
end

-- The same in a fleet. Makes the directory.
local function place_in_fleet(file, name, device)
  local directory = directory_of(device.name)
  if file then directory = join(file, directory) end
  local made, why = core.make_directory(directory)
  if not made then fail("cannot make the directory %s", why) end
  return join(directory, name)
end

local function check_words(options)
  if options.sha256 and (#options.sha256 ~= 64 or options.sha256:find "%X") then
    usage("--sha256 must be 64 hexadecimal digits", PROGRAM)
  end
  if not options.inventory then return end
  if options.file == "-" then usage("with --inventory FILE is a directory, not -", PROGRAM) end
  if options.file and bundle.file_type(options.file) == "file" then
    usage(("with --inventory FILE is a directory, but %s is a file"):format(options.file), PROGRAM)
  end
end

local function verb(options, place, name, to)
  return {
    program = PROGRAM,
    style = { text = text, columns = { "remote", "file", "size", "sha256" } },
    work = function(bip, device)
      local path = device and place_in_fleet(options.file, name, device) or to.path
      local replace = to.temporary or options.force or false
      if not replace and core.name_is_taken(path) then fail("%s", exists_message(path)) end
      local got = bip:download(name, path, {
        from = place, size = options.size, sha256 = options.sha256 or true, replace = replace,
      })
      if to.temporary then to.send() end
      return to.temporary and {} or { {
        remote = options.remote, file = path, size = got.size, sha256 = got.sha256,
      } }
    end,
    result = function(rows) return rows[1].file end,
  }
end

function M.run(options)
  local place <const>, name <const> = remote(options)
  check_words(options)
  local file = options.file
  if file ~= "-" and not options.inventory then
    file = place_for(file, name)
    if not options.force and core.name_is_taken(file) then usage(exists_message(file), PROGRAM) end
    local probe <close>, why = core.new_file(file)
    if not probe then usage("cannot write " .. why, PROGRAM) end
  end
  local to <close> = options.inventory and spool.output("", PROGRAM)
    or spool.output(file, PROGRAM)
  return frame.run(options, verb(options, place, name, to))
end

return M
