-- The device's bash. It runs what sim/shell/parser.lua parsed, with the programs of
-- sim/shell/programs.lua. It never runs a program of the host.
--
-- run(device, script, actor) -> text of standard output and standard error, exit status
local budgets = require "sim.shell.budget"
local parser = require "sim.shell.parser"
local programs = require "sim.shell.programs"
local tmsh = require "sim.shell.tmsh"

local M = {}

local Shell <const> = {}
Shell.__index = Shell

local EXIT <const> = {}  -- raised by `exit`

local function new_output()
  return { parts = {} }
end

local function text_of(output)
  return table.concat(output.parts)
end

local function write(output, text)
  if output and text ~= "" then output.parts[#output.parts + 1] = text end
end

-- actor: the user who sent the script. Programs have the rights of this user, not those of root.
local function new_shell(device, actor)
  return setmetatable(
    {
      device = device, actor = actor, variables = { HOME = "/root", USER = "root" }, cwd = "/root",
      status = 0, budget = budgets.new(),
    },
    Shell
  )
end

function Shell:value(name)
  if name == "?" then return tostring(self.status) end
  if name == "$" then return "4242" end
  return self.variables[name] or ""
end

-- $(…): runs in a shell of its own with a copy of the variables.
function Shell:substitute(list, io)
  local variables = {}
  for name, value in pairs(self.variables) do
    variables[name] = value
  end
  local inner = setmetatable(
    {
      device = self.device, actor = self.actor, variables = variables, cwd = self.cwd,
      status = self.status, budget = self.budget,
    },
    Shell
  )
  local output = new_output()
  inner:guarded(list, { input = "", output = output, errors = io.errors })
  self.status = inner.status
  local text = text_of(output)
  local last = #text
  while text:byte(last) == 10 do last = last - 1 end
  return text:sub(1, last)
end

-- Expands a word to one or several texts: unquoted expansions are split at white space.
function Shell:expand(word, io, fields)
  local current, any = "", false
  for _, part in ipairs(word) do
    local text = part.text
      or (part.variable and self:value(part.variable)) or self:substitute(part.substitute, io)
    self.budget:spend(#current + #text)
    if part.text or part.quoted then
      current, any = current .. text, any or text ~= "" or part.quoted
    else
      local first = true
      for piece in text:gmatch "%S+" do
        if not first or (current ~= "" and text:find "^%s") then
          fields[#fields + 1] = current
          current = ""
        end
        current, any, first = current .. piece, true, false
      end
      if not first and text:find "%s$" then
        fields[#fields + 1] = current
        current, any = "", false
      end
    end
  end
  if any then fields[#fields + 1] = current end
end

function Shell:expand_one(word, io)
  local fields = {}
  self:expand(word, io, fields)
  return table.concat(fields, " ")
end

function Shell:path(name)
  if name:sub(1, 1) ~= "/" then name = self.cwd .. "/" .. name end
  local parts = {}
  for part in name:gmatch "[^/]+" do
    if part == ".." then
      parts[#parts] = nil
    elseif part ~= "." then
      parts[#parts + 1] = part
    end
  end
  return "/" .. table.concat(parts, "/")
end

-- Opens the redirections of a command. Returns its streams, and the outputs that go to files when
-- the command has ended.
function Shell:redirected(redirects, io)
  local now = { input = io.input, output = io.output, errors = io.errors }
  local files = {}
  for _, redirect in ipairs(redirects) do
    local target = self:expand_one(redirect.word, io)
    local stream = redirect.fd == "2" and "errors"
      or redirect.fd == "0" and "input" or "output"
    if redirect.how == ">&" then
      now[stream] = target == "2" and now.errors or now.output
    elseif redirect.how == "<" then
      local text = target == "/dev/null" and "" or programs.read(self, target)
      if not text then
        write(io.errors, ("/bin/bash: %s: No such file or directory\n"):format(target))
        return nil
      end
      now.input = text
    elseif target == "/dev/null" then
      now[stream] = nil
    else
      local output = new_output()
      if redirect.how == ">>" then write(output, programs.read(self, target) or "") end
      now[stream] = output
      files[#files + 1] = { path = self:path(target), output = output }
    end
  end
  return now, files
end

function Shell:simple(command, io)
  local words = {}
  for _, word in ipairs(command.words) do self:expand(word, io, words) end
  for _, assignment in ipairs(command.assignments) do
    self.variables[assignment.name] = self:expand_one(assignment.word, io)
  end
  if #words == 0 then return 0 end
  self.budget:command()
  local name = table.remove(words, 1):match "[^/]*$"
  if name == "exit" then
    self.status = (math.tointeger(tonumber(words[1])) or self.status) & 255
    error(EXIT, 0)
  end
  local inner = name == "tmsh" and tmsh.bash_arguments(words)
  if inner then return self:nested("bash", inner, io) end
  if name == "bash" or name == "sh" or name == "eval" then return self:nested(name, words, io) end
  local program = programs.find(name)
  if not program then
    write(io.errors, ("/bin/bash: %s: command not found\n"):format(name))
    return 127
  end
  local function out(text)
    self.budget:spend(#text)
    write(io.output, text)
  end
  local function complain(text)
    self.budget:spend(#text)
    write(io.errors, text)
  end
  return program(self, words, { input = io.input, out = out, err = complain }) or 0
end

function Shell:nested(name, words, io)
  local script
  if name == "eval" then
    script = table.concat(words, " ")
  elseif words[1] == "-c" then
    script = words[2] or ""
  elseif words[1] and words[1] ~= "-s" then
    script = programs.read(self, words[1])
    if not script then
      write(io.errors, ("%s: %s: No such file or directory\n"):format(name, words[1]))
      return 127
    end
  else
    script = io.input
  end
  self.budget:spend(#script)
  local list, message = parser.parse(script)
  if not list then
    write(io.errors, ("%s: -c: %s\n"):format(name, message))
    return 2
  end
  if name == "eval" then
    self.budget:deeper(self.list, self, list, io)
  else
    self:guarded(list, io)
  end
  return self.status
end

function Shell:conditional(command, io)
  for _, clause in ipairs(command.clauses) do
    self:list(clause.condition, io)
    if self.status == 0 then
      self:list(clause.body, io)
      return self.status
    end
  end
  self.status = 0
  if command.otherwise then self:list(command.otherwise, io) end
  return self.status
end

function Shell:command(command, io)
  local now, files = self:redirected(command.redirects, io)
  if not now then return 1 end
  local status
  if command.words then
    status = self:simple(command, now)
  elseif command.clauses then
    status = self:conditional(command, now)
  elseif command.subshell then
    local cwd = self.cwd
    self:guarded(command.group, now)
    self.cwd, status = cwd, self.status
  else
    self:list(command.group, now)
    status = self.status
  end
  for _, file in ipairs(files) do self.device.disk.write(file.path, text_of(file.output)) end
  return status
end

function Shell:pipeline(entry, io)
  local input = io.input
  for i, command in ipairs(entry.pipeline) do
    local is_last = i == #entry.pipeline
    local output = is_last and io.output or new_output()
    self.status = self:command(command, { input = input, output = output, errors = io.errors })
    if not is_last then input = text_of(output) end
  end
  if entry.negated then self.status = self.status == 0 and 1 or 0 end
end

function Shell:list(list, io)
  for _, entry in ipairs(list) do
    local goes = entry.join == ";"
      or entry.join == "&&" and self.status == 0 or entry.join == "||" and self.status ~= 0
    if goes then self:pipeline(entry, io) end
  end
end

-- Runs a list until its end or until `exit`.
function Shell:guarded(list, io)
  local depth = self.budget.depth
  self.budget:deeper(function()
    local ok, problem = pcall(self.list, self, list, io)
    if not ok and problem ~= EXIT then error(problem, 0) end
  end)
  self.budget.depth = depth
end

-- Calls run() of a shell. A script that uses up its budget ends there, with a message.
local function bounded(output, shell, run, ...)
  local ok, problem = pcall(run, ...)
  if ok then return shell.status end
  if not budgets.is_stop(problem) then error(problem, 0) end
  write(output, ("/bin/bash: stopped by the simulated device: %s\n"):format(problem.stop))
  return 137
end

function M.run(device, script, actor)
  local shell = new_shell(device, actor)
  local list, message = parser.parse(script)
  if not list then return ("/bin/bash: -c: line 0: %s\n"):format(message), 2 end
  local output = new_output()
  local status = bounded(
    output, shell, shell.guarded, shell, list, { input = "", output = output, errors = output }
  )
  return text_of(output), status
end

-- The place of the quote that closes one; nil if there is none. A backslash keeps a double quote
-- open.
local function closing(text, at, quote)
  if quote == "'" then return text:find(quote, at, true) end
  while at do
    at = text:find('["\\]', at)
    if at and text:byte(at) == 34 then return at end
    at = at and at + 1 < #text and at + 2 or nil
  end
end

-- The next word of the arguments of a utility, and the position after it; nil at the end, or if a
-- quote is not closed. No shell reads the arguments, so nothing is expanded.
local function argument(text, at)
  at = text:match("^%s*()", at)
  local parts = {}
  while true do
    local plain, quote, after = text:match("^([^%s'\"\\]*)(['\"\\]?)()", at)
    parts[#parts + 1] = plain
    if quote == "" then
      return #parts > 1 and table.concat(parts) or plain ~= "" and plain or nil, after
    elseif quote == "\\" then
      parts[#parts + 1], at = text:sub(after, after), math.min(after + 1, #text + 1)
    else
      local stop = closing(text, after, quote)
      if not stop then return nil end
      local inner = text:sub(after, stop - 1)
      parts[#parts + 1] = quote == '"' and inner:gsub('\\([$`"\\])', "%1") or inner
      at = stop + 1
    end
  end
end

-- The script in the arguments of util/bash: "-c 'script'" -> script; nil if there is none.
function M.script_of(arguments)
  local at, previous = 1, nil
  while at do
    local word
    word, at = argument(arguments, at)
    if not word then return nil end
    if previous == "-c" then return word end
    previous = word
  end
end

return M
