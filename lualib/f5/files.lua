-- f5.files(directory, pattern): the files of this machine whose names are like the pattern.

local core = require "f5.core"

local in_program <const> = pcall(require, "f5.bundle") -- a stock lua cannot list directories

return function(directory, pattern)
  if type(directory) ~= "string" or type(pattern) ~= "string" then
    core.usage_error(2, "f5.files takes a directory and a pattern of names, such as '*.ucs'")
  end
  if not in_program then
    core.usage_error(2, "f5.files is there in f5lua only; a stock lua has LuaFileSystem for it")
  end
  local ok, found = pcall(require "build.glob", directory, pattern)
  if not ok then core.usage_error(2, "f5.files: " .. tostring(found)) end
  return found
end
