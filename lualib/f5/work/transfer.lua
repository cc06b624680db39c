-- bip:upload and bip:download. A chunk is one call of runtime/f5/work/transfer.c.

local core = require "f5.core"
local live = require "f5.live"
local transfer = core.transfer

local M = {}

-- For each place: the URIs for uploads and downloads, and the directory on the device.
local PLACES <const> = {
  downloads = {
    to = "/mgmt/shared/file-transfer/uploads/",
    from = "/mgmt/shared/file-transfer/downloads/",
    directory = "/var/config/rest/downloads",
  },
  ucs = {
    to = "/mgmt/shared/file-transfer/ucs-uploads/",
    from = "/mgmt/shared/file-transfer/ucs-downloads/",
    directory = "/var/local/ucs",
  },
  images = {
    to = "/mgmt/cm/autodeploy/software-image-uploads/",
    from = "/mgmt/cm/autodeploy/software-image-downloads/",
    directory = "/shared/images",
  },
  asm = {
    to = "/mgmt/tm/asm/file-transfer/uploads/",
    from = "/mgmt/tm/asm/file-transfer/downloads/",
  },
  qkview = { from = "/mgmt/cm/autodeploy/qkview-downloads/" },
}

-- Whether a terminal shows how far a transfer is. Not where many run in parallel.
M.shows_progress = true

local SHOWN_AFTER <const>, SHOWN_EVERY <const>, WIDTH <const> = 2, 0.2, 30

local function encoded(name)
  return (name:gsub("[^%w%-%._~]", function(char) return ("%%%02X"):format(char:byte()) end))
end

local function check(what, options, known)
  if options == nil then return {} end
  if type(options) ~= "table" then
    core.usage_error(("%s: expected a table of options, got a %s"):format(what, type(options)))
  end
  for key, value in next, options do
    local want = known[key]
    if key == "sha256" and value == true then goto fits end
    if not want then
      core.usage_error(("%s: unknown option '%s'"):format(what, tostring(key)))
    end
    local is = math.type(value) == "integer" and "integer" or type(value)
    if is ~= want then
      core.usage_error(("%s: '%s' must be of type %s, not %s"):format(what, key, want, is))
    end
    if key == "sha256" and not (value:match "^%x+$" and #value == 64) then
      core.usage_error(
        ("%s: 'sha256' must be true or 64 hexadecimal digits, not %q"):format(what, value)
      )
    end
    ::fits::
  end
  return options
end

local function place(what, direction, name)
  local found = PLACES[name or "downloads"]
  if found and found[direction] then return found end
  local names = {}
  for known, of in pairs(PLACES) do
    if of[direction] then names[#names + 1] = known end
  end
  table.sort(names)
  return core.usage_error(
    ("%s: '%s' must be one of %s, not '%s'"):format(
      what,
      direction,
      table.concat(names, ", "),
      name
    )
  )
end

--- The places of a direction, sorted: array of { name, directory (on the device; nil: unknown) }.
-- @param direction string: "to" (uploads) or "from" (downloads)
function M.places(direction)
  local found = {}
  for name, of in pairs(PLACES) do
    if of[direction] then found[#found + 1] = { name = name, directory = of.directory } end
  end
  table.sort(found, function(a, b) return a.name < b.name end)
  return found
end

local function check_name(what, name)
  if type(name) ~= "string" or name == "" or name == "." or name == ".." or name:find "[/%c]" then
    core.usage_error(
      ("%s: the name of a file on the device must be a name without slashes, not %s"):format(
        what,
        type(name) == "string" and ("%q"):format(name) or "a " .. type(name)
      )
    )
  end
end

local UNITS <const> = { "B", "KiB", "MiB", "GiB", "TiB" }

--- A size for people: "1.5 MiB".
function M.amount(bytes)
  local unit = 1
  while bytes >= 1024 and unit < #UNITS do bytes, unit = bytes / 1024, unit + 1 end
  return (unit == 1 and "%d %s" or "%.1f %s"):format(bytes, UNITS[unit])
end

local amount <const> = M.amount

--- The progress line of a transfer.
function M.bar(name, done, size, seconds)
  local rate = seconds > 0 and done / seconds or 0
  if not size then return ("%s  %s  %s/s"):format(name, amount(done), amount(rate)) end
  local share = size > 0 and done / size or 1
  local filled = math.floor(share * WIDTH)
  local left = rate > 0 and math.ceil((size - done) / rate) or 0
  return ("%s  [%s%s] %3d %%  %s of %s  %s/s  %d:%02d left"):format(
    name, ("#"):rep(filled), ("."):rep(WIDTH - filled), math.floor(share * 100), amount(done),
    amount(size), amount(rate), left // 60, left % 60
  )
end

-- Moves all chunks. On a terminal a progress line appears after two seconds.
local function run(moved, name, progress)
  local line <close> = live()
  local began, last = core.now(), 0
  repeat
    local done, size, finished = transfer.step(moved)
    local now = core.now()
    if progress then progress(done, size, now - began) end
    local shows = line.terminal and M.shows_progress and now - began > SHOWN_AFTER
    if shows and (finished or now - last > SHOWN_EVERY) then
      last = now
      line(M.bar(name, done, size, now - began))
    end
  until finished
end

local UPLOAD <const> = { to = "string", name = "string", sha256 = "string", progress = "function" }
local DOWNLOAD <const> = {
  from = "string", size = "integer", sha256 = "string", progress = "function", replace = "boolean",
}

--- session:upload(file[, options]): sends a file.
-- @param options table|nil: to ("downloads", "ucs", "images", "asm"), name (on the device; default:
--   that of the file), progress (function(bytes, size, seconds)), sha256 (true: compute it; 64
--   hexadecimal digits: check it)
-- @return table: name, size, sha256 (if asked for), path (on the device)
function M.upload(bip, file, options)
  if type(file) ~= "string" then
    core.usage_error(("upload: expected the path of a file, got a %s"):format(type(file)))
  end
  options = check("upload", options, UPLOAD)
  local target = place("upload", "to", options.to)
  local name = options.name or file:match "([^/]*)$"
  check_name("upload", name)
  local moved <close> =
    transfer.upload(bip, target.to .. encoded(name), file, options.sha256 ~= nil)
  run(moved, name, options.progress)
  local size, sha256 = transfer.finish(moved, options.sha256 ~= true and options.sha256 or nil)
  return {
    name = name,
    size = size,
    sha256 = sha256,
    path = target.directory and target.directory .. "/" .. name or nil,
  }
end

--- Sends a text to the directory "downloads". It is not written to a disk of this machine.
function M.upload_text(bip, name, text)
  check_name("upload", name)
  local moved <close> = transfer.upload_text(bip, PLACES.downloads.to .. encoded(name), text)
  run(moved, name)
  transfer.finish(moved)
end

--- session:download(name, file[, options]): fetches a file. It gets its name when it is complete,
-- and only its owner may read it.
-- @param options table|nil: from ("downloads", "ucs", "images", "asm", "qkview"), size (bytes, for
--   devices that do not report it), progress, sha256 (as of upload; a file with another one is not
--   kept), replace (false: a file that has the name is not replaced)
-- @return table: file, size, sha256 (if asked for)
function M.download(bip, name, file, options)
  check_name("download", name)
  if type(file) ~= "string" or file == "" then
    core.usage_error(("download: expected the path of a file, got a %s"):format(type(file)))
  end
  options = check("download", options, DOWNLOAD)
  local source = place("download", "from", options.from)
  local keeps <const> = options.replace == false
  if keeps and core.name_is_taken(file) then core.usage_error("download: " .. file .. " exists") end
  local moved <close> = transfer.download(
    bip, source.from .. encoded(name), file, options.sha256 ~= nil, options.size, keeps
  )
  run(moved, name, options.progress)
  local size, sha256 = transfer.finish(moved, options.sha256 ~= true and options.sha256 or nil)
  return { file = file, size = size, sha256 = sha256 }
end

return M
