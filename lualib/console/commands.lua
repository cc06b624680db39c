--- The commands that start with a dot: `.help`, `.connect`, …

local core = require "f5.core"
local f5 = require "f5"
local history = require "console.history"
local json = require "f5.json"
local lexer = require "build.lexer"
local show = require "f5.table.show"
local shown_json = require "cli.support.shown_json"

local Commands = { list = {} }

local by_name <const> = {}

local function define(name, usage, summary, run, words)
  local command = { name = name, usage = usage, summary = summary, run = run, words = words }
  Commands.list[#Commands.list + 1], by_name[name] = command, command
end

local function complain(console, command)
  console.output:problem(("error: it is .%s %s"):format(command.name, command.usage))
end

local function on_or_off(console, name, argument, set)
  if argument == "on" or argument == "off" then
    set(argument == "on")
  else
    complain(console, by_name[name])
  end
end

define(
  "help",
  "[WORD or EXPRESSION]",
  "this list, or help about something: .help list, .help pool, .help bip.ltm.pool",
  function(console, argument) require("console.help").run(console, argument) end
)

-- F5_PASSWORD is the password of F5_USER. For another user the console asks: wrong passwords could
-- lock the user.
local function password_of(user, host)
  local known = os.getenv "F5_USER" or ""
  if not user or known == "" or known == user or (os.getenv "F5_PASSWORD" or "") == "" then
    return nil
  end
  return core.secret_from_terminal(("Password for %s on %s: "):format(user, host))
    or f5.fail "nothing was entered"
end

-- The words of .connect as options of f5.connect; nil if they are wrong.
local function connect_options(argument)
  local given, plain, wants = {}, {}, nil
  for word in argument:gmatch "%S+" do
    if wants then
      given[wants], wants = word, nil
    elseif word == "--no-verify" then
      given.verify = false
    elseif word == "-p" or word:find "^%-%-" then
      wants = ({ ["-p"] = "profile", ["--ca"] = "ca", ["--pin"] = "pin" })[word]
      if not wants or given[wants] then return nil end
    else
      plain[#plain + 1] = word
    end
  end
  given.username = plain[given.profile and 1 or 2]
  if not given.profile then given.host = plain[1] end
  local most <const> = given.profile and 1 or 2
  if wants or plain[most + 1] or not (given.profile or given.host) then return nil end
  -- the key of a device that no CA has signed
  if given.pin and not given.ca then given.verify = false end
  return given
end

define(
  "connect",
  "HOST[:PORT] [USER] [--ca FILE | --pin PIN | --no-verify], or -p PROFILE",
  "log in to another device, which becomes bip",
  function(console, argument)
    local given <const> = connect_options(argument)
    if not given then return complain(console, by_name.connect) end
    if console.editor and given.host then
      given.password = password_of(given.username, given.host)
    end
    if console:connect(given) then
      console.output:note("bip is " .. console.device.name)
    end
  end
)

define(
  "devices",
  "[NUMBER]",
  "list the devices; with a number this device becomes bip",
  function(console, argument)
    local wanted = tonumber(argument)
    if argument ~= "" then
      local device = wanted and console.devices[wanted]
      if not device then return console.output:problem("error: unknown device " .. argument) end
      console:use(device)
    end
    local rows = json.array {}
    for i, device in ipairs(console.devices) do
      rows[i] = {
        number = i, bip = device == console.device and "*" or "",
        name = device.hostname or device.name, address = device.name, state = device.state or "",
      }
    end
    if #rows == 0 then return console.output:note "no devices; .connect HOST logs in to one" end
    local columns = { "number", "bip", "name", "address", "state" }
    console.output:text(
      show.table(
        rows,
        { width = console.output:columns(), paint = console.output.paint, columns = columns }
      )
    )
  end
)

define(
  "check",
  "[on|off]",
  "with `on` nothing is written; without a word: what the entries would do",
  function(console, argument)
    local check = require "console.check"
    local run = ({ [""] = check.show, on = check.on, off = check.off })[argument]
    if not run then return complain(console, by_name.check) end
    run(console)
  end,
  { "on", "off" }
)

define(
  "undo",
  "[on|off]",
  "with `on` a change record is kept; without a word: take back what was written since",
  function(console, argument)
    local undo = require "console.undo"
    local run = ({ [""] = undo.run, on = undo.on, off = undo.off })[argument]
    if not run then return complain(console, by_name.undo) end
    run(console)
  end,
  { "on", "off" }
)

define("log", "on|off|bodies", "print each call; with `bodies` also what is sent and received",
  function(console, argument)
    local level = ({ on = 1, off = 0, bodies = 2 })[argument]
    if not level then return complain(console, by_name.log) end
    core.log(level, false)
  end, { "on", "off", "bodies" })

define(
  "time",
  "on|off",
  "print the time and the number of calls of each entry",
  function(console, argument)
    on_or_off(console, "time", argument, function(on) console.timed = on end)
  end,
  { "on", "off" }
)

define("json", "EXPRESSION", "print a value as JSON: .json _", function(console, argument)
  local chunk, message = load("return " .. argument, "=(console)", "t", console.env)
  if argument == "" or not chunk then
    return console.output:problem("error: " .. (message or "no value given: .json _"))
  end
  local value = chunk()
  local FIRST =
    { "kind", "name", "partition", "subPath", "fullPath", "generation", "selfLink" }
  console.output:text(shown_json(show.masked(value), { sort = true, first = FIRST, indent = 2 }))
end)

-- -- files --

-- Whether an entry uses the last result.
local function uses_result(source)
  local ok, tokens = pcall(lexer.list, source)
  for _, token in ipairs(ok and tokens or {}) do
    if token.kind == "name" and token.value:find "^_%d?$" then return true end
  end
  return false
end

local function connect_line(device)
  local options = device.options
  if options.profile then
    return ("local bip <close> = f5.connect { profile = %q }"):format(options.profile)
  end
  if not options.host then return "local bip <close> = f5.connect() -- the host is in F5_SERVER" end
  local parts = { ("host = %q"):format(options.host) }
  for _, name in ipairs { "username", "provider", "ca", "pin", "ver" } do
    if options[name] then parts[#parts + 1] = ("%s = %q"):format(name, options[name]) end
  end
  if options.verify == false then parts[#parts + 1] = "verify = false" end
  return "local bip <close> = f5.connect { " .. table.concat(parts, ", ") .. " }"
end

local function as_statement(saved, needs_result)
  if history.holds_secret(saved.source) then
    return "-- An entry with a secret was left out here."
  end
  if saved.kind ~= "expression" then return saved.source end
  local source = saved.source:gsub("[%s;]+$", "")
  if needs_result then return "_ = " .. source end
  return load(source) and source or "print(" .. source .. ")"
end

--- Returns the entries that succeeded as a playbook.
function Commands.playbook(console)
  local needs_result, device = false, nil
  for _, saved in ipairs(console.saved) do
    needs_result = needs_result or uses_result(saved.source)
  end
  local lines = { "#!/usr/bin/env f5lua", 'local f5 = require "f5"' }
  if needs_result then lines[#lines + 1] = "local _" end
  for _, saved in ipairs(console.saved) do
    if saved.device ~= device then
      device = saved.device
      -- an entry of the user has connected to the others
      if not device.by_entry then lines[#lines + 1] = "\n" .. connect_line(device) .. "\n" end
    end
    lines[#lines + 1] = as_statement(saved, needs_result)
  end
  return table.concat(lines, "\n") .. "\n"
end

define("save", "FILE.lua", "save the entries that succeeded as a playbook",
  function(console, argument)
    if argument == "" then return complain(console, by_name.save) end
    -- Only what this console itself has saved there is replaced.
    local fresh = console.saved_to ~= argument
    local written, message = core.write_file(argument, Commands.playbook(console), fresh)
    if not written then return console.output:problem("error: " .. message) end
    console.saved_to = argument
    console.output:note(("%d entries in %s"):format(#console.saved, argument))
  end)

define("load", "FILE.lua", "run a file here; its globals stay",
  function(console, argument)
    if argument == "" then return complain(console, by_name.load) end
    local chunk, message = loadfile(argument, "t", console.env)
    if not chunk then return console.output:problem("error: " .. message) end
    chunk()
    console.saved[#console.saved + 1] =
      { source = ("dofile(%q)"):format(argument), kind = "statement", device = console.device }
  end
)

define("history", "[NUMBER]", "list the last entries",
  function(console, argument)
    local entries = history.load()
    local count = tonumber(argument) or 20
    local last = table.move(entries, math.max(1, #entries - count + 1), #entries, 1, {})
    if #last > 0 then console.output:text(table.concat(last, "\n")) end
  end)

define(
  "quit",
  "",
  "end the console and delete the tokens (also Ctrl-D)",
  function(console) console.leaving = true end
)

by_name.exit = by_name.quit

--- Returns the words that a command accepts, or nil if it accepts other arguments.
function Commands.words(name)
  local command = by_name[name]
  return command and command.words
end

-- What new users type: ? help exit quit. None of them is useful Lua.
local SPOKEN <const> = { help = true, exit = true, quit = true }

--- Returns the command for an entry without a dot: `?`, `help`, `exit`, and `bip.ltm.pool ?` for
-- `.help bip.ltm.pool`.
-- @param env table: the variables; a variable called `help` or `exit` wins
-- @return name and argument, or nothing
function Commands.spoken(source, env)
  local text = source:match "^%s*(.-)%s*$"
  text = text:match "^(%a+)%s*%(%s*%)$" or text -- exit()
  if text == "?" then return "help", "" end
  local about = text:match "^%?%s*([%w_.:/~%[%]\"'-]+)$"
    or text:match "^([%a_][%w_.:/~%[%]\"'-]*)%s*%?$" or text:match "^help%s+([%w_.:/~%[%]\"'-]+)$"
  if about and not about:find("[[", 1, true) then return "help", about end
  if SPOKEN[text] and rawget(env, text) == nil then return text, "" end
end

function Commands.find(name) return by_name[name] end

function Commands.run(console, name, argument)
  local command = by_name[name]
  if not command then
    console.output:problem(("error: unknown command .%s; .help lists the commands"):format(name))
    return
  end
  command.run(console, argument)
end

return Commands
