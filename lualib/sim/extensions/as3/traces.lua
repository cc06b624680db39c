-- What AS3 traces of a tenant: the objects that a declaration wants (TDesired), those that are
-- there (TCurrent), how they differ (TDiff), and the script of tmsh (TScript).
local json = require "f5.json"
local references = require "sim.config.references"
local tables = require "sim.tables"

local M = {}

-- Names are objects without properties, flags are blanks.
local function shown(value)
  if value == true then return " " end
  if type(value) ~= "table" then return value end
  local copy = {}
  for key, item in pairs(value) do
    if math.type(key) and type(item) ~= "table" then
      copy[tostring(item)] = {}
    else
      copy[tostring(key)] = shown(item)
    end
  end
  return copy
end

local function entry_of(object)
  local properties = {}
  for key, value in pairs(object.properties) do
    if key ~= "checksum" then properties[key] = shown(value) end
  end
  return { command = object.kind, properties = properties, ignore = json.array {} }
end

-- The key of an object in a trace.
local function key_of(object)
  local is_folder = object.kind == "auth partition" or object.kind == "sys folder"
  if is_folder then return object.path .. "/" end
  if object.kind == "ltm virtual-address" then
    return (object.path:gsub("[^/]+$", function(name) return "Service_Address-" .. name end))
  end
  return object.path
end

--- The objects that a declaration wants.
function M.desired(objects)
  local found = {}
  for _, object in ipairs(objects) do found[key_of(object.wanted)] = entry_of(object.wanted) end
  return found
end

--- The objects that AS3 has made and that are still there.
function M.current(device, deployed)
  local found = {}
  for place, object in pairs(deployed or {}) do
    if device.store:get(place) then found[key_of(object)] = entry_of(object) end
  end
  return found
end

-- -- differences --

--- The keys of two tables, sorted.
local function keys_of(a, b)
  local keys = {}
  for key in pairs(a) do keys[#keys + 1] = key end
  for key in pairs(b) do
    if a[key] == nil then keys[#keys + 1] = key end
  end
  table.sort(keys)
  return keys
end

local function path_of(kind, path)
  if kind == "auth partition" then return path:sub(2) end
  return kind == "sys folder" and path .. "/" or path
end

local function add_edits(list, wanted, last, path)
  for _, key in ipairs(keys_of(wanted.properties, last.properties)) do
    local l, r = last.properties[key], wanted.properties[key]
    if not tables.same(l, r) then
      list[#list + 1] = {
        kind = l == nil and "N" or r == nil and "D" or "E", path = { path, "properties", key },
        lhs = shown(l), rhs = shown(r),
        command = wanted.kind, lhsCommand = last.kind, rhsCommand = wanted.kind,
        tags = json.array { "tmsh" },
      }
    end
  end
end

--- How the objects of a tenant differ. `ops` are the steps of apply.lua.
function M.changes(ops)
  local list = json.array {}
  for _, op in ipairs(ops) do
    local wanted, last = op.object and op.object.wanted, op.last
    local kind = wanted and wanted.kind or last and last.kind
      or (references.template(op.place):gsub("/", " "))
    local path = path_of(kind, wanted and wanted.path or last and last.path or op.place)
    local before = #list
    if op.verb == "modify" and last then add_edits(list, wanted, last, path) end
    if #list == before then
      list[#list + 1] = {
        kind = op.verb == "create" and "N" or op.verb == "delete" and "D" or "E", path = { path },
        rhs = wanted and entry_of(wanted) or nil,
        lhs = not wanted and (last and entry_of(last) or { command = kind }) or nil,
        command = kind, lhsCommand = op.verb == "create" and "" or kind,
        rhsCommand = wanted and kind or "", tags = json.array { "tmsh" },
      }
    end
  end
  return list
end

-- -- script --

local function word(value)
  if math.type(value) == "float" and value == math.floor(value) then return ("%d"):format(value) end
  local text = tostring(value)
  if text == "" or text:find "[%s;]" then return '\\"' .. text:gsub('"', '\\"') .. '\\"' end
  return text
end

local function words_of(value, inner)
  if type(value) ~= "table" then return word(value) end
  local keys = keys_of(value, {})
  if #keys == 0 then return inner and "\\{ \\}" or "none" end
  local parts, all_tables = {}, true
  for i, key in ipairs(keys) do
    local item = value[key]
    all_tables = all_tables and (type(item) == "table" or math.type(key) ~= nil)
    parts[i] = math.type(key) and word(item) or ("%s %s"):format(word(key), words_of(item, true))
  end
  local body = ("\\{ %s \\}"):format(table.concat(parts, " "))
  return all_tables and not inner and "replace-all-with " .. body or body
end

local function command(op)
  local wanted, last = op.object and op.object.wanted, op.last
  local kind = wanted and wanted.kind or last and last.kind
    or (references.template(op.place):gsub("/", " "))
  local path = wanted and wanted.path or last and last.path or op.place
  local parts = { "tmsh::" .. op.verb, kind, path_of(kind, path) }
  for _, key in ipairs(wanted and keys_of(wanted.properties, {}) or {}) do
    local value = wanted.properties[key]
    if key ~= "checksum" then
      parts[#parts + 1] = value == true and key .. "  " or key .. " " .. words_of(value)
    end
  end
  return table.concat(parts, " ")
end

local HEAD <const> = [[
cli script __appsvcs_update {
proc script::run {} {
if {[catch {
tmsh::modify ltm data-group internal __appsvcs_update records none
} err]} {
tmsh::create ltm data-group internal __appsvcs_update type string records none
}
if { [catch {]]
local DESCRIBE <const> = "tmsh::modify auth partition %s description \\\"Updated by AS3 at [clock "
  .. "format [clock seconds] -gmt true -format {%%a, %%d %%b %%Y %%T %%Z}]\\\""
local ROLLBACK <const> = [[
tmsh::commit_transaction
} err] } {
catch { tmsh::cancel_transaction } e
regsub -all {"} $err {\"} err
tmsh::modify ltm data-group internal __appsvcs_update records add \{ error \{ data \"$err\" \} \}]]

local FIRST <const> = { ["auth/partition"] = true, ["sys/folder"] = true }

--- The script of tmsh that AS3 would run for these steps.
function M.script(ops, name)
  local lines, rest, back = { HEAD }, {}, {}
  for _, op in ipairs(ops) do
    local line = command(op)
    local is_first = op.verb == "create" and FIRST[(references.template(op.place))]
    table.insert(is_first and lines or rest, line)
    if is_first then
      table.insert(back, 1, ("catch { %s } e"):format(line:gsub("^tmsh::create (%S+ %S+ %S+).*$",
        "tmsh::delete %1")))
    end
  end
  lines[#lines + 1] = "tmsh::begin_transaction"
  if name ~= "Common" then lines[#lines + 1] = DESCRIBE:format(name) end
  table.move(rest, 1, #rest, #lines + 1, lines)
  lines[#lines + 1] = ROLLBACK
  table.move(back, 1, #back, #lines + 1, lines)
  return table.concat(lines, "\n") .. "\n}}\n}"
end

return M
