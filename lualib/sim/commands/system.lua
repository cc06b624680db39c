-- Commands for the device: reboot, services, failover, bash and other utilities, synchronisation,
-- scripts.
local json = require "f5.json"
local cluster_failover = require "sim.cluster.failover"
local commands = require "sim.commands"
local licensing = require "sim.status.licensing"
local daemons = require "sim.status.daemons"
local errors = require "sim.http.errors"
local icall = require "sim.icall"
local restart = require "sim.http.restart"
local shell = require("sim.lazy") "sim.shell"
local software = require "sim.commands.software"
local sync = require "sim.cluster.sync"
local trust = require "sim.cluster.trust"

local M = {}

local REBOOT_SECONDS <const> = 120

local function refuse(message)
  error(errors.tm(400, message, 1), 0)
end

-- -- power and services --

local function reboot(device, request, _, body)
  if body.volume then software.boot_volume(device, body.volume) end
  restart.reboot(device, { seconds = REBOOT_SECONDS })
  request.wish = true
end

local function service_command(action)
  return function(device, _, _, body)
    local name = body.name
    if type(name) ~= "string" then refuse "one or more properties must be specified" end
    daemons.service(device, name, action)
  end
end

-- Starts or stops a named object: an iCall handler, an ILX plug-in.
local function object_command(state)
  return function(device, _, target, body)
    local full = tostring(body.name):sub(1, 1) == "/" and body.name
      or "/Common/" .. tostring(body.name)
    local path = target.path .. "/" .. full:gsub("/", "~")
    local object = device.store:get(path)
    if not object then
      error(
        errors.tm(
          404,
          ("01020036:3: The requested %s (%s) was not found."):format(
            target.template:match "[^/]+$",
            full
          ),
          3
        ),
        0
      )
    end
    local copy = {}
    for key, value in pairs(object) do copy[key] = value end
    copy.status, copy.generation = state, device.store:next_generation()
    device.store:put(path, copy)
  end
end

-- -- failover and synchronisation --

-- Whether a flag is set: to null, as in responses, or to true.
local function flag(value) return value ~= nil and value ~= false end

local function failover(device, _, _, body)
  local words = type(body.utilCmdArgs) == "string" and body.utilCmdArgs or ""
  local given = body.trafficGroup or body["traffic-group"] or body.trafficgroup
    or words:match "traffic%-group%s+(%S+)"
  if flag(body.offline) or words:find "offline" then
    daemons.set_failover(device, "forced-offline")
    cluster_failover.changed(device)
  elseif flag(body.online) or words:find "online" then
    local partners = cluster_failover.partners(device)
    if not partners or device.state.failover == "forced-offline" then
      daemons.set_failover(device, partners and "standby" or "active")
      cluster_failover.changed(device)
    end
  elseif flag(body.standby) or words:find "standby" then
    local group = type(given) == "string" and given or nil
    if group and group:sub(1, 1) ~= "/" then group = "/Common/" .. group end
    -- alone, the device stays active for the other traffic groups
    if not cluster_failover.stand_by(device, group) and not group then
      daemons.set_failover(device, "standby")
    end
  end
end

-- -- utilities --

local function bash(device, request, _, body)
  local arguments = body.utilCmdArgs
  if arguments == nil then return { commandResult = nil } end
  local script = shell.script_of(tostring(arguments))
  if not script then
    return { commandResult = ("/bin/bash: %s: No such file or directory\n"):format(arguments) }
  end
  local output = shell.run(device, script, request.user)
  return { commandResult = output ~= "" and output or nil }
end

-- A program of the shell as a utility. Its error messages name the program with its path.
local function program(name)
  return function(device, request, _, body)
    local arguments = tostring(body.utilCmdArgs or "")
    local option = arguments:match "^%-[^%alrfit]%S*" or arguments:match "^%-%d"
    if option then refuse(("unix-%s does not support %s"):format(name, option)) end
    local output = shell
      .run(device, name .. " " .. arguments, request.user)
      :gsub("^" .. name .. ":", "/bin/" .. name .. ":")
    return { commandResult = output ~= "" and output or nil }
  end
end

-- Whether every opening quote has a closing one.
local function is_balanced(text)
  local open
  local at = 1
  while at <= #text do
    local char = text:sub(at, at)
    if char == "\\" and open ~= "'" then
      at = at + 1
    elseif char == open then
      open = nil
    elseif not open and (char == "'" or char == '"') then
      open = char
    end
    at = at + 1
  end
  return open == nil
end

-- The utilities of the catalogue, and two that are not in it.
local utility_names
local function all_utilities()
  if utility_names then return utility_names end
  utility_names = { "arping", "geoip-lookup" }
  for path in pairs(require "sim.catalogue.tables.workers") do
    utility_names[#utility_names + 1] = path:match "^tm/util/(.+)"
  end
  table.sort(utility_names)
  return utility_names
end

local function utilities(device, request)
  local name = request.segments[4]
  if not name then
    local items = json.array {}
    for i, utility in ipairs(all_utilities()) do
      items[i] = {
        reference = {
          link = ("https://localhost/mgmt/tm/util/%s?ver=%s"):format(
            utility,
            device.version.version
          ),
        },
      }
    end
    return { status = 200, body = { kind = "tm:util:utilcollectionstate", items = items,
      selfLink = "https://localhost/mgmt/tm/util?ver=" .. device.version.version } }
  end
  local known = false
  for _, utility in ipairs(all_utilities()) do known = known or utility == name end
  if not known or request.segments[5] then return errors.not_public(request) end
  if request.method ~= "POST" then
    return errors.tm(
      405,
      (
        "The method %s is not supported for the collection %s."
      ):format(request.method, request.path),
      1
    )
  end
  local body = request.json
  if type(body) ~= "table" or body.command == nil then
    return errors.tm(400, "one or more properties must be specified", 1)
  end
  if type(body.utilCmdArgs) == "string" and not is_balanced(body.utilCmdArgs) then
    return errors.tm(400, "quotes are not balanced", 26214401)
  end
  return commands.run(device, request, { template = "util/" .. name, path = request.path }, body)
end

-- -- what else runs --

M.commands = {
  { "reboot", "^sys$", reboot },
  { "reboot", "^sys/", reboot },
  { "start", "^sys/service$", service_command "start" },
  { "stop", "^sys/service$", service_command "stop" },
  { "restart", "^sys/service$", service_command "restart" },
  { "start", "^sys/icall/handler/", object_command "active" },
  { "stop", "^sys/icall/handler/", object_command "inactive" },
  { "restart", "^sys/icall/handler/", object_command "active" },
  { "generate", "^sys/icall/event$", icall.generate },
  { "run", "^sys/failover$", failover },
  { "run", "^cm$", sync.config_sync },
  { "run", "^cm/config%-sync$", sync.config_sync },
  { "run", "^cm/add%-to%-trust$", trust.add },
  { "run", "^cm/remove%-from%-trust$", trust.remove },
  { "mv", "^cm/device$", trust.move },
  { "run", "^util/bash$", bash },
  { "run", "^util/unix%-ls$", program "ls" },
  { "run", "^util/unix%-rm$", program "rm" },
  { "run", "^util/unix%-mv$", program "mv" },
  { "install", "^sys/license$", licensing.install_command },
}

function M.install(device)
  device:route("/mgmt/tm/util", utilities)
  for _, template in ipairs {
    "sys", "cm", "sys/service", "sys/failover", "cm/config-sync", "cm/add-to-trust",
    "cm/remove-from-trust", "wom/verify-config", "wom/diagnose-conn", "cli/script", "ilx/plugin",
    "apm/epsec/epsec-package", "analytics/application-security/report", "sys/license",
    "sys/icall/event", "sys/icall/handler/perpetual", "sys/icall/handler/periodic",
    "sys/icall/handler/triggered", "ltm/rule", "asm/policy",
  } do
    commands.serve(device, template)
  end
end

return M
