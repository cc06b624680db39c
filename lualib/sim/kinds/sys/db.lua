-- Database variables.
local property = require "sim.kinds.common.property"
local validate = require "sim.config.validate"

local s <const> = property.text

-- Whether a value is in a range as variables have it: "integer min:0 max:9", or a list of words.
local function in_range(value, range)
  if range == nil or range == "" then return true end
  local kind, from, to = range:match "^(%a*)%s*min:(%-?%d+)%s+max:(%-?%d+)"
  if from and kind ~= "string" then
    local number = math.tointeger(tonumber(value))
    return number ~= nil and number >= tonumber(from) and number <= tonumber(to)
  end
  if range:find "address$" then return value == "" or (validate.is_address(value)) end
  if range:find "min:" or range:find "max:" or range:find "[^%w%s_.-]" then return true end
  for word in range:gmatch "%S+" do
    if word == value then return true end
  end
  return not range:find "%s"
end

local variable <const> = {
  prepare = function(_, object, properties)
    if properties.value == nil then return end
    if properties.value == validate.NONE then object.value = "" end
    if not in_range(object.value, object.valueRange) then
      validate.refuse_mcpd(
        (
          "01070911:3: The requested value (%s) for the DB variable (%s) is not in the "
            .. "range (%s)."
        ):format(
          tostring(object.value),
          object.name,
          object.valueRange
        )
      )
    end
  end,
}

local function show_variable(_, _, object, shown)
  if object.value == "" then shown.value = "" end
end

-- Variables that the generated list lacks. DO sets them.
local MORE <const> = { { "tmrouted.tmos.routing", "disable", "disable enable" } }

local function variables()
  local list = {}
  for n, entry in ipairs(require "sim.catalogue.tables.variables") do
    -- A device without a licence would not answer.
    local value = entry[1] == "license.operational" and "true" or entry[2]
    list[n] = {
      name = entry[1], value = value, defaultValue = entry[2], valueRange = entry[3],
      scfConfig = entry[4] == false and "false" or "true",
    }
  end
  for _, entry in ipairs(MORE) do
    list[#list + 1] = {
      name = entry[1], value = entry[2], defaultValue = entry[2], valueRange = entry[3],
      scfConfig = "true",
    }
  end
  return list
end

return {
  ["sys/db"] = {
    facts = {
      exact = true,
      noun = "DB variable",
      flat = true,
      no_create = true,
      no_delete = true,
      known = true,
      props = {
        value = s(nil, { keeps_none = true }), defaultValue = { t = "s", r = true },
        scfConfig = { t = "s", r = true }, valueRange = { t = "s", r = true },
      },
    },
    checks = variable,
    show = show_variable,
    factory = { objects = variables },
  },
}
