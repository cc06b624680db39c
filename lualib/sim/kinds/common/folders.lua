-- What is in folders and partitions.
local references = require "sim.config.references"
local validate = require "sim.config.validate"

local M = {}

M.FOLDERS = "/mgmt/tm/sys/folder/"

-- The folder of drafts of policies goes with its folder: nobody made it.
local function drop_drafts(store, full)
  local drafts = full .. "/Drafts"
  local path = M.FOLDERS .. (drafts:gsub("/", "~"))
  if store:get(path) and not store:first_in(drafts, true) and not store:first_in(drafts, false) then
    store:put(path, nil)
  end
end

--- Refuses to delete a folder or a partition that is not empty. A folder in it is named; of other
--- objects a partition says only that they are there, and a folder names one.
function M.check_empty(store, full)
  drop_drafts(store, full)
  local inner, found = store:first_in(full, true), store:first_in(full, false)
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
