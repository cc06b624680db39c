-- The files of change records: $XDG_STATE_HOME/f5lua/changes/ID, which only their owner may read.
-- Each line is a JSON object. A last line that a crash has cut off is ignored.

local core = require "f5.core"
local json = require "f5.json"
local whole = require "f5.whole"

local M = {}

local FORMAT <const> = 1
local STYLE <const> = {
  sort = true, first = { "record", "format", "id", "step", "outcome", "device", "end" },
}

M.FORMAT = FORMAT

--- The text of a line, with its end.
function M.line(line) return json.encode(line, STYLE) .. "\n" end

local function fail(format, ...)
  error(core.error_new { kind = "usage", message = format:format(...) }, 0)
end

--- The directory of the records; nil if there is no home directory.
function M.directory()
  local state = os.getenv "XDG_STATE_HOME"
  if not state or state:sub(1, 1) ~= "/" then
    local home = os.getenv "HOME"
    if not home or home == "" then return nil end
    state = home .. "/.local/state"
  end
  return state .. "/f5lua/changes"
end

local MAX_A_SECOND <const> = 9999

local File = {}
File.__index = File

--- Makes a new file in the directory. Raises with the reason.
function M.create()
  local directory = M.directory()
  if not directory then
    fail "cannot keep a change record: neither XDG_STATE_HOME nor HOME is set"
  end
  local made, why = core.make_directory(directory)
  if not made then fail("cannot keep a change record: %s", why) end
  local time = os.date "%Y%m%d-%H%M%S"
  for number = 1, MAX_A_SECOND do
    local id = ("%s-%02d"):format(time, number)
    local path = directory .. "/" .. id
    local ok, file = pcall(core.append_open, path)
    if not ok and not tostring(file):find "in use" then
      fail("cannot keep a change record: %s", tostring(file))
    end
    if ok and #file:read() == 0 then
      core.sync_directory(directory)
      return setmetatable({ id = id, path = path, file = file }, File)
    end
    if ok then file:close() end
  end
  return fail("cannot keep a change record: no free name in %s", directory)
end

--- Appends a line. Raises if it cannot be written.
-- @param durable boolean: wait until the disk has it
function File:append(line, durable)
  local ok, why = pcall(self.file.append, self.file, M.line(line), durable)
  if not ok then
    if type(why) == "table" and why.kind == "cancelled" then error(why, 0) end
    error(core.error_new {
      kind = "usage", message = ("the change record %s: %s"):format(self.path, tostring(why)),
    }, 0)
  end
end

function File:close() self.file:close() end

--- Ends a record that nothing was written to.
function File:remove()
  self:close()
  os.remove(self.path)
end

-- -- reading --------------------------------------------------------------------------------------

local function read_text(path)
  local file, why = io.open(path, "rb")
  if not file then return nil, why end
  local text, failed = whole(file)
  file:close()
  return text, failed and ("%s: %s"):format(path, failed)
end

-- A run that was killed before its first write leaves an empty file.
local function is_empty(path)
  local file <close> = io.open(path, "rb")
  return file ~= nil and file:seek "end" == 0
end

--- The path of a record: an id, the beginning of one that is unique, "last", or a file.
function M.find(name)
  if name:find "/" then return name end
  local directory = M.directory()
  local ids = directory and core.list_directory(directory) or {}
  for at = name == "last" and #ids or 0, 1, -1 do
    local path = directory .. "/" .. ids[at]
    if not is_empty(path) then return path end
  end
  local found = {}
  for _, id in ipairs(ids) do
    if id == name then return directory .. "/" .. id end
    if name ~= "" and id:sub(1, #name) == name then found[#found + 1] = id end
  end
  if #found == 1 then return directory .. "/" .. found[1] end
  if #found > 1 then
    fail("%d change records begin with '%s': %s …", #found, name, found[1])
  end
  local file = io.open(name, "rb")
  if file then
    file:close()
    return name
  end
  if #ids == 0 then
    fail("there is no change record yet; --undoable keeps one of what a run writes")
  end
  return fail("there is no change record '%s'; 'f5lua changes' lists them", name)
end

local function is_locked(path)
  local ok, file = pcall(core.append_open, path)
  if ok then file:close() end
  return not ok and tostring(file):find "in use" ~= nil
end

---@class f5.safe.contents
---@field path string
---@field head table first line
---@field devices table[] by number
---@field steps f5.safe.step[]
---@field ended? table last line; nil: the run has not ended, or was broken off
---@field running? boolean the run is still going on
---@field torn? boolean a crash has cut off the last line

--- Reads the text of a record.
-- @param path string: what it is called in messages
---@return f5.safe.contents
function M.parse(text, path)
  local out = { path = path, devices = {}, steps = {}, by_number = {} }
  local number = 0
  for line, ending in text:gmatch "([^\n]*)(\n?)" do
    if line == "" and ending == "" then break end
    number = number + 1
    local ok, entry = pcall(json.decode, line)
    if not ok or type(entry) ~= "table" then
      if number == 1 then fail("%s is not a change record", path) end
      if ending == "" then
        out.torn = true
        break
      end
      fail("%s:%d: this is not a line of a change record", path, number)
    end
    if number == 1 then
      if entry.record ~= "f5lua" then fail("%s is not a change record", path) end
      if entry.format ~= FORMAT then
        fail("%s has the format %s, which this f5lua does not know", path, tostring(entry.format))
      end
      out.head = entry
    elseif entry.step then
      out.steps[#out.steps + 1] = entry
      out.by_number[entry.step] = entry
    elseif entry.outcome then
      local step = out.by_number[entry.outcome]
      if step then
        step.state, step.answer, step.message = entry.state, entry.answer, entry.message
        step.command, step.unsent = entry.command, entry.unsent
        step.shown = entry.shown or step.shown
      end
    elseif entry.device then
      out.devices[entry.device] = entry
    elseif entry["end"] then
      out.ended = entry
    end
  end
  if not out.head then fail("%s is empty: the run that made it sent no write", path) end
  return out
end

--- Reads a record.
---@return f5.safe.contents
function M.read(path)
  local text, why = read_text(path)
  if not text then fail("cannot read %s", why) end
  local out = M.parse(text, path)
  out.running = not out.ended and is_locked(path) or nil
  return out
end

--- Whether the device has certainly refused every write of a run, or got none.
function M.wrote_nothing(contents)
  for _, step in ipairs(contents.steps) do
    if step.state ~= "failed" then return false end
  end
  return true
end

-- The newest record before this one of a run that may have written something.
local function newest_before(contents)
  local directory <const> = M.directory()
  local ids <const> = directory and core.list_directory(directory) or {}
  for at = #ids, 1, -1 do
    if ids[at] < contents.head.id then
      local ok, other = pcall(M.read, directory .. "/" .. ids[at])
      if ok and not M.wrote_nothing(other) then return other end
    end
  end
  return nil
end

--- Reads the record that is to be taken back. If the last one is an undo that did not come to its
--- end, "last" is the record that it takes back: the same command completes it.
-- @param name string: as of M.find
---@return f5.safe.contents
---@return f5.safe.contents|nil before if "last" wrote nothing: the newest record of a run that did
function M.to_undo(name)
  local contents = M.read(M.find(name))
  if name ~= "last" then return contents end
  for _ = 1, MAX_A_SECOND do
    local ended = contents.ended and contents.ended["end"]
    local of = contents.head.undo_of
    if type(of) ~= "string" or ended == "done" or contents.running then break end
    local ok, original = pcall(M.read, M.directory() .. "/" .. of)
    if not ok then break end
    contents = original
  end
  return contents, M.wrote_nothing(contents) and newest_before(contents) or nil
end

--- All records that can be read, oldest first.
-- @return f5.safe.contents[]
-- @return array of texts: why others cannot be read
function M.all()
  local directory = M.directory()
  if not directory then return {}, {} end
  local ids, why = core.list_directory(directory)
  if not ids then fail("cannot read the change records: %s", why) end
  local out, problems = {}, {}
  for _, id in ipairs(ids) do
    local path = directory .. "/" .. id
    local ok, contents = pcall(M.read, path)
    if ok then
      out[#out + 1] = contents
    elseif not is_empty(path) then
      problems[#problems + 1] = tostring(type(contents) == "table" and contents.message or contents)
    end
  end
  return out, problems
end

-- How a run ended. A run that goes on holds a lock on its record.
local function state_of(contents)
  if contents.ended then return contents.ended["end"] end
  return contents.running and "running" or "broken off"
end

--- What a list of records shows of one.
function M.summary(contents)
  local head, devices = contents.head, json.array {}
  for i, device in ipairs(contents.devices) do devices[i] = device.name end
  local writes = 0
  for _, step in ipairs(contents.steps) do
    if not step.commits then writes = writes + 1 end
  end
  return {
    id = head.id, path = contents.path, time = head.time, what = head.what,
    playbook = head.playbook, arguments = head.arguments, undo_of = head.undo_of,
    state = state_of(contents), devices = devices, writes = writes,
  }
end

return M
