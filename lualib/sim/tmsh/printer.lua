-- Prints objects as tmsh does: `tmsh list`, and the files of a saved configuration.
--
--   printer.object(store, "/mgmt/tm/ltm/pool/~Common~web")
--   -- ltm pool /Common/web {
--   --     members {
--   --         /Common/10.0.0.1:80 {
--   …
--
-- Properties are in alphabetical order. Those with the value that a new object has are left out,
-- unless `all` is set.
local catalogue = require "sim.config.catalogue"
local json = require "f5.json"
local names = require "sim.config.names"
local spelling = require "sim.tmsh.spelling"
local tables = require "sim.tables"
local uri = require "sim.config.uri"
local values = require "sim.config.values"

local M = {}

local INDENT <const> = "    "
-- Parts of the identity, and what a device works out itself.
local HIDDEN <const> = {
  name = true, partition = true, subPath = true, fullPath = true, generation = true, kind = true,
  selfLink = true, isSubcollection = true, apiAnonymous = true, apiRawValues = true,
}
local SCRIPTS <const> = {
  ["ltm/rule"] = true, ["gtm/rule"] = true, ["pem/irule"] = true, ["cli/script"] = true,
}
-- Kinds whose sub-collections have names without a folder.
local SHORT <const> = { ["security/log/profile"] = true }
-- Names and values of several words that stand without quotes.
local ROWS <const> = {
  ["gtm/topology"] = true, regionMembers = true, lastResortPool = true, monitor = true,
  tmOptions = true, event = true,
}
local dashed <const> = spelling.tmsh

-- A word, in quotes where tmsh needs them. The "\r\n" of a monitor keeps its backslashes: only a
-- backslash before a sign that the parser would take for an escape is doubled.
local function text_of(value)
  if type(value) == "boolean" then return value and "true" or "false" end
  if math.type(value) == "float" and math.tointeger(value) then value = math.tointeger(value) end
  local word <const> = tostring(value)
  if word ~= "" and not word:find "[%s{}|;'\"#?\\]" then return word end
  return '"' .. word:gsub("\\([\"\\?{}|;' #])", "\\\\%1"):gsub('"', '\\"'):gsub("?", "\\?") .. '"'
end

--- A word in quotes where tmsh needs them, and the name of a property as tmsh writes it.
M.word, M.dashed, M.ROWS = text_of, dashed, ROWS

local function sorted_keys(object, skip)
  local keys <const> = {}
  for key in pairs(object) do
    if type(key) == "string" and not (skip and skip[key]) and not key:find "Reference$"
      and key:sub(1, 1) ~= "_" then
      keys[#keys + 1] = key
    end
  end
  table.sort(keys, function(a, b) return dashed(a) < dashed(b) end)
  return keys
end

local function is_list(value) return json.is_array(value) or #value > 0 end

local add_value

-- The full name of an element of a list.
local function element_name(item)
  local name = item.name or item.fullPath or ""
  if item.partition and name:sub(1, 1) ~= "/" then
    name = names.full(item.partition, item.subPath, name)
  end
  return name
end

local function add_properties(lines, object, indent, scripts, skip)
  for _, key in ipairs(sorted_keys(object, skip)) do
    add_value(lines, key, object[key], indent, scripts)
  end
end

local NAMED <const> = { name = true, partition = true, subPath = true, fullPath = true }

local function add_element(lines, item, indent, scripts, is_row)
  if type(item) ~= "table" then
    lines[#lines + 1] = indent .. text_of(item)
    return
  end
  local name <const> = element_name(item)
  local head <const> = indent .. (name ~= "" and (is_row and name or text_of(name)) .. " " or "")
  local inner <const> = {}
  add_properties(inner, item, indent .. INDENT, scripts, NAMED)
  if #inner == 0 then
    lines[#lines + 1] = head .. "{ }"
    return
  end
  lines[#lines + 1] = head .. "{"
  table.move(inner, 1, #inner, #lines + 1, lines)
  lines[#lines + 1] = indent .. "}"
end

-- A property, named as in REST: a flag, a word, a list or a block.
function add_value(lines, name, value, indent, scripts)
  local key <const> = dashed(name)
  if scripts and scripts[key] and type(value) == "string" then
    lines[#lines + 1] = ("%s%s {%s}"):format(indent, key, value)
    return
  end
  if value == true then
    lines[#lines + 1] = indent .. (key:find "%s" and text_of(key) or key)
  elseif value == false or value == nil or value == json.null then
    return
  elseif type(value) ~= "table" then
    local plain <const> = ROWS[name] and tostring(value) or text_of(value)
    lines[#lines + 1] = ("%s%s %s"):format(indent, text_of(key), plain)
  elseif next(value) == nil then
    lines[#lines + 1] = ("%s%s { }"):format(indent, text_of(key))
  else
    lines[#lines + 1] = ("%s%s {"):format(indent, text_of(key))
    if is_list(value) then
      for _, item in ipairs(value) do
        add_element(lines, item, indent .. INDENT, scripts, ROWS[name])
      end
    else
      add_properties(lines, value, indent .. INDENT, scripts)
    end
    lines[#lines + 1] = indent .. "}"
  end
end

-- Properties of all kinds that are always printed.
local EVERYWHERE <const> = { defaultsFrom = true, inheritedTrafficGroup = true }
-- Properties that are printed even if they have their usual values.
local ALWAYS <const> = {
  ["ltm/virtual"] = {
    destination = true, ipProtocol = true, mask = true, source = true, translateAddress = true,
    translatePort = true,
  },
  ["ltm/virtual-address"] = { address = true, arp = true, mask = true, trafficGroup = true },
  ["ltm/data-group/internal"] = { type = true },
  ["auth/user"] = { shell = true },
  ["sys/db"] = { value = true },
  others = {},
}

-- The properties that are left out, and a list of those that have a usual value, but are not set.
local function shown(store, node, path, object, how)
  local all <const>, always <const> = how.all, ALWAYS[node.template] or ALWAYS.others
  local computed_is_saved <const> = node.template:find "^cm/" or node.template:find "^sys/file/"
  local base = not all and values.defaults(node) or {}
  if not all and object.defaultsFrom then
    local parent <const> = path:match "^(.*)/[^/]+$" .. "/" .. names.segment(object.defaultsFrom)
    base = store:get(parent) or base
  end
  local skip <const> = {}
  for key in pairs(HIDDEN) do skip[key] = true end
  for key, value in pairs(object) do
    local spec <const> = node.props[key]
    if spec and spec.r and how.saved and not computed_is_saved then skip[key] = true end
    local usual <const> = not all and tables.same(value, base[key])
    local empty <const> = type(value) == "table" and next(value) == nil
    if how.saved and empty and base[key] == nil then skip[key] = true end
    if usual and not EVERYWHERE[key] and not always[key] then skip[key] = true end
  end
  local removed <const> = {}
  for key, value in pairs(base) do
    local spec <const> = node.props[key]
    if spec and not spec.r and spec.t ~= "b" and object[key] == nil and not HIDDEN[key]
      and value ~= "none" and value ~= "" then
      removed[#removed + 1] = key
    end
  end
  return skip, removed
end

-- Values of sys db are always in quotes, and hold plain ones.
local function db_value(value)
  if value:find '"' then return '"' .. value .. '"' end
  local text <const> = text_of(value)
  return text:sub(1, 1) == '"' and text or '"' .. text .. '"'
end

local add_object

-- The lines of a sub-collection; nil if it is empty.
local function sub_lines(store, node, path, sub, indent, how)
  local collection <const> = path .. "/" .. sub
  local child <const> = catalogue.find(node.template .. "/*/" .. sub)
    or catalogue.find(node.template .. "/" .. sub)
  if not child or store:count(collection) == 0 then return nil end
  local lines <const> = { ("%s%s {"):format(indent, sub) }
  for _, segment in ipairs(store:segments(collection)) do
    local inner <const> = collection .. "/" .. segment
    local object <const> = store:get(inner)
    local full <const> = not SHORT[node.template] and object.fullPath
    local head <const> = text_of(full or object.name)
    add_object(lines, store, child, inner, head, indent .. INDENT, how)
  end
  lines[#lines + 1] = indent .. "}"
  return lines
end

function add_object(lines, store, node, path, head, indent, how)
  local object <const> = store:get(path)
  local parts <const> = {} -- in alphabetical order: { key =, lines = }
  local scripts <const> = spelling.SCRIPTS[(node.template:gsub("/%*/.*$", ""):gsub("/", " "))]
  local skip <const>, removed <const> = shown(store, node, path, object, how)
  for _, key in ipairs(sorted_keys(object, skip)) do
    local part <const> = {}
    local value <const> = spelling.with_unit(node.template, key, object[key])
    if node.template == "sys/db" and type(value) == "string" then
      part[1] = indent .. INDENT .. dashed(key) .. " " .. db_value(value)
    else
      add_value(part, key, spelling.tmsh_time(key, value), indent .. INDENT, scripts)
    end
    parts[#parts + 1] = { key = dashed(key), lines = part }
  end
  for _, key in ipairs(removed) do
    local word <const> = dashed(key)
    parts[#parts + 1] = { key = word, lines = { indent .. INDENT .. word .. " none" } }
  end
  for _, sub in pairs(node.subs or {}) do
    local part <const> = sub_lines(store, node, path, sub, indent .. INDENT, how)
    if part then parts[#parts + 1] = { key = sub, lines = part } end
  end
  table.sort(parts, function(a, b) return a.key < b.key end)
  local first <const> = #lines + 1
  lines[first] = ("%s%s {"):format(indent, head)
  for _, part in ipairs(parts) do table.move(part.lines, 1, #part.lines, #lines + 1, lines) end
  if #lines == first then
    lines[first] = ("%s%s { }"):format(indent, head)
  else
    lines[#lines + 1] = indent .. "}"
  end
end

--- Returns the text of an object, without a line end behind it. `options`: all, true for properties
-- with their usual values, too; saved, true for what `save sys config` writes: without what the
-- device works out itself.
function M.object(store, path, options)
  local target <const> = uri.parse(path)
  local object <const> = target and store:get(target.path)
  if not object then return nil end
  local words = target.template:gsub("/%*/[^/]+", ""):gsub("/", " ")
  if target.what ~= "singleton" then
    local name <const> = object.fullPath or object.name
    words = words .. " " .. (ROWS[target.template] and name or text_of(name))
  end
  if SCRIPTS[target.template] and object.apiAnonymous then
    local body <const> = object.apiAnonymous == "" and " }" or "\n" .. object.apiAnonymous .. "\n}"
    return ("%s {%s"):format(words, body)
  end
  local lines <const> = {}
  add_object(
    lines, store, target.node, target.path, words, "", options or {}
  )
  return table.concat(lines, "\n")
end

return M
