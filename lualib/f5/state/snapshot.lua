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
    local path = type(text) == "string" and read.path(text)
    if not path then
      core.usage_error(
        3, ("snapshot: '%s' is not a path below /mgmt/tm"):format(tostring(text))
      )
    end
    out[i] = path
  end
  return out
end

M.paths = full_paths

--- session:snapshot{ paths =, partition =, file =, page =, parallel =, progress = }
-- @return with `file`: table { file =, objects =, complete =, left_out = }; else an f5.state
function M.snapshot(bip, options)
  options = check(options)
  local count = 0
  local given = {
    paths = full_paths(options.paths), partition = options.partition, page = options.page,
    parallel = options.parallel,
    progress = function(objects, path)
      count = objects
      if options.progress then options.progress(objects, path) end
    end,
  }
  if not options.file then
    local sink = file.memory()
    read.read(bip, sink, given)
    local state = sink.state
    local version = state.header.device.version
    state.label = ("%s (%s, %s)"):format(
      bip:label(),
      (state.header.device.hostname or "?") .. (version and " " .. version or ""),
      state.header.time
    )
    return state
  end
  local writer <close> = file.create(options.file)
  local left_out = read.read(bip, writer, given)
  writer:keep()
  return {
    file = options.file, objects = count, complete = left_out.complete, left_out = left_out,
  }
end

return M
