-- f5lua certificates: lists, installs and rotates certificates of devices.
local certificates = require "cli.support.verbs.certificates"
local frame = require "cli.support.verbs.frame"
local pair = require "cli.support.verbs.pair"
local time = require "cli.support.verbs.time"
local usage = require "cli.support.usage"

local M = { summary = "list certificates with their ends, install and rotate them", logs = true }

local PROGRAM <const> = "f5lua certificates"
local EXPIRING <const> = 4 -- the exit status of --exit-code, as of run --check

function M.setup(parser)
  parser:usage(
    "Usage: f5lua certificates [list] [--expiring TIME [--exit-code]] [OPTION…]\n"
      .. "       f5lua certificates install --name NAME --cert FILE [--key FILE] [--chain FILE]\n"
      .. "                 [--ssl-profile NAME]… [OPTION…]\n"
      .. "       f5lua certificates rotate OLD --name NEW --cert FILE [--key FILE] [--chain FILE]\n"
      .. "                 [--delete-old] [OPTION…]"
  )
  parser
    :argument("action", "list (default), install or rotate")
    :args("?")
    :choices { "list", "install", "rotate" }
  parser:argument("old", "rotate: the certificate whose profiles move to the new one"):args "?"
  parser
    :option("--expiring", "only those that have ended or end within this time: 30d, 12h")
    :argname("TIME")
    :convert(time.span "--expiring")
  parser:flag("--exit-code", "with --expiring: exit with 4 if there are any"):target "exit_code"
  parser:option("--name", "name of the new pair, without .crt and .key"):argname "NAME"
  parser:option("--cert", "the certificate, PEM; further ones in it are its chain"):argname "FILE"
  parser:option("--key", "its key, PEM (default: it is in the certificate's file)"):argname "FILE"
  parser:option("--chain", "certificates between it and the root, PEM"):argname "FILE"
  parser
    :option("--passphrase-env", "a variable that holds the passphrase of the key")
    :argname "NAME"
  parser
    :option("--ssl-profile", "install: a profile that uses the pair from now on; may be repeated")
    :argname("NAME")
    :count("*")
    :target "ssl_profile"
  parser:flag("--server-ssl", "the profiles are server-ssl profiles"):target "server_ssl"
  parser
    :flag("--create-profile", "make profiles that do not exist")
    :target "create_profile"
  parser
    :flag("--delete-old", "rotate: delete the old pair, if nothing else uses it")
    :target "delete_old"
  frame.add_options(parser, {
    writes = true, text = true, own_force = true, condition = "days < 30",
  })
  parser:flag(
    "--force", "accept a certificate that is not valid now, or the journal of another run"
  )
  parser:epilog(
    "install and rotate check the files before a device is called, change everything in one\n"
      .. "transaction, and send nothing if the device has it already. Names without a partition\n"
      .. "are those of Common. The configuration is not saved: f5lua call sys/config save."
  )
end

local COLUMNS <const> = { "name", "expires", "days", "subject", "profiles" }
local NAMES <const> = {
  "name", "expires", "days", "subject", "profiles", "issuer", "ends", "names", "serial",
  "fingerprint", "bundle", "key_type", "key_size",
}

-- What a table shows: the common name, and names in Common without their partition.
local function shown(row)
  local cell = {}
  for key, value in pairs(row) do cell[key] = value end
  cell.name = row.name:gsub("^/Common/", "")
  cell.subject = tostring(row.subject or ""):match "CN=([^,]+)" or row.subject
  local names = {}
  for i, name in ipairs(row.profiles) do names[i] = name:gsub("^/Common/", "") end
  cell.profiles = table.concat(names, ", ")
  return cell
end

local function list(options)
  if options.exit_code and not options.expiring then
    usage("--exit-code needs --expiring", PROGRAM)
  end
  local function status(rows) return options.exit_code and #rows > 0 and EXPIRING or 0 end
  return frame.run(options, {
    program = PROGRAM,
    style = { columns = COLUMNS, names = NAMES, shown = shown, empty = "no certificates" },
    work = function(bip) return certificates.list(bip, options.expiring) end,
    order = certificates.order,
    result = function(rows) return #rows end,
    status = status,
    in_fleet = status,
  })
end

-- What belongs to which action.
local OF_LIST <const> = { "expiring", "exit_code" }
local OF_PAIR <const> = {
  "name", "cert", "key", "chain", "passphrase_env", "server_ssl", "create_profile", "force",
  "undoable", "check", "journal",
}

local function refuse(options, names, action)
  for _, name in ipairs(names) do
    if options[name] then
      usage(("%s has no --%s"):format(action, (name:gsub("_", "-"))), PROGRAM)
    end
  end
end

local function check_words(options, action)
  if action == "list" then
    refuse(options, OF_PAIR, action)
    refuse(options, { "delete_old" }, action)
    if options.ssl_profile[1] then usage("list has no --ssl-profile", PROGRAM) end
  else
    refuse(options, OF_LIST, action)
    if action == "install" then refuse(options, { "delete_old" }, action) end
  end
  if action == "rotate" then
    if not options.old then usage("no old certificate given: rotate OLD", PROGRAM) end
    refuse(options, { "server_ssl", "create_profile" }, action)
    if options.ssl_profile[1] then
      usage("rotate moves all profiles: leave out --ssl-profile", PROGRAM)
    end
  elseif options.old then
    usage(("%s takes no further word, but '%s' is there"):format(action, options.old), PROGRAM)
  end
end

local function write(options, action)
  local given <const> = pair.options(options, PROGRAM)
  local identity = { action, options.old or "" }
  for _, name in ipairs { "name", "cert", "key", "chain" } do
    identity[#identity + 1] = options[name] or ""
  end
  return frame.run(options, {
    program = PROGRAM,
    writes = true,
    own_force = true,
    style = {
      text = pair.text,
      columns = { "result", "name", "expires", "subject", "profiles", "old", "old_result" },
    },
    identity = identity,
    work = function(bip)
      if action == "install" then return { pair.install(bip, given) } end
      return { pair.rotate(bip, options.old, given, options) }
    end,
    result = function(rows) return rows[1].result end,
  })
end

function M.run(options)
  local action <const> = options.action or "list"
  check_words(options, action)
  if action == "list" then return list(options) end
  return write(options, action)
end

return M
