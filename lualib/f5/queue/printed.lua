--- Which job a playbook works for: what it prints, line by line, its files and the sessions that it
-- opens itself. Fibers and coroutines that it starts work for the same job.

local core = require "f5.core"
local terminal = require "f5.terminal"
local values = require "f5.table"

local M = {}

-- coroutine -> job
local job_of = setmetatable({}, { __mode = "k" })

-- More lines than this of one attempt are not kept.
local MOST_LINES <const> = 10000

--- `print` of playbooks.
function M.print(...)
  local job = job_of[coroutine.running()]
  if not job then return end
  for line in (values.line(...) .. "\n"):gmatch "([^\n]*)\n" do
    job.line_count = job.line_count + 1
    if job.line_count <= MOST_LINES then
      job.lines[#job.lines + 1] = terminal.line(core.mask(line))
    elseif job.line_count == MOST_LINES + 1 then
      job.lines[#job.lines + 1] = ("(more than %d lines: the rest is not kept)"):format(MOST_LINES)
    end
  end
end

-- A function that works for the same job in another coroutine.
local function follow(fn)
  local job = job_of[coroutine.running()]
  if not job or type(fn) ~= "function" then return fn end
  return function(...)
    job_of[coroutine.running()] = job
    return fn(...)
  end
end

local installed = false

local function install()
  if installed then return end
  installed = true
  local f5 = require "f5"
  local spawn, all, create, wrap = f5.spawn, f5.all, coroutine.create, coroutine.wrap
  local connect, asset = f5.connect, f5.asset
  function f5.connect(...)
    local session = connect(...)
    local job = job_of[coroutine.running()]
    if job then job:attach(session) end
    return session
  end
  function f5.asset(name)
    local job = job_of[coroutine.running()]
    return job and job.assets and job.assets[name] or asset(name)
  end
  function f5.spawn(fn, ...) return spawn(follow(fn), ...) end
  function f5.all(list, ...)
    if type(list) ~= "table" or getmetatable(list) then return all(list, ...) end
    local followers = {}
    for key, fn in next, list do followers[key] = follow(fn) end
    return all(followers, ...)
  end
  rawset(coroutine, "create", function(fn) return create(follow(fn)) end)
  rawset(coroutine, "wrap", function(fn) return wrap(follow(fn)) end)
end

--- Calls fn(…); what it prints goes to job.lines.
function M.collect(job, fn, ...)
  install()
  job.lines, job.line_count = {}, 0
  job_of[coroutine.running()] = job
  local results = table.pack(pcall(fn, ...))
  job_of[coroutine.running()] = nil
  return table.unpack(results, 1, results.n)
end

return M
