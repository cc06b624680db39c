-- JSON without characters that a terminal would act on.

local json = require "f5.json"
local terminal = require "f5.terminal"

local function escaped(c) return ("\\u%04x"):format(c:byte(-1)) end

-- JSON allows U+007F to U+009F without escapes, but xterm reads U+009B as the start of an escape
-- sequence. Escapes mean the same to a program, so they are used for terminals, pagers and files.
---@param value any
---@param style? table as of json.encode
---@return string
return function(value, style)
  local text = json.encode(value, style)
  -- A plain search is many times faster, and rarely finds one.
  if text:find("\127", 1, true) then text = text:gsub("\127", escaped) end
  if text:find("\xC2", 1, true) then text = text:gsub("\xC2[\x80-\x9F]", escaped) end
  -- Characters that change the direction of text, and line breaks of Unicode.
  if text:find("[\xD8\xE2][\x80\x81\x9C]") then text = terminal.json(text) end
  return text
end
