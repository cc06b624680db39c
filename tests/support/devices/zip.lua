-- Makes ZIP archives for specs; the files in them are not packed.

local function crc32(text)
  local crc = 0xFFFFFFFF
  for i = 1, #text do
    crc = crc ~ text:byte(i)
    for _ = 1, 8 do crc = crc >> 1 ~ (crc & 1 == 1 and 0xEDB88320 or 0) end
  end
  return crc ~ 0xFFFFFFFF
end

--- The bytes of an archive of these files: { [name] = text }.
return function(files)
  local names, parts, entries, at = {}, {}, {}, 0
  for name in pairs(files) do names[#names + 1] = name end
  table.sort(names)
  for i, name in ipairs(names) do
    local text = files[name]
    local sizes = ("<I4I4I4"):pack(crc32(text), #text, #text)
    local head = "PK\3\4" .. ("<I2I2I2I2I2"):pack(20, 0, 0, 0, 33) .. sizes
      .. ("<I2I2"):pack(#name, 0) .. name
    entries[i] = "PK\1\2" .. ("<I2I2I2I2I2I2"):pack(20, 20, 0, 0, 0, 33) .. sizes
      .. ("<I2I2I2I2I2I4I4"):pack(#name, 0, 0, 0, 0, 0, at) .. name
    parts[i] = head .. text
    at = at + #parts[i]
  end
  local directory = table.concat(entries)
  return table.concat(parts) .. directory .. "PK\5\6"
    .. ("<I2I2I2I2I4I4I2"):pack(0, 0, #names, #names, #directory, at, 0)
end
