-- Files of the C code that need each other: f5lua tests/support/cycles.lua build/release
--
-- A file (X.c with X.h) needs another one if it includes its header, or if its object file uses a
-- symbol that the other one defines, wherever that is declared. Calls through a pointer that
-- somebody else sets are no need. docs/architecture.md lists the cycles that are kept, each with
-- its reason, in lines that start with "- cycle:"; every other one is a problem, and so is a kept
-- one that is not there any more.

local PAGE <const> = "docs/architecture.md"

local function lines_of(command)
  local lines = {}
  for line in assert(io.popen(command)):lines() do lines[#lines + 1] = line end
  return lines
end

local needs = {} -- file -> other file -> why

local function need(from, to, why)
  if from == to then return end
  needs[from][to] = needs[from][to] or why
end

local is_source = {}
for _, path in ipairs(lines_of "find runtime -name '*.c' | sed 's|^runtime/||'") do
  is_source[path:match "^(.*)%.c$"] = true
end

-- "net/loop.h" is of net/loop, and so is "net/loop_network.h", a second header of loop.c, unless
-- there is a loop_network.c.
local function file_of(path)
  local whole <const> = path:gsub("%.[ch]$", "")
  local name = whole
  while name and not is_source[name] do name = name:match "^(.*/.*)_[^_/]*$" end
  return name or whole
end

for _, path in ipairs(lines_of "find runtime -name '*.[ch]' | sed 's|^runtime/||'") do
  needs[file_of(path)] = needs[file_of(path)] or {}
end
for _, line in ipairs(lines_of [[grep -rE '^#include "' runtime]]) do
  local path <const>, header <const> = line:match '^runtime/([^:]+):#include "([^"]+)"'
  need(file_of(path), file_of(header), "includes " .. header)
end

-- Symbols of the object files that the build has made.
local defined_in, used = {}, {}
local objects <const> = lines_of(
  ("find %s/CMakeFiles -path '*/runtime/*' -name '*.c.o' | grep -v pinned"):format(arg[1])
)
for _, object in ipairs(objects) do
  local file <const> = object:match "/runtime/(.*)%.c%.o$"
  -- An object file whose source was moved away stays where it was.
  if needs[file] then
    for _, line in ipairs(lines_of("nm " .. object)) do
      local kind <const>, symbol <const> = line:match "([%a]) (%S+)$"
      if kind == "U" then
        used[#used + 1] = { file, symbol }
      elseif kind:find "[TDBRC]" then
        defined_in[symbol] = file
      end
    end
  end
end
assert(#used > 0, "no object files in " .. arg[1])
for _, use in ipairs(used) do
  local definer <const> = defined_in[use[2]]
  if definer then need(use[1], definer, "uses " .. use[2]) end
end

-- Tarjan's strongly connected components.
local index_of, low, on_stack, stack, cycles, last = {}, {}, {}, {}, {}, 0
local function visit(file)
  last = last + 1
  index_of[file], low[file] = last, last
  stack[#stack + 1], on_stack[file] = file, true
  for other in pairs(needs[file]) do
    if needs[other] and not index_of[other] then
      visit(other)
      low[file] = math.min(low[file], low[other])
    elseif on_stack[other] then
      low[file] = math.min(low[file], index_of[other])
    end
  end
  if low[file] ~= index_of[file] then return end
  local cycle = {}
  repeat
    local member <const> = table.remove(stack)
    on_stack[member] = nil
    cycle[#cycle + 1] = member
  until member == file
  if #cycle > 1 then
    table.sort(cycle)
    cycles[#cycles + 1] = cycle
  end
end
for file in pairs(needs) do
  if not index_of[file] then visit(file) end
end
table.sort(cycles, function(a, b) return a[1] < b[1] end)

-- "- cycle: a/b, a/c: the reason" -> { ["a/b, a/c"] = true }
local kept = {}
local page <const> = io.open(PAGE, "r")
for line in page and page:lines() or function() end do
  local names <const>, reason <const> = line:match "^%- cycle: ([^:]+): (.+)$"
  if names then kept[names] = reason end
end

local problems = 0
local function complain(...)
  problems = problems + 1
  print(string.format(...))
end
for _, cycle in ipairs(cycles) do
  local names <const> = table.concat(cycle, ", ")
  if kept[names] then
    kept[names] = nil
  else
    complain("%s need each other, and %s does not say why:", names, PAGE)
    local member = {}
    for _, file in ipairs(cycle) do member[file] = true end
    for _, file in ipairs(cycle) do
      for other, why in pairs(needs[file]) do
        if member[other] then print(("  %s -> %s: %s"):format(file, other, why)) end
      end
    end
  end
end
for names in pairs(kept) do complain("%s keeps the cycle %s, which is not there", PAGE, names) end
local count = 0
for _ in pairs(needs) do count = count + 1 end
print(("%d files, %d cycles, %d problems"):format(count, #cycles, problems))
os.exit(problems == 0)
