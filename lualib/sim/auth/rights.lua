-- Who may change which accounts. No user can raise its own rights.
--
-- The rules are applied where a user object is written, not where a request comes in. So they hold
-- for every way to the object: both spellings of a property, the resource and the collection,
-- transactions, tasks, commands, shell scripts. They compare the rights before and after a change,
-- whatever the properties of the request are called.
--
-- An actor is the `user` of a request: { name, provider, access }. No actor means the device itself
-- (a seed, the factory).
local errors = require "sim.http.errors"

local M = {}

local EVERYWHERE <const> = "all-partitions"

-- Objects below these paths give rights to users.
local GRANTS <const> = { "^auth/user", "^auth/remote%-role", "^auth/remote%-user" }

function M.is_administrator(actor)
  return actor == nil or (actor.access or {})[EVERYWHERE] == "admin"
end

-- Whether the actor is the local user of this name. A user of a RADIUS server may have the same
-- name, but not the account.
function M.is_self(actor, name)
  local provider = actor.provider or "tmos"
  return actor.name == name and (provider == "tmos" or provider == "local")
end

-- { [partition or "all-partitions"] = role } of a user's object.
function M.access_of(object)
  local access = {}
  for _, entry in ipairs(object and object.partitionAccess or {}) do
    if type(entry) == "table" then access[entry.name or EVERYWHERE] = entry.role end
  end
  if object and not next(access) then access[EVERYWHERE] = object.role or "no-access" end
  return access
end

-- Whether objects at a path below /mgmt/tm give rights.
function M.grants(path)
  for _, pattern in ipairs(GRANTS) do
    if path:find(pattern) then return true end
  end
  return false
end

--- Whether users who are no administrators may load objects at a path in a configuration. A script
--- of iCall has the rights of its author, whom no configuration names.
function M.can_be_loaded(path)
  return not M.grants(path) and not path:find "^sys/icall/script"
end

function M.role_of(actor)
  return (actor.access or {})[EVERYWHERE] or "no-access"
end

local function deny(actor, action, name)
  error(
    errors.tm(
      403,
      (
        "01070822:3: Access Denied: User (%s) with role (%s) is not permitted to %s (auth user %s) "
          .. "in partition (Common)"
      ):format(
        actor.name,
        M.role_of(actor),
        action,
        name
      ),
      3
    ),
    0
  )
end

-- The login shell of an account is a right, too.
local function shell_of(object)
  return object and object.shell or "none"
end

local function same_rights(old, new)
  local before, after = M.access_of(old), M.access_of(new)
  for partition, role in pairs(before) do
    if after[partition] ~= role then return false end
  end
  for partition in pairs(after) do
    if before[partition] == nil then return false end
  end
  return shell_of(old) == shell_of(new)
end

-- Whether the actor may manage an account with this access. The actor must be user manager of all
-- its partitions. Administrators cannot be managed.
local function manages(actor, access)
  local own = actor.access or {}
  for partition, role in pairs(access) do
    if role == "admin" then return false end
    if (own[partition] or own[EVERYWHERE]) ~= "user-manager" then return false end
  end
  return true
end

-- Raises a refusal if the actor must not replace the user object `old` by `new`. Without `old` the
-- object is created, without `new` it is deleted.
function M.check_change(actor, old, new)
  if M.is_administrator(actor) then return end
  local name = (new or old).name
  local action = not old and "create" or not new and "delete" or "modify"
  if M.is_self(actor, name) then
    if not old or not new or not same_rights(old, new) then deny(actor, action, name) end
    return
  end
  for _, object in ipairs { old or new, new } do
    if not manages(actor, M.access_of(object)) then deny(actor, action, name) end
  end
end

-- Raises a refusal for a command (cp, mv …) on a component that gives rights.
function M.check_command(actor, template, command)
  if M.grants(template) and not M.is_administrator(actor) then
    deny(actor, command, template:match "[^/]+$")
  end
end

return M
