-- Is the device ready, and is it the active one?

local core = require "f5.core"
local stats = require "f5.stats"

local M = {}

-- The workers that all others need; the configuration is checked after them.
local WORKERS <const> = {
  "/mgmt/shared/echo/available",
  "/mgmt/shared/identified-devices/config/device-info/available",
  "/mgmt/tm/sys/available",
  "/mgmt/tm/cm/available",
}
local MAX_REFUSED_LOGINS <const> = 5
local MAX_PAUSE <const> = 5

-- All values with this name in an answer with entries.
local function values(found, name, tables)
  for key, value in pairs(tables) do
    if type(value) == "table" then
      values(found, name, value)
    elseif not name or key == name then
      found[#found + 1] = { key, value }
    end
  end
  return found
end

local function get(bip, path)
  local answer = bip:request("GET", path, { raw = true, timeout = 10 })
  return answer.status, answer.body
end

local function flat(body)
  local ok, answer = pcall(require("f5.json").decode, body)
  return ok and type(answer) == "table" and stats.flat(answer) or nil
end

-- The reason why one of the paths that a script waits for does not answer, or nil. Extensions such
-- as AS3 register their paths some time after the device is up.
local function missing(bip, paths)
  for _, path in ipairs(paths) do
    local status = get(bip, path)
    if status == 401 or status == 403 then bip:request("GET", path) end -- raises the reason
    if status < 200 or status > 299 then return ("%s answers %d"):format(path, status) end
  end
  return nil
end

-- The reason why the device is not ready, or nil.
local function obstacle(bip)
  for _, path in ipairs(WORKERS) do
    local status = get(bip, path)
    if status ~= 200 then return ("%s answers %d"):format(path, status) end
  end
  local status, body = get(bip, "/mgmt/tm/sys/mcp-state")
  local found = status == 200 and flat(body)
  if not found then return ("/mgmt/tm/sys/mcp-state answers %d"):format(status) end
  for _, pair in ipairs(values({}, "phase", found)) do
    if pair[2] ~= "running" then
      return "the configuration is not loaded: mcpd is " .. tostring(pair[2])
    end
  end
  status, body = get(bip, "/mgmt/tm/sys/ready")
  if status == 404 then return nil end -- not available before 13.1
  found = status == 200 and flat(body)
  if not found then return ("/mgmt/tm/sys/ready answers %d"):format(status) end
  for _, pair in ipairs(values({}, nil, found)) do
    if pair[2] ~= "yes" then return ("%s: %s"):format(pair[1], tostring(pair[2])) end
  end
  return nil
end

local TRANSIENT <const> = {
  not_ready = true, transport = true, timeout = true, busy = true, tls = true, protocol = true,
  auth = true,
}

-- The reason, and the error if there was one.
local function look(bip, paths)
  local ok, reason = pcall(obstacle, bip)
  if ok and not reason then ok, reason = pcall(missing, bip, paths or {}) end
  if ok then return reason end
  if type(reason) ~= "table" or not TRANSIENT[reason.kind] then error(reason, 0) end
  return tostring(reason.message), reason
end

--- session:ready(): returns whether the REST services are up and the configuration is loaded. If
-- not, it also returns the reason.
-- @return boolean, string|nil
function M.ready(bip)
  local reason = look(bip)
  return reason == nil, reason
end

local OPTIONS <const> = {
  timeout = "number", down = "number", interval = "number", progress = "function", path = "table",
  extension = "string",
}

-- The path at which an extension answers.
local function extension_path(name)
  local kinds <const> = require "f5.declare.kinds"
  local extension <const> = kinds.find(name)
  if not extension then
    core.usage_error(("wait_ready: unknown extension '%s'; expected one of %s"):format(
      name, kinds.names()))
  end
  return extension.root .. "/info"
end

local function paths_of(given)
  local paths = type(given) == "string" and { given } or given or {}
  for _, path in ipairs(paths) do
    if type(path) ~= "string" or path == "" then
      core.usage_error("wait_ready: path must be a path or an array of paths")
    end
  end
  return paths
end

--- session:wait_ready{ down =, timeout =, interval =, progress =, path = }: waits until the device
-- is ready.
-- @param options table|nil: down (seconds in which it should go away first), timeout (seconds,
--   900), interval (seconds; default grows from 0.5 to 5), progress (function(reason, seconds)),
--   path (string or array: what else must answer, such as "/mgmt/shared/echo"), extension ("as3",
--   "do", "ts" or "fast": it must answer, too)
-- @return number: seconds that it took
function M.wait_ready(bip, options)
  options = options or {}
  if type(options) ~= "table" then
    core.usage_error(("wait_ready: expected a table of options, got a %s"):format(type(options)))
  end
  for key, value in next, options do
    if type(value) ~= OPTIONS[key] and not (key == "path" and type(value) == "string") then
      core.usage_error(
        ("wait_ready: unknown option '%s' of type %s"):format(tostring(key), type(value))
      )
    end
  end
  local paths = paths_of(options.path)
  if options.extension then
    paths = table.move(paths, 1, #paths, 1, {})
    paths[#paths + 1] = extension_path(options.extension)
  end
  if options.down then -- it answers for a while before it goes
    local asked = core.now()
    while core.now() - asked < options.down and not look(bip) do
      core.sleep(math.min(options.interval or 1, 1))
    end
  end
  local limit = options.timeout or 900
  local began, pause, refusals = core.now(), options.interval or 0.5, 0
  while true do
    local reason, err = look(bip, paths)
    local passed = core.now() - began
    if not reason then return passed end
    -- A device that starts may refuse a correct password. Stop before repeated refusals lock the
    -- user.
    refusals = err and err.kind == "auth" and refusals + 1 or 0
    if refusals >= MAX_REFUSED_LOGINS then error(err, 0) end
    if options.progress then options.progress(reason, passed) end
    if passed >= limit then
      error(core.error_new { kind = "timeout", device = bip:label(), cause = err,
        message = ("not ready after %g s: %s"):format(limit, reason) }, 0)
    end
    core.sleep(math.min(pause, limit - passed))
    if not options.interval then pause = math.min(pause * 1.5, MAX_PAUSE) end
  end
end

--- session:failover_state(): "active", "standby", "offline" or "forced-offline".
function M.failover_state(bip)
  local ok, body = pcall(
    function() return bip:at("/mgmt/tm/shared/bigip-failover-state"):load() end
  )
  local state = ok and type(body) == "table" and body.failoverState
  if type(state) == "string" then return state:lower() end
  if
    not ok
    and not (type(body) == "table" and (body.kind == "not_found" or body.kind == "unsupported"))
  then
    error(body, 0)
  end
  local entry = stats.flat(bip:at("cm/failover-status"):load())[1] or {}
  return (tostring(entry.status or "unknown"):lower():gsub(" ", "-"))
end

return M
