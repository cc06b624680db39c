-- Texts in the format of zlib, without compression: what inflates them does not see the difference.
local M = {}

local BLOCK <const> = 65535
local BASE <const> = 65521

local function adler32(text)
  local a, b = 1, 0
  for i = 1, #text do
    a = (a + text:byte(i)) % BASE
    b = (b + a) % BASE
  end
  return b << 16 | a
end

--- The text in the format of zlib.
function M.zlib(text)
  local parts = { "\x78\xda" }
  local at = 1
  repeat
    local piece = text:sub(at, at + BLOCK - 1)
    at = at + BLOCK
    local last = at > #text and 1 or 0
    parts[#parts + 1] = ("<BI2I2"):pack(last, #piece, ~#piece & 0xFFFF)
    parts[#parts + 1] = piece
  until at > #text
  parts[#parts + 1] = (">I4"):pack(adler32(text))
  return table.concat(parts)
end

return M
