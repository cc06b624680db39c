-- credentials(device, secrets) -> the options of f5.connect for a device of an inventory. `secrets`
-- keeps the output of password commands: each command runs once.

local core = require "f5.core"

return function(device, secrets)
  local options = {}
  for key, value in pairs(device.connect) do options[key] = value end
  if options.password_env then
    local name = options.password_env
    options.password_env = nil
    if not options.password then
      options.password = os.getenv(name) or core.replayed_password
      if not options.password then
        local message = (
          "no password for %s: the variable %s (password_env in the inventory) is not set"
        ):format(device.name, name)
        error(core.error_new { kind = "usage", device = device.name, message = message }, 0)
      end
    end
  end
  if options.password_command then
    local command = options.password_command
    options.password_command = nil
    if not options.password then
      secrets[command] = secrets[command] or core.secret_from_command(command)
      options.password = secrets[command]
    end
  end
  return options
end
