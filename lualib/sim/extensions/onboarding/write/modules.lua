-- Writes the classes of modules: AVR, GSLB, the firewall and its statistics.
local calls = require "sim.extensions.onboarding.calls"
local json = require "f5.json"
local names = require "sim.extensions.onboarding.names"
local tables = require "sim.tables"

local M = {}

local FIREWALL <const>, GTM <const> = "/tm/security/firewall", "/tm/gtm"

local each <const> = calls.each

-- The firewall comes before addresses, which may name its policies.
M.firewall = {}

local function lists(kind)
  return function(device, all)
    each(all, function(_, one) calls.put(device, FIREWALL .. "/" .. kind, one, "Common") end)
  end
end

M.firewall[1] = { "FirewallAddressList", lists "address-list" }
M.firewall[2] = { "FirewallPortList", lists "port-list" }

-- Rules in their order, with all lists.
local function with_rules(object, has_vlans)
  local body = tables.copy(object)
  for i, rule in ipairs(body.rules or {}) do
    rule.placeAfter = i == 1 and "first" or body.rules[i - 1].name
    for _, name in ipairs { "addressLists", "portLists" } do
      rule.source[name] = rule.source[name] or json.array {}
      rule.destination[name] = rule.destination[name] or json.array {}
    end
    rule.source.vlans = has_vlans and (rule.source.vlans or json.array {}) or nil
  end
  return body
end

M.firewall[3] = { "FirewallPolicy", function(device, all)
  each(all, function(_, policy)
    calls.put(device, FIREWALL .. "/policy", with_rules(policy, true), "Common")
  end)
end }

M.firewall[4] = { "ManagementIpFirewall", function(device, firewall)
  calls.call(device, "PATCH", FIREWALL .. "/management-ip-rules", with_rules(firewall, false))
end }

-- -- GSLB --

M.rest = {}

M.rest[1] = { "Analytics", function(device, analytics)
  calls.call(device, "PUT", "/tm/analytics/global-settings", analytics)
end }

M.rest[2] = { "GSLBGlobals", function(device, globals)
  local general = globals.general
  if general then calls.modify(device, GTM .. "/global-settings/general", general) end
end }

M.rest[3] = { "GSLBMonitor", function(device, all)
  each(all, function(_, monitor)
    local body = tables.copy(monitor)
    body.monitorType, body.cert = nil, names.full(body.cert)
    calls.put(device, GTM .. "/monitor/" .. monitor.monitorType, body, "Common")
  end)
end }

-- A body with the property for the state that an object has.
local function stated(object)
  local body = tables.copy(object)
  if body.enabled == false then body.enabled, body.disabled = nil, true end
  return body
end

local function put_without_pool(device, kind, body)
  body.proberPool = nil
  if body.proberPreference == "pool" then body.proberPreference = nil end
  calls.put(device, GTM .. kind, body, "Common")
end

-- Data centers, servers and pools of probers may need each other: the pools are named at the end.
M.rest[4] = { "GSLBDataCenter", function(device, all)
  each(all, function(_, center) put_without_pool(device, "/datacenter", stated(center)) end)
end }

local function destination(one)
  return ("%s%s%s"):format(one.address, one.address:find(":", 1, true) and "." or ":", one.port)
end

local function server_body(server)
  local body = stated(server)
  body.datacenter = names.full(body.datacenter)
  body.monitor = table.concat(body.monitor or {}, " and ")
  for i, one in ipairs(body.devices or {}) do
    body.devices[i] = {
      name = tostring(i - 1), description = one.description,
      addresses = json.array { { name = one.name, translation = one.translation } },
    }
  end
  for i, one in ipairs(body.virtualServers or {}) do
    local copy = stated(one)
    copy.destination, copy.address, copy.port = destination(one), nil, nil
    copy.monitor = table.concat(one.monitor or {}, " and ")
    body.virtualServers[i] = copy
  end
  return body
end

M.rest[5] = { "GSLBServer", function(device, all)
  each(all, function(_, server) put_without_pool(device, "/server", server_body(server)) end)
end }

M.rest[6] = { "GSLBProberPool", function(device, all)
  each(all, function(_, pool)
    local body = stated(pool)
    for i, member in ipairs(body.members or {}) do
      local copy = stated(member)
      copy.name = names.full(copy.name)
      body.members[i] = copy
    end
    calls.put(device, GTM .. "/prober-pool", body, "Common")
  end)
end }

M.rest[7] = { "", function(device, _, update)
  for class, kind in pairs { GSLBDataCenter = "/datacenter", GSLBServer = "/server" } do
    each(update[class] or {}, function(name, object)
      calls.modify(device, calls.place(GTM .. kind, name, "Common"), {
        proberPool = names.full(object.proberPool), proberPreference = object.proberPreference,
      })
    end)
  end
end }

M.rest[8] = { "SecurityAnalytics", function(device, settings)
  calls.call(device, "PATCH", "/tm/security/analytics/settings", settings)
end }

--- Removes objects of GSLB: { class = names }.
function M.remove(device, remove, there)
  for class, kind in pairs { GSLBDataCenter = "/datacenter", GSLBServer = "/server" } do
    for _, name in ipairs(remove[class] or {}) do
      local object = there[class][name]
      if object.proberPool and object.proberPool ~= "none" then
        local preference = object.proberPreference == "pool" and "inside-datacenter" or nil
        calls.call(device, "PATCH", calls.place(GTM .. kind, name, "Common"), {
          proberPool = "none", proberPreference = preference,
        })
      end
    end
  end
  for _, entry in ipairs {
    { "GSLBProberPool", "/prober-pool" }, { "GSLBServer", "/server" },
    { "GSLBDataCenter", "/datacenter" },
  } do
    for _, name in ipairs(remove[entry[1]] or {}) do
      calls.call(device, "DELETE", calls.place(GTM .. entry[2], name, "Common"))
    end
  end
  for _, name in ipairs(remove.GSLBMonitor or {}) do
    local kind = there.GSLBMonitor[name].monitorType
    calls.call(device, "DELETE", calls.place(GTM .. "/monitor/" .. kind, name, "Common"))
  end
end

return M
