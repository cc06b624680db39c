-- bip:snapshot{ … }: reads the configuration of a device, into a file or into memory.

local core = require "f5.core"
local file = require "f5.state.file"
local json = require "f5.json"
local read = require "f5.state.read"

local M = {}

local OPTIONS <const> = {
  paths = "table", partition = "string", file = "string", page = "integer", parallel = "integer",
  progress = "function",
}

local function check(options)
  if options ~= nil and type(options) ~= "table" then
    core.usage_error(
      3, ("snapshot: expected a table of options, got a %s"):format(type(options))
    )
  end
  for key, value in pairs(options or {}) do
    local want = OPTIONS[key]
    if key == "paths" and type(value) == "string" then
      want = "string"
    elseif not want then
      core.usage_error(3, ("snapshot: unknown option '%s'"):format(tostring(key)))
    end
    local is = math.type(value) == "integer" and "integer" or type(value)
    if is ~= want then
      core.usage_error(3, ("snapshot: '%s' must be of type %s, not %s"):format(key, want, is))
    end
    if want == "integer" and value < 1 then
      core.usage_error(3, ("snapshot: '%s' must be at least 1"):format(key))
    end
  end
  return options or {}
end

-- { "ltm/pool" } -> { "/mgmt/tm/ltm/pool" }
local function full_paths(paths)
  if type(paths) == "string" then paths = { paths } end
  local out = json.array {}
  for i, text in ipairs(paths or {}) do
    local path, reason
    if type(text) == "string" then path, reason = read.path(text) end
    if not path then
      core.usage_error(
        3, ("snapshot: '%s': %s"):format(tostring(text), reason or "expected a path")
      )
    end
    out[i] = path
  end
  return out
end

M.paths = full_paths

-- A partition that does not exist is no empty one. If the user may not read it, nobody knows.
local function check_partition(bip, name)
  local ok, exists = pcall(function() return bip.auth.partition[name]:exists() end)
  if not ok and type(exists) == "table" and exists.kind == "cancelled" then error(exists, 0) end
  if not ok or exists then return end
  error(core.error_new {
    kind = "not_found", device = bip:label(),
    message = ("the device has no partition '%s'"):format(name),
  }, 0)
end

-- Reads the device into a sink. Returns what was left out, and the number of objects.
local function fill(bip, sink, options)
  local left_out, count = read.read(bip, sink, {
    paths = full_paths(options.paths), partition = options.partition, page = options.page,
    parallel = options.parallel, progress = options.progress,
  })
  if count == 0 and options.partition and not options.may_lack then
    check_partition(bip, options.partition)
  end
  return left_out, count
end

local function label(bip, header)
  local hostname, version = header.device.hostname or "?", header.device.version
  return ("%s (%s, %s)"):format(
    bip:label(), version and hostname .. " " .. version or hostname, header.time
  )
end

--- The state of a device, to compare it.
-- @param options table: paths, partition, page, parallel, progress; may_lack (true: the device need
--   not have the partition)
function M.state(bip, options)
  local sink = file.memory()
  fill(bip, sink, options)
  sink.state.label = label(bip, sink.state.header)
  return sink.state
end

--- session:snapshot{ paths =, partition =, file =, page =, parallel =, progress = }
-- @return with `file`: table { file =, objects =, complete =, left_out = }; else an f5.state
function M.snapshot(bip, options)
  options = check(options)
  if not options.file then return M.state(bip, options) end
  local writer <close> = file.create(options.file)
  local left_out, count = fill(bip, writer, options)
  writer:keep()
  return {
    file = options.file, objects = count, complete = left_out.complete, left_out = left_out,
  }
end

--- Writes a snapshot to a function(text, …), piece by piece. Its end is missing if this fails.
-- @return table: as of `snapshot` with a file, without `file`
function M.stream(bip, out, options)
  local left_out, count = fill(bip, file.stream(out), options)
  return { objects = count, complete = left_out.complete, left_out = left_out }
end

return M
