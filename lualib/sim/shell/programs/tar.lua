-- tar: archives of files on the simulated disk, in the ustar format. gzip (-z) is accepted, but the
-- archive is not compressed.
local common = require "sim.shell.programs.common"
local files = require "sim.shell.files"
local texts = require "sim.text"

local programs <const> = {}

local BLOCK <const> = 512

local function padded(text, size)
  return text .. ("\0"):rep(size - #text)
end

local function header(name, size, modified)
  local function make(sum)
    return padded(
      padded(name, 100) .. "0000644\0" .. "0000000\0" .. "0000000\0"
        .. ("%011o\0%011o\0"):format(size, modified) .. sum .. "0" .. ("\0"):rep(100)
        .. "ustar\00000" .. padded("root", 32) .. padded("root", 32),
      BLOCK
    )
  end
  local total = 0
  for byte in make((" "):rep(8)):gmatch "." do total = total + byte:byte() end
  return make(("%06o\0 "):format(total))
end

-- The members of an archive: { { name, from, size }, … }; nil if it is not one.
local function members_of(text)
  local list, at = {}, 1
  while at + BLOCK - 1 <= #text do
    local block = text:sub(at, at + BLOCK - 1)
    if block:byte(1) == 0 then break end
    local size = tonumber(block:sub(125, 135), 8)
    if block:sub(258, 262) ~= "ustar" or not size then return nil end
    local prefix = block:sub(346, 500):match "^[^\0]*"
    local name = block:sub(1, 100):match "^[^\0]*"
    list[#list + 1] = {
      name = prefix ~= "" and prefix .. "/" .. name or name, from = at + BLOCK, size = size,
      kind = block:sub(157, 157),
    }
    at = at + BLOCK + (size + BLOCK - 1) // BLOCK * BLOCK
  end
  return #list > 0 and list or nil
end

local function create(shell, options, names, io)
  local parts, status = {}, 0
  local here = shell.cwd
  if options.C then shell.cwd = shell:path(options.C) end
  for _, name in ipairs(names) do
    local path = shell:path(name)
    local list = shell:size_of(path) and { path } or shell:is_directory(path)
      and shell:files_below(path) or nil
    if not list then
      io.err(("tar: %s: Cannot stat: No such file or directory\n"):format(name))
      status = 2
    end
    for _, file in ipairs(list or {}) do
      local text = files.read(shell, file)
      local shown = (name .. file:sub(#path + 1)):gsub("^/+", "")
      if #shown > 100 then
        io.err(("tar: %s: file name is too long (max 100)\n"):format(shown))
        status = 2
      elseif text then
        local entry = shell.device.disk.find(file)
        local modified = (entry and entry.modified or shell.device:now()) // 1000000
        parts[#parts + 1] = header(shown, #text, modified)
        parts[#parts + 1] = text .. ("\0"):rep(-#text % BLOCK)
        if options.v then io.out(shown .. "\n") end
      end
    end
  end
  shell.cwd = here
  parts[#parts + 1] = ("\0"):rep(2 * BLOCK)
  local archive = table.concat(parts)
  shell.budget:spend(#archive)
  if options.f and options.f ~= "-" then
    shell:write_file(shell:path(options.f), archive)
  else
    io.out(archive)
  end
  if status == 2 then io.err "tar: Exiting with failure status due to previous errors\n" end
  return status
end

local function read(shell, options, names, io)
  local text
  if (options.f or "-") ~= "-" then text = files.read(shell, options.f) else text = io.input end
  if not text then
    io.err(("tar: %s: Cannot open: No such file or directory\n"):format(options.f)
      .. "tar: Error is not recoverable: exiting now\n")
    return 2
  end
  local members = members_of(text)
  if not members then
    io.err "tar: This does not look like a tar archive\n"
    return 2
  end
  local here, wanted = shell.cwd, {}
  for _, name in ipairs(names) do wanted[texts.without_slashes(name)] = false end
  if options.C then shell.cwd = shell:path(options.C) end
  for _, member in ipairs(members) do
    local meant = #names == 0
    for name in pairs(wanted) do
      if member.name == name or member.name:sub(1, #name + 1) == name .. "/" then
        meant, wanted[name] = true, true
      end
    end
    local is_file = member.kind == "0" or member.kind == "\0"
    local outside = ("/" .. member.name .. "/"):find("/../", 1, true)
    if meant and not outside then
      if options.t or options.v then io.out(member.name .. "\n") end
      if options.x and is_file then
        shell:write_file(
          shell:path((member.name:gsub("^/+", ""))),
          text:sub(member.from, member.from + member.size - 1)
        )
      end
    end
  end
  shell.cwd = here
  local status = 0
  for name, found in pairs(wanted) do
    if not found then
      io.err(("tar: %s: Not found in archive\n"):format(name))
      status = 2
    end
  end
  return status
end

function programs.tar(shell, arguments, io)
  if arguments[1] and arguments[1]:find "^[%a]+$" then  -- the old form, without a dash
    local letters = arguments[1]
    local at = letters:find("f", 1, true)
    arguments[1] = "-" .. (at and letters:gsub("f", "") .. "f" or letters)
  end
  local options, names = common.options(arguments, "fC")
  options.f = options.f or options.file
  options.C = options.C or options.directory
  if options.c or options.create then return create(shell, options, names, io) end
  options.x, options.t = options.x or options.extract, options.t or options.list
  if options.x or options.t then return read(shell, options, names, io) end
  io.err "tar: You must specify one of the '-Acdtrux' options\n"
  return 2
end

-- gzip leaves the contents as they are; only the name changes.
function programs.gzip(shell, arguments, io)
  local options, names = common.options(arguments, "")
  local status = 0
  for _, name in ipairs(names) do
    local path = shell:path(name)
    local target = options.d and path:gsub("%.gz$", "") or path .. ".gz"
    if not shell.device.disk.find(path) then
      io.err(("gzip: %s: No such file or directory\n"):format(name))
      status = 1
    elseif options.c then
      io.out(files.read(shell, name))
    elseif options.k then
      shell.device.disk.copy(path, target)
    else
      shell.device.disk.rename(path, target)
    end
  end
  return status
end

function programs.gunzip(shell, arguments, io)
  return programs.gzip(shell, { "-d", table.unpack(arguments) }, io)
end

return programs
