-- bip:install_certificate{…}: a certificate with its key, its chain and the profiles that use it.
-- All changes are one transaction. What is on the device already is not sent again.

local core = require "f5.core"
local json = require "f5.json"
local pem = require "f5.jobs.pem"
local uploads = require "f5.jobs.uploads"

local M = {}

local OPTIONS <const> = {
  cert = "string", key = "string", chain = "string", passphrase = "string", name = "string",
  partition = "string", profile = "string", kind = "string", create_profile = "boolean",
  force = "boolean", replaces = "string",
}
local KINDS <const> = { ["client-ssl"] = "/Common/clientssl", ["server-ssl"] = "/Common/serverssl" }

-- -- options --------------------------------------------------------------------------------------

local function is_list(value)
  if type(value) ~= "table" then return false end
  for key, item in next, value do
    if math.type(key) ~= "integer" or type(item) ~= "string" then return false end
  end
  return true
end

local function check(options)
  if type(options) ~= "table" then
    core.usage_error(
      ("install_certificate: expected a table of options, got a %s"):format(type(options))
    )
  end
  local out = {}
  for key, value in next, options do
    local wanted = OPTIONS[key]
    if not wanted then
      core.usage_error(("install_certificate: unknown option '%s'"):format(tostring(key)))
    end
    if type(value) ~= wanted and not (key == "profile" and is_list(value)) then
      core.usage_error(
        ("install_certificate: '%s' must be a %s, not a %s"):format(key, wanted, type(value))
      )
    end
    out[key] = value
  end
  for _, key in ipairs { "cert", "name" } do
    if out[key] == nil or out[key] == "" then
      core.usage_error(("install_certificate: option '%s' is missing"):format(key))
    end
  end
  out.kind = out.kind or "client-ssl"
  if not KINDS[out.kind] then
    core.usage_error(
      ("install_certificate: 'kind' must be client-ssl or server-ssl, not '%s'"):format(out.kind)
    )
  end
  return out
end

local function check_name(option, name)
  if name:find "%c" or name:find "/$" or name:find "//" or name == "" then
    core.usage_error(("install_certificate: '%s' is not a name: %q"):format(option, name))
  end
end

-- The full path of a name.
local function full(option, name, partition)
  check_name(option, name)
  if name:sub(1, 1) == "/" then
    if not name:find "^/[^/]+/." then
      core.usage_error(("install_certificate: '%s' is no full path: %s"):format(option, name))
    end
    return name
  end
  return ("/%s/%s"):format(partition, name)
end

-- The profiles, each one once: array of { kind, name (full path) }.
local function profiles_of(options)
  local given, out, seen = options.profile or {}, {}, {}
  for _, name in ipairs(type(given) == "string" and { given } or given) do
    local path = full("profile", name, options.partition or "Common")
    if not seen[path] then
      seen[path], out[#out + 1] = true, { kind = options.kind, name = path }
    end
  end
  return out
end

--- The certificate that a name means: NAME.crt, or NAME itself if only that is on the device.
-- @param path string: full path
function M.named(bip, path)
  if path:find "%.crt$" then return path end
  local certs = bip.sys.file["ssl-cert"]
  local is_plain = not certs[path .. ".crt"]:exists() and certs[path]:exists()
  return is_plain and path or path .. ".crt"
end

-- Adds the profiles that use a certificate. One that inherits its pairs follows its parent.
local function add_users(bip, cert, profiles)
  local seen = {}
  for _, profile in ipairs(profiles) do seen[profile.kind .. " " .. profile.name] = true end
  for _, kind in ipairs { "client-ssl", "server-ssl" } do
    for object in bip.ltm.profile[kind]:each() do
      local uses = object.cert == cert and kind == "server-ssl"
      local list = object.inheritCertkeychain ~= "true" and object.certKeyChain
      for _, entry in ipairs(type(list) == "table" and list or {}) do
        uses = uses or entry.cert == cert
      end
      if uses and not seen[kind .. " " .. object.fullPath] then
        profiles[#profiles + 1] = { kind = kind, name = object.fullPath }
      end
    end
  end
end

-- -- what differs ---------------------------------------------------------------------------------

local function load(ref)
  local ok, object = pcall(ref.load, ref)
  if ok then return object end
  if type(object) == "table" and object.kind == "not_found" then return nil end
  return error(object, 0)
end

local function fingerprint(text) return (tostring(text):gsub("^SHA256/", "")) end

-- The certificate, the key and the chain as file objects: `object` on the device, `text` to send.
local function files_of(bip, base, pair)
  local certs, keys = bip.sys.file["ssl-cert"], bip.sys.file["ssl-key"]
  local files = {
    { what = "key", kind = "sys/file/ssl-key", name = base .. ".key", ref = keys[base .. ".key"],
      text = pair.key_text, suffix = "key" },
    { what = "cert", kind = "sys/file/ssl-cert", name = base .. ".crt", ref = certs[base .. ".crt"],
      text = pair.pem, suffix = "crt" },
  }
  if pair.chain_text then
    local name = base .. "-chain.crt"
    files[3] = {
      what = "chain", kind = "sys/file/ssl-cert", name = name, ref = certs[name],
      text = pair.chain_text, suffix = "chain.crt",
    }
  end
  for _, file in ipairs(files) do
    local object = load(file.ref)
    file.old = object
    file.same = object ~= nil and (object.checksum == uploads.checksum(file.text)
      or file.what == "cert" and fingerprint(object.fingerprint) == pair.fingerprint
      and object.isBundle ~= "true" and object.isBundle ~= true)
  end
  return files
end

local function none(name)
  return (name == nil or name == "" or name == "none" or name == json.null) and "none" or name
end

-- The type of the key of a certificate on the device: "rsa", "ec".
local function key_type(bip, name)
  local object = none(name) ~= "none" and load(bip.sys.file["ssl-cert"][name])
  return object and tostring(object.keyType):match "^(%l+)" or nil
end

-- Which entry of a profile's chain the pair takes the place of.
local function place_of(bip, profile, list, wanted, pair)
  for at, entry in ipairs(list) do
    if entry.cert == wanted.cert then return at end
  end
  for at, entry in ipairs(list) do
    if entry.cert == wanted.replaces then return at end
  end
  if #list <= 1 then return 1 end
  local found
  for at, entry in ipairs(list) do
    if key_type(bip, entry.cert) == pair.key_type then
      if found then found = nil break end
      found = at
    end
  end
  return found or pem.refuse(
    "the profile %s has %d pairs of certificates and keys, and it is unclear which of them to "
      .. "replace: change its certKeyChain yourself",
    profile, #list
  )
end

-- What an entry keeps when it is sent back.
local function kept(entry)
  local out = {}
  for key, value in next, entry do
    if not tostring(key):find "Reference$" then out[key] = value end
  end
  return out
end

-- The change of a client-ssl profile; nil if it uses the pair already.
local function client_change(bip, name, object, wanted, pair)
  local list = object and object.certKeyChain
  if type(list) ~= "table" then list = {} end
  local at = place_of(bip, name, list, wanted, pair)
  local old = list[at] or {}
  local is_same_cert = old.cert == wanted.cert
  local chain = wanted.chain or is_same_cert and none(old.chain) or "none"
  if is_same_cert and old.key == wanted.key and none(old.chain) == chain and not wanted.new_key then
    return nil
  end
  local out = json.array {}
  for i, entry in ipairs(list) do out[i] = kept(entry) end
  out[at] = {
    name = old.name or wanted.name, cert = wanted.cert, key = wanted.key, chain = chain,
    usage = old.usage, passphrase = wanted.passphrase,
  }
  -- Written, not only implied, so that a change record has it.
  local inherits = object and object.inheritCertkeychain == "true" and "false" or nil
  return { certKeyChain = out, inheritCertkeychain = inherits }
end

local function server_change(object, wanted)
  object = object or {}
  local is_same_cert = object.cert == wanted.cert
  local chain = wanted.chain or is_same_cert and none(object.chain) or "none"
  if is_same_cert and object.key == wanted.key and none(object.chain) == chain
    and not wanted.new_key
  then
    return nil
  end
  return { cert = wanted.cert, key = wanted.key, chain = chain, passphrase = wanted.passphrase }
end

local function changes_of_profiles(bip, options, profiles, wanted, pair)
  local out = {}
  for i, profile in ipairs(profiles) do
    local kind, name = profile.kind, profile.name
    local ref = bip.ltm.profile[kind][name]
    local object = load(ref)
    if not object and not options.create_profile then
      error(core.error_new {
        kind = "not_found", device = bip:label(), method = "GET", path = tostring(ref),
        message = (
          "there is no %s profile %s; create_profile = true (--create-profile) makes it"
        ):format(
          kind, name
        ),
      }, 0)
    end
    local body
    if kind == "client-ssl" then
      body = client_change(bip, name, object, wanted, pair)
    else
      body = server_change(object, wanted)
    end
    if not object then body.defaultsFrom = KINDS[kind] end
    out[i] = { kind = "ltm/profile/" .. kind, name = name, ref = ref, old = object,
      body = body, same = body == nil }
  end
  return out
end

-- -- the changes --------------------------------------------------------------------------------

local function commit(bip, files, profiles, passphrase)
  bip:transaction(function(tx)
    for _, file in ipairs(files) do
      if not file.same then
        local body = { sourcePath = file.source }
        if file.what == "key" then body.passphrase = passphrase end
        local ref = tx(file.ref)
        if file.old then ref:modify(body) else ref:create(body) end
      end
    end
    for _, profile in ipairs(profiles) do
      if not profile.same then
        local ref = tx(profile.ref)
        if profile.old then ref:modify(profile.body) else ref:create(profile.body) end
      end
    end
  end)
end

-- Uploads what differs, changes all in one transaction, and removes the uploads.
local function install(bip, files, profiles, passphrase)
  local fresh = {}
  for _, file in ipairs(files) do
    if not file.same then fresh[#fresh + 1] = file end
  end
  return uploads.use(bip, fresh, function() commit(bip, files, profiles, passphrase) end)
end

-- -- the method -----------------------------------------------------------------------------------

local function steps_of(lists)
  local steps, changed = {}, false
  for _, list in ipairs(lists) do
    for _, one in ipairs(list) do
      local what = one.same and "unchanged" or one.old and "changed" or "created"
      changed = changed or not one.same
      steps[#steps + 1] = { what = what, kind = one.kind, name = one.name }
    end
  end
  return steps, changed
end

--- session:install_certificate(options): see lualib/meta/f5/jobs.lua.
-- @return "created", "changed" or "unchanged"; a table that describes the certificate
function M.install_certificate(bip, options)
  options = check(options)
  local partition = options.partition or "Common"
  check_name("partition", partition)
  local base = full("name", (options.name:gsub("%.crt$", "")), partition)
  local profiles = profiles_of(options)
  local pair = pem.pair(options)
  local replaces
  if options.replaces then
    replaces = M.named(bip, full("replaces", options.replaces, partition))
    add_users(bip, replaces, profiles)
  end
  local files = files_of(bip, base, pair)
  local wanted = {
    name = base:match "[^/]+$", cert = files[2].name, key = files[1].name,
    chain = files[3] and files[3].name, new_key = pair.encrypted and not files[1].same,
    passphrase = pair.encrypted and options.passphrase or nil, replaces = replaces,
  }
  local changes = changes_of_profiles(bip, options, profiles, wanted, pair)
  local steps, changed = steps_of { files, changes }
  local result = {
    subject = pair.subject, issuer = pair.issuer, names = pair.names, starts = pair.starts,
    ends = pair.ends, fingerprint = pair.fingerprint, cert = wanted.cert, key = wanted.key,
    chain = wanted.chain, steps = steps, left = {},
  }
  if not changed then return "unchanged", result end
  result.left = install(bip, files, changes, wanted.passphrase)
  return files[2].old and "changed" or "created", result
end

return M
