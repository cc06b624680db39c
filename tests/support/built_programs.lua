-- What the specs of programs made by f5lua build share.
local lfs = require "lfs"
local program = require "program"

local M = {}

--- f5lua build with these words.
function M.build(words, options)
  local all = { "build" }
  for _, word in ipairs(words) do all[#all + 1] = word end
  return program.run(all, options)
end

--- The same; it must succeed.
function M.must_build(...)
  local result = M.build(...)
  assert(result.status == 0, result.err)
  return result
end

--- Runs a program.
function M.run(path, words, options)
  options = options or {}
  options.program = path
  return program.run(words or {}, options)
end

--- The bytes of a file.
function M.read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

--- A copy of a program with other bytes.
function M.damaged(directory, bytes)
  local path = directory:file("damaged", bytes)
  os.execute("chmod 755 " .. path)
  return path
end

--- A directory with these files, and `deploy` built of main.lua.
function M.built(files, words)
  local directory = program.directory()
  for name, text in pairs(files) do
    if name:find "/" then lfs.mkdir(directory.path .. "/" .. name:match "^[^/]*") end
    directory:file(name, text)
  end
  local all = { directory.path .. "/main.lua", "-o", directory.path .. "/deploy" }
  for _, word in ipairs(words or {}) do all[#all + 1] = word end
  local result = M.build(all)
  if result.status ~= 0 then
    getmetatable(directory).__close()
    error(result.err)
  end
  return directory, directory.path .. "/deploy", result
end

return M
