-- f5lua profile: how to reach devices, under names for -p.
local contents = require "cli.support.contents"
local hints = require "cli.support.hints"
local json = require "f5.json"
local number = require "cli.support.number"
local output = require "cli.support.output"
local profiles = require "f5.trust.profiles"
local shown_json = require "cli.support.shown_json"
local terminal = require "f5.terminal"
local usage = require "cli.support.usage"
local writing = require "cli.support.rows.write"

local M = {
  summary = "keep how to reach a device, under a name for -p", logs = true, records = false,
}

local PROGRAM <const> = "f5lua profile"

function M.setup(parser)
  parser
    :argument("action", "what to do")
    :choices { "add", "list", "show", "remove" }
  parser:argument("name", "the profile"):args "?"
  parser:option("-H --host", "the device"):argname "HOST"
  parser:option("--port", "its port"):argname "PORT":convert(number.whole("--port"))
  parser:option("-u --user", "the user"):argname "NAME"
  parser:option("--provider", "the login provider of the user"):argname "NAME"
  parser:option("--ca", "certificates that may sign the device's, PEM"):argname "FILE"
  parser:option("--pin", "the public key that the device must have, instead of a CA"):argname "PIN"
  parser:flag("--no-verify", "do not verify the device's certificate")
  parser:option("--password-env", "a variable that holds the password"):argname "NAME"
  parser
    :option("--password-command", "a command of /bin/sh that prints the password")
    :argname "COMMAND"
  parser:flag("--trust", "show the certificate and ask, as f5lua trust does")
  parser:flag("--force", "replace a profile")
  parser
    :option("-o --output", "text (default), json, or with list names only")
    :argname "FORMAT"
    :choices { "text", "json", "names" }
  parser:epilog(
    "Then 'f5lua list ltm/pool -p NAME', 'f5lua run -p NAME FILE', 'f5lua console -p NAME';\n"
      .. "profile:NAME where a HOST can stand: 'f5lua diff profile:a profile:b';\n"
      .. "f5.connect { profile = \"NAME\" }; { profile = \"NAME\" } as a device of an inventory;\n"
      .. "F5LUA_PROFILE=NAME for everything.\n"
      .. "No password is stored. The profiles are in $XDG_CONFIG_HOME/f5lua/profiles."
  )
end

local FIRST <const> = { "name", "host", "port", "username" }

local function show_json(value)
  output(shown_json(value, { sort = true, first = FIRST, indent = 2 }), "\n")
end

local function record(name)
  local shown = { name = name }
  for key, value in pairs(profiles.get(name)) do shown[key] = value end
  return shown
end

-- How the certificate is checked, and where the password comes from.
local function check_of(one)
  return one.pin and "pin" or one.verify == false and "not verified" or one.ca and "CA file" or nil
end

local function login_of(one)
  return one.password_command and "command" or one.password_env and "$" .. one.password_env or nil
end

local COLUMNS <const> = { "name", "host", "user", "certificate", "login", "problem" }

local function list(format)
  local names <const> = profiles.list()
  if format == "json" then
    local all = json.array {}
    for i, name in ipairs(names) do all[i] = record(name) end
    return show_json(all)
  end
  if format == "names" then
    for _, name in ipairs(names) do output(name, "\n") end
    return
  end
  if #names == 0 then
    return output "no profiles; 'f5lua profile add NAME --host HOST' adds one\n"
  end
  local rows = {}
  for i, name in ipairs(names) do
    local ok, one = pcall(record, name)
    rows[i] = ok and {
      name = name, host = one.host .. (one.port and (":%d"):format(one.port) or ""),
      user = one.username, certificate = check_of(one), login = login_of(one),
    } or { name = name, problem = tostring(one.message or one) }
  end
  writing.table(rows, writing.used(COLUMNS, rows), 2)
end

local function show(name, format)
  local one <const> = record(name)
  if format == "json" then return show_json(one) end
  local keys = {}
  for key in pairs(one) do keys[#keys + 1] = key end
  table.sort(keys)
  for _, key in ipairs(keys) do
    output(("%-17s %s\n"):format(key, terminal.line(tostring(one[key]))))
  end
end

-- "sha256//DIGEST", several with ";" between, or a file with the public key.
local function check_pin(pin)
  if pin:sub(1, 1) == "/" then return end
  for one in (pin .. ";"):gmatch "([^;]*);" do
    if not one:find("^sha256//" .. ("[%w+/]"):rep(43) .. "=$") then
      usage(
        "--pin must be sha256//DIGEST, as 'f5lua trust HOST --show' prints it, or an absolute path",
        PROGRAM
      )
    end
  end
end

-- What f5.connect would refuse only later, far away from here.
local function check_values(options)
  for _, name in ipairs { "user", "provider", "password_command" } do
    if options[name] and not options[name]:find "%S" then
      usage(("--%s is empty"):format((name:gsub("_", "-"))), PROGRAM)
    end
  end
  local variable <const> = options.password_env
  if variable and not variable:find "^[%a_][%w_]*$" then
    usage(("--password-env must be the name of a variable, not '%s'"):format(variable), PROGRAM)
  end
  if options.pin then check_pin(options.pin) end
  if options.ca then
    local text, why = contents(options.ca)
    if not text then usage("cannot read " .. why, PROGRAM) end
  end
end

local function absolute(path)
  if path and path:sub(1, 1) ~= "/" then
    usage("--ca must be an absolute path: the profile is used in every directory", PROGRAM)
  end
  return path
end

local function add(options)
  if not options.host then usage("no device given: --host HOST", PROGRAM) end
  if profiles.exists(options.name) and not options.force then
    usage(
      ("there is a profile '%s' already; --force replaces it"):format(options.name), PROGRAM
    )
  end
  if options.password_env and options.password_command then
    usage("give one of --password-env and --password-command", PROGRAM)
  end
  absolute(options.ca)
  check_values(options)
  if options.port and options.port > 65535 then usage("--port is at most 65535", PROGRAM) end
  local where = options.host
  if options.port then where = ("%s:%d"):format(where, options.port) end
  require("cli.support.device.certificate").address(where, PROGRAM) -- raises if it is none
  if options.trust then
    local status = require("cli.device.trust").run { host = where }
    if status ~= 0 then return status end
  end
  local verify
  if options.pin or options.no_verify then verify = false end
  profiles.put(options.name, {
    host = options.host, port = options.port, username = options.user,
    provider = options.provider, ca = absolute(options.ca), pin = options.pin, verify = verify,
    password_env = options.password_env, password_command = options.password_command,
  })
end

function M.run(options)
  hints.for_command()
  if options.output == "names" and options.action ~= "list" then
    usage("--output names is for list", PROGRAM)
  end
  if options.action == "list" then
    if options.name then usage("list needs no name", PROGRAM) end
    return list(options.output)
  end
  if not options.name then
    usage(("no name given: f5lua profile %s NAME"):format(options.action), PROGRAM)
  end
  local is_name, problem = pcall(profiles.check_name, options.name)
  if not is_name then usage(problem.message, PROGRAM) end
  if options.action == "add" then return add(options) end
  if options.action == "show" then return show(options.name, options.output) end
  if not profiles.remove(options.name) then
    terminal.err(
      ("f5lua: there is no profile '%s'; %s\n"):format(
        terminal.line(options.name), profiles.known_names()
      )
    )
    return 1
  end
end

return M
