-- tmsh: its options and its commands. They use the same store, checks and rights as iControl REST.
--
-- A command that the device has and the simulator does not ends with "not simulated" and status 1.
local change = require "sim.shell.tmsh.change"
local command = require "sim.shell.tmsh.command"
local list = require "sim.shell.tmsh.list"
local logs = require "sim.status.logs"
local show = require "sim.shell.tmsh.show"
local target = require "sim.shell.tmsh.target"
local words = require "sim.shell.tmsh.words"

local M = {}

local OPTIONS <const> = { ["-q"] = true, ["-a"] = true, ["-e"] = true, ["-m"] = true, ["-s"] = true,
  ["-f"] = true, ["-g"] = true, ["-l"] = true }

-- The arguments after the options, and whether they are one text (-c).
local function after_options(arguments)
  local at = 1
  while arguments[at] do
    if arguments[at] == "-c" then return { table.unpack(arguments, at + 1) }, true end
    if arguments[at] == "-r" or arguments[at] == "-d" then
      at = at + 2
    elseif OPTIONS[arguments[at]] then
      at = at + 1
    else
      break
    end
  end
  return { table.unpack(arguments, at) }, false
end

--- The arguments of bash in `tmsh run util bash -c SCRIPT`, also with "/util"; nil if it is another
--- command.
function M.bash_arguments(arguments)
  local rest = after_options(arguments)
  local called = (rest[2] or ""):gsub("^/", "")
  if rest[1] ~= "run" or called ~= "util" or rest[3] ~= "bash" then return nil end
  return table.move(rest, 4, #rest, 1, {})
end

local RUN <const> = {}  -- command -> function(session, tokens, io)

RUN.create, RUN.delete, RUN.show = change.create, change.delete, show.run

function RUN.modify(session, tokens, io)
  if not change.modify_status(session, tokens) then change.modify(session, tokens, io) end
end

function RUN.list(session, tokens, io)
  if not change.list_status(session, tokens, io) then list.run(session, tokens, io) end
end

for _, name in ipairs {
  "save", "load", "cp", "mv", "install", "generate", "run", "start", "stop", "restart",
  "reset-stats", "publish", "reboot",
} do
  RUN[name] = command.run
end

RUN["cd"] = function(session, tokens)
  local name = tokens[2] and tokens[2].word or "/Common"
  local folder
  if name == ".." then
    folder = session.folder:match "^(.*)/[^/]*$"
    if folder == "" then folder = "/" end
  else
    folder = target.full(session, {}, name):gsub("(.)/+$", "%1")
  end
  local path = "/mgmt/tm/sys/folder/" .. target.segment(folder)
  if folder ~= "/" and not session.device.store:get(path) then
    target.fail("01020036:3: The requested folder (%s) was not found.", folder)
  end
  session.folder = folder
end

RUN["pwd"] = function(session, _, io) io.out(session.folder .. "\n") end

for _, name in ipairs { "quit", "exit" } do
  RUN[name] = function(session) session.ended = true end
end

-- -- transactions: create cli transaction; …; submit cli transaction --

local function is_transaction(tokens)
  return (tokens[2] or {}).word == "cli" and (tokens[3] or {}).word == "transaction"
end

RUN.submit = function(session, tokens, io)
  if not is_transaction(tokens) or not session.transaction then target.unexpected(tokens[2]) end
  local queued, store = session.transaction, session.device.store
  session.transaction = nil
  store:atomically(function()
    for _, entry in ipairs(queued) do
      session.text = entry.text
      RUN[entry.tokens[1].word](session, entry.tokens, io)
    end
  end)
end

-- Whether the command belongs to a transaction and is done for now.
local function queued(session, tokens)
  local verb = tokens[1].word
  if is_transaction(tokens) and verb == "create" then
    session.transaction = {}
    return true
  elseif is_transaction(tokens) and verb == "delete" then
    session.transaction = nil
    return true
  elseif session.transaction and (verb == "create" or verb == "modify" or verb == "delete") then
    table.insert(session.transaction, { tokens = tokens, text = session.text })
    return true
  end
  return false
end

-- -- sessions --

local KNOWN <const> = {
  edit = true, help = true, diff = true, undo = true, logout = true, ["send-mail"] = true,
}

local function execute(session, tokens, io)
  local verb = tokens[1].word
  if not verb then target.unexpected(tokens[1]) end
  session.budget:command()
  if queued(session, tokens) then return end
  local run = RUN[verb]
  if not run then
    if KNOWN[verb] then target.not_simulated(tokens) end
    target.unexpected(tokens[1])
  end
  run(session, tokens, io)
end

-- /var/log/audit has a line for each command that is not only read.
local READS <const> = { list = true, show = true, cd = true, pwd = true }

-- Words whose value is not logged.
local SECRETS <const> = "^[%a-]*pass[%a-]*$"

local function audit(session, tokens, ok)
  if READS[tokens[1].word] then return end
  local parts = {}
  for i, token in ipairs(tokens) do
    local before = tokens[i - 1] and tokens[i - 1].word or ""
    parts[i] = before:find(SECRETS) and token.word and "****" or token.word or token.brace
  end
  local text = table.concat(parts, " ")
  logs.write(session.device, "audit", "notice", "tmsh[4242]", (
    "01420002:5: AUDIT - pid=4242 user=%s folder=%s module=(tmos)# status=[%s] cmd_data=%s"
  ):format(
    session.actor and session.actor.name or "root", session.folder,
    ok and "Command OK" or "Command failed", text:sub(1, 500)
  ))
end

--- A session of tmsh. `actor`: the user; nil: the device itself.
function M.session(device, actor, budget)
  local session = { device = device, actor = actor, budget = budget, folder = "/Common" }
  function session.tick() budget:tick() end
  return session
end

-- Runs one command, and logs it. Raises { tmsh = message }.
local function run_command(session, tokens, io)
  local done, problem = pcall(execute, session, tokens, io)
  audit(session, tokens, done)
  if done then return end
  if type(problem) == "table" and problem.status then
    problem = select(2, pcall(target.check, problem))
  end
  error(problem, 0)
end

--- Runs a text as one command, also if it has several lines. Raises { tmsh = message }.
function M.line(session, text, io)
  local tokens = {}
  for _, part in ipairs(words.commands(text)) do
    table.move(part, 1, #part, #tokens + 1, tokens)
  end
  session.text = text
  run_command(session, tokens, io)
end

-- Runs the commands of a text. Returns the status of the last one.
local function run_text(session, text, io)
  local ok, commands = pcall(words.commands, text)
  if not ok then
    if type(commands) ~= "table" or not commands.tmsh then error(commands, 0) end
    io.err(commands.tmsh .. "\n")
    return 1
  end
  local status = 0
  for _, tokens in ipairs(commands) do
    session.text = text
    local done, problem = pcall(run_command, session, tokens, io)
    status = done and 0 or 1
    if not done then
      if type(problem) ~= "table" or not problem.tmsh then error(problem, 0) end
      io.err(problem.tmsh .. "\n")
    end
    if session.ended then break end
  end
  return status
end

--- Runs tmsh in a shell. Without a command it reads commands from its input.
function M.run(shell, arguments, io)
  shell.budget:spend(#table.concat(arguments))
  if arguments[1] == "-v" or arguments[1] == "--version" then
    io.out(shell.device.version.version .. "\n")
    return 0
  end
  local rest, is_text = after_options(arguments)
  if (rest[1] or ""):find "^%-" then
    io.err("usage: tmsh <options ...> <command>\n")
    return 1
  end
  local session = M.session(shell.device, shell.actor, shell.budget)
  if #rest == 0 then return run_text(session, io.input, io) end
  return run_text(session, is_text and table.concat(rest, " ") or words.join(rest), io)
end

return M
