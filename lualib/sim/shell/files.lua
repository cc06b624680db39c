-- The files that a script sees: those of the device's disk, and those that every device has.
--
-- The methods are those of the shell in sim/shell/init.lua.
local budget = require "sim.shell.budget"
local texts = require "sim.text"

local M = {}

local Shell <const> = {}
M.methods = Shell

-- Files that every device has, as functions of the device.
local KNOWN_FILES <const> = {
  ["/VERSION"] = function(device)
    local version = device.version
    local text = (
      "Product: %s\nVersion: %s\nBuild: %s\nSequence: %s-%s.0\nBaseBuild: %s\nEdition: %s\nDate: "
        .. "%s\n"
    ):format(
      version.product, version.version, version.build, version.version, version.build,
      version.build, version.edition, version.date
    )
    local built = texts.stamp(version.date)
    if built then
      text = ("%sBuilt: %s\nChangelist: %s\nJobID: %s\n"):format(
        text, built, version.changelist, version.job
      )
    end
    return text
  end,
  ["/proc/uptime"] = function(device)
    local seconds = (device:now() - device.state.booted) / 1000000
    return ("%.2f %.2f\n"):format(seconds, seconds * 3.6)
  end,
  ["/etc/hosts"] = function(device)
    return ("127.0.0.1\tlocalhost\n127.1.1.1\t%s\n"):format(device.hostname)
  end,
  ["/config/bigip.conf"] = function(device) return require("sim.tmsh.load").text(device) end,
  ["/etc/issue"] = function(device)
    return ("BIG-IP %s Build %s\n"):format(device.version.version, device.version.build)
  end,
}

local DIRECTORIES <const> = {}
for name in ([[/ /root /tmp /var /var/tmp /config /config/ssl /config/ssl/ssl.crt
  /config/ssl/ssl.csr /config/ssl/ssl.key /config/filestore /config/partitions /shared
  /shared/images /shared/tmp /shared/core /var/local /var/local/ucs /var/local/scf /var/config
  /var/config/rest /var/config/rest/downloads /etc /var/log /var/core /var/db /usr /usr/bin
  /usr/local /bin /sbin /home /home/admin /opt /dev /proc]]):gmatch "%S+" do
  DIRECTORIES[name] = true
end

function Shell:path(name)
  if name:sub(1, 1) ~= "/" then name = self.cwd .. "/" .. name end
  local parts = {}
  for part in name:gmatch "[^/]+" do
    if part == ".." then
      parts[#parts] = nil
    elseif part ~= "." then
      parts[#parts + 1] = part
    end
  end
  return "/" .. table.concat(parts, "/")
end

-- The text of a file that is not on the disk; nil if there is none.
local function known(device, path)
  local text = KNOWN_FILES[path]
  return text and text(device)
end

--- The text of a file, or nil. A file that is too large stops the script.
function M.read(shell, name)
  local path = shell:path(name)
  local disk = shell.device.disk
  local entry = disk.find(path)
  if entry and entry.size > budget.MAX_FILE then
    error({ stop = ("%s has more than %d bytes"):format(path, budget.MAX_FILE) }, 0)
  end
  local text = entry and disk.read(path) or not entry and known(shell.device, path)
  if text then shell.budget:spend(#text) end
  return text or nil
end

--- The size of a file, or nil.
function Shell:size_of(path)
  local entry = self.device.disk.find(path)
  if entry then return entry.size end
  local text = known(self.device, path)
  return text and #text
end

function Shell:is_directory(path)
  return (DIRECTORIES[path] or self.device.directories and self.device.directories[path]
    or self.device.disk.is_directory(path)) and true or false
end

function Shell:write_file(path, text)
  self.device.disk.write(path, text)
end

--- The paths of all files below a directory, sorted.
function Shell:files_below(directory)
  local prefix = directory == "/" and "/" or directory .. "/"
  local list = {}
  local function add(path)
    if path:sub(1, #prefix) == prefix then list[#list + 1] = path end
  end
  self.device.disk.refresh(directory)
  for path in pairs(self.device.state.disk) do
    if self.device.disk.find(path) then add(path) end
  end
  for path in pairs(KNOWN_FILES) do
    if not self.device.disk.find(path) then add(path) end
  end
  table.sort(list)
  return list
end

--- The names directly in a directory, sorted: files, and directories with "/" at the end.
function Shell:entries(directory)
  local prefix = directory == "/" and "/" or directory .. "/"
  local set, list = {}, {}
  local function add(path)
    if path:sub(1, #prefix) ~= prefix or path == prefix then return end
    local name, rest = path:sub(#prefix + 1):match "^([^/]+)(/?)"
    if name then set[name .. rest] = true end
  end
  for _, path in ipairs(self:files_below(directory)) do add(path) end
  for path in pairs(DIRECTORIES) do add(path .. "/") end
  for path in pairs(self.device.directories or {}) do add(path .. "/") end
  for name in pairs(set) do list[#list + 1] = name end
  table.sort(list)
  return list
end

return M
