-- The devices of a change record on which `f5lua undo` works, and how to reach them.
local credentials = require "f5.fleet.credentials"
local device_options = require "cli.support.device"
local files = require "f5.safe.files"
local hosts = require "cli.support.change.hosts"
local inventory = require "f5.inventory"
local usage = require "cli.support.usage"

local M = {}

local function split(address)
  local host, port = address:match "^(.*):(%d+)$"
  return (host or address):gsub("^%[(.*)%]$", "%1"), math.tointeger(tonumber(port))
end

-- The device of an inventory that a device of a record is.
local function find(devices, known)
  for _, device in ipairs(devices.devices) do
    if device.name == known.name then return device end
  end
  local host, port = split(known.address)
  for _, device in ipairs(devices.devices) do
    local connect = device.connect
    if connect.host == host and (connect.port or 443) == (port or 443) then return device end
  end
  return nil
end

local function from_inventory(options, contents, program)
  local list, secrets = {}, {}
  local ok, devices = pcall(function()
    return inventory.read(options.inventory):limit(options.limit)
  end)
  if not ok then usage(tostring(devices), program) end
  for number, known in ipairs(contents.devices) do
    local device = find(devices, known)
    if device then
      list[#list + 1] = { number = number, connect = credentials(device, secrets) }
    elseif not options.limit then
      usage(("the inventory does not have the device %s (%s) of the change record"):format(
        known.name, known.address), program)
    end
  end
  if #list == 0 then usage("the change record is about no device within the limit", program) end
  return list
end

-- The records of this user are in the user's own directory. Another file may be from anybody.
local function check_hosts(options, contents, program)
  local own = files.directory()
  if own and contents.path:sub(1, #own + 1) == own .. "/" then return end
  local devices = {}
  for i, known in ipairs(contents.devices) do
    local host, port = split(known.address)
    devices[i] = { host = host, port = port }
  end
  hosts.check(options, devices, {
    what = ("%s is not in the directory of your change records"):format(contents.path),
    who = "the file", otherwise = ("or copy it to %s"):format(own or "there"), program = program,
  })
end

-- One connection for each device of the record, with the same credentials.
local function from_record(options, contents)
  local list = {}
  for number, known in ipairs(contents.devices) do
    local connect = device_options.options(options)
    if not hosts.is_given(options) then connect.host, connect.port = split(known.address) end
    connect.username = connect.username or os.getenv "F5_USER" or known.user
    connect.label = known.name
    list[#list + 1] = { number = number, connect = connect }
  end
  return list
end

--- Returns the devices: array of { number (in the record), connect (options of f5.connect) }.
function M.of(options, contents, program)
  if options.inventory then
    if options.host then usage("--host or --inventory, not both", program) end
    return from_inventory(options, contents, program)
  end
  if options.limit then usage("--limit needs --inventory", program) end
  if options.host and #contents.devices > 1 then
    usage(("--host works with a record of one device; this one is about %d"):format(
      #contents.devices), program)
  end
  check_hosts(options, contents, program)
  return from_record(options, contents)
end

return M
