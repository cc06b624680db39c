-- Misspelt words: the known name that was probably meant.
local core = require "f5.core"

local M = {}

local MAX_EDITS <const> = 2 -- more make another word

-- Insertions, deletions, replacements and swaps of neighbours.
local function distance(a, b)
  local above, before
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    before, above, row = above, row, { [0] = i }
    for j = 1, #b do
      local same = a:byte(i) == b:byte(j)
      local best = math.min(above[j - 1] + (same and 0 or 1), above[j] + 1, row[j - 1] + 1)
      local swapped = i > 1 and j > 1
        and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j)
      row[j] = swapped and math.min(best, before[j - 2] + 1) or best
    end
  end
  return row[#b]
end

-- Names that differ only in a number are different names: http1 and http2.
local function without_digits(word) return (word:gsub("%d", "")) end

--- Returns the known name that is nearest to a word, and whether the word is surely a slip of the
-- fingers: at most two letters differ. Nil if no name is near.
-- @param names array of strings
function M.near(word, names)
  -- "load-balancing-mode" and "load_balancing_mode" for "loadBalancingMode"
  local plain = word:gsub("[_%-]", ""):lower()
  for _, name in ipairs(names) do
    if name:gsub("[_%-]", ""):lower() == plain then return name, true end
  end
  local found = core.nearest(word, names)
  if not found then
    word = word:gsub("[_%-](%w)", string.upper)
    found = core.nearest(word, names)
    if not found then return nil end
  end
  local edits = distance(word, found)
  local is_slip = edits <= MAX_EDITS and edits * 3 <= #found
    and without_digits(word) ~= without_digits(found)
  return found, is_slip
end

--- " (did you mean 'x'?)", or "".
function M.asked(near) return near and (" (did you mean '%s'?)"):format(near) or "" end

return M
