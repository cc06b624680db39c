-- Watches a run for its report: each exchange with a device, and each write.
--
--   local watch <close> = require("f5.reports.watch").start()
--   …
--   report.watch = watch
--   report:write "run.html"
--
-- An exchange is kept as numbers in one array (see STRIDE), and texts only once: a run may have
-- many.

local core = require "f5.core"
local json = require "f5.json"
local kinds = require "f5.state.kinds"
local opened = require "f5.safe.opened"
local secrets = require "f5.safe.secrets"
local target = require "f5.safe.target"
local words = require "f5.safe.words"

local INTERVAL <const> = 0.25 -- s: how long an exchange is not taken at most

local M = {}
local Watch = {}
Watch.__index = Watch

--- Numbers of one exchange: start (microseconds since 1970), duration, time in the queue, text of
-- method and path, status, attempt, text of the line, of the failure, of the reason to retry, pause
-- before the next attempt, bytes sent, bytes received. Times in microseconds, 0: no text.
M.STRIDE = 12

--- The number of a text in watch.texts.
function Watch:number_of(text)
  local known = self.numbers[text]
  if known then return known end
  local number = #self.texts + 1
  self.texts[number], self.numbers[text] = text, number
  return number
end

-- The number of a text that may be missing.
local function optional(self, text) return text and self:number_of(text) or 0 end

local function add(self, one)
  local calls = self.calls[one.device]
  if not calls then
    calls = {}
    self.calls[one.device] = calls
    self.labels[#self.labels + 1] = one.device
  end
  local at = #calls
  local failure = one.failure
  if failure and one.message then failure = failure .. ": " .. one.message end
  calls[at + 1], calls[at + 2], calls[at + 3] = one.started, one.duration, one.queued
  calls[at + 4] = self:number_of(one.method .. " " .. one.path)
  calls[at + 5], calls[at + 6], calls[at + 7] = one.status, one.attempt, optional(self, one.line)
  calls[at + 8], calls[at + 9] = optional(self, failure), optional(self, one.retry)
  calls[at + 10] = one.pause or 0
  calls[at + 11], calls[at + 12] = one.sent, one.received
end

--- Takes the exchanges that have ended since the last call.
function Watch:take()
  if not self.observer then return end
  for _, one in ipairs(core.exchanges_take(self.observer)) do add(self, one) end
end

-- -- writes ---------------------------------------------------------------------------------------

local function decoded(text)
  if type(text) ~= "string" then return nil end
  local ok, value = pcall(json.decode, text)
  return ok and type(value) == "table" and value or nil
end

local function state_of(write)
  if write.ok then return write.transaction and "queued" or "done" end
  return write.outcome == "unknown" and "unknown" or "failed"
end

local MAX_VALUE <const> = 4000 -- bytes of a value that are shown

local function shown(value)
  if value == nil then return nil end
  local text = value
  if type(value) ~= "string" then
    local ok, encoded = pcall(json.encode, value, { sort = true })
    text = ok and encoded or tostring(value)
  end
  text = core.mask(text)
  if #text > MAX_VALUE then
    local rest = #text - MAX_VALUE
    text = text:sub(1, MAX_VALUE) .. (" … (%d more bytes)"):format(rest)
  end
  return text
end

-- What identifies an object is not a change.
local NAMING <const> = { name = true, partition = true, fullPath = true, kind = true }

-- An object without secrets. Some are recognised only in the whole object, such as the value of
-- { name = "password", value = "x" }, or a password in a command line.
local function without_secrets(kind, object)
  local hidden <const> = secrets.hidden(kind, object)
  local ok, text = pcall(json.encode, hidden)
  return ok and decoded(core.mask(text)) or hidden
end

local function is_same(old, new)
  if type(old) ~= "table" or type(new) ~= "table" then return old == new end
  local ok, first, second = pcall(function()
    return json.encode(old, { sort = true }), json.encode(new, { sort = true })
  end)
  return ok and first == second
end

-- Property, old and new value. The old value is known only if a change record read the object.
local function properties(write, kind, body)
  local about = write.about
  local before = about and about.before
  local known, list = type(before) == "table" and before ~= json.null, {}
  local new <const> = without_secrets(kind, body)
  local old <const> = known and without_secrets(kind, before) or {}
  local names = {}
  for name in next, body do
    if type(name) == "string" and not NAMING[name] then names[#names + 1] = name end
  end
  table.sort(names)
  for _, name in ipairs(names) do
    if not known or not is_same(before[name], body[name]) then
      local from, to = shown(old[name]), shown(new[name])
      list[#list + 1] = { name, known and (from or json.null) or false, to or json.null }
    end
  end
  return list, known
end

local VERBS <const> = { POST = "created", PATCH = "changed", PUT = "replaced", DELETE = "deleted" }

local function change_of(write)
  local body = decoded(write.body)
  local about = write.about
  local path = about and about.path or write.path
  local kind = about and about.kind or target.kind_of_path(path) or ""
  if body and kind == "" and type(body.kind) == "string" then kind = kinds.of_body(body) end
  local list, known = {}, false
  if body then list, known = properties(write, kind, body) end
  local name = words.name(path)
  local masked <const> = body and decoded(core.mask(write.body))
  if write.method == "POST" and masked and type(masked.name) == "string" and path == write.path then
    name = name .. " " .. masked.name
  end
  return {
    verb = VERBS[write.method] or write.method, name = name, properties = list, known = known,
    state = state_of(write), message = write.message and core.mask(tostring(write.message)),
    line = write.where and write.where ~= "" and write.where:gsub(": $", "") or nil,
    command = write.path:find "/mgmt/tm/util/" and true or nil,
  }
end

-- Whether the page shows a write. Parts of an upload, and f5lua's own logins and tokens, are left
-- out.
local function is_shown(write)
  return not write.harmless and not write.range and not write.path:find "^/mgmt/shared/authn/"
    and not write.path:find "^/mgmt/shared/authz/tokens"
end

local function attach(self, session)
  local changes, label = nil, session:label()
  core.record(session, {
    before = function() end,
    after = function(write)
      if not is_shown(write) then return end
      if not changes then
        changes = self.changes[label] or {}
        self.changes[label] = changes
      end
      local ok, change = pcall(change_of, write)
      if ok then changes[#changes + 1] = change end
    end,
  })
end

-- -- start and end --------------------------------------------------------------------------------

--- Ends the watch. What it has seen stays.
function Watch:stop()
  if not self.observer then return end
  self.ticker:cancel()
  self:take()
  core.exchanges_stop(self.observer)
  self.observer = nil
  self.no_more()
end
Watch.__close = Watch.stop

--- Watches all sessions that are opened from now on.
function M.start()
  local self = setmetatable({
    observer = core.exchanges_start {}, calls = {}, labels = {}, changes = {}, texts = {},
    numbers = {},
  }, Watch)
  self.no_more = opened.each(function(session) attach(self, session) end)
  -- What is not taken is in memory with all its texts.
  self.ticker = core.spawn(function()
    while true do
      core.real_sleep(INTERVAL)
      self:take()
    end
  end)
  return self
end

return M
