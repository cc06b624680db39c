-- Checks a saved state before any of it is used. What it holds is used without further checks, so a
-- file that somebody wrote or changed must not get further than this.
local catalogue = require "sim.config.catalogue"
local json = require "f5.json"
local turns = require "sim.turns"
local uri = require "sim.config.uri"
local validate = require "sim.config.validate"

local M = {}

local function refuse(format, ...)
  error("seed: " .. format:format(...), 0)
end

-- A schema is the name of a type, several with "|", with "?" at the end if the value may be
-- missing; or a table { name = schema } of fields, beside which others may exist. EACH is for all
-- values of a table with texts as keys, LIST for those of a list. With MAYBE the table may be
-- missing.
local EACH <const>, LIST <const>, MAYBE <const>, NOTHING <const> = {}, {}, {}, {}
local OPTIONAL <const> = ("?"):byte()

local function is_type(value, wanted)
  local found = math.type(value) or type(value)
  if wanted == "any" or wanted:find(found, 1, true) == 1 then return true end
  for word in wanted:gmatch "[%l]+" do
    if
      word == found or word == "number" and type(value) == "number"
      or word == "null" and value == json.null
    then
      return true
    end
  end
  return false
end

local conform

local function conform_table(where, value, schema)
  local has_items = schema[EACH] ~= nil or schema[LIST] ~= nil
  for key, item in pairs(has_items and value or NOTHING) do
    if schema[EACH] then
      if type(key) ~= "string" then refuse("%s: the key %s is no text", where, tostring(key)) end
      conform(where .. "." .. key, item, schema[EACH])
    elseif schema[LIST] then
      if math.type(key) ~= "integer" or key < 1 or key > #value then
        refuse("%s: expected an array", where)
      end
      conform(("%s[%d]"):format(where, key), item, schema[LIST])
    end
  end
  for name, inner in pairs(schema) do
    local item = type(name) == "string" and value[name]
    local is_fine = type(inner) == "string" and item ~= false
      and (item == nil and inner:byte(-1) == OPTIONAL or is_type(item, inner))
    if type(name) == "string" and not is_fine then conform(where .. "." .. name, item, inner) end
  end
end

function conform(where, value, schema)
  if type(schema) == "string" then
    if value == nil and schema:sub(-1) == "?" then return end
    if not is_type(value, schema) then
      refuse("%s: expected %s, got %s", where, schema:gsub("%?$", ""):gsub("|", " or "),
        value == json.null and "null" or math.type(value) or type(value))
    end
  elseif value ~= nil or not schema[MAYBE] then
    if type(value) ~= "table" then refuse("%s: expected an object, got %s", where, type(value)) end
    conform_table(where, value, schema)
  end
end

-- Parts of a saved state. A part that is missing is made new.
local STATE <const> = {
  accounts = { [EACH] = { changed = "integer", expired = "boolean?",
    memory = { [LIST] = "string", [MAYBE] = true } } },
  api_status = { availability = { [EACH] = "string" }, resource = { [EACH] = "string" },
    property = { [EACH] = "string" } },
  apm = {
    sessions = { [LIST] = { id = "string", user = "string?", client = "string?",
      started = "string?" } },
    tokens = { [LIST] = { id = "string", client = "string", app = "string", user = "string",
      db = "string", status = "string", issued = "string", expires = "string" } },
    filters_made = "boolean?",
  },
  asm = { tree = "table", subscriptions = { [LIST] = "table" }, filled = "boolean?",
    cookie_seed = "string|integer?" },
  booted = "integer",
  clock = {
    offset = "integer", last_event = "integer",
    events = { [LIST] = { due = "integer", number = "integer", kind = "string" } },
  },
  disk = { [EACH] = { content = "string?", size = "integer?", modified = "integer?" } },
  extensions = {
    away_until = "integer?",
    as3 = {
      [MAYBE] = true, tasks = { [LIST] = { id = "string", since = "integer", body = "table" } },
      history = { [LIST] = { time = "integer", declaration = "table", order = "table" } },
      deployed = { [EACH] = { [EACH] = {
        kind = "string", properties = "table", path = "string", generation = "integer?",
      } } },
      settings = "table", next_seconds = "number?", busy = "string?",
    },
    ["do"] = {
      [MAYBE] = true, tasks = { [LIST] = {
        id = "string", since = "integer", result = "table", declaration = "table",
        updated = "integer", seconds = "number?",
      } },
      last = "string?", original = "table?", files = { [EACH] = "string|boolean" },
      secrets = { [EACH] = { shown = "string", hash = "string" } }, next_seconds = "number?",
    },
  },
  failover = "string",
  learned = { [EACH] = { type = "string", open = "boolean?", free_names = "boolean?",
    flat = "boolean?" } },
  license = { key = "string|boolean", addons = { [LIST] = "string", [MAYBE] = true },
    text = "string?", since = "integer" },
  icall = { handlers = { [EACH] = {
    form = "string", anchor = "integer", last = "integer?", event = "integer?",
  } } },
  jobs = { [EACH] = { [EACH] = {
    id = "string|integer", status = "string?", selfLink = "string?", kind = "string?",
    generation = "number?", lastUpdateMicros = "integer?",
  } } },
  live_update = {
    last_id = "integer",
    components = { [EACH] = {
      files = { [LIST] = { id = "string", filename = "string" } },
      installations = { [LIST] = {
        id = "string", status = "string", updateFileReference = { link = "string" },
      } },
      offers = { [LIST] = "table" }, availability = "table", schedule = "table",
    } },
  },
  monitoring = {
    found = { [EACH] = "string" }, since = { [EACH] = "integer" },
    batches = { [EACH] = { [LIST] = "string" } },
  },
  objects = { generation = "integer", items = "table" },
  operations = "integer",
  packages = { [EACH] = "boolean" },
  providers = { [LIST] = { name = "string", type = "string" } },
  provision = { [EACH] = "string" },
  restart = { [EACH] = "integer" },
  root_password = "string",
  saved = { [EACH] = "table" },
  services = { [EACH] = "string" },
  tasks = {
    last = "integer",
    items = { [EACH] = {
      id = "integer", template = "string", body = "table", state = "string", since = "integer",
      owner = "string", remote = "string?", user = "table?",
      response = { status = "integer", [MAYBE] = true },
    } },
    plans = { [LIST] = { template = "string?", seconds = "number?", outcome = "string?" } },
  },
  tokens = {
    generation = "integer",
    items = { [EACH] = {
      token = "string", name = "string", userName = "string", authProviderName = "string",
      user = { link = "string" }, timeout = "integer", startTime = "string",
      expirationMicros = "integer", lastUpdateMicros = "integer", address = "string?",
      generation = "integer", kind = "string", selfLink = "string", partition = "string?",
    } },
  },
  traffic = "table",
  transactions = {
    last = "integer",
    items = { [EACH] = {
      id = "integer", owner = "string", state = "string", last_command = "integer",
      touched = "integer", async = "boolean", validate_only = "boolean", execution_time = "number",
      failure = "string",
      commands = { [LIST] = { id = "integer", method = "string", uri = "string" } },
    } },
  },
  trust = {
    secret = "string?", active = { [EACH] = "boolean", [MAYBE] = true },
    peers = { [EACH] = { host = "string", port = "integer" } },
    groups = { [EACH] = {
      n = "integer", by = "string", base = "integer", base_by = "string?", synced = "boolean?",
      failure = { device = "string", message = "string", [MAYBE] = true },
    } },
  },
  uploads = { [EACH] = { total = "integer", chunks = { [EACH] = "integer" } } },
}

-- What every object has.
local IDENTITY <const> = {
  name = "string?", fullPath = "string?", partition = "string?", subPath = "string?",
  generation = "integer?", _own = { [EACH] = "boolean", [MAYBE] = true }, _factory = "boolean?",
  -- of a script of iCall: the user who wrote it, if it is not an administrator
  _author = {
    name = "string", provider = "string?", access = { [EACH] = "string" }, [MAYBE] = true,
  },
}
-- The types of properties as they are kept; those of other kinds of properties are not certain.
local KEPT <const> = { a = "table", b = "boolean", o = "table|string" }

local function check_object(path, object)
  local target = type(path) == "string" and path:find "^/mgmt/tm/" and uri.like(path)
  if not target or target.what ~= "resource" and target.what ~= "singleton" then
    refuse("objects: '%s' is not the path of an object", tostring(path))
  end
  conform(path, object, IDENTITY)
  if target.what == "resource" then
    conform(path, object, { name = "string", fullPath = "string" })
  end
  for name, value in pairs(object) do
    local spec = type(name) == "string" and target.node.props[name]
    if type(name) ~= "string" then refuse("%s: the name %s is no text", path, tostring(name)) end
    local is_usual = spec and value == spec.d and type(value) ~= "table"
    if spec and not is_usual and KEPT[spec.t] then
      conform(path .. "." .. name, value, KEPT[spec.t])
    end
    if spec and not is_usual and not pcall(validate.value, name, value, spec) then
      refuse("%s: invalid %s", path, name)
    end
  end
end

--- Raises an error if a table of objects, path -> object, cannot be one of a device.
--- @param own table|nil: objects of the device itself, which are not checked again
function M.check_objects(items, own)
  for path, object in pairs(items) do
    turns.pause()
    if not own or own[path] ~= object then check_object(path, object) end
  end
end

-- An entity of ASM: { data =, children = } or { items =, order = }; see sim/asm/tree.lua.
local function check_record(where, record, depth)
  if type(record) ~= "table" or depth > 30 then refuse("%s: invalid record", where) end
  if record.order ~= nil or record.items ~= nil then
    conform(where, record, { items = { [EACH] = "table" }, order = { [LIST] = "string" } })
    local count = 0
    for id, item in pairs(record.items) do
      count = count + 1
      check_record(where .. "/" .. id, item, depth + 1)
    end
    for _, id in ipairs(record.order) do
      if not record.items[id] then refuse("%s: '%s' is missing", where, id) end
    end
    if count ~= #record.order then refuse("%s: expected %d in order", where, count) end
    return
  end
  conform(where, record, { data = { [EACH] = "any" }, children = { [EACH] = "table" } })
  for name, child in pairs(record.children) do
    check_record(where .. "/" .. name, child, depth + 1)
  end
end

-- The types of kinds that only a snapshot has; see sim/factory/snapshot.lua.
local LEARNED <const> = { collection = true, singleton = true, organizing = true }

--- Raises an error if a saved state cannot be one.
function M.check(state)
  for part, schema in pairs(STATE) do
    if state[part] ~= nil then conform(part, state[part], schema) end
  end
  for template, node in pairs(state.learned or {}) do
    if not LEARNED[node.type] or not template:find "^%l[%w/*_-]*$" then
      refuse("learned: invalid kind '%s'", template)
    end
  end
  catalogue.relearn(state.learned)
  M.check_objects(state.objects and state.objects.items or {})
  for file, items in pairs(state.saved or {}) do
    M.check_objects(items)
    if type(file) ~= "string" then refuse("saved: invalid name of a file") end
  end
  if state.asm then check_record("asm", state.asm.tree, 1) end
end

return M
