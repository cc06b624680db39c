-- Prints objects as tmsh does, for `tmsh list` and for the files of a saved configuration.
--
--   printer.object(store, "/mgmt/tm/ltm/pool/~Common~web")
--   -- ltm pool /Common/web {
--   --     members {
--   --         /Common/10.0.0.1:80 {
--   …
--
-- Properties are in alphabetical order. Those that nobody set are left out, unless `all` is set. Of
-- an object without a parent these are the ones with the value that a new object has.
--
-- A Printer writes lines. sim/shell/tmsh/list.lua makes one that writes names as a session of tmsh
-- shows them, by other methods `text`, `row` and `head`.
local catalogue = require "sim.config.catalogue"
local json = require "f5.json"
local names = require "sim.config.names"
local spelling = require "sim.tmsh.spelling"
local tables = require "sim.tables"
local turns = require "sim.turns"
local uri = require "sim.config.uri"
local values = require "sim.config.values"

local M = {}

local INDENT <const> = "    "
-- Parts of the identity, and what only REST has.
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
-- Lists with a line for each element; others stand on one line, unless they hold full names.
local BY_LINE <const> = {
  allowService = true, vlans = true, rules = true, members = true, aliases = true,
  logSettings = true, securityLogProfiles = true,
}
local NOTHING <const> = {}
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

-- -- which properties --

-- Properties of all kinds that are always printed.
local EVERYWHERE <const> = { defaultsFrom = true, inheritedTrafficGroup = true }
-- Properties that a saved file does not have: the device works them out again.
local NOT_SAVED <const> = {
  ["net/self"] = { floating = true, unit = true }, ["cm/device"] = { failoverState = true },
}
-- Properties that are printed even if they have their usual values.
local ALWAYS <const> = {
  ["ltm/virtual"] = {
    destination = true, mask = true, source = true, translateAddress = true,
    translatePort = true, vsIndex = true, creationTime = true, lastModifiedTime = true,
  },
  ["ltm/virtual-address"] = { address = true, arp = true, mask = true, trafficGroup = true },
  ["ltm/pool/*/members"] = { address = true },
  ["ltm/node"] = { address = true },
  ["ltm/data-group/internal"] = { type = true },
  ["net/self"] = { address = true, trafficGroup = true, vlan = true, allowService = true },
  ["net/vlan"] = { tag = true },
  ["auth/user"] = { encryptedPassword = true, shell = true, partitionAccess = true },
  ["sys/db"] = { value = true },
  others = {},
}

-- The values that an object has if nobody sets others: those of its parent, or of its kind.
local function usual_values(store, node, path, object)
  local parent = object.defaultsFrom
  if type(parent) == "string" and parent:sub(1, 1) == "/" then
    parent = store:get(path:match "^(.*)/[^/]+$" .. "/" .. names.segment(parent))
    if parent then return parent end
  end
  return values.usual(node)
end

-- Whether a property that the device works out itself is printed.
local function shows_computed(how, template, always)
  if how.all then return true end
  if template:find "^cm/" or template:find "^sys/file/" then return how.saved end
  return always and not how.saved
end

local set_keys <const> = setmetatable({}, { __mode = "k" })  -- usual values -> usually_set

-- The properties with usual values that are worth a word where an object has none.
local function usually_set(node, base)
  local known = set_keys[base]
  if known then return known end
  known = {}
  for key, value in pairs(base) do
    local spec <const> = node.props[key]
    if spec and not spec.r and spec.t ~= "b" and not HIDDEN[key]
      and value ~= "none" and value ~= "" then
      known[#known + 1] = key
    end
  end
  set_keys[base] = known
  return known
end

local function is_empty(value) return type(value) == "table" and next(value) == nil end

-- The properties to print: name -> value; json.null for one that is not set, but usually is.
local function chosen(how, store, node, path, object)
  local always <const> = ALWAYS[node.template] or ALWAYS.others
  local base <const> = how.all and NOTHING or usual_values(store, node, path, object)
  local own <const> = node.props.defaultsFrom and not object._factory and object._own
  local derived <const> = NOT_SAVED[node.template] or NOTHING
  local fields <const> = {}
  for key, value in pairs(object) do
    local hidden = HIDDEN[key]
    if not hidden and not how.all and not EVERYWHERE[key] and not always[key] then
      if own then
        hidden = not own[key]
      else
        local usual <const> = base[key]
        hidden = value == usual or type(value) == "table" and tables.same(value, usual)
      end
    end
    local spec <const> = not hidden and node.props[key]
    hidden = hidden or key:sub(1, 1) == "_" or key:find "Reference$"
      or spec and spec.r and not shows_computed(how, node.template, always[key])
      or how.saved and (is_empty(value) and base[key] == nil or derived[key])
      -- of others than folders, only an inherited traffic group is worth a word
      or key == "inheritedTrafficGroup" and value == "false" and not how.all
        and node.template ~= "sys/folder"
    if not hidden then fields[key] = value end
  end
  for _, key in ipairs(usually_set(node, base)) do
    if object[key] == nil then fields[key] = json.null end
  end
  return fields
end

-- Those that a user asked for by name, or all that there can be.
local function complete(how, node, object, fields)
  local wanted <const> = how.wanted
  for key in pairs(wanted or {}) do
    if fields[key] == nil and not HIDDEN[key] then fields[key] = object[key] end
  end
  for key, spec in pairs(node.props) do
    if fields[key] == nil and not HIDDEN[key] and spec.t ~= "b" and not spec.r then
      fields[key] = spec.d == nil and json.null or spec.d
    end
  end
  if not wanted then return end
  for key in pairs(fields) do
    if not wanted[key] then fields[key] = nil end
  end
end

-- -- lines --

local Printer <const> = {}
Printer.__index = Printer
M.Printer = Printer

--- A printer. `how`: store; all, saved (see M.object); of a session of tmsh: listed = true,
--- one_line, wanted (a set of properties), budget.
function M.new(how, class)
  how.parts = {}
  return setmetatable(how, class or Printer)
end

--- A value as it is written.
function Printer.text(_, property, value)
  return ROWS[property] and tostring(value) or text_of(value)
end

--- The name of an object, or of an element of a list.
function Printer.row(_, kind, full)
  return ROWS[kind] and full or text_of(full)
end

--- The name of an object of a sub-collection.
function Printer.head(_, owner, object)
  return text_of(not SHORT[owner] and object.fullPath or object.name)
end

function Printer:line(depth, text)
  if self.budget then self.budget:spend(#text) end
  self.parts[#self.parts + 1] = self.one_line and text:gsub("\n", "\\n")
    or INDENT:rep(depth) .. text
end

-- A block, with what `inside` prints.
function Printer:block(depth, head, inside)
  self:line(depth, head .. "{")
  local before <const> = #self.parts
  inside()
  if #self.parts > before then return self:line(depth, "}") end
  self.parts[before] = self.parts[before] .. " }"
end

local function sorted(fields, skip)
  local keys <const>, words <const> = {}, {}
  for key in pairs(fields) do
    if type(key) == "string" and not (skip and skip[key]) and not key:find "Reference$"
      and key:sub(1, 1) ~= "_" then
      keys[#keys + 1] = key
      words[key] = dashed(key)
    end
  end
  table.sort(keys, function(a, b) return words[a] < words[b] end)
  return keys
end

function Printer:group(depth, fields, skip)
  for _, key in ipairs(sorted(fields, skip)) do
    local value <const> = fields[key]
    -- in an element of a list, nothing is not worth a word
    local nothing <const> = value == json.null and not self.listed
      or value == "" and self.listed and skip
    if not nothing then self:value(depth, key, value) end
  end
end

-- The full name of an element of a list.
local function element_name(item)
  local name = item.name or item.fullPath or ""
  if item.partition and name:sub(1, 1) ~= "/" then
    name = names.full(item.partition, item.subPath, name)
  end
  return name
end

function Printer:list(depth, key, property, list)
  local long = type(list[1]) == "table" or BY_LINE[property]
  for _, item in ipairs(list) do long = long or tostring(item):sub(1, 1) == "/" end
  if not long or self.one_line and type(list[1]) ~= "table" then
    local words <const> = {}
    for i, item in ipairs(list) do words[i] = self:text(property, item) end
    return self:line(depth, ("%s { %s }"):format(key, table.concat(words, " ")))
  end
  self:block(depth, key .. " ", function()
    for _, item in ipairs(list) do
      if type(item) ~= "table" then
        self:line(depth + 1, self:text(property, item))
      else
        local name <const> = element_name(item)
        self:block(depth + 1, name ~= "" and self:row(property, name) .. " " or "", function()
          self:group(depth + 2, item, HIDDEN)
        end)
      end
    end
  end)
end

-- A property, named as in REST: a flag, a word, a list or a block.
function Printer:value(depth, property, value)
  local key <const> = dashed(property)
  if self.scripts and self.scripts[key] and type(value) == "string" then
    self:line(depth, ("%s {%s}"):format(key, value))
  elseif value == true then
    self:line(depth, key:find "%s" and text_of(key) or key)
  elseif value == nil or value == json.null then
    self:line(depth, text_of(key) .. " none")
  elseif value == false then
    return
  elseif type(value) ~= "table" then
    self:line(depth, text_of(key) .. " " .. self:text(property, value))
  elseif #value > 0 then
    self:list(depth, text_of(key), property, value)
  elseif json.is_array(value) and self.listed then
    self:line(depth, text_of(key) .. " none")
  else
    self:block(depth, text_of(key) .. " ", function() self:group(depth + 1, value) end)
  end
end

-- -- objects --

-- The value of a database variable is always in quotes, and holds plain ones.
local function db_value(value)
  if value:find '"' then return '"' .. value .. '"' end
  local text <const> = text_of(value)
  return text:sub(1, 1) == '"' and text or '"' .. text .. '"'
end

-- The sub-collections of an object that are printed: name in tmsh -> { collection, node }.
local function subs_of(self, node, path)
  local found <const> = {}
  for reference, sub in pairs(node.subs or {}) do
    local collection <const> = path .. "/" .. sub
    local inner <const> = catalogue.find(node.template .. "/*/" .. sub)
      or catalogue.find(node.template .. "/" .. sub)
    local asked <const> = not self.wanted or self.wanted[reference:gsub("Reference$", "")]
    local shown <const> = self.store:count(collection) > 0
      or self.listed and (self.all or self.wanted)
    if inner and asked and shown then found[sub] = { collection, inner } end
  end
  return found
end

function Printer:sub_collection(depth, node, sub, collection, inner)
  local store <const> = self.store
  if store:count(collection) == 0 then return self:line(depth, sub .. " none") end
  local wanted <const> = self.wanted
  self.wanted = nil
  self:block(depth, sub .. " ", function()
    for _, segment in ipairs(store:segments(collection)) do
      local place <const> = collection .. "/" .. segment
      local object <const> = store:get(place)
      self:block(depth + 1, self:head(node.template, object) .. " ", function()
        self:properties(depth + 2, inner, object, place)
      end)
    end
  end)
  self.wanted = wanted
end

function Printer:properties(depth, node, object, path)
  local fields <const> = chosen(self, self.store, node, path, object)
  if self.listed and (self.all or self.wanted) then complete(self, node, object, fields) end
  if self.listed and not self.wanted and not node.flat and object.partition ~= "Common" then
    fields.partition = object.partition
  end
  local subs <const> = subs_of(self, node, path)
  local order <const> = {} -- in alphabetical order: { word, property or nil }
  for key in pairs(fields) do
    local word <const> = dashed(key)
    if not subs[word] then order[#order + 1] = { word, key } end
  end
  for sub in pairs(subs) do order[#order + 1] = { sub } end
  table.sort(order, function(a, b) return a[1] < b[1] end)
  for _, entry in ipairs(order) do
    local property <const> = entry[2]
    local value = property and fields[property]
    if not property then
      self:sub_collection(depth, node, entry[1], table.unpack(subs[entry[1]]))
    elseif node.template == "sys/db" and type(value) == "string" then
      self:line(depth, entry[1] .. " " .. db_value(value))
    elseif (node.props[property] or {}).variables and type(value) == "table" then
      local list <const> = {}
      for name, text in pairs(value) do list[#list + 1] = text_of(name) .. " " .. text_of(text) end
      table.sort(list)
      for _, text in ipairs(list) do self:line(depth, entry[1] .. " " .. text) end
    else
      value = spelling.with_unit(node.template, property, value)
      self:value(depth, property, spelling.tmsh_time(property, value))
    end
  end
end

--- Prints an object.
function Printer:object(node, object, path)
  turns.pause()
  local template <const> = node.template
  local words = template:gsub("/%*/[^/]+", ""):gsub("/", " ")
  if node.type ~= "singleton" and not spelling.NAMELESS[template] then
    words = words .. " " .. self:row(template, object.fullPath or object.name)
  end
  self.scripts = spelling.SCRIPTS[(template:gsub("/%*/.*$", ""):gsub("/", " "))]
  self:block(0, words .. " ", function()
    local text <const> = SCRIPTS[template] and object.apiAnonymous
    if not text then return self:properties(1, node, object, path) end
    if object.appService then self:value(1, "appService", object.appService) end
    if text ~= "" then self.parts[#self.parts + 1] = text end
  end)
end

--- The text of what was printed.
function Printer:take()
  local text <const> = table.concat(self.parts, self.one_line and " " or "\n")
  self.parts = {}
  return text
end

--- Returns the text of an object, without a line end behind it. `options`: all, true for properties
-- with their usual values, too; saved, true for what `save sys config` writes: without what the
-- device works out itself.
function M.object(store, path, options)
  local object <const> = store:get(path)
  if not object then return nil end
  options = options or {}
  local one <const> = M.new { store = store, all = options.all, saved = options.saved }
  one:object(uri.like(path).node, object, path)
  return one:take()
end

return M
