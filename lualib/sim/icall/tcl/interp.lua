-- A small Tcl: runs the scripts of iCall.
--
--   local interp = Interp.new(budget)
--   interp.commands["tmsh::create"] = function(interp, words) return "" end
--   local result = interp:run(text)
--
-- A command is a function(interp, words) -> result, flow. words[1] is its name, all words are
-- texts. `flow` is "break", "continue", "return" or nil. An error of the script is raised as
-- { tcl = message }; what the simulator lacks has a message that begins with "not simulated: ".
-- Everything that takes time or memory asks the budget, whose stop no script can catch.
local expression = require "sim.icall.tcl.expression"
local lists = require "sim.icall.tcl.list"
local parser = require "sim.icall.tcl.parser"

local Interp = {}
Interp.__index = Interp

local MAX_DEPTH <const> = 50
local MAX_TEXT <const> = 1 << 20  -- of one value
local MAX_SHOWN <const> = 150  -- of a command in a message

Interp.commands = {}
for _, name in ipairs { "control", "variables", "lists", "strings" } do
  for command, run in pairs(require("sim.icall.tcl." .. name)) do Interp.commands[command] = run end
end

--- Makes an interpreter with the commands of Tcl. Others are added to `commands`.
function Interp.new(budget)
  local self = setmetatable({
    budget = budget, scripts = {}, expressions = {}, procs = {}, depth = 0, line = 1,
    commands = setmetatable({}, { __index = Interp.commands }),
  }, Interp)
  self.globals = { values = {}, links = {} }
  self.frame = self.globals
  return self
end

--- Raises an error of the script.
function Interp.fail(_, format, ...)
  error({ tcl = format:format(...) }, 0)
end

function Interp:usage(text)
  self:fail('wrong # args: should be "%s"', text)
end

--- Counts bytes that a command makes; called before it makes them, where there can be many.
function Interp:spend(bytes)
  if bytes > MAX_TEXT then
    error({ stop = ("a value of the script has more than %d bytes"):format(MAX_TEXT) }, 0)
  end
  self.budget:spend(bytes)
end

-- -- variables --
-- A variable is a text, or a table for an array.

-- The frame and the name that a name means.
local function locate(self, name)
  if name:sub(1, 2) == "::" then return self.globals, (name:sub(3)) end
  local link = self.frame.links[name]
  if link then return link.frame, link.name end
  return self.frame, name
end

--- Reads a variable; nil if it does not exist. With `index` an element of an array.
function Interp:peek(name, index)
  local frame, own = locate(self, name)
  local value = frame.values[own]
  if value == nil and name:find("::", 2, true) then value = self.globals.values[name] end
  if index == nil then return value end
  return type(value) == "table" and value[index] or nil
end

function Interp:get(name, index)
  local value = self:peek(name, index)
  if type(value) == "string" then return value end
  local shown = index and ("%s(%s)"):format(name, index) or name
  if value ~= nil then self:fail('can\'t read "%s": variable is array', shown) end
  local whole = index and self:peek(name)
  self:fail('can\'t read "%s": %s', shown,
    whole == nil and "no such variable" or type(whole) == "table" and "no such element in array"
      or "variable isn't array")
end

function Interp:set(name, index, value)
  self:spend(#value)
  local frame, own = locate(self, name)
  local known = frame.values[own]
  if index == nil then
    if type(known) == "table" then self:fail('can\'t set "%s": variable is array', name) end
    frame.values[own] = value
    return value
  end
  if type(known) == "string" then
    self:fail('can\'t set "%s(%s)": variable isn\'t array', name, index)
  end
  if not known then
    known = {}
    frame.values[own] = known
  end
  known[index] = value
  return value
end

--- "name" or "name(index)" as commands take it -> name, index
function Interp.split_name(_, text)
  local name, index = text:match "^([^(]*)%((.*)%)$"
  return name or text, index
end

function Interp:unset(name, index)
  local frame, own = locate(self, name)
  if index ~= nil then frame.values[own][index] = nil else frame.values[own] = nil end
end

-- -- running --

--- The text of a word whose parts are substituted.
function Interp:substitute(word)
  if type(word) == "string" then return word end
  local texts, size = {}, 0
  for i, part in ipairs(word) do
    local text = part
    if type(part) == "table" then
      if part.v then
        text = self:get(part.v, part.i and self:substitute(part.i))
      else
        local flow
        text, flow = self:commands_of(part.c)
        if flow == "break" or flow == "continue" then
          self:fail('invoked "%s" outside of a loop', flow)
        elseif flow then
          self:fail "not simulated: return in brackets"
        end
      end
    end
    texts[i] = text
    size = size + #text
  end
  if #texts == 1 then return texts[1] end
  self:spend(size)
  return table.concat(texts)
end

-- Calls a procedure: { names =, defaults =, body = }.
local function call(self, proc, words)
  local frame = { values = {}, links = {}, words = words }
  local count = #proc.names
  for i, name in ipairs(proc.names) do
    if name == "args" and i == count then
      frame.values.args = lists.join(table.move(words, i + 1, #words, 1, {}))
    else
      local value = words[i + 1] or proc.defaults[i]
      if not value then self:fail('wrong # args: should be "%s"', proc.usage) end
      frame.values[name] = value
    end
  end
  if #words - 1 > count and proc.names[count] ~= "args" then
    self:fail('wrong # args: should be "%s"', proc.usage)
  end
  local before = self.frame
  self.frame = frame
  local _back <close> = setmetatable({}, { __close = function() self.frame = before end })
  local result, flow = self:eval(proc.body)
  if flow == "break" or flow == "continue" then
    self:fail('invoked "%s" outside of a loop', flow)
  end
  return result
end

-- Runs one command whose words are substituted.
function Interp:invoke(words)
  local name = words[1]:gsub("^::", "")
  local proc = self.procs[name]
  if proc then return call(self, proc, words) end
  local run = self.commands[name]
  if run then return run(self, words) end
  if self.known_elsewhere(name) then self:fail("not simulated: the command %s", name) end
  self:fail('invalid command name "%s"', words[1])
end

-- Commands of Tcl, of tmsh and of iCall that are not simulated here.
local ELSEWHERE <const> = {}
for name in ([[
  apply auto_load bgerror binary cd chan close coroutine dict encoding eof exec exit fblocked
  fconfigure fcopy file fileevent flush gets glob history interp lassign lmap load lset memory
  namespace open package pid pwd read registry rename seek socket source subst tailcall tell
  throw time trace try unknown update uplevel variable vwait yield zlib
]]):gmatch "%S+" do ELSEWHERE[name] = true end

function Interp.known_elsewhere(name)
  return ELSEWHERE[name] or name:find "^tmsh::" ~= nil or name:find "^EVENT::" ~= nil
    or name:find "^IStats::" ~= nil or name:find "^iapp::" ~= nil
end

-- Runs parsed commands. Returns the result of the last one, and how they ended. `current` is the
-- command that runs: after an error it is the one that failed.
function Interp:commands_of(commands)
  local result = ""
  for _, command in ipairs(commands) do
    self.budget:command()
    if self.depth == 1 and self.frame == self.globals then self.line = command.line end
    self.current = command
    local words = {}
    for i, word in ipairs(command) do words[i] = self:substitute(word) end
    self.current = command
    local value, flow = self:invoke(words)
    if flow then return value, flow end
    result = value
  end
  return result or ""
end

--- Runs a script in the present frame. Returns its result and how it ended.
function Interp:eval(text)
  local commands = self.scripts[text]
  if not commands then
    self.budget:spend(#text)
    commands = parser.script(text)
    self.scripts[text] = commands
  end
  self.depth = self.depth + 1
  if self.depth > MAX_DEPTH then
    self.depth = 0
    error({ stop = ("the script nests more than %d levels"):format(MAX_DEPTH) }, 0)
  end
  local before = self.depth
  local result, flow = self:commands_of(commands)
  self.depth = before - 1
  return result, flow
end

--- The value of an expression.
function Interp:expr(text)
  local tree = self.expressions[text]
  if not tree then
    self.budget:spend(#text)
    tree = expression.parse(text)
    self.expressions[text] = tree
  end
  return expression.value(self, tree)
end

function Interp:condition(text)
  return expression.truth(self:expr(text))
end

--- The command that failed, as messages show it.
function Interp:failed()
  local text = self.current and self.current.text or ""
  if #text > MAX_SHOWN then text = text:sub(1, MAX_SHOWN) .. "..." end
  return text
end

--- Runs a whole script. Returns its result. Raises { tcl = message }; then `failed` has the command
--- and `line` the line of the script.
function Interp:run(text)
  local result, flow = self:eval(text)
  if flow == "break" or flow == "continue" then
    self:fail('invoked "%s" outside of a loop', flow)
  end
  return result
end

return Interp
