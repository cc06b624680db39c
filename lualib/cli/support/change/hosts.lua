-- The devices that a file names, such as a plan: somebody else may have written it. The user's
-- password is sent only to a device that the user has named, too.
local host = require "f5.host"
local terminal = require "f5.terminal"
local usage = require "cli.support.usage"

local M = {}

local DEFAULT_PORT <const> = 443

local function variable(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

--- F5_SERVER; nil: it is not set.
function M.server() return variable "F5_SERVER" end

--- Whether the command line or F5LUA_PROFILE say which device is meant.
function M.is_given(options)
  return (options.host or options.profile or variable "F5LUA_PROFILE") ~= nil
end

-- "HOST:PORT" in lower case.
local function address(name, port)
  name = name:lower():gsub("^https://", ""):gsub("/+$", "")
  local front, digits = name:match "^(.*[^:]):(%d+)$"
  if front and (front:find "%]$" or not front:find ":") then name, port = front, digits end
  return ("%s:%s"):format(name:gsub("^%[(.*)%]$", "%1"), port or DEFAULT_PORT)
end

--- Makes sure that the user wants to log in where a file says. On a terminal it asks; else wrong
-- usage ends the program.
-- @param options table: of the command line
-- @param devices array of { host, port, label }
-- @param words table: what (why the file alone does not count), who ("the plan"), otherwise (what
--   else the user can do), program
function M.check(options, devices, words)
  if M.is_given(options) then return end
  local server = M.server()
  local named = server and address(server, variable "F5_SERVER_PORT")
  local list, known = {}, {}
  for _, device in ipairs(devices) do
    local one = device.host and address(device.host, device.port)
    if one and one ~= named and not known[one] then
      known[one] = true
      list[#list + 1] = terminal.line(one)
    end
  end
  if #list == 0 then return end
  local shown = table.concat(list, ", ")
  if not host.is_terminal(0) then
    usage(("%s, and only %s names %s: nothing was sent there; name it too, with --host, F5_SERVER, "
      .. "-p PROFILE or --inventory, %s"):format(words.what, words.who, shown, words.otherwise),
      words.program)
  end
  terminal.err(("%s, and only %s names %s\nsend the user's password there? (y/N) "):format(
    words.what, words.who, shown))
  local answer = io.read "l"
  if not answer or not answer:lower():find "^y" then error("nothing was sent", 0) end
end

return M
