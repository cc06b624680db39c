-- Regular expressions of Tcl, as far as those of the simulated shell can stand for them.
local regex = require "sim.shell.regex"

local M = {}

local SETS <const> = {
  d = "0-9", w = "a-zA-Z0-9_", s = " \t\n\r\v\f", D = "^0-9", W = "^a-zA-Z0-9_", S = "^ \t\n\r\v\f",
}

-- The expression in the form of POSIX. What has no such form is not simulated.
local function translated(interp, text)
  local parts, at, in_set = {}, 1, false
  local function lacks(what) interp:fail("not simulated: %s in a regular expression", what) end
  while at <= #text do
    local char = text:sub(at, at)
    if char == "\\" then
      local escaped = text:sub(at + 1, at + 1)
      local set = SETS[escaped]
      if set and in_set then
        if set:sub(1, 1) == "^" then lacks("\\" .. escaped) end
        parts[#parts + 1] = set
      elseif set then
        parts[#parts + 1] = "[" .. set .. "]"
      elseif escaped:find "[ntrfv]" then
        parts[#parts + 1] = load('return "\\' .. escaped .. '"')()
      elseif escaped:find "[%w]" then
        lacks("\\" .. escaped)
      elseif in_set then
        parts[#parts + 1] = escaped
      else
        parts[#parts + 1] = "\\" .. escaped
      end
      at = at + 2
    else
      if not in_set and char == "[" then
        local start = text:match("^%[%^?%]?", at)
        parts[#parts + 1], in_set = start, true
        at = at + #start - 1
      elseif in_set and char == "]" then
        parts[#parts + 1], in_set = char, false
      elseif not in_set and text:find("^[*+?}]%?", at) then
        lacks "a non-greedy repetition"
      elseif not in_set and text:find("^%(%?", at) then
        lacks(text:match("^%(%?.?", at))
      else
        parts[#parts + 1] = char
      end
      at = at + 1
    end
  end
  return table.concat(parts)
end

--- find(text, from) -> first and last position and groups of the first match; see
--- sim/shell/regex_find.lua.
function M.find(interp, pattern, no_case)
  interp.regexps = interp.regexps or {}
  local key = (no_case and "i" or "c") .. pattern
  local known = interp.regexps[key]
  if known then return known end
  local find, problem = regex.compile_find(
    translated(interp, pattern), { extended = true, ignore_case = no_case },
    function() interp.budget:tick() end
  )
  if not find then
    interp:fail("couldn't compile regular expression pattern: %s", problem or "invalid")
  end
  if no_case then
    local plain = find
    find = function(text, from) return plain(text:lower(), from) end
  end
  interp.regexps[key] = find
  return find
end

return M
