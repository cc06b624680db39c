-- Programs that read texts by lines: cat, head, tail, wc, tee, xargs …
local common = require "sim.shell.programs.common"
local files = require "sim.shell.files"

local programs <const> = {}

function programs.cat(shell, arguments, io)
  local options, names = common.options(arguments, "")
  local texts, status = common.texts_of(shell, "cat", names, io)
  local number = 0
  for _, text in ipairs(texts) do
    if options.n then
      for _, line in ipairs(common.lines_of(shell, text)) do
        number = number + 1
        io.out(("%6d\t%s\n"):format(number, line))
      end
    else
      io.out(text)
    end
  end
  return status
end
programs.less, programs.more, programs.zcat = programs.cat, programs.cat, programs.cat

function programs.tac(shell, arguments, io)
  local texts, status = common.texts_of(shell, "tac", arguments, io)
  for _, text in ipairs(texts) do
    local lines = common.lines_of(shell, text)
    for i = #lines, 1, -1 do io.out(lines[i] .. "\n") end
  end
  return status
end

local HUGE <const> = 1 << 53

-- head and tail: `pick` says which of `total` lines or bytes to show.
local function part(name, pick)
  return function(shell, arguments, io)
    local count, bytes, names = "10", false, {}
    local i = 1
    while arguments[i] do
      local letter, attached = arguments[i]:match "^%-([nc]?)([-+]?%d*)$"
      local ignored = arguments[i]:find "^%-[fFqv]$"  -- there is nothing to wait for
      if not ignored and (attached and attached ~= "" or letter and letter ~= "") then
        bytes, count = letter == "c", attached
        if attached == "" then count, i = arguments[i + 1] or "", i + 1 end
      elseif not ignored then
        names[#names + 1] = arguments[i]
      end
      i = i + 1
    end
    if not count:find "^[-+]?%d+$" then
      io.err(("%s: %s: invalid number of lines\n"):format(name, count))
      return 1
    end
    local number = math.min(tonumber(count:match "%d+"), HUGE)
    local texts, status = common.texts_of(shell, name, names, io)
    for _, text in ipairs(texts) do
      if bytes then
        io.out(text:sub(pick(#text, number, count:sub(1, 1))))
      else
        local lines = common.lines_of(shell, text)
        local first, last = pick(#lines, number, count:sub(1, 1))
        for at = first, last do io.out(lines[at] .. "\n") end
      end
    end
    return status
  end
end

programs.head = part("head", function(total, count, sign)
  return 1, math.tointeger(sign == "-" and math.max(total - count, 0) or math.min(total, count))
end)
programs.tail = part("tail", function(total, count, sign)
  return math.tointeger(sign == "+" and math.max(count, 1) or math.max(1, total - count + 1)), total
end)

function programs.wc(shell, arguments, io)
  local flags, names = common.split(arguments)
  local texts, status = common.texts_of(shell, "wc", names, io)
  for i, text in ipairs(texts) do
    local _, lines = text:gsub("\n", "")
    local _, words = text:gsub("%S+", "")
    local counts = {}
    local all = not (flags.l or flags.w or flags.c or flags.m)
    if flags.l or all then counts[#counts + 1] = lines end
    if flags.w or all then counts[#counts + 1] = words end
    if flags.m then counts[#counts + 1] = utf8.len(text) or #text end
    if flags.c or all then counts[#counts + 1] = #text end
    io.out(table.concat(counts, " ") .. (names[i] and " " .. names[i] or "") .. "\n")
  end
  return status
end

function programs.tee(shell, arguments, io)
  local options, names = common.options(arguments, "")
  local text = io.input
  for _, name in ipairs(names) do
    if name ~= "/dev/null" and name ~= "/dev/stderr" then
      shell:write_file(shell:path(name), (options.a and files.read(shell, name) or "") .. text)
    end
  end
  io.out(text)
end

function programs.rev(shell, arguments, io)
  local texts, status = common.texts_of(shell, "rev", arguments, io)
  for _, text in ipairs(texts) do
    for _, line in ipairs(common.lines_of(shell, text)) do io.out(line:reverse() .. "\n") end
  end
  return status
end

function programs.nl(shell, arguments, io)
  local _, names = common.options(arguments, "bw")
  return programs.cat(shell, { "-n", table.unpack(names) }, io)
end

-- Runs a command with the words of the input as arguments.
function programs.xargs(shell, arguments, io)
  local at = 1
  local marker, count, quiet
  while arguments[at] and arguments[at]:find "^%-" do
    local option = arguments[at]
    if option:find "^%-I" then
      marker = option:sub(3)
      if marker == "" then marker, at = arguments[at + 1] or "{}", at + 1 end
    elseif option:find "^%-[nLP]" then
      local value = option:sub(3)
      if value == "" then value, at = arguments[at + 1] or "1", at + 1 end
      if option:find "^%-[nL]" then count = math.tointeger(tonumber(value)) or 1 end
    elseif option == "-r" then
      quiet = true
    end
    at = at + 1
  end
  local command = table.move(arguments, at, #arguments, 1, {})
  if #command == 0 then command[1] = "echo" end
  local items, status = {}, 0
  for item in io.input:gmatch(marker and "[^\n]+" or "%S+") do items[#items + 1] = item end
  if #items == 0 and (quiet or marker) then return 0 end
  local step = marker and 1 or count or math.max(#items, 1)
  for first = 1, math.max(#items, 1), step do
    local words = table.move(command, 1, #command, 1, {})
    if marker then
      for i, word in ipairs(words) do
        words[i] = word:gsub(marker:gsub("%p", "%%%0"), (items[first]:gsub("%%", "%%%%")))
      end
    else
      table.move(items, first, math.min(first + step - 1, #items), #words + 1, words)
    end
    if shell:call(words, io.shell_io) ~= 0 then status = 123 end
  end
  return status
end

return programs
