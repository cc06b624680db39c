-- docs/api.md from the annotations: scripts/api-docs calls it.
local annotations = require "console.annotations"

local M = {}

local HEAD <const> = [[
# The f5 module

Made from `lualib/meta/f5.lua` by `scripts/api-docs`: change it there. The same text is what editors with the Lua language server show
(point `Lua.workspace.library` at that directory) and what `.help` in the console says. A `?` behind a name: it may be left out.
]]

local function escape(text) return (text:gsub("|", "\\|")) end

-- Lines indented by four spaces stay code.
local function add_doc(lines, doc)
  for _, line in ipairs(doc) do lines[#lines + 1] = line end
end

local function add_table(lines, title, fields)
  if #fields == 0 then return end
  lines[#lines + 1] = ""
  lines[#lines + 1] = ("| %s | type | |"):format(title)
  lines[#lines + 1] = "|---|---|---|"
  for _, field in ipairs(fields) do
    lines[#lines + 1] = ("| `%s%s` | `%s` | %s |"):format(
      field.name, field.optional and "?" or "", escape(field.type), escape(field.doc)
    )
  end
end

local function add_function(lines, fn)
  lines[#lines + 1] = ""
  lines[#lines + 1] = "### `" .. annotations.signature(fn) .. "`"
  lines[#lines + 1] = ""
  add_doc(lines, fn.doc)
  add_table(lines, "parameter", fn.params)
  if #fn.returns > 0 then
    lines[#lines + 1] = ""
    local returns = {}
    for i, value in ipairs(fn.returns) do
      returns[i] = ("`%s`%s"):format(value.type, value.doc ~= "" and " " .. value.doc or "")
    end
    lines[#lines + 1] = "Returns " .. table.concat(returns, ", ") .. "."
  end
end

--- The whole page.
function M.page()
  local lines = { HEAD }
  for _, name in ipairs(annotations.classes()) do
    lines[#lines + 1] = ("- [`%s`](#%s)"):format(name, name:gsub("%.", ""))
  end
  for _, name in ipairs(annotations.classes()) do
    local class = annotations.class(name)
    lines[#lines + 1] = ""
    lines[#lines + 1] = "## " .. name
    lines[#lines + 1] = ""
    add_doc(lines, class.doc)
    if class.overload then
      if #class.doc > 0 then lines[#lines + 1] = "" end
      lines[#lines + 1] = "It can be called: `" .. class.overload .. "`."
    end
    add_table(lines, "field", class.fields)
    for _, fn in ipairs(class.functions) do add_function(lines, fn) end
  end
  return (table.concat(lines, "\n"):gsub("\n\n\n+", "\n\n")) .. "\n"
end

return M
