-- grep and its relatives.
local common = require "sim.shell.programs.common"
local regex = require "sim.shell.regex"

local programs <const> = {}

-- The expression of grep for its options: -e, -F, -w, -x.
local function expression_of(options, pattern)
  if options.F then
    pattern = pattern:gsub(options.E and "[][.*^$\\+?(){}|]" or "[][.*^$\\]", "\\%0")
  end
  if options.x then
    return options.E and "^(" .. pattern .. ")$" or "^\\(" .. pattern .. "\\)$"
  end
  if options.w then
    return options.E and "(^|[^[:alnum:]_])(" .. pattern .. ")([^[:alnum:]_]|$)"
      or "\\(^\\|[^[:alnum:]_]\\)\\(" .. pattern .. "\\)\\([^[:alnum:]_]\\|$\\)"
  end
  return pattern
end

-- What a command prints for a line that matches.
local function print_line(io, options, prefix, number, line, separator)
  if options.n then prefix = prefix .. number .. separator end
  io.out(prefix .. line .. "\n")
end

-- Prints the lines of a file that match, with their context. Returns how many match.
local function search(shell, io, options, lines, matches, prefix)
  local found, last = 0, 0
  local after = math.tointeger(tonumber(options.A or options.C)) or 0
  local before = math.tointeger(tonumber(options.B or options.C)) or 0
  local limit = math.tointeger(tonumber(options.m)) or math.maxinteger
  local quiet = options.q or options.c or options.l or options.L
  local until_line = 0
  for i, line in ipairs(lines) do
    shell.budget:spend(#line)
    shell.budget:tick()
    if found >= limit and i > until_line then break end
    if found < limit and (matches(line) ~= nil and matches(line) ~= false) ~= (options.v == true)
    then
      found = found + 1
      if not quiet then
        local from = math.max(last + 1, i - before)
        if (after > 0 or before > 0) and last > 0 and from > last + 1 then io.out "--\n" end
        for at = from, i - 1 do print_line(io, options, prefix, at, lines[at], "-") end
        if options.o then
          local at = 1
          while at <= #line do
            local first, stop = options.find(options.i and line:lower() or line, at)
            if not first then break end
            if stop >= first then
              print_line(io, options, prefix, i, line:sub(first, stop), ":")
            end
            at = math.max(stop, first) + 1
          end
        else
          print_line(io, options, prefix, i, line, ":")
        end
        last, until_line = i, i + after
      end
    elseif i <= until_line and not quiet then
      print_line(io, options, prefix, i, line, "-")
      last = i
    end
  end
  return found
end

-- The names of files below the directories, for grep -r.
local function recursive_names(shell, names)
  local list = {}
  for _, name in ipairs(names) do
    if shell:is_directory(shell:path(name)) then
      table.move(shell:files_below(shell:path(name)), 1, #shell:files_below(shell:path(name)),
        #list + 1, list)
    else
      list[#list + 1] = name
    end
  end
  return list
end

function programs.grep(shell, arguments, io)
  local options, names = common.options(arguments, "eABCm")
  local pattern = options.e or table.remove(names, 1)
  if options.P then options.E = true end
  if not pattern then
    io.err "Usage: grep [OPTION]... PATTERN [FILE]...\nTry 'grep --help' for more information.\n"
    return 2
  end
  if options.P then pattern = pattern:gsub("\\d", "[0-9]"):gsub("%(%?:", "(") end
  pattern = expression_of(options, pattern)
  local how = { extended = options.E, ignore_case = options.i }
  local matches, message = regex.compile(pattern, how)
  if matches and options.o then
    options.find, message =
      regex.compile_find(pattern, how, function() shell.budget:tick() end)
    matches = options.find and matches
  end
  if not matches then
    io.err(("grep: %s\n"):format(message))
    return 2
  end
  if options.r or options.R then names = recursive_names(shell, #names > 0 and names or { "." }) end
  local status, found = 0, 0
  for i = 1, math.max(#names, 1) do
    local texts, bad = common.texts_of(
      shell, "grep", { names[i] }, options.s and { input = io.input, err = function() end } or io
    )
    status = math.max(status, bad)
    local named = (#names > 1 or options.r or options.R or options.H) and not options.h
    local prefix = named and (names[i] or "(standard input)") .. ":" or ""
    if texts[1] then
      local here = search(shell, io, options, common.lines_of(shell, texts[1]), matches, prefix)
      if options.c and not options.q then io.out(prefix .. here .. "\n") end
      if options.l and here > 0 or options.L and here == 0 then io.out((names[i] or "") .. "\n") end
      found = found + here
    end
  end
  return status ~= 0 and 2 or found > 0 and 0 or 1
end

function programs.egrep(shell, arguments, io)
  return programs.grep(shell, { "-E", table.unpack(arguments) }, io)
end

function programs.fgrep(shell, arguments, io)
  return programs.grep(shell, { "-F", table.unpack(arguments) }, io)
end

function programs.zgrep(shell, arguments, io) return programs.grep(shell, arguments, io) end

return programs
