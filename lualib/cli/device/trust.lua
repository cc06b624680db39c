-- f5lua trust: stores the certificate of a device that no CA has signed.
local certificate = require "cli.support.device.certificate"
local hints = require "cli.support.hints"
local host = require "f5.host"
local json = require "f5.json"
local number = require "cli.support.number"
local output = require "cli.support.output"
local shown_json = require "cli.support.shown_json"
local store = require "f5.trust.store"
local terminal = require "f5.terminal"
local usage = require "cli.support.usage"
local writing = require "cli.support.rows.write"

local M = {
  summary = "show a device's certificate, and trust it from now on", logs = true, records = false,
}

local PROGRAM <const> = "f5lua trust"

function M.setup(parser)
  parser
    :argument("host", "the device (default: F5_SERVER)")
    :argname("HOST[:PORT]")
    :args "?"
  parser:option("-p --profile", "the device of this profile"):argname "NAME"
  parser:flag("--yes", "do not ask; refuses a certificate that has changed")
  parser
    :option("--fingerprint", "trust this certificate only: its SHA-256 fingerprint")
    :argname "AB:CD:…"
  parser:flag("--show", "only show it")
  parser:flag("--list", "list the trusted certificates")
  parser:flag("--remove", "do not trust the certificate of this device any more")
  parser:option("-o --output", "text (default) or json"):argname "FORMAT":choices { "text", "json" }
  parser
    :option("--timeout", "seconds for the connection")
    :argname "SECONDS"
    :convert(number.any("--timeout", "seconds"))
  parser:epilog(
    "A trusted certificate is accepted for this host and port, whatever CA has signed it; any\n"
      .. "other certificate is refused there. The certificates are in\n"
      .. "$XDG_CONFIG_HOME/f5lua/trust, by default in ~/.config.\n"
      .. "Exit status: 0 trusted (removed, shown), 1 not trusted, 2 wrong usage, 3 no connection."
  )
end

local FIRST <const> = { "address", "subject", "issuer", "names", "starts", "ends" }

local function show_json(value)
  output(shown_json(value, { sort = true, first = FIRST, indent = 2 }), "\n")
end

local COLUMNS <const> = { "address", "subject", "ends", "fingerprint", "problem" }

local function list(format)
  local all <const> = store.list()
  local array = json.array {}
  for i, one in ipairs(all) do array[i] = one.reason and one or certificate.record(one) end
  if format == "json" then return show_json(array) end
  if #all == 0 then
    return output "no certificates are trusted; 'f5lua trust HOST' adds one\n"
  end
  local rows = {}
  for i, one in ipairs(all) do rows[i] = certificate.row(one) end
  writing.table(rows, writing.used(COLUMNS, rows), 2)
end

local function remove(options)
  local address = certificate.address(options.host, PROGRAM)
  if not store.remove(address) then
    terminal.err(
      ("f5lua: no certificate of %s is trusted; 'f5lua trust --list' lists them\n"):format(address)
    )
    return 1
  end
  output("the certificate of ", address, " is not trusted any more\n")
end

-- Whether the user wants it.
local function is_wanted(options)
  if options.yes then return true end
  if not (host.is_terminal(0) and host.is_terminal(2)) then
    usage(
      "there is no terminal to ask on: compare the fingerprint, and give --fingerprint or --yes",
      PROGRAM
    )
  end
  while true do
    terminal.err "Trust this certificate for this device? (yes/no) "
    local answer = io.read "l"
    if not answer or answer:match "^%s*[nN][oO]?%s*$" then return false end
    if answer:match "^%s*[yY][eE][sS]%s*$" then return true end
  end
end

-- "sha256:ab…", "AB:CD:…" and "abcd…" are the same.
local function same(given, fingerprint)
  local function plain(text) return (text:lower():gsub("^sha%-?256[:=]", ""):gsub("[:%s]", "")) end
  return plain(given) == plain(fingerprint)
end

local function check_fingerprint(options)
  local digits = options.fingerprint:lower():gsub("^sha%-?256[:=]", ""):gsub("[:%s]", "")
  if #digits ~= 64 or digits:find "%X" then
    usage("--fingerprint must be that of SHA-256: 64 hexadecimal digits", PROGRAM)
  end
end

local function check_words(options)
  local given = {}
  for _, name in ipairs { "show", "list", "remove" } do
    if options[name] then given[#given + 1] = "--" .. name end
  end
  if #given > 1 then usage("give one of " .. table.concat(given, " and "), PROGRAM) end
  if options.profile then
    if options.host then
      usage(("the device is given twice: as %s and by --profile"):format(options.host), PROGRAM)
    end
    options.host = "profile:" .. options.profile
  end
  if options.list and options.host then usage("--list needs no host", PROGRAM) end
  if options.fingerprint then check_fingerprint(options) end
end

function M.run(options)
  hints.for_command()
  check_words(options)
  if options.list then return list(options.output) end
  if options.remove then return remove(options) end
  local found = certificate.fetch(options, PROGRAM)
  local before, unusable = store.get(found.address)
  local is_known = before ~= nil and before.fingerprint == found.fingerprint
  if options.output == "json" then
    local record = certificate.record(found)
    record.trusted = is_known
    show_json(record)
  else
    output(certificate.text(found, before, unusable))
  end
  output.flush()
  if options.show then return 0 end
  if options.fingerprint and not same(options.fingerprint, found.fingerprint) then
    terminal.err "f5lua: this is not the certificate with the given fingerprint: not trusted\n"
    return 1
  end
  if is_known then return 0 end
  if before and options.yes and not options.fingerprint then
    terminal.err(
      "f5lua: the certificate has changed, and --yes is not enough then: give --fingerprint, "
        .. "or --remove the old one first\n"
    )
    return 1
  end
  if not options.fingerprint and not is_wanted(options) then
    terminal.err "f5lua: not trusted\n"
    return 1
  end
  store.put(found.address, found.pem)
  if options.output ~= "json" then output("trusted for ", found.address, "\n") end
  return 0
end

return M
