-- f5lua sim: starts a simulated BIG-IP for any client.
local contents = require "cli.support.contents"
local core = require "f5.core"
local json = require "f5.json"
local number = require "cli.support.number"
local output = require "cli.support.output"
local own_file = require "f5.work.own_file"
local seed = require "cli.support.seed"
local terminal = require "f5.terminal"
local fleet = require "cli.support.simulated_fleet"
local twin = require "cli.support.twin"
local usage = require "cli.support.usage"

local M = { summary = "simulate a BIG-IP for any HTTPS client", ends_by_signal = true }

local PROGRAM <const> = "f5lua sim"
local ROLES <const> = {
  "admin",
  "resource-admin",
  "manager",
  "operator",
  "guest",
  "auditor",
  "application-editor",
  "certificate-manager",
  "irule-manager",
  "firewall-manager",
  "user-manager",
  "web-application-security-administrator",
  "web-application-security-editor",
  "fraud-protection-manager",
  "acceleration-policy-editor",
  "no-access",
}

function M.setup(parser)
  parser
    :option("--port", "port to listen on; 0: a free one")
    :argname "PORT"
    :default "8443"
    :convert(number.whole("--port", "a number from 0 to 65535"))
  parser:option("--bind", "address to listen on"):argname "ADDRESS":default "127.0.0.1"
  parser
    :option("--management", "where other simulated devices reach this one (default: --bind)")
    :argname "ADDRESS[:PORT]"
  parser:option("--hostname", "name of the device"):argname "NAME"
  parser
    :option(
      "-u --user",
      "a user instead of admin and operator; may be repeated; with --twin: the user on the device"
    )
    :argname "NAME:PASSWORD:ROLE"
    :count "*"
  parser
    :option("--provision", "modules (default: those of the seed, otherwise ltm)")
    :argname "MODULE,…"
  parser
    :option("--seed", "start with a seed, a state or a saved configuration; may be repeated")
    :argname "FILE"
    :count "*"
  parser
    :option("--extensions", "extensions of iControl LX that are installed, such as as3=3.50.2")
    :argname "NAME[=VERSION],…"
  parser:option("--save", "write the state to this file at the end"):argname "FILE.json"
  parser
    :option("--latency", "milliseconds that every answer takes")
    :argname "MS"
    :default "0"
    :convert(number.whole("--latency", "milliseconds"))
  parser:option("--origin", "an origin that CORS allows; may be repeated"):argname "URL":count "*"
  parser
    :option("--providers", "external authentication providers in FILE.json")
    :argname "FILE.json"
  parser
    :option("--contrary", "behave otherwise than clients hope: a number, which chooses ways, or "
      .. "names of ways")
    :argname "SEED|WAY,…"
  parser:option("--log", "append one line for each call"):argname "FILE"
  fleet.add_options(parser)
  twin.add_options(parser)
  parser
    :option("--ca-file", "write the certificate that clients should trust to this file")
    :argname "FILE.pem"
  parser:option("--cert", "use this certificate instead of a new one"):argname "FILE.pem"
  parser:option("--key", "its private key"):argname "FILE.pem"
  parser:epilog(
    "The default users are admin/admin (role admin) and operator/operator (role operator). "
      .. "Ctrl-C ends it. A first request:\n"
      .. "  curl -k -u admin:admin https://127.0.0.1:8443/mgmt/tm/ltm"
  )
end

local function parse_user(text)
  local name, password, role = text:match "^([^:]+):(.+):([^:]+)$"
  if not name then usage(("--user must be NAME:PASSWORD:ROLE, not '%s'"):format(text), PROGRAM) end
  if role == "administrator" then role = "admin" end
  for _, known in ipairs(ROLES) do
    if known == role then return { name = name, password = password, role = role } end
  end
  usage(("unknown role '%s'; the roles are %s"):format(role, table.concat(ROLES, " ")), PROGRAM)
end

local function read(path)
  local text, reason = contents(path)
  return text or usage("cannot read " .. reason, PROGRAM)
end

-- For everybody to read.
local function write_public(path, text)
  local file, message = io.open(path, "wb")
  if not file then error("cannot write " .. message, 0) end
  local written, reason = file:write(text)
  if written then
    written, reason = file:close()
  else
    file:close()
  end
  if not written then error(("cannot write %s: %s"):format(path, reason), 0) end
end

-- Replaces a file at once and completely. Only its owner can read it.
local function write(path, text)
  if path:find "^/dev/" then return write_public(path, text) end
  local done, why = core.write_file(path, text)
  if not done then error("cannot write " .. why, 0) end
end

-- The first bytes of what an earlier run has written, and the word for it.
local WRITTEN <const> = {
  save = { "{", "state of a simulated device" },
  inventory = { "-- A simulated fleet", "inventory of a simulated fleet" },
  ca_file = { "-----BEGIN CERTIFICATE-----", "certificate" },
}

-- Refuses what can not be written at the end, and files that hold something else.
local function check_files(options)
  for name, known in pairs(WRITTEN) do
    local path = options[name]
    local why = path and not path:find "^/dev/" and own_file.refusal(
      path, known[2], function(start) return start == known[1] end, #known[1]
    )
    if why then usage("cannot write " .. why, PROGRAM) end
  end
  local log, why = io.open(options.log or "/dev/null", "a")
  if not log then usage("cannot write " .. why, PROGRAM) end
  log:close()
end

-- { { name, type, users = { { name, password, role } } }, … }
local function read_providers(path)
  local list = seed.read(path, PROGRAM)
  local function refuse(reason) usage(("%s: %s"):format(path, reason), PROGRAM) end
  if type(list) ~= "table" or #list == 0 then refuse "expected an array of providers" end
  for index, provider in ipairs(list) do
    if type(provider) ~= "table" or type(provider.name) ~= "string" then
      refuse(("provider %d has no name"):format(index))
    end
    if provider.type ~= nil and type(provider.type) ~= "string" then
      refuse(("the type of provider %d is not a string"):format(index))
    end
    local users = provider.users or {}
    if type(users) ~= "table" then
      refuse(("the users of provider %d are not an array"):format(index))
    end
    for _, user in ipairs(users) do
      local known = type(user) == "table" and user or {}
      if type(known.name) ~= "string" or type(known.password) ~= "string" then
        refuse(("a user of provider %d lacks a name or a password"):format(index))
      end
    end
  end
  return list
end

-- Warns if other machines can log in with passwords that everybody knows.
local function warn_about_passwords(bind, users)
  if not bind or bind:find "^127%." or bind == "::1" or bind == "localhost" then return end
  local open = {}
  for _, user in ipairs(users) do
    if user.name == user.password then open[#open + 1] = user.name .. "/" .. user.password end
  end
  if #open == 0 then return end
  terminal.err(
    ("%s: warning: other machines can log in at %s with %s; set passwords with --user\n"):format(
      PROGRAM,
      bind,
      table.concat(open, ", ")
    )
  )
end

-- Whether a text is "ADDRESS", "ADDRESS:PORT" or "[ADDRESS]:PORT".
local function is_place(text)
  local host, port = text:match "^%[([%x:.]+)%]:?(%d*)$"
  if not host then host, port = text:match "^([%d.]+):?(%d*)$" end
  if not host and text:find "^[%x:.]+$" then host, port = text, "" end
  return host ~= nil and (port == "" or tonumber(port) >= 1 and tonumber(port) <= 65535)
end

-- Starts the device; unknown ways of --contrary are wrong usage.
local function start(given)
  local ok, device = pcall(require("f5.sim").start, given)
  if ok then return device end
  local unknown = tostring(device):match "contrary: (unknown way '.*')"
  if unknown then usage("--contrary: " .. unknown, PROGRAM) end
  error(device, 0)
end

function M.run(options)
  twin.check(options)
  fleet.check(options)
  if not options.port or options.port < 0 or options.port > 65535 then
    usage("--port must be a number from 0 to 65535", PROGRAM)
  end
  if options.management and (options.fleet or not is_place(options.management)) then
    usage(
      options.fleet and "--management does not work with --fleet"
        or ("--management must be ADDRESS or ADDRESS:PORT, not '%s'"):format(options.management),
      PROGRAM
    )
  end
  if not options.latency or options.latency < 0 then
    usage("--latency must be milliseconds, 0 or more", PROGRAM)
  end
  check_files(options)
  local users
  for _, text in ipairs(options.twin and {} or options.user) do
    users = users or {}
    users[#users + 1] = parse_user(text)
  end
  local real = options.twin and twin.prepare(options)
  local device <close> = start {
    twin = real and real.twin,
    twins = real and real.twins,
    source = real and true or nil,
    fleet = options.fleet or real and real.fleet,
    failing = fleet.share(options, "failing"),
    slow = fleet.share(options, "slow"),
    restarting = fleet.share(options, "restarting"),
    bind = not options.fleet and not (real and real.fleet)
      and (options.bind:match "^%[(.*)%]$" or options.bind) or nil,
    port = options.port,
    hostname = options.hostname,
    management = options.management,
    cert = options.cert,
    key = options.key,
    users = users,
    provision = seed.modules(options, PROGRAM),
    extensions = seed.extensions(options, PROGRAM),
    seed = seed.read_all(options.seed, PROGRAM),
    latency_ms = options.latency,
    origins = #options.origin > 0 and options.origin or nil,
    providers = options.providers and read_providers(options.providers) or nil,
    log = options.log,
    contrary = options.contrary,
  }
  if not options.fleet and not real then
    warn_about_passwords(options.bind:match "^%[(.*)%]$" or options.bind, device.users)
  end
  if not options.fleet and not real then
    seed.report_refused(device)
    seed.report_remarks(device)
  end
  if options.ca_file then write_public(options.ca_file, read(device.ca)) end
  -- Runs however the program ends, before the device stops.
  local _saver <close> = setmetatable({}, {
    __close = function()
      if options.save then
        write(options.save, json.encode(device:state(), { sort = true, indent = 1 }) .. "\n")
      end
    end,
  })
  if options.inventory then write(options.inventory, fleet.inventory(device, options)) end
  if real then return real:serve(device, options) end
  local what = options.fleet
      and ("%d simulated BIG-IPs from %s to %s"):format(
        options.fleet,
        device.url,
        device:member(options.fleet).url
      )
    or "simulated BIG-IP at " .. device.url
  output(("%s, CA certificate in %s\n"):format(what, options.ca_file or device.ca))
  if options.contrary and not options.fleet then
    output("contrary: ", table.concat(device:control "contrary", " "), "\n")
  end
  output.flush()
  device:wait()
  return 0
end

return M
