-- iCall: handlers run scripts on the clock of the device.
--
-- Scripts and handlers are configuration, objects below /mgmt/tm/sys/icall. What has to be known
-- besides is in state.icall = { handlers = { [path] = { form =, anchor =, last =, event = } } }:
-- what a handler was when it was armed, since when its time counts, the occurrence that ran last,
-- and the number of its event. It is brought up to date after each request (M.settle), so that a
-- transaction that is undone changes nothing.
--
-- A script runs in a coroutine, so that it can wait (`after 500`). Scripts that wait are not part
-- of the state: a device that starts again has forgotten them.
--
-- One turn of the device (a request, a move of the clock) runs scripts for a limited time; what is
-- due then runs in the next turn. A script that takes too long is stopped. So no script stops the
-- device.
local contrary = require "sim.contrary"
local lazy = require "sim.lazy"
local Budget = lazy "sim.shell.budget"
local Interp = lazy "sim.icall.tcl.interp"
local logs = require "sim.status.logs"
local regexps = lazy "sim.icall.tcl.regexps"
local glob = lazy "sim.shell.glob"
local rights = require "sim.auth.rights"
local restart = require "sim.http.restart"
local schedule = require "sim.icall.schedule"
local tmsh = lazy "sim.shell.tmsh"
local tmsh_commands = lazy "sim.icall.tmsh"

local M = {}

local ROOT <const> = "/mgmt/tm/sys/icall/"
local HANDLERS <const> = ROOT .. "handler/"
local PERIODIC <const>, PERPETUAL <const> = HANDLERS .. "periodic/", HANDLERS .. "perpetual/"
local TRIGGERED <const> = HANDLERS .. "triggered"
local PROGRAM <const> = "scriptd[6142]"
local OUTPUT <const> = "/var/tmp/scriptd.out"
local MAX_OUTPUT <const> = 1 << 20
local SECOND <const> = 1000000
local PAUSE <const> = SECOND  -- until the script of a perpetual handler starts again

-- Of one script, and of one turn of the device.
local MAX_COMMANDS <const>, MAX_SECONDS <const> = 100000, 0.4
local LATER <const> = 50000  -- microseconds until the next try

-- -- running a script --

local function print_to(device, text)
  local disk = device.disk
  local entry = disk.find(OUTPUT) or disk.create(OUTPUT)
  if entry.size + #text > MAX_OUTPUT then
    disk.write(OUTPUT, text:sub(-MAX_OUTPUT))
  else
    disk.write_at(entry, entry.size, text)
  end
end

-- Reports the error of a script in /var/log/ltm and in the output of scriptd.
local function report(device, name, interp, problem)
  if Budget.is_stop(problem) then
    local text = ("Script (%s) was stopped: %s"):format(name, problem.stop)
    logs.write(device, "ltm", "err", PROGRAM, "f5lua: not simulated: " .. text)
    return print_to(device, text .. "\n")
  end
  if type(problem) ~= "table" or not problem.tcl then
    device:complain(("iCall script %s: %s"):format(name, tostring(problem)))
    problem = { tcl = "internal error of the simulator" }
  end
  local detail = ('script did not successfully complete: (%s\n    while executing\n"%s" line:%d)')
    :format(problem.tcl, interp:failed(), interp.line)
  logs.write(device, "ltm", "err", PROGRAM, (
    "014f0013:3: Script (%s) generated this Tcl error:  (%s)"
  ):format(name, detail))
  print_to(device, ("Script (%s) generated this Tcl error:\n%s\n"):format(name, detail))
end

-- Lets a script run until it ends or waits. `run`: { co =, budget =, name =, interp =, path = }.
local function go_on(device, run)
  local icall, started = device.icall, os.clock()
  run.budget:restart()
  local ok, result = coroutine.resume(run.co)
  icall.used = icall.used + os.clock() - started
  if not ok then report(device, run.name, run.interp, result) end
  if coroutine.status(run.co) == "suspended" then
    icall.last_run = icall.last_run + 1
    icall.waiting[icall.last_run] = run
    device:schedule(device:now() + result * 1000, "icall-go-on", { number = icall.last_run })
    icall.changed = true
    return
  end
  if run.path then icall.running[run.path] = nil end
  if run.ended then run.ended() end
end

-- The user with whose rights a script runs; nil: the device itself. The account of a local user may
-- have changed since.
local function actor_of(device, script)
  local author = script._author
  if not author then return nil end
  if not rights.is_self(author, author.name) then return author end
  local account = device.store:get("/mgmt/tm/auth/user/" .. author.name)
  return { name = author.name, provider = author.provider, access = rights.access_of(account) }
end

-- Runs a script. `context`: what `$EVENT::context(…)` holds. `path`: its handler, which has only
-- one script at a time; nil for one that may run several times. `ended`: called at its end.
local function run_script(device, script, context, path, ended)
  local budget = Budget.new { commands = MAX_COMMANDS, seconds = MAX_SECONDS }
  local interp = Interp.new(budget)
  interp.hostname = device.hostname
  interp.globals.values["EVENT::context"] = context
  function interp.out(piece) print_to(device, piece) end
  function interp.seconds() return device:now() // SECOND end
  function interp.sleep(ms) coroutine.yield(ms) end
  tmsh_commands.add(interp, tmsh.session(device, actor_of(device, script), budget), PROGRAM)
  local run = {
    co = coroutine.create(function() interp:run(script.definition or "") end),
    budget = budget, interp = interp, name = script.fullPath, path = path, ended = ended,
    booted = device.state.booted,
  }
  if path then device.icall.running[path] = run end
  go_on(device, run)
end

-- Whether the script of a handler runs. A reboot has ended those that waited.
local function is_running(device, path)
  local run = device.icall.running[path]
  return run ~= nil and run.booted == device.state.booted
end

-- A script has waited long enough.
local function on_go_on(device, data)
  local run = device.icall.waiting[data.number]
  device.icall.waiting[data.number] = nil
  if not run or run.path and device.icall.running[run.path] ~= run then return end
  if run.booted == device.state.booted then return go_on(device, run) end
  if run.path then device.icall.running[run.path] = nil end
  if run.ended then run.ended() end
end

local function context_of(list)
  local context = {}
  for _, item in ipairs(type(list) == "table" and list or {}) do
    local name = type(item) == "table" and (item.name or item.tmName)
    if name then context[tostring(name)] = tostring(item.value or "") end
  end
  return context
end

-- Runs the script of a handler, see run_script. Returns whether there is one.
local function run_handler(device, object, context, path, ended)
  local script = device.store:get(ROOT .. "script/" .. tostring(object.script):gsub("/", "~"))
  if script then
    run_script(device, script, context, path, ended)
    return true
  end
  logs.write(device, "ltm", "err", PROGRAM, (
    "01020036:3: The requested iCall script (%s) was not found."
  ):format(tostring(object.script)))
  return false
end

-- -- handlers and their times --

local function is_active(object)
  return object ~= nil and object.status ~= "inactive"
end

-- What decides when a handler runs.
local function form_of(object)
  return ("%s %s %s %s"):format(
    tostring(object.interval), tostring(object.firstOccurrence), tostring(object.lastOccurrence),
    tostring(object.status)
  )
end

local function disarm(device, entry)
  if entry.event then device:unschedule(entry.event) end
  entry.event = nil
end

-- Schedules the next run of a handler, not before `earliest`.
local function arm(device, path, entry, earliest)
  disarm(device, entry)
  local object = device.store:get(path)
  local due = is_active(object) and schedule.next(object, entry)
  if not due then return end
  local at = contrary.icall_due(device, math.max(due, earliest or due))
  entry.event = device:schedule(at, "icall", { path = path, due = due })
  device.icall.changed = true
end

local function settle_periodic(device, path)
  local handlers = device.state.icall.handlers
  local entry, object = handlers[path], device.store:get(path)
  if not object then
    if entry then disarm(device, entry) end
    handlers[path] = nil
    return
  end
  local form = form_of(object)
  if entry and entry.form == form then return end
  if not entry then
    entry = {}
    handlers[path] = entry
  end
  entry.form, entry.anchor = form, device:now()
  arm(device, path, entry)
end

-- A perpetual handler has a script that always runs. It starts again when it ends.
local function settle_perpetual(device, path)
  local object, known = device.store:get(path), device.icall.perpetual
  local form = is_active(object) and tostring(object.script) or nil
  if known[path] == form then return end
  known[path] = form
  device.icall.running[path] = nil
  if not form then return end
  device:schedule(device:now(), "icall-perpetual", { path = path, form = form })
  device.icall.changed = true
end

-- Brings the times up to date with the configuration.
local function settle_paths(device)
  local dirty = device.icall.dirty
  if not next(dirty) then return end
  device.icall.dirty = {}
  local paths = {}
  for path in pairs(dirty) do paths[#paths + 1] = path end
  table.sort(paths)
  for _, path in ipairs(paths) do
    if path:sub(1, #PERIODIC) == PERIODIC then
      settle_periodic(device, path)
    elseif path:sub(1, #PERPETUAL) == PERPETUAL then
      settle_perpetual(device, path)
    end
  end
end

--- Called at the end of a turn of the device. Returns whether the time of the next run changed.
function M.settle(device)
  if device.twin then return false end
  settle_paths(device)
  local icall = device.icall
  local changed = icall.changed
  icall.used, icall.changed = 0, false
  return changed
end

-- A handler is due.
local function on_due(device, data)
  settle_paths(device)
  local entry = device.state.icall.handlers[data.path]
  local object = device.store:get(data.path)
  if not entry or not is_active(object) then return end
  entry.event = nil
  if restart.is_booting(device) then
    local up = device.state.restart.boot_until
    entry.anchor = up
    if contrary.has(device, "icall_missed") then entry.anchor = data.due end
    return arm(device, data.path, entry, up)
  end
  if device.icall.used > MAX_SECONDS then
    entry.event = device:schedule(
      math.max(device.running_to or 0, device:now()) + LATER, "icall", data
    )
    device.icall.changed = true
    return
  end
  entry.last = math.max(data.due, device:now() - 1)
  if not is_running(device, data.path) then
    run_handler(device, object, context_of(object.arguments), data.path)
  end
  settle_paths(device)
  entry = device.state.icall.handlers[data.path]
  if entry and not entry.event then arm(device, data.path, entry) end
end

-- The script of a perpetual handler starts.
local function on_perpetual(device, data)
  local object, icall = device.store:get(data.path), device.icall
  if icall.perpetual[data.path] ~= data.form or not object then return end
  if is_running(device, data.path) then return end
  local function again(pause)
    device:schedule(device:now() + pause, "icall-perpetual", data)
    icall.changed = true
  end
  if restart.is_booting(device) or icall.used > MAX_SECONDS then return again(LATER) end
  local found = run_handler(device, object, {}, data.path, function() again(PAUSE) end)
  if not found then again(PAUSE) end
  settle_paths(device)
end

-- The device starts with a state that was saved: what was due in between is missed.
local function started(device)
  local icall = device.state.icall
  for path, entry in pairs(icall.handlers) do
    entry.anchor = device:now()
    arm(device, path, entry)
  end
end

--- Milliseconds until the next handler is due; 0 if there is none.
function M.wait_ms(device)
  for _, event in ipairs(device.state.clock.events) do
    if event.kind:sub(1, 5) == "icall" then
      local ms = (event.due - device:now() + 999) // 1000
      return math.max(1, math.min(ms, 3600000))
    end
  end
  return 0
end

-- -- events --

local MATCH <const> = {
  ["accept-all"] = function() return true end,
  exact = function(_, value, wanted) return value == wanted end,
  glob = function(interp, value, wanted)
    return glob.matches(value, wanted, function() interp.budget:tick() end)
  end,
  regex = function(interp, value, wanted)
    return regexps.find(interp, wanted, false)(value, 1) ~= nil
  end,
}

local function passes(interp, filters, context)
  for _, filter in ipairs(type(filters) == "table" and filters or {}) do
    local how = filter.matchAlgorithm or "exact"
    if not MATCH[how] then interp:fail("not simulated: the match algorithm %s", how) end
    local value = context[filter.name]
    if value == nil or not MATCH[how](interp, value, filter.value or "") then return false end
  end
  return true
end

-- Whether a triggered handler takes an event.
local function takes(device, object, data)
  local interp = Interp.new(Budget.new { commands = MAX_COMMANDS, seconds = MAX_SECONDS })
  for _, one in ipairs(type(object.subscriptions) == "table" and object.subscriptions or {}) do
    if type(one) == "table" and one.eventName == data.name then
      local ok, result = pcall(passes, interp, one.filters, data.context)
      if ok and result then return true end
      if not ok then report(device, object.script, interp, result) end
    end
  end
  return false
end

-- An event has happened: runs the triggered handlers that subscribed to it.
local function on_event(device, data)
  if device.twin then return end
  if device.icall.used > MAX_SECONDS then
    device:schedule(
      math.max(device.running_to or 0, device:now()) + LATER, "icall-event", data
    )
    device.icall.changed = true
    return
  end
  for _, object in ipairs(device.store:list(TRIGGERED)) do
    if is_active(object) and takes(device, object, data) then
      run_handler(device, object, data.context)
    end
  end
  settle_paths(device)
end

--- Generates an event: `generate sys icall event NAME context { … }`.
function M.generate(device, _, _, body)
  if type(body.name) ~= "string" then require("sim.config.validate").nothing_to_do() end
  device:schedule(device:now(), "icall-event", {
    name = body.name, context = context_of(body.context),
  })
  device.icall.changed = true
end

function M.install(device)
  local store = device.store
  device.icall = {
    dirty = {}, perpetual = {}, running = {}, waiting = {}, last_run = 0, used = 0, changed = false,
  }
  for kind, handler in pairs {
    ["icall"] = on_due, ["icall-event"] = on_event, ["icall-go-on"] = on_go_on,
    ["icall-perpetual"] = on_perpetual,
  } do device:on(kind, handler) end
  local is_new = device.state.icall == nil
  -- the handlers of the real device run there, not in its twin
  if device.twin then return end
  device.state.icall = device.state.icall or { handlers = {} }
  local function mark(path) device.icall.dirty[path] = true end
  local function mark_all()
    for path in pairs(device.state.icall.handlers) do mark(path) end
    for _, kind in ipairs { "periodic", "perpetual" } do
      for _, segment in ipairs(store:segments(HANDLERS .. kind)) do
        mark(HANDLERS .. kind .. "/" .. segment)
      end
    end
  end
  store:watch(HANDLERS, mark, function()
    device.state.icall = device.state.icall or { handlers = {} }
    device.icall.perpetual, device.icall.running, device.icall.waiting = {}, {}, {}
    mark_all()
  end)
  if not is_new then started(device) end
  mark_all()
end

return M
