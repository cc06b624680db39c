-- Calls every public function of the annotations with wrong values. A playbook that specs run:
--
--   f5lua tests/fuzz/wrong_calls.lua [finalizers]
--
-- prints one line for each call that neither returned nor raised an error object, then "N calls of
-- M functions". With `finalizers` each function is called from a finalizer, while the collector
-- runs at every few allocations of other calls.
local annotations = require "console.annotations"
local core = require "f5.core"
local f5 = require "f5"

local RAISED <const> = "raised by a metamethod"
local LIMIT <const> = 0.02 -- seconds that one call may wait

local in_finalizers <const> = arg[1] == "finalizers"

local device = f5.sim.start { provision = { "ltm", "asm", "apm" } }
local closed = f5.connect(device:options "admin")
local foreign, left -- another session, and a transaction of it
closed:close()

-- A call may have ended them.
local function renew()
  if not foreign or not pcall(function() foreign.ltm.pool:exists() end) then
    foreign, left = f5.connect(device:options "admin"), nil
  end
  if not left or not pcall(left.id, left) then left = foreign:begin() end
end
renew()
local bip = f5.connect(device:options "admin")
local over = bip:begin()
over:rollback()

-- -- what functions get --

local function raise() error(RAISED, 0) end
local function yield() f5.sleep(0) end

-- What metamethods return that only wait.
local YIELDING <const> = {
  __tostring = function() yield() return "text" end, __len = function() yield() return 0 end,
  __pairs = function() yield() return next, {} end, __concat = function() yield() return "" end,
}

local function hostile(event)
  local events = { __name = "hostile" }
  for _, name in ipairs {
    "__index", "__newindex", "__len", "__pairs", "__call", "__tostring", "__close", "__eq", "__lt",
    "__concat",
  } do
    events[name] = event == yield and YIELDING[name] or event
  end
  return setmetatable({}, events)
end

-- { name, value }; those that a call closes or changes are made anew for each.
local VALUES <const> = {
  { "nil", function() return nil end }, { "true", function() return true end },
  { "0", function() return 0 end }, { "-1", function() return -1 end },
  { "1.5", function() return 1.5 end }, { "nan", function() return 0 / 0 end },
  { "maxinteger", function() return math.maxinteger end }, { "empty", function() return "" end },
  { "byte 0", function() return "a\0b" end }, { "word", function() return "x" end },
  { "path", function() return "/mgmt/../x?y=%zz" end },
  { "long", function() return ("x"):rep(100000) end },
  { "utf-8", function() return "\xff\xfe" end },
  { "{}", function() return {} end }, { "list", function() return { 1, "x", false } end },
  { "table", function() return { x = 1 } end },
  { "deep", function() local t = {} t.t = t return t end },
  { "function", function() return function() end end },
  { "raising function", function() return raise end },
  { "thread", function() return coroutine.create(raise) end },
  { "file", function() return io.stdout end }, { "null", function() return f5.null end },
  { "session", function() return bip end }, { "closed session", function() return closed end },
  { "foreign session", function() return foreign end },
  { "reference", function() return bip.ltm.pool end },
  { "foreign reference", function() return foreign.ltm.pool["/Common/x"] end },
  { "ended transaction", function() return over end },
  { "foreign transaction", function() return left end },
  { "fiber", function() return f5.spawn(yield) end },
  { "raising table", function() return hostile(raise) end },
  { "yielding table", function() return hostile(yield) end },
}

-- -- what has the functions --

local planned = 0

-- A plan with a write.
local function plan_of()
  planned = planned + 1
  return bip:plan(function(twin) twin.ltm.pool["/Common/planned" .. planned]:create {} end)
end

local waiting -- the last change

-- A change that the device takes back unless it is confirmed. There is one at a time.
local function change_of()
  if waiting then pcall(waiting.take_back, waiting) end
  waiting = select(3, plan_of():apply { confirm = 600 })
  return waiting
end

local ended_change = change_of()
ended_change:confirm()

-- Twins of so many devices.
local function twins_of(count)
  local devices = {}
  for i = 1, count do devices[i] = device:options "admin" end
  return f5.twin.start { devices = devices }
end

local stopped_twins = twins_of(0)
stopped_twins:stop()

local recorded <const> = os.tmpname()

-- A recording that has ended: one that goes on would keep all calls of this program.
local function recording_of()
  local recording <const> = f5.har.record(recorded)
  recording:close()
  return recording
end
recording_of()

-- For each class objects that a script can have.
local OBJECTS <const> = {
  ["f5"] = function() return { { "f5", f5, static = true } } end,
  ["f5.json"] = function() return { { "json", f5.json, static = true } } end,
  ["f5.filter"] = function() return { { "filter", f5.filter, static = true } } end,
  ["f5.sim"] = function() return { { "sim", f5.sim, static = true } } end,
  ["f5.session"] = function()
    return { { "session", bip }, { "closed session", closed } }
  end,
  ["f5.reference"] = function()
    return {
      { "reference", bip.ltm.pool["/Common/x"] }, { "collection", bip.ltm.pool },
      { "closed reference", closed.ltm.pool.x }, { "bound reference", left(foreign.ltm.pool) },
    }
  end,
  ["f5.transaction"] = function()
    return { { "ended transaction", over }, { "transaction", bip:begin { keep_alive = false } } }
  end,
  ["f5.fiber"] = function()
    return { { "fiber", f5.spawn(yield) }, { "failed fiber", f5.spawn(function() end) } }
  end,
  ["f5.task"] = function() return { { "task", bip:task { path = "sys/ucs", id = 1 } } } end,
  ["f5.inventory"] = function() return { { "inventory", f5.inventory { { host = "h" } } } } end,
  ["f5.report"] = function()
    return { { "report", f5.each(f5.inventory {}, function() end) } }
  end,
  ["f5.asm"] = function()
    return { { "asm", f5.asm(bip) } }
  end,
  ["f5.state"] = function() return { { "state", bip:snapshot { paths = "sys/ntp" } } } end,
  ["f5.diff.report"] = function()
    local state <const> = bip:snapshot { paths = "sys/ntp" }
    return { { "diff", f5.diff(state, state) } }
  end,
  ["f5.twin"] = function() return { { "twin", f5.twin, static = true } } end,
  ["f5.twin.process"] = function()
    return { { "twins", twins_of(1) }, { "stopped twins", stopped_twins } }
  end,
  ["f5.plan"] = function()
    return { { "plan", plan_of() }, { "empty plan", bip:plan(function() end) } }
  end,
  ["f5.plan.change"] = function()
    return { { "change", change_of() }, { "ended change", ended_change } }
  end,
  ["f5.har"] = function() return { { "har", f5.har, static = true } } end,
  ["f5.recording"] = function() return { { "recording", recording_of() } } end,
  ["f5.replay"] = function()
    local closed_replay <const> = f5.har.replay(recorded)
    closed_replay:close()
    return { { "closed replay", closed_replay } }
  end,
  ["f5.asm.live"] = function() return { { "live", f5.asm(bip).live } } end,
  ["f5.deferred"] = function()
    local called <const> = f5.defer(function() end)
    called:cancel()
    return { { "deferred", f5.defer(function() end) }, { "cancelled deferred", called } }
  end,
  ["f5.policy"] = function()
    return {
      { "policy", bip:policy "/Common/x" }, { "policy of a closed session", closed:policy "x" },
    }
  end,
  ["f5.data_group"] = function()
    return {
      { "data group", bip:data_group "/Common/x" },
      { "external data group", bip:data_group("/Common/y", { external = true }) },
      { "data group of a closed session", closed:data_group "x" },
    }
  end,
  ["f5.apm"] = function() return { { "apm", f5.apm(bip) } } end,
  ["f5.live"] = function()
    return { { "live line", f5.live {} } }
  end,
}

-- Calls that are right and do what a test cannot have.
local LEFT_OUT <const> = {
  ["session:close"] = { ["session"] = true },
  ["session:change_password"] = { ["session"] = true },
  ["har:record"] = { ["word"] = true, ["long"] = true }, -- the names of files
  ["sim:start"] = { ["sim"] = true }, -- takes long; sim_spec has its wrong options
}

-- -- the calls --

local calls, functions, seen = 0, 0, {}

local function good(class, err)
  if type(err) == "table" and type(err.kind) == "string" then return err.kind ~= "" end
  local text = tostring(err)
  if class == "f5.json" and not text:find "attempt to" then return true end
  if text:find "bad argument #%d+ to '" and not text:find("lualib", 1, true) then return true end
  return err == RAISED or (text:find(RAISED, 1, true) and not text:find("lualib", 1, true))
end

local function complain(what, err)
  local text = what:gsub("'.*", "") .. ": " .. tostring(err)
  if seen[text] then return end
  seen[text] = true
  io.stdout:write(what, ": ", (tostring(err):gsub("\n.*", "")), "\n")
end

local function call(class, what, fn, ...)
  calls = calls + 1
  local arguments <const> = table.pack(...)
  local finished, ok, err
  local worker = f5.spawn(function()
    ok, err = pcall(fn, table.unpack(arguments, 1, arguments.n))
    finished = true
  end)
  -- not f5.sleep: a playbook that is checked has a clock of its own
  for _ = 1, 5 do
    if not finished then core.real_sleep(0) end
  end
  local waited = 0
  while not finished and waited < LIMIT do
    core.real_sleep(0.001)
    waited = waited + 0.001
  end
  if not finished then worker:cancel() end
  pcall(worker.join, worker)
  if finished and not ok and not good(class, err) then complain(what, err) end
end

local function try(class, name, signature, object)
  -- f5.run exists only while a playbook runs on a fleet.
  local fn <const> = signature ~= "f5.run" and object[2][name] or nil
  if not fn then
    assert(signature == "f5.run", signature .. " is not there")
    return
  end
  local skipped <const> = LEFT_OUT[signature]
  if skipped and skipped[object[1]] then return end
  for i, value in ipairs(VALUES) do
    local what <const> = ("%s of %s '%s'"):format(signature, object[1], value[1])
    if not (skipped and skipped[value[1]]) then
      if object.static then
        call(class, what, fn, value[2]())
        call(class, what, fn, value[2](), value[2]())
        call(class, what, fn, "x", value[2](), VALUES[i % #VALUES + 1][2]())
      else
        call(class, what, fn, object[2], value[2]())
        call(class, what, fn, object[2], value[2](), VALUES[i % #VALUES + 1][2]())
        call(class, what, fn, object[2], "x", value[2](), value[2]())
        if class ~= "f5.session" or not value[1]:find "session$" or value[1]:find "^closed" then
          call(class, what, fn, value[2]())
        end
      end
    end
  end
  functions = functions + 1
end

-- Methods of a simulated device are for specs, and block or stop it.
local NO_OBJECTS <const> = { ["f5.sim.device"] = true }
local function no_objects() return {} end

local function each_function(visit)
  for _, class in ipairs(annotations.classes()) do
    local names = {}
    for name in pairs(annotations.class(class).functions) do
      if type(name) == "string" then names[#names + 1] = name end
    end
    table.sort(names)
    if #names > 0 then
      local make <const> = OBJECTS[class] or NO_OBJECTS[class] and no_objects
      if not make then error("there is no object of " .. class .. " in wrong_calls.lua") end
      for _, name in ipairs(names) do
        renew()
        for _, object in ipairs(make()) do
          local word <const> = class:match "[^.]*$"
          visit(class, name, (word == "f5" and "f5." or word .. ":") .. name, object)
        end
      end
    end
  end
end

local function with_finalizers()
  local list = {}
  each_function(function(class, name, signature, object)
    if LEFT_OUT[signature] or signature == "f5.run" then return end
    list[#list + 1] = { signature, object[2][name], object.static, object[2], class }
  end)
  local at, planted = 0, true
  local function again()
    setmetatable({}, { __gc = function()
      if not planted then return end
      at = at % #list + 1
      local entry <const>, value = list[at], VALUES[calls % #VALUES + 1]
      calls = calls + 1
      local ok, err
      if entry[3] then
        ok, err = pcall(entry[2], value[2]())
      else
        ok, err = pcall(entry[2], entry[4], value[2]())
      end
      if not ok and not good(entry[5], err) then
        complain(("%s '%s' in a finalizer"):format(entry[1], value[1]), err)
      end
      again()
    end })
  end
  collectgarbage("incremental", 1, 1000, 1)
  again()
  local rounds = 0
  while calls < #list * 10 and rounds < 20000 do
    rounds = rounds + 1
    pcall(function()
      local pool = bip.ltm.pool["/Common/p" .. rounds]
      assert(tostring(pool) == "/mgmt/tm/ltm/pool/~Common~p" .. rounds)
      bip.ltm.pool:at("/Common/x", "members"):load { query = { a = 1 }, select = { "name" } }
    end)
  end
  planted = false
  collectgarbage("incremental", 200, 100, 13)
  functions = #list
end

if in_finalizers then
  with_finalizers()
else
  each_function(try)
end
os.remove(recorded)
print(("%d calls of %d functions"):format(calls, functions))
os.exit(0)
