-- What only the shell itself can do: exit, export, read, loops, tests.
--
-- A builtin is a function(shell, arguments, io) that returns the exit status (nil: 0).
local arithmetic = require "sim.shell.arithmetic"
local glob = require "sim.shell.glob"
local regex = require "sim.shell.regex"
local texts = require "sim.text"

local M = {}

M.EXIT = {}  -- raised by `exit`

local commands <const> = {}
M.commands = commands

function commands.exit(shell, words)
  shell.status = (math.tointeger(tonumber(words[1])) or shell.status) & 255
  error(M.EXIT, 0)
end

commands[":"] = function() return 0 end
commands["true"] = commands[":"]
commands["false"] = function() return 1 end

local function leave(what)
  return function(shell, words)
    shell.leaving = { what = what, count = math.max(math.tointeger(tonumber(words[1])) or 1, 1) }
    return 0
  end
end
commands["break"], commands.continue = leave "break", leave "continue"

commands["return"] = function(shell, words)
  shell.leaving = { what = "return", count = 1 }
  return (math.tointeger(tonumber(words[1])) or shell.status) & 255
end

function commands.export(shell, words)
  for _, word in ipairs(words) do
    local name, value = word:match "^([%a_][%w_]*)=(.*)$"
    if name then shell:assign(name, value) end
  end
end
commands["local"], commands.declare, commands.readonly = commands.export, commands.export,
  commands.export
commands.typeset = commands.export

function commands.unset(shell, words)
  for _, word in ipairs(words) do
    shell.variables[word] = nil
    shell.functions[word] = nil
  end
end

function commands.set(shell, words)
  local i = 1
  while words[i] do
    local word = words[i]
    if word == "-o" or word == "+o" then
      if words[i + 1] == "pipefail" then shell.pipefail = word == "-o" end
      if words[i + 1] == "errexit" then shell.errexit = word == "-o" end
      i = i + 1
    elseif word == "--" then
      shell.arguments = table.move(words, i + 1, #words, 1, {})
      return
    elseif word:find "^[-+]%a+$" then
      if word:find "e" then shell.errexit = word:sub(1, 1) == "-" end
      if word:find "o" and words[i + 1] == "pipefail" then
        shell.pipefail, i = word:sub(1, 1) == "-", i + 1
      end
    else
      shell.arguments = table.move(words, i, #words, 1, {})
      return
    end
    i = i + 1
  end
end
commands.shopt, commands.trap, commands.wait, commands.umask, commands.ulimit =
  commands[":"], commands[":"], commands[":"], commands[":"], commands[":"]

function commands.shift(shell, words)
  local count = math.tointeger(tonumber(words[1] or "1")) or 1
  if count < 0 or count > #shell.arguments then return 1 end
  shell.arguments = table.move(shell.arguments, count + 1, #shell.arguments, 1, {})
end

function commands.read(shell, words, io)
  local names, raw = {}, false
  for _, word in ipairs(words) do
    if word == "-r" then raw = true elseif word:find "^[%a_]" then names[#names + 1] = word end
  end
  if #names == 0 then names[1] = "REPLY" end
  local line = io.line()
  local rest = line or ""
  if not raw then rest = rest:gsub("\\(.)", "%1") end
  local separators = shell.variables.IFS or " \t"
  local set = separators ~= "" and "[" .. separators:gsub("[%^%]%-%%\n]", "%%%0") .. "]" or "%z"
  if separators:find "%s" then rest = texts.trim(rest) end
  for i, name in ipairs(names) do
    local first, last = rest:find(set .. (separators:find "%s" and "+" or ""))
    if i == #names or not first then
      shell:assign(name, rest)
      rest = ""
    else
      shell:assign(name, rest:sub(1, first - 1))
      rest = rest:sub(last + 1)
    end
  end
  return line and 0 or 1
end

function commands.cd(shell, words, io)
  local target = words[1] == "-" and (shell.variables.OLDPWD or "") or words[1] or "/root"
  local path = shell:path(target)
  if not shell:is_directory(path) then
    io.err(("/bin/bash: line 0: cd: %s: No such file or directory\n"):format(target))
    return 1
  end
  shell:assign("OLDPWD", shell.cwd)
  shell.cwd = path
  shell:assign("PWD", path)
end

function commands.pwd(shell, _, io) io.out(shell.cwd .. "\n") end

commands["let"] = function(shell, words)
  local value = 0
  for _, word in ipairs(words) do value = arithmetic.evaluate(word, shell) end
  return value ~= 0 and 0 or 1
end

commands["type"] = function(shell, words, io)
  local programs = require "sim.shell.programs"
  for _, name in ipairs(words) do
    if not name:find "^%-" then
      if commands[name] then
        io.out(("%s is a shell builtin\n"):format(name))
      elseif shell.functions[name] then
        io.out(("%s is a function\n"):format(name))
      elseif programs.find(name) or name == "bash" or name == "sh" then
        io.out(("%s is /usr/bin/%s\n"):format(name, name))
      else
        io.err(("/bin/bash: line 0: type: %s: not found\n"):format(name))
        return 1
      end
    end
  end
end

commands.command = function(shell, words, io)
  local programs = require "sim.shell.programs"
  if words[1] == "-v" or words[1] == "-V" then
    local name = words[2] or ""
    if commands[name] or shell.functions[name] then
      io.out(name .. "\n")
    elseif programs.find(name) or name == "bash" then
      io.out(("/usr/bin/%s\n"):format(name))
    else
      return 1
    end
    return 0
  end
  if #words == 0 then return 0 end
  return shell:call(words, io.shell_io)
end

-- -- tests --

local UNARY <const> = {
  ["-z"] = function(_, text) return text == "" end,
  ["-n"] = function(_, text) return text ~= "" end,
  ["-d"] = function(shell, text) return shell:is_directory(shell:path(text)) end,
  ["-f"] = function(shell, text) return shell:size_of(shell:path(text)) ~= nil end,
  ["-s"] = function(shell, text) return (shell:size_of(shell:path(text)) or 0) > 0 end,
  ["-v"] = function(shell, text) return shell.variables[text] ~= nil end,
  ["-L"] = function() return false end,
  ["-t"] = function() return false end,
}
local function exists(shell, text)
  local path = shell:path(text)
  return text ~= "" and (shell:size_of(path) ~= nil or shell:is_directory(path))
end
for _, name in ipairs { "-e", "-r", "-w", "-x", "-a", "-O" } do UNARY[name] = exists end
UNARY["-h"] = UNARY["-L"]

local function number(text)
  local value = math.tointeger(tonumber(text))
  if not value then error({ syntax = ("[: %s: integer expression expected"):format(text) }, 0) end
  return value
end

local BINARY <const> = {
  ["="] = function(a, b) return a == b end,
  ["=="] = function(a, b) return a == b end,
  ["!="] = function(a, b) return a ~= b end,
  ["<"] = function(a, b) return a < b end,
  [">"] = function(a, b) return a > b end,
  ["-eq"] = function(a, b) return number(a) == number(b) end,
  ["-ne"] = function(a, b) return number(a) ~= number(b) end,
  ["-gt"] = function(a, b) return number(a) > number(b) end,
  ["-ge"] = function(a, b) return number(a) >= number(b) end,
  ["-lt"] = function(a, b) return number(a) < number(b) end,
  ["-le"] = function(a, b) return number(a) <= number(b) end,
}

-- [[ text == pattern ]], [[ text =~ expression ]]
local PATTERNS <const> = {
  ["=="] = function(a, b, shell)
    return b.quoted and a == b.text or glob.matches(a, b.text, shell.tick)
  end,
  ["!="] = function(a, b, shell)
    if b.quoted then return a ~= b.text end
    return not glob.matches(a, b.text, shell.tick)
  end,
  ["=~"] = function(a, b, shell)
    shell.budget:spend(#a + #b.text)
    local matches, message = regex.compile(b.text, { extended = true })
    if not matches then error({ syntax = message }, 0) end
    return matches(a)
  end,
}
PATTERNS["="] = PATTERNS["=="]

local Test <const> = {}
Test.__index = Test

function Test:next() return self.words[self.at] and self.words[self.at].text end

function Test:primary()
  local word = self:next()
  if word == nil then return false end
  if word == "!" then
    local negated = false
    while self:next() == "!" do
      self.at, negated = self.at + 1, not negated
    end
    return self:primary() ~= negated
  end
  local operator = self.words[self.at + 1] and self.words[self.at + 1].text
  local right = self.words[self.at + 2]
  if right and (BINARY[operator] or self.double and PATTERNS[operator]) then
    self.at = self.at + 3
    local pattern = self.double and PATTERNS[operator]
    if pattern then return pattern(word, right, self.shell) end
    return BINARY[operator](word, right.text)
  end
  if word == "(" then
    self.at = self.at + 1
    local value = self:either()
    self.at = self.at + 1
    return value
  end
  if UNARY[word] and self.words[self.at + 1] then
    self.at = self.at + 2
    return UNARY[word](self.shell, operator)
  end
  self.at = self.at + 1
  return word ~= ""
end

function Test:both()
  local value = self:primary()
  while self:next() == (self.double and "&&" or "-a") do
    self.at = self.at + 1
    local other = self:primary()
    value = value and other
  end
  return value
end

function Test:either()
  self.depth = self.depth + 1
  if self.depth > 50 then error({ syntax = "[: too many levels" }, 0) end
  local value = self:both()
  while self:next() == (self.double and "||" or "-o") do
    self.at = self.at + 1
    local other = self:both()
    value = value or other
  end
  self.depth = self.depth - 1
  return value
end

local function evaluate(shell, words, double)
  local test = setmetatable(
    { shell = shell, words = words, at = 1, double = double, depth = 0 }, Test
  )
  local ok, value = pcall(test.either, test)
  if not ok then
    if type(value) ~= "table" or not value.syntax then error(value, 0) end
    return 2, value.syntax
  end
  if test.at <= #words then return 2, "[: too many arguments" end
  return value and 0 or 1
end

function commands.test(shell, words, io)
  local list = {}
  for i, word in ipairs(words) do list[i] = { text = word } end
  local status, message = evaluate(shell, list, false)
  if message then io.err(("/bin/bash: line 0: %s\n"):format(message)) end
  return status
end

commands["["] = function(shell, words, io)
  if words[#words] ~= "]" then
    io.err "/bin/bash: line 0: [: missing `]'\n"
    return 2
  end
  words[#words] = nil
  return commands.test(shell, words, io)
end

--- [[ … ]]; words: { { text =, quoted = }, … }
function M.double_test(shell, words, io)
  local status, message = evaluate(shell, words, true)
  if message then io.err(("/bin/bash: line 0: %s\n"):format(message)) end
  return status
end

return M
