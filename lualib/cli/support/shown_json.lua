-- JSON for people and programs: what json.encode writes, and no character that a terminal would act
-- on.

local json = require "f5.json"

local function escaped(c) return ("\\u%04x"):format(c:byte(-1)) end

-- JSON need not escape U+007F to U+009F, and xterm takes U+009B for the beginning of an escape
-- sequence. Escaped they are the same to a program, so that it does not matter whether the output
-- goes to a terminal, or by way of a pager or a file.
---@param value any
---@param style? table as json.encode takes it
---@return string
return function(value, style)
  local text = json.encode(value, style)
  -- a plain search is many times faster, and hardly ever finds any
  if text:find("\127", 1, true) then text = text:gsub("\127", escaped) end
  if text:find("\xC2", 1, true) then text = text:gsub("\xC2[\x80-\x9F]", escaped) end
  return text
end
