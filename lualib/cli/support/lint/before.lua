-- Looks for mistakes in a playbook before it runs on many devices or is packed.
local files = require "cli.support.lint.files"
local lines = require "cli.support.lint.text"
local terminal = require "f5.terminal"

local M = {}

-- A text that does not compile is reported by what would run it.
local function is_lua(problems)
  for _, problem in ipairs(problems) do
    if problem.code == "syntax" then return false end
  end
  return true
end

--- Prints problems; ends with a failure if there are errors.
-- @param options table: no_lint (true: nothing is done), warnings (true: they are printed without
--   errors, too), go_on (true: errors are no failure)
function M.stop(problems, file, options)
  if not is_lua(problems) then return end
  local errors = 0
  for _, problem in ipairs(problems) do
    if problem.severity == "error" then errors = errors + 1 end
  end
  if errors > 0 or options.warnings then terminal.err(lines(problems)) end
  if errors == 0 or options.go_on then return end
  error(("%s: %d error%s; nothing was done (--no-lint skips this check)"):format(
    terminal.line(file), errors, errors == 1 and "" or "s"), 0)
end

--- Checks a playbook and its modules. See M.stop.
-- @param options table: also open (see lint.globals)
function M.playbook(text, file, options)
  if options.no_lint then return end
  M.stop(files.check_program(text, file, options.open), file, options)
end

--- Checks the texts of a program: array of { file, text }. See M.stop.
function M.program(texts, options)
  if options.no_lint then return end
  M.stop(files.check_texts(texts, options.open), texts[1].file, options)
end

--- Adds the option --no-lint to a parser of argparse.
function M.add_option(parser, what)
  parser:flag("--no-lint", what):target "no_lint"
end

return M
