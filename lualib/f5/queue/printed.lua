--- Which job a playbook works for: what it prints, line by line, its files and the sessions that it
-- opens itself. Fibers and coroutines that it starts work for the same job.

local core = require "f5.core"
local owner = require "f5.fleet.owner"
local terminal = require "f5.terminal"
local values = require "f5.table"

local M = {}

-- More lines than this of one attempt are not kept, and more bytes of a line.
local MOST_LINES <const>, MOST_BYTES <const> = 10000, 10000

--- A text of at most 10,000 bytes: the rest is left out.
function M.shortened(text)
  if #text <= MOST_BYTES then return text end
  return ("%s… (%d bytes)"):format(text:sub(1, utf8.offset(text, 0, MOST_BYTES + 1) - 1), #text)
end

--- Keeps what a job prints.
-- @param text string: one line or several
function M.add(job, text)
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do
    job.line_count = job.line_count + 1
    if job.line_count <= MOST_LINES then
      job.lines[#job.lines + 1] = terminal.line(M.shortened(core.mask(line)))
    elseif job.line_count == MOST_LINES + 1 then
      job.lines[#job.lines + 1] = ("(more than %d lines: the rest is not kept)"):format(MOST_LINES)
    end
  end
end

--- `print` of playbooks.
function M.print(...)
  local job = owner.current()
  if job then M.add(job, values.line(...)) end
end

local installed = false

local function install()
  if installed then return end
  installed = true
  local f5 = require "f5"
  local connect, asset = f5.connect, f5.asset
  function f5.connect(...)
    local session = connect(...)
    local job = owner.current()
    if job then job:attach(session) end
    return session
  end
  function f5.asset(name)
    local job = owner.current()
    return job and job.assets and job.assets[name] or asset(name)
  end
  owner.follow_all(f5)
  local spawn = f5.spawn
  function f5.spawn(fn, ...)
    local job = owner.current()
    local is_callable <const> = type(fn) == "function"
      or (debug.getmetatable(fn) or {}).__call ~= nil
    if not job or not is_callable then return spawn(fn, ...) end
    return job:follow(spawn, fn, ...)
  end
end

--- Calls fn(…); what it prints goes to job.lines.
function M.collect(job, fn, ...)
  install()
  job.lines, job.line_count = {}, 0
  owner.set(job)
  local results = table.pack(pcall(fn, ...))
  owner.set(nil)
  return table.unpack(results, 1, results.n)
end

return M
