-- Files of ASM: uploads in chunks to /mgmt/tm/asm/file-transfer/uploads, downloads from …/downloads, and what tasks read and write.
local entity = require "sim.asm.entity"
local errors = require "sim.errors"

local M = {}

local FOLDER <const> = "/ts/var/rest/"
local CHUNK <const> = 1024 * 1024

local function files(device)
  return device.state.asm.files
end

-- Tasks name a file with or without its folder.
local function base(name) return tostring(name):match("([^/]+)$") or "" end

--- The contents of a file, nil if there is none.
function M.read(device, name) return files(device)[base(name)] end

function M.write(device, name, contents) files(device)[base(name)] = contents end

--- What a task works on: `file` inline (Base64 or not), or the file called `filename`. Refuses what is not there.
function M.input(device, object)
  local digest <const> = require "sim.digest"
  if object.file and object.file ~= "" then
    if not object.isBase64 then return object.file end
    return digest.unbase64(object.file) or entity.refuse("The file is not Base64 encoded.")
  end
  if object.filename and object.filename ~= "" then
    local contents <const> = M.read(device, object.filename)
    if not contents then entity.refuse(("The file '%s' was not found."):format(object.filename)) end
    return object.isBase64 and (digest.unbase64(contents) or entity.refuse("The file is not Base64 encoded.")) or contents
  end
  entity.refuse("Failed Required Fields: Must have at least 1(one) of (file, filename)")
end

local function range_of(request)
  local from <const>, to <const>, total <const> = (request.headers["content-range"] or ""):match("^%s*(%d+)%-(%d+)/(%d+)%s*$")
  return math.tointeger(tonumber(from)), math.tointeger(tonumber(to)), math.tointeger(tonumber(total))
end

local function upload(device, request, name)
  local from, to, total = range_of(request)
  local body <const> = request.body
  if not from then from, to, total = 0, #body - 1, #body end
  if to - from + 1 ~= #body then
    return errors.rest(request, 400, ("Chunk byte count %d different from received buffer length %d"):format(to - from + 1, #body))
  end
  if #body > CHUNK then return errors.rest(request, 400, "The chunk is longer than 1048576 bytes.") end
  local uploads <const> = device.state.asm.uploads
  if from == 0 or not uploads[name] then uploads[name] = { total = total, chunks = {} } end
  local upload_state <const> = uploads[name]
  if upload_state.total ~= total then return errors.rest(request, 400, "The total size changed during the upload.") end
  upload_state.chunks[tostring(from)] = body
  local starts, received, used = {}, 0, {}
  for start, chunk in pairs(upload_state.chunks) do
    starts[#starts + 1] = math.tointeger(tonumber(start))
    received = received + #chunk
    used[start] = #chunk
  end
  if received >= total then
    table.sort(starts)
    local parts = {}
    for index, start in ipairs(starts) do parts[index] = upload_state.chunks[tostring(start)] end
    M.write(device, name, table.concat(parts))
    uploads[name] = nil
  end
  return {
    status = 200,
    body = {
      remainingByteCount = math.max(0, total - received), usedChunks = used, totalByteCount = total, localFilePath = FOLDER .. name,
      temporaryFilePath = FOLDER .. "tmp/" .. name, generation = 0, lastUpdateMicros = device:now(),
    },
  }
end

local function download(device, request, name)
  local contents <const> = M.read(device, name)
  if not contents then return errors.rest(request, 404, ("File not found: %s%s"):format(FOLDER, name)) end
  local from, to = range_of(request)
  from, to = from or 0, to or CHUNK - 1
  if from > 0 and from >= #contents then
    return errors.rest(request, 400, ("The range starts behind the end of the file (%d bytes)."):format(#contents))
  end
  to = math.min(to, #contents - 1, from + CHUNK - 1)
  local part <const> = contents:sub(from + 1, to + 1)
  return {
    status = #part == #contents and 200 or 206, body = part,
    headers = { ["Content-Type"] = "application/octet-stream", ["Content-Range"] = ("%d-%d/%d"):format(from, to, #contents) },
  }
end

--- Answers a request below /mgmt/tm/asm/file-transfer.
function M.handle(device, request)
  if not device:is_provisioned("asm") then return errors.not_public(request) end
  local segments <const> = request.segments
  local where <const>, name <const> = segments[5], segments[6]
  if name and #segments == 6 then
    if where == "uploads" and request.method == "POST" then return upload(device, request, name) end
    if where == "downloads" and request.method == "GET" then return download(device, request, name) end
  end
  return errors.not_public(request)
end

return M
