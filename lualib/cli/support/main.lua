-- Finds and runs subcommands. lualib/cli/GROUP/NAME.lua returns a table:
--   summary          one line for --help
--   setup(parser)    adds options and arguments to a parser of argparse
--   run(options)     runs it and returns the exit status (nil: 0)
--   ends_by_signal   true: SIGINT and SIGTERM are its usual end, with exit status 0
--   logs             true: it has the options -v and --log-format, which are handled here
--   records          false: it makes no calls, so it has no option --record; or a text: why it has
--                    it and refuses it; "own": it handles the option itself
--   instead          table|nil: option that people try, and that it does not have -> message
--   rest             true: words after the first plain argument come as options.rest; is_literal is
--                    true if -- stands before them

local host = require "f5.host"
local output = require "cli.support.output"
local usage = require "cli.support.usage"

local M = {}

-- The groups, in the order of --help. A group is a folder of lualib/cli.
local GROUPS <const> = {
  { folder = "run", title = "Playbooks and the console" },
  { folder = "rest", title = "Objects of a device" },
  { folder = "change", title = "Configurations and their differences" },
  { folder = "device", title = "Devices" },
  { folder = "pack", title = "Programs made of playbooks" },
  { folder = "queue", title = "Runs on PostgreSQL" },
}

-- name -> module, and the names of each group.
local modules, names

local function find_all()
  if modules then return end
  modules, names = {}, {}
  for _, module in ipairs(host.modules()) do
    local group, name = module:match "^cli%.(%w+)%.([%w_]+)$"
    if name and group ~= "support" then
      modules[name] = module
      names[group] = names[group] or {}
      table.insert(names[group], name)
    end
  end
end

--- The names of all subcommands, sorted.
function M.subcommands()
  find_all()
  local all = {}
  for name in pairs(modules) do all[#all + 1] = name end
  table.sort(all)
  return all
end

--- The subcommand with this name.
function M.load(name)
  find_all()
  return require(modules[name])
end

-- Edit distance of two words, for "did you mean".
local function distance(a, b)
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      diagonal, row[j] = row[j], math.min(row[j] + 1, row[j - 1] + 1, diagonal + cost)
    end
  end
  return row[#b]
end

local function nearest(word)
  local best, best_distance
  for _, name in ipairs(M.subcommands()) do
    local d = distance(word, name)
    if not best or d < best_distance then best, best_distance = name, d end
  end
  return best and best_distance <= math.max(1, #word // 3) and best or nil
end

local HEAD <const> = [[
f5lua: automation of F5 BIG-IP devices in Lua

Usage:
  f5lua [OPTION…] FILE [ARG…]         run a playbook
  f5lua [OPTION…] -e CHUNK [FILE…]    run a piece of Lua (may be repeated)
  f5lua [OPTION…] - [ARG…]            run standard input
  f5lua --inventory FILE … -e CHUNK   run it on many devices, see 'f5lua run --help'
  f5lua SUBCOMMAND …                  see below, and 'f5lua SUBCOMMAND --help'

Options:
  -e CHUNK               run CHUNK before FILE
  -v, -vv                log each call to standard error; -vv: with its bodies, secrets masked
  --log-format FORMAT    text (default) or json
  -h, --help             print this page
  --version              print the version

Subcommands:
]]

local TAIL <const> = [[

Environment: F5_SERVER F5_SERVER_PORT F5_USER F5_PASSWORD F5_VALIDATE_CERTS are the defaults of
f5.connect.
Exit status: 0 done, 1 the playbook failed, 2 wrong usage, 3 the device or the network failed,
130 interrupted (128 + the signal's number).
]]

function M.help()
  find_all()
  local lines = {}
  for _, group in ipairs(GROUPS) do
    lines[#lines + 1] = ("\n  %s\n"):format(group.title)
    for _, name in ipairs(names[group.folder] or {}) do
      lines[#lines + 1] = ("    %-20s %s\n"):format(name, M.load(name).summary)
    end
  end
  output(HEAD, table.concat(lines), TAIL)
  return 0
end

-- argparse accepts options everywhere. Options after the playbook's name belong to the playbook.
local function split(parser, words)
  local takes_value = {}
  for _, option in ipairs(parser._options) do
    for _, alias in ipairs(option._aliases) do takes_value[alias] = option._maxargs > 0 end
  end
  local i = 1
  while i <= #words do
    local word = words[i]
    if word == "--" then
      return table.move(words, 1, i - 1, 1, {}), table.move(words, i + 1, #words, 1, {}), true
    end
    if word == "-" or word:sub(1, 1) ~= "-" then break end
    i = i + (takes_value[word] and 2 or 1)
  end
  return table.move(words, 1, math.min(i - 1, #words), 1, {}), table.move(words, i, #words, 1, {})
end

--- Adds a subcommand's options to a parser of argparse.
function M.set_up(parser, command)
  command.setup(parser)
  if not command.logs then return end
  parser
    :flag("-v --verbose", "log each call to standard error; -vv: with its bodies, secrets masked")
    :count "0-2"
    :target "verbosity"
  parser:option("--log-format", "text or json"):argname "FORMAT":choices { "text", "json" }
  if command.records ~= false and command.records ~= "own" then
    parser
      :option("--record", "write each exchange with the devices to a HAR file, without secrets")
      :argname "FILE.har"
      :target "record_to"
  end
end

-- "-o FILE": an option or an argument as --help writes it.
local function shown(element, name)
  local argname = element._argname
  argname = type(argname) == "table" and argname[1] or argname
  if not name:find "^%-" then return argname and argname:match "^[^%s%[]+" or name:upper() end
  return argname and ("%s %s"):format(name, argname) or name
end

-- What a subcommand takes beside options: "HOST[:PORT]", "A B PATHS".
local function takes(parser)
  local words = {}
  for i, argument in ipairs(parser._arguments) do
    local argname = argument._argname
    argname = type(argname) == "table" and argname[1] or argname
    words[i] = argname or argument._name:upper()
  end
  return #words == 0 and "no word" or table.concat(words, " ")
end

-- What argparse says, in words that say what to give.
-- @param instead table|nil: see `instead` of a subcommand
local function in_words(parser, message, instead)
  local unknown = message:match "^unknown option '([^']+)'"
  if unknown and instead and instead[unknown] then return instead[unknown] end
  if unknown and unknown:find "^%-%d" then
    return ("'%s' stands where no number can be; a value is written --option=%s"):format(
      unknown, unknown
    )
  end
  if message == "too many arguments" then
    return ("too many words: beside options it takes %s"):format(takes(parser))
  end
  local what, name = message:match "^missing (%a+) '([^']+)'$"
  if what == "argument" then
    for _, argument in ipairs(parser._arguments) do
      if argument._name == name then
        return ("%s is missing: %s"):format(shown(argument, name), argument._description)
      end
    end
  end
  local twice = message:match "^option '([^']+)' must be used at most 1 time$"
  if twice then return ("%s is given twice; give it once"):format(twice) end
  local option = what == "option" and name
    or message:match "^option '([^']+)' requires an argument$"
  for _, element in ipairs(option and parser._options or {}) do
    for _, alias in ipairs(element._aliases) do
      if alias == option then
        local text <const> = what and "%s is missing: %s" or "the value is missing: %s, %s"
        return text:format(shown(element, option), element._description)
      end
    end
  end
  return message
end

-- Two devices, or two users, on one command line: nobody can know which is meant.
local ONCE <const> = {
  ["--host"] = true, ["--profile"] = true, ["--user"] = true, ["--inventory"] = true,
  ["--limit"] = true,
}

local function refuse_twice(parser)
  for _, option in ipairs(parser._options) do
    for _, alias in ipairs(option._aliases) do
      if ONCE[alias] and option._maxcount == 1 then option:overwrite(false) end
    end
  end
end

function M.subcommand(words)
  local name = table.remove(words, 1)
  local command = M.load(name)
  local program = "f5lua " .. name
  local parser = require "argparse"(program, command.summary)
  parser.error = function(_, message) usage(in_words(parser, message, command.instead), program) end
  M.set_up(parser, command)
  refuse_twice(parser)
  local rest, is_literal
  if command.rest then words, rest, is_literal = split(parser, words) end
  local typed = table.move(words, 1, #words, 1, {})
  local options = parser:parse(words)
  options.typed = typed
  options.rest, options.is_literal = rest, is_literal
  if command.logs and (options.verbosity > 0 or options.log_format) then
    require("f5.core").log(options.verbosity, options.log_format == "json")
  end
  if command.ends_by_signal then host.end_by_signal() end
  if not options.record_to then return command.run(options) end
  return require("cli.support.har.options").record_command(options, program, command, name)
end

--- `f5lua --inventory FILE …` is `f5lua run --inventory FILE …`; so are --record, --replay and
--- --report.
function M.fleet(words)
  table.insert(words, 1, "run")
  return M.subcommand(words)
end

-- `f5lua help` and `f5lua help list` are what people try first, and `f5lua version`.
local function spoken(words)
  if words[1] == "version" and not words[2] then
    output("f5lua ", host.version, "\n")
    return 0
  end
  if words[1] ~= "help" or words[3] then return nil end
  if not words[2] then return M.help() end
  find_all()
  if modules[words[2]] then return M.subcommand { words[2], "--help" } end
  table.remove(words, 1)
end

function M.unknown(words)
  local status = spoken(words)
  if status then return status end
  local word = words[1]
  if word:find "[./]" then usage(("cannot read '%s': there is no such file"):format(word)) end
  local guess = nearest(word)
  usage(
    ("there is no file and no subcommand '%s'%s"):format(
      word,
      guess and "; did you mean '" .. guess .. "'?" or ""
    )
  )
end

function M.interactive()
  if not pcall(require, "cli.run.console") then
    M.help()
    return 2
  end
  return M.subcommand { "console" }
end

return M
