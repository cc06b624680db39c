-- Programs about columns, order and characters of lines: cut, paste, sort, uniq, tr.
local common = require "sim.shell.programs.common"

local programs <const> = {}

-- "1,3-5,7-" -> function(position) that says whether it is meant; nil for a wrong list.
local function selection(text)
  local ranges = {}
  for item in text:gmatch "[^,]+" do
    local from, dash, to = item:match "^(%d*)(%-?)(%d*)$"
    if not from or from == "" and to == "" then return nil end
    from = tonumber(from) or 1
    ranges[#ranges + 1] =
      { from, dash == "" and from or tonumber(to) or math.huge }
  end
  if #ranges == 0 then return nil end
  return function(position)
    for _, range in ipairs(ranges) do
      if position >= range[1] and position <= range[2] then return true end
    end
    return false
  end
end

local function fields_of(line, delimiter)
  local list, at = {}, 1
  while true do
    local first, last = line:find(delimiter, at, true)
    list[#list + 1] = line:sub(at, (first or 0) - 1)
    if not first then return list end
    at = last + 1
  end
end

function programs.cut(shell, arguments, io)
  local options, names = common.options(arguments, "dfcb")
  local list = options.f or options.c or options.b
  local wanted = type(list) == "string" and selection(list)
  if not wanted then
    io.err "cut: you must specify a list of bytes, characters, or fields\n"
    return 1
  end
  local delimiter = type(options.d) == "string" and options.d or "\t"
  if delimiter == "" then delimiter = "\0" end
  local between = type(options["output-delimiter"]) == "string" and options["output-delimiter"]
    or options.f and delimiter or ""
  local texts, status = common.texts_of(shell, "cut", names, io)
  for _, text in ipairs(texts) do
    for _, line in ipairs(common.lines_of(shell, text)) do
      shell.budget:spend(#line)
      local parts = {}
      if not options.f then
        for i = 1, #line do
          parts[i] = line:sub(i, i)
          if i % 4096 == 0 then shell.budget:tick() end
        end
      else
        parts = fields_of(line, delimiter)
      end
      if options.f and #parts == 1 then
        if not options.s then io.out(line .. "\n") end
      else
        local kept = {}
        for i, part in ipairs(parts) do
          if wanted(i) then kept[#kept + 1] = part end
        end
        io.out(table.concat(kept, between) .. "\n")
      end
    end
  end
  return status
end

-- The part of a line that sort compares: -k 2,3 with -t.
local function key_of(line, options)
  if type(options.k) ~= "string" then return line end
  local from, to = options.k:match "^(%d+)[%.%d]*%a*,?(%d*)"
  local list = {}
  if type(options.t) == "string" then
    list = fields_of(line, options.t)
  else
    for word in line:gmatch "%s*%S+" do list[#list + 1] = word end
  end
  local last = math.min(tonumber(to) or #list, #list)
  return table.concat(list, options.t or "", math.min(tonumber(from or 1), #list + 1), last)
end

local UNITS <const> = { K = 1 << 10, M = 1 << 20, G = 1 << 30, T = 1 << 40 }

local function number_of(text, human)
  local digits, unit = text:match "^%s*(%-?%d+%.?%d*)(%a?)"
  return (tonumber(digits) or 0) * (human and UNITS[unit:upper()] or 1)
end

-- Compares versions: runs of digits count as numbers.
local function version_key(text)
  return (text:gsub("%d+", function(digits) return ("%020d"):format(tonumber(digits) or 0) end))
end

function programs.sort(shell, arguments, io)
  local options, names = common.options(arguments, "ktoS")
  local letters = type(options.k) == "string" and options.k:gsub("[%d,.]", "") or ""
  for letter in letters:gmatch "%a" do options[letter] = true end
  local texts, status = common.texts_of(shell, "sort", names, io)
  local lines, keys = {}, {}
  for _, text in ipairs(texts) do
    local more = common.lines_of(shell, text)
    table.move(more, 1, #more, #lines + 1, lines)
  end
  for _, line in ipairs(lines) do
    local key = key_of(line, options)
    if options.f then key = key:lower() end
    keys[line] = (options.n or options.h) and number_of(key, options.h)
      or options.V and version_key(key) or key
  end
  table.sort(lines, function(a, b)
    shell.budget:tick()
    if keys[a] ~= keys[b] then
      if options.r then return keys[a] > keys[b] end
      return keys[a] < keys[b]
    end
    if options.r then return a > b end
    return a < b
  end)
  local before
  local out = {}
  for _, line in ipairs(lines) do
    local key = options.u and keys[line]
    if not options.u or key ~= before then out[#out + 1] = line .. "\n" end
    before = key
  end
  if type(options.o) == "string" then
    shell:write_file(shell:path(options.o), table.concat(out))
  else
    io.out(table.concat(out))
  end
  return status
end

function programs.uniq(shell, arguments, io)
  local options, names = common.options(arguments, "fsw")
  local texts, status = common.texts_of(shell, "uniq", { names[1] }, io)
  local function show(line, count)
    if options.d and count < 2 or options.u and count > 1 then return end
    io.out((options.c and ("%7d "):format(count) or "") .. line .. "\n")
  end
  local previous, count
  for _, line in ipairs(common.lines_of(shell, texts[1] or "")) do
    local same = previous and (options.i and previous:lower() == line:lower() or previous == line)
    if same then
      count = count + 1
    else
      if previous then show(previous, count) end
      previous, count = line, 1
    end
  end
  if previous then show(previous, count) end
  return status
end

local CLASSES <const> = {
  lower = "%l", upper = "%u", digit = "%d", alpha = "%a", alnum = "%w", space = "%s",
  punct = "%p", blank = "[ \t]", cntrl = "%c",
}
local ESCAPES <const> = { n = "\n", t = "\t", r = "\r", ["\\"] = "\\", ["0"] = "\0" }

-- "a-z[:digit:]\\n" -> list of characters
local function set_of(text)
  local list, at = {}, 1
  while at <= #text do
    local class, past = text:match("^%[:(%l+):%]()", at)
    local from, to, after = text:match("^([^\\])%-(.)()", at)
    if class and CLASSES[class] then
      for byte = 0, 255 do
        local char = string.char(byte)
        if char:find(CLASSES[class]) then list[#list + 1] = char end
      end
      at = past
    elseif from then
      for byte = from:byte(), to:byte() do list[#list + 1] = string.char(byte) end
      at = after
    elseif text:find("^\\.", at) then
      local escaped = text:sub(at + 1, at + 1)
      list[#list + 1] = ESCAPES[escaped] or escaped
      at = at + 2
    else
      list[#list + 1] = text:sub(at, at)
      at = at + 1
    end
  end
  return list
end

function programs.tr(shell, arguments, io)
  local options, names = common.options(arguments, "")
  if not names[1] or not names[2] and not (options.d or options.s) then
    io.err("tr: missing operand" .. (names[1] and (" after '%s'"):format(names[1]) or "") .. "\n")
    return 1
  end
  local from, to = set_of(names[1]), names[2] and set_of(names[2])
  local meant, map, squeezed = {}, {}, {}
  for _, char in ipairs(from) do meant[char] = true end
  if options.c or options.C then
    local others = {}
    for byte = 0, 255 do
      local char = string.char(byte)
      if not meant[char] then others[#others + 1] = char end
    end
    from, meant = others, {}
    for _, char in ipairs(from) do meant[char] = true end
  end
  for i, char in ipairs(from) do
    if not options.d and to then map[char] = to[i] or to[#to] end
  end
  for _, char in ipairs(options.s and (to or from) or {}) do squeezed[char] = true end
  local input, last = io.input, nil
  for at = 1, #input, 65536 do
    shell.budget:tick()
    local text = input:sub(at, at + 65535):gsub(".", function(char)
      if options.d and meant[char] then return "" end
      local fresh = map[char] or char
      local again = fresh == last and squeezed[fresh]
      last = fresh
      return again and "" or fresh
    end)
    io.out(text)
  end
end

function programs.paste(shell, arguments, io)
  local options, names = common.options(arguments, "d")
  local delimiter = type(options.d) == "string" and options.d or "\t"
  local texts, status = common.texts_of(shell, "paste", names, io)
  local columns, longest = {}, 0
  for i, text in ipairs(texts) do
    columns[i] = common.lines_of(shell, text)
    longest = math.max(longest, #columns[i])
  end
  if options.s then
    for _, lines in ipairs(columns) do io.out(table.concat(lines, delimiter) .. "\n") end
    return status
  end
  for i = 1, longest do
    local row = {}
    for at, lines in ipairs(columns) do row[at] = lines[i] or "" end
    io.out(table.concat(row, delimiter) .. "\n")
  end
  return status
end

return programs
