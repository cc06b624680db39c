-- run of a `cli script`: its Tcl runs with the rights of the user, over the same store, as a script
-- of iCall does. The procedure script::run finds the words of utilCmdArgs in $tmsh::argv, behind
-- the name of the script. What the script prints is the result of the command.
local lazy = require "sim.lazy"
local Budget = lazy "sim.shell.budget"
local Interp = lazy "sim.icall.tcl.interp"
local errors = require "sim.http.errors"
local lists = lazy "sim.icall.tcl.list"
local names = require "sim.config.names"
local shell = lazy "sim.shell"
local tmsh = lazy "sim.shell.tmsh"
local tmsh_commands = lazy "sim.icall.tmsh"

local M = {}

local ROOT <const> = "/mgmt/tm/cli/script/"
local ENTRY <const> = "script::run"
local MAX_COMMANDS <const>, MAX_SECONDS <const> = 100000, 0.4
local MAX_NESTED <const> = 3  -- scripts that run scripts

-- -- exec --

local OPERATORS <const> = {
  ["|"] = "|", ["|&"] = "2>&1 |", ["2>@1"] = "2>&1", [">&"] = "&>", ["<"] = "<", [">"] = ">",
  [">>"] = ">>", ["2>"] = "2>", ["2>>"] = "2>>",
}

local function quoted(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

-- The words of exec as a line of the shell. Redirections keep their meaning, all else is quoted.
local function shell_line(words)
  local parts = {}
  for i = 2, #words do
    local word = words[i]
    local operator, file = word:match "^(2?>>?)([^>&@].*)$"
    parts[#parts + 1] = OPERATORS[word] or operator and operator .. quoted(file) or quoted(word)
  end
  return table.concat(parts, " ")
end

-- exec ?-keepnewline? ?--? program …: in the shell of the device.
local function exec(device, actor)
  return function(interp, words)
    local keep = false
    while words[2] == "-keepnewline" or words[2] == "--" or words[2] == "-ignorestderr" do
      keep = keep or words[2] == "-keepnewline"
      table.remove(words, 2)
    end
    if not words[2] then interp:usage "exec ?switches? arg ?arg …?" end
    if words[#words] == "&" then interp:fail "not simulated: exec in the background" end
    local output, status = shell.run(device, shell_line(words), actor)
    interp:spend(#output)
    if not keep then output = output:gsub("\n$", "") end
    if status ~= 0 then
      interp.globals.values.errorCode = ("CHILDSTATUS 0 %d"):format(status)
      if output ~= "" then output = output .. "\n" end
      interp:fail("%schild process exited abnormally", output)
    end
    return output
  end
end

-- -- run --

-- The refusal for a script that failed. tmsh was seen to print such a text.
local function failure(device, name, interp, problem)
  if Budget.is_stop(problem) then
    return errors.tm(400, ("%s: f5lua: not simulated: the script was stopped: %s"):format(
      name, problem.stop
    ), 1)
  end
  if type(problem) ~= "table" or not problem.tcl then
    device:complain(("CLI script %s: %s"):format(name, tostring(problem)))
    problem = { tcl = "internal error of the simulator" }
  end
  if problem.tcl:find "^not simulated: " then
    return errors.tm(501, ("%s: f5lua: %s"):format(name, problem.tcl), 1)
  end
  local command = interp:failed()
  if command == "" then command = ENTRY end
  return errors.tm(400, (
    '%s: script failed to complete:\ncan\'t eval proc: "%s"\n%s\n    while executing\n"%s"\n'
      .. '    invoked from within\n"%s" line:1\nscript did not successfully complete, status:1'
  ):format(name, ENTRY, problem.tcl, command, ENTRY), 1)
end

local function new_interp(device, actor, budget, arguments, printed)
  local interp = Interp.new(budget)
  interp.hostname = device.hostname
  interp.commands.exec = exec(device, actor)
  interp.globals.values["tmsh::argv"] = lists.join(arguments)
  interp.globals.values["tmsh::argc"] = tostring(#arguments)
  local user = actor and actor.name or "root"
  interp.globals.values.env = { USER = user, REMOTEUSER = user, HOME = "/root" }
  function interp.out(piece) printed[#printed + 1] = piece end
  function interp.seconds() return device:now() // 1000000 end
  function interp.sleep() end
  tmsh_commands.add(interp, tmsh.session(device, actor, budget), "tmsh")
  return interp
end

local function run(device, request, _, body)
  if type(body.name) ~= "string" or body.name == "" then
    error(errors.tm(400, "one or more properties must be specified", 1), 0)
  end
  local full = names.absolute(body.name)
  local script = device.store:get(ROOT .. names.segment(full))
  if not script then
    local text = "01020036:3: The requested CLI script (%s) was not found."
    error(errors.tm(404, text:format(full), 3), 0)
  end
  local outer = device.cli_script  -- the script that runs this one
  if outer and outer.depth >= MAX_NESTED then
    return errors.tm(501, "f5lua: not simulated: scripts that run scripts that run scripts", 1)
  end
  local budget = outer and outer.budget
    or Budget.new { commands = MAX_COMMANDS, seconds = MAX_SECONDS }
  local arguments, printed = { body.name }, {}
  for word in tostring(body.utilCmdArgs or ""):gmatch "%S+" do arguments[#arguments + 1] = word end
  local interp = new_interp(device, request.user, budget, arguments, printed)
  device.cli_script = { depth = (outer and outer.depth or 0) + 1, budget = budget }
  local ok, problem = pcall(function()
    interp:run(tostring(script.apiAnonymous or ""))
    interp:invoke { ENTRY }
  end)
  device.cli_script = outer
  if not ok then return failure(device, full:match "[^/]*$", interp, problem) end
  local output = table.concat(printed)
  return { commandResult = output ~= "" and output or nil }
end

M.commands = { { "run", "^cli/script$", run } }

return M
