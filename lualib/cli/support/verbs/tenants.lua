-- Tenants of AS3 as objects: `f5lua delete /mgmt/shared/appsvcs/declare Blue`. To delete them is a
-- declaration: it is followed until it has ended, and each tenant has its own result.

local glob = require "f5.fleet.glob"
local kinds = require "f5.declare.kinds"
local results = require "f5.declare.results"
local terminal = require "f5.terminal"

local M = {}

local PATH <const> = "^/mgmt/shared/appsvcs/declare/?([^/?]*)$"

--- The tenants that a path and a name stand for.
-- @param options table: pattern, exact
-- @return table: names, or pattern (nil: all tenants); nil: the path is not that of tenants
function M.named(path, name, options)
  local in_path = path:match(PATH)
  if not in_path or name and in_path ~= "" then return nil end
  local words = name or in_path
  if words == "" then return {} end
  words = words:gsub("^/", "")
  if name and not options.exact and (options.pattern or name:find "[*?]") then
    return { pattern = glob(words) }
  end
  local names = {}
  for one in words:gmatch "[^,]+" do names[#names + 1] = one end
  return { names = names }
end

local function chosen(bip, named)
  if named.names then return named.names end
  local found = {}
  for _, name in ipairs(kinds.tenants(bip:declared() or {})) do
    if not named.pattern or name:find(named.pattern) then found[#found + 1] = name end
  end
  return found
end

--- Removes tenants, and waits for the end.
-- @param named table: of M.named
-- @param confirm function(names)|nil: asks about tenants that are not named; false: not these.
--   Without it, nothing is said about a tenant that is not there.
-- @return boolean: whether one was removed
function M.remove(bip, named, confirm)
  local names <const> = chosen(bip, named)
  if #names == 0 then
    terminal.err "f5lua: no object matches\n"
    return false
  end
  if not named.names and not confirm(names) then return false end
  local changed = false
  for _, one in ipairs(bip:undeclare(table.unpack(names))) do
    changed = changed or one.changed
    if confirm and not one.changed then terminal.err(("f5lua: %s\n"):format(results.line(one))) end
  end
  return changed
end

return M
