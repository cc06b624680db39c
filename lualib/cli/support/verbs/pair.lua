-- f5lua certificates install and rotate: a certificate with its key on a device.
local certificate = require "f5.jobs.certificate"
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

-- The full path of a name.
-- @param beside string|nil: the full path of an object in the same folder; default: that of Common
local function full(name, beside)
  if name:sub(1, 1) == "/" then return name end
  return (beside or "/Common/"):match "^.*/" .. name
end

-- "/Common/www.crt" -> "/Common/www.key", "/Common/www-chain.crt"
local function key_of(cert) return (cert:gsub("%.crt$", "")) .. ".key" end
local function chain_of(cert) return (cert:gsub("%.crt$", "")) .. "-chain.crt" end

-- The keys and chains that profiles use together with a certificate.
-- @return two sets of full paths
local function companions(bip, cert)
  local keys, chains = {}, {}
  local function note(entry)
    if entry.cert ~= cert then return end
    for set, name in pairs { [keys] = entry.key, [chains] = entry.chain } do
      if type(name) == "string" and name:find "^/" then set[name] = true end
    end
  end
  for _, kind in ipairs { "client-ssl", "server-ssl" } do
    local select = { "cert", "key", "chain", "certKeyChain" }
    for profile in bip.ltm.profile[kind]:each { select = select } do
      note(profile)
      local list = profile.certKeyChain
      for _, entry in ipairs(type(list) == "table" and list or {}) do note(entry) end
    end
  end
  return keys, chains
end

-- Deletes the old certificate and its keys. A device refuses that while something else uses them.
-- @param keys array of full paths
local function delete_old(bip, cert, keys)
  local files, there = bip.sys.file, {}
  local function look(ref) if ref:exists() then there[#there + 1] = ref end end
  look(files["ssl-cert"][cert])
  for _, key in ipairs(keys) do look(files["ssl-key"][key]) end
  if #there == 0 then return false end
  bip:transaction(function(tx)
    for _, ref in ipairs(there) do tx(ref):delete() end
  end)
  return true
end

-- Deletes the chain of the old pair, unless something else uses it. Returns "absent", "deleted" or
-- "kept".
local function delete_chain(bip, cert)
  local chain = bip.sys.file["ssl-cert"][chain_of(cert)]
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

-- What of the old pair --delete-old deletes: array of its keys, and the chains that stay, because
-- other certificates may have them, too.
local function parts_of(bip, cert)
  local keys, chains = companions(bip, cert)
  keys[key_of(cert)], chains[chain_of(cert)] = true, nil
  local names, kept = {}, {}
  for name in pairs(keys) do names[#names + 1] = name end
  for name in pairs(chains) do kept[#kept + 1] = name end
  table.sort(names)
  table.sort(kept)
  return names, kept
end

local function without(names, name)
  local out = {}
  for _, one in ipairs(names) do if one ~= name then out[#out + 1] = one end end
  return out
end

--- Installs a pair under a new name, and moves the profiles of the old one.
-- @param old string: the name of the old certificate
-- @param options table: delete_old
function M.rotate(bip, old, given, options)
  local old_cert = certificate.named(bip, full(old))
  local new_cert = full((given.name:gsub("%.crt$", "")), old_cert) .. ".crt"
  given.name = new_cert
  if old_cert == new_cert then
    fail("the new pair needs another name than %s; to replace it in place, use install", old_cert)
  end
  check_old(bip, old_cert, new_cert)
  local keys, chains
  if options.delete_old then keys, chains = parts_of(bip, old_cert) end
  given.replaces = old_cert
  local what, done = bip:install_certificate(given)
  local shown = row(what, done)
  shown.old, shown.old_result = old_cert, "kept"
  if not options.delete_old then return shown end
  local ok, deleted = pcall(delete_old, bip, old_cert, without(keys, done.key))
  if not ok then
    if type(deleted) == "table" and deleted.kind == "cancelled" then error(deleted, 0) end
    fail(
      "the new pair %s is in use, but the old one %s could not be deleted: %s", new_cert,
      old_cert, tostring(type(deleted) == "table" and deleted.message or deleted)
    )
  end
  shown.old_result = deleted and "deleted" or "absent"
  local chain = delete_chain(bip, old_cert)
  if chain == "kept" then
    shown.left = chain_of(old_cert)
  elseif chains[1] then
    shown.left = table.concat(chains, ", ")
  end
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
  if shown.left then text = text .. ("kept %s, which others may use\n"):format(shown.left) end
  return text
end

return M
