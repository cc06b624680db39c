#!/usr/bin/env f5lua
-- Makes a UCS archive of one or many devices, downloads and verifies it, and keeps the newest ones.
--
--   f5lua backup.lua --directory /srv/backups --keep 7
--   f5lua backup.lua --directory /srv/backups --devices sites.lua
--
-- The device and the user come from the environment (F5_SERVER, F5_USER, F5_PASSWORD); the playbook
-- asks for what is missing. The user must be an administrator: the playbook compares the archive
-- with the checksum of the device, and removes it there.

local argparse = require "argparse"
local f5 = require "f5"

local parser =
  argparse("backup.lua", "Make, download and verify UCS archives, and keep the newest.")
parser
  :option("-d --directory", "directory for the archives; it must exist")
  :argname("DIRECTORY")
  :default "."
parser
  :option("-n --keep", "archives to keep for each device; 0 keeps all")
  :argname("N")
  :convert(math.tointeger)
  :default "7"
parser
  :option(
    "-p --passphrase-env",
    "encrypt the archive with the passphrase in this environment variable"
  )
  :argname "NAME"
parser
  :option("-t --timeout", "seconds to wait for the archive")
  :argname("SECONDS")
  :convert(tonumber)
  :default "1800"
parser
  :option("--devices", "run on the devices of this inventory; see docs/fleets.md")
  :argname "FILE"
parser:option("-l --limit", "only these devices of the inventory"):argname "PATTERN"
parser:flag("--leave", "leave the archive on the device")
parser:epilog(
  "Exit status: 0 every archive is here and verified, 1 something is wrong, 3 the only device "
    .. "failed. Older archives are removed only after the new one was verified."
)
local args = parser:parse()
if args.limit and not args.devices then parser:error "--limit needs --devices" end
if args.keep < 0 then parser:error "--keep must be 0 or more" end

local passphrase = args.passphrase_env and os.getenv(args.passphrase_env)
if args.passphrase_env and not passphrase then f5.fail("%s is not set", args.passphrase_env) end

-- Found out before a device has worked for minutes.
local probe <const> = ("%s/.f5lua-%x"):format(args.directory, math.random(1 << 32))
local handle, message = io.open(probe, "w")
if not handle then f5.fail("cannot write to %s: %s", args.directory, message:match ": ([^:]*)$") end
handle:close()
os.remove(probe)

-- The archives of a device that are here, the newest last.
local function archives_of(name)
  local pattern = "/" .. name:gsub("%p", "%%%0") .. "%-%d%d%d%d%d%d%d%dT%d%d%d%d%d%dZ%.ucs$"
  local found = {}
  for _, path in ipairs(f5.files(args.directory, "*.ucs")) do
    if path:find(pattern) then found[#found + 1] = path end
  end
  return found
end

-- Makes, fetches, verifies; returns what there is to say. `line` shows how far it is; without it
-- nothing does.
local function backup(bip, name, line)
  name = name:gsub("[^%w._-]", "_")
  local archive = ("%s-%s.ucs"):format(name, os.date "!%Y%m%dT%H%M%SZ")
  local there = "/var/local/ucs/" .. archive
  local file = args.directory .. "/" .. archive

  local verified = false
  local _tidy <close> = setmetatable({}, {
    __close = function()
      if not verified then os.remove(file) end -- what is here counts as a backup
      if args.leave then return end
      local ok, err = pcall(bip.bash, bip, "rm -f " .. there)
      if not ok then
        io.stderr:write(("%s may still be on %s: %s\n"):format(there, bip:label(), tostring(err)))
      end
    end,
  })

  local body = { command = "save", name = archive }
  if passphrase then body.options = f5.array { { passphrase = passphrase } } end
  local function silent() end
  bip:task("sys/ucs", body):wait {
    timeout = args.timeout,
    progress = line and function(state, seconds)
      line(("%s: %s, %.0f s"):format(archive, (state or "waiting"):lower(), seconds))
    end or silent,
  }
  if line then line:close() end -- the download has one of its own
  local got = bip:download(
    archive,
    file,
    { from = "ucs", sha256 = true, progress = not line and silent or nil }
  )
  local sum = bip:bash("sha256sum " .. there):match "^%x+"
  if got.size == 0 or sum ~= got.sha256 then
    f5.fail(
      "%s differs from the archive on the device: %d bytes, SHA-256 %s here, %s there",
      archive, got.size, got.sha256, sum or "none"
    )
  end
  verified = true

  local kept = archives_of(name)
  local removed = 0
  while args.keep > 0 and #kept > args.keep do
    assert(os.remove(table.remove(kept, 1)))
    removed = removed + 1
  end
  return ("%s, %d bytes, SHA-256 %s; %d kept, %d removed"):format(
    file, got.size, sum, #kept, removed
  )
end

if not args.devices then
  local bip <close> = f5.connect {}
  local line <close> = f5.live { quiet = true }
  return print(backup(bip, bip:label(), line))
end

local report <const> = f5.each(
  f5.inventory(args.devices):limit(args.limit),
  {},
  function(bip, device) return backup(bip, device.name) end
)
local failed = 0
for _, device in ipairs(report.devices) do
  if device.state == "done" then
    print(device.result)
  else
    failed = failed + 1
    io.stderr:write(
      ("%s: %s: %s\n"):format(device.name, device.state, tostring(device.error or report.stopped))
    )
  end
end
if failed > 0 then f5.fail("no new archive of %d device%s", failed, failed == 1 and "" or "s") end
