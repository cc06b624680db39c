-- Texts that came from outside (a device, a file), for the terminal: control characters are shown,
-- not obeyed.

local function hexadecimal(c) return ("\\x%02x"):format(c:byte(-1)) end

-- U+0080 to U+009F are control characters too: xterm takes U+009B for the beginning of an escape
-- sequence.
---@param text string
---@param one_line? boolean tabs and line breaks are shown too; else they stay
---@return string
return function(text, one_line)
  return (
    text
      :gsub(one_line and "[\0-\31\127]" or "[\0-\8\11-\31\127]", hexadecimal)
      :gsub("\xC2[\x80-\x9F]", hexadecimal)
  )
end
