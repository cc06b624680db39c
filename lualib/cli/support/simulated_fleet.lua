-- `f5lua sim --fleet`: the options for a simulated fleet.
local number = require "cli.support.number"
local usage = require "cli.support.usage"

local M = {}

local PROGRAM <const> = "f5lua sim"

function M.add_options(parser)
  parser
    :option("--fleet", "simulate N devices, at 127.0.0.1, 127.0.0.2 …")
    :argname "N"
    :convert(number.whole("--fleet"))
  parser:option("--failing", "share of the fleet that has lost mcpd: 3%"):argname "P%":default "0%"
  parser
    :option("--slow", "share of the fleet that takes two seconds for an answer")
    :argname "P%"
    :default "0%"
  parser
    :option(
      "--restarting",
      "share of the fleet that restarts for 20 seconds when first asked"
    )
    :argname "P%"
    :default "0%"
  parser
    :option("--inventory", "write an inventory of the fleet for f5lua run --inventory")
    :argname "FILE.lua"
end

--- Converts a share such as "3%" to a number from 0 to 1; nil for 0.
function M.share(options, name)
  local text = options[name]
  local percent = tonumber(text:match "^(%d+%.?%d*)%%?$")
  if not percent or percent > 100 then
    usage(("--%s must be a share such as 3%%, not '%s'"):format(name, text), PROGRAM)
  end
  if percent > 0 and not options.fleet then
    usage(("--%s needs --fleet"):format(name), PROGRAM)
  end
  return percent > 0 and percent / 100 or nil
end

--- Returns an inventory of the fleet, as the text of a Lua file. It has users, but no passwords.
function M.inventory(device, options)
  local lines = {
    "-- A simulated fleet, written by f5lua sim --fleet.",
    "-- The password is the name of the user, unless --user gave another one.",
    "return {",
    ('  defaults = { port = %d, ca = %q, username = %q, password_env = "F5_PASSWORD" },'):format(
      device.port,
      options.ca_file or device.ca,
      device.users[1].name
    ),
    "  devices = {",
  }
  for n = 1, options.fleet do
    lines[#lines + 1] = ("    { name = \"bigip%d\", host = %q },"):format(n, device:member(n).host)
  end
  lines[#lines + 1] = "  },\n}\n"
  return table.concat(lines, "\n")
end

local MAX_FLEET <const> = 65535

--- Refuses options that do not work together.
function M.check(options)
  local fleet = options.fleet
  if not fleet then
    if options.inventory then usage("--inventory needs --fleet", PROGRAM) end
    return
  end
  if fleet < 1 or fleet > MAX_FLEET then
    usage(("--fleet must be a number from 1 to %d"):format(MAX_FLEET), PROGRAM)
  end
  if options.bind ~= "127.0.0.1" then
    usage("--bind does not work with --fleet: a fleet is at 127.0.0.1, 127.0.0.2 …", PROGRAM)
  end
  if options.save or options.cert then
    usage("--save and --cert do not work with --fleet", PROGRAM)
  end
end

return M
