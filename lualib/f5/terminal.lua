-- What f5lua itself prints. Text from outside (devices, inventories, files) may contain escape
-- sequences, line breaks and bidirectional controls; a terminal must not obey them. All output of
-- the program goes through this module: scripts/style checks that.
--
--   terminal.err("f5lua: ", terminal.line(name), " is not an object\n")

local core = require "f5.core"

local M = {}

--- A text with tabs and line breaks; all other controls become \xHH.
function M.text(text) return core.printable(text) end

--- A field of one line: line breaks become \n.
function M.line(text) return core.printable(text, "line") end

--- A text whose further lines begin with "  | ", so that they are not taken for other lines.
function M.indent(text) return core.printable(text, "indent") end

--- A JSON text: controls become \uHHHH, which programs read as the same characters.
function M.json(text) return core.printable(text, "json") end

local function write(file, ...)
  return file:write(core.printable(table.concat { ... }, "painted"))
end

--- Writes to standard output. Colours stay; a field must go through `line` first.
-- @return as of file:write
function M.out(...) return write(io.stdout, ...) end

--- Writes to standard error in the same way.
function M.err(...) return write(io.stderr, ...) end

--- Writes to another file, such as a pager.
M.to = write

--- Replaces the last line of standard error.
function M.redraw(text) return io.stderr:write("\r", M.line(text), "\27[K") end

--- Clears the last line of standard error.
function M.clear() return io.stderr:write "\r\27[K" end

return M
