--- A pattern with * and ? as a Lua pattern for the whole of a name.
-- @param pattern string: every other character stands for itself
-- @return string
return function(pattern)
  return "^"
    .. pattern:gsub("[%^%$%(%)%%%.%[%]%+%-]", "%%%0"):gsub("%*", ".*"):gsub("%?", ".") .. "$"
end
