-- Ends a subcommand because of wrong usage: with a message, the command for help, and exit status
-- 2.
return function(message, program)
  error({ usage = message, program = program }, 0)
end
