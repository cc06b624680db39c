-- The licence: sys/license and tm/shared/licensing.
--
-- state.license = { key =, addons = list, text =, since = micros }; key = false: there is none.
local json = require "f5.json"
local clock = require "sim.clock"
local errors = require "sim.http.errors"

local M = {}

local REGISTRATION <const> = "/mgmt/tm/shared/licensing/registration"
local SECOND <const> = 1000000
local DAYS <const> = 365
local MODULES <const> = { "ASM, VE", "SSL, VE", "DNS VE Lab", "APM, Lab, VE", "AFM, VE",
  "Routing Bundle, VE" }
local FACTORY_KEY <const> = "AAAAA-BBBBB-CCCCC-DDDDD-EEEEEEE"
-- When the licence of a new device was made: 2026-01-01.
local FACTORY_TIME <const> = 1767225600 * SECOND

function M.license(device)
  local state = device.state
  state.license = state.license or { key = FACTORY_KEY, since = FACTORY_TIME }
  return state.license
end

local function day(micros) return os.date("!%Y/%m/%d", micros // SECOND) end

--- What sys/license shows: the fields, and the module with its key; nil without a licence.
function M.shown(device)
  local license = M.license(device)
  if not license.key then return nil end
  local modules = {}
  for i, name in ipairs(MODULES) do modules[i] = ('"%s"'):format(name) end
  return {
    licensedOnDate = day(license.since), licensedVersion = device.version.version,
    platformId = device.version.platform, registrationKey = license.key,
    serviceCheckDate = day(license.since),
  }, ("{ %s }"):format(table.concat(modules, " "))
end

local function install(device, key, addons, text)
  device.state.license = {
    key = key, addons = addons and json.array(addons) or nil, text = text,
    since = device:now() // SECOND * SECOND,
  }
end

local function is_key(text)
  return type(text) == "string" and text:find "^%u%u%u%u%u%-[%u%d-]+$" ~= nil
end

local function refuse(message)
  error(errors.tm(400, message, 1), 0)
end

--- `install sys license registration-key K add-on-keys { … }`.
function M.install_command(device, _, _, body)
  local key = body.registrationKey or body["registration-key"]
  local addons = body.addOnKeys or body["add-on-keys"] or body.addOnKey
  if type(addons) == "string" then addons = { addons } end
  if key == nil and addons == nil then refuse "one or more properties must be specified" end
  if key ~= nil and not is_key(key) then
    refuse(('invalid property value "registration-key":"%s"'):format(tostring(key)))
  end
  for _, addon in ipairs(type(addons) == "table" and addons or {}) do
    if type(addon) ~= "string" then refuse 'invalid property value "add-on-keys"' end
  end
  install(
    device, key or M.license(device).key, type(addons) == "table" and addons or nil,
    M.license(device).text
  )
  return { commandResult = "New license installed\n" }
end

local function registration(device, request)
  local license = M.license(device)
  if not license.key then
    return errors.rest(request, 404, "License file not found")
  end
  local version = device.version
  local ends = license.since + DAYS * 86400 * SECOND
  local left = (ends - device:now()) // SECOND
  local features = json.array {}
  for i, name in ipairs(MODULES) do features[i] = name end
  return {
    status = 200,
    body = {
      vendor = "F5 Networks, Inc.",
      licensedDateTime = clock.iso(license.since), licensedVersion = version.version,
      licenseStartDateTime = clock.iso(license.since - 86400 * SECOND),
      licenseEndDateTime = clock.iso(ends),
      serviceCheckDateTime = clock.iso(license.since),
      registrationKey = license.key, addOnKeys = license.addons,
      usage = "Evaluation", platformId = version.platform, authVers = "5b",
      machineId = device.machine_id,
      exclusivePlatform = json.array { version.platform },
      activeModules = json.array { "BIG-IP, VE, LAB|AAAAAAA-AAAAAAA|"
        .. table.concat(MODULES, "|") },
      optionalModules = json.array { "APM, Base, VE", "App Mode (TMSH Only, No Root/Bash)" },
      featureFlags = json.array {
        { featureName = "perf_VE_throughput_Mbps", featureValue = "10" },
      },
      expiresInDays = ("%.1f"):format(math.max(left, 0) / 86400),
      expiresInDaysMessage = left > 0
          and ("License expires in %d days, %d hours."):format(left // 86400, left % 86400 // 3600)
        or "License expired.",
      generation = 0, lastUpdateMicros = device:now(),
      kind = "tm:shared:licensing:registration:registrationlicenseresponse",
      selfLink = "https://localhost" .. REGISTRATION,
    },
  }
end

-- PUT { licenseText = the text of a licence file }
local function replace(device, request)
  local text = type(request.json) == "table" and request.json.licenseText
  local key = type(text) == "string" and text:match "[Rr]egistration [Kk]ey%s*:%s*(%S+)"
  if not is_key(key) then
    return errors.rest(request, 400, "licenseText has no registration key")
  end
  install(device, key, nil, text)
  return registration(device, request)
end

local function handle(device, request)
  local method = request.method
  if method == "GET" or method == "HEAD" then return registration(device, request) end
  if request.user.access["all-partitions"] ~= "admin" then
    return require("sim.auth.login").not_permitted(request)
  end
  if method == "PUT" then return replace(device, request) end
  if method == "DELETE" then
    device.state.license = { key = false, since = device:now() }
    return { status = 200, body = {} }
  end
  return errors.rest(request, 405, "Method not allowed: " .. method)
end

local function activation(device, request)
  if request.method ~= "GET" and request.method ~= "HEAD" then
    return errors.rest(request, 405, "Method not allowed: " .. request.method)
  end
  return {
    status = 200,
    body = {
      status = M.license(device).key and "LICENSING_COMPLETE" or "LICENSING_NO_DATA",
      generation = 0, lastUpdateMicros = 0,
      kind = "tm:shared:licensing:activation:activatelicenseresponse",
      selfLink = "https://localhost" .. request.path,
    },
  }
end

function M.install(device)
  device:route(REGISTRATION, handle)
  device:route("/mgmt/tm/shared/licensing/activation", activation)
end

return M
