-- Which columns a table of objects has, and the value of a column.

local computed = require "f5.table.computed"
local kinds = require "f5.table.kinds"

local M = {}

-- "gtm/wideip/a" -> its own entry, or that of "gtm/wideip/*".
local function find(all, kind)
  if not kind then return nil end
  return all[kind] or all[(kind:gsub("[^/]+$", "*"))]
end

--- The kind of a collection at a path: "/mgmt/tm/ltm/pool/~Common~web/members?ver=17.1.0" is
-- "ltm/pool/members".
---@param path string
---@return string kind
function M.kind_of_path(path)
  path = path:gsub("[?#].*$", ""):gsub("^/*mgmt/", ""):gsub("^/*tm/", "")
  path = path:gsub("/~[^/]*", ""):gsub("^/+", ""):gsub("/+$", "")
  if find(kinds, path) then return path end
  -- a name without a partition: ltm/pool/web/members, auth/user/bob
  for before, after in path:gmatch "()/[^/]+()" do
    local shorter = path:sub(1, before - 1) .. path:sub(after)
    if find(kinds, shorter) then return shorter end
  end
  return path
end

--- The kind of an object: "tm:ltm:pool:members:membersstate" is "ltm/pool/members".
---@param object table
---@return string|nil kind nil if the object does not say it
function M.kind_of(object)
  local kind = rawget(object, "kind")
  kind = type(kind) == "string" and kind:match "^tm:(.+):[^:]+$"
  return kind and kind:gsub(":", "/") or nil
end

--- The kind of all rows; nil if they have several.
---@param rows table[]
---@return string|nil
function M.kind_of_rows(rows)
  local first = type(rows[1]) == "table" and M.kind_of(rows[1]) or nil
  for i = 2, first and #rows or 0 do
    if type(rows[i]) ~= "table" or M.kind_of(rows[i]) ~= first then return nil end
  end
  return first
end

local NONE <const>, computed_of <const> = {}, {}

--- Columns that are no properties of this kind: name -> { value =, statistics =, from = }.
---@param kind string|nil
---@return table<string, table>
function M.computed(kind)
  if not kind then return NONE end
  local found = computed_of[kind]
  if not found then
    found = find(computed, kind) or NONE
    computed_of[kind] = found
  end
  return found
end

local function split(words, list)
  for word in words:gmatch "%S+" do list[#list + 1] = word end
  return list
end

--- The columns of a table of this kind, without the name.
---@param kind string|nil
---@param wide? boolean also those of -o wide
---@return string[]|nil columns nil: nothing is known about the kind
function M.of(kind, wide)
  local entry = find(kinds, kind)
  if not entry then return nil end
  return split(wide and entry.wide or "", split(entry.columns, {}))
end

--- The name as people write it: without /Common/, which f5lua adds, and with any other folder.
---@param object table
---@return any
function M.name(object)
  local name, full = rawget(object, "name"), rawget(object, "fullPath")
  if type(full) ~= "string" then return name end
  local is_common = rawget(object, "partition") == "Common" and not rawget(object, "subPath")
  return is_common and type(name) == "string" and full == "/Common/" .. name and name or full
end

--- The value of a column: a property, a part of one ("fqdn.tmName", "membersReference/items"), or
-- what f5lua works out of the object.
---@param object table
---@param column string
---@param kind? string
---@return any
function M.value(object, column, kind)
  local item = rawget(object, column)
  if item ~= nil then return item end
  local entry = kind and M.computed(kind)[column]
  if entry then return not entry.statistics and entry.value(object) or nil end
  if not column:find "[./]" then return nil end
  item = object
  for part in column:gmatch "[^./]+" do
    if type(item) ~= "table" then return nil end
    item = rawget(item, part)
  end
  return item
end

return M
