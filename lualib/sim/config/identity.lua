-- Names of objects: which name, partition and folder a body gives a new object, how messages name
-- an object, and the refusals for objects that exist or do not.
local json = require "f5.json"
local errors = require "sim.http.errors"
local kinds = require "sim.kinds"
local names = require "sim.config.names"
local references = require "sim.config.references"
local validate = require "sim.config.validate"
local texts = require "sim.text"

local M = {}

-- The word for an object in messages, such as "Pool".
function M.noun(target)
  return references.noun(target.template)
end

-- The name of an object in messages of mcpd: a member is named with its pool.
local function label(target, full)
  local name = kinds.of(target.template).checks.label
  return name and name(target, full) or full
end

function M.not_found(target)
  local id = target.id or target.path:match "[^/]+$"
  local full = id:gsub("~", "/")
  if not target.node.noun and target.node.flat and target.parent then
    error(errors.tm(404, "Object not found - " .. full, 1), 0)
  end
  error(
    errors.tm(
      404,
      ("01020036:3: The requested %s (%s) was not found."):format(
        M.noun(target), label(target, full)
      ),
      3
    ),
    0
  )
end

function M.exists(target, full, partition)
  if target.node.flat then
    error(
      errors.tm(
        409,
        ("01020066:3: The requested %s (%s) already exists."):format(
          M.noun(target),
          label(target, full)
        ),
        3
      ),
      0
    )
  end
  error(errors.tm(409, ("01020066:3: The requested %s (%s) already exists in partition %s."):format(
    M.noun(target), label(target, full), partition or "Common"), 3), 0)
end

-- The name, partition, sub-path and full path of a new object, from its body.
function M.identify(node, body)
  local name = body.name
  if type(name) == "number" then name = tostring(name) end
  if name == json.null then name = nil end
  if name ~= nil and type(name) ~= "string" then validate.invalid("name", name) end
  if not name or name == "" then validate.nothing_to_do() end
  local partition, sub_path = body.partition, body.subPath
  if partition == json.null then partition = nil end
  if sub_path == json.null then sub_path = nil end
  if node.flat and not node.full_names then return { name = name, fullPath = name } end
  if partition ~= nil and type(partition) ~= "string" then
    validate.invalid("partition", partition)
  end
  local given = name
  if node.flat then
    if name:sub(1, 1) ~= "/" then name = "/" .. (partition or "Common") .. "/" .. name end
    if not name:find "^/[^/].*[^/]$" then validate.invalid("name", given) end
    return { name = name, fullPath = name }
  end
  if sub_path ~= nil and type(sub_path) ~= "string" then validate.invalid("subPath", sub_path) end
  if name:sub(1, 1) == "/" then
    local first, below, rest = names.split(name)
    if first then
      partition, sub_path, name = first, below, rest
    elseif not partition then
      validate.invalid("name", name)
    end
  else
    local folder
    partition, folder = names.partition(partition or "Common")
    if partition == "" then partition = "Common" end
    if sub_path then sub_path = texts.without_slashes((sub_path:gsub("^/+", ""))) end
    if sub_path == "" then sub_path = nil end
    if folder then sub_path = sub_path and folder .. "/" .. sub_path or folder end
    if name:find "/" and not name:find ":" and not node.free_names then
      local below, rest = names.below(name)
      if below then
        sub_path = sub_path and sub_path .. "/" .. below or below
        name = rest
      end
    end
  end
  if partition == "" or name == "" or name:find "/$" and not node.free_names then
    validate.invalid("name", given)
  end
  return {
    name = name, partition = partition, subPath = sub_path,
    fullPath = names.full(partition, sub_path, name),
  }
end

-- Refuses an object whose folder does not exist.
function M.check_folder(store, object, ctx)
  if not object.partition then return end
  local folder = "/" .. object.partition .. (object.subPath and "/" .. object.subPath or "")
  if ctx.seed then
    -- a seed need not create the folders of its objects
    local path = ""
    for part in folder:gmatch "[^/]+" do
      path = path .. "/" .. part
      if not store:get("/mgmt/tm/sys/folder/" .. names.segment(path)) then
        store:create("/mgmt/tm/sys/folder", { name = path }, ctx)
      end
    end
  elseif not store:get("/mgmt/tm/sys/folder/" .. names.segment(folder)) then
    error(errors.tm(400, ("The requested folder (%s) was not found."):format(folder), 26214401), 0)
  end
end

return M
