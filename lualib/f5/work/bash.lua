-- bip:bash: runs a command line in the device's shell. The device does not report an exit status,
-- so the command line prints it.

local core = require "f5.core"

local M = {}

local last = 0

local function quoted(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

local OPTIONS <const> = { check = "boolean", timeout = "number", changes = "boolean" }

local function check_options(options)
  if type(options) ~= "table" then
    core.usage_error(("bash: expected a table of options, got a %s"):format(type(options)))
  end
  for key, value in next, options do
    if not OPTIONS[key] then
      core.usage_error(("bash: unknown option '%s'"):format(tostring(key)))
    end
    if type(value) ~= OPTIONS[key] then
      core.usage_error(("bash: '%s' must be a %s, not a %s"):format(key, OPTIONS[key], type(value)))
    end
  end
end

--- session:bash(command[, options]): returns its output (both streams) and its exit status. A
-- status other than 0 raises an error of kind "task" with `exit_status` and `output`, unless check
-- = false.
-- @param options table|nil: check (true), timeout (seconds), changes (true; false: the command only
--   reads, so it does not count as a change)
function M.bash(bip, command, options)
  if type(command) ~= "string" then
    core.usage_error(("bash: expected a command line, got a %s"):format(type(command)))
  end
  if command:find "\0" then core.usage_error("bash: the command line contains a zero byte") end
  if not utf8.len(command) then core.usage_error("bash: the command line is not UTF-8") end
  options = options or {}
  check_options(options)
  -- No output contains the mark by chance. The subshell is there because the command may end with
  -- `exit`. With `eval` the mark is printed even if the command has a syntax error.
  last = last + 1
  local mark = ("f5lua-%x-%d:"):format(math.random(0), last)
  local line = ("(eval %s) </dev/null 2>&1; printf '%%s%%d' %s $?"):format(quoted(command), mark)
  local answer = bip:request("POST", "/mgmt/tm/util/bash", {
    body = { command = "run", utilCmdArgs = "-c " .. quoted(line) }, timeout = options.timeout,
    changes = options.changes,
  })
  local result = type(answer) == "table" and answer.commandResult or ""
  local output, status = result:match("^(.*)" .. mark:gsub("%-", "%%-") .. "(%d+)%s*$")
  if not status then
    error(
      core.error_new {
        kind = "protocol",
        device = bip:label(),
        method = "POST",
        path = "/mgmt/tm/util/bash",
        outcome = "unknown",
        message = "the shell did not report an exit status; its output: "
          .. core.mask_command(result):sub(1, 200),
      },
      0
    )
  end
  status = math.tointeger(status)
  if status ~= 0 and options.check ~= false then
    local words = output:find "%S" and output:match "^%s*(.*%S)" or ""
    error(
      core.error_new {
        kind = "task",
        device = bip:label(),
        method = "POST",
        path = "/mgmt/tm/util/bash",
        exit_status = status,
        output = output,
        message = ("the command ended with status %d: %s%s"):format(
          status,
          core.mask_command(command),
          words ~= "" and "\n" .. core.mask_command(words) or ""
        ),
      },
      0
    )
  end
  return output, status
end

return M
