-- Calls of the device to itself, as an administrator: DO works over iControl REST.
local names = require "sim.config.names"
local order = require "sim.extensions.order"
local request_maker = require "sim.http.request"
local tables = require "sim.tables"

local M = {}

local USER <const> = {
  name = "admin", provider = "local", access = { ["all-partitions"] = "admin" },
}

--- One call. Returns the body of the answer, or nil and the refusal.
function M.try(device, method, path, body)
  local request = request_maker.complete {
    method = method, target = "/mgmt" .. path, headers = { ["content-type"] = "application/json" },
    body = "", remote = "127.0.0.1",
  }
  request.json = tables.copy(body)
  request.user, request.operation = USER, device.state.operations
  local response = device:dispatch(request)
  if response.status >= 400 then return nil, response end
  return response.body or {}
end

--- One call. Raises a refusal.
function M.call(device, method, path, body)
  local answer, refusal = M.try(device, method, path, body)
  if not answer then error(refusal, 0) end
  return answer
end

--- What is at a path; nil if nothing is there.
function M.get(device, path)
  local answer, refusal = M.try(device, "GET", path)
  if not answer and refusal.status ~= 404 then error(refusal, 0) end
  return answer
end

local function is_nothing(value)
  return value == nil or value == "" or value == "none"
    or type(value) == "table" and next(value) == nil
end

-- Whether an object has all values of a body already.
local function has_all(object, body)
  for name, value in pairs(body) do
    local there = object[name]
    if not tables.same(there, value) and not (is_nothing(there) and is_nothing(value)) then
      return false
    end
  end
  return true
end

--- Changes properties, if one of them is different.
function M.modify(device, path, body)
  if has_all(M.call(device, "GET", path), body) then return end
  M.call(device, "PATCH", path, body)
end

--- The path of an object of a collection. `partition`: nil for kinds without partitions.
function M.place(collection, name, partition)
  if not partition then return collection .. "/" .. names.segment(name) end
  return ("%s/~%s~%s"):format(collection, partition, (name:gsub("/", "~")))
end

--- Creates an object, or changes it if it is there.
function M.put(device, collection, body, partition)
  body = tables.copy(body)
  body.partition = partition
  local place = M.place(collection, body.name, partition)
  if not M.get(device, place) then return M.call(device, "POST", collection, body) end
  body.name, body.partition = nil, nil
  return M.modify(device, place, body)
end

--- The own device: its name in cm/device, and its host name.
function M.own_device(device)
  for _, one in ipairs(M.call(device, "GET", "/tm/cm/device").items) do
    if one.selfDevice == "true" or one.selfDevice == true then return one end
  end
  error("onboarding: cm/device has no own device", 0)
end

--- The path of the own device in cm/device.
function M.own_path(device)
  return "/tm/cm/device/" .. names.segment(M.own_device(device).fullPath)
end

--- Calls f(name, object) for all objects of a class, in the order of their names.
function M.each(list, f)
  for _, name in ipairs(order.keys(list)) do f(name, list[name]) end
end

return M
