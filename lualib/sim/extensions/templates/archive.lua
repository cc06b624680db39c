-- Reads ZIP archives: the names of the files, and what is in them.
local inflate = require "sim.extensions.templates.inflate"

local M = {}

local MAX_BYTES <const> = 4 << 20 -- of all unpacked files
local DIRECTORY <const>, FILE <const>, LAST <const> = "PK\1\2", "PK\3\4", "PK\5\6"

local function fail(format, ...) error({ archive = format:format(...) }, 0) end

-- What is in one file of an archive.
local function content(data, name, method, sizes, offset)
  local packed, size = table.unpack(sizes)
  if data:sub(offset + 1, offset + 4) ~= FILE then fail("invalid local header of %s", name) end
  local name_length, extra_length = ("<I2I2"):unpack(data, offset + 27)
  local first = offset + 31 + name_length + extra_length
  local bytes = data:sub(first, first + packed - 1)
  if #bytes < packed then fail("%s is cut off", name) end
  if method ~= 0 and method ~= 8 then fail("unsupported compression method: %d", method) end
  local text = bytes
  if method == 8 then text = inflate.inflate(bytes, MAX_BYTES) end
  if not text or #text ~= size then fail("invalid data in %s", name) end
  return text
end

--- The files of an archive: { { name =, text = }, … } in its order. Raises { archive = why }.
function M.read(data)
  local at
  for i = #data - 21, math.max(1, #data - 65557), -1 do
    if data:sub(i, i + 3) == LAST then
      at = i
      break
    end
  end
  if not at then fail "end of central directory record signature not found" end
  local count, _, offset = ("<I2I4I4"):unpack(data, at + 10)
  local files, position, total = {}, offset + 1, 0
  for _ = 1, count do
    if data:sub(position, position + 3) ~= DIRECTORY then
      fail "invalid central directory file header signature"
    end
    local flags, method = ("<I2I2"):unpack(data, position + 8)
    local packed, size, name_length, extra_length, comment_length =
      ("<I4I4I2I2I2"):unpack(data, position + 20)
    local start = ("<I4"):unpack(data, position + 42)
    local name = data:sub(position + 46, position + 45 + name_length)
    if flags & 1 == 1 then fail("%s is encrypted", name) end
    if ("/" .. name .. "/"):find("/../", 1, true) or name:sub(1, 1) == "/" then
      fail("invalid relative path: %s", name)
    end
    total = total + size
    if total > MAX_BYTES then fail("more than %d bytes", MAX_BYTES) end
    if name:sub(-1) ~= "/" then
      local text = content(data, name, method, { packed, size }, start)
      files[#files + 1] = { name = name, text = text }
    end
    position = position + 46 + name_length + extra_length + comment_length
  end
  return files
end

return M
