-- What the owner of a device controls without HTTP: specs through f5.sim, the command line through
-- its options.
--
-- Each function takes the device and one plain value, and returns one plain value.
local contrary = require "sim.contrary"
local icall = require "sim.icall"
local json = require "f5.json"
local kept = require "sim.kept"
local faults = require "sim.http.fault"
local log = require "sim.http.log"
local tmsh = require("sim.lazy") "sim.tmsh.load"
local monitoring = require "sim.status.monitoring"
local restart = require "sim.http.restart"
local sync = require "sim.cluster.sync"
local tasks = require "sim.tasks.task"
local traffic = require "sim.status.traffic"
local transaction = require "sim.tasks.transaction"
local users = require "sim.auth.users"

local M = {}

--- The ways in which the device is contrary, sorted; see sim/contrary.lua.
function M.contrary(device)
  local list = json.array {}
  for _, name in ipairs(contrary.ALL) do
    if contrary.has(device, name) then list[#list + 1] = name end
  end
  return list
end

-- Moves the clock by a number of seconds.
function M.advance(device, seconds)
  device:advance(seconds)
  icall.settle(device)
  sync.settle(device)
  return device:now()
end

function M.now(device)
  return device:now()
end

function M.state(device)
  return device:snapshot()
end

-- Replaces the whole state by one that `state` returned.
function M.restore(device, state)
  device:restore(state)
end

-- States under names, see sim/kept.lua.
M.keep, M.go_back, M.forget, M.changed = kept.keep, kept.go_back, kept.forget, kept.changed

-- Adds objects to the running device, see Device:plant.
function M.plant(device, seed)
  if seed.provision then
    error(
      "seed: provision works only at the start; PATCH sys/provision of a running device instead",
      0
    )
  end
  device:plant(seed)
end

-- The configuration as tmsh text; options: { all = true }: with all properties of all objects that
-- were written.
function M.configuration(device, options)
  return tmsh.text(device, options)
end

-- What was refused of the configuration texts of the seed: a list of { file =, line =, message = }.
function M.refused(device)
  return json.array(device.refused or {})
end

-- What a snapshot contained that is kept without being simulated, or not loaded: a list of texts.
function M.remarks(device)
  return json.array(device.remarks or {})
end

function M.log(device)
  return log.calls(device)
end

function M.clear_log(device)
  log.clear(device)
end

function M.connections(device)
  return log.connection_count(device)
end

function M.fault(device, fault)
  return faults.add(device, fault)
end

function M.clear_faults(device)
  faults.clear(device)
end

function M.restart(device, options)
  restart.restart(device, options)
end

function M.reboot(device, options)
  restart.reboot(device, options)
end

-- What monitors find from now on: { [name of a node or a pool member, or path] = "up" | "down" }.
function M.health(device, health)
  monitoring.set(device, health)
end

-- The traffic through the device: an array of entries as sim/status/traffic.lua takes them, or
-- { [path] = { [name of a counter] = value } }.
function M.traffic(device, given)
  for _, entry in ipairs(given) do traffic.set(device, entry) end
  for path, counters in pairs(given) do
    if type(path) == "string" then traffic.set(device, { path = path, counters = counters }) end
  end
end

-- Plans the next asynchronous task: { template = "sys/ucs", seconds =, outcome = "FAILED",
-- message =, vanish = true }.
function M.plan_task(device, plan)
  tasks.plan(device, plan)
end

-- How long the next asynchronous commit of a transaction takes: { seconds = }.
function M.next_transaction(device, options)
  transaction.set_next(device, options)
end

-- How many seconds of the device's clock the next declaration takes: { seconds =, extension = "as3"
-- (default) or "do" }.
function M.next_declaration(device, options)
  require("sim.extensions").module(device, options.extension or "as3").set_next(device, options)
end

-- From now on the password of this user is expired.
function M.expire_password(device, name)
  users.expire(device, name)
end

-- Writes and reads a file of the device's disk: { path =, text = }, or { path =, hex = } for bytes.
function M.write_file(device, file)
  local bytes = file.hex and file.hex:gsub("%x%x", function(byte)
    return string.char(tonumber(byte, 16))
  end)
  device.disk.write(file.path, bytes or file.text)
end

function M.read_file(device, path)
  return device.disk.read(path)
end

-- Ends the device and removes its temporary files.
function M.close(device)
  device:close()
end

-- How many errors of the simulator itself there were so far.
function M.problems(device)
  return device.problems or 0
end

-- What the server must do, as the text "LISTENING CUT AGAIN": whether it accepts connections (0,
-- 1), whether it cuts open ones now (0, 1), and the milliseconds until it asks again (0: never).
-- See sim_wish in runtime/sim/device.h.
function M.wish(device)
  local ok, problem = pcall(function()
    device:run_due()
    icall.settle(device)
    sync.settle(device)
  end)
  if not ok then device:complain(tostring(problem)) end
  return restart.wish(device, icall.wait_ms(device))
end

return M
