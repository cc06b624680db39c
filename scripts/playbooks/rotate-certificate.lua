#!/usr/bin/env f5lua
-- Replaces a certificate and its key in one transaction, so that no profile ever has one without
-- the other.
--
--   f5lua rotate-certificate.lua /Common/www.example.net --cert www.crt --key www.key
--
-- It checks the files before it sends them: it refuses a pair that does not belong together and,
-- without --force, a certificate that is not valid now. The objects are NAME.crt and NAME.key; they
-- are created if they do not exist. The device and the user come from the environment (F5_SERVER,
-- F5_USER, F5_PASSWORD); the playbook asks for what is missing. The user must be an administrator:
-- the playbook removes the uploaded files at the end.

local argparse = require "argparse"
local f5 = require "f5"

local parser =
  argparse("rotate-certificate.lua", "Replace a certificate and its key in one transaction.")
parser:argument(
  "name",
  "full path of certificate and key without .crt and .key, or their name in Common"
)
parser:option("-c --cert", "file of the new certificate, PEM"):argname("FILE"):count(1)
parser:option("-k --key", "file of its key, PEM"):argname("FILE"):count(1)
parser
  :option("-p --passphrase-env", "environment variable with the passphrase of the key")
  :argname "NAME"
parser:flag("-n --dry-run", "check the files and the device, and change nothing")
parser:flag("--force", "accept a certificate that is not valid now")
parser:flag("--no-save", "do not save the configuration at the end")
parser:epilog(
  "Exit status: 0 both are replaced, 1 a file is wrong, 3 the device failed or refused: "
    .. "then both are the old ones."
)
local args = parser:parse()

-- Mistakes in the files are found before anything is sent anywhere.
local function read(file, wanted)
  local handle, message = io.open(file, "rb")
  if not handle then f5.fail("cannot read %s", message) end
  local text = handle:read "a"
  handle:close()
  if not (text or ""):find("-----BEGIN [%u ]*" .. wanted .. "-----\r?\n") then
    f5.fail("%s contains no PEM block '%s'", file, wanted)
  end
  return text
end

read(args.cert, "CERTIFICATE")
local is_encrypted <const> = read(args.key, "PRIVATE KEY"):find "ENCRYPTED" ~= nil
local passphrase = args.passphrase_env and os.getenv(args.passphrase_env)
if args.passphrase_env and not passphrase then f5.fail("%s is not set", args.passphrase_env) end
if is_encrypted and not passphrase then
  f5.fail("%s is encrypted: name the variable with its passphrase with --passphrase-env", args.key)
end
local new_certificate <const>, why_not =
  f5.certificate(args.cert, { key = args.key, passphrase = passphrase })
if not new_certificate then f5.fail("%s", why_not) end

local function day(time) return os.date("!%Y-%m-%d %H:%M:%S UTC", time) end

local now <const>, starts <const>, ends <const> =
  os.time(), new_certificate.starts, new_certificate.ends
local invalid <const> = ends < now and "has expired on " .. day(ends)
  or starts > now and "is not valid before " .. day(starts)
if invalid and not args.force then
  f5.fail("%s %s; --force overrides this", args.cert, invalid)
end
if invalid then io.stderr:write(("warning: %s %s\n"):format(args.cert, invalid)) end

local bip <close> = f5.connect {}
local base <const> = args.name:find "^/" and args.name or "/Common/" .. args.name
local cert, key = bip.sys.file["ssl-cert"][base .. ".crt"], bip.sys.file["ssl-key"][base .. ".key"]

local function describe(certificate)
  return ("%s, valid until %s"):format(
    certificate.subject or "no subject",
    certificate.expirationString or "an unknown time"
  )
end

local old <const> = cert:exists() and cert:load()
local has_key <const> = key:exists()
print(("%s: %s"):format(base, old and describe(old) or "new on the device"))
if old and not has_key then f5.fail("%s.crt is there, but not its key", base) end

-- Which profiles will use the new pair.
local users = {}
for _, kind in ipairs { "client-ssl", "server-ssl" } do
  for profile in bip.ltm.profile[kind]:each { select = { "fullPath", "cert", "certKeyChain" } } do
    local uses = profile.cert == base .. ".crt"
    for _, chain in ipairs(profile.certKeyChain or {}) do
      uses = uses or chain.cert == base .. ".crt"
    end
    if uses then users[#users + 1] = profile.fullPath end
  end
end
if #users > 0 then print("used by " .. table.concat(users, ", ")) end
if args.dry_run then return print "nothing was changed" end

-- Uploads what differs, replaces it in one transaction, and removes the uploads.
local what <const> = bip:install_certificate {
  name = base, cert = args.cert, key = args.key, passphrase = passphrase,
  force = args.force or nil,
}

local new <const> = cert:load()
print(("now: %s"):format(describe(new)))
if what == "unchanged" then print "the device had this pair already" end
if not args.no_save then
  bip.sys.config:run "save"
  print "saved"
end
