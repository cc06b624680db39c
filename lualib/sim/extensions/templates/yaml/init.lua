-- Reads YAML as templates of FAST have it: blocks, flow collections, texts in all forms, anchors,
-- merge keys. Objects know the order of their members (ordered.lua). Tags, several documents and
-- complex keys are refused.
local block_text = require "sim.extensions.templates.yaml.text"
local flow = require "sim.extensions.templates.yaml.flow"
local json = require "f5.json"
local ordered = require "sim.extensions.templates.ordered"
local scalar = require "sim.extensions.templates.yaml.scalar"

local M = {}

local MAX_DEPTH <const> = 100
local MAX_NODES <const> = 500000 -- that aliases stand for

local Parser <const> = {}
Parser.__index = Parser

local function lines_of(text)
  local lines, at = {}, 1
  while at <= #text do
    local stop = text:find("\n", at, true) or #text + 1
    local raw = text:sub(at, stop - 1)
    local blanks = raw:match "^ *"
    lines[#lines + 1] = { raw = raw, indent = #blanks, text = raw:sub(#blanks + 1), from = at }
    at = stop + 1
  end
  return lines
end

-- The next line that says something; nil at the end.
function Parser:line()
  while true do
    local line = self.lines[self.at]
    if not line then return nil end
    local is_comment = line.text:find "^%s*#" or line.text:find "^%-%-%-%s*$"
    if line.text:find "%S" and not is_comment then
      if line.text:find "^\t" then self.fail "a tab cannot indent" end
      return line
    end
    self.at = self.at + 1
  end
end

-- The position in the text where the rest of a line begins.
local function position(line, rest) return line.from + #line.raw - #rest end

-- Goes on behind a position of the text; what is left of that line must be blank.
function Parser:go_behind(at)
  local stop = self.text:find("\n", at, true) or #self.text + 1
  local rest = self.text:sub(at, stop - 1)
  if rest:find "^%s*[^%s#]" then self.fail "unexpected text behind a value" end
  while self.lines[self.at] and self.lines[self.at].from < stop do self.at = self.at + 1 end
end

local node

-- -- values behind a key or a dash --

function Parser:flow_value(line, rest)
  local value, behind = flow.node(self, position(line, rest))
  self:go_behind(behind)
  return value
end

-- A plain text, which may go on in lines that are indented further than its holder.
function Parser:plain_value(rest, indent)
  local parts = { (rest:gsub("%s+#.*$", ""):gsub("%s+$", "")) }
  if parts[1]:find ":%s" or parts[1]:find ":$" or rest:find "^%-%s" then
    self.fail "bad indentation of a mapping entry"
  end
  local is_single = true
  self.at = self.at + 1
  while true do
    local line = self.lines[self.at]
    local is_blank = line and not line.text:find "%S"
    if not line or not is_blank and (line.indent <= indent or line.text:find "^#") then break end
    parts[#parts + 1] = line.text:gsub("%s+#.*$", ""):gsub("%s+$", "")
    is_single = false
    self.at = self.at + 1
  end
  local text = table.concat(parts, "\n"):gsub("%s+$", "")
  if is_single then return scalar.plain(text) end
  if text:find ":%s" then self.fail "bad indentation of a mapping entry" end
  return scalar.plain(scalar.fold(text))
end

-- The value that begins with `rest`, the end of a line. `indent`: that of what holds the value.
function Parser:value(line, rest, indent, depth)
  rest = rest:match "^%s*(.*)$"
  local anchor, after = rest:match "^&(%S+)%s*(.*)$"
  if anchor then
    local value = self:value(line, after, indent, depth)
    self.anchors[anchor] = value
    return value
  end
  local char = rest:sub(1, 1)
  if rest == "" or char == "#" then
    self.at = self.at + 1
    local following = self:line()
    local is_list = following and following.indent == indent and following.text:find "^%-%s"
    if not following or following.indent <= indent and not (is_list and not line.is_item) then
      return json.null
    end
    return node(self, following.indent, depth + 1)
  end
  if char == "|" or char == ">" then return block_text.read(self, rest, indent) end
  if char == "!" or char == "?" then self.fail("not simulated: " .. char) end
  if char:find "[%[{\"'*]" then return self:flow_value(line, rest) end
  return self:plain_value(rest, indent)
end

-- -- blocks --

-- The key of a line and what follows it; nil if the line has none.
local function key_of(self, line)
  local text = line.text
  local quote = text:sub(1, 1)
  if quote == '"' or quote == "'" then
    local read = quote == '"' and scalar.double or scalar.single
    local ok, key, behind = pcall(read, text, 2, function() error "no key" end)
    local rest = ok and text:match("^%s*:(%s.*)$", behind) or ok and text:match("^%s*:()$", behind)
    if not rest then return nil end
    return key, type(rest) == "string" and rest or ""
  end
  if quote:find "[%[{#&*!|>%%@`]" then return nil end
  local at = 1
  while true do
    local colon = text:find(":", at, true)
    if not colon then return nil end
    local after = text:sub(colon + 1, colon + 1)
    if text:sub(1, colon):find "%s#" then return nil end
    if after == "" or after:find "%s" then
      local key = text:sub(1, colon - 1):match "^(.-)%s*$"
      if key:find "^%?%s" then self.fail "not simulated: a complex key" end
      return flow.key_of(scalar.plain(key)), text:sub(colon + 1)
    end
    at = colon + 1
  end
end

local function merge_key(self, object, value)
  local list = ordered.is_array(value) and value or { value }
  for _, one in ipairs(list) do
    if not ordered.is_object(one) then
      self.fail "cannot merge mappings; the provided source object is unacceptable"
    end
    for key, item in ordered.pairs(one) do
      if object[key] == nil then ordered.set(object, key, item) end
    end
  end
end

function Parser:mapping(indent, depth)
  local object, merged = ordered.new(), {}
  while true do
    local line = self:line()
    if not line or line.indent < indent then break end
    if line.indent > indent then self.fail "bad indentation of a mapping entry" end
    local key, rest = key_of(self, line)
    if not key then self.fail "can not read a block mapping entry" end
    local value = self:value(line, rest, indent, depth)
    if key == "<<" then
      merge_key(self, object, value)
      for name in pairs(object) do merged[name] = merged[name] == nil or merged[name] end
    else
      if object[key] ~= nil and not merged[key] then self.fail "duplicated mapping key" end
      merged[key] = false
      ordered.set(object, key, value)
    end
  end
  return object
end

function Parser:sequence(indent, depth)
  local list = json.array {}
  while true do
    local line = self:line()
    if not line or line.indent ~= indent or not (line.text .. " "):find "^%-%s" then
      if line and line.indent > indent then self.fail "bad indentation of a sequence entry" end
      break
    end
    local rest = line.text:sub(2)
    local blanks = rest:match "^%s*"
    local inner = {
      raw = line.raw, from = line.from, indent = line.indent + 1 + #blanks,
      text = rest:sub(#blanks + 1), is_item = true,
    }
    local is_block = inner.text ~= "" and (key_of(self, inner) or inner.text:find "^%-%s")
    if is_block then
      self.lines[self.at] = inner
      list[#list + 1] = node(self, inner.indent, depth + 1)
    else
      list[#list + 1] = self:value(inner, inner.text, indent, depth)
    end
  end
  return list
end

function node(self, indent, depth)
  if depth > MAX_DEPTH then self.fail "nested too deeply" end
  local line = self:line()
  if not line then return json.null end
  if (line.text .. " "):find "^%-%s" then return self:sequence(indent, depth) end
  if key_of(self, line) then return self:mapping(indent, depth) end
  return self:value(line, line.text, indent - 1, depth)
end

-- How many values are in a value, with those behind aliases.
local function weight(value, known)
  if type(value) ~= "table" or value == json.null then return 1 end
  if not known[value] then
    local sum = 1
    for _, item in pairs(value) do sum = sum + weight(item, known) end
    known[value] = sum
  end
  return known[value]
end

-- The value of an alias. Few lines of aliases of aliases can stand for more than fits anywhere.
local function alias_of(parser, name)
  local value = parser.anchors[name]
  if value == nil then parser.fail('unidentified alias "' .. name .. '"') end
  parser.nodes = parser.nodes + weight(value, {})
  if parser.nodes > MAX_NODES then parser.fail "the aliases stand for too much" end
  return value
end

--- Reads a text. Raises { yaml = why }.
function M.read(text)
  text = text:gsub("^\u{FEFF}", ""):gsub("\r\n?", "\n")
  local parser = setmetatable({
    text = text, lines = lines_of(text), at = 1, anchors = {}, nodes = 0,
  }, Parser)
  function parser.fail(message)
    error({ yaml = ("%s (%d:1)"):format(message, math.min(parser.at, #parser.lines)) }, 0)
  end
  function parser.alias(name) return alias_of(parser, name) end
  local line = parser:line()
  if not line then return nil end
  local value = node(parser, line.indent, 0)
  if parser:line() then parser.fail "end of the stream or a document separator is expected" end
  return value
end

return M
