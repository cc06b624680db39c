-- What is known about the properties of each kind: which values change by themselves, which a
-- device computes, which are secret, which lists have no order. A kind is the path of a collection
-- or a singleton below /mgmt/tm without names: "ltm/pool", "ltm/pool/members", "sys/ntp".
--
-- Rules are by kind, because a name says little: the `state` of a pool member is what monitoring
-- found, the `state` of an IKE peer is configuration.

local core = require "f5.core"
local json = require "f5.json"

local M = {}

local null <const> = json.null

-- Facts about an object that are no properties of it, in every kind.
local FACTS <const> = {
  kind = true, selfLink = true, generation = true, isSubcollection = true, apiRawValues = true,
  lastUpdateMicros = true,
}

local function set(words)
  local out = {}
  for word in words:gmatch "%S+" do out[word] = true end
  return out
end

local FILE_FACTS <const> = set [[createTime createdBy lastUpdateTime updatedBy mode revision size
  systemPath expirationString keySize certificateKeySize verificationStatus fingerprint]]

-- What changes without a change of the configuration, or follows from the rest.
local VOLATILE <const> = {
  { "^ltm/virtual$", set "vsIndex creationTime lastModifiedTime synCookieStatus syncookieStatus" },
  { "^ltm/node$", set "ephemeral" },
  { "^ltm/pool/members$", set "ephemeral" },
  { "^ltm/policy$", set "lastModified" },
  { "^ltm/tacdb/", set "lastSyncDatetime progressStatus" },
  { "^sys/file/", FILE_FACTS },
  { "^cm/cert$", FILE_FACTS },
  { "^cm/key$", FILE_FACTS },
  { "^cli/script$", set "verificationStatus totalSigningStatus scriptChecksum" },
  { "^sys/application/", set "verificationStatus totalSigningStatus" },
  { "^apm/policy/customization%-", FILE_FACTS },
  { "^apm/profile/access$", set "modifiedSinceLastPolicySync generationAction" },
  { "^net/interface$", set "ifIndex mediaActive serial" },
  { "^net/vlan$", set "ifIndex" },
  { "^net/tunnels/", set "ifIndex" },
  { "^net/trunk$", set "cfgMbrCount workingMbrCount media" },
  { "^cm/device$", set "failoverState selfDevice" },
  { "^sys/software/update$", set "checkStatus" },
}

-- What a device computes from a file that a snapshot does not contain. It says whether two files
-- are equal; it cannot be written.
local FILE_DIGESTS <const> = set [[checksum subject issuer serialNumber expirationDate keyType
  isBundle version certificateKeyCurveName curveName]]
local DIGESTS <const> = {
  { "^sys/file/", FILE_DIGESTS },
  { "^cm/cert$", FILE_DIGESTS },
  { "^cm/key$", FILE_DIGESTS },
}

-- Values of which only the creation of an object decides: a change means a new object.
local FIXED <const> = {
  { "^ltm/node$", set "address fqdn.tmName" },
  { "^ltm/pool/members$", set "address" },
  { "^ltm/virtual%-address$", set "address" },
  { "^ltm/snat%-translation$", set "address" },
  { "^ltm/data%-group/internal$", set "type" },
  { "^net/self$", set "address" },
  { "^net/route$", set "network" },
  { "^net/route%-domain$", set "id" },
  { "^cm/device%-group$", set "type" },
}

-- Kinds that belong to one device of a pair, and are not synchronised.
local LOCAL <const> = {
  "^net/vlan", "^net/trunk", "^net/interface", "^net/route%-domain", "^net/self$",
  "^net/self%-allow", "^net/stp", "^net/fdb", "^net/bwc/", "^net/lldp",
  "^sys/management%-", "^sys/provision", "^sys/ha%-group", "^sys/license", "^sys/global%-settings$",
  "^sys/dns$", "^sys/ntp", "^sys/httpd$", "^sys/sshd$", "^sys/snmp", "^sys/syslog$", "^sys/db$",
  "^cm/device$", "^cm/cert$", "^cm/key$", "^cm/trust%-domain", "^sys/state%-mirroring$",
}

-- What is below /mgmt/tm but no configuration, and why it is not read. A pattern ends at the end
-- of a segment; `true` is what would be configuration.
local NO_CONFIGURATION <const> = {
  { "task", "tasks, not configuration" },
  { "transaction", "open transactions, not configuration" },
  { "util", "commands, not configuration" },
  { "shared", "workers of the REST services, not configuration" },
  { "cloud", "the same objects in another form" },
  { "adc", "the same objects in another form" },
  { "live%-update", "updates of signatures, not configuration" },
  { "access", "sessions and reports, not configuration" },
  { "asm", "not a part of snapshots; f5.asm(bip):export_policy exports policies", true },
  { "analytics/.*/report%-results", "reports, not configuration" },
  { "analytics/.*/generate%-report", "reports, not configuration" },
  { "analytics/report", "reports, not configuration" },
  { "sys/connection", "connections, not configuration" },
  { "sys/log", "log files, not configuration" },
  { "sys/ucs", "archives on the disk, not configuration" },
  { "sys/config", "a command, not configuration" },
  { "sys/config%-diff", "a command, not configuration" },
  { "sys/disk", "hardware, not configuration" },
  { "sys/software/[%a-]*image", "files on the disk, not configuration" },
  { "sys/software/[%a-]*hotfix", "files on the disk, not configuration" },
  { "sys/software/volume", "volumes of the disk, not configuration" },
  { "sys/software/update%-status", "states of updates, not configuration" },
  { "sys/crypto/key", "the keys of sys/file/ssl-key in another form" },
  { "sys/crypto/cert", "the certificates of sys/file/ssl-cert in another form" },
  { "sys/crypto/csr", "files on the disk, not configuration" },
  { "sys/crypto/crl", "the lists of sys/file/ssl-crl in another form" },
  { "sys/crypto/master%-key", "the master key of this device" },
  { "cli/admin%-partitions", "a setting of the session, not configuration" },
  { "cli/version", "a setting of the session, not configuration" },
}

-- Lists without an order beyond those that `ensure` knows.
local SETS <const> = {
  { "^ltm/profile/[cs][%a-]*%-ssl$", set "tmOptions" },
  { "^net/stp$", set "vlans trunks interfaces" },
  { "^net/route%-domain$", set "vlans routingProtocol" },
  { "^sys/snmp$", set "agentAddresses allowedAddresses" },
  { "^gtm/prober%-pool$", set "members" },
  { "^cm/trust%-domain$", set "caDevices nonCaDevices" },
  { "^ltm/virtual$", set "vlans throughputCapacity relatedRules" },
  { "^ltm/snat$", set "vlans" },
  { "^ltm/nat$", set "vlans" },
  { "^cm/device$", set "activeModules optionalModules timeLimitedModules" },
}

-- Lists of objects whose order counts. (Rules of LTM policies have `ordinal`.)
local ORDERED <const> = {
  { "^security/firewall/", set "rules" },
  { "^security/nat/", set "rules" },
}

-- Texts of several lines, which are shown line by line.
local TEXTS <const> = {
  { "^[lg]tm/rule$", set "apiAnonymous" },
  { "^pem/irule$", set "apiAnonymous" },
  { "^cli/script$", set "apiAnonymous scriptSignature" },
  { "^sys/icall/script$", set "definition" },
  { "^sys/application/", set "implementation presentation htmlHelp macro" },
}

-- Groups of values that are shown as lines "name := data".
local RECORDS <const> = { { "^ltm/data%-group/internal$", set "records" } }

local SECRET_WORDS <const> = set [[awsAccessKey masterKeyHash registrationKey pin oldPin cookieKey
  authenticationKey sharedKey encryptedKey adminEncryptedPassword accessKey encryptKey
  encryptKeyEncrypted masterKey clientsideKey controlKey]]

-- Names that speak of a secret but do not hold it: passwordPrompt, reuseAccessToken.
local ABOUT_SECRETS <const> = {
  "Prompt$", "Source$", "Changed$", "Memory$", "Length$", "Policy$", "Reference$", "Mode$",
  "Type$", "Interval$", "Timeout$", "Algorithm$", "Expiry$", "Expiration$", "Field$",
  "Format$", "^generate%u", "^reuse%u", "^promptFor%u", "^use%u", "^clean%u", "^send%u",
  "^userAgentToken$",
}

-- Values that are words of the configuration, not secrets.
local WORDS <const> =
  set "none enabled disabled enable disable yes no true false default always never"

local ENCRYPTED <const> = { "^%$M%$", "^%$[1-6]%$", "^%$2[abxy]%$", "^%$apr1%$", "^%$sha" }

-- kind -> property -> class; filled as kinds are asked for.
local function table_of(rules)
  return setmetatable({}, {
    __index = function(self, kind)
      local found = {}
      for _, rule in ipairs(rules) do
        if kind:find(rule[1]) then
          for name in pairs(rule[2]) do found[name] = true end
        end
      end
      self[kind] = found
      return found
    end,
  })
end

local volatile <const>, digests <const>, fixed <const> =
  table_of(VOLATILE), table_of(DIGESTS), table_of(FIXED)
local sets <const>, ordered <const>, texts <const>, records <const> =
  table_of(SETS), table_of(ORDERED), table_of(TEXTS), table_of(RECORDS)

--- The kind in the `kind` of a body: "tm:ltm:pool:members:membersstate" -> "ltm/pool/members".
function M.of_body(body)
  local name = type(body) == "table" and rawget(body, "kind")
  local path = type(name) == "string" and name:match "^tm:(.+):[^:]+$"
  return path and path:gsub(":", "/") or nil
end

--- Whether a property says nothing about the configuration: links, generations, times, what
--- monitoring found.
function M.is_volatile(kind, property)
  return FACTS[property] or volatile[kind][property] or false
end

--- The volatile properties of a kind as a set, without those that every kind has.
function M.volatile(kind) return volatile[kind] end

M.FACTS = FACTS

--- Whether a device computes a property from a file: it can be compared, but not written.
function M.is_digest(kind, property) return digests[kind][property] or false end

--- Whether only the creation of an object sets a property.
function M.is_fixed(kind, property) return fixed[kind][property] or false end

--- Whether a kind belongs to one device of a pair: VLANs, self IPs, the management address.
function M.is_local(kind)
  for _, pattern in ipairs(LOCAL) do
    if kind:find(pattern) then return true end
  end
  return false
end

--- Whether the order of a list means nothing. `ensure` knows more of them.
function M.is_set(kind, property) return sets[kind][property] or false end

--- Whether the order of a list of objects counts.
function M.is_ordered(kind, property) return ordered[kind][property] or false end

--- Whether a property is a text of several lines.
function M.is_text(kind, property) return texts[kind][property] or false end

--- Whether a property is a list of records that is shown as text.
function M.is_records(kind, property) return records[kind][property] or false end

--- Why a path below /mgmt/tm is not read; nil if it is. The second result: whether it has
--- configuration nevertheless.
-- @param path string: "sys/log", "task"
function M.not_configuration(path)
  for _, rule in ipairs(NO_CONFIGURATION) do
    local last = select(2, path:find("^" .. rule[1]))
    if last and (last == #path or path:sub(last + 1, last + 1) == "/") then
      return rule[2], rule[3] or false
    end
  end
  return nil
end

local function is_about_secrets(name)
  for _, pattern in ipairs(ABOUT_SECRETS) do
    if name:find(pattern) then return true end
  end
  return false
end

-- name -> whether it is that of a secret; names repeat in every object
local secret_names <const> = setmetatable({}, {
  __index = function(self, name)
    local is = SECRET_WORDS[name] or core.is_secret_name(name) and not is_about_secrets(name)
    self[name] = is or false
    return self[name]
  end,
})

--- Whether a text was encrypted or hashed by a device, or is a private key.
function M.is_encrypted(value)
  if value:byte() ~= 36 and value:byte() ~= 45 then return false end -- "$", "-"
  for _, pattern in ipairs(ENCRYPTED) do
    if value:find(pattern) then return true end
  end
  return value:find "^%-%-%-%-%-BEGIN [%u ]*PRIVATE KEY" ~= nil
end

-- Variables of sys/db whose value is a secret.
local SECRET_VARIABLES <const> = {
  "password$", "sharedsecret$", "passphrase$", "registrationkey$", "community$", "token$",
  "secretkey$",
}

local function is_secret_variable(body)
  local name = type(body.name) == "string" and body.name:lower() or ""
  for _, pattern in ipairs(SECRET_VARIABLES) do
    if name:find(pattern) then return true end
  end
  return false
end

--- Whether a property can hold a secret, whatever its value.
function M.may_be_secret(kind, property)
  return secret_names[property] or kind == "sys/db" and property == "value"
end

--- Whether a value is a secret, or an encrypted one.
-- @param kind string
-- @param property string: its name
-- @param value any
-- @param body table|nil: the object, for kinds whose name says what the value is
function M.is_secret(kind, property, value, body)
  if type(value) ~= "string" or value == "" then return false end
  if M.is_encrypted(value) then return true end
  if secret_names[property] then return not WORDS[value] end
  return kind == "sys/db" and property == "value" and body ~= nil and is_secret_variable(body)
end

--- Whether a device made an object itself, and makes it again by itself: ephemeral nodes and
--- members, times of changes.
function M.is_own(kind, body)
  local ephemeral = body.ephemeral
  if ephemeral == "true" or ephemeral == true then return true end
  local name = body.name
  return kind == "sys/db" and type(name) == "string" and name:lower():find "configtime$" ~= nil
end

--- Whether a value is that of a flag that is set (null).
function M.is_flag(value) return value == null end

return M
