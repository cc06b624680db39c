-- Regular expressions of POSIX, basic and extended. A line is matched in one pass, without going
-- back, so no expression takes longer than its line: states of the expression become states of a
-- deterministic automaton when a line first needs them.
--
-- compile(expression, { extended =, ignore_case = }) -> matches(line), or nil and a message
-- compile_find(expression, options, tick) -> find(line, from), see sim/shell/regex_find.lua
local regex_find = require "sim.shell.regex_find"

local M = {}

local MAX_STATES <const> = 2000  -- of an expression; repetitions multiply
local MAX_DEPTH <const> = 50
local MAX_CACHED <const> = 1000  -- sets of states that are remembered

local CLASSES <const> = {
  alpha = "%a", digit = "%d", alnum = "%w", upper = "%u", lower = "%l", space = "%s", punct = "%p",
  xdigit = "%x", cntrl = "%c", blank = "[ \t]", print = "[ -~]", graph = "[!-~]",
}
local ESCAPED_SETS <const> = { w = "[%w_]", W = "[^%w_]", s = "%s", S = "%S" }

local Parser <const> = {}
Parser.__index = Parser

local function fail(message)
  error({ regex = message }, 0)
end

local function set_of(pattern)
  local set = {}
  for byte = 0, 255 do
    if string.char(byte):find(pattern) then set[byte] = true end
  end
  return set
end

-- The next token: kind, value. In a basic expression a backslash makes an operator, in an extended
-- one it takes the meaning away.
function Parser:token()
  local char = self.text:sub(self.at, self.at)
  if char == "" then return "end", nil, self.at end
  if char == "\\" then
    local escaped = self.text:sub(self.at + 1, self.at + 1)
    if escaped == "" then fail "Trailing backslash" end
    local after = self.at + 2
    if not self.extended and escaped:find "[(){}|+?]" then return escaped, nil, after end
    if ESCAPED_SETS[escaped] then return "set", set_of(ESCAPED_SETS[escaped]), after end
    if escaped:find "[%d<>bB]" then fail(("\\%s is not simulated"):format(escaped)) end
    return "char", escaped, after
  end
  if char:find "[.*^$%[]" or self.extended and char:find "[(){}|+?]" then
    return char, nil, self.at + 1
  end
  return "char", char, self.at + 1
end

-- The set of a bracket expression; self.at is after "[".
function Parser:bracket()
  local set = {}
  local text, at = self.text, self.at
  local negated = text:sub(at, at) == "^"
  if negated then at = at + 1 end
  local first = true
  while true do
    local char = text:sub(at, at)
    if char == "" then fail "Unmatched [, [^, [:, [., or [=" end
    if char == "]" and not first then break end
    first = false
    local class, past = text:match("^%[:(%l+):%]()", at)
    local from, to, after = text:match("^(.)%-([^%]])()", at)
    if class then
      if not CLASSES[class] then fail "Invalid character class name" end
      for byte in pairs(set_of(CLASSES[class])) do set[byte] = true end
      at = past
    elseif from then
      if from > to then fail "Invalid range end" end
      for byte = from:byte(), to:byte() do set[byte] = true end
      at = after
    else
      set[char:byte()] = true
      at = at + 1
    end
  end
  self.at = at + 1
  if not negated then return set end
  local others = {}
  for byte = 0, 255 do others[byte] = not set[byte] or nil end
  return others
end

-- "{2}", "{2,}", "{2,5}" after the brace -> least, most (nil: any number)
function Parser:bounds()
  local closing = self.extended and "}" or "\\}"
  local stop, past = self.text:find(closing, self.at, true)
  if not stop then fail "Unmatched { or \\{" end
  local inner = self.text:sub(self.at, stop - 1)
  local least, comma, most = inner:match "^(%d+)(,?)(%d*)$"
  if not least then fail "Invalid content of \\{\\}" end
  self.at = past + 1
  least = tonumber(least)
  most = comma == "" and least or tonumber(most)
  if least > 255 or (most or 0) > 255 then fail "Regular expression too big" end
  if most and most < least then fail "Invalid content of \\{\\}" end
  return least, most
end

function Parser:atom(depth)
  local kind, value, after = self:token()
  if kind == "(" then
    self.at = after
    self.groups = self.groups + 1
    local number = self.groups
    local inner = self:alternatives(depth + 1)
    local closing, _, past = self:token()
    if closing ~= ")" then fail "Unmatched ( or \\(" end
    self.at = past
    return { group = inner, number = number }
  end
  self.at = after
  if kind == "[" then return { set = self:bracket() } end
  if kind == "set" then return { set = value } end
  if kind == "." then return { set = set_of "." } end
  if kind == "^" or kind == "$" then return { anchor = kind } end
  return { set = { [(value or kind):byte()] = true } }
end

local function repeated(item, least, most)
  local list = {}
  for i = 1, least do list[i] = item end
  if most == nil then
    list[#list + 1] = { star = item }
  else
    for _ = least + 1, most do list[#list + 1] = { maybe = item } end
  end
  return { sequence = list }
end

function Parser:sequence(depth)
  local list = {}
  while true do
    local kind, _, after = self:token()
    if kind == "end" or kind == "|" or kind == ")" and depth > 0 then break end
    local item
    if #list == 0 and kind:find "^[*+?{]$" then  -- nothing to repeat: the character itself
      self.at = after
      item = { set = { [kind:byte()] = true } }
    else
      item = self:atom(depth)
    end
    while true do
      local operator, _, past = self:token()
      if not operator:find "^[*+?{]$" then break end
      self.at = past
      if operator == "*" then item = { star = item }
      elseif operator == "+" then item = repeated(item, 1)
      elseif operator == "?" then item = { maybe = item }
      else item = repeated(item, self:bounds()) end
    end
    list[#list + 1] = item
  end
  return { sequence = list }
end

function Parser:alternatives(depth)
  if depth > MAX_DEPTH then fail "Regular expression too big" end
  local list = { self:sequence(depth) }
  while true do
    local kind, _, after = self:token()
    if kind ~= "|" then break end
    self.at = after
    list[#list + 1] = self:sequence(depth)
  end
  return #list == 1 and list[1] or { alternatives = list }
end

-- -- states --
-- states[i] = { set = {}, next = j } | { anchor =, next = j } | { either = { j, … } } | { match }

local build

local function add(states, state)
  if #states >= MAX_STATES then fail "Regular expression too big" end
  states[#states + 1] = state
  return #states
end

local BUILDERS <const> = {
  set = function(states, node, after) return add(states, { set = node.set, next = after }) end,
  anchor = function(states, node, after)
    return add(states, { anchor = node.anchor, next = after })
  end,
  sequence = function(states, node, after)
    for i = #node.sequence, 1, -1 do after = build(states, node.sequence[i], after) end
    return after
  end,
  alternatives = function(states, node, after)
    local either = {}
    for i, part in ipairs(node.alternatives) do either[i] = build(states, part, after) end
    return add(states, { either = either })
  end,
  group = function(states, node, after)
    local stop = add(states, { save = 2 * node.number, next = after })
    return add(states, { save = 2 * node.number - 1, next = build(states, node.group, stop) })
  end,
  maybe = function(states, node, after)
    return add(states, { either = { build(states, node.maybe, after), after } })
  end,
  star = function(states, node, after)
    local either = { nil, after }
    local start = add(states, { either = either })
    either[1] = build(states, node.star, start)
    return start
  end,
}

function build(states, node, after)
  for what, builder in pairs(BUILDERS) do
    if node[what] then return builder(states, node, after) end
  end
end

-- -- matching --

-- Follows all steps that need no character. anchors: "^", "$", "^$" or "".
local function close(states, from, anchors)
  local seen, todo, list = {}, from, {}
  while #todo > 0 do
    local at = table.remove(todo)
    if not seen[at] then
      seen[at] = true
      local state = states[at]
      if state.either then
        for _, other in ipairs(state.either) do todo[#todo + 1] = other end
      elseif state.save then
        todo[#todo + 1] = state.next
      elseif state.anchor then
        if anchors:find(state.anchor, 1, true) then todo[#todo + 1] = state.next end
        if state.anchor == "$" then list[#list + 1] = at end
      else
        list[#list + 1] = at
      end
    end
  end
  table.sort(list)
  return list
end

local function accepts(states, list)
  for _, at in ipairs(list) do
    if states[at].match then return true end
  end
  return false
end

-- matches(line) for states that start at `first`. A match may begin anywhere, so `first` joins in
-- at each character.
local function matcher(states, first)
  local cache, cached = {}, 0

  local function entry(list)
    local key = table.concat(list, " ")
    local known = cache[key]
    if known then return known end
    if cached >= MAX_CACHED then cache, cached = {}, 0 end
    known = { list = list, moves = {}, accepted = accepts(states, list) }
    cache[key], cached = known, cached + 1
    return known
  end

  local function move(from, byte)
    local after = { first }
    for _, at in ipairs(from.list) do
      local state = states[at]
      if state.set and state.set[byte] then after[#after + 1] = state.next end
    end
    local to = entry(close(states, after, ""))
    from.moves[byte] = to
    return to
  end

  -- Whether a line can end with a match in a state. `anchors`: as for `close`.
  local function accepts_end(at, anchors)
    local last = table.move(at.list, 1, #at.list, 1, {})
    last[#last + 1] = first
    return accepts(states, close(states, last, anchors))
  end

  local start
  return function(line)
    start = start or entry(close(states, { first }, "^"))
    local at = start
    for i = 1, #line do
      if at.accepted then return true end
      local byte = line:byte(i)
      at = at.moves[byte] or move(at, byte)
    end
    if at.accepted then return true end
    if line == "" then return accepts_end(at, "^$") end
    if at.ends == nil then at.ends = accepts_end(at, "$") end
    return at.ends
  end
end

-- The states of an expression, the first one, and the number of groups.
local function states_of(expression, options)
  local parser = setmetatable(
    { text = expression, at = 1, extended = options.extended, groups = 0 }, Parser
  )
  local tree = parser:alternatives(0)
  local states = { { match = true } }
  return states, build(states, tree, 1), parser.groups
end

local function guarded(run, ...)
  local ok, result = pcall(run, ...)
  if ok then return result end
  if type(result) == "table" and result.regex then return nil, result.regex end
  error(result, 0)
end

function M.compile(expression, options)
  options = options or {}
  if options.ignore_case then expression = expression:lower() end
  local result, message = guarded(function() return matcher(states_of(expression, options)) end)
  if not result or not options.ignore_case then return result, message end
  return function(line) return result(line:lower()) end
end

--- A function that finds matches with their places and groups.
function M.compile_find(expression, options, tick)
  if options.ignore_case then expression = expression:lower() end
  return guarded(function()
    local states, first, groups = states_of(expression, options)
    return regex_find.finder(states, first, groups, tick)
  end)
end

return M
