-- Uploads and downloads in chunks, to and from the device's disk.
--
-- state.uploads[path] = { total =, chunks = { [start as text] = bytes } }: uploads that are not
-- complete.
local json = require "f5.json"
local errors = require "sim.http.errors"

local M = {}

-- Of a download. F5's own clients upload chunks of 7,340,032 bytes, so uploads may be larger.
local MAX_CHUNK <const> = 1 << 20
local MAX_UPLOAD <const> = 32 << 20
local DISK_BYTES <const> = 64 << 30

-- Targets: the directory of the files, the URI of uploads, the URIs of downloads. A target with
-- `module` exists only while the module is provisioned.
local TARGETS <const> = {
  {
    directory = "/var/config/rest/downloads",
    upload = "/mgmt/shared/file-transfer/uploads",
    downloads = { "/mgmt/shared/file-transfer/uploads", "/mgmt/shared/file-transfer/downloads" },
  },
  {
    directory = "/var/local/ucs",
    upload = "/mgmt/shared/file-transfer/ucs-uploads",
    downloads = {
      "/mgmt/shared/file-transfer/ucs-uploads",
      "/mgmt/shared/file-transfer/ucs-downloads",
    },
  },
  {
    directory = "/shared/images",
    upload = "/mgmt/cm/autodeploy/software-image-uploads",
    downloads = {
      "/mgmt/cm/autodeploy/software-image-uploads",
      "/mgmt/cm/autodeploy/software-image-downloads",
    },
  },
  {
    directory = "/ts/var/rest",
    upload = "/mgmt/tm/asm/file-transfer/uploads",
    module = "asm",
    downloads = { "/mgmt/tm/asm/file-transfer/uploads", "/mgmt/tm/asm/file-transfer/downloads" },
  },
  { directory = "/var/config/rest/madm", downloads = { "/mgmt/shared/file-transfer/madm" } },
  {
    directory = "/var/config/rest/bulk",
    upload = "/mgmt/shared/file-transfer/bulk/uploads",
    downloads = { "/mgmt/shared/file-transfer/bulk" },
  },
  {
    directory = "/ts/var/rest",
    upload = "/mgmt/tm/asm/file-transfer/uploads-private",
    module = "asm",
    downloads = { "/mgmt/tm/asm/file-transfer/downloads-private" },
  },
  {
    directory = "/ts/var/rest",
    upload = "/mgmt/tm/live-update/file-transfer/uploads",
    downloads = { "/mgmt/tm/live-update/file-transfer/downloads" },
  },
  {
    directory = "/ts/var/rest",
    upload = "/mgmt/tm/live-update/file-transfer/uploads-private",
    downloads = { "/mgmt/tm/live-update/file-transfer/downloads-private" },
  },
  { directory = "/var/tmp", downloads = { "/mgmt/cm/autodeploy/qkview-downloads" } },
}
M.targets = TARGETS

-- "0-1023/4096" -> 0, 1023, 4096
local function parse_range(text)
  local first, last, total = (text or ""):match "^%s*(%d+)%-(%-?%d+)/(%d+)%s*$"
  local from, to, size =
    math.tointeger(first), math.tointeger(last), math.tointeger(total)
  if from and to and size then return from, to, size end
end

local function bad(request, message)
  error(errors.rest(request, 400, message), 0)
end

local function used_bytes(upload)
  local sum = 0
  for _, bytes in pairs(upload.chunks) do sum = sum + bytes end
  return sum
end

local function upload(device, request, target, name)
  local first, last, total = parse_range(request.headers["content-range"])
  if not first then
    bad(
      request,
      "Content-Range header is missing or invalid: " .. tostring(request.headers["content-range"])
    )
  end
  local length = #request.body
  -- An empty file has no last byte: both "0-0/0" and "0--1/0" are its range.
  local claimed = total == 0 and 0 or last - first + 1
  if claimed ~= length then
    bad(
      request,
      ("Chunk byte count %d different from received buffer length %d"):format(claimed, length)
    )
  end
  if length > MAX_UPLOAD then
    bad(request, ("Chunk byte count %d exceeds the maximum of %d"):format(length, MAX_UPLOAD))
  end
  if total > DISK_BYTES then
    bad(
      request,
      ("java.io.IOException: No space left on device: %s/%s"):format(target.directory, name)
    )
  end
  if first > total or first + length > total then
    bad(request, ("Chunk %d-%d is outside of the total of %d bytes"):format(first, last, total))
  end

  local path = target.directory .. "/" .. name
  local temporary = target.directory .. "/tmp/" .. name
  local uploads = device.state.uploads
  local known = uploads[path]
  if not known or known.total ~= total or first == 0 and known.chunks["0"] ~= length then
    known = { total = total, chunks = {} }
    uploads[path] = known
    device.disk.create(temporary)
  end
  local entry = device.disk.find(temporary) or device.disk.create(temporary)
  if length > 0 then device.disk.write_at(entry, first, request.body) end
  known.chunks[tostring(first)] = length
  local remaining = total - used_bytes(known)
  local answer = {
    remainingByteCount = remaining,
    usedChunks = known.chunks,
    totalByteCount = total,
    localFilePath = path,
    temporaryFilePath = temporary,
    generation = 0,
    lastUpdateMicros = device:now(),
  }
  if remaining <= 0 then
    device.disk.rename(temporary, path)
    uploads[path] = nil
    for _, arrived in ipairs(device.arrival_handlers) do arrived(device, target.directory, name) end
  end
  return { status = 200, body = answer }
end

local function download(device, request, target, name)
  local path = target.directory .. "/" .. name
  local entry = device.disk.find(path)
  if not entry and device.twin then return device.twin:download(request) end
  if not entry then
    return errors.rest(
      request,
      404,
      ("java.io.FileNotFoundException: %s (No such file or directory)"):format(path)
    )
  end
  local size = entry.size
  local range = request.headers["content-range"]
  local first, last = 0, math.min(size, MAX_CHUNK) - 1
  if range then
    local total
    first, last, total = parse_range(range)
    if not first then bad(request, "Content-Range header is invalid: " .. range) end
    -- a client that does not know the size sends 0 and gets all there is
    if total == 0 then last = math.min(last, size - 1) end
    if last >= size and size > 0 or first > last and size > 0 then
      -- the refusal has the size, so that a client can learn it
      local refusal = errors.rest(
        request,
        400,
        ("Requested range %s is outside of the file's %d bytes"):format(range, size)
      )
      refusal.headers = { ["Content-Range"] = ("0-%d/%d"):format(size - 1, size) }
      return refusal
    end
    last = math.min(last, first + MAX_CHUNK - 1, size - 1)
  end
  local bytes = size > 0 and device.disk.read_at(entry, first, last - first + 1) or ""
  return {
    status = 200, body = bytes,
    headers = {
      ["Content-Type"] = "application/octet-stream",
      ["Content-Range"] = ("%d-%d/%d"):format(first, math.max(last, first), size),
    },
  }
end

local function may_transfer(request)
  local role = request.user.access["all-partitions"]
  return role ~= nil
    and role ~= "guest" and role ~= "auditor" and role ~= "operator" and role ~= "no-access"
end

local function serve(device, uri, target)
  local _, depth = uri:gsub("/", "")
  device:route(uri, function(self, request)
    local name = request.segments[depth + 1]
    local method = request.method
    if target.module and not self:is_provisioned(target.module) then
      return errors.not_public(request)
    end
    if not may_transfer(request) then return require("sim.auth.login").not_permitted(request) end
    if not name then
      if method ~= "GET" then
        bad(request, "The name of the file must stand at the end of the URI")
      end
      if self.twin then return self.twin:pass(request) end
      local items = json.array {}
      for i, file in ipairs(self.disk.list(target.directory)) do
        items[i] = { name = file }
      end
      return {
        status = 200,
        body = { items = items, selfLink = "https://localhost" .. request.path },
      }
    end
    if request.segments[depth + 2] or name:find "/" or name == ".." or name == "." then
      return errors.not_registered(request)
    end
    if method == "POST" and uri == target.upload then return upload(self, request, target, name) end
    if method == "GET" or method == "HEAD" then return download(self, request, target, name) end
    if method == "DELETE" then
      if self.twin and not self.disk.find(target.directory .. "/" .. name) then
        return self.twin:not_simulated(request, "the deletion of a file of the device")
      end
      self.disk.remove(target.directory .. "/" .. name)
      return { status = 200 }
    end
    return errors.rest(request, 405, "Method not allowed: " .. method)
  end)
end

-- Calls arrived(device, directory, name) when an upload is complete.
function M.on_arrival(device, arrived)
  table.insert(device.arrival_handlers, arrived)
end

function M.install(device)
  device.state.uploads = device.state.uploads or {}
  device.arrival_handlers = {}

  for _, target in ipairs(TARGETS) do
    local served = {}
    for _, uri in ipairs { target.upload or target.downloads[1], table.unpack(target.downloads) } do
      if not served[uri] then serve(device, uri, target) end
      served[uri] = true
    end
  end
end

return M
