-- Writes a C file that holds Lua sources: cmake/embed.lua OUT ROOT FILE... NAME=FILE...
-- FILE becomes the module of its path below ROOT (ROOT/f5/stats.lua is "f5.stats", .../init.lua its folder's name).
local out, root = arg[1], arg[2]

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

local function module_name(path)
  local name = path:sub(#root + 2):gsub("%.lua$", ""):gsub("/", "."):gsub("%.init$", "")
  return name
end

local modules = {}
for i = 3, #arg do
  local name, path = arg[i]:match "^([%w_.]+)=(.+)$"
  if not name then name, path = module_name(arg[i]), arg[i] end
  modules[#modules + 1] = { name = name, source = read(path) }
end
table.sort(modules, function(a, b) return a.name < b.name end)

local parts = { '/* Made by cmake/embed.lua. */\n#include "host/embedded.h"\n\n' }
local function add(...) parts[#parts + 1] = string.format(...) end
for i, module in ipairs(modules) do
  add("static const char source_%d[] = {", i)
  local bytes = {}
  for at = 1, #module.source, 4000 do
    for _, byte in ipairs { module.source:byte(at, at + 3999) } do bytes[#bytes + 1] = byte < 128 and byte or byte - 256 end
  end
  bytes[#bytes + 1] = 0
  for at = 1, #bytes, 32 do parts[#parts + 1] = "\n" .. table.concat(bytes, ",", at, math.min(at + 31, #bytes)) .. "," end
  add("};\n")
end
add("\nconst embedded_module embedded_modules[] = {\n")
for i, module in ipairs(modules) do add('  {"%s", source_%d, %d},\n', module.name, i, #module.source) end
add("};\nconst size_t embedded_count = %d;\n", #modules)

local file = assert(io.open(out, "wb"))
file:write(table.concat(parts))
assert(file:close())
