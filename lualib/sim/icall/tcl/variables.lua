-- Commands of Tcl about variables: set, append, incr, unset, global, upvar, array, info.
local expression = require "sim.icall.tcl.expression"
local glob = require "sim.shell.glob"
local lists = require "sim.icall.tcl.list"

local M = {}

M.set = function(interp, words)
  if #words ~= 2 and #words ~= 3 then interp:usage "set varName ?newValue?" end
  local name, index = interp:split_name(words[2])
  if words[3] then return interp:set(name, index, words[3]) end
  return interp:get(name, index)
end

M.append = function(interp, words)
  if not words[2] then interp:usage "append varName ?value value …?" end
  local name, index = interp:split_name(words[2])
  local before = interp:peek(name, index)
  local more = table.concat(words, "", 3)
  if before ~= nil and type(before) ~= "string" then interp:get(name, index) end
  interp:spend(#(before or "") + #more)
  return interp:set(name, index, (before or "") .. more)
end

M.incr = function(interp, words)
  if #words ~= 2 and #words ~= 3 then interp:usage "incr varName ?increment?" end
  local name, index = interp:split_name(words[2])
  local value = math.tointeger(expression.number(interp:get(name, index)))
  local step = math.tointeger(expression.number(words[3] or "1"))
  if not value or not step then
    interp:fail('expected integer but got "%s"', value and words[3] or interp:get(name, index))
  end
  return interp:set(name, index, tostring(value + step))
end

M.unset = function(interp, words)
  local at, quiet = 2, false
  if words[at] == "-nocomplain" then at, quiet = at + 1, true end
  if words[at] == "--" then at = at + 1 end
  for i = at, #words do
    local name, index = interp:split_name(words[i])
    if interp:peek(name, index) ~= nil then
      interp:unset(name, index)
    elseif not quiet then
      interp:fail('can\'t unset "%s": no such variable', words[i])
    end
  end
  return ""
end

M.global = function(interp, words)
  for i = 2, #words do
    local name = words[i]:gsub("^::", "")
    if interp.frame ~= interp.globals then
      interp.frame.links[name] = { frame = interp.globals, name = name }
    end
  end
  return ""
end

M.upvar = function(interp) interp:fail "not simulated: the command upvar" end

-- -- arrays --

local function sorted_keys(array)
  local keys = {}
  for key in pairs(array) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

local ARRAY <const> = {
  exists = function(_, array) return array and "1" or "0" end,
  size = function(_, array) return tostring(#sorted_keys(array or {})) end,
  names = function(interp, array, words)
    local names = {}
    for _, key in ipairs(sorted_keys(array or {})) do
      if not words[4] or glob.matches(key, words[4], function() interp.budget:tick() end) then
        names[#names + 1] = key
      end
    end
    return lists.join(names)
  end,
  get = function(_, array)
    local list = {}
    for _, key in ipairs(sorted_keys(array or {})) do
      list[#list + 1], list[#list + 2] = key, array[key]
    end
    return lists.join(list)
  end,
  set = function(interp, _, words)
    local list = lists.split(words[4] or "")
    if #list % 2 ~= 0 then interp:fail "list must have an even number of elements" end
    for i = 1, #list, 2 do interp:set(words[3], list[i], list[i + 1]) end
    return ""
  end,
  unset = function(interp, array, words)
    if array and words[4] then array[words[4]] = nil elseif array then interp:unset(words[3]) end
    return ""
  end,
}

M.array = function(interp, words)
  if #words < 3 then interp:usage "array option arrayName ?arg …?" end
  local run = ARRAY[words[2]]
  if not run then interp:fail("not simulated: array %s", words[2]) end
  local value = interp:peek(words[3])
  return run(interp, type(value) == "table" and value or nil, words)
end

-- -- info --

local INFO <const> = {
  exists = function(interp, words)
    local name, index = interp:split_name(words[3] or "")
    return interp:peek(name, index) ~= nil and "1" or "0"
  end,
  commands = function(interp, words)
    local name = words[3] or ""
    return (interp.commands[name] or interp.procs[name]) and lists.element(name) or ""
  end,
  procs = function(interp, words)
    return interp.procs[words[3] or ""] and lists.element(words[3]) or ""
  end,
  level = function(interp) return interp.frame == interp.globals and "0" or "1" end,
  hostname = function(interp) return interp.hostname or "localhost" end,
  tclversion = function() return "8.4" end,
}

M.info = function(interp, words)
  local run = INFO[words[2] or ""]
  if not run then interp:fail("not simulated: info %s", words[2] or "") end
  return run(interp, words)
end

return M
