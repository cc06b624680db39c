-- What is in folders and partitions.
local names = require "sim.config.names"

local M = {}

local FOLDERS <const> = "/mgmt/tm/sys/folder/"
M.FOLDERS = FOLDERS

--- The path of an object other than a folder in a folder or partition; nil if there is none.
function M.content(store, full)
  local prefix = full .. "/"
  for path, object in pairs(store.items) do
    local where = object.fullPath
    if
      type(where) == "string" and where:sub(1, #prefix) == prefix
      and path:sub(1, #FOLDERS) ~= FOLDERS
    then
      return path
    end
  end
  return nil
end

function M.subfolders(store, full)
  local list = {}
  local prefix = FOLDERS .. names.segment(full) .. "~"
  for path in pairs(store.items) do
    if path:sub(1, #prefix) == prefix then list[#list + 1] = path end
  end
  table.sort(list)
  return list
end

return M
