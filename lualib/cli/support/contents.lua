-- Returns the contents of a file. A directory can be opened; only reading it fails.
local whole = require "f5.whole"

local function read(file, path)
  local contents, why = whole(file)
  return contents, not contents and ("%s: %s"):format(path, why) or nil
end

---@param path string
---@param open? file* read instead, and left open: standard input
---@return string? contents
---@return string? reason why not: "PATH: Is a directory"
return function(path, open)
  if open then return read(open, path) end
  if path == "" then return nil, "'': the path is empty" end
  local file <close>, reason = io.open(path, "rb")
  if not file then return nil, reason end
  return read(file, path)
end
