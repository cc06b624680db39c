-- What real devices answered: the objects in ../shared/data/recorded. They are no part of this
-- project, and may be absent.
local json = require "f5.json"
local uri = require "sim.config.uri"
local relations = require "sim.config.relations"

local M = {}

local FOLDER <const> = "../shared/data/recorded"

--- The text of a recording.
function M.read(name)
  local file <close> = assert(io.open(FOLDER .. "/" .. name, "rb"))
  return file:read "a"
end

--- The rows of the index: { file =, kind =, request =, version = } of what came from a device; nil
-- if there are no recordings.
function M.rows()
  local file = io.open(FOLDER .. "/INDEX.tsv")
  if not file then return nil end
  local rows = {}
  for line in file:lines() do
    local fields = {}
    for field in (line .. "\t"):gmatch "([^\t]*)\t" do fields[#fields + 1] = field end
    if fields[7] == "recorded" and fields[1]:find "%.json$" then
      rows[#rows + 1] =
        { file = fields[1], kind = fields[2], request = fields[3], version = fields[4] }
    end
  end
  file:close()
  return rows
end

local function unescape(text)
  return (text:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end))
end

-- "https://localhost/mgmt/tm/ltm/pool/~Common~web?ver=13.1.0" -> "/mgmt/tm/ltm/pool/~Common~web";
-- nil for anything else.
function M.path_of_link(link)
  local path <const> = type(link) == "string" and link:match "^https?://[^/]+(/mgmt/tm/[^?]*)"
  return path and unescape(path):gsub("/$", "") or nil
end

-- The path of an object: where its link says, below the name that it has itself (some links in
-- recordings name an older one). Nil if the recording does not tell.
local function path_of(object, collection)
  local path <const> = M.path_of_link(object.selfLink)
  local target <const> = path and uri.parse(path)
  if target and target.what == "singleton" then return path end
  local full <const> = object.fullPath or object.name
  collection = path and path:match "^(.*)/[^/]+$" or collection
  if full then return collection and collection .. "/" .. tostring(full):gsub("/", "~") or nil end
  return target and target.what == "resource" and path or nil
end

-- All objects in a body: it, its items, and the items of its sub-collections.
local function gather(body, row, collection, found)
  if type(body) ~= "table" then return end
  if
    type(body.kind) == "string" and body.kind:find "state$"
    and not body.kind:find "collectionstate$"
  then
    local path <const> = path_of(body, collection)
    found[#found + 1] =
      { kind = body.kind, body = body, file = row.file, version = row.version, path = path }
    for name, value in pairs(body) do
      if name:find "Reference$" and type(value) == "table" and type(value.items) == "table" then
        for _, item in ipairs(value.items) do
          gather(item, row, M.path_of_link(value.link), found)
        end
      end
    end
  elseif type(body.items) == "table" then
    for _, item in ipairs(body.items) do gather(item, row, M.path_of_link(body.selfLink), found) end
  end
end

-- Every recorded object: { kind =, body =, file =, version =, path = (may be nil) }, in a fixed
-- order. Nil if there are no recordings. `pattern`: only those of kinds like this.
function M.objects(pattern)
  local rows <const> = M.rows()
  if not rows then return nil end
  local found <const> = {}
  for _, row in ipairs(rows) do
    local ok <const>, body <const> = pcall(json.decode, M.read(row.file))
    if ok then gather(body, row, nil, found) end
  end
  if not pattern then return found end
  local few <const> = {}
  for _, object in ipairs(found) do
    if object.kind:find(pattern) then few[#few + 1] = object end
  end
  return few
end

--- Equal in value and in type. Lists have the same items; an object may have more than was given,
-- as a newer version does.
function M.same(given, answered)
  if type(given) ~= "table" or type(answered) ~= "table" then
    return given == answered and math.type(given) == math.type(answered)
  end
  for key, value in pairs(given) do
    if not M.same(value, answered[key]) then return false end
  end
  return #given == #answered
end

--- The paths of what an object of a kind refers to, as the facts about the kind say.
function M.referred(template, body)
  local list <const> = {}
  for _, relation in ipairs(relations.of(template)) do
    local group <const>, inner <const> = (relation.property or ""):match "^([^.]+)%.(.+)$"
    local value = body[relation.property]
    if group and type(body[group]) == "table" then value = body[group][inner] end
    if (relation.derived or relation.free) and not relation.to[1]:find "%*$" then
      for _, name in ipairs(type(value) == "table" and value or { value }) do
        if type(name) == "string" and name:find "^/" then
          list[#list + 1] = "/mgmt/tm/" .. relation.to[1] .. "/" .. name:gsub("/", "~")
        end
      end
    end
  end
  return list
end

return M
