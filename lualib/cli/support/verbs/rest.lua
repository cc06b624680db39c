-- REST from the shell over an inventory: `f5lua ensure ltm/pool web monitor=/Common/http
-- --inventory sites.lua`.

local flat_entries = require "f5.table.entries"
local frame = require "cli.support.verbs.frame"
local json = require "f5.json"
local secrets = require "f5.safe.secrets"
local selection = require "cli.support.selection"
local usage = require "cli.support.usage"
local writing = require "cli.support.rows.write"

local M = {}

-- A copy for one device: a verb completes the body that it is given.
local function copied(value)
  if type(value) ~= "table" then return value end
  local out = json.is_array(value) and json.array {} or {}
  for key, item in pairs(value) do out[key] = copied(item) end
  return out
end

local FLAT <const> = { table = true, wide = true, csv = true }

-- What a verb returns, as rows. In tables nested entries are plain values.
local function rows_of(value, options)
  if value == nil then return {} end
  if type(value) ~= "table" then return { { value = value } } end
  local list = json.is_array(value) and value or json.is_array(value.items) and value.items
  if not list then
    return FLAT[writing.format_of(options)] and flat_entries(value) or { value }
  end
  local rows = {}
  for i, item in ipairs(list) do rows[i] = type(item) == "table" and item or { value = item } end
  return rows
end

-- Nobody can be asked on each of many devices.
local function check_destructive(options, parsed, program)
  if options.yes then return end
  local words <const> = parsed.in_order
  local name <const> = words[#words]
  local is_name <const> = #words % 2 == 1
  local is_one <const> = is_name and (options.exact or not selection.has_wildcard(name))
  if is_one and not options.pattern then return end
  usage("on several objects of many devices it needs --yes: nobody is asked", program)
end

--- Runs a verb of cli.support.rest on each device.
-- @param what table: verb (function), name, program, parsed (words), path, writes, destructive
-- @return exit status
function M.run(options, what)
  if options.check then options.yes = true end -- there is nothing to ask
  if what.destructive then check_destructive(options, what.parsed, what.program) end
  local style = { first = writing.FIRST, empty = "nothing" }
  return frame.run(options, {
    program = what.program,
    writes = what.writes,
    style = style,
    identity = { what.name, options.path, table.unpack(secrets.arguments(options.words)) },
    work = function(bip)
      local value, view = what.verb(bip, what.path, copied(what.parsed), options)
      if view then
        style.columns, style.kind = view.columns, view.kind
        style.is_selected = view.columns ~= nil
      end
      return rows_of(value, options)
    end,
    result = function(rows)
      if #rows == 1 then return rows[1].result end
      return #rows > 0 and #rows or nil
    end,
  })
end

return M
