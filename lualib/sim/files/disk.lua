-- The device's files: their names are those of the device's file system, their contents are in
-- temporary files of this process.
--
-- state.disk[path] = { content = key, size = bytes, modified = micros }. The key is random and
-- means something only to the process that made the file. A state file therefore cannot name a file
-- of the host: an entry whose key this process did not make counts as missing. A saved state keeps
-- the names of the device's files, not their contents.
local digest = require "sim.digest"
local native = require "sim.native"

local M = {}

local COPY_BYTES <const> = 1 << 20

function M.install(device)
  local directory, last = nil, 0
  local host_files = {}  -- key -> path of the host; only of files made here
  local disk = {}
  device.disk = disk

  local function is_ours(entry)
    return type(entry) == "table" and entry.content ~= nil and host_files[entry.content] ~= nil
  end

  -- Drops entries of a loaded state whose contents this process does not have.
  function disk.forget_foreign()
    local entries = device.state.disk
    for path, entry in pairs(type(entries) == "table" and entries or {}) do
      if not is_ours(entry) then entries[path] = nil end
    end
    device.state.disk = type(entries) == "table" and entries or {}
  end
  disk.forget_foreign()

  local function new_content()
    directory = directory or native.make_directory()
    last = last + 1
    local key = ("%s-%d"):format(digest.base64(native.random(16)), last)
    host_files[key] = directory .. "/" .. last
    return key
  end

  -- Called before a file or a directory is looked at, see sim/status/logs.lua.
  function disk.refresh() end

  -- { size, modified } or nil.
  function disk.find(path)
    disk.refresh(path)
    local entry = device.state.disk[path]
    return is_ours(entry) and entry or nil
  end

  -- Creates an empty file and replaces an existing one.
  function disk.create(path)
    disk.remove(path)
    local content = new_content()
    assert(io.open(host_files[content], "wb")):close()
    local entry = { content = content, size = 0, modified = device:now() }
    device.state.disk[path] = entry
    return entry
  end

  -- Writes bytes at an offset, extending the file.
  function disk.write_at(entry, offset, bytes)
    local file = assert(io.open(host_files[entry.content], "r+b"))
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
    local file = assert(io.open(host_files[entry.content], "rb"))
    assert(file:seek("set", offset))
    local bytes = file:read(count) or ""
    file:close()
    return bytes
  end

  -- The whole contents of a file; nil if it does not exist.
  function disk.read(path)
    local entry = disk.find(path)
    return entry and disk.read_at(entry, 0, math.max(entry.size, 1))
  end

  function disk.remove(path)
    local entry = disk.find(path)
    device.state.disk[path] = nil
    if not entry then return false end
    -- A transaction that fails puts the entry back, so its contents stay until the end.
    if not device.checks then
      os.remove(host_files[entry.content])
      host_files[entry.content] = nil
    end
    return true
  end

  function disk.rename(from, to)
    if from == to then return end
    disk.remove(to)
    device.state.disk[to], device.state.disk[from] = device.state.disk[from], nil
  end

  function disk.copy(from, to)
    local source = disk.find(from)
    local target = disk.create(to)
    for offset = 0, source.size - 1, COPY_BYTES do
      disk.write_at(target, offset, disk.read_at(source, offset, COPY_BYTES))
    end
  end

  -- The names of the files of a directory ("/var/local/ucs"), sorted.
  function disk.list(where)
    disk.refresh(where)
    local names = {}
    for path in pairs(device.state.disk) do
      local folder, name = path:match "^(.*)/([^/]+)$"
      if folder == where then names[#names + 1] = name end
    end
    table.sort(names)
    return names
  end

  function disk.is_directory(path)
    if path == "/" then return true end
    disk.refresh(path)
    for known in pairs(device.state.disk) do
      if known:sub(1, #path + 1) == path .. "/" then return true end
    end
    return false
  end

  -- The raw digest of a file; how: "md5" or "sha256".
  function disk.digest(path, how)
    return digest[how](disk.read(path))
  end

  device:on_close(function()
    for _, path in pairs(host_files) do os.remove(path) end
    if directory then os.remove(directory) end
  end)
end

return M
