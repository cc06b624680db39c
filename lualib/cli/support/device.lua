-- The device of a subcommand: its options, and the session.
local f5 = require "f5"
local number = require "cli.support.number"
local profiles = require "f5.trust.profiles"
local usage = require "cli.support.usage"

local M = {}

-- The password is never an option: every user of the machine can read a command line.
-- @param without_timeout boolean|nil: the subcommand has a --timeout of its own
function M.add_options(parser, without_timeout)
  parser
    :option(
      "-u --user",
      "the user (default: F5_USER, else a prompt); the password comes from F5_PASSWORD or a prompt"
    )
    :argname "NAME"
  parser:option("--provider", "the login provider of the user"):argname "NAME"
  parser:option("-p --profile", "a device that f5lua profile has stored"):argname "NAME"
  parser:option("--ca", "certificates that may sign the device's, PEM"):argname "FILE"
  parser:flag("--no-verify", "do not verify the device's certificate")
  if not without_timeout then
    parser
      :option("--timeout", "seconds for one call")
      :argname "SECONDS"
      :convert(number.any("--timeout", "seconds"))
  end
  parser:option("--ver", "version of the API"):argname "VERSION"
end

-- profile:NAME in place of a host names a profile.
local function with_profile(given, program)
  local name <const> = profiles.of_word(given.host)
  if not name then return given end
  if given.profile then
    usage(("the device is given twice: as %s and by --profile"):format(given.host), program)
  end
  given.host, given.profile = nil, name
  return given
end

--- Converts options of the command line to options of f5.connect.
-- @param host string|false|nil: the device, false: none; nil: that of --host
-- @param program string|nil: for messages
function M.options(options, host, program)
  if host == nil then host = options.host end
  local given = {
    host = host or nil,
    profile = options.profile,
    username = options.user,
    provider = options.provider,
    ca = options.ca,
    timeout = options.timeout,
    ver = options.ver,
  }
  if options.no_verify then given.verify = false end
  return with_profile(given, program)
end

function M.is_known(options)
  if options.host or options.profile then return true end
  return (os.getenv "F5_SERVER" or "") ~= "" or (os.getenv "F5LUA_PROFILE" or "") ~= ""
end

--- Logs in. Without a device it is wrong usage.
function M.connect(options, program)
  if not M.is_known(options) then
    usage("no device given; use --host HOST or -p PROFILE, or set F5_SERVER", program)
  end
  return f5.connect(M.options(options, nil, program))
end

return M
