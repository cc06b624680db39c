--- The change record of a device in a run: those of all attempts, as one. A worker that was killed
--- leaves a record without an end, and the next attempt has its own.

local core = require "f5.core"
local files = require "f5.safe.files"
local json = require "f5.json"

local M = {}

-- The number of a device in the whole record: a device that is known keeps its number. Sessions of
-- one attempt, and attempts, have lines of their own. Returns whether it is new, too.
local function number_of(out, line)
  local key = ("%s %s %s"):format(line.address, line.hostname, line.serial)
  local known = out.number_of[key]
  if known then return known, false end
  out.devices = out.devices + 1
  out.number_of[key] = out.devices
  return out.devices, true
end

-- More steps than these no record has.
local MOST <const> = 1 << 31

local function is_number(value)
  return math.type(value) == "integer" and value >= 1 and value < MOST
end

-- What is wrong with a line; nil: nothing. Whoever has the rights of a worker may have written it.
local function fault_in(line, part)
  if line.record or line["end"] then return nil end
  if line.step then
    if not is_number(line.step) then return "its step is not a number" end
    if line.device == nil or line.device == json.null then return "its step has no device" end
    if type(line.method) ~= "string" or type(line.path) ~= "string" then
      return "its step has no request"
    end
    return not part.devices[line.device] and "no line before it tells of its device" or nil
  end
  if line.outcome then return not is_number(line.outcome) and "its outcome has no number" or nil end
  return line.device and not is_number(line.device) and "its device is not a number" or nil
end

-- Adds a line, with the numbers that steps and devices have in the whole record.
-- @param part table: of this attempt: base (steps before it), devices (number -> number)
local function append(out, line, part)
  if line.record then return end
  if line["end"] then
    out.ended = line
    return
  end
  if line.step then
    line.step, line.device = line.step + part.base, part.devices[line.device]
    out.steps = math.max(out.steps, line.step)
  elseif line.outcome then
    line.outcome = line.outcome + part.base
  elseif line.device then
    local number, is_new = number_of(out, line)
    part.devices[line.device], line.device = number, number
    if not is_new then return end
  end
  out[#out + 1] = line
end

local function refuse(number, why)
  core.usage_error(("line %d of the change record is damaged: %s"):format(number, why))
end

--- One record, in the format of a file.
-- @param rows array of { attempt, line }, as of f5.queue.calls
-- @return string: lines; nil if there are none
function M.text(rows)
  if #rows == 0 then return nil end
  local out, head = { steps = 0, devices = 0, number_of = {} }, nil
  local attempt, part
  for number, row in ipairs(rows) do
    local ok, line = pcall(json.decode, row.line)
    if not ok then refuse(number, tostring(line)) end
    if type(line) ~= "table" or json.is_array(line) then refuse(number, "it is no JSON object") end
    if row.attempt ~= attempt then
      attempt, part, out.ended = row.attempt, { base = out.steps, devices = {} }, nil
    end
    if not head and line.record ~= "f5lua" then refuse(number, "it does not begin a record") end
    head = head or line
    local fault <const> = fault_in(line, part)
    if fault then refuse(number, fault) end
    append(out, line, part)
  end
  local parts = { files.line(head) }
  for i, line in ipairs(out) do parts[i + 1] = files.line(line) end
  if out.ended then parts[#parts + 1] = files.line(out.ended) end
  return table.concat(parts)
end

return M
