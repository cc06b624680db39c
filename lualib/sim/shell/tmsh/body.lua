-- Reads the properties of create and modify: "monitor http members add { 10.0.0.1:80 }" becomes the
-- body of a request, and changes of lists.
--
--   read(tokens, at, template, node, modifies, session) -> body, changes of lists as in
--   sim/config/list_options.lua
local catalogue = require "sim.config.catalogue"
local contrary = require "sim.contrary"
local json = require "f5.json"
local kinds = require "sim.kinds"
local spelling = require "sim.tmsh.spelling"
local target = require "sim.shell.tmsh.target"

local M = {}

local MAX_DEPTH <const> = 30
local VERBS <const> =
  { add = true, delete = true, modify = true, ["replace-all-with"] = true, del = true }
local SHORT <const> = { del = "delete" }

local Reader <const> = {}
Reader.__index = Reader

local function camel(name)
  return (name:gsub("%-(%w)", string.upper))
end

-- Names of properties that REST writes in another way.
local RENAMED <const> = { default = "tmDefault", name = "tmName", kind = "tmKind" }

function Reader:is(brace, ahead)
  local token = self.tokens[self.at + (ahead or 0)]
  return token ~= nil and token.brace == brace
end

function Reader:word()
  local token = self.tokens[self.at]
  if not token or not token.word then target.unexpected(token or { word = self.last }) end
  self.at = self.at + 1
  self.last = token.word
  return token.word
end

function Reader:has_words_only()
  for at = self.at, #self.tokens do
    local token = self.tokens[at]
    if token.brace then return token.brace == "}" end
  end
  return false
end

-- A name of several words: "continent EU", "not country CN". A word with blanks is in quotes.
function Reader:phrase()
  local words = {}
  repeat words[#words + 1] = self:word() until #words == 2 + (words[1] == "not" and 1 or 0)
  local last = words[#words]
  if last:find "%s" then words[#words] = '"' .. last .. '"' end
  return table.concat(words, " ")
end

-- "k { data v } l" up to the closing brace -> { { name = "k", data = "v" }, { name = "l" } }, and
-- whether an element has a block.
function Reader:elements(template, node, depth, phrases)
  local list, has_fields = {}, phrases or false
  if depth > MAX_DEPTH then target.fail "Syntax Error: the braces nest too deep" end
  while not self:is "}" do
    local element = {}
    if phrases then
      element.name = self:phrase()
    elseif not self:is "{" then
      element.name = self:word()
    end
    if self:is "{" then
      self.at = self.at + 1
      has_fields = true
      self:properties(template, node, element, depth + 1)
    end
    list[#list + 1] = element
  end
  self.at = self.at + 1
  return list, has_fields
end

local function texts_of(elements)
  local list = {}
  for i, element in ipairs(elements) do list[i] = element.name end
  return json.array(list)
end

-- A value in braces: a list or a group.
-- Words of a group have the types of its defaults.
local function typed(group, defaults)
  for name, value in pairs(group) do
    local default = defaults[name]
    if type(value) == "table" and type(default) == "table" then
      typed(value, default)
    elseif type(value) == "string" and type(default) == "number" then
      group[name] = math.tointeger(tonumber(value)) or tonumber(value) or value
    elseif value == "none" and type(default) == "table" and #default == 0 and not next(default) then
      group[name] = json.array {}
    end
  end
  return group
end

function Reader:block(name, spec, inner, template, depth)
  self.at = self.at + 1
  local is_list = inner or spec and (spec.t == "a" or spec.t == "x")
    or not spec and name:sub(-1) == "s"
  if is_list or self:has_words_only() and not (spec and spec.t == "o") then
    local list, has_fields = self:elements(template, inner, depth + 1, spec and spec.phrases)
    return (inner or has_fields) and json.array(list) or texts_of(list)
  end
  local group = self:properties(nil, nil, {}, depth + 1)
  return spec and type(spec.d) == "table" and typed(group, spec.d) or group
end

-- The text between braces, as it was written: a script.
function Reader:script()
  local first, depth = self.tokens[self.at].last, 0
  repeat
    local token = self.tokens[self.at] or target.fail 'Syntax Error: "}" is missing'
    if token.brace then depth = depth + (token.brace == "{" and 1 or -1) end
    self.at = self.at + 1
  until depth == 0
  return self.text:sub(first + 1, self.tokens[self.at - 1].first - 1)
end

-- "http and tcp", "min 1 of { a b }"
function Reader:monitor()
  local words = { self:word() }
  if words[1] == "min" then
    words[2], words[3] = self:word(), self:word()
    if not self:is "{" then target.unexpected(self.tokens[self.at]) end
    self.at = self.at + 1
    words[4] = "{"
    while not self:is "}" do words[#words + 1] = self:word() end
    self.at = self.at + 1
    words[#words + 1] = "}"
  else
    while (self.tokens[self.at] or {}).word == "and" do
      words[#words + 1] = self:word()
      words[#words + 1] = self:word()
    end
  end
  return table.concat(words, " ")
end

-- Reads one property into `found`. Changes of lists at the top go into self.changes.
function Reader:property(template, node, found, depth)
  local dashed = self:word()
  local option = depth == 1 and self.modifies and kinds.of(template).options[dashed]
  if option then
    for key, value in pairs(option) do found[key] = value end
    return
  end
  local name = RENAMED[dashed] or camel(dashed)
  local spec = node and node.props[name]
  local sub = node and node.subs and node.subs[name .. "Reference"]
  local below = sub and template .. "/*/" .. sub
  local inner = below and catalogue.find(below)
  if node and (node.known or node.exact) and not node.open and not spec and not sub
    and not (node.lists and node.lists[name])
  then
    target.unexpected { word = dashed }
  end
  local token, after = self.tokens[self.at], self.tokens[self.at + 1]
  local verb = token and token.word and VERBS[token.word] and after and after.brace == "{"
    and token.word
  if verb then
    self.at = self.at + 2
    local elements, has_fields = self:elements(below, inner, depth + 1, spec and spec.phrases)
    if verb == "replace-all-with" and self.no_replace and not inner and not has_fields then
      target.unexpected { word = verb }
    end
    if depth == 1 and self.modifies then
      table.insert(self.changes, {
        dashed = dashed, property = name, verb = SHORT[verb] or verb, elements = elements,
        sub = sub, has_fields = has_fields,
      })
    else
      -- "members add { a } members add { b }": both
      local before = verb == "add" and type(found[name]) == "table" and found[name] or {}
      local list = inner or has_fields
      list = list and json.array(elements) or texts_of(elements)
      found[name] = json.array(table.move(list, 1, #list, #before + 1, before))
    end
  elseif self:is "{" and self.scripts[dashed] then
    found[name] = self:script()
  elseif self:is "{" then
    found[name] = self:block(name, spec, inner, below, depth)
  elseif sub and token and token.word == "none" then
    self.at = self.at + 1
    found[name] = json.array {}
  elseif spec and spec.t == "b"
    or not spec and (not token or token.brace or name == "enabled" or name == "disabled")
  then
    found[name] = true
  elseif spec and spec.variables then  -- user-defined NAME VALUE
    found[name] = found[name] or {}
    local variable = self:word()
    found[name][variable] = self:word()
  elseif name == "monitor" then
    found[name] = self:monitor()
  else
    found[name] = self:word()
  end
end

-- Properties up to the closing brace, or, at the top, up to the end.
function Reader:properties(template, node, found, depth)
  if depth > MAX_DEPTH then target.fail "Syntax Error: the braces nest too deep" end
  while self.tokens[self.at] do
    if self:is "}" then
      if depth == 1 then target.unexpected(self.tokens[self.at]) end
      self.at = self.at + 1
      return found
    end
    self:property(template, node, found, depth)
  end
  if depth > 1 then target.fail 'Syntax Error: "}" is missing' end
  return found
end

--- The body and the changes of lists that the tokens from `at` on say. `session`: of tmsh.
function M.read(tokens, at, template, node, modifies, session)
  -- braces around all properties mean nothing
  if tokens[at] and tokens[at].brace == "{" and tokens[#tokens].brace == "}" then
    tokens = table.move(tokens, at + 1, #tokens - 1, 1, {})
    at = 1
  end
  local reader = setmetatable(
    {
      tokens = tokens, at = at, changes = {}, modifies = modifies,
      text = session and session.text,
      no_replace = session and contrary.has(session.device, "tmsh_lists"),
      scripts = session and spelling.SCRIPTS[(template:gsub("/", " "))] or {},
    }, Reader
  )
  local body = reader:properties(template, node, {}, 1)
  return body, reader.changes
end

return M
