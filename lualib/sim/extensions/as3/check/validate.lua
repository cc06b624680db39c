-- Checks a declaration against the facts of AS3's schema, and fills in defaults. The first mistake
-- counts; its message is the one that AS3 makes of it.
local json = require "f5.json"
local validate = require "sim.extensions.check.validate"

local M = {}

local definitions

--- The definitions of the schema: name -> facts.
function M.definitions()
  definitions = definitions or json.decode(require "sim.extensions.as3.check.facts")
  return definitions
end

local function quote(value)
  if type(value) == "number" and value == math.floor(value) then return ("%d"):format(value) end
  return json.encode(value)
end

-- Keyword -> the message of AS3, where it is not that of the validator.
local MESSAGES <const> = {
  const = function(one) return "should be equal to constant " .. quote(one.params.allowedValue) end,
  enum = function(one)
    local parts = {}
    for i, item in ipairs(one.params.allowedValues) do parts[i] = quote(item) end
    return "should be equal to one of the allowed values [" .. table.concat(parts, ",") .. "]"
  end,
  pattern = function(one)
    local what = one.property_name and "propertyName" or "data"
    return ("%s %s %s"):format(what, json.encode(one.value), one.message)
  end,
  ["not"] = function(one) return one.where .. " is NOT valid" end,
}

--- Checks a declaration and fills in defaults. Returns nil and what has to be looked at later, a
--- list of { tag =, data =, value =, path =, parent =, key = }; or the first mistake: { path =,
--- message = }.
function M.declaration(declaration)
  local known, found = M.definitions(), {}
  local wrong = validate.value({
    resolve = function(ref) return known[ref:match "[^/]+$"] or {} end, found = found,
    keywords = { { "any", "f5PostProcess", function(later, value, at)
      found[#found + 1] = {
        tag = later.tag, data = later.data, value = value, path = at.path, parent = at.parent,
        key = at.key,
      }
    end } },
  }, known.ADC, declaration, "ADC")
  if not wrong then return nil, found end
  local one = wrong[1]
  local message = MESSAGES[one.keyword] and MESSAGES[one.keyword](one) or one.message
  return { path = one.path == "" and "/" or one.path, message = message }
end

return M
