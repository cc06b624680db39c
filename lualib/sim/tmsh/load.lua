-- Loads tmsh text into a device: its objects are made or changed as those of a seed, so that a
-- reference may come before what it names.
local names = require "sim.config.names"
local parser = require "sim.tmsh.parser"
local printer = require "sim.tmsh.printer"
local reader = require "sim.tmsh.reader"
local references = require "sim.config.references"
local sorting = require "sim.sorting"
local turns = require "sim.turns"
local uri = require "sim.config.uri"
local validate = require "sim.config.validate"
local values = require "sim.config.values"

local M = {}

-- What fails is tried again after the others, so often at most.
local MAX_PASSES <const> = 10

-- Objects that others need come first, and what a text deletes last.
local FIRST <const> = {
  "sys/provision", "auth/partition", "sys/folder", "sys/file", "net/interface", "net/trunk",
  "net/vlan", "net/route-domain", "net", "ltm/monitor", "ltm/profile", "ltm/node", "ltm/pool",
  "ltm/rule",
}

local LAST <const> = #FIRST + 2

local function rank(template)
  for i, prefix in ipairs(FIRST) do
    if template == prefix or template:sub(1, #prefix + 1) == prefix .. "/" then return i end
  end
  return #FIRST + 1
end

-- Sorts objects: those that others need first, and parents (defaults-from) before their children.
local function in_order(objects)
  local by_place <const>, list <const>, done <const>, ranks <const> = {}, {}, {}, {}
  for i, object in ipairs(objects) do
    turns.pause()
    local template <const> = object.node.template
    ranks[template] = ranks[template] or rank(template)
    object.place, object.rank = i, object.verb == "delete" and LAST or ranks[template]
    local where <const> = reader.place(object)
    by_place[where] = by_place[where] or object
  end
  sorting.sort(objects, function(a, b)
    if a.rank ~= b.rank then return a.rank < b.rank end
    return a.place < b.place
  end)
  local function add(object)
    if done[object] then return end
    done[object] = true
    local parent <const> = object.body.defaultsFrom
    if type(parent) == "string" then
      local full <const> = names.absolute(parent, object.body.partition)
      local other <const> = by_place[object.path .. "/" .. names.segment(full)]
      if other then add(other) end
    end
    list[#list + 1] = object
  end
  for _, object in ipairs(objects) do
    turns.pause()
    add(object)
  end
  return list
end

local function message_of(problem)
  if type(problem) == "table" and problem.body and problem.body.message then
    return problem.body.message
  end
  if type(problem) == "table" and problem.message then return problem.message end
  return nil
end

local function put(store, object, ctx, allowed)
  if allowed then
    local ok, reason = allowed(object.path)
    local words = reason or "01070822:3: Access Denied: only administrators may load "
    if not ok then error({ message = words .. object.path }, 0) end
  end
  local place <const> = reader.place(object)
  if object.verb and object.verb ~= "create" and not store:get(place) then
    local words <const> = object.node.template:gsub("/", " ")
    local label <const> = words .. " " .. tostring(object.body.name or "")
    validate.refuse_mcpd(("01020036:3: The requested object (%s) was not found."):format(label))
  end
  if object.verb == "delete" then return store:delete(place, ctx) end
  if object.node.type ~= "collection" then return store:modify(object.path, object.body, ctx) end
  local path, there = store:create(object.path, object.body, ctx)
  -- an object of new devices that the text names is saved, also if the text changed nothing
  if there._factory and there.generation == 1 then
    local touched <const> = values.shallow(there)
    touched.generation = store:next_generation()
    store:put(path, touched)
  end
end

--- Loads all statements that can be loaded. Returns the list of the loaded objects (of
-- reader.object) and a list of { line =, message = } of what was refused, in the order of the
-- lines.
-- @param allowed function|nil: whether the object at a path may be loaded, and what is said if not
function M.plant(device, text, allowed)
  local ok, statements = pcall(parser.read, text)
  if not ok then
    if type(statements) ~= "table" then error(statements, 0) end
    return {}, { statements }
  end
  local waiting, refused = reader.objects(statements)
  waiting = in_order(waiting)
  local store <const>, loaded <const> = device.store, {}
  local ctx <const> = { seed = true, now = device:now() }
  for pass = 1, MAX_PASSES do
    local again <const> = {}
    for _, object in ipairs(waiting) do
      turns.pause()
      local done, problem = pcall(put, store, object, ctx, allowed)
      if done then
        loaded[#loaded + 1] = object
      else
        object.problem = problem
        again[#again + 1] = object
      end
    end
    if #again == #waiting or pass == MAX_PASSES then
      for _, object in ipairs(again) do
        local message <const> = message_of(object.problem)
        if not message then error(object.problem, 0) end
        refused[#refused + 1] = { line = object.line, message = message }
      end
      break
    end
    waiting = again
  end
  table.sort(refused, function(a, b) return a.line < b.line end)
  return loaded, refused
end

local UNDONE <const> = {}

--- Loads a text as `load sys config` does: all of it or nothing. Raises { line =, message = }.
-- @param allowed function|nil: whether the object at a path may be loaded, and what is said if not
-- @param only_verify boolean|nil: true: nothing changes
function M.load(device, text, allowed, only_verify)
  local store <const> = device.store
  local ok, problem = pcall(store.atomically, store, function()
    local loaded, refused = M.plant(device, text, allowed)
    if refused[1] then error(refused[1], 0) end
    for _, object in ipairs(loaded) do
      turns.pause()
      local path <const> = reader.place(object)
      local there <const> = store:get(path)
      local good, reason = true, nil
      if there then good, reason = pcall(references.check, store, path, there) end
      if not good then
        local message <const> = message_of(reason)
        error(message and { line = object.line, message = message } or reason, 0)
      end
    end
    if only_verify then error(UNDONE, 0) end
  end)
  if not ok and problem ~= UNDONE then error(problem, 0) end
end

-- The text whose bytes came as characters: see f5/sim.lua.
local function text_of(bytes)
  return (bytes:gsub("[\xC2\xC3][\x80-\xBF]", function(character)
    return string.char(utf8.codepoint(character))
  end))
end

--- Loads the texts of a seed, each as far as it can be loaded. Returns a list of { file =, line =,
-- message = } of what was refused.
function M.plant_all(device, texts)
  local refused <const> = {}
  for _, entry in ipairs(texts) do
    local text <const> = entry.bytes and text_of(entry.text) or entry.text
    -- an editor of the operator's may have added a byte order mark
    local _, problems = M.plant(device, (text:gsub("^\xEF\xBB\xBF", "")))
    for _, problem in ipairs(problems) do
      refused[#refused + 1] =
        { file = entry.name, line = problem.line, message = problem.message }
    end
  end
  return refused
end

-- Software and archives are on the disk of the device rather than in its configuration.
local function is_file(path)
  return path:find "^/mgmt/tm/sys/software/%l+/" or path:find "^/mgmt/tm/sys/ucs/"
end

--- The configuration of a device as one text: what differs from a new device.
-- @param options table|nil: of printer.object; without them the text is that of a saved file
function M.text(device, options)
  local store <const>, places <const> = device.store, {}
  local function add(path, object)
    local target <const> = uri.like(path)
    local made_here <const> = object._factory
      or target and target.what ~= "singleton" and target.node.no_create
    local untouched <const> = made_here and object.generation == 1
    local kept <const> = options or not is_file(path)
    if target and not target.parent and not untouched and kept then
      places[#places + 1] = { path = path, template = target.template }
    end
  end
  for collection, entry in pairs(store.collections) do
    local is_inside <const> = collection:find("~", 1, true) -- its owner prints it
    for segment in pairs(is_inside and {} or entry.set) do
      local path <const> = collection .. "/" .. segment
      turns.pause()
      if store.items[path] then add(path, store.items[path]) end
    end
  end
  sorting.sort(places, function(a, b)
    if a.template ~= b.template then return a.template < b.template end
    return a.path < b.path
  end)
  local parts <const> = { ("#TMSH-VERSION: %s\n"):format(device.version.version) }
  for _, place in ipairs(places) do
    parts[#parts + 1] = printer.object(store, place.path, options or { saved = true })
  end
  return table.concat(parts, "\n") .. "\n"
end

return M
