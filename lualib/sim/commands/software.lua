-- Software images and volumes: an uploaded image appears as an object, is installed over time, and
-- is booted. The objects are in the store, below sys/software.
local json = require "f5.json"
local commands = require "sim.commands"
local digest = require "sim.digest"
local errors = require "sim.http.errors"
local restart = require "sim.http.restart"
local transfer = require "sim.files.transfer"

local M = {}

local IMAGES <const> = "/shared/images"
local INSTALL_SECONDS <const> = 60
local STEPS <const> = 10
local SECOND <const> = 1000000

local function image_path(name)
  return "/mgmt/tm/sys/software/image/" .. name
end

local function volume_path(name)
  return "/mgmt/tm/sys/software/volume/" .. name
end

local function put(device, path, object)
  object.generation = device.store:next_generation()
  device.store:put(path, object)
end

-- "BIGIP-17.1.3-0.20.11.iso" -> product, version, build
local function parse_name(name)
  local version, build =
    name:match "[Bb][Ii][Gg]%-?[Ii][Pp]%-([%d.]-%d)%-([%d.]+%d)"
  return version or "17.1.3", build or "0.0.0"
end

local function appear(device, directory, name)
  if directory ~= IMAGES or not name:find "%.iso$" then return end
  local version, build = parse_name(name)
  local entry = device.disk.find(IMAGES .. "/" .. name)
  local id = digest
    .md5(name .. entry.size)
    :gsub(".", function(char) return ("%02x"):format(char:byte()) end)
  put(device, image_path(name), {
    name = name,
    fullPath = name,
    product = "BIG-IP",
    version = version,
    build = build,
    checksum = id,
    fileSize = ("%d MB"):format(entry.size >> 20),
    verified = "yes",
    buildDate = (device.version.date:gsub(":", " ")),
    lastModified = os.date("!%a %b %e %H:%M:%S %Y", entry.modified // SECOND),
  })
end

local function find_image(device, name)
  if type(name) ~= "string" or name == "" then
    error(errors.tm(400, "one or more properties must be specified", 1), 0)
  end
  local image = device.store:get(image_path(name))
  if image then return image end
  error(
    errors.tm(
      404, ("01020036:3: The requested software image (%s) was not found."):format(name), 3
    ),
    0
  )
end

local function option(body, name)
  for _, entry in ipairs(type(body.options) == "table" and body.options or {}) do
    if entry == name then return true end
    if type(entry) == "table" and entry[name] ~= nil then return entry[name] end
  end
  return body[name]
end

local function set_status(device, volume, status)
  local object = device.store:get(volume_path(volume))
  local copy = {}
  for key, value in pairs(object or {}) do copy[key] = value end
  copy.status = status
  put(device, volume_path(volume), copy)
end

local function install(device, _, _, body)
  local image = find_image(device, body.name)
  local volume = body.volume or option(body, "volume") or "HD1.2"
  local existing = device.store:get(volume_path(volume))
  local creates = option(body, "create-volume") or option(body, "createVolume")
  if not existing and not creates then
    error(
      errors.tm(404, ("01020036:3: The requested volume (%s) was not found."):format(volume), 3),
      0
    )
  end
  if existing and existing.active then
    error(
      errors.tm(
        400,
        ("01071394:3: Cannot install software on the active volume %s."):format(volume),
        3
      ),
      0
    )
  end
  put(device, volume_path(volume), {
    name = volume,
    fullPath = volume,
    product = image.product,
    version = image.version,
    build = image.build,
    basebuild = image.build,
    status = "installing 0.000 pct",
    media = json.array { { name = volume, media = "hd", size = "default" } },
  })
  local reboots = (option(body, "reboot") and true) or false
  for step = 1, STEPS do
    device:schedule(
      device:now() + INSTALL_SECONDS * SECOND * step // STEPS,
      "software installation",
      { volume = volume, percent = step * 100 // STEPS, reboot = reboots }
    )
  end
end

-- What the device says about itself is that of the volume from which it has started.
local function adopt(device)
  local running = device.state.running
  if not running then return end
  device.first_version = device.first_version or device.version
  local first = device.first_version
  if running.version == first.version and running.build == first.build then
    device.version = first
    return
  end
  device.version = setmetatable({
    version = running.version, build = running.build, edition = "Final",
    rest_framework = ("%s-%s"):format(running.version, running.build),
  }, { __index = first })
end

-- The device's own object in cm/device has the version, too.
local function tell_cluster(device)
  local known = device.version
  for _, one in ipairs(device.store:list "/mgmt/tm/cm/device") do
    if one.selfDevice == "true" then
      local copy = {}
      for key, value in pairs(one) do copy[key] = value end
      copy.version, copy.build, copy.edition = known.version, known.build, known.edition
      put(device, "/mgmt/tm/cm/device/" .. one.fullPath:gsub("/", "~"), copy)
    end
  end
end

-- Makes a volume the active one. A reboot follows.
function M.boot_volume(device, name)
  local wanted = device.store:get(volume_path(name))
  if not wanted then
    error(
      errors.tm(404, ("01020036:3: The requested volume (%s) was not found."):format(name), 3),
      0
    )
  end
  for _, volume in ipairs(device.store:list "/mgmt/tm/sys/software/volume") do
    local copy = {}
    for key, value in pairs(volume) do copy[key] = value end
    copy.active = volume.name == name or nil
    put(device, volume_path(volume.name), copy)
  end
  device.state.running = { version = wanted.version, build = wanted.build }
  adopt(device)
  tell_cluster(device)
end

local function progress(device, data)
  if not device.store:get(volume_path(data.volume)) then return end
  if data.percent < 100 then
    set_status(device, data.volume, ("installing %d.000 pct"):format(data.percent))
    return
  end
  set_status(device, data.volume, "complete")
  if data.reboot then
    M.boot_volume(device, data.volume)
    restart.reboot(device, { seconds = 120 })
  end
end

function M.install(device)
  adopt(device)
  device:on("software installation", progress)
  transfer.on_arrival(device, appear)

  for _, template in ipairs {
    "sys/software/image",
    "sys/software/hotfix",
    "sys/software/block-device-image",
  } do
    commands.serve(device, template)
  end
  device:route("/mgmt/tm/sys/software/image", function(self, request)
    local name = request.segments[6]
    if request.method == "DELETE" and name then
      find_image(self, name)
      self.disk.remove(IMAGES .. "/" .. name)
      self.store:put(image_path(name), nil)
      return { status = 200 }
    end
    local body = request.json
    if
      not name and request.method == "POST" and type(body) == "table"
      and commands.known(body.command)
    then
      return commands.run(
        self,
        request,
        { template = "sys/software/image", path = "/mgmt/tm/sys/software/image" },
        body
      )
    end
    return self:pass(request)
  end)
end

M.commands = { { "install", "^sys/software/", install } }

return M
