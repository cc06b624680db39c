-- Reads Tcl: a script becomes a list of commands, a command a list of words.
--
-- A word is a text, or a list of parts: texts, { v = name, i = word } for a variable (with an index
-- of an array), { c = script } for a command in brackets. Nothing is substituted here.
local lists = require "sim.icall.tcl.list"

local M = {}

local MAX_DEPTH <const> = 40  -- brackets in each other

local function fail(text)
  error({ tcl = text }, 0)
end

local Reader <const> = {}
Reader.__index = Reader

function Reader:char() return self.text:sub(self.at, self.at) end

-- A word of parts; a single text stays a text.
local function word_of(parts)
  if #parts == 0 then return "" end
  if #parts == 1 and type(parts[1]) == "string" then return parts[1] end
  return parts
end

local function add(parts, text)
  if text == "" then return end
  if type(parts[#parts]) == "string" then
    parts[#parts] = parts[#parts] .. text
  else
    parts[#parts + 1] = text
  end
end

-- The command in brackets; self.at is at "[".
function Reader:bracket()
  self.depth = self.depth + 1
  if self.depth > MAX_DEPTH then fail "too many nested brackets" end
  self.at = self.at + 1
  local script = self:script "]"
  if self:char() ~= "]" then fail "missing close-bracket" end
  self.at = self.at + 1
  self.depth = self.depth - 1
  return { c = script }
end

-- The variable at "$"; a "$" without a name is a plain character.
function Reader:variable()
  local name, after = self.text:match("^%${([^}]*)}()", self.at)
  if name then
    self.at = after
    local array, index = name:match "^(.-)%((.*)%)$"
    return { v = array or name, i = index }
  end
  name, after = self.text:match("^%$([%w_:]+)()", self.at)
  if not name then
    self.at = self.at + 1
    return "$"
  end
  while name:find "[^:]:$" or name == ":" do  -- a single colon belongs to the text behind
    name, after = name:sub(1, -2), after - 1
  end
  if name == "" then
    self.at = self.at + 1
    return "$"
  end
  self.at = after
  if self:char() ~= "(" then return { v = name } end
  self.at = self.at + 1
  local index = self:parts "^[^)%[$\\]+"
  if self:char() ~= ")" then fail "missing )" end
  self.at = self.at + 1
  return { v = name, i = word_of(index) }
end

-- Parts up to a character that the pattern does not take and that substitutes nothing.
function Reader:parts(plain)
  local parts = {}
  while true do
    local text = self.text:match(plain, self.at)
    if text then
      add(parts, text)
      self.at = self.at + #text
    end
    local char = self:char()
    if char == "$" then
      local variable = self:variable()
      if type(variable) == "string" then add(parts, variable) else parts[#parts + 1] = variable end
    elseif char == "[" then
      parts[#parts + 1] = self:bracket()
    elseif char == "\\" then
      local escaped
      if plain:find "%s" and self.text:find("^\\\n", self.at) then return parts end
      escaped, self.at = lists.escape(self.text, self.at)
      add(parts, escaped)
    else
      return parts
    end
  end
end

function Reader:word(stop)
  local char = self:char()
  if char == "{" then
    local closing = lists.closing_brace(self.text, self.at)
    if not closing then fail "missing close-brace" end
    local text = self.text:sub(self.at + 1, closing - 1)
    self.at = closing + 1
    if text == "*" and self.text:find("^[^%s;]", self.at) then fail "not simulated: {*}" end
    if self.text:find("^[^%s;%]]", self.at) then fail "extra characters after close-brace" end
    return (text:gsub("\\\n[ \t]*", " "))
  end
  if char == '"' then
    self.at = self.at + 1
    local parts = self:parts '^[^"%[$\\]+'
    if self:char() ~= '"' then fail 'missing "' end
    self.at = self.at + 1
    if self.text:find("^[^%s;%]]", self.at) then fail "extra characters after close-quote" end
    return word_of(parts)
  end
  return word_of(self:parts(stop and "^[^%s;%[%]$\\]+" or "^[^%s;%[$\\]+"))
end

-- Skips blanks, and with `lines` ends of commands and comments, too.
function Reader:skip(lines)
  while true do
    local at = self.text:match("^[ \t\r]*()", self.at)
    local char = self.text:sub(at, at)
    if char == "\\" and self.text:find("^\\\n", at) then
      self.at = at + 2
    elseif lines and (char == "\n" or char == ";") then
      self.at = at + 1
    elseif lines and char == "#" then
      repeat
        at = self.text:match("^[^\n\\]*()", at)
        local escaped = self.text:sub(at, at) == "\\"
        if escaped then at = at + 2 end
      until not escaped
      self.at = at
    else
      self.at = at
      return
    end
  end
end

-- The commands up to the end of the text, or to `stop`.
function Reader:script(stop)
  local commands = {}
  while true do
    self:skip(true)
    local char = self:char()
    if char == "" or char == stop then return commands end
    local command = { from = self.at }
    while true do
      char = self:char()
      if char == "" or char == "\n" or char == ";" or char == stop then break end
      command[#command + 1] = self:word(stop)
      command.to = self.at - 1
      local before = self.at
      self:skip(false)
      char = self:char()
      if before == self.at and char ~= "" and not char:find "[\n;]" and char ~= stop then
        fail "extra characters after a word"
      end
    end
    command.text = self.text:sub(command.from, command.to)
    command.line = self:line_at(command.from)
    commands[#commands + 1] = command
  end
end

-- The number of the line of a position. Positions only grow.
function Reader:line_at(at)
  local from = self.counted
  while true do
    local found = self.text:find("\n", from, true)
    if not found or found >= at then break end
    self.line, from = self.line + 1, found + 1
  end
  if from > self.counted then self.counted = from end
  return self.line
end

--- The commands of a script: lists of words, with `text` and `line`.
function M.script(text)
  return setmetatable({ text = text, at = 1, depth = 0, line = 1, counted = 1 }, Reader):script()
end

--- A text in which variables, commands and escape sequences are substituted, as a word.
function M.word(text)
  local reader = setmetatable({ text = text, at = 1, depth = 0, line = 1, counted = 1 }, Reader)
  local parts = {}
  while reader.at <= #text do
    for _, part in ipairs(reader:parts "^[^%[$\\]+") do parts[#parts + 1] = part end
  end
  return word_of(parts)
end

--- The variable or the command in brackets that begins at a position, and the position after it.
function M.substitution(text, at)
  local reader = setmetatable({ text = text, at = at, depth = 0, line = 1, counted = 1 }, Reader)
  local part = reader:char() == "[" and reader:bracket() or reader:variable()
  return part, reader.at
end

return M
