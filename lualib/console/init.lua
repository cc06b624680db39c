--- The console: reads entries, runs each as a fiber, and prints the results.

local collections = require "console.collections"
local core = require "f5.core"
local f5 = require "f5"
local host = require "f5.host"
local Device = require "console.device"
local entry = require "console.entry"
local history = require "console.history"
local lineedit = require "f5.lineedit"
local Output = require "console.output"
local report = require "cli.support.report"
local show = require "f5.table.show"
local terminal = require "f5.terminal"

local Console = {}
Console.__index = Console

local RESULTS <const> = 9
local WRONG_USAGE <const> = 2 -- exit status

--- @param options table: interactive (a terminal is on both sides)
function Console.new(options)
  local editor = options.interactive and lineedit.new() or nil
  local self = setmetatable({
    env = _G,
    devices = {},
    saved = {},
    results = {},
    failures = 0,
    editor = editor,
    output = Output.new(editor),
    timed = false,
  }, Console)
  self.output:install()
  collections.install()
  if editor then
    for _, old in ipairs(history.load()) do editor:remember(old) end
    self.reader = require("console.terminal").new(self)
  else
    self.reader = require("console.plain").new()
  end
  self.env.f5, self.env.cjson = f5, require "cjson"
  return self
end

--- Makes a device `bip`.
function Console:use(device)
  self.device, self.env.bip = device, device.session
end

--- Logs in to another device and uses it.
-- @return device; after a failure, which is printed, nil and the exit status
function Console:connect(options)
  local ok, device = pcall(Device.connect, options)
  if not ok then
    local status <const> = self:report(device)
    return nil, type(device) == "table" and device.kind == "usage" and WRONG_USAGE or status
  end
  self.devices[#self.devices + 1] = device
  self:use(device)
  return device
end

-- `bip = f5.connect{…}` makes that device the current one.
local function adopt(self)
  local session <const> = rawget(self.env, "bip")
  if type(session) ~= "userdata" or self.device and self.device.session == session then return end
  for _, device in ipairs(self.devices) do
    if device.session == session then return self:use(device) end
  end
  local is_session, options = pcall(core.access, session)
  if not is_session then return end
  local device <const> = Device.of(session, { host = options.host })
  device.by_entry = true
  self.devices[#self.devices + 1] = device
  self:use(device)
end

--- Prints an error as f5lua prints that of a playbook.
-- @return exit status of the error
function Console:report(err)
  if type(err) == "table" and err.kind == "cancelled" then
    self.output:fresh_line()
    self.output:note(err.outcome == "unknown" and tostring(err.message) or "cancelled")
    return 1
  end
  local trace = {}
  for _, frame in ipairs(host.trace(err)) do
    if frame.file ~= "(console)" or frame.line > 1 then trace[#trace + 1] = frame end
  end
  self.output:fresh_line()
  local text, status = report(err, trace, self.output.colour)
  terminal.out((text:gsub("^([\27%d;%[m]*)f5lua:([\27%d;%[m]*) ", "%1error:%2 ")))
  return status
end

--- Prints values, one below the other.
function Console:print(...)
  for i = 1, select("#", ...) do
    local value, kind = collections.completed((select(i, ...)))
    self.output:text(show.result(value, {
      width = self.output:columns(), paint = self.output.paint, kind = kind,
    }))
  end
end

-- _ is the last result, _1 the one before it, and so on.
function Console:remember_result(value)
  table.insert(self.results, 1, value)
  self.results[RESULTS + 2] = nil
  for i, result in ipairs(self.results) do self.env[i == 1 and "_" or "_" .. i - 1] = result end
end

-- Runs in a fiber of its own.
local function run_chunk(self, chunk)
  local values = table.pack(chunk())
  self.output:fresh_line()
  if values.n == 0 then return end
  if values[1] ~= nil then self:remember_result(values[1]) end
  self:print(table.unpack(values, 1, values.n))
end

--- Runs a function as an entry is run: as a fiber, which Ctrl-C cancels.
-- @return whether it ended without an error
function Console:run(fn, ...)
  local fiber = f5.spawn(fn, ...)
  if self.editor then host.foreground(fiber) end
  local ok, err = pcall(fiber.join, fiber)
  if self.editor then host.foreground(nil) end
  if not ok then
    -- The console was cancelled, not the entry.
    if fiber:status() == "running" then error(err, 0) end
    self:report(err)
    self.failures = self.failures + 1
  end
  return ok
end

function Console:run_timed(...)
  if not self.timed then return self:run(...) end
  local device = self.device
  local before = device and device:usage().calls
  local started = host.clock()
  local ok = self:run(...)
  local spent = (host.clock() - started) * 1000
  local calls = device and math.max(0, device:usage().calls - before)
  self.output:note(
    calls and ("%.0f ms, %d call%s"):format(spent, calls, calls == 1 and "" or "s")
      or ("%.0f ms"):format(spent)
  )
  return ok
end

-- bip.sys.ntp.timezone == "UTC" is always false, and no error.
local function note_comparisons(self, source, kind)
  if not source:find "[=~]=" then return end
  local text <const> = kind == "expression" and "return " .. source or source
  for _, problem in ipairs(require("lint").check(text, { file = "(console)", open = true })) do
    if problem.code == "reference-compared" then self.output:note("hint: " .. problem.message) end
  end
end

-- `list ltm/pool` is a line of the shell.
local function note_shell(self, source)
  local word <const> = source:match "^%s*f5lua%s+(%l+)" or source:match "^%s*(%l+)%s+[%w/-]"
  for _, name in ipairs(word and require("cli.support.main").subcommands() or {}) do
    if name == word then
      return self.output:note(
        ("hint: 'f5lua %s' is a command of the shell; here it is Lua: bip.ltm.pool:list()"):format(
          word
        )
      )
    end
  end
end

--- Runs one entry: a command, or Lua.
-- @return "incomplete" if more lines must follow
function Console:entry(source)
  local command, argument = source:match "^%s*%.(%a[%w-]*)%s*(.-)%s*$"
  if not command then command, argument = require("console.commands").spoken(source, self.env) end
  if command then
    self:run_timed(require("console.commands").run, self, command, argument)
    return
  end
  if not source:find "%S" then return end
  local chunk, kind, message = entry.compile(source, self.env)
  if kind == "incomplete" then return kind end
  if not chunk then
    self.output:problem("error: " .. message)
    note_shell(self, source)
    self.failures = self.failures + 1
    return
  end
  local device = self.device
  local writes = device and device:usage().writes
  if self:run_timed(run_chunk, self, chunk) then
    self.saved[#self.saved + 1] = { source = source, kind = kind, device = device }
    note_comparisons(self, source, kind)
  elseif not device and source:find "%f[%w_]bip%f[^%w_]" then
    self.output:note "no device yet; .connect HOST logs in to one"
  end
  if device and device:usage().writes ~= writes then device.schema:forget_names() end
  adopt(self)
end

--- Returns the prompt.
function Console:prompt(continued)
  local title = self.device and self.device:title() or "f5lua"
  if continued then return (" "):rep(math.max(0, utf8.len(title) - 1)) .. "…> " end
  if not self.output.colour then return title .. "> " end
  -- The editor needs a visible character after each escape sequence: the end of one style starts
  -- the next.
  local function style(code) return ("\1\27[0;%sm\1"):format(code) end
  local name, state = title:match "^(.-)( %(.*%))$"
  local colour = state
    and (state:find "%(active" and "32" or state:find "unreachable" and "31" or "33")
  return style "1"
    .. (name or title) .. (state and style(colour) .. state or "") .. style "0" .. "> "
end

--- Reads and runs entries until the end.
-- @return exit status
function Console:loop()
  local lines
  repeat
    local line, how = self.reader:read(lines)
    if how == "interrupt" then
      lines = nil
    elseif line then
      local source = lines and lines .. "\n" .. line or line
      local incomplete = self:entry(source) == "incomplete"
      lines = incomplete and source or nil
      if not incomplete then self.reader:done(source) end
    end
  until how == "eof" or self.leaving
  if lines then
    self.output:problem "error: the input ended in the middle of an entry"
    self.failures = self.failures + 1
  end
  return self.editor and 0 or (self.failures > 0 and 1 or 0)
end

--- Closes every session, which deletes the tokens.
function Console:close()
  if self.undo then require("console.undo").drop(self) end
  if self.check then require("console.check").drop(self) end
  for _, device in ipairs(self.devices) do pcall(device.session.close, device.session) end
end

Console.__close = Console.close

return Console
