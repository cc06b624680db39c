--- The journal of a fleet run: one JSON line for each finished device, on the disk before its worker begins the next.
--
-- A run that was killed and is started again with the same journal does only what is left. Failed
-- devices are not written down: they are tried again. The file is locked while a run uses it, and a
-- last line that was cut off by a crash is cut away.

local core = require "f5.core"
local json = require "f5.json"

local Journal = {}
Journal.__index = Journal

local function parse(path, text)
  local finished, number, good = {}, 0, 0
  for line, ending in text:gmatch "([^\n]*)(\n?)" do
    if line == "" and ending == "" then break end
    number = number + 1
    if ending == "" then break end -- cut off in the middle of a write
    local ok, entry = pcall(json.decode, line)
    if not ok or type(entry) ~= "table" or type(entry.device) ~= "string" then
      local message = ("%s:%d: not a line of a journal; is this the right file? Remove it to begin anew."):format(
        path,
        number
      )
      error(core.error_new { kind = "usage", message = message }, 0)
    end
    finished[entry.device] = entry
    good = good + #line + 1
  end
  return finished, good
end

--- Opens (or makes) a journal and locks it.
-- @return journal with `finished`: device name -> its entry; raises when the file is used by another run or is no journal
function Journal.open(path)
  local file = core.append_open(path) -- raises with the reason
  local ok, finished, good = pcall(parse, path, file:read())
  if not ok then
    file:close()
    error(finished, 0)
  end
  file:truncate(good)
  return setmetatable({ path = path, file = file, finished = finished }, Journal)
end

--- Writes one device down, durably.
function Journal:record(entry)
  local result = entry.result
  if result ~= nil and not pcall(json.encode, result) then result = tostring(result) end
  local ok, why = pcall(self.file.append, self.file, json.encode({
    device = entry.name,
    state = entry.state,
    changed = entry.changed,
    result = result,
    duration = entry.duration,
    at = os.date "!%Y-%m-%dT%H:%M:%SZ",
  }, { sort = true, first = { "device", "state" } }) .. "\n")
  if not ok then error(("the journal %s: %s"):format(self.path, why), 0) end
end

function Journal:close() self.file:close() end
Journal.__close = Journal.close

return Journal
