-- Programs that print: echo, printf, date, seq.
local budget = require "sim.shell.budget"

local programs <const> = {}

local ESCAPES <const> = { n = "\n", t = "\t", r = "\r", ["\\"] = "\\", a = "\a", ["0"] = "\0" }

local function unescape(text)
  return (text:gsub("\\(.)", function(char) return ESCAPES[char] or "\\" .. char end))
end

function programs.echo(_, arguments, io)
  local newline, escapes, first = true, false, 1
  while arguments[first] and arguments[first]:find "^%-[neE]+$" do
    if arguments[first]:find "n" then newline = false end
    if arguments[first]:find "e" then escapes = true end
    first = first + 1
  end
  local text = table.concat(arguments, " ", first)
  io.out((escapes and unescape(text) or text) .. (newline and "\n" or ""))
end

-- Pads a text as "%-10.3s" does. Lua's format takes no width above 99.
local function padded(shell, text, flags, width, precision)
  width, precision = tonumber(width) or 0, tonumber(precision)
  if precision then text = text:sub(1, math.tointeger(precision) or #text) end
  local missing = width - #text
  if missing <= 0 then return text end
  shell.budget:spend(missing)
  local filler = (" "):rep(math.tointeger(missing) or budget.MAX_BYTES)
  return flags:find("-", 1, true) and text .. filler or filler .. text
end

local function number_text(value, kind, flags, places)
  local number = tonumber(value) or 0
  if kind == "f" then
    return ("%." .. math.min(tonumber(places) or 6, 20) .. "f"):format(number)
  end
  local whole = math.tointeger(number) or 0
  if kind == "o" and whole < 0 then whole = 0 end
  local sign = flags:find("+", 1, true) and (kind == "d" or kind == "i") and "+" or ""
  return ("%" .. sign .. (kind == "i" and "d" or kind)):format(whole)
end

function programs.printf(shell, arguments, io)
  local format = unescape(arguments[1] or "")
  local next_argument = 2
  repeat
    local used = false
    shell.budget:command()
    local conversion = "%%([-+ #0]*)(%d*)%.?(%d*)([sdicxofbq%%])"
    io.out((format:gsub(conversion, function(flags, width, places, kind)
      if kind == "%" then return "%" end
      local value = arguments[next_argument]
      next_argument, used = next_argument + 1, true
      if kind == "c" then return (value or ""):sub(1, 1) end
      if kind == "s" or kind == "b" or kind == "q" then
        value = kind == "b" and unescape(value or "") or value or ""
        return padded(shell, value, flags, width, places)
      end
      local text = number_text(value, kind, flags, places)
      local zeros = flags:find("^[^-]*0[^-]*$") and tonumber(width) or 0
      if #text < zeros and zeros < 100 then
        local sign, digits = text:match "^([+-]?)(.*)$"
        return sign .. ("0"):rep(math.tointeger(zeros) - #text) .. digits
      end
      return padded(shell, text, flags, width, nil)
    end)))
  until not used or next_argument > #arguments
end

-- The conversions of date that C's strftime has, too.
local TIME_FORMATS <const> = "[aAbBcCdDeFgGhHIjmMnprRStTuUVwWxXyYzZ]"

function programs.date(shell, arguments, io)
  local micros = shell.device:now()
  local seconds = micros // 1000000
  local format = "%a %b %e %H:%M:%S UTC %Y"
  for _, argument in ipairs(arguments) do
    if argument:sub(1, 1) == "+" then format = argument:sub(2) end
  end
  io.out(format:gsub("%%(.)", function(letter)
    if letter == "%" then return "%" end
    if letter == "s" then return tostring(seconds) end
    if letter == "N" then return ("%09d"):format(micros % 1000000 * 1000) end
    return letter:find(TIME_FORMATS) and os.date("!%" .. letter, seconds) or nil
  end) .. "\n")
end

function programs.seq(shell, arguments, io)
  local from, step, to = 1, 1, math.tointeger(tonumber(arguments[#arguments]))
  if #arguments > 1 then from = math.tointeger(tonumber(arguments[1])) end
  if #arguments > 2 then step = math.tointeger(tonumber(arguments[2])) end
  if not from or not step or not to or step == 0 then
    io.err(("seq: invalid floating point argument: '%s'\n"):format(arguments[1] or ""))
    return 1
  end
  for i = from, to, step do
    shell.budget:tick()
    io.out(i .. "\n")
  end
end

return programs
