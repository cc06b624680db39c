-- DNS (the gtm module): wide IPs, pools by record type, servers.
local errors = require "sim.http.errors"
local monitors = require "sim.monitors"
local names = require "sim.config.names"
local validate = require "sim.config.validate"

local ROOT <const> = "/mgmt/tm/"

local wide_ip <const> = {
  prepare = function(_, object, _, old)
    if not old and not object.name:find "%." then
      validate.refuse_mcpd(
        ("01020056:3: Error in wide IP name (%s): a domain name is expected."):format(object.name)
      )
    end
  end,
}

local function watched(store, object, properties)
  if properties.monitor then monitors.settle(store, object) end
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
      -- As it is read back: the server and the folder of its virtual server are the sub-path.
      server, virtual = sub_path:match "^(.-):(.*)$"
      virtual = virtual .. "/" .. name
      sub_path = nil
    end
    if not server then validate.invalid("name", name) end
    if server:sub(1, 1) == "/" then
      local p <const>, _, last <const> = names.split(server)
      partition, server = p, last
    elseif sub_path and sub_path ~= "" then
      server = sub_path:match "([^/:]+):?$" or server
    end
    local full <const> = "/" .. partition .. "/" .. server .. ":" .. virtual
    local folder <const>, last <const> = virtual:match "^(.*)/([^/]+)$"
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
    local server <const>, virtual <const> = object.fullPath:match "^/[^/]+/(.-):(.+)$"
    local path <const> = ROOT .. "gtm/server/~" .. object.partition .. "~" .. server
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

local name_member <const> = {
  identify = function(_, body)
    local name = body.name
    if type(name) ~= "string" or name == "" then validate.nothing_to_do() end
    name = name:match "[^/]+$"
    return { name = name, fullPath = name }
  end,
}

local server <const> = {
  prepare = function(store, object, properties)
    watched(store, object, properties)
    if object.datacenter then object.datacenter = names.absolute(object.datacenter) end
  end,
}

return {
  ["^gtm/wideip/%w+$"] = wide_ip,
  ["^gtm/pool/%w+$"] = { prepare = watched },
  ["gtm/server/*/virtual-servers"] = { prepare = watched },
  ["gtm/pool/a/*/members"] = address_member,
  ["gtm/pool/aaaa/*/members"] = address_member,
  ["gtm/pool/cname/*/members"] = name_member,
  ["gtm/pool/mx/*/members"] = name_member,
  ["gtm/pool/naptr/*/members"] = name_member,
  ["gtm/pool/srv/*/members"] = name_member,
  ["gtm/server"] = server,
}
