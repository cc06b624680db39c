-- The device's files: names of the device's file system, contents in files of a temporary directory
-- of the host.
--
-- state.disk[path] = { host = file name, size = bytes, modified = micros }. The directory is
-- removed when the device ends, so a saved state keeps the names of transferred files and not their
-- contents; such files are forgotten when it is loaded.
local digest = require "sim.digest"
local native = require "sim.native"

local M = {}

local COPY_BYTES <const> = 1 << 20

local function exists(host)
  local file <const> = io.open(host, "rb")
  if file then file:close() end
  return file ~= nil
end

function M.install(device)
  local directory, last = nil, 0
  local disk <const> = {}
  device.disk = disk

  for path, entry in pairs(device.state.disk or {}) do
    if not exists(entry.host) then device.state.disk[path] = nil end
  end
  device.state.disk = device.state.disk or {}

  local function new_host_file()
    directory = directory or native.make_directory()
    last = last + 1
    return directory .. "/" .. last
  end

  -- { host, size, modified } or nil.
  function disk.find(path)
    return device.state.disk[path]
  end

  -- Makes an empty file in the place of whatever is there.
  function disk.create(path)
    disk.remove(path)
    local host <const> = new_host_file()
    assert(io.open(host, "wb")):close()
    local entry <const> = { host = host, size = 0, modified = device:now() }
    device.state.disk[path] = entry
    return entry
  end

  -- Writes bytes at an offset, extending the file.
  function disk.write_at(entry, offset, bytes)
    local file <const> = assert(io.open(entry.host, "r+b"))
    assert(file:seek("set", offset))
    assert(file:write(bytes))
    assert(file:close())
    entry.size = math.max(entry.size, offset + #bytes)
    entry.modified = device:now()
  end

  function disk.write(path, text)
    disk.write_at(disk.create(path), 0, text)
  end

  -- At most `count` bytes from an offset.
  function disk.read_at(entry, offset, count)
    local file <const> = assert(io.open(entry.host, "rb"))
    assert(file:seek("set", offset))
    local bytes <const> = file:read(count) or ""
    file:close()
    return bytes
  end

  -- The whole of a file that is known to be small; nil if there is none.
  function disk.read(path)
    local entry <const> = disk.find(path)
    return entry and disk.read_at(entry, 0, math.max(entry.size, 1))
  end

  function disk.remove(path)
    local entry <const> = device.state.disk[path]
    if not entry then return false end
    os.remove(entry.host)
    device.state.disk[path] = nil
    return true
  end

  function disk.rename(from, to)
    if from == to then return end
    disk.remove(to)
    device.state.disk[to], device.state.disk[from] = device.state.disk[from], nil
  end

  function disk.copy(from, to)
    local source <const> = disk.find(from)
    local target <const> = disk.create(to)
    for offset = 0, source.size - 1, COPY_BYTES do
      disk.write_at(target, offset, disk.read_at(source, offset, COPY_BYTES))
    end
  end

  -- The names of the files of a directory ("/var/local/ucs"), sorted.
  function disk.list(where)
    local names <const> = {}
    for path in pairs(device.state.disk) do
      local folder <const>, name <const> = path:match "^(.*)/([^/]+)$"
      if folder == where then names[#names + 1] = name end
    end
    table.sort(names)
    return names
  end

  function disk.is_directory(path)
    if path == "/" then return true end
    for known in pairs(device.state.disk) do
      if known:sub(1, #path + 1) == path .. "/" then return true end
    end
    return false
  end

  -- The raw digest ("md5" or "sha256") of a file in memory.
  function disk.digest(path, how)
    return digest[how](disk.read(path))
  end

  device:on_close(function()
    for _, entry in pairs(device.state.disk) do os.remove(entry.host) end
    if directory then os.remove(directory) end
  end)
end

return M
