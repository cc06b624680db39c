-- awk: patterns, blocks, fields, variables, arrays, if, for, while, print, printf and the usual
-- functions. The text is parsed in sim/shell/programs/awk_parser.lua.
local common = require "sim.shell.programs.common"
local parser = require "sim.shell.programs.awk_parser"
local printing = require "sim.shell.programs.printing"
local regex = require "sim.shell.regex"

local programs <const> = {}

local Run <const> = {}
Run.__index = Run

local function to_text(value)
  if type(value) == "number" then
    local whole = math.tointeger(value)
    return whole and tostring(whole) or ("%.6g"):format(value)
  end
  return value or ""
end

local function to_number(value)
  if type(value) == "number" then return value end
  local digits = (value or ""):match "^%s*([-+]?%d*%.?%d*[eE]?[-+]?%d*)"
  while digits ~= "" and not tonumber(digits) do digits = digits:sub(1, -2) end
  return tonumber(digits) or 0
end

local function truth(value)
  if type(value) == "number" then return value ~= 0 end
  return value ~= nil and value ~= ""
end

-- Whether a text looks like a number: then comparisons are numeric.
local function numeric(value)
  return type(value) == "number" or type(value) == "string"
    and value:find "^%s*[-+]?%.?%d[%d.]*%s*$" ~= nil and tonumber(value) ~= nil
end

function Run:matcher(expression)
  local known = self.expressions[expression]
  if known then return known end
  local budget = self.shell.budget
  local find, message =
    regex.compile_find(expression, { extended = true }, function() budget:tick() end)
  if not find then error({ awk = message }, 0) end
  self.expressions[expression] = find
  return find
end

-- Splits a text at FS (default: white space).
function Run:split(text, separator)
  local list = {}
  if separator == " " then
    for word in text:gmatch "%S+" do list[#list + 1] = word end
    return list
  end
  if text == "" then return list end
  local find = #separator == 1 and separator ~= "\\"
    and function(line, at) return line:find(separator, at, true) end or self:matcher(separator)
  local at = 1
  while true do
    local first, last = find(text, at)
    if not first or last < first then break end
    list[#list + 1] = text:sub(at, first - 1)
    at = last + 1
    self.shell.budget:tick()
  end
  list[#list + 1] = text:sub(at)
  return list
end

function Run:set_line(text)
  self.line = text
  self.fields = self:split(text, to_text(self.globals.FS))
  self.globals.NF = #self.fields
end

function Run:field(number)
  number = math.tointeger(number) or 0
  if number == 0 then return self.line end
  return self.fields[number] or ""
end

function Run:set_field(number, value)
  number = math.tointeger(number) or 0
  if number == 0 then return self:set_line(to_text(value)) end
  if number < 0 or number > 10000 then error({ awk = "wrong field number" }, 0) end
  for i = #self.fields + 1, number - 1 do self.fields[i] = "" end
  self.fields[number] = to_text(value)
  self.globals.NF = #self.fields
  self.line = table.concat(self.fields, to_text(self.globals.OFS))
end

function Run:array(name)
  local array = self.globals[name]
  if type(array) ~= "table" then
    array = {}
    self.globals[name] = array
  end
  return array
end

local function assign(run, target, value)
  if target.what == "variable" then
    run.globals[target.name] = value
  elseif target.what == "field" then
    run:set_field(to_number(run:value(target.number)), value)
  else
    run:array(target.name)[run:key(target.keys)] = value
  end
  return value
end

function Run:key(keys)
  local parts = {}
  for i, key in ipairs(keys) do parts[i] = to_text(self:value(key)) end
  return table.concat(parts, "\28")
end

-- -- functions --

local FUNCTIONS <const> = {}

function FUNCTIONS.length(run, arguments)
  local node = arguments[1]
  if node and node.what == "variable" and type(run.globals[node.name]) == "table" then
    local count = 0
    for _ in pairs(run.globals[node.name]) do count = count + 1 end
    return count
  end
  return #to_text(node and run:value(node) or run.line)
end

function FUNCTIONS.substr(run, arguments)
  local text, from = to_text(run:value(arguments[1])), to_number(run:value(arguments[2]))
  local stop = arguments[3] and from + to_number(run:value(arguments[3])) - 1 or #text
  return text:sub(math.max(math.floor(from), 1), math.max(math.floor(math.min(stop, #text)), 0))
end

function FUNCTIONS.index(run, arguments)
  return to_text(run:value(arguments[1])):find(to_text(run:value(arguments[2])), 1, true) or 0
end

function FUNCTIONS.split(run, arguments)
  local separator = arguments[3] and (arguments[3].what == "regex" and arguments[3].text
    or to_text(run:value(arguments[3]))) or to_text(run.globals.FS)
  local list = run:split(to_text(run:value(arguments[1])), separator)
  local array = {}
  for i, part in ipairs(list) do array[tostring(i)] = part end
  run.globals[arguments[2].name] = array
  return #list
end

function FUNCTIONS.tolower(run, arguments) return to_text(run:value(arguments[1])):lower() end
function FUNCTIONS.toupper(run, arguments) return to_text(run:value(arguments[1])):upper() end

FUNCTIONS["int"] = function(run, arguments)
  local number = to_number(run:value(arguments[1]))
  return number >= 0 and math.floor(number) or math.ceil(number)
end

local function expression_of(run, node)
  return node.what == "regex" and node.text or to_text(run:value(node))
end

FUNCTIONS["match"] = function(run, arguments)
  local text = to_text(run:value(arguments[1]))
  local first, last = run:matcher(expression_of(run, arguments[2]))(text, 1)
  run.globals.RSTART, run.globals.RLENGTH = first or 0, first and last - first + 1 or -1
  return first or 0
end

local function substitute(all)
  return function(run, arguments)
    local find = run:matcher(expression_of(run, arguments[1]))
    local target = arguments[3] or { what = "field", number = { what = "constant", value = 0 } }
    local text, fresh = to_text(run:value(target)), to_text(run:value(arguments[2]))
    local parts, at, count = {}, 1, 0
    while at <= #text + 1 and (all or count == 0) do
      local first, last = find(text, at)
      if not first then break end
      local match = text:sub(first, last)
      parts[#parts + 1] = text:sub(at, first - 1)
        .. fresh:gsub("\\?&", function(word) return word == "&" and match or "&" end)
      count, at = count + 1, last + 1
      if last < first then
        parts[#parts + 1] = text:sub(at, at)
        at = at + 1
      end
      run.shell.budget:spend(#fresh + #text)
    end
    if count > 0 then assign(run, target, table.concat(parts) .. text:sub(at)) end
    return count
  end
end
FUNCTIONS.sub, FUNCTIONS.gsub = substitute(false), substitute(true)

function FUNCTIONS.sprintf(run, arguments)
  local words, parts = {}, {}
  for i, node in ipairs(arguments) do words[i] = to_text(run:value(node)) end
  words[1] = (words[1] or ""):gsub("\\", "\\\\")
  printing.printf(run.shell, words, { out = function(text) parts[#parts + 1] = text end })
  return table.concat(parts)
end

-- -- expressions --

local function compared(test)
  return function(run, node)
    local a, b = run:value(node.left), run:value(node.right)
    if numeric(a) and numeric(b) then
      return test(to_number(a), to_number(b)) and 1 or 0
    end
    return test(to_text(a), to_text(b)) and 1 or 0
  end
end

local function calculated(apply)
  return function(run, node)
    return apply(to_number(run:value(node.left)), to_number(run:value(node.right)))
  end
end

local function division(apply)
  return calculated(function(a, b)
    if b == 0 then error({ awk = "division by zero" }, 0) end
    return apply(a, b)
  end)
end

local OPERATORS <const> = {
  ["=="] = compared(function(a, b) return a == b end),
  ["!="] = compared(function(a, b) return a ~= b end),
  ["<"] = compared(function(a, b) return a < b end),
  ["<="] = compared(function(a, b) return a <= b end),
  [">"] = compared(function(a, b) return a > b end),
  [">="] = compared(function(a, b) return a >= b end),
  ["+"] = calculated(function(a, b) return a + b end),
  ["-"] = calculated(function(a, b) return a - b end),
  ["*"] = calculated(function(a, b) return a * b end),
  ["/"] = division(function(a, b) return a / b end),
  ["%"] = division(function(a, b) return math.fmod(a, b) end),
  ["^"] = calculated(function(a, b) return a ^ b end),
  ["~"] = function(run, node)
    local find = run:matcher(expression_of(run, node.right))
    return find(to_text(run:value(node.left)), 1) and 1 or 0
  end,
  ["!~"] = function(run, node)
    local find = run:matcher(expression_of(run, node.right))
    return find(to_text(run:value(node.left)), 1) and 0 or 1
  end,
  ["&&"] = function(run, node)
    return truth(run:value(node.left)) and truth(run:value(node.right)) and 1 or 0
  end,
  ["||"] = function(run, node)
    return (truth(run:value(node.left)) or truth(run:value(node.right))) and 1 or 0
  end,
  [" "] = function(run, node)
    local text = to_text(run:value(node.left)) .. to_text(run:value(node.right))
    run.shell.budget:spend(#text)
    return text
  end,
}

local VALUES <const> = {
  constant = function(_, node) return node.value end,
  regex = function(run, node) return run:matcher(node.text)(run.line, 1) and 1 or 0 end,
  variable = function(run, node)
    local value = run.globals[node.name]
    if type(value) == "table" then error({ awk = "an array is not a value" }, 0) end
    return value
  end,
  field = function(run, node) return run:field(to_number(run:value(node.number))) end,
  element = function(run, node) return run:array(node.name)[run:key(node.keys)] end,
  contains = function(run, node)
    return run:array(node.name)[run:key(node.keys)] ~= nil and 1 or 0
  end,
  binary = function(run, node) return OPERATORS[node.operator](run, node) end,
  ["not"] = function(run, node) return truth(run:value(node.inner)) and 0 or 1 end,
  negative = function(run, node) return -to_number(run:value(node.inner)) end,
  choice = function(run, node)
    return run:value(truth(run:value(node.condition)) and node.yes or node.no)
  end,
  assign = function(run, node)
    local value = run:value(node.value)
    if node.operator ~= "" then
      value = OPERATORS[node.operator](run, {
        left = node.target, right = { what = "constant", value = value },
      })
    end
    return assign(run, node.target, value)
  end,
  step = function(run, node)
    local old = to_number(run:value(node.target))
    assign(run, node.target, old + node.by)
    return node.before and old + node.by or old
  end,
  call = function(run, node)
    run.shell.budget:command()
    return FUNCTIONS[node.name](run, node.arguments)
  end,
}
parser.functions = FUNCTIONS

function Run:value(node)
  self.shell.budget:tick()
  return VALUES[node.what](self, node)
end

-- -- statements --

-- A statement returns what ends the block: "break", "continue", "next", "exit"; nil: nothing.
local STATEMENTS <const> = {}

local function emit(run, node, text)
  if not node.target then return run.io.out(text) end
  local name = to_text(run:value(node.target))
  if name == "/dev/stderr" then return run.io.err(text) end
  local old = run.written[name] or node.append and require("sim.shell.files").read(run.shell, name)
  run.written[name] = (old or "") .. text
  run.shell:write_file(run.shell:path(name), run.written[name])
end

function STATEMENTS.print(run, node)
  local parts = {}
  for i, argument in ipairs(node.arguments) do parts[i] = to_text(run:value(argument)) end
  if #parts == 0 then parts[1] = run.line end
  emit(run, node, table.concat(parts, to_text(run.globals.OFS)) .. to_text(run.globals.ORS))
end

function STATEMENTS.printf(run, node)
  emit(run, node, FUNCTIONS.sprintf(run, node.arguments))
end

function STATEMENTS.expression(run, node) run:value(node.value) end

function STATEMENTS.block(run, node) return run:block(node.body) end

STATEMENTS["if"] = function(run, node)
  if truth(run:value(node.condition)) then return run:statement(node.yes) end
  return node.no and run:statement(node.no)
end

local function ends(result)
  if result == "break" then return true, nil end
  if result and result ~= "continue" then return true, result end
  return false
end

STATEMENTS["while"] = function(run, node)
  while truth(run:value(node.condition)) do
    local stop, result = ends(run:statement(node.body))
    if stop then return result end
  end
end

STATEMENTS["do"] = function(run, node)
  repeat
    local stop, result = ends(run:statement(node.body))
    if stop then return result end
  until not truth(run:value(node.condition))
end

STATEMENTS["for"] = function(run, node)
  if node.first then run:statement(node.first) end
  while not node.condition or truth(run:value(node.condition)) do
    local stop, result = ends(run:statement(node.body))
    if stop then return result end
    if node.step then run:statement(node.step) end
    run.shell.budget:command()
  end
end

STATEMENTS["in"] = function(run, node)
  local keys = {}
  for key in pairs(run:array(node.array)) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b)
    local m, n = tonumber(a), tonumber(b)
    if m and n then return m < n end
    return a < b
  end)
  for _, key in ipairs(keys) do
    run.globals[node.name] = key
    local stop, result = ends(run:statement(node.body))
    if stop then return result end
  end
end

function STATEMENTS.leave(run, node)
  if node.how == "exit" and node.value then
    run.status = math.floor(to_number(run:value(node.value))) & 255
  end
  return node.how
end

function STATEMENTS.delete(run, node)
  if node.keys then
    run:array(node.name)[run:key(node.keys)] = nil
  else
    run.globals[node.name] = {}
  end
end

function Run:statement(node)
  self.shell.budget:command()
  return STATEMENTS[node.what](self, node)
end

function Run:block(list)
  for _, node in ipairs(list) do
    local result = self:statement(node)
    if result then return result end
  end
end

local function has_pattern(run, rule)
  if rule.to then
    if not run.open[rule] then
      if not truth(run:value(rule.pattern)) then return false end
      run.open[rule] = true
    end
    if truth(run:value(rule.to)) then run.open[rule] = nil end
    return true
  end
  return not rule.pattern or truth(run:value(rule.pattern))
end

-- Runs the rules of a kind ("begin", "end" or nil). Returns "exit" or "next".
function Run:rules(kind)
  for _, rule in ipairs(self.program) do
    if rule.kind == kind and (kind or has_pattern(self, rule)) then
      local result = rule.body and self:block(rule.body)
        or not rule.body and self.io.out(self.line .. to_text(self.globals.ORS))
      if result == "exit" or result == "next" then return result end
    end
  end
end

local function run_awk(shell, options, names, io, settings)
  local text = options.f and require("sim.shell.files").read(shell, options.f)
    or table.remove(names, 1)
  if not text then error({ awk = "no program text" }, 0) end
  local run = setmetatable({
    shell = shell, io = io, program = parser.parse(text), expressions = {}, open = {}, status = 0,
    written = {}, line = "", fields = {},
    globals = { FS = " ", OFS = " ", ORS = "\n", NR = 0, FNR = 0, NF = 0, SUBSEP = "\28" },
  }, Run)
  if type(options.F) == "string" then
    run.globals.FS = options.F == "t" and "\t" or options.F:gsub("\\t", "\t")
  end
  for _, setting in ipairs(settings) do
    local name, value = setting:match "^([%a_][%w_]*)=(.*)$"
    if name then run.globals[name] = value:gsub("\\t", "\t"):gsub("\\n", "\n") end
  end
  local status = 0
  local result = run:rules "begin"
  local needs_input = false
  for _, rule in ipairs(run.program) do needs_input = needs_input or rule.kind ~= "begin" end
  if result ~= "exit" and needs_input then
    local texts
    texts, status = common.texts_of(shell, "awk", names, io)
    for i, contents in ipairs(texts) do
      run.globals.FNR, run.globals.FILENAME = 0, names[i] or ""
      for _, line in ipairs(common.lines_of(shell, contents)) do
        run.globals.NR, run.globals.FNR = run.globals.NR + 1, run.globals.FNR + 1
        shell.budget:spend(#line)
        run:set_line(line)
        result = run:rules(nil)
        if result == "exit" then goto ended end
      end
    end
  end
  ::ended::
  run:rules "end"
  return run.status ~= 0 and run.status or status ~= 0 and 2 or 0
end

function programs.awk(shell, arguments, io)
  local rest, settings, at = {}, {}, 1
  while arguments[at] do
    if arguments[at] == "-v" then
      settings[#settings + 1], at = arguments[at + 1] or "", at + 1
    elseif #rest > 0 and not rest[#rest]:find "^%-[Ff]$" or not arguments[at]:find "^%-" then
      table.move(arguments, at, #arguments, #rest + 1, rest)
      break
    else
      rest[#rest + 1] = arguments[at]
      if arguments[at]:find "^%-[Ff]$" then
        rest[#rest + 1], at = arguments[at + 1] or "", at + 1
      end
    end
    at = at + 1
  end
  local options, names = common.options(rest, "Ff")
  local ok, result = pcall(run_awk, shell, options, names, io, settings)
  if ok then return result end
  if type(result) ~= "table" or not result.awk then error(result, 0) end
  io.err(("awk: cmd. line:1: %s\n"):format(result.awk))
  return 2
end
programs.gawk = programs.awk

return programs
