-- Which extensions of iControl LX a simulated device has: words as `--extensions` takes them.

-- Names and the versions that a word without one means: facts about the simulated device.
local known = { as3 = "3.56.0", ["do"] = "1.45.0", fast = "1.25.0", ts = "1.39.0" }

local function names()
  local list = {}
  for name in pairs(known) do list[#list + 1] = name end
  table.sort(list)
  return table.concat(list, ", ")
end

--- Returns { [name] = version } for words such as "as3=3.50.2" and "as3". Raises an error for the
--- first word that names no known extension.
-- @param words array of strings
return function(words)
  local wanted = {}
  for _, word in ipairs(words) do
    local name, version = tostring(word):match "^([^=]+)=(.*)$"
    name = name or tostring(word)
    if not known[name] then
      error(("there is no extension '%s'; extensions are %s"):format(name, names()), 0)
    end
    if version and not version:find "^%d+%.%d+%.%d+$" then
      error(
        ("invalid version '%s' of %s; expected a version such as %s"):format(
          version, name, known[name]
        ),
        0
      )
    end
    wanted[name] = version or known[name]
  end
  return wanted
end
