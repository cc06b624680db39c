-- Options of subcommands that print rows: --select, --top, --where, --sort.

local number = require "cli.support.number"

local M = {}

--- --select and --top.
-- @param what string: "properties", "columns"
function M.add_select(parser, what)
  parser
    :option("--select", ("%s to return, separated by commas"):format(what or "properties"))
    :argname "NAME,…"
  parser:option("--top", "maximum number of items"):argname "N":convert(number.whole("--top"))
end

--- --where and --sort.
-- @param condition string|nil: an example
function M.add_rows(parser, condition)
  parser
    :option(
      "--where",
      ("only rows for which a Lua expression is true: '%s'"):format(condition or "ratio > 1")
    )
    :argname "EXPRESSION"
  parser
    :option("--sort", "the order of the rows; :desc reverses it: ratio:desc,name")
    :argname "COLUMN[:desc],…"
end

return M
