-- A device or a file on the command line: HOST[:PORT], profile:NAME, a name of --inventory, or a
-- path.

local core = require "f5.core"
local device = require "cli.support.device"
local host = require "f5.host"
local profiles = require "f5.trust.profiles"
local read = require "f5.state.read"
local terminal = require "f5.terminal"
local usage = require "cli.support.usage"

local M = {}

local SHOWN_EVERY <const> = 0.2 -- seconds

--- Adds the options of devices, and --inventory.
function M.add_options(parser)
  device.add_options(parser)
  parser
    :option("--inventory", "devices by name, with their users: FILE.lua, FILE.json or a program")
    :argname "FILE"
end

--- Whether a word is a file: it contains "/", or ends in .json, .conf or .scf.
function M.is_file(word)
  if word:find "^https?://" or profiles.of_word(word) then return false end
  return word:find "/" ~= nil
    or word:find "%.json$" ~= nil or word:find "%.conf$" ~= nil or word:find "%.scf$" ~= nil
end

--- The inventory of --inventory; nil without it.
function M.inventory(options)
  return options.inventory and require("f5.inventory").read(options.inventory) or nil
end

-- The device with exactly this name, in an inventory.
local function find(inventory, name)
  for _, one in ipairs(inventory and inventory.devices or {}) do
    if one.name == name then return one end
  end
  return nil
end

M.find = find

--- The options of f5.connect for a device.
-- @param word string|nil: HOST[:PORT], profile:NAME or a name of the inventory; nil: F5_SERVER
-- @param options table: of the command line
-- @param inventory table|nil
-- @param secrets table: outputs of password commands, kept between calls
-- @param program string|nil: for messages
function M.options(word, options, inventory, secrets, program)
  local known = word and find(inventory, word)
  local given = device.options(options, not known and word, program)
  if known then
    local own = require "f5.fleet.credentials"(known, secrets)
    for name, value in pairs(own) do given[name] = value end
    given.label = given.label or known.name
  end
  return given
end

--- Logs in. Without a device it is wrong usage.
function M.connect(word, options, inventory, program, secrets)
  if not word and not device.is_known(options) then
    usage("no device given; name one, or set F5_SERVER", program)
  end
  return core.connect(M.options(word, options, inventory, secrets or {}, program))
end

--- The paths of words of the command line: "ltm/pool" -> "/mgmt/tm/ltm/pool". Without words nil.
function M.paths(words, program)
  local paths = {}
  for i, word in ipairs(words) do
    local path, reason = read.path(word)
    paths[i] = path or usage(("'%s': %s"):format(word, reason), program)
  end
  return #paths > 0 and paths or nil
end

--- Returns the option `progress` of a snapshot that shows a line of f5.live, a few times a second.
function M.progress(line)
  local last = 0
  return function(objects, path)
    local now = core.now()
    if now - last < SHOWN_EVERY then return end
    last = now
    line(("%d objects  %s"):format(objects, (tostring(path or ""):gsub("^/mgmt/tm/", ""))))
  end
end

local WRONG_USAGE <const> = 2 -- exit status

-- An error object as it is; the others with a traceback.
local function handler(err)
  return type(err) == "table" and err or debug.traceback(tostring(err), 2)
end

--- Calls a function whose failure has an exit status of its own. Reports a failure; wrong usage of
--- the command line and an interruption are raised.
-- @return what the function returns; nil: it failed
function M.attempt(fn, ...)
  local ok, result = xpcall(fn, handler, ...)
  if ok then return result end
  local is_table = type(result) == "table"
  if is_table and (result.usage or result.kind == "cancelled") then error(result, 0) end
  if is_table and getmetatable(result) ~= nil and result.kind then
    local text, status = require "cli.support.report"(result, {}, host.is_terminal(2), false)
    if result.kind == "usage" and status == WRONG_USAGE then error(result, 0) end
    terminal.err(text)
  else
    terminal.err("f5lua: ", terminal.text(tostring(result)), "\n")
  end
  return nil
end

return M
