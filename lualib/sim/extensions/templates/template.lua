-- One template of FAST: what it wants, and what it makes of parameters.
local digest = require "sim.digest"
local expression = require "sim.extensions.templates.expression"
local json = require "f5.json"
local mustache = require "sim.extensions.templates.mustache"
local ordered = require "sim.extensions.templates.ordered"
local parameters_of = require "sim.extensions.templates.parameters"
local references = require "sim.extensions.templates.references"
local schema = require "sim.extensions.templates.schema"
local yaml = require "sim.extensions.templates.yaml"

local M = {}

local Template <const> = {}
Template.__index = Template

local GROUPS <const> = { "oneOf", "allOf", "anyOf" }
local MERGED <const> = {
  ["application/json"] = true, ["application/x-yaml"] = true, ["application/yaml"] = true,
  ["text/x-yaml"] = true,
}

local function fail(format, ...) error({ template = format:format(...) }, 0) end

--- The digest of a text, in hexadecimal.
function M.hash(text)
  return (digest.sha256(text):gsub(".", function(char) return ("%02x"):format(char:byte()) end))
end

-- Runs a reader of this folder; its error becomes one of the template.
local function guarded(run, ...)
  local ok, result = pcall(run, ...)
  if ok then return result end
  local why = type(result) == "table" and (result.yaml or result.mustache or result.template)
  if not why then error(result, 0) end
  return fail("%s", why)
end

-- -- loading --

local function new(set, kind, text)
  return setmetatable({
    title = "", description = "", definitions = ordered.new(), target = "as3", text = "",
    defaults = ordered.new(), source_type = kind, source_text = text, source_hash = M.hash(text),
    inner = {}, content_type = "text/plain", data = ordered.new(),
    type_schemas = set.schemas, data_files = set.data,
  }, Template)
end

local function load_mst(set, text)
  local template = new(set, "MST", text)
  template.text = text
  for _, token in ipairs(mustache.parse(text)) do
    if token[1] == "!" then
      template.description = token[2]
      break
    end
  end
  schema.make(template)
  return template
end

local FIELDS <const> = {
  title = "title", description = "description", definitions = "definitions", target = "target",
  contentType = "content_type",
}

local of_data

-- Puts what a YAML text says into a template.
local function fill(template, set, data)
  for key, value in ordered.pairs(data) do
    if FIELDS[key] then
      template[FIELDS[key]] = value
    elseif key == "template" or key == "parameters" then
      template[key == "template" and "text" or "defaults"] = value
    elseif key ~= "oneOf" and key ~= "allOf" and key ~= "anyOf" then
      ordered.set(template.data, key, value)
    end
  end
  template.definitions = ordered.copy(template.definitions)
  if type(template.text) ~= "string" then fail "the template has no text" end
  for _, group in ipairs(GROUPS) do
    for _, item in ipairs(data[group] or {}) do
      table.insert(template.inner, { group = group, template = of_data(set, item) })
    end
  end
  schema.make(template)
end

function of_data(set, data)
  if not ordered.is_object(data) then fail "a template is no object" end
  local template = new(set, "YAML", ordered.json(data))
  fill(template, set, data)
  return template
end

local function load_yaml(set, text)
  mustache.parse(text)
  local data = yaml.read(text)
  if not ordered.is_object(data) then fail "the template is no object" end
  data = references.resolved(set, data)
  local template = new(set, "YAML", text)
  fill(template, set, data)
  return template
end

--- Loads a template. Raises { template = why }.
-- @param set table: schemas, data, texts (of the YAML files), by name
-- @param kind string: "mst" or "yaml"
function M.load(set, kind, text)
  return guarded(kind == "mst" and load_mst or load_yaml, set, text)
end

-- -- parameters --

--- The schema of the parameters, with those of the templates inside.
function Template:parameters_schema()
  local result = ordered.assign(ordered.new(), self.schema)
  ordered.set(result, "title", self.title)
  ordered.set(result, "description", self.description)
  ordered.set(result, "definitions", self.definitions)
  for _, inner in ipairs(self.inner) do
    if not result[inner.group] then ordered.set(result, inner.group, json.array {}) end
    table.insert(result[inner.group], inner.template:parameters_schema())
  end
  return result
end

--- Parameters with the defaults of the template.
function Template:combined(parameters)
  local result = ordered.new()
  for _, group in ipairs(GROUPS) do
    for _, inner in ipairs(self.inner) do
      if inner.group == group then
        result = ordered.merge(result, inner.template:combined(parameters), true)
      end
    end
  end
  local own = ordered.new()
  for name, definition in ordered.pairs(self.schema.properties) do
    if definition.default ~= nil then ordered.set(own, name, definition.default) end
  end
  for _, more in ipairs { own, self.defaults, parameters } do
    result = ordered.merge(result, more, true)
  end
  for name, definition in ordered.pairs(self.schema.properties) do
    if definition.mathExpression then
      local value = expression.value(definition.mathExpression, result)
      ordered.set(result, name, definition.type == "string" and tostring(value) or value)
    end
  end
  return result
end

-- A value as it stands in a JSON text.
local function as_json(definition, value)
  local is_empty = value == nil or value == json.null or value == false or value == ""
    or value == 0
  local kind = definition.type
  if kind == "array" then
    if is_empty then return "[]" end
    local is_list = ordered.is_array(value) and #value > 0 or type(value) == "string"
    if is_list and not definition.skip_xform then return ordered.json(value) end
  elseif kind == "object" then
    if is_empty then return "{}" end
    if not definition.skip_xform then return ordered.json(value) end
  end
  if definition.format == "text" and not is_empty then return ordered.json(value) end
  return value
end

function Template:view(parameters)
  if self.content_type ~= "application/json" then return parameters end
  local view = {}
  for name, value in ordered.pairs(parameters) do
    local definition = self.schema.properties[name]
    view[name] = definition and as_json(definition, value) or value
  end
  return view
end

-- -- rendering --

local function processed(content_type, text)
  if not MERGED[content_type] then return text end
  local value = not text:find "%S" and "" or yaml.read(text)
  if value == nil or value == json.null or value == false or value == 0 then value = "" end
  return ordered.json(value, true)
end

local function joined(content_type, first, second)
  if not MERGED[content_type] then return first .. "\n" .. second end
  return ordered.json(ordered.merge(yaml.read(first), yaml.read(second)), true)
end

-- The simulated device reads no texts behind URLs.
local function refuse_urls(template)
  for _, definition in ordered.pairs(template.schema.properties) do
    local url = definition.url
    if url then
      fail("error loading %s:\nnot simulated", type(url) == "string" and url or ordered.json(url))
    end
  end
end

--- The text that parameters make. Raises { template = why }.
function Template:render(parameters, is_inner)
  if not is_inner then
    refuse_urls(self)
    parameters_of.check(self, parameters)
  end
  local combined, texts = self:combined(parameters), {}
  for _, group in ipairs { "allOf", "anyOf", "oneOf" } do
    for _, inner in ipairs(self.inner) do
      if inner.group == group then texts[#texts + 1] = inner.template:render(combined, true) end
    end
  end
  texts[#texts + 1] = guarded(mustache.render, schema.clean(self.text), self:view(combined),
    self.partials)
  local result = texts[1]
  for i = 2, #texts do
    if result == "" then
      result = texts[i]
    elseif texts[i] ~= "" then
      result = guarded(joined, self.content_type, result, texts[i])
    end
  end
  return guarded(processed, self.content_type, result)
end

-- -- what is shown --

--- The template as FAST shows it.
function Template:shown()
  local result = ordered.assign(ordered.new(), self.data)
  local inner = { _oneOf = json.array {}, _allOf = json.array {}, _anyOf = json.array {} }
  for _, one in ipairs(self.inner) do
    table.insert(inner["_" .. one.group], one.template:shown())
  end
  return ordered.assign(result, {
    title = self.title, description = self.description, definitions = self.definitions,
    _parametersSchema = self.schema, _partials = self.partials, target = self.target,
    templateText = self.text, defaultParameters = self.defaults, sourceType = self.source_type,
    sourceText = self.source_text, sourceHash = self.source_hash,
    contentType = self.content_type, httpForward = self.data.httpForward or json.null,
  }, inner)
end

return M
