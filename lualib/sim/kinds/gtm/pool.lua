-- Pools of DNS by the type of their records, and their members.
local errors = require "sim.http.errors"
local monitors = require "sim.kinds.common.monitors"
local names = require "sim.config.names"
local property = require "sim.kinds.common.property"
local validate = require "sim.config.validate"

local s <const>, i <const>, flag <const> = property.text, property.number, property.flag
local ENABLED_DISABLED <const> = property.ENABLED_DISABLED
local ROOT <const> = "/mgmt/tm/"

local function watched(store, object, properties)
  if properties.monitor then monitors.settle(store, object) end
end

local function pool_in_use(object, user)
  return user.template:find "^gtm/wideip/"
    and ("0107070b:7: Wideip pool (%s) is referenced by one or more wideips"):format(
      object.fullPath
    )
    or nil
end

-- Members of a pool are "/Common/server:/Common/virtual" for addresses and names of wide IPs for
-- the others.
local address_member <const> = {
  own_folder = true,
  identify = function(_, body)
    local name = body.name
    if type(name) ~= "string" or name == "" then validate.nothing_to_do() end
    local partition = body.partition and (names.partition(body.partition)) or "Common"
    local sub_path = body.subPath
    local server, virtual = name:match "^(.-):(.+)$"
    if not server and type(sub_path) == "string" and sub_path:find(":", 1, true) then
      -- The form that a GET returns: subPath is the server and the folder of the virtual server.
      server, virtual = sub_path:match "^(.-):(.*)$"
      virtual = virtual .. "/" .. name
      sub_path = nil
    end
    if not server then validate.invalid("name", name) end
    if server:sub(1, 1) == "/" then
      local p, _, last = names.split(server)
      partition, server = p, last
    elseif sub_path and sub_path ~= "" then
      server = sub_path:match "([^/:]+):?$" or server
    end
    local full = "/" .. partition .. "/" .. server .. ":" .. virtual
    local folder, last = virtual:match "^(.*)/([^/]+)$"
    if folder then
      return {
        name = last, partition = partition, subPath = server .. ":" .. folder, fullPath = full,
      }
    end
    return { name = server .. ":" .. virtual, partition = partition, fullPath = full }
  end,
  prepare = function(store, object, properties, old, ctx)
    watched(store, object, properties)
    if old or ctx.seed then return end
    local server, virtual = object.fullPath:match "^/[^/]+/(.-):(.+)$"
    local path = ROOT .. "gtm/server/~" .. object.partition .. "~" .. server
    if not store:get(path) then
      error(
        errors.tm(
          404,
          ("01020036:3: The requested Server (/%s/%s) was not found."):format(
            object.partition,
            server
          ),
          3
        ),
        0
      )
    end
    if not store:get(path .. "/virtual-servers/" .. names.segment(virtual)) then
      error(
        errors.tm(
          404,
          ("01020036:3: The requested virtual server (/%s/%s %s) was not found."):format(
            object.partition,
            server,
            virtual
          ),
          3
        ),
        0
      )
    end
  end,
}

-- The server of a member "/Common/server:/Common/virtual".
local function server_of(object)
  local server = object.fullPath:match "^(/[^/]+/.-):"
  return { server }
end

local name_member <const> = {
  identify = function(_, body)
    local name = body.name
    if type(name) ~= "string" or name == "" then validate.nothing_to_do() end
    name = name:match "[^/]+$"
    return { name = name, fullPath = name }
  end,
}

local kinds <const> = { ["gtm/pool"] = { facts = { type = "organizing" } } }

for _, record in ipairs { "a", "aaaa", "cname", "mx", "naptr", "srv" } do
  local of_addresses = record == "a" or record == "aaaa"
  kinds["gtm/pool/" .. record] = {
    facts = {
      noun = "Pool", pairs = ENABLED_DISABLED, open = true, subs = { membersReference = "members" },
      props = {
        enabled = flag(true), disabled = flag(), monitor = of_addresses and s "default" or nil,
        alternateMode = { d = "round-robin", keeps_none = true },
        fallbackMode = { keeps_none = true }, minMembersUpMode = s "off", minMembersUpValue = i(0),
        loadBalancingMode = { d = "round-robin" },
      },
    },
    relations = { monitors.GTM_RELATION },
    checks = { prepare = watched, in_use = pool_in_use },
  }
  kinds["gtm/pool/" .. record .. "/*/members"] = {
    facts = {
      type = "collection",
      noun = "Pool Member",
      pairs = ENABLED_DISABLED,
      open = true,
      free_names = true,
      flat = not of_addresses,
      kind = ("tm:gtm:pool:%s:members:members"):format(record),
      props = { enabled = flag(true), disabled = flag(), memberOrder = i(), ratio = i(1) },
    },
    relations = of_addresses and {
      monitors.GTM_RELATION, { to = { "gtm/server" }, names = server_of, free = true },
    } or nil,
    checks = of_addresses and address_member or name_member,
  }
end

return kinds
