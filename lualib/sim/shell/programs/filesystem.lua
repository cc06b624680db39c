-- Programs about files: ls, rm, cp, mv, mkdir, find, stat, checksums, base64.
local common = require "sim.shell.programs.common"
local digest = require "sim.digest"
local files = require "sim.shell.files"
local glob = require "sim.shell.glob"
local paths = require "sim.text"

local programs <const> = {}

local function missing(io, text, ...)
  io.err(text:format(...) .. ": No such file or directory\n")
  return 1
end

local function day(shell, path)
  local entry = shell.device.disk.find(path)
  local seconds = (entry and entry.modified or shell.device.state.booted or 0) // 1000000
  return os.date("!%b %e %H:%M", seconds)
end

local function long_line(shell, path, name)
  local size = shell:size_of(path)
  return ("%s 1 root root %d %s %s\n"):format(
    size and "-rw-r--r--." or "drwxr-xr-x.", size or 4096, day(shell, path), name
  )
end

-- The names in a directory in the order of the options -t, -S, -r.
local function sorted(shell, directory, options)
  local names = {}
  for _, name in ipairs(shell:entries(directory)) do
    if options.a or options.A or name:sub(1, 1) ~= "." then names[#names + 1] = name end
  end
  local base = directory == "/" and "/" or directory .. "/"
  local function key(name)
    local entry = shell.device.disk.find(base .. name)
    return options.t and (entry and entry.modified or 0) or entry and entry.size or 0
  end
  if options.t or options.S then
    table.sort(names, function(a, b)
      if key(a) ~= key(b) then return key(a) > key(b) end
      return a < b
    end)
  end
  if options.r then
    for i = 1, #names // 2 do names[i], names[#names + 1 - i] = names[#names + 1 - i], names[i] end
  end
  return names
end

local function list_directory(shell, directory, options, io)
  local base = directory == "/" and "/" or directory .. "/"
  local names = sorted(shell, directory, options)
  if options.l then io.out("total " .. #names * 4 .. "\n") end
  for _, name in ipairs(names) do
    local bare = name:gsub("/$", "")
    if options.l then
      io.out(long_line(shell, base .. bare, options.F and name or bare))
    else
      io.out((options.F and name or bare) .. "\n")
    end
  end
end

function programs.ls(shell, arguments, io)
  local options, names = common.options(arguments, "")
  local status = 0
  if #names == 0 then names[1] = "." end
  for _, name in ipairs(names) do
    local path = shell:path(name)
    if shell:size_of(path) or options.d and shell:is_directory(path) then
      io.out(options.l and long_line(shell, path, name) or name .. "\n")
    elseif shell:is_directory(path) then
      if #names > 1 then io.out(name .. ":\n") end
      list_directory(shell, path, options, io)
    else
      status = missing(io, "ls: cannot access %s", name) + 1
    end
  end
  return status
end

function programs.rm(shell, arguments, io)
  local options, names = common.options(arguments, "")
  local status = 0
  for _, name in ipairs(names) do
    local path = shell:path(name)
    if shell.device.disk.remove(path) then
      if options.v then io.out(("removed '%s'\n"):format(name)) end
    else
      if not shell:is_directory(path) then
        if not options.f then status = missing(io, "rm: cannot remove '%s'", name) end
      elseif not (options.r or options.R) then
        io.err(("rm: cannot remove '%s': Is a directory\n"):format(name))
        status = 1
      else
        for _, file in ipairs(shell:files_below(path)) do shell.device.disk.remove(file) end
        for directory in pairs(shell.device.directories or {}) do
          if (directory .. "/"):sub(1, #path + 1) == path .. "/" then
            shell.device.directories[directory] = nil
          end
        end
        if options.v then io.out(("removed directory: '%s'\n"):format(name)) end
      end
    end
  end
  return status
end

-- Copies or moves one file or, with -r, a directory.
local function transfer_one(shell, act, from, to, recursive)
  local disk = shell.device.disk
  if disk.find(from) then
    act(disk, from, to)
    return true
  end
  local text = shell:size_of(from) and files.read(shell, from)
  if text then
    disk.write(to, text)
    return true
  end
  if not recursive or not shell:is_directory(from) then return false end
  for _, path in ipairs(shell:files_below(from)) do
    if disk.find(path) then act(disk, path, to .. path:sub(#from + 1)) end
  end
  return true
end

local function transfer(name, act, always_recursive)
  return function(shell, arguments, io)
    local options, names = common.options(arguments, "")
    if #names < 2 then
      io.err(
        names[1] and ("%s: missing destination file operand after '%s'\n"):format(name, names[1])
          or name .. ": missing file operand\n"
      )
      return 1
    end
    local target = table.remove(names)
    local to = shell:path(target)
    local into = shell:is_directory(to)
    if #names > 1 and not into then
      io.err(("%s: target '%s' is not a directory\n"):format(name, target))
      return 1
    end
    local status = 0
    for _, source in ipairs(names) do
      local from = shell:path(source)
      local place = into and (to == "/" and "" or to) .. "/" .. paths.after_slash(from) or to
      local recursive = always_recursive or options.r or options.R or options.a
      if not recursive and not shell:size_of(from) and shell:is_directory(from) then
        io.err(("%s: omitting directory '%s'\n"):format(name, source))
        status = 1
      elseif from ~= place and not transfer_one(shell, act, from, place, recursive) then
        status = missing(io, "%s: cannot stat '%s'", name, source)
      elseif options.v then
        io.out(("'%s' -> '%s'\n"):format(source, place))
      end
    end
    return status
  end
end

programs.mv = transfer("mv", function(disk, from, to) disk.rename(from, to) end, true)
programs.cp = transfer("cp", function(disk, from, to) disk.copy(from, to) end)

function programs.touch(shell, arguments)
  local _, names = common.options(arguments, "dtr")
  for _, name in ipairs(names) do
    local path = shell:path(name)
    local entry = shell.device.disk.find(path)
    if entry then
      entry.modified = shell.device:now()
    elseif not shell:is_directory(path) then
      shell.device.disk.create(path)
    end
  end
end

function programs.mkdir(shell, arguments, io)
  local options, names = common.options(arguments, "m")
  local status = 0
  shell.device.directories = shell.device.directories or {}
  for _, name in ipairs(names) do
    local path = shell:path(name)
    local above = path:match "^(.*)/[^/]+$"
    if shell:is_directory(path) or shell:size_of(path) then
      if not options.p or shell:size_of(path) then
        io.err(("mkdir: cannot create directory '%s': File exists\n"):format(name))
        status = 1
      end
    elseif not options.p and above and above ~= "" and not shell:is_directory(above) then
      status = missing(io, "mkdir: cannot create directory '%s'", name)
    else
      shell.budget:spend(#path)
      shell.device.directories[path] = true
      if options.v then io.out(("mkdir: created directory '%s'\n"):format(name)) end
      while options.p and above and above ~= "" do
        shell.device.directories[above] = true
        above = above:match "^(.*)/[^/]+$"
      end
    end
  end
  return status
end

function programs.rmdir(shell, arguments, io)
  local status = 0
  for _, name in ipairs(arguments) do
    local path = shell:path(name)
    if #shell:entries(path) > 0 then
      io.err(("rmdir: failed to remove '%s': Directory not empty\n"):format(name))
      status = 1
    elseif (shell.device.directories or {})[path] then
      shell.device.directories[path] = nil
    else
      status = missing(io, "rmdir: failed to remove '%s'", name)
    end
  end
  return status
end

programs.chmod = function(shell, arguments, io)
  local _, names = common.options(arguments, "")
  local status = 0
  for i = 2, #names do
    local path = shell:path(names[i])
    if not shell:size_of(path) and not shell:is_directory(path) then
      status = missing(io, "chmod: cannot access '%s'", names[i])
    end
  end
  return status
end
programs.chown, programs.chgrp, programs.restorecon = programs.chmod, programs.chmod, function() end

function programs.mktemp(shell, arguments, io)
  local options, names = common.options(arguments, "p")
  local template = names[1] or "/tmp/tmp.XXXXXXXXXX"
  local number = 0
  local path
  repeat
    number = number + 1
    path = shell:path((template:gsub("X+$", function(xs)
      return ("%0" .. math.min(#xs, 20) .. "d"):format(number)
    end)))
  until not shell:size_of(path) and not shell:is_directory(path)
  if options.d then
    programs.mkdir(shell, { path }, io)
  else
    shell.device.disk.create(path)
  end
  io.out(path .. "\n")
end

-- -- contents --

local function hexadecimal(bytes)
  return (bytes:gsub(".", function(char) return ("%02x"):format(char:byte()) end))
end

-- `sha1sum -c`: checks the sums in a file.
local function check(shell, name, how, text, io)
  local status = 0
  for line in text:gmatch "[^\n]+" do
    local sum, file = line:match "^(%x+)%s+%*?(.+)$"
    local contents = file and files.read(shell, file)
    if contents and hexadecimal(digest[how](contents)) == sum:lower() then
      io.out(file .. ": OK\n")
    elseif file then
      io.out(file .. (contents and ": FAILED\n" or ": FAILED open or read\n"))
      status = 1
    else
      io.err(("%s: no properly formatted checksum lines found\n"):format(name))
      status = 1
    end
  end
  return status
end

local function checksum(name, how)
  return function(shell, arguments, io)
    local options, names = common.options(arguments, "")
    local status = 0
    if #names == 0 then names[1] = "-" end
    for _, file in ipairs(names) do
      local text
      if file == "-" then text = io.input else text = files.read(shell, file) end
      if text and (options.c or options.check) then
        status = math.max(status, check(shell, name, how, text, io))
      elseif text then
        io.out(hexadecimal(digest[how](text)) .. "  " .. file .. "\n")
      else
        status = missing(io, "%s: %s", name, file)
      end
    end
    return status
  end
end

programs.md5sum = checksum("md5sum", "md5")
programs.sha1sum = checksum("sha1sum", "sha1")
programs.sha256sum = checksum("sha256sum", "sha256")

function programs.base64(shell, arguments, io)
  local options, names = common.options(arguments, "w")
  local texts, status = common.texts_of(shell, "base64", names, io)
  for _, text in ipairs(texts) do
    if options.d or options.D or options.decode then
      io.out(digest.unbase64(text) or "")
    else
      local encoded = digest.base64(text)
      local width = math.tointeger(tonumber(options.w)) or 76
      if width > 0 then
        encoded = encoded:gsub(("."):rep(math.min(width, 200)), "%0\n")
      end
      io.out(encoded .. (encoded:sub(-1) ~= "\n" and width > 0 and "\n" or ""))
    end
  end
  return status
end

local STAT <const> = {
  s = function(_, _, size) return tostring(size) end,
  n = function(name) return name end,
  N = function(name) return "'" .. name .. "'" end,
  Y = function(_, modified) return tostring(modified // 1000000) end,
  y = function(_, modified)
    return os.date("!%Y-%m-%d %H:%M:%S.000000000 +0000", modified // 1000000)
  end,
  a = function() return "644" end,
  U = function() return "root" end,
  G = function() return "root" end,
  F = function() return "regular file" end,
}

function programs.stat(shell, arguments, io)
  local options, names = common.options(arguments, "c")
  local status = 0
  local form = options.c or options.format or options.printf
  for _, name in ipairs(#names > 0 and names or { "" }) do
    local path = shell:path(name)
    local size = name ~= "" and shell:size_of(path)
    local entry = shell.device.disk.find(path)
    local modified = entry and entry.modified or shell.device.state.booted or 0
    if not size then
      status = missing(io, "stat: cannot stat '%s'", name)
    elseif type(form) == "string" then
      io.out(form:gsub("%%(%a)", function(letter)
        return STAT[letter] and STAT[letter](name, modified, size)
      end) .. "\n")
    else
      io.out(
        ("  File: '%s'\n  Size: %d\tBlocks: %d\tIO Block: 4096   regular file\n"):format(
          name, size, (size + 511) // 512
        )
      )
    end
  end
  return status
end

function programs.file(shell, arguments, io)
  for _, name in ipairs(arguments) do
    local path = shell:path(name)
    local what = shell:size_of(path) and (shell:size_of(path) == 0 and "empty" or "ASCII text")
      or shell:is_directory(path) and "directory"
    io.out(name .. ": " .. (what or ("cannot open (No such file or directory)")) .. "\n")
  end
end

function programs.du(shell, arguments, io)
  local _, names = common.options(arguments, "d")
  local status = 0
  for _, name in ipairs(#names > 0 and names or { "." }) do
    local path = shell:path(name)
    local sum = shell:size_of(path) or 0
    if not shell:size_of(path) then
      if not shell:is_directory(path) then
        status = missing(io, "du: cannot access '%s'", name)
        goto continue
      end
      for _, file in ipairs(shell:files_below(path)) do sum = sum + (shell:size_of(file) or 0) end
    end
    io.out(("%d\t%s\n"):format((sum + 1023) // 1024, name))
    ::continue::
  end
  return status
end

local function directories_below(shell, path)
  local set, list = { [path] = true }, {}
  for _, file in ipairs(shell:files_below(path)) do
    local above = file:match "^(.*)/[^/]+$"
    while above and #above > #path do
      set[above] = true
      above = above:match "^(.*)/[^/]+$"
    end
  end
  for name in pairs(set) do list[#list + 1] = name end
  return list
end

-- find PATHS [-name PATTERN] [-type f|d] [-maxdepth N] [-delete] [-exec COMMAND {} \;]
function programs.find(shell, arguments, io)
  local places, wanted, i = {}, {}, 1
  while arguments[i] and not arguments[i]:find "^%-" do
    places[#places + 1] = arguments[i]
    i = i + 1
  end
  local command
  while arguments[i] do
    local name = arguments[i]
    if name == "-exec" then
      command = {}
      i = i + 1
      while arguments[i] and arguments[i] ~= ";" and arguments[i] ~= "+" do
        command[#command + 1] = arguments[i]
        i = i + 1
      end
    elseif name == "-delete" or name == "-print" then
      wanted[name:sub(2)] = true
    elseif name == "-name" or name == "-iname" or name == "-type" or name == "-maxdepth"
      or name == "-path"
    then
      wanted[name:sub(2)] = arguments[i + 1] or ""
      i = i + 1
    else
      io.err(("find: the simulated device does not know '%s'\n"):format(name))
      return 1
    end
    i = i + 1
  end
  local status = 0
  for _, place in ipairs(#places > 0 and places or { "." }) do
    local top = shell:path(place)
    local list = {}
    if shell:size_of(top) then
      list[1] = top
    elseif not shell:is_directory(top) then
      status = missing(io, "find: '%s'", place)
    else
      list = wanted.type == "d" and {} or shell:files_below(top)
      if wanted.type ~= "f" then
        for _, directory in ipairs(directories_below(shell, top)) do list[#list + 1] = directory end
      end
      table.sort(list)
    end
    for _, path in ipairs(list) do
      shell.budget:tick()
      local name = paths.after_slash(path)
      local _, depth = path:sub(#top + 1):gsub("/", "")
      local fits = (not wanted.name or glob.matches(name, wanted.name, shell.tick))
        and (not wanted.iname or glob.matches(name:lower(), wanted.iname:lower()))
        and (not wanted.path or glob.matches(path, wanted.path, shell.tick))
        and (not wanted.maxdepth or depth <= (tonumber(wanted.maxdepth) or 0))
      if fits then
        local shown = place .. path:sub(#top + 1)
        if command then
          local words = {}
          for at, word in ipairs(command) do words[at] = word == "{}" and shown or word end
          shell:call(words, io.shell_io)
        elseif wanted.delete then
          shell.device.disk.remove(path)
        else
          io.out(shown .. "\n")
        end
      end
    end
  end
  return status
end

function programs.readlink(shell, arguments, io)
  local _, names = common.options(arguments, "")
  if names[1] then io.out(shell:path(names[1]) .. "\n") end
  return names[1] and 0 or 1
end
programs.realpath = programs.readlink

function programs.basename(_, arguments, io)
  local name = paths.after_slash(paths.without_slashes(arguments[1] or ""))
  local suffix = arguments[2]
  if suffix and suffix ~= "" and #name > #suffix and name:sub(-#suffix) == suffix then
    name = name:sub(1, -#suffix - 1)
  end
  io.out(name .. "\n")
end

function programs.dirname(_, arguments, io)
  local above = (arguments[1] or ""):match "^(.*)/[^/]*$"
  io.out((above == "" and "/" or above or ".") .. "\n")
end

return programs
