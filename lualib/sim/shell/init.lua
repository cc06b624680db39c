-- The device's bash. It runs what sim/shell/parser.lua parsed, with the programs of
-- sim/shell/programs. It never runs a program of the host.
--
-- run(device, script, actor) -> text of standard output and standard error, exit status
local arithmetic = require "sim.shell.arithmetic"
local budgets = require "sim.shell.budget"
local builtins = require "sim.shell.builtins"
local expand = require "sim.shell.expand"
local files = require "sim.shell.files"
local glob = require "sim.shell.glob"
local parser = require "sim.shell.parser"
local programs = require "sim.shell.programs"
local tmsh = require "sim.shell.tmsh"
local texts = require "sim.text"

local M = {}

local Shell <const> = {}
Shell.__index = Shell
for _, module in ipairs { expand, files } do
  for name, method in pairs(module.methods) do Shell[name] = method end
end

local EXIT <const> = builtins.EXIT

local function new_output()
  return { parts = {} }
end

local function text_of(output)
  return table.concat(output.parts)
end

local function write(output, text)
  if output and text ~= "" then output.parts[#output.parts + 1] = text end
end

-- What a command reads: a text, and how far it was read.
local function new_input(text)
  return { text = text, at = 1 }
end

-- actor: the user who sent the script. Programs have the rights of this user, not those of root.
local function new_shell(device, actor)
  local budget = budgets.new()
  return setmetatable(
    {
      device = device, actor = actor, variables = { HOME = "/root", USER = "root", PATH = "/bin" },
      cwd = "/root", status = 0, budget = budget, arguments = {}, functions = {},
      tick = function() budget:tick() end,
    },
    Shell
  )
end

local function copied(source)
  local copy = {}
  for key, value in pairs(source) do copy[key] = value end
  return copy
end

-- A shell of its own with copies of the variables and functions.
function Shell:fork()
  local inner = setmetatable(copied(self), Shell)
  inner.variables, inner.functions = copied(self.variables), copied(self.functions)
  return inner
end

-- $(…)
function Shell:substitute(list, io)
  local inner = self:fork()
  local output = new_output()
  inner:guarded(list, { input = new_input "", output = output, errors = io.errors })
  self.status = inner.status
  local text = text_of(output)
  local last = #text
  while text:byte(last) == 10 do last = last - 1 end
  return text:sub(1, last)
end

-- Opens the redirections of a command. Returns its streams, and the outputs that go to files when
-- the command has ended.
function Shell:redirected(redirects, io)
  local now = { input = io.input, output = io.output, errors = io.errors }
  local opened = {}
  for _, redirect in ipairs(redirects) do
    local target = self:expand_one(redirect.word, io)
    local stream = redirect.fd == "2" and "errors"
      or redirect.fd == "0" and "input" or "output"
    if redirect.how == ">&" then
      now[stream] = target == "2" and now.errors or target == "1" and now.output or nil
    elseif redirect.how == "<<" then
      now.input = new_input(target)
    elseif redirect.how == "<" then
      local text = target == "/dev/null" and "" or files.read(self, target)
      if not text then
        write(io.errors, ("/bin/bash: %s: No such file or directory\n"):format(target))
        return nil
      end
      now.input = new_input(text)
    elseif target == "/dev/null" then
      now[stream] = nil
    elseif target == "/dev/stderr" or target == "/dev/stdout" then
      now[stream] = target == "/dev/stderr" and now.errors or now.output
    elseif self:is_directory(self:path(target)) then
      write(io.errors, ("/bin/bash: %s: Is a directory\n"):format(target))
      return nil
    else
      local output = new_output()
      if redirect.how == ">>" then write(output, files.read(self, target) or "") end
      now[stream] = output
      opened[#opened + 1] = { path = self:path(target), output = output }
    end
  end
  return now, opened
end

-- What a program gets: input (all that is left of the input), line() (its next line), out(text),
-- err(text).
function Shell:streams(io)
  local streams = { shell_io = io }
  function streams.out(text)
    self.budget:spend(#text)
    write(io.output, text)
  end
  function streams.err(text)
    self.budget:spend(#text)
    write(io.errors, text)
  end
  function streams.line()
    local input = io.input
    if input.at > #input.text then return nil end
    local line, after = input.text:match("^([^\n]*)\n?()", input.at)
    input.at = after
    return line
  end
  return setmetatable(streams, {
    __index = function(_, name)
      if name ~= "input" then return nil end
      local input = io.input
      local text = input.text:sub(input.at)
      input.at = #input.text + 1
      streams.input = text
      return text
    end,
  })
end

-- Runs a program, a function or another shell by its name.
function Shell:call(words, io)
  self.budget:command()
  local full = table.remove(words, 1)
  local name = texts.after_slash(full)
  local defined = self.functions[full]
  if defined then return self:invoke(defined, words, io) end
  if builtins.commands[name] then
    return builtins.commands[name](self, words, self:streams(io)) or 0
  end
  local inner = name == "tmsh" and tmsh.bash_arguments(words)
  if inner then return self:nested("bash", inner, io) end
  if name == "bash" or name == "sh" or name == "eval" or name == "source" or name == "." then
    return self:nested(name, words, io)
  end
  if full:find "/" and self.device.disk.find(self:path(full)) then
    table.insert(words, 1, full)
    return self:nested("bash", words, io)
  end
  local program = programs.find(name)
  if not program then
    write(io.errors, ("/bin/bash: %s: command not found\n"):format(full))
    return 127
  end
  return program(self, words, self:streams(io)) or 0
end

-- A function of the script.
function Shell:invoke(body, words, io)
  local arguments = self.arguments
  self.arguments = words
  self.budget:deeper(self.command, self, body, io)
  self.arguments = arguments
  if self.leaving and self.leaving.what == "return" then self.leaving = nil end
  return self.status
end

function Shell:simple(command, io)
  local words = {}
  for _, word in ipairs(command.words) do self:expand(word, io, words) end
  local before = {}
  for _, assignment in ipairs(command.assignments) do
    before[assignment.name] = self.variables[assignment.name] or false
    self:assign(assignment.name, self:expand_one(assignment.word, io))
  end
  if #words == 0 then
    local substituted = command.assignments[1]
    for _, part in ipairs(substituted and substituted.word or {}) do
      if part.substitute then return self.status end
    end
    return 0
  end
  local status = self:call(words, io)
  for name, value in pairs(before) do self.variables[name] = value or nil end
  return status
end

function Shell:nested(name, words, io)
  local script
  local here = name == "eval" or name == "source" or name == "."
  local arguments, own_name = here and self.arguments or {}, name
  while not here and words[1] and words[1]:find "^%-[xeulinv]+$" do table.remove(words, 1) end
  if name == "eval" then
    script = table.concat(words, " ")
  elseif (words[1] or ""):find "^%-%l*c$" then
    script = words[2] or ""
    arguments, own_name = table.move(words, 4, #words, 1, {}), words[3] or name
  elseif words[1] and words[1] ~= "-s" then
    script = files.read(self, words[1])
    if not script then
      write(io.errors, ("%s: %s: No such file or directory\n"):format(name, words[1]))
      return here and 1 or 127
    end
    if not here then arguments, own_name = table.move(words, 2, #words, 1, {}), words[1] end
  else
    script = self:streams(io).input
  end
  self.budget:spend(#script)
  local list, message = parser.parse(script)
  if not list then
    write(io.errors, ("%s: -c: %s\n"):format(name, message))
    return 2
  end
  if here then
    self.budget:deeper(self.list, self, list, io)
    if self.leaving and self.leaving.what == "return" then self.leaving = nil end
    return self.status
  end
  local inner = self:fork()
  inner.arguments, inner.name = arguments, own_name
  inner:guarded(list, io)
  return inner.status
end

-- Runs a list as a condition: `set -e` does not count in it.
function Shell:holds(list, io)
  local errexit = self.errexit
  self.errexit = false
  self:list(list, io)
  self.errexit = errexit
  return self.status == 0
end

-- -- commands of several lines --

local COMPOUNDS <const> = {}

function COMPOUNDS.clauses(self, command, io)
  for _, clause in ipairs(command.clauses) do
    if self:holds(clause.condition, io) then
      self:list(clause.body, io)
      return
    end
    if self.leaving then return end
  end
  self.status = 0
  if command.otherwise then self:list(command.otherwise, io) end
end

-- Runs the body of a loop once. Returns whether the loop ends.
function Shell:round(body, io)
  self.budget:command()
  self:list(body, io)
  local leaving = self.leaving
  if not leaving then return false end
  if leaving.what == "return" then return true end
  leaving.count = leaving.count - 1
  if leaving.count > 0 then return true end
  self.leaving = nil
  return leaving.what == "break"
end

function COMPOUNDS.loop(self, command, io)
  local items = {}
  for _, word in ipairs(command.items or {}) do self:expand(word, io, items) end
  if not command.items then items = self.arguments end
  self.status = 0
  for _, item in ipairs(items) do
    self:assign(command.loop, item)
    if self:round(command.body, io) then return end
  end
end

function COMPOUNDS.condition(self, command, io)
  local status = 0
  while true do
    local holds = self:holds(command.condition, io)
    if holds == (command.until_true == true) or self.leaving then break end
    if self:round(command.body, io) then return end
    status = self.status
  end
  self.status = status
end

function COMPOUNDS.check(self, command, io)
  local function number(word)
    local text = self:expand_one(word, io)
    return text:find "%S" and arithmetic.evaluate(text, self) or nil
  end
  number(command.initial)
  self.status = 0
  while number(command.check) ~= 0 do
    if self:round(command.body, io) then return end
    number(command.step)
  end
end

function COMPOUNDS.case(self, command, io)
  local subject = self:expand_one(command.case, io)
  self.status = 0
  for _, branch in ipairs(command.branches) do
    for _, pattern in ipairs(branch.patterns) do
      self.budget:spend(#subject)
      if glob.matches(subject, self:expand_one(pattern, io), self.tick) then
        return self:list(branch.body, io)
      end
    end
  end
end

function COMPOUNDS.define(self, command)
  self.functions[command.define] = command.body
  self.status = 0
end

function COMPOUNDS.test(self, command, io)
  local words = {}
  for i, word in ipairs(command.test) do
    words[i] = { text = self:expand_one(word, io), quoted = word[1].quoted }
  end
  self.status = builtins.double_test(self, words, self:streams(io))
end

function COMPOUNDS.arithmetic(self, command, io)
  local value = arithmetic.evaluate(self:expand_one(command.arithmetic, io), self)
  self.status = value ~= 0 and 0 or 1
end

function COMPOUNDS.group(self, command, io)
  if not command.subshell then return self:list(command.group, io) end
  local inner = self:fork()
  inner:guarded(command.group, io)
  self.status = inner.status
end

local ORDER <const> = {
  "clauses", "loop", "condition", "check", "case", "define", "test", "arithmetic", "group",
}

-- Runs a command. A wrong expression in it is reported, and the command fails.
function Shell:attempt(command, io)
  if command.words then return self:simple(command, io) end
  for _, what in ipairs(ORDER) do
    if command[what] then
      COMPOUNDS[what](self, command, io)
      return self.status
    end
  end
end

function Shell:command(command, io)
  local now, opened = self:redirected(command.redirects or {}, io)
  if not now then return 1 end
  local ok, status = pcall(self.attempt, self, command, now)
  if not ok then
    if type(status) ~= "table" or not status.syntax then
      for _, file in ipairs(opened) do self:write_file(file.path, text_of(file.output)) end
      error(status, 0)
    end
    write(now.errors, ("/bin/bash: %s\n"):format(status.syntax))
    status = 1
  end
  for _, file in ipairs(opened) do self:write_file(file.path, text_of(file.output)) end
  self.status = status
  return status
end

function Shell:pipeline(entry, io)
  local input, failed = io.input, 0
  for i, command in ipairs(entry.pipeline) do
    local is_last = i == #entry.pipeline
    local output = is_last and io.output or new_output()
    -- all but a single command run in a shell of their own
    local shell = #entry.pipeline > 1 and self:fork() or self
    local streams = { input = input, output = output, errors = io.errors }
    if shell == self then
      self.status = self:command(command, streams)
    else
      shell:guarded({ { join = ";", pipeline = { command } } }, streams)
      self.status = shell.status
    end
    if self.status ~= 0 then failed = self.status end
    if not is_last then input = new_input(text_of(output)) end
  end
  if self.pipefail then self.status = failed end
  if entry.negated then self.status = self.status == 0 and 1 or 0 end
end

function Shell:list(list, io)
  for i, entry in ipairs(list) do
    if self.leaving then return end
    local goes = entry.join == ";"
      or entry.join == "&&" and self.status == 0 or entry.join == "||" and self.status ~= 0
    if goes then self:pipeline(entry, io) end
    local follows = list[i + 1] and list[i + 1].join ~= ";"
    if goes and self.errexit and self.status ~= 0 and not follows and not entry.negated then
      error(EXIT, 0)
    end
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
  local status = bounded(output, shell, shell.guarded, shell, list, {
    input = new_input "", output = output, errors = output,
  })
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
    if previous and previous:find "^%-%l*c$" then return word end
    previous = word
  end
end

return M
