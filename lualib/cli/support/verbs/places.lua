-- Files on a device, as words of the command line: NAME, PLACE/NAME, PLACE/ or the path that they
-- have on the device.
local transfer = require "f5.work.transfer"

local M = {}

--- For --help.
M.EPILOG = [[
Places on the device:
  %s
A word without a place means downloads. A path that begins with / names the file by its path on the
device, such as /var/local/ucs/site.ucs.]]

--- The lines of --help about places.
-- @param direction string: "to" or "from"
function M.epilog(direction)
  local lines = {}
  for _, place in ipairs(transfer.places(direction)) do
    lines[#lines + 1] = ("%-10s %s"):format(place.name, place.directory or "")
  end
  return M.EPILOG:format(table.concat(lines, "\n  "):gsub(" +\n", "\n"))
end

local function names_of(places)
  local names = {}
  for i, place in ipairs(places) do names[i] = place.name end
  return table.concat(names, ", ")
end

--- Finds the place of a word.
-- @param direction string: "to" or "from"
-- @return string: the place; string: the name, which may be empty. nil and the reason
function M.find(direction, word)
  local places <const> = transfer.places(direction)
  if word:sub(1, 1) == "/" then
    local directory, name = word:match "^(.*)/([^/]*)$"
    local known = {}
    for _, place in ipairs(places) do
      if place.directory == directory then return place.name, name end
      known[#known + 1] = place.directory
    end
    return nil, ("%s: the device transfers files only %s %s"):format(
      word, direction, table.concat(known, ", ")
    )
  end
  local place, name = word:match "^([^/]*)/(.*)$"
  if not place then return "downloads", word end
  if name:find "/" then
    return nil, ("%s: expected NAME or PLACE/NAME"):format(word)
  end
  for _, known in ipairs(places) do
    if known.name == place then return place, name end
  end
  return nil, ("unknown place '%s'; it is one of %s"):format(place, names_of(places))
end

return M
