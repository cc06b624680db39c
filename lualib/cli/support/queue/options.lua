-- What the subcommands of a queue share.
local contents = require "cli.support.contents"
local usage = require "cli.support.usage"

local M = {}

--- Adds the options that name the queue.
function M.add(parser)
  parser
    :option("--queue", "the database: a URL, or parameters of libpq (default: F5LUA_QUEUE)")
    :argname "URL"
  parser
    :option("--schema", "the schema of the queue (default: F5LUA_QUEUE_SCHEMA, or f5lua)")
    :argname "NAME"
end

--- A list of tags, separated by commas.
function M.tags(text, program)
  local tags = {}
  for tag in ((text or "") .. ","):gmatch "%s*([^,]-)%s*," do
    if tag ~= "" and not tag:find "^[%w][%w_.:-]*$" then
      usage(("invalid tag '%s' of --tags: letters, digits, '_', '.', ':' and '-'"):format(tag),
        program)
    end
    if tag ~= "" then tags[#tags + 1] = tag end
  end
  if text and not tags[1] then usage("--tags names no tag", program) end
  return tags
end

-- The SQLSTATE of "permission denied".
local DENIED <const> = "42501"

--- Calls fn(...). What is wrong in the command line is wrong usage.
function M.guarded(program, fn, ...)
  local results = table.pack(pcall(fn, ...))
  if results[1] then return table.unpack(results, 2, results.n) end
  local err = results[2]
  if type(err) == "table" and err.kind == "usage" then usage(err.message, program) end
  if type(err) == "table" and err.kind == "database" and err.sqlstate == DENIED then
    err.message = err.message .. "; 'f5lua queue grants' says which role may do what"
  end
  error(err, 0)
end

--- The name of this machine.
function M.this_machine()
  local name = contents "/proc/sys/kernel/hostname"
  return name and name:match "^%S+" or "unknown"
end

return M
