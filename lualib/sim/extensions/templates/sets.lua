-- Template sets of the simulated FAST: what was uploaded and installed. No set of F5 is built in.
--
-- state.extensions.fast.sets[name] = { files = { [name of the file] = text } }
local archive = require "sim.extensions.templates.archive"
local json = require "f5.json"
local order = require "sim.extensions.order"
local ordered = require "sim.extensions.templates.ordered"
local template = require "sim.extensions.templates.template"

local M = {}

local UPLOADS <const> = "/var/config/rest/downloads/"
local TEMPLATES <const> = { yml = "yaml", yaml = "yaml", mst = "mst" }

local function fail(status, format, ...)
  error({ fast = format:format(...), status = status }, 0)
end

-- -- loading --

local loaded = setmetatable({}, { __mode = "k" })

-- Reads the files of a set: its schemas, its data, the texts of its templates.
local function read_files(files)
  local set = { schemas = {}, data = {}, texts = {}, kinds = ordered.new(), templates = {} }
  for _, file in ipairs(order.keys(files)) do
    local name, extension = file:match "^([^/]+)%.([^./]+)$"
    local text = files[file]
    if TEMPLATES[extension] then
      ordered.set(set.kinds, name, TEMPLATES[extension])
      set.texts[name] = text
    elseif extension == "json" then
      local ok, schema = pcall(json.decode, text)
      if not ok then error({ template = file .. " is not JSON" }, 0) end
      set.schemas[name] = ordered.note(schema, order.read(text, 30))
    elseif extension == "data" then
      set.data[name] = text
    end
  end
  return set
end

-- The loaded set; raises { template = why } if a template of it is wrong.
local function load(stored)
  local set = loaded[stored]
  if set then return set end
  set = read_files(stored.files)
  for name, kind in ordered.pairs(set.kinds) do
    set.templates[name] = template.load(set, kind, set.texts[name])
  end
  loaded[stored] = set
  return set
end

local function stored_sets(device) return device.state.extensions.fast.sets end

--- The names of all sets.
function M.names(device) return order.keys(stored_sets(device)) end

--- A set; raises if there is none.
function M.get(device, name)
  local stored = stored_sets(device)[name]
  if not stored then fail(404, 'Could not find template set "%s"', name) end
  return load(stored)
end

--- A template, by "set/name".
function M.template(device, full)
  local set_name, name = full:match "^([^/]*)/([^/]*)"
  local set = M.get(device, set_name or full)
  local found = set.templates[name]
  if not found then
    fail(404, 'Could not find template "%s" in template set "%s"', name, set_name)
  end
  return found
end

-- -- installing --

-- The files at the root of an archive, or of its only folder, or of a folder of it.
local function root_files(list, folder)
  local only, at_root = nil, false
  for _, file in ipairs(list) do
    local first = file.name:match "^([^/]+)/"
    if not first then
      at_root = true
    elseif only ~= nil and only ~= first then
      only = false
    else
      only = first
    end
  end
  local prefix = not at_root and only and only .. "/" or ""
  if folder then prefix = prefix .. folder .. "/" end
  local files = {}
  for _, file in ipairs(list) do
    local name = file.name:sub(1, #prefix) == prefix and file.name:sub(#prefix + 1)
    if name and not name:find("/", 1, true) then files[name] = file.text end
  end
  return files
end

-- The text of an uploaded file, which the simulated disk gives in pieces.
local function uploaded(device, path)
  if not device.disk.find(path) then fail(404, "Client Error: %s does not exist", path) end
  return device.disk.read(path)
end

--- Installs a set from the uploaded archive of its name.
function M.install(device, name, folder)
  local path = UPLOADS .. name .. ".zip"
  local ok, list = pcall(archive.read, uploaded(device, path))
  if not ok then
    if type(list) == "table" and list.archive then fail(500, "%s", list.archive) end
    if type(list) == "table" or not tostring(list):find "data string too short" then
      error(list, 0)
    end
    fail(500, "the archive is damaged")
  end
  local stored = { files = root_files(list, folder) }
  local good, problem = pcall(load, stored)
  if good and #ordered.keys(problem.kinds) == 0 then
    good, problem = false, { template = "template set contains no templates" }
  end
  if not good then
    if type(problem) ~= "table" or not problem.template then error(problem, 0) end
    fail(400, "Template set (%s) failed validation: %s. Error: %s", name, problem.template,
      problem.template)
  end
  stored_sets(device)[name] = stored
end

--- Removes a set.
function M.remove(device, name)
  M.get(device, name)
  stored_sets(device)[name] = nil
end

-- -- what is shown --

-- Hashes of bigip-fast-templates that F5 supports, by the version of FAST.
local SUPPORTED <const> = {
  ["003b8ca78a45b67a97ea78007bd2d36d82a94710753bbca5a2e0fc71496c03e3"] = "1.25",
  ["badf3fa1a5bcc81888ca2516c8069b176da49b0575e86c5e8e0e811e2c5fa7e9"] = "1.24",
  ["a0982c93ca0e182a67887636fcb3b208b018c989ee1459f02ae83cf10e9e2175"] = "1.23",
}

-- Names and hashes of files of one kind.
local function hashed(set_name, texts, all)
  local list = json.array {}
  for _, name in ipairs(order.keys(texts)) do
    local hash = template.hash(texts[name])
    all[#all + 1] = hash
    list[#list + 1] = { name = set_name .. "/" .. name, hash = hash }
  end
  return list
end

local function sorted_text(list)
  table.sort(list)
  return table.concat(list)
end

local function schema_texts(stored)
  local schemas, data = {}, {}
  for file, text in pairs(stored.files) do
    local name, extension = file:match "^([^/]+)%.([^./]+)$"
    if extension == "json" then schemas[name] = text end
    if extension == "data" then data[name] = text end
  end
  return schemas, data
end

--- What FAST says about a set: name, hash, templates and so on.
function M.data(device, name)
  local set, stored = M.get(device, name), stored_sets(device)[name]
  local templates, of_templates, of_schemas, of_data = json.array {}, {}, {}, {}
  for short in ordered.pairs(set.kinds) do
    local one = set.templates[short]
    of_templates[#of_templates + 1] = one.source_hash
    if not one.data.bigipHideTemplate then
      templates[#templates + 1] = {
        name = name .. "/" .. short, hash = one.source_hash, description = one.description,
        title = one.title,
      }
    end
  end
  local schemas, data = schema_texts(stored)
  local result = {
    name = name, templates = templates, schemas = hashed(name, schemas, of_schemas),
    dataFiles = hashed(name, data, of_data),
  }
  result.hash = template.hash(
    sorted_text(of_templates) .. sorted_text(of_schemas) .. sorted_text(of_data))
  result.supported = name == "bigip-fast-templates" and SUPPORTED[result.hash] ~= nil
  return result
end

--- The full names of all templates that are not hidden.
function M.list(device)
  local list = json.array {}
  for _, name in ipairs(M.names(device)) do
    local set = M.get(device, name)
    for short in ordered.pairs(set.kinds) do
      if not set.templates[short].data.bigipHideTemplate then
        list[#list + 1] = name .. "/" .. short
      end
    end
  end
  return list
end

return M
