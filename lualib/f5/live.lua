-- f5.live(): a progress line.

local core = require "f5.core"
local receiver = require "f5.receiver"
local terminal = require "f5.terminal"

local has_host, host = pcall(require, "f5.host") -- not in a stock lua

local Live <const> = {}
Live.__index = Live
Live.__name = "f5.live"

-- A line that wraps cannot be replaced.
local function fitted(text)
  local line = terminal.line((text:gsub("%c", " ")))
  local width = host.columns() - 1
  local cut = utf8.len(line) and utf8.offset(line, width + 1) or width + 1
  return cut and line:sub(1, cut - 1) or line
end

function Live:__call(text)
  if type(text) ~= "string" then
    core.usage_error(("f5.live: expected a string, got a %s"):format(type(text)))
  end
  if text == self.text then return end
  self.text = text
  if self.quiet and not self.terminal then return end
  if self.terminal then terminal.redraw(fitted(text)) else terminal.err(text, "\n") end
end

--- Ends the line, so that later output starts below it.
function Live:close()
  if self.terminal and self.text then terminal.err "\n" end
  self.text = nil
end

receiver.guard(Live, "a progress line")
Live.__close = Live.close

return function(options)
  if options ~= nil and type(options) ~= "table" then
    core.usage_error(("f5.live: expected a table of options, got a %s"):format(type(options)))
  end
  local is_terminal = has_host and host.is_terminal(2) and os.getenv "TERM" ~= "dumb"
  return setmetatable({ terminal = is_terminal, quiet = options and options.quiet }, Live)
end
