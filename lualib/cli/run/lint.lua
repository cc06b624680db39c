-- f5lua lint: finds mistakes in playbooks before they run.
local files = require "cli.support.lint.files"
local json = require "f5.json"
local output = require "cli.support.output"
local problems_text = require "cli.support.lint.text"
local shown_json = require "cli.support.shown_json"
local usage = require "cli.support.usage"

local M = { summary = "find mistakes in playbooks before they run" }

local PROGRAM <const> = "f5lua lint"

function M.setup(parser)
  parser
    :argument("file", "a playbook, a directory with playbooks, or - for standard input")
    :argname "FILE"
    :args "+"
  parser
    :option("--output", "text (default), or json for editors and other programs")
    :choices { "text", "json" }
    :argname "FORMAT"
  parser:flag("--strict", "warnings, too, make the exit status 1")
  parser:epilog(
    "Errors are what surely fails; warnings are what is probably wrong. Each is one line:\n"
      .. "FILE:LINE:COLUMN: error: MESSAGE [CODE]. A comment `-- lint: ignore` hides those of its\n"
      .. "line. Nothing is sent to a device.\n"
      .. "Exit status: 0 no errors, 1 errors, 2 a file cannot be read."
  )
end

-- In the order in which editors show them.
local FIRST <const> = { "file", "line", "column", "end_line", "end_column", "severity", "code",
  "message", "suggestion" }

function M.run(options)
  local found, why = files.check(options.file)
  if not found then usage(why, PROGRAM) end
  if options.output == "json" then
    output(shown_json(json.array(found), { indent = 2, first = FIRST }), "\n")
  else
    output(problems_text(found))
  end
  for _, problem in ipairs(found) do
    if problem.severity == "error" or options.strict then return 1 end
  end
  return 0
end

return M
