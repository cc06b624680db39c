-- Changes that must be confirmed: a timer on the device takes them back.
--
--   local pending = confirm.arm(session, device_of_a_plan, { seconds = 300 })
--   … the writes; pending:keep() before each group of them …
--   pending:start()                      -- the time begins now
--   confirm.confirm(session, pending.id) -- or confirm.take_back(session, id)
--
-- On the device are, all in /Common: the timer `f5lua_confirm`, a periodic handler of iCall (one
-- name for all, so there is one at a time); its script `f5lua_confirm_ID`; and later the answer
-- `f5lua_confirm_ID_answer`, see f5.confirm.script.

local core = require "f5.core"
local inverse = require "f5.confirm.inverse"
local script = require "f5.confirm.script"
local steps = require "f5.plan.steps"
local tree = require "f5.safe.tree"

local M = {}

local TIMER <const> = "f5lua_confirm"
local MINUTE <const> = 60
local LOOK <const> = 1 -- second: it is not looked at more often
local SLACK <const> = 10 -- seconds: the timer is not moved for less

M.TIMER = TIMER

local function fail(kind, session, message)
  error(core.error_new { kind = kind, device = session:label(), message = message }, 0)
end

local function full(name) return "/Common/" .. name end

local function names_of(id)
  return {
    id = id, timer = full(TIMER), script = full(TIMER .. "_" .. id),
    answer = full(TIMER .. "_" .. id .. "_answer"),
  }
end

local function timer_of(session) return session.sys.icall.handler.periodic[full(TIMER)] end
local function script_of(session, name) return session.sys.icall.script[name] end

-- The object; nil if it does not exist.
local function load(ref)
  local ok, object = pcall(ref.load, ref)
  if ok then return object end
  if type(object) == "table" and object.kind == "not_found" then return nil end
  error(object, 0)
end

-- -- what is there --------------------------------------------------------------------------------

---@class f5.confirm.state
---@field id string
---@field state "pending"|"confirmed"|"taking back"|"taken back"|"failed"|"not armed"
---@field due string? when the timer runs, as the device says it
---@field about string? who made the change, and when
---@field detail string? of what the device took back, or could not

local WORDS <const> = { "taking back", "taken back", "confirmed", "failed" }

local function state_of(answer, timer)
  local said = answer and answer.description or nil
  if not said then return timer and "pending" or "not armed" end
  for _, word in ipairs(WORDS) do
    if said:sub(1, #word) == word then
      local detail = said:sub(#word + 2)
      return word, detail ~= "" and detail or nil
    end
  end
  return "pending"
end

--- All changes that wait for a confirmation, and those that the device took back.
-- @return f5.confirm.state[], oldest first
function M.list(session)
  local timer = load(timer_of(session))
  local scripts, ids = {}, {}
  for one in session.sys.icall.script:each() do
    local id, rest = tostring(one.fullPath):match "^/Common/f5lua_confirm_([%d-]+%x*)(.*)$"
    if id and (rest == "" or rest == "_answer") then
      if not scripts[id] then
        scripts[id] = {}
        ids[#ids + 1] = id
      end
      scripts[id][rest == "" and "script" or "answer"] = one
    end
  end
  table.sort(ids)
  local out = {}
  for i, id in ipairs(ids) do
    local own = timer and timer.script == names_of(id).script and timer or nil
    local state, detail = state_of(scripts[id].answer, own)
    out[i] = {
      id = id, state = state, detail = detail, due = own and own.firstOccurrence,
      about = scripts[id].script and scripts[id].script.description,
    }
  end
  return out
end

local function find(session, id)
  local list = M.list(session)
  if id then
    for _, one in ipairs(list) do
      if one.id == id then return one end
    end
    fail("not_found", session, ("no change with the id %s waits for a confirmation"):format(id))
  end
  local waiting = {}
  for _, one in ipairs(list) do
    if one.state == "pending" then waiting[#waiting + 1] = one end
  end
  local found = waiting[1] or list[#list]
  return found or fail("not_found", session, "no change waits for a confirmation")
end

-- Removes what is on the device for a change. The timer is only removed if it is that of this one.
local function remove(session, id)
  local names = names_of(id)
  local timer = load(timer_of(session))
  if timer and timer.script == names.script then timer_of(session):absent() end
  script_of(session, names.script):absent()
  script_of(session, names.answer):absent()
end

-- The same; what this user may not remove stays.
local function remove_if_permitted(session, id)
  local ok, err = pcall(remove, session, id)
  if not ok and not (type(err) == "table" and err.kind == "forbidden") then error(err, 0) end
end

-- -- before the change ----------------------------------------------------------------------------

-- A pair must be in sync, and this unit must be the active one.
local function check_pair(session)
  local entry = core.flat(session.cm["sync-status"]:load())[1] or {}
  if entry.status == "Standalone" then return end
  if entry.status ~= "In Sync" then
    fail("conflict", session,
      "nothing was sent: the device is not in sync with its group: " .. tostring(entry.status))
  end
  local state = session:failover_state()
  if state ~= "active" then
    fail("conflict", session, ("nothing was sent: the device is %s; a change that must be "
      .. "confirmed is made on the active one"):format(tostring(state)))
  end
end

--- What else may save the configuration of a device before a change is confirmed.
-- @return array of texts
function M.savers(session)
  local out = {}
  for group in session.cm["device-group"]:each() do
    if group.saveOnAutoSync == "true" then
      out[#out + 1] = ("the device group %s saves the configuration by itself"):format(group.name)
    end
  end
  return out
end

local function hosts_of(session, device)
  local list = { session.sys["global-settings"]:load().hostname }
  local settings = device.objects["/mgmt/tm/sys/global-settings"]
  if settings and settings.after then list[2] = settings.after.hostname end
  return list
end

local function new_id()
  -- Lua seeds math.random with the second and an address: two processes can have the same.
  local seed = ("%.9f %s %d"):format(core.now(), tostring {}, math.random(0))
  return ("%s-%s"):format(os.date "!%Y%m%d-%H%M%S", core.sha256(seed):sub(1, 4))
end

-- The time for `firstOccurrence`: a device knows whole minutes from now.
local function from_now(seconds)
  return ("now+%dm"):format((seconds + MINUTE - 1) // MINUTE)
end

local function refuse_problems(session, problems)
  if #problems == 0 then return end
  local lines = { "nothing was sent: the device could not take back everything by itself:" }
  for i, problem in ipairs(problems) do
    if i > 10 then
      lines[#lines + 1] = ("  and %d more"):format(#problems - 10)
      break
    end
    lines[#lines + 1] = ("  %s: %s"):format(problem.path, problem.reason)
  end
  fail("unsupported", session, table.concat(lines, "\n"))
end

-- Why a timer cannot be made, in words.
local function refusal(session, err)
  if type(err) ~= "table" or not err.kind then error(err, 0) end
  if err.kind == "forbidden" then
    fail("forbidden", session, "nothing was sent: the user may not make handlers of iCall, which "
      .. "take a change back: " .. tostring(err.message))
  end
  if err.kind ~= "cancelled" and not tostring(err.message):find "nothing was sent" then
    err.message = "nothing was sent: the device does not accept what takes the change back: "
      .. tostring(err.message)
  end
  error(err, 0)
end

local function another(session)
  for _, one in ipairs(M.list(session)) do
    if one.due or one.state == "failed" then
      return ("the change %s (%s) %s"):format(one.id, one.about or "unknown", one.state == "failed"
        and "could not be taken back" or "waits for its confirmation until " .. one.due)
    end
  end
  return "another change waits for its confirmation"
end

local function same_text(a, b)
  local function bare(text) return (tostring(text):gsub("^%s+", ""):gsub("%s+$", "")) end
  return bare(a) == bare(b)
end

local Pending = {}
Pending.__index = Pending

-- Makes the script and the timer. What was made is removed again if the rest fails.
local function make(session, self, text, about)
  local names = self.names
  local ok, err = pcall(function()
    session.sys.icall.script:create {
      name = names.script, definition = text, description = about,
    }
  end)
  if not ok and type(err) == "table" and err.status == 409 then
    fail("conflict", session, "nothing was sent: another change began with the same id; try again")
  end
  if not ok then
    if type(err) == "table" and (err.kind == "cancelled" or err.outcome == "unknown") then
      pcall(remove, session, self.id) -- the device may have made it
    end
    refusal(session, err)
  end
  ok, err = pcall(function()
    session.sys.icall.handler.periodic:create {
      name = names.timer, script = names.script, interval = MINUTE,
      firstOccurrence = from_now(self.seconds), description = script.SENDING .. about,
    }
    self.fires = core.now() + self.seconds
    local timer, read = load(timer_of(session)), load(script_of(session, names.script))
    if not timer or timer.script ~= names.script or timer.status == "inactive"
      or not read or not same_text(read.definition, text) then
      fail("protocol", session,
        "nothing was sent: the device did not keep the timer as it was made")
    end
  end)
  if ok then return end
  pcall(remove, session, self.id)
  if type(err) == "table" and err.status == 409 then
    fail("conflict", session, "nothing was sent: " .. another(session))
  end
  refusal(session, err)
end

--- Raises if a device could not take a plan back by itself. Nothing is asked, nothing is sent.
-- @param label string: of the device
function M.check_plan(label, device)
  local _, problems = inverse.of(device)
  refuse_problems({ label = function() return label end }, problems)
end

local CONFIG <const> = "/mgmt/tm/sys/config"

--- Whether a command saves the configuration, and does nothing else.
function M.is_save(path, command, parameters)
  return path == CONFIG and command == "save"
    and (parameters == nil or type(parameters) == "table" and next(parameters) == nil)
end

--- A plan without the steps that save the configuration: they wait for the confirmation.
-- @return table device of a plan
-- @return boolean: there was such a step
function M.without_saves(device)
  local copy, saves = {}, false
  for key, value in pairs(device) do copy[key] = value end
  copy.steps = setmetatable({}, getmetatable(device.steps))
  for _, step in ipairs(device.steps) do
    local body = step.class == "commands" and steps.body_of(step) or {}
    local command = body.command
    body.command = nil
    if step.method == "POST" and M.is_save(step.path, command, body) then
      saves = true
    else
      table.insert(copy.steps, step)
    end
  end
  return copy, saves
end

--- Leaves a script on the device that takes a plan back, and a timer that runs it. Nothing of the
-- plan is sent.
-- @param session f5.session
-- @param device table: of a plan
-- @param options table: seconds (the time for the confirmation), save (boolean)
-- @return f5.confirm.pending
function M.arm(session, device, options)
  local commands, problems = inverse.of(device, function(path)
    return tree.read(session, path, true)
  end)
  refuse_problems(session, problems)
  if #commands == 0 then return nil end
  check_pair(session)
  for _, one in ipairs(M.list(session)) do
    if not one.due and one.state ~= "pending" and one.state ~= "failed" and one.state ~= "not armed"
    then
      remove_if_permitted(session, one.id) -- it is over
    end
  end
  local id = new_id()
  local self = setmetatable({
    session = session, id = id, names = names_of(id), seconds = options.seconds,
  }, Pending)
  local text = script.text(self.names, hosts_of(session, device), commands)
  if #text > script.MAX_BYTES then
    fail("unsupported", session, ("nothing was sent: what takes the change back has %d bytes; a "
      .. "script on the device may have %d"):format(#text, script.MAX_BYTES))
  end
  local about = ("%s, %s, %d steps%s"):format(
    options.user or "f5lua", os.date "!%Y-%m-%dT%H:%M:%SZ", #device.steps,
    options.save and ", save" or "")
  self.about = about
  make(session, self, text, about)
  return self
end

-- -- while the change is sent ---------------------------------------------------------------------

-- Moves the timer, and changes more of it.
local function move(self, time, more)
  local ok, err = pcall(function()
    local timer = timer_of(self.session)
    local now = load(timer)
    if not now or now.script ~= self.names.script then
      fail("conflict", self.session, ("the timer of the change %s is gone"):format(self.id))
    end
    local body = more or {}
    body.firstOccurrence = time
    timer:modify(body)
    local answer = load(script_of(self.session, self.names.answer))
    if answer and time ~= "now" then
      fail("conflict", self.session, ("the change %s: %s"):format(self.id, state_of(answer)))
    end
  end)
  if not ok then error(err, 0) end
end

--- Called before each group of writes: moves the timer. Raises if the device takes the change back
-- already, or cannot be asked for more time.
function Pending:keep()
  if core.now() < (self.looked or 0) + LOOK then return end
  self.looked = core.now()
  if self:left() > self.seconds - SLACK then
    -- somebody may have decided meanwhile, or the device's clock has jumped
    local answer = load(script_of(self.session, self.names.answer))
    if not answer and load(script_of(self.session, self.names.script)) then return end
    fail("conflict", self.session, ("the change %s: %s"):format(
      self.id, answer and state_of(answer) or "its script is gone from the device"))
  end
  move(self, from_now(self.seconds))
  self.fires = core.now() + self.seconds
end

--- Called after the last write: the time for the confirmation begins.
-- @return string: when the timer runs, as the device says it
function Pending:start()
  move(self, from_now(self.seconds), { description = script.WAITING .. self.about })
  self.fires = core.now() + self.seconds
  local timer = load(timer_of(self.session))
  return timer and timer.firstOccurrence or "unknown"
end

--- Seconds until the device takes the change back.
function Pending:left() return self.fires - core.now() end

-- -- after the change -----------------------------------------------------------------------------

-- Makes the answer "confirmed", unless somebody has answered already. Returns the state.
local function answer(session, names, who)
  local ok, err = pcall(function()
    session.sys.icall.script:create {
      name = names.answer, definition = "set id " .. names.id,
      description = ("confirmed by %s"):format(who),
    }
  end)
  local said = load(script_of(session, names.answer))
  if said then return state_of(said) end
  local was_there = not ok and type(err) == "table" and err.status == 409
  if not ok and not was_there then error(err, 0) end
  return "confirmed" -- and removed again by somebody else who confirmed it
end

local TOO_LATE <const> = {
  ["taking back"] = "the device is taking the change back",
  ["taken back"] = "the device has taken the change back",
  failed = "the device tried to take the change back, and could not take back all of it",
}

--- Confirms a change: the device keeps it, and the timer is removed.
-- @param id string|nil: nil: the only change that waits
-- @param options table|nil: user (who confirms)
-- @return f5.confirm.state of before
function M.confirm(session, id, options)
  local one = find(session, id)
  local names = names_of(one.id)
  if one.state == "not armed" then
    remove(session, one.id)
    fail("conflict", session,
      ("the change %s never began: f5lua ended before its first write"):format(one.id))
  end
  local state, detail = answer(session, names, options and options.user or "f5lua")
  if TOO_LATE[state] then
    if state == "taken back" then remove_if_permitted(session, one.id) end -- now somebody knows it
    fail("conflict", session, ("too late: %s (%s%s)"):format(
      TOO_LATE[state], one.id, detail and ", " .. detail or ""))
  end
  remove(session, one.id)
  one.save = one.about ~= nil and one.about:find ", save$" ~= nil
  return one
end

--- Lets the device take a change back now, and waits until it has.
-- @param options table|nil: seconds (how long to wait, default 120), sent (boolean: no write is on
--   its way any more)
-- @return f5.confirm.state: "taken back", "failed" or "taking back"
function M.take_back(session, id, options)
  options = options or {}
  local one = find(session, id)
  if one.state == "pending" then
    move({ session = session, id = one.id, names = names_of(one.id) }, "now", options.sent and {
      description = script.WAITING .. (one.about or ""),
    } or nil)
  elseif one.state == "not armed" then
    remove(session, one.id)
    return one
  end
  local deadline = core.now() + (options.seconds or 120)
  while true do
    local ok, now = pcall(find, session, one.id)
    if ok and now.state ~= "pending" and now.state ~= "taking back" then
      if now.state == "taken back" then remove_if_permitted(session, one.id) end
      return now
    end
    if core.now() >= deadline then
      if not ok then error(now, 0) end
      return now
    end
    core.sleep(0.5)
  end
end

--- Removes what is left of a change on the device, whatever its state. The change itself stays.
function M.forget(session, id)
  local one = find(session, id)
  remove(session, one.id)
  return one
end

return M
