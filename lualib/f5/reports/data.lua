-- What the HTML page shows of a report, as one compact table for JSON.
--
--   { playbook, version, began, duration, stopped, ok, texts = { … }, truncated,
--     devices = { { n = name, s = state, c = changed, k = calls, b = bytes, d = seconds,
--                   m = result or message, e = { kind, text, line }, x = { numbers of calls },
--                   o = calls that are left out, w = { changes } }, … } }
--
-- A page has a size that a browser opens at once, whatever the run did: of very many calls it shows
-- the failed, the slow and the first ones of each device, and says how many are missing.

local core = require "f5.core"
local json = require "f5.json"
local terminal = require "f5.terminal"
local watch_module = require "f5.reports.watch"

local M = {}

local STRIDE <const> = watch_module.STRIDE
local UNIT <const> = 100 -- microseconds: times in the page are multiples of it
local MAX_CALLS <const> = 25000 -- of the page
local MAX_CHANGES <const>, MAX_ERRORS <const>, MAX_TEXTS <const> = 900000, 700000, 900000 -- bytes
local MAX_MESSAGE <const>, MAX_ERROR <const>, MIN_TEXT <const> = 400, 4000, 40 -- bytes

-- Shortens a text, but not inside of a character.
local function cut(text, max)
  if #text <= max then return text end
  while max > 0 and (text:byte(max + 1) & 0xC0) == 0x80 do max = max - 1 end
  return text:sub(1, max) .. " …"
end

-- The bytes of a text in the page.
local function weight(text)
  local _, quoted = text:gsub('["\\\n\t]', "%0")
  local _, escaped = text:gsub("[<>&]", "%0")
  return #text + quoted + 5 * escaped
end

local function clean(text) return terminal.text(core.mask(text)) end

-- -- calls ----------------------------------------------------------------------------------------

local function first_start(watch)
  local first
  for _, calls in pairs(watch.calls) do
    for at = 1, #calls, STRIDE do
      local begun = calls[at] - calls[at + 2]
      if not first or begun < first then first = begun end
    end
  end
  return first or 0
end

-- Which calls of a device are shown if there is room for so many: the failed and repeated ones
-- first, then the slow ones, then the others in order.
local function chosen(calls, room)
  local order = {}
  for at = 1, #calls, STRIDE do order[#order + 1] = at end
  if #order <= room then return order, 0 end
  table.sort(order, function(a, b)
    local bad_a, bad_b = calls[a + 7] > 0, calls[b + 7] > 0
    if bad_a ~= bad_b then return bad_a end
    if calls[a + 1] ~= calls[b + 1] then return calls[a + 1] > calls[b + 1] end
    return a < b
  end)
  local out = table.move(order, 1, room, 1, {})
  table.sort(out)
  return out, #order - room
end

local function scaled(number) return (number + UNIT // 2) // UNIT end

-- The numbers of the calls for the page: those of f5.reports.watch, the start from `first` on.
local function calls_of(self, label, into)
  local calls = self.watch and self.watch.calls[label]
  if not calls then return end
  local order, missing = chosen(calls, self.room)
  local out = into.x or json.array {}
  for _, at in ipairs(order) do
    local to = #out
    out[to + 1] = scaled(calls[at] - self.first)
    out[to + 2], out[to + 3] = scaled(calls[at + 1]), scaled(calls[at + 2])
    out[to + 4] = self:text(calls[at + 3])
    out[to + 5], out[to + 6] = calls[at + 4], calls[at + 5]
    for i = 6, 8 do out[to + i + 1] = self:text(calls[at + i]) end
    out[to + 10] = scaled(calls[at + 9])
    out[to + 11], out[to + 12] = calls[at + 10], calls[at + 11]
  end
  into.x = out
  if missing > 0 then into.o = (into.o or 0) + missing end
end

-- -- changes and errors ---------------------------------------------------------------------------

local function changes_of(self, label, into)
  local changes = self.watch and self.watch.changes[label]
  if not changes then return end
  local out = into.w or json.array {}
  for _, change in ipairs(changes) do
    local list, size = json.array {}, 100 + #change.name
    for i, one in ipairs(change.properties) do
      local entry = json.array { cut(clean(one[1]), MAX_MESSAGE) }
      for side = 2, 3 do
        entry[side] = type(one[side]) == "string" and clean(one[side]) or one[side]
        local value <const> = entry[side]
        size = size + weight(entry[1]) + (type(value) == "string" and weight(value) or 5)
      end
      list[i] = entry
    end
    self.changes = self.changes + size
    if self.changes <= MAX_CHANGES then
      out[#out + 1] = {
        v = change.verb, n = terminal.line(change.name), s = change.state, p = list,
        l = change.line and terminal.line(change.line), k = change.known,
        m = change.message and cut(clean(change.message), MAX_MESSAGE),
      }
    else
      into.z = (into.z or 0) + 1
    end
  end
  if #out > 0 then into.w = out end
end

-- The line of the playbook in an error: that in its text, or that of the call that failed.
local function line_of(self, err, label)
  local text = tostring(err)
  local line = text:match "([%w%._/%-]+%.lua:%d+)"
  if line then return line end
  local calls = self.watch and self.watch.calls[label]
  for at = calls and #calls - STRIDE + 1 or 0, 1, -STRIDE do
    if calls[at + 7] > 0 and calls[at + 6] > 0 then return self.watch.texts[calls[at + 6]] end
  end
  return nil
end

local function error_of(self, entry, label)
  local err = entry.error
  if err == nil then return nil end
  local text = self:limited("errors", clean(tostring(err)), MAX_ERROR, MAX_ERRORS)
  local line = line_of(self, err, label)
  return {
    kind = type(err) == "table" and type(err.kind) == "string" and terminal.line(err.kind) or nil,
    text = text, line = line and terminal.line(line) or nil,
  }
end

-- -- the whole ------------------------------------------------------------------------------------

local Data = {}
Data.__index = Data

-- A text of at most `max` bytes; if the texts of this sort need more than `all`, it is short.
function Data:limited(sort, text, max, all)
  text = cut(text, self[sort] < all and max or MIN_TEXT)
  self[sort] = self[sort] + weight(text)
  return text
end

-- The number (from 0) of a text of the watch in the page; -1: none.
function Data:text(number)
  if number == 0 then return -1 end
  local known = self.known[number]
  if known then return known end
  known = #self.texts
  self.texts[known + 1] =
    self:limited("words", terminal.line(self.watch.texts[number]), MAX_MESSAGE, MAX_TEXTS)
  self.known[number] = known
  return known
end

local function device_of(self, report, entry)
  local message = self:limited("errors", report.outcome(entry), MAX_MESSAGE, MAX_ERRORS)
  return {
    n = terminal.line(entry.name), s = entry.state, c = entry.changed, k = entry.calls,
    b = entry.bytes, d = math.floor(entry.duration * 1000 + 0.5) / 1000,
    m = message ~= "" and message or nil, e = error_of(self, entry, entry.label or entry.name),
  }
end

-- Calls of sessions that belong to no device of the inventory, or all calls of a single run.
local function add_others(self, devices, taken)
  if not self.watch then return end
  for _, label in ipairs(self.watch.labels) do
    if not taken[label] then
      local other = { n = terminal.line(label), s = "session", c = false, d = 0, b = 0 }
      calls_of(self, label, other)
      changes_of(self, label, other)
      other.k = #other.x // STRIDE + (other.o or 0)
      for at = 1, #other.x, STRIDE do
        other.b = other.b + other.x[at + 10] + other.x[at + 11]
        other.d = math.max(other.d, (other.x[at] + other.x[at + 1]) * UNIT / 1000000)
      end
      devices[#devices + 1] = other
    end
  end
end

--- Returns the table.
-- @param report see f5.fleet.report; report.watch: see f5.reports.watch
function M.of(report)
  local watch = report.watch
  if watch then watch:take() end
  local self = setmetatable({
    watch = watch, texts = json.array {}, known = {}, changes = 0, errors = 0, words = 0,
    first = watch and first_start(watch), room = MAX_CALLS,
  }, Data)
  if watch then
    local total = 0
    for _, calls in pairs(watch.calls) do total = total + #calls // STRIDE end
    if total > MAX_CALLS then self.room = math.max(3, MAX_CALLS // #watch.labels) end
  end
  local devices, taken = json.array {}, {}
  for i, entry in ipairs(report.devices) do
    local label = entry.label or entry.name
    local device = device_of(self, report, entry)
    if not taken[label] then
      taken[label] = true
      calls_of(self, label, device)
      changes_of(self, label, device)
    end
    devices[i] = device
  end
  add_others(self, devices, taken)
  return {
    playbook = terminal.line(report.playbook or "f5.each"), version = core.version,
    began = report.began, single = report.single, duration = report.duration, ok = report.ok,
    stopped = report.stopped and cut(terminal.line(core.mask(report.stopped)), MAX_MESSAGE),
    summary = report:summary(), counts = report:counts(), watched = watch ~= nil, unit = UNIT,
    stride = STRIDE, texts = self.texts, devices = devices,
  }
end

return M
