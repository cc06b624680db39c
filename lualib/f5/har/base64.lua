-- Base64, for bodies that are no text.

local M = {}

local LETTERS <const> = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

function M.encode(bytes)
  local parts = {}
  for at = 1, #bytes, 3 do
    local a, b, c = bytes:byte(at, at + 2)
    local bits = a << 16 | (b or 0) << 8 | (c or 0)
    local four = ""
    for shift = 18, 0, -6 do
      local i = (bits >> shift & 63) + 1
      four = four .. LETTERS:sub(i, i)
    end
    parts[#parts + 1] = c and four or four:sub(1, b and 3 or 2) .. (b and "=" or "==")
  end
  return table.concat(parts)
end

--- The bytes; nil if the text is no Base64.
function M.decode(text)
  text = text:gsub("%s", "")
  local plain = text:gsub("=+$", "")
  if #text % 4 ~= 0 or #text - #plain > 2 or plain:find "[^%w+/]" then return nil end
  local parts, bits, count = {}, 0, 0
  for letter in plain:gmatch "." do
    bits, count = bits << 6 | LETTERS:find(letter, 1, true) - 1, count + 6
    if count >= 8 then
      count = count - 8
      parts[#parts + 1] = string.char(bits >> count & 255)
    end
    bits = bits & 0xffff
  end
  return table.concat(parts)
end

return M
