-- Which extensions a device has, whether they answer, and how to install one.

local calls = require "f5.declare.calls"
local core = require "f5.core"
local json = require "f5.json"
local kinds = require "f5.declare.kinds"

local M = {}

local PACKAGES <const> = "/mgmt/shared/iapp/global-installed-packages"
local TASKS <const> = "/mgmt/shared/iapp/package-management-tasks"

local function info_of(answer)
  if type(answer) == "table" and rawlen(answer) > 0 then answer = answer[1] end -- of DO
  return type(answer) == "table" and answer or {}
end

-- The packages of the device: array of { name, version, release }; nil if it does not list them.
local function packages(bip)
  local ok, answer = pcall(bip.request, bip, "GET", PACKAGES)
  if not ok then
    if type(answer) == "table" and answer.kind == "cancelled" then error(answer, 0) end
    return nil
  end
  local list = type(answer) == "table" and type(answer.items) == "table" and answer.items or nil
  if not list then return nil end
  local found = {}
  for _, one in ipairs(list) do
    local name = type(one) == "table" and (one.appName or one.packageName)
    if type(name) == "string" then
      found[#found + 1] = { name = name, version = one.version, release = one.release }
    end
  end
  return found
end

local function has_package(list, extension)
  for _, one in ipairs(list) do
    if kinds.of_package(one.name) == extension then return one end
  end
  return nil
end

local function names_of(list)
  local names = {}
  for i, one in ipairs(list) do
    names[i] = one.version and ("%s %s"):format(one.name, one.version) or one.name
  end
  return #names > 0 and table.concat(names, ", ") or "none"
end

-- The extension does not answer, and the device says that its package is not there.
local function not_installed(bip, extension, list, cause)
  return core.error_new {
    kind = "unsupported", device = bip:label(), method = "GET", path = extension.root .. "/info",
    status = cause.status, cause = cause,
    message = ("%s is not installed on this device (packages: %s); bip:install_package(FILE) "
      .. "installs it"):format(extension.label, names_of(list)),
  }
end

--- Waits until an extension answers; returns what it says about itself. If its package is not
--- installed, it does not wait.
-- @param run f5.declare.run
function M.info(run)
  local extension <const>, asked = run.extension, false
  while true do
    local ok, answer = run:try("GET", extension.root .. "/info")
    if ok then return info_of(answer) end
    if not calls.is_transient(answer) then error(answer, 0) end
    if answer.status == 404 and not asked then
      local list = packages(run.bip)
      asked = list ~= nil
      if list and not has_package(list, extension) then
        error(not_installed(run.bip, extension, list, answer), 0)
      end
    end
    if run:is_over() then
      error(run:timeout {
        method = "GET", path = extension.root .. "/info", cause = answer,
        message = ("%s does not answer after %g s: it still starts, its package was lost in an "
          .. "upgrade, the user admin is disabled, or this version of TMOS is too old for it")
          :format(extension.label, run.limit),
      }, 0)
    end
    run:tell(extension.label .. " does not answer yet")
    run:pause "info"
  end
end

-- Whether an extension answers, and what it says about itself. One that is not there is not asked
-- again: there are several.
local function look(run, path)
  local ok, answer = run:try("GET", path, { raw = true })
  if not ok then
    if not calls.is_transient(answer) then error(answer, 0) end
    return false
  end
  if answer.status == 401 or answer.status == 403 then
    return true, run.bip:request("GET", path) -- raises the reason
  end
  local decoded, body = pcall(json.decode, answer.body)
  return answer.status == 200 and decoded, body
end

--- session:extensions(): what is installed.
-- @return array of { name, label, version, release, path, ready }; ready: it answers
function M.extensions(bip)
  local out, list = json.array {}, nil
  for _, extension in ipairs(kinds.EXTENSIONS) do
    local run <const> = calls.new(bip, extension, { timeout = 0 })
    local ok, answer = look(run, extension.root .. "/info")
    local one = { name = extension.name, label = extension.label, path = extension.root }
    if ok then
      local info <const> = info_of(answer)
      one.version, one.release, one.ready = info.version, info.release, true
      out[#out + 1] = one
    else
      list = list or packages(bip) or {}
      local package <const> = has_package(list, extension)
      if package then
        one.version, one.release, one.ready = package.version, package.release, false
        out[#out + 1] = one
      end
    end
  end
  return out
end

--- session:install_package(file, { timeout =, progress = }): uploads a package, installs it, and
--- waits until its extension answers.
-- @return table: name (of the package), extension (nil: f5lua does not know it), version, seconds
function M.install_package(bip, file, options)
  local name = file:match "([^/]*)$"
  if not name:find "%.rpm$" then
    core.usage_error(
      ("install_package: '%s' is not a package: its name does not end with .rpm"):format(name)
    )
  end
  local extension <const> = kinds.of_package(name)
  local run <const> = calls.new(bip, extension or kinds.EXTENSIONS[1], options)
  run:tell "upload"
  local sent <const> = bip:upload(file)
  run:tell "install"
  local task <const> = bip:task(TASKS, { operation = "INSTALL", packageFilePath = sent.path })
  task:wait { timeout = math.max(1, run.limit - run:passed()) }
  if not extension then return { name = name, seconds = run:passed() } end
  local info <const> = M.info(run)
  return {
    name = name, extension = extension.name, version = info.version, seconds = run:passed(),
  }
end

return M
