-- Commands for the whole configuration and for its objects: save and load, UCS archives, mv, cp,
-- publish, generate, reset-stats.
--
-- state.saved = { [file or ""] = { [path] = object } }: what `save sys config` wrote. A UCS archive
-- is a file on the disk with JSON text, not a real archive.
local digest = require "sim.digest"
local json = require "f5.json"
local clock = require "sim.clock"
local commands = require "sim.commands"
local errors = require "sim.http.errors"
local garbage = require "sim.garbage"
local references = require "sim.config.references"
local rights = require "sim.auth.rights"
local states = require "sim.state"
local tables = require "sim.tables"
local texts = require "sim.text"
local tmsh = require("sim.lazy") "sim.tmsh.load"
local traffic = require "sim.status.traffic"
local turns = require "sim.turns"

local M = {}

local UCS <const>, SCF <const> = "/var/local/ucs", "/var/local/scf"
-- Objects that are not part of a saved configuration.
local NOT_SAVED <const> =
  { "^/mgmt/tm/sys/ucs/", "^/mgmt/tm/sys/software/", "^/mgmt/tm/sys/provision/" }

local function is_saved(path)
  for _, pattern in ipairs(NOT_SAVED) do
    if path:find(pattern) then return false end
  end
  return true
end

local function snapshot(device, file)
  if device.twin then return device.twin:changed_objects(file) end
  local copy = {}
  for path, object in pairs(device.state.objects.items) do
    if is_saved(path) then copy[path] = object end
  end
  return copy
end

-- Restores a saved configuration. Objects are put one by one, so that a transaction can undo it.
-- Objects that give rights are restored for administrators only: others could give themselves more
-- rights by an old or a forged archive.
local function restore(device, request, saved, file)
  local all = rights.is_administrator(request.user)
  local function is_meant(path)
    return is_saved(path) and (all or rights.can_be_loaded(path:sub(#"/mgmt/tm/" + 1)))
  end
  if device.twin then return device.twin:load_saved(file, saved, is_meant) end
  local gone = {}
  for path in pairs(device.state.objects.items) do
    if is_meant(path) and not saved[path] then gone[#gone + 1] = path end
  end
  for _, path in ipairs(gone) do device.store:put(path, nil) end
  for path, object in pairs(saved) do
    if is_meant(path) and device.state.objects.items[path] ~= object then
      device.store:put(path, object)
    end
  end
end

local function refuse(message)
  error(errors.tm(400, message, 1), 0)
end

-- -- sys config --

local function file_of(body)
  for _, option in ipairs(type(body.options) == "table" and body.options or {}) do
    if type(option) == "table" and option.file then return tostring(option.file) end
  end
  return body.file and tostring(body.file) or ""
end

local function has_option(body, name)
  for _, option in ipairs(type(body.options) == "table" and body.options or {}) do
    if option == name or type(option) == "table" and option[name] ~= nil then return true end
  end
  return body[name] ~= nil
end

-- Where a configuration file is that a command names.
local function config_path(file)
  if file:sub(1, 1) == "/" then return file end
  return SCF .. "/" .. file .. (file:find "%.scf$" and "" or ".scf")
end

local function save_config(device, _, _, body)
  local file = file_of(body)
  device.state.saved[file] = snapshot(device, file)
  if file ~= "" and not device.twin then device.disk.write(config_path(file), tmsh.text(device)) end
end

-- The configuration of a new device, with the users of this one.
local function factory_configuration(device)
  local provision = {}
  for module, level in pairs(device.state.provision) do
    if level ~= "none" then provision[#provision + 1] = module end
  end
  local saved =
    snapshot(require("sim.device").new { provision = provision, hostname = device.hostname })
  for path, object in pairs(device.state.objects.items) do
    if path:find "^/mgmt/tm/auth/user/" then saved[path] = object end
  end
  return saved
end

-- Which statements of a text a user may load: only administrators give rights.
local function allowed(request)
  if rights.is_administrator(request.user) then return nil end
  return function(path) return rights.can_be_loaded(path:sub(#"/mgmt/tm/" + 1)) end
end

-- Loads a text of the device's disk, as a whole or not at all.
local function load_text(device, request, file, only_verify, is_meant)
  local path = config_path(file)
  local text = device.disk.read(path)
  if not text then
    refuse(("01070734:3: Configuration error: file %s not found"):format(file))
  end
  local ok, problem = pcall(tmsh.load, device, text, is_meant or allowed(request), only_verify)
  if ok then return end
  if type(problem) ~= "table" or not problem.line then error(problem, 0) end
  local words = problem.message:gsub("^Syntax Error: ", "")
  refuse(("Syntax Error:(%s at line: %d) %s"):format(path, problem.line, words))
end

local function load_config(device, request, _, body)
  local file, verify = file_of(body), has_option(body, "verify")
  if has_option(body, "merge") or verify then
    if file == "" then refuse "01070734:3: Configuration error: no file to load is given" end
    return load_text(device, request, file, verify)
  end
  local saved = body.name == "default" and factory_configuration(device)
    or device.state.saved[file]
  if saved or file == "" then
    if saved or device.twin then restore(device, request, saved or {}, file) end
    return
  end
  if not device.disk.find(config_path(file)) then
    refuse(("01070734:3: Configuration error: file %s not found"):format(file))
  end
  device.store:atomically(function()
    restore(device, request, factory_configuration(device))
    load_text(device, request, file)
  end)
end

-- A file with templates of iApps.
local function load_template(device, request, _, body)
  if type(body.name) ~= "string" or body.name == "" then
    refuse "one or more properties must be specified"
  end
  load_text(device, request, body.name, false, function(path)
    -- a file also has the scripts that its templates use
    local is_meant = path == "/mgmt/tm/sys/application/template" or path == "/mgmt/tm/cli/script"
    return is_meant, "this is no template: "
  end)
end

-- -- sys ucs --

-- The path of the archive that a command names: a path, or a name in the usual directory.
local function ucs_path(body)
  local name = body.name
  if type(name) ~= "string" or name == "" then refuse "one or more properties must be specified" end
  if not name:find "[^/]$" then refuse(('invalid property value "name":"%s"'):format(name)) end
  if not name:find "%.ucs$" then name = name .. ".ucs" end
  return name:sub(1, 1) == "/" and name or UCS .. "/" .. texts.after_slash(name)
end

-- The seal of an archive that says that it is encrypted, or nil. It is near the end of the text.
local function seal_of(text)
  return text and text:sub(-300):match '"sealed":"([^"]+)"'
end

local function list_ucs(device)
  local items = json.array {}
  local version = device.version
  for _, name in ipairs(device.disk.list(UCS)) do
    local entry = device.disk.find(UCS .. "/" .. name)
    items[#items + 1] = {
      apiRawValues = {
        filename = UCS .. "/" .. name, file_size = ("%d (in bytes)"):format(entry.size),
        product = version.product, version = version.version, build = version.build,
        base_build = version.build, edition = version.edition,
        encrypted = seal_of(device.disk.read(UCS .. "/" .. name)) and "yes" or "no",
        file_created_date = clock.utc(entry.modified), install_date = version.date,
      },
    }
  end
  return {
    status = 200,
    body = {
      kind = "tm:sys:ucs:ucscollectionstate",
      selfLink = "https://localhost/mgmt/tm/sys/ucs?ver=" .. version.version,
      items = items,
    },
  }
end

-- The value of an option of a command; nil if it is not given.
local function option_of(body, name)
  for _, option in ipairs(type(body.options) == "table" and body.options or {}) do
    if option == name then return "" end
    if type(option) == "table" and option[name] ~= nil then return option[name] end
  end
  return body[name]
end

-- A passphrase as an archive keeps it. The archive says that it is encrypted; its text is not.
local function sealed(phrase)
  return digest.base64(digest.sha256("f5lua-sim-ucs " .. tostring(phrase)))
end

local function without_keys(objects)
  for path in pairs(objects) do
    if path:find "^/mgmt/tm/sys/file/ssl%-key/" or path:find "^/mgmt/tm/sys/crypto/key/" then
      objects[path] = nil
    end
  end
  return objects
end

local SORTED <const> = { sort = true }

-- The members of a JSON object, made one by one: others can go on meanwhile.
local function members_of(objects)
  local paths, parts = {}, {}
  for path in pairs(objects) do paths[#paths + 1] = path end
  table.sort(paths)
  for i, path in ipairs(paths) do
    turns.pause()
    parts[i] = json.encode(path) .. ":" .. json.encode(objects[path], SORTED)
  end
  return table.concat(parts, ",")
end

local function save_ucs(device, _, _, body)
  local phrase = option_of(body, "passphrase")
  local objects = snapshot(device)
  if option_of(body, "no-private-key") ~= nil then without_keys(objects) end
  local head = json.encode({ format = "f5lua-sim-ucs" }, SORTED)
  local tail = json.encode({
    version = device.version.version, sealed = phrase ~= nil and sealed(phrase) or nil,
  }, SORTED)
  local text = ('%s,"objects":{%s},%s'):format(
    head:sub(1, -2), members_of(objects), tail:sub(2)
  )
  device.disk.write(ucs_path(body), text)
end

-- The objects in the text of an archive; nil if the text is not valid. Those that the device has in
-- the same way are its own.
local function objects_of(device, text)
  local ok, archive = pcall(json.decode, text)
  if not ok or type(archive) ~= "table" or archive.format ~= "f5lua-sim-ucs" then return nil end
  local objects, own = archive.objects, device.state.objects.items
  if type(objects) ~= "table" then return nil end
  for path, object in pairs(device.twin and {} or objects) do
    turns.pause()
    if own[path] and tables.same(own[path], object) then objects[path] = own[path] end
  end
  if not pcall(states.check_objects, objects, own) then return nil end
  return objects
end

local function load_ucs(device, request, _, body)
  local path = ucs_path(body)
  local text = device.disk.read(path)
  if not text then refuse(("Unable to load UCS: %s: No such file or directory"):format(path)) end
  local objects = objects_of(device, text)
  if not objects then refuse(("UCS archive %s is not valid"):format(path)) end
  local seal, phrase = seal_of(text), option_of(body, "passphrase")
  if seal and (phrase == nil or sealed(phrase) ~= seal) then
    refuse(("Unable to load UCS: %s: the passphrase is wrong or missing"):format(path))
  end
  restore(device, request, objects)
end

local function handle_ucs(device, request)
  local name = request.segments[5]
  if not name then
    if request.method == "GET" then return list_ucs(device) end
    if request.method == "POST" and request.json and commands.known(request.json.command) then
      return commands.run(
        device,
        request,
        { template = "sys/ucs", path = "/mgmt/tm/sys/ucs" },
        request.json
      )
    end
    return errors.tm(400, "one or more properties must be specified", 1)
  end
  local path = UCS .. "/" .. name:gsub("^.*[~/]", "")
  if not device.disk.find(path) then return errors.tm(404, "Object not found - " .. name, 1) end
  if request.method == "DELETE" then
    device.disk.remove(path)
    return { status = 200 }
  end
  for _, item in ipairs(list_ucs(device).body.items) do
    if item.apiRawValues.filename == path then
      item.kind, item.name = "tm:sys:ucs:ucsstate", name
      item.selfLink = ("https://localhost/mgmt/tm/sys/ucs/%s?ver=%s"):format(
        name,
        device.version.version
      )
      return { status = 200, body = item }
    end
  end
end

-- -- objects --

-- The path in the store of the object that a command names.
local function object_path(device, target, name)
  if type(name) ~= "string" or name == "" then refuse "one or more properties must be specified" end
  local base = target.path .. "/"
  local full = name:sub(1, 1) == "/" and name or "/Common/" .. name
  for _, path in ipairs { base .. full:gsub("/", "~"), base .. name } do
    if device.store:get(path) then return path, full end
  end
  error(
    errors.tm(
      404,
      ("01020036:3: The requested %s (%s) was not found."):format(
        references.noun(target.template),
        full
      ),
      3
    ),
    0
  )
end

local function with_value_replaced(value, old, new)
  if value == old then return new end
  if type(value) ~= "table" then return value end
  local copy = {}
  for key, item in pairs(value) do copy[key] = with_value_replaced(item, old, new) end
  return setmetatable(copy, getmetatable(value))
end

local function renamed(object, full, generation)
  local copy = with_value_replaced(object, nil, nil)
  local partition, rest = full:match "^/([^/]+)/(.+)$"
  copy.fullPath, copy.partition = full, partition
  copy.subPath, copy.name = rest:match "^(.*)/([^/]+)$"
  if not copy.name then copy.name = rest end
  copy.generation = generation
  return copy
end

local function new_full_name(body)
  local target = body.target
  if type(target) ~= "string" or target == "" then
    refuse "one or more properties must be specified"
  end
  return target:sub(1, 1) == "/" and target or "/Common/" .. target
end

-- Copies an object and all objects below it; returns the paths of the originals. An object that is
-- moved keeps its generation.
local function copy_tree(device, target, path, full, new_full, moves)
  local new_path = target.path .. "/" .. new_full:gsub("/", "~")
  if device.store:get(new_path) then
    error(
      errors.tm(
        409,
        ("01020066:3: The requested %s (%s) already exists in partition %s."):format(
          references.noun(target.template),
          new_full,
          new_full:match "^/([^/]+)"
        ),
        3
      ),
      0
    )
  end
  local old = { path, table.unpack(device.store:below(path)) }
  for i = #old, 2, -1 do
    device.store:put(
      new_path .. old[i]:sub(#path + 1),
      with_value_replaced(device.store:get(old[i]), full, new_full)
    )
  end
  local object = device.store:get(path)
  device.store:put(
    new_path,
    renamed(object, new_full, moves and object.generation or device.store:next_generation())
  )
  return old
end

local function copy_object(device, request, target, body)
  rights.check_command(request.user, target.template, "copy")
  local path, full = object_path(device, target, body.name)
  copy_tree(device, target, path, full, new_full_name(body))
end

-- Renames an object. References to it are changed, too.
local function move_object(device, request, target, body)
  rights.check_command(request.user, target.template, "move")
  local path, full = object_path(device, target, body.name)
  local new_full = new_full_name(body)
  local users = device.store.users and device.store:users(path) or {}
  local old = copy_tree(device, target, path, full, new_full, true)
  for _, user in ipairs(users) do
    local object = device.store:get(user)
    if object then device.store:put(user, with_value_replaced(object, full, new_full)) end
  end
  for _, gone in ipairs(old) do device.store:put(gone, nil) end
end

-- Replaces a published policy by its draft.
local function publish(device, _, target, body)
  local path, full = object_path(device, target, body.name)
  local published = full:gsub("/Drafts/", "/", 1)
  if published == full then return end
  local new_path = target.path .. "/" .. published:gsub("/", "~")
  device.store:remove_tree(new_path)
  for _, gone in ipairs(copy_tree(device, target, path, full, published)) do
    device.store:put(gone, nil)
  end
  local object = with_value_replaced(device.store:get(new_path), nil, nil)
  object.status = "published"
  device.store:put(new_path, object)
end

-- Signs a script or rule. The object keeps the name of the signing key.
local function generate(device, _, target, body)
  local path = object_path(device, target, body.name)
  local key = body["signing-key"] or body.signingKey
  local object = with_value_replaced(device.store:get(path), nil, nil)
  object.signingKey = key
  object.generation = device.store:next_generation()
  device.store:put(path, object)
end

local function reset_stats(device, _, target, body)
  local path = target.path
  if type(body.name) == "string" and body.name ~= "" then
    path = object_path(device, target, body.name)
  end
  traffic.reset(device, path)
end

function M.install(device)
  device.state.saved = device.state.saved or {}
  device:route("/mgmt/tm/sys/ucs", handle_ucs)
  for _, template in ipairs {
    "sys/config", "sys/geoip", "sys/classification-signature", "ltm/dns-express-db",
    "ltm/classification/urldb-feed-list", "ltm/classification/signature-definition",
    "ltm/classification/signatures", "ltm/classification/update-signatures", "wam/policy",
    "security/firewall/fqdn-entity", "security/ip-intelligence/feed-list",
    "security/anti-fraud/signatures-update", "security/anti-fraud/engine-update", "pem/subscribers",
    "sys/application/template",
  } do
    commands.serve(device, template)
  end
end

-- The same command, which works on all objects of the device.
local function large(command)
  return function(...) return garbage.rarely(command, ...) end
end

M.commands = {
  { "save", "^sys/config$", large(save_config) },
  { "load", "^sys/config$", large(load_config) },
  { "save", "^sys/ucs$", large(save_ucs) },
  { "load", "^sys/ucs$", load_ucs },
  { "cp", "^%l+/", copy_object },
  { "mv", "^%l+/", move_object },
  { "publish", "^ltm/policy$", publish },
  { "generate", "^ltm/rule$", generate },
  { "generate", "^sys/application/", generate },
  { "generate", "^cli/script$", generate },
  { "reset-stats", "^%l+", reset_stats },
  { "load", "^sys/application/template$", load_template },
}

return M
