-- What takes a plan back, as commands of tmsh that the device itself runs: they are left on it
-- before the first write. So they follow from the plan alone: each object as it was before.
--
-- A command has several forms. The device takes the first one that it accepts: whether a list is
-- written with `replace-all-with` depends on the property, and iControl REST does not say it.

local clean = require "f5.state.clean"
local compare = require "f5.state.compare"
local core = require "f5.core"
local ensured = require "f5.ensure.compare"
local is_temporary = require("f5.safe.target").is_temporary
local json = require "f5.json"
local kinds = require "f5.state.kinds"
local names = require "f5.state.segment"
local policy = require "f5.confirm.policy"
local secrets = require "f5.safe.secrets"
local State = require "f5.state.state"
local steps = require "f5.plan.steps"
local tree = require "f5.safe.tree"
local words = require "f5.confirm.words"

local M = {}

local null <const> = json.null

---@class f5.confirm.command
---@field forms string[] Tcl
---@field gone boolean? what it takes away may be gone already
---@field there boolean? what it makes may be there already
---@field late boolean? after all others; that the device refuses it is no failure: an object that
---  the device made by itself, and that it or somebody else may still need
---@field path string

-- What no script of the device can take back, and why.
local REFUSED <const> = {
  { "^sys/license", "a licence" }, { "^sys/provision", "provisioning" },
  { "^sys/software", "software" }, { "^asm/", "ASM" }, { "^live%-update/", "live update" },
  { "^cm/trust", "the trust domain" }, { "^cm/device", "the trust domain" },
  { "^cm/add", "the trust domain" }, { "^cm/remove", "the trust domain" },
  { "^sys/icall/", "iCall itself" }, { "^sys/crypto/", "keys and certificates" },
  { "^cli/", "tmsh itself" },
}

-- Objects that can be taken away again, but not brought back or set as they were.
local ONE_WAY <const> = {
  { "^sys/file/", "the device does not keep the old file" },
  { "^sys/ucs", "an archive" },
}

local OPPOSITE <const> = {
  enabled = "disabled", disabled = "enabled", vlansEnabled = "vlansDisabled",
  vlansDisabled = "vlansEnabled",
}

local function find(rules, kind)
  for _, rule in ipairs(rules) do
    if kind:find(rule[1]) then return rule[2] end
  end
  return nil
end

-- Where an object is: { component = "ltm pool", name =, list =, element =, above = path }. Deeper
-- elements have `deep`.
local function place_of(path, kind)
  local segments, parts = {}, {}
  for segment in path:sub(#"/mgmt/tm/" + 1):gmatch "[^/]+" do segments[#segments + 1] = segment end
  for part in kind:gmatch "[^/]+" do parts[#parts + 1] = part end
  if #segments == #parts then return { component = table.concat(parts, " "), path = path } end
  if #segments == #parts + 1 then
    return {
      component = table.concat(parts, " "), name = names.name(segments[#segments]), path = path,
    }
  end
  local n = #segments
  return {
    component = table.concat(parts, " ", 1, #parts - 1), name = names.name(segments[n - 2]),
    list = parts[#parts], element = names.name(segments[n]), path = path,
    above = "/mgmt/tm/" .. table.concat(segments, "/", 1, n - 2), deep = n > #parts + 2,
  }
end

local Inverse = {}
Inverse.__index = Inverse

function Inverse:problem(path, why)
  self.problems[#self.problems + 1] = { path = path, reason = why }
end

function Inverse:add(path, position, forms, more)
  local command = more or {}
  command.path, command.forms, command.position = path, forms, position
  command.n = #self.commands
  self.commands[#self.commands + 1] = command
end

-- The nearest object above that the plan makes or deletes.
function Inverse:above(place)
  local above = place.above
  while above do
    local object = self.objects[above]
    if object and (not object.before or not object.after) then return object end
    above = above:match "^(.*/[^/]+)/[^/]+/[^/]+$"
    if above and not above:find "^/mgmt/tm/" then return nil end
  end
  return nil
end

-- A path without the partition of its last name, which a creation need not give.
local function short(path)
  return (path:gsub("/~[^~/]+~([^~/]+)$", "/%1"):gsub("/~Common~", "/"))
end

-- The step that writes an object first; an object that the device makes by itself has none.
function Inverse:position_of(path)
  local best
  path = short(path)
  for i, step in ipairs(self.device.steps) do
    local target = short(steps.target_of(step))
    if path == target then return i end
    if path:sub(1, #target + 1) == target .. "/" then best = best or i end
  end
  return best
end

-- -- forms ----------------------------------------------------------------------------------------

local function line(verb, place, rest)
  local out = { "tmsh::" .. verb, place.component }
  if place.name then out[3] = words.word(place.name) end
  for _, word in ipairs(rest or {}) do out[#out + 1] = word end
  return table.concat(out, " ")
end

-- A command for an object, or for an element inside of the object above.
local function command(verb, place, inner)
  if not place.list then return line(verb, place, inner) end
  local rest = {
    words.property(place.list), verb == "create" and "add" or verb, words.OPEN,
    words.word(place.element),
  }
  if verb ~= "delete" then
    rest[#rest + 1] = words.OPEN
    table.move(inner, 1, #inner, #rest + 1, rest)
    rest[#rest + 1] = words.CLOSE
  end
  rest[#rest + 1] = words.CLOSE
  return line("modify", place, rest)
end

-- The words of some properties, with `replace-all-with` and without. nil and the reason if they
-- cannot be written.
local function both_ways(make)
  local first = {}
  local why = make(first)
  if why then return nil, why end
  local forms = { first }
  if first.has_list then
    forms[2] = { plain = true }
    make(forms[2])
  end
  return forms
end

-- -- one object -----------------------------------------------------------------------------------

-- The elements inside of an object that the plan deletes, by the name of the list.
function Inverse:inside(path)
  local lists = {}
  for other, object in pairs(self.objects) do
    local place = other ~= path and place_of(other, object.kind)
    if place and place.above == path and object.before and not place.deep then
      lists[place.list] = lists[place.list] or {}
      local element = {}
      for key, value in next, object.before do element[key] = value end
      element.name, element.partition, element.subPath = place.element, nil, nil
      table.insert(lists[place.list], element)
    end
  end
  for _, list in pairs(lists) do
    table.sort(list, function(a, b) return a.name < b.name end)
    setmetatable(list, getmetatable(json.array {}))
  end
  return lists
end

local function text_forms(place, object)
  local text = words.braced(object.apiAnonymous)
  if not text then return nil, "its text has braces that are not balanced" end
  return { command("create", place, { text }), command("modify", place, { text }) }
end

function Inverse:bring_back(path, place, object, position)
  local before = object.before
  local forms, why
  local bare = false -- it has only a name: there is nothing to modify
  if type(before.apiAnonymous) == "string" then
    forms, why = text_forms(place, before)
  else
    local lists = self:inside(path)
    local found
    found, why = both_ways(function(out)
      local problem = words.properties(out, before, lists)
      for key, list in pairs(lists) do problem = problem or words.value(out, key, list) end
      return problem
    end)
    forms = {}
    for _, inner in ipairs(found or {}) do
      forms[#forms + 1] = command("create", place, inner)
    end
    -- the change may have stopped before it was deleted
    local changeable = {}
    for key, value in next, before do
      if not kinds.is_fixed(object.kind, key) then changeable[key] = value end
    end
    for _, inner in ipairs(not why and both_ways(function(out)
      return words.properties(out, changeable, lists)
    end) or {}) do
      if #inner > 0 then forms[#forms + 1] = command("modify", place, inner) else bare = true end
    end
  end
  if why then return self:problem(path, why) end
  self:add(path, position, forms, { there = bare })
end

-- Adds the words that give one property its old value. Returns why they cannot be written.
local function old_value(out, kind, key, before, after)
  local value, now = before[key], after[key]
  if kinds.is_fixed(kind, key) then return key .. " can only be set by a creation" end
  local other = OPPOSITE[key]
  if other and (value == true or now == true or before[other] == true) then
    return words.value(out, before[key] == true and key or other, true)
  end
  if value == nil or value == false then
    if now == true or now == null then return ("the flag %s cannot be taken away"):format(key) end
    local is_group = type(now) == "table" and not ensured.is_list(now)
    if type(now) == "number" or is_group then
      return ("%s had no value, which cannot be written"):format(key)
    end
    out[#out + 1], out[#out + 2] = words.property(key), "none"
    return nil
  end
  if value == "" then
    out[#out + 1], out[#out + 2] = words.property(key), "none"
    return nil
  end
  return words.value(out, key, value)
end

function Inverse:set_right(path, place, object, position)
  local before, after = object.before, object.after
  if type(before.apiAnonymous) == "string" and before.apiAnonymous ~= after.apiAnonymous then
    local text = words.braced(before.apiAnonymous)
    if not text then return self:problem(path, "its text has braces that are not balanced") end
    return self:add(path, position, { command("modify", place, { text }) })
  end
  local keys, seen = {}, {}
  for _, change in ipairs(compare.objects(object.kind, before, after)) do
    local key = change.keys[1]
    if not seen[key] then
      seen[key] = true
      keys[#keys + 1] = key
    end
  end
  -- a value that is changed and changed back
  for _, step in ipairs(self.device.steps) do
    local is_own = step.method ~= "POST" and short(steps.target_of(step)) == short(path)
    for key in pairs(is_own and steps.body_of(step) or {}) do
      local value = before[key]
      local plain = value ~= nil and type(value) ~= "table" and value ~= true and value ~= false
      if plain and not seen[key] and not kinds.is_fixed(object.kind, key) then
        seen[key] = true
        keys[#keys + 1] = key
      end
    end
  end
  if #keys == 0 then return end
  local forms, why = both_ways(function(out)
    for _, key in ipairs(keys) do
      local problem = old_value(out, object.kind, key, before, after)
      if problem then return problem end
    end
  end)
  if not forms then return self:problem(path, why) end
  for i, inner in ipairs(forms) do forms[i] = command("modify", place, inner) end
  self:add(path, position, forms)
end

function Inverse:object(path, object)
  if policy.unit(path) then return end -- see f5.confirm.policy
  local kind = object.kind
  local place = place_of(path, kind)
  local position = self:position_of(path)
  -- what changes with another object changes back with it
  if not position and object.before and object.after then return end
  local refused = find(REFUSED, kind)
  if refused then return self:problem(path, ("a device cannot take back %s"):format(refused)) end
  local above = self:above(place)
  if above then return end -- it goes, or comes, with the object that it is in
  if place.deep then return self:problem(path, "it is an element of an element") end
  if not object.before then
    return self:add(path, position or 0, { command("delete", place) }, {
      gone = true, late = not position or nil,
    })
  end
  local one_way = find(ONE_WAY, kind)
  if one_way then return self:problem(path, one_way) end
  if object.after then return self:set_right(path, place, object, position) end
  self:bring_back(path, place, object, position or #self.device.steps + 1)
end

-- -- what a plan does besides ---------------------------------------------------------------------

local WHY <const> = {
  task = "a task cannot be taken back", asm = "a device cannot take back ASM",
  declaration = "a declaration cannot be taken back", commands = "a command cannot be taken back",
  command = "a command cannot be taken back", other = "it is outside of /mgmt/tm",
}

local function holds_secret(kind, body)
  return body ~= nil and secrets.hidden(kind, body) ~= body
end

function Inverse:step(step)
  local why = WHY[step.class]
  if why and is_temporary(step.path, steps.body_of(step)) then return end
  if why then return self:problem(step.path, why) end
  if step.class ~= "rest" then return end
  local target = steps.target_of(step)
  local object = self.objects[target]
  local kind = object and object.kind or ""
  local refused = find(REFUSED, (step.path:match "^/mgmt/tm/(.*)$" or ""))
  if refused and not object then
    return self:problem(step.path, ("a device cannot take back %s"):format(refused))
  end
  local secret = step.sealed ~= nil or holds_secret(kind, steps.body_of(step))
  if secret and not (object and not object.before) then
    self:problem(step.path, "it changes a secret, and the old one cannot be read")
  end
end

-- A change can stop after any step. So what the steps do to an object on the way counts, too: the
-- methods by target.
function Inverse:history()
  local by_path, out = {}, {}
  for path in pairs(self.objects) do by_path[short(path)] = path end
  for i, step in ipairs(self.device.steps) do
    local target = steps.target_of(step)
    local key = short(target)
    if step.class == "rest" then
      out[key] = out[key] or { path = by_path[key] or target, at = i, methods = {} }
      table.insert(out[key].methods, step.method)
    end
  end
  return out
end

-- What the net difference of an object does not show.
function Inverse:on_the_way(entry)
  if policy.unit(entry.path) then return end
  local object, counts = self.objects[entry.path], {}
  for _, method in ipairs(entry.methods) do counts[method] = (counts[method] or 0) + 1 end
  local is_new = entry.methods[1] == "POST"
  if is_new and not object then
    -- deleted again, or gone with a list that was replaced
    local kind = State.kind_of((entry.path:match "^(.*)/[^/]*$"))
    local place = place_of(entry.path, kind)
    if place.name then
      self:add(entry.path, entry.at, { command("delete", place) }, { gone = true })
    end
  elseif not is_new and counts.DELETE and not (object and object.before and not object.after) then
    self:problem(entry.path, "it is deleted and made again, and may be lost in between")
  elseif not is_new and not object and (counts.PATCH or 0) + (counts.PUT or 0) > 1 then
    self:problem(entry.path, "it is changed and changed back, and may be lost in between")
  end
end

-- The lists of a body that are sub-collections of an object: array of { sub, list }.
local function lists_of(target, raw, body)
  local out = {}
  for _, sub in ipairs(tree.subs(target, raw)) do
    local list, reference = body[sub.key], body[sub.reference]
    if list == nil and type(reference) == "table" then list = reference.items end
    if ensured.is_list(list) then out[#out + 1] = { sub = sub, list = list } end
  end
  return out
end

-- The path of an element of a body; nil if it has no name.
local function element_path(sub, raw, item)
  local one = ensured.as_item(item)
  local name = one and (one.fullPath or one.name)
  if name and name:sub(1, 1) ~= "/" and core.has_partitions(sub.path) then
    name = ("/%s/%s"):format(one.partition or raw.partition or "Common", name)
  end
  return name and sub.path .. "/" .. names.of(name)
end

local function has_list(body)
  for _, value in next, body or {} do
    if type(value) == "table" and value ~= null then return true end
  end
  return false
end

-- An element that was there before, and may have lost its values on the way.
function Inverse:keep_element(path, item, position)
  local object, kind = self.objects[path], State.kind_of(path)
  if object and not object.after then return end -- it is brought back with all its values
  local values = {}
  for key, value in next, (clean.object(kind, item)) do
    if not kinds.is_fixed(kind, key) then values[key] = value end
  end
  local forms, why = both_ways(function(out) return words.properties(out, values) end)
  if why then return self:problem(path, why) end
  local place = place_of(path, kind)
  for n, inner in ipairs(forms) do forms[n] = command("modify", place, inner) end
  self:add(path, position, forms)
end

-- What steps do to the elements of a list on the way, by replacing the whole list: they take out
-- again what another step has put in, or give old values back.
function Inverse:passing_elements(read)
  local seen, objects, times = {}, {}, {}
  for path in pairs(self.objects) do seen[short(path)] = true end
  local function look(i, raw, sub, list)
    local here = {}
    for _, item in ipairs(sub.items or {}) do
      local path = State.canonical(tree.child_path(sub.path, item))
      here[short(path)] = true
      if times[sub.path] == 2 then self:keep_element(path, item, i) end
    end
    for _, item in ipairs(list) do
      local path = element_path(sub, raw, item)
      if path and not here[short(path)] and not seen[short(path)] then
        seen[short(path)] = true
        self:add(path, i, { command("delete", place_of(path, State.kind_of(path))) }, {
          gone = true,
        })
      end
    end
  end
  for i, step in ipairs(self.device.steps) do
    local target, body = steps.target_of(step), steps.body_of(step)
    local object = self.objects[target]
    local is_new = object and not object.before or policy.unit(target)
    if step.class == "rest" and step.method ~= "POST" and has_list(body) and not is_new then
      objects[target] = objects[target] or read(target) or {}
      for _, one in ipairs(lists_of(target, objects[target], body)) do
        times[one.sub.path] = (times[one.sub.path] or 0) + 1
        look(i, objects[target], one.sub, one.list)
      end
    end
  end
end

--- What takes a plan back.
-- @param device table: of a plan
-- @param read function(path)|nil: reads an object with everything inside it, as it is now; nil:
--   only the problems count
-- @return f5.confirm.command[] in the order in which they run
-- @return array of { path, reason }: what cannot be taken back; empty if all of it can
function M.of(device, read)
  local self = setmetatable({
    device = device, objects = device.objects, commands = {}, problems = {},
  }, Inverse)
  for _, step in ipairs(device.steps) do self:step(step) end
  local history, keys = self:history(), {}
  for key in pairs(history) do keys[#keys + 1] = key end
  table.sort(keys)
  for _, key in ipairs(keys) do self:on_the_way(history[key]) end
  if read then self:passing_elements(read) end
  local paths = {}
  for path in pairs(device.objects) do paths[#paths + 1] = path end
  table.sort(paths)
  for _, path in ipairs(paths) do self:object(path, device.objects[path]) end
  policy.of(device, read or function() end, function(...) self:add(...) end, function(...)
    self:problem(...)
  end)
  table.sort(self.commands, function(a, b)
    if a.position ~= b.position then return a.position > b.position end
    return a.n < b.n
  end)
  return self.commands, self.problems
end

return M
