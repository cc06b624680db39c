-- Finds the command that made a transaction fail. The device names objects, but no command.
--
-- If only one command concerns an object that the message names, it is that one. Otherwise the
-- first commands are queued again in another transaction and validated, which changes nothing. The
-- shortest list that is refused with the same words ends with the command to blame. Devices that do
-- not know validateOnly are not asked.

local core = require "f5.core"
local json = require "f5.json"
local queue = require "f5.change.queue"
local segments = require "f5.state.segment"

local M = {}

local MAX_SEARCH <const> = 60 -- seconds
local LISTED <const> = 10

local function reason_of(message) return (message:gsub("^transaction failed:%s*", "")) end

-- Names of objects in a message: "/Common/web", and what is in brackets or quotes.
local function names_in(message)
  local names, any = {}, false
  local function add(name)
    name = name:gsub("[%.,:;%)]+$", "")
    if #name > 1 and not name:find "^/[^/]*$" then names[name], any = true, true end
  end
  for name in message:gmatch "/[%w][^%s%(%)%[%]'\",;]*" do add(name) end
  for _, pattern in ipairs { "%(([^%(%)]+)%)", "'([^']+)'", '"([^"]+)"' } do
    for name in message:gmatch(pattern) do add(name) end
  end
  return names, any
end

local function named(names, name)
  return names[name] or (name:sub(1, 1) ~= "/" and names["/Common/" .. name]) or false
end

local function mentioned_in(names, value)
  if type(value) == "string" then
    if named(names, value) then return true end
    for word in value:gmatch "[^%s{}]+" do -- a rule, a monitor "min 1 of …"
      if named(names, word) then return true end
    end
  elseif type(value) == "table" then
    for _, item in pairs(value) do
      if mentioned_in(names, item) then return true end
    end
    if type(value.name) == "string" then
      local folder = type(value.subPath) == "string" and value.subPath .. "/" or ""
      return named(
        names,
        ("/%s/%s%s"):format(
          type(value.partition) == "string" and value.partition or "Common",
          folder,
          value.name
        )
      )
    end
  end
  return false
end

local function concerns(record, names)
  for segment in record.path:gsub("%?.*", ""):gmatch "[^/]+" do
    if named(names, segments.name(segment)) then return true end
  end
  local ok, body = pcall(json.decode, record.body)
  return ok and mentioned_in(names, body)
end

-- The reason why the device refuses the first `count` commands, or nil.
local function refusal(part, count)
  local tx <close> = part.session:begin { keep_alive = false }
  local refused, problem = queue.commands(part.session, tx, part.records, false, count)
  if refused then error(problem, 0) end
  local ok, err = queue.validate(part.session, tx)
  if ok then return nil end
  if type(err) ~= "table" or err.kind ~= "transaction" then error(err, 0) end
  return reason_of(err.message)
end

-- Binary search for the first candidate whose list is refused with this reason.
local function search(part, candidates, reason)
  local began, low, high = core.now(), 0, #candidates
  while high - low > 1 do
    if core.now() - began > MAX_SEARCH then return nil end
    local middle = (low + high) // 2
    if refusal(part, candidates[middle]) == reason then high = middle else low = middle end
  end
  return candidates[high]
end

local function described(record)
  local where = record.where:gsub(": $", "")
  return ("%s %s%s"):format(
    record.method,
    record.path,
    where ~= "" and ", queued at " .. where or ""
  )
end

local function shown(record)
  return {
    id = record.id, method = record.method, path = record.path,
    where = record.where:gsub(": $", ""),
  }
end

-- What the device has instead of a path that it does not know: " (… did you mean 'pool'?)". The
-- answer to a commit does not say it, but the answer to a GET does.
local function path_hint(part, reason, record)
  if not reason:find "^Not implemented" and not reason:find "not registered" then return "" end
  local ok, err = pcall(part.session.request, part.session, "GET", record.path)
  if ok or type(err) ~= "table" then return "" end
  if err.kind == "cancelled" then error(err, 0) end
  local hint = err.kind == "not_found" and err.message:match "%(/mgmt/tm.*%)$"
  return hint and " " .. hint or ""
end

-- The positions of the commands that the words of a refusal may be about.
local function candidates_of(records, reason)
  local names, any = names_in(reason)
  local candidates = {}
  for i, record in ipairs(records) do
    if any and concerns(record, names) then candidates[#candidates + 1] = i end
  end
  if #candidates == 0 then
    for i in ipairs(records) do candidates[i] = i end
  end
  return candidates
end

--- Finds the command that a refusal is about.
-- @return integer|nil: its position
-- @return array of the positions that may be it
function M.find(part, err)
  local reason = reason_of(err.message)
  local candidates = candidates_of(part.records, reason)
  if #candidates == 1 then return candidates[1], candidates end
  if not part.validates then return nil, candidates end
  local ok, found = pcall(search, part, candidates, reason)
  if not ok and type(found) == "table" and found.kind == "cancelled" then error(found, 0) end
  return ok and found or nil, candidates
end

--- Adds the command to blame to the error of a refused transaction: as `command` and in its
-- message.
function M.blame(part, err)
  local records = part.records
  if
    type(err) ~= "table" or err.kind ~= "transaction" or #records == 0
    or not err.message:find "^transaction failed:"
  then
    return err
  end
  local blamed, candidates = M.find(part, err)
  if blamed then
    err.command = shown(records[blamed])
    err.message = ("%s%s; the command was %s"):format(
      err.message,
      path_hint(part, reason_of(err.message), records[blamed]),
      described(records[blamed])
    )
    return err
  end
  local list = {}
  err.candidates = {}
  for i, place in ipairs(candidates) do
    err.candidates[i] = shown(records[place])
    if i <= LISTED then list[i] = described(records[place]) end
  end
  if #candidates > LISTED then list[#list + 1] = ("%d more"):format(#candidates - LISTED) end
  err.message = ("%s; it was one of %d commands: %s"):format(
    err.message,
    #candidates,
    table.concat(list, "; ")
  )
  return err
end

return M
