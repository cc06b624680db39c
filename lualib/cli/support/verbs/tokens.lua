-- The tokens of a user on a device. Their names are secrets: only the first characters are shown.
local core = require "f5.core"

local M = {}

local PATH <const> = "/mgmt/shared/authz/tokens"
local SHOWN <const>, MIN_LENGTH <const> = 4, 16
local MICRO <const> = 1000000

local function shown(name)
  return #name >= MIN_LENGTH and name:sub(1, SHOWN) .. core.MASK or core.MASK
end

-- Seconds since the login.
local function age(token, now)
  local ends, timeout = token.expirationMicros, token.timeout
  if not math.type(ends) or not math.type(timeout) then return nil end
  return math.max(0, math.floor((now - (ends - timeout * MICRO)) / MICRO + 0.5))
end

-- Whether a session of this program uses it: then it is among the known secrets.
local function is_own(name) return core.mask(name) ~= name end

-- The device's time. Its clock is not that of this machine, but the token of this run is new.
local function time_of(token)
  return is_own(token.name) and math.type(token.lastUpdateMicros) and token.lastUpdateMicros or nil
end

--- The tokens of a user.
-- @param user string
-- @return array of { name (its beginning), user, provider, address, age, left (seconds), own (true:
--   this run uses it) }, oldest first; array of the references, in the same order
function M.list(bip, user)
  local found, now = {}, nil
  for token in bip:at(PATH):each() do
    if type(token.name) == "string" then
      now = now or time_of(token)
      if token.userName == user then found[#found + 1] = token end
    end
  end
  now = now or os.time() * MICRO
  table.sort(found, function(a, b)
    return (a.expirationMicros or 0) - (a.timeout or 0) * MICRO
      < (b.expirationMicros or 0) - (b.timeout or 0) * MICRO
  end)
  local rows, references = {}, {}
  for i, token in ipairs(found) do
    local ends = token.expirationMicros
    rows[i] = {
      name = shown(token.name), user = token.userName, provider = token.authProviderName,
      address = token.address, started = token.startTime, age = age(token, now),
      left = math.type(ends) and math.max(0, math.floor((ends - now) / MICRO)) or nil,
      own = is_own(token.name),
    }
    references[i] = bip:at(PATH, token.name)
  end
  return rows, references
end

--- Deletes a token. Returns false if it is gone already.
function M.delete(reference)
  local ok, err = pcall(reference.delete, reference)
  if ok then return true end
  if type(err) == "table" and err.kind == "not_found" then return false end
  error(err, 0)
end

return M
