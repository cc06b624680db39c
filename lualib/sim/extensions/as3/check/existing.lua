-- What AS3 looks up on the device before it touches a tenant: objects that a declaration names with
-- `bigip`, nodes and addresses that somebody else has made. Those of /Common are used instead of
-- own ones.
local catalogue = require "sim.config.catalogue"
local names = require "sim.config.names"
local tables = require "sim.tables"
local validate = require "sim.config.validate"

local M = {}
M.__index = M

local ROOT <const> = "/mgmt/tm/"

local function mistake(path, message, ...)
  return { path = path, message = message:format(...) }
end

--- A view of a device; each list is read once.
function M.new(device)
  return setmetatable({ store = device.store, device = device }, M)
end

-- -- objects named with `bigip` --

local function asm_policy(device, path)
  local policies = require("sim.asm.tree").top(device):child "policies"
  return policies:find("fullPath", path) ~= nil
end

-- Monitors have one name for all types.
local function of_any_type(store, template, path)
  local last = names.segment(path)
  for _, kind in ipairs(catalogue.children(template)) do
    if store:get(ROOT .. template .. "/" .. kind .. "/" .. last) then return true end
  end
  return false
end

-- Whether the device has an object. `query` is such as "query ltm pool", "probe ltm monitor icmp".
function M:has(query, path)
  local words = {}
  for word in query:gmatch "%S+" do words[#words + 1] = word end
  if words[2] == "asm" then return asm_policy(self.device, path) end
  local template = table.concat(words, "/", 2)
  if self.store:get(ROOT .. template .. "/" .. names.segment(path)) then return true end
  return words[1] == "probe" and of_any_type(self.store, template:gsub("/[^/]+$", ""), path)
end

--- Checks a value that may be { bigip = path }. Returns nil, or a mistake.
function M:component(entry)
  local value = entry.value
  local path = type(value) == "table" and value.bigip or nil
  if path == nil or type(entry.data) ~= "table" then return nil end
  path = tostring(path):gsub('"', "")
  for _, query in ipairs(entry.data) do
    if self:has(query, path) then return nil end
  end
  if entry.data[1] == "query asm policy" then
    return { message = ("Unable to find specified WAF policy %s for %s"):format(path, entry.path) }
  end
  return { message = ("Unable to find %s for %s"):format(path, entry.path) }
end

-- -- nodes --

local function nodes_by_key(store)
  local found = {}
  for _, node in ipairs(store:list "/mgmt/tm/ltm/node") do
    local fqdn = type(node.fqdn) == "table" and node.fqdn.tmName
    local is_domain = fqdn and fqdn ~= "" and fqdn ~= "none" and node.ephemeral ~= "true"
    local key = is_domain and node.name or node.address
    if key and not found[key] then found[key] = node end
  end
  return found
end

-- Whether AS3 has made a node or an address for several tenants.
local function is_counted(object)
  for _, entry in ipairs(object.metadata or {}) do
    if entry.name == "references" then return true end
  end
  return false
end

local function is_in_root(node) return node.fullPath:find "^/Common/[^/]+$" ~= nil end

-- A member that uses a node of the device.
local function replaced(member, node, text)
  local copy = tables.copy(member)
  for _, name in ipairs { "addressDiscovery", "serverAddresses", "servers", "hostname",
    "addressFamily", "autoPopulate", "queryInterval", "downInterval" } do
    copy[name] = nil
  end
  copy.bigip, copy.remark = node.fullPath, ("(replaces AS3 %s)"):format(text)
  return copy
end

local function addresses_of(member)
  local list = {}
  for _, text in ipairs(member.serverAddresses or {}) do list[#list + 1] = text end
  for _, server in ipairs(member.servers or {}) do list[#list + 1] = server.address end
  return list
end

-- The same address or name of a server twice.
local function repeated(entry, member, domain)
  local seen = {}
  if type(domain) ~= "number" then domain = 0 end
  for _, text in ipairs(addresses_of(member)) do
    local full = text:find("%", 1, true) and text
      or ("%s%%%d"):format(text, math.type(member.routeDomain) and member.routeDomain or domain)
    if seen[full] then
      return mistake(entry.path, "serverAddresses/servers array has duplicate address %s", full)
    end
    seen[full] = true
  end
  local known = {}
  for _, server in ipairs(member.servers or {}) do
    if known[server.name] then
      return mistake(entry.path, "servers array has duplicate name %s", server.name)
    end
    known[server.name] = true
  end
  return nil
end

-- What a node means for a member of a tenant: nil if AS3 makes or keeps the node itself, true if
-- the member uses it, or a mistake.
local function judged(node, tenant, member, at)
  if not node or node.partition == tenant then return nil end
  local text = at.text
  local is_marked = node.partition == "Common" and node.metadata and next(node.metadata)
  if is_marked and not member.shareNodes and not at.is_domain then
    return mistake(at.path, "The node /%s/%s conflicts with /Common/%s", tenant, text, text)
  end
  if node.partition == "Common" and is_in_root(node) and is_counted(node) then return nil end
  if at.is_domain and node.partition ~= "Common" then
    return mistake(at.path, "pool member %s fqdn hostname %s conflicts with bigip fqdn node %s",
      at.place, text, node.fullPath)
  end
  if node.ephemeral == "true" then
    return mistake(at.path, "pool member %s static address %s conflicts with an ephemeral address "
      .. "to which %s resolves for bigip FQDN node %s", at.place, text,
      node.fqdn and node.fqdn.tmName or "", node.fullPath)
  end
  if node.partition ~= "Common" then
    return mistake(at.path, "pool member %s static address %s conflicts with bigip node %s",
      at.place, text, node.fullPath)
  end
  return true
end

local function remove(list, value, name)
  for i, item in ipairs(list or {}) do
    if (name and item[name] or item) == value then return table.remove(list, i) end
  end
  return nil
end

-- One member. `extra` gets the members for addresses that exist.
function M:member(member, at, tenant, extra)
  self.nodes = self.nodes or nodes_by_key(self.store)
  if member.addressDiscovery == "fqdn" then
    at.text, at.is_domain = member.hostname, true
    local node = self.nodes[member.hostname]
    local result = judged(node, tenant, member, at)
    if result == true then return nil, replaced(member, node, member.hostname) end
    return result
  end
  local list = addresses_of(member)
  for _, text in ipairs(list) do
    local address = validate.short_address(text):gsub("%%0$", "")
    local node = self.nodes[address]
    at.text = address
    local result = judged(node, tenant, member, at)
    if type(result) == "table" then return result end
    if result and #list == 1 then return nil, replaced(member, node, address) end
    if result then
      extra[#extra + 1] = replaced(member, node, address)
      if not remove(member.serverAddresses, text) then remove(member.servers, text, "address") end
    end
  end
  return nil
end

--- Checks the members of a pool, and lets them use the nodes of /Common.
function M:members(entry, declaration)
  local list = entry.value
  if type(list) ~= "table" then return nil end
  local tenant = entry.path:match "^/([^/]+)"
  local domain = declaration[tenant] and declaration[tenant].defaultRouteDomain
  local extra = {}
  for i, member in ipairs(list) do
    local problem = repeated(entry, member, domain)
    if problem then return problem end
    local discovery = member.addressDiscovery
    if not member.bigip and (discovery == "static" or discovery == "fqdn") then
      local at = { path = entry.path, place = ("%s/%d"):format(entry.path, i - 1) }
      local other
      problem, other = self:member(member, at, tenant, extra)
      if problem then return problem end
      if other then list[i] = other end
    end
  end
  table.move(extra, 1, #extra, #list + 1, list)
  return nil
end

-- -- addresses --

local function common_addresses(store)
  local found = {}
  for _, address in ipairs(store:list "/mgmt/tm/ltm/virtual-address") do
    local is_own = address.fullPath:find("/Common/Shared/", 1, true) == 1
    if address.partition == "Common" and not is_own then
      found[#found + 1] = address
    end
  end
  return found
end

-- Whether AS3 has made an address for the services of one tenant only.
local function belongs_to(store, address, tenant)
  if not is_counted(address) then return false end
  for _, virtual in ipairs(store.virtuals_by_address[address.fullPath] or {}) do
    if not virtual:find("/~" .. tenant .. "~", 1, true) then return false end
  end
  return true
end

--- Lets a service use the addresses of /Common.
function M:addresses(entry)
  self.common = self.common or common_addresses(self.store)
  local tenant = entry.path:match "^/([^/]+)"
  local function used(text)
    if type(text) ~= "string" then return text end
    local bare = text:find(":", 1, true) and text or text:match "^[^/]*"
    for _, there in ipairs(self.common) do
      local is_any = bare:find("0.0.0.0", 1, true) and there.address:find "^any$"
        or bare:find "^::$" and there.address == "any6"
      if (there.address == bare or is_any) and not belongs_to(self.store, there, tenant) then
        return { bigip = there.fullPath, address = text }
      end
    end
    return text
  end
  for i, address in ipairs(type(entry.value) == "table" and entry.value or {}) do
    if type(address) == "string" then
      entry.value[i] = used(address)
    elseif address[1] then
      address[1] = used(address[1])
    end
  end
  return nil
end

return M
