-- Checks a declaration against the facts of AS3's schema, and fills in defaults.
local json = require "f5.json"
local validate = require "sim.extensions.check.validate"

local M = {}

local definitions

--- The definitions of the schema: name -> facts.
function M.definitions()
  definitions = definitions or json.decode(require "sim.extensions.as3.check.facts")
  return definitions
end

--- Checks a declaration and fills in defaults, see sim/extensions/check/validate.lua.
function M.declaration(declaration)
  return validate.declaration(M.definitions(), "ADC", declaration)
end

return M
