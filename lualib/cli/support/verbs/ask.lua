-- Asks before something is done that cannot be taken back.
local host = require "f5.host"
local terminal = require "f5.terminal"
local usage = require "cli.support.usage"

--- Whether the user agrees. Without a terminal it is wrong usage.
-- @param question string: "Delete 2 tokens?"
return function(question, program)
  if not (host.is_terminal(0) and host.is_terminal(2)) then
    usage(("%s Say --yes when this is meant (no terminal to ask on)."):format(question), program)
  end
  terminal.err(question, " [y/N] ")
  local answer = io.read "l"
  return answer ~= nil and answer:lower():find "^y" ~= nil
end
