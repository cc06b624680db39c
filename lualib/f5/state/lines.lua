-- Differences between two texts, line by line: the shortest edit (Myers, "An O(ND) Difference
-- Algorithm and Its Variations").

local M = {}

-- Edits beyond this number are not searched for: the changed part is shown as replaced. The work
-- grows with the square of the edits.
local MAX_EDITS <const> = 400

--- The lines of a text, without line ends.
function M.split(text)
  local lines = {}
  for line in (text:gsub("\r\n", "\n") .. "\n"):gmatch "([^\n]*)\n" do lines[#lines + 1] = line end
  if lines[#lines] == "" then lines[#lines] = nil end -- the text ends with a line end
  return lines
end

-- Follows the edits back from the end; `trace` holds the furthest points before each edit.
local function back(trace, a, b, first, n, m)
  local edits, x, y = {}, n, m
  for d = #trace, 1, -1 do
    local v, k = trace[d], x - y
    local down = k == -(d - 1) or k ~= d - 1 and v[k - 1] < v[k + 1]
    local from = down and k + 1 or k - 1
    local x0 = v[from] or 0
    local y0 = x0 - from
    while x > x0 and y > y0 do
      edits[#edits + 1] = { " ", a[first + x] }
      x, y = x - 1, y - 1
    end
    if d > 1 then
      if down then
        edits[#edits + 1] = { "+", b[first + y] }
      else
        edits[#edits + 1] = { "-", a[first + x] }
      end
    end
    x, y = x0, y0
  end
  local out = {}
  for i = #edits, 1, -1 do out[#out + 1] = edits[i] end
  return out
end

-- The edits from a[first+1 … first+n] to b[first+1 … first+m]; nil: too many
local function shortest(a, b, first, n, m)
  local v, trace = { [1] = 0 }, {}
  for d = 0, math.min(n + m, MAX_EDITS) do
    local copy = {}
    for k = -d - 1, d + 1 do copy[k] = v[k] end
    trace[d + 1] = copy
    for k = -d, d, 2 do
      local x
      if k == -d or k ~= d and v[k - 1] < v[k + 1] then
        x = v[k + 1]
      else
        x = v[k - 1] + 1
      end
      local y = x - k
      while x < n and y < m and a[first + x + 1] == b[first + y + 1] do x, y = x + 1, y + 1 end
      v[k] = x
      if x >= n and y >= m then return back(trace, a, b, first, n, m) end
    end
  end
  return nil
end

--- Compares two lists of lines.
-- @param a array of strings
-- @param b array of strings
-- @return array of { sign, line }: "-" only in a, "+" only in b, " " in both
function M.edits(a, b)
  local first, last = 0, 0
  while first < #a and first < #b and a[first + 1] == b[first + 1] do first = first + 1 end
  while last < #a - first and last < #b - first and a[#a - last] == b[#b - last] do
    last = last + 1
  end
  local n, m = #a - first - last, #b - first - last
  local middle = shortest(a, b, first, n, m)
  if not middle then
    middle = {}
    for i = 1, n do middle[#middle + 1] = { "-", a[first + i] } end
    for i = 1, m do middle[#middle + 1] = { "+", b[first + i] } end
  end
  local out = {}
  for i = 1, first do out[i] = { " ", a[i] } end
  table.move(middle, 1, #middle, #out + 1, out)
  for i = #a - last + 1, #a do out[#out + 1] = { " ", a[i] } end
  return out
end

--- Groups edits into hunks with some equal lines around them.
-- @param edits array of `edits`
-- @param context integer|nil: equal lines around a change (3)
-- @return array of { a = first line in a, b = first line in b, edits }
function M.hunks(edits, context)
  context = context or 3
  local hunks, hunk, equal = {}, nil, 0
  local at_a, at_b = 1, 1
  for i, edit in ipairs(edits) do
    if edit[1] == " " then
      equal = equal + 1
      if hunk and equal <= context then hunk[#hunk + 1] = edit end
    else
      if not hunk or equal > 2 * context then
        local before = math.min(equal, context, i - 1)
        hunk = { a = at_a - before, b = at_b - before }
        for j = i - before, i - 1 do hunk[#hunk + 1] = edits[j] end
        hunks[#hunks + 1] = hunk
      elseif equal > context then
        for j = i - equal + context, i - 1 do hunk[#hunk + 1] = edits[j] end
      end
      equal = 0
      hunk[#hunk + 1] = edit
    end
    if edit[1] ~= "+" then at_a = at_a + 1 end
    if edit[1] ~= "-" then at_b = at_b + 1 end
  end
  return hunks
end

return M
