-- The names after --select. A device leaves out a property that an object does not have, and one
-- that does not exist. So a misspelt name would print {}.
--
--   local selected = select_names(columns, collection, { option = "--select", … })
--   for object in … do selected:look(object) end
--   selected:finish()      -- raises or warns about names that no property has
--
-- The names after --sort, and those in the expression of --where, are checked in the same way, but
-- each must be right.

local core = require "f5.core"
local terminal = require "f5.terminal"
local write = require "f5.change.write"

local Selected <const> = {}
Selected.__index = Selected

-- Every object has these, whatever the device's example says.
local FACTS <const> = { "fullPath", "generation", "kind", "selfLink" }

-- "fqdn.tmName" and "membersReference/items" select a part of a property.
local function property_of(name) return name:match "^[^./]+" or name end

-- Asks the device for all properties, once.
local function properties(self)
  if self.known == nil then
    self.known = write.properties(self.ref) or false
    for _, list in ipairs(self.known and { FACTS, self.others } or {}) do
      table.move(list, 1, #list, #self.known + 1, self.known)
    end
  end
  return self.known
end

local function unknown(self)
  local missing, real = {}, {}
  for _, name in ipairs(self.names) do
    if not self.seen[property_of(name)] then missing[#missing + 1] = name end
  end
  local known = #missing > 0 and properties(self)
  for _, name in ipairs(known or {}) do real[name] = true end
  local out = {}
  for _, name in ipairs(known and missing or {}) do
    if not real[property_of(name)] then out[#out + 1] = name end
  end
  return out
end

local function message(self, name)
  local near = core.nearest(property_of(name), self.known)
  return ("there is no property '%s'%s"):format(
    terminal.line(name), near and ("; did you mean '%s'?"):format(terminal.line(near)) or ""
  )
end

-- Raises if no name is right.
local function check(self)
  local wrong = unknown(self)
  if #wrong > 0 and (self.strict or #wrong == #self.names) then
    self.usage(("%s: %s"):format(self.option, message(self, wrong[1])))
  end
  return wrong
end

--- Takes notice of an object. If the first one has nothing of what was selected, the names are
-- checked at once, before anything is printed.
function Selected:look(object)
  if #self.names == 0 then return end
  local found = false
  for name in pairs(object) do self.seen[name] = true end
  for _, name in ipairs(self.names) do found = found or self.seen[property_of(name)] end
  if not found and self.count == 0 then check(self) end
  self.count = self.count + 1
end

--- Warns about names that no property has, and raises if all are such names.
function Selected:finish()
  if self.count == 0 then return end
  for _, name in ipairs(check(self)) do
    terminal.err(("f5lua: %s: %s\n"):format(self.option, message(self, name)))
  end
end

--- @param names list|nil: as given; nil: nothing was selected
-- @param ref reference: of what is read; an object below a collection is described by that
-- @param style table: usage(message): ends the subcommand; option: which gave the names; others:
--   names that f5lua knows, too
return function(names, ref, style)
  local last = tostring(ref):match "[^/?]+%f[?\0]"
  local place = last and last:sub(1, 1) == "~" and core.parent(ref) or ref
  return setmetatable(
    {
      names = names or {}, ref = place, seen = {}, count = 0, usage = style.usage,
      option = style.option, others = style.others, strict = style.option ~= "--select",
    },
    Selected
  )
end
