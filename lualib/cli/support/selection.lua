-- Selects the objects for a destructive subcommand: the object with exactly this NAME, or all
-- objects that a pattern matches. Names may contain `*` and `?` (wide IPs, entities of ASM
-- policies), so a NAME is a pattern only if no object has exactly this name.

local glob = require "f5.fleet.glob"
local target = require "cli.support.target"

local M = {}

local function objects(count) return count == 1 and "1 object" or count .. " objects" end

-- Whether the device accepts the name for this object: it is the full name, the object is in
-- Common, or the kind has no partitions.
local function is_plain(object, name, path)
  return object.name == name or object.name == "/Common/" .. name or target.has_ids(path)
end

local function both_readings(object, name, matching)
  return (
    "'%s' is the name of %s and also a pattern that matches %s; nothing was changed. "
    .. "Use the full name to select only this object, or --pattern to select all of them."
  ):format(name, object.name, objects(#matching))
end

--- Whether a NAME can be read as a pattern.
function M.has_wildcard(name) return name:find "[*?]" ~= nil end

-- Kinds whose objects usually have wildcards in their names. A NAME that no object has may be that
-- of a deleted object: a delete that runs twice must not delete other objects.
local function is_usual_name(path, name)
  path = path:gsub("^/mgmt/tm/", "")
  if path:find "^gtm/wideip/" then return name:find "^%*%." or name:find "/%*%.[^/]*$" end
  return path:find "^asm/policies/[^/]+/." ~= nil
end

local function no_object(name, matching)
  return (
    "no object has the name '%s'. As a pattern it matches %s; nothing was changed. "
    .. "Such names are usual for this kind: use --pattern to select all of them, "
    .. "--exact to select the name."
  ):format(name, objects(#matching))
end

--- Returns the objects that a NAME selects.
-- @param bip session
-- @param path string: path of the collection
-- @param name string|nil: nil selects every object of the collection
-- @param options table: pattern (the name is a pattern), yes (nobody will be asked)
-- @return table { objects = array of { name, ref }, exact = true if the name is that of one object,
--   matching = number of objects that the name matches as a pattern }; nil and the reason if the
--   name is ambiguous, or if there are no objects with names
function M.find(bip, path, name, options)
  local pattern, is_full = name and glob(name), name and name:sub(1, 1) == "/"
  local named, matching = {}, {}
  local all, why = target.objects(bip, path)
  if not all then return nil, why end
  for _, object in ipairs(all) do
    if object.name == name or object.short == name then named[#named + 1] = object end
    if not pattern or (is_full and object.name or object.short):find(pattern) then
      matching[#matching + 1] = object
    end
  end
  if #named == 0 and #matching > 0 and name and options.yes and not options.pattern then
    if is_usual_name(path, name) then return nil, no_object(name, matching) end
  end
  if options.pattern or #named == 0 then return { objects = matching, matching = #matching } end
  if #named > 1 then return nil, target.several(named, name) end
  if not is_plain(named[1], name, path) then return nil, both_readings(named[1], name, matching) end
  return { objects = named, exact = true, matching = #matching }
end

return M
