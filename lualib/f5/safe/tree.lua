-- Objects with everything inside them, as a device answers them with expandSubcollections.

local compare = require "f5.ensure.compare"
local bodies = require "f5.change.body"
local json = require "f5.json"
local kinds = require "f5.state.kinds"
local target = require "f5.safe.target"

local M = {}

--- The sub-collections of an object: array of { key = "members", path = …, items = array or nil }.
function M.subs(path, raw)
  local out = {}
  for key, value in next, raw do
    local name = type(key) == "string" and key:match "^(.+)Reference$"
    if name and type(value) == "table" and value.isSubcollection then
      local segment = tostring(value.link):match "([^/?]+)/?%f[?\0]" or name
      out[#out + 1] = {
        key = raw[name] == nil and name or key, path = path .. "/" .. segment, reference = key,
        items = type(value.items) == "table" and value.items or nil,
      }
    end
  end
  table.sort(out, function(a, b) return a.key < b.key end)
  return out
end

--- The path of an element of a sub-collection.
function M.child_path(collection, item)
  local segment = type(item.selfLink) == "string"
    and select(2, target.split(target.path_of(item.selfLink)))
  if segment and segment ~= "" then
    local full = item.fullPath
    if segment:sub(1, 1) ~= "~" and type(full) == "string" and full:sub(1, 1) == "/" then
      return collection .. "/" .. full:gsub("/", "~"):gsub("%%", "%%25")
    end
    return collection .. "/" .. segment
  end
  local name = item.fullPath or item.name or ""
  return collection .. "/" .. tostring(name):gsub("/", "~"):gsub("%%", "%%25")
end

-- Reads what an answer with expandSubcollections left out.
local function complete(bip, path, raw, depth)
  if depth > 6 then return end
  for _, sub in ipairs(M.subs(path, raw)) do
    local reference = raw[sub.reference]
    if not sub.items then
      local ok, list = pcall(function() return bip:at(sub.path):list { expand = true } end)
      if ok then
        reference.items = list
        sub.items = list
      elseif type(list) ~= "table" or list.kind == "cancelled" or list.status == nil then
        error(list, 0)
      end
    end
    for _, item in ipairs(sub.items or {}) do
      complete(bip, M.child_path(sub.path, item), item, depth + 1)
    end
  end
end

--- Reads an object; nil if it does not exist.
-- @param inside boolean: with everything inside it
function M.read(bip, path, inside)
  local ok, raw = pcall(function()
    return bip:at(path):load(inside and { expand = true } or nil)
  end)
  if not ok then
    if type(raw) == "table" and raw.kind == "not_found" then return nil end
    error(raw, 0)
  end
  if inside and type(raw) == "table" then complete(bip, path, raw, 1) end
  return raw
end

--- Whether what was read is one object, not a collection.
function M.is_object(raw)
  return type(raw) == "table"
    and not tostring(raw.kind):lower():find "collectionstate$" and raw.items == nil
end

-- Where the content of a file object came from: to write it reads the file again, which may be gone
-- or another one now.
local CONTENT <const> = { sourcePath = true, content = true }

--- Whether a property makes the content of a file object.
function M.is_content(kind, property)
  return CONTENT[property] and kind:find "^sys/file/" ~= nil or false
end

local function is_link(key, value)
  return type(key) == "string" and key:find "Reference$" and type(value) == "table"
end

-- The elements of a list without the links in them, which follow from their names.
local function unlinked(list)
  local out = {}
  for key, item in next, list do
    if type(item) == "table" and item ~= json.null then
      local copy = {}
      for name, value in next, item do
        if not (is_link(name, value) and value.link) then copy[name] = value end
      end
      item = setmetatable(copy, getmetatable(item))
    end
    out[key] = item
  end
  return setmetatable(out, getmetatable(list))
end

local NAMING <const> = { name = true, partition = true, subPath = true, fullPath = true }

--- The own properties of an object that are configuration: no links, no sub-collections, no times.
function M.properties(kind, raw)
  local out = {}
  for key, value in next, raw do
    local skip = type(key) ~= "string" or NAMING[key] or kinds.is_volatile(kind, key)
      or kinds.is_digest(kind, key) or M.is_content(kind, key)
      or is_link(key, value)
    local has_elements = type(value) == "table" and value ~= json.null and compare.is_list(value)
    if not skip then out[key] = has_elements and unlinked(value) or value end
  end
  return out
end

--- A body to create the object with, with everything inside it.
function M.creation(raw)
  if type(raw.kind) ~= "string" then return nil end
  local out = bodies.writable(raw, { names = true, operation = true })
  local function clean(kind, body)
    for key, value in next, body do
      if kinds.is_volatile(kind, key) or kinds.is_digest(kind, key) then body[key] = nil end
      if type(value) == "table" and compare.is_list(value) then
        for i = #value, 1, -1 do
          local item = value[i]
          if type(item) == "table" and item ~= json.null then
            if kinds.is_own(kind .. "/" .. key, item) then
              table.remove(value, i)
            else
              clean(kind .. "/" .. key, item)
            end
          end
        end
      end
    end
  end
  clean(kinds.of_body(raw) or "", out)
  return compare.for_create(out)
end

--- What to send for a property that did not exist.
function M.nothing_for(now)
  if type(now) == "boolean" then return false end
  if type(now) == "table" and now ~= json.null then
    return compare.is_list(now) and json.array {} or {}
  end
  if type(now) == "number" then return 0 end
  return "none"
end

return M
