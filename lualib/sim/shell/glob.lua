-- Patterns of file names: *, ?, [a-z]. A match goes back to the last star only, so no pattern takes
-- long.
local M = {}

-- The set at `[`: whether it holds the character, and the position after it; nil if it is no set.
local function in_set(pattern, at, char)
  local first = at + 1
  local negated = pattern:find("^[!^]", first) ~= nil
  if negated then first = first + 1 end
  local stop = pattern:find("]", first + 1, true)
  if not stop then return nil end
  local found, i = false, first
  while i < stop do
    local from, to = pattern:match("^(.)%-(.)", i)
    if from and i + 2 < stop then
      found = found or char >= from and char <= to
      i = i + 3
    else
      found = found or pattern:sub(i, i) == char
      i = i + 1
    end
  end
  return found ~= negated, stop + 1
end

-- The position after the part of a pattern that matches one character; nil if it does not match.
local function step(pattern, at, char)
  local own = pattern:sub(at, at)
  if own == "?" then return at + 1 end
  if own == "[" then
    local holds, after = in_set(pattern, at, char)
    if holds then return after end
    if holds == false then return nil end
  elseif own == "\\" and at < #pattern then
    return pattern:sub(at + 1, at + 1) == char and at + 2 or nil
  end
  return own == char and own ~= "" and at + 1 or nil
end

--- Whether a text matches a pattern. `tick`: called now and then, may raise an error.
function M.matches(text, pattern, tick)
  local at, wanted, star, mark = 1, 1, nil, nil
  while at <= #text do
    local after = pattern:byte(wanted) ~= 42 and step(pattern, wanted, text:sub(at, at))
    if pattern:byte(wanted) == 42 then
      star, mark, wanted = wanted, at, wanted + 1
    elseif after then
      at, wanted = at + 1, after
    elseif star then
      mark = mark + 1
      if tick and mark % 16 == 0 then tick() end
      at, wanted = mark, star + 1
    else
      return false
    end
  end
  return pattern:find("^%**$", wanted) ~= nil
end

--- Whether a text has characters of a pattern.
function M.is_pattern(text)
  return text:find "[*?]" ~= nil or text:find "%[.-%]" ~= nil
end

--- Removes what matches a pattern from the start ("#", "##") or the end ("%", "%%") of a text: the
--- shortest part, or with a doubled operator the longest.
function M.trim(text, operator, pattern, budget)
  local at_end, longest = operator:sub(1, 1) == "%", #operator == 2
  local function tick() budget:tick() end
  for n = 0, #text do
    budget:tick()
    budget:spend(#text)
    local size = longest and #text - n or n
    local part = at_end and text:sub(#text - size + 1) or text:sub(1, size)
    if M.matches(part, pattern, tick) then
      return at_end and text:sub(1, #text - size) or text:sub(size + 1)
    end
  end
  return text
end

return M
