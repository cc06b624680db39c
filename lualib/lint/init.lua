-- Finds mistakes in a playbook before it runs.
--
--   local problems = lint.check(text, { file = "drain.lua" })
--
-- A problem is { file, line, column, end_line, end_column, severity ("error", "warning"), code,
-- message, suggestion }. An error is what surely fails or never does what it says; a warning is
-- what is probably wrong. A comment `-- lint: ignore` hides the problems of its line.
local calls = require "lint.calls"
local globals = require "lint.globals"
local locals = require "lint.locals"
local parser = require "lint.parser"
local paths = require "lint.paths"
local Types = require "lint.types"
local values = require "lint.values"
local walk = require "lint.walk"

local M = {}

-- -- places in the text --

-- The bytes at which lines start.
local function line_starts(text)
  local starts = { 1 }
  for at in text:gmatch "\n()" do starts[#starts + 1] = at end
  return starts
end

-- The line and the column of a byte; both count from 1, the column in bytes.
local function place(starts, at)
  local low, high = 1, #starts
  while low < high do
    local middle = (low + high + 1) // 2
    if starts[middle] <= at then low = middle else high = middle - 1 end
  end
  return low, at - starts[low] + 1
end

-- Lines with the comment `-- lint: ignore`, outside of strings.
local function ignored_lines(text, tokens, starts)
  local ignored = {}
  local next_token = 1
  for at in text:gmatch "()%-%-+%s*lint:%s*ignore%f[%W]" do
    while tokens[next_token] and tokens[next_token].to < at do next_token = next_token + 1 end
    local token = tokens[next_token]
    if not token or token.from > at then ignored[place(starts, at)] = true end
  end
  return ignored
end

-- -- syntax --

-- What Lua's compiler says, with the column of the word that it names.
local function syntax_problem(text, starts, message, file)
  local line, words = message:match "^lint:(%d+): (.*)$"
  line = math.tointeger(tonumber(line)) or 1
  words = words or message
  local near = words:match "near '(.*)'$"
  local from = starts[line] or 1
  local stop = (starts[line + 1] or #text + 2) - 2
  local column, last
  if near and near ~= "<eof>" then
    local found = text:find(near, from, true)
    while found and found <= stop do -- the last one: the compiler stops there
      column, last = found - from + 1, found - from + #near
      found = text:find(near, found + 1, true)
    end
  end
  if near == "<eof>" then column = math.max(1, stop - from + 1) end
  column = column or #text:sub(from, stop):match "^%s*" + 1
  return {
    file = file, line = line, column = column, end_line = line, end_column = last or column,
    severity = "error", code = "syntax", message = words,
  }
end

-- As Lua's loader: without a byte-order mark and a first line that starts with #. Bytes keep their
-- places.
local function plain(text)
  local mark = text:match "^\xEF\xBB\xBF" or ""
  local rest = text:sub(#mark + 1)
  local first = rest:match "^#[^\r\n]*" or ""
  return (" "):rep(#mark + #first) .. rest:sub(#first + 1)
end

-- -- everything --

local function before(a, b)
  if a.line ~= b.line then return a.line < b.line end
  if a.column ~= b.column then return a.column < b.column end
  return a.message < b.message
end

-- Calls report for each problem of a tree.
local function check_tree(main, report, options)
  local types = Types.new(paths, report)
  local found = walk.globals(main)
  for name, entry in pairs(found) do
    if entry.value then types.globals[name] = { type = types:of(entry.value) } end
  end
  local changed = walk.changed_libraries(main)
  walk.each(main, {
    Index = function(node)
      local type = types:of(node.object)
      if type and type.std then globals.check_library(node, type.std, changed, report) end
      calls.check_index(types, node, report)
      types:of(node)
    end,
    Call = function(node)
      calls.check(types, node, report)
      types:of(node)
    end,
    Method = function(node)
      calls.check(types, node, report)
      values.check_write(types, node, report)
      values.check_transaction(types, node, report)
      types:of(node)
    end,
    Binary = function(node)
      values.check_comparison(types, node, report)
      values.check_kind(node, report)
    end,
    If = function(node)
      for _, arm in ipairs(node.arms) do values.check_condition(types, arm.condition, report) end
    end,
    Assign = function(node)
      for _, target in ipairs(node.targets) do target.is_target = true end
    end,
    Local = function(node) locals.check_unused(node, report) end,
    For = function(node) locals.check_shadows(node, report) end,
    ForIn = function(node)
      locals.check_iterator(types, node, report)
      locals.check_shadows(node, report)
      types:give_loop(node)
    end,
  })
  globals.check(main, found, report, options)
end

--- Returns the problems of a text, in the order of the text.
-- @param options table: file (its name), others, open (see lint.globals)
function M.check(text, options)
  text = plain(text)
  local file = options.file
  local starts = line_starts(text)
  local chunk, message = load(text, "=lint", "t")
  if not chunk then
    if text:sub(1, 1) == "\27" then
      message = "is bytecode; give the source"
    end
    return { syntax_problem(text, starts, message, file) }
  end
  local parsed, main, tokens = pcall(parser.parse, text)
  local problems, seen = {}, {}
  local ignored = parsed and ignored_lines(text, tokens, starts) or {}
  local function report(severity, code, node, words, suggestion)
    local line, column = place(starts, node.from)
    local end_line, end_column = place(starts, node.to)
    local key = line .. ":" .. column .. ":" .. words
    if ignored[line] or seen[key] then return end
    seen[key] = true
    problems[#problems + 1] = {
      file = file, line = line, column = column, end_line = end_line, end_column = end_column,
      severity = severity, code = code, message = words, suggestion = suggestion,
    }
  end
  if parsed then
    check_tree(main, report, options)
  else
    local at = type(main) == "table" and main.too_deep or error(main, 0)
    report("warning", "too-deep", { from = at, to = at }, "is nested too deeply to be checked")
  end
  table.sort(problems, before)
  return problems
end

--- The globals that a text sets: name -> true. Nothing if it does not compile.
function M.defined(text)
  text = plain(text)
  local set = {}
  if not load(text, "=lint", "t") then return set end
  local parsed, main = pcall(parser.parse, text)
  for name, entry in pairs(parsed and walk.globals(main) or {}) do
    if entry.sets then set[name] = true end
  end
  return set
end

return M
