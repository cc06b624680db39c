-- Commands of Tcl that decide what runs: if, foreach, while, for, catch, proc, return, switch …
local expression = require "sim.icall.tcl.expression"
local glob = require "sim.shell.glob"
local lists = require "sim.icall.tcl.list"
local regexps = require "sim.icall.tcl.regexps"

local M = {}

M["if"] = function(interp, words)
  local at = 2
  while true do
    if not words[at + 1] then interp:usage "if expr ?then? body ?elseif …? ?else body?" end
    local body = words[at + 1] == "then" and at + 2 or at + 1
    if not words[body] then interp:usage "if expr ?then? body ?elseif …? ?else body?" end
    if interp:condition(words[at]) then return interp:eval(words[body]) end
    local after = words[body + 1]
    if not after then return "" end
    if after == "elseif" then
      at = body + 2
    else
      local last = after == "else" and words[body + 2] or after
      if not last then interp:usage "if expr ?then? body ?elseif …? ?else body?" end
      return interp:eval(last)
    end
  end
end

-- Runs the body of a loop once. Returns true if the loop ends, and how.
local function turn(interp, body)
  local result, flow = interp:eval(body)
  if flow == "break" then return true end
  if flow == "return" then return true, result, flow end
  return false
end

M["while"] = function(interp, words)
  if #words ~= 3 then interp:usage "while test command" end
  while interp:condition(words[2]) do
    interp.budget:command()
    local ended, result, flow = turn(interp, words[3])
    if ended then return result or "", flow end
  end
  return ""
end

M["for"] = function(interp, words)
  if #words ~= 5 then interp:usage "for start test next command" end
  interp:eval(words[2])
  while interp:condition(words[3]) do
    interp.budget:command()
    local ended, result, flow = turn(interp, words[5])
    if ended then return result or "", flow end
    interp:eval(words[4])
  end
  return ""
end

M.foreach = function(interp, words)
  if #words < 4 or #words % 2 ~= 0 then
    interp:usage "foreach varList list ?varList list …? command"
  end
  local columns, turns = {}, 0
  for i = 2, #words - 1, 2 do
    local names, items = lists.split(words[i]), lists.split(words[i + 1])
    interp:spend(#words[i + 1])
    if #names == 0 then interp:fail "foreach varlist is empty" end
    columns[#columns + 1] = { names = names, items = items }
    turns = math.max(turns, (#items + #names - 1) // #names)
  end
  for n = 0, turns - 1 do
    interp.budget:command()
    for _, column in ipairs(columns) do
      for k, name in ipairs(column.names) do
        local variable, index = interp:split_name(name)
        interp:set(variable, index, column.items[n * #column.names + k] or "")
      end
    end
    local ended, result, flow = turn(interp, words[#words])
    if ended then return result or "", flow end
  end
  return ""
end

M["break"] = function() return "", "break" end
M["continue"] = function() return "", "continue" end

M["return"] = function(interp, words)
  if words[2] and words[2]:find "^%-%l" and #words > 2 then
    interp:fail("not simulated: return %s", words[2])
  end
  if #words > 2 then interp:usage "return ?result?" end
  return words[2] or "", "return"
end

M.error = function(interp, words)
  if not words[2] or #words > 4 then interp:usage "error message ?errorInfo? ?errorCode?" end
  interp.globals.values.errorCode = words[4] or "NONE"
  error({ tcl = words[2] }, 0)
end

local CODES <const> = { ["return"] = "2", ["break"] = "3", ["continue"] = "4" }

-- A stop of the budget goes through: no script can catch it.
M.catch = function(interp, words)
  if not words[2] or #words > 3 then interp:usage "catch script ?varName?" end
  local depth, frame = interp.depth, interp.frame
  local ok, result, flow = pcall(interp.eval, interp, words[2])
  interp.depth, interp.frame = depth, frame
  if not ok then
    if type(result) ~= "table" or not result.tcl then error(result, 0) end
    if result.tcl:find "^not simulated: " then error(result, 0) end
    interp.globals.values.errorInfo = ('%s\n    while executing\n"%s"'):format(
      result.tcl, interp:failed()
    )
    result = result.tcl
  end
  if words[3] then
    local name, index = interp:split_name(words[3])
    interp:set(name, index, result)
  end
  return not ok and "1" or flow and CODES[flow] or "0"
end

M.eval = function(interp, words)
  if #words < 2 then interp:usage "eval arg ?arg …?" end
  return interp:eval(table.concat(words, " ", 2))
end

M.expr = function(interp, words)
  if #words < 2 then interp:usage "expr arg ?arg …?" end
  return expression.text(interp:expr(table.concat(words, " ", 2)))
end

M.proc = function(interp, words)
  if #words ~= 4 then interp:usage "proc name args body" end
  local proc = { names = {}, defaults = {}, body = words[4] }
  local parts = { words[2] }
  for i, argument in ipairs(lists.split(words[3])) do
    local pair = lists.split(argument)
    proc.names[i], proc.defaults[i] = pair[1] or "", pair[2]
    parts[#parts + 1] = pair[2] and ("?%s?"):format(pair[1]) or pair[1]
  end
  proc.usage = table.concat(parts, " ")
  interp.procs[words[2]:gsub("^::", "")] = proc
  return ""
end

-- -- switch --

local MATCHES <const> = {
  ["-exact"] = function(_, text, pattern) return text == pattern end,
  ["-glob"] = function(interp, text, pattern)
    return glob.matches(text, pattern, function() interp.budget:tick() end)
  end,
  ["-regexp"] = function(interp, text, pattern)
    return regexps.find(interp, pattern, false)(text, 1) ~= nil
  end,
}

-- The first position after the options of switch, and how it compares.
local function switch_options(interp, words)
  local at, matches = 2, MATCHES["-exact"]
  while words[at] and words[at]:find "^%-" do
    if words[at] == "--" then return at + 1, matches end
    matches = MATCHES[words[at]] or interp:fail("not simulated: switch %s", words[at])
    at = at + 1
  end
  return at, matches
end

M.switch = function(interp, words)
  local at, matches = switch_options(interp, words)
  local text = words[at]
  local pairs_of = #words == at + 1 and lists.split(words[at + 1])
    or table.move(words, at + 1, #words, 1, {})
  if not text or #pairs_of == 0 or #pairs_of % 2 ~= 0 then
    interp:fail "extra switch pattern with no body"
  end
  for i = 1, #pairs_of, 2 do
    local is_last = i + 1 == #pairs_of
    if pairs_of[i] == "default" and is_last or matches(interp, text, pairs_of[i]) then
      local body = i + 1
      while pairs_of[body] == "-" do body = body + 2 end
      if not pairs_of[body] then interp:fail('no body specified for pattern "%s"', pairs_of[i]) end
      return interp:eval(pairs_of[body])
    end
  end
  return ""
end

return M
