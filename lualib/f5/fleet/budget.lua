--- The number of devices of a fleet that may fail before the run stops.
-- @param given integer|string|nil: a count, or a share of all ("10%"); nil: no limit
-- @param total integer: how many devices there are
-- @return number: math.huge for no limit; nil: it is neither
return function(given, total)
  if given == nil then return math.huge end
  if math.type(given) == "integer" and given >= 0 then return given end
  local share = type(given) == "string" and tonumber(given:match "^(%d+%.?%d*)%%$")
  if share and share <= 100 then return math.floor(total * share / 100) end
  local count = type(given) == "string" and math.tointeger(tonumber(given))
  return count and count >= 0 and count or nil
end
