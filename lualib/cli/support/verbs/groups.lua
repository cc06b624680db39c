-- Devices with the same text are shown together: their names, and the text once.

local output = require "cli.support.output"
local terminal = require "f5.terminal"

local M = {}

local Groups <const> = {}
Groups.__index = Groups

function M.new() return setmetatable({ by_text = {} }, Groups) end

--- The order of names: bigip2 comes before bigip10.
function M.before(a, b)
  local function key(name)
    return (name:gsub("%d+", function(digits) return ("0"):rep(20 - #digits) .. digits end))
  end
  local one, other = key(a), key(b)
  if one ~= other then return one < other end
  return a < b
end

function Groups:add(device, text)
  local group = self.by_text[text]
  if not group then
    group = { text = text, names = {} }
    self.by_text[text], self[#self + 1] = group, group
  end
  table.insert(group.names, device)
end

local NAMED <const> = 20 -- devices of a group

local function names_of(names)
  local text = terminal.line(table.concat(names, ", ", 1, math.min(#names, NAMED)))
  return #names > NAMED and ("%s … and %d more"):format(text, #names - NAMED) or text
end

--- Writes all of them, the largest group first.
function Groups:write()
  for _, group in ipairs(self) do table.sort(group.names, M.before) end
  table.sort(self, function(a, b)
    if #a.names ~= #b.names then return #a.names > #b.names end
    return M.before(a.names[1], b.names[1])
  end)
  for i, group in ipairs(self) do
    local names <const> = names_of(group.names)
    local count <const> = #group.names == 1 and "1 device" or #group.names .. " devices"
    output(i > 1 and "\n" or "", ("%s: %s\n"):format(count, names), group.text)
  end
end

return M
