-- Commands of Tcl about texts: string, format, regexp, regsub, puts, clock.
local expression = require "sim.icall.tcl.expression"
local glob = require "sim.shell.glob"
local lists = require "sim.icall.tcl.list"
local regexps = require "sim.icall.tcl.regexps"

local M = {}

local function position(interp, word, size)
  local back = word:match "^end%-(%d+)$"
  if word == "end" then return size end
  if back then return size - tonumber(back) end
  local number = math.tointeger(expression.number(word))
  if not number then interp:fail('bad index "%s": must be integer or end?-integer?', word) end
  return number + 1
end

-- Takes -nocase and the like off the words; the rest begins at 3.
local function options(words, known)
  local found, rest = {}, { words[1], words[2] }
  local at = 3
  while words[at] and known[words[at]] do
    found[words[at]] = true
    at = at + 1
  end
  table.move(words, at, #words, 3, rest)
  return found, rest
end

local NO_CASE <const> = { ["-nocase"] = true }

local function is_compared(words)
  local found, rest = options(words, NO_CASE)
  local a, b = rest[3] or "", rest[4] or ""
  if found["-nocase"] then a, b = a:lower(), b:lower() end
  return a, b
end

local CLASSES <const> = {
  alnum = "^%w+$", alpha = "^%a+$", digit = "^%d+$", lower = "^%l+$", upper = "^%u+$",
  space = "^%s+$", xdigit = "^%x+$", punct = "^%p+$",
}

local STRING <const> = {
  length = function(_, words) return tostring(#words[3]) end,
  tolower = function(_, words) return words[3]:lower() end,
  toupper = function(_, words) return words[3]:upper() end,
  equal = function(_, words)
    local a, b = is_compared(words)
    return a == b and "1" or "0"
  end,
  compare = function(_, words)
    local a, b = is_compared(words)
    return a < b and "-1" or a > b and "1" or "0"
  end,
  match = function(interp, words)
    local found, rest = options(words, NO_CASE)
    local pattern, text = rest[3], rest[4] or ""
    if found["-nocase"] then pattern, text = pattern:lower(), text:lower() end
    return glob.matches(text, pattern, function() interp.budget:tick() end) and "1" or "0"
  end,
  index = function(interp, words)
    local at = position(interp, words[4] or "", #words[3])
    return at >= 1 and words[3]:sub(at, at) or ""
  end,
  range = function(interp, words)
    local first = math.max(1, position(interp, words[4] or "", #words[3]))
    local last = position(interp, words[5] or "", #words[3])
    return last >= first and words[3]:sub(first, last) or ""
  end,
  first = function(_, words)
    local at = words[3] ~= "" and (words[4] or ""):find(words[3], 1, true)
    return tostring((at or 0) - 1)
  end,
  last = function(_, words)
    local text, at, from = words[4] or "", 0, 1
    while words[3] ~= "" do
      local found = text:find(words[3], from, true)
      if not found then break end
      at, from = found, found + 1
    end
    return tostring(at - 1)
  end,
  ["repeat"] = function(interp, words)
    local count = math.tointeger(expression.number(words[4] or "")) or 0
    if count <= 0 then return "" end
    interp:spend(#words[3] * math.min(count, 1 << 40))
    return words[3]:rep(count)
  end,
  replace = function(interp, words)
    local text = words[3]
    local first = math.max(1, position(interp, words[4] or "", #text))
    local last = position(interp, words[5] or "", #text)
    if last < first then return text end
    return text:sub(1, first - 1) .. (words[6] or "") .. text:sub(last + 1)
  end,
  is = function(interp, words)
    local class, text = words[3], words[#words]
    if #words ~= 4 then interp:fail("not simulated: string is with options") end
    if class == "integer" then
      return text:find "^%s*[+-]?%d+%s*$" and "1" or "0"
    elseif class == "double" then
      return expression.number(text) and "1" or "0"
    elseif class == "boolean" then
      return pcall(expression.truth, text) and "1" or "0"
    end
    local pattern = CLASSES[class] or interp:fail("not simulated: string is %s", class)
    return (text == "" or text:find(pattern)) and "1" or "0"
  end,
}

-- trim, trimleft, trimright: characters of a set at the ends.
for name, ends in pairs { trim = "lr", trimleft = "l", trimright = "r" } do
  STRING[name] = function(_, words)
    local text, chars = words[3], words[4] or " \t\n\r\v\f"
    local first, last = 1, #text
    while ends:find "l" and first <= last and chars:find(text:sub(first, first), 1, true) do
      first = first + 1
    end
    while ends:find "r" and last >= first and chars:find(text:sub(last, last), 1, true) do
      last = last - 1
    end
    return text:sub(first, last)
  end
end

-- string map { from to … } text: the first pair that fits at a position counts.
STRING.map = function(interp, words)
  local found, rest = options(words, NO_CASE)
  if found["-nocase"] then interp:fail "not simulated: string map -nocase" end
  local pairs_of, text = lists.split(rest[3]), rest[4] or ""
  if #pairs_of % 2 ~= 0 then interp:fail "char map list unbalanced" end
  local parts, size, at = {}, 0, 1
  while at <= #text do
    interp.budget:tick()
    local piece, step = text:sub(at, at), 1
    for i = 1, #pairs_of, 2 do
      local from = pairs_of[i]
      if from ~= "" and text:sub(at, at + #from - 1) == from then
        piece, step = pairs_of[i + 1], #from
        break
      end
    end
    parts[#parts + 1], size, at = piece, size + #piece, at + step
    if size > 1 << 16 then
      interp:spend(size)
      size = 0
    end
  end
  return table.concat(parts)
end

M.string = function(interp, words)
  local run = STRING[words[2] or ""]
  if not run then interp:fail("not simulated: string %s", words[2] or "") end
  if not words[3] then interp:usage(("string %s arg ?arg …?"):format(words[2])) end
  interp:spend(#words[3])
  return run(interp, words)
end

-- -- format --

-- One conversion of format, such as "%-5d", with its value.
local function converted(interp, flags, width, precision, kind, value)
  if #width > 2 or #precision > 3 then interp:fail "not simulated: a wide field of format" end
  local form = "%" .. flags .. width .. precision
  if kind == "s" then return (form .. "s"):format((value:gsub("%z", ""))) end
  local number = expression.number(value)
  if kind:find "[dixXouc]" then
    number = math.tointeger(number)
    if not number then interp:fail('expected integer but got "%s"', value) end
    if kind == "c" then return utf8.char(number & 0x7FFFFFFF) end
    if kind == "i" or kind == "u" then kind = "d" end
    return (form .. kind):format(number)
  end
  if not number then interp:fail('expected floating-point number but got "%s"', value) end
  return (form .. kind):format(number)
end

M.format = function(interp, words)
  if not words[2] then interp:usage "format formatString ?arg arg …?" end
  local text, parts, at, used = words[2], {}, 1, 2
  while true do
    local percent = text:find("%", at, true)
    parts[#parts + 1] = text:sub(at, (percent or #text + 1) - 1)
    if not percent then break end
    if text:sub(percent + 1, percent + 1) == "%" then
      parts[#parts + 1], at = "%", percent + 2
    else
      local flags, width, precision, kind, after =
        text:match("^%%([-+ 0#]*)(%d*)(%.?%d*)l?l?h?([dixXouscfeEgG])()", percent)
      if not kind then
        interp:fail("not simulated: format %s", text:match("^%%[^%a]*%a?", percent))
      end
      used = used + 1
      if not words[used] then interp:fail "not enough arguments for all format specifiers" end
      if #flags > 4 then interp:fail "not simulated: flags of format" end
      parts[#parts + 1] = converted(interp, flags, width, precision, kind, words[used])
      at = after
    end
  end
  local result = table.concat(parts)
  interp:spend(#result)
  return result
end

-- -- regular expressions --

local REGEXP <const> = { ["-nocase"] = true, ["-all"] = true, ["-inline"] = true }

-- The options of regexp and regsub, and where the arguments begin.
local function regexp_options(interp, words)
  local found, at = {}, 2
  while words[at] and words[at]:find "^%-" do
    if words[at] == "--" then return found, at + 1 end
    if not REGEXP[words[at]] then interp:fail("not simulated: %s %s", words[1], words[at]) end
    found[words[at]] = true
    at = at + 1
  end
  return found, at
end

M.regexp = function(interp, words)
  local found, at = regexp_options(interp, words)
  if not words[at + 1] then interp:usage "regexp ?switches? exp string ?matchVar? …" end
  local find = regexps.find(interp, words[at], found["-nocase"])
  local text, from, count, list = words[at + 1], 1, 0, {}
  local hit
  while from <= #text + 1 do
    local first, last, groups = find(text, from)
    if not first then break end
    count = count + 1
    hit = { text:sub(first, last), table.unpack(groups) }
    table.move(hit, 1, #hit, #list + 1, list)
    from = math.max(last + 1, first + 1)
    if not found["-all"] then break end
  end
  if found["-inline"] then return lists.join(list) end
  for i = at + 2, #words do
    if hit then
      local name, index = interp:split_name(words[i])
      interp:set(name, index, hit[i - at - 1] or "")
    end
  end
  return tostring(count)
end

M.regsub = function(interp, words)
  local found, at = regexp_options(interp, words)
  if not words[at + 2] then interp:usage "regsub ?switches? exp string subSpec ?varName?" end
  local find = regexps.find(interp, words[at], found["-nocase"])
  local text, spec = words[at + 1], words[at + 2]
  local parts, from, count = {}, 1, 0
  while from <= #text + 1 do
    local first, last, groups = find(text, from)
    if not first then break end
    count = count + 1
    local whole = text:sub(first, last)
    parts[#parts + 1] = text:sub(from, first - 1)
    parts[#parts + 1] = spec:gsub("\\?.", function(one)
      if one == "&" then return whole end
      local digit = one:match "^\\(%d)$"
      if digit then return digit == "0" and whole or groups[tonumber(digit)] or "" end
      return one:match "^\\([&\\])$"
    end)
    interp:spend(#parts[#parts])
    if last < first then parts[#parts + 1] = text:sub(first, first) end
    from = math.max(last + 1, first + 1)
    if not found["-all"] then break end
  end
  parts[#parts + 1] = text:sub(from)
  local result = table.concat(parts)
  if not words[at + 3] then return result end
  local name, index = interp:split_name(words[at + 3])
  interp:set(name, index, result)
  return tostring(count)
end

-- -- output and time --

--- puts ?-nonewline? ?channelId? string: to the output of the script.
M.puts = function(interp, words)
  local at, ending = 2, "\n"
  if words[at] == "-nonewline" then at, ending = at + 1, "" end
  if #words == at + 1 then
    if words[at] ~= "stdout" and words[at] ~= "stderr" then
      interp:fail('can not find channel named "%s"', words[at])
    end
    at = at + 1
  end
  if #words ~= at then interp:usage "puts ?-nonewline? ?channelId? string" end
  interp:spend(#words[at] + 1)
  interp.out(words[at] .. ending)
  return ""
end

--- after milliseconds: waits.
M.after = function(interp, words)
  local ms = math.tointeger(expression.number(words[2] or ""))
  if not words[2] then interp:usage "after option ?arg arg …?" end
  if #words > 2 then interp:fail "not simulated: after with a script" end
  if not ms then interp:fail("not simulated: after %s", words[2]) end
  if not interp.sleep then interp:fail "not simulated: the command after" end
  if ms > 0 then interp.sleep(math.min(ms, 86400000)) end
  return ""
end

local DATES <const> = {}
for letter in ("aAbBdDeHIjmMnpSTtuwyYZFRcxX%"):gmatch "." do DATES[letter] = true end

M.clock = function(interp, words)
  local seconds = interp.seconds and interp.seconds() or 0
  if words[2] == "seconds" then return tostring(seconds) end
  if words[2] == "clicks" then return tostring(seconds * 1000000) end
  if words[2] ~= "format" then interp:fail("not simulated: clock %s", words[2] or "") end
  local at = math.tointeger(expression.number(words[3] or ""))
  if not at then interp:fail('expected integer but got "%s"', words[3] or "") end
  local form = "%a %b %d %H:%M:%S %Z %Y"
  for i = 4, #words - 1, 2 do
    if words[i] == "-format" then form = words[i + 1] end
  end
  for letter in form:gmatch "%%(.?)" do
    if not DATES[letter] then interp:fail("not simulated: clock format %%%s", letter) end
  end
  local ok, text = pcall(os.date, "!" .. form:gsub("%%Z", "UTC"), at)
  return ok and text or interp:fail "integer value too large to represent"
end

return M
