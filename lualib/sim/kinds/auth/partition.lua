-- Partitions. A partition is a folder below "/", too: see sim/kinds/sys/folder.lua.
local errors = require "sim.http.errors"
local folders = require "sim.kinds.common.folders"
local property = require "sim.kinds.common.property"
local validate = require "sim.config.validate"

local s <const>, i <const> = property.text, property.number
local FOLDERS <const> = folders.FOLDERS

local partition <const> = {
  prepare = function(store, object, properties, old)
    if not old and store:get(FOLDERS .. "~" .. object.name) then
      error(
        errors.tm(
          409,
          ("01020066:3: The requested folder (/%s) already exists in partition %s."):format(
            object.name,
            object.name
          ),
          3
        ),
        0
      )
    end
    if properties.defaultRouteDomain and properties.defaultRouteDomain ~= 0 then
      if math.type(properties.defaultRouteDomain) ~= "integer" then
        validate.invalid("defaultRouteDomain", properties.defaultRouteDomain)
      end
      local found = false
      for _, domain in ipairs(store:list "/mgmt/tm/net/route-domain") do
        found = found or domain.id == properties.defaultRouteDomain
      end
      if not found then
        error(
          errors.tm(
            404,
            ("01020036:3: The requested route domain (%d) was not found."):format(
              properties.defaultRouteDomain
            ),
            3
          ),
          0
        )
      end
    end
    if object.name:find "/" then validate.invalid("name", object.name) end
  end,
  made = function(store, _, object, ctx)
    if not store:get(FOLDERS .. "~" .. object.name) then
      store:create("/mgmt/tm/sys/folder", { name = "/" .. object.name }, ctx)
    end
  end,
  removing = function(store, _, object)
    if object.name == "Common" then
      validate.refuse_mcpd(
        "01070829:3: The partition (Common) is a system partition and may not be deleted."
      )
    end
    folders.check_empty(store, "/" .. object.name)
  end,
  removed = function(store, _, object)
    store:put(FOLDERS .. "~" .. object.name, nil)
  end,
}

return {
  ["auth/partition"] = {
    facts = { exact = true,
      noun = "partition", flat = true, known = true,
      props = { defaultRouteDomain = i(0), description = s() },
    },
    checks = partition,
    factory = {
      objects = {
        { name = "Common", description = "Repository for system objects and shared objects." },
      },
    },
  },
}
