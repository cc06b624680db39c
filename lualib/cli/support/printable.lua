-- Makes texts of devices and files safe for the terminal: control characters are shown as \xHH.

local function hexadecimal(c) return ("\\x%02x"):format(c:byte(-1)) end

-- U+0080 to U+009F are control characters, too: xterm reads U+009B as the start of an escape
-- sequence.
---@param text string
---@param one_line? boolean show tabs and line breaks, too; default: they stay
---@return string
return function(text, one_line)
  return (
    text
      :gsub(one_line and "[\0-\31\127]" or "[\0-\8\11-\31\127]", hexadecimal)
      :gsub("\xC2[\x80-\x9F]", hexadecimal)
  )
end
