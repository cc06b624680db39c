-- Local users: the objects of /mgmt/tm/auth/user, their passwords and the password policy.
--
-- state.accounts[name] = { changed = micros, expired = true or nil, memory = { earlier encrypted
-- passwords } }. Everything else is in the user's object, so users that are made over REST can log
-- in.
local json = require "f5.json"
local digest = require "sim.digest"
local native = require "sim.native"
local catalogue = require "sim.config.catalogue"
local errors = require "sim.http.errors"
local rights = require "sim.auth.rights"
local values = require "sim.config.values"

local M = {}

local COLLECTION <const> = "/mgmt/tm/auth/user"
local POLICY <const> = "/mgmt/tm/auth/password-policy"
local DAY <const> = 86400 * 1000000

-- Other spellings of roles, for the command line and seeds.
local ROLE_NAMES <const> =
  { administrator = "admin", ["resource-administrator"] = "resource-admin" }

-- The id of a user or provider. Devices make it from the name, by Java's UUID.nameUUIDFromBytes.
function M.uuid(name)
  local bytes = { digest.md5(name):byte(1, 16) }
  bytes[7] = bytes[7] & 0x0f | 0x30
  bytes[9] = bytes[9] & 0x3f | 0x80
  local hex = ("%02x"):rep(16):format(table.unpack(bytes))
  return ("%s-%s-%s-%s-%s"):format(
    hex:sub(1, 8), hex:sub(9, 12), hex:sub(13, 16), hex:sub(17, 20), hex:sub(21)
  )
end

local function scramble(salt, password)
  return "$6$"
    .. salt .. "$" .. digest
      .base64(digest.sha256(salt .. password) .. digest.sha256(password .. salt))
      :gsub("=", "")
end

-- The value of encryptedPassword. It has the form of crypt(3), but another algorithm.
function M.encrypt(password)
  return scramble(digest.base64(native.random(6)), password)
end

function M.matches(encrypted, password)
  local salt = type(encrypted) == "string" and encrypted:match "^%$6%$([^$]+)%$"
  return type(password) == "string"
    and salt ~= nil and salt ~= false and scramble(salt, password) == encrypted
end

-- The user's object, or nil.
function M.object(device, name)
  return device.store:get(COLLECTION .. "/" .. name)
    or device.twin and device.twin:account(name) or nil
end

function M.objects(device)
  return device.store:list(COLLECTION)
end

M.access = rights.access_of

local function account(device, name)
  local accounts = device.state.accounts
  if not accounts[name] then accounts[name] = { changed = device:now() } end
  return accounts[name]
end

-- The object of a local user if the password is right, else nil.
function M.authenticate(device, name, password)
  local object = type(name) == "string" and M.object(device, name)
  if not object or type(password) ~= "string" then return nil end
  if device.twin and device.twin:knows(name, password) then return object end
  local known = device.verified[name]
  if known and known.encrypted == object.encryptedPassword and known.password == password then
    return object
  end
  if not M.matches(object.encryptedPassword, password) then return nil end
  device.verified[name] = { encrypted = object.encryptedPassword, password = password }
  return object
end

-- The policy that nobody has changed.
local usual_policy

-- The policy of a device does not count for its twin.
local function policy_of(device)
  if device.twin then return {} end
  local own = device.store:get(POLICY)
  if own then return own end
  usual_policy = usual_policy or values.defaults(catalogue.find "auth/password-policy")
  return usual_policy
end

local function number(value, default)
  return math.tointeger(tonumber(value)) or default
end

-- Whether the user must change the password first.
function M.is_expired(device, name)
  local known = device.state.accounts[name]
  if not known then return false end
  if known.expired then return true end
  local policy = policy_of(device)
  local days = number(policy.maxDuration, 99999)
  return policy.policyEnforcement == "enabled"
    and days < 99999 and device:now() - known.changed > days * DAY
end

local function refuse(name, reason)
  error(errors.tm(400, ("01070366:3: Bad password (%s): BAD PASSWORD: %s"):format(name, reason), 3))
end

local CLASSES <const> = {
  { "requiredLowercase", "%l", "lower-case" }, { "requiredUppercase", "%u", "upper-case" },
  { "requiredNumeric", "%d", "numeric" }, { "requiredSpecial", "%p", "special" },
}

-- What pam_cracklib says of a password, without a dictionary; nil if nothing is wrong.
local function too_simple(password)
  local distinct, seen, steps = 0, {}, 0
  for at = 1, #password do
    local byte = password:byte(at)
    if not seen[byte] then distinct, seen[byte] = distinct + 1, true end
  end
  if distinct < 5 then return "it does not contain enough DIFFERENT characters" end
  local lower = password:lower()
  for at = 2, #lower do
    if math.abs(lower:byte(at) - lower:byte(at - 1)) == 1 then steps = steps + 1 end
  end
  if steps > 4 then return "it is too simplistic/systematic" end
  if lower == lower:reverse() then return "is a palindrome" end
  return nil
end

-- Raises a refusal if the password violates the policy.
function M.check_policy(device, name, password)
  if type(password) ~= "string" or password == "" then refuse(name, "it is WAY too short") end
  local policy = policy_of(device)
  if policy.policyEnforcement ~= "enabled" then return end
  if #password < 4 then refuse(name, "it is WAY too short") end
  if #password < number(policy.minimumLength, 6) then refuse(name, "it is too short") end
  local reason = too_simple(password)
  if reason then refuse(name, reason) end
  for _, class in ipairs(CLASSES) do
    local _, count = password:gsub(class[2], "")
    local wanted = number(policy[class[1]], 0)
    if count < wanted then
      refuse(name, ("it does not contain %d %s characters"):format(wanted, class[3]))
    end
  end
  local known = device.state.accounts[name]
  local remembered = number(policy.passwordMemory, 0)
  for i = 1, math.min(remembered, known and known.memory and #known.memory or 0) do
    if M.matches(known.memory[i], password) then refuse(name, "it has been already used") end
  end
end

-- Notes that the password of a user was changed.
function M.changed(device, name, encrypted)
  local known = account(device, name)
  known.changed, known.expired = device:now(), nil
  local memory = known.memory or json.array {}
  table.insert(memory, 1, encrypted)
  memory[25] = nil
  known.memory = memory
end

-- Expires the password of a user: it only serves to set a new one.
function M.expire(device, name)
  account(device, name).expired = true
end

-- Puts a local user into the store: { name, password, role, partition, description }.
function M.add(device, user)
  local role = ROLE_NAMES[user.role] or user.role or "guest"
  local partition = user.partition or "all-partitions"
  local encrypted = M.encrypt(user.password)
  device.store:put(COLLECTION .. "/" .. user.name, {
    name = user.name, fullPath = user.name, generation = device.store:next_generation(),
    description = user.description or (user.name == "admin" and "Admin User" or user.name),
    encryptedPassword = encrypted, shell = user.shell,
    partitionAccess = json.array { { name = partition, role = role } },
  })
  M.changed(device, user.name, encrypted)
  if user.expired then M.expire(device, user.name) end
end

-- Replaces `password` in a body by `encryptedPassword`. Returns the encrypted password; nil if the
-- body has no password.
local function take_password(device, name, body)
  local password = body.password
  if password == nil then return nil end
  M.check_policy(device, name, password)
  body.password = nil
  body["old-password"], body.oldPassword = nil, nil
  body.encryptedPassword = M.encrypt(password)
  return body.encryptedPassword
end

-- Changes the password of a user and nothing else.
function M.set_password(device, name, password)
  local object = M.object(device, name)
  if not object then
    error(errors.tm(404, ("01020036:3: The requested user (%s) was not found."):format(name), 3))
  end
  M.check_policy(device, name, password)
  local copy = {}
  for key, value in pairs(object) do copy[key] = value end
  copy.encryptedPassword = M.encrypt(password)
  copy.generation = device.store:next_generation()
  device.store:put(COLLECTION .. "/" .. name, copy)
  M.changed(device, name, copy.encryptedPassword)
end

-- Handles /mgmt/tm/auth/user: passwords are encrypted before the object is written.
local function handle(device, request)
  local name = request.segments[5]
  local body = request.json
  if not body or request.method == "GET" then return device:pass(request) end
  if request.method == "PATCH" and not name and request.user then
    -- The guide changes the user's own password by a PATCH of the collection.
    request.segments = table.move(request.segments, 1, #request.segments, 1, {})
    name = request.user.name
    request.segments[5] = name
  end
  name = name or body.name
  local encrypted = take_password(device, tostring(name), body)
  local response = device:pass(request)
  if response.status < 300 and encrypted then M.changed(device, name, encrypted) end
  return response
end

function M.install(device)
  local state = device.state
  state.accounts = state.accounts or {}
  device.verified = {}
  for _, user in ipairs(device.options.users or {}) do
    if not M.object(device, user.name) then M.add(device, user) end
  end
  device:route(COLLECTION, handle)
  device:on_plant(function(self, seed)
    for _, user in ipairs(seed.users or {}) do M.add(self, user) end
  end)
end

return M
