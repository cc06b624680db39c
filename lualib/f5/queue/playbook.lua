--- The playbook of a run, from its archive, in an environment of its own: a worker carries out many
-- runs at the same time, and none of them sees globals or modules of another.

local archive = require "build.archive"
local core = require "f5.core"
local defer = require "f5.jobs.defer"
local exits = require "f5.safe.exits"
local printed = require "f5.queue.printed"

local Playbook = {}
Playbook.__index = Playbook

local function refuse(format, ...)
  error(core.error_new { kind = "usage", message = format:format(...) }, 0)
end

-- Without a first line for the shell.
local function source(text) return (text:gsub("^#[^\n]*", "")) end

--- Unpacks an archive.
-- @param bytes string
-- @param arguments array of strings
function Playbook.new(bytes, arguments)
  local entries, why = archive.read(bytes)
  if not entries then refuse("the playbook does not unpack: %s", why) end
  local self = setmetatable({ modules = {}, loaded = {}, assets = {}, arguments = arguments },
    Playbook)
  for _, entry in ipairs(entries) do
    if entry.kind == "main" then self.main = entry end
    if entry.kind == "module" then self.modules[entry.name] = entry end
    if entry.kind == "asset" then self.assets[entry.name] = entry.contents end
  end
  if not self.main then refuse "the archive has no playbook" end
  local chunk, problem = load(source(self.main.contents), "@" .. self.main.name, "t")
  if not chunk then refuse("the playbook does not load: %s", problem) end
  return self
end

-- require of a playbook: modules of its archive are loaded once for each run.
function Playbook:require(name, environment)
  local entry = self.modules[name]
  if not entry then return require(name) end
  local known = self.loaded[name]
  if known ~= nil then return known, entry.name end
  local chunk, problem = load(source(entry.contents), "@" .. entry.name, "t", environment)
  if not chunk then error(problem, 0) end
  local result = chunk(name, entry.name)
  if result == nil then result = true end
  self.loaded[name] = result
  return result, entry.name
end

--- From now on this process carries out playbooks: each may end itself, none the process.
function Playbook.keep_process()
  exits.refuse "os.exit would end the worker: return from the playbook, or raise an error"
end

-- The globals of one device, or of the modules.
function Playbook:environment(values)
  local environment = setmetatable(values, { __index = _G })
  environment._G = environment
  environment.print, environment.f5 = printed.print, require "f5"
  environment.arg = table.move(self.arguments, 1, #self.arguments, 1, { [0] = self.main.name })
  function environment.require(name)
    self.shared = self.shared or self:environment {}
    return self:require(name, self.shared)
  end
  return environment
end

--- Runs the playbook on one device. It uses `bip` and `device`, or returns a function of them.
-- @return what it returns
function Playbook:run(bip, device)
  return defer.call(function()
    local environment = self:environment { bip = bip, device = device }
    local chunk = load(source(self.main.contents), "@" .. self.main.name, "t", environment)
    local result = chunk(table.unpack(self.arguments))
    if type(result) == "function" then return result(bip, device) end
    return result
  end)
end

return Playbook
