-- What the simulator knows about kinds of objects beyond the generated catalogue.
--
-- All of it is in lualib/sim/kinds/MODULE/*.lua, one file for each kind or family of kinds. MODULE
-- is the first part of their paths ("ltm"). The build finds the files. kinds/common/ holds what
-- several files need. A file returns a table: template -> kind. A template is the path below
-- /mgmt/tm with `*` for each name ("ltm/pool/*/members"). A template that begins with "^" is a Lua
-- pattern: it describes all kinds that match. A kind has these parts, all optional:
--
-- facts: corrections and additions to the generated catalogue.
--   type        "organizing", "collection", "singleton" or "show"
--   kind        the kind in answers, without its ending "state"
--   noun        the word for an object in messages
--   known       the list of properties is complete: others are refused
--   open        properties that are not listed are kept
--   exact       the types of the properties are certain
--   flat        the objects are in no partition
--   free_names  names may have any characters
--   full_names  a flat object whose name is a full path
--   given_name  the answer to a POST links to the name as it was given, without a partition
--   hidden      not listed below its module
--   listed      of the type "show", but listed below its module
--   mandatory   { name, … }: a POST must have these properties
--   create_only { name, … }: these properties cannot be changed later
--   kept        { name, … }: a PUT without these properties does not reset them
--   pairs       { { flag, flag }, … }: flags that exclude each other
--   no_create, no_delete   a device does not allow it
--   keeps_none  "none" is a value of all properties, where other kinds leave the property out
--   parent      the name of the object that a new one takes its values from (`defaultsFrom`)
--   refs        { nameOfReference = template of the target }; "a|b": one of these kinds; ".": the
--               kind itself; false: none
--   lists       { name = templates of the targets, or true }: properties that are lists of names;
--               "a|b": of these kinds; true: of plain texts
--   subs        { nameOfReference = name of the sub-collection }, false: none
--   props       { name = { t = type, d = default, c = "a|b", r = read-only, range = { min, max },
--               keeps_none = true, keeps_empty = true, variables = true, phrases = true } }: t is
--               one of "s" (text), "i" (whole number), "n" (number), "m" (number or word), "b"
--               (flag), "a" (list), "o" (group), "x" (anything). In tmsh, `variables` are names and
--               values one after another, `phrases` are names of several words. Without t, only
--               what is given changes, and only of a property that exists. false takes a property,
--               or a field of it, away.
--   only        for a pattern: only nodes of this type
--   api_status  "DEPRECATED" or "EARLY_ACCESS" on 14.1 and later
--   property_status   { name = the same of one property }
--
-- relations: the objects that an object refers to. They must exist when it is written. They cannot
--   be deleted while it refers to them. A list of
--   property    where the full names are, with dots for groups ("sourceAddressTranslation.pool");
--               nil: the object's own full path
--   to          { template, … }; "ltm/monitor/*" is any kind directly below, "." the kind itself
--   names       function(value) -> list of full names, where they are not plain texts
--               (without a property: function(object, store))
--   fields      { name, … }: the fields of a list's items that have the names
--   later       = true: the target is not checked when the object is written
--   free        = true: the target can be deleted all the same
--
-- checks: functions that a write calls, in this order. ctx is { user =, now =, seed =, factory =,
--   automatic =, lost = what a POST is answered although it made the object }; a check raises what
--   the device refuses (sim/config/validate.lua).
--   read(store, target, body, ctx, old)     -> the body that is used instead
--   identify(node, body, target, store)     -> { name =, partition =, subPath =, fullPath = }
--   own_folder  = true: the object brings its own folder, so none is looked for
--   prepare(store, object, properties, old, ctx, target)    may change the object; old: nil if new
--   before(store, path, object, ctx, target)                makes what must exist before the object
--   made(store, path, object, ctx, target)                  after a new object was stored
--   changed(store, path, object, old, ctx, target)          after a changed object was stored
--   settled(store, path)  what must hold when a whole request or transaction is written; called
--               for the object and for the owner of a sub-collection; see objects.settle
--   removing(store, path, object, ctx, target)              before an object goes
--   in_use(object, user)  -> the message of a refused DELETE. user: { template =, object =,
--               owner = }; nil: the usual message
--   removed(store, path, object, ctx, target)               after an object went
--   orphan(object)  -> the message about a parent (`defaultsFrom`) that does not exist
--   label(target, full)   -> the object's name in messages
--
-- show(store, path, object, shown, context): changes `shown`, the object as it is answered.
--
-- options: { ["create-draft"] = { createDraft = "yes" } }: an option of a PATCH, and the properties
--   that it stands for.
--
-- stats: what is special about the statistics.
--   entries     list of { name, "v" (number) or "d" (text) } instead of the catalogue's
--   values(store, path, object) -> { name = value }: those that are not 0 or "none"
--   lines(object, store) -> list of { suffix =, values = }: an object with several lines
--   inner(store, object, link) -> entries below those of the object; `link` is that of the object
--   body(device, target, version, options) -> entries, kind, body: for kinds of the type "show"
--
-- factory: what a new device has.
--   objects     list of bodies, or a function that returns a new one. In a sub-collection, `owner`
--               is the full path of the object that has it.
--   device_objects(device) -> the same, for objects that contain the device's name, address or
--               version; instead of `objects`
--   protected   = true: these objects cannot be deleted, and take their values from `defaultsFrom`
--   no_parent   = true: without a parent, they do not show `defaultsFrom`, also where their kind
--               shows "none" elsewhere
--   written     = true: made as by a POST, with all checks
--
-- indexes: { name = { key = function(object) -> key, many = boolean } }: the store keeps a table
--   store[name] from keys to paths (many: to lists of paths).
local files <const> = require "sim.kinds.index"

local M = {}

local NOTHING <const> = {}

local function set(...)
  local names = {}
  for _, list in ipairs { ... } do
    for name in list:gmatch "%S+" do names[name] = true end
  end
  return names
end

-- The keys that each part may have.
local PARTS <const> = set "facts relations checks options show stats factory indexes"
local KEYS <const> = {
  facts = set(
    "type kind noun known open exact flat free_names full_names given_name hidden listed only",
    "parent mandatory create_only kept pairs no_create no_delete keeps_none refs lists subs props",
    "api_status property_status"
  ),
  checks = set(
    "read identify own_folder prepare before made changed settled removing in_use removed label",
    "orphan"
  ),
  stats = set "entries values lines inner body",
  factory = set "objects device_objects protected no_parent written",
}
local RELATION <const> = set "property to names fields later free"
local INDEX <const> = set "key many"
local PROPERTY <const> = set "t d c r range keeps_none keeps_empty variables phrases"
local TYPES <const> = set "s i n m b a o x"

local function refuse(file, template, text, ...)
  error(("%s: %s: %s"):format(file, template, text:format(...)), 0)
end

local function check_keys(file, template, part, given, known)
  for key in pairs(given) do
    if not known[key] then refuse(file, template, "unknown key '%s' in %s", tostring(key), part) end
  end
end

local function check_property(file, template, name, spec)
  if spec == false then return end
  check_keys(file, template, "the property " .. name, spec, PROPERTY)
  if spec.t and not TYPES[spec.t] then
    refuse(file, template, "unknown type '%s' of the property %s", tostring(spec.t), name)
  end
end

-- A misspelled key is an error. Otherwise the rule would never run.
local function check(file, folder, template, kind)
  local path = template:gsub("^%^", "")
  if path ~= folder and path:sub(1, #folder + 1) ~= folder .. "/" then
    refuse(file, template, "does not belong in sim/kinds/%s", folder)
  end
  check_keys(file, template, "a kind", kind, PARTS)
  for part, known in pairs(KEYS) do check_keys(file, template, part, kind[part] or {}, known) end
  for _, relation in ipairs(kind.relations or NOTHING) do
    check_keys(file, template, "a relation", relation, RELATION)
  end
  for _, index in pairs(kind.indexes or NOTHING) do
    check_keys(file, template, "an index", index, INDEX)
  end
  for name, spec in pairs(kind.facts and kind.facts.props or NOTHING) do
    check_property(file, template, name, spec)
  end
end

-- module -> { exact = { [template] = kind }, patterns = { { pattern, kind }, … } }
local modules <const> = {}

-- Reads the files about a module when it is first asked for.
local function load(folder)
  local known = { exact = {}, patterns = {} }
  local described_in = {}
  modules[folder] = known
  for _, file in ipairs(files[folder] or NOTHING) do
    for template, kind in pairs(require(file)) do
      check(file, folder, template, kind)
      if template:sub(1, 1) == "^" then
        known.patterns[#known.patterns + 1] = { template, kind }
      elseif known.exact[template] then
        refuse(file, template, "is also described in " .. described_in[template])
      else
        known.exact[template], described_in[template] = kind, file
      end
    end
  end
  table.sort(known.patterns, function(a, b) return a[1] < b[1] end)
  return known
end

local function module_of(template)
  local folder = template:match "^[^/]+"
  return modules[folder] or load(folder)
end

-- The relations of a kind and of the patterns that match it; nil if there are none.
local function all_relations(template, kind, patterns)
  local list = table.move(kind.relations or NOTHING, 1, #(kind.relations or NOTHING), 1, {})
  for _, pattern in ipairs(patterns) do
    for _, relation in ipairs(pattern.relations or NOTHING) do list[#list + 1] = relation end
  end
  for i, relation in ipairs(list) do
    if relation.to[1] == "." then
      list[i] = {
        property = relation.property, to = { template }, names = relation.names,
        fields = relation.fields, later = relation.later, free = relation.free,
      }
    end
  end
  return #list > 0 and list or nil
end

local DEFAULT <const> = { checks = NOTHING, options = NOTHING, stats = NOTHING }
local found <const> = {}  -- template -> what M.of answers

-- A kind together with the patterns that match it. Parts that the kind lacks come from the first
-- pattern.
local function combine(template)
  local module = module_of(template)
  local own, patterns = module.exact[template], {}
  for _, entry in ipairs(module.patterns) do
    if template:find(entry[1]) then patterns[#patterns + 1] = entry[2] end
  end
  local first = patterns[1]
  if not own and not first then return DEFAULT end
  return {
    checks = own and own.checks or first and first.checks or NOTHING,
    options = own and own.options or NOTHING,
    show = own and own.show or first and first.show,
    stats = own and own.stats or first and first.stats or NOTHING,
    relations = all_relations(template, own or NOTHING, patterns),
  }
end

--- The rules for the kind of a template: { checks =, show =, stats =, relations = }. The tables
--- checks and stats may be empty.
function M.of(template)
  local kind = found[template]
  if not kind then
    kind = combine(template)
    found[template] = kind
  end
  return kind
end

--- The kinds of a module ("ltm") as the files describe them: template -> kind, and a list of
--- { pattern, kind }.
function M.described(module)
  local known = modules[module] or load(module)
  return known.exact, known.patterns
end

--- The modules with described kinds, sorted.
function M.modules()
  local list = {}
  for module in pairs(files) do list[#list + 1] = module end
  table.sort(list)
  return list
end

return M
