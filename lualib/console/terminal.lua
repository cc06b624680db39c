--- Entries from a terminal: the line editor with completion, history and an up-to-date prompt.

local core = require "f5.core"
local f5 = require "f5"
local complete = require "console.complete"
local history = require "console.history"
local output = require "f5.terminal"
local value = require "f5.table.value"

local Terminal = {}
Terminal.__index = Terminal

-- Seconds that a Tab waits for a device. The user can type meanwhile.
local TAB_WAIT <const> = 2
-- Seconds between two updates of the prompt while nobody types.
local REFRESH <const> = 30
local MANY <const> = 200

function Terminal.new(console)
  local self = setmetatable({ console = console, editor = console.editor }, Terminal)
  self.refresher = f5.spawn(function() self:keep_fresh() end)
  return self
end

function Terminal:keep_fresh()
  while true do
    self:refresh()
    core.real_sleep(REFRESH)
  end
end

function Terminal:refresh()
  local device = self.console.device
  if device and device:refresh() and self.reading and device == self.console.device then
    self.editor:prompt(self.console:prompt(self.continued))
  end
end

-- As many columns as fit, filled downwards as in ls.
local function in_columns(items, width)
  local widest = 0
  for _, item in ipairs(items) do widest = math.max(widest, value.width(item.text)) end
  local columns = math.max(1, (width + 2) // (widest + 2))
  local rows = (#items + columns - 1) // columns
  local lines = {}
  for row = 1, rows do
    local parts = {}
    for column = 0, columns - 1 do
      local item = items[column * rows + row]
      if item then parts[#parts + 1] = item.text .. (" "):rep(widest - value.width(item.text)) end
    end
    lines[row] = table.concat(parts, "  "):gsub("%s+$", "")
  end
  return table.concat(lines, "\n")
end

-- With notes, one candidate on each line.
local function with_notes(items, width, paint)
  local widest = 0
  for _, item in ipairs(items) do
    widest = math.max(widest, math.min(value.width(item.text), 32))
  end
  local lines = {}
  for i, item in ipairs(items) do
    local pad = (" "):rep(math.max(0, widest - value.width(item.text)))
    local room = math.max(10, width - widest - 3)
    local note = item.note and value.clip(value.printable(item.note), room) or ""
    lines[i] = (item.text .. pad .. "  " .. paint("dim", note)):gsub("%s+$", "")
  end
  return table.concat(lines, "\n")
end

function Terminal:list(items)
  local screen = self.console.output
  local shown = table.move(items, 1, math.min(#items, MANY), 1, {})
  local noted = 0
  for _, item in ipairs(shown) do
    noted = noted + (item.note and 1 or 0)
  end
  local text = noted > 0 and #shown <= 30 and with_notes(shown, screen:columns(), screen.paint)
    or in_columns(shown, screen:columns())
  if #items > #shown then
    text = text .. "\n" .. screen.paint("dim", ("… and %d more"):format(#items - #shown))
  end
  output.out(text, "\n")
end

-- Inserts the common start of all candidates. If that is nothing new, shows them.
function Terminal:apply(found, text, cursor)
  local items = found.items
  if #items == 0 then return end
  local typed = text:sub(found.from, cursor)
  if #items == 1 and items[1].instead then
    self.editor:erase(utf8.len(typed) + items[1].erased)
    self.editor:insert(items[1].instead)
    return
  end
  if #items == 1 then
    self.editor:insert((items[1].text .. (items[1].close or "")):sub(#typed + 1))
    return
  end
  local common = items[1].text
  for _, item in ipairs(items) do
    while item.text:sub(1, #common) ~= common do
      common = common:sub(1, (utf8.offset(common, -1) or #common) - 1)
    end
  end
  if #common > #typed then self.editor:insert(common:sub(#typed + 1)) else self:list(items) end
end

-- Earlier lines of the same entry count, too.
function Terminal:candidates(text, cursor, pending_is_fine)
  local before = self.before and self.before .. "\n" or ""
  local found = complete(
    before .. text:sub(1, cursor),
    self.console,
    function() self.editor:post() end
  )
  found.from = found.from - #before
  if found.pending and not pending_is_fine then return nil end
  return found
end

function Terminal:on_tab(text, cursor)
  local found = self:candidates(text, cursor, false)
  if found then
    self.wanted = nil
    self:apply(found, text, cursor)
    return
  end
  local wanted = { text = text, cursor = cursor }
  self.wanted = wanted
  f5.spawn(function()
    core.real_sleep(TAB_WAIT)
    wanted.late = true
    self.editor:post()
  end)
end

-- A pending candidate has arrived, or will not.
function Terminal:on_post()
  local wanted = self.wanted
  if not wanted then return end
  local text, cursor = self.editor:text()
  if text ~= wanted.text or cursor ~= wanted.cursor then
    self.wanted = nil
    return
  end
  local found = self:candidates(text, cursor, wanted.late)
  if not found then return end
  self.wanted = nil
  self:apply(found, text, cursor)
end

--- @param before string|nil: the lines of this entry so far
-- @return line; or nil, "interrupt" or "eof"
function Terminal:read(before)
  self.before, self.continued, self.wanted = before, before ~= nil, nil
  self.console.output:fresh_line()
  if not before then f5.spawn(function() self:refresh() end) end
  self.editor:start(self.console:prompt(self.continued))
  self.reading = true
  local _stop <close> = setmetatable({}, { __close = function()
    self.reading = false
    self.editor:stop()
    self.console.output.partial = false
  end })
  while true do
    local event, text, cursor = self.editor:next()
    if event == "line" then return text end
    if event == "complete" then
      self:on_tab(text, cursor)
    elseif event == "posted" then
      self:on_post()
    else
      self.editor:stop()
      output.out(event == "interrupt" and "^C\n" or "\n")
      return nil, event
    end
  end
end

--- An entry is whole: into the history with it.
function Terminal:done(entry)
  if not history.is_kept(entry) then return end
  self.editor:remember(entry)
  history.keep(entry)
end

return Terminal
