-- Requests take turns: a long one pauses, so that others need not wait for its end.
--
-- A request is a task with a coroutine. Long work calls `pause` between its parts; when the time of
-- the task is used up, it waits for its next turn. The loop of the server gives the turns
-- (`go_on`), between the requests of others.
--
-- Changes are made by one task at a time, as mcpd does: other tasks that may change something wait
-- in line until it has ended. Those that read do not wait. They see the objects as they were before
-- the change, see sim/views.lua; so nobody sees half of it, and what pauses while it reads
-- sees the same objects to its end.
--
-- A task that reads may still put an object. It does so at once, and no longer pauses, unless
-- something else changes the store or it has paused: then it runs again from its start, as one that
-- changes. So it must not have changed anything else before: it is a GET.
--
-- Twins have a way of their own, see sim/twin/init.lua.
local native = require("sim.lazy") "sim.native"
local views = require "sim.views"

local M = {}

-- Microseconds: of the first turn, which most requests do not use up, and of each further turn.
local FIRST <const>, NEXT <const> = 100000, 20000
-- The response of a request that runs again; nobody gets it.
local AGAIN <const> = { status = 500, body = {} }
-- What a thread says when its task has ended.
local ENDED <const> = {}
local LATER <const> = { later = true, go_on = true }
local FAILED <const> = { status = 500 }

local ready <const> = {}  -- tasks that wait for their next turn
local idle <const> = {}  -- threads without a task
local complete <const> = {}  -- { ticket, response } of requests
local running  -- the task whose turn it is
local deadline = 0  -- of its turn

--- Ends the turn of the running task if its time is used up. Work on many objects calls it for
--- each of them.
function M.pause()
  local task = running
  if not task or native.micros() < deadline then return end
  if task.is_whole or coroutine.running() ~= task.thread or not coroutine.isyieldable() then
    return
  end
  coroutine.yield()
end

--- The processor time of the running task, in seconds, without that of others.
function M.clock()
  return running and running.used + os.clock() - running.began or os.clock()
end

--- Whether a change of a device waits for its next turn.
function M.is_changing(device)
  return device.changing ~= nil and device.changing ~= running
end

--- Called when a task that reads puts an object.
function M.put_while_reading(task)
  if task.view or task.device.changing then
    task.again = true
    error(AGAIN, 0)
  end
  task.is_whole, task.device.store.reading = true, nil
end

local function undo(store, path, object) store:place(path, object) end

-- Keeps what the store shows for the next turn of a task.
local function keep_view(task)
  local store = task.device.store
  if not task.changes then
    if not task.view then store.owner.holders = store.owner.holders + 1 end
    task.view = views.take(store)
    store.log = nil
    return
  end
  if not task.before then
    if #store.log > 0 then
      task.before = views.before(store, undo)
    else
      store.owner.holders = store.owner.holders + 1
      task.before, task.held = views.take(store), store.owner
      task.before.log = nil
    end
  end
  task.view = views.take(store)
  views.show(store, task.before)
end

local function resume(task, micros)
  local before, till = running, deadline
  running, deadline = task, micros and native.micros() + micros or math.maxinteger
  task.began = os.clock()
  local ok, mark, response = coroutine.resume(task.thread, task.run)
  task.used = task.used + os.clock() - task.began
  running, deadline = before, till
  return ok, mark, response
end

local function end_change(task)
  local device = task.device
  device.store:commit()
  if task.held then task.held.holders = task.held.holders - 1 end
  device.changing = nil
end

-- Gives a task a turn. Returns whether it has ended, and its results.
local function turn(task, micros)
  local device <const> = task.device
  local store <const> = device.store
  local shown <const> = not task.changes and (task.view or device.changing) and views.take(store)
  if task.view then views.show(store, task.view) end
  if task.changes and not task.view then store:begin() end
  store.reading = not task.changes and task or nil
  local ok <const>, mark <const>, response <const> = resume(task, micros)
  store.reading = nil
  local has_ended <const> = not ok or mark == ENDED
  if not has_ended then
    keep_view(task)
  elseif task.changes then
    end_change(task)
  elseif task.view then
    task.view.owner.holders = task.view.owner.holders - 1
  end
  if shown and not task.is_whole then views.show(store, shown) end
  if ok and has_ended then idle[#idle + 1] = task.thread end
  if not ok and not task.again then
    local problem <const> = debug.traceback(task.thread, tostring(mark))
    coroutine.close(task.thread)
    error(problem, 0)
  end
  return has_ended, response
end

-- The function of all threads: they run one task after the other.
local function run_all(run)
  while true do run = coroutine.yield(ENDED, run()) end
end

local function new_task(device, changes, ticket, run)
  device.line = device.line or {}
  return {
    device = device, changes = changes, ticket = ticket, run = run, used = 0,
    thread = table.remove(idle) or coroutine.create(run_all),
  }
end

local function put_in_line(task)
  local device = task.device
  if device.changing then
    table.insert(device.line, task)
  else
    device.changing = task
    ready[#ready + 1] = task
  end
end

-- What follows from the end of a task.
local function follow(task)
  local device = task.device
  if task.again then
    put_in_line(new_task(device, true, task.ticket, task.run))
  elseif task.changes and device.line[1] then
    device.changing = table.remove(device.line, 1)
    ready[#ready + 1] = device.changing
  end
end

local function run_turn(task, micros)
  local ok <const>, has_ended <const>, response <const> = pcall(turn, task, micros)
  if ok and not has_ended then
    ready[#ready + 1] = task
    return false
  end
  follow(task)
  if not ok then error(has_ended, 0) end
  return not task.again, response
end

--- Runs `run() -> response` for a device, as a task. Returns the response; { later = true } if
--- `go_on` has it.
-- @param changes boolean: whether it may change something
-- @param ticket integer|nil: of the request
function M.run(device, changes, ticket, run)
  local task = new_task(device, changes, ticket, run)
  if changes and device.changing then
    table.insert(device.line, task)
    return LATER
  end
  if changes then device.changing = task end
  local has_ended, response = run_turn(task, FIRST)
  if not has_ended then return LATER end
  if response and ready[1] then response.go_on = true end
  return response
end

--- Lets `run() -> ticket, response, or nothing` wait until a device has ended its change.
function M.queue(device, run)
  local task
  task = new_task(device, true, nil, function()
    local response
    task.ticket, response = run()
    return response
  end)
  table.insert(device.line, task)
end

-- A turn of a task that has paused. Keeps the response of a request that it completes.
local function run_further(task, micros)
  local ok, has_ended, response = pcall(run_turn, task, micros)
  if not ok then
    io.stderr:write("sim: ", tostring(has_ended), "\n")
    has_ended, response = true, FAILED
  end
  if has_ended and task.ticket then complete[#complete + 1] = { task.ticket, response } end
end

--- Gives the next task its turn. Returns the ticket and the response of a request that is complete,
--- or nil; and whether there is more to do.
function M.go_on()
  if ready[1] then run_further(table.remove(ready, 1), NEXT) end
  local ticket, response = table.unpack(table.remove(complete, 1) or {})
  return ticket, response, M.are_waiting()
end

--- Ends all changes of a device at once, for what cannot wait.
function M.finish(device)
  while device.changing do
    for i, task in ipairs(ready) do
      if task == device.changing then
        table.remove(ready, i)
        break
      end
    end
    run_further(device.changing)
  end
end

--- Whether `go_on` has anything to do.
function M.are_waiting() return ready[1] ~= nil or complete[1] ~= nil end

return M
