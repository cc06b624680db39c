-- f5.files(directory, pattern): the files of this machine whose names are like the pattern.

local core = require "f5.core"

return function(directory, pattern)
  if type(directory) ~= "string" or type(pattern) ~= "string" then
    core.usage_error(2, "f5.files takes a directory and a pattern of names, such as '*.ucs'")
  end
  return require "build.glob"(directory, pattern)
end
