-- What a write is about: the objects that it creates, changes or deletes, and whether that can be
-- taken back. It knows this before the write is sent, from the path and the body alone.

local core = require "f5.core"
local json = require "f5.json"
local segments = require "f5.state.segment"

local M = {}

---@class f5.safe.about
---@field what "skip"|"commit"|"forget"|"command"|"create"|"change"|"delete"
---@field path? string path of the object, encoded, without a query
---@field reason? string why it cannot be taken back
---@field id? string transaction that is committed; number of the command that is removed

local ROOT <const> = "/mgmt/tm/"

--- The key of an object: its path without a query, decoded.
function M.key(path) return segments.decoded(path:match "^[^?]*") end

--- The path in a link: "https://localhost/mgmt/tm/ltm/pool/~Common~p?ver=17.1.0".
function M.path_of(link) return (link:gsub("^https?://[^/]*", ""):gsub("%?.*$", "")) end

--- "/mgmt/tm/ltm/pool/~Common~p/members/~Common~10.0.0.1:80" -> "ltm/pool/members". Names without
-- a partition cannot be told from other segments: the caller knows better, from a body that it has
-- read.
function M.kind_of_path(path)
  local parts = {}
  for part in M.key(path):gsub("^/mgmt/tm/", ""):gmatch "[^/]+" do
    if part:sub(1, 1) ~= "~" then parts[#parts + 1] = part end
  end
  return table.concat(parts, "/")
end

--- The collection of an object, and its segment.
function M.split(path) return path:match "^(.*)/([^/]+)$" end

-- Why nothing below these paths can be taken back.
local NOT_REVERSIBLE <const> = {
  { "^/mgmt/shared/file%-transfer/", "the uploaded file stays on the device" },
  { "^/mgmt/cm/autodeploy/software%-image%-uploads", "the uploaded file stays on the device" },
  { "^/mgmt/tm/asm/file%-transfer/", "the uploaded file stays on the device" },
  { "^/mgmt/tm/util/unix%-rm$", "a deleted file of the disk does not come back" },
  { "^/mgmt/tm/util/", "nobody knows what a command of the shell changes" },
  { "^/mgmt/tm/task/", "a task cannot be taken back" },
  { "^/mgmt/tm/asm/", "changes of security policies are not taken back: export the policy before" },
  { "^/mgmt/tm/live%-update/", "updates of signatures are not taken back" },
  { "^/mgmt/tm/sys/license", "the licence cannot be taken back" },
  { "^/mgmt/tm/sys/software", "software cannot be taken back" },
  { "^/mgmt/tm/sys/ucs", "an archive cannot be taken back" },
  { "^/mgmt/tm/sys/config$", "what is saved or loaded stays so" },
  { "^/mgmt/tm/sys/provision", "provisioning restarts the device, and is not taken back" },
  { "^/mgmt/tm/sys/crypto/", "private keys and what is made with them cannot be read" },
  { "^/mgmt/tm/cm/trust%-domain", "the trust between devices cannot be taken back" },
  { "^/mgmt/tm/cm/add%-to%-trust", "the trust between devices cannot be taken back" },
  { "^/mgmt/tm/cm/remove%-from%-trust", "the trust between devices cannot be taken back" },
}

local function reason_of(path)
  for _, rule in ipairs(NOT_REVERSIBLE) do
    if path:find(rule[1]) then return rule[2] end
  end
  if path:sub(1, #ROOT) ~= ROOT then
    return "only the configuration below /mgmt/tm can be taken back"
  end
  return nil
end

local function of_transaction(path, method, body)
  local id, command = path:match "^/mgmt/tm/transaction/([^/]+)/commands/([^/]+)$"
  if command and method == "DELETE" then
    return { what = "forget", transaction = id, id = command }
  end
  id = path:match "^/mgmt/tm/transaction/([^/]+)$"
  local commits = id and method == "PATCH" and type(body) == "table"
    and body.state == "VALIDATING" and body.validateOnly ~= true
  return commits and { what = "commit", id = id } or { what = "skip" }
end

--- The segment for the name of an object in a collection, encoded.
-- @param item table: with name, and perhaps partition, subPath, fullPath
-- @param partition string|nil: that of the owner
function M.segment(bip, collection, item, partition)
  local name = item.fullPath or item.name
  if type(name) ~= "string" then return nil end
  if name:sub(1, 1) ~= "/" and core.has_partitions(collection) then
    local folder = item.partition or partition or "Common"
    local below = item.subPath and item.subPath ~= "" and item.subPath .. "/" or ""
    name = ("/%s/%s%s"):format(tostring(folder):gsub("^/", ""), below, name)
  end
  return select(2, M.split(tostring(bip:at(collection, name))))
end

--- The objects of a path that a name without a partition may stand for: pool/p is pool/~Common~p.
function M.full_path(bip, path, raw)
  local collection, segment = M.split(path)
  local name = type(raw) == "table" and raw.name
  if type(name) ~= "string" or segment:sub(1, 1) == "~" or M.key(segment) ~= name then
    return path
  end
  if not core.has_partitions(collection) then return path end
  if not tostring(raw.kind):find "state$" then return path end
  return collection .. "/" .. M.segment(bip, collection, { name = name }, raw.partition)
end

-- Uploads that f5.jobs removes itself: they leave nothing to take back.
local TEMPORARY <const> = "f5lua%-%x+%.[%a.]+"

--- Whether a write only uploads such a file, or only removes some of them.
function M.is_temporary(path, body)
  if path:find("^/mgmt/shared/file%-transfer/uploads/" .. TEMPORARY .. "$") then return true end
  if path ~= "/mgmt/tm/util/unix-rm" then return false end
  local words = type(body) == "table" and tostring(body.utilCmdArgs) or ""
  for word in words:gmatch "%S+" do
    local name = word:match "^/var/config/rest/downloads/(.*)$"
    if word ~= "-f" and not (name and name:gsub("^tmp/", ""):find("^" .. TEMPORARY .. "$")) then
      return false
    end
  end
  return true
end

--- What a write is about.
-- @param write table: as of core.record
-- @param body any: its decoded body; nil if there is none, or it is not JSON
-- @return f5.safe.about
function M.of(bip, write, body)
  local path, method = write.path:match "^[^?]*", write.method
  if write.harmless or path == "/mgmt/tm/util/unix-ls" then return { what = "skip" } end
  if path:find "^/mgmt/tm/transaction%f[/\0]" then return of_transaction(path, method, body) end
  if M.is_temporary(path, body) then return { what = "skip" } end
  if require("f5.safe.declaration").is_one(path, method) then
    return { what = "declare", path = path }
  end
  local reason = reason_of(path)
  if reason then return { what = "command", path = path, reason = reason } end
  if method == "DELETE" then return { what = "delete", path = path } end
  if method == "PATCH" or method == "PUT" then return { what = "change", path = path } end
  body = type(body) == "table" and body or {}
  if body.command ~= nil then
    local word = core.mask(tostring(body.command))
    local name = type(body.name) == "string" and path == "/mgmt/tm/ltm/policy" and word == "publish"
      and body.name
    if name then return { what = "publish", path = path, name = name } end
    return {
      what = "command", path = path,
      reason = ("the command '%s' cannot be taken back"):format(word),
    }
  end
  local segment = type(body.name) == "string" and M.segment(bip, path, body)
  if not segment then
    return { what = "command", path = path, reason = "the new object has no name" }
  end
  return { what = "create", path = path .. "/" .. segment }
end

-- -- side effects ---------------------------------------------------------------------------------

local function address_of(name)
  return name:match "^(.*):[^:]*$" or name:match "^(.*)%.[^.]*$"
end

local function add_node(out, bip, item, partition)
  if type(item) == "string" then item = { name = item } end
  local name = type(item) == "table" and (item.fullPath or item.name)
  if type(name) ~= "string" then return end
  local host = address_of(name) or name
  if host == "" then return end
  local node = { name = host, partition = item.partition, subPath = item.subPath }
  local collection = ROOT .. "ltm/node"
  out[#out + 1] = collection .. "/" .. M.segment(bip, collection, node, partition)
end

local function partition_of(path)
  return M.key(path):match "^/mgmt/tm/ltm/%a+/~([^~/]+)~"
end

local function virtual_address(bip, destination, partition)
  if type(destination) ~= "string" then return nil end
  local host = address_of(destination) or destination
  local collection = ROOT .. "ltm/virtual-address"
  return collection .. "/" .. M.segment(bip, collection, { name = host }, partition)
end

--- The paths of the objects that a device makes or removes with a write: nodes of pool members,
-- addresses of virtual servers.
-- @param about f5.safe.about
-- @param before table|nil: the object as it was
function M.side_effects(bip, about, body, before)
  local out, path = {}, about.path
  body = type(body) == "table" and body or {}
  if about.what == "create" and path:find "^/mgmt/tm/ltm/pool/[^/]+/members/" then
    add_node(out, bip, body, partition_of(path))
  elseif path:find "^/mgmt/tm/ltm/pool/[^/]+$" and type(body.members) == "table" then
    for _, item in ipairs(body.members) do add_node(out, bip, item, partition_of(path)) end
  elseif path:find "^/mgmt/tm/ltm/snatpool/[^/]+$" and type(body.members) == "table" then
    for _, address in ipairs(body.members) do
      local collection = ROOT .. "ltm/snat-translation"
      local name = type(address) == "string" and { name = address:match "[^/]*$" }
      out[#out + 1] = name
        and collection .. "/" .. M.segment(bip, collection, name, partition_of(path))
    end
  elseif path:find "^/mgmt/tm/ltm/policy/[^/]+$" and body.createDraft ~= nil then
    local name = M.key(path):match "[^/]*$":gsub("~", "/")
    local folder, last = name:match "^(.*)/([^/]*)$"
    local collection = ROOT .. "ltm/policy"
    out[#out + 1] = folder
      and collection .. "/" .. M.segment(bip, collection, { name = folder .. "/Drafts/" .. last })
  elseif path:find "^/mgmt/tm/ltm/virtual/[^/]+$" then
    local old = before and before.destination
    out[#out + 1] = virtual_address(bip, body.destination, partition_of(path))
    if about.what == "delete" or body.destination ~= nil then
      local other = virtual_address(bip, old, partition_of(path))
      if other ~= out[1] then out[#out + 1] = other end
    end
  end
  return out
end

M.null = json.null

return M
