--- `.help`: help about the console, a function, or objects of a device.

local annotations = require "console.annotations"
local catalogue = require "sim.config.catalogue"
local value = require "f5.table.value"

local Help = {}

local INTRO <const> = {
  {
    "",
    "Type Lua. An expression prints its value, an unfinished entry continues on the next line, "
      .. "`local` variables stay.",
  },
  { "f5", "the module: f5.all, f5.spawn, f5.sleep, f5.try …" },
  { "bip", 'the device: bip.ltm.pool:list(), bip.ltm.pool["/Common/web"]:load()' },
  { "_ _1 _2 …", "the last results, the newest first" },
  {
    "Tab",
    "completes names of the device, too; Ctrl-C cancels the entry; Ctrl-D ends the console",
  },
}

-- Lines of at most `width` columns, broken at spaces.
local function wrap(text, width)
  local lines, line = {}, ""
  for word in text:gmatch "%S+" do
    if line ~= "" and value.width(line) + 1 + value.width(word) > width then
      lines[#lines + 1], line = line, word
    else
      line = line == "" and word or line .. " " .. word
    end
  end
  lines[#lines + 1] = line
  return lines
end

-- A head, and its text from column `indent` on; below the head if the terminal is narrow.
local function add_entry(lines, head, painted, text, indent, columns)
  local beside = columns - indent >= 30
  local room = wrap(text, math.max(20, beside and columns - indent or columns - 4))
  if beside and value.width(head) < indent then
    lines[#lines + 1] = painted .. (" "):rep(indent - value.width(head)) .. room[1]
  else
    lines[#lines + 1] = painted
    lines[#lines + 1] = (" "):rep(beside and indent or 4) .. room[1]
  end
  for i = 2, #room do lines[#lines + 1] = (" "):rep(beside and indent or 4) .. room[i] end
end

local function overview(console)
  local lines, paint, columns = {}, console.output.paint, console.output:columns()
  for _, entry in ipairs(INTRO) do
    if entry[1] == "" then
      table.move(wrap(entry[2], columns), 1, 99, #lines + 1, lines)
    else
      add_entry(lines, "  " .. entry[1], "  " .. entry[1], entry[2], 16, columns)
    end
  end
  lines[#lines + 1] = ""
  for _, command in ipairs(require("console.commands").list) do
    local head = "." .. command.name .. " " .. command.usage
    add_entry(lines, "  " .. head, "  " .. paint("key", head), command.summary, 34, columns)
  end
  console.output:text(table.concat(lines, "\n"))
end

-- "name: type  description"; the description may be empty.
local function described(head, of, doc)
  return head .. of .. (doc ~= "" and "  " .. doc or "")
end

local function add_fields(lines, fields, paint)
  for _, field in ipairs(fields) do
    lines[#lines + 1] =
      described("    " .. paint("key", field.name) .. " ", paint("dim", field.type), field.doc)
  end
end

local function add_wrapped(lines, head, text, columns)
  local room = wrap(text, math.max(20, columns - #head))
  for i, line in ipairs(room) do
    lines[#lines + 1] = (i == 1 and head or (" "):rep(#head)) .. line
  end
end

local function function_text(fn, output)
  local paint, columns = output.paint, output:columns()
  local lines = { paint("head", annotations.signature(fn)) }
  for _, line in ipairs(fn.doc) do lines[#lines + 1] = line == "" and "" or "  " .. line end
  for _, param in ipairs(fn.params) do
    lines[#lines + 1] =
      described("  " .. paint("key", param.name) .. ": ", param.type, param.doc)
    add_fields(lines, annotations.fields(param.type), paint)
  end
  for _, given in ipairs(fn.returns) do
    lines[#lines + 1] = described("  -> ", given.type, given.doc)
  end
  if fn.raises then add_wrapped(lines, "  Raises: ", fn.raises, columns) end
  if fn.source then add_wrapped(lines, "  Source: ", fn.source, columns) end
  return table.concat(lines, "\n")
end

-- Functions with this name, with or without their class: "list", "reference:list", "f5.connect".
local function functions_named(word)
  local owner, name = word:match "^([%w_]+)[.:]([%w_]+)$"
  name = name or word
  local found = {}
  for _, class_name in ipairs(annotations.classes()) do
    local class = annotations.class(class_name)
    if not owner or class_name:match "[%w_]+$" == owner then
      local fn = class.functions[name]
      if fn then found[#found + 1] = fn end
    end
  end
  return found
end

-- The values of a field whose type is a list of words with meanings: the kinds of errors.
local function add_choices(lines, field, paint)
  for _, choice in ipairs(annotations.alias(field.type) or {}) do
    lines[#lines + 1] = ("    %s  %s"):format(paint("dim", choice.name), choice.doc)
  end
end

local function class_text(class, paint)
  local lines = { paint("head", class.name) }
  for _, line in ipairs(class.doc) do lines[#lines + 1] = "  " .. line end
  for _, fn in ipairs(class.functions) do
    lines[#lines + 1] = ("  %s  %s"):format(
      paint("key", annotations.signature(fn)),
      annotations.summary(fn) or ""
    )
  end
  for _, field in ipairs(class.fields) do
    lines[#lines + 1] = ("  %s %s  %s"):format(
      paint("key", field.name),
      paint("dim", field.type),
      field.doc
    )
    add_choices(lines, field, paint)
  end
  return table.concat(lines, "\n")
end

-- Paths of the catalogue that end with the word: "pool" -> ltm/pool, gtm/pool …
local function paths_named(word)
  local found = {}
  for _, module in ipairs(catalogue.modules()) do
    for _, template in ipairs(catalogue.templates(module)) do
      if template:match "([^/]+)$" == word or template == word then found[#found + 1] = template end
    end
  end
  return found
end

local function as_lua(template)
  local parts = { "bip" }
  for segment in template:gmatch "[^/]+" do
    if segment == "*" then
      parts[#parts + 1] = '["/Common/NAME"]'
    elseif segment:find "^[%a_][%w_]*$" then
      parts[#parts + 1] = "." .. segment
    else
      parts[#parts + 1] = ("[%q]"):format(segment)
    end
  end
  return table.concat(parts)
end

local function cell(item)
  local kind = type(item)
  return (kind == "string" or kind == "number" or kind == "boolean") and tostring(item) or ""
end

-- The device's description of a property; otherwise its choices and default.
local function property_text(property)
  local parts = { property.doc or (property.is_collection and "A collection of its own." or nil) }
  if not property.doc and property.choices then
    parts[#parts + 1] = "one of " .. table.concat(property.choices, ", ")
  end
  local default = cell(property.default)
  if not property.doc and default ~= "" then parts[#parts + 1] = "default " .. default end
  return table.concat(parts, "; ")
end

-- Prints the device's description of a path.
local function about_path(console, reference)
  local device, path = console.device, tostring(reference)
  local paint = console.output.paint
  local kind = device.schema.kind(path)
  local lines = { paint("head", path) .. (kind and paint("dim", "  " .. kind) or "") }
  if kind == "organizing" then
    for _, line in
      ipairs(
        wrap(table.concat(device.schema:read_children(path), " "), console.output:columns() - 2)
      )
    do
      lines[#lines + 1] = "  " .. line
    end
  else
    local collection = kind == "resource" and path:match "^(.*)/[^/]+$" or path
    local properties = device.schema:read_properties(collection)
    local width = 0
    for _, property in ipairs(properties) do width = math.max(width, #property.name) end
    for _, property in ipairs(properties) do
      local text = wrap(property_text(property), math.max(20, console.output:columns() - width - 4))
      lines[#lines + 1] = "  "
        .. paint("key", property.name) .. (" "):rep(width - #property.name + 2) .. text[1]
      for i = 2, #text do
        lines[#lines + 1] = (" "):rep(width + 4) .. text[i]
      end
    end
  end
  console.output:text(table.concat(lines, "\n"))
end

local function is_reference(thing)
  local metatable = debug.getmetatable(thing)
  return type(metatable) == "table" and rawget(metatable, "__name") == "f5.reference"
end

--- .help [WORD or EXPRESSION]
function Help.run(console, word)
  if word == "" then return overview(console) end
  local paint = console.output.paint
  local command = require("console.commands").find((word:gsub("^%.", "")))
  if command and word:sub(1, 1) == "." then
    return console.output:text(
      paint("head", "." .. command.name .. " " .. command.usage) .. "\n  " .. command.summary
    )
  end
  local chunk = word:find "[%.%[:(]" and load("return " .. word, "=(console)", "t", console.env)
  local ok, thing = pcall(chunk or function() end)
  if ok and is_reference(thing) then return about_path(console, thing) end
  local texts = {}
  for _, fn in ipairs(functions_named(word)) do
    texts[#texts + 1] = function_text(fn, console.output)
  end
  local class = annotations.class(word) or annotations.class("f5." .. word)
  if class then texts[#texts + 1] = class_text(class, paint) end
  local paths = paths_named(word)
  if #paths > 0 then
    local lines = { paint("head", "On a device") }
    for _, template in ipairs(paths) do lines[#lines + 1] = "  .help " .. as_lua(template) end
    texts[#texts + 1] = table.concat(lines, "\n")
  end
  if command then
    texts[#texts + 1] = "." .. command.name .. " " .. command.usage .. "\n  " .. command.summary
  end
  if #texts == 0 then
    return console.output:problem(("no help for '%s'"):format(word))
  end
  console.output:text(table.concat(texts, "\n\n"))
end

return Help
