-- What objects say about the monitors that watch them: "http", "/Common/a and /Common/b", "min 1 of
-- { /Common/a /Common/b }".
local names = require "sim.config.names"
local references = require "sim.config.references"
local validate = require "sim.config.validate"

local M = {}

-- Monitors in an expression are written with their partition.
function M.full(text, partition)
  if type(text) ~= "string" then return text end
  if text == "default" or text == "none" then return text end
  text = text:gsub("\\([{}])", "%1")  -- tmsh's way to write a brace
  local full <const> = text:gsub("[^%s{}]+", function(word)
    if word == "and" or word == "min" or word == "of" or word == "default" or word:find "^%d+$" then
      return word
    end
    return names.absolute(word, partition ~= "Common" and partition or nil)
  end)
  local count <const>, rest <const> = full:match "^%s*min%s+(%d+)%s+of%s+(.*)$"
  if count then
    -- The device writes the names in braces, whether they came so or not.
    local list <const> = {}
    for name in rest:gmatch "[^%s{}]+" do
      if name ~= "and" then list[#list + 1] = name end
    end
    return ("min %s of { %s }"):format(count, table.concat(list, " "))
  end
  return (full:gsub("^%s+", ""):gsub("%s+$", ""))
end

-- Writes the monitors of an object as the device does: those of its own partition, or else of
-- Common.
function M.settle(store, object)
  local text <const> = object.monitor
  if not text then return end
  validate.text("monitor", text)
  local plain <const> = text:gsub("[{}]", " ")
  if plain:find "^%s*%d+%s*$" or plain:find "%f[%w]and%s*$" or plain:find "^%s*and%f[%W]" then
    validate.invalid("monitor", text)
  end
  local own <const> = M.full(text, object.partition)
  for _, name in ipairs(references.monitor_names(own)) do
    if not references.locate(store, { "ltm/monitor", "gtm/monitor" }, name) then
      object.monitor = M.full(text, nil)
      return
    end
  end
  object.monitor = own
end

return M
