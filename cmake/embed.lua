-- Writes a C file that holds Lua modules:
--   cmake/embed.lua [--compiled] [--small] OUT ROOT FILE... NAME=FILE...
-- FILE becomes the module of its path below ROOT (ROOT/f5/stats.lua is "f5.stats", .../init.lua its
-- folder's name). With --compiled it is compiled, with all that errors and tracebacks show: loading
-- it takes a sixth of the time. Only the release of Lua that compiled a module can load it. With
-- --small, comments and spaces of Lua text are left out, and every line keeps its number; and what
-- is not f5 itself is compressed. One module has no file: "sim.kinds.index", see below.
local compiled = arg[1] == "--compiled"
if compiled then table.remove(arg, 1) end
local small = arg[1] == "--small"
if small then table.remove(arg, 1) end
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

-- "=" keeps Lua from taking it for a file that a user could open, and tells the program's own lines
-- from a playbook's.
local function chunk_name(path)
  if path:sub(1, #root + 1) ~= root .. "/" then return "=lualib/" .. path:match "[^/]+$" end
  return "=lualib/" .. path:sub(#root + 2)
end

package.path = root .. "/?.lua"
local lexer = small and not compiled and require "build.lexer"

local function smaller(source, chunk)
  local parts, line, last = {}, 1, ""
  for token in lexer.tokens(source) do
    local text = source:sub(token.from, token.to)
    if line < token.line then
      parts[#parts + 1] = ("\n"):rep(token.line - line)
      line = token.line
    elseif
      (last .. text:sub(1, 1)):find "^[%w_][%w_]$" or (last .. text:sub(1, 1)):find "^[%p%d][%p%d]$"
    then
      parts[#parts + 1] = " "
    end
    parts[#parts + 1] = text
    local _, breaks = text:gsub("\n", "")
    line, last = line + breaks, text:sub(-1)
  end
  local result = table.concat(parts)
  -- The same code on the same lines, or it is not taken.
  local before, after = load(source, chunk), load(result, chunk)
  return before and after and string.dump(before) == string.dump(after) and result or source
end

-- Raw deflate, by gzip: its format without the header of 10 bytes and the trailer of 8.
local function deflate(text)
  local path = os.tmpname()
  local pipe = assert(io.popen("gzip -9nc > " .. path, "w"))
  pipe:write(text)
  assert(pipe:close())
  local packed = read(path):sub(11, -9)
  os.remove(path)
  return packed
end

local modules = {}
for i = 3, #arg do
  local name, path = arg[i]:match "^([%w_.]+)=(.+)$"
  if not name then name, path = module_name(arg[i]), arg[i] end
  local source = read(path)
  modules[#modules + 1] = { name = name, chunk = chunk_name(path), source = source }
end

-- The module "sim.kinds.index": which files of lualib/sim/kinds/ describe the kinds of a BIG-IP
-- module, { ltm = { "sim.kinds.ltm.node", … }, … }. A new file there is all that a new kind needs.
local function index_of_kinds()
  local files, folders = {}, {}
  for _, module in ipairs(modules) do
    local folder = module.name:match "^sim%.kinds%.([%w_-]+)%.[%w_]+$"
    if folder and folder ~= "common" then
      if not files[folder] then folders[#folders + 1] = folder end
      files[folder] = files[folder] or {}
      table.insert(files[folder], ("%q"):format(module.name))
    end
  end
  table.sort(folders)
  local lines = {}
  for i, folder in ipairs(folders) do
    table.sort(files[folder])
    lines[i] = ("[%q] = { %s },"):format(folder, table.concat(files[folder], ", "))
  end
  return "return {\n" .. table.concat(lines, "\n") .. "\n}\n"
end

modules[#modules + 1] = {
  name = "sim.kinds.index", chunk = "=lualib/sim/kinds/index.lua", source = index_of_kinds(),
}

for _, module in ipairs(modules) do
  local is_text = module.name:find "^meta%." -- what matters in it are the comments
  if compiled and not is_text then
    module.source = string.dump(assert(load(module.source, module.chunk, "t")))
  elseif small and not is_text then
    module.source = smaller(module.source, module.chunk)
  end
  module.data = module.source
  -- A playbook against a real device loads f5 and its parts: they are not to cost anything.
  if small and module.name ~= "f5" and not module.name:find "^f5%." then
    module.data = deflate(module.source)
  end
end
table.sort(modules, function(a, b) return a.name < b.name end)

-- String literals: compilers read them ten times faster than lists of bytes.
local function literal(line)
  return '"'
    .. line:gsub('[%c"\\?\128-\255]', function(c) return ("\\%03o"):format(c:byte()) end) .. '"\n'
end

local parts = {
  '/* Made by cmake/embed.lua. */\n#include "embed/embedded.h"\n',
  '#pragma GCC diagnostic ignored "-Woverlength-strings"\n\n',
}
local function add(...) parts[#parts + 1] = string.format(...) end
for i, module in ipairs(modules) do
  add("static const char source_%d[] =\n", i)
  for line in module.data:gmatch "[^\n]*\n?" do parts[#parts + 1] = literal(line) end
  parts[#parts + 1] = ";\n"
end
add("\nconst embedded_module embedded_modules[] = {\n")
for i, module in ipairs(modules) do
  local packed = module.data ~= module.source and #module.data or 0
  add('  {"%s", "%s", source_%d, %d, %d},\n', module.name, module.chunk, i, #module.source, packed)
end
add("};\nconst size_t embedded_count = %d;\n", #modules)

local file = assert(io.open(out, "wb"))
file:write(table.concat(parts))
assert(file:close())
