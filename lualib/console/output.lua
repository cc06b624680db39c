--- Output to the terminal: it does not disturb the line that is being edited, and long texts go
-- through a pager.

local host = require "f5.host"
local show = require "f5.table.show"
local terminal = require "f5.terminal"
local values = require "f5.table"

local Output = {}
Output.__index = Output

--- @param editor userdata|nil: nil when there is no terminal
function Output.new(editor)
  local colour = editor ~= nil and (os.getenv "NO_COLOR" or "") == "" and os.getenv "TERM" ~= "dumb"
  return setmetatable(
    { editor = editor, colour = colour, paint = show.painter(colour), partial = false },
    Output
  )
end

--- From now on, all output of Lua code removes the edited line first and restores it below.
function Output:install()
  if not self.editor then return end
  local methods = getmetatable(io.stdout).__index
  local write = methods.write
  local function announce(file, last)
    if file ~= io.stdout and file ~= io.stderr then return end
    self.partial = last:sub(-1) ~= "\n"
    self.editor:hide(self.partial)
  end
  function methods.write(file, ...)
    for i = select("#", ...), 1, -1 do
      local text = tostring((select(i, ...)))
      if text ~= "" then
        announce(file, text)
        break
      end
    end
    local result, message, code = write(file, ...)
    if file == io.stdout then file:flush() end
    return result, message, code
  end
  function io.write(...) return io.output():write(...) end
  function print(...) io.stdout:write(values.line(...), "\n") end
end

--- Returns the number of usable columns.
function Output:columns()
  return self.editor and host.columns() or tonumber(os.getenv "COLUMNS") or 80
end

local function line_count(text)
  local _, breaks = text:gsub("\n", "")
  return breaks + 1
end

--- Writes a text, through $PAGER if it is longer than the terminal.
function Output:text(text)
  local pager = os.getenv "PAGER"
  if self.editor and pager and pager ~= "" and line_count(text) > host.rows() - 2 then
    io.stdout:flush()
    local pipe = io.popen(pager, "w")
    if pipe then
      terminal.to(pipe, text, "\n")
      pipe:close()
      return
    end
  end
  terminal.out(text, "\n")
end

function Output:note(text) terminal.out(self.paint("dim", text), "\n") end

function Output:problem(text) terminal.out(self.paint("bad", text), "\n") end

--- Ends a line that a program has left open.
function Output:fresh_line()
  if self.partial then terminal.out "\n" end
end

return Output
