-- Ends a subcommand as wrongly used: a message on standard error, where to read more, and exit
-- status 2.
return function(message, program)
  error({ usage = message, program = program }, 0)
end
