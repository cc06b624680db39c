-- Paths of references: bip.ltm.pool["/Common/web"], bip:at("ltm/pool", "/Common/web").
local annotations = require "console.annotations"
local facts = require "lint.facts"
local spelling = require "lint.spelling"

local M = {}

local function reference(of, place)
  return { class = "f5.reference", place = place, bound = of.bound, guessed = of.guessed }
end

local WHERE <const> = {
  module = "/mgmt/tm has no '%s'",
  organizing = "%s has no '%s'",
  object = "objects of %s have neither a sub-collection nor a property '%s'",
}

-- Reports a segment that is not there.
local function report(types, of, place, segment, names, where, node)
  local near, is_slip = spelling.near(segment, names)
  if not is_slip and where ~= "organizing" then return end -- a device may have more
  local text = where == "module" and WHERE.module:format(segment)
    or WHERE[where]:format(place.template, segment)
  -- A device may have what is not known here.
  if not is_slip then text = ("f5lua knows no '%s' below %s"):format(segment, place.template) end
  types.report(is_slip and not of.guessed and "error" or "warning", "unknown-path", node,
    text .. spelling.asked(near), near)
end

local function step(types, of, segment, node)
  local place = of.place
  if not place then return nil end
  local found, names, where = facts.step(place, segment)
  if names then report(types, of, place, segment, names, where, node) end
  return found
end

-- A full name, or a key that is not in the text.
local function name(of)
  return of.place and facts.object(of.place)
end

--- The type of an index of a session or a reference.
function M.index(types, of, node, key)
  if not key then
    local type = reference(of, name(of))
    type.computed = node.key.tag ~= "Number" -- it may be a method
    return type
  end
  local fn = annotations.class(of.class).functions[key]
  if fn then return { fn = fn, of = of } end
  if key:find "^/" then return reference(of, name(of)) end
  return reference(of, step(types, of, key, node.key))
end

-- "ltm/pool", "/mgmt/tm/ltm/pool/~Common~web"
local function walk(types, of, path, node)
  local root, below = path:match "^(/mgmt/tm)/?(.*)$"
  if root then
    of = { class = of.class, place = facts.ROOT, guessed = of.guessed, bound = of.bound }
    path = below
  elseif path:find "^/mgmt" or path:find "^%w+://" then
    return nil
  end
  local place = of.place
  for segment in path:gsub("%?.*", ""):gmatch "[^/]+" do
    if not place then return nil end
    local at = { place = place, guessed = of.guessed }
    if segment:find "^~" then
      place = name(at)
    else
      place = step(types, at, segment, node)
    end
  end
  return place
end

--- The type of bip:at(…) and ref:at(…).
function M.at(types, of, args)
  local now = of
  for _, argument in ipairs(args) do
    local text = argument.tag == "String" and argument.value
    local place
    if not text then
      place = argument ~= args[1] and name(now) or nil
    elseif text:find "^/" and not text:find "^/mgmt" then
      place = name(now)
    else
      place = walk(types, now, text, argument)
    end
    now = reference(of, place)
  end
  return now
end

--- Checks a path that a call gets as text: bip:request("GET", "ltm/pool").
function M.text(types, of, node)
  if node.tag == "String" then walk(types, of, node.value, node) end
end

return M
