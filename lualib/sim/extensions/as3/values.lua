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

-- Words of conditions and actions of policies that a value follows. Some are flags in conditions.
local WITH_VALUE <const> = {
  name = true, index = true, datagroup = true, value = true, pool = true, node = true, snat = true,
  virtual = true, location = true, code = true, policy = true, ["from-profile"] = true,
  message = true, facility = true, priority = true, ["ip-address"] = true, expression = true,
  netmask = true, timeout = true, expiry = true, offset = true, length = true, key = true,
}
local IN_ACTIONS <const> = { path = true, ["query-string"] = true, port = true }

-- The words of a text of tmsh; texts in quotes are one word.
local function words_of(text)
  local words, i = {}, 1
  while true do
    local from, to = text:find("%S+", i)
    if not from then return words end
    if text:sub(from, from) == '"' then
      to = text:find('[^\\]"', from + 1)
      to = to and to + 1 or #text
      words[#words + 1] = { text:sub(from + 1, to - 1):gsub('\\"', '"'), quoted = true }
    else
      words[#words + 1] = { text:sub(from, to) }
    end
    i = to + 1
  end
end

-- A condition or an action, such as "http-uri request path equals values { /a }", as a block.
local function policy_block(text, is_action)
  local block, words, i = {}, words_of(text), 1
  while words[i] do
    local key, following = words[i][1], words[i + 1]
    if key == "values" and following and following[1] == "{" then
      local list = {}
      i = i + 2
      while words[i] and words[i][1] ~= "}" do
        list[#list + 1] = { words[i][1], quoted = {}, line = 1 }
        i = i + 1
      end
      block[#block + 1] = { "values", list, quoted = {}, line = 1 }
    elseif following and (WITH_VALUE[key] or is_action and IN_ACTIONS[key]) then
      block[#block + 1] = { key, following[1], quoted = { [2] = following.quoted }, line = 1 }
      i = i + 1
    else
      block[#block + 1] = { key, quoted = {}, line = 1 }
    end
    i = i + 1
  end
  return block
end

-- The conditions or actions of a rule, by their numbers.
local function policy_parts(parts, is_action)
  local block = {}
  for i, number in ipairs(sorted_keys(parts)) do
    block[i] = {
      number, policy_block(parts[number].policyString, is_action), quoted = {}, line = 1,
    }
  end
  return block
end

-- The entry "KEY VALUE" of a block; KEY alone is a flag.
local function entry_of(key, value, is_flag)
  if type(value) == "table" and type(value["0"]) == "table" and value["0"].policyString then
    return { key, policy_parts(value, key == "actions"), quoted = {}, line = 1 }
  end
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
  for _, key in ipairs(sorted_keys(wanted.properties)) do
    local spec = node.props[spelling.rest(key, node.props)]
    local value = wanted.properties[key]
    if value == false and key == "enabled" then key, value = "disabled", true end
    -- the device makes the checksum itself: here it only says whether a file is another one
    if key ~= "checksum" then
      block[#block + 1] = entry_of(key, value, spec and spec.t == "b")
    end
  end
  -- AS3 changes policies directly, without drafts
  if wanted.kind == "ltm policy" then block[#block + 1] = entry_of("legacy", true) end
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
