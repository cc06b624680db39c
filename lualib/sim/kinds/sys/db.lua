-- Database variables.
local property = require "sim.kinds.common.property"
local text = require "sim.text"
local validate = require "sim.config.validate"

local s <const> = property.text

-- Whether a value is in a range as variables have it: "integer min:0 max:9", or a list of words.
local function in_range(value, range)
  if range == nil or range == "" then return true end
  local kind, from, to = range:match "^(%a*)%s*min:(%-?%d+)%s+max:(%-?%d+)"
  if from and kind ~= "string" then
    local number = math.tointeger(tonumber(value))
    return number ~= nil and number >= tonumber(from) and number <= tonumber(to)
  end
  if range:find "address$" then return value == "" or (validate.is_address(value)) end
  if range:find "min:" or range:find "max:" or range:find "[^%w%s_.-]" then return true end
  for word in range:gmatch "%S+" do
    if word == value then return true end
  end
  return not range:find "%s"
end

local variable <const> = {
  prepare = function(_, object, properties)
    if properties.value == nil then return end
    if properties.value == validate.NONE then object.value = "" end
    if not in_range(object.value, object.valueRange) then
      validate.refuse_mcpd(
        (
          "01070911:3: The requested value (%s) for the DB variable (%s) is not in the "
            .. "range (%s)."
        ):format(
          tostring(object.value),
          object.name,
          object.valueRange
        )
      )
    end
  end,
}

-- Variables that another object decides until they are set: path below /mgmt/tm and property.
local ELSEWHERE <const> = {
  ["dns.nameservers"] = { "sys/dns", "nameServers" },
  ["hostname"] = { "sys/global-settings", "hostname" },
  ["ntp.servers"] = { "sys/ntp", "servers" },
  ["ntp.timezone"] = { "sys/ntp", "timezone" },
}

local VERSION <const> = {
  basebuild = function(version) return version.build end,
  build = function(version) return version.build end,
  built = function(version) return text.stamp(version.date) end,
  changelist = function(version) return version.changelist end,
  date = function(version) return version.date end,
  edition = function(version) return version.edition end,
  jobid = function(version) return version.job end,
  product = function(version) return version.product end,
  sequence = function(version) return version.version .. "-" .. version.build .. ".0" end,
  version = function(version) return version.version end,
}

local function show_variable(store, _, object, shown)
  if object.value == "" then shown.value = "" end
  if object.value ~= object.defaultValue then return end
  local part = VERSION[object.name:match "^version%.(%a+)$"]
  local source = ELSEWHERE[object.name]
  local value
  if part then
    value = part(store.device.version)
  elseif source then
    value = (store:get("/mgmt/tm/" .. source[1]) or {})[source[2]]
  end
  if type(value) == "table" then value = table.concat(value, " ") end
  if value and value ~= "" and value ~= validate.NONE then shown.value = value end
end

-- What a device that runs has set itself: two devices of 13.0 and 16.0 agree about it. A device
-- without a licence would not answer.
local RUNNING <const> = {
  ["failover.linksup"] = "true", ["failover.state"] = "active", ["license.maxcores"] = "8",
  ["license.operational"] = "true", ["mcpd.baseconfigloaded"] = "true",
  ["platform.cpu.fanspeed.threshold"] = "3000", ["platform.cpu.temperature.threshold"] = "75",
  ["platform.diskmonitor.freelast.dev_shm"] = "99",
  ["platform.diskmonitor.freelast.shared_rrd.1.2"] = "100",
  ["platform.diskmonitor.freelast.var_loipc"] = "100",
  ["platform.diskmonitor.freelast.var_prompt"] = "99",
  ["platform.diskmonitor.freelast.var_tmstat"] = "99",
  ["platform.diskmonitor.monitor.usr"] = "growth", ["provision.cpu.host"] = "10",
  ["provision.cpu.ltm"] = "1", ["provision.initialized"] = "true",
  ["provisioned.cpu.host"] = "10", ["provisioned.cpu.ltm"] = "1", ["service.httpd.allow"] = "All",
  ["setup.run"] = "false",
  ["vendor.knowledgebase.a"] = "Ask F5 Web Site",
  ["vendor.knowledgebase.a.href"] = "http://tech.f5.com/",
  ["vendor.licservguiuri"] = "/F5/index.jsp", ["vendor.licservhost"] = "activate.F5.com",
  ["vendor.licservprotocol"] = "https", ["vendor.licservuri"] = "/F5/services/a",
  ["vendor.supportemail"] = "support@f5.com", ["vendor.vendorcommonname"] = "F5 Networks",
  ["vendor.vendorfullname"] = "F5 Networks, Inc.", ["vendor.wwwurl"] = "http://www.f5.com",
  ["vlan.macassignment"] = "vmw-compat",
}

local function variables()
  local list = {}
  for n, entry in ipairs(require "sim.catalogue.tables.variables") do
    list[n] = {
      name = entry[1], value = RUNNING[entry[1]] or entry[2], defaultValue = entry[2],
      valueRange = entry[3], scfConfig = entry[4] == false and "false" or "true",
    }
  end
  return list
end

return {
  ["sys/db"] = {
    facts = {
      exact = true,
      noun = "DB variable",
      flat = true,
      no_create = true,
      no_delete = true,
      known = true,
      props = {
        value = s(nil, { keeps_none = true }), defaultValue = { t = "s", r = true },
        scfConfig = { t = "s", r = true }, valueRange = { t = "s", r = true },
      },
    },
    checks = variable,
    show = show_variable,
    factory = { objects = variables },
  },
}
