-- Which requests a twin carries out itself, which it passes on to the device, and which nothing
-- here simulates.
local errors = require "sim.http.errors"
local json = require "f5.json"
local kinds = require "sim.twin.kinds"

local M = {}

-- Paths below /mgmt, the longest that fits counts:
--   own     the twin carries them out
--   pass    the device is read; writes are not simulated
--   never   the device is not even read: a GET there changes it
local WAYS <const> = {
  [""] = "pass",
  ["f5lua-sim"] = "own",
  ["tm"] = "own",
  ["shared/authn"] = "own",
  ["shared/authz/tokens"] = "own",
  ["shared/authz/users"] = "own",
  ["shared/authz/roles"] = "own",
  ["shared/echo"] = "own",
  ["shared/echo-query"] = "own",
  ["shared/file-transfer"] = "own",
  ["shared/appsvcs"] = "never",
  ["shared/appsvcs/info"] = "pass",
  ["cm/autodeploy"] = "own",
  ["tm/asm"] = "pass",
  ["tm/live-update"] = "pass",
  ["tm/apm/access-info"] = "pass",
  ["tm/apm/session"] = "pass",
  ["tm/apm/oauth/token-details"] = "pass",
  ["tm/apm/url-filter"] = "pass",
  ["tm/access"] = "pass",
  ["tm/adc"] = "pass",
  ["tm/shared"] = "pass",
  ["tm/sys/ready"] = "pass",
  ["tm/sys/mcp-state"] = "pass",
  ["tm/sys/license"] = "pass",
  ["tm/sys/ucs"] = "pass",
  ["tm/sys/software"] = "pass",
  ["tm/sys/software/update"] = "own", -- when the device looks for updates
  ["tm/cm/failover-status"] = "pass",
  ["tm/cm/sync-status"] = "pass",
  ["tm/cm/trust-domain"] = "pass",
}

-- tmsh commands over REST that the twin carries out: { command, pattern of the kind }.
local COMMANDS <const> = {
  { "save", "^sys/config$" }, { "load", "^sys/config$" }, { "publish", "^ltm/policy" },
  { "mv", "^." }, { "cp", "^." }, { "reset-stats", "^." }, { "run", "^util/" },
}

local tree  -- WAYS by segments

local function grow()
  tree = { children = {} }
  for path, way in pairs(WAYS) do
    local node = tree
    for segment in path:gmatch "[^/]+" do
      node.children[segment] = node.children[segment] or { children = {} }
      node = node.children[segment]
    end
    node.way = way
  end
end

local function way_of(segments)
  if not tree then grow() end
  local node, way = tree, tree.way
  for i = 2, #segments do
    node = node.children[segments[i]]
    if not node then break end
    way = node.way or way
  end
  return way
end

local PROVISION <const> = "/mgmt/tm/sys/provision"

local READS <const> = { GET = true, HEAD = true, OPTIONS = true }

local function respond(answer)
  local html = answer.body:find "^%s*<"
  return {
    status = answer.status, body = answer.body,
    headers = html and { ["Content-Type"] = "text/html; charset=iso-8859-1" } or {},
  }
end

local function is_json(answer)
  return answer.status == 200 and pcall(json.decode, answer.body)
end

local methods = {}
M.methods = methods

--- The answer of the device to a GET of a target, path and query: { status =, body = text, range =
--- its Content-Range, if one was asked for }. `range`: a Content-Range for the request.
function methods:fetch(target, range)
  local answer = self.job and self.job.fetched[target]
  if answer then
    if range then
      self:touch_file(target, range, answer)
    elseif answer.status == 404 or is_json(answer) then
      self:touch("raw", target, answer)
    end
    return answer
  end
  if not self.online then error(errors.tm(502, "the twin cannot read now"), 0) end
  return self:miss { {
    kind = "raw", path = target:match "^[^?]*", target = target, range = range,
  } }
end

--- Whether objects of a kind are kept in the twin: not those of paths that it only passes on.
function methods.is_read(_, template)
  local segments = { "mgmt", "tm" }
  for segment in template:gmatch "[^/]+" do segments[#segments + 1] = segment end
  return way_of(segments) == "own"
end

--- Answers a GET with what the device answers now.
function methods:pass(request)
  return respond(self:fetch(request.target))
end

-- The refusal of a task that the twin cannot carry out; nil for all other requests.
local function refuse_task(self, request)
  local segments = request.segments
  if segments[2] ~= "tm" or segments[3] ~= "task" or request.method ~= "POST" then return nil end
  local template = table.concat(segments, "/", 4)
  if not self:is_read(template) then
    return self:not_simulated(request, "tasks of " .. template)
  end
  local command = type(request.json) == "table" and request.json.command
  return type(command) == "string" and self:command(request, command, template) or nil
end

--- Answers a download of a file that only the device has.
function methods:download(request)
  local answer = self:fetch(request.target, request.headers["content-range"] or "0-0/0")
  local response = respond(answer)
  if answer.status == 200 and answer.range then
    response.headers["Content-Type"] = "application/octet-stream"
    response.headers["Content-Range"] = answer.range
  end
  return response
end

--- Answers a request that is not a plain one of the configuration; nil for all others.
function methods:route(request)
  local segments = request.segments
  if segments[1] ~= "mgmt" then return nil end
  local way = way_of(segments)
  if way == "own" then return refuse_task(self, request) end
  if way == "never" then
    return self:not_simulated(request, "it is not even read: a GET can change the device")
  end
  if not READS[request.method] then
    return self:not_simulated(request, "what the device does at " .. request.path)
  end
  if request.method ~= "GET" then return nil end
  if request.headers["content-range"] then return self:download(request) end
  return self:pass(request)
end

--- Answers a tmsh command that the twin does not carry out; nil for one that it does.
function methods:command(request, command, template)
  for _, entry in ipairs(COMMANDS) do
    if entry[1] == command and template:find(entry[2]) then
      local body = request.json or {}
      if command == "load" and body.name == "default" then break end
      if template:find "^util/" then
        self:assume(request.path, nil, "the command ran in the shell that f5lua simulates")
      end
      return nil
    end
  end
  return self:not_simulated(request, ("the command %s of %s"):format(command, template))
end

--- Answers a request of the configuration whose path the catalogue does not know. What the device
--- has there is kept as it is.
function methods:unknown(request)
  local method = request.method
  if method == "GET" then
    local answer = self:fetch(request.target)
    local ok, body = pcall(json.decode, answer.body)
    if answer.status == 200 and ok and type(body) == "table" then
      kinds.learn(self, request.segments, body)
    end
    return respond(answer)
  end
  local answer = self:fetch(require("sim.config.names").encoded(request.path))
  local ok, body = pcall(json.decode, answer.body)
  if
    answer.status == 200 and ok and type(body) == "table"
    and kinds.learn(self, request.segments, body)
  then
    return self.device:dispatch(request)
  end
  if answer.status == 200 then
    return self:not_simulated(request, "a kind of object that f5lua does not know")
  end
  return respond(answer)
end

--- What the device answered for an object that it does not have; nil if it has it.
function methods:refusal(path)
  local known = self:state().absent[path]
  if type(known) ~= "table" or self.device.store.items[path] then return nil end
  return { status = known.status, body = known.body }
end

--- Answers a GET of the configuration with what the device says: of what it does not have, and
--- statistics that no change here concerns. Nil for all others.
function methods:read(request, target)
  local is_stats = target.suffix == "stats"
  if target.what == "show" or target.what == "organizing" or target.suffix == "example" then
    return self:pass(request)
  end
  if is_stats then
    if target.what == "resource" and not target.public then
      if not self:is_concerned(target.path) then return self:pass(request) end
      self.touched = nil -- statistics change by themselves
      self:begin_statistics(target.path)
    elseif target.what == "collection" and self:concerns_collection(target.path) then
      self.touched = nil
      for _, segment in ipairs(self.device.store:segments(target.path)) do
        self:begin_statistics(target.path .. "/" .. segment)
      end
    else
      return self:pass(request)
    end
    return nil
  end
  local store = self.device.store
  if target.public then return nil end
  self:touch_get(request, target)
  if target.what == "collection" then
    store:segments(target.path)
  else
    store:get(target.path)
  end
  return self:refusal(target.path)
end

--- Before a write to an object of the configuration.
function methods:write(target, body)
  if target.what == "singleton" or target.what == "collection" and not target.parent then
    if target.what == "singleton" then self.device.store:get(target.path) end
    local refusal = self:refusal(target.path)
    if refusal then error(refusal, 0) end
  end
  self:written(target, body)
end

--- Whether the request wants what is inside of an object or a collection, too.
function methods:expands()
  local request = self.request
  return request ~= nil and request.query.expandSubcollections == "true" or nil
end

--- Whether a module is provisioned on the device.
function methods:is_provisioned(module)
  if self.online then
    self.device.store:fetch_all(PROVISION)
    self:touch("object", PROVISION .. "/" .. module)
  end
  local level = self.device.state.provision[module]
  return level ~= nil and level ~= "none"
end

return M
