-- docs/api.md and the tables of error kinds, from the annotations in lualib/meta. scripts/api-docs
-- runs this.
local annotations = require "console.annotations"
local core = require "f5.core"
local f5 = require "f5"
local terminal = require "f5.terminal"

local M = {}

local HEAD <const> = [[
# The f5 module

`scripts/api-docs` makes this page from the annotations in `lualib/meta`: change them there. Editors
with the Lua language server show the same text if `Lua.workspace.library` is that directory, and so
does `.help` in the console. A `?` after a name means that you may leave it out.

Each function has a line *Raises* with the kinds of [errors](#f5error). *Call errors* are the kinds
that every call to a device can raise. *Source* names the document that describes the behaviour:
usually a section of F5's "REST API User Guide" for version 14.1.
]]

local function escape(text) return (text:gsub("|", "\\|")) end

local function anchor(name) return (name:gsub("[^%w_]", ""):lower()) end

-- A type; a class of this page is a link.
local function type_text(type)
  local name = type:match "^[%w_.]+"
  local rest = name and type:sub(#name + 1)
  if name and annotations.class(name) and (rest == "" or rest == "[]" or rest == "?") then
    return ("[`%s`](#%s)"):format(type, anchor(name))
  end
  return ("`%s`"):format(escape(type))
end

local function add_table(lines, title, fields)
  if #fields == 0 then return end
  lines[#lines + 1] = ""
  lines[#lines + 1] = ("| %s | type | |"):format(title)
  lines[#lines + 1] = "|---|---|---|"
  for _, field in ipairs(fields) do
    lines[#lines + 1] = ("| `%s%s` | %s | %s |"):format(
      field.name, field.optional and "?" or "", type_text(field.type), escape(field.doc)
    )
  end
end

local function add_paragraph(lines, text)
  lines[#lines + 1] = ""
  local line = ""
  for word in text:gmatch "%S+" do
    if #line + 1 + #word > 100 then
      lines[#lines + 1], line = line, word
    else
      line = line == "" and word or line .. " " .. word
    end
  end
  lines[#lines + 1] = line
end

local function source_text(source)
  local page, section = source:match '^docs/(%S+%.md),? ?"?([^"]*)"?$'
  if not page then return source end
  local name = section ~= "" and ("%s, %s"):format(page, section) or page
  local heading = section:lower():gsub("[^%w _-]", ""):gsub(" ", "-")
  local target = section ~= "" and page .. "#" .. heading
    or page
  return ("[%s](%s)"):format(name, target)
end

local function add_function(lines, fn)
  lines[#lines + 1] = ""
  lines[#lines + 1] = "### `" .. annotations.signature(fn) .. "`"
  lines[#lines + 1] = ""
  for _, line in ipairs(fn.doc) do lines[#lines + 1] = line end
  add_table(lines, "parameter", fn.params)
  for _, value in ipairs(fn.returns) do
    add_paragraph(
      lines,
      ("*Returns* %s%s."):format(type_text(value.type), value.doc ~= "" and ": " .. value.doc or "")
    )
  end
  add_paragraph(lines, "*Raises* " .. (fn.raises or ""))
  add_paragraph(lines, "*Source* " .. source_text(fn.source or ""))
end

local function add_kinds(lines)
  lines[#lines + 1] = ""
  for line in M.kinds_table():gmatch "[^\n]+" do lines[#lines + 1] = line end
end

local function add_class(lines, class)
  lines[#lines + 1] = ""
  lines[#lines + 1] = "## " .. class.name
  lines[#lines + 1] = ""
  for _, line in ipairs(class.doc) do lines[#lines + 1] = line end
  if class.overload then add_paragraph(lines, "It can be called: `" .. class.overload .. "`.") end
  add_table(lines, "field", class.fields)
  if class.parent then
    add_paragraph(lines, ("And the fields of %s."):format(type_text(class.parent)))
  end
  if class.name == "f5.error" then add_kinds(lines) end
  for _, fn in ipairs(class.functions) do add_function(lines, fn) end
end

-- "One device and one user." of a longer description.
local function first_sentence(doc)
  local words = {}
  for _, line in ipairs(doc) do
    if line == "" then break end
    words[#words + 1] = line
  end
  local text = table.concat(words, " ")
  return text:match "^(.-[%.:]) " or text
end

--- The whole page.
function M.page()
  local lines = { HEAD }
  for _, name in ipairs(annotations.classes()) do
    local class = annotations.class(name)
    if #class.functions > 0 or name == "f5.options" or name == "f5.query" or name == "f5.error" then
      lines[#lines + 1] = ("- %s: %s"):format(type_text(name), first_sentence(class.doc))
    end
  end
  for _, name in ipairs(annotations.classes()) do add_class(lines, annotations.class(name)) end
  return (table.concat(lines, "\n"):gsub("\n\n\n+", "\n\n")) .. "\n"
end

--- The kinds of errors as a table in Markdown.
function M.kinds_table()
  local lines = { "| kind | means |", "|---|---|" }
  for _, kind in ipairs(core.error_kinds()) do
    lines[#lines + 1] = ("| `%s` | %s |"):format(kind.name, kind.meaning)
  end
  return table.concat(lines, "\n") .. "\n"
end

--- The kinds of errors as the alias f5.error.kind.
function M.kinds_alias()
  local lines = { "---@alias f5.error.kind" }
  for _, kind in ipairs(core.error_kinds()) do
    lines[#lines + 1] = ('---| "%s" # %s'):format(kind.name, kind.meaning)
  end
  return table.concat(lines, "\n") .. "\n"
end

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

local function write(path, text)
  local file <close> = assert(io.open(path, "wb"))
  assert(file:write(text))
end

-- What stands between two lines of a file is made from error_kinds.h.
local GENERATED <const> = {
  {
    path = "lualib/meta/f5.lua",
    first = "-- The kinds of errors: scripts/api-docs writes this from "
      .. "runtime/f5/report/error_kinds.h.\n",
    last = "-- End of the kinds of errors.\n",
    make = M.kinds_alias,
  },
  {
    path = "docs/guide.md",
    first = "<!-- The kinds of errors: scripts/api-docs writes this table. -->\n",
    last = "<!-- End of the kinds of errors. -->\n",
    make = M.kinds_table,
  },
}

--- The files with a generated part: array of { path, text = what the file should contain }.
function M.generated()
  local files = {}
  for i, part in ipairs(GENERATED) do
    local text = read(part.path)
    local _, from = text:find(part.first, 1, true)
    local to = from and text:find(part.last, from, true)
    if not to then error(part.path .. ": the lines around the kinds of errors are missing", 0) end
    files[i] = { path = part.path, text = text:sub(1, from) .. part.make() .. text:sub(to) }
  end
  return files
end

-- -- what is missing --

local function check_items(problems, where, what, items)
  for _, item in ipairs(items) do
    local name = ("%s: %s %s"):format(where, what, item.name or item.type)
    if item.doc == "" then problems[#problems + 1] = name .. " has no description" end
    if item.type:find "^{" then
      problems[#problems + 1] = name .. " is a table without a class: describe its fields"
    end
  end
end

local function check_kinds(problems, where, raises, known)
  for kind in raises:gmatch '"([%w_]+)"' do
    if not known[kind] then
      problems[#problems + 1] = ('%s: "%s" is not a kind of error'):format(where, kind)
    end
  end
end

local function check_source(problems, where, source)
  local page, section = source:match '^docs/(%S+%.md),? ?"?([^"]*)"?$'
  if not page then
    if not source:find "^REST API User Guide 14%.1, \".+\"$" and not source:find "https://%S+" then
      problems[#problems + 1] = where .. ": *Source* is neither a section, a page nor a URL"
    end
    return
  end
  local exists, text = pcall(read, "docs/" .. page)
  if not exists then
    problems[#problems + 1] = ("%s: there is no docs/%s"):format(where, page)
    return
  end
  text = "\n" .. text
  if section ~= "" and not text:find("\n#+ " .. section:gsub("%p", "%%%0") .. "\n") then
    problems[#problems + 1] = ("%s: docs/%s has no section '%s'"):format(where, page, section)
  end
end

local function check_function(problems, fn, known)
  local where = annotations.signature(fn)
  if not annotations.summary(fn) then problems[#problems + 1] = where .. ": no description" end
  check_items(problems, where, "parameter", fn.params)
  check_items(problems, where, "result", fn.returns)
  if fn.raises then
    check_kinds(problems, where, fn.raises, known)
  else
    problems[#problems + 1] = where .. ": no line *Raises*"
  end
  if fn.source then
    check_source(problems, where, fn.source)
  else
    problems[#problems + 1] = where .. ": no line *Source*"
  end
end

--- What the annotations lack: array of messages.
-- @param paths array of the files of lualib/meta
function M.problems(paths)
  local problems, known, listed = {}, { failed = true }, {}
  for _, kind in ipairs(core.error_kinds()) do known[kind.name] = true end
  for _, name in ipairs(annotations.MODULES) do
    listed[("lualib/meta/%s.lua"):format(name:gsub("%.", "/"))] = true
  end
  for _, path in ipairs(paths) do
    if not listed[path] then
      problems[#problems + 1] = path .. " is not in the list of lualib/console/annotations.lua"
    end
  end
  for _, name in ipairs(annotations.classes()) do
    local class = annotations.class(name)
    if not annotations.summary(class) then
      problems[#problems + 1] = name .. ": no description"
    end
    check_items(problems, name, "field", class.fields)
    for _, fn in ipairs(class.functions) do check_function(problems, fn, known) end
  end
  return problems
end

--- scripts/api-docs: writes the files, or checks them.
-- @param check boolean: write nothing
-- @return boolean: whether all is well; problems are printed to standard error
function M.main(check)
  local files, problems = M.generated(), M.problems(f5.files("lualib/meta", "**/*.lua"))
  files[#files + 1] = { path = "docs/api.md", text = M.page() }
  for _, file in ipairs(files) do
    if not check then
      write(file.path, file.text)
    elseif read(file.path) ~= file.text then
      problems[#problems + 1] = file.path .. " is out of date: build, and run scripts/api-docs"
    end
  end
  for _, problem in ipairs(problems) do terminal.err(problem, "\n") end
  return #problems == 0
end

return M
