-- Reads tmsh text: bigip.conf, single configuration files, and statements of tmsh.
--
--   for _, statement in ipairs(parser.read(text)) do … end
--
-- A statement: { line =, verb = "create" or nil, words = { "ltm", "pool", "/Common/web" },
--   block = { … } or nil, raw = the text of a script or nil,
--   wrong = { line =, message = } or nil }
-- A block is a list of lines as they were written: { line =, "monitor", "/Common/http" }. An item
-- is a word (a string) or a block. `inline`: the block was written on one line. `quoted[i]`: the
-- item was in quotes.
--
-- A mistake raises { line =, message = }.
local spelling = require "sim.tmsh.spelling"
local turns = require "sim.turns"

local M = {}

local MAX_DEPTH <const> = 60
-- Of longer lines of sys db, values are read as everywhere else: each look at the rest takes time.
local MAX_LINE <const> = 1 << 14
local VERBS <const> = { create = true, modify = true, delete = true }

-- Statements whose block is a script, and properties that are one.
local SCRIPTS <const> = {
  ["ltm rule"] = true, ["gtm rule"] = true, ["pem irule"] = true, ["cli script"] = true,
}
local SCRIPT_KEYS <const> = spelling.SCRIPTS

local function fail(line, message, ...)
  error({ line = line, message = message:format(...) }, 0)
end

local Reader <const> = {}
Reader.__index = Reader

local function count_lines(text)
  return select(2, text:gsub("\n", ""))
end

-- Skips blanks and the comments of whole lines. Returns whether a line ended.
function Reader:skip()
  local ended = false
  while true do
    local at = self.text:match("^[ \t\r\v\f]*()", self.at)
    local first <const> = self.text:sub(at, at)
    if first == "\n" then
      self.line, self.at, ended = self.line + 1, at + 1, true
    elseif first == "#" and (self.at == 1 or self.text:byte(self.at - 1) == 10) then
      self.at = self.text:match("^[^\n]*()", at)
    elseif first == "\\" and self.text:find("^\\\r?\n", at) then
      self.line, self.at = self.line + 1, self.text:match("^\\\r?\n()", at)
    else
      self.at = at
      return ended
    end
  end
end

-- A backslash before a quote, a backslash, a question mark or a brace hides it. All other sequences
-- stay as they are: "\r\n" of a monitor has four characters.
local function unescape(text)
  if not text:find("\\", 1, true) then return text end
  return (text:gsub("\\([\"\\?{}|;' #])", "%1"))
end

function Reader:quoted(quote)
  local start <const>, line <const> = self.at + 1, self.line
  local at = start
  while true do
    local found <const> = self.text:find(quote == '"' and '["\\]' or "'", at)
    if not found then fail(line, "Syntax Error: unbalanced quotes") end
    if self.text:sub(found, found) == "\\" then
      at = found + 2
    else
      local text <const> = self.text:sub(start, found - 1)
      self.line = self.line + count_lines(text)
      self.at = found + 1
      return quote == '"' and unescape(text) or text
    end
  end
end

-- The next word. Returns nil at a brace or at the end of the text.
function Reader:word()
  local first <const> = self.text:sub(self.at, self.at)
  if first == "" or first == "{" or first == "}" then return nil end
  if first == '"' then return self:quoted '"', true end
  if first == "'" then return self:quoted "'", true end
  local start <const> = self.at
  local at = start
  while true do
    at = self.text:match("^[^%s{}\\\"]*()", at)
    local stop <const> = self.text:sub(at, at)
    if stop == "\\" then
      at = math.min(at + 2, #self.text + 1)
    elseif stop == '"' then
      at = at + 1 -- a quote inside of a word is plain
    else
      break
    end
  end
  self.at = math.min(at, #self.text + 1)
  return unescape(self.text:sub(start, self.at - 1)), false
end

-- Where the script from a position ends: the position behind its closing brace, and how many lines
-- it has; nil if it does not end. `plain`: braces in comments count as all others.
local function end_of_script(text, start, plain)
  local depth, at, lines = 1, start, 0
  while depth > 0 do
    local found <const> = text:find("[{}\\\n]", at)
    if not found then return nil end
    local char <const> = text:sub(found, found)
    at = found + 1
    if char == "\\" then
      if text:sub(at, at) == "\n" then lines = lines + 1 end
      at = at + 1
    elseif char == "\n" then
      lines = lines + 1
      local comment <const> = not plain and text:match("^[ \t]*()#", at)
      if comment then at = text:match("^[^\n]*()", comment) end
    elseif char == "{" then
      depth = depth + 1
    elseif char == "}" then
      depth = depth - 1
    end
  end
  return at, lines
end

-- The text of a script up to its closing brace. Braces in the comments of a rule do not count; in
-- the scripts of a template they do, for what looks like a comment can be part of a page (HTML). If
-- the script does not end in this way, the other way counts.
function Reader:script(plain)
  local start <const> = self.at
  local at, lines = end_of_script(self.text, start, plain)
  if not at then at, lines = end_of_script(self.text, start, not plain) end
  if not at then fail(self.line, "Syntax Error: unbalanced braces") end
  self.at, self.line = at, self.line + lines
  return self.text:sub(start, at - 2)
end

-- Values of sys db hold quotes that are not escaped: the value ends at the end of the line.
function Reader:rest_of_line()
  if self.measured ~= self.line then
    self.measured, self.line_end = self.line, self.text:find("\n", self.at, true) or #self.text + 1
  end
  if self.line_end - self.at > MAX_LINE then return nil end
  local text <const>, after <const> = self.text:sub(self.at, self.line_end - 1), self.line_end
  if self.depth == 1 and text:find '"[ \t]*}[ \t\r]*$' then
    -- all properties on one line: a value ends before the next property
    local value, behind = text:match '^"(.-)"()[ \t]+[%l%-]+[ \t]+"'
    if not value then value, behind = text:match '^"(.*)"()[ \t]*}[ \t\r]*$' end
    if value and value:find('"', 1, true) then
      self.at = self.at + behind - 1
      return value
    end
    return nil
  end
  local value <const> = self.depth == 1 and text:match '^"(.*)"[ \t\r]*$'
  if not value or not value:gsub("\\.", ""):find('"', 1, true) then return nil end
  self.at = after
  return value
end

-- The block behind an opening brace. `keys`: properties that are scripts; `raw`: of sys db.
function Reader:block(keys, raw)
  self.depth = self.depth + 1
  if self.depth > MAX_DEPTH then fail(self.line, "Syntax Error: too many nested blocks") end
  local opened <const> = self.line
  local block <const>, current = {}, nil
  while true do
    local ended <const> = self:skip()
    if ended then current = nil end
    local char <const> = self.text:sub(self.at, self.at)
    if char == "" then fail(opened, "Syntax Error: unbalanced braces") end
    if char == "}" then
      self.at = self.at + 1
      break
    end
    if not current then
      current = { line = self.line, quoted = {} }
      block[#block + 1] = current
    end
    if char == "{" then
      self.at = self.at + 1
      local key <const> = current[#current]
      if keys and keys[key] then
        current[#current + 1] = self:script(keys == SCRIPT_KEYS["sys application template"])
        current.quoted[#current] = true
      else
        current[#current + 1] = self:block(keys)
      end
    else
      local word, quoted = nil, true
      if raw and #current % 2 == 1 and char == '"' then word = self:rest_of_line() end
      if not word then word, quoted = self:word() end
      current[#current + 1] = word
      current.quoted[#current] = quoted
    end
  end
  block.inline = self.line == opened
  self.depth = self.depth - 1
  return block
end

local function starts(words, known)
  return known[table.concat(words, " ", 1, math.min(2, #words))]
    or known[table.concat(words, " ", 1, math.min(3, #words))]
end

-- One statement, up to the end of its line or of its block.
function Reader:statement()
  local statement <const> = { line = self.line, words = {}, quoted = {} }
  local words <const> = statement.words
  while true do
    local char <const> = self.text:sub(self.at, self.at)
    if char == "" then break end
    if char == "}" then fail(self.line, "Syntax Error: unbalanced braces") end
    if char == "{" then
      self.at = self.at + 1
      if starts(words, SCRIPTS) then
        statement.raw = self:script()
      else
        statement.block =
          self:block(starts(words, SCRIPT_KEYS), words[1] == "sys" and words[2] == "db")
      end
      break
    end
    local word <const>, quoted <const> = self:word()
    if #words == 0 and VERBS[word] and not statement.verb then
      statement.verb = word
    else
      words[#words + 1] = word
      statement.quoted[#words] = quoted
    end
    if self:skip() then break end
  end
  return statement
end

local function first_wrong_byte(text)
  local _, wrong <const> = utf8.len(text)
  local zero <const> = text:find("\0", 1, true)
  return wrong and zero and math.min(wrong, zero) or wrong or zero
end

-- What is said of a statement whose text is not UTF-8, or has a NUL byte.
local function wrong_byte(text, line)
  local at <const> = first_wrong_byte(text)
  return at and {
    line = line + count_lines(text:sub(1, at - 1)),
    message = text:byte(at) == 0 and "Syntax Error: there is a NUL byte"
      or ("Syntax Error: byte 0x%02x is not UTF-8: save the text as UTF-8"):format(text:byte(at)),
  }
end

--- Returns the statements of a text. Raises { line =, message = }.
function M.read(text)
  if text:find "^\xEF\xBB\xBF" then
    fail(1, "Syntax Error: the text starts with a byte order mark: save it without one")
  elseif text:find("\r", 1, true) and not text:find("\n", 1, true) then
    fail(1, "Syntax Error: the lines end with CR: save the text with LF or CR LF")
  end
  local reader <const> = setmetatable({ text = text, at = 1, line = 1, depth = 0 }, Reader)
  local statements <const>, is_wrong <const> = {}, first_wrong_byte(text)
  reader:skip()
  while reader.at <= #text do
    turns.pause()
    local from <const> = reader.at
    local statement <const> = reader:statement()
    if is_wrong then
      statement.wrong = wrong_byte(text:sub(from, reader.at - 1), statement.line)
    end
    statements[#statements + 1] = statement
    reader:skip()
  end
  return statements
end

return M
