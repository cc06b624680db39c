-- JSON patch (RFC 6902), as AS3 accepts it: without `test`.
local json = require "f5.json"
local tables = require "sim.tables"

local M = {}

local function fail(format, ...)
  error({ patch = "InvalidPatchOperationError: " .. format:format(...) }, 0)
end

local function words(pointer)
  if type(pointer) ~= "string" or pointer ~= "" and pointer:sub(1, 1) ~= "/" then
    fail("invalid pointer %s", tostring(pointer))
  end
  local list = {}
  for word in pointer:gmatch "/([^/]*)" do
    list[#list + 1] = (word:gsub("~1", "/"):gsub("~0", "~"))
  end
  return list
end

local function is_array(value) return json.is_array(value) or #value > 0 end

-- The table that holds the last word of a pointer, and its key.
local function find(document, pointer)
  local list = words(pointer)
  local at = document
  for i = 1, #list - 1 do
    local key = list[i]
    if type(at) == "table" and is_array(at) then key = (math.tointeger(tonumber(key)) or -1) + 1 end
    at = type(at) == "table" and at[key] or nil
    if type(at) ~= "table" then fail("path not found %s", pointer) end
  end
  return at, list[#list]
end

local function index(array, key, extra, pointer)
  if key == "-" and extra == 1 then return #array + 1 end
  local number = key:find "^%d+$" and math.tointeger(tonumber(key))
  if not number or number + 1 > #array + extra then fail("path not found %s", pointer) end
  return number + 1
end

local function get(document, pointer)
  local holder, key = find(document, pointer)
  if key == nil then return document end
  if is_array(holder) then return holder[index(holder, key, 0, pointer)] end
  if holder[key] == nil then fail("path not found %s", pointer) end
  return holder[key]
end

local function remove(document, pointer)
  local holder, key = find(document, pointer)
  if key == nil then fail("path not found %s", pointer) end
  if is_array(holder) then return table.remove(holder, index(holder, key, 0, pointer)) end
  if holder[key] == nil then fail("path not found %s", pointer) end
  local value = holder[key]
  holder[key] = nil
  return value
end

local function add(document, pointer, value)
  local holder, key = find(document, pointer)
  if key == nil then fail("path not found %s", pointer) end
  if is_array(holder) then
    table.insert(holder, index(holder, key, 1, pointer), value)
  else
    holder[key] = value
  end
end

local function need(operation, name)
  if operation[name] == nil then fail("missing %s", name) end
  return operation[name]
end

local OPERATIONS <const> = {
  add = function(document, operation)
    add(document, need(operation, "path"), tables.copy(need(operation, "value")))
  end,
  remove = function(document, operation) remove(document, need(operation, "path")) end,
  replace = function(document, operation)
    local value = need(operation, "value")
    local holder, key = find(document, need(operation, "path"))
    get(document, operation.path)
    if key == nil then fail "the whole declaration cannot be replaced" end
    if is_array(holder) then key = index(holder, key, 0, operation.path) end
    holder[key] = tables.copy(value)
  end,
  move = function(document, operation)
    local path, from = need(operation, "path"), need(operation, "from")
    if (path .. "/"):sub(1, #from + 1) == from .. "/" and path ~= from then
      fail("cannot move %s into itself", from)
    end
    add(document, path, remove(document, from))
  end,
  copy = function(document, operation)
    local value = get(document, need(operation, "from"))
    add(document, need(operation, "path"), tables.copy(value))
  end,
}

--- Applies the operations to a document, which changes. Raises { patch = message }.
function M.apply(document, operations)
  if type(operations) ~= "table" then fail "the patch is no array" end
  for _, operation in ipairs(operations) do
    if type(operation) ~= "table" then fail "an operation is no object" end
    if operation.op == "test" then
      error({ patch = "invalid patch - op 'test' is not supported" }, 0)
    end
    local run = type(operation.op) == "string" and OPERATIONS[operation.op]
    if not run then fail("unknown operation %s", tostring(operation.op)) end
    run(document, operation)
  end
  return document
end

return M
