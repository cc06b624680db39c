-- Checks files: playbooks with what their modules define, and whole directories.
local bundle = require "f5.bundle"
local contents = require "cli.support.contents"
local glob = require "build.glob"
local lint = require "lint"
local resolver = require "build.resolver"

local M = {}

-- The globals that the modules of a text define, and whether a module is unknown.
local function from_modules(text, directory, seen)
  local others, open = {}, false
  local place = directory == "" and "" or directory .. "/"
  local search = place .. "?.lua;" .. place .. "?/init.lua"
  pcall(resolver.scan, text, function(kind, name)
    if kind == "asset" or name and seen[name] then return end
    if kind == "computed" then
      open = true
      return
    end
    seen[name] = true
    local path = package.searchpath(name, search)
    local source = path and contents(path)
    if source then
      for global in pairs(lint.defined(source)) do others[global] = true end
      local inner, inner_open = from_modules(source, directory, seen)
      for global in pairs(inner) do others[global] = true end
      open = open or inner_open
    elseif not (name == "f5" or name:find "^f5%.") and not package.loaded[name] then
      open = true -- it may define anything
    end
  end)
  return others, open
end

--- Returns the problems of a text.
-- @param file its name; modules are searched in its directory
function M.check_text(text, file)
  local others, open = from_modules(text, file:match "^(.*)/[^/]*$" or "", {})
  return lint.check(text, { file = file, others = others, open = open })
end

local function playbooks_in(directory)
  local list = glob(directory, "**/*.lua")
  table.sort(list)
  return list
end

-- The text of a file or of standard input, and its name in messages; or nil and why not.
local function read(name)
  if name == "-" then return contents("-", io.stdin), "stdin" end
  local text, why = contents(name)
  return text, text and name or why
end

--- Returns the problems of files and directories; or nil and why a file cannot be read.
function M.check(names)
  local found = {}
  for _, name in ipairs(names) do
    local list = { name }
    if name ~= "-" and bundle.file_type(name) == "directory" then list = playbooks_in(name) end
    for _, file in ipairs(list) do
      local text, shown = read(file)
      if not text then return nil, "cannot read " .. shown end
      for _, problem in ipairs(M.check_text(text, shown)) do found[#found + 1] = problem end
    end
  end
  return found
end

return M
