-- f5lua tokens: lists and deletes the tokens of a user.
local ask = require "cli.support.verbs.ask"
local frame = require "cli.support.verbs.frame"
local terminal = require "f5.terminal"
local time = require "cli.support.verbs.time"
local tokens = require "cli.support.verbs.tokens"
local usage = require "cli.support.usage"

local M = { summary = "list one's tokens, and delete stale ones", logs = true }

local PROGRAM <const> = "f5lua tokens"
local STALE <const> = 300 -- s

function M.setup(parser)
  parser
    :argument("action", "list (default) or clear")
    :args("?")
    :choices { "list", "clear" }
  parser:option("--of", "the tokens of this user, for an administrator"):argname "USER"
  parser
    :option("--older-than", "with clear: only tokens of this age, such as 90m (default 5m)")
    :argname("TIME")
    :convert(time.span "--older-than")
  parser:flag("--basic", "log in without a token, for administrators with too many tokens")
  parser:flag("-y --yes", "with clear: do not ask")
  frame.add_options(parser, { text = true, condition = "age > 3600" })
  parser:epilog(
    "A device accepts 100 tokens of a user at a time. f5lua deletes its own token when it ends.\n"
      .. "One that was left behind expires after 20 minutes, unless it was extended. clear never\n"
      .. "deletes the token that it uses itself. Another program may still use an older one: its\n"
      .. "next call fails then. With 100 tokens, administrators can log in with --basic."
  )
end

local COLUMNS <const> = { "name", "user", "address", "age", "left", "own" }
local NAMES <const> = { "name", "user", "address", "age", "left", "own", "provider", "started" }

local function shown(row)
  local cell = {}
  for key, value in pairs(row) do cell[key] = value end
  cell.age = row.age and time.short(row.age)
  cell.left = row.left and time.short(row.left)
  cell.own = row.own and "this run" or ""
  return cell
end

local function list(bip, options)
  return tokens.list(bip, options.of or bip:username())
end

-- The old tokens that this run does not use.
local function stale(rows, options)
  local found = {}
  for i, row in ipairs(rows) do
    if not row.own and (row.age or 0) >= (options.older_than or STALE) then
      found[#found + 1] = i
    end
  end
  return found
end

local function show(row)
  local where <const> = row.address and " from " .. row.address or ""
  terminal.err(("  %s  %s old%s\n"):format(
    terminal.line(row.name), row.age and time.short(row.age) or "?", terminal.line(where)
  ))
end

local function clear(bip, options)
  local rows, references = list(bip, options)
  local chosen <const>, deleted = stale(rows, options), {}
  if #chosen == 0 then return deleted end
  if not options.yes then
    for _, i in ipairs(chosen) do show(rows[i]) end
    if not ask(("Delete %s?"):format(frame.count(#chosen, "token")), PROGRAM) then
      terminal.err "nothing was deleted\n"
      return deleted
    end
  end
  for _, i in ipairs(chosen) do
    if tokens.delete(references[i]) then deleted[#deleted + 1] = rows[i] end
  end
  return deleted
end

local function text(row)
  return ("deleted %s, %s old\n"):format(row.name, row.age and time.short(row.age) or "?")
end

local function check_words(options)
  local action <const> = options.action or "list"
  if action == "list" then
    for _, name in ipairs { "older_than", "yes" } do
      if options[name] then
        usage(("--%s needs clear"):format((name:gsub("_", "-"))), PROGRAM)
      end
    end
  elseif options.inventory and not options.yes then
    usage("clear on an inventory needs --yes", PROGRAM)
  end
  return action == "clear" and clear or list, action == "clear"
end

function M.run(options)
  local work, clears = check_words(options)
  return frame.run(options, {
    program = PROGRAM,
    style = {
      columns = COLUMNS, shown = shown, text = clears and text or nil,
      names = not clears and NAMES or nil,
      empty = clears and "no stale tokens" or "no tokens",
    },
    connect = options.basic and { auth = "basic" } or nil,
    work = function(bip) return (work(bip, options)) end,
    result = function(rows) return #rows end,
  })
end

return M
