-- Sorts long lists and lets others in between, which table.sort cannot.
local turns = require "sim.turns"

local M = {}

-- table.sort sorts parts of this length.
local PART <const> = 4096

-- Merges the sorted parts from[first..middle] and from[middle + 1..last] into `to`.
local function merge(from, to, first, middle, last, before)
  local left, right = first, middle + 1
  for at = first, last do
    if left <= middle and (right > last or not before(from[right], from[left])) then
      to[at], left = from[left], left + 1
    else
      to[at], right = from[right], right + 1
    end
    if at % PART == 0 then turns.pause() end
  end
end

--- Sorts a list. before(a, b): whether a comes before b.
function M.sort(list, before)
  local count = #list
  for first = 1, count, PART do
    local part = table.move(list, first, math.min(first + PART - 1, count), 1, {})
    table.sort(part, before)
    table.move(part, 1, #part, first, list)
    turns.pause()
  end
  local from, to, width = list, {}, PART
  while width < count do
    for first = 1, count, 2 * width do
      local last = math.min(first + 2 * width - 1, count)
      merge(from, to, first, math.min(first + width - 1, last), last, before)
    end
    from, to, width = to, from, 2 * width
  end
  if from ~= list then table.move(from, 1, count, 1, list) end
end

return M
