-- Properties that a device keeps encrypted with its master key and shows as `$M$…`. A value that
-- has this form already stays as it is.
local digest = require "sim.digest"
local native = require "sim.native"

local M = {}

-- Pattern of a kind -> names of its secrets.
local SECRETS <const> = {
  { "^tm:[lg]tm:monitor:", { password = true, secret = true } },
  { "^tm:apm:", { adminEncryptedPassword = true } },
  { "^tm:auth:ldap:", { bindPw = true } },
  { "^tm:auth:radius%-server:", { secret = true } },
  { "^tm:auth:tacacs:", { secret = true } },
  { "^tm:ltm:auth:", { bindPw = true, secret = true, adminPassword = true } },
  { "^tm:ltm:profile:http:", { encryptCookieSecret = true } },
}
local NONE <const> = {}

--- The names of the secrets of a kind: { [name] = true }.
function M.of(node)
  if not node.secrets then
    node.secrets = NONE
    for _, entry in ipairs(SECRETS) do
      if node.kind and node.kind:find(entry[1]) then node.secrets = entry[2] end
    end
  end
  return node.secrets
end

function M.is_encrypted(text) return text:find "^%$M%$..%$" ~= nil end

--- The encrypted form of a text. Two of the same text differ, as on a device.
function M.encrypted(text)
  if text == "" or text == "none" or M.is_encrypted(text) then return text end
  local salt = digest.base64(native.random(3)):sub(1, 2)
  local key = native.random(8)
  return ("$M$%s$%s"):format(salt, digest.base64(digest.md5(key .. text)))
end

return M
