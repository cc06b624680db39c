-- A contrary device: it behaves otherwise than clients hope, in ways that no document excludes.
--
-- `f5lua sim --contrary SEED` chooses some of the ways below, `--contrary NAME,NAME` says which.
-- What a client assumes without a reason fails here first. Parts of the simulator ask
-- `contrary.has(device, NAME)`; most ways are in this file. The factory and seeds are never
-- contrary, and twins are not.

local M = {}

--- Name -> what the device does. docs/simulator.md lists them.
M.WAYS = {
  order = "lists without an order come in another order each time",
  unknown = "every object has a property that no document describes",
  blank = "monitors of pools and members end with a blank",
  generation = "generations grow without a change",
  defaults = "new objects have other defaults",
  side = "new members and pools change other objects",
  refusals = "descriptions of more than 20 characters are refused",
  comings = "pools and nodes come and go while lists are read",
  drift = "somebody else changes descriptions of pools and nodes",
  busy = "every seventh GET is refused as busy",
  close = "each answer ends its connection",
  validated_gone = "a validated transaction is gone",
  validated_done = "a validated transaction cannot be committed",
  validated_blind = "a validation finds nothing",
  validated_refused = "validateOnly is an unknown property",
  icall_late = "handlers of iCall run up to 40 s late",
  icall_missed = "handlers of iCall make up for times that passed during a boot",
  icall_alone = "scripts of iCall cannot begin a transaction",
  tmsh_lists = "lists of words in tmsh know no replace-all-with",
}

local ALL <const> = {}
for name in pairs(M.WAYS) do ALL[#ALL + 1] = name end
table.sort(ALL)
M.ALL = ALL

local ROOT <const> = "/mgmt/tm/"
local EXTRA <const> = "contraryNote"
local SHARE <const> = 3  -- of the ways, one of so many is chosen

-- A generator of its own, so that a seed means the same everywhere.
local function next_number(contrary, size)
  contrary.number = (contrary.number * 1103515245 + 12345) & 0x7FFFFFFF
  return (contrary.number >> 8) % size
end

--- The ways that a text means: a number, or names. nil and the unknown name if there is one.
function M.ways(text)
  local found, seed = {}, math.tointeger(tonumber(text))
  local contrary = { number = (seed or 1) & 0x7FFFFFFF }
  if seed then
    for _ = 1, 3 do next_number(contrary, 2) end
    for _, name in ipairs(ALL) do found[name] = next_number(contrary, SHARE) == 0 or nil end
    if not next(found) then found[ALL[next_number(contrary, #ALL) + 1]] = true end
  else
    for name in tostring(text):gmatch "[^,%s]+" do
      name = name:gsub("%-", "_")
      if not M.WAYS[name] then return nil, name end
      found[name] = true
    end
  end
  contrary.has = found
  return contrary
end

--- Whether a device is contrary in this way.
function M.has(device, name)
  return device.contrary ~= nil and device.contrary.has[name] == true
end

function M.install(device)
  local text = device.options.contrary
  if text == nil or device.twin then return end
  local contrary, unknown = M.ways(text)
  if not contrary then error(("contrary: unknown way '%s'"):format(unknown), 0) end
  device.contrary, contrary.requests = contrary, 0
end

-- -- what is written ------------------------------------------------------------------------------

local DEFAULTS <const> = {
  ["ltm/pool"] = { slowRampTime = 30, reselectTries = 2 },
  ["ltm/pool/*/members"] = { connectionLimit = 1000 },
  ["ltm/node"] = { connectionLimit = 2000 },
  ["ltm/virtual"] = { connectionLimit = 3000, gtmScore = 1 },
  ["ltm/monitor/http"] = { interval = 6, timeout = 19 },
  ["net/vlan"] = { mtu = 1400 },
}

local function is_a_client(device, ctx)
  return device.contrary and not ctx.seed and not ctx.factory and ctx.user ~= nil
end

--- Called for a new object that has its defaults and nothing else yet.
function M.new_object(store, template, object, ctx)
  local device = store.device
  if not is_a_client(device, ctx) or not M.has(device, "defaults") then return end
  for name, value in pairs(DEFAULTS[template] or {}) do object[name] = value end
end

--- Called before an object is written. Raises a refusal.
function M.write(store, object, ctx)
  local device = store.device
  if not is_a_client(device, ctx) or not M.has(device, "refusals") then return end
  if type(object.description) == "string" and #object.description > 20 then
    require("sim.config.validate").refuse_mcpd(
      "01020057:3: The string with more than 20 characters cannot be stored in a message."
    )
  end
end

local function changed(store, path, values)
  local object = store:get(path)
  if not object then return end
  local copy = {}
  for name, value in pairs(object) do copy[name] = value end
  for name, value in pairs(values) do copy[name] = value end
  copy.generation = store:next_generation()
  store:put(path, copy)
end

local GROUP <const> = ROOT .. "ltm/data-group/internal/~Common~made_by_the_device"

--- Called when an object was made.
function M.made(store, template, object, ctx)
  local device = store.device
  if not is_a_client(device, ctx) or not M.has(device, "side") then return end
  if template == "ltm/pool/*/members" then
    local host = object.fullPath:gsub("[:.][^:.]*$", ""):gsub("/", "~")
    changed(store, ROOT .. "ltm/node/" .. host, { description = "made by the device" })
  elseif template == "ltm/pool" and not store:get(GROUP) then
    store:create(ROOT .. "ltm/data-group/internal", {
      name = "/Common/made_by_the_device", type = "string",
    }, { now = ctx.now, device = device })
  end
end

-- -- what is read ---------------------------------------------------------------------------------

-- Lists of words in which the order means nothing.
local SETS <const> = { vlans = true, nameServers = false, members = true }

local function shuffle(contrary, list)
  local copy = setmetatable(table.move(list, 1, #list, 1, {}), getmetatable(list))
  for i = #copy, 2, -1 do
    local k = next_number(contrary, i) + 1
    copy[i], copy[k] = copy[k], copy[i]
  end
  return copy
end

local altered

local function altered_list(contrary, list)
  local copy = setmetatable({}, getmetatable(list))
  for i, item in ipairs(list) do copy[i] = altered(contrary, item) end
  return copy
end

-- An object of an answer, as this device shows it.
function altered(contrary, body)
  if type(body) ~= "table" then return body end
  local has, copy = contrary.has, setmetatable({}, getmetatable(body))
  for name, value in pairs(body) do
    if type(value) ~= "table" then
      copy[name] = value
    elseif name == "items" then
      local list = altered_list(contrary, value)
      copy[name] = has.order and shuffle(contrary, list) or list
    elseif type(name) == "string" and name:find "Reference$" and value.items then
      copy[name] = altered(contrary, value)
    else
      copy[name] = has.order and SETS[name] and shuffle(contrary, value) or value
    end
  end
  local is_object = type(body.kind) == "string" and body.kind:find "state$"
    and not body.kind:find "collectionstate$" and body.entries == nil
  if not is_object then return copy end
  if has.unknown then copy[EXTRA] = "nobody knows" end
  if has.blank and type(copy.monitor) == "string" and copy.monitor:sub(1, 1) == "/" then
    copy.monitor = copy.monitor .. " "
  end
  if has.generation and copy.generation then
    copy.generation = copy.generation + contrary.requests
  end
  return copy
end

local ORDERED <const> = { security = true, asm = true, ["live-update"] = true, transaction = true }

local function is_configuration(request)
  local module = request.segments[3]
  return request.segments[1] == "mgmt" and request.segments[2] == "tm" and module ~= nil
    and not ORDERED[module] and module ~= "task" and module ~= "util"
end

--- Changes the answer of a request.
function M.observe(device, request, response)
  local contrary = device.contrary
  if not contrary then return end
  if contrary.has.close then response.close = true end
  if response.status ~= 200 or type(response.body) ~= "table" or not is_configuration(request) then
    return
  end
  contrary.requests = contrary.requests + 1
  response.body = altered(contrary, response.body)
end

-- -- what others do -------------------------------------------------------------------------------

local WATCHED <const> = { pool = true, node = true }
local NAME <const> = "/Common/contrary_guest"

-- Before a list is read an object comes, or goes.
local function come_or_go(device, kind)
  local store, path = device.store, ROOT .. "ltm/" .. kind .. "/~Common~contrary_guest"
  if store:get(path) then
    store:delete(path, { now = device:now(), device = device })
  else
    store:create(ROOT .. "ltm/" .. kind, {
      name = NAME, address = kind == "node" and "198.18.255.254" or nil,
    }, { now = device:now(), device = device })
  end
end

--- Runs before a request. Returns a refusal, or nil.
function M.filter(device, request)
  local contrary = device.contrary
  if not contrary or not is_configuration(request) then return nil end
  if request.method ~= "GET" then
    if contrary.has.unknown and type(request.json) == "table" then request.json[EXTRA] = nil end
    return nil
  end
  contrary.gets = (contrary.gets or 0) + 1
  if contrary.has.busy and contrary.gets % 7 == 0 then
    return require("sim.http.errors").tm(503, "There is an active asynchronous task executing.", 1)
  end
  local kind, name = request.segments[4], request.segments[5]
  if request.segments[3] ~= "ltm" or not WATCHED[kind] then return nil end
  if not name and contrary.has.comings and contrary.gets % 2 == 0 then
    device.store:atomically(come_or_go, device, kind)
  elseif name and not request.segments[6] and contrary.has.drift and contrary.gets % 3 == 0 then
    changed(device.store, request.path, { description = "by somebody " .. contrary.gets })
  end
  return nil
end

-- -- transactions ---------------------------------------------------------------------------------

--- The answer to a commit with validateOnly, instead of the usual one; nil: the usual one.
function M.validation(device, transaction, show)
  local has = device.contrary and device.contrary.has
  if not has then return nil end
  if has.validated_refused then
    return require("sim.http.errors").tm(400, '"validateOnly" unknown property', 26214401)
  end
  if has.validated_blind then
    local answer = show(device, transaction)
    answer.validateOnly = true
    return { status = 200, body = answer }
  end
  return nil
end

--- Called after a validation.
function M.validated(device, transaction)
  local has = device.contrary and device.contrary.has
  if not has then return end
  if has.validated_gone then
    device.state.transactions.items[tostring(transaction.id)] = nil
  elseif has.validated_done then
    transaction.state = "COMPLETED"
  end
end

-- -- iCall ----------------------------------------------------------------------------------------

--- When a handler that is due then really runs, in microseconds.
function M.icall_due(device, due)
  if not M.has(device, "icall_late") then return due end
  return due + next_number(device.contrary, 40) * 1000000
end

return M
