-- Turns statements of sim/tmsh/parser.lua into objects as iControl REST writes them:
--
--   local object = reader.object(statement, "Common")
--   -- { path = "/mgmt/tm/ltm/pool", body = { name = "web", partition = "Common", … } }
--
-- path: of a collection, or of a singleton. The names of properties are those of REST. The facts of
-- the catalogue say what is a flag, a list, or a sub-collection; of what they do not know, the form
-- of the text decides. A mistake raises { line =, message = }.
local catalogue = require "sim.config.catalogue"
local json = require "f5.json"
local names = require "sim.config.names"
local spelling = require "sim.tmsh.spelling"
local turns = require "sim.turns"
local validate = require "sim.config.validate"

local M = {}

local ROOT <const> = "/mgmt/tm/"

local function fail(line, message, ...)
  error({ line = line, message = message:format(...) }, 0)
end

local MAX_QUOTED <const> = 120

-- Words as a message quotes them.
local function short(words)
  local text <const> = type(words) == "table" and table.concat(words, " ") or words
  if #text <= MAX_QUOTED then return text end
  return (text:sub(1, MAX_QUOTED):gsub("[\xC0-\xFF][\x80-\xBF]*$", "")) .. "..."
end

-- The template of a statement and how many words it has: the longest that is a kind.
local function template_of(words)
  local found, count
  local template
  for i, word in ipairs(words) do
    if word:find "[/%s]" then break end
    template = template and template .. "/" .. word or word
    local node <const> = catalogue.find(template)
    if not node then break end
    if node.type ~= "organizing" then found, count = node, i end
  end
  return found, count
end

local read_properties

local function is_word(item) return type(item) == "string" end

-- An unquoted whole number of a property that the catalogue does not know is a number in REST.
local function plain_value(word, quoted)
  if not quoted and word:find "^%-?[1-9]%d*$" and #word < 16 or word == "0" and not quoted then
    return math.tointeger(tonumber(word))
  end
  return word
end

-- What every object may have.
local IDENTITY <const> = { partition = true, description = true, appService = true }

local BOOLEANS <const> = {
  ["true"] = true, yes = true, enabled = true, ["false"] = false, no = false, disabled = false,
}

-- A word as a value of a property's type.
local function typed(word, spec)
  if not spec then return word end
  if spec.t == "i" or spec.t == "n" then word = spelling.number(word) end
  if spec.t == "i" or spec.t == "n" then
    local number <const> = tonumber(word)
    return math.tointeger(number) or number or word
  end
  if spec.t == "b" and BOOLEANS[word] ~= nil then return BOOLEANS[word] end
  return word
end

local read_value

-- The properties in a block of which the catalogue knows no types. `known`: the usual value of the
-- group; its lists are lists.
local function read_object(block, line, known)
  local object <const> = {}
  for _, entry in ipairs(block) do
    local i = 1
    while i <= #entry do
      local key = entry[i]
      if not is_word(key) then fail(entry.line or line, "Syntax Error: unexpected {") end
      local name <const> = spelling.rest(key)
      local value <const> = entry[i + 1]
      if value == nil then
        object[name] = true
        i = i + 1
      elseif is_word(value) then
        -- a port by its name, such as the one of a syslog server; "any" is a value of its own
        local port <const> = name:find "Port$" and validate.port(value)
        object[name] = port and port > 0 and port or plain_value(value, entry.quoted[i + 1])
        i = i + 2
      else
        object[name] = read_value(value, nil, entry.line, known and known[name])
        i = i + 2
      end
    end
  end
  return object
end

-- Whether a line names one record with several words: "not country DE { }".
local function is_long_name(block, entry)
  if block.inline or #entry < 3 or type(entry[#entry]) ~= "table" then return false end
  for i = 1, #entry - 1 do
    if not is_word(entry[i]) then return false end
  end
  return true
end

-- A word as tmsh writes it in a name of several words.
local function written(entry, i)
  return entry.quoted[i] and entry[i]:find "%s" and '"' .. entry[i] .. '"' or entry[i]
end

local function long_name(entry)
  local words <const> = {}
  for i = 1, #entry - 1 do words[i] = written(entry, i) end
  return table.concat(words, " ")
end

-- The items of a block as a list: words, and records with a name.
local function read_list(block, line)
  local list <const> = json.array {}
  for _, entry in ipairs(block) do
    local i = 1
    if is_long_name(block, entry) then
      local record <const> = read_object(entry[#entry], entry.line or line)
      record.name = long_name(entry)
      list[#list + 1] = record
      i = #entry + 1
    end
    while i <= #entry do
      local item <const> = entry[i]
      if is_word(item) and not is_word(entry[i + 1]) and entry[i + 1] ~= nil then
        local record <const> = read_object(entry[i + 1], entry.line or line)
        record.name = item
        list[#list + 1] = record
        i = i + 2
      elseif is_word(item) then
        list[#list + 1] = item
        i = i + 1
      else
        list[#list + 1] = read_object(item, entry.line or line)
        i = i + 1
      end
    end
  end
  return list
end

-- Whether a block of an unknown property has properties rather than items.
local function has_properties(block)
  if block.inline then return false end
  local pairs_of_words = false
  for _, entry in ipairs(block) do
    local words = is_word(entry[1]) and is_word(entry[2])
    if words and is_word(entry[3]) then return false end
    pairs_of_words = pairs_of_words or words
  end
  return pairs_of_words
end

function read_value(item, spec, line, known)
  if is_word(item) then return typed(item, spec) end
  if spec and type(spec.d) == "string" and spec.d:find "^{ .* }$" then
    local words <const> = {}
    for _, entry in ipairs(item) do
      for _, word in ipairs(entry) do words[#words + 1] = tostring(word) end
    end
    return ("{ %s }"):format(table.concat(words, " "))
  end
  local usual <const> = spec and spec.d or known
  local is_group <const> = type(usual) == "table" and next(usual) ~= nil and #usual == 0
  if spec and (spec.t == "a" or spec.t == "x") then return read_list(item, line) end
  if type(usual) == "table" and #usual > 0 then return read_list(item, line) end
  if spec and spec.t == "o" or is_group or has_properties(item) then
    return read_object(item, line, is_group and usual or nil)
  end
  return read_list(item, line)
end

-- "/Common/a and /Common/b", "min 1 of { /Common/a }" from position i. Returns the text and the
-- position behind it.
local function read_monitor(entry, i)
  local parts <const> = { entry[i] }
  if entry[i] == "min" and entry[i + 2] == "of" and type(entry[i + 3]) == "table" then
    local list <const> = {}
    for _, line in ipairs(entry[i + 3]) do
      for _, word in ipairs(line) do list[#list + 1] = tostring(word) end
    end
    return ("min %s of { %s }"):format(entry[i + 1], table.concat(list, " ")), i + 4
  end
  i = i + 1
  while entry[i] == "and" and is_word(entry[i + 1]) do
    parts[#parts + 1] = "and " .. entry[i + 1]
    i = i + 2
  end
  return table.concat(parts, " "), i
end

-- The items of a sub-collection.
local function read_records(node, block, line)
  local records <const> = json.array {}
  for _, entry in ipairs(block) do
    local i = 1
    while i <= #entry do
      local item, inner = entry[i], entry[i + 1]
      local record
      if not is_word(item) then
        record = read_properties(node, item, entry.line or line)
        record.name = tostring(#records)
        i = i + 1
      elseif type(inner) == "table" then
        record = read_properties(node, inner, entry.line or line)
        record.name = item
        i = i + 2
      else
        record = { name = item }
        i = i + 1
      end
      records[#records + 1] = record
    end
  end
  return records
end

local subs_of <const> = setmetatable({}, { __mode = "k" })

-- The sub-collections of a kind by their names in tmsh.
local function subs(node)
  local found = subs_of[node]
  if not found then
    found = {}
    for _, sub in pairs(node.subs or {}) do found[sub] = sub end
    subs_of[node] = found
  end
  return found
end

-- One property of an entry at position i. Returns the position behind it.
local function read_property(node, entry, i, object, block_inline)
  local key <const> = entry[i]
  if not is_word(key) then fail(entry.line, "Syntax Error: unexpected {") end
  local name <const> = spelling.rest(key, node.props)
  local spec <const>, value <const> = node.props[name], entry[i + 1]
  local sub <const> = subs(node)[key] or subs(node)[name]
  if sub and type(value) == "table" then
    local child <const> = catalogue.find(node.template .. "/*/" .. sub)
      or catalogue.find(node.template .. "/" .. sub)
    if child then
      object[sub] = read_records(child, value, entry.line)
      return i + 2
    end
  end
  if node.known and not node.open and not spec and not sub and not IDENTITY[name] then
    fail(entry.line, 'Syntax Error: "%s" unknown property', short(key))
  end
  if value == nil or spec and spec.t == "b" and is_word(value) and #entry > i + 1 then
    object[name] = true
    return i + 1
  end
  if spec and spec.variables and is_word(value) and is_word(entry[i + 2]) then
    object[name] = object[name] or {}
    object[name][value] = entry[i + 2]
    return i + 3
  end
  if key == "monitor" and is_word(value) then
    local text <const>, behind <const> = read_monitor(entry, i + 1)
    object[name] = text
    return behind
  end
  local is_type <const> = entry.line and i == 1 and #entry == 3 and is_word(value)
    and is_word(entry[3]) and (not spec or spec.t == "s") and not block_inline
  if is_type then  -- "last-resort-pool a /Common/x"
    object[name] = written(entry, 2) .. " " .. written(entry, 3)
    return 4
  end
  if spec == nil and is_word(value) then
    object[name] = plain_value(value, entry.quoted[i + 1])
  else
    object[name] = spelling.rest_time(name, read_value(value, spec, entry.line))
  end
  return i + 2
end

function read_properties(node, block)
  local object <const> = {}
  for _, entry in ipairs(block) do
    local i = 1
    while i <= #entry do i = read_property(node, entry, i, object, block.inline) end
  end
  return object
end

-- A name of a statement, with its partition.
local function identify(node, body, name, partition)
  body.name = name
  if node.flat or name:sub(1, 1) == "/" then return end
  body.partition = partition
end

-- The body of a rule. An application service to which it belongs stands above the script.
local function read_script(raw)
  local script = raw:find "%S" and raw or ""
  local owner <const>, rest <const> = script:match "^%s*app%-service[ \t]+(/%S+)[ \t\r]*\n(.*)$"
  script = rest or script
  if not script:find "%S" then script = "" end
  local text <const> = script:gsub("^[ \t]*\n", ""):gsub("\n[ \t]*$", "")
  return { apiAnonymous = text, appService = owner }
end

--- Returns the template of a statement, such as "ltm/pool", and the words that follow it.
function M.template(words)
  local node <const>, count <const> = template_of(words)
  if not node then return nil end
  return node.template, table.move(words, count + 1, #words, 1, {})
end

--- Returns the object that a statement describes. `partition`: of names without one.
function M.object(statement, partition)
  if statement.wrong then error(statement.wrong, 0) end
  local words <const> = statement.words
  local node <const>, count <const> = template_of(words)
  if not node then
    fail(statement.line, 'Syntax Error: "%s" unknown component', short(words))
  end
  if node.type ~= "collection" and node.type ~= "singleton" then
    fail(statement.line, 'Syntax Error: "%s" cannot be configured', short(words))
  end
  local rest <const> = table.move(words, count + 1, #words, 1, {})
  local body = statement.block and read_properties(node, statement.block) or {}
  if statement.raw then body = read_script(statement.raw) end
  if node.type == "collection" then
    rest[1] = rest[1] or body[spelling.NAMELESS[node.template]]
    if #rest == 0 then fail(statement.line, "Syntax Error: the name of the %s is missing",
      table.concat(words, " ")) end
    local in_quotes <const> = statement.quoted or {}
    for i, word in ipairs(rest) do
      if #rest > 1 and in_quotes[count + i] and word:find "%s" then rest[i] = '"' .. word .. '"' end
    end
    identify(node, body, table.concat(rest, " "), partition or "Common")
  elseif #rest > 0 then
    fail(statement.line, 'Syntax Error: unexpected argument "%s"', short(rest[1]))
  end
  return {
    path = ROOT .. node.template, body = body, node = node, line = statement.line,
    verb = statement.verb,
  }
end

--- Reads all objects of a text. Returns a list of what M.object returns, and a list of { line =,
-- message = } for what was refused.
function M.objects(statements)
  local objects <const>, refused <const>, partition = {}, {}, "Common"
  for _, statement in ipairs(statements) do
    turns.pause()
    if statement.words[1] == "cli" and statement.words[2] == "admin-partitions" then
      local given <const> = read_object(statement.block or {}, statement.line)
      partition = given.updatePartition or partition
    elseif #statement.words > 0 then
      local ok, found = pcall(M.object, statement, partition)
      if not ok and type(found) ~= "table" then error(found, 0) end
      table.insert(ok and objects or refused, found)
    else
      local what <const> = statement.verb or "{"
      refused[#refused + 1] =
        { line = statement.line, message = ('Syntax Error: "%s" of nothing'):format(what) }
    end
  end
  return objects, refused
end

--- The path of an object's own place in the store.
function M.place(object)
  if object.node.type ~= "collection" then return object.path end
  local body <const> = object.body
  local full = body.name
  if not object.node.flat and full:sub(1, 1) ~= "/" then
    full = names.full(body.partition, nil, full)
  end
  return object.path .. "/" .. names.segment(full)
end

return M
