-- The programs of the device's shell. A program is a function(shell, arguments, io) that returns
-- the exit status (nil: 0). `io` has input, out(text) and err(text).
local daemons = require "sim.status.daemons"
local budget = require "sim.shell.budget"
local digest = require "sim.digest"
local regex = require "sim.shell.regex"
local restart = require "sim.http.restart"

local M = {}

local programs <const> = {}

-- Files that every device has, as functions of the device.
local KNOWN_FILES <const> = {
  ["/VERSION"] = function(device)
    local version = device.version
    return (
      "Product: %s\nVersion: %s\nBuild: %s\nSequence: %s-%s.0\nBaseBuild: %s\nEdition: %s\nDate: "
        .. "%s\n"
    ):format(
      version.product, version.version, version.build, version.version, version.build,
      version.build, version.edition, version.date
    )
  end,
  ["/proc/uptime"] = function(device)
    local seconds = (device:now() - device.state.booted) / 1000000
    return ("%.2f %.2f\n"):format(seconds, seconds * 3.6)
  end,
  ["/etc/hosts"] = function(device)
    return ("127.0.0.1\tlocalhost\n127.1.1.1\t%s\n"):format(device.hostname)
  end,
  ["/etc/issue"] = function(device)
    return ("BIG-IP %s Build %s\n"):format(device.version.version, device.version.build)
  end,
  ["/config/bigip.conf"] = function() return "#TMSH-VERSION: 17.1.3\n" end,
}
local DIRECTORIES <const> = {
  ["/"] = true,
  ["/root"] = true,
  ["/tmp"] = true,
  ["/var"] = true,
  ["/var/tmp"] = true,
  ["/config"] = true,
  ["/shared"] = true,
  ["/shared/images"] = true,
  ["/var/local/ucs"] = true,
  ["/var/config/rest/downloads"] = true,
  ["/etc"] = true,
  ["/var/log"] = true,
}

-- The text of a file, or nil. Large files are read by nobody but checksums, see checksum().
function M.read(shell, name)
  local path = shell:path(name)
  local entry = shell.device.disk.find(path)
  if entry and entry.size > budget.MAX_FILE then
    error({ stop = ("%s has more than %d bytes"):format(path, budget.MAX_FILE) }, 0)
  end
  local text = entry and shell.device.disk.read(path)
    or (KNOWN_FILES[path] and KNOWN_FILES[path](shell.device))
  if text then shell.budget:spend(#text) end
  return text
end

function M.find(name)
  return programs[name]
end

local function is_directory(shell, path)
  return DIRECTORIES[path] or shell.device.disk.is_directory(path)
end

-- Splits arguments into options of one letter and the rest.
local function split(arguments)
  local flags, rest = {}, {}
  for _, argument in ipairs(arguments) do
    if argument:find "^%-%a+$" and #rest == 0 then
      for flag in argument:sub(2):gmatch "." do flags[flag] = true end
    else
      rest[#rest + 1] = argument
    end
  end
  return flags, rest
end

local ESCAPES <const> = { n = "\n", t = "\t", r = "\r", ["\\"] = "\\", a = "\a", ["0"] = "\0" }

local function unescape(text)
  return (text:gsub("\\(.)", function(char) return ESCAPES[char] or "\\" .. char end))
end

programs["true"] = function() return 0 end
programs[":"] = programs["true"]
programs["false"] = function() return 1 end

function programs.echo(_, arguments, io)
  local newline, escapes, first = true, false, 1
  while arguments[first] and arguments[first]:find "^%-[neE]+$" do
    if arguments[first]:find "n" then newline = false end
    if arguments[first]:find "e" then escapes = true end
    first = first + 1
  end
  local text = table.concat(arguments, " ", first)
  io.out((escapes and unescape(text) or text) .. (newline and "\n" or ""))
end

-- Pads a text as "%-10.3s" does. Lua's format takes no width above 99.
local function padded(shell, text, flags, width, precision)
  width, precision = tonumber(width) or 0, tonumber(precision)
  if precision then text = text:sub(1, math.tointeger(precision) or #text) end
  local missing = width - #text
  if missing <= 0 then return text end
  shell.budget:spend(missing)
  local filler = (" "):rep(math.tointeger(missing) or budget.MAX_BYTES)
  return flags:find("-", 1, true) and text .. filler or filler .. text
end

local function number_text(value, kind, flags)
  local number = tonumber(value) or 0
  if kind == "f" then return ("%f"):format(number) end
  local whole = math.tointeger(number) or 0
  if kind == "o" and whole < 0 then whole = 0 end
  local sign = flags:find("+", 1, true) and (kind == "d" or kind == "i") and "+" or ""
  return ("%" .. sign .. (kind == "i" and "d" or kind)):format(whole)
end

function programs.printf(shell, arguments, io)
  local format = unescape(arguments[1] or "")
  local next_argument = 2
  repeat
    local used = false
    shell.budget:command()
    local conversion = "%%([-+ #0]*)(%d*)%.?(%d*)([sdicxofbq%%])"
    io.out((format:gsub(conversion, function(flags, width, places, kind)
      if kind == "%" then return "%" end
      local value = arguments[next_argument]
      next_argument, used = next_argument + 1, true
      if kind == "c" then return (value or ""):sub(1, 1) end
      if kind == "s" or kind == "b" or kind == "q" then
        value = kind == "b" and unescape(value or "") or value or ""
        return padded(shell, value, flags, width, places)
      end
      local text = number_text(value, kind, flags)
      local zeros = flags:find("^[^-]*0[^-]*$") and tonumber(width) or 0
      if #text < zeros and zeros < 100 then
        local sign, digits = text:match "^([+-]?)(.*)$"
        return sign .. ("0"):rep(math.tointeger(zeros) - #text) .. digits
      end
      return padded(shell, text, flags, width, nil)
    end)))
  until not used or next_argument > #arguments
end

-- The texts of the named files, or the input. Reports files that do not exist.
local function texts_of(shell, name, files, io)
  if #files == 0 then return { io.input }, 0 end
  local texts, status = {}, 0
  for _, file in ipairs(files) do
    local text = file == "-" and io.input or M.read(shell, file)
    if text then
      texts[#texts + 1] = text
    else
      io.err(
        ("%s: %s: %s\n"):format(
          name,
          file,
          is_directory(shell, shell:path(file)) and "Is a directory" or "No such file or directory"
        )
      )
      status = 1
    end
  end
  return texts, status
end

function programs.cat(shell, arguments, io)
  local texts, status = texts_of(shell, "cat", arguments, io)
  for _, text in ipairs(texts) do io.out(text) end
  return status
end

local function lines_of(shell, text)
  local lines = {}
  for line in text:gmatch "([^\n]*)\n?" do
    lines[#lines + 1] = line
    if #lines % 4096 == 0 then shell.budget:tick() end
  end
  if lines[#lines] == "" then lines[#lines] = nil end
  return lines
end

local HUGE <const> = 1 << 53

-- head and tail: `pick` says which of `total` lines or bytes to show.
local function part(name, pick)
  return function(shell, arguments, io)
    local count, bytes, files = "10", false, {}
    local i = 1
    while arguments[i] do
      local letter, attached = arguments[i]:match "^%-([nc]?)([-+]?%d*)$"
      if attached and attached ~= "" or letter and letter ~= "" then
        bytes, count = letter == "c", attached
        if attached == "" then count, i = arguments[i + 1] or "", i + 1 end
      else
        files[#files + 1] = arguments[i]
      end
      i = i + 1
    end
    if not count:find "^[-+]?%d+$" then
      io.err(("%s: %s: invalid number of lines\n"):format(name, count))
      return 1
    end
    local number = math.min(tonumber(count:match "%d+"), HUGE)
    local texts, status = texts_of(shell, name, files, io)
    for _, text in ipairs(texts) do
      if bytes then
        io.out(text:sub(pick(#text, number, count:sub(1, 1))))
      else
        local lines = lines_of(shell, text)
        local first, last = pick(#lines, number, count:sub(1, 1))
        for at = first, last do io.out(lines[at] .. "\n") end
      end
    end
    return status
  end
end

programs.head = part("head", function(total, count, sign)
  return 1, math.tointeger(sign == "-" and math.max(total - count, 0) or math.min(total, count))
end)
programs.tail = part("tail", function(total, count, sign)
  return math.tointeger(sign == "+" and math.max(count, 1) or math.max(1, total - count + 1)), total
end)

function programs.grep(shell, arguments, io)
  local flags, rest = split(arguments)
  local pattern = table.remove(rest, 1) or ""
  if flags.F then pattern = pattern:gsub("[][.*^$\\]", "\\%0") end
  local matches, message =
    regex.compile(pattern, { extended = flags.E and not flags.F, ignore_case = flags.i })
  if not matches then
    io.err(("grep: %s\n"):format(message))
    return 2
  end
  local texts, status = texts_of(shell, "grep", rest, io)
  local found = 0
  for _, text in ipairs(texts) do
    for _, line in ipairs(lines_of(shell, text)) do
      shell.budget:spend(#line)
      shell.budget:tick()
      if matches(line) ~= (flags.v == true) then
        found = found + 1
        if not flags.q and not flags.c then io.out(line .. "\n") end
      end
    end
  end
  if flags.c then io.out(found .. "\n") end
  return status ~= 0 and 2 or found > 0 and 0 or 1
end

function programs.wc(shell, arguments, io)
  local flags, files = split(arguments)
  local texts, status = texts_of(shell, "wc", files, io)
  for i, text in ipairs(texts) do
    local _, lines = text:gsub("\n", "")
    local _, words = text:gsub("%S+", "")
    local counts = {}
    local all = not (flags.l or flags.w or flags.c)
    if flags.l or all then counts[#counts + 1] = lines end
    if flags.w or all then counts[#counts + 1] = words end
    if flags.c or all then counts[#counts + 1] = #text end
    io.out(table.concat(counts, " ") .. (files[i] and " " .. files[i] or "") .. "\n")
  end
  return status
end

function programs.ls(shell, arguments, io)
  local flags, names = split(arguments)
  local disk = shell.device.disk
  local status = 0
  if #names == 0 then names[1] = shell.cwd end
  for _, name in ipairs(names) do
    local path = shell:path(name)
    if disk.find(path) or KNOWN_FILES[path] then
      local size = disk.find(path) and disk.find(path).size
        or #KNOWN_FILES[path](shell.device)
      io.out(
        flags.l and ("-rw-r--r--. 1 root root %d Jan  1 00:00 %s\n"):format(size, name)
          or name .. "\n"
      )
    elseif is_directory(shell, path) then
      for _, file in ipairs(disk.list(path == "/" and "" or path)) do
        local entry = disk.find((path == "/" and "" or path) .. "/" .. file)
        io.out(
          flags.l and ("-rw-r--r--. 1 root root %d Jan  1 00:00 %s\n"):format(entry.size, file)
            or file .. "\n"
        )
      end
    else
      io.err(("ls: cannot access %s: No such file or directory\n"):format(name))
      status = 2
    end
  end
  return status
end

function programs.rm(shell, arguments, io)
  local flags, names = split(arguments)
  local status = 0
  for _, name in ipairs(names) do
    if not shell.device.disk.remove(shell:path(name)) and not flags.f then
      io.err(("rm: cannot remove '%s': No such file or directory\n"):format(name))
      status = 1
    end
  end
  return status
end

local function transfer(name, act)
  return function(shell, arguments, io)
    local _, names = split(arguments)
    if #names < 2 then
      io.err(
        names[1] and ("%s: missing destination file operand after '%s'\n"):format(name, names[1])
          or name .. ": missing file operand\n"
      )
      return 1
    end
    local from, to = shell:path(names[1]), shell:path(names[2])
    local disk = shell.device.disk
    if not disk.find(from) then
      io.err(("%s: cannot stat '%s': No such file or directory\n"):format(name, names[1] or ""))
      return 1
    end
    if is_directory(shell, to) then to = to .. "/" .. from:match "[^/]+$" end
    act(disk, from, to)
    return 0
  end
end

programs.mv = transfer("mv", function(disk, from, to) disk.rename(from, to) end)
programs.cp = transfer("cp", function(disk, from, to) disk.copy(from, to) end)

function programs.touch(shell, arguments)
  for _, name in ipairs(arguments) do
    local path = shell:path(name)
    if not shell.device.disk.find(path) then shell.device.disk.create(path) end
  end
end

programs.mkdir = programs["true"]

local function checksum(name, how)
  return function(shell, arguments, io)
    local status = 0
    for _, file in ipairs(arguments) do
      local text = M.read(shell, file)
      if text then
        io.out(
          digest[how](text):gsub(".", function(char) return ("%02x"):format(char:byte()) end)
            .. "  " .. file .. "\n"
        )
      else
        io.err(("%s: %s: No such file or directory\n"):format(name, file))
        status = 1
      end
    end
    return status
  end
end

programs.md5sum = checksum("md5sum", "md5")
programs.sha1sum = checksum("sha1sum", "sha1")
programs.sha256sum = checksum("sha256sum", "sha256")

function programs.base64(shell, arguments, io)
  local flags, files = split(arguments)
  local texts, status = texts_of(shell, "base64", files, io)
  for _, text in ipairs(texts) do
    if flags.d then
      io.out(digest.unbase64(text) or "")
    else
      io.out(digest.base64(text) .. "\n")
    end
  end
  return status
end

function programs.stat(shell, arguments, io)
  local name = arguments[#arguments]
  local text = name and M.read(shell, name)
  if not text then
    io.err(("stat: cannot stat '%s': No such file or directory\n"):format(name or ""))
    return 1
  end
  io.out(#text .. "\n")
  return 0
end

function programs.cd(shell, arguments, io)
  local path = shell:path(arguments[1] or "/root")
  if not is_directory(shell, path) then
    io.err(("bash: line 0: cd: %s: No such file or directory\n"):format(arguments[1]))
    return 1
  end
  shell.cwd = path
  return 0
end

function programs.pwd(shell, _, io) io.out(shell.cwd .. "\n") end
function programs.whoami(_, _, io) io.out "root\n" end
function programs.id(_, _, io) io.out "uid=0(root) gid=0(root) groups=0(root)\n" end
function programs.hostname(shell, _, io) io.out(shell.device.hostname .. "\n") end

function programs.uname(shell, arguments, io)
  local flags = split(arguments)
  if flags.a then
    io.out(
      ("Linux %s 3.10.0-862.14.4.el7.ve.x86_64 #1 SMP x86_64 x86_64 x86_64 GNU/Linux\n"):format(
        shell.device.hostname
      )
    )
  elseif flags.n then
    io.out(shell.device.hostname .. "\n")
  elseif flags.r then
    io.out "3.10.0-862.14.4.el7.ve.x86_64\n"
  elseif flags.m then
    io.out "x86_64\n"
  else
    io.out "Linux\n"
  end
end

-- The conversions of date that C's strftime has, too.
local TIME_FORMATS <const> = "[aAbBcCdDeFgGhHIjmMnprRStTuUVwWxXyYzZ]"

function programs.date(shell, arguments, io)
  local micros = shell.device:now()
  local seconds = micros // 1000000
  local format = "%a %b %e %H:%M:%S UTC %Y"
  for _, argument in ipairs(arguments) do
    if argument:sub(1, 1) == "+" then format = argument:sub(2) end
  end
  io.out(format:gsub("%%(.)", function(letter)
    if letter == "%" then return "%" end
    if letter == "s" then return tostring(seconds) end
    if letter == "N" then return ("%09d"):format(micros % 1000000 * 1000) end
    return letter:find(TIME_FORMATS) and os.date("!%" .. letter, seconds) or nil
  end) .. "\n")
end

function programs.ps(_, _, io)
  io.out "USER       PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\n"
  for i, name in ipairs {
    "/sbin/init", "/usr/bin/mcpd -f", "/usr/bin/tmm.0", "/usr/sbin/httpd", "java -Drestjavad",
    "icrd_child",
  } do
    io.out(
      ("root  %8d  0.1  0.5  90000 20000 ?        Ss   00:00   0:01 %s\n"):format(i * 1111, name)
    )
  end
end

function programs.df(_, _, io)
  io.out "Filesystem                    1K-blocks    Used Available Use% Mounted on\n"
  for _, place in ipairs {
    { "root", "/" }, { "config", "/config" }, { "usr", "/usr" }, { "var", "/var" },
    { "shared", "/shared" },
  } do
    io.out(
      ("/dev/mapper/vg--db--vda-%-6s %8d %7d %9d %3d%% %s\n"):format(
        place[1], 4194304, 1048576, 3145728, 25, place[2]
      )
    )
  end
end

function programs.last(shell, _, io)
  io.out(
    "reboot   system boot  3.10.0-862.14.4. "
      .. os.date("!%a %b %e %H:%M", shell.device.state.booted // 1000000) .. "\n"
  )
end

function programs.uptime(shell, _, io)
  local minutes = (shell.device:now() - shell.device.state.booted) // 60000000
  io.out((" up %d min,  0 users,  load average: 0.05, 0.03, 0.01\n"):format(minutes))
end

programs.sleep = programs["true"]
programs.sync = programs["true"]
programs.logger = programs["true"]

function programs.export(shell, arguments)
  for _, argument in ipairs(arguments) do
    local name, value = argument:match "^([%a_][%w_]*)=(.*)$"
    if name then shell.variables[name] = value end
  end
end

programs.set = programs["true"]

function programs.basename(_, arguments, io) io.out((arguments[1] or ""):match "[^/]*$" .. "\n") end
function programs.dirname(_, arguments, io)
  io.out(((arguments[1] or ""):match "^(.*)/[^/]*$" or ".") .. "\n")
end

local function holds(shell, words)
  if words[1] == "!" then return not holds(shell, table.move(words, 2, #words, 1, {})) end
  local path = words[2] and shell:path(words[2])
  if #words == 2 then
    if words[1] == "-z" then return words[2] == "" end
    if words[1] == "-n" then return words[2] ~= "" end
    if words[1] == "-d" then
      return is_directory(shell, path) ~= nil and is_directory(shell, path) ~= false
    end
    local text = M.read(shell, words[2])
    if words[1] == "-s" then return text ~= nil and text ~= "" end
    return text ~= nil or words[1] == "-e" and is_directory(shell, path)
  end
  if #words == 3 then
    local a, operator, b = table.unpack(words)
    local m, n = tonumber(a) or 0, tonumber(b) or 0
    if operator == "=" or operator == "==" then return a == b end
    if operator == "!=" then return a ~= b end
    if operator == "-eq" then return m == n end
    if operator == "-ne" then return m ~= n end
    if operator == "-gt" then return m > n end
    if operator == "-ge" then return m >= n end
    if operator == "-lt" then return m < n end
    if operator == "-le" then return m <= n end
  end
  return words[1] ~= nil and words[1] ~= ""
end

function programs.test(shell, arguments)
  return holds(shell, arguments) and 0 or 1
end

programs["["] = function(shell, arguments)
  arguments[#arguments] = nil
  return holds(shell, arguments) and 0 or 1
end

function programs.bigstart(shell, arguments, io)
  if arguments[1] == "status" then
    io.out((arguments[2] or "mcpd") .. "         run (pid 5555) 1 start\n")
  elseif arguments[1] == "restart" then
    daemons.service(shell.device, arguments[2] or "all", "restart")
  end
end

function programs.tmsh(shell, arguments, io)
  return require("sim.shell.tmsh").run(shell.device, arguments, io, shell.actor)
end

function programs.reboot(shell)
  restart.reboot(shell.device)
end

return M
