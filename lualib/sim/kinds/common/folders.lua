-- What is in folders and partitions.
local references = require "sim.config.references"
local validate = require "sim.config.validate"

local M = {}

local FOLDERS <const> = "/mgmt/tm/sys/folder/"
M.FOLDERS = FOLDERS

-- The first path, by name, of an object in a folder itself: a folder, or anything else.
local function first_in(store, full, is_folder)
  local prefix, first = full .. "/", nil
  for path, object in pairs(store.items) do
    local where = object.fullPath
    if
      type(where) == "string" and where:sub(1, #prefix) == prefix
      and not where:find("/", #prefix + 1, true)
      and (path:sub(1, #FOLDERS) == FOLDERS) == is_folder and (not first or path < first)
    then
      first = path
    end
  end
  return first
end

--- Refuses to delete a folder or a partition that is not empty. A folder in it is named; of other
--- objects a partition says only that they are there, and a folder names one.
function M.check_empty(store, full)
  local inner, found = first_in(store, full, true), first_in(store, full, false)
  if found and full:find "^/[^/]+$" then
    validate.refuse_mcpd(
      (
        "0107082a:3: All objects must be removed from a partition (%s) before the partition may "
          .. "be removed, type ID (973)"
      ):format(full:sub(2))
    )
  end
  local path = found or inner
  if not path then return end
  validate.refuse_mcpd(
    ("010713f9:3: The folder %s cannot be deleted because it contains configuration item (%s %s)")
      :format(full, references.noun((references.template(path))), store:get(path).fullPath)
  )
end

return M
