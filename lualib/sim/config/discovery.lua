-- Organizing collections: the names below a module. Modules that are not provisioned are left out.
local json = require "f5.json"
local catalogue = require "sim.config.catalogue"
local names = require "sim.config.names"

local M = {}

-- Parts of the tree that exist only if a module, or one of several, is provisioned.
local NEEDS <const> = {
  apm = { "apm", "swg", "urldb" },
  asm = { "asm" },
  gtm = { "gtm", "lc" },
  pem = { "pem" },
  access = { "apm", "swg", "urldb" },
  ["file/apm"] = { "apm", "swg", "urldb" },
  wam = { "am" },
  vcmp = { "vcmp" },
  ilx = { "ilx" },
  ["api-protection"] = { "apm" },
  apiprotection = { "apm" },
  security = { "afm", "asm", "fps", "dos" },
  ["security/firewall"] = { "afm" },
  ["security/nat"] = { "afm" },
  ["security/anti-fraud"] = { "fps" },
}

-- Modules that /mgmt/tm lists, but other handlers serve.
local MODULES <const> = {
  "access",
  "analytics",
  "api-protection",
  "apm",
  "asm",
  "auth",
  "cli",
  "cloud",
  "cm",
  "gtm",
  "ilx",
  "live-update",
  "ltm",
  "net",
  "pem",
  "security",
  "services",
  "shared",
  "sys",
  "task",
  "transaction",
  "util",
  "vcmp",
  "wam",
  "wom",
}

-- Whether this device has the kind of a template.
function M.present(device, template)
  local first, second = template:match "^([^/]+)/?([^/]*)"
  for _, part in ipairs { first, first .. "/" .. second } do
    local needed = NEEDS[part]
    if needed then
      local found = false
      for _, module in ipairs(needed) do found = found or device:is_provisioned(module) end
      if not found then return false end
    end
  end
  return true
end

-- Whether an organizing collection lists a path. What can only be shown (statistics) is not listed,
-- except by collections of statistics.
local function is_listed(device, path, among_statistics)
  local node = catalogue.find(path)
  if not M.present(device, path) then return false end
  if node.type == "show" and among_statistics then return not node.hidden end
  if node.hidden or node.type == "show" and not node.listed then return false end
  if node.type ~= "organizing" then return true end
  for _, name in ipairs(catalogue.children(path)) do
    if is_listed(device, path .. "/" .. name) then return true end
  end
  return false
end

-- All modules, also those that only a snapshot has.
local function modules_of(device)
  local learned = {}
  for template in pairs(device.state.learned or {}) do
    if not template:find "/" then learned[#learned + 1] = template end
  end
  table.sort(learned)
  return table.move(MODULES, 1, #MODULES, #learned + 1, learned)
end

-- The paths that an organizing collection lists: first what leads further down, then what has
-- objects.
function M.children(device, template)
  local modules, components = {}, {}
  local children = template == "" and modules_of(device) or catalogue.children(template)
  local above = template ~= "" and catalogue.find(template)
  local among_statistics = above and above.ending == "collectionstats"
  for _, name in ipairs(children) do
    local path = template == "" and name or template .. "/" .. name
    if template == "" then
      if M.present(device, path) then modules[#modules + 1] = path end
    elseif is_listed(device, path, among_statistics) then
      local list = catalogue.find(path).type == "organizing" and modules or components
      list[#list + 1] = path
    end
  end
  return table.move(components, 1, #components, #modules + 1, modules)
end

-- The body of an organizing collection: the names below it as links.
function M.body(target, paths, version, query)
  local items = {}
  for i, path in ipairs(paths) do
    items[i] = { reference = { link = names.link("/mgmt/tm/" .. path, "ver=" .. version) } }
  end
  return {
    kind = target.node.kind .. (target.node.ending or "collectionstate"),
    selfLink = names.link(target.shown, query),
    items = #items > 0 and json.array(items) or nil,
  }
end

return M
