-- The declarations that AS3 keeps: state.extensions.as3.history, the newest first, each { time =
-- microseconds, declaration =, order = the tenants in order }.
local clock = require "sim.clock"
local deflate = require "sim.extensions.as3.deflate"
local digest = require "sim.digest"
local json = require "f5.json"
local tables = require "sim.tables"

local M = {}

local LONGEST <const> = 16
local DATA_GROUPS <const> = "/mgmt/tm/ltm/data-group/internal"
local NAME <const> = "____appsvcs_declaration-%d"
local FOLDER <const> = "/Common/appsvcs"
local PIECE <const> = 64512
local UPDATE <const> = "__appsvcs_update"
local LOCK <const> = DATA_GROUPS .. "/~Common~appsvcs~____appsvcs_lock"
local LOCK_SECONDS <const> = 120

local function is_tenant(value) return type(value) == "table" and value.class == "Tenant" end
M.is_tenant = is_tenant

--- The names of the tenants of a declaration, in an order.
function M.tenants(declaration, order)
  local list = {}
  for _, key in ipairs(require("sim.extensions.order").keys(declaration, order)) do
    if is_tenant(declaration[key]) then list[#list + 1] = key end
  end
  return list
end

local function data_group(entry) return NAME:format(entry.time // 1000) end

-- The declarations that are kept: those whose data groups nobody has deleted.
local function history_of(device)
  local history = device.state.extensions.as3.history
  for i = #history, 1, -1 do
    local path = DATA_GROUPS .. "/~Common~" .. data_group(history[i])
    if not device.store:get(path) then table.remove(history, i) end
  end
  return history
end

--- A copy of the newest declaration, or of one of an age, and its order; nil if there is none.
function M.get(device, age)
  local entry = history_of(device)[(age or 0) + 1]
  if not entry then return nil end
  return tables.copy(entry.declaration), entry.order
end

local function make_folder(device, ctx)
  local folder = "/mgmt/tm/sys/folder/~Common~appsvcs"
  if not device.store:get(folder) then
    device.store:create("/mgmt/tm/sys/folder", { name = FOLDER }, ctx)
  end
end

-- The data groups that hold declarations on a device. Record 0 says what it is, the others have
-- pieces of the JSON text, compressed by zlib and in base64.
local function show(device, entry)
  local ctx = { now = device:now() }
  make_folder(device, ctx)
  local declaration = entry.declaration
  local text = digest.base64(deflate.zlib(json.encode(declaration, { sort = true })))
  local records = json.array { { name = "0" } }
  for at = 1, #text, PIECE do
    records[#records + 1] = { name = tostring(#records), data = text:sub(at, at + PIECE - 1) }
  end
  records[1].data = ("date^%s|id^%s|tenants^%s|blocks^%d"):format(
    M.iso(entry.time), tostring(declaration.id), table.concat(M.tenants(declaration), ","),
    #records - 1
  )
  device.store:create(DATA_GROUPS, {
    name = data_group(entry), partition = "Common", type = "string", records = records,
    description = "f5 AS3 declaration (see info in record 0)",
  }, ctx)
end

local function hide(device, entry)
  local path = DATA_GROUPS .. "/~Common~" .. data_group(entry)
  if device.store:get(path) then device.store:remove_tree(path) end
end

--- Keeps a declaration.
function M.put(device, declaration, order, limit)
  local history = history_of(device)
  local newest = history[1]
  local time = device:now()
  -- names of data groups have milliseconds
  if newest and newest.time // 1000 >= time // 1000 then time = (newest.time // 1000 + 1) * 1000 end
  local entry = { time = time, declaration = tables.copy(declaration), order = order }
  table.insert(history, 1, entry)
  show(device, entry)
  for i = #history, math.min(math.max(limit or 4, 1), LONGEST) + 1, -1 do
    hide(device, history[i])
    table.remove(history, i)
  end
end

--- What GET ?age=list shows.
function M.list(device)
  local items = json.array {}
  for i, entry in ipairs(history_of(device)) do
    items[i] = {
      name = data_group(entry), timestamp = entry.time // 1000, date = M.iso(entry.time),
      age = i - 1,
    }
  end
  return items
end

-- -- what AS3 leaves behind, and its lock --

--- Notes that the script of a tenant ran: its data group has no records, or one with the error.
function M.note_update(device, problem)
  local path, ctx = DATA_GROUPS .. "/~Common~" .. UPDATE, { now = device:now() }
  local records = json.array {}
  if problem then records[1] = { name = "error", data = problem } end
  if device.store:get(path) then
    device.store:modify(path, { records = records }, ctx)
  else
    device.store:create(DATA_GROUPS, {
      name = UPDATE, partition = "Common", type = "string", records = records,
    }, ctx)
  end
end

--- Whether somebody works on the device: another AS3 would have this lock, too. One that is older
--- than two minutes does not count.
function M.is_locked(device)
  local lock = device.store:get(LOCK)
  local since = lock and tonumber(lock.description)
  return since ~= nil and device:now() // 1000 - since < LOCK_SECONDS * 1000
end

--- Takes the lock.
function M.lock(device)
  local ctx = { now = device:now() }
  make_folder(device, ctx)
  if device.store:get(LOCK) then device.store:remove_tree(LOCK) end
  device.store:create(DATA_GROUPS, {
    name = FOLDER .. "/____appsvcs_lock", type = "string",
    description = tostring(device:now() // 1000),
  }, ctx)
end

--- Gives the lock back.
function M.unlock(device)
  if device.store:get(LOCK) then device.store:remove_tree(LOCK) end
end

--- "2026-11-28T18:00:00.123Z"
function M.iso(micros)
  return (clock.iso(micros):gsub("%+0000$", "Z"))
end

return M
