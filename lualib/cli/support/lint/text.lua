-- Problems of playbooks as lines, as compilers write them.
local terminal = require "f5.terminal"

--- Returns "FILE:LINE:COLUMN: error: MESSAGE [CODE]" for each problem.
return function(problems)
  local lines = {}
  for i, problem in ipairs(problems) do
    lines[i] = ("%s:%d:%d: %s: %s [%s]\n"):format(
      terminal.line(problem.file), problem.line, problem.column, problem.severity,
      terminal.line(problem.message), problem.code
    )
  end
  return table.concat(lines)
end
