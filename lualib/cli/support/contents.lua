-- Returns the contents of a file. A directory can be opened; only reading it fails.
---@param path string
---@param open? file* read instead, and left open: standard input
---@return string? contents
---@return string? reason why not: "PATH: Is a directory"
return function(path, open)
  local file, reason = open, nil
  if not file then file, reason = io.open(path, "rb") end
  if not file then return nil, reason end
  local contents, why = file:read "a"
  if not open then file:close() end
  return contents, not contents and ("%s: %s"):format(path, why) or nil
end
