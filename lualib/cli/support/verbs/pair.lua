-- f5lua certificates install and rotate: a certificate with its key on a device.
local core = require "f5.core"
local fail = require "f5.fail"
local pem = require "f5.jobs.pem"
local usage = require "cli.support.usage"

local M = {}

--- Reads the options of install and rotate, and checks the files before a device is called.
-- @return options of bip:install_certificate
function M.options(options, program)
  if not options.cert then usage("no certificate given: --cert FILE", program) end
  if not options.name then usage("no name given: --name NAME", program) end
  local passphrase
  if options.passphrase_env then
    passphrase = os.getenv(options.passphrase_env)
    if not passphrase then usage(options.passphrase_env .. " is not set", program) end
  end
  for _, name in ipairs { "cert", "key", "chain" } do
    local path = options[name]
    local file <close>, why = io.open(path or "/dev/null", "rb")
    if not file then usage("cannot read " .. why, program) end
  end
  local given = {
    cert = options.cert, key = options.key, chain = options.chain, name = options.name,
    passphrase = passphrase, force = options.force or nil,
  }
  local copy = { kind = "client-ssl" }
  for key, value in pairs(given) do copy[key] = value end
  pem.pair(copy) -- raises if they do not fit
  given.profile = options.ssl_profile[1] and options.ssl_profile or nil
  given.create_profile = options.create_profile or nil
  if options.server_ssl then given.kind = "server-ssl" end
  return given
end

-- What a table shows of an installation.
local function row(result, done)
  local profiles = {}
  for _, step in ipairs(done.steps) do
    if step.kind:find "^ltm/profile/" and step.what ~= "unchanged" then
      profiles[#profiles + 1] = step.name
    end
  end
  return {
    result = result, name = done.cert, key = done.key, chain = done.chain, subject = done.subject,
    expires = os.date("!%Y-%m-%d", done.ends), ends = done.ends, fingerprint = done.fingerprint,
    profiles = require("f5.json").array(profiles), steps = done.steps,
  }
end

-- "unchanged" is about everything that was to be done.
local function result_of(what, done)
  if what ~= "unchanged" then return what end
  return done and "changed" or what
end

function M.install(bip, given)
  local what, done = bip:install_certificate(given)
  return row(what, done)
end

-- The full path of a certificate, and that of the key with the same name.
-- @param beside string|nil: the full path of an object in the same folder; default: that of Common
local function full(name, beside)
  name = name:gsub("%.crt$", "")
  if name:sub(1, 1) ~= "/" then name = (beside or "/Common/"):match "^.*/" .. name end
  return name .. ".crt", name .. ".key"
end

local function absent(tx, ref)
  if not ref:exists() then return false end
  tx(ref):delete()
  return true
end

-- Deletes the old pair. A device refuses that while something else uses it.
local function delete_old(bip, cert, key)
  local deleted = false
  local files = bip.sys.file
  local certs, keys = files["ssl-cert"], files["ssl-key"]
  if not (certs[cert]:exists() or keys[key]:exists()) then return false end
  bip:transaction(function(tx)
    deleted = absent(tx, certs[cert])
    deleted = absent(tx, keys[key]) or deleted
  end)
  return deleted
end

-- Deletes the chain of the old pair, unless something else uses it. Returns "absent", "deleted" or
-- "kept".
local function delete_chain(bip, cert)
  local chain = bip.sys.file["ssl-cert"][cert:gsub("%.crt$", "-chain.crt")]
  if not chain:exists() then return "absent" end
  local ok, err = pcall(chain.delete, chain)
  if ok then return "deleted" end
  -- only the device knows what else uses it
  if type(err) == "table" and err.status and err.kind ~= "cancelled" then return "kept" end
  error(err, 0)
end

-- Whether rotate has something to do: the old certificate is there, or the new one is already.
local function check_old(bip, old, new)
  local certs = bip.sys.file["ssl-cert"]
  if certs[old]:exists() or certs[new]:exists() then return end
  error(core.error_new {
    kind = "not_found", device = bip:label(), method = "GET",
    path = tostring(certs[old]), message = ("there is no certificate %s"):format(old),
  }, 0)
end

--- Installs a pair under a new name, and moves the profiles of the old one.
-- @param old string: the name of the old certificate
-- @param options table: delete_old
function M.rotate(bip, old, given, options)
  local old_cert, old_key = full(old)
  local new_cert = full(given.name, old_cert)
  given.name = new_cert
  if old_cert == new_cert then
    fail("the new pair needs another name than %s; to replace it in place, use install", old_cert)
  end
  check_old(bip, old_cert, new_cert)
  given.replaces = old_cert
  local what, done = bip:install_certificate(given)
  local shown = row(what, done)
  shown.old, shown.old_result = old_cert, "kept"
  if not options.delete_old then return shown end
  local ok, deleted = pcall(delete_old, bip, old_cert, old_key)
  if not ok then
    if type(deleted) == "table" and deleted.kind == "cancelled" then error(deleted, 0) end
    fail(
      "the new pair %s is in use, but the old one %s could not be deleted: %s", new_cert,
      old_cert, tostring(type(deleted) == "table" and deleted.message or deleted)
    )
  end
  shown.old_result = deleted and "deleted" or "absent"
  local chain = delete_chain(bip, old_cert)
  if chain == "kept" then shown.left = old_cert:gsub("%.crt$", "-chain.crt") end
  shown.result = result_of(what, deleted or chain == "deleted")
  return shown
end

--- A row for people.
function M.text(shown)
  local count <const> = #shown.profiles
  local text = ("%s %s (%s, expires %s); %s\n"):format(
    shown.result, shown.name, shown.subject, shown.expires,
    count == 0 and "no profile changed" or count == 1 and "1 profile changed"
      or count .. " profiles changed"
  )
  for _, name in ipairs(shown.profiles) do text = text .. "  " .. name .. "\n" end
  if shown.old then text = text .. ("%s %s\n"):format(shown.old_result, shown.old) end
  if shown.left then text = text .. ("kept %s, which something else uses\n"):format(shown.left) end
  return text
end

return M
