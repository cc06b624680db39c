-- Whether the floors of the C code hold: f5lua tests/support/floors.lua build/release
--
-- For each floor, the compiler is asked with the very options of that floor to include a header of
-- every other one. It must accept those of the floors that are used, which shows that the question
-- is right, and refuse all others. An include that leaves its folder ("../…") is refused too, since
-- the include path knows nothing of it.

local json = require "f5.json"

-- The floors that each one uses, directly or not.
local USES <const> = {
  base = {},
  net = { "base" },
  fiber = { "base", "net" },
  f5 = { "base", "net", "fiber" },
  postgres = { "base", "net", "fiber" },
  sim = { "base" },
  embed = { "base", "net", "fiber", "f5", "postgres", "sim" },
  host = { "base", "net", "fiber", "f5", "postgres", "sim", "embed" },
}

local problems = {}
local function complain(...) problems[#problems + 1] = string.format(...) end

local function lines_of(command)
  local lines = {}
  for line in assert(io.popen(command)):lines() do lines[#lines + 1] = line end
  return lines
end

local function read(path)
  local file <close> = assert(io.open(path, "r"))
  return file:read "a"
end

-- The compiler's command line for files of a floor, without the file.
local function compiler_of(floor)
  for _, entry in ipairs(json.decode(read(arg[1] .. "/compile_commands.json"))) do
    if entry.file:find("/runtime/" .. floor .. "/", 1, true) then
      return (entry.command:gsub(" %-o .*$", ""))
    end
  end
  error("no file of " .. floor .. " is compiled in " .. arg[1], 0)
end

local function accepts(compiler, header)
  local command <const> = ("%s -fsyntax-only -x c - >/dev/null 2>&1"):format(compiler)
  local pipe <const> = assert(io.popen(command, "w"))
  pipe:write(('#include "%s"\ntypedef int not_empty;\n'):format(header))
  return pipe:close() == true
end

local floors, header_of = {}, {}
for floor in pairs(USES) do
  floors[#floors + 1] = floor
  local headers <const> = lines_of(("find runtime/%s -name '*.h' | sort"):format(floor))
  header_of[floor] = assert(headers[1], "no header in " .. floor):match "^runtime/(.*)$"
end
table.sort(floors)

local asked = 0
for _, floor in ipairs(floors) do
  local compiler <const> = compiler_of(floor)
  local used <const> = { [floor] = true }
  for _, name in ipairs(USES[floor]) do used[name] = true end
  for _, other in ipairs(floors) do
    local accepted <const> = accepts(compiler, header_of[other])
    asked = asked + 1
    if accepted and not used[other] then
      complain("a file of %s can include %s: %s is not below it", floor, header_of[other], other)
    elseif not accepted and used[other] then
      complain("a file of %s cannot include %s, which is below it", floor, header_of[other])
    end
  end
end

for _, line in ipairs(lines_of [[grep -rnE '#include "(\.|/)' runtime]]) do
  complain("%s: include by the path below runtime", line)
end

-- Every folder of the C code is one of these floors, or has no headers.
for _, folder in ipairs(lines_of "find runtime -name '*.h' | cut -d/ -f2 | sort -u") do
  if not USES[folder] then complain("runtime/%s is no floor", folder) end
end

-- A folder that nobody can survey has no rooms.
for _, line in ipairs(lines_of "find runtime -name '*.c' | sed 's|/[^/]*$||' | sort | uniq -c") do
  local count <const>, folder <const> = line:match "^%s*(%d+) (.+)$"
  if tonumber(count) > 20 then complain("%s has %d .c files, more than 20", folder, count) end
end

for _, problem in ipairs(problems) do print(problem) end
print(("%d floors, %d includes tried, %d problems"):format(#floors, asked, #problems))
os.exit(#problems == 0)
