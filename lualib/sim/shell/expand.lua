-- Expands words of a script: variables, substitutions, arithmetic, braces, names of files.
--
-- The functions are methods of the shell in sim/shell/init.lua.
local arithmetic = require "sim.shell.arithmetic"
local glob = require "sim.shell.glob"

local M = {}

local Shell <const> = {}
M.methods = Shell

local MAX_BRACES <const> = 1000
local PIECES <const> = 1024  -- so many words, and the time is checked

function Shell:value(name)
  if name == "?" then return tostring(self.status) end
  if name == "$" then return "4242" end
  if name == "!" then return "" end
  if name == "#" then return tostring(#self.arguments) end
  if name == "@" or name == "*" then return table.concat(self.arguments, " ") end
  if name == "0" then return self.name or "/bin/bash" end
  if name:find "^%d+$" then return self.arguments[tonumber(name)] or "" end
  if name == "RANDOM" then return tostring(self.device:now() // 7 % 32768) end
  return self.variables[name] or ""
end

function Shell:assign(name, value)
  self.variables[name] = value
end

-- ${name/pattern/text}, with "//" every match
local function replaced(value, operator, word, shell)
  local pattern, text = word:match "^(.-[^\\])/(.*)$"
  pattern, text = pattern or word, text or ""
  if pattern == "" then return value end
  local parts, at = {}, 1
  while at <= #value do
    shell.budget:tick()
    local stop
    for last = #value, at, -1 do
      shell.budget:spend(last - at)
      shell.budget:tick()
      if glob.matches(value:sub(at, last), pattern, shell.tick) then
        stop = last
        break
      end
    end
    if stop then
      parts[#parts + 1] = text
      at = stop + 1
      if operator == "/" then break end
    else
      parts[#parts + 1] = value:sub(at, at)
      at = at + 1
    end
  end
  return table.concat(parts) .. value:sub(at)
end

local OPERATORS <const> = {}

function OPERATORS.length(shell, part, value)
  if part.variable == "@" or part.variable == "*" then return tostring(#shell.arguments) end
  return tostring(#value)
end

function OPERATORS.cut(_, part, value)
  local from = part.from < 0 and math.max(#value + part.from, 0) or part.from
  return value:sub(from + 1, part.count and from + part.count or #value)
end

local function otherwise(is_missing, act)
  return function(shell, part, value, io)
    local missing = is_missing(shell, part, value)
    return act(shell, part, value, missing, function() return shell:expand_one(part.word, io) end)
  end
end

local function unset(shell, part)
  return shell.variables[part.variable] == nil and shell:value(part.variable) == ""
end
local function empty(_, _, value) return value == "" end

local function default(_, _, value, missing, word) return missing and word() or value end
local function instead(_, _, _, missing, word) return missing and "" or word() end
local function assigned(shell, part, value, missing, word)
  if not missing then return value end
  local fresh = word()
  shell:assign(part.variable, fresh)
  return fresh
end
local function required(_, part, value, missing, word)
  if not missing then return value end
  local message = word()
  if message == "" then message = "parameter null or not set" end
  error({ syntax = part.variable .. ": " .. message }, 0)
end

OPERATORS[":-"], OPERATORS["-"] = otherwise(empty, default), otherwise(unset, default)
OPERATORS[":+"], OPERATORS["+"] = otherwise(empty, instead), otherwise(unset, instead)
OPERATORS[":="], OPERATORS["="] = otherwise(empty, assigned), otherwise(unset, assigned)
OPERATORS[":?"] = otherwise(empty, required)
for _, operator in ipairs { "#", "##", "%", "%%" } do
  OPERATORS[operator] = function(shell, part, value, io)
    return glob.trim(value, operator, shell:expand_one(part.word, io), shell.budget)
  end
end
for _, operator in ipairs { "/", "//" } do
  OPERATORS[operator] = function(shell, part, value, io)
    return replaced(value, operator, shell:expand_one(part.word, io), shell)
  end
end

-- The text of one part of a word.
function Shell:part(part, io)
  if part.text then return part.text end
  if part.arithmetic then
    return tostring(arithmetic.evaluate(self:expand_one(part.arithmetic, io), self))
  end
  if part.substitute then return self:substitute(part.substitute, io) end
  local value = self:value(part.variable)
  if part.operator then return OPERATORS[part.operator](self, part, value, io) end
  return value
end

-- The texts of "a{1..3}" or "a{b,c}"; nil if there are no such braces.
local function braces(text)
  local before, inner, after = text:match "^(.-){([^{}]*)}(.*)$"
  if not inner then return nil end
  local list = {}
  local from, to = inner:match "^(%-?%d+)%.%.(%-?%d+)$"
  if from then
    from, to = tonumber(from), tonumber(to)
    if math.abs(to - from) >= MAX_BRACES then return nil end
    for i = from, to, from <= to and 1 or -1 do list[#list + 1] = before .. i .. after end
    return list
  end
  if not inner:find(",", 1, true) then return nil end
  for item in (inner .. ","):gmatch "([^,]*)," do list[#list + 1] = before .. item .. after end
  return list
end

-- Adds the names of files that match an unquoted pattern; the pattern itself if there are none.
function Shell:add_files(fields, pattern)
  local found = {}
  local full = self:path(pattern)
  if pattern:sub(1, 1) ~= "-" then
    for _, path in ipairs(self:files_below "/") do
      self.budget:tick()
      local _, depth = path:gsub("/", "")
      local _, wanted = full:gsub("/", "")
      if depth == wanted and glob.matches(path, full, self.tick) then
        found[#found + 1] = pattern:sub(1, 1) == "/" and path
          or path:sub(#self.cwd + (self.cwd == "/" and 1 or 2))
      end
    end
  end
  table.sort(found)
  if #found == 0 then found[1] = pattern end
  table.move(found, 1, #found, #fields + 1, fields)
end

local function finish(shell, fields, text, is_pattern)
  if is_pattern and glob.is_pattern(text) then
    shell:add_files(fields, text)
  else
    fields[#fields + 1] = text
  end
end

-- Expands a word to one or several texts: unquoted expansions are split at white space. `whole`: no
-- splitting and no names of files.
function Shell:expand(word, io, fields, whole)
  local alone = #word == 1 and word[1].text and not word[1].quoted and not whole
  local list = alone and word[1].text:find("{", 1, true) and braces(word[1].text)
  if list then
    for _, text in ipairs(list) do finish(self, fields, text, true) end
    return
  end
  local current, any, is_pattern = "", false, not whole
  for _, part in ipairs(word) do
    if part.variable == "@" and part.quoted and not part.operator and not whole then
      for i, argument in ipairs(self.arguments) do
        if i > 1 then
          fields[#fields + 1], current = current, ""
        end
        current, any = current .. argument, true
      end
    else
      local text = self:part(part, io)
      self.budget:spend(#current + #text)
      if part.quoted and glob.is_pattern(text) then is_pattern = false end
      if part.text or part.quoted or whole then
        current, any = current .. text, any or text ~= "" or part.quoted
      else
        local first = true
        for piece in text:gmatch "%S+" do
          if not first or (current ~= "" and text:find "^%s") then
            finish(self, fields, current, is_pattern)
            current = ""
          end
          current, any, first = current .. piece, true, false
          if #fields % PIECES == 0 then self.budget:tick() end
        end
        if not first and text:find "%s$" then
          finish(self, fields, current, is_pattern)
          current, any = "", false
        end
      end
    end
  end
  if any then finish(self, fields, current, is_pattern) end
end

function Shell:expand_one(word, io)
  local fields = {}
  self:expand(word, io, fields, true)
  return table.concat(fields, " ")
end

return M
