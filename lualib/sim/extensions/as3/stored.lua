-- The declarations that AS3 keeps: state.extensions.as3.history, the newest first, each { time =
-- microseconds, declaration =, order = the tenants in order }.
local clock = require "sim.clock"
local digest = require "sim.digest"
local json = require "f5.json"
local tables = require "sim.tables"

local M = {}

local LONGEST <const> = 16
local DATA_GROUPS <const> = "/mgmt/tm/ltm/data-group/internal"
local NAME <const> = "____appsvcs_declaration-%d"
local FOLDER <const> = "/Common/appsvcs"

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

--- A copy of the newest declaration, or of one of an age, and its order; nil if there is none.
function M.get(device, age)
  local entry = device.state.extensions.as3.history[(age or 0) + 1]
  if not entry then return nil end
  return tables.copy(entry.declaration), entry.order
end

local function data_group(entry) return NAME:format(entry.time // 1000) end

-- The data groups that hold declarations on a device. Their records are pieces
-- of the JSON text, in base64.
local function show(device, entry)
  local store, ctx = device.store, { now = device:now() }
  local folder = "/mgmt/tm/sys/folder/~Common~appsvcs"
  if not store:get(folder) then store:create("/mgmt/tm/sys/folder", { name = FOLDER }, ctx) end
  local text = digest.base64(json.encode(entry.declaration, { sort = true }))
  local records = json.array {}
  for at = 1, #text, 4096 do
    records[#records + 1] = { name = tostring(#records), data = text:sub(at, at + 4095) }
  end
  store:create(
    DATA_GROUPS,
    { name = data_group(entry), partition = "Common", type = "string", records = records }, ctx
  )
end

local function hide(device, entry)
  local path = DATA_GROUPS .. "/~Common~" .. data_group(entry)
  if device.store:get(path) then device.store:remove_tree(path) end
end

--- Keeps a declaration.
function M.put(device, declaration, order, limit)
  local history = device.state.extensions.as3.history
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
  for i, entry in ipairs(device.state.extensions.as3.history) do
    items[i] = {
      name = data_group(entry), timestamp = entry.time // 1000, date = M.iso(entry.time),
      age = i - 1,
    }
  end
  return items
end

--- "2026-11-28T18:00:00.123Z"
function M.iso(micros)
  return (clock.iso(micros):gsub("%+0000$", "Z"))
end

return M
