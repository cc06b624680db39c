-- Properties that need a module which is licensed and provisioned.
local validate = require "sim.config.validate"

local M = {}

local function in_tmsh(name)
  return (name:gsub("%u", function(letter) return "-" .. letter:lower() end))
end

--- Refuses properties of a write that need a module ("afm") if it is not provisioned.
function M.need(store, target, properties, ctx, module, ...)
  if ctx.seed or ctx.factory or store.device:is_provisioned(module) then return end
  for _, name in ipairs { ... } do
    local value = properties[name]
    if value ~= nil and value ~= validate.NONE then
      validate.refuse(
        "One of the following features must be licensed/provisioned for the URI "
          .. ("%s/%s : %s"):format(target.template, in_tmsh(name), module)
      )
    end
  end
end

return M
