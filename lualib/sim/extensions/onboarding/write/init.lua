-- Writes a difference to the device, in the order of DO: the system, users, modules, the network,
-- clusters, then what goes, then modules that are not wanted any more.
local calls = require "sim.extensions.onboarding.calls"
local classes = require "sim.extensions.onboarding.classes"
local cluster = require "sim.extensions.onboarding.write.cluster"
local modules = require "sim.extensions.onboarding.write.modules"
local network = require "sim.extensions.onboarding.write.network"
local order = require "sim.extensions.order"
local system = require "sim.extensions.onboarding.write.system"
local users = require "sim.extensions.onboarding.write.users"

local M = {}

-- Classes whose objects are deleted, in this order.
local DELETED <const> = {
  "DNS_Resolver", "Route", "SelfIp", "FirewallPolicy", "FirewallAddressList", "FirewallPortList",
  "NetAddressList", "NetPortList", "VLAN", "Trunk", "RoutingBGP", "RouteMap",
  "RoutingPrefixList", "RouteDomain", "RemoteAuthRole", "ManagementRoute", "Tunnel",
  "RoutingAccessList", "RoutingAsPath", "SnmpTrapDestination", "SnmpCommunity", "SnmpUser",
}
-- Kinds without partitions.
local FLAT <const> = {
  Trunk = true, RemoteAuthRole = true, SnmpTrapDestination = true, SnmpCommunity = true,
  SnmpUser = true,
}

-- Modules that are wanted come first, so that what needs them can be written; `last`: those that
-- are not wanted any more.
local function provision(device, wanted, last)
  for _, module in ipairs(order.keys(wanted)) do
    local level = wanted[module]
    local is_there = device.state.provision[module] ~= nil or level ~= "none"
    if (level == "none") == last and is_there then
      calls.modify(device, "/tm/sys/provision/" .. module, { level = level })
    end
  end
end

local function remove_one(device, class, name, there)
  local path = classes.of(class)[1].path
  local partition = not FLAT[class] and "Common" or nil
  local object = there[class][name]
  if class == "Route" and object.localOnly then partition = "LOCAL_ONLY" end
  local place = calls.place(path, name, partition)
  if FLAT[class] and not calls.get(device, place) then
    place = calls.place(path, name, "Common") -- SNMP: names have a partition, but no folder
  end
  if not calls.get(device, place) then return end -- it made room for another one
  calls.call(device, "DELETE", place)
  if class == "Tunnel" and object.profile == "vxlan" then
    calls.call(device, "DELETE", calls.place("/tm/net/tunnels/vxlan", name .. "_vxlan", "Common"))
  end
end

local function run(device, list, found, there, job)
  for _, entry in ipairs(list) do
    local class, write = entry[1], entry[2]
    job.class = class
    if class == "" then
      write(device, nil, found.update, there, job)
    elseif found.update[class] then
      write(device, found.update[class], found.update, there, job)
    end
  end
end

--- Writes a difference. Raises the refusal of the device.
-- @param found what difference.find returned
-- @param there the configuration of the device
-- @param job table: warnings, files = those that are uploaded; `reboot` is set if it needs one
function M.run(device, found, there, job)
  calls.modify(device, "/tm/sys/global-settings", { guiSetup = "disabled" })
  run(device, system, found, there, job)
  users.write_files(device, job.files)
  run(device, users, found, there, job)
  local levels = found.update.Provision
  if levels then provision(device, levels, false) end
  run(device, network.first, found, there, job)
  run(device, modules.firewall, found, there, job)
  run(device, network.rest, found, there, job)
  run(device, cluster, found, there, job)
  run(device, modules.rest, found, there, job)
  modules.remove(device, found.remove, there)
  for _, class in ipairs(DELETED) do
    for _, name in ipairs(found.remove[class] or {}) do remove_one(device, class, name, there) end
  end
  if levels then provision(device, levels, true) end
end

return M
