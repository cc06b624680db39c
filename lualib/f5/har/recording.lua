-- f5.har.record(path): writes each exchange with a device to a HAR file while the program runs.
--
-- Each entry is one line. runtime/f5/observe/har_file.c writes them: one write puts new entries in
-- the place of the end, "]}}", with the end behind them. So the file is complete JSON whenever the
-- program is killed, but for a kill in the middle of a write; f5/har/file.lua reads one that was
-- cut off, too.

local core = require "f5.core"
local json = require "f5.json"
local receiver = require "f5.receiver"
local terminal = require "f5.terminal"

local M = {}

local TAIL <const> = "\n]}}\n"
local INTERVAL <const> = 0.25 -- s: how long an entry waits at most to be written
local START <const> = '{"log":'

local Recording = {}
Recording.__index = Recording
Recording.__name = "f5.recording"

local function append_open(path)
  local ok, file = pcall(core.append_open, path)
  if ok then return file end
  core.usage_error("f5.har.record: " .. tostring(file):gsub("^lualib/[^:]+:%d+: ", ""))
end

-- Opens an empty file that only its owner can read. Another file than a recording is not replaced.
local function open(path)
  local file = append_open(path)
  local text = file:read(#START)
  if text ~= "" and text ~= START then
    file:close()
    core.usage_error(("%s exists, and is no recording: it was not replaced"):format(path))
  end
  file:close()
  os.remove(path)
  file = append_open(path)
  if file:read(1) == "" then return file end
  file:close()
  core.usage_error(path .. " is in use by another program: it was not replaced")
end

local function head()
  return START .. ('{"version":"1.2","creator":%s,"entries":['):format(
    json.encode({ name = "f5lua", version = core.version }, { sort = true }))
end

-- The last writes of a program come after its playbook: it deletes its tokens. The recordings that
-- are still open then are finished when the Lua state ends.
local open_ones = {}
local guardian

local function guard()
  guardian = guardian or setmetatable({}, {
    __gc = function()
      for recording in pairs(open_ones) do recording:finish() end
    end,
  })
end

--- Starts a recording.
-- @return recording: a <close> variable, with `count` and `problem` (text; nil if all was written)
function M.start(path)
  if type(path) ~= "string" then
    core.usage_error(("f5.har.record: expected the path of a file, got a %s"):format(type(path)))
  end
  local file <const> = open(path)
  local first <const> = head()
  local self <const> = setmetatable({
    path = path, file = file, count = 0, size = #first,
    observer = core.exchanges_start { bodies = true },
  }, Recording)
  local written <const>, problem <const> = pcall(file.append, file, first .. TAIL, false)
  if not written then
    file:close()
    os.remove(path)
    core.exchanges_stop(self.observer)
    core.usage_error(("%s: %s"):format(path, tostring(problem):gsub("^lualib/[^:]+:%d+: ", "")))
  end
  core.exchanges_save(self.observer, file, self.size, TAIL)
  open_ones[self] = true
  guard()
  self.ticker = core.spawn(function()
    while true do
      core.real_sleep(INTERVAL)
      self:flush()
    end
  end)
  return self
end

-- A full disk must not end a run that changes devices. What is missing is said at once.
function Recording:fail(problem)
  self.problem = core.mask((tostring(problem):gsub("^lualib/[^:]+:%d+: ", "")))
  core.exchanges_stop(self.observer)
  pcall(self.file.truncate, self.file, self.size)
  pcall(self.file.replace_end, self.file, self.size, TAIL)
  terminal.err(
    ("f5lua: the recording %s ends after %d exchanges, and the run goes on: %s\n"):format(
      terminal.line(self.path), self.count, terminal.line(self.problem)))
end

--- Writes what has ended since the last write. Much is written before, while the program waits.
function Recording:flush()
  if not self.file or self.problem then return end
  local count <const>, size <const>, problem <const> = core.exchanges_flush(self.observer)
  self.count, self.size = count, size
  if problem then self:fail(problem) end
end

--- Ends it.
function Recording:finish()
  open_ones[self] = nil
  self:flush()
  if not self.file then return end
  core.exchanges_stop(self.observer)
  self.file:close()
  self.file = nil
end

--- Writes what there is. Calls that the end of the program makes are still recorded.
function Recording:pause()
  if self.ticker then self.ticker:cancel() end
  self.ticker = nil
  self:flush()
end

function Recording:close()
  self:pause()
  self:finish()
end

receiver.guard(Recording, "a recording")
Recording.__close = Recording.close

return M
