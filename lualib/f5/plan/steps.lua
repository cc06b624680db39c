-- The steps of a check: what a playbook sent, in its order, with the line that did it.

local core = require "f5.core"
local extensions = require "f5.declare.kinds"
local json = require "f5.json"
local State = require "f5.state.state"

local M = {}

---@class f5.plan.step
---One write of a playbook.
---@field n integer its number on this device
---@field line string the line of the script: "playbook.lua:12"
---@field method string
---@field path string
---@field body string? JSON text
---@field transaction string? id of the transaction in which it is queued
---@field status integer? of the twin's answer
---@field ok boolean whether the twin carried it out
---@field answer string? of the twin
---@field message string? why it failed
---@field operation integer? its number in the twin's report
---@field uncertain string? why it may run in another way on the device

-- Where files are uploaded to: the option `to` of bip:upload.
local PLACES <const> = {
  { "^/mgmt/shared/file%-transfer/uploads/", "downloads" },
  { "^/mgmt/shared/file%-transfer/ucs%-uploads/", "ucs" },
  { "^/mgmt/cm/autodeploy/software%-image%-uploads/", "images" },
  { "^/mgmt/tm/asm/file%-transfer/uploads/", "asm" },
}

--- The option `to` of bip:upload for the path of an upload; nil for other paths.
function M.place_of(path)
  for _, place in ipairs(PLACES) do
    if path:find(place[1]) then return place[2] end
  end
  return nil
end

--- What a write is: "rest", "upload", "task", "asm", "declaration", "command" (run on the device:
-- bash and other utilities), "transaction" (begin, commit or end of one), "commands" (save, load,
-- and what else runs as a command of tmsh), "other".
function M.class_of(path)
  path = path:gsub("%?.*", "")
  local below = path:match "^/mgmt/tm/(.*)$"
  if M.place_of(path) then return "upload" end
  if extensions.of_path(path) then return "declaration" end
  if not below then return "other" end
  if below:find "^util/" then return "command" end
  if below:find "^task/" then return "task" end
  if below:find "^transaction" then return "transaction" end
  if below:find "^asm/" or below:find "^live%-update/" then return "asm" end
  return "rest"
end

--- The body of a step as a table; nil if it has none.
function M.body_of(step)
  if not step.body or step.body == "" then return nil end
  local ok, body = pcall(json.decode, step.body)
  return ok and type(body) == "table" and body or nil
end

--- Whether a write runs a command of tmsh ({"command": "save"}) instead of making an object.
function M.is_command(step)
  local body = step.method == "POST" and M.body_of(step)
  return body and type(body.command) == "string" and body.name == nil or false
end

-- The full name of what a creation makes.
local function full_name(collection, body)
  local full = body.name
  if full:sub(1, 1) == "/" then return full end
  local partition = type(body.partition) == "string" and body.partition
    or core.has_partitions(collection) and "Common"
  if not partition then return full end
  local sub = type(body.subPath) == "string" and body.subPath ~= "" and body.subPath .. "/" or ""
  return ("/%s/%s%s"):format(partition, sub, full)
end

local function find_target(step)
  local path = step.path:gsub("%?.*", "")
  local body = step.method == "POST" and M.body_of(step)
  if not body or type(body.name) ~= "string" then return State.canonical(path) end
  local name = full_name(path, body):gsub("/", "~"):gsub("%%", "%%25")
  return State.canonical(path .. "/" .. name)
end

local targets <const> = setmetatable({}, { __mode = "k" }) -- step -> path

--- The object that a step writes: the path of a creation is that of its collection.
-- @return string path, encoded as in f5.state.state
function M.target_of(step)
  local known = targets[step]
  if not known then
    known = find_target(step)
    targets[step] = known
  end
  return known
end

return M
