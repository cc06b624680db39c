-- /example: a sample of a resource, with every property, its default, its choices and its meaning.
local json = require "f5.json"
local errors = require "sim.http.errors"
local names = require "sim.config.names"

local M = {}

local EMPTY <const> = { s = "", i = 0, n = 0, m = "", b = false }

-- "slowRampTime" -> "slow ramp time"
local function words(name)
  local text = name:gsub("(%l)(%u)", "%1 %2"):gsub("(%a)(%d)", "%1 %2")
  return text:lower()
end

local TYPE_WORDS <const> = {
  s = "text",
  i = "a whole number",
  n = "a number",
  m = "a number or a word",
  b = "a flag",
  a = "a list",
  o = "a group of properties",
}

local function list_of(spec)
  local choices = {}
  for choice in pairs(spec.choices) do choices[#choices + 1] = choice end
  table.sort(choices)
  return choices
end

local function describe(name, spec, thing, reference)
  local parts = { ("The %s of the %s: "):format(words(name), thing) }
  if reference then
    parts[#parts + 1] = ("the full path of an object of %s"):format(reference)
  elseif spec.choices then
    parts[#parts + 1] = "one of " .. table.concat(list_of(spec), ", ")
  else
    parts[#parts + 1] = TYPE_WORDS[spec.t] or "text"
  end
  if spec.d ~= nil and type(spec.d) ~= "table" then
    parts[#parts + 1] = (". The default is %s"):format(tostring(spec.d))
  end
  if spec.r then parts[#parts + 1] = ". Read-only" end
  return table.concat(parts) .. "."
end

function M.get(device, request, target)
  local node = target.node
  if target.what ~= "collection" and target.what ~= "singleton" and target.what ~= "resource" then
    error(errors.not_public(request), 0)
  end
  local version = names.version(device, request)
  local thing = node.noun or node.name:gsub("%-", " ")
  local item, descriptions = {}, {}
  for name, spec in pairs(node.props) do
    if spec.d ~= nil then
      item[name] = spec.d
    elseif spec.t == "a" then
      item[name] = json.array {}
    elseif spec.t == "o" then
      item[name] = {}
    else
      item[name] = EMPTY[spec.t]
    end
    if spec.choices then item[name .. "Enums"] = json.array(list_of(spec)) end
    descriptions[name] = describe(name, spec, thing, node.refs and node.refs[name .. "Reference"])
  end
  local keys = {}
  if target.what ~= "singleton" then
    item.name = ""
    descriptions.name = ("The name of the %s."):format(thing)
    keys = { "name" }
    if not node.flat or node.template == "sys/folder" then
      item.partition, item.subPath = "Common", ""
      descriptions.partition = ("The administrative partition in which the %s is."):format(thing)
      descriptions.subPath = ("The folder below the partition in which the %s is."):format(thing)
      keys = { "name", "partition", "subPath" }
    end
  end
  for reference, sub in pairs(node.subs or {}) do
    item[reference] = {
      link = names.link(target.path .. "/" .. sub .. "/example", "ver=" .. version),
      isSubcollection = true,
    }
    descriptions[reference] = ("The %s that belong to the %s."):format(
      words(sub:gsub("%-", " ")),
      thing
    )
  end
  item.kind = node.kind .. "state"
  item.propertyDescriptions = descriptions
  item.naturalKeyPropertyNames = json.array(keys)
  local body = {
    kind = node.kind .. (target.what == "singleton" and "state" or "collectionstate"),
    selfLink = names.link(target.shown .. "/example", names.query(request, version)),
    items = json.array { item },
  }
  return { status = 200, body = body }
end

return M
