-- f5lua bash: runs a command line in the shell of devices.
local contents = require "cli.support.contents"
local frame = require "cli.support.verbs.frame"
local usage = require "cli.support.usage"

local M = { summary = "run a command line on a device, or on many", rest = true, logs = true }

local PROGRAM <const> = "f5lua bash"

-- Long options of the subcommand.
local own = {}

function M.setup(parser)
  parser:usage(
    "Usage: f5lua bash [OPTION…] COMMAND…       a command line of bash\n"
      .. "       f5lua bash [OPTION…] -- WORD…       a program and its arguments, each quoted\n"
      .. "       f5lua bash [OPTION…] - <SCRIPT      the command line is standard input"
  )
  parser:flag("--read-only", "the command only reads: it does not count as a change")
  frame.add_options(parser, { writes = true, text = true })
  parser:epilog(
    "Options come before COMMAND. Its output and its errors are printed; f5lua ends with its\n"
      .. "exit status. Errors of f5lua itself have the status 1 to 3, and a message on standard\n"
      .. "error.\n"
      .. "With --inventory each line begins with the device; a device whose command ends with\n"
      .. "another status than 0 counts as failed. A long command needs --timeout SECONDS, and the\n"
      .. "device ends a call after about a minute: run long work as a task."
  )
  for _, option in ipairs(parser._options) do
    for _, alias in ipairs(option._aliases) do own[alias] = alias:sub(1, 2) == "--" end
  end
end

local function quoted(word) return "'" .. word:gsub("'", "'\\''") .. "'" end

-- `f5lua bash reboot --check` would restart the device.
local function refuse_late_options(words)
  for i = 2, #words do
    if own[words[i]:match "^[^=]*"] then
      usage(
        ("options come before COMMAND; to give %s to the command, write -- before COMMAND"):format(
          words[i]
        ),
        PROGRAM
      )
    end
  end
end

local function command_line(options)
  local words <const> = options.rest
  if #words == 0 then usage("no command given", PROGRAM) end
  if not options.is_literal then refuse_late_options(words) end
  if options.is_literal then
    for i, word in ipairs(words) do words[i] = quoted(word) end
  elseif words[1] == "-" then
    if words[2] then usage("- takes no further words", PROGRAM) end
    local text, why = contents("standard input", io.stdin)
    if not text then usage("cannot read " .. why, PROGRAM) end
    return text
  end
  return table.concat(words, " ")
end

local function text(row) return row.output end

function M.run(options)
  local command <const> = command_line(options)
  if command:find "\0" then usage("the command line contains a zero byte", PROGRAM) end
  if not utf8.len(command) then usage("the command line is not UTF-8", PROGRAM) end
  local changes = true
  if options.read_only then changes = false end
  return frame.run(options, {
    program = PROGRAM,
    writes = true,
    style = { text = text, always_text = true, columns = { "status", "output" } },
    identity = { command },
    work = function(bip)
      local output, status = bip:bash(command, {
        check = false, changes = changes, timeout = options.timeout,
      })
      local problem = status ~= 0 and ("the command ended with status %d"):format(status) or nil
      return { { status = status, output = output } }, problem
    end,
    status = function(rows) return rows[1].status end,
    result = function(rows) return rows[1].output:match "^[^\n]*" end,
  })
end

return M
