-- Options for the contents of a simulated device.
local json = require "f5.json"
local contents = require "cli.support.contents"
local usage = require "cli.support.usage"

local M = {}

-- The value in a JSON file.
function M.read(path, program)
  local text, reason = contents(path)
  if not text then usage("cannot read " .. reason, program) end
  local ok, value = pcall(json.decode, text)
  if not ok then usage(("%s is not JSON: %s"):format(path, value), program) end
  return value
end

-- "ltm,asm" -> { "ltm", "asm" }
function M.words(text)
  local words = {}
  for word in text:gmatch "[^,%s]+" do words[#words + 1] = word end
  return words
end

return M
