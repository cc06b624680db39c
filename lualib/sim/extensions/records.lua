-- Records of the tasks of an extension: at most so many finished ones, for so long. A record is
-- { id =, since = microseconds, finished = boolean, … }; the rest belongs to the extension.
local native = require "sim.native"
local users = require "sim.auth.users"

local M = {}

local SECONDS <const> = 7 * 86400
local FINISHED <const> = 25

--- A new id, as a device makes them.
function M.id() return users.uuid(native.random(16)) end

-- Forgets what is too old, and the oldest of the finished ones.
local function forget(device, list)
  local oldest = device:now() - SECONDS * 1000000
  local finished = 0
  for i = #list, 1, -1 do
    local record = list[i]
    if record.finished then finished = finished + 1 end
    if record.since < oldest or record.finished and finished > FINISHED then
      table.remove(list, i)
    end
  end
end

--- Adds a record to a list.
function M.add(device, list, record)
  record.id, record.since = record.id or M.id(), device:now()
  list[#list + 1] = record
  forget(device, list)
  return record
end

--- The record with an id, or nil.
function M.find(device, list, id)
  forget(device, list)
  for _, record in ipairs(list) do
    if record.id == id then return record end
  end
  return nil
end

--- All records.
function M.all(device, list)
  forget(device, list)
  return list
end

return M
