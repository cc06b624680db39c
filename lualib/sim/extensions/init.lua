-- Extensions of iControl LX: packages that add endpoints below /mgmt/shared. `f5lua sim
-- --extensions as3=3.50.2` installs them, or a POST to shared/iapp/package-management-tasks.
--
-- An extension is there if its package is: state.packages is the only truth. An extension that is
-- not there answers as an URI that nobody has registered. When a package comes or goes, restnoded
-- restarts, and all extensions are away for a while.
--
-- state.extensions = { away_until = microseconds, as3 = { … } }
local errors = require "sim.http.errors"
local json = require "f5.json"
local login = require "sim.auth.login"
local order = require "sim.extensions.order"
local requests = require "sim.http.request"

local M = {}

local AWAY_SECONDS <const> = 10

-- Name in options -> package, prefix of the URIs, module, the version that is installed by default.
local KNOWN <const> = {
  as3 = {
    package = "f5-appsvcs", uri = "/mgmt/shared/appsvcs", module = "sim.extensions.as3",
    version = "3.56.0", release = "10",
  },
  ["do"] = {
    package = "f5-declarative-onboarding", uri = "/mgmt/shared/declarative-onboarding",
    module = "sim.extensions.onboarding", version = "1.45.0", release = "6",
  },
  fast = {
    package = "f5-appsvcs-templates", uri = "/mgmt/shared/fast",
    module = "sim.extensions.templates", version = "1.25.0", release = "1",
  },
  ts = {
    package = "f5-telemetry", uri = "/mgmt/shared/telemetry", module = "sim.extensions.telemetry",
    version = "1.39.0", release = "1",
  },
}

-- Releases of versions that options name without one.
local RELEASES <const> = { ["f5-appsvcs 3.50.2"] = "3" }

-- The module of an extension, ready for a device. Most devices have no extensions, and start faster
-- without their modules.
local function module_of(device, known)
  local module = require(known.module)
  if not device.ready_extensions[known] then
    device.ready_extensions[known] = true
    module.install(device)
  end
  return module
end

-- The installed version and release of an extension; nil if it is not there.
local function installed(device, known)
  for name, there in pairs(device.state.packages) do
    local short, version, release = name:match "^(.+)%-([^-]+)%-([^-]+)%.[^.]+$"
    if there and short == known.package then return version, release end
  end
  return nil
end

--- The version and the release of an extension on a device; nil if it is not installed.
function M.version(device, name) return installed(device, KNOWN[name]) end

--- The module of an extension, ready for a device, whether it is installed there or not.
function M.module(device, name) return module_of(device, KNOWN[name]) end

--- The error of options of extensions; nil if there is none.
-- @param wanted table: name -> version, or true for the default
function M.wrong(wanted)
  for name, version in pairs(wanted) do
    if not KNOWN[name] then
      return ("there is no extension '%s'; extensions are %s"):format(tostring(name),
        table.concat(order.keys(KNOWN), ", "))
    end
    if version ~= true and not tostring(version):find "^%d+%.%d+%.%d+$" then
      return ("invalid version '%s' of %s; expected a version such as %s"):format(
        tostring(version), name, KNOWN[name].version
      )
    end
  end
  return nil
end

-- Installs what the options of the device name.
local function install_wanted(device)
  local wanted = device.options.extensions
  if not wanted then return end
  local wrong = M.wrong(wanted)
  if wrong then error("extensions: " .. wrong, 0) end
  for name, version in pairs(wanted) do
    local known = KNOWN[name]
    version = version == true and known.version or version
    local release = version == known.version and known.release
      or RELEASES[known.package .. " " .. version] or "1"
    device.state.packages[("%s-%s-%s.noarch"):format(known.package, version, release)] = true
  end
end

local function is_away(device)
  local until_then = device.state.extensions.away_until
  return until_then ~= nil and device:now() < until_then
end

local function handler(known)
  return function(device, request)
    if is_away(device) then return errors.not_registered(request) end
    if not installed(device, known) then return device:pass(request) end
    if request.user.access["all-partitions"] ~= "admin" then return login.not_permitted(request) end
    return module_of(device, known).handle(device, request)
  end
end

--- A call of one extension by another one, as an administrator on the device itself.
-- @param target the path behind that of the extension, maybe with a query
-- @param body table; nil: none
-- @return the response: status, body
function M.call(device, name, method, target, body)
  local known = KNOWN[name]
  local request = requests.complete {
    method = method, target = known.uri .. "/" .. target, remote = "127.0.0.1", json = body,
    body = body and json.encode(body, { sort = true }) or "",
    headers = { ["content-type"] = "application/json" },
  }
  if is_away(device) or not installed(device, known) then return errors.not_registered(request) end
  local ok, response = pcall(module_of(device, known).handle, device, request)
  if ok or type(response) == "table" and response.status then return response end
  return error(response, 0)
end

--- What follows when a package was installed or removed: restnoded restarts.
function M.restnoded_restarts(device)
  local state = device.state.extensions
  if not state then return end
  state.away_until = device:now() + AWAY_SECONDS * 1000000
  M.restarted(device)
end

-- Calls run(module) for each extension that is installed, or was and left a state.
local function each_present(device, run)
  for name, known in pairs(KNOWN) do
    if device.state.extensions[name] or installed(device, known) then
      run(module_of(device, known))
    end
  end
end

--- What extensions lose when the device or its daemons restart.
function M.restarted(device)
  if not device.state.extensions then return end
  each_present(device, function(module) module.restarted(device) end)
end

--- To be called when the state of the device was replaced.
function M.restored(device)
  if device.twin then return end
  device.state.extensions = device.state.extensions or {}
  device.ready_extensions = {}
  each_present(device, function() end)
end

function M.install(device)
  if device.twin then return end -- a twin has the extensions of its device
  device.state.extensions, device.ready_extensions = device.state.extensions or {}, {}
  install_wanted(device)
  for _, known in pairs(KNOWN) do device:route(known.uri, handler(known)) end
  M.restored(device)
end

return M
