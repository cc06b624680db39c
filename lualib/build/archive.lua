-- The archive of a packed program: bytes <-> entries. runtime/host/archive.h defines the format;
-- the runtime reads it in C.
--
-- An entry is { kind = "facts"|"main"|"module"|"asset", name, contents }. The same entries make the
-- same bytes in any order; the archive contains no times and no owners.
local bundle = require "f5.bundle"

local M = {}

local MAGIC <const> = "F5LUAPAK"
M.format = 1

local KINDS <const> = { "facts", "main", "module", "asset" }
local NUMBER <const> = {}
for i, kind in ipairs(KINDS) do NUMBER[kind] = i - 1 end

local HEADER <const> = "<c8I4I4I8I8"
local ENTRY <const> = "<I4I4I8I8I8c32"

local function before(a, b)
  if a.kind ~= b.kind then return NUMBER[a.kind] < NUMBER[b.kind] end
  return a.name < b.name
end

---The bytes of an archive.
function M.write(entries)
  local sorted = table.move(entries, 1, #entries, 1, {})
  table.sort(sorted, before)
  local names, contents, table_of_contents = {}, {}, {}
  local name_at, content_at = 0, string.packsize(HEADER) + #sorted * string.packsize(ENTRY)
  for i, entry in ipairs(sorted) do
    assert(i == 1 or before(sorted[i - 1], entry), "two entries of the same kind and name")
    names[i] = entry.name
    content_at = content_at + #entry.name
  end
  local names_offset = string.packsize(HEADER) + #sorted * string.packsize(ENTRY)
  local shared = {} -- a Lua file that is included is a module and an asset, and lies there once
  for i, entry in ipairs(sorted) do
    local offset = shared[entry.contents]
    if not offset then
      offset = content_at
      shared[entry.contents] = offset
      contents[#contents + 1] = entry.contents
      content_at = content_at + #entry.contents
    end
    table_of_contents[i] = ENTRY:pack(
      NUMBER[entry.kind], #entry.name, name_at, offset, #entry.contents,
      bundle.sha256(entry.contents)
    )
    name_at = name_at + #entry.name
  end
  return HEADER:pack(MAGIC, M.format, #sorted, names_offset, name_at)
    .. table.concat(table_of_contents) .. table.concat(names) .. table.concat(contents)
end

local function inside(offset, length, size)
  return offset >= 0 and length >= 0 and offset <= size and length <= size - offset
end

-- Checks the order as the runtime does, so that `inspect` shows what runs.
local function is_in_order(entry, previous)
  if not entry.kind or entry.name:find("\0", 1, true) then return false end
  if not previous then return true end
  if entry.kind == previous.kind and (entry.kind == "facts" or entry.kind == "main") then
    return false
  end
  return before(previous, entry)
end

---The entries of an archive, with `sha256` in hexadecimal; or nil and what is wrong with it.
function M.read(bytes)
  local ok, magic, format, count, names_offset, names_length = pcall(string.unpack, HEADER, bytes)
  if not ok or magic ~= MAGIC then return nil, "the archive has no valid header" end
  if format ~= M.format then
    return nil, ("the archive has format %d, this f5lua reads %d"):format(format, M.format)
  end
  if not inside(names_offset, names_length, #bytes) then return nil, "the archive is truncated" end
  local entries = {}
  local at = string.packsize(HEADER) + 1
  for i = 1, count do
    local whole, kind, name_length, name_at, offset, length, sum
    whole, kind, name_length, name_at, offset, length, sum, at =
      pcall(string.unpack, ENTRY, bytes, at)
    if
      not whole or not inside(offset, length, #bytes)
      or not inside(name_at, name_length, names_length)
    then
      return nil, "the archive is truncated"
    end
    local entry = {
      kind = KINDS[kind + 1],
      name = bytes:sub(names_offset + name_at + 1, names_offset + name_at + name_length),
      contents = bytes:sub(offset + 1, offset + length),
      sha256 = (sum:gsub(".", function(c) return ("%02x"):format(c:byte()) end)),
    }
    if not is_in_order(entry, entries[i - 1]) then
      return nil, "the archive is damaged: its entries are not in order"
    end
    if bundle.sha256(entry.contents) ~= sum then
      return nil,
        ("the archive is damaged: the checksum of %s '%s' is wrong"):format(entry.kind, entry.name)
    end
    entries[i] = entry
  end
  return entries
end

return M
