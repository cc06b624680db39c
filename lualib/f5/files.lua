-- f5.files(directory, pattern): lists the files on this machine whose names match the pattern.

local core = require "f5.core"

local in_program <const> = pcall(require, "f5.bundle") -- a stock lua cannot list directories

return function(directory, pattern)
  if type(directory) ~= "string" or type(pattern) ~= "string" then
    core.usage_error("f5.files: expected a directory and a pattern such as '*.ucs'")
  end
  if directory ~= "" then core.check_path(directory, "f5.files") end
  if not in_program then
    core.usage_error("f5.files works only in f5lua; use LuaFileSystem in a stock lua")
  end
  local ok, found = pcall(require "build.glob", directory, pattern)
  if not ok then core.usage_error("f5.files: " .. tostring(found)) end
  return found
end
