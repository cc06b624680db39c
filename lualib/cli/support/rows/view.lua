-- What --select, --where, --sort, --top and --skip make of the objects that a device returns.
--
--   local view = new_view(options, collection, { format = "table", usage = usage })
--   local rows = view:rows(collection:list(view:query()))
--   view:finish()
--
-- Columns that are no properties (f5/table/computed.lua) can be selected, sorted and compared, too.
-- Some need the statistics of the collection: these are read once, and only if they are needed.

local columns_of = require "f5.table.columns"
local core = require "f5.core"
local declarations = require "f5.declare.kinds"
local json = require "f5.json"
local order = require "f5.table.order"
local select_names = require "cli.support.selected"
local terminal = require "f5.terminal"
local where = require "f5.table.where"

local View <const> = {}
View.__index = View

local TABLES <const> = { table = true, wide = true }

local function property_of(name) return name:match "^[^./]+" or name end

local function split(text)
  if not text then return nil end
  local names = {}
  for name in text:gmatch "[^,%s]+" do names[#names + 1] = name end
  return names
end

local function names_of(columns)
  local names = {}
  for i, column in ipairs(columns or {}) do names[i] = column.name end
  return names
end

-- Names of properties only, and those of columns that f5lua works out.
local function divide(self, names)
  local properties, made = {}, {}
  for _, name in ipairs(names or {}) do
    local list = self.computed[name] and made or properties
    list[#list + 1] = name
  end
  return properties, made
end

-- The computed columns that the condition uses, whether its names are known or not.
local function made_in_condition(self)
  if not self.where then return {} end
  if self.where.names then return select(2, divide(self, self.where.names)) end
  local made = {}
  for name in pairs(self.computed) do
    if self.where.text:find("%f[%w_]" .. name .. "%f[^%w_]") then made[#made + 1] = name end
  end
  return made
end

-- -- the query --

-- The properties to ask for; nil: all of them.
local function properties(self)
  if not self.columns then return nil end
  if self.where and not self.where.names then return nil end
  local names, seen = {}, {}
  local function add(name)
    if not seen[name] then
      seen[name], names[#names + 1] = true, name
    end
  end
  local selected = divide(self, self.columns)
  for _, name in ipairs(selected) do add(name) end
  local others = divide(self, self.where and self.where.names)
  table.move(divide(self, names_of(self.sort)), 1, #(self.sort or {}), #others + 1, others)
  for _, name in ipairs(others) do add(property_of(name)) end
  for _, name in ipairs(self.made) do
    for _, needed in ipairs(self.computed[name].from) do add(needed) end
  end
  return names
end

--- The options of the query that the device answers. If rows are sorted or left out here, --top and
-- --skip count what is left of them.
function View:query()
  local options, here = self.options, self.here
  if self.extension then return { options = options.options } end
  return {
    select = properties(self),
    filter = options.filter,
    top = not here and options.top or nil,
    skip = not here and options.skip or nil,
    expand = options.expand or nil,
    options = options.options,
  }
end

--- Whether rows can be written while they arrive.
function View:streams()
  return not self.sort and not self.statistics and not self.extension and not TABLES[self.format]
    and (self.format == "jsonl" or self.format == "yaml" or self.format == "csv" and self.columns)
end

-- -- the rows --

-- name -> statistics. GTM writes the type behind the name in links: /Common/www.example.com:A.
local function by_name(list)
  local found = {}
  for _, entry in ipairs(list) do
    local name = rawget(entry, "name")
    if type(name) == "string" then
      found[name] = entry
      local plain = name:match "^(.*):%u+$"
      if plain and not found[plain] then found[plain] = entry end
    end
  end
  return found
end

local function read_statistics(self)
  local ok, result = pcall(self.ref.stats, self.ref)
  if ok then return by_name(result) end
  local is_error = type(result) == "table"
  if self.insists or not is_error or result.kind == "cancelled" then error(result, 0) end
  terminal.err(
    ("f5lua: the device has no statistics for %s: %s\n"):format(
      table.concat(self.made, ", "), terminal.line(tostring(result.message))
    )
  )
  return {}
end

-- Gives the object the columns that are no properties.
local function complete(self, object)
  for _, name in ipairs(self.made) do
    local entry = self.computed[name]
    if entry.statistics then
      local statistics = self.found and self.found[object.fullPath or object.name]
      object[name] = statistics and entry.value(object, statistics) or nil
    else
      object[name] = entry.value(object)
    end
  end
end

local function meets(self, object)
  if not self.where then return true end
  local ok, result = pcall(self.where.test, self.where, object)
  if ok then return result end
  if type(result) == "table" and result.condition then
    self.usage("--where " .. result.message)
  end
  return error(result, 0)
end

-- Leaves what was asked for: an object that can be written back has no columns of f5lua.
local function project(self, object)
  if not self.columns then
    for _, name in ipairs(TABLES[self.format] and {} or self.made) do object[name] = nil end
  elseif self.extra then
    for name in pairs(object) do
      if not self.kept[name] then object[name] = nil end
    end
  end
  return object
end

-- Takes notice of the properties of an object, before it has others.
local function look(self, object)
  for _, selected in ipairs(self.selected) do selected:look(object) end
end

--- An iterator of those objects that meet the condition.
-- @param following, state, object, closing: as a generic `for` takes them
function View:each(following, state, object, closing)
  local left, skip = self.limit, self.offset
  local function next_object()
    while left > 0 do
      object = following(state, object)
      if object == nil then return nil end
      look(self, object)
      complete(self, object)
      if meets(self, object) then
        if skip > 0 then
          skip = skip - 1
        else
          left = left - 1
          return project(self, object)
        end
      end
    end
  end
  return next_object, nil, nil, closing
end

--- What is selected of a single object.
function View:one(object)
  look(self, object)
  if not self.columns then return object end
  if self.statistics then
    self.found = { [object.fullPath or object.name] = self.ref:stats() }
  end
  complete(self, object)
  return project(self, object)
end

--- The rows of an array of objects: those that meet the condition, in the wanted order.
function View:rows(objects)
  if self.statistics and #objects > 0 then self.found = read_statistics(self) end
  local rows = json.array {}
  for _, object in ipairs(objects) do
    look(self, object)
    complete(self, object)
    if meets(self, object) then rows[#rows + 1] = object end
  end
  if self.sort then rows = order.sorted(rows, self.sort, self.kind) end
  local out = json.array {}
  for i = self.offset + 1, math.min(#rows, self.offset + self.limit) do
    out[#out + 1] = project(self, rows[i])
  end
  return out
end

--- Reports names that no property has.
function View:finish()
  for _, selected in ipairs(self.selected) do selected:finish() end
end

-- -- making one --

local function compile(self, options)
  if self.columns and #self.columns == 0 then self.usage "--select: no property is given" end
  if options.sort then
    local columns, why = order.parse(options.sort)
    self.sort = columns or self.usage("--sort: " .. why)
  end
  if options.where then
    local condition, why = where.compile(options.where, self.kind)
    self.where = condition or self.usage("--where: " .. why)
  end
end

-- The computed columns that are needed, and whether somebody asked for them.
local function find_made(self)
  local seen = {}
  local function add(names)
    for _, name in ipairs(names) do
      if self.computed[name] and not seen[name] then
        seen[name], self.made[#self.made + 1] = true, name
        self.statistics = self.statistics or self.computed[name].statistics
      end
    end
  end
  add(self.columns or {})
  add(names_of(self.sort))
  add(made_in_condition(self))
  self.insists = self.statistics
  if TABLES[self.format] and not self.columns then
    add(columns_of.of(self.kind, self.format == "wide") or {})
  end
end

local function check_names(self)
  local function add(names, option)
    local plain = divide(self, names)
    if #plain == 0 then return end
    local others = {}
    for name in pairs(self.computed) do others[#others + 1] = name end
    self.selected[#self.selected + 1] = select_names(plain, self.ref, {
      usage = self.usage, option = option, others = others,
    })
  end
  add(self.columns, "--select")
  add(self.where and self.where.names, "--where")
  add(names_of(self.sort), "--sort")
end

local M <const> = {}

--- @param options table: of the command line: select, where, sort, top, skip, filter …
-- @param ref reference: what is read
-- @param style table: format; usage(message): ends the subcommand
function M.new(options, ref, style)
  local kind <const> = columns_of.kind_of_path(tostring(ref))
  local self <const> = setmetatable({
    options = options, ref = ref, format = style.format, usage = style.usage, kind = kind,
    computed = columns_of.computed(kind), columns = split(options.select), made = {},
    selected = {}, kept = {},
  }, View)
  compile(self, options)
  self.extension = declarations.of_path(ref) -- it knows no options of a query
  local here <const> = self.sort or self.where or self.extension
  self.here = here
  for _, name in ipairs { "filter", "expand" } do
    if self.extension and options[name] then
      self.usage(("%s has no --%s; --where and --select work on its answer"):format(
        self.extension.label, name))
    end
  end
  self.limit = here and options.top or math.huge
  self.offset = here and options.skip or 0
  find_made(self)
  check_names(self)
  self.extra = self.columns and (here or #self.made > 0)
  for _, name in ipairs(self.columns or {}) do
    self.kept[self.computed[name] and name or property_of(name)] = true
  end
  return self
end

-- -- statistics --

-- Raises for a name that no row has. "serverside" stands for all that begin with "serverside.".
local function check_statistics(self, rows, names, option)
  local known, real = {}, {}
  for _, row in ipairs(rows) do
    for name in pairs(row) do
      if not real[name] then
        real[name], known[#known + 1] = true, name
        real[name:match "^[^.]+"] = true
      end
    end
  end
  for _, name in ipairs(#rows > 0 and names or {}) do
    if not real[name] then
      local near = core.nearest(name, known)
      self.usage(("%s: there is no statistic '%s'%s"):format(
        option, name, near and ("; did you mean '%s'?"):format(near) or ""
      ))
    end
  end
end

-- A view of rows that are all read already.
local function of_all(options, style)
  local self <const> = setmetatable({
    format = style.format, usage = style.usage, computed = {}, made = {}, selected = {}, kept = {},
    columns = split(options.select), extra = options.select ~= nil, offset = 0,
    limit = options.top or math.huge,
  }, View)
  compile(self, options)
  for _, name in ipairs(self.columns or {}) do self.kept[name] = true end
  return self
end

--- What the same options make of statistics, which have other names. They are all read already.
-- @param value table: of one object, or an array
-- @return value, view
function M.of_statistics(value, options, style)
  local self <const> = of_all(options, style)
  local rows <const> = json.is_array(value) and value or { value }
  check_statistics(self, rows, self.columns, "--select")
  check_statistics(self, rows, self.where and self.where.names, "--where")
  check_statistics(self, rows, names_of(self.sort), "--sort")
  local out <const> = self:rows(rows)
  if json.is_array(value) then return out, self end
  return out[1], self
end

--- What the same options make of rows of f5lua itself, such as those of `f5lua certificates`.
-- @param options table: select, where, sort, top
-- @param style table: format, usage, names (array of the columns that there can be)
function M.of_own(options, style)
  local self <const> = of_all(options, style)
  local known = {}
  for _, name in ipairs(style.names) do known[name] = true end
  local function check(names, option)
    for _, name in ipairs(names or {}) do
      if not known[property_of(name)] then
        local near = core.nearest(name, style.names)
        style.usage(("%s: there is no column '%s'; %s"):format(
          option, name, near and ("did you mean '%s'?"):format(near)
            or "there are " .. table.concat(style.names, ", ")
        ))
      end
    end
  end
  check(self.columns, "--select")
  check(self.where and self.where.names, "--where")
  check(names_of(self.sort), "--sort")
  return self
end

--- Those of the rows that meet the condition.
function View:matching(rows)
  local out = {}
  for _, row in ipairs(rows) do if meets(self, row) then out[#out + 1] = row end end
  return out
end

--- The rows in the wanted order, the first of them.
function View:arranged(rows)
  if self.sort then rows = order.sorted(rows, self.sort) end
  return json.array(table.move(rows, 1, math.min(#rows, self.limit), 1, {}))
end

--- Whether all rows must be there before the first can be written.
function View:needs_all() return self.sort ~= nil or self.limit < math.huge end

--- What of a row is written in formats other than tables.
function View:selected_of(row)
  if not self.columns then return row end
  local out = {}
  for _, name in ipairs(self.columns) do
    local top = property_of(name)
    out[top] = row[top]
  end
  return out
end

return M
