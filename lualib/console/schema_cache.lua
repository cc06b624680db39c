--- The schema cache of a device: what is below a path, which objects a collection has, and which
-- properties they have.
--
-- Names and properties come from the device. They are read in the background and kept. Until they
-- arrive, and if the device does not know, the catalogue of known kinds answers. Nothing here
-- waits.

local f5 = require "f5"
local catalogue = require "sim.config.catalogue"
local extensions = require "f5.declare.kinds"

local SchemaCache = {}
SchemaCache.__index = SchemaCache

local ROOT <const> = "/mgmt/tm"
local MAX_NAMES <const>, PAGE <const> = 2000, 500 -- names of a collection
local NAMES_LIVE <const> = 60 -- seconds; others may create and delete
-- Errors that mean that there is nothing: a module that is not provisioned, a path that does not
-- exist.
local ABSENT <const> = { not_found = true, not_ready = true }
-- Properties of every answer that nobody sets.
local NOT_SET <const> = {
  kind = true, selfLink = true, generation = true, naturalKeyPropertyNames = true,
  propertyDescriptions = true,
}

function SchemaCache.new(session)
  return setmetatable({ session = session, known = {}, asked = {} }, SchemaCache)
end

-- Returns the value of `read` for this key if it is known, otherwise nil and "pending"; `ready` is
-- called when it has arrived. A failure is cached as false.
function SchemaCache:ask(key, read, ready, lives)
  local slot = self.known[key]
  if slot and not (lives and os.time() - slot.at > lives) then return slot.value end
  local waiting = self.asked[key]
  if not waiting then
    waiting = {}
    self.asked[key] = waiting
    f5.spawn(function()
      local ok, value = pcall(read)
      if not ok then value = type(value) == "table" and ABSENT[value.kind] and {} or false end
      self.known[key] = { value = value, at = os.time() }
      self.asked[key] = nil
      for _, call in ipairs(waiting) do call() end
    end)
  end
  waiting[#waiting + 1] = ready
  return nil, "pending"
end

--- Forgets the names of objects, because something was written.
function SchemaCache:forget_names()
  for key in pairs(self.known) do
    if key:find "^names " then self.known[key] = nil end
  end
end

--- The path below /mgmt/tm with `*` for each name, and its node in the catalogue. The node of
-- "ltm/pool/*" is that of the pool.
function SchemaCache.template(path)
  local below = path:match "^/mgmt/tm/?(.*)$"
  if not below then return nil end
  local template, node = "", nil
  for segment in below:gmatch "[^/]+" do
    local is_name = segment:find "^~"
      or (
        node and node.type == "collection" and not template:find "%*$"
        and not catalogue.find(template .. "/" .. segment)
      )
    template = template .. (template == "" and "" or "/") .. (is_name and "*" or segment)
    if not is_name then node = catalogue.find(template) end
  end
  return template, node
end

--- Returns "organizing", "collection", "resource", "singleton", or nil for a path that the
-- catalogue does not know.
function SchemaCache.kind(path)
  local template, node = SchemaCache.template(path)
  if template == "" then return "organizing" end
  if not node then return template and not template:find "/" and "organizing" or nil end
  if template:find "%*$" then return "resource" end
  return node.type
end

-- Reads without a trace in the log and in `.time`: the user did not ask for it.
function SchemaCache:get(path, query)
  local body = self.session:request("GET", path, { quiet = true, timeout = 20, query = query })
  return type(body) == "table" and body or {}
end

local function last_segment(link) return link:gsub("%?.*", ""):match "([^/]+)/?$" end

-- The names below an organizing collection, as the device returns them.
function SchemaCache:read_children(path)
  local body = self:get(path)
  local names = {}
  for _, item in ipairs(body.items or {}) do
    local link = item.reference and item.reference.link
    if link then names[#names + 1] = last_segment(link) end
  end
  table.sort(names)
  return names
end

local function catalogue_children(template)
  if template == "" then return catalogue.modules() end
  return catalogue.children(template)
end

--- Returns names that can follow a dot after this path.
-- @return array of names, "pending" if the device has not answered yet
function SchemaCache:children(path, ready)
  local template, node = SchemaCache.template(path)
  local kind = SchemaCache.kind(path)
  if kind == "resource" or kind == "singleton" then
    local names = { "stats" }
    for _, sub in pairs(node and node.subs or {}) do names[#names + 1] = sub end
    table.sort(names)
    return names
  end
  if kind == "collection" then return { "example", "stats" } end
  if kind ~= "organizing" and template and template:find "%*" then return {} end
  local names, pending = self:ask(
    "children " .. path,
    function() return self:read_children(path) end,
    ready
  )
  if names then return names end
  return template and catalogue_children(template) or {}, pending
end

function SchemaCache:read_names(path)
  local names = {}
  repeat
    local query = { ["$select"] = "name,fullPath", ["$top"] = PAGE, ["$skip"] = #names }
    local items = self:get(path, query).items or {}
    for _, object in ipairs(items) do names[#names + 1] = object.fullPath or object.name end
  until #items ~= PAGE or #names >= MAX_NAMES -- more than asked for: it does not page
  table.sort(names)
  return names
end

--- Returns full names of the objects of a collection; none for tokens, whose names are secrets.
-- @return array of names, "pending"
function SchemaCache:names(path, ready)
  if path:find("/authz/tokens", 1, true) or extensions.of_path(path) then return {} end
  local kind = SchemaCache.kind(path)
  if kind == "organizing" or kind == "resource" or kind == "singleton" then return {} end
  local names, pending = self:ask(
    "names " .. path,
    function() return self:read_names(path) end,
    ready,
    NAMES_LIVE
  )
  return names or {}, pending
end

-- The contents of /example: array of { name, default, choices, doc }, sorted.
function SchemaCache:read_properties(path)
  local body = self:get(path .. "/example")
  local example = type(body.items) == "table" and body.items[1] or body
  local docs = type(example.propertyDescriptions) == "table" and example.propertyDescriptions or {}
  local properties = {}
  for name, default in pairs(example) do
    local is_link = type(default) == "table" and default.link ~= nil
    local base = name:match "^(.*)Enums$"
    if not NOT_SET[name] and not is_link and not (base and type(default) == "table") then
      properties[#properties + 1] =
        { name = name, default = default, choices = example[name .. "Enums"], doc = docs[name] }
    elseif is_link and default.isSubcollection then
      properties[#properties + 1] =
        { name = name:gsub("Reference$", ""), is_collection = true, doc = docs[name] }
    end
  end
  table.sort(properties, function(a, b) return a.name < b.name end)
  return properties
end

local function catalogue_properties(node)
  local properties = {}
  for name, spec in pairs(node and node.props or {}) do
    local choices
    for choice in pairs(spec.choices or {}) do
      choices = choices or {}
      choices[#choices + 1] = choice
    end
    if choices then table.sort(choices) end
    properties[#properties + 1] = { name = name, default = spec.d, choices = choices }
  end
  table.sort(properties, function(a, b) return a.name < b.name end)
  return properties
end

--- Returns the properties of objects at this path, which is that of an object or of a collection.
-- @return array of { name, default, choices, doc, is_collection }, "pending"
function SchemaCache:properties(path, ready)
  local kind = SchemaCache.kind(path)
  local _, node = SchemaCache.template(path)
  local collection = kind == "resource" and path:match "^(.*)/[^/]+$" or path
  local properties, pending = self:ask(
    "properties " .. collection,
    function() return self:read_properties(collection) end,
    ready
  )
  if properties then return properties end
  return catalogue_properties(node), pending
end

--- Returns the properties of the elements of a list of an object, as the catalogue knows them: the
-- object need not exist.
-- @param path string: that of the object, or of its collection
-- @param list string: name of the list
function SchemaCache.elements(path, list)
  local object = SchemaCache.kind(path) == "collection" and path .. "/~" or path
  local _, node = SchemaCache.template(object .. "/" .. list)
  local properties = catalogue_properties(node)
  if #properties > 0 then table.insert(properties, 1, { name = "name" }) end
  return properties
end

-- Monitors of all types share one set of names.
local function is_group(path) return SchemaCache.kind(path) == "organizing" end

function SchemaCache:read_group(path)
  local names, reads = {}, {}
  for i, child in ipairs(self:read_children(path)) do
    reads[i] = function()
      local ok, found = pcall(self.read_names, self, path .. "/" .. child)
      for _, name in ipairs(ok and found or {}) do names[#names + 1] = name end
    end
  end
  f5.all(reads)
  table.sort(names)
  return names
end

--- Returns the names of objects at this path, for a property that refers to one.
function SchemaCache:targets(path, ready)
  if not is_group(path) then return self:names(path, ready) end
  local names, pending = self:ask(
    "names " .. path,
    function() return self:read_group(path) end,
    ready,
    NAMES_LIVE
  )
  return names or {}, pending
end

--- Returns the collection whose objects a property names ("pool" of a virtual server:
-- /mgmt/tm/ltm/pool), or nil.
function SchemaCache.target(path, property)
  local _, node = SchemaCache.template(path)
  local template = node and node.refs and node.refs[property .. "Reference"]
  if property == "monitor" then template = path:match "^/mgmt/tm/(%l+)/" .. "/monitor" end
  if template and not template:find "*" then return ROOT .. "/" .. template end
end

return SchemaCache
