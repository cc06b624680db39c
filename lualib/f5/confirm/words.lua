-- Objects as iControl REST has them -> words of tmsh, as they stand in a Tcl script of the device.
--
-- Each word is one word of Tcl. The commands tmsh::… of a device join their words with blanks and
-- read the line as tmsh does. So a text is in quotes of tmsh, and its special characters are
-- escaped for Tcl; a brace is written \{.

local json = require "f5.json"
local names = require "f5.ensure.compare"

local null <const> = json.null

local M = {}

M.OPEN, M.CLOSE = "\\{", "\\}"

-- Properties that iControl REST calls otherwise than tmsh.
local RENAMED <const> = {
  tmClass = "class", tmCommand = "command", tmDefault = "default", tmGeneration = "generation",
  tmInterface = "interface", tmKind = "kind", tmName = "name", tmOptions = "options",
}

-- Names of an object itself, which stand before its properties.
local NAMING <const> = { name = true, partition = true, subPath = true, fullPath = true }

--- The name in tmsh of a property: "loadBalancingMode" -> "load-balancing-mode".
function M.property(name)
  return RENAMED[name] or (name:gsub("%u", function(letter) return "-" .. letter:lower() end))
end

local function tcl(text)
  return (text:gsub('[\\"$%[%]{}; \t\r\n]', {
    ["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r", ["\\"] = "\\\\", ['"'] = '\\"', ["$"] = "\\$",
    ["["] = "\\[", ["]"] = "\\]", ["{"] = "\\{", ["}"] = "\\}", [";"] = "\\;", [" "] = "\\ ",
  }))
end

--- A text as one word of tmsh, in Tcl.
function M.word(text)
  text = tostring(text)
  if text:find "^[%w_/.:,%%@+*=~-]+$" then return text end
  return tcl('"' .. text:gsub('[\\"]', "\\%0") .. '"')
end

--- A text in braces, as it is: an iRule. nil if its braces are not balanced, so that a device could
-- not find its end.
function M.braced(text)
  local depth = 0
  for brace in text:gmatch "[{}]" do
    depth = depth + (brace == "{" and 1 or -1)
    if depth < 0 then return nil end
  end
  if depth ~= 0 then return nil end
  -- a comment would hide the last brace
  local ending = text:match("[^\n]*$"):find("#", 1, true) and "\n" or ""
  return tcl("{\n" .. text .. ending .. "}")
end

local value_words

-- What is not written: an empty FQDN belongs to every node.
local function is_left(key, value)
  if key == "fqdn" and type(value) == "table" then return not (value.tmName or value.name) end
  return value == nil or value == ""
end

-- The properties of a group or an element, each with its name.
local function properties(out, object, leave)
  local keys = {}
  for key in next, object do
    if not NAMING[key] and not (leave and leave[key]) then keys[#keys + 1] = key end
  end
  table.sort(keys)
  for _, key in ipairs(keys) do
    if not is_left(key, object[key]) then
      local why = value_words(out, key, object[key])
      if why then return why end
    end
  end
  return nil
end

M.properties = properties

local function element_name(item)
  local name = names.name(item)
  if type(item) == "table" and type(item.partition) == "string" and name
    and name:sub(1, 1) ~= "/" then
    return ("/%s/%s"):format(item.partition, name)
  end
  return name
end

-- The elements of a list: words, or names with their properties in braces.
local function elements(out, key, list)
  for _, item in ipairs(list) do
    if type(item) ~= "table" then
      out[#out + 1] = M.word(item)
    else
      local name = element_name(item)
      if not name then return ("the elements of %s have no names"):format(key) end
      out[#out + 1] = M.word(name)
      out[#out + 1] = M.OPEN
      local why = properties(out, item)
      if why then return why end
      out[#out + 1] = M.CLOSE
    end
  end
  return nil
end

-- Words that are several words of tmsh: "/Common/http and /Common/tcp".
local function plain_words(out, text)
  for word in text:gsub("[{}]", " %0 "):gmatch "%S+" do
    out[#out + 1] = word == "{" and M.OPEN or word == "}" and M.CLOSE or M.word(word)
  end
end

--- Adds a property with its value. `out.plain`: lists are written without `replace-all-with`.
-- @return string|nil: why it cannot be written
function value_words(out, key, value)
  local name = M.property(key)
  if value == false then return nil end
  out[#out + 1] = name
  if value == true or value == null then return nil end -- a flag
  if type(value) ~= "table" then
    if key == "monitor" then return plain_words(out, tostring(value)) end
    if math.type(value) == "float" then value = ("%.14g"):format(value) end
    out[#out + 1] = M.word(value)
    return nil
  end
  if not names.is_list(value) then
    out[#out + 1] = M.OPEN
    local why = properties(out, value)
    out[#out + 1] = M.CLOSE
    return why
  end
  if #value == 0 then
    out[#out + 1] = "none"
    return nil
  end
  out.has_list = true
  if not out.plain then out[#out + 1] = "replace-all-with" end
  out[#out + 1] = M.OPEN
  local why = elements(out, key, value)
  out[#out + 1] = M.CLOSE
  return why
end

M.value = value_words

return M
