-- Runs the program from outside: what a user types, and what comes back.
local checks = require "checks"
local lfs = require "lfs"

local M = {}

-- The program under test: F5LUA=FILE, or the one that runs the specs.
M.path = os.getenv "F5LUA" or lfs.symlinkattributes("/proc/self/exe", "target")

local function quote(text) return "'" .. tostring(text):gsub("'", "'\\''") .. "'" end

local function read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read "a"
  file:close()
  return text
end

local function write(path, text)
  local file <close> = assert(io.open(path, "wb"))
  file:write(text)
end

-- A static program, which can load no C modules.
function M.is_static() return require("build.program").parse(read(M.path)).static end

-- A directory of its own for a spec; deleted when the variable that holds it is closed.
function M.directory()
  local path = os.tmpname()
  os.remove(path)
  assert(lfs.mkdir(path))
  local directory = { path = path }
  function directory:file(name, text)
    local full = self.path .. "/" .. name
    write(full, text)
    return full
  end
  function directory:read(name) return read(self.path .. "/" .. name) end
  return setmetatable(directory, { __close = function() os.execute("rm -rf " .. quote(path)) end })
end

-- A clean environment but for these variables; the sanitizers' options stay.
function M.command_line(words, options)
  local parts = { "env", "-i", "PATH=" .. quote(os.getenv "PATH") }
  if not (options.env and options.env.HOME) then parts[#parts + 1] = "HOME=/nonexistent" end
  if not (options.env and (options.env.HOME or options.env.XDG_STATE_HOME)) then
    parts[#parts + 1] = "XDG_STATE_HOME=" .. quote(os.getenv "XDG_STATE_HOME" or "/nonexistent")
  end
  for _, name in ipairs { "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS" } do
    if os.getenv(name) then parts[#parts + 1] = name .. "=" .. quote(os.getenv(name)) end
  end
  for name, value in pairs(options.env or {}) do parts[#parts + 1] = name .. "=" .. quote(value) end
  parts[#parts + 1] = "timeout"
  parts[#parts + 1] = tostring(options.timeout or 60)
  parts[#parts + 1] = quote(options.program or M.path)
  for _, word in ipairs(words) do parts[#parts + 1] = quote(word) end
  return table.concat(parts, " ")
end

-- run({ "-e", "print(1)" }, { env = {…}, input = "text", directory = path, program = path, timeout
-- = seconds })
-- -> { status =, out =, err = }
function M.run(words, options)
  options = options or {}
  local directory <close> = M.directory()
  local place = directory.path
  write(place .. "/in", options.input or "")
  local line = ("%s%s <%s/in >%s/out 2>%s/err"):format(
    options.directory and "cd " .. quote(options.directory) .. " && " or "",
    M.command_line(words, options), place, place, place
  )
  local _, how, status = os.execute(line)
  return {
    status = how == "signal" and 128 + status or status,
    out = directory:read "out",
    err = directory:read "err",
  }
end

-- Starts it and returns at once: process:kill "INT", process:wait() -> as run, process:output() so
-- far. Keep it in a <close> variable.
function M.start(words, options)
  options = options or {}
  local directory = M.directory()
  local place = directory.path
  -- exec: the process id is the program's own, not that of a shell or of timeout
  local line = M.command_line(words, options):gsub(" timeout %d+ ", " ", 1)
  write(
    place .. "/script",
    ("exec <%s %s >%s/out 2>%s/err\nexec %s\n"):format(
      options.stdin or "/dev/null", "", place, place, line
    )
  )
  write(
    place .. "/outer",
    ("sh %s/script &\necho $! >%s/pid\nwait $!\necho $? >%s/ended\nmv %s/ended %s/status\n"):format(
      place, place, place, place, place
    )
  )
  os.execute(("sh %s/outer >/dev/null 2>&1 </dev/null &"):format(place))
  local process = {}

  local function until_there(name, seconds)
    for _ = 1, (seconds or 30) * 100 do
      local text = directory:read(name)
      if text and #text > 0 then return text end
      os.execute "sleep 0.01"
    end
    error(
      "no " .. name .. " of " .. table.concat(words, " ") .. "\n" .. (directory:read "err" or ""),
      3
    )
  end

  process.pid = tonumber(until_there "pid")
  function process.kill(_, signal) os.execute(("kill -%s %d"):format(signal, process.pid)) end
  function process.output() return directory:read "out" or "", directory:read "err" or "" end
  function process.wait(_, seconds)
    local status = tonumber(until_there("status", seconds))
    return { status = status, out = directory:read "out", err = directory:read "err" }
  end
  -- Until the pattern is in its output (both streams).
  function process:expect(pattern, seconds)
    checks.ran()
    for _ = 1, (seconds or 30) * 100 do
      local out, err = self:output()
      local found = (out .. err):match(pattern)
      if found then return found end
      if directory:read "status" then break end
      os.execute "sleep 0.01"
    end
    local out, err = self:output()
    error(("%q never came; out:\n%s\nerr:\n%s"):format(pattern, out, err), 2)
  end
  return setmetatable(process, {
    __close = function()
      if not directory:read "status" then
        os.execute(("kill -KILL %d 2>/dev/null"):format(process.pid))
        until_there "status"
      end
      getmetatable(directory).__close()
    end,
  })
end

return M
