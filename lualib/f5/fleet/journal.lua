--- The journal of a fleet run: one JSON line for each finished device. The line is on the disk
-- before its worker starts the next device.
--
-- A run that was killed and starts again with the same journal does only the rest. The first line
-- names the run: playbook, arguments, inventory. The journal of another run is refused, and so is
-- any other file, which stays as it is. Failed devices are not in the journal: they are tried
-- again. The file is locked while a run uses it. A last line that a crash has cut off is removed.

local core = require "f5.core"
local json = require "f5.json"

local Journal = {}
Journal.__index = Journal

-- How each line starts. A line that was cut off starts like one of them.
local HEAD <const>, ENTRY <const> = '{"journal":"f5lua",', '{"device":"'
local STATES <const> = { done = true, skipped = true }

local function refuse(format, ...)
  error(core.error_new { kind = "usage", message = string.format(format, ...) }, 0)
end

-- -- which run it is --

local Run = {}

local function read(path)
  local file = path and io.open(path, "rb")
  local text = file and file:read "a"
  if file then file:close() end
  return text
end

--- The identity of a run.
-- @param playbook string: its name
-- @param text string: its source
-- @param arguments array of strings
function Journal.run(playbook, text, arguments)
  local words = json.array {}
  for i, word in ipairs(arguments) do words[i] = tostring(word) end
  return setmetatable({ playbook = playbook, sha256 = core.sha256(text), arguments = words }, Run)
end

--- The identity of a run of f5.each: the file of the function, its line, and the program's
-- arguments.
function Journal.run_of(fn)
  local info = debug.getinfo(fn, "S")
  local path = info.source:match "^@(.*)$"
  local dumped, code = pcall(string.dump, fn)
  local text = read(path) or dumped and code or info.source
  return Journal.run(
    path or info.short_src,
    ("%s\n%d"):format(text, info.linedefined),
    _G.arg or {}
  )
end

--- Whether a value is an identity.
function Journal.is_run(value) return getmetatable(value) == Run end

local function base(path) return tostring(path):match "[^/]*$" end

-- The address of a device, and a digest of its other values in the inventory.
local function address(device)
  return ("%s:%d"):format(device.connect.host, device.connect.port or 443)
end

local function facts(device)
  local groups = json.array {}
  for name in pairs(device.groups) do groups[#groups + 1] = name end
  table.sort(groups)
  local ok, text =
    pcall(json.encode, { vars = device.vars, groups = groups }, { sort = true })
  return ok and core.sha256(text):sub(1, 16) or nil
end

-- -- reading --

-- Whether the last line, without a line end, was cut off by a crash. For a first line it must be
-- certain: a shorter text could be another file.
local function is_torn(line, number)
  if line:sub(1, #HEAD) == HEAD then return true end
  return number > 1 and (line:sub(1, #ENTRY) == ENTRY or ENTRY:sub(1, #line) == line)
end

local function parse_line(line)
  local ok, entry = pcall(json.decode, line)
  if not ok or type(entry) ~= "table" then return nil end
  if line:sub(1, #HEAD) == HEAD then return entry, "head" end
  if type(entry.device) ~= "string" or not STATES[entry.state] then return nil end
  return entry, "entry"
end

-- Parses a journal: { head, finished, entries seen since the head, size of the good part }. Raises
-- if it is not a journal.
local function parse(path, text)
  local found, number = { finished = {}, seen = {}, size = 0 }, 0
  for line, ending in text:gmatch "([^\n]*)(\n?)" do
    if line == "" and ending == "" then break end
    number = number + 1
    local entry, what = parse_line(line)
    if ending == "" then -- cut off in the middle of a write
      if is_torn(line, number) then break end
      entry = nil
    end
    if not entry then
      refuse(
        "%s:%d: this is not a line of a journal; the file was not changed. "
          .. "Use a journal or a new file.",
        path,
        number
      )
    end
    if what == "head" then
      found.head, found.seen = entry, {} -- what was before was taken by force
    else
      found.finished[entry.device] = entry.state == "done" and entry or nil
      found.seen[#found.seen + 1] = entry
    end
    found.size = found.size + #line + 1
  end
  return found
end

local function quoted(words)
  if #words == 0 then return "none" end
  return "'" .. table.concat(words, "' '") .. "'"
end

-- The reason why a journal is not that of this run; nil if it is.
local function difference(found, run, inventory)
  local head = found.head
  if not head then
    return found.size > 0 and "it does not name its run" or nil
  end
  if base(head.playbook) ~= base(run.playbook) then
    return ("its playbook is %s, this one is %s"):format(base(head.playbook), base(run.playbook))
  end
  local arguments = type(head.arguments) == "table" and head.arguments or {}
  if quoted(arguments) ~= quoted(run.arguments) then
    return ("its arguments are %s, now they are %s"):format(
      quoted(arguments),
      quoted(run.arguments)
    )
  end
  if head.sha256 ~= run.sha256 then
    return ("the playbook %s has changed"):format(base(run.playbook))
  end
  if base(head.inventory) ~= base(inventory.source) then
    return ("its inventory is %s, this one is %s"):format(
      base(head.inventory),
      base(inventory.source)
    )
  end
  local devices = {}
  for _, device in ipairs(inventory.devices) do devices[device.name] = device end
  for _, entry in ipairs(found.seen) do
    local device = devices[entry.device]
    if not device then return ("its device %s is not in the inventory"):format(entry.device) end
    if entry.address ~= address(device) then
      return ("its device %s was at %s, now it is at %s"):format(
        entry.device,
        tostring(entry.address),
        address(device)
      )
    end
    if entry.facts ~= facts(device) then
      return ("the inventory has changed for %s (vars, groups)"):format(entry.device)
    end
  end
  return nil
end

--- Opens or creates a journal and locks it. Raises if the file is used by another run, is the
-- journal of another run, or is not a journal; then the file does not change.
-- @param path string
-- @param run identity, of Journal.run
-- @param inventory of all devices, also those that a limit leaves out
-- @param force boolean: accept the journal of another run
-- @return journal with `finished`: device name -> its entry
function Journal.open(path, run, inventory, force)
  local file = core.append_open(path) -- raises with the reason
  local self = setmetatable({ path = path, file = file, devices = {} }, Journal)
  local ok, problem = pcall(function()
    local found = parse(path, file:read())
    local why = difference(found, run, inventory)
    if why and not force then
      refuse(
        "%s is the journal of another run: %s; nothing was done. "
          .. "Use another file, or accept it with --force, or with force = true of f5.each",
        path,
        why
      )
    end
    self.finished = found.finished
    for _, device in ipairs(inventory.devices) do self.devices[device.name] = device end
    file:truncate(found.size)
    if why or not found.head then self:begin(run, inventory) end
  end)
  if not ok then
    file:close()
    error(problem, 0)
  end
  return self
end

local function write(self, line, first)
  local text = json.encode(line, { sort = true, first = first }) .. "\n"
  local ok, why = pcall(self.file.append, self.file, text)
  if not ok then error(("the journal %s: %s"):format(self.path, why), 0) end
end

local function now() return os.date "!%Y-%m-%dT%H:%M:%SZ" end

--- Writes the identity of the run to the disk.
function Journal:begin(run, inventory)
  write(self, {
    journal = "f5lua",
    playbook = run.playbook,
    sha256 = run.sha256,
    arguments = run.arguments,
    inventory = inventory.source,
    at = now(),
  }, { "journal", "playbook" })
end

--- Writes one device to the disk.
function Journal:record(entry)
  local result = entry.result
  if result ~= nil and not pcall(json.encode, result) then result = tostring(result) end
  local device = self.devices[entry.name]
  write(self, {
    device = entry.name,
    state = entry.state,
    address = device and address(device),
    facts = device and facts(device),
    changed = entry.changed,
    result = result,
    duration = entry.duration,
    at = now(),
  }, { "device", "state" })
end

function Journal:close() self.file:close() end
Journal.__close = Journal.close

return Journal
