-- What TS adds to the keywords of JSON schemas: secrets, pointers, names of other objects of the
-- declaration. Checks that need the device are carried out when everything else is right.
local digest = require "sim.digest"
local json = require "f5.json"
local pointers = require "sim.extensions.telemetry.pointers"
local secrets = require "sim.kinds.common.secrets"

local M = {}

local HEAP <const> = 1400 -- megabytes

-- The key of a value in what holds it, counted as JavaScript counts.
local function own_key(at)
  return type(at.key) == "number" and at.key - 1 or at.key
end

local function mistake(at, keyword, message)
  return {
    keyword = keyword, path = at.path, message = message, own = own_key(at), where = at.where,
  }
end

-- A keyword: run(given, value, at) may raise a text, or return a function that is for later.
local function keyword(kind, name, run)
  return { kind, name, function(given, value, at)
    pointers.look(at)
    local ok, result = pcall(run, given, value, at)
    if not ok then
      if type(result) ~= "table" or not result.telemetry then error(result, 0) end
      return { mistake(at, name, result.telemetry) }
    end
    if type(result) == "function" then
      table.insert(at.options.later, { keyword = name, run = result, at = at })
    end
    return nil
  end }
end

local function fail(format, ...) error({ telemetry = format:format(...) }, 0) end

-- -- names of other objects --

local function declaration_class(class, name, at)
  local object = pointers.scope(at).objects[name]
  if type(object) ~= "table" or object.class ~= class then
    fail('declaration with name "%s" and class "%s" doesn\'t exist', name, class)
  end
end

local function split(text)
  local parts = {}
  for part in ((text:match "^/?(.-)/?$") .. "/"):gmatch "([^/]*)/" do parts[#parts + 1] = part end
  return parts
end

local function declaration_class_member(given, text, at)
  local parts, wanted = split(text), split(given.path)
  if given.partsNum and given.partsNum ~= 0 and #parts ~= given.partsNum then
    local form = "ObjectName"
    for i = 1, given.partsNum - 1 do form = form .. "/key" .. i end
    fail('"%s" does not follow format "%s"', text, form)
  end
  local object = pointers.scope(at).objects[parts[1]]
  if type(object) ~= "table" or object.class ~= wanted[1] then
    fail('"%s" must be of object type and class "%s"', parts[1], wanted[1])
  end
  local path = table.move(wanted, 2, #wanted, 1, {})
  table.move(parts, 2, #parts, #path + 1, path)
  for _, key in ipairs(path) do
    object = type(object) == "table" and object[key] or nil
    if object == nil then fail('Unable to find "%s/%s"', parts[1], table.concat(path, "/")) end
  end
end

-- -- secrets --

-- A secret in pieces of 500 characters, each encrypted by the device.
local function encrypted(text)
  if text == "" then fail "Cannot read property 'length' of null" end
  local pieces = {}
  for i = 1, #text, 500 do
    -- what looks encrypted, or like no secret at all, is encrypted too
    pieces[#pieces + 1] = secrets.encrypted("TS " .. text:sub(i, i + 499))
  end
  return table.concat(pieces, ",")
end

local function secret(_, value)
  if value.environmentVar ~= nil then return nil end
  local text = value.cipherText
  if text == nil then fail "missing cipherText or environmentVar" end
  if value.protected == "SecureVault" then
    if text:sub(1, 3) == "$M$" then return nil end
    fail "'cipherText' should be encrypted by BIG-IP when 'protected' is 'SecureVault'"
  end
  if value.protected == "plainBase64" then text = digest.unbase64(text) or "" end
  return function()
    value.cipherText = encrypted(text)
    value.protected = "SecureVault"
  end
end

-- -- the rest --

local function time_window(least, value)
  local function minutes(text)
    local hour, minute = text:match "^(%d+):(%d*)$"
    return hour and tonumber(hour) * 60 + (tonumber(minute) or 0) or 0
  end
  if type(value.start) ~= "string" or type(value["end"]) ~= "string" then return end
  local from, to = minutes(value.start), minutes(value["end"])
  if from > to then to = to + 1440 end
  if from == to or to - from < least then
    fail("specify window with size of a %d minutes or more", least)
  end
end

local function heap_size(_, value, at)
  return function()
    local controls = at.options.root[at.path:match "^/([^/]*)"]
    local runtime = type(controls) == "table" and controls.runtime
    local limit = type(runtime) == "table" and runtime.maxHeapSize or HEAP
    if value > limit then
      fail("Value should not be greater than V8's heap size: %d MB.", limit)
    end
  end
end

-- The simulated device reaches no other host, so it can only say that.
local function connectivity(_, _, at)
  local holder = at.parent
  if type(at.key) == "number" then holder = pointers.holder(at) end
  if type(holder) ~= "table" or holder.enableHostConnectivityCheck ~= true or not holder.port then
    return nil
  end
  return function() fail "enableHostConnectivityCheck is not simulated" end
end

local function path_exists(_, path, at)
  return function()
    local disk = at.options.device.disk
    if not disk.find(path) and not disk.is_directory(path) then
      fail('Unable to access path "%s": Error: ENOENT: no such file or directory, access \'%s\'',
        path, path)
    end
  end
end

local function expand(_, text, at)
  if not at.options.expand then return end
  local ok, result = pcall(pointers.expand, text, at)
  if not ok then
    if type(result) ~= "table" or not result.pointer then error(result, 0) end
    fail("Unable to expand JSON-pointer '%s': %s", text, result.pointer)
  end
  at.parent[at.key] = result
end

--- The keywords, in the order in which the validator got them.
M.LIST = {
  keyword("string", "declarationClass", declaration_class),
  keyword("string", "declarationClassProp", declaration_class_member),
  keyword("string", "f5expand", expand),
  keyword("object", "f5secret", secret),
  keyword("number", "heapSizeLimitCheck", heap_size),
  keyword("string", "hostConnectivityCheck", connectivity),
  keyword("string", "pathExists", path_exists),
  keyword("object", "timeWindowMinSize", time_window),
}

-- Secrets come last.
local GROUPS <const> = {
  { heapSizeLimitCheck = true, hostConnectivityCheck = true, pathExists = true },
  { f5secret = true },
}

--- Carries out what was left for later. Returns nil, or what is wrong, as TS shows it.
function M.carry_out(options)
  for _, group in ipairs(GROUPS) do
    local wrong = json.array {}
    for _, one in ipairs(options.later) do
      local ok, problem = true, nil
      if group[one.keyword] then ok, problem = pcall(one.run) end
      if not ok then
        if type(problem) ~= "table" or not problem.telemetry then error(problem, 0) end
        local found = {
          dataPath = one.at.path, propertyName = own_key(one.at), keyword = one.keyword,
          message = problem.telemetry, params = {},
        }
        wrong[#wrong + 1] = {
          status = "rejected",
          reason = {
            message = "validation failed", errors = json.array { found }, ajv = true,
            validation = true,
          },
        }
      end
    end
    if #wrong > 0 then return wrong end
  end
  return nil
end

return M
