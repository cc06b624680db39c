-- What AS3 makes of a tenant: the objects of the device, in the spelling of tmsh.
--
--   map("T", tenant, context) -> { { path = "/T/A/p", kind = "ltm pool", properties = { … } }, … }
local M = {}

local function refuse(path, format, ...)
  error({ path = path, message = format:format(...) }, 0)
end

local function member(item, address)
  return {
    ["connection-limit"] = item.connectionLimit or 0, ratio = item.ratio or 1,
    ["priority-group"] = item.priorityGroup or 0, monitor = "default", session = "user-enabled",
    state = "user-up", address = address,
  }
end

local function pool(objects, tenant, path, item)
  local members = {}
  for _, entry in ipairs(item.members or {}) do
    for _, address in ipairs(entry.serverAddresses or {}) do
      local node = ("/%s/%s"):format(tenant, address)
      objects[#objects + 1] = { path = node, kind = "ltm node", properties = { address = address } }
      members[("%s:%d"):format(node, entry.servicePort)] = member(entry, address)
    end
  end
  objects[#objects + 1] = {
    path = path, kind = "ltm pool",
    properties = {
      ["load-balancing-mode"] = item.loadBalancingMode or "round-robin", members = members,
      ["min-active-members"] = item.minimumMembersActive or 1,
      ["slow-ramp-time"] = item.slowRampTime or 10,
    },
  }
end

local function application(objects, tenant, path, app)
  objects[#objects + 1] = { path = path, kind = "sys folder", properties = {} }
  for name, item in pairs(app) do
    if type(item) == "table" and item.class then
      local where = path .. "/" .. name
      if item.class ~= "Pool" then refuse(where, "the class %s is not simulated", item.class) end
      pool(objects, tenant, where, item)
    end
  end
end

return setmetatable(M, {
  __call = function(_, name, tenant, _)
    local objects = {}
    if name ~= "Common" then
      objects[1] = {
        path = "/" .. name, kind = "auth partition",
        properties = { ["default-route-domain"] = tenant.defaultRouteDomain or 0 },
      }
    end
    for key, app in pairs(tenant) do
      if type(app) == "table" and app.class == "Application" then
        application(objects, name, ("/%s/%s"):format(name, key), app)
      end
    end
    return #objects > 1 and objects or {}
  end,
})
