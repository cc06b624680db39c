-- bip:change_password. A user whose password has expired can do nothing else.

local core = require "f5.core"

local M = {}

local OPTIONS <const> = { new = true, old = true, user = true }

--- session:change_password{ new =, user =, old = }: changes the password of the session's user, or
-- of another user. The session continues with the new password. If the password policy refuses it,
-- the error has the kind "invalid".
function M.change_password(bip, options)
  if type(options) ~= "table" or options.new == nil then
    core.usage_error("change_password: give the new password: { new = … }")
  end
  for key in pairs(options) do
    if not OPTIONS[key] then
      core.usage_error(("change_password: unknown option '%s'"):format(tostring(key)))
    end
  end
  local own = bip:username()
  local user = options.user or own
  if not user then
    core.usage_error("change_password: the session has no user; name one with user = …")
  end
  local function text_of(value) return value ~= nil and core.secret_text(value) or nil end
  local body = { password = text_of(options.new), oldPassword = text_of(options.old) }
  local ok, err = pcall(function() bip:at("auth/user", user):modify(body) end)
  if not ok and not (type(err) == "table" and err.outcome == "unknown") then error(err, 0) end
  if user == own then core.set_password(bip, options.new) end
  if not ok then error(err, 0) end
end

return M
