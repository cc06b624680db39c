-- Check mode: runs a playbook with twins instead of devices. Reads come from the devices, writes
-- stay in the twins. What it would do is then a list of steps and of changed objects.
--
--   local result <close> = check.run(function() playbook() end, { keep_going = false })

local core = require "f5.core"
local clocks = require "f5.plan.clock"
local defer = require "f5.jobs.defer"
local exits = require "f5.safe.exits"
local json = require "f5.json"
local owner = require "f5.fleet.owner"
local receiver = require "f5.receiver"
local steps = require "f5.plan.steps"

local M = {}

---@class f5.plan.check_options
---@field twin? table the module that starts twins; default: f5.twin
---@field keep_going? boolean go on after a step that is not simulated
---@field against? string a snapshot to run against, instead of the devices
---
---@class f5.plan.checked_device
---@field label string the name of the device in messages
---@field real f5.session? the session with the device; nil with `against`
---@field options table options of f5.connect of the device
---@field steps f5.plan.step[]
---@field commands { line: string, command: string, digest: string }[] what ran on the device itself
---@field downloads { line: string, name: string }[] files that were downloaded
---@field not_simulated { line: string, method: string, path: string, reason: string }[]
---@field owner any? for whom the coroutine worked that connected (f5.fleet.owner)
---@field uncertain_from integer? number of the first step after one that was not simulated

local WHY_NO_COMMAND <const> = "a command can do anything on the device"
local IF_HARMLESS <const> = "; if it changes nothing, say so with "

local WORKERS <const> = 20 -- devices that are asked at the same time

local Check = {}
Check.__index = Check

-- The line of the script that is running: "playbook.lua:12".
local function current_line()
  local _, err = pcall(core.usage_error, "")
  return type(err) == "table" and err.message:match "^(.-): ?$" or ""
end

-- Where a write comes from: the line of the script, or what `check.line` says.
local function line_of(self, write) return self.line or (write.where:gsub(": ?$", "")) end

-- -- what stands in for the device ----------------------------------------------------------------

-- Whether a command only removes files that this check has uploaded: the twin has them.
local function removes_uploads(device, write)
  local body = write.path:find "/util/unix%-rm$" and steps.body_of(write)
  local words = body and tostring(body.utilCmdArgs or "") or ""
  local count, known = 0, 0
  for word in words:gmatch "%S+" do
    if word:sub(1, 1) ~= "-" then
      count = count + 1
      local name = word:match "([^/]+)$" or ""
      for _, step in ipairs(device.steps) do
        if steps.place_of(step.path) and step.path:find("/" .. name, 1, true) then
          known = known + 1
          break
        end
      end
    end
  end
  return count > 0 and known == count
end

-- The same for the author of a playbook. `f5lua bash` and the like have no line of a playbook.
local function why_no_command(line, path)
  if line ~= "" then return WHY_NO_COMMAND .. IF_HARMLESS .. "{ changes = false }" end
  local is_bash = path == "/mgmt/tm/util/bash"
  return is_bash and WHY_NO_COMMAND .. IF_HARMLESS .. "--read-only" or WHY_NO_COMMAND
end

-- Why a write is not simulated before it is sent; nil if the twin may know it.
local function refusal(device, write, line)
  if write.harmless then return nil end
  local is_command = steps.class_of(write.path) == "command"
    or write.method == "POST" and write.path:find "^/mgmt/tm/task/util/"
  if is_command and not removes_uploads(device, write) then
    return why_no_command(line, write.path)
  end
  return nil
end

function Check:stop_at(device, write, reason)
  local line <const> = line_of(self, write)
  table.insert(device.not_simulated, {
    line = line, method = write.method, path = write.path, reason = reason,
  })
  -- Also without --keep-going: the playbook may catch the error and go on.
  device.uncertain_from = device.uncertain_from or #device.steps + 1
  if self.keep_going then return end
  error(core.error_new {
    kind = "not_simulated", device = device.label, method = write.method, path = write.path,
    message = line == "" and "not simulated: " .. reason or (
      "%s: not simulated: %s (--keep-going goes on, and marks what follows as uncertain)"
    ):format(line, reason),
  }, 0)
end

-- Why the twin did not simulate something; nil if it did. A transaction fails with the words of its
-- command.
local function reason_of(call)
  if call.ok or math.type(call.status) ~= "integer" or call.status < 400 then return nil end
  return (tostring(call.message or call.answer):match "not simulated by the twin: ([^\"]*)")
end

-- The queued command that a transaction could not carry out; the commit itself if that is unknown.
local function blamed(device, write, reason)
  local id = steps.class_of(write.path) == "transaction" and write.path:match "/transaction/(%d+)"
  for _, step in ipairs(id and device.steps or {}) do
    if step.transaction == id and reason:find((step.path:gsub("%?.*", "")), 1, true) then
      return { method = step.method, path = step.path, where = step.line }
    end
  end
  return write
end

function Check:recorder(device)
  local function before(write)
    local reason = refusal(device, write, line_of(self, write))
    if reason then self:stop_at(device, write, reason) end
  end
  local function after(write)
    local operation = math.tointeger(tonumber(write.operation))
    local reason = reason_of(write)
    local step = {
      n = #device.steps + 1, line = line_of(self, write), method = write.method, path = write.path,
      body = write.body, transaction = write.transaction, status = write.status, ok = write.ok,
      answer = write.answer, message = write.message, operation = operation,
      harmless = write.harmless or nil, range = write.range,
    }
    if device.uncertain_from then step.uncertain = "a step before it was not simulated" end
    device.steps[step.n] = step
    if write.ok and not write.harmless then self.clock:touch() end
    if reason then self:stop_at(device, blamed(device, write, reason), reason) end
  end
  local function refused(read)
    local reason = reason_of(read)
    if reason then self:stop_at(device, read, reason) end
  end
  return { before = before, after = after, refused = refused, simulated = true }
end

-- All twins are in one process, which starts with the first. Fibers that connect at the same time
-- wait for it.
function Check:twin_of(options)
  if not self.starting then
    self.starting = core.spawn(self.twin.start, { devices = {} })
  end
  local twins <const> = self.starting:join()
  return twins, twins:add(options)
end

function Check:add(options, real, borrowed)
  local twins, index = self:twin_of(options)
  local device = {
    label = options.label, real = real, options = options, steps = {}, commands = {},
    downloads = {}, owner = owner.current(),
    not_simulated = {}, twins = twins, index = index, borrowed = borrowed,
  }
  table.insert(self.devices, device)
  return device
end

-- A session with the twin, which looks like one with the device.
function Check:open(device, given)
  local options = device.twins:options(device.index)
  options.label = device.label
  for _, name in ipairs { "timeout", "retries", "ver", "body_limit", "parallel" } do
    options[name] = type(given) == "table" and given[name] or nil
  end
  local session = core.connect_given(options)
  self.of_session[session] = device
  core.record(session, self:recorder(device))
  return session
end

-- The device of an earlier session with the same options, so that a second session sees the writes
-- of the first.
function Check:known(options)
  for _, device in ipairs(self.devices) do
    local same = device.options.host == options.host and device.options.port == options.port
      and device.options.username == options.username
    if same then return device end
  end
  return nil
end

function Check:connected(given)
  local real = self.connect(given)
  local options = core.access(real)
  local device = self:known(options)
  if device then real:close() else device = self:add(options, real) end
  return self:open(device, given)
end

--- Returns a session with the twin of a device to which there is a session already. While the
--- check runs that session sends no write.
function Check:twin_session(real)
  local options = core.access(real)
  options.label = real:label()
  local device = self:known(options) or self:add(options, real, true)
  return self:open(device)
end

-- Calls fn(device) for all devices, some of them at a time.
function Check:for_all(fn)
  local at, workers = 0, {}
  for i = 1, math.min(WORKERS, #self.devices) do
    workers[i] = function()
      while at < #self.devices do
        at = at + 1
        fn(self.devices[at])
      end
    end
  end
  if #workers > 0 then core.all(workers) end
end

-- -- the run --------------------------------------------------------------------------------------

local function hash(text) return core.sha256(text) end

-- A command that changes nothing runs on the device itself. Any other runs nowhere.
local function checked_bash(self, bash)
  local own
  own = function(session, command, options, ...)
    local device = self.of_session[session]
    if not device or type(command) ~= "string" then return bash(session, command, options, ...) end
    if not (type(options) == "table" and options.changes == false) or not device.real then
      local write = { method = "POST", path = "/mgmt/tm/util/bash", where = current_line() }
      self:stop_at(device, write, why_no_command(line_of(self, write), write.path))
      return "", 0
    end
    local results = table.pack(bash(device.real, command, options, ...))
    core.session_methods.bash = own -- the first call loads the module and takes its place
    table.insert(device.commands, {
      line = current_line(), command = core.mask_command(tostring(command)),
      digest = hash(tostring(results[1])),
    })
    return table.unpack(results, 1, results.n)
  end
  return own
end

-- Declarations are dry runs of the device itself.
local function check_declarations(self)
  local declarations <const> = require "f5.declare.check"
  self.declarations = {}
  for _, name in ipairs(declarations.NAMES) do
    self.declarations[name] = core.session_methods[name]
  end
  local methods = declarations.methods(self, require "f5.declare", current_line)
  for name, method in pairs(methods) do
    core.session_methods[name] = receiver.of_core("session", name, method)
  end
end

-- A plan says which line downloads a file.
local function checked_download(self)
  local download <const> = require("f5.work.transfer").download
  return function(session, name, ...)
    local device = self.of_session[session]
    if device then
      table.insert(device.downloads, { line = current_line(), name = tostring(name) })
    end
    return download(session, name, ...)
  end
end

local function install(self)
  local f5 = require "f5"
  self.connect, self.bash = core.connect, core.session_methods.bash
  self.download = core.session_methods.download
  local connect = function(given)
    return self:connected(require("f5.trust.profiles").resolve(given))
  end
  core.connect, f5.connect = connect, connect
  core.session_methods.bash = checked_bash(self, self.bash)
  core.session_methods.download = checked_download(self)
  check_declarations(self)
  self.clock = clocks.start(function(seconds)
    for _, device in ipairs(self.devices) do device.twins:advance(device.index, seconds) end
  end, current_line)
end

local function uninstall(self)
  local f5 = require "f5"
  core.connect, f5.connect = self.connect, self.connect
  core.session_methods.bash, core.session_methods.download = self.bash, self.download
  for name, method in pairs(self.declarations) do core.session_methods[name] = method end
  self.clock:stop()
end

--- Asks the twin of a device, while it still runs, what was changed so far: the field `report`.
function Check.collect_device(_, device)
  local report = device.twins:report(device.index)
  for _, change in ipairs(report.changes) do
    if change.before == json.null then change.before = nil end
    if change.after == json.null then change.after = nil end
  end
  device.report = report
end

--- Begins a check: from here on f5.connect gives twins. `finish` ends it.
-- @param options f5.plan.check_options|nil
function M.start(options)
  options = options or {}
  local self = setmetatable({
    devices = {}, of_session = setmetatable({}, { __mode = "k" }),
    keep_going = options.keep_going or false, twin = options.twin or require "f5.twin",
  }, Check)
  install(self)
  return self
end

--- Ends a check: f5.connect connects to devices again.
function Check:finish() uninstall(self) end

--- Asks the twins what was changed so far: each device gets the field `report`.
function Check:collect()
  self:for_all(function(device) self:collect_device(device) end)
end

-- In f5lua the place where an error was raised is kept for its report; elsewhere nobody reports it.
local function with_trace(err)
  if exits.is_exit(err) then return err end
  if package.preload["f5.host"] then return require("f5.host").trace(err) end
  return err
end

--- Runs a function in check mode.
-- @param fn function(check): the playbook
-- @param options f5.plan.check_options|nil
-- @return result: devices (array of f5.plan.checked_device, each with `report`, that of its twin),
--   ok, error (what the function raised), exit_status (if it called os.exit).
--   Closing it ends the twins and the sessions.
function M.run(fn, options)
  local self = M.start(options)
  local stop <const> = exits.start()
  local ok, problem = xpcall(defer.call, with_trace, fn, self)
  stop()
  self:finish()
  if exits.is_exit(problem) then
    ok, self.exit_status = true, exits.status_of(problem)
  end
  self.ok, self.error = ok, not ok and problem or nil
  if type(problem) == "table" and problem.kind == "cancelled" then
    self:close()
    error(problem, 0)
  end
  self:collect()
  return self
end

--- Ends the twins, and the sessions with the devices.
function Check:close()
  for session in pairs(self.of_session) do pcall(session.close, session) end
  self:for_all(function(device)
    device.twins:stop()
    if device.real and not device.borrowed then device.real:close() end
  end)
end

Check.__close = Check.close

return M
