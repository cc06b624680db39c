-- The workers of restjavad that have no module of their own. Their paths and kinds are facts of the
-- catalogue (sim/catalogue/workers.lua). On a new device their collections are empty, and the
-- others show only what every worker has. What they do on a POST is not simulated: they refuse it.
local json = require "f5.json"
local answer = require "sim.http.answer"
local commands = require "sim.commands"
local discovery = require "sim.config.discovery"
local errors = require "sim.http.errors"
local names = require "sim.config.names"
local roles = require "sim.auth.roles"

local M = {}

local link <const>, ok <const> = answer.link, answer.ok

-- Workers that the catalogue has below paths of other handlers.
local BELOW <const> = { "/mgmt/tm/asm/owasp" }

local workers  -- path below /mgmt -> { "list" or "one", kind }
local function catalogue()
  workers = workers or require "sim.catalogue.tables.workers"
  return workers
end

-- The body that every worker has.
local function state(kind, path)
  return { generation = 0, kind = kind, lastUpdateMicros = 0, selfLink = link(path) }
end

-- Saves the configuration, for users who may do it with tmsh.
local function save_config(device, request)
  if request.method == "POST" then
    local command = {
      method = "POST", user = request.user, headers = request.headers, query = {},
      json = { command = "save" }, path = "/mgmt/tm/sys/config",
      segments = { "mgmt", "tm", "sys", "config" },
    }
    local refused = roles.check(command)
    if refused then return refused end
    commands.run(device, command, { template = "sys/config", path = command.path }, command.json)
  end
  return ok(state(catalogue()["shared/save-config"][2], request.path))
end

local function echo_query(_, request)
  answer.read_only(request)
  local body = state(catalogue()["shared/echo-query"][2], request.path)
  body.stage = "STARTED"
  return ok(body)
end

-- The packages that are installed, as shared/iapp/global-installed-packages has them.
local function installed_packages(device, request)
  answer.read_only(request)
  local all = { method = "GET", headers = request.headers, query = {}, remote = request.remote,
    path = "/mgmt/shared/iapp/global-installed-packages",
    segments = { "mgmt", "shared", "iapp", "global-installed-packages" } }
  local response = device:dispatch(all)
  response.body.kind = catalogue()["shared/iapp/installed-packages"][2]
  response.body.selfLink = link(request.path)
  return response
end

-- The folder of each kind of file objects in the file store.
local FILE_FOLDERS <const> = {
  ["ssl-cert"] = "certificate_d", ["ssl-crl"] = "certificate_revocation_list_d",
  ["ssl-csr"] = "certificate_signing_request_d", ["ssl-key"] = "certificate_key_d",
}
local FIRST_OBJECT <const> = 29289

local function file_item(object, kind, n)
  local id = FIRST_OBJECT + 2 * n
  local partition = object.partition or "Common"
  local path = ("/mgmt/tm/adc/fileobject/%s/%s"):format(kind, names.segment(object.fullPath))
  local item = state(("tm:adc:fileobject:%s:fileobjectitemstate"):format(kind), path)
  item.name, item.fullPath, item.authPartition = object.name, object.fullPath, "/" .. partition
  item.generation, item.checksum, item.size = object.generation, object.checksum, object.size
  item.systemPath, item.objectId = object.systemPath, id
  item.cachePath = ("/config/filestore/files_d/%s_d/%s/%s_%d_%d"):format(
    partition,
    FILE_FOLDERS[kind],
    object.fullPath:gsub("/", ":"),
    id,
    object.revision or 1
  )
  return item
end

-- The file objects of sys/file, as tm/adc/fileobject/KIND shows them.
local function file_objects(device, request)
  answer.read_only(request)
  local kind, wanted = table.unpack(request.segments, 5, 6)
  if not FILE_FOLDERS[kind] or request.segments[7] then return errors.not_public(request) end
  local items = json.array {}
  for n, object in ipairs(device.store:list("/mgmt/tm/sys/file/" .. kind)) do
    items[n] = file_item(object, kind, n - 1)
    if wanted and names.segment(object.fullPath) == wanted then return ok(items[n]) end
  end
  if wanted then return errors.rest(request, 404, "Object not found: " .. link(request.path)) end
  local body = state(catalogue()["tm/adc/fileobject/" .. kind][2], request.path)
  body.items = items
  return ok(body)
end

-- The names directly below a path, as links.
local function listing(path)
  local seen, list = {}, {}
  for other in pairs(catalogue()) do
    local name = other:sub(1, #path + 1) == path .. "/" and other:match("^[^/]+", #path + 2)
    if name and not seen[name] then
      seen[name] = true
      list[#list + 1] = name
    end
  end
  table.sort(list)
  local items = {}
  for i, name in ipairs(list) do
    items[i] = { reference = { link = link("/mgmt/" .. path .. "/" .. name) } }
  end
  return json.array(items)
end

local function read(worker, path)
  local body = state(worker[2], path)
  if worker[1] == "list" then body.items = json.array {} end
  return ok(body)
end

-- What of a path is a worker: the worker and the segments below it.
local function find(segments)
  for last = #segments, 3, -1 do
    local worker = catalogue()[table.concat(segments, "/", 2, last)]
    if worker then return worker, #segments - last end
  end
  return nil
end

local function handle(device, request)
  local worker, below = find(request.segments)
  local is_tm = request.segments[2] == "tm"
  if not worker or below > 0 and worker[1] == "one" or below > 1 then
    return device:pass(request)
  end
  local template = is_tm and table.concat(request.segments, "/", 3)
  if template and not discovery.present(device, template) then return errors.not_public(request) end
  if below == 1 then
    return errors.rest(request, 404, "Object not found: " .. link(request.path))
  end
  if request.method ~= "GET" and request.method ~= "HEAD" then
    return errors.rest(request, 501, "Not implemented: " .. request.path)
  end
  return read(worker, request.path)
end

local function list_shared(device, request)
  if #request.segments > 2 then return handle(device, request) end
  answer.read_only(request)
  local body = state("shared:sharedcollectionstate", request.path)
  body.items = listing "shared"
  return ok(body)
end

function M.install(device)
  device:route("/mgmt/shared", list_shared)
  for _, path in ipairs {
    "/mgmt/cm", "/mgmt/tm/access", "/mgmt/tm/analytics", "/mgmt/tm/apiprotection",
    "/mgmt/tm/cloud", "/mgmt/tm/file", "/mgmt/tm/shared", table.unpack(BELOW),
  } do
    device:route(path, handle)
  end
  device:route("/mgmt/shared/echo-query", echo_query)
  device:route("/mgmt/tm/adc/fileobject", file_objects)
  device:route("/mgmt/shared/save-config", save_config)
  device:route("/mgmt/shared/iapp/installed-packages", installed_packages)
end

return M
