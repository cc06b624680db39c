--- The history: $XDG_STATE_HOME/f5lua/history. Only the owner can read the file.
--
-- One line of the file is one entry; its line breaks are written as \n. Entries that start with a
-- space, or contain a secret, are not kept.

local core = require "f5.core"
local host = require "f5.host"

local History = {}

local KEPT <const> = 1000

local function default_path()
  local state = os.getenv "XDG_STATE_HOME"
  if not state or state:sub(1, 1) ~= "/" then
    local home = os.getenv "HOME"
    if not home or home == "" then return nil end
    state = home .. "/.local/state"
  end
  return state .. "/f5lua/history"
end

local function encode(entry) return (entry:gsub("\\", "\\\\"):gsub("\n", "\\n")) end

local function decode(line)
  return (line:gsub("\\(.)", function(c) return c == "n" and "\n" or c end))
end

--- Whether an entry contains a secret: one in use, or a value for a name of a secret.
function History.holds_secret(entry)
  for name in entry:gmatch "([%w_]+)[\"'%]%s]*[=:]" do
    if core.is_secret_name(name) then return true end
  end
  return core.mask(entry) ~= entry
end

--- Whether an entry may be kept.
function History.is_kept(entry)
  return entry:find "^%S" ~= nil and not History.holds_secret(entry)
end

--- Reads the history and shortens a file that is too long.
-- @return array of entries, oldest first
function History.load()
  local path = default_path()
  local file = path and io.open(path, "r")
  if not file then return {} end
  local lines = {}
  for line in file:lines() do lines[#lines + 1] = line end
  file:close()
  local first = math.max(1, #lines - KEPT + 1)
  local entries = {}
  for i = first, #lines do entries[#entries + 1] = decode(lines[i]) end
  if #lines > 2 * KEPT then
    host.write_private(path, table.concat(lines, "\n", first) .. "\n")
  end
  return entries
end

--- Appends an entry to the file. Failures are ignored: the user can go on.
function History.keep(entry)
  local path = default_path()
  if path then host.append_private(path, encode(entry) .. "\n") end
end

return History
