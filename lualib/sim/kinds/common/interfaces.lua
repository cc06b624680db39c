-- VLANs and tunnels in the lists of others: route domains and spanning trees. A device takes one
-- out of these lists when it is deleted.
local json = require "f5.json"

local M = {}

local ROOT <const> = "/mgmt/tm/"
local LISTS <const> = { ROOT .. "net/route-domain", ROOT .. "net/stp" }

--- The relation of a kind with such a list, `vlans`.
M.RELATION = {
  property = "vlans", to = { "net/vlan", "net/tunnels/tunnel", "net/vlan-group" }, free = true,
}

--- Takes a deleted VLAN or tunnel out of the lists.
function M.leave(store, object)
  for _, collection in ipairs(LISTS) do
    for _, segment in ipairs(store:segments(collection)) do
      local path = collection .. "/" .. segment
      local owner, list = store:get(path), json.array {}
      for _, name in ipairs(owner.vlans or {}) do
        if name ~= object.fullPath then list[#list + 1] = name end
      end
      if owner.vlans and #list < #owner.vlans then
        local fresh = {}
        for key, value in pairs(owner) do fresh[key] = value end
        fresh.vlans = #list > 0 and list or nil
        store:put(path, fresh)
      end
    end
  end
end

return M
