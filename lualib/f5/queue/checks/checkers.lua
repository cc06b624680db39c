--- The process that carries out the checks of a run (checker.lua), as its worker sees it.

local core = require "f5.core"
local handed = require "f5.work.handed"
local json = require "f5.json"

local Checker = {}
Checker.__index = Checker

-- Seconds between two looks for an answer, and after which a process without work is ended.
local LOOK <const>, IDLE <const> = 0.01, 10

local function hex(bytes)
  return (bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

--- @param run f5.queue.run: archive (bytes), name, arguments
-- @param lease number: of the worker, in seconds
function Checker.new(run, lease)
  return setmetatable({
    run = run, lease = lease, answers = {}, waiting = 0, count = 0, queue = {},
  }, Checker)
end

local function failed(message)
  error(core.error_new { kind = "protocol", message = message }, 0)
end

-- Reads answers until the process ends.
local function read(self, child)
  local rest = ""
  while true do
    local piece = child:read()
    if not piece then break end
    local parts = { rest, piece }
    while not parts[#parts]:find("\n", 1, true) do
      local more = child:read()
      if not more then break end
      parts[#parts + 1] = more
    end
    local text <const> = table.concat(parts)
    local from = 1
    while true do
      local ending <const> = text:find("\n", from, true)
      if not ending then break end
      local ok, answer = pcall(json.decode, text:sub(from, ending - 1))
      if ok and type(answer) == "table" and answer.job then self.answers[answer.job] = answer end
      from = ending + 1
    end
    rest = text:sub(from)
  end
  if self.child == child then self.child = nil end
end

-- The process, with the playbook.
local function start(self)
  local words <const> = { "/proc/self/exe", "worker", "--check-jobs" }
  local ok, child = pcall(core.child, words, "f5lua")
  if not ok then failed("cannot start a process for the check: " .. tostring(child)) end
  self.child = child
  child:write(json.encode {
    archive = hex(self.run.archive), playbook = self.run.name,
    arguments = json.array(self.run.arguments), lease = self.lease,
  } .. "\n")
  core.spawn(read, self, child)
end

-- Ends the process when it has had nothing to do for a while.
local function end_later(self)
  local seen <const> = self.count
  core.spawn(function()
    core.real_sleep(IDLE)
    if self.waiting > 0 or self.count ~= seen or not self.child then return end
    local child <const> = self.child
    self.child = nil
    child:close()
  end)
end

--- Checks one device. Returns the answer of the process; raises if it ended.
-- @param device table: of the run
-- @param connect table: options of f5.connect
function Checker:check(device, connect)
  if not self.child then start(self) end
  local child <const> = self.child
  self.count, self.waiting = self.count + 1, self.waiting + 1
  local number <const> = self.count
  local groups <const> = {}
  for name, value in pairs(device.groups) do groups[name] = value end
  local _ <close> = setmetatable({}, { __close = function()
    self.answers[number] = nil
    self.waiting = self.waiting - 1
    if self.waiting == 0 then end_later(self) end
  end })
  local sent <const> = pcall(child.write, child, json.encode {
    job = number, connect = handed(connect), on = self.run.options.on,
    device = {
      name = device.name, vars = device.vars, pair = device.pair, tags = device.tags,
      groups = next(groups) and groups or nil,
    },
  } .. "\n")
  while sent and self.child == child and not self.answers[number] do core.real_sleep(LOOK) end
  local answer <const> = self.answers[number]
  return answer or failed "the process that checks the playbook has ended"
end

return Checker
