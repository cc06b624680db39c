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

-- -- packages -------------------------------------------------------------------------------------

local RPM_MAGIC <const> = "\xED\xAB\xEE\xDB" -- the first bytes of each package

-- Refuses a file that no device installs, before it is uploaded.
local function check_package(file, name)
  if not name:find "%.rpm$" then
    core.usage_error(
      ("install_package: '%s' is not a package: its name does not end with .rpm"):format(name)
    )
  end
  local opened <close> = io.open(file, "rb")
  if opened and opened:read(#RPM_MAGIC) ~= RPM_MAGIC then
    core.usage_error(
      ("install_package: '%s' is not an RPM package: it does not begin like one"):format(name)
    )
  end
end

--- Whether AS3 works on a declaration now.
-- @param run f5.declare.run
function M.is_at_work(run)
  local ok, answer = run:try("GET", kinds.find("as3").root .. "/task")
  local list = ok and type(answer) == "table" and answer.items
  for _, record in ipairs(type(list) == "table" and list or {}) do
    local results = type(record) == "table" and record.results
    local first = type(results) == "table" and results[1]
    if type(first) == "table" and first.message == "in progress" then return true end
  end
  return false
end

-- The restart after an installation would cancel a declaration.
local function wait_for_declarations(run)
  while M.is_at_work(run) do
    if run:is_over() then
      error(run:timeout {
        method = "POST", path = TASKS,
        message = ("AS3 still works on a declaration after %g s; nothing was installed, because "
          .. "the restart would cancel it"):format(run.limit),
      }, 0)
    end
    run:tell "AS3 works on a declaration"
    run:pause "declaration"
  end
end

-- Waits until the extension answers in the version of the package. An older one may still answer
-- for a moment.
local function wait_for_version(run, version)
  while true do
    local info <const> = M.info(run)
    if not version or info.version == version then return info end
    if run:is_over() then
      error(run:timeout {
        method = "GET", path = run.extension.root .. "/info",
        message = ("%s %s is installed, but version %s answers after %g s"):format(
          run.extension.label, version, tostring(info.version), run.limit),
      }, 0)
    end
    run:tell(("version %s still answers"):format(tostring(info.version)))
    run:pause "version"
  end
end

local function is_installed(bip, extension, version, release)
  local there = has_package(packages(bip) or {}, extension)
  return there and version and there.version == version and there.release == release
end

--- session:install_package(file, { timeout =, progress = }): uploads a package, installs it, and
--- waits until its extension answers. A package that is installed already is not sent.
-- @return table: name (of the package), extension (nil: f5lua does not know it), version, seconds,
--   changed
function M.install_package(bip, file, options)
  local name <const> = file:match "([^/]*)$"
  check_package(file, name)
  local extension <const> = kinds.of_package(name)
  local version, release = name:match "%-([%d%.]+)%-([^-.]+)%.[^.]+%.rpm$"
  local run <const> = calls.new(bip, extension or kinds.EXTENSIONS[1], options)
  local done <const> = { name = name, extension = extension and extension.name, changed = true }
  if extension and is_installed(bip, extension, version, release) then
    done.changed = false
  else
    run:tell "upload"
    local sent <const> = bip:upload(file)
    wait_for_declarations(run)
    run:tell "install"
    local task <const> = bip:task(TASKS, { operation = "INSTALL", packageFilePath = sent.path })
    task:wait { timeout = math.max(1, run.limit - run:passed()) }
  end
  if extension then done.version = wait_for_version(run, version).version end
  done.seconds = run:passed()
  return done
end

return M
