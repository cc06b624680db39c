--- Converts a pattern with * and ? to a Lua pattern for a whole name.
-- @param pattern string: all other characters are literal
-- @return string
return function(pattern)
  return "^"
    .. pattern:gsub("[%^%$%(%)%%%.%[%]%+%-]", "%%%0"):gsub("%*", ".*"):gsub("%?", ".") .. "$"
end
