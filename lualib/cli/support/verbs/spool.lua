-- `-` for a file: standard input and standard output as temporary files, because a transfer reads
-- its file again after a failure, and checks it before it keeps it.
local bundle = require "f5.bundle"
local fail = require "f5.fail"
local host = require "f5.host"
local usage = require "cli.support.usage"

local M = {}

local CHUNK <const> = 1 << 20

local File <const> = {}
File.__index = File
File.__close = function(self)
  if self.temporary then os.remove(self.path) end
end

local function temporary()
  local ok, path = pcall(os.tmpname)
  if not ok then fail("cannot make a temporary file: %s", path) end
  return setmetatable({ path = path, temporary = true }, File)
end

-- Returns whether it is done, or why not, and the system's number for that.
local function copy(from, to)
  while true do
    local text, why = from:read(CHUNK)
    if not text then return why == nil, why end
    local written, problem, code = to:write(text)
    if not written then return false, problem, code end
  end
end

--- A file to read, as a <close> variable with the field path. "-": what standard input has. What a
-- pipe has, such as <(…) of bash, is copied, too.
function M.input(path, program)
  local kind <const> = path ~= "-" and bundle.file_type(path)
  if path ~= "-" and (not kind or kind == "file" or kind == "directory") then
    return setmetatable({ path = path }, File)
  end
  if path == "-" and host.is_terminal(0) then
    usage("standard input is a terminal: give a file, or < FILE", program)
  end
  local made = temporary()
  local _ <close> = setmetatable({}, {
    __close = function(_, err) if err ~= nil then os.remove(made.path) end end,
  })
  local file <close> = assert(io.open(made.path, "wb"))
  local source <close>, refused = io.open(path == "-" and "/dev/null" or path, "rb")
  if not source then fail("cannot read %s", refused) end
  local ok, why = copy(path == "-" and io.stdin or source, file)
  if ok then ok, why = file:close() end
  if not ok then fail("cannot copy %s: %s", path == "-" and "standard input" or path, why) end
  return made
end

--- A file to write, as a <close> variable with the field path. For "-", call send() when it is
-- complete: that writes it to standard output.
function M.output(path, program)
  if path ~= "-" then return setmetatable({ path = path }, File) end
  if host.is_terminal(1) then
    usage("standard output is a terminal: give a file, or > FILE", program)
  end
  local made = temporary()
  function made.send()
    local file <close> = assert(io.open(made.path, "rb"))
    local ok, why, code = copy(file, io.stdout)
    if ok then ok, why, code = io.stdout:flush() end
    -- 32: the reader has ended; the signal that came with it ends the program
    if not ok and code ~= 32 then fail("cannot write to standard output: %s", why) end
  end
  return made
end

return M
