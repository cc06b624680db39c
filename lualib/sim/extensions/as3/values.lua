-- Objects of AS3's mapping, in the spelling of tmsh, as bodies of iControl REST. sim/tmsh/reader
-- does the work; here values become what it reads: words and blocks.
local catalogue = require "sim.config.catalogue"
local reader = require "sim.tmsh.reader"
local spelling = require "sim.tmsh.spelling"

local M = {}

local block_of

local function word(value)
  if math.type(value) == "float" and value == math.floor(value) then
    return ("%d"):format(value)
  end
  return tostring(value)
end

local function sorted_keys(value)
  local keys = {}
  for key in pairs(value) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

-- The entry "KEY VALUE" of a block; KEY alone is a flag.
local function entry_of(key, value, is_flag)
  if value == true or is_flag and type(value) == "table" and next(value) == nil then
    return { key, quoted = {}, line = 1 }
  end
  local is_text = type(value) == "string"
  return {
    key, type(value) == "table" and block_of(value) or word(value),
    quoted = { [2] = is_text and not tonumber(value) or nil }, line = 1,
  }
end

function block_of(value)
  local block = {}
  if #value > 0 then
    for i, item in ipairs(value) do
      block[i] = { type(item) == "table" and block_of(item) or word(item), quoted = {}, line = 1 }
    end
    return block
  end
  for i, key in ipairs(sorted_keys(value)) do block[i] = entry_of(word(key), value[key]) end
  return block
end

--- The object as sim/tmsh/reader.lua makes it: { path =, body =, node = }, and `place`, its path in
--- the store. Raises an error of the simulator if there is no such kind.
function M.object(wanted)
  local words = {}
  for piece in wanted.kind:gmatch "%S+" do words[#words + 1] = piece end
  local node = catalogue.find(table.concat(words, "/"))
  if not node then error(("as3: there is no kind '%s'"):format(wanted.kind), 0) end
  local block = {}
  for i, key in ipairs(sorted_keys(wanted.properties)) do
    local spec = node.props[spelling.rest(key, node.props)]
    local value = wanted.properties[key]
    if value == false and key == "enabled" then key, value = "disabled", true end
    block[i] = entry_of(key, value, spec and spec.t == "b")
  end
  local name = wanted.path
  if node.flat and wanted.kind ~= "sys folder" then name = name:match "[^/]+$" end
  words[#words + 1] = name
  local ok, object = pcall(reader.object, { words = words, block = block, line = 1 })
  if not ok then
    local message = type(object) == "table" and object.message or tostring(object)
    error(("as3: %s %s: %s"):format(wanted.kind, wanted.path, message), 0)
  end
  object.place = reader.place(object)
  object.wanted = wanted
  return object
end

return M
