-- Files that f5lua replaces without a question: only those that it has written itself.

local core = require "f5.core"

local M = {}

local NO_SUCH_FILE <const> = 2 -- ENOENT

--- Returns why a file may not, or cannot, be written: something else has its name, or there is no
-- such directory. nil: it can.
-- @param path string
-- @param what string: "report of a run"
-- @param is_own function(text): whether that is the text of such a file
-- @param read number|nil: bytes that is_own needs; default: all
function M.refusal(path, what, is_own, read)
  local probe <close>, reason = core.new_file(path) -- first: a pipe cannot be opened at once
  if not probe then return reason end
  local file <close>, why, code = io.open(path, "rb")
  if not file then
    if not core.name_is_taken(path) then return nil end
    return code == NO_SUCH_FILE and path .. " is a link that leads nowhere" or why
  end
  local text <const> = file:read(read or "a")
  if not text or text == "" or is_own(text) then return nil end
  return ("%s exists and is no %s; use another name"):format(path, what)
end

return M
