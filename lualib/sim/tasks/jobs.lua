-- Long jobs outside of /mgmt/tm/task, all with the same life: a POST creates the job, it passes
-- through states, a result appears.
--
-- state.jobs = { [family] = { [id] = item } }; state.packages = { [name] = true }: the installed
-- iApp LX packages.
local json = require "f5.json"
local backup = require "sim.tasks.backup"
local clock = require "sim.clock"
local errors = require "sim.http.errors"
local extensions = require("sim.lazy") "sim.extensions"
local native = require "sim.native"
local users = require "sim.auth.users"

local M = {}

local SECOND <const> = 1000000

local function reference(request)
  return { link = "https://localhost/mgmt/shared/authz/users/" .. request.user.name }
end

-- -- qkview --

local function prepare_qkview(_, request, body)
  if type(body.name) ~= "string" or body.name == "" or body.name:find "/" then
    error(errors.rest(request, 400, "name must be the name of a file"), 0)
  end
  return { name = body.name }
end

local function make_qkview(device, item)
  device.disk.write("/var/tmp/" .. item.name, "qkview of " .. device.hostname .. "\n")
  item.qkviewUri = "https://localhost/mgmt/cm/autodeploy/qkview-downloads/" .. item.name
  return true
end

-- -- packages --

local OPERATIONS <const> = { INSTALL = "packageFilePath", UNINSTALL = "packageName", QUERY = true }

local function prepare_package(_, request, body)
  local needs = OPERATIONS[body.operation]
  if not needs or needs ~= true and type(body[needs]) ~= "string" then
    error(
      errors.rest(
        request,
        400,
        (
          "operation must be INSTALL with packageFilePath, UNINSTALL with packageName, or QUERY; "
            .. "it is %s"
        ):format(
          tostring(body.operation)
        )
      ),
      0
    )
  end
  return {
    operation = body.operation,
    packageFilePath = body.packageFilePath,
    packageName = body.packageName,
    userReference = reference(request),
    identityReferences = json.array { reference(request) },
  }
end

-- "f5-appsvcs-3.50.0-1.noarch" -> name, version, release, architecture
local function split_package(name)
  return name:match "^(.+)%-([^-]+)%-([^-]+)%.([^.]+)$"
end

local RPM_MAGIC <const> = "\xED\xAB\xEE\xDB" -- the first bytes of each package

-- Whether a version with its release ("3.50.2", "3") is newer than another one.
local function is_newer(version, release, than_version, than_release)
  local is, than = (version .. "." .. release):gmatch "%d+",
    (than_version .. "." .. than_release):gmatch "%d+"
  while true do
    local a, b = tonumber(is()), tonumber(than())
    if not a or not b then return a ~= nil end
    if a ~= b then return a > b end
  end
end

-- What rpm -U says against a package; nil: it is installed. Takes an older version away.
local function upgrade(packages, name)
  local short, version, release = split_package(name)
  for there in pairs(packages) do
    local other, of_there, its_release = split_package(there)
    if other == short and there ~= name then
      if is_newer(of_there, its_release, version, release) then
        return ("package %s (which is newer than %s) is already installed"):format(there, name)
      end
      packages[there] = nil
    end
  end
  if packages[name] then return ("package %s is already installed"):format(name) end
  packages[name] = true
  return nil
end

local function install_package(device, item)
  local path <const> = item.packageFilePath
  local name = path:match "([^/]+)%.rpm$"
  local file = device.disk.find(path)
  if not file then return false, "Package file does not exist: " .. path end
  if not name or not split_package(name) then return false, "Not an RPM package: " .. path end
  if device.disk.read_at(file, 0, #RPM_MAGIC) ~= RPM_MAGIC then
    return false,
      ("Failed to analyze %s - java.lang.Exception: Failed to read %s"):format(path, path)
  end
  local why = upgrade(device.state.packages, name)
  if why then
    return false, ("Failed to install %s: /opt/bin/rpm --dbpath /var/config/rest/rpm -U --nodeps "
      .. "%s: RPM returned error code 1. Output=%s"):format(path, path, why)
  end
  extensions.restnoded_restarts(device)
  item.packageName, item.packageManifest = name, { tags = json.array { "IAPP" } }
  return true
end

local function handle_package(device, item)
  local packages = device.state.packages
  if item.operation == "INSTALL" then
    return install_package(device, item)
  elseif item.operation == "UNINSTALL" then
    if not packages[item.packageName] then
      return false, ("package %s is not installed"):format(item.packageName)
    end
    packages[item.packageName] = nil
    extensions.restnoded_restarts(device)
    return true
  end
  local names, found = {}, json.array {}
  for name in pairs(packages) do names[#names + 1] = name end
  table.sort(names)
  for i, full in ipairs(names) do
    local name, version, release, arch = split_package(full)
    found[i] = {
      name = name, version = version, release = release, arch = arch, packageName = full,
      tags = json.array { "IAPP" },
    }
  end
  item.queryResponse = found
  return true
end

-- The families of jobs: URI, states, what a job does. The first state lasts a second, the second
-- one `seconds`.
local FAMILIES <const> = {
  {
    uri = "/mgmt/tm/shared/sys/backup",
    kind = "tm:shared:sys:backup:ucsbackuptaskitem",
    collection = "ucsbackuptaskcollection",
    states = { "CREATED", "STARTED" },
    done = "FINISHED",
    failed = "FAILED",
    seconds = 5,
    prepare = backup.prepare,
    run = backup.run,
    message = "errorMessage",
  },
  {
    uri = "/mgmt/cm/autodeploy/qkview",
    kind = "cm:autodeploy:qkview:qkviewtaskitem",
    collection = "qkviewtaskcollection",
    states = { "IN_PROGRESS", "IN_PROGRESS" },
    done = "SUCCEEDED",
    failed = "FAILED",
    seconds = 10,
    prepare = prepare_qkview,
    run = make_qkview,
  },
  {
    uri = "/mgmt/shared/iapp/package-management-tasks",
    kind = "shared:iapp:package-management-tasks:iapppackagemanagementtask",
    collection = "iapppackagemanagementcollection",
    states = { "CREATED", "STARTED" },
    done = "FINISHED",
    failed = "FAILED",
    seconds = 1,
    prepare = prepare_package,
    run = handle_package,
    message = "errorMessage",
  },
}

local function touch(device, item)
  item.generation = item.generation + 1
  item.lastUpdateMicros = device:now()
end

local function items_of(device, family)
  local jobs = device.state.jobs
  jobs[family.uri] = jobs[family.uri] or {}
  return jobs[family.uri]
end

local function create(device, request, family)
  local item = family.prepare(device, request, request.json or {})
  local id = users.uuid(native.random(16))
  item.id, item.status, item.generation, item.lastUpdateMicros =
    id, family.states[1], 1, device:now()
  item.ownerMachineId = device.machine_id
  item.kind, item.selfLink = family.kind .. "state", "https://localhost" .. family.uri .. "/" .. id
  items_of(device, family)[id] = item
  device:schedule(device:now() + SECOND // 2, "job", { family = family.uri, id = id, step = 2 })
  return { status = 200, body = item }
end

local function on_due(device, data)
  for _, family in ipairs(FAMILIES) do
    local item = family.uri == data.family and items_of(device, family)[data.id]
    if item and item.status == "CANCEL_REQUESTED" then
      touch(device, item)
      item.status, item.endTime = "CANCELED", clock.iso(device:now())
    end
    if item and (item.status == family.states[1] or item.status == family.states[2]) then
      touch(device, item)
      if data.step == 2 then
        item.status, item.startTime = family.states[2], clock.iso(device:now())
        device:schedule(
          device:now() + family.seconds * SECOND,
          "job",
          { family = data.family, id = data.id, step = 3 }
        )
      else
        local ok, message = family.run(device, item)
        item.status, item.endTime = ok and family.done or family.failed, clock.iso(device:now())
        if not ok then item[family.message or "errorMessage"] = message end
      end
    end
  end
end

local function handler(family)
  local _, depth = family.uri:gsub("/", "")
  return function(device, request)
    local id = request.segments[depth + 1]
    local method = request.method
    if request.user.access["all-partitions"] ~= "admin" then
      return require("sim.auth.login").not_permitted(request)
    end
    if not id then
      if method == "POST" then return create(device, request, family) end
      if method ~= "GET" then return errors.rest(request, 405, "Method not allowed: " .. method) end
      local items = json.array {}
      for _, item in pairs(items_of(device, family)) do items[#items + 1] = item end
      table.sort(items, function(a, b) return a.id < b.id end)
      return {
        status = 200,
        body = {
          items = items,
          generation = #items,
          lastUpdateMicros = device:now(),
          kind = family.kind:gsub("[^:]+$", family.collection) .. "state",
          selfLink = "https://localhost" .. family.uri,
        },
      }
    end
    local item = items_of(device, family)[id]
    if not item then
      return errors.rest(request, 404, "Object not found: https://localhost" .. request.path)
    end
    if method == "GET" then return { status = 200, body = item } end
    if method == "PATCH" then
      local wanted = request.json and request.json.status
      if wanted ~= "CANCEL_REQUESTED" and wanted ~= "CANCELED" then
        return errors.rest(request, 400, "only a cancellation can be patched")
      end
      if item.status == family.states[1] or item.status == family.states[2] then
        touch(device, item)
        item.status = "CANCEL_REQUESTED"
      end
      return { status = 200, body = item }
    end
    if method ~= "DELETE" then
      return errors.rest(request, 405, "Method not allowed: " .. method)
    end
    items_of(device, family)[id] = nil
    return { status = 200, body = item }
  end
end

function M.install(device)
  device.state.jobs = device.state.jobs or {}
  device.state.packages = device.state.packages or {}
  device:on("job", on_due)
  for _, family in ipairs(FAMILIES) do device:route(family.uri, handler(family)) end
  device:route("/mgmt/shared/iapp/global-installed-packages", function(self, request)
    local items = json.array {}
    for name in pairs(self.state.packages) do
      local short, version, release, arch = split_package(name)
      items[#items + 1] = {
        appName = short, packageName = name, version = version, release = release, arch = arch,
        tags = json.array { "IAPP" }, id = users.uuid(name),
      }
    end
    table.sort(items, function(a, b) return a.packageName < b.packageName end)
    return {
      status = 200,
      body = {
        items = items,
        generation = 1,
        kind = "shared:iapp:global-installed-packages:installedpackagecollectionstate",
        selfLink = "https://localhost" .. request.path,
      },
    }
  end)
end

return M
