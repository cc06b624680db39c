-- A program file: runtime, archive, signature. `f5lua build` writes it, `inspect` and `verify` read
-- it.
local archive = require "build.archive"
local bundle = require "f5.bundle"

local M = {}

-- The fuse (runtime/host/fuse.h): magic, format, flags, its own offset, offset and length of the
-- archive, CRC of the archive, CRC of the fuse so far, version of the runtime.
local FIELDS <const> = "<I4I4I8I8I8I4"
local MAGIC_LENGTH <const>, FUSE_LENGTH <const>, VERSION_LENGTH <const> = 16, 80, 24
local EMPTY <const> = ("\0"):rep(FUSE_LENGTH - MAGIC_LENGTH - VERSION_LENGTH)
local SIGNATURE_LENGTH <const> = 64
local SIGNED <const>, DISK <const> = 1, 2

local MACHINES <const> = {
  [3] = "x86", [8] = "mips", [20] = "ppc", [21] = "ppc64", [22] = "s390x", [40] = "arm",
  [62] = "x86-64", [183] = "arm64", [243] = "riscv64",
}

-- The machine, and whether the program needs a dynamic linker.
local function read_elf(data)
  local class, order = data:byte(5, 6)
  local e = order == 2 and ">" or "<"
  local wide = class == 2
  local machine = (e .. "I2"):unpack(data, 19)
  local headers = (e .. (wide and "I8" or "I4")):unpack(data, wide and 33 or 29)
  local size, count = (e .. "I2I2"):unpack(data, wide and 55 or 43)
  local static = true
  for i = 0, count - 1 do
    if (e .. "I4"):unpack(data, headers + i * size + 1) == 3 then static = false end -- PT_INTERP
  end
  return MACHINES[machine] or ("machine " .. machine), static
end

---Reads a program file. Returns { runtime = its bytes with an empty fuse, fuse = offset of the fuse
---(from 0), version, machine, static }; for a packed program also packed = true, disk, archive,
---crc, offset, signed, signature, signed_bytes. If the archive is damaged, `damaged` is the reason.
---If the file is not such a program, it returns nil and the reason.
function M.parse(data)
  if data:sub(1, 4) ~= "\x7fELF" then return nil, "not a program" end
  local place = data:find(bundle.magic, 1, true)
  if not place or #data < place - 1 + FUSE_LENGTH then return nil, "not an f5lua program" end
  local fuse = data:sub(place, place - 1 + FUSE_LENGTH)
  local whole, machine, static = pcall(read_elf, data)
  if not whole then return nil, "not a complete program" end
  local parsed = {
    fuse = place - 1, machine = machine, static = static,
    version = fuse:sub(-VERSION_LENGTH):match "^[^\0]*",
  }
  local fields = fuse:sub(MAGIC_LENGTH + 1, -VERSION_LENGTH - 1)
  if fields == EMPTY then
    parsed.runtime = data
  else
    local format, flags, own, offset, length, crc, at = FIELDS:unpack(fields)
    parsed.packed = true
    if
      bundle.crc32(fuse:sub(1, MAGIC_LENGTH + at - 1)) ~= ("<I4"):unpack(fields, at)
      or own ~= place - 1 or offset < place or length < 0
      or length > math.maxinteger - offset - SIGNATURE_LENGTH
    then
      return nil, "a damaged f5lua program"
    end
    parsed.format, parsed.offset, parsed.crc = format, offset, crc
    parsed.signed, parsed.disk = flags & SIGNED ~= 0, flags & DISK ~= 0
    if #data <= offset then
      parsed.damaged = "its archive is missing: it was stripped or cut off"
    elseif #data < offset + length then
      parsed.damaged = "its archive is truncated"
    else
      parsed.archive = data:sub(offset + 1, offset + length)
      if bundle.crc32(parsed.archive) ~= crc then
        parsed.archive, parsed.damaged = nil, "its archive is damaged"
      end
    end
    if parsed.signed and not parsed.damaged then
      parsed.signature = data:sub(offset + length + 1, offset + length + SIGNATURE_LENGTH)
      if #parsed.signature < SIGNATURE_LENGTH then parsed.damaged = "its signature is truncated" end
      parsed.signed_bytes = data:sub(1, offset + length)
    end
    parsed.expected = offset + length + (parsed.signed and SIGNATURE_LENGTH or 0)
    if not parsed.damaged and #data > parsed.expected then
      parsed.damaged = ("it has %d bytes after its end"):format(#data - parsed.expected)
    end
    if #data >= offset then
      parsed.runtime = data:sub(1, place - 1 + MAGIC_LENGTH)
        .. EMPTY .. data:sub(place + FUSE_LENGTH - VERSION_LENGTH, offset)
    end
  end
  if parsed.runtime and parsed.runtime:find(bundle.magic, place + 1, true) then
    return nil, "not an f5lua program"
  end
  return parsed
end

---Returns the bytes of a program of a parsed runtime and an archive. Options: disk; sign, a
---function that takes the bytes before the signature and returns the signature.
function M.assemble(runtime, contents, options)
  local bytes, place = runtime.runtime, runtime.fuse
  local flags = (options.sign and SIGNED or 0) | (options.disk and DISK or 0)
  local fuse = bundle.magic
    .. FIELDS:pack(archive.format, flags, place, #bytes, #contents, bundle.crc32(contents))
  fuse = fuse .. ("<I4"):pack(bundle.crc32(fuse))
  local program = bytes:sub(1, place) .. fuse .. bytes:sub(place + #fuse + 1) .. contents
  return options.sign and program .. options.sign(program) or program
end

return M
