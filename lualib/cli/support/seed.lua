-- What a simulated device starts with, as the command line says it.
local json = require "f5.json"
local usage = require "cli.support.usage"

local M = {}

-- The value in a JSON file.
function M.read(path, program)
  local file <const>, message <const> = io.open(path, "rb")
  local text <const> = file and file:read "a"
  if file then file:close() end
  if not text then usage("cannot read " .. (message or path), program) end
  local ok <const>, value <const> = pcall(json.decode, text)
  if not ok then usage(("%s is not JSON: %s"):format(path, value), program) end
  return value
end

-- "ltm,asm" -> { "ltm", "asm" }
function M.words(text)
  local words <const> = {}
  for word in text:gmatch "[^,%s]+" do words[#words + 1] = word end
  return words
end

return M
