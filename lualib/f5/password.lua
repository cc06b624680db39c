-- bip:change_password: also the only thing that a user may do whose password has expired.

local core = require "f5.core"

local M = {}

local OPTIONS <const> = { new = true, old = true, user = true }

--- session:change_password{ new =, user =, old = }: the session's own user, unless another one is named. The session goes on with the new
-- password. What the device's password policy refuses is an error of kind "invalid".
function M.change_password(bip, options)
  if type(options) ~= "table" or options.new == nil then
    core.usage_error(2, "change_password{ new = … } needs the new password")
  end
  for key in pairs(options) do
    if not OPTIONS[key] then
      core.usage_error(2, ("change_password has no option '%s'"):format(tostring(key)))
    end
  end
  local own = bip:username()
  local user = options.user or own
  if not user then
    core.usage_error(
      2,
      "change_password: the session has a token and no user; name one: user = …"
    )
  end
  local function text_of(value) return value ~= nil and core.secret_text(value) or nil end
  local body = { password = text_of(options.new), oldPassword = text_of(options.old) }
  local ok, err = pcall(function() bip:at("auth/user", user):modify(body) end)
  if not ok and not (type(err) == "table" and err.outcome == "unknown") then error(err, 0) end
  if user == own then core.set_password(bip, options.new) end
  if not ok then error(err, 0) end
end

return M
