-- The commands tmsh::… of scripts. They run in one session of tmsh.
--
-- Their words are put together with blanks and read as a line of tmsh is: a brace or a quote that
-- is meant for tmsh must reach it, as \{ or "\"".
local contrary = require "sim.contrary"
local lists = require "sim.icall.tcl.list"
local logs = require "sim.status.logs"
local objects = require "sim.icall.objects"
local tmsh = require "sim.shell.tmsh"

local M = {}

-- Runs a line of tmsh. Returns what it prints.
local function line(interp, text)
  local printed = {}
  interp:spend(#text)
  tmsh.line(interp.session, text, {
    input = "", err = function() end,
    out = function(piece)
      interp:spend(#piece)
      printed[#printed + 1] = piece
    end,
  })
  return table.concat(printed)
end

-- A command that is one of tmsh.
local function same(verb)
  return function(interp, words)
    return line(interp, verb .. " " .. table.concat(words, " ", 2))
  end
end

for _, verb in ipairs {
  "create", "modify", "delete", "save", "load", "cp", "mv", "run", "generate", "install", "publish",
  "start", "stop", "restart", "reboot", "cd",
} do
  local run = same(verb)
  M[verb] = function(interp, words)
    run(interp, words)
    return ""
  end
end
M.list, M.show = same "list", same "show"
M.reset_stats = function(interp, words)
  return line(interp, "reset-stats " .. table.concat(words, " ", 2))
end
M.pwd = function(interp) return interp.session.folder end
M.version = function(interp) return interp.session.device.version.version end

M.get_config = function(interp, words)
  return objects.read(line(interp, "list " .. table.concat(words, " ", 2)))
end

M.get_status = function(interp, words)
  local kept = {}
  for i = 2, #words do
    if words[i] ~= "raw" then kept[#kept + 1] = words[i] end
  end
  return objects.read(line(interp, "show " .. table.concat(kept, " ") .. " field-fmt"))
end

M.get_name = function(interp, words)
  if #words ~= 2 then interp:usage "tmsh::get_name object" end
  return (objects.identity(words[2]))
end

M.get_type = function(interp, words)
  if #words ~= 2 then interp:usage "tmsh::get_type object" end
  return (select(2, objects.identity(words[2])))
end

M.get_field_names = function(interp, words)
  local names = {}
  if #words < 2 then interp:usage "tmsh::get_field_names ?value|nested? object" end
  for i, field in ipairs(objects.fields(words[#words])) do names[i] = field[1] end
  return lists.join(names)
end

--- get_field_value object name ?variable?: with a variable the result is whether the field exists.
M.get_field_value = function(interp, words)
  if #words ~= 3 and #words ~= 4 then
    interp:usage "tmsh::get_field_value object field_name ?variable?"
  end
  interp:spend(#words[2])
  local value = objects.field(words[2], words[3])
  if words[4] then
    if value then interp:set(words[4], nil, value) end
    return value and "1" or "0"
  end
  return value or interp:fail('field "%s" not found', words[3])
end

-- -- the session --

M.begin_transaction = function(interp)
  if interp.program:find "^scriptd" and contrary.has(interp.session.device, "icall_alone") then
    interp:fail "a transaction cannot be created here"
  end
  if interp.session.transaction then interp:fail "a transaction is already open" end
  return line(interp, "create cli transaction")
end

M.commit_transaction = function(interp)
  if not interp.session.transaction then interp:fail "there is no transaction to commit" end
  return line(interp, "submit cli transaction")
end

M.cancel_transaction = function(interp)
  if not interp.session.transaction then interp:fail "there is no transaction to cancel" end
  return line(interp, "delete cli transaction")
end

M.stateless = function(interp, words)
  local session = interp.session
  if words[2] and words[2] ~= "enabled" and words[2] ~= "disabled" then
    interp:usage "tmsh::stateless ?disabled|enabled?"
  end
  if words[2] then session.stateless = words[2] == "enabled" end
  return session.stateless and "enabled" or "disabled"
end

local LEVELS <const> = {
  emergency = "emerg", alert = "alert", critical = "crit", error = "err", warning = "warning",
  notice = "notice", info = "info", debug = "debug", emerg = "emerg", crit = "crit", err = "err",
}

--- log ?level? message: a line of /var/log/ltm.
M.log = function(interp, words)
  if #words ~= 2 and #words ~= 3 then interp:usage "tmsh::log ?level? message" end
  local level = words[3] and LEVELS[words[2]] or "notice"
  if words[3] and not LEVELS[words[2]] then interp:fail('unknown level "%s"', words[2]) end
  logs.write(interp.session.device, "ltm", level, interp.program, words[#words])
  return ""
end

M.log_dest = function() return "file" end
M.log_level = function(_, words) return words[2] or "notice" end
M.clear_screen = function() return "" end
M.display_threshold = M.clear_screen

--- run_proc SCRIPT:PROCEDURE ?arg …?: a procedure of a `cli script`.
M.run_proc = function(interp, words)
  local script, name = (words[2] or ""):match "^(.+):([^:/]+)$"
  if not script then interp:usage "tmsh::run_proc script:proc ?arg …?" end
  local session = interp.session
  local full = script:sub(1, 1) == "/" and script or session.folder .. "/" .. script
  local object = session.device.store:get("/mgmt/tm/cli/script/" .. full:gsub("/", "~"))
  if not object then
    interp:fail("01020036:3: The requested CLI script (%s) was not found.", full)
  end
  interp:eval(object.apiAnonymous or "")
  local call = table.move(words, 3, #words, 2, { name })
  if not interp.procs[name] then interp:fail('invalid command name "%s"', name) end
  return interp:invoke(call)
end

--- Adds the commands to an interpreter. A refusal of tmsh is an error of the script.
function M.add(interp, session, program)
  interp.session, interp.program = session, program
  for name, run in pairs(M) do
    if name ~= "add" then
      interp.commands["tmsh::" .. name] = function(...)
        local results = table.pack(pcall(run, ...))
        if results[1] then return table.unpack(results, 2, results.n) end
        local problem = results[2]
        if type(problem) == "table" and problem.tmsh then error({ tcl = problem.tmsh }, 0) end
        error(problem, 0)
      end
    end
  end
end

return M
