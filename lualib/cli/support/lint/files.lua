-- Checks files: playbooks with what their modules define, and whole directories.
local bundle = require "f5.bundle"
local contents = require "cli.support.contents"
local glob = require "build.glob"
local lint = require "lint"
local resolver = require "build.resolver"

local M = {}

-- The modules of a text that are files, also those that they need: array of { file, text }; and
-- whether a module is unknown: it may define anything.
local function modules_of(text, directory, found, seen)
  local open = false
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
      found[#found + 1] = { file = path, text = source }
      local _, inner_open = modules_of(source, directory, found, seen)
      open = open or inner_open
    elseif not (name == "f5" or name:find "^f5%.") and not package.loaded[name] then
      open = true
    end
  end)
  return found, open
end

-- How a text is checked together with the other texts of its program.
local function options_for(file, texts, open)
  local others = {}
  for _, one in ipairs(texts) do
    if one.file ~= file then
      for name in pairs(lint.defined(one.text)) do others[name] = true end
    end
  end
  return { file = file, others = others, open = open }
end

local function directory_of(file) return file:match "^(.*)/[^/]*$" or "" end

--- Returns the problems of a text.
-- @param file its name; modules are searched in its directory
function M.check_text(text, file)
  local modules, open = modules_of(text, directory_of(file), {}, {})
  return lint.check(text, options_for(file, modules, open))
end

--- Returns the problems of the texts of one program: array of { file, text }.
-- @param open boolean: whether other code may define globals
function M.check_texts(texts, open)
  local found = {}
  for _, one in ipairs(texts) do
    for _, problem in ipairs(lint.check(one.text, options_for(one.file, texts, open))) do
      found[#found + 1] = problem
    end
  end
  return found
end

--- Returns the problems of a playbook and of its modules.
function M.check_program(text, file, open)
  local texts = { { file = file, text = text } }
  local _, inner_open = modules_of(text, directory_of(file), texts, {})
  return M.check_texts(texts, open or inner_open)
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
