-- Commands of Tcl about lists: list, lindex, llength, lappend, lrange, lsearch, lsort, join, split
-- and others.
local expression = require "sim.icall.tcl.expression"
local glob = require "sim.shell.glob"
local lists = require "sim.icall.tcl.list"
local regexps = require "sim.icall.tcl.regexps"
local texts = require "sim.text"

local M = {}

-- The elements of a list that a command reads; their bytes count.
local function items(interp, text)
  interp:spend(#text)
  return lists.split(text)
end

-- "3", "end", "end-1" -> a position from 1 on, perhaps outside of the list.
local function position(interp, word, count)
  if word == "end" then return count end
  local back = word:match "^end%-(%d+)$"
  if back then return count - tonumber(back) end
  local number = math.tointeger(expression.number(word))
  if not number then
    interp:fail('bad index "%s": must be integer or end?-integer?', word)
  end
  return number + 1
end

M.list = function(interp, words)
  local text = lists.join(table.move(words, 2, #words, 1, {}))
  interp:spend(#text)
  return text
end

M.llength = function(interp, words)
  if #words ~= 2 then interp:usage "llength list" end
  return tostring(#items(interp, words[2]))
end

M.lindex = function(interp, words)
  if not words[2] then interp:usage "lindex list ?index…?" end
  local value = words[2]
  local path = table.move(words, 3, #words, 1, {})
  if #path == 1 then path = lists.split(path[1]) end
  for _, word in ipairs(path) do
    local elements = items(interp, value)
    value = elements[position(interp, word, #elements)] or ""
  end
  return value
end

M.lappend = function(interp, words)
  if not words[2] then interp:usage "lappend varName ?value value …?" end
  local name, index = interp:split_name(words[2])
  local before = interp:peek(name, index)
  if before ~= nil and type(before) ~= "string" then interp:get(name, index) end
  before = before or ""
  local more = lists.join(table.move(words, 3, #words, 1, {}))
  interp:spend(#before + #more)
  local space = before ~= "" and more ~= "" and " " or ""
  return interp:set(name, index, before .. space .. more)
end

M.lrange = function(interp, words)
  if #words ~= 4 then interp:usage "lrange list first last" end
  local all = items(interp, words[2])
  local first = math.max(1, position(interp, words[3], #all))
  local last = math.min(#all, position(interp, words[4], #all))
  return lists.join(table.move(all, first, last, 1, {}))
end

M.linsert = function(interp, words)
  if #words < 4 then interp:usage "linsert list index element ?element …?" end
  local all = items(interp, words[2])
  local at = words[3] == "end" and #all + 1
    or math.max(1, math.min(#all + 1, position(interp, words[3], #all)))
  for i = 4, #words do table.insert(all, at + i - 4, words[i]) end
  return lists.join(all)
end

M.lreplace = function(interp, words)
  if #words < 4 then interp:usage "lreplace list first last ?element element …?" end
  local all = items(interp, words[2])
  local first = math.max(1, position(interp, words[3], #all))
  local last = math.min(#all, position(interp, words[4], #all))
  local result = table.move(all, 1, math.min(first - 1, #all), 1, {})
  for i = 5, #words do result[#result + 1] = words[i] end
  table.move(all, math.max(last + 1, first), #all, #result + 1, result)
  return lists.join(result)
end

M.lsearch = function(interp, words)
  local mode, all = "-glob", false
  local flags = { inline = false, negated = false }
  local count = #words
  for i = 2, count - 2 do
    if words[i] == "-exact" or words[i] == "-glob" or words[i] == "-regexp" then
      mode = words[i]
    elseif words[i] == "-all" then
      all = true
    elseif words[i] == "-inline" then
      flags.inline = true
    elseif words[i] == "-not" then
      flags.negated = true
    else
      interp:fail("not simulated: lsearch %s", words[i])
    end
  end
  if count < 3 then interp:usage "lsearch ?mode? list pattern" end
  local pattern, found = words[count], {}
  local find = mode == "-regexp" and regexps.find(interp, pattern, false)
  for i, item in ipairs(items(interp, words[count - 1])) do
    local hit
    if mode == "-exact" then hit = item == pattern
    elseif find then hit = find(item, 1) ~= nil
    else hit = glob.matches(item, pattern, function() interp.budget:tick() end) end
    if hit ~= flags.negated then
      found[#found + 1] = flags.inline and item or tostring(i - 1)
      if not all then return found[1] end
    end
  end
  return all and lists.join(found) or flags.inline and "" or "-1"
end

M.lsort = function(interp, words)
  local unique, reverse, numbers = false, false, false
  for i = 2, #words - 1 do
    local word = words[i]
    if word == "-unique" then unique = true
    elseif word == "-decreasing" then reverse = true
    elseif word == "-integer" or word == "-real" then numbers = true
    elseif word ~= "-ascii" and word ~= "-increasing" then
      interp:fail("not simulated: lsort %s", word)
    end
  end
  if #words < 2 then interp:usage "lsort ?options? list" end
  local keys = {}
  for i, item in ipairs(items(interp, words[#words])) do
    local number = numbers and expression.number(item)
    if numbers and not number then interp:fail('expected integer but got "%s"', item) end
    keys[i] = { key = number or item, item = item, place = i }
  end
  interp.budget:tick()
  table.sort(keys, function(a, b)
    if a.key ~= b.key then return (a.key < b.key) ~= reverse end
    return a.place < b.place
  end)
  local result, last = {}, nil
  for _, entry in ipairs(keys) do
    if not unique or entry.key ~= last then result[#result + 1] = entry.item end
    last = entry.key
  end
  return lists.join(result)
end

M.concat = function(interp, words)
  local parts = {}
  for i = 2, #words do
    local part = texts.trim(words[i])
    if part ~= "" then parts[#parts + 1] = part end
  end
  local text = table.concat(parts, " ")
  interp:spend(#text)
  return text
end

M.join = function(interp, words)
  if #words ~= 2 and #words ~= 3 then interp:usage "join list ?joinString?" end
  local all = items(interp, words[2])
  local between = words[3] or " "
  interp:spend(#words[2] + #all * #between)
  return table.concat(all, between)
end

M.split = function(interp, words)
  if #words ~= 2 and #words ~= 3 then interp:usage "split string ?splitChars?" end
  local text, chars = words[2], words[3] or " \n\t\r"
  interp:spend(4 * #text)
  local parts = {}
  if chars == "" then
    for char in text:gmatch "." do parts[#parts + 1] = char end
    return lists.join(parts)
  end
  local set = "[" .. chars:gsub("[%W]", "%%%0") .. "]"
  local at = 1
  while true do
    local found = text:find(set, at)
    parts[#parts + 1] = text:sub(at, (found or #text + 1) - 1)
    if not found then break end
    at = found + 1
  end
  return text == "" and "" or lists.join(parts)
end

return M
