-- Secrets that DO wrote. The device shows them encrypted, so a declaration that is sent again can
-- only be compared with what was remembered.
--
-- state.secrets = { [path of the difference] = { shown = what the device shows, hash = of the
-- secret } }
local current = require "sim.extensions.onboarding.current"
local fixes = require "sim.extensions.onboarding.fixes"
local users = require "sim.auth.users"

local M = {}

local ENCRYPTED <const> = "^%$M%$"

local function key_of(path) return table.concat(path, "/", 2) end

--- Whether a secret is the one that the device shows.
-- @param path its place in the configuration: { "Common", class, … }
function M.same(state, path, plain, shown)
  if type(shown) ~= "string" or not shown:find(ENCRYPTED) or type(plain) ~= "string" then
    return false
  end
  local known = state.secrets[key_of(path)]
  return known ~= nil and known.shown == shown and users.matches(known.hash, plain)
end

local function walk(path, wanted, shown, found)
  if type(wanted) == "table" and type(shown) == "table" then
    for key, value in pairs(wanted) do walk(path .. "/" .. key, value, shown[key], found) end
  elseif type(wanted) == "string" and type(shown) == "string" and shown:find(ENCRYPTED) then
    found[path] = { shown = shown, hash = users.encrypt(wanted) }
  end
end

--- Remembers the secrets of what was written: { class = objects }.
function M.remember(device, state, update)
  if next(update) == nil then return end
  local there = current.read(device, {})
  fixes.current(there)
  for class, objects in pairs(update) do walk(class, objects, there[class], state.secrets) end
end

return M
