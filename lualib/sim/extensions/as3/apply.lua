-- Makes the objects of a tenant what a declaration wants. All writes of a tenant are one
-- transaction: they pass the checks of the device, and if one is refused, nothing remains.
--
-- state.extensions.as3.deployed = { [tenant] = { [path in the store] = { kind =, properties =,
-- path =, generation = } } }: what AS3 made last. An object whose generation is still the same
-- needs no comparison.
local addresses = require "sim.kinds.common.addresses"
local counted = require "sim.extensions.as3.counted"
local names = require "sim.config.names"
local references = require "sim.config.references"
local stored = require "sim.extensions.as3.stored"
local tables = require "sim.tables"
local transaction = require "sim.tasks.transaction"
local traces = require "sim.extensions.as3.traces"
local turns = require "sim.turns"
local values = require "sim.extensions.as3.values"

local M = {}

-- What others need comes first. A refused write is tried again after the others, so this order only
-- saves time, and decides which refusal is reported.
local RANKS <const> = {
  "^auth/partition$", "^sys/folder$", "^sys/file/ssl%-", "^sys/file/", "^net/", "^ltm/monitor/",
  "^ltm/node$", "^ltm/data%-group/", "^ltm/rule$", "^ltm/ifile$", "^ltm/cipher/", "^sys/log",
  "^security/", "^ltm/profile/", "^ltm/persistence/", "^ltm/snat%-translation$", "^ltm/snatpool$",
  "^ltm/pool$", "^ltm/policy$", "^ltm/virtual%-address$", "^ltm/traffic", "^asm/", "^apm/", "^gtm/",
  "^ltm/virtual$",
}
-- Partitions and folders have properties that AS3 does not set.
local KEEPS_OTHERS <const> = { ["auth/partition"] = true, ["sys/folder"] = true }
local IGNORED <const> = { generation = true, lastModifiedTime = true, _own = true }
local PARTITIONS <const> = "/mgmt/tm/auth/partition/"
-- Virtual servers for every address, of which a device may have many.
local EVERY <const> = { any = true, any6 = true, ["0.0.0.0"] = true, ["::"] = true }
local MAX_ROUNDS <const> = 4

local function rank(template)
  for i, pattern in ipairs(RANKS) do
    if template:find(pattern) then return i end
  end
  return 14
end

--- The objects of each partition: partition -> list of places in the store.
function M.index(device)
  local found = {}
  for path in pairs(device.store.items) do
    local partition = path:match "^/mgmt/tm/[^~]+~([^~/]+)~[^/]*$"
    if partition then
      found[partition] = found[partition] or {}
      table.insert(found[partition], path)
    end
  end
  return found
end

local function is_refusal(problem) return type(problem) == "table" and problem.status ~= nil end

-- The object at a place and all below it.
local function read(store, place)
  local all = { [place] = store:get(place) }
  if store:get(place) and not KEEPS_OTHERS[(references.template(place))] then
    for _, path in ipairs(store:below(place)) do all[path] = store:get(path) end
  end
  return all
end

local function same(a, b)
  for path, object in pairs(a) do
    if not b[path] or not tables.same(object, b[path], IGNORED) then return false end
  end
  for path in pairs(b) do
    if not a[path] then return false end
  end
  return true
end

local UNDONE <const> = {}

-- Writes an object that exists. What cannot change is made anew.
local function rewrite(store, object, ctx)
  if KEEPS_OTHERS[object.node.template] then
    if next(object.wanted.properties) then
      local body = tables.copy(object.body)
      body.name = nil
      store:modify(object.place, body, ctx)
    end
    return
  end
  local body = tables.copy(object.body)
  body.name = nil
  local ok, problem = pcall(store.replace, store, object.place, body, ctx)
  if ok then return end
  if not is_refusal(problem) then error(problem, 0) end
  local again, why = pcall(store.atomically, store, function()
    store:remove_tree(object.place)
    store:create(object.path, tables.copy(object.body), ctx)
  end)
  if not again then error(is_refusal(why) and problem or why, 0) end
end

-- Whether writing an object would change it.
local function differs(store, object, ctx, last)
  local there = store:get(object.place)
  local known = last and last.generation == there.generation
    and last.kind == object.wanted.kind
  if known then return not tables.same(last.properties, object.wanted.properties) end
  local changed
  local before = read(store, object.place)
  local ok, problem = pcall(store.atomically, store, function()
    rewrite(store, object, ctx)
    changed = not same(before, read(store, object.place))
    error(UNDONE, 0)
  end)
  if not ok and problem ~= UNDONE then
    if not is_refusal(problem) then error(problem, 0) end
    return true
  end
  return changed
end

-- Whether an object comes and goes with another one that is wanted: sys/crypto shows the same
-- certificates and keys as sys/file, files of data groups make the data group, and virtual servers
-- make their address.
local function follows(store, place, wanted, mine)
  local object = store:get(place)
  if not object then return true end
  local file, name = place:match "^/mgmt/tm/sys/crypto/(%a+)(/.*)$"
  if file then return wanted["/mgmt/tm/sys/file/ssl-" .. file .. name] end
  local source = object.externalFileName
  if source and not mine[place] then
    return wanted["/mgmt/tm/sys/file/data-group/" .. names.segment(source)]
  end
  if mine[place] or not place:find("^/mgmt/tm/ltm/virtual%-address/") then return false end
  for _, virtual in ipairs(store.virtuals_by_address[object.fullPath] or {}) do
    if wanted[virtual] then return true end
  end
  return false
end

-- An address of /Common goes with its last virtual server.
local function is_used_address(store, place)
  local path = place:match "^/mgmt/tm/ltm/virtual%-address/(~Common~[^~]+)$"
  return path ~= nil and store.virtuals_by_address[path:gsub("~", "/")] ~= nil
end

-- The objects that AS3 has to remove: all others of its tenant; of Common those that it made.
local function surplus(device, name, wanted, job)
  local list, mine = {}, job.deployed[name] or {}
  local function add(place)
    if not wanted[place] and not follows(device.store, place, wanted, mine) then
      list[#list + 1] = { verb = "delete", place = place, last = mine[place] }
    end
  end
  for _, place in ipairs(job.index[name] or {}) do
    if name ~= "Common" then add(place) end
  end
  for place in pairs(mine) do
    local elsewhere = name == "Common" or not place:find("~" .. name .. "~", 1, true)
    local object, shared = counted.without(name, place, job.deployed)
    if object and not wanted[place] and device.store:get(place) then
      list[#list + 1] = { verb = "modify", place = place, object = object, last = mine[place] }
    end
    local stays = shared or place == PARTITIONS .. name or is_used_address(device.store, place)
    if elsewhere and not stays then add(place) end
  end
  if name ~= "Common" and not wanted[PARTITIONS .. name] then add(PARTITIONS .. name) end
  return list
end

-- What has to be done: a list of { verb = "create" | "modify" | "delete", place =, object =, last =
-- }. `part`: "create" or "delete" for one of the passes of Common.
local function plan(device, name, objects, job, part)
  local store, mine = device.store, job.deployed[name] or {}
  local ops, wanted = {}, {}
  counted.set(objects, name, job.deployed)
  for _, object in ipairs(objects) do
    turns.pause()
    local place, last = object.place, mine[object.place]
    wanted[place] = true
    if not store:get(place) then
      ops[#ops + 1] = { verb = "create", place = place, object = object }
    elseif differs(store, object, job.ctx, last) then
      ops[#ops + 1] = { verb = "modify", place = place, object = object, last = last }
    end
  end
  local removed = surplus(device, name, wanted, job)
  if part == "create" then removed = {} end
  if part == "delete" then ops = {} end
  for _, op in ipairs(ops) do op.rank = rank((references.template(op.place))) end
  for _, op in ipairs(removed) do
    local number = rank((references.template(op.place)))
    op.rank = op.verb == "delete" and 100 - number or number
  end
  table.move(removed, 1, #removed, #ops + 1, ops)
  for i, op in ipairs(ops) do op.number = i end
  table.sort(ops, function(a, b)
    if a.rank ~= b.rank then return a.rank < b.rank end
    local is_folder = a.verb == "delete" and b.verb == "delete" and #a.place ~= #b.place
    if is_folder then return #a.place > #b.place end
    return a.number < b.number
  end)
  return ops
end

-- A virtual server that gets another destination is made anew, so that its old address goes.
local function is_moved(store, object)
  if object.node.template ~= "ltm/virtual" then return false end
  local there, wanted = store:get(object.place), object.body.destination
  if not there or not wanted then return false end
  return there.destination:match "^(.*)[:.]" ~= wanted:match "^(.*)[:.]"
end

-- AS3 makes the address itself, and the device refuses one that another partition has. Here the
-- virtual server may have brought it along first.
local function refuse_taken(store, op)
  if op.object.node.template ~= "ltm/virtual-address" then return end
  local address = store:get(op.place).address
  if EVERY[address] then return end
  for _, path in ipairs(store.virtual_addresses_by_ip[address] or {}) do
    if path ~= op.place then addresses.refuse_taken(address) end
  end
end

local function run_one(store, op, ctx)
  if op.verb == "create" and store:get(op.place) then
    refuse_taken(store, op)
    rewrite(store, op.object, ctx) -- the device has made it for another one
  elseif op.verb == "create" then
    store:create(op.object.path, tables.copy(op.object.body), ctx)
  elseif op.verb == "modify" and is_moved(store, op.object) then
    store:delete(op.place, ctx)
    store:create(op.object.path, tables.copy(op.object.body), ctx)
  elseif op.verb == "modify" then
    rewrite(store, op.object, ctx)
  elseif store:get(op.place) then
    store:delete(op.place, ctx)
  end
end

-- Runs those that work, in any order. Returns the others, and the first refusal.
local function run_most(store, ops, ctx)
  local waiting, first = ops, nil
  while #waiting > 0 do
    local again = {}
    first = nil
    for _, op in ipairs(waiting) do
      local ok, problem = pcall(run_one, store, op, ctx)
      if not ok then
        if not is_refusal(problem) then error(problem, 0) end
        first = first or problem
        again[#again + 1] = op
      end
    end
    if #again == #waiting then break end
    waiting = again
  end
  return waiting, first
end

-- Runs all. A device looks at a transaction as a whole, so objects may need each other in a circle:
-- a pool whose members get other nodes with the same addresses. Then what changes is made anew.
local function run(store, ops, ctx)
  local waiting, first = run_most(store, ops, ctx)
  if #waiting == 0 then return end
  local again = {}
  for i, op in ipairs(waiting) do
    if op.verb == "modify" and not KEEPS_OTHERS[(references.template(op.place))] then
      store:remove_tree(op.place)
      again[i] = { verb = "create", place = op.place, object = op.object, rank = op.rank }
    else
      again[i] = op
    end
  end
  -- what goes makes room for what comes
  table.sort(again, function(a, b)
    local x, y = a.verb == "delete" and 0 or 1, b.verb == "delete" and 0 or 1
    if x ~= y then return x < y end
    return a.rank < b.rank
  end)
  local left, why = run_most(store, again, ctx)
  if #left > 0 then error(first or why, 0) end
end

-- Objects that AS3 makes before the transaction, if a service matches by lists. Each has a line
-- that takes it back.
local EARLY <const> = {
  ["net/address-list"] = true, ["net/port-list"] = true, ["security/firewall/address-list"] = true,
  ["security/firewall/port-list"] = true, ["ltm/traffic-matching-criteria"] = true,
}

-- The lines that a step takes beyond its command.
local function extra_lines(template, op)
  if template == "auth/partition" then return 1 end
  local is_rule = template == "ltm/rule" or template == "gtm/rule"
  local text = is_rule and op.object and op.object.body.apiAnonymous
  if text then return select(2, text:gsub("\n", "")) + 2 end
  return 0
end

-- The lines of the script of tmsh that AS3 would run.
local function count_lines(ops, name)
  local lines, folders, shared, early, has_names, has_lists = 17 + #ops, 0, 0, 0, false, false
  for _, op in ipairs(ops) do
    local template = references.template(op.place)
    lines = lines + extra_lines(template, op)
    if template == "sys/folder" then folders = folders + 1 end
    if name ~= "Common" and op.object and op.object.wanted.path:find "^/Common/" then shared = 1 end
    if EARLY[template] and op.verb == "create" then early = early + 1 end
    has_lists = has_lists or template == "ltm/traffic-matching-criteria"
    has_names = has_names or template:find "^gtm/wideip" ~= nil
  end
  lines = lines + (has_lists and early or 0)
  -- wide IPs have a transaction of their own
  return lines + math.max(folders - 1, 0) + shared + (has_names and 2 or 0)
end

local function description(device)
  return os.date("!Updated by AS3 at %a, %d %b %Y %T GMT", device:now() // 1000000)
end

-- Keeps what was made.
local function remember(device, name, objects, job)
  local kept = {}
  for _, object in ipairs(objects) do
    local there = device.store:get(object.place)
    kept[object.place] = {
      kind = object.wanted.kind, properties = object.wanted.properties, path = object.wanted.path,
      generation = there and there.generation,
    }
  end
  job.deployed[name] = next(kept) and kept or nil
end

local function write(device, name, objects, job, part, ops)
  transaction.together(device, function()
    for _ = 1, MAX_ROUNDS do
      run(device.store, ops, job.ctx)
      -- what was removed on the way with something else is made again
      local missing = {}
      for _, object in ipairs(part ~= "delete" and objects or {}) do
        if not device.store:get(object.place) then
          missing[#missing + 1] = {
            verb = "create", place = object.place, object = object,
            rank = rank((references.template(object.place))),
          }
        end
      end
      if #missing == 0 then break end
      ops = missing
    end
    if name ~= "Common" and device.store:get(PARTITIONS .. name) then
      device.store:modify(PARTITIONS .. name, { description = description(device) }, job.ctx)
    end
  end)
end

local function deploy(device, name, objects, job, part)
  local ops = plan(device, name, objects, job, part)
  if job.traces and part ~= "delete" then
    local list = job.traces
    list[name .. "Desired"] = traces.desired(objects)
    list[name .. "Current"] = traces.current(device, job.deployed[name])
    list[name .. "Diff"] = traces.changes(ops)
    if #ops > 0 then list[name .. "Script"] = traces.script(ops, name) end
  end
  if #ops == 0 then
    if part ~= "create" and not job.dry then remember(device, name, objects, job) end
    return { code = 200, message = "no change" }
  end
  local result = { code = 200, message = "success", lineCount = count_lines(ops, name) }
  if job.wants_changes then result.changes = traces.changes(ops) end
  if job.dry then return result end
  local ok, problem = pcall(write, device, name, objects, job, part, ops)
  if not ok then
    if not is_refusal(problem) then error(problem, 0) end
    local body = problem.body
    local reason = type(body) == "table" and body.message or "script failed"
    stored.note_update(device, reason)
    return { code = 422, message = "declaration failed", response = reason }
  end
  stored.note_update(device)
  if part ~= "create" or #(objects) > 0 then
    local kept = part == "create" and job.deployed[name] or nil
    remember(device, name, objects, job)
    -- what is not wanted any more is removed in the last pass
    for place, entry in pairs(kept or {}) do
      job.deployed[name] = job.deployed[name] or {}
      if not job.deployed[name][place] then job.deployed[name][place] = entry end
    end
  end
  return result
end

--- Makes the objects of a tenant. Returns { code =, message =, lineCount =, response = }, and the
--- differences if `job.wants_changes`.
-- @param objects what sim/extensions/as3/map makes of the tenant, as values.object has it; with
--   `uploads`
-- @param job { ctx =, index =, deployed =, dry =, wants_changes =,
--   traces = the table that gets the traces }
-- @param part nil, or "create" or "delete" for one of the two passes of Common
function M.tenant(device, name, objects, job, part)
  for _, upload in ipairs(objects.uploads or {}) do
    device.disk.write(upload.path, upload.content)
  end
  local ok, result = pcall(deploy, device, name, objects, job, part)
  for _, upload in ipairs(objects.uploads or {}) do device.disk.remove(upload.path) end
  if not ok then error(result, 0) end
  return result
end

--- The objects that a mapping wants, ready to be compared and written.
function M.objects(mapped, uploads)
  local list, seen = { uploads = uploads }, {}
  for _, entry in ipairs(mapped) do
    local object = values.object(entry)
    -- several pools may need the same node
    if not seen[object.place] then list[#list + 1] = object end
    seen[object.place] = true
  end
  return list
end

return M
